/* SPDX-License-Identifier: ISC */
/*
 * Without LMDB's own locks a writer takes the pages that two commits before it freed, whoever may
 * read them: our lock, held from the beginning of a transaction to its end, keeps readers away from
 * writers. A transaction starts from the newer meta page of the map, which is what the last writer
 * of any process left there.
 *
 * LMDB trusts what it reads in a file. A fault while it reads is caught (fault.h); that it never
 * writes with wrong lengths in hand is made sure by inspect_file(), before the first write to a
 * file that was touched by others since our last commit. We know that by the seal: what stat() said
 * of the file after that commit, and the boot it was in, kept in the lock file.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/fault.h"
#include "store/inspect.h"
#include "store/place.h"
#include "store/store.h"
#include "store/table.h"

#define FILE_NAME "memory.mdb"
#define LOCK_NAME "memory.lock"

#define MAX_PAST     64   /* dropped in one commit because they are past their time */
#define MAX_SURPLUS  256  /* dropped in one commit because there is too much */
#define MAX_MAKEROOM 4096 /* dropped after a transaction that did not fit */

struct seal {
	char boot[40];
	uint64_t dev, ino, size, sec, nsec;
};

struct store {
	char *dir;
	size_t max_bytes;
	int64_t patience_ms;
	bool impatient; /* the last wait for the lock was in vain */
	int dir_fd, lock_fd, fd;
	struct stat lock_st, st; /* of the two files: as they were opened, and `st` as the
				  * transaction found it */
	struct table t;
	bool open;        /* a transaction */
	struct error why; /* all is over */
	struct seal seal; /* .boot: ours; "": not known */
};

/* A guarded call, what it is given and gives back. */
struct call {
	struct store *s;
	struct span key, more; /* `more`: a value, or the key to begin after */
	int64_t time;
	unsigned most; /* to drop */
	bool writing;
	struct buf *out, *value;
	int (*run)(struct call *c);
	int rc; /* of table.h, or FAULT */
};
#define FAULT (-1)

static int do_get(struct call *c)
{
	return table_get(&c->s->t, c->key, c->time, c->out);
}

static int do_put(struct call *c)
{
	return table_put(&c->s->t, c->key, c->more, c->time);
}

static int do_delete(struct call *c)
{
	return table_delete(&c->s->t, c->key);
}

static int do_next(struct call *c)
{
	return table_next(&c->s->t, c->key, c->more, c->out, c->value);
}

static int do_begin(struct call *c)
{
	return table_begin(&c->s->t, c->writing);
}

static int do_commit(struct call *c)
{
	struct table *t = &c->s->t;
	size_t limit = c->s->max_bytes / table_page_size() / 4 * 3;
	int rc = table_trim(t, c->time, SIZE_MAX, MAX_PAST);
	if (rc == 0)
		rc = table_trim(t, INT64_MIN, limit, MAX_SURPLUS);
	return rc == 0 ? table_commit(t) : rc;
}

/* At most half of the file stays in use, and at most three quarters of what was: if it is not for
 * want of pages but of many in a row, that helps in the end. */
static int do_make_room(struct call *c)
{
	struct table *t = &c->s->t;
	size_t limit = c->s->max_bytes / table_page_size() / 2;
	int rc = table_begin(t, true);
	if (rc == 0) {
		size_t most = table_used(t) / 4 * 3;
		rc = table_trim(t, INT64_MIN, most < limit ? most : limit, c->most);
	}
	return rc == 0 ? table_commit(t) : rc;
}

static int do_end(struct call *c)
{
	table_end(&c->s->t);
	return 0;
}

static int do_close(struct call *c)
{
	table_close(&c->s->t);
	return 0;
}

static int do_measure(struct call *c)
{
	return table_measure(&c->s->t, (size_t)c->s->st.st_size);
}

/* A file that a larger limit left behind gets room for its own trimming. LMDB goes by the path and
 * would follow a link: only what we looked at will do. */
static int do_open(struct call *c)
{
	struct store *s = c->s;
	struct stat st;
	char path[PATH_MAX];
	mdb_filehandle_t fd;
	if (fstat(s->fd, &st) != 0)
		return errno;
	size_t size = (size_t)st.st_size;
	int n = snprintf(path, sizeof(path), "%s/" FILE_NAME, s->dir);
	if (n < 0 || (size_t)n >= sizeof(path))
		return ENAMETOOLONG;
	int rc = table_open(&s->t, path, size > s->max_bytes ? size + size / 8 : s->max_bytes);
	if (rc == 0)
		rc = mdb_env_get_fd(s->t.env, &fd);
	return rc == 0 && !place_is(s->dir_fd, FILE_NAME, fd) ? ESTALE : rc;
}

static void run_guarded(void *ctx)
{
	struct call *c = ctx;
	c->rc = c->run(c);
}

static int run(int (*call)(struct call *c), struct call *c)
{
	c->run = call;
	if (!fault_guard(run_guarded, c))
		c->rc = FAULT;
	return c->rc;
}

/* The lock */

static bool set_lock(struct store *s, short type)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET };
	return fcntl(s->lock_fd, F_OFD_SETLK, &l) == 0;
}

static void unlock(struct store *s)
{
	if (s->lock_fd >= 0)
		set_lock(s, F_UNLCK);
}

/* Once somebody held it for all of our patience, the next call does not wait for him again. */
static bool lock(struct store *s, short type, struct error *err)
{
	struct clock clock = clock_system();
	struct deadline until = deadline_in(clock_now(&clock), s->impatient ? 0 : s->patience_ms);
	struct timespec wait = { .tv_nsec = 200000 };
	while (!set_lock(s, type)) {
		if (errno != EAGAIN && errno != EACCES)
			return err_set(err, ERR_TEMP, ESC(4, 3, 0), "%s/" LOCK_NAME ": %s", s->dir,
				       strerror(errno));
		if (deadline_left_ms(until, clock_now(&clock)) == 0) {
			s->impatient = true;
			return err_set(err, ERR_TEMP, ESC(4, 3, 0),
				       "%s/" LOCK_NAME ": in use for too long", s->dir);
		}
		nanosleep(&wait, NULL);
		wait.tv_nsec = wait.tv_nsec < 2500000 ? wait.tv_nsec * 2 : 5000000;
	}
	s->impatient = false;
	struct stat now;
	if (place_still(s->dir_fd, LOCK_NAME, &s->lock_st, &now))
		return true;
	unlock(s);
	return err_set(err, ERR_TEMP, ESC(4, 3, 0), "%s/" LOCK_NAME ": was replaced", s->dir);
}

/* The seal */

static bool seal_of(struct store *s, const struct stat *st, struct seal *ret)
{
	int fd = s->seal.boot[0] ? -1
				 : open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (read(fd, s->seal.boot, sizeof(s->seal.boot) - 1) < 30)
			s->seal.boot[0] = '\0';
		close(fd);
	}
	if (!s->seal.boot[0])
		return false;
	*ret = s->seal;
	ret->dev = (uint64_t)st->st_dev;
	ret->ino = (uint64_t)st->st_ino;
	ret->size = (uint64_t)st->st_size;
	ret->sec = (uint64_t)st->st_ctim.tv_sec;
	ret->nsec = (uint64_t)st->st_ctim.tv_nsec;
	return true;
}

static bool sealed(struct store *s)
{
	struct seal now, then;
	return seal_of(s, &s->st, &now) &&
	       pread(s->lock_fd, &then, sizeof(then), 0) == sizeof(then) &&
	       memcmp(&now, &then, sizeof(now)) == 0;
}

/* A seal that cannot be written costs the next writer an inspection, no more. */
static void put_seal(struct store *s)
{
	struct seal now;
	struct stat st;
	if (fstat(s->fd, &st) == 0 && seal_of(s, &st, &now) &&
	    pwrite(s->lock_fd, &now, sizeof(now), 0) < 0)
		return;
}

/* Ends */

/* After a fault LMDB's notes of a write transaction cannot be trusted with a clean end; its pages
 * in memory are lost. */
static void end_transaction(struct store *s, bool after_fault)
{
	struct call c = { .s = s };
	if (!after_fault || !s->t.writing)
		run(do_end, &c);
	s->t.txn = NULL;
	s->t.cursor = NULL;
	s->open = false;
}

static void close_all(struct store *s, bool after_fault)
{
	struct call c = { .s = s };
	end_transaction(s, after_fault);
	run(do_close, &c);
	for (int **fd = (int *[]){ &s->fd, &s->lock_fd, &s->dir_fd, NULL }; *fd; fd++) {
		if (**fd >= 0)
			close(**fd);
		**fd = -1;
	}
}

/* Another run may have done it already, then the name stands for its new file. */
static bool set_aside(struct store *s)
{
	struct error ignored;
	if (!s->t.writing)
		unlock(s);
	return lock(s, F_WRLCK, &ignored) && place_is(s->dir_fd, FILE_NAME, s->fd) &&
	       renameat(s->dir_fd, FILE_NAME, s->dir_fd, FILE_NAME ".bad") == 0;
}

/* The end of this store. */
static bool bury(struct store *s, bool after_fault, const char *what, struct error *err)
{
	end_transaction(s, after_fault);
	const char *then = set_aside(s) ? ", set aside as " FILE_NAME ".bad" : "";
	close_all(s, after_fault);
	err_set(&s->why, ERR_TEMP, ESC(4, 3, 0), "%s/" FILE_NAME ": %s%s", s->dir, what, then);
	*err = s->why;
	return false;
}

/* LMDB's own codes are about the file, but for these. A PANIC follows a meta page that could not be
 * written: the file has the old one. */
static bool is_damage(int rc)
{
	return rc < 0 && rc != MDB_MAP_FULL && rc != MDB_TXN_FULL && rc != MDB_MAP_RESIZED &&
	       rc != MDB_PANIC;
}

/* Where a transaction did not fit the next one shall. Trimming takes pages as well, so if there are
 * few it takes small steps. */
static int make_room(struct store *s)
{
	struct call c = { .s = s, .most = MAX_MAKEROOM };
	int rc = MDB_MAP_FULL;
	for (; rc == MDB_MAP_FULL && c.most > 0; c.most /= 8) {
		rc = run(do_make_room, &c);
		end_transaction(s, rc == FAULT);
	}
	if (rc == 0)
		put_seal(s);
	return rc;
}

/* The end of a transaction that LMDB did not like. */
static bool failed(struct store *s, int rc, struct error *err)
{
	/* LMDB says EIO when only a part of what it wrote was taken. */
	const char *what = rc == FAULT ? "a fault in the middle of its use"
			   : rc == EIO ? "cannot be written, is the disk full?"
				       : mdb_strerror(rc);
	bool over = rc == FAULT || is_damage(rc);
	end_transaction(s, rc == FAULT);
	if (rc == MDB_MAP_FULL) {
		what = "full";
		int rc2 = make_room(s);
		over = rc2 == FAULT || rc2 == MDB_MAP_FULL || is_damage(rc2);
		rc = rc2 == FAULT ? rc2 : rc;
	}
	if (over)
		return bury(s, rc == FAULT, what, err);
	unlock(s);
	return err_set(err, ERR_TEMP, ESC(4, 3, 0), "%s/" FILE_NAME ": %s", s->dir, what);
}

/* A meta page that makes LMDB ask for a senseless map looks like lack of memory. */
static bool can_map(const struct store *s)
{
	void *p = mmap(NULL, s->max_bytes, PROT_READ, MAP_SHARED, s->fd, 0);
	if (p != MAP_FAILED)
		munmap(p, s->max_bytes);
	return p != MAP_FAILED;
}

/* Readers need not wait for each other, so an exclusive lock is taken only when the file is empty:
 * not made yet. */
static bool open_file(struct store *s, bool *ret_fresh, struct error *err)
{
	for (short type = F_RDLCK;; type = F_WRLCK) {
		if (!lock(s, type, err) || !place_file(s->dir_fd, s->dir, FILE_NAME, &s->fd, err))
			return false;
		*ret_fresh = fstat(s->fd, &s->st) == 0 && s->st.st_size == 0;
		if (!*ret_fresh || type == F_WRLCK)
			return true;
		close(s->fd);
		s->fd = -1;
		unlock(s);
	}
}

static bool learn_lock(struct store *s, struct error *err)
{
	return fstat(s->lock_fd, &s->lock_st) == 0 ||
	       err_set(err, ERR_TEMP, ESC(4, 3, 0), "%s/" LOCK_NAME ": %s", s->dir,
		       strerror(errno));
}

static bool open_all(struct store *s, struct error *err)
{
	struct call c = { .s = s };
	bool fresh;
	if (!place_open(s->dir, &s->dir_fd, err) ||
	    !place_file(s->dir_fd, s->dir, LOCK_NAME, &s->lock_fd, err) || !learn_lock(s, err) ||
	    !open_file(s, &fresh, err))
		return false;
	int rc = run(do_open, &c);
	if ((rc == ENOMEM || rc == EINVAL || rc == EOVERFLOW) && can_map(s))
		rc = MDB_CORRUPTED;
	if (rc == FAULT || is_damage(rc))
		return failed(s, rc, err);
	if (rc != 0) {
		if (fresh && ftruncate(s->fd, 0) != 0)
			rc = errno;
		return failed(s, rc, err);
	}
	/* Once in its life: what is synced later shall be found by its name. */
	if (fresh)
		fsync(s->dir_fd);
	unlock(s);
	return true;
}

bool store_open(const struct store_options *o, struct store **ret, struct error *err)
{
	struct store *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem(err);
	s->max_bytes = o->max_bytes;
	s->patience_ms = o->patience_ms;
	s->dir_fd = s->lock_fd = s->fd = -1;
	fault_watch();
	s->dir = strdup(o->dir);
	if (!s->dir ? !err_nomem(err) : !open_all(s, err)) {
		store_close(s);
		return false;
	}
	*ret = s;
	return true;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	close_all(s, false);
	fault_unwatch();
	free(s->dir);
	free(s);
}

/* NULL: the pages are good enough to read, or sound to write. */
static const char *unsound(struct store *s, bool writing)
{
	struct call c = { .s = s };
	if (!writing && run(do_measure, &c) == 0)
		return NULL;
	if (sealed(s))
		return NULL;
	const char *what = inspect_file(s->fd);
	if (!what && writing)
		put_seal(s);
	return what;
}

bool store_begin(struct store *s, enum store_mode mode, struct error *err)
{
	struct call c = { .s = s, .writing = mode == STORE_WRITE };
	if (s->why.class != ERR_NONE) {
		*err = s->why;
		return false;
	}
	if (s->open)
		return BUG(err, "a transaction within a transaction");
	if (!lock(s, mode == STORE_READ ? F_RDLCK : F_WRLCK, err))
		return false;
	struct stat now;
	if (!place_still(s->dir_fd, FILE_NAME, &s->st, &now)) {
		unlock(s);
		return err_set(err, ERR_TEMP, ESC(4, 3, 0), "%s/" FILE_NAME ": was replaced",
			       s->dir);
	}
	s->st = now;
	const char *what = unsound(s, c.writing);
	if (what)
		return bury(s, false, what, err);
	int rc = run(do_begin, &c);
	s->open = rc == 0;
	return rc == 0 ? true : failed(s, rc, err);
}

/* May the call go on? */
static bool ready(const struct store *s, bool writing, struct span key, struct error *err)
{
	if (s->why.class != ERR_NONE) {
		*err = s->why;
		return false;
	}
	if (!s->open || (writing && !s->t.writing))
		return BUG(err, "no transaction for this");
	if (key.n == 0 || key.n > STORE_KEY)
		return BUG(err, "a key without octets or with too many");
	return true;
}

bool store_get(struct store *s, struct span key, int64_t now, struct buf *out, struct error *err)
{
	struct call c = { .s = s, .key = key, .time = now, .out = out };
	buf_reset(out);
	if (!ready(s, false, key, err))
		return false;
	int rc = run(do_get, &c);
	return rc == 0 ? true : failed(s, rc, err);
}

bool store_put(struct store *s, struct span key, struct span value, int64_t keep_until,
	       struct error *err)
{
	struct call c = { .s = s, .key = key, .more = value, .time = keep_until };
	if (!ready(s, true, key, err))
		return false;
	if (value.n == 0 || value.n > STORE_VALUE)
		return BUG(err, "a value without octets or with too many");
	int rc = run(do_put, &c);
	return rc == 0 ? true : failed(s, rc, err);
}

bool store_delete(struct store *s, struct span key, struct error *err)
{
	struct call c = { .s = s, .key = key };
	if (!ready(s, true, key, err))
		return false;
	int rc = run(do_delete, &c);
	return rc == 0 ? true : failed(s, rc, err);
}

/* `after` is copied before *key is emptied. One that is too long for a key is cut: no key lies
 * between. */
bool store_next(struct store *s, struct span prefix, struct span after, struct buf *key,
		struct buf *value, struct error *err)
{
	char copy[STORE_KEY + 1];
	struct call c = { .s = s, .key = prefix, .out = key, .value = value };
	c.more = (struct span){ copy, after.n < sizeof(copy) ? after.n : sizeof(copy) };
	if (c.more.n > 0)
		memcpy(copy, after.p, c.more.n);
	buf_reset(key);
	buf_reset(value);
	if (!ready(s, false, SPAN("any"), err))
		return false;
	if (prefix.n > STORE_KEY)
		return true;
	int rc = run(do_next, &c);
	return rc == 0 ? true : failed(s, rc, err);
}

bool store_commit(struct store *s, int64_t now, bool sync, struct error *err)
{
	struct call c = { .s = s, .time = now };
	if (!ready(s, false, SPAN("any"), err))
		return false;
	if (!s->t.writing) {
		store_abort(s);
		return true;
	}
	int rc = run(do_commit, &c);
	if (rc != 0)
		return failed(s, rc, err);
	s->open = false;
	put_seal(s);
	unlock(s);
	/* Others may go on meanwhile. */
	if (sync && fdatasync(s->fd) != 0)
		return err_set(err, ERR_TEMP, ESC(4, 3, 0), "%s/" FILE_NAME ": %s", s->dir,
			       strerror(errno));
	return true;
}

void store_abort(struct store *s)
{
	if (s->open) {
		end_transaction(s, false);
		unlock(s);
	}
}
