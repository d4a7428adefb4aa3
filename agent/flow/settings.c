/* SPDX-License-Identifier: ISC */
#include "base/ip.h"
#include "wire/addr.h"
#include "conf/conf.h"
#include "core/config_value.h"
#include "flow/password.h"
#include "flow/settings.h"

struct settings {
	struct conf file;
	const char *const *option;
	size_t noption;
	struct route *route;
	size_t *route_at; /* where the section of each begins in the file */
	size_t nroute;
};

/* The sections of the file. */
static const char domain_section[] = "domain", route_section[] = "route";

static bool bad_section(const struct conf_setting *s, const char *what, struct error *err)
{
	return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "%s: %s \"%.255s\" %s", s->opened, s->section,
		       s->title, what);
}

static bool bad_key(const struct conf_setting *s, const char *what, struct error *err)
{
	return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "%s: %s %s", s->origin, s->key, what);
}

/* All names of core/config and core/route, once more for the reader of files. Which of them may
 * stand where is said here, and better. */
static struct conf_key *file_keys(struct arena *a, size_t *ret_n)
{
	size_t nconfig, nroute;
	const struct config_key *config = config_keys(&nconfig), *route = route_keys(&nroute);
	struct conf_key *out = ARENA_NEW(a, struct conf_key, nconfig + nroute);
	for (size_t i = 0; out && i < nconfig; i++)
		out[i] = (struct conf_key){ config[i].name, config[i].list };
	for (size_t i = 0; out && i < nroute; i++)
		out[nconfig + i] = (struct conf_key){ route[i].name, route[i].list };
	*ret_n = nconfig + nroute;
	return out;
}

static bool read_file(struct arena *a, const struct settings_source *from, struct settings *s,
		      struct error *err)
{
	size_t nkeys;
	struct conf_key *keys;
	struct error e;
	bool missing;
	/* "-c /dev/null" says that there is no file; conf_read() takes regular ones only. */
	if (!from->file || strcmp(from->file, "/dev/null") == 0)
		return true;
	keys = file_keys(a, &nkeys);
	if (!keys)
		return err_nomem(err);
	const struct conf_section sections[] = {
		{ .name = domain_section, .keys = keys, .nkeys = nkeys },
		{ .name = route_section, .keys = keys, .nkeys = nkeys, .twins = true },
	};
	const struct conf_grammar g = { keys, nkeys, sections, 2 };
	if (conf_read(a, from->file, &g, &s->file, &missing, &e))
		return true;
	if (missing && !from->file_demanded)
		return true;
	*err = e;
	return false;
}

static bool is_in(const struct conf_setting *s, const char *section)
{
	return s->section && strcmp(s->section, section) == 0;
}

static bool is_for(const struct conf_setting *s, const char *domain)
{
	return is_in(s, domain_section) && span_equal_nocase(span_of(s->title), span_of(domain));
}

/* The settings of a section follow one another and share its title's string. */
static bool begins_section(const struct settings *s, size_t i)
{
	return s->file.set[i].title && (i == 0 || s->file.set[i - 1].title != s->file.set[i].title);
}

/* Behind the section that begins at `at`, which may be the end of all. */
static size_t section_end(const struct settings *s, size_t at)
{
	size_t end = at;
	while (end < s->file.n && s->file.set[end].title == s->file.set[at].title)
		end++;
	return end;
}

static const struct config_key *key_of_config(const char *name)
{
	size_t n;
	const struct config_key *table = config_keys(&n);
	return config_value_key(table, n, span_of(name));
}

/* Is the key one for its place? */
static bool check_key(const struct conf_setting *s, struct error *err)
{
	const struct config_key *key = key_of_config(s->key);
	if (!key && !is_in(s, route_section))
		return bad_key(s, "can stand in a route section only", err);
	if (!key || !s->section || key->per_domain)
		return true;
	return bad_key(s,
		       is_in(s, route_section) ? "is global, it cannot stand in a route section"
					       : "is global, it cannot stand in a domain section",
		       err);
}

static bool set_one(struct arena *a, const struct conf_setting *set, struct config *c,
		    struct error *err)
{
	return config_set(a, c, set->key, set->value, set->nvalue, err) ||
	       err_wrap(err, "%s", set->origin);
}

static bool set_global(struct arena *a, const struct settings *s, struct config *c,
		       struct error *err)
{
	config_init(c);
	for (size_t i = 0; i < s->file.n; i++)
		if (!s->file.set[i].title && !set_one(a, &s->file.set[i], c, err))
			return false;
	return true;
}

/* What the section that begins at `at` has for struct config. */
static bool set_section(struct arena *a, const struct settings *s, size_t at, struct config *c,
			struct error *err)
{
	for (size_t i = at; i < section_end(s, at); i++)
		if (key_of_config(s->file.set[i].key) && !set_one(a, &s->file.set[i], c, err))
			return false;
	return true;
}

/* The options, and whether all agree; `at` is the section set before, or the number of settings. */
static bool complete(struct arena *a, const struct settings *s, size_t at, struct config *c,
		     struct error *err)
{
	for (size_t i = 0; i < s->noption; i++)
		if (!config_set_option(a, c, s->option[i], err))
			return err_wrap(err, "-o %.200s", s->option[i]);
	if (config_check(c, err))
		return true;
	if (at == s->file.n)
		return false;
	const struct conf_setting *first = &s->file.set[at];
	return err_wrap(err, "%s: %s \"%.255s\" with all it inherits", first->opened,
			first->section, first->title);
}

static bool has_key(const struct settings *s, size_t at, const char *key)
{
	for (size_t i = at; i < section_end(s, at); i++)
		if (strcmp(s->file.set[i].key, key) == 0)
			return true;
	return false;
}

/* On top of what is in *c: the route's own settings, the options, and what a login demands. */
static bool set_route(struct arena *a, const struct settings *s, size_t which, struct config *c,
		      struct error *err)
{
	size_t at = s->route_at[which];
	return set_section(a, s, at, c, err) && complete(a, s, at, c, err) &&
	       route_agree(&s->route[which], has_key(s, at, "tls"), c, err);
}

static bool check_domain(struct arena *a, const struct settings *s, size_t at,
			 const struct config *global, struct error *err)
{
	const struct conf_setting *first = &s->file.set[at];
	struct config c = *global;
	struct ip ip;
	if (!domain_valid(span_of(first->title)) && !addr_literal(span_of(first->title), &ip))
		return bad_section(first, "is not a domain name in A-label form", err);
	/* libconfuse finds only twins of the same case. */
	for (size_t i = 0; i < at; i++)
		if (is_for(&s->file.set[i], first->title))
			return bad_section(first, "has a section already", err);
	return set_section(a, s, at, &c, err) && complete(a, s, at, &c, err);
}

static bool read_route(struct arena *a, const struct settings *s, size_t at, struct route *ret,
		       struct error *err)
{
	route_init(ret, s->file.set[at].title, s->file.set[at].opened);
	for (size_t i = at; i < section_end(s, at); i++) {
		const struct conf_setting *set = &s->file.set[i];
		if (!key_of_config(set->key) &&
		    !route_set(a, ret, set->key, set->value, set->nvalue, err))
			return err_wrap(err, "%s", set->origin);
	}
	return route_complete(a, ret, err);
}

/* `s` already has the room for it. */
static bool add_route(struct arena *a, struct settings *s, size_t at, const struct config *global,
		      struct error *err)
{
	struct config c = *global;
	struct route *r = &s->route[s->nroute];
	s->route_at[s->nroute] = at;
	if (!read_route(a, s, at, r, err) || !set_route(a, s, s->nroute, &c, err))
		return false;
	s->nroute++;
	if (!r->password_file[0] || password_check(r->password_file, err))
		return true;
	return err_wrap(err, "%s: route \"%.100s\"", r->origin, r->pattern);
}

static bool make_room(struct arena *a, struct settings *s, struct error *err)
{
	size_t n = 0;
	for (size_t i = 0; i < s->file.n; i++)
		n += begins_section(s, i) && is_in(&s->file.set[i], route_section);
	s->route = ARENA_NEW(a, struct route, n);
	s->route_at = ARENA_NEW(a, size_t, n);
	return (s->route && s->route_at) || err_nomem(err);
}

/* Everything that any domain will see. */
static bool check_all(struct arena *a, struct settings *s, struct error *err)
{
	struct config global, c;
	for (size_t i = 0; i < s->file.n; i++)
		if (!check_key(&s->file.set[i], err))
			return false;
	if (!make_room(a, s, err) || !set_global(a, s, &global, err))
		return false;
	c = global;
	if (!complete(a, s, s->file.n, &c, err))
		return false;
	for (size_t i = 0; i < s->file.n; i++) {
		bool route = is_in(&s->file.set[i], route_section);
		if (begins_section(s, i) && !(route ? add_route(a, s, i, &global, err)
						    : check_domain(a, s, i, &global, err)))
			return false;
	}
	return true;
}

bool settings_load(struct arena *a, const struct settings_source *from, struct settings **ret,
		   struct error *err)
{
	struct settings *s = ARENA_NEW(a, struct settings, 1);
	if (!s)
		return err_nomem(err);
	s->option = from->option;
	s->noption = from->noption;
	if (!read_file(a, from, s, err) || !check_all(a, s, err))
		return false;
	*ret = s;
	return true;
}

/* Where the section for `domain` begins; the number of settings if there is none. */
static size_t find_section(const struct settings *s, const char *domain)
{
	size_t at = 0;
	while (at < s->file.n && !(domain && is_for(&s->file.set[at], domain)))
		at++;
	return at;
}

/* Up to the section for `domain`, which begins at *ret_at. */
static bool set_domain(struct arena *a, const struct settings *s, const char *domain,
		       struct config *c, size_t *ret_at, struct error *err)
{
	*ret_at = find_section(s, domain);
	return set_global(a, s, c, err) && set_section(a, s, *ret_at, c, err);
}

bool settings_for(struct arena *a, const struct settings *s, const char *domain, struct config *ret,
		  struct error *err)
{
	struct config c;
	size_t at;
	if (!set_domain(a, s, domain, &c, &at, err) || !complete(a, s, at, &c, err))
		return false;
	*ret = c;
	return true;
}

const struct route *settings_routes(const struct settings *s, size_t *ret_n)
{
	*ret_n = s->nroute;
	return s->route;
}

bool settings_for_route(struct arena *a, const struct settings *s, const char *domain,
			const struct route *route, struct config *ret, struct error *err)
{
	struct config c;
	size_t at;
	if (!set_domain(a, s, domain, &c, &at, err) ||
	    !set_route(a, s, (size_t)(route - s->route), &c, err))
		return false;
	*ret = c;
	return true;
}

static bool sets(const char *option, const char *key)
{
	size_t n = strlen(key);
	return strncmp(option, key, n) == 0 && option[n] == '=';
}

/* The same order of precedence as complete() has, from its end. A key stands once in a place. */
struct settings_origin settings_origin(const struct settings *s, const char *domain,
				       const char *key)
{
	for (size_t i = s->noption; i > 0; i--)
		if (sets(s->option[i - 1], key))
			return (struct settings_origin){ PLACE_OPTION, s->option[i - 1] };
	size_t at = find_section(s, domain);
	for (size_t i = at; i < section_end(s, at); i++)
		if (strcmp(s->file.set[i].key, key) == 0)
			return (struct settings_origin){ PLACE_SECTION, s->file.set[i].origin };
	for (size_t i = 0; i < s->file.n; i++)
		if (!s->file.set[i].title && strcmp(s->file.set[i].key, key) == 0)
			return (struct settings_origin){ PLACE_FILE, s->file.set[i].origin };
	return (struct settings_origin){ PLACE_DEFAULT, "" };
}

const struct conf_setting *settings_of_route(const struct settings *s, const struct route *route,
					     size_t *ret_n)
{
	size_t at = s->route_at[route - s->route];
	*ret_n = section_end(s, at) - at;
	return &s->file.set[at];
}
