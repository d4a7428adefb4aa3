/* SPDX-License-Identifier: ISC */
/*
 * What a delivery to a domain would do now, by the functions of a delivery: the same lookups, the same demands, the same memory, hosts and
 * addresses in the order in which they would be tried. Nothing is changed by it: no probe of the memory is taken, no policy kept, nothing
 * connected except the host of an MTA-STS policy.
 *
 * Of a message only its domain is known: what header fields and sizes add is not here.
 */
#ifndef FLOW_PREVIEW_H
#define FLOW_PREVIEW_H

#include "flow/lookup.h"
#include "flow/memory.h"

enum preview_turn {
	TURN_NEVER,
	TURN_NOW,   /* when its host is tried */
	TURN_LATE,  /* after all other hosts: it did not answer lately */
	TURN_PLAIN, /* at the very end and without TLS, which was broken there lately and is not demanded */
};

struct preview_address {
	struct plan_address is;
	enum preview_turn turn;
	size_t place;		   /* from 1 in the order of all addresses; 0: never */
	bool known;		   /* the memory knows it: */
	struct record_host record;
};

struct preview_host {
	const char *name;
	uint16_t pref;
	bool used;	  /* false: `why` it is not, `demand` as far as it was decided */
	struct error why;
	const struct tlspolicy_host *tls; /* what DNS said */
	struct demand demand;
	struct preview_address *address; /* in the order of the answers */
	size_t naddress;
};

struct preview_mx { /* a record that did not make a host */
	const char *host;
	uint16_t pref;
	enum mx_verdict verdict;
};

struct preview_step {
	size_t host, address; /* places in the arrays */
};

struct preview {
	enum nexthop_kind route;
	const struct dns_answer *mx; /* NULL: not asked */
	bool found;		     /* false: `why` no host could be looked for */
	struct error why;
	bool implicit;		     /* no MX: the domain's own addresses */
	struct preview_host *host;   /* in the order of lookup_next() */
	size_t nhost;
	struct preview_mx *unused;
	size_t nunused;
	struct preview_step *step; /* as they would be tried, as long as nobody takes the mail */
	size_t nstep;
	const struct dns_answer *sts_txt; /* NULL: not asked */
	const struct stspolicy *sts;	  /* NULL: not looked for: DANE has the say everywhere, or there was no host */
	bool known; /* the memory knows the domain: */
	struct record_domain record;
	bool down; /* mail that was tried before is answered from memory: */
	struct memory_down since;
	bool down_for_new; /* that which was not tried before as well */
};

/* sv->memory from memory_open_to_look(). INTERNAL without memory; everything else is in *ret. */
MUST_CHECK bool preview_make(struct arena *a, const struct services *sv, const char *domain, struct deadline until,
			     struct preview *ret, struct error *err);

struct probe {
	struct attempt_probe seen;
	struct attempt_result result;
	struct outcome outcome; /* EVENT_NONE: a delivery could go on with MAIL */
};

/* Connects to the address of one step as a delivery would, and leaves with QUIT. INTERNAL without memory. */
#define PREVIEW_PROBE 60000 /* ms that it may take beyond the connect: a person waits */
MUST_CHECK bool preview_probe(struct arena *a, const struct services *sv, const struct preview *p, struct preview_step step,
			      struct probe *ret, struct error *err);

#endif
