/* SPDX-License-Identifier: ISC */
/* One CUnit suite a program: a table of tests, and a main that runs it and ends with "N passed, N failed" (assertions). */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <CUnit/Basic.h>
#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"

struct test {
	const char *name;
	void (*run)(void);
};

/* Tables of cases: `label` is printed when the condition does not hold. */
#define CHECK(label, condition)                                                                    \
	do {                                                                                       \
		bool check_ok = (condition);                                                       \
		if (!check_ok)                                                                     \
			printf("\n    %s:%d: [%s] %s", __FILE__, __LINE__, (label), #condition);   \
		CU_ASSERT(check_ok);                                                               \
	} while (0)

#define CHECK_STR(label, got, want)                                                                \
	do {                                                                                       \
		const char *check_got = (got), *check_want = (want);                               \
		bool check_ok = check_got && strcmp(check_got, check_want) == 0;                   \
		if (!check_ok)                                                                     \
			printf("\n    %s:%d: [%s] got \"%s\", want \"%s\"", __FILE__, __LINE__,    \
			       (label), check_got ? check_got : "(null)", check_want);             \
		CU_ASSERT(check_ok);                                                               \
	} while (0)

static inline int test_main(const char *suite_name, const struct test *tests, size_t n)
{
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
	for (size_t i = 0; suite && i < n; i++)
		CU_add_test(suite, tests[i].name, tests[i].run);
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	unsigned failed = CU_get_number_of_failures(), passed = CU_get_number_of_successes();
	unsigned ran = CU_get_number_of_tests_run();
	CU_cleanup_registry();
	printf("%s: %u passed, %u failed\n", suite_name, passed, failed);
	return failed == 0 && ran == n && passed > 0 ? 0 : 1;
}

#define TEST_MAIN(suite, ...)                                                                      \
	int main(void)                                                                             \
	{                                                                                          \
		static const struct test tests[] = { __VA_ARGS__ };                                \
		return test_main(suite, tests, sizeof(tests) / sizeof(tests[0]));                  \
	}

#endif
