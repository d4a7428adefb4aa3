/* SPDX-License-Identifier: ISC */
/* A DNS answer to example.com, of each type. */
#include "base/limits.h"
#include "wire/dnsmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool holds)
{
	if (!holds)
		abort();
}

static void need_name(const char *name)
{
	for (; *name; name++)
		need(*name > ' ' && *name < 0x7f && *name != '\\' && (*name < 'A' || *name > 'Z'));
}

static void check(const struct dns_answer *a, enum dns_type type)
{
	need((a->state == DNS_OK) == (a->nrr > 0) && a->nrr <= LIMIT_DNS_RRS);
	need((a->state == DNS_TEMP) == (a->why[0] != '\0') && a->state != DNS_PENDING);
	need(a->ttl <= INT32_MAX && strcmp(a->name, "example.com") == 0);
	need_name(a->canonical);
	for (size_t i = 0; i < a->nrr; i++) {
		need(a->rr[i].ttl >= a->ttl && a->rr[i].ttl <= INT32_MAX);
		if (type == DNS_MX)
			need_name(a->rr[i].mx.host);
		if (type == DNS_PTR || type == DNS_CNAME)
			need_name(a->rr[i].name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dns_type types[] = { DNS_A,   DNS_CNAME, DNS_PTR, DNS_MX,
					       DNS_TXT, DNS_AAAA,  DNS_TLSA };
	struct arena *a = arena_open(LIMIT_ARENA);
	need(a);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct dns_answer got = { 0 };
		struct error err;
		struct span msg = { (const char *)data, size };
		/* 16 MiB are enough for any one message. */
		arena_reset(a);
		need(dnsmsg_parse(a, msg, "example.com", types[i], &got, &err));
		check(&got, types[i]);
	}
	arena_close(a);
	return 0;
}
