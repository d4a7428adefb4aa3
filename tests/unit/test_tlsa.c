/* SPDX-License-Identifier: ISC */
#include "guard_page.h"
#include "harness.h"
#include "wire/tlsa.h"

#define X4  "\x11\x22\x33\x44"
#define X16 X4 X4 X4 X4
#define X32 X16 X16
#define X64 X32 X32

static void parse(void)
{
	static const char rdata[] = "\3\1\2" X4;
	struct guard_page g = guard_page_open(sizeof(rdata));
	struct tlsa t = { .usage = 99 };
	for (size_t n = 0; n < 4; n++) {
		struct span s = guard_page_put(&g, (struct span){ rdata, n });
		CHECK("short", !tlsa_parse(s, &t) && t.usage == 99);
	}
	CHECK("nothing", !tlsa_parse((struct span){ NULL, 0 }, &t));
	struct span s = guard_page_put(&g, SPAN("\3\1\2" X4));
	CHECK("whole", tlsa_parse(s, &t) && t.usage == 3 && t.selector == 1 && t.matching == 2);
	CHECK("data", span_equal(t.data, SPAN(X4)) && t.data.p == s.p + 3);
	s = guard_page_put(&g, SPAN("\xff\xfe\xfd\0"));
	CHECK("unsigned", tlsa_parse(s, &t) && t.usage == 255 && t.selector == 254);
	CHECK("unsigned", t.matching == 253 && span_equal(t.data, SPAN("\0")));
	guard_page_close(&g);
}

/* Every usage, selector and matching type there can be, with each length of data up to 70. */
static void usable(void)
{
	static const char data[70] = X64;
	size_t wrong = 0, right = 0;
	for (unsigned i = 0; i < 256 * 256; i++) {
		for (unsigned m = 0; m < 8; m++) {
			struct tlsa t = { (uint8_t)(i >> 8), (uint8_t)i, (uint8_t)(m < 7 ? m : 255),
					  .data = { data, i % 71 } };
			bool want = (t.usage == 2 || t.usage == 3) && t.selector <= 1 &&
				    ((t.matching == 0 && t.data.n > 0) ||
				     (t.matching == 1 && t.data.n == 32) ||
				     (t.matching == 2 && t.data.n == 64));
			wrong += tlsa_usable(&t) != want;
		}
	}
	CHECK("product", wrong == 0);
	for (unsigned i = 0; i < 4 * 4 * 71; i++) {
		struct tlsa t = { (uint8_t)(2 + i % 2),
				  (uint8_t)(i / 2 % 2),
				  (uint8_t)(i / 4 % 4),
				  { data, i / 16 } };
		right += tlsa_usable(&t);
	}
	CHECK("lengths", right == 4 * (70 + 1 + 1));
}

struct set {
	const char *label;
	struct span rdata[6];
	const char *want; /* "usage selector matching", joined by commas */
};

#define R(head, data)                                                                              \
	{                                                                                          \
		head data, sizeof(head data) - 1                                                   \
	}

static const struct set sets[] = {
	{ "none", { { 0 } }, "" },
	{ "one", { R("\3\1\1", X32) }, "3 1 1" },
	{ "full", { R("\2\0\0", X4) }, "2 0 0" },
	{ "short rdata is passed over", { R("\3\1\1", ""), R("\3\1\1", X32) }, "3 1 1" },
	{ "PKIX usages", { R("\0\1\1", X32), R("\1\1\1", X32) }, "" },
	{ "PKIX usages among others", { R("\1\1\1", X32), R("\3\1\1", X32) }, "3 1 1" },
	{ "a selector of the future", { R("\3\2\1", X32) }, "" },
	{ "a digest of the future", { R("\3\1\3", X64), R("\3\1\1", X32) }, "3 1 1" },
	{ "wrong lengths", { R("\3\1\1", X16), R("\3\1\2", X32) }, "" },
	{ "order", { R("\3\1\1", X32), R("\2\0\2", X64), R("\3\0\0", X4) }, "3 1 1,2 0 2,3 0 0" },
	{ "strongest digest", { R("\3\1\1", X32), R("\3\1\2", X64) }, "3 1 2" },
	{ "strongest digest first", { R("\3\1\2", X64), R("\3\1\1", X32) }, "3 1 2" },
	{ "all the weak ones go",
	  { R("\3\1\1", X32), R("\3\1\2", X64), R("\3\1\1", X32), R("\3\1\2", X64) },
	  "3 1 2,3 1 2" },
	{ "another selector", { R("\3\0\1", X32), R("\3\1\2", X64) }, "3 0 1,3 1 2" },
	{ "another usage", { R("\2\1\1", X32), R("\3\1\2", X64) }, "2 1 1,3 1 2" },
	{ "full stays", { R("\3\1\0", X4), R("\3\1\1", X32), R("\3\1\2", X64) }, "3 1 0,3 1 2" },
	{ "full beside the weaker", { R("\3\1\0", X4), R("\3\1\1", X32) }, "3 1 0,3 1 1" },
	{ "broken strong digest", { R("\3\1\1", X32), R("\3\1\2", X32) }, "3 1 1" },
	{ "strong digest of a usage that is not used",
	  { R("\1\1\2", X64), R("\3\1\1", X32) },
	  "3 1 1" },
	{ "each group by itself",
	  { R("\2\0\1", X32), R("\2\0\2", X64), R("\2\1\1", X32), R("\3\0\1", X32),
	    R("\3\1\1", X32), R("\3\1\2", X64) },
	  "2 0 2,2 1 1,3 0 1,3 1 2" },
};

static void choose(void)
{
	struct arena *a = arena_open(1 << 20);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		struct dns_rr rr[6];
		struct dns_answer answer = { .state = DNS_OK, .rr = rr };
		const struct tlsa *t = NULL;
		size_t n = 99, len = 0;
		char got[100] = "";
		for (; answer.nrr < 6 && sets[i].rdata[answer.nrr].p; answer.nrr++)
			rr[answer.nrr] = (struct dns_rr){ .bytes = sets[i].rdata[answer.nrr] };
		CHECK(sets[i].label, tlsa_select(a, &answer, &t, &n) && n <= 6);
		for (size_t k = 0; k < n && n <= 6; k++) {
			len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%u %u %u",
						k ? "," : "", t[k].usage, t[k].selector,
						t[k].matching);
			CHECK(sets[i].label, tlsa_usable(&t[k]));
		}
		CHECK_STR(sets[i].label, got, sets[i].want);
	}
	arena_close(a);
}

static void answers_without_records(void)
{
	static const enum dns_state states[] = { DNS_NODATA, DNS_NXDOMAIN, DNS_TEMP };
	struct arena *a = arena_open(1024);
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct dns_answer answer = { .state = states[i] };
		const struct tlsa *t;
		size_t n = 99;
		CHECK("none", tlsa_select(a, &answer, &t, &n) && n == 0);
	}
	arena_close(a);
}

static void no_memory(void)
{
	struct arena *a = arena_open(40);
	struct dns_rr rr[2] = { { .bytes = R("\3\1\1", X32) }, { .bytes = R("\3\1\1", X32) } };
	struct dns_answer answer = { .state = DNS_OK, .rr = rr, .nrr = 2 };
	const struct tlsa *t = NULL;
	size_t n = 99;
	CHECK("select", !tlsa_select(a, &answer, &t, &n) && !t && n == 99);
	CHECK("name", !tlsa_name(a, "a-host-that-is-long-enough.example.net", 25));
	arena_close(a);
}

static void name(void)
{
	struct arena *a = arena_open(1 << 16);
	char host[300];
	CHECK_STR("25", tlsa_name(a, "mx.example.net", 25), "_25._tcp.mx.example.net");
	CHECK_STR("0", tlsa_name(a, "x", 0), "_0._tcp.x");
	CHECK_STR("65535", tlsa_name(a, "x", 65535), "_65535._tcp.x");
	/* RFC 1035 section 3.1: 255 octets with the length of each label and the root: 253 as text.
	 */
	memset(host, 'x', sizeof(host));
	for (size_t n = 240; n < 260; n++) {
		host[n] = '\0';
		const char *got = tlsa_name(a, host, 25);
		CHECK("length", (got != NULL) == (n + strlen("_25._tcp.") <= 253));
		host[n] = 'x';
	}
	arena_close(a);
}

TEST_MAIN("tlsa", { "parse", parse }, { "usable", usable }, { "select", choose },
	  { "answers without records", answers_without_records }, { "no memory", no_memory },
	  { "name", name })
