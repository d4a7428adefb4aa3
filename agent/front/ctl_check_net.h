/* SPDX-License-Identifier: ISC */
/* mxdirectctl check: what needs nothing but the network: the resolver, the own addresses, the port
 * of other mail servers. */
#ifndef FRONT_CTL_CHECK_NET_H
#define FRONT_CTL_CHECK_NET_H

#include "flow/services.h"
#include "front/ctl_findings.h"

/* Does it answer, does it leave out what does not exist, does it validate? */
void check_resolver(struct findings *f, const struct services *sv);

/* The address that a connection of this family (4 or 6) comes from: the configured one, else that
 * of the route to a public address. Family 0: there is none. *ret_chosen: by the route. Nothing is
 * sent. */
struct ip check_source(const struct config *c, uint8_t family, bool *ret_chosen);

/* Connect to "HOST[:PORT]" on the configured port, and hear a greeting. False: PERM, it is no host;
 * INTERNAL. */
MUST_CHECK bool check_port(struct findings *f, const struct services *sv, const char *to,
			   struct error *err);

#endif
