/* SPDX-License-Identifier: ISC */
/* The plan for programs; the schema is in mxdirectctl(8). */
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

static json_t *policy(struct page *p, const struct preview *v)
{
	const struct stspolicy *s = v->sts;
	struct span id;
	if (!v->sts_txt || !s)
		return json_null();
	const struct sts_policy *policy = s->policy;
	return json_pack(
		"{s:b, s:s?, s:o, s:s?, s:s?, s:b, s:s?}", "record",
		(int)sts_record(v->sts_txt, &id), "mode", policy ? plan_mode(policy) : NULL, "mx",
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

static json_t *tls(struct page *p, const struct plan_report *r, const struct preview_host *h)
{
	if (!h->demand.because)
		return json_null();
	return json_pack("{s:s?, s:s?, s:b, s:b, s:o, s:b, s:s}", "level",
			 h->used ? demand_level_name(h->demand.level) : NULL, "because",
			 words(p, h->demand.because), "mx_signed", (int)h->tls->mx_secure,
			 "address_signed", (int)h->tls->address_secure, "tlsa", tlsa(p, h),
			 "testing", (int)h->demand.sts_testing, "text", plan_reason(p, r, h));
}

static json_t *address(struct page *p, const struct preview_address *a)
{
	return json_pack("{s:s?, s:s?, s:s?, s:o, s:o}", "address", json_ip(p, a->is.ip), "text",
			 words(p, plan_refusal(p, &a->is)), "turn", turns[a->turn], "place",
			 json_number(a->place), "memory",
			 a->known ? json_host(p, &a->record) : json_null());
}

static json_t *host(struct page *p, const struct plan_report *r, const struct preview_host *h)
{
	json_t *addresses = json_array();
	for (size_t i = 0; i < h->naddress; i++)
		json_add(&addresses, address(p, &h->address[i]));
	return json_pack("{s:s, s:i, s:b, s:s?, s:s?, s:o, s:o}", "host", words(p, h->name), "pref",
			 (int)h->pref, "used", (int)h->used, "dsn",
			 h->used ? NULL : json_code(p, h->why.code), "text",
			 h->used ? NULL : words(p, h->why.text), "tls", tls(p, r, h), "addresses",
			 addresses);
}

static json_t *hosts(struct page *p, const struct plan_report *r)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->preview->nhost; i++)
		json_add(&list, host(p, r, &r->preview->host[i]));
	return list;
}

static json_t *unused_mx(struct page *p, const struct preview *v)
{
	json_t *list = json_array();
	for (size_t i = 0; i < v->nunused; i++)
		json_add(&list,
			 json_pack("{s:s, s:i, s:s}", "host",
				   page_text(p, span_of(v->unused[i].host)), "pref",
				   (int)v->unused[i].pref, "text", plan_mx_refusal(&v->unused[i])));
	return list;
}

static json_t *order(struct page *p, const struct preview *v)
{
	json_t *list = json_array();
	for (size_t i = 0; i < v->nstep; i++) {
		const struct preview_host *h = &v->host[v->step[i].host];
		const struct preview_address *a = &h->address[v->step[i].address];
		json_add(&list, json_pack("{s:s, s:i, s:s?, s:s?}", "host", words(p, h->name),
					  "pref", (int)h->pref, "address", json_ip(p, a->is.ip),
					  "turn", turns[a->turn]));
	}
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
	const struct preview_host *h = &r->preview->host[r->preview->step[i].host];
	const struct preview_address *a = &h->address[r->preview->step[i].address];
	const struct outcome *o = &one->outcome;
	bool ready = o->event == EVENT_NONE, connected = one->result.connected;
	return json_pack("{s:s, s:s?, s:b, s:s?, s:s?, s:s?, s:o, s:s?, s:s?, s:o, s:o}", "host",
			 words(p, h->name), "address", json_ip(p, a->is.ip), "ready", (int)ready,
			 "event", ready ? NULL : failover_event_name(o->event), "dsn",
			 json_code(p, o->code), "text", words(p, o->text), "connect_ms",
			 connected ? json_integer(one->result.dial_ms) : json_null(), "source",
			 json_ip(p, one->result.local), "greeting",
			 words(p, one->seen.words.greeting), "ehlo",
			 hello(p, one->seen.words.hello), "tls", tls_of_probe(p, &one->seen));
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

static const char *route(const struct preview *v)
{
	if (v->route == NEXTHOP_LITERAL)
		return "literal";
	return v->implicit ? "implicit" : "mx";
}

void plan_json(struct page *p, const struct plan_report *r)
{
	const struct preview *v = r->preview;
	json_print(p,
		   json_pack("{s:s, s:b, s:s?, s:s?, s:s, s:b, s:o, s:o, s:s?, s:o, s:o, s:o, "
			     "s:o, s:o, s:o}",
			     "domain", words(p, r->services->domain), "deliverable",
			     (int)r->deliverable, "dsn",
			     v->found ? NULL : json_code(p, v->why.code), "text",
			     v->found ? NULL : words(p, v->why.text), "route", route(v), "signed",
			     (int)(v->mx && v->mx->authentic), "settings",
			     settings(p, &r->services->config), "policy", policy(p, v), "no_memory",
			     words(p, r->services->no_memory), "memory", memory_of_domain(p, v),
			     "hosts", hosts(p, r), "unused_mx", unused_mx(p, v), "order",
			     order(p, v), "probes", probes(p, r), "notes", notes(p, r)));
}
