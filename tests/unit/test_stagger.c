/* SPDX-License-Identifier: ISC */
#include "base/stagger.h"

#include "harness.h"

enum { NOTHING = 99 };

/* A script: at each time, first these fail (NOTHING: none), then this is said. */
struct step {
	int64_t ms;
	size_t fails;
	enum stagger_say say;
	size_t i;
	int64_t until;
};

static void play(const char *label, size_t n, int64_t gap, const struct step *steps, size_t count)
{
	struct stagger s;
	stagger_init(&s, n, gap);
	for (size_t k = 0; k < count; k++) {
		size_t i = NOTHING;
		struct deadline until = { { -1 } };
		if (steps[k].fails != NOTHING)
			stagger_failed(&s, steps[k].fails);
		enum stagger_say say =
			stagger_next(&s, (struct instant){ steps[k].ms }, &i, &until);
		CHECK(label, say == steps[k].say);
		CHECK(label, i == (say == STAGGER_START ? steps[k].i : NOTHING));
		CHECK(label, until.at.ms == (say == STAGGER_WAIT ? steps[k].until : -1));
	}
}
#define PLAY(label, n, gap, ...)                                                                   \
	do {                                                                                       \
		static const struct step steps[] = { __VA_ARGS__ };                                \
		play((label), (n), (gap), steps, sizeof(steps) / sizeof(steps[0]));                \
	} while (0)

static void schedules(void)
{
	PLAY("none", 0, 250, { 7, NOTHING, STAGGER_LOST, 0, 0 });
	PLAY("one", 1, 250, { 7, NOTHING, STAGGER_START, 0, 0 },
	     { 7, NOTHING, STAGGER_WAIT, 0, INT64_MAX }, { 8, 0, STAGGER_LOST, 0, 0 },
	     { 9, NOTHING, STAGGER_LOST, 0, 0 });
	PLAY("all hang", 3, 250, { 1000, NOTHING, STAGGER_START, 0, 0 },
	     { 1000, NOTHING, STAGGER_WAIT, 0, 1250 }, { 1249, NOTHING, STAGGER_WAIT, 0, 1250 },
	     { 1250, NOTHING, STAGGER_START, 1, 0 }, { 1250, NOTHING, STAGGER_WAIT, 0, 1500 },
	     { 1600, NOTHING, STAGGER_START, 2, 0 }, { 1600, NOTHING, STAGGER_WAIT, 0, INT64_MAX });
	PLAY("a failure does not wait", 3, 250, { 0, NOTHING, STAGGER_START, 0, 0 },
	     { 10, 0, STAGGER_START, 1, 0 }, { 10, NOTHING, STAGGER_WAIT, 0, 260 },
	     { 20, 1, STAGGER_START, 2, 0 }, { 20, NOTHING, STAGGER_WAIT, 0, INT64_MAX },
	     { 30, 2, STAGGER_LOST, 0, 0 });
	PLAY("the gap counts from the last start", 3, 250, { 0, NOTHING, STAGGER_START, 0, 0 },
	     { 200, 0, STAGGER_START, 1, 0 }, { 250, NOTHING, STAGGER_WAIT, 0, 450 },
	     { 450, NOTHING, STAGGER_START, 2, 0 });
	PLAY("one failure starts one", 3, 250, { 0, NOTHING, STAGGER_START, 0, 0 },
	     { 5, 0, STAGGER_START, 1, 0 }, { 5, 0, STAGGER_WAIT, 0, 255 },
	     { 6, 2, STAGGER_WAIT, 0, 255 }, { 7, 15, STAGGER_WAIT, 0, 255 });
	PLAY("a late failure after all started", 2, 100, { 0, NOTHING, STAGGER_START, 0, 0 },
	     { 100, NOTHING, STAGGER_START, 1, 0 }, { 150, 1, STAGGER_WAIT, 0, INT64_MAX },
	     { 160, 0, STAGGER_LOST, 0, 0 });
	PLAY("no gap: all at once", 3, 0, { 5, NOTHING, STAGGER_START, 0, 0 },
	     { 5, NOTHING, STAGGER_START, 1, 0 }, { 5, NOTHING, STAGGER_START, 2, 0 },
	     { 5, NOTHING, STAGGER_WAIT, 0, INT64_MAX });
}

/* Whatever happens when, each starts once and in order, and LOST is said when all have failed, not
 * before. */
static void every_pattern_ends(void)
{
	for (size_t n = 1; n <= LIMIT_ADDRS; n++) {
		for (unsigned pattern = 0; pattern < 64; pattern++) {
			struct stagger s;
			size_t started = 0, failed = 0, steps = 0;
			enum stagger_say say = STAGGER_WAIT;
			stagger_init(&s, n, 250);
			for (int64_t ms = 0; say != STAGGER_LOST && steps < 1000; steps++) {
				size_t i = 0;
				struct deadline until;
				say = stagger_next(&s, (struct instant){ ms }, &i, &until);
				if (say == STAGGER_START)
					CHECK("order", i == started++);
				else if (say == STAGGER_WAIT && failed < started &&
					 (pattern >> steps % 6 & 1 || started == n))
					stagger_failed(&s, failed++);
				else if (say == STAGGER_WAIT && started < n)
					ms = until.at.ms;
			}
			CHECK("lost", say == STAGGER_LOST && failed == n && started == n);
		}
	}
}

TEST_MAIN("stagger", { "schedules", schedules }, { "every pattern ends", every_pattern_ends })
