/* SPDX-License-Identifier: Apache-2.0 */
/* What only a whole section can show: effects that cannot happen to a call, keys that contradict
 * each other, faults that could never fire; and what only all sections together can show. */
#include <string.h>

#include "base/errname.h"
#include "base/num.h"
#include "rule/loader.h"

#include "base/banned.h"

#define BIT(effect) MH_EFFECT_BIT(MH_EFFECT_##effect)
#define LINE(key)   (l->key_line[MH_KEY_fault_##key])

/* Which effects make sense in one fault. */
static const uint32_t together[MH_EFFECT_COUNT] = {
    [MH_EFFECT_delay] = BIT(error) | BIT(short) | BIT(eof) | BIT(reset) | BIT(kill) | BIT(rate) |
                        BIT(corrupt) | BIT(family) | BIT(lost),
    [MH_EFFECT_error] = BIT(delay),
    [MH_EFFECT_short] = BIT(delay) | BIT(eof) | BIT(reset) | BIT(rate) | BIT(corrupt) | BIT(lost),
    [MH_EFFECT_eof] = BIT(delay) | BIT(short) | BIT(rate) | BIT(corrupt),
    [MH_EFFECT_reset] = BIT(delay) | BIT(short) | BIT(rate) | BIT(corrupt),
    [MH_EFFECT_hang] = 0,
    [MH_EFFECT_memory] = 0,
    [MH_EFFECT_kill] = BIT(delay),
    [MH_EFFECT_blackhole] = 0,
    [MH_EFFECT_fds] = 0,
    [MH_EFFECT_threads] = 0,
    [MH_EFFECT_disk] = 0,
    [MH_EFFECT_family] = BIT(delay),
    [MH_EFFECT_step] = 0,
    [MH_EFFECT_address] = 0,
    [MH_EFFECT_rate] = BIT(delay) | BIT(short) | BIT(eof) | BIT(reset) | BIT(corrupt) | BIT(lost),
    [MH_EFFECT_corrupt] = BIT(delay) | BIT(short) | BIT(eof) | BIT(reset) | BIT(rate),
    [MH_EFFECT_lost] = BIT(delay) | BIT(short) | BIT(rate),
};

static bool in_group(unsigned op, const char *group)
{
    size_t n = strlen(group);
    const char *of = mh_op_rows[op].group;

    return !strncmp(of, group, n) && (of[n] == '\0' || of[n] == '.');
}

bool mh_op_has_peer(unsigned op)
{
    return (in_group(op, "net") && op != MH_OP_socket) || in_group(op, "dns");
}

bool mh_op_has_path(unsigned op)
{
    return in_group(op, "file");
}

bool mh_op_has_connection(unsigned op)
{
    return op == MH_OP_recv || op == MH_OP_send;
}

static bool is_memory(unsigned op)
{
    return in_group(op, "memory");
}

static bool has_side(unsigned op)
{
    return in_group(op, "net") && op != MH_OP_socket;
}

static uint64_t ops_that(bool (*test)(unsigned op))
{
    uint64_t set = 0;

    for (unsigned op = 1; op < MH_OP_COUNT; op++)
        if (test(op))
            set |= MH_OP_BIT(op);
    return set;
}

static void say_ops(struct mh_buf *b, uint64_t ops)
{
    const char *between = "";

    for (unsigned op = 1; op < MH_OP_COUNT; op++)
        if (ops & MH_OP_BIT(op)) {
            mh_say(b, "%s%s", between, mh_op_rows[op].name);
            between = ", ";
        }
}

static bool can_return(unsigned op, int number)
{
    for (const int *e = mh_op_rows[op].errnos; *e; e++)
        if (*e == number)
            return true;
    return false;
}

/* Operations of the fault that can have this error, by force if need be. */
static uint64_t error_ops(const struct mh_fault *f, int number)
{
    uint64_t set = 0;

    for (unsigned op = 1; op < MH_OP_COUNT; op++)
        if ((f->ops & MH_OP_BIT(op)) && (mh_op_rows[op].effects & BIT(error)) &&
            (can_return(op, number) || (f->force && (number < 0) == (op == MH_OP_getaddrinfo))))
            set |= MH_OP_BIT(op);
    return set;
}

static void check_error(struct mh_loader *l, int number)
{
    const struct mh_fault *f = l->fault;
    const char *name = number < 0 ? mh_eai_name(number) : mh_errno_name(number);
    MH_BUF(ops, 240);
    MH_BUF(can, 320);

    if (error_ops(f, number))
        return;
    say_ops(&ops, f->ops);
    for (unsigned op = 1; op < MH_OP_COUNT; op++)
        for (const int *e = f->ops & MH_OP_BIT(op) ? mh_op_rows[op].errnos : (int[]){0}; *e; e++) {
            const char *one = *e < 0 ? mh_eai_name(*e) : mh_errno_name(*e);

            if (!strstr(can.data, one))
                mh_say(&can, can.len ? ", %s" : "%s", one);
        }
    mh_complain(l, LINE(error), "error = '%s': %s cannot return it; it can return %s%s", name,
                ops.data, can.data,
                (number < 0) == (f->ops == MH_OP_BIT(MH_OP_getaddrinfo))
                    ? ", or anything with 'force = yes'"
                    : "");
}

/* Operations of the fault to which this effect can happen. */
static uint64_t effect_ops(const struct mh_fault *f, unsigned effect)
{
    uint64_t set = 0;

    for (unsigned op = 1; op < MH_OP_COUNT; op++)
        if (mh_op_rows[op].effects & MH_EFFECT_BIT(effect))
            set |= MH_OP_BIT(op);
    set &= f->ops;
    if (effect == MH_EFFECT_error && set) {
        uint64_t possible = 0;

        for (unsigned i = 0; i < f->nerrors; i++)
            possible |= error_ops(f, f->errors[i].number);
        set &= possible;
    }
    return set;
}

static int effect_line(const struct mh_loader *l, unsigned effect)
{
    for (unsigned i = 0; i < MH_KEY_COUNT; i++)
        if (mh_key_effect(&mh_key_rows[i]) == (int)effect)
            return l->key_line[i];
    return l->section_line;
}

/* Effects one by one against the calls; returns the operations to which any can happen. */
static uint64_t check_effects(struct mh_loader *l)
{
    const struct mh_fault *f = l->fault;
    uint64_t any = 0;

    for (unsigned i = 0; i < MH_EFFECT_COUNT; i++) {
        uint64_t can = effect_ops(f, i), all = 0;
        MH_BUF(ops, 240);
        MH_BUF(right, 320);

        any |= f->effects & MH_EFFECT_BIT(i) ? can : 0;
        if (!(f->effects & MH_EFFECT_BIT(i)) || can)
            continue;
        for (unsigned op = 1; op < MH_OP_COUNT; op++)
            all |= mh_op_rows[op].effects & MH_EFFECT_BIT(i) ? MH_OP_BIT(op) : 0;
        if (all & f->ops) /* an errno that none of them returns: told for itself */
            continue;
        say_ops(&ops, f->ops);
        say_ops(&right, all);
        mh_complain(l, effect_line(l, i), "'%s' cannot happen to %s; only to %s",
                    mh_effect_rows[i].name, ops.data, right.data);
    }
    for (unsigned i = 0; i < f->nerrors; i++)
        check_error(l, f->errors[i].number);
    return any;
}

static void check_together(struct mh_loader *l)
{
    uint32_t effects = l->fault->effects;

    for (unsigned a = 0; a < MH_EFFECT_COUNT; a++)
        for (unsigned b = a + 1; b < MH_EFFECT_COUNT; b++) {
            int at = effect_line(l, a), bt = effect_line(l, b);

            if ((effects & MH_EFFECT_BIT(a)) && (effects & MH_EFFECT_BIT(b)) &&
                !(together[a] & MH_EFFECT_BIT(b)))
                mh_complain(l, at > bt ? at : bt,
                            "'%s' and '%s' cannot be in one fault; make two faults of them",
                            mh_effect_rows[a].name, mh_effect_rows[b].name);
        }
}

/* A key that says where, against calls that have no such thing; `has` are those that do. */
static void check_where(struct mh_loader *l, int line, const char *key, uint64_t has,
                        const char *fails, const char *instead)
{
    MH_BUF(right, 320);

    if (!line)
        return;
    for (unsigned i = 0; i < l->ncalls; i++)
        if (!(l->calls[i].ops & has)) {
            say_ops(&right, has);
            mh_complain(l, line, "%s has no %s, so the fault could not %s; it goes with %s%s",
                        l->calls[i].word, key, fails, right.data, instead);
            return;
        }
}

/* Keys that draw or choose, against effects that are kept for a whole process. */
static void check_budget(struct mh_loader *l)
{
    static const struct {
        int key;
        const char *name;
        const char *why;
    } never[] = {{MH_KEY_fault_probability, "probability", "kept, not drawn"},
                 {MH_KEY_fault_skip, "skip", "kept, not drawn"},
                 {MH_KEY_fault_count, "count", "kept, not drawn"},
                 {MH_KEY_fault_every, "every", "kept, not drawn"},
                 {MH_KEY_fault_per, "per", "kept, not drawn"},
                 {MH_KEY_fault_peer, "peer", "that of a process"},
                 {MH_KEY_fault_side, "side", "that of a process"},
                 {MH_KEY_fault_stack, "stack", "that of a process"},
                 {MH_KEY_fault_caller, "caller", "that of a process"},
                 {MH_KEY_fault_operation, "operation", "that of a process"},
                 {MH_KEY_fault_path, "path", "that of a process"}};
    uint32_t budget = l->fault->effects & (MH_EFFECTS_KEPT | BIT(memory));

    if (!budget || (budget & (budget - 1)))
        return;
    for (unsigned i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        if (l->key_line[never[i].key] && (i < 5 || !(budget & BIT(memory))) &&
            !(never[i].key == MH_KEY_fault_path && (budget & BIT(disk))) &&
            !(never[i].key == MH_KEY_fault_peer && (budget & BIT(address))))
            mh_complain(l, l->key_line[never[i].key], "'%s' does not go with '%s': %s is %s",
                        never[i].name, mh_effect_rows[__builtin_ctz(budget)].name,
                        budget & BIT(step)      ? "a clock"
                        : budget & BIT(address) ? "where a name has moved"
                                                : "a budget",
                        never[i].why);
}

static void check_scope(struct mh_loader *l, uint64_t any)
{
    const struct mh_fault *f = l->fault;

    check_where(l, LINE(peer), "peer", ops_that(mh_op_has_peer), "fire",
                " (read and write on a socket are recv and send here)");
    check_where(l, LINE(path), "path", ops_that(mh_op_has_path), "fire", "");
    check_where(l, LINE(side), "side", ops_that(has_side), "fire", "");
    for (unsigned i = 0; LINE(caller) && i < l->ncalls; i++)
        if (!(l->calls[i].ops & ~ops_that(is_memory)))
            mh_complain(l, LINE(caller),
                        "%s has no caller to be told by: memory is asked for through other code",
                        l->calls[i].word);
    if (LINE(per) && f->per == MH_PER_connection)
        check_where(l, LINE(per), "connection", ops_that(mh_op_has_connection), "be counted by it",
                    "");
    if (LINE(per) && f->per == MH_PER_peer)
        check_where(l, LINE(per), "peer", ops_that(mh_op_has_peer), "be counted by it", "");
    if ((f->side == MH_SIDE_server && any == MH_OP_BIT(MH_OP_connect)) ||
        (f->side == MH_SIDE_client && any == MH_OP_BIT(MH_OP_accept)))
        mh_complain(l, LINE(side), "side = '%s': %s is always on the other side",
                    f->side == MH_SIDE_server ? "server" : "client",
                    f->side == MH_SIDE_server ? "connect" : "accept");
    check_budget(l);
}

void mh_check_fault(struct mh_loader *l)
{
    struct mh_fault *f = l->fault;
    uint64_t any;

    if (!LINE(call))
        mh_complain(l, l->section_line,
                    "%s has no 'call'; say what it happens to, such as call = recv", l->title);
    if (!l->tried) {
        MH_BUF(effects, 300);

        for (unsigned i = 0; i < MH_EFFECT_COUNT; i++)
            mh_say(&effects, i ? ", %s" : "%s", mh_effect_rows[i].name);
        mh_complain(l, l->section_line, "%s has no effect; give one of: %s", l->title,
                    effects.data);
    }
    check_together(l);
    if (!f->ops)
        return;
    any = check_effects(l);
    for (unsigned i = 0; any && f->effects == l->tried && i < l->ncalls; i++)
        if (!(l->calls[i].ops & any))
            mh_complain(l, LINE(call), "call = '%s': none of this fault's effects can happen to it",
                        l->calls[i].word);
    check_scope(l, any);
    if (f->force && LINE(force) && !LINE(error))
        mh_complain(l, LINE(force), "'force' has nothing to force: there is no 'error'");
    f->ops = any;
}

/* The longest time that a fault can be active; INT64_MAX when nothing ends it. */
static int64_t longest(const struct mh_rules *rules, unsigned fault)
{
    int64_t most = 0;

    if (rules->nphases == 0)
        return rules->stop_after_ns;
    for (unsigned i = 0; i < rules->nphases; i++) {
        const struct mh_phase *p = &rules->phases[i];

        if (!(p->faults[fault / 64] & UINT64_C(1) << fault % 64))
            continue;
        if (!p->for_ns)
            return INT64_MAX;
        most = p->for_ns > most ? p->for_ns : most;
    }
    return most;
}

static void check_after(struct mh_loader *l)
{
    const struct mh_rules *rules = l->rules;

    for (unsigned i = 0; !l->unsure && i < rules->nfaults; i++) {
        const struct mh_fault *f = &rules->faults[i];
        int64_t most = longest(rules, i);
        MH_BUF(after, 32);
        MH_BUF(end, 32);

        if (!f->after_ns || !most || f->after_ns < most)
            continue;
        mh_num_say_time(&after, f->after_ns);
        mh_num_say_time(&end, most);
        mh_complain_in(l, f->file, f->line,
                       rules->nphases
                           ? "[fault %s] begins after %s, but its phase ends after %s already"
                           : "[fault %s] begins after %s, but stop_after ends the run at %s",
                       f->name, after.data, end.data);
    }
}

static void check_phases(struct mh_loader *l)
{
    struct mh_rules *rules = l->rules;
    uint64_t listed[MH_FAULT_WORDS] = {0};
    int64_t at = 0;

    for (unsigned i = 0; i < rules->nphases; i++) {
        struct mh_phase *p = &rules->phases[i];

        p->start_ns = at;
        at += p->for_ns;
        if (!p->for_ns && i + 1 < rules->nphases)
            mh_complain_in(l, p->file, p->line,
                           "[phase %s] has no 'for'; only the last phase may leave it out",
                           p->name);
        for (unsigned w = 0; w < MH_FAULT_WORDS; w++)
            listed[w] |= p->faults[w];
    }
    for (unsigned i = 0; rules->nphases && !l->unsure && i < rules->nfaults; i++)
        if (!(listed[i / 64] & UINT64_C(1) << i % 64))
            mh_complain_in(l, rules->faults[i].file, rules->faults[i].line,
                           "[fault %s] is in no phase, so it could not fire; list it in one, or "
                           "leave it out",
                           rules->faults[i].name);
    if (!l->unsure && at > rules->stop_after_ns) {
        MH_BUF(all, 32);
        MH_BUF(stop, 32);

        mh_num_say_time(&all, at);
        mh_num_say_time(&stop, rules->stop_after_ns);
        mh_complain_in(l, rules->phases[0].file, rules->phases[0].line,
                       "the phases last %s, but stop_after ends the run at %s; set it in [run]",
                       all.data, stop.data);
    }
}

void mh_check_run(struct mh_loader *l)
{
    if (l->unread)
        return;
    check_phases(l);
    check_after(l);
}
