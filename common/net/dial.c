/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/stagger.h"
#include "net/dial.h"

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct race {
	const struct dial_ask *ask;
	struct stagger stagger;
	struct dial_result *result;
	int fd[LIMIT_ADDRS]; /* -1: not running */
	struct deadline until[LIMIT_ADDRS];
};

static socklen_t address_of(struct ip ip, uint16_t port, union address *ret)
{
	*ret = (union address){ 0 };
	if (ip.family == 4) {
		ret->in.sin_family = AF_INET;
		ret->in.sin_port = htons(port);
		memcpy(&ret->in.sin_addr, ip.b, 4);
		return sizeof(ret->in);
	}
	ret->in6.sin6_family = AF_INET6;
	ret->in6.sin6_port = htons(port);
	memcpy(&ret->in6.sin6_addr, ip.b, 16);
	return sizeof(ret->in6);
}

static struct ip local_ip(int fd)
{
	union address at = { 0 };
	socklen_t len = sizeof(at);
	struct ip ip = { 0 };
	if (getsockname(fd, &at.any, &len) != 0)
		return ip;
	if (at.any.sa_family == AF_INET) {
		ip.family = 4;
		memcpy(ip.b, &at.in.sin_addr, 4);
	} else if (at.any.sa_family == AF_INET6) {
		ip.family = 6;
		memcpy(ip.b, &at.in6.sin6_addr, 16);
	}
	return ip;
}

/* 0, or the errno. */
static int bind_source(int fd, struct ip source)
{
	static const int on = 1;
	union address from;
	socklen_t len = address_of(source, 0, &from);
	/* The port is chosen at connect(): bind() would need one that is free for every peer.
	 * Failing here only costs ports. */
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	return bind(fd, &from.any, len) == 0 ? 0 : errno;
}

/* A connect on its way in *ret_fd; 0, or the errno. */
static int start_connect(const struct dial_ask *ask, struct endpoint to, int *ret_fd)
{
	static const int on = 1;
	struct ip source = to.ip.family == 4 ? ask->source4 : ask->source6;
	union address at;
	socklen_t len = address_of(to.ip, to.port, &at);
	int why = 0;
	int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (source.family != 0)
		why = bind_source(fd, source);
	if (why == 0 && connect(fd, &at.any, len) != 0 && errno != EINPROGRESS)
		why = errno;
	if (why != 0) {
		close(fd);
		return why;
	}
	*ret_fd = fd;
	return 0;
}

static void lost(struct race *r, size_t i, int why)
{
	if (r->fd[i] >= 0)
		close(r->fd[i]);
	r->fd[i] = -1;
	r->result->why[i] = why;
	stagger_failed(&r->stagger, i);
}

static void start(struct race *r, size_t i, struct instant now)
{
	int why = start_connect(r->ask, r->ask->to[i], &r->fd[i]);
	r->until[i] = deadline_in(now, r->ask->each_ms);
	if (why != 0)
		lost(r, i, why);
}

/* Look at what poll() found. True: somebody has won. */
static bool look(struct race *r, const struct pollfd *fds, const size_t *index, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		int why = 0;
		socklen_t len = sizeof(why);
		if (!fds[k].revents)
			continue;
		if (getsockopt(fds[k].fd, SOL_SOCKET, SO_ERROR, &why, &len) != 0)
			why = errno;
		if (why != 0) {
			lost(r, index[k], why);
			continue;
		}
		r->result->fd = fds[k].fd;
		r->result->winner = index[k];
		r->result->local = local_ip(fds[k].fd);
		r->fd[index[k]] = -1;
		return true;
	}
	return false;
}

/* Wait for those that run. IO_READY: *ret_won tells whether one has won. */
static enum io_event wait_some(struct race *r, struct io *io, struct deadline until, bool *ret_won)
{
	struct pollfd fds[LIMIT_ADDRS];
	size_t index[LIMIT_ADDRS], n = 0;
	for (size_t i = 0; i < r->ask->n; i++) {
		if (r->fd[i] < 0)
			continue;
		until = deadline_min(until, r->until[i]);
		fds[n] = (struct pollfd){ .fd = r->fd[i], .events = POLLOUT };
		index[n++] = i;
	}
	enum io_event event = io_poll(io, fds, n, until);
	*ret_won = event == IO_READY && look(r, fds, index, n);
	return event;
}

static void expire(struct race *r, struct deadline until, struct instant now)
{
	for (size_t i = 0; i < r->ask->n; i++)
		if (r->fd[i] >= 0 && deadline_left_ms(deadline_min(until, r->until[i]), now) == 0)
			lost(r, i, ETIMEDOUT);
}

static bool run(struct race *r, struct io *io, struct deadline until, struct error *err)
{
	for (;;) {
		struct deadline next;
		size_t i;
		bool won;
		switch (stagger_next(&r->stagger, io_now(io), &i, &next)) {
		case STAGGER_START:
			start(r, i, io_now(io));
			continue;
		case STAGGER_LOST:
			return err_set(err, ERR_TEMP, ESC(4, 4, 1), "%s",
				       strerror(r->result->why[0]));
		case STAGGER_WAIT:
			break;
		}
		enum io_event event = wait_some(r, io, deadline_min(until, next), &won);
		if (event == IO_STOPPED)
			return io_fail(event, err);
		if (won)
			return true;
		struct instant now = io_now(io);
		expire(r, until, now);
		if (deadline_left_ms(until, now) == 0)
			return err_set(err, ERR_TEMP, ESC(4, 4, 1), "%s",
				       strerror(r->result->why[0]));
	}
}

bool dial_race(struct io *io, const struct dial_ask *ask, struct deadline until,
	       struct dial_result *ret, struct error *err)
{
	struct race r = { .ask = ask, .result = ret };
	*ret = (struct dial_result){ .fd = -1 };
	if (ask->n == 0 || ask->n > LIMIT_ADDRS)
		return BUG(err, "dial_race() without addresses, or with too many");
	for (size_t i = 0; i < LIMIT_ADDRS; i++)
		r.fd[i] = -1;
	stagger_init(&r.stagger, ask->n, ask->gap_ms);
	bool ok = run(&r, io, until, err);
	for (size_t i = 0; i < ask->n; i++)
		if (r.fd[i] >= 0)
			close(r.fd[i]);
	return ok;
}
