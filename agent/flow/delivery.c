/* SPDX-License-Identifier: ISC */
#include "flow/delivery.h"

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

static void log_host(const struct delivery *d, const char *host, const struct outcome *o, bool next)
{
	char storage[LIMIT_LOG_LINE + 1];
	struct buf line;
	struct log_host h = {
		.queue_id = d->rq->envelope->queue_id,
		.host = host,
		.event = failover_event_name(o->event),
		.security = o->security,
		.code = o->code,
		.text = o->text,
		.next = next,
	};
	buf_init(&line, storage, sizeof(storage));
	logline_host(&h, d->sv->config->log_format, &line);
	d->sv->journal.log(d->sv->journal.self, buf_cstr(&line));
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
	if (o.cause == CAUSE_TLS) {
		struct tlsrpt_result r = lookup_report(d->lookup, d->rq->until);
		r.info = o.text;
		tlsreport_send(d->arena, d->sv, &r);
	}
	log_host(d, host, &o, true);
}

/* What an attempt brought for each recipient; those that no other host may settle are settled. */
static void note_attempt(struct delivery *d, const struct attempt_result *at)
{
	const struct outcome *trouble = NULL;
	bool next = false;
	for (size_t i = 0; i < recipients(d); i++) {
		const struct outcome *o = &at->outcome[i];
		if (d->settled[i])
			continue;
		enum config_failover column = d->sv->config->failover;
		bool go_on = tally_note(&d->tally[i], column, o);
		if (!go_on)
			settle(d, i, tally_verdict(&d->tally[i], column, false));
		if (o->event != EVENT_ACCEPTED && !trouble) {
			trouble = o;
			next = go_on;
		}
	}
	if (trouble)
		log_host(d, trouble->relay, trouble, next);
	d->delays->connect += at->connect_ms;
	d->delays->transmit += at->transmit_ms;
}

static void remember_broken_tls(struct delivery *d, const char *host,
				const struct attempt_result *at)
{
	bool broken = false;
	for (size_t i = 0; i < recipients(d) && !broken; i++)
		broken = !d->settled[i] && at->outcome[i].event == EVENT_TLS_BROKEN;
	if (broken && d->nbroken < LIMIT_BROKEN_TLS)
		d->broken[d->nbroken++] = (struct broken_tls){ .host = host, .addr = at->peer };
}

/* One result for each session in which TLS was to be had or was missed, of the host that was looked
 * up last. */
static void report_session(struct delivery *d, const struct attempt_result *at)
{
	bool waived = message_facts(d->rq->message)->tls_required_no; /* nothing was looked at */
	if (!at->connected || waived || (!at->tls.secured && at->tls.failure == TLSRPT_NO_FAILURE))
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
	note_attempt(d, ret);
	return true;
}

/* All addresses of a host come before the next host. */
static bool try_host(struct delivery *d, struct candidate *c, struct error *err)
{
	while (c->naddr > 0 && d->open > 0 && may_go_on(d)) {
		struct attempt_result at;
		if (!try_addresses(d, c, false, &at, err))
			return false;
		report_session(d, &at);
		remember_broken_tls(d, c->host, &at);
		forget_used(c, at.used);
	}
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
		if (!try_host(d, &c, err))
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
	struct outcome o = outcome_of_error(d->arena, err, CAUSE_POLICY);
	for (size_t i = 0; i < recipients(d); i++) {
		tally_skip(&d->tally[i], &o);
		settle(d, i, err->class == ERR_PERM ? END_FAILED : END_DEFERRED);
	}
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
		.open = n,
	};
	struct error why;
	if (!d.tally || !d.settled)
		return err_nomem(err);

	struct instant start = io_now(sv->io);
	const struct facts *facts = message_facts(rq->message);
	const struct lookup_request lookup = {
		.domain = rq->envelope->domain,
		.requiretls = facts->requiretls,
		.tls_required_no = facts->tls_required_no,
		.until = rq->until,
	};
	bool found = lookup_open(a, sv, &lookup, &d.lookup, &why);
	delays->lookup += io_now(sv->io).ms - start.ms;
	if (!found)
		no_hosts(&d, &why);
	else if (!try_hosts(&d, err) || !try_plain(&d, err))
		return false;
	settle_rest(&d);
	return true;
}
