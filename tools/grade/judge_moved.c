/* SPDX-License-Identifier: Apache-2.0 */
/* MH-0205: an address that was resolved once is kept for ever. A fault gave the name other
 * addresses; who still connects to the old one a minute later, in vain, has not asked again. A
 * connection that is open and works may stay: only new ones count. */
#include <errno.h>
#include <string.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t minute = INT64_C(60000000000);
enum { FEW = 3 };

struct looking {
    struct mh_grading *g;
    struct mh_tallies tallies;
    unsigned early; /* connects to an old address that failed, within the minute */
    unsigned well;  /* ... that worked: somebody is there still */
};

/* How often the process asked for the name since it had moved, as far as to this attempt. */
static unsigned asked_since(const struct mh_model *m, const struct mh_moved_seen *s)
{
    const struct mh_act *a = &m->acts.v[s->act];
    const struct mh_process *p = &m->processes.v[a->process];
    unsigned n = 0;

    for (size_t i = p->first_act; i < p->first_act + p->nacts; i++) {
        const struct mh_act *b = &m->acts.v[i];

        n += b->kind == MH_ACT_dns && b->dns.name == s->name && b->at > a->at - s->ago &&
             b->at <= a->until;
    }
    return n;
}

static int take(struct looking *l, const struct mh_moved_seen *s)
{
    const struct mh_act *a = &l->g->m->acts.v[s->act];
    bool old = s->ago > 0, kept = old && s->ago >= minute && a->failed;
    struct mh_tally *t;

    if (!a->peer || l->g->m->processes.v[a->process].baseline)
        return 0;
    l->early += old && a->failed && !kept;
    l->well += old && !a->failed;
    if (old && !kept)
        return 0;
    t = mh_tally_act(&l->tallies, a, kept);
    if (!t)
        return -ENOMEM;
    if (!kept)
        return 0;
    t->worst = MH_MAX(t->worst, s->ago);
    t->window +=
        asked_since(l->g->m, s) > 0; /* here: who asked, and went to the old one all the same */
    t->passed = s->name;             /* here: the name */
    return 0;
}

static int file(struct looking *l, const struct mh_tally *t)
{
    struct mh_grading *g = l->g;
    struct mh_judgement *j = mh_judge_acts(g, t, MH_SEVERITY_medium);

    if (!j)
        return -ENOMEM;
    if (j->verdict == MH_VERDICT_pass) {
        mh_reason(j, "%u of %u connects to %s went to its new address when its name had moved",
                  t->fired - t->failed, t->fired, mh_name_peer(g, t->peer));
        return 0;
    }
    /* an address of its own in the settings, beside the name, looks the same */
    if (t->failed < FEW || 3 * t->window > t->failed) {
        j->verdict = MH_VERDICT_unclear;
        j->failed = 0;
        mh_reason(j,
                  "%u connects to %s still went to the old address, %u of them although the name "
                  "was asked for again",
                  t->failed, mh_name_peer(g, t->peer), t->window);
        return 0;
    }
    mh_sentence(j->evidence,
                "%u of %u connects to %s failed at an address that %s had not had any more for a "
                "minute, for %s at most",
                t->failed, t->fired, mh_name_peer(g, t->peer), mh_model_text(g->m, t->passed),
                MH_SPAN(t->worst));
    if (!t->window)
        mh_sentence(j->evidence, "the process did not ask for the name again");
    if (t->failed < t->fired)
        mh_sentence(j->counter, "%u of %u went to the new address", t->fired - t->failed, t->fired);
    return 0;
}

int mh_judge_0205(struct mh_grading *g)
{
    static const char how[] =
        "[fault x] call = dns, peer = NAME, address = 192.0.2.9, for = 90s; while "
        "another fault refuses connects to the address that it had";
    struct looking l = {.g = g};
    int r = 0;

    for (size_t i = 0; i < g->m->moves.n && !r; i++)
        r = take(&l, &g->m->moves.v[i]);
    for (size_t i = 0; i < l.tallies.list.n && !r; i++)
        r = file(&l, &l.tallies.list.v[i]);
    if (!r && !l.tallies.list.n)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          l.early
                              ? "connects went to an old address, but within a minute of its change"
                          : l.well ? "the address that was kept went on to work"
                                   : "nobody connected to a name that had got other addresses",
                          how);
    mh_tallies_done(&l.tallies);
    return r;
}
