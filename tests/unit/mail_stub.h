/* SPDX-License-Identifier: ISC */
/*
 * A name server and a mail server on the loopback, in threads, for tests of the fronts.
 *
 * Names: "null..." has a null MX, "servfail..." SERVFAIL, "gone..." does not exist, "silent..." is
 * not answered; every other domain has the MX mx.test, which is 127.0.0.1.
 *
 * Recipients: "bounce..." is refused with 550, "defer..." with 451; with "meet..." the answer to
 * the final dot comes when `meet` sessions wait for theirs.
 */
#ifndef TESTS_MAIL_STUB_H
#define TESTS_MAIL_STUB_H

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dns_build.h"

#define STUB_SESSIONS 256
#define STUB_TEXT     4096

struct mail_stub;

struct stub_session {
	struct mail_stub *stub;
	int fd;
	pthread_t thread;
	bool meets;      /* the mail under way is for somebody called so */
	size_t accepted; /* its recipients */
};

struct mail_stub {
	int dns, smtp, quit[2];
	uint16_t dns_port, smtp_port;
	pthread_t dns_thread, smtp_thread;
	struct dns_build reply;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock */
	struct stub_session session[STUB_SESSIONS];
	size_t names, sessions, quits, rsets, mails, rcpts, waiting, meet;
	bool met;
	char text[STUB_TEXT]; /* of the last mail, its beginning, as it came, without the final dot
			       */
	size_t size;          /* of all of it */
};

static inline int stub_socket(int type, uint16_t *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0 ||
	    (type == SOCK_STREAM && listen(fd, 128) != 0))
		abort();
	*ret_port = ntohs(at.sin_port);
	return fd;
}

/* ---- names ---- */

static inline bool stub_is(const char *name, const char *begin)
{
	return strncmp(name, begin, strlen(begin)) == 0;
}

/* False: no answer. */
static inline bool stub_answer(struct dns_build *m, const unsigned char *q)
{
	char name[256];
	unsigned type = dns_question(q, name);
	unsigned rcode = stub_is(name, "servfail") ? DNS_SERVFAIL
			 : stub_is(name, "gone")   ? DNS_NXNAME
						   : 0;
	dns_open(m, DNS_ANSWER | rcode, name, type);
	m->b[0] = q[0];
	m->b[1] = q[1];
	if (rcode)
		return true;
	if (type == DNS_MX && strcmp(name, "mx.test") != 0)
		dns_mx(m, name, 300, 0, stub_is(name, "null") ? "" : "mx.test");
	else if (type == DNS_A && strcmp(name, "mx.test") == 0)
		dns_raw(m, name, DNS_A, 300, SPAN("\x7f\0\0\1"));
	else
		dns_soa(m, name, 300, 60);
	return !stub_is(name, "silent");
}

static inline void *stub_serve_names(void *ctx)
{
	struct mail_stub *s = ctx;
	struct pollfd p[] = { { .fd = s->quit[0], .events = POLLIN },
			      { .fd = s->dns, .events = POLLIN } };
	while (poll(p, 2, -1) > 0 && !p[0].revents) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		unsigned char q[2048];
		ssize_t n = recvfrom(s->dns, q, sizeof(q), 0, (struct sockaddr *)&from, &len);
		if (n <= 16)
			continue;
		pthread_mutex_lock(&s->lock);
		s->names++;
		pthread_mutex_unlock(&s->lock);
		if (stub_answer(&s->reply, q))
			sendto(s->dns, s->reply.b, s->reply.n, 0, (struct sockaddr *)&from, len);
	}
	return NULL;
}

/* ---- mail ---- */

/* Until all have come that are to meet here; not for ever, so that a test fails and does not hang.
 */
static inline bool stub_meets(struct stub_session *one)
{
	struct mail_stub *s = one->stub;
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	int rc = 0;
	pthread_mutex_lock(&s->lock);
	if (++s->waiting == s->meet)
		s->met = true;
	pthread_cond_broadcast(&s->changed);
	while (!s->met && rc == 0)
		rc = pthread_cond_timedwait(&s->changed, &s->lock, &until);
	s->waiting--;
	pthread_mutex_unlock(&s->lock);
	return rc == 0;
}

/* False: the client hung up in the midst of it. */
static inline bool stub_read_text(struct stub_session *one, FILE *in)
{
	struct mail_stub *s = one->stub;
	char line[2048], text[STUB_TEXT];
	size_t n = 0, size = 0;
	for (;;) {
		if (!fgets(line, sizeof(line), in))
			return false;
		if (strcmp(line, ".\r\n") == 0)
			break;
		size_t len = strlen(line);
		size += len;
		if (n + len < sizeof(text)) {
			memcpy(text + n, line, len);
			n += len;
		}
	}
	text[n] = '\0';
	pthread_mutex_lock(&s->lock);
	memcpy(s->text, text, n + 1);
	s->size = size;
	s->mails++;
	pthread_mutex_unlock(&s->lock);
	return true;
}

static inline void stub_count(struct stub_session *one, size_t *what)
{
	pthread_mutex_lock(&one->stub->lock);
	++*what;
	pthread_mutex_unlock(&one->stub->lock);
}

static inline const char *stub_rcpt(struct stub_session *one, const char *line)
{
	const char *local = strchr(line, '<');
	local = local ? local + 1 : "";
	stub_count(one, &one->stub->rcpts);
	if (stub_is(local, "bounce"))
		return "550 5.1.1 no such user";
	if (stub_is(local, "defer"))
		return "451 4.2.1 not now";
	one->meets = one->meets || stub_is(local, "meet");
	one->accepted++;
	return "250 2.1.5 Ok";
}

/* The reply to a command; NULL: the session is over. */
static inline const char *stub_obey(struct stub_session *one, const char *line, FILE *in)
{
	if (stub_is(line, "EHLO"))
		return "250-mx.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE";
	if (stub_is(line, "MAIL")) {
		one->meets = false;
		one->accepted = 0;
	}
	if (stub_is(line, "RCPT"))
		return stub_rcpt(one, line);
	if (stub_is(line, "RSET"))
		stub_count(one, &one->stub->rsets);
	if (stub_is(line, "QUIT")) {
		stub_count(one, &one->stub->quits);
		return NULL;
	}
	if (!stub_is(line, "DATA"))
		return "250 2.0.0 Ok";
	if (one->accepted == 0)
		return "554 5.5.1 no valid recipients";
	dprintf(one->fd, "354 go on\r\n");
	if (!stub_read_text(one, in))
		return NULL;
	if (one->meets && !stub_meets(one))
		return "451 4.3.0 nobody came";
	return "250 2.0.0 queued";
}

static inline void *stub_serve_session(void *ctx)
{
	struct stub_session *one = ctx;
	const char *reply = "220 mx.test ESMTP";
	char line[2048];
	FILE *in = fdopen(dup(one->fd), "r");
	while (reply && dprintf(one->fd, "%s\r\n", reply) > 0 && fgets(line, sizeof(line), in))
		reply = stub_obey(one, line, in);
	fclose(in);
	shutdown(one->fd, SHUT_RDWR);
	return NULL;
}

static inline void *stub_serve_mail(void *ctx)
{
	struct mail_stub *s = ctx;
	struct pollfd p[] = { { .fd = s->quit[0], .events = POLLIN },
			      { .fd = s->smtp, .events = POLLIN } };
	while (poll(p, 2, -1) > 0 && !p[0].revents) {
		int fd = accept4(s->smtp, NULL, NULL, SOCK_CLOEXEC);
		pthread_mutex_lock(&s->lock);
		struct stub_session *one = &s->session[s->sessions++];
		if (fd < 0 || s->sessions == STUB_SESSIONS)
			abort();
		*one = (struct stub_session){ .stub = s, .fd = fd };
		if (pthread_create(&one->thread, NULL, stub_serve_session, one) != 0)
			abort();
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

/* ---- all of it ---- */

static inline struct mail_stub *stub_open(void)
{
	struct mail_stub *s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	s->dns = stub_socket(SOCK_DGRAM, &s->dns_port);
	s->smtp = stub_socket(SOCK_STREAM, &s->smtp_port);
	if (pthread_mutex_init(&s->lock, NULL) != 0 || pthread_cond_init(&s->changed, NULL) != 0 ||
	    pipe2(s->quit, O_CLOEXEC) != 0 ||
	    pthread_create(&s->dns_thread, NULL, stub_serve_names, s) != 0 ||
	    pthread_create(&s->smtp_thread, NULL, stub_serve_mail, s) != 0)
		abort();
	return s;
}

/* The server hangs up, whatever is under way. */
static inline void stub_hang_up(struct mail_stub *s)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->sessions; i++)
		shutdown(s->session[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&s->lock);
}

/* So many sessions are to meet at their final dots, from now on. */
static inline void stub_expect(struct mail_stub *s, size_t meet)
{
	pthread_mutex_lock(&s->lock);
	s->met = false;
	s->meet = meet;
	pthread_mutex_unlock(&s->lock);
}

static inline const char *stub_text(struct mail_stub *s, char ret[static STUB_TEXT])
{
	pthread_mutex_lock(&s->lock);
	memcpy(ret, s->text, STUB_TEXT);
	pthread_mutex_unlock(&s->lock);
	return ret;
}

static inline size_t stub_get(struct mail_stub *s, const size_t *what)
{
	pthread_mutex_lock(&s->lock);
	size_t n = *what;
	pthread_mutex_unlock(&s->lock);
	return n;
}

static inline void stub_close(struct mail_stub *s)
{
	close(s->quit[1]);
	pthread_join(s->dns_thread, NULL);
	pthread_join(s->smtp_thread, NULL);
	stub_hang_up(s);
	for (size_t i = 0; i < s->sessions; i++) {
		pthread_join(s->session[i].thread, NULL);
		close(s->session[i].fd);
	}
	close(s->quit[0]);
	close(s->dns);
	close(s->smtp);
	free(s);
}

#endif
