/* SPDX-License-Identifier: ISC */
#include "core/demand.h"

/* One voice among those that demand something. */
struct voice {
	enum demand_level level;
	const char *name;
};
enum { VOICE_REQUIRETLS, VOICE_DANE, VOICE_STS, VOICE_CONFIG, VOICES }; /* the first one counts */

enum dane_sight {
	DANE_NOT_THERE,
	DANE_UNKNOWN, /* there may be records, and somebody may want them not to be seen */
	DANE_THERE,
};

/* The facts, and what follows from them. */
struct sight {
	const struct demand_facts *f;
	enum dane_sight dane;
	const struct sts_policy *sts; /* of mode enforce or testing */
	bool waived;                  /* DANE and MTA-STS have no say (RFC 8689 section 5) */
	struct voice voice[VOICES];
	size_t first; /* the voice that demands the level first */
};

bool demand_wants_tlsa(const struct config *c, bool mx_secure, bool address_secure)
{
	/* RFC 7672 sections 2.2.1 and 2.2.2: behind an answer that can be forged, records prove
	 * nothing. */
	return (c->dane || c->tls == TLS_DANE_ONLY) && mx_secure && address_secure;
}

static enum dane_sight see_dane(const struct config *c, const struct demand_facts *f)
{
	if (!f->tlsa || f->literal || !demand_wants_tlsa(c, f->mx_secure, f->address_secure))
		return DANE_NOT_THERE;
	switch (f->tlsa->state) {
	case DNS_OK:
		return f->tlsa->authentic ? DANE_THERE : DANE_NOT_THERE;
	case DNS_NODATA:
	case DNS_NXDOMAIN:
		return DANE_NOT_THERE;
	case DNS_PENDING:
	case DNS_TEMP:
		break;
	}
	return DANE_UNKNOWN;
}

bool demand_dane_applies(const struct config *c, const struct demand_facts *f)
{
	return see_dane(c, f) != DANE_NOT_THERE;
}

static enum demand_level floor_of(const struct config *c)
{
	bool tls_first = c->smtp_port == PORT_SUBMISSIONS;
	switch (c->tls) {
	case TLS_NONE:
		return tls_first ? DEMAND_ENCRYPT : DEMAND_NONE;
	case TLS_MAY:
		return tls_first ? DEMAND_ENCRYPT : DEMAND_MAY;
	case TLS_ENCRYPT:
		return DEMAND_ENCRYPT;
	case TLS_VERIFY:
		return DEMAND_VERIFY;
	case TLS_DANE_ONLY:
		break;
	}
	return DEMAND_DANE;
}

/* RFC 8461 section 2: where DANE speaks, MTA-STS does not. */
static bool hears_sts(const struct sight *s)
{
	return s->sts && s->dane == DANE_NOT_THERE && !s->waived;
}

/* Who demands what; `usable`: of the TLSA records at least one is. */
static void ask_all(struct sight *s, const struct config *c, bool usable)
{
	/* RFC 7672 section 2.2: records of which none is usable still demand encryption. */
	enum demand_level dane = usable ? DEMAND_DANE : DEMAND_ENCRYPT;
	bool enforce = hears_sts(s) && s->sts->mode == STS_ENFORCE;
	s->voice[VOICE_REQUIRETLS] = (struct voice){
		s->f->requiretls ? DEMAND_VERIFY : DEMAND_NONE,
		"requiretls",
	};
	s->voice[VOICE_DANE] = (struct voice){
		s->dane == DANE_THERE && !s->waived ? dane : DEMAND_NONE,
		"dane",
	};
	s->voice[VOICE_STS] = (struct voice){
		enforce ? DEMAND_VERIFY : DEMAND_NONE,
		"mta-sts enforce",
	};
	s->voice[VOICE_CONFIG] = (struct voice){ floor_of(c), "configured" };
}

/* The highest level, and the first voice that demands it. */
static void settle_level(struct sight *s, struct demand *d)
{
	for (size_t i = 0; i < VOICES; i++) {
		if (s->voice[i].level <= d->level)
			continue;
		d->level = s->voice[i].level;
		s->first = i;
	}
	/* Up to DEMAND_MAY nothing is demanded. */
	d->because = d->level > DEMAND_MAY ? s->voice[s->first].name : "";
}

/*
 * RFC 8689 section 4.2.1: the name of an MX host must come from a signed answer or stand in the
 * MTA-STS policy, in either mode. Without MX the name is the one that the mail is addressed to:
 * nobody can have forged it.
 */
static bool is_vouched_for(const struct sight *s)
{
	const struct demand_facts *f = s->f;
	return f->mx_secure || f->implicit_mx || (s->sts && sts_allows(s->sts, f->host));
}

static bool refuse_requiretls(const struct sight *s, struct demand *d, struct error *err)
{
	d->because = s->voice[VOICE_REQUIRETLS].name;
	if (s->f->literal)
		return err_set(err, ERR_PERM, ESC(5, 7, 30),
			       "REQUIRETLS needs a name to verify, and %s has none", s->f->host);
	if (s->f->sts_failed)
		return err_set(err, ERR_TEMP, ESC(4, 7, 5),
			       "REQUIRETLS needs the MTA-STS policy of %s, which could not be had",
			       s->f->domain);
	return err_set(err, ERR_PERM, ESC(5, 7, 30),
		       "REQUIRETLS needs DNSSEC or MTA-STS to vouch for %s, and neither does",
		       s->f->host);
}

static bool refuse_config(const struct sight *s, struct demand *d, struct error *err)
{
	d->because = s->voice[VOICE_CONFIG].name;
	if (d->level == DEMAND_VERIFY)
		return err_set(err, ERR_TEMP, ESC(4, 7, 5),
			       "tls = verify needs a name, and %s has none", s->f->host);
	return err_set(err, ERR_TEMP, ESC(4, 7, 5),
		       "tls = dane-only needs usable TLSA records secured by DNSSEC, and %s has "
		       "none",
		       s->f->host);
}

/* False: *err says why this host is not used, and d->because on whose behalf. */
static bool may_be_used(const struct sight *s, struct demand *d, struct error *err)
{
	const struct demand_facts *f = s->f;
	/* RFC 7672 section 2.1: whoever makes the lookup fail may hide the records. */
	if (s->dane == DANE_UNKNOWN && !s->waived) {
		d->because = s->voice[VOICE_DANE].name;
		return err_set(err, ERR_TEMP, ESC(4, 7, 5), "TLSA lookup of %s: %s", f->tlsa->name,
			       f->tlsa->why);
	}
	/* RFC 8461 section 4.1. */
	if (s->voice[VOICE_STS].level == DEMAND_VERIFY && !sts_allows(s->sts, f->host)) {
		d->because = s->voice[VOICE_STS].name;
		return err_set(err, ERR_TEMP, ESC(4, 7, 5),
			       "the MTA-STS policy of %s does not list %s", f->domain, f->host);
	}
	if (f->requiretls && (f->literal || !is_vouched_for(s)))
		return refuse_requiretls(s, d, err);
	if ((d->level == DEMAND_DANE && d->ntlsa == 0) || (d->level == DEMAND_VERIFY && f->literal))
		return refuse_config(s, d, err);
	return true;
}

static void add_name(struct demand *d, const char *name)
{
	for (size_t i = 0; i < d->nnames; i++)
		if (span_equal_nocase(span_of(d->names[i]), span_of(name)))
			return;
	d->names[d->nnames++] = name;
}

static void settle_names(const struct sight *s, struct demand *d)
{
	const struct demand_facts *f = s->f;
	d->sni = f->literal ? NULL : f->host;
	if (d->level == DEMAND_DANE) {
		/* RFC 7672 section 3.2.2; the domain counts because the way from it to the host is
		 * signed. */
		d->sni = f->tlsa_base;
		add_name(d, f->tlsa_base);
		add_name(d, f->host);
		add_name(d, f->domain);
		return;
	}
	d->tlsa = NULL;
	d->ntlsa = 0;
	/* RFC 8461 section 4.2 and RFC 8689 section 4.2.1 have the host's name only. */
	if (d->level == DEMAND_VERIFY || d->sts_testing)
		add_name(d, f->host);
	if (d->level == DEMAND_VERIFY && s->first == VOICE_CONFIG)
		add_name(d, f->domain);
}

static enum demand_policy policy_of(const struct sight *s)
{
	if (s->dane == DANE_THERE || (s->dane == DANE_UNKNOWN && !s->waived))
		return POLICY_DANE;
	return s->sts ? POLICY_STS : POLICY_NONE;
}

bool demand_decide(struct arena *a, const struct config *c, const struct demand_facts *f,
		   struct demand *ret, struct error *err)
{
	struct demand d = { .because = "", .requiretls = f->requiretls };
	struct sight s = {
		.f = f,
		.dane = see_dane(c, f),
		.sts = c->mta_sts && !f->literal && f->sts && f->sts->mode != STS_NONE ? f->sts
										       : NULL,
		.waived = f->tls_required_no && !f->requiretls,
	};
	d.policy = policy_of(&s);
	if (s.dane == DANE_THERE && !tlsa_select(a, f->tlsa, &d.tlsa, &d.ntlsa)) {
		*ret = d;
		return err_nomem(err);
	}
	ask_all(&s, c, d.ntlsa > 0);
	settle_level(&s, &d);
	bool good = may_be_used(&s, &d, err);
	if (good) {
		d.sts_testing = hears_sts(&s) && s.sts->mode == STS_TESTING;
		settle_names(&s, &d);
	}
	*ret = d;
	return good;
}

const char *demand_level_name(enum demand_level level)
{
	switch (level) {
	case DEMAND_NONE:
		return "none";
	case DEMAND_MAY:
		return "may";
	case DEMAND_ENCRYPT:
		return "encrypt";
	case DEMAND_VERIFY:
		return "verify";
	case DEMAND_DANE:
		break;
	}
	return "dane";
}
