/* SPDX-License-Identifier: ISC */
/*
 * What the store keeps in LMDB, without its protections: no locks, no guard against faults, and
 * LMDB's codes for errors (0, below 0, or an errno). Every function may meet a fault (fault.h) and
 * any may be left in its middle by one.
 */
#ifndef STORE_TABLE_H
#define STORE_TABLE_H

#include <lmdb.h>

#include "base/buf.h"

struct table {
	MDB_env *env;
	MDB_txn *txn;
	MDB_cursor *cursor;
	bool writing;
	size_t max_pages;
};

size_t table_page_size(void); /* of a new LMDB file */

/* *t all zeros before. `path` is a file that is empty or was made so; it may grow to max_bytes. To
 * be closed even if it failed. */
int table_open(struct table *t, const char *path, size_t max_bytes);
void table_close(struct table *t); /* without an open transaction */

/* MDB_PAGE_NOTFOUND: the file has `bytes`, which are fewer than its meta page says. It need not be
 * wrong: LMDB leaves free pages at the end unwritten. */
int table_measure(struct table *t, size_t bytes);

/* To be ended even if it failed. */
int table_begin(struct table *t, bool writing);
void table_end(struct table *t); /* without a trace; none is open: fine */
int table_commit(struct table *t);

/* As in store.h; keys and values are within its limits. */
int table_get(struct table *t, struct span key, int64_t now, struct buf *out);
int table_put(struct table *t, struct span key, struct span value, int64_t keep_until);
int table_delete(struct table *t, struct span key);
int table_next(struct table *t, struct span prefix, struct span after, struct buf *key,
	       struct buf *value);

size_t table_used(struct table *t); /* pages with keys and values */

/* Drop, the soonest due first and `most` at the utmost: all that is past its time, and then others
 * while more than `limit` pages are used.
 */
int table_trim(struct table *t, int64_t now, size_t limit, unsigned most);

#endif
