/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/digest.h"
#include "harness.h"

/* Values are kept in files, so they stay what they are. */
static void known_values(void)
{
	static const struct {
		struct span s;
		uint64_t value;
	} cases[] = {
		{ SPAN(""), 0x6c94c26715df4085u },
		{ SPAN("a"), 0x70213a556ec8d756u },
		{ SPAN("1234567"), 0x52879cde50d3badau },
		{ SPAN("12345678"), 0x6571643a4b761043u },
		{ SPAN("The quick brown fox jumps over the lazy dog"), 0xaed51175a717f087u },
		{ SPAN("\xff\xfe\x80\x00\x7f"), 0x199d1a45c63f16ceu },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t got = digest_of(cases[i].s);
		if (got != cases[i].value)
			printf("\n    0x%016llx", (unsigned long long)got);
		CHECK(cases[i].s.p, got == cases[i].value);
	}
	CHECK("no bytes at all", digest_of((struct span){ 0 }) == digest_of(SPAN("")));
}

static void pieces(void)
{
	static const char text[] = "What counts is the concatenation, not where it was cut.";
	struct span all = SPAN(text);
	uint64_t want = digest_of(all);
	for (size_t i = 0; i <= all.n; i++)
		for (size_t j = i; j <= all.n; j++) {
			struct digest d;
			digest_init(&d);
			digest_add(&d, (struct span){ text, i });
			digest_add(&d, (struct span){ text + i, j - i });
			digest_add(&d, (struct span){ 0 });
			digest_add(&d, (struct span){ text + j, all.n - j });
			CHECK("three pieces", digest_value(&d) == want);
		}
}

static void value_is_no_end(void)
{
	struct digest d;
	digest_init(&d);
	digest_add(&d, SPAN("some"));
	CHECK("so far", digest_value(&d) == digest_of(SPAN("some")));
	CHECK("again", digest_value(&d) == digest_of(SPAN("some")));
	digest_add(&d, SPAN("thing"));
	CHECK("further", digest_value(&d) == digest_of(SPAN("something")));
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* Strings that are much alike: none of 30000 collide, in the whole nor in the lower 40 bits, and
 * each bit is set in about half of them. */
static void spread(void)
{
	enum { N = 30000 };
	static uint64_t all[N], low[N];
	unsigned set[64] = { 0 };
	size_t n = 0;
	for (size_t i = 0; i < N; i++) {
		char text[32], zeros[600] = "";
		struct span s = { text, (size_t)snprintf(text, sizeof(text), "h%zu.example", i) };
		if (i < sizeof(zeros))
			s = (struct span){ zeros, i };
		all[i] = digest_of(s);
		low[i] = all[i] & (((uint64_t)1 << 40) - 1);
		for (unsigned b = 0; b < 64; b++)
			set[b] += (unsigned)(all[i] >> b & 1);
	}
	qsort(all, N, sizeof(all[0]), compare);
	qsort(low, N, sizeof(low[0]), compare);
	for (size_t i = 1; i < N; i++)
		n += all[i] == all[i - 1] || low[i] == low[i - 1];
	CHECK("collisions", n == 0);
	for (unsigned b = 0; b < 64; b++)
		CHECK("balance", set[b] > N / 2 - N / 50 && set[b] < N / 2 + N / 50);
}

static void each_bit_counts(void)
{
	char text[24] = "twenty-four bytes, here";
	uint64_t want = digest_of((struct span){ text, sizeof(text) });
	for (size_t i = 0; i < 8 * sizeof(text); i++) {
		text[i / 8] ^= (char)(1 << i % 8);
		uint64_t other = digest_of((struct span){ text, sizeof(text) });
		int changed = __builtin_popcountll(want ^ other);
		CHECK("one bit changes many", changed > 12 && changed < 52);
		text[i / 8] ^= (char)(1 << i % 8);
	}
}

TEST_MAIN("digest", { "known values", known_values }, { "pieces", pieces },
	  { "a value is no end", value_is_no_end }, { "spread", spread },
	  { "each bit counts", each_bit_counts })
