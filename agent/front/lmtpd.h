/* SPDX-License-Identifier: ISC */
/*
 * The LMTP front (RFC 2033): messages on a connection, one reply for each recipient. What hosts make of its replies decides their form
 * (one line of at most 240 octets, no PIPELINING): trouble of a destination is never told before the final dot, since hosts take a refused
 * greeting, LHLO or MAIL for the end of all deliveries.
 */
#ifndef FRONT_LMTPD_H
#define FRONT_LMTPD_H

#include "net/io.h"

struct lmtpd_run {
	int argc;
	char **argv;
	const char *default_config; /* file read without -c, if it exists */
	const char *sts_program, *spf_program; /* as in struct services */
	const char *tls_module;	    /* what struct secure_module loads */
	int in, out;
	struct io *io;
	const uint8_t *seed; /* 16 random bytes */
};

/* Until QUIT, the end of input or a signal. */
void lmtpd_serve(const struct lmtpd_run *run);

#endif
