/* SPDX-License-Identifier: ISC */
/* Which of several runs of mxdirect at the same time has connected. */
#ifndef TOOLS_OWNER_H
#define TOOLS_OWNER_H

struct child;
struct run;

/* `fd`: our end of a connection. Looked up in /proc if there is a choice; the first of them if it
 * is not to be found. */
struct child *owner_of(struct run *r, int fd);

#endif
