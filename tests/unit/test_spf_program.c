/* SPDX-License-Identifier: ISC */
/*
 * What happens when mxdirect-spf is not itself: then it is this test, started again, which knows
 * by its descriptor 0 that it is to misbehave. The first label of the domain says how. And what the
 * real one can do.
 */
#include "flow/spf_program.h"

#include <linux/close_range.h>
#include <signal.h>

#include "harness.h"
#include "spf_world.h"

#define V4 "192.0.2.1"

static const struct zone_record zone[] = {
	{ "*.bad.test", DNS_TXT, "v=spf1 a:h.test include:p.test +all" },
	{ "p.test", DNS_TXT, "v=spf1 ip4:192.0.2.1 -all" },
	{ "none.test", DNS_TXT, "hello" },
	{ "all.test", DNS_TXT, "v=spf1 ~all" },
	{ "h.test", DNS_A, V4 },
	{ "slow.test", DNS_TXT, "v=spf1 a:silent.test +all" },
	{ "silent.test", ZONE_SILENT, "" },
};

/* ---- the program that misbehaves ---- */

static void say(const char *bytes, size_t n)
{
	if (write(STDIN_FILENO, bytes, n) != (ssize_t)n)
		_exit(4);
}

static void hear(char *packet, size_t size)
{
	if (read(STDIN_FILENO, packet, size) <= 0)
		_exit(0);
}

static void hang(void)
{
	for (;;)
		pause();
}

static void answer_all(const char *answer, size_t n)
{
	char packet[SPF_PACKET];
	for (;;) {
		hear(packet, sizeof(packet));
		say(packet[0] == SPF_MATCH || packet[0] == SPF_EXPAND ? answer : "d",
		    packet[0] == SPF_MATCH || packet[0] == SPF_EXPAND ? n : 1);
	}
}

/* Asks on and on, and hears nothing that it is told. */
static void ask_on(const char *question, size_t n)
{
	char packet[SPF_PACKET];
	do {
		hear(packet, sizeof(packet));
		say("d", 1);
	} while (packet[0] != SPF_CHECK);
	hear(packet, sizeof(packet));
	for (;;) {
		say(question, n);
		hear(packet, sizeof(packet));
	}
}

extern char **environ;

static void tell_surroundings(void)
{
	char text[200];
	sigset_t blocked;
	struct sigaction act;
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	sigaction(SIGPIPE, NULL, &act);
	snprintf(text, sizeof(text), "b%d descriptors, TERM %s, PIPE %s, %s environment",
		 descriptors(), sigismember(&blocked, SIGTERM) ? "blocked" : "open",
		 act.sa_handler == SIG_DFL ? "deadly" : "ignored", *environ ? "an" : "no");
	answer_all(text, strlen(text) + 1);
}

/* What it was asked first, as a reason. */
static void tell_start(const char *packet, size_t n)
{
	char text[SPF_PACKET];
	memcpy(text, packet, n);
	for (size_t i = 0; i < n; i++)
		if (text[i] == '\0')
			text[i] = '|';
	text[0] = 'b';
	text[n] = '\0';
	say("d", 1);
	answer_all(text, n + 1);
}

static void misbehave(const char *how, const char *packet, size_t n)
{
	static char large[SPF_PACKET * 2];
	if (strcmp(how, "silent.bad.test") == 0)
		hang();
	if (strcmp(how, "ends.bad.test") == 0)
		_exit(3);
	if (strcmp(how, "aborts.bad.test") == 0)
		abort();
	if (strcmp(how, "killed.bad.test") == 0)
		kill(getpid(), SIGKILL);
	if (strcmp(how, "loader.bad.test") == 0)
		say("/x: cannot open shared object\n", 30);
	if (strcmp(how, "unwilling.bad.test") == 0)
		say("bno\tway", 8);
	if (strcmp(how, "large.bad.test") == 0)
		say(large, sizeof(large));
	if (strcmp(how, "start.bad.test") == 0)
		tell_start(packet, n);
	say("d", 1);
	if (strcmp(how, "unchecked.bad.test") == 0) {
		char check[SPF_PACKET];
		hear(check, sizeof(check));
		say("y", 1);
	}
	if (strcmp(how, "yes.bad.test") == 0)
		answer_all("y", 1);
	if (strcmp(how, "no.bad.test") == 0)
		answer_all("n", 1);
	if (strcmp(how, "done.bad.test") == 0)
		answer_all("d", 1);
	if (strcmp(how, "later.bad.test") == 0)
		answer_all("l", 1);
	if (strcmp(how, "name.bad.test") == 0)
		answer_all("ep.test", 8);
	if (strcmp(how, "reason.bad.test") == 0)
		answer_all("b\x1b[31m\xff\n", 9);
	if (strcmp(how, "mute.bad.test") == 0)
		answer_all("b", 1);
	if (strcmp(how, "txt.bad.test") == 0)
		ask_on("q\x10p.test", 9);
	if (strcmp(how, "short.bad.test") == 0)
		ask_on("q", 1);
	if (strcmp(how, "open.bad.test") == 0)
		ask_on("q\1h.test", 8);
	if (strcmp(how, "odd.bad.test") == 0)
		ask_on("q\1\xff..\n", 7);
	if (strcmp(how, "endless.bad.test") == 0)
		ask_on("q\1h.test", 9);
	if (strcmp(how, "surroundings.bad.test") == 0)
		tell_surroundings();
	if (strcmp(how, "lingers.bad.test") == 0) {
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
	}
	hang();
}

static int program(void)
{
	char packet[SPF_PACKET];
	ssize_t n = read(STDIN_FILENO, packet, sizeof(packet));
	const char *domain = packet;
	if (n <= 0 || packet[0] != SPF_START)
		return 5;
	for (int i = 0; i < 2; i++)
		domain += strlen(domain) + 1;
	misbehave(domain, packet, (size_t)n);
	return 0;
}

/* ---- tests ---- */

static const char *self; /* this program */

static void misbehaviour(void)
{
	static const struct {
		const char *domain;
		enum spf_result result;
		const char *why;
	} cases[] = {
		{ "ends.bad.test", SPF_TEMPERROR, "mxdirect-spf ended with status 3" },
		{ "aborts.bad.test", SPF_TEMPERROR,
		  "mxdirect-spf was killed by signal 6 (Aborted)" },
		{ "killed.bad.test", SPF_TEMPERROR,
		  "mxdirect-spf was killed by signal 9 (Killed)" },
		{ "loader.bad.test", SPF_TEMPERROR,
		  "mxdirect-spf says \"/x: cannot open shared object \"" },
		{ "unwilling.bad.test", SPF_TEMPERROR, "mxdirect-spf: no way" },
		{ "large.bad.test", SPF_TEMPERROR, "mxdirect-spf says \"\"" },
		{ "unchecked.bad.test", SPF_TEMPERROR, "mxdirect-spf answers something else" },
		{ "done.bad.test", SPF_TEMPERROR, "mxdirect-spf answers something else" },
		{ "name.bad.test", SPF_TEMPERROR, "mxdirect-spf answers something else" },
		{ "later.bad.test", SPF_TEMPERROR, "mxdirect-spf answers something else" },
		{ "reason.bad.test", SPF_PERMERROR,
		  "a:h.test in the record of reason.bad.test: ?[31m?" },
		{ "mute.bad.test", SPF_PERMERROR, "a:h.test in the record of mute.bad.test: " },
		{ "txt.bad.test", SPF_TEMPERROR, "mxdirect-spf says \"q?p.test\"" },
		{ "short.bad.test", SPF_TEMPERROR, "mxdirect-spf says \"q\"" },
		{ "open.bad.test", SPF_TEMPERROR, "mxdirect-spf asks too much" },
		{ "odd.bad.test", SPF_TEMPERROR, "mxdirect-spf asks too much" },
		{ "endless.bad.test", SPF_TEMPERROR, "mxdirect-spf asks too much" },
		{ "yes.bad.test", SPF_PASS,
		  "192.0.2.1 matches a:h.test in the record of yes.bad.test" },
		{ "no.bad.test", SPF_TEMPERROR, "mxdirect-spf answers something else" },
		{ "lingers.bad.test", SPF_TEMPERROR,
		  "mxdirect-spf was killed by signal 9 (Killed)" },
		{ "surroundings.bad.test", SPF_PERMERROR,
		  "3 descriptors, TERM open, PIPE deadly, no environment" },
		{ "start.bad.test", SPF_PERMERROR,
		  "192.0.2.1|strong-bad|start.bad.test|mail.helo.test|" },
	};
	struct world w;
	world_open(&w, zone, sizeof(zone) / sizeof(zone[0]));
	w.sv.spf_program = self;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int before = descriptors();
		CHECK(cases[i].domain, evaluate(&w, V4, cases[i].domain, far_off));
		CHECK_STR(cases[i].domain, spf_result_name(w.answer.result),
			  spf_result_name(cases[i].result));
		CHECK(cases[i].domain, strstr(w.answer.why, cases[i].why));
		if (!strstr(w.answer.why, cases[i].why))
			printf("\n        %s", w.answer.why);
		CHECK(cases[i].domain, w.answer.result != SPF_TEMPERROR || w.answer.ttl == 0);
		CHECK(cases[i].domain, nobody_left() && descriptors() == before);
	}
	world_close(&w);
}

static void no_program(void)
{
	struct world w;
	world_open(&w, zone, sizeof(zone) / sizeof(zone[0]));
	w.sv.spf_program = NULL;
	CHECK("none at all", evaluate(&w, V4, "p.test", far_off));
	CHECK("none at all", w.answer.result == SPF_TEMPERROR && w.answer.ttl == 0);
	CHECK_STR("none at all", w.answer.why, "mxdirect-spf is not installed");
	CHECK("it is not needed for this", evaluate(&w, V4, "none.test", far_off));
	CHECK("it is not needed for this", w.answer.result == SPF_NONE);
	CHECK("nor for that", evaluate(&w, V4, "all.test", far_off));
	CHECK("nor for that", w.answer.result == SPF_SOFTFAIL);
	w.sv.spf_program = "/nonexistent/mxdirect-spf";
	CHECK("missing", evaluate(&w, V4, "p.test", far_off) && nobody_left());
	CHECK("missing", w.answer.result == SPF_TEMPERROR);
	/* In valgrind's process the child cannot say why it did not start. */
	CHECK("missing", strstr(w.answer.why, "cannot run /nonexistent/mxdirect-spf: No such") ||
				 strncmp(w.answer.why, "mxdirect-spf ", 13) == 0);
	world_close(&w);
}

static void time_over(void)
{
	struct world w;
	world_open(&w, zone, sizeof(zone) / sizeof(zone[0]));
	CHECK("DNS", evaluate(&w, V4, "slow.test", deadline_in(io_now(&w.io), 200)));
	CHECK("DNS", w.answer.result == SPF_TEMPERROR && nobody_left());
	CHECK_STR("DNS", w.answer.why,
		  "a:silent.test in the record of slow.test: A of silent.test: timed out");
	w.sv.spf_program = self;
	CHECK("the program", evaluate(&w, V4, "silent.bad.test", deadline_in(io_now(&w.io), 200)));
	CHECK("the program", w.answer.result == SPF_TEMPERROR && nobody_left());
	CHECK_STR("the program", w.answer.why, "mxdirect-spf did not end in time");
	CHECK("no time at all", evaluate(&w, V4, "p.test", deadline_in(io_now(&w.io), -1)));
	CHECK("no time at all", w.answer.result == SPF_TEMPERROR && nobody_left());
	world_close(&w);
}

static bool no_records(void *ctx, enum dns_type type, const char *name, struct buf *out,
		       struct error *err)
{
	(void)ctx;
	(void)type;
	(void)name;
	(void)err;
	buf_add(out, SPAN("R\2"));
	return true;
}

static void read_proc(pid_t pid, const char *file, char *text, size_t size)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, size - 1, f) : 0;
	text[n] = '\0';
	if (f)
		fclose(f);
}

/* What a record could do that takes the real program over. */
static void confinement(void)
{
	struct io io = { .clock = clock_system(), .stop_fd = -1 };
	static struct spf_program p;
	struct error err = { 0 };
	enum spf_packet answer = SPF_BAD;
	const char *text = "";
	char status[4096];
	p = (struct spf_program){ .io = &io, .until = far_off, .records = no_records };
	CHECK("start", spf_program_open(&p, SPF_PROGRAM, &err));
	CHECK("start", spf_program_call(&p, SPAN("S192.0.2.1\0fred\0p.test\0helo.test\0"), &answer,
					&text, &err));
	CHECK("start", answer == SPF_DONE);
	read_proc(p.pid, "status", status, sizeof(status));
	CHECK("filter", strstr(status, "\nSeccomp:\t2\n"));
	CHECK("no new privileges", strstr(status, "\nNoNewPrivs:\t1\n"));
	CHECK("one thread", strstr(status, "\nThreads:\t1\n"));
	read_proc(p.pid, "limits", status, sizeof(status));
	CHECK("files", strstr(status, "Max open files            0                    0 "));
	CHECK("processes", strstr(status, "Max processes             0                    0 "));
	CHECK("core", strstr(status, "Max core file size        0                    0 "));
	CHECK("file size", strstr(status, "Max file size             0                    0 "));
	CHECK("time", strstr(status, "Max cpu time              2                    2 "));
	CHECK("memory", !strstr(status, "Max address space         unlimited"));
	/* It does not trust the one that asks, either. */
	static char packet[SPF_PACKET] = "Mp.test\0exists:";
	memset(packet + 15, 'a', 3600);
	CHECK("a term over its limit",
	      spf_program_call(&p, (struct span){ packet, 15 + 3600 + 1 }, &answer, &text, &err));
	CHECK("a term over its limit", answer == SPF_BAD);
	CHECK("a packet it does not know", spf_program_call(&p, SPAN("Zx"), &answer, &text, &err));
	CHECK("a packet it does not know", answer == SPF_BAD);
	CHECK("half a packet", spf_program_call(&p, SPAN("Mp.test"), &answer, &text, &err));
	CHECK("half a packet", answer == SPF_BAD);
	spf_program_close(&p);
	spf_program_close(&p);
	CHECK("gone", nobody_left());
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "misbehaviour", misbehaviour },
		{ "no program", no_program },
		{ "time over", time_over },
		{ "confinement", confinement },
	};
	int type = 0;
	socklen_t len = sizeof(type);
	(void)argc;
	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	    type == SOCK_SEQPACKET)
		return program();
	self = argv[0];
	/* What this one was started with is not to be found in its children. */
	close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	return test_main("spf_program", tests, sizeof(tests) / sizeof(tests[0]));
}
