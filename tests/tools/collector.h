/* SPDX-License-Identifier: ISC */
/* The collector of TLS reports: what mxdirect sends to $DIR/tlsrpt, one datagram a line. */
#ifndef TOOLS_COLLECTOR_H
#define TOOLS_COLLECTOR_H

#include "loop.h"

struct collector {
	struct watch *watch; /* NULL: the story has none */
	struct bytes got;
};

void collector_open(struct collector *c, struct loop *loop, const char *dir);
void collector_drain(struct collector *c);
void collector_close(struct collector *c);

#endif
