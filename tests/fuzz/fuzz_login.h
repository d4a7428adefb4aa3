/* SPDX-License-Identifier: ISC */
/* A login as an onlooker sees it, who knows both sides: what the server says, and when it is done.
 */
#ifndef TESTS_FUZZ_LOGIN_H
#define TESTS_FUZZ_LOGIN_H

#include "../unit/scram_server.h"
#include "core/dialog.h"

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

/* What an onlooker knows of a login. */
struct auth {
	const struct login *login; /* NULL: none */
	uint8_t how;
	uint32_t now; /* offered in the last reply to EHLO */
	enum ehlo_auth mechanism;
	bool said, open, cancelled; /* AUTH, its exchange */
	unsigned words;             /* that were said */
	bool proven, shown; /* proven: the server has shown what it knows, and that was answered */
	bool done;
	struct scram_server scram;
};

static void parse(struct span text, struct reply *ret)
{
	struct reply_parser p;
	size_t used;
	reply_parser_init(&p);
	REQUIRE(reply_parse(&p, text, &used) == PARSE_DONE);
	*ret = p.reply;
}

static bool no_random(void *p, size_t n)
{
	(void)p;
	(void)n;
	return false;
}

/* By bit: what is offered in TLS (three), whether all is before it, a long user, no randomness. */
static void auth_init(struct auth *a, uint8_t how, struct login *login,
		      struct secure_crypto *crypto)
{
	static char long_user[600];
	memset(long_user, 'u', sizeof(long_user) - 1);
	a->how = how;
	*crypto = fake_crypto;
	if (how & 32)
		crypto->random = no_random;
	*login = (struct login){ how & 16 ? long_user : "user", "secret", "route" };
	a->login = login;
	a->scram = (struct scram_server){ .crypto = &fake_crypto,
					  .password = "secret",
					  .nonce = "theirs",
					  .salt = SPAN("salt"),
					  .iterations = 4096 };
}

static uint32_t auth_offers(const struct auth *a, bool secured)
{
	const uint32_t all = AUTH_SCRAM_SHA_256 | AUTH_PLAIN | AUTH_LOGIN;
	return secured ? a->how & all : a->how & 8 ? all : 0;
}

static void add_auth(struct buf *text, uint32_t offers)
{
	if (offers & AUTH_PLAIN)
		buf_add(text, SPAN("250-AUTH=PLAIN\r\n"));
	if (offers & AUTH_LOGIN)
		buf_add(text, SPAN("250-AUTH LOGIN\r\n"));
	if (offers & AUTH_SCRAM_SHA_256)
		buf_add(text, SPAN("250-AUTH SCRAM-SHA-256\r\n"));
}

/* What a server says that knows the password. */
static void add_proof(struct auth *a, struct span word, struct buf *text)
{
	char said[LIMIT_COMMAND], room[LIMIT_REPLY_LINE];
	struct buf client, server;
	buf_init(&client, said, sizeof(said));
	buf_init(&server, room, sizeof(room));
	REQUIRE(base64_read(word, &client));
	if (a->words == 1)
		REQUIRE(scram_server_first(&a->scram, buf_view(&client), &server));
	else
		a->shown = scram_server_final(&a->scram, buf_view(&client), &server);
	buf_add(text, SPAN("334 "));
	base64_add(text, buf_view(&server));
	buf_add(text, SPAN("\r\n"));
}

static void add_friendly(struct auth *a, struct span word, struct buf *text)
{
	unsigned needed = a->mechanism == AUTH_PLAIN ? 1 : a->mechanism == AUTH_LOGIN ? 2 : 3;
	if (a->cancelled)
		buf_add(text, SPAN("501 5.7.0 as you like\r\n"));
	else if (a->words == needed)
		buf_add(text, SPAN("235 2.7.0 in\r\n"));
	else if (a->mechanism == AUTH_SCRAM_SHA_256 && a->words > 0)
		add_proof(a, word, text);
	else
		buf_add(text, SPAN("334 \r\n"));
}

/* To AUTH and all that follows it: 'q' 'w' 'z' 'y' are challenges, 'o' 'r' 'v' ends, all others
 * what a friendly server says. */
static void auth_reply(struct auth *a, char op, struct span command, struct reply *ret)
{
	static const char ops[] = "qwzyorv";
	static const char *const lines[] = {
		"334 Username:\r\n",       "334 VXNlcm5hbWU6\r\n", "334 \r\n",
		"334 dj1BQUFB\r\n",        "235 2.7.0 in\r\n",     "535-5.7.8 no\r\n535 user\r\n",
		"535 secret c2VjcmV0\r\n",
	};
	char room[LIMIT_REPLY_LINE];
	struct buf text;
	struct span word = { 0 };
	const char *known = op ? strchr(ops, op) : NULL;
	buf_init(&text, room, sizeof(room));
	while (span_cut(&command, ' ', &word)) /* the last one */
		;
	if (known)
		buf_add(&text, span_of(lines[known - ops]));
	else
		add_friendly(a, word, &text);
	parse(buf_view(&text), ret);
}

/* Is it a login, for both? */
static bool auth_is_complete(const struct auth *a)
{
	if (a->cancelled)
		return false;
	if (a->mechanism == AUTH_SCRAM_SHA_256)
		return a->proven;
	return a->words == (a->mechanism == AUTH_PLAIN ? 1 : 2);
}

static void auth_heard(struct auth *a, const struct reply *r)
{
	a->open = reply_class(r) == 3;
	a->done = a->done || (reply_class(r) == 2 && auth_is_complete(a));
}

/* Once in a session, and what was offered there. */
static void auth_begin(struct auth *a, struct span line)
{
	REQUIRE(a->login && !a->said);
	a->said = a->open = true;
	a->mechanism = span_starts_nocase(line, SPAN("AUTH PLAIN"))   ? AUTH_PLAIN
		       : span_starts_nocase(line, SPAN("AUTH LOGIN")) ? AUTH_LOGIN
								      : AUTH_SCRAM_SHA_256;
	REQUIRE(a->now & a->mechanism);
	REQUIRE(line.n + 1 <= 512);
	a->words = memchr(line.p + 5, ' ', line.n - 5) != NULL;
}

/* A line of the login; the CR is in it. */
static void auth_word(struct auth *a, struct span line)
{
	char room[LIMIT_COMMAND];
	struct buf bytes;
	buf_init(&bytes, room, sizeof(room));
	line.n--;
	REQUIRE(!a->cancelled);
	a->cancelled = span_equal(line, SPAN("*"));
	REQUIRE(a->cancelled || base64_read(line, &bytes));
	REQUIRE(a->cancelled || ++a->words <= 3);
	a->proven = a->shown && !a->cancelled && line.n == 0;
}

#endif
