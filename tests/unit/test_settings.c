/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>
#include <unistd.h>

#include "flow/settings.h"
#include "harness.h"

struct files {
	struct arena *a;
	char path[40];
	char secret[40]; /* a password file; "~" in the text stands for its name */
};

static void put_temporary(char *path, const char *text)
{
	int fd = mkstemp(path);
	size_t n = strlen(text);
	CHECK(path, fd >= 0 && write(fd, text, n) == (ssize_t)n);
	close(fd);
}

static void put_file(struct files *f, const char *text)
{
	struct span rest = span_of(text), part;
	const char *all = "";
	f->a = arena_open(LIMIT_ARENA);
	memcpy(f->path, "/tmp/test_settings.XXXXXX", 26);
	memcpy(f->secret, "/tmp/test_settings.XXXXXX", 26);
	put_temporary(f->secret, "secret\n");
	while (span_cut(&rest, '~', &part))
		all = arena_fmt(f->a, "%s%.*s%s", all, (int)part.n, part.p,
				part.p[part.n] == '~' ? f->secret : "");
	put_temporary(f->path, all);
}

static void drop_file(struct files *f)
{
	unlink(f->path);
	unlink(f->secret);
	arena_close(f->a);
}

static bool load(struct files *f, const char *const *option, size_t n, struct settings **ret,
		 struct error *err)
{
	struct settings_source from = { f->path, true, option, n };
	*err = (struct error){ 0 };
	return settings_load(f->a, &from, ret, err);
}

static const char example[] = "helo_name = \"mail.example.org\"\n"
			      "smtp_port = 26\n"
			      "max_mx = 7\n"
			      "domain \"example.com\" { smtp_port = 27  failover = any-error }\n"
			      "domain \"Example.NET\" {\n"
			      "\trefused_networks = {}\n"
			      "\tsource_ipv4 = 192.0.2.9\n"
			      "}\n"
			      "domain \"[192.0.2.1]\" { smtp_port = 28 }\n"
			      "dns_servers = {\"127.0.0.1:5353\"}\n";

static void test_layers(void)
{
	static const struct {
		const char *domain;
		uint16_t port;
		enum config_failover failover;
		size_t refused;
	} t[] = {
		{ NULL, 26, FAILOVER_TEMPFAIL, 7 },
		{ "other.example", 26, FAILOVER_TEMPFAIL, 7 },
		{ "example.com", 27, FAILOVER_ANY_ERROR, 7 },
		{ "EXAMPLE.com", 27, FAILOVER_ANY_ERROR, 7 },
		{ "sub.example.com", 26, FAILOVER_TEMPFAIL, 7 },
		{ "example.net", 26, FAILOVER_TEMPFAIL, 0 },
		{ "[192.0.2.1]", 28, FAILOVER_TEMPFAIL, 7 },
		{ "", 26, FAILOVER_TEMPFAIL, 7 },
	};
	struct files f;
	struct settings *s = NULL;
	struct error err;
	put_file(&f, example);
	CHECK("load", load(&f, NULL, 0, &s, &err));
	for (size_t i = 0; s && i < sizeof(t) / sizeof(t[0]); i++) {
		const char *label = t[i].domain ? t[i].domain : "(global)";
		struct config c;
		CHECK(label, settings_for(f.a, s, t[i].domain, &c, &err));
		CHECK_STR(label, c.helo_name, "mail.example.org");
		CHECK(label, c.max_mx == 7 && c.ndns_servers == 1 && c.max_sessions == 12);
		CHECK(label, c.smtp_port == t[i].port && c.failover == t[i].failover);
		CHECK(label, c.nrefused_networks == t[i].refused);
		CHECK(label, (c.source_ipv4.family == 4) == (t[i].refused == 0));
	}
	drop_file(&f);
}

static void test_options_win(void)
{
	static const char *const option[] = { "smtp_port=2525", "dns_servers=", "smtp_port=2526",
					      "refused_networks=10.0.0.0/8,192.0.2.0/24" };
	static const char *const domain[] = { NULL, "example.com", "example.net" };
	struct files f;
	struct settings *s = NULL;
	struct error err;
	put_file(&f, example);
	CHECK("load", load(&f, option, 4, &s, &err));
	for (size_t i = 0; s && i < 3; i++) {
		struct config c;
		CHECK("for", settings_for(f.a, s, domain[i], &c, &err));
		CHECK("option over file and section", c.smtp_port == 2526);
		CHECK("lists", c.ndns_servers == 0 && c.nrefused_networks == 2);
	}
	drop_file(&f);
}

/* Each origin names the place whose value settings_for() takes. */
static void test_origins(void)
{
	static const char *const option[] = { "max_mx=8", "max_addresses=3", "max_mx=9" };
	static const struct {
		const char *domain, *key;
		enum settings_place place;
		const char *at; /* ":" comes behind the file's name */
	} t[] = {
		{ NULL, "helo_name", PLACE_FILE, ":1" },
		{ NULL, "smtp_port", PLACE_FILE, ":2" },
		{ "other.example", "smtp_port", PLACE_FILE, ":2" },
		{ "example.com", "smtp_port", PLACE_SECTION, ":4" },
		{ "EXAMPLE.com", "failover", PLACE_SECTION, ":4" },
		{ NULL, "failover", PLACE_DEFAULT, "" },
		{ "example.net", "smtp_port", PLACE_FILE, ":2" },
		{ "example.net", "refused_networks", PLACE_SECTION, ":6" },
		{ "example.com", "refused_networks", PLACE_DEFAULT, "" },
		{ "[192.0.2.1]", "smtp_port", PLACE_SECTION, ":9" },
		{ NULL, "dns_servers", PLACE_FILE, ":10" },
		{ NULL, "max_mx", PLACE_OPTION, "max_mx=9" },
		{ "example.com", "max_mx", PLACE_OPTION, "max_mx=9" },
		{ "example.com", "max_addresses", PLACE_OPTION, "max_addresses=3" },
		{ NULL, "max_sessions", PLACE_DEFAULT, "" },
		{ NULL, "tls", PLACE_DEFAULT, "" },
	};
	struct files f;
	struct settings *s = NULL;
	struct error err;
	put_file(&f, example);
	CHECK("load", load(&f, option, 3, &s, &err));
	for (size_t i = 0; s && i < sizeof(t) / sizeof(t[0]); i++) {
		struct settings_origin o = settings_origin(s, t[i].domain, t[i].key);
		CHECK(t[i].key, o.place == t[i].place);
		CHECK_STR(t[i].key, o.at,
			  t[i].at[0] == ':' ? arena_fmt(f.a, "%s%s", f.path, t[i].at) : t[i].at);
	}
	drop_file(&f);
}

struct bad_case {
	const char *label, *text, *option;
	const char *error; /* behind the name of the file, or whole if it does not begin with ':' */
};

static void check_bad(const struct bad_case *t)
{
	struct files f;
	struct settings *s = NULL;
	struct error err;
	put_file(&f, t->text);
	CHECK(t->label, chmod(f.secret, strstr(t->error, "is open") ? 0644 : 0600) == 0);
	CHECK(t->label, !load(&f, &t->option, t->option ? 1 : 0, &s, &err) && s == NULL);
	CHECK(t->label, err.class == ERR_CONFIG && err.code.cls == 4);
	CHECK(t->label, err.code.subject == 3 && err.code.detail == 5);
	const char *error = t->error, *at = strchr(error, '~');
	if (at)
		error = arena_fmt(f.a, "%.*s%s%s", (int)(at - error), error, f.secret, at + 1);
	CHECK_STR(t->label, err.text,
		  error[0] == ':' ? arena_fmt(f.a, "%s%s", f.path, error) : error);
	drop_file(&f);
}

static void test_bad(void)
{
	static const struct bad_case t[] = {
		{ "unknown key", "\ncolour = blue", NULL, ":2: no such option 'colour'" },
		{ "unknown section", "host x { smtp_port = 25 }", NULL,
		  ":1: no such option 'host'" },
		{ "bad value", "\n\nsmtp_port = 0", NULL,
		  ":3: smtp_port: \"0\" is out of range (1 to 65535)" },
		{ "bad value, list", "refused_networks = {\"10.0.0.0/8\",\n\"x\"}", NULL,
		  ":1: refused_networks: \"x\" is not a network (ADDRESS/BITS)" },
		{ "bad value of another domain", "domain \"x.example\" {\n failover = no }", NULL,
		  ":2: failover: \"no\" is none of no-response tempfail any-error" },
		{ "unclosed", "domain x {", NULL, ":1: the '{' of this line is never closed" },
		{ "global key in a section", "domain x {\n smtp_port = 25\n dns_servers = {}\n}",
		  NULL, ":3: dns_servers is global, it cannot stand in a domain section" },
		{ "global key in a section", "domain x { dns_timeout = 1s }", NULL,
		  ":1: dns_timeout is global, it cannot stand in a domain section" },
		{ "global key in a section", "domain x { log_format = json }", NULL,
		  ":1: log_format is global, it cannot stand in a domain section" },
		{ "section twice", "domain x { max_mx = 1 }\ndomain x { max_mx = 1 }", NULL,
		  ":2: found duplicate title 'x'" },
		{ "section twice in another case",
		  "domain x { max_mx = 1 }\nmax_mx = 2\ndomain X { max_mx = 1 }", NULL,
		  ":3: domain \"X\" has a section already" },
		{ "not a domain", "domain \"*.example\" { max_mx = 1 }", NULL,
		  ":1: domain \"*.example\" is not a domain name in A-label form" },
		{ "no domain", "domain \"\" { max_mx = 1 }", NULL,
		  ":1: domain \"\" is not a domain name in A-label form" },
		{ "U-label", "domain \"b\xc3\xbc.example\" { max_mx = 1 }", NULL,
		  ":1: domain \"b\xc3\xbc.example\" is not a domain name in A-label form" },
		{ "unknown option", "", "colour=blue", "-o colour=blue: unknown key \"colour\"" },
		{ "bad option", "", "deadline=x",
		  "-o deadline=x: deadline: \"x\" is not a time (ms s m h d)" },
		{ "no option", "", "deadline", "-o deadline: \"deadline\" is not KEY=VALUE" },
		{ "keys that disagree", "deadline = 10s", NULL,
		  "deadline: shorter than connect_timeout and greeting_timeout together" },
		{ "keys of a section that disagree", "domain x { deadline = 10s }", NULL,
		  ":1: domain \"x\" with all it inherits: deadline: shorter than connect_timeout "
		  "and "
		  "greeting_timeout together" },
		{ "an option against a section",
		  "domain x {\n deadline = 10s connect_timeout = 1s greeting_timeout = 1s }",
		  "connect_timeout=20s",
		  ":1: domain \"x\" with all it inherits: deadline: shorter than connect_timeout "
		  "and "
		  "greeting_timeout together" },
		{ "wrong family", "source_ipv4 = \"::1\"", NULL,
		  "source_ipv4: not an IPv4 address" },
		{ "route key in a domain section", "domain x {\n smtp_port = 25\n hosts = {a} }",
		  NULL, ":3: hosts can stand in a route section only" },
		{ "route key in the global part", "smtp_port = 25\n\nlast = yes", NULL,
		  ":3: last can stand in a route section only" },
		{ "route key as an option", "", "hosts=a", "-o hosts=a: unknown key \"hosts\"" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		check_bad(&t[i]);
}

static void test_bad_routes(void)
{
	static const struct bad_case t[] = {
		{ "empty", "route \"*\" {}", NULL, ":1: this route section is empty" },
		{ "unknown key", "route x {\n direct = yes\n colour = blue }", NULL,
		  ":3: no such option 'colour'" },
		{ "global key", "route x {\n direct = yes\n dns_timeout = 1s }", NULL,
		  ":3: dns_timeout is global, it cannot stand in a route section" },
		{ "global key", "route x { direct = yes lmtp_dsn = yes }", NULL,
		  ":1: lmtp_dsn is global, it cannot stand in a route section" },
		{ "bad value of a route key", "route x {\n direct = yes\n size_over = big }", NULL,
		  ":3: size_over: \"big\" is not a size (K M G)" },
		{ "bad value of another key", "route x {\n direct = yes\n tls = hard }", NULL,
		  ":3: tls: \"hard\" is none of none may encrypt verify dane-only" },
		{ "pattern", "\nroute \"*x\" {\n\n direct = yes }", NULL,
		  ":2: route \"*x\": the pattern is not a domain (A-labels), \"*.DOMAIN\" or "
		  "\"*\"" },
		{ "host", "\nroute x {\n\n hosts = {\"a:0\"} }", NULL,
		  ":2: route \"x\": \"a:0\" is not a host: NAME (A-labels), ADDRESS or mx:NAME, "
		  "with "
		  "or without :PORT" },
		{ "sender", "route x { direct = yes sender = {fred} }", NULL,
		  ":1: route \"x\": \"fred\" is not a sender: \"user@example.org\", "
		  "\"@example.org\" (A-labels), \"<>\", with or without '*'" },
		{ "no way", "route x { priority = 3 }", NULL,
		  ":1: route \"x\": neither hosts nor direct = yes" },
		{ "second of two", "route x { direct = yes }\nroute x { last = yes }", NULL,
		  ":2: route \"x\": neither hosts nor direct = yes" },
		{ "sizes", "route x { direct = yes size_over = 2M size_under = 1M }", NULL,
		  ":1: route \"x\": size_over is not below size_under, so nothing matches" },
		{ "no password", "route x { hosts = {a} user = fred }", NULL,
		  ":1: route \"x\": user without password_file" },
		{ "login without proof",
		  "route x { hosts = {a} user = u password_file = ~ tls = may }", NULL,
		  ":1: route \"x\": a login needs tls = verify or dane-only" },
		{ "ourselves", "helo_name = a.example\nroute x { hosts = {A.example} }", NULL,
		  ":2: route \"x\": \"A.example\" is our own name (helo_name): a loop" },
		{ "ourselves by its own setting",
		  "route x {\n hosts = {a.example} helo_name = a.example }", NULL,
		  ":1: route \"x\": \"a.example\" is our own name (helo_name): a loop" },
		{ "ourselves by an option", "route x { hosts = {a.example} }",
		  "helo_name=a.example",
		  ":1: route \"x\": \"a.example\" is our own name (helo_name): a loop" },
		{ "keys that disagree", "tls = dane-only\nroute x {\n direct = yes dane = no }",
		  NULL,
		  ":2: route \"x\" with all it inherits: tls: dane-only cannot be met with dane = "
		  "no" },
		{ "an option against a route",
		  "\nroute x { direct=yes deadline=10s connect_timeout=1s greeting_timeout=1s }",
		  "connect_timeout=20s",
		  ":2: route \"x\" with all it inherits: deadline: shorter than connect_timeout "
		  "and "
		  "greeting_timeout together" },
		{ "password file missing",
		  "route x { hosts = {a} user = u password_file = /nonexistent/secret }", NULL,
		  ":1: route \"x\": password_file /nonexistent/secret: No such file or directory" },
		{ "password file open", "route x {\n hosts = {a} user = u password_file = ~ }",
		  NULL, ":1: route \"x\": password_file ~: is open to everybody; chmod o= it" },
		{ "password file of a second route",
		  "route x { direct = yes }\nroute y { hosts = {a} user = u password_file = ~ }",
		  NULL, ":2: route \"y\": password_file ~: is open to everybody; chmod o= it" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		check_bad(&t[i]);
}

static const char routes[] =
	"smtp_port = 26\n"
	"max_mx = 7\n"
	"domain \"x.example\" { smtp_port = 27 max_mx = 8 stagger = 1s }\n"
	"route \"x.example\" {\n"
	"\tsmtp_port = 28\n"
	"\tdirect = yes\n"
	"}\n"
	"route \"*\" { direct = yes priority = 20 }\n"
	"route \"*\" {\n"
	"\thosts = {\"relay.example:587\", \"mx:b.example\"}\n"
	"\tmax_mx = 9 failover = any-error spf = hold\n"
	"\trefused_networks = {}\n"
	"\tsize_over = 20M failing_for = 2h last = yes\n"
	"}\n"
	"route \"*.example\" { hosts = {a} user = fred password_file = ~ }\n"
	"route \"*\" { hosts = {a} user = fred password_file = ~ tls = dane-only }\n"
	"max_addresses = 3\n";

static void test_routes(void)
{
	static const struct {
		const char *pattern, *at;
		size_t nhosts;
		uint64_t priority;
	} t[] = { { "x.example", ":4", 0, 10 },
		  { "*", ":8", 0, 20 },
		  { "*", ":9", 2, 10 },
		  { "*.example", ":15", 1, 10 },
		  { "*", ":16", 1, 10 } };
	struct files f;
	struct settings *s = NULL;
	struct error err;
	size_t n = 0;
	put_file(&f, routes);
	CHECK("load", load(&f, NULL, 0, &s, &err));
	const struct route *r = s ? settings_routes(s, &n) : NULL;
	CHECK("number", n == 5);
	for (size_t i = 0; r && n == 5 && i < n; i++) {
		CHECK_STR("pattern", r[i].pattern, t[i].pattern);
		CHECK_STR("origin", r[i].origin, arena_fmt(f.a, "%s%s", f.path, t[i].at));
		CHECK(t[i].at, r[i].nhosts == t[i].nhosts && r[i].priority == t[i].priority);
		CHECK(t[i].at, r[i].direct == (t[i].nhosts == 0) && r[i].last == (i == 2));
	}
	if (n == 5) {
		CHECK_STR("host", r[2].host[0].to.name, "relay.example");
		CHECK("host", r[2].host[0].port == 587 && r[2].host[1].to.kind == NEXTHOP_MX);
		CHECK("conditions", r[2].size_over == 20 << 20 && r[2].failing_for == 7200000);
		CHECK_STR("user", r[3].user, "fred");
		CHECK_STR("password_file", r[3].password_file, f.secret);
	}
	drop_file(&f);
}

static void test_no_routes(void)
{
	static const char *const t[] = { "", "smtp_port = 26\ndomain x { smtp_port = 27 }" };
	for (size_t i = 0; i < 2; i++) {
		struct files f;
		struct settings *s = NULL;
		struct error err;
		size_t n = 77;
		put_file(&f, t[i]);
		CHECK("load", load(&f, NULL, 0, &s, &err));
		CHECK("none", s && (settings_routes(s, &n), n == 0));
		drop_file(&f);
	}
}

static void test_route_layers(void)
{
	static const char *const option[] = { "max_addresses=5", "stagger=2s" };
	static const struct {
		const char *domain;
		size_t route, noption;
		uint16_t port;
		uint64_t max_mx, max_addresses;
		int64_t stagger;
		enum config_tls tls;
	} t[] = {
		{ "x.example", 0, 0, 28, 8, 3, 1000, TLS_MAY },
		{ "X.EXAMPLE", 0, 2, 28, 8, 5, 2000, TLS_MAY },
		{ "x.example", 1, 0, 27, 8, 3, 1000, TLS_MAY },
		{ "y.example", 1, 0, 26, 7, 3, 250, TLS_MAY },
		{ "x.example", 2, 0, 27, 9, 3, 1000, TLS_MAY },
		{ "y.example", 2, 0, 26, 9, 3, 250, TLS_MAY },
		{ "y.example", 2, 2, 26, 9, 5, 2000, TLS_MAY },
		{ "x.example", 3, 0, 27, 8, 3, 1000, TLS_VERIFY },
		{ "y.example", 3, 2, 26, 7, 5, 2000, TLS_VERIFY },
		{ NULL, 3, 0, 26, 7, 3, 250, TLS_VERIFY },
		{ "y.example", 4, 0, 26, 7, 3, 250, TLS_DANE_ONLY },
	};
	struct files f;
	struct error err;
	put_file(&f, routes);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct settings *s = NULL;
		struct config c, plain;
		size_t n;
		char label[60];
		snprintf(label, sizeof(label), "case %zu: %s", i, t[i].domain ? t[i].domain : "");
		CHECK(label, load(&f, option, t[i].noption, &s, &err));
		const struct route *r = settings_routes(s, &n) + t[i].route;
		CHECK(label, settings_for_route(f.a, s, t[i].domain, r, &c, &err));
		CHECK(label, c.smtp_port == t[i].port && c.max_mx == t[i].max_mx);
		CHECK(label, c.max_addresses == t[i].max_addresses && c.stagger == t[i].stagger);
		CHECK(label, c.tls == t[i].tls);
		CHECK(label, (c.spf == SPF_HOLD) == (t[i].route == 2));
		CHECK(label, (c.nrefused_networks == 0) == (t[i].route == 2));
		/* A route of the same name as a domain is no section of that domain. */
		CHECK(label, settings_for(f.a, s, t[i].domain, &plain, &err));
		CHECK(label, plain.smtp_port != 28 && plain.tls == TLS_MAY);
		CHECK(label, settings_origin(s, t[i].domain, "failover").place == PLACE_DEFAULT);
	}
	drop_file(&f);
}

/* Good alone, and in a domain that has a section only then bad: told when it is asked for. */
static void test_route_against_domain(void)
{
	struct files f;
	struct settings *s = NULL;
	struct error err;
	struct config c = { .smtp_port = 1 };
	size_t n;
	put_file(&f, "domain \"x.example\" { tls = dane-only }\n"
		     "route \"*\" { direct = yes dane = no }\n");
	CHECK("load", load(&f, NULL, 0, &s, &err));
	const struct route *r = s ? settings_routes(s, &n) : NULL;
	CHECK("another domain", r && settings_for_route(f.a, s, "y.example", r, &c, &err));
	c.smtp_port = 1;
	CHECK("this one", r && !settings_for_route(f.a, s, "x.example", r, &c, &err));
	CHECK("this one", err.class == ERR_CONFIG && c.smtp_port == 1);
	CHECK_STR(
		"this one", err.text,
		arena_fmt(
			f.a,
			"%s:2: route \"*\" with all it inherits: tls: dane-only cannot be met with "
			"dane = no",
			f.path));
	drop_file(&f);
}

static void test_login_and_option(void)
{
	static const char *const option[] = { "tls=none" };
	struct files f;
	struct settings *s = NULL;
	struct error err;
	struct config c;
	size_t n;
	put_file(&f, "route \"*\" { hosts = {a} user = fred password_file = ~ }\n");
	CHECK("load", load(&f, option, 1, &s, &err));
	const struct route *r = s ? settings_routes(s, &n) : NULL;
	CHECK("route", r && settings_for_route(f.a, s, "x.example", r, &c, &err));
	CHECK("an option does not take the proof from a login", c.tls == TLS_VERIFY);
	CHECK("others", settings_for(f.a, s, "x.example", &c, &err) && c.tls == TLS_NONE);
	drop_file(&f);
}

/* The other place is named too, so this message holds the file's name twice. */
static void test_twice(void)
{
	struct files f;
	struct settings *s;
	struct error err;
	put_file(&f, "smtp_port = 25\nsmtp_port = 25\n");
	CHECK("twice", !load(&f, NULL, 0, &s, &err));
	CHECK_STR("twice", err.text,
		  arena_fmt(f.a, "%s:2: smtp_port is already set at %s:1", f.path, f.path));
	drop_file(&f);
}

static void test_no_file(void)
{
	static const struct {
		const char *label, *file;
		bool demanded, good;
	} t[] = {
		{ "none", NULL, false, true },
		{ "missing default", "/nonexistent/mxdirect.conf", false, true },
		{ "missing, demanded", "/nonexistent/mxdirect.conf", true, false },
		{ "/dev/null", "/dev/null", true, true },
		{ "a folder", "/tmp", false, false },
		{ "another device", "/dev/zero", true, false },
	};
	static const char *const option[] = { "max_mx=3" };
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct arena *a = arena_open(LIMIT_ARENA);
		struct settings_source from = { t[i].file, t[i].demanded, option, 1 };
		struct settings *s = NULL;
		struct error err = { 0 };
		struct config c;
		CHECK(t[i].label, settings_load(a, &from, &s, &err) == t[i].good);
		CHECK(t[i].label, (err.class == ERR_NONE) == t[i].good);
		CHECK(t[i].label, t[i].good || (err.class == ERR_CONFIG && s == NULL));
		if (s) {
			CHECK(t[i].label, settings_for(a, s, "x.example", &c, &err));
			CHECK(t[i].label, c.max_mx == 3 && c.smtp_port == 25);
		}
		arena_close(a);
	}
}

static void test_no_memory(void)
{
	struct files f;
	struct error err;
	bool good = false;
	size_t limit = 0;
	put_file(&f, routes);
	for (; !good && limit < 200000; limit += 64) {
		struct arena *a = arena_open(limit);
		struct settings_source from = { f.path, false, NULL, 0 };
		struct settings *s = NULL;
		err = (struct error){ 0 };
		good = settings_load(a, &from, &s, &err);
		CHECK("no memory", good || (err.class == ERR_INTERNAL && s == NULL));
		arena_close(a);
	}
	CHECK("enough memory", good);
	drop_file(&f);
}

TEST_MAIN("settings", { "layers", test_layers }, { "options win", test_options_win },
	  { "origins", test_origins }, { "bad", test_bad }, { "bad routes", test_bad_routes },
	  { "routes", test_routes }, { "no routes", test_no_routes },
	  { "route layers", test_route_layers },
	  { "route against domain", test_route_against_domain },
	  { "login and option", test_login_and_option }, { "twice", test_twice },
	  { "no file", test_no_file }, { "no memory", test_no_memory })
