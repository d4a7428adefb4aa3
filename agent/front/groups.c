/* SPDX-License-Identifier: ISC */
#include "front/groups.h"

#include <pthread.h>
#include <syslog.h>

#include "flow/fitness.h"
#include "flow/memory.h"
#include "flow/notes.h"
#include "flow/sessions.h"
#include "front/logger.h"

#define ANSWERS_MS 2000 /* whatever their TTL: a resolver on this machine keeps them longer */

struct group {
	const char *domain;
	size_t *index; /* of its recipients in the mail */
	size_t n;
	bool assigned;
	struct group *next; /* of those that wait */
};

struct worker {
	struct groups *all;
	const struct groups_options *options;
	bool open;
	struct io io;
	struct rng rng;
	struct logger logger;
	struct arena *arena;
	struct instant arena_since;
	struct arena_mark before; /* the mail */
	size_t stored;            /* by the resolver, at that time */
	struct config config;
	struct secure_module secure;
	struct services services;
	char domain[LIMIT_DOMAIN + 1]; /* of its last delivery */
	/* for one mail */
	struct group *first; /* NULL: it is not needed */
	const struct group_mail *mail;
	struct delivery_result *result;
	struct fitness_question about_us;
	struct instant looked; /* at ourselves; 0: never */
	pthread_t thread;
	bool started;
};

struct groups {
	struct groups_options options;
	struct worker worker[GROUPS_AT_ONCE];
	struct instant begun; /* the mail */
	pthread_mutex_t lock;
	struct group *waiting, *last; /* under the lock: for whoever is free first */
};

struct groups *groups_open(const struct groups_options *o)
{
	struct groups *g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->options = *o;
	pthread_mutex_init(&g->lock, NULL);
	for (size_t i = 0; i < GROUPS_AT_ONCE; i++) {
		g->worker[i].all = g;
		g->worker[i].options = &g->options;
	}
	return g;
}

static void close_worker(struct worker *w)
{
	if (!w->open)
		return;
	sessions_close(w->services.sessions);
	memory_close(w->services.memory);
	resolver_close(w->services.resolver);
	logger_close(&w->logger);
	arena_close(w->arena);
	w->open = false;
}

void groups_close(struct groups *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < GROUPS_AT_ONCE; i++)
		close_worker(&g->worker[i]);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

/* Each has a sequence of its own. */
static void seed(struct worker *w, size_t number)
{
	uint8_t bytes[16];
	memcpy(bytes, w->options->seed, sizeof(bytes));
	bytes[0] ^= (uint8_t)number;
	rng_seed(&w->rng, bytes);
}

static bool open_worker(struct worker *w, size_t number, struct error *err)
{
	const struct groups_options *o = w->options;
	w->io = (struct io){ .clock = o->clock, .stop_fd = o->stop_fd };
	w->secure = (struct secure_module){ .path = o->tls_module };
	seed(w, number);
	logger_init(_PATH_LOG, &w->logger);
	w->services = (struct services){
		.io = &w->io,
		.rng = &w->rng,
		.config = &w->config,
		.settings = o->settings,
		.sts_program = o->sts_program,
		.spf_program = o->spf_program,
		.secure = &w->secure,
		.caller = o->caller,
	};
	w->config = *o->config;
	w->open = true; /* close_worker() may be called from here on */
	w->arena = arena_open(LIMIT_ARENA);
	w->arena_since = io_now(&w->io);
	w->services.sessions = sessions_open(&w->io);
	bool ok = (w->arena && w->services.sessions) || err_nomem(err);
	ok = ok && logger_trace(&w->logger, o->trace_file, o->verbose, err) &&
	     lookup_resolver(o->config, &w->io, &w->rng, &w->services.resolver, err);
	w->services.journal = logger_journal(&w->logger);
	if (!ok)
		close_worker(w);
	return ok;
}

/* ---- one delivery ---- */

/* `a`: NULL if there is no memory at all. */
static void fail_all(struct delivery_result *result, struct arena *a, const struct group *g,
		     const struct error *err)
{
	const char *text = a ? arena_str(a, span_of(err->text)) : NULL;
	for (size_t i = 0; i < g->n; i++)
		result[g->index[i]] = delivery_trouble(err, text ? text : "out of memory");
}

/* What the limits of the domain say: those of the global part were seen to while reading. */
static bool fits(const struct worker *w, struct error *err)
{
	const struct intake_limits limits = intake_limits_of(&w->config);
	return message_fits(w->mail->message, &limits, err);
}

/* RFC 3461 section 5.2.2 would have us write to the sender, but we send no mail of our own. */
static void log_silence(struct worker *w, const struct recipient *rcpt, const struct outcome *o)
{
	char line[LIMIT_LOG_LINE];
	const char *notify = rcpt->notify ? rcpt->notify : "";
	if (o->event != EVENT_ACCEPTED || o->dsn || !strcasestr(notify, "SUCCESS"))
		return;
	snprintf(
		line, sizeof(line),
		"%.100s: to=<%.330s>: the sender asked to be told of success, but %s offers no DSN",
		w->mail->envelope.queue_id, rcpt->text, o->relay);
	w->services.journal.log(w->services.journal.self, line);
}

static void log_group(struct worker *w, const struct group *g, struct log_delays *delays,
		      struct instant start)
{
	delays->intake = w->mail->intake_ms;
	delays->total = delays->intake + io_now(&w->io).ms - start.ms;
	for (size_t i = 0; i < g->n; i++) {
		const struct delivery_result *result = &w->result[g->index[i]];
		const struct log_recipient r = {
			.queue_id = w->mail->envelope.queue_id,
			.sender = w->mail->envelope.sender_text,
			.to = w->mail->to[g->index[i]].rcpt.text,
			.outcome = &result->outcome,
			.end = result->end,
			.size = message_facts(w->mail->message)->size,
			.delays = *delays,
		};
		notes_recipient(&w->services.journal, w->config.log_format, &r);
		log_silence(w, &w->mail->to[g->index[i]].rcpt, &result->outcome);
	}
}

/* False: no result is filled yet. */
static bool run_delivery(struct worker *w, const struct group *g, struct message *message,
			 struct log_delays *delays, struct error *err)
{
	struct recipient *rcpt = ARENA_NEW(w->arena, struct recipient, g->n);
	struct delivery_result *result = ARENA_NEW(w->arena, struct delivery_result, g->n);
	struct envelope *e =
		ARENA_NEW(w->arena, struct envelope, 1); /* the memory's notes point there */
	if (!rcpt || !result || !e)
		return err_nomem(err);
	for (size_t i = 0; i < g->n; i++)
		rcpt[i] = w->mail->to[g->index[i]].rcpt;
	*e = w->mail->envelope;
	e->rcpt = rcpt;
	e->nrcpt = g->n;
	e->domain = g->domain;
	const struct delivery_request rq = {
		.envelope = e,
		.message = message,
		.until = deadline_in(w->all->begun, w->config.deadline), /* the host waits */
		.about_us = &w->about_us,
	};
	bool ok = delivery_run(w->arena, &w->services, &rq, result, delays, err);
	if (!ok)
		fail_all(w->result, w->arena, g, err);
	for (size_t i = 0; i < g->n; i++)
		if (ok || result[i].end != END_DEFERRED) /* what was sent is told in any case */
			w->result[g->index[i]] = result[i];
	return true;
}

static void deliver_group(struct worker *w, const struct group *g)
{
	struct log_delays delays = { 0 };
	struct instant start = io_now(&w->io);
	struct message *message = NULL;
	struct error err;
	bool ok = settings_for(w->arena, w->options->settings, g->domain, &w->config, &err);
	if (ok) {
		w->services.own_name =
			w->config.helo_name[0] ? w->config.helo_name : w->options->own_name;
		if (memory_lost(w->services.memory)) {
			memory_close(w->services.memory);
			w->services.memory = NULL;
		}
		if (!w->services.memory)
			w->services.memory = memory_open(&w->services);
	}
	ok = ok && fits(w, &err) && message_share(w->mail->message, &message, &err) &&
	     run_delivery(w, g, message, &delays, &err);
	if (!ok)
		fail_all(w->result, w->arena, g, &err);
	message_close(message);
	snprintf(w->domain, sizeof(w->domain), "%s", g->domain);
	log_group(w, g, &delays, start);
}

static void wait_in_line(struct groups *gs, struct group *g)
{
	if (gs->waiting)
		gs->last->next = g;
	else
		gs->waiting = g;
	gs->last = g;
}

static struct group *next_in_line(struct groups *gs)
{
	pthread_mutex_lock(&gs->lock);
	struct group *g = gs->waiting;
	if (g)
		gs->waiting = g->next;
	pthread_mutex_unlock(&gs->lock);
	return g;
}

static void *work(void *self)
{
	struct worker *w = self;
	for (const struct group *g = w->first; g; g = next_in_line(w->all)) {
		if (g != w->first) /* the notes are of one domain */
			memory_finish(w->services.memory, HEARD_LATER);
		deliver_group(w, g);
	}
	return NULL;
}

/* ---- who delivers what ---- */

static bool same_domain(const char *a, const char *b)
{
	return span_equal_nocase(span_of(a), span_of(b));
}

static void add_group(struct group *groups, size_t *n, const char *domain)
{
	for (size_t i = 0; i < *n; i++)
		if (same_domain(groups[i].domain, domain))
			return;
	groups[(*n)++] = (struct group){ .domain = domain };
}

/* Groups in the order of their first recipients; NULL: no memory. Each gets its part of one array
 * of indices. */
static struct group *split(struct arena *a, const struct group_mail *mail, size_t *ret_n)
{
	struct group *groups = ARENA_NEW(a, struct group, mail->nto);
	size_t *index = ARENA_NEW(a, size_t, mail->nto), n = 0, at = 0;
	if (!groups || !index)
		return NULL;
	for (size_t i = 0; i < mail->nto; i++)
		add_group(groups, &n, mail->to[i].domain);
	for (size_t g = 0; g < n; g++) {
		groups[g].index = index + at;
		for (size_t i = 0; i < mail->nto; i++)
			if (same_domain(groups[g].domain, mail->to[i].domain))
				index[at++] = i;
		groups[g].n = (size_t)(index + at - groups[g].index);
	}
	*ret_n = n;
	return groups;
}

static void assign(struct worker *w, struct group *g)
{
	g->assigned = true;
	w->first = g;
}

static void assign_known(struct groups *gs, struct group *g)
{
	for (size_t i = 0; i < GROUPS_AT_ONCE && !g->assigned; i++) {
		struct worker *w = &gs->worker[i];
		if (!w->first && w->open &&
		    span_equal_nocase(span_of(w->domain), span_of(g->domain)))
			assign(w, g);
	}
}

static void assign_free(struct groups *gs, struct group *g)
{
	for (size_t i = 0; i < GROUPS_AT_ONCE && !g->assigned; i++)
		if (!gs->worker[i].first)
			assign(&gs->worker[i], g);
}

/* Who has open sessions to the domain, then whoever is free, now or later. */
static void assign_all(struct groups *gs, struct group *groups, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assign_known(gs, &groups[i]);
	for (size_t i = 0; i < n; i++) {
		assign_free(gs, &groups[i]);
		if (!groups[i].assigned)
			wait_in_line(gs, &groups[i]);
	}
}

/* A group whose worker cannot be opened is left to the others. False, and *err: there was one. */
static bool open_all(struct groups *gs, struct error *err)
{
	bool all = true;
	for (size_t i = 0; i < GROUPS_AT_ONCE; i++) {
		struct worker *w = &gs->worker[i];
		if (!w->first || w->open || open_worker(w, i, err))
			continue;
		wait_in_line(gs, w->first);
		w->first = NULL;
		all = false;
	}
	return all;
}

/* DNS answers are in the arena: for a moment they serve the next messages as well. */
static void forget_answers(struct worker *w)
{
	struct instant now = io_now(&w->io);
	if (now.ms - w->arena_since.ms < ANSWERS_MS && arena_given(w->arena) < LIMIT_ARENA / 4)
		return;
	resolver_forget(w->services.resolver);
	arena_reset(w->arena);
	w->arena_since = now;
}

static void begin_mail(struct worker *w)
{
	forget_answers(w); /* the client may have been idle for long */
	w->before = arena_mark(w->arena);
	w->stored = resolver_stored(w->services.resolver);
}

/* What one mail needed is cleared away, unless there is new DNS in between. */
static void end_mail(struct worker *w)
{
	if (resolver_stored(w->services.resolver) == w->stored)
		arena_rewind(w->arena, w->before);
	w->first = NULL;
}

static void start(struct groups *gs, const struct group_mail *mail, struct delivery_result *result)
{
	struct worker *here = NULL; /* the first one needs no thread */
	for (size_t i = 0; i < GROUPS_AT_ONCE; i++) {
		struct worker *w = &gs->worker[i];
		w->mail = mail;
		w->result = result;
		if (w->first)
			begin_mail(w);
		if (w->first && here)
			w->started = pthread_create(&w->thread, NULL, work, w) == 0;
		else if (w->first)
			here = w;
	}
	if (here)
		work(here);
}

/* Those for whom there was no thread are done one after the other. */
static void finish(struct groups *gs)
{
	bool first = true;
	for (size_t i = 0; i < GROUPS_AT_ONCE; i++) {
		struct worker *w = &gs->worker[i];
		if (w->started)
			pthread_join(w->thread, NULL);
		else if (w->first && !first)
			work(w);
		first = first && !w->first;
		w->started = false;
	}
}

/* Without any worker: nobody has a log either. */
static void fail_waiting(struct groups *gs, struct arena *a, struct delivery_result *result,
			 const struct error *err)
{
	for (const struct group *g; (g = next_in_line(gs));)
		fail_all(result, a, g, err);
}

void groups_deliver(struct groups *gs, struct arena *a, const struct group_mail *mail,
		    struct delivery_result *result)
{
	size_t n = 0;
	struct error err;
	struct group *groups = split(a, mail, &n);
	for (size_t i = 0; i < GROUPS_AT_ONCE; i++)
		gs->worker[i].first = NULL;
	gs->waiting = NULL;
	gs->begun = clock_now(&gs->options.clock);
	if (!groups) {
		err_nomem(&err);
		for (size_t i = 0; i < mail->nto; i++)
			result[i] = delivery_trouble(&err, "out of memory");
		return;
	}
	assign_all(gs, groups, n);
	bool all = open_all(gs, &err);
	start(gs, mail, result);
	finish(gs);
	if (!all)
		fail_waiting(gs, a, result, &err);
}

/* Is it us that a server did not like? */
static void look_at_ourselves(struct worker *w)
{
	struct deadline again = deadline_in(w->looked, FITNESS_PAUSE * 1000);
	bool pause = w->looked.ms > 0 && deadline_left_ms(again, io_now(&w->io)) > 0;
	if (w->about_us.relay && !pause) {
		w->looked = io_now(&w->io);
		fitness_tell(w->arena, &w->services, &w->about_us,
			     deadline_in(io_now(&w->io), FITNESS_MS));
	}
	w->about_us.relay = NULL;
}

void groups_told(struct groups *gs, bool heard)
{
	for (size_t i = 0; i < GROUPS_AT_ONCE; i++) {
		struct worker *w = &gs->worker[i];
		if (!w->open || !w->first)
			continue;
		if (heard)
			memory_finish_soon(w->services.memory);
		else
			memory_finish(w->services.memory, HEARD_NO);
		look_at_ourselves(w);
		end_mail(w);
	}
}

/* `ms` below 0 is never. */
static int64_t sooner(int64_t soonest, int64_t ms)
{
	return ms >= 0 && (soonest < 0 || ms < soonest) ? ms : soonest;
}

int64_t groups_idle(struct groups *gs)
{
	int64_t soonest = -1;
	for (size_t i = 0; gs && i < GROUPS_AT_ONCE; i++) {
		if (!gs->worker[i].open)
			continue;
		const struct services *sv = &gs->worker[i].services;
		soonest = sooner(soonest, sessions_expire(sv->sessions));
		soonest = sooner(soonest, memory_idle(sv->memory));
	}
	return soonest;
}
