/* SPDX-License-Identifier: ISC */
/* Bytes whose end is the end of a mapped page, with an unreadable page behind: a parser that reads
 * one byte too many dies. */
#ifndef TESTS_GUARD_PAGE_H
#define TESTS_GUARD_PAGE_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/span.h"

struct guard_page {
	char *map;
	size_t room, page;
};

static inline struct guard_page guard_page_open(size_t room)
{
	struct guard_page g = { .page = (size_t)sysconf(_SC_PAGESIZE) };
	g.room = (room + g.page) / g.page * g.page;
	void *map = mmap(NULL, g.room + g.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	if (map == MAP_FAILED || mprotect((char *)map + g.room, g.page, PROT_NONE) != 0)
		abort();
	g.map = map;
	return g;
}

static inline void guard_page_close(struct guard_page *g)
{
	munmap(g->map, g->room + g->page);
}

/* A copy of s that ends at the guard; the copy before it is overwritten. Even an empty one may not
 * be read at its p. */
static inline struct span guard_page_put(struct guard_page *g, struct span s)
{
	if (s.n > g->room)
		abort();
	char *p = g->map + g->room - s.n;
	if (s.n > 0)
		memmove(p, s.p, s.n);
	return (struct span){ p, s.n };
}

/*
 * Usage:
 *	struct guard_page g = guard_page_open(LIMIT);
 *	parse(guard_page_put(&g, span_of(cases[i].in)));
 *	guard_page_close(&g);
 */

#endif
