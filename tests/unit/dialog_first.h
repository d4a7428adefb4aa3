/* SPDX-License-Identifier: ISC */
/* TLS before the greeting (RFC 8314 section 3.3). */
#ifndef TESTS_DIALOG_FIRST_H
#define TESTS_DIALOG_FIRST_H

#include "dialog_login.h"

static const struct first_story {
	const char *label;
	enum demand_level level;
	bool plain;
	struct answer answer, after;
	enum secure_trouble trouble;
	enum fault fault;
	size_t at;
	const char *log, *want;
	enum tlsrpt_failure failure;
} first_stories[] = {
	{ .label = "proven", .level = DEMAND_VERIFY, .log = "(TLS)" E ONE, .want = SENT },
	{ .label = "encrypted", .level = DEMAND_ENCRYPT, .log = "(TLS)" E ONE, .want = SENT },
	{ .label = "there is no last resort",
	  .level = DEMAND_MAY,
	  .plain = true,
	  .log = "(TLS)" E ONE,
	  .want = SENT },
	{ .label = "HELO",
	  .level = DEMAND_VERIFY,
	  .answer = { "EHLO", "502 what\r\n" },
	  .log = "(TLS)" E H ONE,
	  .want = SENT },
	{ .label = "no proof",
	  .level = DEMAND_VERIFY,
	  .trouble = SECURE_WRONG_NAME,
	  .log = "(TLS)QUIT",
	  .want = UNMET X ": TLS: the certificate has expired (demanded: mta-sts enforce)",
	  .failure = TLSRPT_CERTIFICATE_HOST_MISMATCH },
	{ .label = "no handshake, nothing demanded",
	  .level = DEMAND_MAY,
	  .trouble = SECURE_HANDSHAKE,
	  .log = "(TLS)QUIT",
	  .want = UNMET X ": TLS: the certificate has expired",
	  .failure = TLSRPT_VALIDATION_FAILURE },
	{ .label = "no handshake, not even wanted",
	  .level = DEMAND_NONE,
	  .trouble = SECURE_HANDSHAKE,
	  .log = "(TLS)QUIT",
	  .want = UNMET X ": TLS: the certificate has expired",
	  .failure = TLSRPT_VALIDATION_FAILURE },
	{ .label = "ours",
	  .level = DEMAND_VERIFY,
	  .trouble = SECURE_LOCAL,
	  .log = "(TLS)QUIT",
	  .want = "local 4.3.5 the roots cannot be read" },
	{ .label = "closed",
	  .level = DEMAND_ENCRYPT,
	  .fault = FAULT_LOST,
	  .log = "!QUIT",
	  .want = UNMET X ": TLS: timed out (demanded: configured)",
	  .failure = TLSRPT_VALIDATION_FAILURE },
	{ .label = "closed, nothing demanded",
	  .level = DEMAND_NONE,
	  .fault = FAULT_LOST,
	  .log = "!QUIT",
	  .want = UNMET X ": TLS: timed out",
	  .failure = TLSRPT_VALIDATION_FAILURE },
	{ .label = "stopped",
	  .level = DEMAND_VERIFY,
	  .fault = FAULT_LOCAL,
	  .log = "!QUIT",
	  .want = "local 4.3.0 stopped by the mail system" },
	{ .label = "a greeting in plain",
	  .level = DEMAND_VERIFY,
	  .fault = FAULT_EARLY,
	  .log = "!QUIT",
	  .want = "lost 4.5.0 " X
		  " said without being asked: 250 2.0.0 Ok (before the TLS handshake)" },
	{ .label = "no greeting",
	  .level = DEMAND_VERIFY,
	  .fault = FAULT_LOST,
	  .at = 1,
	  .log = "(TLS)!QUIT",
	  .want = "no response 4.4.2 " X ": timed out while waiting for the greeting" },
	{ .label = "lost behind it",
	  .level = DEMAND_VERIFY,
	  .fault = FAULT_LOST,
	  .at = 3,
	  .log = "(TLS)" E "!QUIT",
	  .want = "lost 4.4.2 " X ": timed out while waiting for the reply to EHLO" },
	{ .label = "a bad greeting",
	  .level = DEMAND_VERIFY,
	  .answer = { "greeting", "554 5.7.1 no\r\n" },
	  .log = "(TLS)QUIT",
	  .want = "greeting 5xx 5.7.1 " SAID "554 5.7.1 no (in its greeting)" },
};

static inline void test_tls_first(void)
{
	for (size_t i = 0; i < LEN(first_stories); i++) {
		static struct play p;
		const struct first_story *s = &first_stories[i];
		play_init(&p, 1, false);
		play_demand(&p, s->level);
		p.script.tls_first = true;
		p.script.plain = s->plain;
		p.offers = "250-AUTH PLAIN\r\n";
		p.offers_tls = "250-STARTTLS\r\n"; /* it has TLS, and needs no second one */
		p.answers = &s->answer;
		p.nanswers = 1;
		p.trouble = s->trouble;
		p.fault = s->fault;
		p.at = s->fault == FAULT_NONE ? SIZE_MAX : s->at;
		play(&p);
		CHECK_STR(s->label, play_log(&p), s->log);
		CHECK_STR(s->label, outcome_text(&p, 0), s->want);
		CHECK(s->label, dialog_tls(p.d)->failure == s->failure);
		CHECK(s->label, dialog_tls(p.d)->secured == p.secured);
		CHECK(s->label, !p.got[0].security->downgrade);
		arena_close(p.arena);
	}
}

static inline void test_tls_first_phases(void)
{
	static struct play p;
	play_login(&p, 1, "PLAIN");
	p.script.tls_first = true;
	play(&p);
	CHECK_STR("said", play_log(&p), "(TLS)" E PLAIN ONE);
	CHECK_STR(
		"phases", buf_cstr(&p.trace),
		"the TLS handshake 2;greeting 1;EHLO 2;EHLO 2;AUTH 2 s;AUTH 2 s;"
		"MAIL FROM 2 t;MAIL FROM 2 t;RCPT TO 2 t;RCPT TO 2 t;DATA 2 t;DATA 2 t;"
		"the message 3 t;the message 2 t;end of data 4 t c;end of data 4 t c;QUIT 2 t c;");
	CHECK_STR("level", p.got[0].security->level, "verify");
	arena_close(p.arena);

	/* A session that was kept has had its handshake. */
	struct dialog_session session = session_of(0, DEMAND_VERIFY);
	play_init(&p, 1, false);
	play_demand(&p, DEMAND_VERIFY);
	p.script.tls_first = true;
	p.script.resumed = &session;
	play(&p);
	CHECK_STR("resumed", play_log(&p), "[RSET]" ONE);
	arena_close(p.arena);
}

#define TESTS_FIRST                                                                                \
	{ "TLS first", test_tls_first },                                                           \
	{                                                                                          \
		"TLS first, phases", test_tls_first_phases                                         \
	}

#endif
