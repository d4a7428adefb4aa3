/* SPDX-License-Identifier: ISC */
/* mxdirectctl check: how Postfix is told to use mxdirect, from what postconf(1) prints. Nothing is
 * run here. */
#ifndef FRONT_CTL_CHECK_POSTFIX_H
#define FRONT_CTL_CHECK_POSTFIX_H

#include "core/config.h"
#include "front/ctl_findings.h"

struct postfix_texts {
	struct span master; /* postconf -M: one line for each service */
	struct span main;   /* postconf -x: NAME = VALUE, all of them, expanded */
};

/* Every service that runs mxdirect, and the lmtp(8) transports that lead to one. *ret_user: as whom
 * (the first one); NULL: there is none. */
void check_postfix(struct findings *f, const struct config *c, const struct postfix_texts *t,
		   const char **ret_user);

#endif
