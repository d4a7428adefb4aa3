/* SPDX-License-Identifier: ISC */
#include "front/ctl_check_sender.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flow/fitness.h"
#include "front/ctl_check_names.h"
#include "front/ctl_check_net.h"

static const struct dns_answer *ask(struct findings *f, const struct services *sv, const char *name,
				    enum dns_type type)
{
	const struct dns_answer *a = resolver_ask(sv->resolver, f->page->arena, name, type);
	if (!a) {
		f->page->nomem = true;
		return NULL;
	}
	resolver_wait(sv->resolver, &a, 1, deadline_in(io_now(sv->io), sv->config->dns_timeout));
	return a;
}

/* DNS could not say: that is not the sender's fault yet. */
static void unknown(struct findings *f, enum finding_kind kind, const struct dns_answer *a)
{
	findings_add(f, kind, FINDING_WARNING,
		     "See that the resolver works and that the name servers for this name answer, "
		     "and check again.",
		     "%s: %s", a->name, a->why);
}

static bool is_ours(struct ip ip)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = { .any = { 0 } };
	int fd = socket(ip.family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ip.family == 4) {
		at.v4.sin_family = AF_INET;
		memcpy(&at.v4.sin_addr, ip.b, 4);
	} else {
		at.v6.sin6_family = AF_INET6;
		memcpy(&at.v6.sin6_addr, ip.b, 16);
	}
	bool ours =
		fd >= 0 && bind(fd, &at.any, ip.family == 4 ? sizeof(at.v4) : sizeof(at.v6)) == 0;
	if (fd >= 0)
		close(fd);
	return ours;
}

/* The limit of each question is what counts. */
static struct fitness_dns dns_of(struct findings *f, const struct services *sv)
{
	return (struct fitness_dns){ f->page->arena, sv, { { INT64_MAX } } };
}

static void check_forward(struct findings *f, const struct check_source *s,
			  const struct fitness_reverse *r)
{
	if (r->forward.has == FITNESS_GOOD)
		findings_add(f, FIND_FORWARD, FINDING_OK, NULL, "%s has the address %s", r->name,
			     s->text);
	else if (r->forward.has == FITNESS_UNKNOWN)
		unknown(f, FIND_FORWARD, r->forward.answer);
	else
		findings_add(f, FIND_FORWARD, FINDING_FAILURE,
			     page_fmt(f->page, "Publish in the domain of that name: %s. %s %s",
				      r->name, s->ip.family == 4 ? "A" : "AAAA", s->text),
			     "%s does not have the address %s", r->name, s->text);
}

static void check_reverse(struct findings *f, const struct services *sv, struct check_source *s)
{
	const char *own =
		fitness_full_name(sv->own_name) ? sv->own_name : "a full name of this machine";
	const char *fix = page_fmt(f->page,
				   "Ask whoever gave you the address (provider, data centre) to "
				   "set its reverse name to %s.",
				   own);
	const struct fitness_dns dns = dns_of(f, sv);
	struct fitness_reverse r;
	if (!fitness_reverse(&dns, s->ip, &r)) {
		f->page->nomem = true;
		return;
	}
	s->reverse = r.ptr;
	if (r.named == FITNESS_UNKNOWN)
		unknown(f, FIND_REVERSE, r.ptr);
	else if (r.named == FITNESS_BAD)
		findings_add(f, FIND_REVERSE, FINDING_FAILURE, fix, "%s has no PTR record",
			     r.ptr->name);
	if (!r.name)
		return;
	findings_add(f, FIND_REVERSE, FINDING_OK, NULL, "%s%s", r.ptr->rr[0].name,
		     r.ptr->nrr > 1 ? ", and others" : "");
	check_forward(f, s, &r);
	const char *why = names_generic(f->page->arena, r.name, s->ip);
	findings_add(f, FIND_GENERIC, why ? FINDING_WARNING : FINDING_OK, fix, "%s",
		     why ? why : page_fmt(f->page, "%s looks like the name of a server", r.name));
}

static void check_address(struct findings *f, const struct services *sv, struct check_source *s,
			  bool chosen)
{
	const char *key = s->ip.family == 4 ? "source_ipv4" : "source_ipv6";
	ip_format(s->ip, s->text);
	f->about = page_fmt(f->page, "Address %s", s->text);
	if (ip_private(s->ip)) {
		findings_add(f, FIND_SOURCE, FINDING_WARNING,
			     page_fmt(f->page,
				      "Find out the address that others see, and check that one: "
				      "mxdirectctl check -o %s=ADDRESS.",
				      key),
			     "private: others see the address of a gateway");
		return;
	}
	if (chosen)
		findings_add(f, FIND_SOURCE, FINDING_OK, NULL, "that of the route to others");
	else if (is_ours(s->ip))
		findings_add(f, FIND_SOURCE, FINDING_OK, NULL, "set by %s", key);
	else
		findings_add(f, FIND_SOURCE, FINDING_FAILURE,
			     page_fmt(f->page,
				      "Give %s an address that this machine has; behind a gateway "
				      "leave it out.",
				      key),
			     "set by %s, but this machine does not have it", key);
	check_reverse(f, sv, s);
}

void check_addresses(struct findings *f, const struct services *sv, struct check_sources *ret)
{
	enum config_family allowed = sv->config->address_family;
	*ret = (struct check_sources){ .n = 0 };
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct check_source *s = &ret->source[ret->n];
		bool chosen;
		if (allowed == (family == 4 ? FAMILY_IPV6 : FAMILY_IPV4))
			continue;
		s->ip = check_source(sv->config, family, &chosen);
		if (s->ip.family == 0)
			continue;
		check_address(f, sv, s, chosen);
		ret->n++;
	}
	f->about = "Addresses";
	if (ret->n == 0)
		findings_add(f, FIND_SOURCE, FINDING_FAILURE,
			     "Give this machine a fixed address and a route, or name the address "
			     "with source_ipv4 or source_ipv6.",
			     "this machine has no route to others");
}

static bool is_reverse(const struct check_source *s, const char *name)
{
	for (size_t i = 0; i < s->reverse->nrr; i++)
		if (span_equal_nocase(span_of(s->reverse->rr[i].name), span_of(name)))
			return true;
	return false;
}

static void check_helo_at(struct findings *f, const struct services *sv,
			  const struct check_source *s)
{
	const char *name = sv->own_name, *type = s->ip.family == 4 ? "A" : "AAAA";
	const struct fitness_dns dns = dns_of(f, sv);
	struct fitness_forward forward;
	if (!fitness_forward(&dns, name, s->ip, &forward))
		f->page->nomem = true;
	else if (forward.has == FITNESS_GOOD)
		findings_add(f, FIND_HELO_ADDRESS, FINDING_OK, NULL, "it has the address %s",
			     s->text);
	else if (forward.has == FITNESS_UNKNOWN)
		unknown(f, FIND_HELO_ADDRESS, forward.answer);
	else
		findings_add(f, FIND_HELO_ADDRESS, FINDING_FAILURE,
			     page_fmt(f->page,
				      "Publish %s. %s %s, or set helo_name to a name that has "
				      "this address.",
				      name, type, s->text),
			     "it does not have the address %s", s->text);
	if (s->reverse->nrr == 0)
		return;
	const char *reverse = s->reverse->rr[0].name;
	if (is_reverse(s, name))
		findings_add(f, FIND_HELO_REVERSE, FINDING_OK, NULL, "it is the reverse name of %s",
			     s->text);
	else
		findings_add(f, FIND_HELO_REVERSE, FINDING_WARNING,
			     page_fmt(f->page,
				      "Have the reverse name of %s set to %s, or set helo_name to "
				      "that name if it is one of your own.",
				      s->text, name),
			     "the reverse name of %s is another one: %s", s->text, reverse);
}

void check_helo(struct findings *f, const struct services *sv, const struct check_sources *s)
{
	const char *name = sv->own_name;
	bool full = fitness_full_name(name);
	f->about = name[0] ? page_fmt(f->page, "HELO name %s", name) : "HELO name";
	findings_add(f, FIND_HELO_NAME, full ? FINDING_OK : FINDING_FAILURE,
		     "Set helo_name to the full name of this machine, such as mail.example.org.",
		     "%s",
		     full    ? "a full name"
		     : *name ? "not a full name"
			     : "this machine has no full name, so that its address is said");
	for (size_t i = 0; full && i < s->n; i++)
		if (s->source[i].reverse)
			check_helo_at(f, sv, &s->source[i]);
}

static enum finding_level level_of(enum spf_result result)
{
	enum fitness fit = fitness_spf(result);
	return fit == FITNESS_GOOD  ? FINDING_OK
	       : fit == FITNESS_BAD ? FINDING_FAILURE
				    : FINDING_WARNING;
}

static const char *spf_fix(struct page *p, const struct spf_answer *a, const struct check_source *s,
			   const char *domain)
{
	const char *term = page_fmt(p, "ip%u:%s", (unsigned)s->ip.family, s->text);
	if (a->result == SPF_NONE)
		return page_fmt(p, "Publish %s. TXT \"v=spf1 %s -all\".", domain, term);
	if (a->result == SPF_PERMERROR)
		return page_fmt(p, "Correct the SPF record of %s: receivers ignore it as it is.",
				domain);
	if (a->result == SPF_TEMPERROR)
		return page_fmt(p, "See that the name servers of %s answer, and check again.",
				domain);
	return page_fmt(p, "Add %s to the SPF record of %s, or send its mail elsewhere.", term,
			domain);
}

static bool check_spf(struct findings *f, const struct services *sv, const struct check_source *s,
		      const char *domain, struct error *err)
{
	const struct spf_question q = {
		.source = s->ip,
		.domain = domain,
		.local = "postmaster",
		.helo = sv->own_name,
	};
	struct spf_answer a;
	/* Its own limit is what counts. */
	struct deadline until = deadline_in(io_now(sv->io), sv->config->deadline);
	if (!spf_evaluate(f->page->arena, sv, &q, until, &a, err))
		return false;
	const char *why = spf_reason(&a);
	findings_add(f, FIND_SPF, level_of(a.result), spf_fix(f->page, &a, s, domain),
		     "%s for %s: %s", spf_result_name(a.result), s->text, why);
	return true;
}

static void check_dmarc(struct findings *f, const struct services *sv, const char *domain)
{
	const char *name = page_fmt(f->page, "_dmarc.%s", domain);
	const struct dns_answer *a = ask(f, sv, name, DNS_TXT);
	struct dmarc d = { .found = false };
	size_t found = 0;
	const char *fix = page_fmt(f->page,
				   "Publish exactly one record at %s: \"v=DMARC1; p=none\" to "
				   "begin with.",
				   name);
	if (!a)
		return;
	if (a->state == DNS_TEMP) {
		unknown(f, FIND_DMARC, a);
		return;
	}
	for (size_t i = 0; i < a->nrr; i++) {
		struct dmarc one = names_dmarc(a->rr[i].bytes);
		if (one.found && ++found == 1)
			d = one;
	}
	if (found == 1 && d.policy)
		findings_add(f, FIND_DMARC, FINDING_OK, NULL, "p=%s at %s", d.policy, name);
	else if (found == 1)
		findings_add(f, FIND_DMARC, FINDING_FAILURE, fix,
			     "the record at %s has no p= that is none, quarantine or reject", name);
	else if (found > 1)
		findings_add(f, FIND_DMARC, FINDING_FAILURE, fix,
			     "%s has %zu records, so that none counts", name, found);
	else
		findings_add(f, FIND_DMARC, FINDING_WARNING, fix, "there is none at %s", name);
}

bool check_domain(struct findings *f, const struct services *sv, const struct check_sources *s,
		  const char *domain, struct error *err)
{
	f->about = page_fmt(f->page, "Sender domain %s", domain);
	for (size_t i = 0; i < s->n; i++)
		if (s->source[i].reverse && !check_spf(f, sv, &s->source[i], domain, err))
			return false;
	check_dmarc(f, sv, domain);
	return true;
}
