/* SPDX-License-Identifier: Apache-2.0 */
/* From a sentence back to the format and the values that it was made of; see lang_match.h. */
#include "report/lang_match.h"

#include <ctype.h>
#include <string.h>

#include "base/macros.h"

#include "base/banned.h"

enum { NUMBER = 4 /* letters' worth */ };

enum kind { NONE, PERCENT, WHOLE, REAL, HEX, ANY };

struct hole {
    enum kind kind;
    int position;     /* of %2$s, from 1; 0 none */
    const char *name; /* after the brace; of the conversion: after its position */
    size_t n;
};

static enum kind kind_of(char conversion)
{
    switch (conversion) {
    case 'd':
    case 'u':
        return WHOLE;
    case 'x':
        return HEX;
    case 'f':
        return REAL;
    case 's':
    case 'c':
        return ANY;
    default:
        return NONE;
    }
}

static size_t conversion_at(const char *text, struct hole *ret)
{
    const char *p = text + 1, *dollar = p + strspn(p, "0123456789");

    if (*p == '%')
        return ret->kind = PERCENT, 2;
    if (*dollar == '$' && dollar > p) {
        for (; p < dollar; p++)
            ret->position = MH_MIN(ret->position * 10 + (*p - '0'), MH_LANG_HOLES + 1);
        p++;
    }
    ret->name = p;
    p += strspn(p, "-+#0123456789.*");
    p += strspn(p, "hlzjt");
    ret->kind = kind_of(*p);
    ret->n = (size_t)(p + 1 - ret->name);
    return ret->kind == NONE ? 0 : (size_t)(p + 1 - text);
}

/* The hole that begins there, and its length; 0: none. A lone % is one. */
static size_t hole_at(const char *text, struct hole *ret)
{
    *ret = (struct hole){.kind = NONE};
    if (*text == '%')
        return conversion_at(text, ret);
    if (*text != '{')
        return 0;
    ret->name = text + 1;
    ret->n = strspn(ret->name, "abcdefghijklmnopqrstuvwxyz_0123456789");
    if (!ret->n || ret->name[ret->n] != '}')
        return 0;
    ret->kind = ANY;
    return ret->n + 2;
}

static bool in_braces(const struct hole *h)
{
    return h->name[-1] == '{';
}

static bool same_name(const struct hole *a, const struct hole *b)
{
    return a->n == b->n && !memcmp(a->name, b->name, a->n);
}

/* Returns how many there are beside %%, or -1: too many. */
static int holes_of(const char *text, struct hole ret[MH_LANG_HOLES])
{
    struct hole h;
    int n = 0;

    for (size_t step; *text; text += MH_MAX(step, (size_t)1)) {
        step = hole_at(text, &h);
        if (h.kind == NONE || h.kind == PERCENT)
            continue;
        if (n == MH_LANG_HOLES)
            return -1;
        ret[n++] = h;
    }
    return n;
}

bool mh_lang_has_holes(const char *text)
{
    struct hole holes[MH_LANG_HOLES];

    return holes_of(text, holes) != 0 || strstr(text, "%%");
}

/* Which of the key's holes is this one of the translation? -1: none. `order`: of those without a
 * name or position. */
static int partner(const struct hole *keys, int n, const struct hole *h, int order)
{
    int i = h->position ? h->position - 1 : order;

    if (in_braces(h)) {
        for (i = 0; i < n; i++)
            if (in_braces(&keys[i]) && same_name(&keys[i], h))
                return i;
        return -1;
    }
    return i < n && !in_braces(&keys[i]) && same_name(&keys[i], h) ? i : -1;
}

bool mh_lang_same_holes(const char *key, const char *translation, bool exact)
{
    struct hole a[MH_LANG_HOLES], b[MH_LANG_HOLES];
    int n = holes_of(key, a), count = holes_of(translation, b), positions = 0, plain = 0;
    unsigned seen = 0;

    if (n < 0 || count < 0 || (exact && count != n))
        return false;
    for (int i = 0; i < count; i++) {
        int which = partner(a, n, &b[i], i);

        if (which < 0)
            return false;
        positions += b[i].position > 0;
        plain += !in_braces(&b[i]);
        seen |= 1u << which;
    }
    /* printf wants each of them, and positions for all or none */
    return (!exact || !plain || seen == (1u << n) - 1) && (!positions || positions == plain);
}

/* ---- matching ---- */

struct matcher {
    struct mh_lang_match *ret;
    int *steps;
};

static bool match(struct matcher *m, const char *key, const char *text);

/* Does it end a sentence, so that the value cannot go on? */
static bool is_end(const char *text, size_t n)
{
    return n >= 2 && text[n - 1] == ' ' && text[n - 2] == '.';
}

static bool match_value(struct matcher *m, const char *rest, const char *text, enum kind kind)
{
    static const char *const sets[] = {
        [WHOLE] = "-+0123456789", [REAL] = "-+.0123456789", [HEX] = "0123456789abcdef"};
    size_t most = kind == ANY ? strlen(text) : strspn(text, sets[kind]);
    int at = m->ret->n++;

    /* numbers are as long as can be, other values as short */
    for (size_t i = kind == ANY ? 0 : 1; i <= most; i++) {
        size_t n = kind == ANY ? i : most + 1 - i;

        if (kind == ANY && is_end(text, n))
            break;
        m->ret->spans[at] = (struct mh_lang_span){text, n};
        m->ret->n = at + 1;
        if (match(m, rest, text + n))
            return true;
    }
    m->ret->n = at;
    return false;
}

static bool match(struct matcher *m, const char *key, const char *text)
{
    while (*key) {
        struct hole h;
        size_t n = hole_at(key, &h);

        if (--*m->steps < 0)
            return false;
        if (h.kind != NONE && h.kind != PERCENT)
            return m->ret->n < MH_LANG_HOLES && match_value(m, key + n, text, h.kind);
        if (*key != *text)
            return false;
        key += h.kind == PERCENT ? 2 : 1;
        text++;
    }
    return !*text;
}

/* A number explains more than a value that may be anything. */
static void weigh(struct mh_lang_match *m)
{
    struct hole h;
    size_t n;

    m->literal = m->weight = 0;
    for (const char *key = m->key; *key; key += MH_MAX(n, (size_t)1)) {
        n = hole_at(key, &h);
        m->literal += !n && isalpha((unsigned char)*key);
        m->weight += h.kind == WHOLE || h.kind == REAL || h.kind == HEX ? NUMBER : 0;
    }
    m->weight += m->literal;
}

bool mh_lang_match(const char *key, const char *text, struct mh_lang_match *ret, int *steps)
{
    struct matcher m = {.ret = ret, .steps = steps};

    ret->key = key;
    ret->n = 0;
    if (!match(&m, key, text))
        return false;
    weigh(ret);
    return true;
}

const struct mh_lang_span *mh_lang_hole(const struct mh_lang_match *match, const char *translation,
                                        int *next, size_t *ret_n)
{
    struct hole keys[MH_LANG_HOLES], h;
    int n, which;

    *ret_n = 1;
    n = (int)hole_at(translation, &h);
    if (!n)
        return NULL;
    *ret_n = (size_t)n;
    if (h.kind == PERCENT)
        return NULL;
    which = partner(keys, holes_of(match->key, keys), &h, *next);
    ++*next;
    return which < 0 || which >= match->n ? NULL : &match->spans[which];
}
