/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include "base/limits.h"
#include "core/config_value.h"

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
static const char *const spf_words[] = { "off", "warn", "hold", NULL };
static const char *const tls_words[] = { "none", "may", "encrypt", "verify", "dane-only", NULL };
_Static_assert(sizeof(enum config_failover) == sizeof(int) &&
		       sizeof(enum config_family) == sizeof(int) &&
		       sizeof(enum config_log_format) == sizeof(int) &&
		       sizeof(enum config_spf) == sizeof(int) &&
		       sizeof(enum config_tls) == sizeof(int),
	       "a choice is stored as an int");

#define FIELD(key)     CONFIG_FIELD(struct config, key)
#define LIST(key)      CONFIG_LIST(struct config, key)
#define DOMAIN         .per_domain = true
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
	{ FIELD(dns_timeout), TIME(10 * CONFIG_MS, 10 * CONFIG_MIN), .default_text = "10s",
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
	{ FIELD(deadline), DOMAIN, TIME(10 * CONFIG_MS, CONFIG_DAY), .default_text = "900s",
	  .help = "the whole run up to the final dot" },
	{ FIELD(connect_timeout), DOMAIN, TIME(CONFIG_MS, CONFIG_HOUR), .default_text = "30s",
	  .help = "connecting to one address" },
	{ FIELD(greeting_timeout), DOMAIN, TIME(CONFIG_MS, CONFIG_HOUR), .default_text = "300s",
	  .help = "wait for the server's greeting" },
	{ FIELD(command_timeout), DOMAIN, TIME(CONFIG_MS, CONFIG_HOUR), .default_text = "300s",
	  .help = "wait for the reply to a command" },
	{ FIELD(data_timeout), DOMAIN, TIME(CONFIG_MS, CONFIG_HOUR), .default_text = "180s",
	  .help = "one block of the message must move within it" },
	{ FIELD(final_timeout), DOMAIN, TIME(CONFIG_MS, CONFIG_HOUR), .default_text = "600s",
	  .help = "wait for the reply to the final dot" },
	{ FIELD(stagger), DOMAIN, TIME(10 * CONFIG_MS, CONFIG_MIN), .default_text = "250ms",
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
	{ FIELD(spf), DOMAIN, CHOICE(spf_words), .default_text = "off",
	  .help = "mail that SPF does not let this machine send: nothing, a log line, or held "
		  "back" },
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

const struct config_key *config_keys(size_t *ret_n)
{
	*ret_n = NKEYS;
	return table;
}

void config_init(struct config *c)
{
	*c = (struct config){
		.refused_networks = refused_by_default,
		.nrefused_networks = sizeof(refused_by_default) / sizeof(refused_by_default[0]),
	};
	config_value_init(table, NKEYS, c);
}

static const struct config_key *find(struct span name)
{
	return config_value_key(table, NKEYS, name);
}

static bool unknown(struct span name, struct error *err)
{
	int n = name.n > 100 ? 100 : (int)name.n;
	return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "unknown key \"%.*s\"", n, n ? name.p : "");
}

bool config_set(struct arena *a, struct config *c, const char *key, const char *const *value,
		size_t n, struct error *err)
{
	const struct config_key *k = find(span_of(key));
	return k ? config_value_set(a, k, c, value, n, err) : unknown(span_of(key), err);
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

const char *config_text(struct arena *a, const struct config *c, const struct config_key *key)
{
	return config_value_text(a, key, c);
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
