/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about files under a failing disk: MH-2006 a file is written in place and left torn, MH-2007
 * the error of a sync or a close is ignored. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "grade/judge.h"

#include "base/banned.h"

enum { AT_ONCE_NS = 50000000 };

/* Openings for writing of one path by one process, around a failed operation on it. */
struct history {
    const struct mh_act *open; /* the last one before it */
    const struct mh_act *good; /* the first one since which all writes to it failed */
    bool written_before;       /* the path had been opened for writing before that */
    bool moved_away;           /* ... and nothing was there any more: a name for a while */
    bool written_after;        /* in the same unit */
    bool copied_after;         /* ... or a file of the same kind, from the same place in the code */
};

static bool opens(const struct mh_act *a, uint32_t path_id)
{
    return a->kind == MH_ACT_file && a->file.path_id == path_id;
}

static bool write_fails(const struct mh_grading *g, const struct mh_act *a, uint32_t path_id)
{
    const struct mh_op_seen *o = a->kind == MH_ACT_op ? &g->m->ops.v[a->op] : NULL;

    return o && o->path_id == path_id && o->err && o->kind == MH_OP_write;
}

/* What earlier failures left behind is no content: it counts what the first of them found.
 * *ret_again: the path had been opened before that. */
static const struct mh_act *first_failing(const struct mh_grading *g, const struct mh_act *open,
                                          uint32_t path_id, bool *ret_again)
{
    const struct mh_act *first = g->m->acts.v + g->m->processes.v[open->process].first_act;
    bool failed = false;

    for (const struct mh_act *a = open; a-- > first && !*ret_again;) {
        failed |= write_fails(g, a, path_id);
        if (!opens(a, path_id))
            continue;
        *ret_again = !failed;
        open = failed ? a : open;
        failed = false;
    }
    return open;
}

/* The last opening for writing before this one by another process, one of several workers, say. A
 * path in which a number is masked may be another file's. */
static const struct mh_act *open_by_others(const struct mh_grading *g, const struct mh_act *open)
{
    const char *path = mh_model_text(g->m, open->file.path);
    const struct mh_act *last = NULL;

    for (size_t i = 0; *path == '/' && !strchr(path, '{') && i < g->m->acts.n; i++) {
        const struct mh_act *a = &g->m->acts.v[i];

        if (a->kind == MH_ACT_file && a->file.path == open->file.path && a->at < open->at &&
            a->process != open->process && !g->m->processes.v[a->process].baseline &&
            g->m->processes.v[a->process].host == g->m->processes.v[open->process].host &&
            (!last || last->at < a->at))
            last = a;
    }
    return last;
}

/* Was it found empty because another worker, which failed likewise, had emptied it? */
static bool emptied_by_others(const struct mh_grading *g, const struct mh_act *open)
{
    const struct mh_act *other = open_by_others(g, open), *end;
    const struct mh_process *p = other ? &g->m->processes.v[other->process] : NULL;
    bool again = false;

    end = p ? g->m->acts.v + p->first_act + p->nacts : NULL;
    for (const struct mh_act *a = other; a && a < end && a->at < open->at; a++)
        if (write_fails(g, a, other->file.path_id))
            return first_failing(g, other, other->file.path_id, &again)->file.had > 1;
    return false;
}

static struct history history_of(const struct mh_grading *g, const struct mh_trial *t)
{
    const struct mh_op_seen *o = &g->m->ops.v[t->op];
    const struct mh_act *op = &g->m->acts.v[o->act];
    const struct mh_process *p = &g->m->processes.v[op->process];
    const struct mh_act *first = g->m->acts.v + p->first_act, *end = first + p->nacts, *a;
    struct history h = {.open = NULL};
    bool again = false;
    int64_t until;

    for (a = op; a-- > first && !h.written_before;) {
        if (!opens(a, o->path_id))
            continue;
        h.written_before = h.open != NULL;
        if (!h.open)
            h.open = a;
    }
    if (h.open)
        h.good = first_failing(g, h.open, o->path_id, &again);
    if (h.good && h.good->file.had == 1 && again && emptied_by_others(g, h.good)) {
        h.written_before = true;
    } else if (h.good && h.good->file.had) {
        h.written_before = h.good->file.had > 1;
        h.moved_away = h.good->file.had == 1 && again;
    } else if (h.open && !h.written_before)
        h.written_before = open_by_others(g, h.open) != NULL;
    until = mh_grading_unit(g, t->unit)->ended;
    if (mh_grading_unit(g, t->unit)->command) /* put right, and not just the next thing it does */
        until = MH_MIN(until, op->until + AT_ONCE_NS);
    for (a = op + 1; a < end && a->at <= until; a++) {
        h.written_after |= opens(a, o->path_id) && a->unit == t->unit;
        h.copied_after |= a->kind == MH_ACT_file && a->unit == t->unit && h.open &&
                          a->site == h.open->site && a->file.path == h.open->file.path;
    }
    return h;
}

/* ---- MH-2006 ---- */

static double value_2006(struct mh_grading *g, const struct mh_trial *t)
{
    struct history h;

    if (t->kind != MH_OP_write || !t->error || !t->path)
        return MH_NOT_MINE;
    h = history_of(g, t);
    if (!h.open || h.open->file.flags & O_APPEND)
        return MH_NOT_MINE;
    if (h.open->file.flags & O_EXCL || h.moved_away)
        return 1; /* a name of its own: what was there is untouched */
    if (!(h.open->file.flags & O_TRUNC) || !h.written_before)
        return MH_NOT_MINE; /* nothing is known to have been lost */
    return h.written_after ? 0.5 : 0;
}

/* What was there is written over piece by piece, without having been emptied first. How much of it
 * had been when the write failed is not recorded, nor whether a journal keeps it whole. */
static double value_over(struct mh_grading *g, const struct mh_trial *t)
{
    struct history h;

    if (t->kind != MH_OP_write || !t->error || !t->path)
        return MH_NOT_MINE;
    h = history_of(g, t);
    if (!h.open || h.open->file.flags & (O_APPEND | O_EXCL | O_TRUNC))
        return MH_NOT_MINE;
    return h.written_before || !(h.open->file.flags & O_CREAT) ? 0 : MH_NOT_MINE;
}

static int file_over(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    int r = mh_tally_all(g, &tallies, value_over);

    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        struct mh_judgement *j = mh_judge_file(g, MH_VERDICT_unclear, t->site, t->peer,
                                               MH_SEVERITY_critical, mh_tally_confidence(t));

        if (!j)
            r = -ENOMEM;
        else
            mh_reason(j,
                      "%u writes failed of a file that is written over in place; whether the old "
                      "content was half gone by then, or a journal keeps it, cannot be seen",
                      t->fired);
    }
    mh_tallies_done(&tallies);
    return r;
}

int mh_judge_2006(struct mh_grading *g)
{
    static const struct mh_plain_rule rule = {
        .value = value_2006,
        .severity = MH_SEVERITY_critical,
        .held = "failed writes went to a new name",
        .became = "hit a file that had been emptied before it was written anew,",
        .none = "no write failed of a file that had been written before",
        .how = "[fault x] call = file.write, path = /data/**, error = ENOSPC",
    };

    int r = file_over(g);

    return r ? r : mh_judge_plain(g, &rule);
}

/* ---- MH-2007 ---- */

static double value_2007(struct mh_grading *g, const struct mh_trial *t)
{
    struct history h;

    if ((t->kind != MH_OP_fsync && t->kind != MH_OP_close) || !t->error || !t->path)
        return MH_NOT_MINE;
    switch (t->outcome) {
    case MH_OUTCOME_refused:
    case MH_OUTCOME_broke:
    case MH_OUTCOME_degraded:
        return 1;
    case MH_OUTCOME_silent:
    case MH_OUTCOME_absorbed:
        /* a command has nobody to answer: who reads its log is told */
        if (mh_grading_unit(g, t->unit)->command && t->logged)
            return 1;
        h = history_of(g, t);
        return h.written_after || h.copied_after;
    default:
        return MH_NOT_MINE;
    }
}

int mh_judge_2007(struct mh_grading *g)
{
    static const struct mh_plain_rule rule = {
        .value = value_2007,
        .severity = MH_SEVERITY_high,
        .held = "failures to sync were not called a success",
        .became = "were answered as a success, and the file was not written anew,",
        .none = "no sync or close of a file failed",
        .how = "[fault x] call = file.sync, path = /data/**, error = EIO",
    };

    return mh_judge_plain(g, &rule);
}
