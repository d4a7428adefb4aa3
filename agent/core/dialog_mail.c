/* SPDX-License-Identifier: ISC */
/* Transactions (RFC 5321 3.3), in groups of commands where the server allows (RFC 2920 3.1), to
 * QUIT. */
#include <inttypes.h>

#include "core/dialog_state.h"
#include "wire/command.h"

bool dialog_has_room(const struct dialog *d)
{
	return d->ehlo.mail_max == 0 || d->transactions < d->ehlo.mail_max;
}

static struct outcome outcome_of_mail_max(struct dialog *d)
{
	return (struct outcome){
		.event = EVENT_TOO_MANY,
		.cause = CAUSE_LOCAL,
		.code = ESC(4, 5, 3),
		.text = arena_fmt(d->arena,
				  "%s takes at most %" PRIu32 " transactions in a session",
				  d->script.relay, d->ehlo.mail_max),
	};
}

/* Every transaction settles a recipient at least: those that it carries, or the first one. */
void dialog_transact(struct dialog *d, bool open)
{
	d->next_rcpt = dialog_next_open(d, 0);
	if (d->next_rcpt == d->script.envelope->nrcpt) {
		dialog_to(d, PHASE_QUIT);
	} else if (!dialog_has_room(d)) {
		struct outcome o = outcome_of_mail_max(d);
		dialog_finish(d, &o);
	} else {
		d->nsaid = d->naccepted = 0;
		d->full = d->committed = false;
		dialog_to(d, open ? PHASE_RSET : PHASE_MAIL);
	}
}

static bool add_mail(struct dialog *d, struct buf *out, struct error *err)
{
	const struct envelope *e = d->script.envelope;
	const struct facts *facts = d->script.facts;
	bool utf8 = envelope_needs(e, facts) & EHLO_SMTPUTF8;
	bool dsn = d->ehlo.caps & EHLO_DSN;
	struct mail_params p = {
		.say_size = d->ehlo.caps & EHLO_SIZE,
		.size = facts->size,
		/* RFC 6531 3.1 item 8 asks for BODY=8BITMIME with UTF-8 header fields, which are
		   8-bit text too. */
		.body_8bit = facts->has_8bit && (d->ehlo.caps & EHLO_8BITMIME),
		.smtputf8 = utf8,
		.requiretls = d->script.demand.requiretls,
		.ret = dsn ? e->ret : NULL,
		.envid = dsn ? e->envid : NULL,
	};
	if (!command_mail(out, &e->sender, &p, err))
		return false;
	d->transactions++;
	dialog_expect(d, PHASE_MAIL, 0);
	return true;
}

/* A command that cannot be written: an address this server, and any other, could not be given. */
static struct outcome outcome_of_error(struct dialog *d, const struct error *err)
{
	return (struct outcome){
		.event = err->class == ERR_PERM ? EVENT_REPLY_5XX : EVENT_LOCAL,
		.cause = CAUSE_LOCAL,
		.code = err->code,
		.text = arena_str(d->arena, span_of(err->text)),
	};
}

static void add_next_rcpt(struct dialog *d, struct buf *out)
{
	const struct recipient *rcpt = &d->script.envelope->rcpt[d->next_rcpt];
	bool dsn = d->ehlo.caps & EHLO_DSN;
	const struct rcpt_params p = {
		.notify = dsn ? rcpt->notify : NULL,
		.orcpt = dsn ? rcpt->orcpt : NULL,
	};
	struct error err;
	if (command_rcpt(out, &rcpt->addr, &p, &err)) {
		dialog_expect(d, PHASE_RCPT, d->next_rcpt);
		d->nsaid++;
	} else {
		struct outcome o = outcome_of_error(d, &err);
		dialog_settle(d, d->next_rcpt, &o);
	}
	d->next_rcpt = dialog_next_open(d, d->next_rcpt + 1);
}

/* RFC 9422 section 4.2 counts refused ones too. */
static bool all_rcpts_said(const struct dialog *d)
{
	return d->full || d->next_rcpt >= d->script.envelope->nrcpt ||
	       (d->ehlo.rcpt_max > 0 && d->nsaid >= d->ehlo.rcpt_max);
}

/* As many commands as may be under way: one without PIPELINING, else up to DATA, which ends a
 * group. */
static bool add_group(struct dialog *d, struct buf *out, struct error *err)
{
	bool pipelining = d->ehlo.caps & EHLO_PIPELINING;
	if (d->phase == PHASE_MAIL) {
		if (!add_mail(d, out, err))
			return false;
		dialog_to(d, PHASE_RCPT);
		if (!pipelining)
			return true;
	}
	while (d->phase == PHASE_RCPT && d->waiting <= LIMIT_BURST &&
	       buf_view(out).n < LIMIT_BURST_BYTES) {
		if (!d->full)
			add_next_rcpt(d, out);
		if (all_rcpts_said(d))
			dialog_to(d, PHASE_DATA);
		if (!pipelining && d->waiting > 0)
			return true;
	}
	if (d->phase == PHASE_DATA && (d->waiting > 0 || d->naccepted > 0)) {
		command_plain(out, "DATA");
		dialog_expect(d, PHASE_DATA, 0);
	}
	return true;
}

enum dialog_want say_group(struct dialog *d, struct buf *out)
{
	struct error err;
	d->transmits = true;
	if (d->mail_refused || (d->phase == PHASE_DATA && d->naccepted == 0)) {
		dialog_transact(d, true);
		return dialog_next(d, out);
	}
	if (!add_group(d, out, &err)) {
		struct outcome o = outcome_of_error(d, &err);
		dialog_finish(d, &o);
	}
	/* Nothing is said if the last recipient's address could not be. */
	return d->waiting > 0 ? DIALOG_SAY : dialog_next(d, out);
}

/* 530 (RFC 4954 section 6, RFC 3207 section 4): a login or TLS is missing. A route's host that we
 * chose says so of our configuration, and not of the mail. */
static struct outcome refused(struct dialog *d, enum phase phase, const struct reply *r)
{
	bool temporary = reply_class(r) == 4;
	bool ours = r->code == 530 && d->script.route;
	struct outcome o =
		dialog_replied(d, temporary ? EVENT_REPLY_4XX : EVENT_REPLY_5XX, phase, r);
	if (ours) {
		o.event = EVENT_LOGIN_REFUSED;
		o.code = ESC(4, 7, 0);
		o.text = arena_fmt(d->arena, "%s: %s", d->script.route, o.text ? o.text : "");
	}
	return o;
}

void hear_mail(struct dialog *d, const struct reply *r, size_t rcpt)
{
	(void)rcpt;
	int class = reply_class(r);
	if (class == 2)
		return;
	if (class == 3) {
		dialog_nonsense(d, PHASE_MAIL, r);
		return;
	}
	/* Servers that have enough of a session, and not of the mail, say 421 here. */
	bool enough = r->code == 421 && d->transactions > 1;
	struct outcome o = refused(d, PHASE_MAIL, r);
	if (enough)
		o.event = EVENT_TOO_MANY;
	dialog_settle_open(d, &o);
	d->mail_refused = true;
}

/* "Too many recipients" in so many words (RFC 3463 section 3.6). RFC 5321 4.5.3.1.10: 552 for it is
 * an old mistake for 452. */
static bool says_too_many(const struct reply *r)
{
	bool retry = reply_class(r) == 4 || r->code == 552;
	return retry && r->esc.subject == 5 && r->esc.detail == 3;
}

/* It may be one too many where others were taken; the first one cannot be. */
static bool may_be_too_many(const struct dialog *d, const struct reply *r)
{
	return d->naccepted > 0 && (r->code == 452 || r->code == 552 || says_too_many(r));
}

void hear_rcpt(struct dialog *d, const struct reply *r, size_t rcpt)
{
	if (d->mail_refused)
		return; /* a consequence of the refused MAIL */
	int class = reply_class(r);
	if (class == 3) {
		dialog_nonsense(d, PHASE_RCPT, r);
	} else if (class == 2) {
		d->naccepted++;
		d->taken[rcpt] = true;
	} else if (may_be_too_many(d, r)) {
		/* It stays open: in the next transaction the server has to tell what it means. */
		d->full = d->full || says_too_many(r);
	} else {
		struct outcome o = refused(d, PHASE_RCPT, r);
		if (says_too_many(r)) {
			o.event = EVENT_REPLY_4XX;
			o.code = ESC(4, 5, 3);
		}
		dialog_settle(d, rcpt, &o);
	}
}

void hear_data(struct dialog *d, const struct reply *r, size_t rcpt)
{
	(void)rcpt;
	int class = reply_class(r);
	if (class == 3) {
		/* RFC 2920 3.1: with every recipient refused the server still waits for text. It
		 * gets none. */
		dialog_to(d, d->naccepted > 0 ? PHASE_BODY : PHASE_LONE_DOT);
	} else if (class == 2) {
		dialog_nonsense(d, PHASE_DATA, r);
	} else {
		struct outcome o = refused(d, PHASE_DATA, r);
		dialog_settle_taken(d, &o);
		if (r->code != 421)
			dialog_transact(d, true);
	}
}

/* ---- the message, the point of no return, the end ---- */

enum dialog_want say_body(struct dialog *d, struct buf *out)
{
	(void)d;
	(void)out;
	return DIALOG_BODY;
}

enum dialog_want say_commit(struct dialog *d, struct buf *out)
{
	(void)d;
	(void)out;
	return DIALOG_COMMIT;
}

enum dialog_want say_dot(struct dialog *d, struct buf *out)
{
	command_plain(out, "."); /* the message ends in CRLF, or is empty: RFC 5321 4.1.1.4 */
	dialog_expect(d, d->phase, 0);
	return DIALOG_SAY;
}

void hear_final(struct dialog *d, const struct reply *r, size_t rcpt)
{
	(void)rcpt;
	int class = reply_class(r);
	if (class == 3) {
		dialog_nonsense(d, PHASE_FINAL, r);
		return;
	}
	struct outcome o = refused(d, PHASE_FINAL, r);
	if (class == 2) {
		o.event = EVENT_ACCEPTED;
		char said[LIMIT_REPLY_TEXT + 8];
		reply_format(r, said, sizeof(said));
		o.code = reply_esc_or(r, ESC(2, 0, 0));
		o.text = arena_str(d->arena, span_of(said));
		o.dsn = d->ehlo.caps & EHLO_DSN;
	}
	dialog_settle_taken(d, &o);
	if (r->code != 421)
		dialog_transact(d, false);
}

void hear_lone_dot(struct dialog *d, const struct reply *r, size_t rcpt)
{
	(void)rcpt;
	if (reply_class(r) == 3)
		dialog_nonsense(d, PHASE_LONE_DOT, r);
	else if (r->code != 421)
		dialog_transact(d, true);
}

enum dialog_want say_quit(struct dialog *d, struct buf *out)
{
	struct dialog_session kept;
	if (!d->in_text && !dialog_kept(d, &kept)) /* in the text it would be text */
		command_plain(out, "QUIT");
	return DIALOG_OVER;
}
