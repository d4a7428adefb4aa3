/* SPDX-License-Identifier: ISC */
#include <endian.h>
#include <string.h>

#include "base/digest.h"

/* Primes of xxHash by Yann Collet: about half of their bits are set, in no pattern. */
#define FIRST  0x9e3779b185ebca87u
#define SECOND 0xc2b2ae3d27d4eb4fu
#define THIRD  0x165667b19e3779f9u

static uint64_t rotate(uint64_t x, unsigned k)
{
	return (x << k) | (x >> (64 - k));
}

static uint64_t fold(uint64_t state, uint64_t word)
{
	word = rotate(word * SECOND, 31) * FIRST;
	return rotate(state ^ word, 27) * FIRST + THIRD;
}

void digest_init(struct digest *d)
{
	*d = (struct digest){ .state = THIRD };
}

/* The first byte is the lowest one of the word, so that neither the machine's byte order nor the
 * borders of the pieces matter. */
static void add_byte(struct digest *d, char byte)
{
	d->word |= (uint64_t)(unsigned char)byte << (d->bytes % 8 * 8);
	if (++d->bytes % 8 == 0) {
		d->state = fold(d->state, d->word);
		d->word = 0;
	}
}

void digest_add(struct digest *d, struct span s)
{
	size_t i = 0;
	while (i < s.n && d->bytes % 8 != 0)
		add_byte(d, s.p[i++]);
	for (; s.n - i >= 8; i += 8) {
		uint64_t word;
		memcpy(&word, s.p + i, sizeof(word));
		d->state = fold(d->state, le64toh(word));
		d->bytes += 8;
	}
	while (i < s.n)
		add_byte(d, s.p[i++]);
}

/* The number of bytes goes in as well, since zeros at the end are otherwise like no bytes. */
uint64_t digest_value(const struct digest *d)
{
	uint64_t x = fold(fold(d->state, d->word), d->bytes);
	x = (x ^ (x >> 33)) * SECOND;
	x = (x ^ (x >> 29)) * THIRD;
	return x ^ (x >> 32);
}

uint64_t digest_of(struct span s)
{
	struct digest d;
	digest_init(&d);
	digest_add(&d, s);
	return digest_value(&d);
}
