/* SPDX-License-Identifier: ISC */
#include "base/limits.h"
#include "wire/tlsa.h"

/* RFC 7218 gives the numbers of RFC 6698 section 7 their names. */
enum { DANE_TA = 2, DANE_EE = 3 };
enum { CERT = 0, SPKI = 1 };
enum { FULL = 0, SHA2_256 = 1, SHA2_512 = 2 };

bool tlsa_parse(struct span rdata, struct tlsa *ret)
{
	if (rdata.n < 4)
		return false;
	const uint8_t *p = (const uint8_t *)rdata.p;
	*ret = (struct tlsa){ p[0], p[1], p[2], { rdata.p + 3, rdata.n - 3 } };
	return true;
}

bool tlsa_usable(const struct tlsa *t)
{
	if (t->usage != DANE_TA && t->usage != DANE_EE)
		return false;
	if (t->selector != CERT && t->selector != SPKI)
		return false;
	switch (t->matching) {
	case FULL:
		return t->data.n > 0;
	case SHA2_256:
		return t->data.n == 32;
	case SHA2_512:
		return t->data.n == 64;
	default:
		return false;
	}
}

bool tlsa_select(struct arena *a, const struct dns_answer *answer, const struct tlsa **ret,
		 size_t *ret_n)
{
	struct tlsa *kept = ARENA_NEW(a, struct tlsa, answer->nrr);
	bool has_sha512[DANE_EE + 1][SPKI + 1] = { 0 };
	size_t usable = 0, n = 0;
	if (!kept)
		return false;
	for (size_t i = 0; i < answer->nrr; i++) {
		struct tlsa t;
		if (!tlsa_parse(answer->rr[i].bytes, &t) || !tlsa_usable(&t))
			continue;
		if (t.matching == SHA2_512)
			has_sha512[t.usage][t.selector] = true;
		kept[usable++] = t;
	}
	/* RFC 7671 section 9: who can forge the weaker digest must gain nothing by it. */
	for (size_t i = 0; i < usable; i++)
		if (kept[i].matching != SHA2_256 || !has_sha512[kept[i].usage][kept[i].selector])
			kept[n++] = kept[i];
	*ret = kept;
	*ret_n = n;
	return true;
}

const char *tlsa_name(struct arena *a, const char *host, uint16_t port)
{
	const char *name = arena_fmt(a, "_%u._tcp.%s", (unsigned)port, host);
	/* LIMIT_DOMAIN counts the first length byte and the root, which the text does not have. */
	return name && strlen(name) <= LIMIT_DOMAIN - 2 ? name : NULL;
}
