/* SPDX-License-Identifier: ISC */
/*
 * The first line as an SPF record, the rest as what DNS answers: through our guards, and then term
 * by term into libspf2, which must neither crash nor say what the packets do not have.
 */
#include <ctype.h>

#include "base/buf.h"
#include "spflib.h"
#include "spfpacket.h"
#include "wire/spfrecord.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool ends(struct span s)
{
	return s.n > 0 && memchr(s.p, '\0', s.n) == s.p + s.n - 1;
}

/* The next piece of *ctx is the answer: a state, and what comes up to the end of its line. */
static size_t answer(void *ctx, struct span question, char *out, size_t size)
{
	struct span *rest = ctx, line;
	struct buf b;
	require(question.n > 2 && question.n <= 2 + 254 && question.p[0] == SPF_ASK);
	require(strchr("\x01\x1c\x0f\x0c", question.p[1]));
	require(ends((struct span){ question.p + 2, question.n - 2 }));
	if (!span_cut(rest, '\n', &line) || line.n == 0)
		return 0;
	buf_init(&b, out, size);
	buf_addc(&b, SPF_RECORDS);
	buf_addc(&b, (char)(line.p[0] & 7));
	buf_add(&b, (struct span){ line.p + 1, line.n - 1 });
	return b.len;
}

static enum spf_packet call(struct spflib *l, const struct buf *packet)
{
	char reply[SPF_PACKET];
	size_t n = spflib_answer(l, buf_view(packet), reply, sizeof(reply));
	struct span text = { reply + 1, n - 1 };
	require(n > 0);
	switch (reply[0]) {
	case SPF_DONE:
	case SPF_YES:
	case SPF_NO:
	case SPF_LATER:
		require(text.n == 0);
		break;
	case SPF_BAD:
		require(text.n <= SPF_REASON + 1 && ends(text));
		break;
	default:
		require(reply[0] == SPF_NAME && text.n <= 254 && ends(text));
	}
	return (enum spf_packet)reply[0];
}

static void check_record(const struct spf_record *r, size_t size)
{
	bool redirect = false;
	require(size <= SPF_RECORD_MOST && r->nterm <= size / 2 + 1);
	for (size_t i = 0; i < r->nterm; i++) {
		const struct spf_term *t = &r->term[i];
		size_t n = strlen(t->text), plain = strlen(t->plain);
		require(n > 0 && n <= SPF_TERM_MOST && plain > 0 && plain <= n && n - plain <= 1);
		for (size_t k = 0; k < n; k++)
			require(isgraph((unsigned char)t->text[k]));
		require(strchr("+-~?", t->qualifier) && isalpha((unsigned char)t->plain[0]));
		require(!(t->any4 || t->any6) || strcmp(t->plain, t->text + (n - plain)) != 0);
		redirect = redirect || t->kind == SPF_KIND_REDIRECT;
	}
	require(redirect == (r->redirect != NULL));
}

static void evaluate(struct spflib *l, const struct spf_record *r, struct buf *packet)
{
	buf_reset(packet);
	buf_addc(packet, SPF_CHECK);
	for (size_t i = 0; i < r->nterm; i++)
		buf_add(packet, (struct span){ r->term[i].plain, strlen(r->term[i].plain) + 1 });
	require(!packet->overflow);
	enum spf_packet checked = call(l, packet);
	require(checked == SPF_DONE || checked == SPF_BAD);
	for (size_t i = 0; i < r->nterm; i++) {
		const struct spf_term *t = &r->term[i];
		bool leads = t->kind == SPF_KIND_INCLUDE || t->kind == SPF_KIND_REDIRECT;
		if (t->kind > SPF_KIND_REDIRECT || (checked == SPF_BAD && i > 8))
			continue;
		buf_reset(packet);
		buf_addc(packet, leads ? SPF_EXPAND : SPF_MATCH);
		buf_add(packet, SPAN("sub.example.net\0"));
		buf_add(packet, (struct span){ t->plain, strlen(t->plain) + 1 });
		enum spf_packet got = call(l, packet);
		require(got != SPF_DONE &&
			(leads ? got != SPF_YES && got != SPF_NO : got != SPF_NAME));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = { (const char *)data, size }, line = { 0 };
	struct arena *a = arena_open(LIMIT_ARENA);
	char storage[SPF_PACKET];
	struct spf_record r;
	struct error err = { 0 };
	struct buf packet;
	require(a);
	buf_init(&packet, storage, sizeof(storage));
	span_cut(&rest, '\n', &line);
	if (spfrecord_parse(a, line, &r, &err)) {
		struct spflib *l = spflib_open(answer, &rest);
		require(l);
		check_record(&r, line.n);
		buf_addc(&packet, SPF_START);
		buf_add(&packet, size % 2 ? SPAN("192.0.2.1\0") : SPAN("2001:db8::1\0"));
		buf_add(&packet, SPAN("strong-bad\0sub.example.net\0helo.example.org\0"));
		require(call(l, &packet) == SPF_DONE);
		evaluate(l, &r, &packet);
		spflib_close(l);
	} else {
		require(err.class == ERR_PERM && err.text[0] != '\0');
	}
	arena_close(a);
	return 0;
}
