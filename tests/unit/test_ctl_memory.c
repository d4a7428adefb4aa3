/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>

#include "front/ctl_memory.h"

#include "ctl_print.h"

static struct ctl ctl_for(char set[static 200], const char *dir)
{
	snprintf(set, 200, "state_directory=%s", dir);
	return (struct ctl){ .config_file = "/dev/null", .set = { set }, .nset = 1, .now = NOW };
}

static bool open_dir(struct arena *a, const char *dir, struct ctl_memory *m, struct error *err)
{
	char set[200];
	struct ctl c = ctl_for(set, dir);
	*m = (struct ctl_memory){ 0 };
	return ctl_memory_open(a, &c, m, err);
}

static void test_absent(void)
{
	char dir[64], missing[100], want[200];
	struct arena *a = arena_open(CTL_ARENA);
	struct ctl_memory m;
	struct items items = { NULL, 9 };
	struct error err;
	state_make(dir);
	CHECK("off", open_dir(a, "", &m, &err) && !m.store);
	CHECK_STR("off", m.absent, "state_directory is empty");
	snprintf(missing, sizeof(missing), "%s/missing", dir);
	snprintf(want, sizeof(want), "there is no %s/memory.mdb", missing);
	CHECK("no directory", open_dir(a, missing, &m, &err) && !m.store);
	CHECK_STR("no directory", m.absent, want);
	snprintf(want, sizeof(want), "there is no %s/memory.mdb", dir);
	CHECK("no file", open_dir(a, dir, &m, &err) && !m.store);
	CHECK_STR("no file", m.absent, want);
	CHECK("nothing", ctl_memory_load(&m, a, NULL, NOW, &items, &err) && items.n == 0);
	ctl_memory_close(&m);
	CHECK("nothing was made", state_files(dir, false) == 0);
	state_drop(dir);
	arena_close(a);
}

static void test_bad(void)
{
	char dir[64], set[100] = "state_directory=relative", file[100];
	struct arena *a = arena_open(CTL_ARENA);
	struct ctl c = { .config_file = "/dev/null", .set = { set }, .nset = 1 };
	struct ctl_memory m;
	struct error err = { 0 };
	CHECK("configuration", !ctl_memory_open(a, &c, &m, &err) && err.class == ERR_CONFIG);
	state_make(dir);
	snprintf(file, sizeof(file), "%s/memory.mdb", dir);
	fclose(fopen(file, "w"));
	err.class = ERR_NONE;
	CHECK("not a directory", !open_dir(a, file, &m, &err) && err.class == ERR_TEMP);
	CHECK("a directory that all may write", chmod(dir, 0777) == 0);
	err.class = ERR_NONE;
	CHECK("not to be trusted", !open_dir(a, dir, &m, &err) && err.class == ERR_TEMP);
	state_drop(dir);
	arena_close(a);
}

static void put(struct store *s, const char *key, const char *value, int64_t keep)
{
	struct error err;
	CHECK(key, store_put(s, span_of(key), span_of(value), keep, &err));
}

/* Opened, with a transaction begun. */
static bool begin(struct arena *a, const char *dir, enum store_mode mode, struct ctl_memory *m)
{
	struct error err = { 0 };
	bool ok = open_dir(a, dir, m, &err) && m->store && store_begin(m->store, mode, &err);
	CHECK(err.text, ok);
	return ok;
}

static void test_load(void)
{
	static const enum record_kind want[] = {
		RECORD_ATTEMPT, RECORD_ATTEMPT, RECORD_DOMAIN,    RECORD_DOMAIN,
		RECORD_HOST,    RECORD_HOST,    RECORD_HOST,      RECORD_HOST,
		RECORD_POLICY,  RECORD_POLICY,  RECORD_DELIVERED,
	};
	char dir[64];
	struct arena *a = arena_open(CTL_ARENA);
	struct ctl_memory m;
	struct items items = { 0 };
	struct subject subject;
	struct error err = { 0 };
	state_make(dir);
	CHECK(err.text, example_fill(dir, NOW, &err));
	if (!begin(a, dir, STORE_WRITE, &m))
		return;
	put(m.store, "hgarbage", "no record", NOW + 100);
	put(m.store, "zother", "of a later version", NOW + 100);
	CHECK("all", ctl_memory_load(&m, a, NULL, NOW, &items, &err));
	CHECK("all", items.n == sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < items.n && i < sizeof(want) / sizeof(want[0]); i++)
		CHECK("order", items.item[i].kind == want[i]);
	CHECK("one", subject_of(a, "example.net", &subject, &err) &&
			     ctl_memory_load(&m, a, &subject, NOW, &items, &err));
	CHECK("its message, itself, its policy",
	      items.n == 3 && items.item[0].kind == RECORD_ATTEMPT &&
		      items.item[1].kind == RECORD_DOMAIN && items.item[2].kind == RECORD_POLICY);
	CHECK("past their time",
	      ctl_memory_load(&m, a, NULL, NOW + EXAMPLE_KEEP + 1, &items, &err) && items.n == 0);
	ctl_memory_close(&m);
	CHECK("closed twice", !m.store);
	ctl_memory_close(&m);
	state_drop(dir);
	arena_close(a);
}

/* More than one page of keys, and long ones. */
static void test_many(void)
{
	enum { MANY = 2000 };
	char dir[64], id[300], room[RECORD_BYTES], key_room[RECORD_KEY + 1];
	struct arena *a = arena_open(CTL_ARENA);
	struct ctl_memory m;
	struct items items = { 0 };
	struct buf key, value;
	struct error err = { 0 };
	buf_init(&key, key_room, sizeof(key_room));
	buf_init(&value, room, sizeof(room));
	state_make(dir);
	CHECK(err.text, example_fill(dir, NOW, &err));
	if (!begin(a, dir, STORE_WRITE, &m))
		return;
	for (int i = 0; i < MANY; i++) {
		snprintf(id, sizeof(id), "Q%d%*s", i, i % 200, "");
		const struct record_attempt r = { .queue_id = span_of(id),
						  .rcpt = SPAN("r@x.example") };
		record_attempt_key(id, "r@x.example", &key);
		buf_reset(&value);
		record_attempt_write(&r, &value);
		CHECK(id, store_put(m.store, buf_view(&key), buf_view(&value), NOW + 9, &err));
	}
	CHECK("many", ctl_memory_load(&m, a, NULL, NOW, &items, &err));
	CHECK("many", items.n == MANY + 11);
	ctl_memory_close(&m);
	state_drop(dir);
	arena_close(a);
}

static void test_no_memory(void)
{
	char dir[64];
	struct arena *big = arena_open(CTL_ARENA);
	struct ctl_memory m;
	struct items items = { 0 };
	struct error err = { 0 };
	bool good = false;
	state_make(dir);
	CHECK(err.text, example_fill(dir, NOW, &err));
	for (size_t limit = 0; !good && limit < 400000; limit += 4096) {
		if (!begin(big, dir, STORE_READ, &m))
			return;
		struct arena *a = arena_open(limit);
		err.class = ERR_NONE;
		good = ctl_memory_load(&m, a, NULL, NOW, &items, &err);
		CHECK("fails", good || (err.class == ERR_INTERNAL && items.n == 0));
		ctl_memory_close(&m);
		arena_close(a);
	}
	CHECK("enough", good);
	state_drop(dir);
	arena_close(big);
}

TEST_MAIN("ctl_memory", { "absent", test_absent }, { "bad", test_bad }, { "load", test_load },
	  { "many", test_many }, { "no memory", test_no_memory })
