/* SPDX-License-Identifier: ISC */
/*
 * Is every page of an LMDB file what its place in the file says? LMDB trusts the lengths and
 * offsets in the pages; when it writes it does so with copies of them in allocated memory, where a
 * wrong one overwrites what lies behind. Reading such a file is harmless under fault_guard(), so
 * only who writes must know. It costs some milliseconds for each 10 MiB in use: done when the file
 * may have been touched by others, see store.c.
 *
 * Format: LMDB 0.9, data version 1, main database only, pages of this machine's size.
 */
#ifndef STORE_INSPECT_H
#define STORE_INSPECT_H

#include <stdbool.h>

/* NULL: sound. Else what is wrong with it, or why it cannot be read. The file must not change
 * meanwhile. */
const char *inspect_file(int fd);

#endif
