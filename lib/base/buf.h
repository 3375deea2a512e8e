/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded text buffer over the caller's storage: no malloc, no stdio, so any context may use it.
 * Text that does not fit is cut and `cut` is set; the result always ends in NUL. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mh_buf {
    char *data;
    size_t size; /* bytes of storage, the NUL included */
    size_t len;  /* bytes of text */
    bool cut;
};

#define MH_BUF(name, bytes)                                                                        \
    char name##_storage[bytes] = "";                                                               \
    struct mh_buf name = {name##_storage, bytes, 0, false}

void mh_buf_add(struct mh_buf *b, const char *text);
void mh_buf_add_n(struct mh_buf *b, const void *bytes, size_t n);
void mh_buf_add_char(struct mh_buf *b, char c);
void mh_buf_add_int(struct mh_buf *b, int64_t value);
void mh_buf_add_uint(struct mh_buf *b, uint64_t value, unsigned base);
