/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about work that is handed over: MH-0801 a write waits for whom it calls, MH-0802 a producer
 * falls with its broker, MH-0804 a killed task is lost, MH-0805 a second run does it again, MH-0806
 * a task kills worker after worker. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
static const int64_t ms = 1000000;

/* ---- MH-0801 ---- */

enum { FEW_DELAYED = 10 };

static bool is_writing(const struct mh_grading *g, const struct mh_unit *u)
{
    const char *route = mh_model_text(g->m, g->m->routes.v[u->route - 1].name);

    return !u->command && mh_is_changing(route);
}

/* Sums of a straight line through delays and latencies, in ms. */
struct line {
    unsigned n;
    double x, y, xx, xy, least, most;
    uint32_t unit;
};

static void line_add(struct line *l, double x, double y, uint32_t unit)
{
    l->least = l->n ? MH_MIN(l->least, x) : x;
    l->most = MH_MAX(l->most, x);
    l->n++;
    l->x += x;
    l->y += y;
    l->xx += x * x;
    l->xy += x * y;
    l->unit = unit;
}

/* What faults delayed a unit at one peer, in ms. */
static double delayed(const struct mh_grading *g, const struct mh_unit *u, uint32_t peer)
{
    double sum = 0;

    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];
        const struct mh_op_seen *o = a->kind == MH_ACT_op ? &g->m->ops.v[a->op] : NULL;

        if (o && o->fault && o->effect - 1 == MH_EFFECT_delay && a->peer == peer)
            sum += (double)o->delay / (double)ms;
    }
    return sum;
}

static int file_0801(struct mh_grading *g, uint32_t peer, const struct line *l)
{
    double spread = l->n * l->xx - l->x * l->x, slope;
    struct mh_judgement *j;

    if (l->n < FEW_DELAYED || l->most < 2 * l->least || l->most - l->least < 100 || spread <= 0)
        return 0;
    slope = (l->n * l->xy - l->x * l->y) / spread;
    j = mh_judge_file(g,
                      slope >= 0.8   ? MH_VERDICT_fail
                      : slope >= 0.3 ? MH_VERDICT_partial
                                     : MH_VERDICT_pass,
                      0, peer, MH_SEVERITY_medium,
                      l->n >= 3 * FEW_DELAYED ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);
    if (!j)
        return -ENOMEM;
    j->fired = l->n;
    j->failed = j->verdict == MH_VERDICT_pass ? 0 : l->n;
    if (j->verdict == MH_VERDICT_pass)
        mh_reason(j, "%s: of each 100 ms that %s was late, %.0f ms reached the caller",
                  mh_name_route(g, l->unit), mh_name_peer(g, peer), MH_MAX(slope, 0.0) * 100);
    else
        mh_sentence(
            j->evidence,
            "%s: of each 100 ms that %s was late, %.0f ms reached the caller, in %u requests "
            "with delays from %.0f to %.0f ms",
            mh_name_route(g, l->unit), mh_name_peer(g, peer), slope * 100, l->n, l->least, l->most);
    return 0;
}

int mh_judge_0801(struct mh_grading *g)
{
    struct line *lines = calloc(g->m->routes.n + 1, sizeof(*lines));
    size_t before = g->judgements.n;
    int r = lines ? 0 : -ENOMEM;

    for (uint32_t peer = 1; lines && peer <= g->m->peers.n && !r; peer++) {
        if (g->m->peers.v[peer - 1].role == MH_ROLE_queue)
            continue;
        memset(lines, 0, (g->m->routes.n + 1) * sizeof(*lines));
        for (uint32_t i = 0; i < g->m->units.n; i++) {
            const struct mh_unit *u = &g->m->units.v[i];
            double x = is_writing(g, u) && u->faulted && !u->open ? delayed(g, u, peer) : 0;

            if (x > 0)
                line_add(&lines[u->route], x, (double)u->latency / (double)ms, i + 1);
        }
        for (size_t i = 1; i <= g->m->routes.n && !r; i++)
            r = file_0801(g, peer, &lines[i]);
    }
    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "fewer than ten writing requests with delays of different length",
                          "[fault x] call = net.recv, side = client, delay = uniform 50ms 500ms");
    free(lines);
    return r;
}

/* ---- MH-0802 ---- */

static double value_0802(struct mh_grading *g, const struct mh_trial *t)
{
    const struct mh_unit *u = mh_grading_unit(g, t->unit);

    if (!t->peer || g->m->peers.v[t->peer - 1].role != MH_ROLE_queue || u->command ||
        t->outcome == MH_OUTCOME_unknown)
        return MH_NOT_MINE;
    return t->outcome != MH_OUTCOME_broke && t->outcome != MH_OUTCOME_hung &&
           t->outcome != MH_OUTCOME_collapsed;
}

int mh_judge_0802(struct mh_grading *g)
{
    static const struct mh_plain_rule rule = {
        .value = value_0802,
        .severity = MH_SEVERITY_high,
        .held = "requests were accepted or refused in time without the broker",
        .became = "hung or ended in an uncontrolled error with the broker",
        .none = "no fault hit a broker in a request",
        .how = "[fault x] peer = BROKER:PORT, call = net, error = ECONNREFUSED",
    };

    return mh_judge_plain(g, &rule);
}

/* ---- MH-0804, 0805, 0806: runs of one task ---- */

enum { WATCH_S = 30, LONG_WATCH_S = 120, FEW_TASKS = 3, POISON = 5 };

static const struct mh_task *task_of(const struct mh_grading *g, const struct mh_unit *u)
{
    return u->task_run && !g->m->processes.v[u->process].baseline ? &g->m->tasks.v[u->task_run - 1]
                                                                  : NULL;
}

static bool is_killed(const struct mh_grading *g, const struct mh_unit *u)
{
    const struct mh_task *t = task_of(g, u);

    return t && t->id && t->state == MH_TASK_killed;
}

static bool is_same_task(const struct mh_grading *g, const struct mh_unit *a,
                         const struct mh_unit *b)
{
    const struct mh_task *x = task_of(g, a), *y = task_of(g, b);

    return a != b && x && y && x->id && x->id == y->id;
}

/* The next run of the same task; NULL: none was seen. */
static const struct mh_unit *next_run(const struct mh_grading *g, const struct mh_unit *u)
{
    const struct mh_unit *next = NULL;

    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *o = &g->m->units.v[i];

        if (is_same_task(g, u, o) && o->begun > u->begun && (!next || o->begun < next->begun))
            next = o;
    }
    return next;
}

/* Tasks that workers of the same parent began after the end of this run, and when the last did. The
 * parent lives then: only a child was lost. */
static unsigned tasks_after(const struct mh_grading *g, const struct mh_unit *u, int64_t *ret_last)
{
    const struct mh_process *p = &g->m->processes.v[u->process];
    unsigned n = 0;

    *ret_last = u->ended;
    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *o = &g->m->units.v[i];
        const struct mh_process *q = &g->m->processes.v[o->process];

        if (!task_of(g, o) || o->begun <= u->ended || q->ppid != p->ppid || q->host != p->host)
            continue;
        n++;
        *ret_last = MH_MAX(*ret_last, o->begun);
    }
    return n;
}

/* Did the killed process ask the broker itself? Then it was a whole worker, and its broker may give
 * back what it had. A process of a pool is handed its tasks. */
static bool was_whole(const struct mh_grading *g, const struct mh_unit *u)
{
    const struct mh_process *p = &g->m->processes.v[u->process];

    for (size_t i = p->first_act; i < p->first_act + p->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[i];

        if (!a->unit && a->peer && g->m->peers.v[a->peer - 1].role == MH_ROLE_queue &&
            (a->kind == MH_ACT_attempt || a->kind == MH_ACT_wait || a->kind == MH_ACT_waited))
            return true;
    }
    return false;
}

struct lost {
    unsigned killed, again, lost, unknown;
    int64_t watched;
    uint32_t name; /* text: of a lost task */
};

static void look_for_lost(const struct mh_grading *g, struct lost *ret)
{
    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        int64_t last;

        if (!is_killed(g, u))
            continue;
        ret->killed++;
        if (next_run(g, u)) {
            ret->again++;
        } else if (!was_whole(g, u) && tasks_after(g, u, &last) >= FEW_TASKS &&
                   last - u->ended >= WATCH_S * second) {
            ret->lost++;
            ret->watched = MH_MAX(ret->watched, last - u->ended);
            ret->name = task_of(g, u)->name;
        } else
            ret->unknown++;
    }
}

int mh_judge_0804(struct mh_grading *g)
{
    struct mh_judgement *j;
    struct lost l = {0};

    look_for_lost(g, &l);
    if (!l.killed)
        return mh_judge_none(g, MH_VERDICT_not_exercised, "no worker was killed in mid-task",
                             "[fault x] call = net.connect, process = celery*, kill = SIGKILL, "
                             "count = 1");
    j = mh_judge_file(g,
                      l.lost    ? MH_VERDICT_fail
                      : l.again ? MH_VERDICT_pass
                                : MH_VERDICT_unclear,
                      0, 0, MH_SEVERITY_high,
                      l.lost >= 3 || l.watched >= LONG_WATCH_S * second || l.again >= 3
                          ? MH_CONFIDENCE_high
                          : MH_CONFIDENCE_medium);
    if (!j)
        return -ENOMEM;
    j->fired = l.killed;
    j->failed = l.lost;
    if (l.lost)
        mh_sentence(j->evidence,
                    "%u of %u tasks whose worker was killed (%s, for one) were not begun again "
                    "within %s, while their siblings went on with others",
                    l.lost, l.killed, mh_model_text(g->m, l.name), MH_SPAN(l.watched));
    else if (l.again)
        mh_reason(j, "%u of %u tasks whose worker was killed were begun again", l.again, l.killed);
    else
        mh_reason(
            j,
            "%u tasks whose worker was killed were not seen again, but the watch of 30 s and "
            "three other tasks was too short, or the whole worker had gone: a broker may give "
            "them back later, redis after an hour",
            l.unknown);
    return 0;
}

/* Did this request surely reach its peer, so that it may have been carried out? */
static bool may_be_done(const struct mh_grading *g, const struct mh_act *a)
{
    const char *text = a->kind == MH_ACT_attempt ? mh_model_text(g->m, a->attempt.text) : "";

    return (!strncmp(text, "POST ", 5) || !strncmp(text, "PATCH ", 6)) && a->attempt.digest &&
           !a->ambiguous && !a->keyed && (a->answered ? a->attempt.status < 400 : !a->failed);
}

/* The first request of one run that the next run sent again. */
static const struct mh_act *repeated(const struct mh_grading *g, const struct mh_unit *u,
                                     const struct mh_unit *next)
{
    for (uint32_t i = 0; i < u->nacts; i++) {
        const struct mh_act *a = &g->m->acts.v[g->m->by_unit.v[u->first_act + i]];

        if (!may_be_done(g, a))
            continue;
        for (uint32_t k = 0; k < next->nacts; k++) {
            const struct mh_act *b = &g->m->acts.v[g->m->by_unit.v[next->first_act + k]];

            if (b->kind == MH_ACT_attempt && b->peer == a->peer && !b->keyed &&
                b->attempt.text == a->attempt.text && b->attempt.digest == a->attempt.digest)
                return a;
        }
    }
    return NULL;
}

int mh_judge_0805(struct mh_grading *g)
{
    const struct mh_act *example = NULL;
    unsigned runs = 0, twice = 0;
    struct mh_judgement *j;

    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        const struct mh_unit *next = task_of(g, u) ? next_run(g, u) : NULL;
        const struct mh_act *a = next ? repeated(g, u, next) : NULL;

        runs += next != NULL;
        twice += a != NULL;
        example = example ? example : a;
    }
    if (!runs)
        return mh_judge_none(g, MH_VERDICT_not_exercised, "no task ran a second time",
                             "[fault x] call = net.connect, process = celery*, kill = SIGKILL, "
                             "count = 1");
    j = mh_judge_file(g, twice ? MH_VERDICT_fail : MH_VERDICT_pass, example ? example->site : 0,
                      example ? example->peer : 0, MH_SEVERITY_high,
                      runs >= 3 ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);
    if (!j)
        return -ENOMEM;
    j->fired = runs;
    j->failed = twice;
    if (!twice)
        mh_reason(j, "%u second runs of a task, and none sent a POST again that may have been done",
                  runs);
    else {
        j->stack = example->stack;
        mh_sentence(j->evidence,
                    "%u of %u second runs of a task sent the same request again, without an "
                    "Idempotency-Key: %s to %s, %u bytes with digest %016llx",
                    twice, runs, mh_model_text(g->m, example->attempt.text),
                    mh_name_peer(g, example->peer), example->attempt.bytes,
                    (unsigned long long)example->attempt.digest);
    }
    return 0;
}

int mh_judge_0806(struct mh_grading *g)
{
    unsigned most = 0, tasks = 0;
    struct mh_judgement *j;
    uint32_t name = 0;
    bool ended = true;

    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i], *last = u;
        unsigned n = 1;
        int64_t until;

        if (!is_killed(g, u))
            continue;
        for (const struct mh_unit *o = next_run(g, u); o; o = next_run(g, o)) {
            n += is_killed(g, o);
            last = o;
        }
        tasks++;
        if (n > most) {
            most = n;
            name = task_of(g, u)->name;
        }
        ended &= !is_killed(g, last) || (tasks_after(g, last, &until) >= FEW_TASKS &&
                                         until - last->ended >= WATCH_S * second);
    }
    if (most < POISON && !(tasks && most >= 2 && ended))
        return mh_judge_none(g, MH_VERDICT_not_exercised,
                             "no task was killed, given back and killed again",
                             "[fault x] call = net.connect, process = celery*, kill = SIGKILL");
    j = mh_judge_file(g, most >= POISON ? MH_VERDICT_fail : MH_VERDICT_pass, 0, 0, MH_SEVERITY_high,
                      most >= 2 * POISON ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);
    if (!j)
        return -ENOMEM;
    j->fired = most;
    j->failed = most >= POISON ? most : 0;
    if (most >= POISON)
        mh_sentence(j->evidence, "%u runs of one and the same task (%s) ended with their worker",
                    most, mh_model_text(g->m, name));
    else
        mh_reason(j, "no task ended more than %u workers", most);
    return 0;
}
