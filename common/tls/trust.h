/* SPDX-License-Identifier: ISC */
/*
 * The roots that a certificate chain needs, out of a PEM file of many. To load a system's 144 roots takes 12 ms and more, to find the
 * few that the chain names as issuers less than one.
 */
#ifndef TLS_TRUST_H
#define TLS_TRUST_H

#include <gnutls/x509.h>

#include "base/err.h"

#define TRUST_FILE_MAX (16 * 1024 * 1024) /* bytes of a PEM file; Debian's bundle has 220 KiB */

/*
 * Add to `list` each certificate of the file whose subject is the issuer of one of the n certificates; the list owns them. That there
 * is none is not a failure, and blocks that are no certificate are passed over. CONFIG 4.3.5: the file cannot be read, is no regular file
 * or has no certificate block at all; INTERNAL without memory.
 */
MUST_CHECK bool trust_add(gnutls_x509_trust_list_t list, const char *ca_file, const gnutls_x509_crt_t *chain, unsigned n,
			  struct error *err);

#endif
