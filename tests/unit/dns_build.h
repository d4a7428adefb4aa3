/* SPDX-License-Identifier: ISC */
/* Builds DNS messages for tests: header, one question, records; names are not compressed. */
#ifndef TESTS_DNS_BUILD_H
#define TESTS_DNS_BUILD_H

#include <stdint.h>
#include <string.h>

#include "base/span.h"
#include "wire/dnsmsg.h"

enum { DNS_QR = 0x8000, DNS_AA = 0x0400, DNS_TC = 0x0200, DNS_RD = 0x0100, DNS_RA = 0x0080 };
enum { DNS_AD = 0x0020, DNS_ANSWER = DNS_QR | DNS_RD | DNS_RA };
enum { DNS_SERVFAIL = 2, DNS_NXNAME = 3, DNS_REFUSED = 5 };
enum { DNS_IN_ANSWER = 6, DNS_IN_AUTHORITY = 8 }; /* where the header counts them */

struct dns_build {
	size_t n;
	unsigned char b[65600];
};

static inline void dns_u16(struct dns_build *m, unsigned v)
{
	m->b[m->n++] = (unsigned char)(v >> 8);
	m->b[m->n++] = (unsigned char)v;
}

static inline void dns_u32(struct dns_build *m, uint32_t v)
{
	dns_u16(m, v >> 16);
	dns_u16(m, v & 0xffff);
}

static inline void dns_bytes(struct dns_build *m, const void *p, size_t n)
{
	memcpy(m->b + m->n, p, n);
	m->n += n;
}

/* "a.b", or "" for the root. */
static inline void dns_name(struct dns_build *m, const char *name)
{
	while (*name) {
		size_t len = strcspn(name, ".");
		m->b[m->n++] = (unsigned char)len;
		dns_bytes(m, name, len);
		name += len + (name[len] == '.');
	}
	m->b[m->n++] = 0;
}

static inline void dns_open(struct dns_build *m, unsigned flags, const char *name, unsigned type)
{
	m->n = 0;
	dns_u16(m, 0x1234);
	dns_u16(m, flags);
	dns_u16(m, 1);
	dns_u32(m, 0);
	dns_u16(m, 0);
	dns_name(m, name);
	dns_u16(m, type);
	dns_u16(m, 1);
}

/* The front of a record, up to its length, which dns_rr_end() fills in: returns where. */
static inline size_t dns_rr_begin(struct dns_build *m, unsigned section, const char *owner,
				  unsigned type, uint32_t ttl)
{
	unsigned count = (unsigned)(m->b[section] << 8 | m->b[section + 1]) + 1;
	m->b[section] = (unsigned char)(count >> 8);
	m->b[section + 1] = (unsigned char)count;
	dns_name(m, owner);
	dns_u16(m, type);
	dns_u16(m, 1);
	dns_u32(m, ttl);
	dns_u16(m, 0);
	return m->n;
}

static inline void dns_rr_end(struct dns_build *m, size_t at)
{
	size_t len = m->n - at;
	m->b[at - 2] = (unsigned char)(len >> 8);
	m->b[at - 1] = (unsigned char)len;
}

static inline void dns_raw(struct dns_build *m, const char *owner, unsigned type, uint32_t ttl,
			   struct span data)
{
	size_t at = dns_rr_begin(m, DNS_IN_ANSWER, owner, type, ttl);
	dns_bytes(m, data.p, data.n);
	dns_rr_end(m, at);
}

static inline void dns_to_name(struct dns_build *m, const char *owner, unsigned type, uint32_t ttl,
			       const char *target)
{
	size_t at = dns_rr_begin(m, DNS_IN_ANSWER, owner, type, ttl);
	dns_name(m, target);
	dns_rr_end(m, at);
}

static inline void dns_mx(struct dns_build *m, const char *owner, uint32_t ttl, unsigned pref,
			  const char *host)
{
	size_t at = dns_rr_begin(m, DNS_IN_ANSWER, owner, DNS_MX, ttl);
	dns_u16(m, pref);
	dns_name(m, host);
	dns_rr_end(m, at);
}

static inline void dns_soa(struct dns_build *m, const char *owner, uint32_t ttl, uint32_t minimum)
{
	size_t at = dns_rr_begin(m, DNS_IN_AUTHORITY, owner, 6, ttl);
	dns_name(m, "ns.example");
	dns_name(m, "root.example");
	for (uint32_t i = 1; i <= 4; i++)
		dns_u32(m, i * 3600);
	dns_u32(m, minimum);
	dns_rr_end(m, at);
}

static inline void dns_ns(struct dns_build *m, const char *owner, const char *host)
{
	size_t at = dns_rr_begin(m, DNS_IN_AUTHORITY, owner, 2, 3600);
	dns_name(m, host);
	dns_rr_end(m, at);
}

static inline struct span dns_view(const struct dns_build *m)
{
	return (struct span){ (const char *)m->b, m->n };
}

/* The name and type of the question in q, as an answer is opened with them. */
static inline unsigned dns_question(const unsigned char *q, char name[static 256])
{
	size_t at = 12, n = 0;
	while (q[at] && n + q[at] + 2 < 256) {
		memcpy(name + n, q + at + 1, q[at]);
		n += q[at];
		at += 1u + q[at];
		name[n++] = '.';
	}
	name[n ? n - 1 : 0] = '\0';
	return (unsigned)(q[at + 1] << 8 | q[at + 2]);
}

#endif
