/* SPDX-License-Identifier: ISC */
/* Long logins, trouble in the middle of them, nobody else who hears of them; probes and kept
 * sessions. */
#ifndef TESTS_DIALOG_LOGIN_MORE_H
#define TESTS_DIALOG_LOGIN_MORE_H

#include "dialog_login.h"

/* ---- long ones ---- */

/* "AUTH PLAIN ", base64 and CRLF are 512 octets at most, else the response is said when it is asked
 * for. */
static inline void check_login_long(size_t n, const char *const replies[], const char *log,
				    const char *want)
{
	static struct play p;
	char label[32];
	snprintf(label, sizeof(label), "%zu bytes", n);
	play_login(&p, 1, "PLAIN");
	char *password = ARENA_NEW(p.arena, char, n - 5);
	memset(password, 'p', n - 6);
	const struct login login = { "fred", password, ROUTE };
	p.script.login = &login;
	memcpy(p.auth.replies, replies, 2 * sizeof(replies[0]));
	play(&p);
	CHECK_LOG(label, &p, log);
	CHECK_STR(label, outcome_text(&p, 0), want);
	const char *plain = strstr(play_log(&p), "[AUTH PLAIN ");
	if (plain)
		CHECK(label, strcspn(plain, "]") + 1 <= LIMIT_COMMAND);
	arena_close(p.arena);
}

static inline void test_login_long(void)
{
	static const char *const at_once[] = { NULL, NULL };
	static const char *const asked[] = { "334 \r\n", NULL };
	static const char *const by_name[] = { ASK, NULL };
	static const char *const twice[] = { "334 \r\n", "334 \r\n" };
	/* 372 bytes are 496 in base64; with 11 before and 2 behind it is a line of 509. */
	check_login_long(372, at_once, S "[AUTH PLAIN ~]" ONE, SENT);
	check_login_long(373, asked, S "[AUTH PLAIN][~]" ONE, SENT);
	check_login_long(SASL_RESPONSE, asked, S "[AUTH PLAIN][~]" ONE, SENT);
	check_login_long(373, at_once, S "[AUTH PLAIN]QUIT",
			 REFUSED " said: 235 2.7.0 welcome" IN_AUTH
				 " before the login was complete");
	check_login_long(373, by_name, S "[AUTH PLAIN][*]QUIT",
			 REFUSED ": the server asks before the first word was said");
	check_login_long(373, twice, S "[AUTH PLAIN][~][*]QUIT",
			 REFUSED ": PLAIN: the server asks when all has been said");
	check_login_long(SASL_RESPONSE + 1, at_once, S "QUIT",
			 "local 4.3.5 " ROUTE ": user and password are too long to log in");
}

static inline void test_login_long_scram(void)
{
	static struct play p;
	static char user[500];
	const struct login login = { user, "secret", ROUTE };
	memset(user, 'u', sizeof(user) - 1);
	play_login(&p, 1, "SCRAM-SHA-256");
	p.script.login = &login;
	p.auth.replies[0] = "334 \r\n";
	p.auth.replies[1] = SCRAM_FIRST;
	p.auth.replies[2] = SCRAM_FINAL;
	play(&p);
	CHECK_LOG("SCRAM", &p, S "[AUTH SCRAM-SHA-256][~][~][]" ONE);
	CHECK_STR("SCRAM", letters(&p), "A");
	arena_close(p.arena);

	/* One that fits no line: the server hears that nothing more comes. */
	static char endless[SASL_RESPONSE + 2];
	const struct login over = { "fred", endless, ROUTE };
	memset(endless, 'p', sizeof(endless) - 1);
	play_login(&p, 1, "LOGIN");
	p.script.login = &over;
	p.auth.replies[0] = p.auth.replies[1] = ASK;
	play(&p);
	CHECK_STR("LOGIN", play_log(&p), S "[AUTH LOGIN][" USER "][*]QUIT");
	CHECK_STR("LOGIN", outcome_text(&p, 0),
		  "local 4.3.5 " ROUTE ": " X ": user and password are too long to log in");
	CHECK("LOGIN", p.got[0].cause == CAUSE_LOCAL);
	arena_close(p.arena);
}

/* A challenge of which not all was kept is none. */
static inline void test_login_cut(void)
{
	static struct play p;
	static char reply[3 * LIMIT_REPLY_TEXT];
	const int half = LIMIT_REPLY_TEXT / 2;
	snprintf(reply, sizeof(reply), "334-%0*d\r\n334-%0*d\r\n334 AAAA\r\n", half, 0, half, 0);
	play_login(&p, 1, "LOGIN");
	p.auth.replies[0] = reply;
	play(&p);
	CHECK_STR("cut", play_log(&p), S "[AUTH LOGIN][*]QUIT");
	arena_close(p.arena);

	/* The longest line that there is. */
	snprintf(reply, sizeof(reply), "334 %0*d\r\n", (LIMIT_REPLY_LINE - 7) / 4 * 4, 0);
	play_login(&p, 1, "SCRAM-SHA-256");
	p.auth.replies[0] = reply;
	play(&p);
	CHECK_LOG("longest", &p, S SCRAM "[*]QUIT");
	CHECK_STR("longest", outcome_text(&p, 0),
		  REFUSED ": SCRAM-SHA-256: the server's challenge cannot be read");
	arena_close(p.arena);
}

/* ---- trouble ---- */

static inline bool no_random(void *p, size_t n)
{
	(void)p;
	(void)n;
	return false;
}

static inline bool no_sha256(struct span bytes, uint8_t ret[static SECURE_SHA256])
{
	(void)bytes;
	(void)ret;
	return false;
}

static inline void test_login_crypto(void)
{
	static struct play p;
	struct secure_crypto crypto = fake_crypto;
	crypto.random = no_random;
	play_login(&p, 1, "SCRAM-SHA-256");
	p.script.crypto = &crypto;
	play(&p);
	CHECK_STR("random", play_log(&p), S "QUIT");
	CHECK_STR("random", outcome_text(&p, 0),
		  "local 4.3.0 " ROUTE ": no random bytes to log in with");
	arena_close(p.arena);

	crypto = fake_crypto;
	crypto.sha256 = no_sha256;
	play_login(&p, 1, "SCRAM-SHA-256");
	p.script.crypto = &crypto;
	p.auth.replies[0] = SCRAM_FIRST;
	play(&p);
	CHECK_LOG("SHA-256", &p, S SCRAM "[*]QUIT");
	CHECK_STR("SHA-256", outcome_text(&p, 0), "local 4.3.0 " ROUTE ": " X ": out of memory");
	arena_close(p.arena);
}

/* Whatever happens and whenever, before the dot nothing is sent, and everybody has an answer. */
static inline void check_login_fault(enum fault fault, size_t at, bool tls_first)
{
	static struct play p;
	char label[64];
	snprintf(label, sizeof(label), "fault %d at step %zu%s", (int)fault, at,
		 tls_first ? ", TLS first" : "");
	play_login(&p, 2, "SCRAM-SHA-256");
	p.script.tls_first = tls_first;
	p.auth.replies[0] = SCRAM_FIRST;
	p.auth.replies[1] = SCRAM_FINAL;
	p.fault = fault;
	p.at = at;
	play(&p);
	bool early = fault == FAULT_EARLY || fault == FAULT_EARLY_421;
	char want = fault == FAULT_LOCAL                         ? 'l'
		    : at == (tls_first ? 0 : TLS_STEP) && !early ? 'D'
		    : at == (tls_first ? 1 : 0) && !early        ? '?'
								 : 'L';
	if (!p.server.dot_due)
		for (size_t i = 0; i < 2; i++)
			CHECK(label, event_letter(p.got[i].event) == want);
	CHECK(label, p.auth.done || !strstr(play_log(&p), "MAIL"));
	check_no_secret(&p, label);
	arena_close(p.arena);
}

static inline void test_login_faults(void)
{
	for (int tls_first = 0; tls_first < 2; tls_first++) {
		static struct play p;
		play_login(&p, 2, "SCRAM-SHA-256");
		p.script.tls_first = tls_first;
		p.auth.replies[0] = SCRAM_FIRST;
		p.auth.replies[1] = SCRAM_FINAL;
		play(&p);
		CHECK_STR("no fault", letters(&p), "AA");
		size_t n = p.steps;
		arena_close(p.arena);
		for (size_t at = 0; at < n; at++)
			for (int f = FAULT_LOST; f <= FAULT_EARLY_421; f++)
				check_login_fault((enum fault)f, at, tls_first);
	}
}

static inline void test_login_fault_texts(void)
{
	static const struct {
		size_t at;
		enum fault fault;
		const char *auth, *log, *want;
	} cases[] = {
		{ 8, FAULT_EARLY, NULL, "!QUIT",
		  "lost 4.5.0 " X " said without being asked: 250 2.0.0 Ok (before AUTH)" },
		{ 9, FAULT_LOST, NULL, "[AUTH LOGIN]!QUIT",
		  "lost 4.4.2 " X ": timed out while waiting for the reply to AUTH" },
		{ 10, FAULT_EARLY_421, ASK, "[AUTH LOGIN]!QUIT",
		  "lost 4.3.9 " X
		  " said without being asked: 421 4.3.9 shutting down (before AUTH)" },
		{ 10, FAULT_LOST, ASK, "[AUTH LOGIN]!QUIT",
		  "lost 4.4.2 " X ": timed out while waiting for the reply to AUTH" },
		{ 11, FAULT_LOST, ASK, "[AUTH LOGIN][" USER "]!QUIT",
		  "lost 4.4.2 " X ": timed out while waiting for the reply to AUTH" },
		/* What was wrong before the loss is what is told. */
		{ 10, FAULT_LOST, "334 ?\r\n", "[AUTH LOGIN]!QUIT",
		  REFUSED ": the server's challenge is not base64" },
		{ 11, FAULT_LOST, "334 ?\r\n", "[AUTH LOGIN][*]!QUIT",
		  REFUSED ": the server's challenge is not base64" },
		{ 11, FAULT_LOCAL, "334 ?\r\n", "[AUTH LOGIN][*]!QUIT",
		  REFUSED ": the server's challenge is not base64" },
	};
	for (size_t i = 0; i < LEN(cases); i++) {
		static struct play p;
		play_login(&p, 1, "LOGIN");
		p.auth.replies[0] = cases[i].auth;
		p.fault = cases[i].fault;
		p.at = cases[i].at;
		play(&p);
		CHECK_STR(cases[i].want, play_log(&p), arena_fmt(p.arena, S "%s", cases[i].log));
		CHECK_STR(cases[i].want, outcome_text(&p, 0), cases[i].want);
		arena_close(p.arena);
	}
}

static inline void test_login_memory(void)
{
	bool any_failed = false, all_there = false;
	for (size_t limit = 0; limit < 16000; limit += 16) {
		static struct play p;
		play_login(&p, 1, "SCRAM-SHA-256");
		p.auth.replies[0] = SCRAM_FIRST;
		p.auth.replies[1] = SCRAM_FINAL;
		p.auth.replies[2] = "535 5.7.8 no\r\n";
		p.pending = SPAN("greeting\n");
		struct arena *small = arena_open(limit);
		p.d = dialog_new(small, &p.script);
		any_failed = any_failed || !p.d;
		while (p.d && step(&p))
			;
		const struct outcome *o = p.d ? dialog_outcomes(p.d) : NULL;
		if (o) {
			CHECK("never a bounce", o->text && o->code.cls == 4);
			CHECK("refused or ours",
			      o->event == EVENT_LOGIN_REFUSED || o->event == EVENT_LOCAL);
			CHECK("nothing is sent", !strstr(play_log(&p), "MAIL"));
			all_there = strstr(o->text, "535 5.7.8 no" IN_AUTH) != NULL;
		}
		arena_close(small);
		arena_close(p.arena);
	}
	CHECK("both sides of the limit", any_failed && all_there);
}

/* ---- nobody else hears of it ---- */

/* A server may repeat what it was told. */
static inline void test_login_echo(void)
{
	static const struct {
		const char *mechanism, *replies[3];
		bool hidden;
	} cases[] = {
		{ "PLAIN", { "535 5.7.8 bad: " BOTH "\r\n" }, true },
		{ "PLAIN", { "501 AUTH PLAIN " BOTH " is what?\r\n" }, true },
		{ "PLAIN", { "535-no\r\n535 fred:secret\r\n" }, true },
		{ "PLAIN", { "421 fred:secret\r\n" }, true },
		{ "LOGIN", { ASK, ASK, "535 what is " SECRET "\r\n" }, true },
		{ "LOGIN", { ASK, ASK, "535 what is secret\r\n" }, true },
		{ "LOGIN", { ASK, ASK, "235 in " SECRET "\r\n" }, false },
		{ "PLAIN", { "535 fred is not here\r\n" }, false },
	};
	for (size_t i = 0; i < LEN(cases); i++) {
		static struct play p;
		play_login(&p, 1, cases[i].mechanism);
		memcpy(p.auth.replies, cases[i].replies, sizeof(cases[i].replies));
		play(&p);
		const char *label = cases[i].replies[0];
		bool hidden = strstr(p.got[0].text, "and words that repeat the login") != NULL;
		CHECK(label, hidden == cases[i].hidden);
		check_no_secret(&p, label);
		arena_close(p.arena);
	}
	/* Also unasked; and nothing is hidden for an empty password, which is everywhere. */
	static struct play p;
	const struct login empty = { "fred", "", ROUTE };
	play_login(&p, 1, "PLAIN");
	p.script.login = &empty;
	p.auth.replies[0] = "535 no\r\n";
	play(&p);
	CHECK_STR("empty", outcome_text(&p, 0), REFUSED " said: 535 no" IN_AUTH);
	arena_close(p.arena);

	play_login(&p, 1, "LOGIN");
	p.auth.replies[0] = p.auth.replies[1] = ASK;
	p.pending = SPAN("greeting\n");
	p.d = dialog_new(p.arena, &p.script);
	while (!strstr(play_log(&p), SECRET) && step(&p))
		;
	dialog_early(p.d, SPAN("535 secret\r\n"));
	p.got = dialog_outcomes(p.d);
	CHECK("early", p.got[0].event == EVENT_LOST && !strstr(p.got[0].text, "secret"));
	arena_close(p.arena);
}

/* Marked as secret are AUTH, its responses and their replies, and nothing else. */
static inline void test_login_phases(void)
{
	static struct play p;
	play_login(&p, 1, "LOGIN");
	p.auth.replies[0] = p.auth.replies[1] = ASK;
	play(&p);
	CHECK_STR(
		"phases", buf_cstr(&p.trace),
		"greeting 1;EHLO 2;EHLO 2;STARTTLS 2;STARTTLS 2;the TLS handshake 2;EHLO 2;"
		"EHLO 2;AUTH 2 s;AUTH 2 s;AUTH 2 s;AUTH 2 s;AUTH 2 s;AUTH 2 s;"
		"MAIL FROM 2 t;MAIL FROM 2 t;RCPT TO 2 t;RCPT TO 2 t;DATA 2 t;DATA 2 t;"
		"the message 3 t;the message 2 t;end of data 4 t c;end of data 4 t c;QUIT 2 t c;");
	arena_close(p.arena);

	play_login(&p, 1, "LOGIN");
	p.auth.replies[0] = "334 ?\r\n";
	play(&p);
	const char *auth = strstr(buf_cstr(&p.trace), "AUTH");
	CHECK_STR("cancelled", auth, "AUTH 2 s;AUTH 2 s;AUTH 2 s;AUTH 2 s;QUIT 2;");
	arena_close(p.arena);
}

/* ---- probes and kept sessions ---- */

static inline void test_login_probe(void)
{
	for (int good = 0; good < 2; good++) {
		static struct play p;
		play_login(&p, 1, "SCRAM-SHA-256");
		p.script.probe = true;
		p.script.facts = NULL;
		p.auth.replies[0] = SCRAM_FIRST;
		p.auth.replies[1] = SCRAM_FINAL;
		p.auth.replies[2] = good ? WELCOME : "535 5.7.8 no\r\n";
		play(&p);
		CHECK_LOG("probe", &p, S SCRAM "[~][]QUIT");
		CHECK_STR("probe", letters(&p), good ? "-" : "a");
		CHECK_STR("probe", dialog_words(p.d).hello, "mx.test\nAUTH SCRAM-SHA-256\nHELP");
		CHECK("probe", p.auth.done == good && !dialog_transmits(p.d));
		arena_close(p.arena);
	}
}

/* A session that is kept is logged in, and is of no use to those who are not or would not be. */
static inline void test_login_kept(void)
{
	struct dialog_session session = { 0 };
	static struct play p;
	for (int round = 0; round < 3; round++) {
		play_login(&p, 1, "PLAIN");
		p.script.keep = true;
		p.script.resumed = round > 0 ? &session : NULL;
		p.secured = round > 0;
		play(&p);
		CHECK_STR("kept", play_log(&p),
			  round > 0 ? "[RSET][" M "][" R1 "][DATA]" SENT_ALL
				    : S PLAIN "[" M "][" R1 "][DATA]" SENT_ALL);
		CHECK_STR("kept", letters(&p), "A");
		CHECK("kept", dialog_kept(p.d, &session) && session.logged_in);
		arena_close(p.arena);
	}
	for (int logged_in = 0; logged_in < 2; logged_in++) {
		session.logged_in = logged_in;
		play_login(&p, 1, "PLAIN");
		p.script.login = logged_in ? NULL : &fred;
		p.script.resumed = &session;
		play(&p);
		CHECK_STR("another", play_log(&p), "QUIT");
		CHECK("another", dialog_stale(p.d) && p.got[0].event == EVENT_NONE);
		arena_close(p.arena);
	}
}

/* RFC 4954 section 6, RFC 3207 section 4: of a route's host it is our configuration that lacks
 * something. */
static void test_login_missing(void)
{
	static const struct {
		const char *command, *phase;
	} t[] = {
		{ "MAIL", "MAIL FROM" },
		{ "RCPT", "RCPT TO" },
		{ "DATA", "DATA" },
		{ ".", "end of data" },
	};
	for (size_t i = 0; i < 2 * LEN(t); i++) {
		static struct play p;
		const struct answer answer = { t[i / 2].command, "530 5.7.0 log in\r\n" };
		play_init(&p, 1, false);
		p.script.route = i % 2 ? ROUTE : NULL;
		p.answers = &answer;
		p.nanswers = 1;
		play(&p);
		const char *want =
			arena_fmt(p.arena, "%s" SAID "530 5.7.0 log in (in reply to %s)",
				  i % 2 ? "login refused 4.7.0 " ROUTE ": " : "reply 5xx 5.7.0 ",
				  t[i / 2].phase);
		CHECK_STR(t[i / 2].command, outcome_text(&p, 0), want);
		arena_close(p.arena);
	}
}

#define TESTS_LOGIN_MORE                                                                           \
	{ "login, long", test_login_long }, { "login, long SCRAM", test_login_long_scram },        \
		{ "login, cut challenge", test_login_cut },                                        \
		{ "login, crypto fails", test_login_crypto },                                      \
		{ "login, trouble at every step", test_login_faults },                             \
		{ "login, texts of trouble", test_login_fault_texts },                             \
		{ "login, missing", test_login_missing }, { "login, memory", test_login_memory },  \
		{ "login, echo", test_login_echo }, { "login, phases", test_login_phases },        \
		{ "login, probe", test_login_probe },                                              \
	{                                                                                          \
		"login, kept", test_login_kept                                                     \
	}

#endif
