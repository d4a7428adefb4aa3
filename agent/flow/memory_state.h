/* SPDX-License-Identifier: ISC */
/* The inside of the memory, for its own files: memory.c (messages, policies, the notes), memory_health.c (domains and hosts), memory_spf.c
 * (this machine as a sender). */
#ifndef FLOW_MEMORY_STATE_H
#define FLOW_MEMORY_STATE_H

#include "flow/memory.h"
#include "store/store.h"

#define NOTED_HOSTS 64

struct end_note { /* a recipient that was tried */
	const struct envelope *envelope;
	size_t rcpt;
	struct outcome outcome;
	enum failover_end end;
};

struct host_note {
	struct memory_host is;
	struct ip source; /* that it was connected from */
};

struct chore {
	bool reported; /* what is kept under the key was; else it goes */
	size_t n;
	char key[STORE_KEY];
};

struct memory {
	const struct services *sv;
	struct store *store; /* NULL: given up */
	bool held, writing;  /* a transaction is open: memory_hold() */
	bool looks;	     /* nothing is written */
	struct ip source_ipv4, source_ipv6;
	struct host_note host[NOTED_HOSTS];
	size_t nhost;
	struct record_answer answer[RECORD_HOSTS];
	size_t nanswer;
	struct end_note *end;
	size_t nend, end_room;
	struct record_message *accepted; /* waits for `heard`; strings of the envelope's owner */
	size_t naccepted, accepted_room;
	struct chore *chore; /* what was put off */
	size_t nchore, chore_room;
	struct deadline chores_due;
	const char *domain; /* NULL: nothing noted */
	enum health_run run;
	struct outcome domain_outcome;
	char key[STORE_KEY + 1], value[RECORD_BYTES];
};

int64_t memory_now(const struct memory *m);
/* The first trouble is logged and ends the memory of this run. Returns false. */
bool memory_trouble(struct memory *m, const struct error *err);

/* What is kept under m->key, as a view of m->value; n 0: nothing. Inside a transaction. */
bool memory_get(struct memory *m, const struct buf *key, struct span *ret, struct error *err);
/* Puts a record that was written into `value`; one that did not fit is left out. */
bool memory_put(struct memory *m, const struct buf *key, const struct buf *value, int64_t keep, struct error *err);

/* One record; false: none, or no memory. Inside a transaction or not. */
bool memory_look_up(struct memory *m, const struct buf *key, struct span *ret);
/* The same for writing one. */
void memory_keep(struct memory *m, const struct buf *key, const struct buf *value, int64_t keep);

/* In the write transaction of memory_finish(). */
bool memory_write_hosts(struct memory *m, struct error *err);
bool memory_write_domain(struct memory *m, struct error *err);

#endif
