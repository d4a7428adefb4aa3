/* SPDX-License-Identifier: ISC */
#include "core/route.h"
#include "harness.h"

struct route_case {
	const char *domain;
	enum err_class class; /* ERR_NONE: good */
	struct esc code;
	enum route_kind kind;
	const char *ip; /* of a literal */
};

static const struct route_case cases[] = {
	{ "example.com", ERR_NONE, { 0 }, ROUTE_MX, "" },
	{ "EXAMPLE.Com", ERR_NONE, { 0 }, ROUTE_MX, "" },
	{ "localhost", ERR_NONE, { 0 }, ROUTE_MX, "" },
	{ "xn--bcher-kva.example", ERR_NONE, { 0 }, ROUTE_MX, "" },
	{ "[192.0.2.1]", ERR_NONE, { 0 }, ROUTE_LITERAL, "192.0.2.1" },
	{ "[IPv6:2001:db8::1]", ERR_NONE, { 0 }, ROUTE_LITERAL, "2001:db8::1" },
	{ "[ipv6:2001:db8::1]", ERR_NONE, { 0 }, ROUTE_LITERAL, "2001:db8::1" },
	{ "", ERR_PERM, { 5, 1, 2 }, ROUTE_MX, "" },
	{ ".", ERR_PERM, { 5, 1, 2 }, ROUTE_MX, "" },
	{ "a..example", ERR_PERM, { 5, 1, 2 }, ROUTE_MX, "" },
	{ "a b.example", ERR_PERM, { 5, 1, 2 }, ROUTE_MX, "" },
	{ "-a.example", ERR_PERM, { 5, 1, 2 }, ROUTE_MX, "" },
	{ "a\r\n.example", ERR_PERM, { 5, 1, 2 }, ROUTE_MX, "" },
	{ "[]", ERR_PERM, { 5, 1, 3 }, ROUTE_MX, "" },
	{ "[192.0.2.1", ERR_PERM, { 5, 1, 3 }, ROUTE_MX, "" },
	{ "[192.0.2.256]", ERR_PERM, { 5, 1, 3 }, ROUTE_MX, "" },
	{ "[2001:db8::1]", ERR_PERM, { 5, 1, 3 }, ROUTE_MX, "" },
	{ "[IPv6:192.0.2.1]", ERR_PERM, { 5, 1, 3 }, ROUTE_MX, "" },
	{ "[example.com]", ERR_PERM, { 5, 1, 3 }, ROUTE_MX, "" },
};

static void test_table(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct route_case *t = &cases[i];
		struct route r = { .domain = "untouched" };
		struct error err = { 0 };
		char text[IP_TEXT] = "";
		bool good = route_decide(t->domain, &r, &err);
		CHECK(t->domain, good == (t->class == ERR_NONE));
		CHECK(t->domain, err.class == t->class && err.code.cls == t->code.cls);
		CHECK(t->domain, err.code.subject == t->code.subject);
		CHECK(t->domain, err.code.detail == t->code.detail);
		if (!good) {
			CHECK_STR(t->domain, r.domain, "untouched");
			CHECK(t->domain, err.text[0] != '\0');
			continue;
		}
		CHECK(t->domain, r.domain == t->domain && r.kind == t->kind);
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
	struct route r;
	struct error err = { 0 };
	CHECK("255 bytes", !route_decide(name, &r, &err) && err.code.detail == 2);
	name[253] = '\0';
	CHECK("253 bytes", route_decide(name, &r, &err));
}

TEST_MAIN("route", { "table", test_table }, { "length", test_length })
