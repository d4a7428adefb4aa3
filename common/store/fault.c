/* SPDX-License-Identifier: ISC */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

#include "store/fault.h"

#define SIGNALS 3
static const int signals[SIGNALS] = { SIGBUS, SIGSEGV, SIGFPE };

/* A signal handler is given no context, so where to jump must be a global, one for each thread. */
static _Thread_local sigjmp_buf *volatile jump;

/* And handlers belong to the process, not to the thread: the first that needs them puts them in,
 * the last takes them out again. */
static struct {
	pthread_mutex_t lock;
	unsigned users;
	struct sigaction before[SIGNALS];
} handlers = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* A fault outside a guarded call, in this thread or another, is for whoever handled it before: the
 * instruction is tried again and faults again. A signal that was sent is sent again. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (jump)
		siglongjmp(*jump, 1);
	for (int i = 0; i < SIGNALS; i++)
		if (signals[i] == sig)
			sigaction(sig, &handlers.before[i], NULL);
	if (info->si_code <= 0)
		raise(sig);
}

/* SA_NODEFER: the signal is never blocked, so a jump out of the handler has no mask to restore. */
void fault_watch(void)
{
	struct sigaction act = { .sa_sigaction = on_fault, .sa_flags = SA_NODEFER | SA_SIGINFO };
	sigemptyset(&act.sa_mask);
	pthread_mutex_lock(&handlers.lock);
	for (int i = 0; i < SIGNALS && handlers.users == 0; i++)
		sigaction(signals[i], &act, &handlers.before[i]);
	handlers.users++;
	pthread_mutex_unlock(&handlers.lock);
}

void fault_unwatch(void)
{
	pthread_mutex_lock(&handlers.lock);
	handlers.users--;
	for (int i = 0; i < SIGNALS && handlers.users == 0; i++)
		sigaction(signals[i], &handlers.before[i], NULL);
	pthread_mutex_unlock(&handlers.lock);
}

bool fault_guard(void (*call)(void *ctx), void *ctx)
{
	sigjmp_buf here;
	fault_watch();
	bool fault = sigsetjmp(here, 0) != 0;
	if (!fault) {
		jump = &here;
		call(ctx);
	}
	jump = NULL;
	fault_unwatch();
	return !fault;
}

void fault_now(void)
{
	siglongjmp(*jump, 1);
}
