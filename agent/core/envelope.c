/* SPDX-License-Identifier: ISC */
#include "core/envelope.h"

#include "base/text.h"

static bool addr_is_ascii(const struct addr *ad)
{
	return text_is_ascii(span_of(ad->local)) && text_is_ascii(span_of(ad->domain));
}

uint32_t envelope_needs(const struct envelope *e, const struct facts *facts)
{
	bool ascii = addr_is_ascii(&e->sender);
	for (size_t i = 0; ascii && i < e->nrcpt; i++)
		ascii = addr_is_ascii(&e->rcpt[i].addr);
	return ascii && !facts->header_utf8 ? 0 : EHLO_SMTPUTF8;
}
