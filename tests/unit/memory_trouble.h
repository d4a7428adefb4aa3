/* SPDX-License-Identifier: ISC */
/* For test_memory.c: no memory, a memory that breaks, and many processes at once. */
#ifndef TESTS_MEMORY_TROUBLE_H
#define TESTS_MEMORY_TROUBLE_H

#include "memory_health.h"

/* ---- every call there is, on a memory that should answer "unknown" ---- */

static const struct recipient SOMEBODY[] = { { .text = "joe@example.org" },
					     { .text = "ann@example.org" } };
static const struct envelope SOME_MAIL = {
	.sender_text = "sue@example.com",
	.rcpt = SOMEBODY,
	.nrcpt = 2,
	.domain = "example.org",
	.queue_id = "4Q",
};
static const struct facts SOME_FACTS = { .size = 1, .digest = 2 };

static bool ask_delivered(struct memory *m)
{
	struct outcome o;
	return memory_delivered(m, world.arena, &SOME_MAIL, 0, &SOME_FACTS, &o);
}

static bool ask_tried(struct memory *m)
{
	return memory_tried(m, &SOME_MAIL, 1);
}

static bool ask_down(struct memory *m)
{
	return is_down(m, "example.org", false);
}

static bool ask_sort(struct memory *m)
{
	struct candidate late, plain, c = candidate_of(1, 3);
	memory_sort(m, &c, &late, &plain);
	CHECK_STR("like it", late.host, c.host);
	CHECK_STR("like it", plain.host, c.host);
	return c.naddr != 3 || late.naddr || plain.naddr;
}

static bool ask_host(struct memory *m)
{
	struct record_host r;
	return memory_known_host(m, world.arena, at("192.0.2.1"), &r);
}

static bool ask_domain(struct memory *m)
{
	struct record_domain r;
	return memory_known_domain(m, world.arena, "example.org", &r);
}

static bool ask_policy(struct memory *m)
{
	struct record_policy r;
	return memory_policy(m, world.arena, "example.org", &r);
}

static bool tell_accepted(struct memory *m)
{
	const struct outcome o = outcome_of(EVENT_ACCEPTED, ESC(2, 0, 0), "250 Ok");
	memory_accepted(m, &SOME_MAIL, 0, &SOME_FACTS, &o);
	return false;
}

static bool tell_notes(struct memory *m)
{
	const struct outcome o = outcome_of(EVENT_NO_RESPONSE, ESC(4, 4, 1), "nobody there");
	note_host(m, "192.0.2.1", FATE_SILENT);
	note_tls(m, "192.0.2.2", FATE_GREETED, false);
	memory_note_answer(m, "mx1", &o);
	memory_note_end(m, &SOME_MAIL, 1, &o, END_DEFERRED);
	memory_note_domain(m, "example.org", RUN_UNREACHABLE, &o);
	memory_finish(m, HEARD_LATER);
	return false;
}

static bool tell_heard(struct memory *m)
{
	memory_finish(m, HEARD_YES);
	return memory_awaits_report(m);
}

static bool tell_policy(struct memory *m)
{
	const struct record_policy r = { .domain = SPAN("example.org"),
					 .fetched = START,
					 .max_age = DAY,
					 .id = SPAN("1"),
					 .body = SPAN("x: y") };
	memory_keep_policy(m, &r);
	return false;
}

static bool ask_sender(struct memory *m)
{
	const struct record_sender who = { .domain = SPAN("example.org"), .helo = SPAN("h") };
	struct record_sender r;
	return memory_sender(m, world.arena, &who, &r);
}

static bool tell_sender(struct memory *m)
{
	const struct record_sender r = { .domain = SPAN("example.org"),
					 .helo = SPAN("h"),
					 .ttl = DAY };
	memory_keep_sender(m, &r);
	return false;
}

static bool ask_slot(struct memory *m)
{
	struct services sv = world.sv;
	struct error err;
	int slot = -7;
	sv.memory = m;
	CHECK("never in the way", memory_slot(&sv, "example.org", far_off, &slot, &err));
	bool taken = slot >= 0;
	memory_leave(slot);
	return taken;
}

static const struct {
	const char *label;
	bool (*call)(struct memory *m); /* true: it knew something */
} CALLS[] = {
	{ "delivered", ask_delivered }, { "tried", ask_tried },
	{ "down", ask_down },           { "sort", ask_sort },
	{ "host", ask_host },           { "domain", ask_domain },
	{ "policy", ask_policy },       { "sender", ask_sender },
	{ "accepted", tell_accepted },  { "notes", tell_notes },
	{ "keep policy", tell_policy }, { "keep sender", tell_sender },
	{ "heard", tell_heard },        { "slot", ask_slot },
};
#define NCALLS (sizeof(CALLS) / sizeof(CALLS[0]))
#define NASKED 8            /* the first ones only ask */
#define NSEE   (NCALLS - 2) /* the last two do not see the file: here nobody waits to be heard of */

/* A memory with something to say to each question. */
static void fill(struct memory *m)
{
	for (size_t i = NASKED; i < NCALLS; i++)
		CALLS[i].call(m);
	for (size_t i = 0; i < NASKED; i++)
		CHECK(CALLS[i].label, CALLS[i].call(m));
}

/* All of them, from the first one on in a circle. */
static void call_all(struct memory *m, size_t first)
{
	for (size_t i = 0; i < NCALLS; i++)
		CHECK(CALLS[(first + i) % NCALLS].label, !CALLS[(first + i) % NCALLS].call(m));
}

static void none(void)
{
	world_open();
	world.config.max_per_destination = 1;
	call_all(NULL, 0);
	CHECK("awaits nothing", !memory_awaits_report(NULL));
	memory_close(NULL);
	world.config.state_directory = "";
	CHECK("none is wanted", memory_open(&world.sv) == NULL);
	world_close();
}

static void cannot_open(void)
{
	char want[400];
	world_open();
	world.config.state_directory = dir_path("missing");
	CHECK("missing", memory_open(&world.sv) == NULL && world.logged == 1);
	snprintf(want, sizeof(want),
		 "going on without memory: %s/missing: No such file or directory", store_dir);
	CHECK_STR("missing", world.line, want);
	world.config.state_directory = store_dir;
	CHECK("chmod", chmod(store_dir, 0777) == 0);
	CHECK("others may write", memory_open(&world.sv) == NULL && world.logged == 2);
	CHECK("chmod", chmod(store_dir, 0700) == 0);
	dir_write("memory.mdb", 0, "this is no database", 19);
	CHECK("no database", memory_open(&world.sv) == NULL && world.logged == 3);
	struct memory *m = open_memory();
	fill(m);
	memory_close(m);
	world_close_with(3);
}

/* ---- damage in the middle of its use ---- */

static void cut_off(void)
{
	CHECK("truncate", truncate(dir_path("memory.mdb"), 0) == 0);
}

static void overwrite(void)
{
	static char junk[8192];
	off_t size = dir_size("memory.mdb");
	memset(junk, 0xa5, sizeof(junk));
	for (off_t n = 0; n < size; n += (off_t)sizeof(junk))
		dir_write("memory.mdb", n, junk, sizeof(junk));
}

/* All but the two pages that say where the others are. */
static void overwrite_pages(void)
{
	static char junk[4096];
	off_t size = dir_size("memory.mdb"), page = sysconf(_SC_PAGESIZE);
	memset(junk, 0xff, sizeof(junk));
	for (off_t n = 2 * page; n < size; n += (off_t)sizeof(junk))
		dir_write("memory.mdb", n, junk, sizeof(junk));
}

static void take_away(void)
{
	CHECK("unlink", unlink(dir_path("memory.mdb")) == 0);
}

static void take_all_away(void)
{
	take_away();
	CHECK("unlink", unlink(dir_path("memory.lock")) == 0);
	unlink(dir_path("slots"));
}

static void damage(void)
{
	static const struct {
		const char *label;
		void (*damage)(void);
	} cases[] = {
		{ "cut off", cut_off },         { "overwritten", overwrite },
		{ "pages", overwrite_pages },   { "taken away", take_away },
		{ "all of it", take_all_away },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t first = 0; first < NSEE; first++) {
			world_open();
			world.config.max_per_destination = 5;
			struct memory *m = open_memory();
			fill(m);
			cases[i].damage();
			call_all(m, first);
			CHECK(cases[i].label, world.logged == 1);
			CHECK(world.line,
			      strncmp(world.line, "going on without memory: ", 25) == 0);
			memory_close(m);
			m = open_memory();
			CHECK("a new one", !ask_delivered(m));
			fill(m);
			memory_close(m);
			world_close_with(1);
		}
}

/* By somebody who was stopped in the middle: once our patience is over we go on without. */
static void lock_held(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	world_open();
	struct memory *m = open_memory();
	fill(m);
	int fd = open(dir_path("memory.lock"), O_RDWR | O_CLOEXEC);
	CHECK("held", fd >= 0 && fcntl(fd, F_OFD_SETLK, &l) == 0);
	call_all(m, 0);
	close(fd);
	call_all(m, 0);
	memory_close(m);
	m = open_memory();
	CHECK("all is still there", ask_delivered(m) && ask_tried(m) && ask_down(m));
	memory_close(m);
	world_close_with(1);
}

static void slots_broken(void)
{
	world_open();
	struct memory *m = open_memory();
	fill(m);
	CHECK("slots", unlink(dir_path("slots")) == 0 && mkdir(dir_path("slots"), 0700) == 0);
	CHECK("none", !ask_slot(m) && world.logged == 1);
	call_all(m, 0);
	memory_close(m);
	world_close_with(1);
}

/* ---- many processes ---- */

#define CHILDREN 50

/* What a child says with its exit code. */
enum { SAYS_LOGGED = 1, SAYS_HOST_PROBE = 2, SAYS_DOMAIN_PROBE = 4, SAYS_WRONG = 8 };

struct cycle {
	unsigned id, die_at; /* look at the wall clock; 0: never */
	char domain[30], queue_id[10], addr[20];
	struct recipient rcpt;
	struct envelope mail;
};

static void cycle_init(struct cycle *c, unsigned id)
{
	c->id = id;
	snprintf(c->domain, sizeof(c->domain), "d%u.example.org", id);
	snprintf(c->queue_id, sizeof(c->queue_id), "Q%u", id);
	snprintf(c->addr, sizeof(c->addr), "192.0.2.%u", id);
	c->rcpt = (struct recipient){ .text = "joe@example.org" };
	c->mail = (struct envelope){ .sender_text = "",
				     .rcpt = &c->rcpt,
				     .nrcpt = 1,
				     .domain = c->domain,
				     .queue_id = c->queue_id };
}

static unsigned die_at;

static void die(unsigned looks)
{
	if (looks == die_at)
		raise(SIGKILL);
}

/* A whole run; it shares a host, a domain and an attempt with all the others. */
static int run_cycle(const struct cycle *c)
{
	const struct outcome no = outcome_of(EVENT_REPLY_4XX, ESC(4, 2, 2), "full");
	const struct outcome yes = outcome_of(EVENT_ACCEPTED, ESC(2, 0, 0), "250 Ok");
	struct candidate late, plain, hosts = candidate_of(c->id, c->id);
	struct outcome o;
	int says = 0;
	hosts.addr[hosts.naddr++] = at("198.51.100.1");
	world.looks = 0;
	struct memory *m = memory_open(&world.sv);
	if (memory_delivered(m, world.arena, &c->mail, 0, &SOME_FACTS, &o) ||
	    memory_tried(m, &c->mail, 0) || is_down(m, c->domain, true))
		says |= SAYS_WRONG;
	if (!is_down(m, "asked.example.org", false))
		says |= SAYS_DOMAIN_PROBE;
	memory_sort(m, &hosts, &late, &plain);
	if (late.naddr == 0)
		says |= SAYS_HOST_PROBE;
	memory_note_answer(m, "mx1", &no);
	note_host(m, c->addr, FATE_SILENT);
	note_host(m, "198.51.100.1", FATE_SILENT);
	memory_note_end(m, &SOME_MAIL, 1, &no, END_DEFERRED);
	memory_note_end(m, &c->mail, 0, &no, END_UNKNOWN);
	memory_note_domain(m, c->domain, RUN_UNREACHABLE, &no);
	memory_finish(m, HEARD_LATER);
	memory_accepted(m, &c->mail, 0, &SOME_FACTS, &yes);
	memory_note_domain(m, "noted.example.org", RUN_PUT_OFF, &no);
	memory_finish(m, HEARD_YES);
	memory_close(m);
	/* On a busy machine fifty runs may well have to wait for too long. */
	if (world.logged && !strstr(world.line, "in use for too long"))
		says |= SAYS_WRONG;
	return says | (world.logged ? SAYS_LOGGED : 0);
}

static void be_child(void *ctx)
{
	const struct cycle *c = ctx;
	die_at = c->die_at;
	world.on_look = c->die_at ? die : NULL;
	int says = run_cycle(c);
	if (says & SAYS_WRONG)
		puts(world.line);
	fflush(stdout);
	_exit(says);
}

static bool is_readable(struct span key, struct span value)
{
	union {
		struct record_host host;
		struct record_domain domain;
		struct record_policy policy;
		struct record_attempt attempt;
		struct record_delivered delivered;
		struct record_sender sender;
	} r;
	switch ((enum record_kind)key.p[0]) {
	case RECORD_HOST:
		return record_host_read(value, &r.host);
	case RECORD_DOMAIN:
		return record_domain_read(value, &r.domain);
	case RECORD_POLICY:
		return record_policy_read(value, &r.policy);
	case RECORD_ATTEMPT:
		return record_attempt_read(value, &r.attempt);
	case RECORD_DELIVERED:
		return record_delivered_read(value, &r.delivered);
	case RECORD_SENDER:
		return record_sender_read(value, &r.sender);
	}
	return false;
}

static unsigned count_readable(void)
{
	struct store *s = open_store();
	struct error err;
	struct buf key = new_key(), value;
	unsigned n = 0;
	buf_init(&value, raw_value, sizeof(raw_value));
	CHECK("begin", store_begin(s, STORE_READ, &err));
	for (;; n++) {
		CHECK("next", store_next(s, SPAN(""), buf_view(&key), &key, &value, &err));
		if (key.len == 0)
			break;
		CHECK("readable", is_readable(buf_view(&key), buf_view(&value)));
	}
	store_close(s);
	return n;
}

/* What a child that came to its end must have left. */
static void check_left(struct memory *m, const struct cycle *c)
{
	struct record_host host;
	struct record_domain domain;
	struct outcome o;
	CHECK(c->domain, memory_delivered(m, world.arena, &c->mail, 0, &SOME_FACTS, &o));
	CHECK(c->domain, memory_tried(m, &c->mail, 0));
	CHECK(c->domain, is_down(m, c->domain, false));
	CHECK(c->domain, domain_record(c->domain, &domain) && domain.fails == 1);
	CHECK(c->domain, host_record(c->addr, &host) && host.fails == 1);
}

/* How often the attempt that all share was counted. */
static uint32_t shared_count(void)
{
	struct record_attempt r = { .count = 0 };
	struct buf key = new_key();
	record_attempt_key(SOME_MAIL.queue_id, SOMEBODY[1].text, &key);
	CHECK("shared", record_attempt_read(raw(&key), &r));
	return r.count;
}

static void many_processes(void)
{
	static struct cycle cycles[CHILDREN];
	pid_t pids[CHILDREN];
	unsigned ended = 0, unsure = 0, host_probes = 0, domain_probes = 0;
	bool left[CHILDREN] = { false };
	world_open();
	struct memory *m = open_memory();
	ran(m, "asked.example.org", RUN_UNREACHABLE, "nobody there");
	note_host(m, "198.51.100.1", FATE_SILENT);
	memory_finish(m, HEARD_NO);
	memory_close(m);
	/* One that shows how often it looks at the clock, but takes no probe: it is too early. */
	cycle_init(&cycles[0], 200);
	CHECK("the first one", run_cycle(&cycles[0]) == 0);
	unsigned looks = world.looks;
	CHECK("it looks often", looks > 15);
	world.wall += 60;
	for (unsigned i = 0; i < CHILDREN; i++) {
		cycle_init(&cycles[i], i);
		cycles[i].die_at = i % 3 == 1 ? 1 + i * 7 % looks : 0;
		pids[i] = child(be_child, &cycles[i]);
		if (i % 5 == 3)
			kill(pids[i - 3], SIGKILL);
	}
	for (unsigned i = 0; i < CHILDREN; i++) {
		int end = child_end(pids[i]);
		bool killed = end == 1000 + SIGKILL;
		CHECK(cycles[i].domain, killed || !(end & ~7));
		left[i] = !killed && !(end & SAYS_LOGGED);
		ended += left[i];
		unsure += !left[i];
		host_probes += left[i] && end & SAYS_HOST_PROBE;
		domain_probes += left[i] && end & SAYS_DOMAIN_PROBE;
	}
	CHECK("some ended, some did not", ended > 0 && unsure > 0);
	CHECK("one probe", host_probes <= 1 && domain_probes <= 1);
	m = open_memory();
	for (unsigned i = 0; i < CHILDREN; i++)
		if (left[i])
			check_left(m, &cycles[i]);
	uint32_t count = shared_count();
	CHECK("none is lost", count >= 1 + ended && count <= 1 + ended + unsure);
	CHECK("all are whole", count_readable() >= 4 * ended);
	CHECK("no damage", dir_size("memory.mdb.bad") == -1);
	memory_close(m);
	world_close();
}

#endif
