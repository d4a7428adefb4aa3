/* SPDX-License-Identifier: ISC */
/* AUTH (RFC 4954): what is said to whom, what becomes of it, and that none is said without a proof.
 */
#ifndef TESTS_DIALOG_LOGIN_H
#define TESTS_DIALOG_LOGIN_H

#include "dialog_play.h"
#include "dialog_stories.h"
#include "dialog_tls.h"

#define ROUTE   "route \"*\" (mxdirect.conf:12)"
#define REFUSED "login refused 4.7.8 " ROUTE ": " X
#define IN_AUTH " (in reply to AUTH)"
#define ASK     "334 VXNlcm5hbWU6\r\n"
#define WELCOME "235 2.7.0 welcome\r\n"
#define USER    "ZnJlZA=="         /* fred */
#define SECRET  "c2VjcmV0"         /* secret */
#define BOTH    "AGZyZWQAc2VjcmV0" /* \0fred\0secret */
#define PLAIN   "[AUTH PLAIN " BOTH "]"
#define SCRAM   "[AUTH SCRAM-SHA-256 ~]"

static const struct login fred = { "fred", "secret", ROUTE };

/* With a server that offers STARTTLS, and behind it AUTH. */
static inline void play_login(struct play *p, size_t nrcpt, const char *mechanisms)
{
	play_init(p, nrcpt, false);
	play_demand(p, DEMAND_VERIFY);
	p->script.login = &fred;
	p->script.crypto = &fake_crypto;
	p->offers_tls = arena_fmt(p->arena, "250-AUTH %s\r\n", mechanisms);
}

/* '~' stands for the rest of a command. */
static inline bool log_is(const char *log, const char *want)
{
	for (; *want; want++) {
		if (*want == '~')
			log += strcspn(log, "]|");
		else if (*want != *log++)
			return false;
	}
	return *log == '\0';
}

#define CHECK_LOG(label, p, want)                                                                  \
	do {                                                                                       \
		if (!log_is(play_log(p), (want)))                                                  \
			CHECK_STR((label), play_log(p), (want));                                   \
	} while (0)

static inline void check_no_secret(struct play *p, const char *label)
{
	for (size_t i = 0; i < p->envelope.nrcpt; i++) {
		const char *text = p->got[i].text ? p->got[i].text : "";
		CHECK(label, !strstr(text, "secret") && !strstr(text, SECRET));
		CHECK(label, !strstr(text, BOTH) && !strstr(text, "biws"));
	}
}

/* ---- stories, with one recipient ---- */

static const struct login_story {
	const char *label, *mechanisms;
	const char *auth[AUTH_STEPS];
	const char *log, *want; /* the log behind EHLO over TLS */
} login_stories[] = {
	{ "PLAIN", "PLAIN LOGIN", { 0 }, PLAIN ONE, SENT },
	{ "any 2xx will do", "PLAIN", { "250 ok\r\n" }, PLAIN ONE, SENT },
	{ "LOGIN", "LOGIN", { ASK, ASK }, "[AUTH LOGIN][" USER "][" SECRET "]" ONE, SENT },
	{ "LOGIN, without a word",
	  "LOGIN",
	  { "334 \r\n", "334\r\n" },
	  "[AUTH LOGIN][" USER "][" SECRET "]" ONE,
	  SENT },
	{ "SCRAM",
	  "PLAIN LOGIN SCRAM-SHA-256",
	  { SCRAM_FIRST, SCRAM_FINAL },
	  SCRAM "[~][]" ONE,
	  SENT },

	{ "wrong",
	  "PLAIN",
	  { "535 5.7.8 no\r\n" },
	  PLAIN "QUIT",
	  REFUSED " said: 535 5.7.8 no" IN_AUTH },
	{ "wrong, of two lines, without an enhanced code",
	  "PLAIN",
	  { "535-no\r\n535 such user\r\n" },
	  PLAIN "QUIT",
	  REFUSED " said: 535 no such user" IN_AUTH },
	{ "wrong, in the end",
	  "LOGIN",
	  { ASK, ASK, "535 5.7.3 no\r\n" },
	  "[AUTH LOGIN][" USER "][" SECRET "]QUIT",
	  REFUSED " said: 535 5.7.3 no" IN_AUTH },
	{ "not this user",
	  "LOGIN",
	  { ASK, "535 5.7.8 no\r\n" },
	  "[AUTH LOGIN][" USER "]QUIT",
	  REFUSED " said: 535 5.7.8 no" IN_AUTH },
	{ "wrong, and no word of who is wrong",
	  "SCRAM-SHA-256",
	  { SCRAM_FIRST, "535 5.7.8 no\r\n" },
	  SCRAM "[~]QUIT",
	  REFUSED " said: 535 5.7.8 no" IN_AUTH },
	{ "not now",
	  "PLAIN",
	  { "454 4.7.0 later\r\n" },
	  PLAIN "QUIT",
	  "login refused 4.7.0 " ROUTE ": " SAID "454 4.7.0 later" IN_AUTH },
	{ "another password is due",
	  "PLAIN",
	  { "432 4.7.12 change it\r\n" },
	  PLAIN "QUIT",
	  "login refused 4.7.12 " ROUTE ": " SAID "432 4.7.12 change it" IN_AUTH },
	{ "not now, without an enhanced code",
	  "PLAIN",
	  { "454 later\r\n" },
	  PLAIN "QUIT",
	  REFUSED " said: 454 later" IN_AUTH },
	{ "not now, with one that does not fit",
	  "PLAIN",
	  { "454 5.7.0 later\r\n" },
	  PLAIN "QUIT",
	  REFUSED " said: 454 5.7.0 later" IN_AUTH },
	{ "syntax",
	  "PLAIN",
	  { "500 5.5.6 what\r\n" },
	  PLAIN "QUIT",
	  REFUSED " said: 500 5.5.6 what" IN_AUTH },
	{ "421",
	  "PLAIN",
	  { "421 4.3.2 bye\r\n" },
	  PLAIN "QUIT",
	  TEMP "3.2 " SAID "421 4.3.2 bye" IN_AUTH },
	{ "421 to a response",
	  "LOGIN",
	  { ASK, "421 bye\r\n" },
	  "[AUTH LOGIN][" USER "]QUIT",
	  TEMP "0.0 " SAID "421 bye" IN_AUTH },

	/* Nobody is in who has not said all, and no server that has not shown what it knows. */
	{ "in before the user was said",
	  "LOGIN",
	  { WELCOME },
	  "[AUTH LOGIN]QUIT",
	  REFUSED " said: 235 2.7.0 welcome" IN_AUTH " before the login was complete" },
	{ "in before the password was said",
	  "LOGIN",
	  { ASK, WELCOME },
	  "[AUTH LOGIN][" USER "]QUIT",
	  REFUSED " said: 235 2.7.0 welcome" IN_AUTH " before the login was complete" },
	{ "in at once",
	  "SCRAM-SHA-256",
	  { WELCOME },
	  SCRAM "QUIT",
	  REFUSED " said: 235 2.7.0 welcome" IN_AUTH " before the login was complete" },
	{ "in without a proof",
	  "SCRAM-SHA-256",
	  { SCRAM_FIRST, WELCOME },
	  SCRAM "[~]QUIT",
	  REFUSED " said: 235 2.7.0 welcome" IN_AUTH " before the login was complete" },

	/* What cannot be answered is cancelled, whatever comes of that. */
	{ "asks too much, PLAIN",
	  "PLAIN",
	  { ASK },
	  PLAIN "[*]QUIT",
	  REFUSED ": PLAIN: the server asks when all has been said" },
	{ "asks too much, LOGIN",
	  "LOGIN",
	  { ASK, ASK, ASK },
	  "[AUTH LOGIN][" USER "][" SECRET "][*]QUIT",
	  REFUSED ": LOGIN: the server asks when all has been said" },
	{ "asks too much, SCRAM",
	  "SCRAM-SHA-256",
	  { SCRAM_FIRST, SCRAM_FINAL, "334 \r\n" },
	  SCRAM "[~][][*]QUIT",
	  REFUSED ": SCRAM-SHA-256: the server asks when all has been said" },
	{ "no base64",
	  "LOGIN",
	  { "334 Username:\r\n" },
	  "[AUTH LOGIN][*]QUIT",
	  REFUSED ": the server's challenge is not base64" },
	{ "two lines",
	  "LOGIN",
	  { "334-VXNl\r\n334 VXNl\r\n" },
	  "[AUTH LOGIN][*]QUIT",
	  REFUSED ": the server's challenge is not base64" },
	{ "another 3xx",
	  "LOGIN",
	  { "354 go ahead\r\n" },
	  "[AUTH LOGIN][*]QUIT",
	  REFUSED ": the server's challenge is not base64" },
	{ "a challenge of nobody",
	  "SCRAM-SHA-256",
	  { ASK },
	  SCRAM "[*]QUIT",
	  REFUSED ": SCRAM-SHA-256: the server's challenge cannot be read" },
	{ "no proof of the server",
	  "SCRAM-SHA-256",
	  { SCRAM_FIRST, "334 dj1BQUFB\r\n" },
	  SCRAM "[~][*]QUIT",
	  REFUSED ": SCRAM-SHA-256: the server cannot prove that it knows the password" },
	{ "refused in the challenge",
	  "SCRAM-SHA-256",
	  { SCRAM_FIRST, "334 ZT1pbnZhbGlkLXByb29m\r\n" },
	  SCRAM "[~][*]QUIT",
	  REFUSED ": SCRAM-SHA-256: the server refuses: invalid-proof" },
	{ "421 to a cancel",
	  "PLAIN",
	  { ASK, "421 4.3.2 bye\r\n" },
	  PLAIN "[*]QUIT",
	  REFUSED ": PLAIN: the server asks when all has been said" },
	{ "in after a cancel, which changes nothing",
	  "PLAIN",
	  { ASK, WELCOME },
	  PLAIN "[*]QUIT",
	  REFUSED ": PLAIN: the server asks when all has been said" },
	{ "asked again after a cancel",
	  "PLAIN",
	  { ASK, ASK },
	  PLAIN "[*]QUIT",
	  REFUSED ": PLAIN: the server asks when all has been said" },

	/* Nothing that could be said. */
	{ "not offered",
	  "CRAM-MD5 XOAUTH2 SCRAM-SHA-256-PLUS",
	  { 0 },
	  "QUIT",
	  REFUSED " offers none of AUTH SCRAM-SHA-256, AUTH PLAIN, AUTH LOGIN" },
	{ "nothing offered",
	  "",
	  { 0 },
	  "QUIT",
	  REFUSED " offers none of AUTH SCRAM-SHA-256, AUTH PLAIN, AUTH LOGIN" },
};

static inline void check_login_story(const struct login_story *s)
{
	static struct play p;
	struct dialog_session kept = { 0 };
	play_login(&p, 1, s->mechanisms);
	memcpy(p.auth.replies, s->auth, sizeof(s->auth));
	p.script.keep = true;
	play(&p);
	bool sent = p.got[0].event == EVENT_ACCEPTED;
	const char *log = arena_fmt(p.arena, S "%s", s->log);
	if (sent) /* it is kept, and there is no QUIT */
		log = arena_fmt(p.arena, "%.*s", (int)strlen(log) - 4, log);
	CHECK_LOG(s->label, &p, log);
	CHECK_STR(s->label, outcome_text(&p, 0), s->want);
	check_no_secret(&p, s->label);
	CHECK(s->label, dialog_kept(p.d, &kept) == sent && kept.logged_in == sent);
	if (sent)
		CHECK(s->label, p.auth.done);
	else
		CHECK(s->label, p.got[0].code.cls == 4);
	arena_close(p.arena);
}

static inline void test_login_stories(void)
{
	for (size_t i = 0; i < LEN(login_stories); i++)
		check_login_story(&login_stories[i]);
}

/* All recipients have the same answer, and who was settled before has none. */
static inline void test_login_many(void)
{
	static const bool skip[] = { false, true, false };
	static struct play p;
	play_login(&p, 3, "PLAIN");
	p.script.skip = skip;
	p.auth.replies[0] = "535 no\r\n";
	play(&p);
	CHECK_STR("refused", letters(&p), "a-a");
	CHECK("cause", p.got[0].cause == CAUSE_SERVER);
	arena_close(p.arena);

	play_login(&p, 3, "LOGIN");
	p.auth.replies[0] = "334 Username:\r\n";
	play(&p);
	CHECK_STR("cancelled", letters(&p), "aaa");
	CHECK("cause", p.got[0].cause == CAUSE_POLICY);
	arena_close(p.arena);

	play_login(&p, 3, "PLAIN");
	p.pipelining = true;
	play(&p);
	CHECK_STR("accepted", letters(&p), "AAA");
	CHECK_STR("AUTH is not pipelined, and MAIL says nothing of it", play_log(&p),
		  S PLAIN "[" M "|" R1 "|" R2 "|RCPT TO:<r3@b.test>|DATA]" TEXT);
	arena_close(p.arena);
}

/* ---- the fence ---- */

/* Whatever a wrong script says: no proof, no password. */
static inline void test_login_fence(void)
{
	static const struct {
		const char *label;
		enum demand_level level;
		bool hides, plain, testing, tls_first;
		enum secure_trouble trouble;
		bool good;
	} cases[] = {
		{ .label = "no TLS wanted", .level = DEMAND_NONE },
		{ .label = "no TLS offered", .level = DEMAND_MAY, .hides = true },
		{ .label = "last resort", .level = DEMAND_MAY, .plain = true },
		{ .label = "no proof asked for", .level = DEMAND_MAY },
		{ .label = "encrypted", .level = DEMAND_ENCRYPT },
		{ .label = "encrypted from the start", .level = DEMAND_ENCRYPT, .tls_first = true },
		{ .label = "nothing asked for", .level = DEMAND_NONE, .tls_first = true },
		{ .label = "only a test",
		  .level = DEMAND_MAY,
		  .testing = true,
		  .trouble = SECURE_WRONG_NAME },
		{ .label = "a test that failed",
		  .level = DEMAND_VERIFY,
		  .testing = true,
		  .trouble = SECURE_NOT_TRUSTED },
		{ .label = "a test that did not fail",
		  .level = DEMAND_VERIFY,
		  .testing = true,
		  .good = true },
		{ .label = "proven", .level = DEMAND_VERIFY, .good = true },
		{ .label = "proven by DANE", .level = DEMAND_DANE, .good = true },
		{ .label = "proven from the start",
		  .level = DEMAND_VERIFY,
		  .tls_first = true,
		  .good = true },
	};
	for (size_t i = 0; i < LEN(cases); i++) {
		static struct play p;
		play_login(&p, 1, "PLAIN LOGIN SCRAM-SHA-256");
		play_demand(&p, cases[i].level);
		p.offers = cases[i].hides ? "250-AUTH PLAIN\r\n"
					  : "250-AUTH PLAIN\r\n250-STARTTLS\r\n";
		p.script.plain = cases[i].plain;
		p.script.demand.sts_testing = cases[i].testing;
		p.script.tls_first = cases[i].tls_first;
		p.trouble = cases[i].trouble;
		p.auth.replies[0] = SCRAM_FIRST;
		p.auth.replies[1] = SCRAM_FINAL;
		play(&p);
		bool said = strstr(play_log(&p), "AUTH") != NULL;
		CHECK(cases[i].label, said == cases[i].good && p.auth.done == cases[i].good);
		CHECK(cases[i].label, strstr(play_log(&p), "MAIL") ? cases[i].good : true);
		CHECK_STR(cases[i].label, outcome_text(&p, 0),
			  cases[i].good ? SENT
					: "login refused 4.7.11 " ROUTE ": " X
					  " has not proven who it is: it gets no password");
		arena_close(p.arena);
	}
}

/* What was offered before TLS, or behind HELO, is not offered; a stripped STARTTLS is a demand that
 * is not met. */
static inline void test_login_offers(void)
{
	static const struct answer helo[] = { { "HELO", "250-mx.test\r\n250 AUTH PLAIN\r\n" } };
	static struct play p;
	play_login(&p, 1, "");
	p.offers = "250-AUTH PLAIN LOGIN\r\n250-STARTTLS\r\n";
	play(&p);
	CHECK_STR("before TLS", play_log(&p), S "QUIT");
	CHECK_STR("before TLS", letters(&p), "a");
	arena_close(p.arena);

	play_login(&p, 1, "");
	p.after = (struct answer){ "EHLO", "502 what\r\n" };
	p.answers = helo;
	p.nanswers = 1;
	play(&p);
	CHECK_STR("HELO", play_log(&p), S H "QUIT");
	CHECK_STR("HELO", letters(&p), "a");
	arena_close(p.arena);

	play_login(&p, 1, "PLAIN");
	p.offers = "250-AUTH PLAIN LOGIN\r\n";
	play(&p);
	CHECK_STR("stripped", play_log(&p), E "QUIT");
	CHECK_STR("stripped", letters(&p), "D");
	arena_close(p.arena);

	/* A server that cannot carry the message is asked for the login all the same: its next
	   message needs one. */
	struct dialog_session kept = { 0 };
	play_login(&p, 1, "PLAIN\r\n250-SIZE 99");
	p.script.keep = true;
	play(&p);
	CHECK_STR("too large", play_log(&p), S PLAIN);
	CHECK_STR("too large", letters(&p), "c");
	CHECK("too large", dialog_kept(p.d, &kept) && kept.logged_in);
	arena_close(p.arena);
}

#define TESTS_LOGIN                                                                                \
	{ "login, stories", test_login_stories }, { "login, many", test_login_many },              \
		{ "login, fence", test_login_fence },                                              \
	{                                                                                          \
		"login, offers", test_login_offers                                                 \
	}

#endif
