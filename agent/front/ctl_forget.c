/* SPDX-License-Identifier: ISC */
#include "front/ctl_forget.h"
#include "front/ctl_memory.h"
#include "front/ctl_page.h"

/* Synced: whoever forgets a delivery means it. Leaves in *items what was removed. */
static bool remove_all(struct ctl_memory *m, const struct subject *s, int64_t now,
		       struct items *items, struct error *err)
{
	size_t n = 0;
	for (size_t i = 0; i < items->n; i++) {
		if (subject_tie(s, &items->item[i]) != SUBJECT_ITSELF)
			continue;
		if (!store_delete(m->store, items->item[i].key, err))
			return false;
		items->item[n++] = items->item[i];
	}
	items->n = n;
	if (n > 0)
		return store_commit(m->store, now, true, err);
	store_abort(m->store);
	return true;
}

static void tell(struct page *p, const struct item *it)
{
	char relay[ENDPOINT_TEXT], source[IP_TEXT];
	switch (it->kind) {
	case RECORD_ATTEMPT:
		fprintf(p->out, "message %s to %s (tries: %u)\n",
			page_text(p, it->message->queue_id), page_text(p, it->message->rcpt),
			it->message->count);
		break;
	case RECORD_DELIVERED:
		fprintf(p->out, "delivery %s to %s\n", page_text(p, it->delivered->queue_id),
			page_text(p, it->delivered->rcpt));
		break;
	case RECORD_HOST:
		endpoint_format(it->host->addr, relay);
		ip_format(it->host->source, source);
		fprintf(p->out, "host %s%s%s%s\n", page_text(p, it->host->host), relay,
			it->host->source.family ? " from " : "",
			it->host->source.family ? source : "");
		break;
	case RECORD_DOMAIN:
		fprintf(p->out, "domain %s\n", page_text(p, it->domain->domain));
		break;
	case RECORD_POLICY:
		fprintf(p->out, "MTA-STS policy of %s\n", page_text(p, it->policy->domain));
		break;
	case RECORD_SENDER:
		ip_format(it->sender->source, source);
		if (it->sender->domain.n > 0)
			fprintf(p->out, "SPF of %s for %s\n", page_text(p, it->sender->domain),
				source);
		else
			fprintf(p->out, "own address %s\n", source);
		break;
	}
}

bool ctl_forget(struct arena *a, const struct ctl *c, bool *ret_findings, struct error *err)
{
	struct page p = { .out = c->out, .arena = a, .now = c->now };
	struct items items = { 0 };
	struct subject s;
	struct ctl_memory m;
	if (!subject_of(a, c->operand[0], &s, err) || !ctl_memory_open(a, c, &m, err))
		return false;
	bool ok = !m.store || (store_begin(m.store, STORE_WRITE, err) &&
			       ctl_memory_load(&m, a, &s, c->now, &items, err) &&
			       remove_all(&m, &s, c->now, &items, err));
	ctl_memory_close(&m);
	if (!ok)
		return false;
	for (size_t i = 0; i < items.n; i++) {
		fputs("removed ", c->out);
		tell(&p, &items.item[i]);
	}
	if (items.n == 0)
		fprintf(c->out, "Nothing is remembered of %s.\n",
			page_text(&p, span_of(c->operand[0])));
	*ret_findings = items.n == 0;
	return !p.nomem || err_nomem(err);
}
