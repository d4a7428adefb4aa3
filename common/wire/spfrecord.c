/* SPDX-License-Identifier: ISC */
#include "wire/spfrecord.h"

#include "base/text.h"

#define VERSION_TAG "v=spf1"
#define BAD         ESC(5, 7, 0)

enum value { NEVER, MAYBE, MUST };

struct kind {
	const char *name;
	enum spf_kind kind;
	enum value value; /* behind a colon */
	bool prefix;      /* may end with prefix lengths */
};

static const struct kind mechanisms[] = {
	{ "all", SPF_KIND_ALL, NEVER, false }, { "include", SPF_KIND_INCLUDE, MUST, false },
	{ "a", SPF_KIND_A, MAYBE, true },      { "mx", SPF_KIND_MX, MAYBE, true },
	{ "ptr", SPF_KIND_PTR, MAYBE, false }, { "ip4", SPF_KIND_IP4, MUST, true },
	{ "ip6", SPF_KIND_IP6, MUST, true },   { "exists", SPF_KIND_EXISTS, MUST, false },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	c = text_lower(c);
	return c >= 'a' && c <= 'z';
}

size_t spfrecord_find(const struct dns_answer *txt, struct span *ret)
{
	static const struct span tag = { VERSION_TAG, sizeof(VERSION_TAG) - 1 };
	size_t found = 0;
	for (size_t i = 0; i < txt->nrr; i++) {
		struct span s = txt->rr[i].bytes;
		if (!span_starts_nocase(s, tag) || (s.n > tag.n && s.p[tag.n] != ' '))
			continue;
		if (found++ == 0)
			*ret = s;
	}
	return found;
}

bool spf_term_counts(const struct spf_term *t)
{
	switch (t->kind) {
	case SPF_KIND_INCLUDE:
	case SPF_KIND_A:
	case SPF_KIND_MX:
	case SPF_KIND_PTR:
	case SPF_KIND_EXISTS:
	case SPF_KIND_REDIRECT:
		return true;
	default:
		return false;
	}
}

/* RFC 7208 section 7.1: a percent sign starts %{, %%, %_ or %-. libspf2 takes others as they are.
 */
static bool check_macros(struct span s, struct error *err)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '%')
			continue;
		char next = i + 1 < s.n ? s.p[i + 1] : '\0';
		if (next != '{' && next != '%' && next != '_' && next != '-')
			return err_set(err, ERR_PERM, BAD, "\"%.*s\": a stray percent sign",
				       (int)s.n, s.p);
		i++;
	}
	return true;
}

static bool uses_sender(struct span s)
{
	for (size_t i = 0; i + 2 < s.n; i++) {
		char c = text_lower(s.p[i + 2]);
		if (s.p[i] == '%' && s.p[i + 1] == '{' && (c == 's' || c == 'l'))
			return true;
	}
	return false;
}

/* "/24", "//64" or "/24//64" at the end of plain[0..n): those that are 0 become 1. */
static void take_zero(struct spf_term *t, char *plain, size_t n)
{
	size_t i = n;
	while (i > 0 && is_digit(plain[i - 1]))
		i--;
	if (i == 0 || i == n || plain[i - 1] != '/')
		return;
	bool second = i > 1 && plain[i - 2] == '/';
	if (n - i == 1 && plain[i] == '0') {
		plain[i] = '1';
		if (second || t->kind == SPF_KIND_IP6)
			t->any6 = true;
		else
			t->any4 = true;
	}
	if (second)
		take_zero(t, plain, i - 2);
}

/* Returns what becomes t->plain, which may still be changed; NULL: no memory. */
static char *copy_term(struct arena *a, struct span s, struct spf_term *t)
{
	char *plain = ARENA_NEW(a, char, s.n + 1);
	t->text = arena_str(a, s);
	if (!t->text || !plain)
		return NULL;
	bool qualified = s.p[0] == '+' || s.p[0] == '-' || s.p[0] == '~' || s.p[0] == '?';
	memcpy(plain, s.p + qualified, s.n - qualified);
	t->plain = plain;
	t->qualifier = qualified ? s.p[0] : '+';
	t->by_sender = uses_sender(s);
	return plain;
}

/* `plain` is of the kind `k`; what follows its name is `rest`. */
static bool check_value(const struct kind *k, struct span plain, struct span rest,
			struct error *err)
{
	int n = (int)plain.n;
	bool value = rest.n > 0 && rest.p[0] == ':';
	if (!value && k->value == MUST)
		return err_set(err, ERR_PERM, BAD, "\"%.*s\": there must be a value behind %s", n,
			       plain.p, k->name);
	if (value && rest.n == 1)
		return err_set(err, ERR_PERM, BAD, "\"%.*s\": the value is empty", n, plain.p);
	if (rest.n > 0 && !(value ? k->value != NEVER : k->prefix))
		return err_set(err, ERR_PERM, BAD, "\"%.*s\": nothing may follow %s", n, plain.p,
			       k->name);
	return true;
}

static bool read_mechanism(struct spf_term *t, char *plain, size_t name, struct error *err)
{
	struct span s = span_of(plain), rest = { s.p + name, s.n - name };
	const struct kind *k = NULL;
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (span_equal_nocase((struct span){ s.p, name }, span_of(mechanisms[i].name)))
			k = &mechanisms[i];
	if (!k || (rest.n > 0 && rest.p[0] != ':' && rest.p[0] != '/'))
		return err_set(err, ERR_PERM, BAD, "\"%s\": there is no such mechanism", t->text);
	if (!check_value(k, s, rest, err))
		return false;
	t->kind = k->kind;
	if (k->prefix)
		take_zero(t, plain, s.n);
	return true;
}

static bool read_modifier(struct spf_term *t, char *plain, size_t name, struct error *err)
{
	struct span word = { t->text, name };
	t->kind = span_equal_nocase(word, SPAN("redirect")) ? SPF_KIND_REDIRECT
		  : span_equal_nocase(word, SPAN("exp"))    ? SPF_KIND_EXP
							    : SPF_KIND_OTHER;
	if (t->kind != SPF_KIND_OTHER && t->text[name + 1] == '\0')
		return err_set(err, ERR_PERM, BAD, "\"%s\": the value is empty", t->text);
	/* A dot in a name is one more thing that libspf2 does not know. */
	for (size_t i = 0; i < name; i++)
		plain[i] = plain[i] == '.' ? '_' : plain[i];
	return true;
}

/* RFC 7208 section 12: name "=" for a modifier, [qualifier] name and more for a mechanism. */
static bool read_term(struct arena *a, struct span s, struct spf_term *ret, struct error *err)
{
	struct spf_term t = { 0 };
	size_t n = 0;
	if (s.n > SPF_TERM_MOST)
		return err_set(err, ERR_PERM, BAD, "\"%.40s...\": more than %d bytes", s.p,
			       SPF_TERM_MOST);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return err_set(err, ERR_PERM, BAD, "\"%.*s\": not printable ASCII",
				       (int)s.n, s.p);
	if (!check_macros(s, err))
		return false;
	char *plain = copy_term(a, s, &t);
	if (!plain)
		return err_nomem(err);
	while (is_letter(plain[n]) ||
	       (n > 0 && (is_digit(plain[n]) || (plain[n] && strchr("-_.", plain[n])))))
		n++;
	bool modifier = n > 0 && plain[n] == '=' && plain[0] == s.p[0];
	if (!(modifier ? read_modifier(&t, plain, n, err) : read_mechanism(&t, plain, n, err)))
		return false;
	*ret = t;
	return true;
}

/* RFC 7208 section 6: redirect and exp stand in a record once. */
static bool find_redirect(struct spf_record *r, struct error *err)
{
	size_t exp = 0;
	r->redirect = NULL;
	for (size_t i = 0; i < r->nterm; i++) {
		const struct spf_term *t = &r->term[i];
		exp += t->kind == SPF_KIND_EXP;
		if ((t->kind == SPF_KIND_REDIRECT && r->redirect) || exp > 1)
			return err_set(err, ERR_PERM, BAD, "\"%s\": it is there twice", t->text);
		if (t->kind == SPF_KIND_REDIRECT)
			r->redirect = t;
	}
	return true;
}

bool spfrecord_parse(struct arena *a, struct span text, struct spf_record *ret, struct error *err)
{
	struct spf_record r = { 0 };
	struct span rest = text, s;
	if (text.n > SPF_RECORD_MOST)
		return err_set(err, ERR_PERM, BAD, "%zu bytes, more than %d", text.n,
			       SPF_RECORD_MOST);
	struct spf_term *terms = ARENA_NEW(a, struct spf_term, text.n / 2 + 1);
	if (!terms)
		return err_nomem(err);
	span_cut(&rest, ' ', &s);
	while (span_cut(&rest, ' ', &s))
		if (s.n > 0 && !read_term(a, s, &terms[r.nterm++], err))
			return false;
	r.term = terms;
	if (!find_redirect(&r, err))
		return false;
	*ret = r;
	return true;
}
