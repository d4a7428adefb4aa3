/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "harness.h"
#include "net/io.h"

static int64_t hand; /* a clock wound by hand */
static int ready[2], idle[2], stop[2];

static struct instant hand_now(void *ctx)
{
	(void)ctx;
	return (struct instant){ hand };
}

static struct io open_io(int stop_fd)
{
	hand = 1000;
	return (struct io){ .clock = { .now = hand_now }, .stop_fd = stop_fd };
}

static struct deadline at(int64_t ms)
{
	return (struct deadline){ { ms } };
}

static void open_pipes(void)
{
	if (pipe(ready) != 0 || pipe(idle) != 0 || pipe(stop) != 0 || write(ready[1], "x", 1) != 1)
		abort();
}

static void close_pipes(void)
{
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(idle[i]);
		close(stop[i]);
	}
}

static void now(void)
{
	struct io io = open_io(-1);
	CHECK("the injected clock", io_now(&io).ms == 1000);
	hand += 5;
	CHECK("the injected clock", io_now(&io).ms == 1005);
}

static void readiness(void)
{
	open_pipes();
	struct io io = open_io(-1);
	struct pollfd fds[] = { { .fd = idle[0], .events = POLLIN, .revents = 77 },
				{ .fd = ready[0], .events = POLLIN } };
	CHECK("far", io_poll(&io, fds, 2, at(INT64_MAX)) == IO_READY);
	CHECK("which", fds[0].revents == 0 && fds[1].revents == POLLIN);
	CHECK("order stays", fds[0].fd == idle[0] && fds[1].fd == ready[0]);
	CHECK("ready after the deadline", io_poll(&io, fds, 2, at(0)) == IO_READY);
	fds[0].events = POLLOUT;
	fds[0].fd = ready[1];
	CHECK("both", io_poll(&io, fds, 2, at(0)) == IO_READY);
	CHECK("both", fds[0].revents == POLLOUT && fds[1].revents == POLLIN);
	close_pipes();
}

static void timeouts(void)
{
	open_pipes();
	struct io io = open_io(stop[0]);
	struct pollfd fd = { .fd = idle[0], .events = POLLIN };
	CHECK("passed", io_poll(&io, &fd, 1, at(999)) == IO_TIMEOUT);
	CHECK("just now", io_poll(&io, &fd, 1, at(1000)) == IO_TIMEOUT);
	CHECK("soon", io_poll(&io, &fd, 1, at(1001)) == IO_TIMEOUT);
	CHECK("nothing to wait for", io_poll(&io, NULL, 0, at(1000)) == IO_TIMEOUT);
	CHECK("not stopped", !io.stopped);
	close_pipes();
}

static void stops(void)
{
	char c;
	open_pipes();
	struct io io = open_io(stop[0]);
	struct pollfd fd = { .fd = ready[0], .events = POLLIN };
	CHECK("quiet", io_poll(&io, &fd, 1, at(1000)) == IO_READY);
	CHECK("written", write(stop[1], "x", 1) == 1);
	CHECK("wins over ready", io_poll(&io, &fd, 1, at(1000)) == IO_STOPPED && io.stopped);
	CHECK("drained", read(stop[0], &c, 1) == 1);
	CHECK("for ever", io_poll(&io, &fd, 1, at(1000)) == IO_STOPPED);

	io = open_io(stop[0]);
	CHECK("drained", io_poll(&io, NULL, 0, at(1000)) == IO_TIMEOUT);
	close(stop[1]);
	CHECK("hangup", io_poll(&io, NULL, 0, at(INT64_MAX)) == IO_STOPPED);
	stop[1] = dup(idle[1]);
	close_pipes();
}

static void on_alarm(int sig)
{
	(void)sig;
	if (write(idle[1], "x", 1) != 1)
		abort();
}

/* The signal's handler makes the descriptor ready: without a second poll() it would not be seen. */
static void interrupted(void)
{
	open_pipes();
	struct io io = open_io(-1);
	struct sigaction act = { .sa_handler = on_alarm }, was;
	struct itimerval soon = { .it_value = { .tv_usec = 20000 } };
	struct pollfd fd = { .fd = idle[0], .events = POLLIN };
	sigaction(SIGALRM, &act, &was);
	setitimer(ITIMER_REAL, &soon, NULL);
	CHECK("EINTR is not seen", io_poll(&io, &fd, 1, at(INT64_MAX)) == IO_READY);
	sigaction(SIGALRM, &was, NULL);
	close_pipes();
}

static void most(void)
{
	open_pipes();
	struct io io = open_io(stop[0]);
	struct pollfd fds[IO_FDS];
	for (size_t i = 0; i < IO_FDS; i++)
		fds[i] = (struct pollfd){ .fd = idle[0], .events = POLLIN };
	fds[IO_FDS - 1].fd = ready[0];
	CHECK("last", io_poll(&io, fds, IO_FDS, at(1000)) == IO_READY);
	CHECK("last", fds[0].revents == 0 && fds[IO_FDS - 1].revents == POLLIN);
	close_pipes();
}

static void errors(void)
{
	struct error err = { 0 };
	CHECK("timeout", !io_fail(IO_TIMEOUT, &err));
	CHECK("timeout", err.class == ERR_TEMP && err.code.subject == 4 && err.code.detail == 2);
	CHECK_STR("timeout", err.text, "timed out");
	CHECK("stopped", !io_fail(IO_STOPPED, &err));
	CHECK("stopped", err.class == ERR_TEMP && err.code.subject == 3 && err.code.detail == 2);
	CHECK_STR("stopped", err.text, "stopped before it was done");
	CHECK("a bug", !io_fail(IO_READY, &err) && err.class == ERR_INTERNAL);
}

TEST_MAIN("io", { "now", now }, { "readiness", readiness }, { "timeouts", timeouts },
	  { "stops", stops }, { "interrupted", interrupted }, { "most", most },
	  { "errors", errors })
