/* SPDX-License-Identifier: ISC */
#include "base/span.h"

#include "guard_page.h"
#include "harness.h"

static void of(void)
{
	CHECK("null", span_of(NULL).n == 0);
	CHECK("empty", span_of("").n == 0);
	CHECK("text", span_of("abc").n == 3);
	CHECK("literal", SPAN("a\0b").n == 3);
}

static void equal(void)
{
	static const struct {
		const char *label, *a, *b;
		bool same, nocase, starts;
	} cases[] = {
		{ "both empty", "", "", true, true, true },
		{ "null and empty", NULL, "", true, true, true },
		{ "both null", NULL, NULL, true, true, true },
		{ "null prefix", "a", NULL, false, false, true },
		{ "same", "abc", "abc", true, true, true },
		{ "case", "aBc", "AbC", false, true, true },
		{ "prefix", "Content-Type: x", "content-TYPE", false, false, true },
		{ "longer", "ab", "abc", false, false, false },
		{ "other", "abc", "abd", false, false, false },
		{ "@ is not `", "@", "`", false, false, false },
		{ "[ is not {", "[", "{", false, false, false },
		{ "no latin-1 letters", "\xc4", "\xe4", false, false, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span a = span_of(cases[i].a), b = span_of(cases[i].b);
		CHECK(cases[i].label, span_equal(a, b) == cases[i].same);
		CHECK(cases[i].label, span_equal_nocase(a, b) == cases[i].nocase);
		CHECK(cases[i].label, span_starts_nocase(a, b) == cases[i].starts);
	}
	CHECK("behind a NUL", !span_equal(SPAN("a\0b"), SPAN("a\0c")));
	CHECK("behind a NUL", !span_equal_nocase(SPAN("a\0b"), SPAN("a\0c")));
}

static void cut(void)
{
	static const struct {
		const char *label, *in, *joined; /* heads, each in brackets */
	} cases[] = {
		{ "nothing", "", "" },
		{ "no separator", "ab", "[ab]" },
		{ "two", "a,b", "[a][b]" },
		{ "separator first", ",a", "[][a]" },
		{ "separator last", "a,", "[a]" },
		{ "only separators", ",,", "[][]" },
		{ "three", "a,,b", "[a][][b]" },
	};
	struct guard_page g = guard_page_open(16);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span rest = guard_page_put(&g, span_of(cases[i].in)), head;
		char got[64] = "";
		size_t n = 0;
		while (span_cut(&rest, ',', &head))
			n += (size_t)snprintf(got + n, sizeof(got) - n, "[%.*s]", (int)head.n,
					      head.p);
		CHECK_STR(cases[i].label, got, cases[i].joined);
	}
	struct span rest = { NULL, 0 }, head = SPAN("kept");
	CHECK("null", !span_cut(&rest, ',', &head));
	CHECK("untouched", head.n == 4);
	guard_page_close(&g);
}

static void trim(void)
{
	static const struct {
		const char *label, *in, *out;
	} cases[] = {
		{ "nothing", "", "" },
		{ "only blanks", " \t\r\n", "" },
		{ "both ends", "\t a b \r\n", "a b" },
		{ "nothing to do", "ab", "ab" },
		{ "other controls stay", "\va\f", "\va\f" },
	};
	struct guard_page g = guard_page_open(16);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span s = span_trim(guard_page_put(&g, span_of(cases[i].in)));
		CHECK(cases[i].label, span_equal(s, span_of(cases[i].out)));
	}
	CHECK("null", span_trim((struct span){ NULL, 0 }).n == 0);
	guard_page_close(&g);
}

TEST_MAIN("span", { "of", of }, { "equal", equal }, { "cut", cut }, { "trim", trim })
