/* SPDX-License-Identifier: ISC */
/* The first octet says what is offered. What is understood goes out as a command that is understood
 * as the same, or is too long; what is refused has a reply code of the error's class. */
#include <stdint.h>

#include "wire/lmtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_text(const char *x, const char *y)
{
	return x && y ? strcmp(x, y) == 0 : x == y;
}

static bool same(const struct lmtp_command *x, const struct lmtp_command *y)
{
	const struct mail_params *m = &x->mail, *n = &y->mail;
	return x->verb == y->verb && same_text(x->addr.local, y->addr.local) &&
	       same_text(x->addr.domain, y->addr.domain) && m->say_size == n->say_size &&
	       m->size == n->size && m->body_8bit == n->body_8bit && m->smtputf8 == n->smtputf8 &&
	       m->requiretls == n->requiretls && same_text(m->ret, n->ret) &&
	       same_text(m->envid, n->envid) && same_text(x->rcpt.notify, y->rcpt.notify) &&
	       same_text(x->rcpt.orcpt, y->rcpt.orcpt);
}

static bool write_command(const struct lmtp_command *c, struct buf *out, struct error *err)
{
	return c->verb == LMTP_MAIL ? command_mail(out, &c->addr, &c->mail, err)
				    : command_rcpt(out, &c->addr, &c->rcpt, err);
}

static void check(struct arena *a, struct span line, const struct lmtp_offer *offer)
{
	struct lmtp_command first, second;
	struct error err = { .class = ERR_NONE };
	char room[LIMIT_COMMAND + 1];
	struct buf out;
	int code = 0;
	buf_init(&out, room, sizeof(room));
	if (!lmtp_parse(a, line, offer, &first, &code, &err)) {
		if (err.class != ERR_PERM || err.code.cls != 5 || code < 500 || code > 555)
			abort();
		return;
	}
	if (code != 0 || err.class != ERR_NONE)
		abort();
	if (first.verb != LMTP_MAIL && first.verb != LMTP_RCPT)
		return;
	if (!write_command(&first, &out, &err)) {
		if (err.class != ERR_PERM)
			abort();
		return;
	}
	out.len -= 2;
	if (!lmtp_parse(a, buf_view(&out), offer, &second, &code, &err) || !same(&first, &second))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_open(256 * 1024);
	if (a && size > 0) {
		struct lmtp_offer offer = { .dsn = data[0] & 1, .requiretls = data[0] & 2 };
		check(a, (struct span){ (const char *)data + 1, size - 1 }, &offer);
	}
	arena_close(a);
	return 0;
}
