/* SPDX-License-Identifier: ISC */
/*
 * What is remembered between messages, as bytes. Each record begins with a version octet; numbers are big endian, texts have a two-octet
 * length in front. Whatever is not one of ours, whole and of this version, reads as "nothing is known": foreign bytes do no harm.
 * Times are seconds since 1970; 0: never. Spans of a record that was read lie in the bytes given.
 */
#ifndef WIRE_RECORDS_H
#define WIRE_RECORDS_H

#include "base/buf.h"
#include "base/ip.h"

enum record_kind { /* the first octet of its key */
	RECORD_HOST = 'h',	/* one address, as seen from one source address */
	RECORD_DOMAIN = 'd',	/* a next-hop domain */
	RECORD_POLICY = 'p',	/* its MTA-STS policy */
	RECORD_ATTEMPT = 'a',	/* one recipient of one queued message */
	RECORD_DELIVERED = 'l', /* one that was accepted, though the host MTA may not know */
	RECORD_SENDER = 's',	/* an address of this machine as a sender */
};

#define RECORD_KEY   480   /* octets of a key at most */
#define RECORD_BYTES 66000 /* of a record: an MTA-STS policy of 64 KiB fits */
#define RECORD_TEXT  600   /* what is kept of a text in it, except that policy; longer ones are cut */
#define RECORD_HOSTS 12	   /* hosts of the last attempt */

struct record_host {
	struct span host;     /* its name when it was last used */
	struct endpoint addr;
	struct ip source;     /* family 0: the kernel's choice */
	uint32_t fails;	      /* in a row */
	int64_t first_fail, last_fail, last_good;
	int64_t probe_until;  /* until then somebody else finds out whether it is back */
	uint32_t connect_ms;  /* of the last connect */
	uint32_t tls_fails;   /* STARTTLS or handshake, in a row */
	int64_t tls_last_fail;
	uint32_t caps;	      /* enum ehlo_cap of its last EHLO reply: a hint, never a promise; like the next three */
	uint64_t size_max;    /* SIZE; 0: none given */
	uint32_t mail_max, rcpt_max; /* LIMITS (RFC 9422); 0: none given */
	struct span why;      /* the last failure, one sentence */
};

struct record_domain {
	struct span domain;
	uint32_t fails;	       /* runs in a row in which no host answered */
	int64_t failing_since; /* first of the runs in a row that delivered nothing; 0: the last one did */
	int64_t last_fail, probe_until;
	struct esc code;
	struct span why;
};

struct record_policy {
	struct span domain;
	int64_t fetched, tried; /* tried: the last fetch, good or not */
	uint32_t fails;		/* fetches that failed, in a row */
	uint32_t max_age;	/* seconds */
	struct span id, body;	/* of the last good fetch; an empty id: there was none */
};

struct record_answer { /* one host of an attempt */
	struct span relay, event, text;
	struct esc code;
};

struct record_attempt {
	struct span queue_id, sender, rcpt, domain;
	int64_t first, last;
	uint32_t count;
	bool permanent;	 /* the last verdict: of class 5, else of class 4 */
	struct esc code;
	struct span text;
	size_t nanswer;
	struct record_answer answer[RECORD_HOSTS];
};

struct record_delivered {
	struct span queue_id, sender, rcpt;
	int64_t when;
	bool reported; /* the host MTA was there to hear it */
	struct esc code;
	struct span relay, text;		   /* struct outcome */
	struct span level, because, protocol, cipher; /* struct security; level empty: none */
};

struct record_sender {
	struct ip source;
	struct span domain, helo; /* for which SPF was asked; both empty: what concerns the address alone */
	int64_t asked;
	uint32_t ttl;		  /* seconds after that for which it counts */
	struct span result, mechanism, why; /* struct spf_answer, the result as its name */
};

/* A *_write() that does not fit sets out->overflow; so does a policy of more than 65535 octets. A *_read() that returns false has left *ret
 * alone. Texts are printable but for the policy's body. */
void record_host_write(const struct record_host *r, struct buf *out);
bool record_host_read(struct span in, struct record_host *ret);
void record_domain_write(const struct record_domain *r, struct buf *out);
bool record_domain_read(struct span in, struct record_domain *ret);
void record_policy_write(const struct record_policy *r, struct buf *out);
bool record_policy_read(struct span in, struct record_policy *ret);
void record_attempt_write(const struct record_attempt *r, struct buf *out);
bool record_attempt_read(struct span in, struct record_attempt *ret);
void record_delivered_write(const struct record_delivered *r, struct buf *out);
bool record_delivered_read(struct span in, struct record_delivered *ret);
void record_sender_write(const struct record_sender *r, struct buf *out);
bool record_sender_read(struct span in, struct record_sender *ret);

/* Keys, up to RECORD_KEY octets: what is longer is cut and ends in its digest. Names without regard to case;
 * of a mailbox that is its domain. `out` is reset first. An attempt key with rcpt "" is how those of all recipients begin. */
void record_host_key(struct endpoint addr, struct ip source, struct buf *out);
void record_domain_key(const char *domain, struct buf *out);
void record_policy_key(const char *domain, struct buf *out);
void record_attempt_key(const char *queue_id, const char *rcpt, struct buf *out);

struct record_message { /* what makes a message the same one: never an empty queue_id */
	const char *queue_id, *sender, *rcpt;
	uint64_t size, digest;
};
void record_delivered_key(const struct record_message *m, struct buf *out);
void record_sender_key(const struct record_sender *who, struct buf *out); /* source, domain, helo */

#endif
