/* SPDX-License-Identifier: ISC */
/* Base64 with padding and without line breaks (RFC 4648 section 4), as SASL has it in SMTP (RFC 4954). */
#ifndef WIRE_BASE64_H
#define WIRE_BASE64_H

#include "base/buf.h"

#define BASE64_SIZE(n) (((n) + 2) / 3 * 4)

void base64_add(struct buf *out, struct span bytes);
/* Appends the bytes. False for anything that base64_add() would not have written, and where `out` has no room; it is unchanged then. */
MUST_CHECK bool base64_read(struct span text, struct buf *out);

#endif
