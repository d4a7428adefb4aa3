/* SPDX-License-Identifier: ISC */
#include "core/dialog.h"

#include <inttypes.h>

#include "wire/command.h"

enum phase {
	PHASE_GREETING,
	PHASE_EHLO,
	PHASE_HELO,
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
	size_t next_rcpt, naccepted;
	bool mail_refused, committed, transmits;
	bool in_text;                           /* the session ended in the middle of the message */
	struct expected queue[LIMIT_BURST + 2]; /* MAIL, a burst of RCPT, DATA */
	size_t first, waiting;
};

/* One row a phase: what it is called in reports, how to say it, how to hear the reply. Patience is
 * dialog_patience(). */
struct phase_row {
	const char *name;
	enum dialog_want (*say)(struct dialog *d, struct buf *out);
	void (*hear)(struct dialog *d, const struct reply *r, size_t rcpt);
};
static const struct phase_row phases[PHASE_COUNT];

/* The only place that changes the phase. */
static void dialog_to(struct dialog *d, enum phase phase)
{
	d->phase = phase;
}

static void expect(struct dialog *d, enum phase phase, size_t rcpt)
{
	d->queue[(d->first + d->waiting++) % (LIMIT_BURST + 2)] =
		(struct expected){ .phase = phase, .rcpt = rcpt };
}

static bool is_open(const struct dialog *d, size_t rcpt)
{
	bool skipped = d->script.skip && d->script.skip[rcpt];
	return !skipped && d->outcome[rcpt].event == EVENT_NONE;
}

static void settle(struct dialog *d, size_t rcpt, const struct outcome *o)
{
	d->outcome[rcpt] = *o;
	d->outcome[rcpt].relay = d->script.relay;
	if (!d->outcome[rcpt].text)
		d->outcome[rcpt].text = "out of memory";
}

/* The same outcome for every recipient that has none; the session is over. */
static void settle_open(struct dialog *d, const struct outcome *o)
{
	for (size_t i = 0; i < d->script.envelope->nrcpt; i++) {
		if (is_open(d, i))
			settle(d, i, o);
	}
}

static void end_session(struct dialog *d, const struct outcome *o)
{
	settle_open(d, o);
	d->waiting = 0;
	if (d->phase == PHASE_BODY || d->phase == PHASE_COMMIT)
		d->in_text = true;
	dialog_to(d, PHASE_QUIT);
}

static struct outcome outcome_of_reply(struct dialog *d, enum failover_event event,
				       enum phase phase, const struct reply *r)
{
	char said[LIMIT_REPLY_TEXT + 8];
	reply_format(r, said, sizeof(said));
	bool greeting = phase == PHASE_GREETING;
	return (struct outcome){
		.event = event,
		.cause = CAUSE_SERVER,
		.code = reply_esc_or(r, ESC((uint8_t)reply_class(r), 0, 0)),
		.text = arena_fmt(d->arena, "%s said: %s (in %s%s)", d->script.relay, said,
				  greeting ? "its " : "reply to ", phases[phase].name),
	};
}

/* A reply of a class that RFC 5321 4.3.2 gives no meaning to here, such as 250 to DATA. */
static void nonsense(struct dialog *d, enum phase phase, const struct reply *r)
{
	struct outcome o = outcome_of_reply(d, EVENT_LOST, phase, r);
	o.code = ESC(4, 5, 0);
	if (d->committed) {
		o.event = EVENT_FINAL_UNKNOWN;
		o.text = arena_fmt(d->arena, "%s; the message may have been delivered",
				   o.text ? o.text : d->script.relay);
	}
	end_session(d, &o);
}

/* ---- greeting, EHLO, HELO: RFC 5321 3.1, 3.2 ---- */

static enum dialog_want say_greeting(struct dialog *d, struct buf *out)
{
	(void)out;
	expect(d, PHASE_GREETING, 0);
	return DIALOG_HEAR;
}

static void hear_greeting(struct dialog *d, const struct reply *r, size_t rcpt)
{
	(void)rcpt;
	int class = reply_class(r);
	if (class == 2) {
		dialog_to(d, PHASE_EHLO);
		return;
	}
	if (class == 3) {
		nonsense(d, PHASE_GREETING, r);
		return;
	}
	/* RFC 7504: 521 and 556 say that this host will never take mail. */
	bool never = r->code == 521 || r->code == 556;
	enum failover_event event = class == 4 ? EVENT_GREETING_4XX
				    : never    ? EVENT_GREETING_NEVER
					       : EVENT_GREETING_5XX;
	struct outcome o = outcome_of_reply(d, event, PHASE_GREETING, r);
	end_session(d, &o);
}

static enum dialog_want say_hello(struct dialog *d, struct buf *out)
{
	struct error err;
	if (!command_hello(out, phases[d->phase].name, d->script.helo, &err)) {
		dialog_lost(d, &err, true);
		return DIALOG_OVER;
	}
	expect(d, d->phase, 0);
	return DIALOG_SAY;
}

/* RFC 5321 6.3: a server that has our name is most likely ourselves, behind some address
 * translation. */
static bool not_ourselves(struct dialog *d)
{
	const char *helo = d->script.helo;
	if (helo[0] == '[' || !span_equal_nocase(span_of(d->ehlo.name), span_of(helo)))
		return true;
	struct outcome o = {
		.event = EVENT_HELLO_REFUSED,
		.cause = CAUSE_POLICY,
		.code = ESC(4, 4, 6),
		.text = arena_fmt(d->arena, "%s has our own name %s: mail would loop",
				  d->script.relay, helo),
	};
	end_session(d, &o);
	return false;
}

/* Can this server carry the message? Known before MAIL: the next host may be able to. */
static bool can_carry(struct dialog *d)
{
	const struct facts *facts = d->script.facts;
	struct outcome o = { .event = EVENT_CANNOT_CARRY, .cause = CAUSE_POLICY };
	uint32_t missing = envelope_needs(d->script.envelope, facts) & ~d->ehlo.caps;

	if (missing & EHLO_SMTPUTF8) {
		o.code = ESC(5, 6, 7); /* RFC 6531 section 3.2 */
		o.text = arena_fmt(d->arena,
				   "%s does not offer SMTPUTF8, which this message needs for "
				   "UTF-8 in an address or a header field",
				   d->script.relay);
	} else if (d->ehlo.size_max && facts->size > d->ehlo.size_max) {
		o.code = ESC(5, 3, 4); /* RFC 1870 section 6.4 */
		o.text = arena_fmt(d->arena,
				   "%s takes messages of at most %" PRIu64
				   " bytes, this one has %" PRIu64,
				   d->script.relay, d->ehlo.size_max, facts->size);
	} else {
		return true;
	}
	end_session(d, &o);
	return false;
}

static void hear_hello(struct dialog *d, const struct reply *r, size_t rcpt)
{
	(void)rcpt;
	int class = reply_class(r);
	if (d->phase == PHASE_EHLO && class != 2 && r->code != 421) {
		dialog_to(d, PHASE_HELO); /* RFC 5321 3.2 */
	} else if (class == 3) {
		nonsense(d, d->phase, r);
	} else if (class != 2) {
		struct outcome o = outcome_of_reply(d, EVENT_HELLO_REFUSED, d->phase, r);
		end_session(d, &o);
	} else {
		ehlo_parse(r, &d->ehlo);
		if (d->phase == PHASE_HELO) /* which offers a name and nothing else */
			d->ehlo.size_max = d->ehlo.caps = 0;
		if (not_ourselves(d) && can_carry(d))
			dialog_to(d, PHASE_MAIL);
	}
}

/* ---- MAIL, RCPT, DATA: RFC 5321 3.3, in groups where the server allows (RFC 2920 3.1) ---- */

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
	};
	if (!command_mail(out, &d->script.envelope->sender, &p, err))
		return false;
	expect(d, PHASE_MAIL, 0);
	return true;
}

static size_t skip_settled(const struct dialog *d, size_t rcpt)
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
		expect(d, PHASE_RCPT, d->next_rcpt);
	} else {
		struct outcome o = outcome_of_error(d, &err);
		settle(d, d->next_rcpt, &o);
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
		expect(d, PHASE_DATA, 0);
	}
	return true;
}

static enum dialog_want say_group(struct dialog *d, struct buf *out)
{
	struct error err;
	d->transmits = true;
	if (d->mail_refused || (d->phase == PHASE_DATA && d->naccepted == 0)) {
		dialog_to(d, PHASE_QUIT);
		return dialog_next(d, out);
	}
	if (!add_group(d, out, &err)) {
		struct outcome o = outcome_of_error(d, &err);
		end_session(d, &o);
	}
	/* Nothing is said if the last recipient's address could not be. */
	return d->waiting > 0 ? DIALOG_SAY : dialog_next(d, out);
}

static enum failover_event refusal(const struct reply *r)
{
	return reply_class(r) == 4 ? EVENT_REPLY_4XX : EVENT_REPLY_5XX;
}

static void hear_mail(struct dialog *d, const struct reply *r, size_t rcpt)
{
	(void)rcpt;
	int class = reply_class(r);
	if (class == 2)
		return;
	if (class == 3) {
		nonsense(d, PHASE_MAIL, r);
		return;
	}
	struct outcome o = outcome_of_reply(d, refusal(r), PHASE_MAIL, r);
	settle_open(d, &o);
	d->mail_refused = true;
}

/* RFC 5321 4.5.3.1.10: 552 for "too many recipients" is an old mistake for 452. The first recipient
 * cannot be one too many. */
static bool means_452(const struct dialog *d, const struct reply *r)
{
	bool says_so = r->esc.subject == 5 && r->esc.detail == 3;
	return r->code == 552 && (d->naccepted > 0 || says_so);
}

static void hear_rcpt(struct dialog *d, const struct reply *r, size_t rcpt)
{
	if (d->mail_refused)
		return; /* a consequence of the refused MAIL */
	int class = reply_class(r);
	if (class == 3) {
		nonsense(d, PHASE_RCPT, r);
	} else if (class == 2) {
		d->naccepted++;
	} else {
		struct outcome o = outcome_of_reply(d, refusal(r), PHASE_RCPT, r);
		if (means_452(d, r)) {
			o.event = EVENT_REPLY_4XX;
			o.code = ESC(4, 5, 3);
		}
		settle(d, rcpt, &o);
	}
}

static void hear_data(struct dialog *d, const struct reply *r, size_t rcpt)
{
	(void)rcpt;
	int class = reply_class(r);
	if (class == 3) {
		/* RFC 2920 3.1: with every recipient refused the server still waits for text. It
		 * gets none. */
		dialog_to(d, d->naccepted > 0 ? PHASE_BODY : PHASE_LONE_DOT);
	} else if (class == 2) {
		nonsense(d, PHASE_DATA, r);
	} else {
		struct outcome o = outcome_of_reply(d, refusal(r), PHASE_DATA, r);
		end_session(d, &o);
	}
}

/* ---- the message, the point of no return, the end ---- */

static enum dialog_want say_body(struct dialog *d, struct buf *out)
{
	(void)d;
	(void)out;
	return DIALOG_BODY;
}

static enum dialog_want say_commit(struct dialog *d, struct buf *out)
{
	(void)d;
	(void)out;
	return DIALOG_COMMIT;
}

static enum dialog_want say_dot(struct dialog *d, struct buf *out)
{
	command_plain(out, "."); /* the message ends in CRLF, or is empty: RFC 5321 4.1.1.4 */
	expect(d, d->phase, 0);
	return DIALOG_SAY;
}

static void hear_final(struct dialog *d, const struct reply *r, size_t rcpt)
{
	(void)rcpt;
	int class = reply_class(r);
	if (class == 3) {
		nonsense(d, PHASE_FINAL, r);
		return;
	}
	struct outcome o =
		outcome_of_reply(d, class == 2 ? EVENT_ACCEPTED : refusal(r), PHASE_FINAL, r);
	if (class == 2) {
		char said[LIMIT_REPLY_TEXT + 8];
		reply_format(r, said, sizeof(said));
		o.code = reply_esc_or(r, ESC(2, 0, 0));
		o.text = arena_str(d->arena, span_of(said));
	}
	end_session(d, &o);
}

static void hear_lone_dot(struct dialog *d, const struct reply *r, size_t rcpt)
{
	(void)r;
	(void)rcpt;
	dialog_to(d, PHASE_QUIT);
}

static enum dialog_want say_quit(struct dialog *d, struct buf *out)
{
	if (!d->in_text) /* there it would be text */
		command_plain(out, "QUIT");
	return DIALOG_OVER;
}

static const struct phase_row phases[PHASE_COUNT] = {
	[PHASE_GREETING] = { "greeting", say_greeting, hear_greeting },
	[PHASE_EHLO] = { "EHLO", say_hello, hear_hello },
	[PHASE_HELO] = { "HELO", say_hello, hear_hello },
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
	d->next_rcpt = skip_settled(d, 0);
	return d->outcome ? d : NULL;
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
		struct outcome o = outcome_of_reply(d, EVENT_REPLY_4XX, now.phase, r);
		end_session(d, &o);
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

void dialog_lost(struct dialog *d, const struct error *why, bool local)
{
	enum phase phase = current(d);
	bool protocol_error = why->code.subject == 5;
	struct outcome o = {
		.event = local                                        ? EVENT_LOCAL
			 : phase == PHASE_GREETING && !protocol_error ? EVENT_NO_RESPONSE
								      : EVENT_LOST,
		.cause = local ? CAUSE_LOCAL : CAUSE_NETWORK,
		.code = why->code,
	};
	const char *doing = d->waiting > 0 ? "waiting for" : "sending";
	if (d->committed) {
		o.event = EVENT_FINAL_UNKNOWN;
		o.code = ESC(4, 4, 2);
		o.text = arena_fmt(
			d->arena, "%s: %s after the final dot; the message may have been delivered",
			d->script.relay, why->text);
	} else if (local) {
		o.text = arena_str(d->arena, span_of(why->text));
	} else {
		bool reply = d->waiting > 0 && phase != PHASE_GREETING;
		o.text = arena_fmt(d->arena, "%s: %s while %s %s%s", d->script.relay, why->text,
				   doing,
				   reply                     ? "the reply to "
				   : phase == PHASE_GREETING ? "the "
							     : "",
				   phases[phase].name);
	}
	end_session(d, &o);
}

void dialog_early(struct dialog *d, struct span said)
{
	char text[LIMIT_REPLY_TEXT];
	struct reply_parser p;
	size_t used;
	reply_parser_init(&p);
	bool is_reply = reply_parse(&p, said, &used) == PARSE_DONE;
	if (is_reply)
		reply_format(&p.reply, text, sizeof(text));
	else
		snprintf(text, sizeof(text), "bytes that are not a reply");

	bool shutting_down = is_reply && p.reply.code == 421;
	struct outcome o = {
		.event = EVENT_LOST,
		.cause = shutting_down ? CAUSE_SERVER : CAUSE_NETWORK,
		.code = shutting_down ? reply_esc_or(&p.reply, ESC(4, 3, 2)) : ESC(4, 5, 0),
		.text = arena_fmt(d->arena, "%s said without being asked: %s (before %s)",
				  d->script.relay, text, phases[current(d)].name),
	};
	end_session(d, &o);
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
	default:
		return c->command_timeout;
	}
}

const char *dialog_phase(const struct dialog *d)
{
	return phases[current(d)].name;
}

bool dialog_committed(const struct dialog *d)
{
	return d->committed;
}

bool dialog_transmits(const struct dialog *d)
{
	return d->transmits;
}

const struct outcome *dialog_outcomes(const struct dialog *d)
{
	return d->outcome;
}
