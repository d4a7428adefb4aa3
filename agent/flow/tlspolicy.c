/* SPDX-License-Identifier: ISC */
#include "flow/tlspolicy.h"

#include "flow/stspolicy.h"
#include "flow/tlsreport.h"

struct tlspolicy {
	struct arena *arena;
	const struct services *sv;
	struct tlspolicy_request rq;
	const struct dns_answer *sts_txt, *rpt_txt; /* NULL: not asked */
	bool sts_known;
	struct stspolicy sts;
};

static const struct dns_answer *ask_txt(struct tlspolicy *p, const char *label)
{
	const char *name = arena_fmt(p->arena, "%s.%s", label, p->rq.domain);
	return name ? resolver_ask(p->sv->resolver, p->arena, name, DNS_TXT) : NULL;
}

struct tlspolicy *tlspolicy_open(struct arena *a, const struct services *sv,
				 const struct tlspolicy_request *rq)
{
	struct tlspolicy *p = ARENA_NEW(a, struct tlspolicy, 1);
	if (!p)
		return NULL;
	p->arena = a;
	p->sv = sv;
	p->rq = *rq;
	if (rq->literal || rq->host)
		return p;
	bool want_sts = sv->config->mta_sts && (!rq->tls_required_no || rq->requiretls);
	if (want_sts && !(p->sts_txt = ask_txt(p, "_mta-sts")))
		return NULL;
	if (sv->config->tlsrpt_socket[0] && !(p->rpt_txt = ask_txt(p, "_smtp._tls")))
		return NULL;
	return p;
}

static const struct dns_answer *ask_tlsa(struct tlspolicy *p, const char *host)
{
	const char *name = tlsa_name(p->arena, host, p->sv->config->smtp_port);
	return name ? resolver_ask(p->sv->resolver, p->arena, name, DNS_TLSA) : NULL;
}

bool tlspolicy_ask(struct tlspolicy *p, struct tlspolicy_host *h, struct error *err)
{
	if (!demand_wants_tlsa(p->sv->config, h->mx_secure, true))
		return true;
	h->tlsa = ask_tlsa(p, h->name);
	return h->tlsa ? true : err_nomem(err);
}

static void wait_for(struct tlspolicy *p, const struct dns_answer *answer, struct deadline until)
{
	if (answer && answer->state == DNS_PENDING)
		resolver_wait(p->sv->resolver, &answer, 1, until);
}

/* An answer without addresses has none that could be forged. */
static bool is_secure(const struct dns_answer *answer)
{
	return !answer || answer->state != DNS_OK || answer->authentic;
}

static const char *alias_of(const struct tlspolicy_host *h)
{
	const struct dns_answer *answers[] = { h->a, h->aaaa };
	for (size_t i = 0; i < 2; i++) {
		const struct dns_answer *d = answers[i];
		if (d && d->state == DNS_OK && strcmp(d->canonical, h->name) != 0)
			return d->canonical;
	}
	return NULL;
}

/*
 * RFC 7672 2.2.2 and 2.2.3: with a secure CNAME chain the records at its end come first, then those
 * at the host's own name; with a chain that leaves DNSSEC behind only the latter, and only if the
 * host's CNAME itself is secure.
 */
static bool find_tlsa(struct tlspolicy *p, struct tlspolicy_host *h, struct deadline until,
		      bool *ret_address_secure, struct error *err)
{
	bool secure = is_secure(h->a) && is_secure(h->aaaa);
	const char *alias = alias_of(h);

	h->tlsa_used = NULL;
	h->tlsa_base = h->name;
	*ret_address_secure = secure;
	if (!h->tlsa)
		return true;
	if (!secure && alias) {
		const struct dns_answer *cname =
			resolver_ask(p->sv->resolver, p->arena, h->name, DNS_CNAME);
		if (!cname)
			return err_nomem(err);
		wait_for(p, cname, until);
		*ret_address_secure = cname->state == DNS_OK && cname->authentic;
	}
	if (!*ret_address_secure)
		return true;
	if (secure && alias) {
		const struct dns_answer *at_end = ask_tlsa(p, alias);
		if (!at_end)
			return err_nomem(err);
		wait_for(p, at_end, until);
		if (at_end->state == DNS_TEMP || (at_end->state == DNS_OK && at_end->authentic)) {
			h->tlsa_used = at_end;
			h->tlsa_base = alias;
			return true;
		}
	}
	wait_for(p, h->tlsa, until);
	h->tlsa_used = h->tlsa;
	return true;
}

static bool find_sts(struct tlspolicy *p, struct deadline until, struct error *err)
{
	if (p->sts_known || !p->sts_txt)
		return true;
	wait_for(p, p->sts_txt, until);
	if (!stspolicy_find(p->arena, p->sv, p->sts_txt, until, &p->sts, err))
		return false;
	p->sts_known = true;
	if (p->sts.failed) {
		static const struct tlspolicy_host nobody = { .name = "" };
		struct tlsrpt_result r = tlspolicy_report(p, &nobody, until);
		r.policy = POLICY_STS;
		r.info = p->sts.why.text;
		r.failure = p->sts.webpki    ? TLSRPT_STS_WEBPKI_INVALID
			    : p->sts.invalid ? TLSRPT_STS_POLICY_INVALID
					     : TLSRPT_STS_POLICY_FETCH_ERROR;
		tlsreport_send(p->arena, p->sv, &r);
		const char *line = arena_fmt(p->arena, "%s: mta-sts policy not in force: %s",
					     p->rq.domain, p->sts.why.text);
		if (line)
			p->sv->journal.log(p->sv->journal.self, line);
	}
	return true;
}

bool tlspolicy_demand(struct tlspolicy *p, struct tlspolicy_host *h, struct deadline until,
		      struct error *err)
{
	struct demand_facts f = {
		.domain = p->rq.domain,
		.host = h->name,
		.literal = p->rq.literal,
		.implicit_mx = h->implicit_mx,
		.mx_secure = h->mx_secure,
		.requiretls = p->rq.requiretls,
		.tls_required_no = p->rq.tls_required_no,
	};
	if (!find_tlsa(p, h, until, &f.address_secure, err))
		return false;
	h->address_secure = f.address_secure;
	f.tlsa = h->tlsa_used;
	f.tlsa_base = h->tlsa_base;
	if (!demand_dane_applies(p->sv->config, &f)) {
		if (!find_sts(p, until, err))
			return false;
		f.sts = p->sts.policy;
		/* Without an answer nobody knows whether there is one. */
		f.sts_failed = p->sts.failed ||
			       (p->sts_txt && p->sts_txt->state == DNS_TEMP && !p->sts.policy);
	}
	return demand_decide(p->arena, p->sv->config, &f, &h->demand, err);
}

struct tlspolicy_sts tlspolicy_sts(const struct tlspolicy *p)
{
	return (struct tlspolicy_sts){ p->sts_txt, p->sts_known ? &p->sts : NULL };
}

static enum tlsrpt_failure failure_of(const struct tlspolicy_host *h)
{
	if (h->tlsa_used && h->tlsa_used->state == DNS_TEMP)
		return TLSRPT_DNSSEC_INVALID;
	return h->demand.policy == POLICY_NONE ? TLSRPT_DANE_REQUIRED : TLSRPT_VALIDATION_FAILURE;
}

struct tlsrpt_result tlspolicy_report(struct tlspolicy *p, const struct tlspolicy_host *h,
				      struct deadline until)
{
	struct tlsrpt_result r = {
		.domain = p->rq.domain,
		.policy = h->demand.policy,
		.sts = p->sts.policy,
		.tlsa = h->tlsa_used,
		.tlsa_base = h->tlsa_base,
		.mx = h->name,
		.failure = failure_of(h),
	};
	if (p->rpt_txt) {
		wait_for(p, p->rpt_txt, until);
		r.record = tlsrpt_record(p->arena, p->rpt_txt);
	}
	return r;
}
