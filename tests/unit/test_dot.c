/* SPDX-License-Identifier: ISC */
#include "base/rng.h"
#include "wire/dot.h"

#include "guard_page.h"
#include "harness.h"

static char result[4096];

static struct span run(struct span in, size_t piece, size_t room)
{
	static const uint8_t seed[16] = { 3, 1, 4 };
	struct rng r;
	struct dot d;
	struct guard_page g = guard_page_open(in.n);
	size_t len = 0, used = 1;
	rng_seed(&r, seed);
	dot_init(&d);
	for (size_t i = 0; i < in.n && used > 0; i += used) {
		size_t n = piece ? piece : 1 + rng_below(&r, 6);
		struct buf out;
		n = n < in.n - i ? n : in.n - i;
		buf_init(&out, result + len, 1 + (room ? room : 2 + rng_below(&r, 6)));
		dot_feed(&d, guard_page_put(&g, (struct span){ in.p + i, n }), &out, &used);
		CHECK("no overflow", !out.overflow);
		len += out.len;
	}
	CHECK("progress", used > 0);
	guard_page_close(&g);
	return (struct span){ result, len };
}

static void cases(void)
{
	static const struct {
		const char *label, *in, *out;
	} table[] = {
		{ "empty", "", "" },
		{ "no dot", "a\r\n", "a\r\n" },
		{ "first byte", ".\r\n", "..\r\n" },
		{ "first line", ".a\r\nb\r\n", "..a\r\nb\r\n" },
		{ "second line", "a\r\n.b\r\n", "a\r\n..b\r\n" },
		{ "inside a line", "a.b.\r\n", "a.b.\r\n" },
		{ "two dots", "..\r\n", "...\r\n" },
		{ "every line", ".\r\n.\r\n.\r\n", "..\r\n..\r\n..\r\n" },
		{ "after an empty line", "\r\n.\r\n", "\r\n..\r\n" },
		{ "dots of a line", "a....\r\n....\r\n", "a....\r\n.....\r\n" },
		{ "end of mail inside", "a\r\n.\r\nQUIT\r\n", "a\r\n..\r\nQUIT\r\n" },
		{ "line end at the end", "a\r\n", "a\r\n" },
	};
	static const size_t cuts[][2] = { { 4096, 2000 }, { 1, 2000 }, { 4096, 2 },
					  { 1, 2 },       { 3, 3 },    { 0, 0 } };
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (size_t k = 0; k < sizeof(cuts) / sizeof(cuts[0]); k++) {
			struct span got = run(span_of(table[i].in), cuts[k][0], cuts[k][1]);
			CHECK(table[i].label, span_equal(got, span_of(table[i].out)));
		}
	}
}

/* Every text of up to nine of these pieces, in every piece size: byte by byte the doubling is easy
 * to say. */
static void all_short_texts(void)
{
	static const char *const pieces[] = { "\r\n", "x", "." };
	size_t wrong = 0;
	unsigned words = 1;
	for (unsigned n = 0; n <= 9; n++, words *= 3) {
		for (unsigned word = 0; word < words; word++) {
			char in[32] = "", want[64], got[64];
			size_t len = 0, m = 0, used;
			for (unsigned i = 0, rest = word; i < n; i++, rest /= 3)
				m += (size_t)snprintf(in + m, sizeof(in) - m, "%s",
						      pieces[rest % 3]);
			for (size_t i = 0; i < m; i++) {
				if (in[i] == '.' && (i == 0 || in[i - 1] == '\n'))
					want[len++] = '.';
				want[len++] = in[i];
			}
			struct dot d;
			struct buf out;
			dot_init(&d);
			buf_init(&out, got, sizeof(got));
			size_t step = 1 + word % 5;
			for (size_t at = 0; at < m; at += used)
				dot_feed(&d,
					 (struct span){ in + at, m - at < step ? m - at : step },
					 &out, &used);
			wrong += out.len != len || memcmp(got, want, len) != 0;
		}
	}
	CHECK("all", wrong == 0);
}

static void no_room(void)
{
	struct dot d;
	struct buf out;
	char storage[3];
	size_t used = 99;
	dot_init(&d);
	buf_init(&out, storage, 1);
	dot_feed(&d, SPAN("a"), &out, &used);
	CHECK("none", used == 0 && out.len == 0);
	buf_init(&out, storage, 2);
	dot_feed(&d, SPAN(".a"), &out, &used);
	CHECK("half a pair is not written", used == 0 && out.len == 0);
	CHECK("still at the start", d.at_line_start);
	buf_init(&out, storage, 3);
	dot_feed(&d, SPAN(".a"), &out, &used);
	CHECK("a pair", used == 1 && out.len == 2 && !d.at_line_start);
	dot_feed(&d, (struct span){ NULL, 0 }, &out, &used);
	CHECK("no input", used == 0 && !d.at_line_start);
}

TEST_MAIN("dot", { "cases", cases }, { "all short texts", all_short_texts }, { "no room", no_room })
