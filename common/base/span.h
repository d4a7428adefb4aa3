/* SPDX-License-Identifier: ISC */
/* Views of bytes that somebody else owns. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const char *p; /* may be NULL when n is 0 */
	size_t n;
};
#define SPAN(lit) ((struct span){ (lit), sizeof(lit) - 1 })

struct span span_of(const char *cstr); /* NULL: the empty span */
bool span_equal(struct span a, struct span b);
bool span_equal_nocase(struct span a, struct span b); /* ASCII only, no locale */
bool span_starts_nocase(struct span s, struct span prefix);

/* Cut the part before `sep` off *rest into *ret_head. Without `sep` all of *rest is the head. False: *rest was empty. */
bool span_cut(struct span *rest, char sep, struct span *ret_head);

struct span span_trim(struct span s); /* SP, HTAB, CR, LF at both ends */

/* What an incremental parser says. */
enum parse { PARSE_DONE, PARSE_MORE, PARSE_BAD };

#endif
