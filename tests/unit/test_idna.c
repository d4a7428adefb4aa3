/* SPDX-License-Identifier: ISC */
#include "harness.h"
#include "net/idna.h"

#define LABEL63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static void names(void)
{
	static const struct {
		const char *label, *in, *want; /* want NULL: PERM 5.1.2 */
	} cases[] = {
		{ "ascii", "example.com", "example.com" },
		{ "upper case", "EXAMPLE.Com", "example.com" },
		{ "final dot", "example.com.", "example.com" },
		{ "underscore", "_dmarc.example.com", "_dmarc.example.com" },
		{ "one label", "localhost", "localhost" },
		{ "A-label stays", "XN--MNCHEN-3YA.de", "xn--mnchen-3ya.de" },
		{ "A-label of nothing stays", "xn--zzzzzzz.de", "xn--zzzzzzz.de" },
		{ "longest label", LABEL63 ".example", LABEL63 ".example" },
		{ "literal", "[192.0.2.1]", "[192.0.2.1]" },
		{ "IPv6 literal", "[IPv6:2001:DB8::1]", "[IPv6:2001:DB8::1]" },
		{ "umlaut", "m\xc3\xbcnchen.de", "xn--mnchen-3ya.de" },
		{ "upper-case umlaut", "M\xc3\x9cNCHEN.DE", "xn--mnchen-3ya.de" },
		{ "decomposed umlaut", "mu\xcc\x88nchen.de", "xn--mnchen-3ya.de" },
		{ "sharp s is not ss",
		  "stra\xc3\x9f"
		  "e.de",
		  "xn--strae-oqa.de" },
		{ "ideographic full stop",
		  "\xe4\xbe\x8b\xe3\x81\x88\xe3\x80\x82\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
		  "xn--r8jz45g.xn--zckzah" },
		{ "fullwidth letters", "\xef\xbc\xa1.example", "a.example" },
		{ "final dot and umlaut", "\xc3\xbc.de.", "xn--tda.de" },
		{ "mixed", "mail.\xd0\xb8\xd1\x81\xd0\xbf.example", "mail.xn--h1aof.example" },
		{ "empty", "", NULL },
		{ "root", ".", NULL },
		{ "two dots", "a..b", NULL },
		{ "blank", "a b.example", NULL },
		{ "long label", LABEL63 "h.example", NULL },
		{ "bad literal", "[192.0.2]", NULL },
		{ "invalid UTF-8", "m\xfcnchen.de", NULL },
		{ "disallowed", "\xe2\x98\x83.example", NULL },
		{ "unassigned", "\xcd\xb8.example", NULL },
		{ "zero width joiner",
		  "a\xe2\x80\x8d"
		  "b.example",
		  NULL },
		{ "label too long as A-label", LABEL63 "\xc3\xbc.example", NULL },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *label = cases[i].label, *got = "untouched";
		struct error err = { 0 };
		bool ok = idna_ascii(a, cases[i].in, &got, &err);
		CHECK(label, ok == (cases[i].want != NULL));
		CHECK_STR(label, got, cases[i].want ? cases[i].want : "untouched");
		if (ok)
			CHECK(label, err.class == ERR_NONE);
		else
			CHECK(label, err.class == ERR_PERM && err.code.cls == 5 &&
					     err.code.subject == 1 && err.code.detail == 2);
	}
	arena_close(a);
}

static void text(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	const char *got = NULL;
	struct error err = { 0 };
	CHECK("text", !idna_ascii(a, "a..b", &got, &err));
	CHECK_STR("text", err.text, "domain \"a..b\": not a domain name");
	arena_close(a);
}

static void no_memory(void)
{
	static const char *const in[] = { "example.com", "[192.0.2.1]", "m\xc3\xbcnchen.de" };
	struct arena *a = arena_open(0);
	for (size_t i = 0; i < 3; i++) {
		const char *got = "untouched";
		struct error err = { 0 };
		CHECK(in[i], !idna_ascii(a, in[i], &got, &err) && err.class == ERR_INTERNAL);
		CHECK_STR(in[i], got, "untouched");
	}
	arena_close(a);
}

TEST_MAIN("idna", { "names", names }, { "text", text }, { "no_memory", no_memory })
