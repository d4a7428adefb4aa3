/* SPDX-License-Identifier: ISC */
/* Text without locale. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>

#include "base/span.h"

char text_lower(char c);			 /* ASCII */
bool text_u64(struct span s, uint64_t max, uint64_t *ret); /* digits only, the whole span, at most max */

/* Where the first `c` stands that follows an LF; s.n: nowhere. Two memchr() for each line with a `c` in it, none for the others. */
size_t text_line_with(struct span s, char c);

bool text_is_ascii(struct span s);		 /* no byte over 0x7f */
bool text_is_utf8(struct span s);		 /* valid UTF-8 (RFC 3629): no overlong forms, surrogates, or values over U+10FFFF */

/*
 * Make n bytes printable in place: controls and DEL become '?', tab and newline a blank, and every byte that is not part of
 * valid UTF-8 '?'. A NUL is a control. Foreign text passes here once, where it enters.
 */
void text_printable(char *s, size_t n);

#endif
