/* SPDX-License-Identifier: ISC */
/* The listeners of the MX hosts, and which script a connection gets. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mx.h"
#include "owner.h"
#include "play.h"

/* The next script for an address among those of the last run that has any. The last one again if
 * there are no more, which is a mistake in the story. */
static const struct script *script_for(struct mx *m, const struct host *h, size_t turn)
{
	const struct story *story = m->run->story;
	const struct script *last = NULL;
	for (size_t t = turn + 1; t-- > 0 && !last;) {
		for (size_t i = 0; i < story->nscript; i++) {
			const struct script *s = &story->script[i];
			if (s->turn != t || strcmp(s->addr, h->addr) != 0)
				continue;
			last = s;
			if (m->used[i])
				continue;
			m->used[i] = true;
			return s;
		}
	}
	if (!run_faulty(m->run))
		run_trouble(m->run, "%s: one connection too many", h->addr);
	return last ? last : &story->script[0];
}

static bool begins_with(const struct script *s, enum act act)
{
	return s->n > 0 && s->item[0].kind == ITEM_ACT && s->item[0].act == act;
}

static void host_ready(void *self, short revents)
{
	struct host *h = self;
	struct mx *m = h->mx;
	(void)revents;
	int fd = accept4(h->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	if (m->nconn == MX_CONNS)
		die("too many connections in one run");
	int one = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	struct child *of = owner_of(m->run, fd);
	struct conn *c = &m->conn[m->nconn++];
	*c = (struct conn){ .mx = m, .of = of };
	talk_init(&c->talk, false, of->turn->lmtp ? &of->client.talk : NULL, &m->run->now);
	c->script = script_for(m, h, (size_t)(of->turn - m->run->story->turn));
	if (begins_with(c->script, ACT_TLS))
		talk_hidden(&c->talk);
	c->watch = loop_add(&m->run->loop, fd, POLLIN, conn_ready, c);
	run_note(m->run, "%s connected", h->addr);
	conn_ready(c, 0);
}

/* "127.0.0.2", "127.0.0.2:587", "::1"; `port` where it gives none. */
static socklen_t host_place(const char *host, uint16_t port, struct sockaddr_storage *ret)
{
	const char *colon = strchr(host, '.') ? strchr(host, ':') : NULL;
	char *addr = xndup(host, colon ? (size_t)(colon - host) : strlen(host));
	int64_t own_port = port;
	if (colon && !parse_number(colon + 1, &own_port))
		die("not a port: %s", host);
	struct sockaddr_in *sin = (struct sockaddr_in *)(void *)ret;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)(void *)ret;
	bool v6 = strchr(addr, ':');
	*ret = (struct sockaddr_storage){ .ss_family = v6 ? AF_INET6 : AF_INET };
	sin->sin_port = htons((uint16_t)own_port); /* the same place in both */
	if (inet_pton(ret->ss_family, addr, v6 ? (void *)&sin6->sin6_addr : &sin->sin_addr) != 1)
		die("host %s is not an address", addr);
	free(addr);
	return v6 ? sizeof(*sin6) : sizeof(*sin);
}

static int listen_on(const char *host, uint16_t port, bool small, int backlog)
{
	struct sockaddr_storage ss;
	socklen_t len = host_place(host, port, &ss);
	int one = 1, tiny = 4096;
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (small)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny));
	if (fd < 0 || bind(fd, (struct sockaddr *)&ss, len) != 0 || listen(fd, backlog) != 0)
		die("cannot listen on %s, port %d: %s", host,
		    ntohs(((struct sockaddr_in *)(void *)&ss)->sin_port), strerror(errno));
	return fd;
}

/* With a backlog of 0 one connection fills the queue, and the kernel passes over every further SYN.
 */
static void host_plug(struct host *h, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = host_place(h->addr, port, &ss);
	for (int i = 0; i < 3; i++) {
		h->plug[i] = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (connect(h->plug[i], (struct sockaddr *)&ss, len) != 0 && errno != EINPROGRESS)
			die("cannot fill the queue of %s", h->addr);
	}
}

static bool wants(const struct script *s, enum act act)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->item[i].kind == ITEM_ACT && s->item[i].act == act)
			return true;
	}
	return false;
}

static void host_close(struct host *h)
{
	for (int k = 0; k < 3; k++) {
		if (h->plug[k] >= 0)
			close(h->plug[k]);
		h->plug[k] = -1;
	}
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
	loop_drop(h->watch);
	h->watch = NULL;
}

static struct host *host_get(struct mx *m, const char *addr)
{
	for (size_t i = 0; i < m->nhost; i++) {
		if (strcmp(m->host[i].addr, addr) == 0)
			return &m->host[i];
	}
	if (m->nhost == MX_HOSTS)
		die("too many hosts in %s", m->run->story->name);
	struct host *h = &m->host[m->nhost++];
	*h = (struct host){ .mx = m, .addr = addr, .fd = -1, .plug = { -1, -1, -1 } };
	return h;
}

static void host_open(struct host *h, const struct script *s)
{
	uint16_t port = h->mx->run->lab->names.port;
	bool unreachable = wants(s, ACT_UNREACHABLE);
	host_close(h);
	if (wants(s, ACT_REFUSE))
		return;
	h->fd = listen_on(s->addr, port, wants(s, ACT_DEAF) || wants(s, ACT_SLOW),
			  unreachable ? 0 : 64);
	if (unreachable)
		host_plug(h, port);
	else
		h->watch = loop_add(&h->mx->run->loop, h->fd, POLLIN, host_ready, h);
}

void mx_open(struct mx *m, struct run *run)
{
	m->run = run;
	m->nhost = m->nconn = 0;
	m->used = xalloc(run->story->nscript * sizeof(*m->used));
}

void mx_turn(struct mx *m, size_t turn)
{
	const struct story *story = m->run->story;
	for (size_t i = 0; i < story->nscript; i++) {
		const struct script *s = &story->script[i];
		struct host *h = s->turn == turn ? host_get(m, s->addr) : NULL;
		/* Its first line of this run decides; what listens for others goes on. */
		if (!h || h->opened == turn + 1 || (story->turn[turn].at_once && h->watch))
			continue;
		h->opened = turn + 1;
		host_open(h, s);
	}
}

void mx_hang_up(struct mx *m)
{
	for (size_t i = 0; i < m->nconn; i++)
		conn_end(&m->conn[i], false);
}

void conn_release(struct conn *c)
{
	conn_end(c, false);
	mxtls_free(c->tls);
	talk_free(&c->talk);
	scram_free(c->scram);
	bytes_free(&c->answer);
	bytes_free(&c->clear);
	bytes_free(&c->in);
	bytes_free(&c->out);
	bytes_free(&c->said);
}

void mx_close(struct mx *m)
{
	for (size_t i = 0; i < m->nconn; i++)
		conn_release(&m->conn[i]);
	for (size_t i = 0; i < m->nhost; i++)
		host_close(&m->host[i]);
	free(m->used);
}
