/* SPDX-License-Identifier: ISC */
/* What came out of a run, held against the four invariants and against what the story expects. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "play.h"

#define LINE_MAX_BYTES 500

/* 0, 69, 75; -1 is trouble, or a story that killed mxdirect itself. */
static int check_exit(struct run *r)
{
	int status = r->child.status;
	if (r->child.killed)
		return -1;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (code == 0 || code == 69 || code == 75)
		return code;
	run_trouble(r, "mxdirect ended with wait status 0x%x", (unsigned)status);
	return -1;
}

/* Invariant 1: 0 exactly if a host that had the whole message said 2xx to the final dot. */
static void check_truth(struct run *r, int code)
{
	bool delivered = false, doubtful = false;
	for (size_t i = 0; i < r->mx.nconn; i++) {
		enum final f = conn_final(&r->mx.conn[i]);
		delivered |= f == FINAL_DELIVERED;
		doubtful |= f == FINAL_DOUBTFUL;
	}
	if (code == 0 && !delivered && !doubtful)
		run_trouble(r, "exit 0, but nobody took the message");
	/* An agent that was killed could not hear of it, but its guard knows how far it had come.
	 */
	bool deaf = r->fault.kind == FAULT_ALLOC && r->story->tls; /* no memory for a record */
	if (r->fault.kind == FAULT_KILL || deaf)
		delivered &= !r->child.reader_gone &&
			     !glob_match("* may have been delivered", bytes_text(&r->child.output),
					 r->child.output.n);
	if (code > 0 && delivered)
		run_trouble(r, "exit %d, but a host took the message", code);
}

/* Invariant 2: 69 only if a server said 5xx, or the story says that the domain cannot receive. */
static void check_bounce(struct run *r, int code)
{
	if (code != 69 || r->story->may_bounce)
		return;
	for (size_t i = 0; i < r->mx.nconn; i++) {
		const char *line = bytes_text(&r->mx.conn[i].said);
		for (; line; line = strchr(line, '\n')) {
			line += *line == '\n';
			if (line[0] == '5' && isdigit(line[1]) && isdigit(line[2]))
				return;
		}
	}
	run_trouble(r, "exit 69, but no server said 5xx");
}

/* Invariant 3: after a final dot that was not refused nobody else is asked. */
static void check_once(struct run *r)
{
	for (size_t i = 0; i < r->mx.nconn; i++) {
		const struct conn *c = &r->mx.conn[i];
		enum final f = conn_final(c);
		if (f == FINAL_NONE || f == FINAL_REFUSED)
			continue;
		if (r->mx.nconn > c->conns_then)
			run_trouble(r, "another host is asked after the final dot to %s",
				    c->script->addr);
		for (size_t k = 0; k < r->mx.nconn; k++) {
			enum final other = conn_final(&r->mx.conn[k]);
			if (k != i && other != FINAL_NONE && other != FINAL_REFUSED)
				run_trouble(r, "%s got the message too",
					    r->mx.conn[k].script->addr);
		}
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
static void check_line(struct run *r, int code)
{
	const struct bytes *line = &r->child.output;
	if (r->child.reader_gone || r->child.killed)
		return;
	if (line->n == 0 || line->n > LINE_MAX_BYTES)
		run_trouble(r, "a verdict of %zu bytes", line->n);
	for (size_t i = 0; i < line->n; i++) {
		unsigned char c = (unsigned char)line->p[i];
		if (c < ' ' || c == 127) {
			run_trouble(r, "byte 0x%02x in the verdict", c);
			break;
		}
	}
	int class = line_class(bytes_text(line));
	if ((code == 69 && class != 5) || (code == 75 && class != 4) || (code == 0 && class != 0))
		run_trouble(r, "the verdict does not agree with exit %d", code);
}

/* GnuTLS needs libraries to which a failed allocation is the end: GMP, libtasn1, the loader. */
static bool library_died(const struct run *r)
{
	static const char *const words[] = {
		"*killed by signal 6 (Aborted) without a verdict*",
		"*without a verdict*crash in */libtasn1.so*",
		"*without a verdict*memory for thread-local data*",
	};
	const struct bytes *out = &r->child.output;
	for (size_t i = 0; r->story->tls && i < sizeof(words) / sizeof(words[0]); i++) {
		if (glob_match(words[i], bytes_text(out), out->n))
			return true;
	}
	return false;
}

/* A crash that the guard turned into 4.3.0 is still a crash. */
static void check_crash(struct run *r)
{
	const struct bytes *out = &r->child.output;
	bool wanted = r->fault.kind == FAULT_KILL ||
		      (r->fault.kind == FAULT_ALLOC && (r->story->may_crash || library_died(r)));
	for (size_t i = 0; i < r->story->nscript; i++) {
		for (size_t k = 0; k < r->story->script[i].n; k++)
			wanted |= r->story->script[i].item[k].kind == ITEM_ACT &&
				  r->story->script[i].item[k].act == ACT_AGENT;
	}
	if (!wanted && glob_match("*without a verdict*", bytes_text(out), out->n))
		run_trouble(r, "the agent crashed");
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

static void expect_hosts(struct run *r, const char *text, bool delivered)
{
	const char *got[MX_CONNS];
	size_t n = 0, nwant;
	struct bytes list = { 0 };
	for (size_t i = 0; i < r->mx.nconn; i++) {
		if (delivered && conn_final(&r->mx.conn[i]) != FINAL_DELIVERED)
			continue;
		got[n++] = r->mx.conn[i].script->addr;
		bytes_addf(&list, " %s", got[n - 1]);
	}
	char **want = words_split(strcmp(text, "none") == 0 ? "" : text, &nwant);
	if (!in_order(want, nwant, got, n))
		run_trouble(r, "%s: want %s, got%s", delivered ? "delivered" : "connected", text,
			    list.n ? list.p : " none");
	bytes_free(&list);
}

static void expect_line(struct run *r, const char *text)
{
	if (!glob_match(text, bytes_text(&r->child.output), r->child.output.n))
		run_trouble(r, "verdict: want \"%s\"", text);
}

/* Some line of `where` matches. */
static bool found(const struct bytes *where, const char *pattern)
{
	const char *p = bytes_text(where);
	while (*p) {
		size_t n = strcspn(p, "\n");
		if (glob_match(pattern, p, n))
			return true;
		p += n + (p[n] == '\n');
	}
	return false;
}

static void expect_log(struct run *r, const char *text, bool wanted)
{
	char *pattern = xprintf("*%s*", text);
	if (found(&r->log, pattern) != wanted) {
		struct bytes log = { 0 };
		escape(bytes_text(&r->log), r->log.n, 3000, &log);
		run_trouble(r, "log: %s \"%s\" in: %s", wanted ? "no" : "unwanted", text,
			    bytes_text(&log));
		bytes_free(&log);
	}
	free(pattern);
}

static void expect_tlsrpt(struct run *r, const char *text, bool wanted)
{
	char *pattern = xprintf("*%s*", text);
	if (found(&r->collector.got, pattern) != wanted)
		run_trouble(r, "TLS report: %s \"%s\" in: %s", wanted ? "no" : "unwanted", text,
			    bytes_text(&r->collector.got));
	free(pattern);
}

static void expect_asked(struct run *r, const char *text, bool wanted)
{
	if (found(&r->dns.asked, text) != wanted)
		run_trouble(r, "DNS was %sasked for %s", wanted ? "not " : "", text);
}

static void expect_time(struct run *r, const char *text, bool most)
{
	int64_t want, took = r->ended - r->started;
	if (!parse_ms(text, &want))
		die("%s: not a time: %s", r->story->name, text);
	want *= r->lab->scale;
	if (most ? took > want : took < want)
		run_trouble(r, "it took %lld ms, want at %s %lld", (long long)took,
			    most ? "most" : "least", (long long)want);
}

static void check_expect(struct run *r, const struct expect *e, int code)
{
	int64_t want;
	switch (e->kind) {
	case EXPECT_EXIT:
		if (strcmp(e->text, "killed") == 0 ? !r->child.killed
						   : !parse_number(e->text, &want) || want != code)
			run_trouble(r, "exit: want %s, got %d", e->text, code);
		break;
	case EXPECT_LINE:
		expect_line(r, e->text);
		break;
	case EXPECT_DELIVERED:
	case EXPECT_CONNECT:
		expect_hosts(r, e->text, e->kind == EXPECT_DELIVERED);
		break;
	case EXPECT_LOG:
	case EXPECT_NOLOG:
		expect_log(r, e->text, e->kind == EXPECT_LOG);
		break;
	case EXPECT_ASKED:
	case EXPECT_NOT_ASKED:
		expect_asked(r, e->text, e->kind == EXPECT_ASKED);
		break;
	case EXPECT_TLSRPT:
	case EXPECT_NO_TLSRPT:
		expect_tlsrpt(r, e->text, e->kind == EXPECT_TLSRPT);
		break;
	case EXPECT_WITHIN:
	case EXPECT_ATLEAST:
		expect_time(r, e->text, e->kind == EXPECT_WITHIN);
		break;
	}
}

void check_run(struct run *r)
{
	int code = check_exit(r);
	check_truth(r, code);
	check_bounce(r, code);
	check_once(r);
	check_line(r, code);
	check_crash(r);
	for (size_t i = 0; i < r->story->nexpect && !run_faulty(r); i++)
		check_expect(r, &r->story->expect[i], code);
}
