/* SPDX-License-Identifier: ISC */
/* One connection with bounded buffers. Blocking in shape: each call takes a deadline and waits in io_poll(). */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "base/secure.h"
#include "base/span.h"
#include "net/io.h"

struct stream;

MUST_CHECK bool stream_open(int fd, struct io *io, struct stream **ret, struct error *err); /* owns fd, also on failure */
void stream_close(struct stream *s);							     /* NULL is fine */

/*
 * Send what is queued, then wait for at least one unread byte; *ret views the buffer until stream_eat() or the next call.
 * Fails TEMP 4.4.2 "lost connection", "timed out" or the system's reason; TEMP 4.3.2 when stopped; TEMP 4.5.0 for a buffer full of
 * bytes nobody eats.
 */
MUST_CHECK bool stream_peek(struct stream *s, struct deadline until, struct span *ret, struct error *err);
void stream_eat(struct stream *s, size_t n);

/* Is there anything unread, in the buffer or in the socket, a closed connection included? Does not wait. */
bool stream_pending(struct stream *s);

/* Queue bytes; what does not fit the queue is sent. Reads meanwhile, so that a server that talks while we send cannot deadlock us.
 * Fails as stream_peek(). When the connection is lost, what the server said before can still be peeked at. */
MUST_CHECK bool stream_write(struct stream *s, struct span bytes, struct deadline until, struct error *err);
MUST_CHECK bool stream_flush(struct stream *s, struct deadline until, struct error *err);
/* Send what is queued as far as it goes without waiting, and forget the rest: QUIT. */
void stream_flush_now(struct stream *s);

/*
 * Put a secure layer over the connection: handshake and proof until `until`. Bytes that are unread before it are an attack or a broken
 * server (RFC 3207 section 4.1): TEMP 4.5.0. TEMP 4.4.2 lost or timed out, otherwise the errors of secure_ops.handshake. *ret is filled
 * in any case (trouble says what). After a failure the stream can only be closed.
 */
MUST_CHECK bool stream_secure(struct stream *s, const struct secure_ops *ops, const struct secure_ask *ask, struct deadline until,
			      struct secure_facts *ret, struct error *err);

#endif
