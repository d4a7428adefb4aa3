/* SPDX-License-Identifier: ISC */
#include "harness.h"
#include "guard_page.h"

#include "base/buf.h"
#include "wire/addr.h"

#define A10  "aaaaaaaaaa"
#define A60  A10 A10 A10 A10 A10 A10
#define A63  A60 "aaa"
#define D253 A63 "." A63 "." A63 "." A60 "a"

struct valid_case {
	const char *label, *in, *local, *domain, *out;
};

static const struct valid_case valid[] = {
	{ "plain", "a@b", "a", "b", "a@b" },
	{ "brackets", "<a@b>", "a", "b", "a@b" },
	{ "null", "", "", "", "" },
	{ "null in brackets", "<>", "", "", "" },
	{ "case is kept", "User@Example.ORG", "User", "Example.ORG", "User@Example.ORG" },
	{ "all of atext", "!#$%&'*+-/=?^_`{|}~a1@x", "!#$%&'*+-/=?^_`{|}~a1", "x",
	  "!#$%&'*+-/=?^_`{|}~a1@x" },
	{ "leading dash", "-f@x", "-f", "x", "-f@x" },
	{ "dot-string", "a.b.c@x", "a.b.c", "x", "a.b.c@x" },
	{ "quoted blank", "\"a b\"@x", "a b", "x", "\"a b\"@x" },
	{ "quoted in brackets", "<\"a>b\"@x>", "a>b", "x", "\"a>b\"@x" },
	{ "quoted without need", "\"abc\"@x", "abc", "x", "abc@x" },
	{ "quoted @", "\"a@b\"@x", "a@b", "x", "\"a@b\"@x" },
	{ "quoted quote", "\"a\\\"b\"@x", "a\"b", "x", "\"a\\\"b\"@x" },
	{ "quoted backslash", "\"a\\\\\"@x", "a\\", "x", "\"a\\\\\"@x" },
	{ "needless pair", "\"\\a\\b\"@x", "ab", "x", "ab@x" },
	{ "empty quoted", "\"\"@x", "", "x", "\"\"@x" },
	{ "bare blank", "a b@x", "a b", "x", "\"a b\"@x" },
	{ "bare @", "a@b@x", "a@b", "x", "\"a@b\"@x" },
	{ "two dots", "a..b@x", "a..b", "x", "\"a..b\"@x" },
	{ "dot first", ".a@x", ".a", "x", "\".a\"@x" },
	{ "dot last", "a.@x", "a.", "x", "\"a.\"@x" },
	{ "only a dot", ".@x", ".", "x", "\".\"@x" },
	{ "comma", "a,b@x", "a,b", "x", "\"a,b\"@x" },
	{ "final dot", "a@b.c.", "a", "b.c", "a@b.c" },
	{ "literal", "u@[192.0.2.1]", "u", "[192.0.2.1]", "u@[192.0.2.1]" },
	{ "IPv6 literal", "<u@[IPv6:2001:db8::1]>", "u", "[IPv6:2001:db8::1]",
	  "u@[IPv6:2001:db8::1]" },
	{ "underscore", "a@_x.b_c", "a", "_x.b_c", "a@_x.b_c" },
	{ "digits", "a@1.2", "a", "1.2", "a@1.2" },
	{ "UTF-8 local", "\xc3\xbc@x", "\xc3\xbc", "x", "\xc3\xbc@x" },
	{ "UTF-8 quoted", "\"\xc3\xbc b\"@x", "\xc3\xbc b", "x", "\"\xc3\xbc b\"@x" },
	{ "U-label",
	  "u@b\xc3\xbc"
	  "cher.test",
	  "u",
	  "b\xc3\xbc"
	  "cher.test",
	  "u@b\xc3\xbc"
	  "cher.test" },
	{ "longest label", "u@" A63 ".x", "u", A63 ".x", "u@" A63 ".x" },
	{ "longest domain", "u@" D253, "u", D253, "u@" D253 },
};

static const struct {
	const char *label;
	struct span in;
} invalid[] = {
	{ "no domain", SPAN("postmaster") },
	{ "empty domain", SPAN("a@") },
	{ "empty local", SPAN("@x") },
	{ "only @", SPAN("@") },
	{ "brackets around an empty local", SPAN("<@x>") },
	{ "quoted without domain", SPAN("\"a\"") },
	{ "@ in quotes only", SPAN("\"a@b\"") },
	{ "open quote", SPAN("\"a@b") },
	{ "open quote that swallows the @", SPAN("\"a\\\"@b") },
	{ "one quote", SPAN("\"@b") },
	{ "quote in the middle", SPAN("a\"b@x") },
	{ "quoted part behind an atom", SPAN("a\"b\"@x") },
	{ "text behind the quote", SPAN("\"a\"b@x") },
	{ "two quoted parts", SPAN("\"a\"\"b\"@x") },
	{ "quote closed twice", SPAN("\"a\"@\"b@x") },
	{ "bare backslash", SPAN("a\\@b@x") },
	{ "pair with UTF-8", SPAN("\"\\\xc3\xbc\"@x") },
	{ "bracket not closed", SPAN("<a@b") },
	{ "bracket not opened", SPAN("a@b>") },
	{ "two brackets", SPAN("<<a@b>>") },
	{ "one bracket", SPAN("<") },
	{ "bracket inside", SPAN("a>b@x") },
	{ "NUL", SPAN("a\0b@x") },
	{ "NUL in the domain", SPAN("a@x\0y") },
	{ "CR", SPAN("a\rb@x") },
	{ "LF", SPAN("a@x\n") },
	{ "CRLF and a command", SPAN("\"a\r\nDATA\r\n\"@x") },
	{ "tab in quotes", SPAN("\"a\tb\"@x") },
	{ "escape", SPAN("a\033b@x") },
	{ "DEL", SPAN("a\177b@x") },
	{ "C1 control", SPAN("a\xc2\x9b"
			     "b@x") },
	{ "broken UTF-8 local", SPAN("a\xff@x") },
	{ "cut UTF-8 domain", SPAN("a@x\xc3") },
	{ "overlong UTF-8", SPAN("a\xc0\xaf@x") },
	{ "blank in the domain", SPAN("a@b c") },
	{ "blank behind", SPAN("a@b ") },
	{ "empty label", SPAN("a@b..c") },
	{ "empty label in UTF-8", SPAN("a@b..\xc3\xbc") },
	{ "dot first", SPAN("a@.b") },
	{ "only a dot", SPAN("a@.") },
	{ "two final dots", SPAN("a@b..") },
	{ "hyphen first", SPAN("a@-b.c") },
	{ "hyphen last", SPAN("a@b-.c") },
	{ "colon", SPAN("a@b:25") },
	{ "long label", SPAN("a@" A63 "a.x") },
	{ "long ASCII label beside UTF-8", SPAN("a@" A63 "a.\xc3\xbc") },
	{ "long domain", SPAN("a@" D253 "a") },
	{ "domain of 256 bytes in UTF-8", SPAN("a@" D253 "\xc3\xbc"
					       "a") },
	{ "empty literal", SPAN("a@[]") },
	{ "literal not closed", SPAN("a@[192.0.2.1") },
	{ "literal with a final dot inside", SPAN("a@[192.0.2.1.]") },
	{ "unknown literal", SPAN("a@[x25:1234]") },
};

static struct arena *arena;

static bool parse(struct span s, struct addr *ret, struct error *err)
{
	return addr_parse(arena, s, ret, err);
}

static bool is_syntax(const struct error *e)
{
	return e->class == ERR_PERM && e->code.cls == 5 && e->code.subject == 1 &&
	       e->code.detail == 3 && e->text[0] != '\0';
}

static void check_valid(const struct valid_case *c, struct span in)
{
	struct addr ad;
	struct error err = { .class = ERR_NONE };
	char room[4 * LIMIT_LOCAL];
	struct buf out;
	bool ok = parse(in, &ad, &err);
	CHECK(c->label, ok);
	CHECK(c->label, err.class == ERR_NONE);
	if (!ok)
		return;
	CHECK_STR(c->label, ad.local, c->local);
	CHECK_STR(c->label, ad.domain, c->domain);
	CHECK(c->label, addr_is_null(&ad) == (c->out[0] == '\0'));
	buf_init(&out, room, sizeof(room));
	addr_write(&ad, &out);
	CHECK_STR(c->label, buf_cstr(&out), c->out);
	CHECK(c->label, !out.overflow);
}

static void test_valid(void)
{
	struct guard_page g = guard_page_open(4 * LIMIT_LOCAL);
	arena = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		check_valid(&valid[i], guard_page_put(&g, span_of(valid[i].in)));
	arena_close(arena);
	guard_page_close(&g);
}

static void test_invalid(void)
{
	struct guard_page g = guard_page_open(4 * LIMIT_LOCAL);
	arena = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
		struct addr ad = { "untouched", "untouched" };
		struct error err = { .class = ERR_NONE };
		CHECK(invalid[i].label, !parse(guard_page_put(&g, invalid[i].in), &ad, &err));
		CHECK(invalid[i].label, is_syntax(&err));
		CHECK_STR(invalid[i].label, ad.local, "untouched");
		CHECK_STR(invalid[i].label, ad.domain, "untouched");
	}
	arena_close(arena);
	guard_page_close(&g);
}

/* A local part of n bytes c, quoted as a host would if `quoted`. */
static struct span long_address(char *room, size_t n, const char *byte, bool quoted)
{
	size_t len = 0, size = strlen(byte);
	if (quoted)
		room[len++] = '"';
	for (size_t i = 0; i < n; i++, len += size)
		memcpy(room + len, byte, size);
	if (quoted)
		room[len++] = '"';
	memcpy(room + len, "@x", 2);
	return (struct span){ room, len + 2 };
}

static void test_length(void)
{
	static char room[8 * LIMIT_LOCAL];
	char written[2 * LIMIT_LOCAL + 8];
	struct buf out;
	struct addr ad;
	struct error err = { .class = ERR_NONE };
	arena = arena_open(LIMIT_ARENA);
	CHECK("bare", parse(long_address(room, LIMIT_LOCAL, "a", false), &ad, &err));
	CHECK("bare", strlen(ad.local) == LIMIT_LOCAL);
	CHECK("escaped", parse(long_address(room, LIMIT_LOCAL, "\\\"", true), &ad, &err));
	CHECK("escaped", strlen(ad.local) == LIMIT_LOCAL);
	buf_init(&out, written, sizeof(written));
	addr_write(&ad, &out);
	CHECK("escaped", span_equal(buf_view(&out), long_address(room, LIMIT_LOCAL, "\\\"", true)));
	CHECK("bare", !parse(long_address(room, LIMIT_LOCAL + 1, "a", false), &ad, &err));
	CHECK("bare", is_syntax(&err));
	CHECK("quoted", !parse(long_address(room, LIMIT_LOCAL + 1, "a", true), &ad, &err));
	CHECK("escaped", !parse(long_address(room, LIMIT_LOCAL + 1, "\\a", true), &ad, &err));
	CHECK("huge", !parse(long_address(room, 7 * LIMIT_LOCAL, "a", false), &ad, &err));
	CHECK("huge", is_syntax(&err));
	arena_close(arena);
}

static void test_error_text(void)
{
	struct addr ad;
	struct error err;
	arena = arena_open(LIMIT_ARENA);
	CHECK("text", !parse(SPAN("a\r\nb@x"), &ad, &err));
	CHECK("shown without line ends", !strpbrk(err.text, "\r\n"));
	CHECK("text", !parse(SPAN("joe"), &ad, &err));
	CHECK_STR("text", err.text, "bad address \"joe\": it has no domain");
	arena_close(arena);
}

static void test_no_memory(void)
{
	struct addr ad = { "untouched", "untouched" };
	struct error err = { .class = ERR_NONE };
	arena = arena_open(16);
	CHECK("domain does not fit", !parse(SPAN("a@b"), &ad, &err));
	CHECK("domain does not fit", err.class == ERR_INTERNAL && err.code.cls == 4);
	CHECK_STR("domain does not fit", ad.local, "untouched");
	arena_close(arena);
}

static void test_write_full(void)
{
	char room[6];
	struct buf out;
	buf_init(&out, room, sizeof(room));
	addr_write(&(struct addr){ "abc", "example.org" }, &out);
	CHECK("does not fit", out.overflow);
}

static void test_literal(void)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "[192.0.2.1]", "192.0.2.1" },
		{ "[IPv6:2001:db8::1]", "2001:db8::1" },
		{ "[ipv6:::1]", "::1" },
		{ "[2001:db8::1]", NULL },
		{ "[IPv6:192.0.2.1]", NULL },
		{ "[IPv6:]", NULL },
		{ "[IPv6:fe80::1%lo]", NULL },
		{ "[IPv4:192.0.2.1]", NULL },
		{ "[192.0.2]", NULL },
		{ "[ 192.0.2.1]", NULL },
		{ "192.0.2.1", NULL },
		{ "[192.0.2.1", NULL },
		{ "192.0.2.1]", NULL },
		{ "[", NULL },
		{ "]", NULL },
		{ "[]", NULL },
		{ "", NULL },
	};
	struct guard_page g = guard_page_open(256);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip ip = { .family = 9 };
		char text[IP_TEXT];
		bool ok = addr_literal(guard_page_put(&g, span_of(cases[i].in)), &ip);
		CHECK(cases[i].in, ok == (cases[i].out != NULL));
		if (ok) {
			ip_format(ip, text);
			CHECK_STR(cases[i].in, text, cases[i].out);
		} else {
			CHECK(cases[i].in, ip.family == 9);
		}
	}
	guard_page_close(&g);
}

static void test_domain(void)
{
	static const struct {
		const char *in;
		bool ok;
	} cases[] = {
		{ "x", true },
		{ "example.org", true },
		{ "EXAMPLE.Org", true },
		{ "xn--bcher-kva.test", true },
		{ "_25._tcp.mx-1.example", true },
		{ "a--b.c", true },
		{ "1.2.3.4", true },
		{ D253, true },
		{ A63, true },
		{ "", false },
		{ ".", false },
		{ "x.", false },
		{ ".x", false },
		{ "a..b", false },
		{ "-a.b", false },
		{ "a-.b", false },
		{ "a.-", false },
		{ "a b", false },
		{ "*.x", false },
		{ "a@b", false },
		{ "[192.0.2.1]", false },
		{ "2001:db8::1", false },
		{ "b\xc3\xbc"
		  "cher.test",
		  false },
		{ A63 "a", false },
		{ D253 "a", false },
	};
	struct guard_page g = guard_page_open(512);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK(cases[i].in,
		      domain_valid(guard_page_put(&g, span_of(cases[i].in))) == cases[i].ok);
	CHECK("NUL", !domain_valid(SPAN("a\0b")));
	guard_page_close(&g);
}

static void test_domain_normal(void)
{
	struct arena *a = arena_open(4096);
	CHECK_STR("case and dot", domain_normal(a, SPAN("MX.Example.NET.")), "mx.example.net");
	CHECK_STR("already normal", domain_normal(a, SPAN("a")), "a");
	CHECK_STR("the root", domain_normal(a, SPAN(".")), "");
	CHECK_STR("nothing", domain_normal(a, SPAN("")), "");
	arena_close(a);
}

TEST_MAIN("addr", { "valid", test_valid }, { "invalid", test_invalid }, { "length", test_length },
	  { "error text", test_error_text }, { "no memory", test_no_memory },
	  { "write into a full buffer", test_write_full }, { "literal", test_literal },
	  { "domain", test_domain }, { "normal form", test_domain_normal })
