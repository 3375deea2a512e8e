/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of URLs to routes: what varies from request to request gets one name. By its looks here and
 * now; what only shows when all is read (slugs) by mh_routes_settle(). */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/macros.h"
#include "model/load.h"
#include "model/site.h"

#include "base/banned.h"

static bool all_digits(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isdigit((unsigned char)p[i]))
            return false;
    return n > 0;
}

/* "2026-11-25", "2026-11" */
static bool is_date(const char *p, size_t n)
{
    return (n == 10 || n == 7) && all_digits(p, 4) && p[4] == '-' && all_digits(p + 5, 2) &&
           (n == 7 || (p[7] == '-' && all_digits(p + 8, 2)));
}

/* A UUID, long hex, or letters and digits so mixed that no word of a language is like it. */
static bool is_id(const char *p, size_t n)
{
    size_t digits = 0, hex = 0, dashes = 0, turns = 0, upper = 0, lower = 0;

    for (size_t i = 0; i < n; i++) {
        bool digit = isdigit((unsigned char)p[i]) != 0;

        if (!digit && !isalpha((unsigned char)p[i]) && p[i] != '-' && p[i] != '_')
            return false;
        digits += digit;
        hex += isxdigit((unsigned char)p[i]) != 0;
        dashes += p[i] == '-';
        upper += isupper((unsigned char)p[i]) != 0;
        lower += islower((unsigned char)p[i]) != 0;
        turns += i && isalpha((unsigned char)p[i]) && isdigit((unsigned char)p[i - 1]);
    }
    return (n == 36 && dashes == 4 && hex == 32) || (n >= 16 && hex == n && digits) ||
           (n >= 8 && turns >= 2 && (digits >= 3 || (upper && lower)));
}

/* What a whole part stands for, NULL when it is a word. */
static const char *part_kind(const char *p, size_t n)
{
    if (all_digits(p, n))
        return "{n}";
    if (is_date(p, n))
        return "{date}";
    return is_id(p, n) ? "{id}" : NULL;
}

/* ".json" of "42.json": its length, 0 none. */
static size_t suffix_of(const char *p, size_t n)
{
    size_t k = 0;

    while (k < n && isalpha((unsigned char)p[n - 1 - k]))
        k++;
    return k && k <= 5 && k + 1 < n && p[n - 1 - k] == '.' ? k + 1 : 0;
}

/* How a part of a path is generalised. A number after a word ("sku-17", "u3") is one, too: names of
 * that kind are ids; but not a version ("v1"). */
static void part_template(const char *p, size_t n, struct mh_buf *b)
{
    const char *kind = part_kind(p, n);
    size_t suffix = kind ? 0 : suffix_of(p, n), tail = 0;

    if (suffix)
        kind = part_kind(p, n - suffix);
    while (!kind && tail < n && isdigit((unsigned char)p[n - 1 - tail]))
        tail++;
    if (kind) {
        mh_buf_add(b, kind);
        mh_buf_add_n(b, p + n - suffix, suffix);
    } else if (tail && tail < n && !(tail == 1 && p[n - 2] == 'v') && !(n == 2 && p[0] == 'v')) {
        mh_buf_add_n(b, p, n - tail);
        mh_buf_add(b, "{n}");
    } else {
        mh_buf_add_n(b, p, n);
    }
}

void mh_route_template(const char *path, size_t n, char *ret, size_t size)
{
    struct mh_buf b = {ret, size, 0, false};
    const char *end = path + n, *p = memchr(path, '/', n);

    if (!p)
        p = end;
    mh_buf_add_n(&b, path, (size_t)(p - path));
    while (p < end && *p != '?') {
        const char *stop = p + 1;

        mh_buf_add_char(&b, '/');
        while (stop < end && *stop != '/' && *stop != '?')
            stop++;
        part_template(p + 1, (size_t)(stop - p - 1), &b);
        p = stop;
    }
}

/* A last part that asks how the service is: probes are meant to turn 503. */
static bool is_probe(const char *route)
{
    static const char *const words[] = {"health",   "healthz",   "healthcheck", "ready",
                                        "readyz",   "readiness", "live",        "livez",
                                        "liveness", "metrics",   "ping",        "status"};
    const char *last = strrchr(route, '/');

    for (size_t i = 0; last && i < ARRAY_SIZE(words); i++)
        if (!strcasecmp(last + 1, words[i]))
            return true;
    return false;
}

int64_t mh_model_add_route(struct mh_model *m, const char *path, size_t n)
{
    char name[512] = "";
    uint64_t key;
    uint32_t have;
    int64_t text;
    struct mh_route *r;

    mh_route_template(path, n, name, sizeof(name));
    key = mh_hash_text(MH_HASH_START, name);
    have = mh_map_get(&m->route_keys, key);
    if (have != MH_MAP_NONE)
        return have;
    text = mh_texts_add(&m->texts, name, strlen(name));
    r = mh_vec_add(&m->routes);
    if (text < 0 || !r || mh_map_set(&m->route_keys, key, (uint32_t)m->routes.n))
        return -ENOMEM;
    r->name = (uint32_t)text;
    r->health = is_probe(name);
    return (int64_t)m->routes.n;
}

/* ---- slugs: words that vary ---- */

/* The first part of a path is a fixed word nearly always. */
enum { SLUGS = 20, FIRST_PART = 1 };

/* Routes that differ in one part only: "GET /posts/ * /comments". */
struct family {
    uint32_t members, units;
    uint32_t merged; /* route number of the family, 0 not yet */
};

struct families {
    MH_VEC(struct family) list;
    struct mh_map keys;
};

/* The i-th part of a route's path, without its slash; false when there is none. */
static bool part_at(const char *route, unsigned i, const char **ret, size_t *ret_n)
{
    const char *p = strchr(route, '/');

    while (p && i--)
        p = strchr(p + 1, '/');
    if (!p)
        return false;
    *ret = p + 1;
    *ret_n = strcspn(p + 1, "/");
    return *ret_n > 0;
}

static uint64_t family_key(const char *route, const char *part, size_t n)
{
    return mh_hash_text(mh_mix(mh_hash_bytes(MH_HASH_START, route, (size_t)(part - route))),
                        part + n);
}

/* Parts that are templates already say what they are. */
static bool may_be_slug(const char *part, size_t n)
{
    return !memchr(part, '{', n);
}

static int join(struct families *f, const struct mh_model *m, uint32_t route, uint32_t units)
{
    const char *name = mh_model_text(m, m->routes.v[route].name), *part;
    size_t n;

    for (unsigned i = FIRST_PART; part_at(name, i, &part, &n); i++) {
        uint64_t key = family_key(name, part, n);
        uint32_t have = mh_map_get(&f->keys, key);

        if (!may_be_slug(part, n))
            continue;
        if (have == MH_MAP_NONE) {
            have = (uint32_t)f->list.n;
            if (!mh_vec_add(&f->list) || mh_map_set(&f->keys, key, have))
                return -ENOMEM;
        }
        f->list.v[have].members++;
        f->list.v[have].units += units;
    }
    return 0;
}

/* Endpoints are few and asked often; slugs are many and most of them asked once or twice. */
static bool are_slugs(const struct family *f)
{
    return f->members >= SLUGS && f->units <= 2 * (uint64_t)f->members;
}

static int64_t merged_route(struct mh_model *m, struct family *f, const char *name,
                            const char *part, size_t n)
{
    char text[512];
    int64_t route;
    int len;

    if (f->merged)
        return f->merged;
    len = snprintf(text, sizeof(text), "%.*s{slug}%.200s", (int)MH_MIN((size_t)(part - name), 250),
                   name, part + n);
    route = mh_model_add_route(m, text, (size_t)MH_MIN(len, (int)sizeof(text) - 1));
    if (route > 0)
        f->merged = (uint32_t)route;
    return route;
}

/* The route that this one is part of, or itself, or -ENOMEM. Numbers from 1. */
static int64_t home_of(struct families *f, struct mh_model *m, uint32_t route)
{
    const char *name = mh_model_text(m, m->routes.v[route].name), *part;
    struct family *best = NULL;
    const char *best_part = NULL;
    size_t n, best_n = 0;

    for (unsigned i = FIRST_PART; part_at(name, i, &part, &n); i++) {
        uint32_t have =
            may_be_slug(part, n) ? mh_map_get(&f->keys, family_key(name, part, n)) : MH_MAP_NONE;

        if (have == MH_MAP_NONE || !are_slugs(&f->list.v[have]) ||
            (best && best->members >= f->list.v[have].members))
            continue;
        best = &f->list.v[have];
        best_part = part;
        best_n = n;
    }
    return best ? merged_route(m, best, name, best_part, best_n) : (int64_t)route + 1;
}

static int move_units(struct mh_model *m, struct families *f, const uint32_t *units, size_t n)
{
    uint32_t *home = calloc(n + 1, sizeof(*home));
    int r = home ? 0 : -ENOMEM;

    for (uint32_t i = 0; i < n && !r; i++) {
        int64_t to = units[i] ? home_of(f, m, i) : (int64_t)i + 1;

        home[i] = (uint32_t)to;
        r = to < 0 ? -ENOMEM : 0;
    }
    for (size_t i = 0; i < m->units.n && !r; i++)
        if (m->units.v[i].kind == MH_UNIT_request)
            m->units.v[i].route = home[m->units.v[i].route - 1];
    free(home);
    return r;
}

/* Routes that nobody belongs to any more are left out; numbers change. */
static int drop_empty(struct mh_model *m)
{
    uint32_t *to = calloc(m->routes.n + 1, sizeof(*to)), kept = 0;

    if (!to)
        return -ENOMEM;
    for (size_t i = 0; i < m->units.n; i++)
        to[m->units.v[i].route - 1] = 1;
    for (uint32_t i = 0; i < m->routes.n; i++)
        if (to[i]) {
            m->routes.v[kept] = m->routes.v[i];
            to[i] = ++kept;
        }
    for (size_t i = 0; i < m->units.n; i++)
        m->units.v[i].route = to[m->units.v[i].route - 1];
    m->routes.n = kept;
    mh_map_done(&m->route_keys);
    m->route_keys = (struct mh_map){0};
    free(to);
    return 0;
}

int mh_routes_settle(struct mh_model *m)
{
    struct families f = {0};
    size_t n = m->routes.n;
    uint32_t *units = calloc(n + 1, sizeof(*units));
    int r = units ? 0 : -ENOMEM;

    for (size_t i = 0; i < m->units.n && !r; i++)
        if (m->units.v[i].kind == MH_UNIT_request)
            units[m->units.v[i].route - 1]++;
    for (uint32_t i = 0; i < n && !r && n >= SLUGS; i++)
        if (units[i])
            r = join(&f, m, i, units[i]);
    if (!r && f.list.n)
        r = move_units(m, &f, units, n);
    if (!r && m->routes.n != n)
        r = drop_empty(m);
    free(units);
    free(f.list.v);
    mh_map_done(&f.keys);
    return r;
}
