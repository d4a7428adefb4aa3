/* SPDX-License-Identifier: ISC */
/* The operator's tool: command line, clock, exit status. */
#include <errno.h>
#include <limits.h>
#include <sys/random.h>
#include <unistd.h>

#include "front/ctl.h"

enum { FINE, FINDINGS, TROUBLE };

static int complain(const char *what)
{
	fprintf(stderr, "mxdirectctl: %s\n", what);
	return TROUBLE;
}

/* As a shell finds it; else where systems have it, of which PATH need not know. */
static const char *program(const char *name, char room[static PATH_MAX])
{
	const char *path = getenv("PATH");
	struct span rest = span_of(path), dir;
	while (span_cut(&rest, ':', &dir)) {
		int n = snprintf(room, PATH_MAX, "%.*s/%s", (int)dir.n, dir.p, name);
		if (dir.n > 0 && dir.p[0] == '/' && n < PATH_MAX && access(room, X_OK) == 0)
			return room;
	}
	snprintf(room, PATH_MAX, "/usr/sbin/%s", name);
	return room;
}

int main(int argc, char **argv)
{
	const char *no_color = getenv("NO_COLOR"); /* no-color.org */
	struct io io = { .clock = clock_system(), .stop_fd = -1 };
	uint8_t seed[16];
	char postconf[PATH_MAX], postmap[PATH_MAX], exim[PATH_MAX];
	const struct ctl_tools tools = {
		.io = &io,
		.sts_program = STS_PROGRAM,
		.spf_program = SPF_PROGRAM,
		.tls_module = TLS_MODULE,
		.postconf = program("postconf", postconf),
		.postmap = program("postmap", postmap),
		.exim = program("exim", exim),
		.seed = seed,
	};
	const struct ctl_call call = {
		.argc = argc,
		.argv = argv,
		.default_config = CONFIG_FILE,
		.version = VERSION,
		.now = time(NULL),
		.out = stdout,
		.bold = isatty(STDOUT_FILENO) && !(no_color && no_color[0]),
		.tools = &tools,
	};
	struct error err;
	bool findings;
	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return complain(strerror(errno));
	if (!ctl_run(&call, &findings, &err))
		return complain(err.text);
	if (fflush(stdout) || ferror(stdout))
		return complain(strerror(errno));
	return findings ? FINDINGS : FINE;
}
