/* SPDX-License-Identifier: ISC */
/* Standard input to a message: spooled once, canonical (wire/canon), re-readable. Up to LIMIT_SPOOL_MEMORY bytes in memory, beyond that
 * in a file without a name in $TMPDIR, /var/tmp or /tmp, mode 0600. */
#ifndef FLOW_INTAKE_H
#define FLOW_INTAKE_H

#include "core/config.h"
#include "net/io.h"
#include "wire/canon.h"

struct message;

struct intake_limits {
	uint64_t size; /* canonical bytes; 0: none */
	uint64_t line; /* octets of a line; 0: none */
	struct deadline until;
};
struct intake_limits intake_limits_of(const struct config *c); /* but for `until` */

/*
 * Reads fd to its end. PERM 5.3.4 over limits.size, PERM 5.6.0 over limits.line (both after reading on to the end, without keeping it);
 * TEMP 4.3.1 for a full disk, TEMP 4.3.0 for another read or write error, TEMP 4.4.7 at the deadline, TEMP 4.3.2 when stopped.
 */
MUST_CHECK bool intake_read(int fd, struct io *io, const struct intake_limits *limits, struct message **ret, struct error *err);

/* The same piece by piece, for who reads himself; limits.until has no say. After a piece that failed nothing is kept, but more pieces may
 * come, and intake_end() fails with the first error. */
struct intake;
MUST_CHECK bool intake_begin(const struct intake_limits *limits, struct intake **ret, struct error *err);
void intake_take(struct intake *k, struct span piece);
MUST_CHECK bool intake_end(struct intake *k, struct message **ret, struct error *err); /* k is gone after it */
void intake_cancel(struct intake *k); /* NULL is fine */

/* Does a message that was read within other limits keep these as well? PERM 5.3.4 and 5.6.0 as intake_read(). */
MUST_CHECK bool message_fits(const struct message *m, const struct intake_limits *limits, struct error *err);

/* A second reader of the same bytes, with a place of its own: for deliveries at the same time. m must outlive it. */
MUST_CHECK bool message_share(const struct message *m, struct message **ret, struct error *err);
void message_close(struct message *m); /* NULL is fine */
const struct facts *message_facts(const struct message *m);
void message_rewind(struct message *m);
/* The next piece, at most 64 KiB, valid until the next call; n 0: the end. TEMP 4.3.0 when the file cannot be read. */
MUST_CHECK bool message_next(struct message *m, struct span *ret, struct error *err);

#endif
