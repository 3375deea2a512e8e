/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded text buffer; see buf.h. */
#include "base/buf.h"

#include <string.h>

#include "base/banned.h"

void mh_buf_add_n(struct mh_buf *b, const void *bytes, size_t n)
{
    size_t room = b->size - b->len;

    if (n >= room) {
        b->cut = true;
        n = room ? room - 1 : 0;
    }
    memcpy(b->data + b->len, bytes, n);
    b->len += n;
    if (b->size)
        b->data[b->len] = '\0';
}

void mh_buf_add(struct mh_buf *b, const char *text)
{
    mh_buf_add_n(b, text, strlen(text));
}

void mh_buf_add_char(struct mh_buf *b, char c)
{
    mh_buf_add_n(b, &c, 1);
}

void mh_buf_add_uint(struct mh_buf *b, uint64_t value, unsigned base)
{
    char digits[65];
    size_t at = sizeof(digits);

    do
        digits[--at] = "0123456789abcdef"[value % base];
    while (value /= base);
    mh_buf_add_n(b, digits + at, sizeof(digits) - at);
}

void mh_buf_add_int(struct mh_buf *b, int64_t value)
{
    if (value < 0)
        mh_buf_add_char(b, '-');
    mh_buf_add_uint(b, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}
