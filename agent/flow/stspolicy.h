/* SPDX-License-Identifier: ISC */
/*
 * The MTA-STS policy of a domain: TXT record, then the policy over HTTPS, fetched by mxdirect-sts, a program of its own, so that no run
 * without a policy to fetch is linked with an HTTPS library. There is no memory yet: a domain with a record costs a fetch in each run.
 */
#ifndef FLOW_STSPOLICY_H
#define FLOW_STSPOLICY_H

#include "flow/services.h"
#include "wire/sts.h"

struct stspolicy {
	const struct sts_policy *policy; /* NULL: none in force */
	bool failed;	   /* a record exists, but no policy could be had: RFC 8460 4.3.2 */
	bool webpki, invalid; /* why: the certificate of the policy host, or the policy itself; neither: the fetch */
	struct error why;  /* when failed */
};

/*
 * `txt` is the settled answer for _mta-sts.DOMAIN. The fetch asks DNS for mta-sts.DOMAIN through our resolver (refused_networks apply),
 * follows no redirect, takes at most STS_BODY bytes and 60 s (RFC 8461 3.3), within `until`. A failed fetch means: no policy in force
 * (RFC 8461 section 5: no cached one, so deliver as without). False: INTERNAL without memory.
 */
MUST_CHECK bool stspolicy_find(struct arena *a, const struct services *sv, const char *domain, const struct dns_answer *txt,
			       struct deadline until, struct stspolicy *ret, struct error *err);

#endif
