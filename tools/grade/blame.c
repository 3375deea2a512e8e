/* SPDX-License-Identifier: Apache-2.0 */
/* Of several failures in a unit that broke, which one broke it? Not the one whose exception was
 * stopped below the frame that another one's reached: the log file that was full, too, when the
 * traceback of the full disk was to be written. Nor one that never left the code that writes
 * records: that goes on. See judge.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "grade/judge.h"
#include "model/site.h"

#include "base/banned.h"

enum { MOST_SIBLINGS = 64 };

/* Of the frame that caught this exception: how far out it is on that stack; -1: it is not there. */
static int handler_on(const struct mh_model *m, const struct mh_trial *t, uint32_t stack)
{
    const struct mh_stack *s = stack ? &m->stacks.v[stack - 1] : NULL;

    for (uint32_t i = 0; s && i < s->nframes; i++) {
        const struct mh_frame *f = &m->frames.v[s->frames + i];

        if (f->function == t->handler.function && f->file == t->handler.file)
            return (int)i;
    }
    return -1;
}

static bool is_candidate(const struct mh_trial *t)
{
    return t->error && t->caught && t->outcome == MH_OUTCOME_broke;
}

/* Nothing was raised for it, though that would have been seen: it was late only, or the C library's
 * caller went on. */
static bool raised_nothing(const struct mh_trial *t)
{
    return !t->type_born && !t->timed_out && !t->blind && t->outcome == MH_OUTCOME_broke;
}

/* Went the exception of `other` further out than that of `t`, past the frame that stopped this? */
static bool went_further(const struct mh_model *m, const struct mh_trial *t,
                         const struct mh_trial *other)
{
    uint32_t stack = m->acts.v[m->ops.v[t->op].act].stack;
    int own = handler_on(m, t, stack);

    return own >= 0 && handler_on(m, other, stack) > own;
}

/* The package of the code that made the call, and of that which caught the exception, are one. */
static bool never_left(const struct mh_model *m, const struct mh_trial *t)
{
    uint32_t stack = m->acts.v[m->ops.v[t->op].act].stack;
    const struct mh_stack *s = stack ? &m->stacks.v[stack - 1] : NULL;
    char own[64], catcher[64];

    if (!s || !s->nframes)
        return false;
    mh_package_of(mh_model_text(m, m->frames.v[s->frames].file), own, sizeof(own));
    mh_package_of(mh_model_text(m, t->handler.file), catcher, sizeof(catcher));
    return *own && !strcmp(own, catcher);
}

int mh_blame(struct mh_grading *g)
{
    struct mh_map last = {0}; /* by unit: 1 + the last candidate */
    _cleanup_free_ uint32_t *before = calloc(g->trials.n + 1, sizeof(*before));
    int r = before ? 0 : -ENOMEM;

    for (uint32_t i = 0; i < g->trials.n && !r; i++) {
        struct mh_trial *t = &g->trials.v[i];
        uint32_t have = mh_map_get(&last, t->unit);

        if (!is_candidate(t))
            continue;
        before[i] = have == MH_MAP_NONE ? 0 : have;
        r = mh_map_set(&last, t->unit, i + 1);
    }
    for (uint32_t i = 0; i < g->trials.n && !r; i++) {
        struct mh_trial *t = &g->trials.v[i];
        bool silent = raised_nothing(t), candidate = is_candidate(t);
        uint32_t other = candidate || silent ? mh_map_get(&last, t->unit) : MH_MAP_NONE;

        if (other == MH_MAP_NONE)
            continue;
        if (silent || (mh_is_sink(g, t->peer, t->path) && never_left(g->m, t)))
            t->outcome = MH_OUTCOME_unknown;
        for (int n = 0; candidate && other && n < MOST_SIBLINGS; n++) {
            if (went_further(g->m, t, &g->trials.v[other - 1]))
                t->outcome = MH_OUTCOME_unknown;
            other = before[other - 1];
        }
    }
    mh_map_done(&last);
    return r;
}
