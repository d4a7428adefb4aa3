/* SPDX-License-Identifier: ISC */
#include "base/text.h"
#include "wire/records_codec.h"

#define RECORD_VERSION 1
#define TIME_MOST      253402300799 /* the end of the year 9999: nobody need show a later one */

/* ---- writing ---- */

static void put_number(struct buf *out, uint64_t value, int octets)
{
	for (int i = octets - 1; i >= 0; i--)
		buf_addc(out, (char)(value >> (8 * i) & 0xff));
}

void record_put_version(struct buf *out)
{
	record_put_u8(out, RECORD_VERSION);
}

void record_put_u8(struct buf *out, uint8_t value)
{
	put_number(out, value, 1);
}

void record_put_u16(struct buf *out, uint16_t value)
{
	put_number(out, value, 2);
}

void record_put_u32(struct buf *out, uint32_t value)
{
	put_number(out, value, 4);
}

void record_put_u64(struct buf *out, uint64_t value)
{
	put_number(out, value, 8);
}

void record_put_time(struct buf *out, int64_t seconds)
{
	record_put_u64(out, (uint64_t)seconds);
}

void record_put_bytes(struct buf *out, struct span s)
{
	if (s.n > RECORD_BODY)
		out->overflow = true;
	record_put_u16(out, (uint16_t)s.n);
	buf_add(out, s);
}

/* At most RECORD_TEXT octets, and no half of a character. */
static struct span cut(struct span s)
{
	size_t n = RECORD_TEXT;
	if (s.n <= n)
		return s;
	for (int i = 0; i < 3 && ((unsigned char)s.p[n] & 0xc0) == 0x80; i++)
		n--;
	return (struct span){ s.p, n };
}

void record_put_text(struct buf *out, struct span s)
{
	s = cut(s);
	record_put_bytes(out, s);
	if (!out->overflow && s.n > 0)
		text_printable(out->p + out->len - s.n, s.n);
}

static size_t size_of_ip(uint8_t family)
{
	return family == 4 ? 4 : family == 6 ? 16 : 0;
}

void record_put_ip(struct buf *out, const struct ip *ip)
{
	record_put_u8(out, ip->family);
	buf_add(out, (struct span){ (const char *)ip->b, size_of_ip(ip->family) });
}

void record_put_endpoint(struct buf *out, const struct endpoint *e)
{
	record_put_ip(out, &e->ip);
	record_put_u16(out, e->port);
}

void record_put_code(struct buf *out, struct esc code)
{
	record_put_u8(out, code.cls);
	record_put_u16(out, code.subject);
	record_put_u16(out, code.detail);
}

/* ---- reading ---- */

static struct span take(struct record_cursor *c, size_t n)
{
	if (c->bad || n > c->rest.n) {
		c->bad = true;
		return (struct span){ 0 };
	}
	struct span s = { c->rest.p, n };
	c->rest = (struct span){ c->rest.p + n, c->rest.n - n };
	return s;
}

static uint64_t take_number(struct record_cursor *c, size_t octets, uint64_t most)
{
	struct span s = take(c, octets);
	uint64_t value = 0;
	for (size_t i = 0; i < s.n; i++)
		value = value << 8 | (unsigned char)s.p[i];
	if (value > most) {
		c->bad = true;
		return 0;
	}
	return value;
}

uint8_t record_take_u8(struct record_cursor *c, uint8_t most)
{
	return (uint8_t)take_number(c, 1, most);
}

uint16_t record_take_u16(struct record_cursor *c)
{
	return (uint16_t)take_number(c, 2, UINT16_MAX);
}

uint32_t record_take_u32(struct record_cursor *c)
{
	return (uint32_t)take_number(c, 4, UINT32_MAX);
}

uint64_t record_take_u64(struct record_cursor *c)
{
	return take_number(c, 8, UINT64_MAX);
}

int64_t record_take_time(struct record_cursor *c)
{
	return (int64_t)take_number(c, 8, TIME_MOST);
}

struct span record_take_bytes(struct record_cursor *c)
{
	return take(c, record_take_u16(c));
}

static bool is_printable(struct span s)
{
	char copy[RECORD_TEXT];
	if (s.n == 0)
		return true;
	memcpy(copy, s.p, s.n);
	text_printable(copy, s.n);
	return memcmp(copy, s.p, s.n) == 0;
}

struct span record_take_text(struct record_cursor *c)
{
	struct span s = record_take_bytes(c);
	if (s.n > RECORD_TEXT || !is_printable(s))
		c->bad = true;
	return s;
}

struct ip record_take_ip(struct record_cursor *c)
{
	struct ip ip = { .family = record_take_u8(c, 6) };
	struct span s = take(c, size_of_ip(ip.family));
	if (ip.family != 0 && size_of_ip(ip.family) == 0)
		c->bad = true;
	if (s.n > 0)
		memcpy(ip.b, s.p, s.n);
	return ip;
}

struct endpoint record_take_endpoint(struct record_cursor *c)
{
	struct endpoint e = { .ip = record_take_ip(c) };
	e.port = record_take_u16(c);
	return e;
}

/* Class 0 is no code; the others and the greatest numbers are those of RFC 3463 section 2. */
struct esc record_take_code(struct record_cursor *c)
{
	struct esc code = { .cls = record_take_u8(c, 5) };
	if (code.cls == 1 || code.cls == 3)
		c->bad = true;
	code.subject = record_take_u16(c);
	code.detail = record_take_u16(c);
	if (code.subject > 999 || code.detail > 999)
		c->bad = true;
	return code;
}

struct record_cursor record_begin(struct span in)
{
	struct record_cursor c = { .rest = in };
	if (record_take_u8(&c, UINT8_MAX) != RECORD_VERSION)
		c.bad = true;
	return c;
}

bool record_is_whole(const struct record_cursor *c)
{
	return !c->bad && c->rest.n == 0;
}
