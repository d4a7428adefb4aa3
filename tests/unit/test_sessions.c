/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flow/sessions.h"

#include "harness.h"

#define MANY (SESSIONS_MAX + 4)

/* A pool, a request, and servers that are the other ends of socket pairs. */
struct world {
	int64_t now;
	struct io io;
	struct config config;
	struct services sv;
	struct demand demand;
	struct tlsa tlsa[2];
	struct endpoint addr[2];
	struct attempt_request rq;
	struct sessions *pool;
	int server[MANY];
	size_t nserver;
};

static struct instant wound_now(void *ctx)
{
	const struct world *w = ctx;
	return (struct instant){ w->now };
}

static struct endpoint address(uint8_t last, uint16_t port)
{
	return (struct endpoint){ { 4, { 192, 0, 2, last } }, port };
}

static void world_open(struct world *w)
{
	*w = (struct world){ .now = 1000000 };
	w->io = (struct io){ .clock = { .now = wound_now, .ctx = w }, .stop_fd = -1 };
	config_init(&w->config);
	w->sv = (struct services){ .io = &w->io, .config = &w->config, .own_name = "client.test" };
	w->tlsa[0] = (struct tlsa){ 3, 1, 1, SPAN("0123456789abcdef0123456789abcdef") };
	w->tlsa[1] = (struct tlsa){ 2, 0, 1, SPAN("fedcba9876543210fedcba9876543210") };
	w->demand = (struct demand){
		.level = DEMAND_DANE,
		.because = "dane",
		.sni = "mx.example.net",
		.names = { "mx.example.net", "example.net" },
		.nnames = 2,
		.tlsa = w->tlsa,
		.ntlsa = 2,
	};
	w->addr[0] = address(1, 25);
	w->addr[1] = address(2, 25);
	w->rq = (struct attempt_request){
		.host = "mx.example.net", .addr = w->addr, .naddr = 2, .demand = &w->demand
	};
	w->pool = sessions_open(&w->io);
	if (!w->pool)
		abort();
}

static void world_close(struct world *w)
{
	sessions_close(w->pool);
	for (size_t i = 0; i < w->nserver; i++)
		if (w->server[i] >= 0)
			close(w->server[i]);
}

/* A session with the next server, as if it came from `peer`. */
static struct kept_session session(struct world *w, struct endpoint peer)
{
	struct kept_session k = {
		.peer = peer,
		.local = { 4, { 127, 0, 0, 1 } },
		.opened = { w->now },
		.dialog = { .secured = true, .level = DEMAND_DANE, .transactions = 1 },
	};
	struct error err;
	int fds[2];
	if (w->nserver == MANY || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0 ||
	    !stream_open(fds[0], &w->io, &k.stream, &err))
		abort();
	w->server[w->nserver++] = fds[1];
	return k;
}

static void keep_one(struct world *w)
{
	const struct kept_session k = session(w, w->addr[0]);
	sessions_keep(w->pool, &w->sv, &w->rq, &k);
}

static bool is_open(struct world *w, size_t server)
{
	char byte;
	return recv(w->server[server], &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0;
}

/* QUIT and no more, then the end. */
static bool has_quit(struct world *w, size_t server)
{
	char said[64];
	ssize_t n = recv(w->server[server], said, sizeof(said), MSG_DONTWAIT);
	return n == 6 && memcmp(said, "QUIT\r\n", 6) == 0 &&
	       (recv(w->server[server], said, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET);
}

static bool take(struct world *w, struct kept_session *ret)
{
	return sessions_take(w->pool, &w->sv, &w->rq, ret);
}

/* Is there one? It stays kept. */
static bool fits(struct world *w)
{
	struct kept_session k;
	if (!take(w, &k))
		return false;
	sessions_keep(w->pool, &w->sv, &w->rq, &k);
	return true;
}

/* ---- keep and take ---- */

static void there_and_back(void)
{
	struct world w;
	struct kept_session got = { .stream = NULL };
	world_open(&w);
	CHECK("empty", !take(&w, &got) && got.stream == NULL);
	CHECK("nothing to end", sessions_expire(w.pool) == -1);
	const struct kept_session k = session(&w, w.addr[1]);
	w.now += 10;
	sessions_keep(w.pool, &w.sv, &w.rq, &k);
	CHECK("to be ended", sessions_expire(w.pool) == SESSIONS_IDLE_MS);
	CHECK("open", is_open(&w, 0));
	CHECK("back", take(&w, &got) && got.stream == k.stream);
	CHECK("back", got.opened.ms == k.opened.ms && got.dialog.transactions == 1);
	CHECK("back", got.peer.port == 25 && ip_equal(got.peer.ip, w.addr[1].ip));
	CHECK("back", ip_equal(got.local, k.local) && got.dialog.secured);
	CHECK("only once", !take(&w, &got) && sessions_expire(w.pool) == -1);
	CHECK("open", is_open(&w, 0));
	stream_close(got.stream);
	world_close(&w);
}

static void no_pool(void)
{
	struct world w;
	struct kept_session got = { .stream = NULL };
	world_open(&w);
	const struct kept_session k = session(&w, w.addr[0]);
	sessions_keep(NULL, &w.sv, &w.rq, &k);
	CHECK("ended", has_quit(&w, 0));
	CHECK("none", !sessions_take(NULL, &w.sv, &w.rq, &got) && got.stream == NULL);
	CHECK("none", sessions_expire(NULL) == -1);
	sessions_close(NULL);
	world_close(&w);
}

/* ---- terms ---- */

static void level(struct world *w)
{
	w->demand.level = DEMAND_VERIFY;
}

static void weaker(struct world *w)
{
	w->demand.level = DEMAND_MAY;
}

static void because(struct world *w)
{
	w->demand.because = "mta-sts enforce";
}

static void because_of_nothing(struct world *w)
{
	w->demand.because = "";
}

static void requiretls(struct world *w)
{
	w->demand.requiretls = true;
}

static void testing(struct world *w)
{
	w->demand.sts_testing = true;
}

static const struct login fred = { "fred", "secret", "route \"*\" (x:1)" },
			  frida = { "frida", "secret", "route \"*\" (x:1)" };

static void login(struct world *w)
{
	w->rq.login = &fred;
}

static void plain(struct world *w)
{
	w->rq.plain = true;
}

static void sni(struct world *w)
{
	w->demand.sni = "mx.example.org";
}

static void no_sni(struct world *w)
{
	w->demand.sni = NULL;
}

static void one_name(struct world *w)
{
	w->demand.nnames = 1;
}

static void other_name(struct world *w)
{
	w->demand.names[1] = "example.org";
}

static void names_turned(struct world *w)
{
	w->demand.names[0] = "example.net";
	w->demand.names[1] = "mx.example.net";
}

static void one_tlsa(struct world *w)
{
	w->demand.ntlsa = 1;
}

static void no_tlsa(struct world *w)
{
	w->demand.ntlsa = 0;
	w->demand.tlsa = NULL;
}

static void usage(struct world *w)
{
	w->tlsa[0].usage = 2;
}

static void selector(struct world *w)
{
	w->tlsa[0].selector = 0;
}

static void matching(struct world *w)
{
	w->tlsa[1].matching = 2;
}

static void data(struct world *w)
{
	w->tlsa[1].data = SPAN("fedcba9876543210fedcba987654321.");
}

static void shorter_data(struct world *w)
{
	w->tlsa[1].data.n--;
}

/* One record whose data looks like the end of the first and the whole of the second. */
static void glued(struct world *w)
{
	w->tlsa[0].data = SPAN("0123456789abcdef0123456789abcdef\2\0\1"
			       "fedcba9876543210fedcba9876543210");
	w->demand.ntlsa = 1;
}

static void own_name(struct world *w)
{
	w->sv.own_name = "other.test";
}

static void no_own_name(struct world *w)
{
	w->sv.own_name = "";
}

static void source4(struct world *w)
{
	w->config.source_ipv4 = (struct ip){ 4, { 192, 0, 2, 99 } };
}

static void source6(struct world *w)
{
	w->config.source_ipv6 = (struct ip){ 6, { 0x20, 1 } };
}

static void ca_file(struct world *w)
{
	w->config.tls_ca_file = "/roots.pem";
}

static void priority(struct world *w)
{
	w->config.tls_priority = "SECURE256";
}

static void host(struct world *w)
{
	w->rq.host = "mx2.example.net";
}

static void longer_host(struct world *w)
{
	w->rq.host = "mx.example.net.example.org";
}

static void no_address(struct world *w)
{
	w->addr[0] = address(3, 25);
}

static void port(struct world *w)
{
	w->addr[0].port = 2525;
}

static void spent(struct world *w)
{
	w->rq.addr = &w->addr[1];
	w->rq.naddr = 1;
}

/* What makes no difference. */

static void host_in_capitals(struct world *w)
{
	w->rq.host = "MX.Example.Net";
}

static void addresses_turned(struct world *w)
{
	w->addr[1] = w->addr[0];
	w->addr[0] = address(2, 25);
}

static void copies(struct world *w)
{
	static const char name[] = "mx.example.net", helo[] = "client.test";
	static struct tlsa records[2];
	memcpy(records, w->tlsa, sizeof(records));
	w->demand.tlsa = records;
	w->demand.sni = w->demand.names[0] = w->rq.host = name;
	w->sv.own_name = helo;
}

static void policy(struct world *w)
{
	w->demand.policy = POLICY_STS;
}

static const struct {
	const char *label;
	void (*change)(struct world *w);
	bool fits;
} terms[] = {
	{ "level", level, false },
	{ "weaker level", weaker, false },
	{ "because", because, false },
	{ "because of nothing", because_of_nothing, false },
	{ "REQUIRETLS", requiretls, false },
	{ "testing", testing, false },
	{ "login", login, false },
	{ "plain", plain, false },
	{ "SNI", sni, false },
	{ "no SNI", no_sni, false },
	{ "one name", one_name, false },
	{ "other name", other_name, false },
	{ "names turned", names_turned, false },
	{ "one TLSA record", one_tlsa, false },
	{ "no TLSA record", no_tlsa, false },
	{ "usage", usage, false },
	{ "selector", selector, false },
	{ "matching", matching, false },
	{ "data", data, false },
	{ "shorter data", shorter_data, false },
	{ "two records in one", glued, false },
	{ "own name", own_name, false },
	{ "no own name", no_own_name, false },
	{ "source IPv4", source4, false },
	{ "source IPv6", source6, false },
	{ "CA file", ca_file, false },
	{ "priority", priority, false },
	{ "host", host, false },
	{ "longer host", longer_host, false },
	{ "address", no_address, false },
	{ "port", port, false },
	{ "address is spent", spent, false },
	{ "host in capitals", host_in_capitals, true },
	{ "addresses turned", addresses_turned, true },
	{ "the same at another place", copies, true },
	{ "who would have demanded", policy, true },
};

static void other_terms(void)
{
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		struct world w, before;
		world_open(&w);
		keep_one(&w);
		CHECK(terms[i].label, fits(&w));
		before = w;
		terms[i].change(&w);
		CHECK(terms[i].label, fits(&w) == terms[i].fits);
		CHECK(terms[i].label, is_open(&w, 0));
		/* And the other way round: kept with the change, asked for without. */
		struct kept_session k;
		sessions_close(w.pool);
		CHECK(terms[i].label, has_quit(&w, 0));
		w.pool = before.pool = sessions_open(&w.io);
		k = session(&w, terms[i].change == spent ? w.addr[1] : w.addr[0]);
		sessions_keep(w.pool, &w.sv, &w.rq, &k);
		memcpy(before.server, w.server, sizeof(w.server));
		before.nserver = w.nserver;
		w = before;
		w.sv.config = &w.config;
		/* Only an address that is left out is one that fits when it comes back. */
		CHECK(terms[i].label, fits(&w) == (terms[i].fits || terms[i].change == spent));
		world_close(&w);
	}
}

/* Nobody sends as somebody else. */
static void two_users(void)
{
	struct world w;
	struct login elsewhere = fred;
	world_open(&w);
	w.rq.login = &fred;
	keep_one(&w);
	CHECK("the same", fits(&w));
	w.rq.login = &frida;
	CHECK("another user", !fits(&w));
	elsewhere.route = "route \"*\" (x:9)";
	w.rq.login = &elsewhere;
	CHECK("another route", !fits(&w));
	elsewhere = fred;
	CHECK("the same at another place", fits(&w));
	world_close(&w);
}

/* Without any demand the pointers are NULL. */
static void no_demand(void)
{
	struct world w;
	world_open(&w);
	w.demand = (struct demand){ .level = DEMAND_MAY };
	w.sv.own_name = "";
	keep_one(&w);
	CHECK("the same", fits(&w));
	w.demand.level = DEMAND_NONE;
	CHECK("another", !fits(&w));
	world_close(&w);
}

/* More than can be compared is not kept: never on suspicion. */
static void long_terms(void)
{
	static char data_octets[70000];
	struct world w;
	struct kept_session got;
	for (size_t n = 1000; n < sizeof(data_octets); n *= 4) {
		world_open(&w);
		w.tlsa[0] = (struct tlsa){ 3, 0, 0, { data_octets, n } };
		keep_one(&w);
		bool kept = is_open(&w, 0);
		CHECK("kept or ended", kept == (n < 4000) && (kept || has_quit(&w, 0)));
		CHECK("kept or ended", fits(&w) == kept);
		data_octets[n - 1] = 'x';
		CHECK("the last octet counts", !take(&w, &got));
		data_octets[n - 1] = '\0';
		world_close(&w);
	}
}

/* ---- dead ones ---- */

static void dead(void)
{
	static const char *const words[] = { "421 4.4.2 idle\r\n", "2", NULL };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct world w;
		struct kept_session got;
		world_open(&w);
		keep_one(&w);
		keep_one(&w);
		if (words[i])
			CHECK("it speaks", write(w.server[0], words[i], strlen(words[i])) > 0);
		else
			shutdown(w.server[0], SHUT_WR);
		CHECK("the other one", take(&w, &got));
		CHECK("is alive", !stream_pending(got.stream) && is_open(&w, 1));
		CHECK("ended", has_quit(&w, 0));
		stream_close(got.stream);
		CHECK("no more", !take(&w, &got));
		world_close(&w);
	}
}

static void gone(void)
{
	struct world w;
	struct kept_session got = { .stream = NULL };
	world_open(&w);
	keep_one(&w);
	close(w.server[0]);
	w.server[0] = -1;
	CHECK("gone", sessions_expire(w.pool) == -1);
	CHECK("gone", !take(&w, &got) && got.stream == NULL);
	keep_one(&w);
	close(w.server[1]);
	w.server[1] = -1;
	world_close(&w); /* and at the end */
}

/* ---- age and number ---- */

static void idle(void)
{
	struct world w;
	world_open(&w);
	keep_one(&w);
	w.now += 1000;
	keep_one(&w);
	CHECK("the first is next", sessions_expire(w.pool) == SESSIONS_IDLE_MS - 1000);
	w.now += SESSIONS_IDLE_MS - 1001;
	CHECK("just so", sessions_expire(w.pool) == 1 && is_open(&w, 0));
	w.now++;
	CHECK("the first is over", sessions_expire(w.pool) == 1000);
	CHECK("the first is over", has_quit(&w, 0) && is_open(&w, 1));
	w.now += SESSIONS_IDLE_MS;
	CHECK("not taken", !fits(&w) && has_quit(&w, 1));
	CHECK("none", sessions_expire(w.pool) == -1);
	world_close(&w);
}

/* Its idle time begins anew with each use, its age does not. */
static void age(void)
{
	struct world w;
	world_open(&w);
	int64_t opened = w.now;
	keep_one(&w);
	while (w.now + SESSIONS_IDLE_MS - 1 <= opened + SESSIONS_AGE_MS) {
		w.now += SESSIONS_IDLE_MS - 1;
		CHECK("in use", fits(&w));
	}
	w.now = opened + SESSIONS_AGE_MS;
	CHECK("the last time", fits(&w) && is_open(&w, 0));
	w.now++;
	struct kept_session k;
	CHECK("too old", take(&w, &k) && is_open(&w, 0));
	sessions_keep(w.pool, &w.sv, &w.rq, &k);
	CHECK("too old", has_quit(&w, 0) && !fits(&w));
	world_close(&w);
}

static void count(void)
{
	struct world w;
	world_open(&w);
	for (uint32_t n = SESSIONS_MESSAGES - 1; n <= SESSIONS_MESSAGES + 1; n++) {
		struct kept_session k = session(&w, w.addr[0]), got;
		k.dialog.transactions = n;
		sessions_keep(w.pool, &w.sv, &w.rq, &k);
		size_t server = w.nserver - 1;
		bool kept = take(&w, &got);
		CHECK("used up", kept == (n < SESSIONS_MESSAGES));
		if (kept)
			stream_close(got.stream);
		else
			CHECK("used up", has_quit(&w, server));
	}
	world_close(&w);
}

static void number(void)
{
	struct world w;
	world_open(&w);
	for (size_t i = 0; i < MANY; i++)
		keep_one(&w);
	for (size_t i = 0; i < MANY; i++)
		CHECK("number", i < SESSIONS_MAX ? is_open(&w, i) : has_quit(&w, i));
	struct kept_session k;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		CHECK("each once", take(&w, &k));
		stream_close(k.stream);
	}
	CHECK("each once", !take(&w, &k));
	world_close(&w);
}

static void at_the_end(void)
{
	struct world w;
	world_open(&w);
	for (size_t i = 0; i < 3; i++)
		keep_one(&w);
	sessions_close(w.pool);
	w.pool = NULL;
	for (size_t i = 0; i < 3; i++)
		CHECK("QUIT", has_quit(&w, i));
	world_close(&w);
}

/* A server that reads no more costs no wait. */
static void deaf(void)
{
	static char much[64 * 1024];
	struct world w;
	struct error err;
	world_open(&w);
	struct kept_session k = session(&w, w.addr[0]);
	for (int i = 0; i < 40; i++)
		if (!stream_write(k.stream, (struct span){ much, sizeof(much) },
				  (struct deadline){ { w.now } }, &err))
			break;
	stream_flush_now(k.stream);
	sessions_keep(w.pool, &w.sv, &w.rq, &k);
	sessions_close(w.pool);
	w.pool = NULL;
	CHECK("ended", w.now == 1000000);
	world_close(&w);
}

int main(void)
{
	static const struct test tests[] = {
		{ "there and back", there_and_back },
		{ "no pool", no_pool },
		{ "other terms", other_terms },
		{ "two users", two_users },
		{ "no demand", no_demand },
		{ "long terms", long_terms },
		{ "dead", dead },
		{ "gone", gone },
		{ "idle", idle },
		{ "age", age },
		{ "count", count },
		{ "number", number },
		{ "at the end", at_the_end },
		{ "deaf", deaf },
	};
	signal(SIGPIPE, SIG_IGN);
	return test_main("sessions", tests, sizeof(tests) / sizeof(tests[0]));
}
