/* SPDX-License-Identifier: ISC */
/* GnuTLS client sessions: the module behind base/secure.h. */
#ifndef TLS_SESSION_H
#define TLS_SESSION_H

#include "base/secure.h"

/* SECURE_SYMBOL: found by its name when the module is loaded. */
extern const struct secure_ops mxdirect_secure_ops __attribute__((visibility("default")));

#endif
