/* SPDX-License-Identifier: ISC */
/* Command lines. Every argument is checked here for CR, LF, NUL: the last fence before the wire. */
#ifndef WIRE_COMMAND_H
#define WIRE_COMMAND_H

#include "base/buf.h"
#include "wire/addr.h"

struct mail_params {
	bool say_size;
	uint64_t size; /* with say_size: SIZE= (RFC 1870) */
	bool body_8bit, smtputf8, requiretls;
	const char *ret, *envid; /* DSN (RFC 3461 4.3, 4.4); NULL: absent */
};
struct rcpt_params {
	const char *notify, *orcpt; /* DSN (RFC 3461 4.1, 4.2); NULL: absent */
};

/*
 * Append one line with CRLF to `out`. All fail PERM 5.1.3 for a line over LIMIT_COMMAND (MAIL, RCPT; the CRLF counts), INTERNAL for
 * a forbidden byte (also a blank in a name or parameter), an empty parameter, a null recipient or a full buffer; `out` is then
 * unchanged. Parameters are given as they go out: ENVID and ORCPT already are xtext (RFC 3461 section 4).
 */
MUST_CHECK bool command_hello(struct buf *out, const char *verb, const char *name, struct error *err);
MUST_CHECK bool command_mail(struct buf *out, const struct addr *from, const struct mail_params *p, struct error *err);
MUST_CHECK bool command_rcpt(struct buf *out, const struct addr *to, const struct rcpt_params *p, struct error *err);
void command_plain(struct buf *out, const char *verb); /* DATA, RSET, QUIT, STARTTLS */

#endif
