/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "owner.h"
#include "play.h"

static uint16_t port_of(int fd, int (*name)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	if (name(fd, (struct sockaddr *)&ss, &len) != 0)
		return 0;
	return ntohs(((struct sockaddr_in *)(void *)&ss)->sin_port); /* the same place in IPv6 */
}

/* The inode of the socket from port `from` to port `to` in /proc/net/tcp; 0: it is not there. */
static unsigned long inode_in(const char *path, unsigned from, unsigned to)
{
	char line[512];
	unsigned local, remote;
	unsigned long inode, found = 0;
	FILE *f = fopen(path, "r");
	while (f && !found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %*x %*s %*s %*x %*d %*d %lu",
			   &local, &remote, &inode) == 3 &&
		    local == from && remote == to)
			found = inode;
	}
	if (f)
		fclose(f);
	return found;
}

/* Does the process have the socket among its descriptors? */
static bool holds(pid_t pid, unsigned long inode)
{
	char *path = xprintf("/proc/%d/fd", (int)pid), *want = xprintf("socket:[%lu]", inode);
	char target[64];
	const struct dirent *e;
	bool found = false;
	DIR *d = opendir(path);
	while (d && !found && (e = readdir(d))) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		found = strcmp(target, want) == 0;
	}
	if (d)
		closedir(d);
	free(path);
	free(want);
	return found;
}

/* Some process of the session that mxdirect was started in. */
static bool session_holds(pid_t session, unsigned long inode)
{
	const struct dirent *e;
	bool found = false;
	DIR *d = opendir("/proc");
	while (d && !found && (e = readdir(d))) {
		pid_t pid = isdigit((unsigned char)e->d_name[0])
				    ? (pid_t)strtol(e->d_name, NULL, 10)
				    : 0;
		found = pid > 0 && getsid(pid) == session && holds(pid, inode);
	}
	if (d)
		closedir(d);
	return found;
}

struct child *owner_of(struct run *r, int fd)
{
	struct child *first = &r->child[r->first];
	if (r->nchild - r->first == 1)
		return first;
	unsigned from = port_of(fd, getpeername), to = port_of(fd, getsockname);
	unsigned long inode = inode_in("/proc/net/tcp", from, to);
	if (!inode)
		inode = inode_in("/proc/net/tcp6", from, to);
	for (size_t i = r->first; inode && i < r->nchild; i++) {
		if (session_holds(r->child[i].pid, inode))
			return &r->child[i];
	}
	return first;
}
