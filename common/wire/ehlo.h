/* SPDX-License-Identifier: ISC */
/* What an EHLO reply offers (RFC 5321 4.1.1.1). */
#ifndef WIRE_EHLO_H
#define WIRE_EHLO_H

#include "wire/reply.h"

enum ehlo_cap {
	EHLO_PIPELINING = 1 << 0, /* RFC 2920 */
	EHLO_8BITMIME = 1 << 1,	  /* RFC 6152 */
	EHLO_SIZE = 1 << 2,	  /* RFC 1870 */
	EHLO_STARTTLS = 1 << 3,	  /* RFC 3207 */
	EHLO_DSN = 1 << 4,	  /* RFC 3461 */
	EHLO_SMTPUTF8 = 1 << 5,	  /* RFC 6531 */
	EHLO_CHUNKING = 1 << 6,	  /* RFC 3030 */
	EHLO_REQUIRETLS = 1 << 7, /* RFC 8689 */
	EHLO_ENHANCED = 1 << 8,	  /* RFC 2034 */
};

enum ehlo_auth { /* RFC 4954; those that we know */
	AUTH_SCRAM_SHA_256 = 1 << 0, /* RFC 7677 */
	AUTH_PLAIN = 1 << 1,	     /* RFC 4616 */
	AUTH_LOGIN = 1 << 2,	     /* draft-murchison-sasl-login */
};

struct ehlo {
	uint32_t caps;	   /* set of enum ehlo_cap */
	uint32_t auth;	   /* set of enum ehlo_auth; also of the old form "AUTH=LOGIN" */
	uint64_t size_max; /* 0: no limit given, or one that cannot be read */
	uint32_t mail_max, rcpt_max; /* LIMITS MAILMAX, RCPTMAX (RFC 9422): transactions a session, recipients a transaction; 0: none given */
	char name[LIMIT_DOMAIN + 1]; /* the server's own name: first word of the first line; "" if it has none */
};

/* Keywords are found without regard to case, from the second line on; unknown ones are passed over, and a line that was cut. */
void ehlo_parse(const struct reply *r, struct ehlo *ret);

#endif
