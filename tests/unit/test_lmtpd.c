/* SPDX-License-Identifier: ISC */
/*
 * Conversations: the words of a script are sent and expected one after the other.
 *	"> LINE"   sent, with CRLF
 *	"+ TEXT"   sent as it is
 *	"< BEGIN"  a reply that begins like this
 *	"half"     the host writes no more
 *	"end"      the server has hung up
 * After the last word the host says QUIT, unless the server has hung up or is to be left alone.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/text.h"
#include "core/report.h"
#include "front/lmtpd.h"

#include "harness.h"
#include "mail_stub.h"

#define WORDS 48
#define ARGS  24

struct world {
	struct mail_stub *stub;
	int host, server, stop[2];
	struct io io;
	char arg[ARGS][400];
	char *argv[ARGS + 1];
	int argc;
	pthread_t thread;
	bool running;
	atomic_llong later; /* ms that the server's clock is ahead */
	char got[65536];    /* what the server said and nobody looked at yet */
	size_t len;
};

static struct instant later(void *ctx)
{
	struct world *w = ctx;
	struct clock real = clock_system();
	return (struct instant){ clock_now(&real).ms + w->later };
}

static void *serve(void *ctx)
{
	static const uint8_t seed[16] = { 9 };
	struct world *w = ctx;
	const struct lmtpd_run run = {
		.argc = w->argc,
		.argv = w->argv,
		.default_config = "/nonexistent/mxdirect.conf",
		.tls_module = "/nonexistent/tls.so",
		.in = w->server,
		.out = w->server,
		.io = &w->io,
		.seed = seed,
	};
	lmtpd_serve(&run);
	close(w->server);
	return NULL;
}

static void add_arg(struct world *w, const char *arg)
{
	snprintf(w->arg[w->argc], sizeof(w->arg[0]), "%s", arg);
	w->argv[w->argc] = w->arg[w->argc];
	w->argv[++w->argc] = NULL;
}

static void add_option(struct world *w, const char *option)
{
	add_arg(w, "-o");
	add_arg(w, option);
}

/* `more`: arguments, at blanks. */
static struct world *world_open(const char *more)
{
	struct world *w = calloc(1, sizeof(*w));
	char port[60];
	int fds[2];
	if (!w || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0 ||
	    pipe2(w->stop, O_CLOEXEC) != 0)
		abort();
	w->stub = stub_open();
	w->host = fds[0];
	w->server = fds[1];
	w->io = (struct io){ .clock = clock_system(), .stop_fd = w->stop[0] };
	w->io.clock.now = later;
	w->io.clock.ctx = w;
	add_arg(w, "mxdirect");
	add_arg(w, "--lmtp");
	snprintf(port, sizeof(port), "dns_servers=127.0.0.1:%u", w->stub->dns_port);
	add_option(w, port);
	snprintf(port, sizeof(port), "smtp_port=%u", w->stub->smtp_port);
	add_option(w, port);
	add_option(w, "refused_networks=");
	add_option(w, "state_directory=");
	add_option(w, "helo_name=client.test");
	for (struct span rest = span_of(more), word; span_cut(&rest, ' ', &word);) {
		char arg[400];
		snprintf(arg, sizeof(arg), "%.*s", (int)word.n, word.p);
		add_arg(w, arg);
	}
	w->running = pthread_create(&w->thread, NULL, serve, w) == 0;
	if (!w->running)
		abort();
	return w;
}

static void world_end(struct world *w)
{
	if (w->running)
		pthread_join(w->thread, NULL);
	w->running = false;
}

static void world_close(struct world *w)
{
	if (w->host >= 0)
		close(w->host);
	world_end(w);
	close(w->stop[0]);
	if (w->stop[1] >= 0)
		close(w->stop[1]);
	stub_close(w->stub);
	free(w);
}

static void send_text(struct world *w, struct span s)
{
	while (s.n > 0) {
		ssize_t n = write(w->host, s.p, s.n);
		if (n <= 0)
			return; /* the server has hung up, which the next reply will show */
		s = (struct span){ s.p + n, s.n - (size_t)n };
	}
}

static void send_line(struct world *w, const char *line)
{
	char text[70000];
	int n = snprintf(text, sizeof(text), "%s\r\n", line);
	send_text(w, (struct span){ text, (size_t)n });
}

/* The next line with its end; n 0: the server has hung up, or says nothing for long. */
static size_t next_line(struct world *w, char *line, size_t room)
{
	for (;;) {
		const char *lf = memchr(w->got, '\n', w->len);
		struct pollfd p = { .fd = w->host, .events = POLLIN };
		if (lf) {
			size_t n = (size_t)(lf - w->got) + 1;
			size_t kept = n < room ? n : room - 1;
			memcpy(line, w->got, kept);
			line[kept] = '\0';
			memmove(w->got, w->got + n, w->len - n);
			w->len -= n;
			return n;
		}
		if (poll(&p, 1, 20000) <= 0)
			return 0;
		ssize_t n = read(w->host, w->got + w->len, sizeof(w->got) - w->len);
		if (n <= 0)
			return 0;
		w->len += (size_t)n;
	}
}

/* A whole reply; only LHLO has more than one line. Whatever is said holds what hosts rely on. */
static bool next_reply(struct world *w, char *reply, size_t room)
{
	size_t all = 0;
	for (int lines = 1;; lines++) {
		char line[1000];
		size_t n = next_line(w, line, sizeof(line));
		if (n == 0)
			return false;
		all += n;
		CHECK(line, all <= REPORT_LMTP && n >= 6 && strcmp(line + n - 2, "\r\n") == 0);
		CHECK(line,
		      strspn(line, "0123456789") == 3 && text_is_utf8((struct span){ line, n }));
		CHECK(line, strcspn(line, "\r\n") == n - 2);
		if (lines == 1)
			snprintf(reply, room, "%.*s", (int)n - 2, line);
		if (line[3] == ' ')
			return true;
		CHECK(line, line[3] == '-' && lines < 12);
	}
}

static bool expect(struct world *w, const char *label, const char *begin)
{
	char reply[1000] = "(the end)";
	bool ok = next_reply(w, reply, sizeof(reply)) && strncmp(reply, begin, strlen(begin)) == 0;
	if (!ok)
		printf("\n    [%s] got \"%s\", want \"%s\"", label, reply, begin);
	CU_ASSERT(ok);
	return ok;
}

static bool has_ended(struct world *w)
{
	char line[1000];
	return next_line(w, line, sizeof(line)) == 0;
}

static void quit(struct world *w)
{
	send_line(w, "QUIT");
	expect(w, "QUIT", "221 2.0.0");
	CHECK("QUIT", has_ended(w));
	world_end(w);
}

/* False: the conversation went another way. */
static bool play(struct world *w, const char *label, const char *const *words)
{
	for (; *words; words++) {
		const char *word = *words;
		if (word[0] == '>')
			send_line(w, word + 2);
		else if (word[0] == '+')
			send_text(w, span_of(word + 2));
		else if (strcmp(word, "half") == 0)
			shutdown(w->host, SHUT_WR);
		else if (strcmp(word, "end") == 0)
			CHECK(label, has_ended(w));
		else if (!expect(w, label, word + 2))
			return false;
	}
	return true;
}

/* ---- tables of conversations ---- */

struct conversation {
	const char *label, *args;
	const char *words[WORDS];
};

#define HELLO       "< 220 client.test LMTP", "> LHLO h", "< 250-client.test"
#define TO(address) "> RCPT TO:<" address ">", "< 250 2.1.5"
#define FROM        "> MAIL FROM:<s@host.test>", "< 250 2.1.0"
#define DATA        "> DATA", "< 354"
#define TEXT        "> Subject: x\r\n\r\n..a\r\nb\r\n."

static void play_all(const struct conversation *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct world *w = world_open(c[i].args);
		size_t last = 0;
		while (last + 1 < WORDS && c[i].words[last + 1])
			last++;
		if (play(w, c[i].label, c[i].words) && strcmp(c[i].words[last], "end") != 0)
			quit(w);
		world_close(w);
	}
}

static const struct conversation orders[] = {
	{ "nothing", "", { "< 220 client.test LMTP" } },
	{ "LHLO", "", { HELLO } },
	{ "commands before LHLO",
	  "",
	  { "< 220", "> NOOP", "< 250", "> RSET", "< 250", "> VRFY x", "< 252",
	    "> MAIL FROM:<a@b.test>", "< 503 5.5.1", "> RCPT TO:<a@b.test>", "< 503 5.5.1",
	    "> DATA", "< 503 5.5.1", "> XFORWARD IDENT=1", "< 503 5.5.1", "> LHLO h", "< 250-" } },
	{ "others' hellos", "", { "< 220", "> EHLO h", "< 500 5.5.2", "> HELO h", "< 500 5.5.2" } },
	{ "RCPT before MAIL", "", { HELLO, "> RCPT TO:<a@b.test>", "< 503 5.5.1" } },
	{ "DATA before MAIL", "", { HELLO, "> DATA", "< 503 5.5.1" } },
	{ "DATA before RCPT", "", { HELLO, FROM, "> DATA", "< 503 5.5.1", TO("a@null.test") } },
	{ "MAIL twice",
	  "",
	  { HELLO, FROM, "> MAIL FROM:<t@host.test>", "< 503 5.5.1", TO("a@null.test"), DATA, TEXT,
	    "< 550 5.1.10" } },
	{ "RSET",
	  "",
	  { HELLO, FROM, TO("a@null.test"), "> RSET", "< 250 2.0.0", "> DATA", "< 503",
	    "> RCPT TO:<a@b.test>", "< 503", FROM } },
	{ "LHLO again",
	  "",
	  { HELLO, FROM, TO("a@null.test"), "> LHLO h", "< 250-", "> DATA", "< 503", FROM } },
	{ "the transaction ends with the text",
	  "",
	  { HELLO, FROM, TO("a@null.test"), DATA, TEXT, "< 550 5.1.10", "> RCPT TO:<a@null.test>",
	    "< 503", "> DATA", "< 503", FROM } },
	{ "QUIT in the midst", "", { HELLO, FROM, TO("a@null.test") } },
	{ "XFORWARD",
	  "",
	  { HELLO, "> XFORWARD NAME=x ADDR=192.0.2.1", "< 250", "> XFORWARD IDENT=Q7", "< 250",
	    FROM, "> XFORWARD WHAT=x", "< 501 5.5.4" } },
	{ "blanks and cases",
	  "",
	  { HELLO, "> mail from: <s@host.test>  ", "< 250", "> rcpt to: <a@null.test>", "< 250",
	    "> data ", "< 354", TEXT, "< 550" } },
	{ "LF",
	  "",
	  { "< 220", "+ LHLO h\nMAIL FROM:<s@host.test>\nRCPT TO:<a@null.test>\nDATA\n", "< 250-",
	    "< 250", "< 250", "< 354", TEXT, "< 550 5.1.10" } },
};

static void order(void)
{
	play_all(orders, sizeof(orders) / sizeof(orders[0]));
}

static const struct conversation refusals[] = {
	{ "unknown commands",
	  "",
	  { HELLO, "> STARTTLS", "< 500 5.5.2", "> BDAT 1 LAST", "< 500 5.5.2", "> ", "< 500 5.5.2",
	    "> MAIL", "< 501 5.5.4", "> LHLO", "< 501" } },
	{ "senders",
	  "",
	  { HELLO, "> MAIL FROM:<>", "< 250 2.1.0", "> RSET", "< 250", "> MAIL FROM:<s>",
	    "< 501 5.1.7", "> MAIL FROM:s@host.test", "< 501", "> MAIL FROM:<s@a..b>",
	    "< 501 5.1.7", "> MAIL FROM:<s@[x]>", "< 5", "> MAIL FROM:<s@host.test> WHAT=1",
	    "< 555", "> MAIL FROM:<s@host.test> BODY=8BITMIME SMTPUTF8 SIZE=99", "< 250" } },
	{ "recipients",
	  "",
	  { HELLO, FROM, "> RCPT TO:<>", "< 501 5.1.3", "> RCPT TO:<a>", "< 501 5.1.3",
	    "> RCPT TO:<a@b.test", "< 501", "> RCPT TO:<a@\xe2\x80\xa6.test>", "< 550 5.1.2",
	    "> RCPT TO:<\xff@b.test>", "< 501 5.1.3", "> DATA",
	    "< 503 5.5.1 there are no recipients", TO("a@null.test"), DATA, TEXT,
	    "< 550 5.1.10" } },
	{ "no DSN",
	  "",
	  { HELLO, "> MAIL FROM:<s@host.test> RET=HDRS", "< 555", FROM,
	    "> RCPT TO:<a@null.test> NOTIFY=NEVER", "< 555" } },
	{ "DSN",
	  "-o lmtp_dsn=yes",
	  { HELLO, "> MAIL FROM:<s@host.test> RET=HDRS ENVID=1", "< 250",
	    "> RCPT TO:<a@null.test> NOTIFY=NEVER ORCPT=rfc822;a@null.test", "< 250", DATA, TEXT,
	    "< 550 5.1.10" } },
	{ "announced size",
	  "-o message_size_limit=1000",
	  { HELLO, "> MAIL FROM:<s@host.test> SIZE=1001", "< 552 5.3.4", "> RCPT TO:<a@null.test>",
	    "< 503", "> MAIL FROM:<s@host.test> SIZE=1000", "< 250" } },
	{ "a size",
	  "-o message_size_limit=20",
	  { HELLO, FROM, TO("a@one.test"), TO("b@two.test"), DATA, TEXT, "< 550 5.3.4",
	    "< 550 5.3.4", FROM, TO("a@one.test"), DATA, "> a: b\r\n.", "< 250 2.0.0" } },
	{ "a line",
	  "-o line_length_limit=10",
	  { HELLO, FROM, TO("a@one.test"), DATA, "> 12345678901\r\n.", "< 550 5.6.0", FROM,
	    TO("a@one.test"), DATA, "> 1234567890\r\n.", "< 250 2.0.0" } },
};

static void refused(void)
{
	play_all(refusals, sizeof(refusals) / sizeof(refusals[0]));
}

static const struct conversation deliveries[] = {
	{ "sent",
	  "",
	  { HELLO, FROM, TO("a@one.test"), DATA, TEXT, "< 250 2.0.0 mx.test[127.0.0.1]:" } },
	{ "each its own, in order",
	  "",
	  { HELLO,
	    FROM,
	    TO("a@one.test"),
	    TO("b@null.test"),
	    TO("bounce@two.test"),
	    TO("c@servfail.test"),
	    "> RCPT TO:<bad>",
	    "< 501",
	    TO("defer@one.test"),
	    TO("d@gone.test"),
	    TO("e@two.test"),
	    TO("a@one.test"),
	    DATA,
	    TEXT,
	    "< 250 2.0.0",
	    "< 550 5.1.10",
	    "< 550 5.1.1 mx.test",
	    "< 451 4.4.3",
	    "< 451 4.2.1",
	    "< 550 5.1.2",
	    "< 250 2.0.0",
	    "< 250 2.0.0" } },
	{ "several transactions",
	  "",
	  { HELLO,
	    FROM,
	    TO("a@one.test"),
	    DATA,
	    TEXT,
	    "< 250",
	    "> RSET",
	    "< 250",
	    FROM,
	    TO("bounce@one.test"),
	    DATA,
	    TEXT,
	    "< 550 5.1.1",
	    FROM,
	    TO("a@null.test"),
	    TO("a@one.test"),
	    DATA,
	    TEXT,
	    "< 550 5.1.10",
	    "< 250" } },
	{ "UTF-8",
	  "",
	  { HELLO, "> MAIL FROM:<s@host.test> SMTPUTF8", "< 250",
	    TO("\xc3\xbc@b\xc3\xbc"
	       "cher.test"),
	    TO("a@b\xc3\xbc"
	       "cher.test"),
	    TO("a@xn--bcher-kva.test"), DATA, TEXT, "< 250", "< 250", "< 250" } },
	{ "an empty text", "", { HELLO, FROM, TO("a@one.test"), DATA, "> .", "< 250" } },
	{ "all at once, though not offered",
	  "",
	  { "+ LHLO h\r\nMAIL FROM:<s@host.test>\r\nRCPT TO:<a@one.test>\r\nRCPT "
	    "TO:<a@null.test>\r\n"
	    "DATA\r\nx: y\r\n\r\nz\r\n.\r\nMAIL FROM:<>\r\nRCPT "
	    "TO:<bounce@one.test>\r\nDATA\r\n.\r\n",
	    "< 220", "< 250-", "< 250", "< 250", "< 250", "< 354", "< 250 2.0.0", "< 550 5.1.10",
	    "< 250", "< 250", "< 354", "< 550 5.1.1" } },
	{ "no name server",
	  "-o dns_servers=127.0.0.1:1",
	  { HELLO, FROM, TO("a@one.test"), TO("a@two.test"), DATA, TEXT, "< 451 4.4.3",
	    "< 451 4.4.3" } },
};

static void delivered(void)
{
	play_all(deliveries, sizeof(deliveries) / sizeof(deliveries[0]));
}

static const struct conversation ends[] = {
	{ "at once", "", { "half", "< 220", "end" } },
	{ "without QUIT", "", { HELLO, "half", "end" } },
	{ "in a command", "", { HELLO, "+ NOO", "half", "end" } },
	{ "in a transaction", "", { HELLO, FROM, TO("a@one.test"), "half", "end" } },
	{ "before the text", "", { HELLO, FROM, TO("a@one.test"), DATA, "half", "end" } },
	{ "in the text",
	  "",
	  { HELLO, FROM, TO("a@one.test"), DATA, "+ x: y\r\n\r\nz", "half", "end" } },
	{ "right before the dot",
	  "",
	  { HELLO, FROM, TO("a@one.test"), DATA, "+ x: y\r\n\r\nz\r\n", "half", "end" } },
	{ "in the end of the text",
	  "",
	  { HELLO, FROM, TO("a@one.test"), DATA, "+ x: y\r\n\r\nz\r\n.\r", "half", "end" } },
	{ "a dot that is none",
	  "",
	  { HELLO, FROM, TO("a@one.test"), DATA, "+ x: y\r\n\r\nz\n.\nz\r.\r\n.z\r\n\n.\r\n",
	    "half", "end" } },
	{ "too slow a command", "-o command_timeout=50ms", { HELLO, "< 421 4.4.2", "end" } },
	{ "too slow a command, begun",
	  "-o command_timeout=50ms",
	  { HELLO, "+ NO", "< 421 4.4.2", "end" } },
	{ "too slow a text",
	  "-o data_timeout=50ms",
	  { HELLO, FROM, TO("a@one.test"), DATA, "+ x: y\r\n", "end" } },
	{ "a text without end",
	  "-o deadline=100ms -o connect_timeout=10ms -o greeting_timeout=10ms",
	  { HELLO, FROM, TO("a@one.test"), DATA, "+ x: y\r\n", "end" } },
};

/* Nothing is delivered that was not ended. */
static void ended(void)
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct world *w = world_open(ends[i].args);
		play(w, ends[i].label, ends[i].words);
		world_end(w);
		CHECK(ends[i].label, stub_get(w->stub, &w->stub->sessions) == 0);
		world_close(w);
	}
}

/* ---- the host goes away ---- */

static void gone(void)
{
	static const struct {
		const char *label, *behind;
		bool close;
		size_t mails;
	} cases[] = {
		{ "closed", "", true, 0 },
		{ "closed, with QUIT", "QUIT\r\n", true, 0 },
		{ "writes no more", "", false, 0 },
		{ "writes no more, with QUIT", "QUIT\r\n", false, 1 },
	};
	static const char *const words[] = { HELLO, FROM, TO("a@one.test"), DATA, NULL };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = world_open("");
		char text[100];
		play(w, cases[i].label, words);
		int n = snprintf(text, sizeof(text), "x: y\r\n.\r\n%s", cases[i].behind);
		send_text(w, (struct span){ text, (size_t)n });
		if (cases[i].close) {
			close(w->host);
			w->host = -1;
		} else {
			shutdown(w->host, SHUT_WR);
			expect(w, cases[i].label, cases[i].mails ? "250 2.0.0" : "451 4.3.0");
		}
		world_end(w);
		CHECK(cases[i].label, stub_get(w->stub, &w->stub->mails) == cases[i].mails);
		world_close(w);
	}
}

static void stopped(void)
{
	static const char *const words[] = { HELLO, FROM, TO("a@one.test"), NULL };
	static const char *const inside[] = { HELLO, FROM,         TO("a@one.test"),
					      DATA,  "+ x: y\r\n", NULL };
	struct world *w = world_open("");
	play(w, "stopped", words);
	close(w->stop[1]);
	w->stop[1] = -1;
	expect(w, "stopped", "421 4.3.2");
	CHECK("stopped", has_ended(w));
	world_close(w);
	w = world_open("");
	play(w, "in the text", inside);
	close(w->stop[1]);
	w->stop[1] = -1;
	CHECK("in the text", has_ended(w));
	world_end(w);
	CHECK("in the text", stub_get(w->stub, &w->stub->sessions) == 0);
	world_close(w);
}

/* While a delivery waits for its final answer: the answer is told all the same. */
static void stopped_late(void)
{
	static const char *const words[] = { HELLO, FROM, TO("meet@one.test"), DATA, TEXT, NULL };
	struct world *w = world_open("");
	stub_expect(w->stub, 2);
	play(w, "stopped", words);
	while (stub_get(w->stub, &w->stub->mails) == 0)
		sched_yield();
	close(w->stop[1]);
	w->stop[1] = -1;
	stub_expect(w->stub, 1);
	pthread_mutex_lock(&w->stub->lock);
	w->stub->met = true;
	pthread_cond_broadcast(&w->stub->changed);
	pthread_mutex_unlock(&w->stub->lock);
	expect(w, "the answer", "250 2.0.0");
	expect(w, "then the end", "421 4.3.2");
	CHECK("then the end", has_ended(w));
	world_close(w);
}

/* ---- limits ---- */

static void mistakes(void)
{
	static const char *const senseless[] = { "WHAT", "MAIL FROM:<s@host.test> WHAT=1", "DATA",
						 "RCPT TO:<a@b.test>", "" };
	struct world *w = world_open("");
	char line[9000];
	play(w, "mistakes", (const char *const[]){ HELLO, NULL });
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (int i = 0; i < 20; i++) {
		send_line(w, i % 6 < 5 ? senseless[i % 6] : line);
		expect(w, "mistakes", "5");
		send_line(w, "NOOP");
		expect(w, "no mistake", "250");
	}
	send_line(w, "WHAT");
	expect(w, "too many", "421 4.7.0");
	CHECK("too many", has_ended(w));
	world_close(w);
}

/* Addresses are what somebody wrote: however many are bad, the others get their mail. */
static void bad_addresses(void)
{
	static const char *const bad[] = { "<a>",       "<>",
					   "<a@a..b>",  "<a@\xe2\x80\xa6.test>",
					   "<a@b.test", "<\xff@b.test>",
					   "<a@[1]>" };
	struct world *w = world_open("");
	play(w, "begin", (const char *const[]){ HELLO, FROM, NULL });
	for (int i = 0; i < 70; i++) {
		char line[100];
		snprintf(line, sizeof(line), "RCPT TO:%s", bad[i % 7]);
		send_line(w, line);
		expect(w, line, "5");
	}
	play(w, "end", (const char *const[]){ TO("a@one.test"), DATA, TEXT, "< 250", NULL });
	quit(w);
	world_close(w);
}

static void long_lines(void)
{
	static char line[200000];
	static const size_t lengths[] = { 4093, 4094, 4095, 4096, 65535, 65536, 150000 };
	struct world *w = world_open("");
	play(w, "begin", (const char *const[]){ HELLO, NULL });
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		memset(line, 'x', lengths[i]);
		memcpy(line, "NOOP ", 5);
		memcpy(line + lengths[i], "\r\n", 2);
		send_text(w, (struct span){ line, lengths[i] + 2 });
		expect(w, "long", lengths[i] <= 4094 ? "250" : "500 5.5.2");
	}
	play(w, "and then", (const char *const[]){ FROM, NULL });
	quit(w);
	world_close(w);
}

/* One that drips in while the server looks after idle sessions in between. */
static void long_line_in_pieces(void)
{
	struct world *w = world_open("");
	static char line[5000];
	play(w, "a session is kept",
	     (const char *const[]){ HELLO, FROM, TO("a@one.test"), DATA, TEXT, "< 250", NULL });
	memset(line, 'x', sizeof(line));
	send_text(w, (struct span){ line, sizeof(line) });
	w->later = 60000;
	send_text(w, SPAN("x")); /* so that the server looks at the clock */
	while (stub_get(w->stub, &w->stub->quits) == 0)
		sched_yield();
	send_line(w, "QUIT");
	expect(w, "the end of a long line is no command", "500 5.5.2");
	quit(w);
	world_close(w);
}

static void many_recipients(void)
{
	struct world *w = world_open("");
	for (int round = 0; round < 2; round++) {
		if (round == 0)
			play(w, "begin", (const char *const[]){ HELLO, NULL });
		play(w, "MAIL", (const char *const[]){ FROM, NULL });
		for (int i = 0; i < LIMIT_RCPTS + 2; i++) {
			char line[100];
			snprintf(line, sizeof(line), "RCPT TO:<u%d@%s%d.test>", i,
				 i % 2 ? "null" : "gone", i % 10);
			send_line(w, line);
			expect(w, line, i < LIMIT_RCPTS ? "250 2.1.5" : "452 4.5.3");
		}
		play(w, "text", (const char *const[]){ DATA, TEXT, NULL });
		for (int i = 0; i < LIMIT_RCPTS; i++) {
			char want[60];
			snprintf(want, sizeof(want), i % 2 ? "550 5.1.10" : "550 5.1.2");
			expect(w, "each", want);
		}
	}
	quit(w);
	world_close(w);
}

/* The longest that addresses can be, each in its own domain: all must fit what the server keeps. */
static void long_recipients(void)
{
	struct world *w = world_open("");
	char local[LIMIT_LOCAL + 1], label[64], line[2000];
	memset(local, 'l', sizeof(local) - 1);
	local[sizeof(local) - 1] = '\0';
	memset(label, 'd', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	play(w, "begin", (const char *const[]){ HELLO, FROM, NULL });
	for (int i = 0; i < LIMIT_RCPTS; i++) {
		snprintf(line, sizeof(line), "RCPT TO:<%s@null%04d.%s.%s.%s.test>", local, i, label,
			 label, label + 10);
		send_line(w, line);
		expect(w, "RCPT", "250");
	}
	play(w, "text", (const char *const[]){ DATA, TEXT, NULL });
	for (int i = 0; i < LIMIT_RCPTS; i++)
		expect(w, "each", "550 5.1.10");
	quit(w);
	world_close(w);
}

/* ---- replies ---- */

static void longest_hello(void)
{
	for (int n = 50; n <= 255; n++) {
		char name[256], args[400], want[300];
		memset(name, 'x', (size_t)n);
		for (int i = 40; i < n; i += 41)
			name[i] = '.';
		name[n - 1] = 'y';
		name[n] = '\0';
		snprintf(args, sizeof(args),
			 "-o helo_name=%s -o lmtp_dsn=yes -o message_size_limit=1048576G", name);
		bool fits = n <= 72, valid = n <= 253;
		struct world *w = world_open(args);
		const char *own = fits && valid ? name : "localhost";
		snprintf(want, sizeof(want), "220 %s LMTP", own);
		expect(w, "greeting", want);
		send_line(w, "LHLO h");
		snprintf(want, sizeof(want), "250-%s", own);
		expect(w, name, want);
		quit(w);
		world_close(w);
	}
}

static void offer(void)
{
	static const struct {
		const char *args, *lines;
	} cases[] = {
		{ "", "250-client.test\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE\r\n"
		      "250-ENHANCEDSTATUSCODES\r\n250-REQUIRETLS\r\n"
		      "250 XFORWARD IDENT\r\n" },
		{ "-o lmtp_dsn=yes -o message_size_limit=10M",
		  "250-client.test\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE 10485760\r\n"
		  "250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n250-REQUIRETLS\r\n"
		  "250 XFORWARD IDENT\r\n" },
		{ "-o nonsense=1", /* its own name is not known then */
		  "250-localhost\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE\r\n"
		  "250-ENHANCEDSTATUSCODES\r\n250-REQUIRETLS\r\n"
		  "250 XFORWARD IDENT\r\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = world_open(cases[i].args);
		char all[1000] = "", line[300] = "";
		size_t n = 0;
		expect(w, "greeting", "220 ");
		send_line(w, "LHLO h");
		while (line[0] == '\0' || line[3] == '-') {
			if (next_line(w, line, sizeof(line)) == 0)
				break;
			n += (size_t)snprintf(all + n, sizeof(all) - n, "%s", line);
		}
		CHECK_STR(cases[i].args, all, cases[i].lines);
		quit(w);
		world_close(w);
	}
}

/* Whatever is quoted: the checks are in next_reply(). */
static void quoting(void)
{
	static const char *const pieces[] = { "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x93\xa7",
					      "\xff",     "\x01",         "%s%n",
					      "\\",       "\"",           "a" };
	struct world *w = world_open("");
	expect(w, "greeting", "220");
	for (size_t i = 0; i < 18; i++) {
		char text[400] = "", line[500];
		if (i % 6 == 0 && i > 0) { /* before there are too many mistakes */
			quit(w);
			world_close(w);
			w = world_open("");
			expect(w, "greeting", "220");
		}
		for (size_t n = 0; n < 300; n = strlen(text))
			snprintf(text + n, sizeof(text) - n, "%s%s", pieces[i % 9],
				 i < 9 ? "" : "x");
		send_line(w, text);
		expect(w, text, "500 5.5.2");
		send_line(w, "LHLO h");
		expect(w, text, "250-");
		snprintf(line, sizeof(line), "MAIL FROM:<s@host.test> %s", text);
		send_line(w, line);
		expect(w, text, "555");
		send_line(w, "MAIL FROM:<s@host.test>");
		expect(w, text, "250");
		snprintf(line, sizeof(line), "RCPT TO:<a@%s>", text);
		send_line(w, line);
		expect(w, text, "5");
		snprintf(line, sizeof(line), "RCPT TO:<%s>", text);
		send_line(w, line);
		expect(w, text, "501");
	}
	quit(w);
	world_close(w);
}

/* ---- configuration ---- */

static void unfit(void)
{
	static const struct {
		const char *args, *why;
	} cases[] = {
		{ "-o nonsense=1", "451 4.3.5 -o nonsense=1: unknown key" },
		{ "-c /nonexistent/x.conf", "451 4.3.5 " },
		{ "-x", "451 4.3.5 unknown option -x" },
		{ "a@b.test", "451 4.3.5 --lmtp takes no sender" },
		{ "-f s@host.test", "451 4.3.5 --lmtp takes no sender" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *w = world_open(cases[i].args);
		char why[100];
		snprintf(why, sizeof(why), "< %s", cases[i].why);
		const char *const words[] = { "< 220 localhost",
					      "> LHLO h",
					      "< 250-localhost",
					      "> NOOP",
					      "< 250",
					      FROM,
					      "> RCPT TO:<a@b.test>",
					      why,
					      "> RCPT TO:<b@b.test>",
					      why,
					      "> DATA",
					      "< 503",
					      "> RSET",
					      "< 250",
					      FROM,
					      NULL };
		if (play(w, cases[i].args, words))
			quit(w);
		world_close(w);
	}
}

/* A worker that cannot be opened: after the text, for each recipient. */
static void no_trace(void)
{
	struct world *w = world_open("--trace /nonexistent/trace");
	play(w, "trace",
	     (const char *const[]){ HELLO, FROM, TO("a@one.test"), TO("b@two.test"), DATA, TEXT,
				    "< 451 4.3.5 trace file /nonexistent/trace",
				    "< 451 4.3.5 trace file /nonexistent/trace", FROM, NULL });
	quit(w);
	world_close(w);
}

/* Which queue id is in the log. */
static void queue_ids(void)
{
	char path[] = "/tmp/test-lmtpd-XXXXXX", args[100], text[20000];
	int fd = mkstemp(path);
	snprintf(args, sizeof(args), "-i Q0 --trace %s", path);
	struct world *w = world_open(args);
	play(w, "queue ids",
	     (const char *const[]){ HELLO,
				    "> XFORWARD NAME=x IDENT=Q1",
				    "< 250",
				    "> XFORWARD SOURCE=LOCAL",
				    "< 250",
				    FROM,
				    TO("one@null.test"),
				    DATA,
				    TEXT,
				    "< 550",
				    FROM,
				    TO("two@null.test"),
				    DATA,
				    TEXT,
				    "< 550",
				    "> XFORWARD IDENT=Q+2B3",
				    "< 250",
				    "> RSET",
				    "< 250",
				    FROM,
				    TO("three@null.test"),
				    DATA,
				    TEXT,
				    "< 550",
				    "> XFORWARD IDENT=Q+2B4",
				    "< 250",
				    FROM,
				    TO("four@null.test"),
				    DATA,
				    TEXT,
				    "< 550",
				    NULL });
	quit(w);
	world_close(w);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	CHECK("XFORWARD", strstr(text, "Q1: to=<one@null.test>"));
	CHECK("-i", strstr(text, "Q0: to=<two@null.test>"));
	CHECK("RSET forgets it", strstr(text, "Q0: to=<three@null.test>"));
	CHECK("decoded", strstr(text, "Q+4: to=<four@null.test>"));
	close(fd);
	unlink(path);
}

/* ---- texts ---- */

static void texts(void)
{
	static const struct {
		const char *label, *in, *out;
	} cases[] = {
		{ "dots", "..\r\n...a\r\n.b\r\na.\r\n.\r\n", "..\r\n...a\r\nb\r\na.\r\n" },
		{ "bare line ends do not end it", "a: b\r\n\r\nx\n.\ny\r.\r\nz\n.\r\n.\r\n",
		  "a: b\r\n\r\nx\r\n..\r\ny .\r\nz\r\n..\r\n" },
		{ "commands inside", "a: b\r\n\r\nx\n.\nMAIL FROM:<t@x>\r\n.\r\n",
		  "a: b\r\n\r\nx\r\n..\r\nMAIL FROM:<t@x>\r\n" },
		{ "no line end before the dot", "a: b\r\n\r\nx.\r\n.\r\n", "a: b\r\n\r\nx.\r\n" },
		{ "header only", "a: b\r\n.\r\n", "a: b\r\n" },
		{ "empty", ".\r\n", "" },
	};
	static const char *const words[] = { FROM, TO("a@one.test"), DATA, NULL };
	struct world *w = world_open("");
	char text[STUB_TEXT];
	play(w, "begin", (const char *const[]){ HELLO, NULL });
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t piece = 1; piece <= 64; piece *= 4) {
			struct span in = span_of(cases[i].in);
			play(w, cases[i].label, words);
			for (size_t at = 0; at < in.n; at += piece) {
				size_t n = piece < in.n - at ? piece : in.n - at;
				send_text(w, (struct span){ in.p + at, n });
			}
			expect(w, cases[i].label, "250 2.0.0");
			CHECK_STR(cases[i].label, stub_text(w->stub, text), cases[i].out);
		}
	CHECK("one session", stub_get(w->stub, &w->stub->sessions) == 1);
	quit(w);
	world_close(w);
}

static void large_text(void)
{
	static char block[81];
	size_t lines = 40000;
	struct world *w = world_open("");
	memset(block, 'x', 80);
	memcpy(block, "..", 2);
	memcpy(block + 78, "\r\n", 2);
	for (int round = 0; round < 2; round++) {
		if (round == 0)
			play(w, "begin", (const char *const[]){ HELLO, NULL });
		play(w, "begin",
		     (const char *const[]){ FROM, TO("a@one.test"), TO("a@two.test"), DATA, NULL });
		for (size_t i = 0; i < lines; i++)
			send_text(w, (struct span){ block, 80 });
		send_line(w, ".");
		expect(w, "large", "250");
		expect(w, "large", "250");
		CHECK("all of it", stub_get(w->stub, &w->stub->size) == lines * 80);
	}
	quit(w);
	world_close(w);
}

int main(void)
{
	static const struct test tests[] = {
		{ "order", order },
		{ "refused", refused },
		{ "delivered", delivered },
		{ "ended", ended },
		{ "gone", gone },
		{ "stopped", stopped },
		{ "stopped late", stopped_late },
		{ "mistakes", mistakes },
		{ "bad addresses", bad_addresses },
		{ "long lines", long_lines },
		{ "long line in pieces", long_line_in_pieces },
		{ "many recipients", many_recipients },
		{ "long recipients", long_recipients },
		{ "longest hello", longest_hello },
		{ "offer", offer },
		{ "quoting", quoting },
		{ "unfit", unfit },
		{ "no trace", no_trace },
		{ "queue ids", queue_ids },
		{ "texts", texts },
		{ "large text", large_text },
	};
	signal(SIGPIPE, SIG_IGN);
	return test_main("lmtpd", tests, sizeof(tests) / sizeof(tests[0]));
}
