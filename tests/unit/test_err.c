/* SPDX-License-Identifier: ISC */
#include "harness.h"

static void set_fills_all(void)
{
	struct error e = { 0 };
	CHECK("set", !err_set(&e, ERR_PERM, ESC(5, 1, 10), "%s has %d MX", "example.com", 0));
	CHECK("class", e.class == ERR_PERM);
	CHECK("code", e.code.cls == 5 && e.code.subject == 1 && e.code.detail == 10);
	CHECK_STR("text", e.text, "example.com has 0 MX");
	CHECK("set again", !err_set(&e, ERR_TEMP, ESC(4, 4, 1), "x"));
	CHECK("class", e.class == ERR_TEMP && e.code.cls == 4);
	CHECK_STR("text", e.text, "x");
}

static void text_is_printable(void)
{
	static const struct {
		const char *label, *in, *out;
	} cases[] = {
		{ "final newline", "a\n", "a" },
		{ "final newlines", "a\r\n\r\n", "a" },
		{ "only a newline", "\n", "" },
		{ "inner line end", "a\r\nb", "a? b" },
		{ "tab", "a\tb", "a b" },
		{ "escape", "\033[2J", "?[2J" },
		{ "utf-8", "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "latin-1", "gr\xfc\xdf", "gr??" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error e;
		err_set(&e, ERR_TEMP, ESC(4, 0, 0), "%s", cases[i].in);
		CHECK_STR(cases[i].label, e.text, cases[i].out);
	}
}

static void text_is_cut(void)
{
	struct error e;
	for (int n = LIMIT_ERR_TEXT - 2; n < LIMIT_ERR_TEXT + 3; n++) {
		err_set(&e, ERR_TEMP, ESC(4, 0, 0), "%0*d", n, 7);
		size_t want = n < LIMIT_ERR_TEXT ? (size_t)n : LIMIT_ERR_TEXT - 1;
		CHECK("length", strlen(e.text) == want);
	}
	/* A character that the cut breaks is no UTF-8 any more. */
	err_set(&e, ERR_TEMP, ESC(4, 0, 0), "%0*d%s", LIMIT_ERR_TEXT - 2, 7, "\xc3\xbc");
	CHECK("broken character", e.text[LIMIT_ERR_TEXT - 2] == '?');
}

static void wrap_puts_in_front(void)
{
	struct error e;
	err_set(&e, ERR_CONFIG, ESC(4, 3, 5), "no such file");
	CHECK("wrap", !err_wrap(&e, "%s:%d", "mxdirect.conf", 3));
	CHECK_STR("text", e.text, "mxdirect.conf:3: no such file");
	CHECK("class and code stay", e.class == ERR_CONFIG && e.code.subject == 3);
	CHECK("wrap again", !err_wrap(&e, "start"));
	CHECK_STR("text", e.text, "start: mxdirect.conf:3: no such file");
	err_wrap(&e, "%0*d", 2 * LIMIT_ERR_TEXT, 0);
	CHECK("cut", strlen(e.text) == LIMIT_ERR_TEXT - 1);
}

static void own_text_as_argument(void)
{
	struct error e;
	err_set(&e, ERR_TEMP, ESC(4, 4, 3), "no answer");
	err_set(&e, ERR_TEMP, ESC(4, 4, 3), "lookup: %s", e.text);
	CHECK_STR("set", e.text, "lookup: no answer");
	err_wrap(&e, "%s", e.text);
	CHECK_STR("wrap", e.text, "lookup: no answer: lookup: no answer");
}

static void ours(void)
{
	struct error e;
	CHECK("nomem", !err_nomem(&e));
	CHECK("nomem", e.class == ERR_INTERNAL && e.code.cls == 4 && e.code.subject == 3);
	CHECK_STR("nomem", e.text, "out of memory");
	CHECK("bug", !BUG(&e, "two answers"));
	CHECK("bug", e.class == ERR_INTERNAL && e.code.cls == 4 && e.code.detail == 0);
	CHECK("bug", strstr(e.text, "test_err.c:") && strstr(e.text, "two answers"));
}

TEST_MAIN("err", { "set fills class, code and text", set_fills_all },
	  { "text is made printable", text_is_printable }, { "text is cut", text_is_cut },
	  { "wrap puts text in front", wrap_puts_in_front },
	  { "own text as argument", own_text_as_argument }, { "memory and bugs", ours })
