/* SPDX-License-Identifier: ISC */
/* What the tests of mxdirectctl check share: services on a zone, and what was found. */
#ifndef TESTS_CHECK_WORLD_H
#define TESTS_CHECK_WORLD_H

#include "flow/services.h"
#include "front/ctl_findings.h"

#include "ctl_print.h"
#include "spf_zone.h"

static const struct zone_record check_zone[] = {
	{ "ietf.org", DNS_MX, "mail.ietf.org" },
	{ "25.0.0.127.in-addr.arpa", DNS_PTR, "mail.sender.test" },
	{ "mail.sender.test", DNS_A, "127.0.0.25" },
	{ "26.0.0.127.in-addr.arpa", DNS_PTR, "dsl.isp.test" },
	{ "dsl.isp.test", DNS_A, "127.0.0.26" },
	{ "27.0.0.127.in-addr.arpa", DNS_PTR, "mail.sender.test" },
	{ "29.0.0.127.in-addr.arpa", ZONE_FAIL, "12" },
	{ "30.0.0.127.in-addr.arpa", DNS_PTR, "lost.sender.test" },
	{ "lost.sender.test", ZONE_FAIL, "1" },
	{ "31.0.0.127.in-addr.arpa", DNS_PTR, "#3 many.test" },
	{ "h3.many.test", DNS_A, "127.0.0.31" },
	{ "sender.test", DNS_TXT, "v=spf1 ip4:127.0.0.25 ~all" },
	{ "_dmarc.sender.test", DNS_TXT, "some other text" },
	{ "_dmarc.sender.test", DNS_TXT, "v=DMARC1; p=reject" },
	{ "neutral.test", DNS_TXT, "v=spf1 ?all" },
	{ "_dmarc.neutral.test", DNS_TXT, "v=DMARC1; p=maybe" },
	{ "strict.test", DNS_TXT, "v=spf1 -all" },
	{ "_dmarc.strict.test", DNS_TXT, "v=DMARC1; p=none" },
	{ "_dmarc.strict.test", DNS_TXT, "v=DMARC1; p=reject" },
	{ "wrong.test", DNS_TXT, "v=spf1 ip4:x -all" },
	{ "_dmarc.wrong.test", ZONE_FAIL, "16" },
	{ "silent.test", ZONE_FAIL, "16" },
};

struct check_world {
	struct zone_server dns;
	struct print print;
	struct arena *arena;
	struct page page;
	struct findings findings;
	struct io io;
	struct rng rng;
	struct config config;
	struct services sv;
	struct resolver *resolver;
	struct error err;
};

static inline void check_open(struct check_world *w)
{
	static const uint8_t seed[16] = { 3 };
	*w = (struct check_world){ .io = { .clock = clock_system(), .stop_fd = -1 } };
	zone_open(&w->dns, check_zone, sizeof(check_zone) / sizeof(check_zone[0]));
	print_open(&w->print);
	w->arena = arena_open(LIMIT_ARENA);
	rng_seed(&w->rng, seed);
	config_init(&w->config);
	struct resolver_options o = { .servers = &w->dns.at, .nservers = 1, .timeout_ms = 30000 };
	if (!w->arena || !resolver_open(&o, &w->io, &w->rng, &w->resolver, &w->err))
		abort();
	w->page = print_page(&w->print, w->arena);
	findings_init(&w->findings, &w->page);
	w->sv = (struct services){ .io = &w->io,
				   .resolver = w->resolver,
				   .rng = &w->rng,
				   .config = &w->config,
				   .own_name = "mail.sender.test",
				   .spf_program = SPF_PROGRAM };
}

static inline void check_close(struct check_world *w)
{
	resolver_forget(w->resolver);
	resolver_close(w->resolver);
	arena_close(w->arena);
	print_close(&w->print);
	zone_close(&w->dns);
}

/* The `nth` of that kind; NULL: there are fewer. */
static inline const struct finding *check_found(const struct findings *f, enum finding_kind kind,
						size_t nth)
{
	for (const struct finding *one = f->first; one; one = one->next)
		if (one->kind == kind && nth-- == 0)
			return one;
	return NULL;
}

/* The first of that kind has this level, and this in its text; one that is not fine has advice. */
static inline void check_is(const char *label, const struct findings *f, enum finding_kind kind,
			    enum finding_level level, const char *part)
{
	const struct finding *one = check_found(f, kind, 0);
	CHECK(label, one && one->level == level);
	CHECK(label, one && strstr(one->text, part));
	CHECK(label, one && (one->fix == NULL) == (level == FINDING_OK));
	if (one && !strstr(one->text, part))
		printf("\n    got \"%s\"", one->text);
}

#endif
