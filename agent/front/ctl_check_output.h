/* SPDX-License-Identifier: ISC */
/* What a program of the host MTA prints. */
#ifndef FRONT_CTL_CHECK_OUTPUT_H
#define FRONT_CTL_CHECK_OUTPUT_H

#include "base/arena.h"
#include "net/io.h"

#define OUTPUT_MOST ((size_t)1024 * 1024)
#define OUTPUT_MS   10000

/* Without environment and standard input; its standard error goes to /dev/null. Fails TEMP 4.3.0
 * when it cannot be started, ends with another status than 0, prints more than OUTPUT_MOST bytes or
 * takes longer than OUTPUT_MS; TEMP 4.3.2 when stopped. It is gone afterwards. */
MUST_CHECK bool output_read(struct arena *a, struct io *io, const char *const argv[],
			    struct span *ret, struct error *err);

/* The next word; what stands in quotes or braces is one, without them. False: there is none. */
bool output_word(struct span *rest, struct span *ret);

/* Milliseconds of a unit of time as Postfix and Exim write it, 's' to 'w'; 0: it is none. */
uint64_t output_time_unit(char c);

/* Does this command start mxdirect, from whatever directory? Its first word is taken off. */
bool output_runs_mxdirect(struct span *command);

#endif
