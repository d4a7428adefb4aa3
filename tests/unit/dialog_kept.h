/* SPDX-License-Identifier: ISC */
/* Sessions that are kept for the next message, and begin again with RSET. */
#ifndef TESTS_DIALOG_KEPT_H
#define TESTS_DIALOG_KEPT_H

#include "dialog_more.h"
#include "dialog_play.h"
#include "dialog_tls.h"

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

#define NO_DATA "503 5.5.1 no\r\n"

static const struct resumed_story {
	const char *label;
	uint32_t rcpt_max, mail_max;
	struct turn turns[3];
	const char *want, *plain, *pipelined; /* letters(), brief(); "Q" behind it: not kept */
} resumed_stories[] = {
	{ "accepted", 0, 0, { { 0 } }, "AA", "0 M 1 2 D b c .", "0M12D b c ." },
	{ "RCPTMAX", 1, 0, { { 0 } }, "AA", "0 M 1 D b c . M 2 D b c .", "0M1D b c . M2D b c ." },
	{ "MAILMAX counts the one before",
	  1,
	  2,
	  { { 0 } },
	  "Am",
	  "0 M 1 D b c . Q",
	  "0M1D b c . Q" },
	{ "no room, which its keeper should know", 0, 1, { { 0 } }, "mm", "0 Q", "0 Q" },
	{ "one too many",
	  0,
	  0,
	  { { 1, { R2, MANY } } },
	  "AA",
	  "0 M 1 2 D b c . M 2 D b c .",
	  "0M12D b c . M2D b c ." },
	{ "refused",
	  0,
	  0,
	  { { 1, { "MAIL", NO } }, { 1, { "DATA", NO_DATA } } },
	  "ff",
	  "0 M",
	  "0M12D" },
	{ "refused, and DATA taken", 0, 0, { { 1, { "MAIL", NO } } }, "ff", "0 M", "0M12D ." },
	{ "one refused", 0, 0, { { 1, { R1, NO } } }, "fA", "0 M 1 2 D b c .", "0M12D b c ." },
	{ "refused in the end",
	  0,
	  0,
	  { { 1, { ".", NO } } },
	  "ff",
	  "0 M 1 2 D b c .",
	  "0M12D b c ." },
	{ "enough of this session", 0, 0, { { 1, { "MAIL", BYE } } }, "mm", "0 M Q", "0M12D Q" },
	{ "421 to RCPT", 0, 0, { { 1, { R2, BYE } } }, "tt", "0 M 1 2 Q", "0M12D Q" },
	{ "nonsense to MAIL", 0, 0, { { 1, { "MAIL", "354 go\r\n" } } }, "LL", "0 M Q", "0M12D Q" },
	{ "all refused, RSET once more",
	  1,
	  0,
	  { { 1, { R1, NO } }, { 1, { "DATA", NO_DATA } } },
	  "fA",
	  "0 M 1 0 M 2 D b c .",
	  "0M1D 0M2D b c ." },
	{ "RSET refused then: it has not died before",
	  1,
	  0,
	  { { 1, { R1, NO } }, { 1, { "DATA", NO_DATA } }, { 1, { "RSET", NO } } },
	  "fL",
	  "0 M 1 0 Q",
	  "0M1D 0M2D Q" },
	{ "421 to RSET then",
	  1,
	  0,
	  { { 1, { R1, NO } }, { 1, { "DATA", NO_DATA } }, { 1, { "RSET", BYE } } },
	  "ft",
	  "0 M 1 0 Q",
	  "0M1D 0M2D Q" },
};

static inline void check_resumed(const struct resumed_story *s, bool pipelining)
{
	static struct play p;
	struct dialog_session session = session_of(pipelining ? EHLO_PIPELINING : 0, DEMAND_NONE);
	struct dialog_session again = { 0 };
	const char *said = pipelining ? s->pipelined : s->plain;
	bool kept = said[strlen(said) - 1] != 'Q';
	session.ehlo.rcpt_max = s->rcpt_max;
	session.ehlo.mail_max = s->mail_max;
	play_resumed(&p, 2, &session);
	p.turns = s->turns;
	p.nturns = LEN(s->turns);
	play(&p);
	CHECK_STR(s->label, brief(&p), said);
	CHECK_STR(s->label, letters(&p), s->want);
	CHECK(s->label, !dialog_stale(p.d) && dialog_kept(p.d, &again) == kept);
	CHECK(s->label, !kept || again.transactions == 1 + p.server.mails);
	arena_close(p.arena);
}

static inline void test_resumed(void)
{
	for (size_t i = 0; i < 2 * LEN(resumed_stories); i++)
		check_resumed(&resumed_stories[i / 2], i % 2);
}

/* RSET counts in a burst, and in its bytes. */
static inline void check_resumed_burst(size_t nrcpt, uint32_t rcpt_max, size_t largest)
{
	static struct play p;
	struct dialog_session session = session_of(EHLO_PIPELINING, DEMAND_NONE);
	char label[64];
	snprintf(label, sizeof(label), "%zu recipients, RCPTMAX=%u", nrcpt, rcpt_max);
	session.ehlo.rcpt_max = rcpt_max;
	play_resumed(&p, nrcpt, &session);
	p.server.rcpt_max = rcpt_max;
	play(&p);
	for (size_t i = 0; i < nrcpt; i++)
		CHECK_STR(label, outcome_text(&p, i), SENT);
	CHECK(label, p.largest == largest);
	CHECK_STR(label, arena_fmt(p.arena, "%.12s", play_log(&p)), "[RSET|MAIL F");
	arena_close(p.arena);
}

static inline void test_resumed_bursts(void)
{
	static const struct {
		size_t nrcpt;
		uint32_t rcpt_max;
		size_t largest;
	} cases[] = {
		{ 1, 0, 4 },
		{ LIMIT_BURST - 2, 0, LIMIT_BURST + 1 },
		{ LIMIT_BURST - 1, 0, LIMIT_BURST + 2 },
		{ LIMIT_BURST, 0, LIMIT_BURST + 1 },
		{ MAX, 0, LIMIT_BURST + 1 },
		{ MAX, LIMIT_BURST - 1, LIMIT_BURST + 2 },
		{ MAX, 7, 10 },
	};
	for (size_t i = 0; i < LEN(cases); i++)
		check_resumed_burst(cases[i].nrcpt, cases[i].rcpt_max, cases[i].largest);
}

/* The longest commands that there are: the last one begins just before LIMIT_BURST_BYTES. */
static inline void test_resumed_long(void)
{
	static struct play p;
	static char local[1014];
	struct dialog_session session = session_of(EHLO_PIPELINING, DEMAND_NONE);
	memset(local, '"', sizeof(local) - 1);
	play_resumed(&p, 4, &session);
	p.envelope.sender.local = local + 1;
	for (size_t i = 0; i < 4; i++)
		p.rcpt[i].addr.local = local + (i == 0 ? 3 : 0);
	play(&p);
	CHECK_STR("accepted", letters(&p), "AAAA");
	CHECK("few at once", p.largest == 4);
	arena_close(p.arena);
}

#define ALL "[RSET|" M "|" R1 "|" R2 "|DATA]"

/* Every way in which a session can have died, up to the reply to RSET; and what comes behind it.
 * Where DATA was said and not answered QUIT could be text. */
static const struct death {
	const char *label, *reply; /* to RSET */
	enum fault fault;
	size_t at;
	const char *want, *plain, *pipelined; /* letters(), the log */
} deaths[] = {
	{ "lost when RSET is sent", NULL, FAULT_LOST, 0, "--", "!QUIT", "!" },
	{ "no reply to RSET", NULL, FAULT_LOST, 1, "--", "[RSET]!QUIT", ALL "!" },
	{ "bytes before RSET", NULL, FAULT_EARLY, 0, "--", "!QUIT", "!" },
	{ "421 before RSET", NULL, FAULT_EARLY_421, 0, "--", "!QUIT", "!" },
	{ "421", BYE, FAULT_NONE, 0, "--", "[RSET]QUIT", ALL },
	{ "450", "450 4.3.0 wait\r\n", FAULT_NONE, 0, "--", "[RSET]QUIT", ALL },
	{ "502", "502 what\r\n", FAULT_NONE, 0, "--", "[RSET]QUIT", ALL },
	{ "354", "354 go\r\n", FAULT_NONE, 0, "--", "[RSET]QUIT", ALL },
	{ "stopped before RSET", NULL, FAULT_LOCAL, 0, "ll", "!QUIT", "!QUIT" },
	{ "stopped after RSET", NULL, FAULT_LOCAL, 1, "ll", "[RSET]!QUIT", ALL "!QUIT" },
	{ "lost behind RSET", NULL, FAULT_LOST, 2, "LL", "[RSET]!QUIT", ALL "!QUIT" },
	{ "bytes behind RSET", NULL, FAULT_EARLY, 2, "LL", "[RSET]!QUIT", ALL "!QUIT" },
	{ "lost later", NULL, FAULT_LOST, 3, "LL", "[RSET][" M "]!QUIT", ALL "!QUIT" },
};

static inline void play_death(struct play *p, const struct death *death, struct answer *room)
{
	*room = (struct answer){ "RSET", death->reply };
	p->answers = room;
	p->nanswers = death->reply != NULL;
	p->fault = death->fault;
	p->at = death->fault == FAULT_NONE ? SIZE_MAX : death->at;
	play(p);
}

static inline void check_death(const struct death *death, bool pipelining, bool keep)
{
	static struct play p;
	struct dialog_session session = session_of(pipelining ? EHLO_PIPELINING : 0, DEMAND_NONE);
	struct dialog_session again;
	struct answer answer;
	bool stale = death->want[0] == '-';
	play_resumed(&p, 2, &session);
	p.script.keep = keep;
	play_death(&p, death, &answer);
	CHECK_STR(death->label, play_log(&p), pipelining ? death->pipelined : death->plain);
	CHECK_STR(death->label, letters(&p), death->want);
	CHECK(death->label, dialog_stale(p.d) == stale);
	CHECK(death->label, !dialog_kept(p.d, &again) && !dialog_committed(p.d));
	CHECK(death->label, dialog_transmits(p.d) == (pipelining || death->at >= 2));
	arena_close(p.arena);
}

static inline void test_stale(void)
{
	for (size_t i = 0; i < 4 * LEN(deaths); i++)
		check_death(&deaths[i / 4], i & 1, i & 2);
}

/* ---- whatever the message is, a dead session leaves no trace ---- */

enum burden { BURDEN_NONE, SKIPPED, LONG_SENDER, LONG_RCPT, REQUIRETLS, UTF8 };

static const struct message {
	const char *label;
	size_t nrcpt;
	uint32_t rcpt_max, mail_max;
	uint64_t size_max;
	enum burden burden;
	const char *want, *said; /* letters() and brief() of a session that lives */
} messages[] = {
	{ "one", 1, 0, 0, 0, BURDEN_NONE, "A", "0M1D b c ." },
	{ "RCPTMAX", 2, 1, 0, 0, BURDEN_NONE, "AA", "0M1D b c . M2D b c ." },
	{ "MAILMAX", 1, 0, 1, 0, BURDEN_NONE, "m", "0 Q" },
	{ "SIZE", 1, 0, 0, 100, BURDEN_NONE, "A", "0M1D b c ." },
	{ "too large", 1, 0, 0, 99, BURDEN_NONE, "c", "0" },
	{ "one skipped", 2, 0, 0, 0, SKIPPED, "-A", "0M2D b c ." },
	{ "REQUIRETLS", 1, 0, 0, 0, REQUIRETLS, "c", "0" },
	{ "UTF-8", 2, 0, 0, 0, UTF8, "cc", "0" },
	{ "a sender that cannot be written", 2, 0, 0, 0, LONG_SENDER, "ff", "0" },
	{ "a recipient that cannot be written", 2, 0, 0, 0, LONG_RCPT, "fA", "0M2D b c ." },
	{ "none that can be written", 1, 0, 0, 0, LONG_RCPT, "f", "0MD ." },
};

/* `death` NULL: the session lives. */
static inline void check_message(const struct message *m, const struct death *death)
{
	static struct play p;
	static const bool first[MAX] = { true };
	static char endless[LIMIT_LOCAL + 1];
	struct dialog_session session = session_of(EHLO_PIPELINING, DEMAND_VERIFY), again;
	struct answer answer;
	memset(endless, '"', LIMIT_LOCAL);
	session.ehlo.rcpt_max = m->rcpt_max;
	session.ehlo.mail_max = m->mail_max;
	session.ehlo.size_max = m->size_max;
	play_resumed(&p, m->nrcpt, &session);
	p.script.demand.requiretls = m->burden == REQUIRETLS;
	p.script.skip = m->burden == SKIPPED ? first : NULL;
	p.facts.header_utf8 = m->burden == UTF8;
	if (m->burden == LONG_SENDER)
		p.envelope.sender.local = endless;
	if (m->burden == LONG_RCPT)
		p.rcpt[0].addr.local = endless;
	if (death)
		play_death(&p, death, &answer);
	else
		play(&p);
	bool quit = strchr(brief(&p), 'Q') != NULL;
	CHECK(m->label, dialog_stale(p.d) == (death != NULL));
	CHECK(m->label, dialog_kept(p.d, &again) == (!death && !quit));
	if (death) {
		CHECK(m->label, !strchr(brief(&p), 'b') && p.server.finals == 0);
		for (size_t i = 0; i < m->nrcpt; i++)
			CHECK(m->label, p.got[i].event == EVENT_NONE && !p.got[i].text);
	} else {
		CHECK_STR(m->label, letters(&p), m->want);
		CHECK_STR(m->label, brief(&p), m->said);
	}
	arena_close(p.arena);
}

static inline void test_stale_messages(void)
{
	for (size_t i = 0; i < LEN(messages); i++) {
		check_message(&messages[i], NULL);
		for (size_t k = 0; k < LEN(deaths); k++)
			if (deaths[k].want[0] == '-')
				check_message(&messages[i], &deaths[k]);
	}
}

/* The memory may end before there are outcomes that could be empty. */
static inline void test_resumed_memory(void)
{
	bool any = false, none = false;
	for (size_t limit = 0; limit < 4096; limit += 16) {
		static struct play p;
		struct dialog_session session = session_of(EHLO_PIPELINING, DEMAND_NONE);
		play_resumed(&p, 2, &session);
		p.script.demand.level = DEMAND_DANE;
		struct arena *small = arena_open(limit);
		p.d = dialog_new(small, &p.script);
		any = any || p.d;
		none = none || !p.d;
		while (p.d && step(&p))
			;
		CHECK("stale", !p.d || dialog_stale(p.d));
		arena_close(small);
		arena_close(p.arena);
	}
	CHECK("both sides of the limit", any && none);
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
		  "RSET 20000 t;RSET 20000 t;MAIL FROM 300000 t;RCPT TO 300000 t;DATA 300000 t;the "
		  "message 3 t;the message 300000 t;"
		  "end of data 4 t c;end of data 4 t c;QUIT 300000 t c;");
	arena_close(p.arena);
	session.ehlo.caps = 0;
	play_init(&p, 1, false);
	p.script.resumed = &session;
	play(&p);
	CHECK_STR("not longer than others", buf_cstr(&p.trace),
		  "RSET 2;RSET 2;MAIL FROM 2 t;MAIL FROM 2 t;RCPT TO 2 t;RCPT TO 2 t;DATA 2 t;"
		  "DATA 2 t;the message 3 t;the message 2 t;"
		  "end of data 4 t c;end of data 4 t c;QUIT 2 t c;");
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

#define TESTS_KEPT                                                                                 \
	{ "kept or not", test_keeps }, { "kept, before MAIL", test_keeps_before_mail },            \
		{ "kept, trouble", test_keeps_no_trouble }, { "begun again", test_resumed },       \
		{ "begun again, bursts", test_resumed_bursts },                                    \
		{ "begun again, long addresses", test_resumed_long },                              \
		{ "begun again, security", test_resumed_security },                                \
		{ "begun again, downgrade", test_resumed_downgrade }, { "stale", test_stale },     \
		{ "stale, every message", test_stale_messages },                                   \
		{ "begun again, memory", test_resumed_memory },                                    \
		{ "begun again, cannot carry", test_resumed_cannot_carry },                        \
		{ "begun again, phases", test_resumed_phases },                                    \
		{ "kept, chain", test_kept_chain }, { "DSN", test_dsn },                           \
	{                                                                                          \
		"DSN, what was offered before", test_dsn_forgets                                   \
	}

#endif
