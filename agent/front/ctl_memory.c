/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flow/memory.h"
#include "front/ctl_memory.h"

#define PATIENCE_MS 5000 /* a person waits longer than a delivery */

static bool trouble(struct error *err, const char *dir, const char *what)
{
	return err_set(err, ERR_TEMP, ESC(4, 3, 0), "%s: %s%s", dir, what, strerror(errno));
}

/* What root makes there would belong to root, and the deliveries could not open it. The
 * supplementary groups go as well: they are root's. */
static bool become_owner(const char *dir, const struct stat *st, struct error *err)
{
	if (geteuid() != 0 || st->st_uid == 0)
		return true;
	if (setgroups(1, &st->st_gid) || setegid(st->st_gid) || seteuid(st->st_uid))
		return trouble(err, dir, "cannot become its owner: ");
	return true;
}

/* *ret_there false: no such directory or file. */
static bool look(const char *dir, const char *file, bool *ret_there, struct error *err)
{
	struct stat st;
	*ret_there = false;
	if (stat(dir, &st)) /* errno decides below */
		return errno == ENOENT || trouble(err, dir, "");
	if (!become_owner(dir, &st, err))
		return false;
	if (stat(file, &st))
		return errno == ENOENT || trouble(err, file, "");
	*ret_there = true;
	return true;
}

bool ctl_memory_look(struct arena *a, const char *dir, const char **ret_absent, struct error *err)
{
	bool there = false;
	const char *absent = "state_directory is empty";
	if (dir[0]) {
		const char *file = arena_fmt(a, "%s/memory.mdb", dir);
		absent = file ? arena_fmt(a, "there is no %s", file) : NULL;
		if (!absent)
			return err_nomem(err);
		if (!look(dir, file, &there, err))
			return false;
	}
	*ret_absent = there ? NULL : absent;
	return true;
}

bool ctl_memory_open(struct arena *a, const struct ctl *c, struct ctl_memory *ret,
		     struct error *err)
{
	struct config config;
	struct ctl_memory m = { .store = NULL };
	if (!ctl_config(a, c, &config, err) ||
	    !ctl_memory_look(a, config.state_directory, &m.absent, err))
		return false;
	const struct store_options o = {
		.dir = config.state_directory,
		.max_bytes = MEMORY_FILE,
		.patience_ms = PATIENCE_MS,
	};
	if (!m.absent && !store_open(&o, &m.store, err))
		return false;
	*ret = m;
	return true;
}

void ctl_memory_close(struct ctl_memory *m)
{
	store_close(m->store);
	m->store = NULL;
}

struct loaded { /* on the way to an array */
	struct loaded *next;
	struct item item;
};
struct loading {
	struct arena *a;
	const struct subject *subject;
	int64_t now;
	struct loaded *list;
	size_t n;
	struct buf key, next, value;
	char key_room[STORE_KEY + 1], next_room[STORE_KEY + 1], value_room[STORE_VALUE + 1];
};

static bool take(struct loading *l, struct error *err)
{
	struct item it;
	bool known;
	if (!item_read(l->a, buf_view(&l->key), buf_view(&l->value), &it, &known, err))
		return false;
	if (!known || (l->subject && subject_tie(l->subject, &it) == SUBJECT_NONE))
		return true;
	struct loaded *one = ARENA_NEW(l->a, struct loaded, 1);
	if (!one)
		return err_nomem(err);
	*one = (struct loaded){ l->list, it };
	l->list = one;
	l->n++;
	return true;
}

static bool walk(struct store *s, struct loading *l, struct error *err)
{
	static const struct span all = { NULL, 0 };
	buf_init(&l->key, l->key_room, sizeof(l->key_room));
	buf_init(&l->next, l->next_room, sizeof(l->next_room));
	buf_init(&l->value, l->value_room, sizeof(l->value_room));
	for (;;) {
		if (!store_next(s, all, buf_view(&l->key), &l->next, &l->value, err))
			return false;
		if (l->next.len == 0)
			return true;
		buf_reset(&l->key);
		buf_add(&l->key, buf_view(&l->next));
		/* Again by its key: that passes over what is past its time. */
		if (!store_get(s, buf_view(&l->key), l->now, &l->value, err))
			return false;
		if (l->value.len > 0 && !take(l, err))
			return false;
	}
}

bool ctl_memory_load(struct ctl_memory *m, struct arena *a, const struct subject *subject,
		     int64_t now, struct items *ret, struct error *err)
{
	struct items items = { 0 };
	struct loading *l = ARENA_NEW(a, struct loading, 1);
	if (!l)
		return err_nomem(err);
	l->a = a;
	l->subject = subject;
	l->now = now;
	if (m->store && !walk(m->store, l, err))
		return false;
	items.item = ARENA_NEW(a, struct item, l->n + 1);
	if (!items.item)
		return err_nomem(err);
	for (const struct loaded *one = l->list; one; one = one->next)
		items.item[items.n++] = one->item;
	items_sort(&items);
	*ret = items;
	return true;
}
