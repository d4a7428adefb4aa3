/* SPDX-License-Identifier: ISC */
#include "core/report.h"

#include "base/text.h"

/* The host takes "5.1.1 text" apart again, so a code must have the form it knows (RFC 3463 section
 * 2) and text must follow. */
static struct report failure(enum exit_status status, struct esc code, const char *text)
{
	struct report r = { .status = status };
	uint8_t class = status == EXIT_BOUNCE ? 5 : 4;
	if (code.cls != class || code.subject > 999 || code.detail > 999) {
		r.status = EXIT_LATER;
		code = ESC(4, 3, 0);
	}
	text = text ? text + strspn(text, " \t\r\n") : "";
	if (!text[0])
		text = "no reason is known";
	snprintf(r.line, sizeof(r.line), "%u.%u.%u %s", code.cls, code.subject, code.detail, text);
	text_printable(r.line, strlen(r.line));
	return r;
}

struct report report_outcome(const struct outcome *o, enum failover_end end)
{
	if (end == END_FAILED)
		return failure(EXIT_BOUNCE, o->code, o->text);
	if (end != END_DELIVERED)
		return failure(EXIT_LATER, o->code, o->text);
	if (o->event != EVENT_ACCEPTED || o->code.cls != 2)
		return failure(EXIT_LATER, ESC(4, 3, 0),
			       "internal error: no server accepted what is called delivered");
	struct report r = { .status = EXIT_SENT };
	const struct security *s = o->security;
	bool tls = s && s->protocol[0];
	snprintf(r.line, sizeof(r.line), "%s %s%s%s%s%s", o->relay ? o->relay : "none",
		 tls ? s->protocol : "", tls ? " " : "", tls ? s->level : "", tls ? " " : "",
		 o->text && o->text[0] ? o->text : "accepted");
	text_printable(r.line, strlen(r.line));
	return r;
}

struct report report_error(const struct error *err)
{
	switch (err->class) {
	case ERR_PERM:
		return failure(EXIT_BOUNCE, err->code, err->text);
	case ERR_CONFIG:
		return failure(EXIT_LATER, ESC(4, 3, 5), err->text);
	case ERR_TEMP:
		return failure(EXIT_LATER, err->code, err->text);
	case ERR_INTERNAL:
	case ERR_NONE:
		break;
	}
	return failure(EXIT_LATER, ESC(4, 3, 0), err->text);
}

/* Cut between characters. */
static size_t cut(const char *text, size_t most)
{
	size_t n = strlen(text);
	if (n <= most)
		return n;
	n = most;
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return n;
}

void report_lmtp(const struct report *r, struct esc code, char ret[static REPORT_LMTP + 1])
{
	char head[24] = "";
	if (code.cls != 2 || code.subject > 999 || code.detail > 999)
		code = ESC(2, 0, 0);
	if (r->status == EXIT_SENT)
		snprintf(head, sizeof(head), "2.%u.%u ", code.subject, code.detail);
	const char *reply = r->status == EXIT_SENT     ? "250"
			    : r->status == EXIT_BOUNCE ? "550"
						       : "451";
	size_t room = REPORT_LMTP - strlen(reply) - 1 - strlen(head) - 2;
	snprintf(ret, REPORT_LMTP + 1, "%s %s%.*s\r\n", reply, head, (int)cut(r->line, room),
		 r->line);
}
