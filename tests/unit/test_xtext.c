/* SPDX-License-Identifier: ISC */
#include "guard_page.h"
#include "harness.h"
#include "wire/xtext.h"

#define LITERAL(s)                                                                                 \
	{                                                                                          \
		(s), sizeof(s) - 1                                                                 \
	}

static const struct {
	const char *label;
	struct span in, out;
} good[] = {
	{ "empty", LITERAL(""), LITERAL("") },
	{ "plain", LITERAL("abc"), LITERAL("abc") },
	{ "first and last xchar", LITERAL("!~"), LITERAL("!~") },
	{ "xchars around + and =", LITERAL("*,<>"), LITERAL("*,<>") },
	{ "the RFC's", LITERAL("Bob+2BSmith+3Dx@example.org"), LITERAL("Bob+Smith=x@example.org") },
	{ "blank", LITERAL("a+20b"), LITERAL("a b") },
	{ "only a hexchar", LITERAL("+41"), LITERAL("A") },
	{ "NUL and line end", LITERAL("+00+0D+0A"), LITERAL("\0\r\n") },
	{ "UTF-8", LITERAL("+C3+BC@x"), LITERAL("\xc3\xbc@x") },
	{ "all ones", LITERAL("+FF"), LITERAL("\xff") },
	{ "more digits", LITERAL("+2B20"), LITERAL("+20") },
	{ "RFC 6533 form", LITERAL("\\x{FC}@x"), LITERAL("\\x{FC}@x") },
}, bad[] = {
	{ "plus alone", LITERAL("a+"), LITERAL("a") },
	{ "one digit", LITERAL("a+4"), LITERAL("a") },
	{ "lower case", LITERAL("+c3"), LITERAL("") },
	{ "lower case, second", LITERAL("+Cf"), LITERAL("") },
	{ "no digits", LITERAL("+GG"), LITERAL("") },
	{ "beside the digits", LITERAL("+/:"), LITERAL("") },
	{ "beside the letters", LITERAL("+@A"), LITERAL("") },
	{ "sign", LITERAL("x++1"), LITERAL("x") },
	{ "equals", LITERAL("ab=c"), LITERAL("ab") },
	{ "blank", LITERAL("a b"), LITERAL("a") },
	{ "tab", LITERAL("a\tb"), LITERAL("a") },
	{ "NUL", LITERAL("a\0b"), LITERAL("a") },
	{ "DEL", LITERAL("\177"), LITERAL("") },
	{ "8 bit", LITERAL("a\xc3\xbc"), LITERAL("a") },
};

static void test_good(void)
{
	struct guard_page page = guard_page_open(64);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char room[64];
		struct buf out;
		struct span in = guard_page_put(&page, good[i].in);
		buf_init(&out, room, sizeof(room));
		buf_addc(&out, '>');
		CHECK(good[i].label, xtext_decode(in, &out));
		CHECK(good[i].label, out.p[0] == '>');
		CHECK(good[i].label,
		      span_equal((struct span){ out.p + 1, out.len - 1 }, good[i].out));
	}
	guard_page_close(&page);
}

static void test_bad(void)
{
	struct guard_page page = guard_page_open(64);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char room[64];
		struct buf out;
		struct span in = guard_page_put(&page, bad[i].in);
		buf_init(&out, room, sizeof(room));
		CHECK(bad[i].label, !xtext_decode(in, &out));
		CHECK(bad[i].label, !out.overflow && span_equal(buf_view(&out), bad[i].out));
	}
	guard_page_close(&page);
}

/* Of all octets exactly the xchars stand for themselves, and each has a hexchar. */
static void test_all_octets(void)
{
	for (int c = 0; c < 256; c++) {
		char one = (char)c, hex[4], room[4];
		struct buf out;
		bool xchar = c > 0x20 && c < 0x7f && c != '+' && c != '=';
		buf_init(&out, room, sizeof(room));
		CHECK("itself", xtext_decode((struct span){ &one, 1 }, &out) == xchar);
		snprintf(hex, sizeof(hex), "+%02X", (unsigned)c);
		buf_init(&out, room, sizeof(room));
		CHECK(hex, xtext_decode(span_of(hex), &out));
		CHECK(hex, out.len == 1 && out.p[0] == one);
	}
}

static void test_room(void)
{
	char room[4];
	struct buf out;
	buf_init(&out, room, sizeof(room));
	CHECK("fits", xtext_decode(SPAN("a+20c"), &out) && out.len == 3);
	buf_reset(&out);
	CHECK("does not", !xtext_decode(SPAN("a+20cd"), &out) && out.overflow);
}

TEST_MAIN("xtext", { "good", test_good }, { "bad", test_bad }, { "all octets", test_all_octets },
	  { "room", test_room })
