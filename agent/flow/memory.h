/* SPDX-License-Identifier: ISC */
/*
 * What runs remember for each other, typed (wire/records.h) and kept in the store. It is an advisor: every question may be answered "unknown",
 * nothing here fails a delivery, and the first trouble is logged and ends the memory of this run. NULL is a memory that knows nothing.
 *
 * A delivery reads as it goes and notes what happens; memory_finish() writes all notes at once. Only what cannot wait is written on the
 * spot: an accepted message, a probe, a policy. No transaction lives longer than one call here.
 */
#ifndef FLOW_MEMORY_H
#define FLOW_MEMORY_H

#include "core/envelope.h"
#include "core/health.h"
#include "core/outcome.h"
#include "core/plan.h"
#include "flow/attempt.h"

#define MEMORY_FILE ((size_t)64 * 1024 * 1024) /* bytes of its file at most */

/* The memory of state_directory; sv->memory is not looked at. NULL: there is none, or it cannot be had (logged). */
struct memory *memory_open(const struct services *sv);
/* The same for somebody who only looks: no probe is taken and no policy kept; nothing is to be noted. */
struct memory *memory_open_to_look(const struct services *sv);
void memory_close(struct memory *m);
bool memory_lost(const struct memory *m); /* there was trouble: it knows nothing any more, and a new one may do better */

/* ---- messages ---- */

/* From hold to release what is asked (`writing` false) or told about messages, and asked about a domain, is one transaction. No wait in
 * between. A probe of the domain releases it. */
void memory_hold(struct memory *m, bool writing);
void memory_release(struct memory *m);

/* Has an earlier run delivered this to recipient `rcpt` of the envelope? Never without a queue id. *ret as it was told then. */
bool memory_delivered(struct memory *m, struct arena *a, const struct envelope *e, size_t rcpt, const struct facts *facts,
		      struct outcome *ret);
/* Just accepted: written at once, so that not even a SIGKILL makes us forget it. */
void memory_accepted(struct memory *m, const struct envelope *e, size_t rcpt, const struct facts *facts, const struct outcome *o);
/* Was it tried before? */
bool memory_tried(struct memory *m, const struct envelope *e, size_t rcpt);

/* ---- domains ---- */

struct memory_down {
	struct esc code;
	const char *why; /* the reason of the last run, in the arena */
	int64_t next;	 /* seconds since 1970 */
};
/* DOWN fills *ret. A domain whose back-off is over and that nobody else probes becomes this run's probe. */
bool memory_domain_down(struct memory *m, struct arena *a, const char *domain, bool first, struct memory_down *ret);

/* ---- hosts ---- */

/* What is asked and noted of hosts from here on is about connections from the source addresses of this configuration; at first those of
 * memory_open(). */
void memory_speak_from(struct memory *m, const struct config *c);

/* The addresses of *c whose turn is now stay in it; those that come after everything else go to *ret_late, those where TLS is known to be
 * broken (only asked for when c->demand is DEMAND_MAY) to *ret_plain. Both are candidates like *c, with naddr 0 if there is none. */
void memory_sort(struct memory *m, struct candidate *c, struct candidate *ret_late, struct candidate *ret_plain);

/* What is remembered of an address or a domain, texts in the arena. False: nothing. */
bool memory_known_host(struct memory *m, struct arena *a, struct endpoint addr, struct record_host *ret);
bool memory_known_domain(struct memory *m, struct arena *a, const char *domain, struct record_domain *ret);

/* Milliseconds for which nothing could be delivered to the domain; 0: it could, or nothing is known. */
int64_t memory_failing(struct memory *m, struct arena *a, const char *domain);

struct memory_host {
	const char *host;
	struct endpoint addr;
	enum attempt_fate fate;
	uint32_t connect_ms;
	enum { HOST_TLS_UNTRIED, HOST_TLS_GOOD, HOST_TLS_BROKEN } tls;
	struct ehlo ehlo; /* zeros: none seen */
	const char *why;  /* SILENT */
};
void memory_note_host(struct memory *m, const struct memory_host *h);

/* ---- the end of a delivery ---- */

/* One host that did not take it, for the attempt records of this delivery. */
void memory_note_answer(struct memory *m, const char *relay, const struct outcome *o);
/* How a recipient was left after a try; what was answered without one (domain down, no slot) is not noted. */
void memory_note_end(struct memory *m, const struct envelope *e, size_t rcpt, const struct outcome *o, enum failover_end end);
/* Of the recipients' runs the best one counts. */
void memory_note_domain(struct memory *m, const char *domain, enum health_run run, const struct outcome *o);

/* Was the host MTA there to hear the answers? If it was not, what was accepted is on the disk before memory_finish() returns, and is
 * remembered for MEMORY_KEEP instead of MEMORY_REPORTED seconds. LATER: it is not known yet, another call will tell. */
enum memory_heard { HEARD_YES, HEARD_NO, HEARD_LATER };

/* Writes the notes. */
void memory_finish(struct memory *m, enum memory_heard heard);
/* As memory_finish() with HEARD_YES. What then says only that something is over may be written a moment later: with the next thing that is
 * accepted, by memory_idle() or by memory_close(). A run that is killed before remembers an accepted message for longer than it must. */
void memory_finish_soon(struct memory *m);
/* Writes what was put off if its time has come; milliseconds until then, or -1: there is nothing. NULL is fine. */
int64_t memory_idle(struct memory *m);
bool memory_awaits_report(const struct memory *m); /* something was accepted since the last memory_finish() */
#define MEMORY_KEEP	(7 * 86400)
#define MEMORY_REPORTED 600 /* a host that dies may have heard the answer and not have written it down */

/* ---- MTA-STS policies ---- */

/* Spans in the arena. False: nothing known. */
bool memory_policy(struct memory *m, struct arena *a, const char *domain, struct record_policy *ret);
void memory_keep_policy(struct memory *m, const struct record_policy *r);

/* ---- this machine as a sender ---- */

/* What still counts of *who (source, domain, helo), texts in the arena. False: nothing known. */
bool memory_sender(struct memory *m, struct arena *a, const struct record_sender *who, struct record_sender *ret);
void memory_keep_sender(struct memory *m, const struct record_sender *r); /* asked now; nothing for a ttl of 0 */

/* ---- slots ---- */

/* One of max_per_destination slots of the domain; waits up to MEMORY_SLOT_WAIT ms (and `until`). *ret_slot is for memory_leave(), also when
 * none is needed or there is no memory. TEMP 4.3.2: they are all taken, or the run is to stop. */
#define MEMORY_SLOT_WAIT 5000
MUST_CHECK bool memory_slot(const struct services *sv, const char *domain, struct deadline until, int *ret_slot, struct error *err);
void memory_leave(int slot);

#endif
