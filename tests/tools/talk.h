/* SPDX-License-Identifier: ISC */
/*
 * What is said in a connection of SMTP or LMTP, as somebody between the two hears it: which reply
 * belongs to which command, and the transactions that come of it. It knows nothing of scripts.
 */
#ifndef TOOLS_TALK_H
#define TOOLS_TALK_H

#include "util.h"

/* Of a transaction. Codes are 0 before a reply came, -1 if it was none. */
struct deal_rcpt {
	char *addr;
	int code, answer; /* of RCPT, of the message */
};

struct deal {
	char *sender, *ident; /* ident: of XFORWARD; "" if it was not said */
	int mail, data;       /* codes */
	struct deal_rcpt *rcpt;
	size_t n;
	struct bytes text; /* as it came, with its final dot */
	bool whole;
	int owner; /* which whole one of `source` had come last when this began; -1: none */
	/* Times of struct talk: */
	int began, asked_for, ended; /* MAIL, 354, the final dot; 0: it did not come so far */
};

enum ask_kind {
	ASK_GREETING,
	ASK_HELLO,
	ASK_TLS,
	ASK_MAIL,
	ASK_RCPT,
	ASK_DATA,
	ASK_END, /* of the text; in LMTP one for each recipient */
	ASK_OTHER
};

struct talk {
	bool lmtp;                 /* a reply for each recipient, and what hosts can read */
	const struct talk *source; /* where the messages come from; NULL: here */
	int *now;                  /* counts what happens, in all talks of a run */
	struct deal *deal;
	size_t n;
	struct talk_ask {
		enum ask_kind kind;
		size_t deal, rcpt;
	} * ask; /* commands in their order; those before `answered` have their reply */
	size_t nask, answered;
	struct bytes command, reply; /* lines that have not ended */
	size_t reply_size;           /* octets of a reply, all its lines */
	size_t since;                /* commands behind the last text */
	bool in_text;
	bool opaque;  /* what is said is TLS's, until talk_secured() */
	bool refused; /* 5xx to something that belongs to no transaction */
	char *ident;
	struct bytes trouble; /* LMTP: what is wrong with the replies */
};

void talk_init(struct talk *t, bool lmtp, const struct talk *source, int *now);
void talk_free(struct talk *t);
void talk_commands(struct talk *t, const char *p, size_t n);
void talk_replies(struct talk *t, const char *p, size_t n);
void talk_hidden(struct talk *t); /* TLS comes first */
void talk_secured(struct talk *t);

/* The last message that came whole; NULL: none. */
const struct deal *talk_last(const struct talk *t);
/* Its text without stuffing and final dot. */
void deal_plain(const struct deal *d, struct bytes *out);
/* Equal but for the spelling of the domain, which may be in A-labels. */
bool address_same(const char *a, const char *b);

#endif
