/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/place.h"

static const char *wrong_owner_or_mode(const struct stat *st)
{
	if (st->st_uid != geteuid())
		return "belongs to another user";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "others may write to it";
	return NULL;
}

bool place_open(const char *dir, int *ret_fd, struct error *err)
{
	struct stat st;
	const char *wrong = NULL;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		wrong = strerror(errno);
	else
		wrong = wrong_owner_or_mode(&st);
	if (!wrong) {
		*ret_fd = fd;
		return true;
	}
	if (fd >= 0)
		close(fd);
	return err_set(err, ERR_TEMP, ESC(4, 3, 0), "%s: %s", dir, wrong);
}

/* O_NONBLOCK is for a FIFO or a device, which are refused only once they are open. */
bool place_file(int dir_fd, const char *dir, const char *name, int *ret_fd, struct error *err)
{
	struct stat st;
	const char *wrong = NULL;
	int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(dir_fd, name, flags, 0600);
	if (fd < 0 || fstat(fd, &st) != 0)
		wrong = errno == ELOOP ? "is a symbolic link" : strerror(errno);
	else if (!S_ISREG(st.st_mode))
		wrong = "is not a regular file";
	else if (st.st_nlink != 1)
		wrong = "has another name, or none any more";
	else
		wrong = wrong_owner_or_mode(&st);
	if (!wrong) {
		*ret_fd = fd;
		return true;
	}
	if (fd >= 0)
		close(fd);
	return err_set(err, ERR_TEMP, ESC(4, 3, 0), "%s/%s: %s", dir, name, wrong);
}

bool place_still(int dir_fd, const char *name, const struct stat *open, struct stat *ret_now)
{
	return fstatat(dir_fd, name, ret_now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       open->st_dev == ret_now->st_dev && open->st_ino == ret_now->st_ino;
}

bool place_is(int dir_fd, const char *name, int fd)
{
	struct stat here, there;
	return fstat(fd, &here) == 0 && place_still(dir_fd, name, &here, &there);
}
