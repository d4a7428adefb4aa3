/* SPDX-License-Identifier: ISC */
/* A fast 64-bit digest of bytes, to tell one from another. No security measure: whoever wants a collision can make one. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/span.h"

struct digest {
	uint64_t state, word; /* word: up to seven bytes that wait for an eighth */
	uint64_t bytes;
};

void digest_init(struct digest *d);
void digest_add(struct digest *d, struct span s); /* any number of pieces: only their concatenation counts */
uint64_t digest_value(const struct digest *d);	  /* of what was added so far; the same on every machine */
uint64_t digest_of(struct span s);

#endif
