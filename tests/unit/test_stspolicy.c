/* SPDX-License-Identifier: ISC */
/*
 * The fetch program is this test itself, started again: the first label of the domain says how it
 * behaves. The name server is a thread: the first label says which addresses the policy host has.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dns_build.h"
#include "flow/stspolicy.h"
#include "harness.h"
#include "sts.h"

#define POLICY "version: STSv1\r\nmode: enforce\r\nmx: *.Example.net\r\nmax_age: 86400\r\n"
#define MONTH  "version: STSv1\r\nmode: enforce\r\nmx: mx.example.net\r\nmax_age: 2592000\r\n"
#define START  1700000000

extern char **environ;

/* ---- the fetch program ---- */

static void say(const char *text)
{
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		_exit(1);
}

static void hang(void)
{
	for (;;)
		pause();
}

static void say_too_much(void)
{
	for (int i = 0; i < 10000; i++)
		say("OK 65536\nabcdefghijklmnopqrstuvwxyz\n");
	hang();
}

static void say_longest(void)
{
	char body[STS_BODY + 1];
	memset(body, 'x', STS_BODY);
	memcpy(body, POLICY, sizeof(POLICY) - 1);
	body[sizeof(POLICY) - 1] = 'k';
	body[sizeof(POLICY)] = ':';
	body[STS_BODY] = '\0';
	say("OK 65536\n");
	say(body);
}

static int descriptors(void)
{
	int n = 0;
	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* What it was started with, as a reason. */
static void say_surroundings(void)
{
	char text[200];
	struct sigaction act;
	sigset_t blocked;
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	sigaction(SIGPIPE, NULL, &act);
	snprintf(text, sizeof(text), "FETCH %d descriptors, TERM %s, PIPE %s, %s environment\n",
		 descriptors(), sigismember(&blocked, SIGTERM) ? "blocked" : "open",
		 act.sa_handler == SIG_DFL ? "deadly" : "ignored", *environ ? "an" : "no");
	say(text);
}

static void say_arguments(int argc, char **argv)
{
	say("FETCH");
	for (int i = 1; i < argc; i++) {
		say(" ");
		say(argv[i]);
	}
	say("\n");
}

static int program(int argc, char **argv)
{
	static const struct {
		const char *label, *says;
	} plain[] = {
		{ "ok", "OK 66\n" POLICY },
		{ "month", "OK 69\n" MONTH },
		{ "none", "OK 41\nversion: STSv1\nmode: none\nmax_age: 86400\n" },
		{ "fetch", "FETCH HTTP status 404\n" },
		{ "webpki", "WEBPKI The certificate is NOT trusted.\n" },
		{ "invalid", "INVALID the media type is \"text/html\"\n" },
		{ "foreign", "FETCH a\tb\x01\xff\n" },
		{ "bad", "OK 18\nversion: STSv1\nx:\n" },
		{ "empty", "OK 0\n" },
		{ "short", "OK 67\n" POLICY },
		{ "shorter", "OK 66\n" },
		{ "longer", "OK 65\n" POLICY },
		{ "huge", "OK 99999999999999999999\n" POLICY },
		{ "over", "OK 65537\n" POLICY },
		{ "negative", "OK -1\n" },
		{ "lengthless", "OK \n" },
		{ "junk", "/usr/sbin/x: error while loading shared libraries: y\n" POLICY },
		{ "lower", "ok 66\n" POLICY },
		{ "lineless", "FETCH without an end of line" },
		{ "nothing", "" },
		{ "newline", "\n\n\n" },
	};
	const char *domain = argv[argc - 1];
	size_t n = strcspn(domain, ".");
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (strlen(plain[i].label) == n && strncmp(plain[i].label, domain, n) == 0)
			say(plain[i].says);
	if (strncmp(domain, "arguments", 9) == 0)
		say_arguments(argc, argv);
	else if (strncmp(domain, "surroundings.", n) == 0)
		say_surroundings();
	else if (strncmp(domain, "endless.", n) == 0)
		say_too_much();
	else if (strncmp(domain, "longest.", n) == 0)
		say_longest();
	else if (strncmp(domain, "hangs.", n) == 0)
		hang();
	else if (strncmp(domain, "dies.", n) == 0 &&
		 write(STDOUT_FILENO, "OK 66\nversion", 13) == 13)
		raise(SIGKILL);
	else if (strncmp(domain, "lingers.", n) == 0) {
		say("OK 66\n" POLICY);
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		hang();
	}
	return 1;
}

/* ---- the name server ---- */

struct fake {
	int fd, quit[2];
	struct endpoint at;
	pthread_t thread;
	struct dns_build reply;
	pthread_mutex_t lock;
	size_t asked;
};

static void records(struct dns_build *m, const char *name, unsigned type)
{
	/* Behind "mta-sts." */
	const char *kind = name + 8;
	bool v4 = strncmp(kind, "arguments-v6", 12) != 0;
	bool v6 = strncmp(kind, "arguments-", 10) == 0;
	if (type == DNS_A && v4 && strncmp(kind, "refused", 7) == 0)
		dns_raw(m, name, DNS_A, 300, SPAN("\x0a\0\0\1"));
	else if (type == DNS_AAAA && strncmp(kind, "mapped", 6) == 0)
		dns_raw(m, name, DNS_AAAA, 300, SPAN("\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1"));
	else if (type == DNS_A && v4 && strncmp(kind, "mapped", 6) != 0 &&
		 strncmp(kind, "nodata", 6) != 0)
		dns_raw(m, name, DNS_A, 300, SPAN("\xc0\0\2\1"));
	else if (type == DNS_AAAA && v6)
		dns_raw(m, name, DNS_AAAA, 300, SPAN("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"));
	else
		dns_soa(m, name, 300, 60);
}

static void answer(struct fake *f, const unsigned char *q)
{
	char name[256];
	unsigned type = dns_question(q, name), flags = DNS_ANSWER;
	if (strncmp(name, "mta-sts.servfail", 16) == 0)
		flags |= DNS_SERVFAIL;
	if (strncmp(name, "mta-sts.gone", 12) == 0)
		flags |= DNS_NXNAME;
	dns_open(&f->reply, flags, name, type);
	f->reply.b[0] = q[0];
	f->reply.b[1] = q[1];
	if (!(flags & 15))
		records(&f->reply, name, type);
}

static void *serve(void *ctx)
{
	struct fake *f = ctx;
	struct pollfd fds[] = { { .fd = f->quit[0], .events = POLLIN },
				{ .fd = f->fd, .events = POLLIN } };
	while (poll(fds, 2, -1) > 0 && !fds[0].revents) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		unsigned char q[2048];
		ssize_t n = recvfrom(f->fd, q, sizeof(q), 0, (struct sockaddr *)&from, &len);
		if (n <= 16)
			continue;
		pthread_mutex_lock(&f->lock);
		f->asked++;
		pthread_mutex_unlock(&f->lock);
		answer(f, q);
		sendto(f->fd, f->reply.b, f->reply.n, 0, (struct sockaddr *)&from, len);
	}
	return NULL;
}

static void fake_open(struct fake *f)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*f = (struct fake){ .lock = PTHREAD_MUTEX_INITIALIZER };
	f->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (f->fd < 0 || bind(f->fd, (struct sockaddr *)&at, len) != 0 ||
	    getsockname(f->fd, (struct sockaddr *)&at, &len) != 0 ||
	    pipe2(f->quit, O_CLOEXEC) != 0 || pthread_create(&f->thread, NULL, serve, f) != 0)
		abort();
	f->at = (struct endpoint){ { 4, { 127, 0, 0, 1 } }, ntohs(at.sin_port) };
}

static void fake_close(struct fake *f)
{
	close(f->quit[1]);
	pthread_join(f->thread, NULL);
	close(f->quit[0]);
	close(f->fd);
}

/* ---- one search ---- */

static const char *self; /* this program */
static const struct deadline far_off = { { INT64_MAX } };

struct world {
	struct fake dns;
	struct arena *arena;
	struct io io;
	int64_t wall;
	struct rng rng;
	struct config config;
	struct services sv;
	struct resolver *resolver;
	struct stspolicy found;
	struct error err;
	unsigned logged;
};

static struct instant real_now(void *ctx)
{
	(void)ctx;
	struct clock real = clock_system();
	return clock_now(&real);
}

static int64_t wound_wall(void *ctx)
{
	return ((struct world *)ctx)->wall;
}

static void world_open(struct world *w)
{
	static const uint8_t seed[16] = { 1 };
	static struct ip_net net;
	*w = (struct world){ .io = { { real_now, wound_wall, w }, .stop_fd = -1 }, .wall = START };
	fake_open(&w->dns);
	w->arena = arena_open(LIMIT_ARENA);
	rng_seed(&w->rng, seed);
	config_init(&w->config);
	w->config.mta_sts = true;
	w->config.tls_ca_file = "/roots.pem";
	if (!ip_net_parse(SPAN("10.0.0.0/8"), &net))
		abort();
	w->config.refused_networks = &net;
	w->config.nrefused_networks = 1;
	struct resolver_options o = { .servers = &w->dns.at, .nservers = 1, .timeout_ms = 30000 };
	if (!w->arena || !resolver_open(&o, &w->io, &w->rng, &w->resolver, &w->err))
		abort();
	w->sv = (struct services){ .io = &w->io,
				   .resolver = w->resolver,
				   .rng = &w->rng,
				   .config = &w->config,
				   .own_name = "",
				   .sts_program = self };
}

static void world_close(struct world *w)
{
	resolver_forget(w->resolver);
	resolver_close(w->resolver);
	arena_close(w->arena);
	fake_close(&w->dns);
}

/* With the record that `text` is; NULL: there is none. */
static bool search(struct world *w, const char *domain, const char *text, struct deadline until)
{
	struct dns_answer txt = { .state = text ? DNS_OK : DNS_NXDOMAIN };
	struct dns_rr rr = { .bytes = span_of(text) };
	txt.name = arena_fmt(w->arena, "_mta-sts.%s", domain);
	txt.rr = text ? &rr : NULL;
	txt.nrr = text ? 1 : 0;
	return stspolicy_find(w->arena, &w->sv, &txt, until, &w->found, &w->err);
}

static bool find(struct world *w, const char *domain)
{
	return search(w, domain, "v=STSv1; id=20240101;", far_off);
}

static bool nobody_left(void)
{
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

static void check_failed(struct world *w, const char *domain, const char *kind, const char *why)
{
	struct stspolicy *f = &w->found;
	bool webpki = strcmp(kind, "webpki") == 0, invalid = strcmp(kind, "invalid") == 0;
	char text[LIMIT_ERR_TEXT];
	int before = descriptors();
	snprintf(text, sizeof(text), "MTA-STS policy of %s: %s", domain, why);
	CHECK(domain, find(w, domain));
	CHECK(domain, f->failed && !f->policy);
	CHECK(domain, f->webpki == webpki && f->invalid == invalid);
	CHECK(domain, f->why.class == ERR_TEMP && f->why.code.cls == 4 && f->why.code.subject == 7);
	CHECK_STR(domain, f->why.text, text);
	CHECK(domain, nobody_left());
	CHECK("no descriptor is lost", descriptors() == before);
}

static void policies(void)
{
	struct world w;
	world_open(&w);
	CHECK("ok", find(&w, "ok.example.net"));
	CHECK("ok", w.found.policy && !w.found.failed && nobody_left());
	CHECK("ok", w.found.policy && w.found.policy->mode == STS_ENFORCE);
	CHECK("ok", w.found.policy && sts_allows(w.found.policy, "mx.example.net"));
	CHECK("ok", w.found.policy && w.found.policy->nline == 4);
	CHECK("none", find(&w, "none.example.net"));
	CHECK("none", w.found.policy && w.found.policy->mode == STS_NONE);
	CHECK("longest", find(&w, "longest.example.net"));
	CHECK("longest", w.found.policy && w.found.policy->nline == 5);
	CHECK("closes the pipe and stays", find(&w, "lingers.example.net"));
	CHECK("closes the pipe and stays", w.found.policy && nobody_left());
	world_close(&w);
}

static void nothing_to_fetch(void)
{
	static const char *const records[] = { NULL, "v=spf1 -all", "v=STSv1;", "v=STSv1; id=-;" };
	struct world w;
	world_open(&w);
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		CHECK("record", search(&w, "ok.example.net", records[i], far_off));
		CHECK("record", !w.found.policy && !w.found.failed);
	}
	w.config.mta_sts = false;
	CHECK("switched off", find(&w, "ok.example.net") && !w.found.policy && !w.found.failed);
	w.config.mta_sts = true;
	w.sv.sts_program = NULL;
	CHECK("no program", find(&w, "ok.example.net") && !w.found.policy && !w.found.failed);
	world_close(&w);
	CHECK("nobody was asked", w.dns.asked == 0);
}

static void failures(void)
{
	static const struct {
		const char *domain, *kind, *why;
	} cases[] = {
		{ "fetch.example.net", "fetch", "HTTP status 404" },
		{ "webpki.example.net", "webpki", "The certificate is NOT trusted." },
		{ "invalid.example.net", "invalid", "the media type is \"text/html\"" },
		{ "foreign.example.net", "fetch", "a b??" },
		{ "short.example.net", "fetch", "mxdirect-sts ended too early" },
		{ "shorter.example.net", "fetch", "mxdirect-sts ended too early" },
		{ "longer.example.net", "fetch", "mxdirect-sts ended too early" },
		{ "huge.example.net", "fetch", "mxdirect-sts ended too early" },
		{ "over.example.net", "fetch", "mxdirect-sts ended too early" },
		{ "negative.example.net", "fetch", "mxdirect-sts ended too early" },
		{ "lengthless.example.net", "fetch", "mxdirect-sts ended too early" },
		{ "dies.example.net", "fetch", "mxdirect-sts ended too early" },
		{ "nothing.example.net", "fetch", "mxdirect-sts says nothing" },
		{ "newline.example.net", "fetch", "mxdirect-sts says \"\"" },
		{ "junk.example.net", "fetch",
		  "mxdirect-sts says \"/usr/sbin/x: error while loading shared libraries: y\"" },
		{ "lower.example.net", "fetch", "mxdirect-sts says \"ok 66\"" },
		{ "lineless.example.net", "fetch", "without an end of line" },
		{ "endless.example.net", "fetch", "mxdirect-sts says too much" },
	};
	struct world w;
	world_open(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_failed(&w, cases[i].domain, cases[i].kind, cases[i].why);
	CHECK("a bad policy", find(&w, "bad.example.net") && w.found.failed && w.found.invalid);
	CHECK("a bad policy", strstr(w.found.why.text, "MTA-STS policy of bad.example.net: "));
	CHECK("a bad policy is no fault of the message", w.found.why.class == ERR_TEMP);
	CHECK("an empty policy", find(&w, "empty.example.net") && w.found.invalid);
	world_close(&w);
}

static void program_missing(void)
{
	struct world w;
	world_open(&w);
	w.sv.sts_program = "/nonexistent/mxdirect-sts";
	CHECK("missing", find(&w, "ok.example.net") && w.found.failed && nobody_left());
	/* In valgrind's process the child cannot say why it did not start. */
	CHECK("missing",
	      strstr(w.found.why.text, "cannot run /nonexistent/mxdirect-sts: No such") ||
		      strstr(w.found.why.text, "mxdirect-sts says nothing"));
	world_close(&w);
}

static void arguments(void)
{
	static const struct {
		const char *label, *domain, *resolve;
		enum config_family family;
	} cases[] = {
		{ "IPv4", "arguments.example.net", "192.0.2.1", FAMILY_ANY },
		{ "both", "arguments-both.example.net", "2001:db8::1,192.0.2.1", FAMILY_ANY },
		{ "prefer IPv4", "arguments-both.example.net", "192.0.2.1,2001:db8::1",
		  FAMILY_PREFER_IPV4 },
		{ "only IPv4", "arguments-both.example.net", "192.0.2.1", FAMILY_IPV4 },
		{ "only IPv6", "arguments-both.example.net", "2001:db8::1", FAMILY_IPV6 },
		{ "IPv6", "arguments-v6.example.net", "2001:db8::1", FAMILY_ANY },
	};
	struct world w;
	char text[300];
	world_open(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		w.config.address_family = cases[i].family;
		CHECK(cases[i].label, find(&w, cases[i].domain) && w.found.failed);
		snprintf(text, sizeof(text),
			 "MTA-STS policy of %s: --ca /roots.pem --resolve %s --seconds ",
			 cases[i].domain, cases[i].resolve);
		CHECK(cases[i].label, strncmp(w.found.why.text, text, strlen(text)) == 0);
		const char *seconds = w.found.why.text + strlen(text);
		snprintf(text, sizeof(text), " -- %s", cases[i].domain);
		/* A minute in all, and some of it may be over. */
		CHECK(cases[i].label, strncmp(seconds, "60", 2) == 0 || seconds[0] == '5');
		CHECK_STR(cases[i].label, seconds + strcspn(seconds, " "), text);
	}
	world_close(&w);
}

static void surroundings(void)
{
	struct world w;
	sigset_t term;
	world_open(&w);
	int extra = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	signal(SIGPIPE, SIG_IGN);
	check_failed(&w, "surroundings.example.net", "fetch",
		     "3 descriptors, TERM open, PIPE deadly, no environment");
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &term, NULL);
	close(extra);
	world_close(&w);
}

static void addresses(void)
{
	static const struct {
		const char *domain, *why;
	} cases[] = {
		{ "gone.example.net", "mta-sts.gone.example.net does not exist" },
		{ "nodata.example.net", "mta-sts.nodata.example.net has no address" },
		{ "servfail.example.net",
		  "address lookup of mta-sts.servfail.example.net: SERVFAIL" },
		{ "refused.example.net", "mta-sts.refused.example.net has no usable address: "
					 "10.0.0.1 is in refused_networks" },
		{ "mapped.example.net", "mta-sts.mapped.example.net has no usable address: "
					"::ffff:10.0.0.1 is in refused_networks" },
		{ "a..b", "mta-sts.a..b does not exist" },
	};
	struct world w;
	world_open(&w);
	w.sv.sts_program = "/nonexistent/never-started";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_failed(&w, cases[i].domain, "fetch", cases[i].why);
	world_close(&w);
}

static void time_over(void)
{
	struct world w;
	world_open(&w);
	CHECK("hangs",
	      search(&w, "hangs.example.net", "v=STSv1; id=1", deadline_in(io_now(&w.io), 300)));
	CHECK("hangs", w.found.failed && !w.found.webpki && !w.found.invalid && nobody_left());
	CHECK_STR("hangs", w.found.why.text, "MTA-STS policy of hangs.example.net: timed out");
	CHECK("no time at all",
	      search(&w, "hangs.example.net", "v=STSv1; id=1", deadline_in(io_now(&w.io), -1)));
	CHECK("no time at all", w.found.failed && nobody_left());
	world_close(&w);
}

/* To be given up while the program runs that is to fetch of hangs.example.net: the names are known
 * before. The descriptor to close is in w->io. */
static void stop_at_fetch(struct world *w)
{
	int stop[2];
	if (pipe2(stop, O_CLOEXEC) != 0)
		abort();
	const struct dns_answer *known[] = {
		resolver_ask(w->resolver, w->arena, "mta-sts.hangs.example.net", DNS_A),
		resolver_ask(w->resolver, w->arena, "mta-sts.hangs.example.net", DNS_AAAA),
	};
	resolver_wait(w->resolver, known, 2, far_off);
	close(stop[1]);
	w->io.stop_fd = stop[0];
}

static void stopped(void)
{
	struct world w;
	world_open(&w);
	stop_at_fetch(&w);
	w.found.failed = true;
	CHECK("stopped", !find(&w, "hangs.example.net") && nobody_left());
	CHECK("stopped", w.err.class == ERR_TEMP && w.err.code.subject == 3);
	CHECK("nothing is touched", w.found.failed && !w.found.policy);
	CHECK("it stays so", !find(&w, "ok.example.net") && nobody_left());
	close(w.io.stop_fd);
	world_close(&w);
}

static void memory(void)
{
	struct world w;
	world_open(&w);
	struct arena *large = w.arena;
	size_t refused = 0, found = 0;
	for (size_t size = 1000; size < 1000000; size += size / 4) {
		resolver_forget(w.resolver);
		w.arena = arena_open(size);
		bool ok = find(&w, "ok.example.net");
		refused += !ok && w.err.class == ERR_INTERNAL;
		found += ok && w.found.policy;
		/* A policy is never lost in silence. */
		CHECK("one or the other",
		      ok ? w.found.policy || w.found.failed : w.err.class == ERR_INTERNAL);
		CHECK("nobody is left", nobody_left());
		resolver_forget(w.resolver);
		arena_close(w.arena);
	}
	CHECK("both came about", refused > 0 && found > 0);
	w.arena = large;
	world_close(&w);
}

#include "stspolicy_memory.h"

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "policies", policies },
		{ "nothing to fetch", nothing_to_fetch },
		{ "failures", failures },
		{ "program missing", program_missing },
		{ "arguments", arguments },
		{ "surroundings", surroundings },
		{ "addresses", addresses },
		{ "time over", time_over },
		{ "stopped", stopped },
		{ "memory", memory },
		{ "remembered", remembered },
		{ "another id", another_id },
		{ "failed lately", failed_lately },
		{ "grows old", grows_old },
		{ "clock goes back", clock_goes_back },
		{ "stopped is no failure", stopped_is_no_failure },
		{ "memory breaks", memory_breaks },
	};
	if (argc > 1)
		return program(argc, argv);
	self = argv[0];
	/* What this one was started with is not to be found in its children. */
	close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	return test_main("stspolicy", tests, sizeof(tests) / sizeof(tests[0]));
}
