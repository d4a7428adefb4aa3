/* SPDX-License-Identifier: ISC */
/* The agent's end of the link to the guard (guard.h): the only way to the host MTA. */
#ifndef FRONT_HOST_H
#define FRONT_HOST_H

#include "core/report.h"
#include "flow/caller.h"

#define HOST_SLACK_MS 30000 /* what the guard grants on top of every limit: it should never have to act */

struct host {
	int fd;
};

/* INTERNAL when fd is not the guard's socket: the agent was started by hand. */
MUST_CHECK bool host_open(int fd, struct host *ret, struct error *err);
void host_limit(struct host *h, int64_t ms); /* "T": ms from now, slack added here */
struct caller host_caller(struct host *h);   /* "E" and "C", slack added here; a guard that is gone means: not present */
void host_report(struct host *h, const struct report *r); /* "V", once */

#endif
