/* SPDX-License-Identifier: ISC */
/* MTA-STS (RFC 8461): the TXT record, the policy file, the MX patterns. */
#ifndef WIRE_STS_H
#define WIRE_STS_H

#include "base/arena.h"
#include "wire/dnsmsg.h"

#define STS_BODY    65536    /* RFC 8461 3.3 */
#define STS_MX	    128	     /* patterns kept; a policy with more is invalid */
#define STS_MAX_AGE 31557600 /* RFC 8461 3.2: one year at most */

enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE };

struct sts_policy {
	enum sts_mode mode;
	uint32_t max_age; /* seconds */
	const char *const *mx; /* patterns, lower case */
	size_t nmx;
	const char *const *line; /* of the file, printable, without empty ones, for reports (RFC 8460 4.4 policy-string) */
	size_t nline;
};

/*
 * The `id` of the one MTA-STS record in a settled TXT answer (RFC 8461 3.1): records that do not begin with "v=STSv1;" are passed over;
 * none, more than one, or a broken one (no id, id not 1 to 32 alphanumerics, a field that is no key=value) means the domain does not do
 * MTA-STS: false. Of several ids the first counts (section 3.2). The id lies in the answer's memory.
 */
bool sts_record(const struct dns_answer *txt, struct span *ret_id);

/*
 * The policy file (RFC 8461 3.2): lines end in LF or CRLF, unknown keys are passed over, of a repeated key other than mx the first counts.
 * Empty lines are passed over, a max_age over STS_MAX_AGE is taken as that.
 * PERM 5.7.5 with what is wrong: no "version: STSv1", no or unknown mode, no or unreadable max_age, no mx for enforce and testing, a bad
 * pattern, over STS_MX of them, a line without a colon, over STS_BODY bytes. INTERNAL without memory.
 */
MUST_CHECK bool sts_parse(struct arena *a, struct span body, struct sts_policy *ret, struct error *err);

/* RFC 8461 4.1: exact, or "*.example.net" for exactly one label more. Case does not matter, nor a final dot of the host. */
bool sts_allows(const struct sts_policy *p, const char *mx);

#endif
