/* SPDX-License-Identifier: ISC */
#include "front/ctl_table.h"

#include "ctl_print.h"

static const struct table_column two[] = { { "NAME", false }, { "COUNT", true } };

static void test_plain(void)
{
	struct print out;
	struct arena *a = arena_open(100000);
	struct table t;
	print_open(&out);
	struct page p = print_page(&out, a);
	table_init(&t, two, 2);
	table_print(&t, &p);
	CHECK_STR("no rows, no titles", print_text(&out), "");
	table_add(&t, &p, (const char *[]){ "a", "1" }, NULL);
	table_add(&t, &p, (const char *[]){ "bj\xc3\xb6rn", "1000000" }, "why");
	table_add(&t, &p, (const char *[]){ "", "" }, "");
	table_print(&t, &p);
	CHECK_STR("rows", print_text(&out),
		  "NAME     COUNT\n"
		  "a            1\n"
		  "bj\xc3\xb6rn  1000000\n"
		  "    why\n"
		  "              \n");
	CHECK("rows", t.nrow == 3 && !p.nomem);
	print_close(&out);
	arena_close(a);
}

static void test_last_column(void)
{
	static const struct table_column left[] = { { "A", false }, { "LAST", false } };
	struct print out;
	struct arena *a = arena_open(100000);
	struct table t;
	print_open(&out);
	struct page p = print_page(&out, a);
	table_init(&t, left, 2);
	table_add(&t, &p, (const char *[]){ "abc", "x" }, NULL);
	table_print(&t, &p);
	CHECK_STR("no blanks at its end", print_text(&out), "A    LAST\nabc  x\n");
	print_close(&out);
	arena_close(a);
}

static void test_wide(void)
{
	static const struct table_column three[] = { { "A", false },
						     { "B", false },
						     { "N", true } };
	char wide[300], name[81];
	struct print out;
	struct arena *a = arena_open(100000);
	struct table t;
	memset(wide, 'w', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	print_open(&out);
	struct page p = print_page(&out, a);
	table_init(&t, three, 3);
	table_add(&t, &p, (const char *[]){ wide, name, "12345" }, wide);
	table_add(&t, &p, (const char *[]){ "short", "short", "1" }, name);
	table_print(&t, &p);
	const char *got = print_text(&out);
	CHECK("as wide as it may be", print_columns(got) == PAGE_WIDTH);
	CHECK("numbers are whole", strstr(got, "  12345\n") != NULL);
	CHECK("both long ones are cut",
	      strstr(got, "w\xe2\x80\xa6  n") && strstr(got, "n\xe2\x80\xa6  1"));
	CHECK("the text below is cut", strstr(got, "w\xe2\x80\xa6\n") != NULL);
	CHECK("or whole", strstr(got, name) != NULL);
	print_close(&out);
	arena_close(a);
}

static void test_no_memory(void)
{
	struct arena *a = arena_open(0);
	struct page p = { .arena = a };
	struct table t;
	table_init(&t, two, 2);
	table_add(&t, &p, (const char *[]){ "a", "1" }, NULL);
	CHECK("no memory", p.nomem && t.nrow == 0);
	arena_close(a);
}

TEST_MAIN("ctl_table", { "plain", test_plain }, { "last column", test_last_column },
	  { "wide", test_wide }, { "no memory", test_no_memory })
