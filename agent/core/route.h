/* SPDX-License-Identifier: ISC */
/* Where mail for a domain goes, before any DNS. */
#ifndef CORE_ROUTE_H
#define CORE_ROUTE_H

#include "base/err.h"
#include "base/ip.h"

enum route_kind {
	ROUTE_MX,      /* ask DNS for the MX hosts of `domain` */
	ROUTE_LITERAL, /* straight to `literal` (RFC 5321 2.3.4) */
};

struct route {
	enum route_kind kind;
	const char *domain; /* the caller's string */
	struct ip literal;
};

/* `domain` in A-label form or an address literal. PERM 5.1.2 for a name DNS cannot carry, PERM 5.1.3 for a broken literal. */
MUST_CHECK bool route_decide(const char *domain, struct route *ret, struct error *err);

#endif
