/* SPDX-License-Identifier: ISC */
/*
 * The input as a policy file and as a TXT record. A policy has no more than it may, its lines are
 * printable and make the same policy again, and each pattern allows what it names.
 */
#include <ctype.h>

#include "base/buf.h"
#include "base/text.h"
#include "wire/addr.h"
#include "wire/sts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_pattern(const struct sts_policy *p, const char *pattern)
{
	char host[300];
	bool is_wildcard = pattern[0] == '*';
	const char *domain = is_wildcard ? pattern + 2 : pattern;
	require(domain_valid(span_of(domain)));
	for (const char *c = pattern; *c; c++)
		require(*c == text_lower(*c));
	snprintf(host, sizeof(host), "%s%s.", is_wildcard ? "a." : "", domain);
	require(sts_allows(p, host));
	struct sts_policy alone = { .mx = &pattern, .nmx = 1 };
	snprintf(host, sizeof(host), "%s%s", is_wildcard ? "a.b." : "a.", domain);
	require(!sts_allows(&alone, host));
	if (is_wildcard)
		require(!sts_allows(&alone, domain) && !sts_allows(&alone, domain - 1));
}

static bool same(const struct sts_policy *a, const struct sts_policy *b)
{
	if (a->mode != b->mode || a->max_age != b->max_age || a->nmx != b->nmx ||
	    a->nline != b->nline)
		return false;
	for (size_t i = 0; i < a->nmx; i++)
		if (strcmp(a->mx[i], b->mx[i]) != 0)
			return false;
	return true;
}

static void check_lines(struct arena *a, const struct sts_policy *p)
{
	static char file[STS_BODY + 1], shown[STS_BODY + 1];
	struct sts_policy again;
	struct error err;
	struct buf b;
	buf_init(&b, file, sizeof(file));
	for (size_t i = 0; i < p->nline; i++) {
		struct span line = span_of(p->line[i]);
		require(line.n > 0 && line.n <= STS_BODY);
		memcpy(shown, line.p, line.n);
		text_printable(shown, line.n);
		require(memcmp(shown, line.p, line.n) == 0);
		buf_add(&b, line);
		if (i + 1 < p->nline)
			buf_addc(&b, '\n');
	}
	require(!b.overflow);
	require(sts_parse(a, buf_view(&b), &again, &err) && same(p, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = { (const char *)data, size }, id;
	struct arena *a = arena_open(LIMIT_ARENA);
	struct dns_rr rr = { .bytes = in };
	struct dns_answer answer = { .state = DNS_OK, .rr = &rr, .nrr = 1 };
	struct sts_policy p;
	struct error err = { 0 };
	require(a);
	if (sts_record(&answer, &id)) {
		require(id.n >= 1 && id.n <= 32 && memmem(in.p, in.n, id.p, id.n));
		for (size_t i = 0; i < id.n; i++)
			require(isalnum((unsigned char)id.p[i]));
	}
	if (sts_parse(a, in, &p, &err)) {
		require(size <= STS_BODY && p.nmx <= STS_MX && p.max_age <= STS_MAX_AGE);
		require(p.mode <= STS_ENFORCE && (p.nmx > 0 || p.mode == STS_NONE) &&
			err.text[0] == '\0');
		for (size_t i = 0; i < p.nmx; i++)
			check_pattern(&p, p.mx[i]);
		check_lines(a, &p);
	} else {
		require(err.class == ERR_PERM && err.text[0] != '\0');
	}
	arena_close(a);
	return 0;
}
