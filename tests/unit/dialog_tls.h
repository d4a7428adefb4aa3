/* SPDX-License-Identifier: ISC */
/* STARTTLS: sessions with one recipient, what is demanded of them, what the server does, what
 * becomes of it. */
#ifndef TESTS_DIALOG_TLS_H
#define TESTS_DIALOG_TLS_H

#include "dialog_play.h"
#include "dialog_stories.h"

#define S     E "[STARTTLS](TLS)" E
#define ONE   "[" M "][" R1 "][DATA]" TEXT
#define UNMET "tls demand not met 4.7.5 "
#define BROKE "tls failed 4.7.5 "

/* The handshake is the step behind greeting, EHLO and STARTTLS. */
#define TLS_STEP 5

/*
 * Every level (none, may, encrypt, verify, dane) and what a server can make of STARTTLS: S accepted
 * over TLS, P accepted in plain, else event_letter().
 */
static const struct {
	const char *label;
	bool hides, plain;
	struct answer answers[2], after;
	enum secure_trouble trouble;
	const char *want; /* by level */
} tls_matrix[] = {
	{ .label = "offered", .want = "PSSSS" },
	{ .label = "not offered", .hides = true, .want = "PPDDD" },
	{ .label = "any 2xx will do",
	  .answers = { { "STARTTLS", "250 ok\r\n" } },
	  .want = "PSSSS" },
	{ .label = "454", .answers = { { "STARTTLS", "454 4.7.0 no\r\n" } }, .want = "PBDDD" },
	{ .label = "554", .answers = { { "STARTTLS", "554 5.7.0 no\r\n" } }, .want = "PBDDD" },
	{ .label = "501", .answers = { { "STARTTLS", "501 what\r\n" } }, .want = "PBDDD" },
	{ .label = "421", .answers = { { "STARTTLS", "421 bye\r\n" } }, .want = "PBDDD" },
	{ .label = "nonsense", .answers = { { "STARTTLS", "354 go\r\n" } }, .want = "PLLLL" },
	{ .label = "no handshake", .trouble = SECURE_HANDSHAKE, .want = "PBDDD" },
	{ .label = "not trusted", .trouble = SECURE_NOT_TRUSTED, .want = "PBDDD" },
	{ .label = "wrong name", .trouble = SECURE_WRONG_NAME, .want = "PBDDD" },
	{ .label = "expired", .trouble = SECURE_EXPIRED, .want = "PBDDD" },
	{ .label = "no TLSA record matches", .trouble = SECURE_NO_TLSA, .want = "PBDDD" },
	{ .label = "ours", .trouble = SECURE_LOCAL, .want = "Pllll" },
	{ .label = "HELO offers nothing",
	  .answers = { { "EHLO", "502 what\r\n" }, { "HELO", "250-mx.test\r\n250 STARTTLS\r\n" } },
	  .want = "PPDDD" },
	{ .label = "HELO after TLS", .after = { "EHLO", "502 what\r\n" }, .want = "PSSSS" },
	{ .label = "421 after TLS", .after = { "EHLO", "421 bye\r\n" }, .want = "Phhhh" },
	{ .label = "refused after TLS", .after = { "RCPT", "550 no\r\n" }, .want = "Pffff" },
	{ .label = "told to do without, which weakens no demand", .plain = true, .want = "PPSSS" },
	{ .label = "told to do without, not offered",
	  .hides = true,
	  .plain = true,
	  .want = "PPDDD" },
};

static inline enum tlsrpt_failure failure_of(size_t row, char want)
{
	if (want == 'l')
		return TLSRPT_NO_FAILURE;
	return tls_matrix[row].trouble != SECURE_FINE ? tlsrpt_of_trouble(tls_matrix[row].trouble)
						      : TLSRPT_STARTTLS_NOT_SUPPORTED;
}

/* In log and report the session is what it was. */
static inline void check_security(const struct play *p, const char *label, bool secured, bool plain)
{
	const struct security *s = p->got[0].security;
	enum demand_level level = p->script.demand.level;
	CHECK(label, s != NULL);
	CHECK_STR(label, s->level, secured ? demand_level_name(level) : "none");
	CHECK_STR(label, s->because, p->script.demand.because);
	CHECK_STR(label, s->protocol, secured ? "TLSv1.3" : "");
	CHECK_STR(label, s->cipher, secured ? "TLS_AES_256_GCM_SHA384" : "");
	CHECK(label, s->downgrade == (plain && level <= DEMAND_MAY));
	CHECK(label, dialog_tls(p->d)->secured == secured);
}

static inline void check_tls_cell(size_t row, enum demand_level level)
{
	static struct play p;
	char label[100];
	snprintf(label, sizeof(label), "%s, %s", tls_matrix[row].label, demand_level_name(level));
	play_init(&p, 1, false);
	play_demand(&p, level);
	p.offers = tls_matrix[row].hides ? "" : "250-STARTTLS\r\n";
	p.offers_tls = "250-STARTTLS\r\n"; /* no server may, and once is enough */
	p.script.plain = tls_matrix[row].plain;
	p.answers = tls_matrix[row].answers;
	p.nanswers = LEN(tls_matrix[row].answers);
	p.after = tls_matrix[row].after;
	p.trouble = tls_matrix[row].trouble;
	play(&p);
	const struct outcome *o = &p.got[0];
	const char *log = play_log(&p);
	char want = tls_matrix[row].want[level];
	char got = event_letter(o->event);
	CHECK(label, (got == 'A' ? (p.secured ? 'S' : 'P') : got) == want);
	check_security(&p, label, p.secured, tls_matrix[row].plain);
	CHECK(label, strstr(log, "MAIL") ? p.secured || want == 'P' : !strchr("SPf", want));
	CHECK(label, !strstr(log, "(TLS)") || strstr(log, E "[STARTTLS](TLS)") == log);
	if (want == 'D' || want == 'B') {
		CHECK(label, o->cause == CAUSE_TLS && o->code.cls == 4 && o->code.subject == 7 &&
				     o->code.detail == 5);
		CHECK(label, dialog_tls(p.d)->failure == failure_of(row, want));
	}
	if (p.secured)
		CHECK(label, dialog_tls(p.d)->failure == TLSRPT_NO_FAILURE);
	arena_close(p.arena);
}

static inline void test_tls_matrix(void)
{
	for (size_t row = 0; row < LEN(tls_matrix); row++)
		for (int level = DEMAND_NONE; level <= DEMAND_DANE; level++)
			check_tls_cell(row, (enum demand_level)level);
}

/* A probe goes the way of a delivery up to MAIL, and not a step further: it ends well where that
 * would say MAIL, and else as that ends. No facts of a message are there. */
static inline void check_probe_cell(size_t row, enum demand_level level)
{
	static struct play p;
	char label[100];
	snprintf(label, sizeof(label), "probe, %s, %s", tls_matrix[row].label,
		 demand_level_name(level));
	play_init(&p, 1, true);
	play_demand(&p, level);
	p.offers = tls_matrix[row].hides ? "" : "250-STARTTLS\r\n";
	p.script.plain = tls_matrix[row].plain;
	p.script.probe = true;
	p.script.facts = NULL;
	p.script.demand.requiretls = true; /* nobody offers it */
	p.answers = tls_matrix[row].answers;
	p.nanswers = LEN(tls_matrix[row].answers);
	p.after = tls_matrix[row].after;
	p.trouble = tls_matrix[row].trouble;
	play(&p);
	char want = tls_matrix[row].want[level];
	bool good = strchr("SPf", want) != NULL;
	const char *log = play_log(&p);
	CHECK(label, event_letter(p.got[0].event) == (good ? '-' : want));
	CHECK(label, !strstr(log, "MAIL") && !strstr(log, "RCPT") && !strstr(log, "DATA"));
	CHECK(label, !good || p.secured == (want == 'S' || want == 'f'));
	CHECK(label, strlen(log) > 4 && strcmp(log + strlen(log) - 4, "QUIT") == 0);
	CHECK(label, !dialog_transmits(p.d) && !dialog_committed(p.d));
	arena_close(p.arena);
}

static inline void test_probe(void)
{
	static const struct {
		const char *label;
		struct answer answer;
		const char *log, *letter, *greeting, *hello;
	} t[] = {
#define GREETING "220 mx.test ESMTP"
		{ "plain", { NULL, NULL }, "[EHLO me.test]QUIT", "-", GREETING, "mx.test\nHELP" },
		{ "HELO", { "EHLO", "502 what\r\n" }, "[EHLO me.test][HELO me.test]QUIT", "-",
		  GREETING, "ok" },
		{ "greeting of lines", { "greeting", "220-a\r\n220 b\r\n" }, "[EHLO me.test]QUIT",
		  "-", "220 a b", "mx.test\nHELP" },
		{ "greeting 4xx", { "greeting", "450 later\r\n" }, "QUIT", "g", "450 later", NULL },
		{ "greeting 5xx", { "greeting", "554 no\r\n" }, "QUIT", "G", "554 no", NULL },
		{ "our own name", { "EHLO", "250 me.test\r\n" }, "[EHLO me.test]QUIT", "h",
		  GREETING, "me.test" },
		{ "421", { "EHLO", "421 bye\r\n" }, "[EHLO me.test]QUIT", "h", GREETING, NULL },
		{ "too small", { "EHLO", "250-mx.test\r\n250 SIZE 1\r\n" }, "[EHLO me.test]QUIT",
		  "-", GREETING, "mx.test\nSIZE 1" },
#undef GREETING
	};
	for (size_t i = 0; i < LEN(t); i++) {
		static struct play p;
		play_init(&p, 1, false);
		p.script.probe = true;
		p.answers = &t[i].answer;
		p.nanswers = 1;
		play(&p);
		CHECK_STR(t[i].label, play_log(&p), t[i].log);
		CHECK_STR(t[i].label, letters(&p), t[i].letter);
		CHECK_STR(t[i].label, dialog_words(p.d).greeting, t[i].greeting);
		CHECK(t[i].label, !t[i].hello == !dialog_words(p.d).hello);
		if (t[i].hello)
			CHECK_STR(t[i].label, dialog_words(p.d).hello, t[i].hello);
		arena_close(p.arena);
	}
	for (size_t row = 0; row < LEN(tls_matrix); row++)
		for (int level = DEMAND_NONE; level <= DEMAND_DANE; level++)
			check_probe_cell(row, (enum demand_level)level);
}

/* As a postmaster sees them, and what is reported to the domain's owner. */
static const struct {
	const char *label;
	enum demand_level level;
	bool requiretls, testing, plain;
	const char *offers, *offers_tls;
	struct answer answer, after;
	enum secure_trouble trouble;
	enum fault fault;
	size_t at;
	const char *log, *want;
	enum tlsrpt_failure failure;
} tls_stories[] = {
	{ .label = "proven", .level = DEMAND_DANE, .log = S ONE, .want = SENT },
	{ .label = "nothing demanded, not offered",
	  .level = DEMAND_MAY,
	  .offers = "",
	  .log = E ONE,
	  .want = SENT,
	  .failure = TLSRPT_STARTTLS_NOT_SUPPORTED },
	{ .label = "last resort", .level = DEMAND_MAY, .plain = true, .log = E ONE, .want = SENT },
	{ .label = "not offered",
	  .level = DEMAND_VERIFY,
	  .offers = "",
	  .log = E "QUIT",
	  .want = UNMET X " does not offer STARTTLS (demanded: mta-sts enforce)",
	  .failure = TLSRPT_STARTTLS_NOT_SUPPORTED },
	{ .label = "refused",
	  .level = DEMAND_DANE,
	  .answer = { "STARTTLS", "454 4.3.0 TLS not available\r\n" },
	  .log = E "[STARTTLS]QUIT",
	  .want = UNMET SAID "454 4.3.0 TLS not available (in reply to STARTTLS)",
	  .failure = TLSRPT_STARTTLS_NOT_SUPPORTED },
	{ .label = "refused, nothing demanded",
	  .level = DEMAND_MAY,
	  .answer = { "STARTTLS", "554 5.7.3 no\r\n" },
	  .log = E "[STARTTLS]QUIT",
	  .want = BROKE SAID "554 5.7.3 no (in reply to STARTTLS)",
	  .failure = TLSRPT_STARTTLS_NOT_SUPPORTED },
	{ .label = "no proof",
	  .level = DEMAND_DANE,
	  .trouble = SECURE_EXPIRED,
	  .log = E "[STARTTLS](TLS)QUIT",
	  .want = UNMET X ": TLS: the certificate has expired (demanded: dane)",
	  .failure = TLSRPT_CERTIFICATE_EXPIRED },
	{ .label = "no handshake, nothing demanded",
	  .level = DEMAND_MAY,
	  .trouble = SECURE_HANDSHAKE,
	  .log = E "[STARTTLS](TLS)QUIT",
	  .want = BROKE X ": TLS: the certificate has expired",
	  .failure = TLSRPT_VALIDATION_FAILURE },
	{ .label = "MTA-STS testing",
	  .level = DEMAND_MAY,
	  .testing = true,
	  .trouble = SECURE_WRONG_NAME,
	  .log = S ONE,
	  .want = SENT,
	  .failure = TLSRPT_CERTIFICATE_HOST_MISMATCH },
	{ .label = "ours",
	  .level = DEMAND_VERIFY,
	  .trouble = SECURE_LOCAL,
	  .log = E "[STARTTLS](TLS)QUIT",
	  .want = "local 4.3.5 the roots cannot be read" },
	{ .label = "closed before the handshake",
	  .level = DEMAND_ENCRYPT,
	  .fault = FAULT_LOST,
	  .at = 5,
	  .log = E "[STARTTLS]!QUIT",
	  .want = UNMET X ": TLS: timed out (demanded: configured)",
	  .failure = TLSRPT_VALIDATION_FAILURE },
	{ .label = "closed before the handshake, nothing demanded",
	  .level = DEMAND_MAY,
	  .fault = FAULT_LOST,
	  .at = 5,
	  .log = E "[STARTTLS]!QUIT",
	  .want = BROKE X ": TLS: timed out",
	  .failure = TLSRPT_VALIDATION_FAILURE },
	{ .label = "no reply to STARTTLS",
	  .level = DEMAND_DANE,
	  .fault = FAULT_LOST,
	  .at = 4,
	  .log = E "[STARTTLS]!QUIT",
	  .want = "lost 4.4.2 " X ": timed out while waiting for the reply to STARTTLS" },
	{ .label = "stopped before the handshake",
	  .level = DEMAND_DANE,
	  .fault = FAULT_LOCAL,
	  .at = 5,
	  .log = E "[STARTTLS]!QUIT",
	  .want = "local 4.3.0 stopped by the mail system" },
	{ .label = "plain text injected before the handshake",
	  .level = DEMAND_MAY,
	  .fault = FAULT_EARLY,
	  .at = 5,
	  .log = E "[STARTTLS]!QUIT",
	  .want = "lost 4.5.0 " X
		  " said without being asked: 250 2.0.0 Ok (before the TLS handshake)" },
	{ .label = "shutting down before the handshake",
	  .level = DEMAND_DANE,
	  .fault = FAULT_EARLY_421,
	  .at = 5,
	  .log = E "[STARTTLS]!QUIT",
	  .want = "lost 4.3.9 " X
		  " said without being asked: 421 4.3.9 shutting down (before the TLS handshake)" },
	{ .label = "lost after TLS",
	  .level = DEMAND_DANE,
	  .fault = FAULT_LOST,
	  .at = 7,
	  .log = S "!QUIT",
	  .want = "lost 4.4.2 " X ": timed out while waiting for the reply to EHLO" },
	{ .label = "our own name, which it did not tell before",
	  .level = DEMAND_MAY,
	  .after = { "EHLO", "250 me.test\r\n" },
	  .log = S "QUIT",
	  .want = OWN_NAME },
	{ .label = "REQUIRETLS",
	  .level = DEMAND_VERIFY,
	  .requiretls = true,
	  .offers_tls = "250-REQUIRETLS\r\n",
	  .log = S "[" M " REQUIRETLS][" R1 "][DATA]" TEXT,
	  .want = SENT },
	{ .label = "REQUIRETLS is not offered",
	  .level = DEMAND_DANE,
	  .requiretls = true,
	  .log = S "QUIT",
	  .want = "cannot carry 5.7.30 " X
		  " does not offer REQUIRETLS, which this message demands" },
	{ .label = "REQUIRETLS is offered before TLS only, where it means nothing",
	  .level = DEMAND_DANE,
	  .requiretls = true,
	  .offers = "250-STARTTLS\r\n250-REQUIRETLS\r\n",
	  .log = S "QUIT",
	  .want = "cannot carry 5.7.30 " X
		  " does not offer REQUIRETLS, which this message demands" },
	{ .label = "REQUIRETLS, HELO after TLS",
	  .level = DEMAND_DANE,
	  .requiretls = true,
	  .after = { "EHLO", "502 what\r\n" },
	  .log = S H "QUIT",
	  .want = "cannot carry 5.7.30 " X
		  " does not offer REQUIRETLS, which this message demands" },
	{ .label = "REQUIRETLS is offered and not demanded",
	  .level = DEMAND_DANE,
	  .offers_tls = "250-REQUIRETLS\r\n",
	  .log = S ONE,
	  .want = SENT },
};

static inline void test_tls_stories(void)
{
	for (size_t i = 0; i < LEN(tls_stories); i++) {
		static struct play p;
		play_init(&p, 1, false);
		play_demand(&p, tls_stories[i].level);
		p.script.plain = tls_stories[i].plain;
		p.script.demand.requiretls = tls_stories[i].requiretls;
		p.script.demand.sts_testing = tls_stories[i].testing;
		if (tls_stories[i].offers)
			p.offers = tls_stories[i].offers;
		if (tls_stories[i].offers_tls)
			p.offers_tls = tls_stories[i].offers_tls;
		p.answers = &tls_stories[i].answer;
		p.nanswers = 1;
		p.after = tls_stories[i].after;
		p.trouble = tls_stories[i].trouble;
		p.fault = tls_stories[i].fault;
		p.at = p.fault == FAULT_NONE ? SIZE_MAX : tls_stories[i].at;
		play(&p);
		CHECK_STR(tls_stories[i].label, play_log(&p), tls_stories[i].log);
		CHECK_STR(tls_stories[i].label, outcome_text(&p, 0), tls_stories[i].want);
		CHECK(tls_stories[i].label, dialog_tls(p.d)->failure == tls_stories[i].failure);
		check_security(&p, tls_stories[i].label, p.secured, tls_stories[i].plain);
		arena_close(p.arena);
	}
}

/* RFC 3207 section 4.2: what was offered before TLS may be an attacker's offer, or an attacker's
 * silence. */
static const struct {
	const char *label, *before, *behind, *mail;
	const char *want; /* NULL: accepted */
} tls_forgets[] = {
	{ "SIZE is gone", "250-SIZE 1\r\n", "", "[" M "][", NULL },
	{ "SIZE is there", "", "250-SIZE 99\r\n", NULL,
	  "cannot carry 5.3.4 " X " takes messages of at most 99 bytes, this one has 100" },
	{ "SIZE is another", "250-SIZE 1\r\n", "250-SIZE 100\r\n", "[" M " SIZE=100", NULL },
	{ "8BITMIME is gone", "250-8BITMIME\r\n", "", "[" M "][", NULL },
	{ "8BITMIME is there", "", "250-8BITMIME\r\n", "[" M " BODY=8BITMIME][", NULL },
	{ "PIPELINING is gone", "250-PIPELINING\r\n", "", "[" M "][" R1 "][DATA]", NULL },
	{ "PIPELINING is there", "", "250-PIPELINING\r\n", "[" M "|" R1 "|DATA]", NULL },
};

static inline void test_tls_forgets(void)
{
	for (size_t i = 0; i < LEN(tls_forgets); i++) {
		static struct play p;
		char offers[100];
		play_init(&p, 1, false);
		play_demand(&p, DEMAND_MAY);
		snprintf(offers, sizeof(offers), "%s250-STARTTLS\r\n", tls_forgets[i].before);
		p.offers = offers;
		p.offers_tls = tls_forgets[i].behind;
		p.facts.has_8bit = true;
		play(&p);
		const char *mail = strstr(play_log(&p), "[MAIL");
		CHECK(tls_forgets[i].label,
		      tls_forgets[i].mail ? mail && strstr(mail, tls_forgets[i].mail) == mail
					  : mail == NULL);
		CHECK_STR(tls_forgets[i].label, outcome_text(&p, 0),
			  tls_forgets[i].want ? tls_forgets[i].want : SENT);
		arena_close(p.arena);
	}
	/* Its name too: reports have the one that nobody can have forged. */
	static struct play p;
	play_init(&p, 1, false);
	play_demand(&p, DEMAND_DANE);
	p.after = (struct answer){ "EHLO", "250 real.test\r\n" };
	play(&p);
	CHECK_STR("name", dialog_tls(p.d)->helo, "real.test");
	arena_close(p.arena);
}

static inline void test_tls_phases(void)
{
	static struct play p;
	play_init(&p, 1, true);
	play_demand(&p, DEMAND_MAY);
	play(&p);
	CHECK_STR("phases", buf_cstr(&p.trace),
		  "greeting 1;EHLO 2;EHLO 2;STARTTLS 2;STARTTLS 2;the TLS handshake 2;EHLO 2;"
		  "EHLO 2;MAIL FROM 2 t;MAIL FROM 2 t;RCPT TO 2 t;DATA 2 t;the message 3 t;"
		  "the message 2 t;end of data 4 t c;end of data 4 t c;QUIT 2 t c;");
	arena_close(p.arena);
}

/* Without memory for its sentence a demand is not met all the same. */
static inline void test_tls_memory(void)
{
	bool any_failed = false, all_there = false;
	for (size_t limit = 0; limit < 12000; limit += 16) {
		static struct play p;
		play_init(&p, 1, false);
		play_demand(&p, DEMAND_DANE);
		p.trouble = SECURE_NO_TLSA;
		p.pending = SPAN("greeting\n");
		struct arena *small = arena_open(limit);
		p.d = dialog_new(small, &p.script);
		any_failed = any_failed || !p.d;
		while (p.d && step(&p))
			;
		const struct outcome *o = p.d ? dialog_outcomes(p.d) : NULL;
		if (o) {
			CHECK("not met", o->event == EVENT_TLS_UNMET && o->text && o->security);
			all_there = strstr(o->text, "(demanded: dane)") != NULL;
		}
		arena_close(small);
		arena_close(p.arena);
	}
	CHECK("both sides of the limit", any_failed && all_there);
}

/* ---- a session that was kept ---- */

/* As safe as it was, and as it is demanded: else nothing is done with it. */
static inline void test_resumed_security(void)
{
	for (size_t i = 0; i < 50; i++) {
		static struct play p;
		bool pipelining = i >= 25;
		enum demand_level had = (enum demand_level)(i % 25 / 5);
		enum demand_level demanded = (enum demand_level)(i % 5);
		bool fits = demanded <= DEMAND_MAY || had == demanded;
		struct dialog_session again;
		struct dialog_session session = session_of(pipelining ? EHLO_PIPELINING : 0, had);
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
			  !fits        ? "QUIT"
			  : pipelining ? "[RSET|" M "|" R1 "|DATA]" SENT_ALL
				       : "[RSET][" M "][" R1 "][DATA]" SENT_ALL);
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

#endif
