/* SPDX-License-Identifier: ISC */
/* Mailboxes and domains (RFC 5321 4.1.2, 4.1.3; RFC 6531 3.3). */
#ifndef WIRE_ADDR_H
#define WIRE_ADDR_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/ip.h"

struct addr {
	const char *local;  /* unquoted; both "": the null sender */
	const char *domain; /* as given (U-label or A-label, any case), without final dot; "[...]" for a literal */
};

/*
 * Parse a mailbox as a host hands it over in an argument, RFC 5321 quoted or bare, with or without angle brackets: "a@b", "<a@b>",
 * "\"a b\"@x", "u@[192.0.2.1]". The last unquoted @ splits. "" and "<>" are the null sender. Strings are copied to the arena.
 * A bare local part may have any printable bytes but " \ < >, which could be read in two ways: hosts that do not quote hand over
 * "a b@x", and addr_write() quotes it.
 * Fails PERM 5.1.3 (syntax, NUL, CR, LF or other control, no domain, empty unquoted local part, over LIMIT_LOCAL or LIMIT_DOMAIN,
 * invalid UTF-8), INTERNAL without memory.
 */
MUST_CHECK bool addr_parse(struct arena *a, struct span text, struct addr *ret, struct error *err);

bool addr_is_null(const struct addr *ad);

/* local@domain, the local part quoted where RFC 5321 4.1.2 needs it, without angle brackets; nothing for the null sender. */
void addr_write(const struct addr *ad, struct buf *out);

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 4.1.3), the tag in any case. False: not an address literal. */
bool addr_literal(struct span domain, struct ip *ret);

/* An A-label domain that DNS can be asked for: LDH and underscore labels of 1 to 63, no hyphen at their ends, at most 253 bytes,
 * no final dot. */
bool domain_valid(struct span name);

/* The one form in which names are compared and asked for: ASCII in lower case, no final dot. NULL: out of memory. */
const char *domain_normal(struct arena *a, struct span name);

#endif
