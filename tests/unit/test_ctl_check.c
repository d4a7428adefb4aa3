/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>

#include "front/ctl_check.h"

#include "check_world.h"

struct run {
	struct check_world world;
	bool ok, findings;
	struct error err;
	const char *text;
};

static void run(struct run *r, const struct ctl *like, const char *option, char *operand)
{
	static const uint8_t seed[16] = { 5 };
	char server[64];
	char *operands[] = { operand };
	check_open(&r->world);
	const struct ctl_tools tools = {
		.io = &r->world.io,
		.spf_program = SPF_PROGRAM,
		.seed = seed,
		.postconf = "/nonexistent/postconf",
		.postmap = "/nonexistent/postmap",
		.exim = "/nonexistent/exim",
	};
	struct ctl c = *like;
	snprintf(server, sizeof(server), "dns_servers=127.0.0.1:%u", r->world.dns.at.port);
	const char *const set[] = { server,
				    "helo_name=mail.sender.test",
				    "dane=no",
				    "address_family=ipv4",
				    "source_ipv4=127.0.0.25",
				    option };
	memcpy(c.set, set, sizeof(set));
	c.nset = sizeof(set) / sizeof(set[0]);
	c.config_file = "/dev/null";
	c.operand = operands;
	c.noperand = operand ? 1 : 0;
	c.now = NOW;
	c.out = r->world.print.out;
	c.tools = &tools;
	r->err = (struct error){ 0 };
	r->findings = false;
	r->ok = ctl_check(r->world.arena, &c, &r->findings, &r->err);
	r->text = print_text(&r->world.print);
}

static void test_check(void)
{
	static const struct ctl plain = { .nset = 0 }, json = { .flags = CTL_JSON },
				postfix = { .postfix = "/etc/postfix" },
				exim = { .exim = "/etc/exim4/exim4.conf" };
	char dir[64], option[90];
	struct run r;
	state_make(dir);
	if (getuid() == 0 && chown(dir, 0, 0))
		abort();
	snprintf(option, sizeof(option), "state_directory=%s", dir);
	run(&r, &plain, option, (char[]){ "sender.test" });
	CHECK("all is well", r.ok && !r.findings);
	CHECK("all is well", strstr(r.text, "Failures: 0, warnings: 0, ok: 14\n"));
	CHECK("no host", strstr(r.text, "neither Postfix nor Exim is installed"));
	CHECK("width", print_columns(r.text) <= PAGE_WIDTH);
	check_close(&r.world);
	run(&r, &plain, option, (char[]){ "<anna@Sender.test>" });
	CHECK("of an address",
	      r.ok && !r.findings && strstr(r.text, "Sender domain sender.test\n"));
	check_close(&r.world);
	run(&r, &plain, option, NULL);
	CHECK("no domain", r.ok && !r.findings && !strstr(r.text, "Sender domain"));
	check_close(&r.world);
	run(&r, &plain, "state_directory=", NULL);
	CHECK("a warning", r.ok && r.findings && strstr(r.text, "warnings: 1,"));
	check_close(&r.world);
	run(&r, &postfix, option, NULL);
	CHECK("no Postfix", r.ok && r.findings && strstr(r.text, "no /nonexistent/postconf\n"));
	check_close(&r.world);
	run(&r, &exim, option, NULL);
	CHECK("no Exim", r.ok && r.findings && strstr(r.text, "no /nonexistent/exim\n") &&
				 !strstr(r.text, "postconf"));
	check_close(&r.world);
	run(&r, &json, option, NULL);
	CHECK("json", r.ok && !r.findings && r.text[0] == '{' && strstr(r.text, "\"ok\": 12"));
	check_close(&r.world);
	state_drop(dir);
}

static void test_refused(void)
{
	static const struct ctl plain = { .nset = 0 }, to = { .to = "a b" };
	struct run r;
	run(&r, &plain, "state_directory=", (char[]){ "a b" });
	CHECK("no domain", !r.ok && r.text[0] == '\0' && r.world.dns.asked == 0);
	check_close(&r.world);
	run(&r, &plain, "state_directory=", (char[]){ "x@[192.0.2.1]" });
	CHECK("a literal", !r.ok && r.err.class == ERR_CONFIG);
	check_close(&r.world);
	run(&r, &plain, "max_mx=x", NULL);
	CHECK("configuration", !r.ok && r.err.class == ERR_CONFIG);
	check_close(&r.world);
	run(&r, &to, "state_directory=", NULL);
	CHECK("--to", !r.ok && strstr(r.err.text, "--to a b") && r.text[0] == '\0');
	check_close(&r.world);
}

TEST_MAIN("ctl_check", { "check", test_check }, { "refused", test_refused })
