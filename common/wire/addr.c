/* SPDX-License-Identifier: ISC */
#include "base/limits.h"
#include "base/text.h"
#include "wire/addr.h"

/* The longest way to write a mailbox: each byte of the local part escaped; quotes, brackets, @ and
 * final dot around. */
#define LONGEST (2 * LIMIT_LOCAL + LIMIT_DOMAIN + 6)

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_utf8_byte(char c)
{
	return (unsigned char)c > 0x7f;
}

/* RFC 5322 section 3.2.3, with the bytes that RFC 6531 section 3.3 adds. */
static bool is_atext(char c)
{
	return is_alnum(c) || is_utf8_byte(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool bad(struct error *err, struct span text, const char *why)
{
	int n = text.n > 256 ? 256 : (int)text.n;
	return err_set(err, ERR_PERM, ESC(5, 1, 3), "bad address \"%.*s\": %s", n, text.p, why);
}

/* Controls and broken UTF-8 are what text_printable() would change. s is at most LONGEST. */
static bool is_printable(struct span s)
{
	char copy[LONGEST];
	memcpy(copy, s.p, s.n);
	text_printable(copy, s.n);
	return memcmp(copy, s.p, s.n) == 0;
}

/* RFC 5321 4.1.2 Quoted-string, s[0] being its first quote. A quoted pair is ASCII also in RFC
 * 6531. */
static bool unquote(struct span s, struct buf *out)
{
	if (s.n < 2 || s.p[s.n - 1] != '"')
		return false;
	for (size_t i = 1; i < s.n - 1; i++) {
		if (s.p[i] == '"')
			return false;
		if (s.p[i] == '\\' && (++i == s.n - 1 || is_utf8_byte(s.p[i])))
			return false;
		buf_addc(out, s.p[i]);
	}
	return true;
}

static bool read_bare(struct span s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr("\"\\<>", s.p[i]))
			return false;
	buf_add(out, s);
	return s.n > 0;
}

static bool read_local(struct span s, struct buf *out)
{
	return s.n > 0 && s.p[0] == '"' ? unquote(s, out) : read_bare(s, out);
}

/* RFC 1035 section 2.3.4 limits an ASCII label; a U-label's limit is that of its A-label, which is
 * not known here. */
static bool label_valid(struct span s)
{
	if (s.n == 0 || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && !is_utf8_byte(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return s.n <= 63 || !text_is_ascii(s);
}

static bool labels_valid(struct span name)
{
	struct span label;
	/* An empty last label is one that span_cut() does not show. */
	if (name.n == 0 || name.p[name.n - 1] == '.')
		return false;
	while (span_cut(&name, '.', &label))
		if (!label_valid(label))
			return false;
	return true;
}

bool domain_valid(struct span name)
{
	return name.n <= 253 && text_is_ascii(name) && labels_valid(name);
}

static bool mail_domain_valid(struct span s)
{
	struct ip ip;
	if (s.n > LIMIT_DOMAIN)
		return false;
	if (text_is_ascii(s))
		return domain_valid(s) || addr_literal(s, &ip);
	return labels_valid(s);
}

bool addr_literal(struct span domain, struct ip *ret)
{
	static const struct span tag = SPAN("IPv6:");
	struct ip ip;
	if (domain.n < 2 || domain.p[0] != '[' || domain.p[domain.n - 1] != ']')
		return false;
	struct span inner = { domain.p + 1, domain.n - 2 };
	bool v6 = span_starts_nocase(inner, tag);
	if (v6)
		inner = (struct span){ inner.p + tag.n, inner.n - tag.n };
	if (!ip_parse(inner, &ip) || ip.family != (v6 ? 6 : 4))
		return false;
	*ret = ip;
	return true;
}

static bool copy_out(struct arena *a, struct span local, struct span domain, struct addr *ret,
		     struct error *err)
{
	struct addr ad = { arena_str(a, local), arena_str(a, domain) };
	if (!ad.local || !ad.domain)
		return err_nomem(err);
	*ret = ad;
	return true;
}

bool addr_parse(struct arena *a, struct span text, struct addr *ret, struct error *err)
{
	struct span s = text;
	if (s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
		s = (struct span){ s.p + 1, s.n - 2 };
	if (s.n == 0)
		return copy_out(a, SPAN(""), SPAN(""), ret, err);
	if (s.n > LONGEST)
		return bad(err, text, "it is too long");
	if (!is_printable(s))
		return bad(err, text, "it is not printable UTF-8 text");
	/* No domain has an @, so the last one is the one that splits, or is inside quotes that
	 * read_local() then finds open. */
	const char *at = memrchr(s.p, '@', s.n);
	if (!at)
		return bad(err, text, "it has no domain");
	struct span written = { s.p, (size_t)(at - s.p) };
	struct span domain = { at + 1, s.n - written.n - 1 };
	if (domain.n > 0 && domain.p[domain.n - 1] == '.')
		domain.n--;
	char room[LIMIT_LOCAL + 1];
	struct buf local;
	buf_init(&local, room, sizeof(room));
	if (!read_local(written, &local))
		return bad(err, text, "the part before the @ is empty or wrongly quoted");
	if (local.overflow)
		return bad(err, text, "the part before the @ is too long");
	if (!mail_domain_valid(domain))
		return bad(err, text, "the part behind the @ is not a domain");
	return copy_out(a, buf_view(&local), domain, ret, err);
}

bool addr_is_null(const struct addr *ad)
{
	return ad->local[0] == '\0' && ad->domain[0] == '\0';
}

/* RFC 5321 4.1.2 Dot-string: atoms with single dots between them. */
static bool is_dot_string(struct span s)
{
	bool in_atom = false;
	for (size_t i = 0; i < s.n; i++) {
		bool dot = s.p[i] == '.';
		if (dot ? !in_atom : !is_atext(s.p[i]))
			return false;
		in_atom = !dot;
	}
	return in_atom;
}

static void write_quoted(struct span s, struct buf *out)
{
	buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, s.p[i]);
	}
	buf_addc(out, '"');
}

void addr_write(const struct addr *ad, struct buf *out)
{
	struct span local = span_of(ad->local);
	if (addr_is_null(ad))
		return;
	if (is_dot_string(local))
		buf_add(out, local);
	else
		write_quoted(local, out);
	buf_addc(out, '@');
	buf_add(out, span_of(ad->domain));
}

const char *domain_normal(struct arena *a, struct span name)
{
	if (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	char *copy = ARENA_NEW(a, char, name.n + 1);
	for (size_t i = 0; copy && i < name.n; i++)
		copy[i] = text_lower(name.p[i]);
	return copy;
}
