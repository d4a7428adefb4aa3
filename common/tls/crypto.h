/* SPDX-License-Identifier: ISC */
/* What base/secure.h asks for besides sessions, by GnuTLS. */
#ifndef TLS_CRYPTO_H
#define TLS_CRYPTO_H

#include "base/secure.h"

extern const struct secure_crypto tls_crypto;

#endif
