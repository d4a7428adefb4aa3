/* SPDX-License-Identifier: ISC */
/*
 * What a delivery to a domain would do now, by the functions of a delivery: the same ways, the same lookups, the same demands, the same
 * memory, hosts and addresses in the order in which they would be tried. Nothing is changed by it: no probe of the memory is taken, no
 * policy kept, nothing connected except the host of an MTA-STS policy.
 *
 * Of a message only its domain is known, and what the request says: what header fields add is not here.
 */
#ifndef FLOW_PREVIEW_H
#define FLOW_PREVIEW_H

#include "flow/lookup.h"
#include "flow/memory.h"
#include "flow/ways.h"

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

struct preview_way {
	const struct way *is;
	bool left_out; /* nothing was looked up: `why` */
	bool found;    /* false: `why` no host could be looked for */
	struct error why;
	const struct dns_answer *mx; /* NULL: not asked */
	bool implicit;		     /* no MX: the addresses of the name itself */
	struct preview_host *host;   /* in the order of lookup_next() */
	size_t nhost;
	struct preview_mx *unused;
	size_t nunused;
	const struct dns_answer *sts_txt; /* NULL: not asked */
	const struct stspolicy *sts;	  /* NULL: not looked for: DANE has the say everywhere, or there was no host */
};

struct preview_step {
	size_t way, host, address; /* places in the arrays */
};

struct preview {
	struct ways ways; /* with the routes and what became of them */
	struct preview_way *way; /* ways.n of them, and one at least */
	struct preview_step *step; /* as they would be tried, as long as nobody takes the mail */
	size_t nstep;
	bool known; /* the memory knows the domain: */
	struct record_domain record;
	bool down; /* no host of its own answered; mail that was tried before */
	struct memory_down since;
	bool down_for_new; /* and that which was not tried before as well */
	bool put_off; /* is answered from memory then; false: there are other ways, and only the domain's own hosts are left out */
};

struct preview_request {
	const char *domain; /* A-labels or an address literal */
	const char *sender; /* of the message, as struct route_mail has it; NULL: not known */
	bool sized;
	uint64_t size; /* of the message */
	bool secrets;  /* passwords are read: for a probe */
	struct deadline until;
};

/* sv->memory from memory_open_to_look(). CONFIG as ways_find() says; INTERNAL without memory; everything else is in *ret. */
MUST_CHECK bool preview_make(struct arena *a, const struct services *sv, const struct preview_request *rq, struct preview *ret,
			     struct error *err);

struct probe {
	struct attempt_probe seen;
	struct attempt_result result;
	struct outcome outcome; /* EVENT_NONE: a delivery could go on with MAIL */
};

/* Connects to the address of one step as a delivery would, and leaves with QUIT. INTERNAL without memory. */
#define PREVIEW_PROBE 60000 /* ms that it may take beyond the connect: a person waits */
MUST_CHECK bool preview_probe(struct arena *a, const struct preview *p, struct preview_step step, struct probe *ret,
			      struct error *err);

#endif
