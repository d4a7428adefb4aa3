/* SPDX-License-Identifier: ISC */
/* Bytes come back as they were; text is read only as it would have been written. */
#include <stdint.h>

#include "wire/base64.h"

#define MOST 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char there[BASE64_SIZE(MOST) + 1], back[MOST + 1];
	struct span in = { (const char *)data, size };
	struct buf text, bytes;
	if (size > MOST)
		return 0;
	buf_init(&text, there, sizeof(there));
	buf_init(&bytes, back, sizeof(back));
	base64_add(&text, in);
	if (text.overflow || text.len != BASE64_SIZE(size))
		abort();
	if (!base64_read(buf_view(&text), &bytes) || !span_equal(buf_view(&bytes), in))
		abort();
	buf_reset(&text);
	buf_reset(&bytes);
	bool read = base64_read(in, &bytes);
	base64_add(&text, buf_view(&bytes));
	if (read ? !span_equal(buf_view(&text), in) : bytes.len > 0 || bytes.overflow)
		abort();
	return 0;
}
