/* SPDX-License-Identifier: ISC */
/* A zone with some domains, the memory of ctl_example.h, and a wall clock that stands still: for the
 * tests of plans. */
#ifndef TESTS_PLAN_WORLD_H
#define TESTS_PLAN_WORLD_H

#include "base/clock.h"

#include "ctl_example.h"
#include "ctl_print.h"
#include "spf_zone.h"

static const struct zone_record plan_zone[] = {
	{ "example.net", DNS_MX, "#2 example.net" },
	{ "h1.example.net", DNS_A, "192.0.2.1" },
	{ "h1.example.net", DNS_A, "127.0.0.9" },
	{ "h2.example.net", DNS_AAAA, "2001:db8::2" },
	{ "_mta-sts.example.net", DNS_TXT, "v=STSv1; id=20261101T000000" },
	{ "broken.example", DNS_MX, "mail.broken.example" },
	{ "mail.broken.example", DNS_A, "198.51.100.7" },
	{ "many.test", DNS_MX, "#22 many.test" },
	{ "*.many.test", DNS_A, "192.0.2.33" },
	{ "tls.test", DNS_MX, "h2.example.net" },
	{ "loop.test", DNS_MX, "#4 loop.test" },
	{ "h1.loop.test", DNS_A, "192.0.2.41" },
	{ "h2.loop.test", DNS_A, "192.0.2.42" },
	{ "h4.loop.test", DNS_A, "192.0.2.44" },
	{ "null.test", DNS_MX, "" },
	{ "odd.test", DNS_MX, "127.0.0.1" },
	{ "fail.test", ZONE_FAIL, "15" },
	{ "half.test", DNS_MX, "#2 half.test" },
	{ "h1.half.test", ZONE_FAIL, "1" },
	{ "h1.half.test", ZONE_FAIL, "28" },
	{ "h2.half.test", DNS_A, "192.0.2.52" },
	{ "bare.test", DNS_A, "192.0.2.61" },
	{ "self.test", DNS_MX, "mx.self.test" },
	{ "mx.self.test", DNS_A, "127.0.0.1" },
};

static const uint8_t plan_seed[16] = { 7 };

static inline struct instant plan_now(void *ctx)
{
	struct clock real = clock_system();
	(void)ctx;
	return clock_now(&real);
}

static inline int64_t plan_wall(void *ctx)
{
	(void)ctx;
	return NOW;
}

static inline struct io plan_io(void)
{
	return (struct io){ .clock = { plan_now, plan_wall, NULL }, .stop_fd = -1 };
}

#endif
