/* SPDX-License-Identifier: ISC */
/* mxdirectctl plan, asked before a run and held against it: what is foretold must be what happens. */
#ifndef TOOLS_PLAN_H
#define TOOLS_PLAN_H

#include "child.h"

struct run;

/* Before a run begins and while no other goes on: asks for the plan of its recipient, with the same settings and servers, into c->foretold.
 * The servers are as before then. */
void plan_foretell(struct run *r, const struct turn *turn, struct bytes *ret);

/* Connections in the order of the plan, none that it does not have, none left out; a domain that has no hosts ends as it says. */
void plan_check(struct child *c);

#endif
