/* SPDX-License-Identifier: ISC */
#include "core/demand.h"
#include "harness.h"

#define DOMAIN  "example.com"
#define HOST    "mx.example.net"
#define BASE    "mx.example.org"
#define LITERAL "[192.0.2.1]"

/* TLSA answers */
enum seen { USABLE, UNUSABLE, NODATA, NXDOMAIN, INSECURE, TEMP, PENDING, NOT_ASKED, SEEN_COUNT };

#define RECORD(usage, selector, matching)                                                          \
	{                                                                                          \
		.bytes = { usage selector matching "0123456789abcdef0123456789abcdef", 35 }        \
	}

static const struct dns_rr usable_rr[] = { RECORD("\x03", "\x01", "\x01"),
					   RECORD("\x00", "\x01", "\x01"),
					   RECORD("\x02", "\x00", "\x01") };
static const struct dns_rr unusable_rr[] = { RECORD("\x01", "\x01", "\x01"),
					     RECORD("\x03", "\x01", "\x02") };

#define ASKED .name = "_25._tcp." BASE, .canonical = "_25._tcp." BASE
static const struct dns_answer answers[SEEN_COUNT] = {
	[USABLE] = { .state = DNS_OK, .authentic = true, ASKED, .rr = usable_rr, .nrr = 3 },
	[UNUSABLE] = { .state = DNS_OK, .authentic = true, ASKED, .rr = unusable_rr, .nrr = 2 },
	[NODATA] = { .state = DNS_NODATA, .authentic = true, ASKED },
	[NXDOMAIN] = { .state = DNS_NXDOMAIN, .authentic = true, ASKED },
	[INSECURE] = { .state = DNS_OK, ASKED, .rr = usable_rr, .nrr = 3 },
	[TEMP] = { .state = DNS_TEMP, ASKED, .why = "SERVFAIL" },
	[PENDING] = { .state = DNS_PENDING, ASKED },
};

static const char *const all_hosts[] = { "*.example.net", DOMAIN };
static const char *const other_hosts[] = { "*.example.org", "mail.example.com" };

/* No policy; then of each mode one that lists the host, and one that does not. */
#define POLICIES 7
static const struct sts_policy policies[POLICIES] = {
	{ .mode = STS_NONE },
	{ .mode = STS_NONE, .mx = all_hosts, .nmx = 2 },
	{ .mode = STS_NONE, .mx = other_hosts, .nmx = 2 },
	{ .mode = STS_TESTING, .mx = all_hosts, .nmx = 2 },
	{ .mode = STS_TESTING, .mx = other_hosts, .nmx = 2 },
	{ .mode = STS_ENFORCE, .mx = all_hosts, .nmx = 2 },
	{ .mode = STS_ENFORCE, .mx = other_hosts, .nmx = 2 },
};

/* One cell of the product. */
struct cell {
	enum seen tlsa;
	unsigned policy;
	enum config_tls floor;
	bool mx, address, dane, mta_sts, requiretls, no, literal, implicit;
	bool sts_failed; /* not part of the product */
};

struct got {
	bool good;
	struct demand d;
	struct error err;
};

static struct config config_of(const struct cell *k)
{
	static struct config defaults;
	if (defaults.smtp_port == 0)
		config_init(&defaults);
	struct config c = defaults;
	c.tls = k->floor;
	c.dane = k->dane;
	c.mta_sts = k->mta_sts;
	return c;
}

static struct demand_facts facts_of(const struct cell *k)
{
	const char *host = k->literal ? LITERAL : k->implicit ? DOMAIN : HOST;
	return (struct demand_facts){
		.domain = k->literal ? LITERAL : DOMAIN,
		.host = host,
		.literal = k->literal,
		.implicit_mx = k->implicit,
		.mx_secure = k->mx,
		.address_secure = k->address,
		.tlsa_base = BASE,
		.tlsa = k->tlsa == NOT_ASKED ? NULL : &answers[k->tlsa],
		.sts = k->policy == 0 ? NULL : &policies[k->policy],
		.sts_failed = k->sts_failed,
		.requiretls = k->requiretls,
		.tls_required_no = k->no,
	};
}

static struct got decide(struct arena *a, const struct cell *k)
{
	struct got g = { 0 };
	struct config c = config_of(k);
	struct demand_facts f = facts_of(k);
	g.good = demand_decide(a, &c, &f, &g.d, &g.err);
	return g;
}

/* What must come out. */
struct want {
	enum err_class refused; /* ERR_NONE: the host may be used */
	enum demand_level level;
	const char *because;
	enum demand_policy policy;
	bool testing;
	const char *names; /* "a b c" */
};

/* What the facts of a cell mean, before anybody decides anything. */
struct meaning {
	bool no, found, dark, sts, listed, sts_speaks;
	enum demand_policy policy;
};

static struct meaning read_cell(const struct cell *k)
{
	struct meaning m = { .no = k->no && !k->requiretls };
	bool chain = k->mx && k->address && !k->literal;
	bool dane = chain && (k->dane || k->floor == TLS_DANE_ONLY);
	m.found = dane && (k->tlsa == USABLE || k->tlsa == UNUSABLE);
	m.dark = dane && (k->tlsa == TEMP || k->tlsa == PENDING);
	m.sts = k->mta_sts && !k->literal && k->policy >= 3;
	m.listed = m.sts && k->policy % 2 == 1;
	m.sts_speaks = m.sts && !m.found && !m.no;
	m.policy = m.found ? POLICY_DANE : m.sts ? POLICY_STS : POLICY_NONE;
	return m;
}

static struct want refused(enum err_class class, const char *because, enum demand_policy policy)
{
	return (struct want){ .refused = class, .because = because, .policy = policy };
}

static struct want at(enum demand_level level, const char *because, const char *names)
{
	return (struct want){ .level = level, .because = because, .names = names };
}

/* The level of a host that is used: the questions from the strongest level to the weakest. */
static struct want used(const struct cell *k, const struct meaning *m)
{
	const char *host = k->implicit ? DOMAIN : HOST;
	if (m->found && k->tlsa == USABLE && (!m->no || k->floor == TLS_DANE_ONLY))
		return at(DEMAND_DANE, m->no ? "configured" : "dane",
			  k->implicit ? BASE " " DOMAIN : BASE " " HOST " " DOMAIN);
	if (k->requiretls)
		return at(DEMAND_VERIFY, "requiretls", host);
	if (m->sts_speaks && k->policy == 5)
		return at(DEMAND_VERIFY, "mta-sts enforce", host);
	if (k->floor == TLS_VERIFY)
		return at(DEMAND_VERIFY, "configured", k->implicit ? DOMAIN : HOST " " DOMAIN);
	const char *names = m->sts_speaks && k->policy < 5 ? host : "";
	if (m->found && !m->no)
		return at(DEMAND_ENCRYPT, "dane", "");
	if (k->floor == TLS_ENCRYPT)
		return at(DEMAND_ENCRYPT, "configured", names);
	return at(k->floor == TLS_MAY ? DEMAND_MAY : DEMAND_NONE, "", names);
}

/* RFC 7672 2.1, 2.2; RFC 8461 2, 4.1, 5; RFC 8689 4.2.1, 5: told once more, as a list of cases. */
static struct want oracle(const struct cell *k)
{
	struct meaning m = read_cell(k);
	if (m.dark && !m.no)
		return refused(ERR_TEMP, "dane", POLICY_DANE);
	if (m.sts_speaks && k->policy == 6)
		return refused(ERR_TEMP, "mta-sts enforce", POLICY_STS);
	if (k->requiretls && (k->literal || !(k->mx || k->implicit || m.listed)))
		return refused(ERR_PERM, "requiretls", m.policy);
	if (k->floor == TLS_DANE_ONLY && !(m.found && k->tlsa == USABLE))
		return refused(ERR_TEMP, "configured", m.policy);
	if (k->floor == TLS_VERIFY && k->literal)
		return refused(ERR_TEMP, "configured", POLICY_NONE);
	struct want w = used(k, &m);
	w.policy = m.policy;
	w.testing = m.sts_speaks && k->policy < 5;
	return w;
}

static bool same_names(const struct demand *d, const char *want)
{
	char got[200] = "";
	for (size_t i = 0; i < d->nnames; i++) {
		size_t n = strlen(got);
		snprintf(got + n, sizeof(got) - n, "%s%s", n ? " " : "", d->names[i]);
	}
	return strcmp(got, want) == 0;
}

static bool same_sni(const struct demand *d, const struct cell *k)
{
	if (k->literal)
		return d->sni == NULL;
	const char *want = d->level == DEMAND_DANE ? BASE : k->implicit ? DOMAIN : HOST;
	return d->sni && strcmp(d->sni, want) == 0;
}

static bool is_refusal(const struct got *g, const struct want *w)
{
	struct esc code = w->refused == ERR_PERM ? ESC(5, 7, 30) : ESC(4, 7, 5);
	return !g->good && g->err.class == w->refused && g->err.code.cls == code.cls &&
	       g->err.code.subject == code.subject && g->err.code.detail == code.detail &&
	       g->err.text[0] != '\0' && strcmp(g->d.because, w->because) == 0 &&
	       g->d.policy == w->policy;
}

static bool agrees(const struct got *g, const struct cell *k)
{
	struct want w = oracle(k);
	if (w.refused != ERR_NONE)
		return is_refusal(g, &w);
	const struct demand *d = &g->d;
	return g->good && g->err.class == ERR_NONE && d->level == w.level &&
	       strcmp(d->because, w.because) == 0 && d->policy == w.policy &&
	       d->sts_testing == w.testing && d->requiretls == k->requiretls &&
	       same_names(d, w.names) && same_sni(d, k) &&
	       d->ntlsa == (w.level == DEMAND_DANE ? 2 : 0) &&
	       (d->tlsa != NULL) == (w.level == DEMAND_DANE);
}

static const char *show(const struct cell *k)
{
	static char text[200];
	snprintf(text, sizeof(text),
		 "mx %d address %d tlsa %d policy %u floor %d dane %d mta_sts %d requiretls %d "
		 "no %d literal %d implicit %d",
		 k->mx, k->address, (int)k->tlsa, k->policy, (int)k->floor, k->dane, k->mta_sts,
		 k->requiretls, k->no, k->literal, k->implicit);
	return text;
}

/* Every cell there is. */
#define CELLS (SEEN_COUNT * POLICIES * 5u << 8)

static struct cell cell_at(unsigned i)
{
	struct cell k = {
		.mx = i & 1,
		.address = i >> 1 & 1,
		.dane = i >> 2 & 1,
		.mta_sts = i >> 3 & 1,
		.requiretls = i >> 4 & 1,
		.no = i >> 5 & 1,
		.literal = i >> 6 & 1,
		.implicit = i >> 7 & 1,
	};
	i >>= 8;
	k.tlsa = (enum seen)(i % SEEN_COUNT);
	k.policy = i / SEEN_COUNT % POLICIES;
	k.floor = (enum config_tls)(i / SEEN_COUNT / POLICIES);
	return k;
}

static void test_product(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	unsigned good = 0, temp = 0, perm = 0, level[DEMAND_DANE + 1] = { 0 };
	for (unsigned i = 0; i < CELLS; i++) {
		struct cell k = cell_at(i);
		struct got g = decide(a, &k);
		if (!agrees(&g, &k))
			CHECK(show(&k), agrees(&g, &k));
		good += g.good;
		temp += g.err.class == ERR_TEMP;
		perm += g.err.class == ERR_PERM;
		if (g.good)
			level[g.d.level]++;
		arena_reset(a);
	}
	CHECK("all cells", good + temp + perm == CELLS);
	CHECK("each answer is there", good && temp && perm && level[DEMAND_NONE] &&
					      level[DEMAND_MAY] && level[DEMAND_ENCRYPT] &&
					      level[DEMAND_VERIFY] && level[DEMAND_DANE]);
	arena_close(a);
}

static const enum demand_level floors[] = {
	[TLS_NONE] = DEMAND_NONE,     [TLS_MAY] = DEMAND_MAY,        [TLS_ENCRYPT] = DEMAND_ENCRYPT,
	[TLS_VERIFY] = DEMAND_VERIFY, [TLS_DANE_ONLY] = DEMAND_DANE,
};

/* The two properties that everything else hangs on, and that of REQUIRETLS; not through the oracle.
 */
static bool not_below_floor(const struct cell *k, const struct demand *d)
{
	return d->level >= floors[k->floor];
}

static bool dane_is_not_plain(const struct cell *k, const struct demand *d)
{
	bool in_force = k->mx && k->address && k->dane && !k->literal && k->tlsa <= UNUSABLE;
	if (!in_force || (k->no && !k->requiretls))
		return true;
	return k->tlsa == USABLE ? d->level == DEMAND_DANE : d->level >= DEMAND_ENCRYPT;
}

static bool requiretls_is_verified(const struct cell *k, const struct demand *d)
{
	if (!k->requiretls)
		return true;
	return d->requiretls && d->level >= DEMAND_VERIFY && d->nnames > 0 && d->because[0] != '\0';
}

static void test_properties(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	unsigned used = 0;
	for (unsigned i = 0; i < CELLS; i++) {
		struct cell k = cell_at(i);
		struct got g = decide(a, &k);
		if (g.good && !not_below_floor(&k, &g.d))
			CHECK(show(&k), not_below_floor(&k, &g.d));
		if (g.good && !dane_is_not_plain(&k, &g.d))
			CHECK(show(&k), dane_is_not_plain(&k, &g.d));
		if (g.good && !requiretls_is_verified(&k, &g.d))
			CHECK(show(&k), requiretls_is_verified(&k, &g.d));
		used += g.good;
		arena_reset(a);
	}
	CHECK("some were looked at", used > 10000);
	arena_close(a);
}

/* TLS-Required: No opens doors and lowers levels; it shuts none and raises none. */
static void test_waiver_only_lowers(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	unsigned lowered = 0;
	for (unsigned i = 0; i < CELLS; i++) {
		struct cell k = cell_at(i);
		if (k.no)
			continue;
		struct got without = decide(a, &k);
		k.no = true;
		struct got with = decide(a, &k);
		bool right = with.good >= without.good &&
			     (!without.good || with.d.level <= without.d.level) &&
			     (!k.requiretls ||
			      (with.good == without.good && with.d.level == without.d.level));
		if (!right)
			CHECK(show(&k), right);
		lowered += with.good > without.good || with.d.level < without.d.level;
		arena_reset(a);
	}
	CHECK("some were lowered", lowered > 1000);
	arena_close(a);
}

static bool same_got(const struct got *a, const struct got *b)
{
	return a->good == b->good && a->err.class == b->err.class && a->d.level == b->d.level &&
	       a->d.policy == b->d.policy && strcmp(a->d.because, b->d.because) == 0 &&
	       strcmp(a->err.text, b->err.text) == 0;
}

/* A policy that could not be had is none, except where REQUIRETLS would have had it vouch for the
 * host: there the mail waits. */
static void test_sts_failed(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	unsigned waits = 0, same = 0;
	for (unsigned i = 0; i < CELLS; i++) {
		struct cell k = cell_at(i);
		struct got had = decide(a, &k);
		k.sts_failed = true;
		struct got failed = decide(a, &k);
		struct want later = { .refused = ERR_TEMP,
				      .because = "requiretls",
				      .policy = had.d.policy };
		bool vouch = had.err.class == ERR_PERM && !k.literal;
		bool right = vouch ? is_refusal(&failed, &later) : same_got(&had, &failed);
		if (!right)
			CHECK(show(&k), right);
		waits += vouch;
		same += !vouch;
		arena_reset(a);
	}
	CHECK("both were seen", waits > 100 && same > 10000);
	arena_close(a);
}

/* MTA-STS is not even asked for where this says yes. */
static void test_dane_applies(void)
{
	unsigned yes = 0;
	for (unsigned i = 0; i < CELLS; i++) {
		struct cell k = cell_at(i);
		struct config c = config_of(&k);
		struct demand_facts f = facts_of(&k);
		struct meaning m = read_cell(&k);
		bool applies = demand_dane_applies(&c, &f);
		if (applies != (m.found || m.dark))
			CHECK(show(&k), applies == (m.found || m.dark));
		yes += applies;
	}
	CHECK("some", yes > 1000 && yes < CELLS / 2);
}

static void test_sentences(void)
{
	static const struct {
		struct cell cell;
		const char *text;
	} t[] = {
		{ { .mx = true, .address = true, .dane = true, .tlsa = TEMP, .floor = TLS_NONE },
		  "TLSA lookup of _25._tcp.mx.example.org: SERVFAIL" },
		{ { .tlsa = NOT_ASKED, .mta_sts = true, .policy = 6, .floor = TLS_MAY },
		  "the MTA-STS policy of example.com does not list mx.example.net" },
		{ { .tlsa = NOT_ASKED, .requiretls = true, .floor = TLS_MAY },
		  "REQUIRETLS needs DNSSEC or MTA-STS to vouch for mx.example.net, and neither "
		  "does" },
		{ { .tlsa = NOT_ASKED, .requiretls = true, .sts_failed = true, .floor = TLS_MAY },
		  "REQUIRETLS needs the MTA-STS policy of example.com, which could not be had" },
		{ { .tlsa = NOT_ASKED, .requiretls = true, .literal = true, .floor = TLS_MAY },
		  "REQUIRETLS needs a name to verify, and [192.0.2.1] has none" },
		{ { .tlsa = NOT_ASKED, .dane = true, .floor = TLS_DANE_ONLY },
		  "tls = dane-only needs usable TLSA records secured by DNSSEC, and "
		  "mx.example.net has none" },
		{ { .tlsa = NOT_ASKED, .literal = true, .floor = TLS_VERIFY },
		  "tls = verify needs a name, and [192.0.2.1] has none" },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct got g = decide(a, &t[i].cell);
		CHECK(t[i].text, !g.good);
		CHECK_STR("sentence", g.err.text, t[i].text);
	}
	arena_close(a);
}

static void test_names_once(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct config c;
	struct demand d;
	struct error err = { 0 };
	config_init(&c);
	struct demand_facts f = {
		.domain = "Example.COM",
		.host = "example.com",
		.tlsa_base = "EXAMPLE.com",
		.implicit_mx = true,
		.mx_secure = true,
		.address_secure = true,
		.tlsa = &answers[USABLE],
	};
	CHECK("dane", demand_decide(a, &c, &f, &d, &err) && d.level == DEMAND_DANE);
	CHECK("dane", d.nnames == 1 && same_names(&d, "EXAMPLE.com"));
	c.tls = TLS_VERIFY;
	f.tlsa = NULL;
	CHECK("verify", demand_decide(a, &c, &f, &d, &err) && d.level == DEMAND_VERIFY);
	CHECK("verify", d.nnames == 1 && same_names(&d, "example.com"));
	arena_close(a);
}

static void test_records_in_order(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct cell k = { .mx = true, .address = true, .dane = true, .tlsa = USABLE };
	struct got g = decide(a, &k);
	CHECK("used", g.good && g.d.ntlsa == 2);
	if (g.d.ntlsa == 2) {
		CHECK("first", g.d.tlsa[0].usage == 3 && g.d.tlsa[0].selector == 1 &&
				       g.d.tlsa[0].matching == 1 && g.d.tlsa[0].data.n == 32);
		CHECK("second", g.d.tlsa[1].usage == 2 && g.d.tlsa[1].selector == 0);
	}
	arena_close(a);
}

static void test_no_memory(void)
{
	struct arena *a = arena_open(0);
	struct cell k = { .mx = true, .address = true, .dane = true, .tlsa = USABLE };
	struct got g = decide(a, &k);
	CHECK("dane", !g.good && g.err.class == ERR_INTERNAL && g.d.policy == POLICY_DANE);
	CHECK_STR("dane", g.d.because, "");
	k.tlsa = NODATA;
	g = decide(a, &k);
	CHECK("without records none is needed", g.good);
	arena_close(a);
}

static void test_wants_tlsa(void)
{
	for (unsigned i = 0; i < 8; i++) {
		for (enum config_tls floor = TLS_NONE; floor <= TLS_DANE_ONLY; floor++) {
			struct config c;
			config_init(&c);
			c.dane = i & 1;
			c.tls = floor;
			bool want = (i >> 1) == 3 && ((i & 1) || floor == TLS_DANE_ONLY);
			CHECK("wants", demand_wants_tlsa(&c, i & 2, i & 4) == want);
		}
	}
}

static void test_level_names(void)
{
	static const char *const t[] = { "none", "may", "encrypt", "verify", "dane" };
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		CHECK_STR("level", demand_level_name((enum demand_level)i), t[i]);
}

/* RFC 8314 section 3.3: nothing is said there before TLS, whatever the floor and the message say.
 */
static void test_tls_first(void)
{
	static const enum demand_level want[] = {
		[TLS_NONE] = DEMAND_ENCRYPT,
		[TLS_MAY] = DEMAND_ENCRYPT,
		[TLS_ENCRYPT] = DEMAND_ENCRYPT,
		[TLS_VERIFY] = DEMAND_VERIFY,
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (unsigned i = 0; i < 2 * 4; i++) {
		struct cell k = { .tlsa = NOT_ASKED, .floor = (enum config_tls)(i / 2) };
		struct demand d;
		struct error err;
		struct config c = config_of(&k);
		struct demand_facts f = facts_of(&k);
		c.smtp_port = PORT_SUBMISSIONS;
		f.tls_required_no = i % 2;
		CHECK(show(&k), demand_decide(a, &c, &f, &d, &err) && d.level == want[i / 2]);
		CHECK_STR("because", d.because, "configured");
	}
	arena_close(a);
}

TEST_MAIN("demand", { "the full product", test_product }, { "properties", test_properties },
	  { "TLS-Required: No only lowers", test_waiver_only_lowers },
	  { "policy that could not be had", test_sts_failed },
	  { "where DANE applies", test_dane_applies }, { "sentences", test_sentences },
	  { "each name once", test_names_once }, { "records", test_records_in_order },
	  { "no memory", test_no_memory }, { "wants TLSA", test_wants_tlsa },
	  { "level names", test_level_names }, { "TLS first", test_tls_first })
