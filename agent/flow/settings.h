/* SPDX-License-Identifier: ISC */
/* The configuration file, the -o options and the defaults together. */
#ifndef FLOW_SETTINGS_H
#define FLOW_SETTINGS_H

#include "core/config.h"
#include "core/route.h"

struct settings;

struct settings_source {
	const char *file;
	bool file_demanded; /* given by the user: it must exist */
	const char *const *option; /* "KEY=VALUE", later ones win */
	size_t noption;
};

/* Reads and checks everything, also the sections of other domains, all routes, and that each password file can be read. CONFIG 4.3.5 with
 * file:line, or with the option. */
MUST_CHECK bool settings_load(struct arena *a, const struct settings_source *from, struct settings **ret, struct error *err);

/* Defaults, then the file's global part, then its section for `domain` (A-label form; NULL: none), then the options. CONFIG 4.3.5. */
MUST_CHECK bool settings_for(struct arena *a, const struct settings *s, const char *domain, struct config *ret,
			     struct error *err);

/* In the order of the file. */
const struct route *settings_routes(const struct settings *s, size_t *ret_n);

/* The same as settings_for(), with the section of the route after that of the domain, for mail to the domain that goes this way. CONFIG 4.3.5. */
MUST_CHECK bool settings_for_route(struct arena *a, const struct settings *s, const char *domain, const struct route *route,
				   struct config *ret, struct error *err);

enum settings_place { PLACE_DEFAULT, PLACE_FILE, PLACE_SECTION, PLACE_OPTION };

struct settings_origin {
	enum settings_place place;
	const char *at; /* "file:line", or the option as it was given; "" for a default */
};

/* Where the value of `key` comes from that settings_for() gives for this domain. */
struct settings_origin settings_origin(const struct settings *s, const char *domain, const char *key);

/* The lines of a route's section, in its order; one at least. */
struct conf_setting;
const struct conf_setting *settings_of_route(const struct settings *s, const struct route *route, size_t *ret_n);

#endif
