/* SPDX-License-Identifier: ISC */
/* The journal of a run: syslog (facility mail, ident "mxdirect"), and the trace of the conversation where one is wanted. */
#ifndef FRONT_LOGGER_H
#define FRONT_LOGGER_H

#include "flow/services.h"

struct logger {
	const char *syslog_path; /* NULL: given up */
	int syslog_fd; /* -1: not open */
	bool syslog_connected;
	bool syslog_is_stream;
	int64_t patience; /* ms that it may still make the run wait */
	int trace_fd; /* -1: none */
	struct clock clock;
	struct instant start; /* time stamps of the trace count from here */
};

/* Log lines go to the daemon that listens at syslog_path; without one they are lost. */
void logger_init(const char *syslog_path, struct logger *ret);

/* And to the trace as well. trace_file: appended to, mode 0600, never through a symbolic link. NULL with verbose: stderr if it is a terminal.
 * CONFIG 4.3.5 when the file cannot be opened. */
MUST_CHECK bool logger_trace(struct logger *l, const char *trace_file, bool verbose, struct error *err);
void logger_close(struct logger *l);
struct journal logger_journal(struct logger *l);

#endif
