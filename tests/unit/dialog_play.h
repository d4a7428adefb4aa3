/* SPDX-License-Identifier: ISC */
/* The other side of a dialog for its tests: a driver in small, and a server that answers as told.
 */
#ifndef TESTS_DIALOG_PLAY_H
#define TESTS_DIALOG_PLAY_H

#include "harness.h"

#include "core/dialog.h"
#include "scram_server.h"

#define X          "mx.test[192.0.2.1]:25"
#define SAID       X " said: "
#define MAX        150
#define LEN(array) (sizeof(array) / sizeof((array)[0]))

enum fault { FAULT_NONE, FAULT_LOST, FAULT_LOCAL, FAULT_EARLY, FAULT_EARLY_421 };

struct answer {
	const char *command; /* its begin */
	const char *reply;
};

/* An answer that holds in the nth transaction only. */
struct turn {
	unsigned transaction;
	struct answer answer;
};

/* What the server keeps count of. A client that knows its limits never meets them. */
struct server {
	unsigned rcpt_max, mail_max; /* as its LIMITS say; 0: none */
	unsigned mails, rcpts;       /* MAIL of the session, RCPT of the transaction */
	unsigned finals;             /* replies to a final dot */
	bool open;                   /* a transaction is under way: MAIL would be an error */
	bool dot_due;                /* the commit is done, the final reply did not come */
};

/* How the server answers AUTH and what follows it, one by one. SCRAM_FIRST and SCRAM_FINAL stand
 * for what a server says that knows the password. */
#define SCRAM_FIRST "first"
#define SCRAM_FINAL "final"
#define AUTH_STEPS  6
struct auth {
	const char *replies[AUTH_STEPS]; /* NULL: 235, and 501 to "*" */
	size_t n;
	bool open; /* AUTH was said, and what came of it is not told yet */
	bool done; /* 235 was said */
	struct scram_server scram;
};

/* One session with a server that answers as told, else in the friendliest way. */
struct play {
	bool pipelining;
	const char *offers; /* lines of the EHLO reply */
	const struct answer *answers;
	size_t nanswers;
	const struct turn *turns; /* they come first */
	size_t nturns;
	const char *offers_tls; /* lines of the EHLO reply after TLS */
	struct answer after;    /* holds only after TLS */
	enum secure_trouble trouble;
	enum fault fault; /* told in place of what is asked in step `at` */
	size_t at;

	struct arena *arena;
	struct recipient rcpt[MAX];
	struct envelope envelope;
	struct facts facts;
	struct config config;
	struct dialog_script script;

	struct dialog *d;
	char said[DIALOG_OUT];
	struct span pending; /* commands without a reply yet */
	struct server server;
	struct auth auth;
	bool secured;
	char log_room[64 * 1024];
	struct buf log; /* "[EHLO me.test](TLS)[MAIL ...|RCPT ...](body)(commit)[.]QUIT" */
	char trace_room[2048];
	struct buf trace; /* "greeting 1;EHLO 2;...": phase, patience, t: MAIL was said, c:
			     committed, s: secret */
	size_t steps;
	size_t largest; /* commands said at once */
	const struct outcome *got;
};

static inline void play_init(struct play *p, size_t nrcpt, bool pipelining)
{
	memset(p, 0, sizeof(*p));
	p->pipelining = pipelining;
	p->offers = p->offers_tls = "";
	p->at = SIZE_MAX;
	p->arena = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < nrcpt; i++) {
		p->rcpt[i].addr.local = arena_fmt(p->arena, "r%zu", i + 1);
		p->rcpt[i].addr.domain = "b.test";
		p->rcpt[i].text = "";
	}
	p->envelope = (struct envelope){
		.sender = { "s", "a.test" },
		.rcpt = p->rcpt,
		.nrcpt = nrcpt,
		.domain = "b.test",
		.queue_id = "",
	};
	p->facts.size = 100;
	p->config = (struct config){
		.greeting_timeout = 1,
		.command_timeout = 2,
		.data_timeout = 3,
		.final_timeout = 4,
	};
	p->script = (struct dialog_script){
		.helo = "me.test",
		.relay = X,
		.envelope = &p->envelope,
		.facts = &p->facts,
		.config = &p->config,
	};
	buf_init(&p->log, p->log_room, sizeof(p->log_room));
	buf_init(&p->trace, p->trace_room, sizeof(p->trace_room));
}

/* A kept session as another message left it. */
static inline struct dialog_session session_of(uint32_t caps, enum demand_level level)
{
	struct dialog_session s = {
		.ehlo = { .caps = caps, .name = "old.test" },
		.secured = level > DEMAND_MAY,
		.level = level,
		.transactions = 1,
	};
	if (s.secured)
		s.facts = (struct secure_facts){ .protocol = "TLSv1.3",
						 .cipher = "TLS_AES_256_GCM_SHA384",
						 .proof = "3 1 1" };
	return s;
}

/* For the message behind the one that left this session. */
static inline void play_resumed(struct play *p, size_t nrcpt, struct dialog_session *session)
{
	play_init(p, nrcpt, false);
	p->script.keep = true;
	p->script.resumed = session;
}

/* With a server that offers STARTTLS, if the level has any use for it. */
static inline void play_demand(struct play *p, enum demand_level level)
{
	static const char *const because[] = { "", "", "configured", "mta-sts enforce", "dane" };
	p->script.demand.level = level;
	p->script.demand.because = because[level];
	if (level != DEMAND_NONE)
		p->offers = "250-STARTTLS\r\n";
}

static inline const char *scram_reply(struct play *p, struct span command, const char *what,
				      char *room, size_t n)
{
	char said[1500], text[600];
	struct buf client, server, out;
	struct span initial = SPAN("AUTH SCRAM-SHA-256 ");
	buf_init(&client, said, sizeof(said));
	buf_init(&server, text, sizeof(text));
	buf_init(&out, room, n);
	if (span_starts_nocase(command, initial))
		command = (struct span){ command.p + initial.n, command.n - initial.n };
	CHECK("base64", base64_read(command, &client));
	p->auth.scram.crypto = p->script.crypto;
	p->auth.scram.password = p->script.login->password;
	p->auth.scram.salt = SPAN("salt");
	p->auth.scram.nonce = "theirs";
	p->auth.scram.iterations = 4096;
	if (strcmp(what, SCRAM_FIRST) == 0)
		CHECK("SCRAM", scram_server_first(&p->auth.scram, buf_view(&client), &server));
	else
		CHECK("SCRAM", scram_server_final(&p->auth.scram, buf_view(&client), &server));
	buf_add(&out, SPAN("334 "));
	base64_add(&out, buf_view(&server));
	buf_add(&out, SPAN("\r\n"));
	return buf_cstr(&out);
}

static inline const char *auth_reply(struct play *p, struct span command, char *room, size_t n)
{
	size_t i = p->auth.n++;
	const char *reply = i < AUTH_STEPS ? p->auth.replies[i] : NULL;
	bool cancel = span_equal(command, SPAN("*"));
	bool scram = reply && (strcmp(reply, SCRAM_FIRST) == 0 || strcmp(reply, SCRAM_FINAL) == 0);
	if (cancel && (!reply || scram))
		reply = "501 5.7.0 as you like\r\n";
	else if (scram)
		reply = scram_reply(p, command, reply, room, n);
	else if (!reply)
		reply = "235 2.7.0 welcome\r\n";
	p->auth.open = reply[0] == '3';
	p->auth.done = p->auth.done || reply[0] == '2';
	return reply;
}

static inline const char *reply_text(struct play *p, struct span command, char *room, size_t n)
{
	if (p->auth.open)
		return auth_reply(p, command, room, n);
	if (p->secured && p->after.command &&
	    span_starts_nocase(command, span_of(p->after.command)))
		return p->after.reply;
	for (size_t i = 0; i < p->nturns; i++)
		if (p->turns[i].transaction == p->server.mails && p->turns[i].answer.command &&
		    span_starts_nocase(command, span_of(p->turns[i].answer.command)))
			return p->turns[i].answer.reply;
	for (size_t i = 0; i < p->nanswers; i++)
		if (p->answers[i].command &&
		    span_starts_nocase(command, span_of(p->answers[i].command)))
			return p->answers[i].reply;
	if (span_equal(command, SPAN("greeting")))
		return "220 mx.test ESMTP\r\n";
	if (span_starts_nocase(command, SPAN("EHLO"))) {
		snprintf(room, n, "250-mx.test\r\n%s%s250 HELP\r\n",
			 p->secured ? p->offers_tls : p->offers,
			 p->pipelining ? "250-PIPELINING\r\n" : "");
		return room;
	}
	if (span_equal(command, SPAN("DATA")))
		return "354 go ahead\r\n";
	if (span_equal(command, SPAN("STARTTLS")))
		return "220 go ahead\r\n";
	return span_equal(command, SPAN(".")) ? "250 2.0.0 Ok: queued as 7\r\n" : "250 ok\r\n";
}

static inline void count_command(struct server *s, struct span command)
{
	if (span_starts_nocase(command, SPAN("MAIL"))) {
		CHECK("the transaction before is over", !s->open);
		s->mails++;
		s->rcpts = 0;
		CHECK("MAILMAX", s->mail_max == 0 || s->mails <= s->mail_max);
	} else if (span_starts_nocase(command, SPAN("RCPT"))) {
		s->rcpts++;
		CHECK("RCPTMAX", s->rcpt_max == 0 || s->rcpts <= s->rcpt_max);
	}
}

static inline void count_reply(struct server *s, struct span command, const struct reply *r)
{
	if (span_starts_nocase(command, SPAN("MAIL"))) {
		s->open = reply_class(r) == 2;
	} else if (span_equal(command, SPAN("RSET"))) {
		s->open = false;
	} else if (span_equal(command, SPAN("."))) {
		s->finals += s->dot_due;
		s->open = s->dot_due = false;
	}
}

static inline void hear(struct play *p)
{
	struct reply_parser parser;
	struct span command;
	char room[1024];
	size_t used;
	CHECK("not for the log", dialog_secret(p->d) == p->auth.open);
	CHECK("a reply is due", span_cut(&p->pending, '\n', &command));
	command = span_trim(command);
	reply_parser_init(&parser);
	count_command(&p->server, command);
	const char *text = reply_text(p, command, room, sizeof(room));
	CHECK(text, reply_parse(&parser, span_of(text), &used) == PARSE_DONE);
	count_reply(&p->server, command, &parser.reply);
	dialog_heard(p->d, &parser.reply);
}

static inline void say(struct play *p, struct buf *out)
{
	struct span rest = buf_view(out), line;
	size_t commands = 0;
	CHECK("said whole", !out->overflow && rest.n > 0);
	CHECK("nothing is due when something is said", p->pending.n == 0);
	p->auth.open = p->auth.open || span_starts_nocase(rest, SPAN("AUTH "));
	CHECK("not for the log", dialog_secret(p->d) == p->auth.open);
	memcpy(p->said, rest.p, rest.n);
	p->pending = (struct span){ p->said, rest.n };
	CHECK("whole lines", rest.n > 1 && memcmp(rest.p + rest.n - 2, "\r\n", 2) == 0);
	while (span_cut(&rest, '\n', &line)) {
		CHECK("CRLF", line.n > 0 && line.p[line.n - 1] == '\r');
		line.n--;
		CHECK("empty in a login only", line.n > 0 || p->auth.open);
		CHECK("no bare CR", memchr(line.p, '\r', line.n) == NULL);
		buf_addc(&p->log, commands++ == 0 ? '[' : '|');
		buf_add(&p->log, line);
	}
	buf_addc(&p->log, ']');
	p->largest = commands > p->largest ? commands : p->largest;
	dialog_done(p->d);
}

/* The facts are gone when the dialog goes on. */
static inline void handshake(struct play *p)
{
	struct secure_facts facts = { p->trouble, "TLSv1.3", "TLS_AES_256_GCM_SHA384", "" };
	bool advisory = p->script.demand.sts_testing;
	struct error why;
	CHECK("nothing is due when TLS starts", p->pending.n == 0 && !p->secured);
	buf_add(&p->log, SPAN("(TLS)"));
	p->secured = facts.trouble == SECURE_FINE || advisory;
	if (facts.trouble == SECURE_LOCAL)
		err_set(&why, ERR_CONFIG, ESC(4, 3, 5), "the roots cannot be read");
	else
		err_set(&why, ERR_TEMP, ESC(4, 7, 5), "the certificate has expired");
	if (p->secured)
		dialog_secured(p->d, &facts);
	else
		dialog_insecure(p->d, &facts, &why);
	if (p->secured && p->script.tls_first)
		p->pending = SPAN("greeting\n");
	memset(&facts, 'x', sizeof(facts));
	memset(&why, 'x', sizeof(why));
}

static inline void strike(struct play *p)
{
	struct error why;
	switch (p->fault) {
	case FAULT_LOST:
		err_set(&why, ERR_TEMP, ESC(4, 4, 2), "timed out");
		dialog_lost(p->d, &why, false);
		break;
	case FAULT_LOCAL:
		err_set(&why, ERR_TEMP, ESC(4, 3, 0), "stopped by the mail system");
		dialog_lost(p->d, &why, true);
		break;
	case FAULT_EARLY:
		dialog_early(p->d, SPAN("250 2.0.0 Ok\r\n"));
		break;
	case FAULT_EARLY_421:
		dialog_early(p->d, SPAN("421 4.3.9 shutting down\r\n"));
		break;
	case FAULT_NONE:
		break;
	}
}

/* The driver in small. False: over. */
static inline bool step(struct play *p)
{
	char room[DIALOG_OUT];
	struct buf out;
	buf_init(&out, room, sizeof(room));
	enum dialog_want want = dialog_next(p->d, &out);
	buf_addf(&p->trace, "%s %d%s%s%s;", dialog_phase(p->d), (int)dialog_patience(p->d),
		 dialog_transmits(p->d) ? " t" : "", dialog_committed(p->d) ? " c" : "",
		 dialog_secret(p->d) ? " s" : "");
	if (want == DIALOG_OVER) {
		struct span bye = buf_view(&out);
		buf_add(&p->log, span_trim(bye));
		CHECK("QUIT or nothing", bye.n == 0 || span_equal(bye, SPAN("QUIT\r\n")));
		return false;
	}
	CHECK("committed", dialog_committed(p->d) == p->server.dot_due);
	if (p->steps++ == p->at) {
		buf_addc(&p->log, '!');
		strike(p);
		return true;
	}
	if (want == DIALOG_SAY) {
		say(p, &out);
	} else if (want == DIALOG_HEAR) {
		hear(p);
	} else if (want == DIALOG_TLS) {
		handshake(p);
	} else {
		buf_add(&p->log, want == DIALOG_BODY ? SPAN("(body)") : SPAN("(commit)"));
		p->server.dot_due = want == DIALOG_COMMIT;
		dialog_done(p->d);
	}
	return true;
}

static inline void play(struct play *p)
{
	p->pending = p->script.resumed || p->script.tls_first ? SPAN("") : SPAN("greeting\n");
	p->d = dialog_new(p->arena, &p->script);
	CHECK("memory", p->d != NULL);
	while (step(p))
		if (p->steps > 20 + 4 * MAX)
			break;
	CHECK("it ends", p->steps <= 20 + 4 * MAX);
	p->got = dialog_outcomes(p->d);
}

static inline const char *play_log(struct play *p)
{
	return buf_cstr(&p->log);
}

/* "reply 5xx 5.1.1 X said: ..." in one string. */
static inline const char *outcome_text(struct play *p, size_t rcpt)
{
	const struct outcome *o = &p->got[rcpt];
	return arena_fmt(p->arena, "%s %d.%d.%d %s", failover_event_name(o->event), o->code.cls,
			 o->code.subject, o->code.detail, o->text ? o->text : "(no text)");
}

/* A accepted, L lost (also nonsense, RFC 5321 4.3.2), t later, f refused, g and G greeting 4xx and
 * 5xx, h hello refused, u unknown, D a demand on TLS not met, B TLS broken, a login refused, c
 * cannot carry, l ours, m too many for this session, - none. */
static inline char event_letter(enum failover_event event)
{
	switch (event) {
	case EVENT_ACCEPTED:
		return 'A';
	case EVENT_LOST:
		return 'L';
	case EVENT_REPLY_4XX:
		return 't';
	case EVENT_REPLY_5XX:
		return 'f';
	case EVENT_GREETING_4XX:
		return 'g';
	case EVENT_GREETING_5XX:
		return 'G';
	case EVENT_HELLO_REFUSED:
		return 'h';
	case EVENT_FINAL_UNKNOWN:
		return 'u';
	case EVENT_TLS_UNMET:
		return 'D';
	case EVENT_TLS_BROKEN:
		return 'B';
	case EVENT_LOGIN_REFUSED:
		return 'a';
	case EVENT_CANNOT_CARRY:
		return 'c';
	case EVENT_LOCAL:
		return 'l';
	case EVENT_TOO_MANY:
		return 'm';
	case EVENT_NONE:
		return '-';
	default:
		return '?';
	}
}

/* "AAtm": what became of each. */
static inline const char *letters(struct play *p)
{
	static char room[MAX + 1];
	for (size_t i = 0; i < p->envelope.nrcpt; i++)
		room[i] = event_letter(p->got[i].event);
	room[p->envelope.nrcpt] = '\0';
	return room;
}

#endif
