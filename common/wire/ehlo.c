/* SPDX-License-Identifier: ISC */
#include "base/text.h"
#include "wire/ehlo.h"

static const struct keyword {
	struct span name;
	enum ehlo_cap cap;
} keywords[] = {
	{ SPAN("PIPELINING"), EHLO_PIPELINING },
	{ SPAN("8BITMIME"), EHLO_8BITMIME },
	{ SPAN("SIZE"), EHLO_SIZE },
	{ SPAN("STARTTLS"), EHLO_STARTTLS },
	{ SPAN("DSN"), EHLO_DSN },
	{ SPAN("SMTPUTF8"), EHLO_SMTPUTF8 },
	{ SPAN("CHUNKING"), EHLO_CHUNKING },
	{ SPAN("REQUIRETLS"), EHLO_REQUIRETLS },
	{ SPAN("ENHANCEDSTATUSCODES"), EHLO_ENHANCED },
};

static const struct mechanism {
	struct span name;
	enum ehlo_auth auth;
} mechanisms[] = {
	{ SPAN("SCRAM-SHA-256"), AUTH_SCRAM_SHA_256 },
	{ SPAN("PLAIN"), AUTH_PLAIN },
	{ SPAN("LOGIN"), AUTH_LOGIN },
};

static struct span next_word(struct span *line)
{
	struct span word = { 0 };
	*line = span_trim(*line);
	(void)span_cut(line, ' ', &word);
	return word;
}

/* RFC 9422: one to six digits, not zero. */
static void take_limit(struct span word, const char *name, uint32_t *ret)
{
	struct span key = { 0 };
	uint64_t n;
	(void)span_cut(&word, '=', &key);
	if (span_equal_nocase(key, span_of(name)) && word.n <= 6 && text_u64(word, 999999, &n) &&
	    n > 0)
		*ret = (uint32_t)n;
}

static void take_limits(struct span line, struct ehlo *e)
{
	for (struct span word = next_word(&line); word.n > 0; word = next_word(&line)) {
		take_limit(word, "MAILMAX", &e->mail_max);
		take_limit(word, "RCPTMAX", &e->rcpt_max);
	}
}

static void take_mechanisms(struct span line, struct ehlo *e)
{
	for (struct span word = next_word(&line); word.n > 0; word = next_word(&line))
		for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
			if (span_equal_nocase(word, mechanisms[i].name))
				e->auth |= mechanisms[i].auth;
}

/* "AUTH=PLAIN LOGIN" is how servers spoke before RFC 2554, and some do so still. */
static bool is_auth(struct span *line)
{
	struct span s = span_trim(*line);
	const size_t n = sizeof("AUTH") - 1;
	if (!span_starts_nocase(s, SPAN("AUTH")) || (s.n > n && s.p[n] != ' ' && s.p[n] != '='))
		return false;
	*line = s.n > n ? (struct span){ s.p + n + 1, s.n - n - 1 } : SPAN("");
	return true;
}

static void take_line(struct span line, struct ehlo *e)
{
	if (is_auth(&line)) {
		take_mechanisms(line, e);
		return;
	}
	struct span word = next_word(&line);
	uint32_t cap = 0;
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (span_equal_nocase(word, keywords[i].name))
			cap = keywords[i].cap;
	e->caps |= cap;
	/* RFC 1870 section 3: no number or 0 means that no limit is known. */
	if (cap == EHLO_SIZE && !text_u64(next_word(&line), UINT64_MAX, &e->size_max))
		e->size_max = 0;
	if (span_equal_nocase(word, SPAN("LIMITS")))
		take_limits(line, e);
}

static void take_name(struct span line, struct ehlo *e)
{
	struct span word = next_word(&line);
	/* Half a name would be another name. */
	if (word.n > 0 && word.n < sizeof(e->name))
		memcpy(e->name, word.p, word.n);
}

void ehlo_parse(const struct reply *r, struct ehlo *ret)
{
	struct span rest = { r->text, r->len }, line;
	*ret = (struct ehlo){ 0 };
	if (span_cut(&rest, '\n', &line))
		take_name(line, ret);
	while (span_cut(&rest, '\n', &line)) {
		/* Of "SIZE 35651584" that was cut, "SIZE 356" would refuse good mail. */
		bool half = r->cut && rest.n == 0;
		if (!half)
			take_line(line, ret);
	}
}
