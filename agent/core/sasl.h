/* SPDX-License-Identifier: ISC */
/*
 * The client side of SASL for a login: SCRAM-SHA-256 (RFC 5802, RFC 7677), PLAIN (RFC 4616) and LOGIN. Only ever said to a server that TLS has
 * proven. Challenges and responses are bytes here; base64 and lines are the dialog's.
 *
 * User and password go as they are. Where they have more than ASCII, SASLprep (RFC 4013) is the business of whoever writes the configuration.
 * No channel binding: it proves which TLS session the server means, and the certificate has told that.
 */
#ifndef CORE_SASL_H
#define CORE_SASL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/secure.h"
#include "wire/ehlo.h"

struct login {
	const char *user, *password;
	const char *route; /* where it is configured, for reports: `route "*" (/etc/mxdirect/mxdirect.conf:12)` */
};

#define SASL_RESPONSE	1400	/* bytes of a response at most: its base64 fits a line of LIMIT_COMMAND */
#define SASL_ITERATIONS 1000000 /* of SCRAM at most: half a second of CPU; RFC 7677 asks for 4096 at least */

/* The best of what the server offers (a set of enum ehlo_auth): the one in which the password is not said comes first. 0: none of ours. */
enum ehlo_auth sasl_choose(uint32_t offered);
const char *sasl_name(enum ehlo_auth mechanism); /* "SCRAM-SHA-256" */

struct sasl;
/* NULL: no memory. The login and `crypto` must outlive it. */
struct sasl *sasl_new(struct arena *a, enum ehlo_auth mechanism, const struct login *login, const struct secure_crypto *crypto);

/* Appends the response that may go with AUTH to `out`, which needs room for SASL_RESPONSE bytes here and below. *ret_none: this mechanism has none (LOGIN). INTERNAL: no randomness or memory; CONFIG 4.3.5:
 * user and password do not fit SASL_RESPONSE. To say it later, ask again. */
MUST_CHECK bool sasl_first(struct sasl *s, struct buf *out, bool *ret_none, struct error *err);
/* Appends the response to a challenge. TEMP 4.7.8 when the server breaks the rules of the mechanism, asks for fewer than 4096 or more than SASL_ITERATIONS iterations,
 * or cannot prove that it knows the password; INTERNAL without memory; CONFIG as above. There are never more than two. */
MUST_CHECK bool sasl_next(struct sasl *s, struct span challenge, struct buf *out, struct error *err);
/* The server says that we are in. SCRAM: has it proven itself? */
bool sasl_is_complete(const struct sasl *s);

#endif
