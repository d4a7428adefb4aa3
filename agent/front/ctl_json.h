/* SPDX-License-Identifier: ISC */
/* What is remembered as one JSON object (RFC 8259); the schema is in mxdirectctl(8). The only part that knows jansson. */
#ifndef FRONT_CTL_JSON_H
#define FRONT_CTL_JSON_H

#include "front/ctl_items.h"
#include "front/ctl_page.h"

/* Sets p->nomem, and prints nothing, without memory. */
void json_status(struct page *p, const struct items *items);

#endif
