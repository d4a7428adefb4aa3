/* SPDX-License-Identifier: ISC */
/* RFC 7208 as a table, with the real mxdirect-spf. */
#include "flow/spf.h"

#include "harness.h"
#include "spf_records.h"
#include "spf_world.h"

struct verdict {
	const char *domain, *source;
	enum spf_result result;
	const char *mechanism; /* NULL: is not looked at */
	unsigned lookups;
};

static void check_verdict(struct world *w, const struct verdict *v)
{
	CHECK(v->domain, evaluate(w, v->source, v->domain, far_off));
	CHECK_STR(v->domain, spf_result_name(w->answer.result), spf_result_name(v->result));
	CHECK_STR(v->domain, w->answer.mechanism, v->mechanism ? v->mechanism : "");
	CHECK(v->domain, w->answer.lookups == v->lookups);
	CHECK(v->domain, w->answer.why[0] && w->answer.ttl <= 3600);
	CHECK(v->domain, nobody_left());
	if (w->answer.result != v->result || w->answer.lookups != v->lookups)
		printf("\n        %s (%u)", w->answer.why, w->answer.lookups);
}

static void check_verdicts(const struct verdict *v, size_t n)
{
	struct world w;
	world_open(&w, zone, sizeof(zone) / sizeof(zone[0]));
	for (size_t i = 0; i < n; i++)
		check_verdict(&w, &v[i]);
	world_close(&w);
}
#define VERDICTS(v) check_verdicts(v, sizeof(v) / sizeof((v)[0]))

static void records(void)
{
	static const struct verdict cases[] = {
		{ "p.test", V4, SPF_PASS, "ip4:192.0.2.1 (p.test)", 0 },
		{ "p.test", V6, SPF_PASS, "ip6:2001:db8::1 (p.test)", 0 },
		{ "P.Test.", V4, SPF_PASS, "ip4:192.0.2.1 (p.test)", 0 },
		{ "p.test", "192.0.2.9", SPF_FAIL, "-all (p.test)", 0 },
		{ "p.test", "2001:db8::2", SPF_FAIL, "-all (p.test)", 0 },
		{ "p.test", "::ffff:192.0.2.1", SPF_PASS, "ip4:192.0.2.1 (p.test)", 0 },
		{ "p.test", "64:ff9b::192.0.2.1", SPF_FAIL, "-all (p.test)", 0 },
		{ "p.test", "127.0.0.1", SPF_FAIL, "-all (p.test)", 0 },
		{ "p.test", "::1", SPF_FAIL, "-all (p.test)", 0 },
		{ "alone.test", V4, SPF_NEUTRAL, NULL, 0 },
		{ "neutral.test", "192.0.2.9", SPF_NEUTRAL, NULL, 0 },
		{ "others.test", V4, SPF_PASS, "ip4:192.0.2.1 (others.test)", 0 },
		{ "upper.test", V4, SPF_PASS, "IP4:192.0.2.1 (upper.test)", 0 },
		{ "upper.test", "192.0.2.9", SPF_FAIL, "-ALL (upper.test)", 0 },
		{ "spaces.test", V4, SPF_PASS, "ip4:192.0.2.1 (spaces.test)", 0 },
		{ "many.test", V4, SPF_PASS, "ip4:192.0.2.1 (many.test)", 0 },
		{ "none.test", V4, SPF_NONE, NULL, 0 },
		{ "empty.test", V4, SPF_NONE, NULL, 0 },
		{ "gone.test", V4, SPF_NONE, NULL, 0 },
		{ "test", V4, SPF_NONE, NULL, 0 },
		{ "a..test", V4, SPF_NONE, NULL, 0 },
		{ "", V4, SPF_NONE, NULL, 0 },
		{ "[192.0.2.1]", V4, SPF_NONE, NULL, 0 },
		{ "two.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "fail.test", V4, SPF_TEMPERROR, NULL, 0 },
	};
	VERDICTS(cases);
}

static void mechanisms(void)
{
	static const struct {
		const char *name, *text, *source;
		unsigned lookups;
	} of[] = {
		{ "all", "all", V4, 0 },
		{ "ip4", "ip4:192.0.2.0/24", V4, 0 },
		{ "ip6", "ip6:2001:db8::/32", V6, 0 },
		{ "a", "a:h.test", V4, 1 },
		{ "a", "a:h.test", V6, 1 },
		{ "ptr", "ptr:ptr.test", V4, 1 },
		{ "ptr", "ptr:ptr.test", V6, 1 },
		{ "exists", "exists:h.test", V4, 1 },
		{ "exists", "exists:h.test", V6, 1 },
		{ "include", "include:p.test", V4, 1 },
		{ "mx", "mx:mx-pass.test", V4, 1 },
		{ "mx", "mx:mx-pass.test", V6, 1 },
	};
	static const enum spf_result results[] = { SPF_PASS, SPF_FAIL, SPF_SOFTFAIL, SPF_NEUTRAL };
	struct world w;
	char domain[100], mechanism[200];
	world_open(&w, zone, sizeof(zone) / sizeof(zone[0]));
	for (size_t i = 0; i < 4 * sizeof(of) / sizeof(of[0]); i++) {
		enum spf_result r = results[i % 4];
		const char *text = of[i / 4].text;
		snprintf(domain, sizeof(domain), "%s-%s.test", of[i / 4].name, spf_result_name(r));
		if (strcmp(domain, "mx-pass.test") == 0)
			text = "mx";
		snprintf(mechanism, sizeof(mechanism), "%c%s (%s)", "+-~?"[i % 4], text, domain);
		struct verdict v = { domain, of[i / 4].source, r, mechanism, of[i / 4].lookups };
		check_verdict(&w, &v);
	}
	world_close(&w);
}

static void addresses(void)
{
	static const struct verdict cases[] = {
		{ "ip6-long.test", V6, SPF_PASS,
		  "ip6:2001:0db8:0000:0000:0000:0000:0000:0001/128 (ip6-long.test)", 0 },
		{ "ip4-pass.test", "192.0.3.1", SPF_FAIL, "-all (ip4-pass.test)", 0 },
		{ "ip6-pass.test", "2001:db9::1", SPF_FAIL, "-all (ip6-pass.test)", 0 },
		{ "ip4-pass.test", V6, SPF_FAIL, "-all (ip4-pass.test)", 0 },
		{ "a-self.test", V4, SPF_PASS, "a (a-self.test)", 1 },
		{ "a-self.test", V6, SPF_FAIL, "-all (a-self.test)", 1 },
		{ "a-cidr.test", V4, SPF_PASS, "a:near.test/24//64 (a-cidr.test)", 1 },
		{ "a-cidr.test", V6, SPF_PASS, "a:near.test/24//64 (a-cidr.test)", 1 },
		{ "a-cidr.test", "192.0.3.1", SPF_FAIL, "-all (a-cidr.test)", 1 },
		{ "a-cidr.test", "2001:db8:0:1::1", SPF_FAIL, "-all (a-cidr.test)", 1 },
		{ "a-narrow.test", V4, SPF_FAIL, "-all (a-narrow.test)", 1 },
		{ "a-narrow.test", "192.0.2.77", SPF_PASS, "a:near.test/32//128 (a-narrow.test)",
		  1 },
		{ "a-narrow.test", "2001:db8::77", SPF_PASS, "a:near.test/32//128 (a-narrow.test)",
		  1 },
		{ "a-dot.test", V4, SPF_PASS, "a:h.test. (a-dot.test)", 1 },
		{ "mx-cidr.test", V4, SPF_PASS, "mx/24//64 (mx-cidr.test)", 1 },
		{ "mx-cidr.test", V6, SPF_PASS, "mx/24//64 (mx-cidr.test)", 1 },
		{ "mx-null.test", V4, SPF_FAIL, "-all (mx-null.test)", 1 },
		{ "mx10.test", V4, SPF_FAIL, "-all (mx10.test)", 1 },
		{ "mx11.test", V4, SPF_PERMERROR, NULL, 1 },
		{ "mx11-early.test", V4, SPF_PASS, "mx (mx11-early.test)", 1 },
		{ "ptr-else.test", V4, SPF_FAIL, "-all (ptr-else.test)", 1 },
		{ "ptr10.test", "192.0.2.2", SPF_PASS, "ptr:h10.crowd.test (ptr10.test)", 1 },
		{ "ptr11.test", "192.0.2.2", SPF_FAIL, "-all (ptr11.test)", 1 },
		{ "ptr-pass.test", "192.0.2.3", SPF_FAIL, "-all (ptr-pass.test)", 1 },
		{ "zero4.test", "203.0.113.1", SPF_PASS, "ip4:0.0.0.0/0 (zero4.test)", 0 },
		{ "zero4.test", V6, SPF_FAIL, "-all (zero4.test)", 0 },
		{ "zero6.test", V6, SPF_PASS, "ip6:::/0 (zero6.test)", 0 },
		{ "zero6.test", V4, SPF_FAIL, "-all (zero6.test)", 0 },
		{ "zero-a.test", V4, SPF_FAIL, "-a:h.elsewhere.test/0 (zero-a.test)", 1 },
		{ "zero-a.test", V6, SPF_PASS, "+all (zero-a.test)", 1 },
		{ "zero-a6.test", V6, SPF_PASS, "a:zero-h.test//0 (zero-a6.test)", 1 },
		{ "zero-a6.test", V4, SPF_FAIL, "-all (zero-a6.test)", 1 },
		{ "zero-mx.test", V4, SPF_PASS, "mx:mx10.test/0//64 (zero-mx.test)", 1 },
		{ "zero-none.test", V4, SPF_FAIL, "-all (zero-none.test)", 1 },
		{ "zero-syntax.test", V4, SPF_PERMERROR, NULL, 0 },
	};
	VERDICTS(cases);
}

static void other_records(void)
{
	static const struct verdict cases[] = {
		{ "include-pass.test", "192.0.2.9", SPF_FAIL, "-all (include-pass.test)", 1 },
		{ "include-soft.test", V4, SPF_PASS, "ip4:192.0.2.1 (include-soft.test)", 1 },
		{ "include-nothing.test", V4, SPF_PASS, "ip4:192.0.2.1 (include-nothing.test)", 1 },
		{ "include-none.test", V4, SPF_PERMERROR, NULL, 1 },
		{ "include-gone.test", V4, SPF_PERMERROR, NULL, 1 },
		{ "include-temp.test", V4, SPF_TEMPERROR, NULL, 1 },
		{ "include-perm.test", V4, SPF_PERMERROR, NULL, 1 },
		{ "include-broken.test", V4, SPF_PERMERROR, NULL, 1 },
		{ "include-odd.test", V4, SPF_PERMERROR, NULL, 1 },
		{ "include-macro.test", V4, SPF_PASS,
		  "include:%{d2}.macros.test (include-macro.test)", 1 },
		{ "redirect.test", V4, SPF_PASS, "ip4:192.0.2.1 (p.test)", 1 },
		{ "redirect.test", "192.0.2.9", SPF_FAIL, "-all (p.test)", 1 },
		{ "redirect-first.test", V4, SPF_PASS, "ip4:192.0.2.1 (redirect-first.test)", 0 },
		{ "redirect-first.test", V6, SPF_FAIL, "-all (all-fail.test)", 1 },
		{ "redirect-all.test", V4, SPF_NEUTRAL, "?all (redirect-all.test)", 0 },
		{ "redirect-none.test", V4, SPF_PERMERROR, NULL, 1 },
		{ "redirect-temp.test", V4, SPF_TEMPERROR, NULL, 1 },
		{ "redirect-twice.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "redirect-chain.test", V4, SPF_PASS, "ip4:192.0.2.1 (p.test)", 2 },
		{ "redirect-self.test", V4, SPF_PERMERROR, NULL, 10 },
		{ "include-redirect.test", V4, SPF_PASS,
		  "include:redirect.test (include-redirect.test)", 2 },
		{ "include-redirect.test", "192.0.2.9", SPF_SOFTFAIL,
		  "~all (include-redirect.test)", 2 },
		{ "include-self.test", V4, SPF_PERMERROR, NULL, 10 },
		{ "loop1.test", V4, SPF_PERMERROR, NULL, 10 },
	};
	VERDICTS(cases);
}

static void syntax(void)
{
	static const struct verdict cases[] = {
		{ "unknown.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "late.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "modifier.test", V4, SPF_PASS, "ip4:192.0.2.1 (modifier.test)", 0 },
		{ "modifier-bad.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "modifier-prefix.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "exp.test", V4, SPF_FAIL, "-all (exp.test)", 0 },
		{ "exp-twice.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "bad-ip4.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "bad-ip4-long.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "bad-ip6.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "bad-cidr.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "bad-cidr6.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "bad-colon.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "bad-all.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "bad-include.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "bad-comma.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "bad-utf8.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "bad-tab.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "m-c.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "m-z.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "m-stray.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "m-zero.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "m-open.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "long.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "long-redirect.test", V4, SPF_PERMERROR, NULL, 0 },
		{ "long-modifier.test", V4, SPF_PERMERROR, NULL, 0 },
	};
	struct world w;
	VERDICTS(cases);
	world_open(&w, zone, sizeof(zone) / sizeof(zone[0]));
	CHECK("exp", evaluate(&w, "192.0.2.9", "exp.test", far_off));
	CHECK("the explanation is not asked for", w.dns.asked == 1);
	world_close(&w);
}

static void limits(void)
{
	static const struct verdict cases[] = {
		{ "ten.test", V4, SPF_PASS, "ip4:192.0.2.1 (ten.test)", 10 },
		{ "eleven.test", V4, SPF_PERMERROR, NULL, 10 },
		{ "nested.test", V4, SPF_PASS, "ip4:192.0.2.1 (nested.test)", 10 },
		{ "nested-over.test", V4, SPF_PERMERROR, NULL, 10 },
		{ "wide.test", V4, SPF_PERMERROR, NULL, 10 },
		{ "exp0.test", V4, SPF_PERMERROR, NULL, 10 },
		{ "void2.test", V4, SPF_PASS, "ip4:192.0.2.1 (void2.test)", 2 },
		{ "void3.test", V4, SPF_PERMERROR, NULL, 3 },
		{ "crowd.test", V4, SPF_PERMERROR, NULL, 10 },
		/* None of its hosts has an IPv6 address, but that is one term. */
		{ "void-hosts.test", V6, SPF_PASS, "ip6:2001:db8::1 (void-hosts.test)", 1 },
	};
	struct world w;
	VERDICTS(cases);
	world_open(&w, zone, sizeof(zone) / sizeof(zone[0]));
	CHECK("few questions", evaluate(&w, V4, "exp0.test", far_off) && w.dns.asked < 10);
	world_close(&w);
}

static void dns_trouble(void)
{
	static const struct verdict cases[] = {
		{ "a-temp.test", V4, SPF_TEMPERROR, NULL, 1 },
		{ "a-temp.test", V6, SPF_TEMPERROR, NULL, 1 },
		{ "mx-temp.test", V4, SPF_TEMPERROR, NULL, 1 },
		{ "mx-temp2.test", V4, SPF_TEMPERROR, NULL, 1 },
		{ "exists-temp.test", V4, SPF_TEMPERROR, NULL, 1 },
		{ "ptr-temp.test", "192.0.2.8", SPF_PASS, "ip4:192.0.2.8/30 (ptr-temp.test)", 1 },
		{ "ptr-temp.test", "192.0.2.9", SPF_PASS, "ip4:192.0.2.8/30 (ptr-temp.test)", 1 },
		{ "before-temp.test", V4, SPF_PASS, "ip4:192.0.2.1 (before-temp.test)", 0 },
	};
	VERDICTS(cases);
}

static void macros(void)
{
	static const struct {
		const char *domain, *source, *asked;
	} cases[] = {
		{ "m-i.test", V4, "192.0.2.1.m.test" },
		{ "m-i.test", V6,
		  "2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.m.test" },
		{ "m-ir.test", V4, "1.2.0.192.in-addr.m.test" },
		{ "m-ir.test", V6,
		  "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.m.test" },
		{ "m-s.test", V4, "strong-bad.m-s.test.m.test" },
		{ "m-l.test", V4, "strong.bad.m.test" },
		{ "m-lr.test", V4, "bad.strong.m.test" },
		{ "m-l1r.test", V4, "strong.m.test" },
		{ "sub.m-d.test", V4, "m-d.test.m.test" },
		{ "sub.m-d3.test", V4, "sub.m-d3.test.m.test" },
		{ "sub.m-d9r.test", V4, "test.m-d9r.sub.m.test" },
		{ "sub.m-dr.test", V4, "sub.m.test" },
		{ "m-h.test", V4, "mail.helo.test.m.test" },
		{ "m-p.test", V4, "host.ptr.test.m.test" },
		{ "m-p.test", "192.0.2.3", "unknown.m.test" },
		{ "m-upper.test", V4, "m-upper.test.m.test" },
		{ "m-o.test", V4, "m-o.test.m-o2.test.m.test" },
		/* RFC 7208 section 7.3: the labels on the left go. */
		{ "m-long.test", V4,
		  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
		  "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc."
		  "192.0.2.1.192.0.2.1.192.0.2.1.192.0.2.1.192.0.2.1.192.0.2.1."
		  "192.0.2.1.m.test" },
	};
	struct world w;
	world_open(&w, zone, sizeof(zone) / sizeof(zone[0]));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(cases[i].domain, evaluate(&w, cases[i].source, cases[i].domain, far_off));
		CHECK_STR(cases[i].domain, spf_result_name(w.answer.result), "pass");
		pthread_mutex_lock(&w.dns.lock);
		CHECK_STR(cases[i].domain, w.dns.exists, cases[i].asked);
		pthread_mutex_unlock(&w.dns.lock);
	}
	world_close(&w);
}

/* Local parts and names that cannot be in a question. */
static void senders(void)
{
	static const struct {
		const char *local, *helo, *domain;
		enum spf_result result;
	} cases[] = {
		{ "strong-bad", "mail.helo.test", "m-at.test", SPF_PASS },
		{ "m\xc3\xbcller", "mail.helo.test", "m-s.test", SPF_FAIL },
		{ "a b", "mail.helo.test", "m-s.test", SPF_FAIL },
		{ "", "mail.helo.test", "m-s.test", SPF_FAIL },
		{ "a\nb", "mail.helo.test", "p.test", SPF_PASS },
		{ "a@b", "mail.helo.test", "p.test", SPF_PASS },
		{ "a@b", "mail.helo.test", "m-l.test", SPF_FAIL },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "x.test",
		  "m-s.test", SPF_FAIL },
		{ "postmaster", "mail.helo.test", "m-s.test", SPF_PASS },
		{ "postmaster", "[192.0.2.1]", "m-h.test", SPF_PASS },
		{ "postmaster", "", "m-h.test", SPF_PASS },
		{ "postmaster", NULL, "m-h.test", SPF_PASS },
	};
	struct world w;
	world_open(&w, zone, sizeof(zone) / sizeof(zone[0]));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		w.question.local = cases[i].local;
		w.question.helo = cases[i].helo;
		CHECK(cases[i].local, evaluate(&w, V4, cases[i].domain, far_off));
		CHECK_STR(cases[i].local, spf_result_name(w.answer.result),
			  spf_result_name(cases[i].result));
	}
	CHECK_STR("no name for HELO", w.dns.exists, "unknown.m.test");
	world_close(&w);
}

/* Whose answer is for this local part alone? */
static void by_sender(void)
{
	static const struct {
		const char *domain, *source;
		bool want;
	} t[] = {
		{ "p.test", V4, false },    { "m-s.test", V4, true },
		{ "m-at.test", V4, true },  { "m-o.test", V4, false },
		{ "m-h.test", V4, false },  { "m-late.test", V4, false },
		{ "m-to.test", V4, true },  { "m-late.test", "192.0.2.9", true },
		{ "gone.test", V4, false },
	};
	struct world w;
	world_open(&w, zone, sizeof(zone) / sizeof(zone[0]));
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		w.question.local = i % 2 ? "strong-bad" : "not in a name";
		CHECK(t[i].domain, evaluate(&w, t[i].source, t[i].domain, far_off));
		CHECK(t[i].domain, w.answer.by_sender == t[i].want);
	}
	world_close(&w);
}

static void reasons(void)
{
	static const struct {
		const char *domain, *why;
		uint32_t ttl;
	} cases[] = {
		{ "p.test", "192.0.2.1 matches ip4:192.0.2.1 in the record of p.test", 300 },
		{ "a-self.test", "192.0.2.1 matches a in the record of a-self.test", 100 },
		{ "alone.test", "nothing in the record of alone.test matches 192.0.2.1", 300 },
		{ "include-pass.test",
		  "by way of +include:p.test: 192.0.2.1 matches ip4:192.0.2.1 in the record of "
		  "p.test",
		  300 },
		{ "none.test", "none.test has no SPF record", 300 },
		{ "gone.test", "gone.test does not exist", 60 },
		{ "two.test", "two.test has 2 SPF records", 300 },
		{ "fail.test", "TXT of fail.test: SERVFAIL", 0 },
		{ "x", "\"x\" is no domain that has an SPF record", 3600 },
		{ "unknown.test",
		  "the record of unknown.test: \"ipv4:192.0.2.1\": there is no such mechanism",
		  300 },
		{ "bad-ip4.test",
		  "the record of bad-ip4.test: \"ip4:192.0.2\": Invalid IPv4 address literal",
		  300 },
		{ "a-temp.test",
		  "a:down.test in the record of a-temp.test: A of down.test: SERVFAIL", 0 },
		{ "include-gone.test",
		  "include:gone.test in the record of include-gone.test: gone.test does not exist",
		  60 },
		{ "redirect-none.test",
		  "redirect=none.test in the record of redirect-none.test: none.test has no SPF "
		  "record",
		  300 },
		{ "include-odd.test",
		  "include:a..b in the record of include-odd.test: \"a..b\" is no domain name",
		  300 },
		{ "eleven.test",
		  "a:h11.elsewhere.test in the record of eleven.test: more than 10 terms that ask "
		  "DNS",
		  100 },
		{ "void3.test",
		  "exists:v2.test in the record of void3.test: more than 2 terms for which DNS has "
		  "nothing",
		  60 },
		{ "crowd.test",
		  "a:x.t in the record of crowd.test: DNS has more than 2000 records for it", 100 },
		{ "long.test",
		  "the record of long.test: \"exists:%{i}%{i}%{i}%{i}%{i}%{i}%{i}%{i}%...\": more "
		  "than 400 "
		  "bytes",
		  300 },
		{ "mx11.test",
		  "mx in the record of mx11.test: \"mx\": Mechanisms used too many DNS lookups",
		  100 },
	};
	struct world w;
	world_open(&w, zone, sizeof(zone) / sizeof(zone[0]));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(cases[i].domain, evaluate(&w, V4, cases[i].domain, far_off));
		CHECK_STR(cases[i].domain, w.answer.why, cases[i].why);
		CHECK(cases[i].domain, w.answer.ttl == cases[i].ttl);
	}
	world_close(&w);
}

static void stopped(void)
{
	int stop[2];
	struct world w;
	world_open(&w, zone, sizeof(zone) / sizeof(zone[0]));
	if (pipe2(stop, O_CLOEXEC) != 0)
		abort();
	close(stop[1]);
	w.io.stop_fd = stop[0];
	w.answer.lookups = 77;
	CHECK("stopped", !evaluate(&w, V4, "p.test", far_off) && nobody_left());
	CHECK("stopped", w.err.class == ERR_TEMP && w.err.code.subject == 3);
	CHECK("nothing is touched", w.answer.lookups == 77);
	close(stop[0]);
	world_close(&w);
}

static void memory(void)
{
	struct world w;
	world_open(&w, zone, sizeof(zone) / sizeof(zone[0]));
	struct arena *large = w.arena;
	size_t refused = 0, found = 0;
	for (size_t size = 500; size < 200000; size += size / 4) {
		w.arena = arena_open(size);
		bool ok = evaluate(&w, V4, "include-pass.test", far_off);
		refused += !ok && w.err.class == ERR_INTERNAL;
		found += ok && w.answer.result == SPF_PASS;
		CHECK("one or the other",
		      ok ? w.answer.result == SPF_PASS || w.answer.result == SPF_TEMPERROR
			 : w.err.class == ERR_INTERNAL);
		CHECK("nobody is left", nobody_left());
		resolver_forget(w.resolver);
		arena_close(w.arena);
	}
	CHECK("both came about", refused > 0 && found > 0);
	w.arena = large;
	world_close(&w);
}

TEST_MAIN("spf", { "records", records }, { "mechanisms", mechanisms }, { "addresses", addresses },
	  { "other records", other_records }, { "syntax", syntax }, { "limits", limits },
	  { "DNS trouble", dns_trouble }, { "macros", macros }, { "senders", senders },
	  { "by sender", by_sender }, { "reasons", reasons }, { "stopped", stopped },
	  { "memory", memory })
