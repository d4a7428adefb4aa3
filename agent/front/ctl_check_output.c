/* SPDX-License-Identifier: ISC */
#include "front/ctl_check_output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flow/spawn.h"

static bool read_all(struct io *io, int fd, char *room, size_t *ret_n, struct error *err)
{
	struct deadline until = deadline_in(io_now(io), OUTPUT_MS);
	size_t n = 0;
	for (;;) {
		struct pollfd in = { .fd = fd, .events = POLLIN };
		enum io_event event = io_poll(io, &in, 1, until);
		if (event != IO_READY)
			return io_fail(event, err);
		ssize_t got = read(fd, room + n, OUTPUT_MOST + 1 - n);
		if (got < 0)
			return err_set(err, ERR_TEMP, ESC(4, 3, 0), "%s", strerror(errno));
		n += (size_t)got;
		if (n > OUTPUT_MOST)
			return err_set(err, ERR_TEMP, ESC(4, 3, 0), "it prints too much");
		if (got == 0)
			break;
	}
	*ret_n = n;
	return true;
}

/* Its output has ended; it may still need a moment to end itself. False: it does not. */
static bool await_end(struct io *io, pid_t pid, int *ret_status)
{
	struct deadline until = deadline_in(io_now(io), OUTPUT_MS);
	while (waitpid(pid, ret_status, WNOHANG) != pid) {
		struct deadline soon = deadline_min(until, deadline_in(io_now(io), 5));
		if (deadline_left_ms(until, io_now(io)) <= 0 ||
		    io_poll(io, NULL, 0, soon) == IO_STOPPED) {
			spawn_end(pid);
			return false;
		}
	}
	return true;
}

bool output_read(struct arena *a, struct io *io, const char *const argv[], struct span *ret,
		 struct error *err)
{
	int ends[2], status = 0;
	pid_t pid;
	char *room = ARENA_NEW(a, char, OUTPUT_MOST + 1);
	size_t n = 0;
	if (!room)
		return err_nomem(err);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set(err, ERR_TEMP, ESC(4, 3, 0), "pipe: %s", strerror(errno));
	const int fds[3] = { -1, ends[1], -1 };
	int why = spawn_program(argv, fds, &pid);
	close(ends[1]);
	if (why) {
		close(ends[0]);
		return err_set(err, ERR_TEMP, ESC(4, 3, 0), "%s: %s", argv[0], strerror(why));
	}
	bool good = read_all(io, ends[0], room, &n, err);
	close(ends[0]);
	if (!good) {
		spawn_end(pid);
		return err_wrap(err, "%s", argv[0]);
	}
	if (!await_end(io, pid, &status) || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(err, ERR_TEMP, ESC(4, 3, 0), "%s fails", argv[0]);
	*ret = (struct span){ room, n };
	return true;
}

bool output_word(struct span *rest, struct span *ret)
{
	static const char opening[] = "{\"'", closing[] = "}\"'";
	*rest = span_trim(*rest);
	if (rest->n == 0)
		return false;
	const char *quote = memchr(opening, rest->p[0], sizeof(opening) - 1);
	if (quote) {
		rest->p++;
		rest->n--;
		if (!span_cut(rest, closing[quote - opening], ret))
			return false;
		*ret = span_trim(*ret);
		return true;
	}
	size_t n = 0;
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	*ret = (struct span){ rest->p, n };
	rest->p += n;
	rest->n -= n;
	return true;
}

bool output_runs_mxdirect(struct span *command)
{
	struct span program, before;
	if (!output_word(command, &program))
		return false;
	while (memchr(program.p, '/', program.n))
		span_cut(&program, '/', &before);
	return span_equal(program, SPAN("mxdirect"));
}

uint64_t output_time_unit(char c)
{
	switch (c) {
	case 'w':
		return 604800000;
	case 'd':
		return 86400000;
	case 'h':
		return 3600000;
	case 'm':
		return 60000;
	case 's':
		return 1000;
	default:
		return 0;
	}
}
