/* SPDX-License-Identifier: ISC */
#include "base/text.h"
#include "wire/headers.h"

void headers_init(struct headers *h)
{
	*h = (struct headers){ .outermost = true, .in_header = true };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool starts(struct span s, struct span prefix)
{
	return s.n >= prefix.n && span_equal((struct span){ s.p, prefix.n }, prefix);
}

static void append(char to[static HEADERS_LINE], uint16_t *len, struct span s)
{
	size_t room = (size_t)HEADERS_LINE - *len, n = s.n < room ? s.n : room;
	if (n > 0)
		memcpy(to + *len, s.p, n);
	*len = (uint16_t)(*len + n);
}

/* RFC 5322 section 3.6.8, with the blanks before the colon of section 4.5.8. An mbox "From " line
 * ends no header either. */
static bool is_field(struct span line)
{
	size_t i = 0;
	while (i < line.n && line.p[i] > ' ' && line.p[i] < 0x7f && line.p[i] != ':')
		i++;
	size_t name = i;
	while (i < line.n && is_blank(line.p[i]))
		i++;
	return starts(line, SPAN("From ")) || (name > 0 && i < line.n && line.p[i] == ':');
}

/* The end of a line that was cut may be a part of a character: at most three bytes. */
static bool has_utf8(struct span line, bool is_cut)
{
	if (text_is_ascii(line))
		return false;
	for (size_t less = 0; less <= (is_cut ? 3 : 0); less++) {
		struct span s = { line.p, line.n - less };
		if (text_is_utf8(s))
			return !text_is_ascii(s);
	}
	return false;
}

/* One parameter value, token or quoted string (RFC 2045 section 5.1), off the front of *rest. */
static size_t take_value(struct span *rest, char out[static HEADERS_BOUNDARY])
{
	bool quoted = false;
	size_t n = 0, i = 0;
	while (i < rest->n && is_blank(rest->p[i]))
		i++;
	for (; i < rest->n; i++) {
		char c = rest->p[i];
		if (c == '"') {
			quoted = !quoted;
			continue;
		}
		if (!quoted && (c == ';' || is_blank(c)))
			break;
		if (quoted && c == '\\' && i + 1 < rest->n)
			c = rest->p[++i];
		if (n < HEADERS_BOUNDARY - 1)
			out[n++] = c;
	}
	while (n > 0 && is_blank(out[n - 1]))
		n--;
	out[n] = '\0';
	*rest = (struct span){ rest->p + i, rest->n - i };
	return strlen(out);
}

static bool find_boundary(struct span params, char out[static HEADERS_BOUNDARY])
{
	struct span name;
	while (span_cut(&params, '=', &name)) {
		const char *at = name.n > 0 ? memrchr(name.p, ';', name.n) : NULL;
		if (at)
			name = (struct span){ at + 1, (size_t)(name.p + name.n - at) - 1 };
		/* An empty boundary would end a part at every "--". */
		if (take_value(&params, out) > 0 && at &&
		    span_equal_nocase(span_trim(name), SPAN("boundary")))
			return true;
	}
	return false;
}

static enum headers_body body_of(struct headers *h, struct span content_type)
{
	struct span rest = content_type, type;
	if (!span_cut(&rest, ';', &type))
		return HEADERS_OTHER;
	type = span_trim(type);
	if (span_equal_nocase(type, SPAN("message/rfc822")) ||
	    span_equal_nocase(type, SPAN("message/global")))
		return HEADERS_MESSAGE;
	if (!span_starts_nocase(type, SPAN("multipart/")) || h->depth == HEADERS_DEPTH ||
	    !find_boundary(content_type, h->boundary[h->depth]))
		return HEADERS_OTHER;
	unsigned bit = 1u << h->depth, others = h->digests & ~bit;
	bool is_digest = span_equal_nocase(type, SPAN("multipart/digest"));
	h->digests = (uint8_t)(is_digest ? others | bit : others);
	return HEADERS_MULTIPART;
}

#define CONTENT_TYPE      SPAN("content-type")
#define REQUIRE_TLS_ESMTP SPAN("require-tls-esmtp")
#define TLS_REQUIRED      SPAN("tls-required")

static bool does_count(const struct headers *h, struct span name)
{
	return span_equal_nocase(name, CONTENT_TYPE) ||
	       (h->outermost && (span_equal_nocase(name, REQUIRE_TLS_ESMTP) ||
				 span_equal_nocase(name, TLS_REQUIRED)));
}

static void end_field(struct headers *h)
{
	struct span value = { h->field, h->field_len }, name;
	h->field_len = 0;
	if (!span_cut(&value, ':', &name))
		return;
	name = span_trim(name);
	value = span_trim(value);
	if (span_equal_nocase(name, CONTENT_TYPE)) {
		h->body = body_of(h, value);
	} else if (span_equal_nocase(name, TLS_REQUIRED)) {
		h->tls_required_no = !h->had_tls_required && span_equal_nocase(value, SPAN("no"));
		h->had_tls_required = true;
	} else if (span_equal_nocase(value, SPAN("yes"))) {
		h->requiretls = true;
	}
}

static void end_header(struct headers *h, bool by_empty_line)
{
	h->outermost = false;
	if (h->body == HEADERS_MULTIPART)
		h->depth++;
	h->in_header = h->body == HEADERS_MESSAGE && by_empty_line;
	h->body = HEADERS_OTHER;
}

static void header_line(struct headers *h, struct span line, bool is_cut)
{
	if (line.n == 0 || !is_blank(line.p[0])) {
		end_field(h);
		/* What is not a field is the first line of a body whose empty line was forgotten.
		 */
		if (line.n == 0 || !is_field(line)) {
			end_header(h, line.n == 0);
			return;
		}
		struct span rest = line, name;
		if (span_cut(&rest, ':', &name) && does_count(h, span_trim(name)))
			append(h->field, &h->field_len, line);
	} else if (h->field_len > 0) {
		append(h->field, &h->field_len, line);
	}
	h->utf8 = h->utf8 || has_utf8(line, is_cut);
}

/*
 * "--boundary" of any multipart around, the innermost first: an outer one ends the inner ones, too.
 * What follows the boundary on its line does not matter (RFC 2046 section 5.1.1).
 */
static bool boundary_line(struct headers *h, struct span line)
{
	if (!starts(line, SPAN("--")))
		return false;
	struct span rest = { line.p + 2, line.n - 2 };
	for (size_t i = h->depth; i-- > 0;) {
		struct span boundary = span_of(h->boundary[i]);
		if (!starts(rest, boundary))
			continue;
		rest = (struct span){ rest.p + boundary.n, rest.n - boundary.n };
		bool is_last = starts(rest, SPAN("--"));
		bool is_digest = h->digests >> i & 1;
		h->depth = (uint8_t)(is_last ? i : i + 1);
		h->in_header = !is_last;
		h->body = is_digest ? HEADERS_MESSAGE : HEADERS_OTHER;
		h->field_len = 0;
		return true;
	}
	return false;
}

static void end_line(struct headers *h)
{
	struct span line = { h->line, h->line_len };
	bool is_cut = line.n == HEADERS_LINE && line.p[line.n - 1] != '\n';
	h->line_len = 0;
	if (line.n > 0 && line.p[line.n - 1] == '\n')
		line.n--;
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (!boundary_line(h, line) && h->in_header)
		header_line(h, line, is_cut);
}

/* To the next line that may be a boundary. Of an unfinished line the start is kept. */
static struct span skip_body(struct headers *h, struct span s)
{
	if (s.p[0] == '-')
		return s;
	size_t n = text_line_with(s, '-');
	if (n == s.n) {
		const char *lf = memrchr(s.p, '\n', s.n);
		size_t whole = lf ? (size_t)(lf - s.p) + 1 : 0;
		append(h->line, &h->line_len, (struct span){ s.p + whole, s.n - whole });
	}
	return (struct span){ s.p + n, s.n - n };
}

void headers_feed(struct headers *h, struct span canonical)
{
	struct span s = canonical;
	while (s.n > 0 && (h->outermost || !h->utf8) && (h->in_header || h->depth > 0)) {
		if (!h->in_header && h->line_len == 0)
			s = skip_body(h, s);
		const char *lf = s.n > 0 ? memchr(s.p, '\n', s.n) : NULL;
		size_t n = lf ? (size_t)(lf - s.p) + 1 : s.n;
		append(h->line, &h->line_len, (struct span){ s.p, n });
		s = (struct span){ s.p + n, s.n - n };
		if (lf)
			end_line(h);
	}
}

void headers_finish(struct headers *h)
{
	end_field(h);
}
