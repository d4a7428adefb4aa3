/* SPDX-License-Identifier: ISC */
/*
 * Raw queries, since c-ares' own parsers know neither AD nor TLSA nor TTLs of all types:
 * ares_create_query(), the AD bit set (RFC 6840 section 5.7), ares_send(), wire/dnsmsg.
 *
 * A lookup lives in the arena of its answer and c-ares holds a pointer to it while `busy`. That is
 * why resolver_forget() comes before the end of the arena.
 */
#include <netinet/in.h>
#include <sys/time.h>

#define CARES_NO_DEPRECATED /* the raw interface is the one that 1.18 and later ones both have */
#include <ares.h>

#include "base/text.h"
#include "net/resolver.h"
#include "wire/addr.h"

#define MAX_SERVERS      8    /* ares_getsock() shows 16 sockets, and a server has two */
#define RESOLV_CONF_MOST 3    /* servers in resolv.conf (MAXNS) */
#define TRIES            4    /* for each server; the wait doubles from round to round */
#define FIRST_TRY_MOST   2000 /* ms: a lost packet should not cost more */
#define FIRST_TRY_LEAST  20   /* ms */
#define UDP_SIZE         1232 /* fits every path without fragments (DNS flag day 2020) */
#define CLASS_IN         1

/* FIRST starts with the first server, SECOND with the one behind it: only c-ares' timeouts make it
 * go on to the next server, but an error is no better. */
enum channel { FIRST, SECOND, CHANNELS };

struct lookup {
	struct dns_answer answer;
	struct resolver *resolver;
	struct arena *arena;
	enum dns_type type;
	enum channel channel;
	struct deadline until;
	uint16_t id;
	bool busy; /* c-ares will call answered() */
	struct lookup *next;
};

struct resolver {
	struct io *io;
	struct rng *rng;
	int64_t timeout_ms;
	int first_try_ms;
	bool trusted;
	ares_channel channel[CHANNELS]; /* SECOND is NULL until it is needed */
	struct ares_addr_port_node server[MAX_SERVERS];
	size_t nservers, busy, stored;
	struct lookup *lookups;
};

static bool set_servers(struct resolver *r, enum channel channel)
{
	if (r->nservers == 0)
		return false;
	for (size_t i = 0; i < r->nservers; i++) {
		size_t at = (i + channel) % r->nservers;
		bool last = i + 1 == r->nservers;
		r->server[at].next = last ? NULL : &r->server[(at + 1) % r->nservers];
	}
	return ares_set_servers_ports(r->channel[channel], &r->server[channel % r->nservers]) ==
	       ARES_SUCCESS;
}

/*
 * NOCHECKRESP: without it SERVFAIL and "nobody there" look the same. EDNS and its size: without
 * them an answer over 512 bytes counts as truncated, whatever OPT the query has. With servers,
 * domains and sortlist given (resolver_options has servers) c-ares reads no file.
 */
static int open_channel(struct resolver *r, enum channel channel)
{
	struct in_addr placeholder = { htonl(INADDR_LOOPBACK) };
	char lookups[] = "b";
	struct ares_options o = {
		.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES |
			 ARES_FLAG_EDNS,
		.timeout = r->first_try_ms,
		.tries = TRIES,
		.ndots = 1,
		.lookups = lookups,
		.ednspsz = UDP_SIZE,
		.servers = &placeholder,
		.nservers = 1,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
		   ARES_OPT_LOOKUPS | ARES_OPT_EDNSPSZ | ARES_OPT_NOROTATE | ARES_OPT_DOMAINS |
		   ARES_OPT_SORTLIST;
	if (r->nservers > 0)
		mask |= ARES_OPT_SERVERS;
	int status = ares_init_options(&r->channel[channel], &o, mask);
	if (status != ARES_SUCCESS)
		r->channel[channel] = NULL;
	return status;
}

static void take_servers(struct resolver *r, const struct resolver_options *o)
{
	r->nservers = o->nservers;
	for (size_t i = 0; i < o->nservers; i++) {
		const struct endpoint *e = &o->servers[i];
		struct ares_addr_port_node *node = &r->server[i];
		node->family = e->ip.family == 4 ? AF_INET : AF_INET6;
		node->udp_port = node->tcp_port = e->port;
		memcpy(&node->addr, e->ip.b, e->ip.family == 4 ? 4 : 16);
	}
}

/* Those that c-ares found in resolv.conf. */
static bool learn_servers(struct resolver *r)
{
	struct ares_addr_port_node *list = NULL;
	if (ares_get_servers_ports(r->channel[FIRST], &list) != ARES_SUCCESS)
		return false;
	for (struct ares_addr_port_node *n = list; n && r->nservers < MAX_SERVERS; n = n->next)
		r->server[r->nservers++] = *n;
	ares_free_data(list);
	return r->nservers > 0;
}

static bool is_loopback(const struct ares_addr_port_node *n)
{
	if (n->family == AF_INET)
		return ntohl(n->addr.addr4.s_addr) >> 24 == 127;
	return memcmp(&n->addr.addr6, &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
}

static bool open_first(struct resolver *r, const struct resolver_options *o, struct error *err)
{
	take_servers(r, o);
	int status = open_channel(r, FIRST);
	if (status == ARES_ENOMEM)
		return err_nomem(err);
	if (status != ARES_SUCCESS)
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "DNS: %s", ares_strerror(status));
	bool ok = o->nservers ? set_servers(r, FIRST) : learn_servers(r);
	if (!ok)
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "DNS: no usable server");
	bool loopback = true;
	for (size_t i = 0; i < r->nservers; i++)
		loopback = loopback && is_loopback(&r->server[i]);
	r->trusted = o->trust_ad || loopback;
	return true;
}

bool resolver_open(const struct resolver_options *o, struct io *io, struct rng *rng,
		   struct resolver **ret, struct error *err)
{
	if (o->nservers > MAX_SERVERS)
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "DNS: more than %d servers",
			       MAX_SERVERS);
	for (size_t i = 0; i < o->nservers; i++)
		if (o->servers[i].ip.family == 0 || o->servers[i].port == 0)
			return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "DNS: no usable server");
	struct resolver *r = calloc(1, sizeof(*r));
	if (!r)
		return err_nomem(err);
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		free(r);
		return err_nomem(err);
	}
	r->io = io;
	r->rng = rng;
	r->timeout_ms = o->timeout_ms;
	/* So that every server is asked twice within the time: t for each, then 2t for each. */
	size_t n = o->nservers ? o->nservers : RESOLV_CONF_MOST;
	int64_t t = o->timeout_ms / (3 * (int64_t)n);
	r->first_try_ms = t > FIRST_TRY_MOST    ? FIRST_TRY_MOST
			  : t < FIRST_TRY_LEAST ? FIRST_TRY_LEAST
						: (int)t;
	if (!open_first(r, o, err)) {
		resolver_close(r);
		return false;
	}
	*ret = r;
	return true;
}

void resolver_close(struct resolver *r)
{
	if (!r)
		return;
	for (enum channel c = FIRST; c < CHANNELS; c++)
		if (r->channel[c])
			ares_destroy(r->channel[c]);
	ares_library_cleanup();
	free(r);
}

static void settle(struct lookup *l, const char *why)
{
	if (l->answer.state != DNS_PENDING)
		return;
	l->answer.state = DNS_TEMP;
	snprintf(l->answer.why, sizeof(l->answer.why), "%s", why);
}

static const char *reason(int status)
{
	switch (status) {
	case ARES_ETIMEOUT:
		return "timed out";
	case ARES_ECONNREFUSED:
		return "no DNS server can be reached";
	case ARES_ENOMEM:
		return "out of memory";
	case ARES_ECANCELLED:
		return "given up";
	default:
		return ares_strerror(status);
	}
}

/* An id nobody else on the way has: c-ares tells answers apart by it (and by the question), and
 * to guess it is half of forging one. */
static uint16_t new_id(const struct resolver *r)
{
	for (;;) {
		uint16_t id = (uint16_t)rng_below(r->rng, 1u << 16);
		const struct lookup *l = r->lookups;
		while (l && !(l->busy && l->id == id))
			l = l->next;
		if (!l)
			return id;
	}
}

static void answered(void *arg, int status, int timeouts, unsigned char *msg, int len);

/* Give it to c-ares, which may call answered() at once. */
static void send_query(struct lookup *l, enum channel channel)
{
	struct resolver *r = l->resolver;
	unsigned char *query = NULL;
	int len = 0;
	l->id = new_id(r);
	int status = ares_create_query(l->answer.name, CLASS_IN, (int)l->type, l->id, 1, &query,
				       &len, UDP_SIZE);
	if (status == ARES_ENOTFOUND || status == ARES_EBADNAME) {
		/* RFC 7686 section 2: .onion is not for DNS. */
		l->answer.state = DNS_NXDOMAIN;
		return;
	}
	if (status != ARES_SUCCESS) {
		settle(l, reason(status));
		return;
	}
	query[3] |= 0x20;
	l->channel = channel;
	l->busy = true;
	r->busy++;
	ares_send(r->channel[channel], query, len, answered, l);
	ares_free_string(query);
}

/* Once, from the server behind the first one. False: there is none. */
static bool ask_next_server(struct lookup *l)
{
	struct resolver *r = l->resolver;
	if (l->channel != FIRST || r->nservers < 2)
		return false;
	if (!r->channel[SECOND] &&
	    (open_channel(r, SECOND) != ARES_SUCCESS || !set_servers(r, SECOND)))
		return false;
	send_query(l, SECOND);
	return true;
}

static void answered(void *arg, int status, int timeouts, unsigned char *msg, int len)
{
	struct lookup *l = arg;
	struct dns_answer got;
	struct error err;
	(void)timeouts;
	l->busy = false;
	l->resolver->busy--;
	if (l->answer.state != DNS_PENDING || status == ARES_EDESTRUCTION)
		return;
	if (status != ARES_SUCCESS || !msg || len < 0) {
		settle(l, reason(status));
		return;
	}
	struct span bytes = { (const char *)msg, (size_t)len };
	l->resolver->stored++;
	if (!dnsmsg_parse(l->arena, bytes, l->answer.name, l->type, &got, &err)) {
		settle(l, reason(ARES_ENOMEM));
		return;
	}
	if (got.state == DNS_TEMP && ask_next_server(l))
		return;
	got.authentic = got.authentic && l->resolver->trusted;
	l->answer = got;
}

const struct dns_answer *resolver_ask(struct resolver *r, struct arena *a, const char *name,
				      enum dns_type type)
{
	const char *asked = domain_normal(a, span_of(name));
	if (!asked)
		return NULL;
	for (struct lookup *l = r->lookups; l; l = l->next)
		if (l->arena == a && l->type == type && strcmp(l->answer.name, asked) == 0)
			return &l->answer;
	bool valid = domain_valid(span_of(asked));
	if (valid && r->busy >= LIMIT_DNS_INFLIGHT)
		return NULL;
	struct lookup *l = ARENA_NEW(a, struct lookup, 1);
	if (!l)
		return NULL;
	*l = (struct lookup){
		.answer = { .state = DNS_PENDING, .name = asked, .canonical = asked },
		.resolver = r,
		.arena = a,
		.type = type,
		.until = deadline_in(io_now(r->io), r->timeout_ms),
		.next = r->lookups,
	};
	r->lookups = l;
	r->stored++;
	if (valid)
		send_query(l, FIRST);
	else
		l->answer.state = DNS_NXDOMAIN;
	return &l->answer;
}

struct waiting {
	struct pollfd fd[IO_FDS];
	enum channel channel[IO_FDS];
	size_t n;
	struct deadline until; /* when c-ares wants to send again */
};

static void add_channel(struct waiting *w, ares_channel channel, enum channel which,
			struct instant now)
{
	ares_socket_t fd[ARES_GETSOCK_MAXNUM];
	struct timeval tv;
	/* ARES_GETSOCK_WRITABLE() shifts into the sign. */
	unsigned bits = (unsigned)ares_getsock(channel, fd, ARES_GETSOCK_MAXNUM);
	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		bool in = bits >> i & 1, out = bits >> (i + ARES_GETSOCK_MAXNUM) & 1;
		if (!in && !out)
			break;
		w->fd[w->n] = (struct pollfd){ .fd = fd[i], .events = in ? POLLIN : 0 };
		if (out)
			w->fd[w->n].events |= POLLOUT;
		w->channel[w->n++] = which;
	}
	if (ares_timeout(channel, NULL, &tv)) {
		int64_t ms = (int64_t)tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000;
		w->until = deadline_min(w->until, deadline_in(now, ms));
	}
}

/* One wait, and what came of it given to c-ares. */
static enum io_event turn(struct resolver *r, struct deadline until)
{
	struct waiting w = { .until = until };
	for (enum channel c = FIRST; c < CHANNELS; c++)
		if (r->channel[c])
			add_channel(&w, r->channel[c], c, io_now(r->io));
	enum io_event event = io_poll(r->io, w.fd, w.n, w.until);
	if (event == IO_STOPPED)
		return event;
	for (size_t i = 0; event == IO_READY && i < w.n; i++) {
		const struct pollfd *p = &w.fd[i];
		if (p->revents)
			ares_process_fd(r->channel[w.channel[i]],
					p->revents & ~POLLOUT ? p->fd : ARES_SOCKET_BAD,
					p->revents & POLLOUT ? p->fd : ARES_SOCKET_BAD);
	}
	for (enum channel c = FIRST; c < CHANNELS; c++)
		if (r->channel[c])
			ares_process_fd(r->channel[c], ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	return event;
}

static bool any_pending(const struct dns_answer *const *answers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (answers[i]->state == DNS_PENDING)
			return true;
	return false;
}

static struct deadline soonest(const struct resolver *r, struct deadline until)
{
	for (const struct lookup *l = r->lookups; l; l = l->next)
		if (l->answer.state == DNS_PENDING)
			until = deadline_min(until, l->until);
	return until;
}

/* Settle those whose own time is over. False: none is pending any more. */
static bool expire(struct resolver *r)
{
	bool pending = false;
	for (struct lookup *l = r->lookups; l; l = l->next) {
		if (deadline_left_ms(l->until, io_now(r->io)) == 0)
			settle(l, "timed out");
		pending = pending || l->answer.state == DNS_PENDING;
	}
	return pending;
}

static void give_up(struct resolver *r, const struct dns_answer *const *answers, size_t n,
		    const char *why)
{
	for (size_t i = 0; i < n; i++)
		for (struct lookup *l = r->lookups; l; l = l->next)
			if (&l->answer == answers[i])
				settle(l, why);
}

static void cancel(struct resolver *r)
{
	for (enum channel c = FIRST; c < CHANNELS; c++)
		if (r->channel[c])
			ares_cancel(r->channel[c]);
}

void resolver_wait(struct resolver *r, const struct dns_answer *const *answers, size_t n,
		   struct deadline until)
{
	while (any_pending(answers, n)) {
		/* First what has come already: the time may have passed while nobody waited. */
		if (turn(r, soonest(r, until)) == IO_STOPPED)
			give_up(r, answers, n, "stopped");
		expire(r);
		if (deadline_left_ms(until, io_now(r->io)) == 0)
			give_up(r, answers, n, "timed out");
	}
	/* c-ares may still try for answers that nobody awaits: they would count as under way. */
	if (r->busy > 0 && !expire(r))
		cancel(r);
}

void resolver_forget(struct resolver *r)
{
	cancel(r);
	r->lookups = NULL;
}

size_t resolver_stored(const struct resolver *r)
{
	return r->stored;
}
