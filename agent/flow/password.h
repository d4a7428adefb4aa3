/* SPDX-License-Identifier: ISC */
/* The secret of a login: the first line of a file of its own, which nobody else can read. */
#ifndef FLOW_PASSWORD_H
#define FLOW_PASSWORD_H

#include "base/err.h"

#define PASSWORD_MOST 255 /* bytes (RFC 4616 section 2) */

/* Can it be read, is it a regular file that belongs to root or to us, and is it closed to others (no permission for others, none to write for
 * the group)? CONFIG 4.3.5 with the path and what to do about it. */
MUST_CHECK bool password_check(const char *path, struct error *err);

/* Reads it, without its line end, and takes care that this process leaves no core dump from now on. CONFIG 4.3.5 as above, and for one that is
 * empty, too long, or holds a NUL. */
MUST_CHECK bool password_read(const char *path, char ret[static PASSWORD_MOST + 1], struct error *err);

#endif
