/* SPDX-License-Identifier: ISC */
#include "base/rng.h"
#include "wire/canon.h"

#include "guard_page.h"
#include "harness.h"

enum { ROOM = 200 * 1024 };
static char result[ROOM];

static struct rng fixed_rng(void)
{
	static const uint8_t seed[16] = { 7, 1, 4 };
	struct rng r;
	rng_seed(&r, seed);
	return r;
}

/*
 * All of `in` through a canon, in pieces of at most `piece` bytes and through a buffer with `room`
 * free bytes; 0: a new size each time. The pieces end at a guard page.
 */
static struct span run(struct canon *c, struct span in, size_t piece, size_t room)
{
	struct rng r = fixed_rng();
	struct guard_page g = guard_page_open(in.n);
	size_t used, len = 0, idle = 0;
	canon_init(c);
	for (size_t i = 0; i < in.n && idle < 2;) {
		size_t n = piece ? piece : 1 + rng_below(&r, 40);
		size_t free_bytes = room ? room : 4 + rng_below(&r, 40);
		struct buf out;
		n = n < in.n - i ? n : in.n - i;
		buf_init(&out, result + len, free_bytes + 1);
		canon_feed(c, guard_page_put(&g, (struct span){ in.p + i, n }), &out, &used);
		CHECK("no overflow", !out.overflow);
		idle = used > 0 || out.len > 0 ? 0 : idle + 1;
		len += out.len;
		i += used;
	}
	CHECK("progress", idle == 0);
	struct buf out;
	buf_init(&out, result + len, 5);
	canon_finish(c, &out);
	CHECK("no overflow", !out.overflow);
	guard_page_close(&g);
	return (struct span){ result, len + out.len };
}

static bool same_facts(struct facts a, struct facts b)
{
	return a.size == b.size && a.longest_line == b.longest_line && a.has_8bit == b.has_8bit &&
	       a.has_nul == b.has_nul && a.header_utf8 == b.header_utf8 &&
	       a.had_bare_cr == b.had_bare_cr && a.added_final_newline == b.added_final_newline &&
	       a.requiretls == b.requiretls && a.tls_required_no == b.tls_required_no;
}

/* Whole, byte by byte, through the smallest buffer, in random cuts: always the same. */
static void check(const char *label, struct span in, struct span want, struct facts facts)
{
	static const size_t cuts[][2] = { { ROOM, ROOM / 2 }, { 1, ROOM / 2 }, { ROOM, 4 },
					  { 1, 4 },           { 2, 5 },        { 0, 0 } };
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		static struct canon c;
		struct span got = run(&c, in, cuts[i][0], cuts[i][1]);
		CHECK(label, span_equal(got, want));
		CHECK(label, same_facts(c.facts, facts));
		CHECK(label, c.facts.size == got.n);
	}
}

static void line_ends(void)
{
	static const struct {
		const char *label, *in, *out;
		uint32_t longest;
		bool bare_cr, added;
	} cases[] = {
		{ "empty", "", "", 0, false, false },
		{ "LF", "a: b\n\nc\n", "a: b\r\n\r\nc\r\n", 4, false, false },
		{ "CRLF", "a: b\r\n\r\nc\r\n", "a: b\r\n\r\nc\r\n", 4, false, false },
		{ "mixed", "a\r\nb\nc\r\n", "a\r\nb\r\nc\r\n", 1, false, false },
		{ "only LF", "\n", "\r\n", 0, false, false },
		{ "only CRLF", "\r\n", "\r\n", 0, false, false },
		{ "only CR", "\r", "\r\n", 0, false, true },
		{ "CR CR LF", "a\r\r\nb\n", "a\r\nb\r\n", 1, false, false },
		{ "many CR, LF", "\r\r\r\r\r\r\n", "\r\n", 0, false, false },
		{ "bare CR", "a\rb\n", "a b\r\n", 3, true, false },
		{ "bare CRs", "a\r\r\r\r\r\r\r\rb\n", "a        b\r\n", 10, true, false },
		{ "CR at the start", "\ra\n", " a\r\n", 2, true, false },
		{ "CR after LF", "\n\ra\n", "\r\n a\r\n", 2, true, false },
		{ "CR, then line end", "a\rb\r\n", "a b\r\n", 3, true, false },
		{ "no final LF", "a\nbc", "a\r\nbc\r\n", 2, false, true },
		{ "final CR", "a\r", "a\r\n", 1, false, true },
		{ "final CRs", "a\r\r\r\r\r\r", "a\r\n", 1, false, true },
		{ "inside the header", "Subject: x", "Subject: x\r\n", 10, false, true },
		{ "header only", "Subject: x\n", "Subject: x\r\n", 10, false, false },
		{ "dots stay", ".\n..\n.a\n", ".\r\n..\r\n.a\r\n", 2, false, false },
		{ "controls pass", "\001\b\v\f\033\177\n", "\001\b\v\f\033\177\r\n", 6, false,
		  false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span out = span_of(cases[i].out);
		struct facts facts = { .size = out.n,
				       .longest_line = cases[i].longest,
				       .had_bare_cr = cases[i].bare_cr,
				       .added_final_newline = cases[i].added };
		check(cases[i].label, span_of(cases[i].in), out, facts);
	}
}

static void foreign_bytes(void)
{
	check("NUL", SPAN("a\0b\n"), SPAN("a\0b\r\n"),
	      (struct facts){ .size = 5, .longest_line = 3, .has_nul = true });
	check("NUL alone", SPAN("\0"), SPAN("\0\r\n"),
	      (struct facts){
		      .size = 3, .longest_line = 1, .has_nul = true, .added_final_newline = true });
	check("8 bit", SPAN("\n\xff\n"), SPAN("\r\n\xff\r\n"),
	      (struct facts){ .size = 5, .longest_line = 1, .has_8bit = true });
	check("UTF-8 in the body", SPAN("a: b\n\n\xc3\xbc\n"), SPAN("a: b\r\n\r\n\xc3\xbc\r\n"),
	      (struct facts){ .size = 12, .longest_line = 4, .has_8bit = true });
	check("UTF-8 in the header", SPAN("a: \xc3\xbc\n\nb\n"), SPAN("a: \xc3\xbc\r\n\r\nb\r\n"),
	      (struct facts){
		      .size = 12, .longest_line = 5, .has_8bit = true, .header_utf8 = true });
	check("Latin-1 in the header", SPAN("a: \xfc\n\nb\n"), SPAN("a: \xfc\r\n\r\nb\r\n"),
	      (struct facts){ .size = 11, .longest_line = 4, .has_8bit = true });
	check("in an unfinished header", SPAN("a: \xc3\xbc"), SPAN("a: \xc3\xbc\r\n"),
	      (struct facts){ .size = 7,
			      .longest_line = 5,
			      .has_8bit = true,
			      .header_utf8 = true,
			      .added_final_newline = true });
}

/* A bare CR in a header line and a CR CR LF as its end must not hide the end of the header. */
static void header_end(void)
{
	check("CRs before the empty line's LF", SPAN("a: b\r\r\n\r\r\n\xc3\xbc: x\n"),
	      SPAN("a: b\r\n\r\n\xc3\xbc: x\r\n"),
	      (struct facts){ .size = 15, .longest_line = 5, .has_8bit = true });
	check("a line of one bare CR", SPAN("a: b\n\rc: \xc3\xbc\n"),
	      SPAN("a: b\r\n c: \xc3\xbc\r\n"),
	      (struct facts){ .size = 14,
			      .longest_line = 6,
			      .has_8bit = true,
			      .header_utf8 = true,
			      .had_bare_cr = true });
}

/* What the header asks of TLS is known whatever the line ends, and even if nothing follows it. */
static void header_tls(void)
{
	static const struct {
		const char *label, *in, *out;
		uint32_t longest;
		bool requiretls, no, added, bare_cr;
	} cases[] = {
		{ "no", "TLS-Required: No\n\nx\n", "TLS-Required: No\r\n\r\nx\r\n", 16, false, true,
		  false, false },
		{ "yes", "Require-TLS-ESMTP: yes\r\n\r\nx\r\n",
		  "Require-TLS-ESMTP: yes\r\n\r\nx\r\n", 22, true, false, false, false },
		{ "folded", "TLS-Required:\n No\nRequire-TLS-ESMTP:\r\n\tyes\r\r\n\n",
		  "TLS-Required:\r\n No\r\nRequire-TLS-ESMTP:\r\n\tyes\r\n\r\n", 18, true, true,
		  false, false },
		{ "the last line", "TLS-Required: No\n", "TLS-Required: No\r\n", 16, false, true,
		  false, false },
		{ "the unfinished last line", "TLS-Required: No", "TLS-Required: No\r\n", 16, false,
		  true, true, false },
		{ "ended by a CR", "Require-TLS-ESMTP: yes\r", "Require-TLS-ESMTP: yes\r\n", 22,
		  true, false, true, false },
		{ "an unfinished second one", "TLS-Required: No\nTLS-Required: No",
		  "TLS-Required: No\r\nTLS-Required: No\r\n", 16, false, false, true, false },
		{ "a bare CR is a blank", "TLS-Required:\rNo\n\n", "TLS-Required: No\r\n\r\n", 16,
		  false, true, false, true },
		{ "a bare CR does not begin a field", "A: x\rTLS-Required: No\n\n",
		  "A: x TLS-Required: No\r\n\r\n", 21, false, false, false, true },
		{ "in the body", "A: x\n\nTLS-Required: No\nRequire-TLS-ESMTP: yes",
		  "A: x\r\n\r\nTLS-Required: No\r\nRequire-TLS-ESMTP: yes\r\n", 22, false, false,
		  true, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span out = span_of(cases[i].out);
		struct facts facts = { .size = out.n,
				       .longest_line = cases[i].longest,
				       .had_bare_cr = cases[i].bare_cr,
				       .added_final_newline = cases[i].added,
				       .requiretls = cases[i].requiretls,
				       .tls_required_no = cases[i].no };
		check(cases[i].label, span_of(cases[i].in), out, facts);
	}
	check("behind UTF-8", SPAN("a: \xc3\xbc\nTLS-Required: No\n\nb\n"),
	      SPAN("a: \xc3\xbc\r\nTLS-Required: No\r\n\r\nb\r\n"),
	      (struct facts){ .size = 30,
			      .longest_line = 16,
			      .has_8bit = true,
			      .header_utf8 = true,
			      .tls_required_no = true });
}

static void long_lines(void)
{
	static char in[100001], out[100002];
	memset(in, 'x', sizeof(in));
	memset(out, 'x', sizeof(out));
	in[100000] = '\n';
	memcpy(out + 100000, "\r\n", 2);
	check("100000 octets", (struct span){ in, sizeof(in) }, (struct span){ out, sizeof(out) },
	      (struct facts){ .size = 100002, .longest_line = 100000 });
	/* The longest one need be neither the first nor the last. */
	in[10] = in[99990] = '\n';
	static struct canon c;
	run(&c, (struct span){ in, sizeof(in) }, 0, 0);
	CHECK("in the middle", c.facts.longest_line == 99979);
	CHECK("size", c.facts.size == 100001 + 3);
}

/* Every message of up to seven of these letters: the rules of canon.h, written down once more,
 * letter by letter. */
static void all_short_messages(void)
{
	static const char letters[] = { '\r', '\n', 'x', '.' };
	size_t wrong = 0;
	for (unsigned n = 0; n <= 7; n++) {
		for (unsigned word = 0; word < 1u << 2 * n; word++) {
			char in[8], want[20];
			size_t len = 0, crs = 0, line = 0;
			for (unsigned i = 0; i < n; i++)
				in[i] = letters[word >> 2 * i & 3];
			for (unsigned i = 0; i < n; i++) {
				if (in[i] == '\r') {
					crs++;
				} else if (in[i] == '\n') {
					want[len++] = '\r';
					want[len++] = '\n';
					crs = line = 0;
				} else {
					for (line += crs + 1; crs > 0; crs--)
						want[len++] = ' ';
					want[len++] = in[i];
				}
			}
			if (line + crs > 0) {
				want[len++] = '\r';
				want[len++] = '\n';
			}
			static struct canon c;
			char got[64];
			size_t used, at = 0;
			struct buf out;
			canon_init(&c);
			buf_init(&out, got, sizeof(got));
			for (unsigned step = 1 + word % 3; at < n; at += used)
				canon_feed(&c,
					   (struct span){ in + at, n - at < step ? n - at : step },
					   &out, &used);
			canon_finish(&c, &out);
			wrong += out.len != len || memcmp(got, want, len) != 0 ||
				 c.facts.size != len;
		}
	}
	CHECK("all", wrong == 0);
}

static void no_room(void)
{
	static struct canon c;
	char storage[2];
	size_t used = 99;
	struct buf out;
	canon_init(&c);
	buf_init(&out, storage, 1);
	canon_feed(&c, SPAN("a"), &out, &used);
	CHECK("none", used == 0 && out.len == 0);
	buf_init(&out, storage, 2);
	canon_feed(&c, SPAN("\n"), &out, &used);
	CHECK("half a line end is not written", used == 0 && out.len == 0);
	canon_feed(&c, (struct span){ NULL, 0 }, &out, &used);
	CHECK("no input", used == 0 && out.len == 0);
}

TEST_MAIN("canon", { "line ends", line_ends }, { "foreign bytes", foreign_bytes },
	  { "end of the header", header_end }, { "TLS", header_tls }, { "long lines", long_lines },
	  { "all short messages", all_short_messages }, { "no room", no_room })
