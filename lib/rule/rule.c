/* SPDX-License-Identifier: Apache-2.0 */
/* The decision: which faults apply to one operation, and what they do to it; see rule.h. */
#include "rule/rule.h"

#include <string.h>
#include <sys/socket.h>

#include "base/hash.h"
#include "base/macros.h"
#include "rule/draw.h"

#include "base/banned.h"

enum {
    DELAY = MH_EFFECT_BIT(MH_EFFECT_delay),
    ERROR = MH_EFFECT_BIT(MH_EFFECT_error),
    /* the operation ends in one of these ways, so only one of them can be */
    FINAL = ERROR | MH_EFFECTS_SILENT | MH_EFFECTS_UNTOLD | MH_EFFECT_BIT(MH_EFFECT_kill),
};

/* What each effect draws from the same word must not depend on what the others drew. */
enum { DRAW_DELAY = 1, DRAW_ERROR, DRAW_SHORT };

int mh_rules_phase(const struct mh_rules *rules, int64_t run_ns)
{
    for (unsigned i = rules->nphases; i-- > 0;) {
        const struct mh_phase *p = &rules->phases[i];

        if (run_ns >= p->start_ns)
            return run_ns >= 0 && (!p->for_ns || run_ns - p->start_ns < p->for_ns) ? (int)i : -1;
    }
    return -1;
}

bool mh_rules_stopped(const struct mh_rules *rules, int64_t run_ns, int64_t process_ns)
{
    return rules->stop_after_ns && MH_MAX(run_ns, process_ns) >= rules->stop_after_ns;
}

void mh_rules_match_peer(const struct mh_rules *rules, const struct mh_peer *peer,
                         uint64_t ret[MH_FAULT_WORDS])
{
    memset(ret, 0, MH_FAULT_WORDS * sizeof(*ret));
    for (unsigned i = 0; i < rules->nfaults; i++) {
        const struct mh_fault *f = &rules->faults[i];
        bool any = f->npeers == 0;

        for (unsigned j = 0; !any && peer && j < f->npeers; j++)
            any = mh_peer_matches(&f->peers[j], peer);
        if (any)
            ret[i / 64] |= UINT64_C(1) << i % 64;
    }
}

/* What of the peer the hints are compared with, taken once for all faults. */
struct peer_marks {
    bool known, question; /* no address yet, and no port */
    uint16_t port;
    int family;
    char first, last;
};

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static struct peer_marks marks_of(const struct mh_peer *p)
{
    struct peer_marks m = {.known = p != NULL};
    size_t n;

    if (!p)
        return m;
    n = strlen(p->name);
    m.port = p->port;
    m.family = p->family;
    m.question = !p->family && !p->port;
    m.first = small(p->name[0]);
    m.last = n ? small(p->name[n - 1]) : '\0';
    return m;
}

/* Whether no pattern of the fault can match; mh_peer_matches() has the last word on the others. */
static bool hint_excludes(const struct mh_peer_hint *h, const struct peer_marks *m,
                          const struct mh_peer *peer)
{
    if (!h->peers)
        return false;
    if (!m->known || (h->port && h->port != m->port && !m->question))
        return true;
    if ((h->first && h->first != m->first) || (h->last && h->last != m->last))
        return true;
    if (h->family == AF_UNIX)
        return m->family != AF_UNIX;
    return h->by_network && m->family == AF_INET && h->network != peer->addr[0];
}

/* Everything about `where` and the clock; `now` is the clock of `after`. Cheapest tests first. */
static bool fault_matches(const struct mh_fault *f, const struct mh_op *op, int64_t now)
{
    bool any;

    if (f->side != MH_SIDE_any && f->side != op->side)
        return false;
    if (now < f->after_ns || (f->for_ns && now - f->after_ns >= f->for_ns))
        return false;
    any = f->npeers == 0 || op->peer_faults;
    for (unsigned i = 0; !any && op->peer && i < f->npeers; i++)
        any = mh_peer_matches(&f->peers[i], op->peer);
    if (!any)
        return false;
    any = f->npaths == 0;
    for (unsigned i = 0; !any && op->path && i < f->npaths; i++)
        any = mh_glob(f->paths[i], op->path, true);
    if (!any || !f->noperations)
        return any;
    any = false;
    for (unsigned i = 0; !any && op->operation && i < f->noperations; i++)
        any = mh_operation_matches(f->operations[i], op->operation);
    return any;
}

static uint64_t scope_of(const struct mh_fault *f, const struct mh_op *op, int phase)
{
    uint64_t peer = op->peer ? op->peer->key : 0, scope = 0;

    switch (f->per) {
    case MH_PER_run:
        break;
    case MH_PER_process:
        scope = mh_mix2(1, op->process);
        break;
    case MH_PER_peer:
        scope = mh_mix2(mh_mix2(2, op->process), peer);
        break;
    case MH_PER_connection:
        scope = mh_mix2(mh_mix2(mh_mix2(3, op->process), peer), op->conn);
        break;
    case MH_PER_site:
        scope = mh_mix2(mh_mix2(4, op->process), op->site);
        break;
    }
    /* a phase arms its faults anew, however many operations came before it */
    return phase < 0 ? scope : mh_mix2(scope, (uint64_t)phase);
}

static bool error_possible(const struct mh_fault *f, enum mh_op_kind kind, int number)
{
    if (f->force)
        return (number < 0) == (kind == MH_OP_getaddrinfo);
    for (const int *e = mh_op_rows[kind].errnos; *e; e++)
        if (*e == number)
            return true;
    return false;
}

/* One of the errors that this operation can have, by weight; 0 when there is none. */
static int error_pick(const struct mh_fault *f, enum mh_op_kind kind, uint64_t word)
{
    uint64_t total = 0, at;

    for (unsigned i = 0; i < f->nerrors; i++)
        if (error_possible(f, kind, f->errors[i].number))
            total += f->errors[i].weight;
    if (total == 0)
        return 0;
    at = mh_range_draw(0, total - 1, word);
    for (unsigned i = 0; i < f->nerrors; i++) {
        if (!error_possible(f, kind, f->errors[i].number))
            continue;
        if (at < f->errors[i].weight)
            return f->errors[i].number;
        at -= f->errors[i].weight;
    }
    return 0;
}

/* `count`: at most so many hits, however many threads and processes ask at once. */
static bool hit_take(struct mh_counter *c, uint64_t limit)
{
    uint64_t hit = __atomic_load_n(&c->hit, __ATOMIC_RELAXED);

    do
        if (limit && hit >= limit)
            return false;
    while (!__atomic_compare_exchange_n(&c->hit, &hit, hit + 1, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED));
    return true;
}

/* What of this fault is still to be had: delays add up, of all else the first fault wins. */
static uint32_t effects_left(const struct mh_fault *f, const struct mh_op *op, uint32_t taken)
{
    uint32_t effects = f->effects & mh_op_rows[op->kind].effects;

    if (op->effects)
        effects &= op->effects;

    return taken & FINAL ? effects & DELAY : effects & ~(taken & ~DELAY);
}

static void verdict_add(struct mh_verdict *v, const struct mh_fault *f, uint32_t effects,
                        uint64_t word)
{
    if (effects & DELAY)
        v->delay_ns += mh_dist_draw(&f->delay, mh_mix2(word, DRAW_DELAY));
    if (effects & MH_EFFECT_BIT(MH_EFFECT_short))
        v->short_len =
            (uint32_t)mh_range_draw(f->short_min, f->short_max, mh_mix2(word, DRAW_SHORT));
    if (effects & MH_EFFECT_BIT(MH_EFFECT_eof))
        v->eof_after = f->eof_after;
    if (effects & MH_EFFECT_BIT(MH_EFFECT_reset))
        v->reset_after = f->reset_after;
    if (effects & MH_EFFECT_BIT(MH_EFFECT_memory))
        v->memory = f->memory;
    if (effects & MH_EFFECT_BIT(MH_EFFECT_rate))
        v->rate = f->rate;
    if (effects & MH_EFFECTS_KEPT)
        v->limit = f->limit;
    if (effects & MH_EFFECT_BIT(MH_EFFECT_step))
        v->step_ns = f->step_ns;
    if (effects & MH_EFFECT_BIT(MH_EFFECT_corrupt)) {
        v->corrupt = f->corrupt;
        v->corrupt_key = f->key;
    }
    if (effects & MH_EFFECT_BIT(MH_EFFECT_family))
        v->family = f->family;
    if (effects & MH_EFFECT_BIT(MH_EFFECT_kill))
        v->signal = f->signal;
}

/* `when`, and then what: fault i matches the operation. */
static void fault_decide(const struct mh_rules *rules, unsigned i, struct mh_counters *counters,
                         const struct mh_op *op, int phase, struct mh_verdict *v)
{
    const struct mh_fault *f = &rules->faults[i];
    uint64_t scope = scope_of(f, op, phase), ordinal, word;
    uint32_t effects = effects_left(f, op, v->effects);
    struct mh_counter *c;
    int error = 0;

    if (f->per == MH_PER_run && op->shared)
        counters = op->shared;
    c = mh_counter_get(counters, i, scope);
    ordinal = __atomic_fetch_add(&c->seen, 1, __ATOMIC_RELAXED);
    if (ordinal < f->skip || (f->every > 1 && (ordinal - f->skip) % f->every))
        return;
    word = mh_mix2(mh_mix2(rules->seed, f->key), mh_mix2(scope, ordinal));
    if (f->probability != UINT32_MAX && (uint32_t)(word >> 32) >= f->probability)
        return;
    if (effects & ERROR) {
        error = error_pick(f, op->kind, mh_mix2(word, DRAW_ERROR));
        if (!error)
            effects &= ~(uint32_t)ERROR;
    }
    if (!effects || !hit_take(c, f->count))
        return;
    if (v->fault < 0 || (!(v->effects & ~DELAY) && (effects & ~DELAY))) {
        v->fault = (int)i;
        v->draw = word;
        v->ordinal = ordinal;
    }
    if ((effects & DELAY) && v->delay_fault < 0)
        v->delay_fault = (int)i;
    if (error)
        v->error = error;
    v->effects |= effects;
    verdict_add(v, f, effects, word);
}

bool mh_rules_decide(const struct mh_rules *rules, struct mh_counters *counters,
                     const struct mh_op *op, struct mh_verdict *ret)
{
    struct peer_marks marks;
    int64_t now = op->process_ns;
    int phase = -1;

    memset(ret, 0, sizeof(*ret));
    ret->fault = ret->delay_fault = -1;
    if (!(rules->ops & MH_OP_BIT(op->kind)) || mh_rules_stopped(rules, op->run_ns, op->process_ns))
        return false;
    if (rules->nphases) {
        phase = mh_rules_phase(rules, op->run_ns);
        if (phase < 0)
            return false;
        now = op->run_ns - rules->phases[phase].start_ns;
    }
    marks = marks_of(op->peer);
    for (unsigned w = 0; w < MH_FAULT_WORDS; w++) {
        uint64_t set = rules->by_op[op->kind][w];

        if (phase >= 0)
            set &= rules->phases[phase].faults[w];
        if (op->off)
            set &= ~__atomic_load_n(&op->off[w], __ATOMIC_RELAXED);
        if (op->peer_faults)
            set &= op->peer_faults[w];
        set &= ~rules->by_stack[w] | (op->stack_faults ? op->stack_faults[w] : 0);
        set &= ~rules->by_caller[w] | (op->caller_faults ? op->caller_faults[w] : 0);
        for (; set; set &= set - 1) {
            unsigned i = w * 64 + (unsigned)__builtin_ctzll(set);

            if (!(rules->faults[i].effects & MH_EFFECTS_KEPT) == !op->kept &&
                (!op->effects || (rules->faults[i].effects & op->effects)) &&
                !hint_excludes(&rules->hints[i], &marks, op->peer) &&
                fault_matches(&rules->faults[i], op, now))
                fault_decide(rules, i, counters, op, phase, ret);
        }
    }
    return ret->fault >= 0;
}
