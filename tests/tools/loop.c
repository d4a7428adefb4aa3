/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "loop.h"

struct watch *loop_add(struct loop *l, int fd, short events, void (*ready)(void *, short),
		       void *self)
{
	for (size_t i = 0; i < LOOP_MAX; i++) {
		struct watch *w = &l->watch[i];
		if (w->used)
			continue;
		*w = (struct watch){ true, fd, events, 0, ready, self };
		return w;
	}
	die("too many descriptors in one run");
}

void loop_drop(struct watch *w)
{
	if (w)
		*w = (struct watch){ .fd = -1 };
}

void loop_once(struct loop *l, int64_t until)
{
	struct pollfd p[LOOP_MAX];
	struct watch *of[LOOP_MAX];
	nfds_t n = 0;
	for (size_t i = 0; i < LOOP_MAX; i++) {
		struct watch *w = &l->watch[i];
		if (w->used && w->due && w->due < until)
			until = w->due;
		if (!w->used || w->fd < 0 || !w->events)
			continue;
		of[n] = w;
		p[n++] = (struct pollfd){ .fd = w->fd, .events = w->events };
	}
	int64_t left = until - now_ms();
	if (poll(p, n, left < 0 ? 0 : (int)left) < 0 && errno != EINTR)
		die("poll failed");
	/* A handler may drop or reuse any watch, so each is looked at again. */
	for (nfds_t i = 0; i < n; i++) {
		if (p[i].revents && of[i]->used && of[i]->fd == p[i].fd && of[i]->events)
			of[i]->ready(of[i]->self, p[i].revents);
	}
	int64_t now = now_ms();
	for (size_t i = 0; i < LOOP_MAX; i++) {
		struct watch *w = &l->watch[i];
		if (!w->used || !w->due || w->due > now)
			continue;
		w->due = 0;
		w->ready(w->self, 0);
	}
}
