/* SPDX-License-Identifier: ISC */
/* What goes wrong in a run on top of its story, and when. */
#ifndef TOOLS_FAULT_H
#define TOOLS_FAULT_H

/* An event is an answer of the DNS server, or an item that an MX host has sent or received. */
enum fault_kind {
	FAULT_NONE,
	FAULT_CUT, /* the connection is closed */
	FAULT_RESET,
	FAULT_STALL,  /* nothing is read or said any more */
	FAULT_GARBLE, /* something else is said */
	FAULT_TERM,   /* mxdirect gets SIGTERM */
	FAULT_KILL,   /* its agent is killed */
	FAULT_HOST,   /* the process that started it dies */
	FAULT_ALLOC,  /* an allocation fails; not at an event */
};

struct fault {
	enum fault_kind kind;
	int at;   /* the event, or the allocation, counted from 1 */
	int turn; /* FAULT_ALLOC: in which run, counted from 0 */
};

#endif
