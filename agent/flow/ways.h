/* SPDX-License-Identifier: ISC */
/* The ways that a message may take, from the routes of the configuration; each with the settings that hold for it. */
#ifndef FLOW_WAYS_H
#define FLOW_WAYS_H

#include "core/sasl.h"
#include "flow/password.h"
#include "flow/services.h"
#include "flow/settings.h"

struct way {
	const char *name; /* `route "*" (FILE:LINE)`; "": no route, the domain's own MX */
	const struct route *route; /* NULL: none */
	struct nexthop to;
	bool direct; /* the hosts are the recipients' domain's own: what they do is remembered of the domain, and what DNS says of it holds */
	struct config config; /* smtp_port is the port of this way */
	struct login login;   /* user NULL: none */
	char password[PASSWORD_MOST + 1];
	struct services sv; /* those of the delivery with this config and own name */
};

struct ways_request {
	const char *domain; /* A-label form or an address literal */
	const char *sender; /* as struct route_mail has it */
	bool sized;
	uint64_t size;
	bool secrets; /* false: passwords are not read, and there are no logins */
};

struct ways {
	struct way *way; /* in the order in which they are to be tried */
	size_t n;	 /* >= 1 */
	const struct route *route; /* all routes of the configuration, in its order */
	const enum route_verdict *verdict; /* why each is a way, or is none */
	size_t nroute;
	bool memory_missed; /* a route was left out because failing_for needs a memory, and there is none */
};

/* sv->config is that of the domain. PERM 5.1.2 and 5.1.3 as nexthop_of_domain(), where the domain itself is a way; CONFIG 4.3.5 (a setting, a
 * password); INTERNAL without memory. What is in *ret lies in the arena and must not be moved. */
MUST_CHECK bool ways_find(struct arena *a, const struct services *sv, const struct ways_request *rq, struct ways *ret, struct error *err);

/* Trouble with the hosts of a way: of a route's it is temporary, 4.3.5, unless the message itself demands what they do not have, and says
 * which route it is. */
void way_soften(const struct way *way, struct error *err);

#endif
