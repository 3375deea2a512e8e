/* SPDX-License-Identifier: Apache-2.0 */
/* MH-2010: tries of services along a chain multiply. A port says little of who is behind it: which
 * recorded processes are the peer that another one asks is told by what they are asked, and when.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "grade/judge.h"

#include "base/banned.h"

enum { FEW_REQUESTS = 5, MANY_REQUESTS = 30, MAX_WINDOWS = 8, CHAIN_PRODUCT = 6, FEW_MET = 3 };
static const int64_t bucket_ns = 100000000;

static uint64_t moment_of(uint32_t text, int64_t at)
{
    return mh_mix2(text, (uint64_t)(at / bucket_ns));
}

/* The requests that processes at this port were asked, by text and moment: process plus 1. */
static int learn_asked(const struct mh_grading *g, int port, struct mh_map *ret)
{
    int r = 0;

    for (size_t i = 0; i < g->m->units.n && !r; i++) {
        const struct mh_unit *u = &g->m->units.v[i];

        if (!u->command && mh_served_port(g->m, u->process) == port)
            r = mh_map_set(ret, moment_of(u->path, u->begun), u->process + 1);
    }
    return r;
}

/* The process that was asked this then, plus 1; 0: none. */
static uint32_t asked_then(const struct mh_map *asked, const struct mh_act *a)
{
    for (int k = -1; k <= 1; k++) {
        uint32_t have = mh_map_get(asked, moment_of(a->attempt.text, a->at + k * bucket_ns));

        if (have != MH_MAP_NONE && have != a->process + 1)
            return have;
    }
    return 0;
}

/* Marks the processes that are this peer: it was asked what they were, at the same moments, and
 * half of what it answered was so. Returns how many, or -ENOMEM. */
static int find_service(const struct mh_grading *g, uint32_t peer, bool *ret)
{
    struct mh_map asked = {0};
    unsigned met = 0, all = 0;
    int n = 0, r = learn_asked(g, g->m->peers.v[peer - 1].port, &asked);

    for (size_t i = 0; i < g->m->acts.n && !r; i++) {
        const struct mh_act *a = &g->m->acts.v[i];
        uint32_t process;

        if (a->kind != MH_ACT_attempt || a->peer != peer || !a->unit || !a->answered ||
            !a->attempt.text)
            continue;
        all++;
        process = asked_then(&asked, a);
        met += process > 0;
        if (process && !ret[process - 1]) {
            ret[process - 1] = true;
            n++;
        }
    }
    mh_map_done(&asked);
    return r ? r : met >= FEW_MET && 2 * met >= all ? n : 0;
}

/* One step of a chain: requests that ask the peer in the window, and what they add to it. */
struct hop {
    unsigned asking, extra, calm_asking, calm_attempts;
    double factor;
};

/* Of the processes that are the service in the middle, or of the others; their tries beyond the
 * first, and beyond what they ask in the calm. */
static void hop_of(const struct mh_grading *g, const bool *service, bool within, uint32_t peer,
                   struct mh_window w, struct hop *ret)
{
    *ret = (struct hop){.factor = 1};
    for (size_t i = 0; i < g->m->units.n; i++) {
        const struct mh_unit *u = &g->m->units.v[i];
        unsigned n;

        if (u->command || service[u->process] != within)
            continue;
        n = mh_unit_asks(g, u, peer);
        ret->asking += n && u->begun >= w.from && u->begun < w.to;
        ret->calm_asking += n && u->calm;
        ret->calm_attempts += u->calm ? n : 0;
    }
    for (size_t i = 0; i < g->sequences.n; i++) {
        const struct mh_sequence *s = &g->sequences.v[i];

        if (s->peer == peer && s->unit && s->first >= w.from && s->first < w.to &&
            service[s->process] == within)
            ret->extra += s->attempts - 1;
    }
    if (ret->asking && ret->calm_asking)
        ret->factor = 1 + (double)ret->extra * ret->calm_asking / ret->asking / ret->calm_attempts;
}

static int chain(struct mh_grading *g, const bool *service, uint32_t middle, uint32_t end,
                 struct mh_window w)
{
    struct hop first, then;
    struct mh_judgement *j;
    double product;

    hop_of(g, service, false, middle, w, &first);
    hop_of(g, service, true, end, w, &then);
    if (first.asking < FEW_REQUESTS || !then.asking || !first.calm_asking || !then.calm_asking)
        return 0;
    product = first.factor * then.factor;
    j = mh_judge_file(g,
                      product >= CHAIN_PRODUCT && MH_MIN(first.factor, then.factor) >= 2
                          ? MH_VERDICT_fail
                      : product > 3 && MH_MIN(first.factor, then.factor) > 1.2 ? MH_VERDICT_partial
                                                                               : MH_VERDICT_pass,
                      0, end, MH_SEVERITY_high,
                      first.asking >= MANY_REQUESTS ? MH_CONFIDENCE_high : MH_CONFIDENCE_medium);
    if (!j)
        return -ENOMEM;
    j->fired = first.asking;
    j->failed = j->verdict == MH_VERDICT_pass ? 0 : first.asking;
    if (j->verdict == MH_VERDICT_pass)
        mh_reason(j,
                  "%.1f times as many tries at %s as requests at the front need: %.1f by it, "
                  "%.1f by %s",
                  product, mh_name_peer(g, end), first.factor, then.factor,
                  mh_name_peer(g, middle));
    else
        mh_sentence(j->evidence,
                    "while %s failed each request at the front became %.1f at %s, and each of "
                    "these %.1f at %s: %.0f times the load in all",
                    mh_name_peer(g, end), first.factor, mh_name_peer(g, middle), then.factor,
                    mh_name_peer(g, end), product);
    return 0;
}

/* All that the service in the middle asks, in its trouble. */
static int judge_middle(struct mh_grading *g, const bool *service, uint32_t middle)
{
    int r = 0;

    for (uint32_t end = 1; end <= g->m->peers.n && !r; end++) {
        struct mh_window windows[MAX_WINDOWS];
        unsigned n = end == middle ? 0 : mh_windows_of(g, end, windows, MAX_WINDOWS);

        for (unsigned i = 0; i < n && !r; i++)
            r = chain(g, service, middle, end, windows[i]);
    }
    return r;
}

int mh_judge_2010(struct mh_grading *g)
{
    size_t before = g->judgements.n;
    int r = 0;

    for (uint32_t middle = 1; middle <= g->m->peers.n && r >= 0; middle++) {
        bool *service = calloc(g->m->processes.n + 1, sizeof(*service));

        r = !service                             ? -ENOMEM
            : g->m->peers.v[middle - 1].port > 0 ? find_service(g, middle, service)
                                                 : 0;
        if (r > 0)
            r = judge_middle(g, service, middle);
        free(service);
    }
    if (r >= 0 && g->judgements.n == before)
        r = mh_judge_none(g, MH_VERDICT_not_exercised,
                          "no fault hit what the second of two recorded services calls, while the "
                          "first one asked it five times",
                          NULL);
    return MH_MIN(r, 0);
}
