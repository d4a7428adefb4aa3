/* SPDX-License-Identifier: ISC */
#include "core/logline.h"

#include "base/text.h"

/* Shares of a line of LIMIT_LOG_LINE bytes, so that its fixed parts and its end always fit. */
#define SHARE_ID      100
#define SHARE_ADDRESS 330
#define SHARE_RELAY   340
#define SHARE_WORD    16
#define SHARE_CIPHER  48
#define SHARE_TEXT    500
#define SHARE_FAULT   ((LIMIT_LOG_LINE - SHARE_ID - SHARE_RELAY - 100) / LOG_FAULTS)

/* The same facts in one of two notations. */
struct line {
	struct buf *out;
	bool json;
};

/* One character of printable text: its bytes. */
static size_t char_len(const char *p, size_t n)
{
	size_t len = 1;
	while (len < n && ((unsigned char)p[len] & 0xc0) == 0x80)
		len++;
	return len;
}

/* Bytes in front that go out as they are. */
static size_t plain_run(struct span s, bool json)
{
	size_t i = 0;
	while (i < s.n && (unsigned char)s.p[i] < 0x80 &&
	       !(json && (s.p[i] == '"' || s.p[i] == '\\')))
		i++;
	return i;
}

/* Printable, at most `share` bytes of output, cut between characters; what JSON cannot have in a
 * string is escaped (RFC 8259 section 7). */
static void add_text(struct line *l, const char *text, size_t share)
{
	char copy[SHARE_TEXT];
	size_t n = text ? strnlen(text, sizeof(copy) - 1) : 0;
	if (n > 0)
		memcpy(copy, text, n);
	text_printable(copy, n);
	for (size_t i = 0, len; i < n; i += len) {
		size_t run = plain_run((struct span){ copy + i, n - i }, l->json);
		len = run > 0 ? (run < share ? run : share) : char_len(copy + i, n - i);
		bool escape = l->json && run == 0 && (copy[i] == '"' || copy[i] == '\\');
		if (len == 0 || share < len + escape)
			break;
		share -= len + escape;
		if (escape)
			buf_addc(l->out, '\\');
		buf_add(l->out, (struct span){ copy + i, len });
	}
}

/* `name` holds all punctuation up to the value, in the notation of the line. */
static void add(struct line *l, const char *name, const char *text, size_t share)
{
	buf_add(l->out, span_of(name));
	if (l->json)
		buf_addc(l->out, '"');
	add_text(l, text, share);
	if (l->json)
		buf_addc(l->out, '"');
}

/* Seconds to two significant digits, as Postfix shows them: 0, 0.05, 1.2, 12. */
static void add_seconds(struct line *l, const char *before, int64_t ms)
{
	int64_t unit = ms >= 9950 ? 1000 : ms >= 995 ? 100 : 10;
	int64_t n = ms > 0 ? (ms + unit / 2) / unit : 0;
	int64_t per = 1000 / unit;
	buf_add(l->out, span_of(before));
	if (n < per)
		buf_addc(l->out, '0');
	else
		buf_addf(l->out, "%lld", (long long)(n / per));
	int64_t rest = n % per;
	if (rest == 0)
		return;
	if (per == 100 && rest % 10 != 0)
		buf_addf(l->out, ".%02lld", (long long)rest);
	else
		buf_addf(l->out, ".%lld", (long long)(per == 100 ? rest / 10 : rest));
}

static const char *status_name(enum failover_end end)
{
	switch (end) {
	case END_DELIVERED:
		return "sent";
	case END_FAILED:
		return "bounced";
	case END_DEFERRED:
	case END_UNKNOWN:
		break;
	}
	return "deferred";
}

static const char *id_or_none(const char *queue_id)
{
	return queue_id && queue_id[0] ? queue_id : "NOQUEUE";
}

static void add_code(struct line *l, struct esc code)
{
	buf_addf(l->out, l->json ? ",\"dsn\":\"%u.%u.%u\"" : ", dsn=%u.%u.%u", code.cls,
		 code.subject, code.detail);
}

/* Nothing without a session. "none:downgrade" is plain where TLS had failed, in Postfix's words. */
static void add_security(struct line *l, const struct security *s)
{
	if (!s)
		return;
	if (l->json) {
		add(l, ",\"tls\":{\"level\":", s->level, SHARE_WORD);
		add(l, ",\"because\":", s->because, SHARE_WORD);
		add(l, ",\"protocol\":", s->protocol, SHARE_WORD);
		add(l, ",\"cipher\":", s->cipher, SHARE_CIPHER);
		buf_addf(l->out, ",\"downgrade\":%s}", s->downgrade ? "true" : "false");
		return;
	}
	add(l, ", tls=", s->level, SHARE_WORD);
	buf_addf(l->out, "%s", s->downgrade ? ":downgrade" : "");
	if (s->because[0])
		add(l, ", tls_because=", s->because, SHARE_WORD);
	if (s->protocol[0])
		add(l, ", tls_protocol=", s->protocol, SHARE_WORD);
	if (s->cipher[0])
		add(l, ", tls_cipher=", s->cipher, SHARE_CIPHER);
}

static void recipient_json(const struct log_recipient *r, struct line *l)
{
	const struct log_delays *d = &r->delays;
	add(l, "{\"queue_id\":", id_or_none(r->queue_id), SHARE_ID);
	add(l, ",\"from\":", r->sender, SHARE_ADDRESS);
	add(l, ",\"to\":", r->to, SHARE_ADDRESS);
	add(l, ",\"relay\":", r->outcome->relay, SHARE_RELAY);
	buf_addf(l->out, ",\"size\":%llu", (unsigned long long)r->size);
	add_seconds(l, ",\"delay\":", d->total);
	add_seconds(l, ",\"delays\":[", d->intake);
	add_seconds(l, ",", d->lookup);
	add_seconds(l, ",", d->connect);
	add_seconds(l, ",", d->transmit);
	buf_addc(l->out, ']');
	add_security(l, r->outcome->security);
	add_code(l, r->outcome->code);
	add(l, ",\"status\":", status_name(r->end), SHARE_ID);
	add(l, ",\"text\":", r->outcome->text, SHARE_TEXT);
	buf_addc(l->out, '}');
}

void logline_recipient(const struct log_recipient *r, enum config_log_format format,
		       struct buf *out)
{
	struct line l = { .out = out, .json = format == LOG_JSON };
	if (l.json) {
		recipient_json(r, &l);
		return;
	}
	add(&l, "", id_or_none(r->queue_id), SHARE_ID);
	add(&l, ": to=<", r->to, SHARE_ADDRESS);
	add(&l, ">, relay=", r->outcome->relay, SHARE_RELAY);
	add_seconds(&l, ", delay=", r->delays.total);
	add_seconds(&l, ", delays=", r->delays.intake);
	add_seconds(&l, "/", r->delays.lookup);
	add_seconds(&l, "/", r->delays.connect);
	add_seconds(&l, "/", r->delays.transmit);
	add_security(&l, r->outcome->security);
	add_code(&l, r->outcome->code);
	add(&l, ", status=", status_name(r->end), SHARE_ID);
	add(&l, " (", r->outcome->text, SHARE_TEXT);
	buf_addc(out, ')');
}

void logline_host(const struct log_host *h, enum config_log_format format, struct buf *out)
{
	struct line l = { .out = out, .json = format == LOG_JSON };
	add(&l, l.json ? "{\"queue_id\":" : "", id_or_none(h->queue_id), SHARE_ID);
	add(&l, l.json ? ",\"host\":" : ": host=", h->host, SHARE_RELAY);
	add(&l, l.json ? ",\"event\":" : ", event=", h->event, SHARE_ID);
	add_security(&l, h->security);
	add_code(&l, h->code);
	if (l.json)
		buf_addf(out, ",\"next\":%s", h->next ? "true" : "false");
	else
		buf_addf(out, ", next=%s", h->next ? "yes" : "no");
	add(&l, l.json ? ",\"text\":" : " (", h->text, SHARE_TEXT);
	buf_addc(out, l.json ? '}' : ')');
}

void logline_spf(const struct log_spf *s, enum config_log_format format, struct buf *out)
{
	struct line l = { .out = out, .json = format == LOG_JSON };
	add(&l, l.json ? "{\"queue_id\":" : "", id_or_none(s->queue_id), SHARE_ID);
	add(&l, l.json ? ",\"spf\":" : ": spf=", s->result, SHARE_WORD);
	add(&l, l.json ? ",\"source\":" : ", source=", s->source, SHARE_ID);
	add(&l, l.json ? ",\"domain\":" : ", domain=", s->domain, SHARE_ADDRESS);
	add(&l, l.json ? ",\"text\":" : " (", s->text, SHARE_TEXT);
	buf_addc(out, l.json ? '}' : ')');
}

void logline_faults(const struct log_faults *f, enum config_log_format format, struct buf *out)
{
	struct line l = { .out = out, .json = format == LOG_JSON };
	const char *first = l.json ? ",\"own_faults\":[" : ", own fault: ";
	add(&l, l.json ? "{\"queue_id\":" : "", id_or_none(f->queue_id), SHARE_ID);
	add(&l, l.json ? ",\"relay\":" : ": relay=", f->relay, SHARE_RELAY);
	for (size_t i = 0; i < f->n; i++)
		add(&l, i == 0 ? first : l.json ? "," : "; ", f->fault[i], SHARE_FAULT);
	if (l.json)
		buf_addf(out, "]}");
}
