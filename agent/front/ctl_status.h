/* SPDX-License-Identifier: ISC */
/* mxdirectctl status: what is remembered, as tables; or everything about one message, host or domain. */
#ifndef FRONT_CTL_STATUS_H
#define FRONT_CTL_STATUS_H

#include "front/ctl.h"
#include "front/ctl_items.h"
#include "front/ctl_page.h"

/* Findings: nothing is known of the operand. */
MUST_CHECK bool ctl_status(struct arena *a, const struct ctl *c, bool *ret_findings, struct error *err);

void status_overview(struct page *p, const struct items *items);

#endif
