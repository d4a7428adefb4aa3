/* SPDX-License-Identifier: ISC */
#include "front/ctl_items.h"

#include "ctl_print.h"

static struct item host_item(struct record_host *r, const char *key)
{
	return (struct item){ span_of(key), RECORD_HOST, { .host = r } };
}

static void test_read(void)
{
	char room[RECORD_BYTES];
	struct arena *a = arena_open(1000000);
	struct record_domain d = { .domain = SPAN("example.net"), .fails = 3 };
	struct item it = { .kind = RECORD_HOST };
	struct error err;
	struct buf value;
	bool known = false;
	buf_init(&value, room, sizeof(room));
	record_domain_write(&d, &value);
	CHECK("domain", item_read(a, SPAN("dexample.net"), buf_view(&value), &it, &known, &err));
	CHECK("domain", known && it.kind == RECORD_DOMAIN && it.domain->fails == 3);
	memset(room, 'x', sizeof(room)); /* it is a copy */
	CHECK("copy", span_equal(it.domain->domain, SPAN("example.net")));
	CHECK("copy", span_equal(it.key, SPAN("dexample.net")));

	static const struct {
		const char *label;
		struct span key, value;
	} cases[] = {
		{ "no key", { NULL, 0 }, SPAN("x") },     { "other kind", SPAN("xabc"), SPAN("x") },
		{ "no host", SPAN("h1"), SPAN("x") },     { "no domain", SPAN("d1"), { NULL, 0 } },
		{ "no policy", SPAN("p1"), SPAN("x") },   { "no message", SPAN("a1"), SPAN("x") },
		{ "no delivery", SPAN("l1"), SPAN("x") }, { "no sender", SPAN("s1"), SPAN("x") },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct item other = { .kind = RECORD_HOST };
		known = true;
		CHECK(cases[i].label,
		      item_read(a, cases[i].key, cases[i].value, &other, &known, &err));
		CHECK(cases[i].label, !known && other.kind == RECORD_HOST && !other.host);
	}
	arena_close(a);
	a = arena_open(0);
	CHECK("no memory", !item_read(a, SPAN("d"), SPAN("x"), &it, &known, &err));
	CHECK("no memory", err.class == ERR_INTERNAL);
	arena_close(a);
}

static void test_sort(void)
{
	struct record_attempt early = { .queue_id = SPAN("Z"), .first = 5 };
	struct record_attempt late = { .queue_id = SPAN("A"), .first = 9 };
	struct record_attempt same = { .queue_id = SPAN("B"), .first = 9 };
	struct record_domain domain = { .domain = SPAN("example.net") };
	struct record_host host = { .host = SPAN("mx") }, host1 = { .host = SPAN("mx1") };
	struct record_policy policy = { .domain = SPAN("a.example") };
	struct record_delivered old = { .queue_id = SPAN("Y"), .when = 1 };
	struct record_sender own = { .domain = SPAN("example.org") }, alone = { .ttl = 1 };
	struct record_delivered new = { .queue_id = SPAN("X"), .when = 2 };
	struct item all[] = {
		{ SPAN("s2"), RECORD_SENDER, { .sender = &own } },
		{ SPAN("s3"), RECORD_SENDER, { .sender = &alone } },
		{ SPAN("l2"), RECORD_DELIVERED, { .delivered = &new } },
		{ SPAN("l1"), RECORD_DELIVERED, { .delivered = &old } },
		{ SPAN("p"), RECORD_POLICY, { .policy = &policy } },
		host_item(&host1, "h0"),
		host_item(&host, "h2"),
		host_item(&host, "h1"),
		{ SPAN("d"), RECORD_DOMAIN, { .domain = &domain } },
		{ SPAN("a2"), RECORD_ATTEMPT, { .message = &same } },
		{ SPAN("a1"), RECORD_ATTEMPT, { .message = &late } },
		{ SPAN("a0"), RECORD_ATTEMPT, { .message = &early } },
	};
	static const char *const want[] = { "a0", "a1", "a2", "d",  "h1", "h2",
					    "h0", "p",  "l1", "l2", "s3", "s2" };
	struct items items = { all, sizeof(all) / sizeof(all[0]) };
	items_sort(&items);
	for (size_t i = 0; i < items.n; i++)
		CHECK(want[i], span_equal(items.item[i].key, span_of(want[i])));
	items = (struct items){ 0 };
	items_sort(&items);
	CHECK("none", items.n == 0);
}

static enum subject_tie tie(const char *text, const struct item *it)
{
	struct arena *a = arena_open(100000);
	struct subject s = { 0 };
	struct error err;
	bool ok = subject_of(a, text, &s, &err);
	CHECK(text, ok);
	enum subject_tie t = ok ? subject_tie(&s, it) : SUBJECT_NONE;
	arena_close(a);
	return t;
}

static void test_hosts(void)
{
	struct record_host v4 = { .host = SPAN("MX1.example.net"),
				  .addr = { { 4, { 192, 0, 2, 1 } }, 25 } };
	struct record_host v6 = { .host = SPAN("mx6.example.net"),
				  .addr = { { 6, { 0x20, 1, 0xd, 0xb8, [15] = 1 } }, 2525 } };
	static const struct {
		const char *text;
		bool v4, v6;
	} cases[] = {
		{ "mx1.example.net", true, false },
		{ "MX1.Example.NET.", true, false },
		{ "example.net", false, false },
		{ "192.0.2.1", true, false },
		{ "192.0.2.10", false, false },
		{ "[192.0.2.1]", true, false },
		{ "192.0.2.1:25", true, false },
		{ "192.0.2.1:26", false, false },
		{ "[192.0.2.1]:25", true, false },
		{ "mx1.example.net[192.0.2.1]:25", true, false },
		{ "mx1.example.net[192.0.2.1]", true, false },
		{ "mx1.example.net[192.0.2.2]:25", false, false }, /* another address of it */
		{ "2001:db8::1", false, true },
		{ "2001:0DB8:0::1", false, true },
		{ "[2001:db8::1]:2525", false, true },
		{ "[2001:db8::1]:25", false, false },
		{ "[IPv6:2001:db8::1]", false, true },
		{ "mx6.example.net[2001:db8::1]:2525", false, true },
		{ "", false, false },
		{ "[", false, false },
		{ "mx1.example.net[", false, false },
		{ "user@example.net", false, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct item a = host_item(&v4, "h1"), b = host_item(&v6, "h2");
		CHECK(cases[i].text, (tie(cases[i].text, &a) == SUBJECT_ITSELF) == cases[i].v4);
		CHECK(cases[i].text, (tie(cases[i].text, &b) == SUBJECT_ITSELF) == cases[i].v6);
	}
}

static void test_names(void)
{
	struct record_domain domain = { .domain = SPAN("xn--bcher-kva.example") };
	struct record_policy policy = { .domain = SPAN("xn--bcher-kva.example") };
	struct record_attempt message = { .queue_id = SPAN("4ABC"),
					  .domain = SPAN("xn--bcher-kva.example") };
	struct record_delivered delivered = { .queue_id = SPAN("4ABC") };
	struct record_domain literal = { .domain = SPAN("[192.0.2.1]") };
	const struct item d = { SPAN("d"), RECORD_DOMAIN, { .domain = &domain } };
	const struct item p = { SPAN("p"), RECORD_POLICY, { .policy = &policy } };
	const struct item m = { SPAN("a"), RECORD_ATTEMPT, { .message = &message } };
	const struct item l = { SPAN("l"), RECORD_DELIVERED, { .delivered = &delivered } };
	const struct item x = { SPAN("d["), RECORD_DOMAIN, { .domain = &literal } };
	static const char *const names[] = { "b\xc3\xbc"
					     "cher.example",
					     "B\xc3\x9c"
					     "CHER.example.",
					     "xn--bcher-kva.example", "XN--bcher-kva.EXAMPLE" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK(names[i], tie(names[i], &d) == SUBJECT_ITSELF);
		CHECK(names[i], tie(names[i], &p) == SUBJECT_ITSELF);
		CHECK(names[i], tie(names[i], &m) == SUBJECT_TOUCHED);
		CHECK(names[i], tie(names[i], &l) == SUBJECT_NONE);
	}
	CHECK("queue id", tie("4ABC", &m) == SUBJECT_ITSELF && tie("4ABC", &l) == SUBJECT_ITSELF);
	CHECK("queue ids have case", tie("4abc", &m) == SUBJECT_NONE);
	CHECK("queue ids are whole", tie("4AB", &l) == SUBJECT_NONE);
	CHECK("literal", tie("[192.0.2.1]", &x) == SUBJECT_ITSELF);
}

static void test_senders(void)
{
	struct record_sender own = { .source = { 4, { 192, 0, 2, 9 } },
				     .domain = SPAN("xn--bcher-kva.example") };
	struct record_sender alone = { .source = { 6, { 0x20, 1, 0xd, 0xb8, [15] = 9 } } };
	const struct item o = { SPAN("s1"), RECORD_SENDER, { .sender = &own } };
	const struct item a = { SPAN("s2"), RECORD_SENDER, { .sender = &alone } };
	static const struct {
		const char *text;
		bool own, alone;
	} cases[] = {
		{ "b\xc3\xbc"
		  "cher.example",
		  true, false },
		{ "xn--bcher-kva.EXAMPLE", true, false },
		{ "192.0.2.9", true, false },
		{ "[192.0.2.9]", true, false },
		{ "2001:db8::9", false, true },
		{ "192.0.2.9:25", false, false },
		{ "192.0.2.1", false, false },
		{ "example", false, false },
		{ "", false, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(cases[i].text, (tie(cases[i].text, &o) == SUBJECT_ITSELF) == cases[i].own);
		CHECK(cases[i].text, (tie(cases[i].text, &a) == SUBJECT_ITSELF) == cases[i].alone);
	}
}

static void test_no_memory(void)
{
	struct arena *a = arena_open(0);
	struct subject s;
	struct error err;
	CHECK("no memory", !subject_of(a, "example.net", &s, &err) && err.class == ERR_INTERNAL);
	arena_close(a);
}

TEST_MAIN("ctl_items", { "read", test_read }, { "sort", test_sort }, { "hosts", test_hosts },
	  { "names", test_names }, { "senders", test_senders }, { "no memory", test_no_memory })
