/* SPDX-License-Identifier: ISC */
/* Records, each behind a byte with its length: what is selected is usable, a part of what was
 * given, in its order, and selecting once more changes nothing. */
#include "wire/tlsa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* The first record from `from` on that is t; its place plus one. */
static size_t find(const struct dns_answer *answer, size_t from, const struct tlsa *t)
{
	for (size_t i = from; i < answer->nrr; i++)
		if (answer->rr[i].bytes.p + 3 == t->data.p)
			return i + 1;
	abort();
}

static bool has_stronger(const struct tlsa *t, size_t n, const struct tlsa *than)
{
	for (size_t i = 0; i < n; i++)
		if (t[i].usage == than->usage && t[i].selector == than->selector &&
		    t[i].matching == 2)
			return true;
	return false;
}

static void check(const struct dns_answer *answer, const struct tlsa *t, size_t n)
{
	size_t usable = 0, place = 0;
	for (size_t i = 0; i < answer->nrr; i++) {
		struct tlsa one;
		if (!tlsa_parse(answer->rr[i].bytes, &one))
			require(answer->rr[i].bytes.n < 4);
		else
			usable += tlsa_usable(&one);
	}
	require(n <= usable && (n > 0) == (usable > 0));
	for (size_t i = 0; i < n; i++) {
		place = find(answer, place, &t[i]);
		require(tlsa_usable(&t[i]) && (t[i].usage == 2 || t[i].usage == 3));
		require(t[i].matching != 1 || !has_stronger(t, n, &t[i]));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_rr rr[LIMIT_DNS_RRS], again[LIMIT_DNS_RRS];
	struct dns_answer answer = { .state = DNS_OK, .rr = rr };
	struct arena *a = arena_open(LIMIT_ARENA);
	const struct tlsa *first, *second;
	size_t nfirst, nsecond, at = 0;
	require(a);
	while (at < size && answer.nrr < LIMIT_DNS_RRS) {
		size_t n = data[at++];
		n = n < size - at ? n : size - at;
		rr[answer.nrr++] = (struct dns_rr){ .bytes = { (const char *)data + at, n } };
		at += n;
	}
	require(tlsa_select(a, &answer, &first, &nfirst));
	check(&answer, first, nfirst);
	for (size_t i = 0; i < nfirst; i++)
		again[i].bytes = (struct span){ first[i].data.p - 3, first[i].data.n + 3 };
	answer = (struct dns_answer){ .state = DNS_OK, .rr = again, .nrr = nfirst };
	require(tlsa_select(a, &answer, &second, &nsecond));
	require(nsecond == nfirst);
	arena_close(a);
	return 0;
}
