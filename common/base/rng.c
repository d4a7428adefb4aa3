/* SPDX-License-Identifier: ISC */
#include "base/rng.h"

void rng_seed(struct rng *r, const uint8_t seed[static 16])
{
	memcpy(r->s, seed, sizeof(r->s));
	/* From all zeros the generator never gets away. */
	if (r->s[0] == 0 && r->s[1] == 0)
		r->s[0] = 0x9e3779b97f4a7c15u;
}

static uint64_t rotate(uint64_t x, unsigned k)
{
	return (x << k) | (x >> (64 - k));
}

/* xoroshiro128+ 1.0 by Blackman and Vigna; the upper half has the better bits. */
static uint32_t next(struct rng *r)
{
	uint64_t a = r->s[0], b = r->s[1], sum = a + b;
	b ^= a;
	r->s[0] = rotate(a, 24) ^ b ^ (b << 16);
	r->s[1] = rotate(b, 37);
	return (uint32_t)(sum >> 32);
}

uint32_t rng_below(struct rng *r, uint32_t bound)
{
	if (bound == 0)
		return 0;
	/* The lowest 2^32 mod bound values are thrown away, or small results would come more often.
	 */
	uint32_t unfair = (uint32_t)-bound % bound;
	uint32_t x;
	do
		x = next(r);
	while (x < unfair);
	return x % bound;
}

void rng_shuffle(struct rng *r, void *items, size_t n, size_t size)
{
	char keep[512], *p = items;
	if (size > sizeof(keep))
		return;
	for (size_t i = n; i > 1; i--) {
		size_t j = rng_below(r, (uint32_t)i);
		char *a = p + (i - 1) * size, *b = p + j * size;
		memcpy(keep, a, size);
		memmove(a, b, size);
		memcpy(b, keep, size);
	}
}
