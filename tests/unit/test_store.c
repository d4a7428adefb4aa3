/* SPDX-License-Identifier: ISC */
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/rng.h"
#include "harness.h"
#include "store/store.h"
#include "store_dir.h"

#define MIB     (1024 * 1024)
#define FOREVER INT64_MAX

static struct error err;
static char value_room[STORE_VALUE + 1], key_room[STORE_KEY + 1];

static struct store *open_store_of(size_t max_bytes, int64_t patience_ms)
{
	struct store_options o = { store_dir, max_bytes, patience_ms };
	struct store *s = NULL;
	memset(&err, 0, sizeof(err));
	bool good = store_open(&o, &s, &err);
	CHECK(err.text, good == (s != NULL));
	return s;
}

static struct store *open_store(void)
{
	return open_store_of(MIB, 10000);
}

static void begin(struct store *s, enum store_mode mode)
{
	memset(&err, 0, sizeof(err));
	CHECK(err.text, store_begin(s, mode, &err));
}

static void commit(struct store *s, int64_t now)
{
	CHECK(err.text, store_commit(s, now, false, &err));
}

static void put(struct store *s, const char *key, const char *value, int64_t keep_until)
{
	CHECK(key, store_put(s, span_of(key), span_of(value), keep_until, &err));
}

/* In the transaction under way; "": nothing. */
static const char *get(struct store *s, const char *key, int64_t now)
{
	static struct buf out;
	buf_init(&out, value_room, sizeof(value_room));
	CHECK(key, store_get(s, span_of(key), now, &out, &err));
	return buf_cstr(&out);
}

/* In one of its own. */
static const char *look(struct store *s, const char *key, int64_t now)
{
	begin(s, STORE_READ);
	const char *got = get(s, key, now);
	store_abort(s);
	return got;
}

static void write_one(struct store *s, const char *key, const char *value, int64_t keep_until)
{
	begin(s, STORE_WRITE);
	put(s, key, value, keep_until);
	commit(s, 0);
}

static void values(void)
{
	dir_make();
	struct store *s = open_store();
	CHECK_STR("none", look(s, "a", 0), "");
	begin(s, STORE_WRITE);
	put(s, "a", "one", 100);
	put(s, "b", "two", 100);
	CHECK_STR("before the commit", get(s, "a", 0), "one");
	commit(s, 0);
	CHECK_STR("a", look(s, "a", 0), "one");
	CHECK_STR("b", look(s, "b", 0), "two");
	CHECK_STR("a key that begins like it", look(s, "aa", 0), "");
	write_one(s, "a", "a longer one", 100);
	CHECK_STR("replaced", look(s, "a", 0), "a longer one");
	write_one(s, "a", "1", 100);
	CHECK_STR("replaced", look(s, "a", 0), "1");
	begin(s, STORE_WRITE);
	CHECK("delete", store_delete(s, SPAN("a"), &err));
	CHECK("delete nothing", store_delete(s, SPAN("never"), &err));
	CHECK_STR("before the commit", get(s, "a", 0), "");
	CHECK("synced", store_commit(s, 0, true, &err));
	CHECK_STR("deleted", look(s, "a", 0), "");
	CHECK_STR("kept", look(s, "b", 0), "two");
	begin(s, STORE_WRITE);
	put(s, "b", "three", 100);
	put(s, "c", "four", 100);
	store_abort(s);
	CHECK_STR("as if nothing had been", look(s, "b", 0), "two");
	CHECK_STR("as if nothing had been", look(s, "c", 0), "");
	begin(s, STORE_WRITE);
	put(s, "b", "three", 100);
	store_close(s);
	s = open_store();
	CHECK_STR("closed in the middle", look(s, "b", 0), "two");
	store_close(s);
	store_close(NULL);
	CHECK("private", dir_size("memory.mdb") > 0 && dir_size("memory.lock") >= 0);
	dir_remove();
}

static void limits(void)
{
	static char text[STORE_VALUE + 1];
	char key[STORE_KEY + 1];
	struct buf out;
	memset(text, 'v', sizeof(text));
	memset(key, 'k', sizeof(key));
	buf_init(&out, value_room, sizeof(value_room));
	dir_make();
	struct store *s = open_store();
	begin(s, STORE_WRITE);
	static const struct {
		const char *label;
		size_t key, value;
		bool good;
	} cases[] = {
		{ "shortest", 1, 1, true },
		{ "longest key", STORE_KEY, 1, true },
		{ "longest value", 2, STORE_VALUE, true },
		{ "both", STORE_KEY - 1, STORE_VALUE, true },
		{ "no key", 0, 1, false },
		{ "key too long", STORE_KEY + 1, 1, false },
		{ "no value", 3, 0, false },
		{ "value too long", 3, STORE_VALUE + 1, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span k = { key, cases[i].key }, v = { text, cases[i].value };
		bool good = store_put(s, k, v, FOREVER, &err);
		CHECK(cases[i].label, good == cases[i].good);
		CHECK(cases[i].label, good || err.class == ERR_INTERNAL);
	}
	commit(s, 0);
	begin(s, STORE_READ);
	for (size_t i = 0; i < 4; i++) {
		CHECK(cases[i].label,
		      store_get(s, (struct span){ key, cases[i].key }, 0, &out, &err));
		CHECK(cases[i].label, out.len == cases[i].value && !out.overflow);
		CHECK(cases[i].label, memcmp(out.p, text, out.len) == 0);
	}
	CHECK("none of the others", store_get(s, SPAN("kkk"), 0, &out, &err) && out.len == 0);
	CHECK("no key", !store_get(s, SPAN(""), 0, &out, &err) && err.class == ERR_INTERNAL);
	out.size = 100;
	CHECK("little room", store_get(s, SPAN("kk"), 0, &out, &err));
	CHECK("little room", out.len == 0 && out.overflow);
	store_abort(s);
	store_close(s);
	dir_remove();
}

static void misuse(void)
{
	struct buf out;
	buf_init(&out, value_room, sizeof(value_room));
	dir_make();
	struct store *s = open_store();
	CHECK("get", !store_get(s, SPAN("a"), 0, &out, &err) && err.class == ERR_INTERNAL);
	CHECK("put", !store_put(s, SPAN("a"), SPAN("b"), 0, &err) && err.class == ERR_INTERNAL);
	CHECK("commit", !store_commit(s, 0, false, &err) && err.class == ERR_INTERNAL);
	store_abort(s);
	begin(s, STORE_READ);
	CHECK("put", !store_put(s, SPAN("a"), SPAN("b"), 0, &err) && err.class == ERR_INTERNAL);
	CHECK("twice", !store_begin(s, STORE_READ, &err) && err.class == ERR_INTERNAL);
	CHECK("goes on", store_get(s, SPAN("a"), 0, &out, &err) && out.len == 0);
	CHECK("the end of reading", store_commit(s, 0, false, &err));
	store_abort(s);
	write_one(s, "a", "works", 5);
	CHECK_STR("after all", look(s, "a", 5), "works");
	store_close(s);
	dir_remove();
}

/* All that begin with `prefix` and follow `after`, joined by blanks. */
static const char *list(struct store *s, const char *prefix, const char *after)
{
	static char all[400];
	struct buf key, value, joined;
	buf_init(&key, key_room, sizeof(key_room));
	buf_init(&value, value_room, sizeof(value_room));
	buf_init(&joined, all, sizeof(all));
	buf_add(&key, span_of(after));
	for (;;) {
		CHECK(prefix, store_next(s, span_of(prefix), buf_view(&key), &key, &value, &err));
		if (key.len == 0)
			return buf_cstr(&joined);
		buf_add(&joined, buf_view(&key));
		buf_addc(&joined, '=');
		buf_add(&joined, buf_view(&value));
		buf_addc(&joined, ' ');
	}
}

static void order(void)
{
	dir_make();
	struct store *s = open_store();
	begin(s, STORE_READ);
	CHECK_STR("empty", list(s, "", ""), "");
	store_abort(s);
	begin(s, STORE_WRITE);
	static const char *const keys[] = {
		"h/b", "a", "h/", "m", "h/a", "h0", "h/ab", "\xff", "h"
	};
	char v[] = "1";
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++, v[0]++)
		put(s, keys[i], v, (int64_t)(50 - i));
	CHECK_STR("while written", list(s, "h/", ""), "h/=3 h/a=5 h/ab=7 h/b=1 ");
	commit(s, 0);
	begin(s, STORE_READ);
	CHECK_STR("all", list(s, "", ""), "a=2 h=9 h/=3 h/a=5 h/ab=7 h/b=1 h0=6 m=4 \xff=8 ");
	CHECK_STR("prefix", list(s, "h/", ""), "h/=3 h/a=5 h/ab=7 h/b=1 ");
	CHECK_STR("after", list(s, "h/", "h/a"), "h/ab=7 h/b=1 ");
	CHECK_STR("after none of them", list(s, "h/", "h/aa"), "h/ab=7 h/b=1 ");
	CHECK_STR("after one before", list(s, "h/", "b"), "h/=3 h/a=5 h/ab=7 h/b=1 ");
	CHECK_STR("after the last", list(s, "h/", "h/b"), "");
	CHECK_STR("after one behind", list(s, "h/", "m"), "");
	CHECK_STR("no such", list(s, "x", ""), "");
	CHECK_STR("the last", list(s, "", "m"), "\xff=8 ");
	CHECK_STR("nothing behind", list(s, "", "\xff"), "");
	char longest[STORE_KEY + 10];
	memset(longest, 'h', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	CHECK_STR("a prefix of no key", list(s, longest, ""), "");
	struct buf key, value;
	buf_init(&key, key_room, sizeof(key_room));
	buf_init(&value, value_room, sizeof(value_room));
	CHECK("after no key", store_next(s, SPAN(""), span_of(longest), &key, &value, &err));
	CHECK_STR("after no key", buf_cstr(&key), "m");
	store_close(s);
	dir_remove();
}

static void expiry(void)
{
	dir_make();
	struct store *s = open_store();
	begin(s, STORE_WRITE);
	put(s, "past", "p", -5);
	put(s, "at", "a", 1000);
	put(s, "later", "l", 1001);
	put(s, "ever", "e", FOREVER);
	CHECK("commit", store_commit(s, -100, false, &err));
	CHECK_STR("its last second", look(s, "past", -5), "p");
	CHECK_STR("past it", look(s, "past", -4), "");
	CHECK_STR("its last second", look(s, "at", 1000), "a");
	CHECK_STR("past it", look(s, "at", 1001), "");
	CHECK_STR("still there", look(s, "past", -100), "p");
	write_one(s, "other", "o", 5000);
	CHECK_STR("dropped by the way", look(s, "past", -100), "");
	begin(s, STORE_WRITE);
	put(s, "at", "again", 3000);
	put(s, "gone at once", "g", 1500);
	commit(s, 2000);
	CHECK_STR("its time was moved", look(s, "at", 2000), "again");
	CHECK_STR("dropped", look(s, "later", 0), "");
	CHECK_STR("dropped in its own commit", look(s, "gone at once", 0), "");
	CHECK_STR("never", look(s, "ever", FOREVER), "e");
	begin(s, STORE_WRITE);
	commit(s, 10000);
	CHECK_STR("dropped", look(s, "at", 0), "");
	CHECK_STR("never", look(s, "ever", 0), "e");
	store_close(s);
	dir_remove();
}

/* A commit drops some, not all at once; a few commits drop all. */
static void expiry_is_bounded(void)
{
	char key[20];
	int left = 0, commits = 0;
	dir_make();
	struct store *s = open_store();
	begin(s, STORE_WRITE);
	for (int i = 0; i < 500; i++) {
		snprintf(key, sizeof(key), "k%03d", i);
		put(s, key, "v", 500 - i);
	}
	CHECK("commit", store_commit(s, 0, false, &err));
	do {
		begin(s, STORE_WRITE);
		commit(s, 401);
		begin(s, STORE_READ);
		for (left = 0; left < 500; left++) {
			snprintf(key, sizeof(key), "k%03d", left);
			if (*get(s, key, 0) == '\0')
				break;
		}
		store_abort(s);
	} while (++commits < 20 && left > 100);
	CHECK("what is not past stays", left == 100);
	CHECK("some each time", commits > 3 && commits < 10);
	store_close(s);
	dir_remove();
}

/* Filled for long with `size` bytes each, it takes every write, stays within its bounds, and loses
 * the soonest due. */
static void fill(size_t max_bytes, size_t size, int n)
{
	static char text[STORE_VALUE];
	char key[20], label[40];
	int failed = 0, in_a_row = 0, worst = 0, lost = 0;
	snprintf(label, sizeof(label), "%zu of %zu", size, max_bytes);
	memset(text, 'v', sizeof(text));
	dir_make();
	struct store *s = open_store_of(max_bytes, 10000);
	for (int i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "k%06d", i);
		bool good =
			store_begin(s, STORE_WRITE, &err) &&
			store_put(s, span_of(key), (struct span){ text, size }, 1000 + i, &err) &&
			store_commit(s, 0, false, &err);
		if (!good && (err.class != ERR_TEMP || !strstr(err.text, "memory.mdb: full")))
			CHECK(err.text, false);
		in_a_row = good ? 0 : in_a_row + 1;
		worst = in_a_row > worst ? in_a_row : worst;
		failed += !good;
		/* What comes first lasts longest, so what was put last is there. */
		if (good && *look(s, key, 0) == '\0')
			lost++;
	}
	/* In few pages one that was freed is not always free in time, or not enough in a row. */
	CHECK(label, failed <= (size < max_bytes / 8 ? n / 100 : n / 2));
	CHECK(label, worst < 3 && lost == 0);
	CHECK(label, dir_size("memory.mdb") <= (off_t)max_bytes);
	CHECK(label, dir_size("memory.mdb.bad") == -1);
	CHECK_STR(label, look(s, "k000000", 0), "");
	store_close(s);
	dir_remove();
}

static void bounded(void)
{
	fill(256 * 1024, 20, 2500);
	fill(256 * 1024, 700, 800);
	fill(256 * 1024, 3000, 400);
	fill(256 * 1024, 65536, 100);
	fill(2 * MIB, 65536, 100);
	fill(2 * MIB, STORE_VALUE, 100);
}

/* LMDB leaves pages that were taken and given back unwritten, so the file may end before its last
 * page: no damage. */
static void short_file(void)
{
	static char text[STORE_VALUE];
	memset(text, 'v', sizeof(text));
	dir_make();
	struct store *s = open_store();
	for (int i = 0; i < 8; i++) {
		begin(s, STORE_WRITE);
		put(s, "a", "kept", FOREVER);
		CHECK("put", store_put(s, SPAN("b"), (struct span){ text, sizeof(text) }, 1, &err));
		CHECK("delete", store_delete(s, SPAN("b"), &err));
		commit(s, 0);
		CHECK_STR("read", look(s, "a", 0), "kept");
		if (i % 2)
			CHECK("unlink", unlink(dir_path("memory.lock")) == 0);
		store_close(s);
		s = open_store();
		CHECK_STR("read", look(s, "a", 0), "kept");
	}
	store_close(s);
	CHECK("never damaged", dir_size("memory.mdb.bad") == -1);
	dir_remove();
}

/* What another limit left behind is used, and does not grow. */
static void larger_before(void)
{
	static char text[5000];
	char key[20];
	memset(text, 'v', sizeof(text) - 1);
	dir_make();
	struct store *s = open_store_of(2 * MIB, 10000);
	begin(s, STORE_WRITE);
	for (int i = 0; i < 230; i++) {
		snprintf(key, sizeof(key), "k%03d", i);
		put(s, key, text, 1000 + i);
	}
	commit(s, 0);
	store_close(s);
	off_t before = dir_size("memory.mdb");
	CHECK("larger", before > MIB + MIB / 2);
	s = open_store_of(512 * 1024, 10000);
	CHECK("read", strlen(look(s, "k229", 0)) == sizeof(text) - 1);
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "n%03d", i);
		write_one(s, key, text, 5000 + i);
	}
	CHECK("trimmed", *look(s, "k000", 0) == '\0' && *look(s, "k150", 0) == '\0');
	CHECK("kept", *look(s, "n099", 0) != '\0');
	CHECK("does not grow", dir_size("memory.mdb") <= before + before / 8);
	store_close(s);
	dir_remove();
}

static int counter(struct store *s, const char *key)
{
	const char *text = get(s, key, 0);
	return (int)strtol(*text ? text : "0", NULL, 10);
}

static bool count(struct store *s, const char *key)
{
	char text[20];
	if (!store_begin(s, STORE_WRITE, &err))
		return false;
	snprintf(text, sizeof(text), "%d", counter(s, key) + 1);
	return store_put(s, span_of(key), span_of(text), FOREVER, &err) &&
	       store_commit(s, 0, false, &err);
}

static struct store *open_or_exit(int64_t patience_ms)
{
	struct store_options o = { store_dir, MIB, patience_ms };
	struct store *s;
	if (!store_open(&o, &s, &err))
		_exit(41);
	return s;
}

enum { COUNTERS = 50, ROUNDS = 10 };

static void counting(void *ctx)
{
	(void)ctx;
	struct store *s = open_or_exit(60000);
	for (int i = 0; i < ROUNDS; i++)
		if (!count(s, "counter"))
			_exit(42);
	store_close(s);
}

static void processes(void)
{
	pid_t pids[COUNTERS];
	dir_make();
	for (int i = 0; i < COUNTERS; i++)
		pids[i] = child(counting, NULL);
	for (int i = 0; i < COUNTERS; i++)
		CHECK("ended well", child_end(pids[i]) == 0);
	struct store *s = open_store();
	begin(s, STORE_READ);
	CHECK("exact", counter(s, "counter") == COUNTERS * ROUNDS);
	store_close(s);
	CHECK("never damaged", dir_size("memory.mdb.bad") == -1);
	dir_remove();
}

/* The lock belongs to a store, not to the process. */
static void two_stores(void)
{
	dir_make();
	struct store *a = open_store(), *b = open_store_of(MIB, 0);
	write_one(a, "k", "from a", FOREVER);
	CHECK_STR("seen", look(b, "k", 0), "from a");
	write_one(b, "k", "from b", FOREVER);
	CHECK_STR("seen", look(a, "k", 0), "from b");
	begin(a, STORE_READ);
	begin(b, STORE_READ);
	CHECK_STR("two readers", get(a, "k", 0), get(b, "k", 0));
	store_abort(b);
	CHECK("a writer waits for a reader", !store_begin(b, STORE_WRITE, &err));
	CHECK(err.text, err.class == ERR_TEMP && strstr(err.text, "/memory.lock: in use for too"));
	store_abort(a);
	begin(a, STORE_WRITE);
	CHECK("a reader for a writer", !store_begin(b, STORE_READ, &err));
	CHECK("nobody opens meanwhile", open_store_of(MIB, 0) == NULL);
	store_close(a);
	write_one(b, "k", "at last", FOREVER);
	CHECK_STR("seen", look(b, "k", 0), "at last");
	store_close(b);
	dir_remove();
}

/* Writers that are killed at whatever they do. Each writes pairs, in one transaction, that must
 * stay alike. */
static void writing(void *ctx)
{
	struct store *s = open_or_exit(60000);
	char key[20];
	static char text[3000];
	for (int i = 0;; i++) {
		int n = snprintf(text, sizeof(text), "%d-%d-", *(int *)ctx, i);
		memset(text + n, 'x', (size_t)(i * 7 % 2900));
		text[n + i * 7 % 2900] = '\0';
		snprintf(key, sizeof(key), "%d", i % 40);
		if (!store_begin(s, STORE_WRITE, &err) ||
		    !store_put(s, span_of(key), span_of(text), 1000 + i % 40, &err))
			_exit(42);
		key[0] = (char)(key[0] + 'a' - '0');
		if (!store_put(s, span_of(key), span_of(text), 1000 + i % 40, &err) ||
		    !store_commit(s, 0, false, &err) || !count(s, "counter"))
			_exit(43);
	}
}

static void kill_storm(void)
{
	enum { KILLS = 100, AT_ONCE = 4 };
	char key[20];
	static char text[3000];
	pid_t pids[AT_ONCE] = { 0 };
	struct rng r;
	int before = -1, pairs = 0;
	rng_seed(&r, (const uint8_t *)"another sixteen!");
	dir_make();
	for (int i = 0; i < KILLS; i++) {
		pid_t *pid = &pids[i % AT_ONCE];
		if (*pid) {
			kill(*pid, SIGKILL);
			CHECK("killed while it wrote", child_end(*pid) == 1000 + SIGKILL);
		}
		*pid = child(writing, &i);
		struct timespec wait = { .tv_nsec = rng_below(&r, 8000000) };
		nanosleep(&wait, NULL);
	}
	for (int i = 0; i < AT_ONCE; i++) {
		kill(pids[i], SIGKILL);
		CHECK("killed while it wrote", child_end(pids[i]) == 1000 + SIGKILL);
	}
	CHECK("never damaged", dir_size("memory.mdb.bad") == -1);
	struct store *s = open_store();
	for (int i = 0; i < 40; i++) {
		snprintf(key, sizeof(key), "%d", i);
		snprintf(text, sizeof(text), "%s", look(s, key, 0));
		key[0] = (char)(key[0] + 'a' - '0');
		CHECK_STR("both or none", look(s, key, 0), text);
		pairs += *text != '\0';
	}
	begin(s, STORE_READ);
	before = counter(s, "counter");
	store_abort(s);
	CHECK("they came to something", before > 0 && pairs > 0);
	CHECK("it goes on", count(s, "counter"));
	begin(s, STORE_READ);
	CHECK("it goes on", counter(s, "counter") == before + 1);
	store_close(s);
	dir_remove();
}

/* Told to, holds the lock, says so and stops. */
static void holding(void *ctx)
{
	int fd = *(int *)ctx;
	char c;
	struct store *s = open_or_exit(60000);
	if (read(fd, &c, 1) != 1 || !store_begin(s, STORE_WRITE, &err) ||
	    !store_put(s, SPAN("k"), SPAN("of the stopped one"), FOREVER, &err) ||
	    write(fd, "x", 1) != 1)
		_exit(42);
	raise(SIGSTOP);
	if (!store_commit(s, 0, false, &err))
		_exit(43);
	store_close(s);
}

static int64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void stopped_writer(void)
{
	enum { PATIENCE = 400 };
	int fds[2], status;
	char c;
	dir_make();
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		abort();
	pid_t pid = child(holding, &fds[1]);
	struct store *s = open_store_of(MIB, PATIENCE);
	CHECK("holds it", write(fds[0], "x", 1) == 1 && read(fds[0], &c, 1) == 1);
	CHECK("stopped", waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	int64_t start = now_ms();
	CHECK("gives up", !store_begin(s, STORE_READ, &err) && err.class == ERR_TEMP);
	CHECK("after its patience", now_ms() - start >= PATIENCE);
	start = now_ms();
	CHECK("which is not renewed", !store_begin(s, STORE_WRITE, &err));
	CHECK("fails", !store_begin(s, STORE_READ, &err));
	CHECK("at once", now_ms() - start < PATIENCE);
	CHECK("no more opens", open_store_of(MIB, 1) == NULL && strstr(err.text, "memory.lock"));
	kill(pid, SIGCONT);
	CHECK("ended well", child_end(pid) == 0);
	CHECK_STR("works again", look(s, "k", 0), "of the stopped one");
	write_one(s, "k", "mine", FOREVER);
	CHECK_STR("works again", look(s, "k", 0), "mine");
	store_close(s);
	close(fds[0]);
	close(fds[1]);
	dir_remove();
}

/* Puts until it fails; what was there before stays, and small things go on once there is room. */
static void write_until_full(void)
{
	static char text[20000];
	char key[20];
	struct store *s = open_or_exit(10000);
	if (!store_begin(s, STORE_WRITE, &err) ||
	    !store_put(s, SPAN("first"), SPAN("kept"), FOREVER, &err) ||
	    !store_commit(s, 0, true, &err))
		_exit(51);
	memset(text, 'v', sizeof(text));
	bool good = true;
	for (int i = 0; good && i < 100; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		good = store_begin(s, STORE_WRITE, &err) &&
		       store_put(s, span_of(key), (struct span){ text, sizeof(text) }, 100, &err) &&
		       store_commit(s, 0, false, &err);
	}
	if (good || err.class != ERR_TEMP ||
	    (!strstr(err.text, ": No space left on device") &&
	     !strstr(err.text, ": File too large") && !strstr(err.text, "is the disk full?")))
		_exit(52);
	if (!store_begin(s, STORE_READ, &err) || strcmp(get(s, "first", 0), "kept") != 0)
		_exit(53);
	store_abort(s);
	/* Dropping needs pages, but no more than were freed before. */
	if (!store_begin(s, STORE_WRITE, &err) || !store_commit(s, 200, false, &err) ||
	    !count(s, "counter"))
		_exit(54);
	store_close(s);
	s = open_or_exit(10000);
	if (!store_begin(s, STORE_READ, &err) || strcmp(get(s, "first", 0), "kept") != 0 ||
	    counter(s, "counter") != 1)
		_exit(55);
	store_close(s);
	if (dir_size("memory.mdb.bad") != -1)
		_exit(56);
}

static void with_file_limit(void *ctx)
{
	(void)ctx;
	struct rlimit l = { 300000, 300000 };
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &l) != 0)
		_exit(50);
	write_until_full();
}

static void file_limit(void)
{
	dir_make();
	CHECK("ended well", child_end(child(with_file_limit, NULL)) == 0);
	struct store *s = open_store();
	CHECK_STR("kept", look(s, "first", 0), "kept");
	store_close(s);
	dir_remove();
}

static void no_room_to_make_it(void *ctx)
{
	(void)ctx;
	struct store_options o = { store_dir, MIB, 10000 };
	struct rlimit l = { 5000, 5000 };
	struct store *s;
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &l) != 0 || store_open(&o, &s, &err))
		_exit(50);
	if (!strstr(err.text, "/memory.mdb: "))
		_exit(51);
}

static void half_made(void)
{
	dir_make();
	CHECK("fails", child_end(child(no_room_to_make_it, NULL)) == 0);
	CHECK("nothing is set aside", dir_size("memory.mdb.bad") == -1);
	struct store *s = open_store();
	write_one(s, "k", "v", 1);
	CHECK_STR("made later", look(s, "k", 0), "v");
	store_close(s);
	CHECK("nothing is set aside", dir_size("memory.mdb.bad") == -1);
	dir_remove();
}

enum { NOT_PERMITTED = 77 };

static void on_small_disk(void *ctx)
{
	(void)ctx;
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "", MS_REC | MS_PRIVATE, "") != 0 ||
	    mount("none", store_dir, "tmpfs", 0, "size=300k,mode=700") != 0)
		_exit(NOT_PERMITTED);
	write_until_full();
}

static void small_disk(void)
{
	dir_make();
	int end = child_end(child(on_small_disk, NULL));
	if (end == NOT_PERMITTED)
		printf("\n    skipped: a file system may not be mounted here");
	CHECK("ended well", end == 0 || end == NOT_PERMITTED);
	dir_remove();
}

#define NOBODY 65534

/* A store that root made is not for others, and what they cannot write to they do without. */
static void as_nobody(void *ctx)
{
	struct store_options o = { store_dir, MIB, 10 };
	struct store *s;
	if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
		_exit(50);
	if (store_open(&o, &s, &err) || err.class != ERR_TEMP || !strstr(err.text, ctx))
		_exit(51);
}

static void permissions(void)
{
	char text[] = ": belongs to another user", text2[] = ": Permission denied";
	dir_make();
	struct store *s = open_store();
	write_one(s, "k", "v", FOREVER);
	store_close(s);
	if (geteuid() == 0) {
		CHECK("chmod", chmod(store_dir, 0755) == 0);
		CHECK("another's directory", child_end(child(as_nobody, text)) == 0);
		CHECK("chown", chown(store_dir, NOBODY, NOBODY) == 0);
		CHECK("another's files", child_end(child(as_nobody, text2)) == 0);
		CHECK("root takes no other's", open_store() == NULL);
		CHECK("chown", chown(dir_path("memory.lock"), NOBODY, NOBODY) == 0);
		CHECK("another's table", child_end(child(as_nobody, text2)) == 0);
		CHECK("chown", chown(dir_path("memory.mdb"), NOBODY, NOBODY) == 0);
	} else {
		printf("\n    skipped in part: only root can give files away");
	}
	CHECK("chmod", chmod(dir_path("memory.lock"), 0) == 0);
	CHECK("lock not readable", child_end(child(as_nobody, text2)) == 0);
	CHECK("unlink", unlink(dir_path("memory.lock")) == 0);
	CHECK("chmod", chmod(store_dir, 0500) == 0);
	CHECK("lock cannot be made", child_end(child(as_nobody, text2)) == 0);
	CHECK("chmod", chmod(store_dir, 0700) == 0);
	dir_remove();
	CHECK("no directory", open_store() == NULL);
	CHECK("no directory", strstr(err.text, ": No such file or directory"));
}

/* The lock file went while nobody was looking: the table is used as it is. */
static void lock_removed(void)
{
	dir_make();
	struct store *s = open_store();
	write_one(s, "k", "v", FOREVER);
	store_close(s);
	CHECK("unlink", unlink(dir_path("memory.lock")) == 0);
	s = open_store();
	CHECK_STR("read", look(s, "k", 0), "v");
	write_one(s, "k", "w", FOREVER);
	CHECK_STR("written", look(s, "k", 0), "w");
	store_close(s);
	dir_write("memory.lock", 0, "rubbish", 7);
	s = open_store();
	write_one(s, "k", "x", FOREVER);
	CHECK_STR("written", look(s, "k", 0), "x");
	store_close(s);
	dir_remove();
}

static void *in_thread(void *ctx)
{
	struct store *s = NULL;
	struct error why;
	struct store_options o = { store_dir, MIB, 60000 };
	char room[100];
	struct buf out;
	bool good = store_open(&o, &s, &why);
	buf_init(&out, room, sizeof(room));
	for (int i = 0; good && i < 30; i++) {
		good = store_begin(s, STORE_WRITE, &why) && store_get(s, SPAN("n"), 0, &out, &why);
		buf_addc(&out, 'x');
		good = good && store_put(s, SPAN("n"), buf_view(&out), FOREVER, &why);
		good = good && store_commit(s, 0, false, &why);
		if (out.len == 90)
			*(bool *)ctx = true;
	}
	store_close(s);
	return NULL;
}

static void threads(void)
{
	pthread_t t[3];
	bool done[3] = { false };
	dir_make();
	for (size_t i = 0; i < 3; i++)
		if (pthread_create(&t[i], NULL, in_thread, &done[i]) != 0)
			abort();
	for (size_t i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	CHECK("one of them was the last", done[0] + done[1] + done[2] == 1);
	dir_remove();
}

TEST_MAIN("store", { "values", values }, { "limits", limits }, { "misuse", misuse },
	  { "order", order }, { "expiry", expiry }, { "expiry is bounded", expiry_is_bounded },
	  { "bounded", bounded }, { "short file", short_file }, { "larger before", larger_before },
	  { "two stores", two_stores }, { "processes", processes }, { "kill storm", kill_storm },
	  { "stopped writer", stopped_writer }, { "file limit", file_limit },
	  { "half made", half_made }, { "small disk", small_disk }, { "permissions", permissions },
	  { "lock removed", lock_removed }, { "threads", threads })
