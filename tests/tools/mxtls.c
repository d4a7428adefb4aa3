/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mxtls.h"
#include "pki.h"

struct mxtls {
	gnutls_session_t session;
	struct bytes in; /* from the wire, not yet taken */
	struct bytes *out;
	gnutls_datum_t ticket_key;
	bool done, broken;
	char *text;
};

struct words {
	const struct pki_cert *cert;
	const char *priority;
	bool tickets;
};

static const struct {
	const char *word, *priority;
} versions[] = {
	{ "only=1.0",
	  "NORMAL:-VERS-ALL:+VERS-TLS1.0:+SHA1:+SIGN-ALL:%VERIFY_ALLOW_SIGN_WITH_SHA1" },
	{ "only=1.1",
	  "NORMAL:-VERS-ALL:+VERS-TLS1.1:+SHA1:+SIGN-ALL:%VERIFY_ALLOW_SIGN_WITH_SHA1" },
	{ "only=1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.2" },
	{ "only=1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.3" },
};

static struct words words_read(const char *text)
{
	size_t n;
	char **word = words_split(text, &n);
	struct words w = { .priority = "NORMAL", .tickets = true };
	if (n == 0)
		die("! tls wants a certificate");
	w.cert = pki_get(word[0]);
	for (size_t i = 1; i < n; i++) {
		const char *priority = NULL;
		for (size_t k = 0; k < sizeof(versions) / sizeof(versions[0]); k++) {
			if (strcmp(word[i], versions[k].word) == 0)
				priority = versions[k].priority;
		}
		if (priority)
			w.priority = priority;
		else if (strcmp(word[i], "no-tickets") == 0)
			w.tickets = false;
		else
			die("what does ! tls %s mean?", text);
	}
	return w;
}

void mxtls_check(const char *words)
{
	static const char *const broken[] = { "close", "garbage", "stall" };
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		if (strcmp(words, broken[i]) == 0)
			return;
	}
	words_read(words);
}

static ssize_t pull(gnutls_transport_ptr_t self, void *p, size_t n)
{
	struct mxtls *t = self;
	if (t->in.n == 0) {
		gnutls_transport_set_errno(t->session, EAGAIN);
		return -1;
	}
	if (n > t->in.n)
		n = t->in.n;
	memcpy(p, t->in.p, n);
	bytes_cut(&t->in, n);
	return (ssize_t)n;
}

static ssize_t push(gnutls_transport_ptr_t self, const void *p, size_t n)
{
	struct mxtls *t = self;
	if (!t->broken)
		bytes_add(t->out, p, n);
	return (ssize_t)n;
}

static int pull_ready(gnutls_transport_ptr_t self, unsigned ms)
{
	const struct mxtls *t = self;
	(void)ms;
	return t->in.n > 0;
}

static void must(int code)
{
	if (code < 0)
		die("GnuTLS: %s", gnutls_strerror(code));
}

struct mxtls *mxtls_open(const char *words, struct bytes *in, struct bytes *out)
{
	struct words w = words_read(words);
	struct mxtls *t = xalloc(sizeof(*t));
	t->out = out;
	t->in = *in;
	*in = (struct bytes){ 0 };
	must(gnutls_init(&t->session, GNUTLS_SERVER | GNUTLS_NONBLOCK));
	must(gnutls_priority_set_direct(t->session, w.priority, NULL));
	must(gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, w.cert->credentials));
	if (w.tickets) {
		must(gnutls_session_ticket_key_generate(&t->ticket_key));
		must(gnutls_session_ticket_enable_server(t->session, &t->ticket_key));
	}
	gnutls_handshake_set_timeout(t->session, 0);
	gnutls_transport_set_ptr(t->session, t);
	gnutls_transport_set_pull_function(t->session, pull);
	gnutls_transport_set_pull_timeout_function(t->session, pull_ready);
	gnutls_transport_set_push_function(t->session, push);
	return t;
}

static void describe(struct mxtls *t)
{
	char sni[256] = "";
	size_t size = sizeof(sni);
	unsigned type = 0;
	if (gnutls_server_name_get(t->session, sni, &size, &type, 0) < 0)
		sni[0] = '\0';
	t->text = xprintf("%s sni=%s",
			  gnutls_protocol_get_name(gnutls_protocol_get_version(t->session)), sni);
}

enum mxtls_say mxtls_handshake(struct mxtls *t)
{
	int code = gnutls_handshake(t->session);
	if (code == 0) {
		t->done = true;
		describe(t);
		return MXTLS_DONE;
	}
	if (code == GNUTLS_E_AGAIN || (code < 0 && !gnutls_error_is_fatal(code)))
		return MXTLS_MORE;
	t->text = xprintf("%s", gnutls_strerror(code));
	gnutls_alert_send_appropriate(t->session, code);
	return MXTLS_FAILED;
}

const char *mxtls_text(const struct mxtls *t)
{
	return t->text ? t->text : "";
}

bool mxtls_feed(struct mxtls *t, const void *p, size_t n, struct bytes *plain)
{
	char block[16384];
	bytes_add(&t->in, p, n);
	while (t->done) {
		ssize_t got = gnutls_record_recv(t->session, block, sizeof(block));
		if (got > 0)
			bytes_add(plain, block, (size_t)got);
		else if (got == GNUTLS_E_AGAIN)
			return true;
		else if (got == 0 || gnutls_error_is_fatal((int)got))
			return false;
	}
	return true;
}

void mxtls_send(struct mxtls *t, const void *p, size_t n)
{
	const char *at = p;
	while (n > 0 && !t->broken) {
		ssize_t sent = gnutls_record_send(t->session, at, n);
		if (sent <= 0) {
			t->broken = true;
			return;
		}
		at += sent;
		n -= (size_t)sent;
	}
}

void mxtls_break(struct mxtls *t)
{
	t->broken = true;
}

bool mxtls_broken(const struct mxtls *t)
{
	return t->broken;
}

void mxtls_bye(struct mxtls *t)
{
	gnutls_bye(t->session, GNUTLS_SHUT_WR);
}

void mxtls_free(struct mxtls *t)
{
	if (!t)
		return;
	gnutls_deinit(t->session);
	gnutls_free(t->ticket_key.data);
	bytes_free(&t->in);
	free(t->text);
	free(t);
}
