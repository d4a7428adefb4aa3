/* SPDX-License-Identifier: ISC */
/*
 * What the guard (mxdirect) and the working part (mxdirect-agent) say to each other, over a SOCK_SEQPACKET socket pair that is
 * descriptor GUARD_FD in the agent. Each packet is ASCII text:
 *
 *   agent -> guard   "T MS"            kill me unless I am done MS milliseconds from now; replaces the limit before
 *                    "E MS"            my input has ended, or I have an answer; is the host there? the run may last MS from now
 *                    "C MS"            I am about to send the final dot; is the host there? MS from now is the new limit
 *                    "V STATUS LINE"   the verdict; the last packet
 *   guard -> agent   "y" or "n"        the answer to E and C; after "y" to C a death of the agent means "may have been delivered"
 *
 * When the host goes away, or the guard gets SIGTERM, SIGINT or SIGHUP, the agent gets SIGTERM: before the final dot it gives up, after
 * it it finishes. Descriptors 1 and 2 of the agent lead to the guard, never to the host.
 */
#ifndef GUARD_H
#define GUARD_H

#define GUARD_FD       3
#define GUARD_PACKET   640	/* a verdict and its status fit */
#define GUARD_START_MS 60000	/* limit before the agent has read its configuration */
#define GUARD_GRACE_MS 5000	/* from the verdict to the agent's own exit */

#endif
