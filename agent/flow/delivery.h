/* SPDX-License-Identifier: ISC */
/* One delivery: ways, look up, attempt, note, decide, again; and one log line for each host that did not take it. */
#ifndef FLOW_DELIVERY_H
#define FLOW_DELIVERY_H

#include "core/logline.h"
#include "flow/attempt.h"
#include "flow/fitness.h"
#include "flow/lookup.h"

struct delivery_request {
	const struct envelope *envelope;
	struct message *message;
	struct deadline until;
	struct fitness_question *about_us; /* filled with the last answer that may be about ourselves, if there is one; never NULL */
};

struct delivery_result { /* one for each recipient */
	struct outcome outcome;
	enum failover_end end;
};

/* Trouble before any host was tried, as a result; `text` lives as long as the caller needs it. */
struct delivery_result delivery_trouble(const struct error *err, const char *text);

/* Settles every recipient. Errors before the first attempt are outcomes too; false is INTERNAL without memory, and nothing was sent that
 * is not in *ret. `delays` gets lookup, connect and transmit. */
MUST_CHECK bool delivery_run(struct arena *a, const struct services *sv, const struct delivery_request *rq,
			     struct delivery_result *ret, struct log_delays *delays, struct error *err);

#endif
