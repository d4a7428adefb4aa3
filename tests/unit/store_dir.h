/* SPDX-License-Identifier: ISC */
/* A directory of its own for a test of the store, and children that do something there and end with
 * 0 when it went well. */
#ifndef TESTS_STORE_DIR_H
#define TESTS_STORE_DIR_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char store_dir[] = "/tmp/mxdirect-store-XXXXXX";

static inline void dir_make(void)
{
	memcpy(strstr(store_dir, "store-") + 6, "XXXXXX", 6);
	if (!mkdtemp(store_dir))
		abort();
}

static inline const char *dir_path(const char *name)
{
	static char path[4][300];
	static unsigned n;
	snprintf(path[++n % 4], sizeof(path[0]), "%s/%s", store_dir, name);
	return path[n % 4];
}

static inline void dir_remove(void)
{
	DIR *d = opendir(store_dir);
	for (struct dirent *e; d && (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    unlink(dir_path(e->d_name)) != 0 && rmdir(dir_path(e->d_name)) != 0)
			abort();
	if (d)
		closedir(d);
	if (rmdir(store_dir) != 0)
		abort();
}

static inline off_t dir_size(const char *name)
{
	struct stat st;
	return lstat(dir_path(name), &st) == 0 ? st.st_size : -1;
}

/* Bytes of a file; NULL `bytes`: zeros. */
static inline void dir_write(const char *name, off_t at, const void *bytes, size_t n)
{
	static const char zeros[8192];
	int fd = open(dir_path(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || n > sizeof(zeros) || pwrite(fd, bytes ? bytes : zeros, n, at) != (ssize_t)n ||
	    close(fd) != 0)
		abort();
}

static inline pid_t child(void (*run)(void *ctx), void *ctx)
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid < 0)
		abort();
	if (pid == 0) {
		run(ctx);
		_exit(0);
	}
	return pid;
}

/* Its exit code, or 1000 and the signal that killed it. */
static inline int child_end(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			abort();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

#endif
