/* SPDX-License-Identifier: ISC */
/* The rules that a directory and the files in it must obey before anything in them is believed:
 * ours (the effective user's), writable by nobody else, no symbolic link, and each file a regular
 * one with a single name. */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include <sys/stat.h>

#include "base/err.h"

/* TEMP 4.3.0: "DIR: ...". Symbolic links on the way to DIR are followed, DIR itself may not be one.
 */
MUST_CHECK bool place_open(const char *dir, int *ret_fd, struct error *err);

/* To read and write; made with mode 0600 when it is missing. TEMP 4.3.0: "DIR/NAME: ...". */
MUST_CHECK bool place_file(int dir_fd, const char *dir, const char *name, int *ret_fd,
			   struct error *err);

/* Does `name` still stand for the file that is open as `fd`? */
bool place_is(int dir_fd, const char *name, int fd);

/* The same for whoever asks often: *open is what fstat() once said of the descriptor. *ret_now: the
 * file as it is now. */
bool place_still(int dir_fd, const char *name, const struct stat *open, struct stat *ret_now);

#endif
