/* SPDX-License-Identifier: ISC */
/*
 * What SPF (RFC 7208) says of this machine as the sender for a domain. The library that knows (libspf2) has holes that anybody's DNS records
 * reach, so it works in a program of its own, mxdirect-spf (spfpacket.h), which can do nothing but talk to us: no files, no network, no new programs,
 * little memory. It asks us for DNS, and we ask our resolver, within a budget: RFC 7208 section 4.6.4 counts for the whole of an evaluation.
 */
#ifndef FLOW_SPF_H
#define FLOW_SPF_H

#include "flow/services.h"

enum spf_result { SPF_NONE, SPF_NEUTRAL, SPF_PASS, SPF_FAIL, SPF_SOFTFAIL, SPF_TEMPERROR, SPF_PERMERROR };

struct spf_question {
	struct ip source;   /* of the connection to come */
	const char *domain; /* the sender's, or that of HELO for the null sender (RFC 7208 section 2.4); A-labels */
	const char *local;  /* its local part; "postmaster" for the null sender */
	const char *helo;
};

struct spf_answer {
	enum spf_result result;
	const char *mechanism; /* that decided, as it stands in the record, with the domain whose record it is; "" if none did */
	const char *why;       /* one sentence */
	uint32_t ttl;	       /* seconds that it may be kept: the least of the answers used, 3600 at most */
	bool by_sender;	       /* another local part may get another answer: it is not to be kept */
	unsigned lookups;      /* DNS questions that count (RFC 7208 section 4.6.4) */
};

/* Whatever goes wrong is an answer (TEMPERROR or PERMERROR). False: INTERNAL without memory, TEMP 4.3.2 when stopped. */
MUST_CHECK bool spf_evaluate(struct arena *a, const struct services *sv, const struct spf_question *q, struct deadline until,
			     struct spf_answer *ret, struct error *err);

const char *spf_result_name(enum spf_result result); /* "pass" ... */
const char *spf_reason(const struct spf_answer *answer); /* the mechanism, or why if none decided */

#endif
