/* SPDX-License-Identifier: ISC */
/* mxdirectctl check: how Exim is told to use mxdirect, from what exim -bP prints. Nothing is run
 * here. */
#ifndef FRONT_CTL_CHECK_EXIM_H
#define FRONT_CTL_CHECK_EXIM_H

#include "core/config.h"
#include "front/ctl_findings.h"

struct exim_texts {             /* "NAME transport:", its options one a line, an empty line, ... */
	struct span transports; /* exim -bP transports */
	struct span routers;    /* exim -bP routers */
};

/* Every transport that runs mxdirect. *ret_user: as whom (the first one); NULL: there is none. */
void check_exim(struct findings *f, const struct config *c, const struct exim_texts *t,
		const char **ret_user);

#endif
