/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
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

static bool is_own(const char *text)
{
	struct ip ip, got = { .family = 77 };
	if (!ip_parse(span_of(text), &ip))
		abort();
	size_t n = own_addresses(&ip, 1, &got);
	CHECK(text, n == 0 ? got.family == 77 : n == 1 && ip_equal(got, ip));
	return n == 1;
}

/* A lone machine with 192.0.2.1/24 at its loopback interface, where all of that network is its own.
 * 0: all is as it should be; 2: we may not make one. */
static int alone(void)
{
	struct ifreq ask = { .ifr_name = "lo" };
	struct sockaddr_in in = { .sin_family = AF_INET };
	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return 2;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	ask.ifr_flags = IFF_UP;
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ask) != 0)
		return 2;
	if (is_own("192.0.2.1"))
		return 1;
	snprintf(ask.ifr_name, sizeof(ask.ifr_name), "lo:1");
	inet_pton(AF_INET, "192.0.2.1", &in.sin_addr);
	memcpy(&ask.ifr_addr, &in, sizeof(in));
	if (ioctl(fd, SIOCSIFADDR, &ask) != 0)
		return 2;
	close(fd);
	/* The source address for 192.0.2.2 is 192.0.2.1, and for 198.51.100.1 there is none. */
	return !is_own("192.0.2.1") || !is_own("192.0.2.2") || !is_own("::ffff:192.0.2.1") ||
	       !is_own("64:ff9b::192.0.2.1") || is_own("198.51.100.1");
}

static void addresses_alone(void)
{
	int status = 1;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(alone());
	if (waitpid(pid, &status, 0) != pid)
		abort();
	CHECK("a machine of its own", WIFEXITED(status) && WEXITSTATUS(status) != 1);
}

static struct ip ip_of(const struct sockaddr *at)
{
	struct ip ip = { 0 };
	if (at && at->sa_family == AF_INET) {
		ip.family = 4;
		memcpy(ip.b, &((const struct sockaddr_in *)(const void *)at)->sin_addr, 4);
	} else if (at && at->sa_family == AF_INET6) {
		ip.family = 6;
		memcpy(ip.b, &((const struct sockaddr_in6 *)(const void *)at)->sin6_addr, 16);
	}
	return ip;
}

static void addresses(void)
{
	static const char *const others[] = {
		"127.0.0.1",        "127.5.5.5",       "::1",
		"0.0.0.0",          "0.0.0.1",         "::",
		"::ffff:127.0.0.1", "255.255.255.255", "224.0.0.1",
		"ff02::1",          "203.0.113.77",    "2001:db8::77"
	};
	struct ifaddrs *list = NULL;
	struct ip mine[20], asked[3], got[3];
	size_t n = 0;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		CHECK(others[i], !is_own(others[i]));
	CHECK("nothing asked", own_addresses(NULL, 0, NULL) == 0);

	if (getifaddrs(&list) != 0)
		list = NULL;
	for (const struct ifaddrs *i = list; i && n < 20; i = i->ifa_next)
		if ((i->ifa_flags & IFF_UP) && !(i->ifa_flags & IFF_LOOPBACK) &&
		    ip_of(i->ifa_addr).family != 0)
			mine[n++] = ip_of(i->ifa_addr);
	freeifaddrs(list);
	for (size_t i = 0; i < n; i++) {
		char text[IP_TEXT];
		ip_format(mine[i], text);
		CHECK(text, is_own(text));
		CHECK("one that is not ours", ip_parse(SPAN("127.0.0.1"), &asked[0]));
		asked[1] = mine[i];
		asked[2] = asked[0];
		CHECK(text, own_addresses(asked, 3, got) == 1 && ip_equal(got[0], mine[i]));
	}
}

TEST_MAIN("own", { "name", name }, { "name_no_memory", name_no_memory }, { "addresses", addresses },
	  { "addresses_alone", addresses_alone })
