/* SPDX-License-Identifier: ISC */
/* xtext, RFC 3461 section 4: how DSN and XFORWARD carry any octet in a parameter. */
#ifndef WIRE_XTEXT_H
#define WIRE_XTEXT_H

#include "base/buf.h"

/*
 * Append to `out` what s stands for: any octets, NUL and line ends too. False: s is not xtext ("+" without two upper case hexadecimal
 * digits, "=", a blank, a control, an octet over 0x7e), or it does not fit (out->overflow); `out` then holds the part before it. The empty
 * text is xtext.
 */
MUST_CHECK bool xtext_decode(struct span s, struct buf *out);

#endif
