/* SPDX-License-Identifier: ISC */
/* sink ADDRESS PORT [CHAIN]: an SMTP server that takes all mail and keeps none, a thread for each
 * connection. It offers STARTTLS if there is a CHAIN (key and certificates in one file), and
 * counts: the command STAT, as the first one of a connection that is not counted then, is answered
 * with "250 CONNECTIONS MESSAGES RECIPIENTS". Commands that came together get one packet of
 * replies, as from real servers. */
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct peer {
	int fd;
	gnutls_session_t tls; /* NULL: plain */
	bool counted;
	char in[65536], out[8192];
	size_t at, in_len, out_len;
};

static gnutls_certificate_credentials_t credentials;
static gnutls_priority_t priorities;
static gnutls_datum_t ticket_key;
static bool offers_tls;
static atomic_ulong connections, messages, recipients;

static void flush(struct peer *p)
{
	for (size_t at = 0; at < p->out_len;) {
		ssize_t n = p->tls ? gnutls_record_send(p->tls, p->out + at, p->out_len - at)
				   : send(p->fd, p->out + at, p->out_len - at, MSG_NOSIGNAL);
		if (n <= 0 && n != GNUTLS_E_AGAIN && n != GNUTLS_E_INTERRUPTED)
			break;
		at += n > 0 ? (size_t)n : 0;
	}
	p->out_len = 0;
}

static void reply(struct peer *p, const char *line)
{
	size_t n = strlen(line);
	if (p->out_len + n > sizeof(p->out))
		flush(p);
	memcpy(p->out + p->out_len, line, n);
	p->out_len += n;
}

/* More octets behind those that are unread. Whoever has to wait for the peer answers it first. */
static bool fill(struct peer *p)
{
	ssize_t n;
	flush(p);
	memmove(p->in, p->in + p->at, p->in_len - p->at);
	p->in_len -= p->at;
	p->at = 0;
	if (p->in_len == sizeof(p->in))
		return false;
	char *to = p->in + p->in_len;
	size_t room = sizeof(p->in) - p->in_len;
	do
		n = p->tls ? gnutls_record_recv(p->tls, to, room) : recv(p->fd, to, room, 0);
	while (p->tls && (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED));
	p->in_len += n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* The next line without its end, until the next call. NULL: the peer has gone. */
static char *next_line(struct peer *p)
{
	for (;;) {
		char *line = p->in + p->at, *lf = memchr(line, '\n', p->in_len - p->at);
		if (lf) {
			p->at = (size_t)(lf + 1 - p->in);
			*(lf > line && lf[-1] == '\r' ? lf - 1 : lf) = '\0';
			return line;
		}
		if (!fill(p))
			return NULL;
	}
}

static bool take_message(struct peer *p)
{
	char *line;
	reply(p, "354 go ahead\r\n");
	do
		line = next_line(p);
	while (line && strcmp(line, ".") != 0);
	messages++;
	reply(p, "250 2.0.0 Ok: queued as 1\r\n");
	return line != NULL;
}

static bool secure(struct peer *p)
{
	int rc;
	reply(p, "220 2.0.0 go ahead\r\n");
	flush(p);
	gnutls_init(&p->tls, GNUTLS_SERVER);
	gnutls_priority_set(p->tls, priorities);
	gnutls_credentials_set(p->tls, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_session_ticket_enable_server(p->tls, &ticket_key);
	gnutls_transport_set_int(p->tls, p->fd);
	do
		rc = gnutls_handshake(p->tls);
	while (rc < 0 && !gnutls_error_is_fatal(rc));
	return rc == 0;
}

static void ehlo(struct peer *p)
{
	if (!p->counted)
		connections++;
	p->counted = true;
	reply(p, "250-sink\r\n250-PIPELINING\r\n250-SIZE 104857600\r\n250-8BITMIME\r\n");
	if (offers_tls && !p->tls)
		reply(p, "250-STARTTLS\r\n");
	reply(p, "250 ENHANCEDSTATUSCODES\r\n");
}

static void stat(struct peer *p)
{
	char line[100];
	snprintf(line, sizeof(line), "250 %lu %lu %lu\r\n", connections, messages, recipients);
	reply(p, line);
}

static bool begins(const char *line, const char *verb)
{
	return strncasecmp(line, verb, strlen(verb)) == 0;
}

/* False: the conversation is over. */
static bool obey(struct peer *p, const char *line)
{
	if (begins(line, "DATA"))
		return take_message(p);
	if (begins(line, "STARTTLS"))
		return secure(p);
	if (begins(line, "EHLO")) {
		ehlo(p);
	} else if (begins(line, "STAT")) {
		stat(p);
	} else if (begins(line, "QUIT")) {
		reply(p, "221 2.0.0 bye\r\n");
		return false;
	} else {
		recipients += begins(line, "RCPT");
		reply(p, "250 2.0.0 Ok\r\n");
	}
	return true;
}

static void *serve(void *self)
{
	struct peer *p = self;
	char *line;
	reply(p, "220 sink ESMTP\r\n");
	while ((line = next_line(p)) && obey(p, line))
		;
	flush(p);
	if (p->tls)
		gnutls_deinit(p->tls);
	close(p->fd);
	free(p);
	return NULL;
}

static void prepare_tls(const char *chain)
{
	offers_tls = true;
	if (gnutls_certificate_allocate_credentials(&credentials) ||
	    gnutls_certificate_set_x509_key_file(credentials, chain, chain, GNUTLS_X509_FMT_PEM) ||
	    gnutls_priority_init(&priorities, "NORMAL", NULL) ||
	    gnutls_session_ticket_key_generate(&ticket_key)) {
		fprintf(stderr, "sink: %s: no key or no certificate\n", chain);
		exit(75);
	}
}

static int listener(const char *address, const char *port)
{
	struct sockaddr_in here = { .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)strtol(port, NULL, 10)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (inet_pton(AF_INET, address, &here.sin_addr) != 1 ||
	    bind(fd, (struct sockaddr *)&here, sizeof(here)) || listen(fd, 1024)) {
		perror("sink");
		exit(75);
	}
	return fd;
}

int main(int argc, char **argv)
{
	int yes = 1;
	if (argc < 3)
		return 75;
	signal(SIGPIPE, SIG_IGN);
	if (argc > 3)
		prepare_tls(argv[3]);
	int fd = listener(argv[1], argv[2]);
	for (;;) {
		pthread_t thread;
		struct peer *p = calloc(1, sizeof(*p));
		if (!p || (p->fd = accept(fd, NULL, NULL)) < 0) {
			free(p);
			continue;
		}
		setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
		if (pthread_create(&thread, NULL, serve, p)) {
			close(p->fd);
			free(p);
		} else {
			pthread_detach(thread);
		}
	}
}
