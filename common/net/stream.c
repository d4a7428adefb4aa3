/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/stream.h"

#define IN_SIZE 8192 /* unread bytes: several replies */
#define OUT_SIZE                                                                                   \
	(64 * 1024)        /* queued bytes: a burst of commands, or many small pieces of a body    \
			    */
#define DIRECT (16 * 1024) /* from here on a copy into the queue costs more than a system call */

struct stream {
	int fd;
	struct io *io;
	const struct secure_ops *ops;  /* with `secure` */
	struct secure_session *secure; /* NULL: plain */
	short read_waits, write_waits; /* the poll(2) event that the next one waits for */
	int broken; /* errno that ended the connection, one of those below, or 0 */
	size_t in_at, in_len, out_len;
	char in[IN_SIZE], out[OUT_SIZE];
};

#define PEER_CLOSED   (-1)
#define SECURE_BROKEN (-2) /* what comes is garbled, or the secure layer never came about */

/* What moving bytes can come to besides a count. */
#define WOULD_BLOCK (-1)
#define BROKEN      (-2)

/* A step of the secure layer that moved no bytes. *ret_waits: what the next one waits for. */
static ssize_t secure_stop(struct stream *s, enum secure_io io, short *ret_waits)
{
	switch (io) {
	case SECURE_WANT_READ:
		*ret_waits = POLLIN;
		return WOULD_BLOCK;
	case SECURE_WANT_WRITE:
		*ret_waits = POLLOUT;
		return WOULD_BLOCK;
	case SECURE_CLOSED:
		s->broken = PEER_CLOSED;
		return BROKEN;
	case SECURE_DONE:
	case SECURE_FAILED:
		break;
	}
	s->broken = SECURE_BROKEN;
	return BROKEN;
}

static ssize_t secure_read(struct stream *s, char *p, size_t n)
{
	size_t got = 0;
	enum secure_io io = s->ops->read(s->secure, p, n, &got);
	s->read_waits = POLLIN;
	return io == SECURE_DONE ? (ssize_t)got : secure_stop(s, io, &s->read_waits);
}

static ssize_t secure_write(struct stream *s, const char *p, size_t n)
{
	size_t sent = 0;
	enum secure_io io = s->ops->write(s->secure, (struct span){ p, n }, &sent);
	s->write_waits = POLLOUT;
	return io == SECURE_DONE ? (ssize_t)sent : secure_stop(s, io, &s->write_waits);
}

/* The two functions that touch the bytes of the connection: a count, WOULD_BLOCK or BROKEN. */
static ssize_t bytes_read(struct stream *s, char *p, size_t n)
{
	ssize_t got;
	if (s->secure)
		return secure_read(s, p, n);
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
	if (s->secure)
		return secure_write(s, p, n);
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
	s->ops = NULL;
	s->secure = NULL;
	s->read_waits = POLLIN;
	s->write_waits = POLLOUT;
	s->broken = 0;
	s->in_at = s->in_len = s->out_len = 0;
	*ret = s;
	return true;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	if (s->secure)
		s->ops->close(s->secure);
	close(s->fd);
	free(s);
}

static bool fail_broken(const struct stream *s, struct error *err)
{
	const char *why = "lost connection";
	if (s->broken == SECURE_BROKEN)
		why = "the TLS connection is broken";
	else if (s->broken != PEER_CLOSED && s->broken != EPIPE && s->broken != ECONNRESET)
		why = strerror(s->broken);
	return err_set(err, ERR_TEMP, ESC(4, 4, 2), "%s", why);
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

/* Has the secure layer bytes for us that poll(2) does not know of? */
static bool has_decrypted(const struct stream *s)
{
	return s->secure && s->ops->pending(s->secure);
}

/* Wait for one of the events. An error or a hangup is both: any step will find it. */
static bool wait_for(struct stream *s, int events, struct deadline until, int *ret_seen,
		     struct error *err)
{
	struct pollfd fd = { .fd = s->fd, .events = (short)events };
	enum io_event event = io_poll(s->io, &fd, 1, until);
	if (event != IO_READY)
		return io_fail(event, err);
	*ret_seen = fd.revents & ~(POLLIN | POLLOUT) ? POLLIN | POLLOUT : fd.revents;
	return true;
}

static bool is_late(const struct stream *s, struct deadline until)
{
	return deadline_left_ms(until, io_now(s->io)) == 0;
}

/* Wait until more can be sent, and take in what comes meanwhile. */
static bool wait_to_send(struct stream *s, struct deadline until, struct error *err)
{
	for (;;) {
		bool late = is_late(s, until);
		int seen = s->read_waits;
		if (s->in_len == IN_SIZE)
			return err_set(err, ERR_TEMP, ESC(4, 5, 0),
				       "the server sends more than it was asked for");
		if (!has_decrypted(s) &&
		    !wait_for(s, s->read_waits | s->write_waits, until, &seen, err))
			return false;
		if ((seen & s->read_waits) && !fill(s))
			return fail_broken(s, err);
		if (seen & s->write_waits)
			return true;
		if (late)
			return io_fail(IO_TIMEOUT, err);
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
		bool late = is_late(s, until);
		int seen;
		if (!has_decrypted(s) && !wait_for(s, s->read_waits, until, &seen, err))
			return false;
		if (!fill(s))
			return fail_broken(s, err);
		/* What came may be less than a record, and so on for ever. */
		if (s->in_len == 0 && late)
			return io_fail(IO_TIMEOUT, err);
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
	/* The socket may hold what is not for us, such as a session ticket. */
	if (s->secure)
		return !fill(s) || s->in_len > 0;
	return recv(s->fd, &byte, 1, MSG_PEEK) >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

/* RFC 3207 section 4.1: what was said before must not count as said under protection. */
static bool nothing_unread(struct stream *s, struct error *err)
{
	if (!stream_pending(s))
		return true;
	if (!fill(s) && s->in_len == 0)
		return fail_broken(s, err);
	s->in_len = 0;
	return err_set(err, ERR_TEMP, ESC(4, 5, 0),
		       "the server sent something in plain before the TLS handshake");
}

static bool handshake(struct stream *s, struct deadline until, struct secure_facts *ret,
		      struct error *err)
{
	for (;;) {
		bool late = is_late(s, until);
		short waits;
		int seen;
		enum secure_io io = s->ops->handshake(s->secure, ret, err);
		if (io == SECURE_DONE)
			return true;
		if (secure_stop(s, io, &waits) == BROKEN)
			return false;
		ret->trouble = SECURE_HANDSHAKE;
		if (late)
			return io_fail(IO_TIMEOUT, err);
		if (!wait_for(s, waits, until, &seen, err)) {
			ret->trouble = s->io->stopped ? SECURE_LOCAL : SECURE_HANDSHAKE;
			return false;
		}
	}
}

static bool set_up(struct stream *s, const struct secure_ask *ask, struct deadline until,
		   struct secure_facts *ret, struct error *err)
{
	ret->trouble = SECURE_HANDSHAKE;
	if (!stream_flush(s, until, err) || !nothing_unread(s, err))
		return false;
	ret->trouble = SECURE_LOCAL;
	return s->ops->open(s->fd, ask, &s->secure, err) && handshake(s, until, ret, err);
}

bool stream_secure(struct stream *s, const struct secure_ops *ops, const struct secure_ask *ask,
		   struct deadline until, struct secure_facts *ret, struct error *err)
{
	*ret = (struct secure_facts){ .trouble = SECURE_LOCAL };
	if (s->secure)
		return BUG(err, "a second secure layer");
	s->ops = ops;
	if (set_up(s, ask, until, ret, err))
		return true;
	/* Nothing goes over it in plain any more. */
	if (!s->broken)
		s->broken = SECURE_BROKEN;
	return false;
}
