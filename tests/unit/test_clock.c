/* SPDX-License-Identifier: ISC */
#include <time.h>

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

static int64_t wound_wall(void *ctx)
{
	return ((struct instant *)ctx)->ms / 10;
}

static void injected(void)
{
	struct instant hand = { 41 };
	struct clock c = { .now = wound, .wall = wound_wall, .ctx = &hand };
	CHECK("41", clock_now(&c).ms == 41);
	hand.ms = 1000;
	CHECK("1000", clock_now(&c).ms == 1000);
	CHECK("wall", clock_wall(&c) == 100);
	c = clock_system();
	int64_t before = time(NULL), wall = clock_wall(&c);
	CHECK("system", wall >= before - 1 && wall <= time(NULL) + 1);
}

static void dates(void)
{
	static const struct {
		int64_t wall;
		const char *text;
	} t[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ -1, "1970-01-01T00:00:00Z" },
		{ 951782400, "2000-02-29T00:00:00Z" },
		{ 1795599600, "2026-11-25T09:40:00Z" },
		{ 253402300799, "9999-12-31T23:59:59Z" },
		{ INT64_MAX, "9999-12-31T23:59:59Z" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char text[CLOCK_UTC];
		clock_utc(t[i].wall, text);
		CHECK_STR(t[i].text, text, t[i].text);
	}
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

TEST_MAIN("clock", { "system", system_clock }, { "injected", injected }, { "dates", dates },
	  { "deadlines", deadlines })
