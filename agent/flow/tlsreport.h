/* SPDX-License-Identifier: ISC */
/* Results for TLS reporting (RFC 8460), as datagrams to the collector of tlsrpt_socket. */
#ifndef FLOW_TLSREPORT_H
#define FLOW_TLSREPORT_H

#include "core/tlsrpt.h"
#include "flow/services.h"

/* Sends one result, or not: nothing waits for a collector and nobody hears of a missing one. `r->record` NULL, the domain wants no
 * reports: nothing is sent. */
void tlsreport_send(struct arena *a, const struct services *sv, const struct tlsrpt_result *r);

#endif
