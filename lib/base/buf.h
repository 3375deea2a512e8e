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

/* A buffer of `bytes` in the frame of the caller; only its first byte is written to begin with. */
#define MH_BUF(name, bytes)                                                                        \
    char name##_storage[bytes];                                                                    \
    struct mh_buf name = mh_buf_over(name##_storage, bytes)

static inline struct mh_buf mh_buf_over(char *storage, size_t bytes)
{
    storage[0] = '\0';
    return (struct mh_buf){storage, bytes, 0, false};
}

void mh_buf_add(struct mh_buf *b, const char *text);
void mh_buf_add_n(struct mh_buf *b, const void *bytes, size_t n);
void mh_buf_add_char(struct mh_buf *b, char c);
void mh_buf_add_int(struct mh_buf *b, int64_t value);
void mh_buf_add_uint(struct mh_buf *b, uint64_t value, unsigned base);
