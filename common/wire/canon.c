/* SPDX-License-Identifier: ISC */
#include "base/text.h"
#include "wire/canon.h"

void canon_init(struct canon *c)
{
	c->facts = (struct facts){ 0 };
	headers_init(&c->headers);
	c->line = 0;
	c->crs = 0;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Counters that stay at their end instead of starting again. */
static uint32_t more(uint32_t count, size_t n)
{
	return n < UINT32_MAX - count ? count + (uint32_t)n : UINT32_MAX;
}

static void end_line(struct canon *c, struct buf *out)
{
	buf_add(out, SPAN("\r\n"));
	if (c->line > c->facts.longest_line)
		c->facts.longest_line = c->line;
	c->line = 0;
	c->crs = 0;
}

/* CRs that turned out not to belong to a line end, as many as fit. */
static void add_blanks(struct canon *c, struct buf *out)
{
	size_t n = least(c->crs, buf_room(out));
	for (size_t i = 0; i < n; i++)
		buf_addc(out, ' ');
	c->line = more(c->line, n);
	c->crs -= (uint32_t)n;
	c->facts.had_bare_cr = true;
}

static void look_at_input(struct facts *f, struct span s)
{
	if (!f->has_8bit)
		f->has_8bit = !text_is_ascii(s);
	if (!f->has_nul)
		f->has_nul = s.n > 0 && memchr(s.p, '\0', s.n);
}

static void look_at_output(struct canon *c, struct span s)
{
	c->facts.size += s.n;
	headers_feed(&c->headers, s);
	c->facts.header_utf8 = c->headers.utf8;
}

/*
 * Between CRs the work is one memchr() and one memcpy() a line. No byte but a CR is taken without
 * at least one written, so what lies behind the room need not be searched for CRs.
 */
void canon_feed(struct canon *c, struct span in, struct buf *out, size_t *ret_used)
{
	size_t from = out->len, i = 0, cr = 0, room;
	while (i < in.n && (room = buf_room(out)) > 0) {
		if (in.p[i] == '\r') {
			c->crs = more(c->crs, 1);
			i++;
			continue;
		}
		if (in.p[i] == '\n') {
			if (room < 2)
				break;
			end_line(c, out);
			i++;
			continue;
		}
		if (c->crs > 0) {
			add_blanks(c, out);
			continue;
		}
		size_t most = least(in.n - i, room);
		if (i >= cr) {
			const char *at = memchr(in.p + i, '\r', most);
			cr = at ? (size_t)(at - in.p) : i + most;
		}
		most = least(most, cr - i);
		const char *lf = memchr(in.p + i, '\n', most);
		size_t n = lf ? (size_t)(lf - in.p) - i : most;
		buf_add(out, (struct span){ in.p + i, n });
		c->line = more(c->line, n);
		i += n;
	}
	look_at_input(&c->facts, (struct span){ in.p, i });
	look_at_output(c, (struct span){ out->p + from, out->len - from });
	*ret_used = i;
}

/* The line end that is added takes the CRs before it, like any other. */
void canon_finish(struct canon *c, struct buf *out)
{
	size_t from = out->len;
	if (c->line > 0 || c->crs > 0) {
		end_line(c, out);
		c->facts.added_final_newline = true;
		look_at_output(c, (struct span){ out->p + from, out->len - from });
	}
	headers_finish(&c->headers);
	c->facts.requiretls = c->headers.requiretls;
	c->facts.tls_required_no = c->headers.tls_required_no;
}
