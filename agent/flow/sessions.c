/* SPDX-License-Identifier: ISC */
#include "flow/sessions.h"

#include "wire/command.h"

/* Bytes of the terms of a session: enough for a dozen digests of certificates and some names. One
 * with longer terms is not kept. */
#define TERMS 4096

struct place {
	struct kept_session kept; /* stream NULL: free */
	char host[LIMIT_DOMAIN + 3];
	char terms[TERMS];
	size_t nterms;
	struct instant idle_since;
};

struct sessions {
	struct io *io;
	struct place place[SESSIONS_MAX];
};

struct sessions *sessions_open(struct io *io)
{
	struct sessions *p = calloc(1, sizeof(*p));
	if (p)
		p->io = io;
	return p;
}

static void end(struct stream *stream, struct io *io)
{
	char storage[16];
	struct buf quit;
	struct error err;
	buf_init(&quit, storage, sizeof(storage));
	command_plain(&quit, "QUIT");
	if (stream_write(stream, buf_view(&quit), deadline_in(io_now(io), 0), &err))
		stream_flush_now(stream);
	stream_close(stream);
}

static void empty(struct sessions *p, struct place *at)
{
	end(at->kept.stream, p->io);
	at->kept.stream = NULL;
}

void sessions_close(struct sessions *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (p->place[i].kept.stream)
			empty(p, &p->place[i]);
	free(p);
}

static void add_text(struct buf *out, const char *text)
{
	buf_add(out, span_of(text));
	buf_addc(out, '\0');
}

static void add_ip(struct buf *out, struct ip ip)
{
	char text[IP_TEXT] = "";
	if (ip.family)
		ip_format(ip, text);
	add_text(out, text);
}

static void add_tlsa(struct buf *out, const struct tlsa *t)
{
	buf_addf(out, "%u %u %u %zu:", t->usage, t->selector, t->matching, t->data.n);
	buf_add(out, t->data);
}

/* Everything that must be equal for a session to serve another message as well as the first: as it
 * is, for whoever can choose a part of it could make a digest collide. */
static void write_terms(const struct services *sv, const struct attempt_request *rq,
			struct buf *out)
{
	const struct demand *m = rq->demand;
	const char flags[] = { (char)('0' + m->level),        m->requiretls ? 'r' : '-',
			       m->sts_testing ? 't' : '-',    rq->plain ? 'p' : '-',
			       (char)('0' + (char)m->nnames), '\0' };
	buf_reset(out);
	add_text(out, flags);
	add_text(out, m->because);
	add_text(out, m->sni);
	add_text(out, sv->own_name);
	add_ip(out, sv->config->source_ipv4);
	add_ip(out, sv->config->source_ipv6);
	add_text(out, sv->config->tls_ca_file);
	add_text(out, sv->config->tls_priority);
	add_text(out, rq->login ? rq->login->user : "");
	add_text(out, rq->login ? rq->login->route : "");
	for (size_t i = 0; i < m->nnames; i++)
		add_text(out, m->names[i]);
	for (size_t i = 0; i < m->ntlsa; i++)
		add_tlsa(out, &m->tlsa[i]);
}

static bool has_address(const struct attempt_request *rq, struct endpoint peer)
{
	for (size_t i = 0; i < rq->naddr; i++)
		if (rq->addr[i].port == peer.port && ip_equal(rq->addr[i].ip, peer.ip))
			return true;
	return false;
}

int64_t sessions_expire(struct sessions *p)
{
	int64_t soonest = -1;
	for (size_t i = 0; p && i < SESSIONS_MAX; i++) {
		struct place *at = &p->place[i];
		if (!at->kept.stream)
			continue;
		struct instant now = io_now(p->io);
		struct deadline over = deadline_in(at->idle_since, SESSIONS_IDLE_MS);
		int64_t left = deadline_left_ms(over, now);
		if (left == 0 || stream_pending(at->kept.stream))
			empty(p, at);
		else if (soonest < 0 || left < soonest)
			soonest = left;
	}
	return soonest;
}

bool sessions_take(struct sessions *p, const struct services *sv, const struct attempt_request *rq,
		   struct kept_session *ret)
{
	if (!p)
		return false;
	sessions_expire(p);
	char storage[TERMS];
	struct buf terms;
	buf_init(&terms, storage, sizeof(storage));
	write_terms(sv, rq, &terms);
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct place *at = &p->place[i];
		const struct span its = { at->terms, at->nterms };
		if (!at->kept.stream || terms.overflow || !span_equal(its, buf_view(&terms)) ||
		    !span_equal_nocase(span_of(at->host), span_of(rq->host)) ||
		    !has_address(rq, at->kept.peer))
			continue;
		*ret = at->kept;
		at->kept.stream = NULL;
		return true;
	}
	return false;
}

static bool is_used_up(const struct sessions *p, const struct kept_session *k)
{
	int64_t age = io_now(p->io).ms - k->opened.ms;
	return age > SESSIONS_AGE_MS || k->dialog.transactions >= SESSIONS_MESSAGES;
}

void sessions_keep(struct sessions *p, const struct services *sv, const struct attempt_request *rq,
		   const struct kept_session *k)
{
	for (size_t i = 0; p && i < SESSIONS_MAX && !is_used_up(p, k); i++) {
		struct place *at = &p->place[i];
		if (at->kept.stream)
			continue;
		struct buf terms;
		buf_init(&terms, at->terms, sizeof(at->terms));
		write_terms(sv, rq, &terms);
		if (terms.overflow)
			break;
		at->nterms = terms.len;
		at->kept = *k;
		snprintf(at->host, sizeof(at->host), "%s", rq->host);
		at->idle_since = io_now(p->io);
		return;
	}
	end(k->stream, sv->io);
}
