/* SPDX-License-Identifier: ISC */
/* The scripted DNS server: one UDP and one TCP socket, answers as the story says. */
#ifndef TOOLS_DNS_H
#define TOOLS_DNS_H

#include "loop.h"
#include "story.h"

enum {
	TYPE_A = 1,
	TYPE_CNAME = 5,
	TYPE_PTR = 12,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	TYPE_TLSA = 52
};

#define DNS_TCP_MAX 8

struct dns_late { /* an answer that waits for its time */
	struct dns *dns;
	struct watch *watch;
	struct bytes answer;
	struct dns_peer {
		bool tcp;
		int fd;
		unsigned char addr[128];
		unsigned addr_len;
	} peer;
};

struct run;

struct dns {
	struct run *run;
	const struct story *story;
	size_t turn; /* the rules of later runs do not count yet */
	struct watch *udp, *listener;
	struct dns_tcp {
		struct dns *dns;
		struct watch *watch;
		struct bytes in;
	} tcp[DNS_TCP_MAX];
	struct bytes asked; /* "name TYPE\n"... */
};

/* Takes two bound sockets, which stay the caller's. */
void dns_open(struct dns *d, struct run *run, int udp, int tcp);
void dns_close(struct dns *d);

void dns_put_name(const char *name, struct bytes *out);
void dns_put16(uint16_t v, struct bytes *out);
const char *dns_type_text(uint16_t type);

#endif
