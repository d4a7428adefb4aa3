/* SPDX-License-Identifier: ISC */
/*
 * Message bytes to canonical form, with the facts gathered in the same pass: LF and CRLF end a line as CRLF, a bare CR becomes a
 * blank (as Postfix does; CR CR LF is one line end preceded by nothing: all CRs right before an LF belong to it), the last line is
 * ended. NUL, 8-bit bytes and long lines pass. The empty message stays empty; one that ends inside its header is left so.
 */
#ifndef WIRE_CANON_H
#define WIRE_CANON_H

#include "base/buf.h"
#include "wire/headers.h"

struct facts {
	uint64_t size;	       /* canonical bytes: what SIZE= announces (RFC 1870 section 3) */
	uint32_t longest_line; /* octets without CRLF */
	bool has_8bit, has_nul, header_utf8, had_bare_cr, added_final_newline;
	bool requiretls, tls_required_no; /* headers.h; set by canon_finish() */
	uint64_t digest; /* of the canonical bytes (base/digest.h); set by flow/intake, which has them */
};

struct canon {
	struct facts facts;
	struct headers headers;
	uint32_t line;	/* octets of the current line */
	uint32_t crs;	/* CRs seen, not yet decided */
};

void canon_init(struct canon *c);
/* Take as much of `in` as fits into `out`; *ret_used tells how much. Progress is made when buf_room(out) >= 4. */
void canon_feed(struct canon *c, struct span in, struct buf *out, size_t *ret_used);
/* End of input: at most 4 bytes more. After it c->facts is true. */
void canon_finish(struct canon *c, struct buf *out);

#endif
