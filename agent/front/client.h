/* SPDX-License-Identifier: ISC */
/* The connection to an LMTP client, the host MTA: lines in, replies out. */
#ifndef FRONT_CLIENT_H
#define FRONT_CLIENT_H

#include "flow/caller.h"
#include "net/io.h"
#include "wire/lmtp.h"

#define CLIENT_REPLY_MS 60000 /* a host that does not read for so long is gone */

struct client {
	int in, out;
	struct io *io;
	bool gone; /* nobody reads what is said any more */
	bool too_long; /* in the midst of a line that is passed over */
	size_t at, len;
	char buf[64 * 1024];
};

void client_init(struct client *c, int in, int out, struct io *io);

enum client_got { CLIENT_LINE, CLIENT_TOO_LONG, CLIENT_EOF, CLIENT_TIMEOUT, CLIENT_STOPPED };

/* The next line, without its end (CRLF or LF), valid until the next call. TOO_LONG: one of more than LMTP_LINE octets was passed over. What
 * stands before EOF without a line end is no line. */
enum client_got client_line(struct client *c, struct deadline until, struct span *ret);

/* Some octets as they come, valid until the next call; LINE stands for "some". Those that are not wanted go back with client_unread(). */
enum client_got client_some(struct client *c, struct deadline until, struct span *ret);
void client_unread(struct client *c, size_t n);

/* All of it, within CLIENT_REPLY_MS; afterwards c->gone may be true. */
void client_say(struct client *c, struct span text);

/* Is the host there? It has gone if it reads no more, or if it has closed its side and left nothing unread. */
struct caller client_caller(struct client *c);

#endif
