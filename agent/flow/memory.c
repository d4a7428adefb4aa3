/* SPDX-License-Identifier: ISC */
#include "flow/memory_state.h"

#define PATIENCE_MS 200
#define CHORES_MS   1000 /* so long may be put off what only says that something is over */
#define CHORES_MOST 200

int64_t memory_now(const struct memory *m)
{
	return clock_wall(&m->sv->io->clock);
}

static void log_trouble(const struct services *sv, const struct error *err)
{
	char line[LIMIT_ERR_TEXT + 64];
	snprintf(line, sizeof(line), "going on without memory: %s", err->text);
	sv->journal.log(sv->journal.self, line);
}

bool memory_trouble(struct memory *m, const struct error *err)
{
	log_trouble(m->sv, err);
	store_close(m->store);
	m->store = NULL;
	return false;
}

struct memory *memory_open(const struct services *sv)
{
	const struct store_options o = {
		.dir = sv->config->state_directory,
		.max_bytes = MEMORY_FILE,
		.patience_ms = PATIENCE_MS,
	};
	struct error err;
	if (!o.dir[0])
		return NULL;
	struct memory *m = calloc(1, sizeof(*m));
	if (!m) {
		err_nomem(&err);
		log_trouble(sv, &err);
		return NULL;
	}
	m->sv = sv;
	memory_speak_from(m, sv->config);
	if (!store_open(&o, &m->store, &err)) {
		log_trouble(sv, &err);
		free(m);
		return NULL;
	}
	return m;
}

struct memory *memory_open_to_look(const struct services *sv)
{
	struct memory *m = memory_open(sv);
	if (m)
		m->looks = true;
	return m;
}

bool memory_lost(const struct memory *m)
{
	return m && !m->store;
}

bool memory_get(struct memory *m, const struct buf *key, struct span *ret, struct error *err)
{
	struct buf value;
	buf_init(&value, m->value, sizeof(m->value));
	if (!store_get(m->store, buf_view(key), memory_now(m), &value, err))
		return false;
	*ret = buf_view(&value);
	return true;
}

bool memory_put(struct memory *m, const struct buf *key, const struct buf *value, int64_t keep,
		struct error *err)
{
	if (value->overflow)
		return true;
	return store_put(m->store, buf_view(key), buf_view(value), memory_now(m) + keep, err);
}

/* What is accepted under m->key was reported. */
static bool mark_reported(struct memory *m, const struct buf *key, struct error *err)
{
	struct record_delivered r;
	struct buf value;
	struct span in;
	if (!memory_get(m, key, &in, err))
		return false;
	if (in.n == 0 || !record_delivered_read(in, &r))
		return true;
	char room[LIMIT_LOG_LINE * 4];
	r.reported = true;
	buf_init(&value, room, sizeof(room)); /* the record's texts lie in m->value */
	record_delivered_write(&r, &value);
	return memory_put(m, key, &value, MEMORY_REPORTED, err);
}

static bool do_chores(struct memory *m, struct error *err)
{
	for (size_t i = 0; i < m->nchore; i++) {
		const struct chore *c = &m->chore[i];
		struct buf key;
		buf_init(&key, m->key, sizeof(m->key));
		buf_add(&key, (struct span){ c->key, c->n });
		if (!(c->reported ? mark_reported(m, &key, err)
				  : store_delete(m->store, buf_view(&key), err)))
			return false;
	}
	m->nchore = 0;
	return true;
}

static void do_chores_alone(struct memory *m)
{
	struct error err;
	if (m->store && m->nchore > 0 &&
	    (!store_begin(m->store, STORE_WRITE, &err) || !do_chores(m, &err) ||
	     !store_commit(m->store, memory_now(m), false, &err)))
		memory_trouble(m, &err);
}

void memory_close(struct memory *m)
{
	if (!m)
		return;
	do_chores_alone(m);
	store_close(m->store);
	free(m->chore);
	free(m->end);
	free(m->accepted);
	free(m);
}

void memory_hold(struct memory *m, bool writing)
{
	struct error err;
	if (!m || !m->store)
		return;
	m->held = store_begin(m->store, writing ? STORE_WRITE : STORE_READ, &err) &&
		  (!writing || do_chores(m, &err));
	m->writing = writing;
	if (!m->held)
		memory_trouble(m, &err);
}

void memory_release(struct memory *m)
{
	struct error err;
	if (!m || !m->held)
		return;
	m->held = false;
	if (m->store && !m->writing)
		store_abort(m->store);
	else if (m->store && !store_commit(m->store, memory_now(m), false, &err))
		memory_trouble(m, &err);
}

bool memory_look_up(struct memory *m, const struct buf *key, struct span *ret)
{
	struct error err;
	if (!m || !m->store)
		return false;
	bool alone = !m->held;
	if ((alone && !store_begin(m->store, STORE_READ, &err)) || !memory_get(m, key, ret, &err))
		return memory_trouble(m, &err);
	if (alone)
		store_abort(m->store);
	return ret->n > 0;
}

void memory_keep(struct memory *m, const struct buf *key, const struct buf *value, int64_t keep)
{
	struct error err;
	bool alone = !m->held;
	if ((alone && !store_begin(m->store, STORE_WRITE, &err)) ||
	    !memory_put(m, key, value, keep, &err) ||
	    (alone && !store_commit(m->store, memory_now(m), false, &err)))
		memory_trouble(m, &err);
}

/* ---- messages ---- */

static struct record_message message_of(const struct envelope *e, size_t rcpt,
					const struct facts *facts)
{
	return (struct record_message){
		.queue_id = e->queue_id,
		.sender = e->sender_text,
		.rcpt = e->rcpt[rcpt].text,
		.size = facts->size,
		.digest = facts->digest,
	};
}

static struct security *security_of(struct arena *a, const struct record_delivered *r)
{
	struct security *s = r->level.n ? ARENA_NEW(a, struct security, 1) : NULL;
	if (!s)
		return NULL;
	s->level = arena_str(a, r->level);
	s->because = arena_str(a, r->because);
	s->protocol = arena_str(a, r->protocol);
	s->cipher = arena_str(a, r->cipher);
	return s->level && s->because && s->protocol && s->cipher ? s : NULL;
}

bool memory_delivered(struct memory *m, struct arena *a, const struct envelope *e, size_t rcpt,
		      const struct facts *facts, struct outcome *ret)
{
	struct record_message msg = message_of(e, rcpt, facts);
	struct record_delivered r;
	struct buf key;
	struct span in;
	if (!m || !e->queue_id[0])
		return false;
	buf_init(&key, m->key, sizeof(m->key));
	record_delivered_key(&msg, &key);
	if (!memory_look_up(m, &key, &in) || !record_delivered_read(in, &r))
		return false;
	struct outcome o = {
		.event = EVENT_ACCEPTED,
		.cause = CAUSE_SERVER,
		.code = r.code,
		.relay = arena_str(a, r.relay),
		.text = arena_str(a, r.text),
		.security = security_of(a, &r),
	};
	if (!o.relay || !o.text)
		return false;
	*ret = o;
	return true;
}

static void write_delivered(struct memory *m, const struct record_message *msg,
			    const struct outcome *o, struct buf *out)
{
	const struct security *s = o->security;
	const struct record_delivered r = {
		.queue_id = span_of(msg->queue_id),
		.sender = span_of(msg->sender),
		.rcpt = span_of(msg->rcpt),
		.when = memory_now(m),
		.code = o->code,
		.relay = span_of(o->relay),
		.text = span_of(o->text),
		.level = span_of(s ? s->level : NULL),
		.because = span_of(s ? s->because : NULL),
		.protocol = span_of(s ? s->protocol : NULL),
		.cipher = span_of(s ? s->cipher : NULL),
	};
	record_delivered_write(&r, out);
}

/* The array with room for one more than its `n` things; NULL: it stays as it was. */
static void *grown(void *array, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return array;
	size_t more = *room ? *room * 2 : 8;
	void *p = realloc(array, more * size);
	if (p)
		*room = more;
	return p;
}

void memory_accepted(struct memory *m, const struct envelope *e, size_t rcpt,
		     const struct facts *facts, const struct outcome *o)
{
	struct buf key, value;
	if (!m || !m->store || !e->queue_id[0])
		return;
	void *p = grown(m->accepted, m->naccepted, &m->accepted_room, sizeof(*m->accepted));
	if (!p)
		return;
	m->accepted = p;
	struct record_message *msg = &m->accepted[m->naccepted++];
	*msg = message_of(e, rcpt, facts);
	buf_init(&key, m->key, sizeof(m->key));
	buf_init(&value, m->value, sizeof(m->value));
	record_delivered_key(msg, &key);
	write_delivered(m, msg, o, &value);
	memory_keep(m, &key, &value, MEMORY_KEEP);
}

bool memory_tried(struct memory *m, const struct envelope *e, size_t rcpt)
{
	struct buf key;
	struct span in;
	if (!m || !e->queue_id[0])
		return false;
	buf_init(&key, m->key, sizeof(m->key));
	record_attempt_key(e->queue_id, e->rcpt[rcpt].text, &key);
	return memory_look_up(m, &key, &in);
}

/* ---- the notes ---- */

void memory_note_answer(struct memory *m, const char *relay, const struct outcome *o)
{
	if (!m)
		return;
	if (m->nanswer == RECORD_HOSTS) { /* the later ones tell more */
		memmove(m->answer, m->answer + 1, (RECORD_HOSTS - 1) * sizeof(m->answer[0]));
		m->nanswer--;
	}
	m->answer[m->nanswer++] = (struct record_answer){
		.relay = span_of(relay),
		.event = span_of(failover_event_name(o->event)),
		.text = span_of(o->text),
		.code = o->code,
	};
}

void memory_note_end(struct memory *m, const struct envelope *e, size_t rcpt,
		     const struct outcome *o, enum failover_end end)
{
	if (!m || !e->queue_id[0])
		return;
	void *p = grown(m->end, m->nend, &m->end_room, sizeof(*m->end));
	if (!p)
		return;
	m->end = p;
	m->end[m->nend++] = (struct end_note){
		.envelope = e,
		.rcpt = rcpt,
		.outcome = *o,
		.end = end,
	};
}

static bool write_attempt(struct memory *m, const struct end_note *n, struct error *err)
{
	const struct envelope *e = n->envelope;
	const char *rcpt = e->rcpt[n->rcpt].text;
	int64_t now = memory_now(m);
	struct record_attempt r = { .first = now };
	struct buf key, value;
	struct span in;

	buf_init(&key, m->key, sizeof(m->key));
	record_attempt_key(e->queue_id, rcpt, &key);
	if (n->end == END_DELIVERED || n->end == END_FAILED) /* the host's queue loses it as well */
		return store_delete(m->store, buf_view(&key), err);
	if (!memory_get(m, &key, &in, err))
		return false;
	if (in.n > 0 && !record_attempt_read(in, &r))
		r = (struct record_attempt){ .first = now };
	r.queue_id = span_of(e->queue_id);
	r.sender = span_of(e->sender_text);
	r.rcpt = span_of(rcpt);
	r.domain = span_of(e->domain);
	r.last = now;
	r.count++;
	r.permanent = false;
	r.code = n->outcome.code;
	r.text = span_of(n->outcome.text);
	r.nanswer = m->nanswer;
	memcpy(r.answer, m->answer, sizeof(r.answer));
	buf_init(&value, m->value, sizeof(m->value));
	record_attempt_write(&r, &value);
	return memory_put(m, &key, &value, MEMORY_KEEP, err);
}

static bool write_heard(struct memory *m, const struct record_message *msg, struct error *err)
{
	struct buf key;
	buf_init(&key, m->key, sizeof(m->key));
	record_delivered_key(msg, &key);
	return mark_reported(m, &key, err);
}

static bool write_notes(struct memory *m, enum memory_heard heard, struct error *err)
{
	if (!do_chores(m, err) || !memory_write_hosts(m, err) || !memory_write_domain(m, err))
		return false;
	for (size_t i = 0; i < m->nend; i++)
		if (!write_attempt(m, &m->end[i], err))
			return false;
	for (size_t i = 0; heard == HEARD_YES && i < m->naccepted; i++)
		if (!write_heard(m, &m->accepted[i], err))
			return false;
	return true;
}

bool memory_awaits_report(const struct memory *m)
{
	return m && m->naccepted > 0;
}

static void forget_notes(struct memory *m)
{
	m->nhost = m->nend = m->nanswer = 0;
	m->domain = NULL;
}

void memory_finish(struct memory *m, enum memory_heard heard)
{
	struct error err;
	if (!m)
		return;
	bool told = m->naccepted > 0 && heard != HEARD_LATER;
	bool any = m->nhost > 0 || m->nend > 0 || m->domain || told;
	bool sync = told && heard == HEARD_NO;
	if (m->store && any &&
	    (!store_begin(m->store, STORE_WRITE, &err) || !write_notes(m, heard, &err) ||
	     !store_commit(m->store, memory_now(m), sync, &err)))
		memory_trouble(m, &err);
	forget_notes(m);
	if (told)
		m->naccepted = 0;
}

static bool put_off(struct memory *m, bool reported, const struct buf *key)
{
	if (key->overflow || key->len > STORE_KEY)
		return false;
	void *p = grown(m->chore, m->nchore, &m->chore_room, sizeof(*m->chore));
	if (!p)
		return false;
	m->chore = p;
	struct chore *c = &m->chore[m->nchore];
	if (m->nchore++ == 0)
		m->chores_due = deadline_in(io_now(m->sv->io), CHORES_MS);
	c->reported = reported;
	c->n = key->len;
	memcpy(c->key, key->p, key->len);
	return true;
}

/* Is there nothing in the notes but ends, and room for them? */
static bool can_wait(const struct memory *m)
{
	bool ends = m->store && m->nhost == 0 && (!m->domain || m->run == RUN_ANSWERED);
	for (size_t i = 0; i < m->nend; i++)
		ends = ends && (m->end[i].end == END_DELIVERED || m->end[i].end == END_FAILED);
	return ends && m->nchore + m->naccepted + m->nend < CHORES_MOST;
}

static bool put_off_all(struct memory *m)
{
	struct buf key;
	buf_init(&key, m->key, sizeof(m->key));
	if (m->domain) {
		record_domain_key(m->domain, &key);
		if (!put_off(m, false, &key))
			return false;
	}
	for (size_t i = 0; i < m->nend; i++) {
		const struct envelope *e = m->end[i].envelope;
		buf_reset(&key);
		record_attempt_key(e->queue_id, e->rcpt[m->end[i].rcpt].text, &key);
		if (!put_off(m, false, &key))
			return false;
	}
	for (size_t i = 0; i < m->naccepted; i++) {
		buf_reset(&key);
		record_delivered_key(&m->accepted[i], &key);
		if (!put_off(m, true, &key))
			return false;
	}
	return true;
}

void memory_finish_soon(struct memory *m)
{
	if (!m)
		return;
	if (!can_wait(m) || !put_off_all(m)) {
		memory_finish(m, HEARD_YES); /* what was put off is done twice then */
		return;
	}
	forget_notes(m);
	m->naccepted = 0;
}

int64_t memory_idle(struct memory *m)
{
	if (!m || !m->store || m->nchore == 0)
		return -1;
	int64_t left = deadline_left_ms(m->chores_due, io_now(m->sv->io));
	if (left > 0)
		return left;
	do_chores_alone(m);
	return -1;
}

/* ---- MTA-STS policies ---- */

bool memory_policy(struct memory *m, struct arena *a, const char *domain, struct record_policy *ret)
{
	struct record_policy r;
	struct buf key;
	struct span in;
	if (!m)
		return false;
	buf_init(&key, m->key, sizeof(m->key));
	record_policy_key(domain, &key);
	if (!memory_look_up(m, &key, &in))
		return false;
	const char *copy = arena_str(a, in);
	if (!copy || !record_policy_read((struct span){ copy, in.n }, &r))
		return false;
	*ret = r;
	return true;
}

void memory_keep_policy(struct memory *m, const struct record_policy *r)
{
	const char *domain = r->domain.p;
	int64_t keep = (int64_t)r->max_age > MEMORY_KEEP ? (int64_t)r->max_age : MEMORY_KEEP;
	struct buf key, value;
	if (!m || !m->store || m->looks)
		return;
	buf_init(&key, m->key, sizeof(m->key));
	buf_init(&value, m->value, sizeof(m->value));
	record_policy_key(domain, &key);
	record_policy_write(r, &value);
	memory_keep(m, &key, &value, keep);
}
