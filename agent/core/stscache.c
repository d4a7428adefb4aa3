/* SPDX-License-Identifier: ISC */
#include "core/stscache.h"

#define REFRESH_S   86400
#define RETRY_S     300 /* RFC 8461 section 3.3 */
#define RETRY_MAX_S 3600

bool stscache_holds(const struct record_policy *known, int64_t now)
{
	return known && known->id.n > 0 && now < known->fetched + known->max_age;
}

int64_t stscache_retry(const struct record_policy *known)
{
	int64_t wait = RETRY_S;
	for (uint32_t i = 1; i < known->fails && wait < RETRY_MAX_S; i++)
		wait *= 2;
	return known->tried + (wait < RETRY_MAX_S ? wait : RETRY_MAX_S);
}

enum stscache_say stscache_decide(const struct record_policy *known, struct span id, int64_t now)
{
	bool holds = stscache_holds(known, now);
	if (id.n == 0)
		return holds ? STSCACHE_USE : STSCACHE_NONE;
	/* A clock that went back must not keep us from trying. */
	if (known && known->fails > 0 && now >= known->tried && now < stscache_retry(known))
		return holds ? STSCACHE_USE : STSCACHE_WAIT;
	bool fresh = holds && span_equal(known->id, id) && now >= known->fetched &&
		     now - known->fetched < REFRESH_S;
	return fresh ? STSCACHE_USE : STSCACHE_FETCH;
}
