/* SPDX-License-Identifier: ISC */
#include "front/ctl_check_net.h"

#include "check_world.h"

static void test_resolver(void)
{
	struct check_world w;
	check_open(&w);
	check_resolver(&w.findings, &w.sv);
	check_is("answers", &w.findings, FIND_DNS_ANSWERS, FINDING_OK, "MX of ietf.org");
	check_is("absent", &w.findings, FIND_DNS_ABSENT, FINDING_OK, "no such name");
	check_is("unsigned", &w.findings, FIND_DNS_VALIDATES, FINDING_WARNING, "not marked");
	check_close(&w);
	check_open(&w);
	w.config.dane = false;
	check_resolver(&w.findings, &w.sv);
	check_is("no matter", &w.findings, FIND_DNS_VALIDATES, FINDING_OK, "dane is off");
	check_close(&w);
}

/* A name server that knows every name, and one that knows none. */
static void test_liar(void)
{
	static const struct zone_record lies[] = { { "*.invalid", DNS_A, "192.0.2.1" } };
	struct check_world w;
	check_open(&w);
	w.dns.zone = lies;
	w.dns.n = 1;
	check_resolver(&w.findings, &w.sv);
	check_is("nothing", &w.findings, FIND_DNS_ANSWERS, FINDING_FAILURE, "no such name");
	check_is("invented", &w.findings, FIND_DNS_ABSENT, FINDING_FAILURE, "an answer");
	CHECK("no word on it", !check_found(&w.findings, FIND_DNS_VALIDATES, 0));
	check_close(&w);
}

static void test_source(void)
{
	struct config c;
	bool chosen = true;
	config_init(&c);
	ip_parse(SPAN("192.0.2.25"), &c.source_ipv4);
	struct ip ip = check_source(&c, 4, &chosen);
	CHECK("configured", ip_equal(ip, c.source_ipv4) && !chosen);
	ip = check_source(&c, 6, &chosen);
	CHECK("by the route", (ip.family == 6 || ip.family == 0) && chosen);
}

struct greeter {
	int listener;
	uint16_t port;
	const char *text;
	pthread_t thread;
};

static void *greet(void *ctx)
{
	struct greeter *g = ctx;
	int fd = accept4(g->listener, NULL, NULL, SOCK_CLOEXEC);
	for (const char *p = g->text; *p; p++) /* in pieces */
		send(fd, p, 1, MSG_NOSIGNAL);
	close(fd);
	return NULL;
}

static void greeter_open(struct greeter *g, const char *text)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t n = sizeof(at);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	g->text = text;
	g->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(g->listener, (struct sockaddr *)&at, n) != 0 || listen(g->listener, 1) != 0 ||
	    getsockname(g->listener, (struct sockaddr *)&at, &n) != 0 ||
	    pthread_create(&g->thread, NULL, greet, g) != 0)
		abort();
	g->port = ntohs(at.sin_port);
}

static void test_port(void)
{
	static const struct {
		const char *text;
		enum finding_level level;
		const char *part;
	} t[] = {
		{ "220 mx.test ESMTP\r\n", FINDING_OK, ": 220 mx.test ESMTP" },
		{ "220-mx.test\r\n220 second\r\n", FINDING_OK, ": 220-mx.test" },
		{ "554 go away\r\n", FINDING_FAILURE, ": 554 go away" },
		{ "", FINDING_FAILURE, "closed without a greeting" },
		{ "220 cut", FINDING_FAILURE, "closed without a greeting" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct check_world w;
		struct greeter g;
		char to[40];
		check_open(&w);
		greeter_open(&g, t[i].text);
		snprintf(to, sizeof(to), "127.0.0.1:%u", g.port);
		CHECK(t[i].text, check_port(&w.findings, &w.sv, to, &w.err));
		check_is(t[i].text, &w.findings, FIND_PORT, t[i].level, t[i].part);
		pthread_join(g.thread, NULL);
		close(g.listener);
		check_close(&w);
	}
}

static void test_targets(void)
{
	static const struct {
		const char *to, *part; /* part NULL: refused */
	} t[] = {
		{ "none.test", "no address" },
		{ "silent.test:25", "no address" },
		{ "a b", NULL },
		{ "mail.sender.test:0", NULL },
		{ "mail.sender.test:x", NULL },
		{ "mail.sender.test:70000", NULL },
		{ "", NULL },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct check_world w;
		check_open(&w);
		CHECK(t[i].to, check_port(&w.findings, &w.sv, t[i].to, &w.err) == !!t[i].part);
		if (t[i].part)
			check_is(t[i].to, &w.findings, FIND_PORT, FINDING_FAILURE, t[i].part);
		check_close(&w);
	}
	struct check_world w;
	struct greeter g;
	check_open(&w);
	greeter_open(&g, "220 x\r\n");
	w.config.smtp_port = g.port;
	CHECK("the configured port", check_port(&w.findings, &w.sv, "127.0.0.1", &w.err));
	check_is("the configured port", &w.findings, FIND_PORT, FINDING_OK, "220 x");
	pthread_join(g.thread, NULL);
	close(g.listener);
	CHECK("nobody there", check_port(&w.findings, &w.sv, "127.0.0.1", &w.err));
	const struct finding *second = check_found(&w.findings, FIND_PORT, 1);
	CHECK("nobody there", second && strstr(second->text, "Connection refused"));
	check_close(&w);
}

TEST_MAIN("ctl_check_net", { "resolver", test_resolver }, { "liar", test_liar },
	  { "source", test_source }, { "port", test_port }, { "targets", test_targets })
