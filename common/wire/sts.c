/* SPDX-License-Identifier: ISC */
#include "base/text.h"
#include "wire/addr.h"
#include "wire/sts.h"

#define STS_VERSION "STSv1"

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (text_lower(c) >= 'a' && text_lower(c) <= 'z');
}

/* sts-ext-name of RFC 8461 section 3.1; the names of the RFC's own fields are such names, too. */
static bool is_field_name(struct span s)
{
	if (s.n == 0 || s.n > 32 || !is_alnum(s.p[0]))
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '_' && s.p[i] != '-' && s.p[i] != '.')
			return false;
	return true;
}

/* sts-ext-value of RFC 8461 section 3.1. */
static bool is_field_value(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '=')
			return false;
	return s.n > 0;
}

static bool is_id(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]))
			return false;
	return s.n >= 1 && s.n <= 32;
}

/* The fields behind the version. RFC 8461 section 3.2: of a repeated one the first counts. */
static bool read_record(struct span fields, struct span *ret_id)
{
	struct span rest = span_trim(fields), field, name, id = { 0 };
	bool has_id = false;
	while (span_cut(&rest, ';', &field)) {
		struct span value = span_trim(field);
		if (!span_cut(&value, '=', &name) || !is_field_name(name) || !is_field_value(value))
			return false;
		if (has_id || !span_equal(name, SPAN("id")))
			continue;
		id = value;
		has_id = true;
	}
	if (!is_id(id))
		return false;
	*ret_id = id;
	return true;
}

bool sts_record(const struct dns_answer *txt, struct span *ret_id)
{
	static const char begin[] = "v=" STS_VERSION ";";
	struct span fields = { 0 };
	size_t found = 0;
	for (size_t i = 0; i < txt->nrr; i++) {
		struct span s = txt->rr[i].bytes;
		size_t n = sizeof(begin) - 1;
		if (s.n < n || memcmp(s.p, begin, n) != 0)
			continue;
		fields = (struct span){ s.p + n, s.n - n };
		found++;
	}
	return found == 1 && read_record(fields, ret_id);
}

struct reading {
	struct arena *arena;
	struct sts_policy policy;
	const char **mx, **line; /* room for policy.mx and policy.line */
	bool has_version, has_mode, has_max_age;
};

static bool bad(struct error *err, const char *what)
{
	return err_set(err, ERR_PERM, ESC(5, 7, 5), "the MTA-STS policy has %s", what);
}

static bool bad_value(struct error *err, const char *what, struct span value)
{
	int n = value.n < 100 ? (int)value.n : 100;
	return err_set(err, ERR_PERM, ESC(5, 7, 5), "the MTA-STS policy has %s: \"%.*s\"", what, n,
		       value.p);
}

static bool read_version(struct reading *r, struct span value, struct error *err)
{
	if (!r->has_version && !span_equal(value, SPAN(STS_VERSION)))
		return bad_value(err, "an unknown version", value);
	r->has_version = true;
	return true;
}

static bool read_mode(struct reading *r, struct span value, struct error *err)
{
	static const char *const names[] = {
		[STS_NONE] = "none", [STS_TESTING] = "testing", [STS_ENFORCE] = "enforce"
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !r->has_mode; i++) {
		if (!span_equal(value, span_of(names[i])))
			continue;
		r->policy.mode = (enum sts_mode)i;
		r->has_mode = true;
	}
	return r->has_mode || bad_value(err, "an unknown mode", value);
}

/* More than a year is read as a year: that much of the promise can be taken. */
static bool read_max_age(struct reading *r, struct span value, struct error *err)
{
	uint64_t seconds;
	if (r->has_max_age)
		return true;
	if (value.n > 10 || !text_u64(value, UINT64_MAX, &seconds))
		return bad_value(err, "an unreadable max_age", value);
	r->policy.max_age = seconds < STS_MAX_AGE ? (uint32_t)seconds : STS_MAX_AGE;
	r->has_max_age = true;
	return true;
}

static char *copy(struct arena *a, struct span s)
{
	char *p = ARENA_NEW(a, char, s.n + 1);
	if (p && s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

static bool read_mx(struct reading *r, struct span value, struct error *err)
{
	struct span domain = value;
	if (span_starts_nocase(domain, SPAN("*.")))
		domain = (struct span){ domain.p + 2, domain.n - 2 };
	if (!domain_valid(domain))
		return bad_value(err, "a bad mx pattern", value);
	if (r->policy.nmx == STS_MX)
		return bad(err, "more than 128 mx patterns");
	char *pattern = copy(r->arena, value);
	if (!pattern)
		return err_nomem(err);
	for (char *p = pattern; *p; p++)
		*p = text_lower(*p);
	r->mx[r->policy.nmx++] = pattern;
	return true;
}

/* WSP of RFC 8461 section 3.2; a bare CR is none. The end of the line is trimmed already. */
static struct span behind_blanks(struct span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = (struct span){ s.p + 1, s.n - 1 };
	return s;
}

static bool read_line(struct reading *r, struct span line, struct error *err)
{
	static const struct {
		const char *name;
		bool (*read)(struct reading *r, struct span value, struct error *err);
	} keys[] = {
		{ "version", read_version },
		{ "mode", read_mode },
		{ "max_age", read_max_age },
		{ "mx", read_mx },
	};
	struct span value = line, name;
	char *shown = copy(r->arena, line);
	if (!shown)
		return err_nomem(err);
	text_printable(shown, line.n);
	r->line[r->policy.nline++] = shown;
	if (!span_cut(&value, ':', &name) || name.n == line.n)
		return bad_value(err, "a line without a colon", line);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (span_equal(name, span_of(keys[i].name)))
			return keys[i].read(r, behind_blanks(value), err);
	return true;
}

static bool is_complete(const struct reading *r, struct error *err)
{
	if (!r->has_version)
		return bad(err, "no version");
	if (!r->has_mode)
		return bad(err, "no mode");
	if (!r->has_max_age)
		return bad(err, "no max_age");
	if (r->policy.nmx == 0 && r->policy.mode != STS_NONE)
		return bad(err, "no mx");
	return true;
}

static size_t count_lines(struct span body)
{
	struct span line;
	size_t n = 0;
	while (span_cut(&body, '\n', &line))
		n++;
	return n;
}

bool sts_parse(struct arena *a, struct span body, struct sts_policy *ret, struct error *err)
{
	struct reading r = { .arena = a };
	struct span line;
	if (body.n > STS_BODY)
		return bad(err, "more than 65536 bytes");
	r.mx = ARENA_NEW(a, const char *, STS_MX);
	r.line = ARENA_NEW(a, const char *, count_lines(body));
	if (!r.mx || !r.line)
		return err_nomem(err);
	while (span_cut(&body, '\n', &line)) {
		/* Empty lines are not in the grammar, but a file that ends in some is no less
		 * clear. */
		line = span_trim(line);
		if (line.n > 0 && !read_line(&r, line, err))
			return false;
	}
	if (!is_complete(&r, err))
		return false;
	r.policy.mx = r.mx;
	r.policy.line = r.line;
	*ret = r.policy;
	return true;
}

static bool matches(struct span pattern, struct span host)
{
	if (pattern.p[0] != '*')
		return span_equal_nocase(pattern, host);
	struct span label;
	return span_cut(&host, '.', &label) && label.n > 0 &&
	       span_equal_nocase((struct span){ pattern.p + 2, pattern.n - 2 }, host);
}

bool sts_allows(const struct sts_policy *p, const char *mx)
{
	struct span host = span_of(mx);
	if (host.n > 0 && host.p[host.n - 1] == '.')
		host.n--;
	for (size_t i = 0; i < p->nmx; i++)
		if (matches(span_of(p->mx[i]), host))
			return true;
	return false;
}
