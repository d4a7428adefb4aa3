/* SPDX-License-Identifier: ISC */
#include "harness.h"
#include "store/slots.h"
#include "store_dir.h"

static struct error err;

static int open_slots(void)
{
	int fd = -1;
	CHECK("open", slots_open(store_dir, &fd, &err));
	return fd;
}

static void limit(void)
{
	int fds[8];
	dir_make();
	for (unsigned max = 1; max < 8; max++) {
		for (unsigned i = 0; i <= max; i++) {
			fds[i] = open_slots();
			enum slots_say want = i < max ? SLOTS_TAKEN : SLOTS_BUSY;
			CHECK("so many",
			      slots_take(fds[i], SPAN("example.org"), max, &err) == want);
		}
		CHECK("more are allowed",
		      slots_take(fds[max], SPAN("example.org"), max + 1, &err) == SLOTS_TAKEN);
		for (unsigned i = 0; i <= max; i++)
			close(fds[i]);
	}
	CHECK("nothing is written", dir_size("slots") == 0);
	dir_remove();
}

static void largest_limit(void)
{
	static int fds[SLOTS_MAX];
	int n = 0, fd = -1;
	dir_make();
	for (; n < 300; n++) {
		fds[n] = open_slots();
		if (slots_take(fds[n], SPAN("x"), SLOTS_MAX, &err) != SLOTS_TAKEN)
			break;
	}
	CHECK("300 of 1000", n == 300);
	fd = open_slots();
	CHECK("full at 300", slots_take(fd, SPAN("x"), 300, &err) == SLOTS_BUSY);
	while (n-- > 0)
		close(fds[n]);
	CHECK("all free", slots_take(fd, SPAN("x"), 1, &err) == SLOTS_TAKEN);
	close(fd);
	dir_remove();
}

static void given_back(void)
{
	dir_make();
	int a = open_slots(), b = open_slots();
	CHECK("first", slots_take(a, SPAN("d"), 1, &err) == SLOTS_TAKEN);
	for (int i = 0; i < 3; i++)
		CHECK("second", slots_take(b, SPAN("d"), 1, &err) == SLOTS_BUSY);
	close(a);
	CHECK("closed", slots_take(b, SPAN("d"), 1, &err) == SLOTS_TAKEN);
	close(b);
	dir_remove();
}

static void names(void)
{
	static const struct {
		struct span name;
		enum slots_say want;
	} cases[] = {
		{ SPAN("Example.ORG"), SLOTS_BUSY },   { SPAN("EXAMPLE.ORG"), SLOTS_BUSY },
		{ SPAN("example.org."), SLOTS_TAKEN }, { SPAN("example.or"), SLOTS_TAKEN },
		{ SPAN("example.com"), SLOTS_TAKEN },  { SPAN(""), SLOTS_TAKEN },
		{ SPAN("a\0b"), SLOTS_TAKEN },         { SPAN("a"), SLOTS_TAKEN },
	};
	enum { N = sizeof(cases) / sizeof(cases[0]) };
	int fds[N];
	dir_make();
	int a = open_slots();
	CHECK("first", slots_take(a, SPAN("example.org"), 1, &err) == SLOTS_TAKEN);
	for (size_t i = 0; i < N; i++) {
		fds[i] = open_slots();
		CHECK(cases[i].name.p, slots_take(fds[i], cases[i].name, 1, &err) == cases[i].want);
	}
	for (size_t i = 0; i < N; i++)
		close(fds[i]);
	close(a);
	dir_remove();
}

/* Takes a slot, tells how that went, and holds it until its pipe is closed. */
struct holder {
	int say[2], stop[2];
};

static void hold(void *ctx)
{
	struct holder *h = ctx;
	int fd;
	char c = slots_open(store_dir, &fd, &err) ? 'o' : 'f';
	if (c == 'o' && slots_take(fd, SPAN("example.net"), 3, &err) == SLOTS_TAKEN)
		c = 't';
	close(h->stop[1]);
	if (write(h->say[1], &c, 1) != 1 || read(h->stop[0], &c, 1) != 0)
		_exit(1);
}

static void processes(void)
{
	enum { N = 8 };
	struct holder h;
	pid_t pids[N];
	char said[N];
	int taken = 0, fd;
	dir_make();
	if (pipe(h.say) != 0 || pipe(h.stop) != 0)
		abort();
	for (int i = 0; i < N; i++)
		pids[i] = child(hold, &h);
	for (int i = 0; i < N; i++) {
		CHECK("told", read(h.say[0], &said[i], 1) == 1);
		taken += said[i] == 't';
		CHECK("never failed", said[i] != 'f');
	}
	CHECK("three of all", taken == 3);
	fd = open_slots();
	CHECK("the parent neither", slots_take(fd, SPAN("example.net"), 3, &err) == SLOTS_BUSY);
	for (int i = 0; i < N; i++) {
		CHECK("kill", kill(pids[i], SIGKILL) == 0);
		CHECK("killed", child_end(pids[i]) == 1000 + SIGKILL);
	}
	CHECK("freed by death", slots_take(fd, SPAN("example.net"), 1, &err) == SLOTS_TAKEN);
	close(fd);
	for (int i = 0; i < 2; i++) {
		close(h.say[i]);
		close(h.stop[i]);
	}
	dir_remove();
}

static void failures(void)
{
	int fd = -7;
	char want[400];
	dir_make();
	CHECK("mkdir", mkdir(dir_path("slots"), 0700) == 0);
	CHECK("a directory", !slots_open(store_dir, &fd, &err) && fd == -7);
	snprintf(want, sizeof(want), "%s/slots: Is a directory", store_dir);
	CHECK_STR("text", err.text, want);
	CHECK("class", err.class == ERR_TEMP && err.code.subject == 3);
	dir_remove();
	CHECK("missing", !slots_open(store_dir, &fd, &err) && fd == -7);
	snprintf(want, sizeof(want), "%s: No such file or directory", store_dir);
	CHECK_STR("text", err.text, want);
	memset(&err, 0, sizeof(err));
	CHECK("no descriptor", slots_take(-1, SPAN("x"), 2, &err) == SLOTS_FAILED);
	CHECK("class", err.class == ERR_TEMP);
	CHECK_STR("text", err.text, "slots: Bad file descriptor");
}

TEST_MAIN("slots", { "limit", limit }, { "largest limit", largest_limit },
	  { "given back", given_back }, { "names", names }, { "processes", processes },
	  { "failures", failures })
