/* SPDX-License-Identifier: ISC */
/* One candidate: dial its addresses, and drive the dialog with the one that answers, over TLS as its demand says. */
#ifndef FLOW_ATTEMPT_H
#define FLOW_ATTEMPT_H

#include "core/dialog.h"
#include "core/plan.h"
#include "flow/intake.h"
#include "flow/services.h"

/* What a probe has seen, as far as it came. */
struct attempt_probe {
	struct dialog_words words;
	struct secure_facts tls; /* protocol "": no handshake was done */
	struct secure_certificate certificate;
};

struct attempt_request {
	const char *host;
	const struct endpoint *addr; /* those still worth trying, 1..LIMIT_ADDRS */
	size_t naddr;
	const struct envelope *envelope;
	const bool *skip; /* recipients already settled */
	struct message *message;
	struct deadline until;
	const struct demand *demand;
	const char *route; /* as struct dialog_script has it */
	const struct login *login; /* NULL: none */
	bool plain; /* TLS was tried there before and is not demanded */
	struct attempt_probe *probe; /* not NULL: QUIT in place of MAIL, and this is filled; `message` is not looked at then */
};

/* What a connect says of an address. What is our own trouble (no route, no descriptor) says nothing. */
enum attempt_fate { FATE_UNKNOWN, FATE_GREETED, FATE_SILENT };

struct attempt_result {
	bool used[LIMIT_ADDRS]; /* addresses that are spent: failed to connect, or had the session */
	bool resumed;		/* it was one kept from a message before */
	bool connected;		/* there was a session, with: */
	struct endpoint peer;
	struct ip local;
	struct dialog_tls tls;
	struct ehlo ehlo; /* zeros: it did not come so far */
	enum attempt_fate fate[LIMIT_ADDRS];
	const char *why[LIMIT_ADDRS]; /* of each SILENT one, one sentence */
	const struct outcome *outcome; /* one for each recipient of the envelope */
	int64_t dial_ms, connect_ms, transmit_ms; /* connect_ms: dial_ms, and up to MAIL */
};

/* INTERNAL without memory; everything else that can go wrong is an outcome. */
MUST_CHECK bool attempt_run(struct arena *a, const struct services *sv, const struct attempt_request *rq,
			    struct attempt_result *ret, struct error *err);

#endif
