/* SPDX-License-Identifier: ISC */
/* The lines for the operator's log, as text in the shape of Postfix or as one JSON object (RFC 8259). */
#ifndef CORE_LOGLINE_H
#define CORE_LOGLINE_H

#include "base/buf.h"
#include "core/config.h"
#include "core/outcome.h"

/* delays=a/b/c/d: reading the message, DNS, connect to EHLO, transmission to reply; all in milliseconds. */
struct log_delays {
	int64_t total, intake, lookup, connect, transmit;
};

struct log_recipient {
	const char *queue_id, *sender, *to; /* queue_id "": NOQUEUE */
	const struct outcome *outcome;
	enum failover_end end;
	uint64_t size;
	struct log_delays delays;
};

/* ABC: to=<r@example.net>, relay=mx1.example.net[192.0.2.1]:25, delay=1.2, delays=0/0.01/0.4/0.8, tls=dane, tls_because=dane,
 * tls_protocol=TLSv1.3, tls_cipher=TLS_AES_256_GCM_SHA384, dsn=2.0.0, status=sent (250 Ok). Without a session there is no tls=; without
 * TLS "tls=none", after a failed TLS "tls=none:downgrade". */
void logline_recipient(const struct log_recipient *r, enum config_log_format format, struct buf *out);

struct log_host {
	const char *queue_id;
	const char *host; /* relay, or the bare host name when it was not connected */
	const char *event; /* failover_event_name(), or "skipped" */
	struct esc code;
	const char *text;
	bool next; /* another address or host will be tried */
	const struct security *security; /* NULL: there was no session */
};

/* ABC: host=mx1.example.net[192.0.2.1]:25, event=no response, dsn=4.4.1, next=yes (connect to ...: Connection timed out) */
void logline_host(const struct log_host *h, enum config_log_format format, struct buf *out);

struct log_spf {
	const char *queue_id;
	const char *result; /* spf_result_name() */
	const char *source, *domain;
	const char *text; /* the mechanism that decided, or why */
};

/* ABC: spf=fail, source=192.0.2.1, domain=example.org (-all (example.org)) */
void logline_spf(const struct log_spf *s, enum config_log_format format, struct buf *out);

struct log_faults {
	const char *queue_id, *relay;
	const char *const *fault;
	size_t n; /* 1..LOG_FAULTS */
};
#define LOG_FAULTS 3

/* ABC: relay=mx1.example.net[192.0.2.1]:25, own fault: the address 192.0.2.9 has no reverse DNS name; ... */
void logline_faults(const struct log_faults *f, enum config_log_format format, struct buf *out);

#endif
