/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/client.h"

void client_init(struct client *c, int in, int out, struct io *io)
{
	c->in = in;
	c->out = out;
	c->io = io;
	c->gone = c->too_long = false;
	c->at = c->len = 0;
}

/* More octets behind those that are unread; LINE: there are some. */
static enum client_got fill(struct client *c, struct deadline until)
{
	if (c->at > 0) {
		memmove(c->buf, c->buf + c->at, c->len - c->at);
		c->len -= c->at;
		c->at = 0;
	}
	for (;;) {
		struct pollfd p = { .fd = c->in, .events = POLLIN };
		enum io_event event = io_poll(c->io, &p, 1, until);
		if (event != IO_READY)
			return event == IO_STOPPED ? CLIENT_STOPPED : CLIENT_TIMEOUT;
		ssize_t n = read(c->in, c->buf + c->len, sizeof(c->buf) - c->len);
		if (n > 0) {
			c->len += (size_t)n;
			return CLIENT_LINE;
		}
		if (n == 0 || (errno != EINTR && errno != EAGAIN))
			return CLIENT_EOF;
	}
}

enum client_got client_line(struct client *c, struct deadline until, struct span *ret)
{
	for (;;) {
		struct span rest = { c->buf + c->at, c->len - c->at };
		const char *lf = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;
		if (lf) {
			size_t n = (size_t)(lf - rest.p);
			bool too_long = c->too_long || n >= LMTP_LINE;
			c->at += n + 1;
			c->too_long = false;
			if (too_long)
				return CLIENT_TOO_LONG;
			*ret = (struct span){ rest.p, n > 0 && lf[-1] == '\r' ? n - 1 : n };
			return CLIENT_LINE;
		}
		if (rest.n >= LMTP_LINE) {
			c->too_long = true;
			c->at = c->len;
		}
		enum client_got got = fill(c, until);
		if (got != CLIENT_LINE)
			return got;
	}
}

enum client_got client_some(struct client *c, struct deadline until, struct span *ret)
{
	enum client_got got = c->at < c->len ? CLIENT_LINE : fill(c, until);
	if (got == CLIENT_LINE) {
		*ret = (struct span){ c->buf + c->at, c->len - c->at };
		c->at = c->len;
	}
	return got;
}

void client_unread(struct client *c, size_t n)
{
	c->at -= n;
}

static void wait_to_say(struct client *c, struct deadline until)
{
	struct pollfd p = { .fd = c->out, .events = POLLOUT };
	if (io_poll(c->io, &p, 1, until) != IO_READY)
		c->gone = true;
}

/* A socket is asked not to block. A pipe that others share keeps its flags, so a write may block:
 * poll() says when it does not, for as much as a pipe takes at once. */
static ssize_t say_some(struct client *c, struct span text, struct deadline until)
{
	ssize_t n = send(c->out, text.p, text.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0 || errno != ENOTSOCK)
		return n;
	wait_to_say(c, until);
	return c->gone ? -1 : write(c->out, text.p, text.n < PIPE_BUF ? text.n : PIPE_BUF);
}

void client_say(struct client *c, struct span text)
{
	struct io *io = c->io;
	struct deadline until = deadline_in(io_now(io), CLIENT_REPLY_MS);
	int stop_fd = io->stop_fd;
	bool stopped = io->stopped;
	io->stop_fd = -1; /* what was done is told, whoever wants us to stop */
	io->stopped = false;
	while (text.n > 0 && !c->gone) {
		ssize_t n = say_some(c, text, until);
		if (n > 0)
			text = (struct span){ text.p + n, text.n - (size_t)n };
		else if (n < 0 && errno == EAGAIN)
			wait_to_say(c, until);
		else if (n < 0 && errno != EINTR)
			c->gone = true;
	}
	io->stop_fd = stop_fd;
	io->stopped = stopped;
}

/* Data that waits unread, here or in the descriptor, was written by somebody who means it. */
static bool is_present(void *self, enum caller_when when, int64_t ms)
{
	const struct client *c = self;
	struct pollfd p[2] = {
		{ .fd = c->out, .events = 0 },
		{ .fd = c->in, .events = POLLIN | POLLRDHUP },
	};
	(void)when;
	(void)ms;
	int ready;
	do
		ready = poll(p, 2, 0);
	while (ready < 0 && errno == EINTR);
	if (c->gone || ready < 0 || (p[0].revents & (POLLERR | POLLNVAL | POLLHUP)))
		return false;
	bool closed = p[1].revents & (POLLERR | POLLNVAL | POLLHUP | POLLRDHUP);
	if (!closed || c->at < c->len)
		return true;
	if (!(p[1].revents & POLLIN))
		return false;
	char octet; /* of a pipe POLLIN says that there is data; a socket must be asked */
	ssize_t n = recv(c->in, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
	return n > 0 || (n < 0 && errno == ENOTSOCK);
}

struct caller client_caller(struct client *c)
{
	return (struct caller){ .present = is_present, .self = c };
}
