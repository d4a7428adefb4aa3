/* SPDX-License-Identifier: ISC */
#include "guard_page.h"
#include "harness.h"
#include "pki.h"
#include "tls/proof.h"

#define MX    "mx.example.net"
#define N(a)  (sizeof(a) / sizeof((a)[0]))
#define NAMES 3

/* The chain of the good server, and what is wrong in other ones. */
static struct pki_cert root, inter, leaf;
static struct pki_cert wrong_name, expired, future, wildcard, common_name, no_purpose, client;
static struct pki_cert self_signed, self_expired, renewed, rsa, encipher;
static struct pki_cert evil_root, evil_leaf, twin_root, twin_leaf;
static struct pki_cert no_ca, below_no_ca, old_inter, below_old_inter;
static struct pki_file roots;
static struct secure_facts facts;
static struct error err;

#define BAD_SIGNATURE                                                                              \
	SECURE_NOT_TRUSTED, "the certificate is not trusted: a signature of its chain is wrong"

struct show {
	const struct pki_cert *c[PKI_CHAIN];
};

static bool check(const struct secure_ask *ask, const struct show *show)
{
	gnutls_datum_t chain[PKI_CHAIN];
	unsigned n = 0;
	for (; n < PKI_CHAIN && show->c[n]; n++)
		chain[n] = show->c[n]->der;
	facts = (struct secure_facts){ .trouble = SECURE_HANDSHAKE };
	err = (struct error){ 0 };
	bool ok = proof_check(ask, chain, n, &facts, &err);
	CHECK("trouble iff failed", ok == (facts.trouble == SECURE_FINE));
	CHECK("err untouched iff fine", ok == (err.class == ERR_NONE));
	CHECK("proof only if fine", ok || facts.proof[0] == '\0');
	return ok;
}

static bool refused(enum secure_trouble trouble, const char *text)
{
	return facts.trouble == trouble && err.class == ERR_TEMP && err.code.cls == 4 &&
	       err.code.subject == 7 && err.code.detail == 5 && strcmp(err.text, text) == 0;
}

/* "2026-01-31" of so many days from now. */
static const char *day(int days, const char *before, char text[static 128])
{
	char date[32];
	struct tm tm;
	time_t t = time(NULL) + days * 86400;
	gmtime_r(&t, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	snprintf(text, 128, "%s %s", before, date);
	return text;
}

static void dane(void)
{
	char over[128], over_above[128], early[128];
	const struct {
		const char *label;
		struct show show;
		const char *kind; /* of the record, about `of` */
		const struct pki_cert *of;
		enum secure_trouble trouble;
		const char *text; /* the proof or the error */
	} cases[] = {
#define UNMATCHED SECURE_NO_TLSA, "no TLSA record matches the certificate"
#define FOREIGN(kind)                                                                              \
	SECURE_NOT_TRUSTED, "the certificate is not trusted: the certificate of TLSA " kind        \
			    " did not issue it"
		{ "EE 3 1 1", { { &leaf } }, "3 1 1", &leaf, SECURE_FINE, "3 1 1" },
		{ "EE 3 0 1", { { &leaf } }, "3 0 1", &leaf, SECURE_FINE, "3 0 1" },
		{ "EE 3 1 2", { { &leaf } }, "3 1 2", &leaf, SECURE_FINE, "3 1 2" },
		{ "EE 3 0 2", { { &leaf } }, "3 0 2", &leaf, SECURE_FINE, "3 0 2" },
		{ "EE 3 1 0", { { &leaf } }, "3 1 0", &leaf, SECURE_FINE, "3 1 0" },
		{ "EE 3 0 0", { { &leaf } }, "3 0 0", &leaf, SECURE_FINE, "3 0 0" },
		{ "EE of RSA", { { &rsa } }, "3 1 1", &rsa, SECURE_FINE, "3 1 1" },
		{ "EE, chain", { { &leaf, &inter } }, "3 1 1", &leaf, SECURE_FINE, "3 1 1" },
		{ "EE, name", { { &wrong_name } }, "3 1 1", &wrong_name, SECURE_FINE, "3 1 1" },
		{ "EE, dates",
		  { { &self_expired } },
		  "3 0 1",
		  &self_expired,
		  SECURE_FINE,
		  "3 0 1" },
		{ "EE, client", { { &client } }, "3 1 1", &client, SECURE_FINE, "3 1 1" },
		{ "EE, same key renewed", { { &renewed } }, "3 1 1", &leaf, SECURE_FINE, "3 1 1" },
		{ "EE, renewed", { { &renewed } }, "3 0 1", &leaf, UNMATCHED },
		{ "EE, that of the renewed one",
		  { { &leaf } },
		  "3 1 1",
		  &renewed,
		  SECURE_FINE,
		  "3 1 1" },
		{ "EE mismatch", { { &leaf, &inter, &root } }, "3 1 1", &evil_leaf, UNMATCHED },
		{ "EE is not the issuer", { { &leaf, &inter } }, "3 1 1", &inter, UNMATCHED },

		{ "TA 2 1 1",
		  { { &leaf, &inter, &root } },
		  "2 1 1",
		  &root,
		  SECURE_FINE,
		  "2 1 1 " MX },
		{ "TA 2 0 1",
		  { { &leaf, &inter, &root } },
		  "2 0 1",
		  &root,
		  SECURE_FINE,
		  "2 0 1 " MX },
		{ "TA 2 0 2",
		  { { &leaf, &inter, &root } },
		  "2 0 2",
		  &root,
		  SECURE_FINE,
		  "2 0 2 " MX },
		{ "TA 2 1 0",
		  { { &leaf, &inter, &root } },
		  "2 1 0",
		  &root,
		  SECURE_FINE,
		  "2 1 0 " MX },
		{ "TA, disorder",
		  { { &leaf, &root, &inter } },
		  "2 0 1",
		  &root,
		  SECURE_FINE,
		  "2 0 1 " MX },
		{ "TA intermediate",
		  { { &leaf, &inter } },
		  "2 1 1",
		  &inter,
		  SECURE_FINE,
		  "2 1 1 " MX },
		{ "TA intermediate, root sent",
		  { { &leaf, &inter, &root } },
		  "2 0 1",
		  &inter,
		  SECURE_FINE,
		  "2 0 1 " MX },
		{ "TA root not sent", { { &leaf, &inter } }, "2 0 1", &root, UNMATCHED },
		{ "TA alone", { { &leaf } }, "2 1 1", &inter, UNMATCHED },
		{ "TA 2 0 0 sent",
		  { { &leaf, &inter, &root } },
		  "2 0 0",
		  &root,
		  SECURE_FINE,
		  "2 0 0 " MX },
		{ "TA 2 0 0 not sent",
		  { { &leaf, &inter } },
		  "2 0 0",
		  &root,
		  SECURE_FINE,
		  "2 0 0 " MX },
		{ "TA 2 0 0, no intermediate", { { &leaf } }, "2 0 0", &root, FOREIGN("2 0 0") },
		{ "TA 2 0 0 of others",
		  { { &leaf, &inter } },
		  "2 0 0",
		  &evil_root,
		  FOREIGN("2 0 0") },
		{ "TA, common name",
		  { { &common_name, &inter, &root } },
		  "2 1 1",
		  &root,
		  SECURE_FINE,
		  "2 1 1 " MX },
		{ "TA, wildcard",
		  { { &wildcard, &inter, &root } },
		  "2 1 1",
		  &root,
		  SECURE_FINE,
		  "2 1 1 " MX },
		{ "TA, no purpose",
		  { { &no_purpose, &inter, &root } },
		  "2 1 1",
		  &root,
		  SECURE_FINE,
		  "2 1 1 " MX },
		{ "TA, key usage",
		  { { &encipher, &inter, &root } },
		  "2 1 1",
		  &root,
		  SECURE_FINE,
		  "2 1 1 " MX },
		{ "TA, for clients",
		  { { &client, &inter, &root } },
		  "2 1 1",
		  &root,
		  SECURE_NOT_TRUSTED,
		  "the certificate is not trusted: it is not for servers" },
		{ "TA, wrong name",
		  { { &wrong_name, &inter, &root } },
		  "2 1 1",
		  &root,
		  SECURE_WRONG_NAME,
		  "the certificate is for other.example, not for " MX },
		{ "TA, expired",
		  { { &expired, &inter, &root } },
		  "2 1 1",
		  &root,
		  SECURE_EXPIRED,
		  day(-5, "the certificate expired on", over) },
		{ "TA, not yet",
		  { { &future, &inter, &root } },
		  "2 1 1",
		  &root,
		  SECURE_EXPIRED,
		  day(5, "the certificate is not valid before", early) },
		{ "TA, issuer expired",
		  { { &below_old_inter, &old_inter, &root } },
		  "2 1 1",
		  &root,
		  SECURE_EXPIRED,
		  day(-5, "a certificate of its issuers expired on", over_above) },
		{ "TA, leaf is no CA",
		  { { &below_no_ca, &no_ca, &inter, &root } },
		  "2 1 1",
		  &root,
		  SECURE_NOT_TRUSTED,
		  "the certificate is not trusted: its issuer is not allowed to issue "
		  "certificates" },
		{ "TA is the leaf", { { &self_signed } }, "2 1 1", &self_signed, UNMATCHED },

		/* The anchor of the victim, appended to a chain that it did not sign. */
		{ "attack",
		  { { &evil_leaf, &evil_root, &root } },
		  "2 1 1",
		  &root,
		  FOREIGN("2 1 1") },
		{ "attack 2 0 1",
		  { { &evil_leaf, &evil_root, &root } },
		  "2 0 1",
		  &root,
		  FOREIGN("2 0 1") },
		{ "attack, short", { { &evil_leaf, &root } }, "2 0 1", &root, FOREIGN("2 0 1") },
		{ "attack, intermediate",
		  { { &evil_leaf, &evil_root, &inter } },
		  "2 1 1",
		  &inter,
		  FOREIGN("2 1 1") },
		{ "attack under the same name",
		  { { &twin_leaf, &twin_root, &root } },
		  "2 1 1",
		  &root,
		  BAD_SIGNATURE },
		{ "attack under the same name, short",
		  { { &twin_leaf, &root } },
		  "2 0 1",
		  &root,
		  BAD_SIGNATURE },
		{ "attack under the same name 2 0 0",
		  { { &twin_leaf, &twin_root } },
		  "2 0 0",
		  &root,
		  BAD_SIGNATURE },
		{ "attack 2 0 0",
		  { { &evil_leaf, &evil_root } },
		  "2 0 0",
		  &root,
		  FOREIGN("2 0 0") },
		{ "attack, self-signed",
		  { { &self_signed, &root } },
		  "2 1 1",
		  &root,
		  FOREIGN("2 1 1") },
		{ "PKIX-TA is not for SMTP",
		  { { &leaf, &inter, &root } },
		  "0 1 1",
		  &root,
		  UNMATCHED },
		{ "PKIX-EE is not for SMTP",
		  { { &leaf, &inter, &root } },
		  "1 1 1",
		  &leaf,
		  UNMATCHED },
		{ "selector 2", { { &leaf } }, "3 2 1", &leaf, UNMATCHED },
		{ "matching 3", { { &leaf } }, "3 0 3", &leaf, UNMATCHED },
	};
	for (size_t i = 0; i < N(cases); i++) {
		struct pki_tlsa t;
		const char *names[] = { MX };
		struct secure_ask ask = { .proof = SECURE_DANE, .names = names, .nnames = 1 };
		ask.tlsa = pki_tlsa(&t, cases[i].kind, cases[i].of);
		ask.ntlsa = 1;
		bool ok = check(&ask, &cases[i].show);
		CHECK(cases[i].label, ok == (cases[i].trouble == SECURE_FINE));
		CHECK(cases[i].label, facts.trouble == cases[i].trouble);
		CHECK_STR(cases[i].label, ok ? facts.proof : err.text, cases[i].text);
		CHECK(cases[i].label, ok || refused(cases[i].trouble, cases[i].text));
	}
}

/* Several records: one that matches is enough, in any order, and end entities come first. */
static void rollover(void)
{
	struct pki_tlsa old, new, ta, far;
	const char *names[] = { MX };
	struct secure_ask ask = { .proof = SECURE_DANE, .names = names, .nnames = 1 };
	pki_tlsa(&old, "3 1 1", &rsa);
	pki_tlsa(&new, "3 0 2", &leaf);
	pki_tlsa(&ta, "2 0 1", &root);
	pki_tlsa(&far, "2 1 1", &evil_root);
	const struct {
		const char *label;
		struct tlsa t[4];
		size_t n;
		const char *proof;
	} cases[] = {
		{ "old, new", { old.t, new.t }, 2, "3 0 2" },
		{ "new, old", { new.t, old.t }, 2, "3 0 2" },
		{ "anchor, new", { ta.t, new.t }, 2, "3 0 2" },
		{ "old, anchor", { old.t, ta.t }, 2, "2 0 1 " MX },
		{ "other anchor, anchor", { far.t, old.t, ta.t }, 3, "2 0 1 " MX },
		{ "anchor, other anchor", { ta.t, far.t }, 2, "2 0 1 " MX },
		{ "none of them", { old.t, far.t }, 2, NULL },
		{ "none at all", { old.t }, 0, NULL },
	};
	for (size_t i = 0; i < N(cases); i++) {
		ask.tlsa = cases[i].t;
		ask.ntlsa = cases[i].n;
		bool ok = check(&ask, &(struct show){ { &leaf, &inter, &root } });
		CHECK(cases[i].label, ok == (cases[i].proof != NULL));
		if (cases[i].proof)
			CHECK_STR(cases[i].label, facts.proof, cases[i].proof);
		else
			CHECK(cases[i].label,
			      refused(SECURE_NO_TLSA, "no TLSA record matches the certificate"));
	}
}

/* RFC 7672 section 3.2.2: next hop and TLSA base name are both good. */
static void reference_names(void)
{
	struct pki_tlsa t;
	const struct {
		const char *label;
		const char *names[NAMES];
		const char *proof; /* after "2 0 1 "; NULL: refused */
	} cases[] = {
		{ "first", { MX, "example.net" }, MX },
		{ "second", { "example.net", MX }, MX },
		{ "third", { "a.example", "b.example", MX }, MX },
		{ "case", { "MX.Example.NET" }, "MX.Example.NET" },
		{ "final dot", { MX "." }, MX "." },
		{ "none", { "example.net", "a.example" }, NULL },
		{ "more", { "a.mx.example.net" }, NULL },
		{ "less", { "x.example.net" }, NULL },
		{ "empty", { "" }, NULL },
		{ "dot", { "." }, NULL },
		{ "no names at all", { NULL }, NULL },
	};
	for (size_t i = 0; i < N(cases); i++) {
		char want[80];
		struct secure_ask ask = { .proof = SECURE_DANE, .names = cases[i].names };
		while (ask.nnames < NAMES && cases[i].names[ask.nnames])
			ask.nnames++;
		ask.tlsa = pki_tlsa(&t, "2 0 1", &root);
		ask.ntlsa = 1;
		bool ok = check(&ask, &(struct show){ { &leaf, &inter, &root } });
		CHECK(cases[i].label, ok == (cases[i].proof != NULL));
		CHECK(cases[i].label, ok || facts.trouble == SECURE_WRONG_NAME);
		snprintf(want, sizeof(want), "2 0 1 %s", cases[i].proof ? cases[i].proof : "");
		if (ok)
			CHECK_STR(cases[i].label, facts.proof, want);
	}
}

static void pkix(void)
{
	char over[128], over_above[128], early[128];
	const struct {
		const char *label;
		struct show show;
		const char *name;
		enum secure_trouble trouble;
		const char *text;
	} cases[] = {
#define UNKNOWN SECURE_NOT_TRUSTED, "the certificate is not trusted: the issuer is unknown"
		{ "ok", { { &leaf, &inter } }, MX, SECURE_FINE, "PKIX " MX },
		{ "root sent", { { &leaf, &inter, &root } }, MX, SECURE_FINE, "PKIX " MX },
		{ "disorder", { { &leaf, &root, &inter } }, MX, SECURE_FINE, "PKIX " MX },
		{ "litter", { { &leaf, &evil_root, &inter } }, MX, SECURE_FINE, "PKIX " MX },
		{ "RSA", { { &rsa } }, MX, SECURE_FINE, "PKIX " MX },
		{ "no purpose", { { &no_purpose, &inter } }, MX, SECURE_FINE, "PKIX " MX },
		{ "key usage", { { &encipher, &inter } }, MX, SECURE_FINE, "PKIX " MX },
		{ "wildcard", { { &wildcard, &inter } }, MX, SECURE_FINE, "PKIX " MX },
		{ "wildcard, two labels",
		  { { &wildcard, &inter } },
		  "a.mx.example.net",
		  SECURE_WRONG_NAME,
		  "the certificate is for *.example.net, not for a.mx.example.net" },
		{ "wildcard, no label",
		  { { &wildcard, &inter } },
		  "example.net",
		  SECURE_WRONG_NAME,
		  "the certificate is for *.example.net, not for example.net" },
		{ "no intermediate", { { &leaf } }, MX, UNKNOWN },
		{ "unknown", { { &evil_leaf, &evil_root } }, MX, UNKNOWN },
		{ "unknown, root appended", { { &evil_leaf, &evil_root, &root } }, MX, UNKNOWN },
		{ "unknown under the same name",
		  { { &twin_leaf, &twin_root, &root } },
		  MX,
		  BAD_SIGNATURE },
		{ "self-signed",
		  { { &self_signed } },
		  MX,
		  SECURE_NOT_TRUSTED,
		  "the certificate is not trusted: it is self-signed" },
		{ "expired",
		  { { &expired, &inter } },
		  MX,
		  SECURE_EXPIRED,
		  day(-5, "the certificate expired on", over) },
		{ "not yet",
		  { { &future, &inter } },
		  MX,
		  SECURE_EXPIRED,
		  day(5, "the certificate is not valid before", early) },
		{ "issuer expired",
		  { { &below_old_inter, &old_inter } },
		  MX,
		  SECURE_EXPIRED,
		  day(-5, "a certificate of its issuers expired on", over_above) },
		{ "wrong name",
		  { { &wrong_name, &inter } },
		  MX,
		  SECURE_WRONG_NAME,
		  "the certificate is for other.example, not for " MX },
		{ "several names",
		  { { &rsa } },
		  "x.example",
		  SECURE_WRONG_NAME,
		  "the certificate is for a.example and 1 more, not for x.example" },
		{ "an address is no name",
		  { { &leaf, &inter } },
		  "192.0.2.1",
		  SECURE_WRONG_NAME,
		  "the certificate is for " MX ", not for 192.0.2.1" },
		{ "common name only",
		  { { &common_name, &inter } },
		  MX,
		  SECURE_WRONG_NAME,
		  "the certificate has no DNS name, only the common name " MX
		  ", it is not for " MX },
		{ "for clients",
		  { { &client, &inter } },
		  MX,
		  SECURE_NOT_TRUSTED,
		  "the certificate is not trusted: it is not for servers" },
		{ "issuer is no CA",
		  { { &below_no_ca, &no_ca, &inter } },
		  MX,
		  SECURE_NOT_TRUSTED,
		  "the certificate is not trusted: its issuer is not allowed to issue "
		  "certificates" },
		{ "none",
		  { { NULL } },
		  MX,
		  SECURE_NOT_TRUSTED,
		  "the certificate is not trusted: the server sent none" },
	};
	for (size_t i = 0; i < N(cases); i++) {
		const char *names[] = { cases[i].name };
		struct secure_ask ask = {
			.proof = SECURE_PKIX, .names = names, .nnames = 1, .ca_file = roots.path
		};
		bool ok = check(&ask, &cases[i].show);
		CHECK(cases[i].label, facts.trouble == cases[i].trouble);
		CHECK_STR(cases[i].label, ok ? facts.proof : err.text, cases[i].text);
		CHECK(cases[i].label, ok || refused(cases[i].trouble, cases[i].text));
	}
}

/* A signature that is wrong under the right name of an issuer. */
static void forged(void)
{
	struct pki_cert twin =
		pki_make((struct pki_want){ "Inter", .flags = PKI_CA, .issuer = &evil_root });
	struct pki_cert fake = pki_make((struct pki_want){ "leaf", { MX }, .issuer = &twin });
	const char *names[] = { MX };
	struct secure_ask ask = {
		.proof = SECURE_PKIX, .names = names, .nnames = 1, .ca_file = roots.path
	};
	CHECK("true intermediate", !check(&ask, &(struct show){ { &fake, &inter } }));
	CHECK("true intermediate", facts.trouble == SECURE_NOT_TRUSTED);
	CHECK("all of it", !check(&ask, &(struct show){ { &fake, &twin, &inter, &root } }));
	CHECK("all of it", facts.trouble == SECURE_NOT_TRUSTED);
	pki_free(&twin);
	pki_free(&fake);

	struct pki_cert weak =
		pki_make((struct pki_want){ "leaf", { MX }, PKI_SHA1, .issuer = &inter });
	CHECK("SHA-1", !check(&ask, &(struct show){ { &weak, &inter } }));
	CHECK("SHA-1", refused(SECURE_NOT_TRUSTED,
			       "the certificate is not trusted: its chain has a weak key or "
			       "signature"));
	pki_free(&weak);
}

/* What only we can mend is CONFIG. Nothing is read where nothing is asked for. */
static void roots_unreadable(void)
{
	const char *names[] = { MX };
	struct secure_ask ask = {
		.proof = SECURE_PKIX, .names = names, .nnames = 1, .ca_file = "/nonexistent/ca.pem"
	};
	struct show show = { { &leaf, &inter } };
	CHECK("PKIX", !check(&ask, &show) && facts.trouble == SECURE_LOCAL);
	CHECK("PKIX", err.class == ERR_CONFIG && err.code.subject == 3 && err.code.detail == 5);
	CHECK_STR("PKIX", err.text, "trusted roots /nonexistent/ca.pem: No such file or directory");
	ask.proof = SECURE_ANY;
	CHECK("any", check(&ask, &show) && facts.proof[0] == '\0');
	CHECK("any, none", check(&ask, &(struct show){ { NULL } }));
}

static void unreadable_chain(void)
{
	gnutls_datum_t bad = { (unsigned char *)leaf.der.data, leaf.der.size - 1 };
	struct pki_cert broken = { .der = bad };
	struct pki_tlsa t;
	const char *names[] = { MX };
	struct secure_ask ask = { .proof = SECURE_DANE, .names = names, .nnames = 1 };
	ask.tlsa = pki_tlsa(&t, "2 1 1", &root);
	ask.ntlsa = 1;
	CHECK("leaf", !check(&ask, &(struct show){ { &broken, &inter, &root } }));
	CHECK("leaf", refused(SECURE_NOT_TRUSTED, "the certificate is not trusted: a certificate "
						  "of its chain cannot be read"));
	CHECK("issuer", !check(&ask, &(struct show){ { &leaf, &broken, &root } }));
	CHECK("issuer", facts.trouble == SECURE_NOT_TRUSTED);
	/* "2 0 0" with what is no certificate. */
	ask.tlsa = pki_tlsa(&t, "2 0 0", &broken);
	CHECK("record", !check(&ask, &(struct show){ { &leaf, &inter } }));
	CHECK("record", refused(SECURE_NOT_TRUSTED, "the certificate is not trusted: the "
						    "certificate of the TLSA record cannot be "
						    "read"));
}

/* More certificates than are looked at, the anchor behind them. */
static void long_chain(void)
{
	gnutls_datum_t chain[PROOF_CHAIN + 4];
	struct pki_tlsa t;
	const char *names[] = { MX };
	struct secure_ask ask = { .proof = SECURE_DANE, .names = names, .nnames = 1 };
	for (size_t i = 0; i < N(chain); i++)
		chain[i] = i == 0 ? leaf.der : inter.der;
	chain[PROOF_CHAIN] = root.der;
	ask.tlsa = pki_tlsa(&t, "2 1 1", &root);
	ask.ntlsa = 1;
	CHECK("too far", !proof_check(&ask, chain, N(chain), &facts, &err));
	CHECK("too far", facts.trouble == SECURE_NO_TLSA);
}

static void spki(void)
{
	const struct pki_cert *certs[] = { &root, &inter, &leaf, &rsa, &self_signed };
	struct guard_page g = guard_page_open(4096);
	for (size_t i = 0; i < N(certs); i++) {
		struct span got = { 0 },
			    der = { (const char *)certs[i]->der.data, certs[i]->der.size };
		struct span want = { (const char *)certs[i]->spki.data, certs[i]->spki.size };
		CHECK("found", proof_spki(guard_page_put(&g, der), &got));
		CHECK("the same as GnuTLS finds", span_equal(got, want));
		for (size_t n = 0; n < der.n; n++) {
			got = (struct span){ 0 };
			CHECK("cut short",
			      !proof_spki(guard_page_put(&g, (struct span){ der.p, n }), &got));
			CHECK("untouched", got.p == NULL);
		}
	}
	const struct {
		const char *label;
		struct span der;
	} cases[] = {
		{ "no sequence", SPAN("\x31\x02\x30\x00") },
		{ "indefinite length", SPAN("\x30\x80\x30\x00\x00\x00") },
		{ "length of four octets", SPAN("\x30\x84\x00\x00\x00\x02\x30\x00") },
		{ "length beyond the end", SPAN("\x30\x83\xff\xff\xff\x30\x00") },
		{ "nothing in it", SPAN("\x30\x02\x30\x00") },
		{ "five elements",
		  SPAN("\x30\x0c\x30\x0a\x02\x00\x02\x00\x02\x00\x02\x00\x02\x00") },
		{ "key is no sequence",
		  SPAN("\x30\x0e\x30\x0c\x02\x00\x02\x00\x02\x00\x02\x00\x02\x00\x02\x00") },
	};
	struct span got;
	for (size_t i = 0; i < N(cases); i++)
		CHECK(cases[i].label, !proof_spki(guard_page_put(&g, cases[i].der), &got));
	CHECK("least", proof_spki(SPAN("\x30\x0e\x30\x0c\x02\x00\x02\x00\x02\x00\x02\x00\x02\x00"
				       "\x30\x00"),
				  &got));
	CHECK("least", span_equal(got, SPAN("\x30\x00")));
	guard_page_close(&g);
}

static void record_matches(void)
{
	struct pki_tlsa t;
	struct span der = { (const char *)leaf.der.data, leaf.der.size };
	pki_tlsa(&t, "3 1 1", &leaf);
	CHECK("matches", proof_tlsa_matches(&t.t, der));
	t.t.data.n--;
	CHECK("a piece of the digest", !proof_tlsa_matches(&t.t, der));
	t.t.data.n = 0;
	CHECK("no digest", !proof_tlsa_matches(&t.t, der));
	CHECK("no certificate",
	      !proof_tlsa_matches(pki_tlsa(&t, "3 1 1", &leaf), (struct span){ der.p, 0 }));
	CHECK("a digest of the other kind",
	      !proof_tlsa_matches(&(struct tlsa){ 3, 1, 2, t.t.data }, der));
}

static void make(void)
{
	root = pki_make((struct pki_want){ "Root", .flags = PKI_CA });
	inter = pki_make((struct pki_want){ "Inter", .flags = PKI_CA, .issuer = &root });
	leaf = pki_make((struct pki_want){ "leaf", { MX }, .issuer = &inter });
	renewed = pki_make((struct pki_want){ "leaf", { MX }, 0, &inter, .key_of = &leaf });
	rsa = pki_make((struct pki_want){ "rsa", { "a.example", MX }, PKI_RSA, &root, NULL });
	wrong_name = pki_make((struct pki_want){ MX, { "other.example" }, 0, &inter, NULL });
	expired = pki_make((struct pki_want){ "leaf", { MX }, PKI_EXPIRED, &inter, NULL });
	future = pki_make((struct pki_want){ "leaf", { MX }, PKI_FUTURE, &inter, NULL });
	wildcard = pki_make((struct pki_want){ "leaf", { "*.example.net" }, 0, &inter, NULL });
	common_name = pki_make((struct pki_want){ MX, .issuer = &inter });
	no_purpose = pki_make((struct pki_want){ "leaf", { MX }, PKI_NO_PURPOSE, &inter, NULL });
	client = pki_make((struct pki_want){ "leaf", { MX }, PKI_CLIENT, &inter, NULL });
	encipher = pki_make((struct pki_want){ "leaf", { MX }, PKI_ENCIPHER, &inter, NULL });
	self_signed = pki_make((struct pki_want){ "self", { MX }, .flags = 0 });
	self_expired = pki_make((struct pki_want){ "self", { "x.example" }, .flags = PKI_EXPIRED });
	evil_root = pki_make((struct pki_want){ "Evil", .flags = PKI_CA });
	twin_root = pki_make((struct pki_want){ "Root", .flags = PKI_CA });
	twin_leaf = pki_make((struct pki_want){ "leaf", { MX }, .issuer = &twin_root });
	evil_leaf = pki_make((struct pki_want){ "leaf", { MX }, .issuer = &evil_root });
	no_ca = pki_make((struct pki_want){ "no CA", { "a.example" }, .issuer = &inter });
	below_no_ca = pki_make((struct pki_want){ "leaf", { MX }, .issuer = &no_ca });
	old_inter =
		pki_make((struct pki_want){ "Old", { NULL }, PKI_CA | PKI_EXPIRED, &root, NULL });
	below_old_inter = pki_make((struct pki_want){ "leaf", { MX }, .issuer = &old_inter });
	roots = pki_file_open();
	pki_file_add_cert(&roots, &wildcard);
	pki_file_add_cert(&roots, &root);
	CHECK("made", below_old_inter.der.size > 0);
}

static void unmake(void)
{
	struct pki_cert *all[] = {
		&root,       &inter,       &leaf,        &renewed,         &rsa,
		&wrong_name, &expired,     &future,      &wildcard,        &common_name,
		&no_purpose, &client,      &encipher,    &no_ca,           &below_no_ca,
		&evil_root,  &evil_leaf,   &old_inter,   &below_old_inter, &twin_root,
		&twin_leaf,  &self_signed, &self_expired
	};
	for (size_t i = 0; i < N(all); i++)
		pki_free(all[i]);
	close(roots.fd);
}

TEST_MAIN("proof", { "make", make }, { "dane", dane }, { "rollover", rollover },
	  { "reference_names", reference_names }, { "pkix", pkix }, { "forged", forged },
	  { "roots_unreadable", roots_unreadable }, { "unreadable_chain", unreadable_chain },
	  { "long_chain", long_chain }, { "spki", spki }, { "record_matches", record_matches },
	  { "unmake", unmake })
