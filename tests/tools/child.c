/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "play.h"

/* What a fault may cost at most, so that hundreds of them are cheap. */
static const char *const fault_settings[] = {
	"dns_timeout=300ms",     "connect_timeout=300ms", "greeting_timeout=300ms",
	"command_timeout=300ms", "data_timeout=300ms",    "final_timeout=300ms",
	"stagger=20ms",
};
static const char *const plain_settings[] = {
	"dns_timeout=3s",  "connect_timeout=2s", "greeting_timeout=2s", "command_timeout=2s",
	"data_timeout=2s", "final_timeout=2s",   "stagger=50ms",
};

struct words {
	char **p;
	size_t n;
};

static void put(struct words *w, char *word)
{
	*(char **)vector_more((void **)&w->p, &w->n, sizeof(char *)) = word;
}

/* Times are stretched by the scale of the lab. */
static void put_setting(struct words *w, const char *setting, int scale)
{
	const char *value = strchr(setting, '=');
	int64_t ms;
	put(w, xprintf("-o"));
	if (value && parse_ms(value + 1, &ms))
		put(w, xprintf("%.*s%lldms", (int)(value + 1 - setting), setting,
			       (long long)ms * scale));
	else
		put(w, xprintf("%s", setting));
}

static bool has_arg(const struct turn *t, const char *arg)
{
	for (size_t i = 0; i < t->narg; i++) {
		if (strcmp(t->arg[i], arg) == 0)
			return true;
	}
	return false;
}

static void put_settings(struct words *w, const struct run *run, const struct turn *t)
{
	const struct lab *lab = run->lab;
	put(w, xprintf("-o"));
	put(w, xprintf("dns_servers=127.%d.0.253:%u", lab->names.net, lab->names.dns_port));
	put(w, xprintf("-o"));
	put(w, xprintf("smtp_port=%u", lab->names.port));
	put(w, xprintf("-o"));
	put(w, run->story->has_state ? xprintf("state_directory=%s/state", lab->names.dir)
				     : xprintf("state_directory="));
	put_setting(w, "refused_networks=", 1);
	if (!t->no_helo)
		put_setting(w, "helo_name=client.test", 1);
	for (size_t i = 0; i < sizeof(plain_settings) / sizeof(plain_settings[0]); i++)
		put_setting(w, plain_settings[i], lab->scale);
	for (size_t i = 0; i < t->nset; i++)
		put_setting(w, t->set[i], lab->scale);
	for (size_t i = 0;
	     run_faulty(run) && i < sizeof(fault_settings) / sizeof(fault_settings[0]); i++)
		put_setting(w, fault_settings[i], lab->scale);
}

/* Of its own arguments those that change the configuration. */
static void put_own_options(struct words *w, const struct turn *t)
{
	for (size_t i = 0; i + 1 < t->narg && strcmp(t->arg[i], "--") != 0; i++) {
		if (strcmp(t->arg[i], "-c") != 0 && strcmp(t->arg[i], "-o") != 0)
			continue;
		put(w, xprintf("%s", t->arg[i]));
		put(w, xprintf("%s", t->arg[i + 1]));
	}
}

char **child_options(const struct run *run, const struct turn *t, size_t *ret_n)
{
	struct words w = { 0 };
	if (!has_arg(t, "-c")) {
		put(&w, xprintf("-c"));
		put(&w, t->has_config ? run_path(run, t, "conf") : xprintf("/dev/null"));
	}
	put_settings(&w, run, t);
	put_own_options(&w, t);
	*ret_n = w.n;
	return w.p;
}

static char **build_argv(const struct run *run, const struct turn *t)
{
	const struct lab *lab = run->lab;
	struct words w = { 0 };
	size_t n = 0;
	char **wrap = lab->wrap ? words_split(lab->wrap, &n) : NULL;
	for (size_t i = 0; i < n; i++)
		put(&w, wrap[i]);
	put(&w, xprintf("%s", lab->program));
	if (t->lmtp)
		put(&w, xprintf("--lmtp"));
	if (!has_arg(t, "-c")) {
		put(&w, xprintf("-c"));
		put(&w, t->has_config ? run_path(run, t, "conf") : xprintf("/dev/null"));
	}
	if (!has_arg(t, "--trace")) {
		put(&w, xprintf("--trace"));
		put(&w, run_path(run, t, "trace"));
	}
	put_settings(&w, run, t);
	for (size_t i = 0; i < t->narg; i++)
		put(&w, xprintf("%s", t->arg[i]));
	put(&w, NULL);
	free(wrap);
	return w.p;
}

/* Objects that are loaded into the agent: allocations that fail, a wall clock that is ahead. */
static void put_preload(struct words *w, const struct run *run, const struct turn *t)
{
	const struct lab *lab = run->lab;
	if (!lab->preload && !t->wall)
		return;
	put(w, xprintf("LD_PRELOAD=%s%s%s", lab->preload ? lab->preload : "",
		       lab->preload && t->wall ? ":" : "", t->wall ? lab->wallclock : ""));
	if (t->wall)
		put(w, xprintf("WALLCLOCK=%lld", (long long)t->wall));
	if (lab->preload) {
		char *count = run_path(run, t, "count");
		put(w, xprintf("FAILALLOC_COUNT=%s", count));
		free(count);
	}
	if (run->fault.kind == FAULT_ALLOC && run->fault.turn == t - run->story->turn)
		put(w, xprintf("FAILALLOC=%d", run->fault.at));
}

char **child_environment(const struct run *run, const struct turn *t)
{
	static const char *const kept[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS",
					    "TMPDIR" };
	struct words w = { 0 };
	put(&w, xprintf("PATH=/usr/bin:/bin"));
	put(&w, xprintf("LANG=C"));
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const char *value = getenv(kept[i]);
		if (value)
			put(&w, xprintf("%s=%s", kept[i], value));
	}
	for (size_t i = 0; i < t->nenv; i++)
		put(&w, xprintf("%s", t->env[i]));
	put_preload(&w, run, t);
	put(&w, NULL);
	return w.p;
}

void child_words_free(char **w)
{
	for (size_t i = 0; w[i]; i++)
		free(w[i]);
	free(w);
}

__attribute__((noreturn)) static void become(char **argv, char **env, int in, int out)
{
	dup2(in, 0);
	dup2(out, 1);
	dup2(out, 2);
	setsid();
	execve(argv[0], argv, env);
	_exit(126);
}

/* The process between: starts mxdirect, tells its id, and ends as it ends. */
__attribute__((noreturn)) static void be_host(char **argv, char **env, const int fd[3])
{
	pid_t pid = fork();
	if (pid == 0)
		become(argv, env, fd[0], fd[1]);
	if (pid < 0 || write(fd[2], &pid, sizeof(pid)) != sizeof(pid))
		_exit(126);
	int status = 0;
	close_range(0, ~0U, 0); /* our copies would keep pipes and connections alive */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void spawn(struct child *c, char **argv, char **env, const int fd[2])
{
	int tell[2];
	if (!c->run->story->host_dies && c->run->fault.kind != FAULT_HOST) {
		c->pid = fork();
		if (c->pid == 0)
			become(argv, env, fd[0], fd[1]);
		return;
	}
	if (pipe2(tell, O_CLOEXEC) != 0)
		die("no pipe");
	c->host = fork();
	if (c->host == 0)
		be_host(argv, env, (const int[]){ fd[0], fd[1], tell[1] });
	close(tell[1]);
	if (read(tell[0], &c->pid, sizeof(c->pid)) != sizeof(c->pid))
		die("the host process did not start");
	close(tell[0]);
}

static void drop_fd(struct watch **w)
{
	if (!*w)
		return;
	close((*w)->fd);
	loop_drop(*w);
	*w = NULL;
}

static void out_ready(void *self, short revents)
{
	struct child *c = self;
	char in[4096];
	(void)revents;
	ssize_t n = read(c->out->fd, in, sizeof(in));
	if (n > 0)
		bytes_add(&c->output, in, (size_t)n);
	else if (n == 0 || errno != EAGAIN)
		drop_fd(&c->out);
}

static void end_ready(void *self, short revents)
{
	struct child *c = self;
	(void)revents;
	pid_t who = c->host ? c->host : c->pid;
	if (waitpid(who, &c->status, 0) != who)
		return;
	c->exited = true;
	c->ended = now_ms();
	drop_fd(&c->end);
}

/* Write up to `end` of the message; true: there. */
static bool feed_to(struct child *c, size_t end)
{
	const struct bytes *m = &c->turn->message;
	while (c->fed < end) {
		ssize_t n = write(c->in->fd, m->p + c->fed, end - c->fed);
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0) {
			drop_fd(&c->in);
			return false;
		}
		c->fed += (size_t)n;
	}
	return true;
}

/* Nothing more for now: until `due`, for ever if it is 0. */
static void feed_rest(struct child *c, int64_t due)
{
	c->in->events = 0;
	c->in->due = due;
}

static void in_ready(void *self, short revents)
{
	struct child *c = self;
	const struct turn *s = c->turn;
	(void)revents;
	if (s->nfeed == 0 && !feed_to(c, s->message.n))
		return;
	while (c->in && c->feed_pos < s->nfeed) {
		const struct item *item = &s->feed[c->feed_pos];
		c->in->events = POLLOUT;
		if (item->kind == ITEM_PART) {
			size_t end = item->n < 0 || (size_t)item->n > s->message.n
					     ? s->message.n
					     : (size_t)item->n;
			if (!feed_to(c, end))
				return;
		}
		c->feed_pos++;
		if (item->kind == ITEM_ACT && item->act == ACT_STALL)
			return feed_rest(c, 0);
		if (item->kind == ITEM_ACT && item->act == ACT_WAIT)
			return feed_rest(c, now_ms() + item->n * c->run->lab->scale);
		if (item->kind == ITEM_ACT)
			run_act(c, item);
	}
	drop_fd(&c->in);
}

/* Hear of the end of the process whose status we can read. */
static bool watch_end(struct child *c)
{
	int fd = (int)syscall(SYS_pidfd_open, c->host ? c->host : c->pid, 0);
	drop_fd(&c->end);
	if (fd >= 0)
		c->end = loop_add(&c->run->loop, fd, POLLIN, end_ready, c);
	return fd >= 0;
}

/* As Exim starts an LMTP agent, and as Postfix starts one for a message. */
static void open_pipes(int in[2], int out[2])
{
	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		die("no pipe");
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
}

/* As Postfix's spawn(8) starts an LMTP agent. */
static void open_socket(int in[2], int out[2])
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		die("no socket");
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	in[0] = out[1] = pair[1];
	in[1] = out[0] = pair[0];
}

static void be_client(struct child *c, int in, int out)
{
	struct loop *loop = &c->run->loop;
	c->client = (struct conn){ .mx = &c->run->mx, .of = c, .client = true };
	c->client.script = c->turn->lmtp;
	talk_init(&c->client.talk, true, NULL, &c->run->now);
	c->client.watch = loop_add(loop, out, POLLIN, conn_ready, &c->client);
	if (in != out)
		c->client.writer = loop_add(loop, in, 0, conn_ready, &c->client);
}

static void be_pipe(struct child *c, int in, int out)
{
	c->in = loop_add(&c->run->loop, in, POLLOUT, in_ready, c);
	c->out = loop_add(&c->run->loop, out, POLLIN, out_ready, c);
}

void child_start(struct child *c, struct run *run, const struct turn *turn)
{
	int in[2], out[2];
	*c = (struct child){ .run = run, .turn = turn, .started = now_ms() };
	if (turn->lmtp && !turn->pipes)
		open_socket(in, out);
	else
		open_pipes(in, out);
	if (!turn->lmtp)
		fcntl(out[1], F_SETFL, O_NONBLOCK); /* as Postfix does */
	char **argv = build_argv(run, turn), **env = child_environment(run, turn);
	spawn(c, argv, env, (const int[]){ in[0], out[1] });
	child_words_free(argv);
	child_words_free(env);
	close(in[0]);
	if (out[1] != in[0])
		close(out[1]);
	if (c->pid <= 0 || !watch_end(c))
		die("cannot start %s", run->lab->program);
	if (turn->lmtp)
		be_client(c, in[1], out[0]);
	else
		be_pipe(c, in[1], out[0]);
}

static void signal_agent(struct child *c, int number)
{
	if (c->turn->lmtp) { /* it has taken the guard's place */
		c->killed |= number == SIGKILL;
		kill(c->pid, number);
		return;
	}
	char text[256] = { 0 };
	char *path = xprintf("/proc/%d/task/%d/children", (int)c->pid, (int)c->pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;
	if (pid > 1)
		kill((pid_t)pid, number);
	else if (!run_faulty(c->run)) /* else it may have ended just now */
		run_trouble(c->run, "no child of mxdirect to be signalled");
	if (fd >= 0)
		close(fd);
	free(path);
}

static void child_gone(struct child *c)
{
	c->killed = c->exited = true;
	c->ended = now_ms();
}

void child_act(struct child *c, const struct item *act)
{
	switch (act->act) {
	case ACT_GUARD:
		c->killed |= act->n == SIGKILL;
		c->stopped = true;
		kill(c->pid, (int)act->n);
		break;
	case ACT_AGENT:
		signal_agent(c, (int)act->n);
		break;
	case ACT_HOST_GONE:
		if (c->host == 0)
			break;
		c->unheard = true;
		kill(c->host, SIGKILL);
		waitpid(c->host, NULL, 0);
		/* We adopt mxdirect: its getppid() changes, and its status is ours to read. */
		c->host = 0;
		if (!watch_end(c)) /* it had ended, and its status went with the host */
			child_gone(c);
		break;
	case ACT_READER_GONE:
		c->reader_gone = true;
		drop_fd(&c->out);
		conn_end(&c->client, false);
		break;
	default:
		die("this action has no place here");
	}
}

void child_kill(struct child *c)
{
	c->killed = true;
	kill(-c->pid, SIGKILL);
	kill(c->pid, SIGKILL);
}

bool child_reap_all(const struct child *c, size_t n, int64_t ms)
{
	int64_t end = now_ms() + ms;
	for (;;) {
		pid_t pid = waitpid(-1, NULL, WNOHANG);
		if (pid < 0)
			return true;
		if (pid == 0 && now_ms() > end)
			break;
		if (pid == 0)
			poll(NULL, 0, 1);
	}
	for (size_t i = 0; i < n; i++)
		kill(-c[i].pid, SIGKILL);
	return false;
}

void child_close(struct child *c)
{
	bytes_free(&c->foretold);
	drop_fd(&c->in);
	drop_fd(&c->out);
	drop_fd(&c->end);
	conn_release(&c->client);
	bytes_free(&c->output);
	bytes_free(&c->log);
}
