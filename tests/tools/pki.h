/* SPDX-License-Identifier: ISC */
/*
 * Certificates, made when a story first names them: HOST[/WORD]. HOST is the DNS name in the
 * certificate (it may be "*.test"), and the words say what is odd about it:
 *
 *	a.test		good, for ten days, through the intermediate "inter" to the root "ca"
 *	a.test/root	by "ca" itself
 *	a.test/expired  a.test/future
 *	a.test/self	signed by itself
 *	a.test/stranger	by a root that nobody trusts
 *	a.test/cn	the name is the subject's common name only
 *	a.test/alone	the intermediate is not sent with it
 */
#ifndef TOOLS_PKI_H
#define TOOLS_PKI_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "util.h"

#define PKI_CHAIN 3

struct pki_cert {
	const char *name;
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t chain[PKI_CHAIN]; /* as it is sent, its own first */
	unsigned n;
	gnutls_certificate_credentials_t credentials;
};

/* Where ca.pem goes, once there is a root. */
void pki_open(const char *dir);
const struct pki_cert *pki_get(const char *name);

/* "3 1 1 cert=a.test" or "3 1 1 hex=00ff" as the rdata of a TLSA record (RFC 6698 section 2.1). */
void pki_tlsa(const char *text, struct bytes *out);

#endif
