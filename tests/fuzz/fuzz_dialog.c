/* SPDX-License-Identifier: ISC */
/*
 * A session with any server: it ends, every recipient has an outcome, nothing counts as delivered
 * that was not, nobody gets the message twice, no demand on TLS is weakened, what was said before
 * TLS is forgotten, a session that has died is not blamed on anybody, and nobody gets a password
 * who has not proven who it is, nor a message before the login is done.
 *
 * Six bytes say how many recipients, what the server offers, who is skipped, what the message is,
 * what is demanded of TLS and whether the session is a kept one or is to be kept, what the server
 * offers behind TLS; then one byte for each step: '2' '3' '4' '5' 'b' 'n' 'x' 'm' a reply, 'L' 'l'
 * lost (theirs, ours), 'E' 'e' early bytes, in the handshake 'h' 'i' failure (theirs, ours), all
 * others what a friendly server does.
 *
 * Bit 4 of the byte of who is skipped: there is a login, and a seventh byte says of it what is
 * offered, in TLS and before, and whether the user is a long one and the randomness fails. Then in
 * the handshake 't' is a proof that fails and is only looked at; in reply to AUTH there are more
 * letters (fuzz_login.h). Bit 5: TLS comes before the greeting.
 */
#include <stdint.h>

#include "core/dialog.h"
#include "fuzz_login.h"

#define RCPTS 5
#define STEPS 120
#define HEAD  6

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What an onlooker knows of the session. */
struct session {
	const uint8_t *in;
	size_t n;
	uint8_t offers, offers_tls;
	uint32_t now; /* what the last reply to EHLO offered */
	const struct demand *demand;
	const struct facts *facts;
	bool utf8, plain, tls_first, secured, advisory, tls_failed;
	struct auth auth;
	struct dialog *d;
	bool skip[RCPTS], accepted[RCPTS], delivered[RCPTS];
	size_t naccepted, nsaid, mails;
	bool open, mail_taken, text_wanted, text_sent, committed;
	bool over, early_at_dot, keep, resumed;
	bool stopped; /* by trouble of ours */
	bool reset_taken, reset_refused;
	char said[DIALOG_OUT];
	struct span due; /* commands without a reply */
};

static char next_byte(struct session *s)
{
	if (s->n == 0)
		return 'L';
	s->n--;
	return (char)*s->in++;
}

/* By bit of the two bytes that say what is offered. */
enum {
	OFFER_PIPELINING,
	OFFER_8BITMIME,
	OFFER_SIZE_1000,
	OFFER_SMTPUTF8,
	OFFER_SIZE,
	OFFER_STARTTLS,
	OFFER_REQUIRETLS,
	OFFER_LIMITS_DSN,
	OFFERS
};
static const struct span offer_lines[OFFERS] = {
	SPAN("250-PIPELINING\r\n"), SPAN("250-8BITMIME\r\n"),
	SPAN("250-SIZE 1000\r\n"),  SPAN("250-SMTPUTF8\r\n"),
	SPAN("250-SIZE\r\n"),       SPAN("250-STARTTLS\r\n"),
	SPAN("250-REQUIRETLS\r\n"), SPAN("250-DSN\r\n250-LIMITS RCPTMAX=2 MAILMAX=3\r\n"),
};

static uint8_t offers_of(const struct session *s)
{
	return s->secured ? s->offers_tls : s->offers;
}

static bool offered(const struct session *s, int what)
{
	return s->now >> what & 1;
}

static void make_reply(const struct session *s, char op, struct span command, struct reply *ret)
{
	static const char ops[] = "2345bnxm";
	static const char *const lines[] = {
		"250 2.1.5 ok\r\n",
		"354 go\r\n",
		"450 4.2.0 wait\r\n",
		"550-5.1.1 no\r\n550 user\r\n",
		"421 bye\r\n",
		"521 5.3.2 never\r\n",
		"552 5.5.3 too many\r\n",
		"452 too many\r\n",
	};
	char room[256];
	struct buf text;
	const char *known = op ? strchr(ops, op) : NULL;
	buf_init(&text, room, sizeof(room));
	if (known) {
		buf_add(&text, span_of(lines[known - ops]));
	} else if (span_equal(command, SPAN("DATA"))) {
		buf_add(&text, span_of(lines[1]));
	} else {
		buf_add(&text, SPAN("250-mx.test\r\n"));
		for (size_t i = 0; i < OFFERS; i++)
			if (offers_of(s) >> i & 1)
				buf_add(&text, offer_lines[i]);
		add_auth(&text, auth_offers(&s->auth, s->secured));
		buf_add(&text, SPAN("250 ok\r\n"));
	}
	parse(buf_view(&text), ret);
}

static void hear_auth(struct session *s, char op, struct span command)
{
	struct reply r;
	s->auth.shown = false;
	if (op && strchr("2345bnxm", op))
		make_reply(s, op, command, &r);
	else
		auth_reply(&s->auth, op, command, &r);
	auth_heard(&s->auth, &r);
	REQUIRE(dialog_secret(s->d));
	dialog_heard(s->d, &r);
}

/* The reply to the dot settles those that the transaction carries, unless it means nothing. */
static void hear_dot(struct session *s, const struct reply *r)
{
	if (reply_class(r) == 3)
		return;
	for (size_t i = 0; i < RCPTS; i++) {
		if (s->committed && s->accepted[i] && reply_class(r) == 2)
			s->delivered[i] = true;
		s->accepted[i] = false;
	}
	s->naccepted = 0;
	s->open = s->committed = s->text_wanted = s->text_sent = false;
}

static char name_of(struct span rcpt)
{
	return rcpt.p[9] == '"' ? rcpt.p[10] : rcpt.p[9];
}

static void hear(struct session *s, char op)
{
	struct span command;
	struct reply r;
	REQUIRE(span_cut(&s->due, '\n', &command));
	command = span_trim(command);
	if (s->auth.open) {
		hear_auth(s, op, command);
		return;
	}
	make_reply(s, op, command, &r);
	bool yes = reply_class(&r) == 2;
	if (command.p[0] == 'E' || command.p[0] == 'H') {
		bool whole = command.p[0] == 'E' && yes && r.lines > 1;
		s->now = whole ? offers_of(s) : 0;
		s->auth.now = whole ? auth_offers(&s->auth, s->secured) : 0;
	} else if (command.p[0] == 'M') {
		s->open = s->mail_taken = yes;
	} else if (span_equal(command, SPAN("RSET"))) {
		s->reset_taken = s->reset_taken || yes;
		s->reset_refused = !yes;
	} else if (command.p[0] == 'R' && yes && s->mail_taken) {
		s->accepted[name_of(command) - '0'] = true;
		s->naccepted++;
	} else if (command.p[0] == 'D') {
		s->text_wanted = reply_class(&r) == 3;
	} else if (command.p[0] == '.') {
		hear_dot(s, &r);
	}
	dialog_heard(s->d, &r);
}

static bool has(struct span line, const char *word)
{
	return memmem(line.p, line.n, word, strlen(word)) != NULL;
}

/* MAIL is said where the demand is met, and speaks of what this session offers and nothing else. */
static void check_mail(const struct session *s, struct span line)
{
	bool size = offered(s, OFFER_SIZE) || offered(s, OFFER_SIZE_1000);
	REQUIRE(s->demand->level <= DEMAND_MAY || s->secured);
	REQUIRE(s->secured || !s->tls_first || s->resumed);
	REQUIRE(s->auth.done == (s->auth.login != NULL));
	REQUIRE(has(line, " SIZE=") == size);
	REQUIRE(has(line, " BODY=8BITMIME") == (s->facts->has_8bit && offered(s, OFFER_8BITMIME)));
	REQUIRE(has(line, " SMTPUTF8") == s->utf8);
	REQUIRE(has(line, " REQUIRETLS") == s->demand->requiretls);
	REQUIRE(has(line, " RET=FULL") == offered(s, OFFER_LIMITS_DSN));
	REQUIRE(!s->utf8 || offered(s, OFFER_SMTPUTF8));
	REQUIRE(!s->demand->requiretls || (s->secured && offered(s, OFFER_REQUIRETLS)));
}

static void check_starttls(const struct session *s)
{
	bool wanted = s->demand->level > DEMAND_MAY || !s->plain;
	REQUIRE(!s->secured && offered(s, OFFER_STARTTLS) && s->demand->level != DEMAND_NONE);
	REQUIRE(wanted);
}

/* One transaction at a time, and as many as the server takes. */
static void begin_transaction(struct session *s)
{
	REQUIRE(!s->open && !dialog_committed(s->d));
	REQUIRE(++s->mails <= 3 || !offered(s, OFFER_LIMITS_DSN));
	for (size_t i = 0; i < RCPTS; i++)
		s->accepted[i] = false;
	s->naccepted = s->nsaid = 0;
	s->mail_taken = s->text_wanted = s->text_sent = false;
}

static void check_rcpt(struct session *s, struct span line)
{
	size_t who = (size_t)(name_of(line) - '0');
	REQUIRE(who < RCPTS && !s->skip[who] && !s->delivered[who] && !s->accepted[who]);
	REQUIRE(++s->nsaid <= 2 || !offered(s, OFFER_LIMITS_DSN));
}

static void check_command(struct session *s, struct span line)
{
	if (span_equal(line, SPAN("RSET\r")))
		s->open = false; /* unless it is refused, which is the end */
	if (line.p[0] == 'M') {
		check_mail(s, line);
		begin_transaction(s);
	}
	if (span_starts_nocase(line, SPAN("RCPT")))
		check_rcpt(s, line);
	if (line.p[0] == 'A') {
		REQUIRE(!s->resumed && s->mails == 0);
		REQUIRE(s->secured && !s->advisory && s->demand->level >= DEMAND_VERIFY);
		auth_begin(&s->auth, line);
	}
	if (line.p[0] == 'S')
		check_starttls(s);
	if (line.p[0] == '.')
		REQUIRE(s->text_wanted && (s->committed ? s->naccepted > 0 : s->naccepted == 0));
}

static void say(struct session *s, const struct buf *out)
{
	struct span rest = buf_view(out), line;
	size_t commands = 0;
	REQUIRE(!out->overflow && rest.n >= 2 && rest.n < DIALOG_OUT && s->due.n == 0);
	REQUIRE(rest.p[rest.n - 1] == '\n');
	memcpy(s->said, rest.p, rest.n);
	s->due = (struct span){ s->said, rest.n };
	while (span_cut(&rest, '\n', &line)) {
		REQUIRE(line.n > (s->auth.open ? 0 : 1) && line.n < LIMIT_COMMAND);
		REQUIRE(memchr(line.p, '\r', line.n) == line.p + line.n - 1);
		REQUIRE(memchr(line.p, '\0', line.n) == NULL);
		REQUIRE(commands++ == 0 || offered(s, OFFER_PIPELINING));
		REQUIRE(!s->tls_failed);
		if (s->auth.open)
			auth_word(&s->auth, line);
		else
			check_command(s, line);
	}
	REQUIRE(dialog_secret(s->d) == s->auth.open);
	dialog_done(s->d);
}

static bool strike(struct session *s, char op, enum dialog_want want)
{
	struct error why;
	err_set(&why, ERR_TEMP, op == 'l' ? ESC(4, 3, 0) : ESC(4, 4, 2), "trouble");
	bool early = (op == 'E' || op == 'e') && want != DIALOG_HEAR;
	if (early)
		dialog_early(s->d, op == 'e' ? SPAN("421 bye\r\n") : SPAN("250 ok\r\n354"));
	else if (op == 'L' || op == 'l' || op == 'E' || op == 'e')
		dialog_lost(s->d, &why, op == 'l');
	else
		return false;
	s->stopped = op == 'l';
	/* What came before the dot was said is no answer to it. */
	s->early_at_dot = early && s->committed;
	s->over = true;
	return true;
}

static void handshake(struct session *s, char op)
{
	struct secure_facts facts = { .protocol = "TLSv1.3", .cipher = "C" };
	struct error why;
	REQUIRE(s->due.n == 0 && !s->secured && !s->tls_failed);
	err_set(&why, ERR_TEMP, ESC(4, 7, 5), "trouble");
	s->tls_failed = op == 'h' || op == 'i';
	s->secured = !s->tls_failed;
	s->now = 0;
	s->advisory = s->auth.login && op == 't';
	facts.trouble = op == 'h'     ? SECURE_NOT_TRUSTED
			: op == 'i'   ? SECURE_LOCAL
			: s->advisory ? SECURE_WRONG_NAME
				      : SECURE_FINE;
	if (s->secured && s->tls_first)
		s->due = SPAN("greeting\n");
	if (s->secured)
		dialog_secured(s->d, &facts);
	else
		dialog_insecure(s->d, &facts, &why);
}

/* False: over. */
static bool step(struct session *s)
{
	char room[DIALOG_OUT];
	struct buf out;
	buf_init(&out, room, sizeof(room));
	enum dialog_want want = dialog_next(s->d, &out);
	if (want == DIALOG_OVER) {
		struct span bye = buf_view(&out);
		struct dialog_session kept;
		REQUIRE(bye.n == 0 || span_equal(bye, SPAN("QUIT\r\n")));
		if (dialog_kept(s->d, &kept))
			REQUIRE(s->keep && bye.n == 0 && s->due.n == 0 && !s->text_wanted &&
				!s->over && !s->reset_refused && !dialog_stale(s->d) &&
				kept.secured == s->secured && kept.logged_in == s->auth.done &&
				s->auth.done == (s->auth.login != NULL));
		REQUIRE(bye.n == 0 || !s->text_wanted || s->committed || s->naccepted == 0);
		return false;
	}
	REQUIRE(!s->over && !s->reset_refused && dialog_patience(s->d) > 0 && dialog_phase(s->d));
	REQUIRE(dialog_committed(s->d) == s->committed);
	char op = next_byte(s);
	if (strike(s, op, want))
		return true;
	if (want == DIALOG_SAY) {
		say(s, &out);
	} else if (want == DIALOG_HEAR) {
		hear(s, op);
	} else if (want == DIALOG_TLS) {
		handshake(s, op);
	} else {
		REQUIRE(s->text_wanted && s->naccepted > 0 && !s->committed);
		REQUIRE(s->text_sent == (want == DIALOG_COMMIT));
		s->committed = want == DIALOG_COMMIT;
		s->text_sent = true;
		dialog_done(s->d);
	}
	return true;
}

static void check_outcome(const struct session *s, const struct outcome *o, bool accepted,
			  bool delivered)
{
	enum failover_event e = o->event;
	REQUIRE(e != EVENT_NONE && o->text && o->relay);
	REQUIRE((e == EVENT_ACCEPTED) == delivered);
	REQUIRE(o->dsn == (delivered && offered(s, OFFER_LIMITS_DSN)));
	REQUIRE(o->code.cls == (e == EVENT_ACCEPTED ? 2 : 4) ||
		(e != EVENT_ACCEPTED && o->code.cls == 5));
	REQUIRE(o->security && (o->security->protocol[0] != '\0') == s->secured);
	bool never_plain = s->tls_first || s->demand->level > DEMAND_MAY;
	REQUIRE(e != EVENT_TLS_UNMET || (never_plain && !s->secured));
	REQUIRE(e != EVENT_TLS_BROKEN || (!never_plain && !s->secured));
	REQUIRE(e != EVENT_LOGIN_REFUSED || (s->auth.login && !s->auth.done && o->code.cls == 4));
	REQUIRE(!s->auth.cancelled || e == EVENT_LOGIN_REFUSED || e == EVENT_LOCAL);
	REQUIRE(!s->auth.login || !(strstr(o->text, "secret") || strstr(o->text, "c2VjcmV0")));
	REQUIRE(!s->tls_failed || e == EVENT_TLS_UNMET || e == EVENT_TLS_BROKEN ||
		e == EVENT_LOCAL);
	if (e == EVENT_FINAL_UNKNOWN)
		REQUIRE(s->committed && accepted && o->code.cls == 4);
	if (s->committed && accepted)
		REQUIRE(e == EVENT_FINAL_UNKNOWN || (s->early_at_dot && e == EVENT_LOST));
	if (e == EVENT_TOO_MANY)
		REQUIRE(s->mails > 0 || s->resumed);
}

/* The recipients' names start with their numbers. */
static void make_rcpts(struct arena *a, uint8_t how, struct recipient *rcpt)
{
	for (size_t i = 0; i < RCPTS; i++) {
		/* The last one of the long ones is too long for a command. */
		size_t n = how & 8 ? (i + 1 < RCPTS ? 600 + 100 * i : LIMIT_LOCAL) : 2;
		char *local = ARENA_NEW(a, char, n + 3);
		memset(local, '"', n);
		if (how & 32)
			memcpy(local + n - 2, "\xc3\xbc", 2);
		local[0] = (char)('0' + i);
		rcpt[i] = (struct recipient){ .addr = { local, "b.test" },
					      .text = "",
					      .notify = "NEVER" };
	}
}

static struct demand demand_of(uint8_t how)
{
	enum demand_level level = (enum demand_level)((how & 7) % (DEMAND_DANE + 1));
	return (struct demand){
		.level = level,
		.because = level > DEMAND_MAY ? "configured" : "",
		.requiretls = (how & 16) && level >= DEMAND_VERIFY, /* it demands as much */
	};
}

/* As another message left it: with what the server offers now, and as secure as is demanded. */
static struct dialog_session resume(struct session *s, bool secured)
{
	struct dialog_session kept = { .secured = secured,
				       .logged_in = s->auth.login != NULL,
				       .level = s->demand->level };
	struct reply r;
	s->secured = secured;
	s->resumed = true;
	s->now = offers_of(s);
	s->auth.done = kept.logged_in;
	s->mails = kept.transactions = 1;
	s->due = SPAN("");
	make_reply(s, 0, SPAN("EHLO"), &r);
	ehlo_parse(&r, &kept.ehlo);
	snprintf(kept.facts.protocol, sizeof(kept.facts.protocol), "%s", secured ? "TLSv1.3" : "");
	return kept;
}

static void check_end(const struct session *s, const struct envelope *e)
{
	for (size_t i = 0; i < e->nrcpt; i++) {
		const struct outcome *o = &dialog_outcomes(s->d)[i];
		if (s->skip[i] || dialog_stale(s->d))
			REQUIRE(o->event == EVENT_NONE && !s->accepted[i] && !s->delivered[i]);
		else
			check_outcome(s, o, s->accepted[i], s->delivered[i]);
	}
	REQUIRE(dialog_stale(s->d) == (s->resumed && !s->reset_taken && !s->stopped));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config config = {
		.greeting_timeout = 1, .command_timeout = 2, .data_timeout = 3, .final_timeout = 4
	};
	if (size < HEAD)
		return 0;
	struct arena *a = arena_open(LIMIT_ARENA);
	struct recipient rcpt[RCPTS];
	struct session s = { .in = data + HEAD,
			     .n = size - HEAD,
			     .offers = data[1],
			     .offers_tls = data[5],
			     .plain = data[4] & 8,
			     .tls_first = data[2] & 32,
			     .keep = data[4] & 32,
			     .due = SPAN("greeting\n") };
	struct envelope e = {
		.rcpt = rcpt, .nrcpt = 1 + data[0] % RCPTS, .domain = "b.test", .ret = "FULL"
	};
	struct facts facts = { .has_8bit = data[3] & 1,
			       .header_utf8 = data[3] & 2,
			       .size = data[3] & 4 ? 2000 : 5 };
	e.sender = data[3] & 16 ? (struct addr){ "", "" } : (struct addr){ "s", "a.test" };
	make_rcpts(a, data[3], rcpt);
	for (size_t i = 0; i + 1 < e.nrcpt; i++) /* never all */
		s.skip[i] = data[2] >> i & 1;
	struct demand demand = demand_of(data[4]);
	s.demand = &demand;
	struct dialog_session kept;
	struct login login;
	struct secure_crypto crypto;
	if (data[2] & 16)
		auth_init(&s.auth, (uint8_t)next_byte(&s), &login, &crypto);
	struct dialog_script script = {
		.helo = "me.test",
		.relay = "mx.test",
		.envelope = &e,
		.skip = s.skip,
		.facts = &facts,
		.config = &config,
		.demand = demand,
		.plain = s.plain,
		.tls_first = s.tls_first,
		.login = s.auth.login,
		.crypto = &crypto,
		.keep = s.keep,
	};
	if (s.tls_first)
		s.due = SPAN("");
	if (data[4] & 64) {
		kept = resume(&s, data[4] & 128);
		script.resumed = &kept;
	}
	s.facts = &facts;
	s.utf8 = envelope_needs(&e, &facts) & EHLO_SMTPUTF8;
	s.d = dialog_new(a, &script);
	size_t steps = 0;
	while (step(&s))
		REQUIRE(++steps < STEPS);
	REQUIRE(!step(&s)); /* over stays over */
	check_end(&s, &e);
	arena_close(a);
	return 0;
}
