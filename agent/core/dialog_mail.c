/* SPDX-License-Identifier: ISC */
/* The transaction (RFC 5321 3.3), in groups of commands where the server allows (RFC 2920 3.1), to
 * QUIT. */
#include "core/dialog_state.h"
#include "wire/command.h"

static bool add_mail(struct dialog *d, struct buf *out, struct error *err)
{
	const struct facts *facts = d->script.facts;
	bool utf8 = envelope_needs(d->script.envelope, facts) & EHLO_SMTPUTF8;
	struct mail_params p = {
		.say_size = d->ehlo.caps & EHLO_SIZE,
		.size = facts->size,
		/* RFC 6531 3.1 item 8 asks for BODY=8BITMIME with UTF-8 header fields, which are
		   8-bit text too. */
		.body_8bit = facts->has_8bit && (d->ehlo.caps & EHLO_8BITMIME),
		.smtputf8 = utf8,
		.requiretls = d->script.demand.requiretls,
	};
	if (!command_mail(out, &d->script.envelope->sender, &p, err))
		return false;
	dialog_expect(d, PHASE_MAIL, 0);
	return true;
}

size_t skip_settled(const struct dialog *d, size_t rcpt)
{
	size_t n = d->script.envelope->nrcpt;
	while (rcpt < n && d->script.skip && d->script.skip[rcpt])
		rcpt++;
	return rcpt;
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
	static const struct rcpt_params no_params = { 0 };
	const struct recipient *rcpt = &d->script.envelope->rcpt[d->next_rcpt];
	struct error err;
	if (command_rcpt(out, &rcpt->addr, &no_params, &err)) {
		dialog_expect(d, PHASE_RCPT, d->next_rcpt);
	} else {
		struct outcome o = outcome_of_error(d, &err);
		dialog_settle(d, d->next_rcpt, &o);
	}
	d->next_rcpt = skip_settled(d, d->next_rcpt + 1);
}

static bool all_rcpts_said(const struct dialog *d)
{
	return d->next_rcpt >= d->script.envelope->nrcpt;
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
		dialog_to(d, PHASE_QUIT);
		return dialog_next(d, out);
	}
	if (!add_group(d, out, &err)) {
		struct outcome o = outcome_of_error(d, &err);
		dialog_end(d, &o);
	}
	/* Nothing is said if the last recipient's address could not be. */
	return d->waiting > 0 ? DIALOG_SAY : dialog_next(d, out);
}

static enum failover_event refusal(const struct reply *r)
{
	return reply_class(r) == 4 ? EVENT_REPLY_4XX : EVENT_REPLY_5XX;
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
	struct outcome o = dialog_replied(d, refusal(r), PHASE_MAIL, r);
	dialog_settle_open(d, &o);
	d->mail_refused = true;
}

/* RFC 5321 4.5.3.1.10: 552 for "too many recipients" is an old mistake for 452. The first recipient
 * cannot be one too many. */
static bool means_452(const struct dialog *d, const struct reply *r)
{
	bool says_so = r->esc.subject == 5 && r->esc.detail == 3;
	return r->code == 552 && (d->naccepted > 0 || says_so);
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
	} else {
		struct outcome o = dialog_replied(d, refusal(r), PHASE_RCPT, r);
		if (means_452(d, r)) {
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
		struct outcome o = dialog_replied(d, refusal(r), PHASE_DATA, r);
		dialog_end(d, &o);
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
	struct outcome o =
		dialog_replied(d, class == 2 ? EVENT_ACCEPTED : refusal(r), PHASE_FINAL, r);
	if (class == 2) {
		char said[LIMIT_REPLY_TEXT + 8];
		reply_format(r, said, sizeof(said));
		o.code = reply_esc_or(r, ESC(2, 0, 0));
		o.text = arena_str(d->arena, span_of(said));
	}
	dialog_end(d, &o);
}

void hear_lone_dot(struct dialog *d, const struct reply *r, size_t rcpt)
{
	(void)r;
	(void)rcpt;
	dialog_to(d, PHASE_QUIT);
}

enum dialog_want say_quit(struct dialog *d, struct buf *out)
{
	if (!d->in_text) /* there it would be text */
		command_plain(out, "QUIT");
	return DIALOG_OVER;
}
