/* SPDX-License-Identifier: ISC */
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
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

static struct ip ip_of(const struct ifaddrs *i)
{
	static const struct ip loopback6 = { .family = 6, .b = { [15] = 1 } };
	struct ip ip = { 0 };
	if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || (i->ifa_flags & IFF_LOOPBACK))
		return ip;
	if (i->ifa_addr->sa_family == AF_INET) {
		ip.family = 4;
		memcpy(ip.b, &((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr, 4);
	} else if (i->ifa_addr->sa_family == AF_INET6) {
		ip.family = 6;
		memcpy(ip.b, &((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->sin6_addr,
		       16);
	}
	if ((ip.family == 4 && ip.b[0] == 127) || ip_equal(ip, loopback6))
		ip.family = 0;
	return ip;
}

const struct ip *own_addresses(struct arena *a, size_t *ret_n)
{
	struct ifaddrs *list = NULL;
	size_t n = 0;
	if (getifaddrs(&list) != 0)
		list = NULL;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next)
		n++;
	struct ip *ips = ARENA_NEW(a, struct ip, n + 1);
	n = 0;
	for (const struct ifaddrs *i = list; ips && i; i = i->ifa_next) {
		ips[n] = ip_of(i);
		n += ips[n].family != 0;
	}
	if (list)
		freeifaddrs(list);
	if (ips)
		*ret_n = n;
	return ips;
}
