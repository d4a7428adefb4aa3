/* SPDX-License-Identifier: ISC */
#include "harness.h"

#include "core/envelope.h"

#define UTF8 "\xc3\xbc"

static const struct {
	const char *label;
	struct addr sender, rcpt[2];
	struct facts facts;
	uint32_t needs;
} cases[] = {
	{ "plain", { "s", "a.test" }, { { "r", "b.test" }, { "q", "b.test" } }, { 0 }, 0 },
	{ "null sender", { "", "" }, { { "r", "b.test" }, { "q", "b.test" } }, { 0 }, 0 },
	{ "literal", { "s", "[192.0.2.1]" }, { { "r", "[192.0.2.2]" }, { "q", "x" } }, { 0 }, 0 },
	{ "8-bit text is not UTF-8 in a header field",
	  { "s", "a.test" },
	  { { "r", "b.test" }, { "q", "b.test" } },
	  { .has_8bit = true, .has_nul = true, .had_bare_cr = true, .size = 1 << 30 },
	  0 },
	{ "header field",
	  { "s", "a.test" },
	  { { "r", "b.test" }, { "q", "b.test" } },
	  { .header_utf8 = true },
	  EHLO_SMTPUTF8 },
	{ "sender, local part",
	  { UTF8, "a.test" },
	  { { "r", "b.test" }, { "q", "b.test" } },
	  { 0 },
	  EHLO_SMTPUTF8 },
	{ "sender, domain",
	  { "s", UTF8 ".test" },
	  { { "r", "b.test" }, { "q", "b.test" } },
	  { 0 },
	  EHLO_SMTPUTF8 },
	{ "first recipient",
	  { "s", "a.test" },
	  { { "r" UTF8, "b.test" }, { "q", "b.test" } },
	  { 0 },
	  EHLO_SMTPUTF8 },
	{ "last recipient, local part",
	  { "s", "a.test" },
	  { { "r", "b.test" }, { UTF8 "q", "b.test" } },
	  { 0 },
	  EHLO_SMTPUTF8 },
	{ "last recipient, domain, null sender",
	  { "", "" },
	  { { "r", "b.test" }, { "q", "b" UTF8 } },
	  { 0 },
	  EHLO_SMTPUTF8 },
};

static void test_needs(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recipient rcpt[2] = { { .addr = cases[i].rcpt[0], .text = "" },
					     { .addr = cases[i].rcpt[1], .text = "" } };
		struct envelope e = {
			.sender = cases[i].sender,
			.rcpt = rcpt,
			.nrcpt = 2,
			.domain = "b.test",
			.queue_id = "",
		};
		CHECK(cases[i].label, envelope_needs(&e, &cases[i].facts) == cases[i].needs);
	}
}

/* A recipient behind the last one is not looked at. */
static void test_count(void)
{
	struct recipient rcpt[2] = { { .addr = { "r", "b.test" } },
				     { .addr = { UTF8, "b.test" } } };
	struct envelope e = { .sender = { "s", "a.test" }, .rcpt = rcpt, .nrcpt = 1 };
	struct facts facts = { 0 };
	CHECK("one", envelope_needs(&e, &facts) == 0);
	e.nrcpt = 2;
	CHECK("two", envelope_needs(&e, &facts) == EHLO_SMTPUTF8);
}

TEST_MAIN("envelope", { "needs", test_needs }, { "count", test_count })
