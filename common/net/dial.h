/* SPDX-License-Identifier: ISC */
/* A race of TCP connects to the addresses of one host; the schedule is base/stagger. */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "base/ip.h"
#include "base/limits.h"
#include "net/io.h"

struct dial_ask {
	const struct endpoint *to; /* in the order of starting */
	size_t n;		   /* 1..LIMIT_ADDRS */
	struct ip source4, source6; /* family 0: the kernel's choice */
	int64_t gap_ms;		    /* between starts */
	int64_t each_ms;	    /* how long one connect may take */
};

struct dial_result {
	int fd;		   /* connected, non-blocking, close-on-exec, TCP_NODELAY; the caller's */
	size_t winner;
	struct ip local;   /* our end */
	int why[LIMIT_ADDRS]; /* errno of each that failed; 0: won, not started, or still running when another won */
};

/* The first that connects wins, the others are closed. Fails TEMP 4.4.1 when none does (text: the reason of the first one, as
 * "Connection refused"), TEMP 4.3.2 when stopped; *ret is filled in any case, fd is -1 then. */
MUST_CHECK bool dial_race(struct io *io, const struct dial_ask *ask, struct deadline until, struct dial_result *ret,
			  struct error *err);

#endif
