/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "talk.h"

/* What hosts can read: one line, CRLF included; of LHLO all lines together. */
#define REPLY_MOST 240
#define LINE_MOST  512 /* RFC 5321 4.5.3.1.5 */

void talk_init(struct talk *t, bool lmtp, const struct talk *source, int *now)
{
	*t = (struct talk){ .lmtp = lmtp, .source = source, .now = now };
	t->ident = xprintf("%s", "");
	struct talk_ask *ask = vector_more((void **)&t->ask, &t->nask, sizeof(*ask));
	ask->kind = ASK_GREETING;
}

void talk_free(struct talk *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct deal *d = &t->deal[i];
		for (size_t k = 0; k < d->n; k++)
			free(d->rcpt[k].addr);
		free(d->rcpt);
		free(d->sender);
		free(d->ident);
		bytes_free(&d->text);
	}
	free(t->deal);
	free(t->ask);
	free(t->ident);
	bytes_free(&t->command);
	bytes_free(&t->reply);
	bytes_free(&t->trouble);
	*t = (struct talk){ 0 };
}

static void wrong(struct talk *t, const char *what, const char *line, size_t n)
{
	if (!t->lmtp)
		return;
	bytes_addf(&t->trouble, "%s%s: ", t->trouble.n ? ", " : "", what);
	escape(line, n, 300, &t->trouble);
}

const struct deal *talk_last(const struct talk *t)
{
	for (size_t i = t->n; i-- > 0;)
		if (t->deal[i].whole)
			return &t->deal[i];
	return NULL;
}

static struct deal *current(struct talk *t)
{
	return t->n ? &t->deal[t->n - 1] : NULL;
}

static void add_ask(struct talk *t, enum ask_kind kind, size_t rcpt)
{
	struct talk_ask *ask = vector_more((void **)&t->ask, &t->nask, sizeof(*ask));
	*ask = (struct talk_ask){ .kind = kind, .deal = t->n - 1, .rcpt = rcpt };
}

/* ---- commands ---- */

/* What stands between < and >, which may stand in a quoted string as well. */
static char *mailbox(const char *line)
{
	const char *from = strchr(line, '<'), *p;
	bool quoted = false;
	if (!from)
		return xprintf("%s", "");
	for (p = ++from; *p && (quoted || *p != '>'); p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	return xndup(from, (size_t)(p - from));
}

static void begin_deal(struct talk *t, const char *line)
{
	const struct deal *last = t->source ? talk_last(t->source) : NULL;
	struct deal *d = vector_more((void **)&t->deal, &t->n, sizeof(*d));
	d->sender = mailbox(line);
	d->ident = xprintf("%s", t->ident);
	d->owner = last ? (int)(last - t->source->deal) : -1;
	d->began = *t->now;
	add_ask(t, ASK_MAIL, 0);
}

static void add_rcpt(struct talk *t, const char *line)
{
	struct deal *d = current(t);
	if (!d || d->whole) {
		add_ask(t, ASK_OTHER, 0);
		return;
	}
	struct deal_rcpt *r = vector_more((void **)&d->rcpt, &d->n, sizeof(*r));
	r->addr = mailbox(line);
	add_ask(t, ASK_RCPT, d->n - 1);
}

static void forward(struct talk *t, const char *line)
{
	const char *ident = strcasestr(line, " IDENT=");
	add_ask(t, ASK_OTHER, 0);
	if (!ident)
		return;
	free(t->ident);
	t->ident = xndup(ident + 7, strcspn(ident + 7, " "));
}

static bool is(const char *line, const char *verb)
{
	return strncasecmp(line, verb, strlen(verb)) == 0;
}

static void forget_ident(struct talk *t)
{
	free(t->ident);
	t->ident = xprintf("%s", "");
}

static void command(struct talk *t, const char *line)
{
	t->since++;
	if (is(line, "MAIL FROM:"))
		begin_deal(t, line);
	else if (is(line, "RCPT TO:"))
		add_rcpt(t, line);
	else if (is(line, "DATA") && t->n)
		add_ask(t, ASK_DATA, 0);
	else if (is(line, "LHLO") || is(line, "EHLO") || is(line, "HELO"))
		add_ask(t, ASK_HELLO, 0);
	else if (is(line, "STARTTLS"))
		add_ask(t, ASK_TLS, 0);
	else if (is(line, "XFORWARD"))
		forward(t, line);
	else
		add_ask(t, ASK_OTHER, 0);
	if (is(line, "RSET"))
		forget_ident(t);
}

static void end_of_text(struct talk *t, struct deal *d)
{
	t->in_text = false;
	t->since = 0;
	d->whole = true;
	d->ended = *t->now;
	forget_ident(t);
	if (!t->lmtp)
		add_ask(t, ASK_END, 0);
	for (size_t i = 0; t->lmtp && i < d->n; i++)
		if (d->rcpt[i].code / 100 == 2)
			add_ask(t, ASK_END, i);
}

/* Up to the final dot, what is there of it. True: it was there. */
static bool take_text(struct talk *t)
{
	struct deal *d = current(t);
	size_t old = d->text.n, from = old > 4 ? old - 4 : 0;
	bytes_add(&d->text, t->command.p, t->command.n);
	const char *p = d->text.p + from;
	const char *dot = memmem(p, d->text.n - from, "\r\n.\r\n", 5);
	size_t end = dot ? (size_t)(dot - d->text.p) + 5 : 0;
	if (d->text.n >= 3 && memcmp(d->text.p, ".\r\n", 3) == 0)
		end = 3;
	bytes_cut(&t->command, end ? end - old : t->command.n);
	if (end == 0)
		return false;
	d->text.n = end;
	d->text.p[end] = '\0';
	end_of_text(t, d);
	return true;
}

static bool take_line(struct talk *t)
{
	const char *lf = memchr(t->command.p, '\n', t->command.n);
	if (!lf)
		return false;
	size_t n = (size_t)(lf - t->command.p);
	char *line = xndup(t->command.p, n && lf[-1] == '\r' ? n - 1 : n);
	bytes_cut(&t->command, n + 1);
	command(t, line);
	free(line);
	return true;
}

void talk_commands(struct talk *t, const char *p, size_t n)
{
	++*t->now;
	if (!t->opaque)
		bytes_add(&t->command, p, n);
	while (t->command.n && (t->in_text ? take_text(t) : take_line(t)))
		;
}

void talk_hidden(struct talk *t)
{
	t->opaque = true;
}

void talk_secured(struct talk *t)
{
	t->opaque = false;
}

/* ---- replies ---- */

/* "2.1.5 text" behind the code, of its class. */
static bool has_enhanced_code(const char *line, int code)
{
	const char *p = line + 4;
	for (int part = 0; part < 3; part++) {
		size_t digits = strspn(p, "0123456789");
		if (digits < 1 || digits > 3 || p[digits] != (part < 2 ? '.' : ' '))
			return false;
		p += digits + 1;
	}
	return line[4] - '0' == code / 100 && *p && *p != ' ';
}

/* Replies of LMTP, as hosts can read them. */
static void check_form(struct talk *t, enum ask_kind kind, int code, const char *line, size_t n)
{
	bool several = t->reply_size > n + 2;
	if (t->reply_size > REPLY_MOST)
		wrong(t, "a reply that is too long", line, n);
	if (several && kind != ASK_HELLO)
		wrong(t, "a reply of several lines", line, n);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			wrong(t, "a control character", line, n);
	if (kind == ASK_GREETING ? code != 220
				 : code != 354 && (kind != ASK_HELLO || code != 250) &&
					   !has_enhanced_code(line, code))
		wrong(t, "not a good reply", line, n);
}

static void answer(struct deal *d, const struct talk_ask *ask, bool lmtp, int code)
{
	for (size_t i = 0; i < d->n; i++)
		if (lmtp ? i == ask->rcpt : d->rcpt[i].code / 100 == 2)
			d->rcpt[i].answer = code;
}

static void reply(struct talk *t, int code, const char *line, size_t n)
{
	if (t->answered == t->nask) {
		if (code != 421)
			wrong(t, "a reply to nothing", line, n);
		return;
	}
	const struct talk_ask *ask = &t->ask[t->answered++];
	struct deal *d = ask->deal < t->n ? &t->deal[ask->deal] : NULL;
	if (t->lmtp)
		check_form(t, ask->kind, code, line, n);
	switch (ask->kind) {
	case ASK_MAIL:
		d->mail = code;
		break;
	case ASK_RCPT:
		d->rcpt[ask->rcpt].code = code;
		break;
	case ASK_DATA:
		d->data = code;
		t->in_text = code == 354;
		d->asked_for = t->in_text ? *t->now : d->asked_for;
		break;
	case ASK_END:
		answer(d, ask, t->lmtp, code);
		break;
	case ASK_TLS:
		t->opaque = code / 100 == 2;
		/* fall through */
	default:
		t->refused |= code / 100 == 5;
	}
}

/* A line without its end. */
static void reply_line(struct talk *t, const char *line, size_t n)
{
	int code = -1;
	bool more = false;
	t->reply_size += n + 2;
	if (n >= 3 && n + 2 <= LINE_MOST && isdigit(line[0]) && isdigit(line[1]) &&
	    isdigit(line[2]) && !memchr(line, '\0', n)) {
		code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
		more = line[3] == '-';
	}
	if (code < 0)
		wrong(t, "not a reply", line, n);
	if (more)
		return;
	reply(t, code, line, n);
	t->reply_size = 0;
}

void talk_replies(struct talk *t, const char *p, size_t n)
{
	const char *lf;
	++*t->now;
	if (!t->opaque)
		bytes_add(&t->reply, p, n);
	while (t->reply.n && (lf = memchr(t->reply.p, '\n', t->reply.n))) {
		size_t length = (size_t)(lf - t->reply.p);
		if (length == 0 || lf[-1] != '\r')
			wrong(t, "a line without CRLF", t->reply.p, length);
		char *line = xndup(t->reply.p, length ? length - 1 : 0);
		reply_line(t, line, length ? length - 1 : 0);
		free(line);
		bytes_cut(&t->reply, length + 1);
	}
}

/* ---- what others ask ---- */

void deal_plain(const struct deal *d, struct bytes *out)
{
	const char *p = bytes_text(&d->text), *end = p + (d->text.n > 3 ? d->text.n - 3 : 0);
	bytes_add(out, "", 0);
	for (bool start = true; p < end; p++) {
		if (!start || *p != '.')
			bytes_add(out, p, 1);
		start = *p == '\n' && p > d->text.p && p[-1] == '\r';
	}
}

static bool is_ascii(const char *text)
{
	while (*text && (unsigned char)*text < 128)
		text++;
	return !*text;
}

bool address_same(const char *a, const char *b)
{
	const char *at = strrchr(a, '@'), *bt = strrchr(b, '@');
	if (!at || !bt)
		return strcmp(a, b) == 0;
	return at - a == bt - b && memcmp(a, b, (size_t)(at - a)) == 0 &&
	       (strcasecmp(at, bt) == 0 || !is_ascii(at) || !is_ascii(bt));
}
