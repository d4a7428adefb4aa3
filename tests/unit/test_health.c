/* SPDX-License-Identifier: ISC */
#include "core/health.h"
#include "harness.h"

#define NOW  1700000000 /* a clock that is wound by hand */
#define YEAR (365 * 86400)

/* After 0, 1, 2, ... failures; from the last one on always the same. */
static const int64_t host_waits[] = { 0, 60, 120, 240, 480, 960, 1920, 3600 };
static const int64_t tls_waits[] = { 0, 600, 1200, 2400, 4800, 9600, 14400 };
static const int64_t domain_waits[] = { 0, 60, 120, 240, 480, 960, 1800 };
#define WAIT(waits, fails) wait_of(waits, sizeof(waits) / sizeof(waits[0]), fails)

static int64_t wait_of(const int64_t *waits, size_t n, uint32_t fails)
{
	return waits[fails < n ? fails : n - 1];
}

static const uint32_t many[] = { 0,
				 1,
				 2,
				 3,
				 4,
				 5,
				 6,
				 7,
				 8,
				 9,
				 10,
				 11,
				 12,
				 13,
				 14,
				 15,
				 16,
				 17,
				 18,
				 19,
				 20,
				 0x80000000,
				 UINT32_MAX - 1,
				 UINT32_MAX };
#define NMANY (sizeof(many) / sizeof(many[0]))

/* ---- hosts ---- */

static void test_never_seen(void)
{
	const struct record_host h = { 0 };
	const struct record_domain d = { 0 };
	static const int64_t times[] = { 0, 1, NOW, 4 * (int64_t)NOW };
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		int64_t next = 42;
		CU_ASSERT(health_of_host(&h, times[i]) == HEALTH_FINE);
		CU_ASSERT(!health_tls_broken(&h, times[i]));
		CU_ASSERT(health_of_domain(&d, true, times[i], &next) == DOMAIN_FINE);
		CU_ASSERT(health_of_domain(&d, false, times[i], &next) == DOMAIN_FINE);
		CU_ASSERT(next == 42);
	}
	CU_ASSERT(health_host_next(&h) == 0);
}

static void test_host_edges(void)
{
	for (size_t i = 0; i < NMANY; i++) {
		struct record_host r = { .fails = many[i], .last_fail = NOW };
		int64_t wait = WAIT(host_waits, many[i]);
		char label[40];
		snprintf(label, sizeof(label), "%u fails", many[i]);
		CHECK(label, health_host_next(&r) == (many[i] ? NOW + wait : 0));
		for (int64_t d = -1; d <= 1; d++) {
			enum health_advice want = many[i] == 0 ? HEALTH_FINE
						  : d < 0      ? HEALTH_LAST
							       : HEALTH_TRY;
			CHECK(label, health_of_host(&r, NOW + wait + d) == want);
			want = many[i] == 0 || d > 0 ? HEALTH_FINE : HEALTH_TRY;
			CHECK(label, health_of_host(&r, NOW + HEALTH_KEEP + d) == want);
		}
		if (many[i] > 0)
			CHECK(label, health_of_host(&r, NOW) == HEALTH_LAST);
	}
}

/* fails that are counted, not given. */
static void test_host_story(void)
{
	struct record_host r = { 0 };
	int64_t now = NOW;
	for (uint32_t fails = 1; fails <= 20; fails++) {
		health_bad(&r, now, span_of(fails % 2 ? "odd" : "even"));
		CU_ASSERT(r.fails == fails && r.first_fail == NOW && r.last_fail == now);
		CU_ASSERT(span_equal(r.why, span_of(fails % 2 ? "odd" : "even")));
		CU_ASSERT(health_host_next(&r) == now + WAIT(host_waits, fails));
		now = health_host_next(&r);
		CU_ASSERT(health_of_host(&r, now - 1) == HEALTH_LAST);
		CU_ASSERT(health_of_host(&r, now) == HEALTH_TRY);
		health_probe(&r, now);
	}
	health_good(&r, now + 5, 33);
	CU_ASSERT(r.fails == 0 && r.first_fail == 0 && r.probe_until == 0);
	CU_ASSERT(r.last_good == now + 5 && r.connect_ms == 33);
	CU_ASSERT(health_of_host(&r, now + 5) == HEALTH_FINE && health_host_next(&r) == 0);
	health_bad(&r, now + 6, span_of("again"));
	CU_ASSERT(r.fails == 1 && r.first_fail == now + 6 && r.last_good == now + 5);
	CU_ASSERT(health_host_next(&r) == now + 66);
}

/* Two runs share the record: the second one goes on as before until the first one has told. */
static void test_host_hand_over(void)
{
	const struct record_host failed = { .fails = 1, .first_fail = NOW, .last_fail = NOW };
	struct record_host r = failed;
	int64_t now = NOW + 60;
	CU_ASSERT(health_of_host(&r, now) == HEALTH_TRY);
	health_probe(&r, now);
	CU_ASSERT(r.probe_until == now + HEALTH_PROBE && r.fails == 1 && r.last_fail == NOW);
	CU_ASSERT(health_of_host(&r, now) == HEALTH_LAST);
	CU_ASSERT(health_of_host(&r, now + HEALTH_PROBE - 1) == HEALTH_LAST);
	/* The prober died: the next one may. */
	CU_ASSERT(health_of_host(&r, now + HEALTH_PROBE) == HEALTH_TRY);
	CU_ASSERT(health_of_host(&r, now + HEALTH_PROBE + 1) == HEALTH_TRY);
	struct record_host good = r, bad = r;
	health_good(&good, now + 2, 20);
	CU_ASSERT(health_of_host(&good, now + 2) == HEALTH_FINE);
	health_bad(&bad, now + 30, span_of("timed out"));
	CU_ASSERT(bad.fails == 2 && bad.probe_until == 0);
	CU_ASSERT(health_of_host(&bad, now + 30 + 119) == HEALTH_LAST);
	CU_ASSERT(health_of_host(&bad, now + 30 + 120) == HEALTH_TRY);
	/* A probe of a host that is fine by now keeps nobody away. */
	r = (struct record_host){ 0 };
	health_probe(&r, now);
	CU_ASSERT(health_of_host(&r, now) == HEALTH_FINE);
}

static void test_host_clock(void)
{
	for (size_t i = 1; i < NMANY; i++) {
		struct record_host r = { .fails = many[i], .last_fail = NOW };
		CHECK("a little back", health_of_host(&r, NOW - 1) == HEALTH_LAST);
		CHECK("all the skew", health_of_host(&r, NOW - HEALTH_SKEW) == HEALTH_LAST);
		CHECK("more", health_of_host(&r, NOW - HEALTH_SKEW - 1) == HEALTH_TRY);
		CHECK("a year", health_of_host(&r, NOW - YEAR) == HEALTH_TRY);
		CHECK("1970", health_of_host(&r, 0) == HEALTH_TRY);
		/* The first run after the clock went back sets the record right. */
		struct record_host bad = r;
		health_probe(&bad, NOW - YEAR);
		CHECK("probe", health_of_host(&bad, NOW - YEAR) == HEALTH_LAST);
		health_bad(&bad, NOW - YEAR, span_of("x"));
		CHECK("set right", bad.last_fail == NOW - YEAR && bad.first_fail <= NOW - YEAR);
		CHECK("set right", health_of_host(&bad, NOW - YEAR) == HEALTH_LAST);
		CHECK("set right", health_of_host(&bad, NOW - YEAR + 3600) == HEALTH_TRY);
	}
	static const struct {
		const char *label;
		int64_t ahead;
		enum health_advice want;
	} t[] = {
		{ "over", 0, HEALTH_TRY },
		{ "one second", 1, HEALTH_LAST },
		{ "just begun", HEALTH_PROBE, HEALTH_LAST },
		{ "skew", HEALTH_PROBE + HEALTH_SKEW, HEALTH_LAST },
		{ "more than that", HEALTH_PROBE + HEALTH_SKEW + 1, HEALTH_TRY },
		{ "a year", YEAR, HEALTH_TRY },
		{ "past", -1, HEALTH_TRY },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct record_host r = { .fails = 1, .last_fail = NOW - 60 };
		r.probe_until = NOW + t[i].ahead;
		CHECK(t[i].label, health_of_host(&r, NOW) == t[i].want);
	}
}

static void test_host_counting(void)
{
	struct record_host r = { .fails = UINT32_MAX, .first_fail = 1, .last_fail = NOW };
	health_bad(&r, NOW + 1, span_of("x"));
	CU_ASSERT(r.fails == UINT32_MAX && r.first_fail == 1 && r.last_fail == NOW + 1);
	r.tls_fails = UINT32_MAX;
	r.tls_last_fail = NOW;
	health_tls(&r, NOW + 1, false);
	CU_ASSERT(r.tls_fails == UINT32_MAX && r.tls_last_fail == NOW + 1);
	for (int64_t d = -1; d <= 1; d++) {
		struct record_host old = { .fails = 5, .first_fail = 7, .last_fail = NOW };
		health_bad(&old, NOW + HEALTH_KEEP + d, span_of("x"));
		CU_ASSERT(old.fails == (d > 0 ? 1 : 6));
		CU_ASSERT(old.first_fail == (d > 0 ? NOW + HEALTH_KEEP + d : 7));
	}
}

static void test_tls(void)
{
	struct record_host r = { 0 };
	int64_t now = NOW;
	for (uint32_t fails = 1; fails <= 20; fails++) {
		health_tls(&r, now, false);
		int64_t end = now + WAIT(tls_waits, fails);
		CU_ASSERT(r.tls_fails == fails && r.tls_last_fail == now);
		CU_ASSERT(health_tls_broken(&r, now) && health_tls_broken(&r, end - 1));
		CU_ASSERT(!health_tls_broken(&r, end) && !health_tls_broken(&r, end + 1));
		now = end;
	}
	CU_ASSERT(r.fails == 0 && health_of_host(&r, now) == HEALTH_FINE);
	health_tls(&r, now, false);
	health_good(&r, now, 10);
	CU_ASSERT(health_tls_broken(&r, now)); /* a greeting says nothing about TLS */
	health_tls(&r, now, true);
	CU_ASSERT(r.tls_fails == 0 && !health_tls_broken(&r, now));
	health_tls(&r, now, false);
	CU_ASSERT(r.tls_fails == 1 && !health_tls_broken(&r, now + 600));
	CU_ASSERT(health_tls_broken(&r, now - HEALTH_SKEW));
	CU_ASSERT(!health_tls_broken(&r, now - HEALTH_SKEW - 1));
	CU_ASSERT(!health_tls_broken(&r, now - YEAR));
	for (int64_t d = -1; d <= 1; d++) {
		struct record_host old = { .tls_fails = 5, .tls_last_fail = NOW };
		health_tls(&old, NOW + HEALTH_KEEP + d, false);
		CU_ASSERT(old.tls_fails == (d > 0 ? 1 : 6));
	}
}

/* ---- domains ---- */

static void check_domain(const char *label, const struct record_domain *r, bool first, int64_t now,
			 int64_t want_next)
{
	int64_t next = -1;
	enum health_domain got = health_of_domain(r, first, now, &next);
	CHECK(label, (got == DOMAIN_DOWN) == (want_next > 0));
	CHECK(label, next == (want_next > 0 ? want_next : -1));
}

static enum health_domain ask(const struct record_domain *r, bool first, int64_t now)
{
	int64_t next = -1;
	enum health_domain got = health_of_domain(r, first, now, &next);
	CU_ASSERT((got == DOMAIN_DOWN) == (next > now));
	return got;
}

static void test_domain_edges(void)
{
	for (size_t i = 0; i < NMANY; i++) {
		struct record_domain r = { .fails = many[i], .last_fail = NOW };
		int64_t wait = WAIT(domain_waits, many[i]), end = NOW + wait;
		enum health_domain later = many[i] ? DOMAIN_TRY : DOMAIN_FINE;
		char label[40];
		snprintf(label, sizeof(label), "%u fails", many[i]);
		CHECK(label, ask(&r, false, end) == later && ask(&r, false, end + 1) == later);
		CHECK(label, ask(&r, true, end) == later && ask(&r, true, end + 1) == later);
		for (int64_t d = -1; d <= 1; d++) {
			enum health_domain want = d > 0 ? DOMAIN_FINE : later;
			CHECK(label, ask(&r, false, NOW + HEALTH_KEEP + d) == want);
			CHECK(label, ask(&r, true, NOW + HEALTH_KEEP + d) == want);
		}
		if (many[i] == 0)
			continue;
		check_domain(label, &r, false, NOW, end);
		check_domain(label, &r, false, end - 1, end);
		check_domain(label, &r, true, NOW, end);
		check_domain(label, &r, true, end - 1, wait - 1 <= HEALTH_FRESH ? end : 0);
		for (int64_t d = -1; d <= 1; d++) {
			int64_t at = HEALTH_FRESH + d;
			check_domain(label, &r, true, NOW + at, at < wait && d <= 0 ? end : 0);
			check_domain(label, &r, false, NOW + at, at < wait ? end : 0);
		}
	}
}

static void test_domain_hand_over(void)
{
	struct record_domain r = { .fails = 2, .failing_since = NOW - 60, .last_fail = NOW };
	int64_t now = NOW + 120;
	CU_ASSERT(ask(&r, false, now) == DOMAIN_TRY);
	health_domain_probe(&r, now);
	CU_ASSERT(r.probe_until == now + HEALTH_PROBE && r.fails == 2);
	check_domain("second run", &r, false, now, now + HEALTH_PROBE);
	check_domain("its last second", &r, false, now + HEALTH_PROBE - 1, now + HEALTH_PROBE);
	CU_ASSERT(ask(&r, false, now + HEALTH_PROBE) == DOMAIN_TRY);
	/* A new message waits for no probe, but is none either. */
	CU_ASSERT(ask(&r, true, now) == DOMAIN_FINE);
	CU_ASSERT(ask(&r, true, now + HEALTH_PROBE) == DOMAIN_TRY);
	/* The back-off is the reason while it lasts. */
	health_domain_probe(&r, NOW + 100);
	check_domain("both", &r, false, NOW + 110, NOW + 120);
	check_domain("the probe alone", &r, false, NOW + 120, NOW + 220);
	/* A new message while the others wait is the probe of all. */
	r = (struct record_domain){ .fails = 20, .last_fail = NOW };
	CU_ASSERT(ask(&r, true, NOW + 300) == DOMAIN_DOWN);
	CU_ASSERT(ask(&r, true, NOW + 301) == DOMAIN_TRY);
	health_domain_probe(&r, NOW + 301);
	CU_ASSERT(ask(&r, true, NOW + 302) == DOMAIN_FINE);
	check_domain("an old one", &r, false, NOW + 302, NOW + 1800);
}

static void test_domain_ran(void)
{
	struct record_domain r = { 0 };
	int64_t now = NOW;
	for (uint32_t fails = 1; fails <= 20; fails++) {
		health_domain_ran(&r, RUN_UNREACHABLE, now);
		CU_ASSERT(r.fails == fails && r.failing_since == NOW && r.last_fail == now);
		now += WAIT(domain_waits, fails);
		check_domain("story", &r, false, now - 1, now);
		CU_ASSERT(ask(&r, false, now) == DOMAIN_TRY);
		health_domain_probe(&r, now);
		check_domain("story", &r, false, now, now + HEALTH_PROBE);
	}
	/* Reachable again, but the mail is still here. */
	health_domain_ran(&r, RUN_PUT_OFF, now);
	CU_ASSERT(r.fails == 0 && r.probe_until == 0 && r.failing_since == NOW);
	CU_ASSERT(ask(&r, false, now) == DOMAIN_FINE && ask(&r, true, now) == DOMAIN_FINE);
	health_domain_ran(&r, RUN_UNREACHABLE, now + 1);
	CU_ASSERT(r.fails == 1 && r.failing_since == NOW && r.last_fail == now + 1);
	health_domain_probe(&r, now + 61);
	health_domain_ran(&r, RUN_ANSWERED, now + 62);
	CU_ASSERT(r.fails == 0 && r.failing_since == 0 && r.last_fail == 0 && r.probe_until == 0);
	health_domain_ran(&r, RUN_PUT_OFF, now + 63);
	CU_ASSERT(r.fails == 0 && r.failing_since == now + 63 && r.last_fail == now + 63);
	CU_ASSERT(ask(&r, false, now + 63) == DOMAIN_FINE);
	health_domain_ran(&r, RUN_PUT_OFF, now + 99);
	CU_ASSERT(r.failing_since == now + 63);
	r = (struct record_domain){ .fails = UINT32_MAX, .failing_since = 1, .last_fail = NOW };
	health_domain_ran(&r, RUN_UNREACHABLE, NOW + 1);
	CU_ASSERT(r.fails == UINT32_MAX && r.failing_since == 1);
}

/* code and why are the caller's. */
static void test_domain_reason(void)
{
	for (int run = RUN_ANSWERED; run <= RUN_UNREACHABLE; run++) {
		struct record_domain r = { .code = ESC(4, 4, 1),
					   .why = SPAN("w"),
					   .domain = SPAN("d") };
		health_domain_ran(&r, (enum health_run)run, NOW);
		CU_ASSERT(r.code.cls == 4 && span_equal(r.why, SPAN("w")));
		CU_ASSERT(span_equal(r.domain, SPAN("d")));
	}
}

static void test_domain_age(void)
{
	for (int64_t d = -1; d <= 1; d++) {
		int64_t now = NOW + HEALTH_KEEP + d;
		struct record_domain r = { .fails = 4, .failing_since = 9, .last_fail = NOW };
		struct record_domain off = r;
		health_domain_ran(&r, RUN_UNREACHABLE, now);
		CU_ASSERT(r.fails == (d > 0 ? 1 : 5) && r.failing_since == (d > 0 ? now : 9));
		health_domain_ran(&off, RUN_PUT_OFF, now);
		CU_ASSERT(off.fails == 0 && off.failing_since == (d > 0 ? now : 9));
		struct record_domain put_off = { .failing_since = 9, .last_fail = NOW };
		health_domain_ran(&put_off, RUN_UNREACHABLE, now);
		CU_ASSERT(put_off.fails == 1 && put_off.failing_since == (d > 0 ? now : 9));
	}
}

static void test_domain_failing(void)
{
	static const struct {
		const char *label;
		int64_t since, last, now, want;
	} t[] = {
		{ "never failed", 0, 0, NOW, 0 },
		{ "just now", NOW, NOW, NOW, 0 },
		{ "for an hour", NOW - 3600, NOW - 60, NOW, 3600 },
		{ "seen a day ago", NOW - 2 * HEALTH_STALE, NOW - HEALTH_STALE, NOW,
		  2 * HEALTH_STALE },
		{ "not seen for longer", NOW - 2 * HEALTH_STALE, NOW - HEALTH_STALE - 1, NOW, 0 },
		{ "nobody knows when last", NOW - 3600, 0, NOW, 0 },
		{ "a clock that went back", NOW + 1, NOW + 1, NOW, 0 },
		{ "a little back", NOW - 60, NOW + 1, NOW, 60 },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct record_domain r = { .failing_since = t[i].since, .last_fail = t[i].last };
		CHECK(t[i].label, health_domain_failing(&r, t[i].now) == t[i].want);
	}
}

static void test_domain_clock(void)
{
	for (size_t i = 1; i < NMANY; i++) {
		struct record_domain r = { .fails = many[i],
					   .failing_since = NOW,
					   .last_fail = NOW };
		int64_t wait = WAIT(domain_waits, many[i]);
		for (int first = 0; first <= 1; first++) {
			check_domain("a little back", &r, first, NOW - 1, NOW - 1 + wait);
			check_domain("all the skew", &r, first, NOW - HEALTH_SKEW,
				     NOW - HEALTH_SKEW + wait);
			check_domain("more", &r, first, NOW - HEALTH_SKEW - 1, 0);
			CU_ASSERT(ask(&r, first, NOW - YEAR) == DOMAIN_TRY);
			CU_ASSERT(ask(&r, first, 0) == DOMAIN_TRY);
		}
		health_domain_ran(&r, RUN_UNREACHABLE, NOW - YEAR);
		CU_ASSERT(r.failing_since == NOW - YEAR && r.last_fail == NOW - YEAR);
		CU_ASSERT(ask(&r, false, NOW - YEAR + 1800) == DOMAIN_TRY);
	}
	struct record_domain r = { .fails = 1, .last_fail = NOW - 60 };
	for (int64_t d = -1; d <= 1; d++) {
		r.probe_until = NOW + HEALTH_PROBE + HEALTH_SKEW + d;
		check_domain("a probe far away", &r, false, NOW, d <= 0 ? NOW + HEALTH_PROBE : 0);
		r.probe_until = NOW + d;
		check_domain("a probe's end", &r, false, NOW, d > 0 ? NOW + d : 0);
	}
	r.probe_until = 2 * (int64_t)NOW;
	CU_ASSERT(ask(&r, false, NOW) == DOMAIN_TRY);
}

/* ---- whatever happens ---- */

static uint64_t dice(uint64_t *state, uint64_t sides)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (*state >> 33) % sides;
}

/* Mostly forward by seconds or hours, now and then by days or back. */
static int64_t wind(uint64_t *state, int64_t now)
{
	switch (dice(state, 8)) {
	case 0:
		return now;
	case 1:
		return now + (int64_t)dice(state, 9 * 86400);
	case 2:
		return now - (int64_t)dice(state, 200);
	case 3:
		return dice(state, 10) ? now : now - (int64_t)dice(state, YEAR);
	case 4:
		return now + (int64_t)dice(state, 5000);
	default:
		return now + (int64_t)dice(state, 90);
	}
}

static void check_host_now(const struct record_host *r, int64_t now)
{
	enum health_advice say = health_of_host(r, now);
	int64_t next = health_host_next(r);
	struct record_host probed = *r;
	CU_ASSERT(r->fails > 0 || (say == HEALTH_FINE && next == 0));
	CU_ASSERT(r->fails == 0 || (next >= r->last_fail + 60 && next <= r->last_fail + 3600));
	CU_ASSERT(r->first_fail <= r->last_fail || r->fails == 0);
	if (say == HEALTH_LAST)
		CU_ASSERT(now < next || now < r->probe_until);
	/* Whoever waits now does not wait for longer than this, however the clock went. */
	struct record_host alone = *r;
	alone.probe_until = 0;
	if (health_of_host(&alone, now) == HEALTH_LAST)
		CU_ASSERT(health_of_host(&alone, now + 3600 + HEALTH_SKEW) != HEALTH_LAST);
	if (health_tls_broken(r, now))
		CU_ASSERT(!health_tls_broken(r, now + 4 * 3600 + HEALTH_SKEW));
	CU_ASSERT(r->tls_fails > 0 || !health_tls_broken(r, now));
	/* One probe at a time. */
	health_probe(&probed, now);
	if (say == HEALTH_TRY)
		for (int64_t s = 0; s < HEALTH_PROBE; s += 17)
			CU_ASSERT(health_of_host(&probed, now + s) != HEALTH_TRY);
}

static void test_any_host_story(void)
{
	uint64_t state = 1;
	size_t seen[3] = { 0 };
	for (int story = 0; story < 300; story++) {
		struct record_host r = { 0 };
		int64_t now = NOW;
		for (int step = 0; step < 40; step++) {
			now = wind(&state, now);
			uint64_t what = dice(&state, 9);
			if (health_of_host(&r, now) == HEALTH_TRY && what < 6)
				health_probe(&r, now);
			if (what == 0)
				health_good(&r, now, 1);
			else if (what < 5)
				health_bad(&r, now, span_of("x"));
			else if (what < 8)
				health_tls(&r, now, what == 5);
			check_host_now(&r, now);
			int64_t later = wind(&state, now);
			check_host_now(&r, later);
			seen[health_of_host(&r, later)]++;
		}
	}
	CU_ASSERT(seen[HEALTH_FINE] > 500 && seen[HEALTH_TRY] > 500 && seen[HEALTH_LAST] > 500);
}

static void check_domain_now(const struct record_domain *r, int64_t now)
{
	struct record_domain probed = *r, alone = *r;
	alone.probe_until = 0;
	for (int first = 0; first <= 1; first++) {
		int64_t next = 0;
		enum health_domain say = health_of_domain(r, first, now, &next);
		CU_ASSERT(r->fails > 0 || say == DOMAIN_FINE);
		if (ask(&alone, first, now) == DOMAIN_DOWN)
			CU_ASSERT(ask(&alone, first, now + 1800 + HEALTH_SKEW) != DOMAIN_DOWN);
		if (say != DOMAIN_DOWN) {
			CU_ASSERT(next == 0);
			continue;
		}
		CU_ASSERT(next > now && next <= now + 1800);
		CU_ASSERT(next <= r->last_fail + 1800 || next <= r->probe_until);
		CU_ASSERT(!first || now - r->last_fail <= HEALTH_FRESH);
		/* Whoever is refused as a new message is so as an old one. */
		CU_ASSERT(ask(r, false, now) == DOMAIN_DOWN);
	}
	health_domain_probe(&probed, now);
	if (ask(r, false, now) == DOMAIN_TRY)
		for (int64_t s = 0; s < HEALTH_PROBE; s += 17)
			CU_ASSERT(ask(&probed, s % 2, now + s) != DOMAIN_TRY);
}

static void test_any_domain_story(void)
{
	uint64_t state = 2;
	size_t seen[3] = { 0 };
	for (int story = 0; story < 300; story++) {
		struct record_domain r = { 0 };
		int64_t now = NOW;
		for (int step = 0; step < 40; step++) {
			now = wind(&state, now);
			uint64_t what = dice(&state, 9);
			bool first = dice(&state, 2);
			if (ask(&r, first, now) == DOMAIN_TRY && what < 7)
				health_domain_probe(&r, now);
			if (what < 6)
				health_domain_ran(&r,
						  what == 0   ? RUN_ANSWERED
						  : what == 1 ? RUN_PUT_OFF
							      : RUN_UNREACHABLE,
						  now);
			check_domain_now(&r, now);
			int64_t later = wind(&state, now);
			check_domain_now(&r, later);
			seen[ask(&r, first, later)]++;
		}
	}
	CU_ASSERT(seen[DOMAIN_FINE] > 500 && seen[DOMAIN_TRY] > 500 && seen[DOMAIN_DOWN] > 500);
}

TEST_MAIN("health", { "never seen", test_never_seen }, { "host edges", test_host_edges },
	  { "host story", test_host_story }, { "host hand-over", test_host_hand_over },
	  { "host clock", test_host_clock }, { "host counting", test_host_counting },
	  { "TLS", test_tls }, { "domain edges", test_domain_edges },
	  { "domain hand-over", test_domain_hand_over }, { "domain ran", test_domain_ran },
	  { "domain reason", test_domain_reason }, { "domain age", test_domain_age },
	  { "domain clock", test_domain_clock }, { "domain failing", test_domain_failing },
	  { "any host story", test_any_host_story }, { "any domain story", test_any_domain_story })
