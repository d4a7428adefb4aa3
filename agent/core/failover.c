/* SPDX-License-Identifier: ISC */
#include "core/failover.h"

/* The table of the manual (mxdirect.conf.5, "failover"), one row an event, one column a value of
 * `failover`. */
#define STOP(end)                                                                                  \
	{                                                                                          \
		false, END_##end                                                                   \
	}
#define NEXT_LAST(end)                                                                             \
	{                                                                                          \
		true, END_##end                                                                    \
	}

/* clang-format off */
static const struct failover_move table[EVENT_COUNT][3] = {
	/*                         no-response           tempfail             any-error        */
	[EVENT_NONE]           = { STOP(DEFERRED),       STOP(DEFERRED),      STOP(DEFERRED) },
	[EVENT_ACCEPTED]       = { STOP(DELIVERED),      STOP(DELIVERED),     STOP(DELIVERED) },
	[EVENT_NO_RESPONSE]    = { NEXT_LAST(DEFERRED),  NEXT_LAST(DEFERRED), NEXT_LAST(DEFERRED) },
	[EVENT_GREETING_4XX]   = { STOP(DEFERRED),       NEXT_LAST(DEFERRED), NEXT_LAST(DEFERRED) },
	[EVENT_GREETING_5XX]   = { STOP(FAILED),         NEXT_LAST(DEFERRED), NEXT_LAST(FAILED) },
	[EVENT_GREETING_NEVER] = { STOP(FAILED),         NEXT_LAST(FAILED),   NEXT_LAST(FAILED) },
	[EVENT_HELLO_REFUSED]  = { STOP(DEFERRED),       NEXT_LAST(DEFERRED), NEXT_LAST(DEFERRED) },
	[EVENT_TLS_UNMET]      = { STOP(DEFERRED),       NEXT_LAST(DEFERRED), NEXT_LAST(DEFERRED) },
	[EVENT_TLS_BROKEN]     = { NEXT_LAST(DEFERRED),  NEXT_LAST(DEFERRED), NEXT_LAST(DEFERRED) },
	[EVENT_LOGIN_REFUSED]  = { STOP(DEFERRED),       NEXT_LAST(DEFERRED), NEXT_LAST(DEFERRED) },
	[EVENT_SPF_FAILS]      = { NEXT_LAST(DEFERRED),  NEXT_LAST(DEFERRED), NEXT_LAST(DEFERRED) },
	[EVENT_LOST]           = { STOP(DEFERRED),       NEXT_LAST(DEFERRED), NEXT_LAST(DEFERRED) },
	[EVENT_TOO_MANY]       = { NEXT_LAST(DEFERRED),  NEXT_LAST(DEFERRED), NEXT_LAST(DEFERRED) },
	[EVENT_REPLY_4XX]      = { STOP(DEFERRED),       NEXT_LAST(DEFERRED), NEXT_LAST(DEFERRED) },
	[EVENT_REPLY_5XX]      = { STOP(FAILED),         STOP(FAILED),        NEXT_LAST(FAILED) },
	[EVENT_REFUSED_IPV6]   = { NEXT_LAST(FAILED),    NEXT_LAST(FAILED),   NEXT_LAST(FAILED) },
	[EVENT_CANNOT_CARRY]   = { NEXT_LAST(FAILED),    NEXT_LAST(FAILED),   NEXT_LAST(FAILED) },
	[EVENT_FINAL_UNKNOWN]  = { STOP(UNKNOWN),        STOP(UNKNOWN),       STOP(UNKNOWN) },
	[EVENT_SKIPPED]        = { NEXT_LAST(DEFERRED),  NEXT_LAST(DEFERRED), NEXT_LAST(DEFERRED) },
	[EVENT_LOCAL]          = { STOP(DEFERRED),       STOP(DEFERRED),      STOP(DEFERRED) },
};
/* clang-format on */

/* Does the event speak for this host only, and not for the mail? */
static bool of_the_host(enum failover_event event)
{
	return event != EVENT_REPLY_5XX;
}

struct failover_move failover_decide(enum config_failover column, enum failover_event event,
				     struct failover_rest rest)
{
	struct failover_move move = table[event][column];
	bool others = rest.unasked || (rest.hopeful && of_the_host(event));
	if (move.next && move.end == END_FAILED && others)
		move.end = END_DEFERRED;
	return move;
}

const char *failover_event_name(enum failover_event event)
{
	static const char *const names[EVENT_COUNT] = {
		[EVENT_NONE] = "none",
		[EVENT_ACCEPTED] = "accepted",
		[EVENT_NO_RESPONSE] = "no response",
		[EVENT_GREETING_4XX] = "greeting 4xx",
		[EVENT_GREETING_5XX] = "greeting 5xx",
		[EVENT_GREETING_NEVER] = "takes no mail",
		[EVENT_HELLO_REFUSED] = "hello refused",
		[EVENT_TLS_UNMET] = "tls demand not met",
		[EVENT_TLS_BROKEN] = "tls failed",
		[EVENT_LOGIN_REFUSED] = "login refused",
		[EVENT_SPF_FAILS] = "spf",
		[EVENT_LOST] = "lost",
		[EVENT_TOO_MANY] = "too many recipients",
		[EVENT_REPLY_4XX] = "reply 4xx",
		[EVENT_REPLY_5XX] = "reply 5xx",
		[EVENT_REFUSED_IPV6] = "refused over IPv6",
		[EVENT_CANNOT_CARRY] = "cannot carry",
		[EVENT_FINAL_UNKNOWN] = "no reply to the final dot",
		[EVENT_SKIPPED] = "skipped",
		[EVENT_LOCAL] = "local",
	};
	return names[event];
}
