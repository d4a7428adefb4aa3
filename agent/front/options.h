/* SPDX-License-Identifier: ISC */
/* The command line: mxdirect -f SENDER [-i QUEUE-ID] [-c FILE] [-o KEY=VALUE]... [-v] [--trace FILE] -- RECIPIENT
 *               or: mxdirect --lmtp [-i QUEUE-ID] [-c FILE] [-o KEY=VALUE]... [--trace FILE] */
#ifndef FRONT_OPTIONS_H
#define FRONT_OPTIONS_H

#include "flow/settings.h"

#define OPTIONS_SET 64 /* -o at most */

struct options {
	const char *sender;   /* -f, else the environment's SENDER; "" and "<>": the null sender */
	const char *queue_id; /* "" without -i */
	const char *config_file; /* NULL without -c */
	const char *set[OPTIONS_SET]; /* -o */
	size_t nset;
	bool verbose;
	const char *trace_file; /* NULL without --trace */
	const char *recipient;
	bool lmtp; /* --lmtp: no sender, no recipient */
};

/* `environment_sender`: getenv("SENDER"), may be NULL. CONFIG 4.3.5 for wrong usage; more than one recipient names the host's setting. */
MUST_CHECK bool options_parse(int argc, char **argv, const char *environment_sender, struct options *ret, struct error *err);

/* Where the settings come from; default_config: the file without -c. Views of *o. */
struct settings_source options_source(const struct options *o, const char *default_config);

#endif
