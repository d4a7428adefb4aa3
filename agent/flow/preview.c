/* SPDX-License-Identifier: ISC */
#include "flow/preview.h"

#define NOBODY "?" /* only a pattern that fits every sender fits this one */

/* Addresses that wait for their turn, as the delivery keeps them. */
struct queued {
	struct queued *next;
	struct preview_step step;
};
struct queue {
	struct queued *first, *last;
	size_t n;
};

struct making {
	struct arena *arena;
	const struct services *sv;
	const struct preview_request *rq;
	struct preview *p;
	struct queue now, late, plain;
	/* of the way that is looked at */
	struct preview_way *way;
	struct lookup *lookup;
	struct mxlist list; /* as lookup_open() left it */
};

static void look_at_domain(struct making *m)
{
	struct preview *p = m->p;
	struct memory *memory = m->sv->memory;
	const char *domain = m->rq->domain;
	struct memory_down as_new;
	p->known = memory_known_domain(memory, m->arena, domain, &p->record);
	p->down = memory_domain_down(memory, m->arena, domain, false, &p->since);
	p->down_for_new = memory_domain_down(memory, m->arena, domain, true, &as_new);
}

static struct preview_address *find_address(const struct preview_host *h, struct ip ip)
{
	for (size_t i = 0; i < h->naddress; i++)
		if (h->address[i].is.verdict == VERDICT_USED && ip_equal(h->address[i].is.ip, ip))
			return &h->address[i];
	return NULL;
}

static bool queue_add(struct making *m, struct queue *q, struct preview_step step)
{
	struct queued *one = ARENA_NEW(m->arena, struct queued, 1);
	if (!one)
		return false;
	one->step = step;
	if (q->last)
		q->last->next = one;
	else
		q->first = one;
	q->last = one;
	q->n++;
	return true;
}

/* The addresses of *c, which belong to the host that is being added, in their turn. */
static bool line_up(struct making *m, const struct candidate *c, enum preview_turn turn,
		    struct error *err)
{
	struct queue *q = turn == TURN_NOW ? &m->now : turn == TURN_LATE ? &m->late : &m->plain;
	const struct preview_host *h = &m->way->host[m->way->nhost];
	for (size_t i = 0; i < c->naddr; i++) {
		struct preview_address *address = find_address(h, c->addr[i].ip);
		if (!address)
			continue;
		const struct preview_step step = {
			.way = (size_t)(m->way - m->p->way),
			.host = m->way->nhost,
			.address = (size_t)(address - h->address),
		};
		if (turn == TURN_PLAIN && q->n == LIMIT_BROKEN_TLS)
			continue; /* a delivery remembers no more either */
		address->turn = turn;
		if (!queue_add(m, q, step))
			return err_nomem(err);
	}
	return true;
}

static bool copy_addresses(struct making *m, struct preview_host *h, struct error *err)
{
	struct lookup_host found;
	if (!lookup_explain(m->arena, m->lookup, &found, err))
		return false;
	h->tls = found.tls;
	h->naddress = found.naddress;
	h->address = ARENA_NEW(m->arena, struct preview_address, found.naddress + 1);
	if (!h->address)
		return err_nomem(err);
	for (size_t i = 0; i < found.naddress; i++) {
		struct preview_address *address = &h->address[i];
		const struct endpoint at = { found.address[i].ip, m->way->is->config.smtp_port };
		address->is = found.address[i];
		address->known = memory_known_host(m->sv->memory, m->arena, at, &address->record);
	}
	return true;
}

/* `why`: it is not used; NULL: it is. */
static bool add_host(struct making *m, const struct candidate *c, const struct error *why,
		     struct error *err)
{
	struct preview_host *h = &m->way->host[m->way->nhost];
	struct candidate now = *c, late, plain;
	h->name = c->host;
	h->pref = c->pref;
	h->used = why == NULL;
	if (!copy_addresses(m, h, err))
		return false;
	h->demand = h->tls->demand;
	if (why) {
		h->why = *why;
		way_soften(m->way->is, &h->why);
	} else {
		memory_sort(m->sv->memory, &now, &late, &plain);
		if (!line_up(m, &now, TURN_NOW, err) || !line_up(m, &late, TURN_LATE, err) ||
		    !line_up(m, &plain, TURN_PLAIN, err))
			return false;
	}
	m->way->nhost++;
	return true;
}

static bool walk(struct making *m, struct error *err)
{
	struct candidate c;
	struct error why;
	enum lookup_say say;
	m->way->host = ARENA_NEW(m->arena, struct preview_host, m->list.n);
	if (!m->way->host)
		return err_nomem(err);
	while ((say = lookup_next(m->lookup, m->rq->until, &c, &why)) != LOOKUP_END)
		if (!add_host(m, &c, say == LOOKUP_SKIPPED ? &why : NULL, err))
			return false;
	return true;
}

static bool was_walked(const struct preview_way *w, const char *host)
{
	for (size_t i = 0; i < w->nhost; i++)
		if (span_equal_nocase(span_of(w->host[i].name), span_of(host)))
			return true;
	return false;
}

static bool add_unused(struct making *m, struct error *err)
{
	struct preview_way *w = m->way;
	const struct mxlist_rules rules = {
		.max = w->is->config.max_mx,
		.self = w->is->sv.own_name,
	};
	if (!w->mx || w->mx->state != DNS_OK)
		return true;
	w->unused = ARENA_NEW(m->arena, struct preview_mx, w->mx->nrr);
	if (!w->unused)
		return err_nomem(err);
	for (size_t i = 0; i < w->mx->nrr && i < LIMIT_DNS_RRS; i++) {
		struct preview_mx mx = {
			.host = w->mx->rr[i].mx.host,
			.pref = w->mx->rr[i].mx.pref,
			.verdict = mxlist_explain(w->mx, &rules, w->found ? &m->list : NULL, i),
		};
		if (mx.verdict == MX_LISTED && was_walked(w, mx.host))
			continue;
		/* In the list, and it never came: the walk ended before, at this machine. */
		if (mx.verdict == MX_LISTED)
			mx.verdict = MX_BEHIND_US;
		w->unused[w->nunused++] = mx;
	}
	return true;
}

/* In one arena a question is asked once: this is the answer that the lookup had. */
static bool find_mx_answer(struct making *m, struct error *err)
{
	struct preview_way *w = m->way;
	if (w->is->to.kind != NEXTHOP_MX)
		return true;
	w->mx = resolver_ask(m->sv->resolver, m->arena, w->is->to.name, DNS_MX);
	return w->mx ? true : err_nomem(err);
}

static bool look_at_hosts(struct making *m, struct error *err)
{
	struct preview_way *w = m->way;
	struct lookup_about about = lookup_about(m->lookup);
	w->implicit = w->mx && about.list->implicit;
	m->list = *about.list;
	if (!walk(m, err))
		return false;
	about = lookup_about(m->lookup);
	w->sts_txt = about.sts.txt;
	w->sts = about.sts.policy;
	return true;
}

static bool look_up(struct making *m, struct error *err)
{
	struct preview_way *w = m->way;
	const struct lookup_request rq = { .to = w->is->to, .until = m->rq->until };
	memory_speak_from(w->is->sv.memory, &w->is->config);
	w->found = lookup_open(m->arena, &w->is->sv, &rq, &m->lookup, &w->why);
	if (!w->found && w->why.class == ERR_INTERNAL) {
		*err = w->why;
		return false;
	}
	if (!w->found)
		way_soften(w->is, &w->why);
	return find_mx_answer(m, err) && (!w->found || look_at_hosts(m, err)) && add_unused(m, err);
}

/* ---- the ways ---- */

static bool is_too_large(const struct making *m, const struct config *c, struct error *why)
{
	uint64_t limit = c->message_size_limit;
	if (!m->rq->sized || limit == 0 || m->rq->size <= limit)
		return false;
	err_set(why, ERR_PERM, ESC(5, 3, 4),
		"the message is larger than %llu bytes (message_size_limit)",
		(unsigned long long)limit);
	return true;
}

/* What can be told of a way without any lookup. `end`: a way before has had the last word. */
static bool is_left_out(struct making *m, bool end, struct error *why)
{
	const struct way *way = m->way->is;
	const struct preview *p = m->p;
	/* What is too large for its domain is not even taken in. */
	if (is_too_large(m, m->sv->config, why))
		return true;
	if (end)
		err_set(why, ERR_PERM, (struct esc){ 0 },
			"DNS has the last word of a way before it");
	else if (way->direct && p->down_for_new && !p->put_off)
		err_set(why, ERR_TEMP, p->since.code, "%s", p->since.why);
	else
		return is_too_large(m, &way->config, why);
	return true;
}

static bool look_at_ways(struct making *m, struct error *err)
{
	bool end = false;
	for (size_t i = 0; i < m->p->ways.n; i++) {
		struct preview_way *w = m->way = &m->p->way[i];
		w->is = &m->p->ways.way[i];
		w->left_out = is_left_out(m, end, &w->why);
		if (!w->left_out && !look_up(m, err))
			return false;
		/* What DNS says of the recipients' own domain for good: no way behind it is taken.
		 */
		end = end ||
		      (w->is->direct && !w->left_out && !w->found && w->why.class == ERR_PERM);
	}
	return true;
}

/* A domain that cannot be a name has no ways; as one it is told like a name that DNS does not have.
 */
static bool make_stub(struct making *m, const struct error *why, struct error *err)
{
	struct way *way = ARENA_NEW(m->arena, struct way, 1);
	struct preview_way *w = ARENA_NEW(m->arena, struct preview_way, 1);
	if (!way || !w)
		return err_nomem(err);
	way->name = "";
	way->direct = true;
	way->to = (struct nexthop){ .kind = NEXTHOP_MX, .name = m->rq->domain };
	way->config = *m->sv->config;
	w->is = way;
	w->why = *why;
	m->p->ways = (struct ways){ .way = way, .n = 1 };
	m->p->way = w;
	return true;
}

static bool find_ways(struct making *m, struct error *err)
{
	const struct ways_request rq = {
		.domain = m->rq->domain,
		.sender = m->rq->sender ? m->rq->sender : NOBODY,
		.sized = m->rq->sized,
		.size = m->rq->size,
		.secrets = m->rq->secrets,
	};
	struct preview *p = m->p;
	struct error why;
	if (!ways_find(m->arena, m->sv, &rq, &p->ways, &why)) {
		if (why.class == ERR_PERM)
			return make_stub(m, &why, err);
		*err = why;
		return false;
	}
	p->way = ARENA_NEW(m->arena, struct preview_way, p->ways.n);
	if (!p->way)
		return err_nomem(err);
	p->put_off = p->down;
	for (size_t i = 0; i < p->ways.n; i++) {
		p->put_off = p->put_off && p->ways.way[i].direct;
		/* Reports are about deliveries. */
		p->ways.way[i].config.tlsrpt_socket = "";
	}
	return look_at_ways(m, err);
}

/* ---- the order ---- */

static void take_places(struct preview *p, const struct queue *q)
{
	for (const struct queued *one = q->first; one; one = one->next) {
		struct preview_host *h = &p->way[one->step.way].host[one->step.host];
		p->step[p->nstep++] = one->step;
		h->address[one->step.address].place = p->nstep;
	}
}

static bool put_in_order(struct making *m, struct error *err)
{
	struct preview *p = m->p;
	size_t n = m->now.n + m->late.n + m->plain.n;
	p->step = ARENA_NEW(m->arena, struct preview_step, n + 1);
	if (!p->step)
		return err_nomem(err);
	take_places(p, &m->now);
	take_places(p, &m->late);
	take_places(p, &m->plain);
	return true;
}

bool preview_make(struct arena *a, const struct services *sv, const struct preview_request *rq,
		  struct preview *ret, struct error *err)
{
	struct making *m = ARENA_NEW(a, struct making, 1);
	struct preview p = { .nstep = 0 };
	if (!m)
		return err_nomem(err);
	m->arena = a;
	m->sv = sv;
	m->rq = rq;
	m->p = &p;
	look_at_domain(m);
	if (!find_ways(m, err) || !put_in_order(m, err))
		return false;
	*ret = p;
	return true;
}

bool preview_probe(struct arena *a, const struct preview *p, struct preview_step step,
		   struct probe *ret, struct error *err)
{
	const struct way *way = p->way[step.way].is;
	const struct preview_host *host = &p->way[step.way].host[step.host];
	const struct endpoint at = { host->address[step.address].is.ip, way->config.smtp_port };
	const struct recipient nobody = { .text = "" };
	const struct envelope envelope = {
		.sender_text = "",
		.rcpt = &nobody,
		.nrcpt = 1,
		.domain = "",
		.queue_id = "",
	};
	struct probe probe = { .outcome = { .event = EVENT_NONE } };
	int64_t most = way->config.connect_timeout + PREVIEW_PROBE;
	const struct attempt_request rq = {
		.host = host->name,
		.addr = &at,
		.naddr = 1,
		.envelope = &envelope,
		.until = deadline_in(io_now(way->sv.io), most),
		.demand = &host->demand,
		.login = way->login.user ? &way->login : NULL,
		.probe = &probe.seen,
	};
	if (!attempt_run(a, &way->sv, &rq, &probe.result, err))
		return false;
	probe.outcome = probe.result.outcome[0];
	*ret = probe;
	return true;
}
