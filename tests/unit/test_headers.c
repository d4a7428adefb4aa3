/* SPDX-License-Identifier: ISC */
#include "base/rng.h"
#include "wire/headers.h"

#include "guard_page.h"
#include "harness.h"

#define UE "\xc3\xbc"

/* Pieces of at most `piece` bytes, each at a guard page; 0: random ones. */
static const struct headers *feed(struct span in, size_t piece)
{
	static const uint8_t seed[16] = { 2, 7, 1 };
	static struct headers h;
	struct rng r;
	struct guard_page g = guard_page_open(in.n);
	rng_seed(&r, seed);
	headers_init(&h);
	for (size_t i = 0; i < in.n;) {
		size_t n = piece ? piece : 1 + rng_below(&r, 30);
		n = n < in.n - i ? n : in.n - i;
		headers_feed(&h, guard_page_put(&g, (struct span){ in.p + i, n }));
		i += n;
	}
	headers_feed(&h, (struct span){ NULL, 0 });
	headers_finish(&h);
	guard_page_close(&g);
	return &h;
}

static bool run(struct span in, size_t piece)
{
	return feed(in, piece)->utf8;
}

static void check(const char *label, struct span in, bool utf8)
{
	CHECK(label, run(in, in.n) == utf8);
	CHECK(label, run(in, 1) == utf8);
	CHECK(label, run(in, 2) == utf8);
	CHECK(label, run(in, 17) == utf8);
	CHECK(label, run(in, 0) == utf8);
}

/* The cases are written with LF and fed as CRLF, which is what canon makes of them. */
static struct span with_crlf(const char *lf)
{
	static char text[4096];
	size_t n = 0;
	for (; *lf && n < sizeof(text) - 2; lf++) {
		if (*lf == '\n')
			text[n++] = '\r';
		text[n++] = *lf;
	}
	return (struct span){ text, n };
}

static void check_lf(const char *label, const char *lf, bool utf8)
{
	check(label, with_crlf(lf), utf8);
}

struct message {
	const char *label, *text;
	bool utf8;
};

static void check_all(const struct message *m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_lf(m[i].label, m[i].text, m[i].utf8);
}
#define CHECK_ALL(table) check_all((table), sizeof(table) / sizeof((table)[0]))

static void top_level(void)
{
	static const struct message table[] = {
		{ "empty", "", false },
		{ "ascii", "Subject: x\n\nbody\n", false },
		{ "in a field", "Subject: gr" UE "n\n\nbody\n", true },
		{ "in the second field", "A: x\nB: " UE "\n\n", true },
		{ "in an unfolded line", "A: x\n " UE "\n\n", true },
		{ "in a tab line", "A: x\n\t" UE "\n\n", true },
		{ "behind a blank line of a field", "A: x\n \nB: " UE "\n\n", true },
		{ "in the body", "A: x\n\n" UE "\n", false },
		{ "a field in the body", "A: x\n\nB: " UE "\n", false },
		{ "no header", "\nB: " UE "\n", false },
		{ "Latin-1", "Subject: gr\xfcn\n\n", false },
		{ "Latin-1 and UTF-8 in one line", "Subject: gr\xfcn " UE "\n\n", false },
		{ "Latin-1 in one field, UTF-8 in another", "A: \xfc\nB: " UE "\n\n", true },
		{ "overlong", "A: \xc0\xaf\n\n", false },
		{ "surrogate", "A: \xed\xa0\x80\n\n", false },
		{ "encoded word", "A: =?utf-8?q?=C3=BC?=\n\n", false },
		{ "blank before the colon", "Subject : " UE "\n\n", true },
		{ "mbox line first", "From a@b.c Tue Nov 24 00:18:11 2026\nA: " UE "\n\n", true },
		{ "missing empty line", "A: x\nDear " UE "\nB: " UE "\n", false },
		{ "missing empty line", "A: x\nDear reader: " UE "\n", false },
		{ "a name that is no name", "A: x\n" UE ": y\nB: " UE "\n", false },
		{ "no name", "A: x\n: " UE "\nB: " UE "\n", false },
		{ "a dash line in the header", "A: x\n--b: y\nB: " UE "\n\n", true },
		{ "unfinished line", "A: " UE, false },
		{ "unfinished header", "A: " UE "\n", true },
		{ "another type", "Content-Type: text/plain; boundary=b\n\n--b\nA: " UE "\n",
		  false },
		{ "no boundary", "Content-Type: multipart/mixed\n\n--\nA: " UE "\n", false },
		{ "empty boundary",
		  "Content-Type: multipart/mixed; boundary=\"\"\n\n--\nA: " UE "\n", false },
	};
	CHECK_ALL(table);
	check("NUL", SPAN("A: \0" UE "\r\n\r\n"), true);
	check("NUL in the name", SPAN("A\0: " UE "\r\n\r\n"), false);
}

#define MIXED "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b\"\n\n"

static void parts(void)
{
	static const struct message table[] = {
		{ "in a part header", MIXED "--b\nA: " UE "\n\nx\n--b--\n", true },
		{ "in the second part", MIXED "--b\n\nx\n--b\nA: " UE "\n\n", true },
		{ "folded in a part", MIXED "--b\nA: x\n " UE "\n\n", true },
		{ "Latin-1 in a part header", MIXED "--b\nA: \xfc\n\nx\n--b--\n", false },
		{ "in the preamble", MIXED "A: " UE "\n--b\n\nx\n--b--\n", false },
		{ "in a part's body", MIXED "--b\nA: x\n\nB: " UE "\n--b--\n", false },
		{ "part without header", MIXED "--b\n\nB: " UE "\n--b--\n", false },
		{ "in the epilogue", MIXED "--b\n\nx\n--b--\nA: " UE "\n", false },
		{ "a part after the last", MIXED "--b--\n--b\nA: " UE "\n", false },
		{ "dashes that are no boundary", MIXED "--c\nA: " UE "\n-b\nA: " UE "\n", false },
		{ "not at the line start", MIXED " --b\nA: " UE "\nx--b\nA: " UE "\n", false },
		{ "case of the boundary", MIXED "--B\nA: " UE "\n", false },
		{ "blanks behind the boundary", MIXED "--b \t\nA: " UE "\n", true },
		{ "more behind the boundary", MIXED "--bc\nA: " UE "\n", true },
		{ "boundary ends a header", MIXED "--b\nA: x\n--b\nB: " UE "\n", true },
		{ "boundary ends the last header", MIXED "--b\nA: x\n--b--\nB: " UE "\n", false },
		{ "boundary ends a Content-Type",
		  MIXED "--b\nContent-Type: multipart/a; boundary=c\n--b\nA: x\n\n--c\nB: " UE "\n",
		  false },
		{ "no empty line in a part", MIXED "--b\nDear " UE "\nB: " UE "\n", false },
		{ "many lines between", MIXED "-\n--\n---\n\n-x\n--x\n--b\nA: " UE "\n", true },
	};
	CHECK_ALL(table);
}

#define PART "\n\n--b\nA: " UE "\n"

static void content_types(void)
{
	static const struct message table[] = {
		{ "token", "Content-Type: multipart/mixed; boundary=b" PART, true },
		{ "case", "CONTENT-TYPE: Multipart/MIXED; BOUNDARY=b" PART, true },
		{ "blank before the colon", "Content-Type : multipart/mixed;boundary=b" PART,
		  true },
		{ "no blank", "Content-Type:multipart/mixed;boundary=b" PART, true },
		{ "folded", "Content-Type: multipart/mixed;\n\tboundary=\"b\"" PART, true },
		{ "folded twice", "Content-Type:\n multipart/mixed;\n boundary=b" PART, true },
		{ "other parameter first", "Content-Type: multipart/mixed; a=c; boundary=b" PART,
		  true },
		{ "quoted parameter first",
		  "Content-Type: multipart/mixed; a=\"; boundary=c\"; boundary=b" PART, true },
		{ "escaped quote",
		  "Content-Type: multipart/mixed; a=\"\\\"; boundary=c\"; boundary=b" PART, true },
		{ "parameter without value", "Content-Type: multipart/mixed; a; boundary=b" PART,
		  true },
		{ "other parameter behind", "Content-Type: multipart/mixed; boundary=b; a=c" PART,
		  true },
		{ "comment behind", "Content-Type: multipart/mixed; boundary=b (x)" PART, true },
		{ "blanks", "Content-Type: multipart/mixed ; boundary = b " PART, true },
		{ "quoted blanks at the end",
		  "Content-Type: multipart/mixed; boundary=\"b  \"" PART, true },
		{ "escaped", "Content-Type: multipart/mixed; boundary=\"\\b\"" PART, true },
		{ "unfinished quote", "Content-Type: multipart/mixed; boundary=\"b" PART, true },
		{ "the field is not the last",
		  "Content-Type: multipart/mixed; boundary=b\nX: y" PART, true },
		{ "the last one counts",
		  "Content-Type: multipart/mixed; boundary=b\nContent-Type: text/plain" PART,
		  false },
		{ "the last one counts",
		  "Content-Type: multipart/a; boundary=c\nContent-Type: multipart/a; "
		  "boundary=b" PART,
		  true },
		{ "part of a name", "Content-Type: multipart/mixed; xboundary=b" PART, false },
		{ "boundary as a value", "Content-Type: multipart/mixed; a=boundary=b" PART,
		  false },
		{ "without semicolon", "Content-Type: multipart/mixed boundary=b" PART, false },
		{ "other field", "X-Content-Type: multipart/mixed; boundary=b" PART, false },
		{ "empty", "Content-Type:" PART, false },
		{ "empty", "Content-Type: ;" PART, false },
		{ "multipart without kind", "Content-Type: multipart; boundary=b" PART, false },
	};
	CHECK_ALL(table);
}

#define OUTER   "Content-Type: multipart/mixed; boundary=out\n\n--out\n"
#define INNER   "Content-Type: multipart/alternative; boundary=in\n\n"
#define MESSAGE "Content-Type: message/rfc822\n\n"
#define FORWARD "Content-Type: message/rfc822\n\nSubject: x\n\n"
#define DIGEST  "Content-Type: multipart/digest; boundary=d\n\n--d\n"

static void nesting(void)
{
	static const struct message table[] = {
		{ "inner part", OUTER INNER "--in\nA: " UE "\n", true },
		{ "inner body", OUTER INNER "--in\n\nA: " UE "\n--in--\n--out--\n", false },
		{ "outer part after inner ones", OUTER INNER "--in\n\n--in--\n--out\nA: " UE "\n",
		  true },
		{ "outer ends inner", OUTER INNER "--in\n\n--out\n\n--in\nA: " UE "\n", false },
		{ "outer end ends all", OUTER INNER "--in\n\n--out--\n--in\nA: " UE "\n", false },
		{ "inner epilogue", OUTER INNER "--in--\nA: " UE "\n--out--\n", false },
		{ "inner boundary starts like the outer",
		  "Content-Type: multipart/a; boundary=x\n\n--x\n"
		  "Content-Type: multipart/b; boundary=x1\n\n--x1\n\n--x1--\n\n--x\nA: " UE "\n",
		  true },
		{ "epilogue of an inner one that starts like the outer",
		  "Content-Type: multipart/a; boundary=x\n\n--x\n"
		  "Content-Type: multipart/b; boundary=x1\n\n--x1\n\n--x1--\nA: " UE "\n--x--\n",
		  false },
		{ "message", MESSAGE "A: " UE "\n\n", true },
		{ "message/global", "Content-Type: message/global\n\nA: " UE "\n\n", true },
		{ "message with parameter", "Content-Type: Message/RFC822; x=y\n\nA: " UE "\n\n",
		  true },
		{ "message/partial", "Content-Type: message/partial\n\nA: " UE "\n\n", false },
		{ "message's body", FORWARD "A: " UE "\n", false },
		{ "message in message", MESSAGE MESSAGE "A: " UE "\n", true },
		{ "attached message", OUTER MESSAGE "A: " UE "\n", true },
		{ "attached message's body", OUTER FORWARD "A: " UE "\n--out--\n", false },
		{ "part of an attached message", OUTER MESSAGE INNER "--in\nA: " UE "\n", true },
		{ "after an attached message", OUTER FORWARD "x\n--out\nA: " UE "\n", true },
		{ "next part is no message", OUTER FORWARD "x\n--out\n\nA: " UE "\n", false },
		{ "no empty line before the message",
		  OUTER "Content-Type: message/rfc822\nDear " UE "\nA: " UE "\n", false },
		{ "digest", DIGEST "\nA: " UE "\n", true },
		{ "second of a digest", DIGEST "\nA: x\n\nx\n--d\n\nA: " UE "\n", true },
		{ "body in a digest", DIGEST "\nA: x\n\nB: " UE "\n", false },
		{ "text in a digest", DIGEST "Content-Type: text/plain\n\nB: " UE "\n", false },
		{ "mixed in place of a digest",
		  OUTER DIGEST "\nA: x\n\n--d--\n--out\n"
			       "Content-Type: multipart/mixed; boundary=e\n\n--e\n\nA: " UE "\n",
		  false },
	};
	CHECK_ALL(table);
}

/* As deep as HEADERS_DEPTH is followed, deeper is body; and the levels around still work. */
static void depth(void)
{
	for (unsigned levels = 1; levels <= HEADERS_DEPTH + 2; levels++) {
		char text[4096];
		size_t n = 0;
		for (unsigned i = 0; i < levels; i++)
			n += (size_t)snprintf(
				text + n, sizeof(text) - n,
				"Content-Type: multipart/mixed; boundary=b%u-\n\n--b%u-\n", i, i);
		size_t inside = n;
		snprintf(text + n, sizeof(text) - n, "A: " UE "\n\n");
		check_lf("innermost", text, levels <= HEADERS_DEPTH);
		snprintf(text + inside, sizeof(text) - inside, "\nx\n--b0-\nA: " UE "\n\n");
		check_lf("outermost", text, true);
	}
}

/* Of a long line the first HEADERS_LINE bytes count, and a character that this cuts does not make
 * the rest invalid. */
static void long_lines(void)
{
	char text[3000];
	for (int at = HEADERS_LINE - 8; at < HEADERS_LINE + 4; at++) {
		snprintf(text, sizeof(text), "A: %0*d\xe2\x82\xac%0500d\nB: x\n\n", at - 3, 0, 0);
		check_lf("at the end", text, at + 3 <= HEADERS_LINE);
		snprintf(text, sizeof(text), "A: " UE "%0*d\xe2\x82\xac%0500d\n\n", at - 5, 0, 0);
		check_lf("at the start, cut", text, true);
		snprintf(text, sizeof(text), "A: \xfc%0*d\xe2\x82\xac%0500d\n\n", at - 4, 0, 0);
		check_lf("Latin-1 at the start", text, false);
		snprintf(text, sizeof(text), "A: %0*d\nB: " UE "\n\n", at, 0);
		check_lf("next line", text, true);
		snprintf(text, sizeof(text), MIXED "--b\n\n-%0*d\n--b\nA: " UE "\n", at, 0);
		check_lf("long body line", text, true);
	}
	/* A boundary longer than RFC 2046 allows is compared as far as it is kept. */
	snprintf(text, sizeof(text),
		 "Content-Type: multipart/mixed; boundary=%0200d\n\n--%0200d\nA: " UE "\n", 5, 5);
	check_lf("long boundary", text, true);
	/* The Content-Type field, too, is kept up to a limit. */
	snprintf(text, sizeof(text), "Content-Type: multipart/mixed;\n a=%0990d;\n boundary=b" PART,
		 1);
	check_lf("long field", text, false);
}

#define NO  "TLS-Required: No\n"
#define YES "Require-TLS-ESMTP: yes\n"

static void tls(void)
{
	static const struct {
		const char *label, *text;
		bool requiretls, tls_required_no, utf8;
	} table[] = {
		{ "neither", "A: x\n\n", false, false, false },
		{ "no", NO "\n", false, true, false },
		{ "yes", YES "\n", true, false, false },
		{ "both", NO YES "\n", true, true, false },
		{ "among others", "A: x\n" YES "B: y\n z\n" NO "C: z\n\n" NO, true, true, false },
		{ "case", "tls-rEQUIRED: nO\nREQUIRE-tls-esmtp: YES\n\n", true, true, false },
		{ "blanks", "TLS-Required \t:\t no \t\nRequire-TLS-ESMTP :yes  \n\n", true, true,
		  false },
		{ "folded", "TLS-Required:\n No\nRequire-TLS-ESMTP:\n\tyes\n \n\n", true, true,
		  false },
		{ "folded behind", "TLS-Required: No\n \nRequire-TLS-ESMTP: yes\n\t \n\n", true,
		  true, false },
		{ "folded inside", "TLS-Required: N\n o\nRequire-TLS-ESMTP: y\n es\n\n", false,
		  false, false },
		{ "folded, and more", "TLS-Required: No\n x\nRequire-TLS-ESMTP: yes\n x\n\n", false,
		  false, false },
		{ "in an unfolded line of another", "A: x\n TLS-Required: No\n " YES "\n", false,
		  false, false },
		{ "other values", "TLS-Required: Yes\nRequire-TLS-ESMTP: no\n\n", false, false,
		  false },
		{ "comment", "TLS-Required: No (x)\nRequire-TLS-ESMTP: yes (x)\n\n", false, false,
		  false },
		{ "quoted", "TLS-Required: \"No\"\n\n", false, false, false },
		{ "empty", "TLS-Required:\nRequire-TLS-ESMTP: \n\n", false, false, false },
		{ "longer", "TLS-Required: None\nRequire-TLS-ESMTP: yess\n\n", false, false,
		  false },
		{ "other names", "X-TLS-Required: No\nTLS-Require: No\nRequire-TLS: yes\n\n", false,
		  false, false },
		{ "twice no", NO NO "\n", false, false, false },
		{ "three times no", NO NO NO "\n", false, false, false },
		{ "no, then another", NO "TLS-Required: x\n\n", false, false, false },
		{ "another, then no", "TLS-Required:\n" NO "\n", false, false, false },
		{ "twice no, apart", NO "A: x\n" YES NO "\n", true, false, false },
		{ "twice yes", YES YES "\n", true, false, false },
		{ "yes and no", YES "Require-TLS-ESMTP: no\n\n", true, false, false },
		{ "no and yes", "Require-TLS-ESMTP: no\n" YES "\n", true, false, false },
		{ "behind UTF-8", "A: " UE "\n" YES NO "\n", true, true, true },
		{ "before UTF-8", NO YES "A: " UE "\n\n", true, true, true },
		{ "UTF-8 in the value", "TLS-Required: " UE "\n\n", false, false, true },
		{ "UTF-8 in a second one", NO "TLS-Required: " UE "\n\n", false, false, true },
		{ "behind UTF-8, in the body", "A: " UE "\n\n" NO YES, false, false, true },
		{ "in the body", "A: x\n\n" NO YES "\n", false, false, false },
		{ "no header", "\n" NO YES "\n", false, false, false },
		{ "empty line forgotten", "A: x\nDear reader\n" NO YES, false, false, false },
		{ "before a forgotten empty line", NO YES "Dear reader\n", true, true, false },
		{ "mbox line first", "From a@b.c Tue Nov 24 00:18:11 2026\n" NO "\n", false, true,
		  false },
		{ "unfinished header", "A: x\n" NO YES, true, true, false },
		{ "unfinished header, folded", "TLS-Required:\n No\n", false, true, false },
		{ "unfinished second one", NO "TLS-Required: No\n", false, false, false },
		{ "in a part", MIXED "--b\n" NO YES "\nx\n--b--\n", false, false, false },
		{ "unfinished part", MIXED "--b\n" NO YES, false, false, false },
		{ "before the parts", NO YES MIXED "--b\nA: x\n\nx\n--b--\n", true, true, false },
		{ "a second one in a part", NO MIXED "--b\n" NO "\nx\n--b--\n", false, true,
		  false },
		{ "in a message", MESSAGE NO YES "\n", false, false, false },
		{ "in a message of a message", NO MESSAGE MESSAGE YES NO, false, true, false },
		{ "in an attached message", OUTER MESSAGE NO YES "\n", false, false, false },
		{ "in a digest", DIGEST "\n" NO YES "\n--d--\n", false, false, false },
		{ "in the epilogue", MIXED "--b\n\nx\n--b--\n" NO YES, false, false, false },
		{ "a part that has UTF-8", NO MIXED "--b\nA: " UE "\n" YES, false, true, true },
		{ "between lines of a Content-Type",
		  "Content-Type: multipart/mixed;\n boundary=b\n" NO "\n--b\nA: " UE "\n", false,
		  true, true },
	};
	static const size_t pieces[] = { 4096, 1, 2, 17, 0 };
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct span in = with_crlf(table[i].text);
		for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++) {
			const struct headers *h = feed(in, pieces[k]);
			CHECK(table[i].label, h->requiretls == table[i].requiretls);
			CHECK(table[i].label, h->tls_required_no == table[i].tls_required_no);
			CHECK(table[i].label, h->utf8 == table[i].utf8);
		}
	}
}

TEST_MAIN("headers", { "top level", top_level }, { "parts", parts },
	  { "content types", content_types }, { "nesting", nesting }, { "depth", depth },
	  { "long lines", long_lines }, { "TLS", tls })
