/* SPDX-License-Identifier: ISC */
/* Several transactions in a session: RCPTMAX and MAILMAX (RFC 9422), too many recipients (RFC 5321
 * 4.5.3.1.10), and what is left of them when something goes wrong. */
#ifndef TESTS_DIALOG_MORE_H
#define TESTS_DIALOG_MORE_H

#include "dialog_play.h"
#include "dialog_stories.h"

static inline char command_letter(struct span command)
{
	if (span_starts_nocase(command, SPAN("RCPT TO:<r")))
		return command.p[10];
	if (span_equal(command, SPAN("(body)")))
		return 'b';
	if (span_equal(command, SPAN("(commit)")))
		return 'c';
	if (span_equal(command, SPAN("RSET")))
		return '0';
	return command.n > 0 ? command.p[0] : '?';
}

/* The log in short: "M 1 2 D b c . 0 Q", and what is said at once in one word; 0 is RSET. The
 * greeting and EHLO are left out. */
static inline const char *brief(struct play *p)
{
	static char room[1024];
	struct buf out;
	const char *log = play_log(p);
	buf_init(&out, room, sizeof(room));
	log += strncmp(log, E, strlen(E)) == 0 ? strlen(E) : 0;
	while (*log) {
		bool first = *log != '|';
		bool framed = *log == '[' || *log == '|';
		log += framed;
		size_t n = *log == '(' ? strcspn(log, ")") + 1 : strcspn(log, "]|");
		if (out.len > 0 && first)
			buf_addc(&out, ' ');
		buf_addc(&out, command_letter((struct span){ log, n }));
		log += n;
		log += *log == ']';
	}
	return buf_cstr(&out);
}

static inline void play_limits(struct play *p, unsigned rcpt_max, unsigned mail_max)
{
	char rcpt[24] = "", mail[24] = "";
	if (rcpt_max > 0)
		snprintf(rcpt, sizeof(rcpt), " RCPTMAX=%u", rcpt_max);
	if (mail_max > 0)
		snprintf(mail, sizeof(mail), " MAILMAX=%u", mail_max);
	p->server.rcpt_max = rcpt_max;
	p->server.mail_max = mail_max;
	p->offers = arena_fmt(p->arena, "250-LIMITS%s%s\r\n", mail, rcpt);
	p->offers_tls = p->offers;
}

/* ---- RCPTMAX ---- */

static inline void check_rcpt_max(unsigned rcpt_max, size_t nrcpt, bool pipelining)
{
	static struct play p;
	char room[256];
	struct buf want;
	buf_init(&want, room, sizeof(room));
	play_init(&p, nrcpt, pipelining);
	play_limits(&p, rcpt_max, 0);
	play(&p);
	for (size_t i = 0; i < nrcpt; i++) {
		bool first = i % rcpt_max == 0, last = i + 1 == nrcpt || (i + 1) % rcpt_max == 0;
		const char *between = pipelining ? "" : " ";
		buf_addf(&want, "%s%s%c", first ? "M" : "", between, (char)('1' + i));
		if (last)
			buf_addf(&want, "%sD b c . ", between);
	}
	buf_addc(&want, 'Q');
	CHECK_STR("said", brief(&p), buf_cstr(&want));
	for (size_t i = 0; i < nrcpt; i++)
		CHECK_STR("accepted", outcome_text(&p, i), SENT);
	arena_close(p.arena);
}

static inline void test_rcpt_max(void)
{
	for (unsigned rcpt_max = 1; rcpt_max <= 3; rcpt_max++)
		for (size_t nrcpt = 1; nrcpt <= 5; nrcpt++)
			for (int pipelining = 0; pipelining < 2; pipelining++)
				check_rcpt_max(rcpt_max, nrcpt, pipelining);
}

/* Many more than go in a burst; the settled ones are not said. */
static inline void test_rcpt_max_many(void)
{
	for (int pipelining = 0; pipelining < 2; pipelining++) {
		static struct play p;
		bool skip[MAX];
		play_init(&p, MAX, pipelining);
		play_limits(&p, 120, 0);
		for (size_t i = 0; i < MAX; i++)
			skip[i] = i % 10 == 9;
		p.script.skip = skip;
		play(&p);
		for (size_t i = 0; i < MAX; i++)
			CHECK("accepted",
			      p.got[i].event == (skip[i] ? EVENT_NONE : EVENT_ACCEPTED));
		CHECK("two transactions", p.server.mails == 2 && p.server.rcpts == 135 - 120);
		arena_close(p.arena);
	}
}

/* ---- refusals, each in its own transaction ---- */

#define R3    "RCPT TO:<r3@b.test>"
#define R4    "RCPT TO:<r4@b.test>"
#define MANY  "452 4.5.3 too many\r\n"
#define MANY_ "452 too many\r\n"
#define NO    "550 5.1.1 no\r\n"
#define WAIT  "451 4.3.0 wait\r\n"
#define BYE   "421 4.3.2 bye\r\n"

static const struct more_story {
	const char *label;
	unsigned rcpt_max, mail_max;
	size_t nrcpt;
	struct turn turns[6];
	const char *want, *plain, *pipelined; /* letters() and brief() */
} more_stories[] = {
	{ .label = "452 to the second of two",
	  .nrcpt = 2,
	  .turns = { { 1, { R2, MANY } } },
	  .want = "AA",
	  .plain = "M 1 2 D b c . M 2 D b c . Q",
	  .pipelined = "M12D b c . M2D b c . Q" },
	{ .label = "452 without an enhanced code: another one may still be taken",
	  .nrcpt = 3,
	  .turns = { { 1, { R2, MANY_ } } },
	  .want = "AAA",
	  .plain = "M 1 2 3 D b c . M 2 D b c . Q",
	  .pipelined = "M123D b c . M2D b c . Q" },
	{ .label = "4.5.3: no further one is said",
	  .nrcpt = 4,
	  .turns = { { 1, { R2, MANY } }, { 1, { R3, MANY } }, { 1, { R4, MANY } } },
	  .want = "AAAA",
	  .plain = "M 1 2 D b c . M 2 3 4 D b c . Q",
	  .pipelined = "M1234D b c . M234D b c . Q" },
	{ .label = "any 4xx with 4.5.3",
	  .nrcpt = 3,
	  .turns = { { 1, { R3, "450 4.5.3 enough\r\n" } } },
	  .want = "AAA",
	  .plain = "M 1 2 3 D b c . M 3 D b c . Q",
	  .pipelined = "M123D b c . M3D b c . Q" },
	{ .label = "552 5.5.3",
	  .nrcpt = 3,
	  .turns = { { 1, { R2, "552 5.5.3 enough\r\n" } }, { 1, { R3, MANY } } },
	  .want = "AAA",
	  .plain = "M 1 2 D b c . M 2 3 D b c . Q",
	  .pipelined = "M123D b c . M23D b c . Q" },
	{ .label = "one in each transaction",
	  .nrcpt = 3,
	  .turns = { { 1, { R2, MANY_ } }, { 1, { R3, MANY_ } }, { 2, { R3, MANY_ } } },
	  .want = "AAA",
	  .plain = "M 1 2 3 D b c . M 2 3 D b c . M 3 D b c . Q",
	  .pipelined = "M123D b c . M23D b c . M3D b c . Q" },
	{ .label = "452 to the first is a refusal, whoever comes behind it",
	  .nrcpt = 2,
	  .turns = { { 1, { R1, MANY } } },
	  .want = "tA",
	  .plain = "M 1 2 D b c . Q",
	  .pipelined = "M12D b c . Q" },
	{ .label = "452 behind a refused one is a refusal",
	  .nrcpt = 3,
	  .turns = { { 1, { R1, NO } }, { 1, { R2, MANY_ } } },
	  .want = "ftA",
	  .plain = "M 1 2 3 D b c . Q",
	  .pipelined = "M123D b c . Q" },
	{ .label = "452 to all: none can be one too many",
	  .nrcpt = 3,
	  .turns = { { 1, { "RCPT", MANY } }, { 1, { "DATA", "503 5.5.1 none\r\n" } } },
	  .want = "ttt",
	  .plain = "M 1 2 3 Q",
	  .pipelined = "M123D Q" },
	{ .label = "452 to it alone, too",
	  .nrcpt = 2,
	  .turns = { { 1, { R2, MANY } }, { 2, { R2, MANY } }, { 2, { "DATA", "503 no\r\n" } } },
	  .want = "At",
	  .plain = "M 1 2 D b c . M 2 Q",
	  .pipelined = "M12D b c . M2D Q" },
	{ .label = "452, then refused",
	  .nrcpt = 3,
	  .turns = { { 1, { R2, MANY_ } }, { 2, { R2, NO } }, { 1, { R3, MANY_ } } },
	  .want = "AfA",
	  .plain = "M 1 2 3 D b c . M 2 3 D b c . Q",
	  .pipelined = "M123D b c . M23D b c . Q" },
	{ .label = "452 and DATA refused: the transaction is still open",
	  .nrcpt = 2,
	  .turns = { { 1, { R2, MANY } }, { 1, { "DATA", WAIT } } },
	  .want = "tA",
	  .plain = "M 1 2 D 0 M 2 D b c . Q",
	  .pipelined = "M12D 0M2D b c . Q" },
	{ .label = "452 and the message refused",
	  .nrcpt = 2,
	  .turns = { { 1, { R2, MANY } }, { 1, { ".", NO } } },
	  .want = "fA",
	  .plain = "M 1 2 D b c . M 2 D b c . Q",
	  .pipelined = "M12D b c . M2D b c . Q" },
	{ .label = "421 with 4.5.3 is the end",
	  .nrcpt = 3,
	  .turns = { { 1, { R2, "421 4.5.3 enough\r\n" } } },
	  .want = "ttt",
	  .plain = "M 1 2 Q",
	  .pipelined = "M123D Q" },
	{ .label = "550 5.5.3 is a refusal",
	  .nrcpt = 2,
	  .turns = { { 1, { R2, "550 5.5.3 no\r\n" } } },
	  .want = "Af",
	  .plain = "M 1 2 D b c . Q",
	  .pipelined = "M12D b c . Q" },

	{ .label = "RCPTMAX counts refused ones",
	  .rcpt_max = 2,
	  .nrcpt = 4,
	  .turns = { { 1, { R2, NO } } },
	  .want = "AfAA",
	  .plain = "M 1 2 D b c . M 3 4 D b c . Q",
	  .pipelined = "M12D b c . M34D b c . Q" },
	{ .label = "RCPTMAX and 452: in order of the envelope",
	  .rcpt_max = 3,
	  .nrcpt = 5,
	  .turns = { { 1, { R2, MANY_ } }, { 1, { R3, MANY_ } } },
	  .want = "AAAAA",
	  .plain = "M 1 2 3 D b c . M 2 3 4 D b c . M 5 D b c . Q",
	  .pipelined = "M123D b c . M234D b c . M5D b c . Q" },
	{ .label = "all of a transaction refused: the others are not",
	  .rcpt_max = 2,
	  .nrcpt = 4,
	  .turns = { { 1, { "RCPT", NO } }, { 1, { "DATA", "503 no\r\n" } } },
	  .want = "ffAA",
	  .plain = "M 1 2 0 M 3 4 D b c . Q",
	  .pipelined = "M12D 0M34D b c . Q" },
	{ .label = "all of a transaction refused, DATA taken: a lone dot",
	  .rcpt_max = 1,
	  .nrcpt = 2,
	  .turns = { { 1, { "RCPT", NO } }, { 1, { ".", "554 5.5.1 none\r\n" } } },
	  .want = "fA",
	  .plain = "M 1 0 M 2 D b c . Q",
	  .pipelined = "M1D . 0M2D b c . Q" },
	{ .label = "421 to the lone dot",
	  .rcpt_max = 1,
	  .nrcpt = 2,
	  .turns = { { 1, { "RCPT", NO } }, { 1, { ".", BYE } }, { 1, { "RSET", BYE } } },
	  .want = "ft",
	  .plain = "M 1 0 Q",
	  .pipelined = "M1D . Q" },
	{ .label = "nonsense to the lone dot",
	  .rcpt_max = 1,
	  .nrcpt = 2,
	  .turns = { { 1, { "RCPT", NO } },
		     { 1, { ".", "354 go\r\n" } },
		     { 1, { "RSET", "354 go\r\n" } } },
	  .want = "fL",
	  .plain = "M 1 0 Q",
	  .pipelined = "M1D . Q" },
	{ .label = "RSET refused, which no server does: not the recipients' fault",
	  .rcpt_max = 1,
	  .nrcpt = 2,
	  .turns = { { 1, { R1, NO } },
		     { 1, { "DATA", "503 no\r\n" } },
		     { 1, { "RSET", "502 what\r\n" } } },
	  .want = "fL",
	  .plain = "M 1 0 Q",
	  .pipelined = "M1D 0M2D Q" },
	{ .label = "MAIL refused speaks for all",
	  .rcpt_max = 1,
	  .nrcpt = 3,
	  .turns = { { 2, { "MAIL", NO } }, { 2, { "DATA", "503 no\r\n" } } },
	  .want = "Aff",
	  .plain = "M 1 D b c . M Q",
	  .pipelined = "M1D b c . M2D Q" },
	{ .label = "MAIL later, too",
	  .rcpt_max = 1,
	  .nrcpt = 3,
	  .turns = { { 2, { "MAIL", WAIT } }, { 2, { "DATA", "503 no\r\n" } } },
	  .want = "Att",
	  .plain = "M 1 D b c . M Q",
	  .pipelined = "M1D b c . M2D Q" },
	{ .label = "421 to a further MAIL: enough of this session",
	  .rcpt_max = 1,
	  .nrcpt = 3,
	  .turns = { { 2, { "MAIL", BYE } } },
	  .want = "Amm",
	  .plain = "M 1 D b c . M Q",
	  .pipelined = "M1D b c . M2D Q" },
	{ .label = "421 to the first MAIL",
	  .rcpt_max = 1,
	  .nrcpt = 3,
	  .turns = { { 1, { "MAIL", BYE } } },
	  .want = "ttt",
	  .plain = "M Q",
	  .pipelined = "M1D Q" },
	{ .label = "421 to a further RCPT",
	  .rcpt_max = 1,
	  .nrcpt = 3,
	  .turns = { { 2, { "RCPT", BYE } } },
	  .want = "Att",
	  .plain = "M 1 D b c . M 2 Q",
	  .pipelined = "M1D b c . M2D Q" },
	{ .label = "421 to DATA",
	  .rcpt_max = 1,
	  .mail_max = 1,
	  .nrcpt = 2,
	  .turns = { { 1, { "DATA", BYE } } },
	  .want = "tt",
	  .plain = "M 1 D Q",
	  .pipelined = "M1D Q" },
	{ .label = "421 in the end",
	  .rcpt_max = 1,
	  .nrcpt = 3,
	  .turns = { { 2, { ".", BYE } } },
	  .want = "Att",
	  .plain = "M 1 D b c . M 2 D b c . Q",
	  .pipelined = "M1D b c . M2D b c . Q" },
	{ .label = "nonsense in the end: one may have it, the next cannot",
	  .rcpt_max = 1,
	  .nrcpt = 3,
	  .turns = { { 2, { ".", "354 go\r\n" } } },
	  .want = "AuL",
	  .plain = "M 1 D b c . M 2 D b c . Q",
	  .pipelined = "M1D b c . M2D b c . Q" },
	{ .label = "nonsense to DATA",
	  .rcpt_max = 1,
	  .nrcpt = 3,
	  .turns = { { 2, { "DATA", "250 ok\r\n" } } },
	  .want = "ALL",
	  .plain = "M 1 D b c . M 2 D Q",
	  .pipelined = "M1D b c . M2D Q" },

	{ .label = "MAILMAX",
	  .mail_max = 1,
	  .nrcpt = 3,
	  .want = "AAA",
	  .plain = "M 1 2 3 D b c . Q",
	  .pipelined = "M123D b c . Q" },
	{ .label = "MAILMAX 1, RCPTMAX 2",
	  .rcpt_max = 2,
	  .mail_max = 1,
	  .nrcpt = 5,
	  .want = "AAmmm",
	  .plain = "M 1 2 D b c . Q",
	  .pipelined = "M12D b c . Q" },
	{ .label = "MAILMAX 2, RCPTMAX 2",
	  .rcpt_max = 2,
	  .mail_max = 2,
	  .nrcpt = 5,
	  .want = "AAAAm",
	  .plain = "M 1 2 D b c . M 3 4 D b c . Q",
	  .pipelined = "M12D b c . M34D b c . Q" },
	{ .label = "MAILMAX 3, RCPTMAX 2",
	  .rcpt_max = 2,
	  .mail_max = 3,
	  .nrcpt = 5,
	  .want = "AAAAA",
	  .plain = "M 1 2 D b c . M 3 4 D b c . M 5 D b c . Q",
	  .pipelined = "M12D b c . M34D b c . M5D b c . Q" },
	{ .label = "MAILMAX counts those that brought nothing",
	  .rcpt_max = 1,
	  .mail_max = 2,
	  .nrcpt = 3,
	  .turns = { { 1, { R1, NO } }, { 1, { "DATA", "503 no\r\n" } } },
	  .want = "fAm",
	  .plain = "M 1 0 M 2 D b c . Q",
	  .pipelined = "M1D 0M2D b c . Q" },
	{ .label = "MAILMAX and 452",
	  .mail_max = 1,
	  .nrcpt = 2,
	  .turns = { { 1, { R2, MANY } } },
	  .want = "Am",
	  .plain = "M 1 2 D b c . Q",
	  .pipelined = "M12D b c . Q" },
};

static inline void check_more_story(const struct more_story *s, bool pipelining)
{
	static struct play p;
	play_init(&p, s->nrcpt, pipelining);
	play_limits(&p, s->rcpt_max, s->mail_max);
	p.turns = s->turns;
	p.nturns = LEN(s->turns);
	play(&p);
	CHECK_STR(s->label, letters(&p), s->want);
	CHECK_STR(s->label, brief(&p), pipelining ? s->pipelined : s->plain);
	for (size_t i = 0; i < s->nrcpt; i++) {
		const struct outcome *o = &p.got[i];
		CHECK(s->label, o->text && o->relay && o->security);
		CHECK(s->label, o->code.cls == (o->event == EVENT_ACCEPTED    ? 2
						: o->event == EVENT_REPLY_5XX ? 5
									      : 4));
	}
	arena_close(p.arena);
}

static inline void test_more_stories(void)
{
	for (size_t i = 0; i < LEN(more_stories); i++)
		for (int pipelining = 0; pipelining < 2; pipelining++)
			check_more_story(&more_stories[i], pipelining);
}

/* What a postmaster reads of it. */
static inline void test_more_texts(void)
{
	static const struct turn nonsense[] = { { 1, { ".", "354 go\r\n" } } };
	static const struct turn enough[] = { { 2, { "MAIL", BYE } } };
	static struct play p;
	play_init(&p, 2, false);
	play_limits(&p, 1, 1);
	play(&p);
	CHECK_STR("MAILMAX", outcome_text(&p, 1),
		  "too many recipients 4.5.3 " X " takes at most 1 transactions in a session");
	CHECK("anything else tells more", p.got[1].cause == CAUSE_LOCAL);
	arena_close(p.arena);

	play_init(&p, 2, false);
	play_limits(&p, 1, 0);
	p.turns = nonsense;
	p.nturns = 1;
	play(&p);
	CHECK_STR("of the one", outcome_text(&p, 0),
		  "no reply to the final dot 4.5.0 " SAID
		  "354 go (in reply to end of data); the message may have been delivered");
	CHECK_STR("of the other", outcome_text(&p, 1),
		  "lost 4.5.0 " SAID "354 go (in reply to end of data)");
	arena_close(p.arena);

	play_init(&p, 2, false);
	play_limits(&p, 1, 0);
	p.turns = enough;
	p.nturns = 1;
	play(&p);
	CHECK_STR("enough", outcome_text(&p, 1),
		  "too many recipients 4.3.2 " SAID "421 4.3.2 bye (in reply to MAIL FROM)");
	arena_close(p.arena);
}

/* An address that cannot be written is no RCPT, and takes no other recipient with it. */
static inline void check_more_unwritable(size_t which, bool pipelining)
{
	static struct play p;
	char want[4] = "AAA";
	play_init(&p, 3, pipelining);
	play_limits(&p, 1, 0);
	char *local = ARENA_NEW(p.arena, char, LIMIT_LOCAL + 1);
	memset(local, '"', LIMIT_LOCAL);
	p.rcpt[which].addr.local = local;
	want[which] = 'f';
	play(&p);
	CHECK_STR("unwritable", letters(&p), want);
	CHECK("two", p.server.finals == 2);
	arena_close(p.arena);
}

static inline void test_more_unwritable(void)
{
	for (size_t i = 0; i < 6; i++)
		check_more_unwritable(i / 2, i % 2);
}

/* ---- trouble at every step of three transactions ---- */

static inline void check_more_fault(enum fault fault, size_t at, bool pipelining)
{
	static struct play p;
	char label[64], want[4] = "";
	snprintf(label, sizeof(label), "fault %d at step %zu%s", (int)fault, at,
		 pipelining ? ", pipelined" : "");
	play_init(&p, 3, pipelining);
	play_limits(&p, 1, 0);
	p.fault = fault;
	p.at = at;
	play(&p);
	bool early = fault == FAULT_EARLY || fault == FAULT_EARLY_421;
	const struct server *sv = &p.server;
	for (size_t i = 0; i < 3; i++) {
		bool unknown = sv->dot_due && i == sv->finals && !early;
		want[i] = i < sv->finals         ? 'A'
			  : unknown              ? 'u'
			  : fault == FAULT_LOCAL ? 'l'
			  : at == 0 && !early    ? '?'
						 : 'L';
		const char *text = p.got[i].text;
		CHECK(label, text && (strstr(text, "may have been delivered") != NULL) == unknown);
	}
	CHECK_STR(label, letters(&p), want);
	arena_close(p.arena);
}

static inline void test_more_faults(void)
{
	for (int pipelining = 0; pipelining < 2; pipelining++) {
		static struct play p;
		play_init(&p, 3, pipelining);
		play_limits(&p, 1, 0);
		play(&p);
		size_t n = p.steps;
		CHECK("steps", n == (pipelining ? 3 + 3 * 8u : 3 + 3 * 10u));
		arena_close(p.arena);
		for (size_t at = 0; at < n; at++)
			for (int f = FAULT_LOST; f <= FAULT_EARLY_421; f++)
				check_more_fault((enum fault)f, at, pipelining);
	}
}

/* The wait after the final dot is over with its reply. */
static inline void test_more_phases(void)
{
	static struct play p;
	play_init(&p, 2, true);
	play_limits(&p, 1, 0);
	play(&p);
	CHECK_STR("phases", buf_cstr(&p.trace),
		  "greeting 1;EHLO 2;EHLO 2;MAIL FROM 2 t;MAIL FROM 2 t;RCPT TO 2 t;DATA 2 t;"
		  "the message 3 t;the message 2 t;end of data 4 t c;end of data 4 t c;"
		  "MAIL FROM 2 t;MAIL FROM 2 t;RCPT TO 2 t;DATA 2 t;"
		  "the message 3 t;the message 2 t;end of data 4 t c;end of data 4 t c;"
		  "QUIT 2 t c;");
	arena_close(p.arena);
}

/* What was said before TLS, or behind HELO, is no limit. */
static inline void test_more_forgets(void)
{
	static const struct answer helo[] = {
		{ "EHLO", "502 what\r\n" },
		{ "HELO", "250-mx.test\r\n250 LIMITS RCPTMAX=1 MAILMAX=1\r\n" },
	};
	static struct play p;
	play_init(&p, 2, false);
	play_demand(&p, DEMAND_MAY);
	p.offers = "250-STARTTLS\r\n250-LIMITS RCPTMAX=1 MAILMAX=1\r\n";
	play(&p);
	CHECK_STR("TLS", letters(&p), "AA");
	CHECK("TLS", p.server.mails == 1 && dialog_ehlo(p.d)->rcpt_max == 0);
	arena_close(p.arena);
	play_init(&p, 2, false);
	p.answers = helo;
	p.nanswers = LEN(helo);
	play(&p);
	CHECK_STR("HELO", letters(&p), "AA");
	CHECK("HELO", p.server.mails == 1 && dialog_ehlo(p.d)->mail_max == 0);
	arena_close(p.arena);
}

#define TESTS_MORE                                                                                 \
	{ "RCPTMAX", test_rcpt_max }, { "RCPTMAX, many", test_rcpt_max_many },                     \
		{ "transactions, stories", test_more_stories },                                    \
		{ "transactions, texts", test_more_texts },                                        \
		{ "transactions, unwritable", test_more_unwritable },                              \
		{ "transactions, trouble at every step", test_more_faults },                       \
		{ "transactions, phases", test_more_phases },                                      \
	{                                                                                          \
		"transactions, what was offered before", test_more_forgets                         \
	}

#endif
