/* SPDX-License-Identifier: ISC */
/*
 * From a domain to candidates, one by one. The addresses of all MX hosts are asked for at once; each candidate waits only for the hosts
 * of its own preference, so a dead name server of a backup MX costs nothing while the first one answers.
 */
#ifndef FLOW_LOOKUP_H
#define FLOW_LOOKUP_H

#include "core/plan.h"
#include "flow/services.h"

struct lookup;

/* Route and MX. Errors are those of route_decide() and mxlist_build(). */
MUST_CHECK bool lookup_open(struct arena *a, const struct services *sv, const char *domain, struct deadline until,
			    struct lookup **ret, struct error *err);

enum lookup_say {
	LOOKUP_CANDIDATE, /* *ret */
	LOOKUP_SKIPPED,	  /* ret->host and ret->pref are not used: *err (plan_host()); ask again */
	LOOKUP_END,
};
enum lookup_say lookup_next(struct lookup *l, struct deadline until, struct candidate *ret, struct error *err);

#endif
