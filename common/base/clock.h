/* SPDX-License-Identifier: ISC */
/* Time as values. One unit, milliseconds; instants are monotonic and cannot be mixed up with durations. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct instant {
	int64_t ms;
};
struct deadline {
	struct instant at;
};
struct clock { /* injected; tests wind one by hand */
	struct instant (*now)(void *ctx);
	int64_t (*wall)(void *ctx); /* seconds since 1970, for what is remembered and shown */
	void *ctx;
};

struct clock clock_system(void); /* CLOCK_MONOTONIC, CLOCK_REALTIME */
struct instant clock_now(const struct clock *c);
int64_t clock_wall(const struct clock *c);
struct deadline deadline_in(struct instant now, int64_t ms);
struct deadline deadline_min(struct deadline a, struct deadline b);
int64_t deadline_left_ms(struct deadline d, struct instant now); /* 0 once it has passed */

/* "2026-11-24T09:40:00Z" (RFC 3339); seconds since 1970, of the years 1970 to 9999, others are cut to that. */
#define CLOCK_UTC 21
void clock_utc(int64_t wall, char out[static CLOCK_UTC]);

#endif
