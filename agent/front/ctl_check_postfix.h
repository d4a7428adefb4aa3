/* SPDX-License-Identifier: ISC */
/* mxdirectctl check: how Postfix is told to use mxdirect, from what postconf(1) prints. Nothing is
 * run here: who calls looks into tables. */
#ifndef FRONT_CTL_CHECK_POSTFIX_H
#define FRONT_CTL_CHECK_POSTFIX_H

#include "core/config.h"
#include "front/ctl_findings.h"

struct postfix_texts {
	struct span master; /* postconf -Mx: one line for each service */
	struct span main;   /* postconf -x: NAME = VALUE, all of them, expanded */
};

struct postfix_tables {
	/* What postmap -q finds for the key; false: nothing, or there is no such table. */
	bool (*ask)(const struct postfix_tables *t, const char *table, const char *key,
		    struct span *ret);
};

/* Every service that runs mxdirect, and the lmtp(8) transports that lead to one. *ret_user: as whom
 * (the first one); NULL: there is none. */
void check_postfix(struct findings *f, const struct config *c, const struct postfix_texts *t,
		   const struct postfix_tables *tables, const char **ret_user);

#endif
