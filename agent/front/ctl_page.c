/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdarg.h>

#include "base/clock.h"
#include "base/text.h"
#include "front/ctl_page.h"

#define FIELD_INDENT 2
#define FIELD_NAME   12
#define MINUTE       60
#define HOUR         3600
#define DAY          86400

static const char *kept(struct page *p, const char *s)
{
	if (!s)
		p->nomem = true;
	return s ? s : "";
}

const char *page_text(struct page *p, struct span s)
{
	char *copy = ARENA_NEW(p->arena, char, s.n + 1);
	if (copy && s.n > 0)
		memcpy(copy, s.p, s.n);
	if (copy)
		text_printable(copy, s.n);
	return kept(p, copy);
}

const char *page_fmt(struct page *p, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	const char *copy = n < 0 ? NULL : arena_str(p->arena, (struct span){ text, (size_t)n });
	if (n >= 0)
		free(text);
	return kept(p, copy);
}

/* Two units at most, the smaller one left out when it is zero. */
static const char *pair(struct page *p, int64_t seconds, int64_t unit, const char *names)
{
	int64_t small = unit == DAY ? HOUR : MINUTE;
	int64_t big = seconds / unit, rest = seconds % unit / small;
	if (rest == 0)
		return page_fmt(p, "%" PRId64 "%c", big, names[0]);
	return page_fmt(p, "%" PRId64 "%c%" PRId64 "%c", big, names[0], rest, names[1]);
}

const char *page_age(struct page *p, int64_t seconds)
{
	if (seconds >= DAY)
		return pair(p, seconds, DAY, "dh");
	if (seconds >= HOUR)
		return pair(p, seconds, HOUR, "hm");
	if (seconds >= MINUTE)
		return page_fmt(p, "%" PRId64 "m", seconds / MINUTE);
	return page_fmt(p, "%" PRId64 "s", seconds < 0 ? 0 : seconds);
}

/* Times come from a file: their difference may not fit. */
static int64_t between(int64_t from, int64_t to)
{
	int64_t seconds;
	if (__builtin_sub_overflow(to, from, &seconds))
		return to > from ? INT64_MAX : INT64_MIN;
	return seconds;
}

const char *page_ago(struct page *p, int64_t when)
{
	if (when == 0)
		return "never";
	return page_fmt(p, "%s ago", page_age(p, between(when, p->now)));
}

const char *page_until(struct page *p, int64_t when)
{
	if (when == 0 || when <= p->now)
		return "now";
	return page_fmt(p, "in %s", page_age(p, between(p->now, when)));
}

const char *page_moment(struct page *p, int64_t when)
{
	char utc[CLOCK_UTC];
	if (when == 0)
		return "never";
	clock_utc(when, utc);
	return page_fmt(p, "%s (%s)", utc, when > p->now ? page_until(p, when) : page_ago(p, when));
}

const char *page_reason(struct page *p, struct esc code, struct span text)
{
	if (code.cls == 0)
		return page_text(p, text);
	return page_fmt(p, "%u.%u.%u %s", (unsigned)code.cls, (unsigned)code.subject,
			(unsigned)code.detail, page_text(p, text));
}

const char *page_address(struct page *p, struct endpoint e)
{
	char text[ENDPOINT_TEXT];
	if (e.port == 25)
		ip_format(e.ip, text);
	else
		endpoint_format(e, text);
	return kept(p, arena_str(p->arena, span_of(text)));
}

const char *page_source(struct page *p, struct ip source)
{
	char text[IP_TEXT];
	if (source.family == 0)
		return "-";
	ip_format(source, text);
	return kept(p, arena_str(p->arena, span_of(text)));
}

static bool begins_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

size_t page_columns(const char *s)
{
	size_t n = 0;
	for (; *s; s++)
		n += begins_character(*s);
	return n;
}

/* Bytes of the first `columns` characters. */
static size_t bytes_of(const char *s, size_t columns)
{
	size_t i = 0, n = 0;
	for (; s[i]; i++) {
		n += begins_character(s[i]);
		if (n > columns)
			break;
	}
	return i;
}

static void blanks(struct page *p, size_t n)
{
	fprintf(p->out, "%*s", (int)n, "");
}

void page_put(struct page *p, const char *s, size_t columns)
{
	size_t have = page_columns(s);
	if (have <= columns) {
		fputs(s, p->out);
		blanks(p, columns - have);
		return;
	}
	fwrite(s, 1, bytes_of(s, columns - 1), p->out);
	fputs("…", p->out);
}

void page_heading(struct page *p, const char *text)
{
	if (p->begun)
		fputc('\n', p->out);
	p->begun = true;
	fprintf(p->out, p->bold ? "\033[1m%s\033[0m\n" : "%s\n", text);
}

/* Of a word that does not fit, what fits. */
size_t page_break(const char *s, size_t columns)
{
	size_t fits = bytes_of(s, columns);
	if (!s[fits] || s[fits] == ' ')
		return fits;
	for (size_t i = fits; i > 0; i--)
		if (s[i - 1] == ' ')
			return i - 1;
	return fits;
}

void page_hang(struct page *p, size_t indent, const char *text)
{
	for (bool first = true; first || *text; first = false) {
		if (!first)
			blanks(p, indent);
		size_t n = page_break(text, PAGE_WIDTH - indent);
		fwrite(text, 1, n, p->out);
		fputc('\n', p->out);
		text += n;
		while (*text == ' ')
			text++;
	}
}

void page_field(struct page *p, const char *name, const char *text)
{
	blanks(p, FIELD_INDENT);
	page_put(p, name, FIELD_NAME);
	blanks(p, 2);
	page_hang(p, FIELD_INDENT + FIELD_NAME + 2, text[0] ? text : "-");
}

void page_wrap(struct page *p, size_t indent, const char *text)
{
	while (*text == ' ')
		text++;
	blanks(p, indent);
	page_hang(p, indent, text);
}
