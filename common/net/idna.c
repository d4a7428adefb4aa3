/* SPDX-License-Identifier: ISC */
#include <idn2.h>

#include "base/text.h"
#include "net/idna.h"
#include "wire/addr.h"

/* A copy in lower case without final dot. */
static const char *lower(struct arena *a, struct span s)
{
	if (s.n > 0 && s.p[s.n - 1] == '.')
		s.n--;
	char *copy = ARENA_NEW(a, char, s.n + 1);
	for (size_t i = 0; copy && i < s.n; i++)
		copy[i] = text_lower(s.p[i]);
	return copy;
}

static bool no_form(const char *domain, const char *why, struct error *err)
{
	return err_set(err, ERR_PERM, ESC(5, 1, 2), "domain \"%s\": %s", domain, why);
}

static bool from_unicode(struct arena *a, const char *domain, const char **ret, struct error *err)
{
	uint8_t *ascii = NULL;
	/* Nontransitional: sharp s and final sigma are letters of their own (UTS 46 section 4). */
	int rc = idn2_lookup_u8((const uint8_t *)domain, &ascii,
				IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc == IDN2_MALLOC)
		return err_nomem(err);
	if (rc != IDN2_OK)
		return no_form(domain, idn2_strerror(rc), err);
	const char *name = lower(a, span_of((const char *)ascii));
	idn2_free(ascii);
	if (!name)
		return err_nomem(err);
	*ret = name;
	return true;
}

bool idna_ascii(struct arena *a, const char *domain, const char **ret, struct error *err)
{
	struct span s = span_of(domain);
	const char *name = NULL;
	struct ip ip;
	if (addr_literal(s, &ip)) {
		name = arena_str(a, s);
		if (!name)
			return err_nomem(err);
		*ret = name;
		return true;
	}
	if (text_is_ascii(s)) {
		name = lower(a, s);
		if (!name)
			return err_nomem(err);
	} else if (!from_unicode(a, domain, &name, err)) {
		return false;
	}
	if (!domain_valid(span_of(name)))
		return no_form(domain, "not a domain name", err);
	*ret = name;
	return true;
}
