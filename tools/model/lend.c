/* SPDX-License-Identifier: Apache-2.0 */
/* The place of calls that no frame of the application stands behind, as of a connect in a task of
 * the library's own (the module that started its loop is none): the one from which the same unit
 * asks the same peer, or, where it asked nothing, others of its route do. With several, or where
 * only other routes ask (a queue's worker keeps results where one task publishes), it keeps its
 * own: guessing would file one place's failures under another. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/macros.h"
#include "model/load.h"

#include "base/banned.h"

enum { SEVERAL = UINT32_MAX - 1 };

struct places {
    struct mh_map of_unit, of_route;
    bool *own; /* by stack, 0 none: what it called is the application's asking */
};

/* Frames of event loops: what is called from there is not what started the loop. */
static bool is_loop(const struct mh_model *m, const struct mh_frame *f)
{
    static const struct {
        const char *file, *function;
    } loops[] = {
        {"/asyncio/base_events.py", "_run_once"},
        {"/asyncio/runners.py", "run"}, /* uvloop's own frames are not seen */
        {"/trio/_core/_run.py", "unrolled_run"},
    };
    const char *file = mh_model_text(m, f->file), *function = mh_model_text(m, f->function);
    const char *dot = strrchr(function, '.');
    size_t n = strlen(file);

    for (size_t i = 0; i < ARRAY_SIZE(loops); i++)
        if (n >= strlen(loops[i].file) && !strcmp(dot ? dot + 1 : function, loops[i].function) &&
            !strcmp(file + n - strlen(loops[i].file), loops[i].file))
            return true;
    return false;
}

/* The application asked, not what started the loop that its library's task runs on. */
static bool is_asked(const struct mh_model *m, const struct mh_stack *s)
{
    for (uint32_t i = 0; i < s->nframes; i++) {
        const struct mh_frame *f = &m->frames.v[s->frames + i];

        if (f->kind == MH_FRAME_app)
            return true;
        if (is_loop(m, f))
            return false;
    }
    return true;
}

static bool is_own(const struct mh_model *m, const struct places *p, const struct mh_act *a)
{
    return a->site && m->sites.v[a->site - 1].app && p->own[a->stack];
}

static uint64_t unit_peer(const struct mh_act *a)
{
    return mh_mix2(a->unit, a->peer);
}

static uint64_t route_peer(const struct mh_model *m, const struct mh_act *a)
{
    return mh_mix2(m->units.v[a->unit - 1].route, a->peer);
}

static int learn(struct mh_map *map, uint64_t key, uint32_t site)
{
    uint32_t have = mh_map_get(map, key);

    if (have == site || have == SEVERAL)
        return 0;
    return mh_map_set(map, key, have == MH_MAP_NONE ? site : SEVERAL);
}

static uint32_t place_of(const struct mh_model *m, const struct places *p, const struct mh_act *a)
{
    uint32_t site = mh_map_get(&p->of_unit, unit_peer(a));

    if (site == MH_MAP_NONE)
        site = mh_map_get(&p->of_route, route_peer(m, a));
    return site == MH_MAP_NONE || site == SEVERAL ? 0 : site;
}

static void lend(struct mh_model *m, struct mh_act *a, uint32_t site)
{
    if (a->kind == MH_ACT_attempt) {
        if (a->site)
            m->sites.v[a->site - 1].calls--;
        m->sites.v[site - 1].calls++;
    }
    a->site = site;
}

int mh_sites_lend(struct mh_model *m)
{
    struct places p = {.own = calloc(m->stacks.n + 1, sizeof(bool))};
    int r = p.own ? 0 : -ENOMEM;

    for (size_t i = 0; i <= m->stacks.n && !r; i++)
        p.own[i] = !i || is_asked(m, &m->stacks.v[i - 1]);
    for (size_t i = 0; i < m->acts.n && !r; i++) {
        const struct mh_act *a = &m->acts.v[i];

        if (!a->unit || !a->peer || !is_own(m, &p, a))
            continue;
        r = learn(&p.of_unit, unit_peer(a), a->site);
        if (!r)
            r = learn(&p.of_route, route_peer(m, a), a->site);
    }
    for (size_t i = 0; i < m->acts.n && !r; i++) {
        struct mh_act *a = &m->acts.v[i];
        bool waits = a->kind == MH_ACT_wait || a->kind == MH_ACT_waited;
        uint32_t site = a->unit && a->peer && !waits && !is_own(m, &p, a) ? place_of(m, &p, a) : 0;

        if (site)
            lend(m, a, site);
    }
    free(p.own);
    mh_map_done(&p.of_unit);
    mh_map_done(&p.of_route);
    return r;
}
