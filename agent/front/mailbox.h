/* SPDX-License-Identifier: ISC */
/* From the addresses a host gave us to those that go out. A domain is in A-labels on the wire, unless a local part in UTF-8 makes the address
 * one of RFC 6531 anyway. */
#ifndef FRONT_MAILBOX_H
#define FRONT_MAILBOX_H

#include "core/envelope.h"

/* In place; the null sender stays. PERM 5.1.7, INTERNAL without memory. */
MUST_CHECK bool mailbox_sender(struct arena *a, struct addr *sender, struct error *err);

/* In place; *ret_domain: where DNS starts. PERM 5.1.3 for an empty one and 5.1.2 for a domain without an A-label form. */
MUST_CHECK bool mailbox_recipient(struct arena *a, struct addr *rcpt, const char **ret_domain, struct error *err);

#endif
