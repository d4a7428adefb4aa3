/* SPDX-License-Identifier: ISC */
/*
 * After an attempt: the next one, or stop? And what is the answer if this was the end? One table over (event, column); nothing else
 * in the program knows RFC 5321 5.1 "try the next host". The columns are the values of `failover` in the configuration.
 */
#ifndef CORE_FAILOVER_H
#define CORE_FAILOVER_H

#include "core/config.h"

enum failover_event {
	EVENT_NONE,	       /* nothing happened yet */
	EVENT_ACCEPTED,	       /* 2xx to the final dot */
	EVENT_NO_RESPONSE,     /* cannot connect, no greeting in time, closed without a word */
	EVENT_GREETING_4XX,
	EVENT_GREETING_5XX,
	EVENT_GREETING_NEVER,  /* 521 or 556: this host takes no mail (RFC 7504) */
	EVENT_HELLO_REFUSED,   /* EHLO and HELO; the server greets with our own name */
	EVENT_TLS_UNMET,       /* a demand on TLS is not met */
	EVENT_TLS_BROKEN,      /* STARTTLS or the handshake failed, but nothing is demanded */
	EVENT_LOGIN_REFUSED,   /* AUTH: not offered, refused, or the server did not prove itself */
	EVENT_SPF_FAILS,       /* our own address there may not send for the sender's domain, and such mail is held */
	EVENT_LOST,	       /* lost, timed out, or not SMTP, before the final dot */
	EVENT_TOO_MANY,	       /* this session takes no further mail; a new one to the same host does */
	EVENT_REPLY_4XX,       /* to MAIL, RCPT, DATA, the final dot */
	EVENT_REPLY_5XX,
	EVENT_REFUSED_IPV6,    /* 5.7.x over IPv6, where IPv4 may do */
	EVENT_CANNOT_CARRY,    /* SIZE, SMTPUTF8 */
	EVENT_FINAL_UNKNOWN,   /* the reply to the final dot did not come */
	EVENT_SKIPPED,	       /* not connected: no usable address, or DNS trouble */
	EVENT_LOCAL,	       /* ours: stopped, out of time, the spool cannot be read */
};
#define EVENT_COUNT (EVENT_LOCAL + 1)

enum failover_end { END_DEFERRED, END_FAILED, END_UNKNOWN, END_DELIVERED };

struct failover_move {
	bool next;	       /* another address or host is tried, if there is one */
	enum failover_end end; /* the answer, if there is none or `next` is false */
};

/* What is known of the other addresses and hosts. */
struct failover_rest {
	bool unasked; /* some were not asked: limits, time, DNS trouble of theirs */
	bool hopeful; /* one of those asked may take the mail later: its own answer was DEFERRED */
};

/* A refusal that speaks for one host (greeting, "cannot carry") is the last word only if no other host is left to hope for; one that
 * speaks for the mail only if no host was left unasked. */
struct failover_move failover_decide(enum config_failover column, enum failover_event event, struct failover_rest rest);

const char *failover_event_name(enum failover_event event); /* for the log: "no response", "greeting 4xx", ... */

#endif
