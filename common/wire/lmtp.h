/* SPDX-License-Identifier: ISC */
/* The server's side of LMTP (RFC 2033), one command line at a time. */
#ifndef WIRE_LMTP_H
#define WIRE_LMTP_H

#include "base/arena.h"
#include "wire/command.h"

enum lmtp_verb { LMTP_LHLO, LMTP_MAIL, LMTP_RCPT, LMTP_DATA, LMTP_RSET, LMTP_NOOP, LMTP_QUIT, LMTP_VRFY, LMTP_XFORWARD };

struct lmtp_command {
	enum lmtp_verb verb;
	struct addr addr;	 /* MAIL, RCPT: local part unquoted, domain as it came */
	const char *text;	 /* MAIL, RCPT: the mailbox as it came, without angle brackets and source route; "" is the null sender */
	struct mail_params mail; /* MAIL: SIZE, BODY, SMTPUTF8, REQUIRETLS, RET, ENVID; the latter two as they came, checked */
	struct rcpt_params rcpt; /* RCPT: NOTIFY and ORCPT, as they came, checked: decoded they have no control character */
	const char *ident;	 /* XFORWARD IDENT (http://www.postfix.org/XFORWARD_README.html), xtext decoded, printable; NULL: not given; "": unavailable */
};

/* What of the parameters was offered; others are refused. */
struct lmtp_offer {
	bool dsn, requiretls;
};

#define LMTP_LINE 4096 /* octets of a command line at most, with its CRLF: RFC 5321 4.5.3.1.4 and its extensions stay far below */

/*
 * `line` is without its line end. Verbs and keywords without regard to case; blanks at the end are passed over. Source routes are dropped
 * (RFC 5321 4.1.1.3). The argument of LHLO and VRFY must be there, but is not looked at; that of NOOP may be. Of XFORWARD only IDENT is used.
 * Errors are PERM: 5.5.2 an unknown verb or what is no command line (over LMTP_LINE; NUL, CR or LF in it; reply 500), 5.5.4 a bad parameter,
 * twice the same, an argument where none may be or none where one must (501), an unknown parameter or one that was not offered (555, but 501
 * for XFORWARD), 5.1.7 (MAIL) and 5.1.3 (RCPT) a bad address, also one without domain or angle brackets (501). INTERNAL without memory (451).
 * *ret_code is the reply code for the error, and untouched on success. Error texts quote what came, up to the bounds of err_set().
 */
MUST_CHECK bool lmtp_parse(struct arena *a, struct span line, const struct lmtp_offer *offer, struct lmtp_command *ret, int *ret_code,
			   struct error *err);

#endif
