/* SPDX-License-Identifier: ISC */
/* Every bound of the program, with its reason. Nothing foreign is stored without one of these. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define LIMIT_ERR_TEXT	   480	   /* a sentence with a quoted reply in it; a report takes 500 */
#define LIMIT_DOMAIN	   255	   /* RFC 1035 section 2.3.4 */
#define LIMIT_LOCAL	   1024	   /* RFC 5321 4.5.3.1.1 says 64; hosts let longer ones in */
#define LIMIT_RCPTS	   1000	   /* RFC 5321 4.5.3.1.8 asks for 100; LMTP hosts batch more */
#define LIMIT_COMMAND	   2048	   /* RFC 5321 4.5.3.1.4 says 512; parameters make it longer */
#define LIMIT_BURST	   100	   /* pipelined commands that wait for replies at one time */
#define LIMIT_BURST_BYTES  4096	   /* their bytes: less than any socket buffer, so nobody deadlocks */
#define LIMIT_REPLY_LINE   2048	   /* RFC 5321 4.5.3.1.5 says 512; real servers exceed it */
#define LIMIT_REPLY_LINES  128	   /* today's EHLO replies have fewer than 40 */
#define LIMIT_REPLY_TEXT   2048	   /* what is kept of a reply: a whole EHLO reply of today */
#define LIMIT_MX	   20	   /* hosts considered (max_mx); a 100-MX answer costs no more than this */
#define LIMIT_ADDRS	   16	   /* addresses of one host (max_addresses) */
#define LIMIT_DNS_RRS	   256	   /* records kept of one answer */
#define LIMIT_DNS_MESSAGE  65535   /* RFC 1035 section 4.2.2 */
#define LIMIT_DNS_INFLIGHT 96	   /* lookups under way: A, AAAA and TLSA of LIMIT_MX hosts, and some */
#define LIMIT_CNAMES	   16	   /* links of a CNAME chain */
#define LIMIT_LIST	   64	   /* items of a list in the configuration */
#define LIMIT_BROKEN_TLS   12	   /* addresses remembered for a plain session when nothing else is left */
#define LIMIT_CONFIG_FILE  (1024 * 1024) /* bytes of a configuration file */
#define LIMIT_LOG_LINE	   2000	   /* syslog daemons cut near 2048 */
#define LIMIT_REPORT	   500	   /* Postfix keeps 4096, logs 2000, shows 100 on success */
#define LIMIT_SPOOL_MEMORY (512 * 1024) /* a larger message goes to an unlinked file */
#define LIMIT_ARENA	   (16u * 1024 * 1024) /* values of one delivery; a 64 KiB DNS answer takes 1 MiB */
#define LIMIT_MIN_RATE	   500	   /* bytes a second that a server must take of a message */

#endif
