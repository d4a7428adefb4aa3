/* SPDX-License-Identifier: ISC */
/* Files that are damaged, replaced, cut off under our feet: no run may be hurt, and the one after
 * the next has a memory again. */

#include "base/rng.h"
#include "harness.h"
#include "store/store.h"
#include "store_dir.h"

#define TRIALS 360
#define NOTICED                                                                                    \
	99 /* how valgrind ends a program that read out of bounds, as LMDB does in a damaged file  \
	    */
#define KEYS     600
#define MAX_FILE (1024 * 1024)

static struct error err;
static char value_room[STORE_VALUE + 1], key_room[STORE_KEY + 1];
static char image[MAX_FILE], damaged[MAX_FILE];
static size_t image_size, page;

static bool valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");
	return preload && strstr(preload, "/vgpreload_");
}

static struct store *open_store(void)
{
	struct store_options o = { store_dir, MAX_FILE, 10000 };
	struct store *s = NULL;
	memset(&err, 0, sizeof(err));
	return store_open(&o, &s, &err) ? s : NULL;
}

/* The value of a key says which key it is of; some are long. */
static struct span value_of(int i)
{
	size_t n = i % 50 == 7 ? 9000 : (size_t)(20 + i % 90);
	memset(value_room, 'a' + i % 26, n);
	snprintf(value_room, sizeof(value_room), "value %d", i);
	return (struct span){ value_room, n };
}

static struct span key_of(int i)
{
	static char key[32];
	return (struct span){ key, (size_t)snprintf(key, sizeof(key), "key-%d", i * 7 % KEYS) };
}

/* Absent is fine, wrong is not. */
static bool right(struct store *s, int i)
{
	static char got[STORE_VALUE + 1];
	struct buf out;
	buf_init(&out, got, sizeof(got));
	if (!store_get(s, key_of(i), 0, &out, &err) || out.len == 0)
		return true;
	struct span want = value_of(i);
	return out.len == want.n && memcmp(out.p, want.p, want.n) == 0;
}

static bool put(struct store *s, int i)
{
	return store_put(s, key_of(i), value_of(i), 1000 + i, &err);
}

/* Does all that can be done; false: something failed. Ends the child if something wrong came out.
 */
static bool exercise(unsigned salt)
{
	struct buf key, value;
	bool good = false;
	struct store *s = open_store();
	if (!s)
		return false;
	buf_init(&key, key_room, sizeof(key_room));
	buf_init(&value, value_room, sizeof(value_room));
	if (!store_begin(s, STORE_READ, &err))
		goto end;
	for (int i = 0; i < 20; i++)
		if (!right(s, (int)(salt + 31u * (unsigned)i) % KEYS))
			_exit(5);
	for (int i = 0; i == 0 || (key.len > 0 && i < KEYS + 9); i++)
		if (!store_next(s, SPAN(""), buf_view(&key), &key, &value, &err))
			goto end;
	if (!store_commit(s, 0, false, &err) || !store_begin(s, STORE_WRITE, &err))
		goto end;
	for (int i = 0; i < 60; i++) {
		int k = (int)(salt + 17u * (unsigned)i) % KEYS;
		if (i % 3 == 0 ? !store_delete(s, key_of(k), &err) : !put(s, k))
			goto end;
	}
	good = store_commit(s, 1000 + 20, salt % 50 == 0, &err);
end:
	store_close(s);
	return good;
}

static void make_image(void)
{
	dir_make();
	struct store *s = open_store();
	for (int round = 0; round < 6; round++) {
		CHECK(err.text, store_begin(s, STORE_WRITE, &err));
		for (int i = round * 100; i < KEYS && i < (round + 2) * 100; i++)
			CHECK("put", put(s, i));
		for (int i = round; i < KEYS; i += 11)
			CHECK("delete", store_delete(s, key_of(i), &err));
		CHECK(err.text, store_commit(s, 0, false, &err));
	}
	store_close(s);
	page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = open(dir_path("memory.mdb"), O_RDONLY | O_CLOEXEC);
	image_size = (size_t)read(fd, image, sizeof(image));
	close(fd);
	CHECK("enough to damage", image_size > 30 * page && image_size < sizeof(image));
	dir_remove();
}

static void put_file(const void *bytes, size_t n)
{
	int fd = open(dir_path("memory.mdb"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || close(fd) != 0)
		abort();
}

static void clean(void)
{
	unlink(dir_path("memory.mdb"));
	unlink(dir_path("memory.mdb.bad"));
	unlink(dir_path("memory.lock"));
}

/* The first run may find the damage, the second has nothing to find. */
static void twice(void *ctx)
{
	unsigned salt = *(unsigned *)ctx;
	exercise(salt);
	if (!exercise(salt + 1))
		_exit(6);
}

static void two_runs(const char *label, size_t size, unsigned salt)
{
	put_file(damaged, size);
	int end = child_end(child(twice, &salt));
	CHECK(label, end == 0 || (valgrind() && end == NOTICED));
	if (end != 0 && end != NOTICED)
		printf(" ended with %d at %u", end, salt);
	clean();
}

static void flip(struct rng *r, size_t from, size_t n)
{
	size_t at = from + rng_below(r, (uint32_t)n);
	damaged[at] = (char)(damaged[at] ^ (1 << rng_below(r, 8)));
}

static void noise(struct rng *r, size_t from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		damaged[from + i] = (char)rng_below(r, 256);
}

static size_t some_page(struct rng *r)
{
	return (2 + rng_below(r, (uint32_t)(image_size / page - 2))) * page;
}

/* Each kind of damage, at a place by chance; the chances are the same in every run. */
static const char *damage(struct rng *r, unsigned kind, size_t *size)
{
	switch (kind) {
	case 0:
		flip(r, 0, image_size);
		return "a bit";
	case 1:
		flip(r, some_page(r), 16);
		return "a bit of a page's head";
	case 2:
		for (int i = 0; i < 4; i++)
			flip(r, some_page(r) + 16, page - 16);
		return "four bits of pages";
	case 3:
		flip(r, rng_below(r, 2) * page, 168);
		return "a bit of a meta page";
	case 4:
		noise(r, rng_below(r, 2) * page + rng_below(r, 160), 8);
		return "noise in a meta page";
	case 5:
		memset(damaged + some_page(r), 0, page);
		return "a page of zeros";
	case 6:
		noise(r, some_page(r) + rng_below(r, 64), 32);
		return "noise near a page's head";
	case 7:
		memcpy(damaged + some_page(r), image + some_page(r), page);
		return "a page twice";
	case 8:
		*size = rng_below(r, (uint32_t)image_size);
		return "cut off";
	case 9:
		*size = rng_below(r, (uint32_t)(image_size / page)) * page;
		return "cut off between pages";
	case 10:
		noise(r, some_page(r), page);
		return "a page of noise";
	default:
		flip(r, some_page(r) + page - 300, 300);
		return "a bit at a page's end";
	}
}

static void damaged_files(void)
{
	struct rng r;
	make_image();
	rng_seed(&r, (const uint8_t *)"a seed of sixteen");
	dir_make();
	for (unsigned i = 0; i < TRIALS; i += valgrind() ? 5 : 1) {
		size_t size = image_size;
		memcpy(damaged, image, image_size);
		const char *label = damage(&r, i % 12, &size);
		two_runs(label, size, i);
	}
	dir_remove();
}

/* A store that was in use says so once, then fails at once with the same words; the next one begins
 * anew. */
static void is_over(const char *label, struct store *s, const char *says)
{
	char text[LIMIT_ERR_TEXT], want[LIMIT_ERR_TEXT];
	snprintf(want, sizeof(want), "%s/memory.mdb: %s", store_dir, says);
	snprintf(text, sizeof(text), "%s", err.text);
	CHECK_STR(label, text, want);
	CHECK(label, err.class == ERR_TEMP && err.code.subject == 3);
	for (int i = 0; i < 2; i++) {
		memset(&err, 0, sizeof(err));
		CHECK(label, !store_begin(s, i ? STORE_READ : STORE_WRITE, &err));
		CHECK_STR(label, err.text, text);
	}
	CHECK(label, !store_put(s, SPAN("k"), SPAN("v"), 0, &err));
	CHECK_STR(label, err.text, text);
	store_abort(s);
	store_close(s);
	CHECK(label, dir_size("memory.mdb") == -1 && dir_size("memory.mdb.bad") >= 0);
	CHECK(label, exercise(0));
	clean();
}

static void cut_before_open(void)
{
	make_image();
	dir_make();
	size_t sizes[] = { 0,
			   1,
			   100,
			   page - 1,
			   page,
			   page + 1,
			   2 * page - 1,
			   2 * page,
			   2 * page + 1,
			   3 * page,
			   5000,
			   image_size / 2,
			   image_size - page,
			   image_size - 1,
			   image_size };
	memcpy(damaged, image, image_size);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		two_runs("cut", sizes[i], i);
		put_file(image, sizes[i]);
		struct store *s = open_store();
		if (!s)
			CHECK("named", strstr(err.text, "/memory.mdb: ") && err.class == ERR_TEMP);
		CHECK("set aside, or it may be used",
		      (dir_size("memory.mdb.bad") == -1) == (s != NULL));
		store_close(s);
		clean();
	}
	dir_remove();
}

/* What is done between the cut and the call that meets it. */
static void cut_in_use(void)
{
	static char got[STORE_VALUE + 1];
	struct buf out;
	make_image();
	dir_make();
	buf_init(&out, got, sizeof(got));
	static const char fault[] = "a fault in the middle of its use, set aside as memory.mdb.bad";
	size_t sizes[] = { 0, 100, page, 2 * page };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		put_file(image, image_size);
		struct store *s = open_store();
		CHECK("reading", s && store_begin(s, STORE_READ, &err));
		CHECK("cut", truncate(dir_path("memory.mdb"), (off_t)sizes[i]) == 0);
		CHECK("get", !store_get(s, key_of(300), 0, &out, &err) && out.len == 0);
		is_over("while read", s, fault);

		put_file(image, image_size);
		s = open_store();
		CHECK("reading", s && store_begin(s, STORE_READ, &err));
		CHECK("cut", truncate(dir_path("memory.mdb"), (off_t)sizes[i]) == 0);
		CHECK("next", !store_next(s, SPAN("key"), SPAN("key-3"), &out, &out, &err));
		is_over("while walked", s, fault);
	}
	for (size_t i = 2; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		put_file(image, image_size);
		struct store *s = open_store();
		CHECK("cut", s && truncate(dir_path("memory.mdb"), (off_t)sizes[i]) == 0);
		CHECK("begin", !store_begin(s, STORE_READ, &err));
		is_over("before it is read", s, "cut off, set aside as memory.mdb.bad");
		put_file(image, image_size);
		s = open_store();
		CHECK("cut", s && truncate(dir_path("memory.mdb"), (off_t)sizes[i]) == 0);
		CHECK("begin", !store_begin(s, STORE_WRITE, &err));
		is_over("before it is written", s, "cut off, set aside as memory.mdb.bad");
	}
	dir_remove();
}

/* In a child, since LMDB's memory of a write transaction is lost with the fault. */
static void cut_while_written(void *ctx)
{
	bool early = *(bool *)ctx, good = true;
	struct store *s = open_store();
	if (!s || !store_begin(s, STORE_WRITE, &err))
		_exit(1);
	for (int i = 0; good && !early && i < 100; i++)
		good = put(s, i);
	if (!good || truncate(dir_path("memory.mdb"), 0) != 0)
		_exit(2);
	for (int i = 0; good && i < 100; i++)
		good = store_delete(s, key_of(200 + i), &err);
	good = good && store_commit(s, 0, false, &err);
	if (good || !strstr(err.text, "a fault in the middle of its use, set aside"))
		_exit(3);
	if (store_begin(s, STORE_WRITE, &err) || !exercise(0))
		_exit(4);
}

static void cut_in_writing(void)
{
	make_image();
	dir_make();
	for (int early = 0; early < 2; early++) {
		bool flag = early;
		put_file(image, image_size);
		int end = child_end(child(cut_while_written, &flag));
		CHECK("ended well", end == 0 || (valgrind() && end == NOTICED));
		CHECK("set aside", dir_size("memory.mdb.bad") >= 0);
		clean();
	}
	dir_remove();
}

/* Not LMDB's, or not this LMDB's. */
static void foreign(void)
{
	make_image();
	dir_make();
	static const struct {
		const char *label;
		size_t at;
		const char *bytes;
		size_t n;
	} cases[] = { { "a text", 0, "#!/bin/sh\necho this is no table\n", 32 },
		      { "another magic", 16, "\xde\xc0\xef\xbf", 4 },
		      { "version 2", 20, "\2\0\0\0", 4 },
		      { "a development version", 20, "\xe7\3\0\0", 4 },
		      { "not a meta page", 10, "\1\0", 2 } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(damaged, image, image_size);
		memcpy(damaged + cases[i].at, cases[i].bytes, cases[i].n);
		put_file(damaged, image_size);
		CHECK(cases[i].label, open_store() == NULL);
		CHECK(cases[i].label, strstr(err.text, "/memory.mdb: MDB_"));
		CHECK(cases[i].label, dir_size("memory.mdb") == -1);
		CHECK(cases[i].label, dir_size("memory.mdb.bad") == (off_t)image_size);
		CHECK(cases[i].label, exercise(0));
		clean();
	}
	/* Pages of twice the size: the second meta page is where the third page was. */
	uint32_t twice_the_page = (uint32_t)(2 * page);
	memcpy(damaged, image, image_size);
	memcpy(damaged + 2 * page, image + page, page);
	memcpy(damaged + 40, &twice_the_page, 4);
	memcpy(damaged + 2 * page + 40, &twice_the_page, 4);
	put_file(damaged, image_size);
	CHECK("another page size", open_store() == NULL && dir_size("memory.mdb.bad") > 0);
	clean();
	CHECK("mkdir", mkdir(dir_path("memory.mdb.bad"), 0700) == 0);
	put_file("garbage", 7);
	CHECK("cannot be set aside", open_store() == NULL && dir_size("memory.mdb") == 7);
	CHECK("is not said to be", strstr(err.text, "aside") == NULL);
	dir_remove();
}

/* Put there by somebody, not by accident: left alone. */
static void wrong_kind(void)
{
	struct stat st;
	static const char *const names[] = { "memory.mdb", "memory.lock" };
	for (size_t i = 0; i < 2; i++) {
		dir_make();
		CHECK("mkdir", mkdir(dir_path(names[i]), 0700) == 0);
		CHECK(names[i], open_store() == NULL && strstr(err.text, ": Is a directory"));
		CHECK("rmdir", rmdir(dir_path(names[i])) == 0);
		dir_write("other", 0, "kept", 4);
		CHECK("symlink", symlink("other", dir_path(names[i])) == 0);
		CHECK(names[i], open_store() == NULL && strstr(err.text, ": is a symbolic link"));
		CHECK("unlink", unlink(dir_path(names[i])) == 0);
		CHECK("link", link(dir_path("other"), dir_path(names[i])) == 0);
		CHECK(names[i], open_store() == NULL && strstr(err.text, ": has another name"));
		CHECK("untouched", dir_size("other") == 4);
		CHECK("unlink", unlink(dir_path("other")) == 0);
		CHECK("chmod", chmod(dir_path(names[i]), 0666) == 0);
		CHECK(names[i], open_store() == NULL && strstr(err.text, ": others may write"));
		CHECK("nothing set aside", dir_size("memory.mdb.bad") == -1);
		CHECK("unlink", unlink(dir_path(names[i])) == 0);
		CHECK(names[i], exercise(0));
		CHECK("private",
		      lstat(dir_path(names[i]), &st) == 0 && (st.st_mode & 0777) == 0600);
		dir_remove();
	}
}

/* While it is open here, the file or the lock is taken away by somebody: no more use, but no harm.
 */
static void replaced(void)
{
	static const char *const names[] = { "memory.mdb", "memory.lock" };
	char want[LIMIT_ERR_TEXT];
	for (size_t i = 0; i < 2; i++) {
		dir_make();
		struct store *s = open_store();
		CHECK("begin", store_begin(s, STORE_WRITE, &err) && put(s, 1));
		CHECK("commit", store_commit(s, 0, false, &err));
		CHECK("unlink", unlink(dir_path(names[i])) == 0);
		snprintf(want, sizeof(want), "%s/%s: was replaced", store_dir, names[i]);
		for (int mode = 0; mode < 2; mode++) {
			CHECK("gone", !store_begin(s, mode ? STORE_READ : STORE_WRITE, &err));
			CHECK_STR("gone", err.text, want);
		}
		CHECK("a new one works", exercise(0));
		CHECK("not the old one", !store_begin(s, STORE_READ, &err));
		CHECK_STR("not the old one", err.text, want);
		CHECK("nothing set aside", dir_size("memory.mdb.bad") == -1);
		store_close(s);
		CHECK("and after it", exercise(0));
		dir_remove();
	}
}

/* A value that is not what was put is none. */
static void wrong_value(void)
{
	static char got[100];
	struct buf out;
	buf_init(&out, got, sizeof(got));
	dir_make();
	struct store *s = open_store();
	CHECK("begin", store_begin(s, STORE_WRITE, &err));
	CHECK("put", store_put(s, SPAN("k1"), SPAN("the first value"), 100, &err));
	CHECK("put", store_put(s, SPAN("k2"), SPAN("another value"), 100, &err));
	CHECK("commit", store_commit(s, 0, false, &err));
	store_close(s);
	char *at = NULL;
	int fd = open(dir_path("memory.mdb"), O_RDWR | O_CLOEXEC);
	ssize_t n = read(fd, damaged, sizeof(damaged));
	for (ssize_t i = 0; i < n - 15 && !at; i++)
		if (memcmp(damaged + i, "the first value", 15) == 0)
			at = damaged + i;
	CHECK("found", at && pwrite(fd, "T", 1, at - damaged) == 1);
	close(fd);
	s = open_store();
	CHECK("begin", s && store_begin(s, STORE_READ, &err));
	CHECK("none", store_get(s, SPAN("k1"), 0, &out, &err) && out.len == 0);
	CHECK("the other", store_get(s, SPAN("k2"), 0, &out, &err));
	CHECK_STR("the other", buf_cstr(&out), "another value");
	struct buf key;
	buf_init(&key, key_room, sizeof(key_room));
	CHECK("next", store_next(s, SPAN(""), SPAN(""), &key, &out, &err));
	CHECK_STR("passed over", buf_cstr(&key), "k2");
	store_abort(s);
	CHECK("begin", store_begin(s, STORE_WRITE, &err));
	CHECK("put", store_put(s, SPAN("k1"), SPAN("a new value"), 100, &err));
	CHECK("commit", store_commit(s, 0, false, &err));
	CHECK("begin", store_begin(s, STORE_READ, &err));
	CHECK("put again", store_get(s, SPAN("k1"), 0, &out, &err));
	CHECK_STR("put again", buf_cstr(&out), "a new value");
	store_close(s);
	dir_remove();
}

TEST_MAIN("store_damage", { "damaged files", damaged_files },
	  { "cut before it is opened", cut_before_open }, { "cut in use", cut_in_use },
	  { "cut in writing", cut_in_writing }, { "foreign", foreign },
	  { "wrong kind", wrong_kind }, { "replaced", replaced }, { "wrong value", wrong_value })
