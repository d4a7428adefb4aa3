/* SPDX-License-Identifier: ISC */
#include "base/buf.h"
#include "base/text.h"
#include "core/sasl.h"
#include "wire/base64.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Of the client's nonce: its base64 has no padding, and 120 bits are never drawn twice. */
#define NONCE_BYTES 15
#define NONCE       BASE64_SIZE(NONCE_BYTES)

#define LEAST_ITERATIONS 4096 /* RFC 7677 section 4 */

/* No channel binding, no other identity (RFC 5802 section 7: gs2-header), and its base64. */
#define GS2_HEADER "n,,"
#define GS2_BASE64 "biws"

/* What a final message has besides the nonce: "c=biws,r=,p=" and the proof. */
#define FINAL (sizeof("c=" GS2_BASE64 ",r=,p=") - 1 + BASE64_SIZE(SECURE_SHA256))

struct sasl {
	struct arena *arena;
	const struct mechanism *mechanism;
	const struct login *login;
	const struct secure_crypto *crypto;
	unsigned answered; /* challenges */
	bool complete;

	/* SCRAM */
	char nonce[NONCE + 1];
	const char *bare; /* client-first-message-bare: of what is signed the first part */
	uint8_t signature[SECURE_SHA256]; /* by which the server proves itself */
};

static bool plain_first(struct sasl *s, struct buf *out, struct error *err);
static bool plain_next(struct sasl *s, struct span challenge, struct buf *out, struct error *err);
static bool login_next(struct sasl *s, struct span challenge, struct buf *out, struct error *err);
static bool scram_first(struct sasl *s, struct buf *out, struct error *err);
static bool scram_next(struct sasl *s, struct span challenge, struct buf *out, struct error *err);

static const struct mechanism {
	enum ehlo_auth auth;
	const char *name;
	bool (*first)(struct sasl *s, struct buf *out, struct error *err); /* NULL: none */
	bool (*next)(struct sasl *s, struct span challenge, struct buf *out, struct error *err);
} mechanisms[] = {
	/* The best one first. */
	{ AUTH_SCRAM_SHA_256, "SCRAM-SHA-256", scram_first, scram_next },
	{ AUTH_PLAIN, "PLAIN", plain_first, plain_next },
	{ AUTH_LOGIN, "LOGIN", NULL, login_next },
};

enum ehlo_auth sasl_choose(uint32_t offered)
{
	for (size_t i = 0; i < LEN(mechanisms); i++)
		if (offered & mechanisms[i].auth)
			return mechanisms[i].auth;
	return 0;
}

static const struct mechanism *mechanism_of(enum ehlo_auth auth)
{
	size_t i = 0;
	while (i + 1 < LEN(mechanisms) && mechanisms[i].auth != auth)
		i++;
	return &mechanisms[i];
}

const char *sasl_name(enum ehlo_auth mechanism)
{
	return mechanism_of(mechanism)->name;
}

struct sasl *sasl_new(struct arena *a, enum ehlo_auth mechanism, const struct login *login,
		      const struct secure_crypto *crypto)
{
	struct sasl *s = ARENA_NEW(a, struct sasl, 1);
	if (!s)
		return NULL;
	s->arena = a;
	s->mechanism = mechanism_of(mechanism);
	s->login = login;
	s->crypto = crypto;
	return s;
}

/* Is there room, once all was added? */
static bool fits(const struct buf *out, size_t before, struct error *err)
{
	if (!out->overflow && out->len - before <= SASL_RESPONSE)
		return true;
	return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "user and password are too long to log in");
}

bool sasl_first(struct sasl *s, struct buf *out, bool *ret_none, struct error *err)
{
	size_t before = out->len;
	bool none = !s->mechanism->first;
	if (!none && (!s->mechanism->first(s, out, err) || !fits(out, before, err)))
		return false;
	*ret_none = none;
	return true;
}

bool sasl_next(struct sasl *s, struct span challenge, struct buf *out, struct error *err)
{
	size_t before = out->len;
	if (!s->mechanism->next(s, challenge, out, err) || !fits(out, before, err))
		return false;
	s->answered++;
	return true;
}

bool sasl_is_complete(const struct sasl *s)
{
	return s->complete;
}

static bool broken(const struct sasl *s, const char *what, struct error *err)
{
	return err_set(err, ERR_TEMP, ESC(4, 7, 8), "%s: %s", s->mechanism->name, what);
}

/* ---- PLAIN: RFC 4616 section 2 ---- */

static bool plain_first(struct sasl *s, struct buf *out, struct error *err)
{
	(void)err;
	buf_addc(out, '\0');
	buf_add(out, span_of(s->login->user));
	buf_addc(out, '\0');
	buf_add(out, span_of(s->login->password));
	s->complete = true;
	return true;
}

static bool plain_next(struct sasl *s, struct span challenge, struct buf *out, struct error *err)
{
	(void)challenge;
	(void)out;
	return broken(s, "the server asks when all has been said", err);
}

/* ---- LOGIN: two questions, whose words are anybody's ---- */

static bool login_next(struct sasl *s, struct span challenge, struct buf *out, struct error *err)
{
	(void)challenge;
	if (s->answered > 1)
		return broken(s, "the server asks when all has been said", err);
	buf_add(out, span_of(s->answered == 0 ? s->login->user : s->login->password));
	s->complete = s->answered == 1;
	return true;
}

/* ---- SCRAM-SHA-256: RFC 5802 section 5 ---- */

static bool make_nonce(struct sasl *s)
{
	char bytes[NONCE_BYTES];
	struct buf nonce;
	if (!s->crypto->random(bytes, sizeof(bytes)))
		return false;
	buf_init(&nonce, s->nonce, sizeof(s->nonce));
	base64_add(&nonce, (struct span){ bytes, sizeof(bytes) });
	buf_cstr(&nonce);
	return true;
}

/* "n=user,r=nonce", where the user's "," and "=" are "=2C" and "=3D". */
static const char *make_bare(const struct sasl *s)
{
	size_t room = sizeof("n=,r=") + 3 * strlen(s->login->user) + NONCE;
	char *storage = ARENA_NEW(s->arena, char, room);
	struct buf bare;
	if (!storage)
		return NULL;
	buf_init(&bare, storage, room);
	buf_add(&bare, SPAN("n="));
	for (const char *p = s->login->user; *p; p++) {
		if (*p == ',' || *p == '=')
			buf_add(&bare, *p == ',' ? SPAN("=2C") : SPAN("=3D"));
		else
			buf_addc(&bare, *p);
	}
	buf_add(&bare, SPAN(",r="));
	buf_add(&bare, span_of(s->nonce));
	return buf_cstr(&bare);
}

static bool scram_first(struct sasl *s, struct buf *out, struct error *err)
{
	if (!make_nonce(s))
		return err_set(err, ERR_INTERNAL, ESC(4, 3, 0), "no random bytes to log in with");
	s->bare = make_bare(s);
	if (!s->bare)
		return err_nomem(err);
	buf_add(out, SPAN(GS2_HEADER));
	buf_add(out, span_of(s->bare));
	return true;
}

/* "r=...": the value of the next attribute if it is of that name. */
static bool take(struct span *rest, char name, struct span *ret)
{
	struct span part;
	if (!span_cut(rest, ',', &part) || part.n < 2 || part.p[0] != name || part.p[1] != '=')
		return false;
	*ret = (struct span){ part.p + 2, part.n - 2 };
	return true;
}

struct server_first {
	struct span nonce;
	char salt_room[LIMIT_REPLY_TEXT];
	struct buf salt;
	uint32_t iterations;
};

/* What comes behind the three is an extension, and may be passed over; one before them is "m=", and
 * may not. */
static bool read_server_first(const struct sasl *s, struct span said, struct server_first *ret,
			      struct error *err)
{
	struct span salt, count;
	uint64_t n;
	buf_init(&ret->salt, ret->salt_room, sizeof(ret->salt_room));
	if (!take(&said, 'r', &ret->nonce) || !take(&said, 's', &salt) ||
	    !take(&said, 'i', &count) || !base64_read(salt, &ret->salt) || ret->salt.len == 0 ||
	    !text_u64(count, UINT64_MAX, &n))
		return broken(s, "the server's challenge cannot be read", err);
	/* Else it may be an answer that somebody has overheard in another login. */
	if (ret->nonce.n <= NONCE || memcmp(ret->nonce.p, s->nonce, NONCE) != 0)
		return broken(s, "the server's nonce does not go on from ours", err);
	if (ret->nonce.n > SASL_RESPONSE - FINAL)
		return broken(s, "the server's nonce is too long", err);
	if (n < LEAST_ITERATIONS || n > SASL_ITERATIONS)
		return broken(s,
			      n < LEAST_ITERATIONS ? "the server asks for too few iterations"
						   : "the server asks for too many iterations",
			      err);
	ret->iterations = (uint32_t)n;
	return true;
}

/* AuthMessage = client-first-message-bare "," server-first-message "," final, the last one without
 * its proof. NULL: no memory. */
static struct span auth_message(const struct sasl *s, struct span server_first, struct span final)
{
	struct span bare = span_of(s->bare);
	size_t room = bare.n + server_first.n + final.n + sizeof(",,");
	char *storage = ARENA_NEW(s->arena, char, room);
	struct buf message;
	buf_init(&message, storage, storage ? room : 0);
	buf_add(&message, bare);
	buf_addc(&message, ',');
	buf_add(&message, server_first);
	buf_addc(&message, ',');
	buf_add(&message, final);
	return buf_view(&message);
}

static struct span span_of_hash(const uint8_t *hash)
{
	return (struct span){ (const char *)hash, SECURE_SHA256 };
}

/* The client's proof, and the signature that the server will have to show (RFC 5802 section 3). */
static bool prove(struct sasl *s, const struct server_first *said, struct span message,
		  uint8_t proof[static SECURE_SHA256])
{
	const struct secure_crypto *c = s->crypto;
	uint8_t salted[SECURE_SHA256], client[SECURE_SHA256], stored[SECURE_SHA256],
		server[SECURE_SHA256];
	bool ok = c->pbkdf2_sha256(span_of(s->login->password), buf_view(&said->salt),
				   said->iterations, salted) &&
		  c->hmac_sha256(span_of_hash(salted), SPAN("Client Key"), client) &&
		  c->sha256(span_of_hash(client), stored) &&
		  c->hmac_sha256(span_of_hash(stored), message, proof) &&
		  c->hmac_sha256(span_of_hash(salted), SPAN("Server Key"), server) &&
		  c->hmac_sha256(span_of_hash(server), message, s->signature);
	for (size_t i = 0; ok && i < SECURE_SHA256; i++)
		proof[i] ^= client[i];
	/* Whoever has these needs no password. */
	explicit_bzero(salted, sizeof(salted));
	explicit_bzero(client, sizeof(client));
	return ok;
}

/* "c=biws,r=nonce,p=proof" */
static bool scram_final(struct sasl *s, struct span challenge, struct buf *out, struct error *err)
{
	struct server_first said;
	uint8_t proof[SECURE_SHA256];
	const size_t before = out->len;
	if (!read_server_first(s, challenge, &said, err))
		return false;
	buf_add(out, SPAN("c=" GS2_BASE64 ",r="));
	buf_add(out, said.nonce);
	struct span message =
		auth_message(s, challenge, (struct span){ out->p + before, out->len - before });
	if (!message.p || !prove(s, &said, message, proof))
		return err_nomem(err);
	buf_add(out, SPAN(",p="));
	base64_add(out, span_of_hash(proof));
	return true;
}

/* "v=signature": that it knows the password, or what was made of it; "e=reason": that it refuses.
 */
static bool scram_verify(struct sasl *s, struct span challenge, struct error *err)
{
	char room[SECURE_SHA256 + 1];
	struct buf signature;
	struct span value, rest = challenge;
	buf_init(&signature, room, sizeof(room));
	if (!take(&rest, 'v', &value) || !base64_read(value, &signature) ||
	    !span_equal(buf_view(&signature), span_of_hash(s->signature)))
		return broken(s, "the server cannot prove that it knows the password", err);
	s->complete = true;
	return true;
}

static bool scram_next(struct sasl *s, struct span challenge, struct buf *out, struct error *err)
{
	struct span why, rest = challenge;
	if (take(&rest, 'e', &why))
		return err_set(err, ERR_TEMP, ESC(4, 7, 8), "%s: the server refuses: %.*s",
			       s->mechanism->name, (int)why.n, why.p);
	if (s->answered == 0)
		return scram_final(s, challenge, out, err);
	if (s->answered == 1)
		return scram_verify(s, challenge, err);
	return broken(s, "the server asks when all has been said", err);
}
