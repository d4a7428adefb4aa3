/* SPDX-License-Identifier: ISC */
#include "front/ctl_check_net.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "net/dial.h"
#include "net/idna.h"

#define GREETING 512

/* A name that has been signed for as long as there are signed names, and one of which RFC 6761
 * section 6.4 says that it will never be. */
static const struct {
	const char *name;
	enum dns_type type;
	const char *type_name;
} known_good = { "ietf.org", DNS_MX, "MX" }, never = { "mxdirect-check.invalid", DNS_A, "A" };

static const struct dns_answer *ask(const struct services *sv, struct page *p, const char *name,
				    enum dns_type type)
{
	const struct dns_answer *a = resolver_ask(sv->resolver, p->arena, name, type);
	if (!a) {
		p->nomem = true;
		return NULL;
	}
	resolver_wait(sv->resolver, &a, 1, deadline_in(io_now(sv->io), sv->config->dns_timeout));
	return a;
}

static const char *said(const struct dns_answer *a)
{
	return a->state == DNS_TEMP     ? a->why
	       : a->state == DNS_NODATA ? "no such record"
	       : a->state == DNS_OK     ? "an answer"
					: "no such name";
}

static void check_validates(struct findings *f, const struct services *sv,
			    const struct dns_answer *a)
{
	enum finding_level level = sv->config->dane ? FINDING_WARNING : FINDING_OK;
	if (a->authentic)
		findings_add(f, FIND_DNS_VALIDATES, FINDING_OK, NULL,
			     "the answer for %s is marked as validated", known_good.name);
	else
		findings_add(f, FIND_DNS_VALIDATES, level,
			     "Run a validating resolver (unbound, knot-resolver) on a loopback "
			     "address of this machine; or, if the way to one is safe, set "
			     "dns_trust_ad.",
			     "the answer for %s is not marked as validated, or the resolver is "
			     "not trusted%s",
			     known_good.name, sv->config->dane ? "" : "; dane is off");
}

void check_resolver(struct findings *f, const struct services *sv)
{
	static const char fix[] = "Look at dns_servers or /etc/resolv.conf, and whether the name "
				  "servers there run and can be reached.";
	struct instant begin = io_now(sv->io);
	const struct dns_answer *good = ask(sv, f->page, known_good.name, known_good.type);
	struct instant middle = io_now(sv->io);
	const struct dns_answer *absent = ask(sv, f->page, never.name, never.type);
	struct instant end = io_now(sv->io);
	f->about = "Resolver";
	if (!good || !absent)
		return;
	findings_add(f, FIND_DNS_ANSWERS, good->state == DNS_OK ? FINDING_OK : FINDING_FAILURE, fix,
		     "%s of %s: %s in %lld ms", known_good.type_name, known_good.name, said(good),
		     (long long)(middle.ms - begin.ms));
	findings_add(
		f, FIND_DNS_ABSENT, absent->state == DNS_NXDOMAIN ? FINDING_OK : FINDING_FAILURE,
		absent->state == DNS_TEMP
			? fix
			: "Use a resolver that does not rewrite answers, best one of your own.",
		"%s of %s, which does not exist: %s in %lld ms", never.type_name, never.name,
		said(absent), (long long)(end.ms - middle.ms));
	if (good->state == DNS_OK)
		check_validates(f, sv, good);
}

/* The addresses of a.root-servers.net: never private, whatever the routes of this machine. */
static const struct ip public4 = { 4, { 198, 41, 0, 4 } },
		       public6 = { 6, { 0x20, 0x01, 0x05, 0x03, 0xba, 0x3e, [15] = 0x30 } };

struct ip check_source(const struct config *c, uint8_t family, bool *ret_chosen)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = { .any = { 0 } };
	struct ip source = family == 4 ? c->source_ipv4 : c->source_ipv6;
	*ret_chosen = source.family == 0;
	if (!*ret_chosen)
		return source;
	socklen_t n = family == 4 ? sizeof(at.v4) : sizeof(at.v6);
	int fd = socket(family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (family == 4) {
		at.v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(25) };
		memcpy(&at.v4.sin_addr, public4.b, 4);
	} else {
		at.v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(25) };
		memcpy(&at.v6.sin6_addr, public6.b, 16);
	}
	if (fd >= 0 && connect(fd, &at.any, n) == 0 && getsockname(fd, &at.any, &n) == 0) {
		source.family = family;
		memcpy(source.b,
		       family == 4 ? (const void *)&at.v4.sin_addr : (const void *)&at.v6.sin6_addr,
		       family == 4 ? 4 : 16);
	}
	if (fd >= 0)
		close(fd);
	return source;
}

/* A name that is an address, or all that DNS has for it. */
static size_t find_addresses(struct page *p, const struct services *sv, const char *host,
			     uint16_t port, struct endpoint *to)
{
	static const enum dns_type types[] = { DNS_AAAA, DNS_A };
	size_t n = 0;
	for (size_t t = 0; t < 2; t++) {
		const struct dns_answer *a = ask(sv, p, host, types[t]);
		for (size_t i = 0; a && i < a->nrr && n < LIMIT_ADDRS; i++)
			to[n++] = (struct endpoint){ a->rr[i].ip, port };
	}
	return n;
}

/* "host", "host:25", "192.0.2.1", "[2001:db8::1]:25". */
static bool split_target(struct page *p, const struct services *sv, const char *target,
			 struct endpoint *to, size_t *ret_n, struct error *err)
{
	const char *colon = strrchr(target, ':');
	uint64_t port = sv->config->smtp_port;
	const char *name, *host = target;
	if (endpoint_parse(span_of(target), (uint16_t)port, to)) {
		*ret_n = 1;
		return true;
	}
	if (colon && (!text_u64(span_of(colon + 1), UINT16_MAX, &port) || port == 0))
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "--to %s: bad port", target);
	if (colon)
		host = arena_str(p->arena, (struct span){ target, (size_t)(colon - target) });
	if (!host)
		return err_nomem(err);
	if (!idna_ascii(p->arena, host, &name, err))
		return err_wrap(err, "--to %s", target);
	*ret_n = find_addresses(p, sv, name, (uint16_t)port, to);
	return true;
}

/* The first line of what is said, within the limit of a greeting. False: `line` says what came
 * instead. */
static bool hear(const struct services *sv, int fd, char line[static GREETING])
{
	struct deadline until = deadline_in(io_now(sv->io), sv->config->greeting_timeout);
	size_t n = 0;
	line[0] = '\0';
	while (n + 1 < GREETING && !memchr(line, '\n', n)) {
		struct pollfd in = { .fd = fd, .events = POLLIN };
		enum io_event event = io_poll(sv->io, &in, 1, until);
		ssize_t got = event == IO_READY ? recv(fd, line + n, GREETING - 1 - n, 0) : -1;
		if (event != IO_READY || got <= 0) {
			snprintf(line, GREETING, "%s",
				 event != IO_READY ? "no greeting in time"
						   : "closed without a greeting");
			return false;
		}
		n += (size_t)got;
	}
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	return line[0] == '2';
}

bool check_port(struct findings *f, const struct services *sv, const char *target,
		struct error *err)
{
	static const char fix[] = "Ask your provider to open outgoing connections to port 25, and "
				  "look at the firewall of this machine; if all is open, try "
				  "another host.";
	struct endpoint to[LIMIT_ADDRS];
	const struct config *c = sv->config;
	struct dial_result r;
	struct error why = { .class = ERR_NONE };
	char line[GREETING], at[ENDPOINT_TEXT];
	size_t n = 0;
	if (!split_target(f->page, sv, target, to, &n, err))
		return false;
	const struct dial_ask dial = {
		to, n, c->source_ipv4, c->source_ipv6, c->stagger, c->connect_timeout
	};
	f->about = "Outgoing connections";
	if (n == 0) {
		findings_add(f, FIND_PORT, FINDING_FAILURE, "Name a host that exists.",
			     "%s has no address", target);
		return true;
	}
	struct deadline until = deadline_in(io_now(sv->io), 2 * c->connect_timeout);
	if (!dial_race(sv->io, &dial, until, &r, &why)) {
		findings_add(f, FIND_PORT, FINDING_FAILURE, fix, "%s: %s", target, why.text);
		return true;
	}
	endpoint_format(to[r.winner], at);
	bool good = hear(sv, r.fd, line);
	close(r.fd);
	findings_add(f, FIND_PORT, good ? FINDING_OK : FINDING_FAILURE, fix, "%s: %s", at, line);
	return true;
}
