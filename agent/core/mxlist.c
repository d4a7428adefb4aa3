/* SPDX-License-Identifier: ISC */
#include "base/text.h"
#include "wire/addr.h"
#include "core/mxlist.h"

/* All hosts of an answer, before max cuts them. */
struct hosts {
	struct mx mx[LIMIT_DNS_RRS];
	size_t n;
};

static bool is_same(const char *a, const char *b)
{
	return span_equal_nocase(span_of(a), span_of(b));
}

/* RFC 5321 5.1 and RFC 1035 3.3.9: an MX is a domain name with addresses, never an address. */
static bool is_usable(const char *host)
{
	struct ip ip;
	return domain_valid(span_of(host)) && !ip_parse(span_of(host), &ip);
}

/* Shuffled as a whole and then sorted without changing the order of equals (RFC 5321 5.1). */
static void order(struct hosts *h, struct rng *rng)
{
	rng_shuffle(rng, h->mx, h->n, sizeof(h->mx[0]));
	for (size_t i = 1; i < h->n; i++) {
		struct mx mx = h->mx[i];
		size_t at = i;
		for (; at > 0 && h->mx[at - 1].pref > mx.pref; at--)
			h->mx[at] = h->mx[at - 1];
		h->mx[at] = mx;
	}
}

/* A host named twice counts where its preference is best. */
static void drop_twins(struct hosts *h)
{
	size_t kept = 0;
	for (size_t i = 0; i < h->n; i++) {
		size_t k = 0;
		while (k < kept && !is_same(h->mx[k].host, h->mx[i].host))
			k++;
		if (k == kept)
			h->mx[kept++] = h->mx[i];
	}
	h->n = kept;
}

/* RFC 5321 5.1: "If it is found, ... all MX records with a preference equal to or higher in number
 * must be discarded." */
static void cut_loop(struct hosts *h, const char *self)
{
	for (size_t i = 0; self[0] != '\0' && i < h->n; i++) {
		if (!is_same(h->mx[i].host, self))
			continue;
		uint16_t own = h->mx[i].pref;
		while (h->n > 0 && h->mx[h->n - 1].pref >= own)
			h->n--;
		return;
	}
}

static bool gather(const struct dns_answer *answer, struct hosts *h, struct error *err)
{
	size_t nulls = 0;
	for (size_t i = 0; i < answer->nrr && i < LIMIT_DNS_RRS; i++) {
		const struct dns_rr *rr = &answer->rr[i];
		if (rr->mx.host[0] == '\0')
			nulls++;
		else if (is_usable(rr->mx.host))
			h->mx[h->n++] = (struct mx){ rr->mx.host, rr->mx.pref };
	}
	if (nulls > 0 && nulls == answer->nrr)
		return err_set(err, ERR_PERM, ESC(5, 1, 10),
			       "domain %s accepts no mail (null MX, RFC 7505)", answer->name);
	if (h->n == 0)
		return err_set(err, ERR_TEMP, ESC(4, 4, 4),
			       "no MX of %s is the name of a host (the first is \"%s\")",
			       answer->name, answer->nrr ? answer->rr[0].mx.host : "");
	return true;
}

static bool hosts_of(const struct dns_answer *answer, struct hosts *h, struct error *err)
{
	switch (answer->state) {
	case DNS_OK:
		return gather(answer, h, err);
	case DNS_NODATA:
		/* RFC 5321 5.1: as if it had an MX of preference 0 that points to itself. */
		h->mx[h->n++] = (struct mx){ answer->name, 0 };
		return true;
	case DNS_NXDOMAIN:
		return err_set(err, ERR_PERM, ESC(5, 1, 2), "domain %s does not exist",
			       answer->name);
	case DNS_TEMP:
		return err_set(err, ERR_TEMP, ESC(4, 4, 3), "MX lookup of %s: %s", answer->name,
			       answer->why);
	case DNS_PENDING:
		break;
	}
	return BUG(err, "the MX answer is not settled");
}

bool mxlist_build(const struct dns_answer *answer, const struct mxlist_rules *rules,
		  struct rng *rng, struct mxlist *ret, struct error *err)
{
	struct hosts h = { .n = 0 };
	if (rules->max == 0 || rules->max > LIMIT_MX)
		return BUG(err, "max_mx is out of range");
	if (!hosts_of(answer, &h, err))
		return false;
	order(&h, rng);
	drop_twins(&h);
	cut_loop(&h, rules->self);
	if (h.n == 0)
		return err_set(err, ERR_PERM, ESC(5, 4, 6),
			       "mail for %s loops back to this host: %s is its best MX",
			       answer->name, rules->self);
	struct mxlist list = { .implicit = answer->state == DNS_NODATA,
			       .authentic = answer->authentic };
	list.n = h.n < rules->max ? h.n : rules->max;
	memcpy(list.mx, h.mx, list.n * sizeof(list.mx[0]));
	*ret = list;
	return true;
}

/* The best preference that our own name has. */
static bool find_own(const struct dns_answer *answer, const char *self, uint16_t *ret)
{
	bool found = false;
	for (size_t i = 0; self[0] != '\0' && i < answer->nrr && i < LIMIT_DNS_RRS; i++) {
		const struct dns_rr *rr = &answer->rr[i];
		if (!is_same(rr->mx.host, self) || (found && rr->mx.pref >= *ret))
			continue;
		*ret = rr->mx.pref;
		found = true;
	}
	return found;
}

static bool is_worse_twin(const struct dns_answer *answer, size_t record)
{
	const struct dns_rr *mine = &answer->rr[record];
	for (size_t i = 0; i < answer->nrr && i < LIMIT_DNS_RRS; i++) {
		const struct dns_rr *rr = &answer->rr[i];
		bool better =
			rr->mx.pref < mine->mx.pref || (rr->mx.pref == mine->mx.pref && i < record);
		if (better && is_same(rr->mx.host, mine->mx.host))
			return true;
	}
	return false;
}

enum mx_verdict mxlist_explain(const struct dns_answer *answer, const struct mxlist_rules *rules,
			       const struct mxlist *list, size_t record)
{
	const struct dns_rr *rr = &answer->rr[record];
	uint16_t own = 0;
	if (rr->mx.host[0] == '\0')
		return MX_NULL;
	if (!is_usable(rr->mx.host))
		return MX_NOT_A_HOST;
	if (is_worse_twin(answer, record))
		return MX_TWICE;
	if (is_same(rr->mx.host, rules->self))
		return MX_OURS;
	if (find_own(answer, rules->self, &own) && rr->mx.pref >= own)
		return MX_BEHIND_US;
	for (size_t i = 0; list && i < list->n; i++)
		if (is_same(list->mx[i].host, rr->mx.host))
			return MX_LISTED;
	return MX_SURPLUS;
}
