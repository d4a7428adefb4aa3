/* SPDX-License-Identifier: ISC */
/* copy ADDRESS PORT RECIPIENT: standard input, already canonical and dot-stuffed, to an SMTP
 * server, with one read and one write for each piece: what a plain socket copy of these bytes
 * takes. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void give_up(const char *what)
{
	perror(what);
	_exit(75);
}

static void put(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t put = write(fd, p, n);
		if (put <= 0)
			give_up("write");
		p += put;
		n -= (size_t)put;
	}
}

static void expect(FILE *from, char digit)
{
	char line[2048];
	do {
		if (!fgets(line, sizeof(line), from) || line[0] != digit)
			give_up("unexpected reply");
	} while (line[3] == '-');
}

static int dial(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((unsigned short)strtol(port, NULL, 10)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		give_up("connect");
	return fd;
}

int main(int argc, char **argv)
{
	static char piece[65536];
	if (argc != 4)
		return 75;
	int fd = dial(argv[1], argv[2]);
	FILE *replies = fdopen(fd, "r");
	const char *said[] = { "EHLO host.lab.test\r\n", "MAIL FROM:<>\r\n", NULL, "DATA\r\n" };
	expect(replies, '2');
	for (int i = 0; i < 4; i++) {
		int n = said[i] ? snprintf(piece, sizeof(piece), "%s", said[i])
				: snprintf(piece, sizeof(piece), "RCPT TO:<%s>\r\n", argv[3]);
		put(fd, piece, (size_t)n);
		expect(replies, i < 3 ? '2' : '3');
	}
	for (ssize_t n; (n = read(STDIN_FILENO, piece, sizeof(piece))) > 0;)
		put(fd, piece, (size_t)n);
	put(fd, ".\r\n", 3);
	expect(replies, '2');
	put(fd, "QUIT\r\n", 6);
	return 0;
}
