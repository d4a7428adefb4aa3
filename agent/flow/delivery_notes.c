/* SPDX-License-Identifier: ISC */
#include "flow/delivery_state.h"
#include "flow/notes.h"
#include "flow/tlsreport.h"

size_t delivery_recipients(const struct delivery *d)
{
	return d->rq->envelope->nrcpt;
}

bool delivery_is_direct(const struct delivery *d)
{
	return d->turn && d->turn->way->direct;
}

static void settle(struct delivery *d, size_t rcpt, enum failover_end end)
{
	d->by_domain[rcpt] = delivery_is_direct(d);
	d->result[rcpt].end = end;
	d->result[rcpt].outcome = tally_end(&d->tally[rcpt], end);
	d->settled[rcpt] = true;
	d->open--;
}

static struct outcome outcome_of_error(struct arena *a, const struct error *err, enum cause cause)
{
	const char *text = arena_str(a, span_of(err->text));
	return (struct outcome){
		.event = EVENT_SKIPPED,
		.cause = cause,
		.code = err->code,
		.relay = "none",
		.text = text ? text : "out of memory",
	};
}

static enum cause cause_of(const struct error *err)
{
	bool loop = err->code.subject == 4 && err->code.detail == 6;
	bool security = err->code.subject == 7;
	return loop ? CAUSE_POLICY : security ? CAUSE_TLS : CAUSE_NETWORK;
}

void delivery_skip(struct delivery *d, const struct outcome *o)
{
	for (size_t i = 0; i < delivery_recipients(d); i++) {
		tally_skip(&d->tally[i], o);
		if (d->own != d->tally && delivery_is_direct(d))
			tally_skip(&d->own[i], o);
	}
}

void delivery_skip_local(struct delivery *d, const struct error *err)
{
	struct outcome o = outcome_of_error(d->arena, err, CAUSE_LOCAL);
	delivery_skip(d, &o);
	d->unasked = true;
}

void delivery_skip_host(struct delivery *d, const char *host, const struct error *err)
{
	struct outcome o = outcome_of_error(d->arena, err, cause_of(err));
	delivery_skip(d, &o);
	if (err->class != ERR_PERM)
		d->unasked = true;
	d->silent = d->silent || (delivery_is_direct(d) && o.cause == CAUSE_NETWORK);
	if (o.cause == CAUSE_TLS) {
		struct tlsrpt_result r = lookup_report(d->turn->lookup, host, d->turn->until);
		r.info = o.text;
		tlsreport_send(d->arena, d->sv, &r);
	}
	notes_host(d->sv, d->rq->envelope->queue_id, host, &o, true);
}

/* Large receivers refuse over IPv6 what they take over IPv4, for want of a reverse DNS entry or of
 * a reputation: that speaks for the way and not for the mail. */
static bool refused_for_ipv6(struct delivery *d, const struct attempt_result *at,
			     const struct outcome *o)
{
	if (o->event != EVENT_REPLY_5XX || o->code.subject != 7 || at->peer.ip.family != 6 ||
	    d->sv->config->address_family == FAMILY_IPV6)
		return false;
	d->ipv4_only = true;
	d->refused_ipv6 = at->peer;
	d->refused_why = o->text;
	return true;
}

/* IPv4 did what IPv6 was refused: next time it is asked first. */
static void note_refused_ipv6(struct delivery *d)
{
	const struct memory_host h = {
		.host = d->refused_host,
		.addr = d->refused_ipv6,
		.fate = FATE_SILENT,
		.why = d->refused_why,
	};
	if (d->ipv4_only)
		memory_note_host(d->sv->memory, &h);
}

/* For whoever finds out later what the server may not like about us. */
static void ask_about_us(struct delivery *d, const struct attempt_result *at,
			 const struct outcome *o)
{
	if (!delivery_is_direct(d) || !outcome_is_about_us(o))
		return;
	*d->rq->about_us = (struct fitness_question){
		.queue_id = d->rq->envelope->queue_id,
		.relay = o->relay,
		.source = at->local,
		.helo = d->sv->own_name,
		.sender = &d->rq->envelope->sender,
	};
}

void delivery_note_attempt(struct delivery *d, const char *host, const struct attempt_result *at)
{
	enum config_failover column = d->sv->config->failover;
	struct outcome trouble = { .event = EVENT_NONE };
	bool next = false;
	for (size_t i = 0; i < delivery_recipients(d); i++) {
		struct outcome o = at->outcome[i];
		if (d->settled[i])
			continue;
		if (refused_for_ipv6(d, at, &o)) {
			o.event = EVENT_REFUSED_IPV6;
			d->refused_host = host;
		}
		bool go_on = tally_note(&d->tally[i], column, &o);
		if (d->own != d->tally && delivery_is_direct(d))
			tally_note(&d->own[i], column, &o);
		if (!go_on)
			settle(d, i, tally_verdict(&d->tally[i], column, false));
		if (o.event == EVENT_ACCEPTED)
			note_refused_ipv6(d);
		else if (trouble.event == EVENT_NONE) {
			trouble = o;
			next = go_on;
		}
		ask_about_us(d, at, &at->outcome[i]);
	}
	if (trouble.event != EVENT_NONE)
		notes_host(d->sv, d->rq->envelope->queue_id, trouble.relay, &trouble, next);
	d->delays->connect += at->connect_ms;
	d->delays->transmit += at->transmit_ms;
}

void delivery_report_session(struct delivery *d, const char *host, const struct attempt_result *at)
{
	bool waived = message_facts(d->rq->message)->tls_required_no; /* nothing was looked at */
	if (!at->connected || at->resumed || waived ||
	    (!at->tls.secured && at->tls.failure == TLSRPT_NO_FAILURE))
		return;
	char sending[IP_TEXT], receiving[IP_TEXT];
	ip_format(at->local, sending);
	ip_format(at->peer.ip, receiving);
	struct tlsrpt_result r = lookup_report(d->turn->lookup, host, d->turn->until);
	r.failure = at->tls.failure;
	r.sending_ip = sending;
	r.receiving_ip = receiving;
	r.helo = at->tls.helo;
	tlsreport_send(d->arena, d->sv, &r);
}

void delivery_settle_rest(struct delivery *d)
{
	for (size_t i = 0; i < delivery_recipients(d); i++) {
		struct tally *t = &d->tally[i];
		if (d->settled[i])
			continue;
		if (tally_is_empty(t) && d->unasked) {
			struct error err;
			if (d->sv->io->stopped)
				io_fail(IO_STOPPED, &err);
			else
				err_set(&err, ERR_TEMP, ESC(4, 4, 7),
					"ran out of time before any host was tried");
			struct outcome o = outcome_of_error(d->arena, &err, CAUSE_LOCAL);
			tally_skip(t, &o);
		}
		settle(d, i, tally_verdict(t, d->sv->config->failover, d->unasked));
	}
}

static void answer_all(struct delivery *d, const struct outcome *o, enum failover_end end)
{
	for (size_t i = 0; i < delivery_recipients(d); i++) {
		if (d->settled[i])
			continue;
		tally_skip(&d->tally[i], o);
		settle(d, i, end);
	}
}

void delivery_put_off(struct delivery *d, const struct outcome *o)
{
	answer_all(d, o, END_DEFERRED);
}

void delivery_refuse(struct delivery *d, const struct error *err)
{
	struct outcome o = outcome_of_error(d->arena, err, CAUSE_LOCAL);
	answer_all(d, &o, err->class == ERR_PERM ? END_FAILED : END_DEFERRED);
}

void delivery_settle_delivered(struct delivery *d)
{
	const struct delivery_request *rq = d->rq;
	const struct facts *facts = message_facts(rq->message);
	for (size_t i = 0; i < delivery_recipients(d); i++) {
		struct outcome o;
		if (!memory_delivered(d->sv->memory, d->arena, rq->envelope, i, facts, &o))
			continue;
		memory_note_end(d->sv->memory, rq->envelope, i, &o, END_DELIVERED);
		d->earlier[i] = true;
		const char *text = arena_fmt(d->arena, "%s (by an earlier run)", o.text);
		o.text = text ? text : o.text;
		tally_note(&d->tally[i], d->sv->config->failover, &o);
		settle(d, i, END_DELIVERED);
	}
}

bool delivery_is_down(struct delivery *d)
{
	const struct envelope *e = d->rq->envelope;
	struct memory_down down;
	char next[CLOCK_UTC];
	bool first = false;
	if (d->asked_down)
		return d->down;
	d->asked_down = true;
	for (size_t i = 0; i < e->nrcpt && !first; i++)
		first = !d->settled[i] && !memory_tried(d->sv->memory, e, i);
	if (!memory_domain_down(d->sv->memory, d->arena, e->domain, first, &down))
		return false;
	clock_utc(down.next, next);
	d->down_outcome = (struct outcome){
		.event = EVENT_SKIPPED,
		.cause = CAUSE_NETWORK,
		.code = down.code,
		.relay = "none",
		.text = arena_fmt(d->arena, "%s (remembered; next try at %s)", down.why, next),
	};
	d->down = d->down_outcome.text != NULL;
	return d->down;
}

void delivery_note_ends(struct delivery *d)
{
	const struct envelope *e = d->rq->envelope;
	bool trouble_of_ours = d->sv->io->stopped || (!d->reached && !d->silent);
	for (size_t i = 0; i < e->nrcpt; i++) {
		const struct delivery_result *r = &d->result[i];
		if (d->earlier[i])
			continue;
		memory_note_end(d->sv->memory, e, i, &r->outcome, r->end);
		if (tally_is_empty(&d->own[i]))
			continue;
		enum failover_end end = d->by_domain[i] ? r->end : END_DEFERRED;
		struct outcome o = tally_end(&d->own[i], end);
		if (end == END_DELIVERED || end == END_FAILED || !trouble_of_ours)
			notes_domain(d->sv, e->domain, &o, end, d->reached);
	}
}

/* Is there anybody that was or will be asked and may take it later? */
static bool is_hopeful(const struct delivery *d)
{
	bool hope = d->unasked || d->nlate > 0 || d->nbroken > 0;
	for (size_t i = 0; i < delivery_recipients(d) && !hope; i++)
		hope = !d->settled[i] && d->tally[i].hopeful;
	return hope;
}

void delivery_skip_way(struct delivery *d, const struct error *err)
{
	enum cause cause = err->class == ERR_TEMP ? CAUSE_NETWORK : CAUSE_POLICY;
	struct outcome o = outcome_of_error(d->arena, err, cause);
	bool final = err->class == ERR_PERM && delivery_is_direct(d), hope = is_hopeful(d);
	d->silent = d->silent || (delivery_is_direct(d) && cause == CAUSE_NETWORK);
	d->unasked = hope || err->class != ERR_PERM;
	d->ended = final;
	delivery_skip(d, &o);
	for (size_t i = 0; i < delivery_recipients(d) && final && !hope; i++)
		if (!d->settled[i])
			settle(d, i, END_FAILED);
	if (d->ways.n > 1)
		notes_host(d->sv, d->rq->envelope->queue_id, d->turn->way->to.name, &o, !final);
}
