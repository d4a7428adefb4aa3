/* SPDX-License-Identifier: ISC */
#include "core/config_value.h"
#include "harness.h"

/* Not struct config: what is here must hold for any struct with a table. */
struct thing {
	char guard[8];
	const char *const *names;
	size_t nnames;
	const char *name, *text, *path, *demanded;
	uint16_t port;
	uint64_t number, size;
	int64_t time;
	int choice;
	bool flag;
	struct ip ip;
	const struct endpoint *servers;
	size_t nservers;
	const struct ip_net *nets;
	size_t nnets;
	char guard_too[8];
};
#define FIELD(key) CONFIG_FIELD(struct thing, key)
#define LIST(key)  CONFIG_LIST(struct thing, key)

static const char *const words[] = { "red", "green", NULL };
static const struct config_key table[] = {
	{ LIST(names), .type = CONFIG_TEXTS, .max = 10, .default_text = "" },
	{ FIELD(name), .type = CONFIG_NAME, .default_text = "a.example" },
	{ FIELD(text), .type = CONFIG_TEXT, .max = 5, .default_text = "t" },
	{ FIELD(path), .type = CONFIG_PATH, .max = 6, .default_text = "/p" },
	{ FIELD(demanded), .type = CONFIG_PATH, .min = 1, .max = 6, .default_text = "/d" },
	{ FIELD(port), .type = CONFIG_PORT, .min = 1, .max = 99, .default_text = "25" },
	{ FIELD(number), .type = CONFIG_NUMBER, .min = 2, .max = 5, .default_text = "3" },
	{ FIELD(size), .type = CONFIG_SIZE, .max = 4096, .default_text = "1K" },
	{ FIELD(time), .type = CONFIG_TIME, .max = 2 * CONFIG_DAY, .default_text = "2h" },
	{ FIELD(choice), .type = CONFIG_CHOICE, .words = words, .default_text = "green" },
	{ FIELD(flag), .type = CONFIG_BOOL, .default_text = "yes" },
	{ FIELD(ip), .type = CONFIG_IP, .default_text = "192.0.2.1" },
	{ LIST(servers), .type = CONFIG_ENDPOINTS, .default_text = "" },
	{ LIST(nets), .type = CONFIG_NETWORKS, .default_text = "" },
};
#define NKEYS (sizeof(table) / sizeof(table[0]))

static const struct config_key *key_of(const char *name)
{
	return config_value_key(table, NKEYS, span_of(name));
}

static void start(struct thing *t)
{
	memset(t, 0, sizeof(*t));
	memcpy(t->guard, "before", 7);
	memcpy(t->guard_too, "behind", 7);
	config_value_init(table, NKEYS, t);
}

static void test_find(void)
{
	for (size_t i = 0; i < NKEYS; i++)
		CHECK(table[i].name, key_of(table[i].name) == &table[i]);
	CHECK("none", !key_of("") && !key_of("nam") && !key_of("names ") && !key_of("Name"));
	CHECK("a part", config_value_key(table, NKEYS, (struct span){ "portal", 4 }) != NULL);
	CHECK("no table", !config_value_key(table, 0, SPAN("name")));
}

static void test_defaults(void)
{
	struct thing t;
	struct ip ip = { 0 };
	start(&t);
	CHECK("lists stay", !t.names && t.nnames == 0 && t.nservers == 0 && t.nnets == 0);
	CHECK_STR("name", t.name, "a.example");
	CHECK_STR("text", t.text, "t");
	CHECK_STR("path", t.path, "/p");
	CHECK_STR("demanded", t.demanded, "/d");
	CHECK("port", t.port == 25);
	CHECK("number", t.number == 3 && t.size == 1024 && t.time == 7200000);
	CHECK("choice", t.choice == 1 && t.flag);
	CHECK("ip", ip_parse(SPAN("192.0.2.1"), &ip) && ip_equal(ip, t.ip));
	CHECK_STR("nothing before", t.guard, "before");
	CHECK_STR("nothing behind", t.guard_too, "behind");
}

/* Each key by itself: what is written is read, and no other field moves. */
static void test_round(void)
{
	static const struct {
		const char *key, *value[3], *text;
	} cases[] = {
		{ "names", { "b", "a b", "c" }, "b, a b, c" },
		{ "names", { "one" }, "one" },
		{ "names", { "" }, "" },
		{ "names", { "", "x" }, ", x" },
		{ "name", { "Mail.Example" }, "Mail.Example" },
		{ "name", { "" }, "" },
		{ "text", { "a,b c" }, "a,b c" },
		{ "text", { "" }, "" },
		{ "path", { "/a b" }, "/a b" },
		{ "path", { "" }, "" },
		{ "demanded", { "/x" }, "/x" },
		{ "port", { "99" }, "99" },
		{ "number", { "5" }, "5" },
		{ "size", { "4K" }, "4K" },
		{ "time", { "90" }, "90s" },
		{ "choice", { "red" }, "red" },
		{ "flag", { "off" }, "no" },
		{ "ip", { "2001:DB8::1" }, "2001:db8::1" },
		{ "servers", { "192.0.2.1:54", "::1" }, "192.0.2.1:54, [::1]:53" },
		{ "nets", { "192.0.2.1", "2001:db8::/32" }, "192.0.2.1/32, 2001:db8::/32" },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct config_key *key = key_of(cases[i].key);
		struct thing t, fresh;
		struct error err = { 0 };
		size_t n = 0;
		start(&t);
		start(&fresh);
		while (n < 3 && cases[i].value[n])
			n++;
		CHECK(cases[i].key, config_value_set(a, key, &t, cases[i].value, n, &err));
		CHECK_STR(cases[i].key, config_value_text(a, key, &t), cases[i].text);
		for (size_t k = 0; k < NKEYS; k++)
			if (&table[k] != key)
				CHECK_STR(table[k].name, config_value_text(a, &table[k], &t),
					  config_value_text(a, &table[k], &fresh));
		CHECK_STR("nothing before", t.guard, "before");
		CHECK_STR("nothing behind", t.guard_too, "behind");
	}
	arena_close(a);
}

static void test_refused(void)
{
	static const struct {
		const char *key, *value[3], *error;
	} cases[] = {
		{ "names",
		  { "a", "12345678901" },
		  "names: \"12345678901\" is longer than 10 bytes" },
		{ "names", { "a\tb" }, "names: \"a b\" is not printable" },
		{ "names", { "ok", "x\177" }, "names: \"x?\" is not printable" },
		{ "name", { "a", "b" }, "name: takes one value" },
		{ "name", { NULL }, "name: takes one value" },
		{ "name",
		  { "a b" },
		  "name: \"a b\" is not a domain name (A-labels) or an address literal" },
		{ "text", { "123456" }, "text: \"123456\" is longer than 5 bytes" },
		{ "path", { "a" }, "path: \"a\" is not an absolute path" },
		{ "path", { "/123456" }, "path: \"/123456\" is longer than 6 bytes" },
		{ "demanded", { "" }, "demanded: \"\" is not an absolute path" },
		{ "port", { "100" }, "port: \"100\" is out of range (1 to 99)" },
		{ "number", { "1" }, "number: \"1\" is out of range (2 to 5)" },
		{ "size", { "5K" }, "size: \"5K\" is out of range (0 to 4K)" },
		{ "time", { "3d" }, "time: \"3d\" is out of range (0 to 2d)" },
		{ "choice", { "blue" }, "choice: \"blue\" is none of red green" },
		{ "flag", { "maybe" }, "flag: \"maybe\" is not yes or no" },
		{ "ip", { "1.2.3" }, "ip: \"1.2.3\" is not an IP address" },
		{ "servers",
		  { "::1", "x" },
		  "servers: \"x\" is not an IP address with or without port" },
		{ "nets",
		  { "192.0.2.0/33" },
		  "nets: \"192.0.2.0/33\" is not a network (ADDRESS/BITS)" },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct thing t, fresh;
		struct error err = { 0 };
		size_t n = 0;
		start(&t);
		start(&fresh);
		while (n < 3 && cases[i].value[n])
			n++;
		CHECK(cases[i].error,
		      !config_value_set(a, key_of(cases[i].key), &t, cases[i].value, n, &err));
		CHECK_STR(cases[i].key, err.text, cases[i].error);
		CHECK(cases[i].key, err.class == ERR_CONFIG && err.code.detail == 5);
		CHECK(cases[i].key, memcmp(&t, &fresh, sizeof(t)) == 0);
	}
	arena_close(a);
}

static void test_texts_are_copies(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct thing t;
	struct error err = { 0 };
	char one[] = "one";
	const char *value[] = { one };
	start(&t);
	CHECK("set", config_value_set(a, key_of("names"), &t, value, 1, &err));
	memset(one, 'x', 3);
	value[0] = NULL;
	CHECK_STR("own copy", t.names[0], "one");
	arena_close(a);
}

static void test_number_of_texts(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	const char *value[LIMIT_LIST + 1];
	struct thing t;
	struct error err = { 0 };
	start(&t);
	for (size_t i = 0; i <= LIMIT_LIST; i++)
		value[i] = "x";
	CHECK("most", config_value_set(a, key_of("names"), &t, value, LIMIT_LIST, &err));
	CHECK("most", t.nnames == LIMIT_LIST);
	CHECK("more", !config_value_set(a, key_of("names"), &t, value, LIMIT_LIST + 1, &err));
	CHECK_STR("more", err.text, "names: more than 64 values");
	CHECK("none", config_value_set(a, key_of("names"), &t, NULL, 0, &err) && t.nnames == 0);
	arena_close(a);
}

static void test_no_memory(void)
{
	static const char *const value[] = { "192.0.2.1", "192.0.2.2" };
	static const char *const keys[] = { "names", "servers", "nets" };
	for (size_t i = 0; i < 3; i++) {
		bool good = false;
		for (size_t limit = 0; !good && limit < 5000; limit++) {
			struct arena *a = arena_open(limit);
			struct thing t;
			struct error err = { 0 };
			start(&t);
			good = config_value_set(a, key_of(keys[i]), &t, value, 2, &err);
			CHECK(keys[i], good || (err.class == ERR_INTERNAL && t.nnames == 0));
			arena_close(a);
		}
		CHECK(keys[i], good);
	}
}

/* A table that contradicts itself is our bug, not the user's. */
static void test_wrong_tables(void)
{
	static const char *const value[] = { "x" };
	struct arena *a = arena_open(LIMIT_ARENA);
	struct thing t;
	struct error err = { 0 };
	struct config_key key = { LIST(names), .type = CONFIG_TEXT, .max = 9 };
	start(&t);
	CHECK("list", !config_value_set(a, &key, &t, value, 1, &err) && err.class == ERR_INTERNAL);
	key = (struct config_key){ FIELD(names), .type = CONFIG_TEXTS, .max = 9 };
	err = (struct error){ 0 };
	CHECK("scalar", !config_value_set(a, &key, &t, value, 1, &err));
	CHECK("scalar", err.class == ERR_INTERNAL && !t.names);
	arena_close(a);
}

TEST_MAIN("config_value", { "find", test_find }, { "defaults", test_defaults },
	  { "round", test_round }, { "refused", test_refused },
	  { "texts are copies", test_texts_are_copies },
	  { "number of texts", test_number_of_texts }, { "no memory", test_no_memory },
	  { "wrong tables", test_wrong_tables })
