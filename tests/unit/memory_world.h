/* SPDX-License-Identifier: ISC */
/* For test_memory.c: a directory, clocks wound by hand, a journal that counts, and records read
 * behind the memory's back. */
#ifndef TESTS_MEMORY_WORLD_H
#define TESTS_MEMORY_WORLD_H

#include "flow/memory_state.h"
#include "harness.h"
#include "store_dir.h"

#define DAY   86400
#define START 1700000000

static const struct deadline far_off = { { INT64_MAX } };

static struct world {
	int64_t ms, step; /* each look at the monotonic clock moves it on by `step` */
	int64_t wall;
	unsigned looks; /* at the wall clock */
	void (*on_look)(unsigned looks);
	void (*on_tick)(void); /* at each look at the monotonic clock */
	unsigned logged;
	char line[LIMIT_ERR_TEXT + 100];
	struct arena *arena;
	struct config config;
	struct io io;
	struct services sv;
} world;

static inline struct instant world_now(void *ctx)
{
	struct world *w = ctx;
	w->ms += w->step;
	if (w->on_tick)
		w->on_tick();
	return (struct instant){ w->ms };
}

static inline int64_t world_wall(void *ctx)
{
	struct world *w = ctx;
	w->looks++;
	if (w->on_look)
		w->on_look(w->looks);
	return w->wall;
}

static inline void world_log(void *self, const char *line)
{
	struct world *w = self;
	w->logged++;
	snprintf(w->line, sizeof(w->line), "%s", line);
}

static inline void world_open(void)
{
	dir_make();
	world = (struct world){ .wall = START, .arena = arena_open(LIMIT_ARENA) };
	config_init(&world.config);
	world.config.state_directory = store_dir;
	world.io = (struct io){ .clock = { world_now, world_wall, &world }, .stop_fd = -1 };
	world.sv = (struct services){
		.io = &world.io,
		.config = &world.config,
		.own_name = "",
		.journal = { .log = world_log, .self = &world },
	};
	if (!world.arena)
		abort();
}

static inline void world_close_with(unsigned lines)
{
	CHECK(world.line, world.logged == lines);
	arena_close(world.arena);
	dir_remove();
}

static inline void world_close(void)
{
	world_close_with(0);
}

static inline struct memory *open_memory(void)
{
	struct memory *m = memory_open(&world.sv);
	CHECK(world.line, m != NULL);
	return m;
}

/* ---- behind its back ---- */

static inline struct store *open_store(void)
{
	const struct store_options o = { store_dir, MEMORY_FILE, 10000 };
	struct store *s;
	struct error err;
	if (!store_open(&o, &s, &err)) {
		puts(err.text);
		abort();
	}
	return s;
}

static char raw_key[RECORD_KEY + 1], raw_value[STORE_VALUE + 1];

static inline struct buf new_key(void)
{
	struct buf key;
	buf_init(&key, raw_key, sizeof(raw_key));
	return key;
}

/* What is kept under raw_key, valid until the next call; n 0: nothing. */
static inline struct span raw(const struct buf *key)
{
	struct store *s = open_store();
	struct buf value;
	struct error err;
	buf_init(&value, raw_value, sizeof(raw_value));
	CHECK("read", store_begin(s, STORE_READ, &err) &&
			      store_get(s, buf_view(key), world.wall, &value, &err));
	store_close(s);
	return buf_view(&value);
}

static inline void raw_put(const struct buf *key, struct span value)
{
	struct store *s = open_store();
	struct error err;
	CHECK("write", store_begin(s, STORE_WRITE, &err) &&
			       store_put(s, buf_view(key), value, INT64_MAX, &err) &&
			       store_commit(s, world.wall, false, &err));
	store_close(s);
}

static inline bool text_is(struct span s, const char *want)
{
	return span_equal(s, span_of(want));
}

static inline bool code_is(struct esc got, struct esc want)
{
	return got.cls == want.cls && got.subject == want.subject && got.detail == want.detail;
}

/* ---- what is noted ---- */

static inline struct outcome outcome_of(enum failover_event event, struct esc code,
					const char *text)
{
	return (struct outcome){
		.event = event,
		.cause = CAUSE_SERVER,
		.code = code,
		.relay = "mx1.example.net[192.0.2.1]:25",
		.text = text,
	};
}

static inline struct endpoint at(const char *text)
{
	struct endpoint e;
	if (!endpoint_parse(span_of(text), 25, &e))
		abort();
	return e;
}

static inline void note_host(struct memory *m, const char *addr, enum attempt_fate fate)
{
	const struct memory_host h = {
		.host = "mx1.example.net",
		.addr = at(addr),
		.fate = fate,
		.why = fate == FATE_SILENT ? "connect: timed out" : NULL,
	};
	memory_note_host(m, &h);
}

#endif
