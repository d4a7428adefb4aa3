/* SPDX-License-Identifier: ISC */
/* An address that parses is written so that it parses to the same value, and goes on one line. */
#include <stdint.h>

#include "wire/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_open(64 * 1024);
	struct addr first, second;
	struct error err;
	char room[2 * LIMIT_LOCAL + LIMIT_DOMAIN + 8];
	struct buf out;
	if (!a)
		return 0;
	if (addr_parse(a, (struct span){ (const char *)data, size }, &first, &err)) {
		buf_init(&out, room, sizeof(room));
		addr_write(&first, &out);
		if (out.overflow || strpbrk(buf_cstr(&out), "\r\n") ||
		    !addr_parse(a, buf_view(&out), &second, &err) ||
		    strcmp(first.local, second.local) != 0 ||
		    strcmp(first.domain, second.domain) != 0)
			abort();
	} else if (err.class != ERR_PERM) {
		abort();
	}
	arena_close(a);
	return 0;
}
