/* SPDX-License-Identifier: ISC */
#include "wire/xtext.h"

/* RFC 3461 section 4 wants upper case, and what came is handed on as it is. */
static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Take one octet off the front of *s, which is not empty. False: *s does not start with xtext. */
static bool take(struct span *s, char *ret)
{
	char c = s->p[0];
	size_t used = 1;
	if (c < '!' || c > '~' || c == '=')
		return false;
	if (c == '+') {
		int high = s->n < 3 ? -1 : digit(s->p[1]), low = s->n < 3 ? -1 : digit(s->p[2]);
		if (high < 0 || low < 0)
			return false;
		c = (char)(high * 16 + low);
		used = 3;
	}
	*s = (struct span){ s->p + used, s->n - used };
	*ret = c;
	return true;
}

bool xtext_decode(struct span s, struct buf *out)
{
	char c;
	while (s.n > 0) {
		if (!take(&s, &c))
			return false;
		buf_addc(out, c);
	}
	return !out->overflow;
}
