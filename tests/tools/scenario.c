/* SPDX-License-Identifier: ISC */
/*
 * Plays scenarios against an installed mxdirect, several at a time, on loopback only:
 *
 *	scenario [-b DIR] [-j JOBS] [-v] [--cut] [--alloc FAILALLOC.so]
 *		[--wrap 'valgrind -q ...'] [--scale N] FILE...
 *
 * Each worker process takes one unit (a scenario and a kind of fault) after the other, plays it in
 * one poll loop, and repeats it for every event that the fault can hit. wallclock.so lies beside
 *it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pki.h"
#include "play.h"
#include "spoil.h"

#define JOBS_MAX    200
#define ALLOC_PARTS 4 /* units that share the allocations of a scenario */
/* Allocations tried at most: TLS makes thousands, and each of its scenarios tries others. */
#define ALLOC_MOST       45
#define ALLOC_MOST_TURNS 40 /* of several runs */
#define TLS_STEP         5  /* so it is with the events of TLS, which take their time */
#define EVENT_STEP       3 /* every third one, each story others: the whole must end in 20 minutes */
#define TURNS_STEP       5  /* and with those of several runs */
#define LMTP_MOST        12 /* events tried at most of a story with LMTP, about */

/* What the workers share. */
struct tally {
	int next, passed, failed, skipped;
};

struct options {
	struct lab lab;
	const char *base;
	int jobs;
	bool cut, plan;
	char **file;
	int nfile;
};

static const char *const fault_names[] = { "",     "cut",  "reset", "stall", "garble",
					   "term", "kill", "host",  "alloc" };

static int bind_on(int family, const char *addr, uint16_t port, int type)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
				     .sin6_port = htons(port),
				     .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	if (family == AF_INET && inet_pton(AF_INET, addr, &sin.sin_addr) != 1)
		return -1;
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const struct sockaddr *sa =
		family == AF_INET ? (struct sockaddr *)&sin : (struct sockaddr *)&sin6;
	if (fd >= 0 && bind(fd, sa, family == AF_INET ? sizeof(sin) : sizeof(sin6)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* A net that no other worker plays in, be it of another lab: some ports are everybody's. */
static int take_net(int first)
{
	for (int net = first; net < 255; net++) {
		struct sockaddr_un name = { .sun_family = AF_UNIX };
		char *text = xprintf("mxdirect-lab-%d", net);
		memcpy(name.sun_path + 1, text, strlen(text)); /* gone with its holder */
		free(text);
		int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0)
			return net;
		if (fd >= 0)
			close(fd);
	}
	die("no free net");
}

/* Neighbouring ports that nobody uses: DNS, SMTP on all addresses of the net and on ::1, and
 * submission. */
static bool take_ports(struct lab *lab, uint16_t port)
{
	char *addr = xprintf("127.%d.0.253", lab->names.net);
	int smtp = bind_on(AF_INET, addr, (uint16_t)(port + 1), SOCK_STREAM); /* held: ours */
	int other = bind_on(AF_INET, addr, (uint16_t)(port + 2), SOCK_STREAM);
	int smtp6 = bind_on(AF_INET6, "::1", (uint16_t)(port + 1), SOCK_STREAM);
	lab->dns_udp = bind_on(AF_INET, addr, port, SOCK_DGRAM);
	lab->dns_tcp = bind_on(AF_INET, addr, port, SOCK_STREAM);
	lab->names.dns_port = port;
	lab->names.port = (uint16_t)(port + 1);
	lab->names.submission = (uint16_t)(port + 2);
	free(addr);
	bool v6 = smtp6 >= 0 || errno == EAFNOSUPPORT;
	if (smtp6 >= 0)
		close(smtp6);
	return v6 && smtp >= 0 && other >= 0 && lab->dns_udp >= 0 && lab->dns_tcp >= 0 &&
	       listen(lab->dns_tcp, 8) == 0;
}

/* An address of this machine that is not a loopback one. */
static const char *own_address(void)
{
	struct ifaddrs *list, *i;
	char text[INET_ADDRSTRLEN];
	const char *found = NULL;
	if (getifaddrs(&list) != 0)
		return NULL;
	for (i = list; i && !found; i = i->ifa_next) {
		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET ||
		    i->ifa_flags & IFF_LOOPBACK)
			continue;
		const struct sockaddr_in *sin = (const void *)i->ifa_addr;
		found = xprintf("%s", inet_ntop(AF_INET, &sin->sin_addr, text, sizeof(text)));
	}
	freeifaddrs(list);
	return found;
}

static void report(const struct run *r)
{
	struct bytes out = { 0 };
	bytes_addf(&out, "%s %s", r->trouble.n ? "FAIL" : "pass", r->story->name);
	if (r->fault.kind != FAULT_NONE)
		bytes_addf(&out, " [%s %d]", fault_names[r->fault.kind], r->fault.at);
	bytes_addf(&out, ": %s | %d ms", bytes_text(&r->trouble), (int)(r->ended - r->started));
	for (size_t i = 0; i < r->nchild; i++) {
		const struct child *c = &r->child[i];
		bytes_addf(&out, ", wait status 0x%x, verdict \"", (unsigned)c->status);
		escape(bytes_text(&c->output), c->output.n, 600, &out);
		bytes_addf(&out, "\"");
	}
	bytes_addf(&out, " | %s\n", bytes_text(&r->transcript));
	ssize_t n = write(STDOUT_FILENO, out.p, out.n);
	(void)n;
	bytes_free(&out);
}

/* One run. False: the fault lay behind the end, so there is no use in higher numbers. */
static bool play(const struct options *o, const struct story *s, struct fault f, struct tally *t)
{
	static struct run r; /* large, and one at a time in each worker */
	run_play(&r, s, &o->lab, f);
	bool there = f.kind == FAULT_NONE || f.kind == FAULT_ALLOC || r.events >= f.at;
	if (r.trouble.n || o->lab.verbose)
		report(&r);
	if (there)
		__atomic_add_fetch(r.trouble.n ? &t->failed : &t->passed, 1, __ATOMIC_SEQ_CST);
	run_free(&r);
	return there;
}

static int allocations(const struct lab *lab, int turn)
{
	char text[32] = { 0 };
	char *path = turn ? xprintf("%s/count.%d", lab->names.dir, turn)
			  : xprintf("%s/count", lab->names.dir);
	FILE *f = fopen(path, "r");
	int64_t n = 0;
	if (!f || !fgets(text, sizeof(text), f) || !parse_number(text, &n))
		die("no count of allocations: is --alloc the right object?");
	fclose(f);
	free(path);
	return (int)n;
}

/* The first number of those a story tries when it tries only one in `step`. */
static int start(const struct story *s, int part, int step)
{
	int sum = part;
	for (const char *p = s->name; *p; p++)
		sum += *p;
	return step > 1 ? 1 + sum % step : 1;
}

static void play_allocs(const struct options *o, const struct story *s, int part, struct tally *t)
{
	int count[TURNS], total = 0;
	if (!play(o, s, (struct fault){ FAULT_NONE, 0, 0 }, t))
		return;
	for (size_t i = 0; i < s->nturn; i++)
		total += count[i] = allocations(&o->lab, (int)i);
	int most = s->nturn > 1 ? ALLOC_MOST_TURNS : ALLOC_MOST;
	int step = (total + most - 1) / most;
	for (int n = start(s, 0, step) + part * step; n <= total; n += ALLOC_PARTS * step) {
		struct fault f = { FAULT_ALLOC, n, 0 };
		while (f.at > count[f.turn])
			f.at -= count[f.turn++];
		play(o, s, f, t);
	}
}

static int units_of(const struct options *o)
{
	return o->lab.preload ? ALLOC_PARTS : o->cut ? FAULT_HOST + 1 : 1;
}

static void work_unit(const struct options *o, int unit, struct tally *t)
{
	int per = units_of(o), part = unit % per;
	const struct story *s = story_load(o->file[unit / per], &o->lab.names);
	if (!s) {
		__atomic_add_fetch(&t->skipped, part == 0, __ATOMIC_SEQ_CST);
		return;
	}
	if (o->lab.preload)
		play_allocs(o, s, part, t);
	else if (part == FAULT_NONE)
		play(o, s, (struct fault){ FAULT_NONE, 0, 0 }, t);
	if (s->lmtp && part == FAULT_HOST)
		return; /* there it is the client that hangs up */
	int step = s->tls         ? TLS_STEP
		   : s->lmtp      ? 1 + (int)s->nitem / LMTP_MOST
		   : s->nturn > 1 ? TURNS_STEP
				  : EVENT_STEP;
	for (int at = start(s, part, step); !o->lab.preload && part != FAULT_NONE; at += step) {
		if (!play(o, s, (struct fault){ (enum fault_kind)part, at, 0 }, t))
			break;
	}
}

/* Mounts of ours are nobody else's business. */
static bool own_mounts(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static int work(struct options *o, int number, struct tally *t)
{
	char dir[] = "/tmp/scenario.XXXXXX";
	uint16_t port = (uint16_t)(10000 + (getppid() * 37 + number) % 5000 * 4);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* orphans of mxdirect come to us */
	o->lab.names.net = take_net(number + 1);
	o->lab.names.dir = mkdtemp(dir);
	o->lab.names.own = own_address();
	o->lab.names.root = geteuid() == 0;
	o->lab.names.mounts = own_mounts();
	pki_open(o->lab.names.dir);
	for (int tries = 0; !take_ports(&o->lab, port); tries++, port = (uint16_t)(port + 3)) {
		if (tries == 50)
			die("no free ports");
	}
	for (;;) {
		int unit = __atomic_fetch_add(&t->next, 1, __ATOMIC_SEQ_CST);
		if (unit >= o->nfile * units_of(o))
			break;
		work_unit(o, unit, t);
	}
	state_remove(dir);
	folder_remove(dir);
	return 0;
}

/* A file in the folder of this program. */
static const char *beside(const char *name)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n <= 0)
		die("where am I?");
	while (n > 0 && self[n - 1] != '/')
		n--;
	return xprintf("%.*s%s", (int)n, self, name);
}

static void parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "cut", no_argument, NULL, 'C' },        { "alloc", required_argument, NULL, 'A' },
		{ "wrap", required_argument, NULL, 'W' }, { "scale", required_argument, NULL, 'S' },
		{ "plan", no_argument, NULL, 'P' },       { 0 }
	};
	int64_t n;
	int c;
	while ((c = getopt_long(argc, argv, "b:j:v", longs, NULL)) != -1) {
		if (c == 'b')
			o->base = optarg;
		else if (c == 'j' && parse_number(optarg, &n) && n > 0 && n <= JOBS_MAX)
			o->jobs = (int)n;
		else if (c == 'v')
			o->lab.verbose = true;
		else if (c == 'C')
			o->cut = true;
		else if (c == 'P')
			o->plan = true;
		else if (c == 'A')
			o->lab.preload = optarg;
		else if (c == 'W')
			o->lab.wrap = optarg;
		else if (c == 'S' && parse_number(optarg, &n) && n > 0)
			o->lab.scale = (int)n;
		else
			die("usage: scenario [-b DIR] [-j JOBS] [-v] [--cut] [--alloc OBJECT] "
			    "[--wrap WORDS] [--scale N] [--plan] FILE...");
	}
	o->file = argv + optind;
	o->nfile = argc - optind;
	o->lab.program = xprintf("%s/sbin/mxdirect", o->base);
	o->lab.wallclock = beside("wallclock.so");
	if (o->plan)
		o->lab.planner = xprintf("%s/sbin/mxdirectctl", o->base);
}

int main(int argc, char **argv)
{
	struct options o = { .base = "/usr", .jobs = 8, .lab.scale = 1 };
	parse_options(argc, argv, &o);
	struct tally *t =
		mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t == MAP_FAILED)
		die("no memory");
	memset(t, 0, sizeof(*t));
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < o.jobs; i++) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(work(&o, i, t));
		if (pid < 0)
			die("no process");
	}
	bool broken = false;
	int status;
	while (wait(&status) > 0)
		broken |= status != 0;
	if (broken)
		printf("a worker gave up\n");
	if (t->skipped)
		printf("%d skipped: no address of its own has this machine, or ports below 1024, "
		       "mounts or other users' files are not for us\n",
		       t->skipped);
	printf("%d passed, %d failed\n", t->passed, t->failed);
	return broken || t->failed || !t->passed ? 1 : 0;
}
