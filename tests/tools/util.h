/* SPDX-License-Identifier: ISC */
/*
 * What every part of the scenario lab needs. The lab shares no code with mxdirect, so that it does
 * not share its mistakes. It is a test tool: without memory, or when the machine does not give it a
 * socket, it says so and exits with status 2.
 */
#ifndef TOOLS_UTIL_H
#define TOOLS_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* Bytes that grow; always NUL-terminated behind p[n - 1]. {0} is empty. */
struct bytes {
	char *p;
	size_t n, room;
};

void bytes_add(struct bytes *b, const void *p, size_t n);
void bytes_addf(struct bytes *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void bytes_cut(struct bytes *b, size_t n); /* drop the first n */
void bytes_free(struct bytes *b);
const char *bytes_text(const struct bytes *b); /* never NULL */

__attribute__((noreturn)) void die(const char *fmt, ...) PRINTF_LIKE(1, 2);
void *xalloc(size_t n); /* zeroed */
char *xprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);
char *xndup(const char *p, size_t n);
/* One element more in a vector of *n elements of the size `size`; the new one is zeroed. */
void *vector_more(void **vector, size_t *n, size_t size);

/* `*` stands for any text; nothing else is special. */
bool glob_match(const char *pattern, const char *text, size_t n);

int64_t now_ms(void);
bool parse_number(const char *text, int64_t *ret);
bool parse_ms(const char *text, int64_t *ret);   /* "20ms", "2s" */
bool parse_span(const char *text, int64_t *ret); /* "30s", "11m", "25h", "8d": seconds */

/*
 * \n \r \t \0 \\ \| \s (a blank) \xHH and \(N:TEXT) (TEXT N times; no nesting) become what they
 * stand for. `line_end`: what a bare | becomes; NULL: itself.
 */
void unescape(const char *text, const char *line_end, struct bytes *out);
/* The other direction, for reports: one line, at most `max` bytes of `in`. */
void escape(const char *in, size_t n, size_t max, struct bytes *out);

#endif
