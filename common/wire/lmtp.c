/* SPDX-License-Identifier: ISC */
#include "base/text.h"
#include "wire/lmtp.h"
#include "wire/xtext.h"

#define ENVID_MAX 100 /* RFC 3461 section 4.4, as it was before it became xtext */
#define ORCPT_MAX 500 /* RFC 3461 section 4.2 */

#define BAD_COMMAND  ESC(5, 5, 2)
#define BAD_ARGUMENT ESC(5, 5, 4)

struct reader {
	struct arena *arena;
	const struct lmtp_offer *offer;
	struct lmtp_command cmd;
	uint32_t seen; /* rows of params[] that were given */
	bool no_memory;
	int code;
	struct error *err;
};

static const char *keep(struct reader *r, struct span s)
{
	const char *copy = arena_str(r->arena, s);
	r->no_memory = r->no_memory || !copy;
	return copy;
}

/* "why": "what" */
static bool refuse(struct reader *r, int code, struct esc esc, const char *why, struct span what)
{
	r->code = code;
	if (what.n == 0)
		return err_set(r->err, ERR_PERM, esc, "%s", why);
	return err_set(r->err, ERR_PERM, esc, "%s: \"%.*s\"", why, what.n > 80 ? 80 : (int)what.n,
		       what.p);
}

static struct span next_word(struct span *line)
{
	struct span word = { 0 };
	*line = span_trim(*line);
	(void)span_cut(line, ' ', &word);
	return word;
}

/* The values of parameters. value.p is NULL where no "=" was; false: no such value. */

static bool no_value(struct span value)
{
	return value.p == NULL;
}

static bool take_size(struct reader *r, struct span value)
{
	struct mail_params *p = &r->cmd.mail;
	p->say_size = true;
	return value.n <= 20 && text_u64(value, UINT64_MAX, &p->size); /* RFC 1870 section 5 */
}

static bool take_body(struct reader *r, struct span value)
{
	r->cmd.mail.body_8bit = span_equal_nocase(value, SPAN("8BITMIME"));
	return r->cmd.mail.body_8bit || span_equal_nocase(value, SPAN("7BIT"));
}

static bool take_smtputf8(struct reader *r, struct span value)
{
	r->cmd.mail.smtputf8 = true;
	return no_value(value);
}

static bool take_requiretls(struct reader *r, struct span value)
{
	r->cmd.mail.requiretls = true;
	return no_value(value);
}

static bool take_ret(struct reader *r, struct span value)
{
	r->cmd.mail.ret = keep(r, value);
	return span_equal_nocase(value, SPAN("FULL")) || span_equal_nocase(value, SPAN("HDRS"));
}

/* RFC 3461 section 4.4: printable ASCII and white space, before it became xtext. */
static bool take_envid(struct reader *r, struct span value)
{
	char room[ENVID_MAX + 1];
	struct buf plain;
	buf_init(&plain, room, sizeof(room));
	if (value.n == 0 || !xtext_decode(value, &plain))
		return false;
	for (size_t i = 0; i < plain.len; i++)
		if ((plain.p[i] < ' ' || plain.p[i] > '~') && plain.p[i] != '\t')
			return false;
	r->cmd.mail.envid = keep(r, value);
	return true;
}

static unsigned notify_bit(struct span word)
{
	static const struct span names[] = { SPAN("SUCCESS"), SPAN("FAILURE"), SPAN("DELAY") };
	for (unsigned i = 0; i < 3; i++)
		if (span_equal_nocase(word, names[i]))
			return 1u << i;
	return 0;
}

/* RFC 3461 section 4.1. */
static bool take_notify(struct reader *r, struct span value)
{
	struct span rest = value, word;
	unsigned seen = 0;
	r->cmd.rcpt.notify = keep(r, value);
	if (span_equal_nocase(value, SPAN("NEVER")))
		return true;
	while (span_cut(&rest, ',', &word)) {
		unsigned bit = notify_bit(word);
		if (bit == 0 || (seen & bit))
			return false;
		seen |= bit;
	}
	/* An empty last word is one that span_cut() does not show. */
	return value.n > 0 && value.p[value.n - 1] != ',';
}

/* An address type is an atom, RFC 3461 section 4.2 and RFC 5322 section 3.2.3. */
static bool is_atom(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("()<>[]:;@\\,.\"", s.p[i]))
			return false;
	return s.n > 0;
}

/* An original recipient with a line end in it would be a header of its own in a report. */
static bool take_orcpt(struct reader *r, struct span value)
{
	char room[ORCPT_MAX + 1];
	struct buf plain;
	struct span address = value, type;
	buf_init(&plain, room, sizeof(room));
	if (value.n > ORCPT_MAX || !span_cut(&address, ';', &type) || !is_atom(type) ||
	    address.n == 0 || !xtext_decode(address, &plain))
		return false;
	for (size_t i = 0; i < plain.len; i++)
		if ((unsigned char)plain.p[i] < ' ' || plain.p[i] == 0x7f)
			return false;
	r->cmd.rcpt.orcpt = keep(r, value);
	return true;
}

/* Postfix leaves "=" as it is in the values of XFORWARD, though it is no xtext. */
static bool decode_loosely(struct span value, struct buf *out)
{
	for (size_t n; value.n > 0; value = (struct span){ value.p + n, value.n - n }) {
		const char *equals = memchr(value.p, '=', value.n);
		n = equals ? (size_t)(equals - value.p) : value.n;
		if (!xtext_decode((struct span){ value.p, n }, out))
			return false;
		if (equals)
			buf_addc(out, value.p[n++]);
	}
	return true;
}

static bool take_ident(struct reader *r, struct span value)
{
	char room[LMTP_LINE];
	struct buf plain;
	buf_init(&plain, room, sizeof(room));
	if (no_value(value) || !decode_loosely(value, &plain))
		return false;
	text_printable(plain.p, plain.len);
	bool unavailable = span_equal_nocase(buf_view(&plain), SPAN("[UNAVAILABLE]"));
	r->cmd.ident = unavailable ? "" : keep(r, buf_view(&plain));
	return true;
}

/* A client's strange name is no reason to lose the queue id beside it. */
static bool take_unused(struct reader *r, struct span value)
{
	(void)r;
	return !no_value(value);
}

static const struct param {
	enum lmtp_verb verb;
	enum { ALWAYS, WITH_DSN, WITH_REQUIRETLS } when;
	struct span keyword;
	bool (*take)(struct reader *r, struct span value);
} params[] = {
	{ LMTP_MAIL, ALWAYS, SPAN("SIZE"), take_size },
	{ LMTP_MAIL, ALWAYS, SPAN("BODY"), take_body },
	{ LMTP_MAIL, ALWAYS, SPAN("SMTPUTF8"), take_smtputf8 },
	{ LMTP_MAIL, WITH_REQUIRETLS, SPAN("REQUIRETLS"), take_requiretls },
	{ LMTP_MAIL, WITH_DSN, SPAN("RET"), take_ret },
	{ LMTP_MAIL, WITH_DSN, SPAN("ENVID"), take_envid },
	{ LMTP_RCPT, WITH_DSN, SPAN("NOTIFY"), take_notify },
	{ LMTP_RCPT, WITH_DSN, SPAN("ORCPT"), take_orcpt },
	{ LMTP_XFORWARD, ALWAYS, SPAN("NAME"), take_unused },
	{ LMTP_XFORWARD, ALWAYS, SPAN("ADDR"), take_unused },
	{ LMTP_XFORWARD, ALWAYS, SPAN("PORT"), take_unused },
	{ LMTP_XFORWARD, ALWAYS, SPAN("PROTO"), take_unused },
	{ LMTP_XFORWARD, ALWAYS, SPAN("HELO"), take_unused },
	{ LMTP_XFORWARD, ALWAYS, SPAN("IDENT"), take_ident },
	{ LMTP_XFORWARD, ALWAYS, SPAN("SOURCE"), take_unused },
};
#define NPARAMS (sizeof(params) / sizeof(params[0]))

static bool offered(const struct reader *r, const struct param *p)
{
	return p->when == ALWAYS || (p->when == WITH_DSN && r->offer->dsn) ||
	       (p->when == WITH_REQUIRETLS && r->offer->requiretls);
}

/* NPARAMS: the verb has no such parameter here. */
static size_t find_param(const struct reader *r, struct span keyword)
{
	size_t i = 0;
	while (i < NPARAMS &&
	       (params[i].verb != r->cmd.verb || !span_equal_nocase(params[i].keyword, keyword) ||
		!offered(r, &params[i])))
		i++;
	return i;
}

/* RFC 5321 section 4.1.2: esmtp-keyword ["=" esmtp-value]; XFORWARD's attributes look the same. */
static bool take_param(struct reader *r, struct span word)
{
	struct span keyword = word, value = { 0 };
	const char *equals = memchr(word.p, '=', word.n);
	if (equals) {
		keyword.n = (size_t)(equals - word.p);
		value = (struct span){ equals + 1, word.n - keyword.n - 1 };
	}
	size_t i = find_param(r, keyword);
	if (i == NPARAMS)
		return refuse(r, r->cmd.verb == LMTP_XFORWARD ? 501 : 555, BAD_ARGUMENT,
			      "unknown parameter", keyword);
	if (r->seen & (1u << i))
		return refuse(r, 501, BAD_ARGUMENT, "parameter given twice", keyword);
	r->seen |= 1u << i;
	if (!params[i].take(r, value))
		return refuse(r, 501, BAD_ARGUMENT, "bad parameter", word);
	return true;
}

static bool read_params(struct reader *r, struct span args)
{
	for (struct span word = next_word(&args); word.n > 0; word = next_word(&args))
		if (!take_param(r, word))
			return false;
	return true;
}

static bool bad_path(struct reader *r, const char *why, struct span path)
{
	struct esc esc = r->cmd.verb == LMTP_MAIL ? ESC(5, 1, 7) : ESC(5, 1, 3);
	return refuse(r, 501, esc, why, path);
}

/* Where the path ends; s.n: nowhere. Inside quotes a ">" is like any other, RFC 5321 4.1.2. */
static size_t path_end(struct span s)
{
	bool quoted = false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			quoted = !quoted;
		else if (quoted && s.p[i] == '\\')
			i++;
		else if (!quoted && s.p[i] == '>')
			return i;
	}
	return s.n;
}

/* RFC 5321 section 4.1.1.3: of "@a,@b:user@c" only "user@c" counts. False: no mailbox behind it. */
static bool drop_route(struct span *mailbox)
{
	struct span rest = *mailbox, route, hop;
	if (rest.n == 0 || rest.p[0] != '@')
		return true;
	(void)span_cut(&rest, ':', &route);
	while (span_cut(&route, ',', &hop))
		if (hop.n == 0 || hop.p[0] != '@' ||
		    !domain_valid((struct span){ hop.p + 1, hop.n - 1 }))
			return false;
	*mailbox = rest;
	return rest.n > 0;
}

static bool take_mailbox(struct reader *r, struct span path)
{
	struct span mailbox = { path.p + 1, path.n - 2 };
	if (mailbox.n == 0 && r->cmd.verb == LMTP_RCPT)
		return bad_path(r, "a recipient without address", path);
	if (!drop_route(&mailbox))
		return bad_path(r, "bad address", path);
	r->cmd.text = keep(r, mailbox);
	if (addr_parse(r->arena, mailbox, &r->cmd.addr, r->err))
		return true;
	r->code = 501;
	if (r->err->class == ERR_PERM && r->cmd.verb == LMTP_MAIL)
		r->err->code = ESC(5, 1, 7);
	return false;
}

/* The path, which clients send with or without a blank before it, and the parameters. */
static bool read_path(struct reader *r, struct span args, struct span prefix)
{
	if (!span_starts_nocase(args, prefix))
		return refuse(r, 501, BAD_ARGUMENT, "no argument FROM:<address> or TO:<address>",
			      args);
	args = span_trim((struct span){ args.p + prefix.n, args.n - prefix.n });
	size_t end = path_end(args);
	if (args.n == 0 || args.p[0] != '<' || end == args.n)
		return bad_path(r, "an address that is not in angle brackets", args);
	struct span path = { args.p, end + 1 };
	struct span rest = { args.p + path.n, args.n - path.n };
	if (rest.n > 0 && rest.p[0] != ' ')
		return refuse(r, 501, BAD_ARGUMENT, "no blank behind the address", rest);
	return take_mailbox(r, path) && read_params(r, rest);
}

static bool read_mail(struct reader *r, struct span args)
{
	return read_path(r, args, SPAN("FROM:"));
}

static bool read_rcpt(struct reader *r, struct span args)
{
	return read_path(r, args, SPAN("TO:"));
}

static bool read_none(struct reader *r, struct span args)
{
	return args.n == 0 || refuse(r, 501, BAD_ARGUMENT, "an argument that may not be", args);
}

static bool read_some(struct reader *r, struct span args)
{
	return args.n > 0 || refuse(r, 501, BAD_ARGUMENT, "the argument is missing", args);
}

static bool read_any(struct reader *r, struct span args)
{
	(void)r, (void)args;
	return true;
}

static bool read_xforward(struct reader *r, struct span args)
{
	return read_some(r, args) && read_params(r, args);
}

/* EHLO and HELO are not among them, RFC 2033 section 4.1. */
static const struct verb {
	struct span name;
	enum lmtp_verb verb;
	bool (*read)(struct reader *r, struct span args);
} verbs[] = {
	{ SPAN("LHLO"), LMTP_LHLO, read_some },
	{ SPAN("MAIL"), LMTP_MAIL, read_mail },
	{ SPAN("RCPT"), LMTP_RCPT, read_rcpt },
	{ SPAN("DATA"), LMTP_DATA, read_none },
	{ SPAN("RSET"), LMTP_RSET, read_none },
	{ SPAN("NOOP"), LMTP_NOOP, read_any },
	{ SPAN("QUIT"), LMTP_QUIT, read_none },
	{ SPAN("VRFY"), LMTP_VRFY, read_some },
	{ SPAN("XFORWARD"), LMTP_XFORWARD, read_xforward },
};

/* RFC 5321 section 2.3.8: CR and LF are the line end, and nothing else. */
static bool is_line(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0' || s.p[i] == '\r' || s.p[i] == '\n')
			return false;
	return s.n <= LMTP_LINE - 2;
}

static bool read_line(struct reader *r, struct span line)
{
	struct span name = { 0 };
	if (!is_line(line))
		return refuse(r, 500, BAD_COMMAND, "a line that is too long or has a NUL, CR or LF",
			      SPAN(""));
	while (line.n > 0 && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
		line.n--;
	(void)span_cut(&line, ' ', &name);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (!span_equal_nocase(name, verbs[i].name))
			continue;
		r->cmd.verb = verbs[i].verb;
		if (!verbs[i].read(r, span_trim(line)))
			return false;
		return !r->no_memory || err_nomem(r->err);
	}
	return refuse(r, 500, BAD_COMMAND, "unknown command", name);
}

bool lmtp_parse(struct arena *a, struct span line, const struct lmtp_offer *offer,
		struct lmtp_command *ret, int *ret_code, struct error *err)
{
	struct reader r = { .arena = a, .offer = offer, .err = err };
	if (!read_line(&r, line)) {
		*ret_code = err->class == ERR_INTERNAL ? 451 : r.code;
		return false;
	}
	*ret = r.cmd;
	return true;
}
