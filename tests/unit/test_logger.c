/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "front/logger.h"

#include "harness.h"

static char dir[64], path[128], other[128], sock[100];

static void fresh_dir(void)
{
	snprintf(dir, sizeof(dir), "/tmp/test-logger-XXXXXX");
	CU_ASSERT_FATAL(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/trace", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	snprintf(sock, sizeof(sock), "%s/log", dir);
}

static void remove_dir(void)
{
	unlink(path);
	unlink(other);
	unlink(sock);
	CHECK("nothing else was made", rmdir(dir) == 0);
}

static const char *content(void)
{
	static char text[1000];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	if (f)
		fclose(f);
	text[n] = '\0';
	return text;
}

/* "0.012 > QUIT\n" at *p; *p moves behind it. */
static bool stamped(const char **p, const char *line)
{
	unsigned seconds, ms;
	int used = 0;
	if (sscanf(*p, "%u.%3u%n", &seconds, &ms, &used) != 2 || (*p)[used] != ' ')
		return false;
	*p += used + 1;
	size_t n = strlen(line);
	if (strncmp(*p, line, n) != 0 || (*p)[n] != '\n')
		return false;
	*p += n + 1;
	return true;
}

static void test_trace(void)
{
	struct logger l;
	struct error err;
	struct stat st;
	fresh_dir();
	mode_t old = umask(0);
	for (int run = 0; run < 2; run++) {
		logger_init(sock, &l);
		CU_ASSERT_FATAL(logger_trace(&l, path, false, &err));
		const struct journal j = logger_journal(&l);
		CU_ASSERT_FATAL(j.trace != NULL);
		CHECK("close-on-exec", (fcntl(l.trace_fd, F_GETFD) & FD_CLOEXEC) != 0);
		j.trace(j.self, "< 220 mx");
		j.trace(j.self, "");
		j.log(j.self, "ABC: to=<r@x>, 100%s");
		logger_close(&l);
		CHECK("closed", l.trace_fd == -1);
	}
	umask(old);
	CHECK("mode", stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	const char *p = content();
	for (int run = 0; run < 2; run++) {
		CHECK("line", stamped(&p, "< 220 mx"));
		CHECK("an empty line", stamped(&p, ""));
		CHECK("a log line", stamped(&p, "ABC: to=<r@x>, 100%s"));
	}
	CHECK("nothing more", *p == '\0');
	remove_dir();
}

static void refused(const char *label)
{
	struct logger l = { .trace_fd = 77 };
	struct error err = { 0 };
	CHECK(label, !logger_trace(&l, path, true, &err));
	CHECK(label, err.class == ERR_CONFIG && err.code.cls == 4 && err.code.subject == 3 &&
			     err.code.detail == 5);
	CHECK(label, strstr(err.text, path) != NULL);
	CHECK(label, l.trace_fd == 77);
}

static void test_refused(void)
{
	struct stat st;
	fresh_dir();
	close(open(other, O_WRONLY | O_CREAT, 0600));
	CU_ASSERT_FATAL(symlink(other, path) == 0);
	refused("a symbolic link");
	unlink(path);
	unlink(other);
	CU_ASSERT_FATAL(symlink(other, path) == 0);
	refused("a symbolic link to nothing");
	CHECK("nothing was made", lstat(other, &st) != 0);
	unlink(path);
	CU_ASSERT_FATAL(mkfifo(path, 0600) == 0);
	refused("a named pipe without reader");
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	refused("a named pipe with reader");
	close(fd);
	unlink(path);
	CU_ASSERT_FATAL(mkdir(path, 0700) == 0);
	refused("a directory");
	rmdir(path);
	remove_dir();
	refused("a directory that is not there");
}

/* Standard error is no terminal here: it belongs to a host. */
static void test_verbose(void)
{
	int keep = dup(STDERR_FILENO), fds[2];
	struct logger l;
	struct error err;
	char c;
	CU_ASSERT_FATAL(pipe2(fds, O_NONBLOCK) == 0 && dup2(fds[1], STDERR_FILENO) >= 0);
	logger_init("", &l);
	bool ok = logger_trace(&l, NULL, true, &err);
	struct journal j = logger_journal(&l);
	if (ok)
		j.log(j.self, "a log line");
	logger_close(&l);
	dup2(keep, STDERR_FILENO);
	CHECK("no terminal", ok && j.trace == NULL);
	CHECK("nothing is said", read(fds[0], &c, 1) < 0);
	close(fds[0]);
	close(fds[1]);

	int master = posix_openpt(O_RDWR | O_NOCTTY);
	char name[100] = "";
	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 ||
	    ptsname_r(master, name, sizeof(name)) != 0) {
		close(keep);
		return; /* No terminals to be had. */
	}
	int tty = open(name, O_RDWR | O_NOCTTY);
	dup2(tty, STDERR_FILENO);
	logger_init("", &l);
	ok = logger_trace(&l, NULL, true, &err);
	j = logger_journal(&l);
	if (ok && j.trace)
		j.trace(j.self, "> QUIT");
	logger_init("", &l);
	bool quiet_ok = logger_trace(&l, NULL, false, &err);
	bool quiet = logger_journal(&l).trace == NULL;
	logger_close(&l);
	dup2(keep, STDERR_FILENO);
	char text[100] = "";
	CHECK("a terminal", ok && j.trace != NULL);
	CHECK("said", read(master, text, sizeof(text) - 1) > 0 && strstr(text, " > QUIT"));
	CHECK("not verbose", quiet_ok && quiet);
	close(tty);
	close(master);
	close(keep);
}

/* The log daemon. A stream listens; a datagram socket is what lines come from. */
static int daemon_open(int type)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	unlink(sock);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", sock);
	CU_ASSERT_FATAL(bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0);
	if (type == SOCK_STREAM)
		CU_ASSERT_FATAL(listen(fd, 5) == 0);
	return fd;
}

/* What has come, with NUL shown as '|'; the time stamp is checked and left out. */
static const char *arrived(int fd)
{
	static char text[LIMIT_LOG_LINE + 100], stamp[16];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	for (ssize_t i = 0; i < n; i++)
		text[i] = (char)(text[i] ? text[i] : '|');
	struct tm tm;
	time_t now = time(NULL);
	if (n < 20 || !localtime_r(&now, &tm) || text[19] != ' ')
		return text;
	memcpy(stamp, text + 4, 15);
	struct tm got = tm;
	const char *end = strptime(stamp, "%b %e %H:%M:%S", &got);
	CHECK(stamp, end && *end == '\0' && labs((long)(mktime(&got) - now)) < 100);
	memmove(text + 4, text + 19, strlen(text + 19) + 1);
	return text;
}

static void say(struct logger *l, const char *line)
{
	const struct journal j = logger_journal(l);
	j.log(j.self, line);
}

static void test_syslog(void)
{
	struct logger l;
	char longest[LIMIT_LOG_LINE + 1], want[LIMIT_LOG_LINE + 20];
	fresh_dir();
	int fd = daemon_open(SOCK_DGRAM);
	logger_init(sock, &l);
	CHECK("nothing is opened before there is something to say", l.syslog_fd == -1);
	say(&l, "ABC: to=<r@x>, 100%s");
	CHECK("close-on-exec", (fcntl(l.syslog_fd, F_GETFD) & FD_CLOEXEC) != 0);
	CHECK_STR("a line", arrived(fd), "<22> mxdirect: ABC: to=<r@x>, 100%s");
	memset(longest, 'x', LIMIT_LOG_LINE);
	longest[LIMIT_LOG_LINE] = '\0';
	snprintf(want, sizeof(want), "<22> mxdirect: %s", longest);
	say(&l, longest);
	CHECK_STR("the longest", arrived(fd), want);

	close(fd);
	say(&l, "while it is away");
	fd = daemon_open(SOCK_DGRAM);
	say(&l, "back");
	CHECK_STR("a new daemon", arrived(fd), "<22> mxdirect: back");
	close(fd);
	fd = daemon_open(SOCK_DGRAM);
	say(&l, "at once");
	CHECK_STR("a new daemon, not missed", arrived(fd), "<22> mxdirect: at once");
	close(fd);
	logger_close(&l);
	CHECK("closed", l.syslog_fd == -1);
	remove_dir();
}

static void test_syslog_stream(void)
{
	struct logger l;
	fresh_dir();
	int fd = daemon_open(SOCK_STREAM);
	logger_init(sock, &l);
	say(&l, "one");
	int peer = accept(fd, NULL, NULL);
	CHECK_STR("a line", arrived(peer), "<22> mxdirect: one|");
	close(peer);
	say(&l, "two");
	peer = accept(fd, NULL, NULL);
	CHECK_STR("a new connection", arrived(peer), "<22> mxdirect: two|");
	close(peer);
	close(fd);
	logger_close(&l);
	remove_dir();
}

/* Nobody reads: the run waits, but once, and not for long. */
static void hangs(int type)
{
	struct logger l;
	int lines = 0;
	fresh_dir();
	int fd = daemon_open(type);
	logger_init(sock, &l);
	const struct instant start = clock_now(&l.clock);
	char line[1000];
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	l.patience = 50;
	while (l.syslog_path && lines < 100000) {
		say(&l, line);
		lines++;
	}
	int64_t waited = clock_now(&l.clock).ms - start.ms;
	CHECK("given up", lines > 1 && lines < 100000 && l.syslog_fd == -1);
	CHECK("after a wait", waited >= 50);
	/* A daemon that comes to life is of no use any more. */
	int peer = type == SOCK_STREAM ? accept(fd, NULL, NULL) : fd;
	while (recv(peer, line, sizeof(line), 0) > 0)
		;
	say(&l, "never");
	CHECK("for the rest of the run", recv(peer, line, sizeof(line), 0) <= 0);
	if (peer != fd)
		close(peer);
	close(fd);
	logger_close(&l);
	remove_dir();
}

static void test_syslog_hangs(void)
{
	hangs(SOCK_DGRAM);
	hangs(SOCK_STREAM);
}

/* It reads again while we wait. */
static void test_syslog_slow(void)
{
	struct logger l;
	char got[100];
	fresh_dir();
	int fd = daemon_open(SOCK_DGRAM);
	int filler = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", sock);
	while (sendto(filler, "x", 1, 0, (const struct sockaddr *)&at, sizeof(at)) == 1)
		;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		fcntl(fd, F_SETFL, 0);
		while (recv(fd, got, sizeof(got), 0) == 1)
			;
		_exit(0);
	}
	logger_init(sock, &l);
	say(&l, "late");
	CHECK("not given up", l.syslog_path != NULL);
	logger_close(&l);
	int status = -1;
	waitpid(pid, &status, 0);
	CHECK("the line came", status == 0);
	close(filler);
	close(fd);
	remove_dir();
}

static void test_syslog_nobody(void)
{
	struct logger l;
	fresh_dir();
	logger_init(sock, &l);
	say(&l, "no such file");
	close(open(sock, O_WRONLY | O_CREAT, 0600));
	say(&l, "a file");
	CHECK("no daemon", !l.syslog_connected);
	struct stat st;
	CHECK("nothing is written", stat(sock, &st) == 0 && st.st_size == 0);
	logger_close(&l);
	remove_dir();
}

TEST_MAIN("logger", { "trace", test_trace }, { "refused", test_refused },
	  { "verbose", test_verbose }, { "syslog", test_syslog },
	  { "syslog, stream", test_syslog_stream }, { "syslog, hanging", test_syslog_hangs },
	  { "syslog, slow", test_syslog_slow }, { "syslog, nobody", test_syslog_nobody })
