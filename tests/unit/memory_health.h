/* SPDX-License-Identifier: ISC */
/* For test_memory.c: domains and hosts. */
#ifndef TESTS_MEMORY_HEALTH_H
#define TESTS_MEMORY_HEALTH_H

#include "memory_world.h"

/* ---- domains ---- */

static struct memory_down down;

static bool is_down(struct memory *m, const char *domain, bool first)
{
	return memory_domain_down(m, world.arena, domain, first, &down);
}

static void ran(struct memory *m, const char *domain, enum health_run run, const char *why)
{
	const struct outcome o = outcome_of(EVENT_NO_RESPONSE, ESC(4, 4, 1), why);
	memory_note_domain(m, domain, run, &o);
	memory_finish(m, HEARD_NO);
}

static bool domain_record(const char *domain, struct record_domain *ret)
{
	struct buf key = new_key();
	record_domain_key(domain, &key);
	return record_domain_read(raw(&key), ret);
}

static void domain_down(void)
{
	world_open();
	struct memory *m = open_memory(), *other = open_memory();
	CHECK("never seen", !is_down(m, "example.org", false) && !is_down(m, "example.org", true));
	ran(m, "Example.org", RUN_UNREACHABLE, "nobody there");
	CHECK("down", is_down(other, "example.ORG", false));
	memory_close(other);
	CHECK("code", code_is(down.code, ESC(4, 4, 1)));
	CHECK_STR("why", down.why, "nobody there");
	CHECK("next", down.next == START + 60);
	world.wall += 59;
	CHECK("to the last second", is_down(m, "example.org", false));
	CHECK("for a new message as well", is_down(m, "example.org", true));
	CHECK("another domain", !is_down(m, "www.example.org", false));
	world.wall++;
	CHECK("over", !is_down(m, "example.org", false));
	CHECK("the probe is out", is_down(m, "example.org", false));
	ran(m, "example.org", RUN_UNREACHABLE, "still nobody");
	CHECK("longer", is_down(m, "example.org", false) && down.next == START + 60 + 120);
	CHECK_STR("the last reason", down.why, "still nobody");
	ran(m, "example.org", RUN_ANSWERED, "250 Ok");
	struct record_domain r;
	CHECK("forgotten", !is_down(m, "example.org", false) && !domain_record("example.org", &r));
	memory_close(m);
	world_close();
}

/* Alone and inside a transaction; milliseconds. */
static void domain_failing(void)
{
	world_open();
	struct memory *m = open_memory();
	CHECK("never seen", memory_failing(m, world.arena, "example.org") == 0);
	ran(m, "example.org", RUN_UNREACHABLE, "nobody there");
	world.wall += 3600;
	CHECK("an hour", memory_failing(m, world.arena, "Example.ORG") == 3600000);
	memory_hold(m, false);
	CHECK("held", memory_failing(m, world.arena, "example.org") == 3600000);
	CHECK("and asked again", is_down(m, "example.org", false) == false);
	memory_release(m);
	ran(m, "example.org", RUN_PUT_OFF, "greylisted");
	world.wall += DAY;
	CHECK("put off counts",
	      memory_failing(m, world.arena, "example.org") == 3600000 + DAY * 1000);
	world.wall++;
	CHECK("too long ago", memory_failing(m, world.arena, "example.org") == 0);
	ran(m, "example.org", RUN_ANSWERED, "250 Ok");
	CHECK("good", memory_failing(m, world.arena, "example.org") == 0);
	CHECK("without", memory_failing(NULL, world.arena, "example.org") == 0);
	memory_close(m);
	world_close();
}

/* Of two runs one goes ahead; the other one's time is the end of its probe. */
static void domain_probe(void)
{
	world_open();
	struct memory *a = open_memory(), *b = open_memory();
	ran(a, "example.org", RUN_UNREACHABLE, "nobody there");
	world.wall += 60;
	CHECK("the probe", !is_down(a, "example.org", false));
	CHECK("not twice", is_down(b, "example.org", false));
	CHECK("its end", down.next == world.wall + HEALTH_PROBE);
	CHECK_STR("why", down.why, "nobody there");
	CHECK("a new message goes on", !is_down(b, "example.org", true));
	world.wall += HEALTH_PROBE - 1;
	CHECK("not yet", is_down(b, "example.org", false));
	world.wall++;
	CHECK("it never told", !is_down(b, "example.org", false));
	CHECK("the next one", is_down(a, "example.org", false));
	ran(b, "example.org", RUN_PUT_OFF, "greylisted");
	CHECK("it answered", !is_down(a, "example.org", false));
	memory_close(a);
	memory_close(b);
	world_close();
}

static void domain_runs(void)
{
	static const struct {
		const char *label;
		enum health_run run[3];
		bool kept;
		uint32_t fails;
		const char *why;
	} cases[] = {
		{ "none", { RUN_UNREACHABLE, RUN_UNREACHABLE, RUN_UNREACHABLE }, true, 1, "first" },
		{ "one", { RUN_UNREACHABLE, RUN_PUT_OFF, RUN_UNREACHABLE }, true, 0, "second" },
		{ "one at once", { RUN_PUT_OFF, RUN_PUT_OFF, RUN_UNREACHABLE }, true, 0, "first" },
		{ "all is well", { RUN_UNREACHABLE, RUN_PUT_OFF, RUN_ANSWERED }, false, 0, "" },
		{ "well at first", { RUN_ANSWERED, RUN_UNREACHABLE, RUN_PUT_OFF }, false, 0, "" },
	};
	static const char *const why[] = { "first", "second", "third" };
	world_open();
	struct memory *m = open_memory();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct record_domain r;
		for (size_t k = 0; k < 3; k++) {
			const struct outcome o =
				outcome_of(EVENT_NO_RESPONSE, ESC(4, 4, 1), why[k]);
			memory_note_domain(m, "Example.org", cases[i].run[k], &o);
		}
		CHECK(cases[i].label, !domain_record("example.org", &r));
		memory_finish(m, HEARD_LATER);
		CHECK(cases[i].label, domain_record("example.org", &r) == cases[i].kept);
		if (cases[i].kept) {
			CHECK(cases[i].label, r.fails == cases[i].fails);
			CHECK(cases[i].label, text_is(r.domain, "Example.org"));
			CHECK(cases[i].label, text_is(r.why, cases[i].why));
			CHECK(cases[i].label, r.failing_since == START);
		}
		ran(m, "example.org", RUN_ANSWERED, "");
	}
	memory_close(m);
	world_close();
}

/* A message that was never tried waits for no long back-off. */
static void domain_first(void)
{
	world_open();
	struct memory *a = open_memory(), *b = open_memory();
	for (int i = 0; i < 4; i++) {
		ran(a, "example.org", RUN_UNREACHABLE, "nobody there");
		CHECK("down", is_down(a, "example.org", true));
		world.wall += i < 3 ? 60 << i : 0;
	}
	CHECK("eight minutes", is_down(a, "example.org", false) && down.next == world.wall + 480);
	world.wall += HEALTH_FRESH;
	CHECK("fresh", is_down(a, "example.org", true));
	world.wall++;
	CHECK("not fresh", !is_down(a, "example.org", true));
	CHECK("others wait", is_down(b, "example.org", false));
	world.wall -= HEALTH_FRESH + 1;
	CHECK("a clock that goes back", is_down(b, "example.org", false));
	world.wall -= DAY;
	CHECK("far back", !is_down(b, "example.org", false));
	memory_close(a);
	memory_close(b);
	world_close();
}

/* ---- hosts ---- */

static bool host_record(const char *addr, struct record_host *ret)
{
	struct endpoint e = at(addr);
	struct buf key = new_key();
	const struct config *c = &world.config;
	record_host_key(e, e.ip.family == 6 ? c->source_ipv6 : c->source_ipv4, &key);
	return record_host_read(raw(&key), ret);
}

static void host_records(void)
{
	struct memory_host h = {
		.host = "mx1.example.net",
		.addr = at("192.0.2.1"),
		.fate = FATE_SILENT,
		.why = "connect: refused",
	};
	struct record_host r;
	world_open();
	struct memory *m = open_memory();
	memory_note_host(m, &h);
	CHECK("not before the end", !host_record("192.0.2.1", &r));
	memory_finish(m, HEARD_LATER);
	CHECK("silent", host_record("192.0.2.1", &r));
	CHECK("silent", r.fails == 1 && r.first_fail == START && r.last_fail == START);
	CHECK("silent", r.last_good == 0 && r.tls_fails == 0 && r.caps == 0);
	CHECK("who", text_is(r.host, "mx1.example.net") && text_is(r.why, "connect: refused"));
	CHECK("who", ip_equal(r.addr.ip, h.addr.ip) && r.addr.port == 25 && r.source.family == 0);

	world.wall += 100;
	h = (struct memory_host){
		.host = "mx2.example.net",
		.addr = h.addr,
		.fate = FATE_GREETED,
		.connect_ms = 321,
		.tls = HOST_TLS_BROKEN,
		.ehlo = { .caps = EHLO_PIPELINING | EHLO_SIZE,
			  .size_max = 5000000000,
			  .mail_max = 20,
			  .rcpt_max = 50,
			  .name = "mx2" },
	};
	memory_note_host(m, &h);
	memory_finish(m, HEARD_LATER);
	CHECK("greeted", host_record("192.0.2.1", &r) && text_is(r.host, "mx2.example.net"));
	CHECK("greeted", r.fails == 0 && r.last_good == START + 100 && r.connect_ms == 321);
	CHECK("TLS", r.tls_fails == 1 && r.tls_last_fail == START + 100);
	CHECK("EHLO", r.caps == (EHLO_PIPELINING | EHLO_SIZE) && r.size_max == 5000000000 &&
			      r.mail_max == 20 && r.rcpt_max == 50);

	world.wall += 100;
	h = (struct memory_host){ .host = "mx2", .addr = h.addr, .fate = FATE_GREETED };
	memory_note_host(m, &h);
	memory_finish(m, HEARD_LATER);
	CHECK("no EHLO, no TLS", host_record("192.0.2.1", &r) && r.tls_fails == 1);
	CHECK("what it said before", r.caps == (EHLO_PIPELINING | EHLO_SIZE) && r.rcpt_max == 50);

	h.tls = HOST_TLS_GOOD;
	h.ehlo = (struct ehlo){ .name = "mx2" };
	memory_note_host(m, &h);
	h.tls = HOST_TLS_UNTRIED;
	h.fate = FATE_SILENT; /* twice in one run: in their order */
	memory_note_host(m, &h);
	memory_finish(m, HEARD_LATER);
	CHECK("TLS is good", host_record("192.0.2.1", &r) && r.tls_fails == 0);
	CHECK("it offers nothing", r.caps == 0 && r.size_max == 0 && r.rcpt_max == 0);
	CHECK("silent again", r.fails == 1 && r.last_good == START + 200);
	memory_close(m);
	world_close();
}

static bool is_late(struct memory *m, const char *addr)
{
	struct candidate late, plain, c = { .host = "mx", .addr = { at(addr) }, .naddr = 1 };
	memory_sort(m, &c, &late, &plain);
	CHECK("somewhere", c.naddr + late.naddr + plain.naddr == 1);
	return late.naddr == 1;
}

/* What one source address meets says nothing of another. */
static void host_keys(void)
{
	world_open();
	struct memory *m = open_memory();
	world.config.source_ipv4 = at("198.51.100.1").ip;
	memory_speak_from(m, &world.config);
	note_host(m, "192.0.2.1:25", FATE_SILENT);
	note_host(m, "[2001:db8::1]:25", FATE_SILENT);
	/* A way with another address comes before the notes are written. */
	static const struct config elsewhere = { .source_ipv4 = { 4, { 198, 51, 100, 7 } } };
	memory_speak_from(m, &elsewhere);
	memory_finish(m, HEARD_NO);
	CHECK("from elsewhere", !is_late(m, "192.0.2.1:25"));
	memory_speak_from(m, &world.config);
	CHECK("itself", is_late(m, "192.0.2.1:25") && is_late(m, "[2001:db8::1]:25"));
	CHECK("another port", !is_late(m, "192.0.2.1:26") && !is_late(m, "[2001:db8::1]:26"));
	CHECK("another address", !is_late(m, "192.0.2.2:25") && !is_late(m, "[2001:db8::2]:25"));
	struct record_host r;
	CHECK("kept", host_record("192.0.2.1:25", &r) && r.source.family == 4);
	world.config.source_ipv4 = at("198.51.100.2").ip;
	memory_speak_from(m, &world.config);
	CHECK("another source", !is_late(m, "192.0.2.1:25"));
	CHECK("of the other family", is_late(m, "[2001:db8::1]:25"));
	world.config.source_ipv6 = at("[2001:db8::9]:25").ip;
	memory_speak_from(m, &world.config);
	CHECK("another source", !is_late(m, "[2001:db8::1]:25"));
	world.config.source_ipv4 = (struct ip){ 0 };
	memory_speak_from(m, &world.config);
	CHECK("the kernel's choice", !is_late(m, "192.0.2.1:25"));
	memory_close(m);
	world_close();
}

/* More than there is room for: the first ones, which were the best ones. */
static void many_hosts(void)
{
	char addr[20];
	world_open();
	struct memory *m = open_memory();
	for (unsigned i = 0; i < NOTED_HOSTS + 30; i++) {
		snprintf(addr, sizeof(addr), "192.0.2.%u", i);
		note_host(m, addr, FATE_SILENT);
	}
	memory_finish(m, HEARD_NO);
	for (unsigned i = 0; i < NOTED_HOSTS + 30; i++) {
		snprintf(addr, sizeof(addr), "192.0.2.%u", i);
		CHECK(addr, is_late(m, addr) == (i < NOTED_HOSTS));
	}
	memory_close(m);
	world_close();
}

/* ---- the order of a host's addresses ---- */

static const char *addresses(const struct candidate *c)
{
	static char room[4][200];
	static unsigned n;
	struct buf out;
	buf_init(&out, room[++n % 4], sizeof(room[0]));
	for (size_t i = 0; i < c->naddr; i++)
		buf_addf(&out, "%s%u", i ? " " : "", c->addr[i].ip.b[3]);
	return buf_cstr(&out);
}

static struct candidate candidate_of(unsigned from, unsigned to)
{
	struct candidate c = { .host = "mx1.example.net", .pref = 10 };
	c.demand.level = DEMAND_MAY;
	for (unsigned i = from; i <= to; i++) {
		c.addr[c.naddr] = at("192.0.2.0:25");
		c.addr[c.naddr++].ip.b[3] = (uint8_t)i;
	}
	return c;
}

static void check_sort(struct memory *m, struct candidate c, const char *now, const char *late,
		       const char *plain)
{
	struct candidate l, p;
	memory_sort(m, &c, &l, &p);
	CHECK_STR("now", addresses(&c), now);
	CHECK_STR("late", addresses(&l), late);
	CHECK_STR("plain", addresses(&p), plain);
	CHECK_STR("like it", l.host, "mx1.example.net");
	CHECK_STR("like it", p.host, "mx1.example.net");
	CHECK("like it", l.pref == 10 && p.pref == 10 && p.demand.level == c.demand.level);
}

static void note_tls(struct memory *m, const char *addr, enum attempt_fate fate, bool good)
{
	const struct memory_host h = { .host = "mx1.example.net",
				       .addr = at(addr),
				       .fate = fate,
				       .tls = good ? HOST_TLS_GOOD : HOST_TLS_BROKEN,
				       .why = "silent" };
	memory_note_host(m, &h);
}

static void sorting(void)
{
	world_open();
	struct memory *m = open_memory();
	struct candidate c = candidate_of(1, 9);
	check_sort(m, c, "1 2 3 4 5 6 7 8 9", "", "");
	note_host(m, "192.0.2.2", FATE_SILENT);
	note_host(m, "192.0.2.5", FATE_SILENT);
	note_host(m, "192.0.2.6", FATE_GREETED);
	note_host(m, "192.0.2.9", FATE_UNKNOWN);
	note_tls(m, "192.0.2.3", FATE_GREETED, false);
	note_tls(m, "192.0.2.4", FATE_GREETED, true);
	note_tls(m, "192.0.2.7", FATE_SILENT, false);
	note_tls(m, "192.0.2.8", FATE_GREETED, false);
	memory_finish(m, HEARD_NO);
	check_sort(m, c, "1 4 6 9", "2 5 7", "3 8");
	world.wall += 59;
	check_sort(m, c, "1 4 6 9", "2 5 7", "3 8");
	/* Now they are probes; what comes next sees that. */
	world.wall++;
	check_sort(m, c, "1 2 4 5 6 9", "", "3 7 8");
	check_sort(m, c, "1 4 6 9", "2 5 7", "3 8");
	world.wall += 539;
	note_host(m, "192.0.2.2", FATE_GREETED);
	note_host(m, "192.0.2.5", FATE_GREETED);
	note_host(m, "192.0.2.7", FATE_GREETED);
	memory_finish(m, HEARD_NO);
	check_sort(m, c, "1 2 4 5 6 9", "", "3 7 8");
	world.wall++;
	check_sort(m, c, "1 2 3 4 5 6 7 8 9", "", "");
	check_sort(m, candidate_of(1, 0), "", "", "");
	check_sort(m, candidate_of(1, LIMIT_ADDRS), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", "",
		   "");
	memory_close(m);
	world_close();
}

static void sorting_by_demand(void)
{
	static const struct {
		const char *label;
		enum demand_level level;
		bool testing;
		const char *now, *plain;
	} cases[] = {
		{ "none", DEMAND_NONE, false, "1 2", "" },
		{ "may", DEMAND_MAY, false, "1", "2" },
		{ "may, but a proof is looked at", DEMAND_MAY, true, "1 2", "" },
		{ "encrypt", DEMAND_ENCRYPT, false, "1 2", "" },
		{ "verify", DEMAND_VERIFY, false, "1 2", "" },
		{ "dane", DEMAND_DANE, false, "1 2", "" },
	};
	world_open();
	struct memory *m = open_memory();
	note_tls(m, "192.0.2.2", FATE_GREETED, false);
	memory_finish(m, HEARD_NO);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct candidate late, plain, c = candidate_of(1, 2);
		c.demand.level = cases[i].level;
		c.demand.sts_testing = cases[i].testing;
		memory_sort(m, &c, &late, &plain);
		CHECK_STR(cases[i].label, addresses(&c), cases[i].now);
		CHECK_STR(cases[i].label, addresses(&plain), cases[i].plain);
		CHECK(cases[i].label, late.naddr == 0);
	}
	memory_close(m);
	world_close();
}

static void one_probe(void)
{
	struct record_host r;
	world_open();
	struct memory *a = open_memory(), *b = open_memory();
	struct candidate c = candidate_of(1, 3);
	note_host(a, "192.0.2.1", FATE_SILENT);
	memory_finish(a, HEARD_NO);
	world.wall += 60;
	check_sort(a, c, "1 2 3", "", "");
	CHECK("on the disk", host_record("192.0.2.1", &r));
	CHECK("on the disk", r.probe_until == world.wall + HEALTH_PROBE && r.fails == 1);
	CHECK("the rest of it stays", text_is(r.why, "connect: timed out"));
	CHECK("nothing is noted of the others", !host_record("192.0.2.2", &r));
	check_sort(b, c, "2 3", "1", "");
	world.wall += 10;
	note_host(a, "192.0.2.1", FATE_SILENT);
	memory_finish(a, HEARD_NO);
	check_sort(a, c, "2 3", "1", "");
	check_sort(b, c, "2 3", "1", "");
	world.wall += 120;
	check_sort(b, c, "1 2 3", "", "");
	check_sort(a, c, "2 3", "1", "");
	world.wall += HEALTH_PROBE;
	check_sort(a, c, "1 2 3", "", "");
	note_host(a, "192.0.2.1", FATE_GREETED);
	memory_finish(a, HEARD_NO);
	check_sort(b, c, "1 2 3", "", "");
	check_sort(a, c, "1 2 3", "", "");
	memory_close(a);
	memory_close(b);
	world_close();
}

/* Who only looks leaves everything as it is, and takes nobody's probe. */
static void only_looks(void)
{
	struct record_domain d = { .fails = 7 };
	struct record_host h = { .fails = 7 };
	struct candidate c = candidate_of(1, 3);
	world_open();
	struct memory *m = open_memory(), *look = memory_open_to_look(&world.sv);
	CHECK("it opens", look != NULL);
	CHECK("nothing yet", !memory_known_host(look, world.arena, c.addr[0], &h) && h.fails == 7);
	CHECK("nothing yet", !memory_known_domain(look, world.arena, "example.org", &d));
	note_host(m, "192.0.2.1", FATE_SILENT);
	ran(m, "Example.org", RUN_UNREACHABLE, "nobody there");
	CHECK("down", is_down(look, "example.org", false));
	check_sort(look, c, "2 3", "1", "");
	world.wall += 60;
	for (int i = 0; i < 2; i++) {
		CHECK("a try", !is_down(look, "example.org", false));
		check_sort(look, c, "1 2 3", "", "");
	}
	CHECK("a host", memory_known_host(look, world.arena, c.addr[0], &h));
	CHECK("a domain", memory_known_domain(look, world.arena, "example.ORG", &d));
	const struct record_policy p = { .domain = SPAN("example.org"), .id = SPAN("1") };
	struct record_policy kept;
	memory_keep_policy(look, &p);
	CHECK("no policy", !memory_policy(look, world.arena, "example.org", &kept));
	memory_close(look);
	CHECK("its record", h.fails == 1 && h.probe_until == 0 && h.last_fail == START);
	CHECK("in the arena", text_is(h.host, "mx1.example.net"));
	CHECK("in the arena", text_is(h.why, "connect: timed out"));
	CHECK("its record", d.fails == 1 && d.probe_until == 0 && d.failing_since == START);
	CHECK("in the arena", text_is(d.domain, "Example.org") && text_is(d.why, "nobody there"));
	CHECK("the probes are for others", !is_down(m, "example.org", false));
	check_sort(m, c, "1 2 3", "", "");
	memory_close(m);
	world_close();
}

#endif
