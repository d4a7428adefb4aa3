/* SPDX-License-Identifier: ISC */
#include "base/digest.h"
#include "base/text.h"
#include "harness.h"
#include "wire/records.h"

static char room[RECORD_BYTES + 1], again[RECORD_BYTES + 1];

/* ---- one of each ---- */

static const struct endpoint V6 = { .ip = { .family = 6, .b = { 0x20, 1, 0xd, 0xb8, [15] = 1 } },
				    .port = 25 };
static const struct ip V4 = { .family = 4, .b = { 192, 0, 2, 9 } };

static struct record_host a_host(void)
{
	return (struct record_host){
		.host = SPAN("mx1.example.net"),
		.addr = V6,
		.source = V4,
		.fails = 3,
		.first_fail = 1700000000,
		.last_fail = 1700000600,
		.last_good = 1600000000,
		.probe_until = 1700000720,
		.connect_ms = 41,
		.tls_fails = UINT32_MAX,
		.tls_last_fail = 1700000001,
		.caps = 0x1ff,
		.size_max = UINT64_MAX,
		.mail_max = 5,
		.rcpt_max = 1000,
		.why = SPAN("connect to mx1.example.net[2001:db8::1]:25: Connection refused"),
	};
}

static struct record_domain a_domain(void)
{
	return (struct record_domain){
		.domain = SPAN("b\xc3\xbc"
			       "cher.example"),
		.fails = 2,
		.failing_since = 1700000000,
		.last_fail = 1700000600,
		.probe_until = 1700000800,
		.code = ESC(4, 4, 1),
		.why = SPAN("no host answered"),
	};
}

static struct record_policy a_policy(void)
{
	return (struct record_policy){
		.domain = SPAN("example.net"),
		.fetched = 1700000000,
		.tried = 1700000600,
		.fails = 1,
		.max_age = 604800,
		.id = SPAN("20240101T000000"),
		.body = SPAN("version: STSv1\r\nmode: enforce\r\nmx: *.example.net\r\n"
			     "max_age: 604800\r\nx: \xff\r\n"),
	};
}

static struct record_attempt a_attempt(void)
{
	return (struct record_attempt){
		.queue_id = SPAN("4Zq1x23yz"),
		.sender = SPAN(""),
		.rcpt = SPAN("\"a b\"@example.net"),
		.domain = SPAN("example.net"),
		.first = 1700000000,
		.last = 1700000600,
		.count = 7,
		.permanent = true,
		.code = ESC(5, 1, 1),
		.text = SPAN("unknown user"),
		.nanswer = 2,
		.answer = {
			{ SPAN("mx1[192.0.2.1]:25"), SPAN("connect"), SPAN("timed out"),
			  ESC(4, 4, 1) },
			{ SPAN("mx2[192.0.2.2]:25"), SPAN("RCPT TO"), SPAN("550 5.1.1 no"),
			  ESC(5, 999, 999) },
		},
	};
}

static struct record_delivered a_delivered(void)
{
	return (struct record_delivered){
		.queue_id = SPAN("4Zq1x23yz"),
		.sender = SPAN("s@example.com"),
		.rcpt = SPAN("r@example.net"),
		.when = 1700000000,
		.reported = true,
		.code = ESC(2, 0, 0),
		.relay = SPAN("mx1[192.0.2.1]:25"),
		.text = SPAN("250 2.0.0 queued as 1"),
		.level = SPAN("dane"),
		.because = SPAN("TLSA 3 1 1"),
		.protocol = SPAN("TLSv1.3"),
		.cipher = SPAN("TLS_AES_256_GCM_SHA384"),
	};
}

static struct record_sender a_sender(void)
{
	return (struct record_sender){
		.source = V4,
		.domain = SPAN("example.org"),
		.helo = SPAN("mail.example.org"),
		.asked = 1700000000,
		.ttl = 3600,
		.result = SPAN("fail"),
		.mechanism = SPAN("-all (example.org)"),
		.why = SPAN("192.0.2.9 matches -all in the record of example.org"),
	};
}

static bool same_code(struct esc a, struct esc b)
{
	return a.cls == b.cls && a.subject == b.subject && a.detail == b.detail;
}

/* ---- for all kinds alike: read, and write what was read; a read that fails leaves no mark ---- */

#define KIND(kind)                                                                                 \
	static bool kind##_again(struct span in, struct buf *out)                                  \
	{                                                                                          \
		struct record_##kind r, untouched;                                                 \
		memset(&r, 0xa5, sizeof(r));                                                       \
		memset(&untouched, 0xa5, sizeof(untouched));                                       \
		bool ok = record_##kind##_read(in, &r);                                            \
		if (!ok)                                                                           \
			CHECK(#kind " untouched", memcmp(&r, &untouched, sizeof(r)) == 0);         \
		else                                                                               \
			record_##kind##_write(&r, out);                                            \
		return ok;                                                                         \
	}                                                                                          \
	static void kind##_write(struct buf *out)                                                  \
	{                                                                                          \
		const struct record_##kind r = a_##kind();                                         \
		record_##kind##_write(&r, out);                                                    \
	}

KIND(host)
KIND(domain)
KIND(policy)
KIND(attempt)
KIND(delivered)
KIND(sender)

struct kind {
	const char *label;
	void (*write)(struct buf *out);
	bool (*again)(struct span in, struct buf *out);
};

static const struct kind kinds[] = {
	{ "host", host_write, host_again },
	{ "domain", domain_write, domain_again },
	{ "policy", policy_write, policy_again },
	{ "attempt", attempt_write, attempt_again },
	{ "delivered", delivered_write, delivered_again },
	{ "sender", sender_write, sender_again },
};
#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct span written(const struct kind *k)
{
	struct buf out;
	buf_init(&out, room, sizeof(room));
	k->write(&out);
	CHECK(k->label, !out.overflow && out.len > 0 && out.p[0] == 1);
	return buf_view(&out);
}

/* Reads and, if so, writes back to the same bytes. */
static bool reads(const struct kind *k, struct span in)
{
	struct buf out;
	buf_init(&out, again, sizeof(again));
	if (!k->again(in, &out))
		return false;
	CHECK(k->label, !out.overflow && span_equal(buf_view(&out), in));
	return true;
}

static void test_cut_anywhere(void)
{
	for (const struct kind *k = kinds; k < kinds + NKINDS; k++) {
		struct span whole = written(k);
		CHECK(k->label, reads(k, whole));
		CHECK(k->label, !reads(k, (struct span){ NULL, 0 }));
		for (size_t n = 0; n < whole.n; n++) {
			/* In a place of its own, so that a sanitizer sees a byte too many. */
			char *part = malloc(n ? n : 1);
			memcpy(part, whole.p, n);
			CHECK(k->label, !reads(k, (struct span){ part, n }));
			free(part);
		}
		room[whole.n] = 0;
		CHECK(k->label, !reads(k, (struct span){ room, whole.n + 1 }));
	}
}

/* Each octet with each value: it reads back as it is, or not at all. */
static void test_any_octet(void)
{
	for (const struct kind *k = kinds; k < kinds + NKINDS; k++) {
		struct span whole = written(k);
		size_t good = 0;
		for (size_t i = 0; i < whole.n; i++) {
			char was = room[i];
			for (int v = 0; v < 256; v++) {
				room[i] = (char)v;
				bool ok = reads(k, whole);
				good += ok;
				CHECK(k->label, i > 0 || ok == (v == 1));
			}
			room[i] = was;
		}
		CHECK(k->label, good > whole.n);
	}
}

static void test_small_buffer(void)
{
	for (const struct kind *k = kinds; k < kinds + NKINDS; k++) {
		size_t whole = written(k).n;
		for (size_t size = 0; size <= whole + 1; size++) {
			struct buf out;
			char *place = malloc(size ? size : 1);
			buf_init(&out, place, size);
			k->write(&out);
			CHECK(k->label, out.overflow == (size < whole + 1));
			free(place);
		}
	}
}

/* ---- what the fields hold ---- */

static void test_host(void)
{
	const struct record_host w = a_host();
	struct record_host r;
	struct span in = written(&kinds[0]);
	CU_ASSERT_FATAL(record_host_read(in, &r));
	CU_ASSERT(span_equal(r.host, w.host) && span_equal(r.why, w.why));
	CU_ASSERT(r.host.p > in.p && r.why.p + r.why.n == in.p + in.n);
	CU_ASSERT(ip_equal(r.addr.ip, V6.ip) && r.addr.port == 25 && ip_equal(r.source, V4));
	CU_ASSERT(r.fails == w.fails && r.first_fail == w.first_fail);
	CU_ASSERT(r.last_fail == w.last_fail && r.last_good == w.last_good);
	CU_ASSERT(r.probe_until == w.probe_until && r.connect_ms == w.connect_ms);
	CU_ASSERT(r.tls_fails == w.tls_fails && r.tls_last_fail == w.tls_last_fail);
	CU_ASSERT(r.caps == w.caps && r.size_max == w.size_max);
	CU_ASSERT(r.mail_max == w.mail_max && r.rcpt_max == w.rcpt_max);
}

static void test_domain(void)
{
	const struct record_domain w = a_domain();
	struct record_domain r;
	CU_ASSERT_FATAL(record_domain_read(written(&kinds[1]), &r));
	CU_ASSERT(span_equal(r.domain, w.domain) && span_equal(r.why, w.why));
	CU_ASSERT(r.fails == w.fails && r.failing_since == w.failing_since);
	CU_ASSERT(r.last_fail == w.last_fail && r.probe_until == w.probe_until);
	CU_ASSERT(same_code(r.code, w.code));
}

static void test_policy(void)
{
	const struct record_policy w = a_policy();
	struct record_policy r;
	CU_ASSERT_FATAL(record_policy_read(written(&kinds[2]), &r));
	CU_ASSERT(span_equal(r.domain, w.domain) && span_equal(r.id, w.id));
	CU_ASSERT(span_equal(r.body, w.body) && r.fetched == w.fetched && r.tried == w.tried);
	CU_ASSERT(r.fails == w.fails && r.max_age == w.max_age);
}

static void test_attempt(void)
{
	const struct record_attempt w = a_attempt();
	struct record_attempt r;
	CU_ASSERT_FATAL(record_attempt_read(written(&kinds[3]), &r));
	CU_ASSERT(span_equal(r.queue_id, w.queue_id) && r.sender.n == 0);
	CU_ASSERT(span_equal(r.rcpt, w.rcpt) && span_equal(r.domain, w.domain));
	CU_ASSERT(r.first == w.first && r.last == w.last && r.count == 7 && r.permanent);
	CU_ASSERT(same_code(r.code, w.code) && span_equal(r.text, w.text) && r.nanswer == 2);
	for (size_t i = 0; i < r.nanswer; i++) {
		CU_ASSERT(span_equal(r.answer[i].relay, w.answer[i].relay));
		CU_ASSERT(span_equal(r.answer[i].event, w.answer[i].event));
		CU_ASSERT(span_equal(r.answer[i].text, w.answer[i].text));
		CU_ASSERT(same_code(r.answer[i].code, w.answer[i].code));
	}
	CU_ASSERT(r.answer[2].text.n == 0);
}

static void test_delivered(void)
{
	const struct record_delivered w = a_delivered();
	struct record_delivered r;
	CU_ASSERT_FATAL(record_delivered_read(written(&kinds[4]), &r));
	CU_ASSERT(span_equal(r.queue_id, w.queue_id) && span_equal(r.sender, w.sender));
	CU_ASSERT(span_equal(r.rcpt, w.rcpt) && r.when == w.when && r.reported);
	CU_ASSERT(same_code(r.code, w.code) && span_equal(r.relay, w.relay));
	CU_ASSERT(span_equal(r.text, w.text) && span_equal(r.level, w.level));
	CU_ASSERT(span_equal(r.because, w.because) && span_equal(r.protocol, w.protocol));
	CU_ASSERT(span_equal(r.cipher, w.cipher));
}

static void test_sender(void)
{
	const struct record_sender w = a_sender();
	struct record_sender r;
	CU_ASSERT_FATAL(record_sender_read(written(&kinds[5]), &r));
	CU_ASSERT(ip_equal(r.source, V4) && span_equal(r.domain, w.domain));
	CU_ASSERT(span_equal(r.helo, w.helo) && r.asked == w.asked && r.ttl == w.ttl);
	CU_ASSERT(span_equal(r.result, w.result) && span_equal(r.mechanism, w.mechanism));
	CU_ASSERT(span_equal(r.why, w.why));
}

/* The bytes are the same on every machine, and from one release to the next. */
static void test_format(void)
{
	static const char want[] = "\1\0\1d\0\0\1\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\4\5"
				   "\0\0\0\0\6\7\x8\x9\4\0\4\0\1\0\2hi";
	const struct record_domain r = { .domain = SPAN("d"),
					 .fails = 0x102,
					 .failing_since = 3,
					 .last_fail = 0x405,
					 .probe_until = 0x6070809,
					 .code = ESC(4, 4, 1),
					 .why = SPAN("hi") };
	struct buf out;
	buf_init(&out, room, sizeof(room));
	record_domain_write(&r, &out);
	CU_ASSERT(span_equal(buf_view(&out), (struct span){ want, sizeof(want) - 1 }));
}

static void test_empty(void)
{
	const struct record_host host = { 0 };
	const struct record_attempt attempt = { 0 };
	struct record_host h = a_host();
	struct record_attempt a = a_attempt();
	struct buf out;
	buf_init(&out, room, sizeof(room));
	record_host_write(&host, &out);
	CU_ASSERT(record_host_read(buf_view(&out), &h));
	CU_ASSERT(h.host.n == 0 && h.addr.ip.family == 0 && h.source.family == 0);
	CU_ASSERT(h.fails == 0 && h.last_good == 0 && h.why.n == 0);
	buf_reset(&out);
	record_attempt_write(&attempt, &out);
	CU_ASSERT(record_attempt_read(buf_view(&out), &a));
	CU_ASSERT(a.nanswer == 0 && !a.permanent && a.queue_id.n == 0 && a.code.cls == 0);
}

/* Written behind what is in the buffer already. */
static void test_appends(void)
{
	struct record_domain r;
	struct buf out;
	buf_init(&out, room, sizeof(room));
	buf_add(&out, SPAN("before"));
	domain_write(&out);
	CU_ASSERT(memcmp(room, "before", 6) == 0);
	CU_ASSERT(record_domain_read((struct span){ out.p + 6, out.len - 6 }, &r));
}

static void test_most_hosts(void)
{
	struct record_attempt w = a_attempt(), r;
	char text[RECORD_TEXT];
	struct buf out;
	memset(text, 't', sizeof(text));
	buf_init(&out, room, sizeof(room));
	w.nanswer = RECORD_HOSTS;
	for (size_t i = 0; i < RECORD_HOSTS; i++) {
		struct span s = { text, sizeof(text) };
		w.answer[i] = (struct record_answer){ s, s, s, ESC(4, 0, (uint16_t)i) };
	}
	record_attempt_write(&w, &out);
	CU_ASSERT(!out.overflow && record_attempt_read(buf_view(&out), &r));
	CU_ASSERT(r.nanswer == RECORD_HOSTS && r.answer[11].text.n == RECORD_TEXT);
	CU_ASSERT(r.answer[11].code.detail == 11);
}

/* ---- texts ---- */

struct text_case {
	const char *label;
	size_t fill; /* this many x in front */
	struct span tail;
	size_t want;     /* octets kept */
	const char *end; /* how they end */
};

static void test_texts(void)
{
	static const struct text_case t[] = {
		{ "none", 0, SPAN(""), 0, "" },
		{ "as long as may be", 600, SPAN(""), 600, "xx" },
		{ "one more", 601, SPAN(""), 600, "xx" },
		{ "much more", 5000, SPAN(""), 600, "xx" },
		{ "ends in a character", 598, SPAN("\xc3\xa9"), 600, "x\xc3\xa9" },
		{ "cut behind it", 598, SPAN("\xc3\xa9y"), 600, "x\xc3\xa9" },
		{ "cut in two", 599, SPAN("\xc3\xa9"), 599, "xx" },
		{ "cut in three, first", 599, SPAN("\xe2\x82\xac"), 599, "xx" },
		{ "cut in three, second", 598, SPAN("\xe2\x82\xac"), 598, "xx" },
		{ "three that fit", 597, SPAN("\xe2\x82\xac!"), 600, "x\xe2\x82\xac" },
		{ "cut in four, third", 597, SPAN("\xf0\x9f\x93\xa7"), 597, "xx" },
		{ "four that fit", 596, SPAN("\xf0\x9f\x93\xa7!"), 600, "x\xf0\x9f\x93\xa7" },
		{ "controls", 0, SPAN("a\1\n\x7f\0z"), 6, "a? ??z" },
		{ "not UTF-8", 0, SPAN("a\xff\xc3"), 3, "a??" },
		{ "not UTF-8 at the cut", 590,
		  SPAN("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"), 597,
		  "x???????" },
	};
	char text[6000];
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct record_domain w = a_domain(), r;
		struct buf out;
		memset(text, 'x', sizeof(text));
		memcpy(text + t[i].fill, t[i].tail.p, t[i].tail.n);
		w.why = (struct span){ text, t[i].fill + t[i].tail.n };
		buf_init(&out, room, sizeof(room));
		record_domain_write(&w, &out);
		bool ok = record_domain_read(buf_view(&out), &r);
		CHECK(t[i].label, ok && !out.overflow);
		if (!ok)
			continue;
		size_t n = strlen(t[i].end);
		CHECK(t[i].label, r.why.n == t[i].want && r.why.n >= n);
		CHECK(t[i].label, memcmp(r.why.p + r.why.n - n, t[i].end, n) == 0);
		CHECK(t[i].label, memcmp(r.why.p, text, t[i].fill < 600 ? t[i].fill : 600) == 0);
	}
}

/* ---- what no writer of ours has written ---- */

static void test_foreign(void)
{
	static const struct {
		const char *label;
		struct span head, tail; /* of a domain record around its fixed fields */
	} t[] = {
		{ "good", SPAN("\1\0\1d"), SPAN("\4\0\4\0\1\0\0") },
		{ "version 0", SPAN("\0\0\1d"), SPAN("\4\0\4\0\1\0\0") },
		{ "version 2", SPAN("\2\0\1d"), SPAN("\4\0\4\0\1\0\0") },
		{ "tab", SPAN("\1\0\1\t"), SPAN("\4\0\4\0\1\0\0") },
		{ "NUL", SPAN("\1\0\1\0"), SPAN("\4\0\4\0\1\0\0") },
		{ "latin-1", SPAN("\1\0\1\xe9"), SPAN("\4\0\4\0\1\0\0") },
		{ "C1", SPAN("\1\0\2\xc2\x9b"), SPAN("\4\0\4\0\1\0\0") },
		{ "half a character at the end", SPAN("\1\0\1d"), SPAN("\4\0\4\0\1\0\1\xc3") },
		{ "no code", SPAN("\1\0\1d"), SPAN("\0\0\0\0\0\0\0") },
		{ "class 1", SPAN("\1\0\1d"), SPAN("\1\0\4\0\1\0\0") },
		{ "class 3", SPAN("\1\0\1d"), SPAN("\3\0\4\0\1\0\0") },
		{ "class 6", SPAN("\1\0\1d"), SPAN("\6\0\4\0\1\0\0") },
		{ "subject 999", SPAN("\1\0\1d"), SPAN("\4\3\xe7\0\1\0\0") },
		{ "subject 1000", SPAN("\1\0\1d"), SPAN("\4\3\xe8\0\1\0\0") },
		{ "detail 1000", SPAN("\1\0\1d"), SPAN("\4\0\4\3\xe8\0\0") },
		{ "text past the end", SPAN("\1\0\1d"), SPAN("\4\0\4\0\1\0\2x") },
		{ "longest length", SPAN("\1\0\1d"), SPAN("\4\0\4\0\1\xff\xffx") },
		{ "bytes behind", SPAN("\1\0\1d"), SPAN("\4\0\4\0\1\0\0\0") },
	};
	static const char *const good[] = { "good", "no code", "subject 999" };
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		static const char fixed[4 + 3 * 8] = { 0 };
		struct buf in;
		bool want = false;
		for (size_t j = 0; j < sizeof(good) / sizeof(good[0]); j++)
			want = want || strcmp(good[j], t[i].label) == 0;
		buf_init(&in, room, sizeof(room));
		buf_add(&in, t[i].head);
		buf_add(&in, (struct span){ fixed, sizeof(fixed) });
		buf_add(&in, t[i].tail);
		CHECK(t[i].label, reads(&kinds[1], buf_view(&in)) == want);
	}
}

/* A text of 601 octets is none of ours, though it is there and printable. */
static void test_longer_text(void)
{
	struct record_domain w = a_domain();
	char text[RECORD_TEXT];
	struct buf out;
	memset(text, 't', sizeof(text));
	w.why = (struct span){ text, sizeof(text) };
	buf_init(&out, room, sizeof(room));
	record_domain_write(&w, &out);
	CU_ASSERT(reads(&kinds[1], buf_view(&out)));
	out.p[out.len - RECORD_TEXT - 1]++;
	buf_addc(&out, 't');
	CU_ASSERT(!reads(&kinds[1], buf_view(&out)));
}

static void test_families(void)
{
	struct record_host w = a_host();
	struct buf out;
	w.source = (struct ip){ 0 };
	buf_init(&out, room, sizeof(room));
	record_host_write(&w, &out);
	const size_t addr = 1 + 2 + w.host.n, source = addr + 17 + 2;
	for (int v = 0; v < 256; v++) {
		room[source] = (char)v;
		CHECK("none", reads(&kinds[0], buf_view(&out)) == (v == 0));
	}
	room[source] = 0;
	for (int v = 0; v < 256; v++) {
		room[addr] = (char)v;
		CHECK("IPv6", reads(&kinds[0], buf_view(&out)) == (v == 6));
	}
}

static void test_odd_values(void)
{
	struct span whole = written(&kinds[0]);
	const size_t family = 1 + 2 + a_host().host.n;
	/* first_fail: behind both addresses, a port and fails. */
	size_t at = family + 17 + 2 + 5 + 4;
	CU_ASSERT(room[at + 7] == (char)(1700000000 & 0xff));
	static const char ends[][9] = { "\0\0\0\x3a\xff\xf4\x41\x7f", "\0\0\0\x3a\xff\xf4\x41\x80",
					"\x7f\xff\xff\xff\xff\xff\xff\xff", "\x80\0\0\0\0\0\0\0" };
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		memcpy(room + at, ends[i], 8);
		CHECK("the last second of 9999", reads(&kinds[0], whole) == (i == 0));
	}
	whole = written(&kinds[3]);
	struct record_attempt a = a_attempt();
	at = 1 + 8 + a.queue_id.n + a.sender.n + a.rcpt.n + a.domain.n + 8 + 8 + 4;
	for (int v = 0; v < 256; v++) {
		room[at] = (char)v;
		CHECK("permanent", reads(&kinds[3], whole) == (v <= 1));
	}
	whole = written(&kinds[3]);
	at += 1 + 5 + 2 + a.text.n;
	for (int v = 0; v < 256; v++) {
		room[at] = (char)v;
		CHECK("count of answers", reads(&kinds[3], whole) == (v == 2));
	}
	whole = written(&kinds[4]);
	struct record_delivered d = a_delivered();
	at = 1 + 6 + d.queue_id.n + d.sender.n + d.rcpt.n + 8;
	for (int v = 0; v < 256; v++) {
		room[at] = (char)v;
		CHECK("reported", reads(&kinds[4], whole) == (v <= 1));
	}
}

/* Thirteen answers that are really there. */
static void test_too_many_answers(void)
{
	struct record_attempt w = { .nanswer = RECORD_HOSTS };
	static const char one[3 * 2 + 5] = { 0 };
	struct buf out;
	buf_init(&out, room, sizeof(room));
	record_attempt_write(&w, &out);
	CU_ASSERT(reads(&kinds[3], buf_view(&out)));
	out.p[out.len - RECORD_HOSTS * sizeof(one) - 1]++;
	buf_add(&out, (struct span){ one, sizeof(one) });
	CU_ASSERT(!reads(&kinds[3], buf_view(&out)));
}

static void test_policy_body(void)
{
	static char body[UINT16_MAX + 1];
	struct record_policy w = a_policy(), r;
	struct buf out;
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)i;
	for (size_t n = UINT16_MAX - 1; n <= sizeof(body); n++) {
		w.body = (struct span){ body, n };
		buf_init(&out, room, sizeof(room));
		record_policy_write(&w, &out);
		CU_ASSERT(out.overflow == (n > UINT16_MAX));
		if (out.overflow)
			continue;
		CU_ASSERT(record_policy_read(buf_view(&out), &r));
		CU_ASSERT(span_equal(r.body, w.body));
	}
}

/* ---- keys ---- */

static struct span domain_key(const char *domain, struct buf *out, char *place)
{
	buf_init(out, place, RECORD_KEY + 1);
	buf_add(out, SPAN("left over"));
	record_domain_key(domain, out);
	CHECK(domain, !out->overflow && out->len <= RECORD_KEY);
	return buf_view(out);
}

static void test_name_keys(void)
{
	char one[RECORD_KEY + 1], two[RECORD_KEY + 1];
	struct buf a, b;
	struct span want = SPAN("dexample.net");
	CU_ASSERT(span_equal(domain_key("Example.NET", &a, one), want));
	CU_ASSERT(span_equal(domain_key("example.net", &b, two), want));
	CU_ASSERT(span_equal(domain_key("", &b, two), SPAN("d")));
	CU_ASSERT(!span_equal(domain_key("example.ne", &b, two), want));
	record_policy_key("EXAMPLE.net", &b);
	CU_ASSERT(span_equal(buf_view(&b), SPAN("pexample.net")));
}

static void test_host_keys(void)
{
	const struct ip none = { 0 }, v4 = V4;
	struct endpoint e[] = { V6, V6, { .ip = V4, .port = 25 }, { .ip = V4, .port = 24 }, V6 };
	const struct ip *source[] = { &none, &v4, &none, &none, &V6.ip };
	char place[5][RECORD_KEY + 1];
	struct buf k[5];
	e[1].port = 587;
	for (size_t i = 0; i < 5; i++) {
		buf_init(&k[i], place[i], sizeof(place[i]));
		record_host_key(e[i], *source[i], &k[i]);
		CU_ASSERT(!k[i].overflow && k[i].p[0] == 'h');
		for (size_t j = 0; j < i; j++)
			CU_ASSERT(!span_equal(buf_view(&k[i]), buf_view(&k[j])));
	}
	CU_ASSERT(span_equal(buf_view(&k[2]), SPAN("h\4\xc0\0\2\x9\0\x19\0")));
	/* What is in the octets that an IPv4 address does not use makes no difference. */
	e[2].ip.b[4] = 1;
	record_host_key(e[2], none, &k[0]);
	CU_ASSERT(span_equal(buf_view(&k[0]), buf_view(&k[2])));
}

/* Another answer is for another address, domain or HELO name, and nothing else. */
static void test_sender_keys(void)
{
	struct record_sender who[6];
	char place[6][RECORD_KEY + 1];
	struct buf k[6];
	for (size_t i = 0; i < 6; i++)
		who[i] = a_sender();
	who[1].source = V6.ip;
	who[2].domain = SPAN("example.orgm");
	who[2].helo = SPAN("ail.example.org");
	who[3].domain = who[3].helo = SPAN("");
	who[4].domain = SPAN("EXAMPLE.org");
	who[4].helo = SPAN("Mail.Example.ORG");
	who[5].result = who[5].mechanism = who[5].why = SPAN("pass");
	who[5].asked = who[5].ttl = 1;
	for (size_t i = 0; i < 6; i++) {
		buf_init(&k[i], place[i], sizeof(place[i]));
		record_sender_key(&who[i], &k[i]);
		CU_ASSERT(!k[i].overflow && k[i].p[0] == 's');
		for (size_t j = 0; j < i && i < 4; j++)
			CU_ASSERT(!span_equal(buf_view(&k[i]), buf_view(&k[j])));
	}
	CU_ASSERT(span_equal(buf_view(&k[4]), buf_view(&k[0])));
	CU_ASSERT(span_equal(buf_view(&k[5]), buf_view(&k[0])));
	CU_ASSERT(span_equal(buf_view(&k[0]), SPAN("s\4\xc0\0\2\x9"
						   "example.org\0mail.example.org")));
	CU_ASSERT(span_equal(buf_view(&k[3]), SPAN("s\4\xc0\0\2\x9\0")));
}

static void test_attempt_keys(void)
{
	static const struct {
		const char *label, *queue_id, *rcpt;
		struct span want;
	} t[] = {
		{ "plain", "4Zq", "a@example.net", SPAN("a4Zq\0a@example.net") },
		{ "case of the domain", "4Zq", "a@Example.NET", SPAN("a4Zq\0a@example.net") },
		{ "case of the mailbox", "4Zq", "A@example.net", SPAN("a4Zq\0A@example.net") },
		{ "case of the queue id", "4zQ", "a@example.net", SPAN("a4zQ\0a@example.net") },
		{ "the last @", "4Zq", "\"A@B\"@C", SPAN("a4Zq\0\"A@B\"@c") },
		{ "no @", "4Zq", "Root", SPAN("a4Zq\0Root") },
		{ "all of a message", "4Zq", "", SPAN("a4Zq\0") },
	};
	char place[RECORD_KEY + 1];
	struct buf k;
	buf_init(&k, place, sizeof(place));
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		record_attempt_key(t[i].queue_id, t[i].rcpt, &k);
		CHECK(t[i].label, !k.overflow && span_equal(buf_view(&k), t[i].want));
	}
}

static struct span message_key(const struct record_message *m, struct buf *out, char *place)
{
	buf_init(out, place, RECORD_KEY + 1);
	record_delivered_key(m, out);
	CU_ASSERT(!out->overflow && out->len <= RECORD_KEY && out->p[0] == 'l');
	return buf_view(out);
}

static void test_message_keys(void)
{
	static const struct record_message t[] = {
		{ "Q1", "s@a", "r@b", 1, 2 },          { "Q2", "s@a", "r@b", 1, 2 },
		{ "q1", "s@a", "r@b", 1, 2 },          { "Q1", "S@a", "r@b", 1, 2 },
		{ "Q1", "s@a", "R@b", 1, 2 },          { "Q1", "", "r@b", 1, 2 },
		{ "Q1", "s@a", "r@b", 2, 1 },          { "Q1", "s@a", "r@b", 1, 3 },
		{ "Q1", "s@ar", "@b", 1, 2 },          { "Q1s", "@a", "r@b", 1, 2 },
		{ "Q1", "s@a", "r@b", UINT64_MAX, 2 },
	};
	struct record_message same = { "Q1", "s@A", "r@B", 1, 2 };
	char one[RECORD_KEY + 1], two[RECORD_KEY + 1];
	struct buf a, b;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		for (size_t j = 0; j < sizeof(t) / sizeof(t[0]); j++)
			CHECK(t[i].queue_id, span_equal(message_key(&t[i], &a, one),
							message_key(&t[j], &b, two)) == (i == j));
	CU_ASSERT(span_equal(message_key(&same, &a, one), message_key(&t[0], &b, two)));
	CU_ASSERT(
		span_equal(buf_view(&b), SPAN("lQ1\0s@a\0r@b\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2")));
}

/* Up to RECORD_KEY octets a key is what it was made of; a longer one tells its end by a digest. */
static void test_long_keys(void)
{
	char name[1000], one[RECORD_KEY + 1], two[RECORD_KEY + 1], whole[1000];
	struct buf a, b;
	for (size_t n = RECORD_KEY - 3; n < RECORD_KEY + 3; n++) {
		memset(name, 'N', n);
		name[n] = '\0';
		struct span key = domain_key(name, &a, one);
		memset(whole, 'n', sizeof(whole));
		whole[0] = 'd';
		if (n + 1 <= RECORD_KEY) {
			CU_ASSERT(span_equal(key, (struct span){ whole, n + 1 }));
			continue;
		}
		uint64_t digest = digest_of((struct span){ whole, n + 1 });
		CU_ASSERT(key.n == RECORD_KEY && memcmp(key.p, whole, RECORD_KEY - 8) == 0);
		for (size_t i = 0; i < 8; i++)
			CU_ASSERT((uint8_t)key.p[RECORD_KEY - 1 - i] == (uint8_t)(digest >> 8 * i));
		name[n - 1] = 'x';
		CU_ASSERT(!span_equal(key, domain_key(name, &b, two)));
		name[n - 1] = 'n';
		CU_ASSERT(span_equal(key, domain_key(name, &b, two)));
	}
	/* The last thing in it counts, too. */
	memset(name, 'n', 900);
	name[900] = '\0';
	struct record_message m = { "Q1", name, "r@b", 1, 2 }, other = m;
	other.digest++;
	CU_ASSERT(!span_equal(message_key(&m, &a, one), message_key(&other, &b, two)));
	CU_ASSERT(a.len == RECORD_KEY && memcmp(one, two, RECORD_KEY - 8) == 0);
}

static void test_key_without_room(void)
{
	struct record_message m = { "Q1", "s@a", "r@b", 1, 2 };
	char name[1000], place[RECORD_KEY];
	struct buf k;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	buf_init(&k, place, sizeof(place));
	record_domain_key(name, &k);
	CU_ASSERT(k.overflow);
	record_domain_key("example.net", &k);
	CU_ASSERT(!k.overflow && k.len == 12);
	buf_init(&k, place, 5);
	record_delivered_key(&m, &k);
	CU_ASSERT(k.overflow && k.len < 5);
	record_domain_key(name, &k);
	CU_ASSERT(k.overflow && k.len < 5);
	buf_init(&k, place, 0);
	record_attempt_key("Q1", "r@b", &k);
	CU_ASSERT(k.overflow && k.len == 0);
}

TEST_MAIN("records", { "cut anywhere", test_cut_anywhere }, { "any octet", test_any_octet },
	  { "small buffer", test_small_buffer }, { "host", test_host }, { "domain", test_domain },
	  { "policy", test_policy }, { "attempt", test_attempt }, { "delivered", test_delivered },
	  { "sender", test_sender }, { "sender keys", test_sender_keys }, { "format", test_format },
	  { "empty", test_empty }, { "appends", test_appends }, { "most hosts", test_most_hosts },
	  { "texts", test_texts }, { "foreign", test_foreign }, { "longer text", test_longer_text },
	  { "families", test_families }, { "odd values", test_odd_values },
	  { "too many answers", test_too_many_answers }, { "policy body", test_policy_body },
	  { "name keys", test_name_keys }, { "host keys", test_host_keys },
	  { "attempt keys", test_attempt_keys }, { "message keys", test_message_keys },
	  { "long keys", test_long_keys }, { "key without room", test_key_without_room })
