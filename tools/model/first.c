/* SPDX-License-Identifier: Apache-2.0 */
/* Whose is an attempt that one task began by a connect, and another one by the first request on
 * that connection? */
#include "model/read.h"

#include "base/banned.h"

enum { TAKEN_OVER_NS = 1000000000 };

static bool is_app_site(const struct mh_model *m, uint32_t site)
{
    return site && m->sites.v[site - 1].app;
}

/* Was this task begun in that one: does it work for it? */
static bool began(const struct mh_intake *in, uint64_t task, uint64_t begun)
{
    uint32_t piece = mh_map_get(&in->piece_of_task, begun);

    return piece != MH_MAP_NONE && in->m->pieces.v[piece - 1].by_task == task;
}

static uint32_t site_of(const struct mh_intake *in, int64_t stack)
{
    uint32_t number = mh_intake_number(&in->stacks, stack);

    return number ? in->m->stacks.v[number - 1].site : 0;
}

/* The first request on a connection comes from another task than the connect did. */
static bool is_anothers(const struct mh_intake *in, const struct mh_act *a,
                        const struct mh_ev_request *e)
{
    return a->from_connect && a->task && e->task && a->task != (uint64_t)e->task &&
           is_app_site(in->m, site_of(in, e->stack));
}

bool mh_intake_was_left(const struct mh_intake *in, const struct mh_act *a,
                        const struct mh_ev_request *e)
{
    return is_anothers(in, a, e) && is_app_site(in->m, a->site) &&
           !began(in, (uint64_t)e->task, a->task);
}

void mh_intake_take_over(struct mh_intake *in, struct mh_act *a, const struct mh_ev_request *e)
{
    struct mh_model *m = in->m;
    struct mh_conn *c = mh_intake_conn(in, e->conn);
    uint32_t site = site_of(in, e->stack);

    if (!is_anothers(in, a, e) || in->record->at + in->offset - a->until > TAKEN_OVER_NS)
        return;
    if (a->site)
        m->sites.v[a->site - 1].calls--;
    m->sites.v[site - 1].calls++;
    a->task = (uint64_t)e->task;
    a->piece = mh_intake_piece(in, a->task);
    a->site = site;
    a->stack = mh_intake_number(&in->stacks, e->stack);
    if (c) {
        c->site = site;
        c->stack = a->stack;
    }
}
