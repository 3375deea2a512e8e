/* SPDX-License-Identifier: Apache-2.0 */
/* RESP commands; see resp.h. A command is an array of bulk strings:
 * "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n". */
#include "wire/resp.h"

#include <stdbool.h>
#include <string.h>

#include "base/banned.h"

enum { MAX_PARTS = 16, MAX_NAME = 18 };

struct cursor {
    const char *p, *end;
};

/* A line of `mark`, a number and CR LF. Returns the number, -1 when it is not there. */
static long head(struct cursor *c, char mark)
{
    long number = 0;
    int digits = 0;

    if (c->p == c->end || *c->p++ != mark)
        return -1;
    for (; c->p < c->end && *c->p >= '0' && *c->p <= '9' && digits < 9; c->p++, digits++)
        number = number * 10 + (*c->p - '0');
    if (!digits || c->end - c->p < 2 || c->p[0] != '\r' || c->p[1] != '\n')
        return -1;
    c->p += 2;
    return number;
}

/* The next bulk string; NULL when it is not whole in what we have. */
static const char *bulk(struct cursor *c, size_t *ret_n)
{
    long n = head(c, '$');
    const char *s = c->p;

    if (n < 0 || c->end - c->p < n + 2)
        return NULL;
    c->p += n + 2;
    *ret_n = (size_t)n;
    return s;
}

static bool is_word(const char *s, size_t n, const char *word)
{
    if (strlen(word) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((s[i] & ~0x20) != word[i])
            return false;
    return true;
}

static bool lives(const char *s, size_t n)
{
    return is_word(s, n, "EX") || is_word(s, n, "PX") || is_word(s, n, "EXAT") ||
           is_word(s, n, "PXAT");
}

size_t mh_resp_command(const void *bytes, size_t n, char ret[MH_RESP_TEXT])
{
    struct cursor c = {bytes, (const char *)bytes + n};
    long parts = head(&c, '*');
    size_t length = 0;
    const char *s;

    ret[0] = '\0';
    if (parts < 1 || !(s = bulk(&c, &n)) || !n || n > MAX_NAME)
        return 0;
    for (; length < n; length++) {
        char letter = s[length] & ~0x20;

        if (letter < 'A' || letter > 'Z') {
            ret[0] = '\0';
            return 0;
        }
        ret[length] = letter;
    }
    if (is_word(ret, length, "SET"))
        /* SET key value [NX] [GET] [EX seconds | PX milliseconds ...] */
        for (long i = 1; i < parts && i < MAX_PARTS && (s = bulk(&c, &n)); i++)
            if (i > 2 && lives(s, n)) {
                memcpy(ret + length, " EX", 3);
                length += 3;
                break;
            }
    ret[length] = '\0';
    return length;
}
