/* SPDX-License-Identifier: ISC */
#include "flow/preview.h"
#include "flow/stspolicy.h"
#include "harness.h"
#include "plan_world.h"

#include "mail_stub.h"

struct world {
	struct zone_server dns;
	char dir[64];
	struct arena *arena;
	struct config config;
	struct io io;
	struct rng rng;
	struct resolver *resolver;
	struct services sv;
	struct preview_request rq;
	struct preview p;
};

static void nothing(void *self, const char *line)
{
	(void)self;
	printf("\n    %s", line);
}

static void open_resolver(struct world *w, struct endpoint at)
{
	const struct resolver_options o = { .servers = &at, .nservers = 1, .timeout_ms = 5000 };
	struct error err;
	rng_seed(&w->rng, plan_seed);
	if (!resolver_open(&o, &w->io, &w->rng, &w->resolver, &err))
		abort();
	w->sv.resolver = w->resolver;
}

static void world_open(struct world *w)
{
	static const char *const refused[] = { "127.0.0.9" };
	struct error err;
	*w = (struct world){ .io = plan_io(), .arena = arena_open(LIMIT_ARENA) };
	state_make(w->dir);
	config_init(&w->config);
	if (!w->arena || !example_fill(w->dir, NOW, &err) ||
	    !config_set(w->arena, &w->config, "refused_networks", refused, 1, &err))
		abort();
	w->config.state_directory = w->dir;
	w->sv = (struct services){
		.io = &w->io,
		.rng = &w->rng,
		.config = &w->config,
		.own_name = "h3.loop.test",
		.sts_program = "/nonexistent/mxdirect-sts",
		.journal = { .log = nothing },
	};
	zone_open(&w->dns, plan_zone, sizeof(plan_zone) / sizeof(plan_zone[0]));
	open_resolver(w, w->dns.at);
	w->sv.memory = memory_open_to_look(&w->sv);
	CHECK("memory", w->sv.memory != NULL);
}

static void world_close(struct world *w)
{
	memory_close(w->sv.memory);
	resolver_close(w->resolver);
	zone_close(&w->dns);
	arena_close(w->arena);
	state_drop(w->dir);
}

static void make(struct world *w, const char *domain)
{
	struct error err = { 0 };
	w->rq.domain = domain;
	w->rq.until = deadline_in(io_now(&w->io), 10000);
	CHECK(domain, preview_make(w->arena, &w->sv, &w->rq, &w->p, &err));
}

/* Without routes there is one. */
static const struct preview_way *way(const struct world *w)
{
	return &w->p.way[0];
}

/* "now 2001:db8::2, late 192.0.2.1" */
static const char *order(struct world *w)
{
	static const char *const turns[] = { "never", "now", "late", "plain" };
	const char *text = "";
	for (size_t i = 0; i < w->p.nstep; i++) {
		const struct preview_step step = w->p.step[i];
		const struct preview_host *h = &w->p.way[step.way].host[step.host];
		const struct preview_address *a = &h->address[step.address];
		char ip[IP_TEXT];
		ip_format(a->is.ip, ip);
		CHECK(ip, a->place == i + 1);
		text = arena_fmt(w->arena, "%s%s%s %s", text, i ? ", " : "", turns[a->turn], ip);
	}
	return text;
}

static void test_order(void)
{
	static const struct {
		const char *domain, *order;
		enum nexthop_kind route;
		size_t hosts, unused;
		bool down, known;
	} t[] = {
		{ "example.net", "now 2001:db8::2, late 192.0.2.1", NEXTHOP_MX, 2, 0, false, true },
		{ "broken.example", "now 198.51.100.7", NEXTHOP_MX, 1, 0, true, true },
		{ "half.test", "now 192.0.2.52", NEXTHOP_MX, 2, 0, false, false },
		{ "bare.test", "now 192.0.2.61", NEXTHOP_MX, 1, 0, false, false },
		{ "loop.test", "now 192.0.2.41, now 192.0.2.42", NEXTHOP_MX, 2, 2, false, false },
		{ "[192.0.2.77]", "now 192.0.2.77", NEXTHOP_LITERAL, 1, 0, false, false },
		{ "[127.0.0.9]", "", NEXTHOP_LITERAL, 1, 0, false, false },
	};
	struct world w;
	world_open(&w);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		make(&w, t[i].domain);
		CHECK_STR(t[i].domain, order(&w), t[i].order);
		CHECK(t[i].domain,
		      w.p.ways.n == 1 && way(&w)->found && way(&w)->is->to.kind == t[i].route);
		CHECK(t[i].domain, way(&w)->nhost == t[i].hosts && way(&w)->nunused == t[i].unused);
		CHECK(t[i].domain,
		      w.p.down == t[i].down && w.p.put_off == t[i].down && w.p.known == t[i].known);
	}
	world_close(&w);
}

/* Nothing to walk through, and why; the records that are there are told all the same. */
static void test_no_hosts(void)
{
	static const struct {
		const char *domain;
		struct esc code;
		size_t unused;
	} t[] = {
		{ "null.test", { 5, 1, 10 }, 1 }, { "gone.test", { 5, 1, 2 }, 0 },
		{ "fail.test", { 4, 4, 3 }, 0 },  { "odd.test", { 4, 4, 4 }, 1 },
		{ "a..b", { 5, 1, 2 }, 0 },       { "[x]", { 5, 1, 3 }, 0 },
	};
	struct world w;
	world_open(&w);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		make(&w, t[i].domain);
		struct esc code = way(&w)->why.code;
		CHECK(t[i].domain, !way(&w)->found && way(&w)->nhost == 0 && w.p.nstep == 0);
		CHECK(t[i].domain, code.cls == t[i].code.cls && code.subject == t[i].code.subject &&
					   code.detail == t[i].code.detail);
		CHECK(t[i].domain, way(&w)->nunused == t[i].unused);
	}
	world_close(&w);
}

/* MX_LISTED: it is used, or was never heard of. */
static enum mx_verdict unused(const struct world *w, const char *host)
{
	for (size_t i = 0; i < way(w)->nunused; i++)
		if (strcmp(way(w)->unused[i].host, host) == 0)
			return way(w)->unused[i].verdict;
	return MX_LISTED;
}

static void test_reasons(void)
{
	struct world w;
	world_open(&w);
	make(&w, "example.net");
	const struct preview_host *h = &way(&w)->host[0];
	CHECK("both addresses", h->naddress == 2 && h->used);
	for (size_t i = 0; i < h->naddress; i++) {
		const struct preview_address *a = &h->address[i];
		bool refused = a->is.verdict == VERDICT_REFUSED;
		CHECK("one of them", refused == (a->is.ip.b[0] == 127));
		CHECK("not tried", refused == (a->turn == TURN_NEVER && a->place == 0));
		CHECK("remembered", a->known == !refused);
		CHECK("as it was", refused || (a->record.fails == 5 && a->record.why.n > 0));
	}
	/* The policy holds, so nothing was fetched, and it demands a proof. */
	CHECK("policy",
	      way(&w)->sts && way(&w)->sts->policy && way(&w)->sts->policy->mode == STS_ENFORCE);
	CHECK("of old", way(&w)->sts->remembered && way(&w)->sts->fetched == NOW - 9030);
	CHECK("holds", way(&w)->sts->until == NOW - 9030 + 604800);
	CHECK("demand", h->demand.level == DEMAND_VERIFY);
	CHECK_STR("because", h->demand.because, "mta-sts enforce");

	make(&w, "many.test");
	CHECK("as many as may be", way(&w)->nhost == 20 && way(&w)->nunused == 2);
	CHECK("too many", way(&w)->unused[0].verdict == MX_SURPLUS);
	make(&w, "loop.test");
	CHECK("ours", unused(&w, "h3.loop.test") == MX_OURS);
	CHECK("behind", unused(&w, "h4.loop.test") == MX_BEHIND_US);
	make(&w, "half.test");
	CHECK("half", !way(&w)->host[0].used && way(&w)->host[0].why.code.detail == 3 &&
			      way(&w)->host[1].used);
	world_close(&w);
}

/* TLS that is known to be broken, where nothing is demanded: at the end and without it. */
static void test_plain(void)
{
	struct world w;
	struct error err;
	world_open(&w);
	CHECK("source", config_set_option(w.arena, &w.config, "source_ipv6=2001:db8:1::25", &err));
	make(&w, "tls.test");
	CHECK_STR("may", order(&w), "plain 2001:db8::2");
	w.config.tls = TLS_ENCRYPT;
	make(&w, "tls.test");
	CHECK_STR("encrypt", order(&w), "now 2001:db8::2");
	world_close(&w);
}

/* Whoever comes afterwards finds the memory as it was: the probes are still there to be taken. */
static void test_changes_nothing(void)
{
	struct world w;
	struct memory_down down;
	struct record_domain before, after;
	world_open(&w);
	struct memory *m = memory_open(&w.sv);
	CHECK("known", memory_known_domain(m, w.arena, "broken.example", &before));
	make(&w, "broken.example");
	make(&w, "example.net");
	CHECK("known", memory_known_domain(m, w.arena, "broken.example", &after));
	CHECK("the same", before.probe_until == after.probe_until && before.fails == after.fails);
	CHECK("no new one", !memory_domain_down(m, w.arena, "example.net", false, &down));
	memory_close(m);
	world_close(&w);
}

/* A whole session but for the mail. */
static void test_probe(void)
{
	struct world w;
	struct probe probe = { .outcome = { .event = EVENT_LOST } };
	struct error err;
	struct mail_stub *stub = stub_open();
	world_open(&w);
	resolver_close(w.resolver);
	open_resolver(&w, (struct endpoint){ { 4, { 127, 0, 0, 1 } }, stub->dns_port });
	w.config.smtp_port = stub->smtp_port;
	make(&w, "x.test");
	CHECK_STR("order", order(&w), "now 127.0.0.1");
	CHECK("probe", preview_probe(w.arena, &w.p, w.p.step[0], &probe, &err));
	CHECK("ready", probe.outcome.event == EVENT_NONE && probe.result.connected);
	CHECK("greeting", probe.seen.words.greeting && probe.seen.words.hello);
	CHECK("no TLS there", probe.seen.tls.protocol[0] == '\0');
	CHECK("no mail", stub_get(stub, &stub->sessions) == 1 && stub_get(stub, &stub->mails) == 0);
	stub_close(stub);
	CHECK("again", preview_probe(w.arena, &w.p, w.p.step[0], &probe, &err));
	CHECK("gone", probe.outcome.event == EVENT_NO_RESPONSE && !probe.result.connected);
	CHECK("no words", !probe.seen.words.greeting && !probe.seen.words.hello);
	world_close(&w);
}

/* ---- routes ---- */

static void route_open(struct world *w)
{
	struct settings *settings;
	struct error err;
	world_open(w);
	plan_write_routes(w->dir);
	CHECK("source",
	      config_set_option(w->arena, &w->config, "source_ipv6=2001:db8:1::25", &err));
	const struct settings_source from = {
		.file = arena_fmt(w->arena, "%s/routes.conf", w->dir),
		.file_demanded = true,
	};
	bool good = settings_load(w->arena, &from, &settings, &err);
	CHECK(err.text, good);
	w->sv.settings = good ? settings : NULL;
}

/* "1 now 192.0.2.1:25, 2 late ..." */
static const char *order_of_ways(struct world *w)
{
	static const char *const turns[] = { "never", "now", "late", "plain" };
	const char *text = "";
	for (size_t i = 0; i < w->p.nstep; i++) {
		const struct preview_step step = w->p.step[i];
		const struct preview_way *of = &w->p.way[step.way];
		const struct preview_address *a = &of->host[step.host].address[step.address];
		char at[ENDPOINT_TEXT];
		endpoint_format((struct endpoint){ a->is.ip, of->is->config.smtp_port }, at);
		CHECK(at, a->place == i + 1);
		text = arena_fmt(w->arena, "%s%s%zu %s %s", text, i ? ", " : "", step.way + 1,
				 turns[a->turn], at);
	}
	return text;
}

static void test_routes(void)
{
	static const struct {
		const char *label, *domain, *sender;
		uint64_t size; /* 0: not known */
		size_t ways;
		const char *order;
	} t[] = {
		{ "none matches", "tls.test", NULL, 0, 1, "1 plain [2001:db8::2]:25" },
		{ "a relay", "bare.test", NULL, 0, 1, "1 now [192.0.2.81]:587" },
		{ "large", "bare.test", "a@big.example", 30 << 20, 2,
		  "1 now [192.0.2.82]:25, 2 now [192.0.2.81]:587" },
		{ "small", "bare.test", "a@big.example", 10 << 20, 1, "1 now [192.0.2.81]:587" },
		{ "another sender", "bare.test", "a@b.example", 30 << 20, 1,
		  "1 now [192.0.2.81]:587" },
		{ "no sender", "bare.test", NULL, 30 << 20, 1, "1 now [192.0.2.81]:587" },
		{ "null sender", "bare.test", "", 30 << 20, 1, "1 now [192.0.2.81]:587" },
		{ "failing", "broken.example", NULL, 0, 2,
		  "1 now [198.51.100.7]:25, 2 now [192.0.2.82]:25" },
		{ "MX of a relay", "x.loop.test", NULL, 0, 1, "1 now [192.0.2.81]:2525" },
		{ "for good", "gone.test", NULL, 0, 4, "" },
		{ "too large for one", "half.test", NULL, 2000, 2, "2 now [192.0.2.52]:25" },
		{ "small enough", "half.test", NULL, 1024, 2,
		  "1 now [192.0.2.83]:25, 2 now [192.0.2.52]:25" },
	};
	struct world w;
	route_open(&w);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		w.rq = (struct preview_request){
			.sender = t[i].sender,
			.sized = t[i].size > 0,
			.size = t[i].size,
		};
		make(&w, t[i].domain);
		CHECK(t[i].label, w.p.ways.n == t[i].ways && w.p.ways.nroute == 12);
		CHECK_STR(t[i].label, order_of_ways(&w), t[i].order);
		CHECK(t[i].label, !w.p.way[0].is->login.user);
	}
	world_close(&w);
}

/* What DNS makes of a route is temporary; what it says of the domain ends the list. */
static void test_route_trouble(void)
{
	struct world w;
	route_open(&w);
	w.rq = (struct preview_request){ .size = 0 };
	make(&w, "gone.test");
	for (size_t i = 0; i < 2; i++) {
		const struct preview_way *of = &w.p.way[i];
		const struct error *why = of->found ? &of->host[0].why : &of->why;
		CHECK("a route", !of->left_out && why->class == ERR_TEMP && why->code.cls == 4);
		CHECK("by its kind", of->found == (of->is->to.kind == NEXTHOP_HOST));
	}
	CHECK("the domain", w.p.way[2].is->direct && w.p.way[2].why.class == ERR_PERM);
	CHECK("the domain", !w.p.way[2].found && !w.p.way[2].left_out);
	CHECK("what is left", w.p.way[3].left_out && !w.p.way[3].found && w.p.way[3].nhost == 0);

	w.rq = (struct preview_request){ .sized = true, .size = 2000 };
	make(&w, "half.test");
	CHECK("too large", w.p.way[0].left_out && w.p.way[0].why.code.detail == 4);
	CHECK("another way", !w.p.way[1].left_out && w.p.way[1].found);
	w.config.message_size_limit = 1999;
	make(&w, "half.test");
	for (size_t i = 0; i < 2; i++)
		CHECK("for the domain", w.p.way[i].left_out && w.p.way[i].why.code.cls == 5);
	CHECK("nothing to try", w.p.nstep == 0);
	w.config.message_size_limit = 2000;
	make(&w, "half.test");
	CHECK("just fits", w.p.nstep == 1);

	w.rq = (struct preview_request){ .size = 0 };
	make(&w, "a..b");
	CHECK("no name", w.p.ways.n == 1 && w.p.way[0].why.class == ERR_PERM);
	world_close(&w);
}

/* The domain is down, but there is another way for its mail. */
static void test_down(void)
{
	struct world w;
	route_open(&w);
	w.rq = (struct preview_request){ .size = 0 };
	make(&w, "broken.example");
	CHECK("down", w.p.down && !w.p.put_off && !w.p.down_for_new);
	CHECK("new mail may go", !w.p.way[0].left_out);
	const struct record_domain fresh = {
		.domain = SPAN("broken.example"),
		.fails = 9,
		.failing_since = NOW - 3600,
		.last_fail = NOW - 10,
		.code = { 4, 4, 1 },
		.why = SPAN("nobody answers"),
	};
	const struct store_options o = { .dir = w.dir,
					 .max_bytes = (size_t)64 << 20,
					 .patience_ms = 1000 };
	struct example *x = calloc(1, sizeof(*x));
	memory_close(w.sv.memory);
	x->now = NOW;
	buf_init(&x->key, x->key_room, sizeof(x->key_room));
	buf_init(&x->value, x->value_room, sizeof(x->value_room));
	CHECK("open",
	      store_open(&o, &x->store, &x->err) && store_begin(x->store, STORE_WRITE, &x->err));
	example_domain(x, &fresh);
	CHECK("written", !x->failed && store_commit(x->store, NOW, true, &x->err));
	store_close(x->store);
	free(x);
	w.sv.memory = memory_open_to_look(&w.sv);
	make(&w, "broken.example");
	CHECK("for all", w.p.down && !w.p.put_off && w.p.down_for_new);
	CHECK_STR("the other way", order_of_ways(&w), "2 now [192.0.2.82]:25");
	CHECK("left out", w.p.way[0].left_out && w.p.way[0].why.code.detail == 1);
	CHECK_STR("why", w.p.way[0].why.text, "nobody answers");
	w.sv.settings = NULL;
	make(&w, "broken.example");
	CHECK("no other way", w.p.put_off && w.p.ways.n == 1 && !w.p.way[0].left_out);
	world_close(&w);
}

static void starve(struct world *w, const char *domain)
{
	struct error err;
	bool good = false;
	for (size_t limit = 1000; !good && limit < LIMIT_ARENA; limit += limit / 4) {
		struct arena *a = arena_open(limit);
		struct preview p = { .nstep = 99 };
		const struct preview_request rq = {
			.domain = domain,
			.secrets = true,
			.until = deadline_in(io_now(&w->io), 10000),
		};
		good = preview_make(a, &w->sv, &rq, &p, &err);
		CHECK("untouched", good || (p.nstep == 99 && err.class == ERR_INTERNAL));
		resolver_forget(w->resolver);
		arena_close(a);
	}
	CHECK(domain, good);
}

static void test_no_memory(void)
{
	struct world w;
	route_open(&w);
	starve(&w, "example.net");
	starve(&w, "bare.test");
	starve(&w, "gone.test");
	starve(&w, "half.test");
	starve(&w, "a..b");
	world_close(&w);
}

/* Passwords are for probes only; one that cannot be read is told. */
static void test_secrets(void)
{
	struct world w;
	struct error err = { 0 };
	route_open(&w);
	w.rq = (struct preview_request){ .secrets = true };
	make(&w, "bare.test");
	CHECK_STR("user", w.p.way[0].is->login.user, "fred");
	CHECK_STR("password", w.p.way[0].is->login.password, "sesame");
	CHECK("a proof", w.p.way[0].is->config.tls == TLS_VERIFY);
	CHECK("demanded", w.p.way[0].host[0].demand.level == DEMAND_VERIFY);
	plan_file(w.dir, "secret", "");
	CHECK("empty", !preview_make(w.arena, &w.sv, &w.rq, &w.p, &err));
	CHECK("empty", err.class == ERR_CONFIG && strstr(err.text, "route \"bare.test\""));
	w.rq.secrets = false;
	make(&w, "bare.test");
	CHECK("not looked at", w.p.nstep == 1);
	world_close(&w);
}

TEST_MAIN("preview", { "order", test_order }, { "no hosts", test_no_hosts },
	  { "reasons", test_reasons }, { "plain", test_plain },
	  { "changes nothing", test_changes_nothing }, { "no memory", test_no_memory },
	  { "probe", test_probe }, { "routes", test_routes },
	  { "route trouble", test_route_trouble }, { "down", test_down },
	  { "secrets", test_secrets })
