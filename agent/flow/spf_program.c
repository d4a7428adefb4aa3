/* SPDX-License-Identifier: ISC */
#include "flow/spf_program.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "flow/spawn.h"

#define LOCAL ESC(4, 3, 0)

bool spf_program_open(struct spf_program *p, const char *path, struct error *err)
{
	const char *const argv[] = { path, NULL };
	int pair[2];
	p->fd = -1;
	if (!path)
		return err_set(err, ERR_TEMP, LOCAL, "mxdirect-spf is not installed");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_set(err, ERR_TEMP, LOCAL, "socketpair: %s", strerror(errno));
	const int fds[3] = { pair[1], pair[1], pair[1] };
	int why = spawn_program(argv, fds, &p->pid);
	close(pair[1]);
	if (why) {
		close(pair[0]);
		return err_set(err, ERR_TEMP, LOCAL, "cannot run %s: %s", path, strerror(why));
	}
	p->fd = pair[0];
	return true;
}

void spf_program_close(struct spf_program *p)
{
	if (p->fd < 0)
		return;
	close(p->fd);
	spawn_end(p->pid);
	p->fd = -1;
}

/* It has closed its end: how did it die? */
static bool explain_end(struct spf_program *p, struct error *err)
{
	int status = spawn_end(p->pid);
	close(p->fd);
	p->fd = -1;
	if (WIFSIGNALED(status))
		return err_set(err, ERR_TEMP, LOCAL, "mxdirect-spf was killed by signal %d (%s)",
			       WTERMSIG(status), strsignal(WTERMSIG(status)));
	return err_set(err, ERR_TEMP, LOCAL, "mxdirect-spf ended with status %d",
		       WEXITSTATUS(status));
}

/* One packet is on the way at any time, so there is room for it, always. */
static bool send_packet(struct spf_program *p, struct span packet, struct error *err)
{
	ssize_t n = send(p->fd, packet.p, packet.n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == (ssize_t)packet.n)
		return true;
	if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
		return explain_end(p, err);
	return err_set(err, ERR_TEMP, LOCAL, "mxdirect-spf takes no packet: %s",
		       strerror(n < 0 ? errno : EMSGSIZE));
}

static bool receive(struct spf_program *p, size_t *ret, struct error *err)
{
	for (;;) {
		struct pollfd fd = { .fd = p->fd, .events = POLLIN };
		enum io_event event = io_poll(p->io, &fd, 1, p->until);
		if (event == IO_TIMEOUT)
			return err_set(err, ERR_TEMP, LOCAL, "mxdirect-spf did not end in time");
		if (event != IO_READY)
			return io_fail(event, err);
		ssize_t n = recv(p->fd, p->packet, SPF_PACKET, MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return explain_end(p, err);
		if (n < 0)
			return err_set(err, ERR_TEMP, LOCAL, "mxdirect-spf: %s", strerror(errno));
		*ret = n < SPF_PACKET ? (size_t)n : SPF_PACKET;
		p->packet[*ret] = '\0';
		return true;
	}
}

static bool say_garbage(const struct spf_program *p, struct error *err)
{
	return err_set(err, ERR_TEMP, LOCAL, "mxdirect-spf says \"%.200s\"", p->packet);
}

/* SPF_ASK: type, name, NUL. */
static bool answer_question(struct spf_program *p, size_t n, struct error *err)
{
	char storage[SPF_PACKET + 1];
	struct buf out;
	enum dns_type type = n > 2 ? (enum dns_type)(unsigned char)p->packet[1] : DNS_TXT;
	if (type != DNS_A && type != DNS_AAAA && type != DNS_MX && type != DNS_PTR)
		return say_garbage(p, err);
	buf_init(&out, storage, sizeof(storage));
	if (!p->records(p->ctx, type, p->packet + 2, &out, err))
		return false;
	return send_packet(p, buf_view(&out), err);
}

bool spf_program_call(struct spf_program *p, struct span packet, enum spf_packet *ret,
		      const char **ret_text, struct error *err)
{
	size_t n = 0;
	if (!send_packet(p, packet, err))
		return false;
	for (;;) {
		if (!receive(p, &n, err))
			return false;
		if (p->packet[0] != SPF_ASK)
			break;
		if (!answer_question(p, n, err))
			return false;
	}
	switch (p->packet[0]) {
	case SPF_DONE:
	case SPF_YES:
	case SPF_NO:
	case SPF_LATER:
	case SPF_BAD:
	case SPF_NAME:
		*ret = (enum spf_packet)p->packet[0];
		*ret_text = p->packet + 1;
		return true;
	default:
		return say_garbage(p, err);
	}
}
