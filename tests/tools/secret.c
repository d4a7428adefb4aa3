/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mxauth.h"
#include "play.h"
#include "secret.h"

#define SHORTEST 6 /* bytes of a secret: less may stand anywhere */

void secret_parse(const char *text, struct secret *ret)
{
	size_t n;
	char **word = words_split(text, &n);
	size_t i = 1;
	*ret = (struct secret){ .mode = 0600, .owner = -1 };
	for (; i < n; i++) {
		if (strncmp(word[i], "mode=", 5) == 0)
			ret->mode = (unsigned)strtoul(word[i] + 5, NULL, 8);
		else if (strncmp(word[i], "owner=", 6) != 0)
			break;
		else if (!parse_number(word[i] + 6, &ret->owner))
			die("not a user id: %s", word[i]);
	}
	if (i + 1 != n)
		die("secret NAME [mode=OCTAL] [owner=UID] TEXT, not %s", text);
	ret->file = word[0];
	unescape(word[i], NULL, &ret->text);
	if (ret->text.n < SHORTEST)
		die("a secret of %d bytes at least", SHORTEST);
}

static char *path_of(const struct run *r, const struct secret *s)
{
	return xprintf("%s/%s", r->lab->names.dir, s->file);
}

void secrets_write(const struct run *r, size_t turn)
{
	for (size_t i = 0; i < r->story->nsecret; i++) {
		const struct secret *s = &r->story->secret[i];
		if (s->turn != turn)
			continue;
		char *path = path_of(r, s);
		unlink(path);
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 || write(fd, s->text.p, s->text.n) != (ssize_t)s->text.n ||
		    write(fd, "\n", 1) != 1 || fchmod(fd, s->mode) != 0 ||
		    (s->owner >= 0 && fchown(fd, (uid_t)s->owner, (gid_t)-1) != 0))
			die("cannot write %s", path);
		close(fd);
		free(path);
	}
}

void secrets_remove(const struct run *r)
{
	for (size_t i = 0; i < r->story->nsecret; i++) {
		char *path = path_of(r, &r->story->secret[i]);
		unlink(path);
		free(path);
	}
}

/* What is in base64 wherever `s` is in what was encoded, when `before` bytes modulo 3 stand in
 * front of it: the characters that no neighbour has a part in. */
static void encoded(const struct secret *s, size_t before, struct bytes *out)
{
	struct bytes plain = { 0 }, whole = { 0 };
	bytes_add(&plain, "\0\0", before);
	bytes_add(&plain, s->text.p, s->text.n);
	base64_put(&whole, plain.p, plain.n);
	size_t from = (before * 8 + 5) / 6, to = plain.n * 8 / 6;
	bytes_add(out, whole.p + from, to - from);
	bytes_free(&plain);
	bytes_free(&whole);
}

static bool holds(const struct secret *s, const struct bytes *text)
{
	bool found = text->n && memmem(text->p, text->n, s->text.p, s->text.n);
	for (size_t before = 0; before < 3 && text->n && !found; before++) {
		struct bytes code = { 0 };
		encoded(s, before, &code);
		found = memmem(text->p, text->n, code.p, code.n) != NULL;
		bytes_free(&code);
	}
	return found;
}

static void look(struct child *c, const struct bytes *text, const char *where)
{
	for (size_t i = 0; i < c->run->story->nsecret; i++) {
		const struct secret *s = &c->run->story->secret[i];
		if (holds(s, text))
			run_trouble(c->run, "%sthe secret %s is in %s", check_prefix(c), s->file,
				    where);
	}
}

static void look_in_file(struct child *c, const char *folder, const char *name)
{
	char in[65536];
	char *path = xprintf("%s/%s", folder, name);
	struct bytes text = { 0 };
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	while (fd >= 0 && (n = read(fd, in, sizeof(in))) > 0)
		bytes_add(&text, in, (size_t)n);
	if (fd >= 0)
		close(fd);
	look(c, &text, name);
	bytes_free(&text);
	free(path);
}

/* What is remembered for later runs. */
static void look_in_state(struct child *c)
{
	char *folder = xprintf("%s/state", c->run->lab->names.dir);
	DIR *d = opendir(folder);
	const struct dirent *e;
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			look_in_file(c, folder, e->d_name);
	if (d)
		closedir(d);
	free(folder);
}

void secrets_check(struct child *c)
{
	const struct mx *mx = &c->run->mx;
	if (c->run->story->nsecret == 0)
		return;
	look(c, &c->output, "what it said");
	look(c, &c->log, "its trace");
	look(c, &c->foretold, "the plan");
	look(c, &c->run->collector.got, "a TLS report");
	for (size_t i = 0; i < mx->nconn; i++)
		if (mx->conn[i].of == c)
			look(c, &mx->conn[i].clear, "what a host heard without TLS");
	if (c->run->story->has_state)
		look_in_state(c);
}
