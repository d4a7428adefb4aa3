/* SPDX-License-Identifier: ISC */
/* What came out of a story, held against the six invariants and against what it expects. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "plan.h"
#include "play.h"
#include "secret.h"

#define LINE_MAX_BYTES 500

/* How far a run brought the message. */
struct fate {
	bool delivered, doubtful;
};

static struct fate fate_of(const struct child *c)
{
	struct fate fate = { 0 };
	for (size_t i = 0; i < c->run->mx.nconn; i++) {
		const struct conn *conn = &c->run->mx.conn[i];
		enum final f = conn->of == c ? conn_final(conn) : FINAL_NONE;
		fate.delivered |= f == FINAL_DELIVERED;
		fate.doubtful |= f == FINAL_DOUBTFUL;
	}
	return fate;
}

/* 0, 69, 75; -1: something else. */
static int exit_code(const struct child *c)
{
	int code = WIFEXITED(c->status) ? WEXITSTATUS(c->status) : -1;
	return !c->killed && (code == 0 || code == 69 || code == 75) ? code : -1;
}

const char *check_prefix(const struct child *c)
{
	const struct story *s = c->run->story;
	return s->nturn > 1 ? xprintf("run %d: ", (int)(c->turn - s->turn) + 1) : "";
}

static void check_exit(struct child *c)
{
	if (!c->killed && exit_code(c) < 0)
		run_trouble(c->run, "%smxdirect ended with wait status 0x%x", check_prefix(c),
			    (unsigned)c->status);
}

static const char *word_after(const struct turn *t, const char *option)
{
	for (size_t i = 0; i + 1 < t->narg; i++) {
		if (strcmp(t->arg[i], option) == 0)
			return t->arg[i + 1];
	}
	return "";
}

/* Queue id, sender, recipient and content; without a queue id none is like another. */
static bool same_message(const struct turn *a, const struct turn *b)
{
	return *word_after(a, "-i") && strcmp(word_after(a, "-i"), word_after(b, "-i")) == 0 &&
	       strcmp(word_after(a, "-f"), word_after(b, "-f")) == 0 &&
	       strcmp(a->arg[a->narg - 1], b->arg[b->narg - 1]) == 0 &&
	       a->message.n == b->message.n &&
	       strcmp(bytes_text(&a->message), bytes_text(&b->message)) == 0;
}

/* Some earlier run may have delivered the message of this one. */
static bool taken_before(const struct child *c)
{
	const struct run *r = c->run;
	for (size_t i = 0; i < r->nchild && r->story->has_state; i++) {
		const struct child *e = &r->child[i];
		struct fate f = fate_of(e);
		if (e != c && e->ended <= c->started && (f.delivered || f.doubtful) &&
		    same_message(e->turn, c->turn))
			return true;
	}
	return false;
}

/* Invariant 1: 0 exactly if a host that had the whole message said 2xx to the final dot, in this
 * run or in one before it that is remembered. */
static void check_truth(struct child *c)
{
	const struct run *r = c->run;
	struct fate f = fate_of(c);
	int code = exit_code(c);
	if (code == 0 && !f.delivered && !f.doubtful && !taken_before(c))
		run_trouble(c->run, "%sexit 0, but nobody took the message", check_prefix(c));
	/* An agent that was killed could not hear of it, but its guard knows how far it had come.
	 */
	bool deaf = r->fault.kind == FAULT_ALLOC && r->story->tls; /* no memory for a record */
	if (r->story->kills || (r->hit == c && (r->fault.kind == FAULT_KILL || deaf)))
		f.delivered &= !c->reader_gone && !glob_match("* may have been delivered",
							      bytes_text(&c->output), c->output.n);
	if (code > 0 && f.delivered)
		run_trouble(c->run, "%sexit %d, but a host took the message", check_prefix(c),
			    code);
}

/* Invariant 2: 69 only if a server said 5xx, or the story says that the domain cannot receive. */
static void check_bounce(struct child *c)
{
	if (exit_code(c) != 69 || c->run->story->may_bounce)
		return;
	for (size_t i = 0; i < c->run->mx.nconn; i++) {
		const struct conn *conn = &c->run->mx.conn[i];
		const char *line = conn->of == c ? bytes_text(&conn->said) : NULL;
		for (; line; line = strchr(line, '\n')) {
			line += *line == '\n';
			if (line[0] == '5' && isdigit(line[1]) && isdigit(line[2]))
				return;
		}
	}
	run_trouble(c->run, "%sexit 69, but no server said 5xx", check_prefix(c));
}

/* Nobody else of the same run after `conn`, whose final dot was not refused. */
static void check_last(struct child *c, const struct conn *conn)
{
	const struct mx *mx = &c->run->mx;
	for (size_t k = 0; k < mx->nconn; k++) {
		const struct conn *other = &mx->conn[k];
		enum final f = conn_final(other);
		if (other == conn || other->of != c)
			continue;
		if (k >= conn->conns_then)
			run_trouble(c->run, "%sanother host is asked after the final dot to %s",
				    check_prefix(c), conn->script->addr);
		if (f != FINAL_NONE && f != FINAL_REFUSED)
			run_trouble(c->run, "%s%s got the message too", check_prefix(c),
				    other->script->addr);
	}
}

/* Invariant 3: after a final dot that was not refused nobody else is asked. */
static void check_once(struct child *c)
{
	for (size_t i = 0; i < c->run->mx.nconn; i++) {
		const struct conn *conn = &c->run->mx.conn[i];
		enum final f = conn_final(conn);
		if (conn->of == c && f != FINAL_NONE && f != FINAL_REFUSED)
			check_last(c, conn);
	}
}

/* Must `c` know what `e` delivered? Not if the agent of `e` was killed before it said so, or if one
 * of them had no memory; and not for ever. */
static bool must_know(const struct child *c, const struct child *e)
{
	const struct run *r = c->run;
	bool killed = (r->hit == e && r->fault.kind == FAULT_KILL) || r->story->kills;
	bool heard = run_faulty(r) || !e->unheard; /* with faults it is not known when */
	if (r->fault.kind == FAULT_ALLOC || (killed && exit_code(e) != 0))
		return false;
	return c->turn->wall - e->turn->wall < (heard ? REPORTED_S : UNREPORTED_S);
}

/* Invariant 5: what a run has delivered no later run delivers again. */
static void check_repeat(struct child *c)
{
	struct run *r = c->run;
	if (!r->story->has_state || r->story->may_repeat || !fate_of(c).delivered)
		return;
	for (size_t i = 0; i < r->nchild; i++) {
		const struct child *e = &r->child[i];
		if (e != c && e->ended <= c->started && fate_of(e).delivered &&
		    same_message(e->turn, c->turn) && must_know(c, e))
			run_trouble(r, "%sit was delivered a second time", check_prefix(c));
	}
}

/* The code in front of a line, D.S.N and a blank; its class, or 0. */
static int line_class(const char *p)
{
	int class = p[0] - '0';
	for (int part = 0; part < 3; part++) {
		size_t digits = strspn(p, "0123456789");
		if (digits < 1 || digits > 3 || p[digits] != (part < 2 ? '.' : ' '))
			return 0;
		p += digits + 1;
	}
	return *p && *p != ' ' ? class : 0;
}

/* Invariant 4: one line, printable, not too long, its class that of the exit status. */
static void check_line(struct child *c)
{
	const struct bytes *line = &c->output;
	int code = exit_code(c);
	if (c->reader_gone || c->killed)
		return;
	if (line->n == 0 || line->n > LINE_MAX_BYTES)
		run_trouble(c->run, "%sa verdict of %zu bytes", check_prefix(c), line->n);
	for (size_t i = 0; i < line->n; i++) {
		unsigned char byte = (unsigned char)line->p[i];
		if (byte < ' ' || byte == 127) {
			run_trouble(c->run, "%sbyte 0x%02x in the verdict", check_prefix(c), byte);
			break;
		}
	}
	int class = line_class(bytes_text(line));
	if ((code == 69 && class != 5) || (code == 75 && class != 4) || (code == 0 && class != 0))
		run_trouble(c->run, "%sthe verdict does not agree with exit %d", check_prefix(c),
			    code);
}

/* Libraries to which a failed allocation is the end: libconfuse; with TLS GMP, libtasn1, the
 * loader. */
static bool library_died(const struct child *c)
{
	static const char *const words[] = {
		"*without a verdict*crash in */libconfuse.so*",
		"*without a verdict*out of dynamic memory in yy*",
		"*without a verdict*lexer.l:*",
		"*killed by signal 6 (Aborted) without a verdict*",
		"*without a verdict*crash in */libtasn1.so*",
		"*without a verdict*memory for thread-local data*",
	};
	size_t n = c->run->story->tls ? sizeof(words) / sizeof(words[0]) : 3;
	for (size_t i = 0; i < n; i++) {
		if (glob_match(words[i], bytes_text(&c->output), c->output.n))
			return true;
	}
	return false;
}

/* A crash that the guard turned into 4.3.0 is still a crash. */
static void check_crash(struct child *c)
{
	const struct run *r = c->run;
	bool hit = r->hit == c, alloc = r->fault.kind == FAULT_ALLOC;
	bool wanted = r->story->kills || (hit && r->fault.kind == FAULT_KILL) ||
		      (hit && alloc && (r->story->may_crash || library_died(c)));
	if (!wanted && glob_match("*without a verdict*", bytes_text(&c->output), c->output.n))
		run_trouble(c->run, "%sthe agent crashed", check_prefix(c));
}

static bool one_of(const char *alternatives, const char *addr)
{
	size_t n = strlen(addr);
	while (*alternatives) {
		size_t len = strcspn(alternatives, "|");
		if (len == n && memcmp(alternatives, addr, n) == 0)
			return true;
		alternatives += len + (alternatives[len] == '|');
	}
	return false;
}

/* `got` in the order of `want`, whose words are A, A|B (one of them) and {A B} (both, in any
 * order). */
static bool in_order(char **want, size_t nwant, const char **got, size_t ngot)
{
	size_t g = 0;
	for (size_t w = 0; w < nwant; w++) {
		size_t last = w;
		bool group = want[w][0] == '{';
		while (group && last < nwant && !strchr(want[last], '}'))
			last++;
		size_t n = last - w + 1, found = 0;
		for (size_t k = w; k <= last; k++) {
			char *name = xndup(want[k] + (want[k][0] == '{'),
					   strcspn(want[k] + (want[k][0] == '{'), "}"));
			for (size_t i = g; i < g + n && i < ngot; i++) {
				if (one_of(name, got[i])) {
					found++;
					break;
				}
			}
			free(name);
		}
		if (found != n)
			return false;
		g += n;
		w = last;
	}
	return g == ngot;
}

static void expect_hosts(struct child *c, const char *text, bool delivered)
{
	const struct mx *mx = &c->run->mx;
	const char *got[MX_CONNS];
	size_t n = 0, nwant;
	struct bytes list = { 0 };
	for (size_t i = 0; i < mx->nconn; i++) {
		const struct conn *conn = &mx->conn[i];
		bool took =
			c->turn->lmtp ? check_delivered(conn) : conn_final(conn) == FINAL_DELIVERED;
		if (conn->of != c || (delivered && !took))
			continue;
		got[n++] = conn->script->addr;
		bytes_addf(&list, " %s", got[n - 1]);
	}
	char **want = words_split(strcmp(text, "none") == 0 ? "" : text, &nwant);
	if (!in_order(want, nwant, got, n))
		run_trouble(c->run, "%s%s: want %s, got%s", check_prefix(c),
			    delivered ? "delivered" : "connected", text, list.n ? list.p : " none");
	bytes_free(&list);
}

static void expect_line(struct child *c, const char *text)
{
	if (!glob_match(text, bytes_text(&c->output), c->output.n))
		run_trouble(c->run, "%sverdict: want \"%s\", got \"%s\"", check_prefix(c), text,
			    bytes_text(&c->output));
}

/* How many lines between two places of `where` match. */
static size_t matches(const struct bytes *where, size_t from, size_t to, const char *pattern)
{
	const char *p = bytes_text(where) + from, *end = bytes_text(where) + to;
	size_t found = 0;
	while (p < end) {
		size_t n = strcspn(p, "\n");
		found += glob_match(pattern, p, n);
		p += n + (p[n] == '\n');
	}
	return found;
}

static void expect_log(struct child *c, const char *text, enum expect_kind kind)
{
	char *pattern = xprintf("*%s*", text);
	size_t found = matches(&c->log, 0, c->log.n, pattern);
	bool good = kind == EXPECT_ONCE ? found == 1 : (found > 0) == (kind == EXPECT_LOG);
	if (!good) {
		struct bytes log = { 0 };
		escape(bytes_text(&c->log), c->log.n, 3000, &log);
		run_trouble(c->run, "%slog: %zu times \"%s\" in: %s", check_prefix(c), found, text,
			    bytes_text(&log));
		bytes_free(&log);
	}
	free(pattern);
}

/* Where the servers' notes of this run end: what runs at the same time have is shared. */
static const struct child *next_alone(const struct child *c)
{
	const struct run *r = c->run;
	for (const struct child *next = c + 1; next < r->child + r->nchild; next++) {
		if (!next->turn->at_once)
			return next;
	}
	return NULL;
}

static void expect_tlsrpt(struct child *c, const char *text, bool wanted)
{
	const struct bytes *got = &c->run->collector.got;
	const struct child *next = next_alone(c);
	char *pattern = xprintf("*%s*", text);
	if ((matches(got, c->told, next ? next->told : got->n, pattern) > 0) != wanted)
		run_trouble(c->run, "%sTLS report: %s \"%s\" in: %s", check_prefix(c),
			    wanted ? "no" : "unwanted", text, bytes_text(got) + c->told);
	free(pattern);
}

static void expect_asked(struct child *c, const char *text, bool wanted)
{
	const struct bytes *asked = &c->run->dns.asked;
	const struct child *next = next_alone(c);
	if ((matches(asked, c->asked, next ? next->asked : asked->n, text) > 0) != wanted)
		run_trouble(c->run, "%sDNS was %sasked for %s", check_prefix(c),
			    wanted ? "not " : "", text);
}

static void expect_time(struct child *c, const char *text, bool most)
{
	int64_t want, took = c->ended - c->started;
	if (!parse_ms(text, &want))
		die("%s: not a time: %s", c->run->story->name, text);
	want *= c->run->lab->scale;
	if (most ? took > want : took < want)
		run_trouble(c->run, "%sit took %lld ms, want at %s %lld", check_prefix(c),
			    (long long)took, most ? "most" : "least", (long long)want);
}

static void expect_exit(struct child *c, const char *text)
{
	int64_t want;
	bool good = strcmp(text, "killed") == 0 ? c->killed
						: parse_number(text, &want) && want == exit_code(c);
	if (!good)
		run_trouble(c->run, "%sexit: want %s, got %d", check_prefix(c), text, exit_code(c));
}

static void check_expect(struct child *c, const struct expect *e)
{
	switch (e->kind) {
	case EXPECT_EXIT:
		expect_exit(c, e->text);
		break;
	case EXPECT_LINE:
		expect_line(c, e->text);
		break;
	case EXPECT_DELIVERED:
	case EXPECT_CONNECT:
		expect_hosts(c, e->text, e->kind == EXPECT_DELIVERED);
		break;
	case EXPECT_LOG:
	case EXPECT_NOLOG:
	case EXPECT_ONCE:
		expect_log(c, e->text, e->kind);
		break;
	case EXPECT_ASKED:
	case EXPECT_NOT_ASKED:
		expect_asked(c, e->text, e->kind == EXPECT_ASKED);
		break;
	case EXPECT_TLSRPT:
	case EXPECT_NO_TLSRPT:
		expect_tlsrpt(c, e->text, e->kind == EXPECT_TLSRPT);
		break;
	case EXPECT_WITHIN:
	case EXPECT_ATLEAST:
		expect_time(c, e->text, e->kind == EXPECT_WITHIN);
		break;
	}
}

static void check_message(struct child *c)
{
	check_exit(c);
	check_truth(c);
	check_bounce(c);
	check_once(c);
	check_line(c);
	check_crash(c);
	check_repeat(c);
}

void check_run(struct run *r)
{
	for (size_t i = 0; i < r->nchild; i++) {
		struct child *c = &r->child[i];
		if (c->turn->lmtp)
			check_lmtp(c);
		else
			check_message(c);
		secrets_check(c);
		for (size_t k = 0; k < c->turn->nexpect && !run_faulty(r); k++)
			check_expect(c, &c->turn->expect[k]);
		if (!run_faulty(r))
			plan_check(c);
	}
}
