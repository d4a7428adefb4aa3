/* SPDX-License-Identifier: ISC */
#include "front/ctl_table.h"

#define GAP          2
#define BELOW_INDENT 4

struct table_row {
	struct table_row *next;
	const char *cell[TABLE_COLUMNS];
	const char *below;
};

void table_init(struct table *t, const struct table_column *column, size_t ncolumn)
{
	*t = (struct table){ .column = column, .ncolumn = ncolumn };
}

void table_add(struct table *t, struct page *p, const char *const *cell, const char *below)
{
	struct table_row *row = ARENA_NEW(p->arena, struct table_row, 1);
	if (!row) {
		p->nomem = true;
		return;
	}
	memcpy(row->cell, cell, t->ncolumn * sizeof(cell[0]));
	row->below = below;
	if (t->last)
		t->last->next = row;
	else
		t->first = row;
	t->last = row;
	t->nrow++;
}

static void widen(size_t *width, const char *s)
{
	size_t n = page_columns(s);
	*width = n > *width ? n : *width;
}

static void measure(const struct table *t, size_t width[static TABLE_COLUMNS])
{
	size_t all = (t->ncolumn - 1) * GAP;
	for (size_t i = 0; i < t->ncolumn; i++) {
		widen(&width[i], t->column[i].title);
		for (const struct table_row *r = t->first; r; r = r->next)
			widen(&width[i], r->cell[i]);
		all += width[i];
	}
	for (; all > PAGE_WIDTH; all--) {
		size_t widest = 0;
		for (size_t i = 1; i < t->ncolumn; i++)
			widest = width[i] > width[widest] ? i : widest;
		width[widest]--;
	}
}

static void put_row(const struct table *t, struct page *p, const char *const *cell,
		    const size_t *width)
{
	for (size_t i = 0; i < t->ncolumn; i++) {
		size_t have = page_columns(cell[i]);
		bool last = i + 1 == t->ncolumn;
		if (t->column[i].right && have < width[i])
			fprintf(p->out, "%*s%s", (int)(width[i] - have), "", cell[i]);
		else /* no blanks at the end of a line */
			page_put(p, cell[i], last && have < width[i] ? have : width[i]);
		fputs(last ? "\n" : "  ", p->out);
	}
}

void table_print(const struct table *t, struct page *p)
{
	size_t width[TABLE_COLUMNS] = { 0 };
	const char *title[TABLE_COLUMNS] = { NULL };
	if (t->nrow == 0)
		return;
	measure(t, width);
	for (size_t i = 0; i < t->ncolumn; i++)
		title[i] = t->column[i].title;
	put_row(t, p, title, width);
	for (const struct table_row *r = t->first; r; r = r->next) {
		put_row(t, p, r->cell, width);
		if (!r->below || !r->below[0])
			continue;
		size_t have = page_columns(r->below), most = PAGE_WIDTH - BELOW_INDENT;
		fprintf(p->out, "%*s", BELOW_INDENT, "");
		page_put(p, r->below, have < most ? have : most);
		fputc('\n', p->out);
	}
}
