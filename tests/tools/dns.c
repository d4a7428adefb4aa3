/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns.h"
#include "play.h"

#define CHAIN_MAX 20

struct question {
	uint16_t id, type;
	char name[256];
	size_t end;   /* of the question in the query */
	size_t limit; /* bytes of a UDP answer */
};

static uint16_t get16(const unsigned char *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static bool question_read(const unsigned char *p, size_t n, struct question *ret)
{
	size_t at = 12, len = 0;
	if (n < 12 || get16(p + 4) != 1)
		return false;
	while (at < n && p[at]) {
		size_t label = p[at++];
		if (label > 63 || at + label > n || len + label + 1 >= sizeof(ret->name))
			return false;
		for (size_t i = 0; i < label; i++)
			ret->name[len++] =
				(char)(p[at + i] | (p[at + i] >= 'A' && p[at + i] <= 'Z' ? 32 : 0));
		ret->name[len++] = '.';
		at += label;
	}
	if (at + 5 > n)
		return false;
	ret->name[len ? len - 1 : 0] = '\0';
	ret->id = get16(p);
	ret->type = get16(p + at + 1);
	ret->end = at + 5;
	/* An OPT record right behind the question tells the size (RFC 6891 section 6.1.2). */
	ret->limit = 512;
	if (get16(p + 10) && at + 5 + 5 <= n && get16(p + at + 6) == 41)
		ret->limit = get16(p + at + 8);
	return true;
}

/* What a run says anew comes before what the runs before it said. */
static const struct dns_rule *rule_find(const struct dns *d, const char *name, uint16_t type,
					bool *ret_known)
{
	size_t n = strlen(name);
	for (size_t turn = d->turn + 1; turn-- > 0;) {
		for (size_t i = 0; i < d->story->ndns; i++) {
			const struct dns_rule *r = &d->story->dns[i];
			if (r->turn != turn || !glob_match(r->name, name, n))
				continue;
			*ret_known = true;
			if (r->type == 0 || r->type == type || (r->cname && r->type == TYPE_CNAME))
				return r;
		}
	}
	return NULL;
}

static uint16_t put_records(const struct dns_rule *rule, const char *name, struct bytes *out)
{
	for (size_t i = 0; i < rule->n; i++) {
		const struct dns_record *r = &rule->record[i];
		uint32_t ttl = htonl(rule->ttl);
		dns_put_name(name, out);
		dns_put16(r->type, out);
		dns_put16(1, out);
		bytes_add(out, &ttl, 4);
		dns_put16((uint16_t)r->rdata.n, out);
		bytes_add(out, r->rdata.p, r->rdata.n);
	}
	return (uint16_t)rule->n;
}

struct collected {
	uint16_t count;
	bool known;  /* the name at the end */
	bool secure; /* all of it */
};

/* Follow CNAMEs from the question to the end. Returns the rule that decides about the answer; NULL:
 * none. */
static const struct dns_rule *collect(const struct dns *d, const struct question *q,
				      struct bytes *records, struct collected *ret)
{
	const char *name = q->name;
	for (int i = 0; i < CHAIN_MAX; i++) {
		ret->known = false;
		const struct dns_rule *rule = rule_find(d, name, q->type, &ret->known);
		ret->secure = (i == 0 || ret->secure) && rule && rule->secure;
		if (!rule || rule->fault == DNS_NXDOMAIN || rule->fault == DNS_NODATA)
			return rule;
		ret->count = (uint16_t)(ret->count + put_records(rule, name, records));
		if (!rule->cname || q->type == TYPE_CNAME)
			return rule;
		name = rule->cname;
	}
	return NULL;
}

static uint16_t rcode_of(const struct dns_rule *rule, bool known)
{
	switch (rule ? rule->fault : known ? DNS_NODATA : DNS_NXDOMAIN) {
	case DNS_FORMERR:
		return 1;
	case DNS_SERVFAIL:
		return 2;
	case DNS_NXDOMAIN:
		return 3;
	case DNS_REFUSED:
		return 5;
	default:
		return 0;
	}
}

/* The answer to a question, which stands in `query`. */
static void answer_build(const struct dns *d, const struct question *q, const char *query, bool tcp,
			 struct bytes *out)
{
	struct bytes records = { 0 };
	struct collected all = { 0 };
	const struct dns_rule *rule = collect(d, q, &records, &all);
	enum dns_fault fault = rule ? rule->fault : DNS_FINE;
	bool cut = !tcp && ((rule && rule->truncate) || q->end + records.n > q->limit);
	if (cut) {
		bytes_free(&records);
		all.count = 0;
	}
	dns_put16((uint16_t)(q->id + (fault == DNS_WRONG_ID)), out);
	dns_put16((uint16_t)(0x8180 | (cut ? 0x0200 : 0) | (all.secure ? 0x0020 : 0) |
			     rcode_of(rule, all.known)),
		  out);
	dns_put16(1, out);
	dns_put16(all.count, out);
	dns_put16(0, out);
	dns_put16(0, out);
	bytes_add(out, query + 12, q->end - 12);
	if (fault == DNS_WRONG_QUESTION)
		out->p[13] ^= 1;
	bytes_add(out, bytes_text(&records), fault == DNS_SHORT ? records.n / 2 : records.n);
	if (fault == DNS_GARBAGE)
		memset(out->p + 3, 0xa5, out->n - 3);
	bytes_free(&records);
}

static void answer_send(const struct dns_peer *peer, const struct bytes *answer)
{
	struct bytes out = { 0 };
	if (peer->tcp)
		dns_put16((uint16_t)answer->n, &out);
	bytes_add(&out, answer->p, answer->n);
	ssize_t sent = peer->tcp ? send(peer->fd, out.p, out.n, MSG_NOSIGNAL)
				 : sendto(peer->fd, out.p, out.n, MSG_NOSIGNAL,
					  (const struct sockaddr *)(const void *)peer->addr,
					  peer->addr_len);
	(void)sent; /* a client that has gone is its own affair */
	bytes_free(&out);
}

static void late_ready(void *self, short revents)
{
	struct dns_late *late = self;
	(void)revents;
	answer_send(&late->peer, &late->answer);
	loop_drop(late->watch);
	bytes_free(&late->answer);
	memset(late, 0, sizeof(*late));
}

static void answer_later(struct dns *d, const struct dns_peer *peer, struct bytes *answer,
			 int64_t delay)
{
	struct dns_late *late = xalloc(sizeof(*late));
	*late = (struct dns_late){ .dns = d, .answer = *answer, .peer = *peer };
	*answer = (struct bytes){ 0 };
	late->watch = loop_add(&d->run->loop, -1, 0, late_ready, late);
	late->watch->due = now_ms() + delay;
}

/* A fault of the run hits the answer; false: nothing is said. */
static bool answer_spoil(struct dns *d, struct bytes *answer)
{
	if (d->run->fault.kind == FAULT_RESET)
		return true; /* there is no connection */
	switch (run_event(d->run, NULL)) {
	case FAULT_CUT:
		answer->p[3] = (char)((answer->p[3] & 0xf0) | 2);
		return true;
	case FAULT_GARBLE:
		memset(answer->p + 3, 0xa5, answer->n - 3);
		return true;
	case FAULT_STALL:
		return false;
	default:
		return true;
	}
}

static void query_answer(struct dns *d, const char *query, size_t n, const struct dns_peer *peer)
{
	struct question q;
	if (!question_read((const unsigned char *)query, n, &q)) {
		run_trouble(d->run, "the DNS query cannot be read");
		return;
	}
	bool known = false;
	const struct dns_rule *rule = rule_find(d, q.name, q.type, &known);
	struct bytes answer = { 0 };
	answer_build(d, &q, query, peer->tcp, &answer);
	bytes_addf(&d->asked, "%s %s\n", q.name, dns_type_text(q.type));
	bool say = answer_spoil(d, &answer) && (!rule || rule->fault != DNS_SILENCE);
	run_note(d->run, "dns %s %s%s: %s", q.name, dns_type_text(q.type), peer->tcp ? " tcp" : "",
		 say ? xprintf("%zu bytes", answer.n) : "silence");
	if (say && rule && rule->delay)
		answer_later(d, peer, &answer, rule->delay * d->run->lab->scale);
	else if (say)
		answer_send(peer, &answer);
	bytes_free(&answer);
}

static void udp_ready(void *self, short revents)
{
	struct dns *d = self;
	struct dns_peer peer = { .fd = d->udp->fd };
	char query[4096];
	(void)revents;
	socklen_t len = sizeof(peer.addr);
	ssize_t n = recvfrom(peer.fd, query, sizeof(query), MSG_DONTWAIT,
			     (struct sockaddr *)(void *)peer.addr, &len);
	peer.addr_len = len;
	if (n > 0)
		query_answer(d, query, (size_t)n, &peer);
}

static void tcp_close(struct dns_tcp *t)
{
	if (!t->watch)
		return;
	close(t->watch->fd);
	loop_drop(t->watch);
	bytes_free(&t->in);
	t->watch = NULL;
}

static void tcp_ready(void *self, short revents)
{
	struct dns_tcp *t = self;
	char in[4096];
	(void)revents;
	ssize_t n = recv(t->watch->fd, in, sizeof(in), MSG_DONTWAIT);
	if (n <= 0) {
		tcp_close(t);
		return;
	}
	bytes_add(&t->in, in, (size_t)n);
	while (t->in.n > 2) {
		size_t len = get16((const unsigned char *)t->in.p);
		if (t->in.n < len + 2)
			return;
		struct dns_peer peer = { .tcp = true, .fd = t->watch->fd };
		query_answer(t->dns, t->in.p + 2, len, &peer);
		bytes_cut(&t->in, len + 2);
	}
}

static void listener_ready(void *self, short revents)
{
	struct dns *d = self;
	(void)revents;
	int fd = accept4(d->listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	for (size_t i = 0; fd >= 0 && i < DNS_TCP_MAX; i++) {
		struct dns_tcp *t = &d->tcp[i];
		if (t->watch)
			continue;
		t->dns = d;
		t->watch = loop_add(&d->run->loop, fd, POLLIN, tcp_ready, t);
		return;
	}
	if (fd >= 0)
		close(fd);
}

/* Whatever an earlier run has left in the sockets. */
static void drain(int udp, int tcp)
{
	char junk[4096];
	int fd;
	while (recv(udp, junk, sizeof(junk), MSG_DONTWAIT) > 0)
		;
	while ((fd = accept4(tcp, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		close(fd);
}

void dns_open(struct dns *d, struct run *run, int udp, int tcp)
{
	*d = (struct dns){ .run = run, .story = run->story };
	drain(udp, tcp);
	d->udp = loop_add(&run->loop, udp, POLLIN, udp_ready, d);
	d->listener = loop_add(&run->loop, tcp, POLLIN, listener_ready, d);
}

void dns_close(struct dns *d)
{
	for (size_t i = 0; i < DNS_TCP_MAX; i++)
		tcp_close(&d->tcp[i]);
	loop_drop(d->udp);
	loop_drop(d->listener);
	bytes_free(&d->asked);
}
