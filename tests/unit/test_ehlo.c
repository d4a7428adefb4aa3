/* SPDX-License-Identifier: ISC */
#include "harness.h"

#include "wire/ehlo.h"

#define ALL                                                                                        \
	(EHLO_PIPELINING | EHLO_8BITMIME | EHLO_SIZE | EHLO_STARTTLS | EHLO_DSN | EHLO_SMTPUTF8 |  \
	 EHLO_CHUNKING | EHLO_REQUIRETLS | EHLO_ENHANCED)

static const struct {
	const char *label, *in, *name;
	uint32_t caps;
	uint64_t size_max;
} cases[] = {
	{ "HELO", "250 mx.example.org\r\n", "mx.example.org", 0, 0 },
	{ "no name", "250\r\n", "", 0, 0 },
	{ "no name, blank", "250 \r\n", "", 0, 0 },
	{ "greeting", "250 mx.example.org Hello [192.0.2.1]\r\n", "mx.example.org", 0, 0 },
	{ "all",
	  "250-mx.example.org at your service\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
	  "250-SIZE 35882577\r\n250-STARTTLS\r\n250-DSN\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
	  "250-REQUIRETLS\r\n250 ENHANCEDSTATUSCODES\r\n",
	  "mx.example.org", ALL, 35882577 },
	{ "any case", "250-x\r\n250-PipeLining\r\n250 starttls\r\n", "x",
	  EHLO_PIPELINING | EHLO_STARTTLS, 0 },
	{ "unknown", "250-x\r\n250-HELP\r\n250-XCLIENT NAME\r\n250 DSN\r\n", "x", EHLO_DSN, 0 },
	{ "prefix of a keyword", "250-x\r\n250-START\r\n250 DS\r\n", "x", 0, 0 },
	{ "longer than a keyword", "250-x\r\n250-STARTTLSX\r\n250 DSN2\r\n", "x", 0, 0 },
	{ "keyword as a parameter", "250-x\r\n250-XX DSN\r\n250 AUTH=STARTTLS\r\n", "x", 0, 0 },
	{ "first line is no keyword", "250-DSN STARTTLS\r\n250 SIZE 5\r\n", "DSN", EHLO_SIZE, 5 },
	{ "first line empty", "250-\r\n250 DSN\r\n", "", EHLO_DSN, 0 },
	{ "parameters", "250-x\r\n250-STARTTLS REQUIRED\r\n250 SIZE 10 20\r\n", "x",
	  EHLO_STARTTLS | EHLO_SIZE, 10 },
	{ "blanks", "250-  x  y\r\n250-  DSN  \r\n250-\tSIZE   7 \r\n250 \r\n", "x",
	  EHLO_DSN | EHLO_SIZE, 7 },
	{ "SIZE alone", "250-x\r\n250 SIZE\r\n", "x", EHLO_SIZE, 0 },
	{ "SIZE 0", "250-x\r\n250 SIZE 0\r\n", "x", EHLO_SIZE, 0 },
	{ "SIZE not a number", "250-x\r\n250 SIZE 10M\r\n", "x", EHLO_SIZE, 0 },
	{ "SIZE negative", "250-x\r\n250 SIZE -1\r\n", "x", EHLO_SIZE, 0 },
	{ "SIZE largest", "250-x\r\n250 SIZE 18446744073709551615\r\n", "x", EHLO_SIZE,
	  UINT64_MAX },
	{ "SIZE too large", "250-x\r\n250 SIZE 18446744073709551616\r\n", "x", EHLO_SIZE, 0 },
};

static struct reply reply_of(const char *in)
{
	static struct reply_parser p;
	size_t used;
	reply_parser_init(&p);
	CHECK(in, reply_parse(&p, span_of(in), &used) == PARSE_DONE);
	return p.reply;
}

static void test_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ehlo e;
		struct reply r = reply_of(cases[i].in);
		memset(&e, 0xff, sizeof(e));
		ehlo_parse(&r, &e);
		CHECK(cases[i].label, e.caps == cases[i].caps);
		CHECK(cases[i].label, e.size_max == cases[i].size_max);
		CHECK_STR(cases[i].label, e.name, cases[i].name);
	}
}

static void test_limits(void)
{
	static const struct {
		const char *label, *line;
		uint32_t mail_max, rcpt_max;
	} limits[] = {
		{ "none", "DSN", 0, 0 },
		{ "both", "LIMITS MAILMAX=10 RCPTMAX=50", 10, 50 },
		{ "any order, any case", "limits RcptMax=1 mailmax=2", 2, 1 },
		{ "one", "LIMITS RCPTMAX=100", 0, 100 },
		{ "unknown", "LIMITS RCPTDOMAINMAX=1 X MAILMAX=3 Y=", 3, 0 },
		{ "longer and shorter names", "LIMITS MAILMAXX=1 RCPTMA=2", 0, 0 },
		{ "no limits", "LIMITS", 0, 0 },
		{ "blanks", " LIMITS   MAILMAX=4  RCPTMAX=5  ", 4, 5 },
		{ "no value", "LIMITS MAILMAX RCPTMAX=", 0, 0 },
		{ "zero", "LIMITS MAILMAX=0 RCPTMAX=000000", 0, 0 },
		{ "largest", "LIMITS MAILMAX=999999 RCPTMAX=999999", 999999, 999999 },
		{ "too large", "LIMITS MAILMAX=1000000 RCPTMAX=99999999999999999999", 0, 0 },
		{ "six digits", "LIMITS MAILMAX=000007 RCPTMAX=0000007", 7, 0 },
		{ "no number", "LIMITS MAILMAX=1a RCPTMAX=-1", 0, 0 },
		{ "twice =", "LIMITS MAILMAX==1 RCPTMAX=1=1", 0, 0 },
		{ "blank before the value", "LIMITS MAILMAX= 5", 0, 0 },
		{ "a bad one does not undo", "LIMITS MAILMAX=5 MAILMAX=x", 5, 0 },
		{ "other keyword", "LIMIT MAILMAX=5 RCPTMAX=5", 0, 0 },
		{ "of another keyword", "X LIMITS MAILMAX=5", 0, 0 },
	};
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		char in[256];
		struct ehlo e;
		memset(&e, 0xff, sizeof(e));
		snprintf(in, sizeof(in), "250-LIMITS MAILMAX=8\r\n250-%s\r\n250 DSN\r\n",
			 limits[i].line);
		struct reply r = reply_of(in);
		ehlo_parse(&r, &e);
		CHECK(limits[i].label, e.mail_max == limits[i].mail_max);
		CHECK(limits[i].label, e.rcpt_max == limits[i].rcpt_max);
		CHECK(limits[i].label, e.caps == EHLO_DSN);
	}
}

static void test_auth(void)
{
	static const struct {
		const char *label, *lines;
		uint32_t auth;
	} cases_auth[] = {
		{ "none", "250-SIZE\r\n", 0 },
		{ "one", "250-AUTH PLAIN\r\n", AUTH_PLAIN },
		{ "all", "250-AUTH LOGIN PLAIN SCRAM-SHA-256\r\n",
		  AUTH_LOGIN | AUTH_PLAIN | AUTH_SCRAM_SHA_256 },
		{ "any case", "250-auth Login pLAIN scram-sha-256\r\n",
		  AUTH_LOGIN | AUTH_PLAIN | AUTH_SCRAM_SHA_256 },
		{ "the old form", "250-AUTH=LOGIN PLAIN\r\n", AUTH_LOGIN | AUTH_PLAIN },
		{ "the old form, one", "250-auth=plain\r\n", AUTH_PLAIN },
		{ "the old form, a blank behind", "250-AUTH= LOGIN\r\n", AUTH_LOGIN },
		{ "both forms", "250-AUTH PLAIN\r\n250-AUTH=LOGIN\r\n", AUTH_PLAIN | AUTH_LOGIN },
		{ "alone", "250-AUTH\r\n250-AUTH=\r\n250-AUTH \r\n", 0 },
		{ "unknown ones", "250-AUTH CRAM-MD5 PLAIN NTLM\r\n", AUTH_PLAIN },
		{ "only unknown ones", "250-AUTH CRAM-MD5 XOAUTH2\r\n", 0 },
		{ "others that begin like ours",
		  "250-AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-1 PLAINX LOGI\r\n", 0 },
		{ "blanks", "250-  AUTH   PLAIN   LOGIN  \r\n", AUTH_PLAIN | AUTH_LOGIN },
		{ "other keywords", "250-AUTHX PLAIN\r\n250-AUT PLAIN\r\n250-XAUTH PLAIN\r\n", 0 },
		{ "of another keyword", "250-X AUTH PLAIN\r\n", 0 },
		{ "a comma is no blank", "250-AUTH PLAIN,LOGIN\r\n", 0 },
		{ "no keyword", "250-AUTH=STARTTLS DSN\r\n", 0 },
	};
	for (size_t i = 0; i < sizeof(cases_auth) / sizeof(cases_auth[0]); i++) {
		char in[256];
		struct ehlo e;
		memset(&e, 0xff, sizeof(e));
		snprintf(in, sizeof(in), "250-AUTH PLAIN\r\n%s250 8BITMIME\r\n",
			 cases_auth[i].lines);
		struct reply r = reply_of(in);
		ehlo_parse(&r, &e);
		CHECK(cases_auth[i].label, e.auth == cases_auth[i].auth);
		CHECK(cases_auth[i].label, (e.caps & ~(uint32_t)EHLO_SIZE) == EHLO_8BITMIME);
	}
}

static void test_name_limit(void)
{
	for (int n = LIMIT_DOMAIN - 1; n <= LIMIT_DOMAIN + 1; n++) {
		char in[512];
		struct ehlo e;
		snprintf(in, sizeof(in), "250-%0*d x\r\n250 DSN\r\n", n, 0);
		struct reply r = reply_of(in);
		ehlo_parse(&r, &e);
		CHECK("name", strlen(e.name) == (n <= LIMIT_DOMAIN ? (size_t)n : 0));
		CHECK("rest", e.caps == EHLO_DSN);
	}
}

/* Wherever the kept text ends, no number of a half line is taken for a limit. */
static void test_cut(void)
{
	bool seen_whole = false, seen_cut = false;
	const int half = LIMIT_REPLY_TEXT / 2; /* a line must not be too long */
	for (int n = half - 40; n < half; n++) {
		char in[2 * LIMIT_REPLY_TEXT];
		struct ehlo e;
		snprintf(in, sizeof(in),
			 "250-x\r\n250-DSN\r\n250-%0*d\r\n250-%0*d\r\n250 SIZE 35651584\r\n", half,
			 0, n, 0);
		struct reply r = reply_of(in);
		ehlo_parse(&r, &e);
		CHECK("before the cut", e.caps & EHLO_DSN);
		CHECK("the cut line",
		      e.caps & EHLO_SIZE ? e.size_max == 35651584 : e.size_max == 0);
		CHECK("only a cut hides it", r.cut != !!(e.caps & EHLO_SIZE));
		seen_whole = seen_whole || !r.cut;
		seen_cut = seen_cut || r.cut;
	}
	CHECK("both sides of the limit", seen_whole && seen_cut);
}

/* "AUTH PLAIN" may be the begin of "AUTH PLAIN-SAFER". */
static void test_cut_auth(void)
{
	bool seen_whole = false, seen_cut = false;
	const int half = LIMIT_REPLY_TEXT / 2;
	for (int n = half - 40; n < half; n++) {
		char in[2 * LIMIT_REPLY_TEXT];
		struct ehlo e;
		snprintf(in, sizeof(in),
			 "250-x\r\n250-AUTH LOGIN\r\n250-%0*d\r\n250-%0*d\r\n250 AUTH PLAIN\r\n",
			 half, 0, n, 0);
		struct reply r = reply_of(in);
		ehlo_parse(&r, &e);
		CHECK("the cut line", e.auth == (AUTH_LOGIN | (r.cut ? 0u : (uint32_t)AUTH_PLAIN)));
		seen_whole = seen_whole || !r.cut;
		seen_cut = seen_cut || r.cut;
	}
	CHECK("both sides of the limit", seen_whole && seen_cut);
}

TEST_MAIN("ehlo", { "cases", test_cases }, { "limits", test_limits },
	  { "name limit", test_name_limit }, { "cut", test_cut }, { "AUTH", test_auth },
	  { "AUTH, cut", test_cut_auth })
