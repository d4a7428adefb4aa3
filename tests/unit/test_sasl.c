/* SPDX-License-Identifier: ISC */
#include "harness.h"

#include "core/sasl.h"
#include "scram_server.h"
#include "tls/crypto.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define ROUTE      "route \"*\" (mxdirect.conf:12)"

static const struct login pencil = { "user", "pencil", ROUTE };

/* RFC 7677 section 3. */
#define NONCE_OURS  "rOprNGfwEbeRWgbNEkqO"
#define NONCE_THEIR "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define NONCE_BOTH  NONCE_OURS NONCE_THEIR
#define SALT        "W22ZaJ0SNY7soEsUEjb6gQ=="
#define FIRST       "r=" NONCE_BOTH ",s=" SALT ",i=4096"
#define FINAL       "c=biws,r=" NONCE_BOTH ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define PROOF       "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

static bool rfc_random(void *p, size_t n)
{
	char room[32];
	struct buf bytes;
	buf_init(&bytes, room, sizeof(room));
	bool ok = base64_read(SPAN(NONCE_OURS), &bytes) && bytes.len == n;
	memcpy(p, room, n);
	return ok;
}

static struct secure_crypto rfc_crypto(void)
{
	struct secure_crypto c = tls_crypto;
	c.random = rfc_random;
	return c;
}

/* A login that is under way, its last response and error. */
struct talk {
	struct arena *arena;
	struct secure_crypto crypto;
	struct sasl *sasl;
	char room[SASL_RESPONSE + 1];
	struct buf out;
	bool none;
	struct error err;
};

static void talk_open(struct talk *t, enum ehlo_auth mechanism, const struct login *login)
{
	t->arena = arena_open(LIMIT_ARENA);
	t->crypto = rfc_crypto();
	t->sasl = sasl_new(t->arena, mechanism, login, &t->crypto);
	CHECK("memory", t->sasl != NULL);
	CHECK("nothing was said", !sasl_is_complete(t->sasl));
	buf_init(&t->out, t->room, sizeof(t->room));
	memset(&t->err, 0, sizeof(t->err));
	t->none = false;
}

static bool talk_first(struct talk *t)
{
	buf_reset(&t->out);
	return sasl_first(t->sasl, &t->out, &t->none, &t->err);
}

static bool talk_next(struct talk *t, struct span challenge)
{
	buf_reset(&t->out);
	return sasl_next(t->sasl, challenge, &t->out, &t->err);
}

static void check_error(const char *label, const struct error *err, enum err_class class,
			struct esc code, const char *text)
{
	CHECK(label, err->class == class && err->code.cls == code.cls &&
			     err->code.subject == code.subject && err->code.detail == code.detail);
	CHECK_STR(label, err->text, text);
}

static void test_choose(void)
{
	const uint32_t all = AUTH_SCRAM_SHA_256 | AUTH_PLAIN | AUTH_LOGIN;
	CHECK("all", sasl_choose(all) == AUTH_SCRAM_SHA_256);
	CHECK("no SCRAM", sasl_choose(AUTH_LOGIN | AUTH_PLAIN) == AUTH_PLAIN);
	CHECK("LOGIN", sasl_choose(AUTH_LOGIN) == AUTH_LOGIN);
	CHECK("none", sasl_choose(0) == 0);
	CHECK("others", sasl_choose(~all) == 0);
	CHECK_STR("name", sasl_name(AUTH_SCRAM_SHA_256), "SCRAM-SHA-256");
	CHECK_STR("name", sasl_name(AUTH_PLAIN), "PLAIN");
	CHECK_STR("name", sasl_name(AUTH_LOGIN), "LOGIN");
}

static void test_plain(void)
{
	static struct talk t;
	talk_open(&t, AUTH_PLAIN, &pencil);
	CHECK("first", talk_first(&t) && !t.none);
	CHECK("said", span_equal(buf_view(&t.out), SPAN("\0user\0pencil")));
	CHECK("complete", sasl_is_complete(t.sasl));
	CHECK("no challenge is due", !talk_next(&t, SPAN("")));
	check_error("challenge", &t.err, ERR_TEMP, ESC(4, 7, 8),
		    "PLAIN: the server asks when all has been said");
	CHECK("nothing is said to it", t.out.len == 0);
	arena_close(t.arena);
}

static void test_login(void)
{
	static const struct span asks[] = { SPAN("Username:"), SPAN(""), SPAN("Password:"),
					    SPAN("\xff\0x"), SPAN("r=x,s=y,i=1") };
	for (size_t i = 0; i < LEN(asks); i++) {
		static struct talk t;
		talk_open(&t, AUTH_LOGIN, &pencil);
		CHECK("none", talk_first(&t) && t.none && t.out.len == 0);
		CHECK("incomplete", !sasl_is_complete(t.sasl));
		CHECK("user", talk_next(&t, asks[i]));
		CHECK_STR("user", buf_cstr(&t.out), "user");
		CHECK("incomplete", !sasl_is_complete(t.sasl));
		CHECK("password", talk_next(&t, asks[LEN(asks) - 1 - i]));
		CHECK_STR("password", buf_cstr(&t.out), "pencil");
		CHECK("complete", sasl_is_complete(t.sasl));
		CHECK("a third one", !talk_next(&t, asks[i]) && t.out.len == 0);
		check_error("a third one", &t.err, ERR_TEMP, ESC(4, 7, 8),
			    "LOGIN: the server asks when all has been said");
		arena_close(t.arena);
	}
}

static void test_scram_vector(void)
{
	static struct talk t;
	talk_open(&t, AUTH_SCRAM_SHA_256, &pencil);
	CHECK("first", talk_first(&t) && !t.none);
	CHECK_STR("first", buf_cstr(&t.out), "n,,n=user,r=" NONCE_OURS);
	CHECK("final", talk_next(&t, SPAN(FIRST)));
	CHECK_STR("final", buf_cstr(&t.out), FINAL);
	CHECK("it has not proven itself", !sasl_is_complete(t.sasl));
	CHECK("proof", talk_next(&t, SPAN(PROOF)));
	CHECK("an empty response", t.out.len == 0 && !t.out.overflow);
	CHECK("complete", sasl_is_complete(t.sasl));
	CHECK("a third one", !talk_next(&t, SPAN(PROOF)));
	check_error("a third one", &t.err, ERR_TEMP, ESC(4, 7, 8),
		    "SCRAM-SHA-256: the server asks when all has been said");
	CHECK("complete it stays", sasl_is_complete(t.sasl));
	arena_close(t.arena);
}

#define UNREAD   "the server's challenge cannot be read"
#define NOT_OURS "the server's nonce does not go on from ours"
#define TOO_FEW  "the server asks for too few iterations"
#define TOO_MANY "the server asks for too many iterations"
#define R        "r=" NONCE_BOTH
#define S        ",s=" SALT

static void test_scram_bad_first(void)
{
	static const struct {
		struct span challenge;
		const char *want;
	} cases[] = {
		{ SPAN(""), UNREAD },
		{ SPAN("Username:"), UNREAD },
		{ SPAN(R), UNREAD },
		{ SPAN(R S), UNREAD },
		{ SPAN(R S ","), UNREAD },
		{ SPAN(R S ",i="), UNREAD },
		{ SPAN(R S ",i=-4096"), UNREAD },
		{ SPAN(R S ",i=+4096"), UNREAD },
		{ SPAN(R S ",i=4096 "), UNREAD },
		{ SPAN(R S ",i=0x1000"), UNREAD },
		{ SPAN(R S ",i=99999999999999999999999"), UNREAD },
		{ SPAN(R ",i=4096" S), UNREAD },
		{ SPAN("s=" SALT ",r=" NONCE_BOTH ",i=4096"), UNREAD },
		{ SPAN("x=1," FIRST), UNREAD },
		{ SPAN("m=1," FIRST), UNREAD }, /* must not be passed over */
		{ SPAN("," FIRST), UNREAD },
		{ SPAN(" " FIRST), UNREAD },
		{ SPAN("r" S ",i=4096"), UNREAD },
		{ SPAN("R=" NONCE_BOTH S ",i=4096"), UNREAD },
		{ SPAN(R ",s=,i=4096"), UNREAD },
		{ SPAN(R ",s=W22,i=4096"), UNREAD },
		{ SPAN(R ",s=W2_2,i=4096"), UNREAD },
		{ SPAN("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), UNREAD },
		/* Without our nonce in it, it may be of another login. */
		{ SPAN("r=" S ",i=4096"), NOT_OURS },
		{ SPAN("r=" NONCE_OURS S ",i=4096"), NOT_OURS },
		{ SPAN("r=" NONCE_THEIR NONCE_OURS S ",i=4096"), NOT_OURS },
		{ SPAN("r=rOprNGfwEbeRWgbNEkq" S ",i=4096"), NOT_OURS },
		{ SPAN("r=ROPRNGFWEBERWGBNEKQO" NONCE_THEIR S ",i=4096"), NOT_OURS },
		{ SPAN("r=rOprNGfwEbeRWgbNEkqP" NONCE_THEIR S ",i=4096"), NOT_OURS },
		{ SPAN("r= " NONCE_BOTH S ",i=4096"), NOT_OURS },
		{ SPAN(R S ",i=0"), TOO_FEW },
		{ SPAN(R S ",i=1"), TOO_FEW },
		{ SPAN(R S ",i=4095"), TOO_FEW },
		{ SPAN(R S ",i=1000001"), TOO_MANY },
		{ SPAN(R S ",i=4294967296"), TOO_MANY }, /* 0 in 32 bits */
		{ SPAN(R S ",i=4294971392"), TOO_MANY }, /* 4096 in 32 bits */
		{ SPAN(R S ",i=18446744073709551615"), TOO_MANY },
		{ SPAN("e=unknown-user"), "the server refuses: unknown-user" },
		{ SPAN("e=a\tb,x"), "the server refuses: a b" },
	};
	for (size_t i = 0; i < LEN(cases); i++) {
		static struct talk t;
		const char *label = cases[i].challenge.p;
		char want[100];
		snprintf(want, sizeof(want), "SCRAM-SHA-256: %s", cases[i].want);
		talk_open(&t, AUTH_SCRAM_SHA_256, &pencil);
		CHECK(label, talk_first(&t));
		CHECK(label, !talk_next(&t, cases[i].challenge));
		check_error(label, &t.err, ERR_TEMP, ESC(4, 7, 8), want);
		CHECK(label, !sasl_is_complete(t.sasl));
		arena_close(t.arena);
	}
}

#define UNPROVEN "the server cannot prove that it knows the password"

static void test_scram_bad_final(void)
{
	static const struct {
		struct span challenge;
		const char *want;
	} cases[] = {
		{ SPAN(""), UNPROVEN },
		{ SPAN("v="), UNPROVEN },
		{ SPAN("v"), UNPROVEN },
		{ SPAN("V=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), UNPROVEN },
		{ SPAN("x=1," PROOF), UNPROVEN },
		{ SPAN(" " PROOF), UNPROVEN },
		{ SPAN(PROOF " "), UNPROVEN },
		{ SPAN("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4"), UNPROVEN },
		/* The first and the last bit; half of it; more than it. */
		{ SPAN("v=arriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), UNPROVEN },
		{ SPAN("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G8="), UNPROVEN },
		{ SPAN("v=6rriTRBi23WpRR/wtup+mA=="), UNPROVEN },
		{ SPAN("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4A"), UNPROVEN },
		{ SPAN("v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), UNPROVEN },
		/* Our own proof said back. */
		{ SPAN("v=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), UNPROVEN },
		{ SPAN(FIRST), UNPROVEN },
		{ SPAN("e=invalid-proof"), "the server refuses: invalid-proof" },
		{ SPAN("e=other-error," PROOF), "the server refuses: other-error" },
	};
	for (size_t i = 0; i < LEN(cases); i++) {
		static struct talk t;
		const char *label = cases[i].challenge.p;
		char want[100];
		snprintf(want, sizeof(want), "SCRAM-SHA-256: %s", cases[i].want);
		talk_open(&t, AUTH_SCRAM_SHA_256, &pencil);
		CHECK(label, talk_first(&t) && talk_next(&t, SPAN(FIRST)));
		CHECK(label, !talk_next(&t, cases[i].challenge));
		check_error(label, &t.err, ERR_TEMP, ESC(4, 7, 8), want);
		CHECK(label, !sasl_is_complete(t.sasl) && t.out.len == 0);
		arena_close(t.arena);
	}
}

/* What comes behind the attributes is an extension that needs no knowledge (RFC 5802 section 5.1).
 */
static void test_scram_extensions(void)
{
	static struct talk t;
	struct scram_server server = { .crypto = &t.crypto,
				       .password = "pencil",
				       .nonce = "xyz",
				       .salt = SPAN("salt"),
				       .iterations = 4096 };
	char first[300], final[100];
	struct buf challenge, proof;
	talk_open(&t, AUTH_SCRAM_SHA_256, &pencil);
	buf_init(&challenge, first, sizeof(first));
	buf_init(&proof, final, sizeof(final));
	CHECK("first", talk_first(&t) && scram_server_first(&server, buf_view(&t.out), &challenge));
	buf_add(&challenge, SPAN(",a=b,,c"));
	snprintf(server.first, sizeof(server.first), "%s", buf_cstr(&challenge));
	CHECK("final", talk_next(&t, buf_view(&challenge)));
	CHECK("the proof is of the extension too",
	      scram_server_final(&server, buf_view(&t.out), &proof));
	buf_add(&proof, SPAN(",x=y"));
	CHECK("proof", talk_next(&t, buf_view(&proof)) && sasl_is_complete(t.sasl));
	arena_close(t.arena);
}

/* Whole logins against a server that reckons for itself. */
static bool scram_login(struct talk *t, struct scram_server *server)
{
	char first[2048], final[100];
	struct buf challenge, proof;
	buf_init(&challenge, first, sizeof(first));
	buf_init(&proof, final, sizeof(final));
	server->crypto = &t->crypto;
	return talk_first(t) && scram_server_first(server, buf_view(&t->out), &challenge) &&
	       talk_next(t, buf_view(&challenge)) &&
	       scram_server_final(server, buf_view(&t->out), &proof) &&
	       talk_next(t, buf_view(&proof)) && sasl_is_complete(t->sasl);
}

static void test_scram_logins(void)
{
	static const struct {
		const char *user, *password, *server_password, *bare;
		uint32_t iterations;
		bool want;
	} cases[] = {
		{ "user", "pencil", "pencil", "n=user,r=" NONCE_OURS, 4096, true },
		{ "user", "pencil", "Pencil", "n=user,r=" NONCE_OURS, 4096, false },
		{ "user", "pencil", "pencil ", "n=user,r=" NONCE_OURS, 4096, false },
		{ "user", "pencil", "", "n=user,r=" NONCE_OURS, 4096, false },
		{ "", "", "", "n=,r=" NONCE_OURS, 4096, true },
		{ "a,b=c", "p,=w", "p,=w", "n=a=2Cb=3Dc,r=" NONCE_OURS, 4096, true },
		{ ",,==", "x", "x", "n==2C=2C=3D=3D,r=" NONCE_OURS, 4096, true },
		{ "=2C", "x", "x", "n==3D2C,r=" NONCE_OURS, 4096, true },
		/* As they are: nobody folds or composes them. */
		{ "\xc3\xbc\x66", "\xc2\xaa\xff", "\xc2\xaa\xff", "n=\xc3\xbc\x66,r=" NONCE_OURS,
		  4096, true },
		{ "u", "\xc2\xaa", "a", "n=u,r=" NONCE_OURS, 4096, false },
		{ "u", "p", "p", "n=u,r=" NONCE_OURS, 4097, true },
		{ "u", "p", "p", "n=u,r=" NONCE_OURS, SASL_ITERATIONS, true },
	};
	for (size_t i = 0; i < LEN(cases); i++) {
		static struct talk t;
		static struct scram_server server;
		const struct login login = { cases[i].user, cases[i].password, ROUTE };
		server = (struct scram_server){ .password = cases[i].server_password,
						.nonce = "%/x",
						.salt = SPAN("\0salt\xff"),
						.iterations = cases[i].iterations };
		talk_open(&t, AUTH_SCRAM_SHA_256, &login);
		if (cases[i].iterations > 5000) { /* which would take its time */
			t.crypto = fake_crypto;
			t.crypto.random = rfc_random;
		}
		CHECK(cases[i].bare, scram_login(&t, &server) == cases[i].want);
		CHECK_STR(cases[i].bare, server.bare, cases[i].bare);
		arena_close(t.arena);
	}
}

/* Each login has a nonce of its own, also when the first word is asked for twice. */
static void test_scram_nonce(void)
{
	static struct talk t;
	char said[100];
	talk_open(&t, AUTH_SCRAM_SHA_256, &pencil);
	t.crypto = tls_crypto;
	CHECK("first", talk_first(&t));
	snprintf(said, sizeof(said), "%s", buf_cstr(&t.out));
	CHECK("length", strlen(said) == strlen("n,,n=user,r=" NONCE_OURS));
	char first[200];
	CHECK("again", talk_first(&t) && strcmp(said, buf_cstr(&t.out)) != 0);
	snprintf(first, sizeof(first), "%sx" S ",i=4096", said + strlen("n,,n=user,"));
	CHECK("the old one is gone", !talk_next(&t, span_of(first)));
	arena_close(t.arena);
}

/* The longest nonce, and one byte more. */
static void test_scram_long_nonce(void)
{
	const size_t longest = SASL_RESPONSE - strlen("c=biws,r=,p=") - 44 - strlen(NONCE_OURS);
	for (size_t n = longest - 1; n <= longest + 2; n++) {
		static struct talk t;
		static struct scram_server server;
		char nonce[SASL_RESPONSE] = "";
		memset(nonce, 'x', n);
		server = (struct scram_server){ .password = "pencil",
						.nonce = nonce,
						.salt = SPAN("salt"),
						.iterations = 4096 };
		talk_open(&t, AUTH_SCRAM_SHA_256, &pencil);
		CHECK("nonce", scram_login(&t, &server) == (n <= longest));
		if (n > longest)
			check_error("nonce", &t.err, ERR_TEMP, ESC(4, 7, 8),
				    "SCRAM-SHA-256: the server's nonce is too long");
		arena_close(t.arena);
	}
	/* Far more than any line. */
	static struct talk t;
	static char huge[100000];
	talk_open(&t, AUTH_SCRAM_SHA_256, &pencil);
	memset(huge, 'A', sizeof(huge));
	memcpy(huge, "r=" NONCE_OURS, strlen("r=" NONCE_OURS));
	memcpy(huge + 60000, ",s=", 3);
	memcpy(huge + sizeof(huge) - 7, ",i=4096", 7);
	CHECK("huge", talk_first(&t));
	CHECK("huge", !talk_next(&t, (struct span){ huge, sizeof(huge) }));
	CHECK("huge", t.err.class == ERR_TEMP && !sasl_is_complete(t.sasl));
	arena_close(t.arena);
}

#define TOO_LONG "user and password are too long to log in"

/* A secret that does not fit is a mistake in the configuration, and is not cut. */
static void test_too_long(void)
{
	char text[SASL_RESPONSE + 10];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	const char *most = text + sizeof(text) - 1 - SASL_RESPONSE;
	const struct login fits = { "", most + 2, ROUTE }, over = { "", most + 1, ROUTE };
	const struct login user = { most, "", ROUTE }, longer = { most - 1, "", ROUTE };
	static struct talk t;

	talk_open(&t, AUTH_PLAIN, &fits);
	CHECK("fits", talk_first(&t) && t.out.len == SASL_RESPONSE);
	arena_close(t.arena);
	talk_open(&t, AUTH_PLAIN, &over);
	CHECK("over", !talk_first(&t));
	check_error("over", &t.err, ERR_CONFIG, ESC(4, 3, 5), TOO_LONG);
	arena_close(t.arena);

	talk_open(&t, AUTH_LOGIN, &user);
	CHECK("user", talk_next(&t, SPAN("")) && t.out.len == SASL_RESPONSE);
	arena_close(t.arena);
	talk_open(&t, AUTH_LOGIN, &longer);
	CHECK("longer", !talk_next(&t, SPAN("")));
	check_error("longer", &t.err, ERR_CONFIG, ESC(4, 3, 5), TOO_LONG);
	arena_close(t.arena);

	talk_open(&t, AUTH_SCRAM_SHA_256, &user);
	CHECK("SCRAM", !talk_first(&t));
	check_error("SCRAM", &t.err, ERR_CONFIG, ESC(4, 3, 5), TOO_LONG);
	arena_close(t.arena);
}

/* ---- what fails here ---- */

static int good_calls;

static bool may_go_on(void)
{
	return good_calls-- > 0;
}

static bool failing_random(void *p, size_t n)
{
	return may_go_on() && fake_random(p, n);
}

static bool failing_sha256(struct span bytes, uint8_t ret[static SECURE_SHA256])
{
	return may_go_on() && fake_sha256(bytes, ret);
}

static bool failing_hmac(struct span key, struct span bytes, uint8_t ret[static SECURE_SHA256])
{
	return may_go_on() && fake_hash(key, bytes, ret);
}

static bool failing_pbkdf2(struct span password, struct span salt, uint32_t iterations,
			   uint8_t ret[static SECURE_SHA256])
{
	return may_go_on() && fake_pbkdf2(password, salt, iterations, ret);
}

static void test_crypto_fails(void)
{
	static const struct secure_crypto failing = { failing_random, failing_sha256, failing_hmac,
						      failing_pbkdf2 };
	for (int n = 0; n <= 7; n++) {
		static struct talk t;
		char first[200];
		talk_open(&t, AUTH_SCRAM_SHA_256, &pencil);
		t.crypto = failing;
		good_calls = n;
		CHECK("first", talk_first(&t) == (n > 0));
		if (n == 0) {
			check_error("first", &t.err, ERR_INTERNAL, ESC(4, 3, 0),
				    "no random bytes to log in with");
		} else {
			snprintf(first, sizeof(first), "%sx" S ",i=4096",
				 strstr(buf_cstr(&t.out), "r="));
			CHECK("final", talk_next(&t, span_of(first)) == (n == 7));
			if (n < 7)
				check_error("final", &t.err, ERR_INTERNAL, ESC(4, 3, 0),
					    "out of memory");
		}
		CHECK("incomplete", !sasl_is_complete(t.sasl));
		arena_close(t.arena);
	}
}

static void test_memory(void)
{
	bool none = false, first = false, final = false, all = false;
	for (size_t limit = 0; limit < 4096; limit += 16) {
		struct arena *a = arena_open(limit);
		struct secure_crypto crypto = rfc_crypto();
		char room[SASL_RESPONSE + 1];
		struct buf out;
		struct error err = { 0 };
		bool no_first;
		buf_init(&out, room, sizeof(room));
		struct sasl *s = sasl_new(a, AUTH_SCRAM_SHA_256, &pencil, &crypto);
		if (!s) {
			none = true;
		} else if (!sasl_first(s, &out, &no_first, &err)) {
			first = true;
		} else if (!sasl_next(s, SPAN(FIRST), &out, &err)) {
			final = true;
		} else {
			all = true;
		}
		if (s && !all)
			check_error("memory", &err, ERR_INTERNAL, ESC(4, 3, 0), "out of memory");
		arena_close(a);
	}
	CHECK("every step", none && first && final && all);
}

TEST_MAIN("sasl", { "choose", test_choose }, { "PLAIN", test_plain }, { "LOGIN", test_login },
	  { "SCRAM, RFC 7677", test_scram_vector }, { "SCRAM, first", test_scram_bad_first },
	  { "SCRAM, final", test_scram_bad_final }, { "SCRAM, extensions", test_scram_extensions },
	  { "SCRAM, logins", test_scram_logins }, { "SCRAM, nonce", test_scram_nonce },
	  { "SCRAM, long nonce", test_scram_long_nonce }, { "too long", test_too_long },
	  { "crypto fails", test_crypto_fails }, { "memory", test_memory })
