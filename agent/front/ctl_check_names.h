/* SPDX-License-Identifier: ISC */
/* What names and records of a sender say; no lookups here. */
#ifndef FRONT_CTL_CHECK_NAMES_H
#define FRONT_CTL_CHECK_NAMES_H

#include "base/arena.h"
#include "base/ip.h"

/* Why a reverse name looks as a provider makes it for many: a sentence in the arena; NULL: it does
 * not, or no memory. */
const char *names_generic(struct arena *a, const char *name, struct ip ip);

struct dmarc {              /* RFC 7489 section 6.3 */
	bool found;         /* it begins with v=DMARC1 */
	const char *policy; /* none, quarantine or reject; NULL: there is none of these */
};
struct dmarc names_dmarc(struct span record); /* of one TXT record */

#endif
