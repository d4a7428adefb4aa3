/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/stream.h"

#define IN_SIZE 8192 /* unread bytes: several replies */
#define OUT_SIZE                                                                                   \
	(64 * 1024) /* queued bytes: a burst of commands, or many small pieces of a body           \
		     */
#define DIRECT 4096 /* from here on a copy into the queue costs more than a system call */

struct stream {
	int fd;
	struct io *io;
	int broken; /* errno that ended the connection, PEER_CLOSED, or 0 */
	size_t in_at, in_len, out_len;
	char in[IN_SIZE], out[OUT_SIZE];
};

#define PEER_CLOSED (-1)

/* What moving bytes can come to besides a count. */
#define WOULD_BLOCK (-1)
#define BROKEN      (-2)

/*
 * The two functions that touch the bytes of the connection: a count, WOULD_BLOCK or BROKEN. A layer
 * between the socket and us belongs here.
 */
static ssize_t bytes_read(struct stream *s, char *p, size_t n)
{
	ssize_t got;
	do
		got = recv(s->fd, p, n, 0);
	while (got < 0 && errno == EINTR);
	if (got > 0)
		return got;
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return WOULD_BLOCK;
	s->broken = got == 0 ? PEER_CLOSED : errno;
	return BROKEN;
}

static ssize_t bytes_write(struct stream *s, const char *p, size_t n)
{
	ssize_t sent;
	do
		sent = send(s->fd, p, n, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return sent;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return WOULD_BLOCK;
	s->broken = errno;
	return BROKEN;
}

bool stream_open(int fd, struct io *io, struct stream **ret, struct error *err)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
		err_set(err, ERR_INTERNAL, ESC(4, 3, 0), "stream: %s", strerror(errno));
		close(fd);
		return false;
	}
	struct stream *s = malloc(sizeof(*s));
	if (!s) {
		close(fd);
		return err_nomem(err);
	}
	s->fd = fd;
	s->io = io;
	s->broken = 0;
	s->in_at = s->in_len = s->out_len = 0;
	*ret = s;
	return true;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	close(s->fd);
	free(s);
}

static bool fail_broken(const struct stream *s, struct error *err)
{
	bool lost = s->broken == PEER_CLOSED || s->broken == EPIPE || s->broken == ECONNRESET;
	return err_set(err, ERR_TEMP, ESC(4, 4, 2), "%s",
		       lost ? "lost connection" : strerror(s->broken));
}

/* Read what is there, as far as there is room. False: broken. */
static bool fill(struct stream *s)
{
	if (s->in_at > 0) {
		memmove(s->in, s->in + s->in_at, s->in_len);
		s->in_at = 0;
	}
	if (s->in_len == IN_SIZE)
		return true;
	ssize_t got = bytes_read(s, s->in + s->in_len, IN_SIZE - s->in_len);
	if (got > 0)
		s->in_len += (size_t)got;
	return got != BROKEN;
}

/* Wait until more can be sent, and take in what comes meanwhile. */
static bool wait_to_send(struct stream *s, struct deadline until, struct error *err)
{
	for (;;) {
		struct pollfd fd = { .fd = s->fd, .events = POLLOUT | POLLIN };
		if (s->in_len == IN_SIZE)
			return err_set(err, ERR_TEMP, ESC(4, 5, 0),
				       "the server sends more than it was asked for");
		enum io_event event = io_poll(s->io, &fd, 1, until);
		if (event != IO_READY)
			return io_fail(event, err);
		if ((fd.revents & ~POLLOUT) && !fill(s))
			return fail_broken(s, err);
		if (fd.revents & POLLOUT)
			return true;
	}
}

/* What the server said before it left is worth reading: it may say why. */
static void last_words(struct stream *s)
{
	int why = s->broken;
	size_t before;
	do
		before = s->in_len;
	while (fill(s) && s->in_len > before);
	s->broken = why;
}

/* Send all of *rest; what is left of it after a failure is still to be sent. */
static bool send_all(struct stream *s, struct span *rest, struct deadline until, struct error *err)
{
	while (!s->broken && rest->n > 0) {
		ssize_t sent = bytes_write(s, rest->p, rest->n);
		if (sent >= 0) {
			rest->p += sent;
			rest->n -= (size_t)sent;
		} else if (sent == BROKEN) {
			last_words(s);
		} else if (!wait_to_send(s, until, err)) {
			return false;
		}
	}
	return !s->broken || fail_broken(s, err);
}

bool stream_flush(struct stream *s, struct deadline until, struct error *err)
{
	struct span rest = { s->out, s->out_len };
	bool ok = send_all(s, &rest, until, err);
	memmove(s->out, rest.p, rest.n);
	s->out_len = rest.n;
	return ok;
}

void stream_flush_now(struct stream *s)
{
	struct span rest = { s->out, s->out_len };
	ssize_t sent = 0;
	while (!s->broken && rest.n > 0 && sent >= 0) {
		sent = bytes_write(s, rest.p, rest.n);
		if (sent > 0) {
			rest.p += sent;
			rest.n -= (size_t)sent;
		}
	}
	s->out_len = 0;
}

bool stream_write(struct stream *s, struct span bytes, struct deadline until, struct error *err)
{
	if (bytes.n > OUT_SIZE - s->out_len && !stream_flush(s, until, err))
		return false;
	if (s->broken)
		return fail_broken(s, err);
	if (s->out_len == 0 && bytes.n >= DIRECT)
		return send_all(s, &bytes, until, err);
	if (bytes.n > 0)
		memcpy(s->out + s->out_len, bytes.p, bytes.n);
	s->out_len += bytes.n;
	return true;
}

bool stream_peek(struct stream *s, struct deadline until, struct span *ret, struct error *err)
{
	struct error why;
	bool flushed = stream_flush(s, until, &why);
	if (!flushed && !(s->broken && s->in_len > 0)) {
		*err = why;
		return false;
	}
	while (s->in_len == 0) {
		struct pollfd fd = { .fd = s->fd, .events = POLLIN };
		enum io_event event = io_poll(s->io, &fd, 1, until);
		if (event != IO_READY)
			return io_fail(event, err);
		if (!fill(s))
			return fail_broken(s, err);
	}
	*ret = (struct span){ s->in + s->in_at, s->in_len };
	return true;
}

void stream_eat(struct stream *s, size_t n)
{
	assert(n <= s->in_len);
	s->in_at += n;
	s->in_len -= n;
}

bool stream_pending(struct stream *s)
{
	char byte;
	if (s->in_len > 0 || s->broken)
		return true;
	return recv(s->fd, &byte, 1, MSG_PEEK) >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}
