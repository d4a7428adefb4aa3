/* SPDX-License-Identifier: ISC */
/*
 * What mxdirect-sts, the program that fetches an MTA-STS policy, is asked and answers:
 *
 *   mxdirect-sts --ca FILE --resolve ADDRESS[,ADDRESS...] --seconds N DOMAIN
 *
 * FILE: PEM roots. ADDRESS: of mta-sts.DOMAIN, at most LIMIT_ADDRS, tried in this order; it asks no DNS. On descriptor 1, then the end:
 *
 *   "OK LENGTH\n" BYTES	the policy file, at most STS_BODY bytes
 *   "FETCH REASON\n"		the policy host cannot be reached or does not have it
 *   "WEBPKI REASON\n"		its certificate proves nothing (RFC 8461 section 3.3)
 *   "INVALID REASON\n"		what it has is no policy file: the media type, the size
 *
 * REASON is at most STS_REASON printable bytes. Before that, descriptor 2 takes what the loader has to say; it leads to the same pipe.
 * Anything else on the pipe counts as FETCH. The exit status says nothing. It dies with the program that started it.
 */
#ifndef STS_H
#define STS_H

#define STS_REASON  400
#define STS_SECONDS 60 /* RFC 8461 section 3.3 suggests one minute */
#define STS_OUTPUT  (16 + STS_BODY) /* the longest of all answers: "OK 65536\n" and the body */

#endif
