/* SPDX-License-Identifier: ISC */
/* A story as it is played: its runs of mxdirect, one after the other or two at once, perhaps with
 * something going wrong at one event of them. */
#ifndef TOOLS_PLAY_H
#define TOOLS_PLAY_H

#include "child.h"
#include "collector.h"
#include "dns.h"
#include "loop.h"
#include "mx.h"
#include "story.h"

/* What a worker owns: its net, ports and folder, and how mxdirect is started. */
struct lab {
	struct story_names names;
	int dns_udp, dns_tcp;  /* bound for as long as the worker lives */
	const char *program;   /* DIR/sbin/mxdirect */
	const char *wrap;      /* words in front of it; NULL: none */
	const char *preload;   /* failalloc.so; NULL: none */
	const char *wallclock; /* wallclock.so */
	const char *planner;   /* mxdirectctl, whose plan is held against each run; NULL: it is not asked */
	int scale;             /* all times are so much longer: valgrind, sanitizers */
	bool verbose;
};

struct run {
	struct loop loop;
	const struct story *story;
	const struct lab *lab;
	struct fault fault;
	int events;
	int now; /* what has happened so far, for struct talk */
	struct dns dns;
	struct mx mx;
	struct child child[TURNS]; /* one for each run of the story */
	size_t nchild, first;      /* started so far; the first of those that go on */
	const struct child *hit;   /* by the fault; NULL: none */
	struct collector collector;
	int held; /* a lock on a file of the state folder; 0: none */
	int64_t started, ended;
	struct bytes transcript;
	struct bytes trouble; /* what is wrong, as ", "-separated sentences; empty: nothing */
};

/* Plays and judges (check.c); r->trouble, r->events and r->transcript are the result. */
void run_play(struct run *r, const struct story *story, const struct lab *lab, struct fault fault);
void run_free(struct run *r);

/* For the servers: count an event, and hear whether something is to go wrong with it. `c`: in whose
 * connection; NULL: not known. */
enum fault_kind run_event(struct run *r, struct child *c);
bool run_faulty(const struct run *r); /* then a story need not go as it is written */
void run_act(struct child *c, const struct item *act);
bool run_later_ones(const struct child *c); /* does one go on that began later? */
void run_note(struct run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
void run_trouble(struct run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A file of the worker for a run; the first one's has no number. To be freed. */
char *run_path(const struct run *r, const struct turn *turn, const char *name);

/* check.c: the invariants, and what the story expects; checklmtp.c: the same for LMTP. */
void check_run(struct run *r);
void check_lmtp(struct child *c);
bool check_delivered(const struct conn *conn); /* some message, to some recipient */
/* The number of a run in front of what is said of it, if there are several. */
const char *check_prefix(const struct child *c);
#define REPORTED_S   600         /* how long an answer that was heard is remembered */
#define UNREPORTED_S (7 * 86400) /* and one that was not */

#endif
