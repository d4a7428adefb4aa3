/* SPDX-License-Identifier: ISC */
/*
 * Sections "route PATTERN { ... }": other ways than the MX of the recipient's domain. All routes that match act together like several MX: by
 * `priority`, the lower first, equal ones in random order. Where none matches, the domain's own MX are the way.
 */
#ifndef CORE_ROUTE_H
#define CORE_ROUTE_H

#include "base/rng.h"
#include "core/config.h"
#include "core/nexthop.h"

#define ROUTE_WAYS 64 /* ways of one message at most; more are left out, those of the worst priority */

struct route_host {
	struct nexthop to; /* NEXTHOP_MX for "mx:NAME" */
	uint16_t port;	   /* 0: smtp_port */
};

/* The key table (route_keys()) fills the first part, route_complete() the second. Texts live as long as the arena. */
struct route {
	const char *const *hosts; /* NAME, ADDRESS, mx:NAME; each with or without :PORT; IPv6 with port in brackets */
	size_t nhosts;
	const char *const *sender; /* "user@example.org", "@example.org", "<>"; '*' stands for any text; none: any sender */
	size_t nsender;
	uint64_t size_over, size_under; /* bytes of the message as it goes out, over and under these; 0: any */
	int64_t failing_for;		/* ms; 0: any */
	uint64_t priority;
	bool direct, last;
	const char *user, *password_file; /* "": no login */

	const char *pattern, *origin; /* as written; "file:line" */
	const struct route_host *host; /* nhosts of them */
};

/* The table of the keys that only a route has, in the form of config_keys(): `field` is an offset in struct route. */
const struct config_key *route_keys(size_t *ret_n);
void route_init(struct route *r, const char *pattern, const char *origin); /* the defaults */
/* One key, as config_set(). CONFIG 4.3.5. */
MUST_CHECK bool route_set(struct arena *a, struct route *r, const char *key, const char *const *value, size_t n, struct error *err);

/*
 * Once all keys are set. CONFIG 4.3.5 for a pattern that is neither a domain (A-labels), nor "*.DOMAIN", nor "*"; a host or a sender that
 * cannot be read; neither hosts nor direct; size_over not below size_under; user without password_file or the other way round; a login
 * for direct, for mx:NAME or for an address, whose names prove nothing.
 */
MUST_CHECK bool route_complete(struct arena *a, struct route *r, struct error *err);

/*
 * What the route and the settings in force for it make of each other. CONFIG 4.3.5 for a login with a `tls` that the route itself sets below
 * verify (`tls_set`), and for a host that has our own name (helo_name; "" is none). With a login the floor becomes verify.
 */
MUST_CHECK bool route_agree(const struct route *r, bool tls_set, struct config *c, struct error *err);

struct route_mail {
	const char *domain; /* of the recipients; A-labels, or an address literal */
	const char *sender; /* A-labels or as given; "" and "<>": the null sender */
	bool sized;	    /* the size is known: */
	uint64_t size;	    /* bytes as they go out */
	bool remembers;	    /* there is a memory that knows: */
	int64_t failing;    /* ms that the domain has been failing; 0: it is not */
};

enum route_verdict {
	ROUTE_MATCHES,
	ROUTE_OTHER_DOMAIN,
	ROUTE_OTHER_SENDER,
	ROUTE_TOO_SMALL,      /* not over size_over */
	ROUTE_TOO_LARGE,      /* not under size_under */
	ROUTE_NO_SIZE,	      /* the size is not known */
	ROUTE_NOT_FAILING,    /* not for that long */
	ROUTE_NO_MEMORY,      /* failing_for needs one */
	ROUTE_AFTER_LAST,     /* the search ended before */
};
/* By itself: AFTER_LAST is what route_judge() adds. Domains and senders without regard to case. "*.example.net" is each name below
 * example.net, but not that one. */
enum route_verdict route_match(const struct route *r, const struct route_mail *m);
/* All of them, in the order of the file: the first with `last` that matches ends the search. `ret` has room for n. */
void route_judge(const struct route *r, size_t n, const struct route_mail *m, enum route_verdict *ret);
const char *route_verdict_name(enum route_verdict v); /* "matches", "another domain", "not over size_over", ... for a person */

struct route_way {
	const struct route *route;     /* NULL: no route matched */
	const struct route_host *host; /* NULL: the domain's own MX */
};
/* In the order in which they are to be tried; at least one. What several routes name, for the same user, is one way, that of the best of
 * them. `ret` has room for ROUTE_WAYS; returns how many there are. */
size_t route_ways(const struct route *r, size_t n, const enum route_verdict *verdict, struct rng *rng, struct route_way *ret);

#endif
