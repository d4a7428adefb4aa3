/* SPDX-License-Identifier: ISC */
/* dnsstub PORT ADDRESS [FIRST]: a name server on 127.0.0.1 for which every domain has one MX, "mx."
 * and the domain, with that one IPv4 address. Domains that begin with "first" have another one
 * before it, "mx1." and the domain, with the address FIRST. In C because its time is on the clock:
 * a local resolver with a warm cache takes about as much. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER  12
#define TYPE_A  1
#define TYPE_MX 15

/* The question's end, or 0 if it is not whole. */
static size_t question_end(const uint8_t *q, size_t n)
{
	size_t at = HEADER;
	while (at < n && q[at])
		at += 1 + (size_t)q[at];
	return at + 5 <= n ? at + 5 : 0;
}

static bool begins(const uint8_t *q, const char *label)
{
	size_t n = strlen(label);
	return q[HEADER] >= n && memcmp(q + HEADER + 1, label, n) == 0;
}

static uint8_t *put(uint8_t *out, const uint8_t *record, size_t n)
{
	memcpy(out, record, n);
	return out + n;
}

/* What there is of the type for the name asked for. */
static size_t answer(uint8_t *q, size_t end, const struct in_addr address[2])
{
	static const uint8_t mx1[] = { 0xc0, HEADER, 0, TYPE_MX, 0, 1,   0,   0,   0,    60,
				       0,    8,      0, 10,      3, 'm', 'x', '1', 0xc0, HEADER };
	static const uint8_t mx[] = { 0xc0, HEADER, 0, TYPE_MX, 0, 1,   0,   0,    0,     60,
				      0,    7,      0, 20,      2, 'm', 'x', 0xc0, HEADER };
	static const uint8_t a[] = { 0xc0, HEADER, 0, TYPE_A, 0, 1, 0, 0, 0, 60, 0, 4 };
	int type = q[end - 4] << 8 | q[end - 3];
	uint8_t *out = q + end, n = 0;
	if (type == TYPE_MX && begins(q, "first")) {
		out = put(out, mx1, sizeof(mx1));
		n++;
	}
	if (type == TYPE_MX) {
		out = put(out, mx, sizeof(mx));
		n++;
	} else if (type == TYPE_A) {
		out = put(out, a, sizeof(a));
		out = put(out, (const uint8_t *)&address[begins(q, "mx1")], 4);
		n++;
	}
	const uint8_t head[] = { 0x81, 0x80, 0, 1, 0, n, 0, 0, 0, 0 };
	memcpy(q + 2, head, sizeof(head));
	return (size_t)(out - q);
}

int main(int argc, char **argv)
{
	struct in_addr address[2] = { 0 };
	if (argc < 3 || inet_pton(AF_INET, argv[2], &address[0]) != 1 ||
	    (argc > 3 && inet_pton(AF_INET, argv[3], &address[1]) != 1))
		return 75;
	struct sockaddr_in here = { .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)strtol(argv[1], NULL, 10)),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(fd, (struct sockaddr *)&here, sizeof(here))) {
		perror("dnsstub: bind");
		return 75;
	}
	for (;;) {
		uint8_t q[2048];
		struct sockaddr_in peer;
		socklen_t size = sizeof(peer);
		ssize_t n = recvfrom(fd, q, 1024, 0, (struct sockaddr *)&peer, &size);
		size_t end = n > HEADER ? question_end(q, (size_t)n) : 0;
		if (end)
			sendto(fd, q, answer(q, end, address), 0, (struct sockaddr *)&peer, size);
	}
}
