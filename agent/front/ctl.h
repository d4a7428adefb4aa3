/* SPDX-License-Identifier: ISC */
/*
 * mxdirectctl, the operator's tool: a table of commands. The usage is printed from it, and one reader of command lines serves all of them.
 * A command writes to `out` and nowhere else, and takes the time as a value.
 */
#ifndef FRONT_CTL_H
#define FRONT_CTL_H

#include <stdio.h>

#include "base/arena.h"
#include "net/io.h"
#include "core/config.h"
#include "flow/settings.h"

#define CTL_SET	  64 /* -o at most */
#define CTL_ARENA ((size_t)512 * 1024 * 1024) /* everything that a memory of 64 MiB can hold, decoded */

enum ctl_flag {
	CTL_JSON = 1 << 0,
	CTL_PROBE = 1 << 1,
	CTL_CHECK = 1 << 2, /* --to, --postfix, --exim */
	CTL_MAIL = 1 << 3,  /* --size, --sender */
};

struct ctl_tools { /* what a command may need to do as a delivery does */
	struct io *io;
	const char *sts_program, *spf_program, *tls_module; /* see flow/services.h */
	const char *postconf, *postmap, *exim; /* programs of host MTAs */
	const uint8_t *seed; /* 16 random octets */
};

struct ctl { /* what a command gets */
	const char *config_file;
	bool config_demanded; /* by -c: it must exist */
	const char *set[CTL_SET]; /* -o */
	size_t nset;
	unsigned flags; /* of enum ctl_flag, those given */
	char *const *operand; /* behind the command's name */
	size_t noperand;
	const char *to, *postfix, *exim; /* of check: a mail server, a directory, a file; NULL: not given */
	const char *size, *sender; /* of plan: of the message; NULL: not given */
	int64_t now; /* seconds since 1970 */
	FILE *out;
	bool bold; /* `out` shows escape sequences as bold text */
	const struct ctl_tools *tools;
};

struct ctl_command {
	const char *name, *synopsis, *help; /* help: lines, each begins with six blanks */
	unsigned flags; /* that it knows */
	size_t least, most; /* operands */
	/* *ret_findings: exit status 1 instead of 0. */
	bool (*run)(struct arena *a, const struct ctl *c, bool *ret_findings, struct error *err);
};
const struct ctl_command *ctl_commands(size_t *ret_n);

struct ctl_call {
	int argc;
	char **argv;
	const char *default_config, *version;
	int64_t now;
	FILE *out;
	bool bold;
	const struct ctl_tools *tools;
};
/* The whole of a run. CONFIG 4.3.5 for wrong usage or configuration; else as the command fails. */
MUST_CHECK bool ctl_run(const struct ctl_call *call, bool *ret_findings, struct error *err);

/* The configuration as it was read, and of it what holds for all domains. */
MUST_CHECK bool ctl_load(struct arena *a, const struct ctl *c, struct settings **ret, struct error *err);
MUST_CHECK bool ctl_config(struct arena *a, const struct ctl *c, struct config *ret, struct error *err);

#endif
