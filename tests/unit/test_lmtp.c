/* SPDX-License-Identifier: ISC */
#include "guard_page.h"
#include "harness.h"
#include "wire/lmtp.h"

static const char untouched[] = "untouched";

static const struct lmtp_offer nothing, all = { .dsn = true, .requiretls = true };

/* What came of a line; the lines end at a guard page. */
struct result {
	bool ok;
	struct lmtp_command c;
	int code;
	struct error err;
};

static struct guard_page page;
static struct arena *arena;

static struct result parse_with(struct span line, const struct lmtp_offer *offer)
{
	struct result r = { .c.text = untouched, .code = -1 };
	r.ok = lmtp_parse(arena, guard_page_put(&page, line), offer, &r.c, &r.code, &r.err);
	if (r.ok)
		CHECK("error untouched", r.code == -1 && r.err.class == ERR_NONE);
	else
		CHECK("result untouched", r.c.text == untouched && r.c.verb == 0);
	return r;
}

static struct result parse(const char *line)
{
	return parse_with(span_of(line), &all);
}

static bool same_esc(struct esc x, struct esc y)
{
	return x.cls == y.cls && x.subject == y.subject && x.detail == y.detail;
}

static void check_refused(const char *label, const struct result *r, int code, struct esc esc)
{
	CHECK(label, !r->ok);
	CHECK(label, r->err.class == ERR_PERM);
	CHECK(label, r->code == code);
	CHECK(label, same_esc(r->err.code, esc));
	CHECK(label, r->err.text[0] != '\0');
}

static void test_verbs(void)
{
	static const struct {
		const char *line;
		enum lmtp_verb verb;
	} good[] = {
		{ "LHLO mail.example.org", LMTP_LHLO },
		{ "lhlo [192.0.2.1]", LMTP_LHLO },
		{ "DATA", LMTP_DATA },
		{ "DaTa", LMTP_DATA },
		{ "DATA  \t ", LMTP_DATA },
		{ "RSET", LMTP_RSET },
		{ "RSET ", LMTP_RSET },
		{ "NOOP", LMTP_NOOP },
		{ "noop of any kind", LMTP_NOOP },
		{ "QUIT", LMTP_QUIT },
		{ "VRFY user", LMTP_VRFY },
		{ "vrfy   <a@b> ", LMTP_VRFY },
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct result r = parse(good[i].line);
		CHECK(good[i].line, r.ok && r.c.verb == good[i].verb);
		CHECK(good[i].line, !r.c.text && !r.c.ident && !r.c.mail.say_size);
	}
	static const char *const argument[] = { "DATA x", "RSET now", "QUIT 1",
						"LHLO",   "LHLO  ",   "VRFY",
						"VRFY ",  "XFORWARD", "XFORWARD " };
	for (size_t i = 0; i < sizeof(argument) / sizeof(argument[0]); i++) {
		struct result r = parse(argument[i]);
		check_refused(argument[i], &r, 501, ESC(5, 5, 4));
	}
	/* EHLO and HELO: RFC 2033 section 4.1. */
	static const char *const unknown[] = {
		"",       " ",        "EHLO x",    "HELO x",         "DAT",          "DATAX",
		" DATA",  "\tDATA",   "DATA\tx",   "MAILFROM:<a@b>", "\xc3\xbc",     "HELP",
		"EXPN x", "STARTTLS", "XCLIENT x", "%s%n",           "354 go ahead", "."
	};
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		struct result r = parse(unknown[i]);
		check_refused(unknown[i], &r, 500, ESC(5, 5, 2));
	}
}

static void test_no_line(void)
{
	static const struct span lines[] = {
		{ "NOOP\0", 5 },
		{ "\0", 1 },
		{ "NOOP \r", 6 },
		{ "NOOP a\nDATA", 11 },
		{ "RCPT TO:<a\0b@c>", 15 },
		{ "RCPT TO:<a@b> \n", 15 },
		{ "MAIL FROM:<a\r\n@b>", 17 },
		{ "XFORWARD IDENT=a\0", 17 },
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct result r = parse_with(lines[i], &all);
		check_refused(lines[i].p, &r, 500, ESC(5, 5, 2));
	}
	char room[LMTP_LINE];
	memset(room, 'x', sizeof(room));
	memcpy(room, "NOOP ", 5);
	struct result r = parse_with((struct span){ room, LMTP_LINE - 2 }, &all);
	CHECK("longest", r.ok && r.c.verb == LMTP_NOOP);
	r = parse_with((struct span){ room, LMTP_LINE - 1 }, &all);
	check_refused("too long", &r, 500, ESC(5, 5, 2));
	r = parse_with((struct span){ NULL, 0 }, &all);
	check_refused("empty", &r, 500, ESC(5, 5, 2));
}

static void test_paths(void)
{
	static const struct {
		const char *path, *text, *local, *domain;
	} good[] = {
		{ "<u@example.org>", "u@example.org", "u", "example.org" },
		{ " <u@example.org>", "u@example.org", "u", "example.org" },
		{ "   <u@example.org>   ", "u@example.org", "u", "example.org" },
		{ "<User@EXAMPLE.org>", "User@EXAMPLE.org", "User", "EXAMPLE.org" },
		{ "<u@example.org.>", "u@example.org.", "u", "example.org" },
		{ "<\"a b\"@x>", "\"a b\"@x", "a b", "x" },
		{ "<\"a>b\"@x>", "\"a>b\"@x", "a>b", "x" },
		{ "<\"a> SIZE=x b\"@x>", "\"a> SIZE=x b\"@x", "a> SIZE=x b", "x" },
		{ "<\"\\\">\"@x>", "\"\\\">\"@x", "\">", "x" },
		{ "<\"\\\\\"@x>", "\"\\\\\"@x", "\\", "x" },
		{ "<\"<\"@x>", "\"<\"@x", "<", "x" },
		{ "<\"a@b\"@x>", "\"a@b\"@x", "a@b", "x" },
		{ "<\"\"@x>", "\"\"@x", "", "x" },
		{ "<\"@a:b\"@x>", "\"@a:b\"@x", "@a:b", "x" },
		{ "<a..b@x>", "a..b@x", "a..b", "x" },
		{ "<a:b@x>", "a:b@x", "a:b", "x" },
		{ "<u@[192.0.2.1]>", "u@[192.0.2.1]", "u", "[192.0.2.1]" },
		{ "<u@[IPv6:2001:db8::1]>", "u@[IPv6:2001:db8::1]", "u", "[IPv6:2001:db8::1]" },
		{ "<\xc3\xbc@b\xc3\xbc"
		  "cher.example>",
		  "\xc3\xbc@b\xc3\xbc"
		  "cher.example",
		  "\xc3\xbc",
		  "b\xc3\xbc"
		  "cher.example" },
		{ "<@a.example:u@x>", "u@x", "u", "x" },
		{ "<@a.example,@b.example:u@x>", "u@x", "u", "x" },
		{ "<@a:\"c:d>\"@x>", "\"c:d>\"@x", "c:d>", "x" },
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		for (int mail = 0; mail < 2; mail++) {
			char line[256];
			snprintf(line, sizeof(line), "%s%s",
				 mail ? "MAIL FROM:" : "RCPT TO:", good[i].path);
			struct result r = parse(line);
			CHECK(line, r.ok);
			if (!r.ok)
				continue;
			CHECK(line, r.c.verb == (mail ? LMTP_MAIL : LMTP_RCPT));
			CHECK_STR(line, r.c.text, good[i].text);
			CHECK_STR(line, r.c.addr.local, good[i].local);
			CHECK_STR(line, r.c.addr.domain, good[i].domain);
		}
}

static void test_bad_paths(void)
{
	static const char *const bad[] = {
		"",
		"   ",
		"u@x",
		"<u@x",
		"u@x>",
		"<",
		"<\"u@x>",
		"<\"u\\\"@x>",
		"<\"u\\",
		"<u>",
		"<Postmaster>",
		"<u@>",
		"<@x>",
		"<@x:>",
		"<@:u@x>",
		"<@a,b:u@x>",
		"<@a,,@b:u@x>",
		"<@-a:u@x>",
		"<@a b:u@x>",
		"<@a@b:u@x>",
		"<@b@x>",
		"<<u@x>",
		"<u@a..b>",
		"<u@-a>",
		"<u@[1.2.3]>",
		"<u@[IPv6:1]>",
		"<u@x y>",
		"<\"a\\\"b@x>",
		"<a\"b@x>",
		"<a\"b\"@x>",
		"<\"a\"b@x>",
		"<a\tb@x>",
		"<\"a\001\"@x>",
		"<a\177@x>",
		"<\xff@x>",
		"<u@\xc3\x28>",
		"<\xc2\x9b@x>",
		"<u@x\t>",
		"<u@x >",
		"<\\@x>",
		"(c) <u@x>",
		"name <u@x>",
		"<@[IPv6:1::2]:u@x>",
		"\t\x01<u@x>",
		"\"<u@x>\"",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char line[256];
		snprintf(line, sizeof(line), "MAIL FROM:%s", bad[i]);
		struct result r = parse(line);
		check_refused(line, &r, 501, ESC(5, 1, 7));
		snprintf(line, sizeof(line), "RCPT TO:%s", bad[i]);
		r = parse(line);
		check_refused(line, &r, 501, ESC(5, 1, 3));
	}
	static const char *const argument[] = {
		"MAIL",
		"RCPT",
		"MAIL ",
		"MAIL <a@b>",
		"RCPT <a@b>",
		"MAIL TO:<a@b>",
		"RCPT FROM:<a@b>",
		"MAIL FROM <a@b>",
		"MAIL FROM :<a@b>",
		"RCPT TO<a@b>",
		"MAIL FROM",
		"MAIL FROM:<a@b>SIZE=1",
		"MAIL FROM:<a>@b>",
		"RCPT TO:<a@b>,<c@d>",
		"MAIL FROM:<>x",
		"RCPT TO:<a@b>\tx",
		"MAIL FROM:<\"a\">@x>",
		"RCPT TO:<<u@x>>",
	};
	for (size_t i = 0; i < sizeof(argument) / sizeof(argument[0]); i++) {
		struct result r = parse(argument[i]);
		check_refused(argument[i], &r, 501, ESC(5, 5, 4));
	}
}

static void test_null_sender(void)
{
	static const char *const good[] = { "MAIL FROM:<>", "mail from: <> ",
					    "MAIL  FROM:<> SIZE=1" };
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct result r = parse(good[i]);
		CHECK(good[i], r.ok && r.c.verb == LMTP_MAIL);
		CHECK(good[i], r.ok && addr_is_null(&r.c.addr));
		CHECK_STR(good[i], r.c.text, "");
	}
	struct result r = parse("RCPT TO:<>");
	check_refused("no recipient", &r, 501, ESC(5, 1, 3));
	r = parse("MAIL FROM:<\"\">");
	check_refused("an empty string is no null sender", &r, 501, ESC(5, 1, 7));
}

static void test_lengths(void)
{
	char line[LMTP_LINE];
	for (int n = LIMIT_LOCAL; n <= LIMIT_LOCAL + 1; n++) {
		snprintf(line, sizeof(line), "RCPT TO:<%0*d@x>", n, 0);
		struct result r = parse(line);
		if (n <= LIMIT_LOCAL)
			CHECK("longest", r.ok && strlen(r.c.addr.local) == (size_t)n);
		else
			check_refused("too long", &r, 501, ESC(5, 1, 3));
	}
	snprintf(line, sizeof(line), "RCPT TO:<a@%0*d>", 3000, 0);
	struct result r = parse(line);
	check_refused("domain", &r, 501, ESC(5, 1, 3));
}

static void test_mail(void)
{
	struct result r = parse("MAIL FROM:<s@x>");
	CHECK("bare", r.ok && !r.c.mail.say_size && !r.c.mail.body_8bit && !r.c.mail.smtputf8);
	CHECK("bare", r.ok && !r.c.mail.requiretls && !r.c.mail.ret && !r.c.mail.envid);
	r = parse("MAIL FROM:<s@x> SIZE=1540 BODY=8BITMIME SMTPUTF8 REQUIRETLS RET=HDRS "
		  "ENVID=QQ+2B314");
	CHECK("all", r.ok && r.c.mail.say_size && r.c.mail.size == 1540 && r.c.mail.body_8bit);
	CHECK("all", r.ok && r.c.mail.smtputf8 && r.c.mail.requiretls);
	CHECK_STR("all", r.c.mail.ret, "HDRS");
	CHECK_STR("all", r.c.mail.envid, "QQ+2B314");
	r = parse("mail from: <s@x>   envid=a  ret=Full   body=7bit  size=0 ");
	CHECK("any case", r.ok && r.c.mail.say_size && r.c.mail.size == 0 && !r.c.mail.body_8bit);
	CHECK_STR("any case", r.c.mail.ret, "Full");
	CHECK_STR("any case", r.c.mail.envid, "a");
	r = parse("MAIL FROM:<s@x> BODY=8bitmime SIZE=18446744073709551615");
	CHECK("largest", r.ok && r.c.mail.body_8bit && r.c.mail.size == UINT64_MAX);
	r = parse("MAIL FROM:<s@x> ENVID=a+20b+09+7E!~");
	CHECK("blanks in ENVID", r.ok);
	r = parse_with(SPAN("MAIL FROM:<s@x> SIZE=1 BODY=7BIT SMTPUTF8"), &nothing);
	CHECK("always offered", r.ok && r.c.mail.say_size && r.c.mail.smtputf8);
}

static void test_rcpt(void)
{
	static const struct {
		const char *params, *notify, *orcpt;
	} good[] = {
		{ "NOTIFY=NEVER", "NEVER", NULL },
		{ "notify=never", "never", NULL },
		{ "NOTIFY=SUCCESS", "SUCCESS", NULL },
		{ "NOTIFY=FAILURE,DELAY", "FAILURE,DELAY", NULL },
		{ "NOTIFY=delay,SUCCESS,Failure", "delay,SUCCESS,Failure", NULL },
		{ "ORCPT=rfc822;r@x", NULL, "rfc822;r@x" },
		{ "ORCPT=rfc822;Orig+2BX@orig.test NOTIFY=DELAY", "DELAY",
		  "rfc822;Orig+2BX@orig.test" },
		{ "ORCPT=rfc822;+C3+BC@x", NULL, "rfc822;+C3+BC@x" },
		{ "ORCPT=utf-8;\\x{FC}@x", NULL, "utf-8;\\x{FC}@x" },
		{ "ORCPT=x400;a;b", NULL, "x400;a;b" },
		{ "ORCPT=rfc822;+22a+20b+22@x", NULL, "rfc822;+22a+20b+22@x" },
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char line[256];
		snprintf(line, sizeof(line), "RCPT TO:<r@x> %s", good[i].params);
		struct result r = parse(line);
		CHECK(line, r.ok && !r.c.rcpt.notify == !good[i].notify);
		CHECK(line, r.ok && !r.c.rcpt.orcpt == !good[i].orcpt);
		if (r.ok && good[i].notify)
			CHECK_STR(line, r.c.rcpt.notify, good[i].notify);
		if (r.ok && good[i].orcpt)
			CHECK_STR(line, r.c.rcpt.orcpt, good[i].orcpt);
	}
}

static void test_bad_values(void)
{
	static const char *const mail[] = {
		"SIZE",
		"SIZE=",
		"SIZE=-1",
		"SIZE=+1",
		"SIZE=1k",
		"SIZE=18446744073709551616",
		"SIZE=000000000000000000001",
		"SIZE=1=1",
		"SIZE==1",
		"SIZE=1\001",
		"SIZE= 1",
		"BODY",
		"BODY=",
		"BODY=8BIT",
		"BODY=BINARYMIME",
		"BODY=7BIT,8BITMIME",
		"SMTPUTF8=",
		"SMTPUTF8=1",
		"REQUIRETLS=",
		"REQUIRETLS=yes",
		"RET",
		"RET=",
		"RET=BODY",
		"RET=FULL,HDRS",
		"RET=FULLX",
		"ENVID",
		"ENVID=",
		"ENVID=a=b",
		"ENVID=+",
		"ENVID=+2b",
		"ENVID=\xc3\xbc",
		"ENVID=+C3+BC",
		"ENVID=+00",
		"ENVID=a+0D+0Ab",
		"ENVID=+7F",
		"ENVID=a\001",
		"SIZE=1 SIZE=1",
		"BODY=7BIT body=7BIT",
		"SMTPUTF8 SMTPUTF8",
		"RET=FULL RET=HDRS",
		"ENVID=a SIZE=1 ENVID=a",
		"REQUIRETLS REQUIRETLS",
	};
	static const char *const rcpt[] = {
		"NOTIFY",
		"NOTIFY=",
		"NOTIFY=NEVER,DELAY",
		"NOTIFY=DELAY,NEVER",
		"NOTIFY=NEVER,",
		"NOTIFY=SUCCESS,SUCCESS",
		"NOTIFY=SUCCESS,DELAY,success",
		"NOTIFY=,SUCCESS",
		"NOTIFY=SUCCESS,",
		"NOTIFY=SUCCESS,,DELAY",
		"NOTIFY=,",
		"NOTIFY=ALWAYS",
		"NOTIFY=SUCCESS DELAY=1",
		"NOTIFY=DELAY NOTIFY=DELAY",
		"ORCPT",
		"ORCPT=",
		"ORCPT=r@x",
		"ORCPT=;r@x",
		"ORCPT=rfc822;",
		"ORCPT=rfc822:r@x",
		"ORCPT=rfc 822;r",
		"ORCPT=<rfc822>;r@x",
		"ORCPT=rfc822;a=b",
		"ORCPT=rfc822;a+",
		"ORCPT=rfc822;\xc3\xbc@x",
		"ORCPT=\xc3\xbc;a",
		"ORCPT=rfc822;a+0D+0AX:+20y",
		"ORCPT=rfc822;+00",
		"ORCPT=rfc822;+7F",
		"ORCPT=rfc822;a\001",
		"ORCPT=rfc822;a ORCPT=rfc822;a",
		"ORCPT=\001;a",
		"ORCPT=x.400;a",
	};
	char line[256];
	for (size_t i = 0; i < sizeof(mail) / sizeof(mail[0]); i++) {
		snprintf(line, sizeof(line), "MAIL FROM:<s@x> %s", mail[i]);
		struct result r = parse(line);
		check_refused(line, &r, 501, ESC(5, 5, 4));
	}
	for (size_t i = 0; i < sizeof(rcpt) / sizeof(rcpt[0]); i++) {
		snprintf(line, sizeof(line), "RCPT TO:<r@x> %s", rcpt[i]);
		/* "DELAY=1" is not a bad value, but no parameter at all. */
		struct result r = parse(line);
		check_refused(line, &r, strstr(line, "DELAY=1") ? 555 : 501, ESC(5, 5, 4));
	}
}

static void check_unknown(const char *line, const struct lmtp_offer *offer)
{
	struct result r = parse_with(span_of(line), offer);
	check_refused(line, &r, 555, ESC(5, 5, 4));
}

static void test_unknown_params(void)
{
	static const char *const unknown[] = {
		"MAIL FROM:<s@x> AUTH=<>",   "MAIL FROM:<s@x> X",
		"MAIL FROM:<s@x> =",         "MAIL FROM:<s@x> SIZ=1",
		"MAIL FROM:<s@x> SIZEX=1",   "MAIL FROM:<s@x> NOTIFY=NEVER",
		"MAIL FROM:<s@x> IDENT=a",   "MAIL FROM:<s@x> SIZE=1 X",
		"MAIL FROM:<s@x> =1",        "RCPT TO:<r@x> SIZE=1",
		"RCPT TO:<r@x> RET=FULL",    "RCPT TO:<r@x> SMTPUTF8",
		"RCPT TO:<r@x> <q@x>",       "RCPT TO:<r@x> \xc3\xbc",
		"RCPT TO:<r@x> REQUIRETLS",  "MAIL FROM:<s@x> MT-PRIORITY=3",
		"MAIL FROM:<s@x> HOLDFOR=1",
	};
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		check_unknown(unknown[i], &all);
	static const char *const dsn[] = { "MAIL FROM:<s@x> RET=FULL", "MAIL FROM:<s@x> ENVID=a",
					   "RCPT TO:<r@x> NOTIFY=NEVER",
					   "RCPT TO:<r@x> ORCPT=rfc822;r@x" };
	const struct lmtp_offer only_tls = { .requiretls = true }, only_dsn = { .dsn = true };
	for (size_t i = 0; i < sizeof(dsn) / sizeof(dsn[0]); i++) {
		check_unknown(dsn[i], &nothing);
		check_unknown(dsn[i], &only_tls);
		CHECK(dsn[i], parse_with(span_of(dsn[i]), &only_dsn).ok);
	}
	check_unknown("MAIL FROM:<s@x> REQUIRETLS", &nothing);
	check_unknown("MAIL FROM:<s@x> REQUIRETLS", &only_dsn);
	CHECK("offered", parse_with(SPAN("MAIL FROM:<s@x> REQUIRETLS"), &only_tls).ok);
}

static void test_value_lengths(void)
{
	static const struct {
		const char *line;
		int fits; /* octets behind it */
	} cases[] = {
		{ "MAIL FROM:<s@x> ENVID=", 100 },
		{ "MAIL FROM:<s@x> ENVID=+20", 99 },
		{ "RCPT TO:<r@x> ORCPT=rfc822;", 500 - 7 },
		{ "RCPT TO:<r@x> ORCPT=rfc822;+20", 500 - 7 - 3 },
	};
	char line[LMTP_LINE];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(line, sizeof(line), "%s%0*d", cases[i].line, cases[i].fits, 0);
		CHECK(cases[i].line, parse(line).ok);
		snprintf(line, sizeof(line), "%s%0*d", cases[i].line, cases[i].fits + 1, 0);
		struct result r = parse(line);
		check_refused(cases[i].line, &r, 501, ESC(5, 5, 4));
	}
}

static void test_xforward(void)
{
	static const struct {
		const char *args, *ident;
	} good[] = {
		{ "NAME=spike.example ADDR=168.100.189.2 PORT=4711", NULL },
		{ "NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1", NULL },
		{ "PROTO=ESMTP HELO=spike.example IDENT=4ABCD SOURCE=REMOTE", "4ABCD" },
		{ "ident=4abcd", "4abcd" },
		{ "  SOURCE=LOCAL   IDENT=x ", "x" },
		{ "IDENT=[UNAVAILABLE]", "" },
		{ "IDENT=[unavailable]", "" },
		{ "IDENT=", "" },
		{ "IDENT=a+2Bb+20c", "a+b c" },
		{ "IDENT=a=b==", "a=b==" },
		{ "IDENT==", "=" },
		{ "IDENT=+3D=", "==" },
		{ "IDENT=a+00b+0Ac+0D+1B", "a?b c??" },
		{ "IDENT=+FF+C3+BC", "?\xc3\xbc" },
		{ "IDENT=<a@b>", "<a@b>" },
		{ "HELO=a=b IDENT=1", "1" }, /* as Postfix writes it */
		{ "HELO=\xff+ NAME= IDENT=1", "1" },
	};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char line[256];
		snprintf(line, sizeof(line), "XFORWARD %s", good[i].args);
		struct result r = parse_with(span_of(line), &nothing);
		CHECK(line, r.ok && r.c.verb == LMTP_XFORWARD);
		CHECK(line, r.ok && !r.c.ident == !good[i].ident);
		if (r.ok && good[i].ident)
			CHECK_STR(line, r.c.ident, good[i].ident);
	}
	static const char *const bad[] = {
		"XFORWARD IDENT",
		"XFORWARD NAME",
		"XFORWARD LOGIN=x",
		"XFORWARD DESTADDR=x",
		"XFORWARD IDENT=a LOGIN=x",
		"XFORWARD =",
		"XFORWARD x",
		"XFORWARD IDENT=a IDENT=a",
		"XFORWARD IDENT=+",
		"XFORWARD IDENT=+4g",
		"XFORWARD IDENT=\xc3\xbc",
		"XFORWARD IDENT=a\tb",
		"XFORWARD SIZE=1",
		"XFORWARD NAME=a name=b",
		"XFORWARD IDENT=a\001",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct result r = parse(bad[i]);
		check_refused(bad[i], &r, 501, ESC(5, 5, 4));
	}
	char line[LMTP_LINE];
	snprintf(line, sizeof(line), "XFORWARD IDENT=%0*d", LMTP_LINE - 2 - 15, 0);
	struct result r = parse(line);
	CHECK("longest", r.ok && strlen(r.c.ident) == LMTP_LINE - 2 - 15);
}

/* What came shows up in the error, printable and not without end. */
static void test_error_texts(void)
{
	struct result r = parse("MAIL FROM:<s@x> X\001\xff=1");
	CHECK_STR("unknown", r.err.text, "unknown parameter: \"X??\"");
	r = parse("RCPT TO:<r@x> NOTIFY=never,delay");
	CHECK_STR("bad", r.err.text, "bad parameter: \"NOTIFY=never,delay\"");
	r = parse("RCPT TO:<postmaster>");
	CHECK("address", strstr(r.err.text, "postmaster") && strstr(r.err.text, "no domain"));
	char line[LMTP_LINE];
	snprintf(line, sizeof(line), "%0*d", LMTP_LINE - 2, 0);
	r = parse(line);
	CHECK("long", strlen(r.err.text) < 150);
}

/* Without memory the client is told to come again, whatever it was. */
static void test_no_memory(void)
{
	static const char *const lines[] = { "MAIL FROM:<s@x> RET=FULL ENVID=a", "RCPT TO:<r@x>",
					     "RCPT TO:<r@x> NOTIFY=NEVER ORCPT=rfc822;r",
					     "XFORWARD IDENT=a" };
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		bool good = false;
		for (size_t limit = 0; limit < 512 && !good; limit += 16) {
			struct arena *all_of_it = arena;
			arena = arena_open(limit);
			struct result r = parse(lines[i]);
			good = r.ok;
			CHECK(lines[i], r.ok || (r.code == 451 && r.err.class == ERR_INTERNAL));
			CHECK(lines[i], limit > 0 || !r.ok);
			arena_close(arena);
			arena = all_of_it;
		}
		CHECK(lines[i], good);
	}
	struct arena *all_of_it = arena;
	arena = arena_open(0);
	CHECK("needs none", parse("DATA").ok);
	arena_close(arena);
	arena = all_of_it;
}

/* Every line cut anywhere, and with every octet in every place of it, is understood or refused. */
static void test_damage(void)
{
	static const char line[] = "MAIL FROM:<\"a \\b\"@[192.0.2.1]> SIZE=1 ENVID=+41";
	char copy[sizeof(line)];
	for (size_t i = 0; i < sizeof(line) - 1; i++) {
		struct result r = parse_with((struct span){ line, i }, &all);
		CHECK("cut", r.ok || (r.code >= 500 && r.err.class == ERR_PERM));
		for (int c = 0; c < 256; c++) {
			memcpy(copy, line, sizeof(line));
			copy[i] = (char)c;
			r = parse_with((struct span){ copy, sizeof(line) - 1 }, &all);
			CHECK("damaged", r.ok || (r.code >= 500 && r.err.class == ERR_PERM));
		}
		arena_reset(arena);
	}
}

static void test_setup(void)
{
	page = guard_page_open(LMTP_LINE);
	arena = arena_open(1024 * 1024);
	CHECK("arena", arena != NULL);
}

static void test_cleanup(void)
{
	arena_close(arena);
	guard_page_close(&page);
	CHECK("closed", true);
}

TEST_MAIN("lmtp", { "setup", test_setup }, { "verbs", test_verbs }, { "no line", test_no_line },
	  { "paths", test_paths }, { "bad paths", test_bad_paths },
	  { "null sender", test_null_sender }, { "lengths", test_lengths }, { "MAIL", test_mail },
	  { "RCPT", test_rcpt }, { "bad values", test_bad_values },
	  { "unknown parameters", test_unknown_params }, { "value lengths", test_value_lengths },
	  { "XFORWARD", test_xforward }, { "error texts", test_error_texts },
	  { "no memory", test_no_memory }, { "damage", test_damage }, { "cleanup", test_cleanup })
