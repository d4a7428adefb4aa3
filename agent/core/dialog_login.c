/* SPDX-License-Identifier: ISC */
/* AUTH (RFC 4954): over TLS with a proof, and never else. */
#include "core/dialog_state.h"
#include "wire/base64.h"
#include "wire/command.h"

#define LINE_512 512 /* RFC 5321 4.5.3.1.4: of a command, with CRLF */

/* So much of what we said tells that a reply repeats it. */
#define TELLTALE 16

struct dialog_login {
	struct sasl *sasl;
	enum ehlo_auth mechanism;
	bool first_is_due; /* the initial response did not go with AUTH */
	char said[TELLTALE + 1];
	char room[LIMIT_REPLY_TEXT];
	struct buf challenge;
};

/* "route ...: mx1.example.net[192.0.2.1]:25 ..." */
static struct outcome refusal(struct dialog *d, struct esc code, const char *between,
			      const char *what)
{
	return (struct outcome){
		.event = EVENT_LOGIN_REFUSED,
		.cause = CAUSE_POLICY,
		.code = code,
		.text = arena_fmt(d->arena, "%s: %s%s%s", d->script.login->route, d->script.relay,
				  between, what),
	};
}

/* The last fence, whatever script and server say: no password without a proof of who gets it. */
static bool is_safe(const struct dialog *d)
{
	return d->secured && d->level >= DEMAND_VERIFY && d->facts.trouble == SECURE_FINE;
}

static bool begin(struct dialog *d, enum ehlo_auth mechanism)
{
	struct dialog_login *l = ARENA_NEW(d->arena, struct dialog_login, 1);
	if (!l)
		return false;
	l->mechanism = mechanism;
	l->sasl = sasl_new(d->arena, mechanism, d->script.login, d->script.crypto);
	buf_init(&l->challenge, l->room, sizeof(l->room));
	d->login = l;
	return l->sasl != NULL;
}

void dialog_log_in(struct dialog *d)
{
	enum ehlo_auth mechanism = sasl_choose(d->ehlo.auth);
	struct error err;
	if (!is_safe(d)) {
		struct outcome o = refusal(d, ESC(4, 7, 11), " ",
					   "has not proven who it is: it gets no password");
		dialog_end(d, &o);
	} else if (!mechanism) {
		struct outcome o =
			refusal(d, ESC(4, 7, 8), " ",
				"offers none of AUTH SCRAM-SHA-256, AUTH PLAIN, AUTH LOGIN");
		dialog_end(d, &o);
	} else if (!begin(d, mechanism)) {
		(void)err_nomem(&err);
		dialog_lost(d, &err, true);
	} else {
		dialog_to(d, PHASE_AUTH);
	}
}

/* A server that repeats in its reply what it was told must not bring that into log and report. */
void dialog_quote(const struct dialog *d, enum phase phase, const struct reply *r, char *out,
		  size_t n)
{
	reply_format(r, out, n);
	if (!phase_is_secret(phase) || !d->login)
		return;
	const char *password = d->script.login->password, *said = d->login->said;
	if ((*password && strstr(out, password)) || (*said && strstr(out, said)))
		snprintf(out, n, "%u, and words that repeat the login", (unsigned)r->code);
}

/* Bytes as a line in base64; empty ones are an empty line (RFC 4954 section 4). */
static void add_response(struct dialog_login *l, struct buf *out, struct span response)
{
	const size_t before = out->len;
	base64_add(out, response);
	snprintf(l->said, sizeof(l->said), "%.*s", (int)(out->len - before), out->p + before);
	buf_add(out, SPAN("\r\n"));
}

/* None of our mechanisms has an initial response that is empty, which would be a "=". */
enum dialog_want say_auth(struct dialog *d, struct buf *out)
{
	struct dialog_login *l = d->login;
	char room[SASL_RESPONSE + 1];
	struct buf first;
	struct error err;
	bool none;
	buf_init(&first, room, sizeof(room));
	if (!sasl_first(l->sasl, &first, &none, &err)) {
		(void)err_wrap(&err, "%s", d->script.login->route);
		dialog_lost(d, &err, true);
		return dialog_next(d, out);
	}
	buf_addf(out, "AUTH %s", sasl_name(l->mechanism));
	bool goes_along = out->len + BASE64_SIZE(first.len) + sizeof(" \r\n") - 1 <= LINE_512;
	l->first_is_due = !none && !goes_along;
	if (none || l->first_is_due) {
		buf_add(out, SPAN("\r\n"));
	} else {
		buf_addc(out, ' ');
		add_response(l, out, buf_view(&first));
	}
	explicit_bzero(room, sizeof(room));
	dialog_expect(d, PHASE_AUTH, 0);
	return DIALOG_SAY;
}

/* We break it off, and the server hears of it. Everybody has an outcome from now on. */
static void cancel(struct dialog *d, const struct error *err)
{
	struct outcome o = refusal(d, err->code, ": ", err->text);
	if (err->class != ERR_TEMP) {
		o.event = EVENT_LOCAL;
		o.cause = CAUSE_LOCAL;
	}
	dialog_settle_open(d, &o);
	dialog_to(d, PHASE_CANCEL);
}

static bool respond(struct dialog_login *l, struct buf *response, struct error *err)
{
	bool none;
	if (!l->first_is_due)
		return sasl_next(l->sasl, buf_view(&l->challenge), response, err);
	if (l->challenge.len > 0)
		return err_set(err, ERR_TEMP, ESC(4, 7, 8),
			       "the server asks before the first word was said");
	l->first_is_due = false;
	return sasl_first(l->sasl, response, &none, err);
}

enum dialog_want say_response(struct dialog *d, struct buf *out)
{
	char room[SASL_RESPONSE + 1];
	struct buf response;
	struct error err;
	buf_init(&response, room, sizeof(room));
	if (!respond(d->login, &response, &err)) {
		cancel(d, &err);
		return dialog_next(d, out);
	}
	add_response(d->login, out, buf_view(&response));
	explicit_bzero(room, sizeof(room));
	dialog_expect(d, PHASE_RESPONSE, 0);
	return DIALOG_SAY;
}

enum dialog_want say_cancel(struct dialog *d, struct buf *out)
{
	command_plain(out, "*"); /* RFC 4954 section 4 */
	dialog_expect(d, PHASE_CANCEL, 0);
	return DIALOG_SAY;
}

/* The mechanism says what it makes of it, and breaks off after two: the exchange ends. */
static void hear_challenge(struct dialog *d, const struct reply *r)
{
	struct dialog_login *l = d->login;
	struct error err;
	buf_reset(&l->challenge);
	if (!r->cut && base64_read((struct span){ r->text, r->len }, &l->challenge)) {
		dialog_to(d, PHASE_RESPONSE);
		return;
	}
	(void)err_set(&err, ERR_TEMP, ESC(4, 7, 8), "the server's challenge is not base64");
	cancel(d, &err);
}

/* Always of class 4: what is wrong is not the mail, and the postmaster can put it right. */
static void hear_refusal(struct dialog *d, const struct reply *r)
{
	struct outcome o = dialog_replied(d, EVENT_LOGIN_REFUSED, PHASE_AUTH, r);
	o.code = r->esc.cls == 4 ? r->esc : ESC(4, 7, 8);
	if (o.text)
		o.text = arena_fmt(d->arena, "%s: %s%s", d->script.login->route, o.text,
				   reply_class(r) == 2 ? " before the login was complete" : "");
	dialog_end(d, &o);
}

void hear_auth(struct dialog *d, const struct reply *r, size_t rcpt)
{
	(void)rcpt;
	int class = reply_class(r);
	if (class == 3) {
		hear_challenge(d, r);
	} else if (class == 2 && !d->login->first_is_due && sasl_is_complete(d->login->sasl)) {
		d->logged_in = true;
		dialog_ready(d);
	} else if (r->code != 421) {
		hear_refusal(d, r);
	}
}

void hear_cancel(struct dialog *d, const struct reply *r, size_t rcpt)
{
	(void)rcpt;
	struct outcome o = dialog_replied(d, EVENT_LOGIN_REFUSED, PHASE_CANCEL, r);
	dialog_end(d, &o);
}
