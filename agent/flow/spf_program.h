/* SPDX-License-Identifier: ISC */
/* mxdirect-spf as it is seen from here: a packet goes in, an answer comes out, and it may ask for DNS in between (spfpacket.h). */
#ifndef FLOW_SPF_PROGRAM_H
#define FLOW_SPF_PROGRAM_H

#include <sys/types.h>

#include "base/buf.h"
#include "net/io.h"
#include "spfpacket.h"
#include "wire/dnsmsg.h"

/* Puts the records for a question into *out, which is empty. False with *err: the call fails with it. */
typedef bool spf_program_records(void *ctx, enum dns_type type, const char *name, struct buf *out,
				 struct error *err);

struct spf_program {
	struct io *io;
	struct deadline until;
	int fd; /* -1: not started */
	pid_t pid;
	spf_program_records *records;
	void *ctx;
	char packet[SPF_PACKET + 1]; /* the last one that came, and a NUL */
};

/* Start it. Fails TEMP 4.3.0. */
MUST_CHECK bool spf_program_open(struct spf_program *p, const char *path, struct error *err);
void spf_program_close(struct spf_program *p); /* also if it was not started */

/*
 * Send a packet, answer what it asks, and return its answer: *ret_text, behind the first byte, is "" or what stands there, and lasts until the
 * next call. Fails TEMP 4.3.0 with a sentence when it dies, says something else, or takes longer than `until`; TEMP 4.3.2 when stopped. It is
 * not to be called again after that.
 */
MUST_CHECK bool spf_program_call(struct spf_program *p, struct span packet, enum spf_packet *ret,
				 const char **ret_text, struct error *err);

#endif
