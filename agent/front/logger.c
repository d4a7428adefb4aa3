/* SPDX-License-Identifier: ISC */
/*
 * syslog(3) of libc waits for a daemon that does not read, and a run that hangs after the final dot
 * is a message delivered twice. So this is a sender of our own, which waits once and not for long.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "front/logger.h"

#define PATIENCE_MS 1000

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

void logger_init(const char *syslog_path, struct logger *ret)
{
	struct logger l = {
		.syslog_path = syslog_path,
		.syslog_fd = -1,
		.patience = PATIENCE_MS,
		.trace_fd = -1,
		.clock = clock_system(),
	};
	l.start = clock_now(&l.clock);
	*ret = l;
}

bool logger_trace(struct logger *l, const char *trace_file, bool verbose, struct error *err)
{
	if (trace_file)
		return open_trace(trace_file, &l->trace_fd, err);
	/* Else standard error belongs to the host. */
	if (verbose && isatty(STDERR_FILENO))
		l->trace_fd = STDERR_FILENO;
	return true;
}

static void close_syslog(struct logger *l)
{
	if (l->syslog_fd >= 0)
		close(l->syslog_fd);
	l->syslog_fd = -1;
	l->syslog_connected = l->syslog_is_stream = false;
}

void logger_close(struct logger *l)
{
	close_syslog(l);
	if (l->trace_fd > STDERR_FILENO)
		close(l->trace_fd);
	l->trace_fd = -1;
}

static int connect_syslog(struct logger *l, int type)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", l->syslog_path);
	if (l->syslog_fd < 0) {
		l->syslog_fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		l->syslog_is_stream = type == SOCK_STREAM;
	}
	if (l->syslog_fd < 0 ||
	    connect(l->syslog_fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
		return errno;
	l->syslog_connected = true;
	return 0;
}

/* Non-blocking: to connect to a stream waits as well. False: no daemon, or one that is busy; the
 * socket is kept for the next line then. */
static bool open_syslog(struct logger *l)
{
	int why = connect_syslog(l, SOCK_DGRAM);
	if (why == EPROTOTYPE) {
		close_syslog(l);
		why = connect_syslog(l, SOCK_STREAM);
	}
	if (why != 0 && l->syslog_is_stream)
		close_syslog(l);
	return why == 0;
}

/* 0, or the errno; half a record is EIO. */
static int send_record(const struct logger *l, const char *line)
{
	char head[64];
	struct tm tm;
	time_t now = time(NULL);
	/* <22>: facility mail, severity info (RFC 3164 section 4.1). */
	if (!localtime_r(&now, &tm) ||
	    strftime(head, sizeof(head), "<22>%b %e %H:%M:%S mxdirect: ", &tm) == 0)
		return EINVAL;
	/* NUL ends a record in a stream. The system takes pointers to what it only reads as
	 * pointers to variables. */
	struct iovec parts[] = {
		{ head, strlen(head) },
		{ (void *)(uintptr_t)line, strlen(line) + l->syslog_is_stream },
	};
	const struct msghdr record = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t n = sendmsg(l->syslog_fd, &record, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno;
	return (size_t)n == parts[0].iov_len + parts[1].iov_len ? 0 : EIO;
}

static bool has_room(struct logger *l)
{
	struct pollfd p = { .fd = l->syslog_fd, .events = POLLOUT };
	int64_t ms = l->patience;
	l->patience = 0;
	return poll(&p, 1, (int)ms) > 0;
}

/* A daemon that was started anew is found again. One that does not read is given up for the rest of
 * the run: it would cost every line its wait, and mail matters more than its log. */
static void to_syslog(struct logger *l, const char *line)
{
	for (int tries = 0; tries < 2 && l->syslog_path; tries++) {
		if (!l->syslog_connected && !open_syslog(l))
			return;
		int why = send_record(l, line);
		if (why == EAGAIN && has_room(l))
			why = send_record(l, line);
		if (why == 0)
			return;
		if (why == EAGAIN)
			l->syslog_path = NULL;
		close_syslog(l);
	}
}

static void trace(void *self, const char *line)
{
	const struct logger *l = self;
	char stamp[32];
	int64_t ms = clock_now(&l->clock).ms - l->start.ms;
	snprintf(stamp, sizeof(stamp), "%lld.%03d ", (long long)(ms / 1000), (int)(ms % 1000));
	/* One call, so that the lines of runs that share a file do not mix. */
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
	struct logger *l = self;
	to_syslog(l, line);
	if (l->trace_fd >= 0)
		trace(self, line);
}

struct journal logger_journal(struct logger *l)
{
	return (struct journal){ .log = log_line,
				 .trace = l->trace_fd >= 0 ? trace : NULL,
				 .self = l };
}
