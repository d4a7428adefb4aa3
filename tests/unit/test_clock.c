/* SPDX-License-Identifier: ISC */
#include "base/clock.h"

#include "harness.h"

static void system_clock(void)
{
	struct clock c = clock_system();
	struct instant a = clock_now(&c), b = clock_now(&c);
	CHECK("runs", a.ms > 0 && b.ms >= a.ms && b.ms - a.ms < 10000);
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	int64_t ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	CHECK("monotonic", ms >= b.ms && ms - b.ms < 10000);
}

static struct instant wound(void *ctx)
{
	return *(struct instant *)ctx;
}

static void injected(void)
{
	struct instant hand = { 41 };
	struct clock c = { wound, &hand };
	CHECK("41", clock_now(&c).ms == 41);
	hand.ms = 1000;
	CHECK("1000", clock_now(&c).ms == 1000);
}

static void deadlines(void)
{
	struct instant now = { 5000 };
	struct deadline d = deadline_in(now, 300), later = deadline_in(now, 301);
	static const struct {
		const char *label;
		int64_t now, left;
	} cases[] = {
		{ "at once", 5000, 300 }, { "one before", 5299, 1 },      { "due", 5300, 0 },
		{ "past", 9000, 0 },      { "clock behind", 4000, 1300 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct instant at = { cases[i].now };
		CHECK(cases[i].label, deadline_left_ms(d, at) == cases[i].left);
	}
	CHECK("min", deadline_min(d, later).at.ms == 5300);
	CHECK("min", deadline_min(later, d).at.ms == 5300);
	CHECK("in the past", deadline_left_ms(deadline_in(now, -1), now) == 0);
	CHECK("far", deadline_in(now, INT64_MAX).at.ms == INT64_MAX);
	CHECK("far back", deadline_in((struct instant){ -5 }, INT64_MIN).at.ms == INT64_MIN);
	struct deadline never = { { INT64_MAX } };
	CHECK("never", deadline_left_ms(never, (struct instant){ -9 }) == INT64_MAX);
}

TEST_MAIN("clock", { "system", system_clock }, { "injected", injected }, { "deadlines", deadlines })
