/* SPDX-License-Identifier: ISC */
/* The pipe front: one message on stdin, one recipient, one report. */
#ifndef FRONT_PIPE_H
#define FRONT_PIPE_H

#include "front/host.h"
#include "front/options.h"
#include "net/io.h"

struct pipe_run {
	int argc;
	char **argv;
	const char *environment_sender;
	const char *default_config; /* file read without -c, if it exists */
	const char *sts_program, *spf_program; /* as in struct services */
	const char *tls_module;	    /* what struct secure_module loads */
	int message_fd;
	struct io *io;
	struct host *host;
	const uint8_t *seed; /* 16 random bytes */
};

/* The whole run; whatever goes wrong is in the report, which the host has before the last line is logged. */
void pipe_deliver(const struct pipe_run *run);

#endif
