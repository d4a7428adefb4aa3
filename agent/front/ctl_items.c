/* SPDX-License-Identifier: ISC */
#include "base/text.h"
#include "wire/addr.h"
#include "net/idna.h"
#include "front/ctl_items.h"

/* Room for a record of T in the arena, and the bytes into it; false: they are no such record. */
#define READ(a, name, in, it, field)                                                               \
	do {                                                                                       \
		struct record_##name *r = ARENA_NEW(a, struct record_##name, 1);                   \
		if (!r)                                                                            \
			return err_nomem(err);                                                     \
		*ret_known = record_##name##_read(in, r);                                          \
		(it).field = r;                                                                    \
	} while (0)

bool item_read(struct arena *a, struct span key, struct span value, struct item *ret,
	       bool *ret_known, struct error *err)
{
	struct item it = { .kind = key.n > 0 ? (enum record_kind)key.p[0] : 0 };
	const char *k = arena_str(a, key), *v = arena_str(a, value);
	if (!k || !v)
		return err_nomem(err);
	struct span in = { v, value.n };
	it.key = (struct span){ k, key.n };
	switch (it.kind) {
	case RECORD_HOST:
		READ(a, host, in, it, host);
		break;
	case RECORD_DOMAIN:
		READ(a, domain, in, it, domain);
		break;
	case RECORD_POLICY:
		READ(a, policy, in, it, policy);
		break;
	case RECORD_ATTEMPT:
		READ(a, attempt, in, it, message);
		break;
	case RECORD_DELIVERED:
		READ(a, delivered, in, it, delivered);
		break;
	case RECORD_SENDER:
		READ(a, sender, in, it, sender);
		break;
	default:
		*ret_known = false;
	}
	if (*ret_known)
		*ret = it;
	return true;
}

static int rank(enum record_kind kind)
{
	static const char order[] = { RECORD_ATTEMPT, RECORD_DOMAIN,    RECORD_HOST,
				      RECORD_POLICY,  RECORD_DELIVERED, RECORD_SENDER };
	int i = 0;
	while (order[i] != (char)kind)
		i++;
	return i;
}

static int64_t when(const struct item *it)
{
	return it->kind == RECORD_ATTEMPT     ? it->message->first
	       : it->kind == RECORD_DELIVERED ? it->delivered->when
					      : 0;
}

static struct span name(const struct item *it)
{
	switch (it->kind) {
	case RECORD_HOST:
		return it->host->host;
	case RECORD_DOMAIN:
		return it->domain->domain;
	case RECORD_POLICY:
		return it->policy->domain;
	case RECORD_ATTEMPT:
		return it->message->queue_id;
	case RECORD_DELIVERED:
		return it->delivered->queue_id;
	case RECORD_SENDER:
		return it->sender->domain;
	}
	return (struct span){ NULL, 0 };
}

static int compare_spans(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;
	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* Keys differ, so the order is one and the same each time. */
static int compare(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	int c = rank(a->kind) - rank(b->kind);
	if (c == 0)
		c = (when(a) > when(b)) - (when(a) < when(b));
	if (c == 0)
		c = compare_spans(name(a), name(b));
	return c ? c : compare_spans(a->key, b->key);
}

void items_sort(struct items *items)
{
	if (items->n > 1)
		qsort(items->item, items->n, sizeof(items->item[0]), compare);
}

bool subject_of(struct arena *a, const char *text, struct subject *ret, struct error *err)
{
	struct subject s = { .text = text };
	struct endpoint addr;
	struct error why;
	const char *bracket = strchr(text, '[');
	bool relay = bracket && bracket > text; /* mx1.example.net[192.0.2.1]:25 */
	if (addr_literal(span_of(text), &addr.ip)) {
		addr.port = 0;
		s.addr = addr;
	} else if (endpoint_parse(span_of(relay ? bracket : text), 0, &addr)) {
		s.addr = addr;
	}
	if (!relay && !idna_ascii(a, text, &s.name, &why)) {
		if (why.class != ERR_PERM) {
			*err = why;
			return false;
		}
		s.name = NULL;
	}
	*ret = s;
	return true;
}

static bool is_name(const struct subject *s, struct span name)
{
	return s->name && span_equal_nocase(span_of(s->name), name);
}

static bool is_host(const struct subject *s, const struct record_host *h)
{
	bool port = s->addr.port == 0 || s->addr.port == h->addr.port;
	return is_name(s, h->host) ||
	       (s->addr.ip.family && port && ip_equal(s->addr.ip, h->addr.ip));
}

enum subject_tie subject_tie(const struct subject *s, const struct item *it)
{
	bool itself = false, touched = false;
	switch (it->kind) {
	case RECORD_HOST:
		itself = is_host(s, it->host);
		break;
	case RECORD_DOMAIN:
	case RECORD_POLICY:
		itself = is_name(s, name(it));
		break;
	case RECORD_ATTEMPT:
		touched = is_name(s, it->message->domain);
		itself = span_equal(span_of(s->text), it->message->queue_id);
		break;
	case RECORD_DELIVERED:
		itself = span_equal(span_of(s->text), it->delivered->queue_id);
		break;
	case RECORD_SENDER:
		itself = is_name(s, it->sender->domain) ||
			 (s->addr.ip.family && s->addr.port == 0 &&
			  ip_equal(s->addr.ip, it->sender->source));
		break;
	}
	return itself ? SUBJECT_ITSELF : touched ? SUBJECT_TOUCHED : SUBJECT_NONE;
}
