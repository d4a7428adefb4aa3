/* SPDX-License-Identifier: ISC */
/* For test_memory.c: this machine as a sender. */
#ifndef TESTS_MEMORY_SPF_H
#define TESTS_MEMORY_SPF_H

#include "memory_world.h"

static inline struct record_sender sender_of(const char *source, const char *domain,
					     const char *helo)
{
	return (struct record_sender){
		.source = at(source).ip,
		.domain = span_of(domain),
		.helo = span_of(helo),
		.ttl = 300,
		.result = SPAN("fail"),
		.mechanism = SPAN("-all (example.org)"),
		.why = SPAN("matches -all"),
	};
}

static inline bool knows_sender(struct memory *m, const char *source, const char *domain,
				const char *helo)
{
	const struct record_sender who = sender_of(source, domain, helo);
	struct record_sender r = { .ttl = 7 };
	bool knows = memory_sender(m, world.arena, &who, &r);
	CHECK("untouched", knows || r.ttl == 7);
	return knows;
}

static void senders(void)
{
	const struct record_sender w = sender_of("192.0.2.9", "Example.org", "mail.example.org");
	struct record_sender r;
	world_open();
	struct memory *m = open_memory(), *other = open_memory();
	CHECK("nothing yet", !knows_sender(m, "192.0.2.9", "example.org", "mail.example.org"));
	memory_keep_sender(m, &w);
	CHECK("another run", memory_sender(other, world.arena, &w, &r));
	memory_close(other);
	CHECK("in the arena", text_is(r.domain, "Example.org") && text_is(r.result, "fail"));
	CHECK("in the arena", text_is(r.mechanism, "-all (example.org)"));
	CHECK("in the arena", text_is(r.why, "matches -all") && ip_equal(r.source, w.source));
	CHECK("asked now", r.asked == START && r.ttl == 300);
	CHECK("no case", knows_sender(m, "192.0.2.9", "eXample.ORG", "MAIL.example.org"));
	CHECK("address", !knows_sender(m, "192.0.2.8", "example.org", "mail.example.org"));
	CHECK("family", !knows_sender(m, "[2001:db8::9]", "example.org", "mail.example.org"));
	CHECK("domain", !knows_sender(m, "192.0.2.9", "example.com", "mail.example.org"));
	CHECK("HELO", !knows_sender(m, "192.0.2.9", "example.org", "mail.example.com"));
	CHECK("address alone", !knows_sender(m, "192.0.2.9", "", ""));
	const struct record_sender alone = sender_of("192.0.2.9", "", "");
	memory_keep_sender(m, &alone);
	CHECK("address alone", knows_sender(m, "192.0.2.9", "", ""));
	memory_close(m);
	world_close();
}

static void senders_end(void)
{
	struct record_sender w = sender_of("192.0.2.9", "example.org", "mail.example.org");
	world_open();
	struct memory *m = open_memory();
	memory_keep_sender(m, &w);
	world.wall = START + 299;
	CHECK("its last second", knows_sender(m, "192.0.2.9", "example.org", "mail.example.org"));
	world.wall = START + 300;
	CHECK("past it", !knows_sender(m, "192.0.2.9", "example.org", "mail.example.org"));
	world.wall = START - 1;
	CHECK("from the future", !knows_sender(m, "192.0.2.9", "example.org", "mail.example.org"));
	w.result = SPAN("pass");
	memory_keep_sender(m, &w);
	CHECK("replaced", memory_sender(m, world.arena, &w, &w) && text_is(w.result, "pass"));
	w = sender_of("192.0.2.9", "example.net", "mail.example.org");
	w.ttl = 0;
	memory_keep_sender(m, &w);
	CHECK("not to be kept", !knows_sender(m, "192.0.2.9", "example.net", "mail.example.org"));
	w.ttl = 7 * DAY;
	memory_keep_sender(m, &w);
	world.wall = START - 1 + 7 * DAY - 1;
	CHECK("long", knows_sender(m, "192.0.2.9", "example.net", "mail.example.org"));
	memory_close(m);
	world_close();
}

/* What lies under its key and is not of it is nothing. */
static void senders_foreign(void)
{
	const struct record_sender who = sender_of("192.0.2.9", "example.org", "mail.example.org");
	struct record_sender other = who;
	char room[1000];
	struct buf key = new_key(), value;
	world_open();
	struct memory *m = open_memory(), *look = memory_open_to_look(&world.sv);
	record_sender_key(&who, &key);
	raw_put(&key, SPAN("\x01what is this"));
	CHECK("foreign", !knows_sender(m, "192.0.2.9", "example.org", "mail.example.org"));
	other.domain = SPAN("example.com");
	other.asked = START;
	buf_init(&value, room, sizeof(room));
	record_sender_write(&other, &value);
	raw_put(&key, buf_view(&value));
	CHECK("another's", !knows_sender(m, "192.0.2.9", "example.org", "mail.example.org"));
	memory_keep_sender(look, &who);
	CHECK("who only looks", !knows_sender(m, "192.0.2.9", "example.org", "mail.example.org"));
	memory_keep_sender(m, &who);
	CHECK("sees it", knows_sender(look, "192.0.2.9", "example.org", "mail.example.org"));
	memory_close(look);
	memory_close(m);
	world_close();
}

#endif
