/* SPDX-License-Identifier: ISC */
#include "front/lmtpd.h"

#include <syslog.h>

#include "base/text.h"
#include "core/report.h"
#include "flow/settings.h"
#include "front/client.h"
#include "front/groups.h"
#include "front/logger.h"
#include "front/mailbox.h"
#include "front/options.h"
#include "net/own.h"
#include "wire/dot.h"

#define MISTAKES  20 /* commands that make no sense: whoever sends more is no mail server */
#define NAME_MOST 72 /* so that the LHLO reply fits 240 octets: hosts read no longer ones */

struct transaction {
	bool open; /* MAIL was said */
	struct envelope envelope;
	size_t nto;
};

struct server {
	const struct lmtpd_run *run;
	struct client client;
	struct arena *arena; /* until the end */
	struct arena *mail;  /* until the end of a transaction */
	struct options options;
	struct settings *settings;
	struct config config;
	struct error
		unfit; /* class NONE, or why nothing can be delivered: told for each recipient */
	struct groups *groups;
	const char *name;
	bool greeted, over;
	const char *ident; /* of XFORWARD, in the mail arena; NULL: not said */
	struct transaction t;
	struct group_recipient *to; /* room for LIMIT_RCPTS; NULL: there was no sender yet */
	struct deadline idle;       /* when the groups have an open session to end */
	unsigned mistakes;
};

static void say(struct server *s, const char *line)
{
	char text[REPORT_LMTP + 3];
	snprintf(text, sizeof(text), "%s\r\n", line); /* one packet */
	client_say(&s->client, span_of(text));
}

static void mistake(struct server *s, const char *line)
{
	if (++s->mistakes > MISTAKES) {
		say(s, "421 4.7.0 too many mistakes");
		s->over = true;
	} else {
		say(s, line);
	}
}

static void say_error(struct server *s, int code, const struct error *err)
{
	char line[REPORT_LMTP + 1];
	snprintf(line, sizeof(line) - 2, "%d %u.%u.%u %.200s", code, err->code.cls,
		 err->code.subject, err->code.detail, err->text);
	text_printable(line, strlen(line)); /* a character may be cut */
	/* A bad address is no mistake of the host: it hands on what somebody wrote. */
	if (err->class == ERR_PERM && err->code.subject == 5)
		mistake(s, line);
	else
		say(s, line);
}

static void forget_mail(struct server *s)
{
	s->t = (struct transaction){ .open = false };
	s->ident = NULL;
	arena_reset(s->mail);
}

/* ---- commands ---- */

static void lhlo(struct server *s)
{
	char reply[REPORT_LMTP + 1], size[40] = "SIZE";
	if (s->config.message_size_limit)
		snprintf(size, sizeof(size), "SIZE %llu",
			 (unsigned long long)s->config.message_size_limit);
	snprintf(reply, sizeof(reply),
		 "250-%s\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-%s\r\n250-ENHANCEDSTATUSCODES\r\n"
		 "%s250-REQUIRETLS\r\n250 XFORWARD IDENT",
		 s->name, size, s->config.lmtp_dsn ? "250-DSN\r\n" : "");
	s->greeted = true;
	forget_mail(s);
	say(s, reply);
}

static void mail(struct server *s, const struct lmtp_command *c)
{
	const struct mail_params *p = &c->mail;
	uint64_t most = s->config.message_size_limit;
	struct error err;
	if (s->t.open) {
		mistake(s, "503 5.5.1 there is a sender already");
		return;
	}
	if (most && p->say_size && p->size > most) {
		say(s, "552 5.3.4 the message is too large (message_size_limit)");
		return;
	}
	struct addr sender = c->addr;
	if (!mailbox_sender(s->mail, &sender, &err)) {
		say_error(s, err.class == ERR_PERM ? 553 : 451, &err);
		return;
	}
	if (!s->to)
		s->to = ARENA_NEW(s->arena, struct group_recipient, LIMIT_RCPTS);
	if (!s->to) {
		say(s, "451 4.3.0 out of memory");
		return;
	}
	s->t.open = true;
	s->t.envelope = (struct envelope){
		.sender = sender,
		.sender_text = c->text,
		.queue_id = s->ident ? s->ident : s->options.queue_id,
		.ret = p->ret,
		.envid = p->envid,
		.requiretls = p->requiretls,
	};
	say(s, "250 2.1.0 Ok");
}

static void rcpt(struct server *s, const struct lmtp_command *c)
{
	struct group_recipient to = { .rcpt = {
					      .addr = c->addr,
					      .text = c->text,
					      .notify = c->rcpt.notify,
					      .orcpt = c->rcpt.orcpt,
				      } };
	struct error err;
	if (!s->t.open) {
		mistake(s, "503 5.5.1 there is no sender yet");
	} else if (s->unfit.class != ERR_NONE) {
		say_error(s, 451, &s->unfit);
	} else if (s->t.nto == LIMIT_RCPTS) {
		say(s, "452 4.5.3 too many recipients");
	} else if (!mailbox_recipient(s->mail, &to.rcpt.addr, &to.domain, &err)) {
		say_error(s, err.class == ERR_PERM ? 550 : 451, &err);
	} else {
		s->to[s->t.nto++] = to;
		say(s, "250 2.1.5 Ok");
	}
}

/* ---- the message ---- */

/* Decodes what is there; DONE: the end was among it, and what stands behind it is unread again. */
static enum parse take(struct server *s, struct undot *u, struct span in, struct intake *k)
{
	char storage[16384 + 1];
	enum parse state = PARSE_MORE;
	while (in.n > 0 && state == PARSE_MORE) {
		struct buf out;
		size_t used;
		buf_init(&out, storage, sizeof(storage));
		state = undot_feed(u, in, &out, &used);
		intake_take(k, buf_view(&out));
		in = (struct span){ in.p + used, in.n - used };
	}
	client_unread(&s->client, in.n);
	return state;
}

/* False: the client is gone, or was too slow, in the midst of it. */
static bool read_text(struct server *s, struct intake *k)
{
	struct io *io = s->run->io;
	struct deadline whole = deadline_in(io_now(io), s->config.deadline);
	struct undot u;
	undot_init(&u);
	for (;;) {
		struct span in;
		struct deadline until =
			deadline_min(whole, deadline_in(io_now(io), s->config.data_timeout));
		if (client_some(&s->client, until, &in) != CLIENT_LINE)
			return false;
		if (take(s, &u, in, k) == PARSE_DONE)
			return true;
	}
}

/* Replies gathered, so that many leave together. */
struct replies {
	struct buf out;
	char storage[16 * REPORT_LMTP + 1];
};

static void add_reply(struct server *s, struct replies *r, const struct report *report,
		      struct esc code)
{
	char line[REPORT_LMTP + 1];
	report_lmtp(report, code, line);
	if (buf_room(&r->out) < strlen(line)) {
		client_say(&s->client, buf_view(&r->out));
		buf_reset(&r->out);
	}
	buf_add(&r->out, span_of(line));
}

static void refuse_all(struct server *s, const struct error *err)
{
	const struct report report = report_error(err);
	struct replies r;
	buf_init(&r.out, r.storage, sizeof(r.storage));
	for (size_t i = 0; i < s->t.nto; i++)
		add_reply(s, &r, &report, err->code);
	client_say(&s->client, buf_view(&r.out));
}

static void reply_to_all(struct server *s, const struct delivery_result *result)
{
	struct replies r;
	buf_init(&r.out, r.storage, sizeof(r.storage));
	for (size_t i = 0; i < s->t.nto; i++) {
		const struct outcome *o = &result[i].outcome;
		const struct report report = report_outcome(o, result[i].end);
		add_reply(s, &r, &report, o->code);
	}
	client_say(&s->client, buf_view(&r.out));
}

static void end_idle_sessions(struct server *s)
{
	int64_t ms = groups_idle(s->groups);
	s->idle = deadline_in(io_now(s->run->io), ms < 0 ? INT64_MAX : ms);
}

static void deliver(struct server *s, struct message *message, int64_t intake_ms)
{
	struct delivery_result *result = ARENA_NEW(s->mail, struct delivery_result, s->t.nto);
	const struct group_mail m = {
		.envelope = s->t.envelope,
		.to = s->to,
		.nto = s->t.nto,
		.message = message,
		.intake_ms = intake_ms,
	};
	struct error err;
	if (!result) {
		err_nomem(&err);
		refuse_all(s, &err);
		return;
	}
	groups_deliver(s->groups, s->mail, &m, result);
	reply_to_all(s, result);
	const struct caller host = client_caller(&s->client);
	groups_told(s->groups, host.present(host.self, CALLER_AT_REPORT, 0));
	end_idle_sessions(s);
}

static void data(struct server *s)
{
	const struct intake_limits limits = intake_limits_of(&s->config);
	struct instant start = io_now(s->run->io);
	struct message *message;
	struct intake *k;
	struct error err;
	if (s->t.nto == 0) {
		mistake(s, "503 5.5.1 there are no recipients");
		return;
	}
	if (!intake_begin(&limits, &k, &err)) {
		say(s, "451 4.3.0 out of memory");
		return;
	}
	say(s, "354 End data with <CR><LF>.<CR><LF>");
	if (!read_text(s, k)) {
		intake_cancel(k);
		s->over = true;
		return;
	}
	if (intake_end(k, &message, &err)) {
		deliver(s, message, io_now(s->run->io).ms - start.ms);
		message_close(message);
	} else {
		refuse_all(s, &err);
	}
	forget_mail(s);
}

/* ---- the conversation ---- */

static void obey(struct server *s, const struct lmtp_command *c)
{
	bool early = !s->greeted && (c->verb == LMTP_MAIL || c->verb == LMTP_RCPT ||
				     c->verb == LMTP_DATA || c->verb == LMTP_XFORWARD);
	if (early) {
		mistake(s, "503 5.5.1 say LHLO first");
		return;
	}
	switch (c->verb) {
	case LMTP_LHLO:
		lhlo(s);
		return;
	case LMTP_MAIL:
		mail(s, c);
		return;
	case LMTP_RCPT:
		rcpt(s, c);
		return;
	case LMTP_DATA:
		data(s);
		return;
	case LMTP_XFORWARD:
		if (c->ident)
			s->ident = c->ident;
		say(s, "250 2.0.0 Ok");
		return;
	case LMTP_RSET:
		forget_mail(s);
		say(s, "250 2.0.0 Ok");
		return;
	case LMTP_NOOP:
		say(s, "250 2.0.0 Ok");
		return;
	case LMTP_VRFY:
		say(s, "252 2.0.0 try to deliver to it");
		return;
	case LMTP_QUIT:
		say(s, "221 2.0.0 Bye");
		s->over = true;
		return;
	}
}

static void hear(struct server *s, struct span line)
{
	const struct lmtp_offer offer = { .dsn = s->config.lmtp_dsn, .requiretls = true };
	struct lmtp_command c;
	struct error err;
	int code;
	if (lmtp_parse(s->mail, line, &offer, &c, &code, &err))
		obey(s, &c);
	else
		say_error(s, code, &err);
}

/* While the client says nothing, idle sessions to servers are ended in time. */
static enum client_got next_line(struct server *s, struct span *ret)
{
	struct io *io = s->run->io;
	struct deadline until = deadline_in(io_now(io), s->config.command_timeout);
	for (;;) {
		enum client_got got = client_line(&s->client, deadline_min(until, s->idle), ret);
		if (got != CLIENT_TIMEOUT || deadline_left_ms(until, io_now(io)) == 0)
			return got;
		end_idle_sessions(s);
	}
}

static void converse(struct server *s)
{
	char greeting[NAME_MOST + 40];
	snprintf(greeting, sizeof(greeting), "220 %s LMTP mxdirect", s->name);
	say(s, greeting);
	end_idle_sessions(s);
	while (!s->over && !s->client.gone) {
		struct span line;
		switch (next_line(s, &line)) {
		case CLIENT_LINE:
			hear(s, line);
			break;
		case CLIENT_TOO_LONG:
			mistake(s, "500 5.5.2 the line is too long");
			break;
		case CLIENT_EOF:
			return;
		case CLIENT_TIMEOUT:
			say(s, "421 4.4.2 there was no command for too long");
			return;
		case CLIENT_STOPPED:
			say(s, "421 4.3.2 stopped");
			return;
		}
	}
}

/* ---- the beginning ---- */

static bool configure(struct server *s, struct error *err)
{
	const struct lmtpd_run *run = s->run;
	if (!options_parse(run->argc, run->argv, NULL, &s->options, err))
		return false;
	const struct settings_source from = options_source(&s->options, run->default_config);
	return settings_load(s->arena, &from, &s->settings, err) &&
	       settings_for(s->arena, s->settings, NULL, &s->config, err);
}

static bool prepare(struct server *s, struct error *err)
{
	const char *own = "";
	if (!configure(s, err))
		return false;
	if (s->config.helo_name[0])
		own = s->config.helo_name;
	else if (!own_name(s->arena, &own, err))
		return false;
	const struct groups_options o = {
		.settings = s->settings,
		.config = &s->config,
		.own_name = own,
		.sts_program = s->run->sts_program,
		.spf_program = s->run->spf_program,
		.tls_module = s->run->tls_module,
		.trace_file = s->options.trace_file,
		.verbose = s->options.verbose,
		.caller = client_caller(&s->client),
		.clock = s->run->io->clock,
		.stop_fd = s->run->io->stop_fd,
		.seed = s->run->seed,
	};
	s->groups = groups_open(&o);
	if (!s->groups)
		return err_nomem(err);
	if (own[0] && strlen(own) <= NAME_MOST)
		s->name = own;
	return true;
}

void lmtpd_serve(const struct lmtpd_run *run)
{
	struct server *s = calloc(1, sizeof(*s));
	if (!s)
		return;
	s->run = run;
	s->name = "localhost";
	s->options.queue_id = "";
	s->unfit.class = ERR_NONE;
	config_init(&s->config);
	client_init(&s->client, run->in, run->out, run->io);
	s->arena = arena_open(LIMIT_ARENA);
	s->mail = arena_open(LIMIT_ARENA);
	if (s->arena && s->mail) {
		struct error err;
		if (!prepare(s, &err))
			s->unfit = err;
		converse(s);
	}
	groups_close(s->groups);
	arena_close(s->mail);
	arena_close(s->arena);
	free(s);
}
