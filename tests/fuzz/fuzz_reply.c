/* SPDX-License-Identifier: ISC */
/* A reply is the same whole and byte by byte, and its text is printable. */
#include <stdint.h>

#include "base/text.h"
#include "wire/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct reply *r)
{
	char copy[LIMIT_REPLY_TEXT];
	memcpy(copy, r->text, r->len + 1u);
	for (size_t i = 0; i < r->len; i++)
		if (copy[i] == '\n')
			copy[i] = ' ';
	text_printable(copy, r->len);
	for (size_t i = 0; i < r->len; i++)
		if (copy[i] != (r->text[i] == '\n' ? ' ' : r->text[i]))
			abort();
	if (strlen(r->text) != r->len || (r->esc.cls != 0 && r->esc.cls != reply_class(r)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { (const char *)data, size };
	struct reply_parser whole, bytes;
	enum parse say = PARSE_MORE;
	size_t used, one, n = 0;
	reply_parser_init(&whole);
	reply_parser_init(&bytes);
	enum parse want = reply_parse(&whole, in, &used);
	while (say == PARSE_MORE && n < size) {
		say = reply_parse(&bytes, (struct span){ in.p + n, 1 }, &one);
		n += one;
	}
	if (say != want || used > size || (want != PARSE_BAD && n != used))
		abort();
	if (want == PARSE_DONE) {
		check_text(&whole.reply);
		const struct reply *a = &whole.reply, *b = &bytes.reply;
		if (a->code != b->code || a->lines != b->lines || a->cut != b->cut ||
		    a->esc.cls != b->esc.cls || a->esc.subject != b->esc.subject ||
		    a->esc.detail != b->esc.detail || strcmp(a->text, b->text) != 0)
			abort();
	}
	return 0;
}
