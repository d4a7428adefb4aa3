/* SPDX-License-Identifier: ISC */
/* Single values between text and the field of a struct, for any struct that has a table of keys: struct config and struct route. */
#ifndef CORE_CONFIG_VALUE_H
#define CORE_CONFIG_VALUE_H

#include <stddef.h>

#include "core/config.h"

/* For the bounds of times. */
#define CONFIG_MS   ((uint64_t)1)
#define CONFIG_SEC  (1000 * CONFIG_MS)
#define CONFIG_MIN  (60 * CONFIG_SEC)
#define CONFIG_HOUR (60 * CONFIG_MIN)
#define CONFIG_DAY  (24 * CONFIG_HOUR)

/* The beginning of a row: name and place of a scalar, or of a list with its count. */
#define CONFIG_FIELD(type, key) .name = #key, .field = offsetof(type, key)
#define CONFIG_LIST(type, key)	CONFIG_FIELD(type, key), .list = true, .nfield = offsetof(type, n##key)

/* NULL: no row has that name. */
const struct config_key *config_value_key(const struct config_key *table, size_t nkeys, struct span name);

/* The defaults of the table, which must be right. Lists are left as they are: their values would need memory. */
void config_value_init(const struct config_key *table, size_t nkeys, void *object);

/* As config_set() says, with the row given. */
MUST_CHECK bool config_value_set(struct arena *a, const struct config_key *key, void *object, const char *const *value, size_t n,
				 struct error *err);

/* As config_text() says. */
const char *config_value_text(struct arena *a, const struct config_key *key, const void *object);

#endif
