/* SPDX-License-Identifier: ISC */
#include "base/clock.h"

static struct instant system_now(void *ctx)
{
	(void)ctx;
	struct timespec ts = { 0 };
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct instant){ (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 };
}

static int64_t system_wall(void *ctx)
{
	(void)ctx;
	struct timespec ts = { 0 };
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec;
}

struct clock clock_system(void)
{
	return (struct clock){ .now = system_now, .wall = system_wall };
}

struct instant clock_now(const struct clock *c)
{
	return c->now(c->ctx);
}

int64_t clock_wall(const struct clock *c)
{
	return c->wall(c->ctx);
}

struct deadline deadline_in(struct instant now, int64_t ms)
{
	struct deadline d;
	if (__builtin_add_overflow(now.ms, ms, &d.at.ms))
		d.at.ms = ms > 0 ? INT64_MAX : INT64_MIN;
	return d;
}

struct deadline deadline_min(struct deadline a, struct deadline b)
{
	return a.at.ms < b.at.ms ? a : b;
}

int64_t deadline_left_ms(struct deadline d, struct instant now)
{
	int64_t left;
	if (d.at.ms <= now.ms)
		return 0;
	return __builtin_sub_overflow(d.at.ms, now.ms, &left) ? INT64_MAX : left;
}

void clock_utc(int64_t wall, char out[static CLOCK_UTC])
{
	const int64_t last = 253402300799; /* the end of the year 9999 */
	time_t t = (time_t)(wall < 0 ? 0 : wall > last ? last : wall);
	struct tm tm = { 0 };
	gmtime_r(&t, &tm);
	strftime(out, CLOCK_UTC, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
