/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flow/password.h"

static bool refuse(struct error *err, const char *path, const char *why)
{
	return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "password_file %.300s: %s", path, why);
}

static bool check_owner(const struct stat *st, const char *path, struct error *err)
{
	uid_t us = geteuid();
	char why[100];
	if (!S_ISREG(st->st_mode))
		return refuse(err, path, "not a regular file");
	if (st->st_uid != 0 && st->st_uid != us) {
		snprintf(why, sizeof(why), "must belong to root or to user id %lu; chown it",
			 (unsigned long)us);
		return refuse(err, path, why);
	}
	if (st->st_mode & S_IRWXO)
		return refuse(err, path, "is open to everybody; chmod o= it");
	if (st->st_mode & S_IWGRP)
		return refuse(err, path, "can be written by its group; chmod g-w it");
	return true;
}

static bool open_file(const char *path, int *ret, struct error *err)
{
	struct stat st;
	/* Without O_NONBLOCK a FIFO would hold us here. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return refuse(err, path, strerror(errno));
	bool good = fstat(fd, &st) == 0 ? check_owner(&st, path, err)
					: refuse(err, path, strerror(errno));
	if (good)
		*ret = fd;
	else
		close(fd);
	return good;
}

bool password_check(const char *path, struct error *err)
{
	int fd = -1;
	if (!open_file(path, &fd, err))
		return false;
	close(fd);
	return true;
}

/* As much of the file as a password and its line end could take, and one byte. */
static bool read_start(int fd, char *text, size_t size, size_t *ret_n, const char *path,
		       struct error *err)
{
	size_t n = 0;
	ssize_t got = 1;
	while (got > 0 && n < size) {
		got = read(fd, text + n, size - n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got < 0)
			return refuse(err, path, strerror(errno));
		else
			n += (size_t)got;
	}
	*ret_n = n;
	return true;
}

static bool take_line(const char *text, size_t n, char *ret, const char *path, struct error *err)
{
	const char *lf = memchr(text, '\n', n);
	size_t length = lf ? (size_t)(lf - text) : n;
	if (lf && length > 0 && text[length - 1] == '\r')
		length--;
	if (length == 0)
		return refuse(err, path, "its first line is empty");
	if (length > PASSWORD_MOST)
		return refuse(err, path, "its first line is longer than 255 bytes");
	if (memchr(text, '\0', length))
		return refuse(err, path, "its first line holds a NUL");
	memcpy(ret, text, length);
	ret[length] = '\0';
	return true;
}

bool password_read(const char *path, char ret[static PASSWORD_MOST + 1], struct error *err)
{
	char text[PASSWORD_MOST + 3]; /* with CR, LF, or what shows that it is too long */
	size_t n = 0;
	int fd = -1;
	if (!open_file(path, &fd, err))
		return false;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
		close(fd);
		return err_set(err, ERR_INTERNAL, ESC(4, 3, 0), "prctl: %s", strerror(errno));
	}
	bool good = read_start(fd, text, sizeof(text), &n, path, err) &&
		    take_line(text, n, ret, path, err);
	explicit_bzero(text, sizeof(text));
	close(fd);
	return good;
}
