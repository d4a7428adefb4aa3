/* SPDX-License-Identifier: ISC */
#include "flow/lookup.h"

#include "core/route.h"
#include "net/own.h"

struct host {
	const struct dns_answer *a, *aaaa; /* NULL: not asked */
	enum plan_say say;
	struct candidate candidate;
	struct error why;
};

struct lookup {
	const struct services *sv;
	struct route route;
	struct mxlist list;
	struct host host[LIMIT_MX];
	size_t next, judged; /* hosts before `judged` have a `say` */
};

static bool ask_addresses(struct arena *a, struct lookup *l, struct error *err)
{
	enum config_family family = l->sv->config->address_family;
	for (size_t i = 0; i < l->list.n; i++) {
		struct host *h = &l->host[i];
		const char *name = l->list.mx[i].host;
		if (family != FAMILY_IPV6 &&
		    !(h->a = resolver_ask(l->sv->resolver, a, name, DNS_A)))
			return err_nomem(err);
		if (family != FAMILY_IPV4 &&
		    !(h->aaaa = resolver_ask(l->sv->resolver, a, name, DNS_AAAA)))
			return err_nomem(err);
	}
	return true;
}

static bool ask_mx(struct arena *a, struct lookup *l, struct deadline until, struct error *err)
{
	const struct services *sv = l->sv;
	const struct dns_answer *mx = resolver_ask(sv->resolver, a, l->route.domain, DNS_MX);
	if (!mx)
		return err_nomem(err);
	resolver_wait(sv->resolver, &mx, 1, until);

	struct mxlist_rules rules = { .max = sv->config->max_mx, .self = sv->own_name };
	return mxlist_build(mx, &rules, sv->rng, &l->list, err) && ask_addresses(a, l, err);
}

bool lookup_open(struct arena *a, const struct services *sv, const char *domain,
		 struct deadline until, struct lookup **ret, struct error *err)
{
	struct lookup *l = ARENA_NEW(a, struct lookup, 1);
	if (!l)
		return err_nomem(err);
	l->sv = sv;
	if (!route_decide(domain, &l->route, err))
		return false;
	if (l->route.kind == ROUTE_MX && !ask_mx(a, l, until, err))
		return false;
	if (l->route.kind == ROUTE_LITERAL) {
		l->list.n = 1;
		l->list.mx[0] = (struct mx){ .host = domain };
	}
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

static void judge_host(struct lookup *l, size_t i)
{
	struct ip asked[2 * LIMIT_DNS_RRS], own[2 * LIMIT_DNS_RRS];
	struct host *h = &l->host[i];
	size_t n = add_addresses(h->aaaa, asked, add_addresses(h->a, asked, 0));
	const struct plan_rules rules = {
		.config = l->sv->config,
		.own = own,
		.nown = own_addresses(asked, n, own),
	};
	h->say = plan_host(&l->list.mx[i], h->a, h->aaaa, &rules, l->sv->rng, &h->candidate,
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
		if (l->host[i].a)
			need[n++] = l->host[i].a;
		if (l->host[i].aaaa)
			need[n++] = l->host[i].aaaa;
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

static void judge_literal(struct lookup *l)
{
	struct host *h = &l->host[0];
	struct ip own;
	const struct plan_rules rules = {
		.config = l->sv->config,
		.own = &own,
		.nown = own_addresses(&l->route.literal, 1, &own),
	};
	h->say = plan_literal(l->route.domain, l->route.literal, &rules, &h->candidate, &h->why);
	l->judged = 1;
}

enum lookup_say lookup_next(struct lookup *l, struct deadline until, struct candidate *ret,
			    struct error *err)
{
	if (l->next >= l->list.n)
		return LOOKUP_END;
	if (l->next >= l->judged) {
		if (l->route.kind == ROUTE_LITERAL)
			judge_literal(l);
		else
			judge_group(l, until);
	}
	struct host *h = &l->host[l->next];
	const struct mx *mx = &l->list.mx[l->next++];
	if (h->say == PLAN_USE) {
		*ret = h->candidate;
		return LOOKUP_CANDIDATE;
	}
	*ret = (struct candidate){ .host = mx->host, .pref = mx->pref };
	*err = h->why;
	return LOOKUP_SKIPPED;
}
