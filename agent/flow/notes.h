/* SPDX-License-Identifier: ISC */
/* What a delivery came to know, in the words of the memory and of the log. */
#ifndef FLOW_NOTES_H
#define FLOW_NOTES_H

#include "core/logline.h"
#include "flow/memory.h"

/* A host that did not take it: a line for the operator, and one for the attempt records. NONE is passed over. */
void notes_host(const struct services *sv, const char *queue_id, const char *host, const struct outcome *o, bool next);

/* The line of a recipient at its end. */
void notes_recipient(const struct journal *j, enum config_log_format format, const struct log_recipient *r);

/* The addresses of an attempt: who greeted, who was silent, what TLS did. */
void notes_addresses(const struct services *sv, const struct attempt_request *rq, const struct attempt_result *at);

/* What the run says about its domain, from the ends of its recipients: did a host answer (`reached`), or was one silent? */
void notes_domain(const struct services *sv, const char *domain, const struct outcome *o, enum failover_end end, bool reached);

#endif
