/* SPDX-License-Identifier: ISC */
#include "base/ip.h"

#include "guard_page.h"
#include "harness.h"

static struct ip ip_of(const char *text)
{
	struct ip ip = { 0 };
	CHECK(text, ip_parse(span_of(text), &ip));
	return ip;
}

static void addresses(void)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
		uint8_t family;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", 4 },
		{ "0.0.0.0", "0.0.0.0", 4 },
		{ "255.255.255.255", "255.255.255.255", 4 },
		{ "2001:db8::1", "2001:db8::1", 6 },
		{ "2001:0DB8:0:0:0:0:0:1", "2001:db8::1", 6 },
		{ "::", "::", 6 },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1", 6 },
		{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", 6 },
		{ "", NULL, 0 },
		{ "192.0.2", NULL, 0 },
		{ "192.0.2.256", NULL, 0 },
		{ "192.0.2.01", NULL, 0 },
		{ "0x7f.0.0.1", NULL, 0 },
		{ "127.1", NULL, 0 },
		{ "2130706433", NULL, 0 },
		{ " 192.0.2.1", NULL, 0 },
		{ "192.0.2.1 ", NULL, 0 },
		{ "192.0.2.1.", NULL, 0 },
		{ "fe80::1%lo", NULL, 0 },
		{ "[::1]", NULL, 0 },
		{ "1::2::3", NULL, 0 },
		{ "1:2:3:4:5:6:7:8:9", NULL, 0 },
		{ "12345::", NULL, 0 },
		{ "mx.example.net", NULL, 0 },
		{ "0000000000000000000000000000000000000000000000000000000000000000000", NULL, 0 },
	};
	struct guard_page g = guard_page_open(128);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip ip = { .family = 99 };
		char text[IP_TEXT];
		bool ok = ip_parse(guard_page_put(&g, span_of(cases[i].in)), &ip);
		CHECK(cases[i].in, ok == (cases[i].out != NULL));
		CHECK(cases[i].in, ip.family == (ok ? cases[i].family : 99));
		if (!ok || !cases[i].out)
			continue;
		ip_format(ip, text);
		CHECK_STR(cases[i].in, text, cases[i].out);
	}
	struct ip ip = { .family = 99 };
	char text[IP_TEXT];
	CHECK("NUL inside", !ip_parse(SPAN("192.0.2.1\0x"), &ip));
	ip_format((struct ip){ 0 }, text);
	CHECK_STR("none", text, "");
	guard_page_close(&g);
}

static void equal(void)
{
	CHECK("same", ip_equal(ip_of("2001:db8::1"), ip_of("2001:db8:0::1")));
	CHECK("last byte", !ip_equal(ip_of("2001:db8::1"), ip_of("2001:db8::2")));
	CHECK("v4", ip_equal(ip_of("192.0.2.1"), ip_of("192.0.2.1")));
	CHECK("v4 other", !ip_equal(ip_of("192.0.2.1"), ip_of("192.0.2.2")));
	CHECK("family", !ip_equal(ip_of("0.0.0.0"), ip_of("::")));
	struct ip dirty = ip_of("192.0.2.1");
	dirty.b[9] = 1;
	CHECK("only four bytes of a v4", ip_equal(dirty, ip_of("192.0.2.1")));
	CHECK("none", ip_equal((struct ip){ 0 }, (struct ip){ 0 }));
}

static void networks(void)
{
	static const struct {
		const char *net, *ip;
		bool has;
	} cases[] = {
		{ "127.0.0.0/8", "127.255.0.1", true },
		{ "127.0.0.0/8", "128.0.0.1", false },
		{ "127.0.0.0/8", "126.255.255.255", false },
		{ "0.0.0.0/0", "203.0.113.9", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "127.0.0.1", false },
		{ "172.16.0.0/12", "172.31.255.255", true },
		{ "172.16.0.0/12", "172.32.0.0", false },
		{ "192.0.2.128/25", "192.0.2.129", true },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.0", false },
		{ "192.0.2.1/24", "192.0.2.77", true },
		{ "224.0.0.0/4", "239.1.2.3", true },
		{ "::1", "::1", true },
		{ "::1/128", "::2", false },
		{ "fe80::/10", "febf::1", true },
		{ "fe80::/10", "fec0::1", false },
		{ "2001:db8::/127", "2001:db8::1", true },
		{ "2001:db8::/127", "2001:db8::2", false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_net net = { 0 };
		CHECK(cases[i].net, ip_net_parse(span_of(cases[i].net), &net));
		CHECK(cases[i].net, ip_net_has(net, ip_of(cases[i].ip)) == cases[i].has);
	}
	static const char *const bad[] = {
		"",
		"/",
		"/8",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/a",
		"10.0.0.0/8/8",
		"::/129",
		"10.0.0.0/ 8",
		"10/8",
		"host/8",
		"10.0.0.0/8 ",
		"[::1]/128",
		"::/4294967296",
	};
	struct guard_page g = guard_page_open(64);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ip_net net = { .bits = 77 };
		CHECK(bad[i], !ip_net_parse(guard_page_put(&g, span_of(bad[i])), &net));
		CHECK(bad[i], net.bits == 77);
	}
	guard_page_close(&g);
}

/* Every prefix length against every single flipped bit. */
static void every_prefix(void)
{
	size_t wrong = 0;
	struct ip ips[2] = { ip_of("192.0.2.1"), ip_of("2001:db8:5:a::f1") };
	for (size_t k = 0; k < 2; k++) {
		unsigned all = k ? 128 : 32;
		for (unsigned bits = 0; bits <= all; bits++) {
			struct ip_net net = { ips[k], (uint8_t)bits };
			wrong += !ip_net_has(net, ips[k]);
			for (unsigned flip = 0; flip < all; flip++) {
				struct ip other = ips[k];
				other.b[flip / 8] ^= (uint8_t)(0x80 >> flip % 8);
				wrong += ip_net_has(net, other) != (flip >= bits);
			}
		}
	}
	CHECK("all", wrong == 0);
}

static void unwrap(void)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "::ffff:127.0.0.1", "127.0.0.1" },
		{ "64:ff9b::7f00:1", "127.0.0.1" },
		{ "64:ff9b::192.0.2.33", "192.0.2.33" },
		{ "2002:7f00:1::", "127.0.0.1" },
		{ "2002:c000:204:5:6:7:8:9", "192.0.2.4" },
		{ "64:ff9b:1::7f00:1", "64:ff9b:1::7f00:1" },
		{ "64:ff9b::1:7f00:1", "64:ff9b::1:7f00:1" },
		{ "::fffe:127.0.0.1", "::fffe:7f00:1" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "2003::1", "2003::1" },
		{ "::1", "::1" },
		{ "192.0.2.1", "192.0.2.1" },
		{ "32.2.127.0", "32.2.127.0" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[IP_TEXT];
		ip_format(ip_unwrap(ip_of(cases[i].in)), text);
		CHECK_STR(cases[i].in, text, cases[i].out);
	}
	CHECK("none", ip_unwrap((struct ip){ 0 }).family == 0);
}

static void endpoints(void)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
	} cases[] = {
		{ "192.0.2.1:25", "[192.0.2.1]:25" },
		{ "192.0.2.1", "[192.0.2.1]:5353" },
		{ "[192.0.2.1]", "[192.0.2.1]:5353" },
		{ "[192.0.2.1]:65535", "[192.0.2.1]:65535" },
		{ "[2001:db8::1]:25", "[2001:db8::1]:25" },
		{ "[2001:db8::1]", "[2001:db8::1]:5353" },
		{ "2001:db8::1", "[2001:db8::1]:5353" },
		{ "2001:db8::1:25", "[2001:db8::1:25]:5353" },
		{ "::1", "[::1]:5353" },
		{ "", NULL },
		{ ":", NULL },
		{ ":25", NULL },
		{ "[]:25", NULL },
		{ "[", NULL },
		{ "]", NULL },
		{ "[::1", NULL },
		{ "[::1]25", NULL },
		{ "[::1]:", NULL },
		{ "[::1]:x", NULL },
		{ "[::1]]:25", NULL },
		{ "[[::1]]:25", NULL },
		{ "192.0.2.1:", NULL },
		{ "192.0.2.1:0", NULL },
		{ "192.0.2.1:65536", NULL },
		{ "192.0.2.1:+25", NULL },
		{ "192.0.2.1:25:25", NULL },
		{ "mx.example.net:25", NULL },
	};
	struct guard_page g = guard_page_open(64);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct endpoint e = { .port = 1 };
		char text[ENDPOINT_TEXT];
		bool ok = endpoint_parse(guard_page_put(&g, span_of(cases[i].in)), 5353, &e);
		CHECK(cases[i].in, ok == (cases[i].out != NULL));
		if (!ok || !cases[i].out) {
			CHECK(cases[i].in, e.port == 1 && e.ip.family == 0);
			continue;
		}
		endpoint_format(e, text);
		CHECK_STR(cases[i].in, text, cases[i].out);
		struct endpoint again;
		CHECK("round trip", endpoint_parse(span_of(text), 1, &again) &&
					    ip_equal(again.ip, e.ip) && again.port == e.port);
	}
	struct endpoint e = { 0 };
	CHECK("null", !endpoint_parse((struct span){ NULL, 0 }, 25, &e));
	guard_page_close(&g);
}

static void insiders(void)
{
	static const struct {
		const char *ip;
		bool inside;
	} t[] = {
		{ "10.0.0.1", true },    { "172.16.0.1", true },   { "172.31.255.255", true },
		{ "172.32.0.1", false }, { "192.168.1.1", true },  { "169.254.1.1", true },
		{ "100.64.0.1", true },  { "100.128.0.1", false }, { "192.0.2.1", false },
		{ "fd00::2", true },     { "fe80::1", true },      { "2001:db8::1", false },
		{ "198.41.0.4", false }, { "127.0.0.1", false },   { "::1", false },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		CHECK(t[i].ip, ip_private(ip_of(t[i].ip)) == t[i].inside);
	CHECK("no address", !ip_private((struct ip){ 0 }));
}

static void reverse_names(void)
{
	char name[IP_REVERSE];
	ip_reverse(ip_of("192.0.2.25"), name);
	CHECK_STR("IPv4", name, "25.2.0.192.in-addr.arpa");
	ip_reverse(ip_of("255.255.255.255"), name);
	CHECK_STR("longest IPv4", name, "255.255.255.255.in-addr.arpa");
	ip_reverse(ip_of("4321:0:1:2:3:4:567:89ab"), name);
	CHECK_STR("RFC 3596 section 2.5", name,
		  "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa");
}

TEST_MAIN("ip", { "addresses", addresses }, { "equal", equal }, { "networks", networks },
	  { "every prefix length", every_prefix }, { "unwrap", unwrap }, { "endpoints", endpoints },
	  { "insiders", insiders }, { "reverse names", reverse_names })
