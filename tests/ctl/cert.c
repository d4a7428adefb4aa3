/* SPDX-License-Identifier: ISC */
/* cert DIR HOST...: DIR/HOST.pem with key and certificate of each host, DIR/ca.pem with their issuer; says "HOST DIGEST", SHA2-256 of the
 * public key, for a TLSA record 3 1 1. */
#include <stdio.h>

#include "../unit/pki.h"

static FILE *open_file(const char *dir, const char *name)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s.pem", dir, name);
	FILE *f = fopen(path, "w");
	if (!f)
		abort();
	return f;
}

static void write_certificate(FILE *f, const struct pki_cert *c)
{
	gnutls_datum_t pem;
	pki_must(gnutls_x509_crt_export2(c->crt, GNUTLS_X509_FMT_PEM, &pem));
	fwrite(pem.data, 1, pem.size, f);
	gnutls_free(pem.data);
}

static void write_key(FILE *f, const struct pki_cert *c)
{
	gnutls_datum_t pem;
	pki_must(gnutls_x509_privkey_export2(c->key, GNUTLS_X509_FMT_PEM, &pem));
	fwrite(pem.data, 1, pem.size, f);
	gnutls_free(pem.data);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	struct pki_cert root = pki_make((struct pki_want){ "Test Root", .flags = PKI_CA });
	FILE *f = open_file(argv[1], "ca");
	write_certificate(f, &root);
	fclose(f);
	for (int i = 2; i < argc; i++) {
		struct pki_cert c = pki_make((struct pki_want){
			argv[i],
			.dns = { argv[i] },
			.issuer = &root,
		});
		unsigned char digest[32];
		pki_must(gnutls_hash_fast(GNUTLS_DIG_SHA256, c.spki.data, c.spki.size, digest));
		f = open_file(argv[1], argv[i]);
		write_key(f, &c);
		write_certificate(f, &c);
		fclose(f);
		printf("%s ", argv[i]);
		for (size_t k = 0; k < sizeof(digest); k++)
			printf("%02x", digest[k]);
		putchar('\n');
		pki_free(&c);
	}
	pki_free(&root);
	return 0;
}
