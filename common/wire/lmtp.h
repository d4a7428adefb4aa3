/* SPDX-License-Identifier: ISC */
/* The server's side of LMTP (RFC 2033), one command line at a time. */
#ifndef WIRE_LMTP_H
#define WIRE_LMTP_H

#include "base/arena.h"
#include "wire/command.h"

enum lmtp_verb { LMTP_LHLO, LMTP_MAIL, LMTP_RCPT, LMTP_DATA, LMTP_RSET, LMTP_NOOP, LMTP_QUIT, LMTP_VRFY, LMTP_XFORWARD, LMTP_UNKNOWN };

struct lmtp_command {
	enum lmtp_verb verb;
	struct addr addr;	 /* MAIL, RCPT: local part unquoted, domain as it came */
	const char *text;	 /* MAIL, RCPT: the mailbox as it came, without angle brackets; "" is the null sender */
	struct mail_params mail; /* MAIL: SIZE, BODY, SMTPUTF8, REQUIRETLS, RET, ENVID; the latter two as they came, checked */
	struct rcpt_params rcpt; /* RCPT: NOTIFY and ORCPT, as they came, checked */
	const char *ident;	 /* XFORWARD IDENT (http://www.postfix.org/XFORWARD_README.html), xtext decoded; NULL: not given; "": unavailable */
};

/* What of the parameters was offered; others are refused. */
struct lmtp_offer {
	bool dsn, requiretls;
};

#define LMTP_LINE 4096 /* octets of a command line at most, with its CRLF: RFC 5321 4.5.3.1.4 and its extensions stay far below */

/*
 * `line` is without its line end. Verbs and keywords without regard to case; blanks at the end are passed over. Source routes are dropped
 * (RFC 5321 4.1.1.3). Errors are PERM: 5.5.2 an unknown verb or what is no command line (reply 500), 5.5.4 a bad or unknown parameter, also
 * one that was not offered, twice the same, or an argument where none may be (501, or 555 for an unknown parameter: *ret_code), 5.1.7 and
 * 5.1.3 a bad address (501). INTERNAL without memory (451). *ret_code is the reply code for the error.
 */
MUST_CHECK bool lmtp_parse(struct arena *a, struct span line, const struct lmtp_offer *offer, struct lmtp_command *ret, int *ret_code,
			   struct error *err);

#endif
