/* SPDX-License-Identifier: ISC */
/*
 * Calls into a library that reads a mapped file, so that a file that is cut off or damaged
 * meanwhile ends the call and not the process: SIGBUS, SIGSEGV and SIGFPE are caught while it runs,
 * in this thread. An abort is not: it is how malloc() tells that its own memory is broken, and then
 * nobody should go on.
 */
#ifndef STORE_FAULT_H
#define STORE_FAULT_H

#include <stdbool.h>

/* False: a fault ended `call` where it was. What it had in hand stays as it was, memory it held is
 * lost. No call within a call. */
bool fault_guard(void (*call)(void *ctx), void *ctx);

/* Handlers stay in place from the one to the other, so that the calls in between need not see to it each time. Nothing else changes. */
void fault_watch(void);
void fault_unwatch(void);

/* The same end, from within a call: for a library's assertion. Never returns. */
void fault_now(void) __attribute__((noreturn));

#endif
