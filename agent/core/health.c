/* SPDX-License-Identifier: ISC */
#include "core/health.h"

/* Seconds after the first failure; then twice as long each time, up to a limit. */
struct back_off {
	int64_t first, most;
};

static const struct back_off HOST = { 60, 3600 };
static const struct back_off TLS = { 600, 4 * 3600 };
static const struct back_off DOMAIN = { 60, 1800 };

static int64_t back_off_after(struct back_off b, uint32_t fails)
{
	int64_t s = b.first;
	for (uint32_t i = 1; i < fails && s < b.most; i++)
		s *= 2;
	return s < b.most ? s : b.most;
}

static bool is_old(int64_t when, int64_t now)
{
	return now > when && now - when > HEALTH_KEEP;
}

/*
 * When a wait of `wait` seconds is over that began at `since`; 0: it is over. If `since` counted as
 * now however far away it is, a record from a clock that was a year ahead would make us wait for a
 * year: more than HEALTH_SKEW ahead of us it says nothing.
 */
static int64_t end_of_wait(int64_t since, int64_t wait, int64_t now)
{
	if (since > now && since - now > HEALTH_SKEW)
		return 0;
	since = since < now ? since : now;
	return now - since < wait ? since + wait : 0;
}

static int64_t end_of_probe(int64_t until, int64_t now)
{
	return end_of_wait(until - HEALTH_PROBE, HEALTH_PROBE, now);
}

/* Fifty runs that meet one outage are one failure: the next one counts when the wait for the last
 * is over. */
static void count(struct back_off b, uint32_t *fails, int64_t last, int64_t now)
{
	bool waiting = *fails > 0 && end_of_wait(last, back_off_after(b, *fails), now) != 0;
	if (!waiting && *fails < UINT32_MAX)
		++*fails;
}

/* ---- hosts ---- */

enum health_advice health_of_host(const struct record_host *r, int64_t now)
{
	if (r->fails == 0 || is_old(r->last_fail, now))
		return HEALTH_FINE;
	if (end_of_wait(r->last_fail, back_off_after(HOST, r->fails), now) != 0 ||
	    end_of_probe(r->probe_until, now) != 0)
		return HEALTH_LAST;
	return HEALTH_TRY;
}

int64_t health_host_next(const struct record_host *r)
{
	return r->fails == 0 ? 0 : r->last_fail + back_off_after(HOST, r->fails);
}

bool health_tls_broken(const struct record_host *r, int64_t now)
{
	return r->tls_fails > 0 &&
	       end_of_wait(r->tls_last_fail, back_off_after(TLS, r->tls_fails), now) != 0;
}

void health_probe(struct record_host *r, int64_t now)
{
	r->probe_until = now + HEALTH_PROBE;
}

void health_good(struct record_host *r, int64_t now, uint32_t connect_ms)
{
	r->fails = 0;
	r->first_fail = 0;
	r->probe_until = 0;
	r->last_good = now;
	r->connect_ms = connect_ms;
}

void health_bad(struct record_host *r, int64_t now, struct span why)
{
	if (is_old(r->last_fail, now))
		r->fails = 0;
	if (r->fails == 0 || r->first_fail > now)
		r->first_fail = now;
	count(HOST, &r->fails, r->last_fail, now);
	r->last_fail = now;
	r->probe_until = 0;
	r->why = why;
}

void health_tls(struct record_host *r, int64_t now, bool good)
{
	if (good || is_old(r->tls_last_fail, now))
		r->tls_fails = 0;
	if (good)
		return;
	count(TLS, &r->tls_fails, r->tls_last_fail, now);
	r->tls_last_fail = now;
}

/* ---- domains ---- */

enum health_domain health_of_domain(const struct record_domain *r, bool first, int64_t now,
				    int64_t *ret_next)
{
	if (r->fails == 0 || is_old(r->last_fail, now))
		return DOMAIN_FINE;
	int64_t back_off = end_of_wait(r->last_fail, back_off_after(DOMAIN, r->fails), now);
	int64_t probe = end_of_probe(r->probe_until, now);
	/* It goes ahead: as a probe if nobody else is one, so that the others need not try, too. */
	if (first && (back_off == 0 || now - r->last_fail > HEALTH_FRESH))
		return probe == 0 ? DOMAIN_TRY : DOMAIN_FINE;
	if (back_off == 0 && probe == 0)
		return DOMAIN_TRY;
	*ret_next = back_off != 0 ? back_off : probe;
	return DOMAIN_DOWN;
}

void health_domain_probe(struct record_domain *r, int64_t now)
{
	r->probe_until = now + HEALTH_PROBE;
}

void health_domain_ran(struct record_domain *r, enum health_run run, int64_t now)
{
	r->probe_until = 0;
	if (run == RUN_ANSWERED) {
		r->fails = 0;
		r->failing_since = r->last_fail = 0;
		return;
	}
	bool begins = r->last_fail > 0 && is_old(r->last_fail, now);
	if (begins || r->failing_since == 0 || r->failing_since > now)
		r->failing_since = now;
	if (begins || run == RUN_PUT_OFF)
		r->fails = 0;
	if (run == RUN_UNREACHABLE)
		count(DOMAIN, &r->fails, r->last_fail, now);
	r->last_fail = now;
}

int64_t health_domain_failing(const struct record_domain *r, int64_t now)
{
	bool known = r->failing_since > 0 && r->failing_since <= now && r->last_fail > 0;
	bool stale = now > r->last_fail && now - r->last_fail > HEALTH_STALE;
	return known && !stale ? now - r->failing_since : 0;
}
