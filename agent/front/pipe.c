/* SPDX-License-Identifier: ISC */
#include <syslog.h>

#include "flow/delivery.h"
#include "flow/fitness.h"
#include "flow/intake.h"
#include "flow/memory.h"
#include "flow/notes.h"
#include "flow/settings.h"
#include "front/logger.h"
#include "front/mailbox.h"
#include "front/pipe.h"
#include "net/own.h"

/* What a run has come to know; filled from top to bottom. */
struct story {
	const struct pipe_run *run;
	struct arena *arena;
	struct instant start;
	struct options options;
	struct logger logger;
	struct journal journal;
	struct settings *settings;
	struct config config;
	struct deadline until;
	struct recipient rcpt;
	struct envelope envelope;
	struct message *message;
	struct rng rng;
	struct resolver *resolver;
	struct secure_module secure;
	struct services services;
	struct log_delays delays;
	struct delivery_result result;
	struct fitness_question about_us;
};

static int64_t elapsed(const struct story *s)
{
	return io_now(s->run->io).ms - s->start.ms;
}

static int64_t left(const struct story *s)
{
	return deadline_left_ms(s->until, io_now(s->run->io));
}

/* The settings for one domain; NULL: before any is known. They count from the start of the run. */
static bool configure(struct story *s, const char *domain, struct error *err)
{
	if (!settings_for(s->arena, s->settings, domain, &s->config, err))
		return false;
	s->until = deadline_in(s->start, s->config.deadline);
	return true;
}

static bool load_settings(struct story *s, struct error *err)
{
	const struct settings_source from = options_source(&s->options, s->run->default_config);
	return settings_load(s->arena, &from, &s->settings, err) && configure(s, NULL, err);
}

static bool read_sender(struct story *s, struct error *err)
{
	struct addr *ad = &s->envelope.sender;
	s->envelope.sender_text = s->options.sender;
	if (addr_parse(s->arena, span_of(s->options.sender), ad, err))
		return mailbox_sender(s->arena, ad, err);
	if (err->class == ERR_PERM)
		err->code = ESC(5, 1, 7);
	return err_wrap(err, "sender");
}

static bool read_recipient(struct story *s, struct error *err)
{
	struct addr *ad = &s->rcpt.addr;
	if (!addr_parse(s->arena, span_of(s->options.recipient), ad, err))
		return err_wrap(err, "recipient");
	if (!mailbox_recipient(s->arena, ad, &s->envelope.domain, err))
		return false;
	s->rcpt.text = s->options.recipient;
	s->envelope.rcpt = &s->rcpt;
	s->envelope.nrcpt = 1;
	s->envelope.queue_id = s->options.queue_id;
	return true;
}

static bool read_message(struct story *s, struct error *err)
{
	struct intake_limits limits = intake_limits_of(&s->config);
	limits.until = s->until;
	/* Not sooner: only now the limit is known, and until now the guard's own is enough. */
	host_limit(s->run->host, left(s));
	if (!intake_read(s->run->message_fd, s->run->io, &limits, &s->message, err))
		return false;
	s->delays.intake = elapsed(s);
	/* A host that dies while it writes leaves a message that ends too early and looks whole. */
	const struct caller caller = host_caller(s->run->host);
	if (!caller.present(caller.self, CALLER_AT_EOF, left(s)))
		return err_set(err, ERR_TEMP, ESC(4, 3, 0),
			       "the program that started this run has gone away");
	return true;
}

static bool open_resolver(struct story *s, struct error *err)
{
	rng_seed(&s->rng, s->run->seed);
	return lookup_resolver(&s->config, s->run->io, &s->rng, &s->resolver, err);
}

static bool deliver(struct story *s, struct error *err)
{
	struct services *sv = &s->services;
	s->secure = (struct secure_module){ .path = s->run->tls_module };
	*sv = (struct services){
		.io = s->run->io,
		.resolver = s->resolver,
		.rng = &s->rng,
		.config = &s->config,
		.settings = s->settings,
		.own_name = s->config.helo_name,
		.sts_program = s->run->sts_program,
		.spf_program = s->run->spf_program,
		.secure = &s->secure,
		.caller = host_caller(s->run->host),
		.journal = s->journal,
	};
	if (!sv->own_name[0] && !own_name(s->arena, &sv->own_name, err))
		return false;
	sv->memory = memory_open(sv);
	const struct delivery_request request = {
		.envelope = &s->envelope,
		.message = s->message,
		.until = s->until,
		.about_us = &s->about_us,
	};
	return delivery_run(s->arena, sv, &request, &s->result, &s->delays, err);
}

/* Asked before the answer is given: after it the guard listens no more. */
static enum memory_heard is_heard(struct story *s)
{
	const struct caller *c = &s->services.caller;
	if (!memory_awaits_report(s->services.memory))
		return HEARD_NO;
	return c->present(c->self, CALLER_AT_REPORT, left(s)) ? HEARD_YES : HEARD_NO;
}

static void log_end(struct story *s, const struct delivery_result *result)
{
	s->delays.total = elapsed(s);
	const struct log_recipient r = {
		.queue_id = s->options.queue_id,
		.sender = s->options.sender,
		.to = s->options.recipient,
		.outcome = &result->outcome,
		.end = result->end,
		.size = s->message ? message_facts(s->message)->size : 0,
		.delays = s->delays,
	};
	notes_recipient(&s->journal, s->config.log_format, &r);
}

/* Is it us that the server did not like? */
static void look_at_ourselves(struct story *s)
{
	if (s->about_us.relay)
		fitness_tell(s->arena, &s->services, &s->about_us,
			     deadline_in(io_now(s->run->io), FITNESS_MS));
}

static void tell(struct story *s)
{
	struct error err = { .class = ERR_NONE };
	logger_init(_PATH_LOG, &s->logger);
	bool ok = logger_trace(&s->logger, s->options.trace_file, s->options.verbose, &err);
	s->journal = logger_journal(&s->logger);
	ok = ok && load_settings(s, &err) && read_sender(s, &err) && read_recipient(s, &err) &&
	     configure(s, s->envelope.domain, &err) && read_message(s, &err) &&
	     open_resolver(s, &err) && deliver(s, &err);
	const struct delivery_result result = ok ? s->result : delivery_trouble(&err, err.text);
	const struct report report =
		ok ? report_outcome(&result.outcome, result.end) : report_error(&err);
	enum memory_heard heard = is_heard(s);
	/* First: what comes now can neither delay nor change it. */
	host_report(s->run->host, &report);
	log_end(s, &result);
	look_at_ourselves(s);
	memory_finish(s->services.memory, heard);
	memory_close(s->services.memory);
	resolver_close(s->resolver);
	message_close(s->message);
	logger_close(&s->logger);
}

static void refuse(struct story *s, const struct error *err)
{
	const struct report report = report_error(err);
	host_report(s->run->host, &report);
}

void pipe_deliver(const struct pipe_run *run)
{
	struct error err = { .class = ERR_NONE };
	struct story s = { .run = run, .start = io_now(run->io) };
	config_init(&s.config);
	s.arena = arena_open(LIMIT_ARENA);
	bool ok = s.arena || err_nomem(&err);
	ok = ok && options_parse(run->argc, run->argv, run->environment_sender, &s.options, &err);
	if (ok && s.options.lmtp)
		ok = err_set(&err, ERR_CONFIG, ESC(4, 3, 5), "--lmtp must be the first argument");
	if (ok)
		tell(&s);
	else
		refuse(&s, &err);
	arena_close(s.arena);
}
