/* SPDX-License-Identifier: Apache-2.0 */
/* Records about client connections turned into attempts, waits and operations; see read.h.
 * An attempt is one connect, or the first send of a request on a connection that was open before.
 */
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/macros.h"
#include "model/read.h"
#include "model/site.h"

#include "base/banned.h"

enum { SIDE_CLIENT = 1, SIDE_SERVER = 2, TAKEN_OVER_NS = 1000000000, AT_ONCE_NS = 1000000 };

static void peer_hint(struct mh_model *m, uint32_t peer, uint32_t stack)
{
    struct mh_peer_seen *p = peer ? &m->peers.v[peer - 1] : NULL;
    const struct mh_stack *s = stack ? &m->stacks.v[stack - 1] : NULL;

    if (!p || !s || p->role_given || p->role != MH_ROLE_other)
        return;
    for (uint32_t i = 0; i < s->nframes; i++) {
        const char *file = mh_model_text(m, m->frames.v[s->frames + i].file);
        char package[64];
        enum mh_role role;

        if (m->frames.v[s->frames + i].kind == MH_FRAME_app)
            break;
        mh_package_of(file, package, sizeof(package));
        role = mh_role_of_library(package);
        if (role != MH_ROLE_other && (role != MH_ROLE_http || p->role == MH_ROLE_other))
            p->role = role;
    }
}

static struct mh_act *attempt_of(struct mh_intake *in, const struct mh_conn *c)
{
    return c && c->attempt ? &in->m->acts.v[c->attempt - 1] : NULL;
}

/* Starts an attempt on a connection. */
static struct mh_act *attempt_add(struct mh_intake *in, int64_t conn, int64_t peer, int64_t stack,
                                  int64_t task, int64_t unit)
{
    struct mh_act *a = mh_intake_act(in, MH_ACT_attempt, stack, task, unit);
    struct mh_conn *c = mh_intake_conn(in, conn);
    struct mh_peer_seen *p;

    if (!a)
        return NULL;
    a->peer = mh_intake_number(&in->peers, peer);
    a->attempt.family_id = (int32_t)peer;
    p = a->peer ? &in->m->peers.v[a->peer - 1] : NULL;
    if (p)
        p->calls++;
    peer_hint(in->m, a->peer, a->stack);
    if (a->site)
        in->m->sites.v[a->site - 1].calls++;
    if (c) {
        c->attempt = (uint32_t)(a - in->m->acts.v) + 1;
        c->peer = a->peer;
        c->site = a->site;
        c->stack = a->stack;
        a->conn = (uint32_t)(c - in->m->conns.v) + 1;
    }
    return a;
}

static void attempt_fail(struct mh_act *a, int err, int64_t at)
{
    if (a->failed)
        return;
    a->failed = true;
    a->attempt.err = (int16_t)err; /* numbers of errno and of EAI are small */
    a->attempt.ended = at;
    a->until = MH_MAX(a->until, at);
}

static int take_moved(struct mh_intake *in, const struct mh_act *a, int64_t ago)
{
    int64_t name = mh_texts_add(&in->m->texts, in->record->tail, in->record->tail_len);
    struct mh_moved_seen *s = name < 0 ? NULL : mh_vec_add(&in->m->moves);

    if (!s)
        return -ENOMEM;
    *s = (struct mh_moved_seen){(uint32_t)(a - in->m->acts.v), (uint32_t)name, mh_intake_time(ago)};
    return 0;
}

int mh_intake_connect(struct mh_intake *in)
{
    struct mh_ev_connect e = mh_record_as(in->record, connect);
    int64_t at = in->record->at + in->offset;
    struct mh_conn *c = e.side == SIDE_CLIENT ? mh_intake_conn(in, e.conn) : NULL;
    struct mh_act *a = attempt_of(in, c);

    if (e.side != SIDE_CLIENT)
        return mh_intake_taken_in(in, e.conn, (int)e.fd);
    if (c)
        c->opened_at = at;
    /* the fault's own record of this very call may have come before */
    if (!a || !a->from_op || a->from_connect || a->tid != in->record->tid)
        a = attempt_add(in, e.conn, e.peer, e.stack, e.task, e.unit);
    if (!a)
        return -ENOMEM;
    a->from_connect = true;
    a->unlimited = !e.nonblocking && e.timeout_ns == -1;
    a->at = MH_MIN(a->at, at - mh_intake_time(e.wait_ns));
    a->until = at;
    if (e.err && e.err != EINPROGRESS && e.err != EAGAIN && e.err != EINTR)
        attempt_fail(a, (int)e.err, at);
    return e.moved_ns ? take_moved(in, a, e.moved_ns) : 0;
}

int mh_intake_connected(struct mh_intake *in)
{
    struct mh_ev_connected e = mh_record_as(in->record, connected);
    struct mh_act *a = attempt_of(in, mh_intake_conn(in, e.conn));

    if (a && e.err)
        attempt_fail(a, (int)e.err, in->record->at + in->offset);
    return 0;
}

int mh_intake_close(struct mh_intake *in)
{
    struct mh_ev_close e = mh_record_as(in->record, close);
    struct mh_conn *c = mh_intake_conn(in, e.conn);
    struct mh_act *a;

    if (!c || !c->peer)
        return 0;
    c->closed_at = in->record->at + in->offset;
    a = mh_intake_act(in, MH_ACT_close, e.stack, e.task, 0);
    if (!a)
        return -ENOMEM;
    a->peer = c->peer;
    a->site = c->site;
    a->pending = e.pending != 0;
    a->conn = (uint32_t)(c - in->m->conns.v) + 1;
    a->attempt_of = c->attempt;
    /* given up on: the usual end of a timeout; but who closes at once waited for no answer */
    if (a->pending && a->attempt_of && !in->m->acts.v[a->attempt_of - 1].answered &&
        c->closed_at - c->asked_at >= AT_ONCE_NS)
        attempt_fail(&in->m->acts.v[a->attempt_of - 1], ETIMEDOUT, a->at);
    return 0;
}

int mh_intake_request(struct mh_intake *in)
{
    struct mh_ev_request e = mh_record_as(in->record, request);
    struct mh_conn *c = mh_intake_conn(in, e.conn);
    struct mh_act *a = attempt_of(in, c);
    int64_t text = mh_texts_add(&in->m->texts, in->record->tail, in->record->tail_len);
    bool first = !c || !c->exchanges;

    if (text < 0)
        return -ENOMEM;
    /* the first request on a fresh connection belongs to the attempt that opened it */
    first = first && !(a && mh_intake_was_left(in, a, &e));
    if (!a || !first || a->failed || a->answered)
        a = attempt_add(in, e.conn, e.peer, e.stack, e.task, e.unit);
    if (!a)
        return -ENOMEM;
    if (first)
        mh_intake_take_over(in, a, &e);
    a->pooled = !first;
    a->attempt.text = (uint32_t)text;
    a->attempt.digest = (uint64_t)e.digest;
    a->attempt.bytes = (uint32_t)MH_MIN(MH_MAX(e.bytes, 0), UINT32_MAX);
    a->keyed = e.idempotency_key != 0;
    a->until = MH_MAX(a->until, in->record->at + in->offset);
    c = mh_intake_conn(in, e.conn);
    if (c) {
        c->exchanges++;
        c->asked_at = in->record->at + in->offset;
    }
    if (text && a->peer) {
        struct mh_peer_seen *p = &in->m->peers.v[a->peer - 1];

        mh_redis_count(&p->redis, mh_model_text(in->m, (uint32_t)text));
        if (p->role == MH_ROLE_other && !p->redis.commands)
            p->role = MH_ROLE_http;
    }
    return 0;
}

int mh_intake_response(struct mh_intake *in)
{
    struct mh_ev_response e = mh_record_as(in->record, response);
    struct mh_act *a = attempt_of(in, mh_intake_conn(in, e.conn));
    int64_t at = in->record->at + in->offset;
    struct mh_peer_seen *p;

    if (!a)
        return 0;
    a->until = MH_MAX(a->until, at);
    mh_intake_went_on(in, mh_intake_conn(in, e.conn), at);
    if (e.err || e.eof) {
        attempt_fail(a, (int)e.err, at);
        return 0;
    }
    a->answered = true;
    a->attempt.status = (int16_t)MH_MIN(MH_MAX(e.status, 0), INT16_MAX);
    a->retry_after = (int)MH_MIN(MH_MAX(e.retry_after_s, 0), INT16_MAX);
    a->attempt.ended = at;
    p = a->peer ? &in->m->peers.v[a->peer - 1] : NULL;
    if (p && e.latency_ns > 0 && e.latency_ns < mh_intake_time(INT64_MAX) &&
        p->latencies.n < MH_LATENCIES && !in->m->fired) {
        int64_t *slot = mh_vec_add(&p->latencies);

        if (!slot)
            return -ENOMEM;
        *slot = e.latency_ns;
    }
    return 0;
}

static bool waits_on_a_loop(int64_t call, int64_t fds)
{
    const char *name = call >= 0 && call < MH_CALL_COUNT ? mh_call_rows[call].name : "";

    return fds > 1 || !strncmp(name, "epoll", 5);
}

/* A wait without a stack of the application (a loop's callback) is the request's wait. */
static void place_of_conn(struct mh_intake *in, struct mh_act *a, int64_t conn, int64_t peer)
{
    struct mh_conn *c = mh_intake_conn(in, conn);

    a->peer = mh_intake_number(&in->peers, peer);
    if (!c)
        return;
    a->conn = (uint32_t)(c - in->m->conns.v) + 1;
    a->attempt_of = c->attempt;
    if (!a->peer)
        a->peer = c->peer;
    if (c->site && (!a->site || !in->m->sites.v[a->site - 1].app)) {
        a->site = c->site;
        a->stack = c->stack;
    }
}

int mh_intake_wait(struct mh_intake *in)
{
    struct mh_ev_wait e = mh_record_as(in->record, wait);
    struct mh_act *a = mh_intake_act(in, MH_ACT_wait, e.stack, e.task, e.unit);

    if (!a)
        return -ENOMEM;
    place_of_conn(in, a, e.conn, e.peer);
    a->pending = e.pending != 0;
    a->connecting = e.connecting != 0;
    a->loop = waits_on_a_loop(e.call, e.fds);
    a->wait.timeout = e.timeout_ns;
    a->wait.call = (int32_t)e.call;
    a->wait.user_limit = e.user_timeout_ns > 0;
    return 0;
}

int mh_intake_waited(struct mh_intake *in)
{
    struct mh_ev_waited e = mh_record_as(in->record, waited);
    struct mh_conn *c;
    struct mh_act *a = mh_intake_act(in, MH_ACT_waited, e.stack, e.task, e.unit);

    if (!a)
        return -ENOMEM;
    place_of_conn(in, a, e.conn, e.peer);
    c = mh_intake_conn(in, e.conn);
    a->blocking = e.blocking != 0;
    a->loop = waits_on_a_loop(e.call, 1);
    if (e.timeout_ns > 0)
        mh_intake_went_on(in, c, a->at - mh_intake_time(e.waited_ns));
    if (a->attempt_of && e.ready == 0)
        attempt_fail(&in->m->acts.v[a->attempt_of - 1], ETIMEDOUT, in->record->at + in->offset);
    a->wait.timeout = e.timeout_ns;
    a->wait.waited = mh_intake_time(e.waited_ns);
    a->wait.ready = (int32_t)e.ready;
    a->wait.call = (int32_t)e.call;
    a->at -= a->wait.waited;
    if (c && e.ready == 0 && e.timeout_ns > 0 && a->blocking && !a->loop)
        c->lapse = (uint32_t)(a - in->m->acts.v) + 1;
    return 0;
}

/* Ties a connect's operation to its attempt, whichever record came first. */
static int op_connect(struct mh_intake *in, const struct mh_ev_op *e, uint32_t *ret)
{
    struct mh_conn *c = mh_intake_conn(in, e->conn);
    struct mh_act *a = attempt_of(in, c);

    if (!a || a->from_op || !a->from_connect || a->tid != in->record->tid ||
        (a->attempt.err != (int)e->err && a->attempt.err)) {
        a = attempt_add(in, e->conn, e->peer, e->stack, e->task, e->unit);
        if (!a)
            return -ENOMEM;
    }
    a->from_op = true;
    if (e->err && e->err != EINPROGRESS)
        attempt_fail(a, (int)e->err, in->record->at + in->offset);
    *ret = (uint32_t)(a - in->m->acts.v) + 1;
    return 0;
}

static int op_attempt(struct mh_intake *in, const struct mh_ev_op *e, uint32_t *ret)
{
    struct mh_conn *c;
    struct mh_act *a;

    if (e->kind == MH_OP_connect)
        return op_connect(in, e, ret);
    c = mh_intake_conn(in, e->conn);
    a = attempt_of(in, c);
    if (!a)
        return 0;
    /* nothing of the new request left: there is no record of it but this */
    if (e->kind == MH_OP_send && e->err && (a->answered || a->failed)) {
        a = attempt_add(in, e->conn, e->peer, e->stack, e->task, e->unit);
        if (!a)
            return -ENOMEM;
        a->pooled = true;
        c = mh_intake_conn(in, e->conn);
    }
    *ret = c->attempt;
    if (e->err || e->effect - 1 == MH_EFFECT_eof || e->effect - 1 == MH_EFFECT_reset)
        attempt_fail(a, (int)e->err, in->record->at + in->offset);
    return 0;
}

static void count_fault(struct mh_model *m, int32_t fault, int64_t at, int64_t until)
{
    struct mh_fault_seen *f;

    if (!fault)
        return;
    f = &m->faults.v[fault - 1];
    f->first = f->fired ? MH_MIN(f->first, at) : at;
    f->last = MH_MAX(f->last, until);
    f->fired++;
    m->fired++;
    m->first_fault = m->first_fault ? MH_MIN(m->first_fault, at) : at;
    m->last_fault = MH_MAX(m->last_fault, until);
}

static void op_count(struct mh_intake *in, struct mh_op_seen *o, const struct mh_act *a)
{
    struct mh_peer_seen *p = a->peer ? &in->m->peers.v[a->peer - 1] : NULL;

    count_fault(in->m, o->fault, a->at, a->until);
    if (p) {
        p->faults += o->fault != 0;
        p->failures += !o->fault;
    }
}

/* A fault that no record defined (a cut file) still has its number. */
static int32_t fault_number(struct mh_intake *in, int64_t fault)
{
    struct mh_fault_seen *f;
    uint32_t have;

    if (fault <= 0 || fault > 4096)
        return 0;
    have = mh_map_get(&in->faults, (uint64_t)fault - 1);
    if (have != MH_MAP_NONE)
        return (int32_t)have + 1;
    f = mh_vec_add(&in->m->faults);
    if (!f || mh_map_set(&in->faults, (uint64_t)fault - 1, (uint32_t)in->m->faults.n - 1))
        return -ENOMEM;
    return (int32_t)in->m->faults.n;
}

int mh_intake_op(struct mh_intake *in)
{
    struct mh_ev_op e = mh_record_as(in->record, op);
    uint32_t attempt = 0;
    struct mh_op_seen *o;
    struct mh_act *a;
    int32_t fault = fault_number(in, e.fault);
    int64_t at = in->record->at + in->offset;

    if (e.effect == MH_EFFECT_kill + 1)
        mh_intake_process(in)->killed_at = at;
    if (mh_intake_refused(in, &e))
        return -ENOMEM;
    if (fault < 0)
        return fault;
    if (e.side == SIDE_SERVER || e.kind <= 0 || e.kind >= MH_OP_COUNT || e.kind == MH_OP_socket ||
        e.kind == MH_OP_clock) {
        /* nothing that is judged by itself, but the world was not calm */
        count_fault(in->m, fault, at - mh_intake_time(e.wait_ns), at + mh_intake_time(e.delay_ns));
        return 0;
    }
    if (op_attempt(in, &e, &attempt))
        return -ENOMEM;
    a = mh_intake_act(in, MH_ACT_op, e.stack, e.task, e.unit);
    o = mh_vec_add(&in->m->ops);
    if (!a || !o || mh_map_set(&in->ops, (uint64_t)e.op, (uint32_t)in->m->ops.n - 1))
        return -ENOMEM;
    place_of_conn(in, a, e.conn, e.peer);
    *o = (struct mh_op_seen){.act = (uint32_t)(a - in->m->acts.v),
                             .kind = (enum mh_op_kind)e.kind,
                             .call = (int)e.call,
                             .err = (int)e.err,
                             .result_ok = e.result >= 0 && !e.err,
                             .path = mh_intake_number(&in->paths, e.path),
                             .path_id = (uint32_t)e.path,
                             .fault = fault,
                             .effect = (int)e.effect,
                             .delay = mh_intake_time(e.delay_ns),
                             .wait = MH_MIN(e.wait_ns, mh_intake_time(e.wait_ns)),
                             .timeout = e.timeout_ns,
                             .ordinal = e.ordinal,
                             .nonblocking = e.nonblocking != 0,
                             .client = e.side == 1,
                             .native = mh_intake_number(&in->stacks, e.native),
                             .exchange = e.exchange,
                             .attempt = attempt};
    a->op = (uint32_t)in->m->ops.n - 1;
    if (o->wait > 0)
        a->at -= o->wait;
    else
        a->until += o->delay;
    op_count(in, o, a);
    return 0;
}

int mh_intake_rest(struct mh_intake *in)
{
    struct mh_ev_rest e = mh_record_as(in->record, rest);
    uint32_t op = mh_map_get(&in->ops, (uint64_t)e.op);

    if (op == MH_MAP_NONE || e.how <= MH_REST_none || e.how > MH_REST_nothing)
        return 0;
    in->m->ops.v[op].rest = (struct mh_rest_seen){.how = (enum mh_rest_how)e.how,
                                                  .whole = e.whole != 0,
                                                  .listened = e.listened != 0,
                                                  .awaited = e.awaited != 0,
                                                  .asked = e.asked,
                                                  .moved = e.moved};
    return 0;
}

/* A loop that reads ahead (uvloop), and a thread of a pool, call for nobody that can be seen; in
 * which task their error comes up tells for whom it was. One that was not seen to come up tells
 * nothing, its task is the one that happened to run next: then it was for who had asked. */
static uint64_t task_of(const struct mh_intake *in, const struct mh_act *a,
                        const struct mh_ev_outcome *e)
{
    if (e->step != MH_STEP_unseen)
        return (uint64_t)e->task;
    return a->attempt_of ? in->m->acts.v[a->attempt_of - 1].task : 0;
}

/* "type \t function \t file \t line" */
int mh_intake_outcome(struct mh_intake *in)
{
    struct mh_ev_outcome e = mh_record_as(in->record, outcome);
    const char *part = in->record->tail, *end = part + in->record->tail_len;
    uint32_t op = mh_map_get(&in->ops, (uint64_t)e.op);
    struct mh_step_seen *s;
    struct mh_act *a;
    int64_t texts[3] = {0}, line = 0;

    if (op == MH_MAP_NONE || e.step <= MH_STEP_none || e.step > MH_STEP_lost)
        return 0;
    a = &in->m->acts.v[in->m->ops.v[op].act];
    if (!a->task)
        a->task = task_of(in, a, &e);
    for (int i = 0; i < 4 && part <= end; i++) {
        const char *stop = part < end ? memchr(part, '\t', (size_t)(end - part)) : NULL;

        if (!stop)
            stop = end;
        if (i < 3)
            texts[i] = mh_texts_add(&in->m->texts, part, (size_t)(stop - part));
        for (const char *p = part; i == 3 && p < stop && *p >= '0' && *p <= '9'; p++)
            line = line < INT32_MAX / 10 ? line * 10 + (*p - '0') : line;
        part = stop + 1;
    }
    s = mh_vec_add(&in->m->steps);
    if (!s || texts[0] < 0 || texts[1] < 0 || texts[2] < 0)
        return -ENOMEM;
    *s = (struct mh_step_seen){
        .op = op,
        .step = (uint8_t)e.step,
        .source = (uint8_t)e.source,
        .type = (uint32_t)texts[0],
        .frame = {(uint32_t)texts[1], (uint32_t)texts[2], (int32_t)line,
                  mh_frame_kind_of(mh_model_text(in->m, (uint32_t)texts[2]))}};
    in->m->steps_seen++;
    return 0;
}
