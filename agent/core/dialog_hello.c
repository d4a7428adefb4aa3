/* SPDX-License-Identifier: ISC */
/* Greeting, EHLO and HELO (RFC 5321 3.1, 3.2), STARTTLS (RFC 3207), RSET, and whether this server
 * will do. */
#include <inttypes.h>

#include "core/dialog_state.h"
#include "wire/command.h"

enum dialog_want say_greeting(struct dialog *d, struct buf *out)
{
	(void)out;
	dialog_expect(d, PHASE_GREETING, 0);
	return DIALOG_HEAR;
}

static void note_greeting(struct dialog *d, const struct reply *r)
{
	char said[LIMIT_REPLY_TEXT + 8];
	if (!d->script.probe)
		return;
	reply_format(r, said, sizeof(said));
	d->words.greeting = arena_str(d->arena, span_of(said));
}

void hear_greeting(struct dialog *d, const struct reply *r, size_t rcpt)
{
	(void)rcpt;
	int class = reply_class(r);
	note_greeting(d, r);
	if (class == 2) {
		dialog_to(d, PHASE_EHLO);
		return;
	}
	if (class == 3) {
		dialog_nonsense(d, PHASE_GREETING, r);
		return;
	}
	/* RFC 7504: 521 and 556 say that this host will never take mail. */
	bool never = r->code == 521 || r->code == 556;
	enum failover_event event = class == 4 ? EVENT_GREETING_4XX
				    : never    ? EVENT_GREETING_NEVER
					       : EVENT_GREETING_5XX;
	struct outcome o = dialog_replied(d, event, PHASE_GREETING, r);
	dialog_end(d, &o);
}

enum dialog_want say_hello(struct dialog *d, struct buf *out)
{
	struct error err;
	if (!command_hello(out, phase_name(d->phase), d->script.helo, &err)) {
		dialog_lost(d, &err, true);
		return DIALOG_OVER;
	}
	dialog_expect(d, d->phase, 0);
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
	dialog_end(d, &o);
	return false;
}

/* A demand is never weakened: this host is not the one, the next may be. With nothing demanded the
 * host is remembered for a plain session, after TLS was tried everywhere (flow/delivery). */
static void no_tls(struct dialog *d, struct outcome *o)
{
	bool never_plain = d->script.tls_first || d->script.demand.level > DEMAND_MAY;
	o->event = never_plain ? EVENT_TLS_UNMET : EVENT_TLS_BROKEN;
	dialog_end(d, o);
}

/* What the offer and the demand make of STARTTLS. True: the session goes on as it is. */
static bool tls_is_settled(struct dialog *d)
{
	enum demand_level level = d->script.demand.level;
	bool offered = d->ehlo.caps & EHLO_STARTTLS;
	if (d->secured || d->script.plain || level == DEMAND_NONE)
		return true;
	if (offered) {
		dialog_to(d, PHASE_STARTTLS);
		return false;
	}
	d->tls.failure = TLSRPT_STARTTLS_NOT_SUPPORTED;
	if (level == DEMAND_MAY)
		return true;
	struct outcome o = {
		.cause = CAUSE_TLS,
		.code = ESC(4, 7, 5),
		.text = arena_fmt(d->arena, "%s does not offer STARTTLS (demanded: %s)",
				  d->script.relay, d->script.demand.because),
	};
	no_tls(d, &o);
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
	} else if (d->script.demand.requiretls && !(d->ehlo.caps & EHLO_REQUIRETLS)) {
		o.code = ESC(5, 7, 30); /* RFC 8689 section 4.2.1 */
		o.text = arena_fmt(d->arena,
				   "%s does not offer REQUIRETLS, which this message demands",
				   d->script.relay);
	} else {
		return true;
	}
	dialog_finish(d, &o);
	return false;
}

void dialog_ready(struct dialog *d)
{
	if (d->script.probe)
		dialog_to(d, PHASE_QUIT);
	else if (can_carry(d))
		dialog_transact(d, false);
}

static void forget_offers(struct ehlo *e)
{
	struct ehlo name = { 0 };
	memcpy(name.name, e->name, sizeof(name.name));
	*e = name;
}

void hear_hello(struct dialog *d, const struct reply *r, size_t rcpt)
{
	(void)rcpt;
	int class = reply_class(r);
	if (d->phase == PHASE_EHLO && class != 2 && r->code != 421) {
		dialog_to(d, PHASE_HELO); /* RFC 5321 3.2 */
	} else if (class == 3) {
		dialog_nonsense(d, d->phase, r);
	} else if (class != 2) {
		struct outcome o = dialog_replied(d, EVENT_HELLO_REFUSED, d->phase, r);
		dialog_end(d, &o);
	} else {
		ehlo_parse(r, &d->ehlo);
		if (d->script.probe)
			d->words.hello = arena_str(d->arena, (struct span){ r->text, r->len });
		if (d->phase == PHASE_HELO) /* which offers a name and nothing else */
			forget_offers(&d->ehlo);
		d->tls.helo = d->ehlo.name;
		if (!not_ourselves(d) || !tls_is_settled(d))
			return;
		if (d->script.login)
			dialog_log_in(d);
		else
			dialog_ready(d);
	}
}

enum dialog_want say_starttls(struct dialog *d, struct buf *out)
{
	command_plain(out, "STARTTLS");
	dialog_expect(d, PHASE_STARTTLS, 0);
	return DIALOG_SAY;
}

void hear_starttls(struct dialog *d, const struct reply *r, size_t rcpt)
{
	(void)rcpt;
	if (reply_class(r) == 2) {
		dialog_to(d, PHASE_TLS);
		return;
	}
	if (reply_class(r) == 3) {
		dialog_nonsense(d, PHASE_STARTTLS, r);
		return;
	}
	d->tls.failure = TLSRPT_STARTTLS_NOT_SUPPORTED;
	struct outcome o = dialog_replied(d, EVENT_TLS_UNMET, PHASE_STARTTLS, r);
	o.cause = CAUSE_TLS;
	o.code = ESC(4, 7, 5);
	no_tls(d, &o);
}

enum dialog_want say_tls(struct dialog *d, struct buf *out)
{
	(void)d;
	(void)out;
	return DIALOG_TLS;
}

static void note_secured(struct dialog *d, const struct secure_facts *facts,
			 enum demand_level level)
{
	d->facts = *facts;
	d->level = level;
	d->secured = true;
	d->tls.secured = true;
	d->security.level = demand_level_name(level);
	d->security.protocol = d->facts.protocol;
	d->security.cipher = d->facts.cipher;
}

void dialog_secured(struct dialog *d, const struct secure_facts *facts)
{
	note_secured(d, facts, d->script.demand.level);
	d->tls.failure =
		tlsrpt_of_trouble(facts->trouble); /* MTA-STS testing: seen, but no obstacle */
	d->ehlo = (struct ehlo){ 0 }; /* RFC 3207 section 4.2: nothing learned before counts */
	dialog_to(d, d->script.tls_first ? PHASE_GREETING : PHASE_EHLO);
}

void dialog_insecure(struct dialog *d, const struct secure_facts *facts, const struct error *why)
{
	d->tls.failure = tlsrpt_of_trouble(facts->trouble);
	if (facts->trouble == SECURE_LOCAL) {
		dialog_lost(d, why, true);
		return;
	}
	const char *because = d->script.demand.because;
	bool demanded = d->script.demand.level > DEMAND_MAY && because;
	struct outcome o = {
		.cause = CAUSE_TLS,
		.code = ESC(4, 7, 5),
		.text = arena_fmt(d->arena, "%s: TLS: %s%s%s%s", d->script.relay, why->text,
				  demanded ? " (demanded: " : "", demanded ? because : "",
				  demanded ? ")" : ""),
	};
	no_tls(d, &o);
}

void dialog_resume(struct dialog *d, const struct dialog_session *s)
{
	/* A proof of another kind is no proof. Its keeper knows; a demand is looked at twice. */
	enum demand_level demanded = d->script.demand.level;
	bool safe = demanded <= DEMAND_MAY || (s->secured && s->level == demanded);
	bool same_login = s->logged_in == (d->script.login != NULL);
	d->ehlo = s->ehlo;
	d->tls.helo = d->ehlo.name;
	d->transactions = s->transactions;
	d->logged_in = s->logged_in;
	d->security.downgrade = s->downgrade;
	if (s->secured)
		note_secured(d, &s->facts, s->level);
	d->resuming = true;
	dialog_to(d, PHASE_RSET);
	if (!safe || !same_login)
		dialog_give_up(d);
}

/* What comes behind it is decided now and waits for its reply, or is said in one go with it where
 * the server allows (RFC 2920 3.1). Should the reply be a bad one, no harm is done: nothing is
 * delivered before the final dot. */
enum dialog_want say_rset(struct dialog *d, struct buf *out)
{
	command_plain(out, "RSET");
	dialog_expect(d, PHASE_RSET, 0);
	if (!d->resuming || can_carry(d))
		dialog_transact(d, false);
	bool pipelining = d->ehlo.caps & EHLO_PIPELINING;
	return pipelining && d->phase == PHASE_MAIL ? say_group(d, out) : DIALOG_SAY;
}

void hear_rset(struct dialog *d, const struct reply *r, size_t rcpt)
{
	(void)rcpt;
	if (reply_class(r) == 2)
		d->resuming = false;
	else if (d->resuming)
		dialog_give_up(d);
	else if (r->code != 421)
		dialog_nonsense(d, PHASE_RSET, r); /* RFC 5321 4.3.2 knows 250 and nothing else */
}
