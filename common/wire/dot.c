/* SPDX-License-Identifier: ISC */
#include "base/text.h"
#include "wire/dot.h"

void dot_init(struct dot *d)
{
	d->at_line_start = true;
}

void dot_feed(struct dot *d, struct span in, struct buf *out, size_t *ret_used)
{
	size_t i = 0, room;
	while (i < in.n && (room = buf_room(out)) > 0) {
		bool double_it = d->at_line_start && in.p[i] == '.';
		if (double_it && room < 2)
			break;
		if (double_it)
			buf_addc(out, '.');
		room = buf_room(out);
		struct span run = { in.p + i, in.n - i < room ? in.n - i : room };
		run.n = text_line_with(run, '.');
		buf_add(out, run);
		i += run.n;
		d->at_line_start = run.p[run.n - 1] == '\n';
	}
	*ret_used = i;
}

void undot_init(struct undot *u)
{
	u->at = UNDOT_LINE;
}

/* Everything up to the next CR, at once. */
static size_t copy_text(struct undot *u, struct span in, struct buf *out)
{
	size_t room = buf_room(out);
	struct span run = { in.p, in.n < room ? in.n : room };
	const char *cr = memchr(run.p, '\r', run.n);
	if (cr)
		run.n = (size_t)(cr - run.p) + 1;
	buf_add(out, run);
	u->at = cr ? UNDOT_CR : UNDOT_TEXT;
	return run.n;
}

/* One octet whose place decides about it. False: it is the end. */
static bool take_octet(struct undot *u, char c, struct buf *out)
{
	if (u->at == UNDOT_DOT_CR && c == '\n')
		return false;
	if (u->at == UNDOT_LINE && c == '.') {
		u->at = UNDOT_DOT;
		return true;
	}
	if (u->at == UNDOT_DOT && c == '\r') {
		u->at = UNDOT_DOT_CR;
		return true;
	}
	if (u->at == UNDOT_DOT_CR) { /* the dot was text's, the CR is text */
		buf_addc(out, '\r');
		u->at = UNDOT_CR;
	}
	buf_addc(out, c);
	u->at = c == '\r' ? UNDOT_CR : u->at == UNDOT_CR && c == '\n' ? UNDOT_LINE : UNDOT_TEXT;
	return true;
}

enum parse undot_feed(struct undot *u, struct span in, struct buf *out, size_t *ret_used)
{
	size_t i = 0;
	while (i < in.n && buf_room(out) >= 2) {
		if (u->at == UNDOT_TEXT) {
			i += copy_text(u, (struct span){ in.p + i, in.n - i }, out);
		} else if (!take_octet(u, in.p[i++], out)) {
			*ret_used = i;
			return PARSE_DONE;
		}
	}
	*ret_used = i;
	return PARSE_MORE;
}
