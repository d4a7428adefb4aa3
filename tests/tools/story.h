/* SPDX-License-Identifier: ISC */
/*
 * A scenario file as data: what DNS and the MX hosts do, how mxdirect is started, and what must
 *come out.
 *
 *	# 042 The second MX takes what the first one refused in its greeting (failover row 3).
 *	dns    example.test MX 10 a.test, 20 b.test
 *	dns    a.test A 127.0.0.2
 *	dns    b.test A 127.0.0.3
 *	host   127.0.0.2 > 554 go away
 *	host   127.0.0.3 > 220 b < EHLO client.test > 250-b|250 PIPELINING < MAIL* < RCPT* < DATA
 *	       > 250 ok|250 ok|354 go < @message > 250 2.0.0 kept < QUIT
 *	expect exit 0
 *	expect line b.test[127.0.0.3]:$PORT 250 2.0.0 kept
 *	expect connect 127.0.0.2 127.0.0.3
 *	expect delivered 127.0.0.3
 *
 * A line that begins with white space goes on with the one before. tests/tools/README says what
 *each word means.
 */
#ifndef TOOLS_STORY_H
#define TOOLS_STORY_H

#include "util.h"

enum item_kind {
	ITEM_SEND,    /* > TEXT   >> TEXT (no line end) */
	ITEM_LINE,    /* < PATTERN */
	ITEM_MESSAGE, /* < @message, < @raw TEXT: the message up to its final dot, and what it must
			 be */
	ITEM_PART,    /* < @bytes N */
	ITEM_ANY,     /* < @any N: N lines, whatever they are */
	ITEM_EOF,     /* < @eof */
	ITEM_ACT,     /* ! ... */
};

enum act {
	ACT_CLOSE,
	ACT_RESET,
	ACT_STALL,
	ACT_WAIT,        /* ms */
	ACT_DRIP,        /* ms between single bytes, from here on */
	ACT_PIECES,      /* bytes in a packet, from here on */
	ACT_SLOW,        /* bytes read each 20 ms, from here on */
	ACT_DEAF,        /* nothing is read any more */
	ACT_HEAR,        /* as usual again */
	ACT_GUARD,       /* signal number, to mxdirect */
	ACT_AGENT,       /* signal number, to its child */
	ACT_HOST_GONE,   /* the process that started mxdirect dies */
	ACT_READER_GONE, /* nobody reads its output */
	ACT_UNREACHABLE, /* only first: connects are never answered */
	ACT_TLS,         /* the words are in text */
};

struct item {
	enum item_kind kind;
	enum act act;
	int64_t n;
	struct bytes text;
	bool raw; /* ITEM_MESSAGE: compare the wire bytes with text, not with the canonical message
		   */
};

struct script {
	const char *addr;
	struct item *item;
	size_t n;
};

struct dns_record {
	uint16_t type;
	struct bytes rdata;
};

enum dns_fault {
	DNS_FINE,
	DNS_SERVFAIL,
	DNS_REFUSED,
	DNS_FORMERR,
	DNS_NXDOMAIN,
	DNS_NODATA,
	DNS_SILENCE,
	DNS_GARBAGE,
	DNS_WRONG_ID,
	DNS_WRONG_QUESTION,
	DNS_SHORT, /* cut in the middle of its records */
};

struct dns_rule {
	const char *name; /* glob */
	uint16_t type;    /* 0: any */
	enum dns_fault fault;
	bool truncate; /* UDP says TC, TCP has the answer */
	bool secure;   /* AD; a chain has it if all of its links have */
	int64_t delay;
	uint32_t ttl;
	const char *cname; /* presentation form; NULL: none */
	struct dns_record *record;
	size_t n;
};

enum expect_kind {
	EXPECT_EXIT,
	EXPECT_LINE,
	EXPECT_DELIVERED,
	EXPECT_CONNECT,
	EXPECT_LOG,
	EXPECT_NOLOG,
	EXPECT_ASKED,
	EXPECT_NOT_ASKED,
	EXPECT_WITHIN,  /* ms */
	EXPECT_ATLEAST, /* ms */
	EXPECT_TLSRPT,  /* in some datagram */
	EXPECT_NO_TLSRPT,
};

struct expect {
	enum expect_kind kind;
	const char *text;
};

struct story {
	const char *name; /* of the file, without its folder and ending */
	struct dns_rule *dns;
	size_t ndns;
	struct script *script;
	size_t nscript;
	struct expect *expect;
	size_t nexpect;
	char **set, **env, **arg; /* -o values, environment, arguments */
	size_t nset, nenv, narg;
	bool has_config, no_helo, may_bounce;
	bool may_crash; /* a library used here does not survive a failed allocation */
	struct bytes config, message;
	struct bytes wire; /* the message as SMTP carries it, final dot included */
	struct item *feed; /* ITEM_PART: so many bytes of the message; ITEM_ACT */
	size_t nfeed;
	bool host_dies; /* some action is ACT_HOST_GONE */
	bool tls;       /* some host does TLS */
	bool collects;  /* somebody listens for TLS reports */
};

/* What stands behind $NAME in a file, and which loopback net takes the place of 127.0.0.x. */
struct story_names {
	int net; /* 127.NET.0.x */
	uint16_t port, dns_port;
	const char *dir, *own;
};

/* Exits with file and line on a mistake: a test that cannot be read is not a test. */
struct story *story_load(const char *path, const struct story_names *names);

/* script.c: "> 220 hi < EHLO * ! close" to items. */
void script_parse(const char *text, struct item **ret, size_t *ret_n);
bool act_parse(const char *word, const char *argument, struct item *ret, bool *ret_took_argument);
/* dnszone.c: "example.test MX ttl=5 10 a.test, 20 b.test" to a rule. */
void dns_rule_parse(const char *text, struct dns_rule *ret);

/* Words of a line; '...' keeps blanks and may be empty. */
char **words_split(const char *text, size_t *ret_n);

#endif
