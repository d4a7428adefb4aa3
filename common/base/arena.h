/* SPDX-License-Identifier: ISC */
/* The memory of one delivery: values are made here and all die together. Handles (descriptors, sessions) do not live here. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/err.h"
#include "base/span.h"

struct arena;

struct arena *arena_open(size_t limit); /* bytes in all; NULL: out of memory */
void arena_close(struct arena *a);	/* NULL is fine */
void arena_reset(struct arena *a);	/* all values die; for the next message */
size_t arena_given(const struct arena *a); /* bytes since then */

/* Values made after the mark die, older ones stay. Marks made after this one, and all marks after arena_reset(), are void. */
struct arena_mark {
	void *first, *next;
	size_t used, given;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark mark);

/* Zeroed room for n things of `size` bytes, aligned for anything. NULL: past the limit, no memory, or n * size overflows. */
void *arena_new(struct arena *a, size_t n, size_t size);
#define ARENA_NEW(a, type, n) ((type *)arena_new((a), (n), sizeof(type)))

const char *arena_str(struct arena *a, struct span s); /* NUL-terminated copy; NULL: out of memory */
const char *arena_fmt(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3); /* NULL: out of memory */

#endif
