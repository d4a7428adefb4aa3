/* SPDX-License-Identifier: ISC */
/* once INPUT COMMAND...: run a command with INPUT as its standard input and print what it and all
 * its descendants took: "CPU-microseconds WALL-microseconds PEAK-KiB STATUS". Static, so that its
 * own size does not show in the peak. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t cpu_us(const struct rusage *u)
{
	return ((int64_t)u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000 + u->ru_utime.tv_usec +
	       u->ru_stime.tv_usec;
}

static void start(char **argv)
{
	int input = open(argv[1], O_RDONLY);
	if (input < 0 || dup2(input, STDIN_FILENO) < 0 || (input > 2 && close(input))) {
		perror(argv[1]);
		_exit(75);
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	_exit(75);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fputs("usage: once INPUT COMMAND...\n", stderr);
		return 75;
	}
	/* Descendants that outlive the command are inherited, waited for and counted too. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	int64_t begin = now_us(), end = begin, cpu = 0;
	long peak = 0;
	int status = 0, result = 75;
	pid_t command = fork();
	if (!command)
		start(argv);
	for (;;) {
		struct rusage u;
		pid_t pid = wait4(-1, &status, 0, &u);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			break;
		cpu += cpu_us(&u);
		peak = u.ru_maxrss > peak ? u.ru_maxrss : peak;
		if (pid == command) {
			end = now_us();
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		}
	}
	printf("%" PRId64 " %" PRId64 " %ld %d\n", cpu, end - begin, peak, result);
	return 0;
}
