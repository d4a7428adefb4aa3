/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "plan.h"
#include "play.h"

#define PATIENCE_MS 60000 /* of a plan; a story has at most some timeouts of seconds */

/* ---- asking ---- */

/* The one recipient, behind "--"; NULL: none, or several. */
static const char *recipient_of(const struct turn *t)
{
	for (size_t i = 0; i < t->narg; i++) {
		if (strcmp(t->arg[i], "--") == 0)
			return i + 2 == t->narg ? t->arg[i + 1] : NULL;
	}
	return NULL;
}

/* The one behind -f, or that of the environment; NULL: there is none. */
static const char *sender_of(const struct turn *t)
{
	for (size_t i = 0; i + 1 < t->narg && strcmp(t->arg[i], "--") != 0; i++) {
		if (strcmp(t->arg[i], "-f") == 0)
			return t->arg[i + 1];
	}
	for (size_t i = 0; i < t->nenv; i++) {
		if (strncmp(t->env[i], "SENDER=", 7) == 0)
			return t->env[i] + 7;
	}
	return NULL;
}

/* Of the message as it goes out, but for what only its transfer adds. */
static size_t size_of(const struct turn *t)
{
	size_t n = t->wire.n < 3 ? 0 : t->wire.n - 3, size = n;
	for (size_t i = 0; i < n; i++) {
		if (t->wire.p[i] == '.' && (i == 0 || t->wire.p[i - 1] == '\n'))
			size--;
	}
	return size;
}

static void become(char **argv, char **env, int out)
{
	int null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	setsid();
	execve(argv[0], argv, env);
	_exit(126);
}

static char **words_for(const struct run *r, const struct turn *t)
{
	size_t n = 0, used = 0;
	char **options = child_options(r, t, &n);
	const char *sender = sender_of(t);
	char **argv = xalloc((n + 10) * sizeof(char *));
	argv[used++] = xprintf("%s", r->lab->planner);
	argv[used++] = xprintf("plan");
	argv[used++] = xprintf("--json");
	argv[used++] = xprintf("--size");
	argv[used++] = xprintf("%zu", size_of(t));
	if (sender) {
		argv[used++] = xprintf("--sender");
		argv[used++] = xprintf("%s", sender);
	}
	for (size_t i = 0; i < n; i++)
		argv[used++] = options[i];
	argv[used++] = xprintf("--");
	argv[used++] = xprintf("%s", recipient_of(t));
	free(options);
	return argv;
}

struct listener {
	struct watch *watch;
	struct bytes *out;
};

static void hear(void *self, short revents)
{
	struct listener *l = self;
	char in[4096];
	(void)revents;
	ssize_t n = read(l->watch->fd, in, sizeof(in));
	if (n > 0) {
		bytes_add(l->out, in, (size_t)n);
		return;
	}
	close(l->watch->fd);
	loop_drop(l->watch);
	l->watch = NULL;
}

/* Its output up to the end of it, and the wait status. */
static int listen_to(struct run *r, pid_t pid, int fd, struct bytes *out)
{
	struct listener l = { .out = out };
	int status = -1;
	int64_t end = now_ms() + PATIENCE_MS;
	l.watch = loop_add(&r->loop, fd, POLLIN, hear, &l);
	while (l.watch && now_ms() < end)
		loop_once(&r->loop, end);
	if (l.watch) {
		run_trouble(r, "the plan hangs");
		kill(pid, SIGKILL);
		close(fd);
		loop_drop(l.watch);
	}
	waitpid(pid, &status, 0);
	return status;
}

/* Connections that were made meanwhile: to the host of an MTA-STS policy, never to an MX host. */
static void forget_connections(struct run *r, size_t before)
{
	while (r->mx.nconn > before) {
		struct conn *c = &r->mx.conn[--r->mx.nconn];
		if (!strstr(c->script->addr, ":443"))
			run_trouble(r, "the plan connects to %s", c->script->addr);
		conn_release(c);
	}
}

static void ask(struct run *r, const struct turn *t, struct bytes *ret)
{
	int out[2];
	char **argv = words_for(r, t), **env = child_environment(r, t);
	if (pipe2(out, O_CLOEXEC) != 0)
		die("no pipe");
	pid_t pid = fork();
	if (pid == 0)
		become(argv, env, out[1]);
	if (pid < 0)
		die("no process");
	close(out[1]);
	r->child[r->nchild].pid = pid;
	int status = listen_to(r, pid, out[0], ret);
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 2)
		run_trouble(r, "the plan ended with wait status 0x%x: %s", (unsigned)status,
			    bytes_text(ret));
	child_words_free(argv);
	child_words_free(env);
}

void plan_foretell(struct run *r, const struct turn *turn, struct bytes *ret)
{
	size_t connections = r->mx.nconn, size = r->story->nscript * sizeof(*r->mx.used);
	size_t asked = r->dns.asked.n;
	bool *used = xalloc(size);
	if (!recipient_of(turn)) {
		free(used);
		return;
	}
	memcpy(used, r->mx.used, size);
	/* Whoever connects now is taken for this run, which has not begun. */
	r->child[r->nchild] = (struct child){ .run = r, .turn = turn };
	ask(r, turn, ret);
	forget_connections(r, connections);
	memcpy(r->mx.used, used, size);
	r->dns.asked.n = asked;
	free(used);
}

/* ---- holding it against the run ---- */

struct check {
	struct child *c;
	const json_t *plan, *order;
	size_t at; /* where in the order the run has come to */
};

static const char *text_at(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

static const json_t *step_at(const struct check *k, size_t i)
{
	return json_array_get(k->order, i);
}

/* As stories name it: with a port if it is not the usual one. */
static bool step_is(const struct check *k, size_t i, const char *addr)
{
	const json_t *step = step_at(k, i);
	json_int_t port = json_integer_value(json_object_get(step, "port"));
	const char *address = text_at(step, "address");
	if (port == k->c->run->lab->names.port)
		return strcmp(address, addr) == 0;
	char *name = xprintf("%s:%d", address, (int)port);
	bool same = strcmp(name, addr) == 0;
	free(name);
	return same;
}

static const json_t *way_at(const struct check *k, size_t number)
{
	return json_array_get(json_object_get(k->plan, "ways"), number - 1);
}

static const json_t *way_of(const struct check *k, const json_t *step)
{
	return way_at(k, (size_t)json_integer_value(json_object_get(step, "way")));
}

/* "": it has no route. */
static const char *priority_of(const struct check *k, const json_t *way)
{
	size_t from = (size_t)json_integer_value(json_object_get(way, "from"));
	const json_t *route = json_array_get(json_object_get(k->plan, "routes"), from - 1);
	return text_at(json_object_get(route, "settings"), "priority");
}

static bool is_only_way_of(const struct check *k, const char *priority)
{
	size_t n = 0, ways = json_array_size(json_object_get(k->plan, "ways"));
	for (size_t i = 1; i <= ways; i++)
		n += strcmp(priority_of(k, way_at(k, i)), priority) == 0;
	return n == 1;
}

/* Addresses of one turn and preference come in any order: equal hosts are shuffled, and so are the
 * addresses of a host. Ways of equal priority are shuffled as well. */
static bool same_group(const struct check *k, size_t a, size_t b)
{
	const json_t *one = step_at(k, a), *other = step_at(k, b);
	const char *priority = priority_of(k, way_of(k, one));
	return (json_equal(json_object_get(one, "pref"), json_object_get(other, "pref")) ||
		!is_only_way_of(k, priority)) &&
	       strcmp(text_at(one, "turn"), text_at(other, "turn")) == 0 &&
	       strcmp(priority, priority_of(k, way_of(k, other))) == 0;
}

static size_t group_of(const struct check *k, size_t i)
{
	while (i > 0 && same_group(k, i - 1, i))
		i--;
	return i;
}

static bool answers(const struct check *k, size_t step)
{
	const struct story *s = k->c->run->story;
	size_t turn = (size_t)(k->c->turn - s->turn);
	const struct script *last = NULL;
	for (size_t i = 0; i < s->nscript; i++) {
		if (s->script[i].turn <= turn && step_is(k, step, s->script[i].addr) &&
		    (!last || s->script[i].turn > last->turn))
			last = &s->script[i];
	}
	if (!last || last->n == 0 || last->item[0].kind != ITEM_ACT)
		return last != NULL;
	return last->item[0].act != ACT_UNREACHABLE && last->item[0].act != ACT_REFUSE;
}

static bool was_connected(const struct check *k, const struct conn *until)
{
	for (const struct conn *c = k->c->run->mx.conn; c < until; c++) {
		if (c->of == k->c && strcmp(c->script->addr, until->script->addr) == 0)
			return true;
	}
	return false;
}

/* The next place of the address, not before the group the run is in. */
static bool find_place(const struct check *k, const char *addr, size_t *ret)
{
	for (size_t i = group_of(k, k->at); i < json_array_size(k->order); i++) {
		if (step_is(k, i, addr)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* Nobody who would have answered is passed over. IPv6 may be, once it was refused for reasons of
 * policy, and the hosts of a domain that is down for mail that was tried before. */
static void check_passed_over(const struct check *k, size_t to)
{
	size_t from = k->at, end = group_of(k, to);
	for (size_t i = from; i < end; i++) {
		const char *addr = text_at(step_at(k, i), "address");
		bool down = json_is_true(json_object_get(way_of(k, step_at(k, i)), "down"));
		if (answers(k, i) && !strchr(addr, ':') && !down &&
		    group_of(k, i) != group_of(k, from))
			run_trouble(k->c->run, "the plan has %s before what was connected", addr);
	}
}

/* Of too many addresses or hosts each run takes others. */
static bool was_too_many(const struct check *k, const char *addr)
{
	const json_t *hosts = json_object_get(k->plan, "hosts");
	for (size_t i = 0; i < json_array_size(hosts); i++) {
		const json_t *list = json_object_get(json_array_get(hosts, i), "addresses");
		for (size_t n = 0; n < json_array_size(list); n++) {
			const json_t *a = json_array_get(list, n);
			if (strcmp(text_at(a, "address"), addr) == 0 &&
			    strcmp(text_at(a, "text"), "over max_addresses") == 0)
				return true;
		}
	}
	return false;
}

static void check_connection(struct check *k, const struct conn *conn)
{
	const char *addr = conn->script->addr;
	size_t place;
	if (strstr(addr, ":443"))
		return;
	if (find_place(k, addr, &place)) {
		check_passed_over(k, place);
		k->at = place;
	} else if (!was_connected(k, conn) && !was_too_many(k, addr)) {
		run_trouble(k->c->run, "%s is not in the plan, or before in it", addr);
	}
}

/* Demands beyond those of the domain are in the message. */
static bool demands_itself(const struct turn *t)
{
	return strcasestr(bytes_text(&t->message), "tls-required") ||
	       strcasestr(bytes_text(&t->message), "require-tls");
}

/* "a.test[127.0.0.2]:25 TLSv1.3 dane 250 ...": the level that was foretold for that host. */
static void check_level(const struct check *k)
{
	static const char *const levels[] = { "dane", "verify" };
	const char *said = bytes_text(&k->c->output);
	const json_t *hosts = json_object_get(k->plan, "hosts");
	if (!WIFEXITED(k->c->status) || WEXITSTATUS(k->c->status) != 0 ||
	    demands_itself(k->c->turn) || strstr(said, "by an earlier run"))
		return;
	for (size_t i = 0; i < json_array_size(hosts); i++) {
		const json_t *host = json_array_get(hosts, i);
		char *begin = xprintf("%s[", text_at(host, "host"));
		const char *level = text_at(json_object_get(host, "tls"), "level");
		for (size_t n = 0; strncmp(said, begin, strlen(begin)) == 0 && n < 2; n++) {
			char *word = xprintf(" %s ", levels[n]);
			if (!!strstr(said, word) != (strcmp(level, levels[n]) == 0))
				run_trouble(k->c->run, "the plan has TLS level %s", level);
			free(word);
		}
		free(begin);
	}
}

/* Without hosts the verdict is what the plan says, unless the run ended before it asked DNS. */
static void check_no_hosts(const struct check *k)
{
	const char *said = bytes_text(&k->c->output), *why = text_at(k->plan, "text");
	char *want = xprintf("%s %s", text_at(k->plan, "dsn"), why);
	size_t next = k->c + 1 < k->c->run->child + k->c->run->nchild ? k->c[1].asked
								      : k->c->run->dns.asked.n;
	if (why[0] && next > k->c->asked && strncmp(said, want, strlen(want)) != 0)
		run_trouble(k->c->run, "the plan says \"%s\"", want);
	free(want);
}

static size_t connections_of(const struct child *c)
{
	size_t n = 0;
	for (size_t i = 0; i < c->run->mx.nconn; i++)
		n += c->run->mx.conn[i].of == c && !strstr(c->run->mx.conn[i].script->addr, ":443");
	return n;
}

/* The domain is down, and there is no other way. */
static bool is_put_off(const struct check *k)
{
	const json_t *memory = json_object_get(k->plan, "memory");
	bool off = json_is_true(json_object_get(memory, "down_for_new"));
	for (size_t i = 1; i <= json_array_size(json_object_get(k->plan, "ways")); i++)
		off = off && json_is_true(json_object_get(way_at(k, i), "direct"));
	return off;
}

void plan_check(struct child *c)
{
	struct run *r = c->run;
	json_t *plan = json_loadb(bytes_text(&c->foretold), c->foretold.n, 0, NULL);
	struct check k = { .c = c, .plan = plan, .order = json_object_get(plan, "order") };
	size_t connections = connections_of(c);
	if (c->foretold.n == 0)
		return;
	if (!plan) { /* mxdirectctl: what is wrong */
		if (connections > 0)
			run_trouble(r, "no plan: %s", bytes_text(&c->foretold));
		return;
	}
	if (is_put_off(&k) && connections > 0)
		run_trouble(r, "the plan says that the domain is down");
	for (size_t i = 0; i < r->mx.nconn; i++) {
		if (r->mx.conn[i].of == c)
			check_connection(&k, &r->mx.conn[i]);
	}
	check_level(&k);
	check_no_hosts(&k);
	json_decref(plan);
}
