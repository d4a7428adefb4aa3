/* SPDX-License-Identifier: ISC */
/*
 * The server's side of a login: what a client must have said, and SCRAM-SHA-256 (RFC 5802,
 * RFC 7677), whose answers depend on what it said before.
 */
#ifndef TOOLS_MXAUTH_H
#define TOOLS_MXAUTH_H

#include "util.h"

void base64_put(struct bytes *out, const void *p, size_t n);

enum scram_step {
	SCRAM_NONE,
	SCRAM_FIRST,     /* < @scram-first USER PASSWORD */
	SCRAM_CHALLENGE, /* > @scram-challenge [ITERATIONS] */
	SCRAM_PROOF,     /* < @scram-proof */
	SCRAM_SIGNATURE, /* > @scram-signature [wrong] */
};

/* "@scram-proof": its step, and the words behind it, or SCRAM_NONE. Dies of words that are none. */
enum scram_step scram_parse(const char *text, bool said, const char **ret_words);

struct scram;

/* A line of the client. NULL: it is as it must be; else what is wrong with it. The first step makes
 * *s. */
const char *scram_heard(struct scram **s, enum scram_step step, const char *words,
			const char *line);
/* What the server says, with CRLF. `s` may be NULL, when the story is not followed. */
void scram_say(struct scram *s, enum scram_step step, const char *words, struct bytes *out);
void scram_free(struct scram *s); /* NULL is fine */

#endif
