/* SPDX-License-Identifier: ISC */
#include "base/buf.h"

#include "guard_page.h"
#include "harness.h"

static void adds(void)
{
	char storage[32];
	struct buf b;
	buf_init(&b, storage, sizeof(storage));
	CHECK_STR("empty", buf_cstr(&b), "");
	CHECK("room", buf_room(&b) == 31);
	buf_add(&b, SPAN("RCPT"));
	buf_add(&b, (struct span){ NULL, 0 });
	buf_addc(&b, ' ');
	buf_addf(&b, "%s:<%d>", "TO", 42);
	CHECK_STR("text", buf_cstr(&b), "RCPT TO:<42>");
	CHECK("room", buf_room(&b) == 31 - 12);
	CHECK("view", buf_view(&b).n == 12 && buf_view(&b).p == storage);
	buf_addc(&b, '\0');
	CHECK("a NUL is a byte", buf_view(&b).n == 13);
	buf_reset(&b);
	CHECK_STR("reset", buf_cstr(&b), "");
	CHECK("reset", buf_room(&b) == 31);
}

/* Storage of every small size, with the guard right behind it. */
static void overflow_is_whole_and_sticky(void)
{
	struct guard_page g = guard_page_open(16);
	for (size_t size = 0; size < 8; size++) {
		for (int how = 0; how < 3; how++) {
			char *storage = g.map + g.room - size;
			struct buf b;
			buf_init(&b, storage, size);
			for (size_t i = 1; i < size; i++)
				buf_addc(&b, 'x');
			CHECK("fits", !b.overflow && buf_room(&b) == 0);
			if (how == 0)
				buf_addc(&b, 'y');
			else if (how == 1)
				buf_addf(&b, "%s", "yy");
			else
				buf_add(&b, SPAN("yyy"));
			CHECK("overflow", b.overflow);
			CHECK("dropped whole", buf_view(&b).n == (size ? size - 1 : 0));
			CHECK("text", strspn(buf_cstr(&b), "x") == buf_view(&b).n);
			CHECK("no y", !strchr(buf_cstr(&b), 'y'));
		}
	}
	guard_page_close(&g);

	char storage[8];
	struct buf b;
	buf_init(&b, storage, sizeof(storage));
	buf_add(&b, SPAN("ab"));
	buf_addf(&b, "%s", "cdefgh");
	buf_addc(&b, 'z');
	buf_addf(&b, "z");
	CHECK_STR("later ones are dropped too", buf_cstr(&b), "ab");
	CHECK("no room", buf_room(&b) == 0);
	buf_reset(&b);
	buf_addf(&b, "%s", "abcdefg");
	CHECK_STR("exact fit after reset", buf_cstr(&b), "abcdefg");
	CHECK("forgotten", !b.overflow);
}

TEST_MAIN("buf", { "adds", adds }, { "overflow is whole and sticky", overflow_is_whole_and_sticky })
