/* SPDX-License-Identifier: ISC */
/*
 * A small table of bytes that all runs share: LMDB in one file, DIR/memory.mdb. It knows no mail. Whatever it loses costs time, never
 * correctness, so it is never in the way: a call that cannot do its work says so once, and every later one on the same store fails at once.
 *
 * - Locking is ours (MDB_NOLOCK): one open-file-description lock on DIR/memory.lock, shared to read, exclusive to write, waited for at
 *   most patience_ms. The kernel frees it when a process dies; one that is stopped in the middle costs the others that time and no more.
 * - No transaction outlives the caller's few calls; nobody begins one and then talks to the network.
 * - A damaged file (LMDB's own checks, a checksum in each value, SIGBUS or SIGSEGV while it is read) is set aside as DIR/memory.mdb.bad, and
 *   the next run begins a new one.
 * - Bounded: when three quarters of max_bytes are used, each write drops what is due soonest. What is past its time is dropped by the way.
 *
 * DIR must be owned by the effective user and writable by nobody else, so must the files in it: who can write there can make us believe that
 * a message was delivered.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buf.h"
#include "base/err.h"

struct store;

struct store_options {
	const char *dir;    /* must exist */
	size_t max_bytes;   /* of the file */
	int64_t patience_ms; /* for the lock */
};

#define STORE_KEY   480	  /* octets of a key, 1 at least */
#define STORE_VALUE 70000 /* octets of a value, 1 at least */

/* The file is made when it is missing. TEMP 4.3.0: "DIR: ..." with the reason: no directory, not ours, no lock in time, full, damaged. */
MUST_CHECK bool store_open(const struct store_options *o, struct store **ret, struct error *err);
void store_close(struct store *s); /* ends an open transaction without a trace; NULL is fine */

enum store_mode { STORE_READ, STORE_WRITE };

/* One transaction at a time. After a lock that did not come in time the next call tries once, without waiting, so a store may get well again;
 * after damage it never does. All of the following fail TEMP 4.3.0; the transaction is then over and nothing of it has happened. */
MUST_CHECK bool store_begin(struct store *s, enum store_mode mode, struct error *err);

/* What is kept under `key`, into `out` (reset first); out->len 0: nothing, or past its time `now` (seconds since 1970), or damaged. */
MUST_CHECK bool store_get(struct store *s, struct span key, int64_t now, struct buf *out, struct error *err);

/* Replaces. keep_until: seconds since 1970. INTERNAL for a key or value over its limit; the transaction goes on then. */
MUST_CHECK bool store_put(struct store *s, struct span key, struct span value, int64_t keep_until, struct error *err);
MUST_CHECK bool store_delete(struct store *s, struct span key, struct error *err); /* a missing key is fine */

/* The first key greater than `after` that begins with `prefix`, in byte order, with its value; key->len 0: there is none. `after` may lie
 * in *key; an empty one starts at the beginning. Both are reset first. */
MUST_CHECK bool store_next(struct store *s, struct span prefix, struct span after, struct buf *key, struct buf *value, struct error *err);

/* End a transaction. `now` drops what is past its time. `sync`: on the disk before this returns, else with the next that syncs; what was
 * committed survives the death of any process either way. If only the sync fails, the transaction has happened all the same. */
MUST_CHECK bool store_commit(struct store *s, int64_t now, bool sync, struct error *err);
void store_abort(struct store *s);

#endif
