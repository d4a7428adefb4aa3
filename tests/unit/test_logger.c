/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "front/logger.h"

#include "harness.h"

static char dir[64], path[128], other[128];

static void fresh_dir(void)
{
	snprintf(dir, sizeof(dir), "/tmp/test-logger-XXXXXX");
	CU_ASSERT_FATAL(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/trace", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
}

static void remove_dir(void)
{
	unlink(path);
	unlink(other);
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
		CU_ASSERT_FATAL(logger_open(path, false, &l, &err));
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
	CHECK(label, !logger_open(path, true, &l, &err));
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
	bool ok = logger_open(NULL, true, &l, &err);
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
	ok = logger_open(NULL, true, &l, &err);
	j = logger_journal(&l);
	if (ok && j.trace)
		j.trace(j.self, "> QUIT");
	bool quiet_ok = logger_open(NULL, false, &l, &err);
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

TEST_MAIN("logger", { "trace", test_trace }, { "refused", test_refused },
	  { "verbose", test_verbose })
