/* SPDX-License-Identifier: ISC */
#include "wire/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_add(struct buf *out, struct span bytes)
{
	if (BASE64_SIZE(bytes.n) > buf_room(out)) {
		out->overflow = true; /* whole or not at all, as buf_add() has it */
		return;
	}
	for (size_t i = 0; i < bytes.n; i += 3) {
		uint32_t group = 0;
		size_t n = bytes.n - i < 3 ? bytes.n - i : 3;
		for (size_t k = 0; k < 3; k++)
			group = group << 8 | (k < n ? (uint8_t)bytes.p[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			buf_addc(out, k <= n ? alphabet[group >> (18 - 6 * k) & 63] : '=');
	}
}

/* The value of a character, or 64. */
static uint32_t value_of(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;
	return at ? (uint32_t)(at - alphabet) : 64;
}

/* Four characters, of which the last `pad` are padding. The bits that stand for nothing must be
 * zero (RFC 4648 section 3.5). */
static bool read_group(const char *p, size_t pad, uint32_t *ret)
{
	uint32_t group = 0;
	for (size_t k = 0; k < 4; k++) {
		uint32_t v = k < 4 - pad ? value_of(p[k]) : 0;
		if (v > 63)
			return false;
		group = group << 6 | v;
	}
	if (group & ((1u << 8 * pad) - 1))
		return false;
	*ret = group;
	return true;
}

bool base64_read(struct span text, struct buf *out)
{
	const size_t before = out->len;
	size_t pad = 0;
	if (text.n % 4 != 0)
		return false;
	while (pad < 2 && pad < text.n && text.p[text.n - 1 - pad] == '=')
		pad++;
	if (out->overflow || text.n / 4 * 3 - pad > buf_room(out))
		return false;
	for (size_t i = 0; i < text.n; i += 4) {
		uint32_t group;
		size_t drop = i + 4 == text.n ? pad : 0;
		if (!read_group(text.p + i, drop, &group)) {
			out->len = before;
			return false;
		}
		for (size_t k = 0; k < 3 - drop; k++)
			buf_addc(out, (char)(group >> (16 - 8 * k) & 0xff));
	}
	return true;
}
