/* SPDX-License-Identifier: ISC */
#include "harness.h"

#include "core/failover.h"

/*
 * The table of the manual, cell by cell and once more: N another host is tried, S it is not; then
 * the answer if this is the last word (d deferred, f failed, u unknown, s sent) when: nothing else
 * is known, some hosts were not asked, one may take the mail later, both.
 */
static const struct {
	const char *label;
	enum failover_event event;
	const char *cell[3]; /* no-response, tempfail, any-error */
} rows[] = {
	{ "nothing yet", EVENT_NONE, { "Sdddd", "Sdddd", "Sdddd" } },
	{ "accepted", EVENT_ACCEPTED, { "Sssss", "Sssss", "Sssss" } },
	{ "cannot connect", EVENT_NO_RESPONSE, { "Ndddd", "Ndddd", "Ndddd" } },
	{ "greeting 4xx", EVENT_GREETING_4XX, { "Sdddd", "Ndddd", "Ndddd" } },
	{ "greeting 5xx", EVENT_GREETING_5XX, { "Sffff", "Ndddd", "Nfddd" } },
	{ "greeting 521, 556", EVENT_GREETING_NEVER, { "Sffff", "Nfddd", "Nfddd" } },
	{ "EHLO and HELO refused", EVENT_HELLO_REFUSED, { "Sdddd", "Ndddd", "Ndddd" } },
	{ "TLS demand not met", EVENT_TLS_UNMET, { "Sdddd", "Ndddd", "Ndddd" } },
	{ "TLS failed, not demanded", EVENT_TLS_BROKEN, { "Ndddd", "Ndddd", "Ndddd" } },
	{ "login refused", EVENT_LOGIN_REFUSED, { "Sdddd", "Ndddd", "Ndddd" } },
	{ "held for SPF", EVENT_SPF_FAILS, { "Ndddd", "Ndddd", "Ndddd" } },
	{ "lost", EVENT_LOST, { "Sdddd", "Ndddd", "Ndddd" } },
	{ "too many for one session", EVENT_TOO_MANY, { "Ndddd", "Ndddd", "Ndddd" } },
	{ "reply 4xx", EVENT_REPLY_4XX, { "Sdddd", "Ndddd", "Ndddd" } },
	{ "reply 5xx", EVENT_REPLY_5XX, { "Sffff", "Sffff", "Nfdfd" } },
	{ "cannot carry", EVENT_CANNOT_CARRY, { "Nfddd", "Nfddd", "Nfddd" } },
	{ "refused over IPv6", EVENT_REFUSED_IPV6, { "Nfddd", "Nfddd", "Nfddd" } },
	{ "no reply to the final dot", EVENT_FINAL_UNKNOWN, { "Suuuu", "Suuuu", "Suuuu" } },
	{ "skipped", EVENT_SKIPPED, { "Ndddd", "Ndddd", "Ndddd" } },
	{ "local", EVENT_LOCAL, { "Sdddd", "Sdddd", "Sdddd" } },
};
#define NROWS (sizeof(rows) / sizeof(rows[0]))

static const enum config_failover columns[3] = { FAILOVER_NO_RESPONSE, FAILOVER_TEMPFAIL,
						 FAILOVER_ANY_ERROR };

static char end_letter(enum failover_end end)
{
	switch (end) {
	case END_DEFERRED:
		return 'd';
	case END_FAILED:
		return 'f';
	case END_UNKNOWN:
		return 'u';
	case END_DELIVERED:
		return 's';
	}
	return '?';
}

static void test_table(void)
{
	for (size_t i = 0; i < NROWS; i++) {
		for (size_t c = 0; c < 3; c++) {
			char got[6] = "";
			for (size_t k = 0; k < 4; k++) {
				struct failover_rest rest = { .unasked = k & 1, .hopeful = k & 2 };
				struct failover_move move =
					failover_decide(columns[c], rows[i].event, rest);
				/* What is known of others never changes whether they are tried. */
				got[0] = got[0] == '\0' || got[0] == (move.next ? 'N' : 'S')
						 ? (move.next ? 'N' : 'S')
						 : '?';
				got[k + 1] = end_letter(move.end);
			}
			CHECK_STR(rows[i].label, got, rows[i].cell[c]);
		}
	}
}

static void test_complete(void)
{
	bool seen[EVENT_COUNT] = { false };
	for (size_t i = 0; i < NROWS; i++)
		seen[rows[i].event] = true;
	for (size_t i = 0; i < EVENT_COUNT; i++)
		CHECK(failover_event_name((enum failover_event)i), seen[i]);
	CHECK("rows", NROWS == EVENT_COUNT);
}

/* Names are for the log: there, different, and without what a log line uses between fields. */
static void test_names(void)
{
	for (size_t i = 0; i < EVENT_COUNT; i++) {
		const char *name = failover_event_name((enum failover_event)i);
		CHECK("name", name && name[0] != '\0');
		CHECK(name, strpbrk(name, ",=()\n") == NULL);
		for (size_t k = 0; k < i; k++)
			CHECK(name, strcmp(name, failover_event_name((enum failover_event)k)) != 0);
	}
	CHECK_STR("log", failover_event_name(EVENT_NO_RESPONSE), "no response");
	CHECK_STR("log", failover_event_name(EVENT_GREETING_4XX), "greeting 4xx");
	CHECK_STR("log", failover_event_name(EVENT_TOO_MANY), "too many recipients");
	CHECK_STR("log", failover_event_name(EVENT_TLS_UNMET), "tls demand not met");
	CHECK_STR("log", failover_event_name(EVENT_TLS_BROKEN), "tls failed");
}

TEST_MAIN("failover", { "table", test_table }, { "complete", test_complete },
	  { "names", test_names })
