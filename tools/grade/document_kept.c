/* SPDX-License-Identifier: Apache-2.0 */
/* report.json: which events are not in it; see document.h. */
#include "grade/document.h"

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
