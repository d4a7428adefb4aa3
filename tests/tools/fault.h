/* SPDX-License-Identifier: ISC */
/* What goes wrong in a run on top of its story, and when. */
#ifndef TOOLS_FAULT_H
#define TOOLS_FAULT_H

/* An event is an answer of the DNS server, or an item that an MX host has sent or received. */
enum fault_kind { FAULT_NONE, FAULT_CUT, FAULT_RESET, FAULT_STALL, FAULT_GARBLE, FAULT_ALLOC };

struct fault {
	enum fault_kind kind;
	int at; /* the event, or the allocation, counted from 1 */
};

#endif
