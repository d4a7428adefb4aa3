/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

void die(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("scenario: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	_exit(2);
}

void *xalloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);
	if (!p)
		die("no memory");
	return p;
}

char *xndup(const char *p, size_t n)
{
	char *copy = xalloc(n + 1);
	memcpy(copy, p, n);
	return copy;
}

char *xprintf(const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		die("no memory");
	va_end(ap);
	return text;
}

void *vector_more(void **vector, size_t *n, size_t size)
{
	*vector = realloc(*vector, (*n + 1) * size);
	if (!*vector)
		die("no memory");
	char *last = (char *)*vector + *n * size;
	memset(last, 0, size);
	(*n)++;
	return last;
}

void bytes_add(struct bytes *b, const void *p, size_t n)
{
	if (b->room < b->n + n + 1) {
		b->room = (b->n + n + 1) * 2;
		b->p = realloc(b->p, b->room);
		if (!b->p)
			die("no memory");
	}
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void bytes_addf(struct bytes *b, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		die("no memory");
	bytes_add(b, text, (size_t)n);
	free(text);
}

void bytes_cut(struct bytes *b, size_t n)
{
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n + 1);
	b->n -= n;
}

void bytes_free(struct bytes *b)
{
	free(b->p);
	*b = (struct bytes){ 0 };
}

const char *bytes_text(const struct bytes *b)
{
	return b->p ? b->p : "";
}

bool glob_match(const char *pattern, const char *text, size_t n)
{
	size_t at = 0, retry = 0;
	const char *star = NULL;
	for (;;) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = at;
		} else if (at < n && *pattern && *pattern == text[at]) {
			pattern++;
			at++;
		} else if (at == n && !*pattern) {
			return true;
		} else if (star && retry < n) {
			pattern = star;
			at = ++retry;
		} else {
			return false;
		}
	}
}

int64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool parse_number(const char *text, int64_t *ret)
{
	char *end;
	long long v = strtoll(text, &end, 10);
	if (end == text)
		return false;
	if (*end == 'K' && ++end)
		v *= 1024;
	if (*end)
		return false;
	*ret = v;
	return true;
}

bool parse_ms(const char *text, int64_t *ret)
{
	char *end;
	long long v = strtoll(text, &end, 10);
	if (end == text || (strcmp(end, "ms") != 0 && strcmp(end, "s") != 0))
		return false;
	*ret = *end == 's' ? v * 1000 : v;
	return true;
}

bool parse_span(const char *text, int64_t *ret)
{
	static const char units[] = "smhd";
	static const int seconds[] = { 1, 60, 3600, 86400 };
	char *end;
	long long v = strtoll(text, &end, 10);
	const char *unit = *end ? strchr(units, *end) : NULL;
	if (end == text || !unit || end[1])
		return false;
	*ret = v * seconds[unit - units];
	return true;
}

/* Behind the backslash of \(N:TEXT); returns what follows the bracket. */
static const char *unescape_repeat(const char *p, struct bytes *out)
{
	char *colon;
	unsigned long times = strtoul(p + 1, &colon, 10);
	const char *end = strchr(p, ')');
	if (*colon != ':' || !end || end < colon)
		die("not a repetition: \\%s", p);
	struct bytes inner = { 0 };
	char *text = xndup(colon + 1, (size_t)(end - colon - 1));
	unescape(text, NULL, &inner);
	for (unsigned long i = 0; i < times; i++)
		bytes_add(out, bytes_text(&inner), inner.n);
	bytes_free(&inner);
	free(text);
	return end + 1;
}

/* Behind a backslash; returns what follows the escape. */
static const char *unescape_one(const char *p, struct bytes *out)
{
	static const char from[] = "nrt0\\|s", to[] = "\n\r\t\0\\| ";
	const char *known = *p ? strchr(from, *p) : NULL;
	if (known) {
		bytes_add(out, &to[known - from], 1);
		return p + 1;
	}
	if (*p == '(')
		return unescape_repeat(p, out);
	char hex[3] = { 0 };
	if (*p == 'x' && p[1] && p[2]) {
		memcpy(hex, p + 1, 2);
		char c = (char)strtoul(hex, NULL, 16);
		bytes_add(out, &c, 1);
		return p + 3;
	}
	die("unknown escape: \\%s", p);
}

void unescape(const char *text, const char *line_end, struct bytes *out)
{
	bytes_add(out, "", 0);
	while (*text) {
		if (*text == '\\') {
			text = unescape_one(text + 1, out);
			continue;
		}
		if (*text == '|' && line_end)
			bytes_add(out, line_end, strlen(line_end));
		else
			bytes_add(out, text, 1);
		text++;
	}
}

void escape(const char *in, size_t n, size_t max, struct bytes *out)
{
	for (size_t i = 0; i < n && i < max; i++) {
		unsigned char c = (unsigned char)in[i];
		if (c == '\r')
			bytes_add(out, "\\r", 2);
		else if (c == '\n')
			bytes_add(out, "\\n", 2);
		else if (c < ' ' || c >= 127)
			bytes_addf(out, "\\x%02x", c);
		else
			bytes_add(out, &in[i], 1);
	}
	if (n > max)
		bytes_addf(out, "...(%zu bytes)", n);
}
