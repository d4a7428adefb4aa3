/* SPDX-License-Identifier: ISC */
/* Whatever is in a file, it ends as settings without control characters, or as an error with a line
 * or a key. */
#include "conf/conf.h"
#include "core/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void check_setting(struct arena *a, const struct conf_setting *s, struct config *c)
{
	struct error err = { 0 };
	demand(s->origin && s->key && (s->section != NULL) == (s->title != NULL));
	for (size_t i = 0; i < s->nvalue; i++)
		for (const char *p = s->value[i]; *p; p++)
			demand((unsigned char)*p >= 0x20 && *p != 0x7f);
	if (!config_set(a, c, s->key, s->value, s->nvalue, &err))
		demand(err.class == ERR_CONFIG && strncmp(err.text, s->key, strlen(s->key)) == 0);
}

static const struct conf_key *keys_of(struct arena *a, size_t *ret_n)
{
	const struct config_key *known = config_keys(ret_n);
	struct conf_key *keys = ARENA_NEW(a, struct conf_key, *ret_n);
	for (size_t i = 0; i < *ret_n; i++)
		keys[i] = (struct conf_key){ known[i].name, known[i].list };
	return keys;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const sections[] = { "domain", "route" };
	struct conf_grammar g = { .sections = sections, .nsections = 2 };
	struct arena *a = arena_open(LIMIT_ARENA);
	struct conf found;
	struct error err = { 0 };
	struct config c;
	g.keys = keys_of(a, &g.nkeys);
	config_init(&c);
	if (conf_parse(a, "f", (struct span){ (const char *)data, size }, &g, &found, &err))
		for (size_t i = 0; i < found.n; i++)
			check_setting(a, &found.set[i], &c);
	else
		demand(err.class == ERR_CONFIG && strncmp(err.text, "f:", 2) == 0);
	arena_close(a);
	return 0;
}
