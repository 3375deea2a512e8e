/* SPDX-License-Identifier: Apache-2.0 */
/* Which threads run an event loop that more than one request depends on: what blocks such a thread
 * blocks them all. A loop that a thread makes for one request of its own harms nobody else. */
#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

enum { DEEP = 90 }; /* of a stack that is cut the end is not known */

bool mh_sent_by_loop(const struct mh_model *m, const struct mh_unit *u)
{
    const struct mh_stack *s = u->stack ? &m->stacks.v[u->stack - 1] : NULL;

    for (uint32_t i = 0; s && i < s->nframes; i++) {
        const char *file = mh_model_text(m, m->frames.v[s->frames + i].file);

        if (strstr(file, "/asyncio/") || strstr(file, "/trio/"))
            return true;
    }
    return false;
}

bool mh_on_greenlet(const struct mh_model *m, uint32_t process, uint32_t tid, uint32_t stack)
{
    const struct mh_stack *s = stack ? &m->stacks.v[stack - 1] : NULL;

    if (!s || s->nframes < 2 || s->nframes >= DEEP || (int64_t)tid != m->processes.v[process].pid)
        return false;
    for (uint32_t i = 0; i < s->nframes; i++) {
        const char *name = mh_model_text(m, m->frames.v[s->frames + i].function);

        /* the other one: a process that was forked from a thread */
        if (!strcmp(name, "<module>") || strstr(name, "_bootstrap"))
            return false;
    }
    return true;
}

bool mh_unit_on_greenlet(const struct mh_model *m, const struct mh_unit *u)
{
    return !u->command && !u->task && !mh_sent_by_loop(m, u) &&
           mh_on_greenlet(m, u->process, u->tid, u->stack);
}

/* Threads from which coroutines or greenlets answer requests. */
static int find_answering(const struct mh_model *m, struct mh_map *ret)
{
    for (size_t i = 0; i < m->units.n; i++) {
        const struct mh_unit *u = &m->units.v[i];

        if (!u->command && (u->task || mh_sent_by_loop(m, u) || mh_unit_on_greenlet(m, u)) &&
            mh_map_set(ret, mh_thread_key(u->process, u->tid), 1))
            return -ENOMEM;
    }
    return 0;
}

/* Threads whose coroutines work for one request, for another, and for the first again: a loop
 * beside those that serve, which several of them use. */
static int find_woven(const struct mh_model *m, struct mh_map *ret)
{
    struct mh_map last = {0}, seen = {0};
    int r = 0;

    for (size_t i = 0; i < m->acts.n && !r; i++) {
        const struct mh_act *a = &m->acts.v[i];
        uint64_t thread = mh_thread_key(a->process, a->tid);
        uint64_t here = mh_mix2(thread, a->unit);

        if (!a->task || !a->unit || a->ambiguous)
            continue;
        if (mh_map_get(&last, thread) != a->unit && mh_map_get(&seen, here) != MH_MAP_NONE)
            r = mh_map_set(ret, thread, 1);
        if (!r)
            r = mh_map_set(&last, thread, a->unit);
        if (!r)
            r = mh_map_set(&seen, here, 1);
    }
    mh_map_done(&last);
    mh_map_done(&seen);
    return r;
}

int mh_shared_loops(const struct mh_grading *g, struct mh_map *ret)
{
    int r = find_answering(g->m, ret);

    return r ? r : find_woven(g->m, ret);
}
