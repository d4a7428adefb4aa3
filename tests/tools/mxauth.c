/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "mxauth.h"

#define KEY        32 /* of SHA-256 */
#define ITERATIONS 4096

struct scram {
	char *password;
	int64_t iterations;
	char *first; /* what the client said first, without its header */
	char *challenge;
	char *nonce;
	struct bytes said; /* AuthMessage, once the proof has come */
};

/* ---- what libraries do ---- */

static void must(int code)
{
	if (code < 0)
		die("GnuTLS: %s", gnutls_strerror(code));
}

void base64_put(struct bytes *out, const void *p, size_t n)
{
	gnutls_datum_t in = { .data = (unsigned char *)p, .size = (unsigned)n }, text;
	if (n == 0)
		return;
	must(gnutls_base64_encode2(&in, &text));
	bytes_add(out, text.data, text.size);
	gnutls_free(text.data);
}

static bool base64_take(const char *p, struct bytes *out)
{
	gnutls_datum_t in = { .data = (unsigned char *)p, .size = (unsigned)strlen(p) }, plain;
	if (gnutls_base64_decode2(&in, &plain) < 0)
		return false;
	bytes_add(out, plain.data, plain.size);
	gnutls_free(plain.data);
	return true;
}

static void mac(const uint8_t key[KEY], const char *text, uint8_t ret[KEY])
{
	must(gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, KEY, text, strlen(text), ret));
}

static void salted(const struct scram *s, const char *salt, uint8_t ret[KEY])
{
	gnutls_datum_t password = { .data = (unsigned char *)s->password,
				    .size = (unsigned)strlen(s->password) };
	gnutls_datum_t grains = { .data = (unsigned char *)salt, .size = (unsigned)strlen(salt) };
	must(gnutls_pbkdf2(GNUTLS_MAC_SHA256, &password, &grains, (unsigned)s->iterations, ret,
			   KEY));
}

/* ---- the words of a story ---- */

static const struct {
	const char *name;
	enum scram_step step;
	bool said;
} steps[] = {
	{ "@scram-first ", SCRAM_FIRST, false },
	{ "@scram-challenge", SCRAM_CHALLENGE, true },
	{ "@scram-proof", SCRAM_PROOF, false },
	{ "@scram-signature", SCRAM_SIGNATURE, true },
};

enum scram_step scram_parse(const char *text, bool said, const char **ret_words)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		size_t n = strlen(steps[i].name);
		int64_t iterations;
		if (steps[i].said != said || strncmp(text, steps[i].name, n) != 0)
			continue;
		const char *words = text + n + strspn(text + n, " ");
		if (*words &&
		    (steps[i].step == SCRAM_PROOF ||
		     (steps[i].step == SCRAM_CHALLENGE && !parse_number(words, &iterations)) ||
		     (steps[i].step == SCRAM_SIGNATURE && strcmp(words, "wrong") != 0)))
			die("what is this: %s", text);
		if (steps[i].step == SCRAM_FIRST && !strchr(words, ' '))
			die("@scram-first USER PASSWORD, not %s", text);
		*ret_words = words;
		return steps[i].step;
	}
	return SCRAM_NONE;
}

/* ---- the conversation ---- */

static const char salt[] = "salt of this host";

/* "AUTH SCRAM-SHA-256 BASE64 of n,,n=USER,r=NONCE" (RFC 5802 section 7). */
static const char *heard_first(struct scram **s, const char *words, const char *line)
{
	static const char verb[] = "AUTH SCRAM-SHA-256 ";
	size_t user = strcspn(words, " ");
	struct bytes plain = { 0 };
	if (strncmp(line, verb, strlen(verb)) != 0 || !base64_take(line + strlen(verb), &plain))
		return "no SCRAM-SHA-256 with a first message";
	char *want = xprintf("n,,n=%.*s,r=", (int)user, words);
	size_t n = strlen(want);
	if (strlen(plain.p) != plain.n || strncmp(plain.p, want, n) != 0 || !plain.p[n] ||
	    strchr(plain.p + n, ','))
		return xprintf("wanted \"%sNONCE\", got \"%s\"", want, bytes_text(&plain));
	scram_free(*s);
	*s = xalloc(sizeof(**s));
	(*s)->password = xprintf("%s", words + user + 1);
	(*s)->first = xprintf("%s", plain.p + 3);
	(*s)->nonce = xprintf("%s", plain.p + n);
	free(want);
	bytes_free(&plain);
	return NULL;
}

static void say_challenge(struct scram *s, const char *words, struct bytes *out)
{
	uint8_t random[12];
	struct bytes nonce = { 0 }, grains = { 0 };
	s->iterations = ITERATIONS;
	if (*words)
		parse_number(words, &s->iterations);
	must(gnutls_rnd(GNUTLS_RND_NONCE, random, sizeof(random)));
	bytes_addf(&nonce, "%s", s->nonce);
	base64_put(&nonce, random, sizeof(random));
	base64_put(&grains, salt, strlen(salt));
	free(s->nonce);
	s->nonce = nonce.p;
	s->challenge = xprintf("r=%s,s=%s,i=%lld", s->nonce, grains.p, (long long)s->iterations);
	base64_put(out, s->challenge, strlen(s->challenge));
	bytes_free(&grains);
}

/* ClientProof = ClientKey XOR HMAC(H(ClientKey), AuthMessage) (RFC 5802 section 3). */
static bool proves(const struct scram *s, const char *proof)
{
	uint8_t password[KEY], key[KEY], stored[KEY], signature[KEY];
	struct bytes got = { 0 };
	salted(s, salt, password);
	mac(password, "Client Key", key);
	must(gnutls_hash_fast(GNUTLS_DIG_SHA256, key, KEY, stored));
	mac(stored, s->said.p, signature);
	bool good = base64_take(proof, &got) && got.n == KEY;
	for (size_t i = 0; good && i < KEY; i++)
		good = ((uint8_t)got.p[i] ^ signature[i]) == key[i];
	bytes_free(&got);
	return good;
}

/* "c=biws,r=NONCE,p=PROOF" in base64. */
static const char *heard_proof(struct scram *s, const char *line)
{
	struct bytes plain = { 0 };
	if (!s || !s->challenge)
		return "nothing was asked";
	if (!base64_take(line, &plain))
		return "no base64";
	char *want = xprintf("c=biws,r=%s,p=", s->nonce);
	size_t n = strlen(want);
	if (strlen(plain.p) != plain.n || strncmp(plain.p, want, n) != 0)
		return xprintf("wanted \"%sPROOF\", got \"%s\"", want, bytes_text(&plain));
	bytes_cut(&s->said, s->said.n);
	bytes_addf(&s->said, "%s,%s,%.*s", s->first, s->challenge, (int)n - 3, plain.p);
	bool good = proves(s, plain.p + n);
	free(want);
	bytes_free(&plain);
	return good ? NULL : "the proof is that of another password";
}

static void say_signature(const struct scram *s, const char *words, struct bytes *out)
{
	uint8_t password[KEY], key[KEY], signature[KEY];
	struct bytes text = { 0 };
	salted(s, salt, password);
	mac(password, "Server Key", key);
	mac(key, bytes_text(&s->said), signature);
	signature[0] ^= *words ? 1 : 0;
	bytes_addf(&text, "v=");
	base64_put(&text, signature, KEY);
	base64_put(out, text.p, text.n);
	bytes_free(&text);
}

const char *scram_heard(struct scram **s, enum scram_step step, const char *words, const char *line)
{
	return step == SCRAM_FIRST ? heard_first(s, words, line) : heard_proof(*s, line);
}

void scram_say(struct scram *s, enum scram_step step, const char *words, struct bytes *out)
{
	bytes_addf(out, "334 ");
	if (s && step == SCRAM_CHALLENGE)
		say_challenge(s, words, out);
	else if (s)
		say_signature(s, words, out);
	bytes_add(out, "\r\n", 2);
}

void scram_free(struct scram *s)
{
	if (!s)
		return;
	free(s->password);
	free(s->first);
	free(s->challenge);
	free(s->nonce);
	bytes_free(&s->said);
	free(s);
}
