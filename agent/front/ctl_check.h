/* SPDX-License-Identifier: ISC */
/* mxdirectctl check: is this machine fit to send mail? */
#ifndef FRONT_CTL_CHECK_H
#define FRONT_CTL_CHECK_H

#include "front/ctl.h"

/* Operands are domains or addresses of senders. Findings: something is not as it should be. */
MUST_CHECK bool ctl_check(struct arena *a, const struct ctl *c, bool *ret_findings,
			  struct error *err);

#endif
