/* SPDX-License-Identifier: ISC */
#include "base/span.h"
#include "base/text.h"

struct span span_of(const char *cstr)
{
	return (struct span){ cstr, cstr ? strlen(cstr) : 0 };
}

/* memcmp() and memchr() may not be given a NULL, not even for no bytes. */
bool span_equal(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool span_equal_nocase(struct span a, struct span b)
{
	return a.n == b.n && span_starts_nocase(a, b);
}

bool span_starts_nocase(struct span s, struct span prefix)
{
	if (s.n < prefix.n)
		return false;
	for (size_t i = 0; i < prefix.n; i++)
		if (text_lower(s.p[i]) != text_lower(prefix.p[i]))
			return false;
	return true;
}

bool span_cut(struct span *rest, char sep, struct span *ret_head)
{
	if (rest->n == 0)
		return false;
	const char *at = memchr(rest->p, sep, rest->n);
	size_t n = at ? (size_t)(at - rest->p) : rest->n;
	size_t used = at ? n + 1 : n;
	*ret_head = (struct span){ rest->p, n };
	rest->p += used;
	rest->n -= used;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span s)
{
	while (s.n > 0 && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}
