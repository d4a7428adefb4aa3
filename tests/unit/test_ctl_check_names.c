/* SPDX-License-Identifier: ISC */
#include "front/ctl_check_names.h"
#include "harness.h"

static struct ip address(const char *text)
{
	struct ip ip = { .family = 0 };
	if (!ip_parse(span_of(text), &ip))
		abort();
	return ip;
}

static void test_generic(void)
{
	static const struct {
		const char *name, *ip;
		const char *part; /* NULL: an own name */
	} t[] = {
		{ "mail.example.org", "192.0.2.25", NULL },
		{ "mx2.dc10.example.org", "10.2.0.192", NULL },
		{ "mail25.example.org", "192.0.2.25", NULL },
		{ "poolside.example.org", "192.0.2.25", NULL },
		{ "clients.example.org", "192.0.2.25", NULL },
		{ "chomedia.example.org", "192.0.2.25", NULL },
		{ "mail.example.org", "2001:db8::25", NULL },
		{ "dead-beef.example.org", "2001:db8::25", NULL },
		{ "192-0-2-25.isp.example", "192.0.2.25", "numbers" },
		{ "25.2.0.192.isp.example", "192.0.2.25", "numbers" },
		{ "ip192x000x002x025.isp.example", "192.0.2.25", "numbers" },
		{ "host192000002025.isp.example", "192.0.2.25", "numbers" },
		{ "c0000219.isp.example", "192.0.2.25", "numbers" },
		{ "p2-25.net0.isp.example", "192.0.2.25", "numbers" },
		{ "198511007.isp.example", "198.51.100.7", "numbers" },
		{ "19851100200.isp.example", "198.51.100.200", "numbers" },
		{ "2001-db8-1-2-3-4-5-6.isp.example", "2001:db8:1:2:3:4:5:6", NULL },
		{ "2001-0db8-0001-0002-0003-0004-0005-0006.isp.example", "2001:db8:1:2:3:4:5:6",
		  "numbers" },
		{ "p200300c1234567.isp.example", "2003:c1:2345::c123:4567", "numbers" },
		{ "dsl.isp.example", "192.0.2.25", "\"dsl\"" },
		{ "a.dynamic.isp.example", "192.0.2.25", "\"dynamic\"" },
		{ "dyn-7.isp.example", "192.0.2.25", "\"dyn\"" },
		{ "ppp12.isp.example", "192.0.2.25", "\"ppp\"" },
		{ "x.pool.isp.example", "2001:db8::25", "\"pool\"" },
		{ "dhcp", "192.0.2.25", "\"dhcp\"" },
		{ "", "192.0.2.25", NULL },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct arena *a = arena_open(LIMIT_ARENA);
		const char *why = names_generic(a, t[i].name, address(t[i].ip));
		CHECK(t[i].name, (why != NULL) == (t[i].part != NULL));
		CHECK(t[i].name, !why || !t[i].part || strstr(why, t[i].part));
		arena_close(a);
	}
}

static void test_dmarc(void)
{
	static const struct {
		const char *record;
		bool found;
		const char *policy;
	} t[] = {
		{ "v=DMARC1; p=none", true, "none" },
		{ "v=DMARC1;p=reject;rua=mailto:x@example.org", true, "reject" },
		{ " v = DMARC1 ; P = Quarantine ;", true, "quarantine" },
		{ "v=DMARC1; sp=none; p=reject", true, "reject" },
		{ "v=DMARC1; p=reject; p=none", true, "reject" },
		{ "v=DMARC1; sp=none", true, NULL },
		{ "v=DMARC1; p=maybe", true, NULL },
		{ "v=DMARC1; p", true, NULL },
		{ "v=DMARC1", true, NULL },
		{ "v=DMARC10; p=none", false, NULL },
		{ "v=dmarc1; p=none", false, NULL },
		{ "p=none; v=DMARC1", false, NULL },
		{ "v=spf1 -all", false, NULL },
		{ "", false, NULL },
		{ ";;=;", false, NULL },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct dmarc d = names_dmarc(span_of(t[i].record));
		CHECK(t[i].record, d.found == t[i].found);
		CHECK(t[i].record, (d.policy != NULL) == (t[i].policy != NULL));
		if (d.policy && t[i].policy)
			CHECK_STR(t[i].record, d.policy, t[i].policy);
	}
}

TEST_MAIN("ctl_check_names", { "generic", test_generic }, { "dmarc", test_dmarc })
