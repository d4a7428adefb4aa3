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
	bool routed;
	const char *size, *sender;
	struct print print;
	bool ok, findings;
	struct error err;
	const char *text;
};

static void world_open(struct run *r)
{
	r->routed = false;
	r->size = r->sender = NULL;
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
		.config_file = r->routed ? arena_fmt(a, "%s/routes.conf", r->dir) : "/dev/null",
		.set = { arena_fmt(a, "dns_servers=127.0.0.1:%u", (unsigned)dns),
			 arena_fmt(a, "state_directory=%s", r->dir), "helo_name=h3.loop.test",
			 "refused_networks=127.0.0.9,::1", "source_ipv6=2001:db8:1::25",
			 arena_fmt(a, "smtp_port=%u", (unsigned)smtp) },
		.nset = 6,
		.flags = flags,
		.size = r->size,
		.sender = r->sender,
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

static void routed_open(struct run *r)
{
	world_open(r);
	plan_write_routes(r->dir);
	r->routed = true;
}

static void test_routes(void)
{
	static const struct {
		const char *operand, *size, *sender;
		bool findings;
		const char *parts[6];
	} t[] = {
		{ "bare.test",
		  NULL,
		  NULL,
		  false,
		  { "Routes: 1 of 12 used\n", "  fred   yes\n", "no: another domain\n",
		    "no: the sender is not known\n", "  To            relay1.test, port 587\n",
		    "[192.0.2.81]:587  verify" } },
		{ "bare.test",
		  "20M",
		  "a@big.example",
		  false,
		  { "Message       20971520 bytes, from <a@big.example>\n",
		    "no: not over size_over\n",
		    "/routes.conf:5: hosts = relay2.test; sender = @big.example; size_over = "
		    "20M\n" } },
		{ "bare.test", NULL, "a@big.example", false, { "no: the size is not known\n" } },
		{ "bare.test", "1", "<>", false, { "1 bytes, from <>", "no: another sender\n" } },
		{ "bare.test",
		  "20971521",
		  "<b@BIG.example>",
		  false,
		  { "Routes: 2 of 12 used\n", "Way 1: route \"*\" (",
		    "Way 2: route \"bare.test\" (", "  1    1     -  relay2.test  192.0.2.82",
		    "from <b@BIG.example>",
		    "Login         as fred, after TLS has proven the server\n" } },
		{ "broken.example",
		  NULL,
		  NULL,
		  false,
		  { "State         left out for mail that was tried before, until 2026-",
		    "State         would be tried now\n",
		    "no: the domain has not been failing that long\n",
		    "To            the MX hosts of broken.example, port 25\n" } },
		{ "x.loop.test", NULL, NULL, false, { "no: after a route with last = yes\n" } },
		{ "gone.test",
		  NULL,
		  NULL,
		  true,
		  { "nothing to try: 4.3.5 ", "nothing to try: 5.1.2 ",
		    "left out: DNS has the last word of a way before it\n",
		    "State         nothing to try: 5.1.2 " } },
		{ "half.test",
		  "2000",
		  NULL,
		  false,
		  { "left out: 5.3.4 the message is larger than 1024 bytes",
		    "Message       2000 bytes, the sender is not known\n" } },
		{ "tls.test",
		  NULL,
		  NULL,
		  false,
		  { "Routes: 0 of 12 used\n", "  Port          25\n", "\nTRY  PREF  HOST" } },
	};
	struct run r;
	routed_open(&r);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		r.size = t[i].size;
		r.sender = t[i].sender;
		run(&r, 0, t[i].operand);
		CHECK(t[i].operand, r.ok && r.findings == t[i].findings);
		CHECK(t[i].operand, print_columns(r.text) <= PAGE_WIDTH);
		for (size_t k = 0; k < 6 && t[i].parts[k]; k++)
			CHECK(t[i].parts[k], strstr(r.text, t[i].parts[k]) != NULL);
		CHECK("no secret", !strstr(r.text, "sesame"));
		print_close(&r.print);
	}
	world_close(&r);
}

static void test_message(void)
{
	static const struct {
		const char *size, *sender, *error;
	} t[] = {
		{ "x", NULL, "--size: \"x\" is no size (K M G)" },
		{ "-1", NULL, "--size: " },
		{ "", NULL, "--size: " },
		{ NULL, "a b", "--sender: " },
		{ NULL, "@", "--sender: " },
	};
	struct run r;
	routed_open(&r);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		r.size = t[i].size;
		r.sender = t[i].sender;
		run(&r, 0, "bare.test");
		CHECK(t[i].error, !r.ok && r.text[0] == '\0' &&
					  strncmp(r.err.text, t[i].error, strlen(t[i].error)) == 0);
		print_close(&r.print);
	}
	world_close(&r);
}

static json_t *member(const json_t *list, size_t i, const char *key)
{
	return json_object_get(json_array_get(list, i), key);
}

static void test_routes_json(void)
{
	struct run r;
	routed_open(&r);
	r.size = "30M";
	r.sender = "a@big.example";
	run(&r, CTL_JSON, "bare.test");
	json_t *plan = json_loads(r.text, 0, NULL);
	json_t *routes = json_object_get(plan, "routes"), *ways = json_object_get(plan, "ways");
	json_t *order = json_object_get(plan, "order"), *hosts = json_object_get(plan, "hosts");
	json_t *message = json_object_get(plan, "message");
	CHECK("message", json_integer_value(json_object_get(message, "size")) == 30 << 20);
	CHECK_STR("message", json_string_value(json_object_get(message, "sender")),
		  "a@big.example");
	CHECK("routes", json_array_size(routes) == 12 && json_array_size(ways) == 2);
	CHECK("used", json_is_true(member(routes, 0, "used")) &&
			      json_is_true(member(routes, 1, "used")) &&
			      json_is_false(member(routes, 2, "used")));
	CHECK_STR("why", json_string_value(member(routes, 2, "text")), "another domain");
	CHECK_STR("keys",
		  json_string_value(json_object_get(member(routes, 1, "settings"), "size_over")),
		  "20M");
	CHECK("better first", json_integer_value(member(ways, 0, "from")) == 2 &&
				      json_integer_value(member(ways, 1, "from")) == 1);
	CHECK_STR("login", json_string_value(member(ways, 1, "login")), "fred");
	CHECK("no login", json_is_null(member(ways, 0, "login")));
	CHECK_STR("kind", json_string_value(member(ways, 0, "route")), "host");
	CHECK("ports", json_integer_value(member(order, 0, "port")) == 25 &&
			       json_integer_value(member(order, 1, "port")) == 587);
	CHECK("ways", json_integer_value(member(order, 1, "way")) == 2 &&
			      json_integer_value(member(hosts, 1, "way")) == 2);
	json_decref(plan);
	print_close(&r.print);
	r.size = r.sender = NULL;
	run(&r, CTL_JSON, "gone.test");
	plan = json_loads(r.text, 0, NULL);
	ways = json_object_get(plan, "ways");
	CHECK("left out", json_is_true(member(ways, 3, "left_out")) &&
				  json_is_false(member(ways, 2, "left_out")));
	CHECK_STR("for good", json_string_value(member(ways, 2, "dsn")), "5.1.2");
	CHECK("temporary", json_string_value(member(ways, 0, "dsn")) == NULL ||
				   json_string_value(member(ways, 0, "dsn"))[0] == '4');
	message = json_object_get(plan, "message");
	CHECK("unknown", json_is_null(json_object_get(message, "size")) &&
				 json_is_null(json_object_get(message, "sender")));
	json_decref(plan);
	print_close(&r.print);
	world_close(&r);
}

TEST_MAIN("ctl_plan", { "page", test_page }, { "json", test_json }, { "probe", test_probe },
	  { "routes", test_routes }, { "message", test_message },
	  { "routes in JSON", test_routes_json })
