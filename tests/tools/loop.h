/* SPDX-License-Identifier: ISC */
/* One poll loop: descriptors and times that somebody waits for. */
#ifndef TOOLS_LOOP_H
#define TOOLS_LOOP_H

#include <poll.h>

#include "util.h"

#define LOOP_MAX 512

struct watch {
	bool used;
	int fd;       /* -1: only a time */
	short events; /* what ready() wants to hear of; 0 and no due time: nothing */
	int64_t due;  /* now_ms() clock; 0: never. Cleared before ready() is called for it */
	void (*ready)(void *self, short revents); /* revents 0: the time has come */
	void *self;
};

struct loop {
	struct watch watch[LOOP_MAX];
};

struct watch *loop_add(struct loop *l, int fd, short events, void (*ready)(void *, short),
		       void *self);
/* NULL is fine; the descriptor is not closed. */
void loop_drop(struct watch *w);
/* Wait for something to happen, at most until `until`. */
void loop_once(struct loop *l, int64_t until);

#endif
