/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "play.h"
#include "spoil.h"

static const struct {
	const char *name;
	enum spoil_how how;
	char argument; /* n number, o octal number */
	bool folder;   /* it is done to the folder only */
} hows[] = {
	{ "remove", SPOIL_REMOVE, 0, false },       { "empty", SPOIL_EMPTY, 0, false },
	{ "truncate", SPOIL_TRUNCATE, 'n', false }, { "garbage", SPOIL_GARBAGE, 0, false },
	{ "garble", SPOIL_GARBLE, 'n', false },     { "mode", SPOIL_MODE, 'o', false },
	{ "owner", SPOIL_OWNER, 'n', false },       { "link", SPOIL_LINK, 0, false },
	{ "readonly", SPOIL_READONLY, 0, true },    { "full", SPOIL_FULL, 'n', true },
	{ "held", SPOIL_HELD, 0, false },
};

void spoil_parse(const char *text, struct spoil *ret)
{
	size_t n;
	char **word = words_split(text, &n);
	for (size_t i = 0; n > 1 && i < sizeof(hows) / sizeof(hows[0]); i++) {
		if (strcmp(hows[i].name, word[1]) != 0 || n != (hows[i].argument ? 3u : 2u))
			continue;
		bool folder = strcmp(word[0], "folder") == 0;
		if (hows[i].folder && !folder)
			break;
		*ret = (struct spoil){ .how = hows[i].how, .file = folder ? "" : word[0] };
		if (hows[i].argument == 'o')
			ret->n = strtol(word[2], NULL, 8);
		else if (hows[i].argument && !parse_number(word[2], &ret->n))
			break;
		return;
	}
	die("not a damage: %s", text);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	return where->level == 0 && S_ISDIR(st->st_mode) ? 0 : remove(path);
}

/* What is in a folder, and not the folder. */
static void folder_empty(const char *path)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 && errno != ENOENT)
		die("cannot empty %s: %s", path, strerror(errno));
}

void folder_remove(const char *path)
{
	folder_empty(path);
	rmdir(path);
}

void state_remove(const char *dir)
{
	static const char *const names[] = { "state", "state.real" };
	for (size_t i = 0; i < 2; i++) {
		char *path = xprintf("%s/%s", dir, names[i]);
		while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
			;
		if (unlink(path) != 0 && errno == EISDIR)
			folder_remove(path);
		free(path);
	}
}

void state_make(const char *dir)
{
	char *path = xprintf("%s/state", dir);
	state_remove(dir);
	if (mkdir(path, 0700) != 0)
		die("cannot make %s: %s", path, strerror(errno));
	free(path);
}

/* Other bytes from byte `from` on, the same in each run. */
static bool scribble(const char *path, off_t from)
{
	struct stat st;
	unsigned noise = 1;
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && fstat(fd, &st) == 0;
	for (off_t at = from; ok && at < st.st_size; at += 4096) {
		unsigned char page[4096];
		size_t n = st.st_size - at < 4096 ? (size_t)(st.st_size - at) : sizeof(page);
		for (size_t i = 0; i < n; i++) {
			noise = noise * 1103515245u + 12345u;
			page[i] = (unsigned char)(noise >> 16);
		}
		ok = pwrite(fd, page, n, at) == (ssize_t)n;
	}
	if (fd >= 0)
		close(fd);
	return ok;
}

/* The path leads to it through a symbolic link now. */
static bool make_link(const char *path)
{
	char *real = xprintf("%s.real", path);
	bool ok = rename(path, real) == 0 && symlink(real, path) == 0;
	free(real);
	return ok;
}

static bool make_full(const char *path, int64_t bytes)
{
	char *options = xprintf("size=%lld,mode=0700", (long long)bytes);
	bool ok = mount("none", path, "tmpfs", 0, options) == 0;
	free(options);
	return ok;
}

static bool hold(struct run *r, const char *path)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	r->held = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return r->held >= 0 && fcntl(r->held, F_OFD_SETLK, &all) == 0;
}

static bool do_spoil(struct run *r, const struct spoil *s, const char *path)
{
	bool folder = !s->file[0];
	switch (s->how) {
	case SPOIL_REMOVE:
		if (folder)
			folder_empty(path);
		return remove(path) == 0;
	case SPOIL_EMPTY:
		if (folder)
			folder_empty(path);
		return folder || truncate(path, 0) == 0;
	case SPOIL_TRUNCATE:
		return truncate(path, s->n) == 0;
	case SPOIL_GARBAGE:
	case SPOIL_GARBLE:
		return scribble(path, s->n);
	case SPOIL_MODE:
		return chmod(path, (mode_t)s->n) == 0;
	case SPOIL_OWNER:
		return chown(path, (uid_t)s->n, (gid_t)-1) == 0;
	case SPOIL_LINK:
		return make_link(path);
	case SPOIL_READONLY:
		return mount(path, path, NULL, MS_BIND, NULL) == 0 &&
		       mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0;
	case SPOIL_FULL:
		return make_full(path, s->n);
	case SPOIL_HELD:
		return hold(r, path);
	}
	return false;
}

void spoil_apply(struct run *r, const struct spoil *s)
{
	const char *dir = r->lab->names.dir;
	char *path = s->file[0] ? xprintf("%s/state/%s", dir, s->file) : xprintf("%s/state", dir);
	run_note(r, "spoil %s: %d %lld", path, (int)s->how, (long long)s->n);
	/* With faults it may never have been made. */
	if (!do_spoil(r, s, path) && !run_faulty(r))
		run_trouble(r, "cannot spoil %s: %s", path, strerror(errno));
	free(path);
}

void spoil_end(struct run *r)
{
	if (r->held > 0)
		close(r->held);
	r->held = 0;
}
