/* SPDX-License-Identifier: ISC */
/*
 * The SMTP client, without I/O (RFC 5321, 2920, 1870, 3207, 4954, 6152, 6531, 8314, 8689).
 *
 *   [TLS ->] greeting -> EHLO -> [STARTTLS -> TLS -> EHLO] -> [AUTH..] -> MAIL -> RCPT.. -> DATA -> body -> commit -> final dot -> QUIT
 *                 \-> HELO ------------------------/    \______ every recipient refused ______/ -> QUIT
 *
 * A session may carry more than one transaction: recipients over the server's RCPTMAX (RFC 9422), or refused with 452 after others were
 * accepted (RFC 5321 4.5.3.1.10), go in further ones, each with its own body and commit, up to MAILMAX. What a transaction brought stays as
 * it is when a later one fails. A session that is kept open begins again with RSET, which is said in one go with MAIL and what
 * follows it where the server offers PIPELINING.
 *
 * The driver asks what to do (dialog_next()), does it, and tells what happened: one tell for each ask. With PIPELINING several
 * commands are said at once and their replies heard one by one, in order. The driver knows no verb and no reply code.
 */
#ifndef CORE_DIALOG_H
#define CORE_DIALOG_H

#include "base/arena.h"
#include "core/demand.h"
#include "core/envelope.h"
#include "core/outcome.h"
#include "core/sasl.h"
#include "core/tlsrpt.h"

enum dialog_want {
	DIALOG_SAY,    /* send the bytes of `out`; nothing may be unread before (dialog_early()); tell dialog_done() */
	DIALOG_HEAR,   /* read one reply; tell dialog_heard() */
	DIALOG_TLS,    /* nothing may be unread before; handshake and proof as the demand says; tell dialog_secured() or dialog_insecure() */
	DIALOG_BODY,   /* send the message, dot-stuffed, without the final dot; tell dialog_done() */
	DIALOG_COMMIT, /* point of no return: is the caller there, is nothing unread, is there time? tell dialog_done() or dialog_lost() */
	DIALOG_OVER,   /* outcomes are complete; `out` may hold a QUIT to be sent without waiting; close */
};

struct dialog_script {
	const char *helo;  /* our name, or an address literal */
	const char *relay; /* "mx1.example.net[192.0.2.1]:25" */
	const struct envelope *envelope;
	const bool *skip; /* recipients already settled, never all; NULL: none */
	const struct facts *facts;
	const struct config *config;
	struct demand demand;
	bool plain; /* TLS was tried here and everywhere: do without, if it is not demanded */
	bool tls_first; /* the handshake comes before the greeting (RFC 8314 section 3.3); the demand is at least DEMAND_ENCRYPT then */
	const char *route; /* that named this host, for reports (struct login); NULL: it is an MX of the domain */
	const struct login *login; /* AUTH (RFC 4954) comes before MAIL, over TLS with a proof only; NULL: none */
	const struct secure_crypto *crypto; /* with a login */
	bool probe; /* QUIT in place of MAIL, but after AUTH: an outcome is filled only if something goes wrong before; `facts` is not looked at */
	bool keep;  /* end without QUIT if the session can be used again: dialog_kept() */
	const struct dialog_session *resumed; /* begin in a session that was kept, with RSET; NULL: with the greeting */
};

/* What is known of an open session in which nothing is under way. A value: it lives as long as its keeper likes, and is read by
 * dialog_new() only. */
struct dialog_session {
	struct ehlo ehlo;
	struct secure_facts facts; /* when secured */
	bool secured, downgrade;
	bool logged_in;		   /* with a login; whose, its keeper knows */
	enum demand_level level;   /* when secured: what was demanded and reached */
	uint32_t transactions;	   /* MAIL commands said */
};

/* What the session came to know for TLS reporting (RFC 8460). */
struct dialog_tls {
	bool secured;
	enum tlsrpt_failure failure; /* also of a session that went on without TLS */
	const char *helo;	     /* the server's own name; NULL: it has not said it */
};

struct dialog;

struct dialog *dialog_new(struct arena *a, const struct dialog_script *s); /* NULL: no memory */

/* `out` is reset here and needs room for DIALOG_OUT bytes. */
#define DIALOG_OUT (LIMIT_BURST_BYTES + LIMIT_COMMAND + 64)
enum dialog_want dialog_next(struct dialog *d, struct buf *out);

void dialog_heard(struct dialog *d, const struct reply *r);
void dialog_done(struct dialog *d);
/* Lost, timed out, stopped, not SMTP, commit refused: the session ends. `local`: the trouble is ours, not the server's. */
void dialog_lost(struct dialog *d, const struct error *why, bool local);
void dialog_secured(struct dialog *d, const struct secure_facts *facts);
void dialog_insecure(struct dialog *d, const struct secure_facts *facts, const struct error *why);
/* Bytes came before the command they could answer: a protocol error, never a delivery. `said`: their begin, or empty. A 421 is taken as
 * one (RFC 5321 3.8). */
void dialog_early(struct dialog *d, struct span said);

/* How long the current wait may last, in milliseconds (RFC 5321 4.5.3.2), and what it waits for: "RCPT TO", "end of data". */
int64_t dialog_patience(const struct dialog *d);
const char *dialog_phase(const struct dialog *d);
/* The bytes that are said now, and the reply that is waited for, are part of a login: not for any log. */
bool dialog_secret(const struct dialog *d);
/* The reply that is waited for, as it may stand in a log: without what it repeats of a login. */
void dialog_told(const struct dialog *d, const struct reply *r, char *out, size_t n);
/* The final dot has been said: from here on only its reply or its patience ends the wait. A further transaction takes it back: ask
 * anew after each step. */
bool dialog_committed(const struct dialog *d);
/* MAIL was said, be it in one go with RSET: for the log's delays, connection set-up ends here. */
bool dialog_transmits(const struct dialog *d);

/* What the server said in a session that is a probe; NULL: it did not come so far, or no memory. */
struct dialog_words {
	const char *greeting; /* as reply_format() has it */
	const char *hello;    /* of the last EHLO or HELO: its lines without code, separated by '\n' */
};
struct dialog_words dialog_words(const struct dialog *d);

const struct dialog_tls *dialog_tls(const struct dialog *d);
const struct ehlo *dialog_ehlo(const struct dialog *d); /* of the last EHLO reply; zeros before it */

/* Once OVER, with script.keep: true when the session is whole, nothing was refused that closes it, and MAILMAX leaves room. No QUIT was said
 * then. */
bool dialog_kept(const struct dialog *d, struct dialog_session *ret);
/* Once OVER, with script.resumed: the session had died before it answered RSET, or is not as safe as the script demands, so nothing has
 * come of it, even if MAIL and more were said with RSET; no outcome is filled. Trouble of ours is told as it is, in outcomes. */
bool dialog_stale(const struct dialog *d);

/* Valid once OVER: one for each recipient of the envelope; EVENT_NONE for a skipped one. */
const struct outcome *dialog_outcomes(const struct dialog *d);

#endif
