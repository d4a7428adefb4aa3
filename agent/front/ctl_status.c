/* SPDX-License-Identifier: ISC */
#include "wire/sts.h"
#include "core/health.h"
#include "front/ctl_details.h"
#include "front/ctl_json.h"
#include "front/ctl_memory.h"
#include "front/ctl_status.h"
#include "front/ctl_table.h"

#define COLUMNS(columns) (columns), sizeof(columns) / sizeof((columns)[0])

static void heading(struct page *p, const char *what, size_t n)
{
	page_heading(p, page_fmt(p, "%s: %zu", what, n));
}

static void show_messages(struct page *p, const struct items *items)
{
	static const struct table_column columns[] = { { "QUEUE ID", false },
						       { "RECIPIENT", false },
						       { "TRIES", true },
						       { "FIRST TRY", true },
						       { "LAST TRY", true } };
	struct table t;
	table_init(&t, COLUMNS(columns));
	for (size_t i = 0; i < items->n; i++) {
		if (items->item[i].kind != RECORD_ATTEMPT)
			continue;
		const struct record_attempt *r = items->item[i].message;
		const char *cell[] = { page_text(p, r->queue_id), page_text(p, r->rcpt),
				       page_fmt(p, "%u", r->count), page_ago(p, r->first),
				       page_ago(p, r->last) };
		table_add(&t, p, cell, page_reason(p, r->code, r->text));
	}
	if (t.nrow > 0)
		heading(p, "Messages waiting", t.nrow);
	table_print(&t, p);
}

static void show_domains(struct page *p, const struct items *items)
{
	static const struct table_column columns[] = {
		{ "DOMAIN", false }, { "SINCE", true }, { "NO ANSWER", true }, { "NEXT TRY", true }
	};
	struct table t;
	table_init(&t, COLUMNS(columns));
	for (size_t i = 0; i < items->n; i++) {
		if (items->item[i].kind != RECORD_DOMAIN ||
		    items->item[i].domain->failing_since == 0)
			continue;
		const struct record_domain *r = items->item[i].domain;
		const char *cell[] = { page_text(p, r->domain), page_ago(p, r->failing_since),
				       page_fmt(p, "%u", r->fails), details_domain_next(p, r) };
		table_add(&t, p, cell, page_reason(p, r->code, r->why));
	}
	if (t.nrow > 0)
		heading(p, "Domains failing", t.nrow);
	table_print(&t, p);
}

static void show_hosts(struct page *p, const struct items *items)
{
	static const struct table_column columns[] = { { "ADDRESS", false }, { "HOST", false },
						       { "SOURCE", false },  { "FAILS", true },
						       { "NEXT TRY", true }, { "TLS", false },
						       { "LAST GOOD", true } };
	struct table t;
	size_t known = 0;
	table_init(&t, COLUMNS(columns));
	for (size_t i = 0; i < items->n; i++) {
		if (items->item[i].kind != RECORD_HOST)
			continue;
		const struct record_host *r = items->item[i].host;
		known++;
		if (r->fails == 0 && r->tls_fails == 0)
			continue;
		const char *cell[] = { page_address(p, r->addr),
				       page_text(p, r->host),
				       page_source(p, r->source),
				       page_fmt(p, "%u", r->fails),
				       r->fails ? page_until(p, health_host_next(r)) : "-",
				       details_tls(p, r),
				       page_ago(p, r->last_good) };
		table_add(&t, p, cell, r->fails ? page_text(p, r->why) : NULL);
	}
	if (known > 0)
		page_heading(p, page_fmt(p, "Hosts in trouble: %zu of %zu known", t.nrow, known));
	table_print(&t, p);
}

static void show_policies(struct page *p, const struct items *items)
{
	static const struct table_column columns[] = { { "DOMAIN", false },
						       { "MODE", false },
						       { "FETCHED", true },
						       { "HOLDS", true },
						       { "LAST FETCH FAILED", true } };
	struct table t;
	table_init(&t, COLUMNS(columns));
	for (size_t i = 0; i < items->n; i++) {
		if (items->item[i].kind != RECORD_POLICY)
			continue;
		const struct record_policy *r = items->item[i].policy;
		struct details_policy d = details_policy(p, r);
		const char *cell[] = { page_text(p, r->domain), d.mode, page_ago(p, r->fetched),
				       d.until > p->now ? page_until(p, d.until) : "-",
				       r->fails ? page_ago(p, r->tried) : "-" };
		table_add(&t, p, cell, NULL);
	}
	if (t.nrow > 0)
		heading(p, "MTA-STS policies", t.nrow);
	table_print(&t, p);
}

void status_overview(struct page *p, const struct items *items)
{
	size_t unreported = 0;
	for (size_t i = 0; i < items->n; i++)
		if (items->item[i].kind == RECORD_DELIVERED)
			unreported += !items->item[i].delivered->reported;
	show_messages(p, items);
	show_domains(p, items);
	show_hosts(p, items);
	show_policies(p, items);
	if (unreported > 0)
		heading(p, "Delivered, but the host MTA may not know", unreported);
}

/* The messages that wait for a domain may be many: they come as a table, behind what is about the
 * domain itself. */
static void show_subject(struct page *p, const struct items *items, const struct subject *s)
{
	struct items touched = { ARENA_NEW(p->arena, struct item, items->n), 0 };
	struct items itself = { ARENA_NEW(p->arena, struct item, items->n), 0 };
	if (!touched.item || !itself.item) {
		p->nomem = true;
		return;
	}
	for (size_t i = 0; i < items->n; i++) {
		bool all = subject_tie(s, &items->item[i]) == SUBJECT_ITSELF;
		struct items *to = all ? &itself : &touched;
		to->item[to->n++] = items->item[i];
	}
	details_show(p, &itself);
	show_messages(p, &touched);
}

static void show(struct page *p, const struct items *items, const char *absent,
		 const struct subject *subject)
{
	if (items->n == 0 && absent)
		fprintf(p->out, "Nothing is remembered: %s.\n", absent);
	else if (items->n == 0 && subject)
		fprintf(p->out, "Nothing is remembered of %s.\n",
			page_text(p, span_of(subject->text)));
	else if (items->n == 0)
		fputs("Nothing is remembered.\n", p->out);
	else if (subject)
		show_subject(p, items, subject);
	else
		status_overview(p, items);
}

/* The memory is read in one go and closed before anything is printed: a pager that waits must not
 * hold up deliveries. */
static bool load(struct arena *a, const struct ctl *c, const struct subject *subject,
		 struct items *ret, const char **ret_absent, struct error *err)
{
	struct ctl_memory m;
	if (!ctl_memory_open(a, c, &m, err))
		return false;
	bool ok = (!m.store || store_begin(m.store, STORE_READ, err)) &&
		  ctl_memory_load(&m, a, subject, c->now, ret, err);
	*ret_absent = m.store ? NULL : m.absent;
	ctl_memory_close(&m);
	return ok;
}

bool ctl_status(struct arena *a, const struct ctl *c, bool *ret_findings, struct error *err)
{
	struct page p = { .out = c->out, .arena = a, .now = c->now, .bold = c->bold };
	struct items items = { 0 };
	struct subject named = { 0 };
	const struct subject *subject = c->noperand > 0 ? &named : NULL;
	const char *absent = NULL;
	if ((subject && !subject_of(a, c->operand[0], &named, err)) ||
	    !load(a, c, subject, &items, &absent, err))
		return false;
	if (c->flags & CTL_JSON)
		json_status(&p, &items);
	else
		show(&p, &items, absent, subject);
	if (p.nomem)
		return err_nomem(err);
	*ret_findings = subject && items.n == 0;
	return true;
}
