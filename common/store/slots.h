/* SPDX-License-Identifier: ISC */
/* Slots that all runs share: at most so many at a time of one name. Each is a lock on one byte of DIR/slots, so the kernel frees it when its
 * holder dies. Nothing is ever written there. */
#ifndef STORE_SLOTS_H
#define STORE_SLOTS_H

#include "base/err.h"
#include "base/span.h"

#define SLOTS_MAX 1000 /* of one name */

/* A descriptor for one slot: closing it gives the slot back. The same rules for DIR and file as in store.h; TEMP 4.3.0. */
MUST_CHECK bool slots_open(const char *dir, int *ret_fd, struct error *err);

enum slots_say { SLOTS_TAKEN, SLOTS_BUSY, SLOTS_FAILED };

/* Never waits. `max` 1..SLOTS_MAX; names without regard to case (two names share slots with a chance of 2^-40). FAILED: *err as above. */
enum slots_say slots_take(int fd, struct span name, unsigned max, struct error *err);

#endif
