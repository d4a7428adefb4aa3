/* SPDX-License-Identifier: ISC */
/* For test_stspolicy.c: searches with a memory, at times wound by hand. */
#ifndef TESTS_STSPOLICY_MEMORY_H
#define TESTS_STSPOLICY_MEMORY_H

#include "flow/memory.h"
#include "store_dir.h"

static void count_line(void *ctx, const char *line)
{
	(void)line;
	((struct world *)ctx)->logged++;
}

static void memory_world_open(struct world *w)
{
	world_open(w);
	dir_make();
	w->config.state_directory = store_dir;
	w->sv.journal = (struct journal){ .log = count_line, .self = w };
	w->sv.memory = memory_open(&w->sv);
	CHECK("a memory", w->sv.memory != NULL);
}

static void memory_world_close(struct world *w)
{
	memory_close(w->sv.memory);
	world_close(w);
	dir_remove();
	CHECK("no trouble", w->logged == 0);
}

/* Was there a fetch now? One that was noted: good ones have no `fails`. */
static bool fetched_now(struct world *w, const char *domain, uint32_t fails)
{
	struct record_policy r;
	return memory_policy(w->sv.memory, w->arena, domain, &r) && r.tried == w->wall &&
	       r.fails == fails && (r.fetched == w->wall) == (fails == 0);
}

static bool in_force(const struct world *w)
{
	return w->found.policy && w->found.policy->mode == STS_ENFORCE && !w->found.failed;
}

static bool nothing(const struct world *w)
{
	return !w->found.policy && !w->found.failed;
}

static void remembered(void)
{
	static const char *const no_record[] = { NULL, "v=spf1 -all", "v=STSv1;" };
	struct world w;
	memory_world_open(&w);
	CHECK("the first", find(&w, "month.example.net") && in_force(&w));
	CHECK("the first", fetched_now(&w, "month.example.net", 0));
	CHECK("is new", !w.found.remembered && w.found.fetched == START);
	CHECK("holds until", w.found.until == START + 2592000);
	w.wall += 100;
	CHECK("the second", find(&w, "month.example.net") && in_force(&w));
	CHECK("is remembered", w.found.remembered && w.found.fetched == START);
	CHECK("holds until", w.found.until == START + 2592000);
	CHECK("is the same", sts_allows(w.found.policy, "mx.example.net"));
	CHECK("is the same", !sts_allows(w.found.policy, "my.example.net"));
	CHECK("without a fetch", !fetched_now(&w, "month.example.net", 0));
	CHECK("in other letters", find(&w, "Month.EXAMPLE.net") && in_force(&w));
	CHECK("without a fetch", !fetched_now(&w, "month.example.net", 0));
	for (size_t i = 0; i < sizeof(no_record) / sizeof(no_record[0]); i++) {
		CHECK("record gone", search(&w, "month.example.net", no_record[i], far_off));
		CHECK("record gone", in_force(&w) && !fetched_now(&w, "month.example.net", 0));
	}
	CHECK("mode none", find(&w, "none.example.net"));
	CHECK("mode none", w.found.policy && w.found.policy->mode == STS_NONE);
	w.wall++;
	CHECK("again", find(&w, "none.example.net"));
	CHECK("again", w.found.policy && w.found.policy->mode == STS_NONE);
	CHECK("without a fetch", !fetched_now(&w, "none.example.net", 0));
	w.config.mta_sts = false;
	CHECK("switched off", find(&w, "month.example.net") && nothing(&w));
	w.config.mta_sts = true;
	struct memory *m = w.sv.memory;
	w.sv.memory = NULL;
	w.wall += 100;
	CHECK("no memory", find(&w, "month.example.net") && in_force(&w));
	w.sv.memory = m;
	CHECK("not noted", !fetched_now(&w, "month.example.net", 0));
	memory_world_close(&w);
}

static void another_id(void)
{
	struct world w;
	memory_world_open(&w);
	CHECK("first", find(&w, "month.example.net") && in_force(&w));
	w.wall += 10;
	CHECK("another id", search(&w, "month.example.net", "v=STSv1; id=2;", far_off));
	CHECK("fetched", in_force(&w) && fetched_now(&w, "month.example.net", 0));
	w.wall += 10;
	CHECK("known now", search(&w, "month.example.net", "v=STSv1; id=2;", far_off));
	CHECK("not fetched", in_force(&w) && !fetched_now(&w, "month.example.net", 0));
	CHECK("the first id again", find(&w, "month.example.net") && in_force(&w));
	CHECK("fetched", fetched_now(&w, "month.example.net", 0));
	/* What held goes on to hold, and the program is not run anew for each message. */
	w.wall += 10;
	w.sv.sts_program = "/nonexistent/mxdirect-sts";
	CHECK("cannot be had", search(&w, "month.example.net", "v=STSv1; id=3;", far_off));
	CHECK("the old one", in_force(&w) && fetched_now(&w, "month.example.net", 1));
	CHECK("is remembered", w.found.remembered && w.found.fetched == w.wall - 10);
	w.wall += 299;
	CHECK("a moment later", search(&w, "month.example.net", "v=STSv1; id=3;", far_off));
	CHECK("the old one", in_force(&w) && !fetched_now(&w, "month.example.net", 2));
	w.wall++;
	CHECK("then again", search(&w, "month.example.net", "v=STSv1; id=3;", far_off));
	CHECK("the old one", in_force(&w) && fetched_now(&w, "month.example.net", 2));
	w.wall += 600;
	w.sv.sts_program = self;
	CHECK("at last", search(&w, "month.example.net", "v=STSv1; id=3;", far_off));
	CHECK("fetched", in_force(&w) && fetched_now(&w, "month.example.net", 0));
	memory_world_close(&w);
}

/* None holds: the failure is told without a fetch until its wait is over. */
static void failed_lately(void)
{
	static const struct {
		int64_t wait;
		const char *next;
	} cases[] = {
		{ 300, "2023-11-14T22:18:20Z" },  { 600, "2023-11-14T22:28:20Z" },
		{ 1200, "2023-11-14T22:48:20Z" }, { 2400, "2023-11-14T23:28:20Z" },
		{ 3600, "2023-11-15T00:28:20Z" }, { 3600, "2023-11-15T01:28:20Z" },
	};
	struct world w;
	char text[200];
	uint32_t fails = 0;
	memory_world_open(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(cases[i].next, find(&w, "webpki.example.net") && w.found.webpki);
		CHECK(cases[i].next, w.found.failed && !w.found.policy);
		CHECK(cases[i].next, fetched_now(&w, "webpki.example.net", ++fails));
		w.wall += cases[i].wait - 1;
		CHECK(cases[i].next, find(&w, "webpki.example.net") && w.found.failed);
		CHECK(cases[i].next, !w.found.policy && !w.found.webpki && !w.found.invalid);
		CHECK(cases[i].next,
		      w.found.why.class == ERR_TEMP && w.found.why.code.subject == 7);
		snprintf(text, sizeof(text),
			 "MTA-STS policy of webpki.example.net: the last fetch failed, the next is "
			 "tried at %s",
			 cases[i].next);
		CHECK_STR(cases[i].next, w.found.why.text, text);
		CHECK(cases[i].next, search(&w, "webpki.example.net", NULL, far_off));
		CHECK("no record, no policy", nothing(&w));
		w.wall++;
	}
	CHECK("a policy that is none", find(&w, "bad.example.net") && w.found.invalid);
	CHECK("is a failure", fetched_now(&w, "bad.example.net", 1));
	CHECK("no address", find(&w, "gone.example.net") && w.found.failed);
	CHECK("is a failure", fetched_now(&w, "gone.example.net", 1));
	memory_world_close(&w);
}

static void grows_old(void)
{
	struct world w;
	memory_world_open(&w);
	CHECK("fetch", find(&w, "month.example.net") && find(&w, "ok.example.net"));
	w.wall += 86399;
	CHECK("a day", find(&w, "month.example.net") && in_force(&w));
	CHECK("not over", !fetched_now(&w, "month.example.net", 0));
	CHECK("its last second", search(&w, "ok.example.net", NULL, far_off) && in_force(&w));
	w.wall++;
	CHECK("a day", find(&w, "month.example.net") && in_force(&w));
	CHECK("over", fetched_now(&w, "month.example.net", 0));
	CHECK("max_age is over", search(&w, "ok.example.net", NULL, far_off) && nothing(&w));
	const char *good = w.sv.sts_program;
	w.sv.sts_program = "/nonexistent/mxdirect-sts";
	CHECK("and no new one", find(&w, "ok.example.net") && w.found.failed && !w.found.policy);
	w.wall += 300;
	w.sv.sts_program = good;
	CHECK("a new one", find(&w, "ok.example.net") && in_force(&w));
	CHECK("fetched", fetched_now(&w, "ok.example.net", 0));
	w.wall += 2592000 - 301;
	w.sv.sts_program = "/nonexistent/mxdirect-sts";
	CHECK("a month", find(&w, "month.example.net") && in_force(&w));
	CHECK("nearly", fetched_now(&w, "month.example.net", 1));
	w.wall += 301;
	CHECK("over", find(&w, "month.example.net") && w.found.failed && !w.found.policy);
	memory_world_close(&w);
}

static void clock_goes_back(void)
{
	struct world w;
	memory_world_open(&w);
	CHECK("fetch", find(&w, "month.example.net") && in_force(&w));
	w.wall -= 5 * 86400;
	w.sv.sts_program = "/nonexistent/mxdirect-sts";
	CHECK("it holds", find(&w, "month.example.net") && in_force(&w));
	CHECK("and is fetched", fetched_now(&w, "month.example.net", 1));
	/* The failure is in the future now. */
	w.wall -= 86400;
	w.sv.sts_program = self;
	CHECK("again", find(&w, "month.example.net") && in_force(&w));
	CHECK("fetched", fetched_now(&w, "month.example.net", 0));
	memory_world_close(&w);
}

/* A run that is given up has found out nothing. */
static void stopped_is_no_failure(void)
{
	struct world w;
	struct record_policy r;
	memory_world_open(&w);
	stop_at_fetch(&w);
	CHECK("stopped", !find(&w, "hangs.example.net") && nobody_left());
	CHECK("not noted", !memory_policy(w.sv.memory, w.arena, "hangs.example.net", &r));
	close(w.io.stop_fd);
	memory_world_close(&w);
}

/* It breaks under the search: one line, and the policy is fetched as if there had been none. */
static void memory_breaks(void)
{
	struct world w;
	memory_world_open(&w);
	CHECK("fetch", find(&w, "month.example.net") && in_force(&w));
	CHECK("truncate", truncate(dir_path("memory.mdb"), 0) == 0);
	CHECK("anew", find(&w, "month.example.net") && in_force(&w));
	CHECK("anew", find(&w, "fetch.example.net") && w.found.failed);
	CHECK("once", w.logged == 1);
	w.logged = 0;
	memory_world_close(&w);
}

#endif
