/* SPDX-License-Identifier: ISC */
/*
 * One message to recipients of several domains: one delivery for each domain, several at a time, each in a thread of its own with all that a
 * delivery needs (struct services), so that threads share nothing but the message. With one domain there is no thread. What belongs to a thread
 * stays from message to message, with its open sessions; a domain goes to where it was the last time.
 */
#ifndef FRONT_GROUPS_H
#define FRONT_GROUPS_H

#include "flow/delivery.h"
#include "flow/settings.h"

#define GROUPS_AT_ONCE 8

struct groups;

struct groups_options { /* all of them outlive the groups */
	const struct settings *settings;
	const struct config *config; /* the global part */
	const char *own_name, *sts_program, *spf_program, *tls_module, *trace_file;
	bool verbose;
	struct caller caller;
	struct clock clock;
	int stop_fd;
	const uint8_t *seed; /* 16 random bytes */
};

struct groups *groups_open(const struct groups_options *o); /* NULL: no memory */
void groups_close(struct groups *g);			     /* NULL is fine */

struct group_recipient {
	struct recipient rcpt;
	const char *domain; /* A-labels or an address literal */
};

struct group_mail {
	struct envelope envelope; /* rcpt, nrcpt and domain are filled for each group */
	const struct group_recipient *to;
	size_t nto; /* 1..LIMIT_RCPTS */
	struct message *message;
	int64_t intake_ms;
};

/* Fills result[i] for to[i], all of them, and logs each; their texts live until groups_told(). `a` is the caller's for the time of the call. */
void groups_deliver(struct groups *g, struct arena *a, const struct group_mail *mail, struct delivery_result *result);

/* The host has the answers, or has gone. */
void groups_told(struct groups *g, bool heard);

/* Ends sessions that nobody used again and writes notes that were put off; milliseconds until there is more of it to do, or -1. NULL is fine. */
int64_t groups_idle(struct groups *g);

#endif
