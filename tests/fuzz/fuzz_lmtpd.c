/* SPDX-License-Identifier: ISC */
/*
 * What a host says from the first octet to the end of its connection; the first octet says what is
 * offered to it. The service ends when the input does, and all that it says are replies that hosts
 * can read. No domain has an address: DNS is refused, and so are all networks.
 */
#include <ctype.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "front/lmtpd.h"

#define REPLY_MOST 240

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int file_with(const uint8_t *data, size_t size)
{
	int fd = memfd_create("lmtp", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

/* A line of a reply, without its CRLF. */
static void check_line(const unsigned char *p, size_t n)
{
	if (n < 4 || n + 2 > REPLY_MOST || p[0] < '2' || p[0] > '5' || !isdigit(p[1]) ||
	    !isdigit(p[2]) || (p[3] != ' ' && p[3] != '-'))
		abort();
	for (size_t i = 0; i < n; i++)
		if (p[i] < ' ' || p[i] == 127)
			abort();
}

static void check_replies(int fd)
{
	off_t n = lseek(fd, 0, SEEK_END);
	char *said = malloc((size_t)n + 1), *p = said;
	if (!said || n < 3 || pread(fd, said, (size_t)n, 0) != n || memcmp(said, "220", 3) != 0)
		abort();
	while (p < said + n) {
		char *lf = memchr(p, '\n', (size_t)(said + n - p));
		if (!lf || lf == p || lf[-1] != '\r')
			abort();
		check_line((const unsigned char *)p, (size_t)(lf - p) - 1);
		p = lf + 1;
	}
	free(said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t seed[16] = { 1 };
	uint8_t offer = size ? data[0] : 0;
	const char *argv[] = {
		"mxdirect", "--lmtp",
		"-o",       "dns_servers=127.0.0.1:1",
		"-o",       "refused_networks=0.0.0.0/0,::/0",
		"-o",       "state_directory=",
		"-o",       "helo_name=client.test",
		"-o",       "mta_sts=no",
		"-o",       offer & 1 ? "lmtp_dsn=yes" : "lmtp_dsn=no",
		"-o",       offer & 2 ? "message_size_limit=100" : "line_length_limit=1000",
		NULL,
	};
	struct io io = { .clock = clock_system(), .stop_fd = -1 };
	struct lmtpd_run run = {
		.argc = sizeof(argv) / sizeof(argv[0]) - 1,
		.argv = (char **)argv,
		.default_config = "/nonexistent/mxdirect.conf",
		.tls_module = "/nonexistent/tls.so",
		.in = file_with(size ? data + 1 : data, size ? size - 1 : 0),
		.out = file_with(data, 0),
		.io = &io,
		.seed = seed,
	};
	lmtpd_serve(&run);
	check_replies(run.out);
	close(run.in);
	close(run.out);
	return 0;
}
