/* SPDX-License-Identifier: ISC */
/* Files with a secret, and whether somebody has said it who must not. */
#ifndef TOOLS_SECRET_H
#define TOOLS_SECRET_H

#include "story.h"

struct run;
struct child;

/* NAME [mode=OCTAL] [owner=UID] TEXT */
void secret_parse(const char *text, struct secret *ret);
void secrets_write(const struct run *r, size_t turn); /* those that stand in this part */
void secrets_remove(const struct run *r);             /* all of them */
/* Nothing that mxdirect wrote in this run holds one, nor what it said to a host before TLS. */
void secrets_check(struct child *c);

#endif
