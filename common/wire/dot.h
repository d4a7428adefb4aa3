/* SPDX-License-Identifier: ISC */
/* Transparency (RFC 5321 4.5.2) over canonical bytes: a dot at the start of a line is doubled. The final ".CRLF" is not written. */
#ifndef WIRE_DOT_H
#define WIRE_DOT_H

#include "base/buf.h"

struct dot {
	bool at_line_start;
};

void dot_init(struct dot *d);
/* Take as much of `in` as fits into `out`; *ret_used tells how much. Progress is made when buf_room(out) >= 2. */
void dot_feed(struct dot *d, struct span in, struct buf *out, size_t *ret_used);

/* The way back: text as it comes after DATA. Only CRLF ends a line here: a dot behind a bare LF or CR is text, or somebody could end the
 * message where we and the sender do not both see its end. */
struct undot {
	enum { UNDOT_LINE, UNDOT_TEXT, UNDOT_CR, UNDOT_DOT, UNDOT_DOT_CR } at;
};

void undot_init(struct undot *u);
/* Take as much of `in` as fits into `out`, and nothing behind the final ".CRLF"; *ret_used tells how much. DONE: it was taken. MORE else:
 * progress is made when buf_room(out) >= 2. */
enum parse undot_feed(struct undot *u, struct span in, struct buf *out, size_t *ret_used);

#endif
