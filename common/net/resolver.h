/* SPDX-License-Identifier: ISC */
/* c-ares behind "ask many, wait once". Answers are values in the caller's arena. */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include "base/rng.h"
#include "net/io.h"
#include "wire/dnsmsg.h"

struct resolver;

struct resolver_options {
	const struct endpoint *servers; /* n 0: those of resolv.conf */
	size_t nservers;
	int64_t timeout_ms; /* for one lookup with all its repetitions and servers */
	bool trust_ad;	    /* believe the AD bit although a server is not a loopback address */
};

/* Fails CONFIG 4.3.5 for servers c-ares does not take, INTERNAL without memory. */
MUST_CHECK bool resolver_open(const struct resolver_options *o, struct io *io, struct rng *rng, struct resolver **ret,
			      struct error *err);
void resolver_close(struct resolver *r); /* NULL is fine; answers stay, pending ones never settle */

/*
 * Start a lookup of an A-label name. The answer is DNS_PENDING until it is settled and never fails otherwise than as an answer; a
 * name DNS cannot carry is DNS_NXDOMAIN at once. The same question in one arena is asked once. NULL: no memory, or more than
 * LIMIT_DNS_INFLIGHT under way.
 */
const struct dns_answer *resolver_ask(struct resolver *r, struct arena *a, const char *name, enum dns_type type);

/* Until these n answers are settled; what is pending at the deadline, at its own timeout, or when io says stop becomes DNS_TEMP.
 * Others under way make progress too. */
void resolver_wait(struct resolver *r, const struct dns_answer *const *answers, size_t n, struct deadline until);

/* Before an arena with answers dies or is reset, settled or not: forget them all. The next question is asked anew. */
void resolver_forget(struct resolver *r);
/* Grows with everything that is put into an arena. */
size_t resolver_stored(const struct resolver *r);

#endif
