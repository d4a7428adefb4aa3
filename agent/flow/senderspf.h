/* SPDX-License-Identifier: ISC */
/*
 * SPF (RFC 7208) in a delivery: may the address that a connection comes from send mail for the sender's domain? What we would answer is
 * what the server will find. An answer is kept in the memory as long as its TTL lets it, trouble for a minute.
 */
#ifndef FLOW_SENDERSPF_H
#define FLOW_SENDERSPF_H

#include "core/envelope.h"
#include "flow/spf.h"

struct senderspf_question {
	const struct envelope *envelope;
	struct ip source; /* our end of the connection */
};

/*
 * To be asked unless `spf` of sv->config is off. The journal gets a line for `fail` and `softfail`, and one, when it is found out and not
 * when it is remembered, for what tells nothing: trouble, and a private address, for which others see that of a gateway.
 * False: TEMP 4.7.23, it is `fail`, and such mail is to be held. Nothing else holds it.
 */
bool senderspf_allows(struct arena *a, const struct services *sv, const struct senderspf_question *q, struct deadline until,
		      struct error *ret_why);

/* The same without a line and without a consequence. */
struct senderspf {
	const char *domain; /* the sender's in A-labels, or that of HELO for the null sender (RFC 7208 section 2.4) */
	struct spf_answer answer; /* `none` for a private address */
	bool remembered;
};
/* False: no memory, or stopped. */
bool senderspf_find(struct arena *a, const struct services *sv, const struct addr *sender, struct ip source, struct deadline until,
		    struct senderspf *ret);

#endif
