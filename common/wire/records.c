/* SPDX-License-Identifier: ISC */
#include "base/digest.h"
#include "base/text.h"
#include "wire/records_codec.h"

#define DIGEST_SIZE 8

/* ---- the records: what is written is read in the same order ---- */

void record_host_write(const struct record_host *r, struct buf *out)
{
	record_put_version(out);
	record_put_text(out, r->host);
	record_put_endpoint(out, &r->addr);
	record_put_ip(out, &r->source);
	record_put_u32(out, r->fails);
	record_put_time(out, r->first_fail);
	record_put_time(out, r->last_fail);
	record_put_time(out, r->last_good);
	record_put_time(out, r->probe_until);
	record_put_u32(out, r->connect_ms);
	record_put_u32(out, r->tls_fails);
	record_put_time(out, r->tls_last_fail);
	record_put_u32(out, r->caps);
	record_put_u64(out, r->size_max);
	record_put_u32(out, r->mail_max);
	record_put_u32(out, r->rcpt_max);
	record_put_text(out, r->why);
}

bool record_host_read(struct span in, struct record_host *ret)
{
	struct record_cursor c = record_begin(in);
	struct record_host r = { .host = record_take_text(&c) };
	r.addr = record_take_endpoint(&c);
	r.source = record_take_ip(&c);
	r.fails = record_take_u32(&c);
	r.first_fail = record_take_time(&c);
	r.last_fail = record_take_time(&c);
	r.last_good = record_take_time(&c);
	r.probe_until = record_take_time(&c);
	r.connect_ms = record_take_u32(&c);
	r.tls_fails = record_take_u32(&c);
	r.tls_last_fail = record_take_time(&c);
	r.caps = record_take_u32(&c);
	r.size_max = record_take_u64(&c);
	r.mail_max = record_take_u32(&c);
	r.rcpt_max = record_take_u32(&c);
	r.why = record_take_text(&c);
	if (!record_is_whole(&c))
		return false;
	*ret = r;
	return true;
}

void record_domain_write(const struct record_domain *r, struct buf *out)
{
	record_put_version(out);
	record_put_text(out, r->domain);
	record_put_u32(out, r->fails);
	record_put_time(out, r->failing_since);
	record_put_time(out, r->last_fail);
	record_put_time(out, r->probe_until);
	record_put_code(out, r->code);
	record_put_text(out, r->why);
}

bool record_domain_read(struct span in, struct record_domain *ret)
{
	struct record_cursor c = record_begin(in);
	struct record_domain r = { .domain = record_take_text(&c) };
	r.fails = record_take_u32(&c);
	r.failing_since = record_take_time(&c);
	r.last_fail = record_take_time(&c);
	r.probe_until = record_take_time(&c);
	r.code = record_take_code(&c);
	r.why = record_take_text(&c);
	if (!record_is_whole(&c))
		return false;
	*ret = r;
	return true;
}

/* The body is foreign text that is parsed again each time. A part of it could promise something
 * else, so one that is too long is not cut. */
void record_policy_write(const struct record_policy *r, struct buf *out)
{
	record_put_version(out);
	record_put_text(out, r->domain);
	record_put_time(out, r->fetched);
	record_put_time(out, r->tried);
	record_put_u32(out, r->fails);
	record_put_u32(out, r->max_age);
	record_put_text(out, r->id);
	record_put_bytes(out, r->body);
}

bool record_policy_read(struct span in, struct record_policy *ret)
{
	struct record_cursor c = record_begin(in);
	struct record_policy r = { .domain = record_take_text(&c) };
	r.fetched = record_take_time(&c);
	r.tried = record_take_time(&c);
	r.fails = record_take_u32(&c);
	r.max_age = record_take_u32(&c);
	r.id = record_take_text(&c);
	r.body = record_take_bytes(&c);
	if (!record_is_whole(&c))
		return false;
	*ret = r;
	return true;
}

static void put_answer(struct buf *out, const struct record_answer *a)
{
	record_put_text(out, a->relay);
	record_put_text(out, a->event);
	record_put_text(out, a->text);
	record_put_code(out, a->code);
}

static struct record_answer take_answer(struct record_cursor *c)
{
	struct record_answer a = { .relay = record_take_text(c) };
	a.event = record_take_text(c);
	a.text = record_take_text(c);
	a.code = record_take_code(c);
	return a;
}

void record_attempt_write(const struct record_attempt *r, struct buf *out)
{
	record_put_version(out);
	record_put_text(out, r->queue_id);
	record_put_text(out, r->sender);
	record_put_text(out, r->rcpt);
	record_put_text(out, r->domain);
	record_put_time(out, r->first);
	record_put_time(out, r->last);
	record_put_u32(out, r->count);
	record_put_u8(out, r->permanent);
	record_put_code(out, r->code);
	record_put_text(out, r->text);
	record_put_u8(out, (uint8_t)r->nanswer);
	for (size_t i = 0; i < r->nanswer; i++)
		put_answer(out, &r->answer[i]);
}

bool record_attempt_read(struct span in, struct record_attempt *ret)
{
	struct record_cursor c = record_begin(in);
	struct record_attempt r = { .queue_id = record_take_text(&c) };
	r.sender = record_take_text(&c);
	r.rcpt = record_take_text(&c);
	r.domain = record_take_text(&c);
	r.first = record_take_time(&c);
	r.last = record_take_time(&c);
	r.count = record_take_u32(&c);
	r.permanent = record_take_u8(&c, 1);
	r.code = record_take_code(&c);
	r.text = record_take_text(&c);
	r.nanswer = record_take_u8(&c, RECORD_HOSTS);
	for (size_t i = 0; i < r.nanswer; i++)
		r.answer[i] = take_answer(&c);
	if (!record_is_whole(&c))
		return false;
	*ret = r;
	return true;
}

void record_delivered_write(const struct record_delivered *r, struct buf *out)
{
	record_put_version(out);
	record_put_text(out, r->queue_id);
	record_put_text(out, r->sender);
	record_put_text(out, r->rcpt);
	record_put_time(out, r->when);
	record_put_u8(out, r->reported);
	record_put_code(out, r->code);
	record_put_text(out, r->relay);
	record_put_text(out, r->text);
	record_put_text(out, r->level);
	record_put_text(out, r->because);
	record_put_text(out, r->protocol);
	record_put_text(out, r->cipher);
}

bool record_delivered_read(struct span in, struct record_delivered *ret)
{
	struct record_cursor c = record_begin(in);
	struct record_delivered r = { .queue_id = record_take_text(&c) };
	r.sender = record_take_text(&c);
	r.rcpt = record_take_text(&c);
	r.when = record_take_time(&c);
	r.reported = record_take_u8(&c, 1);
	r.code = record_take_code(&c);
	r.relay = record_take_text(&c);
	r.text = record_take_text(&c);
	r.level = record_take_text(&c);
	r.because = record_take_text(&c);
	r.protocol = record_take_text(&c);
	r.cipher = record_take_text(&c);
	if (!record_is_whole(&c))
		return false;
	*ret = r;
	return true;
}

void record_sender_write(const struct record_sender *r, struct buf *out)
{
	record_put_version(out);
	record_put_ip(out, &r->source);
	record_put_text(out, r->domain);
	record_put_text(out, r->helo);
	record_put_time(out, r->asked);
	record_put_u32(out, r->ttl);
	record_put_text(out, r->result);
	record_put_text(out, r->mechanism);
	record_put_text(out, r->why);
}

bool record_sender_read(struct span in, struct record_sender *ret)
{
	struct record_cursor c = record_begin(in);
	struct record_sender r = { .source = record_take_ip(&c) };
	r.domain = record_take_text(&c);
	r.helo = record_take_text(&c);
	r.asked = record_take_time(&c);
	r.ttl = record_take_u32(&c);
	r.result = record_take_text(&c);
	r.mechanism = record_take_text(&c);
	r.why = record_take_text(&c);
	if (!record_is_whole(&c))
		return false;
	*ret = r;
	return true;
}

/* ---- keys ---- */

struct key {
	struct buf *out;
	struct digest digest; /* of all of it, also of what is cut */
	size_t total;
};

static void key_add(struct key *k, struct span s)
{
	size_t room = RECORD_KEY - k->out->len;
	digest_add(&k->digest, s);
	k->total += s.n;
	buf_add(k->out, (struct span){ s.p, s.n < room ? s.n : room });
}

static struct key key_begin(enum record_kind kind, struct buf *out)
{
	struct key k = { .out = out };
	const char first = (char)kind;
	buf_reset(out);
	digest_init(&k.digest);
	key_add(&k, (struct span){ &first, 1 });
	return k;
}

static void key_lower(struct key *k, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = text_lower(s.p[i]);
		key_add(k, (struct span){ &c, 1 });
	}
}

/* Strings have no NUL inside: it keeps "a" "bc" and "ab" "c" apart. */
static void key_separate(struct key *k)
{
	key_add(k, (struct span){ "", 1 });
}

/* Only the domain has no case: two local parts that differ in it may be two mailboxes (RFC 5321
 * section 2.4), and each gets its copy. */
static void key_mailbox(struct key *k, const char *mailbox)
{
	struct span s = span_of(mailbox);
	const char *at = s.n ? memrchr(s.p, '@', s.n) : NULL;
	size_t local = at ? (size_t)(at - s.p) : s.n;
	key_add(k, (struct span){ s.p, local });
	key_lower(k, (struct span){ at, s.n - local });
}

static void key_end(struct key *k)
{
	if (k->total <= RECORD_KEY || k->out->overflow)
		return;
	k->out->len = RECORD_KEY - DIGEST_SIZE;
	record_put_u64(k->out, digest_value(&k->digest));
}

void record_host_key(struct endpoint addr, struct ip source, struct buf *out)
{
	char bytes[2 * (1 + sizeof(source.b)) + sizeof(addr.port) + 1];
	struct key k = key_begin(RECORD_HOST, out);
	struct buf b;
	buf_init(&b, bytes, sizeof(bytes));
	record_put_endpoint(&b, &addr);
	record_put_ip(&b, &source);
	key_add(&k, buf_view(&b));
	key_end(&k);
}

void record_domain_key(const char *domain, struct buf *out)
{
	struct key k = key_begin(RECORD_DOMAIN, out);
	key_lower(&k, span_of(domain));
	key_end(&k);
}

void record_policy_key(const char *domain, struct buf *out)
{
	struct key k = key_begin(RECORD_POLICY, out);
	key_lower(&k, span_of(domain));
	key_end(&k);
}

/* The queue id comes first, so that all recipients of a message lie side by side. */
void record_attempt_key(const char *queue_id, const char *rcpt, struct buf *out)
{
	struct key k = key_begin(RECORD_ATTEMPT, out);
	key_add(&k, span_of(queue_id));
	key_separate(&k);
	key_mailbox(&k, rcpt);
	key_end(&k);
}

void record_delivered_key(const struct record_message *m, struct buf *out)
{
	char bytes[2 * sizeof(uint64_t) + 1];
	struct key k = key_begin(RECORD_DELIVERED, out);
	struct buf numbers;
	buf_init(&numbers, bytes, sizeof(bytes));
	record_put_u64(&numbers, m->size);
	record_put_u64(&numbers, m->digest);
	key_add(&k, span_of(m->queue_id));
	key_separate(&k);
	key_mailbox(&k, m->sender);
	key_separate(&k);
	key_mailbox(&k, m->rcpt);
	key_separate(&k);
	key_add(&k, buf_view(&numbers));
	key_end(&k);
}

void record_sender_key(const struct record_sender *who, struct buf *out)
{
	char bytes[1 + sizeof(who->source.b) + 1];
	struct key k = key_begin(RECORD_SENDER, out);
	struct buf b;
	buf_init(&b, bytes, sizeof(bytes));
	record_put_ip(&b, &who->source);
	key_add(&k, buf_view(&b));
	key_lower(&k, who->domain);
	key_separate(&k);
	key_lower(&k, who->helo);
	key_end(&k);
}
