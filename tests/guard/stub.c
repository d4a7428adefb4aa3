/* SPDX-License-Identifier: ISC */
/* An agent for the guard's tests: it does what its arguments say, one after the other. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard.h"

static void say(const char *packet, size_t n)
{
	send(GUARD_FD, packet, n, MSG_NOSIGNAL);
}

static void verdict(const char *text)
{
	char p[GUARD_PACKET];
	int n = snprintf(p, sizeof(p), "V 75 4.9.9 stub: %s", text);
	say(p, (size_t)n);
	_exit(0);
}

/* A line of n bytes in all. */
static void long_verdict(size_t n)
{
	char p[2000];
	size_t start = (size_t)snprintf(p, sizeof(p), "V 75 4.4.1 ");
	memset(p + start, 'x', sizeof(p) - start);
	say(p, n + 5);
}

static void expect(char want)
{
	char got = '0';
	if (recv(GUARD_FD, &got, 1, 0) != 1 || got != want)
		verdict("another answer than was expected");
}

static void print(int fd, const char *text)
{
	ssize_t n = write(fd, text, strlen(text));
	(void)n;
}

static void flood(void)
{
	char junk[1000];
	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (char)(i * 7);
	for (int i = 0; i < 2000; i++)
		if (write(1 + i % 2, junk, sizeof(junk)) != (ssize_t)sizeof(junk))
			verdict("flood");
}

static void read_to_end(void)
{
	char buf[4096];
	ssize_t n;
	while ((n = read(0, buf, sizeof(buf))) > 0)
		;
	if (n < 0)
		verdict("read");
}

/* A child that outlives us, with the link and the output in its hands, but not the driver's pipes,
 * whose numbers are the highest. */
static void leave_orphan(void)
{
	int gate[2];
	if (pipe(gate) != 0)
		verdict("pipe");
	if (fork() != 0) {
		close(gate[1]);
		if (read(gate[0], &(char){ 0 }, 1) != 0)
			verdict("gate");
		return;
	}
	for (int fd = 99; fd > GUARD_FD; fd--)
		close(fd);
	usleep(3000000);
	_exit(0);
}

static const char *environment(void)
{
	sigset_t mask;
	struct sigaction act;
	struct stat out, err;
	int death = 0;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int s = 1; s < NSIG; s++) {
		if (sigismember(&mask, s) == 1)
			return "a signal is blocked";
		if (sigaction(s, NULL, &act) != 0)
			continue;
		bool ignored = act.sa_handler == SIG_IGN;
		if (ignored != (s == SIGPIPE || s == SIGXFSZ))
			return "a signal is not as it should be";
	}
	if (prctl(PR_GET_PDEATHSIG, &death) != 0 || death != SIGKILL)
		return "no PDEATHSIG";
	if (fstat(1, &out) != 0 || fstat(2, &err) != 0 || !S_ISFIFO(out.st_mode) ||
	    out.st_ino != err.st_ino)
		return "fds 1 and 2 are not one pipe";
	/* The driver's are numbered higher. */
	for (int fd = GUARD_FD + 1; fd < 20; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			return "a descriptor of the guard came through";
	return NULL;
}

static void check_environment(void)
{
	const char *trouble = environment();
	if (trouble)
		verdict(trouble);
}

static void wait_for_term(void)
{
	sigset_t set;
	int got;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigwait(&set, &got);
}

static void block_term(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void die(int how)
{
	signal(how, SIG_DFL);
	raise(how);
}

/* Not closed either: the next descriptor of the agent would take its place. */
static void check_no_input(void)
{
	if (fcntl(0, F_GETFD) == -1 || read(0, &(char){ 0 }, 1) >= 0)
		verdict("there is an input");
}

static void act_plain(const char *word)
{
	if (strcmp(word, "hang") == 0)
		for (;;)
			pause();
	else if (strcmp(word, "block-term") == 0)
		block_term();
	else if (strcmp(word, "wait-term") == 0)
		wait_for_term();
	else if (strcmp(word, "eof") == 0)
		read_to_end();
	else if (strcmp(word, "flood") == 0)
		flood();
	else if (strcmp(word, "orphan") == 0)
		leave_orphan();
	else if (strcmp(word, "environment") == 0)
		check_environment();
	else if (strcmp(word, "no-stdin") == 0)
		check_no_input();
	else if (strcmp(word, "tty") == 0 && (!isatty(2) || isatty(1)))
		verdict("not 2, or 1 too, is a terminal");
	else if (strcmp(word, "nul") == 0)
		say("V 0 a\0b", 7);
}

static void act(const char *word)
{
	const char *value = strchr(word, ':');
	value = value ? value + 1 : word;
	int n = (int)strtol(value, NULL, 10);
	if (strncmp(word, "send:", 5) == 0)
		say(value, strlen(value));
	else if (strncmp(word, "long:", 5) == 0)
		long_verdict((size_t)n);
	else if (strncmp(word, "expect:", 7) == 0)
		expect(*value);
	else if (strncmp(word, "out:", 4) == 0)
		print(1, value);
	else if (strncmp(word, "err:", 4) == 0)
		print(2, value);
	else if (strncmp(word, "note:", 5) == 0)
		print(n, "!");
	else if (strncmp(word, "close:", 6) == 0)
		close(n);
	else if (strncmp(word, "ms:", 3) == 0)
		usleep((useconds_t)n * 1000);
	else if (strncmp(word, "die:", 4) == 0)
		die(n);
	else if (strncmp(word, "exit:", 5) == 0)
		_exit(n);
	else
		act_plain(word);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		act(argv[i]);
	return 0;
}
