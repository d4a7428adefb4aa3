/* SPDX-License-Identifier: ISC */
/* A memory as a machine has it after some bad hours: what the tests of mxdirectctl look at. All
 * times are relative to `now`. */
#ifndef TESTS_CTL_EXAMPLE_H
#define TESTS_CTL_EXAMPLE_H

#include "store/store.h"
#include "wire/ehlo.h"
#include "wire/records.h"

#define EXAMPLE_KEEP (7 * 86400)

struct example {
	struct store *store;
	int64_t now;
	struct error err;
	bool failed;
	struct buf key, value;
	char key_room[RECORD_KEY + 1], value_room[RECORD_BYTES + 1];
};

static inline void example_put(struct example *x, int64_t keep)
{
	if (!x->failed &&
	    !store_put(x->store, buf_view(&x->key), buf_view(&x->value), x->now + keep, &x->err))
		x->failed = true;
	buf_reset(&x->value);
}

static inline void example_message(struct example *x, const struct record_attempt *r)
{
	record_attempt_key(r->queue_id.p, r->rcpt.p, &x->key);
	record_attempt_write(r, &x->value);
	example_put(x, EXAMPLE_KEEP);
}

static inline void example_messages(struct example *x)
{
	static const struct record_answer answers[] = {
		{ SPAN("mx1.example.net[192.0.2.1]:25"),
		  SPAN("no response"),
		  SPAN("connect to mx1.example.net[192.0.2.1]:25: Connection timed out"),
		  { 4, 4, 1 } },
		{ SPAN("mx2.example.net[2001:db8::2]:25"),
		  SPAN("temporary refusal"),
		  SPAN("mx2.example.net[2001:db8::2]:25 said: 451 4.7.1 greylisted, please come "
		       "back in five minutes; "
		       "see https://mx2.example.net/greylisting for what this means (in reply to "
		       "RCPT TO)"),
		  { 4, 7, 1 } },
	};
	struct record_attempt r = {
		.queue_id = SPAN("4XyZ1a2b3c"),
		.sender = SPAN("s@example.org"),
		.rcpt = SPAN("anna@example.net"),
		.domain = SPAN("example.net"),
		.first = x->now - 7830,
		.last = x->now - 210,
		.count = 5,
		.code = { 4, 7, 1 },
		.text = answers[1].text,
		.nanswer = 2,
	};
	memcpy(r.answer, answers, sizeof(answers));
	example_message(x, &r);
	r = (struct record_attempt){
		.queue_id = SPAN("4XyZ9d8e7f"),
		.sender = SPAN(""),
		.rcpt = SPAN("info@broken.example"),
		.domain = SPAN("broken.example"),
		.first = x->now - 1530,
		.last = x->now - 330,
		.count = 3,
		.code = { 4, 4, 1 },
		.text = SPAN("connect to mail.broken.example[198.51.100.7]:25: Connection refused"),
		.nanswer = 1,
		.answer = { { SPAN("mail.broken.example[198.51.100.7]:25"),
			      SPAN("no response"),
			      SPAN("connect to mail.broken.example[198.51.100.7]:25: Connection "
				   "refused"),
			      { 4, 4, 1 } } },
	};
	example_message(x, &r);
}

static inline void example_domain(struct example *x, const struct record_domain *r)
{
	record_domain_key(r->domain.p, &x->key);
	record_domain_write(r, &x->value);
	example_put(x, EXAMPLE_KEEP);
}

static inline void example_domains(struct example *x)
{
	const struct record_domain broken = {
		.domain = SPAN("broken.example"),
		.fails = 4,
		.failing_since = x->now - 1530,
		.last_fail = x->now - 330,
		.code = { 4, 4, 1 },
		.why = SPAN("connect to mail.broken.example[198.51.100.7]:25: Connection refused"),
	};
	const struct record_domain grey = {
		.domain = SPAN("example.net"),
		.failing_since = x->now - 7830,
		.code = { 4, 7, 1 },
		.why = SPAN("mx2.example.net[2001:db8::2]:25 said: 451 4.7.1 greylisted, please "
			    "come back in five minutes; "
			    "see https://mx2.example.net/greylisting for what this means (in reply "
			    "to RCPT TO)"),
	};
	example_domain(x, &broken);
	example_domain(x, &grey);
}

static inline void example_host(struct example *x, const struct record_host *r)
{
	record_host_key(r->addr, r->source, &x->key);
	record_host_write(r, &x->value);
	example_put(x, EXAMPLE_KEEP);
}

static inline void example_hosts(struct example *x)
{
	struct record_host r = {
		.host = SPAN("mx1.example.net"),
		.addr = { { 4, { 192, 0, 2, 1 } }, 25 },
		.fails = 5,
		.first_fail = x->now - 7830,
		.last_fail = x->now - 210,
		.last_good = x->now - 93630,
		.connect_ms = 31,
		.caps = EHLO_PIPELINING | EHLO_SIZE | EHLO_STARTTLS,
		.size_max = 26214400,
		.why = SPAN("connect to mx1.example.net[192.0.2.1]:25: Connection timed out"),
	};
	example_host(x, &r);
	r = (struct record_host){
		.host = SPAN("mx2.example.net"),
		.addr = { { 6, { 0x20, 1, 0xd, 0xb8, [15] = 2 } }, 25 },
		.source = { 6, { 0x20, 1, 0xd, 0xb8, 0, 1, [15] = 0x25 } },
		.last_good = x->now - 210,
		.connect_ms = 12,
		.tls_fails = 2,
		.tls_last_fail = x->now - 390,
		.caps = EHLO_PIPELINING | EHLO_8BITMIME | EHLO_SIZE | EHLO_STARTTLS |
			EHLO_ENHANCED | EHLO_SMTPUTF8,
		.size_max = 52428800,
		.mail_max = 100,
		.rcpt_max = 1000,
	};
	example_host(x, &r);
	r = (struct record_host){
		.host = SPAN("mail.broken.example"),
		.addr = { { 4, { 198, 51, 100, 7 } }, 25 },
		.fails = 1,
		.first_fail = x->now - 330,
		.last_fail = x->now - 330,
		.why = SPAN("connect to mail.broken.example[198.51.100.7]:25: Connection refused"),
	};
	example_host(x, &r);
	r = (struct record_host){
		.host = SPAN("mx.good.example"),
		.addr = { { 4, { 203, 0, 113, 9 } }, 25 },
		.last_good = x->now - 3630,
		.connect_ms = 8,
		.caps = EHLO_PIPELINING,
	};
	example_host(x, &r);
}

static inline void example_policy(struct example *x, const struct record_policy *r)
{
	record_policy_key(r->domain.p, &x->key);
	record_policy_write(r, &x->value);
	example_put(x, EXAMPLE_KEEP);
}

static inline void example_policies(struct example *x)
{
	const struct record_policy good = {
		.domain = SPAN("example.net"),
		.fetched = x->now - 9030,
		.tried = x->now - 9030,
		.max_age = 604800,
		.id = SPAN("20261101T000000"),
		.body = SPAN("version: STSv1\r\nmode: enforce\r\nmx: *.example.net\r\nmx: "
			     "backup.example.com\r\nmax_age: 604800\r\n"),
	};
	const struct record_policy gone = { .domain = SPAN("nohttps.example"),
					    .tried = x->now - 90,
					    .fails = 2 };
	example_policy(x, &good);
	example_policy(x, &gone);
}

static inline void example_deliveries(struct example *x)
{
	const struct record_message m = { "4XyZ5g6h7i", "s@example.org",
					  "bj\xc3\xb6rn@good.example", 1234, 1 };
	const struct record_delivered r = {
		.queue_id = span_of(m.queue_id),
		.sender = span_of(m.sender),
		.rcpt = span_of(m.rcpt),
		.when = x->now - 3630,
		.code = { 2, 0, 0 },
		.relay = SPAN("mx.good.example[203.0.113.9]:25"),
		.text = SPAN("250 2.0.0 Ok: queued as 7JKL"),
		.level = SPAN("dane"),
		.because = SPAN("dane"),
		.protocol = SPAN("TLSv1.3"),
		.cipher = SPAN("TLS_AES_256_GCM_SHA384"),
	};
	record_delivered_key(&m, &x->key);
	record_delivered_write(&r, &x->value);
	example_put(x, EXAMPLE_KEEP);
}

/* False: *err tells. */
static inline bool example_fill(const char *dir, int64_t now, struct error *err)
{
	const struct store_options o = { .dir = dir,
					 .max_bytes = (size_t)64 * 1024 * 1024,
					 .patience_ms = 1000 };
	struct example *x = calloc(1, sizeof(*x));
	if (!x)
		return err_nomem(err);
	x->now = now;
	buf_init(&x->key, x->key_room, sizeof(x->key_room));
	buf_init(&x->value, x->value_room, sizeof(x->value_room));
	bool ok = store_open(&o, &x->store, err) && store_begin(x->store, STORE_WRITE, err);
	if (ok) {
		example_messages(x);
		example_domains(x);
		example_hosts(x);
		example_policies(x);
		example_deliveries(x);
		ok = !x->failed && store_commit(x->store, now, true, err);
		if (x->failed)
			*err = x->err;
	}
	store_close(x->store);
	free(x);
	return ok;
}

#endif
