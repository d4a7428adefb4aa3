/* SPDX-License-Identifier: ISC */
#include <jansson.h>

#include "front/ctl_json.h"

#include "ctl_print.h"

#define ARENA ((size_t)16 * 1024 * 1024)

/* The output, read back. */
static json_t *told(const struct items *items)
{
	struct print out;
	json_error_t why;
	struct arena *a = arena_open(ARENA);
	print_open(&out);
	struct page p = print_page(&out, a);
	json_status(&p, items);
	CHECK("memory", !p.nomem);
	json_t *root = json_loads(print_text(&out), JSON_REJECT_DUPLICATES, &why);
	CHECK(why.text, root != NULL);
	print_close(&out);
	arena_close(a);
	return root;
}

static json_t *told_one(struct item it, const char *list)
{
	json_t *root = told(&(struct items){ &it, 1 });
	json_t *array = json_object_get(root, list);
	CHECK(list, json_array_size(array) == 1);
	json_t *one = json_incref(json_array_get(array, 0));
	json_decref(root);
	return one;
}

/* `want`: as JSON. */
static void check_json(const char *label, json_t *got, const char *want)
{
	json_error_t why;
	json_t *w = json_loads(want, 0, &why);
	CHECK(why.text, w != NULL);
	bool equal = json_equal(got, w);
	if (!equal) {
		char *dump = json_dumps(got, JSON_COMPACT);
		printf("\n%s: %s", label, dump);
		free(dump);
	}
	CHECK(label, equal);
	json_decref(w);
	json_decref(got);
}

static void test_empty(void)
{
	check_json("empty", told(&(struct items){ 0 }),
		   "{\"messages\":[],\"domains\":[],\"hosts\":[],\"policies\":[],\"delivered\":[],"
		   "\"senders\":[]}");
}

static void test_message(void)
{
	const struct record_attempt r = {
		.queue_id = SPAN("4ABC"),
		.sender = SPAN("<>"),
		.rcpt = SPAN("bj\xc3\xb6rn@x"),
		.domain = SPAN("x"),
		.first = NOW - 60,
		.last = NOW,
		.count = UINT32_MAX,
		.code = { 4, 4, 1 },
		.text = SPAN("said \"no\" \\ \033[2J \xff"),
		.nanswer = 1,
		.answer = { { SPAN("mx[192.0.2.1]:25"),
			      SPAN("no response"),
			      SPAN("gone"),
			      { 0 } } },
	};
	check_json(
		"message",
		told_one((struct item){ SPAN("a"), RECORD_ATTEMPT, { .message = &r } }, "messages"),
		"{\"queue_id\":\"4ABC\",\"from\":\"\",\"to\":\"bj\xc3\xb6rn@x\",\"domain\":\"x\","
		"\"tries\":4294967295,\"first_try\":\"2026-11-24T09:59:00Z\","
		"\"last_try\":\"2026-11-24T10:00:00Z\",\"permanent\":false,\"dsn\":\"4.4.1\","
		"\"text\":\"said \\\"no\\\" \\\\ ?[2J "
		"?\",\"hosts\":[{\"relay\":\"mx[192.0.2.1]:25\","
		"\"event\":\"no response\",\"dsn\":null,\"text\":\"gone\"}]}");
}

static void test_domain(void)
{
	struct record_domain r = { .domain = SPAN("x"),
				   .fails = 1,
				   .failing_since = NOW - 10,
				   .last_fail = NOW - 10,
				   .code = { 4, 4, 1 },
				   .why = SPAN("gone") };
	const struct item it = { SPAN("d"), RECORD_DOMAIN, { .domain = &r } };
	check_json("down", told_one(it, "domains"),
		   "{\"domain\":\"x\",\"failing_since\":\"2026-11-24T09:59:50Z\",\"fails\":1,"
		   "\"last_fail\":\"2026-11-24T09:59:50Z\",\"next_try\":\"2026-11-24T10:00:50Z\","
		   "\"dsn\":\"4.4.1\",\"text\":\"gone\"}");
	r = (struct record_domain){ .domain = SPAN("x") };
	check_json("fine", told_one(it, "domains"),
		   "{\"domain\":\"x\",\"failing_since\":null,\"fails\":0,\"last_fail\":null,"
		   "\"next_try\":null,\"dsn\":null,\"text\":\"\"}");
}

static void test_host(void)
{
	struct record_host r = {
		.host = SPAN("mx"),
		.addr = { { 6, { 0x20, 1, 0xd, 0xb8, [15] = 1 } }, 2525 },
		.source = { 4, { 192, 0, 2, 9 } },
		.fails = 1,
		.first_fail = NOW - 5,
		.last_fail = NOW - 5,
		.last_good = NOW - 60,
		.connect_ms = 3,
		.tls_fails = 1,
		.tls_last_fail = NOW - 60,
		.caps = EHLO_SIZE | EHLO_PIPELINING,
		.size_max = UINT64_MAX,
		.mail_max = 1,
		.rcpt_max = 2,
		.why = SPAN("gone"),
	};
	const struct item it = { SPAN("h"), RECORD_HOST, { .host = &r } };
	check_json("trouble", told_one(it, "hosts"),
		   "{\"host\":\"mx\",\"address\":\"2001:db8::1\",\"port\":2525,\"source\":\"192.0."
		   "2.9\","
		   "\"fails\":1,\"first_fail\":\"2026-11-24T09:59:55Z\","
		   "\"last_fail\":\"2026-11-24T09:59:55Z\",\"next_try\":\"2026-11-24T10:00:55Z\","
		   "\"last_good\":\"2026-11-24T09:59:00Z\",\"connect_ms\":3,\"text\":\"gone\","
		   "\"tls\":{\"fails\":1,\"last_fail\":\"2026-11-24T09:59:00Z\",\"broken\":true},"
		   "\"ehlo\":{\"keywords\":[\"PIPELINING\",\"SIZE\"],\"size\":9223372036854775807,"
		   "\"mailmax\":1,\"rcptmax\":2}}");
	r = (struct record_host){ .host = SPAN("mx"), .addr = { { 4, { 1, 2, 3, 4 } }, 25 } };
	check_json(
		"nothing", told_one(it, "hosts"),
		"{\"host\":\"mx\",\"address\":\"1.2.3.4\",\"port\":25,\"source\":null,\"fails\":0,"
		"\"first_fail\":null,\"last_fail\":null,\"next_try\":null,\"last_good\":null,"
		"\"connect_ms\":null,\"text\":null,"
		"\"tls\":{\"fails\":0,\"last_fail\":null,\"broken\":false},"
		"\"ehlo\":{\"keywords\":[],\"size\":null,\"mailmax\":null,\"rcptmax\":null}}");
}

static void test_policy(void)
{
	struct record_policy r = {
		.domain = SPAN("x"),
		.fetched = NOW,
		.tried = NOW,
		.max_age = 60,
		.id = SPAN("1"),
		.body = SPAN("version: STSv1\nmode: enforce\nmx: *.x\nmx: y\nmax_age: 60\n"),
	};
	const struct item it = { SPAN("p"), RECORD_POLICY, { .policy = &r } };
	check_json("good", told_one(it, "policies"),
		   "{\"domain\":\"x\",\"id\":\"1\",\"mode\":\"enforce\",\"mx\":[\"*.x\",\"y\"],"
		   "\"fetched\":\"2026-11-24T10:00:00Z\",\"until\":\"2026-11-24T10:01:00Z\","
		   "\"fails\":0,"
		   "\"last_fail\":null}");
	r = (struct record_policy){ .domain = SPAN("x"), .tried = NOW, .fails = 2 };
	check_json("none", told_one(it, "policies"),
		   "{\"domain\":\"x\",\"id\":null,\"mode\":null,\"mx\":[],\"fetched\":null,"
		   "\"until\":null,"
		   "\"fails\":2,\"last_fail\":\"2026-11-24T10:00:00Z\"}");
}

static void test_delivered(void)
{
	struct record_delivered r = {
		.queue_id = SPAN("4ABC"),
		.sender = SPAN("s@x"),
		.rcpt = SPAN("r@y"),
		.when = NOW,
		.code = { 2, 0, 0 },
		.relay = SPAN("mx[192.0.2.1]:25"),
		.text = SPAN("250 Ok"),
		.level = SPAN("may"),
		.protocol = SPAN("TLSv1.3"),
		.cipher = SPAN("C"),
	};
	const struct item it = { SPAN("l"), RECORD_DELIVERED, { .delivered = &r } };
	check_json(
		"tls", told_one(it, "delivered"),
		"{\"queue_id\":\"4ABC\",\"from\":\"s@x\",\"to\":\"r@y\","
		"\"when\":\"2026-11-24T10:00:00Z\",\"reported\":false,\"relay\":\"mx[192.0.2.1]:"
		"25\","
		"\"dsn\":\"2.0.0\",\"text\":\"250 Ok\",\"tls\":{\"level\":\"may\",\"because\":null,"
		"\"protocol\":\"TLSv1.3\",\"cipher\":\"C\"}}");
	r.level = (struct span){ NULL, 0 };
	r.reported = true;
	json_t *one = told_one(it, "delivered");
	CHECK("plain", json_is_null(json_object_get(one, "tls")));
	CHECK("reported", json_is_true(json_object_get(one, "reported")));
	json_decref(one);
}

static void test_sender(void)
{
	struct record_sender r = {
		.source = { 4, { 192, 0, 2, 9 } },
		.domain = SPAN("example.org"),
		.helo = SPAN("mail.example.org"),
		.asked = NOW,
		.ttl = 60,
		.result = SPAN("fail"),
		.mechanism = SPAN("-all (example.org)"),
		.why = SPAN("192.0.2.9 matches -all"),
	};
	const struct item it = { SPAN("s"), RECORD_SENDER, { .sender = &r } };
	check_json("SPF", told_one(it, "senders"),
		   "{\"source\":\"192.0.2.9\",\"domain\":\"example.org\","
		   "\"helo\":\"mail.example.org\",\"spf\":\"fail\","
		   "\"mechanism\":\"-all (example.org)\",\"text\":\"192.0.2.9 matches -all\","
		   "\"asked\":\"2026-11-24T10:00:00Z\",\"until\":\"2026-11-24T10:01:00Z\"}");
	r = (struct record_sender){ .source = r.source, .asked = NOW, .ttl = 60 };
	check_json("address", told_one(it, "senders"),
		   "{\"source\":\"192.0.2.9\",\"domain\":null,\"helo\":null,\"spf\":null,"
		   "\"mechanism\":null,\"text\":null,\"asked\":\"2026-11-24T10:00:00Z\","
		   "\"until\":\"2026-11-24T10:01:00Z\"}");
}

static void test_no_memory(void)
{
	const struct record_domain r = { .domain = SPAN("example.net") };
	struct item it = { SPAN("d"), RECORD_DOMAIN, { .domain = &r } };
	struct print out;
	struct arena *a = arena_open(0);
	print_open(&out);
	struct page p = print_page(&out, a);
	json_status(&p, &(struct items){ &it, 1 });
	CHECK("no memory", p.nomem);
	CHECK_STR("nothing half", print_text(&out), "");
	print_close(&out);
	arena_close(a);
}

TEST_MAIN("ctl_json", { "empty", test_empty }, { "message", test_message },
	  { "domain", test_domain }, { "host", test_host }, { "policy", test_policy },
	  { "delivered", test_delivered }, { "sender", test_sender },
	  { "no memory", test_no_memory })
