/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2015: a crash loop. Processes of one kind that serve end badly one after the other, each begun
 * when the one before was gone. Several that end at once are one event, not a loop. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t second = 1000000000;
enum { LOOP = 3, SURE_LOOP = 6, WITHIN_S = 60, WATCH_S = 10, CAUSE_S = 5 };

enum end { LIVES, WELL, BADLY, BY_MISHAP, UNKNOWN };

/* When mishap began to stop the run: ends after that are its doing. */
static int64_t stopped_at(const struct mh_model *m)
{
    if (m->stops.n)
        return m->stops.v[0].at;
    return m->child_stopped && m->child_ended ? m->child_ended : INT64_MAX;
}

static enum end end_of(const struct mh_model *m, const struct mh_process *p)
{
    if (p->killed_at)
        return BY_MISHAP;
    if (p->last >= stopped_at(m))
        return LIVES;
    if (p->exited)
        return p->exit_status ? BADLY : WELL;
    if (p->complete || p->last + 2 * second > m->last || !mh_process_gone(m, p))
        return LIVES;
    return UNKNOWN; /* by a signal; who sent it is not known */
}

/* The same words, whatever numbers are in them: descriptors that were passed on, ports. */
static bool same_words(const char *a, const char *b)
{
    for (;; a++, b++) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            a += strspn(a, "0123456789") - 1;
            b += strspn(b, "0123456789") - 1;
        } else if (*a != *b) {
            return false;
        } else if (!*a) {
            return true;
        }
    }
}

/* Started by the same parent, in the same way. */
static bool same_kind(const struct mh_model *m, const struct mh_process *p,
                      const struct mh_process *q)
{
    return p->recorded && q->recorded && p->host == q->host && p->baseline == q->baseline &&
           p->ppid == q->ppid && p->forked == q->forked &&
           (p->command == q->command ||
            same_words(mh_model_text(m, p->command), mh_model_text(m, q->command)));
}

struct kind {
    MH_VEC(uint32_t) bad; /* processes that ended badly, by their end */
    unsigned killed, unknown;
    int64_t last_end;
    bool serves; /* any of them is a server */
};

static int compare_end(const void *a, const void *b, void *arg)
{
    const struct mh_model *m = arg;

    return mh_compare_int64(&m->processes.v[*(const uint32_t *)a].last,
                            &m->processes.v[*(const uint32_t *)b].last);
}

static int kind_of(const struct mh_grading *g, const struct mh_process *p, struct kind *ret)
{
    const struct mh_model *m = g->m;

    *ret = (struct kind){.killed = 0};
    for (uint32_t i = 0; i < m->processes.n; i++) {
        const struct mh_process *q = &m->processes.v[i];
        enum end end = end_of(m, q);
        uint32_t *slot;

        if (!same_kind(m, p, q))
            continue;
        ret->serves |= mh_process_is_server(g, i);
        ret->killed += end == BY_MISHAP;
        ret->unknown += end == UNKNOWN;
        if (end != BADLY && end != BY_MISHAP && end != UNKNOWN)
            continue;
        ret->last_end = MH_MAX(ret->last_end, q->last);
        if (end != BADLY)
            continue;
        slot = mh_vec_add(&ret->bad);
        if (!slot)
            return -ENOMEM;
        *slot = i;
    }
    if (ret->bad.n)
        qsort_r(ret->bad.v, ret->bad.n, sizeof(uint32_t), compare_end, (void *)(uintptr_t)m);
    return 0;
}

/* Of those that ended badly, each begun after the one before had ended, within a minute: the
 * longest row of them. */
struct row {
    uint32_t first, last; /* processes */
    unsigned n, served;
    int64_t longest_pause, longest_life; /* the first one's life does not count */
};

static struct row row_from(const struct mh_grading *g, const struct kind *k, size_t from)
{
    const struct mh_process *all = g->m->processes.v, *before = &all[k->bad.v[from]];
    int64_t until = before->last + WITHIN_S * second;
    struct row r = {.first = k->bad.v[from], .last = k->bad.v[from], .n = 1};

    r.served = before->nunits > 0;
    for (size_t i = from + 1; i < k->bad.n && all[k->bad.v[i]].last <= until; i++) {
        const struct mh_process *p = &all[k->bad.v[i]];

        if (p->started < before->last)
            continue;
        r.n++;
        r.served += p->nunits > 0;
        r.longest_pause = MH_MAX(r.longest_pause, p->started - before->last);
        r.longest_life = MH_MAX(r.longest_life, p->last - p->started);
        r.last = k->bad.v[i];
        before = p;
    }
    return r;
}

static struct row longest_row(const struct mh_grading *g, const struct kind *k)
{
    struct row best = {.n = 0};

    for (size_t i = 0; i < k->bad.n; i++) {
        struct row r = row_from(g, k, i);

        if (r.n > best.n)
            best = r;
    }
    return best;
}

/* Did one of this kind begin after that, serve, and stay? */
static bool stayed(const struct mh_grading *g, const struct mh_process *like, int64_t after)
{
    for (size_t i = 0; i < g->m->processes.n; i++) {
        const struct mh_process *p = &g->m->processes.v[i];

        if (same_kind(g->m, like, p) && p->started >= after && p->nunits &&
            end_of(g->m, p) == LIVES && p->last - p->started >= WATCH_S * second)
            return true;
    }
    return false;
}

/* The last thing that failed in it, just before its end. */
static const struct mh_act *cause_of(const struct mh_grading *g, const struct mh_process *p)
{
    for (size_t i = p->first_act + p->nacts; i-- > p->first_act;) {
        const struct mh_act *a = &g->m->acts.v[i];

        if (a->kind == MH_ACT_op && g->m->ops.v[a->op].err &&
            p->last - a->until <= CAUSE_S * second)
            return a;
    }
    return NULL;
}

static void say_loop(const struct mh_grading *g, struct mh_judgement *j, const struct row *r,
                     const struct mh_act *cause)
{
    const struct mh_process *first = &g->m->processes.v[r->first],
                            *last = &g->m->processes.v[r->last];
    const struct mh_op_seen *o = cause ? &g->m->ops.v[cause->op] : NULL;
    const char *err = o ? mh_name_err(o->kind, o->err) : NULL;

    mh_sentence(j->evidence,
                "%u processes that serve ended badly one after the other within %s, and each was "
                "followed by the next within %s: pid %d with status %d, at last pid %d with "
                "status %d",
                r->n, MH_SPAN(last->last - first->last), MH_SPAN(r->longest_pause), first->pid,
                first->exit_status, last->pid, last->exit_status);
    mh_sentence(j->evidence,
                "%u of them had served a request; after the first none lived longer "
                "than %s",
                r->served, MH_SPAN(r->longest_life));
    if (err)
        mh_sentence(j->evidence, "pid %d had met %s in %s %s (%s) just before", last->pid, err,
                    mh_op_rows[o->kind].name, mh_name_peer(g, cause->peer),
                    o->fault ? mh_name_fault(g, o->fault) : "observed, not injected");
}

static int file(struct mh_grading *g, const struct mh_process *like, const struct kind *k)
{
    struct row r = longest_row(g, k);
    const struct mh_act *cause = r.n ? cause_of(g, &g->m->processes.v[r.last]) : NULL;
    enum mh_verdict_kind verdict = r.n >= LOOP ? MH_VERDICT_fail
                                   : stayed(g, like, k->last_end) && k->unknown + r.n < LOOP
                                       ? MH_VERDICT_pass
                                       : MH_VERDICT_unclear;
    struct mh_judgement *j = mh_judge_file(
        g, verdict, cause ? cause->site : 0, cause ? cause->peer : 0, MH_SEVERITY_high,
        r.n >= SURE_LOOP ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);

    if (!j)
        return -ENOMEM;
    j->fired = (unsigned)k->bad.n + k->killed + k->unknown;
    j->failed = verdict == MH_VERDICT_fail ? r.n : 0;
    j->stack = cause ? cause->stack : 0;
    j->observed = cause && !g->m->ops.v[cause->op].fault;
    if (verdict == MH_VERDICT_fail)
        say_loop(g, j, &r, cause);
    else if (verdict == MH_VERDICT_pass)
        mh_reason(j, "after %u ended the next one served, and stayed", j->fired);
    else if (k->unknown + r.n >= LOOP)
        mh_reason(j, "%u ended by a signal, and who sent it is not known", k->unknown);
    else
        mh_reason(j, "%u ended, and none that began after that served and stayed for %d s",
                  j->fired, WATCH_S);
    return 0;
}

int mh_judge_2015(struct mh_grading *g)
{
    size_t before = g->judgements.n;
    int r = 0;

    for (size_t i = 0; i < g->m->processes.n && !r; i++) {
        const struct mh_process *p = &g->m->processes.v[i];
        struct kind k;
        bool known = p->baseline || !p->recorded || p->command_run;

        for (size_t e = 0; e < i && !known; e++)
            known = same_kind(g->m, &g->m->processes.v[e], p);
        if (known)
            continue;
        r = kind_of(g, p, &k);
        if (!r && k.serves && (k.bad.n || k.killed || k.unknown))
            r = file(g, p, &k);
        free(k.bad.v);
    }
    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no process that serves ended while the run went on",
                          "[fault x] call = recv, side = server, kill = SIGKILL, count = 3, "
                          "per = run; or what it needs to start refused for a while");
    return r;
}
