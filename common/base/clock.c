/* SPDX-License-Identifier: ISC */
#include "base/clock.h"

static struct instant system_now(void *ctx)
{
	(void)ctx;
	struct timespec ts = { 0 };
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct instant){ (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 };
}

struct clock clock_system(void)
{
	return (struct clock){ .now = system_now };
}

struct instant clock_now(const struct clock *c)
{
	return c->now(c->ctx);
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
