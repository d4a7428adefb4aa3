/* SPDX-License-Identifier: ISC */
#include "dns_build.h"
#include "guard_page.h"
#include "harness.h"
#include "wire/dnsmsg.h"

static struct arena *arena;
static struct guard_page page;
static struct dns_build m;

/* Every message is read at the end of a page, so that one byte too many is a crash. */
static struct dns_answer parse(struct span msg, const char *name, enum dns_type type)
{
	struct dns_answer got = { .why = "untouched" };
	struct error err = { .text = "untouched" };
	arena_reset(arena);
	CHECK(name, dnsmsg_parse(arena, guard_page_put(&page, msg), name, type, &got, &err));
	CHECK_STR(name, err.text, "untouched");
	CHECK_STR(name, got.name, name);
	CHECK(name, got.canonical && got.state != DNS_PENDING);
	CHECK(name, (got.state == DNS_OK) == (got.nrr > 0));
	CHECK(name, (got.state == DNS_TEMP) == (got.why[0] != '\0'));
	return got;
}

static struct dns_answer parse_m(enum dns_type type)
{
	return parse(dns_view(&m), "example.com", type);
}

static void open_m(unsigned flags, enum dns_type type)
{
	dns_open(&m, flags, "example.com", type);
}

static void mx(void)
{
	open_m(DNS_ANSWER | DNS_AD, DNS_MX);
	dns_mx(&m, "example.com", 300, 20, "MX2.Example.COM");
	dns_mx(&m, "EXAMPLE.com", 200, 10, "mx1.example.net");
	struct dns_answer a = parse_m(DNS_MX);
	CHECK("mx", a.state == DNS_OK && a.authentic && a.nrr == 2 && a.ttl == 200);
	CHECK_STR("canonical", a.canonical, "example.com");
	CHECK("first", a.rr[0].mx.pref == 20 && a.rr[0].ttl == 300);
	CHECK_STR("lower case", a.rr[0].mx.host, "mx2.example.com");
	CHECK("second", a.rr[1].mx.pref == 10 && a.rr[1].ttl == 200);
	CHECK_STR("second", a.rr[1].mx.host, "mx1.example.net");
}

static void compressed_mx(void)
{
	open_m(DNS_ANSWER, DNS_MX);
	size_t at = dns_rr_begin(&m, DNS_IN_ANSWER, "example.com", DNS_MX, 60);
	dns_u16(&m, 10);
	dns_bytes(&m, "\2mx\xc0\x0c", 5);
	dns_rr_end(&m, at);
	struct dns_answer a = parse_m(DNS_MX);
	CHECK("compressed", a.nrr == 1 && !a.authentic);
	CHECK_STR("compressed", a.rr[0].mx.host, "mx.example.com");
}

static void null_mx(void)
{
	open_m(DNS_ANSWER, DNS_MX);
	dns_mx(&m, "example.com", 60, 0, "");
	struct dns_answer a = parse_m(DNS_MX);
	CHECK("alone", a.nrr == 1);
	CHECK_STR("alone", a.rr[0].mx.host, "");
	dns_mx(&m, "example.com", 60, 5, "mx.example.com");
	a = parse_m(DNS_MX);
	CHECK("among others", a.nrr == 2);
	CHECK_STR("among others", a.rr[0].mx.host, "");
	CHECK_STR("among others", a.rr[1].mx.host, "mx.example.com");
}

static void odd_names(void)
{
	static const struct {
		const char *label;
		struct span wire;
	} odd[] = {
		{ "NUL", { "\4a\0bc\3com\0", 10 } },
		{ "high byte",
		  { "\3a\xff"
		    "b\3com\0",
		    9 } },
		{ "blank", { "\3a b\3com\0", 9 } },
		{ "newline", { "\3a\nb\3com\0", 9 } },
		{ "dot in a label", { "\3a.b\3com\0", 9 } },
		{ "backslash", { "\3a\\b\3com\0", 9 } },
		{ "bracket", { "\3a(b\3com\0", 9 } },
	};
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		open_m(DNS_ANSWER, DNS_MX);
		size_t at = dns_rr_begin(&m, DNS_IN_ANSWER, "example.com", DNS_MX, 1);
		dns_u16(&m, 1);
		dns_bytes(&m, odd[i].wire.p, odd[i].wire.n);
		dns_rr_end(&m, at);
		struct dns_answer a = parse_m(DNS_MX);
		CHECK(odd[i].label, a.state == DNS_TEMP);
		CHECK_STR(odd[i].label, a.why, "no usable record");
		dns_mx(&m, "example.com", 60, 10, "good.example.com");
		a = parse_m(DNS_MX);
		CHECK(odd[i].label, a.nrr == 1 && a.ttl == 60);
		CHECK_STR(odd[i].label, a.rr[0].mx.host, "good.example.com");

		open_m(DNS_ANSWER, DNS_A);
		dns_raw(&m, "example.com", DNS_CNAME, 1, odd[i].wire);
		a = parse_m(DNS_A);
		CHECK_STR(odd[i].label, a.why, "CNAME to what is no host name");
		open_m(DNS_ANSWER, DNS_PTR);
		dns_raw(&m, "example.com", DNS_PTR, 1, odd[i].wire);
		dns_to_name(&m, "example.com", DNS_PTR, 60, "host.example.com");
		a = parse_m(DNS_PTR);
		CHECK(odd[i].label, a.nrr == 1);
		CHECK_STR(odd[i].label, a.rr[0].name, "host.example.com");
	}
}

static void addresses(void)
{
	char text[IP_TEXT];
	open_m(DNS_ANSWER, DNS_A);
	dns_raw(&m, "example.com", DNS_A, 0x80000000u, SPAN("\xc0\0\2\1"));
	dns_raw(&m, "other.example", DNS_A, 1, SPAN("\xc0\0\2\2"));
	dns_raw(&m, "example.com", DNS_TXT, 1, SPAN("\1x"));
	struct dns_answer a = parse_m(DNS_A);
	CHECK("A", a.nrr == 1 && a.rr[0].ip.family == 4);
	CHECK("a TTL with the top bit is 0", a.ttl == 0 && a.rr[0].ttl == 0);
	ip_format(a.rr[0].ip, text);
	CHECK_STR("A", text, "192.0.2.1");

	open_m(DNS_ANSWER, DNS_AAAA);
	dns_raw(&m, "example.com", DNS_AAAA, 0x7fffffff,
		SPAN("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"));
	a = parse_m(DNS_AAAA);
	CHECK("AAAA", a.nrr == 1 && a.rr[0].ip.family == 6 && a.ttl == 0x7fffffff);
	ip_format(a.rr[0].ip, text);
	CHECK_STR("AAAA", text, "2001:db8::1");
}

static void class_counts(void)
{
	open_m(DNS_ANSWER, DNS_A);
	dns_raw(&m, "example.com", DNS_A, 1, SPAN("\xc0\0\2\1"));
	m.b[m.n - 11] = 3; /* CHAOS */
	CHECK("another class", parse_m(DNS_A).state == DNS_NODATA);
}

static void txt(void)
{
	open_m(DNS_ANSWER, DNS_TXT);
	dns_raw(&m, "example.com", DNS_TXT, 9, SPAN("\7v=STSv1\1;\0\5 id=1"));
	dns_raw(&m, "example.com", DNS_TXT, 9, SPAN("\3a\0b"));
	dns_raw(&m, "example.com", DNS_TXT, 9, SPAN("\0"));
	struct dns_answer a = parse_m(DNS_TXT);
	CHECK("txt", a.nrr == 3);
	CHECK("joined", span_equal(a.rr[0].bytes, SPAN("v=STSv1; id=1")));
	CHECK("NUL stays a byte", span_equal(a.rr[1].bytes, SPAN("a\0b")));
	CHECK("empty", a.rr[2].bytes.n == 0 && a.rr[2].bytes.p);
}

static void tlsa_and_ptr(void)
{
	open_m(DNS_ANSWER | DNS_AD, DNS_TLSA);
	dns_raw(&m, "example.com", DNS_TLSA, 9, SPAN("\3\1\1\0\1\2\3"));
	struct dns_answer a = parse_m(DNS_TLSA);
	CHECK("tlsa", a.nrr == 1 && span_equal(a.rr[0].bytes, SPAN("\3\1\1\0\1\2\3")));

	dns_open(&m, DNS_ANSWER, "1.2.0.192.in-addr.arpa", DNS_PTR);
	dns_to_name(&m, "1.2.0.192.in-addr.arpa", DNS_CNAME, 9, "1.0/25.2.0.192.in-addr.arpa");
	dns_to_name(&m, "1.0/25.2.0.192.in-addr.arpa", DNS_PTR, 9, "Mail.example.org");
	dns_to_name(&m, "1.0/25.2.0.192.in-addr.arpa", DNS_PTR, 9, "");
	a = parse(dns_view(&m), "1.2.0.192.in-addr.arpa", DNS_PTR);
	CHECK("ptr", a.nrr == 1);
	CHECK_STR("ptr", a.rr[0].name, "mail.example.org");
}

static void wrong_size(void)
{
	static const struct {
		const char *label;
		enum dns_type type;
		struct span data;
	} cases[] = {
		{ "short A", DNS_A, { "\1\2\3", 3 } },
		{ "long A", DNS_A, { "\1\2\3\4\5", 5 } },
		{ "empty A", DNS_A, { "", 0 } },
		{ "short AAAA", DNS_AAAA, { "\1\2\3\4", 4 } },
		{ "MX without host", DNS_MX, { "\0\1", 2 } },
		{ "MX with rest", DNS_MX, { "\0\1\1a\0x", 6 } },
		{ "MX name past the record", DNS_MX, { "\0\1\5abc", 6 } },
		{ "PTR empty", DNS_PTR, { "", 0 } },
		{ "TXT empty", DNS_TXT, { "", 0 } },
		{ "TXT string too long", DNS_TXT, { "\1a\5b", 4 } },
		{ "TLSA of two bytes", DNS_TLSA, { "\3\1", 2 } },
		{ "pointer to itself", DNS_MX, { "\0\1\xc0\x36", 4 } },
		{ "pointer past the end", DNS_MX, { "\0\1\xc3\xff", 4 } },
		{ "unknown label type", DNS_MX, { "\0\1\x80\0", 4 } },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_m(DNS_ANSWER, cases[i].type);
		dns_raw(&m, "example.com", cases[i].type, 60, cases[i].data);
		struct dns_answer a = parse_m(cases[i].type);
		CHECK(cases[i].label, a.state == DNS_TEMP && a.nrr == 0 && a.ttl == 0);
		CHECK_STR(cases[i].label, a.why, "malformed answer");
	}
}

static void cname_chain(void)
{
	open_m(DNS_ANSWER | DNS_AD, DNS_A);
	dns_raw(&m, "c.example", DNS_A, 80, SPAN("\xc0\0\2\3"));
	dns_to_name(&m, "b.example", DNS_CNAME, 70, "c.Example");
	dns_to_name(&m, "Example.com", DNS_CNAME, 90, "B.example");
	struct dns_answer a = parse_m(DNS_A);
	CHECK("any order", a.state == DNS_OK && a.nrr == 1 && a.authentic);
	CHECK("smallest TTL of the chain", a.ttl == 70 && a.rr[0].ttl == 80);
	CHECK_STR("any order", a.canonical, "c.example");

	a = parse(dns_view(&m), "example.com", DNS_AAAA);
	CHECK_STR("other type", a.why, "answer to another question");

	open_m(DNS_ANSWER, DNS_CNAME);
	dns_to_name(&m, "example.com", DNS_CNAME, 70, "b.example");
	dns_to_name(&m, "b.example", DNS_CNAME, 70, "c.example");
	a = parse_m(DNS_CNAME);
	CHECK("CNAME itself", a.nrr == 1);
	CHECK_STR("CNAME itself", a.canonical, "example.com");
	CHECK_STR("CNAME itself", a.rr[0].name, "b.example");
}

static void cname_length(void)
{
	char from[32], to[32];
	for (int links = LIMIT_CNAMES; links <= LIMIT_CNAMES + 1; links++) {
		open_m(DNS_ANSWER, DNS_A);
		snprintf(from, sizeof(from), "example.com");
		for (int i = 0; i < links; i++) {
			snprintf(to, sizeof(to), "n%d.example", i);
			dns_to_name(&m, from, DNS_CNAME, 10, to);
			memcpy(from, to, sizeof(from));
		}
		dns_raw(&m, to, DNS_A, 80, SPAN("\xc0\0\2\3"));
		struct dns_answer a = parse_m(DNS_A);
		CHECK(to, (a.state == DNS_OK) == (links == LIMIT_CNAMES));
	}
	static const char *const loops[][2] = { { "example.com", "example.com" },
						{ "b.example", "example.com" } };
	for (size_t i = 0; i < 2; i++) {
		open_m(DNS_ANSWER, DNS_A);
		dns_to_name(&m, "example.com", DNS_CNAME, 10, loops[i][0]);
		dns_to_name(&m, "b.example", DNS_CNAME, 10, loops[i][1]);
		struct dns_answer a = parse_m(DNS_A);
		CHECK_STR(loops[i][0], a.why, "CNAME loop or chain too long");
		CHECK_STR(loops[i][0], a.canonical, "example.com");
	}
}

static void negative(void)
{
	open_m(DNS_ANSWER | DNS_AD, DNS_MX);
	dns_soa(&m, "example.com", 900, 300);
	struct dns_answer a = parse_m(DNS_MX);
	CHECK("NODATA", a.state == DNS_NODATA && a.ttl == 300 && a.authentic);

	open_m(DNS_ANSWER | DNS_NXNAME, DNS_MX);
	dns_to_name(&m, "example.com", DNS_CNAME, 40, "gone.example");
	dns_soa(&m, "example", 100, 300);
	a = parse_m(DNS_MX);
	CHECK("NXDOMAIN behind a CNAME", a.state == DNS_NXDOMAIN && a.ttl == 40);
	CHECK_STR("NXDOMAIN behind a CNAME", a.canonical, "gone.example");

	open_m(DNS_ANSWER | DNS_NXNAME, DNS_MX);
	dns_soa(&m, "example", 100, 300);
	a = parse_m(DNS_MX);
	CHECK("its own TTL is smaller", a.state == DNS_NXDOMAIN && a.ttl == 100);

	open_m(DNS_ANSWER, DNS_MX);
	a = parse_m(DNS_MX);
	CHECK("no SOA", a.state == DNS_NODATA && a.ttl == 0);

	open_m(DNS_QR, DNS_MX);
	dns_ns(&m, "com", "ns.example");
	a = parse_m(DNS_MX);
	CHECK_STR("referral", a.why, "the server does not recurse");
	dns_soa(&m, "example.com", 900, 300);
	CHECK("NS and SOA", parse_m(DNS_MX).state == DNS_NODATA);

	open_m(DNS_ANSWER, DNS_MX);
	dns_soa(&m, "example.com", 900, 300);
	m.b[m.n - 20 - 2 - 12 - 14 + 1]--; /* the record is one byte too short */
	CHECK("malformed", parse_m(DNS_MX).state == DNS_TEMP);
}

static void refusals(void)
{
	static const struct {
		unsigned flags;
		const char *why;
	} cases[] = {
		{ DNS_ANSWER | 1, "FORMERR" },
		{ DNS_ANSWER | DNS_SERVFAIL, "SERVFAIL" },
		{ DNS_ANSWER | 4, "NOTIMP" },
		{ DNS_ANSWER | DNS_REFUSED, "REFUSED" },
		{ DNS_ANSWER | 9, "unknown response code" },
		{ DNS_RD, "malformed answer" },
		{ DNS_ANSWER | 0x2800, "malformed answer" },
		{ DNS_ANSWER | DNS_TC, "truncated answer" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_m(cases[i].flags, DNS_A);
		dns_raw(&m, "example.com", DNS_A, 1, SPAN("\xc0\0\2\1"));
		struct dns_answer a = parse_m(DNS_A);
		CHECK(cases[i].why, a.state == DNS_TEMP && !a.authentic);
		CHECK_STR(cases[i].why, a.why, cases[i].why);
	}
	/* An error without question, as some servers send it. */
	open_m(DNS_ANSWER | DNS_REFUSED, DNS_A);
	m.b[5] = 0;
	m.n = 12;
	CHECK_STR("no question", parse_m(DNS_A).why, "REFUSED");
	m.b[3] = 0x80;
	CHECK_STR("no question", parse_m(DNS_A).why, "malformed answer");
	CHECK_STR("nothing", parse((struct span){ 0 }, "example.com", DNS_A).why,
		  "malformed answer");
}

static void other_question(void)
{
	dns_open(&m, DNS_ANSWER, "example.org", DNS_A);
	CHECK_STR("name", parse_m(DNS_A).why, "answer to another question");
	dns_open(&m, DNS_ANSWER, "EXAMPLE.com", DNS_A);
	CHECK("case", parse_m(DNS_A).state == DNS_NODATA);
	open_m(DNS_ANSWER, DNS_A);
	m.b[m.n - 1] = 3;
	CHECK_STR("class", parse_m(DNS_A).why, "answer to another question");
}

/* Whatever is cut off: an answer, and never a good one. */
static void truncations(void)
{
	open_m(DNS_ANSWER, DNS_MX);
	dns_to_name(&m, "example.com", DNS_CNAME, 70, "b.example");
	dns_mx(&m, "b.example", 60, 10, "mx.example.com");
	dns_soa(&m, "example.com", 900, 300);
	for (size_t n = 0; n < m.n; n++) {
		struct span part = { (const char *)m.b, n };
		CHECK("cut", parse(part, "example.com", DNS_MX).state == DNS_TEMP);
	}
	CHECK("whole", parse_m(DNS_MX).state == DNS_OK);
	m.b[m.n++] = 0;
	CHECK("more than whole", parse_m(DNS_MX).state == DNS_TEMP);
}

/* Every byte, changed: no crash, and the promises of parse() hold. */
static void damage(void)
{
	open_m(DNS_ANSWER, DNS_MX);
	dns_to_name(&m, "example.com", DNS_CNAME, 70, "b.example");
	dns_mx(&m, "b.example", 60, 10, "mx.example.com");
	dns_soa(&m, "example.com", 900, 300);
	for (size_t i = 0; i < m.n; i++) {
		unsigned char was = m.b[i];
		for (unsigned v = 0; v < 256; v += 15) {
			m.b[i] = (unsigned char)v;
			parse_m(DNS_MX);
		}
		m.b[i] = was;
	}
}

static void many(void)
{
	open_m(DNS_ANSWER, DNS_A);
	for (int i = 0; i < 1000; i++)
		dns_raw(&m, "example.com", DNS_A, 60, SPAN("\xc0\0\2\1"));
	CHECK("no more than the limit", parse_m(DNS_A).nrr == LIMIT_DNS_RRS);
	struct span msg = { (const char *)m.b, LIMIT_DNS_MESSAGE + 1 };
	CHECK("too long", parse(msg, "example.com", DNS_A).state == DNS_TEMP);
}

static void no_memory(void)
{
	struct dns_answer got = { .why = "untouched" };
	struct error err = { 0 };
	open_m(DNS_ANSWER, DNS_MX);
	for (int i = 0; i < 200; i++)
		dns_mx(&m, "example.com", 60, 10, "a-longer-name-than-usual.example.com");
	for (size_t limit = 0; limit < 8192; limit += 1024) {
		struct arena *small = arena_open(limit);
		if (small)
			CHECK("small", !dnsmsg_parse(small, dns_view(&m), "example.com", DNS_MX,
						     &got, &err));
		CHECK("class", !small || err.class == ERR_INTERNAL);
		arena_close(small);
	}
	CHECK_STR("untouched", got.why, "untouched");
}

int main(void)
{
	static const struct test tests[] = {
		{ "mx", mx },
		{ "compressed_mx", compressed_mx },
		{ "null_mx", null_mx },
		{ "odd_names", odd_names },
		{ "addresses", addresses },
		{ "class_counts", class_counts },
		{ "txt", txt },
		{ "tlsa_and_ptr", tlsa_and_ptr },
		{ "wrong_size", wrong_size },
		{ "cname_chain", cname_chain },
		{ "cname_length", cname_length },
		{ "negative", negative },
		{ "refusals", refusals },
		{ "other_question", other_question },
		{ "truncations", truncations },
		{ "damage", damage },
		{ "many", many },
		{ "no_memory", no_memory },
	};
	arena = arena_open(LIMIT_ARENA);
	page = guard_page_open(70000);
	int rc = test_main("dnsmsg", tests, sizeof(tests) / sizeof(tests[0]));
	guard_page_close(&page);
	arena_close(arena);
	return rc;
}
