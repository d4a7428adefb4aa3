/* SPDX-License-Identifier: ISC */
/* The other side of a SCRAM login (RFC 5802), and a crypto for both that is quick and always the
 * same. It protects nothing. */
#ifndef TESTS_SCRAM_SERVER_H
#define TESTS_SCRAM_SERVER_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/secure.h"
#include "wire/base64.h"

static inline bool fake_random(void *p, size_t n)
{
	memset(p, 0x5a, n);
	return true;
}

static inline bool fake_hash(struct span a, struct span b, uint8_t ret[static SECURE_SHA256])
{
	for (uint64_t i = 0; i < SECURE_SHA256 / sizeof(i); i++) {
		struct digest d;
		digest_init(&d);
		digest_add(&d, (struct span){ (const char *)&i, sizeof(i) });
		digest_add(&d, a);
		digest_add(&d, SPAN("/"));
		digest_add(&d, b);
		uint64_t value = digest_value(&d);
		memcpy(ret + i * sizeof(value), &value, sizeof(value));
	}
	return true;
}

static inline bool fake_sha256(struct span bytes, uint8_t ret[static SECURE_SHA256])
{
	return fake_hash(bytes, SPAN(""), ret);
}

static inline bool fake_pbkdf2(struct span password, struct span salt, uint32_t iterations,
			       uint8_t ret[static SECURE_SHA256])
{
	return iterations > 0 && fake_hash(password, salt, ret);
}

static const struct secure_crypto fake_crypto = {
	.random = fake_random,
	.sha256 = fake_sha256,
	.hmac_sha256 = fake_hash,
	.pbkdf2_sha256 = fake_pbkdf2,
};

struct scram_server {
	const struct secure_crypto *crypto;
	const char *password, *nonce; /* its own part */
	struct span salt;
	uint32_t iterations;
	char bare[2048], first[2048]; /* what was said so far */
};

static inline struct span scram_span(const uint8_t *hash)
{
	return (struct span){ (const char *)hash, SECURE_SHA256 };
}

/* "r=...,s=...,i=..." to "n,,n=user,r=nonce". */
static inline bool scram_server_first(struct scram_server *v, struct span client, struct buf *out)
{
	struct buf first;
	buf_init(&first, v->first, sizeof(v->first));
	const char *nonce = memmem(client.p, client.n, ",r=", 3);
	if (client.n < 3 || memcmp(client.p, "n,,", 3) != 0 || !nonce)
		return false;
	snprintf(v->bare, sizeof(v->bare), "%.*s", (int)client.n - 3, client.p + 3);
	buf_add(&first, (struct span){ nonce + 1, client.n - (size_t)(nonce + 1 - client.p) });
	buf_addf(&first, "%s,s=", v->nonce);
	base64_add(&first, v->salt);
	buf_addf(&first, ",i=%u", (unsigned)v->iterations);
	buf_add(out, span_of(buf_cstr(&first)));
	return !first.overflow;
}

/* "v=..." to "c=biws,r=...,p=...". False: that is no proof of the password. */
static inline bool scram_server_final(struct scram_server *v, struct span client, struct buf *out)
{
	const struct secure_crypto *c = v->crypto;
	uint8_t salted[SECURE_SHA256], key[SECURE_SHA256], stored[SECURE_SHA256],
		signature[SECURE_SHA256];
	char text[6000], room[SECURE_SHA256 + 1];
	struct buf message, proof;
	const char *at = memmem(client.p, client.n, ",p=", 3);
	buf_init(&message, text, sizeof(text));
	buf_init(&proof, room, sizeof(room));
	if (!at ||
	    !base64_read((struct span){ at + 3, client.n - (size_t)(at + 3 - client.p) }, &proof) ||
	    proof.len != SECURE_SHA256)
		return false;
	buf_addf(&message, "%s,%s,", v->bare, v->first);
	buf_add(&message, (struct span){ client.p, (size_t)(at - client.p) });
	(void)c->pbkdf2_sha256(span_of(v->password), v->salt, v->iterations, salted);
	(void)c->hmac_sha256(scram_span(salted), SPAN("Client Key"), key);
	(void)c->sha256(scram_span(key), stored);
	(void)c->hmac_sha256(scram_span(stored), buf_view(&message), signature);
	for (size_t i = 0; i < SECURE_SHA256; i++)
		key[i] = (uint8_t)((uint8_t)room[i] ^ signature[i]); /* as the proof has it */
	(void)c->sha256(scram_span(key), signature);
	if (memcmp(signature, stored, sizeof(stored)) != 0)
		return false;
	(void)c->hmac_sha256(scram_span(salted), SPAN("Server Key"), key);
	(void)c->hmac_sha256(scram_span(key), buf_view(&message), signature);
	buf_add(out, SPAN("v="));
	base64_add(out, scram_span(signature));
	return !out->overflow;
}

#endif
