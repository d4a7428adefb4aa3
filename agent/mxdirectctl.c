/* SPDX-License-Identifier: ISC */
/* The operator's tool: command line, clock, exit status. */
#include <errno.h>
#include <unistd.h>

#include "front/ctl.h"

enum { FINE, FINDINGS, TROUBLE };

static int complain(const char *what)
{
	fprintf(stderr, "mxdirectctl: %s\n", what);
	return TROUBLE;
}

int main(int argc, char **argv)
{
	const char *no_color = getenv("NO_COLOR"); /* no-color.org */
	const struct ctl_call call = {
		.argc = argc,
		.argv = argv,
		.default_config = CONFIG_FILE,
		.version = VERSION,
		.now = time(NULL),
		.out = stdout,
		.bold = isatty(STDOUT_FILENO) && !(no_color && no_color[0]),
	};
	struct error err;
	bool findings;
	if (!ctl_run(&call, &findings, &err))
		return complain(err.text);
	if (fflush(stdout) || ferror(stdout))
		return complain(strerror(errno));
	return findings ? FINDINGS : FINE;
}
