/* SPDX-License-Identifier: ISC */
/* Starts one of our own programs. */
#ifndef FLOW_SPAWN_H
#define FLOW_SPAWN_H

#include <sys/types.h>

/*
 * fds: what it gets as descriptors 0, 1 and 2; -1: /dev/null. It inherits no other descriptor that is close-on-exec, no blocked or ignored
 * signal, and no environment. Returns an errno, 0 for success.
 */
int spawn_program(const char *const argv[], const int fds[static 3], pid_t *ret);

/* Whatever it does: it is dead and gone afterwards. Returns its status as waitpid() has it. */
int spawn_end(pid_t pid);

#endif
