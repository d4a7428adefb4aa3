/* SPDX-License-Identifier: ISC */
#include "harness.h"

#include "core/outcome.h"

/* One letter an outcome, so that a history is a word. */
static const struct named {
	char letter;
	struct outcome o;
} alphabet[] = {
	{ 'A', { EVENT_ACCEPTED, CAUSE_SERVER, ESC(2, 0, 0), "h", "250 2.0.0 Ok", NULL, false } },
	{ 'n', { EVENT_NO_RESPONSE, CAUSE_NETWORK, ESC(4, 4, 1), "h", "refused", NULL, false } },
	{ 'l', { EVENT_LOST, CAUSE_NETWORK, ESC(4, 4, 2), "h", "lost", NULL, false } },
	{ 't', { EVENT_TLS_UNMET, CAUSE_TLS, ESC(4, 7, 5), "h", "no proof", NULL, false } },
	{ 'b', { EVENT_TLS_BROKEN, CAUSE_TLS, ESC(4, 7, 5), "h", "no handshake", NULL, false } },
	{ 'g', { EVENT_GREETING_4XX, CAUSE_SERVER, ESC(4, 3, 2), "h", "421 later", NULL, false } },
	{ 'G',
	  { EVENT_GREETING_5XX, CAUSE_SERVER, ESC(5, 7, 1), "h", "554 not you", NULL, false } },
	{ 'N',
	  { EVENT_GREETING_NEVER, CAUSE_SERVER, ESC(5, 3, 2), "h", "521 no mail", NULL, false } },
	{ 'h',
	  { EVENT_HELLO_REFUSED, CAUSE_SERVER, ESC(5, 5, 1), "h", "550 bad name", NULL, false } },
	{ 'r', { EVENT_REPLY_4XX, CAUSE_SERVER, ESC(4, 2, 0), "h", "450 wait", NULL, false } },
	{ 'M', { EVENT_TOO_MANY, CAUSE_LOCAL, ESC(4, 5, 3), "h", "no more now", NULL, false } },
	{ '6',
	  { EVENT_REFUSED_IPV6, CAUSE_SERVER, ESC(5, 7, 1), "h", "550 over IPv6", NULL, false } },
	{ 'R', { EVENT_REPLY_5XX, CAUSE_SERVER, ESC(5, 1, 1), "h", "550 no user", NULL, false } },
	{ 'Q', { EVENT_REPLY_5XX, CAUSE_SERVER, ESC(5, 7, 0), "h", "554 spam", NULL, false } },
	{ 'C', { EVENT_CANNOT_CARRY, CAUSE_POLICY, ESC(5, 3, 4), "h", "too large", NULL, false } },
	{ 'U',
	  { EVENT_CANNOT_CARRY, CAUSE_POLICY, ESC(5, 6, 7), "h", "no SMTPUTF8", NULL, false } },
	{ 'X', { EVENT_FINAL_UNKNOWN, CAUSE_NETWORK, ESC(4, 4, 2), "h", "unknown", NULL, false } },
	{ 'L', { EVENT_LOCAL, CAUSE_LOCAL, ESC(4, 3, 0), "h", "stopped", NULL, false } },
	/* Hosts that were not used at all. */
	{ 's', { EVENT_SKIPPED, CAUSE_NETWORK, ESC(4, 4, 3), "none", "SERVFAIL", NULL, false } },
	{ 'S', { EVENT_SKIPPED, CAUSE_NETWORK, ESC(5, 4, 4), "none", "NXDOMAIN", NULL, false } },
	{ 'd', { EVENT_SKIPPED, CAUSE_TLS, ESC(4, 7, 5), "none", "TLSA: SERVFAIL", NULL, false } },
	{ 'v',
	  { EVENT_SKIPPED, CAUSE_TLS, ESC(5, 7, 30), "none", "not vouched for", NULL, false } },
	{ 'p',
	  { EVENT_SKIPPED, CAUSE_POLICY, ESC(4, 4, 4), "none", "refused network", NULL, false } },
};

static const struct outcome *outcome_of(char letter)
{
	for (size_t i = 0; i < sizeof(alphabet) / sizeof(alphabet[0]); i++)
		if (alphabet[i].letter == letter)
			return &alphabet[i].o;
	CHECK("alphabet", false);
	return &alphabet[0].o;
}

/* The letters in turn; true: the last attempt leaves room for another. */
static bool tell(struct tally *t, enum config_failover column, const char *history)
{
	bool more = true;
	*t = (struct tally){ 0 };
	for (const char *p = history; *p; p++) {
		const struct outcome *o = outcome_of(*p);
		if (o->event == EVENT_SKIPPED)
			tally_skip(t, o);
		else
			more = tally_note(t, column, o);
	}
	return more;
}

#define NO  FAILOVER_NO_RESPONSE
#define TMP FAILOVER_TEMPFAIL
#define ANY FAILOVER_ANY_ERROR

static const struct {
	const char *label, *history;
	enum config_failover column;
	bool unasked, more;
	enum failover_end end;
	struct esc code;
	const char *text;
} cases[] = {
	{ "sent", "A", TMP, false, false, END_DELIVERED, ESC(2, 0, 0), "250 2.0.0 Ok" },
	{ "sent, others unasked", "A", TMP, true, false, END_DELIVERED, ESC(2, 0, 0),
	  "250 2.0.0 Ok" },
	{ "second takes it", "nA", TMP, false, false, END_DELIVERED, ESC(2, 0, 0), "250 2.0.0 Ok" },
	{ "taken after refusal", "RA", ANY, false, false, END_DELIVERED, ESC(2, 0, 0),
	  "250 2.0.0 Ok" },
	{ "unknown", "X", ANY, false, false, END_UNKNOWN, ESC(4, 4, 2), "unknown" },
	{ "unknown after a better reason", "rX", ANY, false, false, END_UNKNOWN, ESC(4, 4, 2),
	  "unknown" },
	{ "refused", "R", TMP, false, false, END_FAILED, ESC(5, 1, 1), "550 no user" },
	{ "refused, others unasked: one host speaks for the mail", "R", TMP, true, false,
	  END_FAILED, ESC(5, 1, 1), "550 no user" },
	{ "refused, any-error", "R", ANY, false, true, END_FAILED, ESC(5, 1, 1), "550 no user" },
	{ "refused, any-error, others unasked", "R", ANY, true, true, END_DEFERRED, ESC(4, 1, 1),
	  "550 no user" },
	{ "one dead, one refuses", "nR", ANY, false, true, END_FAILED, ESC(5, 1, 1),
	  "550 no user" },
	{ "one refuses, one dead", "Rn", ANY, false, true, END_DEFERRED, ESC(4, 1, 1),
	  "550 no user" },

	/* Rank: server > policy > TLS > network > local. */
	{ "network over local", "nL", TMP, false, false, END_DEFERRED, ESC(4, 4, 1), "refused" },
	{ "TLS over network", "tn", TMP, false, true, END_DEFERRED, ESC(4, 7, 5), "no proof" },
	{ "TLS over network, turned", "nt", TMP, false, true, END_DEFERRED, ESC(4, 7, 5),
	  "no proof" },
	{ "policy over TLS", "tC", TMP, false, true, END_DEFERRED, ESC(4, 3, 4), "too large" },
	{ "policy over TLS, turned", "Ct", TMP, false, true, END_DEFERRED, ESC(4, 3, 4),
	  "too large" },
	{ "server over policy", "Cr", TMP, false, true, END_DEFERRED, ESC(4, 2, 0), "450 wait" },
	{ "server over all", "rntL", TMP, false, false, END_DEFERRED, ESC(4, 2, 0), "450 wait" },
	{ "local alone", "L", TMP, false, false, END_DEFERRED, ESC(4, 3, 0), "stopped" },

	/* Ties: the later one; the temporary one when it is the end. */
	{ "later network", "nl", TMP, false, true, END_DEFERRED, ESC(4, 4, 2), "lost" },
	{ "later server", "gr", TMP, false, true, END_DEFERRED, ESC(4, 2, 0), "450 wait" },
	{ "later server, turned", "rg", TMP, false, true, END_DEFERRED, ESC(4, 3, 2), "421 later" },
	{ "later refusal", "RQ", ANY, false, true, END_FAILED, ESC(5, 7, 0), "554 spam" },
	{ "later refusal, turned", "QR", ANY, false, true, END_FAILED, ESC(5, 1, 1),
	  "550 no user" },
	{ "temporary before permanent of its rank", "Gr", TMP, false, true, END_DEFERRED,
	  ESC(4, 2, 0), "450 wait" },
	{ "temporary before permanent, turned", "rG", TMP, false, true, END_DEFERRED, ESC(4, 2, 0),
	  "450 wait" },
	{ "the end is permanent, so its reason is", "rR", TMP, false, false, END_FAILED,
	  ESC(5, 1, 1), "550 no user" },

	/* The class follows the end, not the reply. */
	{ "greeting 5xx", "G", TMP, false, true, END_DEFERRED, ESC(4, 7, 1), "554 not you" },
	{ "greeting 5xx, no-response", "G", NO, false, false, END_FAILED, ESC(5, 7, 1),
	  "554 not you" },
	{ "greeting 5xx, any-error", "G", ANY, false, true, END_FAILED, ESC(5, 7, 1),
	  "554 not you" },
	{ "hello 5xx", "h", NO, false, false, END_DEFERRED, ESC(4, 5, 1), "550 bad name" },

	/* The word of one host. */
	{ "takes no mail", "N", TMP, false, true, END_FAILED, ESC(5, 3, 2), "521 no mail" },
	{ "takes no mail, another may", "nN", TMP, false, true, END_DEFERRED, ESC(4, 3, 2),
	  "521 no mail" },
	{ "takes no mail, another may, turned", "Nn", TMP, false, true, END_DEFERRED, ESC(4, 3, 2),
	  "521 no mail" },
	{ "takes no mail, unasked", "N", TMP, true, true, END_DEFERRED, ESC(4, 3, 2),
	  "521 no mail" },
	{ "nobody can carry it", "CUC", TMP, false, true, END_FAILED, ESC(5, 3, 4), "too large" },
	{ "nobody can carry it, turned", "CCU", NO, false, true, END_FAILED, ESC(5, 6, 7),
	  "no SMTPUTF8" },
	{ "cannot carry, takes no mail", "CN", TMP, false, true, END_FAILED, ESC(5, 3, 2),
	  "521 no mail" },
	{ "cannot carry, one hoped for in between", "CnC", TMP, false, true, END_DEFERRED,
	  ESC(4, 3, 4), "too large" },
	{ "cannot carry, unasked", "C", TMP, true, true, END_DEFERRED, ESC(4, 3, 4), "too large" },
	{ "cannot carry, then no-response stops", "Cg", NO, false, false, END_DEFERRED,
	  ESC(4, 3, 2), "421 later" },

	/* A session that takes no more recipients says nothing of the host. */
	{ "no more now, then cannot carry", "MC", TMP, false, true, END_FAILED, ESC(5, 3, 4),
	  "too large" },
	{ "no more now, then taken", "MA", TMP, false, false, END_DELIVERED, ESC(2, 0, 0),
	  "250 2.0.0 Ok" },
	{ "no more now, and that was it", "M", TMP, true, true, END_DEFERRED, ESC(4, 5, 3),
	  "no more now" },

	/* What IPv6 was refused, IPv4 may be granted. */
	{ "over IPv6, and there is nothing else", "6", TMP, false, true, END_FAILED, ESC(5, 7, 1),
	  "550 over IPv6" },
	{ "over IPv6, taken over IPv4", "6A", NO, false, false, END_DELIVERED, ESC(2, 0, 0),
	  "250 2.0.0 Ok" },
	{ "over IPv6, IPv4 is silent", "6n", TMP, false, true, END_DEFERRED, ESC(4, 7, 1),
	  "550 over IPv6" },
	{ "over IPv6, refused over IPv4", "6R", TMP, false, false, END_FAILED, ESC(5, 1, 1),
	  "550 no user" },

	/* A demand that is not met, here or with every host. */
	{ "TLS not met, another takes it", "tA", TMP, false, false, END_DELIVERED, ESC(2, 0, 0),
	  "250 2.0.0 Ok" },
	{ "TLS not met, no-response", "t", NO, false, false, END_DEFERRED, ESC(4, 7, 5),
	  "no proof" },
	{ "TLS not met, all refuse", "tR", TMP, false, false, END_FAILED, ESC(5, 1, 1),
	  "550 no user" },
	{ "TLS not met, another takes no mail", "tN", ANY, false, true, END_DEFERRED, ESC(4, 3, 2),
	  "521 no mail" },
	{ "nothing but skips for want of proof", "dd", TMP, true, true, END_DEFERRED, ESC(4, 7, 5),
	  "TLSA: SERVFAIL" },
	{ "REQUIRETLS, nobody vouches", "vv", TMP, false, true, END_FAILED, ESC(5, 7, 30),
	  "not vouched for" },
	{ "REQUIRETLS, one not known", "vd", TMP, true, true, END_DEFERRED, ESC(4, 7, 5),
	  "TLSA: SERVFAIL" },

	/* TLS that broke where nobody demanded it: the plain session is the host's answer. */
	{ "broken", "b", NO, false, true, END_DEFERRED, ESC(4, 7, 5), "no handshake" },
	{ "broken, then dead", "bn", NO, false, true, END_DEFERRED, ESC(4, 7, 5), "no handshake" },
	{ "broken, taken in plain", "bA", NO, false, false, END_DELIVERED, ESC(2, 0, 0),
	  "250 2.0.0 Ok" },
	{ "broken, refused in plain", "bR", TMP, false, false, END_FAILED, ESC(5, 1, 1),
	  "550 no user" },
	{ "broken gives no hope", "bC", TMP, false, true, END_FAILED, ESC(5, 3, 4), "too large" },
	{ "broken twice, taking no mail twice", "bbNN", TMP, false, true, END_FAILED, ESC(5, 3, 2),
	  "521 no mail" },

	/* Skipped hosts. */
	{ "only skipped, temporary", "s", TMP, false, true, END_DEFERRED, ESC(4, 4, 3),
	  "SERVFAIL" },
	{ "only skipped, permanent", "SS", TMP, false, true, END_FAILED, ESC(5, 4, 4), "NXDOMAIN" },
	{ "only skipped, permanent, unasked", "S", TMP, true, true, END_DEFERRED, ESC(4, 4, 4),
	  "NXDOMAIN" },
	{ "only skipped, mixed", "Ss", TMP, false, true, END_DEFERRED, ESC(4, 4, 3), "SERVFAIL" },
	{ "only skipped, mixed, turned", "sS", TMP, false, true, END_DEFERRED, ESC(4, 4, 3),
	  "SERVFAIL" },
	{ "policy skip tells more", "ps", TMP, false, true, END_DEFERRED, ESC(4, 4, 4),
	  "refused network" },
	{ "a skip is no attempt", "RS", TMP, false, false, END_FAILED, ESC(5, 1, 1),
	  "550 no user" },
	{ "a skip is no attempt, turned", "SR", TMP, false, false, END_FAILED, ESC(5, 1, 1),
	  "550 no user" },
	{ "a skip does not undo a delivery", "As", TMP, false, false, END_DELIVERED, ESC(2, 0, 0),
	  "250 2.0.0 Ok" },
	{ "a skip gives no hope by itself", "SC", TMP, false, true, END_FAILED, ESC(5, 3, 4),
	  "too large" },
	{ "a permanent skip and a dead host", "Sn", TMP, false, true, END_DEFERRED, ESC(4, 4, 1),
	  "refused" },
};

static void test_histories(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tally t;
		CHECK(cases[i].label, tell(&t, cases[i].column, cases[i].history) == cases[i].more);
		enum failover_end end = tally_verdict(&t, cases[i].column, cases[i].unasked);
		struct outcome o = tally_end(&t, end);
		CHECK(cases[i].label, end == cases[i].end);
		CHECK_STR(cases[i].label, o.text, cases[i].text);
		CHECK(cases[i].label, o.code.cls == cases[i].code.cls &&
					      o.code.subject == cases[i].code.subject &&
					      o.code.detail == cases[i].code.detail);
	}
}

/* With nothing known at all the mail waits. */
static void test_nothing(void)
{
	struct tally t = { 0 };
	CHECK("verdict", tally_verdict(&t, TMP, false) == END_DEFERRED);
	CHECK("verdict, unasked", tally_verdict(&t, ANY, true) == END_DEFERRED);
	CHECK("class", tally_end(&t, END_DEFERRED).code.cls == 4);
}

static char *swapped(const char *history, char *out)
{
	out[0] = history[1];
	out[1] = history[0];
	out[2] = '\0';
	return out;
}

/* Hosts that speak only for themselves: in which order they were asked makes no difference to the
 * answer, nor, when their ranks differ, to the reason. */
static void test_order(void)
{
	static const char hosts[] = "nltgGNhCU";
	static const enum config_failover orders[] = { TMP, ANY };
	for (size_t k = 0; k < 2 * (sizeof(hosts) - 1) * (sizeof(hosts) - 1); k++) {
		char one[3] = { hosts[k / 2 / (sizeof(hosts) - 1)],
				hosts[k / 2 % (sizeof(hosts) - 1)], '\0' };
		char two[3];
		struct tally a, b;
		enum config_failover column = orders[k % 2];
		CHECK(one, tell(&a, column, one) && tell(&b, column, swapped(one, two)));
		/* 5xx greetings of tempfail have the one answer "later" and leave hope. */
		enum failover_end end = tally_verdict(&a, column, false);
		CHECK(one, end == tally_verdict(&b, column, false));
		CHECK(one, tally_verdict(&a, column, true) == END_DEFERRED);
		struct outcome x = tally_end(&a, end), y = tally_end(&b, end);
		CHECK(one, x.code.cls == y.code.cls && x.cause == y.cause);
		if (outcome_of(one[0])->cause != outcome_of(one[1])->cause)
			CHECK_STR(one, x.text, y.text);
	}
}

/* How a session was secured is told of that session whose answer is told. */
static void test_security(void)
{
	static const struct security plain = { "none", "", "", "", true };
	static const struct security tls = { "may", "", "TLSv1.3", "TLS_AES_256_GCM_SHA384",
					     false };
	struct outcome first = *outcome_of('r'), second = *outcome_of('h');
	struct tally t = { 0 };
	first.security = &tls;
	second.cause = CAUSE_NETWORK;
	second.security = &plain;
	(void)tally_note(&t, TMP, &first);
	(void)tally_note(&t, TMP, &second);
	CHECK("the telling one", tally_end(&t, END_DEFERRED).security == &tls);
	second = *outcome_of('A');
	second.security = &plain;
	(void)tally_note(&t, TMP, &second);
	CHECK("the delivery", tally_end(&t, END_DELIVERED).security == &plain);
}

/* A skipped host may be noted before or behind the attempts. */
static void test_skip_order(void)
{
	static const char attempts[] = "AnltbgGNhrRCUXL", skips[] = "sSpdv";
	for (size_t k = 0; k < (sizeof(attempts) - 1) * (sizeof(skips) - 1); k++) {
		char one[3] = { attempts[k / (sizeof(skips) - 1)], skips[k % (sizeof(skips) - 1)],
				'\0' };
		char two[3];
		struct tally a, b;
		(void)tell(&a, TMP, one);
		(void)tell(&b, TMP, swapped(one, two));
		CHECK(one, tally_verdict(&a, TMP, false) == tally_verdict(&b, TMP, false));
		CHECK(one, a.last.event == b.last.event && a.hopeful == b.hopeful);
	}
}

static void test_empty(void)
{
	struct tally t = { 0 };
	const struct outcome o = { .event = EVENT_SKIPPED, .code = ESC(4, 4, 3), .text = "x" };
	CU_ASSERT(tally_is_empty(&t));
	tally_skip(&t, &o);
	CU_ASSERT(!tally_is_empty(&t));
	t = (struct tally){ 0 };
	(void)tally_note(&t, TMP, &o);
	CU_ASSERT(!tally_is_empty(&t));
}

static void test_about_us(void)
{
	static const struct {
		const char *label;
		enum failover_event event;
		enum cause cause;
		struct esc code;
		bool want;
	} t[] = {
		{ "550 5.7.1", EVENT_REPLY_5XX, CAUSE_SERVER, ESC(5, 7, 1), true },
		{ "450 4.7.1", EVENT_REPLY_4XX, CAUSE_SERVER, ESC(4, 7, 1), true },
		{ "550 5.7.25", EVENT_REPLY_5XX, CAUSE_SERVER, ESC(5, 7, 25), true },
		{ "421 4.7.0", EVENT_GREETING_4XX, CAUSE_SERVER, ESC(4, 7, 0), true },
		{ "554 5.7.1", EVENT_GREETING_5XX, CAUSE_SERVER, ESC(5, 7, 1), true },
		{ "521 5.7.1", EVENT_GREETING_NEVER, CAUSE_SERVER, ESC(5, 7, 1), true },
		{ "EHLO", EVENT_HELLO_REFUSED, CAUSE_SERVER, ESC(5, 7, 1), true },
		{ "IPv6", EVENT_REFUSED_IPV6, CAUSE_SERVER, ESC(5, 7, 1), true },
		{ "no user", EVENT_REPLY_5XX, CAUSE_SERVER, ESC(5, 1, 1), false },
		{ "no code", EVENT_REPLY_5XX, CAUSE_SERVER, ESC(5, 0, 0), false },
		{ "detail 7", EVENT_REPLY_4XX, CAUSE_SERVER, ESC(4, 1, 7), false },
		{ "accepted", EVENT_ACCEPTED, CAUSE_SERVER, ESC(2, 7, 0), false },
		{ "login", EVENT_LOGIN_REFUSED, CAUSE_SERVER, ESC(5, 7, 8), false },
		{ "our own demand", EVENT_TLS_UNMET, CAUSE_TLS, ESC(4, 7, 5), false },
		{ "our own SPF", EVENT_SPF_FAILS, CAUSE_POLICY, ESC(4, 7, 23), false },
		{ "cannot carry", EVENT_CANNOT_CARRY, CAUSE_POLICY, ESC(5, 7, 30), false },
		{ "nothing", EVENT_NONE, CAUSE_LOCAL, ESC(0, 0, 0), false },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const struct outcome o = { .event = t[i].event,
					   .cause = t[i].cause,
					   .code = t[i].code };
		CHECK(t[i].label, outcome_is_about_us(&o) == t[i].want);
	}
}

/* Whatever happened, what is told has the class of the end and a text. */
static void test_class(void)
{
	static const char all[] = "AnltbgGNhrRQCUXL";
	size_t n = sizeof(all) - 1;
	for (size_t k = 0; k < n * n * 6; k++) {
		char history[3] = { all[k / 6 / n], all[k / 6 % n], '\0' };
		enum config_failover column = (enum config_failover)(k % 3);
		struct tally t;
		(void)tell(&t, column, history);
		enum failover_end end = tally_verdict(&t, column, k % 6 >= 3);
		struct outcome o = tally_end(&t, end);
		uint8_t cls = end == END_DELIVERED ? 2 : end == END_FAILED ? 5 : 4;
		CHECK(history, o.code.cls == cls && o.text && o.text[0] != '\0');
	}
}

TEST_MAIN("outcome", { "histories", test_histories }, { "nothing", test_nothing },
	  { "order", test_order }, { "order of skipped hosts", test_skip_order },
	  { "security", test_security }, { "empty", test_empty }, { "class", test_class },
	  { "about us", test_about_us })
