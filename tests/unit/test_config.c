/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include "core/config.h"
#include "harness.h"

static bool is_config_error(const struct error *err)
{
	return err->class == ERR_CONFIG && err->code.cls == 4 && err->code.subject == 3 &&
	       err->code.detail == 5 && err->text[0] != '\0';
}

/* Networks and endpoints behind pointers; all else is compared where it is. */
static bool equal_lists(const struct config *a, const struct config *b)
{
	bool same =
		a->nrefused_networks == b->nrefused_networks && a->ndns_servers == b->ndns_servers;
	for (size_t i = 0; same && i < a->nrefused_networks; i++)
		same = ip_equal(a->refused_networks[i].ip, b->refused_networks[i].ip) &&
		       a->refused_networks[i].bits == b->refused_networks[i].bits;
	return same;
}

static void test_defaults(void)
{
	struct config c;
	config_init(&c);
	CHECK_STR("helo_name", c.helo_name, "");
	CHECK("smtp_port", c.smtp_port == 25);
	CHECK("dns_servers", c.ndns_servers == 0);
	CHECK("dns_timeout", c.dns_timeout == 10000);
	CHECK("failover", c.failover == FAILOVER_TEMPFAIL);
	CHECK("address_family", c.address_family == FAMILY_ANY);
	CHECK("source", c.source_ipv4.family == 0 && c.source_ipv6.family == 0);
	CHECK("deadline", c.deadline == 900000);
	CHECK("connect_timeout", c.connect_timeout == 30000);
	CHECK("greeting_timeout", c.greeting_timeout == 300000);
	CHECK("command_timeout", c.command_timeout == 300000);
	CHECK("data_timeout", c.data_timeout == 180000);
	CHECK("final_timeout", c.final_timeout == 600000);
	CHECK("stagger", c.stagger == 250);
	CHECK("max", c.max_mx == 20 && c.max_addresses == 16 && c.max_sessions == 12);
	CHECK("limits", c.message_size_limit == 0 && c.line_length_limit == 0);
	CHECK("log_format", c.log_format == LOG_TEXT);
	CHECK("tls", c.tls == TLS_MAY);
	CHECK("dane", c.dane && c.mta_sts && !c.dns_trust_ad);
	CHECK_STR("tls_ca_file", c.tls_ca_file, "/etc/ssl/certs/ca-certificates.crt");
	CHECK_STR("tls_priority", c.tls_priority, "");
	CHECK_STR("tlsrpt_socket", c.tlsrpt_socket, "");
	CHECK_STR("state_directory", c.state_directory, "/var/lib/mxdirect");
	CHECK("max_per_destination", c.max_per_destination == 20);
	CHECK("spf", c.spf == SPF_OFF && !c.lmtp_dsn);
	struct error err = { 0 };
	CHECK("the defaults agree", config_check(&c, &err));
}

static const char *text_at(struct config *c, const struct config_key *key)
{
	return *(const char **)(void *)((char *)c + key->field);
}

/* Each default, written as a user would, is what config_init() gives; so no list of defaults can go
 * its own way. */
static void test_default_texts(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct config fresh, c;
	size_t n;
	const struct config_key *keys = config_keys(&n);
	config_init(&fresh);
	for (size_t i = 0; i < n; i++) {
		struct error err = { 0 };
		memset(&c, 0, sizeof(c));
		const char *option = arena_fmt(a, "%s=%s", keys[i].name, keys[i].default_text);
		CHECK(option, config_set_option(a, &c, option, &err));
		CHECK(option, keys[i].help && keys[i].help[0]);
		if (keys[i].type == CONFIG_NAME || keys[i].type == CONFIG_TEXT ||
		    keys[i].type == CONFIG_PATH)
			CHECK_STR(option, text_at(&c, &keys[i]), text_at(&fresh, &keys[i]));
		else if (keys[i].type == CONFIG_BOOL)
			CHECK(option, memcmp((char *)&c + keys[i].field,
					     (char *)&fresh + keys[i].field, sizeof(bool)) == 0);
		else if (keys[i].list)
			continue;
		else if (keys[i].type == CONFIG_PORT)
			CHECK(option, c.smtp_port == fresh.smtp_port);
		else if (keys[i].type == CONFIG_CHOICE)
			CHECK(option, memcmp((char *)&c + keys[i].field,
					     (char *)&fresh + keys[i].field, sizeof(int)) == 0);
		else if (keys[i].type == CONFIG_IP)
			CHECK(option, *((uint8_t *)&c + keys[i].field) == 0);
		else
			CHECK(option, memcmp((char *)&c + keys[i].field,
					     (char *)&fresh + keys[i].field, 8) == 0);
	}
	memset(&c, 0, sizeof(c));
	struct error err = { 0 };
	for (size_t i = 0; i < n; i++)
		if (keys[i].list)
			CHECK("list", config_set_option(a, &c,
							arena_fmt(a, "%s=%s", keys[i].name,
								  keys[i].default_text),
							&err));
	CHECK("lists", equal_lists(&c, &fresh) && fresh.nrefused_networks == 7);
	arena_close(a);
}

static void test_keys(void)
{
	static const char *const global[] = { "dns_servers",  "dns_timeout",   "log_format",
					      "dns_trust_ad", "tlsrpt_socket", "state_directory",
					      "lmtp_dsn" };
	size_t n, nglobal = 0;
	const struct config_key *keys = config_keys(&n);
	CHECK("number", n == 33);
	for (size_t i = 0; i < n; i++) {
		nglobal += !keys[i].per_domain;
		for (size_t k = 0; k < i; k++)
			CHECK(keys[i].name, strcmp(keys[i].name, keys[k].name) != 0 &&
						    keys[i].field != keys[k].field);
		for (size_t k = 0; k < 7; k++)
			if (strcmp(keys[i].name, global[k]) == 0)
				CHECK(keys[i].name, !keys[i].per_domain);
	}
	CHECK("global ones", nglobal == 7);
}

struct set_case {
	const char *option, *error; /* error NULL: good */
};

static void test_options(void)
{
	static const struct set_case t[] = {
		{ "helo_name=mail.example.org", NULL },
		{ "helo_name=[192.0.2.1]", NULL },
		{ "helo_name=[IPv6:2001:db8::1]", NULL },
		{ "helo_name=", NULL },
		{ "helo_name=a b", "helo_name: \"a b\" is not a domain name (A-labels) or an "
				   "address literal" },
		{ "helo_name=-x", "helo_name: \"-x\" is not a domain name (A-labels) or an "
				  "address literal" },
		{ "smtp_port=1", NULL },
		{ "smtp_port=65535", NULL },
		{ "smtp_port=0", "smtp_port: \"0\" is out of range (1 to 65535)" },
		{ "smtp_port=65536", "smtp_port: \"65536\" is out of range (1 to 65535)" },
		{ "smtp_port=", "smtp_port: \"\" is not a number" },
		{ "smtp_port=-1", "smtp_port: \"-1\" is not a number" },
		{ "smtp_port=25 ", "smtp_port: \"25 \" is not a number" },
		{ "smtp_port=0x19", "smtp_port: \"0x19\" is not a number" },
		{ "smtp_port=1K", "smtp_port: \"1K\" is not a number" },
		{ "connect_timeout=1ms", NULL },
		{ "connect_timeout=1h", NULL },
		{ "connect_timeout=0", "connect_timeout: \"0\" is out of range (1ms to 1h)" },
		{ "connect_timeout=61m", "connect_timeout: \"61m\" is out of range (1ms to 1h)" },
		{ "connect_timeout=5x", "connect_timeout: \"5x\" is not a time (ms s m h d)" },
		{ "connect_timeout=s", "connect_timeout: \"s\" is not a time (ms s m h d)" },
		{ "connect_timeout=1.5s", "connect_timeout: \"1.5s\" is not a time (ms s m h d)" },
		{ "connect_timeout=1 s", "connect_timeout: \"1 s\" is not a time (ms s m h d)" },
		{ "connect_timeout=1S", "connect_timeout: \"1S\" is not a time (ms s m h d)" },
		{ "deadline=1d", NULL },
		{ "deadline=25h", "deadline: \"25h\" is out of range (10ms to 1d)" },
		{ "deadline=18446744073709551615d",
		  "deadline: \"18446744073709551615d\" is out of range (10ms to 1d)" },
		{ "deadline=18446744073709551616",
		  "deadline: \"18446744073709551616\" is not a time (ms s m h d)" },
		{ "stagger=9ms", "stagger: \"9ms\" is out of range (10ms to 1m)" },
		{ "max_mx=1", NULL },
		{ "max_mx=20", NULL },
		{ "max_mx=0", "max_mx: \"0\" is out of range (1 to 20)" },
		{ "max_mx=21", "max_mx: \"21\" is out of range (1 to 20)" },
		{ "max_addresses=16", NULL },
		{ "max_addresses=17", "max_addresses: \"17\" is out of range (1 to 16)" },
		{ "max_sessions=320", NULL },
		{ "max_sessions=321", "max_sessions: \"321\" is out of range (1 to 320)" },
		{ "message_size_limit=25M", NULL },
		{ "message_size_limit=1048576G", NULL },
		{ "message_size_limit=1048577G",
		  "message_size_limit: \"1048577G\" is out of range (0 to 1048576G)" },
		{ "message_size_limit=25MB", "message_size_limit: \"25MB\" is not a size (K M G)" },
		{ "line_length_limit=998", NULL },
		{ "failover=no-response", NULL },
		{ "failover=any", "failover: \"any\" is none of no-response tempfail any-error" },
		{ "failover=", "failover: \"\" is none of no-response tempfail any-error" },
		{ "failover=Tempfail",
		  "failover: \"Tempfail\" is none of no-response tempfail any-error" },
		{ "address_family=prefer-ipv6", NULL },
		{ "address_family=ip", "address_family: \"ip\" is none of any ipv4 ipv6 "
				       "prefer-ipv4 prefer-ipv6" },
		{ "log_format=json", NULL },
		{ "log_format=xml", "log_format: \"xml\" is none of text json" },
		{ "source_ipv4=192.0.2.1", NULL },
		{ "source_ipv4=", NULL },
		{ "source_ipv4=192.0.2", "source_ipv4: \"192.0.2\" is not an IP address" },
		{ "source_ipv6=2001:db8::1", NULL },
		{ "dns_servers=", NULL },
		{ "dns_servers=127.0.0.1:5353,[::1]:53, 192.0.2.1", NULL },
		{ "dns_servers=localhost", "dns_servers: \"localhost\" is not an IP address with "
					   "or without port" },
		{ "dns_servers=127.0.0.1:0", "dns_servers: \"127.0.0.1:0\" is not an IP address "
					     "with or without port" },
		{ "refused_networks=", NULL },
		{ "refused_networks=10.0.0.0/8,2001:db8::/32,192.0.2.1", NULL },
		{ "refused_networks=10.0.0.0/33",
		  "refused_networks: \"10.0.0.0/33\" is not a network (ADDRESS/BITS)" },
		{ "refused_networks=10.0.0.0/8,,192.0.2.1",
		  "refused_networks: \"\" is not a network (ADDRESS/BITS)" },
		{ "helo_name", "\"helo_name\" is not KEY=VALUE" },
		{ "", "\"\" is not KEY=VALUE" },
		{ "=x", "unknown key \"\"" },
		{ "tls=none", NULL },
		{ "tls=may", NULL },
		{ "tls=encrypt", NULL },
		{ "tls=verify", NULL },
		{ "tls=dane-only", NULL },
		{ "tls=dane", "tls: \"dane\" is none of none may encrypt verify dane-only" },
		{ "tls=yes", "tls: \"yes\" is none of none may encrypt verify dane-only" },
		{ "spf=off", NULL },
		{ "spf=warn", NULL },
		{ "spf=hold", NULL },
		{ "spf=fail", "spf: \"fail\" is none of off warn hold" },
		{ "spf=no", "spf: \"no\" is none of off warn hold" },
		{ "dane=no", NULL },
		{ "dane=true", NULL },
		{ "mta_sts=off", NULL },
		{ "dns_trust_ad=on", NULL },
		{ "dane=", "dane: \"\" is not yes or no" },
		{ "dane=Yes", "dane: \"Yes\" is not yes or no" },
		{ "dane=1", "dane: \"1\" is not yes or no" },
		{ "mta_sts=yes ", "mta_sts: \"yes \" is not yes or no" },
		{ "tls_ca_file=/etc/roots.pem", NULL },
		{ "tls_ca_file=", "tls_ca_file: \"\" is not an absolute path" },
		{ "tls_ca_file=roots.pem", "tls_ca_file: \"roots.pem\" is not an absolute path" },
		{ "tls_priority=", NULL },
		{ "tls_priority=NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL },
		{ "tls_priority=a\tb", "tls_priority: \"a b\" is not printable" },
		{ "tls_ca_file=/a\nb", "tls_ca_file: \"/a b\" is not printable" },
		{ "tls_ca_file=/a\177", "tls_ca_file: \"/a?\" is not printable" },
		{ "tlsrpt_socket=", NULL },
		{ "tlsrpt_socket=/run/tlsrpt.sock", NULL },
		{ "tlsrpt_socket=run/tlsrpt.sock",
		  "tlsrpt_socket: \"run/tlsrpt.sock\" is not an absolute path" },
		{ "colour=blue", "unknown key \"colour\"" },
		{ "Helo_name=x", "unknown key \"Helo_name\"" },
		{ " helo_name=x", "unknown key \" helo_name\"" },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct config c, before;
		struct error err = { 0 };
		config_init(&c);
		before = c;
		bool good = config_set_option(a, &c, t[i].option, &err);
		CHECK(t[i].option, good == (t[i].error == NULL));
		if (t[i].error)
			CHECK_STR(t[i].option, err.text, t[i].error);
		CHECK(t[i].option, good ? err.class == ERR_NONE : is_config_error(&err));
		CHECK(t[i].option, good || memcmp(&c, &before, sizeof(c)) == 0);
	}
	arena_close(a);
}

static void test_values(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct config c;
	struct error err = { 0 };
	config_init(&c);
	static const struct {
		const char *text;
		int64_t ms;
	} times[] = { { "1500ms", 1500 }, { "90s", 90000 },  { "90", 90000 },
		      { "2m", 120000 },   { "1h", 3600000 }, { "1d", 86400000 } };
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		CHECK(times[i].text, config_set(a, &c, "deadline", &times[i].text, 1, &err));
		CHECK(times[i].text, c.deadline == times[i].ms);
	}
	static const struct {
		const char *text;
		uint64_t bytes;
	} sizes[] = { { "5", 5 }, { "3K", 3072 }, { "2M", 2097152 }, { "1G", 1073741824 } };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		CHECK(sizes[i].text,
		      config_set(a, &c, "message_size_limit", &sizes[i].text, 1, &err));
		CHECK(sizes[i].text, c.message_size_limit == sizes[i].bytes);
	}
	CHECK("choice", config_set_option(a, &c, "failover=any-error", &err));
	CHECK("choice", c.failover == FAILOVER_ANY_ERROR);
	CHECK("choice", config_set_option(a, &c, "address_family=prefer-ipv4", &err));
	CHECK("choice", c.address_family == FAMILY_PREFER_IPV4);
	CHECK("choice", config_set_option(a, &c, "log_format=json", &err));
	CHECK("choice", c.log_format == LOG_JSON);
	CHECK("choice", config_set_option(a, &c, "tls=dane-only", &err));
	CHECK("choice", c.tls == TLS_DANE_ONLY);
	CHECK("choice", config_set_option(a, &c, "spf=hold", &err) && c.spf == SPF_HOLD);
	CHECK("choice", config_set_option(a, &c, "spf=warn", &err) && c.spf == SPF_WARN);
	CHECK("choice", config_set_option(a, &c, "spf=off", &err) && c.spf == SPF_OFF);
	CHECK("choice", config_set_option(a, &c, "tls=none", &err));
	CHECK("choice", c.tls == TLS_NONE);
	CHECK("text", config_set_option(a, &c, "tls_priority=SECURE256", &err));
	CHECK_STR("text", c.tls_priority, "SECURE256");
	CHECK("path", config_set_option(a, &c, "tlsrpt_socket=/run/a b", &err));
	CHECK_STR("path", c.tlsrpt_socket, "/run/a b");
	CHECK("path", config_set_option(a, &c, "tls_ca_file=/r", &err));
	CHECK_STR("path", c.tls_ca_file, "/r");
	CHECK("source", config_set_option(a, &c, "source_ipv6=2001:db8::1", &err));
	CHECK("source", c.source_ipv6.family == 6 && c.source_ipv6.b[1] == 1);
	CHECK("source", config_set_option(a, &c, "source_ipv6=", &err));
	CHECK("source taken back", c.source_ipv6.family == 0);
	arena_close(a);
}

static void test_bools(void)
{
	static const struct {
		const char *word;
		bool value;
	} t[] = { { "yes", true },    { "no", false }, { "true", true },
		  { "false", false }, { "on", true },  { "off", false } };
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct config c;
		struct error err = { 0 };
		config_init(&c);
		c.dane = c.mta_sts = c.dns_trust_ad = !t[i].value;
		CHECK(t[i].word, config_set(a, &c, "dane", &t[i].word, 1, &err));
		CHECK(t[i].word, c.dane == t[i].value && c.mta_sts != t[i].value);
		CHECK(t[i].word, config_set(a, &c, "mta_sts", &t[i].word, 1, &err));
		CHECK(t[i].word, c.mta_sts == t[i].value && c.dns_trust_ad != t[i].value);
		CHECK(t[i].word, config_set(a, &c, "dns_trust_ad", &t[i].word, 1, &err));
		CHECK(t[i].word, c.dns_trust_ad == t[i].value);
	}
	arena_close(a);
}

/* A socket's path is bounded by the kernel, and cut paths are other paths. */
static void test_path_limits(void)
{
	static const struct {
		const char *key;
		size_t most;
	} t[] = { { "tlsrpt_socket", 107 },
		  { "tls_ca_file", 4095 },
		  { "state_directory", 1000 },
		  { "tls_priority", 900 } };
	static char path[5000];
	struct arena *a = arena_open(LIMIT_ARENA);
	const char *const value[] = { path };
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		for (size_t n = t[i].most - 1; n <= t[i].most + 1; n++) {
			struct config c;
			struct error err = { 0 };
			config_init(&c);
			memset(path, '/', n);
			path[n] = '\0';
			CHECK(t[i].key,
			      config_set(a, &c, t[i].key, value, 1, &err) == (n <= t[i].most));
			CHECK(t[i].key, n <= t[i].most || is_config_error(&err));
			CHECK(t[i].key, n <= t[i].most || strstr(err.text, "is longer than"));
		}
	}
	arena_close(a);
}

static void test_lists(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct config c;
	struct error err = { 0 };
	char text[ENDPOINT_TEXT];
	config_init(&c);
	CHECK("servers",
	      config_set_option(a, &c, "dns_servers=127.0.0.1:5353, ::1,[::1]:54", &err));
	CHECK("servers", c.ndns_servers == 3);
	static const char *const want[] = { "[127.0.0.1]:5353", "[::1]:53", "[::1]:54" };
	for (size_t i = 0; i < 3 && i < c.ndns_servers; i++) {
		endpoint_format(c.dns_servers[i], text);
		CHECK_STR("server", text, want[i]);
	}
	CHECK("replaced", config_set_option(a, &c, "dns_servers=192.0.2.1", &err));
	CHECK("replaced", c.ndns_servers == 1 && c.dns_servers[0].ip.b[0] == 192);

	const char *const nets[] = { "10.0.0.0/8", "2001:db8::/32" };
	CHECK("nets", config_set(a, &c, "refused_networks", nets, 2, &err));
	CHECK("nets", c.nrefused_networks == 2 && c.refused_networks[0].bits == 8 &&
			      c.refused_networks[1].bits == 32);
	CHECK("nets stay", !config_set_option(a, &c, "refused_networks=192.0.2.1,x", &err));
	CHECK("nets stay", c.nrefused_networks == 2 && c.refused_networks[0].bits == 8);
	CHECK("none", config_set(a, &c, "refused_networks", NULL, 0, &err));
	CHECK("none", c.nrefused_networks == 0);
	CHECK("again", config_set(a, &c, "refused_networks", nets, 2, &err));
	const char *const empty[] = { "" };
	CHECK("one empty value", config_set(a, &c, "refused_networks", empty, 1, &err));
	CHECK("one empty value", c.nrefused_networks == 0);
	arena_close(a);
}

static void test_list_limit(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t n = LIMIT_LIST - 1; n <= LIMIT_LIST + 2; n++) {
		struct config c;
		struct error err = { 0 };
		char text[2000] = "dns_servers=";
		config_init(&c);
		for (size_t i = 0; i < n; i++)
			memcpy(text + strlen(text), "192.0.2.1,", 11);
		CHECK("limit", config_set_option(a, &c, text, &err) == (n <= LIMIT_LIST));
		CHECK("limit", c.ndns_servers == (n <= LIMIT_LIST ? n : 0));
		if (n > LIMIT_LIST)
			CHECK_STR("limit", err.text, "dns_servers: more than 64 values");
	}
	arena_close(a);
}

static void test_number_of_values(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct config c;
	struct error err = { 0 };
	const char *const two[] = { "25", "26" };
	config_init(&c);
	CHECK("none", !config_set(a, &c, "smtp_port", NULL, 0, &err));
	CHECK_STR("none", err.text, "smtp_port: takes one value");
	CHECK("two", !config_set(a, &c, "smtp_port", two, 2, &err) && c.smtp_port == 25);
	CHECK("unknown", !config_set(a, &c, "spool_directory", two, 1, &err));
	CHECK_STR("unknown", err.text, "unknown key \"spool_directory\"");
	arena_close(a);
}

static void test_copies(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct config c;
	struct error err = { 0 };
	char option[] = "helo_name=mail.example";
	config_init(&c);
	CHECK("set", config_set_option(a, &c, option, &err));
	memset(option, 'x', sizeof(option) - 1);
	CHECK_STR("own copy", c.helo_name, "mail.example");
	arena_close(a);
}

static void test_no_memory(void)
{
	static const char *const t[] = { "helo_name=mail.example", "dns_servers=192.0.2.1",
					 "refused_networks=192.0.2.1", "tls_priority=NORMAL" };
	struct arena *a = arena_open(0);
	for (size_t i = 0; i < 4; i++) {
		struct config c;
		struct error err = { 0 };
		config_init(&c);
		CHECK(t[i], !config_set_option(a, &c, t[i], &err) && err.class == ERR_INTERNAL);
		CHECK(t[i], c.helo_name[0] == '\0' && c.ndns_servers == 0);
		CHECK_STR(t[i], c.tls_priority, "");
	}
	arena_close(a);
}

static void test_check(void)
{
	static const struct {
		const char *option[3];
		const char *error;
	} t[] = {
		{ { "source_ipv4=192.0.2.1", "source_ipv6=2001:db8::1" }, NULL },
		{ { "source_ipv4=2001:db8::1" }, "source_ipv4: not an IPv4 address" },
		{ { "source_ipv6=192.0.2.1" }, "source_ipv6: not an IPv6 address" },
		{ { "deadline=330s" }, NULL },
		{ { "deadline=329s" },
		  "deadline: shorter than connect_timeout and greeting_timeout together" },
		{ { "deadline=3s", "connect_timeout=1s", "greeting_timeout=2s" }, NULL },
		{ { "deadline=2999ms", "connect_timeout=1s", "greeting_timeout=2s" },
		  "deadline: shorter than connect_timeout and greeting_timeout together" },
		{ { "tls=dane-only" }, NULL },
		{ { "tls=dane-only", "mta_sts=no" }, NULL },
		{ { "tls=verify", "dane=no", "mta_sts=no" }, NULL },
		{ { "tls=none", "dane=no" }, NULL },
		{ { "dane=no", "tls=dane-only" }, "tls: dane-only cannot be met with dane = no" },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct config c;
		struct error err = { 0 };
		config_init(&c);
		for (size_t k = 0; k < 3 && t[i].option[k]; k++)
			CHECK(t[i].option[k], config_set_option(a, &c, t[i].option[k], &err));
		CHECK(t[i].option[0], config_check(&c, &err) == (t[i].error == NULL));
		if (t[i].error) {
			CHECK_STR(t[i].option[0], err.text, t[i].error);
			CHECK(t[i].option[0], is_config_error(&err));
		}
	}
	arena_close(a);
}

static void test_refused_by_default(void)
{
	static const struct {
		const char *ip;
		bool refused;
	} t[] = {
		{ "0.0.0.0", true },       { "0.255.255.255", true },
		{ "1.0.0.0", false },      { "126.255.255.255", false },
		{ "127.0.0.1", true },     { "127.255.255.255", true },
		{ "128.0.0.0", false },    { "223.255.255.255", false },
		{ "224.0.0.1", true },     { "239.255.255.255", true },
		{ "240.0.0.1", true },     { "255.255.255.255", true },
		{ "10.0.0.1", false },     { "192.168.1.1", false },
		{ "172.16.0.1", false },   { "169.254.1.1", false },
		{ "100.64.0.1", false },   { "192.0.2.1", false },
		{ "198.51.100.1", false }, { "203.0.113.1", false },
		{ "198.18.0.1", false },   { "::", true },
		{ "::1", true },           { "::2", false },
		{ "ff02::1", true },       { "ff00::", true },
		{ "feff::1", false },      { "fe80::1", false },
		{ "fd00::1", false },      { "2001:db8::1", false },
		{ "2001:4860::1", false },
	};
	struct config c;
	config_init(&c);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct ip ip = { 0 };
		bool refused = false;
		CHECK(t[i].ip, ip_parse(span_of(t[i].ip), &ip));
		for (size_t k = 0; k < c.nrefused_networks; k++)
			refused = refused || ip_net_has(c.refused_networks[k], ip);
		CHECK(t[i].ip, refused == t[i].refused);
	}
}

static const struct config_key *key_of(const char *option)
{
	size_t n;
	const struct config_key *keys = config_keys(&n);
	for (size_t i = 0; i < n; i++)
		if (strlen(keys[i].name) == strcspn(option, "=") &&
		    strncmp(keys[i].name, option, strlen(keys[i].name)) == 0)
			return &keys[i];
	return NULL;
}

/* Of what is stored in the field itself; texts and lists lie elsewhere. */
static size_t size_of(enum config_type type)
{
	switch (type) {
	case CONFIG_PORT:
		return sizeof(uint16_t);
	case CONFIG_NUMBER:
	case CONFIG_SIZE:
	case CONFIG_TIME:
		return sizeof(uint64_t);
	case CONFIG_CHOICE:
		return sizeof(int);
	case CONFIG_BOOL:
		return sizeof(bool);
	case CONFIG_IP:
		return sizeof(struct ip);
	default:
		return 0;
	}
}

/* What was read is written, and what was written reads the same: text of a text is that text. */
static void check_round(const char *option, const char *want)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	const struct config_key *key = key_of(option);
	struct config c, again;
	struct error err = { 0 };
	config_init(&c);
	config_init(&again);
	CHECK(option, key && config_set_option(a, &c, option, &err));
	const char *text = key ? config_text(a, &c, key) : NULL;
	CHECK(option, text != NULL);
	if (text) {
		if (want)
			CHECK_STR(option, text, want);
		const char *back = arena_fmt(a, "%s=%s", key->name, text);
		CHECK(back, config_set_option(a, &again, back, &err));
		CHECK_STR(back, config_text(a, &again, key), text);
		CHECK(back, equal_lists(&c, &again));
		CHECK(back, memcmp((char *)&c + key->field, (char *)&again + key->field,
				   size_of(key->type)) == 0);
	}
	arena_close(a);
}

static void test_texts(void)
{
	static const struct {
		const char *option, *text;
	} t[] = {
		{ "helo_name=Mail.Example.org", "Mail.Example.org" },
		{ "helo_name=[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]" },
		{ "helo_name=", "" },
		{ "smtp_port=65535", "65535" },
		{ "dns_servers=127.0.0.1,[::1]:5353 , 192.0.2.1:54",
		  "127.0.0.1:53, [::1]:5353, 192.0.2.1:54" },
		{ "dns_servers=", "" },
		{ "dns_timeout=10ms", "10ms" },
		{ "dns_timeout=1500ms", "1500ms" },
		{ "dns_timeout=60", "1m" },
		{ "deadline=24h", "1d" },
		{ "deadline=61m", "61m" },
		{ "failover=no-response", "no-response" },
		{ "failover=any-error", "any-error" },
		{ "address_family=prefer-ipv6", "prefer-ipv6" },
		{ "source_ipv4=192.0.2.9", "192.0.2.9" },
		{ "source_ipv4=", "" },
		{ "source_ipv6=2001:DB8:0:0::9", "2001:db8::9" },
		{ "refused_networks=10.0.0.0/8,2001:db8::/32,192.0.2.1",
		  "10.0.0.0/8, 2001:db8::/32, 192.0.2.1/32" },
		{ "refused_networks=", "" },
		{ "max_mx=7", "7" },
		{ "max_per_destination=0", "0" },
		{ "message_size_limit=0", "0" },
		{ "message_size_limit=20480", "20K" },
		{ "message_size_limit=20M", "20M" },
		{ "message_size_limit=1025", "1025" },
		{ "log_format=json", "json" },
		{ "tls=dane-only", "dane-only" },
		{ "dane=off", "no" },
		{ "dns_trust_ad=true", "yes" },
		{ "tls_ca_file=/a b/c,d", "/a b/c,d" },
		{ "tls_priority=NORMAL:-VERS-TLS1.2", "NORMAL:-VERS-TLS1.2" },
		{ "state_directory=", "" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		check_round(t[i].option, t[i].text);
}

/* Every key there is, with its default, and with the ends of its range. */
static void test_all_texts(void)
{
	size_t n;
	char option[400];
	const struct config_key *keys = config_keys(&n);
	for (size_t i = 0; i < n; i++) {
		const struct config_key *k = &keys[i];
		snprintf(option, sizeof(option), "%s=%s", k->name, k->default_text);
		check_round(option, NULL);
		bool amount = k->type == CONFIG_PORT || k->type == CONFIG_NUMBER ||
			      k->type == CONFIG_SIZE || k->type == CONFIG_TIME;
		const char *unit = k->type == CONFIG_TIME ? "ms" : "";
		if (amount) {
			snprintf(option, sizeof(option), "%s=%llu%s", k->name,
				 (unsigned long long)k->min, unit);
			check_round(option, NULL);
			snprintf(option, sizeof(option), "%s=%llu%s", k->name,
				 (unsigned long long)k->max, unit);
			check_round(option, NULL);
		}
		for (size_t w = 0; k->type == CONFIG_CHOICE && k->words[w]; w++) {
			snprintf(option, sizeof(option), "%s=%s", k->name, k->words[w]);
			check_round(option, k->words[w]);
		}
	}
}

static void test_no_memory_for_texts(void)
{
	struct arena *a = arena_open(1);
	struct config c;
	config_init(&c);
	CHECK("list", !config_text(a, &c, key_of("refused_networks=")));
	CHECK("time", !config_text(a, &c, key_of("deadline=")));
	CHECK("choice", config_text(a, &c, key_of("failover=")) != NULL);
	arena_close(a);
}

TEST_MAIN("config", { "defaults", test_defaults }, { "default texts", test_default_texts },
	  { "keys", test_keys }, { "options", test_options }, { "values", test_values },
	  { "bools", test_bools }, { "path limits", test_path_limits }, { "lists", test_lists },
	  { "list limit", test_list_limit }, { "number of values", test_number_of_values },
	  { "copies", test_copies }, { "no memory", test_no_memory }, { "check", test_check },
	  { "refused by default", test_refused_by_default }, { "texts", test_texts },
	  { "all texts", test_all_texts }, { "no memory for texts", test_no_memory_for_texts })
