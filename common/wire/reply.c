/* SPDX-License-Identifier: ISC */
#include "base/text.h"
#include "wire/reply.h"

void reply_parser_init(struct reply_parser *p)
{
	memset(&p->reply, 0, sizeof(p->reply));
	p->pos = 0;
	p->bad = p->done = false;
}

int reply_class(const struct reply *r)
{
	return r->code / 100;
}

/* How much of s, which is UTF-8, fits without cutting a character. */
static size_t fit(struct span s, size_t room)
{
	if (s.n <= room)
		return s.n;
	size_t n = room;
	while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* Reply-code = %x32-35 %x30-35 %x30-39 (RFC 5321 section 4.2). 0: not one. */
static uint16_t read_code(const char *line, size_t n)
{
	if (n < 3 || line[0] < '2' || line[0] > '5' || line[1] < '0' || line[1] > '5' ||
	    line[2] < '0' || line[2] > '9')
		return 0;
	if (n > 3 && line[3] != ' ' && line[3] != '-')
		return 0;
	return (uint16_t)((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
}

/* The status code that starts `text`, RFC 2034 section 4; without leading zeros, RFC 3463
 * section 2. */
static bool read_esc(struct span text, int class, struct esc *ret)
{
	struct span word, part;
	uint64_t n[3];
	if (class == 3 || !span_cut(&text, ' ', &word) || word.n == 0 || word.p[word.n - 1] == '.')
		return false;
	for (int i = 0; i < 3; i++)
		if (!span_cut(&word, '.', &part) || part.n > 3 || !text_u64(part, 999, &n[i]) ||
		    (part.n > 1 && part.p[0] == '0'))
			return false;
	if (word.n > 0 || n[0] != (uint64_t) class)
		return false;
	*ret = ESC((uint8_t)n[0], (uint16_t)n[1], (uint16_t)n[2]);
	return true;
}

/* What is kept is one run from the start, so nothing is added behind a cut. */
static void keep(struct reply *r, struct span text)
{
	size_t room = sizeof(r->text) - 1 - r->len;
	if (r->cut)
		return;
	if (r->lines > 0 && room == 0) {
		r->cut = true;
		return;
	}
	if (r->lines > 0) {
		r->text[r->len++] = '\n';
		room--;
	}
	size_t n = fit(text, room);
	if (n > 0)
		memcpy(r->text + r->len, text.p, n);
	r->len = (uint16_t)(r->len + n);
	r->text[r->len] = '\0';
	r->cut = n < text.n;
}

/* p->line holds a line with its line end. */
static enum parse take_line(struct reply_parser *p)
{
	struct reply *r = &p->reply;
	size_t n = p->pos - 1u;
	if (n > 0 && p->line[n - 1] == '\r')
		n--;
	p->pos = 0;
	uint16_t code = read_code(p->line, n);
	/* RFC 5321 section 4.2.1: the code is the same on every line. */
	if (code == 0 || (r->lines > 0 && code != r->code) || r->lines == LIMIT_REPLY_LINES)
		return PARSE_BAD;
	bool last = n == 3 || p->line[3] == ' ';
	size_t skip = n == 3 ? 3 : 4;
	struct span text = { p->line + skip, n - skip };
	text_printable(p->line + skip, text.n);
	r->code = code;
	if (r->esc.cls == 0)
		(void)read_esc(text, reply_class(r), &r->esc);
	keep(r, text);
	r->lines++;
	return last ? PARSE_DONE : PARSE_MORE;
}

/* Take bytes of one line, its line end included if it is there. */
static enum parse take(struct reply_parser *p, struct span in, size_t *ret_used)
{
	size_t room = sizeof(p->line) - p->pos;
	size_t n = in.n < room ? in.n : room;
	const char *end = memchr(in.p, '\n', n);
	if (end)
		n = (size_t)(end - in.p) + 1;
	*ret_used = n;
	if (memchr(in.p, '\0', n))
		return PARSE_BAD;
	memcpy(p->line + p->pos, in.p, n);
	p->pos = (uint16_t)(p->pos + n);
	if (end)
		return take_line(p);
	return p->pos == sizeof(p->line) ? PARSE_BAD : PARSE_MORE;
}

enum parse reply_parse(struct reply_parser *p, struct span in, size_t *ret_used)
{
	if (p->done)
		reply_parser_init(p);
	enum parse say = p->bad ? PARSE_BAD : PARSE_MORE;
	size_t used = 0;
	while (say == PARSE_MORE && used < in.n) {
		size_t n;
		say = take(p, (struct span){ in.p + used, in.n - used }, &n);
		used += n;
	}
	p->bad = say == PARSE_BAD;
	p->done = say == PARSE_DONE;
	*ret_used = used;
	return say;
}

struct esc reply_esc_or(const struct reply *r, struct esc fallback)
{
	int class = reply_class(r);
	if (r->esc.cls != 0)
		return r->esc;
	if (class == 2 || class == 4 || class == 5)
		fallback.cls = (uint8_t) class;
	return fallback;
}

void reply_format(const struct reply *r, char *out, size_t n)
{
	char whole[LIMIT_REPLY_TEXT + 8];
	if (n == 0)
		return;
	snprintf(whole, sizeof(whole), "%u%s%s", (unsigned)r->code, r->len > 0 ? " " : "", r->text);
	for (char *p = whole; *p; p++)
		if (*p == '\n')
			*p = ' ';
	size_t used = fit(span_of(whole), n - 1);
	memcpy(out, whole, used);
	out[used] = '\0';
}
