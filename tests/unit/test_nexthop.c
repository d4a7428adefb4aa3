/* SPDX-License-Identifier: ISC */
#include "core/nexthop.h"
#include "harness.h"

struct nexthop_case {
	const char *domain;
	enum err_class class; /* ERR_NONE: good */
	struct esc code;
	enum nexthop_kind kind;
	const char *ip; /* of a literal */
};

static const struct nexthop_case cases[] = {
	{ "example.com", ERR_NONE, { 0 }, NEXTHOP_MX, "" },
	{ "EXAMPLE.Com", ERR_NONE, { 0 }, NEXTHOP_MX, "" },
	{ "localhost", ERR_NONE, { 0 }, NEXTHOP_MX, "" },
	{ "xn--bcher-kva.example", ERR_NONE, { 0 }, NEXTHOP_MX, "" },
	{ "[192.0.2.1]", ERR_NONE, { 0 }, NEXTHOP_LITERAL, "192.0.2.1" },
	{ "[IPv6:2001:db8::1]", ERR_NONE, { 0 }, NEXTHOP_LITERAL, "2001:db8::1" },
	{ "[ipv6:2001:db8::1]", ERR_NONE, { 0 }, NEXTHOP_LITERAL, "2001:db8::1" },
	{ "", ERR_PERM, { 5, 1, 2 }, NEXTHOP_MX, "" },
	{ ".", ERR_PERM, { 5, 1, 2 }, NEXTHOP_MX, "" },
	{ "a..example", ERR_PERM, { 5, 1, 2 }, NEXTHOP_MX, "" },
	{ "a b.example", ERR_PERM, { 5, 1, 2 }, NEXTHOP_MX, "" },
	{ "-a.example", ERR_PERM, { 5, 1, 2 }, NEXTHOP_MX, "" },
	{ "a\r\n.example", ERR_PERM, { 5, 1, 2 }, NEXTHOP_MX, "" },
	{ "[]", ERR_PERM, { 5, 1, 3 }, NEXTHOP_MX, "" },
	{ "[192.0.2.1", ERR_PERM, { 5, 1, 3 }, NEXTHOP_MX, "" },
	{ "[192.0.2.256]", ERR_PERM, { 5, 1, 3 }, NEXTHOP_MX, "" },
	{ "[2001:db8::1]", ERR_PERM, { 5, 1, 3 }, NEXTHOP_MX, "" },
	{ "[IPv6:192.0.2.1]", ERR_PERM, { 5, 1, 3 }, NEXTHOP_MX, "" },
	{ "[example.com]", ERR_PERM, { 5, 1, 3 }, NEXTHOP_MX, "" },
};

static void test_table(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct nexthop_case *t = &cases[i];
		struct nexthop r = { .name = "untouched" };
		struct error err = { 0 };
		char text[IP_TEXT] = "";
		bool good = nexthop_of_domain(t->domain, &r, &err);
		CHECK(t->domain, good == (t->class == ERR_NONE));
		CHECK(t->domain, err.class == t->class && err.code.cls == t->code.cls);
		CHECK(t->domain, err.code.subject == t->code.subject);
		CHECK(t->domain, err.code.detail == t->code.detail);
		if (!good) {
			CHECK_STR(t->domain, r.name, "untouched");
			CHECK(t->domain, err.text[0] != '\0');
			continue;
		}
		CHECK(t->domain, r.name == t->domain && r.kind == t->kind);
		ip_format(r.literal, text);
		CHECK_STR(t->domain, text, t->ip);
	}
}

static void test_length(void)
{
	char label[64], name[300] = "";
	memset(label, 'a', 63);
	label[63] = '\0';
	for (int i = 0; i < 4; i++)
		snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s%s", i ? "." : "",
			 label);
	struct nexthop r;
	struct error err = { 0 };
	CHECK("255 bytes", !nexthop_of_domain(name, &r, &err) && err.code.detail == 2);
	name[253] = '\0';
	CHECK("253 bytes", nexthop_of_domain(name, &r, &err));
}

TEST_MAIN("nexthop", { "table", test_table }, { "length", test_length })
