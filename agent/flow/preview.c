/* SPDX-License-Identifier: ISC */
#include "flow/preview.h"

#define MOST_STEPS (LIMIT_MX * LIMIT_ADDRS)

/* Addresses that wait for their turn, as the delivery keeps them. */
struct queue {
	struct preview_step step[MOST_STEPS];
	size_t n;
};

struct making {
	struct arena *arena;
	const struct services *sv;
	const char *domain;
	struct deadline until;
	struct preview *p;
	struct lookup *lookup;
	struct mxlist list; /* as lookup_open() left it */
	struct queue late, plain;
};

static void look_at_domain(struct making *m)
{
	struct preview *p = m->p;
	struct memory *memory = m->sv->memory;
	struct memory_down as_new;
	p->known = memory_known_domain(memory, m->arena, m->domain, &p->record);
	p->down = memory_domain_down(memory, m->arena, m->domain, false, &p->since);
	p->down_for_new = memory_domain_down(memory, m->arena, m->domain, true, &as_new);
}

static struct preview_address *find_address(const struct preview_host *h, struct ip ip)
{
	for (size_t i = 0; i < h->naddress; i++)
		if (h->address[i].is.verdict == VERDICT_USED && ip_equal(h->address[i].is.ip, ip))
			return &h->address[i];
	return NULL;
}

static void take_place(struct preview *p, struct preview_step step)
{
	p->step[p->nstep++] = step;
	p->host[step.host].address[step.address].place = p->nstep;
}

/* The addresses of *c, which belong to the host that is being added, in their turn. */
static void line_up(struct making *m, const struct candidate *c, enum preview_turn turn)
{
	struct preview *p = m->p;
	const struct preview_host *h = &p->host[p->nhost];
	for (size_t i = 0; i < c->naddr; i++) {
		struct preview_address *address = find_address(h, c->addr[i].ip);
		if (!address)
			continue;
		const struct preview_step step = { p->nhost, (size_t)(address - h->address) };
		if (turn == TURN_PLAIN && m->plain.n == LIMIT_BROKEN_TLS)
			continue; /* a delivery remembers no more either */
		address->turn = turn;
		if (turn == TURN_NOW)
			take_place(p, step);
		else if (turn == TURN_LATE)
			m->late.step[m->late.n++] = step;
		else
			m->plain.step[m->plain.n++] = step;
	}
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
		const struct endpoint at = { found.address[i].ip, m->sv->config->smtp_port };
		address->is = found.address[i];
		address->known = memory_known_host(m->sv->memory, m->arena, at, &address->record);
	}
	return true;
}

/* `why`: it is not used; NULL: it is. */
static bool add_host(struct making *m, const struct candidate *c, const struct error *why,
		     struct error *err)
{
	struct preview_host *h = &m->p->host[m->p->nhost];
	struct candidate now = *c, late, plain;
	h->name = c->host;
	h->pref = c->pref;
	h->used = why == NULL;
	if (!copy_addresses(m, h, err))
		return false;
	h->demand = h->tls->demand;
	if (why) {
		h->why = *why;
	} else {
		memory_sort(m->sv->memory, &now, &late, &plain);
		line_up(m, &now, TURN_NOW);
		line_up(m, &late, TURN_LATE);
		line_up(m, &plain, TURN_PLAIN);
	}
	m->p->nhost++;
	return true;
}

static bool walk(struct making *m, struct error *err)
{
	struct candidate c;
	struct error why;
	enum lookup_say say;
	while ((say = lookup_next(m->lookup, m->until, &c, &why)) != LOOKUP_END)
		if (!add_host(m, &c, say == LOOKUP_SKIPPED ? &why : NULL, err))
			return false;
	for (size_t i = 0; i < m->late.n; i++)
		take_place(m->p, m->late.step[i]);
	for (size_t i = 0; i < m->plain.n; i++)
		take_place(m->p, m->plain.step[i]);
	return true;
}

static bool was_walked(const struct preview *p, const char *host)
{
	for (size_t i = 0; i < p->nhost; i++)
		if (span_equal_nocase(span_of(p->host[i].name), span_of(host)))
			return true;
	return false;
}

static bool add_unused(struct making *m, struct error *err)
{
	struct preview *p = m->p;
	const struct mxlist_rules rules = { .max = m->sv->config->max_mx, .self = m->sv->own_name };
	if (!p->mx || p->mx->state != DNS_OK)
		return true;
	p->unused = ARENA_NEW(m->arena, struct preview_mx, p->mx->nrr);
	if (!p->unused)
		return err_nomem(err);
	for (size_t i = 0; i < p->mx->nrr && i < LIMIT_DNS_RRS; i++) {
		struct preview_mx mx = {
			.host = p->mx->rr[i].mx.host,
			.pref = p->mx->rr[i].mx.pref,
			.verdict = mxlist_explain(p->mx, &rules, p->found ? &m->list : NULL, i),
		};
		if (mx.verdict == MX_LISTED && was_walked(p, mx.host))
			continue;
		/* In the list, and it never came: the walk ended before, at this machine. */
		if (mx.verdict == MX_LISTED)
			mx.verdict = MX_BEHIND_US;
		p->unused[p->nunused++] = mx;
	}
	return true;
}

/* In one arena a question is asked once: this is the answer that the lookup had. */
static bool find_mx_answer(struct making *m, struct error *err)
{
	struct nexthop route;
	struct error why;
	if (!nexthop_of_domain(m->domain, &route, &why) || route.kind != NEXTHOP_MX)
		return true;
	m->p->mx = resolver_ask(m->sv->resolver, m->arena, m->domain, DNS_MX);
	return m->p->mx ? true : err_nomem(err);
}

static bool look_at_hosts(struct making *m, struct error *err)
{
	struct preview *p = m->p;
	struct lookup_about about = lookup_about(m->lookup);
	p->route = about.route;
	p->implicit = about.list->implicit;
	m->list = *about.list;
	if (!walk(m, err))
		return false;
	about = lookup_about(m->lookup);
	p->sts_txt = about.sts.txt;
	p->sts = about.sts.policy;
	return true;
}

static bool look_up(struct making *m, struct error *err)
{
	const struct lookup_request rq = { .domain = m->domain, .until = m->until };
	struct preview *p = m->p;
	p->found = lookup_open(m->arena, m->sv, &rq, &m->lookup, &p->why);
	if (!p->found && p->why.class == ERR_INTERNAL) {
		*err = p->why;
		return false;
	}
	return find_mx_answer(m, err) && (!p->found || look_at_hosts(m, err)) && add_unused(m, err);
}

bool preview_make(struct arena *a, const struct services *sv, const char *domain,
		  struct deadline until, struct preview *ret, struct error *err)
{
	struct making *m = ARENA_NEW(a, struct making, 1);
	struct preview p = {
		.host = ARENA_NEW(a, struct preview_host, LIMIT_MX),
		.step = ARENA_NEW(a, struct preview_step, MOST_STEPS),
	};
	if (!m || !p.host || !p.step)
		return err_nomem(err);
	m->arena = a;
	m->sv = sv;
	m->domain = domain;
	m->until = until;
	m->p = &p;
	look_at_domain(m);
	if (!look_up(m, err))
		return false;
	*ret = p;
	return true;
}

bool preview_probe(struct arena *a, const struct services *sv, const struct preview *p,
		   struct preview_step step, struct probe *ret, struct error *err)
{
	const struct preview_host *host = &p->host[step.host];
	const struct endpoint at = { host->address[step.address].is.ip, sv->config->smtp_port };
	const struct recipient nobody = { .text = "" };
	const struct envelope envelope = {
		.sender_text = "",
		.rcpt = &nobody,
		.nrcpt = 1,
		.domain = "",
		.queue_id = "",
	};
	struct probe probe = { .outcome = { .event = EVENT_NONE } };
	int64_t most = sv->config->connect_timeout + PREVIEW_PROBE;
	const struct attempt_request rq = {
		.host = host->name,
		.addr = &at,
		.naddr = 1,
		.envelope = &envelope,
		.until = deadline_in(io_now(sv->io), most),
		.demand = &host->demand,
		.probe = &probe.seen,
	};
	if (!attempt_run(a, sv, &rq, &probe.result, err))
		return false;
	probe.outcome = probe.result.outcome[0];
	*ret = probe;
	return true;
}
