/* SPDX-License-Identifier: ISC */
/* One evaluation of SPF against a zone. */
#ifndef TESTS_SPF_WORLD_H
#define TESTS_SPF_WORLD_H

#include <errno.h>
#include <sys/wait.h>

#include "flow/spf.h"
#include "spf_zone.h"

static const struct deadline far_off = { { INT64_MAX } };

struct world {
	struct zone_server dns;
	struct arena *arena;
	struct io io;
	struct rng rng;
	struct config config;
	struct services sv;
	struct resolver *resolver;
	struct spf_question question;
	struct spf_answer answer;
	struct error err;
};

static inline void world_open(struct world *w, const struct zone_record *r, size_t n)
{
	static const uint8_t seed[16] = { 1 };
	*w = (struct world){ .io = { .clock = clock_system(), .stop_fd = -1 } };
	zone_open(&w->dns, r, n);
	w->arena = arena_open(LIMIT_ARENA);
	rng_seed(&w->rng, seed);
	config_init(&w->config);
	struct resolver_options o = { .servers = &w->dns.at, .nservers = 1, .timeout_ms = 30000 };
	if (!w->arena || !resolver_open(&o, &w->io, &w->rng, &w->resolver, &w->err))
		abort();
	w->sv = (struct services){ .io = &w->io,
				   .resolver = w->resolver,
				   .rng = &w->rng,
				   .config = &w->config,
				   .own_name = "",
				   .spf_program = SPF_PROGRAM };
	w->question = (struct spf_question){ .local = "strong-bad", .helo = "mail.helo.test" };
}

static inline void world_close(struct world *w)
{
	resolver_forget(w->resolver);
	resolver_close(w->resolver);
	arena_close(w->arena);
	zone_close(&w->dns);
}

static inline bool evaluate(struct world *w, const char *source, const char *domain,
			    struct deadline until)
{
	resolver_forget(w->resolver);
	arena_reset(w->arena);
	w->question.domain = domain;
	if (!ip_parse(span_of(source), &w->question.source))
		abort();
	return spf_evaluate(w->arena, &w->sv, &w->question, until, &w->answer, &w->err);
}

static inline bool nobody_left(void)
{
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

static inline int descriptors(void)
{
	int n = 0;
	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

#endif
