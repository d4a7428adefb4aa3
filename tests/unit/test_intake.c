/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flow/intake.h"

#include "harness.h"

static struct io io = { .stop_fd = -1 };
static struct deadline later;

static void set_up(void)
{
	io = (struct io){ .clock = clock_system(), .stop_fd = -1 };
	later = deadline_in(io_now(&io), 60000);
}

static int file_of(struct span s)
{
	int fd = memfd_create("input", MFD_CLOEXEC);
	CU_ASSERT_FATAL(fd >= 0);
	for (size_t done = 0; done < s.n;) {
		ssize_t n = write(fd, s.p + done, s.n - done);
		CU_ASSERT_FATAL(n > 0);
		done += (size_t)n;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static bool take(int fd, uint64_t size, uint64_t line, struct message **ret, struct error *err)
{
	const struct intake_limits limits = { size, line, later };
	*err = (struct error){ 0 };
	return intake_read(fd, &io, &limits, ret, err);
}

static bool is_error(const struct error *err, enum err_class class, struct esc code)
{
	if (err->class == class && err->code.cls == code.cls && err->code.subject == code.subject &&
	    err->code.detail == code.detail && err->text[0])
		return true;
	printf("\n    got: %u.%u.%u %s", err->code.cls, err->code.subject, err->code.detail,
	       err->text);
	return false;
}

/* The whole message; *ret_ok: every piece was of a proper size. */
static struct span content(struct message *m, bool *ret_ok)
{
	size_t room = (size_t)message_facts(m)->size + 1, n = 0;
	char *p = malloc(room);
	struct span piece;
	struct error err;
	*ret_ok = p != NULL;
	do {
		if (!p || !message_next(m, &piece, &err) || piece.n > 65536 || piece.n > room - n) {
			*ret_ok = false;
			break;
		}
		memcpy(p + n, piece.p, piece.n);
		n += piece.n;
	} while (piece.n > 0);
	return (struct span){ p, n };
}

static void check_content(const char *label, struct message *m, struct span want)
{
	for (int round = 0; round < 2; round++) {
		bool ok;
		struct span got = content(m, &ok);
		CHECK(label, ok && span_equal(got, want));
		free((void *)(uintptr_t)got.p);
		message_rewind(m);
	}
	CHECK(label, message_facts(m)->size == want.n);
}

static void test_small(void)
{
	static const struct {
		const char *label, *in, *want;
	} cases[] = {
		{ "empty", "", "" },
		{ "LF", "a: b\n\nc\n", "a: b\r\n\r\nc\r\n" },
		{ "CRLF", "a: b\r\n\r\nc\r\n", "a: b\r\n\r\nc\r\n" },
		{ "no final newline", "a: b\n\nc", "a: b\r\n\r\nc\r\n" },
		{ "ends inside its header", "a: b", "a: b\r\n" },
		{ "bare CR", "a: b\n\nc\rd\n", "a: b\r\n\r\nc d\r\n" },
		{ "dots stay", "a: b\n\n.\n..\n", "a: b\r\n\r\n.\r\n..\r\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message *m = NULL;
		struct error err;
		int fds[2];
		CU_ASSERT_FATAL(pipe(fds) == 0);
		size_t n = strlen(cases[i].in);
		CHECK(cases[i].label, write(fds[1], cases[i].in, n) == (ssize_t)n);
		close(fds[1]);
		bool ok = take(fds[0], 0, 0, &m, &err);
		CHECK(cases[i].label, ok);
		if (ok)
			check_content(cases[i].label, m, span_of(cases[i].want));
		message_close(m);
		close(fds[0]);
	}
}

static void test_facts(void)
{
	static const char in[] = "Subject: gr\xc3\xbc\xc3\x9f\n\n\0x\r123456789";
	struct message *m = NULL;
	struct error err;
	int fd = file_of((struct span){ in, sizeof(in) - 1 });
	CU_ASSERT_FATAL(take(fd, 0, 0, &m, &err));
	const struct facts *f = message_facts(m);
	CHECK("facts", f->header_utf8 && f->has_8bit && f->has_nul && f->had_bare_cr &&
			       f->added_final_newline);
	CHECK("facts", f->longest_line == 15);
	message_close(m);
	close(fd);
}

static int names_in(const char *dir)
{
	int n = 0;
	DIR *d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return d ? n : -1;
}

/* 77 octets and an LF become 79, so that cuts fall everywhere. */
static struct span make_lines(size_t lines, char *in, char *want)
{
	for (size_t i = 0; i < lines; i++) {
		memset(in + i * 78, (int)('a' + i % 26), 77);
		in[i * 78 + 77] = '\n';
		memset(want + i * 79, (int)('a' + i % 26), 77);
		memcpy(want + i * 79 + 77, "\r\n", 2);
	}
	return (struct span){ want, lines * 79 };
}

/* Around each size at which the memory grows and the file begins. */
static void test_sizes(void)
{
	static const size_t sizes[] = {
		16 * 1024, 32 * 1024, 64 * 1024, LIMIT_SPOOL_MEMORY, 2 * LIMIT_SPOOL_MEMORY, 3000000
	};
	char dir[] = "/tmp/test-intake-XXXXXX";
	char *in = malloc(3200000), *want = malloc(3200000);
	CU_ASSERT_FATAL(mkdtemp(dir) && in && want);
	setenv("TMPDIR", dir, 1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t more = 0; more < 160; more += 3) {
			size_t lines = sizes[i] / 79;
			struct span all = make_lines(lines + 2, in, want);
			/* The end: a line of any length without its newline. */
			size_t last = lines * 78 + more / 2;
			if (last % 78 == 0)
				last++;
			all.n = last / 78 * 79 + last % 78 + 2;
			char saved[2];
			memcpy(saved, want + all.n - 2, 2);
			memcpy(want + all.n - 2, "\r\n", 2);
			int fd = file_of((struct span){ in, last });
			struct message *m = NULL;
			struct error err;
			bool ok = take(fd, 0, 0, &m, &err);
			CHECK("size", ok && names_in(dir) == 0);
			if (ok)
				check_content("size", m, all);
			message_close(m);
			close(fd);
			if (more > 0 && sizes[i] > LIMIT_SPOOL_MEMORY)
				break;
		}
	free(in);
	free(want);
	CHECK("no name was left", rmdir(dir) == 0);
	unsetenv("TMPDIR");
}

static void test_limits(void)
{
	static const char in[] = "a: b\n\n12345\n123\n"; /* 20 canonical bytes, longest line 5 */
	static const struct {
		const char *label;
		uint64_t size, line;
		struct esc code; /* 0: taken */
	} cases[] = {
		{ "none", 0, 0, { 0, 0, 0 } },     { "just fits", 20, 5, { 0, 0, 0 } },
		{ "too big", 19, 0, { 5, 3, 4 } }, { "far too big", 1, 0, { 5, 3, 4 } },
		{ "too long", 0, 4, { 5, 6, 0 } }, { "both", 1, 1, { 5, 3, 4 } },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message *m = NULL;
		struct error err;
		int fd = file_of(SPAN(in));
		bool ok = take(fd, cases[i].size, cases[i].line, &m, &err);
		CHECK(cases[i].label, ok == (cases[i].code.cls == 0));
		CHECK(cases[i].label, ok || is_error(&err, ERR_PERM, cases[i].code));
		CHECK(cases[i].label, ok || m == NULL);
		CHECK(cases[i].label, lseek(fd, 0, SEEK_CUR) == (off_t)sizeof(in) - 1);
		message_close(m);
		close(fd);
	}
}

/* What is over a limit is read to its end, so that the host is not cut off, but takes no room. */
static void test_big_over_limit(void)
{
	size_t n = 8 * 1024 * 1024;
	char *in = malloc(n);
	CU_ASSERT_FATAL(in != NULL);
	memset(in, 'x', n);
	setenv("TMPDIR", "/nonexistent", 1);
	struct rlimit none = { 0, 0 }, old;
	getrlimit(RLIMIT_FSIZE, &old);
	int fd = file_of((struct span){ in, n });
	none.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &none);
	struct message *m = NULL;
	struct error err;
	CHECK("size", !take(fd, 1000, 0, &m, &err) && is_error(&err, ERR_PERM, ESC(5, 3, 4)));
	CHECK("size", lseek(fd, 0, SEEK_CUR) == (off_t)n);
	lseek(fd, 0, SEEK_SET);
	CHECK("line", !take(fd, 0, 998, &m, &err) && is_error(&err, ERR_PERM, ESC(5, 6, 0)));
	CHECK("line", lseek(fd, 0, SEEK_CUR) == (off_t)n);
	lseek(fd, 0, SEEK_SET);
	/* The same without limits does not fit the disk. */
	CHECK("disk", !take(fd, 0, 0, &m, &err) && is_error(&err, ERR_TEMP, ESC(4, 3, 1)));
	setrlimit(RLIMIT_FSIZE, &old);
	lseek(fd, 0, SEEK_SET);
	/* TMPDIR leads nowhere; the next place does. */
	CHECK("another place", take(fd, 0, 0, &m, &err) && message_facts(m)->size == n + 2);
	message_close(m);
	close(fd);
	free(in);
	unsetenv("TMPDIR");
}

/* In a process of its own: a file system of its own with 256 KiB. 0: as it must be; 2: not allowed
 * here. */
static int fill_disk(const char *dir)
{
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", dir, "tmpfs", 0, "size=256k") != 0)
		return 2;
	setenv("TMPDIR", dir, 1);
	size_t n = 2 * LIMIT_SPOOL_MEMORY;
	char *in = calloc(1, n);
	struct message *m = NULL;
	struct error err;
	int fd = in ? file_of((struct span){ in, n }) : -1;
	free(in);
	bool failed = !take(fd, 0, 0, &m, &err);
	close(fd);
	message_close(m);
	return failed && is_error(&err, ERR_TEMP, ESC(4, 3, 1)) ? 0 : 1;
}

static void test_full_disk(void)
{
	char dir[] = "/tmp/test-intake-XXXXXX";
	CU_ASSERT_FATAL(mkdtemp(dir) != NULL);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0)
		_exit(fill_disk(dir));
	int status = -1;
	waitpid(pid, &status, 0);
	CHECK("full", WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		printf("\n    (no private mounts here: the full disk is not tested)");
	rmdir(dir);
}

static void test_trouble(void)
{
	struct message *m = NULL;
	struct error err;
	int fds[2], stop[2];
	int fd = open("/dev/null", O_WRONLY);
	CHECK("not for reading", !take(fd, 0, 0, &m, &err));
	CHECK("not for reading", is_error(&err, ERR_TEMP, ESC(4, 3, 0)));
	close(fd);
	fd = open("/", O_RDONLY);
	CHECK("a directory", !take(fd, 0, 0, &m, &err));
	CHECK("a directory", is_error(&err, ERR_TEMP, ESC(4, 3, 0)));
	close(fd);
	CHECK("closed", !take(fd, 0, 0, &m, &err) && is_error(&err, ERR_TEMP, ESC(4, 3, 0)));

	CU_ASSERT_FATAL(pipe(fds) == 0 && pipe(stop) == 0);
	CHECK("half a message", write(fds[1], "a: b\n", 5) == 5);
	const struct intake_limits late = { 0, 0, deadline_in(io_now(&io), -1) };
	CHECK("late", !intake_read(fds[0], &io, &late, &m, &err));
	CHECK("late", is_error(&err, ERR_TEMP, ESC(4, 4, 7)));
	CHECK("stop", write(stop[1], "x", 1) == 1 && write(fds[1], "a: b\n", 5) == 5);
	io.stop_fd = stop[0];
	CHECK("stop", !take(fds[0], 0, 0, &m, &err) && is_error(&err, ERR_TEMP, ESC(4, 3, 2)));
	set_up();
	for (int i = 0; i < 2; i++) {
		close(fds[i]);
		close(stop[i]);
	}
	CHECK("nothing was made", m == NULL);
}

/* The descriptor is shared with the host: its flags stay, whatever they are. */
static void test_flags(void)
{
	int fds[2];
	struct message *m = NULL;
	struct error err;
	for (int flag = 0; flag <= O_NONBLOCK; flag += O_NONBLOCK) {
		CU_ASSERT_FATAL(pipe(fds) == 0);
		fcntl(fds[0], F_SETFL, flag);
		int before = fcntl(fds[0], F_GETFL);
		fflush(stdout);
		pid_t pid = fork();
		if (pid == 0) { /* A slow writer of many pieces. */
			char bytes[1000];
			memset(bytes, '\n', sizeof(bytes));
			for (int i = 0; i < 200; i++)
				if (write(fds[1], bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes))
					_exit(1);
			_exit(0);
		}
		close(fds[1]);
		bool ok = take(fds[0], 0, 0, &m, &err);
		CHECK("pieces", ok && message_facts(m)->size == 400000);
		CHECK("flags", fcntl(fds[0], F_GETFL) == before);
		message_close(m);
		close(fds[0]);
		waitpid(pid, NULL, 0);
	}
}

/* Somebody cuts the file under us. */
static void test_lost_file(void)
{
	size_t n = 2 * LIMIT_SPOOL_MEMORY;
	char *in = calloc(1, n), path[64];
	struct message *m = NULL;
	struct error err = { 0 };
	struct span piece;
	int fd = file_of((struct span){ in, n });
	free(in);
	int next = dup(fd);
	close(next);
	CU_ASSERT_FATAL(take(fd, 0, 0, &m, &err));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", next);
	CHECK("first", message_next(m, &piece, &err) && piece.n == 65536);
	CU_ASSERT_FATAL(truncate(path, 100000) == 0);
	CHECK("cut", !message_next(m, &piece, &err) && is_error(&err, ERR_TEMP, ESC(4, 3, 0)));
	message_rewind(m);
	CHECK("again", message_next(m, &piece, &err) && piece.n == 65536);
	message_close(m);
	message_close(NULL);
	close(fd);
}

static void test_small_all(void)
{
	set_up();
	test_small();
}

TEST_MAIN("intake", { "small", test_small_all }, { "facts", test_facts }, { "sizes", test_sizes },
	  { "limits", test_limits }, { "big over limit", test_big_over_limit },
	  { "full disk", test_full_disk }, { "trouble", test_trouble }, { "flags", test_flags },
	  { "lost file", test_lost_file })
