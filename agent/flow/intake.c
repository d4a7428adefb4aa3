/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/digest.h"
#include "flow/intake.h"

#define CHUNK      ((size_t)64 * 1024) /* a pipe holds that much */
#define FIRST_ROOM ((size_t)16 * 1024)
#define LAST_ROOM  ((size_t)LIMIT_SPOOL_MEMORY + 1) /* a buf keeps one byte for itself */
#define CANON_ROOM 4                                /* canon_feed() and canon_finish() */

struct message {
	struct facts facts;
	struct buf buf; /* all of it, or what is not yet in the file; for reading, a window of the
			   file */
	int fd;         /* -1: no file */
	bool shared;    /* the file, or the bytes in memory, are another one's */
	uint64_t size, pos;
};

struct intake {
	int fd;
	struct io *io;
	const struct intake_limits *limits;
	struct message *m;
	struct canon canon;
	struct digest digest;
	bool too_big, too_long; /* the rest is read and dropped */
	struct error failed;    /* the same, for another reason */
	char in[CHUNK];
};

struct intake_limits intake_limits_of(const struct config *c)
{
	return (struct intake_limits){ .size = c->message_size_limit,
				       .line = c->line_length_limit };
}

static bool open_nameless(const char *dir, int *ret)
{
	char path[4096];
	int fd = open(dir, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0) {
		/* A file system without O_TMPFILE. */
		int n = snprintf(path, sizeof(path), "%s/mxdirect-XXXXXX", dir);
		if (n < 0 || (size_t)n >= sizeof(path))
			return false;
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			unlink(path);
	}
	if (fd < 0)
		return false;
	*ret = fd;
	return true;
}

static bool disk_error(struct error *err, const char *what, int why)
{
	bool full = why == ENOSPC || why == EDQUOT || why == EFBIG;
	return err_set(err, ERR_TEMP, full ? ESC(4, 3, 1) : ESC(4, 3, 0), "%s: %s", what,
		       strerror(why));
}

static bool open_spool(struct message *m, struct error *err)
{
	const char *dirs[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (dirs[i] && dirs[i][0] && open_nameless(dirs[i], &m->fd))
			return true;
	return disk_error(err, "cannot make a temporary file for the message", errno);
}

/* What is in memory goes to the file. */
static bool spill(struct message *m, struct error *err)
{
	if (m->fd < 0 && !open_spool(m, err))
		return false;
	for (size_t done = 0; done < m->buf.len;) {
		ssize_t n = write(m->fd, m->buf.p + done, m->buf.len - done);
		if (n < 0 && errno != EINTR)
			return disk_error(err, "cannot store the message", errno);
		done += n > 0 ? (size_t)n : 0;
	}
	m->size += m->buf.len;
	buf_reset(&m->buf);
	return true;
}

static bool make_room(struct message *m, struct error *err)
{
	if (m->buf.size >= LAST_ROOM)
		return spill(m, err);
	size_t size = m->buf.size ? m->buf.size * 2 : FIRST_ROOM;
	if (size >= LIMIT_SPOOL_MEMORY)
		size = LAST_ROOM;
	char *p = realloc(m->buf.p, size);
	if (!p)
		return err_nomem(err);
	m->buf.p = p;
	m->buf.size = size;
	return true;
}

static bool over_limits(struct intake *k)
{
	const struct intake_limits *l = k->limits;
	if (l->size && k->m->size + k->m->buf.len > l->size)
		k->too_big = true;
	if (l->line && (k->canon.facts.longest_line > l->line || k->canon.line > l->line))
		k->too_long = true;
	return k->too_big || k->too_long;
}

static bool keep(struct intake *k, struct span in, struct error *err)
{
	while (in.n > 0) {
		size_t used;
		if (over_limits(k))
			return true;
		if (buf_room(&k->m->buf) < CANON_ROOM && !make_room(k->m, err))
			return false;
		size_t before = k->m->buf.len;
		canon_feed(&k->canon, in, &k->m->buf, &used);
		digest_add(&k->digest,
			   (struct span){ k->m->buf.p + before, k->m->buf.len - before });
		in.p += used;
		in.n -= used;
	}
	return true;
}

/* The next bytes of the input; n 0: its end. The descriptor is shared with the host, so its flags
 * are as they are. */
static bool read_some(struct intake *k, struct span *ret, struct error *err)
{
	for (;;) {
		struct pollfd p = { .fd = k->fd, .events = POLLIN };
		enum io_event event = io_poll(k->io, &p, 1, k->limits->until);
		if (event == IO_STOPPED)
			return io_fail(event, err);
		if (event == IO_TIMEOUT)
			return err_set(err, ERR_TEMP, ESC(4, 4, 7),
				       "the message did not end within the time limit");
		ssize_t n = read(k->fd, k->in, sizeof(k->in));
		if (n >= 0) {
			*ret = (struct span){ k->in, (size_t)n };
			return true;
		}
		if (errno != EINTR && errno != EAGAIN)
			return err_set(err, ERR_TEMP, ESC(4, 3, 0), "cannot read the message: %s",
				       strerror(errno));
	}
}

static bool within(const struct intake_limits *l, bool too_big, bool too_long, struct error *err)
{
	if (too_big)
		return err_set(err, ERR_PERM, ESC(5, 3, 4),
			       "the message is larger than %llu bytes (message_size_limit)",
			       (unsigned long long)l->size);
	if (too_long)
		return err_set(err, ERR_PERM, ESC(5, 6, 0),
			       "the message has a line longer than %llu octets (line_length_limit)",
			       (unsigned long long)l->line);
	return true;
}

static bool finish(struct intake *k, struct error *err)
{
	struct message *m = k->m;
	if (!over_limits(k)) {
		if (buf_room(&m->buf) < CANON_ROOM && !make_room(m, err))
			return false;
		size_t before = m->buf.len;
		canon_finish(&k->canon, &m->buf);
		digest_add(&k->digest, (struct span){ m->buf.p + before, m->buf.len - before });
	}
	over_limits(k);
	if (!within(k->limits, k->too_big, k->too_long, err))
		return false;
	if (m->fd >= 0 && !spill(m, err))
		return false;
	m->facts = k->canon.facts;
	m->facts.digest = digest_value(&k->digest);
	m->size = m->fd >= 0 ? m->size : m->buf.len;
	return true;
}

static bool take_in(struct intake *k, struct error *err)
{
	struct span in = { NULL, 0 };
	do {
		if (!read_some(k, &in, err) || !keep(k, in, err))
			return false;
	} while (in.n > 0);
	return true;
}

bool intake_begin(const struct intake_limits *limits, struct intake **ret, struct error *err)
{
	struct message *m = calloc(1, sizeof(*m));
	struct intake *k = malloc(sizeof(*k));
	if (!m || !k) {
		free(m);
		free(k);
		err_nomem(err);
		return false;
	}
	m->fd = -1;
	k->limits = limits;
	k->m = m;
	k->too_big = k->too_long = false;
	k->failed.class = ERR_NONE;
	canon_init(&k->canon);
	digest_init(&k->digest);
	*ret = k;
	return true;
}

void intake_take(struct intake *k, struct span piece)
{
	struct error err;
	if (k->failed.class == ERR_NONE && !keep(k, piece, &err))
		k->failed = err;
}

bool intake_end(struct intake *k, struct message **ret, struct error *err)
{
	struct message *m = k->m;
	bool ok = k->failed.class == ERR_NONE;
	if (ok)
		ok = finish(k, err);
	else
		*err = k->failed;
	free(k);
	if (ok)
		*ret = m;
	else
		message_close(m);
	return ok;
}

void intake_cancel(struct intake *k)
{
	if (!k)
		return;
	message_close(k->m);
	free(k);
}

bool intake_read(int fd, struct io *io, const struct intake_limits *limits, struct message **ret,
		 struct error *err)
{
	struct intake *k;
	if (!intake_begin(limits, &k, err))
		return false;
	k->fd = fd;
	k->io = io;
	if (!take_in(k, err)) {
		intake_cancel(k);
		return false;
	}
	return intake_end(k, ret, err);
}

bool message_fits(const struct message *m, const struct intake_limits *l, struct error *err)
{
	return within(l, l->size && m->facts.size > l->size,
		      l->line && m->facts.longest_line > l->line, err);
}

bool message_share(const struct message *m, struct message **ret, struct error *err)
{
	struct message *copy = malloc(sizeof(*copy));
	if (!copy)
		return err_nomem(err);
	*copy = *m;
	copy->shared = true;
	copy->pos = 0;
	if (m->fd >= 0 && !(copy->buf.p = malloc(CHUNK))) {
		free(copy);
		return err_nomem(err);
	}
	*ret = copy;
	return true;
}

void message_close(struct message *m)
{
	if (!m)
		return;
	if (m->fd >= 0 && !m->shared)
		close(m->fd);
	if (m->fd >= 0 || !m->shared)
		free(m->buf.p);
	free(m);
}

const struct facts *message_facts(const struct message *m)
{
	return &m->facts;
}

void message_rewind(struct message *m)
{
	m->pos = 0;
}

bool message_next(struct message *m, struct span *ret, struct error *err)
{
	uint64_t left = m->size - m->pos;
	size_t want = left < CHUNK ? (size_t)left : CHUNK;
	const char *p = m->fd < 0 ? m->buf.p + m->pos : m->buf.p;
	for (size_t done = 0; m->fd >= 0 && done < want;) {
		ssize_t n = pread(m->fd, m->buf.p + done, want - done, (off_t)(m->pos + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err, ERR_TEMP, ESC(4, 3, 0),
				       "cannot read the stored message: %s",
				       n < 0 ? strerror(errno) : "it is shorter than it was");
		done += (size_t)n;
	}
	m->pos += want;
	*ret = (struct span){ p, want };
	return true;
}
