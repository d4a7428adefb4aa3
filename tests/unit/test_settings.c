/* SPDX-License-Identifier: ISC */
#include <unistd.h>

#include "flow/settings.h"
#include "harness.h"

struct files {
	struct arena *a;
	char path[40];
};

static void put_file(struct files *f, const char *text)
{
	f->a = arena_open(LIMIT_ARENA);
	memcpy(f->path, "/tmp/test_settings.XXXXXX", 26);
	int fd = mkstemp(f->path);
	size_t n = strlen(text);
	CHECK(f->path, fd >= 0 && write(fd, text, n) == (ssize_t)n);
	close(fd);
}

static void drop_file(struct files *f)
{
	unlink(f->path);
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
	CHECK(t->label, !load(&f, &t->option, t->option ? 1 : 0, &s, &err) && s == NULL);
	CHECK(t->label, err.class == ERR_CONFIG && err.code.cls == 4);
	CHECK(t->label, err.code.subject == 3 && err.code.detail == 5);
	CHECK_STR(t->label, err.text,
		  t->error[0] == ':' ? arena_fmt(f.a, "%s%s", f.path, t->error) : t->error);
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
		  ":1: domain \"x\" with all it inherits: deadline: shorter than connect_timeout and "
		  "greeting_timeout together" },
		{ "an option against a section",
		  "domain x {\n deadline = 10s connect_timeout = 1s greeting_timeout = 1s }",
		  "connect_timeout=20s",
		  ":1: domain \"x\" with all it inherits: deadline: shorter than connect_timeout and "
		  "greeting_timeout together" },
		{ "wrong family", "source_ipv4 = \"::1\"", NULL,
		  "source_ipv4: not an IPv4 address" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		check_bad(&t[i]);
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
	put_file(&f, example);
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
	  { "origins", test_origins }, { "bad", test_bad }, { "twice", test_twice },
	  { "no file", test_no_file }, { "no memory", test_no_memory })
