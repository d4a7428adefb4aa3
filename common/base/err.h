/* SPDX-License-Identifier: ISC */
/* Errors are values: who can fix it (class), what it is (RFC 3463 code), one complete sentence. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

#define MUST_CHECK	  __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

enum err_class {
	ERR_NONE,
	ERR_TEMP,     /* the world: later may work                     4.x.x, exit 75 */
	ERR_PERM,     /* the request: it never will                    5.x.x, exit 69 */
	ERR_CONFIG,   /* the administrator: fix it, the mail waits     4.3.5, exit 75 */
	ERR_INTERNAL, /* us: memory or a bug                           4.3.0, exit 75 */
};

/* An enhanced status code, RFC 3463. 0.0.0: none. */
struct esc {
	uint8_t cls;
	uint16_t subject, detail;
};
#define ESC(c, s, d) ((struct esc){ (c), (s), (d) })

struct error {
	enum err_class class;
	struct esc code;
	char text[LIMIT_ERR_TEXT]; /* printable, without code, without final newline */
};

/*
 * Fill *err and return false, so that failing is one line:
 *	return err_set(err, ERR_TEMP, ESC(4, 4, 1), "connect to %s: %s", host, why);
 * The text is cut at LIMIT_ERR_TEXT - 1 bytes and made printable (text_printable()).
 */
bool err_set(struct error *err, enum err_class class, struct esc code, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* Put "fmt: " in front of an existing text; class and code stay. Returns false. */
bool err_wrap(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* ERR_INTERNAL 4.3.0 "out of memory". Returns false. */
bool err_nomem(struct error *err);

/* A broken promise inside mxdirect: ERR_INTERNAL 4.3.0 with file and line. Returns false. Use through BUG(). */
bool err_bug(struct error *err, const char *file, int line, const char *what);
#define BUG(err, what) err_bug((err), __FILE__, __LINE__, (what))

#endif
