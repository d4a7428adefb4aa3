/* SPDX-License-Identifier: ISC */
/*
 * The way through the records is ours: which terms there are, in which order, include, redirect,
 * and every count. A term that names addresses goes to mxdirect-spf, and the DNS it needs comes
 * back to here.
 */
#include "flow/spf.h"

#include <stdarg.h>

#include "flow/spf_program.h"
#include "spfpacket.h"
#include "wire/addr.h"
#include "wire/spfrecord.h"

/* RFC 7208 section 4.6.4 */
#define LOOKUPS 10
#define VOIDS   2

/* Of one term: MX or PTR, the hosts of that, and the same for a macro %{p} in it. */
#define TERM_QUESTIONS (2 + SPF_MX_HOSTS + SPF_PTR_NAMES)
/* Of all answers: the arena is the delivery's. */
#define RECORDS 2000

#define TTL_MOST   3600 /* seconds */
#define LOCAL_MOST 64   /* bytes (RFC 5321 section 4.5.3.1.1) */

enum match { NO_MATCH, MATCH, DECIDED };

struct evaluation {
	struct arena *arena;
	const struct services *sv;
	struct ip source;
	char source_text[IP_TEXT];
	const struct spf_question *question;
	const char *domain; /* of the question, in the normal form */
	bool by_sender;     /* the local part can stand in a domain name */
	struct deadline until;
	struct spf_program program;

	const struct spf_term *term; /* that is looked at, and what came of its questions */
	unsigned asked;
	bool found_nothing;

	unsigned lookups, voids;
	size_t records;
	uint32_t ttl;
	bool sender_counts; /* a term with a macro of it was looked at */
	bool failed;        /* *err says how: no answer comes of it */
	struct error *err;

	/* So far. */
	enum spf_result result;
	char mechanism[SPF_TERM_MOST + LIMIT_DOMAIN + 8];
	char why[LIMIT_ERR_TEXT];
};

const char *spf_result_name(enum spf_result result)
{
	static const char *const names[] = {
		[SPF_NONE] = "none",           [SPF_NEUTRAL] = "neutral",
		[SPF_PASS] = "pass",           [SPF_FAIL] = "fail",
		[SPF_SOFTFAIL] = "softfail",   [SPF_TEMPERROR] = "temperror",
		[SPF_PERMERROR] = "permerror",
	};
	return names[result];
}

const char *spf_reason(const struct spf_answer *answer)
{
	return answer->mechanism[0] ? answer->mechanism : answer->why;
}

/* Returns the result. */
PRINTF_LIKE(3, 4)
static enum spf_result decide(struct evaluation *e, enum spf_result result, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(e->why, sizeof(e->why), fmt, ap);
	va_end(ap);
	e->mechanism[0] = '\0';
	e->result = result;
	return result;
}

/* A result for a failure. */
static enum spf_result decide_failed(struct evaluation *e, const struct error *err)
{
	if (err->class == ERR_INTERNAL || e->sv->io->stopped) {
		if (!e->failed)
			*e->err = *err;
		e->failed = true;
	}
	if (err->class == ERR_PERM)
		return decide(e, SPF_PERMERROR, "%s", err->text);
	/* It is no answer of the domain's: not to be kept. */
	e->ttl = 0;
	return decide(e, SPF_TEMPERROR, "%s", err->text);
}

/* Put "fmt: " in front of the reason. */
PRINTF_LIKE(3, 4)
static enum spf_result decide_about(struct evaluation *e, enum spf_result result, const char *fmt,
				    ...)
{
	char about[LIMIT_ERR_TEXT];
	struct error whole = { .class = ERR_TEMP };
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(about, sizeof(about), fmt, ap);
	va_end(ap);
	snprintf(whole.text, sizeof(whole.text), "%s", e->why);
	err_wrap(&whole, "%s", about);
	return decide(e, result, "%s", whole.text);
}

static const struct dns_answer *ask(struct evaluation *e, const char *name, enum dns_type type,
				    struct error *err)
{
	const struct dns_answer *a = resolver_ask(e->sv->resolver, e->arena, name, type);
	if (!a) {
		err_nomem(err);
		return NULL;
	}
	resolver_wait(e->sv->resolver, &a, 1, e->until);
	if (e->sv->io->stopped) {
		io_fail(IO_STOPPED, err);
		return NULL;
	}
	if (a->ttl < e->ttl)
		e->ttl = a->ttl;
	e->records += a->nrr;
	if (e->records <= RECORDS)
		return a;
	err_set(err, ERR_PERM, ESC(5, 7, 0), "DNS has more than %d records for it", RECORDS);
	return NULL;
}

/* With a prefix length of 0 every address is the right one. */
static void put_address(const struct evaluation *e, struct ip ip, struct buf *out)
{
	bool any = e->source.family == 4 ? e->term->any4 : e->term->any6;
	if (any && ip.family == e->source.family)
		ip = e->source;
	buf_add(out, (struct span){ (const char *)ip.b, ip.family == 4 ? 4 : 16 });
}

static void put_name(const char *name, struct buf *out)
{
	buf_add(out, (struct span){ name, strlen(name) + 1 });
}

static void put_records(const struct evaluation *e, const struct dns_answer *a, enum dns_type type,
			struct buf *out)
{
	size_t hosts = 0;
	for (size_t i = 0; i < a->nrr; i++) {
		const struct dns_rr *rr = &a->rr[i];
		if (type == DNS_A || type == DNS_AAAA)
			put_address(e, rr->ip, out);
		else if (type == DNS_PTR && hosts++ < SPF_PTR_NAMES)
			put_name(rr->name, out);
		else if (type == DNS_MX && rr->mx.host[0] && hosts++ <= SPF_MX_HOSTS)
			put_name(rr->mx.host, out);
	}
}

static const char *type_name(enum dns_type type)
{
	return type == DNS_A ? "A" : type == DNS_AAAA ? "AAAA" : type == DNS_MX ? "MX" : "PTR";
}

static bool answer_program(void *ctx, enum dns_type type, const char *name, struct buf *out,
			   struct error *err)
{
	struct evaluation *e = ctx;
	if (!e->term || e->asked++ == TERM_QUESTIONS)
		return err_set(err, ERR_TEMP, ESC(4, 3, 0), "mxdirect-spf asks too much");
	const struct dns_answer *a = ask(e, name, type, err);
	if (!a)
		return false;
	/* RFC 7208 section 5.5: ptr (and %{p}) make do with what they get. */
	bool lenient = type == DNS_PTR || e->term->kind == SPF_KIND_PTR;
	if (a->state == DNS_TEMP && !lenient)
		return err_set(err, ERR_TEMP, ESC(4, 4, 3), "%s of %s: %s", type_name(type),
			       a->name, a->why);
	if (e->asked == 1)
		e->found_nothing = a->state == DNS_NODATA || a->state == DNS_NXDOMAIN;
	buf_addc(out, SPF_RECORDS);
	buf_addc(out, (char)(a->state == DNS_TEMP ? DNS_NODATA : a->state));
	put_records(e, a, type, out);
	return true;
}

/* The program lives as long as the evaluation, once it is needed. */
static bool start_program(struct evaluation *e, struct error *err)
{
	const struct spf_question *q = e->question;
	char storage[1 + IP_TEXT + LOCAL_MOST + 2 * LIMIT_DOMAIN + 8];
	enum spf_packet answer = SPF_BAD;
	const char *text = "";
	struct buf b;
	bool helo = q->helo && domain_valid(span_of(q->helo));
	e->program.io = e->sv->io;
	e->program.until = e->until;
	e->program.records = answer_program;
	e->program.ctx = e;
	if (!spf_program_open(&e->program, e->sv->spf_program, err))
		return false;
	buf_init(&b, storage, sizeof(storage));
	buf_addc(&b, SPF_START);
	put_name(e->source_text, &b);
	put_name(e->by_sender ? q->local : "postmaster", &b);
	put_name(e->domain, &b);
	put_name(helo ? q->helo : "unknown", &b);
	if (!spf_program_call(&e->program, buf_view(&b), &answer, &text, err))
		return false;
	if (answer != SPF_DONE)
		return err_set(err, ERR_TEMP, ESC(4, 3, 0), "mxdirect-spf: %.200s", text);
	return true;
}

static bool call(struct evaluation *e, struct buf *packet, enum spf_packet *ret,
		 const char **ret_text, struct error *err)
{
	if (packet->overflow)
		return err_set(err, ERR_PERM, ESC(5, 7, 0), "too long");
	if (e->program.fd < 0 && !start_program(e, err))
		return false;
	return spf_program_call(&e->program, buf_view(packet), ret, ret_text, err);
}

/* RFC 7208 section 4.6: an error anywhere in the record comes before everything else. */
static bool check_terms(struct evaluation *e, const struct spf_record *r, struct error *err)
{
	char storage[SPF_PACKET];
	enum spf_packet answer = SPF_BAD;
	const char *text = "";
	struct buf b;
	buf_init(&b, storage, sizeof(storage));
	buf_addc(&b, SPF_CHECK);
	for (size_t i = 0; i < r->nterm; i++)
		if (r->term[i].kind != SPF_KIND_ALL)
			put_name(r->term[i].plain, &b);
	if (b.len == 1)
		return true;
	if (!call(e, &b, &answer, &text, err))
		return false;
	if (answer == SPF_BAD)
		return err_set(err, ERR_PERM, ESC(5, 7, 0), "%.200s", text);
	return answer == SPF_DONE ||
	       err_set(err, ERR_TEMP, ESC(4, 3, 0), "mxdirect-spf answers something else");
}

/* The record of a domain. False: the result is in *ret. */
static bool fetch_record(struct evaluation *e, const char *domain, struct spf_record *ret_record,
			 enum spf_result *ret)
{
	struct error err = { 0 };
	struct span text;
	const struct dns_answer *a = ask(e, domain, DNS_TXT, &err);
	size_t found = a ? spfrecord_find(a, &text) : 0;
	if (!a)
		*ret = decide_failed(e, &err);
	else if (a->state == DNS_TEMP)
		*ret = decide(e, SPF_TEMPERROR, "TXT of %s: %s", domain, a->why);
	else if (a->state == DNS_NXDOMAIN)
		*ret = decide(e, SPF_NONE, "%s does not exist", domain);
	else if (found == 0)
		*ret = decide(e, SPF_NONE, "%s has no SPF record", domain);
	else if (found > 1)
		*ret = decide(e, SPF_PERMERROR, "%s has %zu SPF records", domain, found);
	if (found != 1)
		return false;
	if (spfrecord_parse(e->arena, text, ret_record, &err) && check_terms(e, ret_record, &err))
		return true;
	decide_failed(e, &err);
	*ret = e->result == SPF_PERMERROR
		       ? decide_about(e, SPF_PERMERROR, "the record of %s", domain)
		       : e->result;
	return false;
}

static bool count_lookup(struct evaluation *e, const struct spf_term *t)
{
	if (!spf_term_counts(t))
		return true;
	if (e->lookups == LOOKUPS) {
		decide(e, SPF_PERMERROR, "more than %d terms that ask DNS", LOOKUPS);
		return false;
	}
	e->lookups++;
	return true;
}

/* What the program makes of a term in the record of a domain; MATCH for an SPF_NAME, too. */
static enum match ask_program(struct evaluation *e, enum spf_packet what, const char *domain,
			      const struct spf_term *t, const char **ret_text)
{
	char storage[1 + LIMIT_DOMAIN + SPF_TERM_MOST + 4];
	enum spf_packet answer = SPF_BAD;
	struct error err = { 0 };
	struct buf b;
	e->term = t;
	e->asked = 0;
	e->found_nothing = false;
	buf_init(&b, storage, sizeof(storage));
	buf_addc(&b, (char)what);
	put_name(domain, &b);
	put_name(t->plain, &b);
	bool ok = call(e, &b, &answer, ret_text, &err);
	e->term = NULL;
	if (ok && answer == (what == SPF_MATCH ? SPF_YES : SPF_NAME))
		return MATCH;
	if (ok && answer == SPF_NO && what == SPF_MATCH)
		return NO_MATCH;
	if (ok && answer == SPF_BAD)
		err_set(&err, ERR_PERM, ESC(5, 7, 0), "%.200s", *ret_text);
	else if (ok)
		err_set(&err, ERR_TEMP, ESC(4, 3, 0), "mxdirect-spf answers something else");
	decide_failed(e, &err);
	return DECIDED;
}

static enum match match_addresses(struct evaluation *e, const char *domain,
				  const struct spf_term *t)
{
	const char *text = "";
	if (t->kind == SPF_KIND_ALL)
		return MATCH;
	if (t->kind == SPF_KIND_IP4 && t->any4)
		return e->source.family == 4 ? MATCH : NO_MATCH;
	if (t->kind == SPF_KIND_IP6 && t->any6)
		return e->source.family == 6 ? MATCH : NO_MATCH;
	enum match m = ask_program(e, SPF_MATCH, domain, t, &text);
	if (m == NO_MATCH && e->found_nothing && ++e->voids > VOIDS) {
		decide(e, SPF_PERMERROR, "more than %d terms for which DNS has nothing", VOIDS);
		return DECIDED;
	}
	return m;
}

/* Where include or redirect lead to. False: the result is decided. */
static bool expand(struct evaluation *e, const char *domain, const struct spf_term *t,
		   const char **ret)
{
	const char *text = NULL;
	if (ask_program(e, SPF_EXPAND, domain, t, &text) != MATCH)
		return false;
	*ret = domain_normal(e->arena, span_of(text));
	if (*ret && domain_valid(span_of(*ret)))
		return true;
	struct error err = { 0 };
	if (*ret)
		err_set(&err, ERR_PERM, ESC(5, 7, 0), "\"%s\" is no domain name", *ret);
	else
		err_nomem(&err);
	decide_failed(e, &err);
	return false;
}

static enum spf_result check_host(struct evaluation *e, const char *domain);

/* RFC 7208 section 5.2 */
static enum match match_include(struct evaluation *e, const char *domain, const struct spf_term *t)
{
	const char *target;
	if (!expand(e, domain, t, &target))
		return DECIDED;
	switch (check_host(e, target)) {
	case SPF_PASS:
		return MATCH;
	case SPF_FAIL:
	case SPF_SOFTFAIL:
	case SPF_NEUTRAL:
		return NO_MATCH;
	case SPF_NONE:
		e->result = SPF_PERMERROR;
		return DECIDED;
	default:
		return DECIDED;
	}
}

/* Does a mechanism in the record of a domain match? */
static enum match match_term(struct evaluation *e, const char *domain, const struct spf_term *t)
{
	enum match m = DECIDED;
	/* RFC 8616 section 4 for a local part that cannot be in a domain name. */
	bool in_vain = t->by_sender && !e->by_sender;
	e->sender_counts |= t->by_sender;
	if (!count_lookup(e, t))
		m = DECIDED;
	else if (in_vain)
		m = NO_MATCH;
	else if (t->kind == SPF_KIND_INCLUDE)
		m = match_include(e, domain, t);
	else
		m = match_addresses(e, domain, t);
	if (m == DECIDED)
		decide_about(e, e->result, "%s in the record of %s", t->text, domain);
	return m;
}

static enum spf_result decide_match(struct evaluation *e, const char *domain,
				    const struct spf_term *t)
{
	enum spf_result result = t->qualifier == '-'   ? SPF_FAIL
				 : t->qualifier == '~' ? SPF_SOFTFAIL
				 : t->qualifier == '?' ? SPF_NEUTRAL
						       : SPF_PASS;
	/* An include has told which mechanism it was. */
	if (t->kind == SPF_KIND_INCLUDE)
		decide_about(e, result, "by way of %s", t->text);
	else
		decide(e, result, "%s matches %s in the record of %s", e->source_text, t->text,
		       domain);
	snprintf(e->mechanism, sizeof(e->mechanism), "%s (%s)", t->text, domain);
	return result;
}

/* RFC 7208 section 6.1: as if the other record stood here, but it has to be there. False: the
 * result is decided. */
static bool follow(struct evaluation *e, const char **domain, const struct spf_term *t,
		   struct spf_record *ret)
{
	const char *target = NULL;
	enum spf_result result;
	e->sender_counts |= t->by_sender;
	bool ok = count_lookup(e, t) && expand(e, *domain, t, &target);
	if (ok && fetch_record(e, target, ret, &result)) {
		*domain = target;
		return true;
	}
	if (e->result == SPF_NONE)
		e->result = SPF_PERMERROR;
	decide_about(e, e->result, "%s in the record of %s", t->text, *domain);
	return false;
}

/* RFC 7208 section 4 */
static enum spf_result check_host(struct evaluation *e, const char *domain)
{
	struct spf_record r;
	enum spf_result result;
	if (!fetch_record(e, domain, &r, &result))
		return result;
	for (;;) {
		for (size_t i = 0; i < r.nterm; i++) {
			const struct spf_term *t = &r.term[i];
			if (t->kind >= SPF_KIND_REDIRECT)
				continue;
			enum match m = match_term(e, domain, t);
			if (m != NO_MATCH)
				return m == MATCH ? decide_match(e, domain, t) : e->result;
		}
		if (!r.redirect)
			return decide(e, SPF_NEUTRAL, "nothing in the record of %s matches %s",
				      domain, e->source_text);
		if (!follow(e, &domain, r.redirect, &r))
			return e->result;
	}
}

/* RFC 7208 section 5: an IPv4 address in an IPv6 one (RFC 4291 section 2.5.5.2) is an IPv4
 * address. */
static struct ip unmapped(struct ip ip)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };
	struct ip v4 = { .family = 4 };
	if (ip.family != 6 || memcmp(ip.b, prefix, sizeof(prefix)) != 0)
		return ip;
	memcpy(v4.b, ip.b + sizeof(prefix), 4);
	return v4;
}

static bool fits_name(const char *local)
{
	size_t n = strlen(local);
	for (size_t i = 0; i < n; i++)
		if (local[i] <= ' ' || local[i] > '~')
			return false;
	return n > 0 && n <= LOCAL_MOST;
}

static bool finish(struct evaluation *e, struct spf_answer *ret, struct error *err)
{
	struct spf_answer answer = {
		.result = e->result,
		.ttl = e->ttl,
		.by_sender = e->sender_counts,
		.lookups = e->lookups,
	};
	if (e->failed)
		return false;
	answer.mechanism = arena_str(e->arena, span_of(e->mechanism));
	answer.why = arena_str(e->arena, span_of(e->why));
	if (!answer.mechanism || !answer.why)
		return err_nomem(err);
	*ret = answer;
	return true;
}

bool spf_evaluate(struct arena *a, const struct services *sv, const struct spf_question *q,
		  struct deadline until, struct spf_answer *ret, struct error *err)
{
	struct deadline own = deadline_in(io_now(sv->io), SPF_SECONDS * 1000);
	struct evaluation e = {
		.arena = a,
		.sv = sv,
		.question = q,
		.source = unmapped(q->source),
		.by_sender = fits_name(q->local),
		.until = deadline_min(until, own),
		.ttl = TTL_MOST,
		.err = err,
		.program = { .fd = -1 },
	};
	const char *domain = domain_normal(a, span_of(q->domain));
	if (!domain)
		return err_nomem(err);
	ip_format(e.source, e.source_text);
	e.domain = domain;
	/* RFC 7208 section 4.3 */
	if (domain_valid(span_of(domain)) && strchr(domain, '.'))
		check_host(&e, domain);
	else
		decide(&e, SPF_NONE, "\"%s\" is no domain that has an SPF record", domain);
	spf_program_close(&e.program);
	return finish(&e, ret, err);
}
