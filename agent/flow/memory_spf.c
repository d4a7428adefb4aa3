/* SPDX-License-Identifier: ISC */
/* This machine as a sender. */
#include "flow/memory_state.h"

static bool is_about(const struct record_sender *r, const struct record_sender *who)
{
	return ip_equal(r->source, who->source) && span_equal_nocase(r->domain, who->domain) &&
	       span_equal_nocase(r->helo, who->helo);
}

/* Of a clock that went back nothing follows. */
static bool counts(const struct record_sender *r, int64_t now)
{
	return r->asked <= now && now - r->asked < (int64_t)r->ttl;
}

bool memory_sender(struct memory *m, struct arena *a, const struct record_sender *who,
		   struct record_sender *ret)
{
	struct record_sender r;
	struct buf key;
	struct span in;
	if (!m)
		return false;
	buf_init(&key, m->key, sizeof(m->key));
	record_sender_key(who, &key);
	if (!memory_look_up(m, &key, &in))
		return false;
	const char *copy = arena_str(a, in);
	if (!copy || !record_sender_read((struct span){ copy, in.n }, &r) || !is_about(&r, who) ||
	    !counts(&r, memory_now(m)))
		return false;
	*ret = r;
	return true;
}

void memory_keep_sender(struct memory *m, const struct record_sender *r)
{
	struct buf key, value;
	if (!m || !m->store || m->looks || r->ttl == 0)
		return;
	struct record_sender now = *r;
	now.asked = memory_now(m);
	buf_init(&key, m->key, sizeof(m->key));
	buf_init(&value, m->value, sizeof(m->value));
	record_sender_key(r, &key);
	record_sender_write(&now, &value);
	memory_keep(m, &key, &value, r->ttl);
}
