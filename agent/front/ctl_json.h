/* SPDX-License-Identifier: ISC */
/* What is remembered as one JSON object (RFC 8259), and what other commands need to show theirs; the schema is in mxdirectctl(8). */
#ifndef FRONT_CTL_JSON_H
#define FRONT_CTL_JSON_H

#include <jansson.h>

#include "wire/records.h"
#include "front/ctl_items.h"
#include "front/ctl_page.h"

/* Sets p->nomem, and prints nothing, without memory. */
void json_status(struct page *p, const struct items *items);

/* Texts in the arena; NULL: there is none. */
const char *json_text(struct page *p, struct span s);
const char *json_time(struct page *p, int64_t when);
const char *json_code(struct page *p, struct esc code);
const char *json_ip(struct page *p, struct ip ip);

/* Builders return NULL without memory, and jansson passes that on: whatever is given a NULL fails and releases the rest. */
json_t *json_number(uint64_t n);		       /* 0: null */
json_t *json_strings(const char *const *s, size_t n);
bool json_add(json_t **list, json_t *item);	       /* false: *list is NULL from then on */
json_t *json_host(struct page *p, const struct record_host *r);

/* Prints it and releases it; NULL sets p->nomem, and nothing is printed. */
void json_print(struct page *p, json_t *root);

#endif
