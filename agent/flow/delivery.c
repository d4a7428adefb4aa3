/* SPDX-License-Identifier: ISC */
#include "flow/delivery_state.h"
#include "flow/notes.h"

/* What follows is about this way. */
static void enter(struct delivery *d, struct turn *turn)
{
	if (turn != d->turn)
		d->ipv4_only = false;
	d->turn = turn;
	d->sv = &turn->way->sv;
	memory_speak_from(d->sv->memory, d->sv->config);
}

static void add_broken_tls(struct delivery *d, const char *host, struct endpoint addr)
{
	if (d->nbroken < LIMIT_BROKEN_TLS)
		d->broken[d->nbroken++] = (struct broken_tls){ host, addr, d->turn };
}

static void remember_broken_tls(struct delivery *d, const char *host,
				const struct attempt_result *at)
{
	bool broken = false;
	for (size_t i = 0; i < delivery_recipients(d) && !broken; i++)
		broken = !d->settled[i] && at->outcome[i].event == EVENT_TLS_BROKEN;
	if (broken)
		add_broken_tls(d, host, at->peer);
}

static bool may_go_on(struct delivery *d)
{
	struct io *io = d->sv->io;
	struct instant now = io_now(io);
	/* Asked anew: after a final dot nobody listened. */
	bool stopped = io_poll(io, NULL, 0, deadline_in(now, 0)) == IO_STOPPED;
	bool time_left = deadline_left_ms(d->turn->until, now) > 0;
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
		.until = d->turn->until,
		.demand = &c->demand,
		.plain = plain,
		.route = delivery_is_direct(d) ? NULL : d->turn->way->name,
		.login = d->turn->way->login.user ? &d->turn->way->login : NULL,
	};
	if (!attempt_run(d->arena, d->sv, &rq, ret, err))
		return false;
	if (ret->connected)
		d->sessions++;
	for (size_t i = 0; i < c->naddr && delivery_is_direct(d); i++) {
		d->reached = d->reached || ret->fate[i] == FATE_GREETED;
		d->silent = d->silent || ret->fate[i] == FATE_SILENT;
	}
	notes_addresses(d->sv, &rq, ret);
	delivery_note_attempt(d, c->host, ret);
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
		delivery_report_session(d, c->host, &at);
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
	if (!d->late && !(d->late = ARENA_NEW(d->arena, struct late, LATE_MOST)))
		return err_nomem(err);
	if (d->nlate < LATE_MOST)
		d->late[d->nlate++] = (struct late){ late, d->turn };
	return true;
}

/* Those that were silent lately: better than nothing. */
static bool try_late(struct delivery *d, struct error *err)
{
	for (size_t i = 0; i < d->nlate && d->open > 0; i++) {
		enter(d, d->late[i].turn);
		if (!try_host(d, &d->late[i].candidate, err))
			return false;
	}
	return true;
}

/* TLS was tried everywhere and nobody took it: where TLS is broken and not demanded, plain is still
 * better than not at all. */
static bool try_plain(struct delivery *d, struct error *err)
{
	for (size_t i = 0; i < d->nbroken && d->open > 0; i++) {
		enter(d, d->broken[i].turn);
		if (!may_go_on(d))
			break;
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
	enum lookup_say say = lookup_next(d->turn->lookup, d->turn->until, ret, why);
	if (say == LOOKUP_SKIPPED)
		way_soften(d->turn->way, why);
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
			delivery_skip_host(d, c.host, &why);
			continue;
		}
		if (!may_go_on(d))
			break;
		if (!sort_host(d, &c, err) || !try_host(d, &c, err))
			return false;
	}
	return true;
}

static bool look_up(struct delivery *d, struct error *why)
{
	const struct facts *facts = message_facts(d->rq->message);
	const struct lookup_request rq = {
		.to = d->turn->way->to,
		.requiretls = facts->requiretls || d->rq->envelope->requiretls,
		.tls_required_no = facts->tls_required_no,
		.until = d->turn->until,
	};
	struct instant start = io_now(d->sv->io);
	bool found = lookup_open(d->arena, d->sv, &rq, &d->turn->lookup, why);
	d->delays->lookup += io_now(d->sv->io).ms - start.ms;
	return found;
}

static bool take_slot(struct delivery *d)
{
	struct turn *t = d->turn;
	struct error why;
	if (memory_slot(d->sv, t->way->to.name, t->until, &t->slot, &why))
		return true;
	delivery_skip_local(d, &why);
	return false;
}

static bool fits(const struct delivery *d, struct error *err)
{
	const struct intake_limits limits = intake_limits_of(d->sv->config);
	return !d->turn->way->route || message_fits(d->rq->message, &limits, err);
}

/* One way: its hosts, as long as somebody is left who has not got it. */
static bool try_way(struct delivery *d, struct error *err)
{
	struct error why;
	if (delivery_is_direct(d) && delivery_is_down(d)) {
		delivery_skip(d, &d->down_outcome);
		notes_host(d->sv, d->rq->envelope->queue_id, d->turn->way->to.name,
			   &d->down_outcome, true);
		d->unasked = true;
		return true;
	}
	if (!take_slot(d))
		return true;
	d->tried = true;
	if (!fits(d, &why)) {
		delivery_skip_host(d, d->turn->way->to.name, &why);
		return true;
	}
	if (look_up(d, &why))
		return try_hosts(d, err);
	way_soften(d->turn->way, &why);
	delivery_skip_way(d, &why);
	return true;
}

static bool try_ways(struct delivery *d, struct error *err)
{
	struct instant now = io_now(d->sv->io);
	for (size_t i = 0; i < d->ways.n; i++) {
		struct turn *t = &d->turns[i];
		struct deadline own = deadline_in(now, d->ways.way[i].config.deadline);
		*t = (struct turn){ .way = &d->ways.way[i], .until = d->rq->until, .slot = -1 };
		if (t->way->route)
			t->until = deadline_min(own, d->rq->until);
	}
	for (size_t i = 0; i < d->ways.n && d->open > 0 && !d->ended; i++) {
		enter(d, &d->turns[i]);
		if (i > 0 && !may_go_on(d))
			break;
		if (!try_way(d, err))
			return false;
	}
	return true;
}

static bool deliver(struct delivery *d, struct error *err)
{
	bool ok = try_ways(d, err) && try_late(d, err) && try_plain(d, err);
	for (size_t i = 0; i < d->ways.n; i++)
		memory_leave(d->turns[i].slot);
	if (!ok)
		return false;
	delivery_settle_rest(d);
	if (d->tried)
		delivery_note_ends(d);
	return true;
}

static bool find_ways(struct delivery *d, struct error *err)
{
	const struct envelope *e = d->rq->envelope;
	struct ways *w = &d->ways;
	const struct ways_request rq = {
		.domain = e->domain,
		.sender = e->sender_text,
		.sized = true,
		.size = message_facts(d->rq->message)->size,
		.secrets = true,
	};
	if (!ways_find(d->arena, d->sv, &rq, w, err))
		return false;
	if (w->memory_missed)
		d->sv->journal.log(d->sv->journal.self,
				   "failing_for of a route has no effect without state_directory");
	bool direct_only = w->n == 1 && w->way[0].direct;
	d->own = direct_only ? d->tally : ARENA_NEW(d->arena, struct tally, e->nrcpt);
	d->turns = ARENA_NEW(d->arena, struct turn, w->n);
	return (d->own && d->turns) || err_nomem(err);
}

/* What needs no network: who has it already, where it may go, and that nobody answers there. */
static bool look_back(struct delivery *d, struct error *err)
{
	struct error why;
	delivery_settle_delivered(d);
	if (d->open == 0)
		return true;
	if (!find_ways(d, &why)) {
		if (why.class == ERR_INTERNAL)
			*err = why;
		else
			delivery_refuse(d, &why);
		return why.class != ERR_INTERNAL;
	}
	if (d->ways.way[0].direct && delivery_is_down(d) && d->ways.n == 1)
		delivery_put_off(d, &d->down_outcome);
	return true;
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
		.by_domain = ARENA_NEW(a, bool, n),
		.earlier = ARENA_NEW(a, bool, n),
		.open = n,
	};
	if (!d.tally || !d.settled || !d.by_domain || !d.earlier)
		return err_nomem(err);
	memory_hold(sv->memory, false);
	bool ok = look_back(&d, err);
	memory_release(sv->memory);
	return ok && (d.open == 0 || deliver(&d, err));
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
