/* SPDX-License-Identifier: ISC */
#include "front/ctl.h"

#include "ctl_print.h"

#define ARGS 200

struct run {
	struct print print;
	bool ok, findings;
	struct error err;
	const char *text;
};

/* Words at '|'; getopt may reorder them, so they are made anew each time. */
static void run(struct run *r, const char *words)
{
	static char text[4096];
	char *argv[ARGS];
	int argc = 0;
	snprintf(text, sizeof(text), "mxdirectctl%s%s", words[0] ? "|" : "", words);
	for (char *p = text; p && argc < ARGS - 1;) {
		char *bar = strchr(p, '|');
		if (bar)
			*bar++ = '\0';
		argv[argc++] = p;
		p = bar;
	}
	argv[argc] = NULL;
	*r = (struct run){ .findings = true };
	print_open(&r->print);
	const struct ctl_call call = {
		.argc = argc,
		.argv = argv,
		.default_config = "/nonexistent/mxdirect.conf",
		.version = "1.2.3",
		.now = NOW,
		.out = r->print.out,
	};
	r->ok = ctl_run(&call, &r->findings, &r->err);
	r->text = print_text(&r->print);
}

static void test_help(void)
{
	struct run r;
	size_t n, lines = 0;
	const struct ctl_command *c = ctl_commands(&n);
	run(&r, "--help");
	CHECK("help", r.ok && !r.findings);
	for (const char *p = r.text; *p; p++)
		lines += *p == '\n';
	CHECK("a screen", lines <= 24 && print_columns(r.text) <= 80);
	for (size_t i = 0; i < n; i++)
		CHECK(c[i].name, strstr(r.text, c[i].name) && strstr(r.text, c[i].help));
	print_close(&r.print);
	run(&r, "status|--help|--nonsense");
	CHECK("wherever it stands", r.ok && strncmp(r.text, "usage: ", 7) == 0);
	print_close(&r.print);
	run(&r, "--version");
	CHECK("version", r.ok && !r.findings);
	CHECK_STR("version", r.text, "mxdirectctl 1.2.3\n");
	print_close(&r.print);
}

static void test_usage(void)
{
	static const struct {
		const char *words, *text;
	} cases[] = {
		{ "", "there is no command" },
		{ "-c|/dev/null", "there is no command" },
		{ "state", "there is no command state" },
		{ "--json", "there is no command" },
		{ "status|-x", "unknown option -x" },
		{ "status|--nonsense", "unknown option --nonsense" },
		{ "status|--json=1", "no argument goes with --json=1" },
		{ "status|-c", "an argument is missing for -c" },
		{ "status|--option", "an argument is missing for -o" },
		{ "status|a|b", "too many arguments for status" },
		{ "forget", "an argument is missing for forget" },
		{ "forget|a|b", "too many arguments for forget" },
		{ "status|--to|a", "--to, --postfix and --exim do not go with status" },
		{ "check|--to", "an argument is missing for --to" },
		{ "plan|--postfix|/etc|a", "--to, --postfix and --exim do not go with plan" },
		{ "forget|--json|a", "--json does not go with forget" },
		{ "status|--probe", "--probe does not go with status" },
		{ "forget|--json|--probe|a", "--json does not go with forget" },
		{ "config|--probe", "--probe does not go with config" },
		{ "config|--size|1", "--size and --sender do not go with config" },
		{ "check|--sender=a@b.c", "--size and --sender do not go with check" },
		{ "plan|a|--size", "an argument is missing for --size" },
		{ "config|a|b", "too many arguments for config" },
		{ "plan", "an argument is missing for plan" },
		{ "plan|a|b", "too many arguments for plan" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char want[200];
		struct run r;
		snprintf(want, sizeof(want), "%s; see mxdirectctl --help", cases[i].text);
		run(&r, cases[i].words);
		CHECK(cases[i].words, !r.ok && r.err.class == ERR_CONFIG && r.text[0] == '\0');
		CHECK_STR(cases[i].words, r.err.text, want);
		print_close(&r.print);
	}
}

static void test_options(void)
{
	static const struct {
		const char *words, *error; /* NULL: none */
		bool findings;
	} cases[] = {
		{ "status|-o|state_directory=", NULL, false },
		{ "status|--config=/dev/null|--option=state_directory=", NULL, false },
		{ "-o|state_directory=|status|--json", NULL, false },
		{ "status|-o|state_directory=|x", NULL, true },
		{ "status|-o|state_directory=|--|-x", NULL, true },
		{ "forget|-o|state_directory=|--|--help", NULL, true },
		{ "status|-o|state_directory=/a|-o|state_directory=", NULL, false },
		{ "config", NULL, false },
		{ "config|-o|max_mx=7|--json|example.com", NULL, false },
		{ "config|-o|max_mx=x", "-o max_mx=x: ", false },
		{ "status|-o|nonsense=1", "-o nonsense=1: ", false },
		{ "status|-c|/nonexistent/x.conf|-o|state_directory=", "/nonexistent/x.conf",
		  false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *label = cases[i].words, *error = cases[i].error;
		struct run r;
		run(&r, label);
		CHECK(label, r.ok == !error);
		CHECK(label, error ? strncmp(r.err.text, error, strlen(error)) == 0
				   : r.findings == cases[i].findings);
		print_close(&r.print);
	}
}

static void test_many_options(void)
{
	char words[4096] = "status";
	struct run r;
	for (size_t i = 0, n = strlen(words); i < CTL_SET; i++)
		n += (size_t)snprintf(words + n, sizeof(words) - n, "|-ostate_directory=");
	run(&r, words);
	CHECK("as many as there may be", r.ok);
	print_close(&r.print);
	snprintf(words + strlen(words), 10, "|-oa=b");
	run(&r, words);
	CHECK("one more", !r.ok && strstr(r.err.text, "too many -o options"));
	print_close(&r.print);
}

TEST_MAIN("ctl", { "help", test_help }, { "usage", test_usage }, { "options", test_options },
	  { "many options", test_many_options })
