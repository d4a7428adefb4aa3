/* SPDX-License-Identifier: ISC */
/* Certificates of every kind, made by the test itself, and a TLS server in a thread that shows
 * them. Any failure aborts. */
#ifndef TESTS_PKI_H
#define TESTS_PKI_H

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/secure.h"

#define PKI_NAMES 3
#define PKI_CHAIN 4

enum pki_flags {
	PKI_CA = 1 << 0,
	PKI_RSA = 1 << 1,        /* 2048 bits, takes its time; otherwise P-256 */
	PKI_NO_PURPOSE = 1 << 2, /* no extended key usage */
	PKI_CLIENT = 1 << 3,     /* an extended key usage, but not that of servers */
	PKI_ENCIPHER = 1 << 4,   /* a key usage without digitalSignature */
	PKI_EXPIRED = 1 << 5,
	PKI_FUTURE = 1 << 6,
	PKI_SHA1 = 1 << 7,
};

struct pki_cert {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
	gnutls_datum_t der, spki;
};

struct pki_want {
	const char *common_name;
	const char *dns[PKI_NAMES]; /* subjectAltName, up to the first NULL */
	unsigned flags;
	const struct pki_cert *issuer; /* NULL: self-signed */
	const struct pki_cert *key_of; /* whose key to take; NULL: a new one */
};

static inline void pki_must(int code)
{
	if (code < 0) {
		printf("\n    GnuTLS: %s\n", gnutls_strerror(code));
		abort();
	}
}

static inline void pki_key(struct pki_cert *c, const struct pki_want *want)
{
	pki_must(gnutls_x509_privkey_init(&c->key));
	if (want->key_of)
		pki_must(gnutls_x509_privkey_cpy(c->key, want->key_of->key));
	else if (want->flags & PKI_RSA)
		pki_must(gnutls_x509_privkey_generate(c->key, GNUTLS_PK_RSA, 2048, 0));
	else
		pki_must(gnutls_x509_privkey_generate(
			c->key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
			0));
	pki_must(gnutls_x509_crt_set_key(c->crt, c->key));
}

static inline void pki_extensions(struct pki_cert *c, const struct pki_want *want)
{
	unsigned usage = GNUTLS_KEY_DIGITAL_SIGNATURE;
	const char *purpose =
		want->flags & PKI_CLIENT ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER;
	for (size_t i = 0; i < PKI_NAMES && want->dns[i]; i++)
		pki_must(gnutls_x509_crt_set_subject_alt_name(
			c->crt, GNUTLS_SAN_DNSNAME, want->dns[i], (unsigned)strlen(want->dns[i]),
			GNUTLS_FSAN_APPEND));
	pki_must(gnutls_x509_crt_set_basic_constraints(c->crt, want->flags & PKI_CA ? 1 : 0, -1));
	if (want->flags & PKI_CA)
		usage = GNUTLS_KEY_KEY_CERT_SIGN;
	else if (want->flags & PKI_ENCIPHER)
		usage = GNUTLS_KEY_KEY_ENCIPHERMENT;
	pki_must(gnutls_x509_crt_set_key_usage(c->crt, usage));
	if (!(want->flags & (PKI_CA | PKI_NO_PURPOSE)))
		pki_must(gnutls_x509_crt_set_key_purpose_oid(c->crt, purpose, 0));
}

static inline struct pki_cert pki_make(struct pki_want want)
{
	struct pki_cert c;
	gnutls_pubkey_t pubkey;
	unsigned char serial[8] = { 0 };
	const time_t day = 86400, now = time(NULL);
	time_t from = now - 10 * day, to = now + 10 * day;
	from += want.flags & PKI_FUTURE ? 15 * day : 0;
	to -= want.flags & PKI_EXPIRED ? 15 * day : 0;
	pki_must(gnutls_x509_crt_init(&c.crt));
	pki_must(gnutls_x509_crt_set_version(c.crt, 3));
	pki_must(gnutls_rnd(GNUTLS_RND_NONCE, serial + 1, sizeof(serial) - 1));
	serial[0] = 1;
	pki_must(gnutls_x509_crt_set_serial(c.crt, serial, sizeof(serial)));
	pki_must(gnutls_x509_crt_set_activation_time(c.crt, from));
	pki_must(gnutls_x509_crt_set_expiration_time(c.crt, to));
	if (want.common_name)
		pki_must(gnutls_x509_crt_set_dn_by_oid(c.crt, GNUTLS_OID_X520_COMMON_NAME, 0,
						       want.common_name,
						       (unsigned)strlen(want.common_name)));
	pki_key(&c, &want);
	pki_extensions(&c, &want);
	pki_must(gnutls_x509_crt_sign2(c.crt, want.issuer ? want.issuer->crt : c.crt,
				       want.issuer ? want.issuer->key : c.key,
				       want.flags & PKI_SHA1 ? GNUTLS_DIG_SHA1 : GNUTLS_DIG_SHA256,
				       0));
	pki_must(gnutls_x509_crt_export2(c.crt, GNUTLS_X509_FMT_DER, &c.der));
	/* GnuTLS compares the names of certificates that were read, not of those being made. */
	gnutls_x509_crt_deinit(c.crt);
	pki_must(gnutls_x509_crt_init(&c.crt));
	pki_must(gnutls_x509_crt_import(c.crt, &c.der, GNUTLS_X509_FMT_DER));
	pki_must(gnutls_pubkey_init(&pubkey));
	pki_must(gnutls_pubkey_import_x509(pubkey, c.crt, 0));
	pki_must(gnutls_pubkey_export2(pubkey, GNUTLS_X509_FMT_DER, &c.spki));
	gnutls_pubkey_deinit(pubkey);
	return c;
}

static inline void pki_free(struct pki_cert *c)
{
	gnutls_x509_crt_deinit(c->crt);
	gnutls_x509_privkey_deinit(c->key);
	gnutls_free(c->der.data);
	gnutls_free(c->spki.data);
}

struct pki_tlsa {
	struct tlsa t;
	char digest[64];
};

/* Fills *ret in place, since the record views the digest in it. */
static inline const struct tlsa *pki_tlsa(struct pki_tlsa *ret, const char *kind,
					  const struct pki_cert *c)
{
	ret->t = (struct tlsa){ .usage = (uint8_t)(kind[0] - '0'),
				.selector = (uint8_t)(kind[2] - '0'),
				.matching = (uint8_t)(kind[4] - '0') };
	const gnutls_datum_t *what = ret->t.selector == 1 ? &c->spki : &c->der;
	ret->t.data = (struct span){ (const char *)what->data, what->size };
	if (ret->t.matching == 0)
		return &ret->t;
	pki_must(gnutls_hash_fast(ret->t.matching == 1 ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_SHA512,
				  what->data, what->size, ret->digest));
	ret->t.data = (struct span){ ret->digest, ret->t.matching == 1 ? 32 : 64 };
	return &ret->t;
}

/* A file that has a name as long as it is open, and leaves nothing behind. */
struct pki_file {
	int fd;
	char path[32];
};

static inline struct pki_file pki_file_open(void)
{
	struct pki_file f = { .fd = memfd_create("pki", MFD_CLOEXEC) };
	if (f.fd < 0)
		abort();
	snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
	return f;
}

static inline void pki_file_add(const struct pki_file *f, struct span text)
{
	if (write(f->fd, text.p, text.n) != (ssize_t)text.n)
		abort();
}

static inline void pki_file_add_cert(const struct pki_file *f, const struct pki_cert *c)
{
	gnutls_datum_t pem;
	pki_must(gnutls_x509_crt_export2(c->crt, GNUTLS_X509_FMT_PEM, &pem));
	pki_file_add(f, (struct span){ (const char *)pem.data, pem.size });
	gnutls_free(pem.data);
}

/* A server for one connection: handshake, `greeting`, then it sends back what it hears until the
 * client leaves or says "over". */
struct pki_server {
	int fd; /* its end; closed when it is done */
	const struct pki_cert *chain[PKI_CHAIN];
	const char *priority; /* NULL: NORMAL */
	const char *greeting;
	bool rude; /* closes without close_notify */
	bool sink; /* sends nothing back, counts in `got` */
	size_t got;
	/* How it went, after pki_server_join(). */
	int handshake; /* 0 or GnuTLS' code */
	int end;       /* 0: the client said close_notify; otherwise GnuTLS' code */
	gnutls_alert_description_t alert; /* the one that it got, if `end` or `handshake` is
					     GNUTLS_E_FATAL_ALERT_RECEIVED */
	char sni[256];
	pthread_t thread;
};

static inline gnutls_certificate_credentials_t pki_credentials(const struct pki_server *s)
{
	gnutls_certificate_credentials_t cred;
	gnutls_x509_crt_t list[PKI_CHAIN];
	int n = 0;
	while (n < PKI_CHAIN && s->chain[n]) {
		list[n] = s->chain[n]->crt;
		n++;
	}
	pki_must(gnutls_certificate_allocate_credentials(&cred));
	/* The order and what belongs together are the test's business. */
	gnutls_certificate_set_flags(cred, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
	if (n > 0)
		pki_must(gnutls_certificate_set_x509_key(cred, list, n, s->chain[0]->key));
	return cred;
}

static inline void pki_talk(struct pki_server *s, gnutls_session_t tls)
{
	char in[20000];
	ssize_t n = 0;
	if (s->greeting)
		gnutls_record_send(tls, s->greeting, strlen(s->greeting));
	do {
		n = gnutls_record_recv(tls, in, sizeof(in));
		if (n == 4 && memcmp(in, "over", 4) == 0)
			break;
		s->got += n > 0 ? (size_t)n : 0;
		for (ssize_t at = 0, sent; !s->sink && at < n; at += sent) {
			sent = gnutls_record_send(tls, in + at, (size_t)(n - at));
			if (sent <= 0)
				break;
		}
	} while (n > 0 || n == GNUTLS_E_INTERRUPTED || n == GNUTLS_E_AGAIN);
	s->end = (int)n;
	if (!s->rude)
		gnutls_bye(tls, GNUTLS_SHUT_WR);
}

static inline void *pki_serve(void *ctx)
{
	struct pki_server *s = ctx;
	gnutls_session_t tls;
	size_t size = sizeof(s->sni) - 1;
	unsigned type;
	gnutls_certificate_credentials_t cred = pki_credentials(s);
	pki_must(gnutls_init(&tls, GNUTLS_SERVER | GNUTLS_NO_SIGNAL));
	pki_must(gnutls_priority_set_direct(tls, s->priority ? s->priority : "NORMAL:%COMPAT",
					    NULL));
	pki_must(gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, cred));
	gnutls_transport_set_int(tls, s->fd);
	do
		s->handshake = gnutls_handshake(tls);
	while (s->handshake < 0 && !gnutls_error_is_fatal(s->handshake));
	if (s->handshake == 0) {
		if (gnutls_server_name_get(tls, s->sni, &size, &type, 0) < 0)
			s->sni[0] = '\0';
		pki_talk(s, tls);
	} else {
		gnutls_alert_send_appropriate(tls, s->handshake);
	}
	s->alert = gnutls_alert_get(tls);
	gnutls_deinit(tls);
	gnutls_certificate_free_credentials(cred);
	close(s->fd);
	return NULL;
}

/* Starts it; the result is the client's end. */
static inline int pki_server_start(struct pki_server *s)
{
	int fd[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
		abort();
	s->fd = fd[1];
	if (pthread_create(&s->thread, NULL, pki_serve, s) != 0)
		abort();
	return fd[0];
}

static inline void pki_server_join(struct pki_server *s)
{
	pthread_join(s->thread, NULL);
}

#endif
