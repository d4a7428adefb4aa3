/* SPDX-License-Identifier: ISC */
/* A zone with some domains, the memory of ctl_example.h, and a wall clock that stands still: for
 * the tests of plans. */
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
	{ "relay1.test", DNS_A, "192.0.2.81" },
	{ "relay2.test", DNS_A, "192.0.2.82" },
	{ "relays.test", DNS_MX, "relay1.test" },
};

/* Routes of all kinds; %s is a directory. Relays have one address each. */
static const char plan_routes[] =
	"helo_name = \"h3.loop.test\"\n"
	"refused_networks = {\"127.0.0.9\"}\n"
	"source_ipv6 = \"2001:db8:1::25\"\n"
	"route \"bare.test\" { hosts = {\"relay1.test:587\"}  user = \"fred\"  password_file = "
	"\"%s/secret\" }\n"
	"route \"*\" { hosts = {\"relay2.test\"}  sender = {\"@big.example\"}  size_over = 20M  "
	"priority = 5 }\n"
	"route \"broken.example\" { direct = yes }\n"
	"route \"broken.example\" { hosts = {\"relay2.test\"}  failing_for = 20m  priority = 20 }\n"
	"route \"broken.example\" { hosts = {\"relay1.test\"}  failing_for = 2h }\n"
	"route \"*.loop.test\" { hosts = {\"mx:relays.test:2525\"}  last = yes }\n"
	"route \"*.loop.test\" { hosts = {\"relay2.test\"} }\n"
	"route \"gone.test\" { hosts = {\"mx:nowhere.test\", \"nowhere.test\"}  priority = 3 }\n"
	"route \"gone.test\" { direct = yes  priority = 4 }\n"
	"route \"gone.test\" { hosts = {\"relay1.test\"} }\n"
	"route \"half.test\" { hosts = {\"192.0.2.83\"}  message_size_limit = 1K }\n"
	"route \"half.test\" { direct = yes  priority = 20 }\n";

static inline void plan_file(const char *dir, const char *name, const char *text)
{
	char path[100];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		exit(1);
	close(fd);
}

/* DIR/routes.conf, and the password of the login. */
static inline void plan_write_routes(const char *dir)
{
	char text[sizeof(plan_routes) + 100];
	snprintf(text, sizeof(text), plan_routes, dir);
	plan_file(dir, "secret", "sesame\n");
	plan_file(dir, "routes.conf", text);
}

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
