/* SPDX-License-Identifier: ISC */
/*
 * Fetches the MTA-STS policy of a domain over HTTPS (RFC 8461 section 3.3); sts.h says how it is
 * asked and answers. A program of its own, so that neither libcurl and its libraries nor what they
 * make of foreign bytes are in the one that holds the message.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <curl/curl.h>
#include <gnutls/x509.h>

#include "base/buf.h"
#include "base/ip.h"
#include "base/text.h"
#include "confine.h"
#include "sts.h"
#include "wire/sts.h"

#define CONNECT_SECONDS 20                   /* leaves time for another address */
#define CPU_SECONDS     10                   /* a fetch takes 0.03 */
#define MEMORY          (128u * 1024 * 1024) /* over what the program has at its start */
#define FILES           32
#define HEADERS         65536 /* bytes; libcurl itself keeps headers without a bound */

struct fetch {
	const char *ca;
	uint64_t seconds;
	char url[LIMIT_DOMAIN + 64], resolve[LIMIT_DOMAIN + 16 + LIMIT_ADDRS * (IP_TEXT + 2)];
	CURL *curl;
	char curl_says[CURL_ERROR_SIZE];
	size_t headers;
	struct buf body;
	const char *class; /* "FETCH", "WEBPKI", "INVALID"; NULL: nothing is wrong yet */
	char reason[STS_REASON + 1];
};

/* The first finding stays. Returns false. */
PRINTF_LIKE(3, 4) static bool fail(struct fetch *f, const char *class, const char *fmt, ...)
{
	if (f->class)
		return false;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(f->reason, sizeof(f->reason), fmt, ap);
	va_end(ap);
	text_printable(f->reason, strlen(f->reason));
	f->class = class;
	return false;
}

static void write_all(struct span s)
{
	while (s.n > 0) {
		ssize_t n = write(STDOUT_FILENO, s.p, s.n);
		if (n < 0 && errno != EINTR)
			return;
		if (n > 0)
			s = (struct span){ s.p + n, s.n - (size_t)n };
	}
}

static void answer(const struct fetch *f)
{
	char line[sizeof(f->reason) + 16];
	if (f->class)
		snprintf(line, sizeof(line), "%s %s\n", f->class, f->reason);
	else
		snprintf(line, sizeof(line), "OK %zu\n", f->body.len);
	write_all(span_of(line));
	if (!f->class)
		write_all(buf_view(&f->body));
}

/* The domain becomes part of a URL and of a resolver entry: nothing in it may end either. */
static bool take_domain(struct fetch *f, const char *domain)
{
	size_t n = strlen(domain);
	for (size_t i = 0; i < n; i++) {
		char c = text_lower(domain[i]);
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '.' &&
		    c != '_')
			return fail(f, "FETCH", "\"%.100s\" is not a domain", domain);
	}
	if (n == 0 || n > LIMIT_DOMAIN)
		return fail(f, "FETCH", "a domain of %zu bytes", n);
	snprintf(f->url, sizeof(f->url), "https://mta-sts.%s/.well-known/mta-sts.txt", domain);
	return true;
}

/* An entry for CURLOPT_RESOLVE; with it libcurl looks nothing up. */
static bool take_addresses(struct fetch *f, const char *domain, const char *list)
{
	struct buf out;
	struct span rest = span_of(list), one;
	struct ip ip;
	char text[IP_TEXT];
	buf_init(&out, f->resolve, sizeof(f->resolve));
	buf_addf(&out, "mta-sts.%s:443:", domain);
	for (size_t i = 0; span_cut(&rest, ',', &one); i++) {
		if (i == LIMIT_ADDRS || !ip_parse(one, &ip))
			return fail(f, "FETCH", "bad addresses \"%.100s\"", list);
		ip_format(ip, text);
		buf_addf(&out, ip.family == 6 ? "%s[%s]" : "%s%s", i ? "," : "", text);
	}
	if (out.overflow || out.p[out.len - 1] == ':')
		return fail(f, "FETCH", "bad addresses \"%.100s\"", list);
	buf_cstr(&out);
	return true;
}

static bool take_arguments(struct fetch *f, int argc, char **argv)
{
	static const struct option options[] = {
		{ "ca", required_argument, NULL, 'c' },
		{ "resolve", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ 0 },
	};
	const char *addresses = NULL;
	bool good = true;
	int option;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'c')
			f->ca = optarg;
		else if (option == 'r')
			addresses = optarg;
		else if (option == 's')
			good = good && text_u64(span_of(optarg), STS_SECONDS, &f->seconds);
		else
			good = false;
	}
	if (!good || !f->ca || !addresses || f->seconds == 0 || argc - optind != 1)
		return fail(f, "FETCH", "mxdirect-sts was asked in a way it does not know");
	return take_domain(f, argv[optind]) && take_addresses(f, argv[optind], addresses);
}

/* From here on it can talk to the network and to descriptor 1, for a while, and not much else. */
static bool confine(struct fetch *f)
{
	struct pollfd out = { .fd = STDOUT_FILENO };
	int null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		return fail(f, "FETCH", "/dev/null: %s", strerror(errno));
	close_range(STDERR_FILENO + 1, ~0u, 0);
	signal(SIGPIPE, SIG_IGN);
	alarm((unsigned)f->seconds + 2); /* should libcurl's own time limit not hold */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail(f, "FETCH", "prctl: %s", strerror(errno));
	/* Who asked may have died before that: nobody reads the pipe then. */
	if (poll(&out, 1, 0) > 0 && (out.revents & POLLERR))
		return fail(f, "FETCH", "nobody is there to hear it");
	/* No thread either: libcurl would start one for a look-up of its own. */
	if (confine_limit(RLIMIT_CORE, 0) && confine_limit(RLIMIT_FSIZE, STS_OUTPUT) &&
	    confine_limit(RLIMIT_NPROC, 0) && confine_limit(RLIMIT_NOFILE, FILES) &&
	    confine_limit(RLIMIT_CPU, CPU_SECONDS) && confine_memory(MEMORY))
		return true;
	return fail(f, "FETCH", "setrlimit: %s", strerror(errno));
}

/* RFC 8461 section 3.3: the certificate must name the host as a DNS-ID. libcurl has matched the
 * name by now, but takes the subject's common name where there is no DNS-ID. */
static bool has_dns_id(gnutls_x509_crt_t certificate)
{
	for (unsigned i = 0;; i++) {
		char name[256];
		size_t size = sizeof(name);
		int type = gnutls_x509_crt_get_subject_alt_name(certificate, i, name, &size, NULL);
		if (type == GNUTLS_SAN_DNSNAME)
			return true;
		if (type < 0 && type != GNUTLS_E_SHORT_MEMORY_BUFFER)
			return false;
	}
}

/* What GnuTLS holds against the chain; libcurl's own words do not say it. */
static bool distrust(struct fetch *f, unsigned status)
{
	gnutls_datum_t text = { 0 };
	if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) != 0)
		return fail(f, "WEBPKI", "the certificate is not trusted");
	struct span why = span_trim(span_of((const char *)text.data));
	fail(f, "WEBPKI", "%.*s", (int)why.n, why.p);
	gnutls_free(text.data);
	return false;
}

/* libcurl has verified the chain, too, but not that it is one for servers. */
static bool check_chain(struct fetch *f, gnutls_session_t session)
{
	gnutls_typed_vdata_st server = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_SERVER,
	};
	unsigned status = 0;
	if (gnutls_certificate_verify_peers(session, &server, 1, &status) != 0)
		return fail(f, "WEBPKI", "the certificate cannot be verified");
	return status == 0 || distrust(f, status);
}

static bool check_name(struct fetch *f, gnutls_session_t session)
{
	gnutls_x509_crt_t certificate;
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
	if (!chain || n == 0)
		return fail(f, "WEBPKI", "there is no certificate");
	if (gnutls_x509_crt_init(&certificate) != 0)
		return fail(f, "FETCH", "out of memory");
	bool good = gnutls_x509_crt_import(certificate, chain, GNUTLS_X509_FMT_DER) == 0 &&
		    has_dns_id(certificate);
	gnutls_x509_crt_deinit(certificate);
	return good || fail(f, "WEBPKI", "the certificate has no DNS name, only a common name");
}

static bool check_certificate(struct fetch *f)
{
	struct curl_tlssessioninfo *tls = NULL;
	if (curl_easy_getinfo(f->curl, CURLINFO_TLS_SSL_PTR, &tls) != CURLE_OK || !tls ||
	    tls->backend != CURLSSLBACKEND_GNUTLS || !tls->internals)
		return fail(f, "FETCH", "libcurl shows no GnuTLS session");
	return check_chain(f, tls->internals) && check_name(f, tls->internals);
}

static int before_request(void *ctx, char *to, char *from, int to_port, int from_port)
{
	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	return check_certificate(ctx) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* RFC 8461 section 3.3: 200 and nothing else; section 3.2: text/plain, parameters do not matter. */
static bool check_response(struct fetch *f)
{
	static const char wanted[] = "text/plain";
	long status = 0;
	const char *type = NULL;
	curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(f->curl, CURLINFO_CONTENT_TYPE, &type);
	if (status != 200)
		return fail(f, "FETCH", "HTTP status %ld", status);
	if (!type)
		return fail(f, "INVALID", "the policy has no media type");
	struct span rest = span_of(type), essence = { 0 };
	span_cut(&rest, ';', &essence);
	return span_equal_nocase(span_trim(essence), SPAN(wanted)) ||
	       fail(f, "INVALID", "the media type is \"%.100s\", not %s", type, wanted);
}

static size_t take_header(char *p, size_t size, size_t n, void *ctx)
{
	struct fetch *f = ctx;
	(void)p;
	f->headers += size * n;
	if (f->headers > HEADERS && !fail(f, "FETCH", "more than %d bytes of header", HEADERS))
		return 0;
	return size * n;
}

static size_t take_body(char *p, size_t size, size_t n, void *ctx)
{
	struct fetch *f = ctx;
	if (f->body.len == 0 && !check_response(f))
		return 0;
	buf_add(&f->body, (struct span){ p, size * n });
	if (f->body.overflow && !fail(f, "INVALID", "the policy is over %d bytes", STS_BODY))
		return 0;
	return size * n;
}

/* Options that keep the fetch to one request, to these addresses, over a proven connection. */
static bool restrict_to(struct fetch *f, struct curl_slist *resolve)
{
	CURL *h = f->curl;
	return !curl_easy_setopt(h, CURLOPT_URL, f->url) &&
	       !curl_easy_setopt(h, CURLOPT_RESOLVE, resolve) &&
	       !curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "https") &&
	       !curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L) &&
	       !curl_easy_setopt(h, CURLOPT_PROXY, "") &&
	       !curl_easy_setopt(h, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
	       !curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       !curl_easy_setopt(h, CURLOPT_HTTP09_ALLOWED, 0L) &&
	       !curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
	       !curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L) &&
	       !curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L) &&
	       !curl_easy_setopt(h, CURLOPT_CAINFO, f->ca) &&
	       !curl_easy_setopt(h, CURLOPT_CAPATH, NULL) &&
	       !curl_easy_setopt(h, CURLOPT_PREREQFUNCTION, before_request) &&
	       !curl_easy_setopt(h, CURLOPT_PREREQDATA, f);
}

static bool set_up(struct fetch *f)
{
	CURL *h = f->curl;
	long seconds = (long)f->seconds;
	long connect = seconds < CONNECT_SECONDS ? seconds : CONNECT_SECONDS;
	return !curl_easy_setopt(h, CURLOPT_ERRORBUFFER, f->curl_says) &&
	       !curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(h, CURLOPT_TIMEOUT, seconds) &&
	       !curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, connect) &&
	       !curl_easy_setopt(h, CURLOPT_USERAGENT, "mxdirect/" VERSION) &&
	       !curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header) &&
	       !curl_easy_setopt(h, CURLOPT_HEADERDATA, f) &&
	       !curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take_body) &&
	       !curl_easy_setopt(h, CURLOPT_WRITEDATA, f);
}

/* libcurl gave the connection up: for what is in the status, or because the name does not match. */
static bool explain_distrust(struct fetch *f)
{
	const char *host = f->url + sizeof("https://") - 1;
	long status = 0;
	curl_easy_getinfo(f->curl, CURLINFO_SSL_VERIFYRESULT, &status);
	if (status != 0)
		return distrust(f, (unsigned)status);
	return fail(f, "WEBPKI", "the certificate does not name %.*s", (int)strcspn(host, "/"),
		    host);
}

static bool perform(struct fetch *f)
{
	CURLcode how = curl_easy_perform(f->curl);
	if (how == CURLE_OK)
		return check_response(f);
	if (how == CURLE_PEER_FAILED_VERIFICATION)
		return explain_distrust(f);
	return fail(f, "FETCH", "%s", f->curl_says[0] ? f->curl_says : curl_easy_strerror(how));
}

static void fetch(struct fetch *f)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		fail(f, "FETCH", "libcurl cannot start");
		return;
	}
	struct curl_slist *resolve = curl_slist_append(NULL, f->resolve);
	f->curl = curl_easy_init();
	if (!resolve || !f->curl || !restrict_to(f, resolve) || !set_up(f))
		fail(f, "FETCH", "libcurl does not take what it must");
	else
		perform(f);
	curl_easy_cleanup(f->curl);
	curl_slist_free_all(resolve);
	curl_global_cleanup();
}

int main(int argc, char **argv)
{
	static char body[STS_BODY + 1];
	struct fetch f = { .ca = NULL };
	buf_init(&f.body, body, sizeof(body));
	if (take_arguments(&f, argc, argv) && confine(&f))
		fetch(&f);
	answer(&f);
	return 0;
}
