/* SPDX-License-Identifier: ISC */
#include <getopt.h>

#include "front/options.h"

#define USAGE                                                                                      \
	"usage: mxdirect -f SENDER [-i QUEUE-ID] [-c FILE] [-o KEY=VALUE]... [-v] [--trace FILE] " \
	"-- RECIPIENT"

enum { OPTION_TRACE = 256, OPTION_LMTP, OPTION_ALONE };

static const struct option longs[] = {
	{ "sender", required_argument, NULL, 'f' },
	{ "queue-id", required_argument, NULL, 'i' },
	{ "config", required_argument, NULL, 'c' },
	{ "option", required_argument, NULL, 'o' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "trace", required_argument, NULL, OPTION_TRACE },
	{ "lmtp", no_argument, NULL, OPTION_LMTP },
	{ "help", no_argument, NULL, OPTION_ALONE },
	{ "version", no_argument, NULL, OPTION_ALONE },
	{ NULL, 0, NULL, 0 },
};

static bool usage(struct error *err, const char *what, const char *word)
{
	return err_set(err, ERR_CONFIG, ESC(4, 3, 5), "%s%s; " USAGE, what, word);
}

static bool take(struct options *o, int option, struct error *err)
{
	switch (option) {
	case 'f':
		o->sender = optarg;
		return true;
	case 'i':
		o->queue_id = optarg;
		return true;
	case 'c':
		o->config_file = optarg;
		return true;
	case 'o':
		if (o->nset == OPTIONS_SET)
			return usage(err, "too many -o options", "");
		o->set[o->nset++] = optarg;
		return true;
	case 'v':
		o->verbose = true;
		return true;
	case OPTION_TRACE:
		o->trace_file = optarg;
		return true;
	case OPTION_LMTP:
		o->lmtp = true;
		return true;
	default:
		return usage(err, "--help and --version stand alone", "");
	}
}

/* getopt's own state: what it complains about is a letter, or the argument before the next one. */
static bool refused(int argc, char **argv, int how, struct error *err)
{
	const char letter[] = { '-', (char)optopt, '\0' };
	bool is_letter = optopt > 0 && optopt < 256;
	const char *word = is_letter                      ? letter
			   : optind > 0 && optind <= argc ? argv[optind - 1]
							  : "";
	const char *what = how == ':' ? "an argument is missing for " : "unknown option ";
	if (how == '?' && optopt == 'v') /* --verbose=1 */
		what = "no argument goes with ";
	return usage(err, what, word);
}

bool options_parse(int argc, char **argv, const char *environment_sender, struct options *ret,
		   struct error *err)
{
	struct options o = { .sender = NULL, .queue_id = "" };
	int c;
	optind = 0; /* GNU: begin anew, whatever was parsed before. */
	opterr = 0; /* Nothing but the report may be said. */
	while ((c = getopt_long(argc, argv, ":f:i:c:o:v", longs, NULL)) != -1) {
		if (c == '?' || c == ':')
			return refused(argc, argv, c, err);
		if (!take(&o, c, err))
			return false;
	}
	if (o.lmtp) {
		if (o.sender || optind < argc)
			return usage(err, "--lmtp takes no sender and no recipient", "");
		*ret = o;
		return true;
	}
	if (optind >= argc)
		return usage(err, "there is no recipient", "");
	if (argc - optind > 1)
		return err_set(err, ERR_CONFIG, ESC(4, 3, 5),
			       "one recipient a run: set NAME_destination_recipient_limit = 1 "
			       "(Postfix) or batch_max = 1 (Exim)");
	if (!o.sender)
		o.sender = environment_sender;
	if (!o.sender)
		return usage(err, "there is no sender", "");
	o.recipient = argv[optind];
	*ret = o;
	return true;
}

struct settings_source options_source(const struct options *o, const char *default_config)
{
	return (struct settings_source){
		.file = o->config_file ? o->config_file : default_config,
		.file_demanded = o->config_file != NULL,
		.option = o->set,
		.noption = o->nset,
	};
}
