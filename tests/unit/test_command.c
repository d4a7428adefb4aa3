/* SPDX-License-Identifier: ISC */
#include "harness.h"

#include "wire/command.h"

#define BEFORE "NOOP\r\n"

/* A buffer that holds something already, to see that failing leaves it alone. */
struct fixture {
	char room[2 * LIMIT_COMMAND];
	struct buf out;
	struct error err;
};

static void fixture_init(struct fixture *f)
{
	buf_init(&f->out, f->room, sizeof(f->room));
	buf_add(&f->out, SPAN(BEFORE));
	f->err = (struct error){ .class = ERR_NONE };
}

static void check_line(const char *label, struct fixture *f, bool ok, const char *want)
{
	CHECK(label, ok);
	CHECK(label, f->err.class == ERR_NONE);
	CHECK(label, !f->out.overflow);
	CHECK_STR(label, buf_cstr(&f->out) + strlen(BEFORE), want);
}

static void check_failure(const char *label, struct fixture *f, bool ok, enum err_class class)
{
	CHECK(label, !ok);
	CHECK(label, f->err.class == class);
	CHECK(label, f->err.text[0] != '\0');
	CHECK(label, !f->out.overflow);
	CHECK_STR(label, buf_cstr(&f->out), BEFORE);
}

static void test_hello(void)
{
	static const struct {
		const char *verb, *name, *want;
	} good[] = {
		{ "EHLO", "mail.example.org", "EHLO mail.example.org\r\n" },
		{ "HELO", "x", "HELO x\r\n" },
		{ "LHLO", "x", "LHLO x\r\n" },
		{ "EHLO", "[IPv6:2001:db8::1]", "EHLO [IPv6:2001:db8::1]\r\n" },
	};
	static const char *const bad[] = { "", "a\r\nMAIL", "a\n", "a\r", "a b", "a\tb", "a\177" };
	struct fixture f;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		fixture_init(&f);
		bool ok = command_hello(&f.out, good[i].verb, good[i].name, &f.err);
		check_line(good[i].want, &f, ok, good[i].want);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fixture_init(&f);
		bool ok = command_hello(&f.out, "EHLO", bad[i], &f.err);
		check_failure(bad[i], &f, ok, ERR_INTERNAL);
	}
	fixture_init(&f);
	bool ok = command_hello(&f.out, "EHLO\r\n", "x", &f.err);
	check_failure("verb", &f, ok, ERR_INTERNAL);
}

static void test_hello_length(void)
{
	char name[2 * LIMIT_COMMAND];
	struct fixture f;
	size_t most = LIMIT_COMMAND - strlen("EHLO \r\n");
	memset(name, 'x', sizeof(name));
	name[most] = '\0';
	fixture_init(&f);
	CHECK("longest", command_hello(&f.out, "EHLO", name, &f.err));
	name[most] = 'x';
	name[most + 1] = '\0';
	fixture_init(&f);
	bool ok = command_hello(&f.out, "EHLO", name, &f.err);
	/* Our own name is never a reason to bounce mail. */
	check_failure("one more", &f, ok, ERR_INTERNAL);
}

static void test_mail(void)
{
	static const struct {
		const char *label;
		struct addr from;
		struct mail_params p;
		const char *want;
	} cases[] = {
		{ "plain", { "a", "b" }, { 0 }, "MAIL FROM:<a@b>\r\n" },
		{ "null", { "", "" }, { 0 }, "MAIL FROM:<>\r\n" },
		{ "quoted", { "a \"b", "x" }, { 0 }, "MAIL FROM:<\"a \\\"b\"@x>\r\n" },
		{ "size is said only on demand",
		  { "a", "b" },
		  { .size = 5 },
		  "MAIL FROM:<a@b>\r\n" },
		{ "size 0", { "a", "b" }, { .say_size = true }, "MAIL FROM:<a@b> SIZE=0\r\n" },
		{ "largest size",
		  { "a", "b" },
		  { .say_size = true, .size = UINT64_MAX },
		  "MAIL FROM:<a@b> SIZE=18446744073709551615\r\n" },
		{ "8-bit",
		  { "a", "b" },
		  { .body_8bit = true },
		  "MAIL FROM:<a@b> BODY=8BITMIME\r\n" },
		{ "SMTPUTF8",
		  { "\xc3\xbc", "\xc3\xbc.test" },
		  { .smtputf8 = true },
		  "MAIL FROM:<\xc3\xbc@\xc3\xbc.test> SMTPUTF8\r\n" },
		{ "all",
		  { "a", "b" },
		  { true, 42, true, true, true, "HDRS", "QQ+2B314159" },
		  "MAIL FROM:<a@b> SIZE=42 BODY=8BITMIME SMTPUTF8 REQUIRETLS RET=HDRS "
		  "ENVID=QQ+2B314159\r\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		fixture_init(&f);
		bool ok = command_mail(&f.out, &cases[i].from, &cases[i].p, &f.err);
		check_line(cases[i].label, &f, ok, cases[i].want);
	}
}

static void test_mail_refused(void)
{
	static const struct {
		const char *label;
		struct addr from;
		struct mail_params p;
	} cases[] = {
		{ "LF in the local part", { "a\nb", "x" }, { 0 } },
		{ "CR in the local part", { "a\rb", "x" }, { 0 } },
		{ "CRLF in the domain", { "a", "x>\r\nRCPT TO:<b" }, { 0 } },
		{ "CRLF in ENVID", { "a", "b" }, { .envid = "x\r\nDATA" } },
		{ "blank in ENVID", { "a", "b" }, { .envid = "x SIZE=1" } },
		{ "empty ENVID", { "a", "b" }, { .envid = "" } },
		{ "LF in RET", { "a", "b" }, { .ret = "HDRS\n" } },
		{ "escape in RET", { "a", "b" }, { .ret = "\033" } },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		fixture_init(&f);
		bool ok = command_mail(&f.out, &cases[i].from, &cases[i].p, &f.err);
		check_failure(cases[i].label, &f, ok, ERR_INTERNAL);
	}
}

static void test_rcpt(void)
{
	static const struct {
		const char *label;
		struct addr to;
		struct rcpt_params p;
		const char *want; /* NULL: refused */
	} cases[] = {
		{ "plain", { "a", "b" }, { 0 }, "RCPT TO:<a@b>\r\n" },
		{ "quoted", { "", "b" }, { 0 }, "RCPT TO:<\"\"@b>\r\n" },
		{ "literal", { "a", "[192.0.2.1]" }, { 0 }, "RCPT TO:<a@[192.0.2.1]>\r\n" },
		{ "notify",
		  { "a", "b" },
		  { .notify = "SUCCESS,DELAY" },
		  "RCPT TO:<a@b> NOTIFY=SUCCESS,DELAY\r\n" },
		{ "all",
		  { "a", "b" },
		  { "NEVER", "rfc822;a+2Bb@c" },
		  "RCPT TO:<a@b> NOTIFY=NEVER ORCPT=rfc822;a+2Bb@c\r\n" },
		{ "null", { "", "" }, { 0 }, NULL },
		{ "LF", { "a\n", "b" }, { 0 }, NULL },
		{ "CR in NOTIFY", { "a", "b" }, { .notify = "NEVER\r" }, NULL },
		{ "LF in ORCPT", { "a", "b" }, { .orcpt = "rfc822;a\nb" }, NULL },
		{ "blank in ORCPT", { "a", "b" }, { .orcpt = "rfc822;a b" }, NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		fixture_init(&f);
		bool ok = command_rcpt(&f.out, &cases[i].to, &cases[i].p, &f.err);
		if (cases[i].want)
			check_line(cases[i].label, &f, ok, cases[i].want);
		else
			check_failure(cases[i].label, &f, ok, ERR_INTERNAL);
	}
}

/* A line of exactly LIMIT_COMMAND goes out, one byte more is the address's fault. */
static void test_limit(void)
{
	static char local[2 * LIMIT_COMMAND];
	struct addr ad = { local, "b" };
	struct fixture f;
	size_t most = LIMIT_COMMAND - strlen("RCPT TO:<@b>\r\n");
	memset(local, 'a', sizeof(local) - 1);
	local[most] = '\0';
	fixture_init(&f);
	CHECK("longest", command_rcpt(&f.out, &ad, &(struct rcpt_params){ 0 }, &f.err));
	CHECK("longest", f.out.len == strlen(BEFORE) + LIMIT_COMMAND);
	local[most] = 'a';
	for (size_t n = most + 1; n < sizeof(local); n += n < most + 20 ? 1 : 500) {
		char kept = local[n];
		local[n] = '\0';
		fixture_init(&f);
		bool ok = command_rcpt(&f.out, &ad, &(struct rcpt_params){ 0 }, &f.err);
		check_failure("over", &f, ok, ERR_PERM);
		CHECK("over",
		      f.err.code.cls == 5 && f.err.code.subject == 1 && f.err.code.detail == 3);
		f.err = (struct error){ .class = ERR_NONE };
		ok = command_mail(&f.out, &ad, &(struct mail_params){ .smtputf8 = true }, &f.err);
		check_failure("over", &f, ok, ERR_PERM);
		local[n] = kept;
	}
}

/* Room for all but one byte of the line: it is refused whole. */
static void test_full(void)
{
	const struct addr ad = { "a", "b" };
	const char *want = "RCPT TO:<a@b>\r\n";
	struct fixture f;
	fixture_init(&f);
	f.out.size = strlen(BEFORE) + strlen(want) + 1;
	bool ok = command_rcpt(&f.out, &ad, &(struct rcpt_params){ 0 }, &f.err);
	check_line("fits", &f, ok, want);
	fixture_init(&f);
	f.out.size = strlen(BEFORE) + strlen(want);
	ok = command_rcpt(&f.out, &ad, &(struct rcpt_params){ 0 }, &f.err);
	check_failure("full", &f, ok, ERR_INTERNAL);
}

static void test_plain(void)
{
	struct fixture f;
	fixture_init(&f);
	command_plain(&f.out, "STARTTLS");
	command_plain(&f.out, "DATA");
	check_line("plain", &f, true, "STARTTLS\r\nDATA\r\n");
	fixture_init(&f);
	f.out.size = strlen(BEFORE) + 4;
	command_plain(&f.out, "QUIT");
	CHECK("full", f.out.overflow);
	CHECK("full", f.out.len == strlen(BEFORE));
}

TEST_MAIN("command", { "hello", test_hello }, { "hello length", test_hello_length },
	  { "mail", test_mail }, { "mail refused", test_mail_refused }, { "rcpt", test_rcpt },
	  { "limit", test_limit }, { "full buffer", test_full }, { "plain", test_plain })
