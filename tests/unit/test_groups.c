/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>

#include "flow/sessions.h"
#include "front/groups.h"

#include "harness.h"
#include "mail_stub.h"

#define TEXT "Subject: x\r\n\r\n.a\r\nb\r\n"

/* Groups with a name server and a mail server, and a host that may be gone. */
struct world {
	struct mail_stub *stub;
	struct arena *arena, *mail;
	struct config config;
	struct settings *settings;
	struct groups_options options;
	struct groups *groups;
	struct io io;
	struct message *message;
	atomic_bool host_gone;
	atomic_size_t asked;
	struct group_recipient to[LIMIT_RCPTS];
	size_t nto;
	struct delivery_result result[LIMIT_RCPTS];
};

static bool is_present(void *self, enum caller_when when, int64_t ms)
{
	struct world *w = self;
	(void)when;
	(void)ms;
	w->asked++;
	return !w->host_gone;
}

static struct message *message_of(struct span text)
{
	const struct intake_limits none = { .size = 0 };
	struct message *m = NULL;
	struct intake *k;
	struct error err;
	if (!intake_begin(&none, &k, &err))
		abort();
	intake_take(k, text);
	if (!intake_end(k, &m, &err))
		abort();
	return m;
}

static void set_up(struct world *w, const char *more)
{
	static char options[8][100];
	static const char *option[8];
	size_t n = 0;
	struct error err;
	snprintf(options[n++], 100, "dns_servers=127.0.0.1:%u", w->stub->dns_port);
	snprintf(options[n++], 100, "smtp_port=%u", w->stub->smtp_port);
	snprintf(options[n++], 100, "refused_networks=");
	snprintf(options[n++], 100, "state_directory=");
	snprintf(options[n++], 100, "helo_name=client.test");
	for (struct span rest = span_of(more), word; span_cut(&rest, ' ', &word);)
		snprintf(options[n++], 100, "%.*s", (int)word.n, word.p);
	for (size_t i = 0; i < n; i++)
		option[i] = options[i];
	const struct settings_source from = { .option = option, .noption = n };
	if (!settings_load(w->arena, &from, &w->settings, &err) ||
	    !settings_for(w->arena, w->settings, NULL, &w->config, &err)) {
		printf("%s\n", err.text);
		abort();
	}
}

static struct world *world_open(const char *more)
{
	static const uint8_t seed[16] = { 5 };
	struct world *w = calloc(1, sizeof(*w));
	if (!w)
		abort();
	w->stub = stub_open();
	w->arena = arena_open(LIMIT_ARENA);
	w->mail = arena_open(LIMIT_ARENA);
	set_up(w, more);
	w->io = (struct io){ .clock = clock_system(), .stop_fd = -1 };
	w->options = (struct groups_options){
		.settings = w->settings,
		.config = &w->config,
		.own_name = "client.test",
		.tls_module = "/nonexistent",
		.caller = { is_present, w },
		.clock = w->io.clock,
		.stop_fd = -1,
		.seed = seed,
	};
	w->groups = groups_open(&w->options);
	w->message = message_of(SPAN(TEXT));
	return w;
}

static void world_close(struct world *w)
{
	groups_close(w->groups);
	message_close(w->message);
	arena_close(w->mail);
	arena_close(w->arena);
	stub_close(w->stub);
	free(w);
}

static void add(struct world *w, const char *local, const char *domain)
{
	const char *text = arena_fmt(w->mail, "%s@%s", local, domain);
	const char *copy = arena_str(w->mail, span_of(domain));
	w->to[w->nto++] = (struct group_recipient){
		.rcpt = { .addr = { arena_str(w->mail, span_of(local)), copy }, .text = text },
		.domain = copy,
	};
}

static void deliver(struct world *w)
{
	const struct group_mail m = {
		.envelope = { .sender = { "s", "client.test" },
			      .sender_text = "s@client.test",
			      .queue_id = "Q1" },
		.to = w->to,
		.nto = w->nto,
		.message = w->message,
	};
	memset(w->result, 0x55, sizeof(w->result));
	groups_deliver(w->groups, w->mail, &m, w->result);
}

/* For the next mail. */
static void told(struct world *w, bool heard)
{
	groups_told(w->groups, heard);
	arena_reset(w->mail);
	w->nto = 0;
}

static bool is_code(const struct delivery_result *r, enum failover_end end, struct esc code)
{
	bool ok = r->end == end && r->outcome.code.cls == code.cls &&
		  r->outcome.code.subject == code.subject && r->outcome.code.detail == code.detail;
	if (!ok)
		printf("\n    got: %d %u.%u.%u %s", r->end, r->outcome.code.cls,
		       r->outcome.code.subject, r->outcome.code.detail, r->outcome.text);
	return ok;
}

static bool is_sent(const struct delivery_result *r)
{
	return is_code(r, END_DELIVERED, ESC(2, 0, 0));
}

/* ---- fates ---- */

static const struct {
	const char *local, *domain;
	enum failover_end end;
	struct esc code;
	const char *text;
} fates[] = {
	{ "a", "one.test", END_DELIVERED, { 2, 0, 0 }, "queued" },
	{ "b", "null.test", END_FAILED, { 5, 1, 10 }, "null.test" },
	{ "bounce", "two.test", END_FAILED, { 5, 1, 1 }, "no such user" },
	{ "c", "servfail.test", END_DEFERRED, { 4, 4, 3 }, "servfail.test" },
	{ "defer", "one.test", END_DEFERRED, { 4, 2, 1 }, "not now" },
	{ "d", "ONE.test", END_DELIVERED, { 2, 0, 0 }, "queued" },
	{ "e", "gone.test", END_FAILED, { 5, 1, 2 }, "gone.test" },
	{ "f", "two.test", END_DELIVERED, { 2, 0, 0 }, "queued" },
	{ "bounce2", "one.test", END_FAILED, { 5, 1, 1 }, "no such user" },
	{ "g", "null.test", END_FAILED, { 5, 1, 10 }, "null.test" },
};
#define FATES (sizeof(fates) / sizeof(fates[0]))

static void add_fates(struct world *w)
{
	for (size_t i = 0; i < FATES; i++)
		add(w, fates[i].local, fates[i].domain);
}

static void check_fates(struct world *w)
{
	for (size_t i = 0; i < FATES; i++) {
		const struct delivery_result *r = &w->result[i];
		CHECK(w->to[i].rcpt.text, is_code(r, fates[i].end, fates[i].code));
		CHECK(w->to[i].rcpt.text,
		      r->outcome.text && strstr(r->outcome.text, fates[i].text));
		CHECK(w->to[i].rcpt.text, r->outcome.relay && r->outcome.relay[0]);
	}
}

/* Each its own, whichever threads did it, several mails one after the other. */
static void mixed(void)
{
	char text[STUB_TEXT];
	struct world *w = world_open(NULL);
	for (unsigned mail = 1; mail <= 3; mail++) {
		add_fates(w);
		deliver(w);
		check_fates(w);
		CHECK("one for each domain", stub_get(w->stub, &w->stub->mails) == 2 * mail);
		CHECK_STR("the text", stub_text(w->stub, text), "Subject: x\r\n\r\n..a\r\nb\r\n");
		told(w, true);
	}
	CHECK("sessions were used again", stub_get(w->stub, &w->stub->sessions) == 2);
	world_close(w);
}

static void one_domain(void)
{
	struct world *w = world_open(NULL);
	for (int mail = 0; mail < 5; mail++) {
		add(w, "a", "one.test");
		add(w, "b", "one.test");
		deliver(w);
		CHECK("sent", is_sent(&w->result[0]) && is_sent(&w->result[1]));
		told(w, mail % 2);
	}
	CHECK("one session", stub_get(w->stub, &w->stub->sessions) == 1);
	CHECK("one session", stub_get(w->stub, &w->stub->rsets) == 4);
	CHECK("five mails", stub_get(w->stub, &w->stub->mails) == 5);
	CHECK("the host was asked", w->asked == 5);
	struct mail_stub *stub = w->stub;
	groups_close(w->groups);
	w->groups = NULL;
	stub_hang_up(stub);
	world_close(w);
}

/* A spooled message, read by all of them at once. */
static void large(void)
{
	struct world *w = world_open(NULL);
	size_t n = 3 * LIMIT_SPOOL_MEMORY / 80 * 80;
	char *text = malloc(n);
	if (!text)
		abort();
	for (size_t i = 0; i < n; i += 80) {
		memset(text + i, 'x', 78);
		memcpy(text + i + 78, "\r\n", 2);
	}
	message_close(w->message);
	w->message = message_of((struct span){ text, n });
	stub_expect(w->stub, 6);
	for (int i = 0; i < 6; i++) {
		char domain[32];
		snprintf(domain, sizeof(domain), "d%d.test", i);
		add(w, "meet", domain);
	}
	deliver(w);
	for (size_t i = 0; i < 6; i++)
		CHECK("sent", is_sent(&w->result[i]));
	CHECK("all of it", stub_get(w->stub, &w->stub->size) == n);
	told(w, true);
	free(text);
	world_close(w);
}

/* ---- threads ---- */

/* As many as may be are under way at one time, none of them waits for another. */
static void at_once(void)
{
	struct world *w = world_open(NULL);
	stub_expect(w->stub, GROUPS_AT_ONCE);
	for (int i = 0; i < GROUPS_AT_ONCE; i++) {
		char domain[32];
		snprintf(domain, sizeof(domain), "d%d.test", i);
		add(w, "meet", domain);
	}
	deliver(w);
	for (size_t i = 0; i < GROUPS_AT_ONCE; i++)
		CHECK("sent", is_sent(&w->result[i]));
	told(w, true);
	world_close(w);
}

/* Many more domains than workers; a slow one holds up nobody else. */
static void many_domains(void)
{
	struct world *w = world_open("dns_timeout=2s");
	add(w, "a", "silent.test");
	for (int i = 0; i < 60; i++) {
		char domain[32];
		snprintf(domain, sizeof(domain), "d%d.test", i);
		add(w, i % 3 ? "a" : "bounce", domain);
	}
	deliver(w);
	CHECK("silent", is_code(&w->result[0], END_DEFERRED, ESC(4, 4, 3)));
	for (size_t i = 0; i < 60; i++)
		CHECK(w->to[i + 1].rcpt.text,
		      i % 3 ? is_sent(&w->result[i + 1])
			    : is_code(&w->result[i + 1], END_FAILED, ESC(5, 1, 1)));
	told(w, true);
	world_close(w);
}

/* The deadline is that of the mail: who waits for others gains none by it. */
static void deadline(void)
{
	struct world *w = world_open("deadline=1s connect_timeout=100ms greeting_timeout=100ms");
	int n = 3 * GROUPS_AT_ONCE;
	for (int i = 0; i < n; i++) {
		char domain[32];
		snprintf(domain, sizeof(domain), "silent%d.test", i);
		add(w, "a", domain);
	}
	struct instant start = io_now(&w->io);
	deliver(w);
	int64_t ms = io_now(&w->io).ms - start.ms;
	CHECK("once, not three times", ms >= 900 && ms < 2900);
	for (int i = 0; i < n; i++)
		CHECK("deferred",
		      w->result[i].end == END_DEFERRED && w->result[i].outcome.code.cls == 4);
	told(w, true);
	world_close(w);
}

static void many_recipients(void)
{
	struct world *w = world_open(NULL);
	for (int i = 0; i < LIMIT_RCPTS; i++) {
		char local[32], domain[32];
		snprintf(local, sizeof(local), "%s%d", i % 7 == 3 ? "bounce" : "u", i);
		snprintf(domain, sizeof(domain), "%s%d.test", i % 5 == 4 ? "null" : "d", i % 5);
		add(w, local, domain);
	}
	deliver(w);
	for (int i = 0; i < LIMIT_RCPTS; i++) {
		const struct delivery_result *r = &w->result[i];
		CHECK(w->to[i].rcpt.text, i % 5 == 4   ? is_code(r, END_FAILED, ESC(5, 1, 10))
					  : i % 7 == 3 ? is_code(r, END_FAILED, ESC(5, 1, 1))
						       : is_sent(r));
	}
	CHECK("one mail for each domain", stub_get(w->stub, &w->stub->mails) == 4);
	told(w, true);
	world_close(w);
}

/* ---- sessions ---- */

/* A domain comes back to the worker that has its session, wherever it stands in the next mail. */
static void known_again(void)
{
	struct world *w = world_open(NULL);
	static const char *const order[3][3] = { { "a.test", "b.test", "c.test" },
						 { "c.test", "a.test", "b.test" },
						 { "b.test", "d.test", "a.test" } };
	static const size_t sessions[] = { 3, 3, 4 };
	for (int mail = 0; mail < 3; mail++) {
		stub_expect(w->stub, 3);
		for (int i = 0; i < 3; i++)
			add(w, "meet", order[mail][i]);
		deliver(w);
		for (size_t i = 0; i < 3; i++)
			CHECK(order[mail][i], is_sent(&w->result[i]));
		told(w, true);
		CHECK("sessions", stub_get(w->stub, &w->stub->sessions) <= sessions[mail]);
	}
	int64_t ms = groups_idle(w->groups);
	CHECK("idle", ms > 0 && ms <= SESSIONS_IDLE_MS);
	world_close(w);
}

/* A server that has hung up meanwhile costs a new session, and nothing else. */
static void hung_up(void)
{
	struct world *w = world_open(NULL);
	for (size_t mail = 1; mail <= 3; mail++) {
		add(w, "a", "one.test");
		deliver(w);
		CHECK("sent", is_sent(&w->result[0]));
		told(w, true);
		CHECK("a new one", stub_get(w->stub, &w->stub->sessions) == mail);
		stub_hang_up(w->stub);
	}
	world_close(w);
}

static struct instant late(void *ctx)
{
	const atomic_llong *ms = ctx;
	struct clock real = clock_system();
	return (struct instant){ clock_now(&real).ms + *ms };
}

static void idle(void)
{
	static atomic_llong more;
	struct world *w = world_open(NULL);
	groups_close(w->groups);
	w->options.clock.now = late;
	w->options.clock.ctx = &more;
	w->groups = groups_open(&w->options);
	CHECK("nothing", groups_idle(w->groups) == -1);
	add(w, "a", "one.test");
	add(w, "a", "two.test");
	deliver(w);
	told(w, true);
	CHECK("two", groups_idle(w->groups) > 0);
	CHECK("open", stub_get(w->stub, &w->stub->quits) == 0);
	more = SESSIONS_IDLE_MS;
	CHECK("over", groups_idle(w->groups) == -1);
	groups_close(w->groups);
	w->groups = NULL;
	groups_close(NULL);
	CHECK("without groups", groups_idle(NULL) == -1);
	world_close(w);
}

/* What DNS said serves the next mails for a moment, counted from the first answer, however the
 * mails come. */
static void answers(void)
{
	static const struct {
		long long after;
		bool asked;
	} mails[] = { { 0, true },    { 100, false },   { 1000, false }, { 1500, true },
		      { 100, false }, { 600000, true }, { 3000, true } };
	static atomic_llong more;
	struct world *w = world_open(NULL);
	groups_close(w->groups);
	w->options.clock.now = late;
	w->options.clock.ctx = &more;
	w->groups = groups_open(&w->options);
	for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
		more += mails[i].after;
		size_t before = stub_get(w->stub, &w->stub->names);
		add(w, "a", "one.test");
		deliver(w);
		CHECK("sent", is_sent(&w->result[0]));
		CHECK("asked", (stub_get(w->stub, &w->stub->names) > before) == mails[i].asked);
		told(w, true);
	}
	world_close(w);
}

/* ---- trouble ---- */

static void host_gone(void)
{
	struct world *w = world_open(NULL);
	w->host_gone = true;
	add_fates(w);
	deliver(w);
	for (size_t i = 0; i < FATES; i++)
		if (fates[i].end == END_DELIVERED)
			CHECK(w->to[i].rcpt.text,
			      is_code(&w->result[i], END_DEFERRED, ESC(4, 3, 0)));
	CHECK("no final dot", stub_get(w->stub, &w->stub->mails) == 0);
	told(w, false);
	world_close(w);
}

static void stopped(void)
{
	struct world *w = world_open(NULL);
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) != 0)
		abort();
	groups_close(w->groups);
	w->options.stop_fd = fds[0];
	w->groups = groups_open(&w->options);
	close(fds[1]);
	add(w, "a", "one.test");
	add(w, "a", "two.test");
	deliver(w);
	CHECK("stopped", w->result[0].end == END_DEFERRED && w->result[1].end == END_DEFERRED);
	CHECK("stopped", w->result[0].outcome.code.cls == 4);
	told(w, true);
	close(fds[0]);
	world_close(w);
}

/* No worker can be had: the reason is everybody's answer, and the next mail tries again. */
static void no_worker(void)
{
	struct world *w = world_open(NULL);
	groups_close(w->groups);
	w->options.trace_file = "/nonexistent/trace";
	w->groups = groups_open(&w->options);
	for (int mail = 0; mail < 2; mail++) {
		add_fates(w);
		deliver(w);
		for (size_t i = 0; i < FATES; i++) {
			CHECK(w->to[i].rcpt.text,
			      is_code(&w->result[i], END_DEFERRED, ESC(4, 3, 5)));
			CHECK("why", strstr(w->result[i].outcome.text, "/nonexistent/trace"));
		}
		told(w, true);
	}
	CHECK("idle", groups_idle(w->groups) == -1);
	groups_close(w->groups);
	w->options.trace_file = NULL;
	w->groups = groups_open(&w->options);
	world_close(w);
}

static void no_memory(void)
{
	struct world *w = world_open(NULL);
	add_fates(w);
	while (arena_new(w->mail, 1, 1))
		;
	deliver(w);
	for (size_t i = 0; i < FATES; i++) {
		CHECK(w->to[i].rcpt.text, is_code(&w->result[i], END_DEFERRED, ESC(4, 3, 0)));
		CHECK_STR("why", w->result[i].outcome.text, "out of memory");
	}
	told(w, true);
	add_fates(w);
	deliver(w);
	check_fates(w);
	told(w, true);
	world_close(w);
}

/* Limits of one domain are its own. */
static void limits(void)
{
	static const struct {
		const char *label, *key;
		struct esc code;
	} cases[] = {
		{ "size", "message_size_limit = 20", { 5, 3, 4 } },
		{ "line", "line_length_limit = 5", { 5, 6, 0 } },
		{ "just so", "message_size_limit = 24", { 2, 0, 0 } },
		{ "just so", "line_length_limit = 10", { 2, 0, 0 } },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = world_open(NULL);
		char path[] = "/tmp/test-groups-XXXXXX";
		struct error err;
		int fd = mkstemp(path);
		dprintf(fd,
			"dns_servers = {\"127.0.0.1:%u\"}\nsmtp_port = %u\nstate_directory = \"\"\n"
			"refused_networks = {}\ndomain \"two.test\" { %s }\n",
			w->stub->dns_port, w->stub->smtp_port, cases[i].key);
		const struct settings_source from = { .file = path, .file_demanded = true };
		if (!settings_load(w->arena, &from, &w->settings, &err) ||
		    !settings_for(w->arena, w->settings, NULL, &w->config, &err))
			abort();
		groups_close(w->groups);
		w->options.settings = w->settings;
		w->groups = groups_open(&w->options);
		add(w, "a", "one.test");
		add(w, "a", "two.test");
		deliver(w);
		enum failover_end end = cases[i].code.cls == 2 ? END_DELIVERED : END_FAILED;
		CHECK(cases[i].label, is_sent(&w->result[0]));
		CHECK(cases[i].label, is_code(&w->result[1], end, cases[i].code));
		told(w, true);
		close(fd);
		unlink(path);
		world_close(w);
	}
}

/* The memory is shared by the workers of one process. A recipient that was delivered to without the
 * host having heard of it is not delivered to again. */
static void memory(void)
{
	char dir[] = "/tmp/test-groups-XXXXXX", option[100];
	if (!mkdtemp(dir))
		abort();
	snprintf(option, sizeof(option), "state_directory=%s", dir);
	struct world *w = world_open(option);
	for (int mail = 0; mail < 2; mail++) {
		add_fates(w);
		deliver(w);
		check_fates(w);
		for (size_t i = 0; i < FATES; i++)
			if (fates[i].end == END_DELIVERED)
				CHECK("by an earlier run",
				      !strstr(w->result[i].outcome.text, "by an earlier run") ==
					      (mail == 0));
		told(w, false);
	}
	CHECK("once", stub_get(w->stub, &w->stub->mails) == 2);
	world_close(w);
	snprintf(option, sizeof(option), "rm -rf -- %s", dir);
	FILE *rm = popen(option, "r");
	CHECK("nothing but files", rm && pclose(rm) == 0);
}

int main(void)
{
	static const struct test tests[] = {
		{ "mixed", mixed },
		{ "one domain", one_domain },
		{ "large", large },
		{ "at once", at_once },
		{ "many domains", many_domains },
		{ "deadline", deadline },
		{ "many recipients", many_recipients },
		{ "known again", known_again },
		{ "hung up", hung_up },
		{ "idle", idle },
		{ "answers", answers },
		{ "host gone", host_gone },
		{ "stopped", stopped },
		{ "no worker", no_worker },
		{ "no memory", no_memory },
		{ "limits", limits },
		{ "memory", memory },
	};
	signal(SIGPIPE, SIG_IGN);
	return test_main("groups", tests, sizeof(tests) / sizeof(tests[0]));
}
