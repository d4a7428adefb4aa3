/* SPDX-License-Identifier: ISC */
/* The journal of a run: syslog (facility mail, ident "mxdirect"), and the trace of the conversation where one is wanted. */
#ifndef FRONT_LOGGER_H
#define FRONT_LOGGER_H

#include "flow/services.h"

struct logger {
	int trace_fd; /* -1: none */
	struct clock clock;
	struct instant start; /* time stamps of the trace count from here */
};

/* trace_file: appended to, mode 0600, never through a symbolic link; log lines go there too. NULL with verbose: stderr if it is a
 * terminal. CONFIG 4.3.5 when the file cannot be opened. */
MUST_CHECK bool logger_open(const char *trace_file, bool verbose, struct logger *ret, struct error *err);
void logger_close(struct logger *l);
struct journal logger_journal(struct logger *l);

#endif
