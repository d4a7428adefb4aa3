/* SPDX-License-Identifier: ISC */
/* Domains, hosts and slots. */
#include <unistd.h>

#include "flow/memory_state.h"
#include "store/slots.h"

#define SLOT_PAUSE_MS 20

void memory_speak_from(struct memory *m, const struct config *c)
{
	if (!m)
		return;
	m->source_ipv4 = c->source_ipv4;
	m->source_ipv6 = c->source_ipv6;
}

static struct ip source_for(const struct memory *m, struct endpoint addr)
{
	return addr.ip.family == 6 ? m->source_ipv6 : m->source_ipv4;
}

/* ---- domains ---- */

/* Zeros: nothing is known. */
static bool get_domain(struct memory *m, const char *domain, struct record_domain *ret,
		       struct error *err)
{
	struct buf key;
	struct span in;
	buf_init(&key, m->key, sizeof(m->key));
	record_domain_key(domain, &key);
	*ret = (struct record_domain){ 0 };
	if (!memory_get(m, &key, &in, err))
		return false;
	if (in.n > 0 && !record_domain_read(in, ret))
		*ret = (struct record_domain){ 0 };
	return true;
}

static bool put_domain(struct memory *m, const char *domain, const struct record_domain *r,
		       struct error *err)
{
	char room[4 * LIMIT_LOG_LINE];
	struct buf key, value;
	buf_init(&key, m->key, sizeof(m->key));
	buf_init(&value, room, sizeof(room));
	record_domain_key(domain, &key);
	record_domain_write(r, &value);
	return memory_put(m, &key, &value, HEALTH_KEEP, err);
}

static enum health_domain ask_domain(struct memory *m, const char *domain, bool first,
				     struct record_domain *r, int64_t *next)
{
	struct error err;
	bool alone = !m->held;
	if ((alone && !store_begin(m->store, STORE_READ, &err)) ||
	    !get_domain(m, domain, r, &err)) {
		memory_trouble(m, &err);
		return DOMAIN_FINE;
	}
	if (alone)
		store_abort(m->store);
	return health_of_domain(r, first, memory_now(m), next);
}

/* Looked at again under the lock: somebody else may have been faster. */
static enum health_domain probe_domain(struct memory *m, const char *domain, bool first,
				       struct record_domain *r, int64_t *next)
{
	struct error err;
	enum health_domain say = DOMAIN_FINE;
	bool ok = store_begin(m->store, STORE_WRITE, &err) && get_domain(m, domain, r, &err);
	if (ok) {
		say = health_of_domain(r, first, memory_now(m), next);
		if (say == DOMAIN_TRY) {
			health_domain_probe(r, memory_now(m));
			ok = put_domain(m, domain, r, &err);
		}
		ok = ok && store_commit(m->store, memory_now(m), false, &err);
	}
	if (!ok)
		memory_trouble(m, &err);
	return say;
}

bool memory_domain_down(struct memory *m, struct arena *a, const char *domain, bool first,
			struct memory_down *ret)
{
	struct record_domain r;
	int64_t next = 0;
	if (!m || !m->store)
		return false;
	enum health_domain say = ask_domain(m, domain, first, &r, &next);
	if (say == DOMAIN_TRY && !m->looks) {
		memory_release(m);
		say = probe_domain(m, domain, first, &r, &next);
	}
	if (say != DOMAIN_DOWN)
		return false;
	const char *why = arena_str(a, r.why);
	if (!why)
		return false;
	*ret = (struct memory_down){ .code = r.code, .why = why, .next = next };
	return true;
}

bool memory_known_domain(struct memory *m, struct arena *a, const char *domain,
			 struct record_domain *ret)
{
	struct record_domain r;
	struct buf key;
	struct span in;
	if (!m)
		return false;
	buf_init(&key, m->key, sizeof(m->key));
	record_domain_key(domain, &key);
	if (!memory_look_up(m, &key, &in) || !record_domain_read(in, &r))
		return false;
	const char *name = arena_str(a, r.domain), *why = arena_str(a, r.why);
	if (r.domain.n == 0 || !name || !why)
		return false;
	r.domain = span_of(name);
	r.why = span_of(why);
	*ret = r;
	return true;
}

int64_t memory_failing(struct memory *m, struct arena *a, const char *domain)
{
	struct record_domain r;
	if (!memory_known_domain(m, a, domain, &r))
		return 0;
	return 1000 * health_domain_failing(&r, memory_now(m));
}

void memory_note_domain(struct memory *m, const char *domain, enum health_run run,
			const struct outcome *o)
{
	if (!m || (m->domain && m->run <= run))
		return;
	m->domain = domain;
	m->run = run;
	m->domain_outcome = *o;
}

bool memory_write_domain(struct memory *m, struct error *err)
{
	struct record_domain r;
	if (!m->domain)
		return true;
	if (!get_domain(m, m->domain, &r, err))
		return false;
	bool known = r.domain.n > 0;
	if (m->run == RUN_ANSWERED && !known)
		return true;
	if (m->run == RUN_ANSWERED) {
		struct buf key;
		buf_init(&key, m->key, sizeof(m->key));
		record_domain_key(m->domain, &key);
		return store_delete(m->store, buf_view(&key), err);
	}
	health_domain_ran(&r, m->run, memory_now(m));
	r.domain = span_of(m->domain);
	r.code = m->domain_outcome.code;
	r.why = span_of(m->domain_outcome.text);
	return put_domain(m, m->domain, &r, err);
}

/* ---- hosts ---- */

static bool get_host(struct memory *m, struct endpoint addr, struct ip source,
		     struct record_host *ret, struct error *err)
{
	struct buf key;
	struct span in;
	buf_init(&key, m->key, sizeof(m->key));
	record_host_key(addr, source, &key);
	*ret = (struct record_host){ 0 };
	if (!memory_get(m, &key, &in, err))
		return false;
	if (in.n > 0 && !record_host_read(in, ret))
		*ret = (struct record_host){ 0 };
	return true;
}

static bool put_host(struct memory *m, struct endpoint addr, const struct record_host *r,
		     struct error *err)
{
	char room[4 * LIMIT_LOG_LINE];
	struct buf key, value;
	buf_init(&key, m->key, sizeof(m->key));
	buf_init(&value, room, sizeof(room));
	record_host_key(addr, r->source, &key);
	record_host_write(r, &value);
	return memory_put(m, &key, &value, HEALTH_KEEP, err);
}

static void add_address(struct candidate *c, struct endpoint addr)
{
	c->addr[c->naddr++] = addr;
}

struct sorted {
	struct candidate now, late, plain;
	bool probe; /* an address wants to be one: look again under the write lock */
};

static bool sort(struct memory *m, const struct candidate *c, bool writing, struct sorted *ret,
		 struct error *err)
{
	struct record_host r;
	ret->now = ret->late = ret->plain = *c;
	ret->now.naddr = ret->late.naddr = ret->plain.naddr = 0;
	ret->probe = false;
	for (size_t i = 0; i < c->naddr; i++) {
		if (!get_host(m, c->addr[i], source_for(m, c->addr[i]), &r, err))
			return false;
		enum health_advice advice = health_of_host(&r, memory_now(m));
		bool plain = c->demand.level == DEMAND_MAY && !c->demand.sts_testing &&
			     health_tls_broken(&r, memory_now(m));
		if (advice == HEALTH_TRY)
			ret->probe = true;
		if (advice == HEALTH_TRY && writing) {
			health_probe(&r, memory_now(m));
			if (!put_host(m, c->addr[i], &r, err))
				return false;
		}
		add_address(advice == HEALTH_LAST ? &ret->late
			    : plain               ? &ret->plain
						  : &ret->now,
			    c->addr[i]);
	}
	return true;
}

void memory_sort(struct memory *m, struct candidate *c, struct candidate *ret_late,
		 struct candidate *ret_plain)
{
	struct sorted s;
	struct error err;
	*ret_late = *ret_plain = *c;
	ret_late->naddr = ret_plain->naddr = 0;
	if (!m || !m->store)
		return;
	if (!store_begin(m->store, STORE_READ, &err) || !sort(m, c, false, &s, &err)) {
		memory_trouble(m, &err);
		return;
	}
	store_abort(m->store);
	if (s.probe && !m->looks &&
	    (!store_begin(m->store, STORE_WRITE, &err) || !sort(m, c, true, &s, &err) ||
	     !store_commit(m->store, memory_now(m), false, &err))) {
		memory_trouble(m, &err);
		return;
	}
	*c = s.now;
	*ret_late = s.late;
	*ret_plain = s.plain;
}

bool memory_known_host(struct memory *m, struct arena *a, struct endpoint addr,
		       struct record_host *ret)
{
	struct record_host r;
	struct buf key;
	struct span in;
	if (!m)
		return false;
	buf_init(&key, m->key, sizeof(m->key));
	record_host_key(addr, source_for(m, addr), &key);
	if (!memory_look_up(m, &key, &in) || !record_host_read(in, &r))
		return false;
	const char *name = arena_str(a, r.host), *why = arena_str(a, r.why);
	if (r.addr.ip.family == 0 || !name || !why)
		return false;
	r.host = span_of(name);
	r.why = span_of(why);
	*ret = r;
	return true;
}

void memory_note_host(struct memory *m, const struct memory_host *h)
{
	if (m && m->nhost < NOTED_HOSTS)
		m->host[m->nhost++] = (struct host_note){ *h, source_for(m, h->addr) };
}

static bool write_host(struct memory *m, const struct host_note *note, struct error *err)
{
	const struct memory_host *h = &note->is;
	int64_t now = memory_now(m);
	struct record_host r;
	if (!get_host(m, h->addr, note->source, &r, err))
		return false;
	if (h->fate == FATE_GREETED)
		health_good(&r, now, h->connect_ms);
	else if (h->fate == FATE_SILENT)
		health_bad(&r, now, span_of(h->why));
	if (h->tls != HOST_TLS_UNTRIED)
		health_tls(&r, now, h->tls == HOST_TLS_GOOD);
	if (h->ehlo.name[0]) {
		r.caps = h->ehlo.caps;
		r.size_max = h->ehlo.size_max;
		r.mail_max = h->ehlo.mail_max;
		r.rcpt_max = h->ehlo.rcpt_max;
	}
	r.host = span_of(h->host);
	r.addr = h->addr;
	r.source = note->source;
	return put_host(m, h->addr, &r, err);
}

bool memory_write_hosts(struct memory *m, struct error *err)
{
	for (size_t i = 0; i < m->nhost; i++)
		if (!write_host(m, &m->host[i], err))
			return false;
	return true;
}

/* ---- slots ---- */

static bool wait_for_slot(const struct services *sv, const char *domain, struct deadline until,
			  int fd, struct error *err)
{
	struct io *io = sv->io;
	unsigned max = (unsigned)sv->config->max_per_destination;
	struct deadline enough = deadline_min(until, deadline_in(io_now(io), MEMORY_SLOT_WAIT));
	for (;;) {
		struct error why;
		enum slots_say say = slots_take(fd, span_of(domain), max, &why);
		if (say == SLOTS_TAKEN)
			return true;
		if (say == SLOTS_FAILED) {
			memory_trouble(sv->memory, &why);
			return true;
		}
		struct instant now = io_now(io);
		if (deadline_left_ms(enough, now) == 0)
			return err_set(err, ERR_TEMP, ESC(4, 3, 2),
				       "%u deliveries to %s are under way already "
				       "(max_per_destination)",
				       max, domain);
		if (io_poll(io, NULL, 0, deadline_min(enough, deadline_in(now, SLOT_PAUSE_MS))) ==
		    IO_STOPPED)
			return io_fail(IO_STOPPED, err);
	}
}

bool memory_slot(const struct services *sv, const char *domain, struct deadline until,
		 int *ret_slot, struct error *err)
{
	struct error why;
	int fd;
	*ret_slot = -1;
	if (!sv->memory || !sv->memory->store || sv->config->max_per_destination == 0)
		return true;
	if (!slots_open(sv->config->state_directory, &fd, &why)) {
		memory_trouble(sv->memory, &why);
		return true;
	}
	if (!wait_for_slot(sv, domain, until, fd, err)) {
		close(fd);
		return false;
	}
	*ret_slot = fd;
	return true;
}

void memory_leave(int slot)
{
	if (slot >= 0)
		close(slot);
}
