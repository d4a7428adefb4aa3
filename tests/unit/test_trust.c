/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>

#include "harness.h"
#include "pki.h"
#include "tls/trust.h"

static struct pki_cert root, other, inter, leaf;
static struct error err;

/* How the leaf's chain verifies with what trust_add() finds in the file; -1: it failed. */
static int verified(const char *path, bool with_inter)
{
	gnutls_x509_trust_list_t list;
	gnutls_x509_crt_t chain[] = { leaf.crt, inter.crt };
	unsigned status = 0, n = with_inter ? 2 : 1;
	err = (struct error){ 0 };
	pki_must(gnutls_x509_trust_list_init(&list, 0));
	bool ok = trust_add(list, path, chain, n, &err);
	if (ok)
		pki_must(gnutls_x509_trust_list_verify_crt2(list, chain, n, NULL, 0, 0, &status,
							    NULL));
	gnutls_x509_trust_list_deinit(list, 1);
	return ok ? (int)status : -1;
}

static unsigned roots_found(const char *path)
{
	gnutls_x509_trust_list_t list;
	gnutls_x509_trust_list_iter_t iter = NULL;
	gnutls_x509_crt_t chain[] = { leaf.crt, inter.crt }, crt;
	unsigned n = 0;
	pki_must(gnutls_x509_trust_list_init(&list, 0));
	CHECK("found", trust_add(list, path, chain, 2, &err));
	while (gnutls_x509_trust_list_iter_get_ca(list, &iter, &crt) == 0) {
		gnutls_x509_crt_deinit(crt);
		n++;
	}
	gnutls_x509_trust_list_deinit(list, 1);
	return n;
}

static void finds_what_is_needed(void)
{
	struct pki_file f = pki_file_open();
	pki_file_add(&f, SPAN("# Roots\n\n"));
	pki_file_add_cert(&f, &other);
	CHECK("not there", verified(f.path, true) & GNUTLS_CERT_SIGNER_NOT_FOUND);
	CHECK("none needed", roots_found(f.path) == 0);
	pki_file_add(&f, SPAN("Some Root\n=========\n"));
	pki_file_add_cert(&f, &root);
	CHECK("there", verified(f.path, true) == 0);
	CHECK("no intermediate", verified(f.path, false) & GNUTLS_CERT_SIGNER_NOT_FOUND);
	CHECK("only that", roots_found(f.path) == 1);
	pki_file_add_cert(&f, &inter);
	CHECK("an intermediate as root", verified(f.path, false) == 0);
	CHECK("both", roots_found(f.path) == 2);
	CHECK("no failure", err.class == ERR_NONE);
	close(f.fd);
}

/* Another key under the name of the root is no root of the chain. */
static void same_name_other_key(void)
{
	struct pki_cert twin = pki_make((struct pki_want){ "Root", .flags = PKI_CA });
	struct pki_file f = pki_file_open();
	pki_file_add_cert(&f, &twin);
	CHECK("the twin alone", verified(f.path, true) > 0);
	pki_file_add_cert(&f, &root);
	CHECK("both", verified(f.path, true) == 0);
	CHECK("both", roots_found(f.path) == 2);
	close(f.fd);
	pki_free(&twin);
}

/* What is in the file besides: broken blocks, keys, CRs, a block without end. */
static void litter(void)
{
	struct pki_file f = pki_file_open();
	gnutls_datum_t pem;
	pki_must(gnutls_x509_crt_export2(root.crt, GNUTLS_X509_FMT_PEM, &pem));
	pki_file_add(&f,
		     SPAN("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
			  "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"
			  "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
			  "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"));
	CHECK("nothing yet", roots_found(f.path) == 0);
	for (unsigned i = 0; i < pem.size; i++) {
		if (pem.data[i] == '\n')
			pki_file_add(&f, SPAN("\r"));
		pki_file_add(&f, (struct span){ (const char *)pem.data + i, 1 });
	}
	pki_file_add(&f, SPAN("-----BEGIN CERTIFICATE-----\nAAAA\n"));
	CHECK("with CRs", verified(f.path, true) == 0);
	gnutls_free(pem.data);
	close(f.fd);
}

/* A block cut short has the name of the root in it and is no certificate. */
static void cut_short(void)
{
	struct pki_file f = pki_file_open();
	gnutls_datum_t der = { root.der.data, root.der.size - 3 }, pem;
	pki_must(gnutls_pem_base64_encode2("CERTIFICATE", &der, &pem));
	pki_file_add(&f, (struct span){ (const char *)pem.data, pem.size });
	CHECK("no root", roots_found(f.path) == 0);
	gnutls_free(pem.data);
	close(f.fd);
}

static void unusable(void)
{
	char pipe_path[32];
	int fd[2];
	struct pki_file empty = pki_file_open(), text = pki_file_open(), big = pki_file_open();
	if (pipe(fd) != 0 || ftruncate(big.fd, TRUST_FILE_MAX + 1) != 0)
		abort();
	pki_file_add(&text, SPAN("nothing to see\n"));
	snprintf(pipe_path, sizeof(pipe_path), "/proc/self/fd/%d", fd[0]);
	const struct {
		const char *label, *path, *why;
	} cases[] = {
		{ "missing", "/nonexistent/ca.pem", "No such file or directory" },
		{ "directory", "/", "not a regular file" },
		{ "device", "/dev/zero", "not a regular file" },
		{ "pipe", pipe_path, "not a regular file" },
		{ "empty", empty.path, "no certificate in it" },
		{ "text", text.path, "no certificate in it" },
		{ "too large", big.path, "too large" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char want[128];
		snprintf(want, sizeof(want), "trusted roots %s: %s", cases[i].path, cases[i].why);
		CHECK(cases[i].label, verified(cases[i].path, true) == -1);
		CHECK(cases[i].label, err.class == ERR_CONFIG && err.code.detail == 5);
		CHECK_STR(cases[i].label, err.text, want);
	}
	close(fd[0]);
	close(fd[1]);
	close(empty.fd);
	close(text.fd);
	close(big.fd);
}

static void make_chain(void)
{
	root = pki_make((struct pki_want){ "Root", .flags = PKI_CA });
	other = pki_make((struct pki_want){ "Other", .flags = PKI_CA });
	inter = pki_make((struct pki_want){ "Inter", .flags = PKI_CA, .issuer = &root });
	leaf = pki_make((struct pki_want){ "leaf", { "mx.example.net" }, .issuer = &inter });
	CHECK("made", leaf.der.size > 0);
}

static void free_chain(void)
{
	pki_free(&root);
	pki_free(&other);
	pki_free(&inter);
	pki_free(&leaf);
}

TEST_MAIN("trust", { "make_chain", make_chain }, { "finds_what_is_needed", finds_what_is_needed },
	  { "same_name_other_key", same_name_other_key }, { "litter", litter },
	  { "cut_short", cut_short }, { "unusable", unusable }, { "free_chain", free_chain })
