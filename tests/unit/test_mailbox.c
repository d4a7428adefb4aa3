/* SPDX-License-Identifier: ISC */
#include "front/mailbox.h"

#include "harness.h"

#define LABEL63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123"

#define IDN                                                                                        \
	("b\xc3\xbc"                                                                               \
	 "cher.test")

static bool is_error(const struct error *err, enum err_class class, struct esc code,
		     const char *begin)
{
	return err->class == class && err->code.cls == code.cls &&
	       err->code.subject == code.subject && err->code.detail == code.detail &&
	       strncmp(err->text, begin, strlen(begin)) == 0;
}

static void senders(void)
{
	static const struct {
		const char *label, *local, *domain, *out; /* NULL: refused */
	} cases[] = {
		{ "null", "", "", "" },
		{ "plain", "a", "example.net", "example.net" },
		{ "lower case", "A", "Example.NET", "example.net" },
		{ "final dot", "a", "example.net.", "example.net" },
		{ "IDN", "a", IDN, "xn--bcher-kva.test" },
		{ "A-label", "a", "XN--BCHER-KVA.test", "xn--bcher-kva.test" },
		{ "all in UTF-8", "\xc3\xbc", IDN, IDN },
		{ "local part in UTF-8", "\xc3\xbc", "Example.net", "Example.net" },
		{ "literal", "a", "[192.0.2.1]", "[192.0.2.1]" },
		{ "IPv6 literal", "a", "[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]" },
		{ "empty label", "a", "a..b", NULL },
		{ "long label", "a", LABEL63 "4.test", NULL },
		{ "longest label", "a", LABEL63 ".test", LABEL63 ".test" },
		{ "no letters", "a", "\xe2\x80\xa6\xe2\x80\xa6", NULL },
		{ "bad literal", "a", "[x]", NULL },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr s = { .local = cases[i].local, .domain = cases[i].domain };
		struct error err = { 0 };
		bool ok = mailbox_sender(a, &s, &err);
		CHECK(cases[i].label, ok == (cases[i].out != NULL));
		CHECK_STR(cases[i].label, s.local, cases[i].local);
		CHECK_STR(cases[i].label, s.domain, ok ? cases[i].out : cases[i].domain);
		CHECK(cases[i].label,
		      ok || is_error(&err, ERR_PERM, ESC(5, 1, 7), "sender: domain \""));
	}
	arena_close(a);
}

static void recipients(void)
{
	static const struct {
		const char *label, *local, *domain;
		const char *out, *dns; /* NULL: refused */
	} cases[] = {
		{ "plain", "a", "example.net", "example.net", "example.net" },
		{ "lower case", "A", "Example.NET", "example.net", "example.net" },
		{ "IDN", "a", IDN, "xn--bcher-kva.test", "xn--bcher-kva.test" },
		{ "all in UTF-8", "\xc3\xbc", IDN, IDN, "xn--bcher-kva.test" },
		{ "local part in UTF-8", "\xc3\xbc", "Example.net", "Example.net", "example.net" },
		{ "literal", "a", "[192.0.2.1]", "[192.0.2.1]", "[192.0.2.1]" },
		{ "quoted and empty", "", "example.net", "example.net", "example.net" },
		{ "empty label", "a", "a..b", NULL, NULL },
		{ "UTF-8 and no domain", "\xc3\xbc", "a..b", NULL, NULL },
		{ "long label", "a", LABEL63 "4.test", NULL, NULL },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	struct error err = { 0 };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr r = { .local = cases[i].local, .domain = cases[i].domain };
		const char *dns = "untouched";
		bool ok = mailbox_recipient(a, &r, &dns, &err);
		CHECK(cases[i].label, ok == (cases[i].out != NULL));
		CHECK_STR(cases[i].label, r.local, cases[i].local);
		CHECK_STR(cases[i].label, r.domain, ok ? cases[i].out : cases[i].domain);
		CHECK_STR(cases[i].label, dns, ok ? cases[i].dns : "untouched");
		CHECK(cases[i].label,
		      ok || is_error(&err, ERR_PERM, ESC(5, 1, 2), "recipient: domain \""));
	}
	struct addr none = { .local = "", .domain = "" };
	const char *dns = "untouched";
	CHECK("null", !mailbox_recipient(a, &none, &dns, &err));
	CHECK("null", is_error(&err, ERR_PERM, ESC(5, 1, 3), "the recipient is empty"));
	CHECK_STR("null", dns, "untouched");
	arena_close(a);
}

static void no_memory(void)
{
	static const char *const domains[] = { "example.net", IDN, "[192.0.2.1]" };
	struct arena *a = arena_open(4096);
	while (arena_new(a, 1, 1))
		;
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		struct addr s = { .local = "a", .domain = domains[i] }, r = s;
		struct error err = { 0 };
		const char *dns = "untouched";
		CHECK("sender", !mailbox_sender(a, &s, &err));
		CHECK("sender",
		      is_error(&err, ERR_INTERNAL, ESC(4, 3, 0), "sender: out of memory"));
		CHECK("recipient", !mailbox_recipient(a, &r, &dns, &err));
		CHECK("recipient",
		      is_error(&err, ERR_INTERNAL, ESC(4, 3, 0), "recipient: out of memory"));
		CHECK_STR("untouched", dns, "untouched");
		CHECK_STR("untouched", s.domain, domains[i]);
	}
	arena_close(a);
}

TEST_MAIN("mailbox", { "senders", senders }, { "recipients", recipients },
	  { "no memory", no_memory })
