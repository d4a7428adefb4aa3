/* SPDX-License-Identifier: ISC */
#include "core/tlsrpt.h"
#include "harness.h"

#define TXT(lit)                                                                                   \
	{                                                                                          \
		.bytes = { lit, sizeof(lit) - 1 }                                                  \
	}
#define RUA "v=TLSRPTv1;rua=mailto:r@example.com"

struct record_case {
	const char *label;
	struct dns_rr rr[3];
	size_t n;
	const char *want; /* NULL: no reporting */
};

static void test_record(void)
{
	static const struct record_case t[] = {
		{ "none", { { 0 } }, 0, NULL },
		{ "plain", { TXT(RUA) }, 1, RUA },
		{ "blanks",
		  { TXT("v=TLSRPTv1; rua = mailto:r@example.com ;") },
		  1,
		  "v=TLSRPTv1; rua = mailto:r@example.com ;" },
		{ "https",
		  { TXT("v=TLSRPTv1;rua=https://r.example/v1") },
		  1,
		  "v=TLSRPTv1;rua=https://r.example/v1" },
		{ "two places",
		  { TXT("v=TLSRPTv1;rua=mailto:a@example.com,https://r.example/") },
		  1,
		  "v=TLSRPTv1;rua=mailto:a@example.com,https://r.example/" },
		{ "another field first",
		  { TXT("v=TLSRPTv1;x=y;rua=mailto:a@b") },
		  1,
		  "v=TLSRPTv1;x=y;rua=mailto:a@b" },
		{ "others beside it", { TXT("v=spf1 -all"), TXT(RUA), TXT("") }, 3, RUA },
		{ "two of them", { TXT(RUA), TXT("v=spf1"), TXT(RUA) }, 3, NULL },
		{ "two, one broken", { TXT(RUA), TXT("v=TLSRPTv1;") }, 2, NULL },
		{ "another version", { TXT("v=TLSRPTv2;rua=mailto:a@b") }, 1, NULL },
		{ "another version beside it", { TXT("v=TLSRPTv2;rua=x"), TXT(RUA) }, 2, RUA },
		{ "no semicolon", { TXT("v=TLSRPTv1 rua=mailto:a@b") }, 1, NULL },
		{ "blank before the semicolon", { TXT("v=TLSRPTv1 ;rua=mailto:a@b") }, 1, NULL },
		{ "case of the version", { TXT("V=TLSRPTv1;rua=mailto:a@b") }, 1, NULL },
		{ "case of rua", { TXT("v=TLSRPTv1;RUA=mailto:a@b") }, 1, NULL },
		{ "no rua", { TXT("v=TLSRPTv1;") }, 1, NULL },
		{ "cut", { TXT("v=TLSRPTv1") }, 1, NULL },
		{ "rua without value", { TXT("v=TLSRPTv1;rua=") }, 1, NULL },
		{ "rua with blanks", { TXT("v=TLSRPTv1;rua= ; x=y") }, 1, NULL },
		{ "rua without sign", { TXT("v=TLSRPTv1;rua") }, 1, NULL },
		{ "longer name", { TXT("v=TLSRPTv1;xrua=mailto:a@b") }, 1, NULL },
		{ "NUL", { TXT("v=TLSRPTv1;rua=mailto:a\0b") }, 1, NULL },
		{ "control", { TXT("v=TLSRPTv1;rua=mailto:a\nb") }, 1, NULL },
		{ "not ASCII", { TXT("v=TLSRPTv1;rua=mailto:\xc3\xa9@b") }, 1, NULL },
		{ "DEL", { TXT("v=TLSRPTv1;rua=mailto:\x7f") }, 1, NULL },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct dns_answer txt = { .state = t[i].n ? DNS_OK : DNS_NODATA,
					  .rr = t[i].rr,
					  .nrr = t[i].n };
		const char *got = tlsrpt_record(a, &txt);
		if (t[i].want)
			CHECK_STR(t[i].label, got, t[i].want);
		else
			CHECK(t[i].label, got == NULL);
	}
	arena_close(a);
}

static void test_record_is_copied(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	char bytes[] = RUA;
	const struct dns_rr rr = { .bytes = { bytes, sizeof(bytes) - 1 } };
	struct dns_answer txt = { .state = DNS_OK, .rr = &rr, .nrr = 1 };
	const char *got = tlsrpt_record(a, &txt);
	memset(bytes, 'x', sizeof(bytes) - 1);
	CHECK_STR("copy", got, RUA);
	arena_close(a);
	a = arena_open(0);
	memcpy(bytes, RUA, sizeof(bytes));
	CHECK("no memory", tlsrpt_record(a, &txt) == NULL);
	arena_close(a);
}

static const char *const sts_mx[] = { "*.example.net", "mx.example.com" };
static const char *const sts_line[] = { "version: STSv1", "mode: enforce", "mx: *.example.net",
					"mx: mx.example.com", "max_age: 86400" };
static const struct sts_policy sts = { STS_ENFORCE, 86400, sts_mx, 2, sts_line, 5 };
static const struct sts_policy bare_sts = { .mode = STS_ENFORCE };

static const struct dns_rr tlsa_rr[] = {
	TXT("\x03\x01\x01\x00\x1f\xab\xCD"),
	TXT("\x02\x00"), /* broken: passed over */
	TXT("\x02\x00\xff\x7f"),
};
static const struct dns_answer tlsa = {
	.state = DNS_OK, .authentic = true, .rr = tlsa_rr, .nrr = 3
};
static const struct dns_answer broken_tlsa = { .state = DNS_OK, .rr = tlsa_rr + 1, .nrr = 1 };
static const struct dns_answer no_tlsa = { .state = DNS_TEMP, .why = "SERVFAIL" };

#define HEAD        "{\"d\":\"example.com\",\"pr\":\"v=TLSRPTv1;rua=mailto:r@example.com\",\"policies\":[{"
#define NONE_POLICY "\"policy-type\":9,\"policy-domain\":\"example.com\""
#define DANE_POLICY "\"policy-type\":1,\"policy-domain\":\"mx.example.net\""
#define STS_POLICY  "\"policy-type\":2,\"policy-domain\":\"example.com\""
#define GOOD        ",\"t\":0,\"f\":0}]}"
#define BAD         ",\"t\":1,\"f\":1}]}"
#define BEGIN       .domain = "example.com", .record = RUA

static const struct {
	const char *label;
	struct tlsrpt_result r;
	const char *want;
} golden[] = {
	{ "no policy, fine", { BEGIN }, HEAD NONE_POLICY GOOD },
	{ "success has no details",
	  { BEGIN, .sending_ip = "192.0.2.1", .mx = "mx.example.net", .info = "x" },
	  HEAD NONE_POLICY GOOD },
	{ "no STARTTLS",
	  { BEGIN, .failure = TLSRPT_STARTTLS_NOT_SUPPORTED, .sending_ip = "192.0.2.1",
	    .mx = "mx.example.net", .helo = "mx1.example.net", .receiving_ip = "2001:db8::1",
	    .info = "not offered" },
	  HEAD NONE_POLICY
	  ",\"failure-details\":[{\"c\":201,\"s\":\"192.0.2.1\",\"n\":\"mx.example.net\","
	  "\"h\":\"mx1.example.net\",\"r\":\"2001:db8::1\",\"a\":\"not offered\"}]" BAD },
	{ "nothing known",
	  { BEGIN, .failure = TLSRPT_VALIDATION_FAILURE, .mx = "", .info = "" },
	  HEAD NONE_POLICY ",\"failure-details\":[{\"c\":205}]" BAD },
	{ "DANE, fine",
	  { BEGIN, .policy = POLICY_DANE, .tlsa = &tlsa, .tlsa_base = "mx.example.net" },
	  HEAD DANE_POLICY ",\"policy-string\":[\"3 1 1 001FABCD\",\"2 0 255 7F\"]" GOOD },
	{ "DANE, no record matches",
	  { BEGIN, .policy = POLICY_DANE, .tlsa = &tlsa, .tlsa_base = "mx.example.net",
	    .failure = TLSRPT_TLSA_INVALID, .mx = "mx.example.net" },
	  HEAD DANE_POLICY ",\"policy-string\":[\"3 1 1 001FABCD\",\"2 0 255 7F\"]"
			   ",\"failure-details\":[{\"c\":304,\"n\":\"mx.example.net\"}]" BAD },
	{ "DANE, the lookup failed",
	  { BEGIN, .policy = POLICY_DANE, .tlsa = &no_tlsa, .tlsa_base = "mx.example.net",
	    .failure = TLSRPT_DNSSEC_INVALID },
	  HEAD DANE_POLICY ",\"failure-details\":[{\"c\":305}]" BAD },
	{ "DANE, only broken records",
	  { BEGIN, .policy = POLICY_DANE, .tlsa = &broken_tlsa, .tlsa_base = "mx.example.net" },
	  HEAD DANE_POLICY GOOD },
	{ "DANE, nothing at hand",
	  { BEGIN, .policy = POLICY_DANE, .failure = TLSRPT_DANE_REQUIRED },
	  HEAD "\"policy-type\":1,\"failure-details\":[{\"c\":306}]" BAD },
	{ "STS, fine",
	  { BEGIN, .policy = POLICY_STS, .sts = &sts },
	  HEAD STS_POLICY ",\"policy-string\":[\"version: STSv1\",\"mode: enforce\","
			  "\"mx: *.example.net\",\"mx: mx.example.com\",\"max_age: 86400\"],"
			  "\"mx-host\":[\"*.example.net\",\"mx.example.com\"]" GOOD },
	{ "STS, wrong name",
	  { BEGIN, .policy = POLICY_STS, .sts = &bare_sts,
	    .failure = TLSRPT_CERTIFICATE_HOST_MISMATCH, .receiving_ip = "192.0.2.9" },
	  HEAD STS_POLICY ",\"failure-details\":[{\"c\":202,\"r\":\"192.0.2.9\"}]" BAD },
	{ "STS, no policy could be had",
	  { BEGIN, .policy = POLICY_STS, .failure = TLSRPT_STS_POLICY_FETCH_ERROR, .info = "404" },
	  HEAD STS_POLICY ",\"failure-details\":[{\"c\":301,\"a\":\"404\"}]" BAD },
};

static void test_golden(void)
{
	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
		char storage[2000];
		struct buf out;
		buf_init(&out, storage, sizeof(storage));
		CHECK(golden[i].label, tlsrpt_write(&golden[i].r, &out));
		CHECK_STR(golden[i].label, buf_cstr(&out), golden[i].want);
	}
}

static void test_escapes(void)
{
	static const struct {
		const char *text, *want;
	} t[] = {
		{ "a\"b\\c", "a\\\"b\\\\c" },
		{ "\b\t\n\r\x1f", "\\u0008\\u0009\\u000a\\u000d\\u001f" },
		{ "/ \x7f", "/ \x7f" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xf0\x9f\x93\xa7", "\xf0\x9f\x93\xa7" },
		{ "\xc3", "?" },
		{ "a\xff\"b", "a?\\\"b" },
		{ "\xc3\xbc\x80", "???" },
		{ "\xed\xa0\x80", "???" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char storage[500], want[500];
		struct buf out;
		buf_init(&out, storage, sizeof(storage));
		const char *const line[] = { t[i].text };
		struct sts_policy p = { .mx = line, .nmx = 1, .line = line, .nline = 1 };
		struct tlsrpt_result r = {
			.domain = t[i].text, .record = t[i].text, .policy = POLICY_STS, .sts = &p
		};
		snprintf(want, sizeof(want),
			 "{\"d\":\"%s\",\"pr\":\"%s\",\"policies\":[{\"policy-type\":2,"
			 "\"policy-domain\":\"%s\",\"policy-string\":[\"%s\"],\"mx-host\":[\"%s\"]"
			 ",\"t\":0,\"f\":0}]}",
			 t[i].want, t[i].want, t[i].want, t[i].want, t[i].want);
		CHECK(t[i].want, tlsrpt_write(&r, &out));
		CHECK_STR(t[i].want, buf_cstr(&out), want);
	}
}

/* It is written whole, or it is said that it was not. */
static void test_room(void)
{
	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
		size_t n = strlen(golden[i].want);
		char storage[2000];
		struct buf out;
		for (size_t size = 0; size <= n + 1; size++) {
			buf_init(&out, storage, size);
			bool fits = tlsrpt_write(&golden[i].r, &out);
			CU_ASSERT(fits == (size == n + 1));
		}
	}
}

static void test_large_policy(void)
{
	static char data[TLSRPT_DATAGRAM], storage[TLSRPT_DATAGRAM + 1];
	struct buf out;
	memset(data, 1, sizeof(data));
	struct dns_rr rr = { .bytes = { data, 32000 } };
	struct dns_answer answer = { .state = DNS_OK, .rr = &rr, .nrr = 1 };
	struct tlsrpt_result r = { BEGIN, .policy = POLICY_DANE, .tlsa = &answer,
				   .tlsa_base = "mx.example.net" };
	buf_init(&out, storage, sizeof(storage));
	CHECK("a whole certificate", tlsrpt_write(&r, &out) && out.len > 64000);
	rr.bytes.n = 33000;
	buf_init(&out, storage, sizeof(storage));
	CHECK("more than a datagram holds", !tlsrpt_write(&r, &out));
}

static void test_trouble(void)
{
	static const struct {
		enum secure_trouble trouble;
		enum tlsrpt_failure want;
		int number;
	} t[] = {
		{ SECURE_FINE, TLSRPT_NO_FAILURE, 0 },
		{ SECURE_HANDSHAKE, TLSRPT_VALIDATION_FAILURE, 205 },
		{ SECURE_NOT_TRUSTED, TLSRPT_CERTIFICATE_NOT_TRUSTED, 203 },
		{ SECURE_WRONG_NAME, TLSRPT_CERTIFICATE_HOST_MISMATCH, 202 },
		{ SECURE_EXPIRED, TLSRPT_CERTIFICATE_EXPIRED, 204 },
		{ SECURE_NO_TLSA, TLSRPT_TLSA_INVALID, 304 },
		{ SECURE_LOCAL, TLSRPT_NO_FAILURE, 0 },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		CHECK("trouble", tlsrpt_of_trouble(t[i].trouble) == t[i].want);
		CHECK("number", (int)t[i].want == t[i].number);
	}
}

TEST_MAIN("tlsrpt", { "record", test_record }, { "record is copied", test_record_is_copied },
	  { "golden", test_golden }, { "escapes", test_escapes }, { "room", test_room },
	  { "large policy", test_large_policy }, { "trouble", test_trouble })
