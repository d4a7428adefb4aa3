/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <errno.h>
#include <limits.h>

#include "net/io.h"

struct instant io_now(const struct io *io)
{
	return clock_now(&io->clock);
}

/* poll(2) until `until`; what it returned last, -1 when it cannot wait. */
static int wait_until(const struct io *io, struct pollfd *fds, nfds_t n, struct deadline until)
{
	for (;;) {
		int64_t left = deadline_left_ms(until, io_now(io));
		int ready = poll(fds, n, left < INT_MAX ? (int)left : INT_MAX);
		if (ready > 0 || (ready == 0 && left < INT_MAX))
			return ready;
		if (ready < 0 && errno != EINTR)
			return -1;
	}
}

enum io_event io_poll(struct io *io, struct pollfd *fds, size_t n, struct deadline until)
{
	struct pollfd all[IO_FDS + 1];
	assert(n <= IO_FDS);
	if (io->stopped)
		return IO_STOPPED;
	if (n > 0)
		memcpy(all, fds, n * sizeof(*fds));
	/* poll() passes over a negative descriptor. */
	all[n] = (struct pollfd){ .fd = io->stop_fd, .events = POLLIN };
	int ready = wait_until(io, all, n + 1, until);
	if (ready <= 0)
		return IO_TIMEOUT;
	/* A hangup counts as well: the other end of the stop pipe is gone. */
	if (all[n].revents) {
		io->stopped = true;
		return IO_STOPPED;
	}
	if (n > 0)
		memcpy(fds, all, n * sizeof(*fds));
	return IO_READY;
}

bool io_fail(enum io_event event, struct error *err)
{
	switch (event) {
	case IO_TIMEOUT:
		return err_set(err, ERR_TEMP, ESC(4, 4, 2), "timed out");
	case IO_STOPPED:
		return err_set(err, ERR_TEMP, ESC(4, 3, 2), "stopped before it was done");
	case IO_READY:
		break;
	}
	return BUG(err, "io_fail() for what is ready");
}
