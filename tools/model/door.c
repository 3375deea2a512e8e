/* SPDX-License-Identifier: Apache-2.0 */
/* Where clients come in: when their connections were taken in, and when a limit kept them out, or
 * an allocation. */
#include <errno.h>

#include "base/macros.h"
#include "model/read.h"

#include "base/banned.h"

static const int64_t second = 1000000000;

/* In microseconds, of which 2^32 are more than an hour; never 0. */
static uint32_t now_us(const struct mh_intake *in)
{
    return (uint32_t)(in->record->at / 1000) | 1;
}

int mh_intake_taken_in(struct mh_intake *in, int64_t conn, int fd)
{
    struct mh_process *p = mh_intake_process(in);

    if (fd > 0 && (!p->door_fd || fd < p->door_fd))
        p->door_fd = fd;
    return mh_map_set(&in->accepted, (uint64_t)conn, now_us(in));
}

int mh_intake_stood(struct mh_intake *in, int64_t conn, int64_t *ret)
{
    uint32_t at = mh_map_get(&in->accepted, (uint64_t)conn);

    *ret = 0;
    if (at == MH_MAP_NONE || !at)
        return 0;
    *ret = (int64_t)(uint32_t)(now_us(in) - at) * 1000;
    return mh_map_set(&in->accepted, (uint64_t)conn, 0);
}

int mh_intake_refused(struct mh_intake *in, const struct mh_ev_op *e)
{
    struct mh_process *p = mh_intake_process(in);
    int64_t at = in->record->at + in->offset;

    if ((e->kind == MH_OP_malloc || e->kind == MH_OP_mmap) && e->fault && e->err) {
        p->refused_at = at;
        p->refused_native = mh_intake_number(&in->stacks, e->native);
    }
    if (e->kind == MH_OP_socket && !e->fault && (e->err == EMFILE || e->err == ENFILE)) {
        int64_t *slot = mh_vec_add(&in->m->spent);

        if (!slot)
            return -ENOMEM;
        *slot = at;
    }
    if (e->kind != MH_OP_accept || (e->err != EMFILE && e->err != ENFILE && e->err != ENOMEM))
        return 0;
    /* how many of them within one second, at most */
    if (!p->limit_rate || at - p->limit_from >= second) {
        p->limit_from = at;
        p->limit_now = 0;
    }
    p->limit_rate = MH_MAX(p->limit_rate, ++p->limit_now);
    p->limit_at = at;
    p->limit_err = (int)e->err;
    p->limit_stack = mh_intake_number(&in->stacks, e->stack);
    return 0;
}
