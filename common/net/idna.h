/* SPDX-License-Identifier: ISC */
#ifndef NET_IDNA_H
#define NET_IDNA_H

#include "base/arena.h"

/* A domain in U-labels or A-labels to A-labels in lower case (IDNA2008 with UTS 46 mapping, libidn2), without final dot. An address
 * literal or an ASCII name does not touch the library. PERM 5.1.2 if it has no such form; INTERNAL without memory. */
MUST_CHECK bool idna_ascii(struct arena *a, const char *domain, const char **ret, struct error *err);

#endif
