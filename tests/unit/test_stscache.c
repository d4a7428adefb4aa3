/* SPDX-License-Identifier: ISC */
#include "core/stscache.h"
#include "harness.h"

#define DAY INT64_C(86400)

static struct record_policy policy(int64_t fetched, uint32_t max_age, const char *id)
{
	return (struct record_policy){
		.domain = SPAN("example.net"),
		.fetched = fetched,
		.tried = fetched,
		.max_age = max_age,
		.id = span_of(id),
		.body = SPAN("version: STSv1"),
	};
}

static void test_unknown(void)
{
	CHECK("no record", stscache_decide(NULL, SPAN(""), 1000) == STSCACHE_NONE);
	CHECK("record", stscache_decide(NULL, SPAN("1"), 1000) == STSCACHE_FETCH);
	CHECK("holds", !stscache_holds(NULL, 1000));
}

static void test_age(void)
{
	static const struct {
		const char *label;
		int64_t age;
		const char *id;
		enum stscache_say say;
	} t[] = {
		{ "just fetched", 0, "1", STSCACHE_USE },
		{ "same id", 100, "1", STSCACHE_USE },
		{ "other id", 100, "2", STSCACHE_FETCH },
		{ "record gone", 100, "", STSCACHE_USE },
		{ "almost a day", DAY - 1, "1", STSCACHE_USE },
		{ "a day", DAY, "1", STSCACHE_FETCH },
		{ "a day, record gone", DAY, "", STSCACHE_USE },
		{ "its last second", 3 * DAY - 1, "", STSCACHE_USE },
		{ "over", 3 * DAY, "", STSCACHE_NONE },
		{ "over, record", 3 * DAY, "1", STSCACHE_FETCH },
		{ "clock went back", -1000, "1", STSCACHE_FETCH },
		{ "clock went back, no record", -1000, "", STSCACHE_USE },
	};
	const int64_t then = 1000000;
	const struct record_policy p = policy(then, 3 * DAY, "1");
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		CHECK(t[i].label,
		      stscache_decide(&p, span_of(t[i].id), then + t[i].age) == t[i].say);
}

static void test_failures(void)
{
	static const int64_t wait[] = { 300, 300, 600, 1200, 2400, 3600, 3600, 3600 };
	for (uint32_t fails = 1; fails < 8; fails++) {
		struct record_policy gone = policy(0, 0, "");
		struct record_policy old = policy(999000, 7 * DAY, "1");
		gone.tried = old.tried = 1000000;
		gone.fails = old.fails = fails;
		int64_t again = 1000000 + wait[fails];
		CHECK("retry", stscache_retry(&gone) == again);
		CHECK("wait", stscache_decide(&gone, SPAN("1"), again - 1) == STSCACHE_WAIT);
		CHECK("again", stscache_decide(&gone, SPAN("1"), again) == STSCACHE_FETCH);
		CHECK("no record", stscache_decide(&gone, SPAN(""), again - 1) == STSCACHE_NONE);
		CHECK("old one", stscache_decide(&old, SPAN("2"), again - 1) == STSCACHE_USE);
		CHECK("old again", stscache_decide(&old, SPAN("2"), again) == STSCACHE_FETCH);
		CHECK("clock", stscache_decide(&gone, SPAN("1"), 999999) == STSCACHE_FETCH);
	}
	struct record_policy many = policy(0, 0, "");
	many.fails = UINT32_MAX;
	many.tried = 5;
	CHECK("many", stscache_retry(&many) == 3605);
}

TEST_MAIN("stscache", { "unknown", test_unknown }, { "age", test_age },
	  { "failures", test_failures })
