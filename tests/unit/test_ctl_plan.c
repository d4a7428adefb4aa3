/* SPDX-License-Identifier: ISC */
#include <jansson.h>

#include "front/ctl.h"
#include "front/ctl_plan.h"
#include "harness.h"
#include "plan_world.h"

#include "mail_stub.h"

struct run {
	struct zone_server dns;
	char dir[64];
	struct print print;
	bool ok, findings;
	struct error err;
	const char *text;
};

static void world_open(struct run *r)
{
	state_make(r->dir);
	CHECK("memory", example_fill(r->dir, NOW, &r->err));
	zone_open(&r->dns, plan_zone, sizeof(plan_zone) / sizeof(plan_zone[0]));
}

static void world_close(struct run *r)
{
	zone_close(&r->dns);
	state_drop(r->dir);
}

static void run_at(struct run *r, unsigned flags, const char *operand, uint16_t dns, uint16_t smtp)
{
	struct io io = plan_io();
	const struct ctl_tools tools = { .io = &io,
					 .sts_program = "/nonexistent/sts",
					 .tls_module = "/nonexistent/tls.so",
					 .seed = plan_seed };
	struct arena *a = arena_open(LIMIT_ARENA);
	char *copy[] = { strdup(operand) };
	const struct ctl c = {
		.config_file = "/dev/null",
		.set = { arena_fmt(a, "dns_servers=127.0.0.1:%u", (unsigned)dns),
			 arena_fmt(a, "state_directory=%s", r->dir), "helo_name=h3.loop.test",
			 "refused_networks=127.0.0.9,::1", "source_ipv6=2001:db8:1::25",
			 arena_fmt(a, "smtp_port=%u", (unsigned)smtp) },
		.nset = 6,
		.flags = flags,
		.operand = copy,
		.noperand = 1,
		.now = NOW,
		.tools = &tools,
		.out = r->print.out,
	};
	r->findings = false;
	r->ok = ctl_plan(a, &c, &r->findings, &r->err);
	r->text = print_text(&r->print);
	free(copy[0]);
	arena_close(a);
}

static void run(struct run *r, unsigned flags, const char *operand)
{
	print_open(&r->print);
	run_at(r, flags, operand, r->dns.at.port, 25);
}

static void test_page(void)
{
	static const struct {
		const char *operand;
		bool findings;
		const char *parts[4];
	} t[] = {
		{ "example.net",
		  false,
		  { "would be tried now",
		    "1     2  h2.example.net  2001:db8::2  verify  good 3m ago",
		    "after all others: connect to", "in refused_networks: 127.0.0.9/32" } },
		{ "anna@example.net",
		  false,
		  { "Domain example.net\n", "enforce, fetched 2h30m ago" } },
		{ "broken.example",
		  true,
		  { "down: mail that was tried before is answered from memory until",
		    "4 runs in a row, last 5m ago" } },
		{ "tls.test",
		  false,
		  { "at the end and without TLS, which failed 6m ago", " none " } },
		{ "null.test", true, { "5.1.10 domain null.test accepts no mail", "null MX" } },
		{ "gone.test", true, { "5.1.2 ", "the domain does not exist" } },
		{ "fail.test", true, { "4.4.3 ", "the lookup failed" } },
		{ "odd.test", true, { "not the name of a host" } },
		{ "half.test", false, { "4.4.3 address lookup of h1.half.test: SERVFAIL" } },
		{ "bare.test", false, { "no MX records: the addresses of the domain itself" } },
		{ "many.test", false, { "Order of attempts: 20", "over max_mx" } },
		{ "loop.test",
		  false,
		  { "our own name: mail would loop", "at or behind the preference" } },
		{ "[192.0.2.77]", false, { "address literal", "has no name to prove" } },
		{ "[127.0.0.9]", true, { "nothing to try: no address can be used" } },
	};
	struct run r;
	world_open(&r);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		run(&r, 0, t[i].operand);
		CHECK(t[i].operand, r.ok && r.findings == t[i].findings);
		CHECK(t[i].operand, print_columns(r.text) <= PAGE_WIDTH);
		for (size_t k = 0; k < 4 && t[i].parts[k]; k++)
			CHECK(t[i].parts[k], strstr(r.text, t[i].parts[k]) != NULL);
		CHECK("no escapes", !strchr(r.text, '\033'));
		print_close(&r.print);
	}
	run(&r, 0, "a b@");
	CHECK("no address", !r.ok && r.text[0] == '\0');
	print_close(&r.print);
	world_close(&r);
}

/* Both forms tell the same: order, what is deliverable. */
static void test_json(void)
{
	static const char *const operands[] = { "example.net", "broken.example", "null.test",
						"gone.test",   "fail.test",      "odd.test",
						"half.test",   "bare.test",      "many.test",
						"tls.test",    "[192.0.2.77]",   "[127.0.0.9]" };
	struct run r;
	world_open(&r);
	for (size_t i = 0; i < sizeof(operands) / sizeof(operands[0]); i++) {
		run(&r, CTL_JSON, operands[i]);
		json_t *plan = json_loads(r.text, 0, NULL);
		json_t *order = json_object_get(plan, "order");
		CHECK(operands[i], r.ok && json_is_object(plan) && json_is_array(order));
		CHECK(operands[i],
		      json_is_true(json_object_get(plan, "deliverable")) != r.findings);
		CHECK(operands[i], json_is_null(json_object_get(plan, "probes")));
		CHECK(operands[i], json_object_size(plan) == 18);
		json_t *hosts = json_object_get(plan, "hosts");
		size_t placed = 0;
		for (size_t h = 0; h < json_array_size(hosts); h++) {
			json_t *host = json_array_get(hosts, h);
			json_t *list = json_object_get(host, "addresses");
			for (size_t k = 0; k < json_array_size(list); k++)
				placed += json_is_integer(
					json_object_get(json_array_get(list, k), "place"));
		}
		CHECK(operands[i], placed == json_array_size(order));
		json_decref(plan);
		print_close(&r.print);
	}
	world_close(&r);
}

static void test_probe(void)
{
	struct run r;
	struct mail_stub *stub = stub_open();
	world_open(&r);
	print_open(&r.print);
	run_at(&r, CTL_PROBE, "x.test", stub->dns_port, stub->smtp_port);
	CHECK("page", r.ok && !r.findings && strstr(r.text, "Result        ready for mail\n"));
	CHECK("page", strstr(r.text, "  Greeting      220 ") && strstr(r.text, "  EHLO          "));
	print_close(&r.print);
	print_open(&r.print);
	run_at(&r, CTL_PROBE | CTL_JSON, "x.test", stub->dns_port, stub->smtp_port);
	json_t *plan = json_loads(r.text, 0, NULL);
	json_t *probe = json_array_get(json_object_get(plan, "probes"), 0);
	CHECK("json", r.ok && !r.findings && json_is_true(json_object_get(probe, "ready")));
	CHECK("json", json_array_size(json_object_get(probe, "ehlo")) > 0);
	json_decref(plan);
	print_close(&r.print);
	uint16_t dead = stub->smtp_port;
	CHECK("no mail", stub_get(stub, &stub->mails) == 0);
	stub_close(stub);
	print_open(&r.print);
	run_at(&r, CTL_PROBE, "null.test", r.dns.at.port, dead);
	CHECK("nothing", r.ok && r.findings && strstr(r.text, "Nothing was connected"));
	print_close(&r.print);
	print_open(&r.print);
	run_at(&r, CTL_PROBE, "self.test", r.dns.at.port, dead);
	CHECK("dead", r.ok && r.findings && strstr(r.text, "no host is ready for mail") &&
			      strstr(r.text, "Connection refused"));
	print_close(&r.print);
	world_close(&r);
}

TEST_MAIN("ctl_plan", { "page", test_page }, { "json", test_json }, { "probe", test_probe })
