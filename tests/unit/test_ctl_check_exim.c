/* SPDX-License-Identifier: ISC */
#include "front/ctl_check_exim.h"

#include "ctl_print.h"

/* Of what Exim 4.96 prints, those options that count and some between them. */
#define SET                                                                                        \
	"no_body_only\nno_delivery_date_add\nno_envelope_to_add\nno_headers_only\n"                \
	"no_return_path_add\nuser = nobody\n"
#define PIPE    "p transport:\ndriver = pipe\n" SET
#define LMTP    "l transport:\ndriver = lmtp\n" SET
#define ONE     "batch_max = 1\n"
#define COMMAND "command = /usr/sbin/mxdirect -i $message_exim_id -- $pipe_addresses\n"
#define PLAIN                                                                                      \
	"environment = \nmessage_prefix = \nmessage_suffix = \ncheck_string = \nno_use_bsmtp\n"
#define SAFE "freeze_signal\nno_ignore_status\ntemp_errors = 1 : 75 :127\ntimeout_defer\n"
#define SAY  "log_output\nreturn_fail_output\nno_return_output\n"
#define TIME "timeout = 30m\n"
#define GOOD PIPE ONE COMMAND PLAIN SAFE SAY TIME "no_use_shell\n\n"
#define GOOD_LMTP                                                                                  \
	LMTP "batch_max = 50\ncommand = /usr/sbin/mxdirect --lmtp -i $message_exim_id\n" TIME "\n"
#define ROUTER                                                                                     \
	"\nr router:\ndriver = accept\ntransport = p\ntransport_home_directory = \nuser = \n\n"

struct wanted {
	const char *label, *transports, *routers;
	enum finding_kind kind;
	enum finding_level level;
	const char *part;
};

static const struct wanted wiring[] = {
	{ "pipe", GOOD, ROUTER, FIND_WIRING, FINDING_OK, "driver pipe runs mxdirect" },
	{ "lmtp", GOOD_LMTP, ROUTER, FIND_WIRING, FINDING_OK, "driver lmtp runs mxdirect --lmtp" },
	{ "router", GOOD, ROUTER, FIND_WIRING, FINDING_OK, "the router r leads to it" },
	{ "no router", GOOD_LMTP, ROUTER, FIND_WIRING, FINDING_WARNING, "no router" },
	{ "none at all", GOOD, "", FIND_WIRING, FINDING_WARNING, "no router" },
	{ "expanded", GOOD, "s router:\ntransport = ${if eq{a}{b}{x}{p}}\n", FIND_WIRING,
	  FINDING_OK, "router s" },
	{ "longer name", GOOD, "s router:\ntransport = pp\n", FIND_WIRING, FINDING_WARNING,
	  "no router" },
	{ "lmtp by pipe", PIPE "command = mxdirect --lmtp\n", ROUTER, FIND_WIRING, FINDING_FAILURE,
	  "pipe runs mxdirect --lmtp" },
	{ "pipe by lmtp", LMTP COMMAND, ROUTER, FIND_WIRING, FINDING_FAILURE,
	  "lmtp runs mxdirect" },
	{ "others", "a transport:\ndriver = smtp\n\nb transport:\ndriver = pipe\ncommand = \n",
	  ROUTER, FIND_WIRING, FINDING_WARNING, "no transport" },
	{ "not the program", PIPE "command = /bin/run /usr/sbin/mxdirect\n", ROUTER, FIND_WIRING,
	  FINDING_WARNING, "no transport" },
	{ "nothing", "", "", FIND_WIRING, FINDING_WARNING, "no transport" },
	{ "rubbish", "= x\n\n transport:\n\n\ntransport:\ncommand\ncommand =", "a\n", FIND_WIRING,
	  FINDING_WARNING, "no transport" },
	{ "user", GOOD, ROUTER, FIND_USER, FINDING_OK, "nobody" },
	{ "user of the router", "p transport:\ndriver = pipe\nuser = \n" COMMAND,
	  "r router:\ntransport = p\nuser = nobody\n", FIND_USER, FINDING_OK, "nobody" },
	{ "no user", "p transport:\ndriver = pipe\nuser = \n" COMMAND, ROUTER, FIND_USER,
	  FINDING_FAILURE, "not set" },
	{ "root", "p transport:\nuser = root\n" COMMAND, ROUTER, FIND_USER, FINDING_FAILURE,
	  "as root" },
};

static const struct wanted limits[] = {
	{ "one", GOOD, ROUTER, FIND_RECIPIENTS, FINDING_OK, "batch_max = 1" },
	{ "many by pipe", PIPE COMMAND "batch_max = 50\n", ROUTER, FIND_RECIPIENTS, FINDING_FAILURE,
	  "batch_max = 50" },
	{ "many by lmtp", GOOD_LMTP, ROUTER, FIND_RECIPIENTS, FINDING_OK, "batch_max = 50" },
	{ "one by lmtp", LMTP COMMAND ONE, ROUTER, FIND_RECIPIENTS, FINDING_WARNING,
	  "batch_max = 1" },
	{ "time", GOOD, ROUTER, FIND_TIME_LIMIT, FINDING_OK, "timeout = 30m is more" },
	{ "lmtp", GOOD_LMTP, ROUTER, FIND_TIME_LIMIT, FINDING_OK, "timeout = 30m is more" },
	{ "5m", LMTP COMMAND "timeout = 5m\n", ROUTER, FIND_TIME_LIMIT, FINDING_FAILURE,
	  "timeout = 5m is not more" },
	{ "just not", PIPE COMMAND "timeout = 25m\n", ROUTER, FIND_TIME_LIMIT, FINDING_FAILURE,
	  "25m is not more" },
	{ "just so", PIPE COMMAND "timeout = 25m1s\n", ROUTER, FIND_TIME_LIMIT, FINDING_OK,
	  "25m1s is more" },
	{ "long", PIPE COMMAND "timeout = 1w2d3h4m5s\n", ROUTER, FIND_TIME_LIMIT, FINDING_OK,
	  "is more" },
	{ "a bare number", PIPE COMMAND "timeout = 1600\n", ROUTER, FIND_TIME_LIMIT, FINDING_OK,
	  "is more" },
	{ "for ever", PIPE COMMAND "timeout = 0s\n", ROUTER, FIND_TIME_LIMIT, FINDING_OK,
	  "0s is more" },
	{ "no time", PIPE COMMAND "timeout = soon\n", ROUTER, FIND_TIME_LIMIT, FINDING_WARNING,
	  "soon is no time" },
	{ "no unit", PIPE COMMAND "timeout = 3x\n", ROUTER, FIND_TIME_LIMIT, FINDING_WARNING,
	  "is no time" },
	{ "none", PIPE COMMAND, ROUTER, FIND_TIME_LIMIT, FINDING_WARNING, "is no time" },
};

#define TO "command = /usr/sbin/mxdirect "

static const struct wanted arguments[] = {
	{ "good", GOOD, ROUTER, FIND_ARGUMENTS, FINDING_OK,
	  "-i $message_exim_id -- $pipe_addresses" },
	{ "in braces", PIPE TO "-- ${pipe_addresses}\n", ROUTER, FIND_ARGUMENTS, FINDING_OK,
	  "-- ${pipe_addresses}" },
	{ "untainted", PIPE TO "--config ${primary_hostname} -- $pipe_addresses\n", ROUTER,
	  FIND_ARGUMENTS, FINDING_OK, "" },
	{ "sender", PIPE TO "-f '$sender_address' -- $pipe_addresses\n", ROUTER, FIND_ARGUMENTS,
	  FINDING_FAILURE, "refuses $sender_address" },
	{ "return path", PIPE TO "-f ${return_path} -- $pipe_addresses\n", ROUTER, FIND_ARGUMENTS,
	  FINDING_FAILURE, "refuses ${return_path}" },
	{ "recipient", PIPE TO "-- $local_part@$domain\n", ROUTER, FIND_ARGUMENTS, FINDING_FAILURE,
	  "refuses $local_part@$domain" },
	{ "a part of a word", PIPE TO "-- <$pipe_addresses>\n", ROUTER, FIND_ARGUMENTS,
	  FINDING_FAILURE, "refuses <$pipe_addresses>" },
	{ "no dashes", PIPE TO "$pipe_addresses\n", ROUTER, FIND_ARGUMENTS, FINDING_FAILURE,
	  "no --" },
	{ "dashes behind", PIPE TO "$pipe_addresses --\n", ROUTER, FIND_ARGUMENTS, FINDING_FAILURE,
	  "no --" },
	{ "no addresses", PIPE TO "-i $message_exim_id\n", ROUTER, FIND_ARGUMENTS, FINDING_FAILURE,
	  "no --" },
	{ "shell", PIPE COMMAND "use_shell\n", ROUTER, FIND_ARGUMENTS, FINDING_FAILURE, "shell" },
	{ "environment", PIPE COMMAND "environment = A=b:SENDER=x\n", ROUTER, FIND_ARGUMENTS,
	  FINDING_FAILURE, "SENDER" },
	{ "another environment", PIPE COMMAND "environment = A=b\n", ROUTER, FIND_ARGUMENTS,
	  FINDING_OK, "" },
	{ "queue id", GOOD, ROUTER, FIND_QUEUE_ID, FINDING_OK, "told" },
	{ "long option", LMTP TO "--lmtp --queue-id=$message_exim_id\n", ROUTER, FIND_QUEUE_ID,
	  FINDING_OK, "told" },
	{ "no queue id", LMTP TO "--lmtp\n", ROUTER, FIND_QUEUE_ID, FINDING_FAILURE, "no -i" },
};

static const struct wanted rest[] = {
	{ "message", GOOD, ROUTER, FIND_MESSAGE, FINDING_OK, "as it is" },
	{ "message", GOOD_LMTP, ROUTER, FIND_MESSAGE, FINDING_OK, "as it is" },
	{ "prefix", PIPE COMMAND "message_prefix = From x\n", ROUTER, FIND_MESSAGE, FINDING_FAILURE,
	  "message_prefix = From x" },
	{ "suffix", PIPE COMMAND "message_suffix = \\n\n", ROUTER, FIND_MESSAGE, FINDING_FAILURE,
	  "message_suffix = \\n" },
	{ "check_string", PIPE COMMAND "check_string = From \n", ROUTER, FIND_MESSAGE,
	  FINDING_FAILURE, "check_string = From" },
	{ "bsmtp", PIPE COMMAND "use_bsmtp\n", ROUTER, FIND_MESSAGE, FINDING_FAILURE, "use_bsmtp" },
	{ "Return-Path", "p transport:\nreturn_path_add\n" COMMAND, ROUTER, FIND_MESSAGE,
	  FINDING_FAILURE, "return_path_add is set" },
	{ "defers", GOOD, ROUTER, FIND_DEFERS, FINDING_OK, "are set" },
	{ "no 127", PIPE COMMAND "temp_errors = 75:73\nfreeze_signal\ntimeout_defer\n", ROUTER,
	  FIND_DEFERS, FINDING_FAILURE, "temp_errors = 75:73" },
	{ "no 75", PIPE COMMAND "temp_errors = 127\nfreeze_signal\ntimeout_defer\n", ROUTER,
	  FIND_DEFERS, FINDING_FAILURE, "temp_errors = 127" },
	{ "all", PIPE COMMAND "temp_errors = *\nfreeze_signal\ntimeout_defer\n", ROUTER,
	  FIND_DEFERS, FINDING_WARNING, "69 is in temp_errors = *" },
	{ "69", PIPE COMMAND "temp_errors = 69 : 75 : 127\n", ROUTER, FIND_DEFERS, FINDING_WARNING,
	  "69 is in" },
	{ "signals", PIPE COMMAND "no_freeze_signal\n", ROUTER, FIND_DEFERS, FINDING_FAILURE,
	  "freeze_signal is not set" },
	{ "timeout", PIPE COMMAND "no_timeout_defer\n", ROUTER, FIND_DEFERS, FINDING_FAILURE,
	  "timeout_defer is not set" },
	{ "no status", PIPE COMMAND SAFE "ignore_status\n", ROUTER, FIND_DEFERS, FINDING_FAILURE,
	  "ignore_status is set" },
	{ "output", GOOD, ROUTER, FIND_OUTPUT, FINDING_OK, "are set" },
	{ "no output", PIPE COMMAND "return_fail_output\n", ROUTER, FIND_OUTPUT, FINDING_WARNING,
	  "log_output is not set" },
	{ "no reason", PIPE COMMAND "log_output\n", ROUTER, FIND_OUTPUT, FINDING_WARNING,
	  "return_fail_output is not set" },
	{ "output bounces", PIPE COMMAND SAY "return_output\n", ROUTER, FIND_OUTPUT,
	  FINDING_FAILURE, "return_output is set" },
};

static struct findings look(struct arena *a, struct page *p, const struct wanted *w,
			    const char **ret_user)
{
	struct findings f;
	struct config c;
	config_init(&c);
	c.deadline = 900 * 1000;
	c.final_timeout = 600 * 1000;
	*p = (struct page){ .out = stdout, .arena = a, .now = NOW };
	const struct exim_texts t = { span_of(w->transports), span_of(w->routers) };
	findings_init(&f, p);
	check_exim(&f, &c, &t, ret_user);
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

static void test_wiring(void)
{
	compare(wiring, sizeof(wiring) / sizeof(wiring[0]));
}

static void test_limits(void)
{
	compare(limits, sizeof(limits) / sizeof(limits[0]));
}

static void test_arguments(void)
{
	compare(arguments, sizeof(arguments) / sizeof(arguments[0]));
}

static void test_rest(void)
{
	compare(rest, sizeof(rest) / sizeof(rest[0]));
}

static void test_all(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	const char *user = NULL;
	struct page p;
	struct wanted w = { .transports = "x transport:\ndriver = smtp\n\n" GOOD GOOD_LMTP,
			    .routers = ROUTER "l router:\ntransport = l\n" };
	struct findings f = look(a, &p, &w, &user);
	CHECK("all is well", f.count[FINDING_OK] == 17 && f.count[FINDING_WARNING] == 0 &&
				     f.count[FINDING_FAILURE] == 0);
	CHECK_STR("about", f.first->about, "Exim transport p");
	CHECK_STR("user", user ? user : "", "nobody");
	w.transports = "p transport:\nuser = nosuchuser\n" COMMAND "\n" GOOD_LMTP;
	look(a, &p, &w, &user);
	CHECK_STR("the first that exists", user ? user : "", "nobody");
	w.transports = "";
	look(a, &p, &w, &user);
	CHECK("none", user == NULL);
	arena_close(a);
}

TEST_MAIN("ctl_check_exim", { "wiring", test_wiring }, { "limits", test_limits },
	  { "arguments", test_arguments }, { "rest", test_rest }, { "all", test_all })
