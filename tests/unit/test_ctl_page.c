/* SPDX-License-Identifier: ISC */
#include "ctl_print.h"

static void test_ages(void)
{
	static const struct {
		int64_t seconds;
		const char *want;
	} cases[] = {
		{ INT64_MIN, "0s" },
		{ -1, "0s" },
		{ 0, "0s" },
		{ 59, "59s" },
		{ 60, "1m" },
		{ 3599, "59m" },
		{ 3600, "1h" },
		{ 3659, "1h" },
		{ 7800, "2h10m" },
		{ 86399, "23h59m" },
		{ 86400, "1d" },
		{ 86400 + 3599, "1d" },
		{ 3 * 86400 + 4 * 3600, "3d4h" },
		{ 400 * 86400, "400d" },
		{ INT64_MAX, "106751991167300d15h" },
	};
	struct arena *a = arena_open(100000);
	struct page p = { .arena = a, .now = NOW };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_STR(cases[i].want, page_age(&p, cases[i].seconds), cases[i].want);
	CHECK("memory", !p.nomem);
	arena_close(a);
}

static void test_times(void)
{
	struct arena *a = arena_open(100000);
	struct page p = { .arena = a, .now = NOW };
	CHECK_STR("never", page_ago(&p, 0), "never");
	CHECK_STR("ago", page_ago(&p, NOW - 200), "3m ago");
	CHECK_STR("a clock that went back", page_ago(&p, NOW + 200), "0s ago");
	CHECK_STR("far", page_ago(&p, INT64_MIN), "106751991167300d15h ago");
	CHECK_STR("unset", page_until(&p, 0), "now");
	CHECK_STR("this moment", page_until(&p, NOW), "now");
	CHECK_STR("over", page_until(&p, NOW - 1), "now");
	CHECK_STR("until", page_until(&p, NOW + 30), "in 30s");
	CHECK_STR("moment never", page_moment(&p, 0), "never");
	CHECK_STR("moment past", page_moment(&p, NOW - 3600), "2026-11-24T09:00:00Z (1h ago)");
	CHECK_STR("moment now", page_moment(&p, NOW), "2026-11-24T10:00:00Z (0s ago)");
	CHECK_STR("moment to come", page_moment(&p, NOW + 86400), "2026-11-25T10:00:00Z (in 1d)");
	arena_close(a);
}

static void test_texts(void)
{
	const struct ip v4 = { 4, { 192, 0, 2, 1 } }, v6 = { 6, { 0x20, 1, 0xd, 0xb8, [15] = 1 } };
	struct arena *a = arena_open(100000);
	struct page p = { .arena = a, .now = NOW };
	CHECK_STR("utf-8 stays", page_text(&p, SPAN("bj\xc3\xb6rn")), "bj\xc3\xb6rn");
	CHECK_STR("escapes do not",
		  page_text(&p, SPAN("a\033[2J\xff"
				     "b\n")),
		  "a?[2J?b ");
	CHECK_STR("empty", page_text(&p, (struct span){ NULL, 0 }), "");
	CHECK_STR("no code", page_reason(&p, ESC(0, 0, 0), SPAN("why")), "why");
	CHECK_STR("code", page_reason(&p, ESC(4, 4, 1), SPAN("why")), "4.4.1 why");
	CHECK_STR("v4", page_address(&p, (struct endpoint){ v4, 25 }), "192.0.2.1");
	CHECK_STR("v6", page_address(&p, (struct endpoint){ v6, 25 }), "2001:db8::1");
	CHECK_STR("port", page_address(&p, (struct endpoint){ v6, 587 }), "[2001:db8::1]:587");
	CHECK_STR("any source", page_source(&p, (struct ip){ 0 }), "-");
	CHECK_STR("source", page_source(&p, v4), "192.0.2.1");
	CHECK("memory", !p.nomem);
	arena_close(a);
}

static void test_no_memory(void)
{
	struct arena *a = arena_open(0);
	struct page p = { .arena = a, .now = NOW };
	CHECK_STR("text", page_text(&p, SPAN("x")), "");
	CHECK("text", p.nomem);
	p.nomem = false;
	CHECK_STR("fmt", page_fmt(&p, "%d", 1), "");
	CHECK("fmt", p.nomem);
	arena_close(a);
}

static void test_columns(void)
{
	static const struct {
		const char *text;
		size_t columns, put;
		const char *want;
	} cases[] = {
		{ "", 0, 3, "   " },
		{ "abc", 3, 5, "abc  " },
		{ "abc", 3, 3, "abc" },
		{ "abcd", 4, 3, "ab\xe2\x80\xa6" },
		{ "\xc3\xb6\xc3\xb6", 2, 3, "\xc3\xb6\xc3\xb6 " },
		{ "\xc3\xb6\xc3\xb6\xc3\xb6", 3, 2, "\xc3\xb6\xe2\x80\xa6" },
		{ "\xf0\x9f\x93\xacxx", 3, 1, "\xe2\x80\xa6" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct print out;
		print_open(&out);
		struct page p = print_page(&out, NULL);
		CHECK(cases[i].text, page_columns(cases[i].text) == cases[i].columns);
		page_put(&p, cases[i].text, cases[i].put);
		CHECK_STR(cases[i].text, print_text(&out), cases[i].want);
		print_close(&out);
	}
}

static void test_headings(void)
{
	struct print out;
	print_open(&out);
	struct page p = print_page(&out, NULL);
	page_heading(&p, "One");
	p.bold = true;
	page_heading(&p, "Two");
	CHECK_STR("headings", print_text(&out), "One\n\n\033[1mTwo\033[0m\n");
	print_close(&out);
}

/* `n` times "word" with blanks between. */
static void words(char *out, size_t size, size_t n)
{
	out[0] = '\0';
	for (size_t i = 0, at = 0; i < n; i++)
		at += (size_t)snprintf(out + at, size - at, "%sword", i ? " " : "");
}

static void test_fields(void)
{
	char text[1000];
	struct print out;
	print_open(&out);
	struct page p = print_page(&out, NULL);
	page_field(&p, "Name", "text");
	page_field(&p, "Connect time", "");
	CHECK_STR("short", print_text(&out), "  Name          text\n  Connect time  -\n");
	print_close(&out);

	print_open(&out);
	p = print_page(&out, NULL);
	words(text, sizeof(text), 18); /* 84 columns beside the name hold 17 of them */
	page_field(&p, "Name", text);
	const char *got = print_text(&out);
	CHECK("wrapped", print_columns(got) == 16 + 17 * 5 - 1);
	CHECK("wrapped", strstr(got, "word\n                word\n") != NULL);
	print_close(&out);

	print_open(&out);
	p = print_page(&out, NULL);
	memset(text, 'x', 300);
	text[300] = '\0';
	page_wrap(&p, 4, text);
	got = print_text(&out);
	CHECK("a long word is broken", print_columns(got) == PAGE_WIDTH);
	CHECK("nothing of it is lost", strlen(got) == 300 + 4 * 5);
	print_close(&out);

	print_open(&out);
	p = print_page(&out, NULL);
	page_wrap(&p, 2, "  a  b ");
	CHECK_STR("blanks", print_text(&out), "  a  b \n");
	print_close(&out);
}

TEST_MAIN("ctl_page", { "ages", test_ages }, { "times", test_times }, { "texts", test_texts },
	  { "no memory", test_no_memory }, { "columns", test_columns },
	  { "headings", test_headings }, { "fields", test_fields })
