/* SPDX-License-Identifier: ISC */
/* Single records in full, for a person; and words about them that the tables and JSON share. */
#ifndef FRONT_CTL_DETAILS_H
#define FRONT_CTL_DETAILS_H

#include "wire/sts.h"
#include "front/ctl_items.h"
#include "front/ctl_page.h"

void details_show(struct page *p, const struct items *items);

/* "in 12m", "now"; "-": hosts answer there, so it is tried whenever the host MTA does. */
const char *details_domain_next(struct page *p, const struct record_domain *r);

/* "broken": not tried now; "failed": the last time, but it is tried again; "-": nothing bad is known. */
const char *details_tls(const struct page *p, const struct record_host *r);

/* Names of enum ehlo_cap in a set, in a fixed order; NULL after the last one. `i` counts from 0. */
const char *details_keyword(uint32_t caps, size_t i);

struct details_policy {
	const char *mode; /* "none", "testing", "enforce"; "-": never fetched, or not readable */
	int64_t until;	  /* 0: never fetched */
	struct sts_policy policy; /* zeros, if there is none */
};
struct details_policy details_policy(struct page *p, const struct record_policy *r);

#endif
