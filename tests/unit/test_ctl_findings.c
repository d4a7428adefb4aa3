/* SPDX-License-Identifier: ISC */
#include <jansson.h>

#include "front/ctl_findings.h"

#include "ctl_print.h"

static void fill(struct findings *f, struct page *p)
{
	findings_init(f, p);
	f->about = "Address 192.0.2.25";
	findings_add(f, FIND_SOURCE, FINDING_OK, "not told", "set by %s", "source_ipv4");
	findings_add(f, FIND_REVERSE, FINDING_FAILURE, "Ask for one.", "none\n%s", "\033[31m");
	f->about = "Memory";
	findings_add(f, FIND_STATE, FINDING_WARNING, "Set it.", "empty");
}

static void test_page(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct print out;
	struct findings f;
	print_open(&out);
	struct page p = print_page(&out, a);
	fill(&f, &p);
	findings_show(&f, &p);
	CHECK_STR(
		"page", print_text(&out),
		"Address 192.0.2.25\n"
		"  ok       source           set by source_ipv4\n"
		"  failure  reverse-name     none ?[31m\n"
		"                            Most large receivers refuse mail from an address "
		"without a reverse name.\n"
		"                         -> Ask for one.\n"
		"\n"
		"Memory\n"
		"  warning  state            empty\n"
		"                            Without its memory mxdirect tries dead hosts in every "
		"run and may\n"
		"                            deliver twice after a crash.\n"
		"                         -> Set it.\n"
		"\n"
		"Failures: 1, warnings: 1, ok: 1\n");
	print_close(&out);
	print_open(&out);
	p = print_page(&out, a);
	p.bold = true;
	findings_show(&f, &p);
	const char *text = print_text(&out);
	CHECK("green", strstr(text, "\033[32mok\033[0m       source  "));
	CHECK("red", strstr(text, "\033[31mfailure\033[0m  reverse-name"));
	CHECK("yellow", strstr(text, "\033[33mwarning\033[0m  state"));
	print_close(&out);
	arena_close(a);
}

static void test_json(void)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct print out;
	struct findings f;
	print_open(&out);
	struct page p = print_page(&out, a);
	fill(&f, &p);
	findings_json(&f, &p);
	json_t *root = json_loads(print_text(&out), 0, NULL);
	json_t *list = json_object_get(root, "findings");
	CHECK("counts", json_integer_value(json_object_get(root, "failures")) == 1 &&
				json_integer_value(json_object_get(root, "warnings")) == 1 &&
				json_integer_value(json_object_get(root, "ok")) == 1);
	CHECK("all", json_array_size(list) == 3);
	json_t *first = json_array_get(list, 0), *second = json_array_get(list, 1);
	CHECK("nothing to do", json_is_null(json_object_get(first, "fix")));
	CHECK_STR("about", json_string_value(json_object_get(first, "about")),
		  "Address 192.0.2.25");
	CHECK_STR("check", json_string_value(json_object_get(second, "check")), "reverse-name");
	CHECK_STR("level", json_string_value(json_object_get(second, "level")), "failure");
	CHECK_STR("fix", json_string_value(json_object_get(second, "fix")), "Ask for one.");
	CHECK_STR("text", json_string_value(json_object_get(second, "text")), "none ?[31m");
	json_decref(root);
	print_close(&out);
	arena_close(a);
}

/* Each kind has a name of its own that fits its column, and a sentence. */
static void test_kinds(void)
{
	for (int i = 0; i < FIND_KINDS; i++) {
		const char *name = finding_name((enum finding_kind)i);
		const char *why = finding_why((enum finding_kind)i);
		CHECK("name", name && strlen(name) <= 15);
		CHECK(name, why && why[strlen(why) - 1] == '.');
		for (int j = 0; j < i; j++)
			CHECK(name, strcmp(name, finding_name((enum finding_kind)j)) != 0);
	}
}

static void test_memory(void)
{
	struct arena *a = arena_open(16);
	struct print out;
	struct findings f;
	print_open(&out);
	struct page p = print_page(&out, a);
	fill(&f, &p);
	CHECK("told", p.nomem);
	findings_show(&f, &p);
	print_close(&out);
	arena_close(a);
}

struct look {
	struct arena *arena;
	struct page page;
	struct findings findings;
};

static void look_open(struct look *l)
{
	l->arena = arena_open(LIMIT_ARENA);
	l->page = (struct page){ .out = stdout, .arena = l->arena, .now = NOW };
	findings_init(&l->findings, &l->page);
}

static void is_found(const char *label, const struct look *l, enum finding_kind kind,
		     enum finding_level level, const char *part)
{
	const struct finding *one = l->findings.first;
	CHECK(label, one && !one->next && one->kind == kind && one->level == level);
	CHECK(label, one && strstr(one->text, part));
	CHECK(label, one && (one->fix == NULL) == (level == FINDING_OK));
}

static void test_user(void)
{
	static const struct {
		const char *user;
		enum finding_level level;
		bool known;
		const char *part;
	} t[] = {
		{ "nobody", FINDING_OK, true, "runs as nobody" },
		{ "root", FINDING_FAILURE, true, "runs as root" },
		{ "mail", FINDING_FAILURE, true, "runs as mail" },
		{ "nosuchuser", FINDING_FAILURE, false, "no user nosuchuser" },
		{ "", FINDING_FAILURE, false, "not set" },
		{ "${lookup{x}}", FINDING_WARNING, false, "${lookup{x}}" },
		{ "<value not displayable>", FINDING_WARNING, false, "nobody knows" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct look l;
		look_open(&l);
		const char *user = findings_user(&l.findings, span_of(t[i].user), "Do that.");
		CHECK(t[i].user, (user != NULL) == t[i].known);
		if (user)
			CHECK_STR(t[i].user, user, t[i].user);
		is_found(t[i].user, &l, FIND_USER, t[i].level, t[i].part);
		arena_close(l.arena);
	}
}

static void test_limit(void)
{
	static const struct {
		const char *label;
		uint64_t ms;
		enum finding_level if_short, level;
		const char *part;
	} t[] = {
		{ "enough", 1500001, FINDING_FAILURE, FINDING_OK, "t = X is more than deadline" },
		{ "just not", 1500000, FINDING_FAILURE, FINDING_FAILURE, "not more than deadline" },
		{ "a complaint", 1, FINDING_WARNING, FINDING_WARNING, "together (25m)" },
		{ "for ever", UINT64_MAX, FINDING_FAILURE, FINDING_OK, "is more" },
		{ "unknown", 0, FINDING_FAILURE, FINDING_WARNING, "t = X is no time" },
	};
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct look l;
		look_open(&l);
		const struct finding_limit limit = { "t", SPAN("X"), t[i].ms, t[i].if_short };
		findings_limit(&l.findings, 1500000, &limit);
		is_found(t[i].label, &l, FIND_TIME_LIMIT, t[i].level, t[i].part);
		arena_close(l.arena);
	}
}

TEST_MAIN("ctl_findings", { "page", test_page }, { "json", test_json }, { "kinds", test_kinds },
	  { "memory", test_memory }, { "user", test_user }, { "limit", test_limit })
