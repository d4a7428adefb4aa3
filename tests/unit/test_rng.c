/* SPDX-License-Identifier: ISC */
#include "base/rng.h"

#include "harness.h"

static struct rng fixed(uint8_t first)
{
	uint8_t seed[16] = { first, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	struct rng r;
	rng_seed(&r, seed);
	return r;
}

static void same_seed_same_numbers(void)
{
	struct rng a = fixed(1), b = fixed(1), c = fixed(2);
	size_t same = 0, other = 0;
	for (int i = 0; i < 100; i++) {
		uint32_t x = rng_below(&a, UINT32_MAX);
		same += x == rng_below(&b, UINT32_MAX);
		other += x == rng_below(&c, UINT32_MAX);
	}
	CHECK("same seed", same == 100);
	CHECK("other seed", other < 5);
}

/* The outputs that the authors' C code gives for the state 1, 2; ours are the upper halves. */
static void reference(void)
{
	static const uint64_t outputs[] = {
		3u,
		412333834243u,
		2360170716294286339u,
		9295852285959843169u,
		2797080929874688578u,
		6019711933173041966u,
		3076529664176959358u,
		3521761819100106140u,
		7493067640054542992u,
		920801338098114767u,
	};
	const uint64_t state[2] = { 1, 2 };
	uint8_t seed[16];
	struct rng r;
	memcpy(seed, state, sizeof(seed));
	rng_seed(&r, seed);
	for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
		uint32_t want = (uint32_t)(outputs[i] >> 32) & 0x7fffffff;
		CHECK("output", rng_below(&r, 1u << 31) == want);
	}
}

static void zero_seed(void)
{
	const uint8_t zeros[16] = { 0 };
	struct rng r;
	uint32_t any = 0;
	rng_seed(&r, zeros);
	for (int i = 0; i < 10; i++)
		any |= rng_below(&r, UINT32_MAX);
	CHECK("not stuck", any != 0);
}

static void below_is_uniform(void)
{
	struct rng r = fixed(3);
	static const uint32_t bounds[] = { 1, 2, 3, 7, 20 };
	CHECK("bound 0", rng_below(&r, 0) == 0);
	for (size_t b = 0; b < sizeof(bounds) / sizeof(bounds[0]); b++) {
		unsigned seen[20] = { 0 };
		bool inside = true, even = true;
		for (unsigned i = 0; i < bounds[b] * 2000; i++) {
			uint32_t x = rng_below(&r, bounds[b]);
			inside = inside && x < bounds[b];
			if (x < bounds[b])
				seen[x]++;
		}
		for (uint32_t i = 0; i < bounds[b]; i++)
			even = even && seen[i] > 1750 && seen[i] < 2250;
		CHECK("inside", inside);
		CHECK("even", even);
	}
	/* Two thirds of 2^32: without throwing away, the lower half would come twice as often. */
	unsigned low = 0;
	for (int i = 0; i < 3000; i++)
		low += rng_below(&r, 0xaaaaaaab) < 0x55555555;
	CHECK("no bias", low > 1350 && low < 1650);
}

static void shuffle_is_a_permutation(void)
{
	struct rng r = fixed(4);
	unsigned first[5] = { 0 };
	for (int round = 0; round < 5000; round++) {
		struct {
			uint8_t id, pad[2];
		} items[5] = { { 0, { 9, 9 } },
			       { 1, { 9, 9 } },
			       { 2, { 9, 9 } },
			       { 3, { 9, 9 } },
			       { 4, { 9, 9 } } };
		unsigned all = 0;
		rng_shuffle(&r, items, 5, sizeof(items[0]));
		for (int i = 0; i < 5; i++)
			all |= 1u << items[i].id;
		if (all != 31)
			CHECK("permutation", false);
		first[items[0].id % 5]++;
	}
	for (int i = 0; i < 5; i++)
		CHECK("everyone comes first", first[i] > 850 && first[i] < 1150);
	char one[1] = { 'x' };
	rng_shuffle(&r, one, 1, 1);
	rng_shuffle(&r, NULL, 0, 8);
	CHECK("one stays", one[0] == 'x');
	static char wide[2][512];
	wide[0][511] = 'a';
	wide[1][511] = 'b';
	for (int i = 0; i < 20; i++)
		rng_shuffle(&r, wide, 2, 512);
	CHECK("wide", wide[0][511] + wide[1][511] == 'a' + 'b');
}

TEST_MAIN("rng", { "same seed, same numbers", same_seed_same_numbers }, { "reference", reference },
	  { "an all-zero seed", zero_seed }, { "below is uniform", below_is_uniform },
	  { "shuffle is a permutation", shuffle_is_a_permutation })
