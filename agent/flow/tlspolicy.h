/* SPDX-License-Identifier: ISC */
/*
 * What DNS and the domain's MTA-STS policy say of TLS, gathered for core/demand. TLSA records are asked for together with the addresses;
 * the policy file is fetched only when the first host turns up for which DANE has no say.
 */
#ifndef FLOW_TLSPOLICY_H
#define FLOW_TLSPOLICY_H

#include "core/demand.h"
#include "core/tlsrpt.h"
#include "flow/services.h"

struct tlspolicy;
struct stspolicy;

struct tlspolicy_request {
	const char *domain; /* A-labels or an address literal */
	bool literal;
	bool host; /* one that the configuration names: it has no MTA-STS policy, and no reports are sent */
	bool requiretls, tls_required_no; /* header fields of the message (RFC 8689) */
};

struct tlspolicy_host {
	const char *name;
	bool implicit_mx, mx_secure;
	const struct dns_answer *a, *aaaa; /* settled, or NULL: not asked */
	const struct dns_answer *tlsa;	   /* from tlspolicy_ask(), or NULL */
	struct demand demand;		   /* filled by tlspolicy_demand() */
	const char *tlsa_base;
	const struct dns_answer *tlsa_used; /* NULL: DANE has no say */
	bool address_secure;		    /* as demand_facts has it */
};

/* Asks for the TXT records of the domain; nothing waits. NULL: no memory. */
struct tlspolicy *tlspolicy_open(struct arena *a, const struct services *sv, const struct tlspolicy_request *rq);

/* Asks for the TLSA records of a host, if its MX is secure and DANE wanted; h->tlsa stays NULL otherwise. False: INTERNAL, no memory. */
MUST_CHECK bool tlspolicy_ask(struct tlspolicy *p, struct tlspolicy_host *h, struct error *err);

/* Waits for what is missing, then decides (demand_decide()); its errors, and INTERNAL without memory. */
MUST_CHECK bool tlspolicy_demand(struct tlspolicy *p, struct tlspolicy_host *h, struct deadline until, struct error *err);

/* For those who ask why: what was found of MTA-STS so far. */
struct tlspolicy_sts {
	const struct dns_answer *txt;	/* NULL: not asked for */
	const struct stspolicy *policy; /* NULL: not looked for, because DANE had the say */
};
struct tlspolicy_sts tlspolicy_sts(const struct tlspolicy *p);

/* The fixed part of a result for this host; record NULL: the domain wants no reports. `failure` says why the host is not used. */
struct tlsrpt_result tlspolicy_report(struct tlspolicy *p, const struct tlspolicy_host *h, struct deadline until);

#endif
