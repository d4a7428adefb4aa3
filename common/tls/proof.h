/* SPDX-License-Identifier: ISC */
/*
 * Does the certificate chain that a server sent prove what is asked for? TLSA matching is our own: that of libgnutls-dane takes a chain of
 * anybody's with the trust anchor's certificate appended, and looks at no name.
 *
 * Not supported: "2 1 0", a bare key as trust anchor, when the certificate of that key is not in the chain.
 */
#ifndef TLS_PROOF_H
#define TLS_PROOF_H

#include <gnutls/gnutls.h>

#include "base/secure.h"

#define PROOF_CHAIN 16 /* certificates looked at; GnuTLS takes no more either */

/*
 * `chain` is DER, the server's own first. True: facts->trouble is SECURE_FINE and facts->proof filled. False: facts->trouble says why; *err
 * is TEMP 4.7.5, for SECURE_LOCAL CONFIG or INTERNAL. For SECURE_ANY nothing is looked at, not even whether there is a certificate.
 */
MUST_CHECK bool proof_check(const struct secure_ask *ask, const gnutls_datum_t *chain, unsigned n, struct secure_facts *facts,
			    struct error *err);

/* The SubjectPublicKeyInfo in a DER certificate, as it stands there (RFC 6698 section 1.1: not re-encoded). False: not found. */
bool proof_spki(struct span certificate, struct span *ret);

/* Does the record match this certificate (DER)? Its usage plays no part. False also for a selector or matching type not known. */
bool proof_tlsa_matches(const struct tlsa *t, struct span certificate);

#endif
