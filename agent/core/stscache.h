/* SPDX-License-Identifier: ISC */
/*
 * When is a remembered MTA-STS policy in force, and when is it fetched (RFC 8461 sections 3.3, 5.1)? A policy holds for its max_age from its
 * last fetch, whatever DNS says meanwhile. It is fetched when the id of the TXT record is another one, when there is none that holds, and
 * once a day besides. A fetch that failed is tried again after 5 minutes, twice as long after each further failure, at most an hour.
 */
#ifndef CORE_STSCACHE_H
#define CORE_STSCACHE_H

#include "wire/records.h"

enum stscache_say {
	STSCACHE_NONE,	/* no policy: there is no record, and none is remembered that holds */
	STSCACHE_USE,	/* the remembered one */
	STSCACHE_FETCH, /* if that fails, the remembered one as long as it holds (stscache_holds()) */
	STSCACHE_WAIT,	/* it cannot be had: the last fetch failed a moment ago, and none holds */
};

/* `known`: NULL if nothing is remembered. `id`: of the TXT record; n 0: there is none, or DNS did not tell. */
enum stscache_say stscache_decide(const struct record_policy *known, struct span id, int64_t now);

bool stscache_holds(const struct record_policy *known, int64_t now);
int64_t stscache_retry(const struct record_policy *known); /* when a failed fetch is tried again */

#endif
