/* SPDX-License-Identifier: ISC */
/* What the tests of mxdirectctl share: output that is caught, a state directory, and the commands
 * run on it. */
#ifndef TESTS_CTL_PRINT_H
#define TESTS_CTL_PRINT_H

#include <dirent.h>
#include <unistd.h>

#include "front/ctl_findings.h"
#include "front/ctl_page.h"

#include "ctl_example.h"
#include "harness.h"

#define NOW 1795514400 /* 2026-11-24T10:00:00Z */

/* Output goes to `out` until print_text(). */
struct print {
	FILE *out;
	char *text;
	size_t n;
};

static inline void print_open(struct print *p)
{
	p->text = NULL;
	p->out = open_memstream(&p->text, &p->n);
	if (!p->out)
		exit(1);
}

static inline const char *print_text(struct print *p)
{
	fflush(p->out);
	return p->text;
}

static inline void print_close(struct print *p)
{
	fclose(p->out);
	free(p->text);
}

static inline struct page print_page(const struct print *p, struct arena *a)
{
	return (struct page){ .out = p->out, .arena = a, .now = NOW };
}

/* Columns of the widest line. */
static inline size_t print_columns(const char *text)
{
	size_t most = 0;
	while (*text) {
		char line[4096];
		size_t n = strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)n, text);
		size_t columns = page_columns(line);
		most = columns > most ? columns : most;
		text += n + (text[n] == '\n');
	}
	return most;
}

/* There is such a finding, and it says what to do exactly if something is amiss. */
static inline void check_finding(const char *label, const struct findings *f,
				 enum finding_kind kind, enum finding_level level, const char *part)
{
	const struct finding *one = f->first;
	while (one && (one->kind != kind || !strstr(one->text, part)))
		one = one->next;
	CHECK(label, one && one->level == level);
	CHECK(label, one && (one->fix == NULL) == (one->level == FINDING_OK));
}

static inline void state_make(char dir[static 64])
{
	snprintf(dir, 64, "/tmp/test-ctl.XXXXXX");
	if (!mkdtemp(dir))
		exit(1);
}

static inline size_t state_files(const char *dir, bool remove)
{
	size_t n = 0;
	DIR *d = opendir(dir);
	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		if (remove)
			unlinkat(dirfd(d), e->d_name, 0);
	}
	if (d)
		closedir(d);
	return n;
}

static inline void state_drop(const char *dir)
{
	state_files(dir, true);
	rmdir(dir);
}

#endif
