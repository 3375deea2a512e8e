/* SPDX-License-Identifier: Apache-2.0 */
/* The acts of each unit of work, when it is known whose they are. */
#include <errno.h>
#include <stdlib.h>

#include "model/load.h"

#include "base/banned.h"

static const struct mh_model *sort_model; /* qsort has no context argument in C11 */

static int by_number(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare(const void *a, const void *b)
{
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    const struct mh_act *x = &sort_model->acts.v[i], *y = &sort_model->acts.v[k];
    int r = by_number(x->unit, y->unit);

    r = r ? r : by_number((uint64_t)x->at, (uint64_t)y->at);
    return r ? r : by_number(i, k);
}

/* Is there such a file? A no is an answer: import systems ask it all the time. */
static bool is_question(const struct mh_op_seen *o)
{
    return !o->fault && o->kind == MH_OP_open && (o->err == ENOENT || o->err == ENOTDIR);
}

int mh_units_list(struct mh_model *m)
{
    for (uint32_t i = 0; i < m->acts.n; i++) {
        uint32_t *slot = m->acts.v[i].unit ? mh_vec_add(&m->by_unit) : &(uint32_t){0};

        if (!slot)
            return -ENOMEM;
        *slot = i;
    }
    sort_model = m;
    if (m->by_unit.n)
        qsort(m->by_unit.v, m->by_unit.n, sizeof(uint32_t), compare);
    for (uint32_t i = 0; i < m->by_unit.n; i++) {
        const struct mh_act *a = &m->acts.v[m->by_unit.v[i]];
        struct mh_unit *u = &m->units.v[a->unit - 1];

        if (!u->nacts++)
            u->first_act = i;
        if (a->kind == MH_ACT_op) {
            u->touched |= !is_question(&m->ops.v[a->op]);
            u->faulted |= m->ops.v[a->op].fault != 0;
        }
    }
    return 0;
}
