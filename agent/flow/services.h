/* SPDX-License-Identifier: ISC */
/* Everything a delivery needs from outside: made once by a front (or a test), never changed by a delivery. */
#ifndef FLOW_SERVICES_H
#define FLOW_SERVICES_H

#include "base/rng.h"
#include "core/config.h"
#include "flow/caller.h"
#include "net/resolver.h"
#include "net/secure.h"

/* Where lines for the operator go. */
struct journal {
	void (*log)(void *self, const char *line);   /* syslog */
	void (*trace)(void *self, const char *line); /* the conversation; NULL: nobody wants it */
	void *self;
};

struct services {
	struct io *io;
	struct resolver *resolver;
	struct rng *rng;
	const struct config *config; /* for the recipients' domain */
	const struct settings *settings; /* for its routes; NULL: there are none */
	const char *own_name;	     /* for HELO and the loop check; "": say the address */
	const char *sts_program;     /* mxdirect-sts (sts.h); NULL: MTA-STS policies are not fetched */
	const char *spf_program;     /* mxdirect-spf (spfpacket.h); NULL: SPF cannot be evaluated */
	struct secure_module *secure; /* TLS; loaded when a server offers it */
	struct memory *memory;	      /* between runs; NULL: there is none */
	struct sessions *sessions;    /* open ones to use again; NULL: none are kept */
	struct caller caller;
	struct journal journal;
};

#endif
