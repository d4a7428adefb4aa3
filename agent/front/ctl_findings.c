/* SPDX-License-Identifier: ISC */
#include "front/ctl_findings.h"

#include <pwd.h>
#include <stdarg.h>

#include "front/ctl_json.h"

#define LEVEL_COLUMNS 7
#define NAME_COLUMNS  15
#define TEXT_INDENT   (2 + LEVEL_COLUMNS + 2 + NAME_COLUMNS + 2)

static const struct {
	const char *name, *why;
} kinds[FIND_KINDS] = {
	[FIND_SOURCE] = { "source",
			  "Reverse name and SPF belong to the address that others see, so it has "
			  "to be a fixed one of this machine." },
	[FIND_REVERSE] = { "reverse-name",
			   "Most large receivers refuse mail from an address without a reverse "
			   "name." },
	[FIND_FORWARD] = { "forward-name",
			   "A reverse name counts only if it leads back to the address: anybody "
			   "can claim a name." },
	[FIND_GENERIC] = { "own-name",
			   "Names as providers give them to home connections are refused by "
			   "policy in many places." },
	[FIND_HELO_NAME] = { "helo-name",
			     "RFC 5321 section 4.1.1.1 wants a full name in EHLO, and many hosts "
			     "refuse anything else." },
	[FIND_HELO_ADDRESS] = { "helo-address",
				"Receivers look the EHLO name up and trust it if it leads to the "
				"address that connects." },
	[FIND_HELO_REVERSE] = { "helo-reverse",
				"Spam filters count it against a message when the EHLO name and "
				"the reverse name differ." },
	[FIND_SPF] = { "spf",
		       "Receivers refuse or mark mail from an address that the sender's domain "
		       "does not name as its own." },
	[FIND_DMARC] = { "dmarc",
			 "Large receivers want a DMARC record of every domain that sends more "
			 "than a little mail." },
	[FIND_DNS_ANSWERS] = { "dns-answers",
			       "Every delivery begins with questions to the resolver: without "
			       "answers all mail waits." },
	[FIND_DNS_ABSENT] = { "dns-absent",
			      "A resolver that invents addresses for names that do not exist "
			      "sends mail to strangers." },
	[FIND_DNS_VALIDATES] = { "dns-validates",
				 "DANE protects only where the resolver checks DNSSEC and its word "
				 "can be trusted." },
	[FIND_PORT] = { "port",
			"Many providers block outgoing connections to mail servers, and then "
			"nothing can be delivered." },
	[FIND_WIRING] = { "wiring",
			  "The host MTA hands its mail to mxdirect only if a transport of it "
			  "says so." },
	[FIND_RECIPIENTS] = { "recipients",
			      "A pipe has one answer for a whole run, so mxdirect refuses several "
			      "recipients there; over LMTP each has its own." },
	[FIND_TIME_LIMIT] = { "time-limit",
			      "A host MTA that stops waiting too early bounces the message, sends "
			      "it a second time, or complains in its log." },
	[FIND_USER] = { "user",
			"mxdirect reads what strangers send: a user of its own keeps the rest of "
			"the machine out of reach." },
	[FIND_FLAGS] = { "flags",
			 "Other flags than q change the message or its addresses, or claim a "
			 "final delivery." },
	[FIND_NULL_SENDER] = { "null-sender",
			       "Without null_sender= bounces are sent from MAILER-DAEMON, and can "
			       "be answered by bounces." },
	[FIND_SAFETY] = { "safety-filter",
			  "Without it a missing library, a killed process or a wrong "
			  "installation bounces mail." },
	[FIND_XFORWARD] = { "xforward",
			    "Only XFORWARD tells mxdirect the queue id, by which it knows a "
			    "message again and logs it." },
	[FIND_LINES] = { "lines",
			 "Postfix breaks longer lines, and signatures over the message are wrong "
			 "then." },
	[FIND_QUEUE_ID] = { "queue-id",
			    "By the queue id mxdirect knows a message again, and logs it." },
	[FIND_ARGUMENTS] = { "arguments",
			     "Exim bounces mail rather than pass on what a stranger wrote, unless "
			     "it is $pipe_addresses, which mxdirect needs." },
	[FIND_DEFERS] = { "defers",
			  "Exim bounces mail when a program is missing, is killed or takes too "
			  "long, unless it is told to wait." },
	[FIND_MESSAGE] = { "message",
			   "What Exim adds or changes for mailbox files makes signatures wrong, "
			   "and a header unreadable." },
	[FIND_OUTPUT] = { "output",
			  "What mxdirect says is logged, and told to the sender, only where Exim "
			  "is told so; with return_output whatever is delivered bounces as well." },
	[FIND_STATE] = { "state",
			 "Without its memory mxdirect tries dead hosts in every run and may "
			 "deliver twice after a crash." },
};

static const char *const levels[] = { "ok", "warning", "failure" };
static const char *const colours[] = { "32", "33", "31" };

void findings_init(struct findings *f, struct page *p)
{
	*f = (struct findings){ .page = p, .about = "" };
	f->last = &f->first;
}

void findings_add(struct findings *f, enum finding_kind kind, enum finding_level level,
		  const char *fix, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	struct finding *one = ARENA_NEW(f->page->arena, struct finding, 1);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->count[level]++;
	if (!one) {
		f->page->nomem = true;
		return;
	}
	*one = (struct finding){
		.kind = kind,
		.level = level,
		.about = f->about,
		.text = page_text(f->page, span_of(text)),
		.fix = level == FINDING_OK ? NULL : fix,
	};
	*f->last = one;
	f->last = &one->next;
}

/* Those who own the mail of everybody. */
static bool is_mail_system(const char *user)
{
	static const char *const names[] = { "postfix", "exim", "Debian-exim", "mail" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(user, names[i]) == 0)
			return true;
	return false;
}

const char *findings_user(struct findings *f, struct span name, const char *fix)
{
	const char *user = page_text(f->page, name);
	const struct passwd *pw = user[0] ? getpwnam(user) : NULL;
	if (!user[0])
		findings_add(f, FIND_USER, FINDING_FAILURE, fix, "user is not set");
	else if (strchr(user, '$') || user[0] == '<')
		findings_add(f, FIND_USER, FINDING_WARNING, fix, "nobody knows who %s is", user);
	else if (!pw)
		findings_add(f, FIND_USER, FINDING_FAILURE, fix,
			     "there is no user %s: mail stays in the queue", user);
	else if (pw->pw_uid == 0 || is_mail_system(user))
		findings_add(f, FIND_USER, FINDING_FAILURE, fix, "it runs as %s", user);
	else
		findings_add(f, FIND_USER, FINDING_OK, NULL, "it runs as %s", user);
	return pw ? user : NULL;
}

void findings_limit(struct findings *f, int64_t need_ms, const struct finding_limit *limit)
{
	struct page *p = f->page;
	const char *value = page_text(p, limit->value);
	bool enough = limit->ms > (uint64_t)need_ms;
	if (limit->ms == 0) {
		findings_add(f, FIND_TIME_LIMIT, FINDING_WARNING,
			     page_fmt(p, "Look where %s is set.", limit->name),
			     "%s = %s is no time", limit->name, value);
		return;
	}
	findings_add(f, FIND_TIME_LIMIT, enough ? FINDING_OK : limit->level,
		     page_fmt(p, "Set %s = %llds, or make deadline or final_timeout shorter.",
			      limit->name, (long long)need_ms / 1000 + 1800),
		     "%s = %s is %s deadline and final_timeout together (%s)", limit->name, value,
		     enough ? "more than" : "not more than", page_age(p, need_ms / 1000));
}

const char *finding_name(enum finding_kind kind)
{
	return kinds[kind].name;
}

const char *finding_why(enum finding_kind kind)
{
	return kinds[kind].why;
}

/* Wrapped below the text of the first line, which has the level and the name in front of it. */
static void show_one(const struct finding *one, struct page *p)
{
	const char *level = levels[one->level];
	fputs("  ", p->out);
	fprintf(p->out, p->bold ? "\033[%sm%s\033[0m" : "%.0s%s", colours[one->level], level);
	fprintf(p->out, "%*s", (int)(LEVEL_COLUMNS + 2 - page_columns(level)), "");
	page_put(p, kinds[one->kind].name, NAME_COLUMNS);
	fputs("  ", p->out);
	page_hang(p, TEXT_INDENT, one->text);
	if (one->level == FINDING_OK)
		return;
	page_wrap(p, TEXT_INDENT, kinds[one->kind].why);
	fprintf(p->out, "%*s", TEXT_INDENT, "-> ");
	page_hang(p, TEXT_INDENT, one->fix);
}

void findings_show(const struct findings *f, struct page *p)
{
	const char *about = NULL;
	for (const struct finding *one = f->first; one; one = one->next) {
		if (!about || strcmp(about, one->about) != 0)
			page_heading(p, one->about);
		about = one->about;
		show_one(one, p);
	}
	fprintf(p->out, "\nFailures: %zu, warnings: %zu, ok: %zu\n", f->count[FINDING_FAILURE],
		f->count[FINDING_WARNING], f->count[FINDING_OK]);
}

void findings_json(const struct findings *f, struct page *p)
{
	json_t *list = json_array();
	for (const struct finding *one = f->first; one; one = one->next)
		json_add(&list,
			 json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?}", "about", one->about, "check",
				   kinds[one->kind].name, "level", levels[one->level], "text",
				   one->text, "why", kinds[one->kind].why, "fix", one->fix));
	json_print(p, json_pack("{s:I, s:I, s:I, s:o}", "failures",
				(json_int_t)f->count[FINDING_FAILURE], "warnings",
				(json_int_t)f->count[FINDING_WARNING], "ok",
				(json_int_t)f->count[FINDING_OK], "findings", list));
}
