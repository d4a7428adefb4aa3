/* SPDX-License-Identifier: ISC */
#include "harness.h"

#include "tls/crypto.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static const char *hex(const uint8_t *hash)
{
	static char text[2 * SECURE_SHA256 + 1];
	for (size_t i = 0; i < SECURE_SHA256; i++)
		snprintf(text + 2 * i, 3, "%02x", (unsigned)hash[i]);
	return text;
}

/* FIPS 180-4, examples. */
static void test_sha256(void)
{
	static const struct {
		struct span bytes;
		const char *want;
	} t[] = {
		{ { NULL, 0 }, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ SPAN("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
		{ SPAN("\0"), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
	};
	for (size_t i = 0; i < LEN(t); i++) {
		uint8_t got[SECURE_SHA256] = { 0 };
		CHECK(t[i].want, tls_crypto.sha256(t[i].bytes, got));
		CHECK_STR("SHA-256", hex(got), t[i].want);
	}
}

/* RFC 4231 section 4: cases 1, 2, 6; and nothing at all. */
static void test_hmac(void)
{
	static char twenty[20], long_key[131];
	memset(twenty, 0x0b, sizeof(twenty));
	memset(long_key, 0xaa, sizeof(long_key));
	const struct {
		struct span key, bytes;
		const char *want;
	} t[] = {
		{ { twenty, sizeof(twenty) },
		  SPAN("Hi There"),
		  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ SPAN("Jefe"), SPAN("what do ya want for nothing?"),
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ { long_key, sizeof(long_key) },
		  SPAN("Test Using Larger Than Block-Size Key - Hash Key First"),
		  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
		{ SPAN(""), SPAN(""),
		  "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
	};
	for (size_t i = 0; i < LEN(t); i++) {
		uint8_t got[SECURE_SHA256] = { 0 };
		CHECK(t[i].want, tls_crypto.hmac_sha256(t[i].key, t[i].bytes, got));
		CHECK_STR("HMAC", hex(got), t[i].want);
	}
}

/* RFC 7914 section 11 (its first 32 bytes), and the values that RFC 7677 section 3 is made of. */
static void test_pbkdf2(void)
{
	static const struct {
		struct span password, salt;
		uint32_t iterations;
		const char *want;
	} t[] = {
		{ SPAN("passwd"), SPAN("salt"), 1,
		  "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc" },
		{ SPAN("Password"), SPAN("NaCl"), 80000,
		  "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56" },
		{ SPAN("pencil"),
		  SPAN("\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81"), 4096,
		  "c4a49510323ab4f952cac1fa99441939e78ea74d6be81ddf7096e87513dc615d" },
	};
	for (size_t i = 0; i < LEN(t); i++) {
		uint8_t got[SECURE_SHA256] = { 0 };
		CHECK(t[i].want,
		      tls_crypto.pbkdf2_sha256(t[i].password, t[i].salt, t[i].iterations, got));
		CHECK_STR("PBKDF2", hex(got), t[i].want);
	}
	uint8_t got[SECURE_SHA256] = { 0 };
	CHECK("no password", tls_crypto.pbkdf2_sha256(SPAN(""), SPAN("salt"), 4096, got));
}

static void test_random(void)
{
	uint8_t a[64] = { 0 }, b[64] = { 0 };
	CHECK("random", tls_crypto.random(a, sizeof(a)) && tls_crypto.random(b, sizeof(b)));
	CHECK("never the same", memcmp(a, b, sizeof(a)) != 0);
	CHECK("all of it", a[60] | a[61] | a[62] | a[63]);
	uint8_t small[3] = { 1, 2, 3 };
	CHECK("no more than asked for", tls_crypto.random(small, 2) && small[2] == 3);
}

TEST_MAIN("crypto", { "SHA-256", test_sha256 }, { "HMAC", test_hmac }, { "PBKDF2", test_pbkdf2 },
	  { "random", test_random })
