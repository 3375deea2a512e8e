/* SPDX-License-Identifier: Apache-2.0 */
/* MH-0405: a GET fails that was answered well less than a minute ago, always alike: the last answer
 * could have been given again. An advice, not a fault. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
enum { FRESH_S = 60, REFUSED = 2 };

/* A good answer to a path. */
struct good {
    uint32_t path;
    int64_t ended;
};

struct answers {
    MH_VEC(struct good) list; /* by path, then by time */
};

static int compare_good(const void *a, const void *b)
{
    const struct good *x = a, *y = b;

    if (x->path != y->path)
        return x->path < y->path ? -1 : 1;
    return x->ended < y->ended ? -1 : x->ended > y->ended;
}

static int collect(const struct mh_grading *g, struct answers *ret)
{
    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        struct good *slot;

        if (u->command || u->open || u->how || u->status < 200 || u->status >= 300 || u->touched ||
            g->m->processes.v[u->process].baseline)
            continue;
        slot = mh_vec_add(&ret->list);
        if (!slot)
            return -ENOMEM;
        *slot = (struct good){u->path, u->ended};
    }
    if (ret->list.n)
        qsort(ret->list.v, ret->list.n, sizeof(*ret->list.v), compare_good);
    return 0;
}

/* How long ago the path was last answered well; -1: not before. */
static int64_t age(const struct answers *all, const struct mh_unit *u)
{
    struct good key = {u->path, u->begun};
    size_t low = 0, high = all->list.n;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (compare_good(&all->list.v[mid], &key) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low && all->list.v[low - 1].path == u->path ? u->begun - all->list.v[low - 1].ended : -1;
}

/* Is it always the same? Then the last one is as good as the next. */
static bool is_steady(const struct mh_grading *g, const struct mh_unit *u)
{
    uint32_t have = mh_map_get(&g->m->path_keys, u->path);
    const struct mh_path_seen *p = have == MH_MAP_NONE ? NULL : &g->m->paths.v[have];

    return p && p->bodies >= 2 && !p->flaky_body && !p->flaky_status && p->status >= 200 &&
           p->status < 300;
}

static double value(const struct mh_grading *g, const struct answers *all, const struct mh_trial *t)
{
    const struct mh_unit *u = mh_grading_unit(g, t->unit);
    int64_t ago;

    if (u->command || u->open || !t->error || !t->peer || t->write || t->walked ||
        g->m->routes.v[u->route - 1].health || strncmp(mh_model_text(g->m, u->path), "GET ", 4) ||
        !is_steady(g, u))
        return MH_NOT_MINE;
    ago = age(all, u);
    if (ago < 0 || ago > FRESH_S * second)
        return MH_NOT_MINE;
    if (t->outcome == MH_OUTCOME_absorbed && t->body == MH_BODY_same && !t->retry_ok &&
        !t->fallback)
        return 1;
    if (t->outcome == MH_OUTCOME_broke)
        return 0;
    return t->outcome == MH_OUTCOME_refused && u->status >= 500 ? REFUSED : MH_NOT_MINE;
}

static int file(struct mh_grading *g, const struct mh_tally *t)
{
    struct mh_judgement *j = t->fired ? mh_judge_tally(g, t, MH_SEVERITY_low)
                                      : mh_judge_file(g, MH_VERDICT_unclear, t->site, t->peer,
                                                      MH_SEVERITY_low, MH_CONFIDENCE_low);

    if (!j)
        return -ENOMEM;
    /* that nothing is better than the last value is a decision that may have been made */
    if (!t->fired) {
        mh_reason(j,
                  "%u were refused on purpose although the same path was answered less than a "
                  "minute before, and always alike: whether that answer would do is the author's "
                  "to say",
                  t->polite);
        return 0;
    }
    if (j->verdict == MH_VERDICT_pass)
        mh_reason(j, "%u of %u gave the last answer again", t->fired - t->failed - t->partial,
                  t->fired);
    else if (j->verdict != MH_VERDICT_unclear)
        mh_say_trials(g, j, t,
                      "failed although the same path was answered less than a minute before, and "
                      "always alike,");
    return 0;
}

int mh_judge_0405(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    struct answers all = {0};
    int r = collect(g, &all);

    for (uint32_t i = 0; i < g->trials.n && !r; i++) {
        double v = value(g, &all, &g->trials.v[i]);

        if (v == REFUSED) {
            struct mh_tally *t = mh_tally_of(&tallies, g->trials.v[i].site, g->trials.v[i].peer);

            if (t)
                t->polite++;
            r = t ? 0 : -ENOMEM;
        } else if (v >= 0 && !mh_tally_trial(g, &tallies, i, v))
            r = -ENOMEM;
    }
    for (size_t i = 0; i < tallies.list.n && !r; i++)
        r = file(g, &tallies.list.v[i]);
    if (!r && !tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no GET that was answered alike within the last minute met a failure of "
                          "a peer",
                          "[fault x] call = net.connect net.recv, error = ECONNREFUSED");
    mh_tallies_done(&tallies);
    free(all.list.v);
    return r;
}
