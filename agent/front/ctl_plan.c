/* SPDX-License-Identifier: ISC */
#include "flow/stspolicy.h"
#include "front/ctl_plan.h"

/* ---- words ---- */

const char *plan_level(const struct preview_host *h)
{
	if (!h->demand.because)
		return "-";
	return h->used ? demand_level_name(h->demand.level) : "refused";
}

const char *plan_refusal(struct page *p, const struct plan_address *address)
{
	char network[IP_TEXT];
	switch (address->verdict) {
	case VERDICT_USED:
		break;
	case VERDICT_SURPLUS:
		return "over max_addresses";
	case VERDICT_TWICE:
		return "given twice";
	case VERDICT_REFUSED:
		ip_format(address->network->ip, network);
		return page_fmt(p, "in refused_networks: %s/%u", network,
				(unsigned)address->network->bits);
	case VERDICT_FAMILY:
		return "not wanted: address_family";
	case VERDICT_OWN:
		return "this machine: mail would loop";
	}
	return "";
}

const char *plan_mx_refusal(const struct preview_mx *mx)
{
	switch (mx->verdict) {
	case MX_LISTED:
		break;
	case MX_NULL:
		return "null MX";
	case MX_NOT_A_HOST:
		return "not the name of a host";
	case MX_TWICE:
		return "named again with a better preference";
	case MX_OURS:
		return "our own name: mail would loop";
	case MX_BEHIND_US:
		return "at or behind the preference of this machine";
	case MX_SURPLUS:
		return "over max_mx";
	}
	return "";
}

const char *plan_mode(const struct sts_policy *policy)
{
	static const char *const modes[] = { "none", "testing", "enforce" };
	return modes[policy->mode];
}

struct plan_tlsa plan_tlsa(struct page *p, const struct preview_host *h)
{
	const struct dns_answer *d = h->tls->tlsa_used;
	const struct tlsa *usable;
	struct plan_tlsa t = { .name = NULL };
	if (!d || d->state != DNS_OK || !d->authentic)
		return t;
	if (!tlsa_select(p->arena, d, &usable, &t.usable))
		p->nomem = true;
	t.name = page_text(p, span_of(d->name));
	t.records = d->nrr;
	return t;
}

static const char *dane_reason(struct page *p, const struct config *c, const struct preview_host *h)
{
	const struct dns_answer *d = h->tls->tlsa_used;
	struct plan_tlsa t = plan_tlsa(p, h);
	if (t.name)
		return page_fmt(p, "%zu of %zu TLSA records of %s usable", t.usable, t.records,
				t.name);
	if (!demand_wants_tlsa(c, true, true))
		return "dane = no";
	if (!h->tls->mx_secure)
		return "no TLSA lookup: MX answer not signed";
	if (!d)
		return "no TLSA lookup: addresses not signed";
	if (d->state == DNS_TEMP)
		return page_fmt(p, "TLSA lookup: %s", d->why);
	return d->state == DNS_OK ? "TLSA records not signed" : "no TLSA records";
}

static const char *sts_reason(struct page *p, const struct plan_report *r,
			      const struct preview_host *h)
{
	const struct stspolicy *sts = r->preview->sts;
	if (!r->services->config.mta_sts)
		return "mta_sts = no";
	if (sts && sts->policy && sts->policy->mode == STS_NONE)
		return "MTA-STS policy of mode none";
	if (sts && sts->policy)
		return page_fmt(p, "MTA-STS policy (%s) %s it", plan_mode(sts->policy),
				sts_allows(sts->policy, h->name) ? "lists" : "does not list");
	return sts && sts->failed ? "MTA-STS policy not to be had" : "no MTA-STS policy";
}

/* MTA-STS is not heard where DANE speaks (RFC 8461 section 2). */
const char *plan_reason(struct page *p, const struct plan_report *r, const struct preview_host *h)
{
	if (r->preview->route == NEXTHOP_LITERAL)
		return "an address literal has no name to prove";
	const char *dane = dane_reason(p, &r->services->config, h);
	if (h->demand.policy == POLICY_DANE)
		return dane;
	return page_fmt(p, "%s; %s", dane, sts_reason(p, r, h));
}

/* ---- the command ---- */

static bool probe_all(struct arena *a, struct ctl_services *s, const struct preview *p,
		      const struct probe **ret, struct error *err)
{
	struct probe *probe = ARENA_NEW(a, struct probe, p->nstep + 1);
	if (!probe)
		return err_nomem(err);
	for (size_t i = 0; i < p->nstep; i++)
		if (!preview_probe(a, &s->services, p, p->step[i], &probe[i], err))
			return false;
	*ret = probe;
	return true;
}

static bool is_deliverable(const struct plan_report *r)
{
	bool good = r->probe == NULL;
	for (size_t i = 0; r->probe && i < r->preview->nstep; i++)
		good = good || r->probe[i].outcome.event == EVENT_NONE ||
		       r->probe[i].outcome.event == EVENT_TLS_BROKEN; /* plain, at the end */
	return good && r->preview->nstep > 0 && !r->preview->down;
}

static bool make(struct arena *a, const struct ctl *c, struct ctl_services *s,
		 bool *ret_deliverable, struct error *err)
{
	struct page page = { .out = c->out, .arena = a, .now = c->now, .bold = c->bold };
	struct preview preview;
	struct plan_report report = { .services = s, .preview = &preview };
	struct deadline until = deadline_in(io_now(c->tools->io), s->config.deadline);
	if (!preview_make(a, &s->services, s->domain, until, &preview, err))
		return false;
	if (c->flags & CTL_PROBE && !probe_all(a, s, &preview, &report.probe, err))
		return false;
	report.deliverable = is_deliverable(&report);
	if (c->flags & CTL_JSON)
		plan_json(&page, &report);
	else
		plan_page(&page, &report);
	*ret_deliverable = report.deliverable;
	return page.nomem ? err_nomem(err) : true;
}

bool ctl_plan(struct arena *a, const struct ctl *c, bool *ret_findings, struct error *err)
{
	struct ctl_services *s = ARENA_NEW(a, struct ctl_services, 1);
	const char *domain;
	bool deliverable = false;
	if (!s)
		return err_nomem(err);
	if (!ctl_domain(a, c->operand[0], &domain, err) || !ctl_services_open(a, c, domain, s, err))
		return false;
	bool ok = make(a, c, s, &deliverable, err);
	ctl_services_close(s);
	*ret_findings = !deliverable;
	return ok;
}
