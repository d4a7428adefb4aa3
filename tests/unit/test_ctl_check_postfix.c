/* SPDX-License-Identifier: ISC */
#include "front/ctl_check_postfix.h"

#include "ctl_print.h"

#define PIPE   "mxpipe unix - n n - 20 pipe "
#define FILTER "-o pipe_delivery_status_filter=regexp:/good "
#define ARGV   "argv=/usr/sbin/mxdirect -i ${queue_id} -f ${sender} -- ${recipient}\n"
#define GOOD   PIPE FILTER "flags=q user=nobody null_sender= " ARGV
#define SPAWN  "mxagent unix - n n - 0 spawn user=nobody:x argv=/usr/sbin/mxdirect --lmtp\n"
#define LMTP   "mxlmtp unix - - n - - lmtp "
#define PLAIN  "lmtp unix - - n - - lmtp\n"
#define MAIN                                                                                       \
	"command_time_limit = 1000s\ndefault_destination_recipient_limit = 50\n"                   \
	"mxpipe_destination_recipient_limit = 1\nmxpipe_time_limit = 3600s\n"                      \
	"lmtp_data_done_timeout = 600s\nlmtp_send_xforward_command = no\n"                         \
	"lmtp_line_length_limit = 998\npipe_delivery_status_filter =\n"

#define LONG MAIN "mxagent_time_limit = 3600s\n"

struct wanted {
	const char *label, *master, *main;
	enum finding_kind kind;
	enum finding_level level;
	const char *part;
};

static const struct wanted pipes[] = {
	{ "good", GOOD, MAIN, FIND_WIRING, FINDING_OK, "pipe(8) runs mxdirect" },
	{ "good", GOOD, MAIN, FIND_USER, FINDING_OK, "nobody" },
	{ "good", GOOD, MAIN, FIND_RECIPIENTS, FINDING_OK, "= 1" },
	{ "good", GOOD, MAIN, FIND_TIME_LIMIT, FINDING_OK, "3600s" },
	{ "good", GOOD, MAIN, FIND_FLAGS, FINDING_OK, "flags=q" },
	{ "good", GOOD, MAIN, FIND_NULL_SENDER, FINDING_OK, "is set" },
	{ "good", GOOD, MAIN, FIND_SAFETY, FINDING_OK, "regexp:/good" },
	{ "filter in braces",
	  PIPE "-o { pipe_delivery_status_filter = pcre:/good } user=nobody " ARGV, MAIN,
	  FIND_SAFETY, FINDING_OK, "pcre:/good" },
	{ "filter in main.cf", PIPE ARGV, "pipe_delivery_status_filter = pcre:/good\n", FIND_SAFETY,
	  FINDING_OK, "pcre:/good" },
	{ "two tables", PIPE ARGV, "pipe_delivery_status_filter = hash:/none, pcre:/good\n",
	  FIND_SAFETY, FINDING_OK, "hash:/none, pcre:/good" },
	{ "no such table", PIPE ARGV, "pipe_delivery_status_filter = regexp:/none\n", FIND_SAFETY,
	  FINDING_FAILURE, "still bounces: 5.3.0 Command died with status 127" },
	{ "half a table", PIPE ARGV, "pipe_delivery_status_filter = regexp:/half\n", FIND_SAFETY,
	  FINDING_FAILURE, "still bounces: 5.3.0 service unavailable" },
	{ "too much", PIPE ARGV, "pipe_delivery_status_filter = regexp:/all\n", FIND_SAFETY,
	  FINDING_FAILURE, "no longer bounces: 5.1.1 mx1" },
	{ "the first table counts", PIPE ARGV,
	  "pipe_delivery_status_filter = regexp:/all regexp:/good\n", FIND_SAFETY, FINDING_FAILURE,
	  "no longer bounces" },
	{ "no filter", PIPE "flags=q " ARGV, MAIN, FIND_SAFETY, FINDING_FAILURE, "not set" },
	{ "an argument is no option", PIPE "argv=/usr/sbin/mxdirect " FILTER "\n", MAIN,
	  FIND_SAFETY, FINDING_FAILURE, "not set" },
	{ "many recipients", GOOD, "default_destination_recipient_limit = 50\n", FIND_RECIPIENTS,
	  FINDING_FAILURE, "= 50" },
	{ "the default is 1", GOOD, "default_destination_recipient_limit = 1\n", FIND_RECIPIENTS,
	  FINDING_OK, "= 1" },
	{ "command_time_limit", GOOD, "command_time_limit = 1000s\n", FIND_TIME_LIMIT,
	  FINDING_FAILURE, "1000s is not more" },
	{ "by name", GOOD, "mxpipe_time_limit = $command_time_limit\ncommand_time_limit = 2h\n",
	  FIND_TIME_LIMIT, FINDING_OK, "2h is more" },
	{ "just not", GOOD, "mxpipe_time_limit = 1500\n", FIND_TIME_LIMIT, FINDING_FAILURE,
	  "1500" },
	{ "just so", GOOD, "mxpipe_time_limit = 1501\n", FIND_TIME_LIMIT, FINDING_OK, "1501" },
	{ "no time", GOOD, "mxpipe_time_limit = soon\n", FIND_TIME_LIMIT, FINDING_WARNING, "soon" },
	{ "no time at all", GOOD, "", FIND_TIME_LIMIT, FINDING_WARNING, "is no time" },
	{ "override", PIPE "-o mxpipe_time_limit=1d " ARGV, MAIN, FIND_TIME_LIMIT, FINDING_OK,
	  "1d" },
	{ "flags", PIPE "flags=DRhu " ARGV, MAIN, FIND_FLAGS, FINDING_FAILURE, "DRhu" },
	{ "no flags", PIPE ARGV, MAIN, FIND_FLAGS, FINDING_FAILURE, "not set" },
	{ "null sender", PIPE "flags=q " ARGV, MAIN, FIND_NULL_SENDER, FINDING_FAILURE, "not set" },
	{ "null sender", PIPE "null_sender=<> " ARGV, MAIN, FIND_NULL_SENDER, FINDING_FAILURE,
	  "not empty" },
	{ "root", PIPE "user=root:root " ARGV, MAIN, FIND_USER, FINDING_FAILURE, "as root" },
	{ "stranger", PIPE "user=nosuchuser " ARGV, MAIN, FIND_USER, FINDING_FAILURE, "no user" },
	{ "no user", PIPE ARGV, MAIN, FIND_USER, FINDING_FAILURE, "not set" },
	{ "lmtp by pipe", PIPE "argv=mxdirect --lmtp\n", MAIN, FIND_WIRING, FINDING_FAILURE,
	  "--lmtp" },
	{ "others", "uucp unix - n n - - pipe flags=F user=uucp argv=uux -r\n" PLAIN, MAIN,
	  FIND_WIRING, FINDING_WARNING, "no service" },
	{ "a like name", PIPE "argv=/usr/sbin/mxdirect-agent\n", MAIN, FIND_WIRING, FINDING_WARNING,
	  "no service" },
	{ "nothing", "", "", FIND_WIRING, FINDING_WARNING, "no service" },
	{ "rubbish", "a b\n\n{\npipe - - - - - - pipe\n= = = = = = = = argv=\n", "=\n\nx\n",
	  FIND_WIRING, FINDING_WARNING, "no service" },
};

static const struct wanted sockets[] = {
	{ "good", SPAWN, MAIN, FIND_WIRING, FINDING_OK, "spawn(8) runs mxdirect --lmtp" },
	{ "good", SPAWN LMTP "-o lmtp_data_done_timeout=1800s\n", LONG, FIND_TIME_LIMIT, FINDING_OK,
	  "lmtp_data_done_timeout = 1800s" },
	{ "short", SPAWN LMTP "\n", LONG, FIND_TIME_LIMIT, FINDING_FAILURE,
	  "lmtp_data_done_timeout = 600s" },
	{ "xforward", SPAWN LMTP "-o lmtp_send_xforward_command=yes\n", MAIN, FIND_XFORWARD,
	  FINDING_OK, "= yes" },
	{ "no xforward", SPAWN LMTP "\n", MAIN, FIND_XFORWARD, FINDING_FAILURE, "= no" },
	{ "by main.cf", SPAWN PLAIN LMTP "\n",
	  MAIN "default_transport = lmtp:unix:private/mxagent\n"
	       "lmtp_send_xforward_command = yes\n",
	  FIND_XFORWARD, FINDING_FAILURE, "= no" },
	{ "lines", SPAWN LMTP "-o lmtp_line_length_limit=0\n", MAIN, FIND_LINES, FINDING_OK,
	  "= 0" },
	{ "broken lines", SPAWN LMTP "\n", MAIN, FIND_LINES, FINDING_WARNING, "= 998" },
	{ "spawn's own time", SPAWN, MAIN, FIND_TIME_LIMIT, FINDING_WARNING,
	  "mxagent_time_limit = 1000s is not more" },
	{ "spawn's own time", SPAWN, MAIN "mxagent_time_limit = 3600s\n", FIND_TIME_LIMIT,
	  FINDING_OK, "mxagent_time_limit = 3600s is more" },
	{ "without --lmtp", "a unix - n n - 0 spawn user=nobody argv=/usr/sbin/mxdirect -f x\n",
	  MAIN, FIND_WIRING, FINDING_FAILURE, "spawn(8) runs mxdirect" },
};

/* Tables of which the name says what they do. */
static bool ask(const struct postfix_tables *t, const char *table, const char *key,
		struct span *ret)
{
	bool ours = strstr(key, " said: ");
	bool half = !ours && strstr(key, "Command ");
	(void)t;
	if (!(strstr(table, ":/good") && !ours) && !(strstr(table, ":/half") && half) &&
	    !strstr(table, ":/all"))
		return false;
	*ret = SPAN("4.3.0 some text");
	return true;
}

static struct findings look(struct arena *a, struct page *p, const struct wanted *w,
			    const char **ret_user)
{
	struct findings f;
	struct config c;
	config_init(&c);
	c.deadline = 900 * 1000;
	c.final_timeout = 600 * 1000;
	*p = (struct page){ .out = stdout, .arena = a, .now = NOW };
	const struct postfix_tables tables = { ask };
	const struct postfix_texts t = { span_of(w->master), span_of(w->main) };
	findings_init(&f, p);
	check_postfix(&f, &c, &t, &tables, ret_user);
	return f;
}

static void compare(const struct wanted *w, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct arena *a = arena_open(LIMIT_ARENA);
		const char *user;
		struct page p;
		struct findings f = look(a, &p, &w[i], &user);
		check_finding(w[i].label, &f, w[i].kind, w[i].level, w[i].part);
		arena_close(a);
	}
}

static void test_pipe(void)
{
	compare(pipes, sizeof(pipes) / sizeof(pipes[0]));
}

static size_t count(const struct findings *f, const char *about)
{
	size_t n = 0;
	for (const struct finding *one = f->first; one; one = one->next)
		n += strcmp(one->about, about) == 0;
	return n;
}

static void test_lmtp(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	const char *user;
	struct page p;
	compare(sockets, sizeof(sockets) / sizeof(sockets[0]));
	/* Which transport it is stands in main.cf, or is guessed. */
	struct wanted w = { .master = SPAWN PLAIN LMTP "\n",
			    .main = MAIN "default_transport = lmtp:unix:private/mxagent\n" };
	struct findings f = look(a, &p, &w, &user);
	CHECK("named", count(&f, "Postfix transport lmtp") == 3 &&
			       count(&f, "Postfix transport mxlmtp") == 0);
	w.main = MAIN;
	f = look(a, &p, &w, &user);
	CHECK("guessed", count(&f, "Postfix transport lmtp") == 0 &&
				 count(&f, "Postfix transport mxlmtp") == 3);
	w.master = SPAWN PLAIN;
	f = look(a, &p, &w, &user);
	CHECK("none", count(&f, "Postfix service mxagent") == 4);
	arena_close(a);
}

static void test_user(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	const char *user = "x";
	struct page p;
	struct wanted w = { .master = PIPE "user=nosuchuser " ARGV GOOD, .main = MAIN };
	look(a, &p, &w, &user);
	CHECK_STR("the first that exists", user ? user : "", "nobody");
	w.master = "";
	look(a, &p, &w, &user);
	CHECK("none", user == NULL);
	arena_close(a);
}

TEST_MAIN("ctl_check_postfix", { "pipe", test_pipe }, { "lmtp", test_lmtp }, { "user", test_user })
