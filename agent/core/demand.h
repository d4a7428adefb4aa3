/* SPDX-License-Identifier: ISC */
/*
 * What TLS must prove for one host, why, and what may happen if it does not. One decision, from facts that DNS, the policy file, the
 * message and the configuration give.
 *
 *   REQUIRETLS > DANE > MTA-STS enforce > configuration: the reason named is the first that demands the level reached; the level is the
 *   highest that any of them demands, except that MTA-STS has no say where DANE does (RFC 8461 section 2).
 */
#ifndef CORE_DEMAND_H
#define CORE_DEMAND_H

#include "core/config.h"
#include "wire/dnsmsg.h"
#include "wire/sts.h"
#include "wire/tlsa.h"

enum demand_level {
	DEMAND_NONE,	/* STARTTLS is not used */
	DEMAND_MAY,	/* used if offered; plain only after TLS was tried everywhere (delivery) */
	DEMAND_ENCRYPT, /* no proof, but never plain */
	DEMAND_VERIFY,	/* PKIX with one of the names */
	DEMAND_DANE,	/* a TLSA record matches */
};

enum demand_policy { POLICY_NONE, POLICY_DANE, POLICY_STS }; /* RFC 8460 4.4 policy-type: which one applied, demanded or not */

#define DEMAND_NAMES 3

struct demand {
	enum demand_level level;
	const char *because; /* "dane", "mta-sts enforce", "requiretls", "configured"; "" where nothing is demanded */
	bool requiretls;     /* the server must offer REQUIRETLS after TLS (RFC 8689 4.2.1) */
	bool sts_testing;    /* proof is looked at for the report, but its failure does not block (RFC 8461 section 5) */
	enum demand_policy policy;
	const char *sni;
	const char *names[DEMAND_NAMES]; /* reference identifiers */
	size_t nnames;
	const struct tlsa *tlsa; /* usable ones, for DEMAND_DANE */
	size_t ntlsa;
};

#define PORT_SUBMISSIONS 465 /* TLS comes first there, so it is demanded at least (RFC 8314 section 3.3) */

struct demand_facts {
	const char *domain; /* next hop, A-labels */
	const char *host;   /* MX host; "[...]" for an address literal */
	bool literal, implicit_mx;
	bool mx_secure;	     /* the MX answer was authentic, or there was none to be had: implicit MX with a secure NODATA */
	bool address_secure; /* the A and AAAA answers used were authentic */
	const char *tlsa_base; /* host name whose _PORT._tcp has the TLSA records (RFC 7672 2.2.2, 2.2.3) */
	const struct dns_answer *tlsa; /* NULL: not asked, because MX or address was not secure or dane = no */
	const struct sts_policy *sts;  /* NULL: none in force */
	bool sts_failed;	       /* there is one, but it could not be had */
	bool requiretls;	       /* Require-TLS-ESMTP: yes, or REQUIRETLS of the host */
	bool tls_required_no;	       /* TLS-Required: No (RFC 8689 section 5); REQUIRETLS wins over it */
};

/* Does DANE call for a TLSA lookup at all? */
bool demand_wants_tlsa(const struct config *c, bool mx_secure, bool address_secure);

/* Has DANE a say about this host: are there authentic TLSA records, or did looking for them fail? Then MTA-STS has none. */
bool demand_dane_applies(const struct config *c, const struct demand_facts *f);

/*
 * False: this host must not be used now, TEMP 4.7.5: the TLSA lookup failed or was bogus (RFC 7672 2.1), the MTA-STS policy does not list
 * it (RFC 8461 4.1), dane-only without usable DANE, verify for an address literal; or PERM 5.7.30: REQUIRETLS but neither DNSSEC nor
 * MTA-STS vouches for the MX host, or it is an address literal (RFC 8689 4.2.1). INTERNAL without memory. ret->policy and ret->because
 * are filled also then, for log and report.
 */
MUST_CHECK bool demand_decide(struct arena *a, const struct config *c, const struct demand_facts *f, struct demand *ret,
			      struct error *err);

const char *demand_level_name(enum demand_level level); /* "none", "may", "encrypt", "verify", "dane" */

#endif
