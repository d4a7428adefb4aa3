/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "secret.h"
#include "story.h"

#define DEFAULT_RUN     "-f s@sender.test -i Q1 -- r@example.test"
#define PORTS_FREE      1024 /* the first that not only root may have */
#define DEFAULT_MESSAGE "From: s@sender.test\nSubject: test\n\nhello\n"

/* A story without a dns line has two hosts. */
static const char *const default_zone[] = { "example.test MX 10 a.test, 20 b.test",
					    "a.test A 127.0.0.2", "b.test A 127.0.0.3" };

struct reading {
	struct story *story;
	struct turn *turn; /* the one that is being read */
	const struct story_names *names;
	struct bytes *block; /* where lines with | go */
	bool ran;            /* the story has said how */
	bool elsewhere;      /* it needs a port that only root may have */
};

char **words_split(const char *text, size_t *ret_n)
{
	char **word = NULL;
	*ret_n = 0;
	for (;;) {
		text += strspn(text, " \t");
		if (!*text)
			return word;
		bool quoted = *text == '\'';
		size_t n = quoted ? strcspn(text + 1, "'") : strcspn(text, " \t");
		*(char **)vector_more((void **)&word, ret_n, sizeof(char *)) =
			xndup(text + quoted, n);
		text += n + (quoted && text[n + 1] ? 2u : quoted);
	}
}

/* Put in what $NAME and 127.0.0.x stand for. False: this machine does not have it. */
static bool substitute(const char *p, const struct story_names *names, struct bytes *out)
{
	bytes_add(out, "", 0);
	while (*p) {
		if (strncmp(p, "127.0.0.", 8) == 0 && p[8] >= '1' && p[8] <= '9') {
			bytes_addf(out, "127.%d.0.", names->net);
			p += 8;
		} else if (strncmp(p, "$PORT", 5) == 0) {
			bytes_addf(out, "%u", names->port);
			p += 5;
		} else if (strncmp(p, "$SUBMISSION", 11) == 0) {
			bytes_addf(out, "%u", names->submission);
			p += 11;
		} else if (strncmp(p, "$DNS", 4) == 0) {
			bytes_addf(out, "127.%d.0.253:%u", names->net, names->dns_port);
			p += 4;
		} else if (strncmp(p, "$DIR", 4) == 0) {
			bytes_addf(out, "%s", names->dir);
			p += 4;
		} else if (strncmp(p, "$OWN", 4) == 0) {
			if (!names->own)
				return false;
			bytes_addf(out, "%s", names->own);
			p += 4;
		} else {
			bytes_add(out, p++, 1);
		}
	}
	return true;
}

static void add_text(char ***vector, size_t *n, const char *text)
{
	struct bytes plain = { 0 };
	unescape(text, NULL, &plain);
	*(char **)vector_more((void **)vector, n, sizeof(char *)) = plain.p;
}

static void read_dns(struct reading *r, const char *text)
{
	struct dns_rule *rule =
		vector_more((void **)&r->story->dns, &r->story->ndns, sizeof(*rule));
	dns_rule_parse(text, rule);
	rule->turn = r->story->nturn - 1;
}

static void read_default_zone(struct reading *r)
{
	for (size_t i = 0; i < sizeof(default_zone) / sizeof(default_zone[0]); i++) {
		struct bytes line = { 0 };
		substitute(default_zone[i], r->names, &line);
		read_dns(r, bytes_text(&line));
		r->story->dns[r->story->ndns - 1].turn = 0;
		bytes_free(&line);
	}
}

static void read_host(struct reading *r, const char *text)
{
	size_t n = strcspn(text, " ");
	struct script *s = vector_more((void **)&r->story->script, &r->story->nscript, sizeof(*s));
	s->addr = xndup(text, n);
	s->turn = r->story->nturn - 1;
	const char *colon = strchr(s->addr, '.') ? strchr(s->addr, ':') : NULL;
	int64_t port = PORTS_FREE;
	if (colon && !parse_number(colon + 1, &port))
		die("not a port: %s", s->addr);
	r->elsewhere |= port < PORTS_FREE && !r->names->root;
	script_parse(text + n, false, &s->item, &s->n);
}

static void read_set(struct reading *r, const char *text)
{
	add_text(&r->turn->set, &r->turn->nset, text);
}

static void read_unset(struct reading *r, const char *text)
{
	if (strcmp(text, "helo_name") != 0)
		die("only helo_name can be unset");
	r->turn->no_helo = true;
}

static void read_env(struct reading *r, const char *text)
{
	add_text(&r->turn->env, &r->turn->nenv, text);
}

static void read_config(struct reading *r, const char *text)
{
	(void)text;
	r->turn->has_config = true;
	r->block = &r->turn->config;
	bytes_cut(r->block, r->block->n);
}

/* "", "empty", "size N", "line N" */
static void read_message(struct reading *r, const char *text)
{
	struct bytes *m = &r->turn->message;
	int64_t n = 0;
	const char *blank = strchr(text, ' ');
	r->block = m;
	bytes_cut(m, m->n);
	if (!*text || strcmp(text, "empty") == 0)
		return;
	if (!blank || !parse_number(blank + 1, &n))
		die("message empty, message size N, message line N, or lines with |");
	bytes_addf(m, "Subject: generated\n\n");
	if (strncmp(text, "line ", 5) == 0) {
		for (int64_t i = 0; i < n; i++)
			bytes_add(m, "x", 1);
		bytes_add(m, "\n", 1);
	}
	for (int64_t i = 0; strncmp(text, "size ", 5) == 0 && m->n < (size_t)n; i++)
		bytes_addf(m, "%08lld the quick brown fox jumps over the lazy dog\n", (long long)i);
}

static void read_run(struct reading *r, const char *text)
{
	size_t n;
	char **word = words_split(text, &n);
	r->turn->narg = 0;
	r->ran = true;
	for (size_t i = 0; i < n; i++)
		add_text(&r->turn->arg, &r->turn->narg, word[i]);
}

static void read_lmtp(struct reading *r, const char *text)
{
	if (r->turn->lmtp)
		die("%s: a run has one LMTP client", r->story->name);
	struct script *s = r->turn->lmtp = xalloc(sizeof(*s));
	s->addr = "client";
	r->story->lmtp = true;
	bool goes_on = r->story->nturn > 1 && r->turn[-1].lmtp;
	if (!r->ran && !goes_on)
		r->turn->narg = 0; /* those of a pipe */
	script_parse(text, true, &s->item, &s->n);
}

static void read_pipes(struct reading *r, const char *text)
{
	if (*text)
		die("pipes has no words");
	r->turn->pipes = true;
}

static void read_feed(struct reading *r, const char *text)
{
	size_t n;
	char **word = words_split(text, &n);
	for (size_t i = 0; i < n; i++) {
		struct item *item =
			vector_more((void **)&r->turn->feed, &r->turn->nfeed, sizeof(*item));
		bool took = false;
		item->kind = ITEM_PART;
		item->n = -1;
		if (strcmp(word[i], "!") == 0 && i + 1 < n) {
			if (!act_parse(word[i + 1], i + 2 < n ? word[i + 2] : NULL, item, &took))
				die("not an action: ! %s", word[i + 1]);
			i += took ? 2 : 1;
		} else if (strcmp(word[i], "all") != 0 && !parse_number(word[i], &item->n)) {
			die("feed takes numbers, all, and actions: %s", text);
		}
	}
}

static void read_expect(struct reading *r, const char *text)
{
	static const struct {
		const char *name;
		enum expect_kind kind;
	} kinds[] = { { "exit", EXPECT_EXIT },
		      { "line", EXPECT_LINE },
		      { "delivered", EXPECT_DELIVERED },
		      { "connect", EXPECT_CONNECT },
		      { "log", EXPECT_LOG },
		      { "nolog", EXPECT_NOLOG },
		      { "once", EXPECT_ONCE },
		      { "asked", EXPECT_ASKED },
		      { "not-asked", EXPECT_NOT_ASKED },
		      { "within", EXPECT_WITHIN },
		      { "atleast", EXPECT_ATLEAST },
		      { "tlsrpt", EXPECT_TLSRPT },
		      { "no-tlsrpt", EXPECT_NO_TLSRPT } };
	size_t n = strcspn(text, " ");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strlen(kinds[i].name) != n || strncmp(kinds[i].name, text, n) != 0)
			continue;
		struct expect *e =
			vector_more((void **)&r->turn->expect, &r->turn->nexpect, sizeof(*e));
		e->kind = kinds[i].kind;
		r->story->collects |= e->kind == EXPECT_TLSRPT || e->kind == EXPECT_NO_TLSRPT;
		struct bytes plain = { 0 };
		unescape(text + n + strspn(text + n, " "), NULL, &plain);
		e->text = plain.p;
		return;
	}
	die("unknown expectation: %s", text);
}

static void read_may(struct reading *r, const char *text)
{
	if (strcmp(text, "bounce") == 0)
		r->story->may_bounce = true;
	else if (strcmp(text, "crash") == 0)
		r->story->may_crash = true;
	else if (strcmp(text, "repeat") == 0)
		r->story->may_repeat = true;
	else
		die("%s: what may be is bounce, crash, and repeat", r->story->name);
}

static void read_state(struct reading *r, const char *text)
{
	if (*text)
		die("state has no words");
	r->story->has_state = true;
}

static void read_spoil(struct reading *r, const char *text)
{
	spoil_parse(text,
		    vector_more((void **)&r->turn->spoil, &r->turn->nspoil, sizeof(struct spoil)));
}

static void read_secret(struct reading *r, const char *text)
{
	struct story *s = r->story;
	struct secret *secret = vector_more((void **)&s->secret, &s->nsecret, sizeof(*secret));
	secret_parse(text, secret);
	secret->turn = s->nturn - 1;
	s->needs_root |= secret->owner >= 0;
}

static char **copy_words(char **word, size_t n)
{
	char **copy = xalloc((n + 1) * sizeof(*copy));
	memcpy(copy, word, n * sizeof(*copy));
	return copy;
}

/* The next run is as the one before, but for what the story says. */
static struct turn *add_turn(struct reading *r)
{
	struct story *s = r->story;
	if (s->nturn == TURNS)
		die("%s: at most %d runs", s->name, TURNS);
	r->turn = &s->turn[s->nturn++];
	r->ran = false;
	if (s->nturn == 1)
		return r->turn;
	const struct turn *last = r->turn - 1;
	*r->turn = (struct turn){
		.set = copy_words(last->set, last->nset),
		.nset = last->nset,
		.env = copy_words(last->env, last->nenv),
		.nenv = last->nenv,
		.arg = copy_words(last->arg, last->narg),
		.narg = last->narg,
		.has_config = last->has_config,
		.no_helo = last->no_helo,
		.later = last->later,
		.wall = last->wall,
	};
	bytes_add(&r->turn->config, bytes_text(&last->config), last->config.n);
	bytes_add(&r->turn->message, bytes_text(&last->message), last->message.n);
	return r->turn;
}

static void read_again(struct reading *r, const char *text)
{
	struct turn *t = add_turn(r);
	t->later = 0;
	if (*text && !parse_span(text, &t->later))
		die("%s: again takes a time in s, m, h or d: %s", r->story->name, text);
	t->wall += t->later;
}

static void read_also(struct reading *r, const char *text)
{
	if (*text)
		die("%s: also has no words", r->story->name);
	add_turn(r)->at_once = true;
}

static const struct {
	const char *name;
	void (*read)(struct reading *r, const char *text);
} keywords[] = {
	{ "dns", read_dns },         { "host", read_host },   { "set", read_set },
	{ "unset", read_unset },     { "env", read_env },     { "config", read_config },
	{ "message", read_message }, { "run", read_run },     { "feed", read_feed },
	{ "expect", read_expect },   { "may", read_may },     { "state", read_state },
	{ "spoil", read_spoil },     { "again", read_again }, { "also", read_also },
	{ "lmtp", read_lmtp },       { "pipes", read_pipes }, { "secret", read_secret },
};

/* "| text" of a block: \c at its end leaves the line open. */
static void read_block_line(struct reading *r, const char *text)
{
	if (!r->block)
		die("a line with | belongs under message or config");
	text += *text == ' ';
	size_t n = strlen(text);
	bool open = n >= 2 && strcmp(text + n - 2, "\\c") == 0;
	char *line = xndup(text, open ? n - 2 : n);
	unescape(line, NULL, r->block);
	if (!open)
		bytes_add(r->block, "\n", 1);
	free(line);
}

static void read_line(struct reading *r, const char *line)
{
	size_t n = strcspn(line, " \t");
	if (!*line || *line == '#')
		return;
	if (*line == '|') {
		read_block_line(r, line + 1);
		return;
	}
	r->block = NULL;
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (strlen(keywords[i].name) == n && strncmp(keywords[i].name, line, n) == 0) {
			keywords[i].read(r, line + n + strspn(line + n, " \t"));
			return;
		}
	}
	die("%s: what is this: %s", r->story->name, line);
}

static void read_lines(struct reading *r, const char *text)
{
	struct bytes line = { 0 };
	if (strncmp(text, "# ", 2) != 0)
		die("%s: the first line is a comment that says what is proved", r->story->name);
	while (*text) {
		size_t n = strcspn(text, "\n");
		bytes_add(&line, text, n);
		text += n + (text[n] == '\n');
		if (*text == ' ' || *text == '\t')
			continue;
		read_line(r, bytes_text(&line));
		bytes_cut(&line, line.n);
	}
	bytes_free(&line);
}

/* RFC 5321 4.5.2 over what a host MTA hands over: LF or CRLF ends a line, so does the end; every
 * CR before it belongs to it, another CR is a blank. */
void message_wire(const struct bytes *m, struct bytes *out)
{
	bool start = true;
	for (size_t i = 0; i < m->n; i++) {
		size_t crs = 0;
		while (i + crs < m->n && m->p[i + crs] == '\r')
			crs++;
		if (crs && i + crs == m->n)
			break;
		if (i + crs < m->n && m->p[i + crs] == '\n') {
			bytes_add(out, "\r\n", 2);
			start = true;
			i += crs;
			continue;
		}
		char c = m->p[i] == '\r' ? ' ' : m->p[i];
		bytes_add(out, "..", c == '.' && start ? 1 : 0);
		bytes_add(out, &c, 1);
		start = false;
	}
	bytes_addf(out, "%s.\r\n", start ? "" : "\r\n");
}

static void note_item(struct story *s, const struct item *item)
{
	s->nitem++;
	if (item->kind != ITEM_ACT)
		return;
	s->host_dies |= item->act == ACT_HOST_GONE;
	s->calls |= item->act == ACT_ALSO;
	s->kills |= item->act == ACT_AGENT || (item->act == ACT_GUARD && item->n == SIGKILL);
	s->tls |= item->act == ACT_TLS;
	s->needs_root |= item->act == ACT_SPOIL && item->spoil.how == SPOIL_OWNER;
	if (item->act == ACT_SPOIL &&
	    (item->spoil.how == SPOIL_READONLY || item->spoil.how == SPOIL_FULL))
		die("%s: a file system is not changed under way", s->name);
}

static void finish_turn(struct story *s, struct turn *t)
{
	bool has_exit = false;
	for (size_t i = 0; i < t->nexpect; i++)
		has_exit |= t->expect[i].kind == EXPECT_EXIT;
	if (!has_exit && !t->lmtp)
		die("%s expects no exit status of run %d", s->name, (int)(t - s->turn) + 1);
	message_wire(&t->message, &t->wire);
	for (size_t i = 0; i < t->nfeed; i++)
		note_item(s, &t->feed[i]);
	for (size_t i = 0; t->lmtp && i < t->lmtp->n; i++) {
		struct item *item = &t->lmtp->item[i];
		note_item(s, item);
		if (item->whole)
			bytes_add(&item->text, t->wire.p, t->wire.n);
	}
	for (size_t i = 0; i < t->nspoil; i++) {
		s->needs_root |= t->spoil[i].how == SPOIL_OWNER;
		s->needs_mount |=
			t->spoil[i].how == SPOIL_READONLY || t->spoil[i].how == SPOIL_FULL;
	}
}

static void finish(struct story *s)
{
	for (size_t i = 0; i < s->nturn; i++)
		finish_turn(s, &s->turn[i]);
	for (size_t i = 0; i < s->nscript; i++) {
		for (size_t k = 0; k < s->script[i].n; k++)
			note_item(s, &s->script[i].item[k]);
	}
}

static void read_whole(const char *path, struct bytes *out)
{
	char in[4096];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("cannot read %s", path);
	while ((n = read(fd, in, sizeof(in))) > 0)
		bytes_add(out, in, (size_t)n);
	close(fd);
}

struct story *story_load(const char *path, const struct story_names *names)
{
	struct story *s = xalloc(sizeof(*s));
	struct reading r = { .story = s, .names = names };
	struct bytes file = { 0 }, text = { 0 };
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	s->name = xndup(base, strcspn(base, "."));
	read_whole(path, &file);
	bool here = substitute(bytes_text(&file), names, &text);
	if (here) {
		add_turn(&r);
		read_run(&r, DEFAULT_RUN);
		r.ran = false;
		bytes_addf(&s->turn[0].message, "%s", DEFAULT_MESSAGE);
		read_lines(&r, bytes_text(&text));
		if (s->ndns == 0 || s->dns[0].turn > 0)
			read_default_zone(&r);
		finish(s);
	}
	bytes_free(&file);
	bytes_free(&text);
	here &= !r.elsewhere && (names->root || !s->needs_root);
	return here && (names->mounts || !s->needs_mount) ? s : NULL;
}
