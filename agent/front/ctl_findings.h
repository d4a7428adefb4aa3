/* SPDX-License-Identifier: ISC */
/* What mxdirectctl check has found: each thing looked at is fine, or says why it matters and what
 * to do. */
#ifndef FRONT_CTL_FINDINGS_H
#define FRONT_CTL_FINDINGS_H

#include "front/ctl_page.h"

enum finding_level { FINDING_OK, FINDING_WARNING, FINDING_FAILURE };

enum finding_kind { /* the table in ctl_findings.c has its name, and why it matters */
		    FIND_SOURCE,
		    FIND_REVERSE,
		    FIND_FORWARD,
		    FIND_GENERIC,
		    FIND_HELO_NAME,
		    FIND_HELO_ADDRESS,
		    FIND_HELO_REVERSE,
		    FIND_SPF,
		    FIND_DMARC,
		    FIND_DNS_ANSWERS,
		    FIND_DNS_ABSENT,
		    FIND_DNS_VALIDATES,
		    FIND_PORT,
		    FIND_WIRING,
		    FIND_RECIPIENTS,
		    FIND_TIME_LIMIT,
		    FIND_USER,
		    FIND_FLAGS,
		    FIND_NULL_SENDER,
		    FIND_SAFETY,
		    FIND_XFORWARD,
		    FIND_LINES,
		    FIND_QUEUE_ID,
		    FIND_ARGUMENTS,
		    FIND_DEFERS,
		    FIND_MESSAGE,
		    FIND_OUTPUT,
		    FIND_STATE,
		    FIND_KINDS
};

struct finding {
	struct finding *next;
	enum finding_kind kind;
	enum finding_level level;
	const char *about; /* the address, domain, transport, ... */
	const char *text;  /* what was found */
	const char *fix;   /* one sentence; NULL: nothing is to be done */
};

struct findings {
	struct page *page; /* its arena holds the texts; nomem is set there */
	const char *about; /* for those to come */
	struct finding *first, **last;
	size_t count[3]; /* of each level */
};

void findings_init(struct findings *f, struct page *p);

/* A finding that is not FINDING_OK has a `fix`, which must live as long as the list (page_fmt()).
 */
PRINTF_LIKE(5, 6)
void findings_add(struct findings *f, enum finding_kind kind, enum finding_level level,
		  const char *fix, const char *fmt, ...);

/* FIND_USER: as whom mxdirect runs. Returns the user; NULL: there is no such user. */
const char *findings_user(struct findings *f, struct span user, const char *fix);

struct finding_limit {
	const char *name;
	struct span value;        /* as it is set */
	uint64_t ms;              /* what that means; 0: nothing */
	enum finding_level level; /* of one that is too short */
};
/* FIND_TIME_LIMIT: a host waits longer than a run needs at most, deadline and final_timeout. */
void findings_limit(struct findings *f, int64_t need_ms, const struct finding_limit *limit);

const char *finding_name(enum finding_kind kind); /* "reverse-name" */
const char *finding_why(enum finding_kind kind);  /* a sentence */

void findings_json(const struct findings *f, struct page *p);

/* Under a heading for each thing that they are about. */
void findings_show(const struct findings *f, struct page *p);

#endif
