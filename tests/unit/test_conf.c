/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "harness.h"

static const struct conf_key keys[] = { { "name", false }, { "port", false }, { "nets", true } };
static const struct conf_key route_keys[] = { { "hosts", true }, { "port", false } };
static const struct conf_section sections[] = {
	{ .name = "domain", .keys = keys, .nkeys = 3 },
	{ .name = "route", .keys = route_keys, .nkeys = 2, .twins = true },
};
static const struct conf_grammar grammar = { keys, 3, sections, 2 };

/* All settings as one line: "3 domain(x.example) port=25; 4 nets=[a][b]; ". */
static void show(const struct conf *found, char *out, size_t size)
{
	const struct conf_setting *set = found->set;
	size_t used = 0;
	out[0] = '\0';
	for (size_t i = 0; i < found->n && used < size; i++) {
		const char *line = strrchr(set[i].origin, ':');
		used += (size_t)snprintf(out + used, size - used, "%s ", line ? line + 1 : "?");
		if (set[i].section)
			used += (size_t)snprintf(out + used, size - used, "%s(%s) ", set[i].section,
						 set[i].title);
		used += (size_t)snprintf(out + used, size - used, "%s=", set[i].key);
		for (size_t k = 0; k < set[i].nvalue; k++)
			used += (size_t)snprintf(out + used, size - used, "[%s]", set[i].value[k]);
		used += (size_t)snprintf(out + used, size - used, "; ");
	}
}

static void check_text(const char *label, const char *text, const char *want)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct conf found = { NULL, 77 };
	struct error err = { 0 };
	char got[2000];
	bool good = conf_parse(a, "f", span_of(text), &grammar, &found, &err);
	if (good)
		show(&found, got, sizeof(got));
	else
		snprintf(got, sizeof(got), "%s", err.text);
	CHECK_STR(label, got, want);
	CHECK(label, good == (err.class == ERR_NONE));
	if (!good) {
		CHECK(label, err.class == ERR_CONFIG && err.code.cls == 4);
		CHECK(label, err.code.subject == 3 && err.code.detail == 5);
		CHECK(label, found.set == NULL && found.n == 77);
	}
	arena_close(a);
}

struct text_case {
	const char *label, *text, *want;
};

static void check_table(const struct text_case *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_text(t[i].label, t[i].text, t[i].want);
}
#define CHECK_TABLE(t) check_table((t), sizeof(t) / sizeof((t)[0]))

static void test_values(void)
{
	static const struct text_case t[] = {
		{ "empty", "", "" },
		{ "blank", " \t\r\n\n", "" },
		{ "quoted", "name = \"a b\"\n", "1 name=[a b]; " },
		{ "bare", "name = mail.example.org", "1 name=[mail.example.org]; " },
		{ "bare with slash", "nets = ::1/128", "1 nets=[::1/128]; " },
		{ "single quotes", "name = 'a\"b'", "1 name=[a\"b]; " },
		{ "empty value", "name = \"\"", "1 name=[]; " },
		{ "no blanks", "name=a", "1 name=[a]; " },
		{ "two on a line", "name = a port = 25", "1 name=[a]; 1 port=[25]; " },
		{ "CRLF", "name = a\r\nport = 1\r\n", "1 name=[a]; 2 port=[1]; " },
		{ "UTF-8", "name = \"b\xc3\xbc\"", "1 name=[b\xc3\xbc]; " },
		{ "quote escaped", "name = \"a\\\"b\\\\\"", "1 name=[a\"b\\]; " },
		{ "quote escaped in single", "name = 'a\\'b'", "1 name=[a'b]; " },
		{ "over lines", "name\n=\n\na", "4 name=[a]; " },
	};
	CHECK_TABLE(t);
}

static void test_lists(void)
{
	static const struct text_case t[] = {
		{ "one", "nets = {\"a\"}", "1 nets=[a]; " },
		{ "three", "nets = {\"a\", b,'c'}", "1 nets=[a][b][c]; " },
		{ "without braces", "nets = a", "1 nets=[a]; " },
		{ "comma last", "nets = {a,}", "1 nets=[a]; " },
		{ "empty", "nets = {}", "1 nets=; " },
		{ "empty over lines", "nets = {\n # none\n }\nport = 1", "3 nets=; 4 port=[1]; " },
		{ "an empty item stays", "nets = {\"\"}", "1 nets=[]; " },
		{ "comments inside", "nets = {a, # first\n /* b, */ c // last\n}",
		  "1 nets=[a][c]; " },
		{ "brace in a string", "nets = {\"}\", '{'}", "1 nets=[}][{]; " },
		{ "scalar given a list", "name = {a}", "f:1: unexpected token '{'" },
		{ "scalar given an empty list", "name = {}", "f:1: unexpected token '{'" },
		{ "no comma", "nets = {a b}", "f:1: unexpected token 'b'" },
		{ "append", "nets = {a}\nnets += {b}",
		  "f:2: '*' and '+' need quotes around their word" },
	};
	CHECK_TABLE(t);
}

static void test_sections(void)
{
	static const struct text_case t[] = {
		{ "one", "domain \"x.example\" { port = 26 }", "1 domain(x.example) port=[26]; " },
		{ "bare title", "domain x { port = 26 name = a }",
		  "1 domain(x) port=[26]; 1 domain(x) name=[a]; " },
		{ "order kept",
		  "name = a\ndomain x {\n port = 1\n}\nport = 2\nroute x { port = 3 }",
		  "1 name=[a]; 3 domain(x) port=[1]; 5 port=[2]; 6 route(x) port=[3]; " },
		{ "the same key in each place", "domain x {port=1} domain y {port=2} port=3",
		  "1 domain(x) port=[1]; 1 domain(y) port=[2]; 1 port=[3]; " },
		{ "empty section", "domain x {}\nport = 1", "2 port=[1]; " },
		{ "empty list in a section", "domain x { nets = {} }", "1 domain(x) nets=; " },
		{ "section twice", "domain x { port = 1 }\ndomain x { name = a }",
		  "f:2: found duplicate title 'x'" },
		{ "unknown section", "host x { port = 1 }", "f:1: no such option 'host'" },
		{ "nested", "domain x {\n domain y { port = 1 }\n}",
		  "f:2: no such option 'domain'" },
		{ "no title", "domain { port = 1 }", "f:1: missing title for section 'domain'" },
		{ "no brace", "domain x port = 1",
		  "f:1: missing opening brace for section 'domain'" },
		{ "unclosed", "name = a\ndomain x {\n port = 1\n",
		  "f:2: the '{' of this line is never closed" },
		{ "unclosed list", "nets = {a,\nb", "f:1: the '{' of this line is never closed" },
		{ "one brace too many", "domain x { port = 1 }\n}",
		  "f:2: unexpected closing brace" },
		{ "brace in a comment", "domain x { # }\n port = 1 }", "2 domain(x) port=[1]; " },
		{ "brace only in a string", "domain x { name = \"}\"",
		  "f:1: the '{' of this line is never closed" },
	};
	CHECK_TABLE(t);
}

static void test_twins(void)
{
	static const struct text_case t[] = {
		{ "one after another", "route x { port = 1 }\nroute x { port = 2 }",
		  "1 route(x) port=[1]; 2 route(x) port=[2]; " },
		{ "on one line", "route x {port=1}route x {port=2}route x {port=3}",
		  "1 route(x) port=[1]; 1 route(x) port=[2]; 1 route(x) port=[3]; " },
		{ "the same key, the same value", "route '*' { port = 1 } route '*' { port = 1 }",
		  "1 route(*) port=[1]; 1 route(*) port=[1]; " },
		{ "with others between",
		  "route x { port = 1 }\nport = 2\nroute y { port = 3 }\nroute x { port = 4 }",
		  "1 route(x) port=[1]; 2 port=[2]; 3 route(y) port=[3]; 4 route(x) port=[4]; " },
		{ "a list, then another", "route x { hosts = {a,b} } route x { hosts = {c} }",
		  "1 route(x) hosts=[a][b]; 1 route(x) hosts=[c]; " },
		{ "an empty list is not nothing", "route x { hosts = {} }", "1 route(x) hosts=; " },
		{ "the title of a section of another kind", "domain x {port=1} route x {port=2}",
		  "1 domain(x) port=[1]; 1 route(x) port=[2]; " },
		{ "a key twice in one", "route x { port = 1 }\nroute x {\nport = 2\nport = 3 }",
		  "f:4: port is already set at f:3" },
		{ "empty", "route x {}", "f:1: this route section is empty" },
		{ "empty over lines", "route x {\n# none\n}\n",
		  "f:3: this route section is empty" },
		{ "empty behind a global key", "port = 1\nroute x {}",
		  "f:2: this route section is empty" },
		{ "empty behind a twin", "route x { port = 1 }\nroute x {}\n",
		  "f:2: this route section is empty" },
		{ "empty behind a domain", "domain x { port = 1 }\nroute y {}",
		  "f:2: this route section is empty" },
		{ "empty before a twin", "route x {}\nroute x { port = 1 }",
		  "f:1: this route section is empty" },
		{ "other sections still once", "domain x {port=1} domain x {port=2}",
		  "f:1: found duplicate title 'x'" },
	};
	CHECK_TABLE(t);
}

/* Each section has its own keys. */
static void test_keys(void)
{
	static const struct text_case t[] = {
		{ "of a route in the global part", "hosts = {a}", "f:1: no such option 'hosts'" },
		{ "of a route in a domain", "domain x {\n hosts = {a} }",
		  "f:2: no such option 'hosts'" },
		{ "of a domain in a route", "route x {\n\n nets = {a} }",
		  "f:3: no such option 'nets'" },
		{ "number 1 here, 2 there", "port = 1 domain x {port=2} route x {port=3}",
		  "1 port=[1]; 1 domain(x) port=[2]; 1 route(x) port=[3]; " },
		{ "a list here only", "route x {hosts={a,b}} domain x {name = {a}}",
		  "f:1: unexpected token '{'" },
		{ "a way into a route", "route x {port=1}\n\"route|port\" = 1",
		  "f:2: port of a section cannot be set from outside" },
	};
	CHECK_TABLE(t);
}

static bool in_one_section(const struct conf_setting *a, const struct conf_setting *b)
{
	return a->title == b->title && a->opened == b->opened;
}

/* One string for the settings of a section, and for no others; libconfuse frees the first of two
 * twins, and often puts the next where that one was. */
static void test_titles(void)
{
	static const char text[] = "port = 9\n"
				   "route x {\n\n port = 1\n hosts = {} }\n"
				   "route x\n{ port = 2\n hosts = {} }\n"
				   "name = a\n"
				   "route x { port = 3 hosts = {} }\n"
				   "domain x { port = 4\n name = a }\n";
	static const char *const opened[] = { NULL, "f:2",  "f:2",  "f:7",  "f:7",
					      NULL, "f:10", "f:10", "f:11", "f:11" };
	struct arena *a = arena_open(LIMIT_ARENA);
	struct conf found = { NULL, 0 };
	struct error err = { 0 };
	CHECK("parse", conf_parse(a, "f", span_of(text), &grammar, &found, &err));
	CHECK("all", found.n == 10);
	for (size_t i = 0; found.n == 10 && i < found.n; i++) {
		const struct conf_setting *set = &found.set[i];
		CHECK(set->origin, (set->title != NULL) == (opened[i] != NULL));
		if (opened[i])
			CHECK_STR(set->origin, set->opened, opened[i]);
		else
			CHECK(set->origin, !set->opened && !set->section);
		for (size_t k = 0; set->title && k < found.n; k++)
			CHECK(set->origin,
			      in_one_section(set, &found.set[k]) ==
				      (opened[k] && strcmp(opened[i], opened[k]) == 0));
	}
	arena_close(a);
}

static void test_many_twins(void)
{
	enum { MANY = 300 };
	struct arena *a = arena_open(LIMIT_ARENA);
	struct conf found = { NULL, 0 };
	struct error err = { 0 };
	static char text[MANY * 40];
	size_t n = 0;
	for (int i = 0; i < MANY; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "route '*' { port = %d }\n", i);
	CHECK("parse", conf_parse(a, "f", span_of(text), &grammar, &found, &err));
	CHECK("all", found.n == MANY);
	for (size_t i = 0; i < found.n; i++) {
		char port[24], origin[24];
		snprintf(port, sizeof(port), "%zu", i);
		snprintf(origin, sizeof(origin), "f:%zu", i + 1);
		CHECK_STR("port", found.set[i].value[0], port);
		CHECK_STR("origin", found.set[i].origin, origin);
		CHECK_STR("opened", found.set[i].opened, origin);
		CHECK("own title", i == 0 || found.set[i].title != found.set[i - 1].title);
	}
	arena_close(a);
}

static void test_twice(void)
{
	static const struct text_case t[] = {
		{ "scalar", "name = a\n\nname = b", "f:3: name is already set at f:1" },
		{ "same value", "name = a\nname = a", "f:2: name is already set at f:1" },
		{ "around a section", "name = a\ndomain x { name = b }\nname = c",
		  "f:3: name is already set at f:1" },
		{ "in a section", "domain x {\nname = a\nport = 1\nname = b }",
		  "f:4: name is already set at f:2" },
		{ "list", "nets = {a}\nnets = {b}", "f:2: nets is already set at f:1" },
		{ "list, then empty", "nets = {a}\nnets = {}", "f:2: nets is already set at f:1" },
		{ "empty, then list", "nets = {}\nnets = {a}", "f:2: nets is already set at f:1" },
		{ "empty twice", "nets = {}\nnets = {}", "f:2: nets is already set at f:1" },
	};
	CHECK_TABLE(t);
}

static void test_dollar(void)
{
	setenv("MXTEST", "leaked", 1);
	static const struct text_case t[] = {
		{ "double quotes", "name = \"${MXTEST}\"", "1 name=[${MXTEST}]; " },
		{ "single quotes", "name = '${MXTEST}'", "1 name=[${MXTEST}]; " },
		{ "bare", "name = $MXTEST", "1 name=[$MXTEST]; " },
		{ "bare with braces", "name = ${MXTEST}", "f:1: unexpected token '{'" },
		{ "default form", "name = \"${NOTSET:-x}\"", "1 name=[${NOTSET:-x}]; " },
		{ "in a list", "nets = {\"$a\", \"${MXTEST}\"}", "1 nets=[$a][${MXTEST}]; " },
		{ "in a title", "domain \"a${MXTEST}\" { port = 1 }",
		  "1 domain(a${MXTEST}) port=[1]; " },
		{ "in a message", "\"$x\" = 1", "f:1: no such option '$x'" },
	};
	CHECK_TABLE(t);
	unsetenv("MXTEST");
}

static void test_comments(void)
{
	static const struct text_case t[] = {
		{ "hash", "# name = a\nport = 1", "2 port=[1]; " },
		{ "hash behind a value", "port = 1 # name = a", "1 port=[1]; " },
		{ "hash in a word ends it", "name = a#b", "1 name=[a]; " },
		{ "hash in quotes", "name = \"a#b\"", "1 name=[a#b]; " },
		{ "slashes", "// name = a\nport = 1", "2 port=[1]; " },
		{ "slashes without blank", "//name = a\nport = 1", "2 port=[1]; " },
		{ "slashes in a word", "name = http://x", "1 name=[http://x]; " },
		{ "block", "/* name = a\n * \"\n */ port = 1", "3 port=[1]; " },
		{ "block on one line keeps count", "/* a */\nport = 1", "2 port=[1]; " },
		{ "block, short", "/**/port = 1", "1 port=[1]; " },
		{ "block, a star and slash shared", "/*/ port = 1",
		  "f:1: this comment is never closed" },
		{ "block unclosed", "port = 1\n/* a\nb\n", "f:2: this comment is never closed" },
		{ "quote in a comment", "# it's\nport = 1", "2 port=[1]; " },
		{ "between key and value", "port /* a */ = /* b */ 1", "1 port=[1]; " },
	};
	CHECK_TABLE(t);
}

static void test_broken(void)
{
	static const struct text_case t[] = {
		{ "unknown key", "\n\ncolour = blue", "f:3: no such option 'colour'" },
		{ "unknown key in a section", "domain x {\n\n colour = blue }",
		  "f:3: no such option 'colour'" },
		{ "case matters", "Name = a", "f:1: no such option 'Name'" },
		{ "no equal sign", "name a", "f:1: missing equal sign after option 'name'" },
		{ "two values", "name = a b", "f:1: no such option 'b'" },
		{ "no value", "name =", "f:1: premature end of file" },
		{ "no value, next key", "name = = a", "f:1: unexpected token '='" },
		{ "string unclosed", "port = 1\nname = \"abc\nnets = x",
		  "f:2: this string is not closed on its line" },
		{ "string unclosed at the end", "name = 'abc",
		  "f:1: this string is not closed on its line" },
		{ "backslash at the end", "name = \"abc\\",
		  "f:1: this string is not closed on its line" },
		{ "continued line", "name = \"abc\\\ndef\"",
		  "f:1: this string is not closed on its line" },
		{ "star without quotes", "domain *.example { port = 1 }",
		  "f:1: '*' and '+' need quotes around their word" },
		{ "empty name", "name = a\n\"\" = 1", "f:2: not understood" },
		{ "a way into a section", "domain x { }\n\"domain|port\" = 1",
		  "f:2: port of a section cannot be set from outside" },
		{ "a way into no section", "\"domain|port\" = 1",
		  "f:1: no sub-section title/index for 'domain'" },
		{ "function", "include(\"/etc/passwd\")", "f:1: no such option 'include'" },
		{ "control", "name = a\nport = \x01",
		  "f:2: a control character, is this a text file?" },
		{ "DEL", "name = \"\x7f\"", "f:1: a control character, is this a text file?" },
		{ "escaped control", "name = \"a\\nb\"", "f:1: name holds a control character" },
		{ "escaped stand-in", "name = \"\\2\"", "f:1: name holds a control character" },
		{ "bad escape", "name = \"\\999\"", "f:1: bad escape sequence '\\999'" },
		{ "bare brace", "{", "f:1: the '{' of this line is never closed" },
		{ "bare value", "= 1", "f:1: unexpected token '='" },
		{ "unprintable name", "\xff = 1", "f:1: no such option '?'" },
	};
	CHECK_TABLE(t);
}

static void test_star_in_quotes(void)
{
	check_text("star", "route \"*.example.net\" { hosts = {\"a+b:1\"} }",
		   "1 route(*.example.net) hosts=[a+b:1]; ");
}

static void test_nul(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct conf found = { NULL, 77 };
	struct error err = { 0 };
	CHECK("NUL", !conf_parse(a, "f", SPAN("name = a\nport = \0 1"), &grammar, &found, &err));
	CHECK_STR("NUL", err.text, "f:2: a control character, is this a text file?");
	arena_close(a);
}

static void test_many_values(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	for (int items = LIMIT_LIST; items <= LIMIT_LIST + 1; items++) {
		char text[1000] = "nets = {a";
		for (int i = 1; i < items; i++)
			memcpy(text + strlen(text), ",a", 3);
		memcpy(text + strlen(text), "}", 2);
		struct conf found = { NULL, 77 };
		struct error err = { 0 };
		bool good = conf_parse(a, "f", span_of(text), &grammar, &found, &err);
		CHECK("limit", good == (items == LIMIT_LIST));
		CHECK("limit", !good || (found.n == 1 && found.set[0].nvalue == LIMIT_LIST));
		if (!good)
			CHECK_STR("over", err.text, "f:1: nets has more than 64 values");
	}
	arena_close(a);
}

static void test_no_memory(void)
{
	const char *text = "name = a\ndomain x { nets = {a, b} }\nroute x { port = 1 }\n";
	bool good = false;
	size_t limit = 0;
	for (; !good && limit < 100000; limit += 8) {
		struct arena *a = arena_open(limit);
		struct conf found = { NULL, 77 };
		struct error err = { 0 };
		good = conf_parse(a, "f", span_of(text), &grammar, &found, &err);
		CHECK("no memory", good || (err.class == ERR_INTERNAL && found.n == 77));
		arena_close(a);
	}
	CHECK("enough memory", good && limit > 1000);
}

static void test_no_keys(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	static const struct conf_section empty = { .name = "domain" };
	static const struct conf_grammar t[] = { { 0 }, { keys, 3, &empty, 1 } };
	for (size_t i = 0; i < 2; i++) {
		struct conf found = { NULL, 77 };
		struct error err = { 0 };
		CHECK("no keys", !conf_parse(a, "f", SPAN("name = 1"), &t[i], &found, &err));
		CHECK("no keys", err.class == ERR_INTERNAL && found.n == 77);
	}
	static const struct conf_grammar flat = { keys, 3, NULL, 0 };
	struct conf found = { NULL, 77 };
	struct error err = { 0 };
	CHECK("no sections", conf_parse(a, "f", SPAN("name = 1"), &flat, &found, &err));
	CHECK("no sections", found.n == 1);
	arena_close(a);
}

static void write_file(const char *path, const char *text, size_t n)
{
	FILE *f = fopen(path, "w");
	CHECK(path, f && fwrite(text, 1, n, f) == n);
	if (f)
		fclose(f);
}

/* False with the message in *err; `missing` must be what is told. */
static bool read_conf(struct arena *a, const char *path, bool missing, struct error *err)
{
	struct conf found = { NULL, 77 };
	bool told = !missing;
	*err = (struct error){ 0 };
	bool good = conf_read(a, path, &grammar, &found, &told, err);
	CHECK(path, told == missing);
	CHECK(path, found.n == (good ? 1 : 77));
	CHECK(path, good || err->class == ERR_CONFIG);
	return good;
}

static void test_files(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct error err;
	char dir[] = "/tmp/test_conf.XXXXXX";
	CHECK("folder", mkdtemp(dir) != NULL);
	const char *good = arena_fmt(a, "%s/good", dir), *bad = arena_fmt(a, "%s/bad", dir);
	const char *fifo = arena_fmt(a, "%s/fifo", dir);
	write_file(good, "port = 25\n", 10);
	write_file(bad, "port = 25\nx\n", 12);
	CHECK("fifo", mkfifo(fifo, 0600) == 0);

	CHECK("good", read_conf(a, good, false, &err));
	CHECK("bad", !read_conf(a, bad, false, &err));
	CHECK_STR("bad", err.text, arena_fmt(a, "%s:2: no such option 'x'", bad));
	CHECK("missing", !read_conf(a, arena_fmt(a, "%s/none", dir), true, &err));
	CHECK("missing", strstr(err.text, "No such file or directory") != NULL);
	CHECK("below a file", !read_conf(a, arena_fmt(a, "%s/none", good), true, &err));
	CHECK("folder", !read_conf(a, dir, false, &err));
	CHECK_STR("folder", err.text, arena_fmt(a, "%s: not a regular file", dir));
	CHECK("fifo", !read_conf(a, fifo, false, &err));
	CHECK("device", !read_conf(a, "/dev/zero", false, &err));
	if (geteuid() != 0) {
		CHECK("unreadable", chmod(good, 0) == 0 && !read_conf(a, good, false, &err));
		CHECK("unreadable", strstr(err.text, "Permission denied") != NULL);
	}
	unlink(good);
	unlink(bad);
	unlink(fifo);
	CHECK("clean", rmdir(dir) == 0);
	arena_close(a);
}

static void test_large_file(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct error err;
	char path[] = "/tmp/test_conf.XXXXXX";
	int fd = mkstemp(path);
	CHECK("a file", fd >= 0);
	close(fd);
	char *text = malloc(LIMIT_CONFIG_FILE + 1);
	memset(text, '\n', LIMIT_CONFIG_FILE + 1);
	memcpy(text, "port = 1", 8);
	write_file(path, text, LIMIT_CONFIG_FILE);
	CHECK("at the limit", read_conf(a, path, false, &err));
	write_file(path, text, LIMIT_CONFIG_FILE + 1);
	CHECK("over the limit", !read_conf(a, path, false, &err));
	CHECK("over the limit", strstr(err.text, "larger than 1048576 bytes") != NULL);
	free(text);
	CHECK("clean", unlink(path) == 0);
	arena_close(a);
}

TEST_MAIN("conf", { "values", test_values }, { "lists", test_lists }, { "sections", test_sections },
	  { "twins", test_twins }, { "keys of sections", test_keys }, { "titles", test_titles },
	  { "many twins", test_many_twins }, { "a key twice", test_twice },
	  { "a dollar is a dollar", test_dollar }, { "comments", test_comments },
	  { "broken text", test_broken }, { "star in quotes", test_star_in_quotes },
	  { "NUL", test_nul }, { "many values", test_many_values }, { "no memory", test_no_memory },
	  { "no keys", test_no_keys }, { "files", test_files }, { "large file", test_large_file })
