/* SPDX-License-Identifier: ISC */
/* The inside of a delivery, for its own files: delivery.c (the story), delivery_notes.c (what it comes to know of each recipient). */
#ifndef FLOW_DELIVERY_STATE_H
#define FLOW_DELIVERY_STATE_H

#include "flow/delivery.h"
#include "flow/ways.h"

#define LATE_MOST 64

/* One way of the message, and what belongs to it. */
struct turn {
	const struct way *way;
	struct lookup *lookup; /* NULL: it has not come to it */
	struct deadline until;
	int slot;
};

/* Hosts that were silent lately. */
struct late {
	struct candidate candidate;
	struct turn *turn;
};

/* An address where STARTTLS or the handshake failed although nothing was demanded: tried in plain
 * when nothing else is left. */
struct broken_tls {
	const char *host;
	struct endpoint addr;
	struct turn *turn;
};

struct delivery {
	struct arena *arena;
	const struct services *sv; /* those of the turn */
	const struct delivery_request *rq;
	struct delivery_result *result;
	struct log_delays *delays;
	struct ways ways;
	struct turn *turns, *turn; /* one for each way; the one whose turn it is */
	struct tally *tally;       /* of each recipient */
	struct tally *own;	   /* of each, of the hosts of the domain itself: the same, unless there are routes */
	bool *settled, *by_domain; /* by_domain: settled by a host of the domain itself */
	size_t open; /* recipients not settled */
	size_t sessions;
	bool unasked; /* hosts were left out that might have taken it */
	bool tried;           /* a way */
	bool ended;           /* DNS had the last word: no further way is taken */
	bool reached, silent; /* a host of the domain answered, one did not or DNS did not */
	bool asked_down, down; /* the memory knows that nobody answers there: */
	struct outcome down_outcome;
	bool *earlier;        /* recipients that an earlier run delivered to */
	bool ipv4_only;       /* IPv6 was refused for reasons of policy: */
	struct endpoint refused_ipv6;
	const char *refused_host, *refused_why;
	struct late *late;
	size_t nlate;
	struct broken_tls broken[LIMIT_BROKEN_TLS];
	size_t nbroken;
};

size_t delivery_recipients(const struct delivery *d); /* settled ones, too */
/* Is it the turn of the domain's own hosts, not of a route's? */
bool delivery_is_direct(const struct delivery *d);

/* The same answer for everybody, without a try. */
void delivery_refuse(struct delivery *d, const struct error *err);
void delivery_put_off(struct delivery *d, const struct outcome *o);
/* Recipients that an earlier run delivered to, though its host never heard of it. */
void delivery_settle_delivered(struct delivery *d);
/* Nobody answered at the domain's own hosts a moment ago: it need not be found out anew for each message. d->down_outcome says it. */
bool delivery_is_down(struct delivery *d);

/* Something was not tried for everybody. */
void delivery_skip(struct delivery *d, const struct outcome *o);
/* It could not be tried for a reason of ours, such as too many deliveries at a time. */
void delivery_skip_local(struct delivery *d, const struct error *err);
/* A host that is not used. A permanent reason leaves no hope in it; a temporary one does. */
void delivery_skip_host(struct delivery *d, const char *host, const struct error *err);
/* The whole way is of no use. What DNS says of the recipients' domain is told as it is and ends the list,
 * but the mail waits if a way before that one may still take it. Our own trouble never bounces. */
void delivery_skip_way(struct delivery *d, const struct error *err);

/* What an attempt brought for each recipient; those that no other host may settle are settled. */
void delivery_note_attempt(struct delivery *d, const char *host, const struct attempt_result *at);
/* One result for each session in which TLS was to be had or was missed. */
void delivery_report_session(struct delivery *d, const char *host, const struct attempt_result *at);

/* Nobody took it: say why. */
void delivery_settle_rest(struct delivery *d);
/* For the memory: how each recipient was left, and what the domain's own hosts have to do with it. */
void delivery_note_ends(struct delivery *d);

#endif
