/* SPDX-License-Identifier: ISC */
/* One DNS answer as a value (RFC 1035, 6698, 6840). No sockets, no c-ares. */
#ifndef WIRE_DNSMSG_H
#define WIRE_DNSMSG_H

#include "base/arena.h"
#include "base/ip.h"

enum dns_type {
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_TLSA = 52,
};

enum dns_state {
	DNS_PENDING,  /* not settled yet */
	DNS_OK,	      /* nrr > 0 */
	DNS_NODATA,   /* the name exists, this type does not */
	DNS_NXDOMAIN, /* the name does not exist */
	DNS_TEMP,     /* SERVFAIL, REFUSED, timeout, garbage, loop: `why` says which */
};

struct dns_rr {
	uint32_t ttl; /* seconds; a value over 2^31 - 1 reads as 0 (RFC 2181 section 8) */
	union {
		struct ip ip; /* A, AAAA */
		struct {
			uint16_t pref;
			const char *host; /* lower case, no final dot; "": the root (RFC 7505 null MX) */
		} mx;
		const char *name;  /* PTR, CNAME: lower case, no final dot */
		struct span bytes; /* TXT: the strings joined; TLSA: rdata */
	};
};

struct dns_answer {
	enum dns_state state;
	bool authentic;	       /* AD bit; set only if the resolver is trusted (resolver_options.trust_ad) */
	uint32_t ttl;	       /* the smallest of the records used, chain included; SOA minimum for NODATA and NXDOMAIN, else 0 */
	const char *name;      /* what was asked */
	const char *canonical; /* the owner behind all CNAMEs; equal to name without them */
	const struct dns_rr *rr; /* of the type asked for, at most LIMIT_DNS_RRS, in the order of the message */
	size_t nrr;
	char why[80]; /* for DNS_TEMP: "SERVFAIL", "timed out", "malformed answer", ... */
};

/*
 * Read the reply `msg` to the question (name, type); values go to the arena. Whatever is wrong with the message (malformed, another
 * question, truncated, a CNAME loop or a chain over LIMIT_CNAMES, a record of wrong size) makes a DNS_TEMP answer, not a failure:
 * false is INTERNAL, no memory. `name` is lower case without final dot. Read with glibc's ns_initparse() and ns_parserr().
 */
MUST_CHECK bool dnsmsg_parse(struct arena *a, struct span msg, const char *name, enum dns_type type, struct dns_answer *ret,
			     struct error *err);

#endif
