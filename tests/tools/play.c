/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan.h"
#include "play.h"
#include "secret.h"
#include "spoil.h"

#define HANG_MS 10000 /* no story lasts as long */
/* From the exit of mxdirect to the end of its last process and connection. */
#define LEAVE_MS   2000
#define TRANSCRIPT 12000

void run_note(struct run *r, const char *fmt, ...)
{
	if (r->transcript.n > TRANSCRIPT)
		return;
	va_list ap;
	char *text = NULL;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		die("no memory");
	bytes_addf(&r->transcript, "[%lld] %s / ", (long long)(now_ms() - r->started), text);
	free(text);
}

void run_trouble(struct run *r, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		die("no memory");
	bytes_addf(&r->trouble, "%s%s", r->trouble.n ? ", " : "", text);
	free(text);
}

bool run_faulty(const struct run *r)
{
	return r->fault.kind != FAULT_NONE;
}

/* Of the runs that go on, the one that was started first: another may not be on its feet yet. */
static struct child *eldest(struct run *r)
{
	for (size_t i = r->first; i < r->nchild; i++) {
		if (!r->child[i].exited)
			return &r->child[i];
	}
	return &r->child[r->first];
}

enum fault_kind run_event(struct run *r, struct child *c)
{
	static const struct item term = { .kind = ITEM_ACT, .act = ACT_GUARD, .n = SIGTERM };
	static const struct item kill = { .kind = ITEM_ACT, .act = ACT_AGENT, .n = SIGKILL };
	static const struct item host = { .kind = ITEM_ACT, .act = ACT_HOST_GONE };
	if (++r->events != r->fault.at || r->fault.kind == FAULT_ALLOC)
		return FAULT_NONE;
	c = c ? c : eldest(r);
	r->hit = c;
	switch (r->fault.kind) {
	case FAULT_TERM:
		run_act(c, &term);
		return FAULT_NONE;
	case FAULT_KILL:
		run_act(c, &kill);
		return FAULT_NONE;
	case FAULT_HOST:
		run_act(c, &host);
		return FAULT_NONE;
	default:
		return r->fault.kind;
	}
}

char *run_path(const struct run *r, const struct turn *turn, const char *name)
{
	int number = (int)(turn - r->story->turn);
	return number ? xprintf("%s/%s.%d", r->lab->names.dir, name, number)
		      : xprintf("%s/%s", r->lab->names.dir, name);
}

static void write_file(const char *path, const struct bytes *content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes_text(content), content->n) != (ssize_t)content->n)
		die("cannot write %s", path);
	close(fd);
}

static void read_file(const char *path, struct bytes *out)
{
	char in[4096];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = read(fd, in, sizeof(in))) > 0)
		bytes_add(out, in, (size_t)n);
	if (fd >= 0)
		close(fd);
}

static void prepare_files(const struct run *r, const struct turn *t)
{
	static const struct bytes nothing = { 0 };
	char *trace = run_path(r, t, "trace"), *conf = run_path(r, t, "conf");
	write_file(trace, &nothing);
	write_file(conf, &t->config);
	free(trace);
	free(conf);
}

static void start_turn(struct run *r)
{
	const struct turn *t = &r->story->turn[r->nchild];
	struct child *c = &r->child[r->nchild];
	r->dns.turn = r->nchild;
	mx_turn(&r->mx, r->nchild);
	for (size_t i = 0; i < t->nspoil; i++)
		spoil_apply(r, &t->spoil[i]);
	prepare_files(r, t);
	secrets_write(r, r->nchild);
	if (r->nchild > 0)
		run_note(r, "RUN %zu", r->nchild + 1);
	struct bytes foretold = { 0 };
	/* A memory that was damaged is set aside by whoever meets it first. */
	if (r->lab->planner && r->nchild == r->first && !t->at_once && t->nspoil == 0)
		plan_foretell(r, t, &foretold);
	child_start(c, r, t);
	c->foretold = foretold;
	c->asked = r->dns.asked.n;
	c->told = r->collector.got.n;
	if (r->fault.kind == FAULT_ALLOC && r->fault.turn == (int)r->nchild)
		r->hit = c;
	r->nchild++;
}

static bool more_at_once(const struct run *r)
{
	return r->nchild < r->story->nturn && r->story->turn[r->nchild].at_once;
}

void run_act(struct child *c, const struct item *act)
{
	struct run *r = c->run;
	run_note(r, "action %d %lld", (int)act->act, (long long)act->n);
	if (act->act == ACT_SPOIL)
		spoil_apply(r, &act->spoil);
	else if (act->act == ACT_ALSO && more_at_once(r))
		start_turn(r);
	else if (act->act == ACT_ALSO && !run_faulty(r))
		run_trouble(r, "! also: there is no run to begin");
	else if (act->act != ACT_ALSO && !c->exited)
		child_act(c, act);
}

bool run_later_ones(const struct child *c)
{
	const struct run *r = c->run;
	for (++c; c < r->child + r->nchild; c++) {
		if (!c->exited)
			return true;
	}
	return false;
}

static bool all_exited(const struct run *r)
{
	for (size_t i = r->first; i < r->nchild; i++) {
		if (!r->child[i].exited)
			return false;
	}
	return true;
}

/* Somebody may still say something in the name of mxdirect, and we would hear it. */
static bool still_heard(const struct child *c)
{
	return c->out || (c->client.watch && !c->client.stalled && !c->client.deaf);
}

static bool all_silent(const struct run *r)
{
	for (size_t i = r->first; i < r->nchild; i++) {
		if (still_heard(&r->child[i]))
			return false;
	}
	return true;
}

/* Patience is over. */
static void kill_hung(struct run *r)
{
	for (size_t i = r->first; i < r->nchild; i++) {
		if (r->child[i].exited)
			continue;
		run_trouble(r, "mxdirect hangs");
		child_kill(&r->child[i]);
	}
}

/* Until the runs of mxdirect have ended and everybody has heard what there was to hear. */
static void run_loop(struct run *r)
{
	int64_t hang = now_ms() + HANG_MS * r->lab->scale;
	while (!all_exited(r) && now_ms() < hang)
		loop_once(&r->loop, hang);
	r->ended = now_ms();
	kill_hung(r);
	int64_t leave = now_ms() + LEAVE_MS * r->lab->scale;
	while ((!all_silent(r) || !all_exited(r) || mx_busy(&r->mx)) && now_ms() < leave)
		loop_once(&r->loop, leave);
	for (size_t i = r->first; i < r->nchild; i++) {
		if (still_heard(&r->child[i]) && !r->child[i].killed)
			run_trouble(r, "somebody still holds the output of mxdirect");
	}
	if (!child_reap_all(&r->child[r->first], r->nchild - r->first, LEAVE_MS * r->lab->scale))
		run_trouble(r, "a process of mxdirect is left behind");
}

static void keep_logs(struct run *r)
{
	for (size_t i = r->first; i < r->nchild; i++) {
		char *trace = run_path(r, r->child[i].turn, "trace");
		read_file(trace, &r->child[i].log);
		free(trace);
	}
}

/* The next run, and those that go on at the same time. */
static void play_turns(struct run *r)
{
	r->first = r->nchild;
	start_turn(r);
	while (!r->story->calls && more_at_once(r))
		start_turn(r);
	run_loop(r);
	if (more_at_once(r) && !run_faulty(r))
		run_trouble(r, "run %zu was never called", r->nchild + 1);
	while (more_at_once(r)) { /* now it comes alone */
		r->first = r->nchild;
		start_turn(r);
		run_loop(r);
	}
	spoil_end(r);
	mx_hang_up(&r->mx);
	collector_drain(&r->collector);
	keep_logs(r);
}

void run_play(struct run *r, const struct story *story, const struct lab *lab, struct fault fault)
{
	memset(r, 0, sizeof(*r));
	r->story = story;
	r->lab = lab;
	r->fault = fault;
	if (story->has_state)
		state_make(lab->names.dir);
	r->started = now_ms();
	dns_open(&r->dns, r, lab->dns_udp, lab->dns_tcp);
	mx_open(&r->mx, r);
	if (story->collects)
		collector_open(&r->collector, &r->loop, lab->names.dir);
	while (r->nchild < story->nturn)
		play_turns(r);
	check_run(r);
	secrets_remove(r);
}

void run_free(struct run *r)
{
	for (size_t i = 0; i < r->nchild; i++)
		child_close(&r->child[i]);
	mx_close(&r->mx);
	dns_close(&r->dns);
	collector_close(&r->collector);
	bytes_free(&r->transcript);
	bytes_free(&r->trouble);
}
