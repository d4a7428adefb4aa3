/* SPDX-License-Identifier: ISC */
/*
 * The first byte is the kind, as in a key; the rest a record. What reads writes back to the same
 * bytes, which read again, and holds no more than it may. What does not read leaves no mark.
 */
#include "base/text.h"
#include "wire/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_text(struct span in, struct span text)
{
	char copy[RECORD_TEXT];
	require(text.n <= RECORD_TEXT && text.p >= in.p && text.p + text.n <= in.p + in.n);
	memcpy(copy, text.p, text.n);
	text_printable(copy, text.n);
	require(memcmp(copy, text.p, text.n) == 0);
}

static void check_host(struct span in, const struct record_host *r)
{
	check_text(in, r->host);
	check_text(in, r->why);
	require(r->addr.ip.family == 0 || r->addr.ip.family == 4 || r->addr.ip.family == 6);
	require(r->source.family == 0 || r->source.family == 4 || r->source.family == 6);
	require(r->first_fail >= 0 && r->last_fail >= 0 && r->probe_until >= 0);
}

static void check_domain(struct span in, const struct record_domain *r)
{
	check_text(in, r->domain);
	check_text(in, r->why);
	require(r->failing_since >= 0 && r->code.cls <= 5 && r->code.detail <= 999);
}

static void check_policy(struct span in, const struct record_policy *r)
{
	check_text(in, r->domain);
	check_text(in, r->id);
	require(r->body.p >= in.p && r->body.p + r->body.n == in.p + in.n);
}

static void check_attempt(struct span in, const struct record_attempt *r)
{
	check_text(in, r->rcpt);
	require(r->nanswer <= RECORD_HOSTS);
	for (size_t i = 0; i < r->nanswer; i++) {
		check_text(in, r->answer[i].relay);
		check_text(in, r->answer[i].event);
		check_text(in, r->answer[i].text);
	}
}

static void check_delivered(struct span in, const struct record_delivered *r)
{
	check_text(in, r->rcpt);
	check_text(in, r->cipher);
	require(r->when >= 0);
}

static void check_sender(struct span in, const struct record_sender *r)
{
	check_text(in, r->domain);
	check_text(in, r->result);
	check_text(in, r->why);
	require(r->source.family == 0 || r->source.family == 4 || r->source.family == 6);
	require(r->asked >= 0);
}

/* A whole try for one kind of record. */
#define TRY(kind)                                                                                  \
	static void try_##kind(struct span in, struct buf *out)                                    \
	{                                                                                          \
		struct record_##kind r, twice, untouched;                                          \
		memset(&r, 0xa5, sizeof(r));                                                       \
		memset(&untouched, 0xa5, sizeof(untouched));                                       \
		if (!record_##kind##_read(in, &r)) {                                               \
			require(memcmp(&r, &untouched, sizeof(r)) == 0);                           \
			return;                                                                    \
		}                                                                                  \
		check_##kind(in, &r);                                                              \
		record_##kind##_write(&r, out);                                                    \
		require(!out->overflow && span_equal(buf_view(out), in));                          \
		require(record_##kind##_read(buf_view(out), &twice));                              \
	}

TRY(host)
TRY(domain)
TRY(policy)
TRY(attempt)
TRY(delivered)
TRY(sender)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char room[2 * RECORD_BYTES];
	struct buf out;
	if (size == 0)
		return 0;
	struct span in = { (const char *)data + 1, size - 1 };
	buf_init(&out, room, sizeof(room));
	switch (data[0]) {
	case RECORD_HOST:
		try_host(in, &out);
		break;
	case RECORD_DOMAIN:
		try_domain(in, &out);
		break;
	case RECORD_POLICY:
		try_policy(in, &out);
		break;
	case RECORD_ATTEMPT:
		try_attempt(in, &out);
		break;
	case RECORD_DELIVERED:
		try_delivered(in, &out);
		break;
	case RECORD_SENDER:
		try_sender(in, &out);
		break;
	default:
		break;
	}
	return 0;
}
