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

/* ---- and back ---- */

struct decoded {
	char out[256];
	size_t len, used;
	bool done;
};

/* Pieces of `piece` octets into rooms of `room`; nothing behind the end may be read. */
static struct decoded decode(struct guard_page *g, struct span in, size_t piece, size_t room)
{
	struct decoded r = { .len = 0 };
	struct undot u;
	bool stuck = false;
	undot_init(&u);
	while (r.used < in.n && !r.done && !stuck) {
		size_t n = piece < in.n - r.used ? piece : in.n - r.used, used = 99;
		struct buf out;
		buf_init(&out, r.out + r.len, room + 1);
		struct span some = guard_page_put(g, (struct span){ in.p + r.used, n });
		enum parse state = undot_feed(&u, some, &out, &used);
		r.done = state == PARSE_DONE;
		stuck = used > n || (used == 0 && !r.done) || out.overflow ||
			(!r.done && state != PARSE_MORE);
		r.used += used;
		r.len += out.len;
	}
	CHECK("progress", !stuck);
	return r;
}

/* Line by line, from the whole text at once. */
static struct decoded reference(struct span in)
{
	struct decoded r = { .len = 0 };
	while (r.used < in.n && !r.done) {
		struct span line = { in.p + r.used, in.n - r.used };
		const char *end = memmem(line.p, line.n, "\r\n", 2);
		if (end)
			line.n = (size_t)(end - line.p) + 2;
		r.used += line.n;
		r.done = span_equal(line, SPAN(".\r\n"));
		bool waits = span_equal(line, SPAN(".")) || span_equal(line, SPAN(".\r"));
		if (r.done || waits)
			continue;
		size_t dot = line.p[0] == '.';
		memcpy(r.out + r.len, line.p + dot, line.n - dot);
		r.len += line.n - dot;
	}
	return r;
}

static bool same(const struct decoded *a, const struct decoded *b)
{
	return a->len == b->len && memcmp(a->out, b->out, a->len) == 0 && a->used == b->used &&
	       a->done == b->done;
}

static void back_cases(void)
{
	static const struct {
		const char *label, *in, *out, *behind;
		bool done;
	} table[] = {
		{ "nothing yet", "", "", "", false },
		{ "an empty message", ".\r\n", "", "", true },
		{ "a line", "a\r\n.\r\n", "a\r\n", "", true },
		{ "a command behind the end", "a\r\n.\r\nQUIT\r\n", "a\r\n", "QUIT\r\n", true },
		{ "only the first end counts", ".\r\n.\r\n", "", ".\r\n", true },
		{ "stuffed", "..\r\n...a\r\n.\r\n", ".\r\n..a\r\n", "", true },
		{ "a lone dot in front", ".a\r\n.\r\n", "a\r\n", "", true },
		{ "no end", "a\r\n.", "a\r\n", "", false },
		{ "no end at the last octet", "a\r\n.\r", "a\r\n", "", false },
		{ "LF . LF", "a\n.\nb\r\n.\r\n", "a\n.\nb\r\n", "", true },
		{ "LF . CRLF", "a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n", "", true },
		{ "CR . CRLF", "a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n", "", true },
		{ "CR . CR", "a\r.\rb\r\n.\r\n", "a\r.\rb\r\n", "", true },
		{ "CRLF . LF", "a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n", "", true },
		{ "CRLF . CR", "a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n", "", true },
		{ "CRLF . CR CRLF", "a\r\n.\r\r\n.\r\n", "a\r\n\r\r\n", "", true },
		{ "CR CRLF . CRLF", "a\r\r\n.\r\n", "a\r\r\n", "", true },
		{ "LF CR", "\n\r.\r\n", "\n\r.\r\n", "", false },
	};
	static const size_t cuts[][2] = {
		{ 200, 200 }, { 1, 200 }, { 200, 2 }, { 1, 2 }, { 3, 3 }
	};
	struct guard_page g = guard_page_open(256);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct span in = span_of(table[i].in);
		for (size_t k = 0; k < sizeof(cuts) / sizeof(cuts[0]); k++) {
			struct decoded got = decode(&g, in, cuts[k][0], cuts[k][1]);
			struct span out = { got.out, got.len };
			CHECK(table[i].label, span_equal(out, span_of(table[i].out)));
			CHECK(table[i].label, got.done == table[i].done);
			CHECK_STR(table[i].label, in.p + got.used, table[i].behind);
		}
	}
	guard_page_close(&g);
}

/* Texts of `n` pieces, `word` says which. */
static size_t spell(unsigned n, unsigned word, char text[static 32])
{
	static const char *const pieces[] = { "\r\n", "\n", "\r", ".", "x" };
	size_t m = 0;
	text[0] = '\0';
	for (unsigned i = 0; i < n; i++, word /= 5)
		m += (size_t)snprintf(text + m, 32 - m, "%s", pieces[word % 5]);
	return m;
}

static void back_all_short_texts(void)
{
	struct guard_page g = guard_page_open(256);
	size_t wrong = 0, ends = 0;
	unsigned words = 1;
	for (unsigned n = 0; n <= 7; n++, words *= 5) {
		for (unsigned word = 0; word < words; word++) {
			char text[32];
			struct span in = { text, spell(n, word, text) };
			struct decoded want = reference(in);
			struct decoded got = decode(&g, in, 1 + word % 6, 2 + word % 5);
			wrong += !same(&got, &want);
			ends += want.done;
		}
	}
	CHECK("all", wrong == 0);
	CHECK("many of them have an end", ends > 1000);
	guard_page_close(&g);
}

/* Each short text cut in two at each place, and with rooms of each size. */
static void back_every_split(void)
{
	size_t wrong = 0;
	unsigned words = 1;
	for (unsigned n = 0; n <= 5; n++, words *= 5) {
		for (unsigned word = 0; word < words; word++) {
			char text[32];
			struct span in = { text, spell(n, word, text) };
			struct decoded want = reference(in);
			for (size_t cut = 0; cut <= in.n; cut++) {
				struct decoded got = { .len = 0 };
				struct undot u;
				struct buf out;
				size_t used;
				undot_init(&u);
				buf_init(&out, got.out, sizeof(got.out));
				got.done = undot_feed(&u, (struct span){ in.p, cut }, &out,
						      &got.used) == PARSE_DONE;
				if (!got.done) {
					struct span rest = { in.p + cut, in.n - cut };
					got.done = undot_feed(&u, rest, &out, &used) == PARSE_DONE;
					got.used += used;
				}
				got.len = out.len;
				wrong += !same(&got, &want);
			}
		}
	}
	CHECK("every split", wrong == 0);
}

/* What dot_feed() made comes back as it was; its input is canonical. */
static void there_and_back(void)
{
	static const char *const pieces[] = { "\r\n", ".", "x" };
	struct guard_page g = guard_page_open(256);
	size_t wrong = 0;
	unsigned words = 1;
	for (unsigned n = 0; n <= 8; n++, words *= 3) {
		for (unsigned word = 0; word < words; word++) {
			char text[64] = "", sent[128];
			struct dot d;
			struct buf out;
			size_t m = 0, used;
			for (unsigned i = 0, rest = word; i < n; i++, rest /= 3)
				m += (size_t)snprintf(text + m, sizeof(text) - m, "%s",
						      pieces[rest % 3]);
			if (m > 0 && text[m - 1] != '\n')
				m += (size_t)snprintf(text + m, sizeof(text) - m, "\r\n");
			dot_init(&d);
			buf_init(&out, sent, sizeof(sent));
			dot_feed(&d, (struct span){ text, m }, &out, &used);
			buf_add(&out, SPAN(".\r\nMAIL"));
			struct decoded got = decode(&g, buf_view(&out), 1 + word % 7, 2 + word % 3);
			wrong += !got.done || got.used + 4 != out.len || got.len != m ||
				 memcmp(got.out, text, m) != 0;
		}
	}
	CHECK("there and back", wrong == 0);
	guard_page_close(&g);
}

static void back_no_room(void)
{
	struct undot u;
	struct buf out;
	char storage[3];
	size_t used = 99;
	undot_init(&u);
	for (size_t room = 1; room <= 2; room++) {
		buf_init(&out, storage, room);
		CHECK("none", undot_feed(&u, SPAN(".\rx"), &out, &used) == PARSE_MORE);
		CHECK("none", used == 0 && out.len == 0 && u.at == UNDOT_LINE);
	}
	buf_init(&out, storage, 3);
	CHECK("enough", undot_feed(&u, SPAN(".\rx"), &out, &used) == PARSE_MORE);
	CHECK("enough", used == 3 && span_equal(buf_view(&out), SPAN("\rx")));
	CHECK("no input", undot_feed(&u, (struct span){ NULL, 0 }, &out, &used) == PARSE_MORE);
	CHECK("no input", used == 0 && out.len == 2);
}

TEST_MAIN("dot", { "cases", cases }, { "all short texts", all_short_texts }, { "no room", no_room },
	  { "back: cases", back_cases }, { "back: all short texts", back_all_short_texts },
	  { "back: every split", back_every_split }, { "there and back", there_and_back },
	  { "back: no room", back_no_room })
