/* SPDX-License-Identifier: ISC */
/* libspf2 behind the packets of spfpacket.h: the part of mxdirect-spf without the process, which a fuzz target can call, too. */
#ifndef SPFLIB_H
#define SPFLIB_H

#include <stddef.h>

#include "base/span.h"

struct spflib;

/*
 * Sends an SPF_ASK packet and waits for SPF_RECORDS in answer[0..size). Returns its bytes; 0: nobody answers any more, and the term comes
 * out as SPF_LATER.
 */
typedef size_t spflib_ask(void *ctx, struct span question, char *answer, size_t size);

struct spflib *spflib_open(spflib_ask *ask, void *ctx); /* NULL: out of memory */
void spflib_close(struct spflib *l);			/* NULL is fine */

/* The answer to a packet, in reply[0..size), size at least SPF_REASON + 2. Returns its bytes. A packet of another kind is SPF_BAD. */
size_t spflib_answer(struct spflib *l, struct span packet, char *reply, size_t size);

#endif
