/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stddef.h>

#include "base/limits.h"
#include "base/text.h"
#include "wire/addr.h"
#include "core/config.h"

#define MS            ((uint64_t)1)
#define SEC           (1000 * MS)
#define MIN           (60 * SEC)
#define HOUR          (60 * MIN)
#define DAY           (24 * HOUR)
#define DNS_PORT      53
#define MOST_SESSIONS (LIMIT_MX * LIMIT_ADDRS)
#define MOST_PATH     4095 /* PATH_MAX, without its NUL */
#define MOST_SOCKET   107  /* what sun_path takes (unix(7)), without its NUL */
#define MOST_STATE    1000 /* file names follow */
#define MOST_SLOTS    1000

/* The order of each is that of its enum. */
static const char *const failover_words[] = { "no-response", "tempfail", "any-error", NULL };
static const char *const family_words[] = { "any",         "ipv4",        "ipv6",
					    "prefer-ipv4", "prefer-ipv6", NULL };
static const char *const log_words[] = { "text", "json", NULL };
static const char *const tls_words[] = { "none", "may", "encrypt", "verify", "dane-only", NULL };
_Static_assert(sizeof(enum config_failover) == sizeof(int) &&
		       sizeof(enum config_family) == sizeof(int) &&
		       sizeof(enum config_log_format) == sizeof(int) &&
		       sizeof(enum config_tls) == sizeof(int),
	       "a choice is stored as an int");

#define FIELD(key)     .name = #key, .field = offsetof(struct config, key)
#define DOMAIN         .per_domain = true
#define LIST(key)      FIELD(key), .list = true, .nfield = offsetof(struct config, n##key)
#define TIME(lo, hi)   .type = CONFIG_TIME, .min = (lo), .max = (hi)
#define NUMBER(lo, hi) .type = CONFIG_NUMBER, .min = (lo), .max = (hi)
#define SIZE(hi)       .type = CONFIG_SIZE, .max = (hi)
#define CHOICE(list)   .type = CONFIG_CHOICE, .words = (list)
#define BOOL           .type = CONFIG_BOOL
#define PATH(lo, hi)   .type = CONFIG_PATH, .min = (lo), .max = (hi)

static const struct config_key table[] = {
	{ FIELD(helo_name), DOMAIN, .type = CONFIG_NAME, .default_text = "",
	  .help = "name said in EHLO; empty: the host's own full name" },
	{ FIELD(smtp_port), DOMAIN, .type = CONFIG_PORT, .min = 1, .max = UINT16_MAX,
	  .default_text = "25", .help = "port of the MX hosts" },
	{ LIST(dns_servers), .type = CONFIG_ENDPOINTS, .default_text = "",
	  .help = "DNS servers, with or without port; none: those of resolv.conf" },
	{ FIELD(dns_timeout), TIME(10 * MS, 10 * MIN), .default_text = "10s",
	  .help = "one lookup, with its repetitions and all servers" },
	{ FIELD(failover), DOMAIN, CHOICE(failover_words), .default_text = "tempfail",
	  .help = "what lets the next address or MX host be tried" },
	{ FIELD(address_family), DOMAIN, CHOICE(family_words), .default_text = "any",
	  .help = "addresses that are used, and which of them first" },
	{ FIELD(source_ipv4), DOMAIN, .type = CONFIG_IP, .default_text = "",
	  .help = "own address for IPv4 connections; empty: the kernel's choice" },
	{ FIELD(source_ipv6), DOMAIN, .type = CONFIG_IP, .default_text = "",
	  .help = "own address for IPv6 connections; empty: the kernel's choice" },
	{ LIST(refused_networks), DOMAIN, .type = CONFIG_NETWORKS,
	  .default_text = "0.0.0.0/8,127.0.0.0/8,224.0.0.0/4,240.0.0.0/4,::/128,::1/128,ff00::/8",
	  .help = "addresses that are never connected to" },
	{ FIELD(deadline), DOMAIN, TIME(10 * MS, DAY), .default_text = "900s",
	  .help = "the whole run up to the final dot" },
	{ FIELD(connect_timeout), DOMAIN, TIME(MS, HOUR), .default_text = "30s",
	  .help = "connecting to one address" },
	{ FIELD(greeting_timeout), DOMAIN, TIME(MS, HOUR), .default_text = "300s",
	  .help = "wait for the server's greeting" },
	{ FIELD(command_timeout), DOMAIN, TIME(MS, HOUR), .default_text = "300s",
	  .help = "wait for the reply to a command" },
	{ FIELD(data_timeout), DOMAIN, TIME(MS, HOUR), .default_text = "180s",
	  .help = "one block of the message must move within it" },
	{ FIELD(final_timeout), DOMAIN, TIME(MS, HOUR), .default_text = "600s",
	  .help = "wait for the reply to the final dot" },
	{ FIELD(stagger), DOMAIN, TIME(10 * MS, MIN), .default_text = "250ms",
	  .help = "head start of one address over the next" },
	{ FIELD(max_mx), DOMAIN, NUMBER(1, LIMIT_MX), .default_text = "20",
	  .help = "MX hosts considered" },
	{ FIELD(max_addresses), DOMAIN, NUMBER(1, LIMIT_ADDRS), .default_text = "16",
	  .help = "addresses of one host considered" },
	{ FIELD(max_sessions), DOMAIN, NUMBER(1, MOST_SESSIONS), .default_text = "12",
	  .help = "SMTP sessions of one run" },
	{ FIELD(message_size_limit), DOMAIN, SIZE((uint64_t)1 << 50), .default_text = "0",
	  .help = "largest message taken; 0: any" },
	{ FIELD(line_length_limit), DOMAIN, SIZE((uint64_t)1 << 30), .default_text = "0",
	  .help = "longest line of a message taken; 0: any" },
	{ FIELD(log_format), CHOICE(log_words), .default_text = "text",
	  .help = "form of the log lines" },
	{ FIELD(tls), DOMAIN, CHOICE(tls_words), .default_text = "may",
	  .help = "the least that is demanded; dane and mta_sts raise it" },
	{ FIELD(dane), DOMAIN, BOOL, .default_text = "yes",
	  .help = "TLSA records of the MX hosts are obeyed" },
	{ FIELD(mta_sts), DOMAIN, BOOL, .default_text = "yes",
	  .help = "the MTA-STS policy of the domain is obeyed" },
	{ FIELD(dns_trust_ad), BOOL, .default_text = "no",
	  .help = "believe DNSSEC of DNS servers that are not on this machine" },
	{ FIELD(tls_ca_file), DOMAIN, PATH(1, MOST_PATH),
	  .default_text = "/etc/ssl/certs/ca-certificates.crt",
	  .help = "root certificates (PEM) for verify and MTA-STS" },
	{ FIELD(tls_priority), DOMAIN, .type = CONFIG_TEXT, .max = 900, .default_text = "",
	  .help = "GnuTLS priority string; empty: ours" },
	{ FIELD(tlsrpt_socket), PATH(0, MOST_SOCKET), .default_text = "",
	  .help = "socket of the TLSRPT collector; empty: no reports" },
	{ FIELD(state_directory), PATH(0, MOST_STATE), .default_text = "/var/lib/mxdirect",
	  .help = "where runs remember things for each other; empty: nowhere" },
	{ FIELD(lmtp_dsn), BOOL, .default_text = "no",
	  .help = "DSN is offered over LMTP; the host then leaves success reports to others" },
	{ FIELD(max_per_destination), DOMAIN, NUMBER(0, MOST_SLOTS), .default_text = "20",
	  .help = "deliveries to one domain at a time, over all runs; 0: any number" },
};
#define NKEYS (sizeof(table) / sizeof(table[0]))

/* refused_networks' default once more, as values: config_init() has no memory to put them in. */
static const struct ip_net refused_by_default[] = {
	{ { 4, { 0 } }, 8 },    { { 4, { 127 } }, 8 }, { { 4, { 224 } }, 4 },
	{ { 4, { 240 } }, 4 },  { { 6, { 0 } }, 128 }, { { 6, { [15] = 1 } }, 128 },
	{ { 6, { 0xff } }, 8 },
};

struct unit {
	const char *name;
	uint64_t times;
};
/* Largest first; the one without name, for a bare number, last. */
static const struct unit time_units[] = { { "d", DAY }, { "h", HOUR }, { "m", MIN },
					  { "s", SEC }, { "ms", MS },  { "", SEC } };
static const struct unit size_units[] = {
	{ "G", 1 << 30 }, { "M", 1 << 20 }, { "K", 1 << 10 }, { "", 1 }
};
static const struct unit no_units[] = { { "", 1 } };

struct scale {
	const char *what;
	const struct unit *unit;
	size_t n;
};

static struct scale scale_of(enum config_type type)
{
	if (type == CONFIG_TIME)
		return (struct scale){ "a time (ms s m h d)", time_units, 6 };
	if (type == CONFIG_SIZE)
		return (struct scale){ "a size (K M G)", size_units, 4 };
	return (struct scale){ "a number", no_units, 1 };
}

/* One value on its way to its field. */
struct assign {
	const struct config_key *key;
	struct arena *a; /* may be NULL where nothing is copied */
	struct error *err;
};

static bool refuse(const struct assign *as, struct span text, const char *why)
{
	int n = text.n > 100 ? 100 : (int)text.n;
	return err_set(as->err, ERR_CONFIG, ESC(4, 3, 5), "%s: \"%.*s\" is %s", as->key->name, n,
		       n ? text.p : "", why);
}

static bool refuse_form(const struct assign *as, struct span text, const char *form)
{
	char why[60];
	snprintf(why, sizeof(why), "not %s", form);
	return refuse(as, text, why);
}

static void show_amount(struct scale s, uint64_t value, char out[static 32])
{
	size_t i = 0;
	while (i + 1 < s.n && (value < s.unit[i].times || value % s.unit[i].times != 0))
		i++;
	snprintf(out, 32, "%" PRIu64 "%s", value / s.unit[i].times, s.unit[i].name);
}

static bool refuse_range(const struct assign *as, struct span text)
{
	struct scale s = scale_of(as->key->type);
	char min[32], max[32], why[100];
	show_amount(s, as->key->min, min);
	show_amount(s, as->key->max, max);
	snprintf(why, sizeof(why), "out of range (%s to %s)", min, max);
	return refuse(as, text, why);
}

static bool read_amount(const struct assign *as, struct span text, uint64_t *ret)
{
	struct scale s = scale_of(as->key->type);
	size_t digits = 0;
	while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
		digits++;
	struct span unit = { text.p + digits, text.n - digits };
	uint64_t value;
	size_t i = 0;
	while (i < s.n && !span_equal(unit, span_of(s.unit[i].name)))
		i++;
	if (i == s.n || !text_u64((struct span){ text.p, digits }, UINT64_MAX, &value))
		return refuse_form(as, text, s.what);
	if (__builtin_mul_overflow(value, s.unit[i].times, &value) || value < as->key->min ||
	    value > as->key->max)
		return refuse_range(as, text);
	*ret = value;
	return true;
}

static bool read_choice(const struct assign *as, struct span text, int *ret)
{
	char why[100] = "none of";
	for (int i = 0; as->key->words[i]; i++) {
		if (span_equal(text, span_of(as->key->words[i]))) {
			*ret = i;
			return true;
		}
		size_t n = strlen(why);
		snprintf(why + n, sizeof(why) - n, " %s", as->key->words[i]);
	}
	return refuse(as, text, why);
}

static bool read_name(const struct assign *as, struct span text, const char **ret)
{
	struct ip ip;
	if (text.n > 0 && !domain_valid(text) && !addr_literal(text, &ip))
		return refuse_form(as, text, "a domain name (A-labels) or an address literal");
	const char *copy = arena_str(as->a, text);
	if (!copy)
		return err_nomem(as->err);
	*ret = copy;
	return true;
}

/* Nobody knows the directory in which a run starts: a path is absolute. */
static bool read_text(const struct assign *as, struct span text, const char **ret)
{
	char why[60];
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return refuse_form(as, text, "printable");
	if (text.n < as->key->min ||
	    (as->key->type == CONFIG_PATH && text.n > 0 && text.p[0] != '/'))
		return refuse_form(as, text, "an absolute path");
	if (text.n > as->key->max) {
		snprintf(why, sizeof(why), "longer than %" PRIu64 " bytes", as->key->max);
		return refuse(as, text, why);
	}
	const char *copy = arena_str(as->a, text);
	if (!copy)
		return err_nomem(as->err);
	*ret = copy;
	return true;
}

static bool read_bool(const struct assign *as, struct span text, bool *ret)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on" };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (span_equal(text, span_of(words[i]))) {
			*ret = i % 2 == 1;
			return true;
		}
	}
	return refuse_form(as, text, "yes or no");
}

static bool read_ip(const struct assign *as, struct span text, struct ip *ret)
{
	struct ip ip = { 0 };
	if (text.n > 0 && !ip_parse(text, &ip))
		return refuse_form(as, text, "an IP address");
	*ret = ip;
	return true;
}

static bool read_scalar(const struct assign *as, struct span text, void *field)
{
	uint64_t amount = 0;
	switch (as->key->type) {
	case CONFIG_NAME:
		return read_name(as, text, field);
	case CONFIG_CHOICE:
		return read_choice(as, text, field);
	case CONFIG_BOOL:
		return read_bool(as, text, field);
	case CONFIG_TEXT:
	case CONFIG_PATH:
		return read_text(as, text, field);
	case CONFIG_IP:
		return read_ip(as, text, field);
	case CONFIG_ENDPOINTS:
	case CONFIG_NETWORKS:
		return BUG(as->err, "a list is no scalar");
	case CONFIG_PORT:
		if (!read_amount(as, text, &amount))
			return false;
		*(uint16_t *)field = (uint16_t)amount;
		return true;
	case CONFIG_TIME:
		if (!read_amount(as, text, &amount))
			return false;
		*(int64_t *)field = (int64_t)amount;
		return true;
	case CONFIG_NUMBER:
	case CONFIG_SIZE:
		return read_amount(as, text, field);
	}
	return BUG(as->err, "a type without a reader");
}

static bool read_endpoints(const struct assign *as, const char *const *value, size_t n, void *field)
{
	struct endpoint *e = ARENA_NEW(as->a, struct endpoint, n);
	if (!e)
		return err_nomem(as->err);
	for (size_t i = 0; i < n; i++)
		if (!endpoint_parse(span_of(value[i]), DNS_PORT, &e[i]))
			return refuse_form(as, span_of(value[i]),
					   "an IP address with or without port");
	*(const struct endpoint **)field = e;
	return true;
}

static bool read_networks(const struct assign *as, const char *const *value, size_t n, void *field)
{
	struct ip_net *net = ARENA_NEW(as->a, struct ip_net, n);
	if (!net)
		return err_nomem(as->err);
	for (size_t i = 0; i < n; i++)
		if (!ip_net_parse(span_of(value[i]), &net[i]))
			return refuse_form(as, span_of(value[i]), "a network (ADDRESS/BITS)");
	*(const struct ip_net **)field = net;
	return true;
}

static bool read_list(const struct assign *as, const char *const *value, size_t n, struct config *c)
{
	void *field = (char *)c + as->key->field;
	if (n == 1 && value[0][0] == '\0')
		n = 0;
	if (n > LIMIT_LIST)
		return err_set(as->err, ERR_CONFIG, ESC(4, 3, 5), "%s: more than %d values",
			       as->key->name, LIMIT_LIST);
	bool good = as->key->type == CONFIG_ENDPOINTS ? read_endpoints(as, value, n, field)
						      : read_networks(as, value, n, field);
	if (good)
		*(size_t *)(void *)((char *)c + as->key->nfield) = n;
	return good;
}

const struct config_key *config_keys(size_t *ret_n)
{
	*ret_n = NKEYS;
	return table;
}

static bool is_string(enum config_type type)
{
	return type == CONFIG_NAME || type == CONFIG_TEXT || type == CONFIG_PATH;
}

void config_init(struct config *c)
{
	struct error err;
	*c = (struct config){
		.refused_networks = refused_by_default,
		.nrefused_networks = sizeof(refused_by_default) / sizeof(refused_by_default[0]),
	};
	/* The defaults are right: the unit test sets each of them by config_set(). */
	for (size_t i = 0; i < NKEYS; i++) {
		void *field = (char *)c + table[i].field;
		if (is_string(table[i].type))
			*(const char **)field = table[i].default_text;
		else if (!table[i].list)
			(void)read_scalar(&(struct assign){ &table[i], NULL, &err },
					  span_of(table[i].default_text), field);
	}
}

static const struct config_key *find(struct span name)
{
	for (size_t i = 0; i < NKEYS; i++)
		if (span_equal(name, span_of(table[i].name)))
			return &table[i];
	return NULL;
}

static bool unknown(struct span name, struct error *err)
{
	int n = name.n > 100 ? 100 : (int)name.n;
	return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "unknown key \"%.*s\"", n, n ? name.p : "");
}

bool config_set(struct arena *a, struct config *c, const char *key, const char *const *value,
		size_t n, struct error *err)
{
	const struct assign as = { find(span_of(key)), a, err };
	if (!as.key)
		return unknown(span_of(key), err);
	if (as.key->list)
		return read_list(&as, value, n, c);
	if (n != 1)
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "%s: takes one value", key);
	return read_scalar(&as, span_of(value[0]), (char *)c + as.key->field);
}

bool config_set_option(struct arena *a, struct config *c, const char *option, struct error *err)
{
	const char *equal = strchr(option, '=');
	const char *item[LIMIT_LIST + 1];
	size_t n = 0;
	if (!equal)
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "\"%.100s\" is not KEY=VALUE",
			       option);
	struct span name = { option, (size_t)(equal - option) }, rest = span_of(equal + 1);
	const struct config_key *key = find(name);
	if (!key)
		return unknown(name, err);
	if (!key->list) {
		item[0] = equal + 1;
		return config_set(a, c, key->name, item, 1, err);
	}
	/* One more than allowed is enough to be refused. */
	for (struct span head; n <= LIMIT_LIST && span_cut(&rest, ',', &head); n++) {
		item[n] = arena_str(a, span_trim(head));
		if (!item[n])
			return err_nomem(err);
	}
	return config_set(a, c, key->name, item, n, err);
}

static const char *text_of_ip(struct arena *a, struct ip ip)
{
	char text[IP_TEXT] = "";
	if (ip.family != 0)
		ip_format(ip, text);
	return arena_str(a, span_of(text));
}

static const char *text_of_item(struct arena *a, const struct config_key *key, const void *list,
				size_t i)
{
	char text[IP_TEXT];
	if (key->type == CONFIG_ENDPOINTS) {
		const struct endpoint *e = (const struct endpoint *)list + i;
		ip_format(e->ip, text);
		return arena_fmt(a, e->ip.family == 6 ? "[%s]:%u" : "%s:%u", text,
				 (unsigned)e->port);
	}
	const struct ip_net *net = (const struct ip_net *)list + i;
	ip_format(net->ip, text);
	return arena_fmt(a, "%s/%u", text, (unsigned)net->bits);
}

static const char *text_of_list(struct arena *a, const struct config *c,
				const struct config_key *key)
{
	const void *list = *(const void *const *)(const void *)((const char *)c + key->field);
	size_t n = *(const size_t *)(const void *)((const char *)c + key->nfield);
	const char *text = "";
	for (size_t i = 0; text && i < n; i++) {
		const char *item = text_of_item(a, key, list, i);
		text = item ? arena_fmt(a, "%s%s%s", text, i ? ", " : "", item) : NULL;
	}
	return text;
}

static const char *text_of_amount(struct arena *a, const struct config_key *key, uint64_t amount)
{
	char text[32];
	show_amount(scale_of(key->type), amount, text);
	return arena_str(a, span_of(text));
}

const char *config_text(struct arena *a, const struct config *c, const struct config_key *key)
{
	const void *field = (const char *)c + key->field;
	switch (key->type) {
	case CONFIG_NAME:
	case CONFIG_TEXT:
	case CONFIG_PATH:
		return *(const char *const *)field;
	case CONFIG_PORT:
		return text_of_amount(a, key, *(const uint16_t *)field);
	case CONFIG_NUMBER:
	case CONFIG_SIZE:
		return text_of_amount(a, key, *(const uint64_t *)field);
	case CONFIG_TIME:
		return text_of_amount(a, key, (uint64_t) * (const int64_t *)field);
	case CONFIG_CHOICE:
		return key->words[*(const int *)field];
	case CONFIG_BOOL:
		return *(const bool *)field ? "yes" : "no";
	case CONFIG_IP:
		return text_of_ip(a, *(const struct ip *)field);
	case CONFIG_ENDPOINTS:
	case CONFIG_NETWORKS:
		break;
	}
	return text_of_list(a, c, key);
}

bool config_check(const struct config *c, struct error *err)
{
	if (c->source_ipv4.family == 6)
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "source_ipv4: not an IPv4 address");
	if (c->source_ipv6.family == 4)
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "source_ipv6: not an IPv6 address");
	if (c->deadline < c->connect_timeout + c->greeting_timeout)
		return err_set(
			err, ERR_CONFIG, ESC(4, 3, 5),
			"deadline: shorter than connect_timeout and greeting_timeout together");
	if (c->tls == TLS_DANE_ONLY && !c->dane)
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5),
			       "tls: dane-only cannot be met with dane = no");
	return true;
}
