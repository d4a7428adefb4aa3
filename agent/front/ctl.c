/* SPDX-License-Identifier: ISC */
#include <getopt.h>

#include "front/ctl.h"
#include "front/ctl_check.h"
#include "front/ctl_forget.h"
#include "front/ctl_plan.h"
#include "front/ctl_settings.h"
#include "front/ctl_status.h"

enum {
	OPTION_JSON = 256,
	OPTION_PROBE,
	OPTION_TO,
	OPTION_POSTFIX,
	OPTION_EXIM,
	OPTION_SIZE,
	OPTION_SENDER,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "option", required_argument, NULL, 'o' },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "probe", no_argument, NULL, OPTION_PROBE },
	{ "to", required_argument, NULL, OPTION_TO },
	{ "postfix", required_argument, NULL, OPTION_POSTFIX },
	{ "exim", required_argument, NULL, OPTION_EXIM },
	{ "size", required_argument, NULL, OPTION_SIZE },
	{ "sender", required_argument, NULL, OPTION_SENDER },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

static const struct ctl_command commands[] = {
	{ "plan", "[--size N] [--sender ADDRESS] [--probe] [--json] DOMAIN | ADDRESS",
	  "      What a delivery would do now, of a message of that size and sender:\n"
	  "      routes, hosts, addresses, TLS demanded, order; --probe connects to\n"
	  "      each of them, says EHLO, starts TLS, logs in, and leaves.\n",
	  CTL_JSON | CTL_PROBE | CTL_MAIL, 1, 1, ctl_plan },
	{ "check", "[--to HOST[:PORT]] [--postfix DIR] [--exim FILE] [--json] [SENDER]...",
	  "      Is this machine fit to send, also for these senders? What to do if not.\n",
	  CTL_JSON | CTL_CHECK, 0, SIZE_MAX, ctl_check },
	{ "status", "[--json] [MESSAGE | HOST | DOMAIN]",
	  "      What mxdirect remembers: messages that wait and why, failing domains,\n"
	  "      hosts in trouble, MTA-STS policies; or everything about one of them.\n",
	  CTL_JSON, 0, 1, ctl_status },
	{ "forget", "MESSAGE | HOST | DOMAIN",
	  "      Remove what is remembered about it, so that it is tried anew.\n", 0, 1, 1,
	  ctl_forget },
	{ "config", "[--json] [DOMAIN]",
	  "      Each key of the configuration, its value, and where that comes from.\n", CTL_JSON,
	  0, 1, ctl_settings },
};

const struct ctl_command *ctl_commands(size_t *ret_n)
{
	*ret_n = sizeof(commands) / sizeof(commands[0]);
	return commands;
}

static void help(FILE *out)
{
	fputs("usage: mxdirectctl COMMAND [-c FILE] [-o KEY=VALUE]... [ARGUMENT]\n\n", out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %s %s\n%s", commands[i].name, commands[i].synopsis,
			commands[i].help);
	fputs("\n"
	      "  -c, --config FILE        read FILE instead of the default configuration\n"
	      "  -o, --option KEY=VALUE   set one key of the configuration; wins over the file\n"
	      "      --json               for programs; the schema is in the manual\n"
	      "      --help, --version    show this, or the version\n"
	      "\n"
	      "A MESSAGE is a queue id of the host MTA. A HOST is a name or an address.\n"
	      "Exit status: 0 fine, 1 findings, 2 usage or an error.\n"
	      "See mxdirectctl(8).\n",
	      out);
}

static bool usage(struct error *err, const char *what, const char *word)
{
	return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "%s%s; see mxdirectctl --help", what, word);
}

/* getopt's own state: what it complains about is a letter, or the argument before the next one. */
static bool refused(const struct ctl_call *call, int how, struct error *err)
{
	const char letter[] = { '-', (char)optopt, '\0' };
	bool is_letter = optopt > 0 && optopt < 256;
	const char *word = is_letter ? letter : call->argv[optind - 1];
	if (how == ':')
		return usage(err, "an argument is missing for ", word);
	return usage(err, optopt >= 256 ? "no argument goes with " : "unknown option ", word);
}

/* *ret_alone: --help or --version, with which the rest does not count. */
static bool parse(const struct ctl_call *call, struct ctl *c, int *ret_alone, struct error *err)
{
	int option;
	optind = 0; /* GNU: begin anew, whatever was parsed before. */
	opterr = 0;
	while ((option = getopt_long(call->argc, call->argv, ":c:o:", longs, NULL)) != -1) {
		if (option == '?' || option == ':')
			return refused(call, option, err);
		if (option == OPTION_HELP || option == OPTION_VERSION) {
			*ret_alone = option;
			return true;
		}
		if (option == 'o' && c->nset == CTL_SET)
			return usage(err, "too many -o options", "");
		if (option == 'o')
			c->set[c->nset++] = optarg;
		if (option == OPTION_JSON)
			c->flags |= CTL_JSON;
		if (option == OPTION_PROBE)
			c->flags |= CTL_PROBE;
		if (option == OPTION_TO || option == OPTION_POSTFIX || option == OPTION_EXIM)
			c->flags |= CTL_CHECK;
		if (option == OPTION_SIZE || option == OPTION_SENDER)
			c->flags |= CTL_MAIL;
		if (option == OPTION_TO)
			c->to = optarg;
		if (option == OPTION_POSTFIX)
			c->postfix = optarg;
		if (option == OPTION_SIZE)
			c->size = optarg;
		if (option == OPTION_SENDER)
			c->sender = optarg;
		if (option == OPTION_EXIM)
			c->exim = optarg;
		if (option == 'c') {
			c->config_file = optarg;
			c->config_demanded = true;
		}
	}
	return true;
}

static const char *foreign(unsigned flags)
{
	if (flags & CTL_JSON)
		return "--json does not go with ";
	if (flags & CTL_PROBE)
		return "--probe does not go with ";
	return flags & CTL_MAIL ? "--size and --sender do not go with "
				: "--to, --postfix and --exim do not go with ";
}

/* NULL: *err tells. */
static const struct ctl_command *find(const struct ctl *c, const char *name, struct error *err)
{
	const struct ctl_command *command = commands;
	const struct ctl_command *end = commands + sizeof(commands) / sizeof(commands[0]);
	const char *wrong = NULL;
	while (command < end && strcmp(command->name, name) != 0)
		command++;
	if (command == end)
		wrong = "there is no command ";
	else if (c->flags & ~command->flags)
		wrong = foreign(c->flags & ~command->flags);
	else if (c->noperand < command->least)
		wrong = "an argument is missing for ";
	else if (c->noperand > command->most)
		wrong = "too many arguments for ";
	if (!wrong)
		return command;
	usage(err, wrong, name);
	return NULL;
}

bool ctl_run(const struct ctl_call *call, bool *ret_findings, struct error *err)
{
	struct ctl c = {
		.config_file = call->default_config,
		.now = call->now,
		.out = call->out,
		.bold = call->bold,
		.tools = call->tools,
	};
	int alone = 0;
	if (!parse(call, &c, &alone, err))
		return false;
	if (alone) {
		if (alone == OPTION_HELP)
			help(call->out);
		else
			fprintf(call->out, "mxdirectctl %s\n", call->version);
		*ret_findings = false;
		return true;
	}
	if (optind >= call->argc)
		return usage(err, "there is no command", "");
	const char *name = call->argv[optind];
	c.operand = call->argv + optind + 1;
	c.noperand = (size_t)(call->argc - optind - 1);
	const struct ctl_command *command = find(&c, name, err);
	if (!command)
		return false;
	struct arena *a = arena_open(CTL_ARENA);
	if (!a)
		return err_nomem(err);
	bool ok = command->run(a, &c, ret_findings, err);
	arena_close(a);
	return ok;
}

bool ctl_load(struct arena *a, const struct ctl *c, struct settings **ret, struct error *err)
{
	const struct settings_source from = {
		.file = c->config_file,
		.file_demanded = c->config_demanded,
		.option = c->set,
		.noption = c->nset,
	};
	return settings_load(a, &from, ret, err);
}

bool ctl_config(struct arena *a, const struct ctl *c, struct config *ret, struct error *err)
{
	struct settings *s;
	return ctl_load(a, c, &s, err) && settings_for(a, s, NULL, ret, err);
}
