/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "front/host.h"
#include "guard.h"

#include "harness.h"

/* We are the guard: one end each. */
struct link {
	int guard;
	struct host host;
};

static struct link link_open(void)
{
	int fds[2];
	struct error err;
	struct link l = { .guard = -1, .host = { -1 } };
	CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
	fcntl(fds[1], F_SETFD, 0); /* As it comes through exec. */
	CU_ASSERT_FATAL(host_open(fds[1], &l.host, &err));
	l.guard = fds[0];
	return l;
}

static void link_close(struct link *l)
{
	if (l->guard >= 0)
		close(l->guard);
	if (l->host.fd >= 0)
		close(l->host.fd);
}

static const char *packet(struct link *l)
{
	static char p[GUARD_PACKET + 1];
	ssize_t n = recv(l->guard, p, sizeof(p) - 1, MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0 || n > GUARD_PACKET)
		return n < 0 ? "nothing" : "too long";
	p[n] = '\0';
	return p;
}

static void test_open(void)
{
	int fds[2], pair[2];
	struct error err = { 0 };
	struct host h = { .fd = 77 };
	CU_ASSERT_FATAL(pipe(fds) == 0);
	CHECK("a pipe", !host_open(fds[0], &h, &err) && err.class == ERR_INTERNAL);
	close(fds[0]);
	close(fds[1]);
	CHECK("closed", !host_open(fds[0], &h, &err) && err.class == ERR_INTERNAL);
	CU_ASSERT_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK("a stream", !host_open(pair[0], &h, &err) && err.class == ERR_INTERNAL);
	close(pair[0]);
	close(pair[1]);
	CHECK("untouched", h.fd == 77);
	struct link l = link_open();
	CHECK("close-on-exec", (fcntl(l.host.fd, F_GETFD) & FD_CLOEXEC) != 0);
	link_close(&l);
}

static void test_limit(void)
{
	struct link l = link_open();
	host_limit(&l.host, 900000);
	CHECK_STR("limit", packet(&l), "T 930000");
	host_limit(&l.host, -5);
	CHECK_STR("in the past", packet(&l), "T 30000");
	CHECK_STR("one packet each", packet(&l), "nothing");
	link_close(&l);
}

static void test_present(void)
{
	struct link l = link_open();
	const struct caller c = host_caller(&l.host);
	send(l.guard, "y", 1, 0);
	CHECK("there", c.present(c.self, CALLER_AT_EOF, 1000));
	CHECK_STR("there", packet(&l), "E 31000");
	send(l.guard, "n", 1, 0);
	CHECK("gone", !c.present(c.self, CALLER_AT_COMMIT, 600000));
	CHECK_STR("gone", packet(&l), "C 630000");
	send(l.guard, "y", 1, 0);
	CHECK("asked again", c.present(c.self, CALLER_AT_COMMIT, 1));
	CHECK_STR("asked again", packet(&l), "C 30001");
	send(l.guard, "?", 1, 0);
	CHECK("nonsense", !c.present(c.self, CALLER_AT_COMMIT, 1));
	link_close(&l);
}

static void test_guard_gone(void)
{
	struct link l = link_open();
	const struct caller c = host_caller(&l.host);
	const struct report r = { EXIT_LATER, "4.3.0 x" };
	close(l.guard);
	l.guard = -1;
	/* SIGPIPE would kill this test. */
	CHECK("send fails", !c.present(c.self, CALLER_AT_EOF, 1000));
	host_limit(&l.host, 1);
	host_report(&l.host, &r);
	link_close(&l);

	/* The end of the link instead of an answer. */
	l = link_open();
	const struct caller d = host_caller(&l.host);
	pid_t pid = fork();
	if (pid == 0) {
		char p[GUARD_PACKET];
		close(l.host.fd);
		ssize_t n = recv(l.guard, p, sizeof(p), 0);
		_exit(n > 0 ? 0 : 1);
	}
	close(l.guard);
	l.guard = -1;
	CHECK("no answer", !d.present(d.self, CALLER_AT_COMMIT, 1000));
	int status = -1;
	waitpid(pid, &status, 0);
	CHECK("it was asked", status == 0);
	link_close(&l);
}

static void test_report(void)
{
	static const struct {
		const char *label;
		struct report r;
		const char *want;
	} cases[] = {
		{ "sent", { EXIT_SENT, "mx[192.0.2.1]:25 250 ok" }, "V 0 mx[192.0.2.1]:25 250 ok" },
		{ "bounce", { EXIT_BOUNCE, "5.1.1 x" }, "V 69 5.1.1 x" },
		{ "later", { EXIT_LATER, "4.4.1 x" }, "V 75 4.4.1 x" },
	};
	struct link l = link_open();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		host_report(&l.host, &cases[i].r);
		CHECK_STR(cases[i].label, packet(&l), cases[i].want);
	}
	struct report r = { .status = EXIT_LATER };
	memset(r.line, 'x', LIMIT_REPORT);
	host_report(&l.host, &r);
	CHECK("the longest", strlen(packet(&l)) == LIMIT_REPORT + 5);
	link_close(&l);
}

TEST_MAIN("host", { "open", test_open }, { "limit", test_limit }, { "present", test_present },
	  { "guard gone", test_guard_gone }, { "report", test_report })
