/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "base/span.h"
#include "tls/trust.h"

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END   "-----END CERTIFICATE-----"

#define ISSUERS 16 /* as many as a chain may have certificates */

struct issuers {
	gnutls_datum_t dn[ISSUERS]; /* DER */
	unsigned n;
};

static bool unusable(const char *ca_file, const char *why, struct error *err)
{
	return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "trusted roots %s: %s", ca_file, why);
}

static bool read_all(int fd, char *p, size_t n)
{
	while (n > 0) {
		ssize_t got = read(fd, p, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			errno = got == 0 ? EIO : errno;
			return false;
		}
		p += got;
		n -= (size_t)got;
	}
	return true;
}

/* A copy of the file: a view of it would kill us if somebody cut the file short meanwhile. */
static bool load_from(int fd, const char *ca_file, struct span *ret, struct error *err)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return unusable(ca_file, strerror(errno), err);
	if (!S_ISREG(st.st_mode))
		return unusable(ca_file, "not a regular file", err);
	if (st.st_size > TRUST_FILE_MAX)
		return unusable(ca_file, "too large", err);
	size_t n = (size_t)st.st_size;
	char *p = malloc(n + 1);
	if (!p)
		return err_nomem(err);
	if (!read_all(fd, p, n)) {
		unusable(ca_file, strerror(errno), err);
		free(p);
		return false;
	}
	*ret = (struct span){ p, n };
	return true;
}

static bool load(const char *ca_file, struct span *ret, struct error *err)
{
	/* Without O_NONBLOCK a named pipe would make us wait. */
	int fd = open(ca_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return unusable(ca_file, strerror(errno), err);
	bool ok = load_from(fd, ca_file, ret, err);
	close(fd);
	return ok;
}

/* The next certificate block, its BEGIN and END lines included; *rest goes on behind it. */
static bool next_block(struct span *rest, struct span *ret)
{
	const char *begin = NULL;
	if (rest->n > 0)
		begin = memmem(rest->p, rest->n, BEGIN, sizeof(BEGIN) - 1);
	if (!begin)
		return false;
	const char *stop = rest->p + rest->n;
	const char *end = memmem(begin, (size_t)(stop - begin), END, sizeof(END) - 1);
	if (!end)
		return false;
	end += sizeof(END) - 1;
	*ret = (struct span){ begin, (size_t)(end - begin) };
	*rest = (struct span){ end, (size_t)(stop - end) };
	return true;
}

static bool same(const gnutls_datum_t *a, const gnutls_datum_t *b)
{
	return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

static bool is_issuer(gnutls_x509_crt_t root, const struct issuers *issuers)
{
	gnutls_datum_t subject;
	bool found = false;
	if (gnutls_x509_crt_get_raw_dn(root, &subject) < 0)
		return false;
	for (unsigned i = 0; i < issuers->n; i++)
		found = found || same(&subject, &issuers->dn[i]);
	gnutls_free(subject.data);
	return found;
}

/* To read a certificate costs much more than to see that no name that is looked for is in it. */
static bool worth_reading(const gnutls_datum_t *der, const struct issuers *issuers)
{
	for (unsigned i = 0; i < issuers->n; i++)
		if (memmem(der->data, der->size, issuers->dn[i].data, issuers->dn[i].size))
			return true;
	return false;
}

static void consider(gnutls_x509_trust_list_t list, const gnutls_datum_t *der,
		     const struct issuers *issuers)
{
	gnutls_x509_crt_t root;
	if (!worth_reading(der, issuers) || gnutls_x509_crt_init(&root) < 0)
		return;
	if (gnutls_x509_crt_import(root, der, GNUTLS_X509_FMT_DER) < 0 ||
	    !is_issuer(root, issuers) || gnutls_x509_trust_list_add_cas(list, &root, 1, 0) != 1)
		gnutls_x509_crt_deinit(root);
}

bool trust_add(gnutls_x509_trust_list_t list, const char *ca_file, const gnutls_x509_crt_t *chain,
	       unsigned n, struct error *err)
{
	struct issuers issuers = { .n = 0 };
	struct span file = { 0 }, rest, block;
	size_t blocks = 0;
	if (!load(ca_file, &file, err))
		return false;
	for (unsigned i = 0; i < n && issuers.n < ISSUERS; i++)
		if (gnutls_x509_crt_get_raw_issuer_dn(chain[i], &issuers.dn[issuers.n]) == 0)
			issuers.n++;
	for (rest = file; next_block(&rest, &block); blocks++) {
		gnutls_datum_t der, pem = { (unsigned char *)block.p, (unsigned)block.n };
		if (gnutls_pem_base64_decode2("CERTIFICATE", &pem, &der) < 0)
			continue;
		consider(list, &der, &issuers);
		gnutls_free(der.data);
	}
	for (unsigned i = 0; i < issuers.n; i++)
		gnutls_free(issuers.dn[i].data);
	free((char *)file.p);
	return blocks > 0 || unusable(ca_file, "no certificate in it", err);
}
