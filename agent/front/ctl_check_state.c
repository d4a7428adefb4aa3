/* SPDX-License-Identifier: ISC */
#include "front/ctl_check_state.h"

#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>

static void complain(struct findings *f, const char *fix, const char *dir, const char *what)
{
	findings_add(f, FIND_STATE, FINDING_FAILURE, fix, "%s: %s", dir, what);
}

void check_state(struct findings *f, const char *dir, const char *user)
{
	struct stat st;
	const char *of = user ? user : "mxdirect";
	const char *fix = page_fmt(f->page, "install -d -o %s -g %s -m 700 %s", of, of, dir);
	const struct passwd *pw = user ? getpwnam(user) : NULL;
	f->about = "Memory";
	if (!dir[0])
		findings_add(f, FIND_STATE, FINDING_WARNING,
			     "Set state_directory, unless that is what you want.",
			     "state_directory is empty");
	else if (lstat(dir, &st) != 0)
		complain(f, fix, dir, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		complain(f, fix, dir, "no directory");
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		complain(f, fix, dir, "others than its owner may write to it");
	else if (pw && st.st_uid != pw->pw_uid)
		complain(
			f, fix, dir,
			page_fmt(f->page, "it does not belong to %s, as whom mxdirect runs", user));
	else
		findings_add(f, FIND_STATE, FINDING_OK, NULL, "%s%s%s", dir,
			     pw ? " belongs to " : " is there", pw ? user : "");
}
