/* SPDX-License-Identifier: ISC */
/* The only place that waits. Nothing else in the program blocks. */
#ifndef NET_IO_H
#define NET_IO_H

#include <poll.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/err.h"

struct io {
	struct clock clock;
	int stop_fd;  /* readable: the run is to be given up (a signal, the host has gone); -1: not watched */
	bool stopped; /* it was seen readable */
};

#define IO_FDS 40 /* descriptors in one wait: two c-ares channels with 16 each, and some */

enum io_event { IO_READY, IO_TIMEOUT, IO_STOPPED };

/* Wait until one of the descriptors is ready (revents are set), `until` passes, or stop_fd is readable (which wins over READY, and
 * every later call says it again). What is ready is READY even after `until`. n is 0..IO_FDS. EINTR is not seen. */
enum io_event io_poll(struct io *io, struct pollfd *fds, size_t n, struct deadline until);

struct instant io_now(const struct io *io);

/* The error for an event that is not READY: TEMP 4.4.2 "timed out" or TEMP 4.3.2 "stopped before it was done". Returns false. */
bool io_fail(enum io_event event, struct error *err);

#endif
