/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <unistd.h>

#include "flow/ways.h"
#include "harness.h"

/* A configuration and a secret in files, and services without a network. */
static struct world {
	char dir[40], conf[64], secret[64];
	struct arena *arena;
	struct config config;
	struct io io;
	struct rng rng;
	struct services sv;
	struct settings *settings;
} w;

static void put_file(const char *path, mode_t mode, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	size_t n = strlen(text);
	if (fd < 0 || write(fd, text, n) != (ssize_t)n)
		abort();
	close(fd);
}

/* In the text %s stands for the path of the secret. */
static void world_open(const char *format)
{
	static const uint8_t seed[16] = { 1 };
	char text[2000];
	struct error err;
	w = (struct world){ .arena = arena_open(LIMIT_ARENA) };
	memcpy(w.dir, "/tmp/test_ways.XXXXXX", 22);
	if (!mkdtemp(w.dir) || !w.arena)
		abort();
	snprintf(w.conf, sizeof(w.conf), "%s/conf", w.dir);
	snprintf(w.secret, sizeof(w.secret), "%s/secret", w.dir);
	const char *mark = strstr(format, "%s");
	snprintf(text, sizeof(text), "%.*s%s%s", mark ? (int)(mark - format) : 0, format,
		 mark ? w.secret : "", mark ? mark + 2 : format);
	put_file(w.secret, 0600, "sesame\n");
	put_file(w.conf, 0600, text);
	const struct settings_source from = { .file = w.conf, .file_demanded = true };
	bool good = settings_load(w.arena, &from, &w.settings, &err) &&
		    settings_for(w.arena, w.settings, "example.com", &w.config, &err);
	if (!good)
		puts(err.text);
	CU_ASSERT_FATAL(good);
	rng_seed(&w.rng, seed);
	w.io = (struct io){ .stop_fd = -1 };
	w.sv = (struct services){
		.io = &w.io,
		.rng = &w.rng,
		.config = &w.config,
		.settings = w.settings,
		.own_name = "own.test",
	};
}

static void world_close(void)
{
	unlink(w.conf);
	unlink(w.secret);
	rmdir(w.dir);
	arena_close(w.arena);
}

static const struct ways_request plain = {
	.domain = "example.com",
	.sender = "s@example.org",
	.sized = true,
	.size = 1000,
	.secrets = true,
};

static struct ways find(const struct ways_request *rq)
{
	struct ways got = { .n = 0 };
	struct error err = { .class = ERR_NONE };
	CHECK(err.text, ways_find(w.arena, &w.sv, rq, &got, &err));
	CU_ASSERT_FATAL(got.n > 0);
	return got;
}

static void test_none(void)
{
	world_open("helo_name = \"mail.test\" smtp_port = 2525\n");
	struct ways got = find(&plain);
	const struct way *way = &got.way[0];
	CU_ASSERT(got.n == 1 && got.nroute == 0 && !got.memory_missed);
	CU_ASSERT(way->direct && !way->route && !way->login.user);
	CHECK_STR("name", way->name, "");
	CU_ASSERT(way->to.kind == NEXTHOP_MX && way->config.smtp_port == 2525);
	CHECK_STR("to", way->to.name, "example.com");
	CU_ASSERT(way->sv.config == &way->config && way->sv.rng == &w.rng);
	CHECK_STR("own name", way->sv.own_name, "mail.test");
	w.sv.settings = NULL;
	got = find(&plain);
	CU_ASSERT(got.n == 1 && got.way[0].direct);
	world_close();
}

static const char several[] =
	"spf = hold\n"
	"domain \"example.com\" { max_mx = 3  greeting_timeout = 11s }\n"
	"route \"example.com\" { hosts = {\"relay.test:2526\"} priority = 20 helo_name = "
	"\"other.test\""
	" max_mx = 4 }\n"
	"route \"*.example.com\" { hosts = {\"below.test\"} }\n"
	"route \"*\" { direct = yes priority = 30 failover = any-error }\n"
	"route \"*\" { hosts = {\"mx:backup.test\"} priority = 40 size_over = 999 }\n"
	"route \"*\" { hosts = {\"[192.0.2.7]:465\"} priority = 50 sender = {\"@example.org\"} }\n"
	"route \"*\" { hosts = {\"never.test\"} failing_for = 1h }\n";

static void test_several(void)
{
	world_open(several);
	struct ways got = find(&plain);
	const struct way *way = got.way;
	CU_ASSERT_FATAL(got.n == 4);
	CU_ASSERT(got.nroute == 6 && got.memory_missed);
	CU_ASSERT(got.verdict[0] == ROUTE_MATCHES && got.verdict[1] == ROUTE_OTHER_DOMAIN);
	CU_ASSERT(got.verdict[5] == ROUTE_NO_MEMORY);

	CHECK_STR("to", way[0].to.name, "relay.test");
	CU_ASSERT(way[0].to.kind == NEXTHOP_HOST && !way[0].direct &&
		  way[0].route == &got.route[0]);
	CU_ASSERT(way[0].config.smtp_port == 2526 && way[0].config.spf == SPF_OFF);
	CU_ASSERT(way[0].config.max_mx == 4 && way[0].config.greeting_timeout == 11000);
	CHECK_STR("own name", way[0].sv.own_name, "other.test");
	char name[120];
	snprintf(name, sizeof(name), "route \"example.com\" (%s:3)", w.conf);
	CHECK_STR("name", way[0].name, name);

	CHECK_STR("to", way[1].to.name, "example.com");
	CU_ASSERT(way[1].to.kind == NEXTHOP_MX && way[1].direct && way[1].route == &got.route[2]);
	CU_ASSERT(way[1].config.failover == FAILOVER_ANY_ERROR && way[1].config.spf == SPF_HOLD);
	CU_ASSERT(way[1].config.max_mx == 3 && way[1].config.smtp_port == 25);
	CHECK_STR("own name", way[1].sv.own_name, "own.test");

	CHECK_STR("to", way[2].to.name, "backup.test");
	CU_ASSERT(way[2].to.kind == NEXTHOP_MX && !way[2].direct);
	CHECK_STR("to", way[3].to.name, "[192.0.2.7]");
	CU_ASSERT(way[3].to.kind == NEXTHOP_LITERAL && way[3].config.smtp_port == 465);

	struct ways_request rq = plain;
	rq.size = 999;
	CU_ASSERT(find(&rq).n == 3);
	rq.sender = "s@example.net";
	CU_ASSERT(find(&rq).n == 2);
	rq.sized = false;
	got = find(&rq);
	CU_ASSERT(got.n == 2 && got.verdict[3] == ROUTE_NO_SIZE);
	world_close();
}

static void test_login(void)
{
	struct ways_request rq = plain;
	struct ways got;
	struct error err = { .class = ERR_NONE };
	world_open("route \"*\" { hosts = {\"relay.test:587\"} user = \"fred\" password_file = "
		   "\"%s\" }\n");
	got = find(&rq);
	CHECK_STR("user", got.way[0].login.user, "fred");
	CHECK_STR("password", got.way[0].login.password, "sesame");
	CHECK_STR("route", got.way[0].login.route, got.way[0].name);
	CU_ASSERT(got.way[0].config.tls == TLS_VERIFY);
	rq.secrets = false;
	got = find(&rq);
	CU_ASSERT(!got.way[0].login.user && got.way[0].password[0] == '\0');
	unlink(w.secret);
	got = find(&rq);
	rq.secrets = true;
	CU_ASSERT(!ways_find(w.arena, &w.sv, &rq, &got, &err));
	CU_ASSERT(err.class == ERR_CONFIG);
	CHECK(err.text, strstr(err.text, "route \"*\"") && strstr(err.text, w.secret));
	CHECK(err.text, !strstr(err.text, "sesame"));
	world_close();
}

static void test_domain(void)
{
	struct ways_request rq = plain;
	struct ways got;
	struct error err = { .class = ERR_NONE };
	world_open("route \"*\" { hosts = {\"relay.test\"} }\n");
	rq.domain = "[192.0.2.1]";
	got = find(&rq);
	CHECK_STR("to", got.way[0].to.name, "relay.test");
	w.sv.settings = NULL;
	got = find(&rq);
	CU_ASSERT(got.way[0].to.kind == NEXTHOP_LITERAL && got.way[0].direct);
	rq.domain = "a..b";
	CU_ASSERT(!ways_find(w.arena, &w.sv, &rq, &got, &err) && err.class == ERR_PERM);
	world_close();
}

static void test_soften(void)
{
	static const struct {
		const char *label;
		bool direct;
		enum err_class class, want;
		struct esc code, softened;
	} t[] = {
		{ "the domain's own", true, ERR_PERM, ERR_PERM, { 5, 1, 2 }, { 5, 1, 2 } },
		{ "a relay that is not there",
		  false,
		  ERR_PERM,
		  ERR_TEMP,
		  { 5, 1, 2 },
		  { 4, 3, 5 } },
		{ "a relay that is us", false, ERR_PERM, ERR_TEMP, { 5, 4, 6 }, { 4, 3, 5 } },
		{ "DNS trouble", false, ERR_TEMP, ERR_TEMP, { 4, 4, 3 }, { 4, 4, 3 } },
		{ "the message demands it", false, ERR_PERM, ERR_PERM, { 5, 7, 30 }, { 5, 7, 30 } },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct way *way = calloc(1, sizeof(*way));
		struct error err = { .class = t[i].class, .code = t[i].code, .text = "x" };
		if (!way)
			abort();
		way->direct = t[i].direct;
		way->name = "route \"*\" (c:1)";
		way_soften(way, &err);
		CHECK(t[i].label, err.class == t[i].want);
		CHECK_STR(t[i].label, err.text, t[i].direct ? "x" : "route \"*\" (c:1): x");
		CHECK(t[i].label, err.code.cls == t[i].softened.cls &&
					  err.code.subject == t[i].softened.subject &&
					  err.code.detail == t[i].softened.detail);
		free(way);
	}
}

TEST_MAIN("ways", { "no routes", test_none }, { "several", test_several }, { "login", test_login },
	  { "domain", test_domain }, { "soften", test_soften })
