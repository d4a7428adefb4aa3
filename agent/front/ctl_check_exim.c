/* SPDX-License-Identifier: ISC */
#include "front/ctl_check_exim.h"

#include "base/text.h"
#include "front/ctl_check_output.h"

struct block { /* a transport or a router */
	struct span name, options;
};

struct wiring { /* what is looked at */
	struct findings *f;
	const struct config *config;
	const struct exim_texts *texts;
	struct block transport;
};

static bool ends_with(struct span s, struct span end)
{
	return s.n > end.n && memcmp(s.p + s.n - end.n, end.p, end.n) == 0;
}

/* heading: what follows the name there. */
static bool next_block(struct span *rest, struct span heading, struct block *ret)
{
	struct span line;
	while (span_cut(rest, '\n', &line)) {
		if (!ends_with(line, heading))
			continue;
		const char *end = memmem(rest->p, rest->n, "\n\n", 2);
		ret->name = (struct span){ line.p, line.n - heading.n };
		ret->options = (struct span){ rest->p, end ? (size_t)(end - rest->p) : rest->n };
		rest->p += ret->options.n;
		rest->n -= ret->options.n;
		return true;
	}
	return false;
}

/* "name = value"; empty: it has none, or there is no such option. */
static struct span value(const struct block *b, const char *name)
{
	struct span rest = b->options, line, head;
	while (span_cut(&rest, '\n', &line))
		if (span_cut(&line, '=', &head) && span_equal(span_trim(head), span_of(name)))
			return span_trim(line);
	return (struct span){ "", 0 };
}

/* "name"; one that is not set stands there as "no_name". */
static bool is_set(const struct block *b, const char *name)
{
	struct span rest = b->options, line;
	while (span_cut(&rest, '\n', &line))
		if (span_equal(line, span_of(name)))
			return true;
	return false;
}

static const char *text(const struct wiring *w, struct span s)
{
	return page_text(w->f->page, s);
}

static bool is_pipe(const struct wiring *w)
{
	return span_equal(value(&w->transport, "driver"), SPAN("pipe"));
}

/* "1h30m", seconds without a letter; 0: for ever. */
static bool read_time(struct span s, uint64_t *ret_ms)
{
	uint64_t sum = 0, n;
	while (s.n > 0) {
		struct span digits = { s.p, 0 };
		while (digits.n < s.n && s.p[digits.n] >= '0' && s.p[digits.n] <= '9')
			digits.n++;
		uint64_t unit = output_time_unit(digits.n < s.n ? s.p[digits.n] : 's');
		if (unit == 0 || !text_u64(digits, UINT32_MAX, &n))
			return false;
		sum += n * unit;
		digits.n += digits.n < s.n;
		s.p += digits.n;
		s.n -= digits.n;
	}
	*ret_ms = sum > 0 ? sum : UINT64_MAX;
	return true;
}

static void check_time(const struct wiring *w)
{
	struct finding_limit limit = { .name = "timeout", .level = FINDING_FAILURE };
	limit.value = value(&w->transport, "timeout");
	if (limit.value.n == 0 || !read_time(limit.value, &limit.ms))
		limit.ms = 0;
	findings_limit(w->f, w->config->deadline + w->config->final_timeout, &limit);
}

/* What Exim calls tainted: it comes from the message. $pipe_addresses may be used all the same. */
static bool is_foreign(struct span word)
{
	static const char *const names[] = { "sender_address", "return_path",  "domain",
					     "local_part",     "original_",    "recipients",
					     "address_data",   "pipe_address", "h_",
					     "header_",        "rh_",          "rheader_" };
	struct span before;
	while (memchr(word.p, '$', word.n)) {
		span_cut(&word, '$', &before);
		if (word.n > 0 && word.p[0] == '{')
			span_cut(&word, '{', &before);
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (span_starts_nocase(word, span_of(names[i])))
				return true;
	}
	return false;
}

struct command {               /* of a transport */
	struct span arguments; /* behind it */
	bool runs_mxdirect, lmtp, queue_id;
	bool dashes, addresses; /* "--", and $pipe_addresses behind it */
	struct span foreign;    /* the first argument that Exim refuses; empty: none */
};

static void read_command(const struct block *transport, struct command *ret)
{
	struct command c = { .runs_mxdirect = false };
	struct span rest = value(transport, "command"), word;
	c.runs_mxdirect = output_runs_mxdirect(&rest);
	c.arguments = span_trim(rest);
	while (output_word(&rest, &word)) {
		bool addresses = span_equal(word, SPAN("$pipe_addresses")) ||
				 span_equal(word, SPAN("${pipe_addresses}"));
		c.lmtp = c.lmtp || span_equal(word, SPAN("--lmtp"));
		c.queue_id = c.queue_id || span_equal(word, SPAN("-i")) ||
			     span_starts_nocase(word, SPAN("--queue-id"));
		c.dashes = c.dashes || span_equal(word, SPAN("--"));
		c.addresses = c.addresses || (c.dashes && addresses);
		if (!addresses && c.foreign.n == 0 && is_foreign(word))
			c.foreign = word;
	}
	*ret = c;
}

static void check_arguments(const struct wiring *w, const struct command *c)
{
	static const char fix[] = "Write command = /usr/sbin/mxdirect -i $message_exim_id -- "
				  "$pipe_addresses, and leave environment and use_shell out.";
	struct span environment = value(&w->transport, "environment");
	const char *wrong = NULL;
	if (is_set(&w->transport, "use_shell"))
		wrong = "use_shell hands addresses to a shell";
	else if (c->foreign.n > 0)
		wrong = page_fmt(w->f->page, "Exim refuses %s", text(w, c->foreign));
	else if (!c->addresses)
		wrong = "there is no -- with $pipe_addresses behind it";
	else if (memmem(environment.p, environment.n, "SENDER=", 7))
		wrong = "environment sets another SENDER";
	findings_add(w->f, FIND_ARGUMENTS, wrong ? FINDING_FAILURE : FINDING_OK, fix, "%s",
		     wrong ? wrong : text(w, c->arguments));
}

static void check_queue_id(const struct wiring *w, const struct command *c)
{
	findings_add(w->f, FIND_QUEUE_ID, c->queue_id ? FINDING_OK : FINDING_FAILURE,
		     "Write -i $message_exim_id into the command of this transport.",
		     c->queue_id ? "mxdirect is told" : "there is no -i in the command");
}

static void check_recipients(const struct wiring *w)
{
	struct span most = value(&w->transport, "batch_max");
	bool one = span_equal(most, SPAN("1"));
	enum finding_level level = FINDING_OK;
	if (is_pipe(w) && !one)
		level = FINDING_FAILURE;
	else if (!is_pipe(w) && one)
		level = FINDING_WARNING;
	findings_add(w->f, FIND_RECIPIENTS, level,
		     is_pipe(w) ? "Set batch_max = 1 at this transport."
				: "Set batch_max = 50 at this transport.",
		     "batch_max = %s", text(w, most));
}

/* "75:127", "75 : 127". */
static bool is_listed(struct span list, struct span item)
{
	struct span head;
	while (span_cut(&list, ':', &head))
		if (span_equal(span_trim(head), item))
			return true;
	return false;
}

/* What ends in another way than mxdirect says: it is missing (127), is killed, hangs. */
static void check_defers(const struct wiring *w)
{
	const struct block *t = &w->transport;
	struct span codes = value(t, "temp_errors");
	bool all = is_listed(codes, SPAN("*"));
	size_t before = w->f->count[FINDING_FAILURE] + w->f->count[FINDING_WARNING];
	if (!all && (!is_listed(codes, SPAN("75")) || !is_listed(codes, SPAN("127"))))
		findings_add(w->f, FIND_DEFERS, FINDING_FAILURE,
			     "Set temp_errors as in the example exim-pipe.conf.",
			     "75 and 127 are not both in temp_errors = %s", text(w, codes));
	if (all || is_listed(codes, SPAN("69")))
		findings_add(w->f, FIND_DEFERS, FINDING_WARNING,
			     "Set temp_errors as in the example exim-pipe.conf.",
			     "69 is in temp_errors = %s: refused mail is tried again and again",
			     text(w, codes));
	if (!is_set(t, "freeze_signal"))
		findings_add(w->f, FIND_DEFERS, FINDING_FAILURE,
			     "Write freeze_signal at this transport.", "freeze_signal is not set");
	if (!is_set(t, "timeout_defer"))
		findings_add(w->f, FIND_DEFERS, FINDING_FAILURE,
			     "Write timeout_defer at this transport.", "timeout_defer is not set");
	if (is_set(t, "ignore_status"))
		findings_add(w->f, FIND_DEFERS, FINDING_FAILURE, "Leave ignore_status out.",
			     "ignore_status is set: whatever happens counts as delivered");
	if (w->f->count[FINDING_FAILURE] + w->f->count[FINDING_WARNING] == before)
		findings_add(w->f, FIND_DEFERS, FINDING_OK, NULL,
			     "temp_errors, freeze_signal and timeout_defer are set");
}

/* Of both drivers; what a transport does not have is not set. */
static void check_message(const struct wiring *w)
{
	static const char *const texts[] = { "message_prefix", "message_suffix", "check_string" };
	static const char *const flags[] = { "return_path_add",   "envelope_to_add",
					     "delivery_date_add", "body_only",
					     "headers_only",      "use_bsmtp" };
	size_t wrong = 0;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct span set = value(&w->transport, texts[i]);
		if (set.n == 0)
			continue;
		findings_add(w->f, FIND_MESSAGE, FINDING_FAILURE,
			     page_fmt(w->f->page, "Write %s = with nothing behind it.", texts[i]),
			     "%s = %s", texts[i], text(w, set));
		wrong++;
	}
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (!is_set(&w->transport, flags[i]))
			continue;
		findings_add(w->f, FIND_MESSAGE, FINDING_FAILURE,
			     page_fmt(w->f->page, "Leave %s out.", flags[i]), "%s is set",
			     flags[i]);
		wrong++;
	}
	if (wrong == 0)
		findings_add(w->f, FIND_MESSAGE, FINDING_OK, NULL, "passed on as it is");
}

static void check_output(const struct wiring *w)
{
	const struct block *t = &w->transport;
	bool log = is_set(t, "log_output"), bounce = is_set(t, "return_fail_output");
	if (is_set(t, "return_output"))
		findings_add(w->f, FIND_OUTPUT, FINDING_FAILURE, "Leave return_output out.",
			     "return_output is set");
	else if (!log || !bounce)
		findings_add(w->f, FIND_OUTPUT, FINDING_WARNING,
			     "Write log_output and return_fail_output at this transport.",
			     "%s is not set", log ? "return_fail_output" : "log_output");
	else
		findings_add(w->f, FIND_OUTPUT, FINDING_OK, NULL,
			     "log_output and return_fail_output are set");
}

/* The first router with this transport, also with one that is found out for each address. */
static bool find_router(const struct wiring *w, struct block *ret)
{
	struct span rest = w->texts->routers, name = w->transport.name;
	while (next_block(&rest, SPAN(" router:"), ret)) {
		struct span transport = value(ret, "transport");
		bool expanded = memchr(transport.p, '$', transport.n);
		if (span_equal(transport, name) ||
		    (expanded && memmem(transport.p, transport.n, name.p, name.n)))
			return true;
	}
	return false;
}

/* As whom it runs, for the caller; NULL: that is not known. */
static const char *check_wiring(const struct wiring *w, const struct command *c)
{
	struct block router = { .name = { NULL, 0 } };
	bool found = find_router(w, &router);
	struct span user = value(&w->transport, "user");
	const char *driver = text(w, value(&w->transport, "driver"));
	findings_add(w->f, FIND_WIRING, c->lmtp == !is_pipe(w) ? FINDING_OK : FINDING_FAILURE,
		     "--lmtp is for driver = lmtp, and only for that: see mxdirect(8).",
		     "driver %s runs mxdirect%s", driver, c->lmtp ? " --lmtp" : "");
	findings_add(w->f, FIND_WIRING, found ? FINDING_OK : FINDING_WARNING,
		     page_fmt(w->f->page, "Add a router with transport = %s as in mxdirect(8).",
			      text(w, w->transport.name)),
		     found ? "the router %s leads to it" : "no router leads to it%s",
		     found ? text(w, router.name) : "");
	if (user.n == 0 && found)
		user = value(&router, "user");
	return findings_user(
		w->f, user,
		"Write user = mxdirect at this transport, and make that user if there is "
		"none: adduser --system --group mxdirect.");
}

static const char *check_transport(struct wiring *w, const struct command *c)
{
	w->f->about = page_fmt(w->f->page, "Exim transport %s", text(w, w->transport.name));
	const char *user = check_wiring(w, c);
	check_recipients(w);
	check_time(w);
	if (is_pipe(w))
		check_arguments(w, c);
	check_queue_id(w, c);
	check_message(w);
	if (is_pipe(w)) {
		check_defers(w);
		check_output(w);
	}
	return user;
}

void check_exim(struct findings *f, const struct config *c, const struct exim_texts *t,
		const char **ret_user)
{
	struct wiring w = { .f = f, .config = c, .texts = t };
	struct span rest = t->transports;
	struct command command;
	const char *user = NULL;
	size_t n = 0;
	while (next_block(&rest, SPAN(" transport:"), &w.transport)) {
		read_command(&w.transport, &command);
		if (!command.runs_mxdirect)
			continue;
		const char *one = check_transport(&w, &command);
		user = user ? user : one;
		n++;
	}
	f->about = "Exim";
	if (n == 0)
		findings_add(f, FIND_WIRING, FINDING_WARNING,
			     "Add a transport and a router as in mxdirect(8).",
			     "no transport runs mxdirect");
	*ret_user = user;
}
