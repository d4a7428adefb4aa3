/* SPDX-License-Identifier: ISC */
/* Addresses and networks as values; no sockets here. */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct ip {
	uint8_t family; /* 4 or 6; 0: none */
	uint8_t b[16];	/* 4: the first four */
};
struct endpoint {
	struct ip ip;
	uint16_t port;
};
struct ip_net {
	struct ip ip;
	uint8_t bits;
};
#define IP_TEXT	      64
#define ENDPOINT_TEXT 72

bool ip_parse(struct span s, struct ip *ret);	      /* "192.0.2.1", "2001:db8::1"; no zone, no brackets */
void ip_format(struct ip ip, char out[static IP_TEXT]);
bool ip_equal(struct ip a, struct ip b);

/* "192.0.2.0/24", "2001:db8::/32", or one address. False also for more bits than the family has. */
bool ip_net_parse(struct span s, struct ip_net *ret);
bool ip_net_has(struct ip_net net, struct ip ip);

/* The IPv4 address that hides in v4-mapped (RFC 4291), NAT64 64:ff9b::/96 (RFC 6052) and 6to4 2002::/16 (RFC 3056) addresses;
 * any other address comes back unchanged. */
struct ip ip_unwrap(struct ip ip);

/* Only from inside a network: private (RFC 1918), shared (RFC 6598), link-local and unique local addresses. Loopback is none of these. */
bool ip_private(struct ip ip);

/* The name that has the PTR record of an address (RFC 1035 section 3.5, RFC 3596 section 2.5). */
#define IP_REVERSE 80
void ip_reverse(struct ip ip, char out[static IP_REVERSE]);

/* "192.0.2.1:25", "[2001:db8::1]:25", or without port: default_port. */
bool endpoint_parse(struct span s, uint16_t default_port, struct endpoint *ret);
/* "[192.0.2.1]:25", "[2001:db8::1]:25": behind a host name, as Postfix shows a relay. */
void endpoint_format(struct endpoint e, char out[static ENDPOINT_TEXT]);

#endif
