/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mx.h"
#include "play.h"

#define PIECE_GAP_MS 5
#define SLOW_GAP_MS  20
#define AWAIT_GAP_MS 5
#define SAID_MAX     65536
#define PATIENCE_MS  1000 /* a client that stalls is ended by its host then */

static const char garbage[] = "\x80\x00 no SMTP at all\r\n";

static void drop(struct watch **w)
{
	if (!*w)
		return;
	close((*w)->fd);
	loop_drop(*w);
	*w = NULL;
}

void conn_end(struct conn *c, bool reset)
{
	if (!c->watch)
		return;
	if (reset) {
		struct linger hard = { .l_onoff = 1, .l_linger = 0 };
		setsockopt(c->watch->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		c->torn = true;
	}
	if (!c->gone && !c->eof)
		c->gone = ++c->mx->run->now;
	drop(&c->watch);
	drop(&c->writer);
}

/* The client says that it has nothing more to say, and still listens. */
static void conn_end_half(struct conn *c)
{
	c->gone = ++c->mx->run->now;
	if (c->writer)
		drop(&c->writer);
	else
		shutdown(c->watch->fd, SHUT_WR);
}

/* The story is not followed: say so, unless faults are being played, and hang up. */
static void conn_wrong(struct conn *c, const char *what, const char *got, size_t n)
{
	if (!run_faulty(c->mx->run)) {
		struct bytes text = { 0 };
		escape(got, n, 300, &text);
		run_trouble(c->mx->run, "%s: %s \"%s\"", c->script->addr, what, bytes_text(&text));
		bytes_free(&text);
	}
	conn_end(c, false);
}

static void note(struct conn *c, const char *direction, const char *p, size_t n)
{
	struct bytes text = { 0 };
	escape(p, n, 200, &text);
	run_note(c->mx->run, "%s %s %s", c->script->addr, direction, bytes_text(&text));
	bytes_free(&text);
}

static void put_garbage(struct conn *c)
{
	bytes_add(&c->out, garbage, sizeof(garbage) - 1);
	if (c->tls)
		mxtls_break(c->tls);
}

/* Something was received or has been sent: the place for faults. */
static void conn_event(struct conn *c, enum fault_kind fault)
{
	switch (fault) {
	case FAULT_CUT:
	case FAULT_RESET:
		run_note(c->mx->run, "%s cut", c->script->addr);
		conn_end(c, fault == FAULT_RESET);
		break;
	case FAULT_STALL:
		run_note(c->mx->run, "%s stalls", c->script->addr);
		c->stalled = true;
		c->wait_until = now_ms() + PATIENCE_MS * c->mx->run->lab->scale;
		break;
	case FAULT_GARBLE:
		run_note(c->mx->run, "%s garbage", c->script->addr);
		put_garbage(c);
		break;
	default:
		break;
	}
}

static void conn_heard(struct conn *c, const char *p, size_t n)
{
	if (n && c->client) {
		talk_replies(&c->talk, p, n);
		bytes_add(&c->of->output, p, n);
	} else if (n && c->of->turn->lmtp)
		talk_commands(&c->talk, p, n);
}

static void conn_said(struct conn *c, const char *p, size_t n)
{
	if (c->said.n < SAID_MAX)
		bytes_add(&c->said, p, n);
	if (c->client)
		talk_commands(&c->talk, p, n);
	else if (c->of->turn->lmtp)
		talk_replies(&c->talk, p, n);
}

static void conn_clear(struct conn *c, const char *p, size_t n)
{
	bytes_add(&c->in, p, n);
	if (!c->client && c->mx->run->story->nsecret && c->clear.n < SAID_MAX)
		bytes_add(&c->clear, p, n);
}

static void conn_read(struct conn *c)
{
	char in[65536];
	if (c->deaf || c->stalled || c->eof || (c->slow && now_ms() < c->next_read))
		return;
	size_t max = c->slow ? (size_t)c->slow : sizeof(in);
	ssize_t n = read(c->watch->fd, in, max);
	size_t had = c->in.n;
	c->next_read = now_ms() + SLOW_GAP_MS * c->mx->run->lab->scale;
	if (n > 0 && c->tls)
		c->eof = !mxtls_feed(c->tls, in, (size_t)n, &c->in);
	else if (n > 0)
		conn_clear(c, in, (size_t)n);
	else if (n == 0 || errno != EAGAIN)
		c->eof = true;
	conn_heard(c, bytes_text(&c->in) + had, c->in.n - had);
}

/* True: everything is out. */
static bool conn_write(struct conn *c)
{
	int fd = c->client && c->writer ? c->writer->fd : c->watch->fd;
	while (c->out_pos < c->out.n && !c->eof && now_ms() >= c->next_write) {
		size_t n = c->out.n - c->out_pos;
		if (c->chunk && n > (size_t)c->chunk)
			n = (size_t)c->chunk;
		ssize_t sent = write(fd, c->out.p + c->out_pos, n);
		if (sent < 0 && errno == EAGAIN)
			return false;
		if (sent < 0) {
			c->eof = true;
			return false;
		}
		if (!c->tls)
			conn_said(c, c->out.p + c->out_pos, (size_t)sent);
		c->out_pos += (size_t)sent;
		if (c->chunk)
			c->next_write = now_ms() + c->gap;
	}
	return c->out_pos == c->out.n;
}

static bool next_item(struct conn *c)
{
	c->pos++;
	c->begun = false;
	return c->watch && !c->stalled;
}

static bool step_send(struct conn *c, const struct item *item)
{
	if (item->scram && !c->begun) {
		bytes_cut(&c->answer, c->answer.n);
		scram_say(c->scram, item->scram, bytes_text(&item->text), &c->answer);
	}
	const struct bytes *text = item->scram ? &c->answer : &item->text;
	if (!c->begun) {
		enum fault_kind fault = run_event(c->mx->run, c->of);
		c->begun = true;
		c->after = fault == FAULT_GARBLE ? FAULT_NONE : fault;
		if (fault == FAULT_GARBLE)
			put_garbage(c);
		else if (c->tls)
			mxtls_send(c->tls, text->p, text->n);
		else
			bytes_add(&c->out, text->p, text->n);
		note(c, "<-", text->p, text->n);
	}
	if (!conn_write(c))
		return false;
	/* A record counts when all of it is out. */
	if (c->tls && !mxtls_broken(c->tls))
		conn_said(c, text->p, text->n);
	conn_event(c, c->after);
	return next_item(c);
}

/* The first n bytes of `in` were what the item wanted. */
static bool received(struct conn *c, size_t n, size_t shown)
{
	note(c, "->", bytes_text(&c->in), shown);
	bytes_cut(&c->in, n);
	c->scanned = c->body = 0;
	conn_event(c, run_event(c->mx->run, c->of));
	return next_item(c);
}

/* NULL: the line of n bytes is what the item wants. */
static const char *line_wrong(struct conn *c, const struct item *item, size_t n)
{
	const char *text = bytes_text(&item->text);
	if (!item->scram)
		return glob_match(text, c->in.p, n) ? NULL : xprintf("wanted \"%s\"", text);
	char *line = xndup(c->in.p, n);
	const char *wrong = scram_heard(&c->scram, item->scram, text, line);
	free(line);
	return wrong;
}

static bool step_line(struct conn *c, const struct item *item)
{
	const char *lf = memchr(bytes_text(&c->in), '\n', c->in.n);
	if (!lf)
		return false;
	size_t n = (size_t)(lf - c->in.p);
	if (n == 0 || lf[-1] != '\r') {
		conn_wrong(c, "a line without CRLF", c->in.p, n + 1);
		return false;
	}
	bool more = item->kind == ITEM_REPLY && n > 4 && c->in.p[3] == '-';
	const char *wrong = item->kind == ITEM_ANY || more ? NULL : line_wrong(c, item, n - 1);
	if (wrong) {
		run_note(c->mx->run, "%s %s", c->script->addr, wrong);
		conn_wrong(c, xprintf("%s, got", wrong), c->in.p, n - 1);
		return false;
	}
	if (more || (item->kind == ITEM_ANY && ++c->lines < item->n)) {
		note(c, "->", c->in.p, n - 1);
		bytes_cut(&c->in, n + 1);
		return true;
	}
	c->lines = 0;
	return received(c, n + 1, n - 1);
}

/* Where the message ends, its final dot included; 0: not yet. */
static size_t message_end(struct conn *c)
{
	if (c->in.n >= 3 && memcmp(c->in.p, ".\r\n", 3) == 0)
		return 3;
	size_t from = c->scanned > 4 ? c->scanned - 4 : 0;
	const char *dot =
		c->in.n > from ? memmem(c->in.p + from, c->in.n - from, "\r\n.\r\n", 5) : NULL;
	c->scanned = c->in.n;
	return dot ? (size_t)(dot - c->in.p) + 5 : 0;
}

/* What the host MTA has handed over, as SMTP carries it; `storage` may be needed for it. */
static const struct bytes *wanted_message(const struct conn *c, const struct item *item,
					  struct bytes *storage)
{
	const struct turn *turn = c->of->turn;
	const struct deal *d = turn->lmtp ? talk_last(&c->of->client.talk) : NULL;
	bool other = d && run_faulty(c->mx->run); /* perhaps than the story has it */
	struct bytes plain = { 0 };
	if (item->raw && !other)
		return &item->text;
	if (!d || (d->text.n == turn->wire.n && memcmp(d->text.p, turn->wire.p, d->text.n) == 0))
		return &turn->wire;
	deal_plain(d, &plain);
	message_wire(&plain, storage);
	bytes_free(&plain);
	return storage;
}

static bool step_message(struct conn *c, const struct item *item)
{
	struct bytes storage = { 0 };
	size_t n = message_end(c);
	if (n == 0)
		return false;
	const struct bytes *want = wanted_message(c, item, &storage);
	if (want->n != n || memcmp(want->p, c->in.p, n) != 0) {
		struct bytes text = { 0 };
		escape(c->in.p, n, 300, &text);
		bytes_addf(&text, " WANTED ");
		escape(want->p, want->n, 300, &text);
		run_trouble(c->mx->run, "%s: another message came: %s", c->script->addr, text.p);
		bytes_free(&text);
	}
	bytes_free(&storage);
	c->has_message = true;
	c->conns_then = c->mx->nconn;
	c->final = c->said.n;
	return received(c, n, n);
}

static bool step_part(struct conn *c, const struct item *item)
{
	if (c->in.n - c->body < (size_t)item->n)
		return false;
	c->body += (size_t)item->n;
	run_note(c->mx->run, "%s -> %zu bytes of the message", c->script->addr, c->body);
	conn_event(c, run_event(c->mx->run, c->of));
	return next_item(c);
}

static bool step_wait(struct conn *c, const struct item *item)
{
	if (!c->begun) {
		c->begun = true;
		c->wait_until = now_ms() + item->n * c->mx->run->lab->scale;
	}
	if (now_ms() < c->wait_until)
		return false;
	c->wait_until = 0;
	return next_item(c);
}

/* Until the runs that began later have ended. */
static bool step_await(struct conn *c)
{
	c->wait_until = run_later_ones(c->of) ? now_ms() + AWAIT_GAP_MS : 0;
	return c->wait_until ? false : next_item(c);
}

/* Nothing more is said; what comes is read. */
static bool script_over(struct conn *c)
{
	c->pos = c->script->n;
	return true;
}

/* The client has begun to shake hands. False: the item is over already. */
static bool tls_begin(struct conn *c, const struct item *item)
{
	const char *words = bytes_text(&item->text);
	enum fault_kind fault = run_event(c->mx->run, c->of);
	if (strcmp(words, "garbage") == 0)
		fault = FAULT_GARBLE;
	else if (strcmp(words, "close") == 0)
		fault = FAULT_CUT;
	else if (strcmp(words, "stall") == 0)
		fault = FAULT_STALL;
	conn_event(c, fault);
	if (fault == FAULT_GARBLE)
		script_over(c);
	if (fault != FAULT_NONE)
		return false;
	c->tls = mxtls_open(words, &c->in, &c->out);
	return true;
}

static bool step_tls(struct conn *c, const struct item *item)
{
	const struct script *s = c->script;
	if (!c->tls && c->in.n == 0)
		return false;
	if (!c->tls && !tls_begin(c, item))
		return c->watch && !c->stalled;
	enum mxtls_say say = mxtls_handshake(c->tls);
	conn_write(c);
	if (say == MXTLS_MORE)
		return false;
	run_note(c->mx->run, "%s TLS: %s", s->addr, mxtls_text(c->tls));
	if (say == MXTLS_FAILED && c->pos + 1 < s->n && s->item[c->pos + 1].kind == ITEM_EOF) {
		c->eof = true;
		return next_item(c);
	}
	if (say == MXTLS_FAILED) {
		conn_wrong(c, "the handshake failed:", mxtls_text(c->tls),
			   strlen(mxtls_text(c->tls)));
		return false;
	}
	talk_secured(&c->talk);
	size_t had = c->in.n;
	c->eof |= !mxtls_feed(c->tls, "", 0, &c->in);
	conn_heard(c, bytes_text(&c->in) + had, c->in.n - had);
	conn_event(c, run_event(c->mx->run, c->of));
	return next_item(c);
}

/* The client has this address. */
static bool step_from(struct conn *c, const struct item *item)
{
	struct sockaddr_in sin = { 0 };
	socklen_t len = sizeof(sin);
	char got[INET_ADDRSTRLEN] = "";
	if (getpeername(c->watch->fd, (struct sockaddr *)&sin, &len) == 0)
		inet_ntop(AF_INET, &sin.sin_addr, got, sizeof(got));
	if (strcmp(got, item->text.p) != 0)
		conn_wrong(c, xprintf("wanted a client at %s, got", item->text.p), got,
			   strlen(got));
	return next_item(c);
}

static bool step_act(struct conn *c, const struct item *item)
{
	switch (item->act) {
	case ACT_WAIT:
		return step_wait(c, item);
	case ACT_AWAIT:
		return step_await(c);
	case ACT_CLOSE:
	case ACT_RESET:
		run_note(c->mx->run, "%s closes", c->script->addr);
		if (c->tls && item->act == ACT_CLOSE)
			mxtls_bye(c->tls);
		conn_write(c);
		conn_end(c, item->act == ACT_RESET);
		return false;
	case ACT_HALF_CLOSE:
		conn_end_half(c);
		break;
	case ACT_FROM:
		return step_from(c, item);
	case ACT_TLS:
		return step_tls(c, item);
	case ACT_STALL:
		c->stalled = true;
		return false;
	case ACT_DRIP:
		c->chunk = item->n > 0;
		c->gap = item->n * c->mx->run->lab->scale;
		break;
	case ACT_PIECES:
		c->chunk = item->n;
		c->gap = PIECE_GAP_MS;
		break;
	case ACT_SLOW:
		c->slow = item->n;
		break;
	case ACT_DEAF:
	case ACT_HEAR:
		c->deaf = item->act == ACT_DEAF;
		c->slow = 0;
		break;
	default:
		run_act(c->of, item);
	}
	return next_item(c);
}

/* True: the script is one item further, or may be. */
static bool step(struct conn *c)
{
	if (c->pos == c->script->n) {
		bytes_cut(&c->in, c->in.n); /* what comes behind the script does not count */
		return false;
	}
	const struct item *item = &c->script->item[c->pos];
	switch (item->kind) {
	case ITEM_SEND:
		return step_send(c, item);
	case ITEM_LINE:
	case ITEM_REPLY:
	case ITEM_ANY:
		return step_line(c, item);
	case ITEM_MESSAGE:
		return step_message(c, item);
	case ITEM_PART:
		return step_part(c, item);
	case ITEM_EOF:
		if (c->in.n)
			conn_wrong(c, "wanted the end, got", c->in.p, c->in.n);
		return c->eof && c->watch ? next_item(c) : false;
	default:
		return step_act(c, item);
	}
}

static void conn_left(struct conn *c)
{
	const struct item *item = c->pos < c->script->n ? &c->script->item[c->pos] : NULL;
	run_note(c->mx->run, "%s -> end", c->script->addr);
	if (item && item->kind != ITEM_ACT && (c->client || item->kind != ITEM_SEND))
		conn_wrong(c, xprintf("it left, wanted \"%s\", got", bytes_text(&item->text)),
			   bytes_text(&c->in), c->in.n);
	conn_end(c, false);
}

static void conn_rearm(struct conn *c)
{
	struct watch *w = c->watch;
	bool reads = !c->deaf && !c->slow, writes = c->out_pos < c->out.n;
	w->events =
		(short)((reads ? POLLIN : 0) | (writes && !c->chunk && !c->writer ? POLLOUT : 0));
	if (c->writer)
		c->writer->events = writes && !c->chunk && !c->stalled ? POLLOUT : 0;
	w->due = c->wait_until;
	if (writes && c->chunk && (!w->due || c->next_write < w->due))
		w->due = c->next_write;
	if (c->slow && (!w->due || c->next_read < w->due))
		w->due = c->next_read;
	if (c->stalled) {
		w->events = 0;
		w->due = c->client ? c->wait_until : 0;
	}
}

void conn_ready(void *self, short revents)
{
	struct conn *c = self;
	(void)revents;
	if (c->client && c->stalled && c->wait_until && now_ms() >= c->wait_until)
		conn_end(c, false);
	if (!c->watch)
		return;
	conn_read(c);
	while (c->watch && !c->stalled && step(c))
		;
	if (c->watch && c->out_pos < c->out.n)
		conn_write(c);
	if (c->watch && c->eof && !c->stalled)
		conn_left(c);
	if (c->watch)
		conn_rearm(c);
}

bool mx_busy(const struct mx *m)
{
	for (size_t i = 0; i < m->nconn; i++) {
		const struct conn *c = &m->conn[i];
		if (c->watch && !c->stalled && !c->deaf)
			return true;
	}
	return false;
}

enum final conn_final(const struct conn *c)
{
	const char *line = bytes_text(&c->said) + c->final, *end = bytes_text(&c->said) + c->said.n;
	if (!c->has_message)
		return FINAL_NONE;
	while (line < end) {
		const char *lf = memchr(line, '\n', (size_t)(end - line));
		if (!lf)
			return FINAL_UNANSWERED;
		if (lf - line < 3 || !isdigit(line[0]) || !isdigit(line[1]) || !isdigit(line[2]))
			return FINAL_UNANSWERED;
		if (lf - line > 512 || memchr(line, '\0', (size_t)(lf - line)))
			return FINAL_DOUBTFUL;
		if (line[3] != '-' && line[0] == '2')
			return c->torn ? FINAL_DOUBTFUL : FINAL_DELIVERED;
		if (line[3] != '-')
			return line[0] == '3' ? FINAL_UNANSWERED : FINAL_REFUSED;
		line = lf + 1;
	}
	return FINAL_UNANSWERED;
}
