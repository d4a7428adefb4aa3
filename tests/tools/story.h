/* SPDX-License-Identifier: ISC */
/*
 * A scenario file as data: what DNS and the MX hosts do, how mxdirect is started, and what must
 * come out.
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
 * each word means.
 */
#ifndef TOOLS_STORY_H
#define TOOLS_STORY_H

#include "mxauth.h"
#include "util.h"

enum item_kind {
	ITEM_SEND,    /* > TEXT   >> TEXT (no line end) */
	ITEM_LINE,    /* < PATTERN */
	ITEM_REPLY,   /* < @reply PATTERN: a reply, whose last line must fit */
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
	ACT_REFUSE,      /* only first: nobody listens there */
	ACT_HALF_CLOSE,  /* an LMTP client says no more */
	ACT_ALSO,        /* the run that goes on at the same time begins */
	ACT_AWAIT,       /* its end */
	ACT_SPOIL,       /* what and how are in spoil */
	ACT_FROM,        /* the address that the client must come from is in text */
};

/* What can be done to the state folder and the files in it. */
enum spoil_how {
	SPOIL_REMOVE,
	SPOIL_EMPTY,    /* a folder without anything in it; a file of no bytes */
	SPOIL_TRUNCATE, /* n: bytes that stay */
	SPOIL_GARBAGE,  /* other bytes, as many */
	SPOIL_GARBLE,   /* other bytes from byte n on, but for the first n */
	SPOIL_MODE,     /* n */
	SPOIL_OWNER,    /* n, a user id; root only */
	SPOIL_LINK,     /* it is a symbolic link to what it was */
	SPOIL_READONLY, /* the folder, as a file system; root only */
	SPOIL_FULL,     /* the folder, as a file system of n bytes; root only */
	SPOIL_HELD,     /* locked by another process, to the end of the run */
};

struct spoil {
	enum spoil_how how;
	int64_t n;
	const char *file; /* in the state folder; "": itself */
};

struct item {
	enum item_kind kind;
	enum act act;
	int64_t n;
	struct bytes text;
	struct spoil spoil;
	bool raw; /* ITEM_MESSAGE: compare the wire bytes with text, not with the canonical message
		   */
	bool whole;            /* ITEM_SEND: the message, as SMTP carries it */
	enum scram_step scram; /* ITEM_SEND, ITEM_LINE: its words are in text */
};

/* A file with what nobody may say. */
struct secret {
	const char *file; /* in the folder of the worker */
	size_t turn;
	struct bytes text;
	unsigned mode;
	int64_t owner; /* a user id; -1: ours */
};

struct script {
	const char *addr;
	size_t turn; /* in whose part of the story it stands */
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
	size_t turn;      /* it counts from this run on, before those of earlier ones */
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
	EXPECT_ONCE, /* in one line of the log, and in no other */
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

#define TURNS 8

/* One start of mxdirect, and what must come out. */
struct turn {
	bool at_once;  /* while the one before goes on */
	int64_t later; /* seconds of the wall clock since the run before; for at_once the same */
	int64_t wall;  /* the same since the first run */
	struct expect *expect;
	size_t nexpect;
	char **set, **env, **arg; /* -o values, environment, arguments */
	size_t nset, nenv, narg;
	bool has_config, no_helo;
	struct bytes config, message;
	struct bytes wire; /* the message as SMTP carries it, final dot included */
	struct item *feed; /* ITEM_PART: so many bytes of the message; ITEM_ACT */
	size_t nfeed;
	struct spoil *spoil; /* before it begins */
	size_t nspoil;
	struct script *lmtp; /* of the client; NULL: mxdirect is started for one message */
	bool pipes;          /* LMTP over two pipes, not over a socket */
};

struct story {
	const char *name; /* of the file, without its folder and ending */
	struct dns_rule *dns;
	size_t ndns;
	struct script *script;
	size_t nscript;
	struct secret *secret;
	size_t nsecret;
	struct turn turn[TURNS];
	size_t nturn;
	bool has_state; /* the runs share a state folder */
	bool may_bounce;
	bool may_repeat; /* a run may deliver what an earlier one has delivered */
	bool may_crash;  /* a library used here does not survive a failed allocation */
	bool host_dies;  /* some action is ACT_HOST_GONE */
	bool calls;      /* some action is ACT_ALSO */
	bool kills;      /* some action is ACT_AGENT, or kills mxdirect itself */
	bool tls;        /* some host does TLS */
	bool lmtp;       /* some run is one of LMTP */
	size_t nitem;    /* of all scripts */
	bool collects;   /* somebody listens for TLS reports */
	bool needs_root, needs_mount;
};

/* What stands behind $NAME in a file, and which loopback net takes the place of 127.0.0.x. */
struct story_names {
	int net; /* 127.NET.0.x */
	uint16_t port, submission, dns_port;
	const char *dir, *own;
	bool root, mounts; /* what this worker may do */
};

/* Exits with file and line on a mistake: a test that cannot be read is not a test. NULL: it cannot
 * be played here. */
struct story *story_load(const char *path, const struct story_names *names);

/* The message as SMTP carries it, final dot included. */
void message_wire(const struct bytes *message, struct bytes *out);

/* script.c: "> 220 hi < EHLO * ! close" to items, of a host or of an LMTP client. */
void script_parse(const char *text, bool client, struct item **ret, size_t *ret_n);
bool act_parse(const char *word, const char *argument, struct item *ret, bool *ret_took_argument);
/* spoil.c: "memory.mdb truncate 100"; dies of what it does not know. */
void spoil_parse(const char *text, struct spoil *ret);
/* dnszone.c: "example.test MX ttl=5 10 a.test, 20 b.test" to a rule. */
void dns_rule_parse(const char *text, struct dns_rule *ret);

/* Words of a line; '...' keeps blanks and may be empty. */
char **words_split(const char *text, size_t *ret_n);

#endif
