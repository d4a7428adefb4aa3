/* SPDX-License-Identifier: ISC */
/* What a reply offers does not depend on the letters' case, and the name is one printable word. */
#include <stdint.h>

#include "base/text.h"
#include "wire/ehlo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reply_parser p;
	struct ehlo as_is, lower;
	size_t used;
	reply_parser_init(&p);
	if (reply_parse(&p, (struct span){ (const char *)data, size }, &used) != PARSE_DONE)
		return 0;
	ehlo_parse(&p.reply, &as_is);
	for (size_t i = 0; i < p.reply.len; i++)
		p.reply.text[i] = text_lower(p.reply.text[i]);
	ehlo_parse(&p.reply, &lower);
	if (as_is.caps != lower.caps || as_is.auth != lower.auth ||
	    as_is.size_max != lower.size_max)
		abort();
	if (as_is.mail_max != lower.mail_max || as_is.rcpt_max != lower.rcpt_max ||
	    as_is.mail_max > 999999 || as_is.rcpt_max > 999999)
		abort();
	if (as_is.size_max != 0 && !(as_is.caps & EHLO_SIZE))
		abort();
	if (as_is.auth & ~(uint32_t)(AUTH_SCRAM_SHA_256 | AUTH_PLAIN | AUTH_LOGIN))
		abort();
	if (p.reply.lines == 1 && (as_is.caps != 0 || as_is.auth != 0))
		abort();
	if (memchr(as_is.name, '\0', sizeof(as_is.name)) == NULL || strpbrk(as_is.name, " \r\n"))
		abort();
	return 0;
}
