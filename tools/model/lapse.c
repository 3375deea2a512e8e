/* SPDX-License-Identifier: Apache-2.0 */
/* Waits that ran out, and that only set a pace: a client looks for signals in between, and waits
 * again for the same answer. Nothing was given up then. */
#include <errno.h>

#include "model/read.h"

#include "base/banned.h"

/* A wait of less than 50 ms that ends well has no record of its own. */
enum { AT_ONCE_NS = 60000000 };

void mh_intake_went_on(struct mh_intake *in, struct mh_conn *c, int64_t at)
{
    struct mh_act *w = c && c->lapse ? &in->m->acts.v[c->lapse - 1] : NULL, *a;
    int64_t ended = w ? w->at + w->wait.waited : 0;

    if (!w)
        return;
    c->lapse = 0;
    if (!w->attempt_of || w->attempt_of != c->attempt || w->tid != in->record->tid ||
        at - ended > AT_ONCE_NS)
        return;
    w->wait.ready = MH_WAIT_WENT_ON;
    a = &in->m->acts.v[w->attempt_of - 1];
    if (!a->failed || a->attempt.err != ETIMEDOUT || a->attempt.ended != ended)
        return;
    a->failed = false;
    a->attempt.err = 0;
    a->attempt.ended = 0;
}
