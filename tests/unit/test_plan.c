/* SPDX-License-Identifier: ISC */
#include "core/plan.h"
#include "harness.h"

static const uint8_t seed[16] = { 1 };
static const struct mx mx = { "mx.example", 10 };

/* "192.0.2.1,192.0.2.2"; or "NODATA", "NXDOMAIN", "TEMP", "PENDING"; NULL is not asked. */
static const struct dns_answer *answer_of(struct arena *a, const char *text)
{
	struct dns_rr *rr = ARENA_NEW(a, struct dns_rr, LIMIT_DNS_RRS);
	struct dns_answer *answer = ARENA_NEW(a, struct dns_answer, 1);
	struct span rest = span_of(text), head;
	*answer = (struct dns_answer){ .state = DNS_OK, .name = "mx.example", .rr = rr };
	if (!text)
		return NULL;
	if (strcmp(text, "NODATA") == 0)
		answer->state = DNS_NODATA;
	else if (strcmp(text, "NXDOMAIN") == 0)
		answer->state = DNS_NXDOMAIN;
	else if (strcmp(text, "PENDING") == 0)
		answer->state = DNS_PENDING;
	else if (strcmp(text, "TEMP") == 0)
		answer->state = DNS_TEMP;
	if (answer->state == DNS_TEMP)
		memcpy(answer->why, "SERVFAIL", 9);
	while (answer->state == DNS_OK && span_cut(&rest, ',', &head)) {
		CHECK(text, answer->nrr < LIMIT_DNS_RRS && ip_parse(head, &rr[answer->nrr].ip));
		answer->nrr++;
	}
	return answer;
}

static const struct config *config_of(struct arena *a, const char *option)
{
	struct config *c = ARENA_NEW(a, struct config, 1);
	struct error err;
	config_init(c);
	if (option)
		CHECK(option, config_set_option(a, c, option, &err));
	return c;
}

/* "192.0.2.1 2001:db8::1" */
static void show(const struct candidate *c, char *out, size_t size)
{
	size_t used = 0;
	out[0] = '\0';
	for (size_t i = 0; i < c->naddr && used < size; i++) {
		char text[IP_TEXT];
		ip_format(c->addr[i].ip, text);
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? " " : "", text);
	}
}

/* Which family is where: "6464". */
static void show_families(const struct candidate *c, char out[static LIMIT_ADDRS + 1])
{
	for (size_t i = 0; i < c->naddr; i++)
		out[i] = c->addr[i].ip.family == 4 ? '4' : '6';
	out[c->naddr] = '\0';
}

struct want {
	const char *label, *a, *aaaa, *option, *own;
	enum plan_say say;
	struct esc code;
	const char *text; /* the addresses, or the error */
};

/* What is said of the addresses is what was done with them. */
static void check_explained(const struct want *t, struct arena *a, const struct plan_rules *rules,
			    const struct candidate *c)
{
	struct plan_address *p = ARENA_NEW(a, struct plan_address, PLAN_VERDICTS);
	const struct dns_answer *v4 = answer_of(a, t->a), *v6 = answer_of(a, t->aaaa);
	size_t used = 0, own = 0;
	size_t n = plan_explain(v4, v6, rules, t->say == PLAN_USE ? c : NULL, p);
	CHECK(t->label, n == (v4 ? v4->nrr : 0) + (v6 ? v6->nrr : 0));
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;
		while (t->say == PLAN_USE && k < c->naddr && !ip_equal(c->addr[k].ip, p[i].ip))
			k++;
		bool chosen = t->say == PLAN_USE && k < c->naddr;
		if (t->say == PLAN_USE)
			CHECK(t->label, chosen == (p[i].verdict == VERDICT_USED ||
						   p[i].verdict == VERDICT_TWICE));
		CHECK(t->label, p[i].verdict != VERDICT_REFUSED || p[i].network != NULL);
		used += p[i].verdict == VERDICT_USED;
		own += p[i].verdict == VERDICT_OWN;
	}
	CHECK(t->label, t->say != PLAN_USE || used == c->naddr);
	CHECK(t->label, t->say != PLAN_SKIP || used == 0);
	CHECK(t->label, (t->say == PLAN_SELF) == (own > 0));
}

static void check_want(const struct want *t)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct ip own = { 0 };
	struct plan_rules rules = { config_of(a, t->option), &own, t->own ? 1 : 0 };
	struct candidate c = { .naddr = 77 };
	struct error err = { 0 };
	struct rng rng;
	char text[1000];
	rng_seed(&rng, seed);
	if (t->own)
		CHECK(t->label, ip_parse(span_of(t->own), &own));
	enum plan_say say =
		plan_host(&mx, answer_of(a, t->a), answer_of(a, t->aaaa), &rules, &rng, &c, &err);
	CHECK(t->label, say == t->say);
	if (say == PLAN_USE) {
		show(&c, text, sizeof(text));
		CHECK_STR(t->label, text, t->text);
		CHECK(t->label, err.class == ERR_NONE && c.host == mx.host && c.pref == 10);
		CHECK(t->label, c.addr[0].port == 25);
	} else {
		CHECK_STR(t->label, err.text, t->text);
		CHECK(t->label, c.naddr == 77);
		CHECK(t->label, err.code.cls == t->code.cls && err.code.subject == t->code.subject);
		CHECK(t->label, err.code.detail == t->code.detail);
		CHECK(t->label, err.class == (t->code.cls == 5 ? ERR_PERM : ERR_TEMP));
	}
	check_explained(t, a, &rules, &c);
	arena_close(a);
}
#define CHECK_WANTS(t)                                                                             \
	for (size_t i = 0; i < sizeof(t) / sizeof((t)[0]); i++)                                    \
	check_want(&(t)[i])

static void test_use(void)
{
	static const struct want t[] = {
		{ .label = "IPv4 alone", .a = "192.0.2.1", .aaaa = "NODATA", .text = "192.0.2.1" },
		{ .label = "IPv6 alone",
		  .a = "NODATA",
		  .aaaa = "2001:db8::1",
		  .text = "2001:db8::1" },
		{ .label = "IPv6 leads",
		  .a = "192.0.2.1",
		  .aaaa = "2001:db8::1",
		  .text = "2001:db8::1 192.0.2.1" },
		{ .label = "other lookup failed",
		  .a = "192.0.2.1",
		  .aaaa = "TEMP",
		  .text = "192.0.2.1" },
		{ .label = "other lookup failed",
		  .a = "TEMP",
		  .aaaa = "2001:db8::1",
		  .text = "2001:db8::1" },
		{ .label = "other not asked",
		  .a = "192.0.2.1",
		  .option = "address_family=ipv4",
		  .text = "192.0.2.1" },
		{ .label = "named twice",
		  .a = "192.0.2.1,192.0.2.1",
		  .aaaa = "NODATA",
		  .text = "192.0.2.1" },
		{ .label = "others are not ours",
		  .a = "192.0.2.1",
		  .aaaa = "NODATA",
		  .own = "192.0.2.2",
		  .text = "192.0.2.1" },
		{ .label = "a private network",
		  .a = "10.0.0.1",
		  .aaaa = "fd00::1",
		  .text = "fd00::1 10.0.0.1" },
	};
	CHECK_WANTS(t);
}

static void test_family(void)
{
	static const struct want t[] = {
		{ .label = "any",
		  .a = "192.0.2.1",
		  .aaaa = "2001:db8::1",
		  .option = "address_family=any",
		  .text = "2001:db8::1 192.0.2.1" },
		{ .label = "prefer-ipv6",
		  .a = "192.0.2.1",
		  .aaaa = "2001:db8::1",
		  .option = "address_family=prefer-ipv6",
		  .text = "2001:db8::1 192.0.2.1" },
		{ .label = "prefer-ipv4",
		  .a = "192.0.2.1",
		  .aaaa = "2001:db8::1",
		  .option = "address_family=prefer-ipv4",
		  .text = "192.0.2.1 2001:db8::1" },
		{ .label = "ipv4",
		  .a = "192.0.2.1",
		  .aaaa = "2001:db8::1",
		  .option = "address_family=ipv4",
		  .text = "192.0.2.1" },
		{ .label = "ipv6",
		  .a = "192.0.2.1",
		  .aaaa = "2001:db8::1",
		  .option = "address_family=ipv6",
		  .text = "2001:db8::1" },
		{ .label = "prefer-ipv4, only IPv6",
		  .a = "NODATA",
		  .aaaa = "2001:db8::1",
		  .option = "address_family=prefer-ipv4",
		  .text = "2001:db8::1" },
		{ .label = "a source address changes nothing",
		  .a = "192.0.2.1",
		  .aaaa = "2001:db8::1",
		  .option = "source_ipv4=192.0.2.9",
		  .text = "2001:db8::1 192.0.2.1" },
	};
	CHECK_WANTS(t);
}

static void test_skip(void)
{
	static const struct want t[] = {
		{ .label = "both NODATA",
		  .a = "NODATA",
		  .aaaa = "NODATA",
		  .say = PLAN_SKIP,
		  .code = { 5, 4, 4 },
		  .text = "mx.example has no address" },
		{ .label = "both NXDOMAIN",
		  .a = "NXDOMAIN",
		  .aaaa = "NXDOMAIN",
		  .say = PLAN_SKIP,
		  .code = { 5, 4, 4 },
		  .text = "mx.example does not exist" },
		{ .label = "NODATA, NXDOMAIN",
		  .a = "NODATA",
		  .aaaa = "NXDOMAIN",
		  .say = PLAN_SKIP,
		  .code = { 5, 4, 4 },
		  .text = "mx.example does not exist" },
		{ .label = "NXDOMAIN of one",
		  .a = "NXDOMAIN",
		  .option = "address_family=ipv4",
		  .say = PLAN_SKIP,
		  .code = { 5, 4, 4 },
		  .text = "mx.example does not exist" },
		{ .label = "no IPv4, IPv6 not asked",
		  .a = "NODATA",
		  .option = "address_family=ipv4",
		  .say = PLAN_SKIP,
		  .code = { 4, 4, 4 },
		  .text = "mx.example has no IPv4 address" },
		{ .label = "no IPv6, IPv4 not asked",
		  .aaaa = "NODATA",
		  .option = "address_family=ipv6",
		  .say = PLAN_SKIP,
		  .code = { 4, 4, 4 },
		  .text = "mx.example has no IPv6 address" },
		{ .label = "both failed",
		  .a = "TEMP",
		  .aaaa = "TEMP",
		  .say = PLAN_SKIP,
		  .code = { 4, 4, 3 },
		  .text = "address lookup of mx.example: SERVFAIL" },
		{ .label = "A failed",
		  .a = "TEMP",
		  .aaaa = "NODATA",
		  .say = PLAN_SKIP,
		  .code = { 4, 4, 3 },
		  .text = "address lookup of mx.example: SERVFAIL" },
		{ .label = "AAAA failed",
		  .a = "NODATA",
		  .aaaa = "TEMP",
		  .say = PLAN_SKIP,
		  .code = { 4, 4, 3 },
		  .text = "address lookup of mx.example: SERVFAIL" },
		{ .label = "failed, NXDOMAIN",
		  .a = "NXDOMAIN",
		  .aaaa = "TEMP",
		  .say = PLAN_SKIP,
		  .code = { 4, 4, 3 },
		  .text = "address lookup of mx.example: SERVFAIL" },
		{ .label = "failed, other refused",
		  .a = "127.0.0.1",
		  .aaaa = "TEMP",
		  .say = PLAN_SKIP,
		  .code = { 4, 4, 3 },
		  .text = "address lookup of mx.example: SERVFAIL" },
		{ .label = "family not wanted",
		  .a = "192.0.2.1",
		  .aaaa = "NODATA",
		  .option = "address_family=ipv6",
		  .say = PLAN_SKIP,
		  .code = { 4, 4, 4 },
		  .text = "mx.example has no usable address: 192.0.2.1 is of a family not wanted" },
		{ .label = "family not wanted",
		  .a = "NODATA",
		  .aaaa = "2001:db8::1",
		  .option = "address_family=ipv4",
		  .say = PLAN_SKIP,
		  .code = { 4, 4, 4 },
		  .text = "mx.example has no usable address: 2001:db8::1 is of a family not "
			  "wanted" },
		{ .label = "refused",
		  .a = "127.0.0.1",
		  .aaaa = "::1",
		  .say = PLAN_SKIP,
		  .code = { 4, 4, 4 },
		  .text = "mx.example has no usable address: 127.0.0.1 is in refused_networks" },
	};
	CHECK_WANTS(t);
}

static void test_refused(void)
{
#define NONE .say = PLAN_SKIP, .code = { 4, 4, 4 }
	static const struct want t[] = {
		{ .label = "one of them",
		  .a = "127.0.0.1,192.0.2.1,0.0.0.0",
		  .aaaa = "NODATA",
		  .text = "192.0.2.1" },
		{ .label = "mapped",
		  .a = "NODATA",
		  .aaaa = "::ffff:127.0.0.1",
		  NONE,
		  .text = "mx.example has no usable address: ::ffff:127.0.0.1 is in "
			  "refused_networks" },
		{ .label = "NAT64",
		  .a = "NODATA",
		  .aaaa = "64:ff9b::7f00:1",
		  NONE,
		  .text = "mx.example has no usable address: 64:ff9b::7f00:1 is in "
			  "refused_networks" },
		{ .label = "6to4",
		  .a = "NODATA",
		  .aaaa = "2002:7f00:1::1",
		  NONE,
		  .text = "mx.example has no usable address: 2002:7f00:1::1 is in "
			  "refused_networks" },
		{ .label = "hidden but fine",
		  .a = "NODATA",
		  .aaaa = "64:ff9b::c000:201",
		  .text = "64:ff9b::c000:201" },
		{ .label = "multicast",
		  .a = "224.0.0.1",
		  .aaaa = "ff02::1",
		  NONE,
		  .text = "mx.example has no usable address: 224.0.0.1 is in refused_networks" },
		{ .label = "broadcast",
		  .a = "255.255.255.255",
		  .aaaa = "::",
		  NONE,
		  .text = "mx.example has no usable address: 255.255.255.255 is in "
			  "refused_networks" },
		{ .label = "by configuration",
		  .a = "10.1.2.3,192.0.2.1",
		  .aaaa = "NODATA",
		  .option = "refused_networks=10.0.0.0/8",
		  .text = "192.0.2.1" },
		{ .label = "by configuration, hidden",
		  .a = "192.0.2.1",
		  .aaaa = "::ffff:10.1.2.3",
		  .option = "refused_networks=10.0.0.0/8",
		  .text = "192.0.2.1" },
		{ .label = "the form itself",
		  .a = "192.0.2.1",
		  .aaaa = "2002:c000:201::1",
		  .option = "refused_networks=2002::/16",
		  .text = "192.0.2.1" },
		{ .label = "nothing",
		  .a = "127.0.0.1",
		  .aaaa = "::1",
		  .option = "refused_networks=",
		  .text = "::1 127.0.0.1" },
	};
	CHECK_WANTS(t);
#undef NONE
}

static void test_self(void)
{
#define SELF .say = PLAN_SELF, .code = { 5, 4, 6 }
	static const struct want t[] = {
		{ .label = "only",
		  .a = "192.0.2.1",
		  .aaaa = "NODATA",
		  .own = "192.0.2.1",
		  SELF,
		  .text = "mail loops back to this host: mx.example has our address 192.0.2.1" },
		{ .label = "among others",
		  .a = "192.0.2.7,192.0.2.1",
		  .aaaa = "2001:db8::1",
		  .own = "192.0.2.1",
		  SELF,
		  .text = "mail loops back to this host: mx.example has our address 192.0.2.1" },
		{ .label = "IPv6",
		  .a = "192.0.2.7",
		  .aaaa = "2001:db8::1",
		  .own = "2001:db8::1",
		  SELF,
		  .text = "mail loops back to this host: mx.example has our address 2001:db8::1" },
		{ .label = "hidden",
		  .a = "NODATA",
		  .aaaa = "::ffff:192.0.2.1",
		  .own = "192.0.2.1",
		  SELF,
		  .text = "mail loops back to this host: mx.example has our address "
			  "::ffff:192.0.2.1" },
		{ .label = "refused too",
		  .a = "10.0.0.1",
		  .aaaa = "NODATA",
		  .own = "10.0.0.1",
		  .option = "refused_networks=10.0.0.0/8",
		  SELF,
		  .text = "mail loops back to this host: mx.example has our address 10.0.0.1" },
		{ .label = "of a family not wanted",
		  .a = "192.0.2.1",
		  .aaaa = "2001:db8::1",
		  .own = "192.0.2.1",
		  .option = "address_family=ipv6",
		  SELF,
		  .text = "mail loops back to this host: mx.example has our address 192.0.2.1" },
	};
	CHECK_WANTS(t);
#undef SELF
}

static void test_explain(void)
{
	static const struct {
		const char *label, *a, *aaaa, *option, *own;
		const char *verdicts; /* u(sed) s(urplus) t(wice) r(efused) f(amily) o(wn) */
		const char *network;
	} t[] = {
		{ "all used", "192.0.2.1,192.0.2.2", "2001:db8::1", NULL, NULL, "uuu", NULL },
		{ "refused", "127.0.0.1,192.0.2.1", "::ffff:10.0.0.1",
		  "refused_networks=127.0.0.0/8,10.0.0.0/8", NULL, "rur", "10.0.0.0/8" },
		{ "twice", "192.0.2.1,192.0.2.1", NULL, NULL, NULL, "ut", NULL },
		{ "refused twice", "127.0.0.1,127.0.0.1", NULL, NULL, NULL, "rr", "127.0.0.0/8" },
		{ "family", "192.0.2.1", "2001:db8::1", "address_family=ipv6", NULL, "fu", NULL },
		{ "family, and refused", "127.0.0.1", "2001:db8::1", "address_family=ipv6", NULL,
		  "fu", NULL },
		{ "own", "192.0.2.1,192.0.2.2", "2001:db8::1", NULL, "192.0.2.2", "uou", NULL },
		{ "own, hidden", "192.0.2.1", "64:ff9b::c000:202", NULL, "192.0.2.2", "uo", NULL },
		{ "failed", "TEMP", "2001:db8::1", NULL, NULL, "u", NULL },
		{ "nothing", "NODATA", "NXDOMAIN", NULL, NULL, "", NULL },
		{ "surplus", "192.0.2.1", "2001:db8::1", "max_addresses=1", NULL, "su", NULL },
	};
	static const char letters[] = {
		[VERDICT_USED] = 'u',    [VERDICT_SURPLUS] = 's', [VERDICT_TWICE] = 't',
		[VERDICT_REFUSED] = 'r', [VERDICT_FAMILY] = 'f',  [VERDICT_OWN] = 'o'
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct arena *a = arena_open(LIMIT_ARENA);
		struct plan_address *p = ARENA_NEW(a, struct plan_address, PLAN_VERDICTS);
		const struct dns_answer *v4 = answer_of(a, t[i].a), *v6 = answer_of(a, t[i].aaaa);
		struct ip own = { 0 };
		struct candidate c;
		struct error err;
		struct rng rng;
		char said[20] = "", network[IP_TEXT] = "";
		rng_seed(&rng, seed);
		const struct plan_rules rules = { config_of(a, t[i].option), &own, !!t[i].own };
		if (t[i].own)
			CHECK(t[i].label, ip_parse(span_of(t[i].own), &own));
		enum plan_say say = plan_host(&mx, v4, v6, &rules, &rng, &c, &err);
		size_t n = plan_explain(v4, v6, &rules, say == PLAN_USE ? &c : NULL, p);
		for (size_t k = 0; k < n; k++)
			said[k] = letters[p[k].verdict];
		CHECK_STR(t[i].label, said, t[i].verdicts);
		if (t[i].network && n > 0) {
			const struct ip_net *net = p[n - 1].network;
			ip_format(net ? net->ip : (struct ip){ 4, { 0 } }, network);
			CHECK_STR(t[i].label,
				  arena_fmt(a, "%s/%u", network, net ? (unsigned)net->bits : 0),
				  t[i].network);
		}
		arena_close(a);
	}
}

static void test_explain_literal(void)
{
	static const struct {
		const char *ip, *option, *own;
		enum plan_verdict verdict;
	} t[] = {
		{ "192.0.2.1", NULL, NULL, VERDICT_USED },
		{ "127.0.0.1", NULL, NULL, VERDICT_REFUSED },
		{ "192.0.2.1", "address_family=ipv6", NULL, VERDICT_FAMILY },
		{ "192.0.2.1", NULL, "192.0.2.1", VERDICT_OWN },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct arena *a = arena_open(LIMIT_ARENA);
		struct ip own = { 0 }, ip = { 0 };
		struct candidate c;
		struct error err;
		CHECK(t[i].ip, ip_parse(span_of(t[i].ip), &ip));
		if (t[i].own)
			CHECK(t[i].own, ip_parse(span_of(t[i].own), &own));
		const struct plan_rules rules = { config_of(a, t[i].option), &own, !!t[i].own };
		enum plan_verdict v = plan_explain_literal(ip, &rules).verdict;
		enum plan_say say = plan_literal("[x]", ip, &rules, &c, &err);
		CHECK(t[i].ip, v == t[i].verdict);
		CHECK(t[i].ip, (say == PLAN_USE) == (v == VERDICT_USED));
		CHECK(t[i].ip, (say == PLAN_SELF) == (v == VERDICT_OWN));
		arena_close(a);
	}
}

static const struct dns_answer *many(struct arena *a, uint8_t family, size_t n)
{
	struct dns_rr *rr = ARENA_NEW(a, struct dns_rr, LIMIT_DNS_RRS);
	struct dns_answer *answer = ARENA_NEW(a, struct dns_answer, 1);
	*answer = (struct dns_answer){ .state = n ? DNS_OK : DNS_NODATA, .rr = rr, .nrr = n };
	for (size_t i = 0; i < n; i++) {
		rr[i].ip.family = family;
		rr[i].ip.b[0] = family == 4 ? 192 : 0x20;
		rr[i].ip.b[3] = (uint8_t)i;
	}
	return answer;
}

static void test_interleave(void)
{
	static const struct {
		size_t n4, n6;
		const char *option, *families;
	} t[] = {
		{ 2, 2, "address_family=any", "6464" },
		{ 2, 2, "address_family=prefer-ipv4", "4646" },
		{ 3, 1, "address_family=any", "6444" },
		{ 1, 3, "address_family=any", "6466" },
		{ 1, 3, "address_family=prefer-ipv4", "4666" },
		{ 0, 3, "address_family=prefer-ipv4", "666" },
		{ 4, 4, "max_addresses=3", "646" },
		{ 4, 4, "max_addresses=1", "6" },
		{ 4, 0, "max_addresses=2", "44" },
		{ 20, 20, "max_addresses=16", "6464646464646464" },
		{ LIMIT_DNS_RRS, 1, "max_addresses=16", "6444444444444444" },
		{ LIMIT_DNS_RRS, LIMIT_DNS_RRS, "max_addresses=16", "6464646464646464" },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct plan_rules rules = { config_of(a, t[i].option), NULL, 0 };
		struct candidate c;
		struct error err;
		struct rng rng;
		char families[LIMIT_ADDRS + 1];
		rng_seed(&rng, seed);
		CHECK(t[i].families, plan_host(&mx, many(a, 4, t[i].n4), many(a, 6, t[i].n6),
					       &rules, &rng, &c, &err) == PLAN_USE);
		show_families(&c, families);
		CHECK_STR(t[i].option, families, t[i].families);
	}
	arena_close(a);
}

/* Each address of a family is first about equally often, also one that max_addresses cuts in other
 * runs; and the seed decides. */
static void test_random(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct plan_rules rules = { config_of(a, "max_addresses=2"), NULL, 0 };
	const struct dns_answer *v4 = many(a, 4, 4), *v6 = many(a, 6, 4);
	unsigned first[4] = { 0 }, second[4] = { 0 };
	struct rng rng, twin;
	rng_seed(&rng, seed);
	rng_seed(&twin, seed);
	for (int i = 0; i < 1000; i++) {
		struct candidate c, again;
		struct error err;
		CHECK("use", plan_host(&mx, v4, v6, &rules, &rng, &c, &err) == PLAN_USE);
		CHECK("two", c.naddr == 2 && c.addr[0].ip.b[3] < 4 && c.addr[1].ip.b[3] < 4);
		first[c.addr[0].ip.b[3] & 3]++;
		second[c.addr[1].ip.b[3] & 3]++;
		CHECK("twin", plan_host(&mx, v4, v6, &rules, &twin, &again, &err) == PLAN_USE);
		CHECK("the seed decides", ip_equal(c.addr[0].ip, again.addr[0].ip) &&
						  ip_equal(c.addr[1].ip, again.addr[1].ip));
	}
	for (int i = 0; i < 4; i++)
		CHECK("fair",
		      first[i] > 180 && first[i] < 320 && second[i] > 180 && second[i] < 320);
	arena_close(a);
}

static void test_port(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct plan_rules rules = { config_of(a, "smtp_port=2525"), NULL, 0 };
	struct candidate c;
	struct error err;
	struct rng rng;
	rng_seed(&rng, seed);
	CHECK("use",
	      plan_host(&mx, many(a, 4, 2), many(a, 6, 2), &rules, &rng, &c, &err) == PLAN_USE);
	for (size_t i = 0; i < 4; i++)
		CHECK("port", c.addr[i].port == 2525);
	arena_close(a);
}

static void test_not_settled(void)
{
	static const struct {
		const char *label, *a, *aaaa;
	} t[] = { { "A", "PENDING", "2001:db8::1" },
		  { "AAAA", "192.0.2.1", "PENDING" },
		  { "neither", NULL, NULL } };
	struct arena *a = arena_open(LIMIT_ARENA);
	struct plan_rules rules = { config_of(a, NULL), NULL, 0 };
	for (size_t i = 0; i < 3; i++) {
		struct candidate c;
		struct error err = { 0 };
		struct rng rng;
		rng_seed(&rng, seed);
		CHECK(t[i].label, plan_host(&mx, answer_of(a, t[i].a), answer_of(a, t[i].aaaa),
					    &rules, &rng, &c, &err) == PLAN_SKIP);
		CHECK(t[i].label, err.class == ERR_INTERNAL);
	}
	arena_close(a);
}

static void test_literal(void)
{
	static const struct {
		const char *host, *ip, *option, *own;
		enum plan_say say;
		struct esc code;
	} t[] = {
		{ "[192.0.2.1]", "192.0.2.1", NULL, NULL, PLAN_USE, { 0 } },
		{ "[IPv6:2001:db8::1]", "2001:db8::1", "smtp_port=26", NULL, PLAN_USE, { 0 } },
		{ "[192.0.2.1]", "192.0.2.1", "address_family=ipv4", NULL, PLAN_USE, { 0 } },
		{ "[192.0.2.1]", "192.0.2.1", "address_family=prefer-ipv6", NULL, PLAN_USE, { 0 } },
		{ "[127.0.0.1]", "127.0.0.1", "refused_networks=", NULL, PLAN_USE, { 0 } },
		{ "[192.0.2.1]", "192.0.2.1", "address_family=ipv6", NULL, PLAN_SKIP, { 4, 4, 4 } },
		{ "[127.0.0.1]", "127.0.0.1", NULL, NULL, PLAN_SKIP, { 4, 4, 4 } },
		{ "[IPv6:::ffff:127.0.0.1]",
		  "::ffff:127.0.0.1",
		  NULL,
		  NULL,
		  PLAN_SKIP,
		  { 4, 4, 4 } },
		{ "[192.0.2.1]", "192.0.2.1", NULL, "192.0.2.1", PLAN_SELF, { 5, 4, 6 } },
		{ "[IPv6:::ffff:192.0.2.1]",
		  "::ffff:192.0.2.1",
		  NULL,
		  "192.0.2.1",
		  PLAN_SELF,
		  { 5, 4, 6 } },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct ip own = { 0 }, ip = { 0 };
		struct plan_rules rules = { config_of(a, t[i].option), &own, t[i].own ? 1 : 0 };
		struct candidate c = { .naddr = 77 };
		struct error err = { 0 };
		CHECK(t[i].host, ip_parse(span_of(t[i].ip), &ip));
		CHECK(t[i].host, !t[i].own || ip_parse(span_of(t[i].own), &own));
		CHECK(t[i].host, plan_literal(t[i].host, ip, &rules, &c, &err) == t[i].say);
		if (t[i].say == PLAN_USE) {
			CHECK(t[i].host, c.host == t[i].host && c.naddr == 1 && c.pref == 0);
			CHECK(t[i].host, ip_equal(c.addr[0].ip, ip) && err.class == ERR_NONE);
			CHECK(t[i].host, c.addr[0].port == rules.config->smtp_port);
		} else {
			CHECK(t[i].host, err.code.cls == t[i].code.cls && c.naddr == 77);
			CHECK(t[i].host, err.code.detail == t[i].code.detail);
			CHECK(t[i].host, strstr(err.text, t[i].host) != NULL);
		}
	}
	arena_close(a);
}

TEST_MAIN("plan", { "use", test_use }, { "family", test_family }, { "skip", test_skip },
	  { "refused", test_refused }, { "self", test_self }, { "interleave", test_interleave },
	  { "random", test_random }, { "port", test_port }, { "not settled", test_not_settled },
	  { "literal", test_literal }, { "explain", test_explain },
	  { "explain a literal", test_explain_literal })
