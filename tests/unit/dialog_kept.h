/* SPDX-License-Identifier: ISC */
/* Sessions that are kept for the next message, and begin again with RSET; DSN (RFC 3461). */
#ifndef TESTS_DIALOG_KEPT_H
#define TESTS_DIALOG_KEPT_H

#include "dialog_more.h"
#include "dialog_play.h"
#include "dialog_tls.h"

/* A kept session as another message left it. */
static inline struct dialog_session session_of(uint32_t caps, enum demand_level level)
{
	struct dialog_session s = {
		.ehlo = { .caps = caps, .name = "old.test" },
		.secured = level > DEMAND_MAY,
		.level = level,
		.transactions = 1,
	};
	if (s.secured)
		s.facts = (struct secure_facts){ .protocol = "TLSv1.3",
						 .cipher = "TLS_AES_256_GCM_SHA384",
						 .proof = "3 1 1" };
	return s;
}

/* ---- which session is kept ---- */

static const struct {
	const char *label;
	unsigned rcpt_max, mail_max;
	struct turn turns[3];
	const char *want, *plain, *pipelined; /* letters(), brief(); "Q" behind it: not kept */
} keeps[] = {
	{ .label = "accepted", .want = "AA", .plain = "M 1 2 D b c .", .pipelined = "M12D b c ." },
	{ .label = "two transactions",
	  .rcpt_max = 1,
	  .want = "AA",
	  .plain = "M 1 D b c . M 2 D b c .",
	  .pipelined = "M1D b c . M2D b c ." },
	{ .label = "later in the end",
	  .turns = { { 1, { ".", WAIT } } },
	  .want = "tt",
	  .plain = "M 1 2 D b c .",
	  .pipelined = "M12D b c ." },
	{ .label = "refused in the end",
	  .turns = { { 1, { ".", NO } } },
	  .want = "ff",
	  .plain = "M 1 2 D b c .",
	  .pipelined = "M12D b c ." },
	{ .label = "MAIL refused",
	  .turns = { { 1, { "MAIL", NO } },
		     { 1, { "RCPT", "503 no\r\n" } },
		     { 1, { "DATA", "503 no\r\n" } } },
	  .want = "ff",
	  .plain = "M",
	  .pipelined = "M12D" },
	{ .label = "all refused",
	  .turns = { { 1, { "RCPT", NO } }, { 1, { "DATA", "503 no\r\n" } } },
	  .want = "ff",
	  .plain = "M 1 2",
	  .pipelined = "M12D" },
	{ .label = "DATA refused",
	  .turns = { { 1, { "DATA", WAIT } } },
	  .want = "tt",
	  .plain = "M 1 2 D",
	  .pipelined = "M12D" },
	{ .label = "the lone dot refused, as it should be",
	  .turns = { { 1, { "RCPT", NO } }, { 1, { ".", "554 5.5.1 none\r\n" } } },
	  .want = "ff",
	  .plain = "M 1 2",
	  .pipelined = "M12D ." },
	{ .label = "nonsense to the lone dot",
	  .turns = { { 1, { "RCPT", NO } }, { 1, { ".", "354 go\r\n" } } },
	  .want = "ff",
	  .plain = "M 1 2",
	  .pipelined = "M12D . Q" },
	{ .label = "421 to the lone dot",
	  .turns = { { 1, { "RCPT", NO } }, { 1, { ".", BYE } } },
	  .want = "ff",
	  .plain = "M 1 2",
	  .pipelined = "M12D . Q" },
	{ .label = "421 to MAIL",
	  .turns = { { 1, { "MAIL", BYE } } },
	  .want = "tt",
	  .plain = "M Q",
	  .pipelined = "M12D Q" },
	{ .label = "421 to the last RCPT",
	  .turns = { { 1, { R2, BYE } } },
	  .want = "tt",
	  .plain = "M 1 2 Q",
	  .pipelined = "M12D Q" },
	{ .label = "421 to DATA, all refused before",
	  .turns = { { 1, { "RCPT", NO } }, { 1, { "DATA", BYE } } },
	  .want = "ff",
	  .plain = "M 1 2",
	  .pipelined = "M12D Q" },
	{ .label = "421 in the end",
	  .turns = { { 1, { ".", BYE } } },
	  .want = "tt",
	  .plain = "M 1 2 D b c . Q",
	  .pipelined = "M12D b c . Q" },
	{ .label = "nonsense in the end",
	  .turns = { { 1, { ".", "354 go\r\n" } } },
	  .want = "uu",
	  .plain = "M 1 2 D b c . Q",
	  .pipelined = "M12D b c . Q" },
	{ .label = "nonsense to DATA",
	  .turns = { { 1, { "DATA", "250 ok\r\n" } } },
	  .want = "LL",
	  .plain = "M 1 2 D Q",
	  .pipelined = "M12D Q" },
	{ .label = "MAILMAX leaves room",
	  .mail_max = 2,
	  .want = "AA",
	  .plain = "M 1 2 D b c .",
	  .pipelined = "M12D b c ." },
	{ .label = "MAILMAX leaves none",
	  .mail_max = 1,
	  .want = "AA",
	  .plain = "M 1 2 D b c . Q",
	  .pipelined = "M12D b c . Q" },
	{ .label = "MAILMAX leaves none after two",
	  .rcpt_max = 1,
	  .mail_max = 2,
	  .want = "AA",
	  .plain = "M 1 D b c . M 2 D b c . Q",
	  .pipelined = "M1D b c . M2D b c . Q" },
};

static inline void check_keep(size_t i, bool pipelining, bool keep)
{
	static struct play p;
	const char *said = pipelining ? keeps[i].pipelined : keeps[i].plain;
	bool kept = said[strlen(said) - 1] != 'Q';
	struct dialog_session s = { .transactions = 77 };
	play_init(&p, 2, pipelining);
	play_limits(&p, keeps[i].rcpt_max, keeps[i].mail_max);
	p.turns = keeps[i].turns;
	p.nturns = LEN(keeps[i].turns);
	p.script.keep = keep;
	play(&p);
	const char *want = kept && !keep ? arena_fmt(p.arena, "%s Q", said) : said;
	CHECK_STR(keeps[i].label, brief(&p), want);
	CHECK_STR(keeps[i].label, letters(&p), keeps[i].want);
	CHECK(keeps[i].label, dialog_kept(p.d, &s) == (kept && keep));
	CHECK(keeps[i].label, !dialog_stale(p.d));
	if (kept && keep) {
		CHECK(keeps[i].label, s.transactions == p.server.mails && !s.secured);
		CHECK(keeps[i].label, s.ehlo.mail_max == keeps[i].mail_max);
		CHECK_STR(keeps[i].label, s.ehlo.name, "mx.test");
	} else {
		CHECK("untouched", s.transactions == 77);
	}
	arena_close(p.arena);
}

static inline void test_keeps(void)
{
	for (size_t i = 0; i < 4 * LEN(keeps); i++)
		check_keep(i / 4, i & 1, i & 2);
}

/* What is broken before MAIL is of no use to anybody; what cannot carry this mail may carry the
 * next. */
static inline void test_keeps_before_mail(void)
{
	static const struct {
		struct answer answer;
		enum demand_level level;
		bool kept;
	} cases[] = {
		{ { "greeting", "554 no\r\n" }, DEMAND_NONE, false },
		{ { "EHLO", "421 bye\r\n" }, DEMAND_NONE, false },
		{ { "EHLO", "250 me.test\r\n" }, DEMAND_NONE, false },
		{ { "STARTTLS", "454 no\r\n" }, DEMAND_MAY, false },
		{ { "EHLO", "250-mx.test\r\n250 SIZE 5\r\n" }, DEMAND_NONE, true },
	};
	for (size_t i = 0; i < LEN(cases); i++) {
		static struct play p;
		struct dialog_session s;
		play_init(&p, 1, false);
		play_demand(&p, cases[i].level);
		p.answers = &cases[i].answer;
		p.nanswers = 1;
		p.script.keep = true;
		play(&p);
		bool quit = strstr(play_log(&p), "QUIT") != NULL;
		CHECK(cases[i].answer.reply, dialog_kept(p.d, &s) == cases[i].kept);
		CHECK(cases[i].answer.reply, quit == !cases[i].kept);
		arena_close(p.arena);
	}
}

static inline void test_keeps_no_trouble(void)
{
	for (size_t at = 0; at < 15; at++) {
		for (int f = FAULT_LOST; f <= FAULT_EARLY_421; f++) {
			static struct play p;
			struct dialog_session s;
			play_init(&p, 2, false);
			p.script.keep = true;
			p.fault = (enum fault)f;
			p.at = at;
			play(&p);
			CHECK("not kept", p.steps == at + 1 && !dialog_kept(p.d, &s));
			arena_close(p.arena);
		}
	}
}

/* ---- begun again ---- */

static const struct resumed_story {
	const char *label;
	uint32_t caps, rcpt_max, mail_max;
	struct turn turns[2];
	const char *want, *said; /* letters(), the log */
} resumed_stories[] = {
	{ .label = "plain", .want = "AA", .said = "[RSET]" STEPS SENT_ALL },
	{ .label = "what was offered then holds",
	  .caps = EHLO_PIPELINING | EHLO_SIZE,
	  .want = "AA",
	  .said = "[RSET][" M " SIZE=100|" R1 "|" R2 "|DATA]" SENT_ALL },
	{ .label = "RCPTMAX",
	  .caps = EHLO_PIPELINING,
	  .rcpt_max = 1,
	  .want = "AA",
	  .said = "[RSET][" M "|" R1 "|DATA]" SENT_ALL "[" M "|" R2 "|DATA]" SENT_ALL },
	{ .label = "MAILMAX counts those of before",
	  .caps = EHLO_PIPELINING,
	  .rcpt_max = 1,
	  .mail_max = 2,
	  .want = "Am",
	  .said = "[RSET][" M "|" R1 "|DATA]" SENT_ALL "QUIT" },
	{ .label = "no room at all, which its keeper should know",
	  .mail_max = 1,
	  .want = "mm",
	  .said = "[RSET]QUIT" },
	{ .label = "refused",
	  .turns = { { 1, { "MAIL", NO } } },
	  .want = "ff",
	  .said = "[RSET][" M "]" },
	{ .label = "enough of this session",
	  .turns = { { 1, { "MAIL", BYE } } },
	  .want = "mm",
	  .said = "[RSET][" M "]QUIT" },
	{ .label = "all refused, and RSET once more",
	  .caps = EHLO_PIPELINING,
	  .rcpt_max = 1,
	  .turns = { { 1, { R1, NO } }, { 1, { "DATA", "503 no\r\n" } } },
	  .want = "fA",
	  .said = "[RSET][" M "|" R1 "|DATA][RSET][" M "|" R2 "|DATA]" SENT_ALL },
};

static inline void test_resumed(void)
{
	for (size_t i = 0; i < LEN(resumed_stories); i++) {
		static struct play p;
		const struct resumed_story *s = &resumed_stories[i];
		struct dialog_session session = session_of(s->caps, DEMAND_NONE), again;
		session.ehlo.rcpt_max = s->rcpt_max;
		session.ehlo.mail_max = s->mail_max;
		play_init(&p, 2, false);
		p.script.keep = true;
		p.script.resumed = &session;
		p.turns = s->turns;
		p.nturns = LEN(s->turns);
		play(&p);
		CHECK_STR(s->label, play_log(&p), s->said);
		CHECK_STR(s->label, letters(&p), s->want);
		CHECK(s->label, !dialog_stale(p.d));
		if (dialog_kept(p.d, &again))
			CHECK(s->label, again.transactions == 1 + p.server.mails);
		arena_close(p.arena);
	}
}

/* As safe as it was, and as it is demanded: else nothing is done with it. */
static inline void test_resumed_security(void)
{
	for (size_t i = 0; i < 25; i++) {
		static struct play p;
		enum demand_level had = (enum demand_level)(i / 5);
		enum demand_level demanded = (enum demand_level)(i % 5);
		bool fits = demanded <= DEMAND_MAY || had == demanded;
		struct dialog_session session = session_of(0, had), again;
		play_init(&p, 1, false);
		play_demand(&p, demanded);
		p.script.keep = true;
		p.script.resumed = &session;
		p.secured = session.secured;
		p.d = dialog_new(p.arena, &p.script);
		memset(&session, 'x', sizeof(session));
		while (step(&p))
			;
		p.got = dialog_outcomes(p.d);
		CHECK("stale", dialog_stale(p.d) == !fits);
		CHECK_STR("letters", letters(&p), fits ? "A" : "-");
		CHECK_STR("said", play_log(&p),
			  fits ? "[RSET][" M "][" R1 "][DATA]" SENT_ALL : "QUIT");
		CHECK("report", dialog_tls(p.d)->secured == (had > DEMAND_MAY));
		CHECK("report", dialog_tls(p.d)->failure == TLSRPT_NO_FAILURE);
		CHECK_STR("name", dialog_tls(p.d)->helo, "old.test");
		CHECK("kept", dialog_kept(p.d, &again) == fits);
		if (fits) {
			const struct security *sec = p.got[0].security;
			CHECK_STR("level", sec->level,
				  had > DEMAND_MAY ? demand_level_name(had) : "none");
			CHECK_STR("because", sec->because, p.script.demand.because);
			CHECK_STR("protocol", sec->protocol, had > DEMAND_MAY ? "TLSv1.3" : "");
			CHECK("again", again.secured == (had > DEMAND_MAY) &&
					       (!again.secured || again.level == had));
		}
		arena_close(p.arena);
	}
}

/* A session that was plain because TLS had failed stays one, in log and keeper's eyes. */
static inline void test_resumed_downgrade(void)
{
	static struct play p;
	struct dialog_session session = session_of(0, DEMAND_NONE), again = { 0 };
	session.downgrade = true;
	play_init(&p, 1, false);
	p.script.demand = (struct demand){ .level = DEMAND_MAY, .because = "" };
	p.script.keep = true;
	p.script.resumed = &session;
	play(&p);
	CHECK("downgrade", p.got[0].security->downgrade);
	CHECK("kept", dialog_kept(p.d, &again) && again.downgrade);
	arena_close(p.arena);
}

/* Every way in which a session can have died, up to the reply to RSET. */
static inline void test_stale(void)
{
	static const struct {
		const char *label, *reply;
		enum fault fault;
		size_t at;
		bool stale;
		const char *said;
	} cases[] = {
		{ "lost when RSET is sent", NULL, FAULT_LOST, 0, true, "!QUIT" },
		{ "no reply to RSET", NULL, FAULT_LOST, 1, true, "[RSET]!QUIT" },
		{ "bytes before RSET", NULL, FAULT_EARLY, 0, true, "!QUIT" },
		{ "421 before RSET", NULL, FAULT_EARLY_421, 0, true, "!QUIT" },
		{ "421", BYE, FAULT_NONE, 0, true, "[RSET]QUIT" },
		{ "450", "450 4.3.0 wait\r\n", FAULT_NONE, 0, true, "[RSET]QUIT" },
		{ "502", "502 what\r\n", FAULT_NONE, 0, true, "[RSET]QUIT" },
		{ "354", "354 go\r\n", FAULT_NONE, 0, true, "[RSET]QUIT" },
		{ "stopped before RSET", NULL, FAULT_LOCAL, 0, false, "!QUIT" },
		{ "stopped after RSET", NULL, FAULT_LOCAL, 1, false, "[RSET]!QUIT" },
		{ "lost when MAIL is sent", NULL, FAULT_LOST, 2, false, "[RSET]!QUIT" },
		{ "bytes before MAIL", NULL, FAULT_EARLY, 2, false, "[RSET]!QUIT" },
		{ "no reply to MAIL", NULL, FAULT_LOST, 3, false, "[RSET][" M "]!QUIT" },
	};
	for (size_t i = 0; i < LEN(cases); i++) {
		static struct play p;
		struct dialog_session session = session_of(0, DEMAND_NONE), again;
		const struct answer answer = { "RSET", cases[i].reply };
		play_init(&p, 2, false);
		p.script.keep = i % 2;
		p.script.resumed = &session;
		p.answers = &answer;
		p.nanswers = cases[i].reply != NULL;
		p.fault = cases[i].fault;
		p.at = cases[i].fault == FAULT_NONE ? SIZE_MAX : cases[i].at;
		play(&p);
		const char *ours = cases[i].fault == FAULT_LOCAL ? "ll" : "LL";
		CHECK_STR(cases[i].label, play_log(&p), cases[i].said);
		CHECK_STR(cases[i].label, letters(&p), cases[i].stale ? "--" : ours);
		CHECK(cases[i].label, dialog_stale(p.d) == cases[i].stale);
		CHECK(cases[i].label, !dialog_kept(p.d, &again));
		CHECK(cases[i].label, dialog_transmits(p.d) == (cases[i].at > 2) ||
					      (!cases[i].stale && cases[i].at == 2));
		CHECK(cases[i].label, !dialog_committed(p.d));
		arena_close(p.arena);
	}
}

/* A message that this server cannot carry is not the session's fault. */
static inline void test_resumed_cannot_carry(void)
{
	static struct play p;
	struct dialog_session session = session_of(EHLO_SIZE, DEMAND_VERIFY), again;
	session.ehlo.size_max = 99;
	play_init(&p, 1, false);
	play_demand(&p, DEMAND_VERIFY);
	p.script.keep = true;
	p.script.resumed = &session;
	play(&p);
	CHECK_STR("SIZE", letters(&p), "c");
	CHECK_STR("SIZE", play_log(&p), "[RSET]");
	CHECK("SIZE", !dialog_stale(p.d) && dialog_kept(p.d, &again) && again.transactions == 1);
	CHECK("SIZE", again.secured && strcmp(again.facts.proof, "3 1 1") == 0);
	arena_close(p.arena);

	play_init(&p, 1, false);
	play_demand(&p, DEMAND_VERIFY);
	session.ehlo.size_max = 0;
	p.script.demand.requiretls = true;
	p.script.resumed = &session;
	play(&p);
	CHECK_STR("REQUIRETLS", letters(&p), "c");
	CHECK_STR("REQUIRETLS", play_log(&p), "[RSET]QUIT");
	arena_close(p.arena);
}

/* An idle session that is alive answers at once. */
static inline void test_resumed_phases(void)
{
	static struct play p;
	struct dialog_session session = session_of(EHLO_PIPELINING, DEMAND_NONE);
	play_init(&p, 1, false);
	p.script.resumed = &session;
	p.config.command_timeout = 300000;
	play(&p);
	CHECK_STR("phases", buf_cstr(&p.trace),
		  "RSET 20000;RSET 20000;MAIL FROM 300000 t;MAIL FROM 300000 t;"
		  "RCPT TO 300000 t;DATA 300000 t;the message 3 t;the message 300000 t;"
		  "end of data 4 t c;end of data 4 t c;QUIT 300000 t c;");
	arena_close(p.arena);
	play_init(&p, 1, false);
	p.script.resumed = &session;
	play(&p);
	CHECK("not longer than others", strncmp(buf_cstr(&p.trace), "RSET 2;", 7) == 0);
	arena_close(p.arena);
}

/* From one message to the next, until MAILMAX. */
static inline void test_kept_chain(void)
{
	struct dialog_session s;
	for (unsigned i = 0; i < 3; i++) {
		static struct play p;
		play_init(&p, 1, true);
		play_demand(&p, DEMAND_DANE);
		p.offers_tls = "250-LIMITS MAILMAX=3\r\n250-SIZE 1000\r\n";
		p.script.keep = true;
		p.script.resumed = i > 0 ? &s : NULL;
		p.secured = i > 0;
		play(&p);
		struct dialog_session next = { 0 };
		CHECK_STR("sent", outcome_text(&p, 0), SENT);
		CHECK_STR("security", p.got[0].security->level, "dane");
		CHECK("kept", dialog_kept(p.d, &next) == (i < 2));
		CHECK("kept", i == 2 || (next.transactions == i + 1 && next.secured &&
					 next.level == DEMAND_DANE && next.ehlo.size_max == 1000));
		s = next;
		arena_close(p.arena);
	}
}

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
	static const struct turn refused = { 1, { R2, NO } };
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
	CHECK_STR("before TLS", play_log(&p), S ONE);
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

#define TESTS_KEPT                                                                                 \
	{ "kept or not", test_keeps }, { "kept, before MAIL", test_keeps_before_mail },            \
		{ "kept, trouble", test_keeps_no_trouble }, { "begun again", test_resumed },       \
		{ "begun again, security", test_resumed_security },                                \
		{ "begun again, downgrade", test_resumed_downgrade }, { "stale", test_stale },     \
		{ "begun again, cannot carry", test_resumed_cannot_carry },                        \
		{ "begun again, phases", test_resumed_phases },                                    \
		{ "kept, chain", test_kept_chain }, { "DSN", test_dsn },                           \
	{                                                                                          \
		"DSN, what was offered before", test_dsn_forgets                                   \
	}

#endif
