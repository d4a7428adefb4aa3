/* SPDX-License-Identifier: ISC */
#include "base/text.h"

#include "guard_page.h"
#include "harness.h"

static void lower(void)
{
	for (int c = 0; c < 256; c++) {
		char want = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
		if (text_lower((char)c) != want)
			CHECK("lower", false);
	}
	CHECK("Q", text_lower('Q') == 'q');
}

static void numbers(void)
{
	static const struct {
		const char *in;
		uint64_t max;
		bool ok;
		uint64_t value;
	} cases[] = {
		{ "0", 0, true, 0 },
		{ "007", 100, true, 7 },
		{ "65535", 65535, true, 65535 },
		{ "65536", 65535, false, 0 },
		{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, false, 0 },
		{ "18446744073709551620", UINT64_MAX, false, 0 },
		{ "99999999999999999999999", UINT64_MAX, false, 0 },
		{ "", 9, false, 0 },
		{ "+1", 9, false, 0 },
		{ "-1", 9, false, 0 },
		{ " 1", 9, false, 0 },
		{ "1 ", 9, false, 0 },
		{ "0x1", 9, false, 0 },
		{ "1a", 9, false, 0 },
		{ "\xd9\xa1", 9, false, 0 },
	};
	struct guard_page g = guard_page_open(64);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = 4711;
		struct span s = guard_page_put(&g, span_of(cases[i].in));
		CHECK(cases[i].in, text_u64(s, cases[i].max, &value) == cases[i].ok);
		CHECK(cases[i].in, value == (cases[i].ok ? cases[i].value : 4711));
	}
	guard_page_close(&g);
}

static void utf8_table(void)
{
	static const struct {
		const char *label, *in;
		bool utf8;
		const char *printable;
	} cases[] = {
		{ "ascii", "abc", true, "abc" },
		{ "empty", "", true, "" },
		{ "controls", "\001\033\177", true, "???" },
		{ "tab and newline", "a\tb\n", true, "a b " },
		{ "carriage return", "a\r", true, "a?" },
		{ "two bytes", "\xc2\xa0\xdf\xbf", true, "\xc2\xa0\xdf\xbf" },
		{ "C1 control",
		  "\xc2\x9b"
		  "1m",
		  true, "??1m" },
		{ "C1 controls end", "\xc2\x80\xc2\x9f", true, "????" },
		{ "overlong", "\xc0\xaf", false, "??" },
		{ "overlong", "\xc1\xbf", false, "??" },
		{ "three bytes", "\xe0\xa0\x80\xef\xbf\xbf", true, "\xe0\xa0\x80\xef\xbf\xbf" },
		{ "overlong", "\xe0\x9f\xbf", false, "???" },
		{ "last before surrogates", "\xed\x9f\xbf", true, "\xed\x9f\xbf" },
		{ "surrogate", "\xed\xa0\x80", false, "???" },
		{ "four bytes", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true,
		  "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
		{ "overlong", "\xf0\x8f\xbf\xbf", false, "????" },
		{ "over U+10FFFF", "\xf4\x90\x80\x80", false, "????" },
		{ "five bytes", "\xf8\x88\x80\x80\x80", false, "?????" },
		{ "never", "\xfe\xff", false, "??" },
		{ "lone continuation", "a\x80z", false, "a?z" },
		{ "cut after 1 of 2", "a\xc3", false, "a?" },
		{ "cut after 2 of 3", "a\xe2\x82", false, "a??" },
		{ "cut after 3 of 4", "a\xf0\x9f\x98", false, "a???" },
		{ "broken, then good", "\xe2\x82\xc3\xbc", false, "??\xc3\xbc" },
		{ "broken by ascii", "\xf0\x9f\x98z", false, "???z" },
		{ "latin-1",
		  "Gr\xfc\xdf"
		  "e",
		  false, "Gr??e" },
	};
	struct guard_page g = guard_page_open(64);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span s = guard_page_put(&g, span_of(cases[i].in));
		bool ascii = true;
		for (size_t k = 0; k < s.n; k++)
			ascii = ascii && (unsigned char)s.p[k] < 0x80;
		CHECK(cases[i].label, text_is_utf8(s) == cases[i].utf8);
		CHECK(cases[i].label, text_is_ascii(s) == ascii);
		text_printable(g.map + g.room - s.n, s.n);
		CHECK(cases[i].label, span_equal(s, span_of(cases[i].printable)));
	}
	char nul[] = { 'a', '\0', 'b' };
	text_printable(nul, sizeof(nul));
	CHECK("NUL", memcmp(nul, "a?b", 3) == 0);
	CHECK("null", text_is_ascii((struct span){ NULL, 0 }));
	CHECK("null", text_is_utf8((struct span){ NULL, 0 }));
	guard_page_close(&g);
}

static size_t encode(uint32_t u, char out[static 4])
{
	static const uint32_t front[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = u < 0x80 ? 1 : u < 0x800 ? 2 : u < 0x10000 ? 3 : 4;
	for (size_t i = n; i-- > 1; u >>= 6)
		out[i] = (char)(0x80 | (u & 0x3f));
	out[0] = (char)(front[n == 1 ? 0 : n] | u);
	return n;
}

/* Every character is valid but surrogates and what lies over U+10FFFF, and no two-byte or
 * three-byte string is but theirs. */
static void utf8_all(void)
{
	size_t wrong = 0, valid = 0;
	for (uint32_t u = 0; u < 0x120000; u++) {
		char s[4];
		size_t n = encode(u, s);
		bool want = u <= 0x10ffff && (u < 0xd800 || u > 0xdfff);
		wrong += text_is_utf8((struct span){ s, n }) != want;
	}
	for (uint32_t u = 0; u < 0x10000; u++) {
		char two[2] = { (char)(u >> 8), (char)u };
		valid += u >= 0x8000 && text_is_utf8((struct span){ two, 2 });
	}
	CHECK("all characters", wrong == 0);
	CHECK("two bytes", valid == 0x800 - 0x80);
}

/* The fast path looks at 32 bytes at a time: one foreign byte at every place. */
static void every_place(void)
{
	struct guard_page g = guard_page_open(128);
	char line[100];
	for (size_t n = 1; n <= sizeof(line); n++) {
		for (size_t at = 0; at < n; at++) {
			memset(line, 'x', n);
			line[at] = '\x80';
			struct span s = guard_page_put(&g, (struct span){ line, n });
			if (text_is_ascii(s) || text_is_utf8(s))
				CHECK("foreign byte", false);
			line[at] = 'x';
			s = guard_page_put(&g, (struct span){ line, n });
			if (!text_is_ascii(s) || !text_is_utf8(s))
				CHECK("no foreign byte", false);
		}
	}
	CHECK("all places", true);
	guard_page_close(&g);
}

static void line_with(void)
{
	static const struct {
		const char *label, *in;
		size_t at;
	} cases[] = {
		{ "empty", "", 0 },
		{ "at the start does not count", ".a", 2 },
		{ "second line", "a\r\n.b", 3 },
		{ "first and second", ".a\r\n.b", 4 },
		{ "dots in lines", "a.b.c\n..", 6 },
		{ "nothing but dots", ".....", 5 },
		{ "lines of dots", "....\n....\n", 5 },
		{ "after a line without", "a.\nb\n.c", 5 },
		{ "ends in LF", "a.\n", 3 },
		{ "after CR only", "a\r.b\n", 5 },
		{ "empty line before", "\n.", 1 },
		{ "two empty lines", ".\n\n.", 3 },
	};
	struct guard_page g = guard_page_open(64);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span s = guard_page_put(&g, span_of(cases[i].in));
		CHECK(cases[i].label, text_line_with(s, '.') == cases[i].at);
	}
	/* What stands before the span is not looked at. */
	struct span behind_lf = { "\n.a" + 1, 2 };
	CHECK("LF before the span", text_line_with(behind_lf, '.') == 2);
	guard_page_close(&g);
}

TEST_MAIN("text", { "lower", lower }, { "numbers", numbers }, { "utf-8 and printable", utf8_table },
	  { "all of utf-8", utf8_all }, { "every place", every_place }, { "line with", line_with })
