/* SPDX-License-Identifier: ISC */
/* What came out of a run of LMTP: for each recipient of each message of its client, the answer
 * against what the MX hosts have said. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "play.h"

/* What the hosts made of a message for one recipient. */
struct fate {
	size_t delivered;
	bool doubtful;
};

/* A recipient of a message that the client has handed over. */
struct order {
	struct child *c;
	const struct deal *deal;
	const char *addr;
	int answer;
};

static const struct deal_rcpt *rcpt_of(const struct deal *d, const char *addr)
{
	for (size_t i = 0; i < d->n; i++) {
		if (address_same(d->rcpt[i].addr, addr))
			return &d->rcpt[i];
	}
	return NULL;
}

/* A code of this class. */
static bool is(int code, int class)
{
	return code / 100 == class;
}

static enum final final_of(const struct conn *conn, const struct deal *d, const char *addr)
{
	const struct deal_rcpt *r = rcpt_of(d, addr);
	if (!d->whole || !r || !is(r->code, 2))
		return FINAL_NONE;
	if (is(r->answer, 2))
		return conn->torn ? FINAL_DOUBTFUL : FINAL_DELIVERED;
	if (r->answer < 0)
		return FINAL_DOUBTFUL;
	return is(r->answer, 4) || is(r->answer, 5) ? FINAL_REFUSED : FINAL_UNANSWERED;
}

/* The next transaction of a host for the order, behind *conn and *deal, which begin at 0. */
static bool next_deal(const struct order *o, size_t *conn, size_t *deal, const struct deal **ret)
{
	const struct mx *mx = &o->c->run->mx;
	for (; *conn < mx->nconn; ++*conn, *deal = 0) {
		const struct talk *t = &mx->conn[*conn].talk;
		for (; mx->conn[*conn].of == o->c && *deal < t->n; ++*deal) {
			if (t->deal[*deal].owner != (int)(o->deal - o->c->client.talk.deal))
				continue;
			*ret = &t->deal[(*deal)++];
			return true;
		}
	}
	return false;
}

static struct fate fate_of(const struct order *o)
{
	struct fate fate = { 0 };
	const struct deal *d;
	for (size_t i = 0, k = 0; next_deal(o, &i, &k, &d);) {
		enum final f = final_of(&o->c->run->mx.conn[i], d, o->addr);
		fate.delivered += f == FINAL_DELIVERED;
		fate.doubtful |= f == FINAL_DOUBTFUL;
	}
	return fate;
}

static const char *ident_of(const struct child *c, const struct deal *d)
{
	for (size_t i = 0; !*d->ident && i + 1 < c->turn->narg; i++) {
		if (strcmp(c->turn->arg[i], "-i") == 0)
			return c->turn->arg[i + 1];
	}
	return d->ident;
}

/* Queue id, sender and content; without a queue id none is like another. */
static bool same_mail(const struct order *a, const struct order *b)
{
	return *ident_of(a->c, a->deal) &&
	       strcmp(ident_of(a->c, a->deal), ident_of(b->c, b->deal)) == 0 &&
	       strcmp(a->deal->sender, b->deal->sender) == 0 &&
	       a->deal->text.n == b->deal->text.n &&
	       memcmp(a->deal->text.p, b->deal->text.p, a->deal->text.n) == 0;
}

static bool came_before(const struct order *e, const struct order *o)
{
	return e->c == o->c ? e->deal < o->deal : e->c->ended <= o->c->started;
}

/* Must it be known by the time of `o` that `e` was delivered? */
static bool must_know(const struct order *o, const struct order *e)
{
	const struct run *r = o->c->run;
	bool heard = run_faulty(r) || e->answer;
	if (r->fault.kind == FAULT_ALLOC || e->c->killed || r->story->may_repeat)
		return false;
	return o->c->turn->wall - e->c->turn->wall < (heard ? REPORTED_S : UNREPORTED_S);
}

/* What became of the same mail before: delivered counts only what must be known. */
static struct fate fate_before(const struct order *o)
{
	struct run *r = o->c->run;
	struct fate fate = { 0 };
	for (size_t i = 0; i < r->nchild && r->story->has_state; i++) {
		const struct talk *t = &r->child[i].client.talk;
		for (size_t k = 0; k < t->n; k++) {
			const struct deal_rcpt *rcpt = rcpt_of(&t->deal[k], o->addr);
			struct order e = { &r->child[i], &t->deal[k], o->addr,
					   rcpt ? rcpt->answer : 0 };
			if (!rcpt || !e.deal->whole || !came_before(&e, o) || !same_mail(&e, o))
				continue;
			struct fate f = fate_of(&e);
			fate.doubtful |= f.delivered > 0 || f.doubtful;
			fate.delivered += must_know(o, &e) ? f.delivered : 0;
		}
	}
	return fate;
}

static void wrong(const struct order *o, const char *what)
{
	run_trouble(o->c->run, "%s%s: %s (answer %d)", check_prefix(o->c), o->addr, what,
		    o->answer);
}

/* Invariants 1 and 5: 2xx exactly if a host that had the message and this recipient said 2xx, now
 * or for the same mail before; and not a second time. */
static void check_truth(const struct order *o)
{
	const struct run *r = o->c->run;
	struct fate f = fate_of(o), before = fate_before(o);
	bool deaf = r->hit == o->c && r->fault.kind == FAULT_ALLOC && r->story->tls;
	if (is(o->answer, 2) && !f.delivered && !f.doubtful && !before.doubtful)
		wrong(o, "told as delivered, but nobody took it");
	if (o->answer && !is(o->answer, 2) && f.delivered && !deaf)
		wrong(o, "a host took it, but this was not told");
	if (f.delivered > 1)
		wrong(o, "delivered twice");
	if (f.delivered && before.delivered)
		wrong(o, "it had been delivered before");
}

static bool refused(const struct deal *d, const char *addr)
{
	const struct deal_rcpt *r = rcpt_of(d, addr);
	return is(d->mail, 5) || (r && (is(r->code, 5) || is(r->answer, 5) || is(d->data, 5)));
}

/* Invariant 2: 5xx only if a server said so, of this recipient or of all mail. */
static void check_bounce(const struct order *o)
{
	const struct mx *mx = &o->c->run->mx;
	const struct deal *d;
	bool fair = !is(o->answer, 5) || o->c->run->story->may_bounce;
	for (size_t i = 0; i < mx->nconn; i++)
		fair |= mx->conn[i].of == o->c && mx->conn[i].talk.refused;
	for (size_t i = 0, k = 0; !fair && next_deal(o, &i, &k, &d);)
		fair = refused(d, o->addr);
	if (!fair)
		wrong(o, "no server said 5xx");
}

/* Invariant 3: after a final dot that was not refused nobody else is asked. */
static void check_once(const struct order *o)
{
	const struct deal *d, *other;
	for (size_t i = 0, k = 0; next_deal(o, &i, &k, &d);) {
		enum final f = final_of(&o->c->run->mx.conn[i], d, o->addr);
		if (f == FINAL_NONE || f == FINAL_REFUSED)
			continue;
		for (size_t m = 0, n = 0; next_deal(o, &m, &n, &other);) {
			if (other->began > d->ended && rcpt_of(other, o->addr))
				wrong(o, "another host is asked after the final dot");
		}
	}
}

/* When the client had gone before a host was ready for the text, the host does not get all of it.
 */
static void check_gone(const struct order *o)
{
	const struct conn *client = &o->c->client;
	const struct deal *d;
	if (!client->gone || client->talk.since || o->deal != talk_last(&client->talk))
		return;
	for (size_t i = 0, k = 0; next_deal(o, &i, &k, &d);) {
		if (d->whole && d->asked_for > client->gone)
			wrong(o, "sent for a client that had gone");
	}
}

/* Every recipient has its answer, if somebody was there to hear it, unless a signal came while the
 * text was read. */
static void check_answered(const struct order *o)
{
	const struct conn *client = &o->c->client;
	bool heard = !client->gone && !client->stalled && !client->deaf && !o->c->killed;
	const struct deal *d;
	size_t i = 0, k = 0;
	bool begun = !o->c->stopped || next_deal(o, &i, &k, &d);
	if (heard && begun && !o->answer)
		wrong(o, "no answer");
}

/* A transaction of a host carries what the client has said. */
static void check_origin(struct child *c, const struct deal *d)
{
	const struct talk *client = &c->client.talk;
	const struct deal *from = d->owner >= 0 ? &client->deal[d->owner] : NULL;
	if (!from || !address_same(from->sender, d->sender))
		run_trouble(c->run, "%ssender %s was not said", check_prefix(c), d->sender);
	for (size_t i = 0; from && i < d->n; i++) {
		const struct deal_rcpt *r = rcpt_of(from, d->rcpt[i].addr);
		if (!r || !is(r->code, 2))
			run_trouble(c->run, "%srecipient %s was not said", check_prefix(c),
				    d->rcpt[i].addr);
	}
}

/* Nobody translates the death of the agent here; its libraries may die for want of memory. */
static void check_end(struct child *c)
{
	const struct run *r = c->run;
	bool hit = r->hit == c && r->fault.kind == FAULT_ALLOC;
	bool may_die = hit && (r->story->tls || c->turn->has_config || r->story->may_crash);
	if (!c->killed && may_die && c->status != 0)
		c->killed = true;
	if (!c->killed && c->status != 0)
		run_trouble(c->run, "%smxdirect ended with wait status 0x%x", check_prefix(c),
			    (unsigned)c->status);
}

void check_lmtp(struct child *c)
{
	const struct talk *t = &c->client.talk;
	check_end(c);
	if (t->trouble.n)
		run_trouble(c->run, "%s%s", check_prefix(c), t->trouble.p);
	for (size_t i = 0; i < t->n; i++) {
		const struct deal *d = &t->deal[i];
		for (size_t k = 0; d->whole && k < d->n; k++) {
			const struct order o = { c, d, d->rcpt[k].addr, d->rcpt[k].answer };
			if (!is(d->rcpt[k].code, 2))
				continue;
			check_truth(&o);
			check_bounce(&o);
			check_once(&o);
			check_gone(&o);
			check_answered(&o);
		}
	}
	for (size_t i = 0; i < c->run->mx.nconn; i++) {
		const struct conn *conn = &c->run->mx.conn[i];
		for (size_t k = 0; conn->of == c && k < conn->talk.n; k++)
			check_origin(c, &conn->talk.deal[k]);
	}
}

bool check_delivered(const struct conn *conn)
{
	for (size_t i = 0; i < conn->talk.n; i++) {
		const struct deal *d = &conn->talk.deal[i];
		for (size_t k = 0; k < d->n; k++) {
			if (final_of(conn, d, d->rcpt[k].addr) == FINAL_DELIVERED)
				return true;
		}
	}
	return false;
}
