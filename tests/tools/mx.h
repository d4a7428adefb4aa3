/* SPDX-License-Identifier: ISC */
/* The scripted MX hosts: a listener for each address of the story, a script for each connection
 * (mxhost.c), and how it is played (mx.c). An LMTP client plays its script in the same way. */
#ifndef TOOLS_MX_H
#define TOOLS_MX_H

#include "fault.h"
#include "loop.h"
#include "mxtls.h"
#include "story.h"
#include "talk.h"

#define MX_HOSTS 128
#define MX_CONNS 128

/* What the answer to the final dot was. */
enum final { FINAL_NONE, FINAL_UNANSWERED, FINAL_DELIVERED, FINAL_REFUSED, FINAL_DOUBTFUL };

struct conn {
	struct mx *mx;
	struct child *of; /* whose other end it is */
	const struct script *script;
	struct watch *watch;  /* NULL: over */
	struct watch *writer; /* of two pipes the one that we write to; NULL: a socket */
	bool client;          /* of LMTP: it says commands */
	struct talk talk;     /* of LMTP, and of hosts that get mail from there */
	int gone;   /* the time of its talk when we hung up; 0: the other side was first */
	size_t pos; /* item of the script */
	bool begun; /* the item at pos has been */
	bool eof, deaf, stalled;
	enum fault_kind after; /* hits when the item at pos has been sent */
	int64_t lines;         /* ITEM_ANY: seen so far */
	struct mxtls
		*tls; /* NULL: none yet; then `in` is what it holds, `out` what is on the wire */
	struct bytes in, out;
	size_t out_pos;
	int64_t chunk, gap, next_write; /* bytes of one write, ms between */
	int64_t slow, next_read;        /* bytes of one read; 0: all there is */
	int64_t wait_until;
	size_t body;    /* bytes of the message that ITEM_PART took from `in` already */
	size_t scanned; /* of `in`, for the final dot */
	bool has_message;
	size_t conns_then;   /* how many connections there had been when it was complete */
	bool torn;           /* reset: nobody knows what of our words arrived */
	struct scram *scram; /* NULL: no login has begun */
	struct bytes answer; /* of it */
	struct bytes clear;  /* what came without TLS, where a secret must not be in it */
	struct bytes said;
	size_t final; /* where in `said` the answer to the final dot begins */
};

struct run;

struct mx {
	struct run *run;
	struct host {
		struct mx *mx;
		const char *addr;
		struct watch *watch;
		int fd, plug[3]; /* plug: connections that fill the queue of an unreachable host */
		size_t opened;   /* for which run, counted from 1 */
	} host[MX_HOSTS];
	size_t nhost;
	struct conn conn[MX_CONNS]; /* in the order of their coming */
	size_t nconn;
	bool *used; /* for each script of the story */
};

void mx_open(struct mx *m, struct run *run);
void mx_turn(struct mx *m, size_t turn); /* the hosts are what this run finds */
void mx_hang_up(struct mx *m);           /* on all who are still there */
void mx_close(struct mx *m);
bool mx_busy(const struct mx *m); /* a connection may still have something to read */
enum final conn_final(const struct conn *c);

/* mx.c for mxhost.c and child.c */
void conn_ready(void *self, short revents);
void conn_end(struct conn *c, bool reset);
void conn_release(struct conn *c); /* and all that it holds */

#endif
