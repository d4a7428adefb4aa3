/* SPDX-License-Identifier: ISC */
#include "base/rng.h"
#include "harness.h"
#include "store/inspect.h"
#include "store/table.h"
#include "store_dir.h"

#define MAX_FILE (2 * 1024 * 1024)

static char image[MAX_FILE];
static size_t image_size, page;

static const char *inspect(void)
{
	int fd = open(dir_path("file"), O_RDONLY | O_CLOEXEC);
	const char *what = fd < 0 ? "missing" : inspect_file(fd);
	close(fd);
	return what ? what : "sound";
}

/* The file, as table.c leaves it after `commits` that put, replace and delete at random; looked at
 * after each. */
static void make_file(unsigned commits, uint32_t longest)
{
	static char text[70000];
	char key[40];
	struct table t = { 0 };
	struct rng r;
	rng_seed(&r, (const uint8_t *)"the third sixteen");
	memset(text, 'v', sizeof(text));
	dir_write("file", 0, "", 0);
	CHECK("open", table_open(&t, dir_path("file"), MAX_FILE) == 0);
	for (unsigned i = 0; i < commits; i++) {
		CHECK("begin", table_begin(&t, true) == 0);
		for (int j = 0; j < 12; j++) {
			int n = snprintf(key, sizeof(key), "%*u", (int)rng_below(&r, 30),
					 rng_below(&r, 150));
			struct span k = { key, (size_t)n },
				    v = { text, 1 + rng_below(&r, longest) };
			int rc = rng_below(&r, 3) ? table_put(&t, k, v, (int64_t)i)
						  : table_delete(&t, k);
			CHECK("change", rc == 0);
		}
		CHECK("trim", table_trim(&t, (int64_t)i - 9, MAX_FILE / page / 2, 50) == 0);
		CHECK("commit", table_commit(&t) == 0);
		CHECK_STR("after a commit", inspect(), "sound");
	}
	table_close(&t);
}

static void load(void)
{
	int fd = open(dir_path("file"), O_RDONLY | O_CLOEXEC);
	image_size = (size_t)read(fd, image, sizeof(image));
	close(fd);
	CHECK("whole", image_size > 10 * page && image_size < sizeof(image));
}

static void sound(void)
{
	page = table_page_size();
	dir_make();
	make_file(0, 1);
	CHECK_STR("new", inspect(), "sound");
	dir_remove();
	static const uint32_t longest[] = { 30, 1000, 3000, 20000 };
	for (size_t i = 0; i < sizeof(longest) / sizeof(longest[0]); i++) {
		dir_make();
		make_file(60, longest[i]);
		dir_remove();
	}
}

/* LMDB does not write pages at the end that a transaction took and gave back. */
static void short_file(void)
{
	static char text[70000];
	struct table t = { 0 };
	int rc = 0;
	dir_make();
	dir_write("file", 0, "", 0);
	memset(text, 'v', sizeof(text));
	CHECK("open", table_open(&t, dir_path("file"), MAX_FILE) == 0);
	for (int i = 0; rc == 0 && i < 8; i++) {
		CHECK("begin", table_begin(&t, true) == 0);
		CHECK("put", table_put(&t, SPAN("a"), SPAN("v"), i) == 0);
		CHECK("put", table_put(&t, SPAN("b"), (struct span){ text, sizeof(text) }, 1) == 0);
		CHECK("delete", table_delete(&t, SPAN("b")) == 0);
		CHECK("commit", table_commit(&t) == 0);
		CHECK_STR("good", inspect(), "sound");
		rc = table_measure(&t, (size_t)dir_size("file"));
	}
	CHECK("shorter than its meta page says", rc == MDB_PAGE_NOTFOUND);
	table_close(&t);
	dir_remove();
}

static void sizes(void)
{
	page = table_page_size();
	dir_make();
	make_file(20, 500);
	load();
	static const size_t cut[] = { 0, 1, 4095, 4096, 8191 };
	for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
		CHECK("truncate", truncate(dir_path("file"), (off_t)cut[i]) == 0);
		CHECK_STR("short", inspect(), "cut off");
	}
	dir_write("file", 0, NULL, 8192);
	CHECK_STR("zeros", inspect(), "a damaged meta page, or another version");
	dir_remove();
}

/* The newer meta page, and in it the roots of the trees. */
static char *meta(void)
{
	size_t a, b;
	memcpy(&a, image + 16 + 128, sizeof(a));
	memcpy(&b, image + page + 16 + 128, sizeof(b));
	return a < b ? image + page + 16 : image + 16;
}

static char *root(int tree)
{
	size_t number;
	memcpy(&number, meta() + 24 + 48 * tree + 40, sizeof(number));
	return image + number * page;
}

enum base { META, FREE_ROOT, DATA_ROOT };

/* Each is put over the bytes there, looked at, and taken back. Offsets are those of 64-bit
 * machines. */
static void damages(void)
{
	static const struct {
		const char *label;
		enum base base;
		size_t at;
		const char *bytes;
		size_t n;
		const char *says;
	} cases[] = {
		{ "magic", META, 0, "x", 1, "a damaged meta page, or another version" },
		{ "version", META, 4, "\2", 1, "a damaged meta page, or another version" },
		{ "page size", META, 24, "\0\x20", 2, "a damaged meta page, or another version" },
		{ "kind of tree", META, 76, "\4", 1, "a damaged meta page" },
		{ "depth", META, 78, "\1", 1, "a page of a wrong kind" },
		{ "too deep", META, 78, "\40", 1, "a damaged meta page" },
		{ "no depth", META, 78, "\0", 1, "a damaged meta page" },
		{ "leaves", META, 88, "\1", 1, "a tree of another size than its meta page says" },
		{ "entries", META, 104, "\1", 1, "a tree of another size than its meta page says" },
		{ "root", META, 112, "\0", 1, "a page number out of range" },
		{ "root", META, 114, "\1", 1, "a page number out of range" },
		{ "no root", META, 112, "\xff\xff\xff\xff\xff\xff\xff\xff", 8,
		  "a damaged meta page" },
		{ "last page", META, 120, "\4", 1, "a page number out of range" },
		{ "last page", META, 123, "\1", 1, "cut off" },
		{ "number", DATA_ROOT, 0, "\1", 1, "a page in a wrong place" },
		{ "leaf", DATA_ROOT, 10, "\2", 1, "a page of a wrong kind" },
		{ "dirty", DATA_ROOT, 10, "\x11", 1, "a page of a wrong kind" },
		{ "lower", DATA_ROOT, 12, "\0\xff", 2, "a damaged page header" },
		{ "odd lower", DATA_ROOT, 12, "\x17", 1, "a damaged page header" },
		{ "no nodes", DATA_ROOT, 12, "\x10\0", 2, "a damaged page header" },
		{ "upper", DATA_ROOT, 14, "\xfe\xff", 2, "a damaged page header" },
		{ "node in the header", DATA_ROOT, 16, "\0\0", 2, "a node out of place" },
		{ "odd node", DATA_ROOT, 16, "\xf1\x0f", 2, "a node out of place" },
		{ "node at the end", DATA_ROOT, 16, "\xfc\x0f", 2, "a node out of place" },
		{ "leaf of free pages", FREE_ROOT, 10, "\1", 1, "a page of a wrong kind" },
	};
	page = table_page_size();
	dir_make();
	make_file(30, 800);
	load();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char keep[8], *base = cases[i].base == META        ? meta()
				      : cases[i].base == FREE_ROOT ? root(0)
								   : root(1);
		off_t at = base - image + (off_t)cases[i].at;
		memcpy(keep, image + at, sizeof(keep));
		dir_write("file", at, cases[i].bytes, cases[i].n);
		CHECK_STR(cases[i].label, inspect(), cases[i].says);
		dir_write("file", at, keep, sizeof(keep));
	}
	CHECK_STR("all taken back", inspect(), "sound");
	dir_remove();
}

/* First of the free list: how many, then the numbers. Its node is the first of the root, key and
 * value behind a head of 8 bytes. */
static void free_pages(void)
{
	uint16_t at;
	size_t n, list[2];
	page = table_page_size();
	dir_make();
	make_file(30, 800);
	load();
	memcpy(&at, root(0) + 16, sizeof(at));
	char *key = root(0) + at + 8, *value = key + 8;
	memcpy(&n, value, sizeof(n));
	memcpy(list, value + 8, sizeof(list));
	CHECK("some", n >= 2 && n < 100 && list[0] > list[1]);
	size_t used = (size_t)(root(1) - image) / page;
	const struct {
		const char *label;
		char *at;
		size_t value;
		const char *says;
	} cases[] = {
		{ "more than fit", value, 100000, "a short list of free pages" },
		{ "in use", value + 8 * n, used, NULL },
		{ "twice", value + 16, list[0], "free pages out of order" },
		{ "upwards", value + 16, list[0] + 1, "free pages out of order" },
		{ "a meta page", value + 8 * n, 1, "a page number out of range" },
		{ "no such page", value + 8, 1 << 20, "a page number out of range" },
		{ "of the future", key, 1 << 20, "free pages of the future" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t keep;
		memcpy(&keep, cases[i].at, sizeof(keep));
		dir_write("file", cases[i].at - image, &cases[i].value, sizeof(keep));
		if (cases[i].says)
			CHECK_STR(cases[i].label, inspect(), cases[i].says);
		else
			CHECK(cases[i].label, strcmp(inspect(), "sound") != 0);
		dir_write("file", cases[i].at - image, &keep, sizeof(keep));
	}
	CHECK_STR("all taken back", inspect(), "sound");
	dir_remove();
}

/* Two children of the root are one and the same, and a child is its own parent. */
static void cycles(void)
{
	uint16_t first, second;
	page = table_page_size();
	dir_make();
	make_file(30, 800);
	load();
	char *top = root(1);
	memcpy(&first, top + 16, sizeof(first));
	memcpy(&second, top + 18, sizeof(second));
	dir_write("file", top + second - image, top + first, 4);
	CHECK_STR("twice", inspect(), "a page in use twice");
	dir_write("file", top + second - image, top + second, 4);
	dir_write("file", top + second - image, top, 4);
	CHECK_STR("its own child", inspect(), "a page in use twice");
	dir_write("file", top + second - image, top + second, 4);
	dir_write("file", top + 18 - image, &first, sizeof(first));
	CHECK_STR("a node twice", inspect(), "nodes that overlap");
	dir_write("file", top + 18 - image, &second, sizeof(second));
	CHECK_STR("all taken back", inspect(), "sound");
	dir_remove();
}

TEST_MAIN("inspect", { "sound", sound }, { "short file", short_file }, { "sizes", sizes },
	  { "damages", damages }, { "free pages", free_pages }, { "cycles", cycles })
