/* SPDX-License-Identifier: ISC */
#include "flow/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

static bool nobody_left(void)
{
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

/* What a shell command writes to its descriptor 1, with `input` as 0. Returns its status. */
static int run(const char *command, int input, char *out, size_t size)
{
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	int pair[2], why;
	size_t n = 0;
	ssize_t got;
	pid_t pid = 0;
	if (pipe2(pair, O_CLOEXEC) != 0)
		abort();
	const int fds[3] = { input, pair[1], -1 };
	why = spawn_program(argv, fds, &pid);
	CHECK(command, why == 0);
	close(pair[1]);
	while ((got = read(pair[0], out + n, size - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	close(pair[0]);
	return spawn_end(pid);
}

static void surroundings(void)
{
	char out[1000];
	sigset_t term;
	int extra = open("/dev/null", O_RDONLY | O_CLOEXEC);
	setenv("SPAWN_TEST", "1", 1);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	signal(SIGPIPE, SIG_IGN);
	run("exec grep -h ^SigBlk /proc/self/status", -1, out, sizeof(out));
	CHECK_STR("blocked", out, "SigBlk:\t0000000000000000\n");
	run("exec grep -h ^SigIgn /proc/self/status", -1, out, sizeof(out));
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &term, NULL);
	/* Two that are libc's own, 32 and 33, are beyond its reach. */
	CHECK("ignored", strncmp(out, "SigIgn:\t", 8) == 0);
	CHECK("ignored", (strtoull(out + 8, NULL, 16) & 0x7fffffff) == 0);
	run("echo ${SPAWN_TEST-none} ${HOME-none}; cat", -1, out, sizeof(out));
	CHECK_STR("no environment, an empty input", out, "none none\n");
	run("exec ls /proc/self/fd", -1, out, sizeof(out));
	CHECK_STR("three descriptors, and that of ls", out, "0\n1\n2\n3\n");
	close(extra);
}

static void descriptors(void)
{
	char out[100];
	int pair[2];
	if (pipe2(pair, O_CLOEXEC) != 0 || write(pair[1], "hello", 5) != 5)
		abort();
	close(pair[1]);
	run("cat; echo lost >&2", pair[0], out, sizeof(out));
	CHECK_STR("input", out, "hello");
	close(pair[0]);
}

static void ends(void)
{
	char out[100];
	int status = run("kill -9 $$", -1, out, sizeof(out));
	CHECK("its own end", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && nobody_left());
	status = run("exec >&-; while :; do :; done", -1, out, sizeof(out));
	CHECK("it goes on", WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && nobody_left());
}

static void missing(void)
{
	const char *const argv[] = { "/nonexistent/program", NULL };
	const int fds[3] = { -1, -1, -1 };
	pid_t pid = 0;
	int why = spawn_program(argv, fds, &pid);
	/* Under valgrind the child cannot say why it did not start. */
	if (why == 0)
		CHECK("missing", WEXITSTATUS(spawn_end(pid)) == 127);
	else
		CHECK("missing", why == ENOENT);
	CHECK("missing", nobody_left());
}

int main(void)
{
	static const struct test tests[] = {
		{ "surroundings", surroundings },
		{ "descriptors", descriptors },
		{ "ends", ends },
		{ "missing", missing },
	};
	/* What this one was started with is not to be found in its children. */
	close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	return test_main("spawn", tests, sizeof(tests) / sizeof(tests[0]));
}
