/* SPDX-License-Identifier: ISC */
#include "base/text.h"
#include "core/report.h"

#include "harness.h"

static struct outcome outcome(enum failover_event event, struct esc code, const char *text)
{
	return (struct outcome){
		.event = event, .code = code, .relay = "mx1.example.net[192.0.2.1]:25", .text = text
	};
}

static const struct {
	const char *label;
	enum failover_end end;
	enum failover_event event;
	struct esc code;
	const char *text;
	enum exit_status status;
	const char *line;
} outcomes[] = {
	{ "sent",
	  END_DELIVERED,
	  EVENT_ACCEPTED,
	  { 2, 0, 0 },
	  "250 2.0.0 Ok: queued as 4ABC",
	  EXIT_SENT,
	  "mx1.example.net[192.0.2.1]:25 250 2.0.0 Ok: queued as 4ABC" },
	{ "sent, no words",
	  END_DELIVERED,
	  EVENT_ACCEPTED,
	  { 2, 0, 0 },
	  "",
	  EXIT_SENT,
	  "mx1.example.net[192.0.2.1]:25 accepted" },
	{ "sent, but nobody accepted",
	  END_DELIVERED,
	  EVENT_REPLY_4XX,
	  { 4, 0, 0 },
	  "x",
	  EXIT_LATER,
	  "4.3.0 internal error: no server accepted what is called delivered" },
	{ "sent with a code of failure",
	  END_DELIVERED,
	  EVENT_ACCEPTED,
	  { 5, 0, 0 },
	  "x",
	  EXIT_LATER,
	  "4.3.0 internal error: no server accepted what is called delivered" },
	{ "failed",
	  END_FAILED,
	  EVENT_REPLY_5XX,
	  { 5, 1, 1 },
	  "no such user",
	  EXIT_BOUNCE,
	  "5.1.1 no such user" },
	{ "long numbers",
	  END_FAILED,
	  EVENT_REPLY_5XX,
	  { 5, 999, 999 },
	  "x",
	  EXIT_BOUNCE,
	  "5.999.999 x" },
	{ "a subject over RFC 3463",
	  END_FAILED,
	  EVENT_REPLY_5XX,
	  { 5, 1000, 0 },
	  "x",
	  EXIT_LATER,
	  "4.3.0 x" },
	{ "a detail over RFC 3463",
	  END_DEFERRED,
	  EVENT_REPLY_4XX,
	  { 4, 0, 1000 },
	  "x",
	  EXIT_LATER,
	  "4.3.0 x" },
	{ "failed with a temporary code",
	  END_FAILED,
	  EVENT_REPLY_5XX,
	  { 4, 1, 1 },
	  "x",
	  EXIT_LATER,
	  "4.3.0 x" },
	{ "failed with a code of success",
	  END_FAILED,
	  EVENT_REPLY_5XX,
	  { 2, 1, 1 },
	  "x",
	  EXIT_LATER,
	  "4.3.0 x" },
	{ "failed without code",
	  END_FAILED,
	  EVENT_REPLY_5XX,
	  { 0, 0, 0 },
	  "x",
	  EXIT_LATER,
	  "4.3.0 x" },
	{ "deferred",
	  END_DEFERRED,
	  EVENT_NO_RESPONSE,
	  { 4, 4, 1 },
	  "connect: refused",
	  EXIT_LATER,
	  "4.4.1 connect: refused" },
	{ "deferred with a permanent code",
	  END_DEFERRED,
	  EVENT_REPLY_4XX,
	  { 5, 4, 1 },
	  "x",
	  EXIT_LATER,
	  "4.3.0 x" },
	{ "unknown",
	  END_UNKNOWN,
	  EVENT_FINAL_UNKNOWN,
	  { 4, 4, 2 },
	  "may have been",
	  EXIT_LATER,
	  "4.4.2 may have been" },
	{ "no text",
	  END_FAILED,
	  EVENT_REPLY_5XX,
	  { 5, 1, 1 },
	  "",
	  EXIT_BOUNCE,
	  "5.1.1 no reason is known" },
	{ "no text at all",
	  END_DEFERRED,
	  EVENT_NONE,
	  { 4, 0, 0 },
	  NULL,
	  EXIT_LATER,
	  "4.0.0 no reason is known" },
	{ "blanks in front",
	  END_DEFERRED,
	  EVENT_REPLY_4XX,
	  { 4, 7, 1 },
	  "\r\n  x y",
	  EXIT_LATER,
	  "4.7.1 x y" },
	{ "two lines and a control",
	  END_FAILED,
	  EVENT_REPLY_5XX,
	  { 5, 7, 1 },
	  "a\nb\tc\x1b",
	  EXIT_BOUNCE,
	  "5.7.1 a b c?" },
	{ "bytes that are not UTF-8",
	  END_FAILED,
	  EVENT_REPLY_5XX,
	  { 5, 7, 1 },
	  "gr\xc3\xbc\xc3\x9f \xff",
	  EXIT_BOUNCE,
	  "5.7.1 gr\xc3\xbc\xc3\x9f ?" },
};

static void test_outcomes(void)
{
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		const struct outcome o =
			outcome(outcomes[i].event, outcomes[i].code, outcomes[i].text);
		const struct report r = report_outcome(&o, outcomes[i].end);
		CHECK(outcomes[i].label, r.status == outcomes[i].status);
		CHECK_STR(outcomes[i].label, r.line, outcomes[i].line);
	}
}

/* Of a secured session: protocol and level in front of the reply. Failures say it in their text. */
static void test_security(void)
{
	static const struct {
		const char *label;
		struct security s;
		const char *line;
	} cases[] = {
		{ "dane",
		  { "dane", "dane", "TLSv1.3", "TLS_AES_256_GCM_SHA384", false },
		  "mx1.example.net[192.0.2.1]:25 TLSv1.3 dane 250 2.0.0 Ok" },
		{ "may",
		  { "may", "", "TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384", false },
		  "mx1.example.net[192.0.2.1]:25 TLSv1.2 may 250 2.0.0 Ok" },
		{ "plain",
		  { "none", "", "", "", false },
		  "mx1.example.net[192.0.2.1]:25 250 2.0.0 Ok" },
		{ "downgrade",
		  { "none", "", "", "", true },
		  "mx1.example.net[192.0.2.1]:25 250 2.0.0 Ok" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome o = outcome(EVENT_ACCEPTED, ESC(2, 0, 0), "250 2.0.0 Ok");
		o.security = &cases[i].s;
		struct report r = report_outcome(&o, END_DELIVERED);
		CHECK(cases[i].label, r.status == EXIT_SENT);
		CHECK_STR(cases[i].label, r.line, cases[i].line);
		o = outcome(EVENT_REPLY_5XX, ESC(5, 1, 1), "no such user");
		o.security = &cases[i].s;
		r = report_outcome(&o, END_FAILED);
		CHECK_STR(cases[i].label, r.line, "5.1.1 no such user");
	}
}

static void test_errors(void)
{
	static const struct {
		const char *label;
		enum err_class class;
		struct esc code;
		enum exit_status status;
		const char *line;
	} cases[] = {
		{ "permanent", ERR_PERM, { 5, 1, 2 }, EXIT_BOUNCE, "5.1.2 why" },
		{ "permanent, code of another class",
		  ERR_PERM,
		  { 4, 1, 2 },
		  EXIT_LATER,
		  "4.3.0 why" },
		{ "temporary", ERR_TEMP, { 4, 4, 3 }, EXIT_LATER, "4.4.3 why" },
		{ "temporary, code of another class",
		  ERR_TEMP,
		  { 5, 4, 3 },
		  EXIT_LATER,
		  "4.3.0 why" },
		{ "configuration", ERR_CONFIG, { 5, 3, 5 }, EXIT_LATER, "4.3.5 why" },
		{ "internal", ERR_INTERNAL, { 5, 0, 0 }, EXIT_LATER, "4.3.0 why" },
		{ "nothing was set", ERR_NONE, { 0, 0, 0 }, EXIT_LATER, "4.3.0 why" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct error err = { cases[i].class, cases[i].code, "why" };
		const struct report r = report_error(&err);
		CHECK(cases[i].label, r.status == cases[i].status);
		CHECK_STR(cases[i].label, r.line, cases[i].line);
	}
}

/* What every host relies on, for each way to ask. */
static bool keeps_promises(const struct report *r)
{
	size_t n = strlen(r->line);
	char copy[LIMIT_REPORT + 1];
	memcpy(copy, r->line, n + 1);
	text_printable(copy, n);
	if (n == 0 || n > LIMIT_REPORT || memcmp(copy, r->line, n) != 0)
		return false;
	unsigned class, subject, detail;
	char rest;
	if (r->status == EXIT_SENT)
		return true;
	return sscanf(r->line, "%1u.%3u.%3u %c", &class, &subject, &detail, &rest) == 4 &&
	       class == (r->status == EXIT_BOUNCE ? 5 : 4);
}

/* Too long, and at the cut in the middle of a character, at each place. */
static void test_promises(void)
{
	char text[LIMIT_REPORT + 200];
	for (size_t shift = 0; shift < 4; shift++) {
		memset(text, 'x', shift);
		size_t n = shift;
		for (; n + 3 < sizeof(text); n += 3)
			memcpy(text + n, "\xe2\x82\xac", 3);
		text[n] = '\0';
		for (int end = END_DEFERRED; end <= END_DELIVERED; end++)
			for (uint8_t class = 0; class < 7; class ++) {
				static const struct security s = { "dane", "dane", "TLSv1.3", "",
								   false };
				struct outcome o = outcome(EVENT_ACCEPTED, ESC(class, 1, 1), text);
				o.security = shift % 2 ? &s : NULL;
				const struct report r = report_outcome(&o, (enum failover_end)end);
				CHECK("long", keeps_promises(&r));
				CHECK("long", strlen(r.line) == LIMIT_REPORT ||
						      (end == END_DELIVERED && class != 2));
			}
	}
	for (int c = 1; c < 256; c++) {
		const char one[] = { (char)c, '\0' };
		const struct outcome o = outcome(EVENT_REPLY_5XX, ESC(5, 1, 1), one);
		const struct report r = report_outcome(&o, END_FAILED);
		CHECK("each byte", keeps_promises(&r));
	}
}

/* ---- as a reply of LMTP ---- */

static const struct {
	const char *label;
	enum exit_status status;
	const char *line;
	struct esc code;
	const char *reply;
} replies[] = {
	{ "sent",
	  EXIT_SENT,
	  "mx1.example.net[192.0.2.1]:25 250 2.0.0 Ok",
	  { 2, 0, 0 },
	  "250 2.0.0 mx1.example.net[192.0.2.1]:25 250 2.0.0 Ok\r\n" },
	{ "sent, its own code",
	  EXIT_SENT,
	  "mx 250 2.1.5 Ok",
	  { 2, 1, 5 },
	  "250 2.1.5 mx 250 2.1.5 Ok\r\n" },
	{ "sent without code", EXIT_SENT, "mx Ok", { 0, 0, 0 }, "250 2.0.0 mx Ok\r\n" },
	{ "sent, a code of another class", EXIT_SENT, "mx Ok", { 4, 7, 1 }, "250 2.0.0 mx Ok\r\n" },
	{ "sent, the largest code",
	  EXIT_SENT,
	  "mx Ok",
	  { 2, 999, 999 },
	  "250 2.999.999 mx Ok\r\n" },
	{ "sent, a subject over RFC 3463",
	  EXIT_SENT,
	  "mx Ok",
	  { 2, 1000, 5 },
	  "250 2.0.0 mx Ok\r\n" },
	{ "sent, a detail over RFC 3463",
	  EXIT_SENT,
	  "mx Ok",
	  { 2, 1, 65535 },
	  "250 2.0.0 mx Ok\r\n" },
	{ "deferred", EXIT_LATER, "4.4.1 refused", { 4, 4, 1 }, "451 4.4.1 refused\r\n" },
	{ "failed", EXIT_BOUNCE, "5.1.1 nobody", { 5, 1, 1 }, "550 5.1.1 nobody\r\n" },
	{ "the line's own code counts", EXIT_LATER, "4.3.0 x", { 5, 1, 1 }, "451 4.3.0 x\r\n" },
};

static void test_lmtp(void)
{
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct report r = { .status = replies[i].status };
		char got[REPORT_LMTP + 1];
		snprintf(r.line, sizeof(r.line), "%s", replies[i].line);
		memset(got, '#', sizeof(got));
		report_lmtp(&r, replies[i].code, got);
		CHECK_STR(replies[i].label, got, replies[i].reply);
	}
}

/* One line that ends with CRLF, of valid characters. */
static bool is_reply(const char *reply, size_t n, enum exit_status status)
{
	const char *code = status == EXIT_SENT     ? "250 2."
			   : status == EXIT_BOUNCE ? "550 5."
						   : "451 4.";
	return n >= 8 && strcspn(reply, "\r\n") == n - 2 && strcmp(reply + n - 2, "\r\n") == 0 &&
	       strncmp(reply, code, 6) == 0 && text_is_utf8((struct span){ reply, n });
}

/* Each length around the limit, with characters of one to four octets at the cut. */
static void test_lmtp_length(void)
{
	static const char *const characters[] = { "x", "\xc3\xbc", "\xe2\x82\xac",
						  "\xf0\x9f\x93\xa7" };
	static const enum exit_status statuses[] = { EXIT_SENT, EXIT_BOUNCE, EXIT_LATER };
	static const char *const heads[] = { "mx Ok ", "5.1.1 ", "4.4.1 " };
	for (size_t k = 0; k < 4; k++) {
		size_t width = strlen(characters[k]);
		for (size_t i = 0; i < 3 * LIMIT_REPORT; i++) {
			struct report r = { .status = statuses[i % 3] };
			char got[REPORT_LMTP + 1];
			size_t n = (size_t)snprintf(r.line, sizeof(r.line), "%s", heads[i % 3]);
			for (size_t pad = 0; pad < i / 3 % width; pad++)
				r.line[n++] = '-';
			for (; n + width <= 6 + i / 3 && n + width <= LIMIT_REPORT; n += width)
				memcpy(r.line + n, characters[k], width);
			r.line[n] = '\0';
			report_lmtp(&r, ESC(2, 999, 999), got);
			size_t len = strlen(got), head = i % 3 == 0 ? 14 : 4;
			CHECK(heads[i % 3], is_reply(got, len, statuses[i % 3]));
			if (head + n + 2 <= REPORT_LMTP)
				CHECK("all of it", len == head + n + 2);
			else
				CHECK("not more than needed is cut",
				      len <= REPORT_LMTP && len + width > REPORT_LMTP);
			CHECK("its beginning", strncmp(got + head, r.line, len - head - 2) == 0);
		}
	}
}

/* From all that the other functions make, for each byte and class. */
static void test_lmtp_promises(void)
{
	for (int c = 1; c < 256; c++) {
		for (int end = END_DEFERRED; end <= END_DELIVERED; end++) {
			char text[LIMIT_REPORT], got[REPORT_LMTP + 1];
			memset(text, c, sizeof(text) - 1);
			text[sizeof(text) - 1] = '\0';
			uint8_t class = end == END_DELIVERED ? 2 : end == END_FAILED ? 5 : 4;
			struct outcome o = outcome(EVENT_ACCEPTED, ESC(class, 1, 1), text);
			const struct report r = report_outcome(&o, (enum failover_end)end);
			report_lmtp(&r, o.code, got);
			CHECK("each byte", is_reply(got, strlen(got), r.status));
			CHECK("each byte", strlen(got) <= REPORT_LMTP);
		}
	}
	const struct error err = { ERR_CONFIG, ESC(4, 3, 5), "mxdirect.conf:1: unknown key" };
	const struct report r = report_error(&err);
	char got[REPORT_LMTP + 1];
	report_lmtp(&r, err.code, got);
	CHECK_STR("an error", got, "451 4.3.5 mxdirect.conf:1: unknown key\r\n");
}

TEST_MAIN("report", { "outcomes", test_outcomes }, { "security", test_security },
	  { "errors", test_errors }, { "promises", test_promises }, { "lmtp", test_lmtp },
	  { "lmtp: length", test_lmtp_length }, { "lmtp: promises", test_lmtp_promises })
