/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#include "front/logger.h"

static bool open_trace(const char *path, int *ret, struct error *err)
{
	struct stat st;
	/* Without O_NONBLOCK a named pipe would hold up the delivery. */
	int fd =
		open(path,
		     O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC,
		     0600);
	if (fd < 0)
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "trace file %s: %s", path,
			       strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "trace file %s: not a regular file",
			       path);
	}
	*ret = fd;
	return true;
}

bool logger_open(const char *trace_file, bool verbose, struct logger *ret, struct error *err)
{
	struct logger l = { .trace_fd = -1, .clock = clock_system() };
	l.start = clock_now(&l.clock);
	/* First: without a trace there is still a log. */
	openlog("mxdirect", 0, LOG_MAIL);
	if (trace_file && !open_trace(trace_file, &l.trace_fd, err))
		return false;
	/* Else standard error belongs to the host. */
	if (!trace_file && verbose && isatty(STDERR_FILENO))
		l.trace_fd = STDERR_FILENO;
	*ret = l;
	return true;
}

void logger_close(struct logger *l)
{
	if (l->trace_fd > STDERR_FILENO)
		close(l->trace_fd);
	l->trace_fd = -1;
	closelog();
}

static void trace(void *self, const char *line)
{
	const struct logger *l = self;
	char stamp[32];
	int64_t ms = clock_now(&l->clock).ms - l->start.ms;
	snprintf(stamp, sizeof(stamp), "%lld.%03d ", (long long)(ms / 1000), (int)(ms % 1000));
	/* One call, so that the lines of runs that share a file do not mix. The system takes
	 * pointers to what it only reads as pointers to variables. */
	struct iovec parts[] = {
		{ stamp, strlen(stamp) },
		{ (void *)(uintptr_t)line, strlen(line) },
		{ (void *)(uintptr_t) "\n", 1 },
	};
	/* A trace that cannot be written is no reason to keep mail. */
	ssize_t n = writev(l->trace_fd, parts, 3);
	(void)n;
}

static void log_line(void *self, const char *line)
{
	const struct logger *l = self;
	syslog(LOG_INFO, "%s", line);
	if (l->trace_fd >= 0)
		trace(self, line);
}

struct journal logger_journal(struct logger *l)
{
	return (struct journal){ .log = log_line,
				 .trace = l->trace_fd >= 0 ? trace : NULL,
				 .self = l };
}
