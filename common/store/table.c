/* SPDX-License-Identifier: ISC */
/*
 * All is in LMDB's main database. Keys: 'd' and the caller's key; 'x', eight bytes of the time
 * until which it is kept (so that byte order is the order of time), and the caller's key again: an
 * index with empty values. Values: eight bytes of digest, eight of the time, the caller's bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/digest.h"
#include "store/fault.h"
#include "store/store.h"
#include "store/table.h"

#define STAMP       8 /* octets of a time or of a digest */
#define HEAD        (2 * STAMP)
#define LONGEST_KEY (1 + STAMP + STORE_KEY)
#define MAIN_DB     1 /* what mdb_dbi_open() says for the main database */

static void put_u64(char *p, uint64_t x)
{
	for (int i = 0; i < STAMP; i++)
		p[i] = (char)(x >> (56 - 8 * i));
}

static uint64_t get_u64(const char *p)
{
	uint64_t x = 0;
	for (int i = 0; i < STAMP; i++)
		x = x << 8 | (unsigned char)p[i];
	return x;
}

/* With the sign turned round, so that times before 1970 come first. */
#define SIGN ((uint64_t)1 << 63)

static void put_time(char *p, int64_t t)
{
	put_u64(p, (uint64_t)t ^ SIGN);
}

static int64_t get_time(const char *p)
{
	return (int64_t)(get_u64(p) ^ SIGN);
}

static MDB_val data_key(char *storage, struct span key)
{
	storage[0] = 'd';
	if (key.n > 0)
		memcpy(storage + 1, key.p, key.n);
	return (MDB_val){ key.n + 1, storage };
}

static MDB_val index_key(char *storage, int64_t time, struct span key)
{
	storage[0] = 'x';
	put_time(storage + 1, time);
	memcpy(storage + 1 + STAMP, key.p, key.n);
	return (MDB_val){ 1 + STAMP + key.n, storage };
}

static struct span without_head(MDB_val v, size_t head)
{
	return (struct span){ (const char *)v.mv_data + head, v.mv_size - head };
}

static uint64_t digest_of_record(struct span key, MDB_val value)
{
	struct digest d;
	digest_init(&d);
	digest_add(&d, key);
	digest_add(&d, without_head(value, STAMP));
	return digest_value(&d);
}

/* `value` lies in the map, or, its length being wrong, anywhere. */
static bool whole(struct span key, MDB_val value)
{
	return value.mv_size > HEAD && value.mv_size <= HEAD + STORE_VALUE &&
	       get_u64(value.mv_data) == digest_of_record(key, value);
}

static int64_t time_of(MDB_val value)
{
	return value.mv_size > HEAD ? get_time((const char *)value.mv_data + STAMP) : INT64_MIN;
}

/* As LMDB does it. */
size_t table_page_size(void)
{
	long n = sysconf(_SC_PAGESIZE);
	return n > 0 && n < 32768 ? (size_t)n : 32768;
}

static void on_assert(MDB_env *env, const char *text)
{
	(void)env;
	(void)text;
	fault_now();
}

int table_open(struct table *t, const char *path, size_t max_bytes)
{
	MDB_stat facts;
	mdb_filehandle_t fd;
	t->max_pages = max_bytes / table_page_size();
	int rc = mdb_env_create(&t->env);
	if (rc == 0)
		rc = mdb_env_set_assert(t->env, on_assert);
	if (rc == 0)
		rc = mdb_env_set_mapsize(t->env, t->max_pages * table_page_size());
	if (rc == 0)
		rc = mdb_env_open(t->env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC | MDB_NOTLS,
				  0600);
	if (rc == 0)
		rc = mdb_env_stat(t->env, &facts);
	if (rc == 0 && facts.ms_psize != table_page_size())
		rc = MDB_VERSION_MISMATCH;
	if (rc == 0)
		rc = mdb_env_get_fd(t->env, &fd);
	/* LMDB leaves this one of its descriptors to those that we execute. */
	if (rc == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		rc = errno;
	return rc;
}

void table_close(struct table *t)
{
	if (t->env)
		mdb_env_close(t->env);
	t->env = NULL;
}

int table_measure(struct table *t, size_t bytes)
{
	MDB_envinfo facts;
	int rc = mdb_env_info(t->env, &facts);
	if (rc == 0 && bytes / table_page_size() <= facts.me_last_pgno)
		rc = MDB_PAGE_NOTFOUND;
	return rc;
}

int table_begin(struct table *t, bool writing)
{
	MDB_dbi db;
	t->writing = writing;
	int rc = mdb_txn_begin(t->env, NULL, writing ? 0 : MDB_RDONLY, &t->txn);
	if (rc == 0)
		rc = mdb_dbi_open(t->txn, NULL, 0, &db);
	return rc == 0 ? mdb_cursor_open(t->txn, MAIN_DB, &t->cursor) : rc;
}

/* LMDB ends the cursors of write transactions itself. */
void table_end(struct table *t)
{
	if (!t->writing && t->cursor)
		mdb_cursor_close(t->cursor);
	t->cursor = NULL;
	if (t->txn)
		mdb_txn_abort(t->txn);
	t->txn = NULL;
}

/* LMDB's transaction is gone when this ends, however it does. */
int table_commit(struct table *t)
{
	MDB_txn *txn = t->txn;
	t->txn = NULL;
	t->cursor = NULL;
	return mdb_txn_commit(txn);
}

/* The cursor looks up, mdb_put() and mdb_del() change: LMDB keeps the cursor up to date. */
static int look_up(struct table *t, MDB_val key, MDB_val *ret)
{
	return mdb_cursor_get(t->cursor, &key, ret, MDB_SET_KEY);
}

static int drop(struct table *t, MDB_val key)
{
	int rc = mdb_del(t->txn, MAIN_DB, &key, NULL);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int table_get(struct table *t, struct span key, int64_t now, struct buf *out)
{
	char storage[LONGEST_KEY];
	MDB_val value;
	int rc = look_up(t, data_key(storage, key), &value);
	if (rc == 0 && whole(key, value) && time_of(value) >= now)
		buf_add(out, without_head(value, HEAD));
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int table_delete(struct table *t, struct span key)
{
	char storage[LONGEST_KEY], storage2[LONGEST_KEY];
	MDB_val value, at = data_key(storage, key);
	int rc = look_up(t, at, &value);
	if (rc != 0)
		return rc == MDB_NOTFOUND ? 0 : rc;
	rc = drop(t, index_key(storage2, time_of(value), key));
	return rc == 0 ? drop(t, at) : rc;
}

int table_put(struct table *t, struct span key, struct span value, int64_t keep_until)
{
	char storage[LONGEST_KEY];
	MDB_val room = { HEAD + value.n, NULL }, none = { 0, NULL };
	int rc = table_delete(t, key);
	if (rc != 0)
		return rc;
	MDB_val at = index_key(storage, keep_until, key);
	rc = mdb_put(t->txn, MAIN_DB, &at, &none, 0);
	if (rc != 0)
		return rc;
	at = data_key(storage, key);
	rc = mdb_put(t->txn, MAIN_DB, &at, &room, MDB_RESERVE);
	if (rc != 0)
		return rc;
	char *p = room.mv_data;
	memcpy(p + HEAD, value.p, value.n);
	put_time(p + STAMP, keep_until);
	put_u64(p, digest_of_record(key, room));
	return 0;
}

int table_next(struct table *t, struct span prefix, struct span after, struct buf *key,
	       struct buf *value)
{
	char storage[LONGEST_KEY], storage2[LONGEST_KEY];
	MDB_val v, low = data_key(storage, prefix), high = data_key(storage2, after), at = high;
	if (mdb_cmp(t->txn, MAIN_DB, &high, &low) < 0)
		at = low;
	int rc = mdb_cursor_get(t->cursor, &at, &v, MDB_SET_RANGE);
	for (; rc == 0; rc = mdb_cursor_get(t->cursor, &at, &v, MDB_NEXT)) {
		if (at.mv_size < low.mv_size || at.mv_size > 1 + STORE_KEY ||
		    memcmp(at.mv_data, low.mv_data, low.mv_size) != 0)
			return 0;
		bool beyond = after.n == 0 || mdb_cmp(t->txn, MAIN_DB, &at, &high) > 0;
		if (beyond && whole(without_head(at, 1), v))
			break;
	}
	if (rc == 0) {
		buf_add(key, without_head(at, 1));
		buf_add(value, without_head(v, HEAD));
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

size_t table_used(struct table *t)
{
	MDB_stat st = { 0 };
	mdb_stat(t->txn, MAIN_DB, &st);
	return st.ms_branch_pages + st.ms_leaf_pages + st.ms_overflow_pages;
}

/* Its value may be younger than this entry of the index: then only the entry goes. */
static int drop_due(struct table *t, MDB_val entry)
{
	char storage[LONGEST_KEY], storage2[LONGEST_KEY];
	MDB_val value;
	if (entry.mv_size > LONGEST_KEY)
		return MDB_CORRUPTED;
	memcpy(storage, entry.mv_data, entry.mv_size);
	entry.mv_data = storage;
	MDB_val at = data_key(storage2, without_head(entry, 1 + STAMP));
	int rc = look_up(t, at, &value);
	if (rc == 0 && time_of(value) == get_time(storage + 1))
		rc = drop(t, at);
	return rc == 0 || rc == MDB_NOTFOUND ? drop(t, entry) : rc;
}

int table_trim(struct table *t, int64_t now, size_t limit, unsigned most)
{
	char first[] = "x";
	for (unsigned i = 0; i < most; i++) {
		MDB_val entry = { 1, first };
		int rc = mdb_cursor_get(t->cursor, &entry, NULL, MDB_SET_RANGE);
		if (rc != 0)
			return rc == MDB_NOTFOUND ? 0 : rc;
		const char *p = entry.mv_data;
		if (entry.mv_size <= 1 + STAMP || p[0] != 'x')
			return 0;
		if (get_time(p + 1) >= now && table_used(t) <= limit)
			return 0;
		rc = drop_due(t, entry);
		if (rc != 0)
			return rc;
	}
	return 0;
}
