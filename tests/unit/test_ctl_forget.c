/* SPDX-License-Identifier: ISC */
#include "front/ctl_forget.h"
#include "front/ctl_memory.h"

#include "ctl_print.h"

struct run {
	struct print print;
	bool ok, findings;
	struct error err;
	const char *text;
	size_t left; /* records */
};

static size_t count(struct arena *a, const struct ctl *c)
{
	struct ctl_memory m = { 0 };
	struct items items = { 0 };
	struct error err;
	CHECK("count", ctl_memory_open(a, c, &m, &err) &&
			       (!m.store || store_begin(m.store, STORE_READ, &err)) &&
			       ctl_memory_load(&m, a, NULL, NOW, &items, &err));
	ctl_memory_close(&m);
	return items.n;
}

static void forget(struct run *r, const char *dir, const char *subject)
{
	char set[100];
	char *operand[] = { (char *)(uintptr_t)subject, NULL };
	struct arena *a = arena_open(CTL_ARENA);
	*r = (struct run){ .ok = false };
	snprintf(set, sizeof(set), "state_directory=%s", dir);
	print_open(&r->print);
	const struct ctl c = {
		.config_file = "/dev/null",
		.set = { set },
		.nset = 1,
		.operand = operand,
		.noperand = 1,
		.now = NOW,
		.out = r->print.out,
	};
	r->ok = ctl_forget(a, &c, &r->findings, &r->err);
	r->text = print_text(&r->print);
	r->left = r->ok ? count(a, &c) : 0;
	arena_close(a);
}

#define ALL 11 /* records of the example */

static void test_each(void)
{
	static const struct {
		const char *subject;
		size_t removed;
		const char *text;
	} cases[] = {
		{ "4XyZ1a2b3c", 1, "removed message 4XyZ1a2b3c to anna@example.net (tries: 5)\n" },
		{ "4XyZ5g6h7i", 1, "removed delivery 4XyZ5g6h7i to bj\xc3\xb6rn@good.example\n" },
		{ "mx1.example.net", 1, "removed host mx1.example.net[192.0.2.1]:25\n" },
		{ "2001:db8::2", 1,
		  "removed host mx2.example.net[2001:db8::2]:25 from 2001:db8:1::25\n" },
		{ "EXAMPLE.net", 2,
		  "removed domain example.net\nremoved MTA-STS policy of example.net\n" },
		{ "broken.example", 1, "removed domain broken.example\n" },
		{ "nohttps.example", 1, "removed MTA-STS policy of nohttps.example\n" },
		{ "other.example", 0, "Nothing is remembered of other.example.\n" },
	};
	struct error err = { 0 };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char dir[64];
		struct run r;
		state_make(dir);
		CHECK(err.text, example_fill(dir, NOW, &err));
		forget(&r, dir, cases[i].subject);
		CHECK(cases[i].subject, r.ok && r.findings == (cases[i].removed == 0));
		CHECK_STR(cases[i].subject, r.text, cases[i].text);
		CHECK(cases[i].subject, r.left == ALL - cases[i].removed);
		print_close(&r.print);
		forget(&r, dir, cases[i].subject);
		CHECK("a second time", r.ok && r.findings && r.left == ALL - cases[i].removed);
		print_close(&r.print);
		state_drop(dir);
	}
}

static void keep(const char *dir, const struct record_sender *r)
{
	const struct store_options o = { .dir = dir, .max_bytes = 1 << 20, .patience_ms = 1000 };
	char key_room[RECORD_KEY + 1], value_room[1000];
	struct store *s;
	struct error err;
	struct buf key, value;
	buf_init(&key, key_room, sizeof(key_room));
	buf_init(&value, value_room, sizeof(value_room));
	record_sender_key(r, &key);
	record_sender_write(r, &value);
	if (!store_open(&o, &s, &err) || !store_begin(s, STORE_WRITE, &err) ||
	    !store_put(s, buf_view(&key), buf_view(&value), NOW + 60, &err) ||
	    !store_commit(s, NOW, false, &err))
		abort();
	store_close(s);
}

static void test_senders(void)
{
	const struct record_sender spf = { .source = { 4, { 192, 0, 2, 9 } },
					   .domain = SPAN("example.org"),
					   .ttl = 60 };
	const struct record_sender alone = { .source = { 4, { 192, 0, 2, 9 } }, .ttl = 60 };
	static const struct {
		const char *subject, *text;
	} cases[] = {
		{ "Example.ORG", "removed SPF of example.org for 192.0.2.9\n" },
		{ "192.0.2.9", "removed own address 192.0.2.9\n"
			       "removed SPF of example.org for 192.0.2.9\n" },
	};
	for (size_t i = 0; i < 2; i++) {
		char dir[64];
		struct run r;
		state_make(dir);
		keep(dir, &spf);
		keep(dir, &alone);
		forget(&r, dir, cases[i].subject);
		CHECK(cases[i].subject, r.ok && !r.findings && r.left == 1 - i);
		CHECK_STR(cases[i].subject, r.text, cases[i].text);
		print_close(&r.print);
		state_drop(dir);
	}
}

static void test_nothing(void)
{
	char dir[64];
	struct run r;
	state_make(dir);
	forget(&r, dir, "example.net");
	CHECK("no file", r.ok && r.findings && state_files(dir, false) == 0);
	CHECK_STR("no file", r.text, "Nothing is remembered of example.net.\n");
	print_close(&r.print);
	forget(&r, "", "example.net");
	CHECK("off", r.ok && r.findings);
	print_close(&r.print);
	state_drop(dir);
}

/* Without a way to remove it nothing is said to be removed. */
static void test_errors(void)
{
	char dir[64], file[100];
	struct run r;
	state_make(dir);
	snprintf(file, sizeof(file), "%s/memory.mdb", dir);
	fclose(fopen(file, "w"));
	forget(&r, file, "example.net");
	CHECK("not a directory", !r.ok && r.err.class == ERR_TEMP && r.text[0] == '\0');
	print_close(&r.print);
	state_drop(dir);
}

TEST_MAIN("ctl_forget", { "each", test_each }, { "senders", test_senders },
	  { "nothing", test_nothing }, { "errors", test_errors })
