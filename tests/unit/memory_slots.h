/* SPDX-License-Identifier: ISC */
/* For test_memory.c: slots. The clock runs at each look at it, so no wait is a real one. */
#ifndef TESTS_MEMORY_SLOTS_H
#define TESTS_MEMORY_SLOTS_H

#include "memory_world.h"

static int held_slot = -1;
static pid_t holder;
static unsigned ticks;

static int take(struct services *sv, const char *domain, struct error *err)
{
	int slot = -7;
	*err = (struct error){ .class = ERR_NONE };
	if (!memory_slot(sv, domain, far_off, &slot, err))
		return -2;
	return slot;
}

static int descriptors(void)
{
	int n = 0;
	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void slots(void)
{
	struct error err;
	world_open();
	world.step = 50;
	struct services sv = world.sv, sv2 = world.sv;
	sv.memory = open_memory();
	sv2.memory = open_memory();
	world.config.max_per_destination = 2;
	int a = take(&sv, "example.org", &err), b = take(&sv2, "Example.ORG", &err);
	int other = take(&sv, "example.net", &err);
	CHECK("two", a >= 0 && b >= 0 && other >= 0);
	int64_t before = world.ms;
	int open_before = descriptors();
	CHECK("no third", take(&sv, "example.org", &err) == -2);
	CHECK("waited",
	      world.ms - before >= MEMORY_SLOT_WAIT && world.ms - before < MEMORY_SLOT_WAIT + 500);
	CHECK("code", err.class == ERR_TEMP && code_is(err.code, ESC(4, 3, 2)));
	CHECK_STR("text", err.text,
		  "2 deliveries to example.org are under way already (max_per_destination)");
	before = world.ms;
	int slot = -7;
	CHECK("little time",
	      !memory_slot(&sv, "example.org", deadline_in(io_now(&world.io), 300), &slot, &err));
	CHECK("little time", world.ms - before < 900 && err.class == ERR_TEMP);
	CHECK("no descriptor is lost", descriptors() == open_before);
	memory_leave(a);
	a = take(&sv2, "example.org", &err);
	CHECK("given back", a >= 0);
	world.config.max_per_destination = 0;
	CHECK("any number", take(&sv, "example.org", &err) == -1 && err.class == ERR_NONE);
	memory_leave(-1);
	memory_leave(a);
	memory_leave(b);
	memory_leave(other);
	memory_close(sv.memory);
	memory_close(sv2.memory);
	world_close();
}

static void leave_later(void)
{
	if (++ticks == 10)
		memory_leave(held_slot);
}

static void kill_later(void)
{
	if (++ticks == 10)
		CHECK("killed", kill(holder, SIGKILL) == 0 && child_end(holder) == 1000 + SIGKILL);
}

static void hold(void *ctx)
{
	int *say = ctx;
	struct error err;
	struct services sv = world.sv;
	sv.memory = memory_open(&sv);
	held_slot = take(&sv, "example.org", &err);
	if (held_slot < 0 || write(say[1], "t", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void slots_wait(void)
{
	struct error err;
	int say[2];
	char c;
	world_open();
	struct services sv = world.sv;
	sv.memory = open_memory();
	world.config.max_per_destination = 1;
	world.step = 25;
	held_slot = take(&sv, "example.org", &err);
	ticks = 0;
	world.on_tick = leave_later;
	int slot = take(&sv, "example.org", &err);
	CHECK("when it is given back", slot >= 0 && ticks >= 10);
	CHECK("and not much later", ticks < 20);
	memory_leave(slot);

	world.on_tick = NULL;
	if (pipe(say) != 0)
		abort();
	holder = child(hold, say);
	CHECK("taken", read(say[0], &c, 1) == 1);
	ticks = 0;
	world.on_tick = kill_later;
	slot = take(&sv, "example.org", &err);
	CHECK("when its holder dies", slot >= 0 && ticks >= 10 && ticks < 20);
	memory_leave(slot);
	close(say[0]);
	close(say[1]);
	memory_close(sv.memory);
	world_close();
}

static int stop[2];

static void stop_later(void)
{
	if (++ticks == 10)
		close(stop[1]);
}

static void slots_stop(void)
{
	struct error err;
	world_open();
	if (pipe(stop) != 0)
		abort();
	world.io.stop_fd = stop[0];
	world.step = 25;
	struct services sv = world.sv;
	sv.memory = open_memory();
	world.config.max_per_destination = 1;
	int slot = take(&sv, "example.org", &err);
	world.on_tick = stop_later;
	ticks = 0;
	CHECK("stopped", take(&sv, "example.org", &err) == -2 && ticks < 20);
	CHECK("code", err.class == ERR_TEMP && code_is(err.code, ESC(4, 3, 2)));
	CHECK("said so", strstr(err.text, "stopped") != NULL);
	memory_leave(slot);
	close(stop[0]);
	memory_close(sv.memory);
	world_close();
}

#endif
