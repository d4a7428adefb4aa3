/* SPDX-License-Identifier: ISC */
#include <pwd.h>
#include <sys/stat.h>

#include "front/ctl_check_state.h"

#include "ctl_print.h"

static void look(const char *label, const char *dir, const char *user, enum finding_level level,
		 const char *part)
{
	struct arena *a = arena_open(LIMIT_ARENA);
	struct page p = { .out = stdout, .arena = a, .now = NOW };
	struct findings f;
	findings_init(&f, &p);
	check_state(&f, dir, user);
	CHECK(label, f.first && !f.first->next && f.first->kind == FIND_STATE);
	if (f.first) {
		CHECK(label, f.first->level == level);
		CHECK(label, strstr(f.first->text, part));
		CHECK(label, (f.first->fix == NULL) == (level == FINDING_OK));
	}
	arena_close(a);
}

static void test_state(void)
{
	char dir[64], file[80];
	const struct passwd *self = getpwuid(getuid());
	const char *user = self ? self->pw_name : "root";
	state_make(dir);
	snprintf(file, sizeof(file), "%s/x", dir);
	look("off", "", user, FINDING_WARNING, "empty");
	look("good", dir, NULL, FINDING_OK, "is there");
	look("owner", dir, user, FINDING_OK, "belongs to");
	look("nobody knows that user", dir, "nosuchuser", FINDING_OK, "is there");
	look("another's", dir, getuid() ? "root" : "nobody", FINDING_FAILURE, "does not belong to");
	look("absent", file, user, FINDING_FAILURE, "No such file");
	chmod(dir, 0770);
	look("group", dir, user, FINDING_FAILURE, "others");
	chmod(dir, 0702);
	look("others", dir, user, FINDING_FAILURE, "others");
	chmod(dir, 0755);
	look("readable", dir, user, FINDING_OK, "belongs to");
	if (symlink("/tmp", file))
		abort();
	look("a link", file, NULL, FINDING_FAILURE, "no directory");
	look("a file", "/etc/passwd", NULL, FINDING_FAILURE, "no directory");
	state_drop(dir);
}

TEST_MAIN("ctl_check_state", { "state", test_state })
