/* SPDX-License-Identifier: ISC */
#include "core/dialog_state.h"

static const struct phase_row phases[PHASE_COUNT];

const char *phase_name(enum phase phase)
{
	return phases[phase].name;
}

bool phase_is_secret(enum phase phase)
{
	return phase == PHASE_AUTH || phase == PHASE_RESPONSE || phase == PHASE_CANCEL;
}

void dialog_to(struct dialog *d, enum phase phase)
{
	d->phase = phase;
}

void dialog_expect(struct dialog *d, enum phase phase, size_t rcpt)
{
	d->queue[(d->first + d->waiting++) % (LIMIT_BURST + 2)] =
		(struct expected){ .phase = phase, .rcpt = rcpt };
}

static bool is_open(const struct dialog *d, size_t rcpt)
{
	bool skipped = d->script.skip && d->script.skip[rcpt];
	return !skipped && d->outcome[rcpt].event == EVENT_NONE;
}

void dialog_settle(struct dialog *d, size_t rcpt, const struct outcome *o)
{
	d->outcome[rcpt] = *o;
	d->outcome[rcpt].relay = d->script.relay;
	d->outcome[rcpt].security = &d->security;
	if (!d->outcome[rcpt].text)
		d->outcome[rcpt].text = "out of memory";
}

void dialog_settle_open(struct dialog *d, const struct outcome *o)
{
	for (size_t i = 0; i < d->script.envelope->nrcpt; i++) {
		if (is_open(d, i))
			dialog_settle(d, i, o);
	}
}

void dialog_settle_taken(struct dialog *d, const struct outcome *o)
{
	for (size_t i = 0; i < d->script.envelope->nrcpt; i++) {
		if (is_open(d, i) && d->taken[i])
			dialog_settle(d, i, o);
	}
}

size_t dialog_next_open(const struct dialog *d, size_t rcpt)
{
	while (rcpt < d->script.envelope->nrcpt && !is_open(d, rcpt))
		rcpt++;
	return rcpt;
}

void dialog_finish(struct dialog *d, const struct outcome *o)
{
	dialog_settle_open(d, o);
	dialog_to(d, PHASE_QUIT);
}

void dialog_end(struct dialog *d, const struct outcome *o)
{
	dialog_settle_open(d, o);
	d->waiting = 0;
	d->broken = true;
	if (d->phase == PHASE_BODY || d->phase == PHASE_COMMIT)
		d->in_text = true;
	dialog_to(d, PHASE_QUIT);
}

void dialog_give_up(struct dialog *d)
{
	/* What no server had to be asked for, such as an address that cannot be written. */
	for (size_t i = 0; i < d->script.envelope->nrcpt; i++)
		d->outcome[i] = (struct outcome){ 0 };
	d->in_text = d->phase == PHASE_DATA; /* it may be: DATA was said with RSET */
	d->waiting = 0;
	d->stale = d->broken = true;
	dialog_to(d, PHASE_QUIT);
}

struct outcome dialog_replied(struct dialog *d, enum failover_event event, enum phase phase,
			      const struct reply *r)
{
	char said[LIMIT_REPLY_TEXT + 8];
	dialog_quote(d, phase, r, said, sizeof(said));
	bool greeting = phase == PHASE_GREETING;
	return (struct outcome){
		.event = event,
		.cause = CAUSE_SERVER,
		.code = reply_esc_or(r, ESC((uint8_t)reply_class(r), 0, 0)),
		.text = arena_fmt(d->arena, "%s said: %s (in %s%s)", d->script.relay, said,
				  greeting ? "its " : "reply to ", phase_name(phase)),
	};
}

void dialog_nonsense(struct dialog *d, enum phase phase, const struct reply *r)
{
	struct outcome o = dialog_replied(d, EVENT_LOST, phase, r);
	o.code = ESC(4, 5, 0);
	if (d->committed) {
		struct outcome unknown = o;
		unknown.event = EVENT_FINAL_UNKNOWN;
		unknown.text = arena_fmt(d->arena, "%s; the message may have been delivered",
					 o.text ? o.text : d->script.relay);
		dialog_settle_taken(d, &unknown);
	}
	dialog_end(d, &o);
}

static const struct phase_row phases[PHASE_COUNT] = {
	[PHASE_GREETING] = { "greeting", say_greeting, hear_greeting },
	[PHASE_EHLO] = { "EHLO", say_hello, hear_hello },
	[PHASE_HELO] = { "HELO", say_hello, hear_hello },
	[PHASE_STARTTLS] = { "STARTTLS", say_starttls, hear_starttls },
	[PHASE_TLS] = { "the TLS handshake", say_tls, NULL },
	[PHASE_AUTH] = { "AUTH", say_auth, hear_auth },
	[PHASE_RESPONSE] = { "AUTH", say_response, hear_auth },
	[PHASE_CANCEL] = { "AUTH", say_cancel, hear_cancel },
	[PHASE_RSET] = { "RSET", say_rset, hear_rset },
	[PHASE_MAIL] = { "MAIL FROM", say_group, hear_mail },
	[PHASE_RCPT] = { "RCPT TO", say_group, hear_rcpt },
	[PHASE_DATA] = { "DATA", say_group, hear_data },
	[PHASE_BODY] = { "the message", say_body, NULL },
	[PHASE_COMMIT] = { "the message", say_commit, NULL },
	[PHASE_FINAL] = { "end of data", say_dot, hear_final },
	[PHASE_LONE_DOT] = { "an empty end of data", say_dot, hear_lone_dot },
	[PHASE_QUIT] = { "QUIT", say_quit, NULL },
};

struct dialog *dialog_new(struct arena *a, const struct dialog_script *s)
{
	struct dialog *d = ARENA_NEW(a, struct dialog, 1);
	if (!d)
		return NULL;
	d->arena = a;
	d->script = *s;
	d->outcome = ARENA_NEW(a, struct outcome, s->envelope->nrcpt);
	d->taken = ARENA_NEW(a, bool, s->envelope->nrcpt);
	d->security = (struct security){ .level = "none", .protocol = "", .cipher = "" };
	d->security.because = s->demand.because ? s->demand.because : "";
	/* Whoever asks for it. */
	d->script.plain = s->plain && !s->tls_first && s->demand.level <= DEMAND_MAY;
	d->security.downgrade = d->script.plain;
	if (!d->outcome || !d->taken)
		return NULL;
	if (s->resumed)
		dialog_resume(d, s->resumed);
	else if (s->tls_first)
		dialog_to(d, PHASE_TLS);
	return d;
}

enum dialog_want dialog_next(struct dialog *d, struct buf *out)
{
	buf_reset(out);
	return d->waiting > 0 ? DIALOG_HEAR : phases[d->phase].say(d, out);
}

void dialog_heard(struct dialog *d, const struct reply *r)
{
	struct expected now = d->queue[d->first];
	d->first = (d->first + 1) % (LIMIT_BURST + 2);
	d->waiting--;
	phases[now.phase].hear(d, r, now.rcpt);

	/* RFC 5321 3.8: 421 may answer any command and closes the connection. */
	if (r->code == 421 && d->phase != PHASE_QUIT) {
		struct outcome o = dialog_replied(d, EVENT_REPLY_4XX, now.phase, r);
		dialog_end(d, &o);
	}
}

void dialog_done(struct dialog *d)
{
	if (d->waiting > 0)
		return; /* a command was said: its reply moves us on */
	if (d->phase == PHASE_BODY) {
		dialog_to(d, PHASE_COMMIT);
	} else if (d->phase == PHASE_COMMIT) {
		d->committed = true;
		dialog_to(d, PHASE_FINAL);
	}
}

/* The phase that a report names: of the reply that is waited for, else of what is being said. */
static enum phase current(const struct dialog *d)
{
	return d->waiting > 0 ? d->queue[d->first].phase : d->phase;
}

/* "X: timed out while waiting for the reply to RCPT TO" */
static const char *text_of_loss(struct dialog *d, const struct error *why, bool local)
{
	enum phase phase = current(d);
	bool reply = d->waiting > 0 && phase != PHASE_GREETING;
	if (local)
		return arena_str(d->arena, span_of(why->text));
	return arena_fmt(d->arena, "%s: %s while %s %s%s", d->script.relay, why->text,
			 d->waiting > 0 ? "waiting for" : "sending",
			 reply                     ? "the reply to "
			 : phase == PHASE_GREETING ? "the "
						   : "",
			 phase_name(phase));
}

void dialog_lost(struct dialog *d, const struct error *why, bool local)
{
	enum phase phase = current(d);
	/* Closed before the handshake or in it: the same to those who wait for TLS. */
	static const struct secure_facts broken = { .trouble = SECURE_HANDSHAKE };
	if (phase == PHASE_TLS && !local) {
		dialog_insecure(d, &broken, why);
		return;
	}
	if (d->resuming && !local) {
		dialog_give_up(d);
		return;
	}
	bool protocol_error = why->code.subject == 5;
	struct outcome o = {
		.event = local                                        ? EVENT_LOCAL
			 : phase == PHASE_GREETING && !protocol_error ? EVENT_NO_RESPONSE
								      : EVENT_LOST,
		.cause = local ? CAUSE_LOCAL : CAUSE_NETWORK,
		.code = why->code,
		.text = text_of_loss(d, why, local),
	};
	if (d->committed) {
		struct outcome unknown = o;
		unknown.event = EVENT_FINAL_UNKNOWN;
		unknown.code = ESC(4, 4, 2);
		unknown.text = arena_fmt(
			d->arena, "%s: %s after the final dot; the message may have been delivered",
			d->script.relay, why->text);
		dialog_settle_taken(d, &unknown);
	}
	dialog_end(d, &o);
}

void dialog_early(struct dialog *d, struct span said)
{
	if (d->resuming) {
		dialog_give_up(d);
		return;
	}
	char text[LIMIT_REPLY_TEXT];
	struct reply_parser p;
	size_t used;
	reply_parser_init(&p);
	bool is_reply = reply_parse(&p, said, &used) == PARSE_DONE;
	if (is_reply)
		dialog_quote(d, current(d), &p.reply, text, sizeof(text));
	else
		snprintf(text, sizeof(text), "bytes that are not a reply");

	bool shutting_down = is_reply && p.reply.code == 421;
	struct outcome o = {
		.event = EVENT_LOST,
		.cause = shutting_down ? CAUSE_SERVER : CAUSE_NETWORK,
		.code = shutting_down ? reply_esc_or(&p.reply, ESC(4, 3, 2)) : ESC(4, 5, 0),
		.text = arena_fmt(d->arena, "%s said without being asked: %s (before %s)",
				  d->script.relay, text, phase_name(current(d))),
	};
	dialog_end(d, &o);
}

int64_t dialog_patience(const struct dialog *d)
{
	const struct config *c = d->script.config;
	switch (current(d)) {
	case PHASE_GREETING:
		return c->greeting_timeout;
	case PHASE_BODY:
		return c->data_timeout;
	case PHASE_FINAL:
		return c->final_timeout;
	case PHASE_RSET:
		return c->command_timeout < RSET_PATIENCE ? c->command_timeout : RSET_PATIENCE;
	default:
		return c->command_timeout;
	}
}

const char *dialog_phase(const struct dialog *d)
{
	return phase_name(current(d));
}

bool dialog_secret(const struct dialog *d)
{
	return phase_is_secret(current(d));
}

void dialog_told(const struct dialog *d, const struct reply *r, char *out, size_t n)
{
	dialog_quote(d, current(d), r, out, n);
}

bool dialog_committed(const struct dialog *d)
{
	return d->committed;
}

bool dialog_transmits(const struct dialog *d)
{
	return d->transmits;
}

struct dialog_words dialog_words(const struct dialog *d)
{
	return d->words;
}

const struct dialog_tls *dialog_tls(const struct dialog *d)
{
	return &d->tls;
}

const struct ehlo *dialog_ehlo(const struct dialog *d)
{
	return &d->ehlo;
}

bool dialog_kept(const struct dialog *d, struct dialog_session *ret)
{
	if (!d->script.keep || d->broken || !dialog_has_room(d))
		return false;
	*ret = (struct dialog_session){
		.ehlo = d->ehlo,
		.facts = d->facts,
		.secured = d->secured,
		.logged_in = d->logged_in,
		.downgrade = d->security.downgrade,
		.level = d->level,
		.transactions = d->transactions,
	};
	return true;
}

bool dialog_stale(const struct dialog *d)
{
	return d->stale;
}

const struct outcome *dialog_outcomes(const struct dialog *d)
{
	return d->outcome;
}
