/* SPDX-License-Identifier: ISC */
/* The memory of state_directory, as the operator's tool opens it: never made only to be looked at, and never with files left behind that
 * the deliveries cannot use. */
#ifndef FRONT_CTL_MEMORY_H
#define FRONT_CTL_MEMORY_H

#include "store/store.h"
#include "front/ctl.h"
#include "front/ctl_items.h"

struct ctl_memory {
	struct store *store; /* NULL: there is no memory */
	const char *absent;  /* then: why, a sentence */
};

/* Run by root it becomes the owner of the directory for the rest of the process (effective user and group). CONFIG 4.3.5, or as
 * store_open() fails. */
MUST_CHECK bool ctl_memory_open(struct arena *a, const struct ctl *c, struct ctl_memory *ret, struct error *err);
void ctl_memory_close(struct ctl_memory *m);

/* Only looks whether there is one in `dir`, and becomes its owner as above. *ret_absent NULL: there is. */
MUST_CHECK bool ctl_memory_look(struct arena *a, const char *dir, const char **ret_absent, struct error *err);

/* Everything that still counts, or what has to do with `subject`, sorted. Inside a transaction; without memory there is nothing. What is
 * not one of ours is passed over. */
MUST_CHECK bool ctl_memory_load(struct ctl_memory *m, struct arena *a, const struct subject *subject, int64_t now, struct items *ret,
				struct error *err);

#endif
