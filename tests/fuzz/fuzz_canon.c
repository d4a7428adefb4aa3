/* SPDX-License-Identifier: ISC */
/* canon and dot, there and back: only whole CRLFs, no line "." alone, nothing lost; and cuts do not
 * matter. */
#include "base/rng.h"
#include "wire/canon.h"
#include "wire/dot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* Both stages; with rng in small pieces through small buffers. `out` has 2 * in.n + 3 bytes,
 * `dotted` twice that. */
static void run(struct span in, struct canon *c, struct buf *out, struct buf *dotted,
		struct rng *rng)
{
	size_t used, done = 0;
	struct dot d;
	canon_init(c);
	dot_init(&d);
	for (size_t i = 0; i < in.n; i += used) {
		size_t n = rng ? 1 + rng_below(rng, 64) : in.n;
		struct buf piece;
		buf_init(&piece, out->p + out->len,
			 rng ? 5 + rng_below(rng, 64) : out->size - out->len);
		canon_feed(c, (struct span){ in.p + i, n < in.n - i ? n : in.n - i }, &piece,
			   &used);
		require(used > 0 || piece.len > 0);
		out->len += piece.len;
	}
	canon_finish(c, out);
	for (; done < out->len; done += used) {
		size_t n = rng ? 1 + rng_below(rng, 64) : out->len;
		struct buf piece;
		buf_init(&piece, dotted->p + dotted->len,
			 rng ? 3 + rng_below(rng, 64) : dotted->size - dotted->len);
		n = n < out->len - done ? n : out->len - done;
		dot_feed(&d, (struct span){ out->p + done, n }, &piece, &used);
		require(used > 0);
		dotted->len += piece.len;
	}
	require(!out->overflow && !dotted->overflow);
}

/* What a server does (RFC 5321 section 4.5.2): cut at CRLF, take one leading dot off. It must get
 * the canonical bytes back. */
static void check_wire(struct span wire, struct span canonical, const struct facts *f)
{
	size_t at = 0, longest = 0;
	while (at < wire.n) {
		const char *lf = memchr(wire.p + at, '\n', wire.n - at);
		require(lf && lf > wire.p + at && lf[-1] == '\r');
		size_t end = (size_t)(lf - wire.p) + 1;
		struct span line = { wire.p + at, end - at - 2 };
		require(line.n == 0 || !memchr(line.p, '\r', line.n));
		require(!span_equal(line, SPAN(".")));
		if (line.n > 0 && line.p[0] == '.')
			line = (struct span){ line.p + 1, line.n - 1 };
		require(canonical.n >= line.n + 2 && memcmp(canonical.p, line.p, line.n) == 0);
		require(memcmp(canonical.p + line.n, "\r\n", 2) == 0);
		canonical = (struct span){ canonical.p + line.n + 2, canonical.n - line.n - 2 };
		longest = line.n > longest ? line.n : longest;
		at = end;
	}
	require(canonical.n == 0 && longest == f->longest_line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct canon whole, cut;
	struct span in = { (const char *)data, size };
	size_t room = 2 * size + 200;
	char *storage = malloc(6 * room);
	struct buf out[2], dotted[2];
	uint8_t seed[16] = { 1 };
	struct rng rng;
	require(storage);
	memcpy(seed, data, size < 16 ? size : 16);
	rng_seed(&rng, seed);
	for (size_t i = 0; i < 2; i++) {
		buf_init(&out[i], storage + i * 3 * room, room);
		buf_init(&dotted[i], storage + i * 3 * room + room, 2 * room);
	}
	run(in, &whole, &out[0], &dotted[0], NULL);
	run(in, &cut, &out[1], &dotted[1], &rng);
	struct facts a = whole.facts, b = cut.facts;
	require(span_equal(buf_view(&out[0]), buf_view(&out[1])));
	require(span_equal(buf_view(&dotted[0]), buf_view(&dotted[1])));
	require(a.size == b.size && a.longest_line == b.longest_line && a.size == out[0].len);
	require(a.has_8bit == b.has_8bit && a.has_nul == b.has_nul);
	require(a.header_utf8 == b.header_utf8 && a.had_bare_cr == b.had_bare_cr);
	require(a.added_final_newline == b.added_final_newline);
	require(a.requiretls == b.requiretls && a.tls_required_no == b.tls_required_no);
	require(a.has_nul == (size > 0 && memchr(data, 0, size)) && (a.has_8bit || !a.header_utf8));
	check_wire(buf_view(&dotted[0]), buf_view(&out[0]), &a);
	free(storage);
	return 0;
}
