/* SPDX-License-Identifier: ISC */
/* The host's side of the guard's tests: starts the guard as a host does, and looks at what comes
 * back. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"

/* The stub writes to NOTE when told to; LIFE stays open as long as any process of the run lives. */
#define NOTE 20
#define LIFE 21
/* Nothing but the slow cases at the end waits for a limit of the guard's own. */
#define SOON_MS 2500

struct run {
	pid_t host, guard;                 /* host 0: it is this process */
	int message, out, err, note, life; /* our ends */
	int64_t started;
};

struct setting {
	const char *program;   /* in the test's folder; NULL: mxdirect */
	void (*prepare)(void); /* in the process that becomes the guard */
	bool host;             /* a process of its own is the host */
	bool blocking_err, full_err;
};

static unsigned passed, failed;
static const char *folder;

static void check(const char *label, bool ok, const char *what)
{
	if (ok)
		passed++;
	else
		failed++;
	if (!ok)
		printf("FAILED: %s: %s\n", label, what);
}

static int64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Words at '|'. */
static void exec_guard(const char *program, const char *words)
{
	static char path[300], text[2000], name[] = "mxdirect";
	char *argv[40] = { name };
	int argc = 1;
	snprintf(path, sizeof(path), "%s/%s", folder, program ? program : "mxdirect");
	snprintf(text, sizeof(text), "%s", words);
	for (char *p = text; p && argc < 39;) {
		char *bar = strchr(p, '|');
		if (bar)
			*bar++ = '\0';
		argv[argc++] = p;
		p = bar;
	}
	argv[argc] = NULL;
	execv(path, argv);
	_exit(99);
}

static void take_ends(const int ends[5], const struct setting *s)
{
	static const int places[] = { 0, 1, 2, NOTE, LIFE };
	int far[5];
	for (int i = 0; i < 5; i++)
		far[i] = fcntl(ends[i], F_DUPFD, 40);
	for (int i = 0; i < 5; i++)
		dup2(far[i], places[i]);
	for (int fd = 3; fd < 100; fd++)
		if (fd != NOTE && fd != LIFE)
			close(fd);
	if (s->prepare)
		s->prepare();
}

static void fill(int fd)
{
	char junk[4096] = { 0 };
	int flags = fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	while (write(fd, junk, sizeof(junk)) > 0)
		;
	fcntl(fd, F_SETFL, flags);
}

static int await(pid_t pid)
{
	int how = -1;
	int64_t limit = now_ms() + 15000;
	while (waitpid(pid, &how, WNOHANG) == 0 && now_ms() < limit)
		usleep(500);
	return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

static struct run start(const struct setting *s, const char *words)
{
	int message[2], out[2], err[2], note[2], life[2], pids[2];
	/* O_DIRECT keeps the borders of writes: the report must be one. */
	if (pipe2(message, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ||
	    pipe2(err, O_CLOEXEC | O_DIRECT) || pipe2(note, O_CLOEXEC) || pipe2(life, O_CLOEXEC) ||
	    pipe2(pids, O_CLOEXEC))
		abort();
	const int ends[] = { message[0], out[1], err[1], note[1], life[1] };
	struct run r = { .message = message[1],
			 .out = out[0],
			 .err = err[0],
			 .note = note[0],
			 .life = life[0],
			 .started = now_ms() };
	if (s->full_err)
		fill(err[1]);
	if (!s->blocking_err)
		fcntl(err[1], F_SETFL, fcntl(err[1], F_GETFL) | O_NONBLOCK);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0 && s->host) {
		pid_t guard = fork();
		if (guard != 0) {
			ssize_t n = write(pids[1], &guard, sizeof(guard));
			(void)n;
			for (int fd = 3; fd < 100; fd++)
				close(fd);
			_exit(await(guard));
		}
	}
	if (child == 0) {
		take_ends(ends, s);
		exec_guard(s->program, words);
	}
	r.guard = child;
	if (s->host) {
		r.host = child;
		if (read(pids[0], &r.guard, sizeof(r.guard)) != (ssize_t)sizeof(r.guard))
			abort();
	}
	for (int i = 0; i < 5; i++)
		close(ends[i]);
	close(pids[0]);
	close(pids[1]);
	return r;
}

/* The stub has come to its "note". */
static void wait_note(struct run *r)
{
	char c;
	struct pollfd p = { r->note, POLLIN, 0 };
	if (poll(&p, 1, 10000) != 1 || read(r->note, &c, 1) != 1)
		printf("no note came\n");
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* All that is in the pipe; *ret_writes: how many writes that were. */
static size_t drain(int fd, char *buf, size_t room, int *ret_writes)
{
	size_t n = 0;
	*ret_writes = 0;
	while (fd >= 0 && n < room) {
		struct pollfd p = { fd, POLLIN, 0 };
		ssize_t got = poll(&p, 1, 0) == 1 ? read(fd, buf + n, room - n) : 0;
		if (got <= 0)
			break;
		n += (size_t)got;
		++*ret_writes;
	}
	return n;
}

/* "*" at the end of `line`: the rest does not matter. NULL: nobody could read it. */
static void finish(const char *label, struct run *r, int status, const char *line, int64_t most_ms)
{
	static char err[70000], out[1000];
	int writes;
	/* A host that still lives hands on what it got. */
	check(label, await(r->host ? r->host : r->guard) == status, "exit status");
	check(label, now_ms() - r->started < most_ms, "it took too long");
	size_t n = drain(r->out, out, sizeof(out), &writes);
	check(label, n == 0, "standard output");
	n = drain(r->err, err, sizeof(err) - 1, &writes);
	err[n] = '\0';
	size_t want = line ? strlen(line) : 0;
	bool any = line && want > 0 && line[want - 1] == '*';
	bool same = !line || (any ? strncmp(err, line, want - 1) == 0 : strcmp(err, line) == 0);
	if (!same)
		printf("    got:  %s\n    want: %s\n", err, line);
	check(label, same, "line");
	check(label, !line || (writes == 1 && strlen(err) == n && n <= 500), "one write");
	struct pollfd p = { r->life, POLLIN, 0 };
	check(label, poll(&p, 1, 0) == 1, "the agent is still there");
	close_end(&r->message);
	close_end(&r->out);
	close_end(&r->err);
	close_end(&r->note);
	close_end(&r->life);
}

static void run_table(const struct simple *t, size_t n)
{
	const struct setting plain = { 0 };
	for (size_t i = 0; i < n; i++) {
		struct run r = start(&plain, t[i].words);
		close_end(&r.message);
		finish(t[i].label, &r, t[i].status, t[i].line, SOON_MS);
	}
}

static void test_programs(void)
{
	static const struct {
		const char *program, *why;
	} cases[] = {
		{ "mxdirect-missing", "cannot run *" },
		{ "mxdirect-not-executable", "cannot run *" },
		{ "mxdirect-directory", "cannot run *" },
		{ "mxdirect-unloadable", "*" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct setting s = { .program = cases[i].program };
		char line[200];
		snprintf(line, sizeof(line), DIED "exited with status 127" NO_VERDICT ": %s",
			 cases[i].why);
		struct run r = start(&s, "x");
		finish(cases[i].program, &r, 75, line, SOON_MS);
	}
	const struct setting s = { .program = "mxdirect-unloadable" };
	struct run r = start(&s, "x");
	await(r.guard);
	char text[600] = "";
	ssize_t n = read(r.err, text, sizeof(text) - 1);
	check("unloadable",
	      n > 0 && strstr(text, "error while loading shared libraries: libgone.so"),
	      "the loader's words");
}

static void test_signals(void)
{
	static const int stops[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	static const int others[] = {
		SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE, SIGXFSZ, SIGCHLD, SIGCONT
	};
	const struct setting plain = { 0 };
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		const char *name = strsignal(stops[i]);
		struct run r = start(&plain, "block-term|note:20|wait-term|send:V 75 4.3.2 ok");
		wait_note(&r);
		kill(r.guard, stops[i]);
		finish(name, &r, 75, "4.3.2 ok", SOON_MS);
		r = start(&plain, "note:20|hang");
		wait_note(&r);
		kill(r.guard, stops[i]);
		finish(name, &r, 75, "4.3.2 stopped before it was done", SOON_MS);
		/* After the final dot it finishes; a second signal changes nothing. */
		r = start(&plain,
			  "block-term|" COMMIT "note:20|wait-term|note:20|ms:100|send:V 0 x");
		wait_note(&r);
		kill(r.guard, stops[i]);
		wait_note(&r);
		kill(r.guard, stops[i]);
		finish(name, &r, 0, "x", SOON_MS);
	}
	struct run r = start(&plain, COMMIT "note:20|hang");
	wait_note(&r);
	kill(r.guard, SIGTERM);
	finish("TERM after C", &r, 75, "4.4.2 stopped before it was done" PERHAPS, SOON_MS);
	r = start(&plain, "block-term|send:T 300|note:20|hang");
	wait_note(&r);
	kill(r.guard, SIGTERM);
	finish("TERM is not heeded", &r, 75, "4.4.7 no verdict within the time limit", SOON_MS);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		r = start(&plain, "note:20|eof|send:V 0 x");
		wait_note(&r);
		kill(r.guard, others[i]);
		close_end(&r.message);
		finish(strsignal(others[i]), &r, 0, "x", SOON_MS);
	}
	r = start(&plain, "note:20|hang");
	wait_note(&r);
	kill(r.guard, SIGKILL);
	await(r.guard);
	struct pollfd p = { r.life, POLLIN, 0 };
	check("the guard is killed", poll(&p, 1, 2000) == 1, "the agent is still there");
}

static void like_exim(void)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
}

static void like_postfix(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

static void test_environment(void)
{
	const struct setting exim = { .prepare = like_exim }, postfix = { .prepare = like_postfix };
	struct run r = start(&exim, "environment|send:V 0 x");
	finish("environment under Exim", &r, 0, "x", SOON_MS);
	r = start(&postfix, "environment|send:V 0 x");
	finish("environment under Postfix", &r, 0, "x", SOON_MS);
	r = start(&exim, "block-term|note:20|wait-term|send:V 75 4.3.2 ok");
	wait_note(&r);
	kill(r.guard, SIGTERM);
	finish("TERM was ignored", &r, 75, "4.3.2 ok", SOON_MS);
	r = start(&exim, "note:20|exit:7");
	finish("CHLD was ignored", &r, 75, DIED "exited with status 7" NO_VERDICT, SOON_MS);
	/* The guard must not keep the message's pipe. */
	r = start(&postfix, "close:0|note:20|wait-term");
	wait_note(&r);
	struct pollfd p = { r.message, 0, 0 };
	check("message pipe", poll(&p, 1, 1000) == 1 && (p.revents & POLLERR), "kept open");
	kill(r.guard, SIGTERM);
	finish("message pipe", &r, 75, "4.3.2 stopped*", SOON_MS);
}

static void lose_host(struct run *r)
{
	kill(r->host, SIGKILL);
	waitpid(r->host, NULL, 0);
	r->host = 0;
}

static void test_host_gone(void)
{
	const struct setting own = { .host = true };
	struct run r = start(&own, "eof|send:E 5000|expect:y|" COMMIT "send:V 0 x");
	close_end(&r.message);
	finish("the host stays", &r, 0, "x", SOON_MS);
	r = start(&own, "block-term|note:20|eof|send:E 5000|expect:n|send:V 75 4.3.0 gone");
	wait_note(&r);
	lose_host(&r);
	close_end(&r.message);
	finish("gone before the end of input", &r, 75, "4.3.0 gone", SOON_MS);
	r = start(&own,
		  "eof|send:E 5000|expect:y|block-term|note:20|wait-term|send:C 5000|expect:n|"
		  "send:V 75 4.3.0 gone");
	close_end(&r.message);
	wait_note(&r);
	lose_host(&r);
	finish("gone before the final dot", &r, 75, "4.3.0 gone", SOON_MS);
	r = start(&own, "note:20|hang");
	wait_note(&r);
	lose_host(&r);
	finish("gone, and the agent just dies", &r, 75, GONE_AWAY, SOON_MS);
	r = start(&own, "block-term|" COMMIT "note:20|wait-term|send:V 0 x");
	wait_note(&r);
	lose_host(&r);
	finish("gone after the final dot", &r, 0, "x", SOON_MS);
}

static void test_reader_gone(void)
{
	const struct setting plain = { 0 };
	struct run r = start(&plain, "block-term|note:20|wait-term|eof|send:E 5000|expect:n|"
				     "send:C 5000|expect:n|send:V 69 5.0.0 all as expected");
	wait_note(&r);
	close_end(&r.err);
	close_end(&r.message);
	finish("reader gone", &r, 69, NULL, SOON_MS);
	r = start(&plain, "block-term|" COMMIT "note:20|wait-term|send:V 0 x");
	wait_note(&r);
	close_end(&r.err);
	finish("reader gone after the final dot", &r, 0, NULL, SOON_MS);
}

static void test_full(void)
{
	const struct setting full = { .full_err = true };
	static char junk[70000];
	int writes, filled = 0;
	struct run r = start(&full, "note:20|send:V 69 5.1.1 x");
	wait_note(&r);
	usleep(100000);
	/* Not more: the guard may write as soon as there is room. */
	if (ioctl(r.err, FIONREAD, &filled) != 0 || filled <= 0 || filled > (int)sizeof(junk))
		filled = 0;
	check("full for a moment",
	      drain(r.err, junk, (size_t)filled, &writes) == (size_t)filled && filled > 0,
	      "it was not full");
	finish("full for a moment", &r, 69, "5.1.1 x", 3000);
}

static void close_0(void)
{
	close(0);
}

static void close_1(void)
{
	close(1);
}

static void close_all(void)
{
	close(0);
	close(1);
	close(2);
}

static void few_files(void)
{
	const struct rlimit few = { 3, 3 };
	setrlimit(RLIMIT_NOFILE, &few);
}

static void no_processes(void)
{
	const struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_NPROC, &none);
	if (setgid(65534) != 0 || setuid(65534) != 0)
		_exit(98);
}

static void test_start(void)
{
	struct setting s = { .prepare = close_0 };
	struct run r = start(&s, "no-stdin|environment|send:V 0 x");
	finish("no standard input", &r, 0, "x", SOON_MS);
	s.prepare = close_1;
	r = start(&s, "environment|send:V 0 x");
	finish("no standard output", &r, 0, "x", SOON_MS);
	s.prepare = close_all;
	r = start(&s, "no-stdin|environment|send:C 5000|expect:y|send:V 69 5.0.0 x");
	finish("nothing open", &r, 69, NULL, SOON_MS);
	s.prepare = few_files;
	r = start(&s, "send:V 0 x");
	finish("no more descriptors", &r, 75,
	       "4.3.0 cannot watch over mxdirect-agent: Too many open files", SOON_MS);
	if (getuid() != 0) {
		printf("skipped, needs root: no more processes\n");
		return;
	}
	s.prepare = no_processes;
	r = start(&s, "send:V 0 x");
	finish("no more processes", &r, 75,
	       "4.3.0 cannot start mxdirect-agent: Resource temporarily unavailable", SOON_MS);
}

/* Under the first process of a process namespace, as if the host had gone before we started. */
static void test_parent_1(void)
{
	int err[2], how = -1;
	char line[600] = "";
	if (pipe2(err, O_CLOEXEC) != 0)
		abort();
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWPID) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0)
			_exit(98);
		pid_t first = fork();
		if (first > 0)
			_exit(await(first));
		pid_t guard = fork();
		if (guard > 0)
			_exit(await(guard));
		dup2(err[1], 2);
		exec_guard(NULL, "send:V 0 x");
	}
	close(err[1]);
	waitpid(pid, &how, 0);
	ssize_t n = read(err[0], line, sizeof(line) - 1);
	close(err[0]);
	if (WIFEXITED(how) && WEXITSTATUS(how) == 98) {
		printf("skipped, not allowed here: parent 1\n");
		return;
	}
	check("parent 1", WIFEXITED(how) && WEXITSTATUS(how) == 75, "exit status");
	check("parent 1", n > 0 && strcmp(line, GONE_AWAY) == 0, "line");
}

static void test_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char name[100] = "", text[600] = "";
	if (master < 0 || grantpt(master) || unlockpt(master) ||
	    ptsname_r(master, name, sizeof(name))) {
		printf("skipped, no terminals here: terminal\n");
		return;
	}
	int tty = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(tty, 2);
		exec_guard(NULL, "tty|err:> QUIT\n|send:V 0 x");
	}
	check("terminal", await(pid) == 0, "exit status");
	ssize_t n = read(master, text, sizeof(text) - 1);
	if (n > 0 && !strstr(text, "x\r\n"))
		n = read(master, text + n, sizeof(text) - 1 - (size_t)n);
	check("terminal", n > 0 && strcmp(text, "> QUIT\r\nx\r\n") == 0, "text");
	close(tty);
	close(master);
}

static void test_help(const char *option, const char *begin)
{
	static char text[4000];
	const struct setting plain = { 0 };
	struct run r = start(&plain, option);
	check(option, await(r.guard) == 0, "exit status");
	ssize_t n = read(r.out, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	check(option, strncmp(text, begin, strlen(begin)) == 0, "text");
	int lines = 0;
	for (char *p = text, *end; (end = strchr(p, '\n')); p = end + 1, lines++)
		check(option, end - p <= 80, "80 columns");
	check(option, lines >= 1 && lines <= 24, "a screen");
	char c;
	check(option, read(r.err, &c, 1) == 0, "standard error");
}

/* These take seconds: they wait together. */
struct slow {
	struct setting setting;
	struct simple expected;
	struct run run;
};

static struct slow slow[] = {
	{ .expected = { "verdict, then hang", "send:V 0 x|hang", 0, "x" } },
	{ .expected = { "the link closed, then hang", "close:3|hang", 75,
			"4.4.7 no verdict within the time limit" } },
	{ .setting = { .full_err = true }, .expected = { "full", "send:V 69 5.0.0 x", 69, NULL } },
	{ .setting = { .full_err = true, .blocking_err = true },
	  .expected = { "full and blocking", "send:V 0 x", 0, NULL } },
};

int main(int argc, char **argv)
{
	if (argc != 2)
		return 1;
	folder = argv[1];
	signal(SIGPIPE, SIG_IGN);
	/* A guard whose host died becomes our child. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++)
		slow[i].run = start(&slow[i].setting, slow[i].expected.words);
	run_table(verdicts, sizeof(verdicts) / sizeof(verdicts[0]));
	run_table(malformed, sizeof(malformed) / sizeof(malformed[0]));
	run_table(deaths, sizeof(deaths) / sizeof(deaths[0]));
	test_programs();
	test_signals();
	test_environment();
	test_host_gone();
	test_reader_gone();
	test_full();
	test_start();
	test_parent_1();
	test_terminal();
	test_help("--help", "usage: mxdirect -f SENDER");
	test_help("--version", "mxdirect 0.0.0\n");
	for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++)
		finish(slow[i].expected.label, &slow[i].run, slow[i].expected.status,
		       slow[i].expected.line, 12000);
	printf("%u passed, %u failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}
