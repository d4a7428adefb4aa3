/* SPDX-License-Identifier: ISC */
#include "harness.h"

#include "guard_page.h"
#include "wire/base64.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* RFC 4648 section 10, and the last two of the alphabet. */
static const struct {
	struct span bytes;
	const char *text;
} vectors[] = {
	{ SPAN(""), "" },
	{ SPAN("f"), "Zg==" },
	{ SPAN("fo"), "Zm8=" },
	{ SPAN("foo"), "Zm9v" },
	{ SPAN("foob"), "Zm9vYg==" },
	{ SPAN("fooba"), "Zm9vYmE=" },
	{ SPAN("foobar"), "Zm9vYmFy" },
	{ SPAN("\0user\0pass"), "AHVzZXIAcGFzcw==" },
	{ SPAN("\xfb\xff\xbf"), "+/+/" },
	{ SPAN("\0\0\0"), "AAAA" },
	{ SPAN("\xff\xff\xff"), "////" },
	{ SPAN("\xff"), "/w==" },
};

static void test_vectors(void)
{
	for (size_t i = 0; i < LEN(vectors); i++) {
		char there[32], back[32];
		struct buf text, bytes;
		buf_init(&text, there, sizeof(there));
		buf_init(&bytes, back, sizeof(back));
		base64_add(&text, vectors[i].bytes);
		CHECK_STR(vectors[i].text, buf_cstr(&text), vectors[i].text);
		CHECK(vectors[i].text, BASE64_SIZE(vectors[i].bytes.n) == text.len);
		CHECK(vectors[i].text, base64_read(span_of(vectors[i].text), &bytes));
		CHECK(vectors[i].text, span_equal(buf_view(&bytes), vectors[i].bytes));
	}
}

/* Every length and every byte, and not a byte of the text is read too many. */
static void test_round_trip(void)
{
	char bytes[300], there[BASE64_SIZE(300) + 1], back[301];
	struct guard_page page = guard_page_open(BASE64_SIZE(300));
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		struct buf text, got;
		struct span all = { bytes + sizeof(bytes) - n, n };
		buf_init(&text, there, sizeof(there));
		buf_init(&got, back, sizeof(back));
		base64_add(&text, all);
		CHECK("written", !text.overflow && text.len == BASE64_SIZE(n));
		CHECK("read", base64_read(guard_page_put(&page, buf_view(&text)), &got));
		CHECK("the same", span_equal(buf_view(&got), all));
	}
	guard_page_close(&page);
}

static void test_appends(void)
{
	char room[32];
	struct buf out;
	buf_init(&out, room, sizeof(room));
	buf_add(&out, SPAN("AUTH "));
	base64_add(&out, SPAN("fo"));
	CHECK_STR("written", buf_cstr(&out), "AUTH Zm8=");
	buf_reset(&out);
	buf_add(&out, SPAN("<"));
	CHECK("read", base64_read(SPAN("Zm8="), &out));
	CHECK_STR("read", buf_cstr(&out), "<fo");
}

static void test_not_base64(void)
{
	static const struct span bad[] = {
		SPAN("Z"),         SPAN("Zg"),        SPAN("Zm8"),
		SPAN("Zm9vY"),     SPAN("Zg="),       SPAN("="),
		SPAN("=="),        SPAN("==="),       SPAN("===="),
		SPAN("A==="),      SPAN("Zm9v===="),  SPAN("Zg==Zg=="),
		SPAN("Zm8=Zm9v"),  SPAN("Z=g="),      SPAN("=Zg="),
		SPAN("Zm=v"),      SPAN("Zh=="), /* bits that stand for nothing: RFC 4648
						    section 3.5 */
		SPAN("Zn=="),      SPAN("Zm9="),      SPAN("Zm/="),
		SPAN("Zm9v Zm9v"), SPAN("Zm9v\r\n"),  SPAN(" Zm9v"),
		SPAN("Zm9v Zg="),  SPAN("Zm9vZm9\n"), SPAN("Zm9_"),
		SPAN("Zm9-"),      SPAN("Zm9."),      SPAN("Zm9\0"),
		SPAN("\0\0\0\0"),  SPAN("Zm9\xc3"),   SPAN("\xff\xff\xff\xff"),
		SPAN("Username:"),
	};
	for (size_t i = 0; i < LEN(bad); i++) {
		char room[64];
		struct buf out;
		buf_init(&out, room, sizeof(room));
		buf_add(&out, SPAN("kept"));
		CHECK(bad[i].p, !base64_read(bad[i], &out));
		CHECK_STR(bad[i].p, buf_cstr(&out), "kept");
		CHECK(bad[i].p, !out.overflow);
	}
}

/* Whole or not at all. */
static void test_room(void)
{
	for (size_t size = 0; size <= 12; size++) {
		char room[12];
		struct buf out;
		buf_init(&out, room, size);
		base64_add(&out, SPAN("fooba"));
		CHECK("written", out.len == (size > 8 ? 8 : 0) && out.overflow == (size <= 8));
		buf_init(&out, room, size);
		CHECK("read", base64_read(SPAN("Zm9vYmE="), &out) == (size > 5));
		CHECK("read", out.len == (size > 5 ? 5 : 0) && !out.overflow);
	}
	char room[20];
	struct buf out;
	buf_init(&out, room, 4);
	buf_add(&out, SPAN("too long"));
	base64_add(&out, SPAN(""));
	CHECK("overflow stays", out.overflow && out.len == 0 && !base64_read(SPAN(""), &out));
}

TEST_MAIN("base64", { "vectors", test_vectors }, { "round trip", test_round_trip },
	  { "appends", test_appends }, { "not base64", test_not_base64 }, { "room", test_room })
