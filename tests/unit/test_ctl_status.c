/* SPDX-License-Identifier: ISC */
#include "front/ctl_status.h"

#include "ctl_print.h"

struct run {
	struct print print;
	bool ok, findings;
	struct error err;
	const char *text;
};

/* The stream knows where *r lies: it cannot be moved. */
static void status(struct run *r, const char *dir, const char *subject, unsigned flags)
{
	char set[100];
	char *operand[] = { (char *)(uintptr_t)subject, NULL };
	*r = (struct run){ .ok = false };
	struct arena *a = arena_open(CTL_ARENA);
	snprintf(set, sizeof(set), "state_directory=%s", dir);
	print_open(&r->print);
	const struct ctl c = {
		.config_file = "/dev/null",
		.set = { set },
		.nset = 1,
		.flags = flags,
		.operand = operand,
		.noperand = subject ? 1 : 0,
		.now = NOW,
		.out = r->print.out,
	};
	r->ok = ctl_status(a, &c, &r->findings, &r->err);
	r->text = print_text(&r->print);
	arena_close(a);
}

static void test_nothing(void)
{
	char dir[64], want[200];
	state_make(dir);
	struct run r;
	status(&r, "", NULL, 0);
	CHECK("off", r.ok && !r.findings);
	CHECK_STR("off", r.text, "Nothing is remembered: state_directory is empty.\n");
	print_close(&r.print);
	status(&r, dir, "example.net", 0);
	snprintf(want, sizeof(want), "Nothing is remembered: there is no %s/memory.mdb.\n", dir);
	CHECK("no file", r.ok && r.findings);
	CHECK_STR("no file", r.text, want);
	print_close(&r.print);
	status(&r, dir, NULL, CTL_JSON);
	CHECK("json", r.ok && !r.findings && r.text[0] == '{');
	print_close(&r.print);
	CHECK("nothing was made", state_files(dir, false) == 0);

	const struct store_options o = { .dir = dir, .max_bytes = 1 << 20, .patience_ms = 100 };
	struct store *s = NULL;
	struct error err = { 0 };
	CHECK(err.text, store_open(&o, &s, &err));
	store_close(s);
	status(&r, dir, NULL, 0);
	CHECK("empty", r.ok && !r.findings);
	CHECK_STR("empty", r.text, "Nothing is remembered.\n");
	print_close(&r.print);
	status(&r, dir, "a\033b", 0);
	CHECK("empty, of one", r.ok && r.findings);
	CHECK_STR("empty, of one", r.text, "Nothing is remembered of a?b.\n");
	print_close(&r.print);
	state_drop(dir);
}

static void test_subjects(void)
{
	static const struct {
		const char *subject; /* NULL: all */
		bool known;
		const char *first, *has, *not ;
	} cases[] = {
		{ NULL, true, "Messages waiting: 2\n", "Hosts in trouble: 3 of 4 known\n",
		  "mx.good" },
		{ NULL, true, "Messages waiting: 2\n", "Domains failing: 2\n", "203.0.113.9" },
		{ NULL, true, "Messages waiting: 2\n", "MTA-STS policies: 2\n", "TLSv1.3" },
		{ NULL, true, "Messages waiting: 2\n", "may not know: 1\n", "4XyZ5g6h7i" },
		{ "4XyZ1a2b3c", true, "Message 4XyZ1a2b3c\n", "Hosts of the last try", "broken" },
		{ "4XyZ5g6h7i", true, "Delivered 4XyZ5g6h7i\n", "may not know", "Message" },
		{ "mx1.example.net", true, "Host mx1.example.net[192.0.2.1]:25\n", "31 ms", "mx2" },
		{ "2001:db8::2", true, "Host mx2.example.net", "MAILMAX=100 RCPTMAX=1000", "mx1" },
		{ "example.net", true, "Domain example.net\n", "MTA-STS policy of example.net\n",
		  "broken" },
		{ "example.net", true, "Domain example.net\n", "Messages waiting: 1\n", "Host " },
		{ "nohttps.example", true, "MTA-STS policy of nohttps.example\n", "not known yet",
		  "Messages" },
		{ "other.example", false, "Nothing is remembered of other.example.\n", "", "Host" },
		{ "4xyz1A2B3C", false, "Nothing is remembered of 4xyz1A2B3C.\n", "", "Message" },
	};
	char dir[64];
	struct error err = { 0 };
	state_make(dir);
	CHECK(err.text, example_fill(dir, NOW, &err));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run r;
		status(&r, dir, cases[i].subject, 0);
		const char *label = cases[i].subject ? cases[i].subject : "all";
		CHECK(label, r.ok && r.findings == !cases[i].known);
		CHECK(label, strncmp(r.text, cases[i].first, strlen(cases[i].first)) == 0);
		CHECK(label, strstr(r.text, cases[i].has) != NULL);
		CHECK(label, strstr(r.text, cases[i].not ) == NULL);
		CHECK(label, print_columns(r.text) <= PAGE_WIDTH);
		print_close(&r.print);
	}
	state_drop(dir);
}

/* What any stranger could write: names, addresses and texts as long as they get. */
static void test_width(void)
{
	char name[256], id[256], text[601];
	struct print out;
	struct arena *a = arena_open(CTL_ARENA);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(id, 'i', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	memset(text, 't', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	const struct ip long6 = { 6,
				  { 0x20, 1, 0xd, 0xb8, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44,
				    0x44, 0x55, 0x55, 0x66, 0x66 } };
	const struct record_attempt message = {
		.queue_id = span_of(id),
		.sender = span_of(name),
		.rcpt = span_of(name),
		.domain = span_of(name),
		.first = 1,
		.last = NOW,
		.count = UINT32_MAX,
		.code = { 4, 999, 999 },
		.text = span_of(text),
	};
	const struct record_domain domain = { .domain = span_of(name),
					      .fails = UINT32_MAX,
					      .failing_since = 1,
					      .last_fail = (int64_t)NOW * 2,
					      .why = span_of(text) };
	const struct record_host host = {
		.host = span_of(name),
		.addr = { long6, 65535 },
		.source = long6,
		.fails = UINT32_MAX,
		.last_fail = NOW,
		.last_good = 1,
		.tls_fails = 9,
		.tls_last_fail = NOW,
		.why = span_of(text),
	};
	const struct record_policy policy = { .domain = span_of(name),
					      .fetched = 1,
					      .tried = 1,
					      .fails = 3,
					      .max_age = UINT32_MAX,
					      .id = span_of("1"),
					      .body = span_of(text) };
	struct item all[] = {
		{ SPAN("a"), RECORD_ATTEMPT, { .message = &message } },
		{ SPAN("d"), RECORD_DOMAIN, { .domain = &domain } },
		{ SPAN("h"), RECORD_HOST, { .host = &host } },
		{ SPAN("p"), RECORD_POLICY, { .policy = &policy } },
	};
	print_open(&out);
	struct page p = print_page(&out, a);
	status_overview(&p, &(struct items){ all, 4 });
	CHECK("memory", !p.nomem);
	CHECK("width", print_columns(print_text(&out)) == PAGE_WIDTH);
	CHECK("all of them", strstr(out.text, "Messages waiting: 1\n") &&
				     strstr(out.text, "Domains failing: 1\n") &&
				     strstr(out.text, "Hosts in trouble: 1 of 1 known\n") &&
				     strstr(out.text, "MTA-STS policies: 1\n"));
	print_close(&out);
	arena_close(a);
}

static void test_quiet(void)
{
	const struct record_host good = { .host = SPAN("mx.example"),
					  .addr = { { 4, { 1 } }, 25 } };
	const struct record_domain fine = { .domain = SPAN("example") };
	const struct record_delivered told = { .queue_id = SPAN("1"), .reported = true };
	struct item all[] = {
		{ SPAN("d"), RECORD_DOMAIN, { .domain = &fine } },
		{ SPAN("h"), RECORD_HOST, { .host = &good } },
		{ SPAN("l"), RECORD_DELIVERED, { .delivered = &told } },
	};
	struct print out;
	struct arena *a = arena_open(CTL_ARENA);
	print_open(&out);
	struct page p = print_page(&out, a);
	status_overview(&p, &(struct items){ all, 3 });
	CHECK_STR("only what is wrong", print_text(&out), "Hosts in trouble: 0 of 1 known\n");
	print_close(&out);
	arena_close(a);
}

static void test_errors(void)
{
	char dir[64], file[100];
	state_make(dir);
	snprintf(file, sizeof(file), "%s/memory.mdb", dir);
	fclose(fopen(file, "w"));
	struct run r;
	status(&r, file, NULL, 0);
	CHECK("not a directory", !r.ok && r.err.class == ERR_TEMP && r.text[0] == '\0');
	print_close(&r.print);
	state_drop(dir);
}

TEST_MAIN("ctl_status", { "nothing", test_nothing }, { "subjects", test_subjects },
	  { "width", test_width }, { "quiet", test_quiet }, { "errors", test_errors })
