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

#endif
