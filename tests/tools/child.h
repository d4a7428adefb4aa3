/* SPDX-License-Identifier: ISC */
/* mxdirect as its host MTA starts it: the message on a pipe, its output on another one. */
#ifndef TOOLS_CHILD_H
#define TOOLS_CHILD_H

#include <sys/types.h>

#include "loop.h"
#include "story.h"

struct run;

struct child {
	struct run *run;
	pid_t pid;  /* mxdirect */
	pid_t host; /* the process between, that can die; 0: we are the host */
	struct watch *in, *out, *end;
	size_t feed_pos, fed; /* item of story->feed, bytes of the message */
	struct bytes output;
	bool exited, reader_gone;
	bool killed; /* the story, or the end of our patience, killed mxdirect itself */
	int status;  /* of wait(2) */
};

void child_start(struct child *c, struct run *run);
void child_act(struct child *c, const struct item *act);
void child_kill(struct child *c); /* mxdirect and what it started */
/* After the exit: false if some process of the run is still there after `ms`; it is killed then. */
bool child_reap(struct child *c, int64_t ms);
void child_close(struct child *c);

#endif
