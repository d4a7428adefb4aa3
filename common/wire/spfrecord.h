/* SPDX-License-Identifier: ISC */
/*
 * The SPF record of a domain (RFC 7208 section 12) as a list of terms. Domain names, addresses and macros in it are not looked at: libspf2
 * does that, one term at a time, and what it cannot take without harm is refused here.
 */
#ifndef WIRE_SPFRECORD_H
#define WIRE_SPFRECORD_H

#include "wire/dnsmsg.h"

#define SPF_RECORD_MOST 4096 /* bytes; one that fits into a UDP answer has 450 (RFC 7208 section 3.4) */
#define SPF_TERM_MOST	400  /* bytes; libspf2 1.2.10 writes past a buffer from 3.5 kB on, CVE-2023-42118 */

enum spf_kind {
	SPF_KIND_ALL,
	SPF_KIND_INCLUDE,
	SPF_KIND_A,
	SPF_KIND_MX,
	SPF_KIND_PTR,
	SPF_KIND_IP4,
	SPF_KIND_IP6,
	SPF_KIND_EXISTS,
	SPF_KIND_REDIRECT,
	SPF_KIND_EXP,
	SPF_KIND_OTHER, /* a modifier nobody knows: RFC 7208 section 6 has it ignored */
};

struct spf_term {
	enum spf_kind kind;
	char qualifier;	   /* of a mechanism: '+', '-', '~', '?' */
	const char *text;  /* as it stands in the record */
	const char *plain; /* for libspf2: without the qualifier; a prefix length of 0, a syntax error for it, is 1 */
	bool any4, any6;   /* the prefix length for IPv4, for IPv6, is 0: every address matches */
	bool by_sender;	   /* has a macro with the sender's local part, %{s} or %{l} */
};

struct spf_record {
	const struct spf_term *term;
	size_t nterm;
	const struct spf_term *redirect; /* NULL: none */
};

/* How many of the TXT records are SPF records (RFC 7208 section 4.5); *ret is the first one. */
size_t spfrecord_find(const struct dns_answer *txt, struct span *ret);

/* Fails PERM 5.7.0 with a sentence about the term; INTERNAL without memory. */
MUST_CHECK bool spfrecord_parse(struct arena *a, struct span text, struct spf_record *ret, struct error *err);

/* Does it cause a DNS question that counts (RFC 7208 section 4.6.4)? */
bool spf_term_counts(const struct spf_term *t);

#endif
