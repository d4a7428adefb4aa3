/* SPDX-License-Identifier: ISC */
#include "flow/senderspf.h"

#include "core/logline.h"
#include "flow/memory.h"
#include "net/idna.h"

#define TROUBLE_TTL                                                                                \
	60 /* seconds: a name server that does not answer costs its time once a minute */
#define PRIVATE_TTL 3600 /* a line for the operator every hour */

/* RFC 7208 section 2.4. A domain that has no A-labels stays as it is: it has no SPF record. */
static bool question_of(struct arena *a, const struct services *sv, const struct addr *sender,
			struct ip source, struct spf_question *ret)
{
	bool null = addr_is_null(sender);
	const char *domain = null ? sv->own_name : sender->domain;
	struct error err;
	if (!null && !idna_ascii(a, sender->domain, &domain, &err) && err.class != ERR_PERM)
		return false;
	*ret = (struct spf_question){
		.source = source,
		.domain = domain,
		.local = null ? "postmaster" : sender->local,
		.helo = sv->own_name,
	};
	return true;
}

static struct record_sender key_of(const struct spf_question *q)
{
	bool alone = ip_private(q->source);
	return (struct record_sender){
		.source = q->source,
		.domain = span_of(alone ? "" : q->domain),
		.helo = span_of(alone ? "" : q->helo),
	};
}

static bool recall(struct arena *a, const struct services *sv, const struct spf_question *q,
		   struct spf_answer *ret)
{
	const struct record_sender who = key_of(q);
	struct record_sender r;
	int result = SPF_NONE;
	if (!memory_sender(sv->memory, a, &who, &r))
		return false;
	while (result <= SPF_PERMERROR &&
	       !span_equal(r.result, span_of(spf_result_name((enum spf_result)result))))
		result++;
	struct spf_answer answer = {
		.result = (enum spf_result)result,
		.mechanism = arena_str(a, r.mechanism),
		.why = arena_str(a, r.why),
	};
	if (result > SPF_PERMERROR || !answer.mechanism || !answer.why)
		return false;
	*ret = answer;
	return true;
}

static void keep(const struct services *sv, const struct spf_question *q,
		 const struct spf_answer *answer)
{
	struct record_sender r = key_of(q);
	r.ttl = answer->result == SPF_TEMPERROR ? TROUBLE_TTL : answer->ttl;
	r.result = span_of(spf_result_name(answer->result));
	r.mechanism = span_of(answer->mechanism);
	r.why = span_of(answer->why);
	if (!answer->by_sender)
		memory_keep_sender(sv->memory, &r);
}

bool senderspf_find(struct arena *a, const struct services *sv, const struct addr *sender,
		    struct ip source, struct deadline until, struct senderspf *ret)
{
	struct senderspf found = { .remembered = true };
	struct spf_question q;
	struct error err;
	if (!question_of(a, sv, sender, source, &q))
		return false;
	found.domain = q.domain;
	if (!recall(a, sv, &q, &found.answer)) {
		found.remembered = false;
		found.answer = (struct spf_answer){
			.result = SPF_NONE,
			.mechanism = "",
			.why = "our address is private: others see that of a gateway",
			.ttl = PRIVATE_TTL,
		};
		if (!ip_private(source) && !spf_evaluate(a, sv, &q, until, &found.answer, &err))
			return false;
		keep(sv, &q, &found.answer);
	}
	*ret = found;
	return true;
}

static void tell(const struct services *sv, const char *queue_id, const char *source,
		 const struct senderspf *s)
{
	char storage[LIMIT_LOG_LINE + 1];
	struct buf line;
	const struct log_spf l = {
		.queue_id = queue_id,
		.result = spf_result_name(s->answer.result),
		.source = source,
		.domain = s->domain,
		.text = spf_reason(&s->answer),
	};
	buf_init(&line, storage, sizeof(storage));
	logline_spf(&l, sv->config->log_format, &line);
	sv->journal.log(sv->journal.self, buf_cstr(&line));
}

bool senderspf_allows(struct arena *a, const struct services *sv,
		      const struct senderspf_question *q, struct deadline until,
		      struct error *ret_why)
{
	const struct envelope *e = q->envelope;
	struct senderspf s;
	char source[IP_TEXT];
	if (!senderspf_find(a, sv, &e->sender, q->source, until, &s))
		return true;
	enum spf_result result = s.answer.result;
	bool fails = result == SPF_FAIL || result == SPF_SOFTFAIL;
	bool trouble = result == SPF_TEMPERROR || result == SPF_PERMERROR || ip_private(q->source);
	ip_format(q->source, source);
	if (fails || (trouble && !s.remembered))
		tell(sv, e->queue_id, source, &s);
	if (result != SPF_FAIL || sv->config->spf != SPF_HOLD)
		return true;
	return err_set(ret_why, ERR_TEMP, ESC(4, 7, 23),
		       "our address %s may not send for %s: SPF says fail by %s", source, s.domain,
		       spf_reason(&s.answer));
}
