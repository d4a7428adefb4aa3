/* SPDX-License-Identifier: ISC */
#include "base/text.h"
#include "core/tlsrpt.h"

#define TLSRPT_VERSION "v=TLSRPTv1;"

/* RFC 8460 section 3: fields behind semicolons, blanks around "=" and ";". */
static bool has_rua(struct span fields)
{
	struct span field, name;
	while (span_cut(&fields, ';', &field)) {
		span_cut(&field, '=', &name);
		if (span_equal(span_trim(name), SPAN("rua")) && span_trim(field).n > 0)
			return true;
	}
	return false;
}

/* The grammar has nothing but these; whatever else is in it is no record. */
static bool is_printable_ascii(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < ' ' || s.p[i] > '~') && s.p[i] != '\t')
			return false;
	return true;
}

const char *tlsrpt_record(struct arena *a, const struct dns_answer *txt)
{
	const struct span version = SPAN(TLSRPT_VERSION);
	struct span record = { 0 };
	size_t found = 0;
	for (size_t i = 0; i < txt->nrr; i++) {
		struct span s = txt->rr[i].bytes;
		if (s.n < version.n || memcmp(s.p, version.p, version.n) != 0)
			continue;
		record = s;
		found++;
	}
	if (found != 1 || !is_printable_ascii(record) ||
	    !has_rua((struct span){ record.p + version.n, record.n - version.n }))
		return NULL;
	return arena_str(a, record);
}

/* A JSON string (RFC 8259 section 7). Bytes that are no UTF-8 have no place in JSON. */
static void add_string(struct buf *out, const char *text)
{
	bool utf8 = text_is_utf8(span_of(text));
	buf_addc(out, '"');
	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;
		if (c < 0x20)
			buf_addf(out, "\\u%04x", c);
		else if (c >= 0x80 && !utf8)
			buf_addc(out, '?');
		else if (c == '"' || c == '\\')
			buf_addf(out, "\\%c", c);
		else
			buf_addc(out, *p);
	}
	buf_addc(out, '"');
}

/* `name` holds all punctuation up to the value. */
static void add(struct buf *out, const char *name, const char *text)
{
	if (!text || !text[0])
		return;
	buf_addf(out, "%s", name);
	add_string(out, text);
}

static void add_list(struct buf *out, const char *name, const char *const *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_addf(out, "%s", i == 0 ? name : ",");
		add_string(out, text[i]);
	}
	if (n > 0)
		buf_addc(out, ']');
}

/* As a zone file has them (RFC 6698 section 2.2); RFC 8460 section 4.4 shows upper case. */
static void add_records(struct buf *out, const struct dns_answer *tlsa)
{
	size_t n = 0;
	struct tlsa t;
	for (size_t i = 0; i < tlsa->nrr; i++) {
		if (!tlsa_parse(tlsa->rr[i].bytes, &t))
			continue;
		buf_addf(out, "%s\"%u %u %u ", n++ == 0 ? ",\"policy-string\":[" : ",", t.usage,
			 t.selector, t.matching);
		for (size_t k = 0; k < t.data.n; k++)
			buf_addf(out, "%02X", (unsigned char)t.data.p[k]);
		buf_addc(out, '"');
	}
	if (n > 0)
		buf_addc(out, ']');
}

static void add_policy(struct buf *out, const struct tlsrpt_result *r)
{
	switch (r->policy) {
	case POLICY_DANE:
		buf_addf(out, "\"policy-type\":1");
		add(out, ",\"policy-domain\":", r->tlsa_base);
		if (r->tlsa)
			add_records(out, r->tlsa);
		return;
	case POLICY_STS:
		buf_addf(out, "\"policy-type\":2");
		add(out, ",\"policy-domain\":", r->domain);
		if (!r->sts)
			return;
		add_list(out, ",\"policy-string\":[", r->sts->line, r->sts->nline);
		add_list(out, ",\"mx-host\":[", r->sts->mx, r->sts->nmx);
		return;
	case POLICY_NONE:
		break;
	}
	buf_addf(out, "\"policy-type\":9");
	add(out, ",\"policy-domain\":", r->domain);
}

bool tlsrpt_write(const struct tlsrpt_result *r, struct buf *out)
{
	bool failed = r->failure != TLSRPT_NO_FAILURE;
	buf_addf(out, "{\"d\":");
	add_string(out, r->domain);
	buf_addf(out, ",\"pr\":");
	add_string(out, r->record);
	buf_addf(out, ",\"policies\":[{");
	add_policy(out, r);
	if (failed) {
		buf_addf(out, ",\"failure-details\":[{\"c\":%d", (int)r->failure);
		add(out, ",\"s\":", r->sending_ip);
		add(out, ",\"n\":", r->mx);
		add(out, ",\"h\":", r->helo);
		add(out, ",\"r\":", r->receiving_ip);
		add(out, ",\"a\":", r->info);
		buf_addf(out, "}]");
	}
	buf_addf(out, ",\"t\":%d,\"f\":%d}]}", failed, failed);
	return !out->overflow;
}

enum tlsrpt_failure tlsrpt_of_trouble(enum secure_trouble trouble)
{
	switch (trouble) {
	case SECURE_HANDSHAKE:
		return TLSRPT_VALIDATION_FAILURE;
	case SECURE_NOT_TRUSTED:
		return TLSRPT_CERTIFICATE_NOT_TRUSTED;
	case SECURE_WRONG_NAME:
		return TLSRPT_CERTIFICATE_HOST_MISMATCH;
	case SECURE_EXPIRED:
		return TLSRPT_CERTIFICATE_EXPIRED;
	case SECURE_NO_TLSA:
		return TLSRPT_TLSA_INVALID;
	case SECURE_FINE:
	case SECURE_LOCAL:
		break;
	}
	return TLSRPT_NO_FAILURE;
}
