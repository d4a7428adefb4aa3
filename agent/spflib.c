/* SPDX-License-Identifier: ISC */
#include "spflib.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define HAVE_NS_TYPE 1 /* else the headers of libspf2 make an ns_type of their own */
#include <spf2/spf_server.h>

#include <spf2/spf_dns.h>
#include <spf2/spf_dns_rr.h>
#include <spf2/spf_log.h>
#include <spf2/spf_record.h>
#include <spf2/spf_request.h>
#include <spf2/spf_response.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"
#include "spfpacket.h"
#include "wire/spfrecord.h"

#define NAME_MOST 253 /* bytes of a domain name as text (RFC 1035 section 2.3.4) */

struct spflib {
	spflib_ask *ask;
	void *ctx;
	SPF_dns_server_t dns;
	SPF_server_t *server;
	SPF_request_t *request;
	char answer[SPF_PACKET];
};

/* The string at the front of *rest; NULL: there is none. */
static const char *cut_string(struct span *rest)
{
	const char *s = rest->p;
	const char *end = rest->n ? memchr(s, '\0', rest->n) : NULL;
	if (!end)
		return NULL;
	rest->n -= (size_t)(end + 1 - s);
	rest->p = end + 1;
	return s;
}

static bool add_address(SPF_dns_rr_t *rr, ns_type type, struct span *rest)
{
	size_t n = type == ns_t_a ? 4 : 16;
	if (rest->n < n ||
	    SPF_dns_rr_buf_realloc(rr, rr->num_rr, sizeof(SPF_dns_rr_data_t)) != SPF_E_SUCCESS)
		return false;
	/* Both are at the front of a union. */
	memcpy(rr->rr[rr->num_rr++], rest->p, n);
	*rest = (struct span){ rest->p + n, rest->n - n };
	return true;
}

static bool add_name(SPF_dns_rr_t *rr, struct span *rest)
{
	const char *name = cut_string(rest);
	size_t n = name ? strlen(name) + 1 : 0;
	if (!name || SPF_dns_rr_buf_realloc(rr, rr->num_rr, n) != SPF_E_SUCCESS)
		return false;
	memcpy(rr->rr[rr->num_rr++], name, n);
	return true;
}

/* An SPF_RECORDS packet. What is wrong with it counts as no answer. */
static void read_records(SPF_dns_rr_t *rr, ns_type type, struct span packet)
{
	bool address = type == ns_t_a || type == ns_t_aaaa;
	rr->herrno = TRY_AGAIN;
	if (packet.n < 2 || packet.p[0] != SPF_RECORDS)
		return;
	if (packet.p[1] == DNS_NODATA)
		rr->herrno = NO_DATA;
	if (packet.p[1] == DNS_NXDOMAIN)
		rr->herrno = HOST_NOT_FOUND;
	if (packet.p[1] != DNS_OK)
		return;
	struct span rest = { packet.p + 2, packet.n - 2 };
	while (rest.n > 0)
		if (!(address ? add_address(rr, type, &rest) : add_name(rr, &rest)))
			return;
	rr->herrno = rr->num_rr ? NETDB_SUCCESS : NO_DATA;
}

/* RFC 7208 section 7.3: what is too long loses labels on its left side; a final dot goes, too. */
static struct span fit_name(const char *domain)
{
	struct span s = span_of(domain), label;
	if (s.n > 0 && s.p[s.n - 1] == '.')
		s.n--;
	while (s.n > NAME_MOST)
		span_cut(&s, '.', &label);
	return s;
}

static SPF_dns_rr_t *lookup(SPF_dns_server_t *dns, const char *domain, ns_type type, int cache)
{
	struct spflib *l = dns->hook;
	struct span name = fit_name(domain);
	char question[NAME_MOST + 3];
	struct buf b;
	(void)cache;
	SPF_dns_rr_t *rr = SPF_dns_rr_new_init(dns, domain, type, 0, HOST_NOT_FOUND);
	if (!rr || name.n == 0)
		return rr;
	buf_init(&b, question, sizeof(question));
	buf_addc(&b, SPF_ASK);
	buf_addc(&b, (char)type);
	buf_add(&b, name);
	buf_cstr(&b);
	struct span packet = { question, b.len + 1 };
	size_t n = l->ask(l->ctx, packet, l->answer, sizeof(l->answer));
	read_records(rr, type, (struct span){ l->answer, n });
	return rr;
}

struct spflib *spflib_open(spflib_ask *ask, void *ctx)
{
	struct spflib *l = calloc(1, sizeof(*l));
	SPF_response_t *response = NULL;
	if (!l)
		return NULL;
	SPF_warning_handler = NULL;
	SPF_info_handler = NULL;
	SPF_debug_handler = NULL;
	l->ask = ask;
	l->ctx = ctx;
	l->dns = (SPF_dns_server_t){ .lookup = lookup, .name = "mxdirect", .hook = l };
	l->server = SPF_server_new_dns(&l->dns, 0);
	/* libspf2 makes an explanation of each result. Without a macro it is the same one always.
	 */
	if (l->server)
		SPF_server_set_explanation(l->server, "-", &response);
	if (response)
		SPF_response_free(response);
	if (!l->server) {
		spflib_close(l);
		return NULL;
	}
	return l;
}

void spflib_close(struct spflib *l)
{
	if (!l)
		return;
	if (l->request)
		SPF_request_free(l->request);
	if (l->server)
		SPF_server_free(l->server);
	free(l);
}

static void say(struct buf *reply, enum spf_packet what)
{
	buf_addc(reply, (char)what);
}

static void say_bad(struct buf *reply, const char *term, const char *why)
{
	char reason[SPF_REASON + 1];
	snprintf(reason, sizeof(reason), "%s%.100s%s%s", term ? "\"" : "", term ? term : "",
		 term ? "\": " : "", why);
	say(reply, SPF_BAD);
	buf_add(reply, (struct span){ reason, strlen(reason) + 1 });
}

/* An evaluation that ended without a result: DNS, memory, or the term. */
static void say_failed(struct buf *reply, const char *term, SPF_errcode_t why)
{
	if (why == SPF_E_DNS_ERROR)
		say(reply, SPF_LATER);
	else
		say_bad(reply, term, SPF_strerror(why));
}

static void start(struct spflib *l, struct span rest, struct buf *reply)
{
	char sender[LIMIT_LOCAL + LIMIT_DOMAIN + 2];
	const char *source = cut_string(&rest), *local = cut_string(&rest);
	const char *domain = cut_string(&rest), *helo = cut_string(&rest);
	if (l->request)
		SPF_request_free(l->request);
	l->request = SPF_request_new(l->server);
	if (!l->request || !source || !local || !domain || !helo ||
	    snprintf(sender, sizeof(sender), "%s@%s", local, domain) >= (int)sizeof(sender)) {
		say_bad(reply, NULL, "bad question");
		return;
	}
	if (SPF_request_set_ipv4_str(l->request, source) != SPF_E_SUCCESS &&
	    SPF_request_set_ipv6_str(l->request, source) != SPF_E_SUCCESS)
		say_bad(reply, NULL, "bad address");
	else if (SPF_request_set_helo_dom(l->request, helo) != SPF_E_SUCCESS ||
		 SPF_request_set_env_from(l->request, sender) != 0)
		say_bad(reply, NULL, "out of memory");
	else
		say(reply, SPF_DONE);
}

/* What a macro with the letter `c` stands for; "" for one with no value of its own. */
static const char *macro_value(const SPF_request_t *r, char c, char ip[static 64])
{
	switch (text_lower(c)) {
	case 's':
		return r->env_from;
	case 'l':
		return r->env_from_lp;
	case 'o':
		return r->env_from_dp;
	case 'd':
		return r->cur_dom ? r->cur_dom : "";
	case 'h':
		return r->helo_dom;
	case 'v':
		return r->client_ver == AF_INET ? "in-addr" : "ip6";
	case 'i':
		/* Of an IPv6 address only how many parts it has matters: 32 digits. */
		memset(ip, '.', 63);
		ip[r->client_ver == AF_INET ? 3 : 31] = '\0';
		return ip;
	default:
		return "";
	}
}

/* Where the digits end that stand at macro[1], when they say no less than how many parts the value
 * has; else where they start. */
static size_t skip_number(const struct spflib *l, const char *macro)
{
	char ip[64];
	size_t n = 1 + strspn(macro + 1, "0123456789");
	uint64_t number;
	size_t parts = 1, delimiters = n + (macro[n] == 'r');
	struct span how = { macro + delimiters, strcspn(macro + delimiters, "}") };
	if (how.n == 0)
		how = SPAN(".");
	for (const char *v = macro_value(l->request, macro[0], ip); *v; v++)
		parts += memchr(how.p, *v, how.n) != NULL;
	bool ample = text_u64((struct span){ macro + 1, n - 1 }, 128, &number) && number >= parts;
	return ample ? n : 1;
}

/*
 * libspf2 loses the first byte of a macro's value that is to be cut to as many parts as it has, or
 * more ("%{d2}" for example.net): numbers that change nothing are left out.
 */
static void drop_numbers(const struct spflib *l, const char *term, struct buf *out)
{
	for (const char *p = term; *p; p++) {
		buf_addc(out, *p);
		if (p[0] == '%' && p[1] == '%')
			buf_addc(out, *++p);
		if (p[0] != '%' || p[1] != '{' || p[2] == '\0')
			continue;
		buf_add(out, (struct span){ p + 1, 2 });
		p += 1 + skip_number(l, p + 2);
	}
}

/*
 * One term as a record of its own. libspf2 drops some terms that it does not like without a word,
 * so it is looked at whether the record has it.
 */
static SPF_record_t *compile(struct spflib *l, SPF_response_t *response, const char *term,
			     SPF_errcode_t *ret_why)
{
	char text[SPF_TERM_MOST + sizeof("v=spf1 ")];
	SPF_record_t *record = NULL;
	struct buf b;
	buf_init(&b, text, sizeof(text));
	buf_add(&b, SPAN("v=spf1 "));
	drop_numbers(l, term, &b);
	*ret_why = SPF_E_BIG_STRING;
	if (b.overflow)
		return NULL;
	*ret_why = SPF_record_compile(l->server, response, &record, buf_cstr(&b));
	if (*ret_why == SPF_E_SUCCESS && record->num_mech + record->num_mod != 1)
		*ret_why = SPF_E_SYNTAX;
	if (*ret_why == SPF_E_SUCCESS)
		return record;
	if (record)
		SPF_record_free(record);
	return NULL;
}

static void check(struct spflib *l, struct span rest, struct buf *reply)
{
	const char *term;
	SPF_errcode_t why = SPF_E_SUCCESS;
	while (why == SPF_E_SUCCESS && (term = cut_string(&rest))) {
		SPF_response_t *response = SPF_response_new(l->request);
		why = SPF_E_NO_MEMORY;
		SPF_record_t *record = response ? compile(l, response, term, &why) : NULL;
		if (!record)
			say_bad(reply, term, SPF_strerror(why));
		if (record)
			SPF_record_free(record);
		if (response)
			SPF_response_free(response);
	}
	if (why == SPF_E_SUCCESS)
		say(reply, SPF_DONE);
}

static void match(struct spflib *l, const char *term, SPF_record_t *record,
		  SPF_response_t *response, struct buf *reply)
{
	response->spf_record_exp = record;
	SPF_errcode_t why = SPF_record_interpret(record, l->request, response, 0);
	SPF_result_t result = SPF_response_result(response);
	if (result == SPF_RESULT_PASS)
		say(reply, SPF_YES);
	else if (result == SPF_RESULT_NEUTRAL)
		say(reply, SPF_NO);
	else
		say_failed(reply, term, why);
}

/* The data of a mechanism stands right behind its head. */
static void expand(struct spflib *l, const char *term, SPF_record_t *record,
		   SPF_response_t *response, struct buf *reply)
{
	SPF_mech_t *mech = record->mech_first;
	char *name = NULL;
	size_t size = 0;
	SPF_errcode_t why = SPF_E_SYNTAX;
	if (record->num_mech == 1 &&
	    (mech->mech_type == MECH_INCLUDE || mech->mech_type == MECH_REDIRECT))
		why = SPF_record_expand_data(l->server, l->request, response,
					     (SPF_data_t *)(void *)(mech + 1), mech->mech_len,
					     &name, &size);
	if (why == SPF_E_SUCCESS) {
		say(reply, SPF_NAME);
		buf_add(reply, fit_name(name));
		buf_addc(reply, '\0');
	} else {
		say_failed(reply, term, why);
	}
	free(name);
}

static void evaluate(struct spflib *l, enum spf_packet what, struct span rest, struct buf *reply)
{
	SPF_errcode_t why = SPF_E_NO_MEMORY;
	const char *domain = cut_string(&rest), *term = cut_string(&rest);
	if (!l->request || !domain || !term) {
		say_bad(reply, NULL, "bad question");
		return;
	}
	SPF_response_t *response = SPF_response_new(l->request);
	l->request->cur_dom = domain;
	SPF_record_t *record = response ? compile(l, response, term, &why) : NULL;
	if (!record)
		say_bad(reply, term, SPF_strerror(why));
	else if (what == SPF_MATCH)
		match(l, term, record, response, reply);
	else
		expand(l, term, record, response, reply);
	l->request->cur_dom = NULL;
	if (record)
		SPF_record_free(record);
	if (response)
		SPF_response_free(response);
}

size_t spflib_answer(struct spflib *l, struct span packet, char *reply, size_t size)
{
	enum spf_packet what = packet.n > 0 ? (enum spf_packet)packet.p[0] : SPF_BAD;
	struct span rest = packet;
	struct buf b;
	if (rest.n > 0)
		rest = (struct span){ packet.p + 1, packet.n - 1 };
	buf_init(&b, reply, size);
	if (what == SPF_START)
		start(l, rest, &b);
	else if (what == SPF_CHECK && l->request)
		check(l, rest, &b);
	else if (what == SPF_MATCH || what == SPF_EXPAND)
		evaluate(l, what, rest, &b);
	else
		say_bad(&b, NULL, "bad question");
	return b.len;
}
