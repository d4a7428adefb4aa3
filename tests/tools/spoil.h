/* SPDX-License-Identifier: ISC */
/* The state folder that the runs of a story share: made, damaged, removed. */
#ifndef TOOLS_SPOIL_H
#define TOOLS_SPOIL_H

#include "story.h"

struct run;

void state_make(const char *dir);   /* DIR/state, new and empty */
void state_remove(const char *dir); /* whatever was done to it */

void folder_remove(const char *path); /* and what is in it */

void spoil_apply(struct run *r, const struct spoil *s);
void spoil_end(struct run *r); /* nothing is held any more */

#endif
