/* SPDX-License-Identifier: Apache-2.0 */
/* See abort.h. An exit is a process of the run that ended with a status other than 0, by its own
 * word in the control page, or without any word, as signals and crashes do it. */
#include "run/abort.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/macros.h"

#include "base/banned.h"

enum { SAMPLE_NS = 200000000, LEAST_UNITS = 3 /* of which a share may be told */ };

struct mh_abort_watch *mh_abort_watch_new(const struct mh_rules *rules,
                                          const struct mh_control *control)
{
    struct mh_abort_watch *w = calloc(1, sizeof(*w));

    if (w) {
        w->rules = rules;
        w->control = control;
    }
    return w;
}

/* Hash of the program that this process runs; 0: it is gone, or only its parent still knows it. */
static uint64_t program_of(int pid)
{
    char link[64], path[512];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/%d/exe", pid);
    n = readlink(link, path, sizeof(path));
    return n > 0 ? mh_hash_bytes(MH_HASH_START, path, (size_t)n) | 1 : 0;
}

/* Looks who has gone. One that became another program (exec) is no longer ours to watch. */
static void look_at_members(struct mh_abort_watch *w)
{
    for (unsigned i = 0; i < MH_CONTROL_MEMBERS; i++) {
        int pid = __atomic_load_n(&w->control->members[i].pid, __ATOMIC_ACQUIRE);
        uint32_t ended = __atomic_load_n(&w->control->members[i].ended, __ATOMIC_ACQUIRE);
        uint64_t program;

        if (!pid || w->members[i].gone)
            continue;
        program = program_of(pid);
        if (ended) {
            w->exits += ended == MH_MEMBER_FAILED;
            w->members[i].gone = true;
        } else if (!program) {
            /* between its last word and its end it may have had none to say */
            ended = __atomic_load_n(&w->control->members[i].ended, __ATOMIC_ACQUIRE);
            w->exits += w->members[i].exe && ended != MH_MEMBER_FINE;
            w->members[i].gone = true;
        } else if (w->members[i].exe && w->members[i].exe != program) {
            w->members[i].gone = true;
        }
        w->members[i].exe = program;
    }
}

/* The last sample at or before `at`, or the first there is. */
static const struct mh_abort_sample *sample_at(const struct mh_abort_watch *w, int64_t at)
{
    unsigned have = MH_MIN(w->n, (unsigned)MH_ABORT_SAMPLES);
    const struct mh_abort_sample *best = &w->samples[(w->n - have) % MH_ABORT_SAMPLES];

    for (unsigned i = 0; i < have; i++) {
        const struct mh_abort_sample *s = &w->samples[(w->n - 1 - i) % MH_ABORT_SAMPLES];

        if (s->at <= at)
            return s;
    }
    return best;
}

static bool holds(const struct mh_abort_watch *w, const struct mh_abort *a, int64_t now)
{
    const struct mh_abort_sample *last = &w->samples[(w->n - 1) % MH_ABORT_SAMPLES];
    const struct mh_abort_sample *first = sample_at(w, a->for_ns ? now - a->for_ns : 0);
    uint64_t units = last->units - first->units, bad = last->units_5xx - first->units_5xx;

    if (a->what == MH_ABORT_exits)
        return last->exits - first->exits > a->limit;
    if (!a->share)
        return bad > a->limit;
    /* a share needs its whole time, and somebody to ask */
    return now - w->origin_at >= a->for_ns && units >= LEAST_UNITS &&
           (double)bad > (double)units * (double)a->limit / UINT32_MAX;
}

const struct mh_abort *mh_abort_watch_look(struct mh_abort_watch *w, int64_t now)
{
    const struct mh_abort_sample *last;

    if (!w || !w->rules || !w->rules->naborts)
        return NULL;
    if (!w->origin_at)
        w->origin_at = now;
    look_at_members(w);
    last = w->n ? &w->samples[(w->n - 1) % MH_ABORT_SAMPLES] : NULL;
    if (last && now - last->at < SAMPLE_NS)
        return NULL;
    w->samples[w->n++ % MH_ABORT_SAMPLES] = (struct mh_abort_sample){
        now, w->exits, __atomic_load_n(&w->control->units, __ATOMIC_RELAXED),
        __atomic_load_n(&w->control->units_5xx, __ATOMIC_RELAXED)};
    for (unsigned i = 0; i < w->rules->naborts; i++)
        if (holds(w, &w->rules->aborts[i], now))
            return &w->rules->aborts[i];
    return NULL;
}
