/* SPDX-License-Identifier: ISC */
/* SPF in a delivery, with the real mxdirect-spf. */
#include "flow/senderspf.h"

#include "harness.h"
#include "sender_world.h"

#define GOOD  "127.0.0.25"
#define OTHER "127.0.0.26"
#define TTL   300 /* of a TXT record in a zone */

static const struct deadline far_off = { { INT64_MAX } };

static const struct zone_record zone[] = {
	{ "sender.test", DNS_TXT, "v=spf1 ip4:127.0.0.25 -all" },
	{ "soft.test", DNS_TXT, "v=spf1 ip4:127.0.0.25 ~all" },
	{ "neutral.test", DNS_TXT, "v=spf1 ?all" },
	{ "none.test", DNS_A, "127.0.0.1" },
	{ "wrong.test", DNS_TXT, "v=spf1 ip4:nonsense -all" },
	{ "lost.test", ZONE_FAIL, "16" },
	{ "mail.sender.test", DNS_TXT, "v=spf1 ip4:127.0.0.25 ip6:::1 -all" },
	{ "xn--bcher-kva.test", DNS_TXT, "v=spf1 include:sender.test -all" },
	{ "local.test", DNS_TXT, "v=spf1 exists:%{l}.users.test -all" },
	{ "anna.users.test", DNS_A, "127.0.0.2" },
};

static bool ask_of(struct sender_world *w, const char *local, const char *domain,
		   const char *source)
{
	const struct envelope e = { .sender = { local, domain }, .queue_id = "4Ab1c2Z" };
	const struct senderspf_question q = { &e, world_ip(source) };
	memset(&w->err, 0, sizeof(w->err));
	return senderspf_allows(w->arena, &w->sv, &q, far_off, &w->err);
}

static bool ask(struct sender_world *w, const char *domain, const char *source)
{
	return ask_of(w, domain[0] ? "anna" : "", domain, source);
}

static void open_zone(struct sender_world *w)
{
	world_open(w, zone, sizeof(zone) / sizeof(zone[0]));
	w->config.spf = SPF_HOLD;
}

static void verdicts(void)
{
	static const struct {
		const char *domain, *source;
		bool held;
		const char *line; /* NULL: none */
	} t[] = {
		{ "sender.test", GOOD, false, NULL },
		{ "sender.test", OTHER, true,
		  "4Ab1c2Z: spf=fail, source=127.0.0.26, domain=sender.test (-all (sender.test))" },
		{ "SENDER.Test", OTHER, true,
		  "4Ab1c2Z: spf=fail, source=127.0.0.26, domain=sender.test (-all (sender.test))" },
		{ "sender.test", "::1", true,
		  "4Ab1c2Z: spf=fail, source=::1, domain=sender.test (-all (sender.test))" },
		{ "soft.test", OTHER, false,
		  "4Ab1c2Z: spf=softfail, source=127.0.0.26, domain=soft.test (~all (soft.test))" },
		{ "soft.test", GOOD, false, NULL },
		{ "neutral.test", OTHER, false, NULL },
		{ "none.test", OTHER, false, NULL },
		{ "nowhere.test", OTHER, false, NULL },
		{ "[192.0.2.1]", OTHER, false, NULL },
		{ "a..b", OTHER, false, NULL },
		{ "-\xc3\xbc-.test", OTHER, false, NULL },
		{ "wrong.test", OTHER, false,
		  "4Ab1c2Z: spf=permerror, source=127.0.0.26, domain=wrong.test (the record of "
		  "wrong.test: \"ip4:nonsense\": Invalid IPv4 address literal)" },
		{ "lost.test", OTHER, false,
		  "4Ab1c2Z: spf=temperror, source=127.0.0.26, domain=lost.test (TXT of lost.test: "
		  "SERVFAIL)" },
		{ "", GOOD, false, NULL },
		{ "", "::1", false, NULL },
		{ "", OTHER, true,
		  "4Ab1c2Z: spf=fail, source=127.0.0.26, domain=mail.sender.test (-all "
		  "(mail.sender.test))" },
		{ "b\xc3\xbc"
		  "cher.test",
		  GOOD, false, NULL },
		{ "B\xc3\x9c"
		  "cher.test",
		  OTHER, true,
		  "4Ab1c2Z: spf=fail, source=127.0.0.26, domain=xn--bcher-kva.test (-all "
		  "(xn--bcher-kva.test))" },
	};
	struct sender_world w;
	open_zone(&w);
	for (size_t i = 0; i < 2 * sizeof(t) / sizeof(t[0]); i++) {
		const size_t k = i / 2;
		bool hold = i % 2;
		w.config.spf = hold ? SPF_HOLD : SPF_WARN;
		w.lines = 0;
		w.line[0] = '\0';
		bool allowed = ask(&w, t[k].domain, t[k].source);
		CHECK(t[k].domain, allowed == !(hold && t[k].held));
		CHECK(t[k].domain, w.lines == (t[k].line != NULL));
		CHECK(w.line, !t[k].line || strcmp(w.line, t[k].line) == 0);
		CHECK(t[k].domain, (w.err.class == ERR_TEMP) == !allowed);
	}
	world_close(&w);
}

static void held(void)
{
	struct sender_world w;
	open_zone(&w);
	CHECK("held", !ask(&w, "sender.test", OTHER));
	CHECK("code", w.err.code.cls == 4 && w.err.code.subject == 7 && w.err.code.detail == 23);
	CHECK_STR("sentence", w.err.text,
		  "our address 127.0.0.26 may not send for sender.test: SPF says fail by -all "
		  "(sender.test)");
	w.config.log_format = LOG_JSON;
	CHECK("again", !ask(&w, "sender.test", OTHER));
	CHECK_STR("JSON", w.line,
		  "{\"queue_id\":\"4Ab1c2Z\",\"spf\":\"fail\",\"source\":\"127.0.0.26\","
		  "\"domain\":\"sender.test\",\"text\":\"-all (sender.test)\"}");
	world_close(&w);
}

/* Another run finds the same without a question, as long as the TTL of the record lasts. */
static void remembered(void)
{
	static const char *const domains[] = { "sender.test", "" };
	for (size_t i = 0; i < 2; i++) {
		struct sender_world w;
		char first[sizeof(w.line)], why[LIMIT_ERR_TEXT];
		open_zone(&w);
		world_next_run(&w);
		CHECK(domains[i], !ask(&w, domains[i], OTHER));
		size_t asked = world_asked(&w);
		CHECK(domains[i], asked > 0);
		memcpy(first, w.line, sizeof(first));
		memcpy(why, w.err.text, sizeof(why));
		w.wall += TTL - 1;
		world_next_run(&w);
		CHECK(domains[i], !ask(&w, domains[i], OTHER));
		CHECK(domains[i], world_asked(&w) == asked && w.lines == 1);
		CHECK_STR(domains[i], w.line, first);
		CHECK_STR(domains[i], w.err.text, why);
		CHECK("another address", ask(&w, domains[i], GOOD) && world_asked(&w) > asked);
		asked = world_asked(&w);
		CHECK("another name", !ask(&w, "xn--bcher-kva.test", OTHER));
		CHECK("another name", world_asked(&w) > asked);
		asked = world_asked(&w);
		w.wall++;
		world_next_run(&w);
		CHECK("past it", !ask(&w, domains[i], OTHER) && world_asked(&w) > asked);
		asked = world_asked(&w);
		w.wall -= 10000;
		world_next_run(&w);
		CHECK("clock back", !ask(&w, domains[i], OTHER) && world_asked(&w) > asked);
		world_close(&w);
	}
}

/* The answer for one sender may not be that for another one of the domain. */
static void by_sender(void)
{
	struct sender_world w;
	open_zone(&w);
	world_next_run(&w);
	CHECK("anna", ask_of(&w, "anna", "local.test", OTHER) && w.lines == 0);
	CHECK("otto", !ask_of(&w, "otto", "local.test", OTHER) && w.lines == 1);
	world_next_run(&w);
	CHECK("anna", ask_of(&w, "anna", "local.test", OTHER) && w.lines == 0);
	world_close(&w);
}

/* Told when it is found out; for the time after that nobody waits for a dead name server. */
static void trouble(void)
{
	struct sender_world w;
	open_zone(&w);
	world_next_run(&w);
	CHECK("found out", ask(&w, "lost.test", OTHER) && w.lines == 1);
	size_t asked = world_asked(&w);
	w.wall += 59;
	world_next_run(&w);
	CHECK("remembered", ask(&w, "lost.test", OTHER) && w.lines == 0);
	CHECK("remembered", world_asked(&w) == asked);
	w.wall++;
	world_next_run(&w);
	CHECK("again", ask(&w, "lost.test", OTHER) && w.lines == 1 && world_asked(&w) > asked);
	world_close(&w);
}

static void private_address(void)
{
	static const char *const sources[] = { "10.1.2.3", "192.168.1.1", "fd00::1" };
	struct sender_world w;
	char want[200];
	open_zone(&w);
	world_next_run(&w);
	for (size_t i = 0; i < 3; i++) {
		w.lines = 0;
		CHECK(sources[i], ask(&w, "sender.test", sources[i]) && w.lines == 1);
		snprintf(want, sizeof(want),
			 "4Ab1c2Z: spf=none, source=%s, domain=sender.test (our address is "
			 "private: others see that of a gateway)",
			 sources[i]);
		CHECK_STR(sources[i], w.line, want);
		CHECK("other mail", ask(&w, "soft.test", sources[i]) && w.lines == 1);
	}
	w.wall += 3599;
	world_next_run(&w);
	CHECK("silent", ask(&w, "sender.test", sources[0]) && w.lines == 0);
	w.wall++;
	world_next_run(&w);
	CHECK("once an hour", ask(&w, "sender.test", sources[0]) && w.lines == 1);
	CHECK("nobody is asked", world_asked(&w) == 0);
	world_close(&w);
}

/* What it takes is not there. Mail goes on. */
static void without(void)
{
	struct sender_world w;
	int stop[2];
	open_zone(&w);
	w.sv.spf_program = NULL;
	CHECK("no program", ask(&w, "sender.test", OTHER) && w.lines == 1);
	CHECK(w.line, strncmp(w.line, "4Ab1c2Z: spf=temperror, ", 24) == 0);
	w.sv.spf_program = "/nowhere/mxdirect-spf";
	CHECK("no such program", ask(&w, "sender.test", OTHER) && w.lines == 2);
	CHECK(w.line, strncmp(w.line, "4Ab1c2Z: spf=temperror, ", 24) == 0);
	w.sv.spf_program = SPF_PROGRAM;
	w.sv.own_name = "";
	CHECK("no name", ask(&w, "", OTHER) && w.lines == 2);
	CHECK("no HELO name", !ask(&w, "sender.test", OTHER) && w.lines == 3);

	const struct envelope e = { .sender = { "anna", "sender.test" }, .queue_id = "" };
	const struct senderspf_question q = { &e, world_ip(OTHER) };
	struct deadline past = deadline_in(io_now(&w.io), 0);
	resolver_forget(w.resolver);
	arena_reset(w.arena);
	CHECK("no time", senderspf_allows(w.arena, &w.sv, &q, past, &w.err) && w.lines == 4);
	CHECK(w.line, strncmp(w.line, "NOQUEUE: spf=temperror, ", 24) == 0);

	struct arena *small = arena_open(500);
	CHECK("no memory", senderspf_allows(small, &w.sv, &q, far_off, &w.err) && w.lines == 4);
	resolver_forget(w.resolver);
	arena_close(small);

	CHECK("pipe", pipe2(stop, O_CLOEXEC) == 0 && write(stop[1], "x", 1) == 1);
	w.io.stop_fd = stop[0];
	resolver_forget(w.resolver);
	arena_reset(w.arena);
	CHECK("stopped", senderspf_allows(w.arena, &w.sv, &q, far_off, &w.err) && w.lines == 4);
	close(stop[0]);
	close(stop[1]);
	world_close(&w);
}

/* A result that this release does not know is none. */
static void foreign_result(void)
{
	const struct record_sender r = { .source = world_ip(OTHER),
					 .domain = SPAN("sender.test"),
					 .helo = SPAN("mail.sender.test"),
					 .ttl = TTL,
					 .result = SPAN("passed") };
	struct sender_world w;
	open_zone(&w);
	world_next_run(&w);
	memory_keep_sender(w.sv.memory, &r);
	CHECK("asked", !ask(&w, "sender.test", OTHER) && world_asked(&w) > 0);
	world_close(&w);
}

TEST_MAIN("senderspf", { "verdicts", verdicts }, { "held", held }, { "remembered", remembered },
	  { "by sender", by_sender }, { "trouble", trouble }, { "private", private_address },
	  { "without", without }, { "foreign result", foreign_result })
