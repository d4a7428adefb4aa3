/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "front/ctl_check_output.h"

#include "harness.h"

static bool shell(struct arena *a, const char *script, struct span *ret, struct error *err)
{
	struct io io = { .clock = clock_system(), .stop_fd = -1 };
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	*err = (struct error){ 0 };
	bool good = output_read(a, &io, argv, ret, err);
	CHECK(script, waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
	return good;
}

static void test_output(void)
{
	static const struct {
		const char *script, *output, *error;
	} t[] = {
		{ "echo a; echo b", "a\nb\n", NULL },
		{ "exit 0", "", NULL },
		{ "echo a >&2", "", NULL },
		{ "read x; echo \"<$x>\"", "<>\n", NULL },
		{ "echo ${HOME-none}", "none\n", NULL },
		{ "exec >&-; exit 0", "", NULL },
		{ "echo a; exit 1", NULL, "/bin/sh fails" },
		{ "echo a; kill -9 $$", NULL, "/bin/sh fails" },
		{ "head -c 1100000 /dev/zero", NULL, "/bin/sh: it prints too much" },
		{ "yes", NULL, "/bin/sh: it prints too much" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct arena *a = arena_open(LIMIT_ARENA);
		struct span got = { NULL, 0 };
		struct error err;
		bool good = shell(a, t[i].script, &got, &err);
		CHECK(t[i].script, good == (t[i].output != NULL));
		if (good && t[i].output)
			CHECK(t[i].script, span_equal(got, span_of(t[i].output)));
		if (!good && t[i].error)
			CHECK_STR(t[i].script, err.text, t[i].error);
		arena_close(a);
	}
}

static void test_absent(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct io io = { .clock = clock_system(), .stop_fd = -1 };
	const char *const argv[] = { "/nonexistent/postconf", NULL };
	struct span got;
	struct error err;
	CHECK("absent", !output_read(a, &io, argv, &got, &err) && err.class == ERR_TEMP);
	/* Under valgrind posix_spawn(3) does not learn that there is nothing to run. */
	CHECK("why", strcmp(err.text, "/nonexistent/postconf: No such file or directory") == 0 ||
			     strcmp(err.text, "/nonexistent/postconf fails") == 0);
	arena_close(a);
	a = arena_open(100);
	CHECK("no memory", !output_read(a, &io, argv, &got, &err) && err.class == ERR_INTERNAL);
	arena_close(a);
}

/* Stopped while it runs: it does not outlive that. */
static void test_stopped(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	int ends[2];
	if (pipe(ends) != 0 || write(ends[1], "", 1) != 1)
		abort();
	struct io io = { .clock = clock_system(), .stop_fd = ends[0] };
	const char *const argv[] = { "/bin/sleep", "1000", NULL };
	struct span got;
	struct error err;
	CHECK("stopped", !output_read(a, &io, argv, &got, &err) && err.class == ERR_TEMP);
	CHECK("gone", waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
	close(ends[0]);
	close(ends[1]);
	arena_close(a);
}

static void test_words(void)
{
	static const struct {
		const char *text;
		const char *words[4];
	} t[] = {
		{ "", { NULL } },
		{ " \t ", { NULL } },
		{ "a", { "a" } },
		{ "  a\tb  c ", { "a", "b", "c" } },
		{ "{ a b } c", { "a b", "c" } },
		{ "\"a b\" 'c d'", { "a b", "c d" } },
		{ "a\"b c", { "a\"b", "c" } },
		{ "${x} {", { "${x}" } },
		{ "'open", { "open" } },
		{ "\"\" a", { "", "a" } },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct span rest = span_of(t[i].text), word;
		size_t n = 0;
		while (n < 4 && output_word(&rest, &word)) {
			CHECK(t[i].text, t[i].words[n] && span_equal(word, span_of(t[i].words[n])));
			n++;
		}
		CHECK(t[i].text, n < 4 && !t[i].words[n]);
	}
}

static void test_program(void)
{
	static const struct {
		const char *program;
		bool is;
	} t[] = {
		{ "/usr/sbin/mxdirect", true },
		{ "mxdirect", true },
		{ "/mxdirect", true },
		{ "/usr/sbin/mxdirect-agent", false },
		{ "/usr/mxdirect/false", false },
		{ "/usr/mxdirect/", false },
		{ "", false },
		{ " mxdirect --lmtp", true },
		{ "run mxdirect", false },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct span command = span_of(t[i].program);
		CHECK(t[i].program, output_runs_mxdirect(&command) == t[i].is);
	}
}

TEST_MAIN("ctl_check_output", { "output", test_output }, { "absent", test_absent },
	  { "stopped", test_stopped }, { "words", test_words }, { "program", test_program })
