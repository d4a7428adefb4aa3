/* SPDX-License-Identifier: ISC */
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "net/own.h"

/* What own_name() says on a machine of that name; NULL where we may not make one. */
static const char *name_on(const char *host, char out[static 512])
{
	int fd[2];
	if (pipe(fd) != 0)
		abort();
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		bool mine =
			unshare(CLONE_NEWUTS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWUTS) == 0;
		struct arena *a = arena_open(LIMIT_ARENA);
		const char *name = "";
		struct error err;
		if (!mine || sethostname(host, strlen(host)) != 0)
			_exit(2);
		if (!own_name(a, &name, &err) || write(fd[1], name, strlen(name)) < 0)
			_exit(1);
		arena_close(a);
		_exit(0);
	}
	close(fd[1]);
	ssize_t n = read(fd[0], out, 511);
	out[n > 0 ? n : 0] = '\0';
	close(fd[0]);
	int status = 1;
	if (waitpid(pid, &status, 0) != pid)
		abort();
	CHECK(host, WIFEXITED(status) && WEXITSTATUS(status) != 1);
	return WEXITSTATUS(status) == 0 ? out : NULL;
}

/* "localhost" is asked for in /etc/hosts; no other name without dot is tried, since that would go
 * out on the network. */
static void name(void)
{
	static const struct {
		const char *host, *want;
	} cases[] = {
		{ "mail.example.org", "mail.example.org" },
		{ "mail.example.org.", "mail.example.org" },
		{ "bad name.example.org", "" },
		{ "two..dots", "" },
		{ ".", "" },
	};
	char got[512];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (name_on(cases[i].host, got))
			CHECK_STR(cases[i].host, got, cases[i].want);
	if (name_on("localhost", got))
		CHECK("localhost is not full", got[0] == '\0' || strchr(got, '.'));
}

static void name_no_memory(void)
{
	char host[256] = "";
	struct arena *a = arena_open(0);
	const char *got = "untouched";
	struct error err = { 0 };
	gethostname(host, sizeof(host) - 1);
	if (strchr(host, '.')) {
		CHECK("no memory", !own_name(a, &got, &err) && err.class == ERR_INTERNAL);
		CHECK_STR("no memory", got, "untouched");
	}
	arena_close(a);
}

static void addresses(void)
{
	static const struct ip_net loopback[] = {
		{ { 4, { 127 } }, 8 },
		{ { 6, { [15] = 1 } }, 128 },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	size_t n = 12345;
	const struct ip *ips = own_addresses(a, &n);
	CHECK("a list, even if empty", ips != NULL && n < 12345);
	for (size_t i = 0; ips && i < n; i++) {
		CHECK("family", ips[i].family == 4 || ips[i].family == 6);
		for (size_t k = 0; k < 2; k++)
			CHECK("no loopback", !ip_net_has(loopback[k], ips[i]));
	}
	arena_close(a);
	a = arena_open(0);
	CHECK("no memory", !own_addresses(a, &n));
	arena_close(a);
}

TEST_MAIN("own", { "name", name }, { "name_no_memory", name_no_memory }, { "addresses", addresses })
