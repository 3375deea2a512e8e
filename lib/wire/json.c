/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner for top-level keys; see json.h. */
#include "wire/json.h"

#include "base/hash.h"

#include "base/banned.h"

enum { BEFORE, PLAIN, STRING, ESCAPE, KEY, KEY_ESCAPE, AFTER, NOT_JSON };
enum { MAX_DEPTH = 1 << 20, MAX_KEYS = 65535 };

void mh_json_init(struct mh_json *j, uint64_t key)
{
    *j = (struct mh_json){.key = key};
}

/* The bytes that change something: outside of strings, and in them. */
enum { OUTSIDE = 1, INSIDE = 2 };
static const uint8_t matters[256] = {
    ['"'] = OUTSIDE | INSIDE, ['\\'] = INSIDE, ['{'] = OUTSIDE, ['}'] = OUTSIDE,
    ['['] = OUTSIDE,          [']'] = OUTSIDE, [','] = OUTSIDE,
};

/* How many bytes come before one that does. */
static inline size_t run_of(unsigned where, const unsigned char *p, size_t n)
{
    size_t run = 0;

    while (run < n && !(matters[p[run]] & where))
        run++;
    return run;
}

static inline bool is_space(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void end_key(struct mh_json *j)
{
    j->sum += mh_mix2(j->key, j->hash);
    if (j->nkeys < MAX_KEYS)
        j->nkeys++;
    j->want_key = false;
    j->state = PLAIN;
}

static void add_plain(struct mh_json *j, unsigned char c)
{
    switch (c) {
    case '"':
        j->state = j->depth == 1 && j->want_key ? KEY : STRING;
        j->hash = MH_HASH_START;
        break;
    case '{':
    case '[':
        if (++j->depth > MAX_DEPTH)
            j->state = NOT_JSON;
        break;
    case '}':
    case ']':
        if (!--j->depth)
            j->state = AFTER;
        break;
    case ',':
        if (j->depth == 1)
            j->want_key = true;
        break;
    default:
        break;
    }
}

static void add_text(struct mh_json *j, unsigned char c)
{
    bool key = j->state == KEY
    || j->state == KEY_ESCAPE;
    bool escaped = j->state == ESCAPE || j->state == KEY_ESCAPE;

    if (!escaped && c == '"') {
        if (key)
            end_key(j);
        else
            j->state = PLAIN;
        return;
    }
    if (key) {
        j->hash = mh_hash_bytes(j->hash, &c, 1);
        j->state = !escaped && c == '\\' ? KEY_ESCAPE : KEY;
    } else {
        j->state = !escaped && c == '\\' ? ESCAPE : STRING;
    }
}

void mh_json_add(struct mh_json *j, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;

    for (size_t i = 0; i < n && j->state != NOT_JSON; i++) {
        unsigned char c;

        if (j->state == PLAIN || j->state == STRING)
            i += run_of(j->state == PLAIN ? OUTSIDE : INSIDE, p + i, n - i);
        if (i == n)
            return;
        c = p[i];
        if (j->state == PLAIN) {
            add_plain(j, c);
        } else if (j->state != BEFORE && j->state != AFTER) {
            add_text(j, c);
        } else if (j->state == BEFORE && c == '{') {
            j->state = PLAIN;
            j->depth = 1;
            j->want_key = true;
        } else if (!is_space(c)) {
            j->state = NOT_JSON;
        }
    }
}

bool mh_json_keys(const struct mh_json *j, uint64_t *ret_keys, unsigned *ret_nkeys)
{
    uint64_t keys = mh_mix2(j->key, j->sum + j->nkeys);

    if (j->state != AFTER)
        return false;
    *ret_keys = keys ? keys : 1;
    *ret_nkeys = j->nkeys;
    return true;
}
