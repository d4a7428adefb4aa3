/* SPDX-License-Identifier: ISC */
/* What a command of the operator's tool needs to ask and to try as a delivery does. */
#ifndef FRONT_CTL_SERVICES_H
#define FRONT_CTL_SERVICES_H

#include "flow/services.h"
#include "front/ctl.h"

struct ctl_note {
	struct ctl_note *next;
	const char *line;
};

/* Filled in place: parts of it point to each other. */
struct ctl_services {
	struct services services; /* memory from memory_open_to_look(); no TLS reports, no kept sessions */
	const char *domain;	  /* A-labels or an address literal; NULL: none */
	struct config config;	  /* for it */
	const char *no_memory;	  /* why there is none, a sentence; NULL: there is one */
	struct ctl_note *first, **last; /* what a delivery would have logged */
	struct arena *arena;
	struct rng rng;
	struct resolver *resolver;
	struct secure_module secure;
};

/* The domain of an operand that is one (U-labels, A-labels, an address literal) or the address of a mailbox. PERM as addr_parse() and
 * idna_ascii() say; INTERNAL without memory. */
MUST_CHECK bool ctl_domain(struct arena *a, const char *operand, const char **ret, struct error *err);

/*
 * Run by root it becomes the owner of state_directory for good, as deliveries run: programs are started and foreign bytes read. CONFIG
 * 4.3.5; TEMP 4.3.0 if it cannot become that; INTERNAL.
 */
MUST_CHECK bool ctl_services_open(struct arena *a, const struct ctl *c, const char *domain, struct ctl_services *ret,
				  struct error *err);
void ctl_services_close(struct ctl_services *s);

#endif
