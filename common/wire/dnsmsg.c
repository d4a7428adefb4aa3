/* SPDX-License-Identifier: ISC */
#include <netinet/in.h>
#include <arpa/nameser.h>
#include <resolv.h>

#include "base/limits.h"
#include "base/text.h"
#include "wire/dnsmsg.h"

/* What is wrong with a message; NULL: nothing. */
typedef const char *fault;

#define MALFORMED "malformed answer"

struct reading {
	struct arena *arena;
	ns_msg msg;
	enum dns_type type;
	struct dns_answer answer;
	struct dns_rr *rr; /* room for answer.rr */
	size_t unusable;   /* records of the right type that were passed over */
	bool no_memory;
};

static fault no_memory(struct reading *r)
{
	r->no_memory = true;
	return "out of memory";
}

/* Not given in time, or not to be given: RFC 2181 section 8. */
static uint32_t ttl_of(uint32_t ttl)
{
	return ttl > INT32_MAX ? 0 : ttl;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static const char *text_copy(struct arena *a, const char *text)
{
	return arena_str(a, span_of(text));
}

/*
 * The name that fills [at, end): lower case, no final dot, "" for the root. *ret_name is NULL for
 * one that cannot be a host's: glibc shows bytes that are not printable, and dots inside a label,
 * with a backslash.
 */
static fault read_name(struct reading *r, const u_char *at, const u_char *end,
		       const char **ret_name)
{
	char text[NS_MAXDNAME];
	int used =
		ns_name_uncompress(ns_msg_base(r->msg), ns_msg_end(r->msg), at, text, sizeof(text));
	if (used < 0 || used != end - at)
		return MALFORMED;
	*ret_name = NULL;
	if (strchr(text, '\\'))
		return NULL;
	for (char *p = text; *p; p++)
		*p = text_lower(*p);
	*ret_name = text_copy(r->arena, strcmp(text, ".") == 0 ? "" : text);
	return *ret_name ? NULL : no_memory(r);
}

static bool is_at(const ns_rr *rr, const char *name)
{
	return ns_rr_class(*rr) == ns_c_in &&
	       span_equal_nocase(span_of(ns_rr_name(*rr)), span_of(name));
}

/* The CNAME at the canonical name so far; *ret_target is NULL if there is none or the type itself
 * is there. */
static fault find_cname(struct reading *r, const char **ret_target, uint32_t *ret_ttl)
{
	*ret_target = NULL;
	for (int i = 0; i < ns_msg_count(r->msg, ns_s_an); i++) {
		ns_rr rr;
		if (ns_parserr(&r->msg, ns_s_an, i, &rr) != 0)
			return MALFORMED;
		if (!is_at(&rr, r->answer.canonical))
			continue;
		if ((int)ns_rr_type(rr) == (int)r->type)
			return NULL;
		if (ns_rr_type(rr) != ns_t_cname)
			continue;
		const u_char *data = ns_rr_rdata(rr);
		fault bad = read_name(r, data, data + ns_rr_rdlen(rr), ret_target);
		*ret_ttl = ttl_of(ns_rr_ttl(rr));
		if (!bad && (!*ret_target || **ret_target == '\0'))
			bad = "CNAME to what is no host name";
		return bad;
	}
	return NULL;
}

/* Go along the CNAMEs, wherever they stand in the message (RFC 1034 section 3.6.2). */
static fault follow(struct reading *r)
{
	for (int links = 0; links <= LIMIT_CNAMES; links++) {
		const char *target;
		uint32_t ttl = 0;
		fault bad = find_cname(r, &target, &ttl);
		if (bad || !target)
			return bad;
		r->answer.canonical = target;
		r->answer.ttl = smaller(r->answer.ttl, ttl);
	}
	return "CNAME loop or chain too long";
}

static fault read_txt(struct reading *r, const u_char *p, size_t n, struct span *ret)
{
	char *joined = ARENA_NEW(r->arena, char, n + 1);
	size_t len = 0;
	if (!joined)
		return no_memory(r);
	if (n == 0)
		return MALFORMED;
	for (const u_char *end = p + n; p < end; p += 1 + *p) {
		if (*p > end - p - 1)
			return MALFORMED;
		memcpy(joined + len, p + 1, *p);
		len += *p;
	}
	*ret = (struct span){ joined, len };
	return NULL;
}

static fault read_bytes(struct reading *r, const u_char *p, size_t n, struct span *ret)
{
	/* RFC 6698 section 2.1: usage, selector, matching type, and then data. */
	if (n < 3)
		return MALFORMED;
	const char *copy = arena_str(r->arena, (struct span){ (const char *)p, n });
	if (!copy)
		return no_memory(r);
	*ret = (struct span){ copy, n };
	return NULL;
}

static fault read_ip(const u_char *p, size_t n, uint8_t family, struct ip *ret)
{
	if (n != (family == 4 ? 4 : 16))
		return MALFORMED;
	*ret = (struct ip){ .family = family };
	memcpy(ret->b, p, n);
	return NULL;
}

static fault read_mx(struct reading *r, const u_char *p, size_t n, struct dns_rr *ret)
{
	if (n < 3)
		return MALFORMED;
	ret->mx.pref = (uint16_t)(p[0] << 8 | p[1]);
	return read_name(r, p + 2, p + n, &ret->mx.host);
}

/* *ret_usable is false for a record to be passed over. */
static fault read_rdata(struct reading *r, const ns_rr *rr, struct dns_rr *ret, bool *ret_usable)
{
	const u_char *p = ns_rr_rdata(*rr);
	size_t n = ns_rr_rdlen(*rr);
	fault bad = NULL;
	*ret_usable = true;
	switch (r->type) {
	case DNS_A:
		return read_ip(p, n, 4, &ret->ip);
	case DNS_AAAA:
		return read_ip(p, n, 6, &ret->ip);
	case DNS_MX:
		bad = read_mx(r, p, n, ret);
		*ret_usable = ret->mx.host;
		return bad;
	case DNS_PTR:
	case DNS_CNAME:
		bad = read_name(r, p, p + n, &ret->name);
		*ret_usable = ret->name && ret->name[0];
		return bad;
	case DNS_TXT:
		return read_txt(r, p, n, &ret->bytes);
	case DNS_TLSA:
		return read_bytes(r, p, n, &ret->bytes);
	}
	return "question of unknown type";
}

/* The records of the type asked for, at the canonical name. */
static fault collect(struct reading *r)
{
	int n = ns_msg_count(r->msg, ns_s_an);
	r->rr = ARENA_NEW(r->arena, struct dns_rr, n < LIMIT_DNS_RRS ? (size_t)n : LIMIT_DNS_RRS);
	if (!r->rr)
		return no_memory(r);
	for (int i = 0; i < n && r->answer.nrr < LIMIT_DNS_RRS; i++) {
		ns_rr rr;
		bool usable;
		if (ns_parserr(&r->msg, ns_s_an, i, &rr) != 0)
			return MALFORMED;
		if (!is_at(&rr, r->answer.canonical) || (int)ns_rr_type(rr) != (int)r->type)
			continue;
		struct dns_rr one = { .ttl = ttl_of(ns_rr_ttl(rr)) };
		fault bad = read_rdata(r, &rr, &one, &usable);
		if (bad)
			return bad;
		if (!usable) {
			r->unusable++;
			continue;
		}
		r->answer.ttl = smaller(r->answer.ttl, one.ttl);
		r->rr[r->answer.nrr++] = one;
	}
	r->answer.rr = r->rr;
	return NULL;
}

/* MNAME, RNAME and five numbers, the last one the negative TTL (RFC 2308 section 4, section 5). */
static fault read_soa(const ns_rr *rr, uint32_t *ret_ttl)
{
	const u_char *p = ns_rr_rdata(*rr), *end = p + ns_rr_rdlen(*rr);
	if (ns_name_skip(&p, end) != 0 || ns_name_skip(&p, end) != 0 || end - p != 20)
		return MALFORMED;
	uint32_t minimum =
		(uint32_t)p[16] << 24 | (uint32_t)p[17] << 16 | (uint32_t)p[18] << 8 | p[19];
	*ret_ttl = smaller(ttl_of(minimum), ttl_of(ns_rr_ttl(*rr)));
	return NULL;
}

/* No such record: how long that holds, or is it only a pointer to somebody who might know? */
static fault read_authority(struct reading *r)
{
	bool referred = false;
	for (int i = 0; i < ns_msg_count(r->msg, ns_s_ns); i++) {
		ns_rr rr;
		uint32_t ttl = 0;
		if (ns_parserr(&r->msg, ns_s_ns, i, &rr) != 0)
			return MALFORMED;
		referred = referred || ns_rr_type(rr) == ns_t_ns;
		if (ns_rr_type(rr) != ns_t_soa || ns_rr_class(rr) != ns_c_in)
			continue;
		fault bad = read_soa(&rr, &ttl);
		if (!bad)
			r->answer.ttl = smaller(r->answer.ttl, ttl);
		return bad;
	}
	/* RFC 2308 section 2.2: name servers without SOA are a referral. From a server that
	 * recurses it is an empty answer of somebody else's making. */
	if (referred && !ns_msg_getflag(r->msg, ns_f_aa) && !ns_msg_getflag(r->msg, ns_f_ra))
		return "the server does not recurse";
	r->answer.ttl = 0;
	return NULL;
}

static fault read_rcode(const struct reading *r)
{
	switch (ns_msg_getflag(r->msg, ns_f_rcode)) {
	case ns_r_noerror:
	case ns_r_nxdomain:
		return NULL;
	case ns_r_formerr:
		return "FORMERR";
	case ns_r_servfail:
		return "SERVFAIL";
	case ns_r_notimpl:
		return "NOTIMP";
	case ns_r_refused:
		return "REFUSED";
	default:
		return "unknown response code";
	}
}

/* Is this a whole answer to our question? Servers may leave the question out of an error. */
static fault read_front(struct reading *r)
{
	ns_rr question;
	fault bad = read_rcode(r);
	if (!ns_msg_getflag(r->msg, ns_f_qr) || ns_msg_getflag(r->msg, ns_f_opcode) != ns_o_query)
		return MALFORMED;
	if (bad)
		return bad;
	if (ns_msg_count(r->msg, ns_s_qd) != 1 || ns_parserr(&r->msg, ns_s_qd, 0, &question) != 0)
		return MALFORMED;
	if (!is_at(&question, r->answer.name) || (int)ns_rr_type(question) != (int)r->type)
		return "answer to another question";
	return ns_msg_getflag(r->msg, ns_f_tc) ? "truncated answer" : NULL;
}

static fault read_message(struct reading *r, struct span msg)
{
	struct dns_answer *answer = &r->answer;
	if (msg.n > LIMIT_DNS_MESSAGE ||
	    ns_initparse((const u_char *)msg.p, (int)msg.n, &r->msg) != 0)
		return MALFORMED;
	fault bad = read_front(r);
	if (bad)
		return bad;
	answer->authentic = ns_msg_getflag(r->msg, ns_f_ad);
	answer->ttl = INT32_MAX;
	bad = r->type == DNS_CNAME ? NULL : follow(r);
	/* RFC 6604 section 3: the code speaks of the end of the chain. */
	bool exists = ns_msg_getflag(r->msg, ns_f_rcode) == ns_r_noerror;
	if (!bad && exists)
		bad = collect(r);
	if (!bad && answer->nrr == 0)
		bad = r->unusable ? "no usable record" : read_authority(r);
	answer->state = answer->nrr ? DNS_OK : exists ? DNS_NODATA : DNS_NXDOMAIN;
	return bad;
}

bool dnsmsg_parse(struct arena *a, struct span msg, const char *name, enum dns_type type,
		  struct dns_answer *ret, struct error *err)
{
	struct reading r = { .arena = a, .type = type };
	const char *asked = text_copy(a, name);
	if (!asked)
		return err_nomem(err);
	r.answer.name = r.answer.canonical = asked;
	fault bad = read_message(&r, msg);
	if (r.no_memory)
		return err_nomem(err);
	if (bad) {
		r.answer = (struct dns_answer){ DNS_TEMP, .name = asked, .canonical = asked };
		snprintf(r.answer.why, sizeof(r.answer.why), "%s", bad);
	}
	*ret = r.answer;
	return true;
}
