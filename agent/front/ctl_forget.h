/* SPDX-License-Identifier: ISC */
/* mxdirectctl forget: every record that is about a message, a host or a domain is removed, and said so. */
#ifndef FRONT_CTL_FORGET_H
#define FRONT_CTL_FORGET_H

#include "front/ctl.h"

/* Findings: nothing was removed. Messages that wait for a domain are not about it: they keep their history. */
MUST_CHECK bool ctl_forget(struct arena *a, const struct ctl *c, bool *ret_findings, struct error *err);

#endif
