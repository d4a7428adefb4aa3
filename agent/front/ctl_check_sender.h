/* SPDX-License-Identifier: ISC */
/* mxdirectctl check: what others learn from DNS about this machine as a sender. */
#ifndef FRONT_CTL_CHECK_SENDER_H
#define FRONT_CTL_CHECK_SENDER_H

#include "flow/services.h"
#include "front/ctl_findings.h"

struct check_source { /* an address that connections come from */
	struct ip ip;
	char text[IP_TEXT];
	const struct dns_answer *reverse; /* PTR; NULL: not asked, others see another address */
};
struct check_sources {
	struct check_source source[2];
	size_t n;
};

/* Those of each family that the configuration allows, their reverse names, and where these lead to.
 */
void check_addresses(struct findings *f, const struct services *sv, struct check_sources *ret);

/* sv->own_name, for these addresses. */
void check_helo(struct findings *f, const struct services *sv, const struct check_sources *s);

/* SPF for each address and DMARC of a sender's domain in A-labels. False: INTERNAL, or TEMP 4.3.2
 * when stopped. */
MUST_CHECK bool check_domain(struct findings *f, const struct services *sv,
			     const struct check_sources *s, const char *domain, struct error *err);

#endif
