/* SPDX-License-Identifier: ISC */
#include "harness.h"
#include "store/place.h"
#include "store_dir.h"

#define NOBODY 65534

static struct error err;

/* What the directory says when it is opened; "": it is good. */
static const char *open_dir(const char *path)
{
	int fd = -7;
	memset(&err, 0, sizeof(err));
	bool good = place_open(path, &fd, &err);
	CHECK(path, good == (fd >= 0));
	CHECK(path, good || (fd == -7 && err.class == ERR_TEMP && err.code.cls == 4 &&
			     err.code.subject == 3 && err.code.detail == 0));
	if (good) {
		CHECK(path, fcntl(fd, F_GETFD) == FD_CLOEXEC);
		close(fd);
		return "";
	}
	CHECK(path, strncmp(err.text, path, strlen(path)) == 0);
	return err.text + strlen(path);
}

static const char *open_name(const char *name)
{
	int fd = -7, dir_fd = open(store_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *path = dir_path(name);
	memset(&err, 0, sizeof(err));
	bool good = place_file(dir_fd, store_dir, name, &fd, &err);
	close(dir_fd);
	CHECK(name, good == (fd >= 0));
	if (good) {
		CHECK(name, fcntl(fd, F_GETFD) == FD_CLOEXEC);
		close(fd);
		return "";
	}
	CHECK(name, fd == -7 && err.class == ERR_TEMP);
	CHECK(name, strncmp(err.text, path, strlen(path)) == 0);
	return err.text + strlen(path);
}

static void directories(void)
{
	dir_make();
	CHECK_STR("good", open_dir(store_dir), "");
	CHECK_STR("missing", open_dir(dir_path("none")), ": No such file or directory");
	dir_write("file", 0, "x", 1);
	CHECK_STR("a file", open_dir(dir_path("file")), ": Not a directory");
	CHECK("link", symlink(store_dir, dir_path("link")) == 0);
	CHECK_STR("a symbolic link", open_dir(dir_path("link")), ": Not a directory");
	CHECK_STR("no name", open_dir(""), ": No such file or directory");
	static const struct {
		mode_t mode;
		const char *says;
	} modes[] = { { 0755, "" },
		      { 0500, "" },
		      { 0770, ": others may write to it" },
		      { 0702, ": others may write to it" },
		      { 01777, ": others may write to it" } };
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		CHECK("chmod", chmod(store_dir, modes[i].mode) == 0);
		CHECK_STR("mode", open_dir(store_dir), modes[i].says);
	}
	chmod(store_dir, 0700);
	dir_remove();
}

static void files(void)
{
	struct stat st;
	dir_make();
	mode_t mask = umask(0);
	CHECK_STR("made", open_name("new"), "");
	umask(mask);
	CHECK("empty and private", lstat(dir_path("new"), &st) == 0 && st.st_size == 0 &&
					   st.st_mode == (S_IFREG | 0600));
	dir_write("new", 0, "kept", 4);
	CHECK_STR("opened", open_name("new"), "");
	CHECK("as it was", dir_size("new") == 4);
	CHECK("mkdir", mkdir(dir_path("sub"), 0700) == 0);
	CHECK_STR("a directory", open_name("sub"), ": Is a directory");
	CHECK("symlink", symlink("new", dir_path("link")) == 0);
	CHECK_STR("a symbolic link", open_name("link"), ": is a symbolic link");
	CHECK("symlink", symlink("nowhere", dir_path("dangling")) == 0);
	CHECK_STR("a dangling link", open_name("dangling"), ": is a symbolic link");
	CHECK("nothing made through it", dir_size("nowhere") == -1);
	CHECK("mkfifo", mkfifo(dir_path("fifo"), 0600) == 0);
	CHECK_STR("a fifo", open_name("fifo"), ": is not a regular file");
	CHECK("link", link(dir_path("new"), dir_path("second")) == 0);
	CHECK_STR("a hard link", open_name("new"), ": has another name, or none any more");
	CHECK("unlink", unlink(dir_path("second")) == 0);
	CHECK_STR("one name again", open_name("new"), "");
	CHECK("chmod", chmod(dir_path("new"), 0620) == 0);
	CHECK_STR("group", open_name("new"), ": others may write to it");
	CHECK("chmod", chmod(dir_path("new"), 0602) == 0);
	CHECK_STR("others", open_name("new"), ": others may write to it");
	CHECK("chmod", chmod(dir_path("new"), 0644) == 0);
	CHECK_STR("readers do no harm", open_name("new"), "");
	dir_remove();
}

static void same_file(void)
{
	dir_make();
	dir_write("a", 0, "x", 1);
	dir_write("b", 0, "x", 1);
	int dir_fd = open(store_dir, O_RDONLY | O_CLOEXEC),
	    fd = open(dir_path("a"), O_RDONLY | O_CLOEXEC);
	CHECK("itself", place_is(dir_fd, "a", fd));
	CHECK("another", !place_is(dir_fd, "b", fd));
	CHECK("none", !place_is(dir_fd, "c", fd));
	CHECK("symlink", symlink("a", dir_path("c")) == 0);
	CHECK("a link to it is not it", !place_is(dir_fd, "c", fd));
	CHECK("rename", rename(dir_path("b"), dir_path("a")) == 0);
	CHECK("replaced", !place_is(dir_fd, "a", fd));
	close(fd);
	CHECK("no descriptor", !place_is(dir_fd, "a", fd));
	close(dir_fd);
	dir_remove();
}

static void wrong_owner(void)
{
	if (geteuid() != 0) {
		printf("\n    skipped: only root can give files away");
		CU_ASSERT(true);
		return;
	}
	dir_make();
	CHECK_STR("made", open_name("file"), "");
	CHECK("chown", chown(dir_path("file"), NOBODY, NOBODY) == 0);
	CHECK_STR("not ours", open_name("file"), ": belongs to another user");
	CHECK("chown", chown(store_dir, NOBODY, NOBODY) == 0);
	CHECK_STR("not ours", open_dir(store_dir), ": belongs to another user");
	CHECK("chown", chown(store_dir, 0, 0) == 0);
	dir_remove();
}

/* What a child says goes by its exit code, since its checks are not counted. */
static void as_nobody(void *ctx)
{
	(void)ctx;
	int fd;
	bool read_only = geteuid() != 0 || (setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
	if (!read_only || !place_open(store_dir, &fd, &err))
		_exit(1);
	if (place_file(fd, store_dir, "new", &fd, &err))
		_exit(2);
	_exit(strcmp(strrchr(err.text, ':'), ": Permission denied") == 0 ? 0 : 3);
}

static void read_only(void)
{
	dir_make();
	CHECK("chown", geteuid() != 0 || chown(store_dir, NOBODY, NOBODY) == 0);
	CHECK("chmod", chmod(store_dir, 0500) == 0);
	CHECK("no file can be made", child_end(child(as_nobody, NULL)) == 0);
	CHECK("none was made", dir_size("new") == -1);
	chmod(store_dir, 0700);
	dir_remove();
}

TEST_MAIN("place", { "directories", directories }, { "files", files }, { "same file", same_file },
	  { "wrong owner", wrong_owner }, { "read-only", read_only })
