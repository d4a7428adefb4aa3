/* SPDX-License-Identifier: ISC */
#include "base/clock.h"
#include "core/health.h"
#include "front/ctl_details.h"
#include "front/ctl_json.h"

static const char *text(struct page *p, struct span s)
{
	return page_text(p, s);
}

/* The null sender has two forms on the command line, and one here. */
static const char *sender(struct page *p, struct span s)
{
	return span_equal(s, SPAN("<>")) ? "" : page_text(p, s);
}

const char *json_text(struct page *p, struct span s)
{
	return s.n > 0 ? page_text(p, s) : NULL;
}

const char *json_time(struct page *p, int64_t when)
{
	char utc[CLOCK_UTC];
	if (when == 0)
		return NULL;
	clock_utc(when, utc);
	return page_text(p, span_of(utc));
}

const char *json_code(struct page *p, struct esc code)
{
	if (code.cls == 0)
		return NULL;
	return page_fmt(p, "%u.%u.%u", (unsigned)code.cls, (unsigned)code.subject,
			(unsigned)code.detail);
}

const char *json_ip(struct page *p, struct ip ip)
{
	char room[IP_TEXT];
	if (ip.family == 0)
		return NULL;
	ip_format(ip, room);
	return page_text(p, span_of(room));
}

json_t *json_number(uint64_t n)
{
	return n == 0 ? json_null() : json_integer((json_int_t)(n > INT64_MAX ? INT64_MAX : n));
}

bool json_add(json_t **list, json_t *item)
{
	if (json_array_append_new(*list, item) == 0)
		return true;
	json_decref(*list);
	*list = NULL;
	return false;
}

json_t *json_strings(const char *const *s, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_add(&list, json_string(s[i]));
	return list;
}

void json_print(struct page *p, json_t *root)
{
	char *dump = root && !p->nomem ? json_dumps(root, JSON_INDENT(2)) : NULL;
	if (dump)
		fprintf(p->out, "%s\n", dump);
	else
		p->nomem = true;
	free(dump);
	json_decref(root);
}

static json_t *answers(struct page *p, const struct record_attempt *r)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->nanswer; i++) {
		const struct record_answer *a = &r->answer[i];
		json_t *one = json_pack("{s:s, s:s, s:s?, s:s}", "relay", text(p, a->relay),
					"event", text(p, a->event), "dsn", json_code(p, a->code),
					"text", text(p, a->text));
		json_add(&list, one);
	}
	return list;
}

static json_t *message(struct page *p, const struct record_attempt *r)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s?, s:s?, s:b, s:s?, s:s, s:o}", "queue_id",
			 text(p, r->queue_id), "from", sender(p, r->sender), "to", text(p, r->rcpt),
			 "domain", text(p, r->domain), "tries", (json_int_t)r->count, "first_try",
			 json_time(p, r->first), "last_try", json_time(p, r->last), "permanent",
			 (int)r->permanent, "dsn", json_code(p, r->code), "text", text(p, r->text),
			 "hosts", answers(p, r));
}

static json_t *domain(struct page *p, const struct record_domain *r)
{
	int64_t next = 0;
	bool down = health_of_domain(r, false, p->now, &next) == DOMAIN_DOWN;
	return json_pack("{s:s, s:s?, s:I, s:s?, s:s?, s:s?, s:s}", "domain", text(p, r->domain),
			 "failing_since", json_time(p, r->failing_since), "fails",
			 (json_int_t)r->fails, "last_fail", json_time(p, r->last_fail), "next_try",
			 json_time(p, down ? next : 0), "dsn", json_code(p, r->code), "text",
			 text(p, r->why));
}

static json_t *keywords(uint32_t caps)
{
	json_t *list = json_array();
	const char *name;
	for (size_t i = 0; (name = details_keyword(caps, i)); i++)
		json_add(&list, json_string(name));
	return list;
}

static json_t *tls_of_host(struct page *p, const struct record_host *r)
{
	return json_pack("{s:I, s:s?, s:b}", "fails", (json_int_t)r->tls_fails, "last_fail",
			 json_time(p, r->tls_last_fail), "broken",
			 (int)health_tls_broken(r, p->now));
}

static json_t *ehlo_of_host(const struct record_host *r)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "keywords", keywords(r->caps), "size",
			 json_number(r->size_max), "mailmax", json_number(r->mail_max), "rcptmax",
			 json_number(r->rcpt_max));
}

json_t *json_host(struct page *p, const struct record_host *r)
{
	int64_t next = health_host_next(r);
	return json_pack(
		"{s:s, s:s?, s:i, s:s?, s:I, s:s?, s:s?, s:s?, s:s?, s:o, s:s?, s:o, s:o}", "host",
		text(p, r->host), "address", json_ip(p, r->addr.ip), "port", (int)r->addr.port,
		"source", json_ip(p, r->source), "fails", (json_int_t)r->fails, "first_fail",
		json_time(p, r->fails ? r->first_fail : 0), "last_fail", json_time(p, r->last_fail),
		"next_try", json_time(p, next > p->now ? next : 0), "last_good",
		json_time(p, r->last_good), "connect_ms", json_number(r->connect_ms), "text",
		json_text(p, r->why), "tls", tls_of_host(p, r), "ehlo", ehlo_of_host(r));
}

static json_t *policy(struct page *p, const struct record_policy *r)
{
	struct details_policy d = details_policy(p, r);
	return json_pack("{s:s, s:s?, s:s?, s:o, s:s?, s:s?, s:I, s:s?}", "domain",
			 text(p, r->domain), "id", json_text(p, r->id), "mode",
			 d.mode[0] == '-' ? NULL : d.mode, "mx",
			 json_strings(d.policy.mx, d.policy.nmx), "fetched",
			 json_time(p, r->fetched), "until", json_time(p, d.until), "fails",
			 (json_int_t)r->fails, "last_fail", json_time(p, r->fails ? r->tried : 0));
}

static json_t *tls_of_delivery(struct page *p, const struct record_delivered *r)
{
	if (r->level.n == 0)
		return json_null();
	return json_pack("{s:s, s:s?, s:s?, s:s?}", "level", text(p, r->level), "because",
			 json_text(p, r->because), "protocol", json_text(p, r->protocol), "cipher",
			 json_text(p, r->cipher));
}

static json_t *delivered(struct page *p, const struct record_delivered *r)
{
	return json_pack("{s:s, s:s, s:s, s:s?, s:b, s:s, s:s?, s:s, s:o}", "queue_id",
			 text(p, r->queue_id), "from", sender(p, r->sender), "to", text(p, r->rcpt),
			 "when", json_time(p, r->when), "reported", (int)r->reported, "relay",
			 text(p, r->relay), "dsn", json_code(p, r->code), "text", text(p, r->text),
			 "tls", tls_of_delivery(p, r));
}

static json_t *own(struct page *p, const struct record_sender *r)
{
	return json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?}", "source",
			 json_ip(p, r->source), "domain", json_text(p, r->domain), "helo",
			 json_text(p, r->helo), "spf", json_text(p, r->result), "mechanism",
			 json_text(p, r->mechanism), "text", json_text(p, r->why), "asked",
			 json_time(p, r->asked), "until", json_time(p, r->asked + r->ttl));
}

static json_t *one(struct page *p, const struct item *it)
{
	switch (it->kind) {
	case RECORD_ATTEMPT:
		return message(p, it->message);
	case RECORD_DOMAIN:
		return domain(p, it->domain);
	case RECORD_HOST:
		return json_host(p, it->host);
	case RECORD_POLICY:
		return policy(p, it->policy);
	case RECORD_DELIVERED:
		return delivered(p, it->delivered);
	case RECORD_SENDER:
		return own(p, it->sender);
	}
	return NULL;
}

static json_t *list_of(struct page *p, const struct items *items, enum record_kind kind)
{
	json_t *list = json_array();
	for (size_t i = 0; i < items->n; i++)
		if (items->item[i].kind == kind)
			json_add(&list, one(p, &items->item[i]));
	return list;
}

void json_status(struct page *p, const struct items *items)
{
	json_t *root = json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o}", "messages", list_of(p, items, RECORD_ATTEMPT),
		"domains", list_of(p, items, RECORD_DOMAIN), "hosts",
		list_of(p, items, RECORD_HOST), "policies", list_of(p, items, RECORD_POLICY),
		"delivered", list_of(p, items, RECORD_DELIVERED), "senders",
		list_of(p, items, RECORD_SENDER));
	json_print(p, root);
}
