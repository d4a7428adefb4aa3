/* SPDX-License-Identifier: ISC */
/* Who sends to whom, and what the message needs from a server that is to carry it. */
#ifndef CORE_ENVELOPE_H
#define CORE_ENVELOPE_H

#include "wire/addr.h"
#include "wire/canon.h"
#include "wire/ehlo.h"

struct recipient {
	struct addr addr;
	const char *text; /* as the host gave it: for the log */
	const char *notify, *orcpt; /* DSN (RFC 3461 4.1, 4.2), as they go out; NULL: not given */
};

struct envelope {
	struct addr sender;
	const char *sender_text; /* as the host gave it */
	const struct recipient *rcpt;
	size_t nrcpt;	      /* 1..LIMIT_RCPTS, all of one domain */
	const char *domain;   /* theirs, in A-label form or an address literal: where DNS starts */
	const char *queue_id; /* the host's; "" if it gave none */
	const char *ret, *envid; /* DSN (RFC 3461 4.3, 4.4), as they go out; NULL: not given */
	bool requiretls;      /* REQUIRETLS of the host's MAIL (RFC 8689); the header field is in struct facts */
};

/* What a server must offer to carry this mail: a set of enum ehlo_cap. SMTPUTF8 for non-ASCII in an address (RFC 6531 3.1) or UTF-8
 * in a header field (RFC 6532). */
uint32_t envelope_needs(const struct envelope *e, const struct facts *facts);

#endif
