/* SPDX-License-Identifier: ISC */
/* Configuration files, syntax only (libconfuse): flat keys and sections with a title. Meaning is core/config and core/route. */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/arena.h"

struct conf_key {
	const char *name;
	bool list; /* {"a", "b"} or a single value */
};

struct conf_section {
	const char *name;
	const struct conf_key *keys; /* allowed in it */
	size_t nkeys;
	bool twins; /* a title may stand more than once: each is a section of its own, and none may be empty */
};

struct conf_setting {
	const char *origin;  /* "file:line" */
	const char *section; /* "domain"; NULL: the global part */
	const char *title;   /* of the section, one string for all its settings and for no other section; NULL: the global part */
	const char *opened;  /* where the section begins, "file:line"; NULL: the global part */
	const char *key;
	const char *const *value; /* one for a scalar; any number for a list */
	size_t nvalue;
};

struct conf { /* what a file says, in its order */
	const struct conf_setting *set;
	size_t n;
};

struct conf_grammar {
	const struct conf_key *keys; /* of the global part */
	size_t nkeys;
	const struct conf_section *sections;
	size_t nsections;
};

/*
 * Read a regular file of at most LIMIT_CONFIG_FILE bytes into the arena. Refused with "file:line: ...": unknown keys and sections,
 * a key twice in one place, a section twice (unless twins), an empty section of twins, an unclosed brace or string. A '$' is literal: nothing
 * of the environment gets in. Every failure is CONFIG 4.3.5, or INTERNAL without memory; *ret_missing, always set, says that there is no
 * such file. The exit() of libconfuse on directories and unreadable files is never reached.
 * A grammar gives each of its parts at least one key.
 */
MUST_CHECK bool conf_read(struct arena *a, const char *path, const struct conf_grammar *g, struct conf *ret, bool *ret_missing,
			  struct error *err);
/* The same for text in memory; `name` stands for the file in messages. For tests and fuzzing. */
MUST_CHECK bool conf_parse(struct arena *a, const char *name, struct span text, const struct conf_grammar *g, struct conf *ret,
			   struct error *err);

#endif
