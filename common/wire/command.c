/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "wire/command.h"

#define ROOM (LIMIT_COMMAND + 1) /* and the byte that struct buf keeps for itself */

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

/* Neither empty nor with a blank, which would start another parameter. */
static bool is_word(const char *s)
{
	for (const char *p = s; *p; p++)
		if (is_control(*p) || *p == ' ')
			return false;
	return s[0] != '\0';
}

/* False: the value cannot be sent. */
static bool add_param(struct buf *line, const char *keyword, const char *value)
{
	if (!value)
		return true;
	buf_addf(line, " %s=%s", keyword, value);
	return is_word(value);
}

static void add_path(struct buf *line, const struct addr *ad)
{
	buf_addc(line, '<');
	addr_write(ad, line);
	buf_addc(line, '>');
}

/* The one place where a checked line gets its CRLF and leaves. */
static bool send_line(struct buf *line, struct buf *out, struct error *err)
{
	for (size_t i = 0; i < line->len; i++)
		if (is_control(line->p[i]))
			return BUG(err, "a control character in a command");
	buf_add(line, SPAN("\r\n"));
	if (line->overflow)
		return err_set(err, ERR_PERM, ESC(5, 1, 3),
			       "the command \"%.*s...\" would be over %d bytes",
			       line->len > 40 ? 40 : (int)line->len, line->p, LIMIT_COMMAND);
	if (buf_room(out) < line->len)
		return BUG(err, "no room for a command");
	buf_add(out, buf_view(line));
	return true;
}

bool command_hello(struct buf *out, const char *verb, const char *name, struct error *err)
{
	char room[ROOM];
	struct buf line;
	buf_init(&line, room, sizeof(room));
	buf_addf(&line, "%s %s", verb, name);
	/* The name is ours, not the message's: what is wrong with it must not bounce mail. */
	if (!is_word(verb) || !is_word(name) || buf_room(&line) < 2)
		return BUG(err, "bad greeting name");
	return send_line(&line, out, err);
}

bool command_mail(struct buf *out, const struct addr *from, const struct mail_params *p,
		  struct error *err)
{
	char room[ROOM];
	struct buf line;
	buf_init(&line, room, sizeof(room));
	buf_add(&line, SPAN("MAIL FROM:"));
	add_path(&line, from);
	if (p->say_size)
		buf_addf(&line, " SIZE=%" PRIu64, p->size);
	if (p->body_8bit)
		buf_add(&line, SPAN(" BODY=8BITMIME"));
	if (p->smtputf8)
		buf_add(&line, SPAN(" SMTPUTF8"));
	if (p->requiretls)
		buf_add(&line, SPAN(" REQUIRETLS"));
	if (!add_param(&line, "RET", p->ret) || !add_param(&line, "ENVID", p->envid))
		return BUG(err, "bad parameter of MAIL");
	return send_line(&line, out, err);
}

bool command_rcpt(struct buf *out, const struct addr *to, const struct rcpt_params *p,
		  struct error *err)
{
	char room[ROOM];
	struct buf line;
	buf_init(&line, room, sizeof(room));
	if (addr_is_null(to))
		return BUG(err, "a recipient without address");
	buf_add(&line, SPAN("RCPT TO:"));
	add_path(&line, to);
	if (!add_param(&line, "NOTIFY", p->notify) || !add_param(&line, "ORCPT", p->orcpt))
		return BUG(err, "bad parameter of RCPT");
	return send_line(&line, out, err);
}

void command_plain(struct buf *out, const char *verb)
{
	buf_addf(out, "%s\r\n", verb);
}
