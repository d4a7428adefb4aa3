/* SPDX-License-Identifier: ISC */
#include "flow/fitness.h"

#include "core/logline.h"
#include "flow/memory.h"
#include "flow/senderspf.h"

#define PTR_MOST 10 /* names followed, as RFC 7208 section 5.5 has it */

static const struct dns_answer *ask(const struct fitness_dns *dns, const char *name,
				    enum dns_type type)
{
	const struct services *sv = dns->sv;
	struct deadline own = deadline_in(io_now(sv->io), sv->config->dns_timeout);
	const struct dns_answer *a = resolver_ask(sv->resolver, dns->arena, name, type);
	if (a)
		resolver_wait(sv->resolver, &a, 1, deadline_min(own, dns->until));
	return a;
}

bool fitness_forward(const struct fitness_dns *dns, const char *name, struct ip ip,
		     struct fitness_forward *ret)
{
	const struct dns_answer *a = ask(dns, name, ip.family == 4 ? DNS_A : DNS_AAAA);
	if (!a)
		return false;
	enum fitness has = a->state == DNS_TEMP ? FITNESS_UNKNOWN : FITNESS_BAD;
	for (size_t i = 0; i < a->nrr; i++)
		if (ip_equal(a->rr[i].ip, ip))
			has = FITNESS_GOOD;
	*ret = (struct fitness_forward){ has, a };
	return true;
}

/* One that leads back settles it, then one that DNS could not say of. */
static bool confirm(const struct fitness_dns *dns, struct ip ip, struct fitness_reverse *r)
{
	const struct dns_answer *ptr = r->ptr;
	r->name = ptr->rr[0].name;
	for (size_t i = 0; i < ptr->nrr && i < PTR_MOST; i++) {
		struct fitness_forward f;
		if (!fitness_forward(dns, ptr->rr[i].name, ip, &f))
			return false;
		if (f.has == FITNESS_GOOD)
			r->name = ptr->rr[i].name;
		if (i == 0 || f.has != FITNESS_BAD)
			r->forward = f;
		if (f.has == FITNESS_GOOD)
			break;
	}
	return true;
}

bool fitness_reverse(const struct fitness_dns *dns, struct ip ip, struct fitness_reverse *ret)
{
	struct fitness_reverse r = { .named = FITNESS_GOOD };
	char name[IP_REVERSE];
	ip_reverse(ip, name);
	r.ptr = ask(dns, name, DNS_PTR);
	if (!r.ptr)
		return false;
	if (r.ptr->nrr == 0)
		r.named = r.ptr->state == DNS_TEMP ? FITNESS_UNKNOWN : FITNESS_BAD;
	else if (!confirm(dns, ip, &r))
		return false;
	*ret = r;
	return true;
}

bool fitness_full_name(const char *name)
{
	return domain_valid(span_of(name)) && strchr(name, '.');
}

enum fitness fitness_spf(enum spf_result result)
{
	switch (result) {
	case SPF_PASS:
		return FITNESS_GOOD;
	case SPF_FAIL:
	case SPF_PERMERROR:
		return FITNESS_BAD;
	case SPF_SOFTFAIL:
		return FITNESS_DOUBTFUL;
	default:
		return FITNESS_UNKNOWN;
	}
}

/* ---- in a delivery ---- */

struct faults {
	struct fitness_dns dns;
	const struct fitness_question *q;
	char source[IP_TEXT];
	const char *fault[LOG_FAULTS];
	size_t n;
};

/* One for each of the three below at most. A sentence that there is no room for is left out. */
static void add(struct faults *f, const char *sentence)
{
	if (sentence)
		f->fault[f->n++] = sentence;
}

static void look_at_reverse(struct faults *f)
{
	struct fitness_reverse r;
	if (!fitness_reverse(&f->dns, f->q->source, &r))
		return;
	if (r.named == FITNESS_BAD)
		add(f,
		    arena_fmt(f->dns.arena, "the address %s has no reverse DNS name", f->source));
	else if (r.name && r.forward.has == FITNESS_BAD)
		add(f,
		    arena_fmt(f->dns.arena, "the reverse DNS name %s does not have the address %s",
			      r.name, f->source));
}

static void look_at_helo(struct faults *f)
{
	const char *helo = f->q->helo;
	struct fitness_forward forward;
	if (helo[0] == '\0')
		add(f, "this machine has no full name, so that HELO says its address");
	else if (!fitness_full_name(helo))
		add(f, arena_fmt(f->dns.arena, "the HELO name %s is not a full name", helo));
	else if (fitness_forward(&f->dns, helo, f->q->source, &forward) &&
		 forward.has == FITNESS_BAD)
		add(f, arena_fmt(f->dns.arena, "the HELO name %s does not have the address %s",
				 helo, f->source));
}

static void look_at_spf(struct faults *f)
{
	const struct fitness_dns *dns = &f->dns;
	struct senderspf s;
	if (!senderspf_find(dns->arena, dns->sv, f->q->sender, f->q->source, dns->until, &s))
		return;
	enum fitness fit = fitness_spf(s.answer.result);
	if (fit == FITNESS_BAD || fit == FITNESS_DOUBTFUL)
		add(f,
		    arena_fmt(dns->arena, "SPF of %s says %s for %s: %s", s.domain,
			      spf_result_name(s.answer.result), f->source, spf_reason(&s.answer)));
}

static void tell(const struct services *sv, const struct faults *f)
{
	char storage[LIMIT_LOG_LINE + 1];
	struct buf line;
	const struct log_faults l = {
		.queue_id = f->q->queue_id,
		.relay = f->q->relay,
		.fault = f->fault,
		.n = f->n,
	};
	buf_init(&line, storage, sizeof(storage));
	logline_faults(&l, sv->config->log_format, &line);
	sv->journal.log(sv->journal.self, buf_cstr(&line));
}

/* Noted before it is done: others that run at the same time need not do it, too. */
static bool was_told(struct arena *a, const struct services *sv, struct ip source)
{
	const struct record_sender now = { .source = source, .ttl = FITNESS_PAUSE };
	struct record_sender before;
	if (memory_sender(sv->memory, a, &now, &before))
		return true;
	memory_keep_sender(sv->memory, &now);
	return false;
}

void fitness_tell(struct arena *a, const struct services *sv, const struct fitness_question *q,
		  struct deadline until)
{
	struct faults f = { .dns = { a, sv, until }, .q = q };
	if (q->source.family == 0 || ip_private(q->source) || was_told(a, sv, q->source))
		return;
	ip_format(q->source, f.source);
	look_at_reverse(&f);
	look_at_helo(&f);
	look_at_spf(&f);
	if (f.n > 0)
		tell(sv, &f);
}
