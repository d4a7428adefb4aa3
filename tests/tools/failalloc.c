/* SPDX-License-Identifier: ISC */
/*
 * LD_PRELOAD object: with FAILALLOC=N the Nth malloc, calloc or realloc of the process from its
 * constructors on fails with ENOMEM. FAILALLOC_COUNT=FILE: at exit the number of allocations there
 * were is written to FILE. Whoever crashes for want of memory is named on descriptor 2.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

/* glibc's own names for what is replaced here: no dlsym(), which allocates itself. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static long count, fail_at;

static void *place(const ucontext_t *context)
{
#if defined(__x86_64__)
	return (void *)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return (void *)context->uc_mcontext.pc;
#else
	(void)context;
	return NULL;
#endif
}

/* Says where, and crashes again. */
static void crashed(int number, siginfo_t *info, void *context)
{
	Dl_info where;
	(void)info;
	signal(number, SIG_DFL);
	if (!dladdr(place(context), &where) || !where.dli_fname)
		return;
	static const char text[] = "crash in ";
	ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);
	n += write(STDERR_FILENO, where.dli_fname, strlen(where.dli_fname));
	(void)n;
}

__attribute__((constructor)) static void start(void)
{
	const struct sigaction action = { .sa_sigaction = crashed, .sa_flags = SA_SIGINFO };
	const char *at = getenv("FAILALLOC");
	fail_at = at ? strtol(at, NULL, 10) : 0;
	if (fail_at)
		sigaction(SIGSEGV, &action, NULL);
	count = 0;
}

static int fails(void)
{
	if (__atomic_add_fetch(&count, 1, __ATOMIC_RELAXED) != fail_at)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return fails() ? NULL : __libc_realloc(p, n);
}

__attribute__((destructor)) static void tell(void)
{
	char text[32];
	const char *path = getenv("FAILALLOC_COUNT");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
	if (fd < 0)
		return;
	int n = snprintf(text, sizeof(text), "%ld", count);
	if (write(fd, text, (size_t)n) != n)
		_exit(75);
	close(fd);
}
