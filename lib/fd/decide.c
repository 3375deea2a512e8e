/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts and op records; see decide.h. */
#include "fd/decide.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"
#include "base/sys.h"
#include "event/write.h"
#include "fd/lift.h"
#include "fd/live.h"
#include "fd/peer.h"
#include "native/native.h"
#include "fd/serving.h"

#include "base/banned.h"

static bool ask(struct mh_op *op, const struct mh_place *place, struct mh_verdict *ret)
{
    const struct mh_rules *rules = mh_live_rules();
    struct mh_place here;
    int64_t now = mh_now();

    ret->fault = ret->delay_fault = -1;
    if (!(rules->ops & MH_OP_BIT(op->kind)) || !mh_writer_ok())
        return false;
    if (mh_lifted(-1) || __atomic_load_n(&mh_guest.control->calm, __ATOMIC_RELAXED))
        return false;
    op->run_ns = mh_guest_run_ns(now);
    op->process_ns = now - mh_guest.started_at;
    if (rules->stop_after_ns && op->run_ns > rules->stop_after_ns) {
        static atomic_bool said;

        if (!atomic_exchange(&said, true))
            mh_note(MH_NOTE_stopped, rules->stop_after_ns, false,
                    "stop_after was reached: from here on nothing is injected");
        return false;
    }
    if (!place && (mh_rules_ask(rules->by_stack) || mh_rules_ask(rules->by_caller) ||
                   mh_rules_ask(rules->by_operation))) {
        mh_python_place(&here);
        place = &here;
    }
    if (place) {
        op->site = place->site;
        op->stack_faults = place->stack_faults;
        op->caller_faults = place->caller_faults;
        if (mh_rules_ask(rules->by_operation))
            op->operation = mh_serving_at(place);
    }
    op->off = mh_guest.control->fault_off;
    op->process = mh_guest.ordinal;
    if (!mh_rules_decide(rules, &mh_guest.control->counters, op, ret))
        return false;
    /* the time of day and a name that has moved are asked often, and counted when they are told */
    if (ret->fault >= 0 && op->kind != MH_OP_clock && !(op->kept && op->peer))
        __atomic_add_fetch(&mh_guest.control->fired[ret->fault], 1, __ATOMIC_RELAXED);
    if (ret->signal) {
        mh_record(&(struct mh_story){.kind = op->kind,
                                     .fd = -1,
                                     .verdict = ret,
                                     .effect = MH_EFFECT_kill,
                                     .result = -1,
                                     .place = place});
        mh_sys(SYS_kill, mh_sys_getpid(), ret->signal);
    }
    return true;
}

bool mh_decide(const struct mh_desc *d, enum mh_op_kind kind, const struct mh_place *place,
               uint64_t size, struct mh_verdict *ret)
{
    return mh_decide_of(d, kind, place, size, 0, ret);
}

bool mh_decide_of(const struct mh_desc *d, enum mh_op_kind kind, const struct mh_place *place,
                  uint64_t size, uint32_t effects, struct mh_verdict *ret)
{
    struct mh_op op = {.kind = kind,
                       .side = d->side,
                       .peer = d->peer,
                       .path = d->path,
                       .conn = d->ordinal,
                       .size = size,
                       .effects = effects};

    return ask(&op, place, ret);
}

static void by_name(const char *name, struct mh_peer *peer, struct mh_op *op)
{
    size_t n = strlen(name);

    memset(peer, 0, sizeof(*peer));
    memcpy(peer->name, name, n < sizeof(peer->name) ? n : sizeof(peer->name) - 1);
    peer->key = mh_hash_text(MH_HASH_START, peer->name);
    op->peer = peer;
    op->side = MH_SIDE_client;
}

bool mh_decide_path(enum mh_op_kind kind, const char *path, const char *name,
                    const struct mh_place *place, struct mh_verdict *ret)
{
    struct mh_peer peer;
    struct mh_op op = {.kind = kind, .path = path};

    if (name)
        by_name(name, &peer, &op);
    return ask(&op, place, ret);
}

const struct mh_fault *mh_decide_moved(const char *name, struct mh_verdict *ret)
{
    static const struct mh_place nowhere;
    struct mh_op op = {.kind = MH_OP_getaddrinfo, .kept = true};
    struct mh_peer peer;

    if (!(mh_guest.rules->ops & MH_OP_BIT(MH_OP_getaddrinfo)) || mh_peer_literal(name))
        return NULL;
    by_name(name, &peer, &op);
    return ask(&op, &nowhere, ret) && (ret->effects & MH_EFFECT_BIT(MH_EFFECT_address))
               ? &mh_guest.rules->faults[ret->fault]
               : NULL;
}

int64_t mh_moved_ago(const struct mh_peer *peer, int64_t now, const char **ret_name)
{
    const struct mh_fault *f;
    struct mh_verdict v;
    int64_t ago;

    *ret_name = "";
    if (!(mh_guest.rules->ops & MH_OP_BIT(MH_OP_getaddrinfo)))
        return 0;
    *ret_name = mh_peer_resolved(peer);
    f = **ret_name ? mh_decide_moved(*ret_name, &v) : NULL;
    if (!f) {
        *ret_name = "";
        return 0;
    }
    ago = now - mh_window_begin((unsigned)v.fault, now);
    ago = ago > 0 ? ago : 1;
    return mh_fault_gives(f, peer) ? -ago : ago;
}

bool mh_decide_kept(enum mh_op_kind kind, const char *path, const struct mh_place *place,
                    struct mh_verdict *ret)
{
    struct mh_op op = {.kind = kind, .path = path, .kept = true};

    return ask(&op, place, ret);
}

/* `fault` names the row to blame: a pure delay is its delaying fault's. */
static int story_fault(const struct mh_story *s)
{
    if (!s->verdict)
        return -1;
    if (s->effect == MH_EFFECT_delay && s->verdict->delay_fault >= 0)
        return s->verdict->delay_fault;
    return s->verdict->fault;
}

int64_t mh_record(const struct mh_story *s)
{
    const struct mh_desc *d = s->d;
    struct mh_place here = {0};
    const struct mh_place *place = s->place;
    int64_t id = mh_new_id(), run;
    int fault = story_fault(s);
    uint32_t native;
    bool kept;

    if (!place) {
        mh_python_place(&here);
        place = &here;
    }
    if (d && d->peer)
        mh_peer_record(d->peer);
    native = s->native || (!place->stack && mh_python_version() &&
                           (s->verdict || mh_errno_is_failure(s->err)))
                 ? mh_native_stack()
                 : 0;
    run = mh_guest_run_ns(mh_now());
    kept = mh_event(
        op, s->text, s->text ? strlen(s->text) : 0, .op = id, .kind = s->kind, .call = s->call,
        .fd = s->fd, .conn = d ? d->conn : 0, .peer = d && d->peer ? d->peer->id : 0,
        .path = s->path_id ? s->path_id
                : d        ? d->path_id
                           : 0,
        .asked = (int64_t)s->asked, .result = s->result, .err = s->err, .wait_ns = s->wait_ns,
        .timeout_ns = s->timeout_ns, .fault = fault + 1, .effect = s->verdict ? s->effect + 1 : 0,
        .delay_ns = s->delay_ns, .draw = s->verdict ? (int64_t)s->verdict->draw : 0,
        .ordinal = s->verdict ? (int64_t)s->verdict->ordinal : 0, .stack = place->stack,
        .task = (int64_t)place->task, .unit = place->unit,
        .phase = mh_rules_phase(mh_guest.rules, run) + 1, .side = d ? d->side : 0,
        .exchange = d ? d->exchange : 0, .nonblocking = d ? d->nonblocking : 0, .native = native);
    return kept ? id : 0;
}

bool mh_errno_is_failure(int err)
{
    switch (err) {
    case 0:
    case EAGAIN:
    case EINTR:
    case EINPROGRESS:
    case EALREADY:
    case EISCONN:
    case EEXIST:
    case ENOTDIR:
    case EISDIR:
    case ENXIO:
    case ENOENT:
    case EBADF:
    case ENOTSOCK:
        return false;
    default:
        return true;
    }
}

/* When `after` and `for` count from: the phase, else the process. *ret_end: of the phase. */
static int64_t window_base(int64_t now, int64_t *ret_end)
{
    const struct mh_rules *rules = mh_guest.rules;
    int64_t run = mh_guest_run_ns(now), base = mh_guest.started_at;
    int phase = mh_rules_phase(rules, run);

    *ret_end = INT64_MAX;
    if (phase >= 0) {
        const struct mh_phase *p = &rules->phases[phase];

        base = now - run + p->start_ns;
        if (p->for_ns)
            *ret_end = base + p->for_ns;
    }
    return base;
}

int64_t mh_window_begin(unsigned fault, int64_t now)
{
    int64_t end;

    return window_base(now, &end) + mh_guest.rules->faults[fault].after_ns;
}

int64_t mh_window_end(unsigned fault, int64_t now)
{
    const struct mh_rules *rules = mh_guest.rules;
    const struct mh_fault *f = &rules->faults[fault];
    int64_t run = mh_guest_run_ns(now), end, base = window_base(now, &end);

    if (f->for_ns && base + f->after_ns + f->for_ns < end)
        end = base + f->after_ns + f->for_ns;
    if (rules->stop_after_ns && run >= 0 && now - run + rules->stop_after_ns < end)
        end = now - run + rules->stop_after_ns;
    return end;
}

enum { MAX_PATHS = 1024 };

uint32_t mh_path_id(const char *path)
{
    static struct {
        _Atomic uint64_t hash;
        _Atomic uint64_t recorded;
    } paths[MAX_PATHS];
    uint64_t hash = mh_hash_text(MH_HASH_START, path) | 1;
    uint64_t epoch = mh_guest.epoch + 1;

    for (uint32_t n = 0; n < MAX_PATHS; n++) {
        uint32_t i = (uint32_t)(hash + n) % MAX_PATHS;
        uint64_t have = 0;

        if (!atomic_compare_exchange_strong(&paths[i].hash, &have, hash) && have != hash)
            continue;
        if (atomic_exchange(&paths[i].recorded, epoch) != epoch)
            mh_event(path, path, strlen(path), .path = i + 1);
        return i + 1;
    }
    return 0;
}
