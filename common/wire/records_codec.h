/* SPDX-License-Identifier: ISC */
/* What records are made of; only for records.c. */
#ifndef WIRE_RECORDS_CODEC_H
#define WIRE_RECORDS_CODEC_H

#include "wire/records.h"

#define RECORD_BODY UINT16_MAX /* octets of the longest text: what its length can say */

void record_put_version(struct buf *out);
void record_put_u8(struct buf *out, uint8_t value);
void record_put_u16(struct buf *out, uint16_t value);
void record_put_u32(struct buf *out, uint32_t value);
void record_put_u64(struct buf *out, uint64_t value);
void record_put_time(struct buf *out, int64_t seconds);
void record_put_ip(struct buf *out, const struct ip *ip);
void record_put_endpoint(struct buf *out, const struct endpoint *e);
void record_put_code(struct buf *out, struct esc code);
void record_put_bytes(struct buf *out, struct span s); /* sets out->overflow when it is longer than RECORD_BODY */
/* Cut at RECORD_TEXT, and made printable, though it should be: a record that cannot be read is a delivery that is forgotten. */
void record_put_text(struct buf *out, struct span s);

/* What is left of a record. Once it is bad it stays bad. */
struct record_cursor {
	struct span rest;
	bool bad;
};
struct record_cursor record_begin(struct span in); /* behind the version octet */
bool record_is_whole(const struct record_cursor *c); /* good, and all of it used */

/* It becomes bad by too few octets, more than `most`, no time, address or code, a text that is too long or not printable. */
uint8_t record_take_u8(struct record_cursor *c, uint8_t most);
uint16_t record_take_u16(struct record_cursor *c);
uint32_t record_take_u32(struct record_cursor *c);
uint64_t record_take_u64(struct record_cursor *c);
int64_t record_take_time(struct record_cursor *c);
struct ip record_take_ip(struct record_cursor *c);
struct endpoint record_take_endpoint(struct record_cursor *c);
struct esc record_take_code(struct record_cursor *c);
struct span record_take_bytes(struct record_cursor *c);
struct span record_take_text(struct record_cursor *c);

#endif
