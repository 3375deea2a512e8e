/* SPDX-License-Identifier: Apache-2.0 */
/* Who began what: records of the recorder's lineage, taken in. An address of a task is another's
 * from its next record on. */
#include <errno.h>

#include "base/macros.h"
#include "model/read.h"

#include "base/banned.h"

int mh_intake_begun(struct mh_intake *in)
{
    struct mh_ev_begun e = mh_record_as(in->record, begun);
    struct mh_piece *p = mh_vec_add(&in->m->pieces);
    uint32_t number = (uint32_t)in->m->pieces.n;
    uint32_t unit = e.unit > 0 ? mh_map_get(&in->units, (uint64_t)e.unit) : MH_MAP_NONE;

    if (!p || mh_map_set(&in->pieces, (uint64_t)e.piece, number))
        return -ENOMEM;
    *p = (struct mh_piece){.at = mh_intake_time(e.begun_at) + in->offset,
                           .by_task = (uint64_t)e.by_task,
                           .by = (uint32_t)MH_MIN((uint64_t)e.by, UINT32_MAX),
                           .unit = unit == MH_MAP_NONE ? 0 : unit + 1,
                           .process = in->process,
                           .tid = (uint32_t)e.thread,
                           .kind = e.what >= MH_PIECE_task && e.what <= MH_PIECE_thread
                                       ? (enum mh_piece_kind)e.what
                                       : MH_PIECE_item};
    p->told = p->unit != 0;
    p->arrival = p->told && p->kind == MH_PIECE_task && !p->by && !p->by_task;
    if (e.task && mh_map_set(&in->piece_of_task, (uint64_t)e.task, number))
        return -ENOMEM;
    return 0;
}

int mh_intake_serves(struct mh_intake *in)
{
    struct mh_ev_serves e = mh_record_as(in->record, serves);

    return mh_map_set(&in->piece_of_thread, in->record->tid,
                      mh_intake_number(&in->pieces, e.piece));
}

uint32_t mh_intake_piece(const struct mh_intake *in, uint64_t task)
{
    uint32_t number = task ? mh_map_get(&in->piece_of_task, task)
                           : mh_map_get(&in->piece_of_thread, in->record->tid);

    return number == MH_MAP_NONE ? 0 : number;
}

/* Who began a piece is recorded after it: until here `by` is an id. */
void mh_intake_pieces_end(struct mh_intake *in)
{
    for (size_t i = in->first_piece; i < in->m->pieces.n; i++)
        in->m->pieces.v[i].by = mh_intake_number(&in->pieces, in->m->pieces.v[i].by);
}
