/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/ip.h"
#include "base/limits.h"
#include "base/text.h"
#include "tls/crypto.h"
#include "tls/proof.h"
#include "tls/session.h"

/* %COMPAT: certificates whose keyUsage lacks digitalSignature are frequent at mail servers and
 * prove as much as others. */
#define PRIORITY "NORMAL:%COMPAT"
/* RFC 8996, RFC 7672 section 3, RFC 8461 section 4.2 with RFC 9325: what proves, proves with
 * TLS 1.2. */
#define NOT_OLD       ":-VERS-SSL3.0:-VERS-TLS1.0:-VERS-TLS1.1"
#define PRIORITY_SIZE 1024

#define WARNINGS                                                                                   \
	8 /* alerts without consequence that a handshake may have; one for the server name is      \
	     common */

#define NAME_ROOM 256 /* a domain name has 255 octets at most */

struct secure_session {
	gnutls_session_t tls;
	gnutls_certificate_credentials_t credentials;
	const struct secure_ask *ask;
	bool ready;  /* the handshake is done and what is asked for is proven */
	bool unsent; /* GnuTLS holds a record that the socket did not take as a whole */
};

static void session_close(struct secure_session *s)
{
	if (!s)
		return;
	if (s->ready)
		gnutls_bye(s->tls, GNUTLS_SHUT_WR);
	if (s->tls)
		gnutls_deinit(s->tls);
	if (s->credentials)
		gnutls_certificate_free_credentials(s->credentials);
	free(s);
}

static bool fail(struct error *err, const char *what, int code)
{
	if (code == GNUTLS_E_MEMORY_ERROR)
		return err_nomem(err);
	return err_set(err, ERR_INTERNAL, ESC(4, 3, 0), "TLS: %s: %s", what, gnutls_strerror(code));
}

static bool set_priority(struct secure_session *s, struct error *err)
{
	char text[PRIORITY_SIZE];
	const char *wanted = s->ask->priority && s->ask->priority[0] ? s->ask->priority : PRIORITY;
	const char *wrong = "";
	int n = snprintf(text, sizeof(text), "%s%s", wanted,
			 s->ask->proof == SECURE_ANY ? "" : NOT_OLD);
	if (n < 0 || (size_t)n >= sizeof(text))
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "TLS priority: too long");
	int r = gnutls_priority_set_direct(s->tls, text, &wrong);
	if (r == GNUTLS_E_MEMORY_ERROR)
		return err_nomem(err);
	if (r < 0)
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "TLS priority \"%s\": %s", wanted,
			       r == GNUTLS_E_INVALID_REQUEST && wrong && wrong[0]
				       ? wrong
				       : gnutls_strerror(r));
	return true;
}

/* RFC 6066 section 3: no address, no final dot. */
static bool set_name(struct secure_session *s, struct error *err)
{
	struct span name = span_of(s->ask->sni);
	struct ip ip;
	if (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	if (name.n == 0 || ip_parse(name, &ip))
		return true;
	int r = gnutls_server_name_set(s->tls, GNUTLS_NAME_DNS, name.p, name.n);
	return r == 0 || fail(err, "server name", r);
}

static bool set_up(struct secure_session *s, int fd, struct error *err)
{
	/* One key share: nearly all servers know the first group, and the others ask again. */
	unsigned flags = GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS |
			 GNUTLS_KEY_SHARE_TOP;
	int r = gnutls_certificate_allocate_credentials(&s->credentials);
	if (r == 0)
		r = gnutls_init(&s->tls, flags);
	if (r == 0)
		r = gnutls_credentials_set(s->tls, GNUTLS_CRD_CERTIFICATE, s->credentials);
	if (r < 0)
		return fail(err, "session", r);
	gnutls_transport_set_int(s->tls, fd);
	return set_priority(s, err) && set_name(s, err);
}

static bool session_open(int fd, const struct secure_ask *ask, struct secure_session **ret,
			 struct error *err)
{
	struct secure_session *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem(err);
	s->ask = ask;
	if (!set_up(s, fd, err)) {
		session_close(s);
		return false;
	}
	*ret = s;
	return true;
}

static enum secure_io wanted(const struct secure_session *s)
{
	return gnutls_record_get_direction(s->tls) == 0 ? SECURE_WANT_READ : SECURE_WANT_WRITE;
}

static bool at_end(const struct secure_session *s)
{
	char byte;
	return recv(gnutls_transport_get_int(s->tls), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static bool is_loss(const struct secure_session *s, int code)
{
	switch (code) {
	case GNUTLS_E_PREMATURE_TERMINATION:
	case GNUTLS_E_PULL_ERROR:
	case GNUTLS_E_PUSH_ERROR:
		return true;
	case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
		/* No record, or one that the end of the connection cut short. */
		return at_end(s);
	default:
		return false;
	}
}

/* What GnuTLS says, as the second half of a sentence. */
static void explain(const struct secure_session *s, int code, char *text, size_t size)
{
	switch (code) {
	case GNUTLS_E_WARNING_ALERT_RECEIVED:
	case GNUTLS_E_FATAL_ALERT_RECEIVED: {
		const char *name = gnutls_alert_get_name(gnutls_alert_get(s->tls));
		snprintf(text, size, "the server sent the alert \"%s\"", name ? name : "unknown");
		break;
	}
	case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
	case GNUTLS_E_RECORD_OVERFLOW:
	case GNUTLS_E_UNEXPECTED_PACKET:
		snprintf(text, size, "what the server sent is not TLS");
		break;
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
		snprintf(text, size, "the server chose a protocol version that we do not accept");
		break;
	default:
		snprintf(text, size, "%s", gnutls_strerror(code));
	}
}

static enum secure_io broken(const struct secure_session *s, int code, struct secure_facts *ret,
			     struct error *err)
{
	char why[160];
	ret->trouble = SECURE_HANDSHAKE;
	if (is_loss(s, code)) {
		err_set(err, ERR_TEMP, ESC(4, 4, 2), "lost connection");
		return SECURE_CLOSED;
	}
	if (code != GNUTLS_E_FATAL_ALERT_RECEIVED)
		gnutls_alert_send_appropriate(s->tls, code);
	if (code == GNUTLS_E_MEMORY_ERROR) {
		ret->trouble = SECURE_LOCAL;
		err_nomem(err);
		return SECURE_FAILED;
	}
	explain(s, code, why, sizeof(why));
	err_set(err, ERR_TEMP, ESC(4, 7, 5), "the handshake failed: %s", why);
	return SECURE_FAILED;
}

static void describe(const struct secure_session *s, struct secure_facts *ret)
{
	const char *protocol = gnutls_protocol_get_name(gnutls_protocol_get_version(s->tls));
	const char *cipher = gnutls_ciphersuite_get(s->tls);
	/* GnuTLS says "TLS1.3". */
	if (protocol && strncmp(protocol, "TLS", 3) == 0)
		snprintf(ret->protocol, sizeof(ret->protocol), "TLSv%s", protocol + 3);
	snprintf(ret->cipher, sizeof(ret->cipher), "%s", cipher ? cipher : "");
}

/* A text that GnuTLS allocated, cut to fit. */
static void take(int code, gnutls_datum_t *from, char *ret, size_t size)
{
	if (code < 0)
		return;
	size_t n = from->size < size ? from->size : size - 1;
	memcpy(ret, from->data, n);
	ret[n] = '\0';
	text_printable(ret, n);
	gnutls_free(from->data);
}

/* A name that does not fit as a whole is left out: half a name is another one. */
static void take_names(gnutls_x509_crt_t crt, char *ret, size_t size)
{
	size_t used = 0;
	for (unsigned i = 0;; i++) {
		char name[NAME_ROOM];
		size_t n = sizeof(name);
		int kind = gnutls_x509_crt_get_subject_alt_name(crt, i, name, &n, NULL);
		if (kind == GNUTLS_E_SHORT_MEMORY_BUFFER)
			continue;
		if (kind < 0)
			return;
		if (kind != GNUTLS_SAN_DNSNAME || n == 0 || used + n + 2 > size)
			continue;
		if (used > 0)
			ret[used++] = ' ';
		memcpy(ret + used, name, n);
		text_printable(ret + used, n);
		used += n;
		ret[used] = '\0';
	}
}

/* For a person to read: nothing is proven here. */
static void read_certificate(const gnutls_datum_t *der, struct secure_certificate *ret)
{
	gnutls_x509_crt_t crt;
	gnutls_datum_t name;
	*ret = (struct secure_certificate){ .from = 0 };
	if (gnutls_x509_crt_init(&crt) < 0)
		return;
	if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) == 0) {
		time_t from = gnutls_x509_crt_get_activation_time(crt);
		time_t until = gnutls_x509_crt_get_expiration_time(crt);
		take(gnutls_x509_crt_get_dn3(crt, &name, 0), &name, ret->subject,
		     sizeof(ret->subject));
		take(gnutls_x509_crt_get_issuer_dn3(crt, &name, 0), &name, ret->issuer,
		     sizeof(ret->issuer));
		take_names(crt, ret->names, sizeof(ret->names));
		ret->from = from > 0 ? from : 0;
		ret->until = until > 0 ? until : 0;
	}
	gnutls_x509_crt_deinit(crt);
}

/* For the log of the server: why we leave (RFC 8446 section 6.2). */
static void say_why(const struct secure_session *s, enum secure_trouble trouble)
{
	gnutls_alert_description_t why = GNUTLS_A_BAD_CERTIFICATE;
	if (trouble == SECURE_NOT_TRUSTED)
		why = GNUTLS_A_UNKNOWN_CA;
	else if (trouble == SECURE_EXPIRED)
		why = GNUTLS_A_CERTIFICATE_EXPIRED;
	else if (trouble == SECURE_LOCAL)
		why = GNUTLS_A_INTERNAL_ERROR;
	gnutls_alert_send(s->tls, GNUTLS_AL_FATAL, why);
}

static enum secure_io prove(struct secure_session *s, struct secure_facts *ret, struct error *err)
{
	unsigned n = 0;
	struct error why;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(s->tls, &n);
	describe(s, ret);
	if (s->ask->certificate && chain && n > 0)
		read_certificate(&chain[0], s->ask->certificate);
	bool proven = proof_check(s->ask, chain, chain ? n : 0, ret, &why);
	/* Trouble of ours is no finding about the server. */
	s->ready = proven || (s->ask->advisory && ret->trouble != SECURE_LOCAL);
	if (!s->ready) {
		say_why(s, ret->trouble);
		*err = why;
	}
	s->ask = NULL;
	return s->ready ? SECURE_DONE : SECURE_FAILED;
}

static enum secure_io session_handshake(struct secure_session *s, struct secure_facts *ret,
					struct error *err)
{
	int r = GNUTLS_E_WARNING_ALERT_RECEIVED;
	*ret = (struct secure_facts){ .trouble = SECURE_HANDSHAKE };
	for (int i = 0; i < WARNINGS && r < 0 && !gnutls_error_is_fatal(r); i++) {
		r = gnutls_handshake(s->tls);
		if (r == GNUTLS_E_AGAIN)
			return wanted(s);
	}
	return r < 0 ? broken(s, r, ret, err) : prove(s, ret, err);
}

/* What ended a read or a write. */
static enum secure_io ended(const struct secure_session *s, ssize_t code)
{
	if (code == GNUTLS_E_AGAIN)
		return wanted(s);
	/* An alert without consequence, a wish for new keys (RFC 5246 section 7.4.1.1: may be
	 * ignored): the caller looks again and sees to its deadline. */
	if (!gnutls_error_is_fatal((int)code))
		return SECURE_WANT_READ;
	return is_loss(s, (int)code) ? SECURE_CLOSED : SECURE_FAILED;
}

static enum secure_io session_read(struct secure_session *s, char *p, size_t n, size_t *ret_n)
{
	ssize_t got;
	if (!s->ready)
		return SECURE_FAILED;
	do
		got = gnutls_record_recv(s->tls, p, n);
	while (got == GNUTLS_E_INTERRUPTED);
	if (got > 0) {
		*ret_n = (size_t)got;
		return SECURE_DONE;
	}
	return got == 0 ? SECURE_CLOSED : ended(s, got);
}

static enum secure_io session_write(struct secure_session *s, struct span bytes, size_t *ret_n)
{
	ssize_t sent;
	if (!s->ready)
		return SECURE_FAILED;
	do
		/* A record that was begun must go out as it is: GnuTLS has its bytes and tells
		 * their count when it has done so. */
		sent = gnutls_record_send(s->tls, s->unsent ? NULL : bytes.p,
					  s->unsent ? 0 : bytes.n);
	while (sent == GNUTLS_E_INTERRUPTED);
	s->unsent = sent == GNUTLS_E_AGAIN;
	if (sent < 0)
		return ended(s, sent);
	*ret_n = (size_t)sent < bytes.n ? (size_t)sent : bytes.n;
	return SECURE_DONE;
}

static bool session_pending(const struct secure_session *s)
{
	return s->ready && gnutls_record_check_pending(s->tls) > 0;
}

const struct secure_ops mxdirect_secure_ops = {
	.version = SECURE_VERSION,
	.open = session_open,
	.handshake = session_handshake,
	.read = session_read,
	.write = session_write,
	.pending = session_pending,
	.crypto = &tls_crypto,
	.close = session_close,
};
