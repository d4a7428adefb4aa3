/* SPDX-License-Identifier: ISC */
#include "base/stagger.h"

void stagger_init(struct stagger *s, size_t n, int64_t gap_ms)
{
	*s = (struct stagger){ .n = n < LIMIT_ADDRS ? n : LIMIT_ADDRS, .gap_ms = gap_ms };
}

enum stagger_say stagger_next(struct stagger *s, struct instant now, size_t *ret_i,
			      struct deadline *ret_until)
{
	struct deadline due = deadline_in(s->last_start, s->gap_ms);
	bool is_due = s->next == 0 || s->hurry || deadline_left_ms(due, now) == 0;
	if (s->next < s->n && is_due) {
		s->hurry = false;
		s->last_start = now;
		s->state[s->next] = STAGGER_RUNNING;
		*ret_i = s->next++;
		return STAGGER_START;
	}
	size_t failed = 0;
	while (failed < s->n && s->state[failed] == STAGGER_FAILED)
		failed++;
	if (failed == s->n)
		return STAGGER_LOST;
	*ret_until = s->next < s->n ? due : (struct deadline){ { INT64_MAX } };
	return STAGGER_WAIT;
}

void stagger_failed(struct stagger *s, size_t i)
{
	if (i >= s->n || s->state[i] != STAGGER_RUNNING)
		return;
	s->state[i] = STAGGER_FAILED;
	s->hurry = true;
}
