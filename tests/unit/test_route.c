/* SPDX-License-Identifier: ISC */
#include "core/config_value.h"
#include "core/route.h"
#include "harness.h"

/* Settings as "KEY=VALUE"; lists with commas. A false value is a mistake in the test, unless *ret
 * says so. */
static bool try_route(struct arena *a, struct route *r, const char *pattern, const char *const *set,
		      struct error *err)
{
	route_init(r, pattern, "f:3");
	*err = (struct error){ 0 };
	for (; *set; set++) {
		struct span rest = span_of(*set), key, item;
		const char *value[LIMIT_LIST + 1];
		size_t n = 0;
		CHECK(*set, span_cut(&rest, '=', &key));
		while (n < LIMIT_LIST && span_cut(&rest, ',', &item))
			value[n++] = arena_str(a, item);
		if (!route_set(a, r, arena_str(a, key), value, n, err))
			return false;
	}
	return route_complete(a, r, err);
}

#define SET(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct route route(struct arena *a, const char *pattern, const char *const *set)
{
	struct route r;
	struct error err;
	CHECK(pattern, try_route(a, &r, pattern, set, &err));
	CHECK_STR(pattern, err.text, "");
	return r;
}

static bool is_config_error(const struct error *err)
{
	return err->class == ERR_CONFIG && err->code.cls == 4 && err->code.subject == 3 &&
	       err->code.detail == 5;
}

static void test_keys(void)
{
	size_t n, nconfig;
	const struct config_key *keys = route_keys(&n), *config = config_keys(&nconfig);
	static const char *const names[] = { "hosts",        "sender",      "size_over",
					     "size_under",   "failing_for", "priority",
					     "direct",       "last",        "user",
					     "password_file" };
	CHECK("number", n == 10);
	for (size_t i = 0; i < 10; i++) {
		CHECK(names[i], config_value_key(keys, n, span_of(names[i])) != NULL);
		CHECK(names[i], !config_value_key(config, nconfig, span_of(names[i])));
		CHECK(names[i], keys[i].list == (i < 2) && keys[i].help[0] && !keys[i].per_domain);
	}
}

static void test_defaults(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct route r;
	size_t n;
	const struct config_key *keys = route_keys(&n);
	route_init(&r, "x.example", "f:9");
	CHECK_STR("pattern", r.pattern, "x.example");
	CHECK_STR("origin", r.origin, "f:9");
	CHECK("lists", r.nhosts == 0 && r.nsender == 0 && !r.host);
	CHECK("conditions", r.size_over == 0 && r.size_under == 0 && r.failing_for == 0);
	CHECK("priority", r.priority == 10 && !r.direct && !r.last);
	CHECK_STR("user", r.user, "");
	CHECK_STR("password_file", r.password_file, "");
	for (size_t i = 0; i < n; i++)
		if (!keys[i].list)
			CHECK_STR(keys[i].name, config_value_text(a, &keys[i], &r),
				  keys[i].default_text);
	arena_close(a);
}

static void test_set(void)
{
	static const struct {
		const char *set, *error; /* NULL: good */
	} t[] = {
		{ "hosts=a,b:25,mx:c", NULL },
		{ "sender=@a.example,<>", NULL },
		{ "size_over=20M", NULL },
		{ "size_over=1048576G", NULL },
		{ "size_over=1048577G", "size_over: \"1048577G\" is out of range (0 to 1048576G)" },
		{ "size_under=20X", "size_under: \"20X\" is not a size (K M G)" },
		{ "failing_for=2h", NULL },
		{ "failing_for=30d", NULL },
		{ "failing_for=31d", "failing_for: \"31d\" is out of range (0 to 30d)" },
		{ "priority=0", NULL },
		{ "priority=65535", NULL },
		{ "priority=65536", "priority: \"65536\" is out of range (0 to 65535)" },
		{ "priority=-1", "priority: \"-1\" is not a number" },
		{ "direct=yes", NULL },
		{ "direct=maybe", "direct: \"maybe\" is not yes or no" },
		{ "last=on", NULL },
		{ "last=1", "last: \"1\" is not yes or no" },
		{ "user=fred", NULL },
		{ "user=a,b", "user: takes one value" },
		{ "user=a\nb", "user: \"a b\" is not printable" },
		{ "password_file=/etc/secret", NULL },
		{ "password_file=secret", "password_file: \"secret\" is not an absolute path" },
		{ "colour=blue", "unknown key \"colour\"" },
		{ "tls=verify", "unknown key \"tls\"" },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct route r;
		struct error err;
		const char *set[] = { t[i].set, "direct=yes", NULL };
		bool whole = try_route(a, &r, "*", set, &err);
		/* Some are good alone, but not whole; their messages begin with the place. */
		bool good = whole || strncmp(err.text, "f:3: ", 5) == 0;
		CHECK(t[i].set, good == (t[i].error == NULL));
		if (t[i].error)
			CHECK_STR(t[i].set, err.text, t[i].error);
		CHECK(t[i].set, whole || is_config_error(&err));
	}
	arena_close(a);
}

static void test_patterns(void)
{
	static const struct {
		const char *pattern;
		bool good;
	} t[] = {
		{ "*", true },
		{ "example.net", true },
		{ "EXAMPLE.net", true },
		{ "net", true },
		{ "xn--bcher-kva.example", true },
		{ "_x.example", true },
		{ "*.example.net", true },
		{ "*.net", true },
		{ "[192.0.2.1]", true },
		{ "[IPv6:2001:db8::1]", true },
		{ "", false },
		{ "*.", false },
		{ ".", false },
		{ ".example.net", false },
		{ "example.net.", false },
		{ "*.example.net.", false },
		{ "*example.net", false },
		{ "**", false },
		{ "*.*", false },
		{ "*.*.example.net", false },
		{ "a.*.example.net", false },
		{ "example.*", false },
		{ "*.[192.0.2.1]", false },
		{ "[192.0.2.256]", false },
		{ "[2001:db8::1]", false },
		{ "user@example.net", false },
		{ "a b", false },
		{ "b\xc3\xbc"
		  "cher.example",
		  false },
		{ "a..b", false },
		{ "-a.example", false },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct route r;
		struct error err;
		CHECK(t[i].pattern,
		      try_route(a, &r, t[i].pattern, SET("direct=yes"), &err) == t[i].good);
		CHECK(t[i].pattern, t[i].good || is_config_error(&err));
		if (!t[i].good)
			CHECK_STR(t[i].pattern, err.text,
				  arena_fmt(a,
					    "f:3: route \"%s\": the pattern is not a domain "
					    "(A-labels), \"*.DOMAIN\" or \"*\"",
					    t[i].pattern));
	}
	arena_close(a);
}

static void test_hosts(void)
{
	static const struct {
		const char *text;
		enum nexthop_kind kind;
		const char *name; /* NULL: refused */
		uint16_t port;
	} t[] = {
		{ "relay.example", NEXTHOP_HOST, "relay.example", 0 },
		{ "Relay.EXAMPLE", NEXTHOP_HOST, "relay.example", 0 },
		{ "relay.example:25", NEXTHOP_HOST, "relay.example", 25 },
		{ "relay.example:65535", NEXTHOP_HOST, "relay.example", 65535 },
		{ "relay", NEXTHOP_HOST, "relay", 0 },
		{ "xn--bcher-kva.example:587", NEXTHOP_HOST, "xn--bcher-kva.example", 587 },
		{ "1a.2b.example.4u", NEXTHOP_HOST, "1a.2b.example.4u", 0 },
		{ "mx:example.org", NEXTHOP_MX, "example.org", 0 },
		{ "MX:Example.org:2525", NEXTHOP_MX, "example.org", 2525 },
		{ "mx.example", NEXTHOP_HOST, "mx.example", 0 },
		{ "mx", NEXTHOP_HOST, "mx", 0 },
		{ "mx:mx", NEXTHOP_MX, "mx", 0 },
		{ "192.0.2.1", NEXTHOP_LITERAL, "[192.0.2.1]", 0 },
		{ "192.0.2.1:26", NEXTHOP_LITERAL, "[192.0.2.1]", 26 },
		{ "[192.0.2.1]", NEXTHOP_LITERAL, "[192.0.2.1]", 0 },
		{ "[192.0.2.1]:26", NEXTHOP_LITERAL, "[192.0.2.1]", 26 },
		{ "2001:DB8::1", NEXTHOP_LITERAL, "[IPv6:2001:db8::1]", 0 },
		{ "2001:db8::1:25", NEXTHOP_LITERAL, "[IPv6:2001:db8::1:25]", 0 },
		{ "[2001:db8::1]", NEXTHOP_LITERAL, "[IPv6:2001:db8::1]", 0 },
		{ "[2001:db8::1]:587", NEXTHOP_LITERAL, "[IPv6:2001:db8::1]", 587 },
		{ "::1", NEXTHOP_LITERAL, "[IPv6:::1]", 0 },
		{ ":25", 0, NULL, 0 },
		{ "relay.example:", 0, NULL, 0 },
		{ "relay.example:0", 0, NULL, 0 },
		{ "relay.example:65536", 0, NULL, 0 },
		{ "relay.example:smtp", 0, NULL, 0 },
		{ "relay.example:25:26", 0, NULL, 0 },
		{ "relay.example:-1", 0, NULL, 0 },
		{ "relay.example.", 0, NULL, 0 },
		{ "relay example", 0, NULL, 0 },
		{ " relay.example", 0, NULL, 0 },
		{ "b\xc3\xbc.example", 0, NULL, 0 },
		{ "*.example", 0, NULL, 0 },
		{ "user@relay.example", 0, NULL, 0 },
		{ "mx:", 0, NULL, 0 },
		{ "mx::25", 0, NULL, 0 },
		{ "mx:25", 0, NULL, 0 },
		{ "mx:192.0.2.1", 0, NULL, 0 },
		{ "mx:[192.0.2.1]", 0, NULL, 0 },
		{ "mx:2001:db8::1", 0, NULL, 0 },
		{ "mx:mx:a", 0, NULL, 0 },
		{ "192.0.2.256", 0, NULL, 0 },
		{ "192.0.2", 0, NULL, 0 },
		{ "192.0.2.1:0", 0, NULL, 0 },
		{ "192.0.2.1:", 0, NULL, 0 },
		{ "2001:db8::x", 0, NULL, 0 },
		{ "[2001:db8::1", 0, NULL, 0 },
		{ "[2001:db8::1]25", 0, NULL, 0 },
		{ "[relay.example]:25", 0, NULL, 0 },
		{ "[]", 0, NULL, 0 },
		{ "smtp://relay.example", 0, NULL, 0 },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct route r;
		struct error err;
		const char *hosts = arena_fmt(a, "hosts=first.example,%s", t[i].text);
		bool good = try_route(a, &r, "*", SET(hosts), &err);
		CHECK(t[i].text, good == (t[i].name != NULL));
		if (!good) {
			CHECK(t[i].text, is_config_error(&err));
			CHECK_STR(
				t[i].text, err.text,
				arena_fmt(
					a,
					"f:3: route \"*\": \"%s\" is not a host: NAME (A-labels), "
					"ADDRESS or mx:NAME, with or without :PORT",
					t[i].text));
			continue;
		}
		CHECK(t[i].text, r.nhosts == 2 && r.host[0].to.kind == NEXTHOP_HOST);
		CHECK(t[i].text, r.host[1].to.kind == t[i].kind && r.host[1].port == t[i].port);
		CHECK_STR(t[i].text, r.host[1].to.name, t[i].name);
		struct nexthop again;
		if (t[i].kind == NEXTHOP_LITERAL)
			CHECK(t[i].text, nexthop_of_domain(t[i].name, &again, &err) &&
						 ip_equal(again.literal, r.host[1].to.literal));
	}
	arena_close(a);
}

static void test_long_hosts(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct route r;
	struct error err;
	char name[300] = "";
	for (size_t i = 0; i < 253; i++)
		name[i] = i % 50 == 49 ? '.' : 'a';
	CHECK("longest", try_route(a, &r, "*", SET(arena_fmt(a, "hosts=mx:%s:65535", name)), &err));
	name[253] = 'a';
	CHECK("too long", !try_route(a, &r, "*", SET(arena_fmt(a, "hosts=%s", name)), &err));
	CHECK("too long", is_config_error(&err));
	arena_close(a);
}

static void test_sender_forms(void)
{
	static const struct {
		const char *text;
		bool good;
	} t[] = {
		{ "user@example.org", true },
		{ "USER@Example.ORG", true },
		{ "user*@example.org", true },
		{ "*@example.org", true },
		{ "@example.org", true },
		{ "@*.example.org", true },
		{ "@*", true },
		{ "user@*", true },
		{ "*", true },
		{ "*.org", true },
		{ "user*", true },
		{ "<>", true },
		{ "@[192.0.2.1]", true },
		{ "\"a b\"@example.org", true },
		{ "b\xc3\xbc@example.org", true },
		{ "user", false },
		{ "example.org", false },
		{ "", false },
		{ "@", false },
		{ "user@", false },
		{ "user@b\xc3\xbc.example", false },
		{ "user@example.org.", false },
		{ "<user@example.org>", false },
		{ "user@exam ple.org", false },
		{ "user@.example.org", false },
		{ "< >", false },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct route r;
		struct error err;
		const char *sender = arena_fmt(a, "sender=a@b.example,%s,c@d.example", t[i].text);
		CHECK(t[i].text,
		      try_route(a, &r, "*", SET("direct=yes", sender), &err) == t[i].good);
		CHECK(t[i].text, t[i].good ? r.nsender == 3 : is_config_error(&err));
		if (!t[i].good)
			CHECK(t[i].text,
			      strstr(err.text, "is not a sender: ") != NULL &&
				      strncmp(err.text, "f:3: route \"*\": \"", 17) == 0);
	}
	arena_close(a);
}

static void test_contradictions(void)
{
	static const struct {
		const char *set[5], *error; /* behind the place; NULL: good */
	} t[] = {
		{ { "direct=no" }, "neither hosts nor direct = yes" },
		{ { "hosts=" }, "neither hosts nor direct = yes" },
		{ { "priority=3" }, "neither hosts nor direct = yes" },
		{ { "direct=yes" }, NULL },
		{ { "hosts=a", "direct=yes" }, NULL },
		{ { "hosts=a", "size_over=1", "size_under=3" }, NULL },
		{ { "hosts=a", "size_over=1", "size_under=2" }, NULL },
		{ { "hosts=a", "size_over=2", "size_under=2" },
		  "size_over is not below size_under, so nothing matches" },
		{ { "hosts=a", "size_over=20M", "size_under=1M" },
		  "size_over is not below size_under, so nothing matches" },
		{ { "hosts=a", "size_over=20M", "size_under=0" }, NULL },
		{ { "hosts=a", "size_under=1" }, NULL },
		{ { "hosts=a,b:587", "user=u", "password_file=/p" }, NULL },
		{ { "hosts=a", "user=u" }, "user without password_file" },
		{ { "hosts=a", "password_file=/p" }, "password_file without user" },
		{ { "hosts=a", "user=u", "password_file=/p", "direct=yes" },
		  "a login is for hosts, it cannot go with direct = yes" },
		{ { "hosts=a,mx:b", "user=u", "password_file=/p" },
		  "\"mx:b\" cannot have a login: a certificate proves only the name of a host that "
		  "stands here" },
		{ { "hosts=192.0.2.1:587", "user=u", "password_file=/p" },
		  "\"192.0.2.1:587\" cannot have a login: a certificate proves only the name of a "
		  "host that stands here" },
		{ { "hosts=a,[::1]", "user=u", "password_file=/p" },
		  "\"[::1]\" cannot have a login: a certificate proves only the name of a host "
		  "that "
		  "stands here" },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct route r;
		struct error err;
		CHECK(t[i].set[0], try_route(a, &r, "x.example", t[i].set, &err) == !t[i].error);
		CHECK_STR(t[i].set[0], err.text,
			  t[i].error ? arena_fmt(a, "f:3: route \"x.example\": %s", t[i].error)
				     : "");
		CHECK(t[i].set[0], !t[i].error || is_config_error(&err));
	}
	arena_close(a);
}

static void test_agree(void)
{
	static const char *const login[] = { "hosts=relay.example", "user=u", "password_file=/p",
					     NULL };
	static const char *const plain[] = { "hosts=a.example,mx:mail.example,192.0.2.1,::1",
					     NULL };
	static const struct {
		const char *const *set;
		const char *helo;
		enum config_tls tls;
		bool tls_set;
		enum config_tls after;
		const char *error;
	} t[] = {
		{ login, "", TLS_MAY, false, TLS_VERIFY, NULL },
		{ login, "", TLS_NONE, false, TLS_VERIFY, NULL },
		{ login, "", TLS_ENCRYPT, false, TLS_VERIFY, NULL },
		{ login, "", TLS_VERIFY, false, TLS_VERIFY, NULL },
		{ login, "", TLS_VERIFY, true, TLS_VERIFY, NULL },
		{ login, "", TLS_DANE_ONLY, false, TLS_DANE_ONLY, NULL },
		{ login, "", TLS_DANE_ONLY, true, TLS_DANE_ONLY, NULL },
		{ login, "", TLS_ENCRYPT, true, TLS_ENCRYPT,
		  "a login needs tls = verify or dane-only" },
		{ login, "", TLS_MAY, true, TLS_MAY, "a login needs tls = verify or dane-only" },
		{ login, "", TLS_NONE, true, TLS_NONE, "a login needs tls = verify or dane-only" },
		{ login, "RELAY.example", TLS_MAY, false, TLS_MAY,
		  "\"relay.example\" is our own name (helo_name): a loop" },
		{ login, "example", TLS_MAY, false, TLS_VERIFY, NULL },
		{ plain, "", TLS_NONE, true, TLS_NONE, NULL },
		{ plain, "", TLS_MAY, false, TLS_MAY, NULL },
		{ plain, "b.example", TLS_MAY, false, TLS_MAY, NULL },
		{ plain, "mail.example", TLS_MAY, false, TLS_MAY, NULL },
		{ plain, "A.example", TLS_MAY, false, TLS_MAY,
		  "\"a.example\" is our own name (helo_name): a loop" },
		{ plain, "[192.0.2.1]", TLS_MAY, false, TLS_MAY,
		  "\"192.0.2.1\" is our own name (helo_name): a loop" },
		{ plain, "[IPv6:0:0::1]", TLS_MAY, false, TLS_MAY,
		  "\"::1\" is our own name (helo_name): a loop" },
		{ plain, "[192.0.2.2]", TLS_MAY, false, TLS_MAY, NULL },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char label[60];
		struct config c;
		struct route r = route(a, "*", t[i].set);
		struct error err = { 0 };
		config_init(&c);
		c.helo_name = t[i].helo;
		c.tls = t[i].tls;
		snprintf(label, sizeof(label), "case %zu, tls %d, %s", i, (int)t[i].tls, t[i].helo);
		CHECK(label, route_agree(&r, t[i].tls_set, &c, &err) == !t[i].error);
		CHECK(label, c.tls == t[i].after);
		CHECK_STR(label, err.text,
			  t[i].error ? arena_fmt(a, "f:3: route \"*\": %s", t[i].error) : "");
		CHECK(label, !t[i].error || is_config_error(&err));
	}
	arena_close(a);
}

static void test_domains(void)
{
	static const struct {
		const char *pattern, *domain;
		bool matches;
	} t[] = {
		{ "*", "example.net", true },
		{ "*", "net", true },
		{ "*", "[192.0.2.1]", true },
		{ "*", "[IPv6:2001:db8::1]", true },
		{ "example.net", "example.net", true },
		{ "Example.Net", "eXAMPLE.nET", true },
		{ "example.net", "sub.example.net", false },
		{ "example.net", "anexample.net", false },
		{ "example.net", "example.ne", false },
		{ "example.net", "example.nett", false },
		{ "*.example.net", "a.example.net", true },
		{ "*.example.net", "A.EXAMPLE.NET", true },
		{ "*.example.net", "a.b.c.example.net", true },
		{ "*.example.net", "example.net", false },
		{ "*.example.net", "anexample.net", false },
		{ "*.example.net", "a.example.net.org", false },
		{ "*.example.net", "[192.0.2.1]", false },
		{ "*.example.net", "a.example.example.net", true },
		{ "*.net", "example.net", true },
		{ "*.net", "net", false },
		{ "[192.0.2.1]", "[192.0.2.1]", true },
		{ "[192.0.2.1]", "[192.0.2.2]", false },
		{ "[192.0.2.1]", "192.0.2.1", false },
		{ "[IPv6:2001:db8::1]", "[ipv6:2001:DB8:0:0:0::1]", true },
		{ "[IPv6:2001:db8::1]", "[IPv6:2001:db8::2]", false },
		{ "[IPv6:::ffff:192.0.2.1]", "[192.0.2.1]", false },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct route r = route(a, t[i].pattern, SET("direct=yes"));
		struct route_mail m = { .domain = t[i].domain, .sender = "a@b.example" };
		const char *label = arena_fmt(a, "%s against %s", t[i].pattern, t[i].domain);
		CHECK(label,
		      route_match(&r, &m) == (t[i].matches ? ROUTE_MATCHES : ROUTE_OTHER_DOMAIN));
	}
	arena_close(a);
}

static void test_senders(void)
{
	static const struct {
		const char *pattern, *sender;
		bool matches;
	} t[] = {
		{ "user@example.org", "user@example.org", true },
		{ "user@example.org", "USER@EXAMPLE.org", true },
		{ "user@example.org", "auser@example.org", false },
		{ "user@example.org", "user@sub.example.org", false },
		{ "user@example.org", "user@example.or", false },
		{ "user@example.org", "user", false },
		{ "user@example.org", "", false },
		{ "user@example.org", "<>", false },
		{ "@example.org", "user@example.org", true },
		{ "@example.org", "\"a@b\"@Example.ORG", true },
		{ "@example.org", "\"@example.org\"@other.example", false },
		{ "@example.org", "user@sub.example.org", false },
		{ "@example.org", "user@anexample.org", false },
		{ "@example.org", "", false },
		{ "@example.org", "<>", false },
		{ "@*.example.org", "user@sub.example.org", true },
		{ "@*.example.org", "user@a.b.example.org", true },
		{ "@*.example.org", "user@example.org", false },
		{ "@*.example.org", "\"@x.example.org\"@other.example", false },
		{ "@*.example.org", "user.x.example.org@other.example", false },
		{ "@*", "user@example.org", true },
		{ "@*", "", false },
		{ "@*", "<>", false },
		{ "*", "user@example.org", true },
		{ "*", "", true },
		{ "*", "<>", true },
		{ "<>", "", true },
		{ "<>", "<>", true },
		{ "<>", "user@example.org", false },
		{ "news-*@example.org", "news-2024@example.org", true },
		{ "news-*@example.org", "news-@example.org", true },
		{ "news-*@example.org", "news@example.org", false },
		{ "news-*@example.org", "news-a@b@example.org", true },
		{ "news-*@example.org", "news-a@example.org.example", false },
		{ "*@example.org", "@example.org", true },
		{ "*-bounce@*", "a-bounce@x", true },
		{ "*-bounce@*", "a-bounce-b@x", false },
		{ "*.org", "user@example.org", true },
		{ "*.org", "user@example.com", false },
		{ "a*b*c@x.example", "abc@x.example", true },
		{ "a*b*c@x.example", "aXbXbXc@x.example", true },
		{ "a*b*c@x.example", "acb@x.example", false },
		{ "a**c@x.example", "abc@x.example", true },
		{ "user@[192.0.2.1]", "user@[192.0.2.1]", true },
		{ "b\xc3\xbc@example.org", "b\xc3\xbc@example.org", true },
		{ "b\xc3\xbc@example.org", "b\xc3\xbd@example.org", false },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		const char *sender = arena_fmt(a, "sender=%s", t[i].pattern);
		const char *more = arena_fmt(a, "sender=x@none.example,%s", t[i].pattern);
		const char *label = arena_fmt(a, "%s against %s", t[i].pattern, t[i].sender);
		struct route alone = route(a, "*", SET("direct=yes", sender));
		struct route among = route(a, "*", SET("direct=yes", more));
		struct route_mail m = { .domain = "d.example", .sender = t[i].sender };
		enum route_verdict want = t[i].matches ? ROUTE_MATCHES : ROUTE_OTHER_SENDER;
		CHECK(label, route_match(&alone, &m) == want);
		CHECK(label, route_match(&among, &m) == want);
	}
	arena_close(a);
}

/* A matcher that tries every split at every star would not end within a lifetime. */
static void test_many_stars(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	char pattern[200] = "sender=", sender[1300];
	for (int i = 0; i < 40; i++)
		memcpy(pattern + strlen(pattern), "*a", 3);
	memcpy(pattern + strlen(pattern), "*b@x.example", 13);
	memset(sender, 'a', 1200);
	memcpy(sender + 1200, "@x.example", 11);
	struct route r = route(a, "*", SET("direct=yes", pattern));
	struct route_mail m = { .domain = "d.example", .sender = sender };
	CHECK("no b", route_match(&r, &m) == ROUTE_OTHER_SENDER);
	sender[1199] = 'b';
	CHECK("b at the end", route_match(&r, &m) == ROUTE_MATCHES);
	arena_close(a);
}

static void test_conditions(void)
{
	static const struct {
		const char *set[4];
		bool sized;
		uint64_t size;
		bool remembers;
		int64_t failing;
		enum route_verdict want;
	} t[] = {
		{ { NULL }, false, 0, false, 0, ROUTE_MATCHES },
		{ { "size_over=100" }, false, 0, true, 0, ROUTE_NO_SIZE },
		{ { "size_over=100" }, false, 500, true, 0, ROUTE_NO_SIZE },
		{ { "size_over=100" }, true, 99, true, 0, ROUTE_TOO_SMALL },
		{ { "size_over=100" }, true, 100, true, 0, ROUTE_TOO_SMALL },
		{ { "size_over=100" }, true, 101, true, 0, ROUTE_MATCHES },
		{ { "size_over=100" }, true, UINT64_MAX, true, 0, ROUTE_MATCHES },
		{ { "size_under=100" }, false, 0, true, 0, ROUTE_NO_SIZE },
		{ { "size_under=100" }, true, 99, true, 0, ROUTE_MATCHES },
		{ { "size_under=100" }, true, 100, true, 0, ROUTE_TOO_LARGE },
		{ { "size_under=100" }, true, 101, true, 0, ROUTE_TOO_LARGE },
		{ { "size_under=100" }, true, 0, true, 0, ROUTE_MATCHES },
		{ { "size_over=100", "size_under=102" }, true, 100, true, 0, ROUTE_TOO_SMALL },
		{ { "size_over=100", "size_under=102" }, true, 101, true, 0, ROUTE_MATCHES },
		{ { "size_over=100", "size_under=102" }, true, 102, true, 0, ROUTE_TOO_LARGE },
		{ { "failing_for=2h" }, false, 0, false, 0, ROUTE_NO_MEMORY },
		{ { "failing_for=2h" }, false, 0, false, 7200000, ROUTE_NO_MEMORY },
		{ { "failing_for=2h" }, false, 0, true, 0, ROUTE_NOT_FAILING },
		{ { "failing_for=2h" }, false, 0, true, 7199999, ROUTE_NOT_FAILING },
		{ { "failing_for=2h" }, false, 0, true, 7200000, ROUTE_MATCHES },
		{ { "failing_for=0" }, false, 0, false, 0, ROUTE_MATCHES },
		/* What lies at the message is told before what lies at the machine. */
		{ { "failing_for=2h", "size_over=1" }, true, 1, false, 0, ROUTE_TOO_SMALL },
		{ { "failing_for=2h", "size_over=1" }, true, 2, false, 0, ROUTE_NO_MEMORY },
		{ { "failing_for=2h", "size_over=1" }, true, 2, true, 7200000, ROUTE_MATCHES },
		{ { "size_over=1", "sender=x@y.example" }, false, 0, true, 0, ROUTE_OTHER_SENDER },
	};
	struct arena *a = arena_open(LIMIT_ARENA);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char label[80];
		const char *set[5] = { "direct=yes", t[i].set[0], t[i].set[1] };
		snprintf(label, sizeof(label), "case %zu: %s", i,
			 t[i].set[0] ? t[i].set[0] : "nothing");
		struct route r = route(a, "*.example", set);
		struct route_mail m = { "d.example", "a@b.example",  t[i].sized,
					t[i].size,   t[i].remembers, t[i].failing };
		CHECK_STR(label, route_verdict_name(route_match(&r, &m)),
			  route_verdict_name(t[i].want));
		m.domain = "d.other";
		CHECK(label, route_match(&r, &m) == ROUTE_OTHER_DOMAIN);
	}
	arena_close(a);
}

static void test_verdict_names(void)
{
	for (int v = 0; v <= ROUTE_AFTER_LAST; v++) {
		const char *name = route_verdict_name((enum route_verdict)v);
		CHECK("a name", name && name[0]);
		for (int k = 0; k < v; k++)
			CHECK(name, strcmp(name, route_verdict_name((enum route_verdict)k)) != 0);
	}
	CHECK_STR("matches", route_verdict_name(ROUTE_MATCHES), "matches");
}

/* The verdicts over several routes as letters: m matches, d another domain, s too small, l after
 * last. */
static void check_judged(const char *label, const struct route *r, size_t n, uint64_t size,
			 const char *want)
{
	char got[20] = "";
	enum route_verdict v[10];
	struct route_mail m = { .domain = "d.example", .sender = "", .sized = true, .size = size };
	route_judge(r, n, &m, v);
	for (size_t i = 0; i < n; i++)
		got[i] = v[i] == ROUTE_MATCHES        ? 'm'
			 : v[i] == ROUTE_OTHER_DOMAIN ? 'd'
			 : v[i] == ROUTE_TOO_SMALL    ? 's'
			 : v[i] == ROUTE_AFTER_LAST   ? 'l'
						      : '?';
	CHECK_STR(label, got, want);
}

static void test_judge(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct route r[] = {
		route(a, "d.example", SET("hosts=a", "size_over=100", "last=yes")),
		route(a, "x.example", SET("hosts=b", "last=yes")),
		route(a, "*", SET("hosts=c", "last=yes", "size_over=10")),
		route(a, "x.example", SET("hosts=d")),
		route(a, "*", SET("hosts=e", "priority=0")),
	};
	check_judged("the first ends it", r, 5, 101, "mllll");
	check_judged("one that does not match ends nothing", r, 5, 50, "sdmll");
	check_judged("none ends it", r, 5, 5, "sdsdm");
	check_judged("no routes", r, 0, 5, "");
	r[0].last = r[2].last = false;
	check_judged("without last", r, 5, 101, "mdmdm");
	arena_close(a);
}

/* The ways as text: hosts, "-" for direct, "." for the domain's own MX without a route. */
static void order(const struct route *r, size_t n, const char *verdicts, struct rng *rng, char *out)
{
	struct route_way way[ROUTE_WAYS];
	enum route_verdict v[200];
	for (size_t i = 0; i < n; i++)
		v[i] = verdicts && verdicts[i] != 'm' ? ROUTE_OTHER_DOMAIN : ROUTE_MATCHES;
	size_t k = route_ways(r, n, v, rng, way);
	out[0] = '\0';
	for (size_t i = 0; i < k; i++) {
		const char *name = way[i].host ? way[i].host->to.name : way[i].route ? "-" : ".";
		CHECK("no host without route", !way[i].host || way[i].route);
		snprintf(out + strlen(out), 10, "%s", name);
	}
}

static void seed(struct rng *rng)
{
	static const uint8_t bytes[16] = { 7, 1, 2 };
	rng_seed(rng, bytes);
}

static void test_order(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	char got[1000];
	struct rng rng;
	struct route r[] = {
		route(a, "*", SET("hosts=c", "priority=30")),
		route(a, "*", SET("direct=yes", "priority=20")),
		route(a, "*", SET("hosts=a")),
		route(a, "*", SET("hosts=z", "priority=65535")),
		route(a, "*", SET("hosts=first", "priority=0")),
	};
	seed(&rng);
	for (int i = 0; i < 50; i++) {
		order(r, 5, NULL, &rng, got);
		CHECK_STR("all", got, "firsta-cz");
		order(r, 5, "mxmxx", &rng, got);
		CHECK_STR("some", got, "ac");
		order(r, 5, "xmxxx", &rng, got);
		CHECK_STR("direct only", got, "-");
		order(r, 5, "xxxxx", &rng, got);
		CHECK_STR("none", got, ".");
		order(r, 0, NULL, &rng, got);
		CHECK_STR("no routes", got, ".");
	}
	arena_close(a);
}

/* Nobody is asked twice because two routes name him. */
static void test_twice(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	char got[1000];
	struct rng rng;
	struct route r[] = {
		route(a, "*", SET("hosts=b,a,A", "direct=yes", "priority=30")),
		route(a, "*", SET("direct=yes", "priority=20")),
		route(a, "*", SET("hosts=a")),
		route(a, "*", SET("hosts=a:587", "priority=40")),
		route(a, "*", SET("hosts=mx:a", "priority=41")),
		route(a, "*", SET("hosts=a", "user=fred", "password_file=/x", "priority=42")),
		route(a, "*", SET("hosts=a", "user=mary", "password_file=/x", "priority=43")),
		route(a, "*", SET("hosts=a", "user=fred", "password_file=/x", "priority=44")),
	};
	seed(&rng);
	for (int i = 0; i < 50; i++) {
		order(r, 8, NULL, &rng, got);
		CHECK_STR("all", got, "a-baaaa");
		order(r, 8, "xxmxxxxm", &rng, got);
		CHECK_STR("with and without a login", got, "aa");
		order(r, 8, "mxxxxxxx", &rng, got);
		CHECK("in one route", strlen(got) == 3);
	}
	arena_close(a);
}

/* Every order of equals comes, each about as often; and the levels stay apart. */
static void test_permutations(void)
{
	enum { ROUNDS = 24000 };
	struct arena *a = arena_open(LIMIT_ARENA);
	struct rng rng;
	char got[1000];
	struct {
		char text[8];
		int n;
	} seen[100] = { 0 };
	size_t nseen = 0;
	struct route r[] = {
		route(a, "*", SET("hosts=y", "priority=20")),
		route(a, "*", SET("hosts=a,b")),
		route(a, "*", SET("hosts=x", "priority=5")),
		route(a, "*", SET("hosts=c", "direct=yes")),
	};
	seed(&rng);
	for (int i = 0; i < ROUNDS; i++) {
		size_t k = 0;
		order(r, 4, NULL, &rng, got);
		while (k < nseen && strcmp(seen[k].text, got) != 0)
			k++;
		CHECK("few", k < 100 && strlen(got) == 6 && got[0] == 'x' && got[5] == 'y');
		if (k == 100)
			break;
		if (k == nseen)
			snprintf(seen[nseen++].text, sizeof(seen[0].text), "%.6s", got);
		seen[k].n++;
	}
	CHECK("4! orders", nseen == 24);
	for (size_t k = 0; k < nseen; k++)
		CHECK(seen[k].text,
		      seen[k].n > ROUNDS / 24 * 8 / 10 && seen[k].n < ROUNDS / 24 * 12 / 10);
	arena_close(a);
}

static struct route many_hosts(struct arena *a, const char *name, int n, int priority)
{
	char hosts[1000] = "hosts=";
	for (int i = 0; i < n; i++)
		snprintf(hosts + strlen(hosts), 20, "%s%s%d", i ? "," : "", name, i);
	return route(a, "*", SET(hosts, arena_fmt(a, "priority=%d", priority)));
}

/* Where there are too many, the worst are left out, and among equals it is chance. */
static void test_too_many(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct rng rng;
	struct route_way way[ROUTE_WAYS];
	enum route_verdict v[4] = { ROUTE_MATCHES, ROUTE_MATCHES, ROUTE_MATCHES, ROUTE_MATCHES };
	struct route r[] = {
		many_hosts(a, "worst", 60, 30),
		many_hosts(a, "b", 20, 20),
		many_hosts(a, "a", 40, 10),
		many_hosts(a, "c", 20, 20),
	};
	int b[20] = { 0 }, c[20] = { 0 };
	seed(&rng);
	for (int i = 0; i < 500; i++) {
		bool taken[20 + 20] = { false };
		CHECK("most", route_ways(r, 4, v, &rng, way) == ROUTE_WAYS);
		for (size_t k = 0; k < ROUTE_WAYS; k++)
			CHECK("the best first",
			      k < 40 ? way[k].route == &r[2]
				     : way[k].route == &r[1] || way[k].route == &r[3]);
		for (size_t k = 40; k < ROUTE_WAYS; k++) {
			bool second = way[k].route == &r[3];
			size_t at = (size_t)(way[k].host - way[k].route->host);
			CHECK("once", at < 20 && !taken[at + (second ? 20 : 0)]);
			taken[at + (second ? 20 : 0)] = true;
			(second ? c : b)[at]++;
		}
	}
	/* 24 of 40 each time: 300 of 500. */
	for (int i = 0; i < 20; i++)
		CHECK("as often", b[i] > 240 && b[i] < 360 && c[i] > 240 && c[i] < 360);
	CHECK("exactly enough", route_ways(&r[0], 1, v, &rng, way) == 60);
	arena_close(a);
}

static void test_no_memory(void)
{
	bool good = false;
	size_t limit = 0;
	for (; !good && limit < 10000; limit += 4) {
		struct arena *a = arena_open(limit);
		static const char *const hosts[] = { "relay.example:25", "192.0.2.1" };
		struct route r;
		struct error err = { 0 };
		route_init(&r, "*", "f:1");
		good = route_set(a, &r, "hosts", hosts, 2, &err) && route_complete(a, &r, &err);
		CHECK("no memory", good || (err.class == ERR_INTERNAL && !r.host));
		arena_close(a);
	}
	CHECK("enough", good && limit > 50);
}

TEST_MAIN("route", { "keys", test_keys }, { "defaults", test_defaults }, { "set", test_set },
	  { "patterns", test_patterns }, { "hosts", test_hosts }, { "long hosts", test_long_hosts },
	  { "sender forms", test_sender_forms }, { "contradictions", test_contradictions },
	  { "agree", test_agree }, { "domains", test_domains }, { "senders", test_senders },
	  { "many stars", test_many_stars }, { "conditions", test_conditions },
	  { "verdict names", test_verdict_names }, { "judge", test_judge }, { "order", test_order },
	  { "named twice", test_twice }, { "permutations", test_permutations },
	  { "too many", test_too_many }, { "no memory", test_no_memory })
