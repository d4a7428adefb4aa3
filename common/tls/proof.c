/* SPDX-License-Identifier: ISC */
#include <time.h>

#include <gnutls/crypto.h>
#include <gnutls/x509.h>

#include "base/limits.h"
#include "tls/proof.h"
#include "tls/trust.h"

/* What GnuTLS' NORMAL asks of signatures and keys. */
#define VERIFY_FLAGS GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_LOW)

struct chain {
	gnutls_x509_crt_t crt[PROOF_CHAIN];
	unsigned n;
};

struct claim {
	const struct secure_ask *ask;
	struct chain chain;
	const struct tlsa *anchor; /* NULL: the roots */
	struct secure_facts *facts;
	struct error *err;
};

static bool refuse(const struct claim *c, enum secure_trouble trouble, const char *text)
{
	c->facts->trouble = trouble;
	return err_set(c->err, ERR_TEMP, ESC(4, 7, 5), "%s", text);
}

static bool refuse_why(const struct claim *c, const char *why)
{
	char text[LIMIT_ERR_TEXT];
	snprintf(text, sizeof(text), "the certificate is not trusted: %s", why);
	return refuse(c, SECURE_NOT_TRUSTED, text);
}

/* Our own trouble; *err is filled. */
static bool local(const struct claim *c)
{
	c->facts->trouble = SECURE_LOCAL;
	return false;
}

#define DER_SEQUENCE 0x30
#define DER_VERSION  0xa0 /* [0] of a TBSCertificate */

/* Cut one DER element off *rest. Lengths of up to three octets, more than a handshake can hold. */
static bool der_cut(struct span *rest, unsigned *ret_tag, struct span *ret_value)
{
	const unsigned char *p = (const unsigned char *)rest->p;
	size_t at = 2, n;
	if (rest->n < 2)
		return false;
	n = p[1];
	if (n & 0x80) {
		size_t octets = n & 0x7f;
		if (octets < 1 || octets > 3 || rest->n < 2 + octets)
			return false;
		for (n = 0; at < 2 + octets; at++)
			n = n << 8 | p[at];
	}
	if (rest->n - at < n)
		return false;
	*ret_tag = p[0];
	*ret_value = (struct span){ rest->p + at, n };
	*rest = (struct span){ rest->p + at + n, rest->n - at - n };
	return true;
}

static bool der_sequence(struct span *rest, struct span *ret_value)
{
	unsigned tag;
	struct span value;
	if (!der_cut(rest, &tag, &value) || tag != DER_SEQUENCE)
		return false;
	*ret_value = value;
	return true;
}

bool proof_spki(struct span certificate, struct span *ret)
{
	struct span inside, rest, value, after;
	unsigned tag;
	if (!der_sequence(&certificate, &inside) || !der_sequence(&inside, &rest))
		return false;
	after = rest;
	if (!der_cut(&after, &tag, &value))
		return false;
	if (tag == DER_VERSION)
		rest = after;
	/* Serial number, signature, issuer, validity, subject (RFC 5280 section 4.1). */
	for (int i = 0; i < 5; i++)
		if (!der_cut(&rest, &tag, &value))
			return false;
	after = rest;
	if (!der_sequence(&after, &value))
		return false;
	*ret = (struct span){ rest.p, rest.n - after.n };
	return true;
}

bool proof_tlsa_matches(const struct tlsa *t, struct span certificate)
{
	char digest[64];
	struct span what = certificate;
	gnutls_digest_algorithm_t hash = t->matching == 1 ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_SHA512;
	if (t->selector > 1 || t->matching > 2)
		return false;
	if (t->selector == 1 && !proof_spki(certificate, &what))
		return false;
	if (t->matching == 0)
		return span_equal(t->data, what);
	if (gnutls_hash_fast(hash, what.p, what.n, digest) < 0)
		return false;
	return span_equal(t->data, (struct span){ digest, t->matching == 1 ? 32 : 64 });
}

static struct span der_of(const gnutls_datum_t *d)
{
	return (struct span){ (const char *)d->data, d->size };
}

static void chain_close(struct chain *chain)
{
	while (chain->n > 0)
		gnutls_x509_crt_deinit(chain->crt[--chain->n]);
}

static bool chain_open(struct claim *c, const gnutls_datum_t *der, unsigned n)
{
	for (unsigned i = 0; i < n && i < PROOF_CHAIN; i++) {
		if (gnutls_x509_crt_init(&c->chain.crt[i]) < 0) {
			err_nomem(c->err);
			return local(c);
		}
		c->chain.n++;
		int r = gnutls_x509_crt_import(c->chain.crt[i], &der[i], GNUTLS_X509_FMT_DER);
		if (r < 0)
			return refuse_why(c, "a certificate of its chain cannot be read");
	}
	return true;
}

/* Which of the chain is out of its time, and since when. */
static bool refuse_dates(const struct claim *c)
{
	time_t now = time(NULL);
	for (unsigned i = 0; i < c->chain.n; i++) {
		time_t from = gnutls_x509_crt_get_activation_time(c->chain.crt[i]);
		time_t to = gnutls_x509_crt_get_expiration_time(c->chain.crt[i]);
		struct tm tm;
		char day[32] = "", text[160];
		if (from <= now && now <= to)
			continue;
		if (gmtime_r(from > now ? &from : &to, &tm))
			strftime(day, sizeof(day), "%Y-%m-%d", &tm);
		snprintf(text, sizeof(text), "%s %s %s",
			 i == 0 ? "the certificate" : "a certificate of its issuers",
			 from > now ? "is not valid before" : "expired on", day);
		return refuse(c, SECURE_EXPIRED, text);
	}
	return refuse(c, SECURE_EXPIRED, "the certificate's root is out of its time");
}

static bool refuse_unknown_issuer(const struct claim *c)
{
	char why[64];
	if (c->anchor) {
		snprintf(why, sizeof(why), "the certificate of TLSA %d %d %d did not issue it",
			 c->anchor->usage, c->anchor->selector, c->anchor->matching);
		return refuse_why(c, why);
	}
	gnutls_x509_crt_t own = c->chain.crt[0];
	return refuse_why(c, gnutls_x509_crt_check_issuer(own, own) ? "it is self-signed"
								    : "the issuer is unknown");
}

static bool refuse_status(const struct claim *c, unsigned status)
{
	static const struct {
		unsigned bit;
		const char *why;
	} reasons[] = {
		{ GNUTLS_CERT_SIGNATURE_FAILURE, "a signature of its chain is wrong" },
		{ GNUTLS_CERT_SIGNER_NOT_CA, "its issuer is not allowed to issue certificates" },
		{ GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE, "its issuer may not issue this one" },
		{ GNUTLS_CERT_INSECURE_ALGORITHM, "its chain has a weak key or signature" },
		{ GNUTLS_CERT_PURPOSE_MISMATCH, "it is not for servers" },
	};
	const unsigned dates = GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED;
	if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
		return refuse_unknown_issuer(c);
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (status & reasons[i].bit)
			return refuse_why(c, reasons[i].why);
	if (status & dates)
		return refuse_dates(c);
	return refuse_why(c, "its chain cannot be verified");
}

/* A chain to one of `list`, valid now and for servers: all but the name. */
static bool verify_chain(struct claim *c, gnutls_x509_trust_list_t list)
{
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
					  .data = (unsigned char *)GNUTLS_KP_TLS_WWW_SERVER };
	unsigned status = 0;
	int r = gnutls_x509_trust_list_verify_crt2(list, c->chain.crt, c->chain.n, &purpose, 1,
						   VERIFY_FLAGS, &status, NULL);
	if (r < 0)
		return refuse_why(c, gnutls_strerror(r));
	return status == 0 || refuse_status(c, status);
}

/* The first DNS name of the certificate, and how many there are. */
static unsigned dns_names(gnutls_x509_crt_t crt, char first[static LIMIT_DOMAIN + 1])
{
	unsigned n = 0;
	int type = 0;
	for (unsigned i = 0; type != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE; i++) {
		char name[LIMIT_DOMAIN + 1];
		size_t size = sizeof(name);
		type = gnutls_x509_crt_get_subject_alt_name(crt, i, name, &size, NULL);
		/* No other error lets us see whether there are more. */
		if (type < 0 && type != GNUTLS_E_SHORT_MEMORY_BUFFER)
			break;
		if (type == GNUTLS_SAN_DNSNAME && n++ == 0)
			snprintf(first, LIMIT_DOMAIN + 1, "%.*s", (int)size, name);
	}
	return n;
}

static bool matches(gnutls_x509_crt_t crt, const char *name)
{
	char plain[LIMIT_DOMAIN + 1];
	size_t n = strlen(name);
	if (n > 0 && name[n - 1] == '.')
		n--;
	if (n == 0 || n >= sizeof(plain))
		return false;
	snprintf(plain, sizeof(plain), "%.*s", (int)n, name);
	return gnutls_x509_crt_check_hostname2(crt, plain, GNUTLS_VERIFY_DO_NOT_ALLOW_IP_MATCHES);
}

static bool refuse_names(const struct claim *c, const char *first, unsigned n)
{
	char text[LIMIT_ERR_TEXT], common[LIMIT_DOMAIN + 1] = "", more[32] = "";
	size_t size = sizeof(common);
	const char *wanted = c->ask->nnames > 0 ? c->ask->names[0] : "any name";
	if (n > 1)
		snprintf(more, sizeof(more), " and %u more", n - 1);
	if (n > 0) {
		snprintf(text, sizeof(text), "the certificate is for %.180s%s, not for %.180s",
			 first, more, wanted);
		return refuse(c, SECURE_WRONG_NAME, text);
	}
	if (gnutls_x509_crt_get_dn_by_oid(c->chain.crt[0], GNUTLS_OID_X520_COMMON_NAME, 0, 0,
					  common, &size) < 0)
		common[0] = '\0';
	snprintf(text, sizeof(text), "the certificate has no DNS name%s%.64s, it is not for %.180s",
		 common[0] ? ", only the common name " : "", common, wanted);
	return refuse(c, SECURE_WRONG_NAME, text);
}

/* The reference identifier that the certificate has, or NULL with the refusal. */
static const char *verify_name(const struct claim *c)
{
	char first[LIMIT_DOMAIN + 1] = "";
	unsigned n = dns_names(c->chain.crt[0], first);
	/* Without any DNS name GnuTLS looks at the common name. RFC 7672 section 3.2.3 permits
	 * that, RFC 8461 section 4.2 does not. */
	bool common_name = c->ask->proof == SECURE_DANE;
	for (size_t i = 0; i < c->ask->nnames && (n > 0 || common_name); i++)
		if (matches(c->chain.crt[0], c->ask->names[i]))
			return c->ask->names[i];
	refuse_names(c, first, n);
	return NULL;
}

static bool verify(struct claim *c, gnutls_x509_trust_list_t list)
{
	const char *name = verify_chain(c, list) ? verify_name(c) : NULL;
	if (!name)
		return false;
	if (c->anchor)
		snprintf(c->facts->proof, sizeof(c->facts->proof), "%d %d %d %s", c->anchor->usage,
			 c->anchor->selector, c->anchor->matching, name);
	else
		snprintf(c->facts->proof, sizeof(c->facts->proof), "PKIX %s", name);
	c->facts->trouble = SECURE_FINE;
	return true;
}

static bool list_open(const struct claim *c, gnutls_x509_trust_list_t *ret)
{
	if (gnutls_x509_trust_list_init(ret, 0) == 0)
		return true;
	err_nomem(c->err);
	return local(c);
}

static bool pkix(struct claim *c)
{
	gnutls_x509_trust_list_t list;
	if (!list_open(c, &list))
		return false;
	bool ok = trust_add(list, c->ask->ca_file, c->chain.crt, c->chain.n, c->err);
	ok = ok ? verify(c, list) : local(c);
	gnutls_x509_trust_list_deinit(list, 1);
	return ok;
}

/* RFC 7671 section 5.2: the anchor is the only root, whatever else the server sends. */
static bool below_anchor(struct claim *c, struct span anchor)
{
	gnutls_datum_t der = { (unsigned char *)anchor.p, (unsigned)anchor.n };
	gnutls_x509_trust_list_t list;
	gnutls_x509_crt_t crt;
	bool ok = false;
	if (gnutls_x509_crt_init(&crt) < 0) {
		err_nomem(c->err);
		return local(c);
	}
	if (gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER) < 0) {
		gnutls_x509_crt_deinit(crt);
		return refuse_why(c, "the certificate of the TLSA record cannot be read");
	}
	if (!list_open(c, &list)) {
		gnutls_x509_crt_deinit(crt);
		return false;
	}
	if (gnutls_x509_trust_list_add_cas(list, &crt, 1, 0) == 1) {
		ok = verify(c, list);
	} else {
		gnutls_x509_crt_deinit(crt);
		err_nomem(c->err);
		local(c);
	}
	gnutls_x509_trust_list_deinit(list, 1);
	return ok;
}

static bool anchored(struct claim *c, const struct tlsa *t, const gnutls_datum_t *der)
{
	c->anchor = t;
	for (unsigned i = 1; i < c->chain.n; i++)
		if (proof_tlsa_matches(t, der_of(&der[i])) && below_anchor(c, der_of(&der[i])))
			return true;
	/* "2 0 0" carries the anchor, so the server need not send it. */
	return t->selector == 0 && t->matching == 0 && below_anchor(c, t->data);
}

/* RFC 7672 section 3.1.1: neither the name nor the dates of the certificate count. */
static bool end_entity(const struct claim *c, const gnutls_datum_t *der)
{
	for (size_t i = 0; i < c->ask->ntlsa; i++) {
		const struct tlsa *t = &c->ask->tlsa[i];
		if (t->usage != 3 || !proof_tlsa_matches(t, der_of(der)))
			continue;
		snprintf(c->facts->proof, sizeof(c->facts->proof), "3 %d %d", t->selector,
			 t->matching);
		c->facts->trouble = SECURE_FINE;
		return true;
	}
	return false;
}

static bool trust_anchor(struct claim *c, const gnutls_datum_t *der, unsigned n)
{
	bool any = false;
	for (size_t i = 0; i < c->ask->ntlsa; i++)
		any = any || c->ask->tlsa[i].usage == 2;
	refuse(c, SECURE_NO_TLSA, "no TLSA record matches the certificate");
	if (!any || !chain_open(c, der, n))
		return false;
	for (size_t i = 0; i < c->ask->ntlsa; i++)
		if (c->ask->tlsa[i].usage == 2 && anchored(c, &c->ask->tlsa[i], der))
			return true;
	return false;
}

bool proof_check(const struct secure_ask *ask, const gnutls_datum_t *chain, unsigned n,
		 struct secure_facts *facts, struct error *err)
{
	struct error why = { 0 };
	struct claim c = { .ask = ask, .facts = facts, .err = &why };
	bool ok = false;
	if (ask->proof == SECURE_ANY) {
		facts->trouble = SECURE_FINE;
		return true;
	}
	if (n == 0)
		refuse_why(&c, "the server sent none");
	else if (ask->proof == SECURE_DANE)
		ok = end_entity(&c, chain) || trust_anchor(&c, chain, n);
	else
		ok = chain_open(&c, chain, n) && pkix(&c);
	chain_close(&c.chain);
	if (!ok)
		*err = why;
	return ok;
}
