/* SPDX-License-Identifier: ISC */
/* Where mail is to go, before any DNS. */
#ifndef CORE_NEXTHOP_H
#define CORE_NEXTHOP_H

#include "base/err.h"
#include "base/ip.h"

enum nexthop_kind {
	NEXTHOP_MX,      /* ask DNS for the MX hosts of `name` */
	NEXTHOP_LITERAL, /* straight to `literal` (RFC 5321 2.3.4) */
	NEXTHOP_HOST,	 /* to the addresses of `name`, whatever its MX: the configuration names it */
};

struct nexthop {
	enum nexthop_kind kind;
	const char *name; /* of a literal its text, "[192.0.2.1]" */
	struct ip literal;
};

/* Of a recipient's domain, in A-label form, or an address literal; `name` is the caller's string. PERM 5.1.2 for a name DNS cannot carry,
 * PERM 5.1.3 for a broken literal. */
MUST_CHECK bool nexthop_of_domain(const char *domain, struct nexthop *ret, struct error *err);

#endif
