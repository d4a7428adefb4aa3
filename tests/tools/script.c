/* SPDX-License-Identifier: ISC */
/* What an MX host does in one connection. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "mxtls.h"
#include "story.h"

/* Conversations that many scenarios share; they may hold each other. */
struct fragment {
	const char *name, *text;
};

static const struct fragment fragments[] = {
	{ "@hello",
	  "> 220 mx.test ESMTP < EHLO client.test > 250-mx.test|250-PIPELINING|250-8BITMIME"
	  "|250-SMTPUTF8|250-ENHANCEDSTATUSCODES|250 SIZE 10000000" },
	{ "@bare", "> 220 mx.test ESMTP < EHLO client.test > 250 mx.test" },
	{ "@mail", "< MAIL FROM:<*>* > 250 2.1.0 ok" },
	{ "@rcpt", "< RCPT TO:<*>* > 250 2.1.5 ok" },
	{ "@data", "< DATA > 354 go" },
	{ "@body", "@data < @message > 250 2.0.0 kept" },
	{ "@take", "@mail @rcpt @body < QUIT" },
	{ "@accept", "@hello @take" },
	{ "@hello-tls",
	  "> 220 mx.test ESMTP < EHLO client.test > 250-mx.test|250-PIPELINING|250 STARTTLS" },
	{ "@starttls", "@hello-tls < STARTTLS > 220 2.0.0 go" },
	{ "@inside", "< EHLO client.test > 250-mx.test|250-PIPELINING|250-8BITMIME|250-SMTPUTF8"
		     "|250-ENHANCEDSTATUSCODES|250-REQUIRETLS|250 SIZE 10000000 @take" },
	{ "@get", "< GET /.well-known/mta-sts.txt HTTP/1.1 < @any 4" },
	{ "@next", "< RSET > 250 2.0.0 ok" },
	{ "@hello-auth", "< EHLO client.test > 250-relay.test|250-PIPELINING|250-8BITMIME|250-AUTH "
			 "%|250 SMTPUTF8" },
	{ "@auth-plain", "< AUTH PLAIN @base64 \\0%\\0% > 235 2.7.0 come in" },
	{ "@auth-login",
	  "< AUTH LOGIN > 334 VXNlcm5hbWU6 < @base64 % > 334 UGFzc3dvcmQ6 < @base64 %"
	  " > 235 2.7.0 come in" },
	{ "@auth-scram", "< @scram-first % % > @scram-challenge < @scram-proof > @scram-signature"
			 " < @base64 > 235 2.7.0 come in" },
	{ NULL, NULL },
};

static const struct fragment client_fragments[] = {
	{ "@lhlo", "< 220 client.test LMTP* > LHLO host.test < @reply 250 XFORWARD *" },
	{ "@ident", "> XFORWARD IDENT=% < 250 2.0.0 *" },
	{ "@mail", "> MAIL FROM:<%> < 250 2.1.0 *" },
	{ "@rcpt", "> RCPT TO:<%> < 250 2.1.5 *" },
	{ "@data", "> DATA < 354 *" },
	{ "@text", "@data > @message" },
	{ "@quit", "> QUIT < 221 2.0.0 * < @eof" },
	{ "@one", "@mail s@sender.test @rcpt r@example.test @text < 250 2.0.0 *" },
	{ NULL, NULL },
};

static const struct {
	const char *name;
	enum act act;
	char argument; /* n number, t time, s signal */
} acts[] = {
	{ "close", ACT_CLOSE, 0 },
	{ "reset", ACT_RESET, 0 },
	{ "stall", ACT_STALL, 0 },
	{ "wait", ACT_WAIT, 't' },
	{ "drip", ACT_DRIP, 't' },
	{ "pieces", ACT_PIECES, 'n' },
	{ "slow", ACT_SLOW, 'n' },
	{ "deaf", ACT_DEAF, 0 },
	{ "hear", ACT_HEAR, 0 },
	{ "guard", ACT_GUARD, 's' },
	{ "agent", ACT_AGENT, 's' },
	{ "host-gone", ACT_HOST_GONE, 0 },
	{ "reader-gone", ACT_READER_GONE, 0 },
	{ "unreachable", ACT_UNREACHABLE, 0 },
	{ "refuse", ACT_REFUSE, 0 },
	{ "half-close", ACT_HALF_CLOSE, 0 },
	{ "also", ACT_ALSO, 0 },
	{ "await", ACT_AWAIT, 0 },
};

static bool signal_parse(const char *text, int64_t *ret)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = { { "TERM", SIGTERM }, { "INT", SIGINT },   { "HUP", SIGHUP },
			{ "KILL", SIGKILL }, { "SEGV", SIGSEGV }, { "STOP", SIGSTOP },
			{ "PIPE", SIGPIPE }, { "ABRT", SIGABRT } };
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (strcmp(text, signals[i].name) == 0) {
			*ret = signals[i].number;
			return true;
		}
	}
	return false;
}

bool act_parse(const char *word, const char *argument, struct item *ret, bool *ret_took_argument)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (strcmp(word, acts[i].name) != 0)
			continue;
		*ret = (struct item){ .kind = ITEM_ACT, .act = acts[i].act };
		*ret_took_argument = acts[i].argument != 0;
		const char *given = argument ? argument : "";
		switch (acts[i].argument) {
		case 'n':
			return parse_number(given, &ret->n);
		case 't':
			return parse_ms(given, &ret->n);
		case 's':
			return signal_parse(given, &ret->n);
		default:
			return true;
		}
	}
	return false;
}

struct words {
	bool client;
	char **p;
	size_t n;
};

/* NULL: it is none. Each % stands for the next word behind it. */
static const char *fragment(const char *word, bool client)
{
	const struct fragment *table = client ? client_fragments : fragments;
	for (size_t i = 0; table[i].name; i++) {
		if (strcmp(word, table[i].name) == 0)
			return table[i].text;
	}
	return NULL;
}

static void expand(const char *text, int depth, struct words *ret);

/* `text` with the words where a % is. How many it took. */
static size_t expand_with(const char *text, char **word, size_t n, int depth, struct words *ret)
{
	struct bytes whole = { 0 };
	size_t took = 0;
	for (const char *p = text; *p; p++) {
		if (*p != '%')
			bytes_add(&whole, p, 1);
		else if (took == n)
			die("a word is missing behind: %s", text);
		else
			bytes_addf(&whole, "%s", word[took++]);
	}
	expand(bytes_text(&whole), depth, ret);
	bytes_free(&whole);
	return took;
}

/* "@rcpts N" of a host, "@rcpts N DOMAIN" of a client. The number of words behind it. */
static size_t expand_rcpts(char **word, size_t n, int depth, struct words *ret)
{
	int64_t most;
	size_t more = ret->client ? 2 : 1;
	if (n < more || !parse_number(word[0], &most))
		die("@rcpts N, and for a client DOMAIN");
	for (int64_t i = 1; i <= most; i++) {
		char *text = ret->client ? xprintf("@rcpt r%lld@%s", (long long)i, word[1])
					 : xprintf("@rcpt");
		expand(text, depth, ret);
		free(text);
	}
	return more;
}

/* Replace the fragments. */
static void expand(const char *text, int depth, struct words *ret)
{
	size_t n;
	char **word = words_split(text, &n);
	if (depth > 8)
		die("fragments in circles: %s", text);
	for (size_t i = 0; i < n; i++) {
		const char *inner = fragment(word[i], ret->client);
		if (strcmp(word[i], "@rcpts") == 0)
			i += expand_rcpts(word + i + 1, n - i - 1, depth + 1, ret);
		else if (inner && strchr(inner, '%'))
			i += expand_with(inner, word + i + 1, n - i - 1, depth + 1, ret);
		else if (inner)
			expand(inner, depth + 1, ret);
		else
			*(char **)vector_more((void **)&ret->p, &ret->n, sizeof(char *)) = word[i];
	}
}

static bool is_sign(const char *word)
{
	return strcmp(word, "<") == 0 || strcmp(word, ">") == 0 || strcmp(word, ">>") == 0 ||
	       strcmp(word, "!") == 0;
}

/* A line that ends with the base64 of what stands behind @base64. False: it is none. */
static bool base64_parse(const char *text, struct bytes *out)
{
	static const char sign[] = "@base64";
	const char *at = strstr(text, sign);
	struct bytes plain = { 0 };
	if (!at)
		return false;
	bytes_add(out, text, (size_t)(at - text));
	at += strlen(sign);
	unescape(at + (*at == ' '), NULL, &plain);
	base64_put(out, plain.p, plain.n);
	bytes_free(&plain);
	return true;
}

/* "@message", "@raw TEXT", "@bytes N", "@any N", "@eof", "@scram-...", or a pattern. */
static void receive_parse(const char *text, struct item *ret)
{
	const char *words;
	ret->kind = ITEM_LINE;
	ret->scram = scram_parse(text, false, &words);
	if (ret->scram) {
		bytes_addf(&ret->text, "%s", words);
	} else if (strcmp(text, "@message") == 0) {
		ret->kind = ITEM_MESSAGE;
	} else if (strncmp(text, "@raw ", 5) == 0) {
		ret->kind = ITEM_MESSAGE;
		ret->raw = true;
		unescape(text + 5, "\r\n", &ret->text);
	} else if (strcmp(text, "@eof") == 0) {
		ret->kind = ITEM_EOF;
	} else if (strncmp(text, "@bytes ", 7) == 0) {
		ret->kind = ITEM_PART;
		if (!parse_number(text + 7, &ret->n))
			die("not a number: %s", text);
	} else if (strncmp(text, "@reply ", 7) == 0) {
		ret->kind = ITEM_REPLY;
		unescape(text + 7, NULL, &ret->text);
	} else if (strncmp(text, "@any ", 5) == 0) {
		ret->kind = ITEM_ANY;
		if (!parse_number(text + 5, &ret->n))
			die("not a number: %s", text);
	} else if (!base64_parse(text, &ret->text)) {
		unescape(text, NULL, &ret->text);
	}
}

/* A policy as a web server says it. */
static void policy_parse(const char *text, struct item *ret)
{
	struct bytes body = { 0 };
	unescape(text, "\r\n", &body);
	bytes_addf(&ret->text,
		   "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
		   body.n, body.p);
	bytes_free(&body);
}

static void item_parse(const char *sign, char **word, size_t n, struct item *ret)
{
	struct bytes text = { 0 };
	for (size_t i = 0; i < n; i++)
		bytes_addf(&text, "%s%s", i ? " " : "", word[i]);
	bool took = false;
	const char *words;
	if (sign[0] == '<') {
		receive_parse(bytes_text(&text), ret);
	} else if (sign[0] == '>' && strncmp(bytes_text(&text), "@policy ", 8) == 0) {
		ret->kind = ITEM_SEND;
		policy_parse(text.p + 8, ret);
	} else if (sign[0] == '!' && n > 1 && strcmp(word[0], "tls") == 0) {
		*ret = (struct item){ .kind = ITEM_ACT, .act = ACT_TLS };
		bytes_addf(&ret->text, "%s", text.p + 4);
		mxtls_check(ret->text.p);
	} else if (sign[0] == '!' && n > 1 && strcmp(word[0], "spoil") == 0) {
		*ret = (struct item){ .kind = ITEM_ACT, .act = ACT_SPOIL };
		spoil_parse(text.p + 6, &ret->spoil);
	} else if (sign[0] == '!' && n == 2 && strcmp(word[0], "from") == 0) {
		*ret = (struct item){ .kind = ITEM_ACT, .act = ACT_FROM };
		bytes_addf(&ret->text, "%s", word[1]);
	} else if (sign[0] == '>' && scram_parse(bytes_text(&text), true, &words)) {
		ret->kind = ITEM_SEND;
		ret->scram = scram_parse(text.p, true, &words);
		bytes_addf(&ret->text, "%s", words);
	} else if (sign[0] == '>' && strcmp(bytes_text(&text), "@message") == 0) {
		ret->kind = ITEM_SEND;
		ret->whole = true;
	} else if (sign[0] == '>') {
		ret->kind = ITEM_SEND;
		unescape(bytes_text(&text), "\r\n", &ret->text);
		if (sign[1] == '\0')
			bytes_add(&ret->text, "\r\n", 2);
	} else if (n < 1 || !act_parse(word[0], n > 1 ? word[1] : NULL, ret, &took) ||
		   n != (took ? 2u : 1u)) {
		die("not an action: ! %s", bytes_text(&text));
	}
	bytes_free(&text);
}

void script_parse(const char *text, bool client, struct item **ret, size_t *ret_n)
{
	struct words words = { .client = client };
	expand(text, 0, &words);
	char **word = words.p;
	size_t n = words.n;
	for (size_t i = 0; i < n;) {
		if (!is_sign(word[i]))
			die("expected < > >> or ! before \"%s\"", word[i]);
		size_t end = i + 1;
		while (end < n && !is_sign(word[end]))
			end++;
		struct item *item = vector_more((void **)ret, ret_n, sizeof(*item));
		item_parse(word[i], word + i + 1, end - i - 1, item);
		i = end;
	}
}
