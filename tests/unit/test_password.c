/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flow/password.h"
#include "harness.h"

static char dir[40];

static const char *place(struct arena *a, const char *name)
{
	return arena_fmt(a, "%s/%s", dir, name);
}

static const char *put(struct arena *a, const char *name, struct span text, mode_t mode)
{
	const char *path = place(a, name);
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(name, fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n);
	CHECK(name, fchmod(fd, mode) == 0);
	close(fd);
	return path;
}

static struct arena *begin(void)
{
	memcpy(dir, "/tmp/test_password.XXXXXX", 26);
	CHECK("folder", mkdtemp(dir) != NULL);
	return arena_open(LIMIT_ARENA);
}

static void end(struct arena *a, const char *const *names)
{
	for (; *names; names++)
		unlink(place(a, *names));
	CHECK("clean", rmdir(dir) == 0);
	arena_close(a);
}
#define END(a, ...) end((a), (const char *const[]){ __VA_ARGS__, NULL })

/* password_check() and password_read() refuse the same files with the same words. */
static void check_refused(struct arena *a, const char *path, const char *why)
{
	char got[PASSWORD_MOST + 1] = "untouched";
	struct error err = { 0 };
	const char *want = arena_fmt(a, "password_file %s: %s", path, why);
	CHECK(why, !password_check(path, &err));
	CHECK_STR(why, err.text, want);
	CHECK(why, err.class == ERR_CONFIG && err.code.cls == 4 && err.code.subject == 3 &&
			   err.code.detail == 5);
	err = (struct error){ 0 };
	CHECK(why, !password_read(path, got, &err) && err.class == ERR_CONFIG);
	CHECK_STR(why, err.text, want);
	CHECK_STR(why, got, "untouched");
}

static void test_modes(void)
{
	struct arena *a = begin();
	for (mode_t mode = 0400; mode <= 0777; mode++) {
		const char *path = put(a, "file", SPAN("secret\n"), mode);
		struct error err = { 0 };
		if (!(mode & 0400))
			continue;
		if (mode & 0007)
			check_refused(a, path, "is open to everybody; chmod o= it");
		else if (mode & 0020)
			check_refused(a, path, "can be written by its group; chmod g-w it");
		else
			CHECK("good", password_check(path, &err) && err.class == ERR_NONE);
	}
	END(a, "file");
}

static void test_files(void)
{
	struct arena *a = begin();
	struct error err = { 0 };
	char got[PASSWORD_MOST + 1];
	check_refused(a, place(a, "none"), "No such file or directory");
	check_refused(a, dir, "not a regular file");
	CHECK("fifo", mkfifo(place(a, "fifo"), 0600) == 0);
	check_refused(a, place(a, "fifo"), "not a regular file");
	check_refused(a, "/dev/null", "not a regular file");
	const char *file = put(a, "file", SPAN("secret\n"), 0400);
	check_refused(a, arena_fmt(a, "%s/x", file), "Not a directory");
	CHECK("link", symlink(file, place(a, "link")) == 0);
	CHECK("link", password_check(place(a, "link"), &err));
	CHECK("link", password_read(place(a, "link"), got, &err));
	CHECK_STR("link", got, "secret");
	CHECK("dangling", unlink(file) == 0);
	check_refused(a, place(a, "link"), "No such file or directory");
	if (geteuid() != 0)
		check_refused(a, put(a, "shut", SPAN("x"), 0), "Permission denied");
	END(a, "fifo", "file", "link", "shut");
}

/* Only root can give a file away. */
static void test_owner(void)
{
	struct arena *a = begin();
	const char *path = put(a, "file", SPAN("secret\n"), 0600);
	struct error err = { 0 };
	if (geteuid() == 0) {
		CHECK("give away", chown(path, 4711, 0) == 0);
		check_refused(a, path, "must belong to root or to user id 0; chown it");
		CHECK("take", chown(path, 0, 4711) == 0);
	}
	CHECK("own", password_check(path, &err));
	END(a, "file");
}

static void test_lines(void)
{
	static const struct {
		const char *label;
		struct span text;
		const char *want, *error;
	} t[] = {
		{ "one line", SPAN("secret\n"), "secret", NULL },
		{ "no line end", SPAN("secret"), "secret", NULL },
		{ "CRLF", SPAN("secret\r\n"), "secret", NULL },
		{ "CR alone stays", SPAN("secret\r"), "secret\r", NULL },
		{ "two CR", SPAN("secret\r\r\n"), "secret\r", NULL },
		{ "blanks stay", SPAN(" se cret \t\n"), " se cret \t", NULL },
		{ "first line only", SPAN("first\nsecond\n"), "first", NULL },
		{ "UTF-8", SPAN("p\xc3\xa4ss\n"), "p\xc3\xa4ss", NULL },
		{ "any byte", SPAN("\x01\xff#\"\\\n"), "\x01\xff#\"\\", NULL },
		{ "NUL behind the line", SPAN("x\n\0"), "x", NULL },
		{ "empty file", SPAN(""), NULL, "its first line is empty" },
		{ "empty line", SPAN("\nsecret\n"), NULL, "its first line is empty" },
		{ "CRLF only", SPAN("\r\n"), NULL, "its first line is empty" },
		{ "NUL", SPAN("a\0b\n"), NULL, "its first line holds a NUL" },
		{ "NUL first", SPAN("\0\n"), NULL, "its first line holds a NUL" },
	};
	struct arena *a = begin();
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const char *path = put(a, "file", t[i].text, 0600);
		char got[PASSWORD_MOST + 1] = "untouched";
		struct error err = { 0 };
		CHECK(t[i].label, password_read(path, got, &err) == !t[i].error);
		CHECK_STR(t[i].label, got, t[i].want ? t[i].want : "untouched");
		CHECK_STR(t[i].label, err.text,
			  t[i].error ? arena_fmt(a, "password_file %s: %s", path, t[i].error) : "");
		CHECK(t[i].label, (err.class == ERR_CONFIG) == (t[i].error != NULL));
	}
	END(a, "file");
}

static void test_lengths(void)
{
	static const char *const ends[] = { "", "\n", "\r\n", "\nmore" };
	struct arena *a = begin();
	char text[600], got[PASSWORD_MOST + 1];
	for (size_t n = 1; n < 520; n++) {
		for (size_t k = 0; k < 4; k++) {
			struct error err = { 0 };
			memset(text, 'x', n);
			memcpy(text + n, ends[k], strlen(ends[k]));
			struct span all = { text, n + strlen(ends[k]) };
			bool good = password_read(put(a, "file", all, 0600), got, &err);
			CHECK("length", good == (n <= PASSWORD_MOST));
			CHECK("length", good ? strlen(got) == n : err.class == ERR_CONFIG);
			if (!good)
				CHECK("told", strstr(err.text, "longer than 255 bytes") != NULL);
		}
	}
	END(a, "file");
}

static void test_no_core(void)
{
	struct arena *a = begin();
	const char *path = put(a, "file", SPAN("secret\n"), 0600);
	char got[PASSWORD_MOST + 1];
	struct error err = { 0 };
	CHECK("dumpable", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	CHECK("a check", password_check(path, &err) && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1);
	CHECK("a secret",
	      password_read(path, got, &err) && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	CHECK("dumpable again", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	END(a, "file");
}

static void test_no_descriptor_left(void)
{
	struct arena *a = begin();
	const char *good = put(a, "good", SPAN("secret\n"), 0600);
	const char *bad = put(a, "bad", SPAN("\n"), 0600),
		   *open_one = put(a, "open", SPAN("x"), 0644);
	char got[PASSWORD_MOST + 1];
	struct error err;
	int before = dup(0);
	for (int i = 0; i < 10; i++) {
		CHECK("good", password_check(good, &err) && password_read(good, got, &err));
		CHECK("bad", password_check(bad, &err) && !password_read(bad, got, &err));
		CHECK("open",
		      !password_check(open_one, &err) && !password_read(open_one, got, &err));
	}
	close(before);
	int after = dup(0);
	CHECK("as many", before == after);
	close(after);
	END(a, "good", "bad", "open");
}

TEST_MAIN("password", { "modes", test_modes }, { "files", test_files }, { "owner", test_owner },
	  { "lines", test_lines }, { "lengths", test_lengths }, { "no core", test_no_core },
	  { "no descriptor left", test_no_descriptor_left })
