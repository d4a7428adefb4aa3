/* SPDX-License-Identifier: ISC */
/* Whatever is in a file, it ends as settings without control characters and as routes, or as an
 * error with a line or a key. */
#include "conf/conf.h"
#include "core/config_value.h"
#include "core/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static bool is_route(const struct conf_setting *s)
{
	return s->section && strcmp(s->section, "route") == 0;
}

static void check_setting(struct arena *a, const struct conf_setting *s, struct config *c,
			  struct route *r)
{
	struct error err = { 0 };
	bool known = false;
	size_t n;
	demand(s->origin && s->key && (s->section != NULL) == (s->title != NULL));
	demand((s->section != NULL) == (s->opened != NULL));
	for (size_t i = 0; i < s->nvalue; i++)
		for (const char *p = s->value[i]; *p; p++)
			demand((unsigned char)*p >= 0x20 && *p != 0x7f);
	const struct config_key *keys = route_keys(&n);
	known = config_value_key(keys, n, span_of(s->key)) != NULL;
	demand(!known || is_route(s));
	if (!(known ? route_set(a, r, s->key, s->value, s->nvalue, &err)
		    : config_set(a, c, s->key, s->value, s->nvalue, &err)))
		demand(err.class == ERR_CONFIG && strncmp(err.text, s->key, strlen(s->key)) == 0);
}

/* The settings from `at` on that are in one section, or one of the global part. Returns where they
 * end. */
static size_t check_part(struct arena *a, const struct conf *found, size_t at, struct config *c)
{
	const struct conf_setting *first = &found->set[at];
	struct error err = { 0 };
	struct route r;
	size_t end = at;
	route_init(&r, first->title, first->opened);
	do
		check_setting(a, &found->set[end++], c, &r);
	while (first->title && end < found->n && found->set[end].title == first->title);
	for (size_t i = end; first->title && i < found->n; i++)
		demand(found->set[i].title != first->title);
	if (!is_route(first))
		return end;
	if (!route_complete(a, &r, &err)) {
		demand(err.class == ERR_CONFIG && strncmp(err.text, "f:", 2) == 0);
		return end;
	}
	demand(r.direct || r.nhosts > 0);
	struct route_mail mail = { .domain = first->title, .sender = "<>", .sized = true };
	demand(route_match(&r, &mail) <= ROUTE_AFTER_LAST);
	return end;
}

static struct conf_key *keys_of(struct arena *a, size_t *ret_nconfig, size_t *ret_n)
{
	size_t nroute;
	const struct config_key *known = config_keys(ret_nconfig), *more = route_keys(&nroute);
	struct conf_key *keys = ARENA_NEW(a, struct conf_key, *ret_nconfig + nroute);
	for (size_t i = 0; i < *ret_nconfig; i++)
		keys[i] = (struct conf_key){ known[i].name, known[i].list };
	for (size_t i = 0; i < nroute; i++)
		keys[*ret_nconfig + i] = (struct conf_key){ more[i].name, more[i].list };
	*ret_n = *ret_nconfig + nroute;
	return keys;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct conf found;
	struct error err = { 0 };
	struct config c;
	size_t nconfig, nall;
	struct conf_key *keys = keys_of(a, &nconfig, &nall);
	const struct conf_section sections[] = {
		{ .name = "domain", .keys = keys, .nkeys = nconfig },
		{ .name = "route", .keys = keys, .nkeys = nall, .twins = true },
	};
	const struct conf_grammar g = { keys, nconfig, sections, 2 };
	config_init(&c);
	if (conf_parse(a, "f", (struct span){ (const char *)data, size }, &g, &found, &err))
		for (size_t i = 0; i < found.n;)
			i = check_part(a, &found, i, &c);
	else
		demand(err.class == ERR_CONFIG && strncmp(err.text, "f:", 2) == 0);
	arena_close(a);
	return 0;
}
