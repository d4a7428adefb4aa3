/* SPDX-License-Identifier: ISC */
/*
 * A secure layer over a connected descriptor, as an interface: net/stream uses it, common/tls is it. The implementation is a module of
 * its own (GnuTLS with its eleven libraries), loaded by net/secure only when a server offers STARTTLS, so that a run without TLS does not
 * pay for it.
 */
#ifndef BASE_SECURE_H
#define BASE_SECURE_H

#include "base/err.h"
#include "base/span.h"

struct tlsa { /* RFC 6698 section 2.1 */
	uint8_t usage, selector, matching;
	struct span data;
};

enum secure_proof {
	SECURE_ANY,  /* encrypted is enough: nothing of the certificate is looked at */
	SECURE_PKIX, /* a chain to a trusted root, valid now, with one of the names as DNS-ID (RFC 6125, RFC 8461 section 4.2) */
	SECURE_DANE, /* one of the TLSA records (RFC 7672 section 3.1) */
};

struct secure_certificate { /* what the server's own certificate says; texts are printable, and "" where it says nothing */
	char subject[256], issuer[256]; /* RFC 4514 */
	char names[512];		/* its DNS names with blanks between, as many as fit */
	int64_t from, until;		/* seconds since 1970; 0: unknown */
};

struct secure_ask {
	enum secure_proof proof;
	bool advisory;		  /* a proof that fails is told in secure_facts.trouble, but the session is good (MTA-STS testing) */
	const char *sni;	  /* RFC 7672 8.1, RFC 8461 4.2: the host or TLSA base name; NULL: an address, no SNI */
	const char *const *names; /* reference identifiers for SECURE_PKIX and for DANE-TA */
	size_t nnames;
	const struct tlsa *tlsa; /* usable records (tlsa_usable()), for SECURE_DANE */
	size_t ntlsa;
	const char *ca_file;  /* PEM roots; read for SECURE_PKIX only */
	const char *priority; /* GnuTLS priority string; "": ours. With a proof TLS 1.2 is the least in any case */
	struct secure_certificate *certificate; /* NULL: nobody asks; filled if the server showed one, also if it proves nothing */
};

enum secure_trouble {
	SECURE_FINE,
	SECURE_HANDSHAKE,    /* no common protocol or cipher, an alert, lost, not TLS */
	SECURE_NOT_TRUSTED,  /* no chain to a root, a bad signature, not for servers */
	SECURE_WRONG_NAME,   /* trusted, but for others */
	SECURE_EXPIRED,	     /* or not yet valid */
	SECURE_NO_TLSA,	     /* no TLSA record matches */
	SECURE_LOCAL,	     /* ours: roots not readable, bad priority string, no memory */
};

struct secure_facts {
	enum secure_trouble trouble;
	char protocol[16]; /* "TLSv1.3" (RFC 8446 name as Postfix and Exim log it); "" before the handshake is done */
	char cipher[48];   /* "TLS_AES_256_GCM_SHA384" */
	char proof[80];	   /* what was proven: "3 1 1", "2 0 1 mx.example.net", "PKIX mx.example.net"; "" for SECURE_ANY */
};

/* What a login needs of it, and what the decisions cannot do themselves. All fail only for want of memory or randomness. */
#define SECURE_SHA256 32
struct secure_crypto {
	bool (*random)(void *p, size_t n);
	bool (*sha256)(struct span bytes, uint8_t ret[static SECURE_SHA256]);
	bool (*hmac_sha256)(struct span key, struct span bytes, uint8_t ret[static SECURE_SHA256]);
	bool (*pbkdf2_sha256)(struct span password, struct span salt, uint32_t iterations, uint8_t ret[static SECURE_SHA256]); /* RFC 8018 5.2 */
};

enum secure_io { SECURE_DONE, SECURE_WANT_READ, SECURE_WANT_WRITE, SECURE_CLOSED, SECURE_FAILED };

struct secure_session;

struct secure_ops {
	unsigned version; /* SECURE_VERSION of the module */
	/* Nothing is sent yet. The ask is used until the handshake has ended. INTERNAL, or CONFIG for a bad priority string. */
	bool (*open)(int fd, const struct secure_ask *ask, struct secure_session **ret, struct error *err);
	/* Handshake and proof, without waiting. DONE or FAILED: *ret is filled; FAILED: *err too, TEMP 4.7.5 (SECURE_LOCAL: CONFIG 4.3.5 or
	 * INTERNAL 4.3.0), a sentence about the server's part: "the certificate is not trusted: ...". CLOSED: lost, *ret and *err are filled,
	 * TEMP 4.4.2. Certificates of a proof that failed are never used: the session cannot be read or written. */
	enum secure_io (*handshake)(struct secure_session *s, struct secure_facts *ret, struct error *err);
	/* DONE with *ret_n > 0; CLOSED: the peer closed, with or without close_notify; FAILED: broken. */
	enum secure_io (*read)(struct secure_session *s, char *p, size_t n, size_t *ret_n);
	enum secure_io (*write)(struct secure_session *s, struct span bytes, size_t *ret_n);
	bool (*pending)(const struct secure_session *s); /* decrypted bytes wait that poll() does not show */
	const struct secure_crypto *crypto;
	void (*close)(struct secure_session *s); /* close_notify as far as it goes without waiting; NULL is fine; the fd stays open */
};

#define SECURE_VERSION 3
#define SECURE_SYMBOL  "mxdirect_secure_ops" /* const struct secure_ops */

#endif
