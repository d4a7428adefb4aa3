/* SPDX-License-Identifier: ISC */
/* The inside of the dialog, for its own files: dialog.c (the machine), dialog_hello.c (greeting to TLS, RSET), dialog_login.c (AUTH),
 * dialog_mail.c (MAIL to QUIT). */
#ifndef CORE_DIALOG_STATE_H
#define CORE_DIALOG_STATE_H

#include "core/dialog.h"

/* ms. A server that still holds an idle session answers RSET at once; behind a firewall that forgot the connection nothing ever comes, and
 * a new connection is the better wait. */
#define RSET_PATIENCE 20000

enum phase {
	PHASE_GREETING,
	PHASE_EHLO,
	PHASE_HELO,
	PHASE_STARTTLS,
	PHASE_TLS,
	PHASE_AUTH,
	PHASE_RESPONSE, /* to a challenge of the server */
	PHASE_CANCEL,   /* of a challenge that we do not answer */
	PHASE_RSET,
	PHASE_MAIL,
	PHASE_RCPT,
	PHASE_DATA,
	PHASE_BODY,
	PHASE_COMMIT,
	PHASE_FINAL,
	PHASE_LONE_DOT,
	PHASE_QUIT,
	PHASE_COUNT
};

struct expected { /* a reply that is still to come */
	enum phase phase;
	size_t rcpt;
};

struct dialog {
	struct arena *arena;
	struct dialog_script script;
	enum phase phase;        /* what is said next; dialog_to() sets it */
	struct ehlo ehlo;        /* what the server offers; nothing after HELO */
	struct outcome *outcome; /* of each recipient */
	struct security security;
	struct dialog_tls tls;
	struct dialog_words words;
	struct secure_facts facts; /* once secured */
	enum demand_level level;   /* reached; it means something once secured */
	bool secured, logged_in;
	struct dialog_login *login; /* NULL: AUTH was not said */
	bool resuming; /* a kept session that has not answered RSET yet */
	bool stale, broken; /* dialog_stale(); broken: the session is of no use to anybody */
	uint32_t transactions; /* MAIL commands of the session */

	/* Of the current transaction. */
	size_t next_rcpt, nsaid, naccepted;
	bool *taken; /* recipients that it carries */
	bool full;   /* the server takes no more recipients in it */
	bool mail_refused, committed;

	bool transmits;
	bool in_text;                           /* the session ended in the middle of the message */
	struct expected queue[LIMIT_BURST + 2]; /* RSET, MAIL, RCPT: a burst and one; DATA */
	size_t first, waiting;
};

/* One row a phase: what it is called in reports, how to say it, how to hear the reply. */
struct phase_row {
	const char *name;
	enum dialog_want (*say)(struct dialog *d, struct buf *out);
	void (*hear)(struct dialog *d, const struct reply *r, size_t rcpt);
};

const char *phase_name(enum phase phase);
bool phase_is_secret(enum phase phase); /* AUTH and what follows it */

/* The only function that changes the phase. */
void dialog_to(struct dialog *d, enum phase phase);
void dialog_expect(struct dialog *d, enum phase phase, size_t rcpt);

void dialog_settle(struct dialog *d, size_t rcpt, const struct outcome *o);
/* The same outcome for every recipient that has none. */
void dialog_settle_open(struct dialog *d, const struct outcome *o);
/* For those only that the current transaction carries. */
void dialog_settle_taken(struct dialog *d, const struct outcome *o);
/* Every recipient has its outcome and the session is whole. */
void dialog_finish(struct dialog *d, const struct outcome *o);
/* The same, and the session is good for nothing but QUIT. */
void dialog_end(struct dialog *d, const struct outcome *o);
/* Nothing has happened, whatever was said with RSET: another session will do it. */
void dialog_give_up(struct dialog *d);
/* The next recipient from this one on that has no outcome; else the number of recipients. */
size_t dialog_next_open(const struct dialog *d, size_t rcpt);

struct outcome dialog_replied(struct dialog *d, enum failover_event event, enum phase phase, const struct reply *r);
/* A reply of a class that RFC 5321 4.3.2 gives no meaning to here, such as 250 to DATA: the end. */
void dialog_nonsense(struct dialog *d, enum phase phase, const struct reply *r);

/* dialog_hello.c */
void dialog_resume(struct dialog *d, const struct dialog_session *s);
/* Everything is settled, up to MAIL: is there a message, and can this server carry it? */
void dialog_ready(struct dialog *d);
enum dialog_want say_greeting(struct dialog *d, struct buf *out);
enum dialog_want say_hello(struct dialog *d, struct buf *out);
enum dialog_want say_starttls(struct dialog *d, struct buf *out);
enum dialog_want say_tls(struct dialog *d, struct buf *out);
enum dialog_want say_rset(struct dialog *d, struct buf *out);
void hear_greeting(struct dialog *d, const struct reply *r, size_t rcpt);
void hear_hello(struct dialog *d, const struct reply *r, size_t rcpt);
void hear_starttls(struct dialog *d, const struct reply *r, size_t rcpt);
void hear_rset(struct dialog *d, const struct reply *r, size_t rcpt);

/* dialog_login.c */
void dialog_log_in(struct dialog *d);
/* What reply_format() has of a reply in this phase, without what was said to log in. */
void dialog_quote(const struct dialog *d, enum phase phase, const struct reply *r, char *out, size_t n);
enum dialog_want say_auth(struct dialog *d, struct buf *out);
enum dialog_want say_response(struct dialog *d, struct buf *out);
enum dialog_want say_cancel(struct dialog *d, struct buf *out);
void hear_auth(struct dialog *d, const struct reply *r, size_t rcpt);
void hear_cancel(struct dialog *d, const struct reply *r, size_t rcpt);

/* dialog_mail.c */
/* A transaction for the recipients that have no outcome, if there are any and the session has room for it. `open`: the server may think
 * that the one before is not over. */
void dialog_transact(struct dialog *d, bool open);
bool dialog_has_room(const struct dialog *d); /* MAILMAX (RFC 9422 section 4.1) */
enum dialog_want say_group(struct dialog *d, struct buf *out);
enum dialog_want say_body(struct dialog *d, struct buf *out);
enum dialog_want say_commit(struct dialog *d, struct buf *out);
enum dialog_want say_dot(struct dialog *d, struct buf *out);
enum dialog_want say_quit(struct dialog *d, struct buf *out);
void hear_mail(struct dialog *d, const struct reply *r, size_t rcpt);
void hear_rcpt(struct dialog *d, const struct reply *r, size_t rcpt);
void hear_data(struct dialog *d, const struct reply *r, size_t rcpt);
void hear_final(struct dialog *d, const struct reply *r, size_t rcpt);
void hear_lone_dot(struct dialog *d, const struct reply *r, size_t rcpt);

#endif
