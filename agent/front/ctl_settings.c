/* SPDX-License-Identifier: ISC */
#include "conf/conf.h"
#include "net/idna.h"
#include "core/config_value.h"
#include "front/ctl_json.h"
#include "front/ctl_page.h"
#include "front/ctl_settings.h"

#define GAP         2
#define ORIGIN_MOST 48

struct row {
	const struct config_key *key;
	const char *value;
	struct settings_origin origin;
	const char *from; /* the origin, for a person */
};
struct rows {
	const struct route *route; /* in whose section they stand; NULL: in none */
	struct row *row;
	size_t n;
};

struct shown {
	const struct settings *settings;
	const char *domain; /* NULL: all */
	struct rows all;
	struct rows *route; /* those for the domain */
	size_t nroute;
};

static const char *const places[] = {
	[PLACE_DEFAULT] = "default",
	[PLACE_FILE] = "file",
	[PLACE_SECTION] = "section",
	[PLACE_OPTION] = "option",
};

static const char *origin_text(struct page *p, const struct settings_origin *o)
{
	switch (o->place) {
	case PLACE_DEFAULT:
		break;
	case PLACE_FILE:
		return page_text(p, span_of(o->at));
	case PLACE_SECTION:
		return page_fmt(p, "%s (domain)", page_text(p, span_of(o->at)));
	case PLACE_OPTION:
		return "option -o";
	}
	return "default";
}

/* As it would stand in a file: nothing at all has its own form there. */
static const char *value_text(struct page *p, const struct row *r)
{
	if (!r->value[0])
		return r->key->list ? "{}" : "\"\"";
	return page_text(p, span_of(r->value));
}

static bool gather_all(struct page *p, struct shown *shown, struct error *err)
{
	struct config config;
	size_t n;
	const struct config_key *key = config_keys(&n);
	struct row *row = ARENA_NEW(p->arena, struct row, n);
	if (!row)
		return err_nomem(err);
	if (!settings_for(p->arena, shown->settings, shown->domain, &config, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		row[i].key = &key[i];
		row[i].value = config_text(p->arena, &config, &key[i]);
		row[i].origin = settings_origin(shown->settings, shown->domain, key[i].name);
		row[i].from = origin_text(p, &row[i].origin);
		if (!row[i].value)
			return err_nomem(err);
	}
	shown->all = (struct rows){ .row = row, .n = n };
	return true;
}

/* One line of a route's section: the value is that in force. */
static bool gather_one(struct page *p, const struct shown *shown, const struct route *route,
		       const struct conf_setting *set, struct row *ret)
{
	struct config config;
	struct error err;
	size_t n;
	const struct config_key *table = config_keys(&n);
	const void *object = &config;
	struct settings_origin from = settings_origin(shown->settings, shown->domain, set->key);
	ret->key = config_value_key(table, n, span_of(set->key));
	if (!ret->key) {
		table = route_keys(&n);
		ret->key = config_value_key(table, n, span_of(set->key));
		object = route;
	} else if (!settings_for_route(p->arena, shown->settings, shown->domain, route, &config,
				       &err)) {
		return false;
	}
	if (from.place != PLACE_OPTION)
		from = (struct settings_origin){ PLACE_FILE, set->origin };
	ret->value = ret->key ? config_value_text(p->arena, ret->key, object) : NULL;
	ret->origin = from;
	ret->from = origin_text(p, &from);
	return ret->value != NULL;
}

static bool gather_route(struct page *p, const struct shown *shown, const struct route *route,
			 struct rows *ret, struct error *err)
{
	size_t n;
	const struct conf_setting *set = settings_of_route(shown->settings, route, &n);
	struct row *row = ARENA_NEW(p->arena, struct row, n);
	if (!row)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++)
		if (!gather_one(p, shown, route, &set[i], &row[i]))
			return err_nomem(err);
	*ret = (struct rows){ route, row, n };
	return true;
}

/* Conditions apart, may mail for the domain take it? */
static bool is_for(const struct route *route, const char *domain)
{
	const struct route_mail mail = { .domain = domain, .sender = "" };
	return !domain || route_match(route, &mail) != ROUTE_OTHER_DOMAIN;
}

static bool gather(struct page *p, struct shown *shown, struct error *err)
{
	size_t n;
	const struct route *route = settings_routes(shown->settings, &n);
	shown->route = ARENA_NEW(p->arena, struct rows, n);
	if (!shown->route)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++)
		if (is_for(&route[i], shown->domain) &&
		    !gather_route(p, shown, &route[i], &shown->route[shown->nroute++], err))
			return false;
	return gather_all(p, shown, err);
}

struct widths {
	size_t key, value, from;
};

static void widen(size_t *width, const char *s)
{
	size_t n = page_columns(s);
	*width = n > *width ? n : *width;
}

static struct widths measure(struct page *p, const struct rows *rows)
{
	struct widths w = { sizeof("KEY") - 1, sizeof("VALUE") - 1, sizeof("ORIGIN") - 1 };
	for (size_t i = 0; i < rows->n; i++) {
		widen(&w.key, rows->row[i].key->name);
		widen(&w.value, value_text(p, &rows->row[i]));
		widen(&w.from, rows->row[i].from);
	}
	if (w.from > ORIGIN_MOST)
		w.from = ORIGIN_MOST;
	size_t room = PAGE_WIDTH - w.key - 2 * (size_t)GAP - w.from;
	if (w.value > room)
		w.value = room;
	return w;
}

/* Of a place in a file its end tells most: the name and the line. */
static const char *shortened(struct page *p, const char *from, size_t columns)
{
	size_t n = page_columns(from);
	if (n <= columns)
		return from;
	for (; n >= columns && *from; from++)
		n -= ((unsigned char)*from & 0xc0) != 0x80;
	while (((unsigned char)*from & 0xc0) == 0x80)
		from++;
	return page_fmt(p, "…%s", from);
}

/* The value takes as many lines as it needs; the rest stands in the first one. */
static void show_row(struct page *p, const struct row *r, struct widths w)
{
	bool bold = p->bold && r->origin.place != PLACE_DEFAULT;
	const char *value = value_text(p, r);
	size_t n = page_break(value, w.value);
	fputs(bold ? "\033[1m" : "", p->out);
	page_put(p, r->key->name, w.key + GAP);
	page_put(p, page_fmt(p, "%.*s", (int)n, value), w.value + GAP);
	fprintf(p->out, "%s%s\n", shortened(p, r->from, w.from), bold ? "\033[0m" : "");
	for (;;) {
		for (value += n; *value == ' ';)
			value++;
		if (!*value)
			return;
		n = page_break(value, w.value);
		page_put(p, "", w.key + GAP);
		fprintf(p->out, "%.*s\n", (int)n, value);
	}
}

static void show_rows(struct page *p, const char *heading, const struct rows *rows)
{
	struct widths w = measure(p, rows);
	page_heading(p, heading);
	page_put(p, "KEY", w.key + GAP);
	page_put(p, "VALUE", w.value + GAP);
	fputs("ORIGIN\n", p->out);
	for (size_t i = 0; i < rows->n; i++)
		show_row(p, &rows->row[i], w);
}

static void show(struct page *p, const struct shown *shown)
{
	show_rows(p,
		  shown->domain ? page_fmt(p, "Configuration for %s", shown->domain)
				: "Configuration for all domains",
		  &shown->all);
	for (size_t i = 0; i < shown->nroute; i++) {
		const struct route *route = shown->route[i].route;
		show_rows(p,
			  page_fmt(p, "Route \"%s\" (%s)", page_text(p, span_of(route->pattern)),
				   page_text(p, span_of(route->origin))),
			  &shown->route[i]);
	}
}

static json_t *rows_json(struct page *p, const struct rows *rows)
{
	json_t *list = json_array();
	for (size_t i = 0; i < rows->n; i++) {
		const struct row *r = &rows->row[i];
		bool file = r->origin.place == PLACE_FILE || r->origin.place == PLACE_SECTION;
		json_add(&list, json_pack("{s:s, s:s, s:s, s:s?, s:b}", "key", r->key->name,
					  "value", page_text(p, span_of(r->value)), "origin",
					  places[r->origin.place], "at",
					  file ? page_text(p, span_of(r->origin.at)) : NULL,
					  "per_domain", (int)r->key->per_domain));
	}
	return list;
}

static void show_json(struct page *p, const struct shown *shown)
{
	json_t *routes = json_array();
	for (size_t i = 0; i < shown->nroute; i++) {
		const struct route *route = shown->route[i].route;
		json_add(&routes, json_pack("{s:s, s:s, s:o}", "pattern",
					    page_text(p, span_of(route->pattern)), "at",
					    page_text(p, span_of(route->origin)), "settings",
					    rows_json(p, &shown->route[i])));
	}
	json_print(p, json_pack("{s:s?, s:o, s:o}", "domain", shown->domain, "settings",
				rows_json(p, &shown->all), "routes", routes));
}

bool ctl_settings(struct arena *a, const struct ctl *c, bool *ret_findings, struct error *err)
{
	struct page p = { .out = c->out, .arena = a, .now = c->now, .bold = c->bold };
	struct shown shown = { .domain = NULL };
	struct settings *s;
	if (!ctl_load(a, c, &s, err) ||
	    (c->noperand > 0 && !idna_ascii(a, c->operand[0], &shown.domain, err)))
		return false;
	shown.settings = s;
	if (!gather(&p, &shown, err))
		return false;
	if (c->flags & CTL_JSON)
		show_json(&p, &shown);
	else
		show(&p, &shown);
	if (p.nomem)
		return err_nomem(err);
	*ret_findings = false;
	return true;
}
