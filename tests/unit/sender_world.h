/* SPDX-License-Identifier: ISC */
/* What test_senderspf and test_fitness share: a zone, a memory whose clock is wound by hand, and
 * the lines of the journal. */
#ifndef TESTS_SENDER_WORLD_H
#define TESTS_SENDER_WORLD_H

#include "flow/memory.h"
#include "flow/spf.h"

#include "spf_zone.h"
#include "store_dir.h"

#define START 1700000000

struct sender_world {
	struct zone_server dns;
	int64_t wall;
	unsigned lines;
	char line[LIMIT_LOG_LINE + 1]; /* the last one */
	struct arena *arena;
	struct io io;
	struct rng rng;
	struct config config;
	struct resolver *resolver;
	struct services sv;
	struct error err;
};

static inline int64_t world_wall(void *ctx)
{
	return ((struct sender_world *)ctx)->wall;
}

static inline struct instant world_now(void *ctx)
{
	(void)ctx;
	const struct clock real = clock_system();
	return clock_now(&real);
}

static inline void world_log(void *self, const char *line)
{
	struct sender_world *w = self;
	w->lines++;
	snprintf(w->line, sizeof(w->line), "%s", line);
}

/* Without memory at first. */
static inline void world_open(struct sender_world *w, const struct zone_record *r, size_t n)
{
	static const uint8_t seed[16] = { 1 };
	*w = (struct sender_world){ .wall = START };
	w->io = (struct io){ .clock = { world_now, world_wall, w }, .stop_fd = -1 };
	zone_open(&w->dns, r, n);
	dir_make();
	w->arena = arena_open(LIMIT_ARENA);
	rng_seed(&w->rng, seed);
	config_init(&w->config);
	w->config.state_directory = store_dir;
	struct resolver_options o = { .servers = &w->dns.at, .nservers = 1, .timeout_ms = 30000 };
	if (!w->arena || !resolver_open(&o, &w->io, &w->rng, &w->resolver, &w->err))
		abort();
	w->sv = (struct services){
		.io = &w->io,
		.resolver = w->resolver,
		.rng = &w->rng,
		.config = &w->config,
		.own_name = "mail.sender.test",
		.spf_program = SPF_PROGRAM,
		.journal = { .log = world_log, .self = w },
	};
}

/* The next run: nothing is left of the one before but what the memory has. */
static inline void world_next_run(struct sender_world *w)
{
	memory_close(w->sv.memory);
	resolver_forget(w->resolver);
	arena_reset(w->arena);
	w->sv.memory = memory_open(&w->sv);
	CHECK(w->line, w->sv.memory != NULL);
	w->lines = 0;
	w->line[0] = '\0';
}

static inline void world_close(struct sender_world *w)
{
	memory_close(w->sv.memory);
	resolver_forget(w->resolver);
	resolver_close(w->resolver);
	arena_close(w->arena);
	dir_remove();
	zone_close(&w->dns);
}

static inline size_t world_asked(struct sender_world *w)
{
	pthread_mutex_lock(&w->dns.lock);
	size_t n = w->dns.asked;
	pthread_mutex_unlock(&w->dns.lock);
	return n;
}

static inline struct ip world_ip(const char *text)
{
	struct ip ip;
	if (!ip_parse(span_of(text), &ip))
		abort();
	return ip;
}

#endif
