/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "play.h"

#define HANG_MS 10000 /* no story lasts as long */
#define LEAVE_MS                                                                                   \
	2000 /* from the exit of mxdirect to the end of its last process and connection            \
	      */
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

enum fault_kind run_event(struct run *r)
{
	static const struct item term = { .kind = ITEM_ACT, .act = ACT_GUARD, .n = SIGTERM };
	static const struct item kill = { .kind = ITEM_ACT, .act = ACT_AGENT, .n = SIGKILL };
	static const struct item host = { .kind = ITEM_ACT, .act = ACT_HOST_GONE };
	if (++r->events != r->fault.at)
		return FAULT_NONE;
	switch (r->fault.kind) {
	case FAULT_TERM:
		run_act(r, &term);
		return FAULT_NONE;
	case FAULT_KILL:
		run_act(r, &kill);
		return FAULT_NONE;
	case FAULT_HOST:
		run_act(r, &host);
		return FAULT_NONE;
	case FAULT_ALLOC:
		return FAULT_NONE;
	default:
		return r->fault.kind;
	}
}

void run_act(struct run *r, const struct item *act)
{
	run_note(r, "action %d %lld", (int)act->act, (long long)act->n);
	if (!r->child.exited)
		child_act(&r->child, act);
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

static void prepare_files(const struct run *r)
{
	static const struct bytes nothing = { 0 };
	char *trace = xprintf("%s/trace", r->lab->names.dir);
	char *conf = xprintf("%s/conf", r->lab->names.dir);
	write_file(trace, &nothing);
	write_file(conf, &r->story->config);
	free(trace);
	free(conf);
}

/* Until mxdirect has ended and everybody has heard what there was to hear. */
static void run_loop(struct run *r)
{
	int64_t hang = r->started + HANG_MS * r->lab->scale;
	while (!r->child.exited && now_ms() < hang)
		loop_once(&r->loop, hang);
	r->ended = now_ms();
	if (!r->child.exited) {
		run_trouble(r, "mxdirect hangs");
		child_kill(&r->child);
	}
	int64_t leave = now_ms() + LEAVE_MS * r->lab->scale;
	while ((r->child.out || !r->child.exited || mx_busy(&r->mx)) && now_ms() < leave)
		loop_once(&r->loop, leave);
	if (r->child.out && !r->child.killed)
		run_trouble(r, "somebody still holds the output of mxdirect");
	if (!child_reap(&r->child, LEAVE_MS * r->lab->scale))
		run_trouble(r, "a process of mxdirect is left behind");
}

void run_play(struct run *r, const struct story *story, const struct lab *lab, struct fault fault)
{
	memset(r, 0, sizeof(*r));
	r->story = story;
	r->lab = lab;
	r->fault = fault;
	prepare_files(r);
	r->started = now_ms();
	dns_open(&r->dns, r, lab->dns_udp, lab->dns_tcp);
	mx_open(&r->mx, r);
	if (story->collects)
		collector_open(&r->collector, &r->loop, lab->names.dir);
	child_start(&r->child, r);
	run_loop(r);
	collector_drain(&r->collector);
	char *trace = xprintf("%s/trace", lab->names.dir);
	read_file(trace, &r->log);
	free(trace);
	check_run(r);
}

void run_free(struct run *r)
{
	child_close(&r->child);
	mx_close(&r->mx);
	dns_close(&r->dns);
	collector_close(&r->collector);
	bytes_free(&r->transcript);
	bytes_free(&r->trouble);
	bytes_free(&r->log);
}
