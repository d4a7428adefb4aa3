/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "collector.h"

static void ready(void *self, short revents)
{
	(void)revents;
	collector_drain(self);
}

void collector_open(struct collector *c, struct loop *loop, const char *dir)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/tlsrpt", dir);
	unlink(at.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		die("no collector at %s", at.sun_path);
	c->watch = loop_add(loop, fd, POLLIN, ready, c);
}

void collector_drain(struct collector *c)
{
	char in[65536];
	ssize_t n;
	while (c->watch && (n = recv(c->watch->fd, in, sizeof(in), MSG_DONTWAIT)) >= 0) {
		bytes_add(&c->got, in, (size_t)n);
		bytes_add(&c->got, "\n", 1);
	}
}

void collector_close(struct collector *c)
{
	if (c->watch) {
		close(c->watch->fd);
		loop_drop(c->watch);
	}
	bytes_free(&c->got);
	c->watch = NULL;
}
