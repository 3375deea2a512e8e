/* SPDX-License-Identifier: Apache-2.0 */
/* A fault as one English sentence; see load.h. It says what will happen, not what was written:
 * calls to which nothing can happen are gone, a group of calls is its operations. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/errname.h"
#include "base/num.h"
#include "rule/loader.h"

#include "base/banned.h"

/* "", " and " or ", " before item i of n. */
static const char *between(unsigned i, unsigned n, const char *last)
{
    return i == 0 ? "" : i + 1 == n ? last : ", ";
}

static unsigned say_calls(const struct mh_fault *f, struct mh_buf *b)
{
    unsigned n = (unsigned)__builtin_popcountll(f->ops), i = 0;

    for (unsigned op = 1; op < MH_OP_COUNT; op++)
        if (f->ops & MH_OP_BIT(op)) {
            mh_buf_add(b, between(i++, n, " and "));
            mh_buf_add(b, mh_op_rows[op].name);
        }
    return n;
}

static void say_peer(const struct mh_peer_pattern *p, struct mh_buf *b)
{
    bool brackets = p->family == AF_INET6 && p->port;

    if (p->family == AF_UNIX)
        mh_buf_add(b, "unix:");
    mh_buf_add(b, brackets ? "[" : "");
    mh_buf_add(b, p->name);
    mh_buf_add(b, brackets ? "]" : "");
    if (p->port) {
        mh_buf_add_char(b, ':');
        mh_buf_add_uint(b, p->port, 10);
    }
}

static void say_any(const char *what, const char (*words)[MH_PATTERN_SIZE], unsigned n,
                    struct mh_buf *b)
{
    for (unsigned i = 0; i < n; i++) {
        mh_buf_add(b, i ? between(i, n, " or ") : what);
        mh_buf_add(b, words[i]);
    }
}

bool mh_fault_by_route(const struct mh_fault *fault)
{
    bool any = false;

    for (unsigned i = 0; i < fault->noperations; i++)
        any |= strchr(fault->operations[i], '/') != NULL;
    return any;
}

static void say_where(const struct mh_fault *f, struct mh_buf *b)
{
    if (f->side == MH_SIDE_client)
        mh_buf_add(b, " as a client");
    else if (f->side == MH_SIDE_server)
        mh_buf_add(b, " as a server");
    for (unsigned i = 0; i < f->npeers; i++) {
        mh_buf_add(b, i ? between(i, f->npeers, " or ") : " on ");
        say_peer(&f->peers[i], b);
    }
    say_any(" on ", f->paths, f->npaths, b);
    say_any(" with ", f->stacks, f->nstacks, b);
    mh_buf_add(b, f->nstacks ? " on the stack" : "");
    say_any(" by code of ", f->callers, f->ncallers, b);
    say_any(" during ", f->operations, f->noperations, b);
    say_any(" in processes like ", f->processes, f->nprocesses, b);
}

static void say_delay(const struct mh_dist *d, struct mh_buf *b)
{
    mh_buf_add(b, "delayed by ");
    mh_num_say_time(b, d->a);
    if (d->kind == MH_DIST_jitter || d->kind == MH_DIST_normal)
        mh_buf_add(b, " ± ");
    if (d->kind == MH_DIST_uniform)
        mh_buf_add(b, " to ");
    if (d->kind >= MH_DIST_pareto) {
        mh_buf_add(b,
                   d->kind == MH_DIST_pareto ? " or more (pareto, shape " : " (lognormal, shape ");
        mh_num_say_millionths(b, (uint64_t)d->b);
        mh_buf_add_char(b, ')');
    } else if (d->kind != MH_DIST_fixed) {
        mh_num_say_time(b, d->b);
    }
    if (d->kind == MH_DIST_normal)
        mh_buf_add(b, " (normal)");
}

static void say_errors(const struct mh_fault *f, struct mh_buf *b)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < f->nerrors; i++)
        total += f->errors[i].weight;
    for (unsigned i = 0; i < f->nerrors; i++) {
        int number = f->errors[i].number;

        mh_buf_add(b, between(i, f->nerrors, " or "));
        mh_buf_add(b, number < 0 ? mh_eai_name(number) : mh_errno_name(number));
        if (f->nerrors > 1) {
            mh_buf_add(b, " (");
            mh_num_say_percent(b, (uint32_t)((uint64_t)f->errors[i].weight * UINT32_MAX / total));
            mh_buf_add_char(b, ')');
        }
    }
}

static void say_short(const struct mh_fault *f, struct mh_buf *b)
{
    if (f->short_min != f->short_max) {
        mh_buf_add_uint(b, f->short_min, 10);
        mh_buf_add(b, " to ");
    }
    mh_buf_add_uint(b, f->short_max, 10);
    mh_buf_add(b, f->short_max == 1 ? " byte a call" : " bytes a call");
}

static void say_after(uint64_t bytes, struct mh_buf *b)
{
    if (bytes == 0) {
        mh_buf_add(b, "at once");
        return;
    }
    mh_buf_add(b, "after ");
    mh_num_say_size(b, bytes);
}

static void say_corrupt(const struct mh_corrupt *c, struct mh_buf *b)
{
    mh_buf_add_uint(b, c->count, 10);
    mh_buf_add(b, c->bytes ? " byte" : " bit");
    mh_buf_add(b, c->count == 1 ? "" : "s");
    mh_buf_add(b, c->bytes ? " changed" : " flipped");
    if (c->per) {
        mh_buf_add(b, " in each ");
        mh_num_say_size(b, c->per);
    }
}

static void say_addresses(const struct mh_fault *f, struct mh_buf *b)
{
    for (unsigned i = 0; i < f->naddresses; i++) {
        char text[INET6_ADDRSTRLEN] = "";

        inet_ntop(f->addresses[i].family, f->addresses[i].addr, text, sizeof(text));
        mh_buf_add(b, between(i, f->naddresses, " and "));
        mh_buf_add(b, text);
    }
    mh_buf_add(b, " as its address");
    mh_buf_add(b, f->naddresses > 1 ? "es" : "");
}

static const char *signal_name(int number)
{
    for (unsigned i = 0; mh_signal_rows[i].name; i++)
        if (mh_signal_rows[i].number == number)
            return mh_signal_rows[i].name;
    return "a signal";
}

static void say_effect(const struct mh_fault *f, enum mh_effect effect, bool many, struct mh_buf *b)
{
    static const char *const verbs[MH_EFFECT_COUNT][2] = {
        [MH_EFFECT_delay] = {"is ", "are "},
        [MH_EFFECT_error] = {"fails with ", "fail with "},
        [MH_EFFECT_short] = {"moves at most ", "move at most "},
        [MH_EFFECT_eof] = {"comes to the end ", "come to the end "},
        [MH_EFFECT_reset] = {"is reset ", "are reset "},
        [MH_EFFECT_hang] = {"never becomes ready", "never become ready"},
        [MH_EFFECT_blackhole] = {"vanishes in a black hole", "vanish in a black hole"},
        [MH_EFFECT_rate] = {"moves at most ", "move at most "},
        [MH_EFFECT_corrupt] = {"has ", "have "},
        [MH_EFFECT_fds] = {"fails with EMFILE past ", "fail with EMFILE past "},
        [MH_EFFECT_disk] = {"fails with ENOSPC when files have grown by ",
                            "fail with ENOSPC when files have grown by "},
        [MH_EFFECT_threads] = {"fails with EAGAIN past ", "fail with EAGAIN past "},
        [MH_EFFECT_memory] = {"fails with ENOMEM past ", "fail with ENOMEM past "},
        [MH_EFFECT_family] = {"gives ", "give "},
        [MH_EFFECT_step] = {"is ", "are "},
        [MH_EFFECT_address] = {"gives ", "give "},
        [MH_EFFECT_lost] = {"is said to be done, and is not", "are said to be done, and are not"},
        [MH_EFFECT_kill] = {"kills the process with ", "kill the process with "},
    };

    mh_buf_add(b, verbs[effect][many]);
    if (effect == MH_EFFECT_delay)
        say_delay(&f->delay, b);
    if (effect == MH_EFFECT_error)
        say_errors(f, b);
    if (effect == MH_EFFECT_short)
        say_short(f, b);
    if (effect == MH_EFFECT_eof || effect == MH_EFFECT_reset)
        say_after(effect == MH_EFFECT_eof ? f->eof_after : f->reset_after, b);
    if (effect == MH_EFFECT_memory) {
        mh_num_say_size(b, f->memory);
        mh_buf_add(b, " in a process");
    }
    if (effect == MH_EFFECT_corrupt)
        say_corrupt(&f->corrupt, b);
    if (effect == MH_EFFECT_rate) {
        mh_num_say_size(b, f->rate);
        mh_buf_add(b, " a second");
    }
    if (effect == MH_EFFECT_address) {
        say_addresses(f, b);
    } else if (effect == MH_EFFECT_step) {
        mh_num_say_time(b, f->step_ns < 0 ? -f->step_ns : f->step_ns);
        mh_buf_add(b, f->step_ns < 0 ? " behind" : " ahead");
    } else if (effect == MH_EFFECT_disk) {
        mh_num_say_size(b, f->limit);
    } else if (MH_EFFECT_BIT(effect) & MH_EFFECTS_KEPT) {
        mh_buf_add_uint(b, f->limit, 10);
        mh_buf_add(b, effect == MH_EFFECT_fds ? " descriptors"
                      : f->limit == 1         ? " thread"
                                              : " threads");
        mh_buf_add(b, " in a process");
    }
    if (effect == MH_EFFECT_family)
        mh_buf_add(b, (const char *const[]){"", "IPv4 addresses first", "IPv6 addresses first",
                                            "addresses of another family first"}[f->family]);
    if (effect == MH_EFFECT_kill)
        mh_buf_add(b, signal_name(f->signal));
}

static const char *ordinal_suffix(uint64_t n)
{
    if (n % 100 / 10 == 1 || n % 10 == 0 || n % 10 > 3)
        return "th";
    return n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : "rd";
}

static void say_counts(const struct mh_fault *f, struct mh_buf *b)
{
    static const char *const per[] = {"run", "process", "peer", "connection", "site"};
    bool counted = f->skip || f->every > 1 || f->count, peers = false;

    if (f->probability != UINT32_MAX) {
        mh_buf_add(b, ", ");
        mh_num_say_percent(b, f->probability);
        mh_buf_add(b, " of the time");
    }
    if (f->every > 1) {
        mh_buf_add(b, ", every ");
        mh_buf_add_uint(b, f->every, 10);
        mh_buf_add(b, ordinal_suffix(f->every));
        mh_buf_add(b, " time");
    }
    if (f->skip) {
        mh_buf_add(b, ", after the first ");
        mh_buf_add_uint(b, f->skip, 10);
    }
    if (f->count) {
        mh_buf_add(b, ", at most ");
        mh_buf_add_uint(b, f->count, 10);
        mh_buf_add(b, f->count == 1 ? " time" : " times");
    }
    for (unsigned op = 1; op < MH_OP_COUNT; op++)
        peers = peers || ((f->ops & MH_OP_BIT(op)) && mh_op_has_peer(op));
    if (counted) { /* what has no peer is counted by the process that does it */
        mh_buf_add(b, " per ");
        mh_buf_add(b, per[f->per == MH_PER_peer && !peers ? MH_PER_process : f->per]);
    }
}

void mh_fault_sentence(const struct mh_fault *fault, struct mh_buf *ret)
{
    bool many = say_calls(fault, ret) > 1;
    unsigned n = (unsigned)__builtin_popcount(fault->effects), i = 0;

    say_where(fault, ret);
    for (unsigned e = 0; e < MH_EFFECT_COUNT; e++)
        if (fault->effects & MH_EFFECT_BIT(e)) {
            mh_buf_add(ret, i == 0 ? " " : i + 1 == n ? " and " : ", ");
            say_effect(fault, (enum mh_effect)e, many, ret);
            i++;
        }
    say_counts(fault, ret);
    if (fault->after_ns) {
        mh_buf_add(ret, ", from ");
        mh_num_say_time(ret, fault->after_ns);
        mh_buf_add(ret, " on");
    }
    if (fault->for_ns) {
        mh_buf_add(ret, ", for ");
        mh_num_say_time(ret, fault->for_ns);
    }
}
