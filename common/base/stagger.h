/* SPDX-License-Identifier: ISC */
/*
 * Who starts when, in a race of n connects (the shape of RFC 8305 section 5). Pure: the dialer reports what happened, this says
 * what is next. The next one starts gap_ms after the last start, or at once when a running one fails.
 */
#ifndef BASE_STAGGER_H
#define BASE_STAGGER_H

#include <stddef.h>

#include "base/clock.h"
#include "base/limits.h"

enum stagger_state { STAGGER_IDLE, STAGGER_RUNNING, STAGGER_FAILED };

struct stagger {
	size_t n, next;
	int64_t gap_ms;
	bool hurry; /* a running one failed: the next need not wait */
	struct instant last_start;
	enum stagger_state state[LIMIT_ADDRS];
};

enum stagger_say {
	STAGGER_START, /* start *ret_i now */
	STAGGER_WAIT,  /* nothing to start before *ret_until; all started: *ret_until is far away */
	STAGGER_LOST,  /* all have failed */
};

void stagger_init(struct stagger *s, size_t n, int64_t gap_ms); /* n <= LIMIT_ADDRS */
enum stagger_say stagger_next(struct stagger *s, struct instant now, size_t *ret_i, struct deadline *ret_until);
void stagger_failed(struct stagger *s, size_t i);

#endif
