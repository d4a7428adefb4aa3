/* SPDX-License-Identifier: ISC */
#include "flow/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/wait.h>

static int set_files(posix_spawn_file_actions_t *files, const int fds[static 3])
{
	int why = 0;
	for (int i = 0; i < 3 && !why; i++)
		why = fds[i] < 0
			      ? posix_spawn_file_actions_addopen(files, i, "/dev/null", O_RDWR, 0)
			      : posix_spawn_file_actions_adddup2(files, fds[i], i);
	return why;
}

static int set_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	int why = posix_spawnattr_setflags(attributes,
					   POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (!why)
		why = posix_spawnattr_setsigmask(attributes, &none);
	return why ? why : posix_spawnattr_setsigdefault(attributes, &all);
}

int spawn_program(const char *const argv[], const int fds[static 3], pid_t *ret)
{
	/* Nothing in it (a proxy, a key log, a locale) is for them. */
	char *const environment[] = { NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int why = posix_spawn_file_actions_init(&files);
	if (why)
		return why;
	why = posix_spawnattr_init(&attributes);
	if (why) {
		posix_spawn_file_actions_destroy(&files);
		return why;
	}
	why = set_files(&files, fds);
	if (!why)
		why = set_signals(&attributes);
	if (!why)
		why = posix_spawn(ret, argv[0], &files, &attributes, (char *const *)(uintptr_t)argv,
				  environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return why;
}

int spawn_end(pid_t pid)
{
	int status = 0;
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}
