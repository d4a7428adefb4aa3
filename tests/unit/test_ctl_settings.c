/* SPDX-License-Identifier: ISC */
#include <jansson.h>

#include "front/ctl.h"
#include "front/ctl_settings.h"

#include "ctl_print.h"

static const char example[] = "helo_name = \"mail.example.org\"\n"
			      "dns_servers = {\"127.0.0.1:5353\", \"::1\"}\n"
			      "domain \"example.com\" { tls = encrypt  refused_networks = {} }\n";

static const char routes[] =
	"tls = encrypt\n"
	"route \"*.example.com\" {\n"
	"\thosts = {\"relay.test:587\", \"192.0.2.1\"}\n"
	"\tmax_mx = 3\n"
	"\ttls = may\n"
	"}\n"
	"route \"*\" { direct = yes  size_over = 1024K }\n"
	"route \"*\" { direct = yes  failing_for = 90m }\n"
	"route \"other.test\" { hosts = {\"relay.test\"}  sender = {\"@a.test\", \"<>\"} }\n";

struct run {
	struct print print;
	struct arena *arena;
	char path[200];
	const char *text;
	struct error err;
};

static void write_text(struct run *r, const char *name, const char *text)
{
	snprintf(r->path, sizeof(r->path), "/tmp/%s.XXXXXX", name);
	int fd = mkstemp(r->path);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
}

static void write_file(struct run *r, const char *name)
{
	write_text(r, name, example);
}

static bool run(struct run *r, unsigned flags, char *domain, bool bold)
{
	bool findings = true;
	print_open(&r->print);
	r->arena = arena_open(LIMIT_ARENA);
	const struct ctl c = {
		.config_file = r->path,
		.config_demanded = true,
		.set = { "max_mx=7" },
		.nset = 1,
		.flags = flags,
		.operand = &domain,
		.noperand = domain ? 1 : 0,
		.out = r->print.out,
		.bold = bold,
	};
	bool ok = ctl_settings(r->arena, &c, &findings, &r->err);
	CHECK("no findings", !ok || !findings);
	r->text = print_text(&r->print);
	return ok;
}

static void done(struct run *r)
{
	print_close(&r->print);
	arena_close(r->arena);
}

/* The line of a key, without blanks where there are several. */
static const char *line_of(const struct run *r, const char *key)
{
	static char line[300];
	size_t n = 0;
	char begin[60];
	snprintf(begin, sizeof(begin), "\n%s ", key);
	const char *p = strstr(r->text, begin);
	for (p = p ? p + 1 : ""; *p && *p != '\n' && n < sizeof(line) - 1; p++)
		if (*p != ' ' || n == 0 || line[n - 1] != ' ')
			line[n++] = *p;
	line[n] = '\0';
	return line;
}

static void test_page(void)
{
	struct run r;
	size_t n;
	const struct config_key *key = config_keys(&n);
	write_file(&r, "conf");
	CHECK("all", run(&r, 0, NULL, false));
	for (size_t i = 0; i < n; i++)
		CHECK(key[i].name, line_of(&r, key[i].name)[0] != '\0');
	CHECK("width", print_columns(r.text) <= PAGE_WIDTH);
	CHECK("heading", strncmp(r.text, "Configuration for all domains\nKEY ", 34) == 0);
	CHECK_STR("file", line_of(&r, "helo_name"),
		  arena_fmt(r.arena, "helo_name mail.example.org %s:1", r.path));
	CHECK_STR("list", line_of(&r, "dns_servers"),
		  arena_fmt(r.arena, "dns_servers 127.0.0.1:5353, [::1]:53 %s:2", r.path));
	CHECK_STR("option", line_of(&r, "max_mx"), "max_mx 7 option -o");
	CHECK_STR("default", line_of(&r, "tls"), "tls may default");
	CHECK_STR("nothing", line_of(&r, "source_ipv4"), "source_ipv4 \"\" default");
	CHECK("wrapped", strstr(r.text, "\n                     ") && strstr(r.text, "ff00::/8"));
	done(&r);
	CHECK("domain", run(&r, 0, (char[]){ "Example.COM" }, false));
	CHECK("heading", strncmp(r.text, "Configuration for example.com\n", 30) == 0);
	CHECK_STR("section", line_of(&r, "tls"),
		  arena_fmt(r.arena, "tls encrypt %s:3 (domain)", r.path));
	CHECK_STR("no list", line_of(&r, "refused_networks"),
		  arena_fmt(r.arena, "refused_networks {} %s:3 (domain)", r.path));
	CHECK_STR("option", line_of(&r, "max_mx"), "max_mx 7 option -o");
	done(&r);
	CHECK("not a domain", !run(&r, 0, (char[]){ "a b" }, false) && r.text[0] == '\0');
	done(&r);
	unlink(r.path);
}

/* A long name of a file loses its begin, never its line, nor takes the room of the values. */
static void test_long_path(void)
{
	struct run r;
	write_file(&r, "a-directory-with-a-name-that-is-longer-than-anybody-would-like-it-to-be-"
		       "and-b\xc3\xb6se");
	CHECK("long", run(&r, 0, NULL, false));
	CHECK("width", print_columns(r.text) <= PAGE_WIDTH);
	CHECK("cut", strstr(line_of(&r, "helo_name"), "\xe2\x80\xa6") != NULL);
	CHECK("its end",
	      strcmp(line_of(&r, "helo_name") + strlen(line_of(&r, "helo_name")) - 2, ":1") == 0);
	done(&r);
	unlink(r.path);
}

static void test_bold(void)
{
	struct run r;
	write_file(&r, "conf");
	CHECK("bold", run(&r, 0, NULL, true));
	CHECK("not a default", strstr(r.text, "\033[1mmax_mx ") != NULL);
	CHECK("a default", strstr(r.text, "\nmax_sessions ") != NULL);
	CHECK("ends", strstr(r.text, "option -o\033[0m\n") != NULL);
	done(&r);
	unlink(r.path);
}

static void test_json(void)
{
	struct run r;
	write_file(&r, "conf");
	CHECK("json", run(&r, CTL_JSON, (char[]){ "example.com" }, true));
	json_t *root = json_loads(r.text, 0, NULL);
	json_t *list = json_object_get(root, "settings");
	size_t n;
	config_keys(&n);
	CHECK_STR("domain", json_string_value(json_object_get(root, "domain")), "example.com");
	CHECK("every key", json_array_size(list) == n);
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *one = json_array_get(list, i);
		const char *key = json_string_value(json_object_get(one, "key"));
		const char *origin = json_string_value(json_object_get(one, "origin"));
		if (strcmp(key, "tls") == 0)
			CHECK_STR(key, origin, "section");
		else if (strcmp(key, "helo_name") == 0)
			CHECK_STR(key, origin, "file");
		else if (strcmp(key, "max_mx") == 0)
			CHECK_STR(key, origin, "option");
		bool file = strcmp(origin, "file") == 0 || strcmp(origin, "section") == 0;
		CHECK(key, json_is_string(json_object_get(one, "at")) == file);
	}
	json_decref(root);
	done(&r);
	unlink(r.path);
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;
	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

static void test_routes(void)
{
	struct run r;
	write_text(&r, "conf", routes);
	CHECK("all", run(&r, 0, NULL, false));
	CHECK("routes", count(r.text, "\n\nRoute \"") == 4);
	CHECK("width", print_columns(r.text) <= PAGE_WIDTH);
	CHECK("heading",
	      strstr(r.text,
		     arena_fmt(r.arena, "\n\nRoute \"*.example.com\" (%s:2)\nKEY     VALUE ",
			       r.path)) != NULL);
	CHECK("hosts", strstr(r.text, "\nhosts   relay.test:587, 192.0.2.1  ") != NULL);
	CHECK("in its section", strstr(r.text, "\ntls     may                        ") != NULL);
	CHECK("the option wins",
	      strstr(r.text, "\nmax_mx  7                          option -o\n"));
	CHECK("size", strstr(r.text, "\nsize_over  1M     ") != NULL);
	CHECK("time", strstr(r.text, "\nfailing_for  90m    ") != NULL);
	CHECK("sender", strstr(r.text, "\nsender  @a.test, <>  ") != NULL);
	done(&r);
	CHECK("domain", run(&r, 0, (char[]){ "x.example.com" }, false));
	CHECK("for it", count(r.text, "\n\nRoute \"") == 3 && !strstr(r.text, "other.test"));
	done(&r);
	CHECK("domain", run(&r, 0, (char[]){ "example.com" }, false));
	CHECK("not below", count(r.text, "\n\nRoute \"") == 2);
	done(&r);
	unlink(r.path);
}

static void test_routes_json(void)
{
	struct run r;
	write_text(&r, "conf", routes);
	CHECK("json", run(&r, CTL_JSON, NULL, false));
	json_t *root = json_loads(r.text, 0, NULL);
	json_t *list = json_object_get(root, "routes");
	CHECK("all", json_array_size(list) == 4);
	json_t *first = json_array_get(list, 0), *keys = json_object_get(first, "settings");
	CHECK_STR("pattern", json_string_value(json_object_get(first, "pattern")), "*.example.com");
	CHECK("its keys", json_array_size(keys) == 3);
	for (size_t i = 0; i < json_array_size(keys); i++) {
		json_t *one = json_array_get(keys, i);
		const char *key = json_string_value(json_object_get(one, "key"));
		bool option = strcmp(key, "max_mx") == 0;
		CHECK_STR(key, json_string_value(json_object_get(one, "origin")),
			  option ? "option" : "file");
		CHECK(key, json_is_string(json_object_get(one, "at")) == !option);
	}
	json_decref(root);
	done(&r);
	unlink(r.path);
}

TEST_MAIN("ctl_settings", { "page", test_page }, { "long path", test_long_path },
	  { "bold", test_bold }, { "json", test_json }, { "routes", test_routes },
	  { "routes in JSON", test_routes_json })
