/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include "base/limits.h"
#include "base/text.h"
#include "wire/addr.h"
#include "core/config_value.h"
#include "core/route.h"

#define MOST_HOST    300  /* of "mx:NAME:PORT"; LIMIT_DOMAIN is of the name */
#define MOST_SENDER  1400 /* LIMIT_LOCAL, quoted here and there, and LIMIT_DOMAIN */
#define MOST_USER    255  /* RFC 4616 section 2 */
#define MOST_PATH    4095 /* PATH_MAX, without its NUL */
#define MOST_SIZE    ((uint64_t)1 << 50)
#define MOST_FAILING (30 * CONFIG_DAY) /* mail servers give up long before */

#define FIELD(key)    CONFIG_FIELD(struct route, key)
#define TEXTS(key, n) CONFIG_LIST(struct route, key), .type = CONFIG_TEXTS, .max = (n)
#define SIZE          .type = CONFIG_SIZE, .max = MOST_SIZE
#define BOOL          .type = CONFIG_BOOL

static const struct config_key table[] = {
	{ TEXTS(hosts, MOST_HOST), .default_text = "",
	  .help = "where the mail goes: NAME, ADDRESS or mx:NAME, with or without :PORT" },
	{ TEXTS(sender, MOST_SENDER), .default_text = "",
	  .help = "only mail from these; none: from anybody" },
	{ FIELD(size_over), SIZE, .default_text = "0",
	  .help = "only messages larger than this; 0: any" },
	{ FIELD(size_under), SIZE, .default_text = "0",
	  .help = "only messages smaller than this; 0: any" },
	{ FIELD(failing_for), .type = CONFIG_TIME, .max = MOST_FAILING, .default_text = "0",
	  .help = "only if nothing could be delivered to the domain for this long; 0: always" },
	{ FIELD(priority), .type = CONFIG_NUMBER, .max = UINT16_MAX, .default_text = "10",
	  .help = "lower ones are tried first, equal ones in random order" },
	{ FIELD(direct), BOOL, .default_text = "no",
	  .help = "the MX hosts of the recipient's domain are among the hosts" },
	{ FIELD(last), BOOL, .default_text = "no",
	  .help = "if this route matches, those after it are not looked at" },
	{ FIELD(user), .type = CONFIG_TEXT, .max = MOST_USER, .default_text = "",
	  .help = "name of the login at the hosts; empty: no login" },
	{ FIELD(password_file), .type = CONFIG_PATH, .max = MOST_PATH, .default_text = "",
	  .help = "file with the password of the login" },
};
#define NKEYS (sizeof(table) / sizeof(table[0]))

const struct config_key *route_keys(size_t *ret_n)
{
	*ret_n = NKEYS;
	return table;
}

void route_init(struct route *r, const char *pattern, const char *origin)
{
	*r = (struct route){ .pattern = pattern, .origin = origin };
	config_value_init(table, NKEYS, r);
}

bool route_set(struct arena *a, struct route *r, const char *key, const char *const *value,
	       size_t n, struct error *err)
{
	const struct config_key *k = config_value_key(table, NKEYS, span_of(key));
	if (!k)
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "unknown key \"%.100s\"", key);
	return config_value_set(a, k, r, value, n, err);
}

static bool refuse(const struct route *r, struct error *err, const char *what)
{
	return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "%s: route \"%.100s\": %s", r->origin,
		       r->pattern, what);
}

static bool refuse_item(const struct route *r, struct error *err, const char *item,
			const char *what)
{
	char text[300];
	snprintf(text, sizeof(text), "\"%.100s\" %s", item, what);
	return refuse(r, err, text);
}

static bool is_domain(struct span s)
{
	struct ip ip;
	return domain_valid(s) || addr_literal(s, &ip);
}

static bool pattern_valid(struct span s)
{
	static const struct span below = SPAN("*.");
	if (span_equal(s, SPAN("*")))
		return true;
	if (span_starts_nocase(s, below))
		return domain_valid((struct span){ s.p + below.n, s.n - below.n });
	return is_domain(s);
}

static struct span from(struct span s, size_t at)
{
	return (struct span){ s.p + at, s.n - at };
}

static size_t last_of(struct span s, char c)
{
	const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;
	return at ? (size_t)(at - s.p) : s.n;
}

/* No host's name ends in a label of digits (RFC 1123 section 2.1): it is an address with a mistake.
 */
static bool host_name_valid(struct span s)
{
	size_t dot = last_of(s, '.');
	uint64_t number;
	struct span label = dot < s.n ? from(s, dot + 1) : s;
	return domain_valid(s) && !text_u64(label, UINT64_MAX, &number);
}

static bool cut_port(struct span *name, uint16_t *ret)
{
	uint64_t number = 0;
	size_t colon = last_of(*name, ':');
	if (colon < name->n &&
	    (!text_u64(from(*name, colon + 1), UINT16_MAX, &number) || number == 0))
		return false;
	name->n = colon;
	*ret = (uint16_t)number;
	return true;
}

static const char *literal_name(struct arena *a, struct ip ip)
{
	char text[IP_TEXT];
	ip_format(ip, text);
	return arena_fmt(a, ip.family == 6 ? "[IPv6:%s]" : "[%s]", text);
}

static bool read_host(struct arena *a, const struct route *r, const char *text,
		      struct route_host *ret, struct error *err)
{
	static const struct span mx = SPAN("mx:");
	struct route_host h = { .to.kind = NEXTHOP_HOST };
	struct span s = span_of(text);
	struct endpoint e;
	if (endpoint_parse(s, 0, &e)) {
		h = (struct route_host){ { NEXTHOP_LITERAL, literal_name(a, e.ip), e.ip }, e.port };
	} else {
		if (span_starts_nocase(s, mx)) {
			h.to.kind = NEXTHOP_MX;
			s = from(s, mx.n);
		}
		if (!cut_port(&s, &h.port) || !host_name_valid(s))
			return refuse_item(r, err, text,
					   "is not a host: NAME (A-labels), ADDRESS or mx:NAME, "
					   "with or without :PORT");
		h.to.name = domain_normal(a, s);
	}
	if (!h.to.name)
		return err_nomem(err);
	*ret = h;
	return true;
}

static bool read_hosts(struct arena *a, struct route *r, struct error *err)
{
	struct route_host *host = ARENA_NEW(a, struct route_host, r->nhosts);
	if (!host)
		return err_nomem(err);
	for (size_t i = 0; i < r->nhosts; i++)
		if (!read_host(a, r, r->hosts[i], &host[i], err))
			return false;
	r->host = host;
	return true;
}

static bool is_null_sender(struct span s)
{
	return s.n == 0 || span_equal(s, SPAN("<>"));
}

/* A domain with a star may become any; all others must be one. */
static bool sender_valid(struct span s)
{
	size_t at = last_of(s, '@');
	if (span_equal(s, SPAN("<>")))
		return true;
	if (at == s.n)
		return s.n > 0 && memchr(s.p, '*', s.n);
	struct span domain = from(s, at + 1);
	return is_domain(domain) || (domain.n > 0 && memchr(domain.p, '*', domain.n));
}

static bool check_login(const struct route *r, struct error *err)
{
	if (!r->user[0] && !r->password_file[0])
		return true;
	if (!r->user[0])
		return refuse(r, err, "password_file without user");
	if (!r->password_file[0])
		return refuse(r, err, "user without password_file");
	if (r->direct)
		return refuse(r, err, "a login is for hosts, it cannot go with direct = yes");
	for (size_t i = 0; i < r->nhosts; i++)
		if (r->host[i].to.kind != NEXTHOP_HOST)
			return refuse_item(r, err, r->hosts[i],
					   "cannot have a login: a certificate proves only the "
					   "name of a host that stands here");
	return true;
}

bool route_complete(struct arena *a, struct route *r, struct error *err)
{
	if (!pattern_valid(span_of(r->pattern)))
		return refuse(r, err,
			      "the pattern is not a domain (A-labels), \"*.DOMAIN\" or \"*\"");
	if (r->nhosts == 0 && !r->direct)
		return refuse(r, err, "neither hosts nor direct = yes");
	if (r->size_over && r->size_under && r->size_over >= r->size_under)
		return refuse(r, err, "size_over is not below size_under, so nothing matches");
	for (size_t i = 0; i < r->nsender; i++)
		if (!sender_valid(span_of(r->sender[i])))
			return refuse_item(r, err, r->sender[i],
					   "is not a sender: \"user@example.org\", "
					   "\"@example.org\" (A-labels), \"<>\", with or without "
					   "'*'");
	return read_hosts(a, r, err) && check_login(r, err);
}

static bool is_own(const struct nexthop *to, struct span own)
{
	struct ip ip;
	if (to->kind == NEXTHOP_LITERAL)
		return addr_literal(own, &ip) && ip_equal(ip, to->literal);
	return to->kind == NEXTHOP_HOST && span_equal_nocase(own, span_of(to->name));
}

bool route_agree(const struct route *r, bool tls_set, struct config *c, struct error *err)
{
	for (size_t i = 0; i < r->nhosts; i++)
		if (is_own(&r->host[i].to, span_of(c->helo_name)))
			return refuse_item(r, err, r->hosts[i],
					   "is our own name (helo_name): a loop");
	if (!r->user[0] || c->tls >= TLS_VERIFY)
		return true;
	if (tls_set)
		return refuse(r, err, "a login needs tls = verify or dane-only");
	c->tls = TLS_VERIFY;
	return true;
}

/* '*' is any text. Only the latest star is ever taken back, so that steps are at most their
 * product. */
static bool glob(struct span pattern, struct span s)
{
	size_t p = 0, i = 0, star = pattern.n, mark = 0;
	while (i < s.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			mark = i;
		} else if (p < pattern.n && text_lower(pattern.p[p]) == text_lower(s.p[i])) {
			p++;
			i++;
		} else if (star < pattern.n) {
			p = star + 1;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

static bool matches_domain(const struct route *r, struct span domain)
{
	struct span pattern = span_of(r->pattern);
	struct ip a, b;
	if (addr_literal(pattern, &a) && addr_literal(domain, &b))
		return ip_equal(a, b);
	/* Its only star is the first character, and what follows it begins with a dot. */
	return glob(pattern, domain);
}

static bool matches_sender(const char *pattern, struct span sender)
{
	struct span p = span_of(pattern);
	size_t at = last_of(sender, '@');
	if (is_null_sender(sender))
		return glob(p, SPAN("<>"));
	if (p.p[0] == '@')
		return at < sender.n && glob(from(p, 1), from(sender, at + 1));
	return glob(p, sender);
}

static bool matches_senders(const struct route *r, struct span sender)
{
	for (size_t i = 0; i < r->nsender; i++)
		if (matches_sender(r->sender[i], sender))
			return true;
	return r->nsender == 0;
}

enum route_verdict route_match(const struct route *r, const struct route_mail *m)
{
	if (!matches_domain(r, span_of(m->domain)))
		return ROUTE_OTHER_DOMAIN;
	if (!matches_senders(r, span_of(m->sender)))
		return ROUTE_OTHER_SENDER;
	if ((r->size_over || r->size_under) && !m->sized)
		return ROUTE_NO_SIZE;
	if (r->size_over && m->size <= r->size_over)
		return ROUTE_TOO_SMALL;
	if (r->size_under && m->size >= r->size_under)
		return ROUTE_TOO_LARGE;
	if (r->failing_for && !m->remembers)
		return ROUTE_NO_MEMORY;
	if (m->failing < r->failing_for)
		return ROUTE_NOT_FAILING;
	return ROUTE_MATCHES;
}

void route_judge(const struct route *r, size_t n, const struct route_mail *m,
		 enum route_verdict *ret)
{
	bool ended = false;
	for (size_t i = 0; i < n; i++) {
		ret[i] = ended ? ROUTE_AFTER_LAST : route_match(&r[i], m);
		ended = ended || (r[i].last && ret[i] == ROUTE_MATCHES);
	}
}

const char *route_verdict_name(enum route_verdict v)
{
	static const char *const names[] = {
		[ROUTE_MATCHES] = "matches",
		[ROUTE_OTHER_DOMAIN] = "another domain",
		[ROUTE_OTHER_SENDER] = "another sender",
		[ROUTE_TOO_SMALL] = "not over size_over",
		[ROUTE_TOO_LARGE] = "not under size_under",
		[ROUTE_NO_SIZE] = "the size is not known",
		[ROUTE_NOT_FAILING] = "the domain has not been failing that long",
		[ROUTE_NO_MEMORY] = "failing_for needs a memory",
		[ROUTE_AFTER_LAST] = "after a route with last = yes",
	};
	return names[v];
}

/* The ways of one priority: each of `seen` had the same chance to be among those kept. Those of
 * better ones stand before them. */
struct level {
	struct route_way *way;
	size_t better;
	uint32_t n, room, seen;
	struct rng *rng;
};

static bool same_way(const struct route_way *a, const struct route_way *b)
{
	const struct route_host *x = a->host, *y = b->host;
	if (!x || !y)
		return x == y;
	return x->to.kind == y->to.kind && strcmp(x->to.name, y->to.name) == 0 &&
	       x->port == y->port && strcmp(a->route->user, b->route->user) == 0;
}

static void add_way(struct level *l, struct route_way way)
{
	const struct route_way *other = l->way - l->better;
	for (; other < l->way + l->n; other++)
		if (same_way(other, &way))
			return;
	uint32_t at = l->n < l->room ? l->n++ : rng_below(l->rng, l->seen + 1);
	l->seen++;
	if (at < l->room)
		l->way[at] = way;
}

static void add_route(struct level *l, const struct route *r)
{
	for (size_t i = 0; i < r->nhosts; i++)
		add_way(l, (struct route_way){ r, &r->host[i] });
	if (r->direct)
		add_way(l, (struct route_way){ r, NULL });
}

/* The best priority that is `least` or more among those that match. */
static bool next_priority(const struct route *r, size_t n, const enum route_verdict *verdict,
			  uint64_t least, uint64_t *ret)
{
	uint64_t best = UINT64_MAX;
	for (size_t i = 0; i < n; i++)
		if (verdict[i] == ROUTE_MATCHES && r[i].priority >= least && r[i].priority < best)
			best = r[i].priority;
	*ret = best;
	return best < UINT64_MAX;
}

size_t route_ways(const struct route *r, size_t n, const enum route_verdict *verdict,
		  struct rng *rng, struct route_way *ret)
{
	size_t used = 0;
	for (uint64_t p = 0; used < ROUTE_WAYS && next_priority(r, n, verdict, p, &p); p++) {
		struct level l = { ret + used, used, 0, (uint32_t)(ROUTE_WAYS - used), 0, rng };
		for (size_t i = 0; i < n; i++)
			if (verdict[i] == ROUTE_MATCHES && r[i].priority == p)
				add_route(&l, &r[i]);
		rng_shuffle(rng, l.way, l.n, sizeof(*l.way));
		used += l.n;
	}
	if (used == 0)
		ret[used++] = (struct route_way){ NULL, NULL };
	return used;
}
