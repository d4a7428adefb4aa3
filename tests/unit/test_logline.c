/* SPDX-License-Identifier: ISC */
#include "core/logline.h"

#include "harness.h"

static char line[LIMIT_LOG_LINE + 1];

static const char *recipient(const struct log_recipient *r, enum config_log_format format)
{
	static struct buf out;
	buf_init(&out, line, sizeof(line));
	logline_recipient(r, format, &out);
	return out.overflow ? "overflow" : buf_cstr(&out);
}

static const char *host(const struct log_host *h, enum config_log_format format)
{
	static struct buf out;
	buf_init(&out, line, sizeof(line));
	logline_host(h, format, &out);
	return out.overflow ? "overflow" : buf_cstr(&out);
}

static const char *spf(const struct log_spf *s, enum config_log_format format)
{
	static struct buf out;
	buf_init(&out, line, sizeof(line));
	logline_spf(s, format, &out);
	return out.overflow ? "overflow" : buf_cstr(&out);
}

static const char *faults(const struct log_faults *f, enum config_log_format format)
{
	static struct buf out;
	buf_init(&out, line, sizeof(line));
	logline_faults(f, format, &out);
	return out.overflow ? "overflow" : buf_cstr(&out);
}

static const struct outcome sent = { .event = EVENT_ACCEPTED,
				     .code = { 2, 0, 0 },
				     .relay = "mx1.example.net[192.0.2.1]:25",
				     .text = "250 2.0.0 Ok: queued as 4ABC" };

static void test_recipient(void)
{
	struct log_recipient r = { .queue_id = "4ABC",
				   .sender = "s@example.org",
				   .to = "r@example.net",
				   .outcome = &sent,
				   .end = END_DELIVERED,
				   .size = 1234,
				   .delays = { 1234, 2, 14, 400, 800 } };
	CHECK_STR("text", recipient(&r, LOG_TEXT),
		  "4ABC: to=<r@example.net>, relay=mx1.example.net[192.0.2.1]:25, delay=1.2, "
		  "delays=0/0.01/0.4/0.8, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4ABC)");
	CHECK_STR("json", recipient(&r, LOG_JSON),
		  "{\"queue_id\":\"4ABC\",\"from\":\"s@example.org\",\"to\":\"r@example.net\","
		  "\"relay\":\"mx1.example.net[192.0.2.1]:25\",\"size\":1234,\"delay\":1.2,"
		  "\"delays\":[0,0.01,0.4,0.8],\"dsn\":\"2.0.0\",\"status\":\"sent\","
		  "\"text\":\"250 2.0.0 Ok: queued as 4ABC\"}");
	r.queue_id = "";
	CHECK("no id", strncmp(recipient(&r, LOG_TEXT), "NOQUEUE: to=<", 13) == 0);
	r.end = END_FAILED;
	CHECK("failed", strstr(recipient(&r, LOG_TEXT), ", status=bounced (") != NULL);
	r.end = END_DEFERRED;
	CHECK("deferred", strstr(recipient(&r, LOG_TEXT), ", status=deferred (") != NULL);
	r.end = END_UNKNOWN;
	CHECK("unknown", strstr(recipient(&r, LOG_JSON), "\"status\":\"deferred\"") != NULL);
}

/* How the session was secured, between the delays and the code. */
static const struct {
	const char *label;
	struct security s;
	const char *text, *json;
} secured[] = {
	{ "dane",
	  { "dane", "dane", "TLSv1.3", "TLS_AES_256_GCM_SHA384", false },
	  ", tls=dane, tls_because=dane, tls_protocol=TLSv1.3, tls_cipher=TLS_AES_256_GCM_SHA384",
	  "{\"level\":\"dane\",\"because\":\"dane\",\"protocol\":\"TLSv1.3\","
	  "\"cipher\":\"TLS_AES_256_GCM_SHA384\",\"downgrade\":false}" },
	{ "nothing demanded",
	  { "may", "", "TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384", false },
	  ", tls=may, tls_protocol=TLSv1.2, tls_cipher=ECDHE-RSA-AES256-GCM-SHA384",
	  "{\"level\":\"may\",\"because\":\"\",\"protocol\":\"TLSv1.2\","
	  "\"cipher\":\"ECDHE-RSA-AES256-GCM-SHA384\",\"downgrade\":false}" },
	{ "plain",
	  { "none", "", "", "", false },
	  ", tls=none",
	  "{\"level\":\"none\",\"because\":\"\",\"protocol\":\"\",\"cipher\":\"\","
	  "\"downgrade\":false}" },
	{ "plain, after TLS had failed",
	  { "none", "", "", "", true },
	  ", tls=none:downgrade",
	  "{\"level\":\"none\",\"because\":\"\",\"protocol\":\"\",\"cipher\":\"\","
	  "\"downgrade\":true}" },
	{ "demanded, not reached",
	  { "none", "mta-sts enforce", "", "", false },
	  ", tls=none, tls_because=mta-sts enforce",
	  "{\"level\":\"none\",\"because\":\"mta-sts enforce\",\"protocol\":\"\","
	  "\"cipher\":\"\",\"downgrade\":false}" },
	{ "the longest names there are",
	  { "encrypt", "mta-sts enforce", "fifteen letters",
	    "forty-seven-letters-of-a-cipher-that-none-bears", false },
	  ", tls=encrypt, tls_because=mta-sts enforce, tls_protocol=fifteen letters, "
	  "tls_cipher=forty-seven-letters-of-a-cipher-that-none-bears",
	  "{\"level\":\"encrypt\",\"because\":\"mta-sts enforce\","
	  "\"protocol\":\"fifteen letters\","
	  "\"cipher\":\"forty-seven-letters-of-a-cipher-that-none-bears\","
	  "\"downgrade\":false}" },
};

static void test_security(void)
{
	for (size_t i = 0; i < sizeof(secured) / sizeof(secured[0]); i++) {
		const char *label = secured[i].label;
		struct outcome o = sent;
		o.security = &secured[i].s;
		const struct log_recipient r = { .queue_id = "A", .to = "r", .outcome = &o };
		const struct log_host h = { .queue_id = "A",
					    .host = "h",
					    .event = "lost",
					    .code = { 4, 4, 2 },
					    .text = "x",
					    .security = &secured[i].s };
		char want[700];
		snprintf(want, sizeof(want), ", delays=0/0/0/0%s, dsn=2.0.0, ", secured[i].text);
		CHECK(label, strstr(recipient(&r, LOG_TEXT), want) != NULL);
		snprintf(want, sizeof(want), "\"delays\":[0,0,0,0],\"tls\":%s,\"dsn\":\"2.0.0\",",
			 secured[i].json);
		CHECK(label, strstr(recipient(&r, LOG_JSON), want) != NULL);
		snprintf(want, sizeof(want), "A: host=h, event=lost%s, dsn=4.4.2, next=no (x)",
			 secured[i].text);
		CHECK_STR(label, host(&h, LOG_TEXT), want);
		snprintf(want, sizeof(want),
			 "{\"queue_id\":\"A\",\"host\":\"h\",\"event\":\"lost\",\"tls\":%s,"
			 "\"dsn\":\"4.4.2\",\"next\":false,\"text\":\"x\"}",
			 secured[i].json);
		CHECK_STR(label, host(&h, LOG_JSON), want);
	}
}

static void test_delays(void)
{
	static const struct {
		int64_t ms;
		const char *want;
	} cases[] = {
		{ -5, " delay=0," },
		{ 0, " delay=0," },
		{ 4, " delay=0," },
		{ 5, " delay=0.01," },
		{ 14, " delay=0.01," },
		{ 45, " delay=0.05," },
		{ 104, " delay=0.1," },
		{ 400, " delay=0.4," },
		{ 994, " delay=0.99," },
		{ 995, " delay=1," },
		{ 1049, " delay=1," },
		{ 1234, " delay=1.2," },
		{ 9949, " delay=9.9," },
		{ 9950, " delay=10," },
		{ 12499, " delay=12," },
		{ 900000, " delay=900," },
		{ 86400000, " delay=86400," },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct log_recipient r = { .queue_id = "A", .to = "r", .outcome = &sent };
		r.delays.total = cases[i].ms;
		CHECK(cases[i].want, strstr(recipient(&r, LOG_TEXT), cases[i].want) != NULL);
	}
}

static void test_host(void)
{
	struct log_host h = { .queue_id = "4ABC",
			      .host = "mx1.example.net[192.0.2.1]:25",
			      .event = "no response",
			      .code = { 4, 4, 1 },
			      .text = "connect to x: Connection timed out",
			      .next = true };
	CHECK_STR("text", host(&h, LOG_TEXT),
		  "4ABC: host=mx1.example.net[192.0.2.1]:25, event=no response, dsn=4.4.1, "
		  "next=yes (connect to x: Connection timed out)");
	CHECK_STR("json", host(&h, LOG_JSON),
		  "{\"queue_id\":\"4ABC\",\"host\":\"mx1.example.net[192.0.2.1]:25\","
		  "\"event\":\"no response\",\"dsn\":\"4.4.1\",\"next\":true,"
		  "\"text\":\"connect to x: Connection timed out\"}");
	h.next = false;
	h.queue_id = "";
	CHECK("last", strstr(host(&h, LOG_TEXT), ", next=no (") != NULL);
	CHECK("last", strstr(host(&h, LOG_JSON), "\"next\":false,") != NULL);
	CHECK("no id", strncmp(host(&h, LOG_TEXT), "NOQUEUE: ", 9) == 0);
}

static void test_spf(void)
{
	struct log_spf s = { .queue_id = "4ABC",
			     .result = "fail",
			     .source = "192.0.2.1",
			     .domain = "example.org",
			     .text = "-all (example.org)" };
	CHECK_STR("text", spf(&s, LOG_TEXT),
		  "4ABC: spf=fail, source=192.0.2.1, domain=example.org (-all (example.org))");
	CHECK_STR("json", spf(&s, LOG_JSON),
		  "{\"queue_id\":\"4ABC\",\"spf\":\"fail\",\"source\":\"192.0.2.1\","
		  "\"domain\":\"example.org\",\"text\":\"-all (example.org)\"}");
	s.queue_id = "";
	s.domain = "";
	s.text = "include:a\"b\n)";
	CHECK_STR("foreign", spf(&s, LOG_TEXT),
		  "NOQUEUE: spf=fail, source=192.0.2.1, domain= (include:a\"b ))");
	CHECK("foreign", strstr(spf(&s, LOG_JSON), "\"text\":\"include:a\\\"b )\"}") != NULL);
}

static void test_faults(void)
{
	static const char *const three[] = { "the address 192.0.2.9 has no reverse DNS name",
					     "the HELO name \"x\" is not a full name", "third" };
	struct log_faults f = {
		.queue_id = "4ABC", .relay = "mx1.example.net[192.0.2.1]:25", .fault = three, .n = 1
	};
	CHECK_STR("one", faults(&f, LOG_TEXT),
		  "4ABC: relay=mx1.example.net[192.0.2.1]:25, own fault: the address 192.0.2.9 "
		  "has no reverse DNS name");
	CHECK_STR("one", faults(&f, LOG_JSON),
		  "{\"queue_id\":\"4ABC\",\"relay\":\"mx1.example.net[192.0.2.1]:25\","
		  "\"own_faults\":[\"the address 192.0.2.9 has no reverse DNS name\"]}");
	f.queue_id = "";
	f.relay = "r";
	f.n = LOG_FAULTS;
	CHECK_STR("all", faults(&f, LOG_TEXT),
		  "NOQUEUE: relay=r, own fault: the address 192.0.2.9 has no reverse DNS name; "
		  "the HELO name \"x\" is not a full name; third");
	CHECK_STR("all", faults(&f, LOG_JSON),
		  "{\"queue_id\":\"NOQUEUE\",\"relay\":\"r\",\"own_faults\":["
		  "\"the address 192.0.2.9 has no reverse DNS name\","
		  "\"the HELO name \\\"x\\\" is not a full name\",\"third\"]}");
}

/* However long its parts are, a line is whole. */
static void test_long_spf_and_faults(void)
{
	static char x[3000];
	memset(x, '"', sizeof(x) - 1);
	const char *const three[] = { x, x, x };
	const struct log_spf s = { x, x, x, x, x };
	const struct log_faults f = { x, x, three, LOG_FAULTS };
	for (int json = 0; json < 2; json++) {
		enum config_log_format format = json ? LOG_JSON : LOG_TEXT;
		const char *got = spf(&s, format);
		CHECK(got, got[strlen(got) - 1] == (json ? '}' : ')'));
		got = faults(&f, format);
		CHECK(got, strncmp(got, json ? "{\"queue_id\":" : "\"\"", 2) == 0);
		CHECK(got, strlen(got) > 1500 && (!json || strstr(got, "\"]}")));
	}
}

/* Nothing of outside may end the line, forge another, or break the JSON. */
static void test_foreign_text(void)
{
	const struct outcome o = { .code = { 5, 1, 1 },
				   .relay = "none",
				   .text = "a\"b\\c\r\nd\x01 \xff \xc3\xbc" };
	const struct log_recipient r = { .queue_id = "A\nB: to=<x>",
					 .sender = "\"q\\\"\"@x",
					 .to = "\"a b\"@x\x7f",
					 .outcome = &o,
					 .end = END_FAILED };
	CHECK_STR("text", recipient(&r, LOG_TEXT),
		  "A B: to=<x>: to=<\"a b\"@x?>, relay=none, delay=0, delays=0/0/0/0, dsn=5.1.1, "
		  "status=bounced (a\"b\\c? d? ? \xc3\xbc)");
	CHECK_STR("json", recipient(&r, LOG_JSON),
		  "{\"queue_id\":\"A B: to=<x>\",\"from\":\"\\\"q\\\\\\\"\\\"@x\","
		  "\"to\":\"\\\"a b\\\"@x?\",\"relay\":\"none\",\"size\":0,\"delay\":0,"
		  "\"delays\":[0,0,0,0],\"dsn\":\"5.1.1\",\"status\":\"bounced\","
		  "\"text\":\"a\\\"b\\\\c? d? ? \xc3\xbc\"}");
}

/* A JSON string, from its opening quote to behind the closing one; NULL: broken. */
static const char *skip_string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	for (; *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p == '\\' && *++p != '"' && *p != '\\')
			return NULL;
	}
	return p + 1;
}

/* Everything is as long as can be and needs escapes, and still the line is whole. */
static void test_long(void)
{
	static char quotes[2000], euros[2002];
	memset(quotes, '"', sizeof(quotes) - 1);
	for (size_t i = 0; i + 3 < sizeof(euros); i += 3)
		memcpy(euros + i, "\xe2\x82\xac", 3);
	const char *texts[] = { quotes, euros };
	for (size_t i = 0; i < 2; i++) {
		const char *t = texts[i];
		const struct security s = { t, t, t, t, false };
		const struct outcome o = {
			.code = { 5, 999, 999 }, .relay = t, .text = t, .security = &s
		};
		const struct log_recipient r = { .queue_id = t,
						 .sender = t,
						 .to = t,
						 .outcome = &o,
						 .size = UINT64_MAX,
						 .delays = { 1234567, 1234567, 1234567, 1234567,
							     1234567 } };
		const struct log_host h = { t, t, t, ESC(5, 999, 999), t, false, &s };
		const char *got = recipient(&r, LOG_TEXT);
		CHECK("text fits", strlen(got) > 1000 && got[strlen(got) - 1] == ')');
		got = host(&h, LOG_TEXT);
		CHECK("text fits", strlen(got) > 1000 && got[strlen(got) - 1] == ')');
		CHECK("json fits", strcmp(host(&h, LOG_JSON), "overflow") != 0);
		got = recipient(&r, LOG_JSON);
		CHECK("json fits", strcmp(got, "overflow") != 0);
		const char *p = strstr(got, ",\"text\":");
		p = p ? skip_string(p + 8) : NULL;
		CHECK("json ends", p && strcmp(p, "}") == 0);
		p = skip_string(got + strlen("{\"queue_id\":"));
		CHECK("a long value ends", p && strncmp(p, ",\"from\":", 8) == 0);
	}
}

/* A buffer that is too small says so and is not overrun. */
static void test_small_buffer(void)
{
	const struct log_recipient r = { .queue_id = "A", .to = "r", .outcome = &sent };
	for (size_t size = 1; size < 40; size++) {
		char *small = malloc(size);
		struct buf out;
		buf_init(&out, small, size);
		logline_recipient(&r, LOG_JSON, &out);
		CHECK("small", out.overflow && out.len < size);
		free(small);
	}
}

TEST_MAIN("logline", { "recipient", test_recipient }, { "delays", test_delays },
	  { "security", test_security }, { "host", test_host }, { "spf", test_spf },
	  { "faults", test_faults }, { "long spf and faults", test_long_spf_and_faults },
	  { "foreign text", test_foreign_text }, { "long", test_long },
	  { "small buffer", test_small_buffer })
