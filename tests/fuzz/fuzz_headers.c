/* SPDX-License-Identifier: ISC */
/* Any bytes, in any cuts: the same answer, and never yes without UTF-8 somewhere. */
#include "base/rng.h"
#include "base/text.h"
#include "wire/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each piece in memory of its own, so that a sanitizer sees its end. */
static void feed_copy(struct headers *h, struct span s)
{
	char *p = malloc(s.n);
	if (!p)
		abort();
	memcpy(p, s.p, s.n);
	headers_feed(h, (struct span){ p, s.n });
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct headers whole, cut, bytes;
	struct span in = { (const char *)data, size };
	uint8_t seed[16] = { 1 };
	struct rng rng;
	memcpy(seed, data, size < 16 ? size : 16);
	rng_seed(&rng, seed);
	headers_init(&whole);
	headers_init(&cut);
	headers_init(&bytes);
	headers_feed(&whole, in);
	for (size_t i = 0, n; i < size; i += n) {
		n = 1 + rng_below(&rng, 100);
		n = n < size - i ? n : size - i;
		feed_copy(&cut, (struct span){ in.p + i, n });
	}
	for (size_t i = 0; i < size; i++)
		feed_copy(&bytes, (struct span){ in.p + i, 1 });
	headers_finish(&whole);
	headers_finish(&cut);
	headers_finish(&bytes);
	if (whole.requiretls != cut.requiretls || whole.requiretls != bytes.requiretls)
		abort();
	if (whole.tls_required_no != cut.tls_required_no ||
	    whole.tls_required_no != bytes.tls_required_no)
		abort();
	if (whole.utf8 != cut.utf8 || whole.utf8 != bytes.utf8 || whole.depth > HEADERS_DEPTH)
		abort();
	if (!whole.utf8 && (whole.depth != cut.depth || whole.in_header != bytes.in_header))
		abort();
	if (whole.utf8 && text_is_ascii(in))
		abort();
	return 0;
}
