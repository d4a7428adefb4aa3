/* SPDX-License-Identifier: ISC */
/* One MX host and its address answers to a candidate: the addresses in the order they will be tried, and why others are not. */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include "core/config.h"
#include "core/demand.h"
#include "core/mxlist.h"

struct candidate {
	const char *host; /* "[192.0.2.1]" for an address literal */
	uint16_t pref;
	struct endpoint addr[LIMIT_ADDRS]; /* random order within a family, families interleaved, preferred one first */
	size_t naddr;			   /* >= 1 */
	struct demand demand;		   /* what TLS must prove there: flow/lookup adds it */
};

struct plan_rules {
	const struct config *config; /* address_family, refused_networks, smtp_port, max_addresses, source_ipv4/6 */
	const struct ip *own;	     /* this machine's addresses, at least those in the answers */
	size_t nown;
};

enum plan_say {
	PLAN_USE,
	PLAN_SKIP, /* *err says why */
	PLAN_SELF, /* one of its addresses is ours: *err is PERM 5.4.6 (loop) */
};

/*
 * `a` and `aaaa` are settled answers; NULL: not asked because of address_family. SKIP is TEMP 4.4.3 when a lookup failed and nothing
 * usable is left, TEMP 4.4.4 when every address is refused or of a family not wanted, PERM 5.4.4 when the name has no address at all
 * (NXDOMAIN or NODATA for both). refused_networks is asked for the address as it is and for the IPv4 address that may hide in it
 * (ip_unwrap()).
 */
enum plan_say plan_host(const struct mx *mx, const struct dns_answer *a, const struct dns_answer *aaaa,
			const struct plan_rules *rules, struct rng *rng, struct candidate *ret, struct error *err);

/* The same for an address literal; `host` is its text. */
enum plan_say plan_literal(const char *host, struct ip ip, const struct plan_rules *rules, struct candidate *ret,
			   struct error *err);

/* ---- for those who ask why ---- */

enum plan_verdict {
	VERDICT_USED,
	VERDICT_SURPLUS, /* over max_addresses */
	VERDICT_TWICE,   /* the same address was there before */
	VERDICT_REFUSED, /* in refused_networks */
	VERDICT_FAMILY,	 /* of a family that address_family does not want */
	VERDICT_OWN,	 /* this machine's */
};

struct plan_address {
	struct ip ip;
	enum plan_verdict verdict;
	const struct ip_net *network; /* REFUSED: the one that has it */
};

/* Each address of the answers, in their order: what plan_host(), asked with the same rules, made of it. `c` is what it gave, or NULL if it was
 * not USE. `ret` has room for PLAN_VERDICTS; returns how many there are. */
#define PLAN_VERDICTS (2 * LIMIT_DNS_RRS)
size_t plan_explain(const struct dns_answer *a, const struct dns_answer *aaaa, const struct plan_rules *rules,
		    const struct candidate *c, struct plan_address *ret);
struct plan_address plan_explain_literal(struct ip ip, const struct plan_rules *rules);

#endif
