/* SPDX-License-Identifier: ISC */
/* The plan for a person. */
#include "core/health.h"
#include "flow/stspolicy.h"
#include "front/ctl_plan.h"
#include "front/ctl_table.h"

#define COLUMNS(columns, hidden)                                                                   \
	((columns) + (hidden)), sizeof(columns) / sizeof((columns)[0]) - (hidden)
#define PATTERNS 10 /* of an MTA-STS policy; large receivers have three */

static const char *reason_of(struct page *p, const struct error *why)
{
	return page_reason(p, why->code, span_of(why->text));
}

static const struct preview_way *way_of(const struct plan_report *r, struct preview_step step)
{
	return &r->preview->way[step.way];
}

static const struct preview_host *host_of(const struct plan_report *r, struct preview_step step)
{
	return &way_of(r, step)->host[step.host];
}

static const char *relay(struct page *p, const struct plan_report *r, struct preview_step step)
{
	const struct preview_host *h = host_of(r, step);
	const struct endpoint at = {
		.ip = h->address[step.address].is.ip,
		.port = way_of(r, step)->is->config.smtp_port,
	};
	char text[ENDPOINT_TEXT];
	endpoint_format(at, text);
	return page_fmt(p, "%s%s", h->name[0] == '[' ? "" : h->name, text);
}

/* Without routes the port is the same for all: it stands with the domain. */
static const char *address_text(struct page *p, const struct plan_report *r,
				const struct preview_way *w, struct ip ip)
{
	uint16_t port = plan_is_routed(r) ? w->is->config.smtp_port : 25;
	return page_address(p, (struct endpoint){ ip, port });
}

/* The first column of the tables, if there are routes to tell apart. */
static const char *way_number(struct page *p, const struct plan_report *r,
			      const struct preview_way *w)
{
	return page_fmt(p, "%zu", (size_t)(w - r->preview->way) + 1);
}

static size_t hidden_columns(const struct plan_report *r)
{
	return plan_is_routed(r) ? 0 : 1;
}

/* ---- the domain ---- */

static const char *route_text(const struct preview_way *w)
{
	if (w->is->to.kind == NEXTHOP_LITERAL)
		return "address literal: straight to that address";
	if (w->is->to.kind == NEXTHOP_HOST)
		return "the addresses of a host that the route names";
	if (!w->mx)
		return "none";
	switch (w->mx->state) {
	case DNS_PENDING:
	case DNS_TEMP:
		break;
	case DNS_OK:
		return w->mx->authentic ? "MX records, signed (DNSSEC)" : "MX records, not signed";
	case DNS_NODATA:
		return "no MX records: the addresses of the domain itself";
	case DNS_NXDOMAIN:
		return "the domain does not exist";
	}
	return "the lookup failed";
}

static const char *failover_text(const struct config *c)
{
	switch (c->failover) {
	case FAILOVER_NO_RESPONSE:
		return "no-response: only silence lets the next host be tried";
	case FAILOVER_TEMPFAIL:
		return "tempfail: silence and a temporary refusal let the next host be tried";
	case FAILOVER_ANY_ERROR:
		break;
	}
	return "any-error: silence and any refusal let the next host be tried";
}

static const char *limits_text(struct page *p, const struct config *c)
{
	const char *slots =
		c->max_per_destination == 0
			? "any number of deliveries"
			: page_fmt(p, "%u deliveries", (unsigned)c->max_per_destination);
	return page_fmt(p, "%s at a time (max_per_destination), %u sessions each (max_sessions)",
			slots, (unsigned)c->max_sessions);
}

static const char *patterns(struct page *p, const struct sts_policy *policy)
{
	const char *text = "";
	for (size_t i = 0; i < policy->nmx && i < PATTERNS; i++)
		text = page_fmt(p, "%s%s%s", text, i ? " " : "", policy->mx[i]);
	if (policy->nmx <= PATTERNS)
		return text;
	return page_fmt(p, "%s and %zu more", text, policy->nmx - PATTERNS);
}

static const char *policy_text(struct page *p, const struct stspolicy *sts)
{
	const char *hosts =
		sts->policy->nmx > 0 ? page_fmt(p, "; hosts: %s", patterns(p, sts->policy)) : "";
	const char *fetched = sts->remembered ? page_fmt(p, "fetched %s", page_ago(p, sts->fetched))
					      : "fetched now and not kept";
	return page_fmt(p, "%s, %s, holds until %s%s", plan_mode(sts->policy), fetched,
			page_moment(p, sts->until), hosts);
}

/* Was TLS looked at for some host at all? */
static bool is_any_demand(const struct preview_way *w)
{
	for (size_t i = 0; i < w->nhost; i++)
		if (w->host[i].demand.because)
			return true;
	return false;
}

static const char *sts_text(struct page *p, const struct preview_way *w)
{
	const struct stspolicy *sts = w->sts;
	struct span id;
	if (!w->sts_txt)
		return "mta_sts = no";
	if (!sts)
		return is_any_demand(w) ? "not looked for: DANE has the say"
					: "not looked for: no host can be used";
	if (sts->failed)
		return page_fmt(p, "none in force: %s", sts->why.text);
	if (sts->policy)
		return policy_text(p, sts);
	if (w->sts_txt->state == DNS_TEMP)
		return page_fmt(p, "TXT lookup: %s", w->sts_txt->why);
	return sts_record(w->sts_txt, &id) ? "a record, but policies are not fetched" : "no record";
}

static const char *memory_text(struct page *p, const struct plan_report *r)
{
	const struct preview *v = r->preview;
	const struct record_domain *d = &v->record;
	if (r->services->no_memory)
		return page_fmt(p, "none: %s", r->services->no_memory);
	if (!v->known)
		return "nothing bad is known";
	const char *reason = page_reason(p, d->code, d->why);
	if (d->fails == 0)
		return page_fmt(p, "nothing delivered since %s: %s",
				page_moment(p, d->failing_since), reason);
	return page_fmt(p, "no host answered, %u %s in a row, last %s: %s", d->fails,
			d->fails == 1 ? "run" : "runs", page_ago(p, d->last_fail), reason);
}

static const char *state_text(struct page *p, const struct plan_report *r)
{
	const struct preview *v = r->preview;
	const struct error *trouble = plan_trouble(v);
	if (trouble)
		return page_fmt(p, "nothing to try: %s", reason_of(p, trouble));
	if (v->nstep == 0)
		return "nothing to try: no address can be used";
	if (v->put_off)
		return page_fmt(p, "down: %s answered from memory until %s",
				v->down_for_new ? "all mail is" : "mail that was tried before is",
				page_moment(p, v->since.next));
	if (!r->probe)
		return "would be tried now";
	return r->deliverable ? "ready for mail" : "no host is ready for mail";
}

static const char *mail_text(struct page *p, const struct preview_request *rq)
{
	const char *size = rq->sized ? page_fmt(p, "%llu bytes", (unsigned long long)rq->size)
				     : "of unknown size";
	const char *sender = rq->sender
				     ? page_fmt(p, "from <%s>", page_text(p, span_of(rq->sender)))
				     : "the sender is not known";
	return page_fmt(p, "%s, %s", size, sender);
}

static void show_domain(struct page *p, const struct plan_report *r)
{
	const struct preview_way *w = &r->preview->way[0];
	bool routed = plan_is_routed(r);
	page_heading(p, page_fmt(p, "Domain %s", page_text(p, span_of(r->services->domain))));
	page_field(p, "State", state_text(p, r));
	if (r->request->sized || r->request->sender)
		page_field(p, "Message", mail_text(p, r->request));
	if (!routed) {
		page_field(p, "Route", route_text(w));
		page_field(p, "Port", page_fmt(p, "%u", (unsigned)w->is->config.smtp_port));
		page_field(p, "Failover", failover_text(&w->is->config));
	}
	page_field(p, "Limits", limits_text(p, &r->services->config));
	if (!routed && w->is->to.kind == NEXTHOP_MX && w->found)
		page_field(p, "MTA-STS", sts_text(p, w));
	page_field(p, "Memory", memory_text(p, r));
}

/* ---- routes and ways ---- */

static void show_routes(struct page *p, const struct plan_report *r)
{
	static const struct table_column columns[] = {
		{ "PRIORITY", true }, { "PATTERN", false }, { "LOGIN", false }, { "USED", false }
	};
	const struct ways *ways = &r->preview->ways;
	size_t used = 0;
	struct table t;
	table_init(&t, COLUMNS(columns, 0));
	for (size_t i = 0; i < ways->nroute; i++) {
		const struct route *route = &ways->route[i];
		bool matches = ways->verdict[i] == ROUTE_MATCHES;
		const char *cell[] = {
			page_fmt(p, "%llu", (unsigned long long)route->priority),
			page_text(p, span_of(route->pattern)),
			route->user[0] ? page_text(p, span_of(route->user)) : "-",
			matches ? "yes" : page_fmt(p, "no: %s", plan_verdict(r, i)),
		};
		table_add(&t, p, cell,
			  page_fmt(p, "%s: %s", page_text(p, span_of(route->origin)),
				   plan_route_text(p, route)));
		used += matches;
	}
	if (t.nrow > 0)
		page_heading(p, page_fmt(p, "Routes: %zu of %zu used", used, t.nrow));
	table_print(&t, p);
}

/* "": it is tried like any other. */
static const char *way_state(struct page *p, const struct preview *v, const struct preview_way *w)
{
	if (w->left_out)
		return page_fmt(p, "left out: %s", reason_of(p, &w->why));
	if (!w->found)
		return page_fmt(p, "nothing to try: %s", reason_of(p, &w->why));
	if (w->is->direct && v->down && !v->put_off)
		return page_fmt(p, "left out for mail that was tried before, until %s: %s",
				page_moment(p, v->since.next),
				page_reason(p, v->since.code, span_of(v->since.why)));
	return "";
}

static const char *goal_text(struct page *p, const struct way *way)
{
	const char *name = page_text(p, span_of(way->to.name));
	return page_fmt(p, "%s%s, port %u", way->to.kind == NEXTHOP_MX ? "the MX hosts of " : "",
			name, (unsigned)way->config.smtp_port);
}

static void show_way(struct page *p, const struct preview *v, const struct preview_way *w)
{
	const struct way *way = w->is;
	const char *state = way_state(p, v, w);
	page_heading(p, page_fmt(p, "Way %zu: %s", (size_t)(w - v->way) + 1,
				 page_text(p, span_of(way->name))));
	if (state[0])
		page_field(p, "State", state);
	page_field(p, "To", goal_text(p, way));
	if (way->to.kind == NEXTHOP_MX && w->mx)
		page_field(p, "Route", route_text(w));
	if (way->route->user[0])
		page_field(p, "Login",
			   page_fmt(p, "as %s, after TLS has proven the server",
				    page_text(p, span_of(way->route->user))));
	page_field(p, "Failover", failover_text(&way->config));
	if (way->to.kind == NEXTHOP_MX && w->found)
		page_field(p, "MTA-STS", sts_text(p, w));
}

static void show_ways(struct page *p, const struct plan_report *r)
{
	const struct preview *v = r->preview;
	for (size_t i = 0; plan_is_routed(r) && i < v->ways.n; i++)
		show_way(p, v, &v->way[i]);
}

/* ---- the order ---- */

static const char *pref_text(struct page *p, const struct preview_way *w,
			     const struct preview_host *h)
{
	return w->is->to.kind == NEXTHOP_MX ? page_fmt(p, "%u", (unsigned)h->pref) : "-";
}

static const char *health_text(struct page *p, const struct preview_address *a)
{
	const struct record_host *h = &a->record;
	const char *tls = a->known && health_tls_broken(h, p->now) ? ", TLS broken" : "";
	if (a->known && h->fails > 0)
		return page_fmt(p, "%u %s, next try %s%s", h->fails,
				h->fails == 1 ? "failure" : "failures",
				page_until(p, health_host_next(h)), tls);
	if (a->known && h->last_good > 0)
		return page_fmt(p, "good %s, %u ms%s", page_ago(p, h->last_good), h->connect_ms,
				tls);
	return tls[0] ? "TLS broken" : "-";
}

static const char *why_then(struct page *p, const struct preview_address *a)
{
	const char *why = a->known ? page_text(p, a->record.why) : "";
	if (a->turn == TURN_LATE)
		return page_fmt(p, "after all others: %s", why);
	if (a->turn == TURN_PLAIN)
		return page_fmt(p, "at the end and without TLS, which failed %s",
				page_ago(p, a->record.tls_last_fail));
	return a->known && a->record.fails > 0 ? why : "";
}

static void show_order(struct page *p, const struct plan_report *r)
{
	static const struct table_column columns[] = {
		{ "WAY", true },      { "TRY", true },  { "PREF", true },    { "HOST", false },
		{ "ADDRESS", false }, { "TLS", false }, { "MEMORY", false },
	};
	const struct preview *v = r->preview;
	size_t hidden = hidden_columns(r);
	struct table t;
	table_init(&t, COLUMNS(columns, hidden));
	for (size_t i = 0; i < v->nstep; i++) {
		const struct preview_way *w = way_of(r, v->step[i]);
		const struct preview_host *h = host_of(r, v->step[i]);
		const struct preview_address *a = &h->address[v->step[i].address];
		const char *cell[] = { way_number(p, r, w),
				       page_fmt(p, "%zu", a->place),
				       pref_text(p, w, h),
				       page_text(p, span_of(h->name)),
				       address_text(p, r, w, a->is.ip),
				       a->turn == TURN_PLAIN ? "none" : plan_level(h),
				       health_text(p, a) };
		table_add(&t, p, cell + hidden, why_then(p, a));
	}
	if (t.nrow > 0)
		page_heading(p, page_fmt(p, "Order of attempts: %zu", t.nrow));
	table_print(&t, p);
}

/* ---- what is not used ---- */

static void add_unused_host(struct page *p, const struct plan_report *r,
			    const struct preview_way *w, const struct preview_host *h,
			    struct table *t)
{
	const char *cell[] = { way_number(p, r, w), pref_text(p, w, h),
			       page_text(p, span_of(h->name)), "-", "" };
	if (!h->used) {
		cell[4] = reason_of(p, &h->why);
		table_add(t, p, cell + hidden_columns(r), NULL);
	}
	for (size_t i = 0; i < h->naddress; i++) {
		const struct plan_address *a = &h->address[i].is;
		cell[3] = address_text(p, r, w, a->ip);
		cell[4] = plan_refusal(p, a);
		if (cell[4][0])
			table_add(t, p, cell + hidden_columns(r), NULL);
	}
}

static void add_unused(struct page *p, const struct plan_report *r, const struct preview_way *w,
		       struct table *t)
{
	for (size_t i = 0; i < w->nhost; i++)
		add_unused_host(p, r, w, &w->host[i], t);
	for (size_t i = 0; i < w->nunused; i++) {
		const struct preview_mx *mx = &w->unused[i];
		const char *cell[] = { way_number(p, r, w), page_fmt(p, "%u", (unsigned)mx->pref),
				       page_text(p, span_of(mx->host[0] ? mx->host : ".")), "-",
				       plan_mx_refusal(mx) };
		table_add(t, p, cell + hidden_columns(r), NULL);
	}
}

static void show_unused(struct page *p, const struct plan_report *r)
{
	static const struct table_column columns[] = { { "WAY", true },
						       { "PREF", true },
						       { "HOST", false },
						       { "ADDRESS", false },
						       { "WHY", false } };
	const struct preview *v = r->preview;
	struct table t;
	table_init(&t, COLUMNS(columns, hidden_columns(r)));
	for (size_t i = 0; i < v->ways.n; i++)
		add_unused(p, r, &v->way[i], &t);
	if (t.nrow > 0)
		page_heading(p, "Not used");
	table_print(&t, p);
}

/* ---- TLS ---- */

static void add_demands(struct page *p, const struct plan_report *r, const struct preview_way *w,
			struct table *t)
{
	for (size_t i = 0; i < w->nhost; i++) {
		const struct preview_host *h = &w->host[i];
		if (!h->demand.because)
			continue;
		const char *cell[] = { way_number(p, r, w), page_text(p, span_of(h->name)),
				       plan_level(h),
				       h->demand.because[0] ? h->demand.because : "-" };
		table_add(t, p, cell + hidden_columns(r), plan_reason(p, w, h));
	}
}

static void show_tls(struct page *p, const struct plan_report *r)
{
	static const struct table_column columns[] = {
		{ "WAY", true }, { "HOST", false }, { "TLS", false }, { "DEMANDED BY", false }
	};
	const struct preview *v = r->preview;
	struct table t;
	table_init(&t, COLUMNS(columns, hidden_columns(r)));
	for (size_t i = 0; i < v->ways.n; i++)
		add_demands(p, r, &v->way[i], &t);
	if (t.nrow > 0)
		page_heading(p, "TLS demanded");
	table_print(&t, p);
}

/* ---- probes ---- */

static const char *result_text(struct page *p, const struct probe *probe)
{
	const struct outcome *o = &probe->outcome;
	if (o->event == EVENT_NONE)
		return "ready for mail";
	return page_fmt(p, "%s: %s%s", failover_event_name(o->event),
			page_reason(p, o->code, span_of(o->text)),
			o->event == EVENT_TLS_BROKEN ? "; without TLS after all others have failed"
						     : "");
}

/* The first line is the server's name, the others are keywords. */
static const char *hello_text(struct page *p, const char *hello)
{
	struct span rest = span_of(hello), line;
	const char *text = "", *gap = "";
	while (span_cut(&rest, '\n', &line)) {
		text = page_fmt(p, "%s%s%s", text, gap, page_text(p, line));
		gap = gap[0] ? ", " : "; ";
	}
	return text;
}

static const char *proof_text(struct page *p, const struct preview_host *h,
			      const struct probe *probe)
{
	const struct secure_facts *tls = &probe->seen.tls;
	if (tls->trouble != SECURE_FINE)
		return probe->outcome.event == EVENT_NONE ? "failed, which MTA-STS testing allows"
							  : "failed";
	if (!tls->proof[0])
		return "none was demanded";
	return page_fmt(p, "%s (%s)", tls->proof, demand_level_name(h->demand.level));
}

static void show_certificate(struct page *p, const struct secure_certificate *c)
{
	const char *begin = c->from > p->now     ? "not yet; until "
			    : c->until <= p->now ? "no more; until "
						 : "until ";
	if (c->until == 0)
		return;
	page_field(p, "Certificate", c->subject);
	page_field(p, "Names", c->names);
	page_field(p, "Issuer", c->issuer);
	page_field(p, "Valid", page_fmt(p, "%s%s", begin, page_moment(p, c->until)));
}

static void show_login(struct page *p, const struct way *way, const struct probe *probe)
{
	enum failover_event event = probe->outcome.event;
	if (way->login.user)
		page_field(p, "Login",
			   page_fmt(p, "as %s: %s", page_text(p, span_of(way->login.user)),
				    event == EVENT_NONE            ? "ok"
				    : event == EVENT_LOGIN_REFUSED ? "refused"
								   : "not tried"));
}

static void show_session(struct page *p, const struct preview_host *h, const struct probe *probe)
{
	const struct attempt_probe *seen = &probe->seen;
	char local[IP_TEXT];
	ip_format(probe->result.local, local);
	page_field(p, "Connected",
		   page_fmt(p, "in %u ms, from %s", (unsigned)probe->result.dial_ms, local));
	if (seen->words.greeting)
		page_field(p, "Greeting", seen->words.greeting);
	if (seen->words.hello)
		page_field(p, "EHLO", hello_text(p, seen->words.hello));
	if (!seen->tls.protocol[0]) {
		page_field(p, "TLS", h->demand.level == DEMAND_NONE ? "not used" : "none");
		return;
	}
	page_field(p, "TLS", page_fmt(p, "%s %s", seen->tls.protocol, seen->tls.cipher));
	page_field(p, "Proof", proof_text(p, h, probe));
	show_certificate(p, &seen->certificate);
}

static void show_probes(struct page *p, const struct plan_report *r)
{
	const struct preview *v = r->preview;
	for (size_t i = 0; r->probe && i < v->nstep; i++) {
		const struct probe *probe = &r->probe[i];
		page_heading(p, page_fmt(p, "Probe %zu: %s", i + 1, relay(p, r, v->step[i])));
		page_field(p, "Result", result_text(p, probe));
		if (!probe->result.connected)
			continue;
		show_session(p, host_of(r, v->step[i]), probe);
		show_login(p, way_of(r, v->step[i])->is, probe);
	}
	if (r->probe && v->nstep == 0) {
		page_heading(p, "Probes");
		page_wrap(p, 2, "Nothing was connected: no address would be tried.");
	}
}

static void show_notes(struct page *p, const struct plan_report *r)
{
	if (r->services->first)
		page_heading(p, "Notes");
	for (const struct ctl_note *n = r->services->first; n; n = n->next)
		page_wrap(p, 2, page_text(p, span_of(n->line)));
}

void plan_page(struct page *p, const struct plan_report *r)
{
	show_domain(p, r);
	show_routes(p, r);
	show_ways(p, r);
	show_order(p, r);
	show_unused(p, r);
	show_tls(p, r);
	show_probes(p, r);
	show_notes(p, r);
}
