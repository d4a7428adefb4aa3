/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include "harness.h"

static void zeroed_and_aligned(void)
{
	struct arena *a = arena_open(1 << 20);
	for (size_t size = 0; size < 200; size += 7) {
		char *p = arena_new(a, 3, size);
		CHECK("there", p != NULL);
		CHECK("aligned", (uintptr_t)p % _Alignof(max_align_t) == 0);
		for (size_t i = 0; p && i < 3 * size; i++) {
			if (p[i] != 0)
				CHECK("zero", false);
			p[i] = 'x';
		}
	}
	arena_close(a);
}

/* All values keep their bytes, small and large mixed, over many blocks. */
static void values_do_not_overlap(void)
{
	enum { N = 400 };
	struct arena *a = arena_open(64 << 20);
	static unsigned char *p[N];
	static size_t n[N];
	for (size_t i = 0; i < N; i++) {
		n[i] = i % 17 == 0 ? 5000 * (i % 5 + 1) : i * 3;
		p[i] = arena_new(a, 1, n[i]);
		CHECK("there", p[i] != NULL);
		if (p[i])
			memset(p[i], (int)(i % 251 + 1), n[i]);
	}
	bool same = true;
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < n[i]; j++)
			same = same && p[i][j] == i % 251 + 1;
	CHECK("bytes", same);
	arena_close(a);
}

static void limit(void)
{
	struct arena *a = arena_open(1000);
	CHECK("too much", !arena_new(a, 1, 1001));
	CHECK("overflow", !arena_new(a, SIZE_MAX / 2, 3));
	CHECK("huge", !arena_new(a, 1, SIZE_MAX));
	size_t got = 0;
	while (got < 5000 && arena_new(a, 10, 10))
		got += 100;
	CHECK("bounded", got >= 700 && got <= 1000);
	arena_reset(a);
	CHECK("again after reset", arena_new(a, 1, 992) != NULL);
	CHECK("full again", !arena_new(a, 1, 100));
	arena_close(a);
	a = arena_open(SIZE_MAX);
	CHECK("no limit: overflow", !arena_new(a, SIZE_MAX, 1) && !arena_new(a, SIZE_MAX - 8, 1));
	CHECK("no limit: works", arena_new(a, 4, 4) != NULL);
	arena_close(a);
	arena_close(NULL);
}

static void nothing_is_not_failure(void)
{
	struct arena *a = arena_open(1000);
	CHECK("0 things", arena_new(a, 0, 8) != NULL);
	CHECK("of no size", arena_new(a, 8, 0) != NULL);
	CHECK("typed", ARENA_NEW(a, struct error, 1) != NULL);
	arena_close(a);
}

static void strings(void)
{
	struct arena *a = arena_open(100000);
	CHECK_STR("text", arena_str(a, SPAN("mx1.example.net")), "mx1.example.net");
	CHECK_STR("empty", arena_str(a, (struct span){ NULL, 0 }), "");
	CHECK_STR("fmt", arena_fmt(a, "%s:%d", "host", 25), "host:25");
	const char *wide = arena_fmt(a, "%0*d", 20000, 1);
	CHECK("wide", wide && strlen(wide) == 20000);
	CHECK("past the limit", !arena_fmt(a, "%0*d", 200000, 1));
	CHECK("past the limit", !arena_str(a, (struct span){ "", SIZE_MAX }));
	arena_close(a);
}

/* Small and large ones behind the mark, over many blocks; what comes after the rewind is zero
 * again. */
static void rewound(void)
{
	for (size_t before = 0; before < 40000; before += 6000) {
		struct arena *a = arena_open(1 << 20);
		const char *old = before ? arena_fmt(a, "%0*d", (int)before, 7) : NULL;
		const char *kept = arena_str(a, SPAN("kept"));
		size_t given = arena_given(a);
		struct arena_mark mark = arena_mark(a);
		for (int round = 0; round < 3; round++) {
			for (size_t i = 0; i < 60; i++) {
				size_t n = i % 7 == 0 ? 9000 : i * 10 + 1;
				char *p = arena_new(a, n, 1);
				CU_ASSERT_FATAL(p != NULL);
				CHECK("zero", p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
				memset(p, 'x', n);
			}
			arena_rewind(a, mark);
			CHECK("given", arena_given(a) == given);
		}
		CHECK_STR("kept", kept, "kept");
		CHECK("old", !old || strlen(old) == before);
		arena_close(a);
	}
}

static void rewound_to_nothing(void)
{
	struct arena *a = arena_open(100000);
	struct arena_mark mark = arena_mark(a);
	CHECK("there", arena_new(a, 1, 90000) && arena_new(a, 1, 100));
	arena_rewind(a, mark);
	CHECK("all is free", arena_given(a) == 0 && arena_new(a, 1, 90000));
	arena_close(a);
}

TEST_MAIN("arena", { "zeroed and aligned", zeroed_and_aligned },
	  { "values do not overlap", values_do_not_overlap }, { "limit", limit },
	  { "rewound", rewound }, { "rewound to nothing", rewound_to_nothing },
	  { "nothing is not failure", nothing_is_not_failure }, { "strings", strings })
