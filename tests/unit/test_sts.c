/* SPDX-License-Identifier: ISC */
#include "guard_page.h"
#include "harness.h"
#include "wire/sts.h"

static struct guard_page page;
static struct arena *arena;

static const struct span untouched = { "untouched", 9 };

/* The texts end at a guard page. */
static bool record(struct span txt, struct span *ret)
{
	struct dns_rr rr = { .bytes = guard_page_put(&page, txt) };
	struct dns_answer answer = { .state = DNS_OK, .rr = &rr, .nrr = 1 };
	return sts_record(&answer, ret);
}

#define A16 "aB3456789012345Z"

static void records(void)
{
	static const struct {
		const char *label, *txt, *id;
	} cases[] = {
		{ "the RFC's", "v=STSv1; id=20160831085700Z;", "20160831085700Z" },
		{ "without the last semicolon", "v=STSv1; id=1", "1" },
		{ "no blank", "v=STSv1;id=1;", "1" },
		{ "many blanks", "v=STSv1; \t id=1 \t ; ", "1" },
		{ "32 characters", "v=STSv1; id=" A16 A16, A16 A16 },
		{ "33 characters", "v=STSv1; id=" A16 A16 "x", NULL },
		{ "extension first", "v=STSv1; a=b; id=1;", "1" },
		{ "extension behind", "v=STSv1; id=1; a-b_c.d=!~:/;", "1" },
		{ "first id counts", "v=STSv1; id=1; id=2;", "1" },
		{ "no id", "v=STSv1;", NULL },
		{ "no id", "v=STSv1; a=b;", NULL },
		{ "empty id", "v=STSv1; id=;", NULL },
		{ "key of another case", "v=STSv1; ID=1;", NULL },
		{ "part of a key", "v=STSv1; xid=1;", NULL },
		{ "hyphen in the id", "v=STSv1; id=2016-08;", NULL },
		{ "underscore in the id", "v=STSv1; id=a_b;", NULL },
		{ "blank in the id", "v=STSv1; id=a b;", NULL },
		{ "quoted id", "v=STSv1; id=\"1\";", NULL },
		{ "not ASCII", "v=STSv1; id=\xc3\xbc;", NULL },
		{ "blank before the =", "v=STSv1; id =1;", NULL },
		{ "blank behind the =", "v=STSv1; id= 1;", NULL },
		{ "field without =", "v=STSv1; id=1; a;", NULL },
		{ "field without name", "v=STSv1; id=1; =b;", NULL },
		{ "field without value", "v=STSv1; id=1; a=;", NULL },
		{ "name with a hyphen first", "v=STSv1; id=1; -a=b;", NULL },
		{ "long name", "v=STSv1; id=1; " A16 A16 "=b;", "1" },
		{ "name too long", "v=STSv1; id=1; " A16 A16 "x=b;", NULL },
		{ "= in a value", "v=STSv1; id=1; a=b=c;", NULL },
		{ "empty field", "v=STSv1;; id=1;", NULL },
		{ "two semicolons at the end", "v=STSv1; id=1;;", NULL },
		{ "other version", "v=STSv2; id=1;", NULL },
		{ "longer version", "v=STSv1x; id=1;", NULL },
		{ "version of another case", "V=STSv1; id=1;", NULL },
		{ "version of another case", "v=stsv1; id=1;", NULL },
		{ "version alone", "v=STSv1", NULL },
		{ "blank before the semicolon", "v=STSv1 ; id=1;", NULL },
		{ "blank first", " v=STSv1; id=1;", NULL },
		{ "id first", "id=1; v=STSv1;", NULL },
		{ "another record", "v=spf1 -all", NULL },
		{ "empty", "", NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span id = untouched;
		bool found = record(span_of(cases[i].txt), &id);
		CHECK(cases[i].label, found == (cases[i].id != NULL));
		CHECK(cases[i].label,
		      span_equal(id, cases[i].id ? span_of(cases[i].id) : untouched));
	}
	struct span id = untouched;
	CHECK("NUL in the id", !record(SPAN("v=STSv1; id=a\0b;"), &id));
	CHECK("NUL behind", !record(SPAN("v=STSv1; id=a;\0"), &id));
}

static void several_records(void)
{
	static const struct {
		const char *label, *txt[3], *id;
	} cases[] = {
		{ "none", { NULL }, NULL },
		{ "among others", { "v=spf1 -all", "v=STSv1; id=1;", "x" }, "1" },
		{ "first of others", { "v=STSv1; id=1;", "v=STSv2; id=2;", "" }, "1" },
		{ "two", { "v=STSv1; id=1;", "v=STSv1; id=2;" }, NULL },
		{ "two alike", { "v=STSv1; id=1;", "x", "v=STSv1; id=1;" }, NULL },
		{ "a broken one counts", { "v=STSv1; id=1;", "v=STSv1;" }, NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dns_rr rr[3];
		struct dns_answer answer = { .state = DNS_OK, .rr = rr };
		struct span id = untouched;
		for (size_t n = 0; n < 3 && cases[i].txt[n]; answer.nrr = ++n)
			rr[n] = (struct dns_rr){ .bytes = span_of(cases[i].txt[n]) };
		CHECK(cases[i].label, sts_record(&answer, &id) == (cases[i].id != NULL));
		CHECK(cases[i].label,
		      span_equal(id, cases[i].id ? span_of(cases[i].id) : untouched));
	}
	struct dns_answer failed = { .state = DNS_TEMP, .why = "SERVFAIL" };
	struct span id = untouched;
	CHECK("failed", !sts_record(&failed, &id) && span_equal(id, untouched));
}

#define V "version: STSv1\n"
#define E "mode: enforce\n"
#define A "max_age: 86400\n"
#define M "mx: mx.example.net\n"

/* "mode max_age mx mx ...", or the error's text. */
static const char *parse(struct span body)
{
	static char text[4096];
	static const char *const modes[] = { "none", "testing", "enforce" };
	struct sts_policy p = { .nmx = 99 };
	struct error err = { .text = "untouched" };
	arena_reset(arena);
	if (!sts_parse(arena, guard_page_put(&page, body), &p, &err)) {
		CHECK("outputs", p.nmx == 99 && !p.mx);
		CHECK("class", err.class == ERR_PERM && err.code.cls == 5);
		CHECK("code", err.code.subject == 7 && err.code.detail == 5);
		snprintf(text, sizeof(text), "%s", err.text);
		return text;
	}
	CHECK_STR("err", err.text, "untouched");
	size_t n = (size_t)snprintf(text, sizeof(text), "%s %u", modes[p.mode], p.max_age);
	for (size_t i = 0; i < p.nmx && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %s", p.mx[i]);
	return text;
}

struct file {
	const char *label, *body, *want;
};

static void parse_all(const struct file *files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		CHECK_STR(files[i].label, parse(span_of(files[i].body)), files[i].want);
}
#define PARSE_ALL(table) parse_all((table), sizeof(table) / sizeof((table)[0]))

static void good_policies(void)
{
	static const struct file table[] = {
		{ "the RFC's",
		  "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\n"
		  "mx: *.example.net\r\nmx: backupmx.example.com\r\nmax_age: 604800\r\n",
		  "enforce 604800 mail.example.com *.example.net backupmx.example.com" },
		{ "LF", V E A M, "enforce 86400 mx.example.net" },
		{ "any order", M A E V, "enforce 86400 mx.example.net" },
		{ "no final line end", V E M "max_age: 86400", "enforce 86400 mx.example.net" },
		{ "testing", V "mode: testing\n" A M, "testing 86400 mx.example.net" },
		{ "none", V "mode: none\n" A, "none 86400" },
		{ "none, and mx", V "mode: none\n" A M, "none 86400 mx.example.net" },
		{ "no blanks", "version:STSv1\nmode:enforce\nmax_age:1\nmx:a\n", "enforce 1 a" },
		{ "blanks", "version: \t STSv1 \t\nmode:  enforce \n" A "mx:\ta.b \n",
		  "enforce 86400 a.b" },
		{ "empty lines", "\n" V "\n" E "\r\n" A M " \n\n", "enforce 86400 mx.example.net" },
		{ "upper case", V E A "mx: *.Example.NET\nmx: MX.example\n",
		  "enforce 86400 *.example.net mx.example" },
		{ "unknown keys", V "x: y\n" E "mxs: \xc3\xbc _\n" A M "\xc3\xbc: \x01\n",
		  "enforce 86400 mx.example.net" },
		{ "key of another case", V E A M "MODE: none\n", "enforce 86400 mx.example.net" },
		{ "first mode", V E "mode: none\n" A M, "enforce 86400 mx.example.net" },
		{ "the others are not even read", V E A M "mode: x\nversion: 2\nmax_age: x\n",
		  "enforce 86400 mx.example.net" },
		{ "first max_age", V E A "max_age: 1\n" M, "enforce 86400 mx.example.net" },
		{ "max_age 0", V E "max_age: 0\n" M, "enforce 0 mx.example.net" },
		{ "leading zeros", V E "max_age: 0000000010\n" M, "enforce 10 mx.example.net" },
		{ "a year", V E "max_age: 31557600\n" M, "enforce 31557600 mx.example.net" },
		{ "more than a year", V E "max_age: 31557601\n" M,
		  "enforce 31557600 mx.example.net" },
		{ "ten digits", V E "max_age: 9999999999\n" M, "enforce 31557600 mx.example.net" },
		{ "A-label", V E A "mx: xn--mx-fka.example\n", "enforce 86400 xn--mx-fka.example" },
		{ "wildcard over one label", V E A "mx: *.com\n", "enforce 86400 *.com" },
		{ "colon in a value", V E A M "a:b: c:d\n", "enforce 86400 mx.example.net" },
	};
	PARSE_ALL(table);
}

#define HAS "the MTA-STS policy has "

static void bad_policies(void)
{
	static const struct file table[] = {
		{ "empty", "", HAS "no version" },
		{ "no version", E A M, HAS "no version" },
		{ "no mode", V A M, HAS "no mode" },
		{ "no max_age", V E M, HAS "no max_age" },
		{ "no mx", V E A, HAS "no mx" },
		{ "no mx", V "mode: testing\n" A, HAS "no mx" },
		{ "version", "version: STSv2\n" V E A M, HAS "an unknown version: \"STSv2\"" },
		{ "version", "version: stsv1\n" E A M, HAS "an unknown version: \"stsv1\"" },
		{ "version of a record", "v=STSv1\n" E A M,
		  HAS "a line without a colon: \"v=STSv1\"" },
		{ "key of another case", "Version: STSv1\n" E A M, HAS "no version" },
		{ "blank in a key", "version : STSv1\n" E A M, HAS "no version" },
		{ "BOM", "\xef\xbb\xbf" V E A M, HAS "no version" },
		{ "mode", V "mode: report\n" E A M, HAS "an unknown mode: \"report\"" },
		{ "mode", V "mode: Enforce\n" A M, HAS "an unknown mode: \"Enforce\"" },
		{ "empty mode", V "mode:\n" A M, HAS "an unknown mode: \"\"" },
		{ "max_age", V E M "max_age: 1d\n", HAS "an unreadable max_age: \"1d\"" },
		{ "max_age", V E M "max_age: -1\n", HAS "an unreadable max_age: \"-1\"" },
		{ "max_age", V E M "max_age: 1 2\n", HAS "an unreadable max_age: \"1 2\"" },
		{ "max_age", V E M "max_age:", HAS "an unreadable max_age: \"\"" },
		{ "eleven digits", V E M "max_age: 00000000010\n",
		  HAS "an unreadable max_age: \"00000000010\"" },
		{ "empty mx", V E A M "mx:\n", HAS "a bad mx pattern: \"\"" },
		{ "mx", V E A "mx: *\n", HAS "a bad mx pattern: \"*\"" },
		{ "mx", V E A "mx: *.\n", HAS "a bad mx pattern: \"*.\"" },
		{ "mx", V E A "mx: *.*.example\n", HAS "a bad mx pattern: \"*.*.example\"" },
		{ "mx", V E A "mx: a.*.example\n", HAS "a bad mx pattern: \"a.*.example\"" },
		{ "mx", V E A "mx: mx*.example\n", HAS "a bad mx pattern: \"mx*.example\"" },
		{ "mx", V E A "mx: .example\n", HAS "a bad mx pattern: \".example\"" },
		{ "mx", V E A "mx: mx..example\n", HAS "a bad mx pattern: \"mx..example\"" },
		{ "mx", V E A "mx: mx.example.\n", HAS "a bad mx pattern: \"mx.example.\"" },
		{ "mx", V E A "mx: a b\n", HAS "a bad mx pattern: \"a b\"" },
		{ "mx", V E A "mx: a, b\n", HAS "a bad mx pattern: \"a, b\"" },
		{ "mx", V E A "mx: [192.0.2.1]\n", HAS "a bad mx pattern: \"[192.0.2.1]\"" },
		{ "U-label", V E A "mx: \xc3\xbc.example\n",
		  HAS "a bad mx pattern: \"\xc3\xbc.example\"" },
		{ "bad mx in a policy of none", V "mode: none\n" A "mx: *\n",
		  HAS "a bad mx pattern: \"*\"" },
		{ "controls are not shown", V E A "mx: a\x1b[2J\n",
		  HAS "a bad mx pattern: \"a?[2J\"" },
		{ "line without a colon", V E A M "<html>\n",
		  HAS "a line without a colon: \"<html>\"" },
		{ "CR alone", "version: STSv1\rmode: enforce\r" A M,
		  HAS "an unknown version: \"STSv1?mode: enforce?max_age: 86400\"" },
	};
	PARSE_ALL(table);
	CHECK_STR("NUL", parse(SPAN(V E "max_age: 1\0\n" M)), HAS "an unreadable max_age: \"1\"");
	CHECK_STR("nothing", parse((struct span){ NULL, 0 }), HAS "no version");
}

static void limits(void)
{
	static char body[STS_BODY + 2], want[4096];
	size_t n = 0, w;
	n += (size_t)snprintf(body, sizeof(body), V E A);
	w = (size_t)snprintf(want, sizeof(want), "enforce 86400");
	for (int i = 0; i < STS_MX; i++) {
		n += (size_t)snprintf(body + n, sizeof(body) - n, "mx: mx%d.example\n", i);
		w += (size_t)snprintf(want + w, sizeof(want) - w, " mx%d.example", i);
	}
	CHECK_STR("128 patterns", parse((struct span){ body, n }), want);
	n += (size_t)snprintf(body + n, sizeof(body) - n, "mx: a\n");
	CHECK_STR("129", parse((struct span){ body, n }), HAS "more than 128 mx patterns");

	n = (size_t)snprintf(body, sizeof(body), V E A M);
	memset(body + n, '\n', sizeof(body) - n);
	CHECK_STR("64 KiB", parse((struct span){ body, STS_BODY }), "enforce 86400 mx.example.net");
	CHECK_STR("one more", parse((struct span){ body, STS_BODY + 1 }),
		  HAS "more than 65536 bytes");
	/* A value is quoted as far as it tells something. */
	memset(body + n, 'x', sizeof(body) - n);
	CHECK_STR("long line", parse((struct span){ body, STS_BODY }),
		  HAS "a line without a colon: "
		      "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"");
	/* The most lines that there can be. */
	for (size_t i = n; i + 3 <= STS_BODY; i += 3)
		memcpy(body + i, "x:\n", 3);
	struct sts_policy p;
	struct error err;
	arena_reset(arena);
	CHECK("lines",
	      sts_parse(arena, (struct span){ body, STS_BODY - (STS_BODY - n) % 3 }, &p, &err));
	CHECK("lines", p.nline == 4 + (STS_BODY - n) / 3);
}

static void lines(void)
{
	static const char *const want[] = { "version: STSv1", "mode:  enforce",
					    "max_age: 86400", "mx: MX.example.net",
					    "mx: *.example",  "x: a b?\xc3\xbc?",
					    "mode: none" };
	struct sts_policy p = { 0 };
	struct error err;
	arena_reset(arena);
	CHECK("parse", sts_parse(arena,
				 SPAN(V "mode:  enforce  \r\n\n" A " mx: MX.example.net\n"
					"mx: *.example\nx: a\tb\x7f\xc3\xbc\xff\nmode: none"),
				 &p, &err));
	CHECK("number", p.nline == sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < p.nline && i < sizeof(want) / sizeof(want[0]); i++)
		CHECK_STR("line", p.line[i], want[i]);
	CHECK("patterns", p.nmx == 2);
	CHECK_STR("lower case", p.mx[0], "mx.example.net");
}

static void no_memory(void)
{
	static const struct span body = { V E A M, sizeof(V E A M) - 1 };
	bool failed = false, worked = false;
	for (size_t room = 0; room < 4096; room += 8) {
		struct arena *small = arena_open(room);
		struct sts_policy p = { .nmx = 99 };
		struct error err = { 0 };
		if (sts_parse(small, body, &p, &err)) {
			worked = true;
			CHECK("whole", p.nmx == 1 && p.nline == 4 && err.class == ERR_NONE);
		} else {
			failed = true;
			CHECK("not after it worked", !worked);
			CHECK("class", err.class == ERR_INTERNAL && p.nmx == 99);
		}
		arena_close(small);
	}
	CHECK("both", failed && worked);
}

static void allows(void)
{
	static const struct {
		const char *pattern, *mx;
		bool allowed;
	} cases[] = {
		{ "mx.example.net", "mx.example.net", true },
		{ "mx.example.net", "MX.Example.NET", true },
		{ "mx.example.net", "mx.example.net.", true },
		{ "mx.example.net", "mx.example.net..", false },
		{ "mx.example.net", "mx2.example.net", false },
		{ "mx.example.net", "a.mx.example.net", false },
		{ "mx.example.net", "example.net", false },
		{ "mx.example.net", "mx.example.ne", false },
		{ "mx.example.net", "mx.example.nett", false },
		{ "mx.example.net", "mx", false },
		{ "mx.example.net", "", false },
		{ "mx.example.net", ".", false },
		{ "*.example.net", "mx.example.net", true },
		{ "*.example.net", "MX.EXAMPLE.net.", true },
		{ "*.example.net", "example.net", false },
		{ "*.example.net", ".example.net", false },
		{ "*.example.net", "a.b.example.net", false },
		{ "*.example.net", "mxexample.net", false },
		{ "*.example.net", "mx.example.org", false },
		{ "*.example.net", "mx.", false },
		{ "*.example.net", "mx..example.net", false },
		{ "*.example.net", "", false },
		{ "*.net", "example.net", true },
		{ "*.net", "net", false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const mx[] = { "other.example", cases[i].pattern };
		struct sts_policy p = { .mode = STS_ENFORCE, .mx = mx, .nmx = 2 };
		CHECK(cases[i].mx, sts_allows(&p, cases[i].mx) == cases[i].allowed);
		CHECK("the other", sts_allows(&p, "other.example"));
		p.nmx = 1;
		CHECK("only the other", !sts_allows(&p, cases[i].mx));
		p.nmx = 0;
		CHECK("none", !sts_allows(&p, cases[i].mx));
	}
}

int main(void)
{
	static const struct test tests[] = {
		{ "records", records },
		{ "several records", several_records },
		{ "good policies", good_policies },
		{ "bad policies", bad_policies },
		{ "limits", limits },
		{ "lines", lines },
		{ "no memory", no_memory },
		{ "allows", allows },
	};
	page = guard_page_open(STS_BODY + 2);
	arena = arena_open(LIMIT_ARENA);
	int failed = arena ? test_main("sts", tests, sizeof(tests) / sizeof(tests[0])) : 1;
	arena_close(arena);
	guard_page_close(&page);
	return failed;
}
