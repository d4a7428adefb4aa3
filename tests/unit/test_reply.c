/* SPDX-License-Identifier: ISC */
#include "harness.h"
#include "guard_page.h"

#include "base/text.h"
#include "wire/reply.h"

static const struct good_case {
	const char *label, *in;
	unsigned code;
	struct esc esc;
	unsigned lines;
	const char *text, *formatted;
} good[] = {
	{ "plain", "250 ok\r\n", 250, { 0 }, 1, "ok", "250 ok" },
	{ "LF alone", "250 ok\n", 250, { 0 }, 1, "ok", "250 ok" },
	{ "code alone", "250\r\n", 250, { 0 }, 1, "", "250" },
	{ "code and LF", "354\n", 354, { 0 }, 1, "", "354" },
	{ "no text", "250 \r\n", 250, { 0 }, 1, "", "250" },
	{ "smallest code", "200 a\r\n", 200, { 0 }, 1, "a", "200 a" },
	{ "largest code", "559 a\r\n", 559, { 0 }, 1, "a", "559 a" },
	{ "two lines", "250-a\r\n250 b\r\n", 250, { 0 }, 2, "a\nb", "250 a b" },
	{ "ends with the code", "250-a\r\n250\r\n", 250, { 0 }, 2, "a\n", "250 a " },
	{ "empty lines", "250-\r\n250-\r\n250 c\r\n", 250, { 0 }, 3, "\n\nc", "250   c" },
	{ "mixed line ends", "250-a\n250-b\r\n250 c\n", 250, { 0 }, 3, "a\nb\nc", "250 a b c" },
	{ "enhanced", "550 5.1.1 no\r\n", 550, { 5, 1, 1 }, 1, "5.1.1 no", "550 5.1.1 no" },
	{ "enhanced alone", "450 4.2.0\r\n", 450, { 4, 2, 0 }, 1, "4.2.0", "450 4.2.0" },
	{ "enhanced, tab", "250 2.0.0\tok\r\n", 250, { 2, 0, 0 }, 1, "2.0.0 ok", "250 2.0.0 ok" },
	{ "three digits",
	  "550 5.123.999 x\r\n",
	  550,
	  { 5, 123, 999 },
	  1,
	  "5.123.999 x",
	  "550 5.123.999 x" },
	{ "enhanced later",
	  "550-No.\r\n550 5.7.1 x\r\n",
	  550,
	  { 5, 7, 1 },
	  2,
	  "No.\n5.7.1 x",
	  "550 No. 5.7.1 x" },
	{ "first enhanced",
	  "550-5.7.1 a\r\n550 5.7.2 b\r\n",
	  550,
	  { 5, 7, 1 },
	  2,
	  "5.7.1 a\n5.7.2 b",
	  "550 5.7.1 a 5.7.2 b" },
	{ "other class", "450 5.1.1 x\r\n", 450, { 0 }, 1, "5.1.1 x", "450 5.1.1 x" },
	{ "class 3", "354 3.0.0 x\r\n", 354, { 0 }, 1, "3.0.0 x", "354 3.0.0 x" },
	{ "354 with class 2", "354 2.0.0 x\r\n", 354, { 0 }, 1, "2.0.0 x", "354 2.0.0 x" },
	{ "four digits", "550 5.1.1000 x\r\n", 550, { 0 }, 1, "5.1.1000 x", "550 5.1.1000 x" },
	{ "leading zero", "550 5.01.1 x\r\n", 550, { 0 }, 1, "5.01.1 x", "550 5.01.1 x" },
	{ "two parts", "550 5.1 x\r\n", 550, { 0 }, 1, "5.1 x", "550 5.1 x" },
	{ "four parts", "550 5.1.1.1 x\r\n", 550, { 0 }, 1, "5.1.1.1 x", "550 5.1.1.1 x" },
	{ "dot behind", "550 5.1.1. x\r\n", 550, { 0 }, 1, "5.1.1. x", "550 5.1.1. x" },
	{ "empty part", "550 5..1 x\r\n", 550, { 0 }, 1, "5..1 x", "550 5..1 x" },
	{ "colon behind", "550 5.1.1: x\r\n", 550, { 0 }, 1, "5.1.1: x", "550 5.1.1: x" },
	{ "hash before", "550 #5.1.1 x\r\n", 550, { 0 }, 1, "#5.1.1 x", "550 #5.1.1 x" },
	{ "blank before", "550  5.1.1 x\r\n", 550, { 0 }, 1, " 5.1.1 x", "550  5.1.1 x" },
	{ "bare CR", "250 a\rb\r\n", 250, { 0 }, 1, "a?b", "250 a?b" },
	{ "CR CR LF", "250 a\r\r\n", 250, { 0 }, 1, "a?", "250 a?" },
	{ "controls", "250 a\033[2Jb\177\r\n", 250, { 0 }, 1, "a?[2Jb?", "250 a?[2Jb?" },
	{ "UTF-8", "250 \xc3\xbc\r\n", 250, { 0 }, 1, "\xc3\xbc", "250 \xc3\xbc" },
	{ "not UTF-8", "250 \xfc\r\n", 250, { 0 }, 1, "?", "250 ?" },
	/* Made printable by line: halves of a character do not meet. */
	{ "character over two lines",
	  "250-\xc3\r\n250 \xbc\r\n",
	  250,
	  { 0 },
	  2,
	  "?\n?",
	  "250 ? ?" },
};

static const struct {
	const char *label;
	struct span in;
} bad[] = {
	{ "empty line", SPAN("\r\n") },
	{ "LF", SPAN("\n") },
	{ "no code", SPAN("hello\r\n") },
	{ "two digits", SPAN("25\r\n") },
	{ "two digits and blank", SPAN("25 x\r\n") },
	{ "four digits", SPAN("2500 x\r\n") },
	{ "blank before", SPAN(" 250 x\r\n") },
	{ "no separator", SPAN("250ok\r\n") },
	{ "tab as separator", SPAN("250\tok\r\n") },
	{ "bare CR behind the code", SPAN("250\r\r\n") },
	{ "class 1", SPAN("150 x\r\n") },
	{ "class 0", SPAN("050 x\r\n") },
	{ "class 6", SPAN("650 x\r\n") },
	{ "second digit 6", SPAN("260 x\r\n") },
	{ "letter in the code", SPAN("25o x\r\n") },
	{ "codes differ", SPAN("250-x\r\n251 y\r\n") },
	{ "class differs", SPAN("250-x\r\n550 y\r\n") },
	{ "line without code", SPAN("250-x\r\ny\r\n") },
	{ "NUL", SPAN("250 a\0b\r\n") },
	{ "NUL before the line end came", SPAN("250 a\0") },
	{ "NUL in a second line", SPAN("250-a\r\n250\0b\r\n") },
	{ "HTTP", SPAN("HTTP/1.1 400 Bad Request\r\n") },
	{ "TLS alert", SPAN("\x15\x03\x01\x00\x02\x02\x46") },
};

static bool esc_equal(struct esc a, struct esc b)
{
	return a.cls == b.cls && a.subject == b.subject && a.detail == b.detail;
}

static enum parse feed_bytes(struct reply_parser *p, struct span in, size_t step, size_t *ret_used)
{
	enum parse say = PARSE_MORE;
	size_t used = 0;
	while (say == PARSE_MORE && used < in.n) {
		size_t n = in.n - used < step ? in.n - used : step, taken = 0;
		say = reply_parse(p, (struct span){ in.p + used, n }, &taken);
		CU_ASSERT(taken == n || say != PARSE_MORE);
		used += taken;
	}
	*ret_used = used;
	return say;
}

static void check_good(const struct good_case *c, struct span in, size_t step)
{
	struct reply_parser p;
	char line[LIMIT_REPLY_TEXT + 8];
	size_t used = 0;
	reply_parser_init(&p);
	CHECK(c->label, feed_bytes(&p, in, step, &used) == PARSE_DONE);
	CHECK(c->label, used == strlen(c->in));
	CHECK(c->label, p.reply.code == c->code);
	CHECK(c->label, esc_equal(p.reply.esc, c->esc));
	CHECK(c->label, p.reply.lines == c->lines);
	CHECK(c->label, p.reply.len == strlen(c->text));
	CHECK(c->label, !p.reply.cut);
	CHECK_STR(c->label, p.reply.text, c->text);
	reply_format(&p.reply, line, sizeof(line));
	CHECK_STR(c->label, line, c->formatted);
}

static void test_good(void)
{
	struct guard_page g = guard_page_open(4096);
	char more[256];
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		for (size_t step = 1; step <= 3; step++)
			check_good(&good[i], guard_page_put(&g, span_of(good[i].in)), step);
		/* Bytes behind the reply are not looked at. */
		snprintf(more, sizeof(more), "%s%s", good[i].in, "garbage\n");
		check_good(&good[i], guard_page_put(&g, span_of(more)), SIZE_MAX);
	}
	guard_page_close(&g);
}

static void test_bad(void)
{
	struct guard_page g = guard_page_open(4096);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct span in = guard_page_put(&g, bad[i].in);
		struct reply_parser p;
		size_t used;
		reply_parser_init(&p);
		CHECK(bad[i].label, feed_bytes(&p, in, SIZE_MAX, &used) == PARSE_BAD);
		reply_parser_init(&p);
		CHECK(bad[i].label, feed_bytes(&p, in, 1, &used) == PARSE_BAD);
		CHECK(bad[i].label, reply_parse(&p, SPAN("250 ok\r\n"), &used) == PARSE_BAD);
	}
	guard_page_close(&g);
}

static void test_unfinished(void)
{
	static const char *const cases[] = { "",       "2",        "250",       "250 ",
					     "250 ok", "250 ok\r", "250-a\r\n", "250-a\r\n250" };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reply_parser p;
		size_t used = 99;
		reply_parser_init(&p);
		CHECK(cases[i], reply_parse(&p, span_of(cases[i]), &used) == PARSE_MORE);
		CHECK(cases[i], used == strlen(cases[i]));
	}
}

/* Pipelined replies arrive in one piece. */
static void test_sequence(void)
{
	struct span in = SPAN("250-a\r\n250 2.1.0 b\r\n450 4.2.0 c\r\n354 go\r\n");
	static const unsigned codes[] = { 250, 450, 354 };
	static const char *const texts[] = { "a\n2.1.0 b", "4.2.0 c", "go" };
	struct reply_parser p;
	reply_parser_init(&p);
	for (size_t i = 0; i < 3; i++) {
		size_t used;
		CHECK(texts[i], reply_parse(&p, in, &used) == PARSE_DONE);
		CHECK(texts[i], p.reply.code == codes[i]);
		CHECK_STR(texts[i], p.reply.text, texts[i]);
		in = (struct span){ in.p + used, in.n - used };
	}
	CHECK("354 has no code of the 450 before it", p.reply.esc.cls == 0);
	CHECK("all taken", in.n == 0);
}

/* A line of n bytes, its CRLF included. */
static void test_line_limit(void)
{
	static char line[LIMIT_REPLY_LINE + 1];
	struct reply_parser p;
	for (size_t step = 1; step <= sizeof(line); step += sizeof(line) - 1) {
		size_t used;
		memset(line, 'x', sizeof(line));
		memcpy(line, "250 ", 4);
		memcpy(line + LIMIT_REPLY_LINE - 2, "\r\n", 2);
		reply_parser_init(&p);
		struct span in = { line, LIMIT_REPLY_LINE };
		CHECK("longest", feed_bytes(&p, in, step, &used) == PARSE_DONE);
		size_t text = LIMIT_REPLY_LINE - strlen("250 \r\n"), most = LIMIT_REPLY_TEXT - 1;
		CHECK("longest", p.reply.len == (text < most ? text : most));
		CHECK("longest", p.reply.cut == (text > most));
		CHECK("longest", strlen(p.reply.text) == p.reply.len);

		memcpy(line + LIMIT_REPLY_LINE - 2, "x\r\n", 3);
		reply_parser_init(&p);
		in.n = sizeof(line);
		CHECK("one more", feed_bytes(&p, in, step, &used) == PARSE_BAD);
	}
}

static void test_lines_limit(void)
{
	struct reply_parser p;
	size_t used;
	reply_parser_init(&p);
	for (int i = 1; i < LIMIT_REPLY_LINES; i++)
		CHECK("going on", reply_parse(&p, SPAN("250-\r\n"), &used) == PARSE_MORE);
	struct reply_parser q = p;
	CHECK("most", reply_parse(&p, SPAN("250 end\r\n"), &used) == PARSE_DONE);
	CHECK("most", p.reply.lines == LIMIT_REPLY_LINES);
	CHECK("not the last", reply_parse(&q, SPAN("250-\r\n"), &used) == PARSE_MORE);
	CHECK("one more", reply_parse(&q, SPAN("250 end\r\n"), &used) == PARSE_BAD);
}

/* Text is cut between characters, and nothing follows the cut. */
static void test_cut(void)
{
	const size_t half = LIMIT_REPLY_TEXT / 2; /* a line must not be too long */
	for (size_t n = LIMIT_REPLY_TEXT - 8; n < LIMIT_REPLY_TEXT + 2; n++) {
		char in[2 * LIMIT_REPLY_TEXT];
		struct reply_parser p;
		size_t used;
		snprintf(in, sizeof(in), "250-%0*d\r\n250-%0*d\xf0\x9f\x93\xa7zz\r\n250 last\r\n",
			 (int)half, 0, (int)(n - half - 1), 0);
		reply_parser_init(&p);
		CHECK("cut", reply_parse(&p, span_of(in), &used) == PARSE_DONE);
		struct span text = { p.reply.text, p.reply.len };
		CHECK("ends with NUL", p.reply.text[p.reply.len] == '\0');
		CHECK("fits", p.reply.len < LIMIT_REPLY_TEXT);
		CHECK("whole characters", text_is_utf8(text));
		CHECK("whole characters", !strchr(p.reply.text, '?'));
		CHECK("known", p.reply.cut);
		CHECK("both halves", p.reply.text[half] == '\n');
		CHECK("later lines", (strchr(p.reply.text + half + 1, '\n') != NULL) ==
					     (n + 6 < LIMIT_REPLY_TEXT - 1));
		CHECK("all lines counted", p.reply.lines == 3);
	}
}

static void test_esc_or(void)
{
	static const struct {
		const char *label, *in;
		struct esc fallback, want;
	} cases[] = {
		{ "its own", "550 5.1.1 x\r\n", { 5, 0, 0 }, { 5, 1, 1 } },
		{ "fallback", "550 x\r\n", { 5, 5, 0 }, { 5, 5, 0 } },
		{ "fallback of another class", "450 x\r\n", { 5, 1, 0 }, { 4, 1, 0 } },
		{ "contradiction", "450 5.7.1 x\r\n", { 4, 2, 0 }, { 4, 2, 0 } },
		{ "contradiction, both", "550 4.7.1 x\r\n", { 4, 2, 0 }, { 5, 2, 0 } },
		{ "sent", "250 ok\r\n", { 2, 0, 0 }, { 2, 0, 0 } },
		{ "3xx has no class", "354 go\r\n", { 4, 5, 0 }, { 4, 5, 0 } },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reply_parser p;
		size_t used;
		reply_parser_init(&p);
		CHECK(cases[i].label, reply_parse(&p, span_of(cases[i].in), &used) == PARSE_DONE);
		CHECK(cases[i].label, reply_class(&p.reply) == cases[i].in[0] - '0');
		CHECK(cases[i].label,
		      esc_equal(reply_esc_or(&p.reply, cases[i].fallback), cases[i].want));
	}
}

static void test_format_cut(void)
{
	struct reply r = { .code = 550, .len = 5, .text = "a\n\xc3\xbcz" };
	static const struct {
		size_t n;
		const char *want;
	} cases[] = { { 1, "" },
		      { 4, "550" },
		      { 6, "550 a" },
		      { 8, "550 a " },
		      { 9, "550 a \xc3\xbc" },
		      { 10, "550 a \xc3\xbcz" } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *out = malloc(cases[i].n);
		reply_format(&r, out, cases[i].n);
		CHECK_STR(cases[i].want, out, cases[i].want);
		free(out);
	}
	char untouched = 'x';
	reply_format(&r, &untouched, 0);
	CHECK("no room", untouched == 'x');
}

TEST_MAIN("reply", { "good", test_good }, { "bad", test_bad }, { "unfinished", test_unfinished },
	  { "sequence", test_sequence }, { "line limit", test_line_limit },
	  { "lines limit", test_lines_limit }, { "cut", test_cut },
	  { "enhanced code or fallback", test_esc_or }, { "format is cut", test_format_cut })
