/* SPDX-License-Identifier: ISC */
/* What became of one recipient at one host, and what is told in the end after several. */
#ifndef CORE_OUTCOME_H
#define CORE_OUTCOME_H

#include "core/failover.h"
#include "wire/reply.h"

/* How telling a reason is; a higher one hides a lower one of another host. */
enum cause { CAUSE_LOCAL, CAUSE_NETWORK, CAUSE_TLS, CAUSE_POLICY, CAUSE_SERVER };

/* How a session was secured. */
struct security {
	const char *level;   /* reached: "none" is plain; "may" and "encrypt": nothing was proven; "verify", "dane" */
	const char *because; /* who demanded it: "dane", "mta-sts enforce", "requiretls", "configured"; "" nobody */
	const char *protocol, *cipher; /* "" for plain */
	bool downgrade;	     /* plain, after TLS had failed there */
};

struct outcome {
	enum failover_event event; /* EVENT_NONE: nothing yet */
	enum cause cause;
	struct esc code;   /* class 2, 4 or 5, as the host's own answer has it */
	const char *relay; /* "mx1.example.net[192.0.2.1]:25"; "none" before any connection. In the arena, like text */
	const char *text;  /* one complete sentence without code; for EVENT_ACCEPTED the reply, "250 2.0.0 Ok" */
	const struct security *security; /* NULL: there was no session */
	bool dsn; /* the server offers DSN and was given what the sender asked for: success reports are its business now */
};

/* Did a server refuse it by its policy (RFC 3463 section 3.8), so that the reason may be this machine: its address, its name, SPF? */
bool outcome_is_about_us(const struct outcome *o);

/* The outcomes of one recipient so far. Zeroed at first. */
struct tally {
	struct outcome last;	/* of an attempt; skipped hosts do not count */
	struct outcome best[2]; /* most telling one of class 4, of class 5 */
	bool hopeful;		/* a host that did not take it now may do so later */
};

/* An attempt ended for this recipient. True: another address or host may settle it. */
bool tally_note(struct tally *t, enum config_failover column, const struct outcome *o);
/* A host was not used at all (DNS trouble, refused addresses). */
void tally_skip(struct tally *t, const struct outcome *o);

bool tally_is_empty(const struct tally *t); /* nothing was noted, and nobody skipped */

/* How it ends if nothing more is tried. `unasked`: hosts were left out for want of time or sessions, or for temporary DNS trouble. With
 * no attempt at all it is FAILED only if every host was skipped for a permanent reason. */
enum failover_end tally_verdict(const struct tally *t, enum config_failover column, bool unasked);

/*
 * What is told when `end` is the end: DELIVERED and UNKNOWN as they happened; FAILED with the most telling permanent reason; DEFERRED
 * with the most telling reason of all, a temporary one before a permanent one of the same rank, its code brought to class 4. Between
 * equals the later one is told.
 */
struct outcome tally_end(const struct tally *t, enum failover_end end);

#endif
