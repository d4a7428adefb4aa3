/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/client.h"

#include "harness.h"

/* A client, and the host's ends: the same descriptor for a socket. */
struct world {
	struct client *c;
	struct io io;
	int64_t now, step; /* each look at the clock takes `step` ms */
	int to, from;
};

static struct instant wound_now(void *ctx)
{
	struct world *w = ctx;
	w->now += w->step;
	return (struct instant){ w->now };
}

static void world_init(struct world *w)
{
	*w = (struct world){ .c = malloc(sizeof(struct client)) };
	w->io = (struct io){ .clock = { .now = wound_now, .ctx = w }, .stop_fd = -1 };
	if (!w->c)
		abort();
}

static void open_socket(struct world *w)
{
	int fds[2];
	world_init(w);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		abort();
	w->to = w->from = fds[1];
	client_init(w->c, fds[0], fds[0], &w->io);
}

static void open_pipes(struct world *w)
{
	int in[2], out[2];
	world_init(w);
	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		abort();
	w->to = in[1];
	w->from = out[0];
	client_init(w->c, in[0], out[1], &w->io);
}

static void host_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void world_close(struct world *w)
{
	if (w->from != w->to)
		host_close(&w->from);
	host_close(&w->to);
	if (w->c->out != w->c->in)
		close(w->c->out);
	close(w->c->in);
	free(w->c);
}

static void put(struct world *w, struct span s)
{
	while (s.n > 0) {
		ssize_t n = write(w->to, s.p, s.n);
		if (n <= 0)
			abort();
		s = (struct span){ s.p + n, s.n - (size_t)n };
	}
}

static struct deadline soon(const struct world *w)
{
	return deadline_in((struct instant){ w->now }, 0);
}

static enum client_got line(struct world *w, struct span *ret)
{
	return client_line(w->c, soon(w), ret);
}

static bool is_line(struct world *w, const char *want)
{
	struct span got;
	return line(w, &got) == CLIENT_LINE && span_equal(got, span_of(want));
}

/* ---- lines ---- */

static const struct {
	const char *label, *in;
	const char *line[4];
	const char *rest; /* no line, when the input ends */
} texts[] = {
	{ "nothing", "", { NULL }, "" },
	{ "one", "QUIT\r\n", { "QUIT" }, "" },
	{ "LF", "QUIT\n", { "QUIT" }, "" },
	{ "several", "a\r\nb\nc\r\n", { "a", "b", "c" }, "" },
	{ "empty ones", "\r\n\n\r\n", { "", "", "" }, "" },
	{ "no end", "QUIT", { NULL }, "QUIT" },
	{ "half an end", "a\r\nQUIT\r", { "a" }, "QUIT\r" },
	{ "CRs", "\r\r\na\rb\r\n", { "\r", "a\rb" }, "" },
};

static void check_text(size_t i, bool sockets, size_t piece)
{
	struct world w;
	struct span in = span_of(texts[i].in), got;
	size_t lines = 0;
	if (sockets)
		open_socket(&w);
	else
		open_pipes(&w);
	while (in.n > 0) {
		size_t n = piece < in.n ? piece : in.n;
		enum client_got what;
		put(&w, (struct span){ in.p, n });
		in = (struct span){ in.p + n, in.n - n };
		while ((what = line(&w, &got)) == CLIENT_LINE) {
			const char *want = lines < 4 ? texts[i].line[lines++] : NULL;
			CHECK(texts[i].label, want && span_equal(got, span_of(want)));
		}
		CHECK(texts[i].label, what == CLIENT_TIMEOUT);
	}
	CHECK(texts[i].label, lines == 4 || texts[i].line[lines] == NULL);
	host_close(&w.to);
	CHECK(texts[i].label, line(&w, &got) == CLIENT_EOF && line(&w, &got) == CLIENT_EOF);
	struct span rest = { w.c->buf + w.c->at, w.c->len - w.c->at };
	CHECK(texts[i].label, span_equal(rest, span_of(texts[i].rest)));
	w.from = sockets ? -1 : w.from;
	world_close(&w);
}

static void lines(void)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t piece = 1; piece <= 16; piece *= 2) {
			check_text(i, true, piece);
			check_text(i, false, piece);
		}
}

/* LMTP_LINE octets with the line end are allowed, more are passed over, and the next line is heard;
 * also when the time is up several times in the midst of it. */
static void too_long(void)
{
	static const size_t lengths[] = { 10,
					  LMTP_LINE - 2,
					  LMTP_LINE - 1,
					  LMTP_LINE,
					  LMTP_LINE + 1,
					  2 * LMTP_LINE,
					  64 * 1024 - 1,
					  64 * 1024,
					  64 * 1024 + 1,
					  200000 };
	static const size_t pieces[] = { 1000, LMTP_LINE - 1, LMTP_LINE, 60000 };
	char *in = malloc(200010);
	for (size_t i = 0; in && i < sizeof(lengths) / sizeof(lengths[0]); i++)
		for (size_t k = 0; k < 4; k++)
			for (size_t crlf = 0; crlf < 2; crlf++) {
				size_t n = lengths[i], said = 0;
				bool fits = n + 1 + crlf <= LMTP_LINE;
				enum client_got what = CLIENT_TIMEOUT;
				struct span got = { NULL, 0 };
				struct world w;
				open_socket(&w);
				memset(in, 'x', n);
				/* A command inside of it must not become one. */
				memcpy(in + n - 4, "QUIT", 4);
				memcpy(in + n, crlf ? "\r\nNOOP\n" : "\nNOOP\n", 6 + crlf);
				n += 6 + crlf;
				while (what == CLIENT_TIMEOUT && said < n) {
					size_t some = pieces[k] < n - said ? pieces[k] : n - said;
					put(&w, (struct span){ in + said, some });
					said += some;
					what = line(&w, &got);
				}
				CHECK("length", what == (fits ? CLIENT_LINE : CLIENT_TOO_LONG));
				CHECK("length", !fits || got.n == lengths[i]);
				put(&w, (struct span){ in + said, n - said });
				CHECK("the next one", is_line(&w, "NOOP"));
				world_close(&w);
			}
	free(in);
}

static void end_of_long_line(void)
{
	static char in[LMTP_LINE * 3];
	struct world w;
	struct span got;
	open_pipes(&w);
	memset(in, 'x', sizeof(in));
	put(&w, (struct span){ in, sizeof(in) });
	host_close(&w.to);
	CHECK("EOF in the midst", line(&w, &got) == CLIENT_EOF);
	world_close(&w);
}

static void stop(void)
{
	struct world w;
	struct span got;
	char heard[16];
	int fds[2];
	open_socket(&w);
	if (pipe2(fds, O_CLOEXEC) != 0)
		abort();
	w.io.stop_fd = fds[0];
	put(&w, SPAN("a\nb\nc"));
	CHECK("not yet", is_line(&w, "a"));
	close(fds[1]);
	CHECK("what is here comes first", is_line(&w, "b"));
	CHECK("stopped", line(&w, &got) == CLIENT_STOPPED);
	client_say(w.c, SPAN("421 x\r\n"));
	CHECK("the last word is heard", !w.c->gone && read(w.from, heard, sizeof(heard)) == 7);
	CHECK("it stays so", line(&w, &got) == CLIENT_STOPPED && w.io.stop_fd == fds[0]);
	close(fds[0]);
	world_close(&w);
}

/* A descriptor that cannot be read is like one that has ended. */
static void unreadable(void)
{
	struct world w;
	struct span got;
	open_pipes(&w);
	int in = w.c->in;
	w.c->in = open("/", O_RDONLY | O_CLOEXEC);
	CHECK("a directory", line(&w, &got) == CLIENT_EOF);
	close(w.c->in);
	w.c->in = in;
	world_close(&w);
}

/* ---- octets ---- */

static void some(void)
{
	struct world w;
	struct span got;
	open_socket(&w);
	CHECK("nothing", client_some(w.c, soon(&w), &got) == CLIENT_TIMEOUT);
	put(&w, SPAN("DATA\r\nabc"));
	CHECK("a line first", is_line(&w, "DATA"));
	CHECK("what came with it", client_some(w.c, soon(&w), &got) == CLIENT_LINE);
	CHECK("what came with it", span_equal(got, SPAN("abc")));
	CHECK("no more", client_some(w.c, soon(&w), &got) == CLIENT_TIMEOUT);
	put(&w, SPAN("d\r\n.\r\nRSET\r\nQUIT"));
	CHECK("more", client_some(w.c, soon(&w), &got) == CLIENT_LINE && got.n == 16);
	client_unread(w.c, 10);
	CHECK("what was not wanted", is_line(&w, "RSET"));
	put(&w, SPAN("\r\n"));
	CHECK("what was not wanted", is_line(&w, "QUIT"));
	client_unread(w.c, 0);
	CHECK("nothing came back", client_some(w.c, soon(&w), &got) == CLIENT_TIMEOUT);
	host_close(&w.to);
	CHECK("the end", client_some(w.c, soon(&w), &got) == CLIENT_EOF);
	w.from = -1;
	world_close(&w);
}

/* Far more than the buffer holds, taken as it comes. */
static void some_more(void)
{
	struct world w;
	char block[1000];
	struct span got;
	size_t put_in = 0, taken = 0;
	bool same = true;
	open_socket(&w);
	while (put_in < 500000) {
		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = (char)((put_in + i) % 251);
		put(&w, (struct span){ block, sizeof(block) });
		put_in += sizeof(block);
		if (put_in % 3000 != 0)
			continue;
		while (client_some(w.c, soon(&w), &got) == CLIENT_LINE) {
			size_t back = got.n > 10 && taken % 2 ? 7 : 0;
			for (size_t i = 0; i < got.n - back; i++)
				same = same && got.p[i] == (char)((taken + i) % 251);
			taken += got.n - back;
			client_unread(w.c, back);
		}
	}
	while (client_some(w.c, soon(&w), &got) == CLIENT_LINE)
		taken += got.n;
	CHECK("all of it", same && taken == put_in);
	world_close(&w);
}

/* ---- replies ---- */

struct reader {
	int fd;
	size_t n;
	bool same;
};

/* In small bites. */
static void *read_slowly(void *ctx)
{
	struct reader *r = ctx;
	char bite[777];
	for (;;) {
		ssize_t n = read(r->fd, bite, sizeof(bite));
		if (n <= 0)
			return NULL;
		for (ssize_t i = 0; i < n; i++)
			r->same = r->same && bite[i] == (char)((r->n + (size_t)i) % 251);
		r->n += (size_t)n;
	}
}

static void say(void)
{
	size_t n = 1024 * 1024;
	char *text = malloc(n);
	for (size_t i = 0; text && i < n; i++)
		text[i] = (char)(i % 251);
	for (int how = 0; text && how < 4; how++) {
		struct world w;
		pthread_t thread;
		if (how % 2)
			open_socket(&w);
		else
			open_pipes(&w);
		if (how / 2)
			fcntl(w.c->out, F_SETFL, O_NONBLOCK);
		int flags = fcntl(w.c->out, F_GETFL);
		struct reader r = { .fd = w.from, .same = true };
		if (pthread_create(&thread, NULL, read_slowly, &r) != 0)
			abort();
		client_say(w.c, (struct span){ text, n });
		CHECK("flags stay", fcntl(w.c->out, F_GETFL) == flags);
		if (w.c->in == w.c->out)
			shutdown(w.c->out, SHUT_WR);
		else
			close(w.c->out);
		pthread_join(thread, NULL);
		CHECK("all of it", !w.c->gone && r.same && r.n == n);
		w.c->out = w.c->in;
		world_close(&w);
	}
	free(text);
}

/* One who does not read has his time, and is gone then: nothing more is said. */
static void say_unread(void)
{
	static char text[4 * 1024 * 1024];
	for (int sockets = 0; sockets < 2; sockets++) {
		struct world w;
		if (sockets)
			open_socket(&w);
		else
			open_pipes(&w);
		fcntl(w.c->out, F_SETFL, O_NONBLOCK);
		client_say(w.c, SPAN("220 x\r\n"));
		CHECK("room enough", !w.c->gone);
		w.step = CLIENT_REPLY_MS + 1; /* the next look at the clock is the last one */
		client_say(w.c, (struct span){ text, sizeof(text) });
		CHECK("given up", w.c->gone);
		struct caller host = client_caller(w.c);
		CHECK("not present", !host.present(host.self, CALLER_AT_COMMIT, 0));
		char heard[16];
		while (recv(w.from, heard, sizeof(heard), MSG_DONTWAIT) > 0)
			;
		client_say(w.c, SPAN("250 x\r\n"));
		CHECK("silent", w.c->gone);
		if (sockets)
			CHECK("silent", recv(w.from, heard, sizeof(heard), MSG_DONTWAIT) < 0);
		world_close(&w);
	}
}

static void say_to_nobody(void)
{
	for (int sockets = 0; sockets < 2; sockets++) {
		struct world w;
		if (sockets)
			open_socket(&w);
		else
			open_pipes(&w);
		host_close(&w.from);
		w.to = sockets ? -1 : w.to;
		client_say(w.c, SPAN("250 x\r\n"));
		CHECK("gone", w.c->gone);
		world_close(&w);
	}
	struct world w;
	open_socket(&w);
	client_say(w.c, (struct span){ NULL, 0 });
	CHECK("nothing to say", !w.c->gone);
	world_close(&w);
}

/* ---- is it there? ---- */

enum act {
	END,  /* of the list */
	SAY,  /* a command, unread in the descriptor */
	HEAR, /* what is there comes into the buffer, two lines, one is taken */
	HALF, /* the host says that it says no more */
	SHUT, /* the host closes what it writes to */
	DEAF, /* the host closes what it reads from */
};

static const struct {
	const char *label;
	bool sockets;
	enum act act[4];
	bool present;
} presences[] = {
	{ "socket: quiet", true, { END }, true },
	{ "socket: unread", true, { SAY }, true },
	{ "socket: half closed", true, { HALF }, false },
	{ "socket: half closed, unread", true, { SAY, HALF }, true },
	{ "socket: half closed, unread in the buffer", true, { SAY, HEAR, HALF }, true },
	{ "socket: closed", true, { SHUT }, false },
	{ "socket: closed, unread", true, { SAY, SHUT }, false },
	{ "socket: closed, unread in the buffer", true, { SAY, HEAR, SHUT }, false },
	{ "pipes: quiet", false, { END }, true },
	{ "pipes: unread", false, { SAY }, true },
	{ "pipes: writer gone", false, { SHUT }, false },
	{ "pipes: writer gone, unread", false, { SAY, SHUT }, true },
	{ "pipes: writer gone, unread in the buffer", false, { SAY, HEAR, SHUT }, true },
	{ "pipes: reader gone", false, { DEAF }, false },
	{ "pipes: reader gone, unread", false, { SAY, DEAF }, false },
	{ "pipes: both gone", false, { SAY, SHUT, DEAF }, false },
};

static void act(struct world *w, enum act what)
{
	switch (what) {
	case SAY:
		put(w, SPAN("NOOP\r\nQUIT\r\n"));
		break;
	case HEAR:
		CHECK("heard", is_line(w, "NOOP"));
		break;
	case HALF:
		shutdown(w->to, SHUT_WR);
		break;
	case SHUT:
		w->from = w->from == w->to ? -1 : w->from;
		host_close(&w->to);
		break;
	case DEAF:
		host_close(&w->from);
		break;
	case END:
		break;
	}
}

static void present(void)
{
	for (size_t i = 0; i < sizeof(presences) / sizeof(presences[0]); i++) {
		struct world w;
		struct span got;
		if (presences[i].sockets)
			open_socket(&w);
		else
			open_pipes(&w);
		const struct caller host = client_caller(w.c);
		CHECK(presences[i].label, host.present(host.self, CALLER_AT_COMMIT, 0));
		size_t said = 0;
		for (size_t k = 0; k < 4; k++) {
			act(&w, presences[i].act[k]);
			said += presences[i].act[k] == SAY;
		}
		for (int again = 0; again < 2; again++)
			CHECK(presences[i].label,
			      host.present(host.self, CALLER_AT_REPORT, 1) == presences[i].present);
		/* To ask takes nothing away. */
		while (line(&w, &got) == CLIENT_LINE)
			CHECK(presences[i].label, span_equal(got, SPAN("NOOP")) || said-- == 1);
		CHECK(presences[i].label, said == 0);
		world_close(&w);
	}
}

int main(void)
{
	static const struct test tests[] = {
		{ "lines", lines },
		{ "too long", too_long },
		{ "end of a long line", end_of_long_line },
		{ "stop", stop },
		{ "unreadable", unreadable },
		{ "some", some },
		{ "some more", some_more },
		{ "say", say },
		{ "say unread", say_unread },
		{ "say to nobody", say_to_nobody },
		{ "present", present },
	};
	signal(SIGPIPE, SIG_IGN);
	return test_main("client", tests, sizeof(tests) / sizeof(tests[0]));
}
