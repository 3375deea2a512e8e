/* SPDX-License-Identifier: Apache-2.0 */
/* Sleeps, and timers of event loops: what a coroutine asked to wait, as far as its loop's waits
 * tell; waits for locks; the time of day that was set. */
#include <errno.h>

#include "base/macros.h"
#include "model/read.h"

#include "base/banned.h"

enum { SOON_NS = 20000000 }; /* from a timer to what the coroutine does then */

static int timer(struct mh_intake *in, const struct mh_ev_sleep *e)
{
    struct mh_timer *t = mh_vec_add(&in->m->timers);
    int64_t now = in->record->at + in->offset;

    if (!t)
        return -ENOMEM;
    *t = (struct mh_timer){in->process, in->record->tid,
                           now - mh_intake_time(e->waited_ns) + mh_intake_time(e->requested_ns)};
    return 0;
}

int mh_intake_sleep(struct mh_intake *in)
{
    struct mh_ev_sleep e = mh_record_as(in->record, sleep);
    struct mh_act *a;

    if (e.waited_ns > 0)
        return timer(in, &e);
    a = mh_intake_act(in, MH_ACT_sleep, e.stack, e.task, e.unit);
    if (!a)
        return -ENOMEM;
    a->requested = mh_intake_time(e.requested_ns);
    return 0;
}

/* The first timer of this process that is due after `at`. */
static size_t first_after(const struct mh_model *m, uint32_t process, int64_t at)
{
    size_t low = 0, high = m->timers.n;

    while (low < high) {
        size_t mid = (low + high) / 2;
        const struct mh_timer *t = &m->timers.v[mid];

        if (t->process < process || (t->process == process && t->due <= at))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

int64_t mh_model_timer(const struct mh_model *m, const struct mh_act *a, int64_t from)
{
    int64_t least = MH_MAX(from, a->at - SOON_NS);

    for (size_t i = first_after(m, a->process, a->at); i-- > 0;) {
        const struct mh_timer *t = &m->timers.v[i];

        if (t->process != a->process || t->due < least)
            break;
        if (t->tid == a->tid)
            return t->due;
    }
    return 0;
}

/* What a process inherits is told again, and moves nothing. */
int mh_intake_clock(struct mh_intake *in)
{
    struct mh_ev_clock e = mh_record_as(in->record, clock);
    struct mh_clock_seen *before = in->m->clocks.n ? &in->m->clocks.v[in->m->clocks.n - 1] : NULL;
    int64_t ahead = e.ahead < 0 ? -mh_intake_time(-(e.ahead + 1)) - 1 : mh_intake_time(e.ahead);
    int64_t was = before && before->process == in->process ? before->ahead : 0;
    struct mh_clock_seen *c = ahead == was ? NULL : mh_vec_add(&in->m->clocks);

    if (ahead == was)
        return 0;
    if (!c)
        return -ENOMEM;
    *c = (struct mh_clock_seen){.process = in->process,
                                .read_at = in->record->at + in->offset,
                                .at = mh_intake_time(e.set_at) + in->offset,
                                .ahead = ahead,
                                .step = ahead - was};
    return 0;
}

int mh_intake_locked(struct mh_intake *in)
{
    struct mh_ev_locked e = mh_record_as(in->record, locked);
    struct mh_locked *l = mh_vec_add(&in->m->locked);

    if (!l)
        return -ENOMEM;
    *l = (struct mh_locked){.process = in->process,
                            .tid = in->record->tid,
                            .by = (uint32_t)e.by,
                            .stack = mh_intake_number(&in->stacks, e.stack),
                            .until = in->record->at + in->offset,
                            .limited = e.limited != 0,
                            .got = e.got != 0};
    l->at = l->until - mh_intake_time(e.waited_ns);
    l->site = l->stack ? in->m->stacks.v[l->stack - 1].site : 0;
    return 0;
}
