/* SPDX-License-Identifier: ISC */
/*
 * A login against any server: it ends after two challenges, a response fits its room, whatever the
 * server breaks is temporary, and no SCRAM login is complete before the server has proven itself.
 *
 * The first byte has the mechanism (two bits) and whether user and password are unusual ones; then
 * lines that are challenges. In one that begins with '!' that stands for what a server says that
 * knows the password; one that begins with '?' is that with a byte changed.
 */
#include <stdint.h>

#include "../unit/scram_server.h"
#include "base/text.h"
#include "core/sasl.h"

#define NONCE   20 /* of the client */
#define CHANGED 5  /* a byte of the nonce, or of the signature */
#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct talk {
	enum ehlo_auth mechanism;
	const struct login *login;
	struct sasl *sasl;
	struct scram_server server;
	char said[SASL_RESPONSE + 1], asked[4096];
	struct buf response, challenge;
	unsigned answered;
	char proof[100]; /* the only one */
};

static void make_challenge(struct talk *t, struct span line)
{
	bool true_one = line.n > 0 && (line.p[0] == '!' || line.p[0] == '?');
	buf_reset(&t->challenge);
	if (true_one && t->mechanism == AUTH_SCRAM_SHA_256 && t->answered < 2) {
		if (t->answered == 0)
			REQUIRE(scram_server_first(&t->server, buf_view(&t->response),
						   &t->challenge));
		else
			buf_add(&t->challenge, span_of(t->proof));
		char *at = t->challenge.len > CHANGED ? t->challenge.p + CHANGED : NULL;
		if (at && line.p[0] == '?')
			*at = *at == 'A' ? 'B' : 'A';
		line = (struct span){ line.p + 1, line.n - 1 };
	}
	buf_add(&t->challenge, line);
	/* What it has said it signs. */
	snprintf(t->server.first, sizeof(t->server.first), "%.*s", (int)t->challenge.len,
		 t->challenge.p);
}

static bool may_be_complete(const struct talk *t)
{
	struct span said, rest = buf_view(&t->challenge);
	if (t->mechanism != AUTH_SCRAM_SHA_256)
		return t->answered == (t->mechanism == AUTH_LOGIN ? 2 : 0);
	return t->answered == 2 && span_cut(&rest, ',', &said) &&
	       span_equal(said, span_of(t->proof));
}

/* What a server would make of the response that has sent this challenge: the client knows the
 * password. */
static void check_final(struct talk *t)
{
	struct span challenge = buf_view(&t->challenge), nonce, salt, count;
	char grain[4096];
	struct buf read, proof;
	uint64_t iterations = 0;
	buf_init(&proof, t->proof, sizeof(t->proof));
	buf_init(&read, grain, sizeof(grain));
	REQUIRE(span_cut(&challenge, ',', &nonce) && span_cut(&challenge, ',', &salt) &&
		span_cut(&challenge, ',', &count));
	REQUIRE(base64_read((struct span){ salt.p + 2, salt.n - 2 }, &read) && read.len > 0);
	t->server.salt = buf_view(&read);
	REQUIRE(text_u64((struct span){ count.p + 2, count.n - 2 }, UINT32_MAX, &iterations));
	t->server.iterations = (uint32_t)iterations;
	/* Only what goes on from our nonce, with work enough to do, has an answer. */
	REQUIRE(memmem(t->server.bare, strlen(t->server.bare), nonce.p, NONCE + 2));
	REQUIRE(t->server.iterations >= 4096 && t->server.iterations <= SASL_ITERATIONS);
	/* A challenge with a NUL in it is more than this server can remember. */
	if (!memchr(t->challenge.p, '\0', t->challenge.len) &&
	    t->challenge.len < sizeof(t->server.first))
		REQUIRE(scram_server_final(&t->server, buf_view(&t->response), &proof));
	buf_cstr(&proof);
}

/* False: the login is over. */
static bool answer(struct talk *t)
{
	struct error err = { 0 };
	bool scram = t->mechanism == AUTH_SCRAM_SHA_256;
	buf_reset(&t->response);
	if (!sasl_next(t->sasl, buf_view(&t->challenge), &t->response, &err)) {
		REQUIRE(err.class == ERR_TEMP && err.code.cls == 4 && err.text[0] != '\0');
		REQUIRE(!scram || t->answered == 2 || !sasl_is_complete(t->sasl));
		return false;
	}
	REQUIRE(++t->answered <= 2 && t->mechanism != AUTH_PLAIN);
	REQUIRE(!t->response.overflow && t->response.len <= SASL_RESPONSE);
	if (scram && t->answered == 1)
		check_final(t);
	REQUIRE(sasl_is_complete(t->sasl) == may_be_complete(t));
	REQUIRE(!scram || t->answered == 1 || t->response.len == 0);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct login usual = { "user", "secret", "" },
				  unusual = { ",=\xc3\xbc", "", "" };
	struct talk t = { .server = { .crypto = &fake_crypto,
				      .nonce = "theirs",
				      .salt = SPAN("salt"),
				      .iterations = 4096 } };
	struct span rest = { (const char *)data + 1, size - 1 }, line;
	struct error err;
	bool none;
	if (size < 1)
		return 0;
	struct arena *a = arena_open(LIMIT_ARENA);
	t.mechanism = sasl_choose(1u << (data[0] & 3) % 3);
	t.login = data[0] & 4 ? &unusual : &usual;
	t.server.password = t.login->password;
	t.sasl = sasl_new(a, t.mechanism, t.login, &fake_crypto);
	buf_init(&t.response, t.said, sizeof(t.said));
	buf_init(&t.challenge, t.asked, sizeof(t.asked));
	REQUIRE(sasl_first(t.sasl, &t.response, &none, &err));
	REQUIRE(none == (t.mechanism == AUTH_LOGIN));
	REQUIRE(sasl_is_complete(t.sasl) == (t.mechanism == AUTH_PLAIN));
	if (t.mechanism == AUTH_SCRAM_SHA_256)
		REQUIRE(scram_server_first(&t.server, buf_view(&t.response), &t.challenge));
	while (span_cut(&rest, '\n', &line)) {
		make_challenge(&t, line);
		if (!answer(&t))
			break;
	}
	arena_close(a);
	return 0;
}
