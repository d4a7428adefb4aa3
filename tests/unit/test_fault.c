/* SPDX-License-Identifier: ISC */
#include <pthread.h>
#include <sys/mman.h>

#include "harness.h"
#include "store/fault.h"
#include "store_dir.h"

static const int signals[] = { SIGBUS, SIGSEGV, SIGFPE };
static volatile int seen;  /* by a handler that was there before */
static volatile int steps; /* raise() is said to call nothing in this file */

static volatile char last;

static void quiet(void *ctx)
{
	steps++;
	*(int *)ctx = 5;
}

static void by_signal(void *ctx)
{
	steps++;
	raise(*(int *)ctx);
	steps++;
}

static void by_assertion(void *ctx)
{
	(void)ctx;
	steps++;
	fault_now();
}

static void by_reading(void *ctx)
{
	steps++;
	last = *(volatile char *)ctx;
	steps++;
}

static void by_writing(void *ctx)
{
	steps++;
	*(volatile char *)ctx = 1;
	steps++;
}

static void before(int sig)
{
	seen = sig;
}

static void calls(void)
{
	int x = 0;
	steps = 0;
	CHECK("no fault", fault_guard(quiet, &x) && x == 5 && steps == 1);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		int sig = signals[i];
		steps = 0;
		CHECK("ended", !fault_guard(by_signal, &sig) && steps == 1);
		CHECK("ended again", !fault_guard(by_signal, &sig) && steps == 2);
	}
	steps = 0;
	CHECK("an assertion", !fault_guard(by_assertion, NULL) && steps == 1);
	CHECK("no fault", fault_guard(quiet, &x));
}

/* A map whose second page has no file behind it, and that may not be written to. */
static void real_faults(void)
{
	dir_make();
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	dir_write("file", 0, "x", 1);
	int fd = open(dir_path("file"), O_RDONLY | O_CLOEXEC);
	char *map = mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, fd, 0);
	steps = 0;
	CHECK("a good byte", fault_guard(by_reading, map) && steps == 2);
	CHECK("SIGBUS", !fault_guard(by_reading, map + page) && steps == 3);
	CHECK("SIGSEGV", !fault_guard(by_writing, map) && steps == 4);
	CHECK("a good byte", fault_guard(by_reading, map) && steps == 6);
	munmap(map, 2 * page);
	close(fd);
	dir_remove();
}

static void handlers_come_back(void)
{
	struct sigaction act = { .sa_handler = before }, was, now;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		int sig = signals[i], x;
		sigset_t blocked;
		sigaction(sig, &act, &was);
		CHECK("no fault", fault_guard(quiet, &x));
		sigaction(sig, NULL, &now);
		CHECK("after none", now.sa_handler == before);
		CHECK("fault", !fault_guard(by_signal, &sig));
		sigaction(sig, NULL, &now);
		CHECK("after one", now.sa_handler == before);
		sigprocmask(SIG_SETMASK, NULL, &blocked);
		CHECK("not blocked", !sigismember(&blocked, sig));
		sigaction(sig, &was, NULL);
	}
	CHECK("never called", seen == 0);
}

static void *raise_it(void *ctx)
{
	raise(*(int *)ctx);
	return NULL;
}

/* While this thread is in a guarded call another one, which is in none, gets the signal. */
static void other_thread(void *ctx)
{
	pthread_t t;
	if (pthread_create(&t, NULL, raise_it, ctx) != 0 || pthread_join(t, NULL) != 0)
		abort();
	steps++;
}

static void outside(void)
{
	struct sigaction act = { .sa_handler = before }, was;
	int sig = SIGFPE;
	sigaction(sig, &act, &was);
	steps = seen = 0;
	CHECK("not ended", fault_guard(other_thread, &sig) && steps == 1);
	CHECK("handled as before", seen == sig);
	sigaction(sig, &was, NULL);
	seen = 0;
}

static void die(void *ctx)
{
	struct sigaction act = { .sa_handler = SIG_DFL };
	sigaction(SIGFPE, &act, NULL);
	fault_guard(other_thread, ctx);
}

static void outside_by_default(void)
{
	int sig = SIGFPE;
	CHECK("the process dies of it", child_end(child(die, &sig)) == 1000 + SIGFPE);
}

static void *many(void *ctx)
{
	int sig = *(int *)ctx, x, *wrong = calloc(1, sizeof(int));
	for (int i = 0; i < 300 && wrong; i++)
		*wrong += fault_guard(by_signal, &sig) || !fault_guard(quiet, &x);
	return wrong;
}

static void threads(void)
{
	struct sigaction was[3], now;
	pthread_t t[6];
	int sigs[6];
	for (size_t i = 0; i < 3; i++)
		sigaction(signals[i], NULL, &was[i]);
	for (size_t i = 0; i < 6; i++) {
		sigs[i] = signals[i % 3];
		if (pthread_create(&t[i], NULL, many, &sigs[i]) != 0)
			abort();
	}
	for (size_t i = 0; i < 6; i++) {
		void *ret = NULL;
		pthread_join(t[i], &ret);
		CHECK("each in its own", ret && *(int *)ret == 0);
		free(ret);
	}
	for (size_t i = 0; i < 3; i++) {
		sigaction(signals[i], NULL, &now);
		CHECK("as before", now.sa_handler == was[i].sa_handler &&
					   now.sa_sigaction == was[i].sa_sigaction);
	}
}

TEST_MAIN("fault", { "calls", calls }, { "real faults", real_faults },
	  { "handlers come back", handlers_come_back }, { "outside of a call", outside },
	  { "outside, by default", outside_by_default }, { "threads", threads })
