/* SPDX-License-Identifier: ISC */
#include "core/plan.h"

/* The addresses of a host, of one family, and what was said against the others. */
struct pool {
	struct ip ip[LIMIT_DNS_RRS];
	size_t n;
};

struct sieve {
	const struct plan_rules *rules;
	bool found;        /* there was an address at all */
	struct ip bad;     /* the first one that may not be used; family 0: none */
	const char *cause; /* why not */
};

static bool is_wanted(const struct config *c, uint8_t family)
{
	if (c->address_family == FAMILY_IPV4)
		return family == 4;
	if (c->address_family == FAMILY_IPV6)
		return family == 6;
	return true;
}

/* A server that maps IPv4 into IPv6 must not open a way to what is refused. NULL: it is not. */
static const struct ip_net *refused_by(const struct config *c, struct ip ip)
{
	struct ip hidden = ip_unwrap(ip);
	for (size_t i = 0; i < c->nrefused_networks; i++)
		if (ip_net_has(c->refused_networks[i], ip) ||
		    ip_net_has(c->refused_networks[i], hidden))
			return &c->refused_networks[i];
	return NULL;
}

static bool is_own(const struct plan_rules *rules, struct ip ip)
{
	struct ip hidden = ip_unwrap(ip);
	for (size_t i = 0; i < rules->nown; i++)
		if (ip_equal(rules->own[i], ip) || ip_equal(rules->own[i], hidden))
			return true;
	return false;
}

static bool passes(struct sieve *s, struct ip ip)
{
	const struct config *c = s->rules->config;
	bool wanted = is_wanted(c, ip.family);
	s->found = true;
	if (wanted && !refused_by(c, ip))
		return true;
	if (s->bad.family == 0) {
		s->bad = ip;
		s->cause = wanted ? "in refused_networks" : "of a family not wanted";
	}
	return false;
}

static bool has(const struct pool *p, struct ip ip)
{
	for (size_t i = 0; i < p->n; i++)
		if (ip_equal(p->ip[i], ip))
			return true;
	return false;
}

static bool loops(const char *host, struct ip ip, const struct plan_rules *rules, struct error *err)
{
	char text[IP_TEXT];
	if (!is_own(rules, ip))
		return false;
	ip_format(ip, text);
	err_set(err, ERR_PERM, ESC(5, 4, 6), "mail loops back to this host: %s has our address %s",
		host, text);
	return true;
}

/* False: an address is ours, *err says so. */
static bool fill(struct pool *p, const char *host, const struct dns_answer *answer, struct sieve *s,
		 struct error *err)
{
	if (!answer || answer->state != DNS_OK)
		return true;
	for (size_t i = 0; i < answer->nrr && i < LIMIT_DNS_RRS; i++) {
		struct ip ip = answer->rr[i].ip;
		if (loops(host, ip, s->rules, err))
			return false;
		if (passes(s, ip) && !has(p, ip))
			p->ip[p->n++] = ip;
	}
	return true;
}

static bool refuse(const char *host, const struct sieve *s, struct error *err)
{
	char text[IP_TEXT];
	ip_format(s->bad, text);
	return err_set(err, ERR_TEMP, ESC(4, 4, 4), "%s has no usable address: %s is %s", host,
		       text, s->cause);
}

/* Nothing is left of the host: whose fault is it? */
static bool explain(const char *host, const struct dns_answer *a, const struct dns_answer *aaaa,
		    const struct sieve *s, struct error *err)
{
	const struct dns_answer *failed = a && a->state == DNS_TEMP         ? a
					  : aaaa && aaaa->state == DNS_TEMP ? aaaa
									    : NULL;
	bool nxdomain = (a && a->state == DNS_NXDOMAIN) || (aaaa && aaaa->state == DNS_NXDOMAIN);
	if (failed)
		return err_set(err, ERR_TEMP, ESC(4, 4, 3), "address lookup of %s: %s", host,
			       failed->why);
	if (s->found)
		return refuse(host, s, err);
	/* NXDOMAIN speaks for all types (RFC 8020); NODATA of one family says nothing of the other.
	 */
	if (nxdomain)
		return err_set(err, ERR_PERM, ESC(5, 4, 4), "%s does not exist", host);
	if (a && aaaa)
		return err_set(err, ERR_PERM, ESC(5, 4, 4), "%s has no address", host);
	return err_set(err, ERR_TEMP, ESC(4, 4, 4), "%s has no %s address", host,
		       a ? "IPv4" : "IPv6");
}

/* One of each family in turn, as long as there are (RFC 8305 section 4). */
static void interleave(const struct pool *first, const struct pool *second, const struct config *c,
		       struct candidate *ret)
{
	for (size_t i = 0; i < first->n || i < second->n; i++) {
		const struct pool *turn[] = { first, second };
		for (size_t k = 0; k < 2; k++)
			if (i < turn[k]->n && ret->naddr < c->max_addresses)
				ret->addr[ret->naddr++] =
					(struct endpoint){ turn[k]->ip[i], c->smtp_port };
	}
}

enum plan_say plan_host(const struct mx *mx, const struct dns_answer *a,
			const struct dns_answer *aaaa, const struct plan_rules *rules,
			struct rng *rng, struct candidate *ret, struct error *err)
{
	const struct config *c = rules->config;
	struct pool v4 = { .n = 0 }, v6 = { .n = 0 };
	struct sieve s = { .rules = rules };
	struct candidate found = { .host = mx->host, .pref = mx->pref };
	bool settled = (a || aaaa) && !(a && a->state == DNS_PENDING) &&
		       !(aaaa && aaaa->state == DNS_PENDING);
	if (!settled || c->max_addresses == 0 || c->max_addresses > LIMIT_ADDRS) {
		BUG(err, "a host cannot be planned without answers or room for addresses");
		return PLAN_SKIP;
	}
	if (!fill(&v4, mx->host, a, &s, err) || !fill(&v6, mx->host, aaaa, &s, err))
		return PLAN_SELF;
	if (v4.n + v6.n == 0) {
		explain(mx->host, a, aaaa, &s, err);
		return PLAN_SKIP;
	}
	rng_shuffle(rng, v4.ip, v4.n, sizeof(v4.ip[0]));
	rng_shuffle(rng, v6.ip, v6.n, sizeof(v6.ip[0]));
	/* IPv6 leads unless told otherwise (RFC 6724, RFC 8305 section 4). */
	if (c->address_family == FAMILY_PREFER_IPV4)
		interleave(&v4, &v6, c, &found);
	else
		interleave(&v6, &v4, c, &found);
	*ret = found;
	return PLAN_USE;
}

enum plan_say plan_literal(const char *host, struct ip ip, const struct plan_rules *rules,
			   struct candidate *ret, struct error *err)
{
	struct sieve s = { .rules = rules };
	if (loops(host, ip, rules, err))
		return PLAN_SELF;
	if (!passes(&s, ip)) {
		refuse(host, &s, err);
		return PLAN_SKIP;
	}
	*ret = (struct candidate){
		.host = host,
		.addr = { { ip, rules->config->smtp_port } },
		.naddr = 1,
	};
	return PLAN_USE;
}

/* By itself: USED, unless there are others before it. */
static struct plan_address judge(struct ip ip, const struct plan_rules *rules)
{
	struct plan_address p = { .ip = ip };
	p.network = refused_by(rules->config, ip);
	if (is_own(rules, ip))
		p.verdict = VERDICT_OWN;
	else if (!is_wanted(rules->config, ip.family))
		p.verdict = VERDICT_FAMILY;
	else if (p.network)
		p.verdict = VERDICT_REFUSED;
	return p;
}

static bool is_before(const struct plan_address *p, size_t n, struct ip ip)
{
	for (size_t i = 0; i < n; i++)
		if (ip_equal(p[i].ip, ip))
			return true;
	return false;
}

static bool is_chosen(const struct candidate *c, struct ip ip)
{
	for (size_t i = 0; c && i < c->naddr; i++)
		if (ip_equal(c->addr[i].ip, ip))
			return true;
	return false;
}

size_t plan_explain(const struct dns_answer *a, const struct dns_answer *aaaa,
		    const struct plan_rules *rules, const struct candidate *c,
		    struct plan_address *ret)
{
	const struct dns_answer *answers[] = { a, aaaa };
	size_t n = 0;
	for (size_t k = 0; k < 2; k++) {
		if (!answers[k] || answers[k]->state != DNS_OK)
			continue;
		for (size_t i = 0; i < answers[k]->nrr && i < LIMIT_DNS_RRS; i++) {
			struct plan_address p = judge(answers[k]->rr[i].ip, rules);
			if (p.verdict == VERDICT_USED && is_before(ret, n, p.ip))
				p.verdict = VERDICT_TWICE;
			else if (p.verdict == VERDICT_USED && c && !is_chosen(c, p.ip))
				p.verdict = VERDICT_SURPLUS;
			ret[n++] = p;
		}
	}
	return n;
}

struct plan_address plan_explain_literal(struct ip ip, const struct plan_rules *rules)
{
	return judge(ip, rules);
}
