/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about what the application does with an error once it has it: MH-0102 its handler fails
 * itself, MH-0104 and MH-0606 the process ends, MH-1006 it is only told as information, MH-2002 the
 * failure is remembered and served for ever. */
#include <errno.h>
#include <stdio.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;

/* ---- MH-0102 ---- */

static double value_0102(struct mh_grading *g, const struct mh_trial *t)
{
    if (!t->error || t->outcome == MH_OUTCOME_unknown || !t->type_born)
        return MH_NOT_MINE;
    if (t->type_handler && (t->outcome == MH_OUTCOME_broke || t->outcome == MH_OUTCOME_collapsed))
        return 0;
    /* it was caught, or told in other words, which the framework took for an answer */
    return (t->caught && t->handler.kind == MH_FRAME_app) ||
                   (t->translated && t->outcome == MH_OUTCOME_refused)
               ? 1
               : MH_NOT_MINE;
}

static int file_0102(struct mh_grading *g, const struct mh_tally *t)
{
    struct mh_judgement *j = mh_judge_tally(g, t, MH_SEVERITY_high);
    char frame[400];

    if (!j)
        return -ENOMEM;
    if (j->verdict == MH_VERDICT_unclear)
        return 0;
    mh_say_trials(g, j, t, "broke in the handler of the error");
    if (j->verdict != MH_VERDICT_pass) {
        const struct mh_trial *example = &g->trials.v[j->trial - 1];

        mh_name_frame(g, &example->raised, frame, sizeof(frame));
        mh_sentence(j->evidence, "while %s was handled, %s was raised in %s",
                    mh_model_text(g->m, example->type_born),
                    mh_model_text(g->m, example->type_handler), frame);
    }
    return 0;
}

static bool any_error(const struct mh_grading *g)
{
    for (size_t i = 0; i < g->trials.n; i++)
        if (g->trials.v[i].error || g->trials.v[i].answered)
            return true;
    return false;
}

int mh_judge_0102(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    int r = mh_tally_all(g, &tallies, value_0102);

    for (size_t i = 0; i < tallies.list.n && !r; i++)
        r = file_0102(g, &tallies.list.v[i]);
    if (!r && !tallies.list.n)
        r = any_error(g) && !g->m->steps_seen
                ? mh_judge_none(g, MH_VERDICT_unclear,
                                "what became of the exceptions could not be followed", NULL)
                : mh_judge_none(
                      g, MH_VERDICT_not_exercised,
                      any_error(g)
                          ? mh_none_of_errors(g, "no injected error was handled by the application")
                          : "no error was injected into a unit of work",
                      NULL);
    mh_tallies_done(&tallies);
    return r;
}

/* ---- MH-0104, MH-0606 ---- */

/* The host has no more to give; it may have again. */
static bool is_limit(enum mh_op_kind kind, int err)
{
    if (err == EAGAIN)
        return kind == MH_OP_thread || kind == MH_OP_fork;
    return err == EMFILE || err == ENFILE || err == ENOMEM || err == ENOSPC || err == EDQUOT;
}

/* Has any process begun to serve a request since then? Nobody does once the run is stopped. */
static bool served_after(const struct mh_grading *g, int64_t at)
{
    for (size_t i = 0; i < g->m->units.n; i++)
        if (g->m->units.v[i].kind == MH_UNIT_request && g->m->units.v[i].begun > at)
            return true;
    return false;
}

/* Did the run go on after the process had ended? A command that ends by itself, badly, ends the
 * run: it did not live to its end. */
static bool outlived(const struct mh_grading *g, const struct mh_process *p)
{
    if (g->m->child_stopped)
        return served_after(g, p->last + 2 * second);
    return g->m->last >= p->last + 2 * second ||
           (p->exited && p->exit_status > 0 && g->m->child_status == p->exit_status);
}

/* Did the process end within 5 s of the fault, by itself, while the run went on? 1: it did not. */
static double end_after(const struct mh_grading *g, const struct mh_process *p, int64_t at)
{
    if (p->last - at > 5 * second)
        return 1;
    if (!outlived(g, p))
        return MH_NOT_MINE;
    return p->exited && p->exit_status != 0 ? 0 : MH_NOT_MINE;
}

static double value_end(struct mh_grading *g, const struct mh_trial *t)
{
    const struct mh_act *a = &g->m->acts.v[g->m->ops.v[t->op].act];

    if (!t->error || t->effect - 1 == MH_EFFECT_kill || mh_grading_unit(g, t->unit)->command)
        return MH_NOT_MINE;
    return end_after(g, &g->m->processes.v[a->process], a->at);
}

static double value_0104(struct mh_grading *g, const struct mh_trial *t)
{
    return is_limit(t->kind, t->err) ? MH_NOT_MINE : value_end(g, t);
}

/* Without memory also a library may end the process: nobody's finding. */
static double value_0606(struct mh_grading *g, const struct mh_trial *t)
{
    if (!is_limit(t->kind, t->err) || t->kind == MH_OP_malloc || t->kind == MH_OP_mmap)
        return MH_NOT_MINE;
    return value_end(g, t);
}

/* Has another process begun to answer since? */
static bool replaced(const struct mh_grading *g, const struct mh_process *p)
{
    for (size_t i = 0; i < g->m->processes.n; i++)
        if (g->m->processes.v[i].nunits && g->m->processes.v[i].last > p->last + second)
            return true;
    return false;
}

static const struct mh_process *process_of(const struct mh_grading *g, const struct mh_trial *t)
{
    return &g->m->processes.v[mh_grading_unit(g, t->unit)->process];
}

/* An error outside of any request, in a process that serves; or a limit that nobody could be let in
 * for. */
struct beside {
    uint32_t process, site, peer, stack;
    int64_t at;
    int err;
    const char *what;
};

/* What was said of another process that came to the same end at this place; NULL nothing. */
static struct mh_judgement *said_of_another(struct mh_grading *g, const struct beside *b,
                                            enum mh_verdict_kind verdict)
{
    for (size_t i = g->judgements.n; i-- > 0 && g->judgements.v[i].rule == g->rule;) {
        struct mh_judgement *j = &g->judgements.v[i];

        if (!j->trial && j->verdict == verdict && j->site == b->site && j->peer == b->peer)
            return j;
    }
    return NULL;
}

static int file_beside(struct mh_grading *g, const struct beside *b)
{
    const struct mh_process *p = &g->m->processes.v[b->process];
    double value = end_after(g, p, b->at);
    bool back = replaced(g, p);
    struct mh_judgement *j = said_of_another(g, b, value > 0 ? MH_VERDICT_pass : MH_VERDICT_fail);

    if (value < 0)
        return 0;
    if (j) {
        j->fired++;
        j->failed += value <= 0;
        if (value <= 0 && !back)
            j->severity = MH_SEVERITY_critical;
        return 0;
    }
    j = mh_judge_file(g, value > 0 ? MH_VERDICT_pass : MH_VERDICT_fail, b->site, b->peer,
                      back ? g->rule->nominal : MH_SEVERITY_critical, MH_CONFIDENCE_medium);
    if (!j)
        return -ENOMEM;
    j->fired = 1;
    j->failed = value <= 0;
    j->stack = b->stack;
    if (value > 0) {
        mh_reason(j, "the process outlived %s outside of any request", b->what);
        return 0;
    }
    mh_sentence(j->evidence,
                "%s outside of any request, and the process ended with status %d within %s",
                b->what, p->exit_status, MH_SPAN(MH_MAX(p->last - b->at, 0)));
    if (!back)
        mh_sentence(j->evidence, "no other process answered after that");
    return 0;
}

enum { SPINS_PER_S = 1000 };

/* A door that cannot be opened, and is tried again and again without a rest: it takes the time that
 * those would need who could give a descriptor back. */
static int file_spin(struct mh_grading *g, const struct mh_process *p, uint32_t site)
{
    struct mh_judgement *j =
        mh_judge_file(g, MH_VERDICT_fail, site, 0, MH_SEVERITY_critical, MH_CONFIDENCE_high);

    if (!j)
        return -ENOMEM;
    j->fired = j->failed = p->limit_rate;
    j->stack = p->limit_stack;
    mh_sentence(j->evidence, "%s in accept, %u times within a second: it was called again at once",
                mh_name_err(MH_OP_accept, p->limit_err), p->limit_rate);
    return 0;
}

static bool serves(const struct mh_process *p)
{
    return !p->baseline && !p->command_run && (p->nunits || p->listening > 0);
}

/* The last error of each place outside of requests: one place, one judgement. */
static int judge_beside(struct mh_grading *g, bool limits)
{
    struct mh_map seen = {0};
    int r = 0;

    for (size_t i = g->m->ops.n; i-- > 0 && !r;) {
        const struct mh_op_seen *o = &g->m->ops.v[i];
        const struct mh_act *a = &g->m->acts.v[o->act];
        uint64_t key = mh_mix2(mh_mix2(a->process, a->site), a->peer);
        const char *err = mh_name_err(o->kind, o->err), *name;
        char what[300];

        if (a->unit || !o->err || !err || !o->fault || is_limit(o->kind, o->err) != limits ||
            o->effect - 1 == MH_EFFECT_kill || o->kind == MH_OP_malloc || o->kind == MH_OP_mmap ||
            mh_op_asks(o->kind) || !serves(&g->m->processes.v[a->process]) ||
            mh_map_get(&seen, key) != MH_MAP_NONE)
            continue;
        name = a->peer ? mh_name_peer(g, a->peer) : mh_model_text(g->m, o->path);
        snprintf(what, sizeof(what), "%s in %s%s%s", err, mh_op_rows[o->kind].name,
                 *name ? " of " : "", name);
        r = mh_map_set(&seen, key, 1);
        if (!r)
            r = file_beside(
                g, &(struct beside){a->process, a->site, a->peer, a->stack, a->at, o->err, what});
    }
    for (uint32_t i = 0; i < g->m->processes.n && !r && limits; i++) {
        const struct mh_process *p = &g->m->processes.v[i];
        uint32_t site = p->limit_stack ? g->m->stacks.v[p->limit_stack - 1].site : 0;
        char what[100];

        if (!p->limit_at || !serves(p))
            continue;
        if (p->limit_rate > SPINS_PER_S) {
            r = file_spin(g, p, site);
            continue;
        }
        snprintf(what, sizeof(what), "%s in accept", mh_name_err(MH_OP_accept, p->limit_err));
        r = file_beside(
            g, &(struct beside){i, site, 0, p->limit_stack, p->limit_at, p->limit_err, what});
    }
    mh_map_done(&seen);
    return r;
}

static int judge_end(struct mh_grading *g, mh_judge_value *value, const char *none, const char *how)
{
    size_t before = g->judgements.n;
    struct mh_tallies tallies = {0};
    int r = mh_tally_all(g, &tallies, value);

    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        const struct mh_trial *example = t->example ? &g->trials.v[t->example - 1] : NULL;
        bool back = !example || replaced(g, process_of(g, example));
        struct mh_judgement *j =
            mh_judge_tally(g, t, back ? g->rule->nominal : MH_SEVERITY_critical);

        if (!j) {
            r = -ENOMEM;
        } else if (j->verdict != MH_VERDICT_unclear) {
            mh_say_trials(g, j, t, "were followed by the end of the process within 5 s");
            if (j->verdict != MH_VERDICT_pass && !back)
                mh_sentence(j->evidence, "no other process answered after that");
        }
    }
    if (!r)
        r = judge_beside(g, value == value_0606);
    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised, none, how);
    mh_tallies_done(&tallies);
    return r;
}

int mh_judge_0104(struct mh_grading *g)
{
    return judge_end(g, value_0104, "no error hit a request more than 5 s before the end", NULL);
}

int mh_judge_0606(struct mh_grading *g)
{
    return judge_end(g, value_0606,
                     "no limit (ENOSPC, EMFILE, ...) was reached in a request more than 5 s before "
                     "the end",
                     "[fault x] call = open, path = /data/**, error = EMFILE");
}

/* ---- MH-1006 ---- */

static double value_1006(struct mh_grading *g, const struct mh_trial *t)
{
    if (!t->error || !t->logged || !t->log_level || t->outcome == MH_OUTCOME_unknown ||
        t->outcome == MH_OUTCOME_broke || t->outcome == MH_OUTCOME_hung ||
        t->outcome == MH_OUTCOME_collapsed)
        return MH_NOT_MINE;
    return t->log_level >= MH_LEVEL_warning;
}

int mh_judge_1006(struct mh_grading *g)
{
    struct mh_tallies tallies = {0};
    int r = mh_tally_all(g, &tallies, value_1006);

    for (size_t i = 0; i < tallies.list.n && !r; i++) {
        const struct mh_tally *t = &tallies.list.v[i];
        struct mh_judgement *j = mh_judge_tally(g, t, MH_SEVERITY_low);

        if (!j)
            r = -ENOMEM;
        else if (j->verdict != MH_VERDICT_unclear)
            mh_say_trials(g, j, t, "were recorded as INFO or DEBUG only");
        if (j && j->verdict == MH_VERDICT_pass)
            mh_reason(j, "%u of %u handled failures were recorded as warnings or worse",
                      t->fired - t->failed, t->fired);
    }
    if (!r && !tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no handled failure was recorded with a level that can be seen", NULL);
    mh_tallies_done(&tallies);
    return r;
}

/* ---- MH-2002 ---- */

enum { MEMORY_UNITS = 10 };

static bool asks(const struct mh_grading *g, const struct mh_unit *u, uint32_t peer)
{
    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];

        if (a->kind == MH_ACT_attempt && a->peer == peer)
            return true;
    }
    return false;
}

/* Is this trial's operation the first that its process did at this site with this peer, and the
 * only one of them that failed? A breaker would have seen several. */
static bool is_first_use(const struct mh_grading *g, const struct mh_trial *t)
{
    const struct mh_unit *unit = mh_grading_unit(g, t->unit);
    const struct mh_process *p = &g->m->processes.v[unit->process];

    if (!t->peer || !t->error || t->ambiguous || unit->command)
        return false;
    for (size_t i = p->first_unit; i < p->first_unit + p->nunits; i++)
        if (g->m->units.v[i].begun < unit->begun && asks(g, &g->m->units.v[i], t->peer))
            return false;
    for (size_t i = 0; i < g->trials.n; i++)
        if (g->trials.v[i].peer == t->peer && g->trials.v[i].unit != t->unit &&
            mh_grading_unit(g, g->trials.v[i].unit)->process == unit->process)
            return false;
    return true;
}

static int judge_first(struct mh_grading *g, uint32_t trial)
{
    const struct mh_trial *t = &g->trials.v[trial];
    const struct mh_unit *unit = mh_grading_unit(g, t->unit);
    const struct mh_process *p = &g->m->processes.v[unit->process];
    unsigned failing = 0, asking = 0;
    struct mh_judgement *j;

    for (size_t i = p->first_unit; i < p->first_unit + p->nunits; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        if (u->route != unit->route || u->begun < unit->ended)
            continue;
        if (asks(g, u, t->peer))
            asking++;
        else
            failing += mh_unit_failed(u);
    }
    if (!asking && failing < MEMORY_UNITS)
        return 0;
    j = mh_judge_file(g, asking ? MH_VERDICT_pass : MH_VERDICT_fail, t->site, t->peer,
                      MH_SEVERITY_high, MH_CONFIDENCE_high);
    if (!j)
        return -ENOMEM;
    j->fired = asking ? 1 : failing + 1;
    j->failed = asking ? 0 : failing;
    j->trial = trial + 1;
    if (asking)
        mh_reason(j, "after its first use had failed, %s was asked again",
                  mh_name_peer(g, t->peer));
    else
        mh_sentence(j->evidence,
                    "the first use of %s in the process failed once; %u later requests of %s "
                    "failed, and not one of them asked it again",
                    mh_name_peer(g, t->peer), failing, mh_name_route(g, t->unit));
    return 0;
}

int mh_judge_2002(struct mh_grading *g)
{
    size_t before = g->judgements.n;
    int r = 0;

    for (uint32_t i = 0; i < g->trials.n && !r; i++)
        if (is_first_use(g, &g->trials.v[i]))
            r = judge_first(g, i);
    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no single fault hit the first use of a peer in a process",
                          "[fault x] call = net.connect, error = ECONNREFUSED, count = 1");
    return r;
}
