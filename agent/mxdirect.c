/* SPDX-License-Identifier: ISC */
/*
 * The guard: what a host MTA starts. Hosts bounce mail for nearly every exit status, for a signal
 * (Exim), for a library that does not load, so the work is done by another program, mxdirect-agent,
 * and this one survives whatever happens to it: static, nothing but libc, no memory of its own. It
 * holds the only way back to the host and uses it once: one line, and exit status 0, 69 or 75. What
 * the two say to each other is in guard.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard.h"

#define SENT       0
#define BOUNCE     69
#define LATER      75
#define REPORT_MAX 500
#define NOTE_MAX   200 /* of what a dying agent said */
#define MS_MAX     INT64_C(1000000000000)
#define NOBODY     (POLLERR | POLLHUP | POLLNVAL)

struct guard {
	pid_t host, agent; /* agent 0: it is no more */
	int link, output, signals, host_pidfd;
	bool terminal; /* our standard error is one */
	bool host_gone, committed, settled, killed;
	const char *stop; /* why the agent was told to stop */
	int64_t limit;
	int status;
	char line[REPORT_MAX + 1];
	char note[NOTE_MAX + 1];
	size_t note_len;
};

static const char help[] =
	"usage: mxdirect -f SENDER [-i QUEUE-ID] [-c FILE] [-o KEY=VALUE]... [-v]\n"
	"                [--trace FILE] -- RECIPIENT\n"
	"       mxdirect --lmtp [-i QUEUE-ID] [-c FILE] [-o KEY=VALUE]... [--trace FILE]\n"
	"\n"
	"Deliver the message on standard input straight to the MX hosts of RECIPIENT, or\n"
	"with --lmtp the messages of an LMTP client on standard input and output.\n"
	"\n"
	"  -f, --sender ADDRESS     envelope sender; '' or '<>' is the null sender; else\n"
	"                           the environment variable SENDER counts\n"
	"  -i, --queue-id ID        the host's queue id, for the log\n"
	"  -c, --config FILE        read FILE instead of the default configuration\n"
	"  -o, --option KEY=VALUE   set one key of the configuration; wins over the file\n"
	"  -v, --verbose            show the SMTP conversation, if standard error is a\n"
	"                           terminal\n"
	"      --trace FILE         append the SMTP conversation to FILE\n"
	"      --help, --version    show this, or the version (as the only argument)\n"
	"\n"
	"Exit status: 0 sent, 69 failed for good, 75 try again later; nothing else. The\n"
	"reason is one line on standard error, with an enhanced status code in front.\n"
	"See mxdirect(8) and mxdirect.conf(5).\n";

static int64_t now_ms(void)
{
	struct timespec ts = { 0 };
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void limit_in(struct guard *g, int64_t ms)
{
	g->limit = now_ms() + ms;
}

/* Whatever the guard itself finds is temporary: nothing of ours ever bounces mail. The first
 * finding stays. Returns false. */
__attribute__((format(printf, 3, 4))) static bool fail(struct guard *g, const char *code,
						       const char *fmt, ...)
{
	char text[REPORT_MAX - 60];
	if (g->settled)
		return false;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(g->line, sizeof(g->line), "%s %s%s", g->committed ? "4.4.2" : code, text,
		 g->committed ? "; the message may have been delivered" : "");
	g->status = LATER;
	g->settled = true;
	return false;
}

static void kill_agent(struct guard *g)
{
	kill(g->agent, SIGKILL);
	g->killed = true;
	limit_in(g, GUARD_GRACE_MS);
}

/* Once: before the final dot the agent gives up, after it it finishes. */
static void stop_agent(struct guard *g, const char *why)
{
	if (!g->stop && !g->settled)
		kill(g->agent, SIGTERM);
	g->stop = g->stop ? g->stop : why;
}

static bool host_is_there(struct guard *g)
{
	struct pollfd p = { .fd = STDERR_FILENO };
	if (getppid() != g->host || (poll(&p, 1, 0) > 0 && (p.revents & NOBODY)))
		g->host_gone = true;
	return !g->host_gone;
}

/* One to three digits; NULL: something else. */
static const char *digits(const char *p)
{
	int n = 0;
	while (p[n] >= '0' && p[n] <= '9')
		n++;
	return n >= 1 && n <= 3 ? p + n : NULL;
}

/* The host takes the code of a failure from the line and believes it more than the exit status, so
 * the two must agree. */
static bool line_is_good(int status, const char *line)
{
	size_t n = strlen(line);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			return false;
	if (n == 0 || n > REPORT_MAX || status == SENT)
		return n > 0 && n <= REPORT_MAX;
	if (line[0] != (status == BOUNCE ? '5' : '4') || line[1] != '.')
		return false;
	const char *p = digits(line + 2);
	if (p && *p == '.')
		p = digits(p + 1);
	else
		p = NULL;
	return p && p[0] == ' ' && p[1] != ' ' && p[1] != '\0';
}

/* "V 69 5.1.1 ..."; false: malformed. */
static bool take_verdict(struct guard *g, const char *p)
{
	static const struct {
		const char *start;
		int status;
	} verdicts[] = { { "V 0 ", SENT }, { "V 69 ", BOUNCE }, { "V 75 ", LATER } };
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		size_t n = strlen(verdicts[i].start);
		if (strncmp(p, verdicts[i].start, n) != 0)
			continue;
		if (!line_is_good(verdicts[i].status, p + n))
			return false;
		snprintf(g->line, sizeof(g->line), "%.*s", REPORT_MAX, p + n);
		g->status = verdicts[i].status;
		g->settled = true;
		limit_in(g, GUARD_GRACE_MS);
		return true;
	}
	return false;
}

/* "T MS", "E MS", "C MS"; false: malformed. */
static bool take_limit(struct guard *g, const char *p)
{
	char *end;
	errno = 0;
	long long ms = p[1] == ' ' && p[2] >= '0' && p[2] <= '9' ? strtoll(p + 2, &end, 10) : -1;
	if (ms < 0 || ms > MS_MAX || errno || *end)
		return false;
	limit_in(g, ms);
	if (p[0] == 'T')
		return true;
	bool there = host_is_there(g);
	if (p[0] == 'C' && there)
		g->committed = true;
	send(g->link, there ? "y" : "n", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	return true;
}

/* True: there may be more. */
static bool take_packet(struct guard *g)
{
	char p[GUARD_PACKET + 1];
	ssize_t n = recv(g->link, p, GUARD_PACKET, MSG_DONTWAIT | MSG_TRUNC);
	if (n < 0) /* The agent ended with an answer unread; packets of its own may still follow. */
		return errno == ECONNRESET;
	if (n == 0) {
		close(g->link);
		g->link = -1;
		int64_t soon = now_ms() + GUARD_GRACE_MS;
		g->limit = soon < g->limit ? soon : g->limit;
		return false;
	}
	bool good = n <= GUARD_PACKET;
	if (good) {
		p[n] = '\0';
		good = strlen(p) == (size_t)n;
	}
	if (good && p[0] == 'V')
		good = take_verdict(g, p);
	else if (good)
		good = (p[0] == 'T' || p[0] == 'E' || p[0] == 'C') && take_limit(g, p);
	if (!good) {
		fail(g, "4.3.0", "mxdirect-agent gave a verdict that makes no sense");
		kill_agent(g);
	}
	return !g->settled;
}

/* All of it is read, so that the agent never waits for us; the first bytes are kept. False: nothing
 * there. */
static bool take_output(struct guard *g)
{
	char buf[4096];
	ssize_t n = read(g->output, buf, sizeof(buf));
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN) {
			close(g->output);
			g->output = -1;
		}
		return false;
	}
	for (ssize_t i = 0; i < n && g->note_len < NOTE_MAX; i++) {
		char c = buf[i];
		bool blank = c == '\n' || c == '\t' || c == ' ';
		if (blank && (g->note_len == 0 || g->note[g->note_len - 1] == ' '))
			continue;
		g->note[g->note_len++] = blank ? ' ' : c < ' ' || c > '~' ? '?' : c;
	}
	return g->note_len < NOTE_MAX;
}

static void reap(struct guard *g)
{
	int how = 0;
	if (waitpid(g->agent, &how, WNOHANG) != g->agent)
		return;
	g->agent = 0;
	while (!g->settled && g->link >= 0 && take_packet(g))
		;
	while (g->output >= 0 && take_output(g))
		;
	while (g->note_len > 0 && g->note[g->note_len - 1] == ' ')
		g->note_len--;
	g->note[g->note_len] = '\0';
	const char *colon = g->note_len > 0 ? ": " : "";
	if (g->stop)
		fail(g, g->host_gone ? "4.3.0" : "4.3.2", "%s", g->stop);
	else if (WIFSIGNALED(how))
		fail(g, "4.3.0",
		     "mxdirect-agent was killed by signal %d (%s) without a verdict%s%s",
		     WTERMSIG(how), strsignal(WTERMSIG(how)), colon, g->note);
	else
		fail(g, "4.3.0", "mxdirect-agent exited with status %d without a verdict%s%s",
		     WEXITSTATUS(how), colon, g->note);
}

static void take_signals(struct guard *g)
{
	struct signalfd_siginfo info;
	while (read(g->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			stop_agent(g, "stopped before it was done");
	reap(g);
}

static void overrun(struct guard *g)
{
	if (g->killed) { /* It sits in the kernel and will die there; the host must not wait for
			    that. */
		g->agent = 0;
		return;
	}
	if (!g->settled)
		fail(g, "4.4.7", "no verdict within the time limit");
	kill_agent(g);
}

static void watch(struct guard *g)
{
	enum { LINK, OUTPUT, REPORT, HOST, SIGNALS, WATCHED };
	while (g->agent > 0) {
		struct pollfd p[WATCHED] = {
			[LINK] = { g->settled ? -1 : g->link, POLLIN, 0 },
			[OUTPUT] = { g->output, POLLIN, 0 },
			[REPORT] = { g->host_gone ? -1 : STDERR_FILENO, 0, 0 },
			[HOST] = { g->host_gone ? -1 : g->host_pidfd, POLLIN, 0 },
			[SIGNALS] = { g->signals, POLLIN, 0 },
		};
		int64_t left = g->limit - now_ms();
		int ready = poll(p, WATCHED, left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left);
		if (ready <= 0 && (ready < 0 || left <= 0)) {
			overrun(g);
			continue;
		}
		if ((p[REPORT].revents & NOBODY) || p[HOST].revents)
			g->host_gone = true;
		if (g->host_gone)
			stop_agent(g, "the program that started this run has gone away");
		if (p[OUTPUT].revents)
			take_output(g);
		if (p[LINK].revents)
			take_packet(g);
		if (p[SIGNALS].revents)
			take_signals(g);
		if (left <= 0 && g->limit <= now_ms())
			overrun(g);
	}
}

__attribute__((noreturn)) static void become_agent(const struct guard *g, pid_t guard,
						   const int fds[2], char **argv)
{
	/* Those that hosts and shells hand over ignored and that a program may want; to reset all
	 * would be a system call for each of 64. CHLD is reset already. */
	static const int wanted[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM };
	sigset_t none;
	/* The agent shall not outlive the guard, who may be dead already. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != guard)
		_exit(LATER);
	if (dup2(fds[1], STDOUT_FILENO) < 0 || dup2(fds[0], GUARD_FD) < 0 ||
	    (!g->terminal && dup2(fds[1], STDERR_FILENO) < 0))
		_exit(LATER);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		signal(wanted[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(AGENT_PATH, argv);
	dprintf(STDERR_FILENO, "cannot run %s: %s", AGENT_PATH, strerror(errno));
	_exit(127);
}

static bool start(struct guard *g, char **argv)
{
	int link[2], output[2];
	sigset_t wanted;
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGHUP);
	sigaddset(&wanted, SIGQUIT);
	sigaddset(&wanted, SIGCHLD);
	g->signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	if (g->signals < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) != 0 ||
	    pipe2(output, O_CLOEXEC) != 0)
		return fail(g, "4.3.0", "cannot watch over mxdirect-agent: %s", strerror(errno));
	g->host_pidfd = (int)syscall(SYS_pidfd_open, g->host, 0);
	pid_t self = getpid();
	/* No page tables to copy: the child makes a few system calls and execs, while we wait. */
	/* NOLINTNEXTLINE */
	g->agent = vfork();
	if (g->agent < 0)
		return fail(g, "4.3.0", "cannot start mxdirect-agent: %s", strerror(errno));
	if (g->agent == 0)
		become_agent(g, self, (int[2]){ link[1], output[1] }, argv);
	close(link[1]);
	close(output[1]);
	close(STDIN_FILENO); /* Else a host that dies could not be told from one that writes. */
	g->link = link[0];
	g->output = output[0];
	fcntl(g->output, F_SETFL, O_NONBLOCK);
	limit_in(g, GUARD_START_MS);
	return true;
}

/* No descriptor of ours may become 0, 1 or 2, and a missing message must not look like an empty
 * one: reading this one fails. */
static void fill_gaps(void)
{
	int fd;
	do
		fd = open("/dev/null", O_WRONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* Hosts hand over signals ignored (Exim: TERM, INT, HUP, USR1), and any that kills us would be a
 * bounce; those of a terminal's job control stay as they are. */
static void hold_signals(void)
{
	sigset_t held;
	sigfillset(&held);
	sigdelset(&held, SIGTSTP);
	sigdelset(&held, SIGTTIN);
	sigdelset(&held, SIGTTOU);
	sigprocmask(SIG_SETMASK, &held, NULL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

/* One write, and never a wait without end for a host that does not read. */
static void report(struct guard *g)
{
	size_t n = strlen(g->line);
	if (g->terminal)
		g->line[n++] = '\n';
	for (int i = 0; i < 3; i++) {
		struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
		if (poll(&p, 1, 1000) > 0 &&
		    (write(STDERR_FILENO, g->line, n) >= 0 || errno != EAGAIN))
			break;
	}
}

/* Over LMTP a lost connection says "try again" by itself, so there is nothing to guard but the
 * descriptors: what a library or the loader prints must not look like a reply. */
static int serve(char **argv)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || (isatty(STDERR_FILENO) != 1 && dup2(null, STDERR_FILENO) < 0))
		return LATER;
	execv(AGENT_PATH, argv);
	return LATER;
}

static int say(const char *text)
{
	size_t n = strlen(text);
	return write(STDOUT_FILENO, text, n) == (ssize_t)n ? 0 : LATER;
}

int main(int argc, char **argv)
{
	struct guard g = { .host = getppid(), .link = -1, .output = -1, .status = LATER };
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return say(help);
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return say("mxdirect " VERSION "\n");
	if (argc > 1 && strcmp(argv[1], "--lmtp") == 0)
		return serve(argv);
	hold_signals();
	fill_gaps();
	g.terminal = isatty(STDERR_FILENO) == 1;
	fcntl(STDOUT_FILENO, F_SETFD, FD_CLOEXEC);
	if (!g.terminal)
		fcntl(STDERR_FILENO, F_SETFD, FD_CLOEXEC);
	if (g.host == 1)
		fail(&g, "4.3.0", "the program that started this run has gone away");
	else if (start(&g, argv))
		watch(&g);
	report(&g);
	return g.status;
}
