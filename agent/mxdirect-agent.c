/* SPDX-License-Identifier: ISC */
/* The working part: started by the guard (guard.h). For one message it tells it the answer and
 * prints nothing; with --lmtp it has taken the guard's place, and its standard input and output are
 * the host's. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "front/host.h"
#include "front/lmtpd.h"
#include "front/pipe.h"
#include "guard.h"

/* Readable once the run is to be given up. Hosts hand over these signals ignored. */
static bool open_stop(int *ret, struct error *err)
{
	static const int stops[] = { SIGTERM, SIGINT, SIGHUP };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		sigaddset(&set, stops[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		signal(stops[i], SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_set(err, ERR_INTERNAL, ESC(4, 3, 0), "signalfd: %s", strerror(errno));
	*ret = fd;
	return true;
}

struct beginning {
	struct io io;
	uint8_t seed[16];
};

static bool begin(struct beginning *b, struct error *err)
{
	umask(077); /* hosts hand over what they like */
	b->io = (struct io){ .clock = clock_system() };
	if (!open_stop(&b->io.stop_fd, err))
		return false;
	if (getrandom(b->seed, sizeof(b->seed), 0) != (ssize_t)sizeof(b->seed))
		return err_set(err, ERR_INTERNAL, ESC(4, 3, 0), "getrandom: %s", strerror(errno));
	return true;
}

static void deliver(int argc, char **argv, struct host *host)
{
	struct beginning b;
	struct error err;
	if (!begin(&b, &err)) {
		const struct report report = report_error(&err);
		host_report(host, &report);
		return;
	}
	const struct pipe_run run = {
		.argc = argc,
		.argv = argv,
		.environment_sender = getenv("SENDER"),
		.default_config = CONFIG_FILE,
		.sts_program = STS_PROGRAM,
		.spf_program = SPF_PROGRAM,
		.tls_module = TLS_MODULE,
		.message_fd = STDIN_FILENO,
		.io = &b.io,
		.host = host,
		.seed = b.seed,
	};
	pipe_deliver(&run);
}

/* What one message needed will be needed by the next: not given back to the system in between. */
#define KEPT_MEMORY (1024 * 1024)

/* A host that is told nothing tries again. */
static int serve(int argc, char **argv)
{
	struct beginning b;
	struct error err;
	if (!begin(&b, &err))
		return EXIT_LATER;
	mallopt(M_TRIM_THRESHOLD, KEPT_MEMORY);
	mallopt(M_MMAP_THRESHOLD, KEPT_MEMORY);
	const struct lmtpd_run run = {
		.argc = argc,
		.argv = argv,
		.default_config = CONFIG_FILE,
		.sts_program = STS_PROGRAM,
		.spf_program = SPF_PROGRAM,
		.tls_module = TLS_MODULE,
		.in = STDIN_FILENO,
		.out = STDOUT_FILENO,
		.io = &b.io,
		.seed = b.seed,
	};
	lmtpd_serve(&run);
	return 0;
}

int main(int argc, char **argv)
{
	struct host host;
	struct error err;
	if (argc > 1 && strcmp(argv[1], "--lmtp") == 0)
		return serve(argc, argv);
	if (!host_open(GUARD_FD, &host, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_LATER;
	}
	deliver(argc, argv, &host);
	return 0;
}
