/* SPDX-License-Identifier: ISC */
/* TLSA records (RFC 6698, 7671, 7672): bytes to values. Matching against certificates is common/tls. */
#ifndef WIRE_TLSA_H
#define WIRE_TLSA_H

#include "base/arena.h"
#include "base/secure.h"
#include "wire/dnsmsg.h"

bool tlsa_parse(struct span rdata, struct tlsa *ret); /* false: shorter than 4 octets; the data stays where it is */

/*
 * RFC 7672 3.1 and RFC 7671 4.1: DANE-TA(2) or DANE-EE(3), selector Cert(0) or SPKI(1), matching Full(0), SHA2-256(1) or SHA2-512(2) with
 * data of the right length (full: at least one octet). PKIX-TA(0) and PKIX-EE(1) are unusable for SMTP (RFC 7672 3.1.3).
 */
bool tlsa_usable(const struct tlsa *t);

/*
 * The usable records of an answer, after digest agility (RFC 7671 section 9: of each usage and selector only the strongest digest
 * counts, SHA2-512 over SHA2-256; Full(0) always stays). *ret_n 0: records exist but none is usable. False: no memory.
 */
MUST_CHECK bool tlsa_select(struct arena *a, const struct dns_answer *answer, const struct tlsa **ret, size_t *ret_n);

/* "_25._tcp.mx.example.net" (RFC 7672 2.2.3); NULL: no memory, or longer than a domain name may be. */
const char *tlsa_name(struct arena *a, const char *host, uint16_t port);

#endif
