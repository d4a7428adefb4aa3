/* SPDX-License-Identifier: ISC */
/*
 * What a command shows to a person: texts, ages, headings, fields, at most PAGE_WIDTH columns wide, a code point being a column. Without
 * memory texts come back empty and `nomem` stays set: it is looked at once, in the end.
 */
#ifndef FRONT_CTL_PAGE_H
#define FRONT_CTL_PAGE_H

#include <stdio.h>

#include "base/arena.h"
#include "base/ip.h"

#define PAGE_WIDTH 100

struct page {
	FILE *out;
	struct arena *arena;
	int64_t now; /* seconds since 1970 */
	bool bold;
	bool nomem;
	bool begun; /* there was a heading */
};

/* Strings live in the arena. Never NULL. */
const char *page_text(struct page *p, struct span s); /* printable (text_printable()): a memory is not believed to hold nothing else */
const char *page_fmt(struct page *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
const char *page_age(struct page *p, int64_t seconds); /* "45s", "3m", "2h10m", "3d4h"; less than none: "0s" */
const char *page_ago(struct page *p, int64_t when);	/* "3m ago"; 0: "never" */
const char *page_until(struct page *p, int64_t when);	/* "in 3m"; 0 and what has come: "now" */
const char *page_moment(struct page *p, int64_t when);	/* "2026-11-24T09:40:00Z (3m ago)", "... (in 3m)"; 0: "never" */
const char *page_reason(struct page *p, struct esc code, struct span text); /* "4.4.1 connect to ..."; without a code the text alone */
const char *page_address(struct page *p, struct endpoint e); /* "192.0.2.1", "2001:db8::1"; "[192.0.2.1]:2525" unless the port is 25 */
const char *page_source(struct page *p, struct ip source);   /* "-": the kernel's choice */

size_t page_columns(const char *s);
size_t page_break(const char *s, size_t columns); /* bytes of the line that `s` begins with: up to the last blank that fits, if there is one */
void page_put(struct page *p, const char *s, size_t columns); /* padded with blanks, or cut with an ellipsis */

void page_heading(struct page *p, const char *text); /* bold, after an empty line unless it is the first */
/* "  Name          text": wrapped at blanks, further lines below the first. Names have up to 12 columns. */
void page_field(struct page *p, const char *name, const char *text);
void page_wrap(struct page *p, size_t indent, const char *text); /* a paragraph */
void page_hang(struct page *p, size_t indent, const char *text); /* one whose first line stands behind something already */

#endif
