/* SPDX-License-Identifier: ISC */
#include "flow/lookup.h"

#include "net/own.h"

struct host {
	struct tlspolicy_host tls; /* with the addresses */
	enum plan_say say;
	struct candidate candidate;
	struct error why;
};

struct lookup {
	const struct services *sv;
	struct nexthop to;
	struct tlspolicy *policy;
	struct mxlist list;
	struct host host[LIMIT_MX];
	size_t next, judged; /* hosts before `judged` have a `say` */
};

bool lookup_resolver(const struct config *c, struct io *io, struct rng *rng, struct resolver **ret,
		     struct error *err)
{
	const struct resolver_options o = {
		.servers = c->dns_servers,
		.nservers = c->ndns_servers,
		.timeout_ms = c->dns_timeout,
		.trust_ad = c->dns_trust_ad,
	};
	return resolver_open(&o, io, rng, ret, err);
}

static void add_only_host(struct lookup *l)
{
	bool named = l->to.kind == NEXTHOP_HOST;
	l->list.n = 1;
	l->list.mx[0] = (struct mx){ .host = l->to.name };
	l->list.implicit = l->list.authentic = named;
	l->host[0].tls.name = l->to.name;
}

/* All at once: addresses, and TLSA records where the MX answer is good enough for DANE. */
static bool ask_hosts(struct arena *a, struct lookup *l, struct error *err)
{
	enum config_family family = l->sv->config->address_family;
	for (size_t i = 0; i < l->list.n; i++) {
		struct tlspolicy_host *h = &l->host[i].tls;
		const char *name = l->list.mx[i].host;
		h->name = name;
		h->implicit_mx = l->list.implicit;
		h->mx_secure = l->list.authentic;
		if (family != FAMILY_IPV6 &&
		    !(h->a = resolver_ask(l->sv->resolver, a, name, DNS_A)))
			return err_nomem(err);
		if (family != FAMILY_IPV4 &&
		    !(h->aaaa = resolver_ask(l->sv->resolver, a, name, DNS_AAAA)))
			return err_nomem(err);
		if (!tlspolicy_ask(l->policy, h, err))
			return false;
	}
	return true;
}

static bool ask_mx(struct arena *a, struct lookup *l, struct deadline until, struct error *err)
{
	const struct services *sv = l->sv;
	const struct dns_answer *mx = resolver_ask(sv->resolver, a, l->to.name, DNS_MX);
	if (!mx)
		return err_nomem(err);
	resolver_wait(sv->resolver, &mx, 1, until);

	struct mxlist_rules rules = { .max = sv->config->max_mx, .self = sv->own_name };
	return mxlist_build(mx, &rules, sv->rng, &l->list, err) && ask_hosts(a, l, err);
}

bool lookup_open(struct arena *a, const struct services *sv, const struct lookup_request *rq,
		 struct lookup **ret, struct error *err)
{
	struct lookup *l = ARENA_NEW(a, struct lookup, 1);
	if (!l)
		return err_nomem(err);
	l->sv = sv;
	l->to = rq->to;
	const struct tlspolicy_request policy = {
		.domain = rq->to.name,
		.literal = l->to.kind == NEXTHOP_LITERAL,
		.host = l->to.kind == NEXTHOP_HOST,
		.requiretls = rq->requiretls,
		.tls_required_no = rq->tls_required_no,
	};
	l->policy = tlspolicy_open(a, sv, &policy);
	if (!l->policy)
		return err_nomem(err);
	if (l->to.kind == NEXTHOP_MX && !ask_mx(a, l, rq->until, err))
		return false;
	if (l->to.kind != NEXTHOP_MX)
		add_only_host(l);
	if (l->to.kind == NEXTHOP_HOST && !ask_hosts(a, l, err))
		return false;
	*ret = l;
	return true;
}

static size_t add_addresses(const struct dns_answer *answer, struct ip *ret, size_t n)
{
	if (!answer || answer->state != DNS_OK)
		return n;
	for (size_t i = 0; i < answer->nrr && i < LIMIT_DNS_RRS; i++)
		ret[n++] = answer->rr[i].ip;
	return n;
}

/* `own` has room for all addresses of both answers. */
static struct plan_rules rules_for(const struct lookup *l, const struct host *h, struct ip *own)
{
	struct ip asked[2 * LIMIT_DNS_RRS];
	size_t n = add_addresses(h->tls.aaaa, asked, add_addresses(h->tls.a, asked, 0));
	return (struct plan_rules){
		.config = l->sv->config,
		.own = own,
		.nown = own_addresses(asked, n, own),
	};
}

static void judge_host(struct lookup *l, size_t i)
{
	struct ip own[2 * LIMIT_DNS_RRS];
	struct host *h = &l->host[i];
	const struct plan_rules rules = rules_for(l, h, own);
	h->say = plan_host(&l->list.mx[i], h->tls.a, h->tls.aaaa, &rules, l->sv->rng, &h->candidate,
			   &h->why);
}

static size_t group_end(const struct lookup *l, size_t from)
{
	size_t end = from;
	while (end < l->list.n && l->list.mx[end].pref == l->list.mx[from].pref)
		end++;
	return end;
}

/* Wait for the hosts of one preference and judge them. RFC 5321 5.1: if one of them is this
 * machine, the mail goes only to hosts of better preference, so the list ends with that one. */
static void judge_group(struct lookup *l, struct deadline until)
{
	const struct dns_answer *need[2 * LIMIT_MX];
	size_t n = 0, end = group_end(l, l->judged);

	for (size_t i = l->judged; i < end; i++) {
		if (l->host[i].tls.a)
			need[n++] = l->host[i].tls.a;
		if (l->host[i].tls.aaaa)
			need[n++] = l->host[i].tls.aaaa;
	}
	resolver_wait(l->sv->resolver, need, n, until);
	for (size_t i = l->judged; i < end; i++) {
		judge_host(l, i);
		if (l->host[i].say == PLAN_SELF) {
			l->host[l->next] = l->host[i];
			l->list.mx[l->next] = l->list.mx[i];
			l->list.n = l->judged = l->next + 1;
			return;
		}
	}
	l->judged = end;
}

static struct plan_rules rules_for_literal(const struct lookup *l, struct ip *own)
{
	return (struct plan_rules){
		.config = l->sv->config,
		.own = own,
		.nown = own_addresses(&l->to.literal, 1, own),
	};
}

static void judge_literal(struct lookup *l)
{
	struct host *h = &l->host[0];
	struct ip own;
	const struct plan_rules rules = rules_for_literal(l, &own);
	h->say = plan_literal(l->to.name, l->to.literal, &rules, &h->candidate, &h->why);
	l->judged = 1;
}

enum lookup_say lookup_next(struct lookup *l, struct deadline until, struct candidate *ret,
			    struct error *err)
{
	if (l->next >= l->list.n)
		return LOOKUP_END;
	if (l->next >= l->judged) {
		if (l->to.kind == NEXTHOP_LITERAL)
			judge_literal(l);
		else
			judge_group(l, until);
	}
	struct host *h = &l->host[l->next];
	const struct mx *mx = &l->list.mx[l->next++];
	if (h->say == PLAN_USE && tlspolicy_demand(l->policy, &h->tls, until, &h->why)) {
		h->candidate.demand = h->tls.demand;
		*ret = h->candidate;
		return LOOKUP_CANDIDATE;
	}
	*ret = (struct candidate){ .host = mx->host, .pref = mx->pref };
	*err = h->why;
	return LOOKUP_SKIPPED;
}

struct lookup_about lookup_about(const struct lookup *l)
{
	return (struct lookup_about){ l->to, &l->list, tlspolicy_sts(l->policy) };
}

bool lookup_explain(struct arena *a, const struct lookup *l, struct lookup_host *ret,
		    struct error *err)
{
	const struct host *h = &l->host[l->next - 1];
	struct plan_address *p = ARENA_NEW(a, struct plan_address, PLAN_VERDICTS);
	struct ip own[2 * LIMIT_DNS_RRS];
	if (!p)
		return err_nomem(err);
	*ret = (struct lookup_host){ .tls = &h->tls, .address = p };
	if (l->to.kind == NEXTHOP_LITERAL) {
		const struct plan_rules rules = rules_for_literal(l, own);
		p[0] = plan_explain_literal(l->to.literal, &rules);
		ret->naddress = 1;
		return true;
	}
	const struct plan_rules rules = rules_for(l, h, own);
	ret->naddress = plan_explain(h->tls.a, h->tls.aaaa, &rules,
				     h->say == PLAN_USE ? &h->candidate : NULL, p);
	return true;
}

struct tlsrpt_result lookup_report(struct lookup *l, const char *host, struct deadline until)
{
	size_t i = 0;
	while (i + 1 < l->list.n && strcmp(l->list.mx[i].host, host) != 0)
		i++;
	return tlspolicy_report(l->policy, &l->host[i].tls, until);
}
