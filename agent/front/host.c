/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/host.h"
#include "guard.h"

/* The guard answers at once; one that was stopped (SIGSTOP) may take this long. */
#define ANSWER_MS 10000

static bool send_packet(struct host *h, const char *packet)
{
	return h->fd >= 0 && send(h->fd, packet, strlen(packet), MSG_NOSIGNAL) >= 0;
}

static bool send_limit(struct host *h, char what, int64_t ms)
{
	char packet[GUARD_PACKET];
	snprintf(packet, sizeof(packet), "%c %lld", what,
		 (long long)(ms > 0 ? ms : 0) + HOST_SLACK_MS);
	return send_packet(h, packet);
}

bool host_open(int fd, struct host *ret, struct error *err)
{
	int type = 0;
	socklen_t n = sizeof(type);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) != 0 || type != SOCK_SEQPACKET)
		return err_set(err, ERR_INTERNAL, ESC(4, 3, 0),
			       "mxdirect-agent is started by mxdirect, not by hand");
	/* No child may keep the link open: its end tells the guard that we are gone. */
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return err_set(err, ERR_INTERNAL, ESC(4, 3, 0), "fcntl: %s", strerror(errno));
	ret->fd = fd;
	return true;
}

void host_limit(struct host *h, int64_t ms)
{
	send_limit(h, 'T', ms);
}

/* After a missing answer nothing is asked any more, since a late one would be taken for that to the
 * next question. */
static bool is_present(void *self, enum caller_when when, int64_t ms)
{
	struct host *h = self;
	char answer = 'n';
	if (!send_limit(h, when == CALLER_AT_COMMIT ? 'C' : 'E', ms))
		return false;
	struct pollfd p = { .fd = h->fd, .events = POLLIN };
	int ready;
	do
		ready = poll(&p, 1, ANSWER_MS);
	while (ready < 0 && errno == EINTR);
	if (ready > 0 && recv(h->fd, &answer, 1, MSG_DONTWAIT) == 1)
		return answer == 'y';
	h->fd = -1;
	return false;
}

struct caller host_caller(struct host *h)
{
	return (struct caller){ .present = is_present, .self = h };
}

void host_report(struct host *h, const struct report *r)
{
	char packet[GUARD_PACKET];
	snprintf(packet, sizeof(packet), "V %d %s", (int)r->status, r->line);
	send_packet(h, packet);
}
