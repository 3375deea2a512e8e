/* SPDX-License-Identifier: Apache-2.0 */
/* A line under construction: memory that grows and is used again, written by inline code, for what
 * is printed by the million. An allocation that fails is remembered, what is added after it
 * dropped. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/macros.h"

struct mh_put {
    char *data; /* no NUL at its end */
    size_t len, size;
    int error; /* 0 or -ENOMEM */
};

/* Room for n more bytes, at `data + len`. False: there is none, and `error` says so. */
bool mh_put_grow(struct mh_put *p, size_t n);
void mh_put_done(struct mh_put *p);

MH_INLINE bool mh_put_room(struct mh_put *p, size_t n)
{
    return MH_LIKELY(p->size - p->len >= n) || mh_put_grow(p, n);
}

MH_INLINE void mh_put_n(struct mh_put *p, const char *text, size_t n)
{
    if (!mh_put_room(p, n))
        return;
    memcpy(p->data + p->len, text, n);
    p->len += n;
}

MH_INLINE void mh_put_text(struct mh_put *p, const char *text)
{
    mh_put_n(p, text, strlen(text));
}

MH_INLINE void mh_put_char(struct mh_put *p, char c)
{
    if (mh_put_room(p, 1))
        p->data[p->len++] = c;
}

void mh_put_uint(struct mh_put *p, uint64_t value);
void mh_put_printf(struct mh_put *p, const char *format, ...) MH_PRINTF(2, 3);

MH_INLINE void mh_put_int(struct mh_put *p, int64_t value)
{
    if (value >= 0 && value < 10) {
        mh_put_char(p, (char)('0' + value));
        return;
    }
    if (value < 0)
        mh_put_char(p, '-');
    mh_put_uint(p, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* As a JSON string, quotes included, as jansson writes it with JSON_COMPACT. JSON is UTF-8, and
 * names on the wire and paths may hold any byte: of what is not UTF-8, what is not ASCII is `?`. */
void mh_put_json(struct mh_put *p, const char *text, size_t n);
