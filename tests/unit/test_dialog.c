/* SPDX-License-Identifier: ISC */
#include "harness.h"

#include "dialog_first.h"
#include "dialog_kept.h"
#include "dialog_login.h"
#include "dialog_login_more.h"
#include "dialog_more.h"
#include "dialog_play.h"
#include "dialog_stories.h"
#include "dialog_tls.h"

static void check_story(const struct story *s, bool pipelining)
{
	static struct play p;
	play_init(&p, 2, pipelining);
	p.answers = s->answers;
	p.nanswers = LEN(s->answers);
	play(&p);
	CHECK_STR(s->label, play_log(&p), pipelining && s->pipelined ? s->pipelined : s->plain);
	CHECK_STR(s->label, outcome_text(&p, 0), s->want[0]);
	CHECK_STR(s->label, outcome_text(&p, 1), s->want[1] ? s->want[1] : s->want[0]);
	for (size_t i = 0; i < 2; i++)
		CHECK_STR(s->label, p.got[i].relay, X);
	arena_close(p.arena);
}

static void test_stories(void)
{
	for (size_t i = 0; i < LEN(stories); i++) {
		check_story(&stories[i], false);
		check_story(&stories[i], true);
	}
}

/* ---- every class of reply to every command ---- */

static const char *const replies[] = { "250 2.1.0 ok\r\n", "354 what\r\n", "450 4.2.9 wait\r\n",
				       "550 5.2.9 no\r\n", "421 4.3.2 bye\r\n" };

/* The letters of event_letter(). */
static const struct {
	const char *command, *where;
	const char *first, *second; /* by `replies`: what becomes of each recipient */
} grid[] = {
	{ "greeting", "its greeting", "ALgGg", "ALgGg" },
	{ "EHLO", "reply to EHLO", "AAAAh", "AAAAh" },
	{ "MAIL", "reply to MAIL FROM", "ALtft", "ALtft" },
	{ R1, "reply to RCPT TO", "ALtft", "ALAAt" },
	{ R2, "reply to RCPT TO", "ALAAt", "ALtft" },
	{ "DATA", "reply to DATA", "LAtft", "LAtft" },
	{ ".", "reply to end of data", "Autft", "Autft" },
};

static bool same_outcome(const struct outcome *a, const struct outcome *b)
{
	return a->event == b->event && a->cause == b->cause && a->code.cls == b->code.cls &&
	       a->code.subject == b->code.subject && a->code.detail == b->code.detail &&
	       strcmp(a->text, b->text) == 0;
}

/* One cell with and without PIPELINING: the outcomes are the same ones. */
static void check_cell(size_t row, size_t column)
{
	static struct play one, group;
	struct answer answer = { grid[row].command, replies[column] };
	play_init(&one, 2, false);
	play_init(&group, 2, true);
	one.answers = group.answers = &answer;
	one.nanswers = group.nanswers = 1;
	play(&one);
	play(&group);
	const char want[2] = { grid[row].first[column], grid[row].second[column] };
	for (size_t i = 0; i < 2; i++) {
		const struct outcome *o = &one.got[i];
		bool ours = o->text && strstr(o->text, grid[row].where);
		CHECK(answer.reply, event_letter(o->event) == want[i]);
		CHECK(answer.command, same_outcome(o, &group.got[i]));
		CHECK(answer.command, want[i] == 'A' || (ours && o->cause == CAUSE_SERVER));
		if (want[i] == 'L' || want[i] == 'u')
			CHECK(answer.command, o->code.cls == 4 && o->code.subject == 5);
		if (want[i] == 'u')
			CHECK(answer.command,
			      strstr(o->text, "; the message may have been") != NULL);
	}
	arena_close(one.arena);
	arena_close(group.arena);
}

static void test_grid(void)
{
	for (size_t row = 0; row < LEN(grid); row++)
		for (size_t column = 0; column < LEN(replies); column++)
			check_cell(row, column);
}

/* ---- trouble at every step ---- */

/* What becomes of a recipient without outcome when the session is lost. */
static enum failover_event event_of_loss(const struct play *p)
{
	bool demanded = p->script.demand.level > DEMAND_MAY;
	if (dialog_committed(p->d))
		return EVENT_FINAL_UNKNOWN;
	if (p->fault == FAULT_LOCAL)
		return EVENT_LOCAL;
	if (p->script.demand.level != DEMAND_NONE && p->at == TLS_STEP)
		return demanded ? EVENT_TLS_UNMET : EVENT_TLS_BROKEN;
	return p->at == 0 ? EVENT_NO_RESPONSE : EVENT_LOST;
}

/* Whatever happens and whenever, each recipient has an outcome, and the refused one keeps its own.
 */
static void check_fault(enum fault fault, size_t at, bool pipelining, enum demand_level level)
{
	static const struct answer refused = { R2, "550 5.1.1 no\r\n" };
	static struct play p;
	char label[64];
	snprintf(label, sizeof(label), "fault %d at step %zu, %s, level %d", (int)fault, at,
		 pipelining ? "pipelined" : "plain", (int)level);
	play_init(&p, 2, pipelining);
	play_demand(&p, level);
	p.answers = &refused;
	p.nanswers = 1;
	p.fault = fault;
	p.at = at;
	play(&p);
	const struct outcome *o = p.got;
	const char *log = play_log(&p);
	bool second_refused = strstr(log, "(body)") != NULL;

	CHECK(label, p.steps == at + 1);
	CHECK(label, o[0].event != EVENT_NONE && o[0].event != EVENT_ACCEPTED && o[0].text);
	CHECK(label, o[1].event != EVENT_NONE && o[1].event != EVENT_ACCEPTED && o[1].text);
	CHECK(label, level <= DEMAND_MAY || !strstr(log, "MAIL") || strstr(log, "(TLS)"));
	if (second_refused)
		CHECK(label, o[1].event == EVENT_REPLY_5XX);
	if (fault == FAULT_LOST || fault == FAULT_LOCAL) {
		enum failover_event event = event_of_loss(&p);
		bool tls = event == EVENT_TLS_UNMET || event == EVENT_TLS_BROKEN;
		CHECK(label, o[0].event == event);
		CHECK(label, o[0].cause == (fault == FAULT_LOCAL ? CAUSE_LOCAL
					    : tls                ? CAUSE_TLS
								 : CAUSE_NETWORK));
	} else {
		CHECK(label, o[0].event == EVENT_LOST && o[0].code.cls == 4);
		CHECK(label, strstr(o[0].text, X " said without being asked: ") == o[0].text);
		CHECK(label,
		      o[0].cause == (fault == FAULT_EARLY_421 ? CAUSE_SERVER : CAUSE_NETWORK));
	}
	arena_close(p.arena);
}

/* How many steps does a session have in which nothing goes wrong? */
static size_t count_steps(bool pipelining, enum demand_level level)
{
	static struct play p;
	play_init(&p, 2, pipelining);
	play_demand(&p, level);
	play(&p);
	arena_close(p.arena);
	return p.steps;
}

static void test_faults(void)
{
	static const enum demand_level levels[] = { DEMAND_NONE, DEMAND_MAY, DEMAND_DANE };
	for (size_t i = 0; i < 2 * LEN(levels); i++) {
		bool pipelining = i % 2;
		enum demand_level level = levels[i / 2];
		size_t n = count_steps(pipelining, level);
		CHECK("steps", n == (size_t)(pipelining ? 12 : 15) + (level > DEMAND_NONE ? 5 : 0));
		for (size_t at = 0; at < n; at++)
			for (int f = FAULT_LOST; f <= FAULT_EARLY_421; f++)
				check_fault((enum fault)f, at, pipelining, level);
	}
}

/* As a postmaster sees them; one recipient, no PIPELINING. */
static const struct {
	size_t at;
	enum fault fault;
	const char *log, *want;
} trouble[] = {
	{ 0, FAULT_LOST, "!QUIT",
	  "no response 4.4.2 " X ": timed out while waiting for the greeting" },
	{ 0, FAULT_LOCAL, "!QUIT", "local 4.3.0 stopped by the mail system" },
	{ 1, FAULT_EARLY, "!QUIT",
	  "lost 4.5.0 " X " said without being asked: 250 2.0.0 Ok (before EHLO)" },
	{ 2, FAULT_LOST, E "!QUIT",
	  "lost 4.4.2 " X ": timed out while waiting for the reply to EHLO" },
	{ 3, FAULT_EARLY_421, E "!QUIT",
	  "lost 4.3.9 " X " said without being asked: 421 4.3.9 shutting down (before MAIL FROM)" },
	{ 4, FAULT_LOST, E "[" M "]!QUIT",
	  "lost 4.4.2 " X ": timed out while waiting for the reply to MAIL FROM" },
	{ 6, FAULT_LOST, E "[" M "][" R1 "]!QUIT",
	  "lost 4.4.2 " X ": timed out while waiting for the reply to RCPT TO" },
	{ 8, FAULT_LOST, E "[" M "][" R1 "][DATA]!QUIT",
	  "lost 4.4.2 " X ": timed out while waiting for the reply to DATA" },
	{ 8, FAULT_LOCAL, E "[" M "][" R1 "][DATA]!QUIT",
	  "local 4.3.0 stopped by the mail system" },
	/* Inside the text a QUIT would be a part of it. */
	{ 9, FAULT_LOST, E "[" M "][" R1 "][DATA]!",
	  "lost 4.4.2 " X ": timed out while sending the message" },
	{ 9, FAULT_EARLY_421, E "[" M "][" R1 "][DATA]!",
	  "lost 4.3.9 " X
	  " said without being asked: 421 4.3.9 shutting down (before the message)" },
	{ 10, FAULT_LOCAL, E "[" M "][" R1 "][DATA](body)!",
	  "local 4.3.0 stopped by the mail system" },
	{ 10, FAULT_LOST, E "[" M "][" R1 "][DATA](body)!",
	  "lost 4.4.2 " X ": timed out while sending the message" },
	{ 11, FAULT_LOST, E "[" M "][" R1 "][DATA](body)(commit)!QUIT",
	  "no reply to the final dot 4.4.2 " X
	  ": timed out after the final dot; the message may have been delivered" },
	{ 12, FAULT_LOCAL, E "[" M "][" R1 "][DATA](body)(commit)[.]!QUIT",
	  "no reply to the final dot 4.4.2 " X
	  ": stopped by the mail system after the final dot; the message may have been delivered" },
};

static void test_trouble_texts(void)
{
	for (size_t i = 0; i < LEN(trouble); i++) {
		static struct play p;
		play_init(&p, 1, false);
		p.fault = trouble[i].fault;
		p.at = trouble[i].at;
		play(&p);
		CHECK_STR("log", play_log(&p), trouble[i].log);
		CHECK_STR(trouble[i].log, outcome_text(&p, 0), trouble[i].want);
		arena_close(p.arena);
	}
}

/* What is not SMTP is a lost session also in place of the greeting: somebody is there. */
static void test_not_smtp(void)
{
	static struct play p;
	struct error why;
	char room[DIALOG_OUT];
	struct buf out;
	play_init(&p, 1, false);
	buf_init(&out, room, sizeof(room));
	p.d = dialog_new(p.arena, &p.script);
	CHECK("greeting", dialog_next(p.d, &out) == DIALOG_HEAR);
	err_set(&why, ERR_TEMP, ESC(4, 5, 0), "what came is not SMTP");
	dialog_lost(p.d, &why, false);
	p.got = dialog_outcomes(p.d);
	CHECK_STR("not SMTP", outcome_text(&p, 0),
		  "lost 4.5.0 " X ": what came is not SMTP while waiting for the greeting");
	arena_close(p.arena);
}

static void test_early_garbage(void)
{
	static const struct span garbage[] = { SPAN(""), SPAN("\x16\x03\x01"), SPAN("250 half"),
					       SPAN("hello\r\n") };
	for (size_t i = 0; i < LEN(garbage); i++) {
		static struct play p;
		play_init(&p, 1, true);
		p.d = dialog_new(p.arena, &p.script);
		p.pending = SPAN("greeting\n");
		CHECK("greeting", step(&p));
		dialog_early(p.d, garbage[i]);
		p.got = dialog_outcomes(p.d);
		CHECK_STR("early", outcome_text(&p, 0),
			  "lost 4.5.0 " X
			  " said without being asked: bytes that are not a reply (before EHLO)");
		arena_close(p.arena);
	}
}

/* ---- what a server offers and a message needs ---- */

static const struct {
	const char *label, *offers;
	struct facts facts;
	bool utf8_rcpt;
	const char *mail; /* NULL: not said */
	const char *want; /* NULL: accepted */
} needs[] = {
	{ "nothing", "", { .size = 7 }, false, M "]", NULL },
	{ "SIZE without limit", "250-SIZE\r\n", { .size = 7 }, false, M " SIZE=7]", NULL },
	{ "SIZE 0", "250-SIZE 0\r\n", { .size = 7 }, false, M " SIZE=7]", NULL },
	{ "SIZE just enough", "250-SIZE 7\r\n", { .size = 7 }, false, M " SIZE=7]", NULL },
	{ "empty message", "250-SIZE 7\r\n", { .size = 0 }, false, M " SIZE=0]", NULL },
	{ "SIZE too small",
	  "250-SIZE 6\r\n",
	  { .size = 7 },
	  false,
	  NULL,
	  "cannot carry 5.3.4 " X " takes messages of at most 6 bytes, this one has 7" },
	{ "8BITMIME, not needed", "250-8BITMIME\r\n", { .size = 7 }, false, M "]", NULL },
	{ "8BITMIME", "250-8BITMIME\r\n", { .has_8bit = true }, false, M " BODY=8BITMIME]", NULL },
	{ "8 bits all the same", "", { .has_8bit = true }, false, M "]", NULL },
	{ "SMTPUTF8, not needed", "250-SMTPUTF8\r\n", { .has_8bit = true }, false, M "]", NULL },
	{ "UTF-8 in a field, all offered",
	  "250-SMTPUTF8\r\n250-8BITMIME\r\n250-SIZE\r\n",
	  { .size = 7, .has_8bit = true, .header_utf8 = true },
	  false,
	  M " SIZE=7 BODY=8BITMIME SMTPUTF8]",
	  NULL },
	{ "UTF-8 in an address", "250-SMTPUTF8\r\n", { 0 }, true, M " SMTPUTF8]", NULL },
	{ "UTF-8 in an address, no SMTPUTF8",
	  "250-8BITMIME\r\n",
	  { 0 },
	  true,
	  NULL,
	  "cannot carry 5.6.7 " X " does not offer SMTPUTF8, which this message needs for UTF-8 in "
	  "an address or a header field" },
};

static void test_needs(void)
{
	for (size_t i = 0; i < LEN(needs); i++) {
		static struct play p;
		play_init(&p, 1, false);
		p.offers = needs[i].offers;
		p.facts = needs[i].facts;
		if (needs[i].utf8_rcpt)
			p.rcpt[0].addr.local = "\xc3\xbc";
		play(&p);
		const char *said = strstr(play_log(&p), "MAIL");
		CHECK(needs[i].label,
		      needs[i].mail ? said && strstr(said, needs[i].mail) == said : said == NULL);
		CHECK_STR(needs[i].label, outcome_text(&p, 0),
			  needs[i].want ? needs[i].want : SENT);
		CHECK(needs[i].label,
		      p.got[0].cause == (needs[i].want ? CAUSE_POLICY : CAUSE_SERVER));
		CHECK(needs[i].label, dialog_transmits(p.d) == !needs[i].want);
		arena_close(p.arena);
	}
}

/* After HELO nothing is offered, so UTF-8 cannot go there. */
static void test_helo_needs(void)
{
	static const struct answer answers[] = { { "EHLO", "500 what\r\n" },
						 { "HELO", "250-mx.test\r\n250 SMTPUTF8\r\n" } };
	static struct play p;
	play_init(&p, 1, false);
	p.answers = answers;
	p.nanswers = 2;
	p.facts.header_utf8 = true;
	play(&p);
	CHECK("cannot carry", p.got[0].event == EVENT_CANNOT_CARRY);
	CHECK_STR("said", play_log(&p), E H "QUIT");
	arena_close(p.arena);
}

/* Our address literal is no name that a server could share with us by mistake. */
static void test_literal_helo(void)
{
	static const struct answer same = { "EHLO", "250 [192.0.2.9]\r\n" };
	static struct play p;
	play_init(&p, 1, false);
	p.script.helo = "[192.0.2.9]";
	p.answers = &same;
	p.nanswers = 1;
	play(&p);
	CHECK_STR("accepted", outcome_text(&p, 0), SENT);
	arena_close(p.arena);
}

static void test_bad_helo(void)
{
	static struct play p;
	play_init(&p, 1, false);
	p.script.helo = "me test";
	play(&p);
	CHECK("ours", p.got[0].event == EVENT_LOCAL && p.got[0].cause == CAUSE_LOCAL);
	CHECK("never a bounce", p.got[0].code.cls == 4);
	CHECK("nothing said", strstr(play_log(&p), "EHLO") == NULL);
	arena_close(p.arena);
}

/* ---- many recipients ---- */

static void check_many(bool pipelining, bool with_skips)
{
	static struct play p;
	bool skip[MAX];
	play_init(&p, MAX, pipelining);
	for (size_t i = 0; i < MAX; i++)
		skip[i] = with_skips && (i % 3 == 0 || i == MAX - 1);
	p.script.skip = with_skips ? skip : NULL;
	play(&p);
	const char *log = play_log(&p);
	for (size_t i = 0; i < MAX; i++) {
		char command[64];
		snprintf(command, sizeof(command), "RCPT TO:<r%zu@b.test>", i + 1);
		const char *said = strstr(log, command);
		CHECK(command, skip[i] ? !said : said && !strstr(said + 1, command));
		CHECK(command, p.got[i].event == (skip[i] ? EVENT_NONE : EVENT_ACCEPTED));
		if (said)
			log = said; /* they stand in order */
	}
	CHECK("burst", p.largest <= (pipelining ? LIMIT_BURST + 2 : 1));
	CHECK("full burst", !pipelining || with_skips || p.largest > LIMIT_BURST);
	CHECK("one text", strstr(log, TEXT) != NULL);
	arena_close(p.arena);
}

static void test_many(void)
{
	for (int i = 0; i < 4; i++)
		check_many(i & 1, i & 2);
}

/* Refusals in every burst; DATA is not said before the last one, and not at all if MAIL failed. */
static void test_many_refused(void)
{
	static const struct answer some[] = { { "RCPT TO:<r1", "550 5.1.1 no\r\n" } };
	static const struct answer all[] = { { "RCPT", "550 5.1.1 no\r\n" } };
	static const struct answer mail[] = { { "MAIL", "550 5.7.1 no\r\n" } };
	static const struct answer *const answers[] = { some, all, mail };
	for (size_t i = 0; i < 2 * LEN(answers); i++) {
		static struct play p;
		size_t accepted = 0, refused = 0;
		play_init(&p, MAX, i % 2);
		p.answers = answers[i / 2];
		p.nanswers = 1;
		play(&p);
		for (size_t k = 0; k < MAX; k++) {
			accepted += p.got[k].event == EVENT_ACCEPTED;
			refused += p.got[k].event == EVENT_REPLY_5XX;
		}
		/* r1, r10 to r19, r100 to r150 */
		CHECK("refused", refused == (i < 2 ? 62 : MAX) && accepted + refused == MAX);
		const char *log = play_log(&p);
		CHECK("text", (strstr(log, "(body)") != NULL) == (i < 2));
		CHECK("given up after MAIL", i < 4 || strstr(log, "r150") == NULL);
		arena_close(p.arena);
	}
}

static const char *repeat(struct play *p, char c, size_t n)
{
	char *s = ARENA_NEW(p->arena, char, n + 1);
	memset(s, c, n);
	return s;
}

/* The longest commands fit; a burst ends early instead. */
static void test_long_addresses(void)
{
	static struct play p;
	play_init(&p, 12, true);
	p.envelope.sender.local = repeat(&p, '"', 1000);
	for (size_t i = 0; i < 12; i++)
		p.rcpt[i].addr.local = repeat(&p, '"', 1000 + i);
	play(&p);
	for (size_t i = 0; i < 12; i++)
		CHECK("long", p.got[i].event == EVENT_ACCEPTED);
	CHECK("few at once", p.largest == 3);
	arena_close(p.arena);
}

/* An address that cannot be written takes no other recipient with it. */
static void check_unwritable(size_t which, size_t nrcpt, bool pipelining)
{
	static struct play p;
	play_init(&p, nrcpt, pipelining);
	p.rcpt[which].addr.local = repeat(&p, '"', LIMIT_LOCAL);
	play(&p);
	for (size_t i = 0; i < nrcpt; i++) {
		CHECK("event", p.got[i].event == (i == which ? EVENT_REPLY_5XX : EVENT_ACCEPTED));
		if (i == which)
			CHECK("code", p.got[i].code.cls == 5 && p.got[i].code.subject == 1 &&
					      p.got[i].code.detail == 3);
	}
	CHECK("text", (strstr(play_log(&p), "(body)") != NULL) == (nrcpt > 1));
	arena_close(p.arena);
}

static void test_unwritable(void)
{
	for (int pipelining = 0; pipelining < 2; pipelining++) {
		check_unwritable(0, 1, pipelining);
		for (size_t which = 0; which < 3; which++)
			check_unwritable(which, 3, pipelining);
	}
}

/* With every other recipient refused there is nobody left to send to. */
static void test_unwritable_last(void)
{
	static const struct answer refused = { "RCPT", "550 5.1.1 no\r\n" };
	for (int pipelining = 0; pipelining < 2; pipelining++) {
		static struct play p;
		play_init(&p, 2, pipelining);
		p.rcpt[1].addr.local = repeat(&p, '"', LIMIT_LOCAL);
		p.answers = &refused;
		p.nanswers = 1;
		play(&p);
		CHECK_STR("said", play_log(&p),
			  pipelining ? E "[" M "|" R1 "|DATA][.]QUIT" : E "[" M "][" R1 "]QUIT");
		CHECK("both", p.got[0].cause == CAUSE_SERVER && p.got[1].cause == CAUSE_LOCAL);
		arena_close(p.arena);
	}
}

/* A sender that cannot be written is the message's fault, and nothing is said of it. */
static void test_unwritable_sender(void)
{
	static struct play p;
	play_init(&p, 2, true);
	p.envelope.sender.local = repeat(&p, '"', LIMIT_LOCAL);
	play(&p);
	CHECK_STR("said", play_log(&p), E "QUIT");
	for (size_t i = 0; i < 2; i++)
		CHECK("refused", p.got[i].event == EVENT_REPLY_5XX && p.got[i].code.cls == 5);
	arena_close(p.arena);
}

static void test_null_sender(void)
{
	static struct play p;
	play_init(&p, 1, false);
	p.envelope.sender = (struct addr){ "", "" };
	play(&p);
	CHECK("MAIL", strstr(play_log(&p), "[MAIL FROM:<>]") != NULL);
	arena_close(p.arena);
}

/* ---- what the driver asks besides ---- */

static void test_phases(void)
{
	static struct play p;
	play_init(&p, 1, false);
	play(&p);
	CHECK_STR("phases", buf_cstr(&p.trace),
		  "greeting 1;EHLO 2;EHLO 2;MAIL FROM 2 t;MAIL FROM 2 t;RCPT TO 2 t;RCPT TO 2 t;"
		  "DATA 2 t;DATA 2 t;the message 3 t;the message 2 t;"
		  "end of data 4 t c;end of data 4 t c;QUIT 2 t c;");
	arena_close(p.arena);
}

/* Replies to one group are waited for one by one. */
static void test_phases_pipelined(void)
{
	static const struct answer refused = { "RCPT", "550 no\r\n" };
	static struct play p;
	play_init(&p, 2, true);
	p.answers = &refused;
	p.nanswers = 1;
	play(&p);
	CHECK_STR("phases", buf_cstr(&p.trace),
		  "greeting 1;EHLO 2;EHLO 2;MAIL FROM 2 t;MAIL FROM 2 t;RCPT TO 2 t;RCPT TO 2 t;"
		  "DATA 2 t;an empty end of data 2 t;an empty end of data 2 t;QUIT 2 t;");
	arena_close(p.arena);
}

/* Without memory there is an outcome still, and it has a text. */
static void test_memory(void)
{
	bool any_failed = false, all_there = false;
	for (size_t limit = 0; limit < 6000; limit += 16) {
		static struct play p;
		static const struct answer refused = { R2, "550 5.1.1 no\r\n" };
		play_init(&p, 2, true);
		p.answers = &refused;
		p.nanswers = 1;
		p.pending = SPAN("greeting\n");
		struct arena *small = arena_open(limit);
		p.d = dialog_new(small, &p.script);
		any_failed = any_failed || !p.d;
		while (p.d && step(&p))
			;
		const struct outcome *o = p.d ? dialog_outcomes(p.d) : NULL;
		if (o) {
			CHECK("accepted", o[0].event == EVENT_ACCEPTED && o[0].text);
			CHECK("refused", o[1].event == EVENT_REPLY_5XX && o[1].text);
			all_there = strcmp(o[0].text, "250 2.0.0 Ok: queued as 7") == 0;
		}
		arena_close(small);
		arena_close(p.arena);
	}
	CHECK("both sides of the limit", any_failed && all_there);
}

TEST_MAIN("dialog", { "TLS, every demand", test_tls_matrix }, { "TLS, stories", test_tls_stories },
	  { "TLS, what was offered before", test_tls_forgets }, { "TLS, phases", test_tls_phases },
	  { "TLS, memory", test_tls_memory }, { "probe", test_probe }, { "stories", test_stories },
	  { "every reply", test_grid }, { "trouble at every step", test_faults },
	  { "texts of trouble", test_trouble_texts }, { "not SMTP", test_not_smtp },
	  { "early garbage", test_early_garbage }, { "needs", test_needs },
	  { "needs after HELO", test_helo_needs }, { "literal as our name", test_literal_helo },
	  { "bad name of ours", test_bad_helo }, { "many", test_many },
	  { "many refused", test_many_refused }, { "long addresses", test_long_addresses },
	  { "unwritable", test_unwritable }, { "unwritable, the last", test_unwritable_last },
	  { "unwritable sender", test_unwritable_sender }, { "null sender", test_null_sender },
	  { "phases", test_phases }, { "phases, pipelined", test_phases_pipelined },
	  { "memory", test_memory }, TESTS_MORE, TESTS_KEPT, TESTS_LOGIN, TESTS_LOGIN_MORE,
	  TESTS_FIRST)
