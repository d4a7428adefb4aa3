/* SPDX-License-Identifier: ISC */
/* The plan for programs; the schema is in mxdirectctl(8). */
#include "core/config_value.h"
#include "flow/stspolicy.h"
#include "front/ctl_json.h"
#include "front/ctl_plan.h"

static const char *const turns[] = {
	[TURN_NEVER] = NULL,
	[TURN_NOW] = "now",
	[TURN_LATE] = "late",
	[TURN_PLAIN] = "plain",
};

/* NULL: there is none. */
static const char *words(struct page *p, const char *s)
{
	return s ? json_text(p, span_of(s)) : NULL;
}

/* Those that decide what is shown. */
static json_t *settings(struct page *p, const struct config *c)
{
	static const char *const shown[] = {
		"smtp_port", "failover", "address_family",      "tls",
		"dane",      "mta_sts",  "max_per_destination", "max_sessions",
	};
	json_t *all = json_object();
	size_t n;
	const struct config_key *key = config_keys(&n);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < sizeof(shown) / sizeof(shown[0]); k++) {
			if (strcmp(key[i].name, shown[k]) != 0)
				continue;
			const char *value = config_text(p->arena, c, &key[i]);
			if (json_object_set_new(all, shown[k], value ? json_string(value) : NULL))
				p->nomem = true;
		}
	return all;
}

static json_t *policy(struct page *p, const struct preview_way *w)
{
	const struct stspolicy *s = w->sts;
	struct span id;
	if (!w->sts_txt || !s)
		return json_null();
	const struct sts_policy *policy = s->policy;
	return json_pack(
		"{s:b, s:s?, s:o, s:s?, s:s?, s:b, s:s?}", "record",
		(int)sts_record(w->sts_txt, &id), "mode", policy ? plan_mode(policy) : NULL, "mx",
		json_strings(policy ? policy->mx : NULL, policy ? policy->nmx : 0), "fetched",
		json_time(p, policy ? s->fetched : 0), "until", json_time(p, policy ? s->until : 0),
		"remembered", (int)s->remembered, "text", s->failed ? words(p, s->why.text) : NULL);
}

static json_t *memory_of_domain(struct page *p, const struct preview *v)
{
	const struct record_domain *d = &v->record;
	if (!v->known)
		return json_null();
	return json_pack("{s:s?, s:I, s:s?, s:s?, s:s?, s:s?, s:b}", "failing_since",
			 json_time(p, d->failing_since), "fails", (json_int_t)d->fails, "last_fail",
			 json_time(p, d->last_fail), "dsn", json_code(p, d->code), "text",
			 json_text(p, d->why), "down_until",
			 json_time(p, v->down ? v->since.next : 0), "down_for_new",
			 (int)v->down_for_new);
}

static json_t *tlsa(struct page *p, const struct preview_host *h)
{
	struct plan_tlsa t = plan_tlsa(p, h);
	if (!t.name)
		return json_null();
	return json_pack("{s:s, s:I, s:I}", "name", t.name, "records", (json_int_t)t.records,
			 "usable", (json_int_t)t.usable);
}

static json_t *tls(struct page *p, const struct preview_way *w, const struct preview_host *h)
{
	if (!h->demand.because)
		return json_null();
	return json_pack("{s:s?, s:s?, s:b, s:b, s:o, s:b, s:s}", "level",
			 h->used ? demand_level_name(h->demand.level) : NULL, "because",
			 words(p, h->demand.because), "mx_signed", (int)h->tls->mx_secure,
			 "address_signed", (int)h->tls->address_secure, "tlsa", tlsa(p, h),
			 "testing", (int)h->demand.sts_testing, "text", plan_reason(p, w, h));
}

static json_t *address(struct page *p, const struct preview_address *a)
{
	return json_pack("{s:s?, s:s?, s:s?, s:o, s:o}", "address", json_ip(p, a->is.ip), "text",
			 words(p, plan_refusal(p, &a->is)), "turn", turns[a->turn], "place",
			 json_number(a->place), "memory",
			 a->known ? json_host(p, &a->record) : json_null());
}

/* Ways and routes are counted from 1, as on the page. */
static json_int_t way_number(const struct preview *v, const struct preview_way *w)
{
	return (json_int_t)(w - v->way) + 1;
}

static json_t *host(struct page *p, const struct preview *v, const struct preview_way *w,
		    const struct preview_host *h)
{
	json_t *addresses = json_array();
	for (size_t i = 0; i < h->naddress; i++)
		json_add(&addresses, address(p, &h->address[i]));
	return json_pack("{s:I, s:s, s:i, s:b, s:s?, s:s?, s:o, s:o}", "way", way_number(v, w),
			 "host", words(p, h->name), "pref", (int)h->pref, "used", (int)h->used,
			 "dsn", h->used ? NULL : json_code(p, h->why.code), "text",
			 h->used ? NULL : words(p, h->why.text), "tls", tls(p, w, h), "addresses",
			 addresses);
}

static json_t *hosts(struct page *p, const struct preview *v)
{
	json_t *list = json_array();
	for (size_t k = 0; k < v->ways.n; k++)
		for (size_t i = 0; i < v->way[k].nhost; i++)
			json_add(&list, host(p, v, &v->way[k], &v->way[k].host[i]));
	return list;
}

static json_t *unused_mx(struct page *p, const struct preview *v)
{
	json_t *list = json_array();
	for (size_t k = 0; k < v->ways.n; k++)
		for (size_t i = 0; i < v->way[k].nunused; i++) {
			const struct preview_mx *mx = &v->way[k].unused[i];
			json_add(&list,
				 json_pack("{s:I, s:s, s:i, s:s}", "way", way_number(v, &v->way[k]),
					   "host", page_text(p, span_of(mx->host)), "pref",
					   (int)mx->pref, "text", plan_mx_refusal(mx)));
		}
	return list;
}

static json_t *order(struct page *p, const struct preview *v)
{
	json_t *list = json_array();
	for (size_t i = 0; i < v->nstep; i++) {
		const struct preview_way *w = &v->way[v->step[i].way];
		const struct preview_host *h = &w->host[v->step[i].host];
		const struct preview_address *a = &h->address[v->step[i].address];
		json_add(&list, json_pack("{s:I, s:s, s:i, s:s?, s:i, s:s?}", "way",
					  way_number(v, w), "host", words(p, h->name), "pref",
					  (int)h->pref, "address", json_ip(p, a->is.ip), "port",
					  (int)w->is->config.smtp_port, "turn", turns[a->turn]));
	}
	return list;
}

/* ---- routes and ways ---- */

static json_t *route(struct page *p, const struct plan_report *r, size_t i)
{
	const struct ways *ways = &r->preview->ways;
	const struct route *one = &ways->route[i];
	json_t *keys = json_object();
	size_t n;
	const struct config_key *key = route_keys(&n);
	for (size_t k = 0; k < n; k++) {
		const char *value = config_value_text(p->arena, &key[k], one);
		if (json_object_set_new(keys, key[k].name,
					value ? json_string(page_text(p, span_of(value))) : NULL))
			p->nomem = true;
	}
	return json_pack("{s:s, s:s, s:b, s:s, s:o}", "pattern", words(p, one->pattern), "at",
			 words(p, one->origin), "used", (int)(ways->verdict[i] == ROUTE_MATCHES),
			 "text", plan_verdict(r, i), "settings", keys);
}

static json_t *routes(struct page *p, const struct plan_report *r)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->preview->ways.nroute; i++)
		json_add(&list, route(p, r, i));
	return list;
}

static const char *kind(const struct preview_way *w)
{
	if (w->is->to.kind == NEXTHOP_LITERAL)
		return "literal";
	if (w->is->to.kind == NEXTHOP_HOST)
		return "host";
	return w->implicit ? "implicit" : "mx";
}

static json_t *way(struct page *p, const struct preview *v, const struct preview_way *w)
{
	const struct route *from = w->is->route;
	bool down = w->is->direct && v->down && !v->put_off;
	return json_pack(
		"{s:o, s:s, s:s, s:i, s:b, s:s?, s:b, s:b, s:s?, s:s?, s:b, s:o, s:o}", "from",
		json_number(from ? (uint64_t)(from - v->ways.route) + 1 : 0), "to",
		words(p, w->is->to.name), "route", kind(w), "port", (int)w->is->config.smtp_port,
		"direct", (int)w->is->direct, "login",
		from && from->user[0] ? words(p, from->user) : NULL, "left_out", (int)w->left_out,
		"down", (int)down, "dsn", w->found ? NULL : json_code(p, w->why.code), "text",
		w->found ? NULL : words(p, w->why.text), "signed", (int)(w->mx && w->mx->authentic),
		"settings", settings(p, &w->is->config), "policy", policy(p, w));
}

static json_t *ways(struct page *p, const struct preview *v)
{
	json_t *list = json_array();
	for (size_t i = 0; i < v->ways.n; i++)
		json_add(&list, way(p, v, &v->way[i]));
	return list;
}

/* ---- probes ---- */

static json_t *hello(struct page *p, const char *text)
{
	struct span rest = span_of(text), line;
	json_t *list = json_array();
	while (text && span_cut(&rest, '\n', &line))
		json_add(&list, json_string(page_text(p, line)));
	return list;
}

static json_t *names(struct page *p, const char *text)
{
	struct span rest = span_of(text), name;
	json_t *list = json_array();
	while (span_cut(&rest, ' ', &name))
		json_add(&list, json_string(page_text(p, name)));
	return list;
}

static json_t *certificate(struct page *p, const struct secure_certificate *c)
{
	if (c->until == 0)
		return json_null();
	return json_pack("{s:s, s:s, s:o, s:s?, s:s?}", "subject", c->subject, "issuer", c->issuer,
			 "names", names(p, c->names), "from", json_time(p, c->from), "until",
			 json_time(p, c->until));
}

static json_t *tls_of_probe(struct page *p, const struct attempt_probe *seen)
{
	if (!seen->tls.protocol[0])
		return json_null();
	return json_pack("{s:s, s:s, s:s?, s:b, s:o}", "protocol", seen->tls.protocol, "cipher",
			 seen->tls.cipher, "proof", words(p, seen->tls.proof), "failed",
			 (int)(seen->tls.trouble != SECURE_FINE), "certificate",
			 certificate(p, &seen->certificate));
}

static json_t *probe(struct page *p, const struct plan_report *r, size_t i)
{
	const struct probe *one = &r->probe[i];
	const struct preview_step step = r->preview->step[i];
	const struct preview_way *w = &r->preview->way[step.way];
	const struct preview_host *h = &w->host[step.host];
	const struct preview_address *a = &h->address[step.address];
	const struct outcome *o = &one->outcome;
	bool ready = o->event == EVENT_NONE, connected = one->result.connected;
	return json_pack("{s:I, s:s, s:s?, s:i, s:b, s:s?, s:s?, s:s?, s:o, s:s?, s:s?, s:o, s:o, "
			 "s:s?, s:b}",
			 "way", way_number(r->preview, w), "host", words(p, h->name), "address",
			 json_ip(p, a->is.ip), "port", (int)w->is->config.smtp_port, "ready",
			 (int)ready, "event", ready ? NULL : failover_event_name(o->event), "dsn",
			 json_code(p, o->code), "text", words(p, o->text), "connect_ms",
			 connected ? json_integer(one->result.dial_ms) : json_null(), "source",
			 json_ip(p, one->result.local), "greeting",
			 words(p, one->seen.words.greeting), "ehlo",
			 hello(p, one->seen.words.hello), "tls", tls_of_probe(p, &one->seen),
			 "login", words(p, w->is->login.user), "logged_in",
			 (int)(w->is->login.user && ready));
}

static json_t *probes(struct page *p, const struct plan_report *r)
{
	if (!r->probe)
		return json_null();
	json_t *list = json_array();
	for (size_t i = 0; i < r->preview->nstep; i++)
		json_add(&list, probe(p, r, i));
	return list;
}

static json_t *notes(struct page *p, const struct plan_report *r)
{
	json_t *list = json_array();
	for (const struct ctl_note *n = r->services->first; n; n = n->next)
		json_add(&list, json_string(page_text(p, span_of(n->line))));
	return list;
}

static json_t *message(struct page *p, const struct preview_request *rq)
{
	return json_pack("{s:o, s:s?}", "size",
			 rq->sized ? json_integer((json_int_t)rq->size) : json_null(), "sender",
			 words(p, rq->sender));
}

void plan_json(struct page *p, const struct plan_report *r)
{
	const struct preview *v = r->preview;
	const struct preview_way *first = &v->way[0];
	const struct error *why = plan_trouble(v);
	json_print(p,
		   json_pack("{s:s, s:o, s:b, s:s?, s:s?, s:s, s:b, s:o, s:o, s:s?, s:o, s:o, s:o, "
			     "s:o, s:o, s:o, s:o, s:o}",
			     "domain", words(p, r->services->domain), "message",
			     message(p, r->request), "deliverable", (int)r->deliverable, "dsn",
			     why ? json_code(p, why->code) : NULL, "text",
			     why ? words(p, why->text) : NULL, "route", kind(first), "signed",
			     (int)(first->mx && first->mx->authentic), "settings",
			     settings(p, &first->is->config), "policy", policy(p, first),
			     "no_memory", words(p, r->services->no_memory), "memory",
			     memory_of_domain(p, v), "routes", routes(p, r), "ways", ways(p, v),
			     "hosts", hosts(p, v), "unused_mx", unused_mx(p, v), "order",
			     order(p, v), "probes", probes(p, r), "notes", notes(p, r)));
}
