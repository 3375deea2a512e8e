/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a trial: how its unit of work ended, against what the route answers when all is
 * well; and whether anybody was told. See judge.h. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/errname.h"
#include "grade/judge.h"

#include "base/banned.h"

const char *const mh_outcome_words[] = {"absorbed", "degraded", "refused",   "broke",
                                        "hung",     "silent",   "collapsed", NULL};
const double mh_outcome_worth[] = {1.0, 0.85, 0.7, 0.4, 0.2, 0.1, 0.0, 0.0};

static const int64_t second = 1000000000;
enum { LOG_GRACE_S = 5 };

static const struct mh_path_seen *path_seen(const struct mh_model *m, const struct mh_unit *u)
{
    uint32_t have = mh_map_get(&m->path_keys, u->path);

    return have == MH_MAP_NONE ? NULL : &m->paths.v[have];
}

/* Is the body what this path answers otherwise? One earlier answer proves no difference: bodies may
 * change by themselves. The set of JSON keys is the coarser measure where bodies differ anyway. */
enum mh_body mh_unit_body(const struct mh_model *m, const struct mh_unit *u)
{
    const struct mh_path_seen *p = path_seen(m, u), *r = &m->routes.v[u->route - 1].usual;
    int64_t key = m->processes.v[u->process].digests;
    unsigned here = p && p->digests == key ? p->bodies : 0;
    unsigned all = r->digests == key ? r->bodies : 0;

    if (here && p->digest == u->digest)
        return MH_BODY_same;
    if (here >= 2 && !p->flaky_body)
        return MH_BODY_other;
    if (!here && all >= 3 && !r->flaky_body)
        return r->digest == u->digest ? MH_BODY_same : MH_BODY_other;
    if (here && p->keys && !p->flaky_keys)
        return p->keys == u->keys ? MH_BODY_same : MH_BODY_other;
    if (all >= 2 && r->keys && !r->flaky_keys)
        return r->keys == u->keys ? MH_BODY_same : MH_BODY_other;
    return MH_BODY_unknown;
}

static int usual_status(const struct mh_model *m, const struct mh_unit *u)
{
    const struct mh_path_seen *p = path_seen(m, u), *r = &m->routes.v[u->route - 1].usual;

    if (p && p->calm && !p->flaky_status)
        return p->status;
    return r->calm && !r->flaky_status ? r->status : 0;
}

/* Did its process go down with it, while the run went on? A process that has nothing to do and one
 * that is gone are silent alike. */
static bool collapsed(const struct mh_grading *g, const struct mh_trial *t, const struct mh_unit *u)
{
    const struct mh_process *p = &g->m->processes.v[u->process];
    const struct mh_act *a = &g->m->acts.v[g->m->ops.v[t->op].act];
    const struct mh_task *task = u->task_run ? &g->m->tasks.v[u->task_run - 1] : NULL;

    if (t->effect - 1 == MH_EFFECT_kill)
        return true;
    if (task && (task->exact || task->state)) /* its end is known */
        return task->state == MH_TASK_killed;
    if (p->exited || p->complete || g->m->child_stopped || p->last - a->at > 5 * second ||
        !mh_process_gone(g->m, p))
        return false;
    return (u->open || u->kind == MH_UNIT_command || (u->command && u->how == 2)) &&
           (g->m->last > p->last + second || g->m->child_status > 128);
}

bool mh_crashed_of_memory(const struct mh_process *p)
{
    return !p->exited && !p->complete && p->refused_at && p->last - p->refused_at <= 5 * second;
}

int64_t mh_fault_lifted(const struct mh_grading *g, int32_t fault, int64_t at)
{
    for (size_t i = 0; i < g->m->phases.n; i++) {
        const struct mh_phase_seen *p = &g->m->phases.v[i];

        if (at < p->start || (p->end && at >= p->end))
            continue;
        for (size_t k = 0; k < p->faults.n; k++)
            if (p->faults.v[k] == (uint32_t)fault)
                return p->end;
    }
    return 0;
}

bool mh_trial_swallowed(const struct mh_trial *t, const struct mh_unit *u)
{
    /* a library may put a read right by itself; a write that it dropped stays undone, and so does
     * one of which only the usual answer is known, as if nothing had failed */
    bool dropped = t->caught ? t->handler.kind == MH_FRAME_app || t->write
                             : t->write && !t->blind && t->body == MH_BODY_same;

    return t->error && dropped && u->status > 0 && u->status < 400 && !t->retried && !t->fallback &&
           t->body != MH_BODY_other && !t->logged;
}

/* Catch-alls say 500. Any other number (503, 507 ...) was chosen by somebody. */
static bool is_decided(int status)
{
    return status == 429 || (status > 500 && status < 600);
}

/* It was answered in time, and with what is not known: well, where nothing failed but for a while.
 */
static enum mh_outcome unread_answer(const struct mh_trial *t)
{
    return t->retry_ok || (!t->error && !t->timed_out) ? MH_OUTCOME_absorbed : MH_OUTCOME_unknown;
}

/* A connection that lasts is not a request that hangs, and goes on when it has failed once: only an
 * end that comes with the error comes of it. */
static enum mh_outcome websocket_outcome(const struct mh_trial *t, const struct mh_unit *u,
                                         const struct mh_act *a)
{
    if (u->open || u->how == 1 || u->status == 200 || u->ended - a->until > LOG_GRACE_S * second)
        return unread_answer(t);
    return is_decided(u->status) ? MH_OUTCOME_refused : MH_OUTCOME_broke;
}

/* Who gives up at the deadline itself, a limit of one second for one, answers a little after it. */
static bool is_late(const struct mh_unit *u, int64_t deadline)
{
    return u->latency >= deadline + deadline / 10;
}

static enum mh_outcome decide(const struct mh_grading *g, struct mh_trial *t)
{
    const struct mh_unit *u = mh_grading_unit(g, t->unit);
    const struct mh_act *a = &g->m->acts.v[g->m->ops.v[t->op].act];
    int64_t deadline = g->m->routes.v[u->route - 1].deadline;
    int64_t lift = mh_fault_lifted(g, t->fault, a->at);
    int usual = usual_status(g->m, u);

    /* a lost write is noticed by who reads it, in whatever unit that is, or by nobody */
    if (t->walked || (t->untold && !t->error))
        return MH_OUTCOME_unknown;
    if (collapsed(g, t, u)) /* what an interpreter does without memory is not the application's */
        return t->effect - 1 != MH_EFFECT_kill &&
                       mh_crashed_of_memory(&g->m->processes.v[u->process])
                   ? MH_OUTCOME_unknown
                   : MH_OUTCOME_collapsed;
    /* the hang ended before anybody's patience could: it says nothing */
    if (mh_effect_silent(t->effect) && lift && u->ended >= lift && lift - a->at < deadline)
        return MH_OUTCOME_unknown;
    if (u->kind == MH_UNIT_websocket)
        return websocket_outcome(t, u, a);
    /* a consumer that had to be stopped, but had got through before, or gone on */
    if (u->command && u->how == 1 && (t->retry_ok || mh_went_on(g, a)))
        return MH_OUTCOME_absorbed;
    if (u->open || u->how == 1)
        return u->ended - MH_MAX(a->at, u->begun) >= deadline ? MH_OUTCOME_hung
                                                              : MH_OUTCOME_unknown;
    if (t->overtaken && (is_late(u, deadline) || u->status >= 500))
        return MH_OUTCOME_unknown;
    if (!u->command && is_late(u, deadline))
        return MH_OUTCOME_hung;
    if (is_decided(u->status))
        return usual == u->status ? MH_OUTCOME_unknown : MH_OUTCOME_refused;
    if (mh_unit_failed(u))
        return usual >= 500 ? MH_OUTCOME_unknown : MH_OUTCOME_broke;
    if (u->sealed)
        return unread_answer(t);
    if (u->status >= 400 && usual && usual != u->status)
        return MH_OUTCOME_refused;
    t->body = u->command ? MH_BODY_unknown : mh_unit_body(g->m, u);
    if (mh_trial_swallowed(t, u))
        return MH_OUTCOME_silent;
    return t->body == MH_BODY_other ? MH_OUTCOME_degraded : MH_OUTCOME_absorbed;
}

void mh_outcome_decide(const struct mh_grading *g, struct mh_trial *t)
{
    t->logged = mh_trial_logged(g, t, &t->log_level);
    t->outcome = decide(g, t);
}

enum { CALM_END_NS = 500000000 };

/* The run of a command is one unit: it is well again where the place that failed works later on, or
 * is not heard of any more and the command ends well. */
bool mh_went_on(const struct mh_grading *g, const struct mh_act *a)
{
    const struct mh_unit *u = mh_grading_unit(g, a->unit);
    const struct mh_act *last = NULL;

    for (uint32_t i = u->nacts; u->command && i-- > 0 && !last;) {
        const struct mh_act *b = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];

        if (b->site == a->site &&
            (b->kind == MH_ACT_attempt || b->kind == MH_ACT_file || b->kind == MH_ACT_op))
            last = b;
    }
    if (!last || last->at < a->at)
        return false;
    if (last->kind == MH_ACT_op)
        return mh_effect_untold(g->m->ops.v[last->op].effect) ||
               (!u->open && u->how != 1 && u->status == 200 &&
                u->ended - last->until >= CALM_END_NS);
    return last->kind == MH_ACT_file || (last->answered && !last->failed);
}

/* ---- was anybody told? ---- */

static const char *last_part(const char *name, size_t n, size_t *ret_n)
{
    size_t at = n;

    while (at && name[at - 1] != '.')
        at--;
    *ret_n = n - at;
    return name + at;
}

static bool same_type(const struct mh_model *m, uint32_t type, const char *word, size_t n)
{
    const char *name = mh_model_text(m, type);
    size_t a, b;
    const char *x = last_part(name, strlen(name), &a), *y = last_part(word, n, &b);

    return a && a == b && !memcmp(x, y, a);
}

/* Does one of the words name this failure: its exception, its errno, or its peer? */
static bool words_tell(const struct mh_grading *g, const struct mh_trial *t, const char *words)
{
    const char *err = mh_name_err(t->kind, t->err), *peer = mh_name_peer(g, t->peer);
    const char *colon = strrchr(peer, ':');
    size_t host = colon ? (size_t)(colon - peer) : strlen(peer);

    while (*words) {
        size_t n = strcspn(words, " ");

        if (same_type(g->m, t->type_born, words, n) || same_type(g->m, t->type_last, words, n))
            return true;
        if (err && strlen(err) == n && !memcmp(err, words, n))
            return true;
        if ((n == strlen(peer) || (n == host && isalpha((unsigned char)*peer))) && n &&
            !memcmp(peer, words, n))
            return true;
        words += n + (words[n] == ' ');
    }
    return false;
}

/* What ends a program or a task on purpose: it says nothing of a failure before. */
static bool names_end(const char *words)
{
    static const char *const ends[] = {"KeyboardInterrupt", "SystemExit", "CancelledError",
                                       "GeneratorExit"};
    size_t n = strcspn(words, " "), len;
    const char *last = last_part(words, n, &len);

    for (size_t i = 0; i < ARRAY_SIZE(ends) && !words[n]; i++)
        if (len == strlen(ends[i]) && !memcmp(last, ends[i], len))
            return true;
    return false;
}

/* Is it the traceback of such an end? Python writes the head first, and the exception's name in a
 * record of its own. */
static bool is_of_end(const struct mh_model *m, const struct mh_act *log)
{
    enum { NEXT_NS = 500000000, LOOK = 64 };
    const char *words = mh_model_text(m, log->log.words);
    size_t at = (size_t)(log - m->acts.v), most = MH_MIN(m->acts.n, at + LOOK);

    for (size_t i = at + 1; !*words && i < most; i++) {
        const struct mh_act *l = &m->acts.v[i];

        if (l->process != log->process || l->at - log->at > NEXT_NS)
            break;
        if (l->kind == MH_ACT_log && l->tid == log->tid)
            words = mh_model_text(m, l->log.words);
    }
    return names_end(words);
}

/* Does a record report some failure: a warning or worse, a traceback, the name of an error? The
 * address of a client in an access log does not. */
static bool reports_failure(const struct mh_model *m, const struct mh_act *log)
{
    const char *word = mh_model_text(m, log->log.words);

    if (is_of_end(m, log))
        return false;
    if (log->log.level >= MH_LEVEL_warning || log->log.traceback)
        return true;
    for (size_t n; *word; word += n + (word[n] == ' ')) {
        n = strcspn(word, " ");
        if (n && !memchr(word, ':', n))
            return true;
    }
    return false;
}

/* Of an exception that nobody could follow the name is not known: any failure may be it. */
static bool tells(const struct mh_grading *g, const struct mh_trial *t, const struct mh_act *log)
{
    if (!t->type_born && *mh_model_text(g->m, log->log.words) && reports_failure(g->m, log))
        return true;
    return words_tell(g, t, mh_model_text(g->m, log->log.words));
}

/* Of a log that may be anybody's: a coroutine speaks for coroutines, a thread for itself, and a
 * thread that does nothing but write logs (a QueueListener's) for everybody. */
static bool may_speak_for(const struct mh_grading *g, const struct mh_act *log,
                          const struct mh_act *op)
{
    if (log->task)
        return op->task != 0;
    return log->tid == op->tid ||
           mh_map_get(&g->callers, mh_thread_key(log->process, log->tid)) == MH_MAP_NONE;
}

/* The first log at or after a time. */
static size_t first_log(const struct mh_grading *g, int64_t at)
{
    size_t low = 0, high = g->logs.n;

    while (low < high) {
        size_t mid = (low + high) / 2;

        if (g->m->acts.v[g->logs.v[mid]].at < at)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* A telemetry peer that was sent something counts as a sink, too. */
static bool reported(const struct mh_grading *g, const struct mh_trial *t, int64_t from)
{
    const struct mh_unit *u = mh_grading_unit(g, t->unit);

    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];

        if (a->kind == MH_ACT_attempt && a->at >= from && a->peer && a->peer != t->peer &&
            g->m->peers.v[a->peer - 1].role == MH_ROLE_telemetry)
            return true;
    }
    return false;
}

/* Is this record about this failure? */
static bool record_of(const struct mh_grading *g, const struct mh_trial *t, const struct mh_act *l)
{
    const struct mh_unit *u = mh_grading_unit(g, t->unit);
    const struct mh_act *op = &g->m->acts.v[g->m->ops.v[t->op].act];
    bool own;

    if (l->process != op->process)
        return false;
    /* this unit's own reports, whatever they name; others' only when they name the failure */
    own = (l->unit == t->unit && !l->ambiguous) ||
          (l->at <= u->ended && l->task == op->task && (op->task || l->tid == op->tid));
    if (own && (reports_failure(g->m, l) || tells(g, t, l)))
        return true;
    /* To which request a task belongs may be a guess (uvloop); that it failed and spoke is none. */
    if (!l->unit || l->ambiguous || op->ambiguous || (op->task && l->task == op->task))
        return may_speak_for(g, l, op) && tells(g, t, l);
    return false;
}

/* The record that is this failure's for certain: it names it, and was written soon after it, in the
 * same unit and task, by the same thread. MH_MAP_NONE: there is none. */
static uint32_t own_record(const struct mh_grading *g, const struct mh_trial *t)
{
    const struct mh_act *op = &g->m->acts.v[g->m->ops.v[t->op].act];
    int64_t until = MH_MIN(mh_grading_unit(g, t->unit)->ended, op->until + LOG_GRACE_S * second);

    for (size_t i = first_log(g, op->at); !op->ambiguous && i < g->logs.n; i++) {
        const struct mh_act *l = &g->m->acts.v[g->logs.v[i]];

        if (l->at > until)
            break;
        if (l->unit == t->unit && !l->ambiguous && l->process == op->process && l->tid == op->tid &&
            l->task == op->task && tells(g, t, l))
            return g->logs.v[i];
    }
    return MH_MAP_NONE;
}

/* Records of failures at other places: one each, for whoever writes a second one then may write it
 * for somebody else. Without memory none: that hides a silence, and claims none. */
static void learn_taken(const struct mh_grading *g, uint32_t site, uint32_t peer,
                        struct mh_map *taken)
{
    for (size_t i = 0; i < g->trials.n; i++) {
        const struct mh_trial *t = &g->trials.v[i];
        uint32_t own = t->error && t->logged && (t->site != site || t->peer != peer)
                           ? own_record(g, t)
                           : MH_MAP_NONE;

        if (own != MH_MAP_NONE && mh_map_set(taken, own, 1))
            return;
    }
}

unsigned mh_trials_told(const struct mh_grading *g, uint32_t site, uint32_t peer)
{
    struct mh_map taken = {0};
    unsigned count = 0;
    size_t next = 0; /* records before it are taken */

    learn_taken(g, site, peer, &taken);
    for (size_t k = 0; k < g->trials.n; k++) {
        const struct mh_trial *t = &g->trials.v[k];
        const struct mh_act *op = &g->m->acts.v[g->m->ops.v[t->op].act];
        int64_t until = mh_grading_unit(g, t->unit)->ended + LOG_GRACE_S * second;

        if (t->site != site || t->peer != peer || !t->error)
            continue;
        for (size_t i = MH_MAX(next, first_log(g, op->at)); i < g->logs.n; i++) {
            const struct mh_act *l = &g->m->acts.v[g->logs.v[i]];

            if (l->at > until)
                break;
            if (l->process != op->process || !tells(g, t, l) ||
                mh_map_get(&taken, g->logs.v[i]) != MH_MAP_NONE)
                continue;
            next = i + 1;
            count++;
            break;
        }
    }
    mh_map_done(&taken);
    return count;
}

bool mh_trial_context(const struct mh_grading *g, const struct mh_trial *t)
{
    const struct mh_act *op = &g->m->acts.v[g->m->ops.v[t->op].act];
    int64_t until = mh_grading_unit(g, t->unit)->ended + LOG_GRACE_S * second;

    for (size_t i = first_log(g, op->at); i < g->logs.n; i++) {
        const struct mh_act *l = &g->m->acts.v[g->logs.v[i]];

        if (l->at > until)
            break;
        if ((l->log.traceback || l->log.ident || *mh_model_text(g->m, l->log.words)) &&
            record_of(g, t, l))
            return true;
    }
    return reported(g, t, op->at);
}

bool mh_trial_logged(const struct mh_grading *g, const struct mh_trial *t, int *ret_level)
{
    const struct mh_unit *u = mh_grading_unit(g, t->unit);
    const struct mh_act *op = &g->m->acts.v[g->m->ops.v[t->op].act];
    int64_t until = u->ended + LOG_GRACE_S * second;
    bool unknown = false, found = false;

    *ret_level = 0;
    for (size_t i = first_log(g, op->at); i < g->logs.n; i++) {
        const struct mh_act *l = &g->m->acts.v[g->logs.v[i]];

        if (l->at > until)
            break;
        if (!record_of(g, t, l))
            continue;
        found = true;
        unknown |= !l->log.level;
        *ret_level = MH_MAX(*ret_level, l->log.traceback ? MH_LEVEL_error : l->log.level);
        if (*ret_level >= MH_LEVEL_warning)
            return true;
    }
    if (t->error && reported(g, t, op->at)) {
        *ret_level = 0;
        return true;
    }
    if (unknown)
        *ret_level = 0;
    return found;
}
