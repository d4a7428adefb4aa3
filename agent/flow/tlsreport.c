/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "flow/tlsreport.h"

void tlsreport_send(struct arena *a, const struct services *sv, const struct tlsrpt_result *r)
{
	const char *path = sv->config->tlsrpt_socket;
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct buf datagram;
	if (!path[0] || !r->record || strlen(path) >= sizeof(to.sun_path))
		return;
	char *storage = ARENA_NEW(a, char, TLSRPT_DATAGRAM + 1);
	if (!storage)
		return;
	buf_init(&datagram, storage, TLSRPT_DATAGRAM + 1);
	memcpy(to.sun_path, path, strlen(path));

	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && tlsrpt_write(r, &datagram)) {
		struct span bytes = buf_view(&datagram);
		/* A full or missing collector loses this result; a delivery never waits for one. */
		(void)!sendto(fd, bytes.p, bytes.n, MSG_NOSIGNAL, (struct sockaddr *)&to,
			      sizeof(to));
	}
	if (fd >= 0)
		close(fd);
}
