/* SPDX-License-Identifier: ISC */
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "tls/crypto.h"

static bool crypto_random(void *p, size_t n)
{
	return gnutls_rnd(GNUTLS_RND_RANDOM, p, n) == 0;
}

static bool crypto_sha256(struct span bytes, uint8_t ret[static SECURE_SHA256])
{
	return gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes.p, bytes.n, ret) == 0;
}

static bool crypto_hmac_sha256(struct span key, struct span bytes,
			       uint8_t ret[static SECURE_SHA256])
{
	return gnutls_hmac_fast(GNUTLS_MAC_SHA256, key.p, key.n, bytes.p, bytes.n, ret) == 0;
}

static bool crypto_pbkdf2_sha256(struct span password, struct span salt, uint32_t iterations,
				 uint8_t ret[static SECURE_SHA256])
{
	/* gnutls_datum_t has no const, but nothing is written to. */
	const gnutls_datum_t key = { (unsigned char *)(uintptr_t)password.p, (unsigned)password.n };
	const gnutls_datum_t grain = { (unsigned char *)(uintptr_t)salt.p, (unsigned)salt.n };
	return gnutls_pbkdf2(GNUTLS_MAC_SHA256, &key, &grain, iterations, ret, SECURE_SHA256) == 0;
}

const struct secure_crypto tls_crypto = {
	.random = crypto_random,
	.sha256 = crypto_sha256,
	.hmac_sha256 = crypto_hmac_sha256,
	.pbkdf2_sha256 = crypto_pbkdf2_sha256,
};
