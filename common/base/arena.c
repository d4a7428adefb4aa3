/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stddef.h>

#include "base/arena.h"

#define BLOCK ((size_t)16 * 1024)
#define ALIGN _Alignof(max_align_t)

struct block {
	struct block *next;
	size_t used, size;
	_Alignas(max_align_t) char bytes[];
};
struct arena {
	size_t limit, given;
	struct block *blocks; /* small things come from the first one */
};

struct arena *arena_open(size_t limit)
{
	struct arena *a = calloc(1, sizeof(*a));
	/* Half of the address space is out of reach anyway, and no sum below can overflow. */
	if (a)
		a->limit = limit < SIZE_MAX / 2 ? limit : SIZE_MAX / 2;
	return a;
}

void arena_close(struct arena *a)
{
	if (!a)
		return;
	arena_reset(a);
	free(a);
}

static void drop_until(struct block **at, const struct block *end)
{
	while (*at != end) {
		struct block *b = *at;
		*at = b->next;
		free(b);
	}
}

void arena_reset(struct arena *a)
{
	drop_until(&a->blocks, NULL);
	a->given = 0;
}

struct arena_mark arena_mark(const struct arena *a)
{
	struct block *b = a->blocks;
	return (struct arena_mark){
		.first = b,
		.next = b ? b->next : NULL,
		.used = b ? b->used : 0,
		.given = a->given,
	};
}

/* Newer blocks stand in front of the one that was first, or, if they are large, right behind it. */
void arena_rewind(struct arena *a, struct arena_mark mark)
{
	struct block *b = mark.first;
	drop_until(&a->blocks, b);
	if (b) {
		drop_until(&b->next, mark.next);
		memset(b->bytes + mark.used, 0, b->used - mark.used);
		b->used = mark.used;
	}
	a->given = mark.given;
}

size_t arena_given(const struct arena *a)
{
	return a->given;
}

/* Zeroed here and no more later: no byte is handed out twice without arena_rewind(); of fresh pages
 * libc knows that they are zero. A block of its own for a large thing goes behind the first, whose
 * remaining room stays in use. */
static struct block *new_block(struct arena *a, size_t bytes)
{
	bool large = bytes > BLOCK / 4;
	size_t size = large ? bytes : BLOCK;
	struct block *b = calloc(1, sizeof(*b) + size);
	if (!b)
		return NULL;
	b->size = size;
	struct block **where = large && a->blocks ? &a->blocks->next : &a->blocks;
	b->next = *where;
	*where = b;
	return b;
}

void *arena_new(struct arena *a, size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes) || bytes > a->limit - a->given)
		return NULL;
	/* Nothing still has an address, since NULL means failure. */
	bytes = bytes ? (bytes + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
	if (bytes > a->limit - a->given)
		return NULL;
	struct block *b = a->blocks;
	if (!b || b->size - b->used < bytes)
		b = new_block(a, bytes);
	if (!b)
		return NULL;
	void *p = b->bytes + b->used;
	b->used += bytes;
	a->given += bytes;
	return p;
}

const char *arena_str(struct arena *a, struct span s)
{
	char *p = s.n < SIZE_MAX ? arena_new(a, s.n + 1, 1) : NULL;
	if (p && s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

const char *arena_fmt(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *p = n >= 0 ? arena_new(a, (size_t)n + 1, 1) : NULL;
	if (!p)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}
