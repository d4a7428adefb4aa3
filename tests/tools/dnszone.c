/* SPDX-License-Identifier: ISC */
/* One `dns` line: an answer, or what goes wrong instead. */
#include <arpa/inet.h>
#include <string.h>

#include "dns.h"
#include "pki.h"
#include "story.h"

static const struct {
	const char *name;
	enum dns_fault fault;
} faults[] = {
	{ "SERVFAIL", DNS_SERVFAIL },
	{ "REFUSED", DNS_REFUSED },
	{ "FORMERR", DNS_FORMERR },
	{ "NXDOMAIN", DNS_NXDOMAIN },
	{ "NODATA", DNS_NODATA },
	{ "silence", DNS_SILENCE },
	{ "garbage", DNS_GARBAGE },
	{ "wrong-id", DNS_WRONG_ID },
	{ "wrong-question", DNS_WRONG_QUESTION },
	{ "short", DNS_SHORT },
};

static const struct {
	const char *name;
	uint16_t type;
} types[] = {
	{ "ANY", 0 },        { "A", TYPE_A },       { "CNAME", TYPE_CNAME }, { "MX", TYPE_MX },
	{ "TXT", TYPE_TXT }, { "AAAA", TYPE_AAAA }, { "TLSA", TYPE_TLSA },   { "PTR", TYPE_PTR },
};

const char *dns_type_text(uint16_t type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i].type == type)
			return types[i].name;
	}
	return "?";
}

void dns_put_name(const char *name, struct bytes *out)
{
	while (*name && strcmp(name, ".") != 0) {
		const char *dot = strchr(name, '.');
		size_t n = dot ? (size_t)(dot - name) : strlen(name);
		char len = (char)n;
		bytes_add(out, &len, 1);
		bytes_add(out, name, n);
		name += n + (dot ? 1 : 0);
	}
	bytes_add(out, "", 1);
}

void dns_put16(uint16_t v, struct bytes *out)
{
	uint16_t net = htons(v);
	bytes_add(out, &net, 2);
}

static void put_mx(const char *text, struct bytes *out)
{
	int64_t pref;
	const char *blank = strchr(text, ' ');
	char *number = blank ? xndup(text, (size_t)(blank - text)) : NULL;
	if (!number || !parse_number(number, &pref))
		die("MX wants PREFERENCE HOST: %s", text);
	dns_put16((uint16_t)pref, out);
	struct bytes host = { 0 };
	unescape(blank + 1, NULL, &host);
	dns_put_name(bytes_text(&host), out);
	bytes_free(&host);
}

static void put_rdata(uint16_t type, const char *text, struct bytes *out)
{
	unsigned char ip[16];
	char len = (char)strlen(text);
	switch (type) {
	case TYPE_A:
	case TYPE_AAAA:
		if (inet_pton(type == TYPE_A ? AF_INET : AF_INET6, text, ip) != 1)
			die("not an address: %s", text);
		bytes_add(out, ip, type == TYPE_A ? 4 : 16);
		break;
	case TYPE_MX:
		put_mx(text, out);
		break;
	case TYPE_CNAME:
	case TYPE_PTR:
		dns_put_name(text, out);
		break;
	case TYPE_TLSA:
		pki_tlsa(text, out);
		break;
	default:
		bytes_add(out, &len, 1);
		bytes_add(out, text, strlen(text));
	}
}

static void add_record(struct dns_rule *rule, const char *text)
{
	struct dns_record *r = vector_more((void **)&rule->record, &rule->n, sizeof(*r));
	r->type = rule->type;
	put_rdata(rule->type, text, &r->rdata);
	if (rule->type == TYPE_CNAME)
		rule->cname = text;
}

/* "10 mx{1-100}.test" is a hundred records. */
static void add_records(struct dns_rule *rule, char *text)
{
	char *brace = strchr(text, '{');
	while (brace && (brace[1] < '0' || brace[1] > '9')) /* as in a macro of SPF */
		brace = strchr(brace + 1, '{');
	char *dash = brace ? strchr(brace, '-') : NULL;
	char *end = dash ? strchr(dash, '}') : NULL;
	if (!end) {
		add_record(rule, text);
		return;
	}
	int64_t from, to;
	*brace = *dash = *end = '\0';
	if (!parse_number(brace + 1, &from) || !parse_number(dash + 1, &to))
		die("not a range: %s", brace + 1);
	for (int64_t i = from; i <= to; i++)
		add_record(rule, xprintf("%s%lld%s", text, (long long)i, end + 1));
}

/* A word between the type and the data; false: it belongs to the data. */
static bool modifier(struct dns_rule *rule, const char *word)
{
	int64_t n;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (strcmp(word, faults[i].name) == 0) {
			rule->fault = faults[i].fault;
			return true;
		}
	}
	if (strcmp(word, "truncate") == 0)
		rule->truncate = true;
	else if (strcmp(word, "ad") == 0)
		rule->secure = true;
	else if (strncmp(word, "delay=", 6) == 0 && parse_ms(word + 6, &rule->delay))
		return true;
	else if (strncmp(word, "ttl=", 4) == 0 && parse_number(word + 4, &n))
		rule->ttl = (uint32_t)n;
	else
		return false;
	return true;
}

void dns_rule_parse(const char *text, struct dns_rule *ret)
{
	size_t n, i = 2;
	char **word = words_split(text, &n);
	*ret = (struct dns_rule){ .ttl = 300, .type = UINT16_MAX };
	for (size_t k = 0; n > 1 && k < sizeof(types) / sizeof(types[0]); k++) {
		if (strcmp(word[1], types[k].name) == 0)
			ret->type = types[k].type;
	}
	if (ret->type == UINT16_MAX)
		die("dns wants NAME TYPE ...: %s", text);
	ret->name = word[0];
	while (i < n && modifier(ret, word[i]))
		i++;
	struct bytes data = { 0 };
	for (; i < n; i++) {
		size_t len = strlen(word[i]);
		bool comma = word[i][len - 1] == ',';
		bytes_addf(&data, "%s%.*s", data.n ? " " : "", (int)(len - comma), word[i]);
		if (!comma && i + 1 < n)
			continue;
		add_records(ret, xndup(bytes_text(&data), data.n));
		bytes_free(&data);
	}
}
