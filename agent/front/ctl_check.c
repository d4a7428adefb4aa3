/* SPDX-License-Identifier: ISC */
#include "front/ctl_check.h"

#include <unistd.h>

#include "wire/addr.h"
#include "front/ctl_check_exim.h"
#include "front/ctl_check_net.h"
#include "front/ctl_check_output.h"
#include "front/ctl_check_postfix.h"
#include "front/ctl_check_sender.h"
#include "front/ctl_check_state.h"
#include "front/ctl_findings.h"
#include "front/ctl_services.h"

/* Before anything is asked: what is wrong with them is known at once. */
static bool read_domains(struct arena *a, const struct ctl *c, const char *const **ret,
			 struct error *err)
{
	const char **domain = ARENA_NEW(a, const char *, c->noperand + 1);
	if (!domain)
		return err_nomem(err);
	for (size_t i = 0; i < c->noperand; i++) {
		if (!ctl_domain(a, c->operand[i], &domain[i], err))
			return false;
		if (!domain_valid(span_of(domain[i])))
			return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "%s is no domain of a sender",
				       domain[i]);
	}
	*ret = domain;
	return true;
}

/* What it prints with this option; of the directory that was asked for, or of its own. */
static bool postconf(struct arena *a, const struct ctl *c, const char *option, struct span *ret,
		     struct error *err)
{
	const char *argv[] = { c->tools->postconf, option, c->postfix ? "-c" : NULL, c->postfix,
			       NULL };
	return output_read(a, c->tools->io, argv, ret, err);
}

struct tables {
	struct postfix_tables tables; /* first: a pointer to it leads here */
	struct arena *arena;
	const struct ctl *ctl;
};

static bool postmap(const struct postfix_tables *t, const char *table, const char *key,
		    struct span *ret)
{
	const struct tables *all = (const struct tables *)t;
	const char *dir = all->ctl->postfix;
	const char *argv[] = { all->ctl->tools->postmap, "-q", key, dir ? "-c" : table, dir,
			       dir ? table : NULL,       NULL };
	struct error ignored;
	return output_read(all->arena, all->ctl->tools->io, argv, ret, &ignored);
}

static const char *wire_postfix(struct findings *f, const struct ctl *c,
				const struct config *config)
{
	struct arena *a = f->page->arena;
	struct tables tables = { { postmap }, a, c };
	struct postfix_texts t;
	struct error err;
	const char *user = NULL;
	f->about = "Postfix";
	if (postconf(a, c, "-Mx", &t.master, &err) && postconf(a, c, "-x", &t.main, &err))
		check_postfix(f, config, &t, &tables.tables, &user);
	else
		findings_add(f, FIND_WIRING, FINDING_WARNING,
			     "Run postconf -M and postconf -x, and see what is wrong.", "%s",
			     err.text);
	return user;
}

/* What it prints of these; from the file that was asked for, or from its own. */
static bool exim(struct arena *a, const struct ctl *c, const char *what, struct span *ret,
		 struct error *err)
{
	/* All that stands behind -bP is asked for. */
	const char *named[] = { c->tools->exim, "-C", c->exim, "-bP", what, NULL };
	const char *usual[] = { c->tools->exim, "-bP", what, NULL };
	return output_read(a, c->tools->io, c->exim ? named : usual, ret, err);
}

static const char *wire_exim(struct findings *f, const struct ctl *c, const struct config *config)
{
	struct arena *a = f->page->arena;
	struct exim_texts t;
	struct error err;
	const char *user = NULL;
	f->about = "Exim";
	if (exim(a, c, "transports", &t.transports, &err) &&
	    exim(a, c, "routers", &t.routers, &err))
		check_exim(f, config, &t, &user);
	else
		findings_add(f, FIND_WIRING, FINDING_WARNING,
			     "Run exim -bP transports, and see what is wrong.", "%s", err.text);
	return user;
}

/* A host that was asked for, or that is there when none was asked for. */
static bool is_host(struct findings *f, const struct ctl *c, const char *program,
		    const char *asked_for)
{
	bool there = access(program, X_OK) == 0;
	if (asked_for && !there)
		findings_add(f, FIND_WIRING, FINDING_FAILURE, "Leave --postfix and --exim out.",
			     "there is no %s", program);
	return there && (asked_for || (!c->postfix && !c->exim));
}

/* As whom mxdirect runs; NULL: that is not known. */
static const char *check_wiring(struct findings *f, const struct ctl *c,
				const struct config *config)
{
	const char *user = NULL, *other = NULL;
	f->about = "Host MTA";
	bool postfix = is_host(f, c, c->tools->postconf, c->postfix);
	bool exim_too = is_host(f, c, c->tools->exim, c->exim);
	if (!postfix && !exim_too && !c->postfix && !c->exim)
		findings_add(f, FIND_WIRING, FINDING_OK, NULL,
			     "neither Postfix nor Exim is installed");
	if (postfix)
		user = wire_postfix(f, c, config);
	if (exim_too)
		other = wire_exim(f, c, config);
	return user ? user : other;
}

static bool check_all(struct findings *f, const struct ctl *c, const struct services *sv,
		      const char *const *domain, struct error *err)
{
	struct check_sources sources;
	check_resolver(f, sv);
	check_addresses(f, sv, &sources);
	check_helo(f, sv, &sources);
	for (size_t i = 0; domain && i < c->noperand; i++)
		if (!check_domain(f, sv, &sources, domain[i], err))
			return false;
	if (c->to && !check_port(f, sv, c->to, err))
		return false;
	check_state(f, sv->config->state_directory, check_wiring(f, c, sv->config));
	return true;
}

bool ctl_check(struct arena *a, const struct ctl *c, bool *ret_findings, struct error *err)
{
	struct page p = { .out = c->out, .arena = a, .now = c->now, .bold = c->bold };
	struct findings f;
	struct ctl_services s;
	const char *const *domain = NULL;
	findings_init(&f, &p);
	if (!read_domains(a, c, &domain, err) || !ctl_services_open(a, c, NULL, &s, err))
		return false;
	bool ok = check_all(&f, c, &s.services, domain, err);
	ctl_services_close(&s);
	if (!ok)
		return false;
	if (!p.nomem && c->flags & CTL_JSON)
		findings_json(&f, &p);
	else if (!p.nomem)
		findings_show(&f, &p);
	if (p.nomem)
		return err_nomem(err);
	*ret_findings = f.count[FINDING_WARNING] + f.count[FINDING_FAILURE] > 0;
	return true;
}
