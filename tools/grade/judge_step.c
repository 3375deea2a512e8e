/* SPDX-License-Identifier: Apache-2.0 */
/* MH-0504: what is tried again is tried in step with all others, as its pauses do not vary. */
#include <errno.h>

#include "grade/judge.h"

#include "base/banned.h"

static const int64_t ms = 1000000;
enum { FEW_SEQUENCES = 3, FEW_WAITS = 3, SHORT_SEQUENCES = 8, CROWD = 10 };
static const int64_t pause_ns = 50000000;

/* Sequences of tries, of one kind. */
struct list {
    const struct mh_sequence *v;
    size_t n;
};

struct spread {
    unsigned sequences, ambiguous, ordinals, tight, wide;
    int64_t mean;
    bool requested;
};

static bool is_of(const struct mh_sequence *s, uint32_t site, uint32_t peer)
{
    return s->site == site && s->peer == peer && s->nwaits && s->median_wait >= pause_ns;
}

/* How far the k-th waits of all sequences lie apart. What was asked for has no noise in it; gaps
 * have, so that less than 60 ms say nothing against a jitter. */
static void spread_at(struct list l, uint32_t site, uint32_t peer, unsigned k, struct spread *ret)
{
    int64_t least = INT64_MAX, most = 0, mean;
    unsigned n = 0;
    double sum = 0;

    for (size_t i = 0; i < l.n; i++) {
        const struct mh_sequence *s = &l.v[i];

        if (!is_of(s, site, peer) || s->nwaits <= k)
            continue;
        least = MH_MIN(least, s->waits[k]);
        most = MH_MAX(most, s->waits[k]);
        sum += (double)s->waits[k];
        n++;
    }
    if (n < FEW_SEQUENCES)
        return;
    mean = (int64_t)(sum / n);
    ret->ordinals++;
    ret->mean = ret->ordinals == 1 ? mean : ret->mean;
    if (ret->requested) {
        ret->tight += most - least <= MH_MAX(mean / 100, 2 * ms);
        ret->wide += most - least > MH_MAX(mean / 20, 10 * ms);
    } else {
        ret->tight += most - least <= MH_MAX(mean / 20, 60 * ms);
        ret->wide += most - least > MH_MAX(mean / 10, 100 * ms);
    }
}

/* Sequences of several processes, or of ten requests at once: many that come back together. */
static bool is_crowd(struct list l, uint32_t site, uint32_t peer)
{
    for (size_t i = 0; i < l.n; i++) {
        const struct mh_sequence *s = &l.v[i];
        unsigned at_once = 0;

        if (!is_of(s, site, peer))
            continue;
        for (size_t k = 0; k < l.n; k++) {
            const struct mh_sequence *o = &l.v[k];

            if (!is_of(o, site, peer))
                continue;
            if (o->process != s->process)
                return true;
            at_once += o->first <= s->last && o->last >= s->first;
        }
        if (at_once >= CROWD)
            return true;
    }
    return false;
}

static int file_0504(struct mh_grading *g, struct list l, uint32_t site, uint32_t peer,
                     const struct spread *s)
{
    bool tight = s->tight == s->ordinals && !s->wide;
    bool enough = s->ordinals >= FEW_WAITS || (s->ordinals && s->sequences >= SHORT_SEQUENCES);
    enum mh_verdict_kind verdict = s->wide ? MH_VERDICT_pass
                                   : tight && enough && 2 * s->ambiguous <= s->sequences
                                       ? MH_VERDICT_fail
                                       : MH_VERDICT_unclear;
    struct mh_judgement *j = mh_judge_file(
        g, verdict, site, peer, is_crowd(l, site, peer) ? MH_SEVERITY_medium : MH_SEVERITY_low,
        s->sequences >= 10 ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);

    if (!j)
        return -ENOMEM;
    j->fired = s->sequences;
    j->failed = verdict == MH_VERDICT_fail ? s->sequences : 0;
    j->stack = site ? g->m->sites.v[site - 1].stack : 0;
    if (verdict == MH_VERDICT_pass)
        mh_reason(j, "the pauses of %u sequences of tries differ", s->sequences);
    else if (verdict == MH_VERDICT_unclear && 2 * s->ambiguous > s->sequences)
        mh_reason(j, "%u of %u sequences of tries may be made of those of several requests",
                  s->ambiguous, s->sequences);
    else if (verdict == MH_VERDICT_unclear)
        mh_reason(j,
                  "%u sequences of tries are too few, or their pauses too alike by chance, to "
                  "tell whether they vary",
                  s->sequences);
    else
        mh_sentence(j->evidence,
                    "in %u sequences of tries at %s the pauses were the same each time, the first "
                    "one %s",
                    s->sequences, mh_name_peer(g, peer), MH_SPAN(s->mean));
    return 0;
}

static int judge_list(struct mh_grading *g, struct list l)
{
    int r = 0;

    for (size_t i = 0; i < l.n && !r; i++) {
        const struct mh_sequence *s = &l.v[i];
        struct spread spread = {.requested = true};
        bool first = true;

        if (!s->unit || !is_of(s, s->site, s->peer))
            continue;
        for (size_t k = 0; k < i && first; k++)
            first = !is_of(&l.v[k], s->site, s->peer) || !l.v[k].unit;
        for (size_t k = i; k < l.n; k++)
            if (is_of(&l.v[k], s->site, s->peer)) {
                spread.sequences++;
                spread.requested &= l.v[k].requested;
                spread.ambiguous += l.v[k].ambiguous;
            }
        if (!first || spread.sequences < FEW_SEQUENCES)
            continue;
        for (unsigned k = 0; k < MH_SEQUENCE_WAITS; k++)
            spread_at(l, s->site, s->peer, k, &spread);
        r = file_0504(g, l, s->site, s->peer, &spread);
    }
    return r;
}

int mh_judge_0504(struct mh_grading *g)
{
    size_t before = g->judgements.n;
    int r = judge_list(g, (struct list){g->sequences.v, g->sequences.n});

    if (!r)
        r = judge_list(g, (struct list){g->refused.v, g->refused.n});
    if (!r && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "fewer than three sequences of tries with a pause between them",
                          "[fault x] call = net.connect, error = ECONNREFUSED, for = 10s");
    return r;
}
