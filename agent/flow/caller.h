/* SPDX-License-Identifier: ISC */
/* Whoever started this run, as a delivery sees it: it can be asked whether it is still there. */
#ifndef FLOW_CALLER_H
#define FLOW_CALLER_H

#include <stdbool.h>
#include <stdint.h>

enum caller_when {
	CALLER_AT_EOF,	  /* the message seems complete: is it, or did its writer die? */
	CALLER_AT_REPORT, /* the answer is known: is somebody there to hear it? */
	CALLER_AT_COMMIT, /* right before the final dot: will anybody hear the answer? */
};

struct caller {
	/* Is it there now? `ms`: how long the run may go on from here. */
	bool (*present)(void *self, enum caller_when when, int64_t ms);
	void *self;
};

#endif
