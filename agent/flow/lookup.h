/* SPDX-License-Identifier: ISC */
/*
 * From a domain to candidates, one by one. The addresses of all MX hosts are asked for at once; each candidate waits only for the hosts
 * of its own preference, so a dead name server of a backup MX costs nothing while the first one answers.
 */
#ifndef FLOW_LOOKUP_H
#define FLOW_LOOKUP_H

#include "core/plan.h"
#include "core/nexthop.h"
#include "flow/tlspolicy.h"

struct lookup;

struct lookup_request {
	struct nexthop to;
	bool requiretls, tls_required_no; /* of the message: struct facts */
	struct deadline until;
};

/* Its MX, if it is of that kind. Errors are those of mxlist_build(). A host that the configuration names is like an implicit MX of a signed
 * answer: its name is not DNS's word, and it has neither MTA-STS nor TLS reports. */
MUST_CHECK bool lookup_open(struct arena *a, const struct services *sv, const struct lookup_request *rq, struct lookup **ret,
			    struct error *err);

/* The resolver that the configuration asks for. Errors are those of resolver_open(). */
MUST_CHECK bool lookup_resolver(const struct config *c, struct io *io, struct rng *rng, struct resolver **ret, struct error *err);

enum lookup_say {
	LOOKUP_CANDIDATE, /* *ret, with its demand on TLS */
	LOOKUP_SKIPPED,	  /* ret->host and ret->pref are not used: *err (plan_host(), demand_decide()); ask again */
	LOOKUP_END,
};
enum lookup_say lookup_next(struct lookup *l, struct deadline until, struct candidate *ret, struct error *err);

/* ---- for those who ask why ---- */

struct lookup_about {
	struct nexthop to;
	const struct mxlist *list; /* what is left of it: lookup_next() cuts it where it finds this machine */
	struct tlspolicy_sts sts;
};
struct lookup_about lookup_about(const struct lookup *l);

/* Of the host that lookup_next() gave last. */
struct lookup_host {
	const struct tlspolicy_host *tls; /* with what DNS said */
	const struct plan_address *address; /* each one, and what became of it */
	size_t naddress;
};
MUST_CHECK bool lookup_explain(struct arena *a, const struct lookup *l, struct lookup_host *ret, struct error *err);

/* The fixed part of a TLS report (RFC 8460) about one of the hosts that lookup_next() gave. */
struct tlsrpt_result lookup_report(struct lookup *l, const char *host, struct deadline until);

#endif
