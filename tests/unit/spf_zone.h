/* SPDX-License-Identifier: ISC */
/* The DNS that test_spf lives in, and a name server for it in a thread. */
#ifndef TESTS_SPF_ZONE_H
#define TESTS_SPF_ZONE_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ip.h"
#include "dns_build.h"

enum { ZONE_FAIL = 1000, ZONE_EMPTY, ZONE_SILENT };

struct zone_record {
	const char *name; /* "*.x": any name below x */
	unsigned type;    /* ZONE_FAIL: SERVFAIL for the data as type, ZONE_EMPTY: it exists */
	const char *data; /* "#N name": N of them, hosts h1.name ... hN.name, or IPv4 addresses */
};

struct zone_server {
	const struct zone_record *zone;
	size_t n;
	int fd, listener, quit[2];
	struct endpoint at;
	pthread_t thread;
	pthread_mutex_t lock;
	size_t asked, asked_type[256];
	char exists[256]; /* the last name of a question for A */
};

static inline bool zone_is_at(const struct zone_record *r, const char *name)
{
	size_t n = strlen(name), suffix = strlen(r->name) - 1;
	if (r->name[0] == '*')
		return n > suffix && strcasecmp(name + n - suffix, r->name + 1) == 0;
	return strcasecmp(name, r->name) == 0;
}

static inline void zone_txt(struct dns_build *m, const char *name, const char *text)
{
	size_t at = dns_rr_begin(m, DNS_IN_ANSWER, name, DNS_TXT, 300), n = strlen(text);
	do {
		size_t some = n < 255 ? n : 255;
		m->b[m->n++] = (unsigned char)some;
		dns_bytes(m, text, some);
		text += some;
		n -= some;
	} while (n > 0);
	dns_rr_end(m, at);
}

static inline void zone_names(struct dns_build *m, const char *name, const struct zone_record *r)
{
	char text[300];
	unsigned n = 1;
	const char *host = r->data;
	bool many = host[0] == '#';
	if (many) {
		n = (unsigned)strtoul(host + 1, NULL, 10);
		host = strchr(host, ' ') + 1;
	}
	for (unsigned i = 1; i <= n; i++) {
		snprintf(text, sizeof(text), "h%u.%s", i, host);
		if (r->type == DNS_MX)
			dns_mx(m, name, 200, i, many ? text : host);
		else
			dns_to_name(m, name, r->type, 200, many ? text : host);
	}
}

static inline void zone_add(struct dns_build *m, const char *name, const struct zone_record *r)
{
	struct ip ip = { .family = 4, .b = { 10 } };
	unsigned n = r->data[0] == '#' ? (unsigned)strtoul(r->data + 1, NULL, 10) : 0;
	switch (r->type) {
	case DNS_TXT:
		zone_txt(m, name, r->data);
		break;
	case DNS_A:
	case DNS_AAAA:
		for (; n > 1; n--)
			dns_raw(m, name, DNS_A, 100, (struct span){ (const char *)ip.b, 4 });
		if (n == 0 && !ip_parse(span_of(r->data), &ip))
			abort();
		dns_raw(m, name, r->type, 100,
			(struct span){ (const char *)ip.b, ip.family == 4 ? 4 : 16 });
		break;
	default:
		zone_names(m, name, r);
	}
}

/* False: nothing is said. */
static inline bool zone_answer(const struct zone_server *s, struct dns_build *m, const char *name,
			       unsigned type)
{
	bool exists = false, any = false;
	for (size_t i = 0; i < s->n; i++) {
		const struct zone_record *r = &s->zone[i];
		if (!zone_is_at(r, name))
			continue;
		exists = true;
		if (r->type == ZONE_SILENT)
			return false;
		if (r->type == ZONE_FAIL && strtoul(r->data, NULL, 10) == type) {
			dns_open(m, DNS_ANSWER | DNS_SERVFAIL, name, type);
			return true;
		}
		if (r->type == type)
			any = true;
	}
	dns_open(m, exists ? DNS_ANSWER : DNS_ANSWER | DNS_NXNAME, name, type);
	for (size_t i = 0; i < s->n; i++)
		if (s->zone[i].type == type && zone_is_at(&s->zone[i], name))
			zone_add(m, name, &s->zone[i]);
	if (!any)
		dns_soa(m, "test", 60, 60);
	return true;
}

static inline bool zone_reply(struct zone_server *s, struct dns_build *m, const unsigned char *q)
{
	char name[256];
	unsigned type = dns_question(q, name);
	pthread_mutex_lock(&s->lock);
	s->asked++;
	s->asked_type[type & 255]++;
	if (type == DNS_A)
		memcpy(s->exists, name, sizeof(name));
	pthread_mutex_unlock(&s->lock);
	if (!zone_answer(s, m, name, type))
		return false;
	m->b[0] = q[0];
	m->b[1] = q[1];
	return true;
}

/* A connection with one question; the length of its answer is in front of it. */
static inline void zone_serve_tcp(struct zone_server *s, struct dns_build *m)
{
	unsigned char q[2048], head[2];
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
	ssize_t n = recv(fd, head, 2, MSG_WAITALL);
	size_t len = n == 2 ? (size_t)(head[0] << 8 | head[1]) : 0;
	if (len > 16 && len < sizeof(q) && recv(fd, q, len, MSG_WAITALL) == (ssize_t)len &&
	    zone_reply(s, m, q)) {
		head[0] = (unsigned char)(m->n >> 8);
		head[1] = (unsigned char)m->n;
		send(fd, head, 2, MSG_NOSIGNAL | MSG_MORE);
		send(fd, m->b, m->n, MSG_NOSIGNAL);
	}
	close(fd);
}

static inline void *zone_serve(void *ctx)
{
	static _Thread_local struct dns_build m;
	struct zone_server *s = ctx;
	struct pollfd fds[] = { { .fd = s->quit[0], .events = POLLIN },
				{ .fd = s->listener, .events = POLLIN },
				{ .fd = s->fd, .events = POLLIN } };
	while (poll(fds, 3, -1) > 0 && !fds[0].revents) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		unsigned char q[2048];
		if (fds[1].revents)
			zone_serve_tcp(s, &m);
		ssize_t n =
			recvfrom(s->fd, q, sizeof(q), MSG_DONTWAIT, (struct sockaddr *)&from, &len);
		if (n <= 16 || !zone_reply(s, &m, q))
			continue;
		if (m.n > 1232) {
			/* Header and question; c-ares takes it for truncated anyway. */
			m.b[2] |= DNS_TC >> 8;
			memset(m.b + DNS_IN_ANSWER, 0, 6);
			m.n = 12 + strlen((char *)m.b + 12) + 5;
		}
		sendto(s->fd, m.b, m.n, 0, (struct sockaddr *)&from, len);
	}
	return NULL;
}

/* The same port for both, which somebody may have got in between. */
static inline bool zone_bind(struct zone_server *s)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || s->listener < 0 || bind(s->fd, (struct sockaddr *)&at, len) != 0 ||
	    getsockname(s->fd, (struct sockaddr *)&at, &len) != 0)
		abort();
	s->at = (struct endpoint){ { 4, { 127, 0, 0, 1 } }, ntohs(at.sin_port) };
	if (bind(s->listener, (struct sockaddr *)&at, len) == 0 && listen(s->listener, 5) == 0)
		return true;
	close(s->fd);
	close(s->listener);
	return false;
}

static inline void zone_open(struct zone_server *s, const struct zone_record *zone, size_t n)
{
	*s = (struct zone_server){ .zone = zone, .n = n, .lock = PTHREAD_MUTEX_INITIALIZER };
	while (!zone_bind(s))
		;
	if (pipe2(s->quit, O_CLOEXEC) != 0 || pthread_create(&s->thread, NULL, zone_serve, s) != 0)
		abort();
}

static inline void zone_close(struct zone_server *s)
{
	close(s->quit[1]);
	pthread_join(s->thread, NULL);
	close(s->quit[0]);
	close(s->listener);
	close(s->fd);
}

#endif
