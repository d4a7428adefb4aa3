/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "net/stream.h"

#define BIG (2 * 1024 * 1024)

static int64_t hand;
static int stop[2];
static struct io io;
static struct error err;

static int64_t tick; /* by which each look at the clock moves it */

static struct instant hand_now(void *ctx)
{
	(void)ctx;
	hand += tick;
	return (struct instant){ hand };
}

/* For what must happen, and for what must not. */
static const struct deadline far_off = { { INT64_MAX } }, passed = { { 0 } };

static void io_open(void)
{
	if (pipe(stop) != 0)
		abort();
	io = (struct io){ .clock = { .now = hand_now }, .stop_fd = stop[0] };
	err = (struct error){ 0 };
}

/*
 * A secure layer that changes no byte, takes them in pieces of its own and keeps some back that
 * poll(2) does not show.
 */
struct secure_session {
	int fd;
	char held[100];
	size_t at, n;
};

static struct {
	bool refuse; /* open fails */
	const enum secure_io
		*steps; /* of the handshake, DONE, FAILED or CLOSED at the end; NULL: DONE */
	size_t step;    /* the next one; stays at the last */
	bool write_waits_to_read; /* until something was read */
	int read_waits_to_write;  /* so many times */
	bool garble;              /* what is read or written is a failure */
	int speaker;              /* where `says` bytes are said once the layer is open */
	size_t says;
	int opened, closed;
} layer;

static bool layer_open(int fd, const struct secure_ask *ask, struct secure_session **ret,
		       struct error *ret_err)
{
	if (layer.refuse)
		return err_set(ret_err, ERR_CONFIG, ESC(4, 3, 5), "layer: %s", ask->priority);
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		abort();
	(*ret)->fd = fd;
	layer.opened++;
	if (layer.says > 0 && send(layer.speaker, (char[200]){ 0 }, layer.says, 0) < 0)
		abort();
	return true;
}

static enum secure_io layer_handshake(struct secure_session *s, struct secure_facts *ret,
				      struct error *ret_err)
{
	char byte;
	enum secure_io step = layer.steps ? layer.steps[layer.step] : SECURE_DONE;
	if (step == SECURE_WANT_WRITE)
		layer.step++;
	else if (step == SECURE_WANT_READ && recv(s->fd, &byte, 1, 0) == 1)
		step = layer.steps[++layer.step];
	*ret = (struct secure_facts){ .trouble = SECURE_FINE, .protocol = "LAYER" };
	if (step == SECURE_FAILED) {
		ret->trouble = SECURE_WRONG_NAME;
		err_set(ret_err, ERR_TEMP, ESC(4, 7, 5), "not you");
	} else if (step == SECURE_CLOSED) {
		ret->trouble = SECURE_HANDSHAKE;
		err_set(ret_err, ERR_TEMP, ESC(4, 4, 2), "lost connection");
	}
	return step;
}

static enum secure_io layer_read(struct secure_session *s, char *p, size_t n, size_t *ret_n)
{
	if (layer.garble)
		return SECURE_FAILED;
	if (layer.read_waits_to_write > 0) {
		layer.read_waits_to_write--;
		return SECURE_WANT_WRITE;
	}
	if (s->at == s->n) {
		ssize_t got = recv(s->fd, s->held, sizeof(s->held), 0);
		if (got < 0 && errno == EAGAIN)
			return SECURE_WANT_READ;
		if (got <= 0)
			return SECURE_CLOSED;
		s->at = 0;
		s->n = (size_t)got;
	}
	n = n < s->n - s->at ? n : s->n - s->at;
	n = n < 70 ? n : 70;
	memcpy(p, s->held + s->at, n);
	s->at += n;
	layer.write_waits_to_read = false;
	*ret_n = n;
	return SECURE_DONE;
}

static enum secure_io layer_write(struct secure_session *s, struct span bytes, size_t *ret_n)
{
	if (layer.garble)
		return SECURE_FAILED;
	if (layer.write_waits_to_read)
		return SECURE_WANT_READ;
	ssize_t sent = send(s->fd, bytes.p, bytes.n < 1000 ? bytes.n : 1000, MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EAGAIN ? SECURE_WANT_WRITE : SECURE_CLOSED;
	*ret_n = (size_t)sent;
	return SECURE_DONE;
}

static bool layer_pending(const struct secure_session *s)
{
	return s->at < s->n;
}

static void layer_close(struct secure_session *s)
{
	CHECK("the descriptor is still open", fcntl(s->fd, F_GETFL) >= 0);
	layer.closed++;
	free(s);
}

static const struct secure_ops layer_ops = {
	.version = SECURE_VERSION,
	.open = layer_open,
	.handshake = layer_handshake,
	.read = layer_read,
	.write = layer_write,
	.pending = layer_pending,
	.close = layer_close,
};
static const struct secure_ask ask = { .priority = "nothing" };
static struct secure_facts facts;
static bool layered; /* every stream gets it */

static struct stream *stream_on(int fd)
{
	struct stream *s = NULL;
	io_open();
	if (!stream_open(fd, &io, &s, &err))
		abort();
	if (layered && !stream_secure(s, &layer_ops, &ask, far_off, &facts, &err))
		abort();
	return s;
}

static struct stream *open_pair(int *ret_peer)
{
	int fd[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
		abort();
	*ret_peer = fd[1];
	return stream_on(fd[0]);
}

static struct stream *open_tcp(int *ret_peer)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&at, len) != 0 || listen(listener, 1) != 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &len) != 0 ||
	    connect(fd, (struct sockaddr *)&at, len) != 0)
		abort();
	*ret_peer = accept(listener, NULL, NULL);
	close(listener);
	return stream_on(fd);
}

static void done(struct stream *s, int peer)
{
	stream_close(s);
	if (peer >= 0)
		close(peer);
	close(stop[0]);
	close(stop[1]);
}

static void say(int peer, const char *text)
{
	if (send(peer, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
		abort();
}

static bool failed(enum err_class class, int subject, int detail, const char *text)
{
	return err.class == class && err.code.subject == subject && err.code.detail == detail &&
	       strcmp(err.text, text) == 0;
}

/* What the peer can read now, without waiting. */
static struct span heard(int peer)
{
	static char text[256];
	ssize_t n = recv(peer, text, sizeof(text), MSG_DONTWAIT);
	return (struct span){ text, n > 0 ? (size_t)n : 0 };
}

static void peek_and_eat(void)
{
	int peer;
	struct span got;
	struct stream *s = open_pair(&peer);
	say(peer, "220 hello\r\n250");
	CHECK("peek", stream_peek(s, far_off, &got, &err));
	CHECK("peek", span_equal(got, SPAN("220 hello\r\n250")));
	CHECK("again", stream_peek(s, passed, &got, &err) && got.n == 14);
	stream_eat(s, 11);
	CHECK("rest", stream_peek(s, passed, &got, &err) && span_equal(got, SPAN("250")));
	say(peer, " ok\r\n");
	stream_eat(s, 3);
	CHECK("more", stream_peek(s, far_off, &got, &err) && span_equal(got, SPAN(" ok\r\n")));
	stream_eat(s, 5);
	CHECK("nothing", !stream_peek(s, passed, &got, &err));
	CHECK("nothing", failed(ERR_TEMP, 4, 2, "timed out"));
	CHECK("untouched", got.n == 5);
	done(s, peer);
}

/* A reader who eats little by little sees the bytes in order, past the size of the buffer. */
static void peek_much(void)
{
	int peer;
	struct stream *s = open_pair(&peer);
	char out[5000];
	unsigned char next = 0, want = 0;
	size_t total = 0;
	for (int round = 0; round < 10; round++) {
		struct span got = { 0 };
		for (size_t i = 0; i < sizeof(out); i++)
			out[i] = (char)next++;
		if (send(peer, out, sizeof(out), 0) != (ssize_t)sizeof(out))
			abort();
		for (size_t left = sizeof(out) - (round < 9 ? 100 : 0); left > 0;) {
			CHECK("peek", stream_peek(s, far_off, &got, &err));
			size_t n = got.n < 777 ? got.n : 777;
			n = n < left ? n : left;
			for (size_t i = 0; i < n; i++)
				if ((unsigned char)got.p[i] != want++)
					total += 1u << 30;
			stream_eat(s, n);
			left -= n;
			total += n;
		}
	}
	CHECK("all but what was left each time", total == 10 * sizeof(out) - 900);
	done(s, peer);
}

static void queue(void)
{
	int peer;
	struct span got;
	struct stream *s = open_pair(&peer);
	CHECK("queued", stream_write(s, SPAN("MAIL\r\n"), passed, &err));
	CHECK("queued", stream_write(s, SPAN("RCPT\r\n"), passed, &err));
	CHECK("empty", stream_write(s, (struct span){ 0 }, passed, &err));
	CHECK("not sent", heard(peer).n == 0);
	CHECK("flush", stream_flush(s, passed, &err));
	CHECK("sent", span_equal(heard(peer), SPAN("MAIL\r\nRCPT\r\n")));
	CHECK("flush of nothing", stream_flush(s, passed, &err) && heard(peer).n == 0);
	CHECK("queued", stream_write(s, SPAN("DATA\r\n"), passed, &err));
	say(peer, "250\r\n");
	CHECK("peek", stream_peek(s, far_off, &got, &err) && got.n == 5);
	CHECK("peek sends", span_equal(heard(peer), SPAN("DATA\r\n")));
	CHECK("queued", stream_write(s, SPAN("QUIT\r\n"), passed, &err));
	stream_flush_now(s);
	CHECK("flush now", span_equal(heard(peer), SPAN("QUIT\r\n")));
	CHECK("no failure", err.class == ERR_NONE);
	done(s, peer);
}

struct reader {
	int fd;
	size_t talk; /* bytes to send before reading anything */
	size_t n;    /* read */
	bool in_order;
};

static void *read_all(void *ctx)
{
	static const char noise[16384];
	struct reader *r = ctx;
	char in[65536];
	ssize_t n;
	for (size_t sent = 0; sent < r->talk; sent += (size_t)n) {
		n = send(r->fd, noise, r->talk - sent, MSG_NOSIGNAL);
		if (n <= 0)
			return NULL;
	}
	r->in_order = true;
	while ((n = recv(r->fd, in, sizeof(in), 0)) > 0) {
		for (size_t i = 0; i < (size_t)n; i++)
			r->in_order = r->in_order && (unsigned char)in[i] == (r->n + i) % 251;
		r->n += (size_t)n;
	}
	return NULL;
}

/* The byte at offset i of the test's body is i % 251. */
static char *body(void)
{
	char *p = malloc(BIG);
	if (!p)
		abort();
	for (size_t i = 0; i < BIG; i++)
		p[i] = (char)(i % 251);
	return p;
}

/* In pieces of changing size, small ones and such as exceed the queue. */
static void write_pieces(void)
{
	static const size_t pieces[] = {
		1, 100, 4095, 4096, 60000, 65536, 70000, 3, 65535, 300000
	};
	int peer;
	struct stream *s = open_pair(&peer);
	struct reader r = { .fd = peer };
	pthread_t thread;
	char *bytes = body();
	if (pthread_create(&thread, NULL, read_all, &r) != 0)
		abort();
	for (size_t at = 0, i = 0, n; at < BIG; at += n, i++) {
		n = pieces[i % (sizeof(pieces) / sizeof(pieces[0]))];
		n = n < BIG - at ? n : BIG - at;
		CHECK("write", stream_write(s, (struct span){ bytes + at, n }, far_off, &err));
	}
	CHECK("flush", stream_flush(s, far_off, &err));
	stream_close(s);
	pthread_join(thread, NULL);
	CHECK("all there", r.n == BIG && r.in_order);
	free(bytes);
	done(NULL, peer);
}

static void small_buffers(int peer)
{
	int size = 1;
	setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* The server does not read before it has said its part, which does not fit its socket buffer. */
static void talk_while_we_send(void)
{
	int peer;
	struct span got = { 0 };
	size_t talked = 0;
	struct stream *s = open_pair(&peer);
	struct reader r = { .fd = peer, .talk = 8000 };
	pthread_t thread;
	char *bytes = body();
	small_buffers(peer);
	if (pthread_create(&thread, NULL, read_all, &r) != 0)
		abort();
	CHECK("write", stream_write(s, (struct span){ bytes, BIG }, far_off, &err));
	while (talked < 8000 && stream_peek(s, far_off, &got, &err)) {
		talked += got.n;
		stream_eat(s, got.n);
	}
	CHECK("it was taken in", talked == 8000);
	stream_close(s);
	pthread_join(thread, NULL);
	CHECK("all there", r.n == BIG && r.in_order);
	free(bytes);
	done(NULL, peer);
}

/* The server talks on and on and reads nothing. */
static void flood(void)
{
	int peer;
	struct span got = { 0 };
	struct stream *s = open_pair(&peer);
	char *bytes = body(), noise[10000] = { 0 };
	if (send(peer, noise, sizeof(noise), 0) != (ssize_t)sizeof(noise))
		abort();
	CHECK("write", !stream_write(s, (struct span){ bytes, BIG }, far_off, &err));
	CHECK("write", failed(ERR_TEMP, 5, 0, "the server sends more than it was asked for"));
	CHECK("peek", stream_peek(s, far_off, &got, &err) && got.n == 8192);
	free(bytes);
	done(s, peer);
}

/* Put as much into the socket as it takes. */
static size_t stuff(int fd)
{
	static const char fill[65536];
	size_t n = 0;
	for (ssize_t sent; (sent = send(fd, fill, sizeof(fill), MSG_DONTWAIT)) > 0;)
		n += (size_t)sent;
	return n;
}

static void blocked(void)
{
	int peer, fd[2];
	struct span got = { 0 };
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
		abort();
	peer = fd[1];
	struct stream *s = stream_on(fd[0]);
	size_t stuffed = stuff(fd[0]);
	CHECK("queued", stream_write(s, SPAN("QUIT\r\n"), passed, &err));
	CHECK("flush", !stream_flush(s, passed, &err));
	CHECK("flush", failed(ERR_TEMP, 4, 2, "timed out"));
	say(peer, "250\r\n");
	CHECK("peek sends first", !stream_peek(s, passed, &got, &err));
	CHECK("big write",
	      !stream_write(s, (struct span){ (char[70000]){ 0 }, 70000 }, passed, &err));
	CHECK("big write", failed(ERR_TEMP, 4, 2, "timed out"));
	for (ssize_t n; stuffed > 0; stuffed -= (size_t)n) {
		static char sink[65536];
		n = recv(peer, sink, stuffed < sizeof(sink) ? stuffed : sizeof(sink), 0);
		if (n <= 0)
			abort();
	}
	CHECK("later", stream_flush(s, passed, &err));
	CHECK("once", span_equal(heard(peer), SPAN("QUIT\r\n")));

	stuff(fd[0]);
	CHECK("queued", stream_write(s, SPAN("QUIT\r\n"), passed, &err));
	stream_flush_now(s);
	CHECK("forgotten", stream_flush(s, passed, &err));
	done(s, peer);
}

static void closed(void)
{
	int peer;
	struct span got = { 0 };
	struct stream *s = open_pair(&peer);
	CHECK("idle", !stream_pending(s));
	say(peer, "421 bye\r\n");
	close(peer);
	CHECK("bytes first", stream_peek(s, far_off, &got, &err));
	CHECK("bytes first", span_equal(got, SPAN("421 bye\r\n")));
	stream_eat(s, got.n);
	CHECK("pending: the end", stream_pending(s));
	CHECK("then the end", !stream_peek(s, far_off, &got, &err));
	CHECK("then the end", failed(ERR_TEMP, 4, 2, "lost connection"));
	err = (struct error){ 0 };
	CHECK("write", !stream_write(s, SPAN("x"), far_off, &err));
	CHECK("write", failed(ERR_TEMP, 4, 2, "lost connection"));
	CHECK("pending", stream_pending(s));
	stream_flush_now(s);
	done(s, -1);
}

/* A server that says why and goes away while we send, with our bytes unread: a reset. */
static void last_words(void)
{
	int peer;
	struct span got = { 0 };
	struct stream *s = open_tcp(&peer);
	char *bytes = body();
	CHECK("early", stream_write(s, (struct span){ bytes, 5000 }, far_off, &err));
	say(peer, "554 go away\r\n");
	close(peer);
	CHECK("write", !stream_write(s, (struct span){ bytes, BIG }, far_off, &err));
	CHECK("write", failed(ERR_TEMP, 4, 2, "lost connection"));
	CHECK("peek", stream_peek(s, far_off, &got, &err));
	CHECK("peek", span_equal(got, SPAN("554 go away\r\n")));
	stream_eat(s, got.n);
	CHECK("no more", !stream_peek(s, far_off, &got, &err));
	free(bytes);
	done(s, -1);
}

static void stopped(void)
{
	int peer;
	struct span got = { 0 };
	struct stream *s = open_pair(&peer);
	if (write(stop[1], "x", 1) != 1)
		abort();
	CHECK("peek", !stream_peek(s, far_off, &got, &err));
	CHECK("peek", failed(ERR_TEMP, 3, 2, "stopped before it was done"));
	CHECK("write",
	      !stream_write(s, (struct span){ (char[BIG / 2]){ 0 }, BIG / 2 }, far_off, &err));
	CHECK("write", failed(ERR_TEMP, 3, 2, "stopped before it was done"));
	done(s, peer);
}

static void pending(void)
{
	int peer;
	struct span got = { 0 };
	struct stream *s = open_pair(&peer);
	CHECK("nothing", !stream_pending(s));
	say(peer, "22");
	CHECK("in the socket", stream_pending(s));
	CHECK("not taken", stream_peek(s, far_off, &got, &err) && got.n == 2);
	stream_eat(s, 1);
	CHECK("in the buffer", stream_pending(s));
	stream_eat(s, 1);
	CHECK("nothing", !stream_pending(s));
	done(s, peer);
}

static void opening(void)
{
	int fd[2];
	struct stream *s = (struct stream *)&fd;
	io_open();
	CHECK("bad descriptor", !stream_open(-1, &io, &s, &err) && err.class == ERR_INTERNAL);
	CHECK("untouched", s == (struct stream *)&fd);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
		abort();
	CHECK("open", stream_open(fd[0], &io, &s, &err));
	CHECK("non-blocking", fcntl(fd[0], F_GETFL) & O_NONBLOCK);
	stream_close(s);
	CHECK("closed", fcntl(fd[0], F_GETFL) == -1);
	stream_close(NULL);
	done(NULL, fd[1]);
}

/* Over a secure layer all of this is as it is without. */
static void over_a_layer(void)
{
	static void (*const tests[])(void) = { peek_and_eat,       peek_much, queue,   write_pieces,
					       talk_while_we_send, flood,     blocked, closed,
					       last_words,         stopped,   pending };
	layered = true;
	memset(&layer, 0, sizeof(layer));
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tests[i]();
	layered = false;
	CHECK("each closed", layer.opened > 0 && layer.closed == layer.opened);
}

static struct stream *open_for(const enum secure_io *steps, int *ret_peer)
{
	memset(&layer, 0, sizeof(layer));
	layer.steps = steps;
	struct stream *s = open_pair(ret_peer);
	layer.speaker = *ret_peer;
	return s;
}

static bool secure(struct stream *s, struct deadline until)
{
	return stream_secure(s, &layer_ops, &ask, until, &facts, &err);
}

/* A stream whose layer never came about says nothing more, least of all in plain. */
static void is_dead(const char *label, struct stream *s, int peer)
{
	struct error why = { 0 };
	struct span got;
	CHECK(label, !stream_write(s, SPAN("QUIT\r\n"), far_off, &why));
	CHECK(label, why.class == ERR_TEMP && why.code.subject == 4);
	CHECK(label, !stream_peek(s, passed, &got, &why));
	stream_flush_now(s);
	CHECK(label, heard(peer).n == 0);
}

static void handshake_ends(void)
{
	static const enum secure_io good[] = { SECURE_WANT_WRITE, SECURE_WANT_READ, SECURE_DONE };
	static const enum secure_io bad[] = { SECURE_WANT_WRITE, SECURE_FAILED };
	static const enum secure_io lost[] = { SECURE_CLOSED };
	int peer;
	struct stream *s = open_for(good, &peer);
	layer.says = 1;
	CHECK("done", secure(s, far_off) && facts.trouble == SECURE_FINE);
	CHECK_STR("done", facts.protocol, "LAYER");
	CHECK("done", err.class == ERR_NONE && !stream_pending(s));
	CHECK("twice", !secure(s, far_off) && err.class == ERR_INTERNAL);
	done(s, peer);
	CHECK("closed", layer.opened == 1 && layer.closed == 1);

	s = open_for(bad, &peer);
	CHECK("failed", !secure(s, far_off) && facts.trouble == SECURE_WRONG_NAME);
	CHECK("failed", failed(ERR_TEMP, 7, 5, "not you"));
	is_dead("failed", s, peer);
	done(s, peer);
	CHECK("closed", layer.opened == 1 && layer.closed == 1);

	s = open_for(lost, &peer);
	CHECK("lost", !secure(s, far_off) && facts.trouble == SECURE_HANDSHAKE);
	CHECK("lost", failed(ERR_TEMP, 4, 2, "lost connection"));
	is_dead("lost", s, peer);
	done(s, peer);

	s = open_for(good, &peer);
	layer.refuse = true;
	CHECK("refused", !secure(s, far_off) && facts.trouble == SECURE_LOCAL);
	CHECK("refused", failed(ERR_CONFIG, 3, 5, "layer: nothing"));
	is_dead("refused", s, peer);
	done(s, peer);
	CHECK("not closed", layer.closed == 0);
}

static void handshake_waits(void)
{
	static const enum secure_io stall[] = { SECURE_WANT_WRITE, SECURE_WANT_READ, SECURE_DONE };
	enum secure_io drip[101];
	int peer;
	struct stream *s = open_for(stall, &peer);
	CHECK("stalled", !secure(s, passed) && facts.trouble == SECURE_HANDSHAKE);
	CHECK("stalled", failed(ERR_TEMP, 4, 2, "timed out"));
	is_dead("stalled", s, peer);
	done(s, peer);

	s = open_for(stall, &peer);
	if (write(stop[1], "x", 1) != 1)
		abort();
	CHECK("stopped", !secure(s, far_off) && facts.trouble == SECURE_LOCAL);
	CHECK("stopped", failed(ERR_TEMP, 3, 2, "stopped before it was done"));
	done(s, peer);

	/* There is always another byte to read, and never enough of them in time. */
	for (size_t i = 0; i < 100; i++)
		drip[i] = SECURE_WANT_READ;
	drip[100] = SECURE_DONE;
	s = open_for(drip, &peer);
	layer.says = 100;
	hand = 0;
	tick = 1;
	CHECK("drip", !secure(s, (struct deadline){ { 50 } }));
	CHECK("drip", failed(ERR_TEMP, 4, 2, "timed out") && hand < 60 && layer.step < 60);
	is_dead("drip", s, peer);
	done(s, peer);
	s = open_for(drip, &peer);
	layer.says = 100;
	CHECK("patience", secure(s, (struct deadline){ { 10000 } }) && layer.step == 100);
	done(s, peer);
	hand = tick = 0;
}

/* RFC 3207 section 4.1; CVE-2011-0411. */
static void plain_before_handshake(void)
{
#define EARLY "the server sent something in plain before the TLS handshake"
	int peer;
	struct span got;
	struct stream *s = open_for(NULL, &peer);
	say(peer, "220 go ahead\r\n250 injected\r\n");
	CHECK("peek", stream_peek(s, far_off, &got, &err));
	stream_eat(s, 14);
	CHECK("in the buffer", !secure(s, far_off) && facts.trouble == SECURE_HANDSHAKE);
	CHECK("in the buffer", failed(ERR_TEMP, 5, 0, EARLY) && layer.opened == 0);
	CHECK("forgotten", !stream_peek(s, far_off, &got, &err));
	is_dead("in the buffer", s, peer);
	done(s, peer);

	s = open_for(NULL, &peer);
	say(peer, "2");
	CHECK("in the socket", !secure(s, far_off) && facts.trouble == SECURE_HANDSHAKE);
	CHECK("in the socket", failed(ERR_TEMP, 5, 0, EARLY) && layer.opened == 0);
	is_dead("in the socket", s, peer);
	done(s, peer);

	s = open_for(NULL, &peer);
	shutdown(peer, SHUT_WR);
	CHECK("gone", !secure(s, far_off) && facts.trouble == SECURE_HANDSHAKE);
	CHECK("gone", failed(ERR_TEMP, 4, 2, "lost connection") && layer.opened == 0);
	done(s, peer);

	s = open_for(NULL, &peer);
	CHECK("queued", stream_write(s, SPAN("STARTTLS\r\n"), passed, &err));
	layer.write_waits_to_read = true;
	CHECK("what is queued goes before", secure(s, far_off));
	CHECK("in plain", span_equal(heard(peer), SPAN("STARTTLS\r\n")));
	done(s, peer);
}

/* A layer may have to write to read, and to read to write. */
static void crossed_waits(void)
{
	int peer;
	struct span got;
	struct stream *s = open_for(NULL, &peer);
	CHECK("secure", secure(s, far_off));
	layer.read_waits_to_write = 3;
	say(peer, "250 ok\r\n");
	CHECK("read", stream_peek(s, far_off, &got, &err) && got.n == 8);
	CHECK("read", layer.read_waits_to_write == 0);
	stream_eat(s, 8);
	layer.write_waits_to_read = true;
	CHECK("write", stream_write(s, SPAN("DATA\r\n"), far_off, &err));
	CHECK("nothing to read", !stream_flush(s, passed, &err) && heard(peer).n == 0);
	CHECK("nothing to read", failed(ERR_TEMP, 4, 2, "timed out"));
	say(peer, "x");
	CHECK("write", stream_flush(s, far_off, &err));
	CHECK("write", span_equal(heard(peer), SPAN("DATA\r\n")));
	CHECK("what was read", stream_peek(s, passed, &got, &err) && span_equal(got, SPAN("x")));
	done(s, peer);
}

/* Bytes that poll(2) does not show are found, by each function that looks. */
static void decrypted_bytes_wait(void)
{
	int peer;
	struct span got;
	struct stream *s = open_for(NULL, &peer);
	char line[91];
	memset(line, 'x', 90);
	line[90] = '\0';
	CHECK("secure", secure(s, far_off));
	say(peer, line);
	CHECK("a piece", stream_peek(s, far_off, &got, &err) && got.n == 70);
	stream_eat(s, 70);
	CHECK("pending", stream_pending(s));
	CHECK("the rest", stream_peek(s, passed, &got, &err) && got.n == 20);
	stream_eat(s, 20);
	CHECK("nothing more", !stream_pending(s));
	say(peer, line);
	CHECK("a piece", stream_peek(s, far_off, &got, &err) && got.n == 70);
	stream_eat(s, 70);
	CHECK("without pending", stream_peek(s, passed, &got, &err) && got.n == 20);
	stream_eat(s, 20);
	/* What the socket has may be nothing for us. */
	layer.read_waits_to_write = 1;
	say(peer, "x");
	CHECK("not yet ours", !stream_pending(s));
	CHECK("now it is", stream_pending(s));
	done(s, peer);
}

static void garbled(void)
{
	int peer;
	struct span got;
	struct stream *s = open_for(NULL, &peer);
	CHECK("secure", secure(s, far_off));
	layer.garble = true;
	say(peer, "x");
	CHECK("pending", stream_pending(s));
	CHECK("read", !stream_peek(s, far_off, &got, &err));
	CHECK("read", failed(ERR_TEMP, 4, 2, "the TLS connection is broken"));
	layer.garble = false;
	CHECK("for good", !stream_peek(s, far_off, &got, &err));
	CHECK("write", !stream_write(s, SPAN("x"), far_off, &err));
	done(s, peer);
}

TEST_MAIN("stream", { "peek_and_eat", peek_and_eat }, { "peek_much", peek_much },
	  { "queue", queue }, { "write_pieces", write_pieces },
	  { "talk_while_we_send", talk_while_we_send }, { "flood", flood }, { "blocked", blocked },
	  { "closed", closed }, { "last_words", last_words }, { "stopped", stopped },
	  { "pending", pending }, { "opening", opening }, { "over_a_layer", over_a_layer },
	  { "handshake_ends", handshake_ends }, { "handshake_waits", handshake_waits },
	  { "plain_before_handshake", plain_before_handshake }, { "crossed_waits", crossed_waits },
	  { "decrypted_bytes_wait", decrypted_bytes_wait }, { "garbled", garbled })
