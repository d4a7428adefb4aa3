/* SPDX-License-Identifier: ISC */
#include "core/mxlist.h"
#include "harness.h"

static const uint8_t seed[16] = { 1 };

struct want {
	const char *label;
	const char *mx;   /* "10 a.example,20 b.example"; "." is the root */
	const char *self; /* NULL: unknown */
	const char *list; /* what comes out, in order; NULL: an error */
	enum err_class class;
	struct esc code;
	const char *text; /* a piece of the error's text */
};

/* The answer to a question for the MX of x.example, as in `mx`. */
static struct dns_answer answer_of(struct arena *a, const char *mx)
{
	struct span rest = span_of(mx), head;
	struct dns_rr *rr = ARENA_NEW(a, struct dns_rr, LIMIT_DNS_RRS);
	struct dns_answer answer = { .state = DNS_OK, .name = "x.example", .rr = rr };
	while (span_cut(&rest, ',', &head)) {
		struct span pref;
		span_cut(&head, ' ', &pref);
		rr[answer.nrr].mx.pref = (uint16_t)strtoul(pref.p, NULL, 10);
		rr[answer.nrr].mx.host =
			arena_str(a, span_equal(head, SPAN(".")) ? SPAN("") : head);
		answer.nrr++;
	}
	return answer;
}

static void show(const struct mxlist *list, char *out, size_t size)
{
	size_t used = 0;
	out[0] = '\0';
	for (size_t i = 0; i < list->n && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%u %s", i ? "," : "",
					 list->mx[i].pref, list->mx[i].host);
}

/* Who is said to be in the list is in it, and nobody else. */
static void check_explained(const struct dns_answer *answer, const struct mxlist_rules *rules,
			    const struct mxlist *list, const char *label)
{
	size_t listed = 0;
	for (size_t i = 0; i < answer->nrr; i++) {
		const struct dns_rr *rr = &answer->rr[i];
		bool said = mxlist_explain(answer, rules, list, i) == MX_LISTED;
		listed += said;
		for (size_t k = 0; said && k < list->n; k++)
			if (strcasecmp(list->mx[k].host, rr->mx.host) == 0)
				CHECK(label, list->mx[k].pref == rr->mx.pref);
	}
	CHECK(label, listed == (list ? list->n : 0));
}

static void check_want(const struct want *t)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct dns_answer answer = answer_of(a, t->mx);
	struct mxlist_rules rules = { LIMIT_MX, t->self ? t->self : "" };
	struct mxlist list = { .n = 77 };
	struct error err = { 0 };
	struct rng rng;
	char text[1000];
	rng_seed(&rng, seed);
	bool good = mxlist_build(&answer, &rules, &rng, &list, &err);
	CHECK(t->label, good == (t->list != NULL));
	CHECK(t->label, err.class == t->class);
	check_explained(&answer, &rules, good ? &list : NULL, t->label);
	if (good) {
		show(&list, text, sizeof(text));
		CHECK_STR(t->label, text, t->list ? t->list : "(error)");
		CHECK(t->label, !list.implicit);
	} else {
		CHECK(t->label, list.n == 77);
		CHECK(t->label, err.code.cls == t->code.cls && err.code.subject == t->code.subject);
		CHECK(t->label, err.code.detail == t->code.detail);
		CHECK(t->label, strstr(err.text, t->text) != NULL);
		CHECK(t->label, strstr(err.text, "x.example") != NULL);
	}
	arena_close(a);
}

static void test_order(void)
{
	static const struct want t[] = {
		{ .label = "one", .mx = "10 a.example", .list = "10 a.example" },
		{ .label = "sorted",
		  .mx = "30 c.example,10 a.example,20 b.example",
		  .list = "10 a.example,20 b.example,30 c.example" },
		{ .label = "ends of the range",
		  .mx = "65535 z.example,0 a.example",
		  .list = "0 a.example,65535 z.example" },
		{ .label = "named twice, worse",
		  .mx = "10 a.example,20 b.example,30 A.example",
		  .list = "10 a.example,20 b.example" },
		{ .label = "named twice, better",
		  .mx = "30 a.example,20 b.example,10 a.example",
		  .list = "10 a.example,20 b.example" },
		{ .label = "outside of the domain",
		  .mx = "10 mx.example.net",
		  .list = "10 mx.example.net" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		check_want(&t[i]);
}

static void test_null(void)
{
	static const struct want t[] = {
		{ .label = "alone",
		  .mx = "0 .",
		  .class = ERR_PERM,
		  .code = { 5, 1, 10 },
		  .text = "null MX" },
		{ .label = "another preference",
		  .mx = "10 .",
		  .class = ERR_PERM,
		  .code = { 5, 1, 10 },
		  .text = "null MX" },
		{ .label = "twice",
		  .mx = "0 .,10 .",
		  .class = ERR_PERM,
		  .code = { 5, 1, 10 },
		  .text = "null MX" },
		{ .label = "among others", .mx = "0 .,10 a.example", .list = "10 a.example" },
		{ .label = "behind others", .mx = "10 a.example,20 .", .list = "10 a.example" },
		{ .label = "with a useless one",
		  .mx = "0 .,10 192.0.2.1",
		  .class = ERR_TEMP,
		  .code = { 4, 4, 4 },
		  .text = "no MX" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		check_want(&t[i]);
}

static void test_useless(void)
{
	static const struct want t[] = {
		{ .label = "IPv4",
		  .mx = "10 192.0.2.1",
		  .class = ERR_TEMP,
		  .code = { 4, 4, 4 },
		  .text = "192.0.2.1" },
		{ .label = "IPv6",
		  .mx = "10 2001:db8::1",
		  .class = ERR_TEMP,
		  .code = { 4, 4, 4 },
		  .text = "2001:db8::1" },
		{ .label = "literal",
		  .mx = "10 [192.0.2.1]",
		  .class = ERR_TEMP,
		  .code = { 4, 4, 4 },
		  .text = "no MX" },
		{ .label = "blank",
		  .mx = "10 a b.example",
		  .class = ERR_TEMP,
		  .code = { 4, 4, 4 },
		  .text = "no MX" },
		{ .label = "among others",
		  .mx = "10 192.0.2.1,20 a.example,30 -b.example",
		  .list = "20 a.example" },
		{ .label = "digits in a name",
		  .mx = "10 1.2.3.4.example",
		  .list = "10 1.2.3.4.example" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		check_want(&t[i]);
}

static void test_loop(void)
{
	static const struct want t[] = {
		{ .label = "not one of them",
		  .mx = "10 a.example",
		  .self = "us.example",
		  .list = "10 a.example" },
		{ .label = "a backup",
		  .mx = "10 a.example,20 us.example,30 c.example",
		  .self = "us.example",
		  .list = "10 a.example" },
		{ .label = "equals go too",
		  .mx = "10 a.example,20 b.example,20 us.example,20 c.example",
		  .self = "us.example",
		  .list = "10 a.example" },
		{ .label = "another case",
		  .mx = "10 a.example,20 us.example",
		  .self = "US.Example",
		  .list = "10 a.example" },
		{ .label = "the best one",
		  .mx = "10 us.example,20 b.example",
		  .self = "us.example",
		  .class = ERR_PERM,
		  .code = { 5, 4, 6 },
		  .text = "loops back" },
		{ .label = "the only one",
		  .mx = "10 us.example",
		  .self = "us.example",
		  .class = ERR_PERM,
		  .code = { 5, 4, 6 },
		  .text = "loops back" },
		{ .label = "twice, better counts",
		  .mx = "10 a.example,30 us.example,20 us.example,25 b.example",
		  .self = "us.example",
		  .list = "10 a.example" },
		{ .label = "behind useless ones",
		  .mx = "10 192.0.2.1,20 us.example",
		  .self = "us.example",
		  .class = ERR_PERM,
		  .code = { 5, 4, 6 },
		  .text = "loops back" },
		{ .label = "name unknown", .mx = "10 us.example", .list = "10 us.example" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		check_want(&t[i]);
}

static void test_self_is_cut_before_the_limit(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct dns_answer answer =
		answer_of(a, "10 a.example,20 b.example,30 us.example,40 d.example");
	struct mxlist_rules rules = { 3, "us.example" };
	struct mxlist list;
	struct error err;
	struct rng rng;
	rng_seed(&rng, seed);
	CHECK("cut", mxlist_build(&answer, &rules, &rng, &list, &err) && list.n == 2);
	arena_close(a);
}

static void test_states(void)
{
	static const struct {
		const char *label;
		struct dns_answer answer;
		enum err_class class;
		struct esc code;
		const char *text;
	} t[] = {
		{ "NXDOMAIN",
		  { .state = DNS_NXDOMAIN, .name = "x.example" },
		  ERR_PERM,
		  { 5, 1, 2 },
		  "domain x.example does not exist" },
		{ "TEMP",
		  { .state = DNS_TEMP, .name = "x.example", .why = "SERVFAIL" },
		  ERR_TEMP,
		  { 4, 4, 3 },
		  "MX lookup of x.example: SERVFAIL" },
		{ "PENDING",
		  { .state = DNS_PENDING, .name = "x.example" },
		  ERR_INTERNAL,
		  { 4, 3, 0 },
		  NULL },
		{ "OK without records",
		  { .state = DNS_OK, .name = "x.example" },
		  ERR_TEMP,
		  { 4, 4, 4 },
		  NULL },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct mxlist_rules rules = { LIMIT_MX, "" };
		struct mxlist list = { .n = 77 };
		struct error err = { 0 };
		struct rng rng;
		rng_seed(&rng, seed);
		CHECK(t[i].label, !mxlist_build(&t[i].answer, &rules, &rng, &list, &err));
		CHECK(t[i].label, err.class == t[i].class && err.code.cls == t[i].code.cls);
		CHECK(t[i].label, err.code.subject == t[i].code.subject);
		CHECK(t[i].label, err.code.detail == t[i].code.detail && list.n == 77);
		if (t[i].text)
			CHECK_STR(t[i].label, err.text, t[i].text);
	}
}

static void test_implicit(void)
{
	struct dns_answer answer = { .state = DNS_NODATA, .name = "x.example", .authentic = true };
	struct mxlist_rules rules = { LIMIT_MX, "us.example" };
	struct mxlist list;
	struct error err = { 0 };
	struct rng rng;
	rng_seed(&rng, seed);
	CHECK("implicit", mxlist_build(&answer, &rules, &rng, &list, &err));
	CHECK("implicit", list.n == 1 && list.implicit && list.authentic && list.mx[0].pref == 0);
	CHECK_STR("implicit", list.mx[0].host, "x.example");

	answer.authentic = false;
	CHECK("unsigned", mxlist_build(&answer, &rules, &rng, &list, &err) && !list.authentic);

	rules.self = "X.example";
	CHECK("ourselves", !mxlist_build(&answer, &rules, &rng, &list, &err));
	CHECK("ourselves", err.class == ERR_PERM && err.code.subject == 4 && err.code.detail == 6);
}

static void test_authentic(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct dns_answer answer = answer_of(a, "10 a.example");
	struct mxlist_rules rules = { LIMIT_MX, "" };
	struct mxlist list;
	struct error err;
	struct rng rng;
	rng_seed(&rng, seed);
	for (int yes = 0; yes < 2; yes++) {
		answer.authentic = yes == 1;
		CHECK("authentic", mxlist_build(&answer, &rules, &rng, &list, &err));
		CHECK("authentic", list.authentic == (yes == 1));
	}
	arena_close(a);
}

static struct dns_answer many(struct arena *a, size_t n, uint16_t step)
{
	struct dns_rr *rr = ARENA_NEW(a, struct dns_rr, n ? n : 1);
	for (size_t i = 0; i < n; i++) {
		rr[i].mx.pref = (uint16_t)((n - i) * step);
		rr[i].mx.host = arena_fmt(a, "mx%zu.example", n - i);
	}
	return (struct dns_answer){ .state = DNS_OK, .name = "x.example", .rr = rr, .nrr = n };
}

static void test_limits(void)
{
	static const size_t counts[] = {
		1, 2, LIMIT_MX - 1, LIMIT_MX, LIMIT_MX + 1, 100, LIMIT_DNS_RRS
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	struct rng rng;
	rng_seed(&rng, seed);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		for (size_t max = 1; max <= LIMIT_MX; max++) {
			struct dns_answer answer = many(a, counts[i], 1);
			struct mxlist_rules rules = { max, "" };
			struct mxlist list;
			struct error err;
			CHECK("many", mxlist_build(&answer, &rules, &rng, &list, &err));
			CHECK("many", list.n == (counts[i] < max ? counts[i] : max));
			/* The best ones are kept, in order. */
			for (size_t k = 0; k < list.n; k++)
				CHECK("many", list.mx[k].pref == k + 1);
		}
	arena_close(a);
}

static void test_bad_limits(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	static const size_t max[] = { 0, LIMIT_MX + 1 };
	for (size_t i = 0; i < 2; i++) {
		struct dns_answer answer = many(a, 3, 1);
		struct mxlist_rules rules = { max[i], "" };
		struct mxlist list;
		struct error err = { 0 };
		struct rng rng;
		rng_seed(&rng, seed);
		CHECK("max", !mxlist_build(&answer, &rules, &rng, &list, &err));
		CHECK("max", err.class == ERR_INTERNAL);
	}
	arena_close(a);
}

/* Every host of equal preference leads sometimes, and about equally often; and the seed decides. */
static void test_shuffle(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	unsigned first[5] = { 0 }, moved = 0;
	struct dns_answer answer =
		answer_of(a, "10 a.example,10 b.example,10 c.example,10 d.example,5 z.example");
	struct mxlist_rules rules = { LIMIT_MX, "" };
	struct mxlist list, again;
	struct error err;
	struct rng rng, twin;
	rng_seed(&rng, seed);
	rng_seed(&twin, seed);
	for (int i = 0; i < 1000; i++) {
		CHECK("built", mxlist_build(&answer, &rules, &rng, &list, &err) && list.n == 5);
		CHECK_STR("lower first", list.mx[0].host, "z.example");
		first[list.mx[1].host[0] - 'a']++;
		moved += list.mx[4].host[0] != 'd';
		CHECK("twin", mxlist_build(&answer, &rules, &twin, &again, &err));
		for (size_t k = 0; k < 5; k++)
			CHECK("the seed decides", list.mx[k].host == again.mx[k].host);
	}
	for (int i = 0; i < 4; i++)
		CHECK("fair", first[i] > 180 && first[i] < 320);
	CHECK("last one moves", moved > 600);
	arena_close(a);
}

/* A hundred MX of one preference: any of them may be among the twenty that are kept. */
static void test_shuffle_of_many(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	bool seen[101] = { false };
	struct dns_answer answer = many(a, 100, 0);
	struct mxlist_rules rules = { LIMIT_MX, "" };
	struct rng rng;
	rng_seed(&rng, seed);
	for (int i = 0; i < 100; i++) {
		struct mxlist list;
		struct error err;
		CHECK("built", mxlist_build(&answer, &rules, &rng, &list, &err));
		CHECK("twenty", list.n == LIMIT_MX);
		for (size_t k = 0; k < list.n; k++)
			seen[strtoul(list.mx[k].host + 2, NULL, 10)] = true;
	}
	for (int i = 1; i <= 100; i++)
		CHECK("each of them", seen[i]);
	arena_close(a);
}

static void test_explain(void)
{
	static const struct {
		const char *label, *mx, *self;
		size_t max;
		const char *verdicts; /* l(isted) n(ull) h(ost: it is none) t(wice) o(urs) b(ehind)
					 s(urplus) */
	} t[] = {
		{ "all", "20 b.example,10 a.example", "", 20, "ll" },
		{ "null among others", "0 .,10 a.example", "", 20, "nl" },
		{ "null alone", "0 .", "", 20, "n" },
		{ "no host", "10 192.0.2.1,20 a..b,30 c.example", "", 20, "hhl" },
		{ "twice", "30 A.example,20 b.example,10 a.example,10 a.example", "", 20, "tllt" },
		{ "ours", "10 a.example,20 me.example,20 c.example,30 d.example", "ME.example", 20,
		  "lobb" },
		{ "ours is best", "10 me.example,20 c.example", "me.example", 20, "ob" },
		{ "ours twice", "10 a.example,20 b.example,30 me.example,15 me.example",
		  "me.example", 20, "lbto" },
		{ "too many", "20 b.example,10 a.example,30 c.example", "", 2, "lls" },
	};
	static const char letters[] = {
		[MX_LISTED] = 'l', [MX_NULL] = 'n',      [MX_NOT_A_HOST] = 'h', [MX_TWICE] = 't',
		[MX_OURS] = 'o',   [MX_BEHIND_US] = 'b', [MX_SURPLUS] = 's'
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct arena *a = arena_open(LIMIT_ARENA);
		const struct dns_answer answer = answer_of(a, t[i].mx);
		const struct mxlist_rules rules = { t[i].max, t[i].self };
		struct mxlist list;
		struct error err;
		struct rng rng;
		char said[20] = "";
		rng_seed(&rng, seed);
		bool good = mxlist_build(&answer, &rules, &rng, &list, &err);
		for (size_t k = 0; k < answer.nrr; k++)
			said[k] = letters[mxlist_explain(&answer, &rules, good ? &list : NULL, k)];
		CHECK_STR(t[i].label, said, t[i].verdicts);
		check_explained(&answer, &rules, good ? &list : NULL, t[i].label);
		arena_close(a);
	}
}

TEST_MAIN("mxlist", { "order", test_order }, { "null MX", test_null },
	  { "useless names", test_useless }, { "loop", test_loop },
	  { "loop and limit", test_self_is_cut_before_the_limit }, { "states", test_states },
	  { "implicit", test_implicit }, { "authentic", test_authentic }, { "limits", test_limits },
	  { "bad limits", test_bad_limits }, { "shuffle", test_shuffle },
	  { "shuffle of many", test_shuffle_of_many }, { "explain", test_explain })
