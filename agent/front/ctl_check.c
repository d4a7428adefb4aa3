/* SPDX-License-Identifier: ISC */
#include "front/ctl_check.h"

#include <unistd.h>

#include "wire/addr.h"
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
	const char *argv[] = { c->postconf, option, c->postfix ? "-c" : NULL, c->postfix, NULL };
	return output_read(a, c->tools->io, argv, ret, err);
}

static void check_wiring(struct findings *f, const struct ctl *c, const struct config *config,
			 const char **ret_user)
{
	struct postfix_texts t;
	struct error err;
	struct arena *a = f->page->arena;
	*ret_user = NULL;
	f->about = "Postfix";
	if (access(c->postconf, X_OK) != 0)
		findings_add(f, FIND_WIRING, c->postfix ? FINDING_FAILURE : FINDING_OK,
			     "Leave --postfix out.", "not installed: there is no %s", c->postconf);
	else if (postconf(a, c, "-M", &t.master, &err) && postconf(a, c, "-x", &t.main, &err))
		check_postfix(f, config, &t, ret_user);
	else
		findings_add(f, FIND_WIRING, FINDING_WARNING,
			     "Run postconf -M and postconf -x, and see what is wrong.", "%s",
			     err.text);
}

static bool check_all(struct findings *f, const struct ctl *c, const struct services *sv,
		      const char *const *domain, struct error *err)
{
	struct check_sources sources;
	const char *user;
	check_resolver(f, sv);
	check_addresses(f, sv, &sources);
	check_helo(f, sv, &sources);
	for (size_t i = 0; domain && i < c->noperand; i++)
		if (!check_domain(f, sv, &sources, domain[i], err))
			return false;
	if (c->to && !check_port(f, sv, c->to, err))
		return false;
	check_wiring(f, c, sv->config, &user);
	check_state(f, sv->config->state_directory, user);
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
