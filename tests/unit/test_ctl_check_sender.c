/* SPDX-License-Identifier: ISC */
#include "front/ctl_check_sender.h"

#include "check_world.h"

static void set_source(struct check_world *w, const char *source)
{
	w->config.address_family = FAMILY_IPV4;
	if (!ip_parse(span_of(source), &w->config.source_ipv4))
		abort();
}

static void test_addresses(void)
{
	static const struct {
		const char *source;
		enum finding_kind kind;
		enum finding_level level;
		const char *part;
		bool last; /* nothing follows */
	} t[] = {
		{ "127.0.0.25", FIND_SOURCE, FINDING_OK, "source_ipv4", false },
		{ "127.0.0.25", FIND_REVERSE, FINDING_OK, "mail.sender.test", false },
		{ "127.0.0.25", FIND_FORWARD, FINDING_OK, "127.0.0.25", false },
		{ "127.0.0.25", FIND_GENERIC, FINDING_OK, "mail.sender.test", true },
		{ "127.0.0.26", FIND_GENERIC, FINDING_WARNING, "\"dsl\"", true },
		{ "127.0.0.27", FIND_FORWARD, FINDING_FAILURE, "does not have", false },
		{ "127.0.0.28", FIND_REVERSE, FINDING_FAILURE, "no PTR", true },
		{ "127.0.0.29", FIND_REVERSE, FINDING_WARNING, "SERVFAIL", true },
		{ "127.0.0.30", FIND_FORWARD, FINDING_WARNING, "SERVFAIL", false },
		{ "127.0.0.31", FIND_REVERSE, FINDING_OK, "and others", false },
		{ "127.0.0.31", FIND_FORWARD, FINDING_OK, "h3.many.test", false },
		{ "192.0.2.99", FIND_SOURCE, FINDING_FAILURE, "does not have it", false },
		{ "10.1.2.3", FIND_SOURCE, FINDING_WARNING, "private", true },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct check_world w;
		struct check_sources s;
		check_open(&w);
		set_source(&w, t[i].source);
		check_addresses(&w.findings, &w.sv, &s);
		CHECK(t[i].source, s.n == 1);
		CHECK_STR(t[i].source, s.source[0].text, t[i].source);
		check_is(t[i].source, &w.findings, t[i].kind, t[i].level, t[i].part);
		const struct finding *one = check_found(&w.findings, t[i].kind, 0);
		CHECK(t[i].source, one && (one->next == NULL) == t[i].last);
		check_close(&w);
	}
}

static void test_families(void)
{
	struct check_world w;
	struct check_sources s;
	check_open(&w);
	set_source(&w, "127.0.0.25");
	ip_parse(SPAN("::1"), &w.config.source_ipv6);
	w.config.address_family = FAMILY_ANY;
	check_addresses(&w.findings, &w.sv, &s);
	CHECK("both", s.n == 2 && s.source[0].ip.family == 4 && s.source[1].ip.family == 6);
	w.config.address_family = FAMILY_IPV6;
	check_addresses(&w.findings, &w.sv, &s);
	CHECK("one", s.n == 1 && s.source[0].ip.family == 6);
	check_close(&w);
}

static void test_helo(void)
{
	static const struct {
		const char *name, *source;
		enum finding_kind kind;
		enum finding_level level;
		const char *part;
	} t[] = {
		{ "mail.sender.test", "127.0.0.25", FIND_HELO_NAME, FINDING_OK, "full" },
		{ "mail.sender.test", "127.0.0.25", FIND_HELO_ADDRESS, FINDING_OK, "127.0.0.25" },
		{ "mail.sender.test", "127.0.0.25", FIND_HELO_REVERSE, FINDING_OK, "127.0.0.25" },
		{ "Mail.Sender.test", "127.0.0.25", FIND_HELO_REVERSE, FINDING_OK, "127.0.0.25" },
		{ "mail.sender.test", "127.0.0.26", FIND_HELO_ADDRESS, FINDING_FAILURE, "not" },
		{ "mail.sender.test", "127.0.0.26", FIND_HELO_REVERSE, FINDING_WARNING, "dsl.isp" },
		{ "none.sender.test", "127.0.0.25", FIND_HELO_ADDRESS, FINDING_FAILURE, "not" },
		{ "lost.sender.test", "127.0.0.25", FIND_HELO_ADDRESS, FINDING_WARNING,
		  "SERVFAIL" },
		{ "sender", "127.0.0.25", FIND_HELO_NAME, FINDING_FAILURE, "not a full" },
		{ "[127.0.0.25]", "127.0.0.25", FIND_HELO_NAME, FINDING_FAILURE, "not a full" },
		{ "", "127.0.0.25", FIND_HELO_NAME, FINDING_FAILURE, "no full name" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct check_world w;
		struct check_sources s;
		check_open(&w);
		set_source(&w, t[i].source);
		w.sv.own_name = t[i].name;
		check_addresses(&w.findings, &w.sv, &s);
		check_helo(&w.findings, &w.sv, &s);
		check_is(t[i].name, &w.findings, t[i].kind, t[i].level, t[i].part);
		const struct finding *one = check_found(&w.findings, FIND_HELO_NAME, 0);
		bool full = one && one->level == FINDING_OK;
		CHECK(t[i].name, full == (check_found(&w.findings, FIND_HELO_ADDRESS, 0) != NULL));
		check_close(&w);
	}
}

static void test_domain(void)
{
	static const struct {
		const char *domain;
		enum finding_level spf;
		const char *spf_part;
		enum finding_level dmarc;
		const char *dmarc_part;
		const char *fix; /* of SPF */
	} t[] = {
		{ "sender.test", FINDING_OK, "pass for 127.0.0.25: ip4:127.0.0.25 (sender.test)",
		  FINDING_OK, "p=reject", NULL },
		{ "neutral.test", FINDING_WARNING, "neutral for", FINDING_FAILURE,
		  "has no p=", "Add ip4:127.0.0.25 " },
		{ "strict.test", FINDING_FAILURE, "fail for 127.0.0.25: -all (strict.test)",
		  FINDING_FAILURE, "2 records", "Add ip4:127.0.0.25 " },
		{ "wrong.test", FINDING_FAILURE, "permerror", FINDING_WARNING, "SERVFAIL",
		  "Correct" },
		{ "silent.test", FINDING_WARNING, "temperror", FINDING_WARNING, "there is none",
		  "name servers" },
		{ "none.test", FINDING_WARNING, "none for", FINDING_WARNING, "there is none",
		  "Publish none.test. TXT \"v=spf1 ip4:127.0.0.25 -all\"" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct check_world w;
		struct check_sources s;
		check_open(&w);
		set_source(&w, "127.0.0.25");
		check_addresses(&w.findings, &w.sv, &s);
		CHECK(t[i].domain, check_domain(&w.findings, &w.sv, &s, t[i].domain, &w.err));
		check_is(t[i].domain, &w.findings, FIND_SPF, t[i].spf, t[i].spf_part);
		check_is(t[i].domain, &w.findings, FIND_DMARC, t[i].dmarc, t[i].dmarc_part);
		const struct finding *spf = check_found(&w.findings, FIND_SPF, 0);
		CHECK(t[i].domain, spf && (!t[i].fix || strstr(spf->fix, t[i].fix)));
		check_close(&w);
	}
}

TEST_MAIN("ctl_check_sender", { "addresses", test_addresses }, { "families", test_families },
	  { "helo", test_helo }, { "domain", test_domain })
