/* SPDX-License-Identifier: ISC */
/*
 * LD_PRELOAD object: the wall clock of the process is WALLCLOCK seconds ahead. Monotonic clocks,
 * timers and time stamps of files are as they are.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long ahead(void)
{
	static long long seconds;
	static int known;
	if (!known) {
		const char *text = getenv("WALLCLOCK");
		seconds = text ? strtoll(text, NULL, 10) : 0;
		known = 1;
	}
	return seconds;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	/* The call itself: the library's function is the one that is replaced here. */
	long got = syscall(SYS_clock_gettime, id, ts);
	if (got == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += (time_t)ahead();
	return (int)got;
}

time_t time(time_t *ret)
{
	struct timespec ts = { 0 };
	clock_gettime(CLOCK_REALTIME, &ts);
	if (ret)
		*ret = ts.tv_sec;
	return ts.tv_sec;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts = { 0 };
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}
