/* SPDX-License-Identifier: ISC */
/* Injected randomness for shuffles and DNS ids: seeded once from the kernel, fixed in tests. xoroshiro128+: not for secrets. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t s[2];
};

void rng_seed(struct rng *r, const uint8_t seed[static 16]); /* an all-zero seed is replaced by a fixed one */
uint32_t rng_below(struct rng *r, uint32_t bound);	      /* uniform in [0, bound); bound 0 gives 0 */
void rng_shuffle(struct rng *r, void *items, size_t n, size_t size); /* Fisher-Yates; size <= 512 */

#endif
