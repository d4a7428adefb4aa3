/* SPDX-License-Identifier: ISC */
/* Who this machine is. */
#ifndef NET_OWN_H
#define NET_OWN_H

#include "base/arena.h"
#include "base/ip.h"

/* The host's own full name: the host name, or if it has no dot its canonical name from the resolver library; "" if none is full. */
MUST_CHECK bool own_name(struct arena *a, const char **ret, struct error *err);

/* Those of the n addresses, or of the IPv4 ones that hide in them (ip_unwrap()), that the routing table says are this machine's; ret
 * has room for n. Loopback addresses never are, and none is where the table cannot be asked. */
size_t own_addresses(const struct ip *asked, size_t n, struct ip *ret);

#endif
