/* SPDX-License-Identifier: ISC */
#include "flow/stspolicy.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "core/plan.h"
#include "core/stscache.h"
#include "flow/memory.h"
#include "flow/spawn.h"
#include "sts.h"

#define RECORD_PREFIX "_mta-sts." /* RFC 8461 section 3.1 */
#define NO_POLICY     ESC(4, 7, 5)

struct quest {
	struct arena *arena;
	const struct services *sv;
	const char *host; /* mta-sts.DOMAIN */
	const char *domain;
	struct deadline until;
	struct span id;             /* of the TXT record; n 0: none */
	struct record_policy known; /* from earlier runs; domain empty: nothing */
	struct stspolicy found;
};

/* The policy host as a candidate: the same rules as for an MX host, but it may well be this
 * machine. */
static bool find_host(struct quest *q, struct candidate *ret, struct error *err)
{
	const struct services *sv = q->sv;
	const struct plan_rules rules = { .config = sv->config };
	const struct mx mx = { .host = q->host };
	const struct dns_answer *v4 = NULL, *v6 = NULL, *need[2];
	size_t n = 0;
	if (sv->config->address_family != FAMILY_IPV6) {
		if (!(v4 = resolver_ask(sv->resolver, q->arena, q->host, DNS_A)))
			return err_nomem(err);
		need[n++] = v4;
	}
	if (sv->config->address_family != FAMILY_IPV4) {
		if (!(v6 = resolver_ask(sv->resolver, q->arena, q->host, DNS_AAAA)))
			return err_nomem(err);
		need[n++] = v6;
	}
	resolver_wait(sv->resolver, need, n, q->until);
	return plan_host(&mx, v4, v6, &rules, sv->rng, ret, err) == PLAN_USE;
}

/* All that the program writes, until it closes the pipe. */
static bool read_output(struct io *io, int fd, struct deadline until, struct buf *out,
			struct error *err)
{
	for (;;) {
		char some[4096];
		struct pollfd p = { .fd = fd, .events = POLLIN };
		enum io_event event = io_poll(io, &p, 1, until);
		if (event != IO_READY)
			return io_fail(event, err);
		ssize_t n = read(fd, some, sizeof(some));
		if (n == 0)
			return true;
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return err_set(err, ERR_TEMP, NO_POLICY, "read: %s", strerror(errno));
		buf_add(out, (struct span){ some, (size_t)n });
		if (out->overflow)
			return err_set(err, ERR_TEMP, NO_POLICY, "mxdirect-sts says too much");
	}
}

/* The program is dead and gone when this returns: nothing of it is needed any more. */
static bool run(const struct quest *q, const char *const argv[], struct buf *out, struct error *err)
{
	int pipe[2];
	pid_t pid;
	if (pipe2(pipe, O_CLOEXEC) != 0)
		return err_set(err, ERR_TEMP, NO_POLICY, "pipe: %s", strerror(errno));
	fcntl(pipe[0], F_SETFL, O_NONBLOCK);
	const int fds[3] = { -1, pipe[1], pipe[1] };
	int why = spawn_program(argv, fds, &pid);
	close(pipe[1]);
	if (why) {
		close(pipe[0]);
		return err_set(err, ERR_TEMP, NO_POLICY, "cannot run %s: %s", argv[0],
			       strerror(why));
	}
	bool ok = read_output(q->sv->io, pipe[0], q->until, out, err);
	spawn_end(pid);
	close(pipe[0]);
	return ok;
}

/* "FETCH REASON": false, always. */
static bool read_reason(struct quest *q, struct span line, struct error *err)
{
	struct span word = { 0 };
	span_cut(&line, ' ', &word);
	q->found.webpki = span_equal(word, SPAN("WEBPKI"));
	q->found.invalid = span_equal(word, SPAN("INVALID"));
	if (!q->found.webpki && !q->found.invalid && !span_equal(word, SPAN("FETCH")))
		return err_set(err, ERR_TEMP, NO_POLICY, "mxdirect-sts says \"%.*s%s%.*s\"",
			       (int)word.n, word.p, line.n ? " " : "", (int)line.n, line.p);
	return err_set(err, ERR_TEMP, NO_POLICY, "%.*s", (int)line.n, line.p);
}

/* sts.h */
static bool read_answer(struct quest *q, struct span output, struct span *ret_body,
			struct error *err)
{
	struct span line, word;
	uint64_t length;
	if (!span_cut(&output, '\n', &line))
		return err_set(err, ERR_TEMP, NO_POLICY, "mxdirect-sts says nothing");
	if (line.n > STS_REASON + 10)
		line.n = STS_REASON + 10;
	struct span rest = line;
	if (!span_cut(&rest, ' ', &word) || !span_equal(word, SPAN("OK")))
		return read_reason(q, line, err);
	if (!text_u64(rest, STS_BODY, &length) || length != output.n)
		return err_set(err, ERR_TEMP, NO_POLICY, "mxdirect-sts ended too early");
	*ret_body = output;
	return true;
}

static const char *addresses_of(const struct candidate *host, struct buf *out)
{
	for (size_t i = 0; i < host->naddr; i++) {
		char text[IP_TEXT];
		ip_format(host->addr[i].ip, text);
		buf_addf(out, "%s%s", i ? "," : "", text);
	}
	return buf_cstr(out);
}

static bool fetch(struct quest *q, struct span *ret_body, struct error *err)
{
	struct candidate host = { .naddr = 0 };
	char storage[LIMIT_ADDRS * IP_TEXT], seconds[16];
	struct buf addresses, out;
	char *output = ARENA_NEW(q->arena, char, STS_OUTPUT + 1);
	if (!output)
		return err_nomem(err);
	if (!find_host(q, &host, err))
		return false;

	/* It is told to end a little earlier, since it knows best what it waits for. */
	int64_t left = deadline_left_ms(q->until, io_now(q->sv->io)) / 1000;
	snprintf(seconds, sizeof(seconds), "%d", left > 1 ? (int)left : 1);
	buf_init(&addresses, storage, sizeof(storage));
	const char *const argv[] = {
		q->sv->sts_program,
		"--ca",
		q->sv->config->tls_ca_file,
		"--resolve",
		addresses_of(&host, &addresses),
		"--seconds",
		seconds,
		"--",
		q->domain,
		NULL,
	};
	buf_init(&out, output, STS_OUTPUT + 1);
	return run(q, argv, &out, err) && read_answer(q, buf_view(&out), ret_body, err);
}

static bool parse(struct quest *q, struct span body, struct error *err)
{
	struct sts_policy *policy = ARENA_NEW(q->arena, struct sts_policy, 1);
	if (!policy)
		return err_nomem(err);
	if (!sts_parse(q->arena, body, policy, err)) {
		q->found.invalid = true;
		return false;
	}
	q->found.policy = policy;
	return true;
}

static void remember(struct quest *q, struct span body)
{
	int64_t now = clock_wall(&q->sv->io->clock);
	struct record_policy *r = &q->known;
	r->domain = span_of(q->domain);
	r->tried = now;
	r->fails = q->found.policy ? 0 : r->fails + (r->fails < UINT32_MAX);
	if (q->found.policy) {
		r->fetched = now;
		r->max_age = q->found.policy->max_age;
		r->id = q->id;
		r->body = body;
	}
	memory_keep_policy(q->sv->memory, r);
}

static bool fetch_policy(struct quest *q, struct error *err)
{
	struct span body = { 0 };
	q->host = arena_fmt(q->arena, "mta-sts.%s", q->domain);
	if (!q->host)
		return err_nomem(err);
	bool ok = fetch(q, &body, err) && parse(q, body, err);
	if (!q->sv->io->stopped && (ok || err->class != ERR_INTERNAL))
		remember(q, body);
	return ok;
}

/* RFC 8461 section 5.1: a policy that holds is in force even if none can be had now. */
static bool find(struct quest *q, struct error *err)
{
	int64_t now = clock_wall(&q->sv->io->clock);
	const struct record_policy *known =
		memory_policy(q->sv->memory, q->arena, q->domain, &q->known) ? &q->known : NULL;
	enum stscache_say say = stscache_decide(known, q->id, now);
	if (say == STSCACHE_NONE)
		return true;
	if (say == STSCACHE_WAIT) {
		char again[CLOCK_UTC];
		clock_utc(stscache_retry(known), again);
		return err_set(err, ERR_TEMP, NO_POLICY,
			       "the last fetch failed, the next is tried at %s", again);
	}
	if (say == STSCACHE_FETCH && fetch_policy(q, err))
		return true;
	if (!known || !stscache_holds(known, now) || q->sv->io->stopped)
		return false;
	q->found = (struct stspolicy){ .remembered = true };
	return parse(q, known->body, err);
}

bool stspolicy_find(struct arena *a, const struct services *sv, const struct dns_answer *txt,
		    struct deadline until, struct stspolicy *ret, struct error *err)
{
	struct span domain = span_of(txt->name);
	struct error why = { 0 };
	struct quest q = { .arena = a, .sv = sv };
	if (sv->sts_program && sv->config->mta_sts &&
	    span_starts_nocase(domain, SPAN(RECORD_PREFIX))) {
		/* The other half is for the delivery, which can go on without a policy. */
		struct instant now = io_now(sv->io);
		struct deadline half = deadline_in(now, deadline_left_ms(until, now) / 2);
		struct deadline minute = deadline_in(now, STS_SECONDS * 1000);
		q.domain = txt->name + sizeof(RECORD_PREFIX) - 1;
		q.until = deadline_min(half, minute);
		if (!sts_record(txt, &q.id))
			q.id = (struct span){ 0 };
		q.found.failed = !find(&q, &why);
		q.found.fetched = q.known.fetched;
		q.found.until = q.known.fetched + q.known.max_age;
	}
	if (sv->io->stopped)
		return io_fail(IO_STOPPED, err);
	if (why.class == ERR_INTERNAL) {
		*err = why;
		return false;
	}
	if (q.found.failed) {
		/* Whatever it is, it is not about the message. */
		why.class = ERR_TEMP;
		why.code = NO_POLICY;
		err_wrap(&why, "MTA-STS policy of %s", q.domain);
		q.found.why = why;
	}
	*ret = q.found;
	return true;
}
