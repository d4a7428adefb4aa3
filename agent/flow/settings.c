/* SPDX-License-Identifier: ISC */
#include "base/ip.h"
#include "wire/addr.h"
#include "conf/conf.h"
#include "flow/settings.h"

struct settings {
	struct conf file;
	const char *const *option;
	size_t noption;
};

static bool bad_section(const struct conf_setting *s, const char *what, struct error *err)
{
	return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "%s: domain \"%.255s\" %s", s->origin,
		       s->title, what);
}

/* The names of core/config, once more for the reader of files. */
static struct conf_key *file_keys(struct arena *a, size_t *ret_n)
{
	const struct config_key *key = config_keys(ret_n);
	struct conf_key *out = ARENA_NEW(a, struct conf_key, *ret_n);
	for (size_t i = 0; out && i < *ret_n; i++)
		out[i] = (struct conf_key){ key[i].name, key[i].list };
	return out;
}

static bool read_file(struct arena *a, const struct settings_source *from, struct settings *s,
		      struct error *err)
{
	static const char *const sections[] = { "domain" };
	struct conf_grammar g = { .sections = sections, .nsections = 1 };
	bool missing;
	/* "-c /dev/null" says that there is no file; conf_read() takes regular ones only. */
	if (!from->file || strcmp(from->file, "/dev/null") == 0)
		return true;
	g.keys = file_keys(a, &g.nkeys);
	if (!g.keys)
		return err_nomem(err);
	struct error e;
	if (conf_read(a, from->file, &g, &s->file, &missing, &e))
		return true;
	if (missing && !from->file_demanded)
		return true;
	*err = e;
	return false;
}

static bool is_title(const struct conf_setting *s, const char *domain)
{
	return s->title && span_equal_nocase(span_of(s->title), span_of(domain));
}

/* The settings of a section follow one another and share its title's string. */
static bool begins_section(const struct settings *s, size_t i)
{
	return s->file.set[i].title && (i == 0 || s->file.set[i - 1].title != s->file.set[i].title);
}

static bool is_per_domain(const char *key)
{
	size_t n;
	const struct config_key *k = config_keys(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(k[i].name, key) == 0)
			return k[i].per_domain;
	return false;
}

static bool check_section(const struct settings *s, size_t at, struct error *err)
{
	const struct conf_setting *first = &s->file.set[at];
	struct ip ip;
	if (!domain_valid(span_of(first->title)) && !addr_literal(span_of(first->title), &ip))
		return bad_section(first, "is not a domain name in A-label form", err);
	/* libconfuse finds only twins of the same case. */
	for (size_t i = 0; i < at; i++)
		if (is_title(&s->file.set[i], first->title))
			return bad_section(first, "has a section already", err);
	for (size_t i = at; i < s->file.n && s->file.set[i].title == first->title; i++)
		if (!is_per_domain(s->file.set[i].key))
			return err_set(err, ERR_CONFIG, ESC(4, 3, 5),
				       "%s: %s is global, it cannot stand in a domain section",
				       s->file.set[i].origin, s->file.set[i].key);
	return true;
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

/* On top of the global part: the section that begins at `at`, or none if that is nset, and the
 * options. */
static bool complete(struct arena *a, const struct settings *s, size_t at, struct config *c,
		     struct error *err)
{
	for (size_t i = at; i < s->file.n && s->file.set[i].title == s->file.set[at].title; i++)
		if (!set_one(a, &s->file.set[i], c, err))
			return false;
	for (size_t i = 0; i < s->noption; i++)
		if (!config_set_option(a, c, s->option[i], err))
			return err_wrap(err, "-o %.200s", s->option[i]);
	if (config_check(c, err))
		return true;
	return at == s->file.n ? false
			       : err_wrap(err, "domain \"%.255s\" with all it inherits",
					  s->file.set[at].title);
}

/* Everything that any domain will see. */
static bool check_all(struct arena *a, const struct settings *s, struct error *err)
{
	struct config global, c;
	if (!set_global(a, s, &global, err))
		return false;
	c = global;
	if (!complete(a, s, s->file.n, &c, err))
		return false;
	for (size_t i = 0; i < s->file.n; i++) {
		c = global;
		if (begins_section(s, i) &&
		    (!check_section(s, i, err) || !complete(a, s, i, &c, err)))
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
	while (at < s->file.n && !(domain && is_title(&s->file.set[at], domain)))
		at++;
	return at;
}

bool settings_for(struct arena *a, const struct settings *s, const char *domain, struct config *ret,
		  struct error *err)
{
	struct config c;
	if (!set_global(a, s, &c, err) || !complete(a, s, find_section(s, domain), &c, err))
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
	for (size_t i = at; i < s->file.n && s->file.set[i].title == s->file.set[at].title; i++)
		if (strcmp(s->file.set[i].key, key) == 0)
			return (struct settings_origin){ PLACE_SECTION, s->file.set[i].origin };
	for (size_t i = 0; i < s->file.n; i++)
		if (!s->file.set[i].title && strcmp(s->file.set[i].key, key) == 0)
			return (struct settings_origin){ PLACE_FILE, s->file.set[i].origin };
	return (struct settings_origin){ PLACE_DEFAULT, "" };
}
