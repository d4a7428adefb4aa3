/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#include "pki.h"

#define DAY       86400
#define VALID     (10 * DAY)
#define CERTS_MAX 64

static struct {
	const char *dir;
	struct pki_cert cert[CERTS_MAX]; /* 0 is "ca", 1 "inter", 2 the root nobody trusts */
	size_t n;
} pki;

enum { ROOT, INTER, STRANGER, ROOTS };

struct want {
	const char *host, *word;
	const struct pki_cert *issuer; /* NULL: itself */
	bool ca;
};

static void must(int code, const char *what)
{
	if (code < 0)
		die("%s: %s", what, gnutls_strerror(code));
}

static bool is(const struct want *w, const char *word)
{
	return strcmp(w->word, word) == 0;
}

static void set_extensions(gnutls_x509_crt_t crt, const struct want *w)
{
	if (!w->ca && !is(w, "cn"))
		must(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, w->host,
							  (unsigned)strlen(w->host),
							  GNUTLS_FSAN_SET),
		     "subject alternative name");
	must(gnutls_x509_crt_set_basic_constraints(crt, w->ca, -1), "constraints");
	must(gnutls_x509_crt_set_key_usage(crt, w->ca ? GNUTLS_KEY_KEY_CERT_SIGN
						      : GNUTLS_KEY_DIGITAL_SIGNATURE),
	     "key usage");
	if (!w->ca)
		must(gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0),
		     "purpose");
}

static void make(struct pki_cert *c, const struct want *w)
{
	gnutls_x509_crt_t crt;
	unsigned char serial[8] = { 0 };
	time_t from = time(NULL) - VALID, to = time(NULL) + VALID;
	from += is(w, "future") ? VALID + DAY : 0;
	to -= is(w, "expired") ? VALID + DAY : 0;
	must(gnutls_x509_privkey_init(&c->key), "key");
	must(gnutls_x509_privkey_generate(c->key, GNUTLS_PK_ECDSA,
					  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
	     "key");
	must(gnutls_x509_crt_init(&crt), "certificate");
	must(gnutls_rnd(GNUTLS_RND_NONCE, serial + 1, sizeof(serial) - 1), "serial");
	serial[0] = 1;
	must(gnutls_x509_crt_set_version(crt, 3), "version");
	must(gnutls_x509_crt_set_serial(crt, serial, sizeof(serial)), "serial");
	must(gnutls_x509_crt_set_activation_time(crt, from), "dates");
	must(gnutls_x509_crt_set_expiration_time(crt, to), "dates");
	must(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, w->host,
					   (unsigned)strlen(w->host)),
	     "common name");
	must(gnutls_x509_crt_set_key(crt, c->key), "public key");
	set_extensions(crt, w);
	must(gnutls_x509_crt_sign2(crt, w->issuer ? w->issuer->chain[0] : crt,
				   w->issuer ? w->issuer->key : c->key, GNUTLS_DIG_SHA256, 0),
	     "signature");
	/* GnuTLS compares the names of certificates that it has read, not of those it has made. */
	gnutls_datum_t der;
	must(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), "export");
	gnutls_x509_crt_deinit(crt);
	must(gnutls_x509_crt_init(&c->chain[0]), "certificate");
	must(gnutls_x509_crt_import(c->chain[0], &der, GNUTLS_X509_FMT_DER), "import");
	gnutls_free(der.data);
	c->n = 1;
}

static struct pki_cert *cert_new(const char *name)
{
	if (pki.n == CERTS_MAX)
		die("too many certificates");
	struct pki_cert *c = &pki.cert[pki.n++];
	c->name = xprintf("%s", name);
	return c;
}

static void write_root(void)
{
	gnutls_datum_t pem;
	char *path = xprintf("%s/ca.pem", pki.dir);
	must(gnutls_x509_crt_export2(pki.cert[ROOT].chain[0], GNUTLS_X509_FMT_PEM, &pem), "root");
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, pem.data, pem.size) != (ssize_t)pem.size)
		die("cannot write %s", path);
	close(fd);
	free(path);
	gnutls_free(pem.data);
}

static void make_roots(void)
{
	struct pki_cert *root = cert_new("ca"), *inter = cert_new("inter");
	struct pki_cert *stranger = cert_new("stranger");
	make(root, &(struct want){ .host = "Lab Root", .word = "", .ca = true });
	make(inter, &(struct want){ "Lab Intermediate", "", root, true });
	make(stranger, &(struct want){ .host = "Lab Root", .word = "", .ca = true });
	write_root();
}

static void make_leaf(struct pki_cert *c, const struct want *asked)
{
	struct want w = *asked;
	bool plain = !w.word[0] || is(&w, "expired") || is(&w, "future") || is(&w, "cn");
	if (is(&w, "root"))
		w.issuer = &pki.cert[ROOT];
	else if (is(&w, "stranger"))
		w.issuer = &pki.cert[STRANGER];
	else if (plain || is(&w, "alone"))
		w.issuer = &pki.cert[INTER];
	else if (!is(&w, "self"))
		die("what kind of certificate is %s?", c->name);
	make(c, &w);
	if (plain)
		c->chain[c->n++] = pki.cert[INTER].chain[0];
	must(gnutls_certificate_allocate_credentials(&c->credentials), "credentials");
	must(gnutls_certificate_set_x509_key(c->credentials, c->chain, (int)c->n, c->key), "key");
}

void pki_open(const char *dir)
{
	pki.dir = dir;
}

const struct pki_cert *pki_get(const char *name)
{
	if (pki.n == 0)
		make_roots();
	for (size_t i = 0; i < pki.n; i++) {
		if (strcmp(pki.cert[i].name, name) == 0)
			return &pki.cert[i];
	}
	const char *slash = strchr(name, '/');
	struct want w = {
		.host = xndup(name, strcspn(name, "/")),
		.word = slash ? slash + 1 : "",
	};
	struct pki_cert *c = cert_new(name);
	make_leaf(c, &w);
	return c;
}

/* The whole certificate or its public key. */
static gnutls_datum_t selected(const struct pki_cert *c, int64_t selector)
{
	gnutls_datum_t der;
	if (selector == 0) {
		must(gnutls_x509_crt_export2(c->chain[0], GNUTLS_X509_FMT_DER, &der), "export");
		return der;
	}
	gnutls_pubkey_t key;
	must(gnutls_pubkey_init(&key), "public key");
	must(gnutls_pubkey_import_x509(key, c->chain[0], 0), "public key");
	must(gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der), "export");
	gnutls_pubkey_deinit(key);
	return der;
}

static void put_association(const struct pki_cert *c, const int64_t *field, struct bytes *out)
{
	unsigned char digest[64];
	gnutls_datum_t der = selected(c, field[1]);
	if (field[2] == 0) {
		bytes_add(out, der.data, der.size);
	} else {
		gnutls_digest_algorithm_t how =
			field[2] == 1 ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_SHA512;
		must(gnutls_hash_fast(how, der.data, der.size, digest), "digest");
		bytes_add(out, digest, (size_t)gnutls_hash_get_len(how));
	}
	gnutls_free(der.data);
}

static void put_hex(const char *text, struct bytes *out)
{
	for (; text[0] && text[1]; text += 2) {
		char pair[3] = { text[0], text[1], '\0' };
		char byte = (char)strtoul(pair, NULL, 16);
		bytes_add(out, &byte, 1);
	}
}

void pki_tlsa(const char *text, struct bytes *out)
{
	int64_t field[3];
	const char *p = text;
	for (int i = 0; i < 3; i++) {
		char *number = xndup(p, strcspn(p, " "));
		if (!parse_number(number, &field[i]))
			die("TLSA wants three numbers and cert=NAME or hex=DIGITS: %s", text);
		char byte = (char)field[i];
		bytes_add(out, &byte, 1);
		p += strlen(number);
		p += *p == ' ';
		free(number);
	}
	if (strncmp(p, "cert=", 5) == 0)
		put_association(pki_get(p + 5), field, out);
	else if (strncmp(p, "hex=", 4) == 0)
		put_hex(p + 4, out);
	else
		die("TLSA wants cert=NAME or hex=DIGITS: %s", text);
}
