/* SPDX-License-Identifier: ISC */
#include "core/health.h"
#include "front/ctl_details.h"

#include "ctl_print.h"

#define ARENA ((size_t)16 * 1024 * 1024)

/* What one record looks like; in the arena. */
static const char *shown(struct arena *a, struct item it)
{
	struct print out;
	print_open(&out);
	struct page p = print_page(&out, a);
	details_show(&p, &(struct items){ &it, 1 });
	CHECK("memory", !p.nomem);
	const char *copy = arena_str(a, span_of(print_text(&out)));
	CHECK("width", print_columns(copy) <= PAGE_WIDTH);
	print_close(&out);
	return copy;
}

static void test_message(void)
{
	struct arena *a = arena_open(ARENA);
	struct record_attempt r = {
		.queue_id = SPAN("4ABC"),
		.rcpt = SPAN("r@example.net"),
		.domain = SPAN("example.net"),
		.first = NOW - 60,
		.last = NOW - 60,
		.count = 1,
		.permanent = true,
		.code = { 5, 1, 1 },
		.text = SPAN("said: 550 no"),
	};
	CHECK_STR("without hosts",
		  shown(a, (struct item){ SPAN("a"), RECORD_ATTEMPT, { .message = &r } }),
		  "Message 4ABC\n"
		  "  From          <>\n"
		  "  To            r@example.net\n"
		  "  Domain        example.net\n"
		  "  State         failed for good\n"
		  "  Tries         1\n"
		  "  First try     2026-11-24T09:59:00Z (1m ago)\n"
		  "  Last try      2026-11-24T09:59:00Z (1m ago)\n"
		  "  Verdict       5.1.1 said: 550 no\n");
	r.permanent = false;
	r.nanswer = RECORD_HOSTS;
	for (size_t i = 0; i < RECORD_HOSTS; i++)
		r.answer[i] = (struct record_answer){
			SPAN("mx[192.0.2.1]:25"), SPAN("no response"), SPAN("gone"), { 4, 4, 2 }
		};
	const char *text = shown(a, (struct item){ SPAN("a"), RECORD_ATTEMPT, { .message = &r } });
	size_t n = 0;
	for (const char *s = text;
	     (s = strstr(s, "    mx[192.0.2.1]:25: no response\n      4.4.2 gone\n")); s++)
		n++;
	CHECK("every host", n == RECORD_HOSTS);
	CHECK("waiting", strstr(text, "State         waiting\n") != NULL);
	arena_close(a);
}

static void test_host(void)
{
	struct arena *a = arena_open(ARENA);
	struct record_host r = { .host = SPAN("mx"), .addr = { { 4, { 192, 0, 2, 1 } }, 25 } };
	const struct item it = { SPAN("h"), RECORD_HOST, { .host = &r } };
	CHECK_STR("never seen", shown(a, it),
		  "Host mx[192.0.2.1]:25\n"
		  "  Failures      none\n"
		  "  Last good     never\n"
		  "  EHLO          nothing known\n");
	health_bad(&r, NOW - 600, SPAN("timed out"));
	CHECK_STR("once, long ago", shown(a, it),
		  "Host mx[192.0.2.1]:25\n"
		  "  Failures      1, 2026-11-24T09:50:00Z (10m ago)\n"
		  "  Reason        timed out\n"
		  "  Next try      now\n"
		  "  Last good     never\n"
		  "  EHLO          nothing known\n");
	health_bad(&r, NOW, SPAN("timed out"));
	health_probe(&r, NOW);
	health_tls(&r, NOW - 60, false);
	const char *text = shown(a, it);
	CHECK("from", strstr(text, "2 in a row, from 2026-11-24T09:50:00Z (10m ago) to ") != NULL);
	CHECK("next", strstr(text, "Next try      2026-11-24T10:02:00Z (in 2m)\n") != NULL);
	CHECK("probe", strstr(text, "Probe         another run is trying it\n") != NULL);
	CHECK("tls", strstr(text, "TLS           broken; failures: 1, 2026") != NULL);
	health_good(&r, NOW - 5, 17);
	r.source = (struct ip){ 4, { 198, 51, 100, 1 } };
	r.caps = EHLO_PIPELINING | EHLO_CHUNKING | EHLO_REQUIRETLS | EHLO_DSN;
	r.rcpt_max = 50;
	r.tls_fails = 0;
	CHECK_STR("good", shown(a, it),
		  "Host mx[192.0.2.1]:25\n"
		  "  Source        198.51.100.1\n"
		  "  Failures      none\n"
		  "  Last good     2026-11-24T09:59:55Z (5s ago)\n"
		  "  Connect time  17 ms\n"
		  "  EHLO          PIPELINING DSN CHUNKING REQUIRETLS\n"
		  "  LIMITS        RCPTMAX=50\n");
	arena_close(a);
}

static void test_domain(void)
{
	struct arena *a = arena_open(ARENA);
	struct record_domain r = { .domain = SPAN("x.example"),
				   .code = { 4, 4, 1 },
				   .why = SPAN("gone") };
	const struct item it = { SPAN("d"), RECORD_DOMAIN, { .domain = &r } };
	struct page p = { .arena = a, .now = NOW };
	health_domain_ran(&r, RUN_PUT_OFF, NOW - 120);
	CHECK_STR("put off", shown(a, it),
		  "Domain x.example\n"
		  "  Since         2026-11-24T09:58:00Z (2m ago)\n"
		  "  Reason        4.4.1 gone\n"
		  "  State         hosts answer, but nothing is delivered\n");
	CHECK_STR("put off", details_domain_next(&p, &r), "-");
	health_domain_ran(&r, RUN_UNREACHABLE, NOW - 20);
	CHECK_STR("unreachable", shown(a, it),
		  "Domain x.example\n"
		  "  Since         2026-11-24T09:58:00Z (2m ago)\n"
		  "  Reason        4.4.1 gone\n"
		  "  State         no host answered, last 2026-11-24T09:59:40Z (20s "
		  "ago)\n"
		  "  Next try      2026-11-24T10:00:40Z (in 40s)\n");
	CHECK_STR("unreachable", details_domain_next(&p, &r), "in 40s");
	p.now = NOW + 40;
	CHECK_STR("its back-off is over", details_domain_next(&p, &r), "now");
	arena_close(a);
}

static void test_policy(void)
{
	struct arena *a = arena_open(ARENA);
	struct record_policy r = { .domain = SPAN("x.example"), .tried = NOW - 60, .fails = 1 };
	const struct item it = { SPAN("p"), RECORD_POLICY, { .policy = &r } };
	CHECK_STR("never had", shown(a, it),
		  "MTA-STS policy of x.example\n"
		  "  Mode          not known yet\n"
		  "  Fetched       never\n"
		  "  Failures      1, 2026-11-24T09:59:00Z (1m ago)\n");
	r = (struct record_policy){
		.domain = SPAN("x.example"),
		.fetched = NOW - 60,
		.tried = NOW - 60,
		.max_age = 86400,
		.id = SPAN("1"),
		.body = SPAN("version: STSv1\nmode: testing\nmx: *.x.example\nmx: "
			     "y.example\nmax_age: 9\n"),
	};
	CHECK_STR("good", shown(a, it),
		  "MTA-STS policy of x.example\n"
		  "  Mode          testing\n"
		  "  Hosts         *.x.example y.example\n"
		  "  Id            1\n"
		  "  Holds until   2026-11-25T09:59:00Z (in 23h59m)\n"
		  "  Fetched       2026-11-24T09:59:00Z (1m ago)\n");
	r.body = SPAN("\033[2Jrubbish");
	const char *text = shown(a, it);
	CHECK("unreadable",
	      strstr(text, "Mode          -\n  Hosts         -\n") && !strchr(text, '\033'));
	arena_close(a);
}

/* As many and as long ones as a policy can hold. */
static void test_long_policy(void)
{
	static char body[STS_BODY];
	struct arena *a = arena_open(ARENA);
	struct buf b;
	buf_init(&b, body, sizeof(body));
	buf_addf(&b, "version: STSv1\nmode: enforce\nmax_age: 9\n");
	for (int i = 0; i < STS_MX; i++)
		buf_addf(&b, "mx: m%d.%060d.%060d.example\n", i, 0, 0);
	const struct record_policy r = { .domain = SPAN("x.example"),
					 .fetched = NOW,
					 .max_age = 9,
					 .id = SPAN("1"),
					 .body = buf_view(&b) };
	const char *text = shown(a, (struct item){ SPAN("p"), RECORD_POLICY, { .policy = &r } });
	CHECK("long", strstr(text, "Mode          enforce\n") && strstr(text, "very many\n"));
	arena_close(a);
}

static void test_delivered(void)
{
	struct arena *a = arena_open(ARENA);
	struct record_delivered r = {
		.queue_id = SPAN("4ABC"),
		.sender = SPAN("<>"),
		.rcpt = SPAN("r@x"),
		.when = NOW - 1,
		.reported = true,
		.relay = SPAN("mx[192.0.2.1]:25"),
		.text = SPAN("250 Ok"),
	};
	CHECK_STR("plain",
		  shown(a, (struct item){ SPAN("l"), RECORD_DELIVERED, { .delivered = &r } }),
		  "Delivered 4ABC\n"
		  "  From          <>\n"
		  "  To            r@x\n"
		  "  When          2026-11-24T09:59:59Z (1s ago)\n"
		  "  Reported      the host MTA was there to hear it\n"
		  "  Host          mx[192.0.2.1]:25\n"
		  "  Answer        250 Ok\n");
	arena_close(a);
}

static void test_sender(void)
{
	struct arena *a = arena_open(ARENA);
	struct record_sender r = {
		.source = { 4, { 192, 0, 2, 9 } },
		.domain = SPAN("example.org"),
		.helo = SPAN("mail.example.org"),
		.asked = NOW - 60,
		.ttl = 300,
		.result = SPAN("fail"),
		.mechanism = SPAN("-all (example.org)"),
		.why = SPAN("192.0.2.9 matches -all"),
	};
	const struct item it = { SPAN("s"), RECORD_SENDER, { .sender = &r } };
	CHECK_STR("SPF", shown(a, it),
		  "SPF of example.org for 192.0.2.9\n"
		  "  Result        fail: -all (example.org)\n"
		  "  Looked at     2026-11-24T09:59:00Z (1m ago)\n"
		  "  Holds until   2026-11-24T10:04:00Z (in 4m)\n");
	r.result = SPAN("none");
	r.mechanism = SPAN("");
	r.why = SPAN("example.org has no SPF record");
	CHECK("no mechanism", strstr(shown(a, it), "none: example.org has no SPF record\n"));
	r = (struct record_sender){ .source = r.source, .asked = NOW, .ttl = 600 };
	CHECK_STR("address", shown(a, it),
		  "Own address 192.0.2.9\n"
		  "  Looked at     2026-11-24T10:00:00Z (0s ago)\n"
		  "  Holds until   2026-11-24T10:10:00Z (in 10m)\n");
	arena_close(a);
}

static void test_words(void)
{
	struct arena *a = arena_open(ARENA);
	struct page p = { .arena = a, .now = NOW };
	struct record_host r = { 0 };
	CHECK_STR("tls never failed", details_tls(&p, &r), "-");
	health_tls(&r, NOW - 60, false);
	CHECK_STR("just now", details_tls(&p, &r), "broken");
	r.tls_last_fail = NOW - 86400;
	CHECK_STR("yesterday", details_tls(&p, &r), "failed");
	CHECK("no keyword", !details_keyword(0, 0));
	CHECK("unknown bits", !details_keyword(UINT32_C(0xffff0000), 0));
	size_t n = 0;
	while (details_keyword(UINT32_MAX, n))
		n++;
	CHECK("each once", n == 9);
	CHECK_STR("order", details_keyword(EHLO_ENHANCED | EHLO_SIZE, 0), "SIZE");
	CHECK_STR("order", details_keyword(EHLO_ENHANCED | EHLO_SIZE, 1), "ENHANCEDSTATUSCODES");
	arena_close(a);
}

TEST_MAIN("ctl_details", { "message", test_message }, { "host", test_host },
	  { "domain", test_domain }, { "policy", test_policy }, { "long policy", test_long_policy },
	  { "delivered", test_delivered }, { "sender", test_sender }, { "words", test_words })
