/* SPDX-License-Identifier: ISC */
#include <stdarg.h>

#include "base/err.h"
#include "base/text.h"

/* Via a copy, since the arguments may be pieces of err->text itself. */
static void set_text(struct error *err, const char *text)
{
	char copy[LIMIT_ERR_TEXT];
	snprintf(copy, sizeof(copy), "%s", text);
	size_t n = strlen(copy);
	while (n > 0 && (copy[n - 1] == '\n' || copy[n - 1] == '\r'))
		n--;
	copy[n] = '\0';
	text_printable(copy, n);
	memcpy(err->text, copy, n + 1);
}

bool err_set(struct error *err, enum err_class class, struct esc code, const char *fmt, ...)
{
	char text[LIMIT_ERR_TEXT] = "";
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err->class = class;
	err->code = code;
	set_text(err, text);
	return false;
}

bool err_wrap(struct error *err, const char *fmt, ...)
{
	char front[LIMIT_ERR_TEXT] = "", text[2 * LIMIT_ERR_TEXT + 2];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(front, sizeof(front), fmt, ap);
	va_end(ap);
	snprintf(text, sizeof(text), "%s: %s", front, err->text);
	set_text(err, text);
	return false;
}

bool err_nomem(struct error *err)
{
	return err_set(err, ERR_INTERNAL, ESC(4, 3, 0), "out of memory");
}

bool err_bug(struct error *err, const char *file, int line, const char *what)
{
	return err_set(err, ERR_INTERNAL, ESC(4, 3, 0), "internal error at %s:%d: %s", file, line,
		       what);
}
