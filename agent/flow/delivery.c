/* SPDX-License-Identifier: ISC */
#include "flow/delivery.h"

#include "flow/notes.h"
#include "flow/tlsreport.h"

/* An address where STARTTLS or the handshake failed although nothing was demanded: tried in plain
 * when nothing else is left. */
struct broken_tls {
	const char *host;
	struct endpoint addr;
};

struct delivery {
	struct arena *arena;
	const struct services *sv;
	const struct delivery_request *rq;
	struct delivery_result *result;
	struct log_delays *delays;
	struct tally *tally; /* of each recipient */
	bool *settled;
	size_t open; /* recipients not settled */
	size_t sessions;
	bool unasked; /* hosts were left out that might have taken it */
	struct lookup *lookup;
	bool reached, silent; /* a host answered, one did not or DNS did not */
	bool *earlier;        /* recipients that an earlier run delivered to */
	bool ipv4_only;       /* IPv6 was refused for reasons of policy: */
	struct endpoint refused_ipv6;
	const char *refused_host, *refused_why;
	struct candidate *late; /* hosts that were silent lately */
	size_t nlate;
	struct broken_tls broken[LIMIT_BROKEN_TLS];
	size_t nbroken;
};

static size_t recipients(const struct delivery *d)
{
	return d->rq->envelope->nrcpt;
}

static void settle(struct delivery *d, size_t rcpt, enum failover_end end)
{
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

/* A host that is not used. A permanent reason leaves no hope in it; a temporary one does. */
static void note_skipped(struct delivery *d, const char *host, const struct error *err)
{
	struct outcome o = outcome_of_error(d->arena, err, cause_of(err));
	for (size_t i = 0; i < recipients(d); i++)
		tally_skip(&d->tally[i], &o);
	if (err->class != ERR_PERM)
		d->unasked = true;
	d->silent = d->silent || o.cause == CAUSE_NETWORK;
	if (o.cause == CAUSE_TLS) {
		struct tlsrpt_result r = lookup_report(d->lookup, d->rq->until);
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

/* What an attempt brought for each recipient; those that no other host may settle are settled. */
static void note_attempt(struct delivery *d, const char *host, const struct attempt_result *at)
{
	enum config_failover column = d->sv->config->failover;
	struct outcome trouble = { .event = EVENT_NONE };
	bool next = false;
	for (size_t i = 0; i < recipients(d); i++) {
		struct outcome o = at->outcome[i];
		if (d->settled[i])
			continue;
		if (refused_for_ipv6(d, at, &o)) {
			o.event = EVENT_REFUSED_IPV6;
			d->refused_host = host;
		}
		bool go_on = tally_note(&d->tally[i], column, &o);
		if (!go_on)
			settle(d, i, tally_verdict(&d->tally[i], column, false));
		if (o.event == EVENT_ACCEPTED)
			note_refused_ipv6(d);
		else if (trouble.event == EVENT_NONE) {
			trouble = o;
			next = go_on;
		}
	}
	if (trouble.event != EVENT_NONE)
		notes_host(d->sv, d->rq->envelope->queue_id, trouble.relay, &trouble, next);
	d->delays->connect += at->connect_ms;
	d->delays->transmit += at->transmit_ms;
}

static void add_broken_tls(struct delivery *d, const char *host, struct endpoint addr)
{
	if (d->nbroken < LIMIT_BROKEN_TLS)
		d->broken[d->nbroken++] = (struct broken_tls){ .host = host, .addr = addr };
}

static void remember_broken_tls(struct delivery *d, const char *host,
				const struct attempt_result *at)
{
	bool broken = false;
	for (size_t i = 0; i < recipients(d) && !broken; i++)
		broken = !d->settled[i] && at->outcome[i].event == EVENT_TLS_BROKEN;
	if (broken)
		add_broken_tls(d, host, at->peer);
}

/* One result for each session in which TLS was to be had or was missed, of the host that was looked
 * up last. */
static void report_session(struct delivery *d, const struct attempt_result *at)
{
	bool waived = message_facts(d->rq->message)->tls_required_no; /* nothing was looked at */
	if (!at->connected || at->resumed || waived ||
	    (!at->tls.secured && at->tls.failure == TLSRPT_NO_FAILURE))
		return;
	char sending[IP_TEXT], receiving[IP_TEXT];
	ip_format(at->local, sending);
	ip_format(at->peer.ip, receiving);
	struct tlsrpt_result r = lookup_report(d->lookup, d->rq->until);
	r.failure = at->tls.failure;
	r.sending_ip = sending;
	r.receiving_ip = receiving;
	r.helo = at->tls.helo;
	tlsreport_send(d->arena, d->sv, &r);
}

static bool may_go_on(struct delivery *d)
{
	struct io *io = d->sv->io;
	struct instant now = io_now(io);
	/* Asked anew: after a final dot nobody listened. */
	bool stopped = io_poll(io, NULL, 0, deadline_in(now, 0)) == IO_STOPPED;
	bool time_left = deadline_left_ms(d->rq->until, now) > 0;
	bool go = time_left && !stopped && d->sessions < d->sv->config->max_sessions;
	if (!go)
		d->unasked = true;
	return go;
}

static void forget_used(struct candidate *c, const bool *used)
{
	size_t kept = 0;
	for (size_t i = 0; i < c->naddr; i++) {
		if (!used[i])
			c->addr[kept++] = c->addr[i];
	}
	c->naddr = kept;
}

static void forget_ipv6(struct candidate *c)
{
	bool ipv6[LIMIT_ADDRS];
	for (size_t i = 0; i < c->naddr; i++)
		ipv6[i] = c->addr[i].ip.family == 6;
	forget_used(c, ipv6);
}

static bool try_addresses(struct delivery *d, const struct candidate *c, bool plain,
			  struct attempt_result *ret, struct error *err)
{
	struct attempt_request rq = {
		.host = c->host,
		.addr = c->addr,
		.naddr = c->naddr,
		.envelope = d->rq->envelope,
		.skip = d->settled,
		.message = d->rq->message,
		.until = d->rq->until,
		.demand = &c->demand,
		.plain = plain,
	};
	if (!attempt_run(d->arena, d->sv, &rq, ret, err))
		return false;
	if (ret->connected)
		d->sessions++;
	for (size_t i = 0; i < c->naddr; i++) {
		d->reached = d->reached || ret->fate[i] == FATE_GREETED;
		d->silent = d->silent || ret->fate[i] == FATE_SILENT;
	}
	notes_addresses(d->sv, &rq, ret);
	note_attempt(d, c->host, ret);
	return true;
}

/* All addresses of a host come before the next host. */
static bool try_host(struct delivery *d, struct candidate *c, struct error *err)
{
	struct attempt_result at;
	for (;;) {
		if (d->ipv4_only)
			forget_ipv6(c);
		if (c->naddr == 0 || d->open == 0 || !may_go_on(d))
			return true;
		if (!try_addresses(d, c, false, &at, err))
			return false;
		report_session(d, &at);
		remember_broken_tls(d, c->host, &at);
		forget_used(c, at.used);
	}
}

/* What is remembered of its addresses: some go to the end of the list, some are known for a TLS
 * that does not work. */
static bool sort_host(struct delivery *d, struct candidate *c, struct error *err)
{
	struct candidate late, plain;
	memory_sort(d->sv->memory, c, &late, &plain);
	for (size_t i = 0; i < plain.naddr; i++)
		add_broken_tls(d, plain.host, plain.addr[i]);
	if (late.naddr == 0)
		return true;
	if (!d->late && !(d->late = ARENA_NEW(d->arena, struct candidate, LIMIT_MX)))
		return err_nomem(err);
	d->late[d->nlate++] = late;
	return true;
}

/* Those that were silent lately: better than nothing. */
static bool try_late(struct delivery *d, struct error *err)
{
	for (size_t i = 0; i < d->nlate && d->open > 0; i++)
		if (!try_host(d, &d->late[i], err))
			return false;
	return true;
}

/* TLS was tried everywhere and nobody took it: where TLS is broken and not demanded, plain is still
 * better than not at all. */
static bool try_plain(struct delivery *d, struct error *err)
{
	for (size_t i = 0; i < d->nbroken && d->open > 0 && may_go_on(d); i++) {
		struct candidate c = { .host = d->broken[i].host, .naddr = 1 };
		struct attempt_result at;
		c.addr[0] = d->broken[i].addr;
		c.demand.level = DEMAND_MAY;
		if (!try_addresses(d, &c, true, &at, err))
			return false;
	}
	return true;
}

static enum lookup_say next_host(struct delivery *d, struct candidate *ret, struct error *why)
{
	struct instant start = io_now(d->sv->io);
	enum lookup_say say = lookup_next(d->lookup, d->rq->until, ret, why);
	d->delays->lookup += io_now(d->sv->io).ms - start.ms;
	return say;
}

static bool try_hosts(struct delivery *d, struct error *err)
{
	struct candidate c;
	struct error why;
	enum lookup_say say;
	while (d->open > 0 && (say = next_host(d, &c, &why)) != LOOKUP_END) {
		if (say == LOOKUP_SKIPPED) {
			note_skipped(d, c.host, &why);
			continue;
		}
		if (!may_go_on(d))
			break;
		if (!sort_host(d, &c, err) || !try_host(d, &c, err))
			return false;
	}
	return true;
}

/* Nobody took it: say why. */
static void settle_rest(struct delivery *d)
{
	for (size_t i = 0; i < recipients(d); i++) {
		struct tally *t = &d->tally[i];
		if (d->settled[i])
			continue;
		if (t->last.event == EVENT_NONE && d->unasked) {
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

/* The domain has no hosts to try. What DNS says of a domain is told as it is; our own trouble never
 * bounces. */
static void no_hosts(struct delivery *d, const struct error *err)
{
	enum cause cause = err->class == ERR_TEMP ? CAUSE_NETWORK : CAUSE_POLICY;
	d->silent = cause == CAUSE_NETWORK;
	struct outcome o = outcome_of_error(d->arena, err, cause);
	for (size_t i = 0; i < recipients(d); i++) {
		if (d->settled[i])
			continue;
		tally_skip(&d->tally[i], &o);
		settle(d, i, err->class == ERR_PERM ? END_FAILED : END_DEFERRED);
	}
}

/* The same answer for everybody, without a try. */
static void put_off(struct delivery *d, const struct outcome *o)
{
	for (size_t i = 0; i < recipients(d); i++) {
		if (d->settled[i])
			continue;
		tally_skip(&d->tally[i], o);
		settle(d, i, END_DEFERRED);
	}
}

/* Recipients that an earlier run delivered to, though its host never heard of it. */
static void settle_delivered(struct delivery *d)
{
	const struct delivery_request *rq = d->rq;
	const struct facts *facts = message_facts(rq->message);
	for (size_t i = 0; i < recipients(d); i++) {
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

/* Nobody answered there a moment ago: it need not be found out anew for each message. */
static bool is_down(struct delivery *d)
{
	const struct envelope *e = d->rq->envelope;
	struct memory_down down;
	char next[CLOCK_UTC];
	bool first = false;
	for (size_t i = 0; i < e->nrcpt && !first; i++)
		first = !d->settled[i] && !memory_tried(d->sv->memory, e, i);
	if (!memory_domain_down(d->sv->memory, d->arena, e->domain, first, &down))
		return false;
	clock_utc(down.next, next);
	const struct outcome o = {
		.event = EVENT_SKIPPED,
		.cause = CAUSE_NETWORK,
		.code = down.code,
		.relay = "none",
		.text = arena_fmt(d->arena, "%s (remembered; next try at %s)", down.why, next),
	};
	if (!o.text)
		return false;
	put_off(d, &o);
	return true;
}

/* The memory has the answer for everybody. */
static bool is_known(struct delivery *d)
{
	memory_hold(d->sv->memory, false);
	settle_delivered(d);
	bool known = d->open == 0 || is_down(d);
	memory_release(d->sv->memory);
	return known;
}

static bool look_up(struct delivery *d, struct error *why)
{
	const struct facts *facts = message_facts(d->rq->message);
	const struct lookup_request rq = {
		.domain = d->rq->envelope->domain,
		.requiretls = facts->requiretls || d->rq->envelope->requiretls,
		.tls_required_no = facts->tls_required_no,
		.until = d->rq->until,
	};
	struct instant start = io_now(d->sv->io);
	bool found = lookup_open(d->arena, d->sv, &rq, &d->lookup, why);
	d->delays->lookup += io_now(d->sv->io).ms - start.ms;
	return found;
}

static void note_ends(struct delivery *d)
{
	const struct envelope *e = d->rq->envelope;
	for (size_t i = 0; i < e->nrcpt; i++) {
		const struct delivery_result *r = &d->result[i];
		if (d->earlier[i])
			continue;
		memory_note_end(d->sv->memory, e, i, &r->outcome, r->end);
		bool trouble_of_ours = d->sv->io->stopped || (!d->reached && !d->silent);
		if (r->end == END_DELIVERED || r->end == END_FAILED || !trouble_of_ours)
			notes_domain(d->sv, e->domain, &r->outcome, r->end, d->reached);
	}
}

static bool deliver(struct delivery *d, struct error *err)
{
	struct error why;
	if (!look_up(d, &why))
		no_hosts(d, &why);
	else if (!try_hosts(d, err) || !try_late(d, err) || !try_plain(d, err))
		return false;
	settle_rest(d);
	note_ends(d);
	return true;
}

static bool deliver_in_slot(struct delivery *d, struct error *err)
{
	struct error why;
	int slot;
	if (!memory_slot(d->sv, d->rq->envelope->domain, d->rq->until, &slot, &why)) {
		struct outcome o = outcome_of_error(d->arena, &why, CAUSE_LOCAL);
		put_off(d, &o);
		return true;
	}
	bool ok = deliver(d, err);
	memory_leave(slot);
	return ok;
}

bool delivery_run(struct arena *a, const struct services *sv, const struct delivery_request *rq,
		  struct delivery_result *ret, struct log_delays *delays, struct error *err)
{
	size_t n = rq->envelope->nrcpt;
	struct delivery d = {
		.arena = a,
		.sv = sv,
		.rq = rq,
		.result = ret,
		.delays = delays,
		.tally = ARENA_NEW(a, struct tally, n),
		.settled = ARENA_NEW(a, bool, n),
		.earlier = ARENA_NEW(a, bool, n),
		.open = n,
	};
	if (!d.tally || !d.settled || !d.earlier)
		return err_nomem(err);
	if (is_known(&d))
		return true;
	return deliver_in_slot(&d, err);
}

struct delivery_result delivery_trouble(const struct error *err, const char *text)
{
	return (struct delivery_result){
		.outcome = { .event = EVENT_LOCAL,
			     .cause = CAUSE_LOCAL,
			     .code = err->code,
			     .relay = "none",
			     .text = text },
		.end = err->class == ERR_PERM ? END_FAILED : END_DEFERRED,
	};
}
