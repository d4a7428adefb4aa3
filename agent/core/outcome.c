/* SPDX-License-Identifier: ISC */
#include "core/outcome.h"

bool outcome_is_about_us(const struct outcome *o)
{
	if (o->cause != CAUSE_SERVER || o->code.subject != 7)
		return false;
	switch (o->event) {
	case EVENT_GREETING_4XX:
	case EVENT_GREETING_5XX:
	case EVENT_GREETING_NEVER:
	case EVENT_HELLO_REFUSED:
	case EVENT_REPLY_4XX:
	case EVENT_REPLY_5XX:
	case EVENT_REFUSED_IPV6:
		return true;
	default:
		return false;
	}
}

static void keep_best(struct tally *t, const struct outcome *o)
{
	if (o->code.cls != 4 && o->code.cls != 5)
		return;
	struct outcome *best = &t->best[o->code.cls - 4];
	if (best->event == EVENT_NONE || o->cause >= best->cause)
		*best = *o;
}

bool tally_note(struct tally *t, enum config_failover column, const struct outcome *o)
{
	static const struct failover_rest nobody = { 0 };
	struct failover_move move = failover_decide(column, o->event, nobody);
	t->last = *o;
	/* Where TLS is broken and not demanded, the plain session that follows is the host's
	 * answer, and so is the next session of one that takes no more recipients in this one. */
	if (move.end == END_DEFERRED && o->event != EVENT_TLS_BROKEN && o->event != EVENT_TOO_MANY)
		t->hopeful = true;
	keep_best(t, o);
	return move.next;
}

void tally_skip(struct tally *t, const struct outcome *o)
{
	keep_best(t, o);
}

bool tally_is_empty(const struct tally *t)
{
	return t->last.event == EVENT_NONE && t->best[0].event == EVENT_NONE &&
	       t->best[1].event == EVENT_NONE;
}

enum failover_end tally_verdict(const struct tally *t, enum config_failover column, bool unasked)
{
	if (t->last.event == EVENT_NONE) {
		bool all_permanent =
			t->best[0].event == EVENT_NONE && t->best[1].event != EVENT_NONE;
		return all_permanent && !unasked ? END_FAILED : END_DEFERRED;
	}
	struct failover_rest rest = { .unasked = unasked, .hopeful = t->hopeful };
	return failover_decide(column, t->last.event, rest).end;
}

struct outcome tally_end(const struct tally *t, enum failover_end end)
{
	const struct outcome *temp = &t->best[0], *perm = &t->best[1];
	if (end == END_DELIVERED || end == END_UNKNOWN)
		return t->last;
	if (end == END_FAILED)
		return *perm;

	bool permanent_tells_more = temp->event == EVENT_NONE ||
				    (perm->event != EVENT_NONE && perm->cause > temp->cause);
	struct outcome o = permanent_tells_more ? *perm : *temp;
	o.code.cls = 4;
	return o;
}
