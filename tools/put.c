/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that grow; see put.h. */
#include "put.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/banned.h"

bool mh_put_grow(struct mh_put *p, size_t n)
{
    size_t size = MH_MAX(p->size * 2, p->len + n + 4096);
    char *data = p->error ? NULL : realloc(p->data, size);

    if (!data) {
        p->error = -ENOMEM;
        return false;
    }
    p->data = data;
    p->size = size;
    return true;
}

void mh_put_done(struct mh_put *p)
{
    free(p->data);
    *p = (struct mh_put){0};
}

void mh_put_uint(struct mh_put *p, uint64_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    char digits[20], *at = digits + sizeof(digits);

    for (; value >= 100; value /= 100) {
        at -= 2;
        memcpy(at, pairs + value % 100 * 2, 2);
    }
    if (value >= 10) {
        at -= 2;
        memcpy(at, pairs + value * 2, 2);
    } else {
        *--at = (char)('0' + value);
    }
    mh_put_n(p, at, (size_t)(digits + sizeof(digits) - at));
}

void mh_put_printf(struct mh_put *p, const char *format, ...)
{
    char text[128];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    mh_put_n(p, text, (size_t)MH_MIN(MH_MAX(n, 0), (int)sizeof(text) - 1));
}

/* A text with bytes past ASCII: jansson knows which of them are UTF-8. */
static void json_by_jansson(struct mh_put *p, const char *text, size_t n)
{
    json_t *value = json_stringn(text, n);
    size_t need;

    if (!value) {
        char *clean = strndup(text, n);

        for (char *c = clean; c && *c; c++)
            if ((unsigned char)*c >= 128)
                *c = '?';
        value = clean ? json_string(clean) : NULL;
        free(clean);
    }
    need = value ? json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) : 0;
    if (need && mh_put_room(p, need))
        p->len += json_dumpb(value, p->data + p->len, need, JSON_COMPACT | JSON_ENCODE_ANY);
    else
        p->error = -ENOMEM;
    json_decref(value);
}

/* What follows the backslash; 0: the character has no short way of being written. */
static char escape(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

void mh_put_json(struct mh_put *p, const char *text, size_t n)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out;

    if (n > SIZE_MAX / 8 || !mh_put_room(p, n * 6 + 2))
        return;
    out = p->data + p->len;
    *out++ = '"';
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c >= 128) {
            json_by_jansson(p, text, n); /* nothing of this try counts: `len` is as it was */
            return;
        }
        if (MH_LIKELY(c >= ' ' && c != '"' && c != '\\')) {
            *out++ = (char)c;
            continue;
        }
        *out++ = '\\';
        *out = escape(c);
        if (!*out) {
            memcpy(out, "u00", 3);
            out[3] = hex[c >> 4];
            out[4] = hex[c & 15];
            out += 4;
        }
        out++;
    }
    *out++ = '"';
    p->len = (size_t)(out - p->data);
}
