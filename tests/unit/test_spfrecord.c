/* SPDX-License-Identifier: ISC */
#include "wire/spfrecord.h"

#include "guard_page.h"
#include "harness.h"

static struct arena *arena;

static bool parse(const char *text, struct spf_record *ret, struct error *err)
{
	return spfrecord_parse(arena, span_of(text), ret, err);
}

static void find(void)
{
	static const struct {
		const char *label, *text[3];
		size_t found;
		const char *first;
	} cases[] = {
		{ "none", { "hello" }, 0, NULL },
		{ "empty string", { "" }, 0, NULL },
		{ "one", { "v=spf1 -all" }, 1, "v=spf1 -all" },
		{ "alone", { "v=spf1" }, 1, "v=spf1" },
		{ "among others", { "x", "v=spf1 -all", "v=spf10 -all" }, 1, "v=spf1 -all" },
		{ "any case", { "V=Spf1 -all" }, 1, "V=Spf1 -all" },
		{ "two", { "v=spf1 -all", "v=spf1 ~all" }, 2, "v=spf1 -all" },
		{ "tab", { "v=spf1\t-all" }, 0, NULL },
		{ "blank before", { " v=spf1 -all" }, 0, NULL },
		{ "cut", { "v=spf" }, 0, NULL },
		{ "version 2", { "v=spf2.0/pra -all", "v=spf2 -all" }, 0, NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dns_rr rr[3];
		struct dns_answer a = { .state = DNS_OK, .rr = rr };
		struct span first = { 0 };
		while (a.nrr < 3 && cases[i].text[a.nrr]) {
			rr[a.nrr].bytes = span_of(cases[i].text[a.nrr]);
			a.nrr++;
		}
		CHECK(cases[i].label, spfrecord_find(&a, &first) == cases[i].found);
		CHECK(cases[i].label, span_equal(first, span_of(cases[i].first)));
	}
	struct dns_answer nothing = { .state = DNS_NXDOMAIN };
	struct span untouched = SPAN("x");
	CHECK("no records", spfrecord_find(&nothing, &untouched) == 0 && untouched.n == 1);
}

static void terms(void)
{
	static const struct {
		const char *text;
		enum spf_kind kind;
		char qualifier;
		const char *plain;
		bool any4, any6, by_sender, counts;
	} cases[] = {
		{ "all", SPF_KIND_ALL, '+', "all", 0, 0, 0, 0 },
		{ "-ALL", SPF_KIND_ALL, '-', "ALL", 0, 0, 0, 0 },
		{ "~Include:x.test", SPF_KIND_INCLUDE, '~', "Include:x.test", 0, 0, 0, 1 },
		{ "?a", SPF_KIND_A, '?', "a", 0, 0, 0, 1 },
		{ "+a:h.test/24", SPF_KIND_A, '+', "a:h.test/24", 0, 0, 0, 1 },
		{ "a/0", SPF_KIND_A, '+', "a/1", 1, 0, 0, 1 },
		{ "a//0", SPF_KIND_A, '+', "a//1", 0, 1, 0, 1 },
		{ "a/0//0", SPF_KIND_A, '+', "a/1//1", 1, 1, 0, 1 },
		{ "a/0//64", SPF_KIND_A, '+', "a/1//64", 1, 0, 0, 1 },
		{ "a/24//0", SPF_KIND_A, '+', "a/24//1", 0, 1, 0, 1 },
		{ "a/10", SPF_KIND_A, '+', "a/10", 0, 0, 0, 1 },
		{ "a/00", SPF_KIND_A, '+', "a/00", 0, 0, 0, 1 },
		{ "a:0", SPF_KIND_A, '+', "a:0", 0, 0, 0, 1 },
		{ "mx:x/0", SPF_KIND_MX, '+', "mx:x/1", 1, 0, 0, 1 },
		{ "mx", SPF_KIND_MX, '+', "mx", 0, 0, 0, 1 },
		{ "ptr", SPF_KIND_PTR, '+', "ptr", 0, 0, 0, 1 },
		{ "ptr:x.test", SPF_KIND_PTR, '+', "ptr:x.test", 0, 0, 0, 1 },
		{ "ip4:192.0.2.0/24", SPF_KIND_IP4, '+', "ip4:192.0.2.0/24", 0, 0, 0, 0 },
		{ "-ip4:0.0.0.0/0", SPF_KIND_IP4, '-', "ip4:0.0.0.0/1", 1, 0, 0, 0 },
		{ "ip6:::/0", SPF_KIND_IP6, '+', "ip6:::/1", 0, 1, 0, 0 },
		{ "exists:x/0", SPF_KIND_EXISTS, '+', "exists:x/0", 0, 0, 0, 1 },
		{ "exists:%{l}.x", SPF_KIND_EXISTS, '+', "exists:%{l}.x", 0, 0, 1, 1 },
		{ "exists:%{S3r}", SPF_KIND_EXISTS, '+', "exists:%{S3r}", 0, 0, 1, 1 },
		{ "exists:%{d}%%{l", SPF_KIND_EXISTS, '+', "exists:%{d}%%{l", 0, 0, 1, 1 },
		{ "exists:%{o}%_%-%%", SPF_KIND_EXISTS, '+', "exists:%{o}%_%-%%", 0, 0, 0, 1 },
		{ "redirect=x.test", SPF_KIND_REDIRECT, '+', "redirect=x.test", 0, 0, 0, 1 },
		{ "EXP=x.test", SPF_KIND_EXP, '+', "EXP=x.test", 0, 0, 0, 0 },
		{ "moo=", SPF_KIND_OTHER, '+', "moo=", 0, 0, 0, 0 },
		{ "a.b_c-1=a.b", SPF_KIND_OTHER, '+', "a_b_c-1=a.b", 0, 0, 0, 0 },
		{ "all=x", SPF_KIND_OTHER, '+', "all=x", 0, 0, 0, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char record[200];
		struct spf_record r;
		struct error err = { 0 };
		snprintf(record, sizeof(record), "v=spf1 %s", cases[i].text);
		CHECK(cases[i].text, parse(record, &r, &err) && r.nterm == 1);
		const struct spf_term *t = &r.term[0];
		CHECK(cases[i].text, t->kind == cases[i].kind);
		CHECK(cases[i].text, t->qualifier == cases[i].qualifier);
		CHECK_STR(cases[i].text, t->text, cases[i].text);
		CHECK_STR(cases[i].text, t->plain, cases[i].plain);
		CHECK(cases[i].text, t->any4 == cases[i].any4 && t->any6 == cases[i].any6);
		CHECK(cases[i].text, t->by_sender == cases[i].by_sender);
		CHECK(cases[i].text, spf_term_counts(t) == cases[i].counts);
		CHECK(cases[i].text, (r.redirect == t) == (t->kind == SPF_KIND_REDIRECT));
	}
}

static void lists(void)
{
	struct spf_record r = { 0 };
	struct error err = { 0 };
	CHECK("alone", parse("v=spf1", &r, &err) && r.nterm == 0 && !r.redirect);
	CHECK("blanks", parse("v=spf1   ", &r, &err) && r.nterm == 0);
	CHECK("more blanks", parse("v=spf1   a   redirect=x.y  -all ", &r, &err) && r.nterm == 3);
	CHECK("more blanks", r.redirect == &r.term[1] && r.term[2].kind == SPF_KIND_ALL);
	CHECK("both modifiers", parse("v=spf1 exp=a.b redirect=c.d foo=a foo=b", &r, &err));
	CHECK("both modifiers", r.nterm == 4 && err.class == ERR_NONE);
}

static void refused(void)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "ipv4:1.2.3.4", "\"ipv4:1.2.3.4\": there is no such mechanism" },
		{ "-moo", "\"-moo\": there is no such mechanism" },
		{ "--all", "\"--all\": there is no such mechanism" },
		{ "-", "\"-\": there is no such mechanism" },
		{ ":x", "\":x\": there is no such mechanism" },
		{ "=x", "\"=x\": there is no such mechanism" },
		{ "1a=x", "\"1a=x\": there is no such mechanism" },
		{ "-redirect=x.y", "\"-redirect=x.y\": there is no such mechanism" },
		{ "a,", "\"a,\": there is no such mechanism" },
		{ "a;", "\"a;\": there is no such mechanism" },
		{ "include", "\"include\": there must be a value behind include" },
		{ "ip4/24", "\"ip4/24\": there must be a value behind ip4" },
		{ "exists=x:y exists", "\"exists\": there must be a value behind exists" },
		{ "a:", "\"a:\": the value is empty" },
		{ "include:", "\"include:\": the value is empty" },
		{ "redirect=", "\"redirect=\": the value is empty" },
		{ "exp=", "\"exp=\": the value is empty" },
		{ "all:x", "\"all:x\": nothing may follow all" },
		{ "all/24", "\"all/24\": nothing may follow all" },
		{ "ptr/24", "\"ptr/24\": nothing may follow ptr" },
		{ "redirect=a.b redirect=a.b", "\"redirect=a.b\": it is there twice" },
		{ "exp=a.b Exp=c.d", "\"Exp=c.d\": it is there twice" },
		{ "a:%", "\"a:%\": a stray percent sign" },
		{ "a:%d", "\"a:%d\": a stray percent sign" },
		{ "a:%%%", "\"a:%%%\": a stray percent sign" },
		{ "foo=%z", "\"foo=%z\": a stray percent sign" },
		{ "a:\xc3\xa4", "\"a:\xc3\xa4\": not printable ASCII" },
		{ "a:b\x7f", "\"a:b?\": not printable ASCII" },
		{ "a\tmx", "\"a mx\": not printable ASCII" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char record[200];
		struct spf_record r = { .nterm = 77 };
		struct error err = { 0 };
		snprintf(record, sizeof(record), "v=spf1 +a %s -all", cases[i].text);
		CHECK(cases[i].text, !parse(record, &r, &err) && r.nterm == 77);
		CHECK(cases[i].text, err.class == ERR_PERM && err.code.cls == 5);
		CHECK_STR(cases[i].text, err.text, cases[i].why);
	}
	struct spf_record r;
	struct error err = { 0 };
	CHECK("NUL", !spfrecord_parse(arena, SPAN("v=spf1 a:b\0c"), &r, &err));
	CHECK_STR("NUL", err.text, "\"a:b\": not printable ASCII");
}

static void sizes(void)
{
	static char record[SPF_RECORD_MOST + 100];
	struct spf_record r;
	struct error err = { 0 };
	size_t n = (size_t)snprintf(record, sizeof(record), "v=spf1 a:");
	memset(record + n, 'x', SPF_TERM_MOST - 2);
	CHECK("longest term", parse(record, &r, &err) && strlen(r.term[0].text) == SPF_TERM_MOST);
	record[n + SPF_TERM_MOST - 2] = 'x';
	CHECK("longer term", !parse(record, &r, &err));
	CHECK_STR("longer term", err.text,
		  "\"a:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\": more than 400 bytes");
	memset(record, 0, sizeof(record));
	memcpy(record, "v=spf1  ", 8);
	for (n = 8; n < SPF_RECORD_MOST; n += 2)
		memcpy(record + n, "a ", 2);
	CHECK("longest record", parse(record, &r, &err) && r.nterm == (SPF_RECORD_MOST - 8) / 2);
	record[SPF_RECORD_MOST] = ' ';
	CHECK("longer record", !parse(record, &r, &err));
	CHECK_STR("longer record", err.text, "4097 bytes, more than 4096");
}

/* Each prefix of a record at the end of a page. */
static void ends(void)
{
	static const char text[] = "v=spf1 a:%{l}/0//0 include:x ip4:1/0 redirect=%{d1r} exp=a%%b";
	struct guard_page g = guard_page_open(sizeof(text));
	for (size_t n = 0; n < sizeof(text); n++) {
		struct spf_record r;
		struct error err = { 0 };
		bool ok = spfrecord_parse(arena, guard_page_put(&g, (struct span){ text, n }), &r,
					  &err);
		CHECK("result or reason", ok != (err.text[0] != '\0'));
	}
	guard_page_close(&g);
}

static void memory(void)
{
	size_t refusals = 0, successes = 0;
	for (size_t size = 0; size < 5000; size += 16) {
		struct arena *a = arena_open(size);
		struct spf_record r;
		struct error err = { 0 };
		bool ok = spfrecord_parse(a, SPAN("v=spf1 a mx include:x.test -all"), &r, &err);
		refusals += !ok && err.class == ERR_INTERNAL;
		successes += ok && r.nterm == 4;
		arena_close(a);
	}
	CHECK("every size", refusals + successes == (5000 + 15) / 16 && refusals && successes);
}

int main(void)
{
	static const struct test tests[] = {
		{ "find", find },       { "terms", terms }, { "lists", lists },
		{ "refused", refused }, { "sizes", sizes }, { "ends", ends },
		{ "memory", memory },
	};
	arena = arena_open(LIMIT_ARENA);
	int status = test_main("spfrecord", tests, sizeof(tests) / sizeof(tests[0]));
	arena_close(arena);
	return status;
}
