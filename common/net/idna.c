/* SPDX-License-Identifier: ISC */
#include <dlfcn.h>

#include <idn2.h>

#include "base/text.h"
#include "net/idna.h"
#include "wire/addr.h"

static bool no_form(const char *domain, const char *why, struct error *err)
{
	return err_set(err, ERR_PERM, ESC(5, 1, 2), "domain \"%s\": %s", domain, why);
}

/*
 * libidn2 brings libunistring, 2 MB of tables, into every process that is linked with it: a sixth
 * of the start-up time of a run (tests/bench/run), while few domains need it. So it is loaded when
 * the first one does.
 */
typedef int idn2_lookup(const uint8_t *src, uint8_t **ret, int flags);
typedef const char *idn2_text(int rc);
typedef void idn2_release(void *p);

struct idn2 {
	void *library;
	idn2_lookup *lookup;
	idn2_text *strerror;
	idn2_release *free;
};

/* What is missing; NULL: nothing. */
static const char *idn2_load(struct idn2 *idn2)
{
	idn2->library = dlopen("libidn2.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!idn2->library) {
		const char *why = dlerror();
		return why ? why : "libidn2.so.0 does not load";
	}
	idn2->lookup = (idn2_lookup *)dlsym(idn2->library, "idn2_lookup_u8");
	idn2->strerror = (idn2_text *)dlsym(idn2->library, "idn2_strerror");
	idn2->free = (idn2_release *)dlsym(idn2->library, "idn2_free");
	if (idn2->lookup && idn2->strerror && idn2->free)
		return NULL;
	dlclose(idn2->library);
	return "libidn2.so.0 has not the functions of libidn2";
}

static bool translate(const struct idn2 *idn2, struct arena *a, const char *domain,
		      const char **ret, struct error *err)
{
	uint8_t *ascii = NULL;
	/* Nontransitional: sharp s and final sigma are letters of their own (UTS 46 section 4). */
	int rc = idn2->lookup((const uint8_t *)domain, &ascii,
			      IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc == IDN2_MALLOC)
		return err_nomem(err);
	if (rc != IDN2_OK)
		return no_form(domain, idn2->strerror(rc), err);
	const char *name = domain_normal(a, span_of((const char *)ascii));
	idn2->free(ascii);
	if (!name)
		return err_nomem(err);
	*ret = name;
	return true;
}

static bool from_unicode(struct arena *a, const char *domain, const char **ret, struct error *err)
{
	struct idn2 idn2 = { 0 };
	const char *missing = idn2_load(&idn2);
	if (missing)
		return err_set(err, ERR_INTERNAL, ESC(4, 3, 0), "%s", missing);
	bool ok = translate(&idn2, a, domain, ret, err);
	dlclose(idn2.library);
	return ok;
}

bool idna_ascii(struct arena *a, const char *domain, const char **ret, struct error *err)
{
	struct span s = span_of(domain);
	const char *name = NULL;
	struct ip ip;
	if (addr_literal(s, &ip)) {
		name = arena_str(a, s);
		if (!name)
			return err_nomem(err);
		*ret = name;
		return true;
	}
	if (text_is_ascii(s)) {
		name = domain_normal(a, s);
		if (!name)
			return err_nomem(err);
	} else if (!from_unicode(a, domain, &name, err)) {
		return false;
	}
	if (!domain_valid(span_of(name)))
		return no_form(domain, "not a domain name", err);
	*ret = name;
	return true;
}
