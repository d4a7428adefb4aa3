/* SPDX-License-Identifier: ISC */
/* A byte buffer over storage given at birth. It never grows; overflow is sticky and checked once at the end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"
#include "base/span.h"

struct buf {
	char *p;
	size_t len, size;
	bool overflow; /* an add did not fit; that add and all later ones were dropped whole */
};

void buf_init(struct buf *b, char *storage, size_t size); /* one byte of size is kept for buf_cstr() */
void buf_reset(struct buf *b);				  /* empty, overflow forgotten */
void buf_add(struct buf *b, struct span s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
size_t buf_room(const struct buf *b);	/* bytes that can still be added */
struct span buf_view(const struct buf *b);
const char *buf_cstr(struct buf *b); /* puts a NUL behind the bytes */

#endif
