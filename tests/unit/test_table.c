/* SPDX-License-Identifier: ISC */
#include "base/rng.h"
#include "harness.h"
#include "store/store.h"
#include "store/table.h"
#include "store_dir.h"

#define MAX_FILE (1024 * 1024)
#define NO_LIMIT SIZE_MAX

static struct table t;

static void start(void)
{
	dir_make();
	memset(&t, 0, sizeof(t));
	dir_write("file", 0, "", 0);
	CHECK("open", table_open(&t, dir_path("file"), MAX_FILE) == 0);
	CHECK("begin", table_begin(&t, true) == 0);
}

static void stop(void)
{
	table_end(&t);
	table_close(&t);
	dir_remove();
}

static const char *get(const char *key, int64_t now)
{
	static char room[200];
	struct buf out;
	buf_init(&out, room, sizeof(room));
	CHECK(key, table_get(&t, span_of(key), now, &out) == 0);
	return buf_cstr(&out);
}

static void put(const char *key, const char *value, int64_t keep_until)
{
	CHECK(key, table_put(&t, span_of(key), span_of(value), keep_until) == 0);
}

/* Each key has one value and one entry in the index, whatever was done. */
static size_t entries(void)
{
	MDB_stat st = { 0 };
	CHECK("stat", mdb_stat(t.txn, 1, &st) == 0);
	return st.ms_entries;
}

static void index_follows(void)
{
	start();
	CHECK("empty", entries() == 0 && table_used(&t) == 0);
	put("a", "1", 10);
	put("b", "2", 10);
	CHECK("two", entries() == 4 && table_used(&t) == 1);
	put("a", "3", 10);
	put("a", "4", 20);
	put("a", "a longer value", -20);
	CHECK("replaced", entries() == 4);
	CHECK("delete", table_delete(&t, SPAN("a")) == 0 && entries() == 2);
	CHECK("delete again", table_delete(&t, SPAN("a")) == 0 && entries() == 2);
	put("a", "5", 30);
	CHECK("trim", table_trim(&t, 11, NO_LIMIT, 10) == 0 && entries() == 2);
	CHECK_STR("the other", get("a", 0), "5");
	CHECK("trim", table_trim(&t, 31, NO_LIMIT, 10) == 0 && entries() == 0);
	CHECK("trim", table_trim(&t, 31, 0, 10) == 0 && entries() == 0);
	stop();
}

static void trim_order(void)
{
	static const struct {
		const char *key;
		int64_t time;
	} cases[] = {
		{ "ever", INT64_MAX }, { "z", -1 },  { "first", INT64_MIN }, { "y", 0 }, { "m", 1 },
		{ "b", 255 },          { "a", 256 }, { "k", -256 }
	};
	static const char *const dropped[] = { "first", "k", "z", "y", "m", "b", "a", "ever" };
	enum { N = sizeof(cases) / sizeof(cases[0]) };
	start();
	for (size_t i = 0; i < N; i++)
		put(cases[i].key, "v", cases[i].time);
	for (size_t i = 0; i < N; i++) {
		CHECK_STR("still there", get(dropped[i], INT64_MIN), "v");
		CHECK("trim", table_trim(&t, INT64_MIN, 0, 1) == 0);
		CHECK_STR(dropped[i], get(dropped[i], INT64_MIN), "");
		CHECK("one", entries() == 2 * (N - i - 1));
	}
	stop();
}

static void trim_limits(void)
{
	char key[20];
	start();
	for (int i = 0; i < 400; i++) {
		snprintf(key, sizeof(key), "key %d", i);
		put(key, "a value that takes some room, so that there are some pages in all", i);
	}
	size_t used = table_used(&t);
	CHECK("some pages", used > 10);
	CHECK("none is past", table_trim(&t, 0, NO_LIMIT, 100) == 0 && entries() == 800);
	CHECK("30 are past", table_trim(&t, 30, NO_LIMIT, 100) == 0 && entries() == 740);
	CHECK("20 of 30", table_trim(&t, 60, NO_LIMIT, 20) == 0 && entries() == 700);
	CHECK("fewer pages", table_trim(&t, INT64_MIN, used / 2, 1000) == 0);
	CHECK("fewer pages", table_used(&t) <= used / 2 && table_used(&t) + 4 > used / 2);
	CHECK_STR("the last stays", get("key 399", 0),
		  "a value that takes some room, so that there are some pages in all");
	stop();
}

static void transactions(void)
{
	start();
	put("a", "1", 10);
	CHECK("commit", table_commit(&t) == 0 && !t.txn);
	CHECK("read", table_begin(&t, false) == 0);
	CHECK_STR("there", get("a", 0), "1");
	CHECK("no writing", table_put(&t, SPAN("b"), SPAN("2"), 10) == EACCES);
	table_end(&t);
	table_end(&t);
	CHECK("begin", table_begin(&t, true) == 0);
	put("a", "2", 10);
	table_end(&t);
	CHECK("read", table_begin(&t, false) == 0);
	CHECK_STR("as before", get("a", 0), "1");
	CHECK("as long as it says", table_measure(&t, (size_t)dir_size("file")) == 0);
	CHECK("shorter", table_measure(&t, (size_t)dir_size("file") - 1) == MDB_PAGE_NOTFOUND);
	stop();
}

/* Against a plain array: the same at every step. */
static void model(void)
{
	enum { KEYS = 60 };
	struct {
		char value[16];
		int64_t until;
	} have[KEYS] = { 0 };
	struct rng r;
	char key[20];
	rng_seed(&r, (const uint8_t *)"sixteen once more");
	start();
	for (int step = 0; step < 4000; step++) {
		size_t k = rng_below(&r, KEYS), n = 0;
		int64_t until = (int64_t)rng_below(&r, 2000) - 1000;
		snprintf(key, sizeof(key), "k%zu", k);
		uint32_t what = rng_below(&r, 20);
		if (what < 12) {
			snprintf(have[k].value, sizeof(have[k].value), "v%d", step);
			have[k].until = until;
			put(key, have[k].value, until);
		} else if (what < 16) {
			have[k].value[0] = '\0';
			CHECK("delete", table_delete(&t, span_of(key)) == 0);
		} else if (what < 17) {
			until /= 4;
			CHECK("trim", table_trim(&t, until, NO_LIMIT, KEYS) == 0);
			for (size_t i = 0; i < KEYS; i++)
				if (have[i].until < until)
					have[i].value[0] = '\0';
		} else if (what < 18) {
			CHECK("commit", table_commit(&t) == 0 && table_begin(&t, true) == 0);
		} else {
			bool past = have[k].until < until;
			CHECK_STR("get", get(key, until), past ? "" : have[k].value);
		}
		for (size_t i = 0; i < KEYS; i++)
			n += have[i].value[0] != '\0';
		CHECK("entries", entries() == 2 * n);
	}
	stop();
}

TEST_MAIN("table", { "index follows", index_follows }, { "trim order", trim_order },
	  { "trim limits", trim_limits }, { "transactions", transactions }, { "model", model })
