/* SPDX-License-Identifier: ISC */
/*
 * One result for TLS reporting (RFC 8460) as the datagram that the collector of the libtlsrpt project reads: a JSON object
 *   {"d":DOMAIN,"pr":TXT-RECORD,"policies":[{"policy-type":1|2|9,"policy-domain":D,"policy-string":[..],"mx-host":[..],
 *    "failure-details":[{"c":CODE,"s":SENDING-IP,"n":MX-NAME,"h":MX-HELO,"r":RECEIVING-IP,"a":INFO,"f":REASON}],"t":FAILURES,"f":0|1}]}
 * Attributes without a value are left out. policy-type: 1 tlsa, 2 sts, 9 no-policy-found; "f": 0 success, 1 failure.
 */
#ifndef CORE_TLSRPT_H
#define CORE_TLSRPT_H

#include "base/buf.h"
#include "core/demand.h"

#define TLSRPT_DATAGRAM 65000 /* what the collector reads */

/* RFC 8460 4.3 result types with the numbers of libtlsrpt. */
enum tlsrpt_failure {
	TLSRPT_NO_FAILURE = 0,
	TLSRPT_STARTTLS_NOT_SUPPORTED = 201,
	TLSRPT_CERTIFICATE_HOST_MISMATCH = 202,
	TLSRPT_CERTIFICATE_NOT_TRUSTED = 203,
	TLSRPT_CERTIFICATE_EXPIRED = 204,
	TLSRPT_VALIDATION_FAILURE = 205,
	TLSRPT_STS_POLICY_FETCH_ERROR = 301,
	TLSRPT_STS_POLICY_INVALID = 302,
	TLSRPT_STS_WEBPKI_INVALID = 303,
	TLSRPT_TLSA_INVALID = 304,
	TLSRPT_DNSSEC_INVALID = 305,
	TLSRPT_DANE_REQUIRED = 306,
};

struct tlsrpt_result {
	const char *domain;
	const char *record;		 /* the domain's TLSRPT TXT record */
	enum demand_policy policy;
	const struct sts_policy *sts;	 /* for POLICY_STS */
	const struct dns_answer *tlsa;	 /* for POLICY_DANE */
	const char *tlsa_base;		 /* the host name, as in struct demand_facts */
	enum tlsrpt_failure failure;
	const char *sending_ip, *mx, *helo, *receiving_ip, *info; /* NULL or "": not known */
};

/* Is there a TLSRPT record (RFC 8460 section 3: exactly one TXT that begins with "v=TLSRPTv1;" and has a rua)? NULL: no. In the arena. */
const char *tlsrpt_record(struct arena *a, const struct dns_answer *txt);

/* False: it does not fit into `out`. */
MUST_CHECK bool tlsrpt_write(const struct tlsrpt_result *r, struct buf *out);

/* The failure that a refused or broken session stands for. SECURE_LOCAL is trouble of ours, of which the domain's owner is told nothing:
 * TLSRPT_NO_FAILURE, and no result is to be written. */
enum tlsrpt_failure tlsrpt_of_trouble(enum secure_trouble trouble);

#endif
