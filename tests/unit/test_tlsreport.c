/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "flow/tlsreport.h"

#include "harness.h"

/* The collector of the tests, on a socket in a folder of its own. */
struct collector {
	char folder[64], path[90];
	int fd; /* -1: nobody listens */
};

static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	CHECK(path, strlen(path) < sizeof(at.sun_path));
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	return at;
}

static void open_collector(struct collector *c)
{
	snprintf(c->folder, sizeof(c->folder), "/tmp/test_tlsreport.XXXXXX");
	CHECK("folder", mkdtemp(c->folder) != NULL);
	snprintf(c->path, sizeof(c->path), "%s/socket", c->folder);
	struct sockaddr_un at = address(c->path);
	c->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK("socket", bind(c->fd, (struct sockaddr *)&at, sizeof(at)) == 0);
}

static void close_collector(struct collector *c)
{
	if (c->fd >= 0)
		close(c->fd);
	unlink(c->path);
	rmdir(c->folder);
}

/* The next datagram as a string; NULL: there is none. */
static const char *received(const struct collector *c)
{
	static char text[TLSRPT_DATAGRAM + 1];
	ssize_t n = recv(c->fd, text, sizeof(text) - 1, 0);
	if (n < 0)
		return NULL;
	text[n] = '\0';
	return text;
}

static const struct tlsrpt_result good = {
	.domain = "example.com",
	.record = "v=TLSRPTv1; rua=mailto:t@example.com",
};
#define GOOD                                                                                       \
	"{\"d\":\"example.com\",\"pr\":\"v=TLSRPTv1; rua=mailto:t@example.com\",\"policies\":[{"   \
	"\"policy-type\":9,\"policy-domain\":\"example.com\",\"t\":0,\"f\":0}]}"

static void send_to(const char *path, const struct tlsrpt_result *r, size_t memory)
{
	struct config config = { .tlsrpt_socket = path };
	struct services sv = { .config = &config };
	struct arena *a = arena_open(memory);
	tlsreport_send(a, &sv, r);
	arena_close(a);
}

static void test_sent(void)
{
	struct collector c;
	open_collector(&c);
	send_to(c.path, &good, LIMIT_ARENA);
	CHECK_STR("success", received(&c), GOOD);
	struct tlsrpt_result failed = good;
	failed.policy = POLICY_DANE;
	failed.tlsa_base = "mx.example.com";
	failed.failure = TLSRPT_TLSA_INVALID;
	failed.mx = "mx.example.com";
	failed.receiving_ip = "192.0.2.1";
	send_to(c.path, &failed, LIMIT_ARENA);
	CHECK_STR("failure", received(&c),
		  "{\"d\":\"example.com\",\"pr\":\"v=TLSRPTv1; rua=mailto:t@example.com\","
		  "\"policies\":[{\"policy-type\":1,\"policy-domain\":\"mx.example.com\","
		  "\"failure-details\":[{\"c\":304,\"n\":\"mx.example.com\",\"r\":\"192.0.2.1\"}],"
		  "\"t\":1,\"f\":1}]}");
	CHECK("one datagram each", received(&c) == NULL);
	close_collector(&c);
}

static void test_not_sent(void)
{
	struct collector c;
	struct tlsrpt_result r = good;
	open_collector(&c);
	r.record = NULL;
	send_to(c.path, &r, LIMIT_ARENA);
	CHECK("the domain wants none", received(&c) == NULL);
	send_to("", &good, LIMIT_ARENA);
	CHECK("no collector is configured", received(&c) == NULL);
	send_to(c.path, &good, 100);
	CHECK("no memory", received(&c) == NULL);

	/* Half a result would be none. */
	static char sentence[TLSRPT_DATAGRAM + 100];
	memset(sentence, 'x', sizeof(sentence) - 1);
	r = good;
	r.failure = TLSRPT_VALIDATION_FAILURE;
	r.info = sentence;
	send_to(c.path, &r, LIMIT_ARENA);
	CHECK("too large", received(&c) == NULL);
	close_collector(&c);
}

/* A longer path than an address holds is not cut to that of another socket. */
static void test_path_length(void)
{
	struct collector c;
	struct sockaddr_un at;
	char path[200];
	open_collector(&c);
	size_t stem = strlen(c.folder) + 1;
	snprintf(path, sizeof(path), "%s/", c.folder);
	memset(path + stem, 's', sizeof(path) - stem);
	path[sizeof(at.sun_path) - 1] = '\0';
	at = address(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK("bind", bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	struct collector longest = { .fd = fd };
	send_to(path, &good, LIMIT_ARENA);
	CHECK_STR("longest", received(&longest), GOOD);
	path[sizeof(at.sun_path) - 1] = 's';
	for (size_t n = sizeof(at.sun_path); n < sizeof(path); n += 40) {
		char longer[sizeof(path)];
		snprintf(longer, sizeof(longer), "%.*s", (int)n, path);
		send_to(longer, &good, LIMIT_ARENA);
		CHECK("longer", received(&longest) == NULL);
	}
	close(fd);
	unlink(at.sun_path);
	close_collector(&c);
}

/* Whoever is there or is not there: nobody waits, and no descriptor is left behind. An alarm ends a
 * test that does wait. */
static void test_nobody_waits(void)
{
	struct collector c;
	size_t sent = 0, heard = 0;
	const char *text;
	open_collector(&c);
	int other = dup(c.fd);
	close(other);
	alarm(30);
	for (; sent < 2000; sent++) /* more than any queue takes */
		send_to(c.path, &good, LIMIT_ARENA);
	while ((text = received(&c)) != NULL) {
		heard++;
		if (strcmp(text, GOOD) != 0)
			CHECK_STR("whole", text, GOOD);
	}
	CHECK("full", heard > 0 && heard < sent);
	send_to(c.path, &good, LIMIT_ARENA);
	CHECK_STR("room again", received(&c), GOOD);

	CHECK("closed, but its file is there", dup2(STDERR_FILENO, c.fd) == c.fd);
	send_to(c.path, &good, LIMIT_ARENA);
	unlink(c.path);
	send_to(c.path, &good, LIMIT_ARENA);
	CHECK("nothing is made where nothing was", access(c.path, F_OK) != 0);
	send_to("/dev/null", &good, LIMIT_ARENA);
	send_to(c.folder, &good, LIMIT_ARENA);
	alarm(0);
	int again = dup(c.fd);
	close(again);
	CHECK("descriptors", again == other);
	close_collector(&c);
}

TEST_MAIN("tlsreport", { "sent", test_sent }, { "not sent", test_not_sent },
	  { "path length", test_path_length }, { "nobody waits", test_nobody_waits })
