/* SPDX-License-Identifier: ISC */
/* The working part: started by the guard (guard.h), tells it the answer, and prints nothing. */
#include <errno.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "front/host.h"
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

/* False: it never began. */
static bool deliver(int argc, char **argv, struct host *host, struct error *err)
{
	uint8_t seed[16];
	struct io io = { .clock = clock_system() };
	if (!open_stop(&io.stop_fd, err))
		return false;
	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return err_set(err, ERR_INTERNAL, ESC(4, 3, 0), "getrandom: %s", strerror(errno));
	const struct pipe_run run = {
		.argc = argc,
		.argv = argv,
		.environment_sender = getenv("SENDER"),
		.default_config = CONFIG_FILE,
		.sts_program = STS_PROGRAM,
		.tls_module = TLS_MODULE,
		.message_fd = STDIN_FILENO,
		.io = &io,
		.host = host,
		.seed = seed,
	};
	pipe_deliver(&run);
	return true;
}

int main(int argc, char **argv)
{
	struct host host;
	struct error err;
	if (!host_open(GUARD_FD, &host, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_LATER;
	}
	umask(077);
	if (!deliver(argc, argv, &host, &err)) {
		const struct report report = report_error(&err);
		host_report(&host, &report);
	}
	return 0;
}
