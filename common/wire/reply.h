/* SPDX-License-Identifier: ISC */
/* One SMTP or LMTP reply (RFC 5321 4.2, RFC 2034), assembled from stream bytes. */
#ifndef WIRE_REPLY_H
#define WIRE_REPLY_H

#include "base/err.h"
#include "base/span.h"

struct reply {
	uint16_t code;	 /* 200..599 */
	struct esc esc;	 /* of the first line with one; 0.0.0: absent, malformed, or of another class than the code (RFC 2034 section 4) */
	uint8_t lines;	 /* 1..LIMIT_REPLY_LINES */
	bool cut;	 /* text is not all of it; its last line may be half a line */
	uint16_t len;	 /* of text */
	char text[LIMIT_REPLY_TEXT]; /* NUL-terminated; lines without code joined by '\n', each printable; cut when too long */
};

struct reply_parser {
	struct reply reply;
	uint16_t pos; /* bytes of the current line */
	bool bad, done;
	char line[LIMIT_REPLY_LINE];
};

void reply_parser_init(struct reply_parser *p);
/*
 * DONE: p->reply is complete and *ret_used ends right behind its line end; later bytes are not looked at, and the next call starts
 * the next reply. MORE: all of `in` was taken. BAD, from then on until reply_parser_init(): not a reply (a line that does not start
 * with code and SP, '-' or end; a code outside 2xx to 5xx or with a second digit over 5; codes that differ inside one reply, RFC
 * 5321 4.2.1; a line over LIMIT_REPLY_LINE, its line end included, or too many lines; a NUL).
 * A line may end in CRLF or LF alone (servers do that); a bare CR inside is printed as '?'.
 */
enum parse reply_parse(struct reply_parser *p, struct span in, size_t *ret_used);

int reply_class(const struct reply *r); /* 2, 3, 4, 5 */
/*
 * The server's enhanced code, else `fallback`; the class digit always follows the reply code, so a "5.7.1" behind 450 is not
 * believed. For a 3xx reply, which has no class in RFC 3463, `fallback` comes back as it is.
 */
struct esc reply_esc_or(const struct reply *r, struct esc fallback);
/* "550 5.1.1 no such user": code, a blank, the text with its line ends as blanks. At most n - 1 bytes. */
void reply_format(const struct reply *r, char *out, size_t n);

#endif
