/* SPDX-License-Identifier: ISC */
/* Sessions with two recipients: what the server answers, what is said with and without PIPELINING,
 * what becomes of each; DSN (RFC 3461). */
#ifndef TESTS_DIALOG_STORIES_H
#define TESTS_DIALOG_STORIES_H

#include "dialog_play.h"

#define E        "[EHLO me.test]"
#define H        "[HELO me.test]"
#define M        "MAIL FROM:<s@a.test>"
#define R1       "RCPT TO:<r1@b.test>"
#define R2       "RCPT TO:<r2@b.test>"
#define STEPS    "[" M "][" R1 "][" R2 "][DATA]"
#define GROUP    "[" M "|" R1 "|" R2 "|DATA]"
#define TO_RCPT  E "[" M "][" R1 "][" R2 "]QUIT"
#define SENT_ALL "(body)(commit)[.]"
#define TEXT     SENT_ALL "QUIT"
#define SENT     "accepted 2.0.0 250 2.0.0 Ok: queued as 7"
#define PERM     "reply 5xx 5."
#define TEMP     "reply 4xx 4."
#define IN_RCPT  " (in reply to RCPT TO)"
#define OWN_NAME "hello refused 4.4.6 " X " has our own name me.test: mail would loop"

static const struct story {
	const char *label;
	struct answer answers[3];
	const char *plain, *pipelined; /* what was said; pipelined NULL: the same */
	const char *want[2];           /* the second NULL: as the first */
} stories[] = {
	{ "accepted", { { 0 } }, E STEPS TEXT, E GROUP TEXT, { SENT } },
	{ "251, and no enhanced code",
	  { { R1, "251 forwarded\r\n" }, { ".", "250 thanks\r\n" } },
	  E STEPS TEXT,
	  E GROUP TEXT,
	  { "accepted 2.0.0 250 thanks" } },
	{ "second refused",
	  { { R2, "550 5.1.1 no such user\r\n" } },
	  E STEPS TEXT,
	  E GROUP TEXT,
	  { SENT, PERM "1.1 " SAID "550 5.1.1 no such user" IN_RCPT } },
	{ "first later, two lines, an enhanced code of another class",
	  { { R1, "450-5.2.0 greylisted\r\n450 come back\r\n" } },
	  E STEPS TEXT,
	  E GROUP TEXT,
	  { TEMP "0.0 " SAID "450 5.2.0 greylisted come back" IN_RCPT, SENT } },
	{ "all refused, DATA refused",
	  { { R1, "550 5.1.1 no\r\n" }, { R2, "451 4.7.1 wait\r\n" }, { "DATA", "503 none\r\n" } },
	  TO_RCPT,
	  E GROUP "QUIT",
	  { PERM "1.1 " SAID "550 5.1.1 no" IN_RCPT, TEMP "7.1 " SAID "451 4.7.1 wait" IN_RCPT } },
	{ "all refused, DATA taken: a lone dot, whatever comes of it",
	  { { "RCPT", "550 5.1.1 no\r\n" }, { ".", "250 ok\r\n" } },
	  TO_RCPT,
	  E GROUP "[.]QUIT",
	  { PERM "1.1 " SAID "550 5.1.1 no" IN_RCPT } },
	{ "all refused, DATA taken, 421 to the lone dot",
	  { { "RCPT", "550 no\r\n" }, { ".", "421 ?\r\n" } },
	  TO_RCPT,
	  E GROUP "[.]QUIT",
	  { PERM "0.0 " SAID "550 no" IN_RCPT } },
	{ "all refused, 250 to DATA",
	  { { "RCPT", "450 no\r\n" }, { "DATA", "250 ?\r\n" } },
	  TO_RCPT,
	  E GROUP "QUIT",
	  { TEMP "0.0 " SAID "450 no" IN_RCPT } },
	{ "MAIL refused, all else too",
	  { { "MAIL", "550 5.7.1 not you\r\n" },
	    { "RCPT", "503 no\r\n" },
	    { "DATA", "503 no\r\n" } },
	  E "[" M "]QUIT",
	  E GROUP "QUIT",
	  { PERM "7.1 " SAID "550 5.7.1 not you (in reply to MAIL FROM)" } },
	{ "MAIL refused, yet the server goes on: it gets no text",
	  { { "MAIL", "452 4.3.1 full\r\n" } },
	  E "[" M "]QUIT",
	  E GROUP "[.]QUIT",
	  { TEMP "3.1 " SAID "452 4.3.1 full (in reply to MAIL FROM)" } },
	{ "DATA later",
	  { { "DATA", "451 4.3.0 busy\r\n" } },
	  E STEPS "QUIT",
	  E GROUP "QUIT",
	  { TEMP "3.0 " SAID "451 4.3.0 busy (in reply to DATA)" } },
	{ "refused in the end, one before",
	  { { R1, "550 5.1.1 no\r\n" }, { ".", "554 5.7.1 spam\r\n" } },
	  E STEPS TEXT,
	  E GROUP TEXT,
	  { PERM "1.1 " SAID "550 5.1.1 no" IN_RCPT,
	    PERM "7.1 " SAID "554 5.7.1 spam (in reply to end of data)" } },
	{ "greeting",
	  { { "greeting", "554-5.7.1 blocked\r\n554 see http://x.test/\r\n" } },
	  "QUIT",
	  NULL,
	  { "greeting 5xx 5.7.1 " SAID "554 5.7.1 blocked see http://x.test/ (in its greeting)" } },
	{ "greeting of a host that takes no mail (RFC 7504)",
	  { { "greeting", "521 5.3.2 no mail here\r\n" } },
	  "QUIT",
	  NULL,
	  { "takes no mail 5.3.2 " SAID "521 5.3.2 no mail here (in its greeting)" } },
	{ "the other one",
	  { { "greeting", "556 no\r\n" } },
	  "QUIT",
	  NULL,
	  { "takes no mail 5.0.0 " SAID "556 no (in its greeting)" } },
	{ "521 elsewhere is a refusal",
	  { { "MAIL", "521 no\r\n" }, { "RCPT", "503 no\r\n" }, { "DATA", "503 no\r\n" } },
	  E "[" M "]QUIT",
	  E GROUP "QUIT",
	  { PERM "0.0 " SAID "521 no (in reply to MAIL FROM)" } },
	{ "HELO after 502; what it seems to offer is not used",
	  { { "EHLO", "502 what\r\n" },
	    { "HELO", "250-mx.test\r\n250-PIPELINING\r\n250 SIZE 5\r\n" } },
	  E H STEPS TEXT,
	  NULL,
	  { SENT } },
	{ "HELO after a 4xx",
	  { { "EHLO", "451 what\r\n" }, { "HELO", "250 mx.test\r\n" } },
	  E H STEPS TEXT,
	  NULL,
	  { SENT } },
	{ "EHLO and HELO refused",
	  { { "EHLO", "502 what\r\n" }, { "HELO", "550 5.7.0 bad name\r\n" } },
	  E H "QUIT",
	  NULL,
	  { "hello refused 5.7.0 " SAID "550 5.7.0 bad name (in reply to HELO)" } },
	{ "our own name",
	  { { "EHLO", "250-ME.test hello\r\n250 PIPELINING\r\n" } },
	  E "QUIT",
	  NULL,
	  { OWN_NAME } },
	{ "our own name, in reply to HELO",
	  { { "EHLO", "502 what\r\n" }, { "HELO", "250 me.test\r\n" } },
	  E H "QUIT",
	  NULL,
	  { OWN_NAME } },
	{ "552 behind an accepted one may be 452 (RFC 5321 4.5.3.1.10); asked anew it is not",
	  { { R2, "552 5.2.2 mailbox full\r\n" } },
	  E STEPS SENT_ALL "[" M "][" R2 "]QUIT",
	  E GROUP SENT_ALL "[" M "|" R2 "|DATA][.]QUIT",
	  { SENT, PERM "2.2 " SAID "552 5.2.2 mailbox full" IN_RCPT } },
	{ "552 5.5.3 behind an accepted one is 452, also when asked anew",
	  { { R2, "552 5.5.3 too many\r\n" } },
	  E STEPS SENT_ALL "[" M "][" R2 "]QUIT",
	  E GROUP SENT_ALL "[" M "|" R2 "|DATA][.]QUIT",
	  { SENT, TEMP "5.3 " SAID "552 5.5.3 too many" IN_RCPT } },
	{ "552 to the first is what it says",
	  { { R1, "552 5.2.2 mailbox full\r\n" } },
	  E STEPS TEXT,
	  E GROUP TEXT,
	  { PERM "2.2 " SAID "552 5.2.2 mailbox full" IN_RCPT, SENT } },
	{ "552 5.5.3 to the first is 452",
	  { { R1, "552 5.5.3 too many\r\n" } },
	  E STEPS TEXT,
	  E GROUP TEXT,
	  { TEMP "5.3 " SAID "552 5.5.3 too many" IN_RCPT, SENT } },
	{ "552 in the end is what it says",
	  { { ".", "552 5.3.4 too large\r\n" } },
	  E STEPS TEXT,
	  E GROUP TEXT,
	  { PERM "3.4 " SAID "552 5.3.4 too large (in reply to end of data)" } },
	{ "550 behind an accepted one is what it says",
	  { { R2, "550 5.5.3 no\r\n" } },
	  E STEPS TEXT,
	  E GROUP TEXT,
	  { SENT, PERM "5.3 " SAID "550 5.5.3 no" IN_RCPT } },
};

/* ---- DSN ---- */

static const struct {
	const char *label, *offers;
	const char *ret, *envid, *notify, *orcpt;
	const char *mail, *rcpt; /* their ends */
	bool dsn;
} dsns[] = {
	{ "offered, nothing asked", "250-DSN\r\n", NULL, NULL, NULL, NULL, M, R1, true },
	{ "all", "250-DSN\r\n", "HDRS", "Q1+2B", "SUCCESS,DELAY", "rfc822;r+2B@b.test",
	  M " RET=HDRS ENVID=Q1+2B", R1 " NOTIFY=SUCCESS,DELAY ORCPT=rfc822;r+2B@b.test", true },
	{ "RET", "250-dsn\r\n", "FULL", NULL, NULL, NULL, M " RET=FULL", R1, true },
	{ "ENVID", "250-DSN\r\n", NULL, "x", NULL, NULL, M " ENVID=x", R1, true },
	{ "NOTIFY", "250-DSN\r\n", NULL, NULL, "NEVER", NULL, M, R1 " NOTIFY=NEVER", true },
	{ "ORCPT", "250-DSN\r\n", NULL, NULL, NULL, "utf-8;x", M, R1 " ORCPT=utf-8;x", true },
	{ "behind SIZE", "250-SIZE\r\n250-DSN\r\n", "FULL", NULL, NULL, NULL,
	  M " SIZE=100 RET=FULL", R1, true },
	{ "not offered", "250-SIZE\r\n", "FULL", "x", "NEVER", "rfc822;x", M " SIZE=100", R1,
	  false },
};

static inline void check_dsn(size_t i, bool pipelining)
{
	static struct play p;
	static const struct turn refused = { 1, { R2, "550 5.1.1 no\r\n" } };
	const char *label = dsns[i].label, *between = pipelining ? "|" : "][";
	play_init(&p, 2, pipelining);
	p.offers = dsns[i].offers;
	p.envelope.ret = dsns[i].ret;
	p.envelope.envid = dsns[i].envid;
	p.rcpt[0].notify = dsns[i].notify;
	p.rcpt[0].orcpt = dsns[i].orcpt;
	p.turns = &refused;
	p.nturns = 1;
	play(&p);
	CHECK_STR(label, play_log(&p),
		  arena_fmt(p.arena, E "[%s%s%s%s" R2 "%sDATA]" TEXT, dsns[i].mail, between,
			    dsns[i].rcpt, between, between));
	CHECK(label, p.got[0].event == EVENT_ACCEPTED && p.got[0].dsn == dsns[i].dsn);
	CHECK(label, p.got[1].event == EVENT_REPLY_5XX && !p.got[1].dsn);
	arena_close(p.arena);
}

static inline void test_dsn(void)
{
	for (size_t i = 0; i < 2 * LEN(dsns); i++)
		check_dsn(i / 2, i % 2);
}

/* Offered before TLS only, it is not offered; in a further transaction it is said again. */
static inline void test_dsn_forgets(void)
{
	static struct play p;
	play_init(&p, 1, false);
	play_demand(&p, DEMAND_MAY);
	p.offers = "250-STARTTLS\r\n250-DSN\r\n";
	p.envelope.ret = "FULL";
	play(&p);
	CHECK_STR("before TLS", play_log(&p), E "[STARTTLS](TLS)" E "[" M "][" R1 "][DATA]" TEXT);
	CHECK("before TLS", !p.got[0].dsn);
	arena_close(p.arena);

	play_init(&p, 2, true);
	p.offers = "250-DSN\r\n250-LIMITS RCPTMAX=1\r\n";
	p.envelope.ret = "FULL";
	p.rcpt[1].notify = "NEVER";
	play(&p);
	CHECK_STR("again", play_log(&p),
		  E "[" M " RET=FULL|" R1 "|DATA]" SENT_ALL "[" M " RET=FULL|" R2
		    " NOTIFY=NEVER|DATA]" TEXT);
	CHECK("again", p.got[0].dsn && p.got[1].dsn);
	arena_close(p.arena);
}

#endif
