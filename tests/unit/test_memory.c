/* SPDX-License-Identifier: ISC */
#include "memory_world.h"

#include "memory_health.h"
#include "memory_slots.h"
#include "memory_spf.h"
#include "memory_trouble.h"

/* ---- messages ---- */

static const struct recipient RCPTS[] = {
	{ .text = "Joe@Example.org" },
	{ .text = "joe@example.org" },
	{ .text = "ann@example.org" },
	{ .text = "eve@example.org" },
};

static const struct envelope MAIL = {
	.sender_text = "Sue@Example.com",
	.rcpt = RCPTS,
	.nrcpt = 4,
	.domain = "example.org",
	.queue_id = "4Ab1c2Z",
};
static const struct facts FACTS = { .size = 1234, .digest = 0x1122334455667788 };

static bool delivered(struct memory *m, const struct envelope *e, size_t rcpt)
{
	struct outcome o;
	return memory_delivered(m, world.arena, e, rcpt, &FACTS, &o);
}

static void accept_one(struct memory *m, size_t rcpt)
{
	const struct outcome o = outcome_of(EVENT_ACCEPTED, ESC(2, 0, 0), "250 2.0.0 Ok");
	memory_accepted(m, &MAIL, rcpt, &FACTS, &o);
}

/* Seen from another process at once, and as the run saw it that dies after it. */
static void accepted(void)
{
	static const struct security tls = {
		.level = "dane",
		.because = "mta-sts enforce",
		.protocol = "TLS1.3",
		.cipher = "TLS_AES_256_GCM_SHA384",
	};
	struct outcome o = outcome_of(EVENT_ACCEPTED, ESC(2, 6, 7), "250 2.6.7 Queued as X");
	struct outcome got = { .relay = "untouched" };
	world_open();
	struct memory *m = open_memory(), *other = open_memory();
	CHECK("not yet", !memory_delivered(m, world.arena, &MAIL, 0, &FACTS, &got));
	CHECK_STR("untouched", got.relay, "untouched");
	o.security = &tls;
	memory_accepted(m, &MAIL, 0, &FACTS, &o);
	o.security = NULL;
	memory_accepted(m, &MAIL, 2, &FACTS, &o);
	CHECK("at once", memory_delivered(other, world.arena, &MAIL, 0, &FACTS, &got));
	memory_close(m);
	memory_close(other);
	CHECK("event", got.event == EVENT_ACCEPTED && got.cause == CAUSE_SERVER && !got.dsn);
	CHECK("code", code_is(got.code, ESC(2, 6, 7)));
	CHECK_STR("relay", got.relay, "mx1.example.net[192.0.2.1]:25");
	CHECK_STR("text", got.text, "250 2.6.7 Queued as X");
	CHECK("security", got.security && !got.security->downgrade);
	if (got.security) {
		CHECK_STR("level", got.security->level, "dane");
		CHECK_STR("because", got.security->because, "mta-sts enforce");
		CHECK_STR("protocol", got.security->protocol, "TLS1.3");
		CHECK_STR("cipher", got.security->cipher, "TLS_AES_256_GCM_SHA384");
	}
	m = open_memory();
	CHECK("the next run", memory_delivered(m, world.arena, &MAIL, 2, &FACTS, &got));
	CHECK("no session", got.security == NULL);
	CHECK("another recipient", !delivered(m, &MAIL, 3));
	memory_close(m);
	world_close();
}

static void same_message(void)
{
	static const struct {
		const char *label, *queue_id, *sender, *rcpt;
		uint64_t size, digest;
		bool same;
	} cases[] = {
		{ "the same", "4Ab1c2Z", "Sue@Example.com", "Joe@Example.org", 1234, 77, true },
		{ "domains", "4Ab1c2Z", "Sue@EXAMPLE.COM", "Joe@example.ORG", 1234, 77, true },
		{ "queue id", "4Ab1c2Y", "Sue@Example.com", "Joe@Example.org", 1234, 77, false },
		{ "its case", "4AB1c2Z", "Sue@Example.com", "Joe@Example.org", 1234, 77, false },
		{ "no queue id", "", "Sue@Example.com", "Joe@Example.org", 1234, 77, false },
		{ "sender", "4Ab1c2Z", "Sui@Example.com", "Joe@Example.org", 1234, 77, false },
		{ "its local part", "4Ab1c2Z", "sue@Example.com", "Joe@Example.org", 1234, 77, 0 },
		{ "no sender", "4Ab1c2Z", "", "Joe@Example.org", 1234, 77, false },
		{ "recipient", "4Ab1c2Z", "Sue@Example.com", "Jon@Example.org", 1234, 77, false },
		{ "its local part", "4Ab1c2Z", "Sue@Example.com", "joe@Example.org", 1234, 77, 0 },
		{ "its domain", "4Ab1c2Z", "Sue@Example.com", "Joe@Example.net", 1234, 77, false },
		{ "size", "4Ab1c2Z", "Sue@Example.com", "Joe@Example.org", 1235, 77, false },
		{ "digest", "4Ab1c2Z", "Sue@Example.com", "Joe@Example.org", 1234, 78, false },
		{ "moved", "4Ab1c2ZS", "ue@Example.com", "Joe@Example.org", 1234, 77, false },
	};
	const struct outcome o = outcome_of(EVENT_ACCEPTED, ESC(2, 0, 0), "250 Ok");
	struct outcome got;
	world_open();
	struct memory *m = open_memory();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct recipient rcpt = { .text = cases[i].rcpt };
		const struct envelope e = { .sender_text = cases[i].sender,
					    .rcpt = &rcpt,
					    .nrcpt = 1,
					    .domain = "example.org",
					    .queue_id = cases[i].queue_id };
		const struct facts f = { .size = cases[i].size, .digest = cases[i].digest };
		if (i == 0)
			memory_accepted(m, &e, 0, &f, &o);
		CHECK(cases[i].label,
		      memory_delivered(m, world.arena, &e, 0, &f, &got) == cases[i].same);
	}
	memory_close(m);
	world_close();
}

/* Without a queue id there is no telling one message from a second one that is its twin. */
static void no_queue_id(void)
{
	const struct outcome o = outcome_of(EVENT_REPLY_4XX, ESC(4, 0, 0), "later");
	const struct record_message msg = { "", MAIL.sender_text, RCPTS[0].text, FACTS.size,
					    FACTS.digest };
	const struct record_delivered foreign = { .code = ESC(2, 0, 0) };
	char value[200];
	struct envelope e = MAIL;
	struct buf key = new_key(), out;
	e.queue_id = "";
	world_open();
	struct memory *m = open_memory();
	memory_accepted(m, &e, 0, &FACTS, &o);
	CHECK("nothing to report", !memory_awaits_report(m));
	memory_note_end(m, &e, 1, &o, END_DEFERRED);
	memory_finish(m, HEARD_NO);
	CHECK("not tried", !memory_tried(m, &e, 1));
	record_attempt_key("", RCPTS[1].text, &key);
	CHECK("not written", raw(&key).n == 0);
	record_delivered_key(&msg, &key);
	CHECK("not written", raw(&key).n == 0);
	buf_init(&out, value, sizeof(value));
	record_delivered_write(&foreign, &out);
	raw_put(&key, buf_view(&out));
	CHECK("not believed", !delivered(m, &e, 0));
	memory_close(m);
	world_close();
}

static bool is_reported(size_t rcpt)
{
	const struct record_message msg = { MAIL.queue_id, MAIL.sender_text, RCPTS[rcpt].text,
					    FACTS.size, FACTS.digest };
	struct record_delivered r = { .reported = false };
	struct buf key = new_key();
	record_delivered_key(&msg, &key);
	CHECK("there", record_delivered_read(raw(&key), &r));
	CHECK("queue id", text_is(r.queue_id, "4Ab1c2Z"));
	CHECK("sender", text_is(r.sender, "Sue@Example.com"));
	CHECK("recipient", text_is(r.rcpt, RCPTS[rcpt].text));
	CHECK("when", r.when == START);
	CHECK("text", text_is(r.text, "250 2.0.0 Ok"));
	return r.reported;
}

static void heard(void)
{
	static const struct {
		const char *label;
		enum memory_heard first, second; /* LATER: no second call */
		bool reported;
		int64_t kept; /* from START: the answer is told 100 s after it */
	} cases[] = {
		{ "yes", HEARD_YES, HEARD_LATER, true, 100 + MEMORY_REPORTED },
		{ "no", HEARD_NO, HEARD_LATER, false, MEMORY_KEEP },
		{ "never told", HEARD_LATER, HEARD_LATER, false, MEMORY_KEEP },
		{ "later yes", HEARD_LATER, HEARD_YES, true, 100 + MEMORY_REPORTED },
		{ "later no", HEARD_LATER, HEARD_NO, false, MEMORY_KEEP },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_open();
		struct memory *m = open_memory();
		accept_one(m, 0);
		accept_one(m, 2);
		CHECK(cases[i].label, memory_awaits_report(m));
		world.wall += 100;
		memory_finish(m, cases[i].first);
		CHECK(cases[i].label, memory_awaits_report(m) == (cases[i].first == HEARD_LATER));
		if (cases[i].second != HEARD_LATER) {
			memory_finish(m, cases[i].second);
			CHECK(cases[i].label, !memory_awaits_report(m));
		}
		memory_close(m);
		CHECK(cases[i].label, is_reported(0) == cases[i].reported);
		CHECK(cases[i].label, is_reported(2) == cases[i].reported);
		m = open_memory();
		world.wall = START + cases[i].kept;
		CHECK(cases[i].label, delivered(m, &MAIL, 0) && delivered(m, &MAIL, 2));
		world.wall++;
		CHECK(cases[i].label, !delivered(m, &MAIL, 0) && !delivered(m, &MAIL, 2));
		memory_close(m);
		world_close();
	}
}

/* What may wait is written with the next acceptance, when its time has come, or at the end; what
 * may not is written at once. */
static void heard_soon(void)
{
	static const struct {
		const char *label;
		bool deferred;   /* another recipient: that does not wait */
		bool next;       /* another one is accepted */
		int64_t idle_ms; /* -1: it is not asked */
		bool reported;   /* before the end */
	} cases[] = {
		{ "waits", false, false, -1, false },    { "not yet", false, false, 999, false },
		{ "idle", false, false, 1000, true },    { "the next one", false, true, -1, true },
		{ "a deferral", true, false, -1, true },
	};
	const struct outcome no = outcome_of(EVENT_REPLY_4XX, ESC(4, 2, 2), "full");
	const struct outcome ok = outcome_of(EVENT_ACCEPTED, ESC(2, 0, 0), "250 2.0.0 Ok");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *label = cases[i].label;
		world_open();
		struct memory *m = open_memory();
		memory_note_end(m, &MAIL, 0, &no, END_DEFERRED); /* an earlier attempt */
		memory_finish(m, HEARD_YES);
		CHECK(label, memory_idle(m) == -1);
		accept_one(m, 0);
		memory_note_end(m, &MAIL, 0, &ok, END_DELIVERED);
		if (cases[i].deferred)
			memory_note_end(m, &MAIL, 1, &no, END_DEFERRED);
		memory_finish_soon(m);
		CHECK(label, !memory_awaits_report(m));
		if (cases[i].next) {
			memory_hold(m, true);
			accept_one(m, 2);
			memory_release(m);
		}
		if (cases[i].idle_ms >= 0) {
			world.ms += cases[i].idle_ms;
			CHECK(label, memory_idle(m) == (cases[i].reported ? -1 : 1));
		}
		CHECK(label, is_reported(0) == cases[i].reported);
		CHECK(label, memory_tried(m, &MAIL, 0) == !cases[i].reported);
		memory_close(m);
		CHECK(label, is_reported(0));
		m = open_memory();
		CHECK(label, !memory_tried(m, &MAIL, 0) && delivered(m, &MAIL, 0));
		memory_close(m);
		world_close();
	}
}

/* An answer is for the recipients since the last one. */
static void heard_twice(void)
{
	world_open();
	struct memory *m = open_memory();
	accept_one(m, 0);
	memory_finish(m, HEARD_YES);
	accept_one(m, 2);
	memory_finish(m, HEARD_NO);
	memory_finish(m, HEARD_YES);
	CHECK("the first", is_reported(0));
	CHECK("the second", !is_reported(2));
	memory_close(m);
	world_close();
}

static void many_recipients(void)
{
	enum { N = 100 };
	static char text[N][40];
	static struct recipient rcpt[N];
	struct envelope e = MAIL;
	const struct outcome o = outcome_of(EVENT_ACCEPTED, ESC(2, 0, 0), "250 Ok");
	const struct outcome no = outcome_of(EVENT_REPLY_4XX, ESC(4, 2, 2), "full");
	e.rcpt = rcpt;
	e.nrcpt = N;
	for (size_t i = 0; i < N; i++) {
		snprintf(text[i], sizeof(text[i]), "user%zu@example.org", i);
		rcpt[i].text = text[i];
	}
	world_open();
	struct memory *m = open_memory();
	for (size_t i = 0; i < N; i++) {
		if (i % 2)
			memory_accepted(m, &e, i, &FACTS, &o);
		memory_note_end(m, &e, i, i % 2 ? &o : &no, i % 2 ? END_DELIVERED : END_DEFERRED);
	}
	memory_finish(m, HEARD_YES);
	memory_close(m);
	m = open_memory();
	for (size_t i = 0; i < N; i++) {
		CHECK(text[i], delivered(m, &e, i) == (i % 2 == 1));
		CHECK(text[i], memory_tried(m, &e, i) == (i % 2 == 0));
	}
	memory_close(m);
	world_close();
}

/* ---- attempts ---- */

static bool attempt(size_t rcpt, struct record_attempt *ret)
{
	struct buf key = new_key();
	record_attempt_key(MAIL.queue_id, RCPTS[rcpt].text, &key);
	return record_attempt_read(raw(&key), ret);
}

static void defer(struct memory *m, size_t rcpt, const char *text, enum failover_end end)
{
	const struct outcome o = outcome_of(EVENT_REPLY_4XX, ESC(4, 2, 1), text);
	memory_note_end(m, &MAIL, rcpt, &o, end);
}

static void answer(struct memory *m, const char *relay, enum failover_event event, const char *text)
{
	const struct outcome o = outcome_of(event, ESC(4, 4, 1), text);
	memory_note_answer(m, relay, &o);
}

static void attempts(void)
{
	struct record_attempt r;
	world_open();
	struct memory *m = open_memory();
	CHECK("never", !memory_tried(m, &MAIL, 0));
	answer(m, "mx1", EVENT_NO_RESPONSE, "timed out");
	answer(m, "mx2", EVENT_GREETING_4XX, "busy");
	defer(m, 0, "the first time", END_DEFERRED);
	CHECK("not before the end", !memory_tried(m, &MAIL, 0));
	memory_finish(m, HEARD_NO);
	CHECK("tried", memory_tried(m, &MAIL, 0));
	CHECK("another local part", !memory_tried(m, &MAIL, 1));
	CHECK("read", attempt(0, &r));
	CHECK("who", text_is(r.queue_id, "4Ab1c2Z") && text_is(r.sender, "Sue@Example.com") &&
			     text_is(r.rcpt, "Joe@Example.org") &&
			     text_is(r.domain, "example.org"));
	CHECK("times", r.first == START && r.last == START && r.count == 1);
	CHECK("verdict", !r.permanent && code_is(r.code, ESC(4, 2, 1)));
	CHECK("verdict", text_is(r.text, "the first time"));
	CHECK("hosts", r.nanswer == 2 && text_is(r.answer[0].relay, "mx1") &&
			       text_is(r.answer[1].relay, "mx2") &&
			       text_is(r.answer[0].text, "timed out") &&
			       code_is(r.answer[1].code, ESC(4, 4, 1)));
	CHECK("event", text_is(r.answer[0].event, failover_event_name(EVENT_NO_RESPONSE)));
	memory_close(m);

	world.wall += 500;
	m = open_memory();
	answer(m, "mx3", EVENT_LOST, "lost");
	defer(m, 0, "the second time", END_UNKNOWN);
	memory_finish(m, HEARD_NO);
	CHECK("again", attempt(0, &r) && r.count == 2);
	CHECK("times", r.first == START && r.last == START + 500);
	CHECK("verdict", text_is(r.text, "the second time"));
	CHECK("hosts of the last", r.nanswer == 1 && text_is(r.answer[0].relay, "mx3"));

	world.wall += 10;
	defer(m, 0, "nobody was asked", END_DEFERRED);
	memory_finish(m, HEARD_NO);
	CHECK("hosts are not those of before", attempt(0, &r) && r.count == 3 && r.nanswer == 0);
	memory_close(m);
	world_close();
}

static void attempts_end(void)
{
	static const struct {
		const char *label;
		enum failover_end end;
		bool kept;
	} cases[] = {
		{ "delivered", END_DELIVERED, false },
		{ "failed", END_FAILED, false },
		{ "deferred", END_DEFERRED, true },
		{ "unknown", END_UNKNOWN, true },
	};
	world_open();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct memory *m = open_memory();
		defer(m, 0, "not yet", END_DEFERRED);
		defer(m, 2, "not yet", END_DEFERRED);
		memory_finish(m, HEARD_NO);
		defer(m, 0, "in the end", cases[i].end);
		memory_finish(m, HEARD_NO);
		CHECK(cases[i].label, memory_tried(m, &MAIL, 0) == cases[i].kept);
		CHECK("the other one", memory_tried(m, &MAIL, 2));
		memory_close(m);
	}
	struct memory *m = open_memory();
	world.wall += MEMORY_KEEP;
	CHECK("its last second", memory_tried(m, &MAIL, 2));
	world.wall++;
	CHECK("past it", !memory_tried(m, &MAIL, 2));
	memory_close(m);
	world_close();
}

static void more_hosts_than_kept(void)
{
	static char name[RECORD_HOSTS + 5][20];
	struct record_attempt r;
	world_open();
	struct memory *m = open_memory();
	for (size_t i = 0; i < RECORD_HOSTS + 5; i++) {
		snprintf(name[i], sizeof(name[i]), "mx%zu", i);
		answer(m, name[i], EVENT_NO_RESPONSE, "no answer");
	}
	defer(m, 0, "none of them", END_DEFERRED);
	memory_finish(m, HEARD_NO);
	CHECK("as many as fit", attempt(0, &r) && r.nanswer == RECORD_HOSTS);
	for (size_t i = 0; i < RECORD_HOSTS; i++)
		CHECK(name[i + 5], text_is(r.answer[i].relay, name[i + 5]));
	memory_close(m);
	world_close();
}

/* A record that is none of ours is as good as none. */
static void foreign_records(void)
{
	const struct record_message msg = { MAIL.queue_id, MAIL.sender_text, RCPTS[0].text,
					    FACTS.size, FACTS.digest };
	struct record_attempt r;
	world_open();
	struct memory *m = open_memory();
	struct buf key = new_key();
	record_attempt_key(MAIL.queue_id, RCPTS[0].text, &key);
	raw_put(&key, SPAN("\x01what is this"));
	record_delivered_key(&msg, &key);
	raw_put(&key, SPAN("\x02"));
	CHECK("not delivered", !delivered(m, &MAIL, 0));
	defer(m, 0, "anew", END_DEFERRED);
	memory_finish(m, HEARD_NO);
	CHECK("counted anew", attempt(0, &r) && r.count == 1 && r.first == START);
	memory_close(m);
	world_close();
}

/* The longest of everything. */
static void long_texts(void)
{
	static char text[3000];
	struct record_attempt r;
	struct outcome got;
	memset(text, 'x', sizeof(text) - 1);
	const struct recipient rcpt = { .text = text };
	const struct envelope e = {
		.sender_text = text, .rcpt = &rcpt, .nrcpt = 1, .domain = text, .queue_id = text
	};
	const struct security tls = { text, text, text, text, false };
	struct outcome o = outcome_of(EVENT_ACCEPTED, ESC(2, 0, 0), text);
	o.relay = text;
	o.security = &tls;
	world_open();
	struct memory *m = open_memory();
	memory_accepted(m, &e, 0, &FACTS, &o);
	for (size_t i = 0; i < RECORD_HOSTS; i++)
		memory_note_answer(m, text, &o);
	memory_note_end(m, &e, 0, &o, END_UNKNOWN);
	memory_note_domain(m, text, RUN_UNREACHABLE, &o);
	memory_finish(m, HEARD_YES);
	CHECK("delivered", memory_delivered(m, world.arena, &e, 0, &FACTS, &got));
	CHECK("cut",
	      strlen(got.text) == RECORD_TEXT && strlen(got.security->cipher) == RECORD_TEXT);
	struct buf key = new_key();
	record_attempt_key(text, text, &key);
	CHECK("attempt", record_attempt_read(raw(&key), &r) && r.nanswer == RECORD_HOSTS);
	CHECK("domain", is_down(m, text, false));
	memory_close(m);
	world_close();
}

/* ---- policies ---- */

static void keep_policy(struct memory *m, const char *domain, uint32_t max_age, struct span body)
{
	const struct record_policy r = { .domain = span_of(domain),
					 .fetched = world.wall,
					 .tried = world.wall + 1,
					 .fails = 3,
					 .max_age = max_age,
					 .id = SPAN("20240101"),
					 .body = body };
	memory_keep_policy(m, &r);
}

static void policies(void)
{
	static char body[65536];
	struct record_policy r = { .max_age = 7 };
	memset(body, '\n', sizeof(body));
	memcpy(body, "a: \x01\xff", 6); /* with its NUL */
	world_open();
	struct memory *m = open_memory(), *other = open_memory();
	CHECK("none", !memory_policy(m, world.arena, "example.org", &r) && r.max_age == 7);
	keep_policy(m, "Example.org", 3600, (struct span){ body, 60 * 1024 });
	CHECK("60 KiB", memory_policy(other, world.arena, "eXample.ORG", &r));
	memory_close(other);
	CHECK("in the arena", text_is(r.domain, "Example.org") && text_is(r.id, "20240101"));
	CHECK("body", span_equal(r.body, (struct span){ body, 60 * 1024 }));
	CHECK("numbers",
	      r.fetched == START && r.tried == START + 1 && r.fails == 3 && r.max_age == 3600);
	CHECK("another domain", !memory_policy(m, world.arena, "www.example.org", &r));
	keep_policy(m, "example.net", 10 * DAY, SPAN("x"));
	keep_policy(m, "example.com", 10, (struct span){ body, 65535 });
	CHECK("largest", memory_policy(m, world.arena, "example.com", &r) && r.body.n == 65535);
	keep_policy(m, "example.com", 10, (struct span){ body, 65536 });
	CHECK("too large", memory_policy(m, world.arena, "example.com", &r) && r.body.n == 65535);
	keep_policy(m, "example.com", 20, SPAN(""));
	CHECK("replaced", memory_policy(m, world.arena, "example.com", &r));
	CHECK("replaced", r.max_age == 20 && r.body.n == 0);
	world.wall = START + 7 * DAY;
	CHECK("a week, and what it says of failures",
	      memory_policy(m, world.arena, "example.com", &r));
	world.wall++;
	CHECK("past it", !memory_policy(m, world.arena, "example.com", &r));
	world.wall = START + 10 * DAY;
	CHECK("as long as it holds", memory_policy(m, world.arena, "example.net", &r));
	world.wall++;
	CHECK("past it", !memory_policy(m, world.arena, "example.net", &r));
	memory_close(m);
	world_close();
}

TEST_MAIN("memory", { "accepted", accepted }, { "same message", same_message },
	  { "no queue id", no_queue_id }, { "heard", heard }, { "heard soon", heard_soon },
	  { "heard twice", heard_twice }, { "many recipients", many_recipients },
	  { "attempts", attempts }, { "attempts end", attempts_end },
	  { "more hosts than kept", more_hosts_than_kept }, { "foreign records", foreign_records },
	  { "long texts", long_texts }, { "policies", policies }, { "senders", senders },
	  { "senders end", senders_end }, { "senders foreign", senders_foreign },
	  { "slots", slots }, { "slots wait", slots_wait }, { "slots stop", slots_stop },
	  { "domain down", domain_down }, { "domain failing", domain_failing },
	  { "domain probe", domain_probe }, { "domain runs", domain_runs },
	  { "domain first", domain_first }, { "host records", host_records },
	  { "host keys", host_keys }, { "many hosts", many_hosts }, { "sorting", sorting },
	  { "sorting by demand", sorting_by_demand }, { "one probe", one_probe },
	  { "only looks", only_looks }, { "none", none }, { "cannot open", cannot_open },
	  { "damage", damage }, { "lock held", lock_held }, { "slots broken", slots_broken },
	  { "many processes", many_processes })
