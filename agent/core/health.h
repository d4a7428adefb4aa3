/* SPDX-License-Identifier: ISC */
/*
 * From what is remembered of an address or a domain to what is done about it now. Times are seconds since 1970.
 *
 * An address that did not answer is left for the end of the list until its back-off is over: 60 s after the first failure, twice as long
 * after each further one, at most an hour. After it one run at a time tries it in its place (a probe, which has HEALTH_PROBE seconds); the
 * others go on as before until that one has told. TLS that was broken there is not tried again for 10 min, doubling up to four hours.
 *
 * A domain none of whose hosts answered is answered for from memory, with the reason and the time of the next try: 60 s after the first
 * failure, doubling up to 30 min, then again one probe at a time. A message that was never tried is refused like this only within
 * HEALTH_FRESH seconds of the last failure.
 */
#ifndef CORE_HEALTH_H
#define CORE_HEALTH_H

#include "wire/records.h"

#define HEALTH_PROBE 120 /* s: longer than a connect and a greeting take at worst */
#define HEALTH_FRESH 300 /* s */
#define HEALTH_KEEP  (7 * 86400) /* s: what is older than that says nothing */
#define HEALTH_STALE 86400 /* s: a failure that was not seen again for that long is over, as far as anybody knows */
#define HEALTH_SKEW  60 /* s: no two runs read the clock at once */

enum health_advice {
	HEALTH_FINE,
	HEALTH_TRY, /* its back-off is over: whoever takes it in its place now makes it a probe (health_probe()) */
	HEALTH_LAST, /* after everything else */
};

/* A record of zeros is one of an address never seen. A clock that went back makes nothing worse: a time up to HEALTH_SKEW
 * in the future counts as now, and one after that is no reason to wait. */
enum health_advice health_of_host(const struct record_host *r, int64_t now);
int64_t health_host_next(const struct record_host *r); /* when its back-off is over; 0: it is fine */
bool health_tls_broken(const struct record_host *r, int64_t now);

void health_probe(struct record_host *r, int64_t now);
void health_good(struct record_host *r, int64_t now, uint32_t connect_ms); /* it greeted us */
void health_bad(struct record_host *r, int64_t now, struct span why);	   /* it did not */
void health_tls(struct record_host *r, int64_t now, bool good);

enum health_domain { DOMAIN_FINE, DOMAIN_TRY, DOMAIN_DOWN };

/* first: the message was not tried before. TRY: take it as a probe (health_domain_probe()). DOWN: *ret_next is the time of the next try. */
enum health_domain health_of_domain(const struct record_domain *r, bool first, int64_t now, int64_t *ret_next);

/* Seconds since when nothing could be delivered there; 0: it could, or nobody has tried for HEALTH_STALE. */
int64_t health_domain_failing(const struct record_domain *r, int64_t now);

enum health_run {
	RUN_ANSWERED,	 /* a host answered for good: delivered, or refused for good */
	RUN_PUT_OFF,	 /* a host answered, but the mail is still here */
	RUN_UNREACHABLE, /* no host answered, or DNS did not */
};
void health_domain_probe(struct record_domain *r, int64_t now);
void health_domain_ran(struct record_domain *r, enum health_run run, int64_t now); /* code and why are the caller's */

#endif
