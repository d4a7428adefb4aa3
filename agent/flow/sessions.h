/* SPDX-License-Identifier: ISC */
/*
 * Open SMTP sessions in which nothing is under way, for the next message that makes the same demand of the same host: same name, address, TLS
 * demand, login, own name and own address. One pool for each thread that delivers, so nothing is locked. A pipe run has none.
 */
#ifndef FLOW_SESSIONS_H
#define FLOW_SESSIONS_H

#include "flow/attempt.h"
#include "net/stream.h"

#define SESSIONS_MAX	  8	 /* in a pool */
#define SESSIONS_IDLE_MS  5000	 /* an open session is a place at the server that others may want */
#define SESSIONS_AGE_MS	  300000 /* since its greeting */
#define SESSIONS_MESSAGES 100

struct kept_session {
	struct stream *stream;
	struct dialog_session dialog;
	struct endpoint peer;
	struct ip local;
	struct instant opened;
};

struct sessions *sessions_open(struct io *io); /* NULL: no memory; which is a pool that keeps nothing */
void sessions_close(struct sessions *p);       /* QUIT to all of them; NULL is fine */

/* One that fits the request; it is the caller's then. A dead one is closed and passed over. */
bool sessions_take(struct sessions *p, const struct services *sv, const struct attempt_request *rq, struct kept_session *ret);

/* k->stream is the pool's after this; one too many, too old or used up is ended with QUIT. */
void sessions_keep(struct sessions *p, const struct services *sv, const struct attempt_request *rq, const struct kept_session *k);

/* End those that have been idle for too long; milliseconds until there is another one to end, or -1. */
int64_t sessions_expire(struct sessions *p);

#endif
