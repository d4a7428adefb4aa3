/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <poll.h>

#include "harness.h"
#include "pki.h"
#include "tls/session.h"

#define MX   "mx.example.net"
#define N(a) (sizeof(a) / sizeof((a)[0]))

static const struct secure_ops *const ops = &mxdirect_secure_ops;
static struct pki_cert root, leaf, rsa, expired, encipher, self_signed;
static struct pki_file roots;
static struct pki_tlsa of_leaf, of_encipher;

struct meeting {
	struct pki_server server;
	struct secure_ask ask;
	int fd;
	struct secure_session *session;
	enum secure_io io;
	struct secure_facts facts;
	struct error err;
};

static const char *const mx_name[] = { MX };

static struct secure_ask any(void)
{
	return (struct secure_ask){ .proof = SECURE_ANY, .sni = MX, .priority = "" };
}

static struct secure_ask pkix(void)
{
	return (struct secure_ask){ .proof = SECURE_PKIX,
				    .sni = MX,
				    .names = mx_name,
				    .nnames = 1,
				    .ca_file = roots.path };
}

static struct secure_ask dane(const struct pki_tlsa *t)
{
	return (struct secure_ask){ .proof = SECURE_DANE,
				    .sni = MX,
				    .names = mx_name,
				    .nnames = 1,
				    .tlsa = &t->t,
				    .ntlsa = 1 };
}

static void wait_for(const struct meeting *m, enum secure_io io)
{
	struct pollfd fd = { .fd = m->fd, .events = io == SECURE_WANT_READ ? POLLIN : POLLOUT };
	if (poll(&fd, 1, 10000) != 1)
		abort();
}

static void open_on(struct meeting *m, int fd)
{
	m->fd = fd;
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0 ||
	    !ops->open(fd, &m->ask, &m->session, &m->err))
		abort();
}

static void meet(struct meeting *m)
{
	open_on(m, pki_server_start(&m->server));
	while ((m->io = ops->handshake(m->session, &m->facts, &m->err)) == SECURE_WANT_READ ||
	       m->io == SECURE_WANT_WRITE)
		wait_for(m, m->io);
}

static void part(struct meeting *m)
{
	ops->close(m->session);
	close(m->fd);
	if (m->server.thread)
		pki_server_join(&m->server);
}

static enum secure_io write_all(struct meeting *m, struct span rest)
{
	enum secure_io io = SECURE_DONE;
	while (rest.n > 0 && io != SECURE_CLOSED && io != SECURE_FAILED) {
		size_t n;
		io = ops->write(m->session, rest, &n);
		if (io == SECURE_DONE) {
			CHECK("some", n > 0 && n <= rest.n);
			rest.p += n;
			rest.n -= n;
		} else if (io == SECURE_WANT_READ || io == SECURE_WANT_WRITE) {
			wait_for(m, io);
		}
	}
	return io;
}

static enum secure_io read_some(struct meeting *m, char *p, size_t size, size_t *ret_n)
{
	enum secure_io io;
	while ((io = ops->read(m->session, p, size, ret_n)) == SECURE_WANT_READ ||
	       io == SECURE_WANT_WRITE)
		wait_for(m, io);
	return io;
}

static bool refused(const struct meeting *m, enum secure_trouble trouble, const char *text)
{
	bool ok = m->io == SECURE_FAILED && m->facts.trouble == trouble &&
		  m->err.class == ERR_TEMP && m->err.code.subject == 7 && m->err.code.detail == 5;
	CHECK_STR("error", m->err.text, text);
	return ok && m->facts.proof[0] == '\0';
}

static void facts(void)
{
	const struct {
		const char *label, *server, *client, *protocol, *cipher;
		const struct pki_cert *cert;
	} cases[] = {
		{ "TLS 1.3", NULL, "", "TLSv1.3", "TLS_AES_256_GCM_SHA384", &leaf },
		{ "TLS 1.3 with RSA", "NORMAL:-CIPHER-ALL:+AES-128-GCM", "", "TLSv1.3",
		  "TLS_AES_128_GCM_SHA256", &rsa },
		{ "TLS 1.3 ChaCha", "NORMAL:-CIPHER-ALL:+CHACHA20-POLY1305", "", "TLSv1.3",
		  "TLS_CHACHA20_POLY1305_SHA256", &leaf },
		{ "TLS 1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.2", "", "TLSv1.2",
		  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", &leaf },
		{ "TLS 1.2 with RSA", "NORMAL:-VERS-ALL:+VERS-TLS1.2", "", "TLSv1.2",
		  "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", &rsa },
		{ "our wish", NULL, "NORMAL:-VERS-TLS1.3", "TLSv1.2",
		  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", &leaf },
		{ "another group", "NORMAL:-GROUP-ALL:+GROUP-X25519", "", "TLSv1.3",
		  "TLS_AES_256_GCM_SHA384", &leaf },
		{ "TLS 1.0", "NORMAL:%COMPAT:-VERS-ALL:+VERS-TLS1.0", "", "TLSv1.0",
		  "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", &leaf },
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct meeting m = { .server = { .chain = { cases[i].cert },
						 .priority = cases[i].server },
				     .ask = any() };
		m.ask.priority = cases[i].client;
		meet(&m);
		CHECK(cases[i].label, m.io == SECURE_DONE && m.err.class == ERR_NONE);
		CHECK(cases[i].label, m.facts.trouble == SECURE_FINE);
		CHECK_STR(cases[i].label, m.facts.protocol, cases[i].protocol);
		CHECK_STR(cases[i].label, m.facts.cipher, cases[i].cipher);
		CHECK_STR(cases[i].label, m.facts.proof, "");
		part(&m);
		CHECK(cases[i].label, m.server.handshake == 0 && m.server.end == 0);
		CHECK_STR(cases[i].label, m.server.sni, MX);
	}
}

static void proofs(void)
{
	const struct {
		const char *label;
		const struct pki_cert *chain[2];
		struct secure_ask ask;
		const char *proof;
	} cases[] = {
		{ "PKIX", { &leaf }, pkix(), "PKIX " MX },
		{ "PKIX, RSA", { &rsa }, pkix(), "PKIX " MX },
		{ "DANE-EE", { &leaf, &root }, dane(&of_leaf), "3 1 1" },
		{ "key usage without digitalSignature",
		  { &encipher },
		  dane(&of_encipher),
		  "3 0 1" },
		{ "any: self-signed", { &self_signed }, any(), "" },
		{ "any: expired", { &expired }, any(), "" },
		{ "any: key usage", { &encipher }, any(), "" },
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct meeting m = { .server = { .chain = { cases[i].chain[0],
							    cases[i].chain[1] } },
				     .ask = cases[i].ask };
		struct secure_certificate shown = { .until = 0 };
		m.ask.certificate = &shown;
		meet(&m);
		CHECK(cases[i].label, m.io == SECURE_DONE && m.facts.trouble == SECURE_FINE);
		CHECK(cases[i].label, shown.until > shown.from && shown.issuer[0] != '\0');
		CHECK_STR(cases[i].label, m.facts.proof, cases[i].proof);
		part(&m);
		CHECK(cases[i].label, m.server.end == 0);
	}
}

/* What is not proven is not used, and the server is told why. */
static void unproven(void)
{
	static const char *const other_name[] = { "mx.example.org" };
	struct secure_ask other = pkix(), no_roots = pkix();
	other.names = other_name;
	no_roots.ca_file = "/nonexistent/ca.pem";
	const struct {
		const char *label;
		const struct pki_cert *cert;
		struct secure_ask ask;
		enum secure_trouble trouble;
		gnutls_alert_description_t alert;
	} cases[] = {
		{ "untrusted", &self_signed, pkix(), SECURE_NOT_TRUSTED, GNUTLS_A_UNKNOWN_CA },
		{ "name", &leaf, other, SECURE_WRONG_NAME, GNUTLS_A_BAD_CERTIFICATE },
		{ "expired", &expired, pkix(), SECURE_EXPIRED, GNUTLS_A_CERTIFICATE_EXPIRED },
		{ "TLSA", &rsa, dane(&of_leaf), SECURE_NO_TLSA, GNUTLS_A_BAD_CERTIFICATE },
		{ "roots", &leaf, no_roots, SECURE_LOCAL, GNUTLS_A_INTERNAL_ERROR },
	};
	for (size_t i = 0; i < N(cases); i++) {
		char in[10];
		size_t n = 99;
		struct meeting m = { .server = { .chain = { cases[i].cert }, .greeting = "220 x" },
				     .ask = cases[i].ask };
		struct secure_certificate shown = { .until = 0 };
		m.ask.certificate = i % 2 ? &shown : NULL;
		meet(&m);
		CHECK(cases[i].label, m.io == SECURE_FAILED && m.facts.trouble == cases[i].trouble);
		CHECK(cases[i].label, (shown.until > 0) == (m.ask.certificate != NULL));
		CHECK(cases[i].label,
		      m.err.class == (cases[i].trouble == SECURE_LOCAL ? ERR_CONFIG : ERR_TEMP));
		CHECK_STR(cases[i].label, m.facts.protocol, "TLSv1.3");
		CHECK_STR(cases[i].label, m.facts.proof, "");
		CHECK(cases[i].label, ops->read(m.session, in, sizeof(in), &n) == SECURE_FAILED);
		CHECK(cases[i].label, ops->write(m.session, SPAN("x"), &n) == SECURE_FAILED);
		CHECK(cases[i].label, !ops->pending(m.session) && n == 99);
		part(&m);
		CHECK(cases[i].label, m.server.end == GNUTLS_E_FATAL_ALERT_RECEIVED);
		CHECK(cases[i].label, m.server.alert == cases[i].alert);
	}
}

static void no_agreement(void)
{
	struct secure_ask with_proof = pkix(), old_wish = pkix();
	old_wish.priority = "NORMAL:+VERS-TLS1.0";
#define CHOSEN  "the handshake failed: the server chose a protocol version that we do not accept"
#define ALERTED "the handshake failed: the server sent the alert \"Handshake failed\""
	const struct {
		const char *label, *server;
		struct secure_ask ask;
		const char *text;
	} cases[] = {
		{ "TLS 1.0, proof", "NORMAL:-VERS-ALL:+VERS-TLS1.0", with_proof, CHOSEN },
		{ "TLS 1.1, proof", "NORMAL:-VERS-ALL:+VERS-TLS1.1", with_proof, CHOSEN },
		{ "TLS 1.1, proof, own priority", "NORMAL:-VERS-ALL:+VERS-TLS1.1", old_wish,
		  CHOSEN },
		{ "TLS 1.0, TLSA", "NORMAL:-VERS-ALL:+VERS-TLS1.0", dane(&of_leaf), CHOSEN },
		{ "no common cipher", "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-CCM-8",
		  any(), ALERTED },
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct meeting m = { .server = { .chain = { &leaf }, .priority = cases[i].server },
				     .ask = cases[i].ask };
		meet(&m);
		CHECK(cases[i].label, refused(&m, SECURE_HANDSHAKE, cases[i].text));
		CHECK_STR(cases[i].label, m.facts.protocol, "");
		part(&m);
		CHECK(cases[i].label, m.server.handshake < 0);
	}
}

static void server_name(void)
{
	const struct {
		const char *label, *ask, *sni;
	} cases[] = {
		{ "name", MX, MX },  { "final dot", MX ".", MX }, { "none", NULL, "" },
		{ "empty", "", "" }, { "IPv4", "192.0.2.1", "" }, { "IPv6", "2001:db8::1", "" },
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct meeting m = { .server = { .chain = { &leaf } }, .ask = any() };
		m.ask.sni = cases[i].ask;
		meet(&m);
		CHECK(cases[i].label, m.io == SECURE_DONE);
		part(&m);
		CHECK_STR(cases[i].label, m.server.sni, cases[i].sni);
	}
}

static void bad_priority(void)
{
	char too_long[2000];
	memset(too_long, 'A', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	const struct {
		const char *priority, *text;
		enum secure_proof proof;
	} cases[] = {
		{ "NONSENSE", "TLS priority \"NONSENSE\": NONSENSE", SECURE_ANY },
		{ "NORMAL:+NONSENSE:%COMPAT",
		  "TLS priority \"NORMAL:+NONSENSE:%COMPAT\": +NONSENSE:%COMPAT", SECURE_ANY },
		{ too_long, "TLS priority: too long", SECURE_ANY },
		/* Nothing is left of it once a proof is asked for. */
		{ "NORMAL:-VERS-ALL:+VERS-TLS1.1",
		  "TLS priority \"NORMAL:-VERS-ALL:+VERS-TLS1.1\": No or insufficient priorities "
		  "were set.",
		  SECURE_PKIX },
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct secure_session *s = NULL;
		struct error err = { 0 };
		struct secure_ask ask = pkix();
		ask.proof = cases[i].proof;
		ask.priority = cases[i].priority;
		CHECK(cases[i].text, !ops->open(0, &ask, &s, &err) && !s);
		CHECK(cases[i].text, err.class == ERR_CONFIG && err.code.detail == 5);
		CHECK_STR(cases[i].text, err.text, cases[i].text);
	}
}

/* A peer that is no TLS server: what it says is there before we look. */
static void not_tls(void)
{
	static const char ssl3_alert[] = { 0x15, 3, 0, 0, 2, 2, 40 };
	static const char warning[] = { 0x15, 3, 3, 0, 2, 1, 112 };
	char warnings[20 * sizeof(warning)];
	for (size_t i = 0; i < sizeof(warnings); i++)
		warnings[i] = warning[i % sizeof(warning)];
	const struct {
		const char *label;
		struct span said;
		const char *text;
	} cases[] = {
		{ "SMTP", SPAN("500 5.5.1 what?\r\n"),
		  "the handshake failed: what the server sent is not TLS" },
		{ "HTTP", SPAN("HTTP/1.0 400 Bad Request\r\n\r\n"),
		  "the handshake failed: what the server sent is not TLS" },
		{ "zeroes", SPAN("\0\0\0\0\0\0\0\0\0\0\0\0"),
		  "the handshake failed: what the server sent is not TLS" },
		{ "alert",
		  { ssl3_alert, sizeof(ssl3_alert) },
		  "the handshake failed: the server sent the alert \"Handshake failed\"" },
		{ "warnings without end",
		  { warnings, sizeof(warnings) },
		  "the handshake failed: the server sent the alert \"The server name sent was not "
		  "recognized\"" },
	};
	for (size_t i = 0; i < N(cases); i++) {
		int fd[2];
		struct meeting m = { .ask = any() };
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0 ||
		    write(fd[1], cases[i].said.p, cases[i].said.n) != (ssize_t)cases[i].said.n)
			abort();
		open_on(&m, fd[0]);
		m.io = ops->handshake(m.session, &m.facts, &m.err);
		CHECK(cases[i].label, refused(&m, SECURE_HANDSHAKE, cases[i].text));
		part(&m);
		close(fd[1]);
	}
}

static void lost(void)
{
	static const struct {
		const char *label;
		struct span said;
	} cases[] = {
		{ "at once", { NULL, 0 } },
		{ "in a record", { "\x16\x03\x03\x00\x50\x02\x00\x00", 8 } },
		{ "in a record's head", { "\x16\x03", 2 } },
	};
	for (size_t i = 0; i < N(cases); i++) {
		int fd[2];
		struct meeting m = { .ask = any() };
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
			abort();
		open_on(&m, fd[0]);
		CHECK(cases[i].label,
		      ops->handshake(m.session, &m.facts, &m.err) == SECURE_WANT_READ);
		if (cases[i].said.n > 0 &&
		    write(fd[1], cases[i].said.p, cases[i].said.n) != (ssize_t)cases[i].said.n)
			abort();
		if (i > 0)
			shutdown(fd[1], SHUT_WR);
		else
			close(fd[1]);
		while ((m.io = ops->handshake(m.session, &m.facts, &m.err)) == SECURE_WANT_READ)
			wait_for(&m, m.io);
		CHECK(cases[i].label, m.io == SECURE_CLOSED);
		CHECK(cases[i].label, m.facts.trouble == SECURE_HANDSHAKE);
		CHECK(cases[i].label, m.err.class == ERR_TEMP && m.err.code.subject == 4);
		CHECK_STR(cases[i].label, m.err.text, "lost connection");
		part(&m);
		if (i > 0)
			close(fd[1]);
	}
}

/* More than socket and record hold, there and back, over both protocols. */
static void bulk(void)
{
	static char out[300000], in[300000];
	static const char *const protocols[] = { "NORMAL", "NORMAL:-VERS-TLS1.3",
						 "NORMAL:-VERS-ALL:+VERS-TLS1.0" };
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7 + i / 251);
	for (size_t i = 0; i < N(protocols); i++) {
		struct meeting m = { .server = { .chain = { &leaf }, .priority = protocols[i] },
				     .ask = any() };
		size_t sent = 0, got = 0, n;
		meet(&m);
		while (got < sizeof(in)) {
			struct span rest = { out + sent, sizeof(out) - sent };
			enum secure_io w = SECURE_WANT_WRITE, r;
			if (rest.n > 0 && (w = ops->write(m.session, rest, &n)) == SECURE_DONE)
				sent += n;
			r = ops->read(m.session, in + got, sizeof(in) - got, &n);
			if (r == SECURE_DONE)
				got += n;
			else if (w != SECURE_DONE)
				wait_for(&m, SECURE_WANT_READ);
		}
		CHECK(protocols[i], sent == sizeof(out) && memcmp(in, out, sizeof(in)) == 0);
		part(&m);
		CHECK(protocols[i], m.server.end == 0);
	}
}

static void pending(void)
{
	char in[8];
	size_t n;
	struct meeting m = { .server = { .chain = { &leaf }, .greeting = "220 hello there" },
			     .ask = any() };
	meet(&m);
	CHECK("some", read_some(&m, in, 4, &n) == SECURE_DONE && n == 4);
	CHECK("some", memcmp(in, "220 ", 4) == 0);
	CHECK("more waits", ops->pending(m.session));
	CHECK("more", read_some(&m, in, 8, &n) == SECURE_DONE && n == 8);
	CHECK("the rest", read_some(&m, in, 8, &n) == SECURE_DONE && n == 3);
	CHECK("no more", !ops->pending(m.session));
	CHECK("no more", ops->read(m.session, in, 8, &n) == SECURE_WANT_READ);
	part(&m);
}

/* With or without close_notify: the end. */
static void the_end(void)
{
	for (int rude = 0; rude < 2; rude++) {
		char in[8];
		size_t n;
		struct meeting m = { .server = { .chain = { &leaf }, .rude = rude }, .ask = any() };
		meet(&m);
		CHECK("write", write_all(&m, SPAN("over")) == SECURE_DONE);
		CHECK("closed", read_some(&m, in, sizeof(in), &n) == SECURE_CLOSED);
		CHECK("still", read_some(&m, in, sizeof(in), &n) >= SECURE_CLOSED);
		pki_server_join(&m.server);
		m.server.thread = 0;
		CHECK("write", write_all(&m, SPAN("x")) >= SECURE_CLOSED);
		part(&m);
	}
}

/* The connection ends in the middle of a record. */
static void cut_record(void)
{
	char in[8];
	size_t n;
	int fd[2];
	struct meeting m = { .server = { .chain = { &leaf }, .rude = true }, .ask = any() };
	meet(&m);
	CHECK("write", write_all(&m, SPAN("over")) == SECURE_DONE);
	pki_server_join(&m.server);
	m.server.thread = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0 || dup2(fd[0], m.fd) != m.fd ||
	    fcntl(fd[0], F_SETFL, O_NONBLOCK) != 0 ||
	    write(fd[1],
		  "\x17\x03\x03\x00\x20"
		  "01234567",
		  13) != 13)
		abort();
	CHECK("not yet", ops->read(m.session, in, sizeof(in), &n) == SECURE_WANT_READ);
	close(fd[1]);
	CHECK("lost", read_some(&m, in, sizeof(in), &n) == SECURE_CLOSED);
	part(&m);
	close(fd[0]);
}

/* Bytes that are no record of the session. */
static void garbled(void)
{
	char in[8];
	size_t n;
	int fd[2];
	struct meeting m = { .server = { .chain = { &leaf }, .rude = true }, .ask = any() };
	meet(&m);
	CHECK("write", write_all(&m, SPAN("over")) == SECURE_DONE);
	pki_server_join(&m.server);
	m.server.thread = 0;
	/* Another peer takes its place. */
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0 || dup2(fd[0], m.fd) != m.fd ||
	    write(fd[1],
		  "\x17\x03\x03\x00\x20"
		  "0123456789abcdef0123456789abcdef",
		  37) != 37)
		abort();
	CHECK("read", read_some(&m, in, sizeof(in), &n) == SECURE_FAILED);
	CHECK("again", read_some(&m, in, sizeof(in), &n) == SECURE_FAILED);
	part(&m);
	close(fd[0]);
	close(fd[1]);
}

/* A peer that takes nothing: the record that was begun is kept, and nothing of it is lost. */
static void blocked_write(void)
{
	static char out[16000], in[16000];
	size_t sent = 0, n = 0, got = 0;
	bool whole = true;
	struct meeting m = { .server = { .chain = { &leaf } }, .ask = any() };
	enum secure_io io = SECURE_DONE;
	memset(out, 'x', sizeof(out));
	meet(&m);
	/* The server echoes until nobody reads; then it does not read either. */
	while (io == SECURE_DONE) {
		io = ops->write(m.session, (struct span){ out, sizeof(out) }, &n);
		sent += io == SECURE_DONE ? n : 0;
		if (io == SECURE_WANT_WRITE) {
			struct pollfd fd = { .fd = m.fd, .events = POLLOUT };
			io = poll(&fd, 1, 50) == 1 ? SECURE_DONE : io;
		}
	}
	CHECK("blocked", io == SECURE_WANT_WRITE && sent > 0);
	while (got < sent + sizeof(out)) {
		struct pollfd fd = { .fd = m.fd, .events = POLLIN };
		if (io != SECURE_DONE) {
			fd.events |= POLLOUT;
			io = ops->write(m.session, (struct span){ out, sizeof(out) }, &n);
			whole = whole && (io != SECURE_DONE || n == sizeof(out));
		}
		if (ops->read(m.session, in, sizeof(in), &n) == SECURE_DONE)
			got += n;
		else if (poll(&fd, 1, 10000) != 1)
			abort();
	}
	CHECK("the same record", whole);
	CHECK("all", got == sent + sizeof(out));
	part(&m);
}

static void nothing_opened(void)
{
	struct meeting m = { .server = { .chain = { &leaf } }, .ask = any() };
	int fd[2];
	ops->close(NULL);
	CHECK("version", ops->version == SECURE_VERSION);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
		abort();
	open_on(&m, fd[0]);
	CHECK("nothing sent yet", recv(fd[1], &(char){ 0 }, 1, MSG_DONTWAIT) < 0);
	ops->close(m.session);
	CHECK("nor now", recv(fd[1], &(char){ 0 }, 1, MSG_DONTWAIT) < 0);
	CHECK("the descriptor stays", fcntl(fd[0], F_GETFL) >= 0);
	close(fd[0]);
	close(fd[1]);
}

/* MTA-STS testing (RFC 8461 section 5): the finding is told, the session is good. */
static void advisory(void)
{
	static const char *const other_name[] = { "mx.example.org" };
	const struct {
		const char *label;
		const struct pki_cert *cert;
		const char *const *names, *ca_file;
		enum secure_io io;
		enum secure_trouble trouble;
	} cases[] = {
		{ "proven", &leaf, mx_name, roots.path, SECURE_DONE, SECURE_FINE },
		{ "untrusted", &self_signed, mx_name, roots.path, SECURE_DONE, SECURE_NOT_TRUSTED },
		{ "name", &leaf, other_name, roots.path, SECURE_DONE, SECURE_WRONG_NAME },
		{ "roots", &leaf, mx_name, "/nonexistent/ca.pem", SECURE_FAILED, SECURE_LOCAL },
	};
	for (size_t i = 0; i < N(cases); i++) {
		char in[10];
		size_t n = 0;
		struct meeting m = { .server = { .chain = { cases[i].cert }, .greeting = "220 x" },
				     .ask = pkix() };
		m.ask.advisory = true;
		m.ask.names = cases[i].names;
		m.ask.ca_file = cases[i].ca_file;
		meet(&m);
		CHECK(cases[i].label, m.io == cases[i].io && m.facts.trouble == cases[i].trouble);
		if (m.io == SECURE_DONE)
			CHECK(cases[i].label,
			      read_some(&m, in, sizeof(in), &n) == SECURE_DONE && n == 5);
		part(&m);
	}
}

static void make(void)
{
	root = pki_make((struct pki_want){ "Root", .flags = PKI_CA });
	leaf = pki_make((struct pki_want){ "leaf", { MX }, .issuer = &root });
	rsa = pki_make((struct pki_want){ "rsa", { MX }, PKI_RSA, &root, NULL });
	expired = pki_make((struct pki_want){ "leaf", { MX }, PKI_EXPIRED, &root, NULL });
	encipher =
		pki_make((struct pki_want){ "leaf", { MX }, PKI_ENCIPHER | PKI_RSA, &root, &rsa });
	self_signed = pki_make((struct pki_want){ "self", { MX }, .flags = 0 });
	pki_tlsa(&of_leaf, "3 1 1", &leaf);
	pki_tlsa(&of_encipher, "3 0 1", &encipher);
	roots = pki_file_open();
	pki_file_add_cert(&roots, &root);
	CHECK("made", rsa.der.size > 0);
}

static void unmake(void)
{
	struct pki_cert *all[] = { &root, &leaf, &rsa, &expired, &encipher, &self_signed };
	for (size_t i = 0; i < N(all); i++)
		pki_free(all[i]);
	close(roots.fd);
}

static void meet_with(const struct pki_cert *cert, struct secure_certificate *ret)
{
	struct meeting m = { .server = { .chain = { cert } }, .ask = any() };
	memset(ret, 'x', sizeof(*ret));
	m.ask.certificate = ret;
	meet(&m);
	CHECK("a handshake", m.io == SECURE_DONE);
	part(&m);
}

static bool is_printable(const char *s)
{
	while ((unsigned char)*s >= 0x20 && *s != 0x7f)
		s++;
	return *s == '\0';
}

/* What is shown to a person who asks. */
static void certificate(void)
{
	const time_t now = time(NULL), day = 86400;
	struct secure_certificate c;
	struct pki_cert issuer = pki_make((struct pki_want){ "Test Root, Inc.", .flags = PKI_CA });
	struct pki_cert good = pki_make((struct pki_want){
		MX,
		.dns = { MX, "*.example.net" },
		.issuer = &issuer,
	});
	struct pki_cert nameless = pki_make((struct pki_want){ .flags = PKI_EXPIRED });
	struct pki_cert odd = pki_make((struct pki_want){
		"evil\r\n\033[31m\xff",
		.dns = { "a\nb.example", "c.example" },
	});
	meet_with(&good, &c);
	CHECK_STR("subject", c.subject, "CN=" MX);
	CHECK_STR("issuer", c.issuer, "CN=Test Root\\, Inc.");
	CHECK_STR("names", c.names, MX " *.example.net");
	CHECK("from", c.from > now - 11 * day && c.from < now - 9 * day);
	CHECK("until", c.until > now + 9 * day && c.until < now + 11 * day);
	meet_with(&nameless, &c);
	CHECK_STR("no subject", c.subject, "");
	CHECK_STR("no issuer", c.issuer, "");
	CHECK_STR("no names", c.names, "");
	CHECK("expired", c.until > 0 && c.until < now);
	meet_with(&odd, &c);
	CHECK("printable", is_printable(c.subject) && is_printable(c.names));
	CHECK("the other name", strstr(c.names, "c.example") != NULL);
	pki_free(&good);
	pki_free(&issuer);
	pki_free(&nameless);
	pki_free(&odd);
}

/* What does not fit is left out as a whole: half a name is another one. */
static void many_names(void)
{
	struct secure_certificate c;
	char label[64], name[220];
	memset(label, 'a', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	snprintf(name, sizeof(name), "%s.%s.%s", label, label, label);
	struct pki_cert cert = pki_make((struct pki_want){ MX, .dns = { name, name, name } });
	meet_with(&cert, &c);
	CHECK("two fit", strlen(c.names) == 2 * strlen(name) + 1 && c.names[strlen(name)] == ' ');
	pki_free(&cert);
}

TEST_MAIN("session", { "make", make }, { "facts", facts }, { "proofs", proofs },
	  { "unproven", unproven }, { "certificate", certificate }, { "many_names", many_names },
	  { "advisory", advisory }, { "no_agreement", no_agreement },
	  { "server_name", server_name }, { "bad_priority", bad_priority }, { "not_tls", not_tls },
	  { "lost", lost }, { "bulk", bulk }, { "pending", pending }, { "the_end", the_end },
	  { "cut_record", cut_record }, { "garbled", garbled }, { "blocked_write", blocked_write },
	  { "nothing_opened", nothing_opened }, { "unmake", unmake })
