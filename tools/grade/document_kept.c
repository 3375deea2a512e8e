/* SPDX-License-Identifier: Apache-2.0 */
/* report.json: which events are not in it, and of which nobody was told; see document.h. */
#include "grade/document.h"

#include "table/table.h"

#include "base/banned.h"

void mh_document_unkept(const struct mh_model *m, json_t *list)
{
    if (m->lost > m->sampled)
        mh_sentence(list, "%llu events were not kept: the recording was full.",
                    (unsigned long long)(m->lost - m->sampled));
    if (m->sampled)
        mh_sentence(list,
                    "%llu routine events were left out near the limit of a recording (`recording` "
                    "in [run]); counts of calls and requests are too low from there on.",
                    (unsigned long long)m->sampled);
    if (m->skimmed)
        mh_sentence(list,
                    "%llu routine events, all of them far from any fault or failure, were read and "
                    "not kept, which bounds the report's memory; counts of calls and requests are "
                    "too low by them.",
                    (unsigned long long)m->skimmed);
    if (m->holes)
        mh_sentence(
            list, "%llu places in the recordings are damaged or cut; what is around them was read.",
            (unsigned long long)m->holes);
}

void mh_document_untold(const struct mh_model *m, json_t *list)
{
    unsigned n = 0;

    for (size_t i = 0; i < m->ops.n; i++)
        n += mh_effect_untold(m->ops.v[i].effect) != 0;
    if (n)
        mh_sentence(list,
                    "%u writes and flushes were said to be done and were not. The application was "
                    "told nothing of it, so nothing is held against it or in its favour: whether "
                    "it notices what is missing only its data can show.",
                    n);
}
