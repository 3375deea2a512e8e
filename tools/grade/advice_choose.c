/* SPDX-License-Identifier: Apache-2.0 */
/* Which advice fits the application: by the frames of the finding's stack, then by who was seen to
 * call that peer, then by what else the application has. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grade/document.h"
#include "model/site.h"

#include "base/banned.h"

struct mh_advice_seen {
    const struct mh_advice *advice;
    size_t words;          /* of 64 libraries each */
    struct mh_map files;   /* text of a file to its set */
    MH_VEC(uint64_t) sets; /* of libraries: whose file is it? */
    uint64_t *peers;       /* set of each: who called it */
    unsigned *stacks;      /* in how many each library was seen */
    struct mh_version *versions;
};

static bool has(const uint64_t *set, size_t library)
{
    return set[library / 64] >> library % 64 & 1;
}

size_t mh_advice_module(const char *module, size_t n, const char *path)
{
    for (size_t i = 0; i < n; i++)
        if (path[i] != (module[i] == '.' ? '/' : module[i]))
            return 0;
    return path[n] == '/' || path[n] == '.' ? n : 0;
}

/* The longest of the library's modules that the path lies in; 0: none. */
static size_t lies_in(const struct mh_advice_library *l, const char *path)
{
    size_t longest = 0;

    for (const char *p = l->text[MH_ADVICE_modules]; *p && !l->always; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");

        longest = MH_MAX(longest, mh_advice_module(p, n, path));
        p += n;
    }
    return longest;
}

static bool from_python(const struct mh_advice_library *l)
{
    const char *package = l->text[MH_ADVICE_package];

    return l->role == MH_ADVICE_stdlib || l->always || (package && !strcmp(package, "python"));
}

static void version_of_python(const struct mh_model *m, struct mh_version *ret)
{
    *ret = (struct mh_version){false};
    for (size_t i = 0; i < m->processes.n && !ret->known; i++) {
        uint32_t hex = m->processes.v[i].python;

        if (hex)
            *ret = (struct mh_version){true, {(int)(hex >> 24), (int)(hex >> 16 & 0xff)}};
    }
}

/* The set of a file's libraries; SIZE_MAX without memory. */
static size_t set_of_file(struct mh_advice_seen *seen, const struct mh_model *m, uint32_t file)
{
    const char *name = mh_model_text(m, file), *path = mh_package_path(name);
    uint32_t have = mh_map_get(&seen->files, file);
    size_t at = seen->sets.n;

    if (have != MH_MAP_NONE)
        return have;
    for (size_t i = 0; i < seen->words; i++)
        if (!mh_vec_add(&seen->sets))
            return SIZE_MAX;
    if (mh_map_set(&seen->files, file, (uint32_t)at))
        return SIZE_MAX;
    for (size_t i = 0; i < seen->advice->libraries.n; i++) {
        const struct mh_advice_library *l = &seen->advice->libraries.v[i];

        if (!*path || !lies_in(l, path))
            continue;
        seen->sets.v[at + i / 64] |= 1ull << i % 64;
        if (!seen->versions[i].known && !from_python(l))
            mh_version_installed(l, name, &seen->versions[i]);
    }
    return at;
}

static int see_stacks(struct mh_advice_seen *seen, const struct mh_model *m, uint64_t *stacks)
{
    for (size_t i = 0; i < m->stacks.n; i++) {
        const struct mh_stack *s = &m->stacks.v[i];
        uint64_t *set = stacks + i * seen->words;

        for (uint32_t k = 0; k < s->nframes; k++) {
            size_t at = set_of_file(seen, m, m->frames.v[s->frames + k].file);

            if (at == SIZE_MAX)
                return -ENOMEM;
            for (size_t w = 0; w < seen->words; w++)
                set[w] |= seen->sets.v[at + w];
        }
        for (size_t k = 0; k < seen->advice->libraries.n; k++)
            seen->stacks[k] += has(set, k);
    }
    for (size_t i = 0; i < m->acts.n; i++) {
        const struct mh_act *a = &m->acts.v[i];

        for (size_t w = 0; a->peer && a->stack && w < seen->words; w++)
            seen->peers[(a->peer - 1) * seen->words + w] |=
                stacks[(a->stack - 1) * seen->words + w];
    }
    return 0;
}

int mh_advice_see(struct mh_grading *g)
{
    const struct mh_advice *advice = g->options->advice;
    const struct mh_model *m = g->m;
    struct mh_advice_seen *seen;
    uint64_t *stacks;
    size_t n = advice ? advice->libraries.n : 0;
    int r = -ENOMEM;

    if (!n)
        return 0;
    g->advice = seen = calloc(1, sizeof(*seen));
    if (!seen)
        return r;
    seen->advice = advice;
    seen->words = (n + 63) / 64;
    seen->peers = calloc(m->peers.n + 1, seen->words * sizeof(*seen->peers));
    seen->stacks = calloc(n, sizeof(*seen->stacks));
    seen->versions = calloc(n, sizeof(*seen->versions));
    stacks = calloc(m->stacks.n + 1, seen->words * sizeof(*stacks));
    for (size_t i = 0; seen->versions && i < n; i++)
        if (from_python(&advice->libraries.v[i]))
            version_of_python(m, &seen->versions[i]);
    if (seen->peers && seen->stacks && seen->versions && stacks)
        r = see_stacks(seen, m, stacks);
    free(stacks);
    return r;
}

void mh_advice_seen_free(struct mh_advice_seen *seen)
{
    if (!seen)
        return;
    mh_map_done(&seen->files);
    free(seen->sets.v);
    free(seen->peers);
    free(seen->stacks);
    free(seen->versions);
    free(seen);
}

/* Has this library advice for the rule, in the version that the application has? */
static const struct mh_advice_row *row_for(const struct mh_advice_seen *seen, size_t library,
                                           const char *rule)
{
    const struct mh_advice_library *l = &seen->advice->libraries.v[library];

    return mh_advice_for_version(l, &seen->versions[library]) ? mh_advice_row(l, rule) : NULL;
}

/* The library of a frame: of several the one whose module is named most closely. Rule NULL: any
 * that says what its exceptions are. */
static bool take_frame(const struct mh_grading *g, const struct mh_frame *f, const char *rule,
                       bool clients, struct mh_advice_choice *ret)
{
    const struct mh_advice_seen *seen = g->advice;
    const char *path = mh_package_path(mh_model_text(g->m, f->file));
    uint32_t at = mh_map_get(&seen->files, f->file);
    size_t longest = 0;

    for (size_t i = 0; at != MH_MAP_NONE && i < seen->advice->libraries.n; i++) {
        const struct mh_advice_library *l = &seen->advice->libraries.v[i];
        const struct mh_advice_row *row = rule ? row_for(seen, i, rule) : NULL;
        size_t n;

        if (!has(seen->sets.v + at, i) || (l->role == MH_ADVICE_client && !clients) ||
            (rule ? !row : !l->text[MH_ADVICE_error]))
            continue;
        n = lies_in(l, path);
        if (n <= longest)
            continue;
        longest = n;
        if (rule) {
            ret->library = l;
            ret->row = row;
        } else
            ret->client = l;
    }
    return longest > 0;
}

/* Clients on stacks that called the peer; the one seen most. */
static void take_peer(const struct mh_grading *g, uint32_t peer, const char *rule,
                      struct mh_advice_choice *ret)
{
    const struct mh_advice_seen *seen = g->advice;
    unsigned most = 0;

    for (size_t i = 0; peer && i < seen->advice->libraries.n; i++) {
        const struct mh_advice_library *l = &seen->advice->libraries.v[i];
        const struct mh_advice_row *row = rule ? row_for(seen, i, rule) : NULL;

        if (l->role != MH_ADVICE_client || !has(seen->peers + (peer - 1) * seen->words, i) ||
            (rule ? !row : !l->text[MH_ADVICE_error]) || seen->stacks[i] <= most)
            continue;
        most = seen->stacks[i];
        if (rule) {
            ret->library = l;
            ret->row = row;
        } else
            ret->client = l;
    }
}

/* Does one that was seen and has advice stand above this one, as FastAPI above Starlette? */
static bool covered(const struct mh_advice_seen *seen, size_t library, const char *rule)
{
    const char *name = seen->advice->libraries.v[library].text[MH_ADVICE_name];
    size_t n = strlen(name);

    for (size_t i = 0; i < seen->advice->libraries.n; i++) {
        const char *above = seen->advice->libraries.v[i].text[MH_ADVICE_above];

        if (!above || !seen->stacks[i] || !row_for(seen, i, rule))
            continue;
        for (const char *p = above; (p = strstr(p, name)); p += n)
            if ((p == above || p[-1] == ' ') && (!p[n] || p[n] == ' '))
                return true;
    }
    return false;
}

/* Whatever else the application has, the one seen most; failing all, what is always there. What
 * came with Python counts only where there is no stack: else it would be on it, and asyncio's way
 * is wrong in a thread. */
static void take_any(const struct mh_grading *g, const char *rule, bool stack,
                     struct mh_advice_choice *ret)
{
    const struct mh_advice_seen *seen = g->advice;
    unsigned most = 0, rank = 0;

    for (size_t i = 0; i < seen->advice->libraries.n; i++) {
        const struct mh_advice_library *l = &seen->advice->libraries.v[i];
        const struct mh_advice_row *row = row_for(seen, i, rule);
        unsigned of = l->always ? 1 : l->role == MH_ADVICE_stdlib ? 2 : 3;

        if (!row || (!l->always && !seen->stacks[i]) || l->role == MH_ADVICE_client || of < rank ||
            (of == 2 && stack) || (of == rank && seen->stacks[i] <= most) || covered(seen, i, rule))
            continue;
        rank = of;
        most = seen->stacks[i];
        ret->library = l;
        ret->row = row;
    }
}

void mh_advice_choose(const struct mh_grading *g, const struct mh_judgement *j,
                      struct mh_advice_choice *ret)
{
    uint32_t number = mh_document_stack(g, j), site = 0;
    const struct mh_stack *s = number ? &g->m->stacks.v[number - 1] : NULL;
    const struct mh_frame *frames = s ? &g->m->frames.v[s->frames] : NULL;
    const char *rule = j->rule->id;

    *ret = (struct mh_advice_choice){NULL};
    while (s && site < s->nframes && frames[site].kind != MH_FRAME_app)
        site++;
    if (site)
        ret->call = &frames[site - 1];
    if (!g->advice)
        return;
    for (uint32_t i = site; i-- > 0 && !take_frame(g, &frames[i], NULL, true, ret);)
        ;
    if (!ret->client)
        take_peer(g, j->peer, NULL, ret);
    for (uint32_t i = site; i-- > 0 && !take_frame(g, &frames[i], rule, true, ret);)
        ;
    if (!ret->row)
        take_peer(g, j->peer, rule, ret);
    for (uint32_t i = site; s && i < s->nframes && !ret->row; i++)
        take_frame(g, &frames[i], rule, false, ret);
    if (!ret->row)
        take_any(g, rule, s != NULL, ret);
}
