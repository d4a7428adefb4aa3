/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness.h"
#include "net/dial.h"

/* A clock that moves by `step` whenever somebody looks at it. */
struct ticker {
	int64_t ms, step;
};

static struct ticker ticker;
static struct io io;
static struct error err;
static struct dial_result got;

static const struct deadline far_off = { { INT64_MAX } };
static const struct ip v4 = { 4, { 127, 0, 0, 1 } }, v6 = { 6, { [15] = 1 } };

static struct instant tick(void *ctx)
{
	struct ticker *t = ctx;
	t->ms += t->step;
	return (struct instant){ t->ms };
}

static void set_up(int64_t step)
{
	ticker = (struct ticker){ .step = step };
	io = (struct io){ .clock = { .now = tick, .ctx = &ticker }, .stop_fd = -1 };
	err = (struct error){ 0 };
	got = (struct dial_result){ .fd = 99, .winner = 99 };
}

/* A listening socket; its port goes to *ret_to. -1: no IPv6 here. */
static int listener(struct ip ip, int backlog, struct endpoint *ret_to)
{
	struct sockaddr_in a4 = { .sin_family = AF_INET };
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6 };
	struct sockaddr *at = ip.family == 4 ? (struct sockaddr *)&a4 : (struct sockaddr *)&a6;
	socklen_t len = ip.family == 4 ? sizeof(a4) : sizeof(a6);
	memcpy(&a4.sin_addr, ip.b, 4);
	memcpy(&a6.sin6_addr, ip.b, 16);
	int fd = socket(at->sa_family, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, at, len) != 0 || listen(fd, backlog) != 0 ||
	    getsockname(fd, at, &len) != 0) {
		if (ip.family == 4)
			abort();
		close(fd);
		return -1;
	}
	*ret_to = (struct endpoint){ ip, ntohs(ip.family == 4 ? a4.sin_port : a6.sin6_port) };
	return fd;
}

/* A port where nobody listens: bound, so that nobody else takes it. */
static int closed_port(struct endpoint *ret_to)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&at, len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		abort();
	*ret_to = (struct endpoint){ v4, ntohs(at.sin_port) };
	return fd;
}

/* A host that does not answer: its queue of connections is full, and Linux drops what comes. */
struct hole {
	int listener, fd[8];
};

static struct hole hole_open(struct endpoint *ret_to)
{
	struct hole h = { .listener = listener(v4, 0, ret_to) };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(ret_to->port) };
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < 8; i++) {
		h.fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(h.fd[i], (struct sockaddr *)&at, sizeof(at)) != 0 &&
		    errno != EINPROGRESS)
			abort();
	}
	return h;
}

static void hole_close(struct hole *h)
{
	for (int i = 0; i < 8; i++)
		close(h->fd[i]);
	close(h->listener);
}

static size_t open_files(void)
{
	size_t n = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static bool race(const struct endpoint *to, size_t n, int64_t gap_ms, struct deadline until)
{
	struct dial_ask ask = { .to = to, .n = n, .gap_ms = gap_ms, .each_ms = 1000000 };
	return dial_race(&io, &ask, until, &got, &err);
}

static void connects(void)
{
	struct endpoint to;
	int on = 0;
	socklen_t len = sizeof(on);
	int server = listener(v4, 5, &to);
	set_up(0);
	CHECK("race", race(&to, 1, 0, far_off));
	CHECK("result", got.winner == 0 && got.why[0] == 0 && ip_equal(got.local, v4));
	CHECK("non-blocking", fcntl(got.fd, F_GETFL) & O_NONBLOCK);
	CHECK("close on exec", fcntl(got.fd, F_GETFD) & FD_CLOEXEC);
	CHECK("no delay", getsockopt(got.fd, IPPROTO_TCP, TCP_NODELAY, &on, &len) == 0 && on);
	int peer = accept(server, NULL, NULL);
	CHECK("bytes", write(got.fd, "x", 1) == 1 && recv(peer, &(char){ 0 }, 1, 0) == 1);
	CHECK("no error", err.class == ERR_NONE);
	close(peer);
	close(got.fd);
	close(server);
}

static void ipv6(void)
{
	struct endpoint to;
	int server = listener(v6, 5, &to);
	if (server < 0)
		return;
	set_up(0);
	CHECK("race", race(&to, 1, 0, far_off));
	CHECK("local", ip_equal(got.local, v6));
	close(got.fd);
	close(server);
}

static void refused(void)
{
	struct endpoint to[4];
	int closed = closed_port(&to[0]);
	size_t before = open_files();
	to[1] = to[2] = to[3] = to[0];
	set_up(0);
	CHECK("all", !race(to, 4, 1000000, far_off));
	CHECK("why", got.fd == -1 && got.winner == 0 && got.local.family == 0);
	for (size_t i = 0; i < 4; i++)
		CHECK("why", got.why[i] == ECONNREFUSED);
	CHECK("error", err.class == ERR_TEMP && err.code.subject == 4 && err.code.detail == 1);
	CHECK_STR("error", err.text, "Connection refused");

	int server = listener(v4, 5, &to[2]);
	set_up(0);
	CHECK("the third one, without waiting for the gap", race(to, 4, 1000000, far_off));
	CHECK("winner", got.winner == 2 && got.why[0] == ECONNREFUSED &&
				got.why[1] == ECONNREFUSED && got.why[2] == 0 && got.why[3] == 0);
	close(got.fd);
	close(server);
	CHECK("nothing is left open", open_files() == before);
	close(closed);
}

static void silent_first(void)
{
	struct endpoint to[2];
	struct hole hole = hole_open(&to[0]);
	int server = listener(v4, 5, &to[1]);
	size_t before = open_files();
	set_up(1);
	CHECK("the second one is started after the gap", race(to, 2, 10, far_off));
	CHECK("winner", got.winner == 1 && got.why[0] == 0 && got.why[1] == 0);
	close(got.fd);
	CHECK("the loser is closed", open_files() == before);
	close(server);
	hole_close(&hole);
}

static void timeouts(void)
{
	struct endpoint to[2];
	struct hole hole = hole_open(&to[0]);
	size_t before = open_files();
	struct dial_ask ask = { .to = to, .n = 2, .gap_ms = 1000000, .each_ms = 20 };
	int server = listener(v4, 5, &to[1]);
	set_up(5);
	CHECK("one has its time, then the next", dial_race(&io, &ask, far_off, &got, &err));
	CHECK("why", got.winner == 1 && got.why[0] == ETIMEDOUT);
	close(got.fd);
	close(server);

	to[1] = to[0];
	set_up(5);
	CHECK("each", !dial_race(&io, &ask, far_off, &got, &err));
	CHECK("each", got.why[0] == ETIMEDOUT && got.why[1] == ETIMEDOUT);
	CHECK_STR("each", err.text, "Connection timed out");

	set_up(5);
	CHECK("all", !race(to, 2, 1000000, (struct deadline){ { 30 } }));
	CHECK("all", got.fd == -1 && got.why[0] == ETIMEDOUT && got.why[1] == 0);
	CHECK_STR("all", err.text, "Connection timed out");
	CHECK("all", err.code.subject == 4 && err.code.detail == 1);
	CHECK("nothing is left open", open_files() == before);
	hole_close(&hole);
}

static void stopped(void)
{
	struct endpoint to;
	struct hole hole = hole_open(&to);
	int stop[2];
	set_up(0);
	if (pipe(stop) != 0)
		abort();
	close(stop[1]);
	io.stop_fd = stop[0];
	size_t before = open_files();
	CHECK("stopped", !race(&to, 1, 0, far_off) && got.fd == -1);
	CHECK("stopped", err.class == ERR_TEMP && err.code.subject == 3 && err.code.detail == 2);
	CHECK("nothing is left open", open_files() == before);
	close(stop[0]);
	hole_close(&hole);
}

static void sources(void)
{
	struct endpoint to[2];
	struct sockaddr_in from = { 0 };
	socklen_t len = sizeof(from);
	int server = listener(v4, 5, &to[0]);
	struct dial_ask ask = { .to = to, .n = 1, .each_ms = 1000, .source6 = { 6, { 0x20, 1 } } };
	ask.source4 = (struct ip){ 4, { 127, 0, 0, 2 } };
	set_up(0);
	CHECK("source", dial_race(&io, &ask, far_off, &got, &err));
	CHECK("local", ip_equal(got.local, ask.source4));
	int peer = accept(server, (struct sockaddr *)&from, &len);
	CHECK("seen", from.sin_addr.s_addr == htonl(0x7f000002) && from.sin_port != 0);
	close(peer);
	close(got.fd);

	/* Not ours: RFC 5737. */
	ask.source4 = (struct ip){ 4, { 192, 0, 2, 1 } };
	set_up(0);
	CHECK("foreign", !dial_race(&io, &ask, far_off, &got, &err));
	CHECK("foreign", got.why[0] == EADDRNOTAVAIL && err.code.subject == 4);
	CHECK_STR("foreign", err.text, "Cannot assign requested address");

	int server6 = listener(v6, 5, &to[1]);
	if (server6 >= 0) {
		ask.n = 2;
		ask.source6 = v6;
		set_up(0);
		CHECK("only that address fails", dial_race(&io, &ask, far_off, &got, &err));
		CHECK("only that address fails", got.winner == 1 && ip_equal(got.local, v6));
		close(got.fd);
		close(server6);
	}
	close(server);
}

static void nonsense(void)
{
	struct endpoint to[LIMIT_ADDRS + 1] = { { { 0 }, 0 } };
	set_up(0);
	CHECK("none", !race(to, 0, 0, far_off) && err.class == ERR_INTERNAL && got.fd == -1);
	set_up(0);
	CHECK("too many", !race(to, LIMIT_ADDRS + 1, 0, far_off) && err.class == ERR_INTERNAL);
}

TEST_MAIN("dial", { "connects", connects }, { "ipv6", ipv6 }, { "refused", refused },
	  { "silent_first", silent_first }, { "timeouts", timeouts }, { "stopped", stopped },
	  { "sources", sources }, { "nonsense", nonsense })
