/* SPDX-License-Identifier: ISC */
#include "flow/memory.h"
#include "front/ctl_services.h"
#include "harness.h"
#include "plan_world.h"

static void test_domain(void)
{
	static const struct {
		const char *operand, *domain; /* NULL: refused */
	} t[] = {
		{ "Example.NET.", "example.net" },
		{ "anna@Example.NET", "example.net" },
		{ "<anna@example.net>", "example.net" },
		{ "\"a@b\"@example.net", "example.net" },
		{ "b\xc3\xbc"
		  "cher.example",
		  "xn--bcher-kva.example" },
		{ "anna@b\xc3\xbc"
		  "cher.example",
		  "xn--bcher-kva.example" },
		{ "[192.0.2.1]", "[192.0.2.1]" },
		{ "x@[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]" },
		{ "a b", NULL },
		{ "", NULL },
		{ "x@", NULL },
		{ "@x", NULL },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct arena *a = arena_open(LIMIT_ARENA);
		const char *domain = NULL;
		struct error err;
		bool good = ctl_domain(a, t[i].operand, &domain, &err);
		CHECK(t[i].operand, good == (t[i].domain != NULL));
		if (good && t[i].domain)
			CHECK_STR(t[i].operand, domain, t[i].domain);
		arena_close(a);
	}
}

static bool open_services(struct arena *a, const char *option, struct ctl_services *s,
			  struct error *err)
{
	static struct io io;
	static struct ctl_tools tools;
	io = plan_io();
	tools = (struct ctl_tools){
		.io = &io, .sts_program = "/sts", .tls_module = "/tls.so", .seed = plan_seed
	};
	const struct ctl c = {
		.config_file = "/dev/null",
		.set = { "dns_servers=127.0.0.1:9", "helo_name=me.test",
			 "tlsrpt_socket=/run/tlsrpt", option },
		.nset = 4,
		.tools = &tools,
	};
	*err = (struct error){ 0 };
	return ctl_services_open(a, &c, "example.net", s, err);
}

static void test_open(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct ctl_services s;
	struct error err;
	CHECK("open", open_services(a, "state_directory=", &s, &err));
	CHECK_STR("domain", s.domain, "example.net");
	CHECK_STR("no reports", s.config.tlsrpt_socket, "");
	CHECK_STR("own name", s.services.own_name, "me.test");
	CHECK("for its routes", s.services.settings != NULL);
	CHECK_STR("programs", s.services.sts_program, "/sts");
	CHECK_STR("programs", s.services.secure->path, "/tls.so");
	CHECK("no memory", s.services.memory == NULL && s.no_memory != NULL);
	CHECK("nobody waits", !s.services.caller.present(NULL, CALLER_AT_COMMIT, 0));
	CHECK("silence", s.first == NULL && !s.services.sessions && !s.services.journal.trace);
	char line[] = "first";
	s.services.journal.log(s.services.journal.self, line);
	line[0] = 'F';
	s.services.journal.log(s.services.journal.self, "second");
	CHECK_STR("kept", s.first->line, "first");
	CHECK_STR("in order", s.first->next->line, "second");
	CHECK("no more", s.first->next->next == NULL);
	ctl_services_close(&s);
	CHECK("a bad option", !open_services(a, "max_mx=x", &s, &err) && err.class == ERR_CONFIG);
	arena_close(a);
}

static void test_memory(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct ctl_services s;
	struct error err;
	struct record_domain r;
	char dir[64];
	state_make(dir);
	const char *option = arena_fmt(a, "state_directory=%s", dir);
	CHECK("empty", open_services(a, option, &s, &err));
	CHECK("told", s.no_memory && strstr(s.no_memory, "memory.mdb") && !s.services.memory);
	ctl_services_close(&s);
	CHECK("not made", state_files(dir, false) == 0);
	CHECK("filled", example_fill(dir, NOW, &err));
	CHECK("there", open_services(a, option, &s, &err));
	CHECK("no reason", s.no_memory == NULL && s.services.memory != NULL);
	CHECK("read", memory_known_domain(s.services.memory, a, "broken.example", &r));
	ctl_services_close(&s);
	CHECK("no directory", open_services(a, "state_directory=/dev/null", &s, &err));
	CHECK("told", s.no_memory && !s.services.memory);
	ctl_services_close(&s);
	state_drop(dir);
	arena_close(a);
}

TEST_MAIN("ctl_services", { "domain", test_domain }, { "open", test_open },
	  { "memory", test_memory })
