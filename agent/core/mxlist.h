/* SPDX-License-Identifier: ISC */
/* An MX answer to hosts in order (RFC 5321 5.1, RFC 7505). */
#ifndef CORE_MXLIST_H
#define CORE_MXLIST_H

#include "base/rng.h"
#include "wire/dnsmsg.h"

struct mx {
	const char *host;
	uint16_t pref;
};

struct mxlist {
	struct mx mx[LIMIT_MX]; /* lowest preference first, equal ones shuffled */
	size_t n;		/* >= 1 */
	bool implicit;		/* no MX: the domain's own addresses (RFC 5321 5.1) */
	bool authentic;
};

struct mxlist_rules {
	size_t max;	  /* hosts to keep, <= LIMIT_MX */
	const char *self; /* our HELO name; an MX of this name is us; "": unknown */
};

/*
 * NODATA: the domain itself (implicit). A sole null MX: PERM 5.1.10 (RFC 7505 section 3); a null MX among others is passed over.
 * NXDOMAIN: PERM 5.1.2. A failed lookup: TEMP 4.4.3. MX names that are addresses or that DNS cannot carry are not used; if none is
 * left: TEMP 4.4.4. Hosts at and behind our own preference are cut (RFC 5321 5.1); if none is left: PERM 5.4.6 (loop).
 */
MUST_CHECK bool mxlist_build(const struct dns_answer *answer, const struct mxlist_rules *rules, struct rng *rng,
			     struct mxlist *ret, struct error *err);

enum mx_verdict {
	MX_LISTED,
	MX_NULL,       /* the root, among others */
	MX_NOT_A_HOST, /* an address, or a name that DNS cannot carry */
	MX_TWICE,      /* named again with a better preference */
	MX_OURS,       /* our own name */
	MX_BEHIND_US,  /* at or behind the preference of our own name */
	MX_SURPLUS,    /* over max */
};

/* For those who ask why: what mxlist_build(), asked with the same rules, made of one record. `list` is what it gave; NULL: it failed. */
enum mx_verdict mxlist_explain(const struct dns_answer *answer, const struct mxlist_rules *rules, const struct mxlist *list,
			       size_t record);

#endif
