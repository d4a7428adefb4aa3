/* SPDX-License-Identifier: ISC */
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/span.h"
#include "store/fault.h"
#include "store/inspect.h"

/* LMDB's structures as they lie in the file; size_t stands for its page and transaction numbers. */
struct page {
	size_t number;
	uint16_t pad, flags;
	union {
		struct {
			uint16_t lower, upper;
		};
		uint32_t count; /* of an overflow page: pages in a row */
	};
};

struct node {
	uint32_t size; /* of the data; in a branch the lower half of a page number, flags is the
			  rest */
	uint16_t flags, key_size;
};

struct tree {
	uint32_t pad;
	uint16_t flags, depth;
	size_t branches, leaves, overflows, entries, root;
};

struct meta {
	uint32_t magic, version;
	void *address;
	size_t map_size;
	struct tree trees[2]; /* free pages, data */
	size_t last_page, transaction;
};

enum { BRANCH = 1, LEAF = 2, OVERFLOW = 4, META = 8 }; /* page.flags */
enum { BIG = 1 };                                      /* node.flags */
enum { FREE, DATA };

#define MAGIC      0xbeefc0de
#define INTEGERKEY 0x08
#define KINDS      0x7e /* of keys and of duplicates: none but INTEGERKEY is used */
#define NO_PAGE    SIZE_MAX
#define MAX_DEPTH  30         /* LMDB itself cannot go deeper than 32 */
#define MAX_KEY    511        /* of LMDB as Debian builds it */
#define MAX_PAGE   32768      /* LMDB's largest page */
#define MAX_TAIL   (1u << 20) /* pages that exist by the meta page's word only */

struct inspection {
	const char *map;
	size_t page_size, file_pages,
		pages; /* `pages` exist by the meta page's word, the last may lie beyond the file */
	uint8_t *seen; /* a bit for each page */
	struct tree found; /* what the walk counts */
	bool free_pages;   /* the tree under way */
	size_t transaction;
	const char *wrong;
	uint16_t node_at[MAX_PAGE / 2]; /* its size, by half the offset in the page under way */
};

static bool wrong(struct inspection *in, const char *what)
{
	in->wrong = what;
	return false;
}

/* A page has one use. */
static bool take(struct inspection *in, size_t first, size_t n)
{
	if (first < 2 || first >= in->pages || n > in->pages - first)
		return wrong(in, "a page number out of range");
	for (size_t i = first; i < first + n; i++) {
		if (in->seen[i / 8] & 1u << i % 8)
			return wrong(in, "a page in use twice");
		in->seen[i / 8] |= (uint8_t)(1u << i % 8);
	}
	return true;
}

static bool take_used(struct inspection *in, size_t first, size_t n, const struct page **ret)
{
	if (!take(in, first, n))
		return false;
	if (first + n > in->file_pages)
		return wrong(in, "cut off");
	const struct page *p = (const void *)(in->map + first * in->page_size);
	if (p->number != first)
		return wrong(in, "a page in a wrong place");
	*ret = p;
	return true;
}

/* Their numbers, behind how many they are, from the highest to the lowest. */
static bool free_list(struct inspection *in, const char *p, size_t size)
{
	size_t n, number, before = NO_PAGE;
	if (size < sizeof(n))
		return wrong(in, "a short list of free pages");
	memcpy(&n, p, sizeof(n));
	if (n > size / sizeof(n) - 1)
		return wrong(in, "a short list of free pages");
	for (size_t i = 1; i <= n; i++) {
		memcpy(&number, p + i * sizeof(n), sizeof(n));
		if (number >= before)
			return wrong(in, "free pages out of order");
		if (!take(in, number, 1))
			return false;
		before = number;
	}
	return true;
}

static bool entry(struct inspection *in, const struct node *n, const char *key)
{
	const char *value = key + n->key_size;
	const struct page *big;
	size_t first, transaction, need = (sizeof(*big) - 1 + n->size) / in->page_size + 1;
	in->found.entries++;
	if (n->flags == BIG) {
		memcpy(&first, value, sizeof(first));
		if (first >= in->file_pages)
			return wrong(in, "cut off");
		big = (const void *)(in->map + first * in->page_size);
		size_t count = big->count;
		if (count < need || big->flags != OVERFLOW)
			return wrong(in, "a damaged overflow page");
		if (!take_used(in, first, count, &big))
			return false;
		in->found.overflows += count;
		value = (const char *)(big + 1);
	}
	if (!in->free_pages)
		return true;
	if (n->key_size != sizeof(transaction))
		return wrong(in, "a damaged key of free pages");
	memcpy(&transaction, key, sizeof(transaction));
	return transaction <= in->transaction ? free_list(in, value, n->size)
					      : wrong(in, "free pages of the future");
}

/* A node lies within its page, and its size there, rounded as LMDB does, is *ret. */
static bool measure(struct inspection *in, const struct page *p, size_t at, size_t *ret)
{
	struct node n;
	if (at % 2 != 0 || at < p->upper || at + sizeof(n) > in->page_size)
		return wrong(in, "a node out of place");
	memcpy(&n, (const char *)p + at, sizeof(n));
	size_t size = sizeof(n) + n.key_size;
	if (p->flags == LEAF && (n.key_size == 0 || n.flags & ~BIG))
		return wrong(in, "a damaged node");
	if (p->flags == LEAF)
		size += n.flags == BIG ? sizeof(size_t) : n.size;
	size += size % 2;
	if (n.key_size > MAX_KEY || size > in->page_size - at)
		return wrong(in, "a damaged node");
	*ret = size;
	return true;
}

/* The nodes fill their end of the page without gap or overlap, in whatever order. */
static bool layout(struct inspection *in, const struct page *p)
{
	const uint16_t *at = (const void *)(p + 1);
	if (p->lower <= sizeof(*p) || p->lower % 2 || p->upper < p->lower || p->upper % 2 ||
	    p->upper > in->page_size)
		return wrong(in, "a damaged page header");
	size_t size, n = (p->lower - sizeof(*p)) / 2, met = 0;
	memset(in->node_at, 0, in->page_size);
	for (size_t i = 0; i < n; i++) {
		if (!measure(in, p, at[i], &size))
			return false;
		in->node_at[at[i] / 2] = (uint16_t)size;
	}
	size_t end = p->upper;
	for (; end < in->page_size && in->node_at[end / 2]; met++)
		end += in->node_at[end / 2];
	return met == n && end == in->page_size ? true : wrong(in, "nodes that overlap");
}

static bool walk(struct inspection *in, size_t number, unsigned depth)
{
	const struct page *p;
	if (!take_used(in, number, 1, &p))
		return false;
	/* All leaves are at the same depth, so the kind of a page is known. */
	if (p->flags != (depth == 1 ? LEAF : BRANCH))
		return wrong(in, "a page of a wrong kind");
	if (!layout(in, p))
		return false;
	*(depth == 1 ? &in->found.leaves : &in->found.branches) += 1;
	const uint16_t *at = (const void *)(p + 1);
	for (size_t i = 0; i < (p->lower - sizeof(*p)) / 2u; i++) {
		struct node n;
		const char *node = (const char *)p + at[i];
		memcpy(&n, node, sizeof(n));
		size_t below = n.size;
		if (sizeof(below) > sizeof(n.size))
			below |= (size_t)((uint64_t)n.flags << 32);
		if (depth == 1 ? !entry(in, &n, node + sizeof(n)) : !walk(in, below, depth - 1))
			return false;
	}
	return true;
}

static bool check_tree(struct inspection *in, const struct tree *t, uint16_t kind)
{
	in->found = (struct tree){ .depth = t->depth, .root = t->root };
	if ((t->flags & KINDS) != kind || t->depth > MAX_DEPTH ||
	    (t->depth == 0) != (t->root == NO_PAGE))
		return wrong(in, "a damaged meta page");
	if (t->depth > 0 && !walk(in, t->root, t->depth))
		return false;
	const struct tree *f = &in->found;
	return f->branches == t->branches && f->leaves == t->leaves &&
			       f->overflows == t->overflows && f->entries == t->entries
		       ? true
		       : wrong(in, "a tree of another size than its meta page says");
}

static const struct meta *meta_of(struct inspection *in, size_t number)
{
	const struct page *p = (const void *)(in->map + number * in->page_size);
	const struct meta *m = (const void *)(p + 1);
	bool good = (p->flags & META) && m->magic == MAGIC && m->version == 1 &&
		    m->trees[FREE].pad == in->page_size;
	return good ? m : NULL;
}

static void check_file(void *ctx)
{
	struct inspection *in = ctx;
	const struct meta *a = meta_of(in, 0), *b = meta_of(in, 1);
	if (!a || !b) {
		wrong(in, "a damaged meta page, or another version");
		return;
	}
	/* The newer one counts; LMDB takes the first of two that are alike. */
	const struct meta *m = a->transaction < b->transaction ? b : a;
	in->transaction = m->transaction;
	if (m->last_page < 1 || m->last_page > in->file_pages + MAX_TAIL) {
		wrong(in, "cut off");
		return;
	}
	in->pages = m->last_page + 1;
	in->seen = calloc(in->pages / 8 + 1, 1);
	if (!in->seen) {
		wrong(in, "out of memory");
		return;
	}
	in->free_pages = true;
	if (!check_tree(in, &m->trees[FREE], INTEGERKEY))
		return;
	in->free_pages = false;
	check_tree(in, &m->trees[DATA], 0);
}

const char *inspect_file(int fd)
{
	struct stat st;
	long page_size = sysconf(_SC_PAGESIZE);
	size_t unit = page_size > 0 && page_size < MAX_PAGE ? (size_t)page_size : MAX_PAGE;
	if (fstat(fd, &st) != 0 || st.st_size < (off_t)(2 * unit))
		return "cut off";
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	struct inspection *in = calloc(1, sizeof(*in));
	const char *found = "cannot be mapped";
	if (in && map != MAP_FAILED) {
		in->map = map;
		in->page_size = unit;
		in->file_pages = (size_t)st.st_size / unit;
		found = fault_guard(check_file, in) ? in->wrong : "cut off while it was looked at";
	}
	if (map != MAP_FAILED)
		munmap(map, (size_t)st.st_size);
	if (in)
		free(in->seen);
	free(in);
	return found;
}
