/* SPDX-License-Identifier: ISC */
/*
 * TLS between the script of a connection and its socket. GnuTLS gets and leaves bytes in buffers,
 * so that slow, drip, pieces, deaf and all faults hit what is on the wire.
 */
#ifndef TOOLS_MXTLS_H
#define TOOLS_MXTLS_H

#include "story.h"

struct mxtls;

enum mxtls_say { MXTLS_MORE, MXTLS_DONE, MXTLS_FAILED };

/* Dies if `words` of "! tls WORDS" are none: called when a story is read. */
void mxtls_check(const char *words);

/* `in`: what has come so far; moved away. `out` gets what is to be sent, and must stay. */
struct mxtls *mxtls_open(const char *words, struct bytes *in, struct bytes *out);
enum mxtls_say mxtls_handshake(struct mxtls *t);
const char *mxtls_text(const struct mxtls *t); /* "TLS1.3 sni=a.test", or why it failed */

/* Bytes came; what they hold goes to `plain`. False: that was the end. */
bool mxtls_feed(struct mxtls *t, const void *p, size_t n, struct bytes *plain);
void mxtls_send(struct mxtls *t, const void *p, size_t n);
/* Something that is not TLS is on the wire: nothing said from now on is heard. */
void mxtls_break(struct mxtls *t);
bool mxtls_broken(const struct mxtls *t);
void mxtls_bye(struct mxtls *t);
void mxtls_free(struct mxtls *t); /* NULL is fine */

#endif
