/* SPDX-License-Identifier: ISC */
#include <stdarg.h>

#include "base/buf.h"

void buf_init(struct buf *b, char *storage, size_t size)
{
	*b = (struct buf){ .p = storage, .size = size };
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->overflow = false;
}

void buf_add(struct buf *b, struct span s)
{
	if (s.n > buf_room(b))
		b->overflow = true;
	if (b->overflow || s.n == 0)
		return;
	memcpy(b->p + b->len, s.p, s.n);
	b->len += s.n;
}

void buf_addc(struct buf *b, char c)
{
	buf_add(b, (struct span){ &c, 1 });
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	size_t room = buf_room(b);
	if (b->overflow || b->size == 0) {
		b->overflow = true;
		return;
	}
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(b->p + b->len, room + 1, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n > room)
		b->overflow = true;
	else
		b->len += (size_t)n;
}

size_t buf_room(const struct buf *b)
{
	return b->overflow || b->size == 0 ? 0 : b->size - 1 - b->len;
}

struct span buf_view(const struct buf *b)
{
	return (struct span){ b->p, b->len };
}

const char *buf_cstr(struct buf *b)
{
	if (b->size == 0)
		return "";
	b->p[b->len] = '\0';
	return b->p;
}
