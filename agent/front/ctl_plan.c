/* SPDX-License-Identifier: ISC */
#include "wire/addr.h"
#include "core/config_value.h"
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

/* What is not as in a route of which nothing is set; the rest has columns of its own. */
const char *plan_route_text(struct page *p, const struct route *route)
{
	static const char *const shown[] = { "priority", "user", "password_file" };
	struct route fresh;
	size_t n;
	const struct config_key *key = route_keys(&n);
	const char *text = "";
	route_init(&fresh, "", "");
	for (size_t i = 0; i < n; i++) {
		const char *value = config_value_text(p->arena, &key[i], route);
		const char *usual = config_value_text(p->arena, &key[i], &fresh);
		bool skip = false;
		for (size_t k = 0; k < sizeof(shown) / sizeof(shown[0]); k++)
			skip = skip || strcmp(key[i].name, shown[k]) == 0;
		if (!value || !usual)
			p->nomem = true;
		else if (!skip && strcmp(value, usual) != 0)
			text = page_fmt(p, "%s%s%s = %s", text, text[0] ? "; " : "", key[i].name,
					page_text(p, span_of(value)));
	}
	return text;
}

/* Nothing fits a sender that is not known, which is not to say that another one is. */
const char *plan_verdict(const struct plan_report *r, size_t i)
{
	enum route_verdict v = r->preview->ways.verdict[i];
	if (v == ROUTE_OTHER_SENDER && !r->request->sender)
		return "the sender is not known";
	return route_verdict_name(v);
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

static const char *sts_reason(struct page *p, const struct preview_way *w,
			      const struct preview_host *h)
{
	const struct stspolicy *sts = w->sts;
	if (!w->is->config.mta_sts)
		return "mta_sts = no";
	if (sts && sts->policy && sts->policy->mode == STS_NONE)
		return "MTA-STS policy of mode none";
	if (sts && sts->policy)
		return page_fmt(p, "MTA-STS policy (%s) %s it", plan_mode(sts->policy),
				sts_allows(sts->policy, h->name) ? "lists" : "does not list");
	return sts && sts->failed ? "MTA-STS policy not to be had" : "no MTA-STS policy";
}

/* MTA-STS is not heard where DANE speaks (RFC 8461 section 2). */
const char *plan_reason(struct page *p, const struct preview_way *w, const struct preview_host *h)
{
	if (w->is->to.kind == NEXTHOP_LITERAL)
		return "an address literal has no name to prove";
	const char *dane = dane_reason(p, &w->is->config, h);
	if (w->is->to.kind == NEXTHOP_HOST && w->is->route->user[0])
		return page_fmt(p, "the login needs it; %s", dane);
	if (h->demand.policy == POLICY_DANE || w->is->to.kind == NEXTHOP_HOST)
		return dane;
	return page_fmt(p, "%s; %s", dane, sts_reason(p, w, h));
}

/* What is answered at once: of the only way, or of the domain for good. Several ways have their own
 * reasons. */
const struct error *plan_trouble(const struct preview *v)
{
	bool hopeless = v->nstep == 0;
	for (size_t i = 0; v->nstep == 0 && i < v->ways.n; i++) {
		const struct preview_way *w = &v->way[i];
		bool for_good = !w->found && w->why.class == ERR_PERM;
		if (for_good && w->is->direct && !w->left_out)
			return &w->why;
		hopeless = hopeless && (for_good || (!w->found && v->ways.n == 1));
	}
	return hopeless ? &v->way[0].why : NULL;
}

bool plan_is_routed(const struct plan_report *r)
{
	return r->preview->ways.way[0].route != NULL;
}

/* ---- the command ---- */

static bool probe_all(struct arena *a, const struct preview *p, const struct probe **ret,
		      struct error *err)
{
	struct probe *probe = ARENA_NEW(a, struct probe, p->nstep + 1);
	if (!probe)
		return err_nomem(err);
	for (size_t i = 0; i < p->nstep; i++)
		if (!preview_probe(a, p, p->step[i], &probe[i], err))
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
	return good && r->preview->nstep > 0 && !r->preview->put_off;
}

/* "20M", as a size in the configuration. */
static bool read_size(struct arena *a, const char *text, uint64_t *ret, struct error *err)
{
	struct config scratch;
	struct error why = { .class = ERR_NONE };
	config_init(&scratch);
	if (!config_set(a, &scratch, "message_size_limit", &text, 1, &why))
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5),
			       "--size: \"%.50s\" is no size (K M G)", text);
	*ret = scratch.message_size_limit;
	return true;
}

static bool read_mail(struct arena *a, const struct ctl *c, struct preview_request *rq,
		      struct error *err)
{
	struct addr sender;
	rq->sized = c->size != NULL;
	if (c->size && !read_size(a, c->size, &rq->size, err))
		return false;
	if (!c->sender)
		return true;
	if (!addr_parse(a, span_of(c->sender), &sender, err))
		return err_wrap(err, "--sender");
	/* An address without its angle brackets, as a mail server has it. */
	struct span s = span_of(c->sender);
	bool bracketed = s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>';
	rq->sender = arena_str(a, bracketed ? (struct span){ s.p + 1, s.n - 2 } : s);
	return rq->sender || err_nomem(err);
}

static bool make(struct arena *a, const struct ctl *c, struct ctl_services *s,
		 bool *ret_deliverable, struct error *err)
{
	struct page page = { .out = c->out, .arena = a, .now = c->now, .bold = c->bold };
	struct preview preview;
	struct preview_request rq = {
		.domain = s->domain,
		.secrets = c->flags & CTL_PROBE,
		.until = deadline_in(io_now(c->tools->io), s->config.deadline),
	};
	struct plan_report report = { .services = s, .request = &rq, .preview = &preview };
	if (!read_mail(a, c, &rq, err) || !preview_make(a, &s->services, &rq, &preview, err))
		return false;
	if (c->flags & CTL_PROBE && !probe_all(a, &preview, &report.probe, err))
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
