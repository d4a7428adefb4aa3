/* SPDX-License-Identifier: ISC */
/* An answer as the line and the exit status that host MTAs understand (contract 5.1). */
#ifndef CORE_REPORT_H
#define CORE_REPORT_H

#include "core/outcome.h"

enum exit_status { EXIT_SENT = 0, EXIT_BOUNCE = 69, EXIT_LATER = 75 };

struct report {
	enum exit_status status;
	char line[LIMIT_REPORT + 1];
};

/*
 * The line is printable, one line, never empty behind its code, at most LIMIT_REPORT bytes. Sent: "RELAY REPLY" or "RELAY PROTOCOL
 * LEVEL REPLY" (struct security) without code in front. Otherwise "D.S.N TEXT", and the class D agrees with the status: 5 with 69, 4 with 75. An answer that breaks this is
 * reported as 75 4.3.0.
 */
struct report report_outcome(const struct outcome *o, enum failover_end end);
/* Nothing was tried: PERM is 69, everything else 75; CONFIG 4.3.5, INTERNAL 4.3.0. */
struct report report_error(const struct error *err);

/*
 * The same as a reply of LMTP (RFC 2033 section 4.2), with its CRLF: "250 2.1.5 RELAY REPLY", "451 4.4.1 TEXT", "550 5.1.1 TEXT". One line of
 * at most REPORT_LMTP octets: hosts cannot read longer ones, and would take even a 250 for a failure then.
 */
#define REPORT_LMTP 240
void report_lmtp(const struct report *r, struct esc code, char ret[static REPORT_LMTP + 1]);

#endif
