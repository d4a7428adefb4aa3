/* SPDX-License-Identifier: ISC */
#include "front/ctl_check_postfix.h"

#include "base/text.h"
#include "front/ctl_check_output.h"

#define MASTER_FIELDS 8 /* master(5); arguments follow */

struct service {
	struct span name, command;
	struct span arguments;
};

struct wiring { /* what is looked at */
	struct findings *f;
	const struct config *config;
	const struct postfix_texts *texts;
	const struct postfix_tables *tables;
	struct service service;
};

static bool read_service(struct span line, struct service *ret)
{
	struct service s = { .arguments = line };
	struct span word;
	for (int i = 0; i < MASTER_FIELDS; i++) {
		if (!output_word(&s.arguments, &word))
			return false;
		if (i == 0)
			s.name = word;
		s.command = word;
	}
	*ret = s;
	return true;
}

/* "name = value", "name=value". */
static bool is_setting(struct span word, const char *name, struct span *ret)
{
	struct span head, rest = word;
	if (!memchr(word.p, '=', word.n) || !span_cut(&rest, '=', &head) ||
	    !span_equal(span_trim(head), span_of(name)))
		return false;
	*ret = span_trim(rest);
	return true;
}

/* An attribute of pipe(8) or spawn(8), such as user=; argv= and what follows is the command. */
static bool attribute(const struct service *s, const char *name, struct span *ret)
{
	struct span rest = s->arguments, word, value;
	while (output_word(&rest, &word)) {
		if (span_equal(word, SPAN("-o"))) {
			if (!output_word(&rest, &word))
				return false;
			continue;
		}
		if (is_setting(word, "argv", &value)) {
			bool wanted = strcmp(name, "argv") == 0;
			if (wanted)
				*ret = (struct span){ value.p, (size_t)(s->arguments.p +
									s->arguments.n - value.p) };
			return wanted;
		}
		if (is_setting(word, name, ret))
			return true;
	}
	return false;
}

static bool override(const struct service *s, const char *name, struct span *ret)
{
	struct span rest = s->arguments, word, value;
	bool found = false;
	while (output_word(&rest, &word) && !is_setting(word, "argv", &value))
		if (span_equal(word, SPAN("-o")) && output_word(&rest, &word) &&
		    is_setting(word, name, &value)) {
			*ret = value;
			found = true;
		}
	return found;
}

static bool main_setting(const struct postfix_texts *t, const char *name, struct span *ret)
{
	struct span rest = t->main, line;
	while (span_cut(&rest, '\n', &line))
		if (is_setting(line, name, ret))
			return true;
	return false;
}

/* Of the service itself, or of main.cf; empty: there is none. */
static struct span setting(const struct wiring *w, const char *name)
{
	struct span value = { NULL, 0 };
	if (!override(&w->service, name, &value) && !main_setting(w->texts, name, &value))
		value.n = 0;
	return value;
}

static const char *text(const struct wiring *w, struct span s)
{
	return page_text(w->f->page, s);
}

/* "3600s", "1h"; postconf(5): seconds without a letter. */
static bool read_time(struct span s, uint64_t *ret_ms)
{
	uint64_t unit = output_time_unit(s.n > 0 ? text_lower(s.p[s.n - 1]) : '\0'), n;
	if (unit > 0)
		s.n--;
	if (!text_u64(s, UINT32_MAX, &n))
		return false;
	*ret_ms = n * (unit > 0 ? unit : 1000);
	return true;
}

static void check_time(const struct wiring *w, const char *name, struct span value,
		       enum finding_level level)
{
	struct finding_limit limit = { .name = name, .value = value, .level = level };
	if (!read_time(value, &limit.ms))
		limit.ms = 0;
	findings_limit(w->f, w->config->deadline + w->config->final_timeout, &limit);
}

/* Under its name; not named, it is $command_time_limit. */
static void check_service_time(const struct wiring *w, enum finding_level level)
{
	const char *name = page_fmt(w->f->page, "%s_time_limit", text(w, w->service.name));
	struct span value = setting(w, name);
	if (value.n == 0 || value.p[0] == '$')
		value = setting(w, "command_time_limit");
	check_time(w, name, value, level);
}

static void check_recipients(const struct wiring *w)
{
	struct page *p = w->f->page;
	const char *limit = page_fmt(p, "%s_destination_recipient_limit", text(w, w->service.name));
	struct span recipients = { NULL, 0 };
	if (!main_setting(w->texts, limit, &recipients))
		main_setting(w->texts, "default_destination_recipient_limit", &recipients);
	findings_add(w->f, FIND_RECIPIENTS,
		     span_equal(recipients, SPAN("1")) ? FINDING_OK : FINDING_FAILURE,
		     page_fmt(p, "Set %s = 1 in main.cf.", limit), "%s = %s", limit,
		     text(w, recipients));
}

static void check_flags(const struct wiring *w)
{
	struct span flags = { "", 0 }, sender;
	bool set = attribute(&w->service, "flags", &flags);
	findings_add(w->f, FIND_FLAGS, span_equal(flags, SPAN("q")) ? FINDING_OK : FINDING_FAILURE,
		     "Write flags=q in master.cf, and nothing else there.", "flags=%s%s",
		     text(w, flags), set ? "" : ": they are not set");
	bool null_sender = attribute(&w->service, "null_sender", &sender) && sender.n == 0;
	findings_add(w->f, FIND_NULL_SENDER, null_sender ? FINDING_OK : FINDING_FAILURE,
		     "Write null_sender= with nothing behind it in master.cf.", "%s",
		     null_sender ? "null_sender= is set" : "null_sender= is not set, or not empty");
}

/* What its tables make of a status; the status itself, if they have nothing. */
static struct span filtered(const struct wiring *w, struct span tables, const char *status)
{
	struct span table, result = span_of(status);
	while (output_word(&tables, &table)) {
		if (table.n > 0 && table.p[table.n - 1] == ',')
			table.n--;
		if (w->tables->ask(w->tables, text(w, table), status, &result))
			return result;
	}
	return result;
}

/* pipe(8) asks with the code and the text that it would log. */
static void check_filter(const struct wiring *w, struct span filter)
{
	static const struct {
		const char *status;
		bool ours;
	} t[] = {
		{ "5.3.0 Command died with status 127: \"/usr/sbin/mxdirect\"", false },
		{ "5.3.0 Command time limit exceeded: \"/usr/sbin/mxdirect\"", false },
		{ "5.3.0 service unavailable", false },
		{ "5.1.1 mx1.example.net[192.0.2.1]:25 said: 550 5.1.1 no such user", true },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct span result = filtered(w, filter, t[i].status);
		bool permanent = result.n > 0 && result.p[0] == '5';
		if (permanent == t[i].ours)
			continue;
		findings_add(w->f, FIND_SAFETY, FINDING_FAILURE,
			     page_fmt(w->f->page, "Put the example mxdirect_safety into %s.",
				      text(w, filter)),
			     t[i].ours ? "this no longer bounces: %s" : "this still bounces: %s",
			     t[i].status);
		return;
	}
	findings_add(w->f, FIND_SAFETY, FINDING_OK, NULL, "pipe_delivery_status_filter = %s",
		     text(w, filter));
}

static void check_safety(const struct wiring *w)
{
	struct span filter = setting(w, "pipe_delivery_status_filter");
	if (filter.n > 0)
		check_filter(w, filter);
	else
		findings_add(w->f, FIND_SAFETY, FINDING_FAILURE,
			     "Install the example mxdirect_safety, and write -o "
			     "pipe_delivery_status_filter=regexp:/etc/postfix/mxdirect_safety in "
			     "master.cf.",
			     "pipe_delivery_status_filter is not set");
}

/* As whom it runs, for the caller; NULL: that is not known. */
static const char *check_user(const struct wiring *w)
{
	struct span value = { "", 0 }, name = { "", 0 };
	if (attribute(&w->service, "user", &value))
		span_cut(&value, ':', &name);
	return findings_user(
		w->f, name,
		"Write user=mxdirect:mxdirect in master.cf, and make that user if there "
		"is none: adduser --system --group mxdirect.");
}

/* Does this service start mxdirect? What follows its name is in *ret_rest. */
static bool runs_mxdirect(const struct service *s, struct span *ret_rest)
{
	return attribute(s, "argv", ret_rest) && output_runs_mxdirect(ret_rest);
}

static void check_lmtp(struct wiring *w)
{
	struct span xforward = setting(w, "lmtp_send_xforward_command");
	struct span lines = setting(w, "lmtp_line_length_limit");
	bool told = span_equal_nocase(xforward, SPAN("yes"));
	w->f->about = page_fmt(w->f->page, "Postfix transport %s", text(w, w->service.name));
	check_time(w, "lmtp_data_done_timeout", setting(w, "lmtp_data_done_timeout"),
		   FINDING_FAILURE);
	findings_add(w->f, FIND_XFORWARD, told ? FINDING_OK : FINDING_FAILURE,
		     "Write -o lmtp_send_xforward_command=yes at this transport in master.cf.",
		     "lmtp_send_xforward_command = %s", text(w, xforward));
	findings_add(w->f, FIND_LINES, span_equal(lines, SPAN("0")) ? FINDING_OK : FINDING_WARNING,
		     "Write -o lmtp_line_length_limit=0 at this transport in master.cf.",
		     "lmtp_line_length_limit = %s", text(w, lines));
}

/* Is "TRANSPORT:...private/SERVICE" somewhere in main.cf? */
static bool leads_to(const struct wiring *w, struct span transport, struct span service)
{
	const char *wanted =
		page_fmt(w->f->page, "%s:unix:private/%s", text(w, transport), text(w, service));
	return memmem(w->texts->main.p, w->texts->main.n, wanted, strlen(wanted)) != NULL;
}

/* A table of transports may be anything, so without a word in main.cf it may be any lmtp(8) of its
 * own. */
static void check_transports(const struct wiring *to)
{
	for (int pass = 0; pass < 2; pass++) {
		struct wiring w = *to;
		struct span rest = w.texts->master, line;
		size_t found = 0;
		while (span_cut(&rest, '\n', &line)) {
			if (!read_service(line, &w.service) ||
			    !span_equal(w.service.command, SPAN("lmtp")))
				continue;
			bool named = leads_to(&w, w.service.name, to->service.name);
			if (!named && (pass == 0 || span_equal(w.service.name, SPAN("lmtp"))))
				continue;
			check_lmtp(&w);
			found++;
		}
		if (found > 0)
			return;
	}
	findings_add(to->f, FIND_WIRING, FINDING_WARNING,
		     "Add a transport of lmtp(8) as in mxdirect(8), with a name of its own.",
		     "no transport of lmtp(8) leads to it");
}

static const char *check_service(struct wiring *w, struct span rest)
{
	struct span option = { NULL, 0 };
	bool pipe = span_equal(w->service.command, SPAN("pipe"));
	const char *name = text(w, w->service.name);
	output_word(&rest, &option);
	bool lmtp = span_equal(option, SPAN("--lmtp"));
	w->f->about = page_fmt(w->f->page, "Postfix %s %s", pipe ? "transport" : "service", name);
	findings_add(w->f, FIND_WIRING, lmtp == !pipe ? FINDING_OK : FINDING_FAILURE,
		     "--lmtp is for spawn(8), and only for that: see mxdirect(8).",
		     "%s(8) runs mxdirect%s", text(w, w->service.command), lmtp ? " --lmtp" : "");
	const char *user = check_user(w);
	if (!pipe) {
		/* It cannot end what runs as another user, and only complains. */
		check_service_time(w, FINDING_WARNING);
		check_transports(w);
		return user;
	}
	check_recipients(w);
	check_service_time(w, FINDING_FAILURE);
	check_flags(w);
	check_safety(w);
	return user;
}

void check_postfix(struct findings *f, const struct config *c, const struct postfix_texts *t,
		   const struct postfix_tables *tables, const char **ret_user)
{
	struct wiring w = { .f = f, .config = c, .texts = t, .tables = tables };
	struct span rest = t->master, line, arguments;
	const char *user = NULL;
	size_t n = 0;
	while (span_cut(&rest, '\n', &line)) {
		if (!read_service(line, &w.service) || !runs_mxdirect(&w.service, &arguments))
			continue;
		const char *one = check_service(&w, arguments);
		user = user ? user : one;
		n++;
	}
	f->about = "Postfix";
	if (n == 0)
		findings_add(f, FIND_WIRING, FINDING_WARNING,
			     "Add a transport to master.cf as in mxdirect(8), and use it with "
			     "default_transport or transport_maps.",
			     "no service in master.cf runs mxdirect");
	*ret_user = user;
}
