/* SPDX-License-Identifier: ISC */
#include "flow/fitness.h"

#include "harness.h"
#include "sender_world.h"

#define RELAY "mx1.example.net[192.0.2.1]:25"

static const struct deadline far_off = { { INT64_MAX } };

static const struct zone_record zone[] = {
	{ "25.0.0.127.in-addr.arpa", DNS_PTR, "mail.sender.test" },
	{ "mail.sender.test", DNS_A, "127.0.0.25" },
	{ "mail.sender.test", DNS_AAAA, "::1" },
	{ "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", DNS_PTR,
	  "mail.sender.test" },
	{ "26.0.0.127.in-addr.arpa", DNS_PTR, "other.test" },
	{ "other.test", DNS_A, "127.0.0.99" },
	{ "27.0.0.127.in-addr.arpa", DNS_PTR, "nowhere.test" },
	{ "29.0.0.127.in-addr.arpa", ZONE_FAIL, "12" },
	{ "30.0.0.127.in-addr.arpa", DNS_PTR, "lost.test" },
	{ "lost.test", ZONE_FAIL, "1" },
	/* h3 leads back; of the others one is lost, one another machine, one without address. */
	{ "31.0.0.127.in-addr.arpa", DNS_PTR, "#3 back.test" },
	{ "h1.back.test", ZONE_FAIL, "1" },
	{ "h3.back.test", DNS_A, "127.0.0.31" },
	{ "32.0.0.127.in-addr.arpa", DNS_PTR, "#3 away.test" },
	{ "h2.away.test", ZONE_FAIL, "1" },
	{ "h3.away.test", DNS_A, "127.0.0.99" },
	{ "33.0.0.127.in-addr.arpa", DNS_PTR, "#12 many.test" },
	{ "h11.many.test", DNS_A, "127.0.0.33" },
	{ "sender.test", DNS_TXT, "v=spf1 ip4:127.0.0.25 ip6:::1 -all" },
	{ "soft.test", DNS_TXT, "v=spf1 ~all" },
	{ "neutral.test", DNS_TXT, "v=spf1 ?all" },
	{ "wrong.test", DNS_TXT, "v=spf1 -all nonsense" },
	{ "silent.test", ZONE_FAIL, "16" },
	{ "mute.test", ZONE_SILENT, "" },
	{ "34.0.0.127.in-addr.arpa", ZONE_SILENT, "" },
};

static void open_zone(struct sender_world *w)
{
	world_open(w, zone, sizeof(zone) / sizeof(zone[0]));
}

static void reverse(void)
{
	static const struct {
		const char *ip;
		enum fitness named;
		const char *name; /* NULL: none, and nothing to lead anywhere */
		enum fitness forward;
		const char *asked; /* who says so */
	} t[] = {
		{ "127.0.0.25", FITNESS_GOOD, "mail.sender.test", FITNESS_GOOD,
		  "mail.sender.test" },
		{ "::1", FITNESS_GOOD, "mail.sender.test", FITNESS_GOOD, "mail.sender.test" },
		{ "127.0.0.26", FITNESS_GOOD, "other.test", FITNESS_BAD, "other.test" },
		{ "127.0.0.27", FITNESS_GOOD, "nowhere.test", FITNESS_BAD, "nowhere.test" },
		{ "127.0.0.28", FITNESS_BAD, NULL, FITNESS_GOOD, "" },
		{ "::2", FITNESS_BAD, NULL, FITNESS_GOOD, "" },
		{ "127.0.0.29", FITNESS_UNKNOWN, NULL, FITNESS_GOOD, "" },
		{ "127.0.0.30", FITNESS_GOOD, "lost.test", FITNESS_UNKNOWN, "lost.test" },
		{ "127.0.0.31", FITNESS_GOOD, "h3.back.test", FITNESS_GOOD, "h3.back.test" },
		{ "127.0.0.32", FITNESS_GOOD, "h1.away.test", FITNESS_UNKNOWN, "h2.away.test" },
		{ "127.0.0.33", FITNESS_GOOD, "h1.many.test", FITNESS_BAD, "h1.many.test" },
	};
	struct sender_world w;
	open_zone(&w);
	const struct fitness_dns dns = { w.arena, &w.sv, far_off };
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct fitness_reverse r = { .named = FITNESS_DOUBTFUL };
		CHECK(t[i].ip, fitness_reverse(&dns, world_ip(t[i].ip), &r));
		CHECK(t[i].ip, r.named == t[i].named && r.ptr);
		CHECK(t[i].ip, (r.name != NULL) == (t[i].name != NULL));
		if (!r.name || !t[i].name)
			continue;
		CHECK_STR(t[i].ip, r.name, t[i].name);
		CHECK(t[i].ip, r.forward.has == t[i].forward);
		CHECK_STR(t[i].ip, r.forward.answer->name, t[i].asked);
	}
	world_close(&w);
}

static void forward(void)
{
	static const struct {
		const char *name, *ip;
		enum fitness has;
	} t[] = {
		{ "mail.sender.test", "127.0.0.25", FITNESS_GOOD },
		{ "mail.sender.test", "127.0.0.26", FITNESS_BAD },
		{ "mail.sender.test", "::1", FITNESS_GOOD },
		{ "other.test", "::1", FITNESS_BAD },
		{ "nowhere.test", "127.0.0.25", FITNESS_BAD },
		{ "lost.test", "127.0.0.25", FITNESS_UNKNOWN },
		{ "a..b", "127.0.0.25", FITNESS_BAD },
	};
	struct sender_world w;
	open_zone(&w);
	const struct fitness_dns dns = { w.arena, &w.sv, far_off };
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct fitness_forward f = { .has = FITNESS_DOUBTFUL };
		CHECK(t[i].name, fitness_forward(&dns, t[i].name, world_ip(t[i].ip), &f));
		CHECK(t[i].name, f.has == t[i].has && f.answer);
	}
	const struct fitness_dns late = { w.arena, &w.sv, deadline_in(io_now(&w.io), 0) };
	struct fitness_forward f;
	CHECK("no time", fitness_forward(&late, "mute.test", world_ip("127.0.0.25"), &f) &&
				 f.has == FITNESS_UNKNOWN);
	struct arena *none = arena_open(1);
	const struct fitness_dns poor = { none, &w.sv, far_off };
	struct fitness_reverse r;
	CHECK("no memory", !fitness_forward(&poor, "new.test", world_ip("127.0.0.25"), &f));
	CHECK("no memory", !fitness_reverse(&poor, world_ip("127.0.0.25"), &r));
	arena_close(none);
	world_close(&w);
}

static void judgements(void)
{
	static const struct {
		const char *name;
		bool full;
	} names[] = {
		{ "mail.example.org", true },
		{ "a.b", true },
		{ "mail", false },
		{ "", false },
		{ "[192.0.2.1]", false },
		{ "a..b", false },
		{ "a_b.example.org", true },
		{ "192.0.2.1", true },
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CHECK(names[i].name, fitness_full_name(names[i].name) == names[i].full);
	CHECK("pass", fitness_spf(SPF_PASS) == FITNESS_GOOD);
	CHECK("fail", fitness_spf(SPF_FAIL) == FITNESS_BAD);
	CHECK("permerror", fitness_spf(SPF_PERMERROR) == FITNESS_BAD);
	CHECK("softfail", fitness_spf(SPF_SOFTFAIL) == FITNESS_DOUBTFUL);
	CHECK("neutral", fitness_spf(SPF_NEUTRAL) == FITNESS_UNKNOWN);
	CHECK("none", fitness_spf(SPF_NONE) == FITNESS_UNKNOWN);
	CHECK("temperror", fitness_spf(SPF_TEMPERROR) == FITNESS_UNKNOWN);
}

/* ---- in a delivery ---- */

static void tell(struct sender_world *w, const char *source, const char *helo, const char *domain)
{
	const struct addr sender = { domain[0] ? "anna" : "", domain };
	const struct fitness_question q = {
		.queue_id = "4Ab1c2Z",
		.relay = RELAY,
		.source = source[0] ? world_ip(source) : (struct ip){ 0 },
		.helo = helo,
		.sender = &sender,
	};
	w->lines = 0;
	w->line[0] = '\0';
	fitness_tell(w->arena, &w->sv, &q, far_off);
}

static void faults(void)
{
	static const struct {
		const char *source, *helo, *domain;
		const char *faults; /* NULL: no line */
	} t[] = {
		{ "127.0.0.25", "mail.sender.test", "sender.test", NULL },
		{ "::1", "mail.sender.test", "sender.test", NULL },
		{ "127.0.0.25", "mail.sender.test", "", NULL },
		{ "127.0.0.25", "mail.sender.test", "neutral.test", NULL },
		{ "127.0.0.25", "mail.sender.test", "none.test", NULL },
		{ "127.0.0.25", "mail.sender.test", "silent.test", NULL },
		{ "127.0.0.25", "mail.sender.test", "soft.test",
		  "SPF of soft.test says softfail for 127.0.0.25: ~all (soft.test)" },
		{ "127.0.0.25", "mail.sender.test", "wrong.test",
		  "SPF of wrong.test says permerror for 127.0.0.25: the record of wrong.test: "
		  "\"nonsense\": there is no such mechanism" },
		{ "127.0.0.25", "mail", "sender.test", "the HELO name mail is not a full name" },
		{ "127.0.0.25", "[127.0.0.25]", "sender.test",
		  "the HELO name [127.0.0.25] is not a full name" },
		{ "127.0.0.25", "", "sender.test",
		  "this machine has no full name, so that HELO says its address" },
		{ "127.0.0.25", "lost.test", "sender.test", NULL },
		{ "127.0.0.25", "nowhere.test", "sender.test",
		  "the HELO name nowhere.test does not have the address 127.0.0.25" },
		{ "127.0.0.28", "mail.sender.test", "sender.test",
		  "the address 127.0.0.28 has no reverse DNS name; the HELO name mail.sender.test "
		  "does not have the address 127.0.0.28; SPF of sender.test says fail for "
		  "127.0.0.28: -all (sender.test)" },
		{ "127.0.0.26", "other.test", "none.test",
		  "the reverse DNS name other.test does not have the address 127.0.0.26; the HELO "
		  "name other.test does not have the address 127.0.0.26" },
		{ "127.0.0.29", "lost.test", "silent.test", NULL },
		{ "127.0.0.30", "lost.test", "silent.test", NULL },
		{ "10.1.2.3", "mail", "sender.test", NULL },
		{ "fd00::1", "mail", "sender.test", NULL },
		{ "", "mail", "sender.test", NULL },
	};
	struct sender_world w;
	open_zone(&w);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char want[sizeof(w.line)];
		const char *label = t[i].faults ? t[i].faults : t[i].domain;
		snprintf(want, sizeof(want), "4Ab1c2Z: relay=" RELAY ", own fault: %s",
			 t[i].faults ? t[i].faults : "");
		tell(&w, t[i].source, t[i].helo, t[i].domain);
		CHECK(label, w.lines == (t[i].faults != NULL));
		CHECK_STR(label, w.line, t[i].faults ? want : "");
	}
	w.config.log_format = LOG_JSON;
	tell(&w, "127.0.0.25", "mail", "sender.test");
	CHECK_STR("JSON", w.line,
		  "{\"queue_id\":\"4Ab1c2Z\",\"relay\":\"" RELAY "\","
		  "\"own_faults\":[\"the HELO name mail is not a full name\"]}");
	world_close(&w);
}

/* A flood of refusals makes no flood of questions. */
static void pause_between(void)
{
	struct sender_world w;
	open_zone(&w);
	world_next_run(&w);
	tell(&w, "127.0.0.28", "mail.sender.test", "sender.test");
	CHECK("told", w.lines == 1);
	size_t asked = world_asked(&w);
	tell(&w, "127.0.0.28", "mail.sender.test", "soft.test");
	CHECK("not again", w.lines == 0);
	w.wall += FITNESS_PAUSE - 1;
	world_next_run(&w);
	tell(&w, "127.0.0.28", "mail.sender.test", "soft.test");
	CHECK("nor in another run", w.lines == 0 && world_asked(&w) == asked);
	tell(&w, "127.0.0.26", "mail.sender.test", "sender.test");
	CHECK("another address", w.lines == 1);
	tell(&w, "127.0.0.25", "mail.sender.test", "sender.test");
	asked = world_asked(&w);
	w.wall++;
	world_next_run(&w);
	tell(&w, "127.0.0.28", "mail.sender.test", "sender.test");
	CHECK("later", w.lines == 1 && world_asked(&w) > asked);
	asked = world_asked(&w);
	tell(&w, "127.0.0.25", "mail.sender.test", "sender.test");
	CHECK("when all is well", w.lines == 0 && world_asked(&w) == asked);
	world_close(&w);
}

static void hurry(void)
{
	const struct addr sender = { "anna", "mute.test" };
	const struct fitness_question q = {
		"4Ab1c2Z", RELAY, { 4, { 127, 0, 0, 34 } }, "mute.test", &sender
	};
	struct sender_world w;
	int stop[2];
	open_zone(&w);
	struct instant begin = io_now(&w.io);
	fitness_tell(w.arena, &w.sv, &q, deadline_in(begin, 50));
	CHECK("no time", w.lines == 0 && io_now(&w.io).ms - begin.ms < 5000);
	struct arena *none = arena_open(1);
	fitness_tell(none, &w.sv, &q, far_off);
	CHECK("no memory", w.lines == 0);
	arena_close(none);
	CHECK("pipe", pipe2(stop, O_CLOEXEC) == 0 && write(stop[1], "x", 1) == 1);
	w.io.stop_fd = stop[0];
	resolver_forget(w.resolver);
	arena_reset(w.arena);
	fitness_tell(w.arena, &w.sv, &q, far_off);
	CHECK("stopped", w.lines == 0);
	close(stop[0]);
	close(stop[1]);
	world_close(&w);
}

TEST_MAIN("fitness", { "reverse", reverse }, { "forward", forward }, { "judgements", judgements },
	  { "faults", faults }, { "pause between", pause_between }, { "hurry", hurry })
