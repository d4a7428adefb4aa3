/* SPDX-License-Identifier: ISC */
/* Who this machine is. */
#ifndef NET_OWN_H
#define NET_OWN_H

#include "base/arena.h"
#include "base/ip.h"

/* The host's own full name: the host name, or if it has no dot its canonical name from the resolver library; "" if none is full. */
MUST_CHECK bool own_name(struct arena *a, const char **ret, struct error *err);

/* Addresses of all interfaces that are up, loopback ones left out; trouble is an empty list. NULL: no memory. */
const struct ip *own_addresses(struct arena *a, size_t *ret_n);

#endif
