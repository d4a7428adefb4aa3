/* SPDX-License-Identifier: ISC */
/*
 * Settings as one const struct. One table of {key, type, range, default, help} drives parsing, -o and the manual; there is no other
 * list of keys. Values come as text: times take ms s m h d ("30s"; a bare number is seconds), sizes K M G, networks "192.0.2.0/24".
 */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include "base/arena.h"
#include "base/ip.h"

enum config_failover { FAILOVER_NO_RESPONSE, FAILOVER_TEMPFAIL, FAILOVER_ANY_ERROR };
enum config_family { FAMILY_ANY, FAMILY_IPV4, FAMILY_IPV6, FAMILY_PREFER_IPV4, FAMILY_PREFER_IPV6 };
enum config_log_format { LOG_TEXT, LOG_JSON };
enum config_spf { SPF_OFF, SPF_WARN, SPF_HOLD };
enum config_tls { TLS_NONE, TLS_MAY, TLS_ENCRYPT, TLS_VERIFY, TLS_DANE_ONLY }; /* the floor; dane and mta_sts raise it */

struct config {
	const char *helo_name; /* "": the host's own full name */
	uint16_t smtp_port;
	const struct endpoint *dns_servers; /* none: resolv.conf */
	size_t ndns_servers;
	int64_t dns_timeout; /* all times in milliseconds */
	enum config_failover failover;
	enum config_family address_family;
	struct ip source_ipv4, source_ipv6; /* family 0: the kernel's choice */
	const struct ip_net *refused_networks;
	size_t nrefused_networks;
	int64_t deadline, connect_timeout, greeting_timeout, command_timeout, data_timeout, final_timeout;
	int64_t stagger;
	uint64_t max_mx, max_addresses, max_sessions;
	uint64_t message_size_limit; /* 0: none */
	uint64_t line_length_limit;  /* 0: none */
	enum config_log_format log_format;
	enum config_tls tls;
	bool dane, mta_sts, dns_trust_ad;
	const char *tls_ca_file, *tls_priority; /* priority "": ours */
	const char *tlsrpt_socket;		/* "": no TLS reporting */
	const char *state_directory;		/* "": no memory between runs */
	enum config_spf spf;			/* what is done about mail that SPF does not let us send */
	bool lmtp_dsn;				/* DSN is offered over LMTP */
	uint64_t max_per_destination;		/* deliveries to one domain at a time, over all runs; 0: any number */
};

enum config_type {
	CONFIG_NAME,   /* a domain or an address literal; empty: none */
	CONFIG_PORT,   /* uint16_t */
	CONFIG_NUMBER, /* uint64_t */
	CONFIG_SIZE,   /* uint64_t, bytes */
	CONFIG_TIME,   /* int64_t, milliseconds */
	CONFIG_CHOICE, /* the place of a word in `words`, an enum */
	CONFIG_BOOL,   /* yes no true false on off */
	CONFIG_TEXT,   /* printable */
	CONFIG_PATH,   /* an absolute path; empty, if min is 0: none */
	CONFIG_IP,     /* empty: none */
	CONFIG_ENDPOINTS,
	CONFIG_NETWORKS,
	CONFIG_TEXTS, /* each of them printable */
};

struct config_key {
	const char *name;
	bool list;	 /* takes any number of values */
	bool per_domain; /* may stand in a domain section */
	const char *default_text; /* as a user would write it after -o KEY= */
	const char *help; /* one line */
	enum config_type type;
	uint64_t min, max; /* of a port, number, size or time; `max` also of a text or path in bytes; `min` 0: a path may be empty */
	const char *const *words; /* of a choice, NULL at the end */
	size_t field;		  /* offset in struct config, or in struct route */
	size_t nfield;		  /* of a list: offset of its count */
};

const struct config_key *config_keys(size_t *ret_n);

void config_init(struct config *c); /* the defaults */

/* Set one key. CONFIG 4.3.5: an unknown key, a value of wrong form or out of range ("connect_timeout: \"5x\" is not a time (ms s m h d)").
 * Lists replace what was there; a single empty value is the empty list. Values are copied to the arena. */
MUST_CHECK bool config_set(struct arena *a, struct config *c, const char *key, const char *const *value, size_t n,
			   struct error *err);

/* "KEY=VALUE" as -o takes it: lists are separated by commas, an empty value is the empty list. CONFIG 4.3.5. */
MUST_CHECK bool config_set_option(struct arena *a, struct config *c, const char *option, struct error *err);

/* The value of a key as a user would write it behind -o KEY=, list items separated by ", ": config_set_option() reads the same value from
 * it. NULL: no memory. */
const char *config_text(struct arena *a, const struct config *c, const struct config_key *key);

/* Across keys: a source address of the wrong family, a deadline that cannot hold one connect and one greeting, dane-only
 * without dane. CONFIG 4.3.5. */
MUST_CHECK bool config_check(const struct config *c, struct error *err);

#endif
