/* SPDX-License-Identifier: Apache-2.0 */
/* See skim.h. What belongs together is left out together: an answer with its request, the end of a
 * unit of work with its begin. */
#include "model/skim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

#include "base/banned.h"

static const int64_t second = 1000000000;

enum {
    BEFORE = 60, /* seconds kept before something that happened, and after it */
    AFTER = 180,
    DEFINED = 10000, /* records in which a recording defines what is in force, at most */
    LATER = 8,       /* of a later time when all went well so much less is kept than of the first */
    FIRST_CALLS = 64 /* of one stack, which are kept wherever they are */
};

/* ---- when something happened ---- */

static bool is_error(int64_t err)
{
    return err && err != EINPROGRESS && err != EAGAIN && err != EINTR && err != EALREADY;
}

static bool op_matters(const struct mh_record *r)
{
    struct mh_ev_op e = mh_record_as(r, op);
    bool network = e.kind == MH_OP_connect || e.kind == MH_OP_recv || e.kind == MH_OP_send ||
                   e.kind == MH_OP_getaddrinfo || e.kind == MH_OP_accept;

    return e.fault || (network && is_error(e.err));
}

static bool unit_matters(const struct mh_record *r, int64_t *from)
{
    struct mh_ev_unit_end e = mh_record_as(r, unit_end);

    if (e.begun_at > 0)
        *from = MH_MIN(*from, e.begun_at);
    return e.how || e.status >= 500 || e.latency_ns >= second;
}

static bool answer_matters(const struct mh_record *r, int64_t *from)
{
    struct mh_ev_response e = mh_record_as(r, response);

    *from -= mh_intake_time(e.latency_ns);
    return is_error(e.err) || e.status >= 400 || e.latency_ns >= second;
}

static bool connect_matters(const struct mh_record *r)
{
    struct mh_ev_connect e = mh_record_as(r, connect);

    return is_error(e.err) || e.wait_ns >= second;
}

static bool log_matters(const struct mh_record *r)
{
    struct mh_ev_log e = mh_record_as(r, log);

    return e.traceback || e.level >= MH_LEVEL_warning;
}

static bool dns_matters(const struct mh_record *r)
{
    struct mh_ev_dns e = mh_record_as(r, dns);

    return e.result || e.wait_ns >= second;
}

/* Did something happen? *from: when that began, as far as the record tells. */
static bool matters(const struct mh_record *r, int64_t *from)
{
    switch (r->type) {
    case MH_EVENT_outcome:
    case MH_EVENT_stop:
    case MH_EVENT_kernel_oom:
        return true;
    case MH_EVENT_op:
        return op_matters(r);
    case MH_EVENT_unit_end:
        return unit_matters(r, from);
    case MH_EVENT_response:
        return answer_matters(r, from);
    case MH_EVENT_connect:
        return connect_matters(r);
    case MH_EVENT_connected:
        return mh_record_as(r, connected).err != 0;
    case MH_EVENT_close:
        return mh_record_as(r, close).pending != 0;
    case MH_EVENT_waited:
        return mh_record_as(r, waited).ready == 0;
    case MH_EVENT_log:
        return log_matters(r);
    case MH_EVENT_dns:
        return dns_matters(r);
    default:
        return false;
    }
}

static int busy_add(struct mh_skim *s, int64_t from, int64_t to)
{
    struct mh_span_busy *last = s->busy.n ? &s->busy.v[s->busy.n - 1] : NULL;

    if (last && from <= last->to && to >= last->from) {
        last->from = MH_MIN(last->from, from);
        last->to = MH_MAX(last->to, to);
        return 0;
    }
    last = mh_vec_add(&s->busy);
    if (!last)
        return -ENOMEM;
    *last = (struct mh_span_busy){from, to};
    return 0;
}

/* While a phase with a fault is in force, it matters also what this did not hit. */
static int phase_add(struct mh_skim *s, const struct mh_record *r, int64_t origin)
{
    struct mh_ev_phase e = mh_record_as(r, phase);
    int64_t from = origin + mh_intake_time(e.start_ns);

    if (!origin || e.for_ns <= 0 || !memchr(r->tail, '\n', r->tail_len))
        return 0;
    return busy_add(s, from - BEFORE * second, from + mh_intake_time(e.for_ns) + AFTER * second);
}

/* The run's clock is told after its phases: they are looked at by themselves. */
static int phases_learn(struct mh_skim *s, const char *path)
{
    struct mh_reader *r = NULL;
    struct mh_record record;
    int64_t origin = 0, offset;
    int err = mh_reader_open(path, &r);

    if (err)
        return err;
    offset = mh_intake_offset(mh_reader_header(r));
    for (int i = 0; i < DEFINED && !origin && mh_reader_next(r, &record) > 0; i++)
        if (record.type == MH_EVENT_origin)
            origin = mh_intake_time(mh_record_as(&record, origin).origin_at) + offset;
    mh_reader_free(r);
    if (!origin || mh_reader_open(path, &r))
        return 0;
    for (int i = 0; i < DEFINED && !err && mh_reader_next(r, &record) > 0; i++)
        if (record.type == MH_EVENT_phase)
            err = phase_add(s, &record, origin);
    mh_reader_free(r);
    return err;
}

int mh_skim_learn(struct mh_skim *s, const char *path)
{
    struct mh_reader *r = NULL;
    struct mh_record record;
    int64_t offset;
    int err = phases_learn(s, path);

    if (!err)
        err = mh_reader_open(path, &r);
    if (err)
        return err == -ENOMEM ? err : 0;
    offset = mh_intake_offset(mh_reader_header(r));
    while (!err && mh_reader_next(r, &record) > 0) {
        int64_t from = record.at;

        /* of what is stopped, everything before it goes on as ever */
        if (matters(&record, &from))
            err = busy_add(s,
                           mh_intake_time(from) + offset -
                               (record.type == MH_EVENT_stop ? BEFORE / 10 : BEFORE) * second,
                           mh_intake_time(record.at) + offset + AFTER * second);
    }
    mh_reader_free(r);
    return err;
}

static int compare(const void *a, const void *b)
{
    return mh_compare_int64(&((const struct mh_span_busy *)a)->from,
                            &((const struct mh_span_busy *)b)->from);
}

void mh_skim_settle(struct mh_skim *s)
{
    size_t n = 0;

    if (s->busy.n)
        qsort(s->busy.v, s->busy.n, sizeof(*s->busy.v), compare);
    for (size_t i = 0; i < s->busy.n; i++) {
        if (n && s->busy.v[i].from <= s->busy.v[n - 1].to)
            s->busy.v[n - 1].to = MH_MAX(s->busy.v[n - 1].to, s->busy.v[i].to);
        else
            s->busy.v[n++] = s->busy.v[i];
    }
    s->busy.n = n;
}

void mh_skim_done(struct mh_skim *s)
{
    free(s->busy.v);
}

/* ---- what is left out ---- */

/* Goes all well at this time, and for so long that no more is kept of it? */
static bool is_dull(struct mh_skimming *f, int64_t at)
{
    const struct mh_span_busy *busy = f->s->busy.v;
    bool now;

    while (f->next < f->s->busy.n && busy[f->next].to < at)
        f->next++;
    now = f->next < f->s->busy.n && busy[f->next].from <= at;
    if (f->was_busy && !now)
        f->kept = f->s->edge - f->s->edge / LATER;
    f->was_busy = now;
    return !now && f->kept >= f->s->edge;
}

static void set(struct mh_skimming *f, struct mh_map *map, uint64_t key, uint32_t value)
{
    f->no_memory |= mh_map_set(map, key, value) != 0;
}

/* One more record of this stack: is there enough of it? */
static bool is_known(struct mh_skimming *f, int64_t stack, bool dull)
{
    uint32_t n = mh_map_get(&f->stacks, (uint64_t)stack);

    n = n == MH_MAP_NONE ? 0 : n;
    if (n < FIRST_CALLS)
        set(f, &f->stacks, (uint64_t)stack, n + 1);
    return dull && n >= FIRST_CALLS;
}

static bool request(struct mh_skimming *f, const struct mh_intake *in, bool dull)
{
    struct mh_ev_request e = mh_record_as(in->record, request);
    uint64_t conn = (uint64_t)e.conn;

    if (is_known(f, e.stack, dull)) {
        if (mh_map_get(&in->conns, conn) != MH_MAP_NONE)
            set(f, &f->conns, conn, 1);
        return true;
    }
    if (mh_map_get(&f->conns, conn) == 1)
        set(f, &f->conns, conn, 0);
    return false;
}

/* What comes on a connection after a request. */
static bool sequel(const struct mh_skimming *f, const struct mh_intake *in, int64_t conn, bool dull,
                   bool wait)
{
    uint32_t have = mh_map_get(&in->conns, (uint64_t)conn);
    const struct mh_conn *c = have == MH_MAP_NONE ? NULL : &in->m->conns.v[have];

    if (!c)
        return dull;
    if (mh_map_get(&f->conns, (uint64_t)conn) == 1)
        return true;
    return dull && wait && (!c->attempt || in->m->acts.v[c->attempt - 1].answered);
}

static bool unit_begin(struct mh_skimming *f, const struct mh_intake *in, bool dull, bool *routine)
{
    int64_t at = in->record->at + in->offset;

    if (mh_record_as(in->record, unit_begin).spoken == MH_SPOKEN_websocket) {
        *routine = false; /* it may last for as long as the process */
        return false;
    }
    if (dull) {
        f->from = f->from ? f->from : at;
        f->to = at;
    }
    return dull;
}

static bool unit_end(struct mh_skimming *f, const struct mh_intake *in, bool dull)
{
    struct mh_ev_unit_end e = mh_record_as(in->record, unit_end);
    int64_t begun = mh_intake_time(e.begun_at) + in->offset;

    if (mh_map_get(&in->units, (uint64_t)e.unit) != MH_MAP_NONE)
        return false;
    return dull || (f->from && begun >= f->from && begun <= f->to);
}

static bool decide(struct mh_skimming *f, const struct mh_intake *in, bool dull, bool *routine)
{
    const struct mh_record *r = in->record;

    *routine = true;
    switch (r->type) {
    case MH_EVENT_unit_begin:
        return unit_begin(f, in, dull, routine);
    case MH_EVENT_unit_end:
        return unit_end(f, in, dull);
    case MH_EVENT_begun:
        return dull;
    case MH_EVENT_connect:
        return is_known(f, mh_record_as(r, connect).stack, dull);
    case MH_EVENT_request:
        return request(f, in, dull);
    case MH_EVENT_connected:
        return sequel(f, in, mh_record_as(r, connected).conn, dull, false);
    case MH_EVENT_response:
        return sequel(f, in, mh_record_as(r, response).conn, dull, false);
    case MH_EVENT_wait:
        return sequel(f, in, mh_record_as(r, wait).conn, dull, true);
    case MH_EVENT_waited:
        return sequel(f, in, mh_record_as(r, waited).conn, dull, true);
    case MH_EVENT_close:
        return mh_map_get(&in->conns, (uint64_t)mh_record_as(r, close).conn) == MH_MAP_NONE && dull;
    case MH_EVENT_sleep:
        return is_known(f, mh_record_as(r, sleep).stack, dull);
    case MH_EVENT_file:
        return is_known(f, mh_record_as(r, file).stack, dull);
    case MH_EVENT_dns:
        return is_known(f, mh_record_as(r, dns).stack, dull);
    case MH_EVENT_log:
        return dull;
    default:
        *routine = false;
        return false;
    }
}

bool mh_skim_leaves_out(struct mh_skimming *f, const struct mh_intake *in)
{
    bool out, routine, dull;

    if (!f->s || !f->s->edge)
        return false;
    dull = is_dull(f, in->record->at + in->offset);
    out = decide(f, in, dull, &routine);
    f->kept += routine && !out && !f->was_busy;
    f->left_out += out;
    return out;
}

void mh_skimming_done(struct mh_skimming *f)
{
    mh_map_done(&f->conns);
    mh_map_done(&f->stacks);
}
