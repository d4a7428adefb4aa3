/* SPDX-License-Identifier: ISC */
/* mxdirectctl config: every key, its value, and where that comes from; for all domains, or for one; and the routes. */
#ifndef FRONT_CTL_SETTINGS_H
#define FRONT_CTL_SETTINGS_H

#include "front/ctl.h"

/* Findings: never. */
MUST_CHECK bool ctl_settings(struct arena *a, const struct ctl *c, bool *ret_findings, struct error *err);

#endif
