/* SPDX-License-Identifier: ISC */
#include "flow/attempt.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/text.h"
#include "flow/memory.h"
#include "flow/senderspf.h"
#include "flow/sessions.h"
#include "net/dial.h"
#include "net/stream.h"
#include "wire/dot.h"

#define BODY_BLOCK 65536

struct session {
	const struct services *sv;
	const struct attempt_request *rq;
	struct dialog *dialog;
	struct stream *stream;
	int stop_fd;      /* the run's: not watched while an answer to a final dot is waited for */
	bool *remembered; /* recipients whose acceptance is written down */
};

static void trace(const struct session *s, char direction, struct span line)
{
	const struct journal *j = &s->sv->journal;
	char text[LIMIT_REPLY_TEXT + 8];
	if (!j->trace)
		return;
	snprintf(text, sizeof(text), "%c %.*s", direction, (int)span_trim(line).n,
		 span_trim(line).p);
	text_printable(text, strlen(text));
	j->trace(j->self, text);
}

/* What the server said that is no reply, or nobody asked for. */
static void trace_odd(const struct session *s, struct span said)
{
	trace(s, '<', dialog_secret(s->dialog) ? SPAN("(not a reply to the login)") : said);
}

static void trace_commands(const struct session *s, struct span bytes)
{
	struct span line;
	if (bytes.n > 0 && dialog_secret(s->dialog)) {
		trace(s, '>', SPAN("(a part of the login)"));
		return;
	}
	while (s->sv->journal.trace && span_cut(&bytes, '\n', &line))
		trace(s, '>', line);
}

static void lost(struct session *s, const struct error *err)
{
	dialog_lost(s->dialog, err, s->sv->io->stopped && !dialog_committed(s->dialog));
}

/* Once the dot is out only the server's patience counts (RFC 1047): giving up would make the
 * outcome unknown. */
static struct deadline patience(const struct session *s)
{
	struct deadline until = deadline_in(io_now(s->sv->io), dialog_patience(s->dialog));
	return dialog_committed(s->dialog) ? until : deadline_min(until, s->rq->until);
}

/* Nothing may be unread when we are about to speak: a reply that came before its command is no
 * answer to it. */
static bool unasked_for(struct session *s)
{
	struct span said;
	struct error err;
	if (dialog_committed(s->dialog) || !stream_pending(s->stream))
		return false;
	if (stream_peek(s->stream, patience(s), &said, &err)) {
		trace_odd(s, said);
		dialog_early(s->dialog, said);
	} else {
		lost(s, &err);
	}
	return true;
}

static void say(struct session *s, struct span bytes)
{
	struct error err;
	if (unasked_for(s))
		return;
	trace_commands(s, bytes);
	if (stream_write(s->stream, bytes, patience(s), &err))
		dialog_done(s->dialog);
	else
		lost(s, &err);
}

static void hear(struct session *s)
{
	struct reply_parser parser;
	struct deadline until =
		patience(s); /* for the whole reply: a drip-feeding server gains nothing */
	struct error err;
	struct span in;
	size_t used;
	enum parse state = PARSE_MORE;

	reply_parser_init(&parser);
	while (state == PARSE_MORE) {
		if (!stream_peek(s->stream, until, &in, &err)) {
			lost(s, &err);
			return;
		}
		state = reply_parse(&parser, in, &used);
		if (state == PARSE_BAD)
			break;
		stream_eat(s->stream, used);
	}
	if (state == PARSE_BAD) {
		trace_odd(s, in);
		err_set(&err, ERR_TEMP, ESC(4, 5, 0), "sent something that is not an SMTP reply");
		lost(s, &err);
		return;
	}
	if (s->sv->journal.trace) {
		char text[LIMIT_REPLY_TEXT + 8];
		dialog_told(s->dialog, &parser.reply, text, sizeof(text));
		bool challenge = dialog_secret(s->dialog) && parser.reply.code == 334;
		trace(s, '<', challenge ? SPAN("334 (a challenge)") : span_of(text));
	}
	dialog_heard(s->dialog, &parser.reply);
}

/* RFC 5321 4.5.3.2.5 gives each block its time; the rate keeps a server from stretching that over a
 * whole large message. */
static struct deadline block_deadline(const struct session *s, struct instant start, uint64_t sent)
{
	int64_t ms = s->sv->config->data_timeout + (int64_t)(sent * 1000 / LIMIT_MIN_RATE);
	return deadline_min(patience(s), deadline_in(start, ms));
}

static void send_body(struct session *s)
{
	char storage[BODY_BLOCK + 1];
	struct buf block;
	struct dot dot;
	struct span piece;
	struct error err;
	struct instant start = io_now(s->sv->io);
	uint64_t sent = 0;

	buf_init(&block, storage, sizeof(storage));
	dot_init(&dot);
	message_rewind(s->rq->message);
	for (;;) {
		if (!message_next(s->rq->message, &piece, &err)) {
			dialog_lost(s->dialog, &err, true);
			return;
		}
		if (piece.n == 0)
			break;
		while (piece.n > 0) {
			size_t used;
			buf_reset(&block);
			dot_feed(&dot, piece, &block, &used);
			piece = (struct span){ piece.p + used, piece.n - used };
			sent += buf_view(&block).n;
			if (unasked_for(s))
				return;
			if (!stream_write(s->stream, buf_view(&block),
					  block_deadline(s, start, sent), &err)) {
				lost(s, &err);
				return;
			}
		}
	}
	char line[64];
	snprintf(line, sizeof(line), "(the message, %" PRIu64 " bytes)", sent);
	trace(s, '>', span_of(line));
	dialog_done(s->dialog);
}

/* The point of no return. Everything that can be known before it is asked now. */
static void commit(struct session *s)
{
	const struct services *sv = s->sv;
	struct error err;
	struct instant now = io_now(sv->io);

	if (io_poll(sv->io, NULL, 0, deadline_in(now, 0)) == IO_STOPPED) {
		io_fail(IO_STOPPED, &err);
		dialog_lost(s->dialog, &err, true);
	} else if (deadline_left_ms(s->rq->until, now) == 0) {
		err_set(&err, ERR_TEMP, ESC(4, 4, 7), "ran out of time before the final dot");
		dialog_lost(s->dialog, &err, true);
	} else if (unasked_for(s)) {
		return;
	} else if (!sv->caller.present(sv->caller.self, CALLER_AT_COMMIT,
				       sv->config->final_timeout)) {
		err_set(&err, ERR_TEMP, ESC(4, 3, 0),
			"the program that started this run has gone away");
		dialog_lost(s->dialog, &err, true);
	} else {
		dialog_done(s->dialog);
		sv->io->stop_fd = -1;
	}
}

static void secure(struct session *s)
{
	const struct services *sv = s->sv;
	const struct demand *demand = s->rq->demand;
	bool advisory = demand->sts_testing && demand->level < DEMAND_VERIFY;
	const struct secure_ask ask = {
		.proof = demand->level == DEMAND_DANE                 ? SECURE_DANE
			 : demand->level == DEMAND_VERIFY || advisory ? SECURE_PKIX
								      : SECURE_ANY,
		.advisory = advisory,
		.sni = demand->sni,
		.names = demand->names,
		.nnames = demand->nnames,
		.tlsa = demand->tlsa,
		.ntlsa = demand->ntlsa,
		.ca_file = sv->config->tls_ca_file,
		.priority = sv->config->tls_priority,
		.certificate = s->rq->probe ? &s->rq->probe->certificate : NULL,
	};
	struct secure_facts facts = { .trouble = SECURE_LOCAL };
	struct error err;
	char line[LIMIT_ERR_TEXT + 96];

	if (unasked_for(s))
		return; /* plaintext injected before the handshake: RFC 3207 section 4.1 */
	bool ok = secure_load(sv->secure, &err) &&
		  stream_secure(s->stream, sv->secure->ops, &ask, patience(s), &facts, &err);
	if (s->rq->probe)
		s->rq->probe->tls = facts;
	snprintf(line, sizeof(line), "(TLS: %s %s %s)", facts.protocol, facts.cipher,
		 ok ? facts.proof : err.text);
	trace(s, '=', span_of(line));
	if (ok)
		dialog_secured(s->dialog, &facts);
	else if (sv->io->stopped)
		dialog_lost(s->dialog, &err, true);
	else
		dialog_insecure(s->dialog, &facts, &err);
}

/* Before anything else, QUIT included, is said or done: not even SIGKILL shall make us send it
 * again. */
static void remember_accepted(struct session *s)
{
	const struct envelope *e = s->rq->envelope;
	const struct outcome *o = dialog_outcomes(s->dialog);
	struct memory *m = s->sv->memory;
	if (!m || !dialog_committed(s->dialog))
		return;
	memory_hold(m, true);
	for (size_t i = 0; i < e->nrcpt; i++) {
		if (o[i].event != EVENT_ACCEPTED || s->remembered[i])
			continue;
		memory_accepted(m, e, i, message_facts(s->rq->message), &o[i]);
		s->remembered[i] = true;
	}
	memory_release(m);
}

static void drive(struct session *s, struct attempt_result *ret)
{
	char storage[DIALOG_OUT];
	struct buf out;
	struct instant start = io_now(s->sv->io), transmit = start;
	enum dialog_want want;

	buf_init(&out, storage, sizeof(storage));
	while ((want = dialog_next(s->dialog, &out)) != DIALOG_OVER) {
		if (!dialog_committed(s->dialog))
			s->sv->io->stop_fd = s->stop_fd;
		if (want == DIALOG_SAY)
			say(s, buf_view(&out));
		else if (want == DIALOG_HEAR) {
			hear(s);
			remember_accepted(s);
		} else if (want == DIALOG_TLS)
			secure(s);
		else if (want == DIALOG_BODY)
			send_body(s);
		else
			commit(s);
		if (!dialog_transmits(s->dialog))
			transmit = io_now(s->sv->io);
	}
	ret->connect_ms += transmit.ms - start.ms;
	ret->transmit_ms = io_now(s->sv->io).ms - transmit.ms;
	trace_commands(s, buf_view(&out));
	struct error err;
	if (stream_write(s->stream, buf_view(&out), deadline_in(io_now(s->sv->io), 0), &err))
		stream_flush_now(s->stream);
}

/* "mx1.example.net[192.0.2.1]:25"; an address literal is its own host name. */
static const char *relay_name(struct arena *a, const char *host, struct endpoint at)
{
	char text[ENDPOINT_TEXT];
	endpoint_format(at, text);
	return arena_fmt(a, "%s%s", host[0] == '[' ? "" : host, text);
}

static const char *say_helo(struct arena *a, const struct services *sv, struct ip local)
{
	char text[IP_TEXT];
	if (sv->own_name[0])
		return sv->own_name;
	ip_format(local, text); /* RFC 5321 4.1.4: a host without a name says its address */
	return arena_fmt(a, "[%s%s]", local.family == 6 ? "IPv6:" : "", text);
}

/* One outcome for all that are still open. */
static bool settle_all(struct arena *a, const struct attempt_request *rq, const struct outcome *o,
		       struct attempt_result *ret)
{
	struct outcome *all = ARENA_NEW(a, struct outcome, rq->envelope->nrcpt);
	for (size_t i = 0; all && i < rq->envelope->nrcpt; i++)
		if (!rq->skip || !rq->skip[i])
			all[i] = *o;
	ret->outcome = all;
	return all != NULL;
}

/* No connection: the same outcome for every recipient that is still open. */
static bool not_connected(struct arena *a, const struct services *sv,
			  const struct attempt_request *rq, const struct error *why,
			  struct attempt_result *ret)
{
	const char *relay = relay_name(a, rq->host, rq->addr[0]);
	if (!relay)
		return false;
	const char *more = rq->naddr > 1 ? arena_fmt(a, " (and %zu more)", rq->naddr - 1) : "";
	const char *text = arena_fmt(a, "connect to %s: %s%s", relay, why->text, more ? more : "");
	if (!text)
		return false;
	const struct outcome o = {
		.event = sv->io->stopped ? EVENT_LOCAL : EVENT_NO_RESPONSE,
		.cause = sv->io->stopped ? CAUSE_LOCAL : CAUSE_NETWORK,
		.code = why->code,
		.relay = relay,
		.text = text,
	};
	return settle_all(a, rq, &o, ret);
}

static void part(struct session *s, struct kept_session *k)
{
	if (s->dialog && dialog_kept(s->dialog, &k->dialog))
		sessions_keep(s->sv->sessions, s->sv, s->rq, k);
	else
		stream_close(k->stream);
}

/* Our own address in this connection may not send for the sender's domain, and such mail is held
 * back: nothing is said. *ret_held; false: no memory. */
static bool hold_for_spf(struct arena *a, const struct services *sv,
			 const struct attempt_request *rq, const struct kept_session *k,
			 struct attempt_result *ret, bool *ret_held)
{
	const struct senderspf_question q = { .envelope = rq->envelope, .source = k->local };
	struct error why;
	*ret_held = sv->config->spf != SPF_OFF && !rq->probe &&
		    !senderspf_allows(a, sv, &q, rq->until, &why);
	if (!*ret_held)
		return true;
	const struct outcome o = {
		.event = EVENT_SPF_FAILS,
		.cause = CAUSE_POLICY,
		.code = why.code,
		.relay = relay_name(a, rq->host, k->peer),
		.text = arena_str(a, span_of(why.text)),
	};
	ret->peer = k->peer;
	ret->local = k->local;
	for (size_t i = 0; i < rq->naddr; i++) /* they see the same address of ours */
		ret->used[i] = ret->used[i] || rq->addr[i].ip.family == k->peer.ip.family;
	return o.relay && o.text && settle_all(a, rq, &o, ret);
}

/* In the connection *k, which goes on from k->dialog if ret->resumed. *ret_stale: it was dead, and
 * nothing has happened. */
static bool run_session(struct arena *a, const struct services *sv,
			const struct attempt_request *rq, struct kept_session *k,
			struct attempt_result *ret, bool *ret_stale)
{
	struct session s = { .sv = sv, .rq = rq, .stream = k->stream };
	struct dialog_script script = {
		.helo = say_helo(a, sv, k->local),
		.relay = relay_name(a, rq->host, k->peer),
		.envelope = rq->envelope,
		.skip = rq->skip,
		.facts = rq->probe ? NULL : message_facts(rq->message),
		.config = sv->config,
		.demand = *rq->demand,
		.plain = rq->plain,
		.tls_first = k->peer.port == PORT_SUBMISSIONS,
		.route = rq->route,
		.login = rq->login,
		.crypto = rq->login ? sv->secure->ops->crypto : NULL,
		.probe = rq->probe != NULL,
		.keep = sv->sessions != NULL,
		.resumed = ret->resumed ? &k->dialog : NULL,
	};
	ret->peer = k->peer;
	ret->local = k->local;
	s.stop_fd = sv->io->stop_fd;
	s.remembered = ARENA_NEW(a, bool, rq->envelope->nrcpt);
	if (script.helo && script.relay && s.remembered)
		s.dialog = dialog_new(a, &script);
	if (s.dialog) {
		trace(&s, '=', span_of(script.relay));
		drive(&s, ret);
		sv->io->stop_fd = s.stop_fd;
		ret->outcome = dialog_outcomes(s.dialog);
		ret->tls = *dialog_tls(s.dialog);
		ret->ehlo = *dialog_ehlo(s.dialog);
		if (rq->probe)
			rq->probe->words = dialog_words(s.dialog);
		*ret_stale = ret->resumed && dialog_stale(s.dialog);
	}
	part(&s, k);
	return s.dialog != NULL;
}

static bool is_our_trouble(int why)
{
	return why == ENETUNREACH || why == EADDRNOTAVAIL || why == EAFNOSUPPORT || why == EACCES ||
	       why == EPERM || why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM;
}

/* Of the address that answered the connect: did it greet as well? */
static void judge_winner(const struct attempt_request *rq, size_t winner,
			 struct attempt_result *ret)
{
	const struct outcome *o = ret->outcome;
	for (size_t i = 0; i < rq->envelope->nrcpt; i++) {
		enum failover_event event = o[i].event;
		if (event == EVENT_NONE || event == EVENT_LOCAL)
			continue;
		ret->fate[winner] = event == EVENT_NO_RESPONSE ? FATE_SILENT : FATE_GREETED;
		ret->why[winner] = o[i].text;
		return;
	}
}

static void judge_addresses(struct arena *a, const struct services *sv,
			    const struct attempt_request *rq, const struct dial_result *dialed,
			    struct attempt_result *ret)
{
	for (size_t i = 0; i < rq->naddr; i++) {
		int why = dialed->why[i];
		if (why == 0 || is_our_trouble(why) || sv->io->stopped)
			continue;
		const char *relay = relay_name(a, rq->host, rq->addr[i]);
		ret->why[i] =
			arena_fmt(a, "connect to %s: %s", relay ? relay : rq->host, strerror(why));
		ret->fate[i] = ret->why[i] ? FATE_SILENT : FATE_UNKNOWN;
	}
	if (ret->connected)
		judge_winner(rq, dialed->winner, ret);
}

/* Of the address in use: it is spent, unless the server takes more recipients in another session.
 */
static void spend(const struct attempt_request *rq, struct attempt_result *ret)
{
	bool more = false;
	for (size_t i = 0; i < rq->envelope->nrcpt; i++)
		more = more || ret->outcome[i].event == EVENT_TOO_MANY;
	for (size_t i = 0; i < rq->naddr; i++)
		if (rq->addr[i].port == ret->peer.port && ip_equal(rq->addr[i].ip, ret->peer.ip))
			ret->used[i] = !more;
}

/* False with *err untouched: there was no session to go on with. */
static bool resume(struct arena *a, const struct services *sv, const struct attempt_request *rq,
		   struct attempt_result *ret, bool *ret_ok)
{
	struct kept_session kept;
	bool stale = false, held;
	if (!sessions_take(sv->sessions, sv, rq, &kept))
		return false;
	*ret_ok = hold_for_spf(a, sv, rq, &kept, ret, &held);
	if (!*ret_ok || held) {
		sessions_keep(sv->sessions, sv, rq, &kept);
		return true;
	}
	ret->resumed = true;
	*ret_ok = run_session(a, sv, rq, &kept, ret, &stale);
	if (!*ret_ok)
		return true;
	if (stale) {
		memset(ret, 0, sizeof(*ret));
		return false;
	}
	ret->connected = true;
	spend(rq, ret);
	return true;
}

static bool connect_anew(struct arena *a, const struct services *sv,
			 const struct attempt_request *rq, struct attempt_result *ret)
{
	const struct config *c = sv->config;
	struct dial_ask ask = {
		.to = rq->addr,
		.n = rq->naddr,
		.source4 = c->source_ipv4,
		.source6 = c->source_ipv6,
		.gap_ms = c->stagger,
		.each_ms = c->connect_timeout,
	};
	struct dial_result dialed;
	struct error why;
	struct instant start = io_now(sv->io);
	bool stale, held = false;

	ret->connected = dial_race(sv->io, &ask, rq->until, &dialed, &why);
	struct instant opened = io_now(sv->io);
	ret->dial_ms = ret->connect_ms = opened.ms - start.ms;
	for (size_t i = 0; i < rq->naddr; i++)
		ret->used[i] = !ret->connected || dialed.why[i] != 0;
	struct kept_session line = { .opened = opened, .local = dialed.local };
	if (ret->connected) {
		line.peer = rq->addr[dialed.winner];
		bool good = hold_for_spf(a, sv, rq, &line, ret, &held);
		if (!good || held) {
			close(dialed.fd);
			ret->connected = false;
			return good;
		}
		if (!stream_open(dialed.fd, sv->io, &line.stream, &why) ||
		    !run_session(a, sv, rq, &line, ret, &stale))
			return false;
		spend(rq, ret);
	} else if (!not_connected(a, sv, rq, &why, ret)) {
		return false;
	}
	judge_addresses(a, sv, rq, &dialed, ret);
	return true;
}

/* The module that TLS and the login need is not there. */
static bool cannot_log_in(struct arena *a, const struct attempt_request *rq,
			  const struct error *why, struct attempt_result *ret)
{
	const struct outcome o = {
		.event = EVENT_LOCAL,
		.cause = CAUSE_LOCAL,
		.code = why->code,
		.relay = "none",
		.text = arena_str(a, span_of(why->text)),
	};
	for (size_t i = 0; i < rq->naddr; i++)
		ret->used[i] = true;
	return o.text && settle_all(a, rq, &o, ret);
}

bool attempt_run(struct arena *a, const struct services *sv, const struct attempt_request *rq,
		 struct attempt_result *ret, struct error *err)
{
	bool ok = false;
	struct error why;
	memset(ret, 0, sizeof(*ret));
	if (rq->login && !secure_load(sv->secure, &why))
		ok = cannot_log_in(a, rq, &why, ret);
	else if (!resume(a, sv, rq, ret, &ok))
		ok = connect_anew(a, sv, rq, ret);
	return ok || err_nomem(err);
}
