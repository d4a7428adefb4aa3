/* SPDX-License-Identifier: ISC */
#include "base/text.h"

char text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_u64(struct span s, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(s.p[i] - '0');
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return false;
	}
	if (s.n == 0 || value > max)
		return false;
	*ret = value;
	return true;
}

size_t text_line_with(struct span s, char c)
{
	const char *p = s.p, *end = s.p + s.n;
	while (p < end) {
		p = memchr(p, c, (size_t)(end - p));
		if (!p)
			break;
		if (p > s.p && p[-1] == '\n')
			return (size_t)(p - s.p);
		/* A line has at most one wrong c that is looked at, or a line of dots would cost as
		 * many steps. */
		p = memchr(p, '\n', (size_t)(end - p));
		if (!p)
			break;
		p++;
	}
	return s.n;
}

/* Bytes of plain ASCII at the front, 32 at a time: whole messages pass here. */
static size_t ascii_run(struct span s)
{
	size_t i = 0;
	for (uint64_t w[4]; s.n - i >= sizeof(w); i += sizeof(w)) {
		memcpy(w, s.p + i, sizeof(w));
		if ((w[0] | w[1] | w[2] | w[3]) & 0x8080808080808080u)
			break;
	}
	while (i < s.n && (unsigned char)s.p[i] < 0x80)
		i++;
	return i;
}

/* Bytes of the character at the front, n > 0; 0: not UTF-8. The ranges are those of RFC 3629
 * section 4. */
static size_t utf8_char(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned char low = 0x80, high = 0xbf;
	size_t len;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		len = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		len = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (n < len || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return len;
}

bool text_is_ascii(struct span s)
{
	return ascii_run(s) == s.n;
}

bool text_is_utf8(struct span s)
{
	for (size_t i = 0; i < s.n;) {
		i += ascii_run((struct span){ s.p + i, s.n - i });
		if (i == s.n)
			break;
		size_t len = utf8_char(s.p + i, s.n - i);
		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

void text_printable(char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		unsigned char c = (unsigned char)s[i];
		if (c >= 0x20 && c < 0x7f) {
			i++;
			continue;
		}
		size_t len = utf8_char(s + i, n - i);
		/* U+0080 to U+009F are controls too: a terminal takes U+009B for the start of a
		 * command. */
		bool c1 = len == 2 && c == 0xc2 && (unsigned char)s[i + 1] < 0xa0;
		if (c == '\t' || c == '\n')
			s[i] = ' ';
		else if (len == 0 || c1 || c < 0x80)
			s[i] = '?';
		i += len > 1 && !c1 ? len : 1;
	}
}
