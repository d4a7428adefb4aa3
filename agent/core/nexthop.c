/* SPDX-License-Identifier: ISC */
#include "wire/addr.h"
#include "core/nexthop.h"

bool nexthop_of_domain(const char *domain, struct nexthop *ret, struct error *err)
{
	struct nexthop r = { .kind = NEXTHOP_MX, .name = domain };
	if (domain[0] == '[') {
		if (!addr_literal(span_of(domain), &r.literal))
			return err_set(err, ERR_PERM, ESC(5, 1, 3),
				       "%s is not an address literal (RFC 5321 section 4.1.3)",
				       domain);
		r.kind = NEXTHOP_LITERAL;
	} else if (!domain_valid(span_of(domain))) {
		return err_set(err, ERR_PERM, ESC(5, 1, 2), "\"%s\" is not a domain name", domain);
	}
	*ret = r;
	return true;
}
