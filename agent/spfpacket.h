/* SPDX-License-Identifier: ISC */
/*
 * What mxdirect-spf, the program that lets libspf2 evaluate single terms of an SPF record, is asked and answers. Both talk in packets
 * over a SOCK_SEQPACKET pair, which is the program's descriptor 0; one byte says what a packet is, and strings end with a NUL. The
 * records themselves, include, redirect, all and every count stay with the one that asks: the program gets nothing else to work on.
 *
 * Asked, first SPF_START, then any of the others as often as it pleases:
 *
 *	SPF_START SOURCE LOCAL DOMAIN HELO	for whom; SOURCE is an IP address	-> SPF_DONE
 *	SPF_CHECK TERM...			is each well-formed?			-> SPF_DONE, SPF_BAD
 *	SPF_MATCH DOMAIN MECHANISM		in the record of DOMAIN			-> SPF_YES, SPF_NO, SPF_LATER, SPF_BAD
 *	SPF_EXPAND DOMAIN TERM			include or redirect: where to?		-> SPF_NAME, SPF_LATER, SPF_BAD
 *
 * Answered:
 *
 *	SPF_DONE, SPF_YES, SPF_NO
 *	SPF_LATER	a question was not answered (who asks need not let it come to that)
 *	SPF_BAD REASON	at most SPF_REASON bytes, to be made printable
 *	SPF_NAME NAME
 *
 * Before its answer it may ask: SPF_ASK, a byte with the type, NAME. The type is A, AAAA, MX or PTR. It gets SPF_RECORDS, a byte with the
 * enum dns_state (not DNS_PENDING), and the records: 4 or 16 bytes each, or strings.
 *
 * What the loader has to say on descriptors 1 and 2 comes over the pair, too, as packets that are none of these. It ends when the other
 * end is closed, and dies with the program that started it.
 */
#ifndef SPFPACKET_H
#define SPFPACKET_H

enum spf_packet {
	SPF_START = 'S',
	SPF_CHECK = 'C',
	SPF_MATCH = 'M',
	SPF_EXPAND = 'X',
	SPF_RECORDS = 'R',

	SPF_DONE = 'd',
	SPF_YES = 'y',
	SPF_NO = 'n',
	SPF_LATER = 'l',
	SPF_BAD = 'b',
	SPF_NAME = 'e',
	SPF_ASK = 'q',
};

#define SPF_SECONDS    5    /* for an evaluation; RFC 7208 section 4.6.4 grants a receiver 20 */
#define SPF_PACKET     8192 /* a record of SPF_RECORD_MOST as terms; LIMIT_DNS_RRS IPv6 addresses take 4096 */
#define SPF_REASON     200
#define SPF_MX_HOSTS   10 /* RFC 7208 section 4.6.4; the program gets one more, so that it sees that there are too many */
#define SPF_PTR_NAMES  10 /* RFC 7208 section 4.6.4: others are ignored */

#endif
