/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns_build.h"
#include "harness.h"
#include "net/resolver.h"

/*
 * A DNS server in a thread. The first label of the name says what it does: "servfail", "refused",
 * "silent", "garbage", "gone", "big" (truncated over UDP); all others have an address, a mail host,
 * and nothing else.
 */
struct fake {
	int udp, tcp, quit[2];
	struct endpoint at;
	pthread_t thread;
	struct dns_build reply; /* of the thread */
	pthread_mutex_t lock;   /* of what it saw and of its habits, while the thread runs */
	size_t over_udp, over_tcp, n, plain;
	uint16_t id[512];
	bool only_servfail, deaf_once;
};

static const struct deadline far_off = { { INT64_MAX } };

static void qname(const unsigned char *q, char out[static 256], size_t *ret_len)
{
	size_t at = 12, n = 0;
	while (q[at] && n + q[at] + 2 < 256) {
		memcpy(out + n, q + at + 1, q[at]);
		n += q[at];
		at += 1u + q[at];
		out[n++] = '.';
	}
	out[n ? n - 1 : 0] = '\0';
	*ret_len = at + 1;
}

static bool starts(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

/* RD and AD in the header, and at the end an OPT record of 1232 bytes without flags. */
static bool as_we_ask(const unsigned char *q, size_t n)
{
	static const unsigned char opt[] = { 0, 0, 41, 1232 >> 8, 1232 & 0xff, 0, 0, 0, 0, 0, 0 };
	return q[2] == 1 && q[3] == 0x20 && q[11] == 1 && n > 12 + sizeof(opt) &&
	       memcmp(q + n - sizeof(opt), opt, sizeof(opt)) == 0;
}

static void records(struct dns_build *m, const char *name, unsigned type)
{
	char host[64];
	if (starts(name, "big")) {
		for (unsigned i = 0; i < 80; i++) {
			snprintf(host, sizeof(host), "mail-host-number-%u.example.net", i);
			dns_mx(m, name, 300, i, host);
		}
	} else if (type == DNS_A) {
		dns_raw(m, name, DNS_A, 300, SPAN("\xc0\0\2\1"));
	} else if (type == DNS_MX) {
		dns_mx(m, name, 300, 10, "mx.example.net");
	} else {
		dns_soa(m, name, 300, 60);
	}
}

/* False: no reply. */
static bool answer(struct fake *f, const unsigned char *q, size_t n, bool tcp)
{
	struct dns_build *m = &f->reply;
	char name[256];
	size_t end;
	qname(q, name, &end);
	unsigned type = (unsigned)(q[end] << 8 | q[end + 1]), flags = DNS_ANSWER | DNS_AD;
	pthread_mutex_lock(&f->lock);
	f->over_udp += !tcp;
	f->over_tcp += tcp;
	if (f->n < 512)
		f->id[f->n++] = (uint16_t)(q[0] << 8 | q[1]);
	f->plain += !as_we_ask(q, n);
	bool silent = f->deaf_once || starts(name, "silent"), servfail = f->only_servfail;
	f->deaf_once = false;
	pthread_mutex_unlock(&f->lock);
	if (silent)
		return false;
	if (servfail || starts(name, "servfail"))
		flags |= DNS_SERVFAIL;
	else if (starts(name, "refused"))
		flags |= DNS_REFUSED;
	else if (starts(name, "gone"))
		flags |= DNS_NXNAME;
	bool cut = starts(name, "big") && !tcp;
	dns_open(m, cut ? flags | DNS_TC : flags, name, type);
	m->b[0] = q[0];
	m->b[1] = q[1];
	if (!(flags & 15) && !cut)
		records(m, name, type);
	if (starts(name, "garbage"))
		m->n -= 3;
	return true;
}

static void over_tcp(struct fake *f)
{
	unsigned char q[2048], len[2];
	static const struct timeval patience = { .tv_sec = 1 };
	int fd = accept(f->tcp, NULL, NULL);
	/* Another test may have connected to this port by chance, and say nothing. */
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (fd >= 0 && recv(fd, len, 2, MSG_WAITALL) == 2) {
		size_t n = (size_t)(len[0] << 8 | len[1]);
		if (n > sizeof(q) || recv(fd, q, n, MSG_WAITALL) != (ssize_t)n)
			break;
		if (!answer(f, q, n, true))
			continue;
		len[0] = (unsigned char)(f->reply.n >> 8);
		len[1] = (unsigned char)f->reply.n;
		if (send(fd, len, 2, MSG_NOSIGNAL) < 0 ||
		    send(fd, f->reply.b, f->reply.n, MSG_NOSIGNAL) < 0)
			break;
	}
	close(fd);
}

static void *serve(void *ctx)
{
	struct fake *f = ctx;
	struct pollfd fds[] = { { .fd = f->quit[0], .events = POLLIN },
				{ .fd = f->udp, .events = POLLIN },
				{ .fd = f->tcp, .events = POLLIN } };
	while (poll(fds, 3, -1) > 0 && !fds[0].revents) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		unsigned char q[2048];
		if (fds[2].revents)
			over_tcp(f);
		if (!fds[1].revents)
			continue;
		ssize_t n = recvfrom(f->udp, q, sizeof(q), 0, (struct sockaddr *)&from, &len);
		if (n > 16 && answer(f, q, (size_t)n, false))
			sendto(f->udp, f->reply.b, f->reply.n, 0, (struct sockaddr *)&from, len);
	}
	return NULL;
}

/* UDP and TCP on one port. False: this machine has no such address. */
static bool bind_both(struct fake *f, bool v6)
{
	struct sockaddr_in a4 = { .sin_family = AF_INET };
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
	struct sockaddr *at = v6 ? (struct sockaddr *)&a6 : (struct sockaddr *)&a4;
	socklen_t len = v6 ? sizeof(a6) : sizeof(a4);
	a4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	f->at.ip = v6 ? (struct ip){ 6, { [15] = 1 } } : (struct ip){ 4, { 127, 0, 0, 1 } };
	for (int tries = 0; tries < 20; tries++) {
		a4.sin_port = a6.sin6_port = 0;
		f->tcp = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		f->udp = socket(at->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (f->tcp >= 0 && bind(f->tcp, at, len) == 0 && listen(f->tcp, 5) == 0 &&
		    getsockname(f->tcp, at, &len) == 0 && bind(f->udp, at, len) == 0) {
			f->at.port = ntohs(v6 ? a6.sin6_port : a4.sin_port);
			return true;
		}
		close(f->tcp);
		close(f->udp);
	}
	return false;
}

static bool fake_open(struct fake *f, bool v6)
{
	*f = (struct fake){ .lock = PTHREAD_MUTEX_INITIALIZER };
	if (!bind_both(f, v6))
		return false;
	if (pipe2(f->quit, O_CLOEXEC) != 0 || pthread_create(&f->thread, NULL, serve, f) != 0)
		abort();
	return true;
}

static void turn_on(struct fake *f, bool *habit)
{
	pthread_mutex_lock(&f->lock);
	*habit = true;
	pthread_mutex_unlock(&f->lock);
}

static void fake_close(struct fake *f)
{
	close(f->quit[1]);
	pthread_join(f->thread, NULL);
	close(f->quit[0]);
	close(f->udp);
	close(f->tcp);
}

static struct fake one, two;
static struct arena *arena;
static struct io io;
static struct rng rng;

static struct resolver *start(const struct endpoint *servers, size_t n, int64_t timeout_ms)
{
	struct resolver_options o = { .servers = servers, .nservers = n, .timeout_ms = timeout_ms };
	struct resolver *r = NULL;
	struct error err = { 0 };
	static const uint8_t seed[16] = { 1 };
	io = (struct io){ .clock = clock_system(), .stop_fd = -1 };
	rng_seed(&rng, seed);
	arena = arena_open(LIMIT_ARENA);
	if (!resolver_open(&o, &io, &rng, &r, &err))
		printf("resolver_open: %s\n", err.text);
	return r;
}

static void finish(struct resolver *r)
{
	resolver_forget(r);
	arena_close(arena);
	resolver_close(r);
}

static struct resolver *start_one(void)
{
	if (!fake_open(&one, false))
		abort();
	return start(&one.at, 1, 30000);
}

static const struct dns_answer *ask(struct resolver *r, const char *name, enum dns_type type)
{
	const struct dns_answer *a = resolver_ask(r, arena, name, type);
	if (!a)
		abort();
	return a;
}

static const struct dns_answer *get(struct resolver *r, const char *name, enum dns_type type)
{
	const struct dns_answer *a = ask(r, name, type);
	resolver_wait(r, &a, 1, far_off);
	return a;
}

static void answers(void)
{
	struct resolver *r = start_one();
	const struct dns_answer *a = ask(r, "Host.EXAMPLE.com.", DNS_A);
	CHECK("pending", a->state == DNS_PENDING);
	resolver_wait(r, &a, 1, far_off);
	CHECK("A", a->state == DNS_OK && a->nrr == 1 && a->ttl == 300 && a->authentic);
	CHECK_STR("normal form", a->name, "host.example.com");
	CHECK("no data", get(r, "host.example.com", DNS_TLSA)->state == DNS_NODATA);
	CHECK("gone", get(r, "gone.example.com", DNS_MX)->state == DNS_NXDOMAIN);
	a = get(r, "servfail.example.com", DNS_MX);
	CHECK("servfail", a->state == DNS_TEMP && !a->authentic);
	CHECK_STR("servfail", a->why, "SERVFAIL");
	CHECK_STR("refused", get(r, "refused.example.com", DNS_MX)->why, "REFUSED");
	CHECK_STR("garbage", get(r, "garbage.example.com", DNS_MX)->why, "malformed answer");
	finish(r);
	fake_close(&one);
	CHECK("AD and EDNS in every query", one.n == 6 && one.plain == 0);
}

static void parallel(void)
{
	struct resolver *r = start_one();
	const struct dns_answer *a[LIMIT_DNS_INFLIGHT];
	char name[64];
	for (int i = 0; i < LIMIT_DNS_INFLIGHT; i++) {
		snprintf(name, sizeof(name), "host%d.example.com", i);
		a[i] = ask(r, name, i % 2 ? DNS_A : DNS_MX);
	}
	CHECK("no more at a time", !resolver_ask(r, arena, "more.example.com", DNS_A));
	CHECK("what is there is given",
	      resolver_ask(r, arena, name, DNS_A) == a[LIMIT_DNS_INFLIGHT - 1]);
	CHECK("what needs no server is answered", ask(r, "a..b", DNS_A)->state == DNS_NXDOMAIN);
	resolver_wait(r, a, LIMIT_DNS_INFLIGHT, far_off);
	for (int i = 0; i < LIMIT_DNS_INFLIGHT; i++) {
		snprintf(name, sizeof(name), "host%d.example.com", i);
		CHECK(name, a[i]->state == DNS_OK && a[i]->nrr == 1);
		CHECK_STR(name, a[i]->name, name);
	}
	CHECK("room again", get(r, "more.example.com", DNS_A)->state == DNS_OK);
	finish(r);
	fake_close(&one);
	for (size_t i = 0; i < LIMIT_DNS_INFLIGHT; i++)
		for (size_t k = 0; k < i; k++)
			CHECK("ids under way differ", one.id[i] != one.id[k]);
	CHECK("ids are no series", one.id[1] - one.id[0] != one.id[2] - one.id[1]);
}

static void waits_for_some(void)
{
	struct resolver *r = start_one();
	const struct dns_answer *a[2] = { ask(r, "silent.example.com", DNS_A),
					  ask(r, "host.example.com", DNS_A) };
	resolver_wait(r, a + 1, 1, far_off);
	CHECK("only that one", a[1]->state == DNS_OK && a[0]->state == DNS_PENDING);
	resolver_wait(r, a, 2, deadline_in(io_now(&io), 0));
	CHECK("deadline", a[0]->state == DNS_TEMP && a[1]->state == DNS_OK);
	CHECK_STR("deadline", a[0]->why, "timed out");
	resolver_wait(r, NULL, 0, far_off);
	finish(r);
	fake_close(&one);
}

static void once(void)
{
	struct resolver *r = start_one();
	const struct dns_answer *a = ask(r, "host.example.com", DNS_A);
	CHECK("pending", ask(r, "HOST.example.com.", DNS_A) == a);
	resolver_wait(r, &a, 1, far_off);
	CHECK("settled", ask(r, "host.example.com", DNS_A) == a);
	CHECK("another type", ask(r, "host.example.com", DNS_MX) != a);
	struct arena *other = arena_open(LIMIT_ARENA);
	const struct dns_answer *b = resolver_ask(r, other, "host.example.com", DNS_A);
	CHECK("another arena", b && b != a);
	resolver_wait(r, &b, 1, far_off);
	resolver_forget(r);
	arena_reset(arena);
	CHECK("asked anew after forget", ask(r, "host.example.com", DNS_A)->state == DNS_PENDING);
	finish(r);
	arena_close(other);
	fake_close(&one);
}

static void no_dns_names(void)
{
	static const char *const names[] = { "",
					     ".",
					     "a..b",
					     "a b.example",
					     "caf\xc3\xa9.example",
					     "[192.0.2.1]",
					     "hidden.onion",
					     ".example" };
	struct resolver *r = start_one();
	char label[80];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct dns_answer *a = ask(r, names[i], DNS_MX);
		CHECK(names[i], a->state == DNS_NXDOMAIN && a->nrr == 0 && a->canonical);
	}
	memset(label, 'a', 64);
	memcpy(label + 64, ".example", 9);
	CHECK("label of 64", ask(r, label, DNS_MX)->state == DNS_NXDOMAIN);
	CHECK("label of 63", get(r, label + 1, DNS_MX)->state == DNS_OK);
	finish(r);
	fake_close(&one);
	CHECK("nobody was asked", one.n == 1);
}

static void tcp_after_truncation(void)
{
	struct resolver *r = start_one();
	const struct dns_answer *a[3] = { ask(r, "big1.example.com", DNS_MX),
					  ask(r, "big2.example.com", DNS_MX),
					  ask(r, "host.example.com", DNS_A) };
	resolver_wait(r, a, 3, far_off);
	CHECK("big", a[0]->nrr == 80 && a[1]->nrr == 80 && a[2]->nrr == 1);
	CHECK_STR("last", a[1]->rr[79].mx.host, "mail-host-number-79.example.net");
	finish(r);
	fake_close(&one);
	CHECK("transports", one.over_udp == 3 && one.over_tcp == 2 && one.plain == 0);
}

static void repeated(void)
{
	if (!fake_open(&one, false))
		abort();
	turn_on(&one, &one.deaf_once);
	struct resolver *r = start(&one.at, 1, 600);
	CHECK("lost packet", get(r, "host.example.com", DNS_A)->state == DNS_OK);
	finish(r);
	fake_close(&one);
	CHECK("twice", one.n == 2 && one.id[0] == one.id[1]);
}

static void own_timeout(void)
{
	if (!fake_open(&one, false))
		abort();
	struct resolver *r = start(&one.at, 1, 90);
	const struct dns_answer *a[2] = { ask(r, "silent1.example.com", DNS_A),
					  ask(r, "silent2.example.com", DNS_MX) };
	resolver_wait(r, a, 2, far_off);
	for (int i = 0; i < 2; i++) {
		CHECK("timeout", a[i]->state == DNS_TEMP);
		CHECK_STR("timeout", a[i]->why, "timed out");
	}
	CHECK("not in the way of others", get(r, "host.example.com", DNS_A)->state == DNS_OK);
	finish(r);
	fake_close(&one);
}

static struct instant tick(void *ctx)
{
	int64_t *ms = ctx;
	return (struct instant){ *ms };
}

/* It answers one after the other: with the nth query seen, the answers before are on their way. */
static void until_seen(struct fake *f, size_t n)
{
	for (size_t seen = 0; seen < n;) {
		sched_yield();
		pthread_mutex_lock(&f->lock);
		seen = f->n;
		pthread_mutex_unlock(&f->lock);
	}
}

/* The time is over before anybody waits: what has come is taken, the rest is given up at once. */
static void late(void)
{
	int64_t ms = 1000;
	struct resolver *r = start_one();
	io.clock = (struct clock){ .now = tick, .ctx = &ms };
	const struct dns_answer *a[2] = { ask(r, "host.example.com", DNS_A),
					  ask(r, "silent.example.com", DNS_A) };
	until_seen(&one, 2);
	ms += 30000;
	resolver_wait(r, a, 2, far_off);
	CHECK("taken", a[0]->state == DNS_OK);
	CHECK_STR("its own time", a[1]->why, "timed out");
	a[1] = ask(r, "silent2.example.com", DNS_A);
	ms += 29999;
	resolver_wait(r, a + 1, 1, (struct deadline){ { ms } });
	CHECK_STR("deadline", a[1]->why, "timed out");
	finish(r);
	fake_close(&one);
}

static void stopped(void)
{
	int stop[2];
	struct resolver *r = start_one();
	if (pipe(stop) != 0)
		abort();
	close(stop[1]);
	io.stop_fd = stop[0];
	const struct dns_answer *a = get(r, "silent.example.com", DNS_A);
	CHECK_STR("stopped", a->why, "stopped");
	finish(r);
	fake_close(&one);
	close(stop[0]);
}

/* A port where nobody listens, kept so by being bound over TCP only. */
static void nobody_there(void)
{
	if (!fake_open(&one, false))
		abort();
	struct endpoint servers[2] = { one.at, one.at };
	fake_close(&one);
	struct resolver *r = start(servers, 1, 30000);
	const struct dns_answer *a = get(r, "host.example.com", DNS_A);
	CHECK("refused port", a->state == DNS_TEMP);
	CHECK_STR("refused port", a->why, "no DNS server can be reached");
	finish(r);

	if (!fake_open(&two, false))
		abort();
	servers[1] = two.at;
	r = start(servers, 2, 30000);
	CHECK("the second one", get(r, "host.example.com", DNS_A)->state == DNS_OK);
	finish(r);
	fake_close(&two);
}

static void next_server(void)
{
	if (!fake_open(&one, false) || !fake_open(&two, false))
		abort();
	turn_on(&one, &one.only_servfail);
	struct endpoint servers[2] = { one.at, two.at };
	struct resolver *r = start(servers, 2, 30000);
	const struct dns_answer *a[3] = { ask(r, "host.example.com", DNS_A),
					  ask(r, "example.com", DNS_MX),
					  ask(r, "refused.example.com", DNS_MX) };
	resolver_wait(r, a, 3, far_off);
	CHECK("the second one knows", a[0]->state == DNS_OK && a[1]->state == DNS_OK);
	CHECK_STR("neither knows", a[2]->why, "REFUSED");
	finish(r);
	fake_close(&one);
	fake_close(&two);
	CHECK("each once", one.n == 3 && two.n == 3 && two.plain == 0);
}

static void trust(void)
{
	/* 192.0.2.1 is not a loopback address; nobody gets so far as to ask it. */
	struct endpoint servers[2] = { { { 0 }, 0 }, { { 4, { 192, 0, 2, 1 } }, 53 } };
	struct resolver *r;
	if (!fake_open(&one, false))
		abort();
	servers[0] = one.at;
	r = start(servers, 2, 30000);
	const struct dns_answer *a = get(r, "host.example.com", DNS_A);
	CHECK("not all are loopback", a->state == DNS_OK && !a->authentic);
	finish(r);

	struct resolver_options o = { servers, 2, 30000, true };
	struct error err;
	arena = arena_open(LIMIT_ARENA);
	CHECK("open", resolver_open(&o, &io, &rng, &r, &err));
	CHECK("trust_ad", get(r, "host.example.com", DNS_A)->authentic);
	finish(r);
	fake_close(&one);
}

static void ipv6_server(void)
{
	if (!fake_open(&one, true))
		return;
	struct resolver *r = start(&one.at, 1, 30000);
	const struct dns_answer *a = get(r, "host.example.com", DNS_A);
	CHECK("::1", a->state == DNS_OK && a->authentic);
	CHECK("TCP", get(r, "big.example.com", DNS_MX)->nrr == 80);
	finish(r);
	fake_close(&one);
}

/* Is it a socket of the resolver? */
static bool talks_to_fake(int fd)
{
	struct sockaddr_in at = { 0 };
	socklen_t len = sizeof(at);
	return getpeername(fd, (struct sockaddr *)&at, &len) == 0 && at.sin_family == AF_INET &&
	       at.sin_port == htons(one.at.port);
}

static void descriptors(void)
{
	struct resolver *r = start_one();
	const struct dns_answer *a[2] = { ask(r, "silent.example.com", DNS_A),
					  ask(r, "big.example.com", DNS_MX) };
	size_t sockets = 0;
	resolver_wait(r, a + 1, 1, far_off);
	for (int fd = 0; fd < 256; fd++) {
		if (!talks_to_fake(fd))
			continue;
		sockets++;
		CHECK("close on exec", fcntl(fd, F_GETFD) & FD_CLOEXEC);
	}
	CHECK("UDP and TCP", sockets == 2);
	finish(r);
	for (int fd = 0; fd < 256; fd++)
		CHECK("none is left", !talks_to_fake(fd));
	fake_close(&one);
}

static void opening(void)
{
	struct endpoint many[9], bad = { { 0 }, 53 };
	struct resolver_options o = { .servers = &bad, .nservers = 1, .timeout_ms = 1000 };
	struct resolver *r = NULL;
	struct error err = { 0 };
	io = (struct io){ .clock = clock_system(), .stop_fd = -1 };
	CHECK("no address", !resolver_open(&o, &io, &rng, &r, &err));
	CHECK("no address", err.class == ERR_CONFIG && err.code.subject == 3 && !r);
	for (size_t i = 0; i < 9; i++)
		many[i] = (struct endpoint){ { 4, { 127, 0, 0, (uint8_t)(i + 1) } }, 53 };
	o.servers = many;
	o.nservers = 9;
	CHECK("too many", !resolver_open(&o, &io, &rng, &r, &err) && err.class == ERR_CONFIG);
	o.nservers = 8;
	CHECK("as many as can be", resolver_open(&o, &io, &rng, &r, &err));
	resolver_close(r);
	o.nservers = 0;
	CHECK("resolv.conf, or the local one", resolver_open(&o, &io, &rng, &r, &err));
	resolver_close(r);
	resolver_close(NULL);
}

/* Pending answers stay as they are when the resolver goes first. */
static void closing(void)
{
	struct resolver *r = start_one();
	const struct dns_answer *settled = get(r, "host.example.com", DNS_A);
	const struct dns_answer *pending = ask(r, "silent.example.com", DNS_A);
	resolver_close(r);
	CHECK("answers stay", settled->state == DNS_OK && settled->nrr == 1);
	CHECK("never settles", pending->state == DNS_PENDING);
	arena_close(arena);
	fake_close(&one);
}

static void no_memory(void)
{
	struct resolver *r = start_one();
	for (size_t limit = 0; limit < 4096; limit += 64) {
		struct arena *small = arena_open(limit);
		const struct dns_answer *a = resolver_ask(r, small, "host.example.com", DNS_MX);
		if (a)
			resolver_wait(r, &a, 1, far_off);
		CHECK("an answer", !a || a->state == DNS_OK || a->state == DNS_TEMP);
		if (a && a->state == DNS_TEMP)
			CHECK_STR("why", a->why, "out of memory");
		resolver_forget(r);
		arena_close(small);
	}
	finish(r);
	fake_close(&one);
}

TEST_MAIN("resolver", { "answers", answers }, { "parallel", parallel },
	  { "waits_for_some", waits_for_some }, { "once", once }, { "no_dns_names", no_dns_names },
	  { "tcp_after_truncation", tcp_after_truncation }, { "repeated", repeated },
	  { "own_timeout", own_timeout }, { "late", late }, { "stopped", stopped },
	  { "nobody_there", nobody_there }, { "next_server", next_server }, { "trust", trust },
	  { "ipv6_server", ipv6_server }, { "descriptors", descriptors }, { "opening", opening },
	  { "closing", closing }, { "no_memory", no_memory })
