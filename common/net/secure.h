/* SPDX-License-Identifier: ISC */
/* Loads the module that implements base/secure.h. */
#ifndef NET_SECURE_H
#define NET_SECURE_H

#include "base/secure.h"

struct secure_module {
	const char *path;
	const struct secure_ops *ops; /* NULL: not loaded yet */
};

/* Once a process; it stays loaded. INTERNAL 4.3.0 when it cannot be loaded or is of another version: never a reason to send plain. */
MUST_CHECK bool secure_load(struct secure_module *m, struct error *err);

#endif
