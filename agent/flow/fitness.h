/* SPDX-License-Identifier: ISC */
/* What servers look for in a machine that sends mail to them: a reverse DNS name that leads back, a HELO name that leads here, SPF. The
 * operator's check and the log of a delivery judge alike. */
#ifndef FLOW_FITNESS_H
#define FLOW_FITNESS_H

#include "flow/spf.h"

enum fitness {
	FITNESS_GOOD,
	FITNESS_DOUBTFUL, /* some servers will mind */
	FITNESS_BAD,
	FITNESS_UNKNOWN, /* nothing can be said of it */
};

struct fitness_dns {
	struct arena *arena;
	const struct services *sv;
	struct deadline until; /* dns_timeout counts for each question, too */
};

/* Of a name: does it have the address? */
struct fitness_forward {
	enum fitness has;		 /* not DOUBTFUL */
	const struct dns_answer *answer; /* the one that says so; for UNKNOWN with the reason */
};
/* False: no memory. */
MUST_CHECK bool fitness_forward(const struct fitness_dns *dns, const char *name, struct ip ip, struct fitness_forward *ret);

/* Of an address: the name that its PTR record has. Of several one that leads back is enough. */
struct fitness_reverse {
	enum fitness named;	       /* not DOUBTFUL */
	const struct dns_answer *ptr;
	const char *name;	       /* one that leads back, else the first; NULL: there is none */
	struct fitness_forward forward; /* if there is one: of all of them */
};
/* False: no memory. */
MUST_CHECK bool fitness_reverse(const struct fitness_dns *dns, struct ip ip, struct fitness_reverse *ret);

/* Can it be a HELO name: a domain name of more than one label? */
bool fitness_full_name(const char *name);

enum fitness fitness_spf(enum spf_result result);

/* ---- in a delivery ---- */

struct fitness_question {
	const char *queue_id;
	const char *relay; /* that refused (outcome_is_about_us()) */
	struct ip source;  /* our end of the connection to it */
	const char *helo;  /* "": the address was said */
	const struct addr *sender;
};

/*
 * One line in the journal if something is amiss there, nothing if all is well or cannot be known (a private address: others see that of a
 * gateway). With a memory once in FITNESS_PAUSE for each address: what refuses one message refuses many. Waits for DNS, so it comes
 * when the host has its answer.
 */
void fitness_tell(struct arena *a, const struct services *sv, const struct fitness_question *q, struct deadline until);
#define FITNESS_PAUSE 600 /* seconds */
#define FITNESS_MS    10000 /* that it may take */

#endif
