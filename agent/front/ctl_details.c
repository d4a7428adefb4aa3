/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "base/buf.h"
#include "wire/ehlo.h"
#include "core/health.h"
#include "front/ctl_details.h"

#define LIST_ROOM 8192

const char *details_domain_next(struct page *p, const struct record_domain *r)
{
	int64_t next = 0;
	if (r->fails == 0)
		return "-";
	if (health_of_domain(r, false, p->now, &next) != DOMAIN_DOWN)
		next = 0;
	return page_until(p, next);
}

const char *details_tls(const struct page *p, const struct record_host *r)
{
	if (health_tls_broken(r, p->now))
		return "broken";
	return r->tls_fails > 0 ? "failed" : "-";
}

const char *details_keyword(uint32_t caps, size_t i)
{
	static const struct {
		enum ehlo_cap cap;
		const char *name;
	} names[] = {
		{ EHLO_PIPELINING, "PIPELINING" },
		{ EHLO_8BITMIME, "8BITMIME" },
		{ EHLO_SIZE, "SIZE" },
		{ EHLO_STARTTLS, "STARTTLS" },
		{ EHLO_DSN, "DSN" },
		{ EHLO_SMTPUTF8, "SMTPUTF8" },
		{ EHLO_CHUNKING, "CHUNKING" },
		{ EHLO_REQUIRETLS, "REQUIRETLS" },
		{ EHLO_ENHANCED, "ENHANCEDSTATUSCODES" },
	};
	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
		if ((caps & names[n].cap) && i-- == 0)
			return names[n].name;
	return NULL;
}

struct details_policy details_policy(struct page *p, const struct record_policy *r)
{
	static const char *const modes[] = { "none", "testing", "enforce" };
	struct details_policy d = { .mode = "-" };
	struct error err;
	if (r->id.n == 0)
		return d;
	d.until = r->fetched + r->max_age;
	if (sts_parse(p->arena, r->body, &d.policy, &err))
		d.mode = modes[d.policy.mode];
	else if (err.class == ERR_INTERNAL)
		p->nomem = true;
	return d;
}

static const char *address(struct page *p, struct span s)
{
	return s.n > 0 ? page_text(p, s) : "<>"; /* the null sender */
}

/* "3, since 2026-... (2h ago), last 2026-... (3m ago)" */
static const char *in_a_row(struct page *p, uint32_t n, int64_t first, int64_t last)
{
	if (n == 0)
		return "none";
	if (n == 1)
		return page_fmt(p, "1, %s", page_moment(p, last));
	if (first == 0)
		return page_fmt(p, "%u in a row, last %s", n, page_moment(p, last));
	return page_fmt(p, "%u in a row, from %s to %s", n, page_moment(p, first),
			page_moment(p, last));
}

static void show_message(struct page *p, const struct record_attempt *r)
{
	page_heading(p, page_fmt(p, "Message %s", page_text(p, r->queue_id)));
	page_field(p, "From", address(p, r->sender));
	page_field(p, "To", page_text(p, r->rcpt));
	page_field(p, "Domain", page_text(p, r->domain));
	page_field(p, "State", r->permanent ? "failed for good" : "waiting");
	page_field(p, "Tries", page_fmt(p, "%u", r->count));
	page_field(p, "First try", page_moment(p, r->first));
	page_field(p, "Last try", page_moment(p, r->last));
	page_field(p, "Verdict", page_reason(p, r->code, r->text));
	if (r->nanswer == 0)
		return;
	page_wrap(p, 2, "Hosts of the last try");
	for (size_t i = 0; i < r->nanswer && i < RECORD_HOSTS; i++) {
		const struct record_answer *a = &r->answer[i];
		page_wrap(p, 4,
			  page_fmt(p, "%s: %s", page_text(p, a->relay), page_text(p, a->event)));
		page_wrap(p, 6, page_reason(p, a->code, a->text));
	}
}

static const char *keywords(struct page *p, uint32_t caps)
{
	char room[200];
	struct buf b;
	const char *name;
	buf_init(&b, room, sizeof(room));
	for (size_t i = 0; (name = details_keyword(caps, i)); i++)
		buf_addf(&b, "%s%s", i ? " " : "", name);
	return page_text(p, buf_view(&b));
}

/* Once TLS was spoken the limits are those of the EHLO behind it: hints, as the header says. */
static void show_ehlo(struct page *p, const struct record_host *r)
{
	if (r->caps == 0) {
		page_field(p, "EHLO", "nothing known");
		return;
	}
	page_field(p, "EHLO", keywords(p, r->caps));
	if (r->size_max)
		page_field(p, "SIZE", page_fmt(p, "%" PRIu64 " bytes", r->size_max));
	const char *mail = r->mail_max ? page_fmt(p, "MAILMAX=%u ", r->mail_max) : "";
	const char *rcpt = r->rcpt_max ? page_fmt(p, "RCPTMAX=%u", r->rcpt_max) : "";
	if (mail[0] || rcpt[0])
		page_field(p, "LIMITS", page_fmt(p, "%s%s", mail, rcpt));
}

static void show_host(struct page *p, const struct record_host *r)
{
	char relay[ENDPOINT_TEXT], source[IP_TEXT];
	endpoint_format(r->addr, relay);
	page_heading(p, page_fmt(p, "Host %s%s", page_text(p, r->host), relay));
	if (r->source.family) {
		ip_format(r->source, source);
		page_field(p, "Source", source);
	}
	page_field(p, "Failures", in_a_row(p, r->fails, r->first_fail, r->last_fail));
	if (r->fails) {
		page_field(p, "Reason", page_text(p, r->why));
		int64_t next = health_host_next(r);
		page_field(p, "Next try", next > p->now ? page_moment(p, next) : "now");
	}
	if (r->probe_until > p->now)
		page_field(p, "Probe", "another run is trying it");
	page_field(p, "Last good", page_moment(p, r->last_good));
	if (r->last_good)
		page_field(p, "Connect time", page_fmt(p, "%u ms", r->connect_ms));
	if (r->tls_fails)
		page_field(p, "TLS",
			   page_fmt(p, "%s; failures: %s", details_tls(p, r),
				    in_a_row(p, r->tls_fails, 0, r->tls_last_fail)));
	show_ehlo(p, r);
}

static void show_domain(struct page *p, const struct record_domain *r)
{
	int64_t next = 0;
	page_heading(p, page_fmt(p, "Domain %s", page_text(p, r->domain)));
	page_field(p, "Since", page_moment(p, r->failing_since));
	page_field(p, "Reason", page_reason(p, r->code, r->why));
	if (r->fails == 0) {
		page_field(p, "State", "hosts answer, but nothing is delivered");
		return;
	}
	const char *often = r->fails > 1 ? page_fmt(p, ", %u times in a row", r->fails) : "";
	page_field(p, "State",
		   page_fmt(p, "no host answered%s, last %s", often, page_moment(p, r->last_fail)));
	bool down = health_of_domain(r, false, p->now, &next) == DOMAIN_DOWN;
	page_field(p, "Next try", down ? page_moment(p, next) : "now");
}

static const char *patterns(struct page *p, const struct sts_policy *policy)
{
	char *room = ARENA_NEW(p->arena, char, LIST_ROOM);
	struct buf b;
	if (!room) {
		p->nomem = true;
		return "";
	}
	buf_init(&b, room, LIST_ROOM);
	for (size_t i = 0; i < policy->nmx; i++)
		buf_addf(&b, "%s%s", i ? " " : "", policy->mx[i]);
	if (b.overflow)
		buf_reset(&b);
	return page_text(p, b.len || policy->nmx == 0 ? buf_view(&b) : SPAN("very many"));
}

static void show_policy(struct page *p, const struct record_policy *r)
{
	struct details_policy d = details_policy(p, r);
	page_heading(p, page_fmt(p, "MTA-STS policy of %s", page_text(p, r->domain)));
	page_field(p, "Mode", r->id.n > 0 ? d.mode : "not known yet");
	if (d.until) {
		page_field(p, "Hosts", patterns(p, &d.policy));
		page_field(p, "Id", page_text(p, r->id));
		page_field(p, "Holds until", page_moment(p, d.until));
	}
	page_field(p, "Fetched", page_moment(p, r->fetched));
	if (r->fails)
		page_field(p, "Failures", in_a_row(p, r->fails, 0, r->tried));
}

static void show_delivered(struct page *p, const struct record_delivered *r)
{
	page_heading(p, page_fmt(p, "Delivered %s", page_text(p, r->queue_id)));
	page_field(p, "From", address(p, r->sender));
	page_field(p, "To", page_text(p, r->rcpt));
	page_field(p, "When", page_moment(p, r->when));
	page_field(p, "Reported",
		   r->reported ? "the host MTA was there to hear it" : "the host MTA may not know");
	page_field(p, "Host", page_text(p, r->relay));
	page_field(p, "Answer", page_text(p, r->text));
	if (r->level.n)
		page_field(p, "TLS",
			   page_fmt(p, "%s %s %s", page_text(p, r->level),
				    page_text(p, r->protocol), page_text(p, r->cipher)));
}

static void show_sender(struct page *p, const struct record_sender *r)
{
	const char *source = page_source(p, r->source);
	page_heading(p, r->domain.n > 0
				? page_fmt(p, "SPF of %s for %s", page_text(p, r->domain), source)
				: page_fmt(p, "Own address %s", source));
	if (r->result.n > 0)
		page_field(p, "Result",
			   page_fmt(p, "%s: %s", page_text(p, r->result),
				    page_text(p, r->mechanism.n ? r->mechanism : r->why)));
	page_field(p, "Looked at", page_moment(p, r->asked));
	page_field(p, "Holds until", page_moment(p, r->asked + r->ttl));
}

void details_show(struct page *p, const struct items *items)
{
	for (size_t i = 0; i < items->n; i++) {
		const struct item *it = &items->item[i];
		switch (it->kind) {
		case RECORD_ATTEMPT:
			show_message(p, it->message);
			break;
		case RECORD_DOMAIN:
			show_domain(p, it->domain);
			break;
		case RECORD_HOST:
			show_host(p, it->host);
			break;
		case RECORD_POLICY:
			show_policy(p, it->policy);
			break;
		case RECORD_DELIVERED:
			show_delivered(p, it->delivered);
			break;
		case RECORD_SENDER:
			show_sender(p, it->sender);
			break;
		}
	}
}
