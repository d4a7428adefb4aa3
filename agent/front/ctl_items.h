/* SPDX-License-Identifier: ISC */
/* What is remembered, decoded, and what of it a word on the command line means. */
#ifndef FRONT_CTL_ITEMS_H
#define FRONT_CTL_ITEMS_H

#include "base/arena.h"
#include "wire/records.h"

struct item {
	struct span key;
	enum record_kind kind;
	union {
		const struct record_host *host;
		const struct record_domain *domain;
		const struct record_policy *policy;
		const struct record_attempt *message;
		const struct record_delivered *delivered;
		const struct record_sender *sender;
	};
};
struct items {
	struct item *item;
	size_t n;
};

/* Copies key and value to the arena. *ret_known false: not one of ours, *ret is left alone. INTERNAL without memory. */
MUST_CHECK bool item_read(struct arena *a, struct span key, struct span value, struct item *ret, bool *ret_known, struct error *err);

/* Messages (first tried first), domains, hosts, policies (by name), deliveries (oldest first), own addresses (by sender domain). */
void items_sort(struct items *items);

/* One of these, whichever there is: a queue id; the name or the address of a host, with or without port, also as the log has it
 * ("mx1.example.net[192.0.2.1]:25"); a domain, also a sender's, in U-labels or A-labels;
 * an own address. */
struct subject {
	const char *text;
	const char *name; /* as a name; NULL: it is none */
	struct endpoint addr; /* as an address; family 0: it is none; port 0: any */
};
MUST_CHECK bool subject_of(struct arena *a, const char *text, struct subject *ret, struct error *err);

enum subject_tie {
	SUBJECT_NONE,
	SUBJECT_TOUCHED, /* a message that waits for this domain */
	SUBJECT_ITSELF,
};
enum subject_tie subject_tie(const struct subject *s, const struct item *it);

#endif
