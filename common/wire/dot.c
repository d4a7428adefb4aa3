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
