/* SPDX-License-Identifier: ISC */
/*
 * The MTA-STS policy of a domain: TXT record, then the policy over HTTPS, fetched by mxdirect-sts, a program of its own, so that no run
 * without a policy to fetch is linked with an HTTPS library. What was fetched is remembered (core/stscache.h); without a memory a domain with
 * a record costs a fetch in each run.
 */
#ifndef FLOW_STSPOLICY_H
#define FLOW_STSPOLICY_H

#include "flow/services.h"
#include "wire/sts.h"

struct stspolicy {
	const struct sts_policy *policy; /* NULL: none in force; else: */
	int64_t fetched, until; /* seconds since 1970 */
	bool remembered; /* from an earlier run */
	bool failed;	   /* a record exists, but no policy could be had: RFC 8460 4.3.2 */
	bool webpki, invalid; /* why: the certificate of the policy host, or the policy itself; neither: the fetch */
	struct error why; /* when failed: TEMP 4.7.5, "MTA-STS policy of DOMAIN: ..." */
};

/*
 * `txt` is the settled answer for _mta-sts.DOMAIN; its question names the domain. The fetch asks DNS for mta-sts.DOMAIN through our
 * resolver (address_family, max_addresses and refused_networks apply as for an MX host), follows no redirect, takes at most STS_BODY bytes
 * and 60 s (RFC 8461 3.3), within `until`. A failed fetch means: the remembered policy while it holds, else none in force (RFC 8461
 * section 5: deliver as without). Nothing is fetched with mta_sts = no or without sv->sts_program. False: INTERNAL without memory, TEMP 4.3.2 when stopped.
 */
MUST_CHECK bool stspolicy_find(struct arena *a, const struct services *sv, const struct dns_answer *txt, struct deadline until,
			       struct stspolicy *ret, struct error *err);

#endif
