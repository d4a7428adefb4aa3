/* SPDX-License-Identifier: ISC */
/*
 * libconfuse 3.3 is handed a cleaned copy of the text, since it would put the environment in place
 * of ${NAME}, take an unclosed '{' or a
 * '*' without quotes in silence, refuse comments inside a list and lose count of lines after some.
 * What it finds comes back through its value callback in the order of the file.
 */
#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "conf/conf.h"

/* Control characters never come from a file, so two of them can stand for something else. */
#define DOLLAR '\001'
#define NOTHING                                                                                    \
	'\002' /* the one item of an empty list: without it the callback would not hear of "{}" */

struct cleaner {
	const char *name;
	struct span in;
	size_t i;
	char *out;
	size_t n;
	int line;
	int depth, open_line; /* braces, and where the outermost one stands */
	char last[2];         /* what was copied last, blanks aside; the latest first */
	struct error *err;
};

static bool complain(const struct cleaner *c, int line, const char *what)
{
	return err_set(c->err, ERR_CONFIG, ESC(4, 3, 5), "%s:%d: %s", c->name, line, what);
}

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

static void put(struct cleaner *c, char ch)
{
	c->out[c->n++] = ch == '$' ? DOLLAR : ch;
	if (ch == '\n')
		c->line++;
	if (!is_blank(ch)) {
		c->last[1] = c->last[0];
		c->last[0] = ch;
	}
}

static char peek(const struct cleaner *c, size_t ahead)
{
	return c->i + ahead < c->in.n ? c->in.p[c->i + ahead] : '\0';
}

/* Values have no reason to hold a newline, so a forgotten quote is found where it is. */
static bool copy_string(struct cleaner *c)
{
	char quote = peek(c, 0);
	put(c, quote);
	c->i++;
	while (peek(c, 0) != quote) {
		if (peek(c, 0) == '\\') {
			put(c, '\\');
			c->i++;
		}
		char ch = peek(c, 0);
		if (ch == '\0' || ch == '\n')
			return complain(c, c->line, "this string is not closed on its line");
		put(c, ch);
		c->i++;
	}
	put(c, quote);
	c->i++;
	return true;
}

/* A slash inside a word is part of it, as in http://x. */
static bool at_comment(const struct cleaner *c)
{
	char before = c->n ? c->out[c->n - 1] : ' ';
	bool fresh = is_blank(before) || strchr("={},\"'", before);
	char ch = peek(c, 0), next = peek(c, 1);
	return ch == '#' || (fresh && ch == '/' && (next == '/' || next == '*'));
}

static bool skip_comment(struct cleaner *c)
{
	int start = c->line;
	bool block = peek(c, 0) == '/' && peek(c, 1) == '*';
	put(c, ' ');
	if (!block) {
		while (c->i < c->in.n && peek(c, 0) != '\n')
			c->i++;
		return true;
	}
	for (c->i += 2; peek(c, 0) != '*' || peek(c, 1) != '/'; c->i++) {
		if (c->i >= c->in.n)
			return complain(c, start, "this comment is never closed");
		if (peek(c, 0) == '\n')
			put(c, '\n');
	}
	c->i += 2;
	return true;
}

static bool copy_char(struct cleaner *c)
{
	char ch = peek(c, 0);
	if (ch == '*' || ch == '+')
		return complain(c, c->line, "'*' and '+' need quotes around their word");
	if (ch == '{' && c->depth++ == 0)
		c->open_line = c->line;
	if (ch == '}') {
		c->depth--;
		if (c->last[0] == '{' && c->last[1] == '=')
			put(c, NOTHING);
	}
	put(c, ch);
	c->i++;
	return true;
}

static bool no_controls(struct cleaner *c)
{
	int line = 1;
	for (size_t i = 0; i < c->in.n; i++) {
		unsigned char ch = (unsigned char)c->in.p[i];
		if ((ch < 0x20 && !is_blank((char)ch)) || ch == 0x7f)
			return complain(c, line, "a control character, is this a text file?");
		line += ch == '\n';
	}
	return true;
}

/* `out` has room for twice the text and one byte. */
static bool clean(struct cleaner *c)
{
	bool good = no_controls(c);
	while (good && c->i < c->in.n) {
		char ch = peek(c, 0);
		if (ch == '"' || ch == '\'')
			good = copy_string(c);
		else if (at_comment(c))
			good = skip_comment(c);
		else
			good = copy_char(c);
	}
	if (good && c->depth > 0)
		return complain(c, c->open_line, "the '{' of this line is never closed");
	/* fmemopen() may refuse an empty text. */
	if (good && c->n == 0)
		put(c, '\n');
	return good;
}

struct item {
	struct item *older;
	struct conf_setting set;
	const char **value;
};

struct reader {
	char *place; /* where libconfuse puts each value; the callbacks find the reader by it, so it
			stays first */
	struct arena *a;
	const char *name;
	const struct conf_grammar *g;
	const cfg_t *root, *in; /* the part that the latest setting is in; NULL: none is open */
	const char *section, *title, *opened; /* of that part */
	struct item *latest;
	size_t n;
	struct error *err;
	bool failed; /* *err is filled */
};

static struct reader *reader_of(cfg_t *cfg)
{
	return (struct reader *)(void *)cfg->opts[0].simple_value.string;
}

static int fail_nomem(struct reader *r)
{
	if (!r->failed)
		err_nomem(r->err);
	r->failed = true;
	return -1;
}

/* Called by libconfuse, and by us through cfg_error(). The first message is the cause of the
 * others. */
__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	struct reader *r = reader_of(cfg);
	char text[LIMIT_ERR_TEXT] = "";
	if (r->failed)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	for (char *p = text; *p; p++)
		if (*p == DOLLAR)
			*p = '$';
	err_set(r->err, ERR_CONFIG, ESC(4, 3, 5), "%s:%d: %s", r->name, cfg->line, text);
	r->failed = true;
}

static bool enter(struct reader *r, const cfg_t *cfg)
{
	if (r->in == cfg)
		return true;
	r->in = cfg;
	r->section = r->title = r->opened = NULL;
	if (cfg == r->root)
		return true;
	r->section = arena_str(r->a, span_of(cfg->name));
	/* The whole file's count of lines stands still while libconfuse is in a section. */
	r->opened = arena_fmt(r->a, "%s:%d", r->name, r->root->line);
	char *title = arena_new(r->a, strlen(cfg->title) + 1, 1);
	if (!r->section || !r->opened || !title)
		return false;
	for (size_t i = 0; cfg->title[i]; i++)
		title[i] = cfg->title[i] == DOLLAR ? '$' : cfg->title[i];
	r->title = title;
	return true;
}

/* The settings of a section follow one another; those of the global part may have sections between
 * them. */
static const struct item *find(const struct reader *r, const char *key)
{
	for (const struct item *it = r->latest; it; it = it->older) {
		if (it->set.title == r->title && strcmp(it->set.key, key) == 0)
			return it;
		if (r->title && it->set.title != r->title)
			return NULL;
	}
	return NULL;
}

static int start(struct reader *r, cfg_t *cfg, const struct conf_key *key)
{
	if (!enter(r, cfg))
		return fail_nomem(r);
	const struct item *twin = find(r, key->name);
	if (twin) {
		cfg_error(cfg, "%s is already set at %s", key->name, twin->set.origin);
		return -1;
	}
	struct item *it = ARENA_NEW(r->a, struct item, 1);
	if (!it)
		return fail_nomem(r);
	it->value = ARENA_NEW(r->a, const char *, key->list ? LIMIT_LIST : 1);
	it->set = (struct conf_setting){ arena_fmt(r->a, "%s:%d", r->name, cfg->line),
					 r->section,
					 r->title,
					 r->opened,
					 key->name,
					 it->value,
					 0 };
	if (!it->value || !it->set.origin)
		return fail_nomem(r);
	it->older = r->latest;
	r->latest = it;
	r->n++;
	return 0;
}

static int add_value(struct reader *r, cfg_t *cfg, const char *value)
{
	struct item *it = r->latest;
	size_t n = strlen(value);
	if (it->set.nvalue >= LIMIT_LIST) {
		cfg_error(cfg, "%s has more than %d values", it->set.key, LIMIT_LIST);
		return -1;
	}
	char *copy = arena_new(r->a, n + 1, 1);
	if (!copy)
		return fail_nomem(r);
	for (size_t i = 0; i < n; i++) {
		copy[i] = value[i] == DOLLAR ? '$' : value[i];
		if ((unsigned char)copy[i] < 0x20 || copy[i] == 0x7f) {
			cfg_error(cfg, "%s holds a control character", it->set.key);
			return -1;
		}
	}
	it->value[it->set.nvalue++] = copy;
	return 0;
}

static const struct conf_section *section_of(const struct conf_grammar *g, const char *name)
{
	size_t i = 0;
	while (strcmp(g->sections[i].name, name) != 0)
		i++;
	return &g->sections[i];
}

/* "domain|port" at the global place reaches into a section past its braces: not an option of `cfg`.
 */
static const struct conf_key *key_of(const struct reader *r, const cfg_t *cfg, const cfg_opt_t *opt)
{
	const struct conf_section *in = cfg == r->root ? NULL : section_of(r->g, cfg->name);
	const struct conf_key *keys = in ? in->keys : r->g->keys;
	size_t nkeys = in ? in->nkeys : r->g->nkeys;
	for (size_t i = 0; i < nkeys; i++)
		if (opt == &cfg->opts[i])
			return &keys[i];
	return NULL;
}

/* Called by libconfuse for each value; the RESET flag is its mark that an equal sign came since the
 * last one. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct reader *r = reader_of(cfg);
	const struct conf_key *key = key_of(r, cfg, opt);
	if (!key) {
		cfg_error(cfg, "%s of a section cannot be set from outside", opt->name);
		return -1;
	}
	*(const char **)result = value;
	if ((opt->flags & CFGF_RESET) && start(r, cfg, key) != 0)
		return -1;
	opt->flags &= ~CFGF_RESET;
	bool nothing = key->list && value[0] == NOTHING && value[1] == '\0';
	return nothing ? 0 : add_value(r, cfg, value);
}

/*
 * Called by libconfuse at the end of each section. The next one with the same title takes its
 * place, often at the same address, so this is what tells the two apart.
 */
static int on_section(cfg_t *cfg, cfg_opt_t *opt)
{
	struct reader *r = reader_of(cfg);
	bool empty = !r->title;
	r->in = NULL;
	r->title = NULL;
	if (!empty || !section_of(r->g, opt->name)->twins)
		return 0;
	cfg_error(cfg, "this %s section is empty", opt->name);
	return -1;
}

/* The table of options that libconfuse copies: the keys first, so that their numbers are those of
 * the grammar. NULL: no memory. */
static cfg_opt_t *make_options(struct reader *r, const struct conf_key *keys, size_t nkeys,
			       size_t nmore)
{
	cfg_opt_t *opts = ARENA_NEW(r->a, cfg_opt_t, nkeys + nmore + 1);
	if (!opts)
		return NULL;
	for (size_t i = 0; i < nkeys; i++)
		opts[i] = (cfg_opt_t){
			.name = keys[i].name,
			.type = CFGT_STR,
			.flags = keys[i].list ? CFGF_LIST : CFGF_NONE,
			.simple_value.string = &r->place,
			.parsecb = on_value,
		};
	opts[nkeys + nmore] = (cfg_opt_t)CFG_END();
	return opts;
}

static cfg_opt_t *make_all_options(struct reader *r)
{
	const struct conf_grammar *g = r->g;
	cfg_opt_t *opts = make_options(r, g->keys, g->nkeys, g->nsections);
	for (size_t i = 0; opts && i < g->nsections; i++) {
		const struct conf_section *s = &g->sections[i];
		cfg_opt_t *sub = make_options(r, s->keys, s->nkeys, 0);
		cfg_flag_t once = s->twins ? CFGF_NONE : CFGF_NO_TITLE_DUPES;
		if (!sub)
			return NULL;
		opts[g->nkeys + i] =
			(cfg_opt_t)CFG_SEC(s->name, sub, CFGF_MULTI | CFGF_TITLE | once);
		opts[g->nkeys + i].validcb = on_section;
	}
	return opts;
}

/* libconfuse has failed; a few mistakes, an empty name for one, it does not tell. */
static void explain(struct reader *r, const cfg_t *cfg)
{
	if (!r->failed && errno != ENOMEM)
		err_set(r->err, ERR_CONFIG, ESC(4, 3, 5), "%s:%d: not understood", r->name,
			cfg->line);
	else
		fail_nomem(r);
}

static bool run(struct reader *r, cfg_opt_t *opts, char *text, size_t n)
{
	cfg_t *cfg = cfg_init(opts, CFGF_NONE);
	FILE *f = cfg ? fmemopen(text, n, "r") : NULL;
	bool good = false;
	if (f) {
		r->root = cfg;
		cfg_set_error_function(cfg, on_error);
		errno = 0;
		good = cfg_parse_fp(cfg, f) == CFG_SUCCESS && !r->failed;
		if (!good)
			explain(r, cfg);
		fclose(f);
	} else {
		fail_nomem(r);
	}
	if (cfg)
		cfg_free(cfg);
	free(r->place);
	return good;
}

static bool collect(const struct reader *r, struct conf *ret)
{
	struct conf_setting *all = ARENA_NEW(r->a, struct conf_setting, r->n);
	if (!all)
		return err_nomem(r->err);
	size_t i = r->n;
	for (const struct item *it = r->latest; it; it = it->older)
		all[--i] = it->set;
	*ret = (struct conf){ all, r->n };
	return true;
}

/* reader_of() finds the reader by the first of them. */
static bool has_keys(const struct conf_grammar *g)
{
	size_t i = 0;
	while (i < g->nsections && g->sections[i].nkeys > 0)
		i++;
	return g->nkeys > 0 && i == g->nsections;
}

bool conf_parse(struct arena *a, const char *name, struct span text, const struct conf_grammar *g,
		struct conf *ret, struct error *err)
{
	struct cleaner c = { .name = name, .in = text, .line = 1, .err = err };
	struct reader r = { .a = a, .name = name, .g = g, .err = err };
	if (!has_keys(g))
		return BUG(err, "a grammar without keys");
	if (text.n > LIMIT_CONFIG_FILE)
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "%s: larger than %d bytes", name,
			       LIMIT_CONFIG_FILE);
	cfg_opt_t *opts = make_all_options(&r);
	c.out = malloc(2 * text.n + 1);
	if (!opts || !c.out) {
		free(c.out);
		return err_nomem(err);
	}
	bool good = clean(&c) && run(&r, opts, c.out, c.n);
	free(c.out);
	return good && collect(&r, ret);
}

static bool fail_file(const char *path, int why, struct error *err)
{
	return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "%s: %s", path, strerror(why));
}

/* One byte more than its size is asked for, to see that this was all. */
static bool read_all(int fd, const char *path, char *text, size_t size, struct error *err)
{
	size_t n = 0;
	ssize_t got = 1;
	while (got > 0 && n <= size) {
		got = read(fd, text + n, size + 1 - n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got < 0)
			return fail_file(path, errno, err);
		else
			n += (size_t)got;
	}
	if (n != size)
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "%s: changed while it was read",
			       path);
	return true;
}

static bool read_file(int fd, const char *path, char **ret, size_t *ret_n, struct error *err)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return fail_file(path, errno, err);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "%s: not a regular file", path);
	if (st.st_size > LIMIT_CONFIG_FILE)
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "%s: larger than %d bytes", path,
			       LIMIT_CONFIG_FILE);
	size_t size = (size_t)st.st_size;
	char *text = malloc(size + 1);
	if (!text)
		return err_nomem(err);
	if (!read_all(fd, path, text, size, err)) {
		free(text);
		return false;
	}
	*ret = text;
	*ret_n = size;
	return true;
}

bool conf_read(struct arena *a, const char *path, const struct conf_grammar *g, struct conf *ret,
	       bool *ret_missing, struct error *err)
{
	char *text = NULL;
	size_t n = 0;
	/* Without O_NONBLOCK a FIFO would hold us here. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		int why = errno;
		*ret_missing = why == ENOENT || why == ENOTDIR;
		return fail_file(path, why, err);
	}
	*ret_missing = false;
	bool good = read_file(fd, path, &text, &n, err);
	close(fd);
	good = good && conf_parse(a, path, (struct span){ text, n }, g, ret, err);
	free(text);
	return good;
}
