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

#include "base/digest.h"
#include "base/rng.h"
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

/* ---- piece by piece ---- */

/* Pieces of up to `most` octets, some of them empty. */
static bool take_pieces(struct span in, const struct intake_limits *limits, uint32_t most,
			struct message **ret, struct error *err)
{
	static const uint8_t seed[16] = { 2, 7, 1 };
	struct intake *k;
	struct rng r;
	rng_seed(&r, seed);
	*err = (struct error){ 0 };
	if (!intake_begin(limits, &k, err))
		return false;
	while (in.n > 0) {
		size_t n = rng_below(&r, most + 1);
		n = n < in.n ? n : in.n;
		char *copy = malloc(n + 1); /* of its size: nothing behind it may be read */
		CU_ASSERT_FATAL(copy != NULL);
		memcpy(copy, in.p, n);
		intake_take(k, (struct span){ copy, n });
		free(copy);
		in = (struct span){ in.p + n, in.n - n };
	}
	return intake_end(k, ret, err);
}

static bool same_facts(const struct facts *a, const struct facts *b)
{
	return a->size == b->size && a->longest_line == b->longest_line &&
	       a->has_8bit == b->has_8bit && a->has_nul == b->has_nul &&
	       a->header_utf8 == b->header_utf8 && a->had_bare_cr == b->had_bare_cr &&
	       a->added_final_newline == b->added_final_newline && a->requiretls == b->requiretls &&
	       a->tls_required_no == b->tls_required_no && a->digest == b->digest;
}

/* The same message, or the same error, as when it is read. */
static void check_pieces(const char *label, struct span in, uint64_t size, uint64_t line,
			 uint32_t most)
{
	struct message *whole = NULL, *m = NULL;
	struct error want, err;
	const struct intake_limits limits = { .size = size, .line = line };
	int fd = file_of(in);
	bool ok = take(fd, size, line, &whole, &want);
	close(fd);
	CHECK(label, take_pieces(in, &limits, most, &m, &err) == ok);
	if (ok && m) {
		bool read_ok;
		struct span content_whole = content(whole, &read_ok);
		CHECK(label, read_ok && same_facts(message_facts(m), message_facts(whole)));
		CHECK(label, message_facts(m)->digest == digest_of(content_whole));
		check_content(label, m, content_whole);
		free((void *)(uintptr_t)content_whole.p);
	} else {
		CHECK(label, m == NULL && err.class == want.class);
		CHECK(label, is_error(&err, want.class, want.code));
		CHECK_STR(label, err.text, want.text);
	}
	message_close(m);
	message_close(whole);
}

static void test_pieces(void)
{
	static const struct {
		const char *label, *in;
	} cases[] = {
		{ "empty", "" },
		{ "LF", "a: b\n\nc\n" },
		{ "CRLF", "a: b\r\n\r\nc\r\n" },
		{ "no final newline", "a: b\n\nc" },
		{ "a final CR", "a: b\n\nc\r" },
		{ "CRs", "a: b\r\r\n\r\r\rc\rd\r\n\r" },
		{ "UTF-8 header", "Subject: gr\xc3\xbc\xc3\x9f\n\nx\n" },
		{ "TLS-Required", "TLS-Required: No\n\n12345\n" },
		{ "dots", ".\n..\n.\r\n.a\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (uint32_t most = 1; most <= 20; most += most < 4 ? 1 : 8)
			for (uint64_t limit = 0; limit <= 25; limit++) {
				check_pieces(cases[i].label, span_of(cases[i].in), limit, 0, most);
				check_pieces(cases[i].label, span_of(cases[i].in), 0, limit, most);
			}
}

/* Of any octets, through memory and into the file. */
static void test_pieces_large(void)
{
	static const uint8_t seed[16] = { 1, 4, 1, 4, 2 };
	static const size_t sizes[] = { 16380, 16390, LIMIT_SPOOL_MEMORY - 3000, 1500000 };
	char *in = malloc(1500000);
	struct rng r;
	CU_ASSERT_FATAL(in != NULL);
	rng_seed(&r, seed);
	for (size_t i = 0; i < 1500000; i++) {
		uint32_t x = rng_below(&r, 40);
		in[i] = x < 5 ? "\n\r.\0\xff"[x] : (char)('a' + x % 26);
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct span text = { in, sizes[i] };
		check_pieces("large", text, 0, 0, 5000);
		check_pieces("large, all at once", text, 0, 0, 4000000);
		check_pieces("too big", text, sizes[i] / 2, 0, 5000);
		check_pieces("too long", text, 0, 20, 5000);
	}
	check_pieces("octet by octet", (struct span){ in, 60000 }, 0, 0, 1);
	free(in);
}

/* Of the disk: the first piece that fails is told, and what comes behind it is not kept. */
static void test_pieces_failed(void)
{
	size_t n = 2 * LIMIT_SPOOL_MEMORY;
	struct rlimit none = { 0, 0 }, old;
	struct message *m = NULL;
	struct intake *k = NULL;
	struct error err = { 0 };
	const struct intake_limits limits = { .size = 3 * n };
	char *in = calloc(1, n);
	CU_ASSERT_FATAL(in != NULL && intake_begin(&limits, &k, &err));
	getrlimit(RLIMIT_FSIZE, &old);
	none.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	intake_take(k, (struct span){ in, 1000 });
	setrlimit(RLIMIT_FSIZE, &none);
	intake_take(k, (struct span){ in, n });
	setrlimit(RLIMIT_FSIZE, &old);
	intake_take(k, (struct span){ in, n }); /* the disk has room again: too late */
	CHECK("disk", !intake_end(k, &m, &err) && m == NULL);
	CHECK("disk", is_error(&err, ERR_TEMP, ESC(4, 3, 1)));
	free(in);
}

static void test_cancel(void)
{
	char dir[] = "/tmp/test-intake-XXXXXX";
	size_t n = 2 * LIMIT_SPOOL_MEMORY;
	const struct intake_limits limits = { .size = 0 };
	struct intake *k = NULL;
	struct error err;
	char *in = calloc(1, n);
	int next = dup(STDOUT_FILENO);
	close(next);
	CU_ASSERT_FATAL(mkdtemp(dir) && in);
	setenv("TMPDIR", dir, 1);
	intake_cancel(NULL);
	for (size_t taken = 0; taken <= n; taken += n / 2) {
		CU_ASSERT_FATAL(intake_begin(&limits, &k, &err));
		intake_take(k, (struct span){ in, taken });
		intake_cancel(k);
	}
	int after = dup(STDOUT_FILENO);
	close(after);
	CHECK("no descriptor is left", after == next);
	CHECK("no file is left", rmdir(dir) == 0);
	unsetenv("TMPDIR");
	free(in);
}

/* ---- several readers ---- */

struct reader {
	struct message *m;
	size_t n;
	bool over, ok;
};

static void read_on(struct reader *r, struct span want)
{
	struct span piece = { NULL, 0 };
	struct error err;
	if (!message_next(r->m, &piece, &err) || piece.n > want.n - r->n ||
	    memcmp(piece.p, want.p + r->n, piece.n) != 0)
		r->ok = false;
	r->n += piece.n;
	r->over = piece.n == 0;
}

static void share(const char *label, size_t lines)
{
	struct reader r[3] = { { .ok = true }, { .ok = true }, { .ok = true } };
	struct error err;
	char *in = malloc(lines * 79 + 1), *text = malloc(lines * 79 + 1);
	CU_ASSERT_FATAL(in != NULL && text != NULL);
	struct span want = make_lines(lines, in, text);
	int fd = file_of((struct span){ in, lines * 78 });
	CU_ASSERT_FATAL(take(fd, 0, 0, &r[0].m, &err));
	close(fd);
	read_on(&r[0], want); /* where the first one stands is its own affair */
	CU_ASSERT_FATAL(message_share(r[0].m, &r[1].m, &err));
	CU_ASSERT_FATAL(message_share(r[1].m, &r[2].m, &err)); /* of a shared one as well */
	CHECK(label, same_facts(message_facts(r[0].m), message_facts(r[2].m)));
	for (size_t turn = 0; turn < 1000 && !(r[0].over && r[1].over && r[2].over); turn++) {
		struct reader *one = &r[turn * turn % 7 % 3];
		if (!one->over)
			read_on(one, want);
		if (turn == 9) {
			message_rewind(r[2].m);
			r[2].n = 0;
			r[2].over = false;
		}
	}
	for (int i = 0; i < 3; i++)
		CHECK(label, r[i].ok && r[i].over && r[i].n == want.n);
	message_close(r[1].m);
	message_rewind(r[2].m);
	check_content(label, r[2].m, want);
	message_close(r[2].m);
	message_rewind(r[0].m);
	check_content(label, r[0].m, want);
	message_close(r[0].m);
	free(in);
	free(text);
}

static void test_share(void)
{
	share("empty", 0);
	share("small", 1);
	share("in memory", LIMIT_SPOOL_MEMORY / 79 - 1);
	share("in a file", 2 * LIMIT_SPOOL_MEMORY / 79);
}

static void test_small_all(void)
{
	set_up();
	test_small();
}

TEST_MAIN("intake", { "small", test_small_all }, { "facts", test_facts }, { "sizes", test_sizes },
	  { "limits", test_limits }, { "big over limit", test_big_over_limit },
	  { "full disk", test_full_disk }, { "trouble", test_trouble }, { "flags", test_flags },
	  { "lost file", test_lost_file }, { "pieces", test_pieces },
	  { "large pieces", test_pieces_large }, { "failed pieces", test_pieces_failed },
	  { "cancel", test_cancel }, { "share", test_share })
