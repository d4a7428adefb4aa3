/* SPDX-License-Identifier: ISC */
#include "flow/notes.h"

void notes_host(const struct services *sv, const char *queue_id, const char *host,
		const struct outcome *o, bool next)
{
	char storage[LIMIT_LOG_LINE + 1];
	struct buf line;
	struct log_host h = {
		.queue_id = queue_id,
		.host = host,
		.event = failover_event_name(o->event),
		.security = o->security,
		.code = o->code,
		.text = o->text,
		.next = next,
	};
	buf_init(&line, storage, sizeof(storage));
	logline_host(&h, sv->config->log_format, &line);
	sv->journal.log(sv->journal.self, buf_cstr(&line));
	memory_note_answer(sv->memory, host, o);
}

void notes_recipient(const struct journal *j, enum config_log_format format,
		     const struct log_recipient *r)
{
	char storage[LIMIT_LOG_LINE + 1];
	struct buf line;
	buf_init(&line, storage, sizeof(storage));
	logline_recipient(r, format, &line);
	j->log(j->self, buf_cstr(&line));
}

static bool tls_broke(const struct attempt_request *rq, const struct attempt_result *at)
{
	for (size_t i = 0; i < rq->envelope->nrcpt; i++)
		if (at->outcome[i].event == EVENT_TLS_BROKEN)
			return true;
	return false;
}

void notes_addresses(const struct services *sv, const struct attempt_request *rq,
		     const struct attempt_result *at)
{
	for (size_t i = 0; i < rq->naddr; i++) {
		struct memory_host h = {
			.host = rq->host,
			.addr = rq->addr[i],
			.fate = at->fate[i],
			.why = at->why[i],
		};
		if (at->fate[i] == FATE_UNKNOWN)
			continue;
		if (at->fate[i] == FATE_GREETED) {
			h.connect_ms = (uint32_t)at->dial_ms;
			h.ehlo = at->ehlo;
			h.tls = at->tls.secured     ? HOST_TLS_GOOD
				: tls_broke(rq, at) ? HOST_TLS_BROKEN
						    : HOST_TLS_UNTRIED;
		}
		memory_note_host(sv->memory, &h);
	}
}

void notes_domain(const struct services *sv, const char *domain, const struct outcome *o,
		  enum failover_end end, bool reached)
{
	if (end == END_DELIVERED || end == END_FAILED)
		memory_note_domain(sv->memory, domain, RUN_ANSWERED, o);
	else if (reached || o->cause >= CAUSE_TLS)
		memory_note_domain(sv->memory, domain, RUN_PUT_OFF, o);
	else if (o->cause == CAUSE_NETWORK)
		memory_note_domain(sv->memory, domain, RUN_UNREACHABLE, o);
}
