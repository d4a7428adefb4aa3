/* SPDX-License-Identifier: ISC */
/*
 * What the header fields of a message say about its transport: is there UTF-8 in a header field, of the message or of a MIME part
 * (RFC 6531 3.1, RFC 6532 3.2)? Such a message needs SMTPUTF8. Bytes over 0x7f that are not valid UTF-8 do not count: that is a
 * broken 8-bit header, which travels as 8-bit text.
 *
 * And what the sender asks of TLS, in fields of the message itself, not of its parts or of messages in it:
 * "Require-TLS-ESMTP: yes" is how Postfix (3.11 and later) hands on that the message came with REQUIRETLS; "TLS-Required: No"
 * (RFC 8689 section 3) asks to deliver it whatever the recipient's domain demands. RFC 8689 forbids a second TLS-Required: then
 * none of them counts, nor does any other value.
 */
#ifndef WIRE_HEADERS_H
#define WIRE_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define HEADERS_DEPTH	 8   /* nested multiparts followed; deeper ones count as body */
#define HEADERS_BOUNDARY 72  /* RFC 2046 5.1.1: at most 70 */
#define HEADERS_LINE	 998 /* of a longer line the first bytes are looked at */

enum headers_body { HEADERS_OTHER, HEADERS_MULTIPART, HEADERS_MESSAGE };

struct headers { /* only the first three are for others to read */
	bool utf8;	       /* the answer so far */
	bool requiretls, tls_required_no; /* settled by headers_finish() */
	bool had_tls_required;
	bool outermost;	       /* no header has ended yet */
	bool in_header;
	uint8_t depth;	       /* multiparts around this place */
	uint8_t digests;       /* bit i: multipart i is a digest, its parts are messages (RFC 2046 5.1.5) */
	enum headers_body body; /* what comes behind this header */
	uint16_t line_len, field_len;
	char line[HEADERS_LINE];
	char field[HEADERS_LINE]; /* the field being unfolded, if it is one that counts */
	char boundary[HEADERS_DEPTH][HEADERS_BOUNDARY];
};

void headers_init(struct headers *h);
/* Canonical bytes (CRLF), in any cuts. */
void headers_feed(struct headers *h, struct span canonical);
/* The end of the message: a field may be the last thing in it. */
void headers_finish(struct headers *h);

#endif
