/* SPDX-License-Identifier: ISC */
/* One mxdirect as its host MTA starts it: the message on a pipe, its output on another one. */
#ifndef TOOLS_CHILD_H
#define TOOLS_CHILD_H

#include <sys/types.h>

#include "mx.h"

struct run;

struct child {
	struct run *run;
	const struct turn *turn;
	pid_t pid;  /* mxdirect; 0: not started */
	pid_t host; /* the process between, that can die; 0: we are the host */
	struct watch *in, *out, *end;
	struct conn client;   /* LMTP: instead of in and out */
	size_t feed_pos, fed; /* item of turn->feed, bytes of the message */
	struct bytes output;
	bool exited, reader_gone;
	bool stopped; /* it had a signal that asks it to stop */
	bool killed;  /* the story, or the end of our patience, killed mxdirect itself */
	bool unheard; /* its host may have died before it heard the verdict */
	int status;   /* of wait(2) */
	int64_t started, ended;
	size_t asked, told; /* what DNS and the collector had got before */
	struct bytes log;   /* what --trace wrote */
	struct bytes foretold; /* plan.c; empty: nothing */
};

/* How it is started but for its arguments: -c and -o, and the environment. */
char **child_options(const struct run *run, const struct turn *t, size_t *ret_n);
char **child_environment(const struct run *run, const struct turn *t);
void child_words_free(char **w);

void child_start(struct child *c, struct run *run, const struct turn *turn);
void child_act(struct child *c, const struct item *act);
void child_kill(struct child *c); /* mxdirect and what it started */
/* After the exit of all: false if some process is still there after `ms`; it is killed then. */
bool child_reap_all(const struct child *c, size_t n, int64_t ms);
void child_close(struct child *c);

#endif
