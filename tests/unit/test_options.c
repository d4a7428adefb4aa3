/* SPDX-License-Identifier: ISC */
#include "front/options.h"

#include "harness.h"

#define ARGS 200

struct command {
	char *argv[ARGS];
	int argc;
	char text[4096];
};

/* Words at '|'; getopt may reorder them, so they are made anew each time. */
static struct command *command(const char *words)
{
	static struct command c;
	snprintf(c.text, sizeof(c.text), "mxdirect%s%s", words ? "|" : "", words ? words : "");
	c.argc = 0;
	for (char *p = c.text; p && c.argc < ARGS - 1;) {
		char *bar = strchr(p, '|');
		if (bar)
			*bar++ = '\0';
		c.argv[c.argc++] = p;
		p = bar;
	}
	c.argv[c.argc] = NULL;
	return &c;
}

static bool parse(const char *words, const char *env, struct options *o, struct error *err)
{
	struct command *c = command(words);
	return options_parse(c->argc, c->argv, env, o, err);
}

static void test_good(void)
{
	static const struct {
		const char *words, *env;
		const char *sender, *recipient, *queue_id;
	} cases[] = {
		{ "-f|s@x|--|r@x", NULL, "s@x", "r@x", "" },
		{ "-f|s@x|r@x", NULL, "s@x", "r@x", "" },
		{ "-fs@x|-iQ|r@x", NULL, "s@x", "r@x", "Q" },
		{ "--sender=s@x|--queue-id|Q|--|r@x", NULL, "s@x", "r@x", "Q" },
		{ "r@x|-f|s@x", NULL, "s@x", "r@x", "" },
		{ "-f||--|r@x", NULL, "", "r@x", "" },
		{ "-f|<>|--|r@x", NULL, "<>", "r@x", "" },
		{ "--|r@x", "e@x", "e@x", "r@x", "" },
		{ "--|r@x", "", "", "r@x", "" },
		{ "-f|s@x|--|r@x", "e@x", "s@x", "r@x", "" },
		{ "-f|s@x|--|-f@x", NULL, "s@x", "-f@x", "" },
		{ "-f|s@x|--|--help", NULL, "s@x", "--help", "" },
		{ "-f|-s@x|--|", NULL, "-s@x", "", "" },
		{ "-f|a@x|-f|b@x|--|r@x", NULL, "b@x", "r@x", "" },
		{ "-i||-f|s|--|r", NULL, "s", "r", "" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct options o = { 0 };
		struct error err = { 0 };
		bool ok = parse(cases[i].words, cases[i].env, &o, &err);
		CHECK(cases[i].words, ok && err.class == ERR_NONE);
		if (!ok)
			continue;
		CHECK_STR(cases[i].words, o.sender, cases[i].sender);
		CHECK_STR(cases[i].words, o.recipient, cases[i].recipient);
		CHECK_STR(cases[i].words, o.queue_id, cases[i].queue_id);
		CHECK(cases[i].words, !o.verbose && !o.trace_file && !o.config_file && !o.nset);
	}
}

static void test_others(void)
{
	struct options o;
	struct error err;
	CHECK("all",
	      parse("-v|-c|/x.conf|-o|a=1|--option=b=|-o|c=x,y|--trace|/t|-f|s|r", NULL, &o, &err));
	CHECK("all", o.verbose && o.nset == 3);
	CHECK_STR("all", o.config_file, "/x.conf");
	CHECK_STR("all", o.trace_file, "/t");
	CHECK_STR("all", o.set[0], "a=1");
	CHECK_STR("all", o.set[1], "b=");
	CHECK_STR("all", o.set[2], "c=x,y");
	CHECK("long", parse("--verbose|--config=/y|-f|s|r", NULL, &o, &err));
	CHECK("long", o.verbose && o.nset == 0 && !o.trace_file);
	CHECK_STR("long", o.config_file, "/y");
}

static void test_bad(void)
{
	static const struct {
		const char *words, *env, *text;
	} cases[] = {
		{ NULL, "e@x", "there is no recipient; usage: mxdirect -f SENDER" },
		{ "-f|s@x|--", NULL, "there is no recipient" },
		{ "--|r@x", NULL, "there is no sender" },
		{ "-f|s|-x|r", NULL, "unknown option -x; usage" },
		{ "-f|s|--wrong|r", NULL, "unknown option --wrong; usage" },
		{ "-f|s|--verbose=1|r", NULL, "no argument goes with -v; usage" },
		{ "-f|s|--help=1|r", NULL, "unknown option --help=1; usage" },
		{ "--verbose|-vxv|r", NULL, "unknown option -x; usage" },
		{ "-f|s|r|-c", NULL, "an argument is missing for -c; usage" },
		{ "r|--config", NULL, "an argument is missing for -c; usage" },
		{ "r|-f|s|--trace", NULL, "an argument is missing for --trace; usage" },
		{ "--help|r", "s", "--help and --version stand alone" },
		{ "--version|r", "s", "--help and --version stand alone" },
		{ "-f|s|--|r|q", NULL,
		  "one recipient a run: set NAME_destination_recipient_limit = 1 (Postfix) or "
		  "batch_max = 1 (Exim)" },
		{ "a@x|b@x|c@x", NULL, "one recipient a run: set NAME_destination_" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct options o = { .recipient = "untouched" };
		struct error err = { 0 };
		const char *label = cases[i].words ? cases[i].words : "nothing";
		CHECK(label, !parse(cases[i].words, cases[i].env, &o, &err));
		CHECK(label, err.class == ERR_CONFIG && err.code.cls == 4 &&
				     err.code.subject == 3 && err.code.detail == 5);
		CHECK_STR(label, o.recipient, "untouched");
		bool found = strncmp(err.text, cases[i].text, strlen(cases[i].text)) == 0;
		if (!found)
			printf("\n    got: %s", err.text);
		CHECK(label, found);
	}
}

static void test_no_argv(void)
{
	char *none[] = { NULL };
	struct options o;
	struct error err;
	CHECK("argc 0", !options_parse(0, none, "s", &o, &err) && err.class == ERR_CONFIG);
}

static void test_many(void)
{
	char words[2000];
	struct options o;
	struct error err;
	for (int n = OPTIONS_SET; n <= OPTIONS_SET + 1; n++) {
		size_t len = (size_t)snprintf(words, sizeof(words), "-f|s");
		for (int i = 0; i < n; i++)
			len += (size_t)snprintf(words + len, sizeof(words) - len, "|-o|k=%d", i);
		snprintf(words + len, sizeof(words) - len, "|r");
		bool ok = parse(words, NULL, &o, &err);
		CHECK("as many as fit", ok == (n == OPTIONS_SET));
		CHECK("as many as fit", !ok || o.nset == OPTIONS_SET);
	}
	CHECK("too many", strncmp(err.text, "too many -o options", 19) == 0);
}

static void test_lmtp(void)
{
	static const struct {
		const char *words, *queue_id, *trace, *error; /* error NULL: fine */
	} cases[] = {
		{ "--lmtp", "", NULL, NULL },
		{ "--lmtp|-i|Q1", "Q1", NULL, NULL },
		{ "--lmtp|--", "", NULL, NULL },
		{ "--lmtp|--trace|/t|-c|/x.conf|-o|a=1", "", "/t", NULL },
		{ "--lmtp|-f|s@x", NULL, NULL, "--lmtp takes no sender and no recipient" },
		{ "--lmtp|-f|", NULL, NULL, "--lmtp takes no sender and no recipient" },
		{ "--lmtp|r@x", NULL, NULL, "--lmtp takes no sender and no recipient" },
		{ "--lmtp|--|r@x", NULL, NULL, "--lmtp takes no sender and no recipient" },
		{ "--lmtp|-i", NULL, NULL, "an argument is missing for -i" },
		{ "--lmtp=1", NULL, NULL, "unknown option --lmtp=1" },
		{ "--lmtp|-x", NULL, NULL, "unknown option -x" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *label = cases[i].words;
		struct options o = { .recipient = "untouched" };
		struct error err = { 0 };
		bool ok = parse(label, "e@x", &o, &err); /* what SENDER says has no say */
		CHECK(label, ok == !cases[i].error);
		if (!ok) {
			CHECK(label, err.class == ERR_CONFIG && err.code.detail == 5);
			CHECK(label, cases[i].error && strstr(err.text, cases[i].error));
			CHECK_STR(label, o.recipient, "untouched");
			continue;
		}
		CHECK(label, o.lmtp && !o.sender && !o.recipient);
		CHECK_STR(label, o.queue_id, cases[i].queue_id);
		CHECK(label, !o.trace_file == !cases[i].trace);
	}
	struct options o = { .lmtp = true };
	struct error err;
	CHECK("not said", parse("-f|s|r", NULL, &o, &err) && !o.lmtp);
}

TEST_MAIN("options", { "lmtp", test_lmtp }, { "good", test_good }, { "others", test_others },
	  { "bad", test_bad }, { "no argv", test_no_argv }, { "many", test_many })
