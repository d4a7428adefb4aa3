/* SPDX-License-Identifier: ISC */
/* mxdirectctl plan: what a delivery to a domain would do now; with --probe also what each host says. */
#ifndef FRONT_CTL_PLAN_H
#define FRONT_CTL_PLAN_H

#include "flow/preview.h"
#include "front/ctl.h"
#include "front/ctl_page.h"
#include "front/ctl_services.h"

/* Findings: mail for the domain would not be delivered now, as far as this can be seen. */
MUST_CHECK bool ctl_plan(struct arena *a, const struct ctl *c, bool *ret_findings, struct error *err);

/* ---- for the two that show it ---- */

struct plan_report {
	const struct ctl_services *services;
	const struct preview_request *request;
	const struct preview *preview;
	const struct probe *probe; /* one for each step; NULL: nothing was connected */
	bool deliverable;
};

void plan_page(struct page *p, const struct plan_report *r);
void plan_json(struct page *p, const struct plan_report *r);

/* Do routes lead anywhere? The ways are numbered then. */
bool plan_is_routed(const struct plan_report *r);

/* Why there is nothing to try; NULL: there is, or each way has its own reason. */
const struct error *plan_trouble(const struct preview *v);

/* Words that both use; texts in the page's arena. */
const char *plan_level(const struct preview_host *h); /* "dane"; "refused": for want of TLS; "-": it was not decided */
const char *plan_reason(struct page *p, const struct preview_way *w, const struct preview_host *h); /* of what is demanded, or not */
const char *plan_refusal(struct page *p, const struct plan_address *address); /* why it is not used; "": it is */
const char *plan_route_text(struct page *p, const struct route *route); /* where it leads, and on which conditions */
const char *plan_verdict(const struct plan_report *r, size_t i); /* why a route is used or not */
const char *plan_mx_refusal(const struct preview_mx *mx);
const char *plan_mode(const struct sts_policy *policy);

struct plan_tlsa {
	const char *name; /* NULL: no records were looked for, or none count */
	size_t records, usable;
};
struct plan_tlsa plan_tlsa(struct page *p, const struct preview_host *h);

#endif
