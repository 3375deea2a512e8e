/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor wrote of a run's end: signals, exit status, who listened. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/num.h"
#include "model/read.h"

#include "base/banned.h"

enum { MOST_LISTENERS = 64, MOST_STOPS = 16 };

static int on_child(struct mh_intake *in)
{
    struct mh_ev_child e = mh_record_as(in->record, child);
    int64_t command = mh_texts_add(&in->m->texts, in->record->tail, in->record->tail_len);

    if (command < 0)
        return -ENOMEM;
    in->m->child_status = e.signal ? 128 + (int)e.signal : (int)e.status;
    in->m->child_stopped = e.stopped != 0;
    in->m->child_never_ready = e.ready == 2 && !e.stopped;
    in->m->child_pid = (int)e.pid;
    in->m->child_command = (uint32_t)command;
    in->m->child_ended = e.ended_at > 0 ? mh_intake_time(e.ended_at) + in->offset : 0;
    return 0;
}

static int on_stop(struct mh_intake *in)
{
    struct mh_ev_stop e = mh_record_as(in->record, stop);
    struct mh_stop_seen *s = in->m->stops.n < MOST_STOPS ? mh_vec_add(&in->m->stops) : NULL;

    if (in->m->stops.n >= MOST_STOPS && !s)
        return 0;
    if (!s)
        return -ENOMEM;
    s->signal = (int)(e.signal & 0xff);
    s->at = mh_intake_time(e.sent_at) + in->offset;
    return 0;
}

static void add_holders(const struct mh_record *record, struct mh_listener_seen *l)
{
    size_t at = 0;

    while (at < record->tail_len && l->nholders < ARRAY_SIZE(l->holders)) {
        char word[16] = "";
        size_t n = 0;
        uint64_t pid;

        for (; at < record->tail_len && record->tail[at] != ' '; at++)
            if (n < sizeof(word) - 1)
                word[n++] = record->tail[at];
        at++;
        if (!mh_num_uint(word, &pid) && pid <= INT32_MAX)
            l->holders[l->nholders++] = (int)pid;
    }
}

static int on_listener(struct mh_intake *in)
{
    struct mh_ev_listener e = mh_record_as(in->record, listener);
    struct mh_listener_seen *l;

    in->m->looked_at = mh_intake_time(e.looked_at) + in->offset;
    if (e.port <= 0 || e.port > 65535 || in->m->listeners.n >= MOST_LISTENERS)
        return 0;
    l = mh_vec_add(&in->m->listeners);
    if (!l)
        return -ENOMEM;
    l->port = (int)e.port;
    l->waiting = (unsigned)(e.waiting & 0xffffff);
    l->at = in->m->looked_at;
    add_holders(in->record, l);
    return 0;
}

int mh_intake_ending(struct mh_intake *in)
{
    if (mh_intake_process(in)->baseline)
        return 0;
    switch (in->record->type) {
    case MH_EVENT_child:
        return on_child(in);
    case MH_EVENT_stop:
        return on_stop(in);
    default:
        return on_listener(in);
    }
}
