/* SPDX-License-Identifier: ISC */
/* A table of columns as wide as they must be, and of PAGE_WIDTH in all: the widest ones are cut until it fits. */
#ifndef FRONT_CTL_TABLE_H
#define FRONT_CTL_TABLE_H

#include "front/ctl_page.h"

#define TABLE_COLUMNS 8

struct table_column {
	const char *title;
	bool right; /* numbers stand at the right */
};

struct table_row;
struct table {
	const struct table_column *column;
	size_t ncolumn;
	struct table_row *first, *last;
	size_t nrow;
};

void table_init(struct table *t, const struct table_column *column, size_t ncolumn);

/* `cell` are ncolumn strings, `below` a text that follows on a line of its own (NULL or "": none); all live until table_print(). */
void table_add(struct table *t, struct page *p, const char *const *cell, const char *below);

/* Nothing, not even the titles, if there are no rows. */
void table_print(const struct table *t, struct page *p);

#endif
