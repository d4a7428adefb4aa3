/* SPDX-License-Identifier: ISC */
#include <linux/rtnetlink.h>
#include <netdb.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "net/own.h"
#include "wire/addr.h"

/* Without final dot; "" if it has no dot inside or DNS could not carry it. */
static struct span full(const char *name)
{
	struct span s = span_of(name);
	if (s.n > 0 && s.p[s.n - 1] == '.')
		s.n--;
	if (s.n == 0 || !memchr(s.p, '.', s.n) || !domain_valid(s))
		s.n = 0;
	return s;
}

bool own_name(struct arena *a, const char **ret, struct error *err)
{
	char host[LIMIT_DOMAIN + 1] = "";
	struct addrinfo *found = NULL;
	if (gethostname(host, sizeof(host) - 1) != 0)
		host[0] = '\0';
	struct span name = full(host);
	if (name.n == 0 && host[0] && !strchr(host, '.')) {
		static const struct addrinfo ask = { .ai_flags = AI_CANONNAME,
						     .ai_socktype = SOCK_STREAM };
		if (getaddrinfo(host, NULL, &ask, &found) == 0 && found->ai_canonname)
			name = full(found->ai_canonname);
	}
	const char *copy = arena_str(a, name);
	if (found)
		freeaddrinfo(found);
	if (!copy)
		return err_nomem(err);
	*ret = copy;
	return true;
}

/* A loopback address is every machine's own, so it names no machine; 0.0.0.0 and :: are none. */
static bool names_a_machine(struct ip ip)
{
	static const struct ip loopback6 = { .family = 6, .b = { [15] = 1 } },
			       any6 = { .family = 6 };
	if (ip.family == 4)
		return ip.b[0] != 127 && ip.b[0] != 0;
	return ip.family == 6 && !ip_equal(ip, loopback6) && !ip_equal(ip, any6);
}

/* Does the kernel keep what is sent there? Its source address does not tell: for the second address
 * of a network that is the first one. Nor does bind(), with net.ipv4.ip_nonlocal_bind. */
static bool is_local(int *fd, struct ip ip)
{
	struct {
		struct nlmsghdr head;
		struct rtmsg route;
		struct rtattr attribute;
		uint8_t to[16];
	} ask = { 0 };
	union {
		struct nlmsghdr head;
		char bytes[1024];
	} got;
	size_t n = ip.family == 4 ? 4 : 16;
	if (!names_a_machine(ip))
		return false;
	if (*fd < 0)
		*fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ask.head.nlmsg_len = (uint32_t)(offsetof(typeof(ask), to) + n);
	ask.head.nlmsg_type = RTM_GETROUTE;
	ask.head.nlmsg_flags = NLM_F_REQUEST;
	ask.route.rtm_family = ip.family == 4 ? AF_INET : AF_INET6;
	ask.route.rtm_dst_len = (uint8_t)(8 * n);
	ask.attribute.rta_type = RTA_DST;
	ask.attribute.rta_len = (uint16_t)RTA_LENGTH(n);
	memcpy(ask.to, ip.b, n);
	/* The kernel has answered when send() returns. */
	if (send(*fd, &ask, ask.head.nlmsg_len, 0) < 0)
		return false;
	ssize_t size = recv(*fd, &got, sizeof(got), MSG_DONTWAIT);
	const struct rtmsg *route = NLMSG_DATA(&got.head);
	return size >= (ssize_t)NLMSG_LENGTH(sizeof(*route)) &&
	       got.head.nlmsg_type == RTM_NEWROUTE && route->rtm_type == RTN_LOCAL;
}

size_t own_addresses(const struct ip *asked, size_t n, struct ip *ret)
{
	size_t found = 0;
	int fd = -1; /* opened when there is something to ask */
	for (size_t i = 0; i < n; i++) {
		struct ip hidden = ip_unwrap(asked[i]);
		if (is_local(&fd, asked[i]) ||
		    (!ip_equal(hidden, asked[i]) && is_local(&fd, hidden)))
			ret[found++] = asked[i];
	}
	if (fd >= 0)
		close(fd);
	return found;
}
