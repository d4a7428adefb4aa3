/* SPDX-License-Identifier: ISC */
#include "flow/ways.h"

#include "flow/memory.h"

struct finding {
	struct arena *arena;
	const struct services *sv;
	const struct ways_request *rq;
	enum route_verdict *verdict;
	struct ways *ways;
};

static bool any_failing_for(const struct ways *w)
{
	for (size_t i = 0; i < w->nroute; i++)
		if (w->route[i].failing_for > 0)
			return true;
	return false;
}

static bool judge_routes(struct finding *f, struct error *err)
{
	struct ways *w = f->ways;
	struct memory *memory = f->sv->memory;
	struct route_mail mail = {
		.domain = f->rq->domain,
		.sender = f->rq->sender,
		.sized = f->rq->sized,
		.size = f->rq->size,
		.remembers = memory && !memory_lost(memory),
	};
	if (f->sv->settings)
		w->route = settings_routes(f->sv->settings, &w->nroute);
	f->verdict = ARENA_NEW(f->arena, enum route_verdict, w->nroute + 1);
	if (!f->verdict)
		return err_nomem(err);
	if (mail.remembers && any_failing_for(w))
		mail.failing = memory_failing(memory, f->arena, f->rq->domain);
	route_judge(w->route, w->nroute, &mail, f->verdict);
	w->verdict = f->verdict;
	for (size_t i = 0; i < w->nroute; i++)
		w->memory_missed = w->memory_missed || f->verdict[i] == ROUTE_NO_MEMORY;
	return true;
}

static bool configure(struct finding *f, struct way *way, struct error *err)
{
	const struct services *sv = f->sv;
	if (!way->route)
		way->config = *sv->config;
	else if (!settings_for_route(f->arena, sv->settings, f->rq->domain, way->route,
				     &way->config, err))
		return false;
	way->sv = *sv;
	way->sv.config = &way->config;
	if (way->config.helo_name[0])
		way->sv.own_name = way->config.helo_name;
	return true;
}

static bool add_login(struct finding *f, struct way *way, struct error *err)
{
	const struct route *route = way->route;
	if (!f->rq->secrets || !route || !route->user[0])
		return true;
	if (!password_read(route->password_file, way->password, err))
		return err_wrap(err, "%s", way->name);
	way->login = (struct login){ route->user, way->password, way->name };
	return true;
}

static bool make_way(struct finding *f, const struct route_way *from, struct way *way,
		     struct error *err)
{
	way->route = from->route;
	way->direct = !from->host;
	way->name = from->route ? arena_fmt(f->arena, "route \"%s\" (%s)", from->route->pattern,
					    from->route->origin)
				: "";
	if (!way->name)
		return err_nomem(err);
	if (!configure(f, way, err))
		return false;
	if (!from->host)
		return nexthop_of_domain(f->rq->domain, &way->to, err);
	way->to = from->host->to;
	if (from->host->port)
		way->config.smtp_port = from->host->port;
	way->config.spf = SPF_OFF; /* the world sees the relay's address */
	return add_login(f, way, err);
}

bool ways_find(struct arena *a, const struct services *sv, const struct ways_request *rq,
	       struct ways *ret, struct error *err)
{
	struct route_way chosen[ROUTE_WAYS];
	struct ways found = { .n = 0 };
	struct finding f = { .arena = a, .sv = sv, .rq = rq, .ways = &found };
	if (!judge_routes(&f, err))
		return false;
	found.n = route_ways(found.route, found.nroute, f.verdict, sv->rng, chosen);
	found.way = ARENA_NEW(a, struct way, found.n);
	if (!found.way)
		return err_nomem(err);
	for (size_t i = 0; i < found.n; i++)
		if (!make_way(&f, &chosen[i], &found.way[i], err))
			return false;
	*ret = found;
	return true;
}

/* A route is our own word: whatever DNS makes of it, the mail is not to blame. What the message
 * itself demands (RFC 8689) stays. */
void way_soften(const struct way *way, struct error *err)
{
	if (way->direct)
		return;
	if (err->class == ERR_PERM && err->code.subject != 7) {
		err->class = ERR_TEMP;
		err->code = ESC(4, 3, 5);
	}
	(void)err_wrap(err, "%s", way->name);
}
